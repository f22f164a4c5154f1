"""home() and review(): where one stands in the book; and questions once wrong, with fresh numbers."""

import json
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from ipywidgets import HTML, Button, VBox

from tinylib.lab.quiz import Quiz
from tinylib.practice import plan, progress
from tinylib.practice import review as spaced
from tinylib.practice.bank import BANK
from tinylib.practice.progress import Answer
from tinylib.show.book_map import STYLE, Stop, book_map, book_table

CALL = "home()"  # the cell of the page that shows the map


class Home:
    """The map of the book with what is done, what is next and what is weak, by answers, oldest first."""

    def __init__(self, answers: list[Answer]) -> None:
        found = plan.standings(answers)
        self.lessons, self.tasks = plan.stops(found)
        lesson = plan.next_lesson(found, answers)
        self.next = next((s for s in self.lessons if lesson and s.link == f"{lesson.name}.ipynb"), None)
        self.weak = plan.weak(answers)
        self.begun = any(s.right for s in found)
        self.left = [plan.spoken(plan.minutes_left(found, lessons)) for lessons in (True, False)]
        self.svg = book_map(self.lessons, self.tasks, self.next.number if self.next else "")

    def __repr__(self) -> str:
        return "\n".join(self._said(lambda words, _: words))

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{line}</p>" for line in self._said(_link))
        tables = book_table(self.lessons, "Lessons") + book_table(self.tasks, "Assignments")
        listed = f"<details><summary>The same as a list, with links</summary>{tables}</details>"
        return f'<div class="t-book"><style>{STYLE}</style>{said}{self._weak()}{self.svg}{listed}</div>'

    def _said(self, link: Any) -> list[str]:
        if not self.next:
            return ["Every lesson is done. What you once got wrong comes back below."]
        lesson, time = link(self.next.name, self.next.link), self.next.minutes
        lines = [f"Go on with {lesson}: {self.next.right} of {self.next.asks} questions right."]
        if not self.begun:
            lines = [f"Nothing is done yet, and that is fine. Begin with {lesson}: about {time} min."]
        ready = [link(t.name, t.link) for t in self._ready()]
        lines += [f"Ready for marks: {', '.join(ready[:3])}."] if ready else []
        return [*lines, f"Left: about {self.left[0]} of lessons, {self.left[1]} of assignments."]

    def _ready(self) -> list[Stop]:
        """Assignments that are open, with all that they need done."""
        done = {s.number for s in self.lessons if s.state == "done"}
        return [t for t in self.tasks if t.state != "done" and set(t.needs) <= done]

    def _weak(self) -> str:
        if not self.weak:
            return ""
        rows = []
        for w in self.weak:
            page = plan.lesson_of(w.ids[-1])
            where = f" {_link(f'Lesson {page.title[:2]}', f'{page.name}.ipynb')}." if page else ""
            named = f" Most often: <q>{escape(w.mistake)}</q>" if w.mistake else ""
            rows.append(
                f"<li><b>{escape(w.concept)}</b>: {w.missed} of the last {w.tried} first tries missed."
                f"{named}{where}</li>"
            )
        return f"<p>Worth another look:</p><ul>{''.join(rows)}</ul>"


def _link(words: str, target: str) -> str:
    return f'<a href="{escape(target)}">{escape(words)}</a>'


def home() -> Home:
    """The map of the book and where one stands in it, by the record."""
    return Home(progress.answers())


class Review:
    """Up to five questions that are due, one at a time, as quiz boxes with fresh numbers.

    Before anything is due, a button asks what comes next all the same.
    """

    def __init__(self, answers: list[Answer], now: datetime, count: int = 5) -> None:
        self._answers, self._count = answers, count
        self.cards = spaced.cards(answers, now)
        self.boxes = self._boxes(spaced.due(self.cards, now, count))
        self.at, self.early = 0, False
        self.head, self.place = HTML(), VBox()
        self.next = Button(description="Next question", tooltip="Go on to the next question")
        self.next.on_click(lambda _: self.go_on())
        self._show()

    def _boxes(self, cards: list[spaced.Card]) -> list[Quiz]:
        seeds = [(BANK[c.id], spaced.fresh_seed(BANK[c.id], self._answers)) for c in cards]
        return [Quiz(exercise, seed, "review") for exercise, seed in seeds]

    @property
    def box(self) -> Quiz | None:
        """The question that is shown, None where there is none."""
        return self.boxes[self.at] if self.at < len(self.boxes) else None

    def go_on(self) -> None:
        """The next question; from the first word on, what is not due yet."""
        if not self.boxes:
            self.boxes, self.early = self._boxes(self.cards[: self._count]), True
        else:
            self.at += 1
        self._show()
        if self.box:
            self.box.answer.focus()

    def said(self) -> str:
        """Where one is, in a line."""
        if self.box:
            return f"Question {self.at + 1} of {len(self.boxes)}: {self._after()}."
        if self.boxes:
            right = sum(box.right for box in self.boxes)
            return (
                f"That was all for now: {right} of {len(self.boxes)} right. What missed comes back tomorrow."
            )
        if self.cards:
            day = self.cards[0].due.astimezone().strftime("%A %d %B")
            some = (
                "one question waits"
                if len(self.cards) == 1
                else f"{len(self.cards)} questions wait, the first"
            )
            return f"Nothing is due now: {some} until {day}."
        return (
            "Nothing to repeat yet. A question that you get wrong comes back here a day later, with other "
            "numbers. Lesson 00 is a good place to start."
        )

    def _after(self) -> str:
        """What a right answer does."""
        box = next(c.box for c in self.cards if c.id == self.box.exercise.id)
        if self.early:
            return "a right answer before its day moves nothing, a wrong one brings it back tomorrow"
        rest = f"rests for {2**box} days" if box < spaced.BOXES else "is known for good"
        return f"answered right, it {rest}; wrong, it is back tomorrow"

    def _show(self) -> None:
        self.head.value = f'<p role="status">{escape(self.said())}</p>'
        last = self.at == len(self.boxes) - 1
        self.next.description = (
            ("Finish" if last else "Next question") if self.boxes else "Ask now all the same"
        )
        shown = self.box is not None or (bool(self.cards) and not self.boxes)
        self.place.children = [*([self.box.widget()] if self.box else []), *([self.next] if shown else [])]

    def __repr__(self) -> str:
        return self.said()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        live = VBox([self.head, self.place])._repr_mimebundle_() or {}
        return {**live, "text/plain": self.said(), "text/html": f"<p>{escape(self.said())}</p>"}


def review(count: int = 5) -> Review:
    """Questions once answered wrong that are due again: at most `count`, one at a time."""
    return Review(progress.answers(), datetime.now(UTC), count)


def refresh(page: str | Path) -> bool:
    """Put the present map into a saved home page, so that it is there before anything runs.

    Whether the page had a cell for it; a page that cannot be read is left as it is.
    """
    page = Path(page)
    try:
        nb = json.loads(page.read_text(encoding="utf-8"))
        cell = next(c for c in nb["cells"] if "".join(c["source"]).strip() == CALL)
        shown = home()
        data = {"text/html": shown._repr_html_(), "text/plain": repr(shown)}
        cell["outputs"] = [
            {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": None}
        ]
        text = json.dumps(nb, indent=1, ensure_ascii=False) + "\n"
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return False
    part = page.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(page)
    return True
