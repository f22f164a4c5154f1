"""One submission under construction, and the list of attacks: each is a function that changes a wrong one."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "a02_counting"
FULL = 15.0
VALUES = {  # answer cell -> name, exercise
    "linear-params": ("linear_params", "counting.linear_params"),
    "conv-params": ("conv_params", "counting.conv_params"),
    "conv-mmac": ("conv_mmac", "counting.conv_macs"),
    "dws-ratio": ("dws_ratio", "counting.dws_ratio"),
    "ffn-macs": ("ffn_macs", "counting.ffn_macs"),
    "largest-side": ("largest_side", "a02.largest_side"),
}
FUNCTIONS = {"macs-function": "conv_macs", "separable-report": "separable_report"}
ENTRIES = ("params", "depthwise_macs", "pointwise_macs", "macs", "saving", "pointwise_share")
FORGED = f"dict.fromkeys({ENTRIES}, FORGED)"
MARK = f"tinyml-hostile-{os.getpid():x}"  # in every file and process that an attack leaves behind


@dataclass(frozen=True)
class Places:
    """What the worst attacker knows: where the course lies and where somebody listens."""

    course: str
    port: int = 9  # TCP and UDP on this machine
    socket: str = "/nowhere"  # a unix socket; its abstract name is the same
    other: str = "ada"  # a classmate


@dataclass
class Work:
    """One submission: a notebook as JSON, files beside it (bytes), links beside it (targets)."""

    student: str
    notebook: dict
    places: Places
    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    hard: dict[str, str] = field(default_factory=dict)

    @property
    def cells(self) -> list[dict]:
        return self.notebook["cells"]

    def cell(self, grade_id: str) -> dict:
        return next(c for c in self.cells if claims(c).get("grade_id") == grade_id)

    def put(self, grade_id: str, source: str) -> None:
        """Write an answer cell."""
        self.cell(grade_id)["source"] = self._filled(source)

    def extra(self, source: str, after: str = "begin", kind: str = "code") -> dict:
        """A cell of the student's own after another one."""
        cell = {
            "cell_type": kind,
            "id": f"own-{len(self.cells)}",
            "metadata": {},
            "source": self._filled(source),
        }
        cell |= {"outputs": [], "execution_count": None} if kind == "code" else {}
        self.cells.insert(self.cells.index(self.cell(after)) + 1, cell)
        return cell

    def every(self, value: str) -> None:
        """The same expression as every answer; in functions as the result, or as every entry of the dict."""
        for cell, (name, _) in VALUES.items():
            self.put(cell, f"{name} = {value}")
        self.put("macs-function", f"def conv_macs(*arguments):\n    return {value}")
        entries = f"{{name: {value} for name in {ENTRIES}}}"
        self.put("separable-report", f"def separable_report(*arguments):\n    return {entries}")

    def checks(self) -> list[dict]:
        return [c for c in self.cells if claims(c).get("grade")]

    def raw(self) -> bytes:
        return json.dumps(self.notebook).encode()

    def _filled(self, source: str) -> str:
        """Source with $COURSE, $PORT, $SOCKET, $OTHER and $MARK put in."""
        words = {"COURSE": self.places.course, "PORT": str(self.places.port), "SOCKET": self.places.socket}
        words |= {"OTHER": self.places.other, "MARK": f"{MARK}-{re.sub(r'[^a-z0-9_]', '', self.student)}"}
        for name, value in words.items():
            source = source.replace(f"${name}", value)
        return dedent(source).strip()


def claims(cell: dict) -> dict:
    """nbgrader's metadata of a cell."""
    return cell.get("metadata", {}).get("nbgrader", {})


Make = Callable[[Work], bytes | None]


@dataclass(frozen=True)
class Attack:
    """One hostile or broken submission.

    make: changes a submission with wrong answers, or returns the bytes to hand in instead; earns: points that
    it rightly gets, almost always none; says: words that flags or reasons must hold; stock: whether it may be
    run under stock nbgrader; student: another name than the function's; how: file, or what stands there
    instead (folder, link, missing, unreadable, sparse).
    """

    name: str
    group: str
    make: Make
    earns: float = 0.0
    says: tuple[str, ...] = ()
    stock: bool = True
    student: str = ""
    how: str = "file"

    @property
    def line(self) -> str:
        """What it does, in one line."""
        return (self.make.__doc__ or "").strip()


ATTACKS: dict[str, Attack] = {}


def attack(group: str, **more) -> Callable[[Make], Make]:
    """Decorator: one more attack of a group, named after its function."""

    def add(make: Make) -> Make:
        name = make.__name__
        if name in ATTACKS:
            raise ValueError(f"an attack must have a name of its own, got {name!r} twice")
        says = more.pop("says", ())
        says = (says,) if isinstance(says, str) else says
        ATTACKS[name] = Attack(name, group, make, says=says, **more)
        return make

    return add


def blank(student: str, places: Places, root: Path = ROOT) -> Work:
    """The release as a student opens it, with the student's name written in."""
    path = root / "exercises" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    work = Work(student, json.loads(path.read_text(encoding="utf-8")), places)
    work.put("student", f"student = {student!r}")
    return work


def wrong(student: str, places: Places) -> Work:
    """Every answer there, every answer wrong: what an attack has to turn into points."""
    work = blank(student, places)
    work.every("-1")
    return work


def solved(student: str, places: Places) -> Work:
    """Every answer right."""
    work = blank(student, places)
    for grade_id, source in solutions().items():
        work.put(grade_id, source)
    return work


def solutions() -> dict[str, str]:
    """The instructor's answer cells, without the marks around what students do not get."""
    path = ROOT / "solutions" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    marks = re.compile(r"^\s*### (BEGIN|END) SOLUTION\n?", re.MULTILINE)
    return {
        claims(c)["grade_id"]: marks.sub("", "".join(c["source"])) for c in cells if claims(c).get("solution")
    }
