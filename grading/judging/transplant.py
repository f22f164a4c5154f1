"""From whatever was handed in to the released notebook with the student's work in it; never raises.

The release is the skeleton: its order, its locked cells, its metadata. What a student may write in is put in
by grade_id; cells of their own stay where they were, under new ids, and are never graded. What was deleted,
duplicated, edited or broken becomes a sentence for the instructor.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import nbformat

from grading.inside.task import Ask, Step
from grading.judging.handed_in import MAX_BYTES as MAX_BYTES
from grading.judging.handed_in import Found, Unreadable, cells_of, parsed, show

MAX_PROBLEMS = 40  # sentences for the instructor
CLAIMS = ("grade", "solution", "locked", "task", "points")  # nbgrader's metadata that decides on grading
WHOSE = "#name"  # the step that asks whom the notebook names


@dataclass(frozen=True)
class Transplanted:
    """What came of one submission.

    notebook: ready to run, without outputs; None when the bytes were unreadable; problems: sentences for the
    instructor; missing: grade_ids that the student should have filled in and that were not found.
    """

    notebook: nbformat.NotebookNode | None
    problems: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()


def transplant(release: nbformat.NotebookNode, raw: bytes) -> Transplanted:
    """The release notebook with the student's work put in, and what was wrong with the submission."""
    problems: list[str] = []
    try:
        found = cells_of(parsed(raw, problems), problems)
    except Unreadable as error:
        return Transplanted(None, (str(error),))
    taken = _matched(release.cells, found, problems)
    missing = _report(release.cells, found, taken, problems)
    notebook = _built(release, found, taken)
    if len(problems) > MAX_PROBLEMS:
        problems[MAX_PROBLEMS:] = [f"and {len(problems) - MAX_PROBLEMS} more of this kind"]
    return Transplanted(notebook, tuple(problems), frozenset(missing))


