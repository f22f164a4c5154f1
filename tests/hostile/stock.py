"""The same attacks under stock `nbgrader autograde`, each in a throw-away course: for the table in the docs.

    python -m tests.hostile.stock RESULTS.json [ATTACK ...]    run them (some minutes), keep what happened
    python -m tests.hostile.stock RESULTS.json --docs          write the tables of docs/grading-threats.md

Stock nbgrader runs a student's code as the instructor. Here it runs as nobody in bubblewrap, without network,
on a file system that ends with it: an attack reaches the throw-away course and nothing else. Floods are left
out. Not part of the tests.
"""

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.hostile import markup
from tests.hostile.attacks import ATTACKS
from tests.hostile.course import (
    hand_in,
    hand_in_attack,
    honest,
    listening,
    make_course,
    name_of,
    plant,
    planted,
    processes,
    work_of,
)
from tests.hostile.work import ASSIGNMENT, FULL, ROOT, Attack, Places

SETTINGS = """c = get_config()
c.CourseDirectory.course_id = "tinyml"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.ExecutePreprocessor.timeout = 20
"""
COURSE = Path("/tmp/course")
CALM = ("ada", "ben")  # the honest students around an attack
WALL_S = 120
DAMAGE = {
    "killed": "grader killed",
    "hung": "grader hung",
    "failed": "not graded",
    "others": "others' grades changed",
}
DAMAGE |= {"script": "script in page", "left": "processes left", "files": "files left", "called": "network"}


