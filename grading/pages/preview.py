"""What one student is asked: their own numbers in each question, with the right answer beside them."""

import argparse
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grading import keys
from grading.book.course import HERE, Course, in_words
from grading.judging.asks import Paper, Question, read_paper
from grading.pages.markup import document, line
from tinylib.practice.exercise import Exercise
from tinylib.practice.plain import short
from tinylib.practice.worksheet import answer_text

KINDS = {"asserts": "ordinary tests, not sealed", "manual": "marked by a person"}


@dataclass(frozen=True)
class Asked:
    """One question as this student sees it; answer: the right one, or how it is decided."""

    place: int
    cell: str
    points: float
    prompt: str
    answer: str
    steps: tuple[str, ...] = ()


def asked(paper: Paper, student: str) -> Iterator[Asked]:
    """Every question of an assignment for one student."""
    for place, question in enumerate(paper.questions, 1):
        prompt, answer, steps = _one(paper, question, student)
        yield Asked(place, question.cell, question.points, prompt, answer, steps)


def _one(paper: Paper, question: Question, student: str) -> tuple[str, str, tuple[str, ...]]:
    if question.kind in KINDS:
        return "", KINDS[question.kind], ()
    item = paper.item(question.id)
    if isinstance(item, Exercise):
        numbers = paper.assignment.numbers(question.id, student)
        steps = tuple(item.steps(**numbers)) if item.steps else ()
        return item.text(numbers), answer_text(item, numbers), steps
    if isinstance(item, keys.Trial):
        numbers = paper.assignment.numbers(question.id, student)
        return item.text(numbers), "tried out at grading", ()
    calls = [f"{question.name}({', '.join(map(repr, a))}) = {short(e)}" for a, e in item.examples]
    return f"the function {question.name}", "; ".join([*calls, "and hidden draws"]), ()


def papers(course: Course, assignment: str = "") -> list[Paper]:
    """The assignment of that name, or all that are released; raises ValueError with one sentence."""
    root = course.root / "exercises" if (course.root / "exercises").is_dir() else HERE / "exercises"
    names = [assignment] if assignment else sorted(p.parent.name for p in root.glob("*/release.json"))
    found = []
    for name in names:
        course.check(name)
        if not (course.release(name) / "release.json").is_file():
            raise ValueError(f"an assignment must lie in exercises/, found none of the name {name!r}")
        found.append(read_paper(course.release(name), course.source(name), keys.folder()))
    return found


def table(paper: Paper, student: str, width: int = 0) -> str:
    """The questions as text for a terminal."""
    width = width or min(shutil.get_terminal_size().columns, 110)
    blocks = [f"{paper.assignment.name} for {student}"]
    for one in asked(paper, student):
        blocks.append(f"\n{one.place:>3}  {one.cell}, {one.points:g} points")
        for label, said in (("", one.prompt), ("= ", one.answer)):
            lead = " " * 5 + label
            blocks += textwrap.wrap(said, width, initial_indent=lead, subsequent_indent=" " * len(lead))
    return "\n".join(blocks)


def page(found: list[Paper], student: str) -> str:
    """The same as one HTML page with the worked steps; no script, opens offline."""
    body = []
    for paper in found:
        body.append(f"<h2>{line(paper.assignment.name)}</h2>")
        for one in asked(paper, student):
            steps = "".join(f"<li>{line(step)}</li>" for step in one.steps)
            worked = f'<ol class="steps">{steps}</ol>' if steps else ""
            body.append(
                f'<section><div class="head"><h3>{one.place}. {line(one.cell)}</h3>'
                f'<span class="mark">{one.points:g} points</span></div><p>{line(one.prompt, 2000)}</p>'
                f'<p class="said right">{line(one.answer)}</p>{worked}</section>'
            )
    who = "Numbers and right answers, for the instructor alone."
    head = f'<h1>{line(student, 200)}</h1><p class="who">{who}</p>'
    return document(f"Numbers and answers of {student}", [head, *body])


def add_command(commands: argparse._SubParsersAction) -> None:
    """Register `preview`."""
    one = commands.add_parser("preview", help="one student's numbers with the right answers")
    one.add_argument("student")
    one.add_argument("assignment", nargs="?", default="", help="default: every released one")
    one.add_argument("--html", type=Path, metavar="FILE", help="write a page instead, with worked steps")
    one.add_argument("--course", type=Path, default=Path(), help="the course folder (default: this one)")
    one.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        found = papers(Course(options.course), options.assignment)
        if options.html:
            options.html.write_text(page(found, options.student), encoding="utf-8")
            print(options.html)
        else:
            print("\n\n".join(table(paper, options.student) for paper in found))
    except (ValueError, OSError) as error:
        print(f"preview: {in_words(error)}")
        return 2
    return 0
