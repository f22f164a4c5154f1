"""What goes into the sandbox and what comes out: plain JSON, so that any worker anywhere can run it.

A task holds public things alone: the student's sources under the release's cells, public files, and at each
check cell the *name* of the value that is asked, or arguments to call the student's function with. A result
holds plain values and outputs. Neither holds a key, an expected value, a mark or a path of this machine.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any, Self

VERSION = 1  # of the engine: part of every digest, so that a change of the runner regrades


def _fields(value: Any) -> dict[str, Any]:
    """The fields of a record of this module, as `asdict` gives them but without copies."""
    if type(value) not in (Limits, Ask, Step, Task, Outcome, Result):
        raise TypeError(f"a {type(value).__name__} is not JSON serializable")
    return vars(value)


@dataclass(frozen=True)
class Limits:
    """What a student's process may use; `wall_s` is for the whole notebook, `cell_s` for one cell or call."""

    cell_s: float = 30.0
    wall_s: float = 120.0
    cpu_s: int = 120
    memory_bytes: int = 3 * 2**30
    processes: int = 64
    file_bytes: int = 50 * 2**20
    scratch_bytes: int = 200 * 2**20
    output_bytes: int = 2**20  # of one cell
    answer_bytes: int = 4 * 2**20  # of one answer


@dataclass(frozen=True)
class Ask:
    """A check cell: nothing of it is executed, the value of `name` is asked, or the function is called."""

    id: str  # of the exercise or key
    name: str  # the variable that holds the answer
    calls: tuple[tuple, ...] = ()  # arguments for each call, when a function is asked


@dataclass(frozen=True)
class Step:
    """One code cell in order: source to run, or an Ask."""

    cell: str  # grade_id, or a name that the transplant gave to an extra cell
    source: str = ""
    ask: Ask | None = None
    asserts: bool = False  # an ordinary nbgrader test: its error is the verdict, "not sealed"


@dataclass(frozen=True)
class Task:
    """One submission, ready to run."""

    digest: str  # of submission, release, key and engine: names the work, whoever does it
    student: str  # nbgrader's id: the identity when the notebook names none
    assignment: str
    steps: tuple[Step, ...]
    files: dict[str, str] = field(default_factory=dict)  # name -> base64: release.json and public data
    limits: Limits = Limits()

    def to_json(self) -> str:
        """The task as text of one line."""
        return json.dumps(self, default=_fields, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The task that `to_json` wrote."""
        data = json.loads(text)
        steps = []
        for step in data["steps"]:
            ask = step["ask"] and Ask(**step["ask"] | {"calls": tuple(map(tuple, step["ask"]["calls"]))})
            steps.append(Step(**step | {"ask": ask}))
        return cls(**data | {"steps": tuple(steps), "limits": Limits(**data["limits"])})


@dataclass(frozen=True)
class Outcome:
    """What one step gave. For an Ask exactly one of `value`, `values` and `refused` speaks.

    outputs: nbformat outputs, unclean; error: (name, message) of what the cell raised
    value: plain value of the variable; values: one {"value": v} or {"refused": why} for each call
    refused: one sentence why there is no value (undefined, not plain, timed out ...)
    """

    cell: str
    outputs: tuple[dict, ...] = ()
    error: tuple[str, str] | None = None
    value: Any = None
    values: tuple[dict, ...] = ()
    refused: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Result:
    """What a whole submission gave.

    ended: finished, cell time, notebook time, died, refused or worker lost
    """

    digest: str
    outcomes: tuple[Outcome, ...]
    ended: str = "finished"
    level: str = ""  # of the sandbox it ran in: A, B, D
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    note: str = ""  # one sentence for people, when something went wrong

    def to_json(self) -> str:
        """The result as text of one line."""
        return json.dumps(self, default=_fields, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The result that `to_json` wrote."""
        data = json.loads(text)
        outcomes = []
        for item in data["outcomes"]:
            error = tuple(item["error"]) if item["error"] else None
            parts = {"outputs": tuple(item["outputs"]), "values": tuple(item["values"]), "error": error}
            outcomes.append(Outcome(**item | parts))
        return cls(**data | {"outcomes": tuple(outcomes)})


def digest_of(*parts: bytes | str) -> str:
    """A name for work that depends on these parts and on the engine [hex]."""
    state = hashlib.sha256(str(VERSION).encode())
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        state.update(len(raw).to_bytes(8, "big") + raw)
    return state.hexdigest()


def packed(files: dict[str, bytes]) -> dict[str, str]:
    """Files as a task carries them."""
    return {name: base64.b64encode(content).decode() for name, content in files.items()}


def unpacked(files: dict[str, str]) -> dict[str, bytes]:
    """The files of a task; raises ValueError for a name that is not a plain file name."""
    for name in files:
        if not name or "/" in name or "\\" in name or name.startswith(".") or "\0" in name:
            raise ValueError(f"a file of a task must have a plain name, got {name!r}")
    return {name: base64.b64decode(content) for name, content in files.items()}


def within(limits: Limits, **changes: Any) -> Limits:
    """The limits with some of them changed."""
    return replace(limits, **changes)
