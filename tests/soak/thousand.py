"""A thousand submissions in one run: all counted, none lost, memory flat, no process left.

python -m tests.soak.thousand [--count 1000]
"""

import argparse
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from grading import demo
from grading.book.course import Course
from grading.book.journal import FILE
from tests.grading.contents import scores
from tests.soak.processes import adopt, below, left, resident

NAME = demo.ASSIGNMENT
KINDS = ((demo.right, 13.0), (demo.slipped, 11.0), (demo.raising, 6.0), (demo.unanswered, 0.0))
ALLOWED = {"parent": 60e3, "workers": 20e3}  # growth for each submission [bytes]: a row is kept, nothing else
RUN = """
import sys
from pathlib import Path
from grading.book.course import Course
from grading.engine import run
from grading.book.rows import Options
report = run(Course(Path(sys.argv[1])), sys.argv[2], Options(jobs=2))
print(dict(report.counts), f"{report.seconds:.0f} s")
sys.exit(int(report.counts["graded"] != len(report.rows)))
"""


def names(count: int) -> Iterator[str]:
    """Names of every sort that a folder can have."""
    forms = ("student{}", "Ünïcode {}", "o'neil-{}", "x.y_{}@school", "名{}")
    return (forms[number % len(forms)].format(number) for number in range(count))


def make(root: Path, count: int) -> dict[str, float]:
    """The course with so many submissions; student -> the score that is due."""
    demo.make_course(root)
    shutil.rmtree(root / "submitted")
    solved, due = demo.solved_cells(), {}
    for number, name in enumerate(names(count)):
        kind, due[name] = KINDS[number % len(KINDS)]
        demo.hand_in(root, name, kind(solved))
    return due


def watched(process: subprocess.Popen, journal: Path) -> list[tuple[int, int, int]]:
    """(submissions done, bytes of the parent, bytes of its warm workers) twice a second until it ends."""
    rows, before = [], set()
    while process.poll() is None:
        under = below(process.pid)
        warm = under & before  # a child of one submission does not live that long
        rows.append((done(journal), resident(process.pid), sum(map(resident, warm))))
        before = under
        time.sleep(0.5)
    return rows


def done(journal: Path) -> int:
    """How many results lie in the journal."""
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=5)) as db:
            return db.execute("select count(*) from answers").fetchone()[0]
    except sqlite3.Error:
        return 0


def slope(counts: np.ndarray, values: np.ndarray) -> float:
    """Growth for each submission [bytes] by Theil and Sen: a worker replaced meanwhile does not count."""
    pairs = np.triu_indices(len(counts), 1)
    run, rise = (np.subtract.outer(v, v)[pairs] for v in (counts, values))
    return float(np.median((rise / np.where(run, run, np.nan))[run != 0]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    count = parser.parse_args().count
    adopt()
    with tempfile.TemporaryDirectory(prefix="thousand-") as folder:
        root = Path(folder)
        due = make(root, count)
        print(f"{len(due)} submissions handed in", flush=True)
        process = subprocess.Popen([sys.executable, "-c", RUN, str(root), NAME])
        rows = watched(process, root / FILE)
        problems = [] if process.returncode == 0 else [f"the run ended with status {process.returncode}"]
        found = scores(Course(root).url)
        wrong = sorted(name for name in due if found.get(name) != due[name])
        kept = done(root / FILE)
        files = [sum(1 for _ in (root / k).glob(f"*/{NAME}/{NAME}.*")) for k in ("autograded", "feedback")]
    print(f"{len(found)} in the gradebook, {kept} in the journal, {files[0]} notebooks, {files[1]} pages")
    problems += [f"{len(wrong)} have other scores than is due, as {wrong[:3]}"] if wrong else []
    problems += ["not every submission is counted"] if {len(found), kept, *files} != {count} else []
    problems += memory(rows, count)
    problems += [f"processes left: {sorted(stray)}"] if (stray := left()) else []
    for problem in problems:
        print(f"FAILED {problem}")
    print(f"{count} submissions, {len(problems)} failed")
    return int(bool(problems))


def memory(rows: list[tuple[int, int, int]], count: int) -> list[str]:
    """Print how memory went; a sentence for each that grows more than its rows need."""
    counts, *sizes = np.array([row for row in rows if count * 0.15 <= row[0] <= count * 0.98], float).T
    problems = []
    for (name, allowed), values in zip(ALLOWED.items(), sizes):
        grows = slope(counts, values)
        ends = f"{np.median(values[:10]) / 2**20:.0f} to {np.median(values[-10:]) / 2**20:.0f} MiB"
        print(f"memory of {name}: {ends}, {grows / 1000:+.1f} kB for each submission")
        if grows > allowed:
            problems.append(
                f"the {name} must grow by at most {allowed / 1000:g} kB each, got {grows / 1000:.1f}"
            )
    return problems


if __name__ == "__main__":
    sys.exit(main())
