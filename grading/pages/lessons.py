"""Where the course teaches an exercise: the lesson whose quiz asks it."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grading.book.course import HERE

QUIZ = re.compile(r"""\bquiz\(\s*\\?["']([\w.-]+)\\?["']""")


@dataclass(frozen=True)
class Lesson:
    """One lesson: its title and its notebook."""

    title: str
    path: Path


def lesson_for(exercise_id: str, root: Path = HERE) -> Lesson | None:
    """The lesson whose quiz asks this exercise, if any."""
    return _taught(root).get(exercise_id)


def lesson_around(exercise_ids: Iterable[str], root: Path = HERE) -> Lesson | None:
    """The lesson that asks most of these exercises, the later one among equals; None if none does."""
    counts = Counter(found for e in exercise_ids if (found := _taught(root).get(e)))
    return max(counts, key=lambda lesson: (counts[lesson], lesson.path.name), default=None)


@cache
def _taught(root: Path) -> dict[str, Lesson]:
    """Exercise -> the first lesson in course.toml with a quiz on it."""
    table = root / "authoring" / "course.toml"
    entries = tomllib.loads(table.read_text(encoding="utf-8"))["lesson"] if table.is_file() else []
    taught: dict[str, Lesson] = {}
    for entry in entries:
        path = root / "notebooks" / f"{entry['script']}.ipynb"
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        for exercise_id in QUIZ.findall(text):
            taught.setdefault(exercise_id, Lesson(entry["title"], path))
    return taught
