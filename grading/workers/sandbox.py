"""How far student code is shut in here: tried at start, never assumed, and the command that does it.

A: bubblewrap, Landlock, seccomp and process limits. B: the same without namespaces. D: limits alone.
Started as root, bubblewrap makes no user namespace, and the worker becomes an own user id inside: only so do
process limits count, and nothing inside is ever root.
"""

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import tinylib
from grading.inside import landlock
from grading.inside.confine import OWN_UIDS, Settings
from grading.inside.task import Limits

INSIDE = "/course"  # where the library lies inside
SCRATCH = "/scratch"  # of a level A worker
PROBE_S = 20  # a busy machine is slow
_COUNT = itertools.count()
_BACKEND = "module://matplotlib_inline.backend_inline"
_PUBLIC = ("__init__.py", "inside")  # of grading
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
_SYSTEM += ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts")
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from grading.inside.{module} import main; main(sys.argv[2])"
)
_QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


@dataclass(frozen=True)
class Level:
    """What a probe found: the name of the level, and a reason for each one above it that is not to be had."""

    name: str
    reasons: tuple[str, ...] = ()
    landlock: int = 0  # its ABI

    def __str__(self) -> str:
        pieces = {"A": "bubblewrap, Landlock {}, limits", "B": "Landlock {}, limits, no namespaces"}
        held = pieces.get(self.name, "limits alone").format(self.landlock)
        return f"sandbox level {self.name}: {held}" + (
            f" ({'; '.join(self.reasons)})" if self.reasons else ""
        )


def require(level: Level, allow_unsandboxed: bool = False) -> Level:
    """The level, if student code may run at it; PermissionError with one sentence otherwise."""
    if level.name in ("A", "B") or allow_unsandboxed:
        return level
    raise PermissionError(
        "student code must run in a sandbox: install bubblewrap, use a container, or say "
        f"--allow-unsandboxed, got {level}"
    )


def environment() -> dict[str, str]:
    """Every variable that student code sees, beside those for its own folder."""
    path = f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin"
    return {"PATH": path, "LANG": "C.UTF-8", "USER": "student", "MPLBACKEND": _BACKEND} | _QUIET


