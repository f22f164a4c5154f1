"""From an answer to feedback: exact about units, generous about how the number is written."""

from collections.abc import Mapping
from typing import Any

from tinylib import units
from tinylib.practice.exercise import Absolute, Exercise
from tinylib.practice.feedback import Feedback
from tinylib.practice.plain import NotPlain, plain, real, short

UNIT_SLIPS = ("mixed up ", "answered in ")  # how the named mistake begins where only the unit was wrong


def judge_value(exercise: Exercise, given: Mapping[str, Any], value: Any) -> Feedback:
    """Feedback on one answer to one variant. Never raises for a bad value, whatever it is.

    value: a number, text with or without a unit ("13.6 MB"), or, where choices are asked, the pair
    (number, choice).
    """
    try:
        if value is None or value is Ellipsis or (type(value) is tuple and value[:1] and value[0] is None):
            message = f"No answer yet: the question asks for {_unit(exercise)}."
            return Feedback(False, 0.0, message, read=False)
        value = plain(value)
        if not exercise.choices:
            return _judge_number(exercise, given, value)
        return _judge_pair(exercise, given, value)
    except (NotPlain, ValueError) as error:
        return Feedback(False, 0.0, sentence(error), read=False)


def _judge_pair(exercise: Exercise, given: Mapping[str, Any], value: Any) -> Feedback:
    if type(value) is str:  # "96 KiB, fits" or "96 KiB fits"; the longest choice that ends the text
        said = max((c for c in exercise.choices if value.strip().endswith(c)), key=len, default="")
        value = [value.strip().removesuffix(said).strip(" ,;"), said] if said else value
    if type(value) is not list or len(value) != 2 or value[1] not in exercise.choices:
        options = " or ".join(repr(c) for c in exercise.choices)
        if type(value) is list and len(value) == 2 and value[1] is None:
            raise ValueError(f"the answer must also say {options}, got the number alone")
        raise ValueError(f"the answer must be a number and {options}, got {short(value)}")
    number, choice = value
    feedback = _judge_number(exercise, given, number)
    if not feedback.right or choice == exercise.choice(**given):
        return feedback
    message = f"The number is right, but it does not say {choice!r}: compare it with the limit."
    return Feedback(False, 0.5, message, mistake="drew the wrong conclusion from the right number")


def _judge_number(exercise: Exercise, given: Mapping[str, Any], value: Any) -> Feedback:
    answer = exercise.answer(**given)
    if type(value) is str:
        try:
            quantity = units.parse(value, "the answer")
        except ValueError as error:
            raise ValueError(f"{error}; the question asks for {_unit(exercise)}") from None
        if quantity.unit and quantity.unit != exercise.unit:
            return _other_unit(exercise, given, answer, quantity)
        value = quantity.value
    value = real(value)
    if _near(exercise, value, answer):
        return Feedback(True, 1.0, _right_message(exercise, answer))
    mistakes = exercise.mistakes(given)
    near = [(m, wrong) for m, wrong in mistakes if _near(exercise, value, wrong)]
    near = near or [(m, wrong) for m, wrong in mistakes if _rounds_to(value, wrong, answer)]
    if near:
        named = min(near, key=lambda pair: abs(value - pair[1]))[0]
        return Feedback(False, 0.0, named.hint, mistake=named.hint)
    return Feedback(False, 0.0, _direction(exercise, value, answer))


def _other_unit(
    exercise: Exercise, given: Mapping[str, Any], answer: float, quantity: units.Quantity
) -> Feedback:
    """The learner wrote a unit of their own: convert it, and name the slip where units were mixed up."""
    asked, wrote = exercise.unit, quantity.unit
    if not units.same_dimension(asked, wrote):
        hint = f"The question asks for {_unit(exercise)}, and {wrote} measures something else."
        if {"MAC", "FLOP"} == {word for word in ("MAC", "FLOP") for u in (asked, wrote) if word in u}:
            hint = f"The question asks for {asked}, not {wrote}: one MAC is two FLOPs, a multiply and an add."
        return Feedback(False, 0.0, hint, mistake=f"{UNIT_SLIPS[1]}{wrote} where {_unit(exercise)} is asked")
    converted = real(quantity.to(asked).value)
    if units.twins(asked, wrote):
        return _twin_unit(exercise, answer, quantity, converted)
    return _judge_number(exercise, given, converted)


def _twin_unit(exercise: Exercise, answer: float, quantity: units.Quantity, converted: float) -> Feedback:
    asked, wrote = exercise.unit, quantity.unit
    one = {unit: units.Quantity(1, unit).to("B").value for unit in (wrote, asked)}
    sizes = f"1 {wrote} is {one[wrote]:,} B and 1 {asked} is {one[asked]:,} B"
    if _near(exercise, quantity.value, answer):
        hint = f"The number fits {asked}, but you wrote {wrote}: {sizes}."
    elif _near(exercise, converted, answer):
        hint = f"The right amount in {wrote}, but the question asks for {asked}: {sizes}."
    else:
        hint = f"The question asks for {asked}, and you answered in {wrote}: {sizes}. The amount differs too."
    return Feedback(False, 0.0, hint, mistake=f"{UNIT_SLIPS[0]}{wrote} and {asked}")


def _near(exercise: Exercise, value: float | int, target: float | int) -> bool:
    try:
        return abs(value - target) <= exercise.tolerance.around(target)
    except OverflowError:  # an int beyond the range of a float is near nothing here
        return False


def _rounds_to(value: float | int, wrong: float, answer: float) -> bool:
    """A mistake given with few digits: within 0.5 % of it, where it is far from the answer."""
    try:
        return abs(value - wrong) <= 0.005 * abs(wrong) and abs(wrong - answer) > 0.05 * abs(answer)
    except OverflowError:
        return False


def _direction(exercise: Exercise, value: float | int, answer: float) -> str:
    """What can be said of a wrong number that no named mistake explains."""
    if value < 0 <= answer:
        return f"A quantity in {_unit(exercise)} cannot be negative here, got {short(value)}."
    try:
        ratio = float(value) / answer if answer else float("inf")
    except OverflowError:
        ratio = float("inf")
    if abs(ratio - 1) < 0.05:
        if exercise.tolerance == Absolute(0):
            return "Close, but this is an exact count: give every digit."
        return "Close, but outside the tolerance: keep more digits until the last step."
    said = f"{short(value)} {exercise.shown_unit}".rstrip()
    if 0 < ratio < 0.1 or ratio > 10:
        size = "far too small" if ratio < 1 else "far too large"
        return f"{said} is {size}: check powers and prefixes."
    return f"{said} is too {'small' if value < answer else 'large'}; a hint may help."


def _right_message(exercise: Exercise, answer: float) -> str:
    exact = f"{answer:,}" if isinstance(answer, int) else f"{answer:,.6g}"
    return f"{exact} {exercise.shown_unit}".rstrip() + "."


def _unit(exercise: Exercise) -> str:
    return "a factor" if exercise.unit == "x" else exercise.shown_unit or "a plain number"


def sentence(error: Exception) -> str:
    """An error's message as a sentence of its own."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "…", "?")) else ".")
