"""A Dask cluster over TCP grades as one machine does, and a worker process that dies loses nothing."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from grading import demo
from grading.book.course import Course
from grading.book.rows import Options
from grading.engine import run
from grading.inside.task import Limits, Result, Step, Task, digest_of
from grading.workers import cluster, station
from grading.workers.cluster import ClusterError, ClusterPool
from tests.grading.contents import contents

pytestmark = pytest.mark.slow
distributed = pytest.importorskip("distributed", reason="no distributed: EXTRAS=instructor")


@pytest.fixture(scope="module")
def two():
    """A cluster of two worker processes, and its address."""
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
    ) as found:
        yield found


def make_class(root):
    """The class of eight, and before them two who take their time."""
    demo.make_course(root)
    solved = demo.solved_cells()
    for name in ("aa", "ab"):
        slow = {**solved, "ridge": "import time\ntime.sleep(2)\n" + solved["ridge"]}
        demo.hand_in(root, name, slow)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    root = tmp_path_factory.mktemp("local")
    make_class(root)
    run(Course(root), demo.ASSIGNMENT, Options(progress=False))
    return contents(Course(root).url)


def task(name: str, *sources: str, limits: Limits = Limits(cell_s=20, wall_s=60)) -> Task:  # noqa: B008
    steps = tuple(Step(f"c{n}", source) for n, source in enumerate(sources))
    return Task(digest_of(name, *sources), name, "a", steps, limits=limits)


def workers(address: str) -> dict[str, int]:
    """Dask worker -> its process id, when both are there: one that was killed comes back."""
    with distributed.Client(address, set_as_default=False) as client:
        client.wait_for_workers(2)
        return client.run(os.getpid)


@pytest.mark.soak
def test_two_workers_over_tcp_give_the_same_grades_and_comments(two, local, tmp_path):
    make_class(tmp_path)
    assert two.scheduler_address.startswith("tcp://") and len(workers(two.scheduler_address)) == 2
    options = Options(progress=False, pool=lambda: ClusterPool(two.scheduler_address))
    report = run(Course(tmp_path), demo.ASSIGNMENT, options)
    assert {row.state for row in report.rows} == {"graded"} and len(report.rows) == len(demo.CLASS) + 2
    assert contents(Course(tmp_path).url) == local


@pytest.mark.soak
def test_both_workers_worked_and_hold_no_key_and_no_database(two):
    with ClusterPool(two.scheduler_address) as pool:
        done = list(pool.run(task(f"s{n}", "import time; time.sleep(0.3)") for n in range(8)))
        assert [r.ended for r in done] == ["finished"] * 8
        loaded = pool._client.run(lambda: sorted(sys.modules))
    for modules in loaded.values():
        assert "grading.inside.worker" not in modules  # student code runs in a process of its own
        assert not {
            "grading.keys",
            "grading.judging.judge",
            "grading.book.gradebook",
            "sqlalchemy",
            "nbgrader",
        } & set(modules)


@pytest.mark.soak
def test_a_worker_killed_in_the_middle_loses_nothing(two, local, tmp_path):
    """The process is killed while it holds a task: the nanny starts another, the task is run again."""
    make_class(tmp_path)
    before = workers(two.scheduler_address)
    killed = []

    class Killing(ClusterPool):
        def run(self, tasks):
            def kill() -> None:
                while not (busy := [w for w, work in self._client.processing().items() if work]):
                    time.sleep(0.01)
                time.sleep(1)  # of the two seconds that the first two students sleep
                os.kill(before[busy[0]], signal.SIGKILL)
                killed.append(before[busy[0]])

            threading.Thread(target=kill).start()
            yield from super().run(tasks)

    options = Options(progress=False, pool=lambda: Killing(two.scheduler_address))
    report = run(Course(tmp_path), demo.ASSIGNMENT, options)
    assert killed and not alive(killed[0])
    assert {row.state for row in report.rows} == {"graded"}
    assert contents(Course(tmp_path).url) == local


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.soak
def test_sandboxed_processes_of_a_killed_worker_die_with_it(two):
    with ClusterPool(two.scheduler_address) as pool:
        list(pool.run([task("warm", "1"), task("warm too", "1")]))
        pid = next(iter(workers(two.scheduler_address).values()))
        below = children(pid)
        assert below
        os.kill(pid, signal.SIGKILL)
        for _ in range(100):
            if not any(map(alive, below)):
                break
            time.sleep(0.1)
        assert not any(map(alive, below))


def children(pid: int) -> set[int]:
    done = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    found, new = set(), {pid}
    while new:
        new = {child for child, parent in pairs if parent in new} - found
        found |= new
    return found


@pytest.mark.soak
def test_loops_do_not_hold_up_the_rest(two):
    """Two loops on two workers: their places go to the others, which end before they do."""
    limits = Limits(cell_s=40, wall_s=40)
    loops = [task(f"loop {n}", "while True: pass", limits=limits) for n in range(2)]
    quick = [task(f"quick {n}", "1 + 1") for n in range(6)]
    assert len(workers(two.scheduler_address)) == 2
    with ClusterPool(two.scheduler_address) as pool:
        results = pool.run([*loops, *quick])
        ended = [next(results) for _ in quick]
        results.close()
    assert {r.digest for r in ended} == {t.digest for t in quick}
    assert {r.ended for r in ended} == {"finished"}


@pytest.mark.soak
def test_what_a_worker_says_of_other_work_is_not_taken(two):
    with ClusterPool(two.scheduler_address) as pool:
        honest = task("honest", "1")
        forged = Result(digest_of("other"), ()).to_json()
        future = pool._client.submit(lambda: forged, pure=False)
        assert pool._result(future, honest).ended == "worker lost"


def test_other_versions_are_one_sentence():
    for what in station.versions():
        with pytest.raises(
            ClusterError, match=rf"the same version of {what} as the grader, .* on tcp://a:1$"
        ):
            station.same(station.versions(), station.versions() | {what: "0"}, "tcp://a:1")


@pytest.mark.soak
def test_a_worker_that_came_late_is_looked_at_too(two):
    wanted = tuple((station.versions() | {"the engine": "0"}).items())
    with ClusterPool(two.scheduler_address) as pool:
        future = pool._client.submit(station.graded, task("late", "1").to_json(), wanted, False, pure=False)
        with pytest.raises(ClusterError, match="the same version of the engine"):
            future.result()


def test_no_scheduler_is_one_sentence():
    with pytest.raises(ClusterError, match=r"^a Dask scheduler must answer at tcp://127.0.0.1:9, got: "):
        ClusterPool("tcp://127.0.0.1:9", wait_s=1)


def test_no_worker_is_one_sentence():
    with (
        distributed.LocalCluster(
            n_workers=0, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as empty,
        pytest.raises(ClusterError, match=r"needs at least one worker, got none at tcp://"),
    ):
        ClusterPool(empty.scheduler_address, wait_s=1)


def test_without_distributed_it_is_one_sentence():
    code = "import sys; sys.modules['distributed'] = None\nfrom grading.workers.cluster import ClusterPool\n"
    code += "try: ClusterPool('tcp://127.0.0.1:1')\nexcept RuntimeError as error: print(error)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (
        done.stdout
        == "--scheduler needs the package distributed: install the extra instructor, EXTRAS=instructor\n"
    )


@pytest.mark.soak
def test_tasks_are_taken_as_they_are_needed(two):
    """A class of any size: no more than two tasks for each worker are held on the cluster."""
    taken = []

    def many():
        for number in range(20):
            taken.append(number)
            yield task(f"n{number}", "1")

    with ClusterPool(two.scheduler_address) as pool:
        ahead = [len(taken) - done for done, _ in enumerate(pool.run(many()))]
    assert len(taken) == 20 and max(ahead) <= 2 * cluster.AHEAD + 1


@pytest.mark.soak
def test_leaving_the_pool_ends_what_runs(two):
    """As Ctrl-C does: the generator is closed, the tasks are cancelled, the cluster stays."""
    with ClusterPool(two.scheduler_address) as pool:
        results = pool.run(task(f"x{n}", "1") for n in range(50))
        next(results)
        results.close()
        for _ in range(100):
            if not any(pool._client.processing().values()):
                break
            time.sleep(0.1)
        assert not any(pool._client.processing().values())
    assert len(workers(two.scheduler_address)) == 2
