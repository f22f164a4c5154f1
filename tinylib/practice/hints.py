"""Staged hints: the next one each time you ask, and the worked solution after two tries."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tinylib.practice.assignment import current
from tinylib.practice.exercise import Exercise

TRIES_BEFORE_SOLUTION = 2


def ladder(exercise: Exercise, given: Mapping[str, Any], asked: int, tries: int) -> str:
    """What to say at the asked-th request (from 1) after so many tries."""
    if asked <= len(exercise.hints):
        return f"Hint {asked} of {len(exercise.hints)}: {exercise.hints[asked - 1]}"
    if tries < TRIES_BEFORE_SOLUTION or exercise.steps is None:
        return "No more hints: try an answer, and the reply will name what went wrong."
    return "Worked solution: " + "; ".join(exercise.steps(**given)) + "."


_asked: Counter[str] = Counter()


def hint(exercise_id: str) -> str:
    """The next hint for this exercise, as text; a KeyError sentence names an unknown id."""
    assignment = current()
    exercise = assignment.question(exercise_id)
    if not isinstance(exercise, Exercise):
        return "This question is graded without hints."
    _asked[exercise_id] += 1
    asked = min(_asked[exercise_id], len(exercise.hints))
    return ladder(exercise, assignment.numbers(exercise_id), asked, tries=0)
