"""Making the gradebook's tables: killed at any moment, the next run goes on and the gradebook is whole."""

import os
import sqlite3
import subprocess
import sys

import pytest
import sqlalchemy as sql
from nbgrader import api

from grading import engine
from grading.book.course import Course, tools
from grading.book.schema import make_tables
from grading.book.standing import GradebookError, standing
from grading.book.submission import Desk
from grading.demo import ASSIGNMENT, make_course
from grading.inside.task import Limits
from tests.grading import postgres

pytestmark = pytest.mark.slow
TABLES = [table.name for table in api.Base.metadata.sorted_tables]
WRITES = ("CREATE", "INSERT", "UPDATE", "DELETE")
KILLED = 9


def url_of(path) -> str:
    return f"sqlite:///{path / 'gradebook.db'}"


def schema(url: str) -> tuple[dict[str, set[str]], list[str]]:
    """Columns by table and what `alembic_version` says."""
    found = sql.create_engine(url)
    try:
        with found.connect() as db:
            look = sql.inspect(db)
            columns = {t: {c["name"] for c in look.get_columns(t)} for t in look.get_table_names()}
            version = sql.text("select version_num from alembic_version")
            return columns, list(db.scalars(version)) if "alembic_version" in columns else []
    finally:
        found.dispose()


def cut_short(url: str, count: int) -> None:
    """A gradebook as nbgrader leaves it when it is killed after `count` tables."""
    found = sql.create_engine(url)
    api.Base.metadata.create_all(found, tables=api.Base.metadata.sorted_tables[:count])
    found.dispose()


@pytest.fixture(scope="module")
def nbgraders(tmp_path_factory):
    """The schema of a gradebook that nbgrader made."""
    url = url_of(tmp_path_factory.mktemp("nbgrader"))
    with tools():
        api.Gradebook(url).close()
    return schema(url)


def test_tables_and_version_are_nbgraders(nbgraders, tmp_path):
    make_tables(url_of(tmp_path))
    assert schema(url_of(tmp_path)) == nbgraders and len(nbgraders[1]) == 1


def test_in_postgresql_too(nbgraders):
    postgres.required()
    with postgres.Server() as server:
        url = server.make("tables")
        make_tables(url)
        make_tables(url)
        assert schema(url) == nbgraders


@pytest.mark.parametrize("count", range(len(TABLES) + 1))
def test_what_nbgrader_left_half_made_is_completed(nbgraders, tmp_path, count):
    url = url_of(tmp_path)
    cut_short(url, count)
    assert standing(url, ASSIGNMENT).cells == {}
    make_tables(url)
    assert schema(url) == nbgraders


def test_version_that_was_not_written_is(nbgraders, tmp_path):
    url = url_of(tmp_path)
    make_tables(url)
    with sqlite3.connect(tmp_path / "gradebook.db") as db:
        db.execute("delete from alembic_version")
    make_tables(url)
    assert schema(url) == nbgraders


def test_older_gradebook_is_not_taken_for_todays(tmp_path):
    with sqlite3.connect(tmp_path / "gradebook.db") as db:
        db.execute("create table student (id varchar(128) primary key)")
    make_tables(url_of(tmp_path))
    columns, version = schema(url_of(tmp_path))
    assert columns["student"] == {"id"} and version == [] and "alembic_version" not in columns


def test_gradebook_that_cannot_be_made_is_one_sentence(tmp_path):
    url = f"sqlite:///{tmp_path}/nowhere/gradebook.db"
    with pytest.raises(GradebookError, match="must be writable, got: unable to open"):
        make_tables(url)


def killed_after(course: Course, writes: int) -> bool:
    """Whether a process was killed after so many writes to the gradebook that it opens; else it ended."""
    child = os.fork()
    if child == 0:
        seen = 0

        def count(*words) -> None:
            nonlocal seen
            if words[2].lstrip().upper().startswith(WRITES):
                seen += 1
                if seen > writes:
                    os._exit(KILLED)

        sql.event.listen(sql.Engine, "before_cursor_execute", count)
        status = 1
        try:
            open_it(course)
            status = 0
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, KILLED)
    return status == KILLED


def open_it(course: Course) -> None:
    known = standing(course.url, ASSIGNMENT)
    engine.open_book(Desk.open(course, ASSIGNMENT, Limits()), known).close()


@pytest.mark.soak
def test_killed_before_any_write_it_opens_the_next_time(nbgraders, tmp_path):
    """Every statement that makes the tables or registers the assignment, one after the other."""
    make_course(tmp_path)
    undisturbed = Course(tmp_path, f"sqlite:///{tmp_path}/undisturbed.db")
    open_it(undisturbed)
    wanted, count = standing(undisturbed.url, ASSIGNMENT).cells, 0
    while True:
        course = Course(tmp_path, f"sqlite:///{tmp_path}/killed{count}.db")
        was_killed = killed_after(course, count)
        open_it(course)
        columns, version = schema(course.url)
        del columns["tinyml_runs"]
        assert (columns, version) == nbgraders, f"killed after {count} writes"
        assert standing(course.url, ASSIGNMENT).cells == wanted, f"killed after {count} writes"
        if not was_killed:
            break
        count += 1
    assert count > 2 * len(wanted)


def test_completed_gradebook_can_be_upgraded_by_nbgrader(tmp_path):
    cut_short(url_of(tmp_path), 5)
    make_tables(url_of(tmp_path))
    before = schema(url_of(tmp_path))
    words = [sys.executable, "-m", "nbgrader", "db", "upgrade", f"--CourseDirectory.root={tmp_path}"]
    with tools():
        ended = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert schema(url_of(tmp_path)) == before
