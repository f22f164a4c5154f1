"""check(id, value): the one call a learner makes. Feedback in Lab, one clear line under Validate."""

import re
from collections.abc import Callable
from copy import deepcopy
from importlib import import_module
from typing import Any

from tinylib.practice import progress
from tinylib.practice.assignment import Assignment, Private, context, current
from tinylib.practice.exercise import Exercise
from tinylib.practice.feedback import Feedback
from tinylib.practice.judging import judge_value, sentence
from tinylib.practice.plain import NotPlain, plain, real, short


class NotRightYet(AssertionError):
    """What Validate shows: the reason, as one line without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def check(exercise_id: str, value: Any) -> Feedback:
    """Feedback on an answer: a number, text with a unit ("13.6 MB"), or a function that was asked for.

    Never raises, except where nbgrader validates a notebook: there anything less than right raises
    NotRightYet with the reason.
    """
    assignment = current()
    feedback = feedback_on(assignment, exercise_id, value)
    if value is not None and value is not Ellipsis:  # running an empty notebook is no answer
        marks = feedback.right, feedback.mistake, assignment.code(str(exercise_id)), assignment.name
        progress.append(str(exercise_id), _said(value), *marks)
    if context() == "validate" and feedback.right is False:
        raise NotRightYet(str(feedback)) from None
    return feedback


def _said(value: Any) -> str:
    """An answer as the record keeps it: short, and empty for what is no plain value."""
    try:
        return value if type(value) is str else short(plain(value))
    except NotPlain:
        return ""


def feedback_on(assignment: Assignment, exercise_id: str, value: Any) -> Feedback:
    """What `check` says, for a given assignment: bank answers are judged, private ones noted."""
    try:
        if exercise_id in assignment.functions:
            return _examples(value, assignment.functions[exercise_id]["examples"])
        question = assignment.question(exercise_id)
        if isinstance(question, Exercise):
            return judge_value(question, assignment.numbers(exercise_id), value)
        if question.form:
            return _formed(question.form, assignment.numbers(exercise_id), value)
        return _noted(question, value)
    except (KeyError, TypeError) as error:
        return Feedback(False, 0.0, sentence(error))


def _noted(question: Private, value: Any) -> Feedback:
    try:
        if value is None or value is Ellipsis:
            return Feedback(False, 0.0, f"No answer yet: the question asks for {question.unit}.")
        number = real(plain(value))
    except NotPlain as error:
        return Feedback(False, 0.0, sentence(error))
    return Feedback(None, 0.0, f"{short(number)} {question.unit}: this one is judged at grading.")


def _formed(name: str, given: dict, value: Any) -> Feedback:
    """A value that is tried out at grading: its form is looked at now."""
    if value is None or value is Ellipsis:
        return Feedback(False, 0.0, "No answer yet.")
    try:
        said = sentence(ValueError(form(name)(plain(value), **given)))
    except ImportError as error:
        said = f"Its form cannot be looked at here: {error}."
    except (NotPlain, ValueError, TypeError) as error:
        return Feedback(False, 0.0, sentence(error))
    return Feedback(None, 0.0, f"{said} The rest is judged at grading.")


def form(name: str) -> Callable[..., str]:
    """The function "tinylib.module:name", which a release names so that no room imports one to its right."""
    if not re.fullmatch(r"tinylib(\.\w+)+:\w+", name):
        raise ValueError(f"a form must be a function tinylib.module:name, got {name!r:.60}")
    module, function = name.split(":")
    return getattr(import_module(module), function)


def _examples(function: Any, examples: list) -> Feedback:
    """A function is tried on the public examples; the rest is judged at grading."""
    if not callable(function):
        return Feedback(False, 0.0, "The answer must be a function: give its name without parentheses.")
    for arguments, expected in examples:
        shown = ", ".join(repr(a) for a in arguments)
        try:
            got = plain(function(*deepcopy(arguments)))
        except NotPlain as error:
            return Feedback(False, 0.0, f"Called with ({shown}): {error}.")
        except Exception as error:
            return Feedback(False, 0.0, f"Called with ({shown}), it raised {type(error).__name__}: {error}.")
        if wrong := difference(got, expected):
            return Feedback(False, 0.0, f"Called with ({shown}): {wrong}.")
    count = f"{len(examples)} public example{'s' if len(examples) != 1 else ''}"
    return Feedback(True, 1.0, f"It agrees with the {count}; more arguments are tried at grading.")


def difference(got: Any, expected: Any) -> str:
    """The first difference between two plain values, in words; empty when they agree (floats to 1e-6)."""
    if got is None:
        return "nothing was returned"
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            return f"a dict was expected, got {short(got)}"
        for name, value in expected.items():
            if name not in got:
                return f"the entry {name!r} is missing"
            if wrong := difference(got[name], value):
                return f"{name}: {wrong}"
        return ""
    if isinstance(expected, list | tuple):
        if not isinstance(got, list) or len(got) != len(expected):
            return f"{len(expected)} values were expected, got {short(got)}"
        return next(
            (
                f"value {i}: {wrong}"
                for i, (g, e) in enumerate(zip(got, expected))
                if (wrong := difference(g, e))
            ),
            "",
        )
    if type(expected) in (int, float):
        return _number_difference(got, expected)
    return (
        ""
        if type(got) is type(expected) and got == expected
        else f"{short(expected)} was expected, got {short(got)}"
    )


def _number_difference(got: Any, expected: float) -> str:
    try:
        close = abs(real(got) - expected) <= 1e-6 * abs(expected)
    except NotPlain as error:
        return str(error)
    except OverflowError:
        close = False
    return "" if close else f"{short(expected)} was expected, got {short(got)}"
