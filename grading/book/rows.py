"""What a run is told and what it says: options, a row for each submission, the report of them all."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from grading.inside.task import Limits, Result, Task
from grading.judging.asks import Paper
from grading.judging.verdict import Flag, Mark, Verdict, copied

GO_ON = "the same command goes on from here"
STATES = {
    "graded": "run and graded",
    "regraded": "graded from stored answers",
    "unchanged": "graded before, unchanged",
    "unreadable": "nothing could be run: zero, to be looked at",
    "worker lost": "not graded: no worker could finish it",
    "no answers": "not graded: no stored answers",
    "not tried": "not graded: a trial could not be held",
    "not written": "not written",
    "conflict": "not graded: two runs gave different answers",
    "failed": "not graded: an error of the grader",
}
DONE = ("graded", "regraded", "unchanged", "unreadable")


class GradingError(RuntimeError):
    """The run itself cannot work; the message is one sentence."""


class Pool(Protocol):
    """What runs tasks, here or elsewhere."""

    level: Any

    def run(self, tasks: Iterable[Task]) -> Iterator[Result]: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Row:
    """What became of one submission; state is one of STATES."""

    student: str
    state: str
    verdict: Verdict
    note: str = ""
    level: str = ""
    seconds: float = 0.0

    @property
    def graded(self) -> bool:
        return self.state in DONE


@dataclass
class Report:
    """What a run did: a row for each submission that it came to."""

    assignment: str
    url: str
    run_id: str
    rows: list[Row] = field(default_factory=list)
    level: str = ""
    notes: list[str] = field(default_factory=list)
    total: int = 0
    stopped: bool = False
    seconds: float = 0.0

    @property
    def counts(self) -> Counter:
        return Counter(row.state for row in self.rows)


@dataclass(frozen=True)
class Options:
    """How to run. students: only these; force: run again what was run; run_new: run what has no answers;
    write: into the gradebook, else into the journal alone; pool: in place of one on this machine."""

    jobs: int = 1
    allow_unsandboxed: bool = False
    students: tuple[str, ...] = ()
    force: bool = False
    rejudge: bool = False
    run_new: bool = True
    write: bool = True
    wait: bool = True
    progress: bool = True
    limits: Limits = field(default_factory=Limits)
    pool: Callable[[], Pool] | None = None
    only: Callable[[str], bool] | None = None
    journal: Path | None = None
    say: Callable[[str], None] = print


def verdict_from(text: str) -> Verdict:
    """A verdict as `tinyml_runs` keeps it."""
    data = json.loads(text)
    parts = {
        "marks": tuple(Mark(**m) for m in data.pop("marks")),
        "flags": tuple(Flag(**f) for f in data.pop("flags")),
    }
    return Verdict(**data, **parts)


def class_flags(paper: Paper, rows: Iterable[Row]) -> dict[str, tuple[Flag, ...]]:
    """Student -> flags that only the whole class shows: numbers that fit a classmate."""
    return copied(paper, {row.student: row.verdict for row in rows if row.graded})


def table(report: Report) -> str:
    """The class as text: a line for each student, what there is to look at, how many of each state."""
    width = max([len(row.student) for row in report.rows] + [7])
    lines = []
    for row in report.rows:
        points = f"{row.verdict.points:6.2f} of {row.verdict.max_points:g}" if row.verdict.marks else ""
        lines.append(f"{row.student:<{width}}  {points:<13} {row.state}{f': {row.note}' if row.note else ''}")
        lines += [f"{'':<{width}}    {flag.text}" for flag in row.verdict.flags if flag.text != row.note]
    counts = [f"{report.counts[state]} {said}" for state, said in STATES.items() if report.counts[state]]
    lines += ["", "; ".join(counts)]
    lines += [f"note: {note}" for note in report.notes]
    if report.stopped:
        lines.append(f"stopped after {len(report.rows)} of {report.total}: {GO_ON}")
    elif any(row.state in ("not tried", "not written", "worker lost", "failed") for row in report.rows):
        lines.append(f"not everything was graded: {GO_ON}")
    return "\n".join(lines)
