"""Every assignment: the instructor's version earns full marks for any student, the blank one nothing."""

import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from grading import keys
from grading.book.course import done, nbgrader
from grading.judging.judge import judge_function
from grading.stock import verdict
from tinylib.practice import BANK, Exercise
from tinylib.practice import assignment as assignment_module
from tinylib.practice.check import difference
from tinylib.practice.draws import Rng, draw
from tinylib.practice.judging import judge_value

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(p.parent.name for p in (ROOT / "solutions").glob("*/release.json"))
FEW = (
    "a02_counting",
    "a11_fixed_point",
    "a14_xor_chip",
)  # numbers, a function, a trial; the others: make soak
JUDGED = re.compile(r'^judge\("([\w.-]+)", (\w+), points=([\d.]+)\)$', re.MULTILINE)
every = pytest.mark.parametrize("name", NAMES)


def solution(name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "solutions" / name / f"{name}.ipynb", as_version=4)


def marks(name: str, student: str) -> dict[str, float]:
    """Share of each question when the instructor's cells run in one namespace for this student."""
    space: dict = {}
    shares = {}
    for cell in (c for c in solution(name).cells if c.cell_type == "code"):
        if cell.metadata.nbgrader.grade_id == "student":
            space["student"] = student
        elif cell.metadata.nbgrader.grade:
            ((exercise_id, answer, _),) = JUDGED.findall(cell.source)
            shares[exercise_id] = verdict(assignment_module.current(), exercise_id, space[answer]).share
        else:
            exec(cell.source, space)
    return shares


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(assignment_module, "_current", assignment_module.Assignment())
    for variable in ("NBGRADER_EXECUTION", "JUPYTERHUB_USER", "TINYML_PROGRESS"):
        monkeypatch.delenv(variable, raising=False)


@every
@pytest.mark.parametrize("student", ["", "ada", "Ben", "çelik", "student 4", "x" * 60])
def test_instructor_solutions_are_right_for_every_student(name, student, monkeypatch):
    monkeypatch.chdir(ROOT / "solutions" / name)
    shares = marks(name, student)
    assert shares and set(shares.values()) == {1.0}, shares


@every
def test_instructor_functions_are_right_on_every_hidden_draw(name, monkeypatch):
    monkeypatch.chdir(ROOT / "solutions" / name)
    space: dict = {}
    for cell in (c for c in solution(name).cells if c.cell_type == "code"):
        for exercise_id, answer, _ in JUDGED.findall(cell.source):
            if isinstance(key := keys.load(keys.folder() / f"{name}.py").get(exercise_id), keys.Key):
                for seed in range(60):
                    feedback = judge_function(key, lambda a, f=space[answer]: f(*a), Rng(str(seed)))
                    assert feedback.right, feedback.message
        if not cell.metadata.nbgrader.grade:
            exec(cell.source, space)


@every
def test_bank_questions_are_at_most_half_of_the_points(name):
    found = [row for cell in solution(name).cells for row in JUDGED.findall(cell.source)]
    bank = sum(float(points) for exercise_id, _, points in found if exercise_id in BANK)
    assert bank <= sum(float(points) for _, _, points in found) / 2


@every
@pytest.mark.parametrize("seeds", [range(100), pytest.param(range(100, 300), marks=pytest.mark.soak)])
def test_private_questions_are_never_ambiguous(name, seeds):
    private = [k for k in keys.load(keys.folder() / f"{name}.py").values() if isinstance(k, Exercise)]
    assert private
    for question in private:
        assert judge_value(question, question.given, question.expect).right
        for seed in seeds:
            given = draw(question.given, question.draws, Rng(str(seed)))
            assert judge_value(question, given, question.answer(**given)).right
            assert not any(judge_value(question, given, v).right for _, v in question.mistakes(given))


@every
def test_functions_agree_with_their_public_examples(name):
    functions = [k for k in keys.load(keys.folder() / f"{name}.py").values() if isinstance(k, keys.Key)]
    assert functions and all(k.examples for k in functions)
    for key in functions:
        for arguments, expected in key.examples:
            assert not difference(key.expected(*arguments), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n if n in FEW else pytest.param(n, marks=pytest.mark.soak) for n in NAMES])
def test_through_nbgrader_full_marks_and_zero(name, tmp_path):
    shutil.copytree(ROOT / "solutions" / name, tmp_path / "solutions" / name)
    with nbgrader(tmp_path) as api:
        done(api.generate_assignment(name), "generate")
        shutil.copytree(tmp_path / "exercises" / name, tmp_path / "submitted" / "blank" / name)
        shutil.copytree(tmp_path / "exercises" / name, tmp_path / "submitted" / "solved" / name)
        path = tmp_path / "submitted" / "solved" / name / f"{name}.ipynb"
        nb, answers = nbformat.read(path, as_version=4), solution(name)
        sources = {c.metadata.nbgrader.grade_id: c.source for c in answers.cells if "nbgrader" in c.metadata}
        for cell in (c for c in nb.cells if c.metadata.get("nbgrader", {}).get("solution")):
            cell.source = sources[cell.metadata.nbgrader.grade_id]
        nbformat.write(nb, path)
        for student in ("blank", "solved"):
            done(api.autograde(name, student), student)
        with api.gradebook as book:
            blank, solved = (book.find_submission(name, s) for s in ("blank", "solved"))
            assert (blank.score, solved.score) == (0, solved.max_score) and solved.max_score > 0
    assert os.environ.get("NBGRADER_EXECUTION") is None
