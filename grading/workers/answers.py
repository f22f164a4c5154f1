"""The trusted half of the pipe: bytes from a child become outcomes of its own steps, and nothing else.

Lines are taken strictly in the order of the steps. Whatever is not exactly what was asked ends the reading: a
forged line can only stand for an answer of the student who forged it.
"""

import json
import re
import signal
from collections.abc import Iterator
from typing import Any

from grading.inside.task import Limits, Outcome, Result, Step, Task
from tinylib.practice.plain import NotPlain, plain

TOTAL_BYTES = 64 * 2**20  # of all that one notebook may send
LINE_ROOM = 65_536  # of a line beside its outputs and its answer
MAX_TEXT = 2_000  # of an error's name and message, and of a reason
LONG_LINE = 2**20  # bytes of a line from which its parts are counted
MAX_PARTS = 400_000  # brackets and commas outside text
_UNFIT = re.compile("[\0\ud800-\udfff]")  # what databases and pages cannot hold


class Garbled(ValueError):
    """The line is not an answer to what was asked."""


class Short(Exception):
    """The lines ended within a step, after these of its calls."""

    def __init__(self, calls: tuple[dict, ...]) -> None:
        super().__init__(calls)
        self.calls = calls


def line_bytes(limits: Limits) -> int:
    """The longest line that an honest step may send [bytes]; text may grow sixfold as JSON."""
    return 6 * limits.output_bytes + limits.answer_bytes + LINE_ROOM


def line_count(task: Task) -> int:
    """How many lines an honest task sends: one to begin, one for each call and each step."""
    return 1 + sum(1 + len(step.ask.calls if step.ask else ()) for step in task.steps)


def result_of(task: Task, raw: bytes, end: dict, level: str) -> Result:
    """The result of a task from the child's bytes and the supervisor's account of its end."""
    lines = iter(raw.split(b"\n")[1:-1])
    outcomes: list[Outcome] = []
    calls: tuple[dict, ...] = ()
    garbled = ""
    try:
        for step in task.steps:
            outcomes.append(outcome(step, lines))
    except Short as error:
        calls = error.calls
    except Garbled as error:
        garbled = str(error)
    late = _interrupted(task, end["interrupted"])
    ended, note = _ending(task, outcomes, end, late, garbled)
    for step in task.steps[len(outcomes) :]:
        outcomes.append(_unanswered(step, calls, note))
        calls = ()
    return Result(task.digest, tuple(outcomes), ended, level, end["seconds"], end["cpu"], note)


def _interrupted(task: Task, lines: list[int]) -> list[str]:
    """Cells that were interrupted, from how many lines had come by then."""
    cells = [None]
    for step in task.steps:
        cells += [step.cell] * (1 + len(step.ask.calls if step.ask else ()))
    return [cells[n] for n in lines if 0 < n < len(cells)]


def _ending(task: Task, done: list, end: dict, late: list[str], garbled: str) -> tuple[str, str]:
    limits, why, status = task.limits, end["why"], end["status"]
    if len(done) == len(task.steps):
        if late:
            return "cell time", f"cell {late[0]} was stopped after {limits.cell_s:g} s"
        return "finished", ""
    where = f"in cell {task.steps[len(done)].cell}"
    if garbled:
        return "died", f"the notebook wrote into its own answers {where}: {garbled}"
    number = status & 0x7F
    if why == "cell":
        return "cell time", f"the notebook was stopped after {limits.cell_s:g} s {where}"
    if why == "wall":
        return "notebook time", f"the notebook was stopped after {limits.wall_s:g} s, {where}"
    if why == "memory":
        return "died", f"the notebook used more than {limits.memory_bytes:,} bytes of memory {where}"
    if why == "flood":
        return "died", f"the notebook sent more than an answer may hold {where}"
    if number == signal.SIGXCPU:
        return "notebook time", f"the notebook used {limits.cpu_s} s of processor time, {where}"
    if number:
        return "died", f"the notebook was ended by {_signal(number)} {where}"
    return "died", f"the notebook ended itself with status {status >> 8} {where}"


def _signal(number: int) -> str:
    """A signal's name; most of those for real-time use have none."""
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def _unanswered(step: Step, calls: tuple[dict, ...], note: str) -> Outcome:
    """A step that was not reached, or not finished: what its calls gave before stays."""
    if step.ask and step.ask.calls and calls:
        return Outcome(step.cell, values=(*calls, *[{"refused": note}] * (len(step.ask.calls) - len(calls))))
    return Outcome(step.cell, refused=note)


