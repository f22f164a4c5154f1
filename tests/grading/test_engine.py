"""A class through the sealed engine: stock's grades for honest work, nothing lost, every failure one row."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest

from grading import keys
from grading.book.course import Course
from grading.book.lock import held
from grading.book.rows import GradingError, Options, class_flags, table, verdict_from
from grading.book.standing import standing
from grading.book.submission import Desk
from grading.demo import ASSIGNMENT, CLASS, grade, hand_in, make_course, right, slipped, solved_cells
from grading.engine import _Later, run
from grading.interrupts import interruptible
from grading.judging.transplant import MAX_BYTES
from grading.report import graded_class
from tests.grading.snapshots import COMMENTS, GRADES, RUNS, change, files, rows, snapshot

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
HONEST = [
    name for name in CLASS if name != "finn"
]  # his complex number has no place in a pipe of plain values


class NoPool:
    """A pool that must not be needed."""

    def __init__(self):
        raise AssertionError("a worker was started")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The demo's class, graded once without disturbance: (course folder, report)."""
    root = tmp_path_factory.mktemp("graded") / "a course"
    root.mkdir()
    make_course(root)
    return root, run(Course(root), ASSIGNMENT, quiet(jobs=2))


@pytest.fixture
def root(graded, tmp_path):
    """A copy of the graded course, to be changed."""
    return shutil.copytree(graded[0], tmp_path / "a course")


@pytest.fixture
def fresh(graded, tmp_path):
    """A copy of the course as it was before it was graded, registered."""
    root = shutil.copytree(
        graded[0], tmp_path / "a course", ignore=shutil.ignore_patterns("autograded", "feedback")
    )
    (root / "grading.journal").unlink()
    for table_ in (
        "tinyml_runs",
        "grade",
        "comment",
        "submitted_notebook",
        "submitted_assignment",
        "student",
    ):
        change(root, f"delete from {table_}")
    return root


def quiet(**options) -> Options:
    return Options(progress=False, say=lambda _: None, **options)


def again(root: Path, **options):
    return run(Course(root), ASSIGNMENT, quiet(pool=NoPool, **options))


def states(report) -> dict[str, str]:
    return {row.student: row.state for row in report.rows}


def submission(root: Path, student: str) -> Path:
    return root / "submitted" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"


# ---- the same as stock


@pytest.mark.soak
def test_grades_are_those_of_stock_nbgrader_cell_by_cell(graded, tmp_path):
    """Draws of the function question differ, so shares of partly right functions may only agree, as here."""
    root = tmp_path / "stock"
    root.mkdir()
    make_course(root)
    grade(root, list(CLASS))
    assert rows(graded[0], GRADES) == rows(root, GRADES)
    kept = [(who, cell) for who, cell, *_ in rows(graded[0], COMMENTS)]
    assert kept == [(who, cell) for who, cell, *_ in rows(root, COMMENTS)] and kept
    silent = {(who, cell) for who, cell, said, _ in rows(root, COMMENTS) if said == "No response."}
    assert silent == {
        (who, cell) for who, cell, said, _ in rows(graded[0], COMMENTS) if said == "No response."
    }
    ours, theirs = (sources(place) for place in (graded[0], root))
    assert ours == theirs
    for mine, other in zip(graded_class(graded[0], ASSIGNMENT), graded_class(root, ASSIGNMENT)):
        assert (mine.name, mine.points, mine.flags) == (other.name, other.points, other.flags)


def sources(root: Path) -> dict[str, list]:
    """Student -> grade_id and source of each answer cell of the graded notebook."""
    found = {}
    for name in CLASS:
        nb = nbformat.read(Course(root).autograded(ASSIGNMENT, name), as_version=4)
        nbformat.validate(nb)
        answers = [c for c in nb.cells if c.metadata.get("nbgrader", {}).get("solution")]
        found[name] = [(c.metadata.nbgrader.grade_id, c.source) for c in answers]
    return found


