"""This grader beside stock nbgrader: 12 numeric cells with numpy and pyplot, whole commands, interleaved.

    python benchmarks/grading.py [--rounds 3] [--small 20] [--large 100]

A quarter of the class each is right, partly wrong, raises, or hands in nothing. Time is that of the whole
command with its imports, processor time that of its process tree; the assignment is registered before. Stock
grades 10 and 20; its time for the large class is extrapolated from the marginal cost between them. Prints
ratios beside their goals; asserts nothing of time.
"""

import argparse
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import nbformat
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "authoring")]

import build  # noqa: E402
import scripts  # noqa: E402

from grading.book.course import done, nbgrader  # noqa: E402
from tinylib.practice.assignment import read_release  # noqa: E402
from tinylib.practice.bank import BANK  # noqa: E402

NAME = "a99_bench"
CELLS = 12
LOOP_S = 5  # the limit of a cell where two students loop
QUESTIONS = [e.id for e in BANK.values() if e.draws and not e.choices][:CELLS]
SCORES = """
select submitted_assignment.student_id, base_cell.name, grade.auto_score
from grade join base_cell on base_cell.id = grade.cell_id
     join submitted_notebook on submitted_notebook.id = grade.notebook_id
     join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id"""
LIMITED = """
import sys
from pathlib import Path
from grading.book.course import Course
from grading.engine import run
from grading.book.rows import Options
from grading.inside.task import Limits
limits = Limits(cell_s={limit}, wall_s={limit})
options = Options(jobs=int(sys.argv[3]), limits=limits, progress=False)
print(run(Course(Path(sys.argv[1])), sys.argv[2], options).counts)
"""


@dataclass(frozen=True)
class Cost:
    """Of one command: wall clock and processor time of its process tree [s]."""

    wall: float
    cpu: float

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.wall - other.wall, self.cpu - other.cpu)


# ---- the class


def script() -> str:
    """The assignment as a percent script."""
    parts = [
        '# %% role="name" name="student"\nstudent = ""\n',
        '# %% role="given" name="begin"\nimport numpy as np\nfrom matplotlib import pyplot as plt\n\n'
        "from tinylib.practice import begin, check\n\nbegin(student)\n",
    ]
    for number, exercise_id in enumerate(QUESTIONS):
        parts.append(
            f'# %% role="answer" name="q{number}"\n### BEGIN SOLUTION\nq{number} = 1.0\n### END SOLUTION\n\n'
            f'# %% role="check" name="q{number}-check" points=1\ncheck("{exercise_id}", q{number})\n'
        )
    return "\n".join(parts)


def make_course(root: Path) -> None:
    """Source and release of the assignment."""
    folder = root / "authoring" / "assignments"
    folder.mkdir(parents=True)
    (folder / f"{NAME}.py").write_text(script(), encoding="utf-8")
    entry = {"script": NAME, "title": "Bench", "objectives": ["time"], "needs": ["none"], "minutes": 1}
    before, scripts.AUTHORING = scripts.AUTHORING, root / "authoring"
    try:
        nb = scripts.assignment(entry)
        text = build.release(entry, nb, "bench")
    finally:
        scripts.AUTHORING = before
    source = root / "solutions" / NAME
    source.mkdir(parents=True)
    nbformat.write(nb, source / f"{NAME}.ipynb")
    (source / "release.json").write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    with nbgrader(root) as api:
        done(api.generate_assignment(NAME), "generate")


def hand_in(root: Path, count: int, loops: tuple[int, ...] = ()) -> None:
    """So many submissions: right, wrong, raising, nothing in turn; those of these numbers loop for ever."""
    release = read_release(root / "exercises" / NAME / "release.json")
    for number in range(count):
        student = f"s{number:03d}"
        folder = root / "submitted" / student / NAME
        shutil.copytree(root / "exercises" / NAME, folder)
        nb = nbformat.read(folder / f"{NAME}.ipynb", as_version=4)
        for cell in nb.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            if name == "student":
                cell.source = f"student = {student!r}"
            elif name in {f"q{n}" for n in range(CELLS)}:
                which = int(name[1:])
                exercise = BANK[QUESTIONS[which]]
                right = exercise.answer(**release.numbers(exercise.id, student))
                lines = {
                    0: f"values = np.full(100, {float(right)!r})\n{name} = float(values.mean())",
                    1: f"{name} = float(np.float64({float(right)!r}) * {1 if which % 2 else 3.7})",
                    2: f"{name} = 1 / 0" if which % 3 == 0 else f"{name} = {float(right)!r}",
                    3: cell.source,
                }
                cell.source = lines[number % 4]
                if number in loops and which == 3:
                    cell.source = "while True:\n    pass"
        nbformat.write(nb, folder / f"{NAME}.ipynb")


# ---- commands


