"""Every task of the workbook, with the standard library alone: python3 bootstrap.py TASK [NAME=VALUE ...]

`lab` and `test` first make the folder .venv with everything from requirements.lock; a stamp in it says what
it holds, so that the second start is quick and an unfinished or moved one is made anew. Options come from the
environment or as NAME=VALUE; `help` lists tasks and options. This file also parses on old Pythons, so that
they get a sentence instead of a SyntaxError.
"""

import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.parse
from pathlib import Path
from xml.etree import ElementTree

OLDEST = (3, 11)


def too_old(version) -> str:
    """Why this Python cannot run the workbook; empty when it can."""
    if tuple(version[:2]) >= OLDEST:
        return ""
    return (
        "The workbook needs Python 3.11 or newer, got {}.{}: install one from python.org or your package "
        "manager and name it, as in `python3.12 bootstrap.py lab` or `make lab PYTHON=python3.12`."
    ).format(*version[:2])


if too_old(sys.version_info):
    sys.exit(too_old(sys.version_info))

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "workbook.json"
WINDOWS = os.name == "nt"
BIN = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = BIN / ("python.exe" if WINDOWS else "python")
UV = "uv==0.13.8"
# An optional part of jsonschema that takes every start of JupyterLab and of nbgrader more than a second.
SOONER = b"import sys; sys.modules.setdefault('rfc3987_syntax', None)\n"
FRONT = ROOT / "tinylib" / "lab" / "front"  # what JupyterLab loads beside its own: names for screen readers
OPTIONS = {
    "PORT": "port of JupyterLab (8888, or the next free one)",
    "NO_BROWSER": "1 starts JupyterLab without opening a browser",
    "EXTRAS": "extras to add, as in device,import",
    "ONLY": "parts to run, as in unit,browser (test) or a file's name (bench)",
    "CHAPTER": "chapter of a worksheet, as 3, L1.5 or Q",
    "SEEDS": "how many worksheets, each with numbers of its own (1)",
    "ASSIGNMENT": "which one to grade, as in a01_metrics",
    "JOBS": "how many workers grade (one for each core)",
    "TEST": "further arguments for pytest, as in '-x -k roofline'",
}


class Problem(Exception):
    """What stops a task, in one sentence for the person at the keyboard."""


# ---- environment


def digest(path: Path) -> str:
    """SHA-256 of a file [hex]."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_json(path: Path) -> dict:
    """A JSON object from a file; empty when the file is missing or damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def write_whole(path: Path, content: bytes) -> None:
    """Write through a temporary name: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def lock_files(extras: str) -> list[Path]:
    """The lock of the course and of each extra named in "a,b"; an unknown name is a Problem."""
    known = sorted(
        {p.stem for p in (ROOT / "locks").glob("*.lock")} - {"site"}
    )  # that has an own environment
    names = sorted({name.strip() for name in extras.split(",") if name.strip()})
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Problem(f"EXTRAS names some of {', '.join(known)}, got {unknown[0]!r}")
    return [ROOT / "requirements.lock", *(ROOT / "locks" / f"{name}.lock" for name in names)]


def contents(locks: list[Path]) -> dict:
    """What the stamp of a finished environment says."""
    files = {p.relative_to(ROOT).as_posix(): digest(p) for p in [ROOT / "pyproject.toml", *locks]}
    return {"folder": str(ROOT), "python": "{}.{}".format(*sys.version_info), "files": files}


def why_anew(stamp: dict) -> str:
    """Why a .venv that exists cannot be kept; empty when it can."""
    if "unfinished" in stamp:
        return "was not finished"
    if stamp.get("folder", str(ROOT)) != str(ROOT):
        return "was made in another folder, and its scripts hold that path"
    ask = [str(PYTHON), "-c", "import sys, pip; print('%d.%d' % sys.version_info[:2])"]
    try:
        found = subprocess.run(ask, capture_output=True, text=True, cwd=ROOT, timeout=60).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        found = ""
    here = "{}.{}".format(*sys.version_info)
    return "" if found == here else f"is of Python {found}, not {here}" if found else "does not run"


def environment(locks: list[Path]) -> None:
    """Bring .venv to what the locks say; at once when it is there already."""
    stamp, want = read_json(STAMP), contents(locks)
    anew = why_anew(stamp) if VENV.exists() else "missing"
    have = stamp.get("files", {})
    if not anew and stamp and all(have.get(name) == value for name, value in want["files"].items()):
        return
    if anew and VENV.exists():
        print(f".venv {anew}: it is made anew")
        remove(VENV)
    write_whole(STAMP, b'{"unfinished": true}\n')
    if anew:
        make_venv()
    install(locks)
    write_whole(library() / "workbook.pth", SOONER)
    settings = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}
    write_whole(VENV / "share/jupyter/lab/settings/overrides.json", json.dumps(settings).encode())
    extras = {} if anew else {name: have[name] for name in have if name.startswith("locks/")}
    want["files"] = {**extras, **want["files"]}
    write_whole(STAMP, json.dumps(want, indent=1).encode())


def library() -> Path:
    """The folder of .venv that holds the packages."""
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(VENV)}))


def remove(folder: Path) -> None:
    """Delete a folder, or say what holds it."""
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise Problem(f"{folder.name} cannot be deleted: close what runs from it, got {error}") from None


def make_venv() -> None:
    """An empty .venv of the Python that runs this file."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    ok, output = step(1, "making .venv", [base, "-m", "venv", str(VENV)])
    if not ok and "ensurepip" in output:
        raise Problem("Making .venv needs Python's venv module, as from apt-get install python3-venv")
    if not ok:
        raise Problem(f"Making .venv failed: {last_line(output)}")


