"""What a process of the sandbox gives up before it sees student code, and how all that it leaves is removed.

Runs inside, in the worker and in the probe, so that what was tried is what is done.
"""

import contextlib
import gc
import os
import resource
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from grading.inside import landlock, seccomp

WARM = ("IPython", "numpy", "numpy.random", "matplotlib.pyplot", "ipywidgets")
WARM += ("tinylib.practice", "tinylib.lab", "tinylib.nets")
OWN_UIDS = 0x7000_0000  # user ids that no distribution hands out
MOST_LEFT = 5_000  # files that are worth removing one by one: beyond it, a new worker is quicker


@dataclass(frozen=True)
class Settings:
    """How this worker was started.

    scratch: the folder that tasks may write in; uid: what to become (None: stay); readable: for Landlock;
    warm: modules that children find imported
    """

    level: str
    scratch: str
    uid: int | None = None
    readable: tuple[str, ...] = ("/",)
    warm: tuple[str, ...] = WARM


def alone() -> bool:
    """Whether all that this process could signal is its own: first of a namespace, or with an own user id."""
    return os.getpid() == 1 or OWN_UIDS <= os.getuid() < OWN_UIDS + 2**28


def become(uid: int | None) -> None:
    """Give up root for an own user id, groups and all."""
    if uid is not None and os.getuid() == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def home(folder: str) -> dict[str, str]:
    """Variables that keep every library's files in one folder."""
    names = ("HOME", "TMPDIR", "MPLCONFIGDIR", "IPYTHONDIR", "XDG_CACHE_HOME", "JUPYTER_CONFIG_DIR")
    return dict.fromkeys(names, folder)


def prepare(settings: Settings, order: dict, folder: str) -> None:
    """Everything that a child gives up before it sees student code."""
    os.chdir(folder)
    os.environ |= home(folder) | {"PWD": folder}
    gc.unfreeze()
    processes = order["processes"] + (0 if alone() else _tasks_of(os.getuid()))
    for name, soft, hard in (
        ("RLIMIT_CORE", 0, 0),
        ("RLIMIT_CPU", order["cpu_s"], order["cpu_s"] + 1),
        ("RLIMIT_FSIZE", order["file_bytes"], order["file_bytes"]),
        ("RLIMIT_NOFILE", 256, 256),
        ("RLIMIT_AS", order["memory_bytes"], order["memory_bytes"]),
        ("RLIMIT_NPROC", processes, processes),
    ):
        resource.setrlimit(getattr(resource, name), (soft, hard))
    devices = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")]
    if settings.level in ("A", "B"):
        landlock.confine(settings.readable, [folder, *devices])
        seccomp.install(still=settings.level == "B" and settings.uid is None)


def _tasks_of(uid: int) -> int:
    """How many threads a user has: the limit counts them all, not only those of the sandbox."""
    count = 0
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdigit() and entry.stat().st_uid == uid:
                count += len(os.listdir(f"{entry.path}/task"))
        except OSError:
            continue
    return count


def resident(pid: int) -> int:
    """Memory of a process [bytes]; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


def descendants() -> list[int]:
    """Every process below this one."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                text = Path(f"/proc/{name}/stat").read_text(errors="replace")
                parents[int(name)] = int(text.rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
    found, fresh = set(), {os.getpid()}
    while fresh:
        fresh = {pid for pid, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return sorted(found)


def kill_all() -> bool:
    """Kill and reap every process below this one; False if one is left after a second."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        for pid in [-1] if alone() else descendants():
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            time.sleep(0.001)
        except ChildProcessError:
            return True
    return False


def kill_user(uid: int) -> None:
    """Kill every process of a worker's own user id, where the worker itself is gone."""
    if not OWN_UIDS <= uid < OWN_UIDS + 2**28:
        return
    for _ in range(20):
        found = [int(name) for name in os.listdir("/proc") if name.isdigit() and _user_of(name) == uid]
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return
        time.sleep(0.02)


def _user_of(pid: str) -> int:
    """The user id of a process that runs; -1 for any other."""
    try:
        rows = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    except OSError:
        return -1
    found = dict(row.split(":\t", 1) for row in rows if ":\t" in row)
    return int(found["Uid"].split()[0]) if found["State"][0] not in "ZX" else -1


def clean(folder: str) -> bool:
    """Empty a scratch folder; False when it is not worth the time or does not let itself be emptied."""
    left = 0
    try:
        for _, folders, files in os.walk(folder):
            left += len(folders) + len(files)
            if left > MOST_LEFT:
                return False
        for entry in os.scandir(folder):
            shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)
    except (OSError, RecursionError):
        return False
    return not os.listdir(folder)
