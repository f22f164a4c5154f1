"""What every exercise of the bank must keep, one function a rule; `check_chapter` applies them all."""

import json
import re
from pathlib import Path

import pytest

from tinylib import units
from tinylib.practice import Exercise, variant
from tinylib.practice.judging import judge_value

# id -> given, answer, unit and the values of the known mistakes, each worked apart from this code
PUBLISHED = json.loads((Path(__file__).parent / "published.json").read_text())
SEEDS = 200
NOISE = re.compile(r"\d\.\d*(?:0{6,}|9{6,})\d|\d\.\d{9,}|\d[eE][+-]?\d")


def right_value(exercise: Exercise, given: dict) -> object:
    number = exercise.answer(**given)
    return (number, exercise.choice(**given)) if exercise.choices else number


def wrong_value(exercise: Exercise, given: dict, value: float) -> object:
    return (value, exercise.choice(**given)) if exercise.choices else value


def agrees_with_the_published_instance(exercise: Exercise) -> None:
    known = PUBLISHED[exercise.id]
    assert dict(exercise.given) == known["given"]
    assert exercise.answer(**exercise.given) == pytest.approx(known["answer"], rel=1e-9)
    assert exercise.expect == pytest.approx(known["answer"], rel=1e-9)
    found = [value for _, value in exercise.mistakes(exercise.given)]
    for value in known["mistakes"]:
        assert any(v == pytest.approx(value, rel=1e-9) for v in found), f"mistake {value} is not named"
    assert list(exercise.choices) == (known["choices"] or [])


def names_each_mistake(exercise: Exercise) -> None:
    assert judge_value(exercise, exercise.given, right_value(exercise, exercise.given)).right
    for misconception, value in exercise.mistakes(exercise.given):
        feedback = judge_value(exercise, exercise.given, wrong_value(exercise, exercise.given, value))
        assert not feedback.right and feedback.share == 0
        assert feedback.mistake == misconception.hint, value


def has_answerable_variants(exercise: Exercise) -> None:
    for seed in range(SEEDS):
        given = variant(exercise, seed)
        assert set(given) == set(exercise.given)
        assert judge_value(exercise, given, right_value(exercise, given)).right, given
        for _, value in exercise.mistakes(given):
            assert not judge_value(exercise, given, wrong_value(exercise, given, value)).right, (given, value)


def prints_cleanly(exercise: Exercise) -> None:
    for seed in (None, *range(20)):
        given = variant(exercise, seed)
        lines = [exercise.text(given), *exercise.steps(**given)]
        assert len(lines) >= 2 and all(line.strip() for line in lines)
        for line in lines:
            assert "{" not in line and not NOISE.search(line), line


def is_complete(exercise: Exercise) -> None:
    assert exercise.title and exercise.source and len(exercise.hints) >= 2
    assert all(m.hint.strip().endswith((".", "?")) for m in exercise.misconceptions)
    units.canonical(exercise.unit)


RULES = (
    agrees_with_the_published_instance,
    names_each_mistake,
    has_answerable_variants,
    prints_cleanly,
    is_complete,
)


def check_chapter(exercises: tuple[Exercise, ...]) -> None:
    """Apply every rule to every exercise; the first failure says rule and id."""
    for exercise in exercises:
        for rule in RULES:
            try:
                rule(exercise)
            except Exception as error:
                raise AssertionError(f"{exercise.id} fails {rule.__name__}: {error!r:.500}") from error