def with_own_cells(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook with cells and cell metadata of its own; a deep copy would take ten times as long."""
    cells = [{**cell, "metadata": nbformat.from_dict(cell.metadata)} for cell in notebook.cells]
    return nbformat.NotebookNode({**notebook, "cells": list(map(nbformat.NotebookNode, cells))})


def cell_name(cell: nbformat.NotebookNode) -> str:
    """What a cell is called in steps and outcomes: its grade_id, else its id."""
    return claims_of(cell).get("grade_id") or cell["id"]


def claims_of(cell: nbformat.NotebookNode) -> dict:
    """nbgrader's metadata of a release cell; empty for a plain one."""
    return cell.metadata.get("nbgrader", {})


def locked(cell: nbformat.NotebookNode) -> bool:
    """Whether a release cell is the instructor's alone."""
    claims = claims_of(cell)
    return bool(claims.get("locked") or (claims.get("grade") and not claims.get("solution")))


def steps_of(
    notebook: nbformat.NotebookNode, asks: Mapping[str, Ask], tests: Mapping[str, str], whose: tuple[str, str]
) -> tuple[Step, ...]:
    """The code cells in order.

    asks: graded cell -> what is asked there, nothing of it being executed; tests: graded cell -> source of an
    ordinary assert-style test; whose: (cell after which the name is asked, its variable).
    """
    steps = []
    for cell in (c for c in notebook.cells if c.cell_type == "code"):
        name = cell_name(cell)
        if name in asks:
            steps.append(Step(name, ask=asks[name]))
        elif name in tests:
            steps.append(Step(name, tests[name], asserts=True))
        else:
            steps.append(Step(name, cell.source))
        if name == whose[0]:
            steps.append(Step(WHOSE, ask=Ask("", whose[1])))
    return tuple(steps)


def _matched(cells: list, found: list[Found], problems: list[str]) -> dict[int, Found]:
    """Index of each release cell -> the submitted cell that takes its place."""
    taken: dict[int, Found] = {}
    for index, cell in enumerate(cells):
        if grade_id := claims_of(cell).get("grade_id"):
            claimants = [f for f in found if f.grade_id == grade_id]
            changed = [f for f in claimants if not _same(f, cell)]
            if claimants:
                taken[index] = claimants[0] if locked(cell) else (changed or claimants)[0]
    known = {claims_of(c).get("grade_id") for c in cells}
    free = [f for f in found if f.grade_id not in known]
    for way in (_by_id, _by_text, _by_place):
        for index, one in way(cells, found, [f for f in free if f not in taken.values()], taken):
            taken[index] = one
    stripped = [claims_of(cells[i])["grade_id"] for i, f in sorted(taken.items()) if _stripped(cells[i], f)]
    if stripped:
        names = ", ".join(stripped[:5]) + (", ..." if len(stripped) > 5 else "")
        problems.append(f"nbgrader's metadata is missing from {names}: found by id, text or place")
    return taken


def _stripped(cell: nbformat.NotebookNode, one: Found) -> bool:
    return bool(claims_of(cell)) and one.grade_id != claims_of(cell)["grade_id"]


def _by_id(cells: list, found: list[Found], free: list[Found], taken: dict[int, Found]):
    for index, cell in enumerate(cells):
        same = [f for f in free if f.cell_id == cell["id"]]
        if index not in taken and len(same) == 1 and same[0].kind == cell.cell_type:
            yield index, same[0]


def _by_text(cells: list, found: list[Found], free: list[Found], taken: dict[int, Found]):
    """Cells with the same text as exactly one release cell."""
    texts = [(c.cell_type, c.source.strip()) for c in cells]
    for index, text in enumerate(texts):
        same = [f for f in free if (f.kind, f.source.strip()) == text]
        if index not in taken and len(same) == 1 == texts.count(text):
            yield index, same[0]


def _by_place(cells: list, found: list[Found], free: list[Found], taken: dict[int, Found]):
    """The only free cell between two neighbours that were found, where only one cell is missing."""
    place = {id(f): n for n, f in enumerate(found)}
    here = {index: place[id(f)] for index, f in taken.items()}
    for index, cell in enumerate(cells):
        if index in taken or not claims_of(cell) or locked(cell):
            continue
        before = max((i for i in here if i < index), default=-1)
        after = min((i for i in here if i > index), default=len(cells))
        gap = range(here.get(before, -1) + 1, here.get(after, len(found)))
        inside = [f for f in free if place[id(f)] in gap and f.kind == cell.cell_type]
        wanted = [c for c in cells[before + 1 : after] if c.cell_type == cell.cell_type]
        if len(inside) == 1 == len(wanted):
            yield index, inside[0]


def _report(cells: list, found: list[Found], taken: dict[int, Found], problems: list[str]) -> set[str]:
    """Say what was deleted, edited, duplicated or claimed; returns the answer cells that are missing."""
    missing, known = set(), {claims_of(c).get("grade_id") for c in cells}
    for index, cell in enumerate(cells):
        claims = claims_of(cell)
        if not claims:
            continue
        name, one = claims["grade_id"], taken.get(index)
        if one is None:
            problems.append(f"cell {name} was deleted" + (" and has been put back" if locked(cell) else ""))
            missing |= set() if locked(cell) else {name}
            continue
        if locked(cell) and not _same(one, cell):
            problems.append(f"cell {name} was edited and has been restored")
        if one.kind != cell.cell_type:
            problems.append(f"cell {name} was turned into a {one.kind} cell: read as {cell.cell_type}")
        if (copies := sum(f.grade_id == name for f in found)) > 1:
            problems.append(f"cell {name} is there {copies} times: the first one with changed content counts")
        if one.grade_id and any(one.claims.get(k, claims.get(k)) != claims.get(k) for k in CLAIMS):
            problems.append(f"cell {name} carries changed grading metadata: that of the release is used")
    for one in found:
        if one.grade_id and one.grade_id not in known:
            problems.append(f"a cell claims the name {show(one.grade_id)}, which is not asked: not graded")
    return missing


def _built(
    release: nbformat.NotebookNode, found: list[Found], taken: dict[int, Found]
) -> nbformat.NotebookNode:
    """The release with the students' texts in it and their own cells after the neighbour they followed."""
    notebook = with_own_cells(release)
    names = {c["id"] for c in release.cells} | {claims_of(c).get("grade_id") for c in release.cells}
    index_of = {id(f): index for index, f in taken.items()}
    own: dict[int, list] = {}
    anchor, count = _past_missing(release.cells, taken, -1), 0
    for one in found:
        if id(one) in index_of:
            anchor = _past_missing(release.cells, taken, index_of[id(one)])
        elif one.source.strip() and not _copy_of_stub(one, release.cells):
            count += 1
            while (name := f"extra-{count}") in names:
                count += 1
            make = getattr(nbformat.v4, f"new_{one.kind}_cell")
            own.setdefault(anchor, []).append(make(one.source, id=name))
    cells = own.get(-1, [])
    for index, cell in enumerate(notebook.cells):
        if index in taken and not locked(cell):
            cell.source = taken[index].source
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cells += [cell, *own.get(index, [])]
    notebook.cells = cells
    return notebook


def _past_missing(cells: list, taken: dict[int, Found], anchor: int) -> int:
    """The last of the cells put back right after this one, short of a check.

    A student's own cells come after them: a stub that ran after an answer in an own cell would undo it.
    """
    while (
        anchor + 1 < len(cells) and anchor + 1 not in taken and not claims_of(cells[anchor + 1]).get("grade")
    ):
        anchor += 1
    return anchor


def _copy_of_stub(one: Found, cells: list) -> bool:
    """Whether this is a second, untouched copy of an answer cell: run last, it would undo the answer."""
    mine = (c for c in cells if claims_of(c).get("grade_id") == one.grade_id and not locked(c))
    return any(_same(one, c) for c in mine)


def _same(one: Found, cell: nbformat.NotebookNode) -> bool:
    return one.source.strip() == cell.source.strip()