def install(locks: list[Path]) -> None:
    """Install uv, the locked packages and the project; with pip alone where uv does not work."""
    pip = [str(PYTHON), "-m", "pip"]
    uv = [str(PYTHON), "-m", "uv", "pip"]
    here = ["--python", str(PYTHON)]
    packages = ["--require-hashes", "--no-deps", *(word for p in locks for word in ("-r", str(p)))]
    project = ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    total = len({line.split("==")[0] for p in locks for line in p.read_text().splitlines() if "==" in line})
    said = f"installing {total} packages"

    quick, output = step(2, "installing uv", [*pip, "install", "--retries", "2", UV])
    if quick:
        quick, output = step(3, said, [*uv, "install", *here, *packages], cache_counter(), total)
    if not quick:
        print(f"      uv does not work here, pip goes on: {last_line(output)}")
        command = [*pip, "install", "--retries", "2", *packages]
        ok, output = step(3, f"{said} with pip", command, lambda text: text.count("Collecting "), total)
        if not ok:
            raise Problem(f"The packages could not be installed: {why_not_installed(output)}")
    command = [*uv, "install", *here, *project] if quick else [*pip, "install", *project]
    ok, output = step(4, "installing the workbook", command)
    if not ok:
        raise Problem(f"The workbook itself could not be installed: {last_line(output)}")


def why_not_installed(output: str) -> str:
    """The likely reason in what pip printed."""
    if re.search("connection|resolve|timed? ?out|unreachable|proxy|no matching distribution", output, re.I):
        return f"the package index does not answer, check the network and try again ({last_line(output)})"
    return last_line(output)


