"""Copied numbers: wrong answers of one student that would have been right for a classmate."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from tinylib.practice.assignment import Assignment
from tinylib.practice.exercise import Exercise
from tinylib.practice.judging import judge_value

COPIED_FROM = 2  # so many answers must fit the same classmate before a copy is flagged
MAX_NAMED = 3  # classmates named in flags of one student


def copies(
    wrong: Mapping[str, list[tuple[str, Any]]], assignment: Assignment, item: Callable[[str], Exercise]
) -> dict[str, list[str]]:
    """Student -> a sentence for each classmate whose numbers fit two or more of these wrong answers."""
    students_of = cache(lambda exercise_id: _grouped(assignment, exercise_id, list(wrong)))

    @cache
    def owners(exercise_id: str, answer: Any) -> list[str]:
        groups = students_of(exercise_id)
        right = [names for given, names in groups if judge_value(item(exercise_id), given, answer).right]
        return [name for names in right for name in names]

    found = {}
    for student, answers in wrong.items():
        fits: dict[str, list[str]] = {}
        for exercise_id, answer in answers:
            for other in owners(exercise_id, answer):
                fits.setdefault(other, []).append(exercise_id)
        fits.pop(student, None)
        close = sorted((pair for pair in fits.items() if len(pair[1]) >= COPIED_FROM), key=_most_first)
        said = [f"{len(ids)} answers fit the numbers of {other}: {', '.join(ids)}" for other, ids in close]
        if len(said) > MAX_NAMED:
            said[MAX_NAMED:] = [f"they fit {len(said) - MAX_NAMED} more classmates with the same numbers"]
        if said:
            found[student] = said
    return found


def _most_first(pair: tuple[str, list[str]]) -> tuple[int, str]:
    return -len(pair[1]), pair[0]


def _grouped(assignment: Assignment, exercise_id: str, students: list[str]) -> list[tuple[dict, list[str]]]:
    """The sets of numbers in the class, each with who has it, so that each is judged once."""
    groups: dict[str, tuple[dict, list[str]]] = {}
    for name in students:
        given = assignment.numbers(exercise_id, name)
        groups.setdefault(repr(given), (given, []))[1].append(name)
    return list(groups.values())
