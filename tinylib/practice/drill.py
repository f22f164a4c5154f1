"""A drill in the terminal: questions with fresh numbers, named mistakes, hints, and a word at the end.

An answer is a number with or without its unit. `?` asks for a hint, an empty line goes on, Ctrl-D ends.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tinylib.practice import plan, progress, review
from tinylib.practice.bank import BANK
from tinylib.practice.exercise import Exercise, variant
from tinylib.practice.hints import ladder
from tinylib.practice.judging import judge_value
from tinylib.practice.progress import Answer
from tinylib.practice.worksheet import answer_text, chapter

HOW = "A number with or without unit; ? for a hint, an empty line goes on, Ctrl-D ends."


@dataclass(frozen=True)
class Outcome:
    """What a drill came to [count]: questions met, right ones, and those right at the first try."""

    asked: int
    right: int
    first: int

    def __str__(self) -> str:
        return f"{self.right} of {self.asked} right, {self.first} at the first try."


def chosen(kind: str, count: int, answers: Sequence[Answer], now: datetime) -> list[Exercise]:
    """Which exercises to ask.

    kind: "review" (once wrong and due), "weak" (of the weakest concepts), a chapter's number or letter, or
    "" for what is due, and then the open questions of the next lesson. Raises ValueError for no such chapter
    and for a count outside 1..100.
    """
    if not 1 <= count <= 100:
        raise ValueError(f"count must lie between 1 and 100, got {count}")
    due = [card.id for card in review.due(review.cards(answers, now), now, count)]
    if kind == "review":
        ids = due
    elif kind == "weak":
        ids = [i for w in plan.weak(answers) for i in (*w.ids, *_of(w.concept))]
    elif kind:
        ids = [e.id for e in chapter(kind)[1]]
    else:
        found = plan.standings(answers)
        lesson, right = plan.next_lesson(found, answers), {a.id for a in answers if a.right and a.where}
        ids = [*due, *(i for i in (lesson.asks if lesson else BANK) if i not in right)]
    unique = list(dict.fromkeys(ids))
    if kind not in ("", "review"):  # those answered least go first
        unique.sort(key=lambda i: sum(a.id == i for a in answers))
    return [BANK[i] for i in unique[:count]]


def _of(concept: str) -> list[str]:
    return [i for i, name in plan.concepts().items() if name == concept]


def seeds(exercises: Sequence[Exercise], answers: Sequence[Answer], seed: str = "") -> list[str]:
    """A seed for each: of numbers that the record has not seen; without any record, at random."""
    word = seed or ("drill" if answers else f"drill {os.urandom(6).hex()}")
    return [review.fresh_seed(e, answers, word) for e in exercises]


def drill(
    exercises: Sequence[Exercise],
    chosen_seeds: Sequence[str],
    ask: Callable[[str], str],
    say: Callable[[str], object],
    where: str = "drill",
) -> Outcome:
    """Ask one question after the other; `ask` raises EOFError where the drill shall end."""
    asked = right = first = 0
    answers: list[str] = []  # to the question that is asked now
    try:
        for place, (exercise, seed) in enumerate(zip(exercises, chosen_seeds), 1):
            say(f"\n{place} of {len(exercises)}. {exercise.title}")
            answers.clear()
            tries = _question(exercise, seed, ask, say, where, answers)
            asked, right, first = asked + 1, right + (tries > 0), first + (tries == 1)
    except (EOFError, KeyboardInterrupt):
        say("")
        asked += bool(answers)  # left in the middle, but answered: it counts
    return Outcome(asked, right, first)


def _question(
    exercise: Exercise, seed: str, ask: Callable, say: Callable, where: str, answers: list[str]
) -> int:
    """Ask until it is right or given up; fills `answers`. How many it took, 0 when it never was right."""
    given, hints = variant(exercise, seed), 0
    say(exercise.text(given))
    if exercise.choices:
        say(f"Answer with the number and one of: {', '.join(exercise.choices)}.")
    while text := ask(f"[{exercise.wanted.removeprefix('a number, in ')}] > ").strip():
        if text == "?":
            hints += 1
            say(ladder(exercise, given, hints, len(answers)))
            continue
        feedback = judge_value(exercise, given, text)
        if feedback.read:
            answers.append(text)
            progress.append(exercise.id, text, feedback.right, feedback.mistake, seed, where)
        say(str(feedback))
        if feedback.right:
            return len(answers)
    say(f"It was {answer_text(exercise, given)}." if answers else "Left out.")
    return 0