def last_line(output: str) -> str:
    """The last line of a tool's output that says something."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and "notice" not in line]
    return lines[-1] if lines else "no output"


def cache_counter():
    """A function that counts the packages uv has unpacked since now."""
    ask = [str(PYTHON), "-m", "uv", "cache", "dir"]
    folder = subprocess.run(ask, capture_output=True, text=True, env=tool_env()).stdout.strip() or "."
    archive = Path(folder) / "archive-v0"

    def count() -> int:
        return sum(1 for _ in archive.iterdir()) if archive.is_dir() else 0

    before = count()
    return lambda output: count() - before


def step(number: int, text: str, command: list[str], done=None, total: int = 0) -> tuple[bool, str]:
    """Run one quiet command behind a line of progress (a bar on a terminal); (worked, output)."""
    start, label, live = time.monotonic(), f"[{number}/4] {text}", sys.stdout.isatty()
    print(f"{label} ...", end=" ", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as out:
            pipes = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out}
            process = subprocess.Popen(command, env=tool_env(), cwd=ROOT, **pipes)
        try:
            while process.poll() is None:
                if live:
                    part = bar(done(log.read_text("utf-8", "replace")), total) if done else ""
                    print(f"\r{label} ... {part}{time.monotonic() - start:.0f} s ", end="", flush=True)
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
        output = log.read_text("utf-8", "replace")
    again = f"\r{label} ... " + (" " * 40 + f"\r{label} ... " if done else "") if live else ""
    ok = process.returncode == 0
    print(f"{again}{time.monotonic() - start:.0f} s{'' if ok else ', failed'}", flush=True)
    return ok, output


def bar(done: int, total: int) -> str:
    """A bar of 20 characters with its count."""
    done = max(0, min(done, total))
    return f"[{'#' * (20 * done // total):<20}] {done}/{total}  " if total else ""


def tool_env(**more: str) -> dict[str, str]:
    """The environment of every command: .venv first on the PATH, nothing that misleads or slows its tools."""
    gone = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "MAKEFLAGS", "MAKELEVEL")
    gone += ("PYTHONDONTWRITEBYTECODE",)  # with it, every process would compile every package anew
    env = {name: value for name, value in os.environ.items() if name not in gone}
    env["PATH"] = os.pathsep.join([str(BIN), env.get("PATH", os.defpath)])
    return {**env, "VIRTUAL_ENV": str(VENV), "PIP_USER": "0", "JUPYTER_PREFER_ENV_PATH": "1", **more}


# ---- the learner's copies


def deliver(root: Path, my: Path) -> list[Path]:
    """Copy lessons and exercises to the learner's folder; returns what was written.

    my/.delivered.json holds the digest of what was last delivered under each name. A copy that still has it
    is updated in place; a copy that differs is the learner's, and the update lands beside it once.
    """
    record = read_json(my / ".delivered.json")
    written = []
    for source, name in deliverable(root):
        mark = cells_digest if name == HOME else digest
        target, new = my / name, mark(source)
        old = record.get(name)
        now = mark(target) if target.is_file() else None
        record[name] = new
        if now == new or (now is not None and now != old and old == new):
            continue
        if now is not None and now != old:
            target = beside(target, my, record, new, mark)
            record[target.relative_to(my).as_posix()] = new
            print(f"my/{name} is yours and stays; the new version is {target.name} beside it")
        write_whole(target, source.read_bytes())
        written.append(target)
    write_whole(my / ".delivered.json", json.dumps(record, indent=1, sort_keys=True).encode())
    return written


def cells_digest(path: Path) -> str:
    """SHA-256 of a notebook's cells without what they show; of the whole file where it is none [hex]."""
    cells = read_json(path).get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        return digest(path)
    sources = [[cell.get("cell_type"), "".join(map(str, cell.get("source") or ""))] for cell in cells]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()


def deliverable(root: Path) -> list[tuple[Path, str]]:
    """Each file that a learner gets, with its name below my/."""
    lessons = [(p, f"lessons/{p.name}") for p in sorted((root / "notebooks").glob("*.ipynb"))]
    below = [
        (p, p.relative_to(root).as_posix()) for p in sorted((root / "exercises").rglob("*")) if p.is_file()
    ]
    return lessons + [(p, name) for p, name in below if "/." not in name]


def beside(target: Path, my: Path, record: dict, new: str, mark) -> Path:
    """NAME.new.ipynb, or NAME.new2.ipynb when the learner has worked in that one too."""
    for number in range(1, 1000):
        path = target.with_name(f"{target.stem}.new{number if number > 1 else ''}{target.suffix}")
        if not path.exists() or mark(path) in (new, record.get(path.relative_to(my).as_posix())):
            return path
    raise Problem(f"{target} has 999 updates beside it: delete some")


HOME = "lessons/home.ipynb"  # its output is made anew at every start, so only its cells can be the learner's
SHOW_HOME = "import sys; from tinylib.lab.home import refresh; refresh(sys.argv[1])"
SIGN = """import sys, nbformat.sign as s
notary = s.NotebookNotary()
for name in sys.argv[1:]:
    notary.sign(s.read(name, 4))"""


