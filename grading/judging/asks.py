"""What a released assignment asks: its graded cells, the names behind them, and the arguments for functions.

Everything is read from the *release* notebook and the key; a student's notebook has no say in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat

from grading import keys
from grading.inside.task import Ask, Step
from grading.judging.transplant import cell_name, claims_of, steps_of
from grading.keys import DRAWS, Key, Trial, hidden_rng
from tinylib.practice.assignment import Assignment, read_release
from tinylib.practice.bank import BANK
from tinylib.practice.exercise import Exercise, digest

CHECK_CALL = re.compile(r"^check\(\s*[\"']([\w.-]+)[\"']\s*,\s*(\w+)\s*\)\s*$", re.MULTILINE)
SEALED = ("value", "function", "trial")  # kinds of questions that are judged outside the student's process
BEGIN_CALL = re.compile(r"^begin\(\s*(\w+)\s*\)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Question:
    """One graded cell of the release.

    kind: value, function or trial (sealed), asserts (an ordinary test, not sealed) or manual (graded by
    hand); answer: the cell above it that the student fills in.
    """

    cell: str
    points: float
    kind: str
    id: str = ""
    name: str = ""
    answer: str = ""
    source: str = ""  # of an ordinary test, with its hidden part


@dataclass(frozen=True)
class Paper:
    """One assignment as the grader reads it; refusal: one sentence when it cannot be graded, else empty."""

    assignment: Assignment
    notebook: nbformat.NotebookNode
    questions: tuple[Question, ...]
    known: Mapping[str, Key | Exercise | Trial]  # private questions, keys and trials
    whose: tuple[str, str] = ("", "")  # (cell that opens the assignment, variable that names the student)
    refusal: str = ""

    def item(self, exercise_id: str) -> Key | Exercise | Trial:
        """The exercise, key or trial behind an id."""
        return BANK.get(exercise_id) or self.known[exercise_id]

    def steps(self, notebook: nbformat.NotebookNode, submission: str) -> tuple[Step, ...]:
        """What to run of a transplanted notebook; `submission` is the digest that seeds hidden draws."""
        asks = {q.cell: self.ask(q, submission) for q in self.questions if q.kind in SEALED}
        tests = {q.cell: q.source for q in self.questions if q.kind == "asserts"}
        return steps_of(notebook, asks, tests, self.whose)

    def ask(self, question: Question, submission: str) -> Ask:
        """What is asked at one check cell."""
        item = self.item(question.id)
        if not isinstance(item, Key):
            return Ask(question.id, question.name)
        rng = hidden_rng(self.assignment.salt, submission, question.id)
        return Ask(question.id, question.name, tuple(tuple(item.draw(rng)) for _ in range(DRAWS)))


def read_paper(release: Path, source: Path | None = None, key_folder: Path | None = None) -> Paper:
    """The assignment in the folder `release`; `source` is its folder with hidden tests, if there are any.

    Raises ValueError with one sentence when a check names what neither bank nor key knows.
    """
    assignment = read_release(release / "release.json")
    notebook = read_notebook(release / f"{release.name}.ipynb")
    known = keys.load((key_folder or keys.folder()) / f"{assignment.name}.py")
    full = {}
    if source and (source / f"{release.name}.ipynb").exists():
        full = {cell_name(c): c.source for c in read_notebook(source / f"{release.name}.ipynb").cells}
    questions = tuple(questions_of(notebook, known, full))
    return Paper(assignment, notebook, questions, known, _whose(notebook), _refusal(assignment))


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """An instructor's notebook, every cell with an id; ValueError with one sentence if it cannot be read."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises many kinds for a broken file
        raise ValueError(f"{path.name} must be a notebook of the course, got {error!s:.120}") from None
    for number, cell in enumerate(notebook.cells, 1):  # before format 4.5 there were no ids
        cell.setdefault("id", f"cell-{number}")
    notebook.nbformat_minor = max(notebook.nbformat_minor, 5)
    return notebook


def questions_of(notebook: nbformat.NotebookNode, known: Mapping, full: Mapping[str, str]):
    """The graded cells in order."""
    answer = ""
    for cell in notebook.cells:
        claims = claims_of(cell)
        if claims.get("solution"):
            answer = claims["grade_id"]
        if not (claims.get("grade") or claims.get("task")):
            continue
        name, points = claims["grade_id"], float(claims.get("points", 0))
        calls = CHECK_CALL.findall(cell.source)
        if claims.get("task") or claims.get("solution") or cell.cell_type != "code":
            yield Question(name, points, "manual", answer=name)
        elif len(calls) == 1:
            exercise_id, variable = calls[0]
            item = BANK.get(exercise_id) or known.get(exercise_id)
            if item is None:
                raise ValueError(
                    f"cell {name} must check what bank or key knows, got {exercise_id!r}: the key is missing"
                )
            kind = {Key: "function", Trial: "trial"}.get(type(item), "value")
            yield Question(name, points, kind, exercise_id, variable, answer)
        else:
            yield Question(name, points, "asserts", answer=answer, source=full.get(name, cell.source))


def _whose(notebook: nbformat.NotebookNode) -> tuple[str, str]:
    for cell in notebook.cells:
        if cell.cell_type == "code" and (found := BEGIN_CALL.search(cell.source)):
            return cell_name(cell), found[1]
    return "", ""


def _refusal(assignment: Assignment) -> str:
    """Why work on this release must not be graded by this bank; empty when it is the released one."""
    used = {name: BANK[name] for name in assignment.bank if name in BANK}
    if len(used) < len(assignment.bank) or digest(used) != assignment.digest:
        return f"{assignment.name} was released with another question bank: grade it with that version"
    return ""