def cost(command: list[str], root: Path, **env: str) -> Cost:
    """Run it in the course folder; SystemExit with the end of what it said when it fails."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    run = subprocess.run(command, cwd=root, env={**os.environ, **env}, capture_output=True, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode:
        raise SystemExit(f"{' '.join(command[:6])} failed:\n{run.stdout[-800:]}{run.stderr[-800:]}")
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def fresh(root: Path) -> None:
    """Forget every grade; the assignment is registered, as it is when it was released from here."""
    for name in ("autograded", "feedback"):
        shutil.rmtree(root / name, ignore_errors=True)
    for path in (*root.glob("gradebook.db*"), *root.glob("grading.journal*")):
        path.unlink()
    with nbgrader(root) as api:
        shutil.rmtree(root / "exercises" / NAME)
        done(api.generate_assignment(NAME), "generate")


def stock(root: Path) -> Cost:
    """nbgrader autograde without our preprocessors."""
    fresh(root)
    return cost([sys.executable, "-m", "nbgrader", "autograde", NAME], root, **PATHS, TINYML_STOCK="1")


def ours(root: Path, jobs: int) -> Cost:
    fresh(root)
    words = [sys.executable, "-m", "grading", "run", NAME, "--course", str(root), "--jobs", str(jobs)]
    return cost(words, root, **PATHS)


def limited(root: Path, jobs: int) -> Cost:
    """Ours with a short limit for a cell."""
    fresh(root)
    return cost(
        [sys.executable, "-c", LIMITED.format(limit=LOOP_S), str(root), NAME, str(jobs)], root, **PATHS
    )


PATHS = {
    "PYTHONPATH": str(ROOT),
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
}


def scores(root: Path) -> list[tuple]:
    with closing(sqlite3.connect(root / "gradebook.db")) as db:
        return sorted(db.execute(SCORES).fetchall())


# ---- the table


def middle(costs: list[Cost]) -> Cost:
    """Medians."""
    return Cost(statistics.median(c.wall for c in costs), statistics.median(c.cpu for c in costs))


def verdict(ratio: float, must: float, aim: float) -> str:
    return "aim reached" if ratio >= aim else "goal reached" if ratio >= must else "SHORT of the goal"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", type=int, default=20)
    parser.add_argument("--large", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        report(Path(folder), options.rounds, options.small, options.large)
    return 0


def report(folder: Path, rounds: int, small: int, large: int) -> None:
    """Measure and print."""
    courses = {}
    for name, count, loops in (
        ("half", small // 2, ()),
        ("small", small, ()),
        ("large", large, ()),
        ("loops", small, (4, 12)),
    ):
        courses[name] = folder / name
        make_course(courses[name])
        hand_in(courses[name], count, loops)
    work = {
        f"stock, {small // 2}": lambda: stock(courses["half"]),
        f"stock, {small}": lambda: stock(courses["small"]),
        f"ours, {small}, one worker": lambda: ours(courses["small"], 1),
        f"ours, {large}, two workers": lambda: ours(courses["large"], 2),
        f"ours, {small}, two workers, short limit": lambda: limited(courses["small"], 2),
        f"ours, {small} with two loops, two workers": lambda: limited(courses["loops"], 2),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in work}
    equal = []
    for _ in tqdm(range(rounds), "rounds", disable=None):
        for name, run in tqdm(work.items(), leave=False, disable=None):
            costs[name].append(run())
            if name in list(work)[1:3]:
                equal.append(scores(courses["small"]))
    half, one, ours_one, ours_two, plain, loops = (middle(c) for c in costs.values())
    print(
        f"\nmedians of {rounds} interleaved rounds, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n"
    )
    for name, (wall, cpu) in {n: (middle(c).wall, middle(c).cpu) for n, c in costs.items()}.items():
        print(f"{name:<42} {wall:7.1f} s wall {cpu:7.1f} s cpu")
    each, mine = one - half, ours_two - ours_one
    each = Cost(each.wall / (small - small // 2), each.cpu / (small - small // 2))
    stock_large = one.wall + each.wall * (large - small)
    per_cpu = each.cpu / (mine.cpu / (large - small))
    same = all(rows == equal[0] for rows in equal)
    print(f"\nthe same {len(equal[0])} grades cell by cell, stock and ours: {'yes' if same else 'NO'}\n")
    print(f"{'':<58} {'ratio':>6} {'must':>5} {'aim':>5}")
    for name, ratio, must, aim in (
        (f"{small} submissions, one worker: time", one.wall / ours_one.wall, 5, 5),
        (f"{large} submissions, two workers: time (stock extrapolated)", stock_large / ours_two.wall, 10, 20),
        ("processor time for each further submission", per_cpu, 6, 8),
        (f"processor time of {small} submissions, whole command", one.cpu / ours_one.cpu, 6, 8),
    ):
        print(f"{name:<58} {ratio:>6.1f} {must:>5} {aim:>5}  {verdict(ratio, must, aim)}")
    extra = loops.wall - plain.wall
    said = "goal reached" if extra <= LOOP_S + 1 else "SHORT of the goal"
    print(f"two loops among {small}, limit {LOOP_S} s: {extra:+.1f} s  {said}")


if __name__ == "__main__":
    sys.exit(main())
