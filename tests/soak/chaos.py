"""Runs killed with SIGKILL at random moments, each resumed: what comes out equals an undisturbed run.

    python -m tests.soak.chaos [--runs 30] [--seed 1]

The parent, a sandboxed worker, or the server process behind its database connection is killed, once or twice,
anywhere from start to end; then the same command is given again until it says that it is done.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from grading import demo
from grading.book.course import Course
from tests.grading import postgres
from tests.grading.contents import contents
from tests.soak.processes import adopt, below, left

NAME = demo.ASSIGNMENT
RUN = """
import sys
from pathlib import Path
from grading.book.course import Course
from grading.engine import run
from grading.book.rows import Options
root, url = sys.argv[1:]
report = run(Course(Path(root), url), "{name}", Options(jobs=2, progress=False, say=lambda _: None))
sys.exit(0 if len(report.rows) == {count} and all(row.graded for row in report.rows) else 75)
"""
TRIES = 4  # of the command, after the last kill


@dataclass
class Plan:
    """One run: who is killed, and when, as shares of an undisturbed run's time."""

    number: int
    victim: str
    moments: tuple[float, ...]

    def __str__(self) -> str:
        return f"run {self.number}: {self.victim} at {', '.join(f'{m:.0%}' for m in self.moments)}"


def plans(runs: int, seed: int, victims: tuple[str, ...]) -> list[Plan]:
    rng = random.Random(seed)
    found = []
    for number in range(runs):
        moments = sorted(rng.uniform(0.02, 1.05) for _ in range(rng.choice((1, 1, 2))))
        found.append(Plan(number, victims[number % len(victims)], tuple(moments)))
    return found


def command(root: Path, url: str) -> subprocess.Popen:
    code = RUN.format(name=NAME, count=len(demo.CLASS))
    words = [sys.executable, "-c", code, str(root), url]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def kill(victim: str, process: subprocess.Popen, server: postgres.Server | None) -> bool:
    """Kill it; False when there is none at this moment."""
    if victim == "parent":
        process.kill()
        return True
    if victim == "worker":
        found = [pid for pid in below(process.pid) if b"grading" in _words(pid)]
    else:
        found = server.connections()
    for pid in sorted(found)[-1:]:
        try:
            os.kill(pid, signal.SIGKILL)
            return True
        except ProcessLookupError:
            pass
    return False


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def disturbed(
    plan: Plan, root: Path, url: str, server: postgres.Server | None, whole_s: float
) -> tuple[int, str]:
    """Run, kill, resume; (how many kills hit, what the last try complained of)."""
    hits = 0
    for moment in plan.moments:
        process = command(root, url)
        try:
            process.wait(moment * whole_s)
        except subprocess.TimeoutExpired:
            while process.poll() is None and not (hit := kill(plan.victim, process, server)):
                time.sleep(0.02)
            hits += process.returncode is None and hit
        process.communicate()
    for _ in range(TRIES):
        process = command(root, url)
        _, errors = process.communicate()
        if process.returncode == 0:
            return hits, ""
    return hits, f"not done after {TRIES} tries, status {process.returncode}: {errors.strip()[-300:]}"


def pages(root: Path) -> dict[str, bytes]:
    """Every feedback page and graded notebook."""
    found = [*(root / "feedback").rglob("*.html"), *(root / "autograded").rglob("*.ipynb")]
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in found}


def compared(plan: Plan, root: Path, url: str, server: postgres.Server | None, undisturbed: tuple) -> str:
    """What differs from the undisturbed run, in words; the kills that hit are in the plan's line."""
    shutil.copytree(undisturbed[0], root)
    hits, problem = disturbed(plan, root, url, server, undisturbed[3])
    if not problem and (found := contents(url)) != undisturbed[1]:
        rows = {k: sorted({*found[k]} ^ {*undisturbed[1][k]}, key=str)[:4] for k in found}
        problem = f"other rows: { ({k: differ for k, differ in rows.items() if differ}) }"
    if not problem and pages(root) != undisturbed[2]:
        problem = "other pages"
    shutil.rmtree(root, ignore_errors=True)
    tqdm.write(f"{plan}: {hits} hit, {problem or 'same grades and comments'}")
    return problem


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    options = parser.parse_args()
    adopt()
    here = postgres.there()
    if not here:
        print("not run: database connections (no PostgreSQL server: apt-get install postgresql)")
    victims = ("parent", "worker", "connection") if here else ("parent", "worker")
    print(f"seed {options.seed}: the same moments again with --seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        problems = chaos(Path(folder), plans(options.runs, options.seed, victims), here)
    if stray := left():
        problems.append(f"processes left: {sorted(stray)}")
    for problem in filter(None, problems):
        print(f"FAILED {problem}")
    failed = sum(map(bool, problems)) + (not here and bool(os.environ.get("CI")))
    print(f"{options.runs} runs killed and resumed, {failed} failed")
    return int(failed > 0)


def chaos(folder: Path, chosen: list[Plan], with_server: bool) -> list[str]:
    """What went wrong in each run; two of them go on at a time."""
    fresh, whole = folder / "fresh", folder / "whole"
    fresh.mkdir()
    demo.make_course(fresh)
    shutil.copytree(fresh, whole)
    start = time.monotonic()
    process = command(whole, f"sqlite:///{whole}/gradebook.db")
    _, errors = process.communicate()
    if process.returncode:
        return [f"the undisturbed run ended with status {process.returncode}: {errors[-300:]}"]
    undisturbed = (fresh, contents(Course(whole).url), pages(whole), time.monotonic() - start)
    print(f"undisturbed: {undisturbed[3]:.1f} s, {len(undisturbed[1]['grades'])} grades", flush=True)

    def one(plan: Plan) -> str:
        root = folder / f"run{plan.number}"
        if plan.victim != "connection":
            return compared(plan, root, f"sqlite:///{root}/gradebook.db", None, undisturbed)
        with postgres.Server() as server:  # its own: a killed connection restarts the whole server
            return compared(plan, root, server.make("course"), server, undisturbed)

    with ThreadPoolExecutor(2) as pool:
        return list(tqdm(pool.map(one, chosen), total=len(chosen), unit="run", disable=None))


if __name__ == "__main__":
    sys.exit(main())
