"""One submission on its way: what was handed in, the task made of it, and the digests that name both.

The digest of a run covers what the student's process sees: the submission, the release, the arguments drawn
from the key, the limits, the engine. The digest of the marks covers that run and everything that judges it,
so a changed key judges stored answers anew, and a changed draw runs the submission again.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

from grading import keys
from grading.book import graded
from grading.book.course import Course, handed_in, late_policy
from grading.book.standing import Standing
from grading.inside.task import Limits, Task, digest_of, packed
from grading.judging.asks import Paper, read_paper
from grading.judging.transplant import MAX_BYTES, Transplanted, transplant
from tinylib.practice.exercise import Exercise
from tinylib.practice.exercise import digest as behaviour


@dataclass(frozen=True)
class Submission:
    """What one student handed in. seed: names the bytes and draws the hidden arguments; run: names the task;
    raw: None when there is no notebook to be read, `problem` says why; stamp: why its time was not read."""

    student: str
    folder: Path
    seed: str
    run: str
    raw: bytes | None = field(repr=False)
    problem: str = ""
    timestamp: datetime | None = None
    stamp: str = ""

    def marks(self, desk: "Desk", standing: Standing) -> str:
        """The digest of everything that decides on this submission's grades and pages."""
        given = str(standing.given.get(self.student, ""))
        late = f"{self.stamp or self.timestamp} {standing.due_for(self.student)}{desk.late}"
        return digest_of(self.run, desk.judging, given, late)


@dataclass(frozen=True)
class Desk:
    """Everything that is the same for all submissions of an assignment.

    files: what a task carries; public: digest of what every run sees; judging: digest of key, bank and points
    late: the settings that take points off late work, after a space; empty without any
    """

    course: Course
    assignment: str
    paper: Paper
    files: Mapping[str, str]
    public: str
    judging: str
    limits: Limits
    late: str = ""

    @classmethod
    def open(cls, course: Course, assignment: str, limits: Limits | None = None) -> "Desk":
        """Read release, sources and key; ValueError with one sentence when one is missing or broken."""
        limits = limits or Limits()
        course.check(assignment)
        release, source = course.release(assignment), course.source(assignment)
        key_folder = keys.folder()
        paper = read_paper(release, source, key_folder)
        if paper.refusal:
            raise ValueError(paper.refusal)
        files = graded.public_files(release)
        tests = [(q.cell, q.source) for q in paper.questions if q.kind == "asserts"]
        public = [
            (release / f"{assignment}.ipynb").read_bytes(),
            json.dumps(tests),
            json.dumps(asdict(limits)),
        ]
        for name, content in files.items():
            public += [name, content]
        key = key_folder / f"{paper.assignment.name}.py"
        private = {name: item for name, item in paper.known.items() if isinstance(item, Exercise)}
        asked = json.dumps([asdict(question) for question in paper.questions])
        text = key.read_bytes() if key.exists() else b""
        judging = digest_of(text, paper.assignment.digest, behaviour(private), asked)
        late = f" {policy}" if (policy := late_policy(course.root)) else ""
        return cls(course, assignment, paper, packed(dict(files)), digest_of(*public), judging, limits, late)

    def read(self, student: str, folder: Path) -> Submission:
        """A submission from its folder; what is wrong with it is kept in it, nothing is raised."""
        raw, problem = None, ""
        try:
            raw = handed_in(folder / f"{self.assignment}.ipynb", MAX_BYTES)
        except ValueError as error:
            problem = str(error)
        seed = digest_of(student, raw if raw is not None else problem)
        calls = [self.paper.ask(q, seed).calls for q in self.paper.questions if q.kind == "function"]
        run = digest_of(seed, self.public, json.dumps(calls))
        return Submission(student, folder, seed, run, raw, problem, *_timestamp(folder))

    def work(self, submission: Submission) -> Transplanted:
        """The release notebook with this submission's work in it."""
        if submission.raw is None:
            return Transplanted(None, (submission.problem,))
        work = transplant(self.paper.notebook, submission.raw)
        return replace(work, problems=(*work.problems, submission.stamp)) if submission.stamp else work

    def task(self, submission: Submission, work: Transplanted) -> Task:
        """What a worker is given."""
        steps = self.paper.steps(work.notebook, submission.seed)
        return Task(submission.run, submission.student, self.assignment, steps, dict(self.files), self.limits)


def _timestamp(folder: Path) -> tuple[datetime | None, str]:
    """When it was handed in, from nbgrader's timestamp.txt; None and a sentence where it holds none."""
    path = folder / "timestamp.txt"
    if not os.path.lexists(path):
        return None, ""
    from dateutil import parser

    try:  # students write it on an exchange: the first of all days has no hour before it
        if path.is_symlink() or not path.is_file():
            raise ValueError
        with path.open(encoding="utf-8") as file:
            found = parser.parse(file.read(100).strip())
        return (found - found.utcoffset()).replace(tzinfo=None) if found.tzinfo else found, ""
    except (OSError, ValueError, TypeError, ArithmeticError):
        return None, "timestamp.txt must hold a time, got none that can be read: not counted as late"
