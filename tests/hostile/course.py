"""The class as a course folder, with canaries where secrets lie and listeners where nobody should call."""

import os
import secrets
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.grading.sandboxed import alive
from tests.hostile.work import ASSIGNMENT, FULL, MARK, ROOT, Attack, Places, Work, blank, solutions, wrong

CANARY = "canary-"
KEYS = f"authoring/keys/{ASSIGNMENT}.py"


@dataclass(frozen=True)
class Honest:
    """An honest student: what they answer, and the points it deserves."""

    name: str
    cells: dict[str, str]
    points: float


def honest() -> list[Honest]:
    """Six honest students: right, noisy, slipped, raising, unanswered, half done."""
    right = solutions()
    noise = 'import warnings\n\nprint("thinking")\nwarnings.warn("careful")\n'
    slip = {"linear-params": "linear_params = q.n_in * q.n_out", "conv-mmac": "conv_mmac = -1"}
    error = {
        "ffn-macs": "ffn_macs = 1 / 0",
        "separable-report": "def separable_report(*a):\n    return {}[0]",
    }
    half = {name: right[name] for name in ("linear-params", "conv-params", "largest-side", "macs-function")}
    return [
        Honest("ada", right, FULL),
        Honest("ben", {name: noise + source for name, source in right.items()}, FULL),
        Honest("cleo", right | slip, FULL - 2),
        Honest("dan", right | error, FULL - 7),
        Honest("eve", {}, 0),
        Honest("finn", half, 6),
    ]


def work_of(student: Honest, places: Places, canary: str = "") -> Work:
    """What an honest student hands in, with a comment that nobody else may see."""
    work = blank(student.name, places)
    for grade_id, source in student.cells.items():
        work.put(grade_id, source)
    work.extra(f"# {canary}", after="separable-report-check")
    return work


def name_of(attack: Attack) -> str:
    """The student of an attack."""
    return attack.student or attack.name


def make_course(root: Path) -> dict[str, str]:
    """Release, sources, keys, settings in a folder, a canary in each secret place; place -> canary."""
    places = ("key", "solution", "gradebook", "classmate", "environment")
    canaries = {place: f"{CANARY}{place}-{secrets.token_hex(12)}" for place in places}
    for kind in ("solutions", "exercises"):
        shutil.copytree(ROOT / kind / ASSIGNMENT, root / kind / ASSIGNMENT)
    (root / KEYS).parent.mkdir(parents=True)
    text = (ROOT / KEYS).read_text(encoding="utf-8")
    (root / KEYS).write_text(f"{text}\nCANARY = '{canaries['key']}'\n", encoding="utf-8")
    solution = root / "solutions" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    mark = "### BEGIN SOLUTION\\n"
    text = solution.read_text(encoding="utf-8").replace(mark, f"{mark}# {canaries['solution']}\\n")
    solution.write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    return canaries


def plant(root: Path, canary: str) -> None:
    """A canary in the gradebook: a student whom the notebooks must not find."""
    with sqlite3.connect(root / "gradebook.db") as db:
        db.execute("insert into student (id, first_name, lms_user_id) values ('zoe', ?, '')", (canary,))


def hand_in(root: Path, work: Work, raw: bytes | None = None, how: str = "file") -> None:
    """Write one submission as it lies in submitted/ after it was collected."""
    folder = root / "submitted" / work.student / ASSIGNMENT
    folder.mkdir(parents=True)
    shutil.copy(root / "exercises" / ASSIGNMENT / "release.json", folder)
    for name, content in work.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    for name, target in work.links.items():
        (folder / name).symlink_to(target.replace("$COURSE", str(root)))
    for name, target in work.hard.items():
        with suppress(OSError):
            os.link(target.replace("$COURSE", str(root)), folder / name)
    _place(root, folder / f"{ASSIGNMENT}.ipynb", work.raw() if raw is None else raw, how)


def _place(root: Path, path: Path, raw: bytes, how: str) -> None:
    path.unlink(missing_ok=True)
    if how == "folder":
        path.mkdir()
    elif how == "link":
        path.symlink_to(root / "submitted" / "ada" / ASSIGNMENT / path.name)
    elif how == "loop":
        path.symlink_to(path.name)
    elif how in ("student", "nowhere"):
        folder = path.parents[1 if how == "student" else 0]
        shutil.rmtree(folder)
        folder.symlink_to("ada" if how == "student" else "nowhere")
    elif how == "pipe":
        os.mkfifo(path)
    elif how == "sparse":
        with path.open("wb") as file:
            file.write(raw)
            file.truncate(200_000_000)
    elif how != "missing":
        path.write_bytes(raw)
        if how == "unreadable":
            path.chmod(0)


def hand_in_attack(root: Path, attack: Attack, places: Places) -> None:
    """Write the submission of one attack."""
    work = wrong(name_of(attack), places)
    hand_in(root, work, attack.make(work), attack.how)


@dataclass
class Listener:
    """Sockets on this machine that note who called."""

    port: int
    socket: str
    calls: list[str] = field(default_factory=list)


@contextmanager
def listening(folder: Path) -> Iterator[Listener]:
    """TCP, UDP, a unix socket and its abstract twin; what arrives is noted."""
    path = str(folder / "listener")
    tcp = socket.create_server(("127.0.0.1", 0))
    heard = Listener(tcp.getsockname()[1], path)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", heard.port))
    streams = {"TCP": tcp}
    for kind, name in (("unix", path), ("abstract", f"\0{path}")):
        streams[kind] = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        streams[kind].bind(name)
        streams[kind].listen()
    os.chmod(path, 0o777)

    def accept(kind: str, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                server.accept()[0].close()
                heard.calls.append(kind)

    def receive() -> None:
        with suppress(OSError):
            while True:
                udp.recvfrom(100)
                heard.calls.append("UDP")

    for kind, server in streams.items():
        threading.Thread(target=accept, args=(kind, server), daemon=True).start()
    threading.Thread(target=receive, daemon=True).start()
    try:
        yield heard
    finally:
        for server in (*streams.values(), udp):
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()


def processes(uids: range = range(0)) -> dict[int, str]:
    """Processes that carry the mark of an attack, or run as one of these users: number -> command."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with suppress(OSError):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                if MARK in command or folder.stat().st_uid in uids:
                    found[int(folder.name)] = command or (folder / "comm").read_text().strip()
    return {pid: command for pid, command in found.items() if alive([pid])}


def left(uids: range, seconds: float = 10) -> dict[int, str]:
    """Those of `processes` that stay: what was killed takes a moment to go on a busy machine."""
    end = time.monotonic() + seconds
    while (found := processes(uids)) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def planted(root: Path) -> list[str]:
    """Files that carry the mark of an attack where nothing may be left."""
    places = [
        root,
        *map(Path, ("/tmp", "/var/tmp", "/dev/shm", "/run", "/etc", "/root", "/home", "/var/spool")),
    ]
    return sorted(dict.fromkeys(found for place in places for found in _marked(place)))


def _marked(place: Path, depth: int = 4) -> Iterable[str]:
    try:
        entries = list(os.scandir(place))
    except OSError:
        return
    for entry in entries:
        if MARK in entry.name:
            yield entry.path
        elif depth and entry.is_dir(follow_symlinks=False):
            yield from _marked(Path(entry.path), depth - 1)
