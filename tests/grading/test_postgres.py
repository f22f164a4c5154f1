"""The gradebook in PostgreSQL, on a real server: the rows of SQLite, also when it goes away meanwhile."""

import threading
import time

import pytest

from grading import demo
from grading.book.course import Course
from grading.book.rows import GradingError, Options
from grading.engine import run
from grading.workers.pool import LocalPool
from tests.grading import postgres
from tests.grading.contents import contents

pytestmark = pytest.mark.slow
NAME = demo.ASSIGNMENT
QUIET = {"progress": False, "say": lambda _: None}


@pytest.fixture(scope="module")
def server():
    postgres.required()
    with postgres.Server() as found:
        yield found


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory):
    """What a run into SQLite says."""
    root = tmp_path_factory.mktemp("sqlite")
    demo.make_course(root)
    run(Course(root), NAME, Options(**QUIET))
    return contents(Course(root).url)


class Breaking(LocalPool):
    """A pool of one that calls `then` after its third result."""

    def __init__(self, then):
        super().__init__()
        self.then = then

    def run(self, tasks):
        for number, result in enumerate(super().run(tasks)):
            if number == 2:
                self.then()
            yield result


def test_the_same_rows_as_in_sqlite(server, sqlite, tmp_path):
    demo.make_course(tmp_path)
    course = Course(tmp_path, server.make("same"))
    report = run(course, NAME, Options(**QUIET))
    assert report.counts == {"graded": len(demo.CLASS)}
    assert contents(course.url) == sqlite
    assert not (tmp_path / "gradebook.db").exists()
    assert run(course, NAME, Options(**QUIET)).counts == {"unchanged": len(demo.CLASS)}


@pytest.mark.soak
def test_a_run_holds_few_connections(server, tmp_path):
    demo.make_course(tmp_path)
    course, seen = Course(tmp_path, server.make("few")), []
    options = Options(**QUIET, pool=lambda: Breaking(lambda: seen.append(len(server.connections()))))
    run(course, NAME, options)
    assert seen and seen[0] <= 2
    assert server.connections() == []


@pytest.mark.soak
def test_a_database_that_goes_and_comes_back_is_waited_for(server, sqlite, tmp_path):
    demo.make_course(tmp_path)
    course = Course(tmp_path, server.make("back"))

    def away() -> None:
        server.stop()
        threading.Timer(1, server.start).start()

    report = run(course, NAME, Options(**QUIET, pool=lambda: Breaking(away)))
    assert report.counts == {"graded": len(demo.CLASS)}, report.rows
    assert contents(course.url) == sqlite


@pytest.mark.soak
def test_a_database_that_stays_away_is_a_row_each_and_the_next_run_goes_on(server, sqlite, tmp_path):
    demo.make_course(tmp_path)
    course = Course(tmp_path, server.make("away"))
    try:
        report = run(course, NAME, Options(**QUIET, pool=lambda: Breaking(server.stop)))
    finally:
        server.start()
    assert len(report.rows) == len(demo.CLASS)
    assert report.counts["not written"] >= 5 and set(report.counts) <= {"not written", "graded"}
    assert not [row for row in report.rows if postgres.QUOTED in row.note or postgres.PASSWORD in row.note]
    written = {student for student, *_ in contents(course.url)["grades"]}
    assert written == {row.student for row in report.rows if row.graded}
    again = run(course, NAME, Options(**QUIET))
    assert set(again.counts) == {"regraded", "unchanged"}  # their answers were kept: nothing runs twice
    assert contents(course.url) == sqlite


@pytest.mark.soak
def test_one_connection_that_is_cut_is_made_anew(server, sqlite, tmp_path):
    import psycopg

    demo.make_course(tmp_path)
    course = Course(tmp_path, server.make("cut"))

    def cut() -> None:
        with psycopg.connect(server._words("postgres"), autocommit=True) as db:
            for pid in server.connections():
                db.execute("select pg_terminate_backend(%s)", (pid,))
        time.sleep(0.2)

    report = run(course, NAME, Options(**QUIET, pool=lambda: Breaking(cut)))
    assert report.counts == {"graded": len(demo.CLASS)}
    assert contents(course.url) == sqlite


@pytest.mark.soak
def test_the_password_is_in_no_report(server, tmp_path):
    demo.make_course(tmp_path)
    report = run(Course(tmp_path, server.make("masked")), NAME, Options(**QUIET))
    assert report.url == f"postgresql+psycopg://grader:***@127.0.0.1:{server.port}/masked"


@pytest.mark.parametrize("name, port", [("nothing", None), ("same", 9)])
def test_a_database_that_is_not_there_is_one_sentence_without_the_password(server, tmp_path, name, port):
    demo.make_course(tmp_path)
    url = server.url(name).replace(str(server.port), str(port or server.port))
    with pytest.raises(GradingError, match=r"^the gradebook postgresql\+psycopg://grader:\*\*\*@") as caught:
        run(Course(tmp_path, url), NAME, Options(**QUIET))
    assert "must be reachable" in str(caught.value)
    assert postgres.PASSWORD not in str(caught.value) and postgres.QUOTED not in str(caught.value)