def outcome(step: Step, lines: Iterator[bytes]) -> Outcome:
    """The outcome of one step from the lines that belong to it; Garbled or Short if they do not, or end."""
    calls: tuple[dict, ...] = ()
    expected = len(step.ask.calls) if step.ask else 0
    for raw in lines:
        line = _decoded(raw)
        if "call" not in line:
            return _closed(step, line, calls, expected)
        if len(calls) == expected:
            raise Garbled("it answered a call that was not made")
        calls = (*calls, _answer(line["call"]))
    raise Short(calls)


def _closed(step: Step, line: dict, calls: tuple[dict, ...], expected: int) -> Outcome:
    seconds = line.get("seconds")
    shown = {
        "outputs": tuple(map(_output, _of(list, line.get("outputs")))),
        "seconds": seconds if type(seconds) is float and 0 <= seconds < 1e6 else 0.0,
    }
    if set(line) - {"outputs", "seconds"} - ({"error"} if step.ask is None else {"value", "refused"}):
        raise Garbled(f"the line of {step.cell} says more than was asked")
    if step.ask is None:
        error = line.get("error")
        if error is not None:
            name, message = (_of(str, part)[:MAX_TEXT] for part in _of(list, error, 2))
            error = (name, message)
        return Outcome(step.cell, error=error, **shown)
    if expected and "refused" not in line:
        if len(calls) != expected:
            raise Garbled(f"{expected} calls were made, and it answered {len(calls)}")
        return Outcome(step.cell, values=calls, **shown)
    answer = _answer({k: line[k] for k in ("value", "refused") if k in line})
    if calls:
        return Outcome(step.cell, values=(*calls, *[answer] * (expected - len(calls))), **shown)
    return Outcome(step.cell, **answer, **shown)


def _decoded(raw: bytes) -> dict:
    if len(raw) > LONG_LINE and _parts(raw) > MAX_PARTS:
        raise Garbled("a line holds more than an answer")
    try:
        return _of(dict, _fit(json.loads(raw)))
    except (ValueError, RecursionError) as error:
        raise Garbled(f"a line is not JSON ({type(error).__name__})") from None


def _parts(raw: bytes) -> int:
    """How many brackets and commas a line holds outside text: each costs a hundred bytes when it is read."""
    outside = b"".join(raw.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    return sum(map(outside.count, (b"[", b"{", b",")))


def _of(kind: type, value: Any, size: int | None = None) -> Any:
    if type(value) is not kind or (size is not None and len(value) != size):
        raise Garbled(f"a {kind.__name__} was expected, got {type(value).__name__}")
    return value


def _fit(value: Any) -> Any:
    """Decoded JSON without the characters that no database or page can hold."""
    if type(value) is str:
        return _UNFIT.sub("\ufffd", value)
    if type(value) is list:
        return [_fit(v) for v in value]
    if type(value) is dict:
        return {_UNFIT.sub("\ufffd", k): _fit(v) for k, v in value.items()}
    return value


def _answer(answer: Any) -> dict:
    """{"value": plain value} or {"refused": sentence}, decoded again by the one rule of what an answer is."""
    match _of(dict, answer):
        case {"refused": str(why), **rest} if not rest:
            return {"refused": why[:MAX_TEXT]}
        case {"value": value, **rest} if not set(rest) - {"arrays"}:
            try:
                return {"value": plain(value)} | _arrays(rest.get("arrays"))
            except NotPlain as error:
                return {"refused": str(error)}
    raise Garbled("an answer is a value or a reason")


def _arrays(facts: Any) -> dict:
    """dtype and shape that the sandbox says arrays had; where they are used, they are checked once more."""
    if facts is None:
        return {}
    for dtype, shape in (_of(list, fact, 2) for fact in _of(dict, facts).values()):
        _of(str, dtype)
        _ = [_of(int, n) for n in _of(list, shape)]
    return {"arrays": facts}


def _output(output: Any) -> dict:
    """One nbformat output with the fields of its kind and no others."""
    get = _of(dict, output).get
    match get("output_type"):
        case "stream" if get("name") in ("stdout", "stderr"):
            return {"output_type": "stream", "name": get("name"), "text": _of(str, get("text"))}
        case "error":
            trace = [_of(str, line) for line in _of(list, get("traceback"))]
            names = {name: _of(str, get(name)) for name in ("ename", "evalue")}
            return {"output_type": "error", **names, "traceback": trace}
        case "display_data" | "execute_result" as kind:
            data = {mime: _of(str, value) for mime, value in _of(dict, get("data")).items()}
            _of(dict, get("metadata"))  # no page shows it
            shown = {"output_type": kind, "data": data, "metadata": {}}
            count = get("execution_count")
            return shown | (
                {"execution_count": count if type(count) is int else None} if kind == "execute_result" else {}
            )
    raise Garbled("an output is of no known kind")
