"""The feedback page of one student: one HTML file without script that opens offline and prints."""

import html
import re
from collections.abc import Iterator
from typing import Literal

import nbformat

from grading.inside.task import Outcome, Result
from grading.judging import clean
from grading.judging.asks import Paper, Question
from grading.judging.transplant import Transplanted, cell_name, claims_of
from grading.judging.verdict import Mark, Verdict, numbers_for
from grading.keys import Key
from tinylib.practice.judging import judge_value
from tinylib.practice.plain import short
from tinylib.show.page_style import PAGE

MAX_PAGE = 6_000_000  # characters; what comes after is said to be left out
WORK = 10  # what a character of a cell counts against that: long cells take time as well as room
Steps = Literal["after", "never"]
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
CSS = f"""{PAGE}
h2{{margin:0}}.who{{color:var(--muted);margin:0 0 1.2rem}}.total{{font-size:1.3rem;font-weight:650}}
section{{border-top:1px solid var(--grid);padding:1.2rem 0 .4rem}}
.head{{display:flex;justify-content:space-between;gap:1rem;align-items:baseline}}
.mark{{white-space:nowrap;font-variant-numeric:tabular-nums;color:var(--muted)}}
.said{{border-left:.3rem solid var(--muted);padding:.35rem .8rem;margin:.7rem 0;background:var(--panel)}}
.right{{border-color:var(--fit-words)}}.part{{border-color:var(--part-words)}}
.wrong{{border-color:var(--over-words)}}
.out{{border-left:.2rem solid var(--grid);margin:.2rem 0 .8rem;padding-left:.8rem}}
.out pre{{background:none;padding:0}}
img{{max-width:100%;background:#fff}}.steps{{margin:.2rem 0;padding-left:1.4rem}}.note{{color:var(--muted)}}
@media print{{section{{break-inside:avoid}}.all{{display:none}}
.said,pre{{border:1px solid var(--grid);border-left-width:.3rem}}}}
"""


def feedback_page(
    paper: Paper, verdict: Verdict, work: Transplanted, result: Result | None, steps: Steps = "after"
) -> str:
    """The whole page. steps: whether worked steps are shown, with the student's own numbers, or never."""
    title = clean.one_line(title_of(paper), 200)
    lines = [_head(f"{title}: {verdict.student}"), f"<h1>{html.escape(title)}</h1>"]
    lines.append(f'<p class="who">{html.escape(clean.one_line(verdict.student, 200))}</p>')
    lines += _summary(paper, verdict)
    lines += _notes(verdict)
    outcomes = {o.cell: o for o in result.outcomes} if result else {}
    for question, mark in zip(paper.questions, verdict.marks):
        lines += _question(paper, verdict, work, question, mark, steps)
    if work.notebook is not None:
        lines += _notebook(work.notebook, outcomes, MAX_PAGE - sum(map(len, lines)))
    return "\n".join([*lines, "</main>", "</body>", "</html>", ""])


def _head(title: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{clean.POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(clean.one_line(title, 300))}</title>\n<style>{CSS}</style>\n"
        "</head>\n<body>\n<main>"
    )


def _summary(paper: Paper, verdict: Verdict) -> Iterator[str]:
    if verdict.refused:
        yield f'<p class="said wrong">Not graded: {html.escape(verdict.refused)}.</p>'
        return
    waiting = sum(m.points is None for m in verdict.marks)
    later = f", {waiting} more to be marked by a person" if waiting else ""
    yield f'<p class="total">{_points(verdict.points)} of {_points(verdict.max_points)} points{later}</p>'
    yield "<table><caption hidden>Points by question</caption><thead><tr><th scope=col>Question</th>"
    yield '<th scope="col" class="n">Points</th><th scope="col">Verdict</th></tr></thead><tbody>'
    for number, (question, mark) in enumerate(zip(paper.questions, verdict.marks), 1):
        link = f'<a href="#q{number}">{html.escape(name_of(paper, question))}</a>'
        yield f'<tr><td>{link}</td><td class="n">{_of(mark)}</td><td>{_word(mark)[1]}</td></tr>'
    yield "</tbody></table>"


def _notes(verdict: Verdict) -> Iterator[str]:
    """What was noticed about the submission, as far as it is the student's to see."""
    if shown := [f.text for f in verdict.flags if f.to_student and f.text != verdict.refused]:
        items = "".join(f"<li>{html.escape(clean.one_line(text, 400))}</li>" for text in shown)
        yield f"<section><h2>About what you handed in</h2><ul>{items}</ul></section>"


