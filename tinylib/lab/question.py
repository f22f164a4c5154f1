"""question(id): show a prompt with the numbers drawn for this student, and hold them as attributes."""

from html import escape
from typing import Any

from IPython.display import display

from tinylib.practice.assignment import current


class Question:
    """The numbers of one question as attributes: q.k, q.c_in. Shows itself as the prompt."""

    def __init__(self, prompt: str, ticket: str, numbers: dict[str, Any]) -> None:
        self._prompt, self._ticket = prompt, ticket
        self.__dict__.update(numbers)

    def __repr__(self) -> str:
        return self._prompt

    def _repr_html_(self) -> str:
        ticket = f' <small style="opacity:.75">ticket {self._ticket}</small>' if self._ticket else ""
        return (
            f'<div style="border:1px solid currentColor;border-radius:6px;padding:.6em 1em;margin:.4em 0">'
            f"{escape(self._prompt)}{ticket}</div>"
        )


def question(exercise_id: str) -> Question:
    """Show the question of the open assignment and return its numbers.

    Raises KeyError with one sentence for an id that neither the bank nor the assignment knows.
    """
    assignment = current()
    asked = assignment.question(exercise_id)
    numbers = assignment.numbers(exercise_id)
    shown = Question(asked.text(numbers), assignment.ticket(exercise_id), numbers)
    display(shown)
    return shown
