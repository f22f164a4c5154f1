"""Each promise of the sandbox, tried by code inside a task; the probe; the system-call filter, bit by bit."""

import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from grading.inside import seccomp
from grading.inside.task import Ask, Limits, within
from grading.workers import sandbox
from grading.workers.pool import Worker
from grading.workers.sandbox import Level
from tests.grading.sandboxed import level, task, value_of

ROOT = Path(__file__).resolve().parents[2]
REFUSED = """
def refused(attempt):
    try:
        attempt()
    except OSError as error:
        return error.errno not in (2,) or "missing"
    return False
"""


@pytest.fixture(scope="module", params=["A", "B"])
def worker(request):
    worker = Worker(level(request.param), warm=("IPython", "numpy", "numpy.random", "matplotlib.pyplot"))
    yield worker
    worker.close()


def test_the_probe_names_its_level_in_one_line():
    found = level("A")
    assert str(found).startswith("sandbox level A: bubblewrap, Landlock") and "\n" not in str(found)


def test_a_level_that_cannot_be_had_is_named_with_its_reason(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert sandbox.probe("A") == Level("D", ("no A: bubblewrap is not installed",), sandbox.landlock.abi())


def test_a_probe_that_is_killed_once_is_tried_again(monkeypatch, tmp_path):
    mark = tmp_path / "killed"
    once = f"import os\nif not os.path.exists({str(mark)!r}): "
    die = f"{once}open({str(mark)!r}, 'w'); os.kill(os.getpid(), 9)\n"
    monkeypatch.setattr(sandbox, "_BOOT", die + sandbox._BOOT)
    assert sandbox.probe("B").name == "B" and mark.exists()


def test_without_a_sandbox_student_code_is_refused_unless_allowed():
    bare = Level("D", ("no A: bubblewrap is not installed",))
    with pytest.raises(PermissionError, match=r"student code must run in a sandbox: .* got sandbox level D"):
        sandbox.require(bare)
    assert sandbox.require(bare, allow_unsandboxed=True) is bare


def test_a_probe_notices_a_promise_that_is_not_kept(tmp_path):
    """Run without any confinement, the probe's own questions must come out false."""
    with sandbox._bait() as bait:
        code = f"""
import json, os, resource
from grading.inside.probing import promises
resource.setrlimit(resource.RLIMIT_AS, (2**34, 2**34))
print(json.dumps(promises({bait!r}, {str(tmp_path)!r}, os.getppid())))
"""
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    broken = {promise for promise, kept in json.loads(done.stdout).items() if not kept}
    assert broken >= {
        "a file outside cannot be read",
        "TCP is refused",
        "UDP is refused",
        "memory is limited",
        "no file grows beyond its limit",
        "the number of processes is limited",
        "the grader cannot be signalled",
        "no limit of another process can be set",
    }


def test_nobody_is_root_and_no_right_is_left(worker):
    status = value_of(worker, "x = open('/proc/self/status').read()")
    rows = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert "0" not in rows["Uid"].split()
    assert int(rows["CapEff"], 16) == int(rows["CapPrm"], 16) == 0
    assert rows["NoNewPrivs"] == "1" and rows["Seccomp"] == "2"


def test_secrets_cannot_be_read(worker, tmp_path):
    secret = tmp_path / "gradebook.db"
    secret.write_text("marks")
    secret.chmod(0o644)
    places = [
        secret,
        ROOT / "authoring/keys/a02_counting.py",
        ROOT / "solutions",
        ROOT / "nbgrader_config.py",
    ]
    places += [ROOT / "grading/keys.py", Path.home() / ".profile", Path("/etc/passwd"), Path("/root/.ssh")]
    places += [Path(f"/proc/{os.getpid()}/environ"), Path(f"/proc/{os.getpid()}/cwd")]
    source = f"import os\n{REFUSED}x = []\nfor p in {[str(p) for p in places]!r}:\n"
    source += "    x.append(bool(refused(lambda: os.listdir(p))) and bool(refused(lambda: open(p).read())))"
    assert value_of(worker, source) == [True] * len(places)


def test_the_public_library_can_be_read_and_not_written(worker):
    source = f"""
import os, tinylib, tinylib.formats
{REFUSED}
home = os.path.dirname(tinylib.__file__)
x = [refused(lambda: open(home + "/__init__.py", "ab")), refused(lambda: open(home + "/evil.py", "w")),
     refused(lambda: os.rename(home, home + "2")), tinylib.formats.__name__]
"""
    assert value_of(worker, source) == [True, True, True, "tinylib.formats"]


def test_only_the_scratch_can_be_written(worker):
    source = f"""
import os, numpy
{REFUSED}
places = ["/", "/usr", "/etc", "/dev", "/dev/shm", "/proc", "/var", os.path.dirname(numpy.__file__), ".."]
x = [bool(refused(lambda: open(p + "/written", "w"))) for p in places]
open("own", "w").write("mine")
x.append(open("own").read())
"""
    assert value_of(worker, source) == [True] * 9 + ["mine"]


def test_there_is_no_network(worker):
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = f"""
import socket
{REFUSED}
x = [refused(lambda: socket.socket().connect(("127.0.0.1", {server.getsockname()[1]}))),
     refused(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 53))),
     refused(lambda: socket.socket(socket.AF_UNIX)), refused(lambda: socket.socket(socket.AF_NETLINK)),
     len(socket.socketpair())]
"""
        assert value_of(worker, source) == [True, True, True, True, 2]


def test_no_process_outside_can_be_touched(worker):
    source = f"""
import os, signal
{REFUSED}
x = [bool(refused(lambda: os.kill(pid, s))) for pid in (os.getppid(), {os.getpid()}) for s in (0, 9, 19)]
x += [bool(refused(lambda: open(f"/proc/{{os.getppid()}}/mem", "rb"))),
      bool(refused(lambda: open(f"/proc/{{os.getppid()}}/environ").read()))]
"""
    assert value_of(worker, source) == [True] * 8
    assert value_of(worker, "x = 1") == 1


def test_no_limit_or_turn_of_another_process_can_be_set(worker):
    """The worker lives on: what it is left with would hold for the next student."""
    source = f"""
import os, resource
{REFUSED}
worker, limit = os.getppid(), resource.RLIMIT_DATA
x = [refused(lambda: resource.prlimit(worker, limit, (2**24, 2**24))),
     refused(lambda: os.setpriority(os.PRIO_PROCESS, worker, 19)),
     refused(lambda: os.sched_setaffinity(worker, {{0}})),
     refused(lambda: os.sched_setscheduler(worker, os.SCHED_IDLE, os.sched_param(0)))]
resource.setrlimit(limit, (2**34, 2**34))
x.append(resource.getrlimit(limit) == (2**34, 2**34))
"""
    assert value_of(worker, source) == [True] * 5


def test_namespaces_mounts_traces_and_shared_memory_are_refused(worker):
    source = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def errno(call, *arguments):
    return ctypes.get_errno() if getattr(libc, call)(*arguments) == -1 else 0
x = [errno("unshare", 0x10000000), errno("unshare", 0x40000000), errno("setns", 0, 0),
     errno("mount", b"none", b"/usr", b"tmpfs", 0, None), errno("ptrace", 16, 1, 0, 0),
     errno("shmget", 0, 4096, 0o1600), errno("msgget", 0, 0o1600), errno("chroot", b".")]
"""
    assert value_of(worker, source) == [1] * 8


def test_processes_are_limited(worker):
    source = """
import os, signal, time
x = 0
try:
    while x < 500:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        x += 1
except BlockingIOError:
    pass
"""
    limits = within(Limits(), processes=20)
    assert 5 <= value_of(worker, source, limits=limits) < 20
    assert 5 <= value_of(worker, source, limits=limits) < 20, (
        "the next task finds the first one's processes gone"
    )


def test_memory_files_and_core_dumps_are_limited(worker):
    source = """
import resource
x = []
try:
    bytearray(2**30)
except MemoryError:
    x.append("memory")
try:
    open("big", "wb").write(bytes(2**21))
except OSError as error:
    x.append(error.errno)
for name in ("RLIMIT_AS", "RLIMIT_NPROC", "RLIMIT_CORE"):
    try:
        resource.setrlimit(getattr(resource, name), (2**40, 2**40))
    except (ValueError, OSError):
        x.append(name)
"""
    limits = within(Limits(), memory_bytes=2**30, file_bytes=2**20)
    expected = ["memory", 27, "RLIMIT_AS", "RLIMIT_NPROC", "RLIMIT_CORE"]
    assert value_of(worker, source, limits=limits) == expected


def test_scratch_is_limited_as_a_whole():
    worker = Worker(level("A"), warm=("IPython", "matplotlib.pyplot"))
    try:
        source = """
x = 0
try:
    while x < 40:
        open(f"f{x}", "wb").write(bytes(20 * 2**20))
        x += 1
except OSError as error:
    x = [x, error.errno]
"""
        assert value_of(worker, source) == [10, 28]
        assert value_of(worker, "import os; x = os.listdir()") == []
    finally:
        worker.close()


def test_a_worker_without_namespaces_says_so():
    worker = Worker(level("B"), warm=("IPython", "matplotlib.pyplot"))
    try:
        assert worker.run(task("x = 1", Ask("x", "x"))).level == "B"
    finally:
        worker.close()


def filtered(machine: str, architecture: int, number: int, first: int = 0, still: bool = False) -> int:
    """What the filter returns for one system call and its first argument: classic BPF, run by hand."""
    steps = list(struct.iter_unpack("=HBBI", seccomp.program(machine, still)))
    data = {0: number, 4: architecture, 16: first}
    place, accumulator = 0, 0
    while True:
        code, yes, no, value = steps[place]
        if code == 0x06:
            return value
        if code == 0x20:
            accumulator, place = data[value], place + 1
            continue
        holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[
            code
        ]
        place += 1 + (yes if holds else no)


X86, ARM = 0xC000003E, 0xC00000B7
ALLOW, EPERM, ENOSYS, SAID = 0x7FFF0000, 0x00050001, 0x00050026, 0x00050000


@pytest.mark.parametrize(
    "machine, architecture, number, first, verdict",
    [
        ("x86_64", X86, 0, 0, ALLOW),  # read
        ("x86_64", X86, 41, 0, EPERM),  # socket
        ("x86_64", X86, 53, 0, ALLOW),  # socketpair
        ("x86_64", X86, 56, 0x11, ALLOW),  # clone as fork does
        ("x86_64", X86, 56, 0x3D0F00, ALLOW),  # clone as a thread does
        ("x86_64", X86, 56, 0x10000011, EPERM),  # clone into a new user namespace
        ("x86_64", X86, 435, 0, ENOSYS),  # clone3
        ("x86_64", X86, 0x40000000 + 41, 0, EPERM),  # x32
        ("x86_64", 0x40000003, 102, 0, EPERM),  # i386
        ("x86_64", X86, 425, 0, EPERM),  # io_uring_setup
        ("x86_64", X86, 302, 0, ALLOW),  # prlimit64 of oneself, as setrlimit calls it
        ("x86_64", X86, 302, 1, EPERM),  # prlimit64 of the worker
        ("x86_64", X86, 141, 0, EPERM),  # setpriority
        ("x86_64", X86, 203, 0, EPERM),  # sched_setaffinity
        ("aarch64", ARM, 198, 0, EPERM),  # socket
        ("aarch64", ARM, 63, 0, ALLOW),  # read
        ("aarch64", ARM, 220, 0x10000011, EPERM),
        ("aarch64", ARM, 220, 0x11, ALLOW),
        ("aarch64", ARM, 261, 0, ALLOW),
        ("aarch64", ARM, 261, 7, EPERM),
        ("aarch64", X86, 63, 0, EPERM),
    ],
)
def test_the_filter_refuses_what_it_should(machine, architecture, number, first, verdict):
    assert filtered(machine, architecture, number, first) == verdict
    if verdict != ALLOW:
        assert filtered(machine, architecture, number, first, still=True) == verdict


@pytest.mark.parametrize(
    "machine, architecture, number",
    [
        ("x86_64", X86, 90),
        ("x86_64", X86, 280),
        ("x86_64", X86, 188),
        ("aarch64", ARM, 53),
        ("aarch64", ARM, 452),
    ],
)
def test_where_files_of_the_same_user_are_in_reach_their_modes_stay(machine, architecture, number):
    assert filtered(machine, architecture, number) == ALLOW
    assert filtered(machine, architecture, number, still=True) == SAID


def test_a_change_of_mode_that_is_only_said_changes_nothing(tmp_path):
    """Landlock lets modes, owners and times pass: the filter must not, where one user is both sides."""
    path = tmp_path / "gradebook.db"
    path.write_text("marks")
    before = path.stat()
    code = f"""
import os, shutil
from grading.inside import seccomp
assert seccomp.install(still=True)
os.chmod({str(path)!r}, 0); os.utime({str(path)!r}, (0, 0)); os.setxattr({str(path)!r}, "user.x", b"1")
shutil.copy2({str(path)!r}, {str(path)!r} + "2")
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    after = path.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert os.listxattr(path) == []
    assert path.with_name("gradebook.db2").read_text() == "marks"
