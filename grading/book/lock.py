"""One run at a time in a course folder: a lock that says who holds it and ends with its process."""

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = ".grading.book.lock"


class Locked(RuntimeError):
    """Another run holds the course; the message says which."""


@contextmanager
def held(root: Path, wait: bool = True, say: Callable[[str], None] = print) -> Iterator[None]:
    """Hold the course folder for this process.

    The system lets go of the lock when its process ends, however it ends, so a stale one is taken over.
    Raises Locked at once unless `wait`; while waiting, `say` tells once who holds it.
    """
    path = root / FILE
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o664), "r+") as file:
        _take(file, path, wait, say)
        file.truncate(0)
        who = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        file.write(json.dumps(who))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _take(file, path: Path, wait: bool, say: Callable[[str], None]) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    except BlockingIOError:
        message = f"the course {path.parent} is being graded by {holder(path)}"
    except OSError as error:
        raise Locked(
            f"the course folder {path.parent} must be on a file system with locks: {error}"
        ) from None
    if not wait:
        raise Locked(message)
    say(f"{message}: waiting for it to end")
    fcntl.flock(file, fcntl.LOCK_EX)


def holder(path: Path) -> str:
    """Who holds the lock, in words."""
    try:
        who = json.loads(path.read_text(encoding="utf-8"))
        return f"process {who['pid']} on {who['host']} since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