def first_page(my: Path, env: dict[str, str]) -> str:
    """Where JupyterLab opens: the first lesson; once there is a record, the home page, made up to date."""
    home, record = my / HOME, my / "progress.jsonl"
    if home.is_file() and record.is_file() and record.stat().st_size:
        subprocess.run([str(PYTHON), "-c", SHOW_HOME, str(home)], env=env, capture_output=True)
        trust([home])
        return f"/tree/{HOME}"
    first = next(iter(sorted((my / "lessons").glob("00_*.ipynb"))), None)
    return f"/tree/lessons/{urllib.parse.quote(first.name)}" if first else ""


def trust(paths: list[Path]) -> None:
    """Sign delivered notebooks, so that JupyterLab shows their saved figures; without it they still open."""
    names = [str(p) for p in paths if p.suffix == ".ipynb"]
    if names:
        subprocess.run([str(PYTHON), "-c", SIGN, *names], env=tool_env(), capture_output=True)


# ---- tasks


def taken(port: int) -> bool:
    """Whether something listens on this port of 127.0.0.1, or may not be made to."""
    with socket.socket() as probe:
        if not WINDOWS:  # there the option means that two programs may share the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def choose_port(wish: str) -> int:
    """The port asked for, else 8888 or the next free one."""
    if wish and not (wish.isascii() and wish.isdigit() and 0 < int(wish) < 65536):
        raise Problem(f"PORT is a number from 1 to 65535, got {wish!r}")
    if wish and taken(int(wish)):
        raise Problem(f"PORT {wish} is in use or not allowed: name another one, as in PORT=9000")
    if wish:
        return int(wish)
    free = next((port for port in range(8888, 8909) if not taken(port)), None)
    if free is None:
        raise Problem("Ports 8888 to 8908 are all in use: name a free one, as in PORT=9000")
    if free != 8888:
        print(f"port 8888 is in use, so JupyterLab takes {free}")
    return free


def lab(options: dict) -> int:
    """Environment, learner's copies, then JupyterLab in my/ on the first lesson or the home page."""
    locks, port, my = lock_files(options["EXTRAS"]), choose_port(options["PORT"]), ROOT / "my"
    environment(locks)
    trust(deliver(ROOT, my))
    env = tool_env(TINYML_PROGRESS=str(my / "progress.jsonl"))
    page = first_page(my, env)
    settings = {
        "ServerApp.root_dir": my,
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.log_level": "WARN",
        "ServerApp.kernel_websocket_connection_class": "tinylib.lab.prompt.PromptConnection",
        "LabApp.log_level": "WARN",
        "LabApp.extra_labextensions_path": FRONT,
        "LabApp.default_url": f"/lab{page}",
    }
    command = [
        str(PYTHON),
        "-P",
        "-m",
        "jupyterlab",
        *(f"--{name}={value}" for name, value in settings.items()),
    ]
    command += ["--no-browser"] if options["NO_BROWSER"] not in ("", "0") else []
    command += ["--allow-root"] if not WINDOWS and os.geteuid() == 0 else []
    print("starting JupyterLab; Ctrl-C stops it", flush=True)
    if not WINDOWS:
        os.chdir(my)
        os.execve(command[0], command, env)
    process = subprocess.Popen(command, env=env, cwd=my)
    while process.poll() is None:
        with contextlib.suppress(KeyboardInterrupt):  # JupyterLab gets it too, and stops by itself
            process.wait()
    return process.returncode


def inside(options: dict, *command: str) -> int:
    """Run Python of the finished environment in the project folder; its exit status."""
    environment(lock_files(options["EXTRAS"]))
    return subprocess.run([str(PYTHON), *command], env=tool_env(), cwd=ROOT).returncode


def grading(options: dict, *command: str) -> int:
    """Run a command of the grader, with what instructors need in the environment."""
    if WINDOWS:
        raise Problem("Grading needs Linux, macOS or WSL: nbgrader's autograde does not run on Windows")
    return inside({**options, "EXTRAS": f"{options['EXTRAS']},instructor"}, "-m", "grading", *command)