def test_reasons_reach_comments_pages_and_report(graded):
    root, report = graded
    said = {(who, cell): text for who, cell, text, _ in rows(root, COMMENTS)}
    assert "Upside down" in said["hana", "ridge"]
    assert "those are MACs" in said["cleo", "efficiency-report"]
    page = Course(root).feedback(ASSIGNMENT, "hana").read_text(encoding="utf-8")
    assert "Upside down" in page and "<script" not in page
    assert "Upside down" in table(report) or "Upside down" in str([r.verdict.marks for r in report.rows])
    assert {level for *_, level, _, _ in rows(root, RUNS)} == {report.rows[0].level}


def test_copied_numbers_are_flagged_from_the_gradebook_alone(graded):
    report = again(graded[0])
    flags = class_flags(Desk.open(Course(graded[0]), ASSIGNMENT).paper, report.rows)
    assert list(flags) == ["gil"] and "fit the numbers of ada" in flags["gil"][0].text


def test_verdicts_survive_the_gradebook(graded):
    made = standing(Course(graded[0]).url, ASSIGNMENT).made
    for row in graded[1].rows:
        assert verdict_from(made[row.student].verdict) == row.verdict


# ---- again


def test_a_second_run_starts_no_worker_and_changes_nothing(root):
    before = snapshot(root)
    report = again(root)
    assert set(states(report).values()) == {"unchanged"} and len(report.rows) == len(CLASS)
    assert snapshot(root) == before
    assert [r.verdict.points for r in report.rows] == [13, 13, 11, 6, 0, 0, 8, 12]


def test_missing_files_are_made_again_without_running(root):
    before = snapshot(root)
    Course(root).autograded(ASSIGNMENT, "ada").unlink()
    Course(root).feedback(ASSIGNMENT, "ben").write_text("")
    report = again(root)
    assert [name for name, state in states(report).items() if state != "unchanged"] == ["ada", "ben"]
    assert snapshot(root) == before


def test_only_a_changed_submission_is_run_again(root):
    hand_in_again(root, "cleo", right)
    report = run(Course(root), ASSIGNMENT, quiet())
    assert states(report) == {name: "graded" if name == "cleo" else "unchanged" for name in CLASS}
    assert next(r for r in report.rows if r.student == "cleo").verdict.points == 13


def hand_in_again(root: Path, student: str, kind=right) -> None:
    shutil.rmtree(root / "submitted" / student)
    hand_in(root, student, kind(solved_cells()))


@pytest.fixture
def own_keys(root, monkeypatch):
    """Keys in a folder of their own, with a way to change the text of this assignment's."""
    folder = shutil.copytree(ROOT / "authoring" / "keys", root.parent / "keys")
    monkeypatch.setenv(keys.FOLDER_VARIABLE, str(folder))

    def change_key(old: str, new: str) -> None:
        path = folder / f"{ASSIGNMENT}.py"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))

    return change_key


def test_a_changed_expected_value_regrades_stored_answers_without_running(root, own_keys):
    own_keys('"flops": 2 * macs,', '"flops": 3 * macs,')
    report = again(root)
    assert set(states(report).values()) == {"regraded"}
    points = {r.student: r.verdict.points for r in report.rows}
    assert (points["ada"], points["ben"], points["eve"]) == (12, 12, 0)
    assert {g[2] for g in rows(root, GRADES) if g[:2] == ("ada", "efficiency-report-check")} == {5.0}
    assert set(states(again(root)).values()) == {"unchanged"}


def test_a_changed_draw_runs_again(root, own_keys):
    own_keys("rng.int(41, 80)", "rng.int(41, 90)")
    with pytest.raises(AssertionError, match="a worker was started"):
        again(root)
    report = run(Course(root), ASSIGNMENT, quiet(students=("ada", "cleo")))
    assert states(report) == {"ada": "graded", "cleo": "graded"}


def test_regrade_runs_nothing_even_where_nothing_ran(root):
    hand_in_again(root, "cleo")
    before = rows(root, GRADES)
    report = again(root, rejudge=True, run_new=False)
    assert states(report) == {name: "no answers" if name == "cleo" else "regraded" for name in CLASS}
    assert rows(root, GRADES) == before


