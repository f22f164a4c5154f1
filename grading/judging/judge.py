"""The verdict on one answer: a bank or private question by its numbers, a function on hidden draws."""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from grading.judging import trial
from grading.keys import DRAWS, Key, Trial
from tinylib.practice.check import difference
from tinylib.practice.draws import Rng
from tinylib.practice.exercise import Exercise
from tinylib.practice.feedback import Feedback
from tinylib.practice.judging import judge_value, sentence
from tinylib.practice.plain import NotPlain, plain, real, short

RECORD = "application/vnd.tinylib.judged+json"  # of an output that holds a verdict
Caller = Callable[[tuple], Any]  # runs the student's function on arguments and returns a plain value


@dataclass(frozen=True)
class Array:
    """A plain value that was an array: lists forget its dtype and shape, and a key may ask for them."""

    dtype: str
    shape: tuple[int, ...]
    values: Any


def judge_number(question: Exercise, numbers: Iterable[dict], value: Any) -> Feedback:
    """The best verdict over the sets of numbers that this student may rightly have worked with."""
    verdicts = [judge_value(question, given, value) for given in numbers]
    return max(verdicts, key=lambda f: (f.share, f.mistake is not None))


def judge_trial(item: Trial, numbers: Iterable[Mapping], value: Any, seed: str) -> Feedback:
    """The best verdict of a trial over the sets of numbers that this student may rightly have worked with.

    value: as it came, decoded here; raises NotTried with one sentence where the trial could not be held.
    """
    try:
        if (value := plain(value)) is None:
            return Feedback(False, 0.0, "No answer yet.")
    except NotPlain as error:
        return Feedback(False, 0.0, sentence(error))
    best = Feedback(False, 0.0, "")
    for given in numbers:
        share, said = trial.held(item, given, value, seed)
        if share > best.share or not best.message:
            best = Feedback(share == 1, share, said)
        if share == 1:
            break
    return best


def judge_function(key: Key, call: Caller, rng: Rng) -> Feedback:
    """Share = entries right on every draw, over entries; the reason names each entry that is not."""
    failures: dict[str, str] = {}
    mistakes: list[str] = []
    entries: list[str] = []
    for arguments in [key.draw(rng) for _ in range(DRAWS)]:
        expected = key.expected(*arguments)
        entries = entries or _entries(expected)
        wrong = _wrong_entries(key, call, arguments, expected, mistakes)
        failures = {**wrong, **failures}
    share = 1 - len(failures) / len(entries)
    if not failures:
        return Feedback(True, 1.0, f"Right on {DRAWS} hidden draws.")
    reasons = "; ".join(dict.fromkeys(failures.values()))
    count = f"{len(entries) - len(failures)} of {len(entries)} entries right: " if len(entries) > 1 else ""
    return Feedback(False, share, f"{count}{reasons}.", mistake=mistakes[0] if mistakes else None)


def _entries(expected: Any) -> list[str]:
    return list(expected) if isinstance(expected, dict) else [""]


def _wrong_entries(
    key: Key, call: Caller, arguments: tuple, expected: Any, mistakes: list[str]
) -> dict[str, str]:
    """Entry -> reason, for the entries that are wrong on these arguments."""
    shown = ", ".join(short(a) for a in arguments)
    try:
        got = described(call(deepcopy(arguments)))  # the function may change what it is given
    except NotPlain as error:
        return dict.fromkeys(_entries(expected), f"called with ({shown}), {error}")
    except (Exception, SystemExit) as error:
        reason = f"called with ({shown}), it raised {type(error).__name__}: {error!s:.200}"
        return dict.fromkeys(_entries(expected), reason)
    if not isinstance(expected, dict):
        expected, got = {"": expected}, {"": got}
    if not isinstance(got, dict):
        return dict.fromkeys(expected, _difference(got, expected) + f" for ({shown})")
    slips = key.slips(*arguments) if key.slips else {}
    wrong = {}
    for name, value in expected.items():
        if reason := _difference(got.get(name), value):
            named = _named(got.get(name), slips.get(name, {}))
            mistakes += [named] if named else []
            wrong[name] = f"{name}: {named or reason} for ({shown})".removeprefix(": ")
    return wrong


def described(value: Any) -> Any:
    """The value as plain Python, in which arrays, also those in a dict, keep dtype and shape."""
    if type(value) is Array:
        return value
    if type(value) is np.ndarray:
        return Array(str(value.dtype), value.shape, plain(value))
    if type(value) is dict and any(type(v) in (Array, np.ndarray) for v in value.values()):
        return {name: described(value[name]) for name in plain(dict.fromkeys(value))}
    return plain(value)


def _difference(got: Any, expected: Any) -> str:
    """As practice.check's `difference`; where the key expects an array, dtype and shape count too."""
    if not isinstance(expected, np.ndarray):
        return difference(got.values if type(got) is Array else got, expected)
    if type(got) is not Array:
        return f"an array was expected, got {short(got)}"
    if got.dtype != str(expected.dtype):
        return f"dtype {expected.dtype} was expected, got {got.dtype}"
    if got.shape != expected.shape:
        return f"shape {expected.shape} was expected, got {got.shape}"
    try:
        values = np.array(got.values, dtype=expected.dtype)
    except (ValueError, TypeError, OverflowError):
        return "its values do not fit its dtype"
    if values.shape != expected.shape:
        return "its values do not fill its shape"
    exact = expected.dtype.kind not in "fc"
    room = 0 if exact else 1e-6 * np.abs(expected) + 1e-9 * np.abs(expected).max(initial=0)
    off = values != expected if exact else ~(np.abs(values - expected) <= room)
    if not off.any():
        return ""
    place = tuple(int(n) for n in np.argwhere(off)[0])
    where = f"value {', '.join(map(str, place))}: " if place else ""
    return f"{where}{short(expected[place].item())} was expected, got {short(values[place].item())}"


def _named(got: Any, slips: dict[str, float | list]) -> str:
    """The hint of the slip whose value this is, if any."""
    try:
        if type(got) is list:
            return next((h for h, v in slips.items() if type(v) is list and not difference(got, v)), "")
        number = real(got)
        single = {hint: value for hint, value in slips.items() if type(value) is not list}
        return next((hint for hint, value in single.items() if abs(number - value) <= 1e-6 * abs(value)), "")
    except (NotPlain, OverflowError):
        return ""
