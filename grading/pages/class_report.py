"""A graded assignment as one page for the instructor: what to teach tomorrow, whom to look at, how it ran."""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grading import keys
from grading.book.course import Course, in_words
from grading.book.graded import with_given
from grading.book.rows import verdict_from
from grading.book.standing import GradebookError, standing
from grading.judging.asks import Paper, read_paper
from grading.judging.verdict import copied
from grading.pages import class_figures
from grading.pages.class_slides import tomorrow
from grading.pages.class_statistics import FEWEST, Item, Work, items, looks
from grading.pages.feedback import name_of, title_of
from grading.pages.markup import document, line, table

MOST_WRONG, MOST_NAMES = 5, 12
LEVELS = {
    "A": "A (bubblewrap, Landlock and limits)",
    "B": "B (Landlock and limits)",
    "D": "D (limits alone: against hostile work the computer is not safe)",
}
KINDS = {"mistake": "<strong>{}</strong>", "ratio": "{}", "other": "<em>{}</em>"}


@dataclass(frozen=True)
class Class:
    """A graded class; missing: students whose work lies there and was never graded."""

    paper: Paper
    works: tuple[Work, ...]
    missing: tuple[str, ...] = ()


def read_class(course: Course, assignment: str) -> Class:
    """The class as the gradebook holds it, a person's marks included; raises ValueError with one sentence."""
    course.check(assignment)
    paper = read_paper(course.release(assignment), course.source(assignment), keys.folder())
    there = standing(course.url, assignment)
    if not there.made:
        raise ValueError(f"nothing of {assignment} is graded yet: run `python -m grading run {assignment}`")
    works = []
    for student, made in sorted(there.made.items()):
        found = with_given(paper, verdict_from(made.verdict), there.given.get(student))
        works.append(Work(student, found, made.level, made.seconds, made.note))
    missing = [s for s in course.submitted(assignment) if s not in there.made]
    return Class(paper, tuple(works), tuple(missing))


def page(found: Class, target: Path) -> str:
    """The whole page; `target` is where it will lie, for links to lessons."""
    paper, works = found.paper, list(found.works)
    marked = items(paper, works)
    parts = [
        ("tomorrow", "Teach this tomorrow", tomorrow(paper, marked, len(works), target.parent)),
        ("look", "Who needs a look", _looks(found)),
        ("questions", "Questions", _questions(paper, marked, len(works))),
        ("wrong", "Most common wrong answers", _wrong(paper, marked)),
        ("run", "How it was graded", _run_facts(works)),
    ]
    title = title_of(paper)
    links = "".join(f'<a href="#{anchor}">{heading}</a>' for anchor, heading, _ in parts)
    body = [f'<h1>{line(title)}</h1><p class="who">Class report: names and marks, not for students.</p>']
    body += [f"<nav>{links}</nav>", *_summary(works)]
    for anchor, heading, lines in parts:
        body += [f'<section id="{anchor}"><h2>{heading}</h2>', *lines, "</section>"]
    return document(f"{title}: the class", body)


def _summary(works: list[Work]) -> Iterator[str]:
    points = [w.verdict.points for w in works if w.verdict.marks]
    most = max((w.verdict.max_points for w in works), default=0.0)
    waiting = sum(any(m.points is None for m in w.verdict.marks) for w in works)
    mean = sum(points) / len(points) if points else 0.0
    facts = [
        (len(works), "handed in"),
        (f"{mean:.3g}", f"of {most:g} points on average"),
        (f"{class_figures.median(points):.3g}", "median"),
        (sum(p >= most for p in points), "with full marks"),
    ]
    facts += [(n, words) for n, words in [(len(works) - len(points), "could not be graded")] if n]
    facts += [(n, words) for n, words in [(waiting, "wait for a person's mark")] if n]
    yield f'<ul class="facts">{"".join(f"<li><b>{n}</b> {words}</li>" for n, words in facts)}</ul>'
    if points and most:
        yield f"<figure>{class_figures.spread(points, most)}</figure>"