def test_force_runs_again_and_gives_the_same(root):
    before = snapshot(root)
    report = run(Course(root), ASSIGNMENT, quiet(students=("ada",), force=True))
    assert states(report) == {"ada": "graded"}
    assert snapshot(root) == before


def test_manual_marks_are_kept_and_shown_on_the_page(root):
    cell = "where cell_id = (select id from base_cell where name = 'ridge-check')"
    assert change(root, f"update grade set manual_score = 0.5, needs_manual_grade = 0 {cell}") == len(CLASS)
    report = again(root)
    assert set(states(report).values()) == {"regraded"}
    assert {g[3] for g in rows(root, GRADES) if g[1] == "ridge-check"} == {0.5}
    assert "11.5 of 13" not in table(report)  # what the engine found stays what it says
    page = Course(root).feedback(ASSIGNMENT, "hana").read_text(encoding="utf-8")
    assert "12.5 of 13" in page and "0.5 of 1" in page
    assert set(states(again(root)).values()) == {"unchanged"}


def test_a_comment_in_the_formgrader_is_shown_beside_the_check_of_that_answer(root):
    cell = "where cell_id = (select id from base_cell where name = 'ridge')"  # it keeps them with answers
    assert change(root, f"update comment set manual_comment = 'Come and see me' {cell}") == len(CLASS)
    assert set(states(again(root)).values()) == {"regraded"}
    page = Course(root).feedback(ASSIGNMENT, "ada").read_text(encoding="utf-8")
    (said,) = re.findall(r'<p class="said right">[^<]*Come and see me</p>', page)
    assert "Right" in said and page.count("Come and see me") == 1


def test_another_policy_for_late_work_counts_at_the_next_run(root):
    assert change(root, "update assignment set duedate = '2026-01-01 00:00:00.000000'") == 1
    (submission(root, "ada").parent / "timestamp.txt").write_text("2026-01-02 00:00:00 UTC")
    penalty = "select late_submission_penalty from submitted_notebook where late_submission_penalty > 0"
    again(root)
    assert rows(root, penalty) == []
    with (root / "nbgrader_config.py").open("a") as config:
        config.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    again(root)
    assert [tuple(row) for row in rows(root, penalty)] == [(13.0,)]
    assert set(states(again(root)).values()) == {"unchanged"}