def grade(options: dict) -> int:
    if not options["ASSIGNMENT"]:
        raise Problem("ASSIGNMENT names what to grade, as in ASSIGNMENT=a01_metrics")
    jobs = ["--jobs", options["JOBS"]] if options["JOBS"] else []
    return grading(options, "run", options["ASSIGNMENT"], *jobs)


def worksheet(options: dict) -> int:
    seeds = ["--seeds", options["SEEDS"]] if options["SEEDS"] else []
    return inside(options, "-m", "tinylib.practice", "worksheet", options["CHAPTER"] or "1", *seeds)


def bench(options: dict) -> int:
    """Run the benchmarks one after the other; 1 when one of them did not finish."""
    names = chosen(options["ONLY"], [p.stem for p in sorted((ROOT / "benchmarks").glob("*.py"))])
    failed = 0
    for name in names:
        print(f"\n== {name}", flush=True)
        failed |= inside(options, f"benchmarks/{name}.py") != 0
    return int(failed)


def chosen(only: str, names: list[str]) -> list[str]:
    """The names listed in ONLY, in their own order; all when it is empty."""
    wanted = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise Problem(f"ONLY names some of {', '.join(names)}, got {unknown[0]!r}")
    return [name for name in names if not wanted or name in wanted]


# ---- test

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
GET_CHROMIUM = "apt-get install chromium"
SLOW = "tests/grading tests/hostile tests/test_release.py"  # where slow tests lie
TIERS = {  # name -> (title, commands, programs of which one is needed, what installs them)
    "style": ("layout and lint", ["ruff format --check .", "ruff check ."], (), ""),
    "unit": (
        "unit tests",
        ["pytest -n 2 tests -m 'not browser and not site and not slow and not soak'"],
        (),
        "",
    ),
    "build": ("notebooks against their scripts", ["authoring/build.py check"], (), ""),
    "notebooks": (
        "lessons run as they are saved",
        ["pytest -n 3 --nbval notebooks"],
        (),
        "",
    ),
    "assignments": (
        "assignments, from release to grade",
        [f"pytest -n 3 {SLOW} -m 'slow and not soak'"],
        (),
        "",
    ),
    "browser": (
        "in a real browser",
        ["pytest -n 2 --dist load tests/browser -m 'browser and not soak'"],
        CHROMIUM,
        GET_CHROMIUM,
    ),
    "site": ("the browser edition", ["pytest tests/site -m 'site and not soak'"], CHROMIUM, GET_CHROMIUM),
}

SOAK = {
    "chaos": ("runs killed anywhere and resumed", ["tests.soak.chaos"], (), ""),
    "thousand": ("a thousand submissions", ["tests.soak.thousand"], (), ""),
    "stock": (
        "long roads: stock nbgrader, databases, shards, the newest Python",
        ["pytest -n 2 --dist load tests -m 'soak and not browser and not site'"],
        (),
        "",
    ),
    "solutions": ("instructors' notebooks run", ["pytest -n 3 --nbval-lax solutions"], (), ""),
    "lessons": (
        "every lesson in a real browser, and the browser edition in the dark",
        ["pytest -n 2 --dist load tests/browser -m soak", "pytest tests/site -m soak"],
        CHROMIUM,
        GET_CHROMIUM,
    ),
    "emulation": ("every network on every core", ["tests.soak.emulation"], (), ""),
}


def test(options: dict) -> int:
    """Run the tiers in order."""
    return run_tiers(TIERS, options)


def soak(options: dict) -> int:
    """Run what takes minutes: chaos, a thousand submissions, and every network on emulated cores."""
    if WINDOWS:
        raise Problem("Grading needs Linux or WSL: its sandbox does not run on Windows")
    return run_tiers(SOAK, {**options, "EXTRAS": options["EXTRAS"] or "device,instructor"})


