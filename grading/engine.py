"""Grading a class: find what was handed in, run what never ran, judge, write; every failure is one row.

A submission is done when the gradebook holds a committed row made from the same digest and its graded
notebook and page are there. Files are written before the row is committed, so a run that is killed anywhere
leaves nothing that the next one takes for finished.
"""

import os
import sqlite3
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from grading.book import graded, lock
from grading.book.course import Course, NbGraderError, in_words, register
from grading.book.gradebook import Book, Entry, NotWritten, as_json
from grading.book.journal import FILE, Journal
from grading.book.rows import GradingError, Options, Pool, Report, Row, verdict_from
from grading.book.schema import make_tables
from grading.book.standing import GradebookError, Made, Standing, shown, standing
from grading.book.submission import Desk, Submission
from grading.inside.task import Result, Task
from grading.interrupts import interruptible
from grading.judging import clean, trial
from grading.judging.ahead import ahead
from grading.judging.asks import read_notebook
from grading.judging.transplant import Transplanted, cell_name, claims_of, locked
from grading.judging.trial import NotTried
from grading.judging.verdict import Verdict, verdict
from grading.pages.feedback import feedback_page
from grading.workers import sandbox
from grading.workers.pool import LocalPool

NO_ANSWERS = "nothing is stored for this work, release, secret and draws: run it first"
MAX_NAME = 128  # of a student, in nbgrader's tables


def run(course: Course, assignment: str, options: Options | None = None) -> Report:
    """Grade an assignment; raises GradingError with one sentence when the run itself cannot work."""
    options = options or Options()
    course = replace(course, root=course.root.resolve())
    if not course.root.is_dir():
        raise GradingError(f"the course must be a folder, found none at {course.root}")
    try:
        with lock.held(course.root, options.wait, options.say):
            return _Run(course, assignment, options).run()
    except (RuntimeError, ValueError, OSError, sqlite3.Error) as error:  # each says it in a sentence
        raise GradingError(in_words(error)) from error