def test_the_command_says_gradebook_rows_and_pages_and_fails_only_as_a_whole(root):
    process = start(root)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"gradebook sqlite:///{root}/gradebook.db" in said and "8 graded before, unchanged" in said
    assert ("no TINYML_COURSE_SECRET is set" in said) == (not os.environ.get(keys.SECRET_VARIABLE))
    assert re.search(r"cleo +11.00 of 13", said) and f"feedback pages: {root}/feedback/STUDENT" in said
    command = [sys.executable, "-m", "grading", "run", "a99", "--course", str(root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.startswith("grading: an assignment must lie in exercises/")


# ---- killed, stopped, two at once


def start(root: Path, *more: str) -> subprocess.Popen:
    command = [
        sys.executable,
        "-m",
        "grading",
        "run",
        ASSIGNMENT,
        "--course",
        str(root),
        "--jobs",
        "1",
        *more,
    ]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(process: subprocess.Popen, done) -> None:
    deadline = time.monotonic() + 100
    while process.poll() is None and not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def written(root: Path) -> int:
    return len(rows(root, "select submission_id from tinyml_runs"))


@pytest.mark.parametrize(
    "moment", ["worker", "journal", *(pytest.param(n, marks=pytest.mark.soak) for n in (1, 4, 7))]
)
def test_killed_anywhere_and_run_again_is_as_if_undisturbed(graded, fresh, moment):
    process = start(fresh)
    journal = fresh / "grading.journal"
    if moment == "worker":
        process.stdout.readline(), process.stdout.readline()  # the gradebook, then the sandbox level
    else:
        wait_for(
            process,
            lambda: (
                (moment == "journal" and journal.exists())
                or written(fresh) >= (moment if moment != "journal" else 1)
            ),
        )
    process.send_signal(signal.SIGKILL)
    process.communicate()
    count = written(fresh)
    report = run(Course(fresh), ASSIGNMENT, quiet(jobs=2))
    assert report.counts["unchanged"] == count and len(report.rows) == len(CLASS)
    assert snapshot(fresh) == snapshot(graded[0])


def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(graded, fresh):
    process = start(fresh)
    wait_for(process, lambda: written(fresh) >= 2)
    workers = below(process.pid)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in said
    assert re.search(r"stopped after \d of 8: the same command goes on from here", said)
    count = written(fresh)
    assert 2 <= count < len(CLASS)
    assert workers and not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    report = run(Course(fresh), ASSIGNMENT, quiet())
    assert report.counts["unchanged"] == count
    assert snapshot(fresh) == snapshot(graded[0])


def test_ctrl_c_while_the_gradebook_opens_waits_for_it_to_end():
    go, ended = threading.Event(), []

    def opens():
        assert go.wait(30)
        ended.append("opened")

    later, main = _Later(opens), threading.main_thread().ident
    threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
    with interruptible(), pytest.raises(KeyboardInterrupt):
        later.book()
    assert not ended
    threading.Timer(0.2, go.set).start()
    later.close()
    assert ended == ["opened"]


def test_a_reader_that_has_seen_enough_is_no_error():
    command = [sys.executable, "-m", "grading", "preview", "ada"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert process.stderr.read() == "" and process.wait(60) == 141


def below(pid: int) -> list[int]:
    """The processes below one, as long as it lives."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, fresh = [], [pid]
    while fresh:
        fresh = [child for child, parent in parents.items() if parent in fresh]
        found += fresh
    return found


def test_a_second_run_at_once_says_who_holds_the_course(root):
    with held(root), pytest.raises(GradingError, match=f"is being graded by process {os.getpid()} on"):
        again(root, wait=False)


# ---- what goes wrong is one row


BROKEN = {
    "cut": (lambda raw: raw[: len(raw) // 2], "damaged"),
    "empty": (lambda raw: b"", "got an empty file"),
    "huge": (lambda raw: raw + b" " * MAX_BYTES, "at most 20 MB, got 20 MB"),
    "list": (lambda raw: b"[1, 2]", "must be a JSON object, got a list"),
    "nested": (lambda raw: b"[" * 200_000, "nested too deep|damaged"),
    "binary": (lambda raw: bytes(range(256)) * 40, "damaged|JSON"),
}
READ = {
    "latin": lambda raw: raw.replace(b"# ", b"# \xe9\xff", 1),
    "stripped": lambda raw: json.dumps(without_metadata(json.loads(raw))).encode(),
    "new-format": lambda raw: raw.replace(b'"nbformat": 4', b'"nbformat": 5'),
    "bom": lambda raw: b"\xef\xbb\xbf" + raw,
}


def without_metadata(nb: dict) -> dict:
    for cell in nb["cells"]:
        cell["metadata"] = {}
    return nb


def test_every_broken_submission_is_one_row_and_the_class_goes_on(graded, fresh):
    for name in (*BROKEN, *READ, "missing", "link", "folder", "renamed", "x" * 129):
        hand_in(fresh, name, right(solved_cells()))
        path = submission(fresh, name)
        if name in BROKEN:
            path.write_bytes(BROKEN[name][0](path.read_bytes()))
        elif name in READ:
            path.write_bytes(READ[name](path.read_bytes()))
        elif not name.startswith("x"):
            path.rename(path.with_name("other.ipynb"))
    submission(fresh, "link").symlink_to(submission(fresh, "ada"))
    submission(fresh, "folder").mkdir()
    report = run(Course(fresh), ASSIGNMENT, quiet(jobs=2))
    found = {row.student: row for row in report.rows}
    assert len(found) == len(report.rows) == len(CLASS) + len(BROKEN) + len(READ) + 5
    for name, (_, words) in BROKEN.items():
        assert found[name].state == "unreadable" and re.search(words, found[name].note), found[name]
    assert "was not handed in, found other.ipynb" in found["missing"].note
    assert "got a link" in found["link"].note and "something else" in found["folder"].note
    assert found[f"'{'x' * 127}"].state == "failed"
    for name in READ:
        assert (found[name].state, found[name].verdict.points) == ("graded", 13.0), found[name]
        assert found[name].verdict.flags or name == "bom"
    for name in (*BROKEN, "missing", "link", "folder"):
        mine = [g for g in rows(fresh, GRADES) if g[0] == name]
        assert {g[2] for g in mine} == {0.0} and {g[5] for g in mine} == {1} and len(mine) == 7
    ours = [g for g in rows(fresh, GRADES) if g[0] in CLASS]
    assert ours == rows(graded[0], GRADES)
    assert set(states(again(fresh)).values()) == {"unchanged", "failed"}


@pytest.mark.soak
def test_a_full_disk_is_a_row_for_each_and_nothing_is_lost(graded, fresh):
    """No file may grow beyond 40 kB: the gradebook is larger, and soon the journal."""
    code = (
        "import resource, sys; from grading.__main__ import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY));"
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "run", ASSIGNMENT, "--course", str(fresh), "--jobs", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("not written, run again:") == len(CLASS) and "8 not written" in done.stdout
    assert written(fresh) == 0 and not [name for name in files(fresh) if name.endswith(".part")]
    report = run(Course(fresh), ASSIGNMENT, quiet(jobs=2))
    assert len(report.rows) == len(CLASS) and snapshot(fresh) == snapshot(graded[0])


def test_an_answer_that_breaks_the_judge_is_a_row_too(root, own_keys):
    own_keys('"size_kb": layer.params * bits / 8 / units.KB,', '"size_kb": 1 / 0,')
    report = again(root)
    assert set(states(report).values()) == {"failed"}
    assert all("ZeroDivisionError" in row.note for row in report.rows)
    assert table(report).count("Traceback") == 1  # the whole class has the same one


@pytest.mark.parametrize(
    "slip, words", [("def (", "SyntaxError in line 2: "), ("x = y", "NameError in line 2: ")]
)
def test_a_key_with_a_slip_says_its_line_in_one_sentence(tmp_path, slip, words):
    path = tmp_path / "a99.py"
    path.write_text(f"from math import isqrt\n{slip}\n")
    with pytest.raises(ValueError, match=rf"^the key a99.py must run without an error, got {words}[^\n]+$"):
        keys.load(path)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda root: Course(root / "nowhere"), "the course must be a folder"),
        (
            lambda root: Course(root, f"sqlite:///file:{root}/gradebook.db?mode=ro&uri=true"),
            "must be writable",
        ),
    ],
)
def test_a_run_that_cannot_work_says_so_in_one_sentence(tmp_path, graded, make, words):
    root = shutil.copytree(graded[0], tmp_path / "course")
    hand_in_again(root, "ada", slipped)
    with pytest.raises(GradingError, match=words):
        run(make(root), ASSIGNMENT, quiet())


def test_unknown_assignment_student_and_changed_bank_are_refused(root):
    with pytest.raises(GradingError, match="must lie in exercises/, found none of the name 'a99'"):
        run(Course(root), "a99", quiet())
    with pytest.raises(GradingError, match="nobody must have handed in"):
        again(root, students=("nobody",))
    path = root / "exercises" / ASSIGNMENT / "release.json"
    path.write_text(path.read_text().replace('"digest": "', '"digest": "0'))
    with pytest.raises(GradingError, match="released with another question bank"):
        again(root)


def test_a_release_that_is_not_of_its_source_is_refused(fresh):
    path = fresh / "exercises" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    nb = nbformat.read(path, as_version=4)
    next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade")).metadata.nbgrader.points = 9
    nbformat.write(nb, path)
    with pytest.raises(GradingError, match="must be what nbgrader makes of its source"):
        run(Course(fresh), ASSIGNMENT, quiet())
