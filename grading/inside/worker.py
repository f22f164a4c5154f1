"""The sandboxed warm process: it forks one child per task, watches it, and removes all that it leaves.

`grading.workers.pool` starts it inside what `grading.workers.sandbox` built. On stdin come orders: four bytes
of length, the limits as JSON, then the task, which only the child reads. On stdout go frames: a letter, four
bytes of length, the content ("r" ready, "d" bytes of the child as they come, "e" how it ended). The warm
process moves a student's bytes through one buffer that it wipes, and never parses them: nobody's work is left
in the memory that the next student's child inherits.
"""

import contextlib
import ctypes
import fcntl
import gc
import importlib
import io
import json
import os
import random
import resource
import select
import signal
import struct
import sys
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from grading.inside.confine import Settings, become, clean, descendants, home, kill_all, prepare, resident
from grading.inside.shell import Stream, run_steps, warm_shell
from grading.inside.task import Task, unpacked

GRACE_S = 1.5  # from the interrupt of a cell to the end of the notebook
_DUMPABLE, _PDEATHSIG, _SUBREAPER = 4, 1, 36


def main(text: str) -> None:
    """Serve orders until stdin closes."""
    settings = Settings(**{k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(text).items()})
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if settings.level == "A":
        become(settings.uid)
    os.environ |= home(settings.scratch)
    for name in settings.warm:
        importlib.import_module(name)
    shell = _warm_shell(settings) if settings.warm else None
    if settings.level != "A":
        become(settings.uid)
    _settle()
    frame(b"r", json.dumps({"pid": os.getpid(), "uid": os.getuid()}).encode())
    idle = resident(os.getpid())
    with contextlib.suppress(BrokenPipeError):  # nobody listens any more
        while (order := _order()) and _Run(settings, shell, order, idle).serve():
            pass
    kill_all()


def _warm_shell(settings: Settings):
    """A shell that has run a cell; what libraries wrote meanwhile is removed."""
    shell = warm_shell()
    clean(settings.scratch)
    return shell


def _settle() -> None:
    """Nobody may read our memory, orphans come to us, and the kernel takes us first when memory is short."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_DUMPABLE, 1, 0, 0, 0)  # the change of user id took our own /proc entry from us
    Path("/proc/self/oom_score_adj").write_text("900")
    prctl(_SUBREAPER, 1, 0, 0, 0)
    if os.getpid() == 1:  # elsewhere we must live long enough to end our children: stdin tells us
        prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # again: a change of user id clears it
    prctl(_DUMPABLE, 0, 0, 0, 0)
    gc.collect()
    gc.freeze()


def frame(kind: bytes, content: bytes | memoryview) -> None:
    """One frame on stdout."""
    _write(1, kind + struct.pack("=I", len(content)))
    _write(1, content)


def _write(number: int, content: bytes | memoryview) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(number, view) :]


def read_exactly(number: int, size: int) -> bytes:
    """So many bytes; fewer at the end of the stream."""
    parts = []
    while size and (part := os.read(number, min(size, 2**20))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _order() -> dict | None:
    head = read_exactly(0, 4)
    return json.loads(read_exactly(0, struct.unpack("=I", head)[0])) if len(head) == 4 else None


@dataclass
class _Run:
    """One child from fork to an empty scratch."""

    settings: Settings
    shell: object
    order: dict  # size, lines, line_bytes and the fields of Limits
    idle: int  # bytes that a child shares with the warm process
    lines: int = 0
    tail: int = 0  # bytes since the last whole line
    total: int = 0
    interrupted: list[int] = field(default_factory=list)  # number of lines when a cell was interrupted
    buffer: bytearray = field(default_factory=lambda: bytearray(2**16))

    def serve(self) -> bool:
        """Run it, tell how it ended; False when this worker should not be used again."""
        self.folder = os.path.join(self.settings.scratch, "work")
        before, start = _cpu(), time.monotonic()
        os.mkdir(self.folder, 0o700)
        answers, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            _child(self.settings, self.shell, self.order, self.folder, theirs)
        os.close(theirs)
        watch = os.pidfd_open(child)
        try:
            why = self._watch(answers, watch)
            os.kill(child, signal.SIGKILL)
            status = os.waitpid(child, 0)[1]
        finally:
            os.close(watch)
            os.close(answers)
        killed = kill_all()
        tidy = killed and clean(self.settings.scratch)
        self.buffer[:] = bytes(len(self.buffer))
        end = {"why": why, "status": status, "interrupted": self.interrupted, "tidy": tidy}
        end |= {"cpu": round(_cpu() - before, 6), "seconds": round(time.monotonic() - start, 6)}
        frame(b"e", json.dumps(end).encode())
        return tidy and self.lines > 0

    def _watch(self, answers: int, watch: int) -> str:
        """Move the child's bytes on until it ends or must be ended; says why it was."""
        poll = select.poll()
        poll.register(answers, select.POLLIN)
        poll.register(watch, select.POLLIN)
        poll.register(0, 0)  # nothing but the end of the one who ordered
        start = self._since = self._weighed = time.monotonic()
        while True:
            ready = dict(poll.poll(100))
            if 0 in ready:
                kill_all()
                os._exit(0)
            if answers in ready and (why := self._pump(answers, poll)):
                return why
            if watch in ready and answers not in ready:
                return "ended"
            if why := self._overdue(start, watch):
                return why

    def _pump(self, answers: int, poll: select.poll) -> str:
        count = os.readv(answers, [self.buffer])
        if not count:
            poll.unregister(answers)
            return ""
        newlines = self.buffer.count(b"\n", 0, count)
        self.lines += newlines
        self.total += count
        self.tail = count - 1 - self.buffer.rfind(b"\n", 0, count) if newlines else self.tail + count
        frame(b"d", memoryview(self.buffer)[:count])
        if newlines:
            self._since = time.monotonic()
        over = self.tail > self.order["line_bytes"] or self.total > self.order["total_bytes"]
        return "flood" if over or self.lines > self.order["lines"] else ""

    def _overdue(self, start: float, watch: int) -> str:
        now = time.monotonic()
        if now - start > self.order["wall_s"]:
            return "wall"
        if now - self._since > self.order["cell_s"] and self.lines not in self.interrupted:
            self.interrupted.append(self.lines)
            signal.pidfd_send_signal(watch, signal.SIGINT)
        if now - self._since > self.order["cell_s"] + GRACE_S:
            return "cell"
        if now - self._weighed > 0.25:
            self._weighed = now
            own = sum(max(0, resident(pid) - self.idle) for pid in descendants())
            return "memory" if own > self.order["memory_bytes"] else ""
        return ""


