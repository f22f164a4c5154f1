"""Spaced review: questions once answered wrong come back with fresh numbers, in Leitner's boxes.

    wrong                   -> box 1
    right on a day it is due -> the next box; out of the last box it is known
    box b waits 2^(b-1) days: 1, 2, 4, 8, 16

A right answer before its day shows that one remembers today, and moves nothing.

Source: Leitner, "So lernt man lernen", 1972 (boxes, one up when right, back to the first when wrong); the
waits that double are ours.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tinylib.practice.bank import BANK
from tinylib.practice.exercise import Exercise, variant
from tinylib.practice.progress import Answer

BOXES = 5
EARLY = timedelta(hours=6)  # so that the evening's question is due the next afternoon
DRAWS = 20  # variants that are looked at for one whose numbers are new
SEEN = 20  # latest answers to a question whose numbers count as seen


@dataclass(frozen=True)
class Card:
    """A question once answered wrong: its box 1..5, when it is due, how often it was wrong [count]."""

    id: str
    box: int
    due: datetime
    wrong: int


def wait(box: int) -> timedelta:
    """How long a question rests in a box [time]."""
    if not 1 <= box <= BOXES:
        raise ValueError(f"box must lie between 1 and {BOXES}, got {box}")
    return timedelta(days=2 ** (box - 1)) - EARLY


def cards(answers: Iterable[Answer], now: datetime) -> list[Card]:
    """Every question of the bank that was once wrong and is not known yet, the soonest due first.

    now: aware; an answer dated later counts as given now. Checks that were only tried out do not count.
    """
    found: dict[str, Card] = {}
    for a in answers:
        if a.id not in BANK or a.right is None or not a.where:
            continue
        card, time = found.get(a.id), min(a.time, now)
        if not a.right:
            if a.value or a.mistake:  # an empty box is no answer
                found[a.id] = Card(a.id, 1, time + wait(1), card.wrong + 1 if card else 1)
        elif card and time >= card.due:
            del found[a.id]
            if card.box < BOXES:
                found[a.id] = Card(a.id, card.box + 1, time + wait(card.box + 1), card.wrong)
    return sorted(found.values(), key=lambda card: (card.due, card.id))


def due(found: Iterable[Card], now: datetime, count: int = 5) -> list[Card]:
    """The first so many cards whose day has come: low boxes before high ones, long waiting before short."""
    ready = [card for card in found if card.due <= now]
    return sorted(ready, key=lambda card: (card.box, card.due, card.id))[:count]


def fresh_seed(exercise: Exercise, answers: Sequence[Answer], word: str = "review") -> str:
    """The seed of a variant with numbers that this record has not seen; the same for the same record.

    Where all have been seen it is the one seen longest ago, but never the numbers last answered wrong as
    long as there are others.
    """
    own = [a for a in answers if a.id == exercise.id]
    seen = [(variant(exercise, a.seed), a.right) for a in own[-SEEN:]]
    missed = next((given for given, right in reversed(seen) if right is False), None)

    def age(seed: str) -> tuple[bool, int]:
        drawn = variant(exercise, seed)
        return drawn == missed, max((i + 1 for i, (given, _) in enumerate(seen) if given == drawn), default=0)

    return min((f"{word} {len(own) + i}" for i in range(DRAWS)), key=age)