class _Run:
    """One run, under the course's lock."""

    def __init__(self, course: Course, assignment: str, options: Options):
        self.course, self.assignment, self.options = course, assignment, options
        clean.html("")  # says now, not on every page, that the sanitiser is missing
        self.desk = Desk.open(course, assignment, options.limits)
        self.standing = standing(course.url, assignment) if options.write else Standing()
        self.report = Report(assignment, shown(course.url), uuid.uuid4().hex[:12])
        self.pending: dict[str, tuple[Submission, Transplanted]] = {}
        self.book: _Later | None = None

    def run(self) -> Report:
        """Go through the class; Ctrl-C ends it after the submission at hand."""
        start, folders = time.monotonic(), self.folders()
        self.report.total = len(folders)
        bar = tqdm(total=len(folders), desc=self.assignment, unit="student", disable=self._quiet())
        path = self.options.journal or self.course.root / FILE
        self.journal, self.pool = Journal(path), None
        try:
            self.report.notes += self.journal.notes
            with interruptible() as self.shield:
                for row in self.rows(folders):
                    self.report.rows.append(row)
                    bar.update()
        except KeyboardInterrupt:
            self.report.stopped = True
        finally:
            bar.close()
            if self.pool:
                self.pool.close()
            if self.book:
                self.book.close()
            self.journal.close()
        self.report.rows.sort(key=lambda row: row.student)
        self.report.seconds = time.monotonic() - start
        return self.report

    def _quiet(self) -> bool | None:
        return None if self.options.progress else True

    def folders(self) -> dict[str, Path]:
        """Student -> folder of those who are asked for; GradingError when a name is not there."""
        found = self.course.submitted(self.assignment)
        if missing := [name for name in self.options.students if name not in found]:
            raise GradingError(
                f"{missing[0]} must have handed in {self.assignment}, found no folder submitted/{missing[0]}"
            )
        if not found:
            raise GradingError(f"no submission of {self.assignment} lies in {self.course.root / 'submitted'}")
        chosen = self.options.students or tuple(found)
        return {s: found[s] for s in chosen if self.options.only is None or self.options.only(s)}

    def rows(self, folders: dict[str, Path]) -> Iterator[Row]:
        """A row for each submission: what needs no run at once, the others as they finish."""
        steps, ready = self.steps(folders), []
        first = yield from _rows_before_a_task(steps)
        if first is None:
            return
        self.pool = self._pool()
        self.report.level = str(self.pool.level)
        if self.options.write:
            self._prepare()
        results = self.pool.run(_tasks(first, steps, ready))
        if any(question.kind == "trial" for question in self.desk.paper.questions) and trial.keeps():
            results = ahead(results, self.tried, os.cpu_count() or 1)
        for result in results:
            submission, work = self.pending.pop(result.digest)
            yield self.guarded(submission, lambda s=submission, w=work, r=result: self.ran(s, w, r))
            while ready:
                yield ready.pop(0)
        yield from ready

    def _pool(self) -> Pool:
        if self.options.pool:
            return self.options.pool()
        level = sandbox.require(sandbox.probe(), self.options.allow_unsandboxed)
        self.options.say(str(level))
        return LocalPool(self.options.jobs, level, allow_unsandboxed=True)

    def steps(self, folders: dict[str, Path]) -> Iterator[Row | Task]:
        """For each submission its row, or the task that it needs first."""
        for student, folder in folders.items():
            if not student.isprintable() or len(student) > MAX_NAME:
                why = f"a student's folder must have a printable name of at most {MAX_NAME} characters"
                yield Row(ascii(student)[:MAX_NAME], "failed", Verdict(student), why)
                continue
            submission = self.desk.read(student, folder)
            found = self.guarded(submission, lambda s=submission: self.without_running(s))
            if isinstance(found, Row):
                yield found
                continue
            self.pending[submission.run] = (submission, found)
            yield self.desk.task(submission, found)

    def without_running(self, submission: Submission) -> Row | Transplanted:
        """The row of a submission that need not run; else its work, ready to."""
        student, made = submission.student, self.standing.made.get(submission.student)
        anew = made is None or self.options.rejudge or self.options.force
        if not anew and made.digest == submission.marks(self.desk, self.standing) and self.there(student):
            before = verdict_from(made.verdict)
            return Row(student, "unchanged", before, made.note, made.level, made.seconds)
        work = self.desk.work(submission)
        if work.notebook is None:
            return self.finished(submission, work, None, "unreadable")
        stored = None if self.options.force else self.journal.get(submission.run)
        if stored is not None:
            return self.finished(submission, work, stored, "regraded")
        if not self.options.run_new:
            return Row(student, "no answers", Verdict(student), NO_ANSWERS)
        return work

    def tried(self, result: Result) -> None:
        """Hold the trials of a submission, whose verdicts are kept for when it is judged."""
        submission, work = self.pending[result.digest]
        verdict(self.desk.paper, submission.student, submission.seed, work, result)

    def ran(self, submission: Submission, work: Transplanted, result: Result) -> Row:
        """Keep the answers, then grade them; a lost worker leaves none."""
        if result.ended == "worker lost":
            return self.finished(submission, work, result, "worker lost")
        with self.shield():
            self.journal.put(self.assignment, submission.student, result)
        return self.finished(submission, work, result, "graded")

    def finished(self, submission: Submission, work: Transplanted, result: Result | None, state: str) -> Row:
        """Judge and write: notebook and page first, the gradebook's row last."""
        found = verdict(self.desk.paper, submission.student, submission.seed, work, result)
        level, seconds = (result.level, result.seconds) if result else ("", 0.0)
        note = (result.note if result else "") or found.refused
        row = Row(submission.student, state, found, note, level, seconds)
        if not self.options.write:
            return row
        book = self._prepare().book()
        notebook = graded.graded(self.desk.paper, work, result, found)
        silent = graded.unchanged(work.notebook) if work.notebook is not None else []
        scores = graded.scores(notebook)
        if state == "worker lost":
            scores = dict.fromkeys(scores)
        given = self.standing.given.get(submission.student)
        page = feedback_page(self.desk.paper, graded.with_given(self.desk.paper, found, given), work, result)
        digest = "" if state == "worker lost" else submission.marks(self.desk, self.standing)
        kept = as_json(asdict(found))
        made = Made(digest, submission.run, self.report.run_id, level, seconds, note, kept)
        comments = graded.comments(self.desk.paper, notebook, found, silent)
        entry = Entry(submission.student, scores, comments, made, submission.timestamp, state == "unreadable")
        with self.shield():
            self.write_files(submission.student, graded.notebook_text(notebook), page)
            book.write(entry)
        return row

    def write_files(self, student: str, notebook: str, page: str) -> None:
        """The graded notebook with the public files beside it, and the feedback page."""
        path = self.course.autograded(self.assignment, student)
        graded.write_whole(path, notebook)
        for name in self.desk.files:
            graded.copy_whole(self.course.release(self.assignment) / name, path.parent / name)
        graded.write_whole(self.course.feedback(self.assignment, student), page)

    def there(self, student: str) -> bool:
        """Whether notebook and page of a graded submission are."""
        paths = [place(self.assignment, student) for place in (self.course.autograded, self.course.feedback)]
        return all(path.is_file() and path.stat().st_size for path in paths)

    def guarded(self, submission: Submission, step: Callable[[], Any]) -> Any:
        """What the step gives; a row that says why when it fails. The class goes on."""
        try:
            return step()
        except NotWritten as error:
            state, why = "not written", str(error)
        except (OSError, sqlite3.Error) as error:
            state, why = "not written", f"not written, run again: {in_words(error)}"
        except NotTried as error:
            state, why = "not tried", str(error)
        except (GradebookError, NbGraderError, GradingError):
            raise
        except Exception as error:
            state, why = "failed", f"{type(error).__name__}: {error!s:.300}"
            trace = traceback.format_exc()  # a slip in a key gives the whole class the same one
            if not any(note.endswith(trace) for note in self.report.notes):
                self.report.notes.append(f"{submission.student}: {trace}")
        return Row(submission.student, state, Verdict(submission.student), why)

    def _prepare(self) -> "_Later":
        """Open the gradebook and register the assignment, beside the first run."""
        if self.book is None:
            self.book = _Later(lambda: open_book(self.desk, self.standing))
        return self.book


