"""What runs inside a sandbox to try it: one child, confined as a task is, that tests every promise."""

import encodings.idna  # noqa: F401  (create_connection wants it, when the interpreter may be out of sight)
import errno
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from grading.inside.confine import Settings, become, kill_all, prepare
from grading.inside.task import Limits

LIMITS = Limits(memory_bytes=2**30, processes=16, file_bytes=2**20)


def main(text: str) -> None:
    """Print {promise: kept} as JSON; the bait comes on stdin."""
    settings = Settings(**{k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(text).items()})
    bait = json.loads(sys.stdin.read())
    become(settings.uid)
    folder = os.path.join(settings.scratch, "work")
    os.mkdir(folder, 0o700)
    theirs, ours = os.pipe()
    worker = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            prepare(settings, asdict(LIMITS), folder)
            os.write(ours, json.dumps(promises(bait, folder, worker)).encode())
        except Exception as error:
            os.write(2, f"the probe raised {type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(ours)
    found = os.read(theirs, 2**16)  # less than a pipe holds
    kill_all()
    os.write(1, found)


def refused(attempt: Callable[[], object], *codes: int) -> bool:
    """Whether the system refused it, with one of these error numbers if any are named."""
    try:
        attempt()
    except OSError as error:
        return not codes or error.errno in codes
    except MemoryError:
        return errno.ENOMEM in codes
    return False


def promises(bait: dict, folder: str, worker: int) -> dict[str, bool]:
    """Each promise of the sandbox, and whether it is kept for this process."""
    secret, outside = Path(bait["secret"]), Path(bait["folder"], "written")
    status = Path("/proc/self/status").read_text()
    rights = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    own = Path(folder, "own")
    own.write_text("scratch can be written")
    return {
        "student code is never root": os.getuid() != 0 and int(rights, 16) == 0,
        "a file outside cannot be read": refused(secret.read_text),
        "a folder outside cannot be written": refused(lambda: outside.write_text("x")),
        "the library cannot be written": refused(lambda: Path(__file__).open("ab")),
        "TCP is refused": refused(lambda: socket.create_connection(("127.0.0.1", bait["tcp"]), 1)),
        "UDP is refused": refused(lambda: _datagram(bait["udp"])),
        "the grader cannot be signalled": refused(lambda: os.kill(bait["process"], 0))
        and refused(lambda: os.kill(worker, signal.SIGCONT)),
        "no limit of another process can be set": refused(
            lambda: resource.prlimit(worker, resource.RLIMIT_CORE, (0, 0))
        ),
        "no file grows beyond its limit": refused(
            lambda: own.write_bytes(bytes(2 * LIMITS.file_bytes)), errno.EFBIG
        ),
        "memory is limited": refused(lambda: bytearray(2 * LIMITS.memory_bytes), errno.ENOMEM),
        "the number of processes is limited": _limited_processes(),
    }


def _datagram(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(b"x", ("127.0.0.1", port))


def _limited_processes() -> bool:
    started = []
    try:
        for _ in range(2 * LIMITS.processes):
            pid = os.fork()
            if pid == 0:
                signal.pause()
                os._exit(0)
            started.append(pid)
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        for pid in started:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return False