def run_tiers(known: dict, options: dict) -> int:
    """Run the chosen tiers in order, all of them, then a table and the totals; 1 when anything failed."""
    tiers = chosen(options["ONLY"], list(known))
    environment(lock_files(options["EXTRAS"]))
    rows, absent, strict = [], [], bool(os.environ.get("CI"))
    for name in tiers:
        title, commands, programs, fix = known[name]
        print(f"\n== {name}: {title}", flush=True)
        start, passed, failed = time.monotonic(), 0, 0
        if programs and not any(map(shutil.which, programs)):
            absent.append(f"{name} (no {programs[0]}: {fix})")
        else:
            results = [run_tier(command, options["TEST"]) for command in commands]
            passed, failed = sum(r[0] for r in results), sum(r[1] for r in results)
            absent += (
                []
                if name in ("notebooks", "solutions")
                else [f"{name}: {why}" for r in results for why in r[2]]
            )
        rows.append((name, time.monotonic() - start, passed, failed))
    print(f"\n{'':<12} {'seconds':>8} {'passed':>7} {'failed':>7}")
    for name, seconds, passed, failed in rows:
        print(f"{name:<12} {seconds:>8.1f} {passed:>7} {failed:>7}")
    for reason in absent:
        print(f"not run: {reason}")
    passed, failed = sum(r[2] for r in rows), sum(r[3] for r in rows) + (len(absent) if strict else 0)
    if strict and absent:
        print(f"CI is set, so each of the {len(absent)} counts as failed")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def run_tier(command: str, more: str) -> tuple[int, int, list[str]]:
    """Run one command of a tier sealed off from the user's settings; (passed, failed, reasons of skips)."""
    words = shlex.split(command)
    with tempfile.TemporaryDirectory(prefix="workbook-test-") as folder:
        report = Path(folder) / "report.xml"
        if words[0] == "pytest":
            words += ["-q", f"--junitxml={report}", *shlex.split(more)]
        start = [str(PYTHON)] if words[0].endswith(".py") else [str(PYTHON), "-m"]
        code = subprocess.run([*start, *words], env=sealed_env(folder), cwd=ROOT).returncode
        if words[0] != "pytest":
            return int(code == 0), int(code != 0), []
        return count_report(report, code)


