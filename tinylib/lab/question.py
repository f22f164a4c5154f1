"""question(id): show a prompt with the numbers drawn for this student, and hold them as attributes."""

from html import escape
from typing import Any

from IPython.display import display

from tinylib.practice.assignment import current


class Question:
    """The numbers of one question as attributes: q.k, q.c_in. Shows itself as the prompt."""

    def __init__(self, exercise_id: str, prompt: str, numbers: dict[str, Any]) -> None:
        self._id, self._prompt = exercise_id, prompt
        self.__dict__.update(numbers)

    def __repr__(self) -> str:
        return self._prompt

    def _repr_html_(self) -> str:
        return (
            f'<div style="border:1px solid currentColor;border-radius:6px;padding:.6em 1em;margin:.4em 0">'
            f"{escape(self._prompt)}</div>"
        )


def question(exercise_id: str) -> Question:
    """Show the question of the open assignment and return its numbers.

    Raises KeyError with one sentence for an id that neither the bank nor the assignment knows.
    """
    assignment = current()
    asked = assignment.question(exercise_id)
    numbers = assignment.numbers(exercise_id)
    shown = Question(exercise_id, asked.text(numbers), numbers)
    display(shown)
    return shown
