"""A graded class as a table: points and the reason for each, read from nbgrader's own folders."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from grading.judging.copies import copies
from grading.judging.judge import RECORD
from tinylib.practice.assignment import read_release
from tinylib.practice.bank import BANK


@dataclass
class Question:
    """One graded cell of one student."""

    grade_id: str
    points: float | None
    max_points: float
    reason: str = ""
    record: dict = field(default_factory=dict)


@dataclass
class Student:
    """One student's questions and what an instructor should look at; a flag never costs points."""

    name: str
    questions: list[Question]
    flags: list[str] = field(default_factory=list)
    feedback: Path | None = None

    @property
    def points(self) -> float:
        return sum(q.points or 0 for q in self.questions)

    @property
    def max_points(self) -> float:
        return sum(q.max_points for q in self.questions)


def graded_class(root: Path, assignment: str) -> list[Student]:
    """Every autograded submission of the assignment in the course at `root`, by name."""
    release = read_release(root / "exercises" / assignment / "release.json")
    students = [_student(root, assignment, f) for f in sorted((root / "autograded").glob(f"*/{assignment}"))]
    found = copies({student.name: _unexplained(student) for student in students}, release, BANK.__getitem__)
    for student in students:
        student.flags += found.get(student.name, [])
    return students


def _student(root: Path, assignment: str, folder: Path) -> Student:
    from nbgrader.utils import determine_grade

    name = folder.parent.name
    graded = nbformat.read(folder / f"{assignment}.ipynb", as_version=4)
    student, answered = Student(name, []), None
    for cell in graded.cells:
        meta = cell.metadata.get("nbgrader", {})
        answered = cell if meta.get("solution") else answered
        if not meta.get("grade"):
            continue
        points, max_points = determine_grade(cell)
        reason, record = _reason(cell, answered)
        student.questions.append(
            Question(cell.metadata.nbgrader.grade_id, points, max_points, reason, record)
        )
    student.flags += [*_other_name(student), *_edited(root, assignment, name)]
    page = root / "feedback" / name / assignment / f"{assignment}.html"
    student.feedback = page if page.exists() else None
    return student


def _reason(cell: nbformat.NotebookNode, answered: nbformat.NotebookNode | None) -> tuple[str, dict]:
    """The reason that a check cell's outputs give, and the judge's record behind it.

    Where the check could not run, the error of the answer cell above it says more than its own.
    """
    for output in cell.outputs:
        if output.output_type == "display_data" and RECORD in output.data:
            return output.data["text/plain"], dict(output.data[RECORD])
        if output.output_type == "error":
            above = _error(answered) if answered is not None else ""
            return f"✗ Not yet. {above or _error(cell)}", {}
    return "", {}


def _error(cell: nbformat.NotebookNode) -> str:
    """The first error among a cell's outputs, in words; empty when it ran through."""
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            return f"cell {cell.metadata.nbgrader.grade_id} raised {output.ename}: {output.evalue}"
    return ""


def _other_name(student: Student) -> Iterator[str]:
    """A notebook that names somebody else is graded with that name's numbers, and flagged."""
    named = {q.record["student"] for q in student.questions if q.record.get("student")}
    for other in sorted(n for n in named if n.casefold() != student.name.casefold()):
        yield f"the notebook names {other!r}: graded with the numbers of that name"


def _edited(root: Path, assignment: str, name: str) -> Iterator[str]:
    """Locked cells that were handed in changed; nbgrader puts the originals back before it grades."""
    release = nbformat.read(root / "exercises" / assignment / f"{assignment}.ipynb", as_version=4)
    locked = {
        c.metadata.nbgrader.grade_id: c.source
        for c in release.cells
        if c.metadata.get("nbgrader", {}).get("locked")
    }
    handed_in = nbformat.read(root / "submitted" / name / assignment / f"{assignment}.ipynb", as_version=4)
    found = {c.metadata.get("nbgrader", {}).get("grade_id"): c.source for c in handed_in.cells}
    for grade_id, source in locked.items():
        if grade_id not in found:
            yield f"cell {grade_id} was deleted"
        elif found[grade_id] != source:
            yield f"cell {grade_id} was edited and has been restored"


def _unexplained(student: Student) -> list[tuple[str, Any]]:
    """(exercise, answer) for each wrong answer to a bank question that no named mistake explains."""
    records = [q.record for q in student.questions if q.record.get("id") in BANK]
    return [
        (r["id"], r["answer"])
        for r in records
        if r["share"] < 1 and not r["mistake"] and r["answer"] is not None
    ]


def table(students: list[Student]) -> str:
    """The class as text: a line a student, then a line for each question that lost points and each flag."""
    lines = []
    for s in students:
        lines.append(f"{s.name:<10} {s.points:5.2f} of {s.max_points:g}")
        lines += [
            f"    {q.grade_id}: {q.points:g} of {q.max_points:g}. {q.reason}"
            for q in s.questions
            if q.points < q.max_points
        ]
        lines += [f"    flag: {flag}" for flag in s.flags]
    return "\n".join(lines)
