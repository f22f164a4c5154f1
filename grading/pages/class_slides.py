"""Teach this tomorrow: one slide for each of the mistakes that most students made."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from grading.judging.asks import Paper
from grading.keys import Key, Trial
from grading.pages.class_statistics import Item, Trouble, troubles
from grading.pages.feedback import name_of
from grading.pages.lessons import lesson_around, lesson_for
from grading.pages.markup import line, table
from tinylib.practice.draws import Rng
from tinylib.practice.exercise import Exercise, variant
from tinylib.practice.plain import short
from tinylib.practice.worksheet import answer_text
from tinylib.units import format_quantity

VARIANTS = 5


def tomorrow(paper: Paper, marked: list[Item], size: int, here: Path) -> Iterator[str]:
    """The slides; size: how many students handed in; here: the page's folder, for links to lessons."""
    found = troubles(marked)
    if not found:
        yield "<p>No mistake was made that the exercises name, and none by two students.</p>"
    for place, trouble in enumerate(found, 1):
        yield from _slide(paper, trouble, place, size, here)


def _slide(paper: Paper, trouble: Trouble, place: int, size: int, here: Path) -> Iterator[str]:
    """One mistake: its name, the printed numbers worked out, where it is taught, fresh variants."""
    question, wrong = trouble.item.question, trouble.wrong
    item, count = paper.item(question.id), len(wrong.students)
    share = f"{count} of {size} {'student' if size == 1 else 'students'}, {count / size:.0%} of the class"
    yield f'<div class="slide"><p class="tag">{place}. {line(name_of(paper, question))}: {share}</p>'
    said = wrong.words if wrong.kind == "mistake" else f"The answer came out as {wrong.words}"
    yield f"<h3>{line(sentence(said))}</h3>"
    yield from (
        _worked(item, wrong.words)
        if isinstance(item, Exercise)
        else ()
        if isinstance(item, Trial)
        else _called(item, question.name, wrong.words)
    )
    taught = lesson_for(question.id)
    if lesson := taught or lesson_around(paper.assignment.questions):
        link = quote(os.path.relpath(lesson.path, here))
        where = "Taught in" if taught else "Nearest to it is"
        yield f'<p>{where} <a href="{link}">lesson {line(lesson.title)}</a>.</p>'
    rows = [(line(asked), line(answer, 300)) for asked, answer in fresh(item, question.name)]
    if rows:
        yield f"<details open><summary>{len(rows)} fresh variants with answers</summary>"
        yield table("Fresh variants", ("Question", "Answer"), rows) + "</details>"
    yield "</div>"


def sentence(words: str) -> str:
    """Words as a sentence."""
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "?", "!")) else ".")


def _worked(item: Exercise, mistake: str) -> Iterator[str]:
    """The printed numbers: what is asked, what the mistake makes of them, how it goes."""
    given = dict(item.given)
    yield f'<p class="asked">{line(item.text(given))}</p>'
    slips = [
        format_quantity(m.value(**given), item.unit, 6) for m in item.misconceptions if m.hint == mistake
    ]
    slip = f"The slip gives {line(slips[0])}; right is" if slips else "Right is"
    yield f"<p>{slip} <strong>{line(answer_text(item, given))}</strong>.</p>"
    if item.steps:
        yield f'<ol class="steps">{"".join(f"<li>{line(step)}</li>" for step in item.steps(**given))}</ol>'


def _called(item: Key, name: str, mistake: str) -> Iterator[str]:
    """A public call of the function that is asked: what it must return, and what the mistake makes of it."""
    for arguments, expected in item.examples[:1]:
        yield f'<p class="asked">{line(call(name, arguments))} must return</p>'
        slips = item.slips(*arguments) if item.slips else {}
        parts = expected if isinstance(expected, dict) else {"": expected}
        rows = []
        for entry, right in parts.items():
            wrong = slips.get(entry, {}).get(mistake)
            rows.append(
                [line(entry or name), line(short(right)), "" if wrong is None else line(short(wrong))]
            )
        yield table("The public example", ("Entry", "Right", "With the slip"), rows, 2)


def fresh(item: Exercise | Key | Trial, name: str) -> list[tuple[str, str]]:
    """Questions with numbers of their own, and their answers; name: of the function that is asked.

    Fewer than VARIANTS where the exercise has no more; none for a trial, which has no one answer.
    """
    if isinstance(item, Trial):
        return []
    found = {} if isinstance(item, Key) else {item.text(item.given): ""}
    for number in range(20 * VARIANTS):
        if isinstance(item, Key):
            arguments = item.draw(Rng(item.id, f"tomorrow {number}"))
            found.setdefault(call(name, arguments), value(item.expected(*arguments)))
        else:
            given = variant(item, f"tomorrow {number}")
            found.setdefault(item.text(given), answer_text(item, given))
    return [pair for pair in found.items() if pair[1]][:VARIANTS]


def call(name: str, arguments: Iterable) -> str:
    """A call as it is written."""
    return f"{name}({', '.join(map(short, arguments))})"


def value(expected: object) -> str:
    """What a function must return, in one line."""
    if isinstance(expected, dict):
        return ", ".join(f"{name} {short(part)}" for name, part in expected.items())
    return short(expected)
