"""nbgrader's gradebook, written by one writer in one transaction for each submission.

Rows and scores are those that `nbgrader autograde` would write. Manual scores, manual comments and extra
credit are read, never written. Beside nbgrader's tables stands one of our own, which says what each
submission's grades were made from.
"""

import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Self

import sqlalchemy as sql
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from grading.book.course import Course, settings, tools
from grading.book.standing import CLOSED, RUNS, Made, reason, told

WAITS_S = (0.2, 0.5, 1.0, 2.0, 4.0)  # between tries when the database is away or busy
FULL = ("disk is full", "no space left", "diskfull", "could not extend file")


class NotWritten(RuntimeError):
    """One submission's grades were not written; the message is one sentence."""


@dataclass(frozen=True)
class Entry:
    """One submission's grades: score by graded cell (None: a person marks it), comment by answer cell.

    review: mark every graded cell as needing a person
    """

    student: str
    scores: Mapping[str, float | None]
    comments: Mapping[str, str | None]
    made: Made
    timestamp: datetime | None = None
    review: bool = False


class Book:
    """The gradebook of a course, open for one assignment."""

    def __init__(self, course: Course, assignment: str):
        self.course, self.assignment, self.url = course, assignment, course.url
        with tools(), told(self.url):
            from nbgrader import api

            self.api = api
            self._gb = api.Gradebook(self.url, course.course_id)
            self.engine = self._gb.engine
            RUNS.create(self.engine, checkfirst=True)
            self._try_writing()
        self._late = None
        self._away = False  # whether the last try was in vain: then nobody waits again

    def close(self) -> None:
        self._gb.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _try_writing(self) -> None:
        """Raise now, not in the middle of a class, when the gradebook cannot be written."""
        with self.engine.connect() as db:
            db.execute(RUNS.insert().values(submission_id="trial", **asdict(Made(""))))
            db.rollback()

    def write(self, entry: Entry) -> None:
        """Write one submission, all of it or nothing; tries again while the database is away or busy.

        Raises NotWritten with one sentence.
        """
        for wait in (None,) if self._away else (*WAITS_S, None):
            try:
                with self.engine.begin() as db:
                    self._write(db, entry)
                self._away = False
                return
            except (DBAPIError, sqlite3.Error) as error:
                why = reason(error)
                lost = isinstance(error, OperationalError | IntegrityError) or _disconnected(error)
                if wait is None or not lost or any(word in why.lower() for word in (*FULL, *CLOSED)):
                    self._away = lost
                    raise NotWritten(f"not written, run again: {why}") from None
                self.engine.dispose()
                time.sleep(wait)
            except OSError as error:
                raise NotWritten(f"not written, run again: {error.strerror}") from None

    def _write(self, db: sql.Connection, entry: Entry) -> None:
        api = self.api
        submitted, due = self._submission(db, entry)
        assignment = sql.select(api.Assignment.id).where(api.Assignment.name == self.assignment)
        notebook = db.execute(
            sql.select(api.Notebook.__table__.c.id).where(
                api.Notebook.name == self.assignment,
                api.Notebook.assignment_id == assignment.scalar_subquery(),
            )
        ).scalar_one()
        table = api.SubmittedNotebook.__table__
        mine = sql.and_(table.c.assignment_id == submitted, table.c.notebook_id == notebook)
        work = db.scalar(sql.select(table.c.id).where(mine))
        if work is None:
            work = api.new_uuid()
            row = {"id": work, "assignment_id": submitted, "notebook_id": notebook, "flagged": False}
            db.execute(table.insert().values(row))
        cells = self._cells(db, notebook)
        score = self._grades(db, entry, work, cells)
        self._comments(db, entry, work, cells)
        penalty = self._penalty(entry.student, score, _seconds_late(entry.timestamp, due))
        db.execute(table.update().where(table.c.id == work).values(late_submission_penalty=penalty))
        db.execute(RUNS.delete().where(RUNS.c.submission_id == submitted))
        made = {**asdict(entry.made), "written": time.time()}
        db.execute(RUNS.insert().values(submission_id=submitted, **made))

    def _submission(self, db: sql.Connection, entry: Entry) -> tuple[str, datetime | None]:
        """The id of the submitted assignment, made if absent, and when it is due."""
        api = self.api
        student, assignment = api.Student.__table__, api.Assignment.__table__
        if db.scalar(sql.select(student.c.id).where(student.c.id == entry.student)) is None:
            db.execute(student.insert().values(id=entry.student))
        name, due = db.execute(
            sql.select(assignment.c.id, assignment.c.duedate).where(assignment.c.name == self.assignment)
        ).one()
        table = api.SubmittedAssignment.__table__
        query = sql.select(table.c.id, table.c.extension)
        row = db.execute(
            query.where(table.c.assignment_id == name, table.c.student_id == entry.student)
        ).first()
        if row is None:
            row = (api.new_uuid(), None)
            values = {"id": row[0], "assignment_id": name, "student_id": entry.student}
            db.execute(table.insert().values(values | {"timestamp": entry.timestamp}))
        elif entry.timestamp is not None:
            db.execute(table.update().where(table.c.id == row[0]).values(timestamp=entry.timestamp))
        return row[0], due + row[1] if due and row[1] else due

    def _cells(self, db: sql.Connection, notebook: str) -> dict[tuple[str, str], str]:
        """(kind, name) -> id of the registered cells: kinds are GradeCell, SolutionCell and TaskCell."""
        base = self.api.BaseCell.__table__
        rows = db.execute(
            sql.select(base.c.type, base.c.name, base.c.id).where(base.c.notebook_id == notebook)
        )
        return {(kind, name): cell for kind, name, cell in rows}

    def _grades(self, db: sql.Connection, entry: Entry, work: str, cells: Mapping) -> float:
        """Write the grades; returns the score of the notebook."""
        table = self.api.Grade.__table__
        columns = (table.c.cell_id, table.c.auto_score, table.c.manual_score, table.c.extra_credit)
        query = sql.select(*columns, table.c.needs_manual_grade).where(table.c.notebook_id == work)
        there = {cell: rest for cell, *rest in db.execute(query)}
        rows, total = [], 0.0
        for (kind, name), cell in cells.items():
            if kind not in ("GradeCell", "TaskCell"):
                continue
            before, manual, extra, review = there.get(cell, (None, None, None, True))
            score = entry.scores.get(name)
            if manual is None:
                review = score is None or entry.review
            elif before != score:
                review = True
            total += (manual if manual is not None else score or 0.0) + (extra or 0.0)
            rows.append({"_cell": cell, "_score": score, "_review": review, "_new": cell not in there})
        self._put(db, table, work, rows, auto_score="_score", needs_manual_grade="_review")
        return total

    def _comments(self, db: sql.Connection, entry: Entry, work: str, cells: Mapping) -> None:
        table = self.api.Comment.__table__
        there = set(db.scalars(sql.select(table.c.cell_id).where(table.c.notebook_id == work)))
        rows = [
            {"_cell": cell, "_text": entry.comments.get(name), "_new": cell not in there}
            for (kind, name), cell in cells.items()
            if kind in ("SolutionCell", "TaskCell")
        ]
        self._put(db, table, work, rows, auto_comment="_text")

    def _put(self, db: sql.Connection, table: sql.Table, work: str, rows: list[dict], **columns: str) -> None:
        """Insert the new rows of a submitted notebook, update the others."""
        values = {column: sql.bindparam(name) for column, name in columns.items()}
        fresh = [row | {"_id": self.api.new_uuid()} for row in rows if row.pop("_new")]
        known = [row for row in rows if row["_cell"] not in {new["_cell"] for new in fresh}]
        if fresh:
            key = {"id": sql.bindparam("_id"), "cell_id": sql.bindparam("_cell"), "notebook_id": work}
            db.execute(table.insert().values(**key, **values), fresh)
        if known:
            here = sql.and_(table.c.notebook_id == work, table.c.cell_id == sql.bindparam("_cell"))
            db.execute(table.update().where(here).values(**values), known)

    def _penalty(self, student: str, score: float, seconds: float) -> float | None:
        """The penalty of nbgrader's plugin for late work, as its AssignLatePenalties would set it."""
        if not seconds > 0:
            return None
        if self._late is None:
            from nbgrader.preprocessors import AssignLatePenalties

            self._late = AssignLatePenalties(config=settings(self.course.root))
            self._late.init_plugin()
        penalty = self._late.plugin_inst.late_submission_penalty(student, score, seconds)
        return (
            None if penalty is None else self._late._check_late_penalty(SimpleNamespace(score=score), penalty)
        )


def as_json(value: Any) -> str:
    """A verdict as our table keeps it."""
    return json.dumps(value, separators=(",", ":"))


def _seconds_late(timestamp: datetime | None, due: datetime | None) -> float:
    return (timestamp - due).total_seconds() if timestamp and due else 0.0


def _disconnected(error: Exception) -> bool:
    return bool(getattr(error, "connection_invalidated", False))
