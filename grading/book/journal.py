"""What each submission answered, kept by the digest of its run, so that nothing has to run twice.

One SQLite file in the course folder. A row is written once and whole: a run that is killed leaves the rows of
all submissions that ended, and the next run goes on from there.
"""

import sqlite3
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from grading.inside.task import Result

FILE = "grading.journal"
TABLE = """create table if not exists answers (
    digest text primary key, assignment text not null, student text not null,
    result blob not null, written real not null)"""


class JournalError(RuntimeError):
    """The journal cannot be used; the message is one sentence."""


class Journal:
    """Results by run digest, in the file `path`. Not for several writers: the course's lock sees to that."""

    def __init__(self, path: Path):
        self.path = path
        self.notes: list[str] = []
        try:
            self._db = self._opened()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise JournalError(f"the journal {path.name} must be writable, got: {error}") from None
            aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
            for end in ("", "-wal", "-shm"):
                if (part := path.with_name(path.name + end)).exists():
                    part.rename(aside.with_name(aside.name + end))
            self.notes.append(f"the journal was damaged and lies aside as {aside.name}: work is run again")
            self._db = self._opened()

    def _opened(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            db.execute("pragma journal_mode=wal")
            db.execute("pragma synchronous=normal")
            db.execute(TABLE)
            db.execute("select count(*) from answers").fetchone()
        except BaseException:
            db.close()
            raise
        return db

    def get(self, digest: str) -> Result | None:
        """The result of that run; None when it never ended or its row is damaged."""
        row = self._db.execute("select result from answers where digest = ?", (digest,)).fetchone()
        if row is None:
            return None
        try:
            return Result.from_json(zlib.decompress(row[0]).decode())
        except (zlib.error, ValueError, KeyError, TypeError):
            return None

    def has(self, digest: str) -> bool:
        """Whether that run ended."""
        return self._db.execute("select 1 from answers where digest = ?", (digest,)).fetchone() is not None

    def put(self, assignment: str, student: str, result: Result) -> None:
        """Keep a result; a later one of the same digest takes its place."""
        row = (result.digest, assignment, student, zlib.compress(result.to_json().encode(), 1), time.time())
        self._db.execute("insert or replace into answers values (?, ?, ?, ?, ?)", row)

    def digests(self, assignment: str) -> dict[str, str]:
        """Run digest -> student, for every run of an assignment that ended."""
        rows = self._db.execute("select digest, student from answers where assignment = ?", (assignment,))
        return dict(rows.fetchall())

    def merge(self, others: Iterable[Path]) -> int:
        """Take over the rows of other journals, as shards write them; how many were new."""
        before = self._db.total_changes
        for path in others:
            self._db.execute("attach database ? as other", (f"{path.resolve()}",))
            try:
                self._db.execute("insert or ignore into answers select * from other.answers")
            finally:
                self._db.execute("detach database other")
        return self._db.total_changes - before

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
