"""The writer: rows as nbgrader writes them, one transaction each, nothing of a person's ever touched."""

import shutil
import sqlite3
from dataclasses import replace
from datetime import datetime

import nbformat
import pytest

from grading.book import course, gradebook
from grading.book.course import Course, done, nbgrader, register, stock
from grading.book.gradebook import Book, Entry, NotWritten
from grading.book.graded import scores
from grading.book.standing import Given, GradebookError, Made, Standing, shown, standing
from grading.demo import ASSIGNMENT, hand_in, make_course
from tests.grading.snapshots import COMMENTS, GRADES, change, rows

pytestmark = pytest.mark.slow
MADE = Made("digest", "answers", "run", "A", 1.0, "", '{"student": "ada"}')


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    root = tmp_path_factory.mktemp("registered") / "a course"
    root.mkdir()
    make_course(root)
    register(Course(root), ASSIGNMENT)
    return root


@pytest.fixture
def root(registered, tmp_path):
    return shutil.copytree(registered, tmp_path / "a course")


def release(root):
    return nbformat.read(root / "exercises" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)


def entry(root, student="ada", points=1.0, **changes) -> Entry:
    found = {**dict.fromkeys(scores(release(root)), points)}
    return replace(Entry(student, found, {"ridge": "Upside down."}, MADE), **changes)


def write(root, *entries) -> None:
    with Book(Course(root), ASSIGNMENT) as book:
        for one in entries:
            book.write(one)


def test_untouched_release_is_written_as_nbgrader_writes_it(root):
    """The same rows, cell by cell, as nbgrader's own command leaves for work that nobody touched."""
    shutil.rmtree(root / "submitted")
    hand_in(root, "stock", {})
    hand_in(root, "ours", {})
    with stock(), nbgrader(root) as api:
        done(api.autograde(ASSIGNMENT, "stock"), "autograde")
    graded = root / "autograded" / "stock" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    found = scores(nbformat.read(graded, as_version=4))
    theirs = {name: said for student, name, said, _ in rows(root, COMMENTS) if student == "stock"}
    write(root, Entry("ours", found, theirs, MADE))
    for query in (GRADES, COMMENTS):
        by_student = {who: [r[1:] for r in rows(root, query) if r[0] == who] for who in ("stock", "ours")}
        assert by_student["ours"] == by_student["stock"] and by_student["ours"]


def test_writing_again_replaces_and_never_doubles(root):
    write(root, entry(root, points=1.0), entry(root, points=0.5))
    grades = rows(root, GRADES)
    assert len(grades) == 7 and {g[2] for g in grades} == {0.5}
    with nbgrader(root) as api, api.gradebook as book:
        assert book.find_submission(ASSIGNMENT, "ada").score == 3.5
    assert standing(Course(root).url, ASSIGNMENT).made["ada"].digest == "digest"


def test_what_a_person_gave_stays(root):
    write(root, entry(root))
    one = "where cell_id = (select id from base_cell where name = 'ridge-check')"
    assert change(
        root, f"update grade set manual_score = 0.25, extra_credit = 2, needs_manual_grade = 0 {one}"
    )
    assert change(root, "update comment set manual_comment = 'well tried'") == 7
    write(root, entry(root))
    row = next(g for g in rows(root, GRADES) if g[1] == "ridge-check")
    assert row == ("ada", "ridge-check", 1.0, 0.25, 2.0, 0)
    assert {c[3] for c in rows(root, COMMENTS)} == {"well tried"}
    given = standing(Course(root).url, ASSIGNMENT).given["ada"]
    assert given.scores == {"ridge-check": 0.25} and given.extra == {"ridge-check": 2.0}
    assert str(given) and not str(Given())
    write(root, entry(root, points=0.0))  # other points than the person saw: look again
    assert next(g for g in rows(root, GRADES) if g[1] == "ridge-check") == (
        "ada",
        "ridge-check",
        0.0,
        0.25,
        2.0,
        1,
    )


def test_a_cell_without_points_waits_for_a_person(root):
    write(root, entry(root, points=None), entry(root, "ben", 1.0), entry(root, "cleo", 0.0, review=True))
    waits = {
        student: {bool(g[5]) for g in rows(root, GRADES) if g[0] == student}
        for student in ("ada", "ben", "cleo")
    }
    assert waits == {"ada": {True}, "ben": {False}, "cleo": {True}}


