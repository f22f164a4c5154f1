"""What the gradebook says of an assignment before a run: read with plain queries, without loading nbgrader.

Beside nbgrader's tables stands `tinyml_runs`, which says what each submission's grades were made from.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, DBAPIError

RUNS = sql.Table(
    "tinyml_runs",
    sql.MetaData(),
    sql.Column("submission_id", sql.String(32), primary_key=True),
    sql.Column("digest", sql.String(64), nullable=False),
    sql.Column("answers", sql.String(64), nullable=False),
    sql.Column("run_id", sql.String(40), nullable=False),
    sql.Column("level", sql.String(8), nullable=False),
    sql.Column("seconds", sql.Float, nullable=False),
    sql.Column("note", sql.Text, nullable=False),
    sql.Column("verdict", sql.Text, nullable=False),
    sql.Column("written", sql.Float, nullable=False),
)
CLOSED = ("readonly", "read-only", "permission denied", "unable to open")


def _table(name: str, columns: str) -> sql.TableClause:
    return sql.table(name, *map(sql.column, columns.split()))


ASSIGNMENT = _table("assignment", "id name duedate")
SUBMITTED = _table("submitted_assignment", "id assignment_id student_id extension")
WORK = _table("submitted_notebook", "id assignment_id")
NOTEBOOK = _table("notebook", "id name assignment_id")
SOURCE = _table("source_cell", "name source notebook_id")
CELL = _table("base_cell", "id name notebook_id")
POINTS = _table("grade_cells", "id max_score")
MANUAL = (  # what a person gave, in nbgrader's tables
    _table("grade", "cell_id notebook_id manual_score"),
    _table("grade", "cell_id notebook_id extra_credit"),
    _table("comment", "cell_id notebook_id manual_comment"),
)
READ = {table.name for table in (ASSIGNMENT, SUBMITTED, WORK, NOTEBOOK, SOURCE, CELL, POINTS, *MANUAL)}


class GradebookError(RuntimeError):
    """The gradebook cannot be used at all; the message is one sentence."""


@dataclass(frozen=True)
class Made:
    """What a submission's grades were made from: its row of `tinyml_runs`.

    digest: of everything that decides on the marks, empty when they must be made anew; answers: of the run
    that gave the answers; level: of the sandbox; verdict: marks and flags as JSON, for reports
    """

    digest: str
    answers: str = ""
    run_id: str = ""
    level: str = ""
    seconds: float = 0.0
    note: str = ""
    verdict: str = "{}"
    written: float = 0.0


@dataclass(frozen=True)
class Given:
    """What a person gave one student: by cell, a score, extra credit and a comment."""

    scores: dict[str, float] = field(default_factory=dict)
    extra: dict[str, float] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = self.scores, self.extra, self.comments
        return json.dumps(parts, sort_keys=True) if any(parts) else ""


@dataclass(frozen=True)
class Standing:
    """How an assignment stands in the gradebook.

    cells: registered cell -> (source, points); made, given: by student; due: the due date, with a student's
    own extension where there is one, in words that change when it does ("" is the class's)
    """

    cells: dict[str, tuple[str, float | None]] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    given: dict[str, Given] = field(default_factory=dict)
    due: dict[str, str] = field(default_factory=dict)

    def due_for(self, student: str) -> str:
        return self.due.get(student, self.due.get("", ""))


def standing(url: str, assignment: str) -> Standing:
    """Read it all; an assignment that is not registered, or a gradebook that is not there yet, stands empty.

    Raises GradebookError when the database cannot be reached.
    """
    with told(url):
        engine = sql.create_engine(url)
        try:
            if engine.dialect.name == "sqlite" and not _exists(engine):
                return Standing()
            with engine.connect() as db:
                tables = set(sql.inspect(db).get_table_names())
                if not tables.issuperset(READ):  # none yet, or a run was killed while it made them
                    return Standing()
                made = _made(db, assignment) if RUNS.name in tables else {}
                return Standing(_cells(db, assignment), made, _given(db, assignment), _due(db, assignment))
        finally:
            engine.dispose()


def _exists(engine: sql.Engine) -> bool:
    """Whether a SQLite file is there: connecting would make it."""
    from pathlib import Path

    name = engine.url.database
    return bool(name) and (name.startswith("file:") or Path(name).exists())


def _cells(db: sql.Connection, assignment: str) -> dict[str, tuple[str, float | None]]:
    ours = sql.and_(ASSIGNMENT.c.name == assignment, NOTEBOOK.c.name == assignment)
    query = (
        sql.select(SOURCE.c.name, SOURCE.c.source)
        .select_from(SOURCE)
        .join(NOTEBOOK, NOTEBOOK.c.id == SOURCE.c.notebook_id)
        .join(ASSIGNMENT, ASSIGNMENT.c.id == NOTEBOOK.c.assignment_id)
    )
    sources = db.execute(query.where(ours)).all()
    query = (
        sql.select(CELL.c.name, POINTS.c.max_score)
        .select_from(POINTS)
        .join(CELL, CELL.c.id == POINTS.c.id)
        .join(NOTEBOOK, NOTEBOOK.c.id == CELL.c.notebook_id)
        .join(ASSIGNMENT, ASSIGNMENT.c.id == NOTEBOOK.c.assignment_id)
    )
    points = {name: score for name, score in db.execute(query.where(ours))}
    return {name: (source, points.get(name)) for name, source in sources}


def _made(db: sql.Connection, assignment: str) -> dict[str, Made]:
    query = (
        sql.select(SUBMITTED.c.student_id, *(RUNS.c[f.name] for f in fields(Made)))
        .select_from(SUBMITTED)
        .join(RUNS, RUNS.c.submission_id == SUBMITTED.c.id)
        .join(ASSIGNMENT, ASSIGNMENT.c.id == SUBMITTED.c.assignment_id)
        .where(ASSIGNMENT.c.name == assignment)
    )
    return {student: Made(*row) for student, *row in db.execute(query)}


def _given(db: sql.Connection, assignment: str) -> dict[str, Given]:
    found: dict[str, Given] = {}
    for table, part in zip(MANUAL, ("scores", "extra", "comments")):
        value = list(table.c)[-1]
        query = (
            sql.select(SUBMITTED.c.student_id, CELL.c.name, value)
            .select_from(table)
            .join(CELL, CELL.c.id == table.c.cell_id)
            .join(WORK, WORK.c.id == table.c.notebook_id)
            .join(SUBMITTED, SUBMITTED.c.id == WORK.c.assignment_id)
            .join(ASSIGNMENT, ASSIGNMENT.c.id == SUBMITTED.c.assignment_id)
            .where(ASSIGNMENT.c.name == assignment, value.is_not(None))
        )
        for student, cell, what in db.execute(query):
            getattr(found.setdefault(student, Given()), part)[cell] = what
    return found


def _due(db: sql.Connection, assignment: str) -> dict[str, str]:
    due = db.scalar(sql.select(ASSIGNMENT.c.duedate).where(ASSIGNMENT.c.name == assignment))
    query = (
        sql.select(SUBMITTED.c.student_id, SUBMITTED.c.extension)
        .select_from(SUBMITTED)
        .join(ASSIGNMENT, ASSIGNMENT.c.id == SUBMITTED.c.assignment_id)
        .where(ASSIGNMENT.c.name == assignment, SUBMITTED.c.extension.is_not(None))
    )
    return {"": str(due or "")} | {student: f"{due}+{extra}" for student, extra in db.execute(query)}


def shown(url: str) -> str:
    """A database URL without its password."""
    return sql.make_url(url).render_as_string(hide_password=True)


def reason(error: Exception) -> str:
    """The first line of what a database said."""
    return (str(getattr(error, "orig", None) or error).strip().splitlines() or ["no reason given"])[0]


@contextmanager
def told(url: str) -> Iterator[None]:
    """Turn what a database raises into one sentence."""
    try:
        yield
    except ArgumentError:
        what = shown(url) if "://" in url else repr(url)
        raise GradebookError(
            f"the gradebook must be a database URL, as in sqlite:////a/b.db, got {what}"
        ) from None
    except (DBAPIError, ImportError) as error:
        why = reason(error)
        rule = "writable" if any(word in why.lower() for word in CLOSED) else "reachable"
        raise GradebookError(f"the gradebook {shown(url)} must be {rule}, got: {why}") from None