def boxed(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """This module run as nobody in a box; `folder` is the one place outside that it may write."""
    argv = [
        "bwrap",
        "--unshare-all",
        "--unshare-user",
        "--uid",
        "65534",
        "--gid",
        "65534",
        "--die-with-parent",
    ]
    argv += ["--new-session", "--cap-drop", "ALL", "--clearenv", "--proc", "/proc", "--dev", "/dev"]
    places = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", sys.base_prefix, sys.prefix, str(ROOT)]
    argv += ["--tmpfs", "/tmp"]
    for place in dict.fromkeys(places):
        argv += ["--ro-bind-try", place, place]
    argv += ["--bind", str(folder), "/box", "--chdir", "/tmp"]
    secret = (folder / "canaries.json").exists() and json.loads((folder / "canaries.json").read_text())
    variables = {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "HOME": "/tmp/home", "LANG": "C.UTF-8"}
    variables |= {"PYTHONPATH": str(ROOT), "TINYML_KEYS": f"{COURSE}/authoring/keys"}
    variables |= {"TINYML_COURSE_SECRET": secret["environment"]} if secret else {}
    for name, value in variables.items():
        argv += ["--setenv", name, value]
    argv += [sys.executable, "-B", "-m", "tests.hostile.stock", "--inside", *arguments]

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
        resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
        resource.setrlimit(resource.RLIMIT_FSIZE, (300 * 2**20, 300 * 2**20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    try:
        return subprocess.run(argv, capture_output=True, timeout=WALL_S, preexec_fn=limits)
    except subprocess.TimeoutExpired as late:
        return subprocess.CompletedProcess(argv, -signal.SIGKILL, late.stdout or b"", late.stderr or b"")


def prepared() -> None:
    """Inside: a course with two honest students, graded; packed for all attacks."""
    COURSE.mkdir()
    canaries = make_course(COURSE)
    (COURSE / "nbgrader_config.py").write_text(SETTINGS)
    for student in honest():
        if student.name in CALM:
            hand_in(
                COURSE, work_of(student, Places(str(COURSE)), canaries["classmate"] * (student.name == "ada"))
            )
    for student in CALM:
        graded(student)
    plant(COURSE, canaries["gradebook"])
    Path("/box/canaries.json").write_text(json.dumps(canaries))
    shutil.make_archive("/box/course", "tar", COURSE)


def graded(student: str) -> tuple[bool, str]:
    """Inside: autograde and feedback by nbgrader's own commands, in a process that an attack may kill."""
    from grading.book.course import nbgrader

    child = os.fork()
    if child == 0:
        try:
            with nbgrader(COURSE) as api:
                if not (COURSE / "gradebook.db").exists():
                    api.generate_assignment(ASSIGNMENT)
                result = api.autograde(ASSIGNMENT, student)
                api.generate_feedback(ASSIGNMENT, student)
            os._exit(0 if result["success"] else 1)
        except BaseException:
            os._exit(2)
    status = os.waitpid(child, 0)[1]
    return status == 0, "killed" if os.WIFSIGNALED(status) else ""


def points() -> dict[str, float]:
    """Student -> points in the gradebook."""
    query = """select student_id, sum(coalesce(manual_score, auto_score, 0) + coalesce(extra_credit, 0))
        from submitted_assignment as work join submitted_notebook as part on part.assignment_id = work.id
        join grade on grade.notebook_id = part.id group by student_id"""
    with sqlite3.connect(f"file:{COURSE}/gradebook.db?mode=ro", uri=True) as db:
        return dict(db.execute(query).fetchall())


def attacked(attack: Attack) -> dict:
    """Inside: what one attack got from stock nbgrader, and what it did beside."""
    shutil.unpack_archive("/box/course.tar", COURSE)
    canaries = json.loads(Path("/box/canaries.json").read_text())
    before = points()
    with listening(Path("/tmp")) as heard:
        hand_in_attack(COURSE, attack, Places(str(COURSE), heard.port, heard.socket))
        ended, killed = graded(name_of(attack))
        time.sleep(0.5)
        found = {"left": len(processes()), "called": sorted(set(heard.calls))}
    try:
        after = points()
    except sqlite3.Error:
        after = {}
    page = COURSE / "feedback" / name_of(attack) / ASSIGNMENT / f"{ASSIGNMENT}.html"
    text = page.read_text(errors="replace") if page.is_file() else ""
    told = [place for place, canary in canaries.items() if canary in text]
    beside = [path for path in page.parent.glob("*") if path.is_file() and path != page]
    secrets = [canary.encode() for canary in canaries.values()]
    told += [path.name for path in beside if any(canary in path.read_bytes() for canary in secrets)]
    ours = {student: score for student, score in after.items() if student in CALM}
    return found | {
        "points": after.get(name_of(attack)),
        "failed": not ended,
        "killed": bool(killed),
        "others": ours != before,
        "told": told,
        "script": markup.planted(text)[:3],
        "files": [
            path for path in planted(COURSE) if "/submitted/" not in path and "/autograded/" not in path
        ],
        "page_mb": round(len(text) / 1e6, 1),
    }


def inside(name: str) -> None:
    """What runs in the box."""
    Path("/tmp/home").mkdir()
    if name == "--prepare":
        return prepared()
    Path(f"/box/{name}.json").write_text(json.dumps(attacked(ATTACKS[name])))


def run(path: Path, names: list[str]) -> None:
    """Run the attacks, three at a time; `path` keeps what happened, so that it can be gone on with."""
    done = json.loads(path.read_text()) if path.exists() else {}
    chosen = [n for n in names or ATTACKS if ATTACKS[n].stock and (names or n not in done)]
    with tempfile.TemporaryDirectory(prefix="stock-") as box:
        folder = Path(box)
        folder.chmod(0o777)
        made = boxed(folder, "--prepare")
        if not (folder / "course.tar").exists():
            raise SystemExit(f"the course must be made, got:\n{made.stderr.decode(errors='replace')[-2000:]}")

        def one(name: str) -> tuple[str, dict]:
            ended = boxed(folder, name)
            result = folder / f"{name}.json"
            if result.exists():
                return name, json.loads(result.read_text())
            words = ended.stderr.decode(errors="replace").strip().splitlines()[-1:]
            how = "hung" if ended.returncode == -signal.SIGKILL else "killed"
            return name, {how: True, "failed": True, "points": None, "note": words}

        with ThreadPoolExecutor(3) as pool:
            for name, found in pool.map(one, chosen):
                done[name] = found
                path.write_text(json.dumps(done, indent=1))
                print(name, found, flush=True)


def won(found: dict, attack: Attack) -> float:
    """Points beyond those that the work deserves."""
    return max(0.0, (found.get("points") or 0.0) - attack.earns)


def damage(found: dict, earns: float = 0.0) -> str:
    """What an attack did beside winning points, in words."""
    words = [text for name, text in DAMAGE.items() if found.get(name)]
    words += ["honest work lost"] if found and (found["points"] or 0) < earns else []
    words += [f"told: {', '.join(found['told'])}"] if found.get("told") else []
    words += [f"page of {found['page_mb']:g} MB"] if found.get("page_mb", 0) > 5 else []
    return ", ".join(words)


def groups() -> dict[str, list[Attack]]:
    """The attacks by group."""
    found: dict[str, list[Attack]] = {}
    for attack in sorted(ATTACKS.values(), key=lambda attack: attack.group):
        found.setdefault(attack.group, []).append(attack)
    return found


def counts(done: dict) -> Iterator[str]:
    """Rows of the table of groups."""
    yield "| group | attacks | run under stock | win points there | do other damage | win points sealed |"
    yield "|---|--:|--:|--:|--:|--:|"
    total = [0, 0, 0, 0]
    for group, members in groups().items():
        ran = [a for a in members if a.name in done]
        wins = sum(won(done[a.name], a) > 0 for a in ran)
        numbers = [len(members), len(ran), wins, sum(bool(damage(done[a.name], a.earns)) for a in ran)]
        total = [a + b for a, b in zip(total, numbers)]
        yield f"| {group} | {' | '.join(map(str, numbers))} | 0 |"
    yield f"| **all** | {' | '.join(f'**{number}**' for number in total)} | **0** |"


def lines(done: dict) -> Iterator[str]:
    """Rows of the table of attacks."""
    for group, members in groups().items():
        yield f"\n### {group.capitalize()}\n"
        yield f"| attack | what it does | stock: points of {FULL:g} | stock: what else | sealed: points |"
        yield "|---|---|--:|---|--:|"
        for attack in members:
            found = done.get(attack.name)
            got = _points(found)
            got = f"**{got}**" if found and won(found, attack) else got
            text = f"`{attack.name}`", attack.line.replace("|", "\\|"), got, damage(found or {}, attack.earns)
            yield f"| {' | '.join(text)} | {attack.earns:g} |"


def _points(found: dict | None) -> str:
    if found is None:
        return "not run"
    lost = found["points"] is None or (found["failed"] and not found["points"])
    return "none" if lost else f"{found['points']:g}"


def write_docs(done: dict) -> None:
    """Put both tables between their marks in the page."""
    page = ROOT / "docs" / "grading-threats.md"
    text = page.read_text(encoding="utf-8")
    for name, rows in (("counts", counts(done)), ("attacks", lines(done))):
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        before, after = text.split(begin)[0], text.split(end)[1]
        text = f"{before}{begin}" + "\n".join(rows) + f"\n{end}{after}"
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        inside(sys.argv[2])
    elif sys.argv[2:] == ["--docs"]:
        write_docs(json.loads(Path(sys.argv[1]).read_text()))
    else:
        run(Path(sys.argv[1]), sys.argv[2:])