def _child(settings: Settings, shell: object, order: dict, folder: str, answers: int) -> None:
    """Read the task, give up every right, run the steps; never returns."""
    status, complaints = 70, 2
    try:
        os.setsid()
        task = Task.from_json(read_exactly(0, order["size"]).decode("utf-8", "surrogatepass"))
        for name, content in unpacked(task.files).items():
            Path(folder, name).write_bytes(content)
        capture = os.memfd_create("output")  # the student can make no other: nothing would weigh it
        prepare(settings, order, folder)
        fcntl.fcntl(capture, fcntl.F_SETFL, os.O_APPEND)  # every program that writes to it does so at its end
        complaints = os.dup(2)
        _only(capture, answers, complaints)
        random.seed(task.digest)  # the usual generators give the same numbers whenever this is run
        if numbers := sys.modules.get("numpy.random"):
            numbers.seed(zlib.crc32(task.digest.encode()))
        os.environ["TINYML_SEALED_STUDENT"] = task.student
        sys.path[0] = ""

        def send(line: dict) -> None:
            _write(answers, json.dumps(line, separators=(",", ":")).encode() + b"\n")

        os.close(complaints)
        send({"started": True})
        run_steps(shell, task, capture, send)
        status = 0
    except BaseException as error:
        os.write(complaints, f"{type(error).__name__}: {error}\n".encode("utf-8", "replace"))
    finally:
        os._exit(status)


def _only(capture: int, *others: int) -> None:
    """Leave open nothing but an empty stdin, the captured stdout and stderr, and these others."""
    null = os.open("/dev/null", os.O_RDONLY)
    for number, source in enumerate((null, capture, capture)):
        os.dup2(source, number)
    keep = sorted({capture, *others})
    for low, high in zip([2, *keep], [*keep, 2**16]):
        os.closerange(low + 1, high)
    sys.stdin = io.TextIOWrapper(io.FileIO(0), encoding="utf-8")
    sys.stdout, sys.stderr = Stream("stdout", 1), Stream("stderr", 2)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