def test_late_work_is_penalised_by_nbgraders_plugin(root):
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text() + '\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    change(root, "update assignment set duedate = '2030-01-01 00:00:00.000000'")
    days = {"early": datetime(2029, 12, 31), "late": datetime(2030, 1, 2), "extended": datetime(2030, 1, 2)}
    write(root, *(entry(root, name) for name in days))
    longer = "update submitted_assignment set extension = '1970-01-03 00:00:00.000000'"
    change(root, f"{longer} where student_id = 'extended'")
    write(root, *(entry(root, name, timestamp=day) for name, day in days.items()))
    query = """select s.student_id, n.late_submission_penalty from submitted_notebook n
        join submitted_assignment s on s.id = n.assignment_id"""
    assert dict(rows(root, query)) == {"early": None, "late": 7.0, "extended": None}
    due = standing(Course(root).url, ASSIGNMENT)
    assert due.due_for("late") == due.due_for("nobody") != due.due_for("extended")


def test_a_locked_gradebook_is_tried_again_then_said_and_nothing_is_half_written(root, monkeypatch):
    monkeypatch.setattr(gradebook, "WAITS_S", (0.01,))
    with Book(Course(root), ASSIGNMENT) as book:
        other = sqlite3.connect(root / "gradebook.db", isolation_level=None)
        with book.engine.connect() as db:
            db.exec_driver_sql("pragma busy_timeout = 50")
        other.execute("begin immediate")
        with pytest.raises(NotWritten, match="not written, run again: database is locked"):
            book.write(entry(root))
        other.execute("rollback")
        assert rows(root, "select id from student") == []
        book.write(entry(root))
        other.close()
    assert len(rows(root, GRADES)) == 7


def test_a_failure_in_the_middle_leaves_nothing(root):
    change(root, "create trigger t before insert on comment begin select raise(abort, 'no comments'); end")
    with Book(Course(root), ASSIGNMENT) as book, pytest.raises(NotWritten, match="no comments"):
        book.write(entry(root))
    assert rows(root, GRADES) == rows(root, "select id from student") == []


def test_a_read_only_gradebook_is_refused_at_the_start(root):
    url = f"sqlite:///file:{root / 'gradebook.db'}?mode=ro&uri=true".replace(" ", "%20")
    with pytest.raises(GradebookError, match="must be writable, got: attempt to write a readonly database"):
        Book(Course(root, url), ASSIGNMENT)


@pytest.mark.parametrize(
    "url, words",
    [
        ("gradebook.db", "must be a database URL, as in sqlite:////a/b.db, got 'gradebook.db'"),
        ("sqlite:////nowhere/at/all.db", "must be writable, got: unable to open database file"),
        ("postgresql+psycopg://ada:secret@127.0.0.1:1/g", r"gradebook postgresql\+psycopg://ada:\*\*\*@127"),
        ("nosuch://ada:secret@x/y", r"must be a database URL, .* got nosuch://ada:\*\*\*@x/y"),
    ],
)
def test_a_gradebook_that_cannot_be_used_is_one_sentence_without_the_password(root, url, words):
    with pytest.raises(GradebookError, match=words) as caught:
        Book(Course(root, url), ASSIGNMENT)
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)


def test_standing_of_nothing_is_empty_and_makes_no_file(tmp_path):
    assert standing(f"sqlite:///{tmp_path / 'gradebook.db'}", ASSIGNMENT) == Standing()
    assert list(tmp_path.iterdir()) == []


def test_the_password_is_never_shown():
    assert shown("postgresql://ada:secret@db/grades") == "postgresql://ada:***@db/grades"


def test_registering_leaves_release_and_course_folder_alone(registered):
    names = {p.name for p in registered.iterdir()}
    assert names == {"exercises", "solutions", "submitted", "nbgrader_config.py", "gradebook.db"}
    assert rows(registered, "select count(*) from alembic_version") == [(1,)]
    ours = course.HERE / "exercises" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    theirs = registered / "exercises" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    assert ours.read_bytes() == theirs.read_bytes()