def open_book(desk: Desk, known: Standing) -> Book:
    """The gradebook, with the assignment registered as it is released."""
    released = registered_cells(desk)
    make_tables(desk.course.url)
    if known.cells != released:
        register(desk.course, desk.assignment)
        if standing(desk.course.url, desk.assignment).cells != released:
            name = desk.assignment
            raise GradingError(f"exercises/{name} must be what nbgrader makes of its source: build it again")
    return Book(desk.course, desk.assignment)


def registered_cells(desk: Desk) -> dict[str, tuple[str, float | None]]:
    """Cell -> (source, points) as nbgrader keeps them: tests with their hidden part, answers without."""
    source = desk.course.source(desk.assignment) / f"{desk.assignment}.ipynb"
    full = {cell_name(cell): cell.source for cell in read_notebook(source).cells}
    cells = {}
    for cell in desk.paper.notebook.cells:
        claims = claims_of(cell)
        if any(claims.get(kind) for kind in ("grade", "solution", "locked", "task")):
            name, graded_ = claims["grade_id"], claims.get("grade")
            text = full.get(name, "") if locked(cell) else cell.source
            cells[name] = (text, float(claims["points"]) if graded_ else None)
    return cells


class _Later:
    """Something that takes a while to make, made beside other work."""

    def __init__(self, make: Callable[[], Book]):
        self._found: list[Any] = []
        self._ended = threading.Event()  # a join that Ctrl-C cuts short takes the thread for ended
        threading.Thread(target=self._make, args=(make,), daemon=True).start()

    def _make(self, make: Callable[[], Book]) -> None:
        try:
            self._found.append(make())
        except BaseException as error:
            self._found.append(error)
        finally:
            self._ended.set()

    def book(self) -> Book:
        self._ended.wait()
        if isinstance(self._found[0], BaseException):
            raise self._found[0]
        return self._found[0]

    def close(self) -> None:
        self._ended.wait()
        if isinstance(self._found[0], Book):
            self._found[0].close()


def _rows_before_a_task(steps: Iterator[Row | Task]) -> Iterator[Row]:
    """Rows up to the first task, which is returned; None when there is none."""
    for step in steps:
        if isinstance(step, Task):
            return step
        yield step
    return None


def _tasks(first: Task, steps: Iterator[Row | Task], ready: list[Row]) -> Iterator[Task]:
    """The tasks among the steps; rows on the way go to `ready`."""
    yield first
    for step in steps:
        if isinstance(step, Task):
            yield step
        else:
            ready.append(step)
