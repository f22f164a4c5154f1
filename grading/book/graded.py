"""The graded copy of a submission: cleaned outputs, marks as nbgrader reads them, and what follows from both.

nbgrader takes a check cell's points from its outputs: none is full marks, a result is that number of points,
an error is zero. Scores are then read back by nbgrader's own function, so they are what it would have stored.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import nbformat

from grading.book.standing import Given
from grading.inside.task import Outcome, Result
from grading.judging import clean
from grading.judging.asks import Paper
from grading.judging.judge import RECORD
from grading.judging.transplant import Transplanted, cell_name, claims_of, locked, with_own_cells
from grading.judging.verdict import Mark, Verdict

MAX_OUTPUT = 10_000_000  # characters of a graded notebook's outputs: each takes time to clean


def graded(
    paper: Paper, work: Transplanted, result: Result | None, verdict: Verdict
) -> nbformat.NotebookNode:
    """The notebook as the instructor sees it; the bare release where the submission could not be read."""
    notebook = with_own_cells(paper.notebook if work.notebook is None else work.notebook)
    released = {cell["id"]: cell.source for cell in paper.notebook.cells}
    outcomes = {o.cell: o for o in reversed(result.outcomes)} if result else {}
    marks = {mark.grade_id: mark for mark in verdict.marks}
    sealed = {question.cell for question in paper.questions if question.kind != "manual"}
    count, room = 0, MAX_OUTPUT
    for cell in notebook.cells:
        name = cell_name(cell)
        if cell.cell_type != "code":
            own = not locked(cell) and cell.source != released.get(cell["id"])
            cell.source = clean.calm(cell.source) if own else cell.source
            continue
        count += 1
        cell.execution_count = count if name in outcomes else None
        shown = _outputs(outcomes.get(name), room)
        room -= len(json.dumps(shown))
        cell.outputs = nbformat.from_dict(shown)
        if name in sealed:
            points = float(claims_of(cell).get("points", 0))
            cell.outputs = nbformat.from_dict(marked(marks.get(name), points, verdict))
    return notebook


def _outputs(outcome: Outcome | None, room: int) -> list[dict]:
    if outcome is None:
        return []
    if room <= 0 and outcome.outputs:
        said = f"… left out: a graded notebook holds at most {MAX_OUTPUT / 1e6:g} MB of outputs"
        return [{"output_type": "stream", "name": "stderr", "text": said}]
    shown = clean.outputs(outcome.outputs)
    if outcome.error and not any(o["output_type"] == "error" for o in shown):
        name, message = outcome.error
        shown += clean.outputs([{"output_type": "error", "ename": name, "evalue": message, "traceback": []}])
    return shown


def marked(mark: Mark | None, max_points: float, verdict: Verdict) -> list[dict]:
    """A mark as outputs of its cell: the reason, then nothing, a number or an error."""
    reason = mark.reason if mark else f"✗ Not graded. {verdict.refused}".strip()
    data = {"text/plain": reason}
    if mark:
        data[RECORD] = {
            "id": mark.id,
            "answer": mark.answer,
            "share": mark.share,
            "reason": reason,
            "mistake": mark.mistake,
            "student": verdict.named,
        }
    said = {"output_type": "display_data", "data": data, "metadata": {}}
    points = mark.points if mark else 0.0
    if points is None or points >= max_points:
        return [said]
    if points > 0:
        number = {"text/plain": repr(float(points))}
        return [
            said,
            {"output_type": "execute_result", "data": number, "metadata": {}, "execution_count": None},
        ]
    text = f"0 of {max_points:g} points"
    return [said, {"output_type": "error", "ename": "NoPoints", "evalue": text, "traceback": [text]}]


def scores(notebook: nbformat.NotebookNode) -> dict[str, float | None]:
    """Graded cell -> the points that nbgrader reads from its outputs; None where a person marks it."""
    from nbgrader.utils import determine_grade, is_grade

    graded_cells = [cell for cell in notebook.cells if is_grade(cell)]
    return {claims_of(cell)["grade_id"]: determine_grade(cell)[0] for cell in graded_cells}


def comments(
    paper: Paper, notebook: nbformat.NotebookNode, verdict: Verdict, unchanged: Iterable[str]
) -> dict[str, str | None]:
    """Answer cell -> the reasons of its checks; "No response." where nothing was written."""
    reasons: dict[str, list[str]] = {}
    marks = {mark.grade_id: mark for mark in verdict.marks}
    for question in paper.questions:
        if question.kind != "manual" and question.answer:
            mark = marks.get(question.cell)
            reasons.setdefault(question.answer, []).append(mark.reason if mark else verdict.refused)
    answers = [claims_of(c)["grade_id"] for c in notebook.cells if claims_of(c).get("solution")]
    said = {name: " ".join(dict.fromkeys(reasons.get(name, []))) or None for name in answers}
    silent = {} if verdict.refused else dict.fromkeys(unchanged, "No response.")
    return said | {name: text for name, text in silent.items() if name in said}


def unchanged(notebook: nbformat.NotebookNode) -> list[str]:
    """Answer cells that are as they were released, by nbgrader's checksum."""
    from nbgrader.utils import compute_checksum, is_solution

    cells = [cell for cell in notebook.cells if is_solution(cell)]
    same = [c for c in cells if claims_of(c).get("checksum") == compute_checksum(c)]
    return [claims_of(cell)["grade_id"] for cell in same]


def write_whole(path: Path, text: str) -> None:
    """Write a file through a temporary name, so that a killed run leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, text.encode("utf-8", "replace"))


def notebook_text(notebook: nbformat.NotebookNode) -> str:
    """A notebook as text of a file, a line for each cell: without the schema check and the indenting, which
    cost more than all the rest."""
    rest = json.dumps({k: v for k, v in notebook.items() if k != "cells"}, sort_keys=True)
    cells = ",\n".join(json.dumps(c, ensure_ascii=False, sort_keys=True) for c in notebook.cells)
    return f'{{"cells": [\n{cells}\n],\n{rest[1:]}\n'


def public_files(release: Path) -> Mapping[str, bytes]:
    """The files that came with the notebook, by name: what a task carries."""
    files = [p for p in sorted(release.iterdir()) if p.is_file() and p.suffix != ".ipynb"]
    return {p.name: p.read_bytes() for p in files if not p.name.startswith(".")}


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file through a temporary name, unless it is there already."""
    content = source.read_bytes()
    if not target.is_file() or target.read_bytes() != content:
        _replace(target, content)


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def with_given(paper: Paper, verdict: Verdict, given: Given | None) -> Verdict:
    """The verdict with what a person gave in place of the points, and their comment behind the reason.

    The formgrader keeps a comment with the answer cell: it is shown with the first check of that answer.
    """
    if given is None:
        return verdict
    marks, said_of = [], dict(given.comments)
    for question in paper.questions:
        if question.answer in said_of:
            said_of.setdefault(question.cell, said_of.pop(question.answer))
    for mark in verdict.marks:
        points = given.scores.get(mark.grade_id, mark.points)
        extra = given.extra.get(mark.grade_id, 0.0)
        said = said_of.get(mark.grade_id)
        marks.append(
            replace(
                mark,
                points=points + extra if points is not None else extra or None,
                reason=f"{mark.reason} {clean.one_line(said, 1500)}" if said else mark.reason,
            )
        )
    return replace(verdict, marks=tuple(marks))
