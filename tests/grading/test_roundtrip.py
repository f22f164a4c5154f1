"""The assignment through stock nbgrader: right work full marks, a blank zero, reasons between."""

import shutil
import sqlite3

import nbformat
import pytest

from grading.book.course import done, nbgrader
from grading.demo import ASSIGNMENT, CLASS, NUMERIC, grade, hand_in, make_course, solved_cells
from grading.report import graded_class, table
from tinylib.practice.assignment import read_release
from tinylib.practice.bank import BANK
from tinylib.practice.judging import judge_value

pytestmark = pytest.mark.slow
FULL = 13.0


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    root = tmp_path_factory.mktemp("a course") / "root"
    root.mkdir()
    make_course(root)
    return root, {s.name: s for s in grade(root, list(CLASS))}


@pytest.fixture(scope="module")
def students(course):
    return course[1]


def question(student, grade_id):
    return next(q for q in student.questions if q.grade_id == grade_id)


def test_right_work_scores_full_marks_even_when_it_prints_and_warns(students):
    for name in ("ada", "ben"):
        assert (students[name].points, students[name].max_points) == (FULL, FULL), table([students[name]])


def test_untouched_notebook_scores_zero(students):
    assert students["eve"].points == 0
    assert all("No answer yet" in q.reason or "was returned" in q.reason for q in students["eve"].questions)


def test_named_mistake_costs_its_point_and_one_entry(students):
    cleo = students["cleo"]
    assert "holds two, * and +" in question(cleo, "mac-to-flop-check").reason
    report = question(cleo, "efficiency-report-check")
    assert report.points == pytest.approx(5) and "those are MACs" in report.reason
    assert cleo.points == pytest.approx(FULL - 2)


def test_an_error_costs_the_point_never_the_run(students):
    dan = students["dan"]
    assert dan.points == pytest.approx(FULL - 1 - 6)
    assert "KeyError" in question(dan, "efficiency-report-check").reason
    assert "raised ZeroDivisionError" in question(dan, "intensity-check").reason


def test_wrong_types_get_a_sentence_each(students):
    finn = students["finn"]
    assert finn.points == 0
    reasons = " ".join(q.reason for q in finn.questions)
    for words in (
        "got 2 values",
        "a lot",
        "complex",
        "finite, got nan",
        "a function",
        "truth value True",
        "a dict was expected",
    ):
        assert words in reasons


def test_a_classmates_numbers_are_flagged_and_only_his(students):
    assert any("fit the numbers of ada" in flag for flag in students["gil"].flags)
    assert not [f for s in students.values() if s.name != "gil" for f in s.flags if "fit the numbers" in f]


def test_edited_test_is_restored_and_flagged(students):
    hana = students["hana"]
    assert question(hana, "ridge-check").points == 0 and "Upside down" in question(hana, "ridge-check").reason
    assert hana.flags == ["cell ridge-check was edited and has been restored"]


def test_feedback_pages_hold_the_reasons(students):
    for student in students.values():
        page = student.feedback.read_text(encoding="utf-8")
        assert ASSIGNMENT in page
    assert "Upside down" in students["hana"].feedback.read_text(encoding="utf-8")


def test_gradebook_holds_the_same_points_and_can_be_upgraded(course):
    root, students = course
    with sqlite3.connect(root / "gradebook.db") as db:
        assert db.execute("select count(*) from alembic_version").fetchone() == (1,)
    with nbgrader(root) as api, api.gradebook as book:
        for name, student in students.items():
            assert book.find_submission(ASSIGNMENT, name).score == pytest.approx(student.points)


def test_export_lists_the_class(course, monkeypatch):
    from nbgrader.apps import ExportApp
    from traitlets.config import Config

    root, students = course
    config = Config()
    config.CourseDirectory.root = str(root)
    monkeypatch.chdir(root)
    app = ExportApp.instance(config=config)
    app.initialize(["--to", str(root / "grades.csv")])
    app.start()
    ExportApp.clear_instance()
    text = (root / "grades.csv").read_text()
    assert all(name in text for name in students)


def test_right_partial_wrong_give_two_one_zero_of_two(tmp_path):
    """The contract on stock autograde, on a two-point question with two entries."""
    make_course(tmp_path)
    source = tmp_path / "solutions" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    nb = nbformat.read(source, as_version=4)
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "efficiency-report-check":
            cell.metadata.nbgrader.points = 2.0
            cell.source = cell.source.replace("points=6", "points=2")
    nbformat.write(nb, source)
    half = '{"params": r["params"], "size_kb": r["size_kb"], "macs": r["macs"]}'
    bodies = {"right": "r", "partial": half, "wrong": "{}"}
    solved = solved_cells()
    with nbgrader(tmp_path) as api:
        done(api.generate_assignment(ASSIGNMENT), "generate")
        for name, body in bodies.items():
            inner = solved["efficiency-report"].replace("def efficiency_report(", "def honest(")
            arguments = "c_in, c_out, kernel_size, h_out, w_out, bits"
            outer = f"def efficiency_report({arguments}):\n    r = honest({arguments})\n    return {body}"
            cell = f"{inner}\n\n{outer}"
            hand_in(tmp_path, name, {"efficiency-report": cell, "student": "student = 'somebody'"})
            done(api.autograde(ASSIGNMENT, name), name)
        with api.gradebook as book:
            scores = [
                book.find_grade("efficiency-report-check", ASSIGNMENT, ASSIGNMENT, name).auto_score
                for name in bodies
            ]
    assert scores == [2, 1, 0]
    for student in graded_class(tmp_path, ASSIGNMENT):
        assert student.flags == ["the notebook names 'somebody': graded with the numbers of that name"]


def test_a_changed_bank_leaves_work_ungraded(tmp_path):
    make_course(tmp_path)
    for folder in ("solutions", "exercises"):
        path = tmp_path / folder / ASSIGNMENT / "release.json"
        path.write_text(path.read_text().replace('"digest": "', '"digest": "0'))
    shutil.rmtree(tmp_path / "submitted")
    hand_in(tmp_path, "ada", solved_cells())
    with nbgrader(tmp_path) as api:
        done(api.generate_assignment(ASSIGNMENT), "generate")
        assert not api.autograde(ASSIGNMENT, "ada")["success"]


def test_every_student_variant_is_answerable(course):
    release = read_release(course[0] / "exercises" / ASSIGNMENT / "release.json")
    for number in range(200):
        for _, exercise_id in NUMERIC.values():
            numbers = release.numbers(exercise_id, f"student-{number}")
            exercise = BANK[exercise_id]
            assert judge_value(exercise, numbers, exercise.answer(**numbers)).right