def _questions(paper: Paper, marked: list[Item], size: int) -> Iterator[str]:
    if rows := [(name_of(paper, i.question), i.share, i.right) for i in marked if i.count]:
        yield f"<figure>{class_figures.difficulty(rows)}<figcaption>Bar: points earned by the class."
        yield "Mark: students who were fully right; hatched where they are fewer than half."
        yield "</figcaption></figure>"
    rows = []
    for item in marked:
        shares = [f"{item.share:.0%}", f"{item.right:.0%}"] if item.count else ["–", "–"]
        told = "–" if item.discrimination is None else f"{item.discrimination:+.2f}".replace("-", "−")
        rows.append([line(name_of(paper, item.question)), *shares, told, _note(item)])
    heads = ["Question", "Points earned", "Fully right", "Discrimination", "Note"]
    keep = [n for n, _ in enumerate(heads) if n < 3 or any(row[n] not in ("", "–") for row in rows)]
    chosen = [[row[n] for n in keep] for row in rows]
    yield table("Questions", [heads[n] for n in keep], chosen, numbers=2 + (3 in keep))
    if 3 not in keep:
        yield f'<p class="note">Discrimination is left out below {FEWEST} students.</p>'
        return
    yield '<p class="note">Discrimination is the correlation of a question with the points in all others'
    yield "(the point-biserial one where it is right or wrong). Near 0 it does not tell strong from weak"
    yield f"work; below 0, look at the question. With {size} students it may be off by"
    yield f"±{2 / (size - 1) ** 0.5:.1f}.</p>"


def _note(item: Item) -> str:
    unsealed = "<strong>not sealed</strong>: an ordinary test, it ran beside the student's code"
    notes = {
        unsealed: not item.sealed,
        "marked by a person": item.question.kind == "manual",
        "strong students fail it more often": (item.discrimination or 0) < 0,
    }
    return "; ".join(note for note, holds in notes.items() if holds)


def _wrong(paper: Paper, marked: list[Item]) -> Iterator[str]:
    yield "<p>Everybody has numbers of their own, so answers are grouped by the <strong>mistake</strong> that"
    yield "they show, else by their ratio to the right answer, else by <em>what kept them from being"
    yield "judged</em>.</p>"
    for item in (i for i in marked if i.wrong):
        name = line(name_of(paper, item.question))
        rows = [
            [
                KINDS[wrong.kind].format(line(wrong.words)),
                str(len(wrong.students)),
                line(wrong.example, 40) or "–",
                _people(wrong.students),
            ]
            for wrong in item.wrong[:MOST_WRONG]
        ]
        yield f"<h3>{name}</h3>" + table(name, ("What went wrong", "Students", "One answer", "Who"), rows, 1)
        if (more := len(item.wrong) - MOST_WRONG) > 0:
            yield f'<p class="note">and {more} rarer ones</p>'


def _people(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(line(name, 60) for name in names[:MOST_NAMES]) + more


def _looks(found: Class) -> Iterator[str]:
    between = copied(found.paper, {w.student: w.verdict for w in found.works})
    listed = looks(list(found.works), between)
    yield "<p>A line here costs no points: it says where a person should look.</p>"
    if found.missing:
        yield f"<p><strong>Handed in, not graded yet:</strong> {_people(found.missing)}.</p>"
    rows = [
        [line(look.student, 60), f"<ul>{''.join(f'<li>{line(r)}</li>' for r in look.reasons)}</ul>"]
        for look in listed
    ]
    yield table("Who needs a look", ("Student", "Why"), rows) if rows else "<p>Nobody.</p>"


def _run_facts(works: list[Work]) -> Iterator[str]:
    for level, count in sorted(Counter(w.level for w in works if w.level).items()):
        yield f"<p>Sandbox level {line(LEVELS.get(level, level))}: {count} of {len(works)} submissions.</p>"
    if unsealed := sum(any(not m.sealed for m in w.verdict.marks) for w in works):
        yield f"<p><strong>Not sealed:</strong> {unsealed} submissions have marks from ordinary tests.</p>"
    if times := sorted((w.seconds, w.student) for w in works if w.seconds):
        middle, (longest, who) = class_figures.median([t for t, _ in times]), times[-1]
        yield f"<p>A submission ran for {middle:.2g} s (median),"
        yield f"the longest for {longest:.2g} s ({line(who, 60)}).</p>"


def add_command(commands: argparse._SubParsersAction) -> None:
    """Register `report`."""
    one = commands.add_parser("report", help="one page about the class: mistakes, questions, whom to look at")
    one.add_argument("assignment")
    one.add_argument("--out", type=Path, metavar="FILE", help="default: ASSIGNMENT-report.html in the course")
    one.add_argument("--course", type=Path, default=Path(), help="the course folder (default: this one)")
    one.add_argument("--db", default="", help="database URL of the gradebook")
    one.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    target = options.out or options.course / f"{options.assignment}-report.html"
    try:
        found = read_class(Course(options.course, options.db), options.assignment)
        target.write_text(page(found, target.resolve()), encoding="utf-8")
    except (ValueError, GradebookError, OSError) as error:
        print(f"report: {in_words(error)}")
        return 2
    print(f"{target}: {len(found.works)} students")
    return 0