def _question(
    paper: Paper, verdict: Verdict, work: Transplanted, question: Question, mark: Mark, steps: Steps
) -> Iterator[str]:
    number = paper.questions.index(question) + 1
    look, _ = _word(mark)
    yield f'<section id="q{number}"><div class="head"><h2>{html.escape(name_of(paper, question))}</h2>'
    yield f'<span class="mark">{_of(mark)}</span></div>'
    if question.kind != "value":
        yield _asked(paper, question)
        yield from _code(work, question)
        yield f'<p class="said {look}">{html.escape(mark.reason)}</p></section>'
        return
    item = paper.item(question.id)
    numbers = _worked_with(paper, verdict, question.id, mark)
    yield f"<p>{html.escape(item.text(numbers))}</p>"
    given = "none" if mark.answer is None else f"<code>{html.escape(_shown(mark.answer))}</code>"
    yield f"<p>Your answer: {given}</p>"
    yield f'<p class="said {look}">{html.escape(mark.reason)}</p>'
    if steps == "after" and item.steps:
        worked = "".join(f"<li>{html.escape(line)}</li>" for line in item.steps(**numbers))
        fold = "" if look == "right" else " open"
        yield f"<details{fold}><summary>Worked with your numbers</summary>"
        yield f'<ol class="steps">{worked}</ol></details>'
    yield "</section>"


def _worked_with(paper: Paper, verdict: Verdict, exercise_id: str, mark: Mark) -> dict:
    """The set of numbers that the answer fits best, where two were allowed."""
    item, sets = paper.item(exercise_id), numbers_for(paper, verdict.student, verdict.named, exercise_id)
    return max(sets, key=lambda given: judge_value(item, given, mark.answer).share)


def _asked(paper: Paper, question: Question) -> str:
    """The text above a question's cells in the release."""
    said: list[str] = []
    for cell in paper.notebook.cells:
        if claims_of(cell).get("grade_id") == question.cell:
            break
        if claims_of(cell).get("grade"):
            said = []
        elif cell.cell_type == "markdown":
            said.append(cell.source)
    return clean.markdown(HEADING.sub("", "\n\n".join(said)))


def _code(work: Transplanted, question: Question) -> Iterator[str]:
    cells = work.notebook.cells if work.notebook is not None else []
    for cell in cells:
        if claims_of(cell).get("grade_id") == question.answer:
            yield f"<p>Your answer:</p><pre>{html.escape(clean.text(cell.source))}</pre>"


def _notebook(notebook: nbformat.NotebookNode, outcomes: dict[str, Outcome], room: int) -> Iterator[str]:
    """Every cell with its cleaned outputs, folded away."""
    yield '<section><details class="all"><summary>Your notebook as it was run</summary>'
    for cell in notebook.cells:
        shown = "\n".join(_cell(cell, outcomes.get(cell_name(cell))))
        room -= len(shown) + WORK * len(cell.source)
        if room < 0:
            yield '<p class="note">The rest is left out: the page would grow too large.</p>'
            break
        yield shown
    yield "</details></section>"


def _cell(cell: nbformat.NotebookNode, outcome: Outcome | None) -> Iterator[str]:
    if cell.cell_type == "markdown":
        yield _lowered(clean.markdown(cell.source))
        return
    yield f"<pre>{html.escape(clean.text(cell.source))}</pre>"
    if cell.cell_type == "code" and outcome and outcome.outputs:
        shown = "\n".join(clean.rendered(output) for output in clean.outputs(outcome.outputs))
        yield f'<div class="out">{_lowered(shown)}</div>'


def _lowered(markup: str) -> str:
    """Headings from a notebook two levels down: the page has its own first and second level."""
    return re.sub(r"(?<=<)(/?)h([1-6])(?=>)", lambda m: f"{m[1]}h{min(int(m[2]) + 2, 6)}", markup)


def title_of(paper: Paper) -> str:
    """The heading of the assignment, else its file name."""
    first = next((c.source for c in paper.notebook.cells if c.cell_type == "markdown"), "")
    found = HEADING.search(first)
    return found[1] if found else paper.assignment.name


def name_of(paper: Paper, question: Question) -> str:
    """What a question is called: its title, else the heading above it, else its cell."""
    item = None if question.kind in ("asserts", "manual") else paper.item(question.id)
    if item is not None and not isinstance(item, Key) and item.title:
        return item.title
    heading = ""
    for cell in paper.notebook.cells:
        if cell.cell_type == "markdown" and (found := HEADING.findall(cell.source)):
            heading = found[-1]
        if claims_of(cell).get("grade_id") == question.cell:
            break
    return clean.one_line(re.sub(r"^[\d.]+ +", "", heading) or question.cell, 120)


def _word(mark: Mark) -> tuple[str, str]:
    """How a mark looks, and in a word."""
    if mark.points is None:
        return "", "to be marked"
    if mark.points >= mark.max_points:
        return "right", "right"
    return ("part", "in part") if mark.points > 0 else ("wrong", "not yet")


def _of(mark: Mark) -> str:
    return f"{'–' if mark.points is None else _points(mark.points)} of {_points(mark.max_points)}"


def _points(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _shown(answer: int | float | str) -> str:
    return clean.one_line(answer, 200) if type(answer) is str else short(answer)
