"""A pool: every task comes back once, lost workers are replaced, slow work holds nobody up, nothing stays."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from grading.inside.task import Ask, within
from grading.workers import sandbox
from grading.workers.pool import LocalPool, Worker
from grading.workers.sandbox import Level
from tests.grading.sandboxed import QUICK, alive, descendants, level, task

ROOT = Path(__file__).resolve().parents[2]
LEAN = ("IPython", "matplotlib.pyplot")


@pytest.fixture(scope="module")
def pool():
    with LocalPool(2, level("A"), warm=LEAN) as pool:
        yield pool


def numbered(n: int, source: str = "x = {n} ** 2", **more):
    return task(source.format(n=n), Ask("q", "x"), name=f"d{n}", student=f"s{n}", **more)


def test_every_task_comes_back_once_with_its_own_value(pool):
    results = {r.digest: r.outcomes[1].value for r in pool.run(numbered(n) for n in range(40))}
    assert results == {f"d{n}": n**2 for n in range(40)}


def test_tasks_are_taken_as_they_are_needed_and_in_the_callers_thread(pool):
    taken = []

    def tasks():
        for n in range(30):
            taken.append(n)
            yield numbered(n)

    seen = 0
    for _ in pool.run(tasks()):
        seen += 1
        assert len(taken) <= seen + 3
    assert seen == 30


def test_an_empty_run_gives_nothing(pool):
    assert list(pool.run([])) == []


def test_a_run_that_is_left_half_way_does_not_disturb_the_next(pool):
    run = pool.run(numbered(n) for n in range(10))
    next(run)
    run.close()
    assert {r.digest for r in pool.run(numbered(n) for n in range(50, 55))} == {
        f"d{n}" for n in range(50, 55)
    }


def test_hostile_tasks_do_not_harm_the_others(pool):
    sources = ["import os; os._exit(1)", "import ctypes; ctypes.string_at(0)", "bytearray(10**12)", "1/0"]
    tasks = [numbered(n, sources[n // 2 % 4] if n % 2 else "x = {n} ** 2") for n in range(16)]
    results = {r.digest: r for r in pool.run(tasks)}
    assert [results[f"d{n}"].outcomes[1].value for n in range(0, 16, 2)] == [n**2 for n in range(0, 16, 2)]
    assert {results[f"d{n}"].ended for n in range(1, 16, 2)} == {"died", "finished"}


def inside(worker: Worker) -> list[int]:
    """The first process within bubblewrap."""
    return children(worker._process.pid) if worker._process else []


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_the_task_tried_again(pool):
    list(pool.run([numbered(1)]))
    killed = [pid for lane in pool._lanes for pid in inside(lane.worker)]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    results = {r.digest: r.outcomes[1].value for r in pool.run(numbered(n) for n in range(6))}
    assert killed and results == {f"d{n}": n**2 for n in range(6)}


@pytest.mark.slow
def test_a_worker_that_dies_in_the_middle_of_a_task_loses_nothing(pool):
    nap = "import time; time.sleep(0.4); x = {n} ** 2"
    found = {}
    for result in pool.run(numbered(n, nap) for n in range(6)):
        found[result.digest] = (result.ended, result.outcomes[1].value)
        if len(found) == 1:
            for lane in pool._lanes:
                for pid in inside(lane.worker):
                    os.kill(pid, signal.SIGKILL)
    assert found == {f"d{n}": ("finished", n**2) for n in range(6)}


@pytest.mark.slow
def test_a_notebook_killed_from_outside_is_run_again(pool):
    nap = "import time; time.sleep(0.4); x = {n} ** 2"
    found, killed = {}, 0
    for result in pool.run(numbered(n, nap) for n in range(6)):
        found[result.digest] = (result.ended, result.outcomes[1].value)
        while len(found) == 1 and not killed:
            for lane in pool._lanes:
                for child in [c for first in inside(lane.worker) for c in children(first)]:
                    os.kill(child, signal.SIGKILL)
                    killed += 1
    assert killed and found == {f"d{n}": ("finished", n**2) for n in range(6)}


def test_a_notebook_that_kills_itself_is_run_twice_and_did_it(pool):
    (result,) = pool.run([numbered(1, "import os; os.kill(os.getpid(), 9)")])
    assert (result.ended, result.note) == ("died", "the notebook was ended by SIGKILL in cell c0")


@pytest.mark.slow
def test_a_task_that_no_worker_finishes_is_given_up_after_three_tries(pool):
    poison = task("x = 1", Ask("q", "x"), name="poison", files={"../evil": ""})
    results = {r.digest: r for r in pool.run([numbered(1), poison, numbered(2)])}
    lost = results["poison"]
    assert lost.ended == "worker lost"
    assert lost.note.startswith("no worker could finish this notebook in 3 tries: ")
    assert [o.refused for o in lost.outcomes] == [lost.note] * 2
    assert results["d1"].outcomes[1].value == 1 and results["d2"].outcomes[1].value == 4


def test_a_task_that_is_not_json_is_refused(pool):
    (result,) = pool.run([task("x = 1", Ask("q", "x", ((object(),),)))])
    assert result.ended == "refused" and "not JSON serializable" in result.note


def test_workers_that_cannot_start_are_a_result_too(monkeypatch):
    found = level("A")
    monkeypatch.setattr(sandbox, "_BOOT", "raise SystemExit('the interpreter is broken')")
    with LocalPool(1, found, warm=LEAN) as pool:
        (result,) = pool.run([numbered(1)])
    assert result.ended == "worker lost" and "a worker ended: the interpreter is broken" in result.note


def test_below_level_b_a_pool_refuses_to_open():
    with pytest.raises(PermissionError, match="must run in a sandbox"):
        LocalPool(1, Level("D", ("no A: bubblewrap is not installed",)))


def test_the_open_level_runs_when_it_is_allowed():
    with LocalPool(1, Level("D"), allow_unsandboxed=True, warm=LEAN) as pool:
        (result,) = pool.run([numbered(7)])
    assert (result.level, result.outcomes[1].value) == ("D", 49)


def test_a_pool_needs_a_worker_and_a_closed_one_runs_nothing():
    with pytest.raises(ValueError, match="at least one worker, got 0"):
        LocalPool(0, Level("A"))
    pool = LocalPool(1, Level("A"))
    pool.close()
    with pytest.raises(RuntimeError, match="a closed pool"):
        next(pool.run([numbered(1)]))


@pytest.mark.soak
@pytest.mark.slow
def test_slow_notebooks_do_not_hold_up_the_rest():
    """Both workers sleep; the others overtake them on spare workers, which end when nothing waits."""
    nap = within(QUICK, cell_s=20, wall_s=20)
    slow = [numbered(n, "import time; time.sleep(8); x = {n} ** 2", limits=nap) for n in range(2)]
    quick = [numbered(n) for n in range(2, 30)]
    with LocalPool(2, level("A"), slow_s=0.5, warm=LEAN) as pool:
        order = [result.digest for result in pool.run([*slow, *quick])]
        assert set(order[-2:]) == {"d0", "d1"} and len(order) == 30
        assert len(list(pool.run(numbered(n) for n in range(4)))) == 4
        time.sleep(1)
        assert sum(lane.thread.is_alive() for lane in pool._lanes) <= 2


def test_leaving_the_context_ends_every_process_and_removes_every_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(descendants())
    with LocalPool(2, level("A"), warm=LEAN) as pool:
        list(pool.run(numbered(n) for n in range(4)))
        mine = set(descendants()) - before
        assert mine
    assert not alive(sorted(mine)) and not list(tmp_path.iterdir())


SCRIPT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background has it ignored
sys.path.insert(0, {root!r})
from grading.inside.confine import descendants
from grading.workers import sandbox
from grading.workers.pool import LocalPool
from grading.workers.sandbox import Level
from tests.grading.sandboxed import task
source = "import os\\nfor _ in range(3): os.fork()\\nwhile True: pass"
with LocalPool(2, Level({level!r}), warm=("IPython", "matplotlib.pyplot")) as pool:
    print("ready", flush=True)
    for result in pool.run(task(source, name=str(n)) for n in range(4)):
        print("a result", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["A", "B"])
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_a_stopped_run_leaves_no_process(name, blow):
    level(name)
    before = set(descendants())
    run = subprocess.Popen([sys.executable, "-c", SCRIPT.format(root=str(ROOT), level=name)],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
    assert run.stdout.readline() == "ready\n"
    while len(mine := set(descendants()) - before - {run.pid}) < 16:
        assert run.poll() is None
        time.sleep(0.02)
    os.kill(run.pid, blow)
    assert run.wait(30) != 0 and run.stdout.read() == ""
    deadline = time.monotonic() + 20
    while alive(sorted(mine)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(sorted(mine))


@pytest.mark.slow
def test_memory_of_a_worker_stays_flat():
    def resident(pid: int) -> int:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])

    before = set(descendants())
    worker = Worker(level("A"), warm=LEAN)
    try:
        worker.run(numbered(0))
        mine = sorted(set(descendants()) - before)
        for n in range(50):
            worker.run(numbered(n))
        half = sum(map(resident, mine))
        for n in range(150):
            worker.run(numbered(n))
        assert sum(map(resident, mine)) <= half * 1.02
    finally:
        worker.close()
