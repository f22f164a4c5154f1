"""Warm sandboxed workers on this machine: tasks go in, results come out as they finish.

A worker that is lost is replaced and its task tried again, at most twice; a student's crash or loop is a
result, not a loss. When every worker is busy with something slow, others are started beside them for a while.
"""

import contextlib
import json
import os
import queue
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Self

from grading.inside.confine import WARM, kill_user
from grading.inside.task import Outcome, Result, Task
from grading.workers import sandbox
from grading.workers.answers import TOTAL_BYTES, line_bytes, line_count, result_of
from grading.workers.sandbox import Level

TRIES = 3
START_S = 120  # for a worker to warm up
SPARE_S = 20  # beyond a notebook's own time, until its worker counts as lost
END_S = 5  # for a worker to end itself
SLOW_S = 2.0  # a task that runs longer than this holds its worker up


class WorkerLost(RuntimeError):
    """The worker died, or did not answer in time; the message says how."""


class Worker:
    """One sandboxed process and its pipes; started on first use, and again after it was lost."""

    def __init__(self, level: Level, warm: tuple[str, ...] = WARM) -> None:
        self.level, self.warm = level, warm
        self.child_killed = False  # the last child, and not by us: by itself, or by one who needed its memory
        self._process: subprocess.Popen | None = None
        self._ready = False
        self._scratch = ""

    def start(self) -> None:
        """Start the process, unless it is there, and wait until it is warm.

        The process ends with the thread that started it: call this from one that lives as long.
        """
        if self._process is not None:
            return
        self._uid = uid = sandbox.own_uid()
        if self.level.name != "A":  # there it lies in memory and is gone with the process
            self._scratch = tempfile.mkdtemp(prefix="grading-")
            if uid is not None:
                os.chown(self._scratch, uid, uid)
        argv = sandbox.command(self.level.name, self._scratch, uid, warm=self.warm)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        self._orders, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            argv,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=sandbox.environment(),
            cwd="/",
            bufsize=0,
            start_new_session=True,
        )
        theirs.close()
        try:
            kind, _ = self._frame(time.monotonic() + START_S)
            if kind != b"r":
                raise WorkerLost(f"a worker must say that it is ready, got {kind!r}")
        except BaseException:
            self.close()
            raise
        self._ready = True

    def run(self, task: Task) -> Result:
        """The result of one task; raises WorkerLost when it is no fault of the task that there is none."""
        try:
            self.start()
            return self._run(task)
        except BaseException:
            self.close()
            raise

    def _run(self, task: Task) -> Result:
        text = task.to_json().encode("utf-8", "surrogatepass")
        caps = {"lines": line_count(task), "line_bytes": line_bytes(task.limits), "total_bytes": TOTAL_BYTES}
        order = json.dumps(asdict(task.limits) | caps | {"size": len(text)}).encode()
        try:
            self._orders.sendall(struct.pack("=I", len(order)) + order + text)
        except OSError as error:
            raise WorkerLost(f"a worker was gone before its task: {error}") from None
        raw, deadline = bytearray(), time.monotonic() + task.limits.wall_s + SPARE_S
        while True:
            kind, content = self._frame(deadline)
            if kind == b"e":
                break
            raw += content
            if len(raw) > TOTAL_BYTES + 2**17:
                raise WorkerLost("a worker sent more than it may")
        end = json.loads(content)
        if b"\n" not in raw:
            raise WorkerLost(f"a child did not begin: status {end['status']}, {self._complaint()}")
        if not end["tidy"]:
            self.close()
        self.child_killed = end["why"] == "ended" and end["status"] & 0x7F == signal.SIGKILL
        return result_of(task, bytes(raw), end, self.level.name)

    def _frame(self, deadline: float) -> tuple[bytes, bytes]:
        head = self._read(5, deadline)
        return head[:1], self._read(struct.unpack("=I", head[1:])[0], deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        if size > 2**20:
            raise WorkerLost(f"a worker's frame must be small, got {size:,} bytes")
        parts, poll = [], select.poll()
        poll.register(self._process.stdout, select.POLLIN)
        while size:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise WorkerLost("a worker did not answer in time")
            part = self._process.stdout.read(size)
            if not part:
                raise WorkerLost(f"a worker ended: {self._complaint()}")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _complaint(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read(20_000).decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else "it said nothing"

    def kill(self) -> None:
        """Make the worker end itself and all below it; from any thread."""
        if process := self._process:
            with contextlib.suppress(OSError):
                self._orders.shutdown(socket.SHUT_RDWR)
            if not self._ready:  # it does not listen yet
                for pid in _children(process.pid) or [process.pid]:  # bubblewrap ends with what it holds
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process, whatever it does, and remove what it left."""
        if process := self._process:
            self.kill()
            self._process, self._ready = None, False
            self._orders.close()
            process.stdout.close()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._errors.close()
            if self._uid is not None and self.level.name != "A":
                kill_user(self._uid)
        if self._scratch:
            for folder, names, _ in os.walk(self._scratch):
                for name in names:  # a folder may have been locked against its owner
                    with contextlib.suppress(OSError):
                        os.chmod(os.path.join(folder, name), 0o700, follow_symlinks=False)
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = ""


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class LocalPool:
    """`jobs` warm workers. Use as a context: leaving it, also by Ctrl-C, ends every process.

    with LocalPool(jobs=2) as pool:
        for result in pool.run(tasks): ...
    """

    def __init__(
        self,
        jobs: int = 1,
        level: Level | None = None,
        *,
        allow_unsandboxed: bool = False,
        slow_s: float = SLOW_S,
        warm: tuple[str, ...] = WARM,
    ) -> None:
        if jobs < 1:
            raise ValueError(f"a pool needs at least one worker, got {jobs}")
        self.level = sandbox.require(level or sandbox.probe(), allow_unsandboxed)
        self.jobs, self.slow_s = jobs, slow_s
        self._warm = warm
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._lanes: list[_Lane] = []
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, tasks: Iterable[Task]) -> Iterator[Result]:
        """A result for each task, in the order in which they finish; tasks are taken as they are needed."""
        if self._closed:
            raise RuntimeError("a closed pool runs nothing")
        outbox: queue.SimpleQueue = queue.SimpleQueue()
        source, under_way, more = iter(tasks), 0, True
        while True:
            while more and under_way <= max(self.jobs, len(self._lanes)):
                task = next(source, None)
                more = task is not None
                if more:
                    self._inbox.put((task, outbox))
                    under_way += 1
            if not under_way:
                return
            self._widen(min(under_way, self.jobs))
            try:
                found = outbox.get(timeout=0.2)
            except queue.Empty:
                continue
            under_way -= 1
            if isinstance(found, BaseException):
                raise found
            yield found

    def _widen(self, wanted: int) -> None:
        """As many lanes as are wanted, not counting those that something slow holds up."""
        self._lanes = [lane for lane in self._lanes if lane.thread.is_alive()]
        held = sum(lane.busy_s() > self.slow_s for lane in self._lanes)
        most = self.jobs + min(held, self.jobs)
        want = wanted + (held if not self._inbox.empty() else 0)
        while len(self._lanes) < min(want, most):
            self._lanes.append(_Lane(self, spare=len(self._lanes) >= self.jobs))

    def close(self) -> None:
        """End every worker and every process in it."""
        self._closed = True
        for lane in self._lanes:
            self._inbox.put(None)
            lane.worker.kill()
        for lane in self._lanes:
            lane.thread.join(10)
        self._lanes = []


class _Lane:
    """One worker and the thread that feeds it; a spare one ends when nothing waits."""

    def __init__(self, pool: LocalPool, spare: bool) -> None:
        self.pool, self.spare = pool, spare
        self.worker = Worker(pool.level, pool._warm)
        self.since = 0.0
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def busy_s(self) -> float:
        return time.monotonic() - self.since if self.since else 0.0

    def _work(self) -> None:
        try:
            with contextlib.suppress(WorkerLost, OSError):  # the first task will say it
                self.worker.start()  # before a task is taken, which a warm worker could have
            while True:
                try:
                    item = self.pool._inbox.get(timeout=0.5 if self.spare else None)
                except queue.Empty:
                    return
                if item is None or self.pool._closed:
                    return
                task, outbox = item
                try:
                    outbox.put(tried(self.worker, task, self._begun, self._stopped))
                except BaseException as error:
                    outbox.put(error)
                self.since = 0.0
        finally:
            self.worker.close()

    def _begun(self) -> None:
        self.since = time.monotonic()

    def _stopped(self) -> bool:
        return self.pool._closed


def tried(
    worker: Worker,
    task: Task,
    begun: Callable[[], None] = lambda: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Result:
    """The result of a task on this worker, started again when it was lost; `begun` hears of each try.

    A notebook whose process was killed is tried once more: if that is killed too, the notebook did it itself.
    """
    lost, killed = "", False
    for _ in range(TRIES):
        if stopped():
            break
        try:
            worker.start()
            begun()
            result = worker.run(task)
            if killed or not worker.child_killed:
                return result
            killed, lost = True, result.note
        except (WorkerLost, OSError) as error:
            lost = str(error)
        except (TypeError, ValueError) as error:
            return unanswered(task, worker.level, "refused", f"the task could not be run: {error}")
        except Exception as error:  # of ours: one row of the class, not its end
            lost = f"{type(error).__name__}: {error}"
    note = f"no worker could finish this notebook in {TRIES} tries: {lost}"
    return unanswered(task, worker.level, "worker lost", note)


def unanswered(task: Task, level: Level, ended: str, note: str) -> Result:
    """The result of a task that no worker brought to an end."""
    outcomes = tuple(Outcome(step.cell, refused=note) for step in task.steps)
    return Result(task.digest, outcomes, ended, level.name, note=note)
