"""Where a learner stands in the book: what is done, what is next, what is weak, and the minutes left.

A lesson is done when each of its questions was right once, wherever it was asked; an assignment when each was
right, or noted for grading, in the assignment itself. The book's contents are data (`data/book.json`), made
from the course's table. Concepts are the chapters of the bank, and units, which run through all of them.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tinylib.practice.bank import BANK, CHAPTERS
from tinylib.practice.judging import UNIT_SLIPS
from tinylib.practice.progress import Answer
from tinylib.show.book_map import Stop

UNITS = "Units and prefixes"
LAST = 10  # first tries at a concept that count
RECENT = 5  # quiz answers that tell the lesson one is in
LEAST = 3  # first tries before anything is called weak


@dataclass(frozen=True)
class Page:
    """A lesson or an assignment. needs: names of lessons; asks: ids of questions; minutes: at a calm pace.

    assignment: the one that a lesson leads to
    """

    name: str
    title: str
    minutes: int
    needs: tuple[str, ...]
    asks: tuple[str, ...]
    assignment: str = ""

    @property
    def is_lesson(self) -> bool:
        """Whether it is read; an assignment is handed in."""
        return self.name[0].isdigit()


@dataclass(frozen=True)
class Standing:
    """One page and how many of its questions are right [count]."""

    page: Page
    right: int

    @property
    def done(self) -> bool:
        """Whether every question was right once."""
        return self.right == len(self.page.asks)

    @property
    def minutes_left(self) -> float:
        """The page's minutes for the share of its questions that is still open [min]."""
        return self.page.minutes * (1 - self.right / len(self.page.asks))


@dataclass(frozen=True)
class Weak:
    """A concept where at least half of the last first tries missed. mistake: the one named most often."""

    concept: str
    missed: int
    tried: int
    mistake: str
    ids: tuple[str, ...]  # questions that were missed, the latest last


@cache
def book() -> tuple[Page, ...]:
    """Lessons, then assignments, each in its order."""
    text = (Path(__file__).parent / "data" / "book.json").read_text(encoding="utf-8")
    rows = json.loads(text)["pages"]
    return tuple(Page(**{k: tuple(v) if isinstance(v, list) else v for k, v in r.items()}) for r in rows)


@cache
def concepts() -> dict[str, str]:
    """Exercise -> its concept: the chapter's title without its number."""
    return {e.id: title.split(" ", 1)[1] for title, found in CHAPTERS.items() for e in found}


def standings(answers: Iterable[Answer]) -> tuple[Standing, ...]:
    """Every page of the book with what is right so far."""
    given = [a for a in answers if a.where]
    right = {a.id for a in given if a.right}
    handed = {(a.where, a.id) for a in given if a.right is not False}
    return tuple(
        Standing(p, sum(i in right if p.is_lesson else (p.name, i) in handed for i in p.asks)) for p in book()
    )


def next_lesson(found: Sequence[Standing], answers: Sequence[Answer]) -> Page | None:
    """The lesson one is in; when it is done, a later one that needs nothing else; else the first open one.

    None when all are done. One is in the lesson that asks most of the latest quiz answers.
    """
    lessons = [s for s in found if s.page.is_lesson]
    latest = [a.id for a in answers if a.where == "quiz"][-RECENT:]
    here = max(lessons, key=lambda s: sum(i in s.page.asks for i in latest))
    done = {s.page.name for s in lessons if s.done}
    still = [s.page for s in lessons if not s.done]
    if latest and not here.done:
        return here.page
    later = (p for p in still if latest and p.name > here.page.name and {here.page.name, *p.needs} <= done)
    return next(later, still[0] if still else None)


def minutes_left(found: Iterable[Standing], lessons: bool = True) -> float:
    """Time for what is open of the lessons, or of the assignments [min]."""
    return sum(s.minutes_left for s in found if s.page.is_lesson == lessons)


def first_tries(answers: Iterable[Answer]) -> list[Answer]:
    """The judged answers that met their numbers anew: what follows a miss of the same numbers is left out."""
    found, last = [], {}
    for a in answers:
        if a.right is None or not a.where or a.id not in BANK:
            continue
        before = last.get(a.id)
        if before is None or before.right or before.seed != a.seed:
            found.append(a)
        last[a.id] = a
    return found


def weak(answers: Iterable[Answer], most: int = 3) -> list[Weak]:
    """The weakest concepts, weakest first, by the last ten first tries at each; a few tries count less."""
    tries: dict[str, list[tuple[Answer, bool]]] = {}
    for a in first_tries(answers):
        tries.setdefault(concepts()[a.id], []).append((a, not a.right))
        if BANK[a.id].shown_unit:
            tries.setdefault(UNITS, []).append((a, a.mistake.startswith(UNIT_SLIPS)))
    found = [_weak(concept, rows[-LAST:]) for concept, rows in tries.items()]
    found = [w for w in found if w.tried >= LEAST and 2 * w.missed >= w.tried]
    return sorted(found, key=lambda w: (-(w.missed + 1) / (w.tried + 2), w.concept))[:most]


def _weak(concept: str, rows: Sequence[tuple[Answer, bool]]) -> Weak:
    missed = [a for a, miss in rows if miss]
    named = Counter(a.mistake for a in missed if a.mistake)
    mistake = named.most_common(1)[0][0] if named else ""
    return Weak(concept, len(missed), len(rows), mistake, tuple(dict.fromkeys(a.id for a in missed)))


def lesson_of(exercise_id: str) -> Page | None:
    """The first lesson whose quiz asks it; else the first that leads to an assignment which asks it."""
    lessons = [p for p in book() if p.is_lesson]
    asking = {p.name for p in book() if exercise_id in p.asks}
    return next((p for p in lessons if p.name in asking), None) or next(
        (p for p in lessons if p.assignment in asking), None
    )


def stops(found: Sequence[Standing]) -> tuple[list[Stop], list[Stop]]:
    """Lessons and assignments as the map shows them; a link leads there from the folder of the lessons."""
    number = {s.page.name: s.page.name.split("_")[0] for s in found}
    lessons, tasks = [], []
    for s in found:
        p, words = s.page, s.page.title
        needs = tuple(number[n] for n in p.needs)
        if p.is_lesson:
            opens = (t.page.name for t in found if not t.page.is_lesson and max(t.page.needs) == p.name)
            link, words = f"{p.name}.ipynb", words.split(" ", 1)[1]
            more = needs, tuple(number[t] for t in opens), link
            lessons.append(Stop(number[p.name], words, s.right, len(p.asks), p.minutes, *more))
        else:
            link = f"../exercises/{p.name}/{p.name}.ipynb"
            tasks.append(Stop(number[p.name], words, s.right, len(p.asks), p.minutes, needs, (), link))
    return lessons, tasks


def spoken(minutes: float) -> str:
    """A duration to five minutes: '15 min', '1 h 5 min', '18 h' from ten hours on [text]."""
    whole = 5 * round(minutes / 5) if minutes >= 5 else 5 * (minutes > 0)
    hours, rest = divmod(whole, 60)
    if hours >= 10:
        return f"{round(minutes / 60)} h"
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest or not hours else [])])
