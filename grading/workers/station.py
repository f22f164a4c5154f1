"""What runs in each process of a Dask worker: sandboxed warm workers of its own, from the first task on."""

import atexit
import contextlib
import functools
import hashlib
import platform
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path

import numpy

import tinylib
from grading import inside
from grading.inside.task import VERSION, Result, Task
from grading.workers import sandbox
from grading.workers.pool import SLOW_S, Worker, tried
from grading.workers.sandbox import Level


class ClusterError(RuntimeError):
    """The cluster cannot be used; the message is one sentence."""


@functools.cache
def versions() -> dict[str, str]:
    """What must be the same on both sides: engine, Python, numpy and the course's public files."""
    folders = Path(tinylib.__file__).resolve().parent, Path(inside.__file__).resolve().parent
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    state = hashlib.sha256()
    for path in files:
        state.update(path.read_bytes())
    return {
        "the engine": str(VERSION),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": numpy.__version__,
        "the course's files": state.hexdigest()[:12],
    }


def same(own: dict[str, str], theirs: dict[str, str], worker: str) -> None:
    """Raise ClusterError with one sentence unless the worker has what the grader has."""
    for what, version in own.items():
        if (other := theirs.get(what)) != version:
            raise ClusterError(
                f"every Dask worker must have the same version of {what} as the grader, which has {version}, "
                f"got {other} on {worker}"
            )


class Station:
    """The sandboxed workers of one Dask worker process: one for each thread, and more for slow work."""

    def __init__(self) -> None:
        self.level = sandbox.probe()
        self._idle: queue.LifoQueue = queue.LifoQueue()
        self._lock = threading.Lock()
        self._slow = 0
        atexit.register(self.close)

    def run(self, task: Task) -> Result:
        """The result of a task, tried again when a sandboxed worker was lost."""
        lane = self._lane()
        try:
            under_way = lane.submit(task)
            with contextlib.suppress(TimeoutError):
                return under_way.result(SLOW_S)
            with self._making_room():
                return under_way.result()
        finally:
            self._idle.put(lane)

    def _lane(self) -> "_Lane":
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return _Lane(self.level)

    @contextlib.contextmanager
    def _making_room(self) -> Iterator[None]:
        """Let Dask give this thread's place to another task while a slow notebook is waited for."""
        from distributed import get_worker, secede

        with self._lock:
            leave = self._slow < get_worker().state.nthreads
            self._slow += leave
        try:
            if leave:
                secede()
            yield
        finally:
            with self._lock:
                self._slow -= leave

    def close(self) -> None:
        """End every sandboxed worker."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()


class _Lane:
    """One sandboxed worker and the thread that starts it: it dies with that thread."""

    def __init__(self, level: Level) -> None:
        self.worker = Worker(level)
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def submit(self, task: Task) -> Future:
        under_way: Future = Future()
        self._inbox.put((task, under_way))
        return under_way

    def _work(self) -> None:
        while item := self._inbox.get():
            task, under_way = item
            try:
                under_way.set_result(tried(self.worker, task))
            except BaseException as error:
                under_way.set_exception(error)
        self.worker.close()

    def close(self) -> None:
        self.worker.kill()
        self._inbox.put(None)


_station: Station | None = None
_station_lock = threading.Lock()


def station() -> Station:
    """This process's own, probed once."""
    global _station
    with _station_lock:
        _station = _station or Station()
        return _station


def about() -> dict:
    """What a worker process is: its versions and its sandbox."""
    return {"versions": versions(), "level": asdict(station().level)}


@functools.cache
def fit(wanted: tuple[tuple[str, str], ...], allow_unsandboxed: bool) -> None:
    """Raise unless this worker, which may have come late, may grade for a parent of these versions."""
    same(dict(wanted), versions(), platform.node())
    sandbox.require(station().level, allow_unsandboxed)


def graded(task: str, wanted: tuple[tuple[str, str], ...], allow_unsandboxed: bool) -> str:
    """The result of one task, text to text."""
    fit(wanted, allow_unsandboxed)
    return station().run(Task.from_json(task)).to_json()
