"""quiz(id): one exercise as a box to type in, with the named mistake, staged hints and fresh numbers."""

from html import escape
from typing import Any

from ipywidgets import HTML, Button, HBox, RadioButtons, Text, VBox

from tinylib.practice import progress
from tinylib.practice.assignment import unknown_exercise
from tinylib.practice.bank import BANK
from tinylib.practice.exercise import Exercise, variant
from tinylib.practice.feedback import Feedback
from tinylib.practice.hints import ladder
from tinylib.practice.judging import judge_value


class Quiz:
    """The state of one quiz box: which numbers, how many tries, how many hints. Shown as widgets.

    seed: of the variant to begin with, None for the printed numbers; where: as the record names this box
    """

    def __init__(self, exercise: Exercise, seed: str | None = None, where: str = "quiz") -> None:
        self.exercise, self.seed, self.where = exercise, seed, where
        self.given = variant(exercise, seed)
        self.tries = self.hints = self.drawn = 0
        self.right = False
        self.prompt, self.reply = HTML(), HTML()
        self.answer = Text(
            placeholder=exercise.wanted,
            description="Answer",
            tooltip=f"Your answer to: {exercise.title}",
        )
        self.choice = RadioButtons(options=exercise.choices, value=None, description="and")
        self.buttons = {
            "Check": Button(description="Check", button_style="primary", tooltip="Check this answer"),
            "Hint": Button(description="Hint", tooltip="Show the next hint"),
            "New numbers": Button(description="New numbers", tooltip="Ask again with fresh numbers"),
        }
        self._wire()
        self.show_prompt()

    def _wire(self) -> None:
        self.buttons["Check"].on_click(lambda _: self.check())
        self.buttons["Hint"].on_click(lambda _: self.hint())
        self.buttons["New numbers"].on_click(lambda _: self.renew())
        self.answer.continuous_update = False
        self.answer.observe(lambda _: self.check() if self.answer.value.strip() else None, "value")
        self.buttons["New numbers"].disabled = not self.exercise.draws

    def show_prompt(self) -> None:
        """The prompt with the present numbers; the reply is emptied."""
        text = self.exercise.text(self.given)
        self.prompt.value = (
            f'<p style="line-height:1.5"><strong>{escape(self.exercise.title)}.</strong> {escape(text)}</p>'
        )
        self._answered: Any = None
        self.say("")

    def say(self, html: str) -> None:
        """Put a reply under the box; a screen reader reads it out."""
        self.reply.value = f'<div aria-live="polite">{html}</div>'

    def check(self) -> Feedback | None:
        """Judge what stands in the box; the same answer twice is one try."""
        value = (self.answer.value, self.choice.value) if self.exercise.choices else self.answer.value
        if value == self._answered:
            self.say(self._verdict)  # it stood there before a hint did
            return None
        self._answered = value
        text = self.answer.value.strip() or None
        feedback = judge_value(
            self.exercise, self.given, (text, self.choice.value) if self.exercise.choices else text
        )
        self.tries += feedback.read and not feedback.right
        self.right = feedback.right is True
        if feedback.read:  # half an answer is none, and neither is a slip of the keyboard
            marks = feedback.right, feedback.mistake, self.seed, self.where
            progress.append(self.exercise.id, text, *marks)
        self._verdict = feedback._repr_html_()
        self.say(self._verdict)
        return feedback

    def hint(self) -> None:
        """The next rung of the ladder: hints, then the worked solution after two tries."""
        self.hints += 1
        self.say(f"<p>{escape(ladder(self.exercise, self.given, self.hints, self.tries))}</p>")

    def renew(self) -> None:
        """The same question with fresh numbers."""
        self.drawn += 1
        self.seed = str(self.drawn)
        self.given = variant(self.exercise, self.seed)
        self.tries = self.hints = 0
        self.answer.value = ""
        self.show_prompt()

    def widget(self) -> VBox:
        """The box as one widget."""
        rows = [self.prompt, self.answer, HBox(list(self.buttons.values())), self.reply]
        if self.exercise.choices:
            rows.insert(2, self.choice)
        return VBox(rows)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        text = self.exercise.text(self.given)
        live = self.widget()._repr_mimebundle_() or {}
        return {
            **live,
            "text/plain": f"Quiz: {text} (Run this cell to answer.)",
            "text/html": f"<p><strong>Quiz.</strong> {escape(text)} <em>Run this cell to answer.</em></p>",
        }


def quiz(exercise_id: str) -> Quiz:
    """A box for one exercise of the bank. Raises KeyError with one sentence for an unknown id."""
    if exercise_id not in BANK:
        raise unknown_exercise(exercise_id, BANK)
    return Quiz(BANK[exercise_id])
