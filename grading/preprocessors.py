"""The sealed engine behind nbgrader's own `autograde` command and the formgrader's button, one at a time.

`nbgrader_config.py` puts Transplant first among the sanitising steps, SealedExecute in place of nbgrader's
Execute, and SaveReasons behind its SaveAutoGrades, which reads the marks from the outputs as ever. Files is
the exporter of its `autograde`, Feedback that of its `generate_feedback`.
"""

import atexit
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path

import nbformat
from nbconvert.exporters import HTMLExporter, NotebookExporter
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor

from grading.book import graded, lock
from grading.book.course import Course
from grading.book.gradebook import Book, Entry, NotWritten, as_json
from grading.book.journal import FILE, Journal
from grading.book.standing import Made, standing
from grading.book.submission import Desk, Submission
from grading.inside.task import Result
from grading.judging.transplant import Transplanted
from grading.judging.verdict import Verdict, verdict
from grading.pages.feedback import feedback_page
from grading.workers import sandbox
from grading.workers.pool import LocalPool

ALLOW_VARIABLE = "TINYML_ALLOW_UNSANDBOXED"


class Transplant(NbGraderPreprocessor):
    """Put the student's work into the released notebook; what was changed around it is reported."""

    def preprocess(self, nb: nbformat.NotebookNode, resources: dict) -> tuple[nbformat.NotebookNode, dict]:
        sealed = Sealed(self, resources)
        work = sealed.work
        only_public(sealed.copies, sealed.desk.files)
        for problem in work.problems:
            self.log.warning("%s: %s", resources["nbgrader"]["student"], problem)
        if work.notebook is None:
            raise ValueError(work.problems[0])
        return work.notebook, resources


class SealedExecute(NbGraderPreprocessor):
    """Run in the sandbox, judge outside it, and write each mark as outputs that nbgrader reads."""

    def preprocess(self, nb: nbformat.NotebookNode, resources: dict) -> tuple[nbformat.NotebookNode, dict]:
        sealed = Sealed(self, resources)
        result = sealed.result()
        found = sealed.verdict(result)
        if found.refused:
            raise RuntimeError(f"{sealed.submission.student} cannot be graded: {found.refused}")
        resources["tinyml"] = (sealed, result, found)
        return graded.graded(sealed.desk.paper, sealed.work, result, found), resources


class SaveReasons(NbGraderPreprocessor):
    """Write reasons as comments, and what the grades were made from, as `python -m grading run` does."""

    def preprocess(self, nb: nbformat.NotebookNode, resources: dict) -> tuple[nbformat.NotebookNode, dict]:
        sealed, result, found = resources.pop("tinyml")
        sealed.save(nb, result, found)
        return nb, resources


class Files(NotebookExporter):
    """nbgrader's exporter, for files alone: at a named pipe in a notebook's place it would wait for ever."""

    def from_filename(self, filename: str, resources: dict | None = None, **more: object) -> tuple[str, dict]:
        if not Path(filename).is_file():
            raise ValueError(f"a submission must be a file, got something else of the name {filename}")
        return super().from_filename(filename, resources, **more)


class Feedback(HTMLExporter):
    """The engine's feedback page, made from stored answers; nbgrader's own where there are none."""

    def from_filename(self, filename: str, resources: dict | None = None, **more: object) -> tuple[str, dict]:
        page = Sealed(self, resources).page()
        if page is None:
            return super().from_filename(filename, resources, **more)
        resources["output_extension"] = self.file_extension
        return page, resources


class Sealed:
    """One student's submission on its way through nbgrader's command."""

    def __init__(self, step: NbGraderPreprocessor | HTMLExporter, resources: dict):
        names = resources["nbgrader"]
        place = CourseDirectory(parent=step)
        self.course = Course(Path(place.root), names["db_url"])
        self.desk = Desk.open(self.course, names["assignment"])
        folder = place.format_path(place.submitted_directory, names["student"], names["assignment"])
        self.copies = Path(
            place.format_path(place.autograded_directory, names["student"], names["assignment"])
        )
        self.submission: Submission = self.desk.read(names["student"], Path(folder))
        self.work: Transplanted = self.desk.work(self.submission)

    def result(self) -> Result | None:
        """The answers: stored ones where this submission ran before."""
        if self.work.notebook is None:
            return None
        with lock.held(self.course.root), Journal(self.course.root / FILE) as journal:
            found = journal.get(self.submission.run)
            if found is None:
                found = next(_pool().run([self.desk.task(self.submission, self.work)]))
                if found.ended != "worker lost":
                    journal.put(self.desk.assignment, self.submission.student, found)
        return found

    def verdict(self, result: Result | None) -> Verdict:
        return verdict(self.desk.paper, self.submission.student, self.submission.seed, self.work, result)

    def page(self) -> str | None:
        """The feedback page with what a person gave; None without stored answers."""
        with lock.held(self.course.root), Journal(self.course.root / FILE) as journal:
            result = journal.get(self.submission.run)
        if result is None and self.work.notebook is not None:
            return None
        given = standing(self.course.url, self.desk.assignment).given.get(self.submission.student)
        found = graded.with_given(self.desk.paper, self.verdict(result), given)
        return feedback_page(self.desk.paper, found, self.work, result)

    def save(self, nb: nbformat.NotebookNode, result: Result, found: Verdict) -> None:
        """Our own row and the comments; the scores are those that nbgrader has just read."""
        silent = graded.unchanged(self.work.notebook)
        comments = graded.comments(self.desk.paper, nb, found, silent)
        known = standing(self.course.url, self.desk.assignment)
        digest = self.submission.marks(self.desk, known)
        kept = as_json(asdict(found))
        made = Made(digest, self.submission.run, "nbgrader", result.level, result.seconds, result.note, kept)
        entry = Entry(self.submission.student, graded.scores(nb), comments, made, self.submission.timestamp)
        with _book(self.course, self.desk.assignment) as book:
            book.write(entry)


def only_public(folder: Path, public: Mapping[str, str]) -> None:
    """Leave the notebooks and the public files alone in the graded folder.

    nbgrader copies all that lies beside a notebook there, following links, and from there into the feedback.
    """
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name not in public and path.suffix != ".ipynb":
            path.unlink()


@contextmanager
def _book(course: Course, assignment: str) -> Iterator[Book]:
    try:
        with Book(course, assignment) as book:
            yield book
    except NotWritten as error:
        raise RuntimeError(str(error)) from None


@cache
def _pool() -> LocalPool:
    allowed = os.environ.get(ALLOW_VARIABLE, "") not in ("", "0")
    try:
        pool = LocalPool(1, sandbox.require(sandbox.probe(), allowed), allow_unsandboxed=True)
    except PermissionError as error:
        why = str(error).replace("say --allow-unsandboxed", f"set {ALLOW_VARIABLE}=1")
        raise RuntimeError(why) from None
    atexit.register(pool.close)
    return pool
