"""The exercise bank: one module a chapter, each a tuple EXERCISES; ids are unique across the book.

It is open book: `BANK[id].answer` is there for anyone to read. It rewards practice; what must stay
unknown is a private question of an assignment.
"""

from tinylib.practice.bank import counting, gap, llm, metrics, training
from tinylib.practice.exercise import Exercise

CHAPTERS: dict[str, tuple[Exercise, ...]] = {
    "Metrics": metrics.EXERCISES,
    "Counting": counting.EXERCISES,
    "The gap": gap.EXERCISES,
    "Language models": llm.EXERCISES,
    "Training state": training.EXERCISES,
}
BANK: dict[str, Exercise] = {e.id: e for exercises in CHAPTERS.values() for e in exercises}