def own_uid() -> int | None:
    """A user id for one worker that nobody else has; None when not root."""
    if os.getuid() != 0:
        return None
    uid = OWN_UIDS + os.getpid() % 2**16 * 2**12 + next(_COUNT) % 2**12
    spans = [list(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    if any(first <= uid < first + count for first, _, count in spans):
        return uid
    return 61184 + uid % 4336  # a container with few user ids: those that are handed out for a while only


def _library() -> dict[Path, str]:
    """Files and folders of this course that go inside, with their places: tinylib, and the worker's own."""
    here = Path(__file__).resolve().parents[1]
    found = {Path(tinylib.__file__).resolve().parent: f"{INSIDE}/tinylib"}
    return found | {here / name: f"{INSIDE}/grading/{name}" for name in _PUBLIC}


def _interpreter() -> list[str]:
    """Folders of the interpreter and its packages that do not lie in /usr."""
    named = [Path(sys.base_prefix), Path(sys.prefix)]
    places = dict.fromkeys(map(str, [*named, *(p.resolve() for p in named)]))
    return [p for p in places if p != "/usr" and not p.startswith("/usr/")]


def command(
    level: str, scratch: str, uid: int | None, module: str = "worker", warm: tuple[str, ...] = ()
) -> list[str]:
    """The command line of one worker; `scratch` is its folder where there are no namespaces."""
    if level == "A":
        settings = Settings(level, SCRATCH, uid, warm=warm)
        python = [*_bubblewrap(Limits().scratch_bytes), sys.executable]
        place = INSIDE
    else:
        readable = (*_SYSTEM, *_interpreter(), *map(str, _library()), "/proc/self")
        settings = Settings(level, scratch, uid, readable, warm)
        python, place = [sys.executable], str(Path(__file__).resolve().parents[2])
    return [*python, "-s", "-P", "-B", "-c", _BOOT.format(module=module), place, json.dumps(asdict(settings))]


def _bubblewrap(scratch_bytes: int) -> list[str]:
    argv = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    argv += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--as-pid-1"]
    argv += ["--clearenv", "--cap-drop", "ALL"]
    if os.getuid() == 0:  # no user namespace: under root, process limits would not count in one
        argv += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        argv += ["--unshare-user", "--uid", "65534", "--gid", "65534", "--disable-userns"]
    for name, value in environment().items():
        argv += ["--setenv", name, value]
    inside = [*_SYSTEM, *_interpreter(), *_library().values()]
    for folder in sorted({str(parent) for path in inside for parent in Path(path).parents} - {"/", "/usr"}):
        argv += ["--perms", "0755", "--dir", folder]  # else bubblewrap makes them for root alone
    if "/tmp" not in {str(parent) for path in inside for parent in Path(path).parents}:
        argv += ["--symlink", f"{SCRATCH}/work", "/tmp"]  # what is written there is gone with the task
    for path in _SYSTEM:
        if os.path.islink(path):
            argv += ["--symlink", os.readlink(path), path]
        else:
            argv += ["--ro-bind-try", path, path]
    for path in _interpreter():
        argv += ["--ro-bind", path, path]
    for path, place in _library().items():
        argv += ["--ro-bind", str(path), place]
    argv += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--perms",
        "1777",
        "--size",
        str(scratch_bytes),
        "--tmpfs",
        SCRATCH,
    ]
    return [*argv, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--"]


def probe(names: str = "AB") -> Level:
    """The best of these levels at which a probe, run just as a worker is, finds every promise kept."""
    reasons = []
    for name in names:
        if failed := _missing(name) or _broken(name):
            reasons.append(f"no {name}: {failed}")
        else:
            return Level(name, (*reasons, *_hidden(name)), landlock.abi())
    return Level("D", tuple(reasons), landlock.abi())


def _hidden(name: str) -> list[str]:
    """A warning, where a worker that gives up root loses sight of its interpreter."""
    folders = [folder for path in _interpreter() for folder in (Path(path), *Path(path).parents)]
    if name == "A" or os.getuid() != 0 or all(folder.stat().st_mode & 0o005 == 0o005 for folder in folders):
        return []
    return ["only modules that are loaded at the start can be imported: only root can read the interpreter"]


def _missing(name: str) -> str:
    if sys.platform != "linux":
        return f"needs Linux, got {sys.platform}"
    if landlock.abi() < 4:
        return f"needs Landlock 4 or newer in the kernel, got {landlock.abi()}"
    return "" if name != "A" or shutil.which("bwrap") else "bubblewrap is not installed"


def _broken(name: str) -> str:
    """The first promise that is not kept at this level, in words; empty when all are.

    A probe that was killed, or slow on a busy machine, says nothing of the sandbox: it has a second try.
    """
    found = _probed(name)
    if isinstance(found, str):
        found = _probed(name)
    return (
        found
        if isinstance(found, str)
        else next((promise for promise, kept in found.items() if not kept), "")
    )


def _probed(name: str) -> dict[str, bool] | str:
    """Each promise and whether it was kept; a sentence when the probe did not get that far."""
    with _bait() as bait, tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o777)
        argv = command(name, scratch, own_uid(), "probing")
        told = {"input": json.dumps(bait), "capture_output": True, "text": True, "timeout": PROBE_S}
        try:
            done = subprocess.run(argv, **told, env=environment(), cwd="/")
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"the probe did not run: {error}"
    try:
        return json.loads(done.stdout)
    except ValueError:
        said = done.stderr.strip() or f"the probe ended with status {done.returncode}"
        return said.splitlines()[-1][:200]


@contextmanager
def _bait() -> Iterator[dict]:
    """What a probe must not reach: a file, a folder, this process, and listeners for TCP and UDP."""
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        udp.bind(("127.0.0.1", 0))
        os.chmod(folder, 0o777)
        secret = Path(folder, "secret")
        secret.write_text("secret")
        yield {
            "secret": str(secret),
            "folder": folder,
            "process": os.getpid(),
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
        }