def sealed_env(folder: str) -> dict[str, str]:
    """An environment for tests in which Jupyter, IPython and matplotlib keep their files in a folder."""
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    env = tool_env(MPLBACKEND="agg", **{name: os.path.join(folder, name.lower()) for name in names})
    env |= {"OMP_NUM_THREADS": "1"}  # tests run side by side: threads of BLAS would wait for each other
    dropped = ("JUPYTERHUB_USER", "TINYML_PROGRESS", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH")
    return {key: value for key, value in env.items() if key not in dropped}


def count_report(report: Path, code: int) -> tuple[int, int, list[str]]:
    """(passed, failed, reasons of skips) from pytest's JUnit report and exit status."""
    if not report.is_file():
        return 0, 1, []
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    skips = [skip for case in cases for skip in case.findall("skipped") if skip.get("type") != "pytest.xfail"]
    idle = sum(case.find("skipped") is not None for case in cases)
    passed = len(cases) - failed - idle
    return passed, failed or int(code != 0), sorted({skip.get("message", "skipped") for skip in skips})


# ---- upkeep


def sizes(options: dict) -> int:
    """Print the lines of Python of every room, each folder by itself; tests as a whole."""
    above = [ROOT / name for name in ("tinylib", "grading", "authoring")]
    rooms = {
        room: room.glob("*.py") for top in above for room in [top, *(p for p in top.rglob("*") if p.is_dir())]
    }
    rooms |= {ROOT / "tests": (ROOT / "tests").rglob("*.py"), ROOT / "bootstrap.py": [ROOT / "bootstrap.py"]}
    for room, files in sorted(rooms.items()):
        lines = sum(len(p.read_text("utf-8").splitlines()) for p in files)
        if lines:
            print(f"{lines:>7}  {room.relative_to(ROOT).as_posix()}")
    return 0


def locks(options: dict) -> int:
    """Resolve every extra anew: needs the network, keeps pins that fit, writes names and hashes alone."""
    import tomllib

    environment(lock_files(""))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    flags = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate"]
    compile_ = [str(PYTHON), "-m", "uv", "pip", "compile", "-q", *flags]
    (ROOT / "locks").mkdir(exist_ok=True)
    base = [*compile_, "--extra", "course", "--extra", "test", "pyproject.toml", "-o", "requirements.lock"]
    failed = subprocess.run(base, env=tool_env(), cwd=ROOT).returncode
    for name in sorted(set(extras) - {"course", "test"}):
        command = [*compile_, "-", "-o", f"locks/{name}.lock"]
        command += [] if name == "site" else ["-c", "requirements.lock"]  # site has an environment of its own
        text = "\n".join(extras[name])
        failed |= subprocess.run(command, input=text, text=True, env=tool_env(), cwd=ROOT).returncode
    return int(failed != 0)


def clean(options: dict) -> int:
    """Delete caches and build products; .venv and my/ stay."""
    names = (
        "__pycache__",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
        ".ipynb_checkpoints",
        "build",
        "dist",
    )
    for folder, below, _ in os.walk(ROOT):
        gone = [n for n in below if n in names or n.endswith(".egg-info")]
        for name in gone:
            remove(Path(folder) / name)
        below[:] = [
            n
            for n in below
            if n not in gone and n not in (".venv", ".venv-site", ".git", "my", "node_modules")
        ]
    return 0


def show_help(options: dict) -> int:
    print("python3 bootstrap.py TASK [NAME=VALUE ...]   or   make TASK [NAME=VALUE ...]\n")
    for name, (_, text) in TASKS.items():
        print(f"  {name:<11} {text}")
    print()
    for name, text in OPTIONS.items():
        print(f"  {name:<11} {text}")
    return 0


TASKS = {
    "help": (show_help, "list tasks and options"),
    "lab": (lab, "set up, copy the lessons to my/ and open JupyterLab on the first one"),
    "test": (test, "every deterministic check"),
    "soak": (soak, "minutes more: runs killed and resumed, a thousand submissions, networks on every core"),
    "build": (
        lambda o: inside(o, "authoring/build.py", "build"),
        "make notebooks/, solutions/ and exercises/ from authoring/",
    ),
    "check": (
        lambda o: inside(o, "authoring/build.py", "check") | inside(o, "-m", "authoring.checks"),
        "say what is not built from the scripts, and why, and what is rotten in the book",
    ),
    "demo": (lambda o: grading(o, "demo"), "grade a made-up class of eight"),
    "grade": (grade, "grade what was handed in for ASSIGNMENT"),
    "release": (
        lambda o: grading(o, "release"),
        "pack what students get, without keys and solutions",
    ),
    "worksheet": (worksheet, "print quizzes of CHAPTER with an answer sheet"),
    "bench": (bench, "run the benchmarks"),
    "site": (lambda o: inside(o, "site/build.py"), "build the browser edition in site/out"),
    "docs": (
        lambda o: inside(o, "docs/reference/build.py"),
        "build the reference of tinylib in docs/api",
    ),
    "sizes": (sizes, "lines of every room"),
    "locks": (locks, "resolve requirements.lock and locks/ anew (needs the network)"),
    "format": (
        lambda o: inside(o, "-m", "ruff", "check", "--fix") | inside(o, "-m", "ruff", "format"),
        "lay out the code and repair what lint can",
    ),
    "clean": (clean, "delete caches and build products, never .venv or my/"),
}


def main(words: list[str]) -> int:
    """Run the task named first with options from the environment and NAME=VALUE words; its exit status."""
    options = {name: os.environ.get(name, "") for name in OPTIONS}
    tasks = [word for word in words if "=" not in word] or ["help"]
    given = dict(word.split("=", 1) for word in words if "=" in word)
    if len(tasks) > 1 or tasks[0] not in TASKS:
        raise Problem(f"The task is one of {', '.join(TASKS)}, got {' '.join(tasks)!r}")
    unknown = [name for name in given if name not in OPTIONS]
    if unknown:
        raise Problem(f"Options are {', '.join(OPTIONS)}, got {unknown[0]!r}")
    return TASKS[tasks[0]][0]({**options, **given})


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Problem, OSError) as problem:
        sys.exit(print(f"bootstrap: {problem}", file=sys.stderr) or 2)
    except KeyboardInterrupt:
        sys.exit(print("\nstopped", file=sys.stderr) or 130)
