"""The verdict on one answer: a bank or private question by its numbers, a function on hidden draws."""

from collections.abc import Callable, Iterable
from typing import Any

from grading.keys import DRAWS, Key
from tinylib.practice.check import difference
from tinylib.practice.draws import Rng
from tinylib.practice.exercise import Exercise
from tinylib.practice.feedback import Feedback
from tinylib.practice.judging import judge_value
from tinylib.practice.plain import NotPlain, plain, real, short

Caller = Callable[[tuple], Any]  # runs the student's function on arguments and returns a plain value


def judge_number(question: Exercise, numbers: Iterable[dict], value: Any) -> Feedback:
    """The best verdict over the sets of numbers that this student may rightly have worked with."""
    verdicts = [judge_value(question, given, value) for given in numbers]
    return max(verdicts, key=lambda f: (f.share, f.mistake is not None))


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
        got = plain(call(arguments))
    except NotPlain as error:
        return dict.fromkeys(_entries(expected), f"called with ({shown}), {error}")
    except (Exception, SystemExit) as error:
        reason = f"called with ({shown}), it raised {type(error).__name__}: {error!s:.200}"
        return dict.fromkeys(_entries(expected), reason)
    if not isinstance(expected, dict):
        expected, got = {"": expected}, {"": got}
    if not isinstance(got, dict):
        return dict.fromkeys(expected, difference(got, expected) + f" for ({shown})")
    slips = key.slips(*arguments) if key.slips else {}
    wrong = {}
    for name, value in expected.items():
        if reason := difference(got.get(name), value):
            named = _named(got.get(name), slips.get(name, {}))
            mistakes += [named] if named else []
            wrong[name] = f"{name}: {named or reason} for ({shown})".removeprefix(": ")
    return wrong


def _named(got: Any, slips: dict[str, float]) -> str:
    """The hint of the slip whose value this is, if any."""
    try:
        number = real(got)
        return next((hint for hint, value in slips.items() if abs(number - value) <= 1e-6 * abs(value)), "")
    except (NotPlain, OverflowError):
        return ""
