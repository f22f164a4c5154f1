"""Packing a class for machines without keys, and judging what their shards bring back."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from grading.book.course import Course, in_words
from grading.book.journal import FILE, Journal, JournalError
from grading.book.lock import held
from grading.book.rows import GradingError, Options, Report, Row, table
from grading.book.submission import Desk, Submission
from grading.engine import run as grade
from grading.inside.task import Limits, Result, Task
from grading.judging.verdict import Verdict
from grading.workers.shards import answers, read_result


def submissions(desk: Desk) -> Iterator[Submission]:
    """What the class handed in."""
    for student, folder in desk.course.submitted(desk.assignment).items():
        yield desk.read(student, folder)


def tasks_of(desk: Desk, holds: Callable[[str], bool] = lambda _: True) -> Iterator[Task]:
    """A task for each submission that can be run; the others are rows of the merge."""
    for submission in submissions(desk):
        if holds(submission.student) and (work := desk.work(submission)).notebook is not None:
            yield desk.task(submission, work)


def pack(course: Course, assignment: str, path: Path, limits: Limits | None = None) -> int:
    """Write the tasks of a class to a file, one a line; how many."""
    desk, count = Desk.open(course, assignment, limits or Limits()), 0
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8", errors="surrogatepass") as file:
        for task in tasks_of(desk):
            file.write(task.to_json() + "\n")
            count += 1
    os.replace(part, path)
    return count


@dataclass
class Found:
    """What lies in the folders: results by digest, digests with two answers, damaged files."""

    results: dict[str, Result] = field(default_factory=dict)
    conflicts: dict[str, str] = field(default_factory=dict)
    damaged: list[Path] = field(default_factory=list)


def find(folders: Iterable[Path], wanted: Iterable[str]) -> Found:
    """The results of these digests in the folders."""
    found, wanted = Found(), set(wanted)
    for folder in folders:
        if not folder.is_dir():
            raise GradingError(f"merge needs folders with results, found none at {folder}")
        for path in sorted(folder.glob("[!.]*.json")):
            if path.stem not in wanted:
                continue
            result = read_result(path)
            if result is None:
                found.damaged.append(path)
            elif answers(found.results.setdefault(result.digest, result)) != answers(result):
                found.conflicts[result.digest] = f"{folder} and a folder before it"
    return found


def merge(course: Course, assignment: str, folders: Iterable[Path], options: Options | None = None) -> Report:
    """Judge the results in these folders and write grades; work with two answers is a row that says so."""
    options = options or Options()
    course = replace(course, root=course.root.resolve())
    folders = list(folders)
    desk = Desk.open(course, assignment, options.limits)
    owners = {s.run: s.student for s in submissions(desk)}
    found = find(folders, owners)
    with held(course.root, options.wait, options.say), Journal(course.root / FILE) as journal:
        for digest, result in found.results.items():
            before = journal.get(digest)
            if before is not None and answers(before) != answers(result):
                found.conflicts[digest] = "a run before it, in the journal"
            elif before is None and digest not in found.conflicts:
                journal.put(assignment, owners[digest], result)
    torn = {owners[digest]: where for digest, where in found.conflicts.items()}
    report = grade(course, assignment, replace(options, run_new=False, only=lambda s: s not in torn))
    for student, where in torn.items():
        why = (
            f"this notebook gave other answers in {where}: it depends on chance or on the machine, look at it"
        )
        report.rows.append(Row(student, "conflict", Verdict(student), why))
    report.rows.sort(key=lambda row: row.student)
    report.total = len(report.rows)
    report.notes += [f"{path} is damaged and was left out" for path in found.damaged]
    strays = sum(1 for folder in folders for _ in folder.glob("[!.]*.json")) - len(found.damaged)
    if not found.results and strays:
        report.notes.append(
            f"none of the {strays} results fits: they are of other work, another release, secret or limits"
        )
    return report


def add_command(commands: argparse._SubParsersAction) -> None:
    """Register `pack` and `merge`; `run --shard` is with `run`."""
    one = commands.add_parser("pack", help="write the tasks of a class to a file, for machines without keys")
    one.add_argument("assignment")
    one.add_argument("file", type=Path, help="where to, as tasks.jsonl")
    one.add_argument("--course", type=Path, default=Path(), help="the course folder (default: this one)")
    one.set_defaults(run=_pack)
    two = commands.add_parser("merge", help="judge what shards left, and grade")
    two.add_argument("assignment")
    two.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    two.add_argument("--course", type=Path, default=Path(), help="the course folder (default: this one)")
    two.add_argument("--db", default="", metavar="URL", help="gradebook in place of the course's own")
    two.set_defaults(run=_merge)


def _pack(options: argparse.Namespace) -> int:
    try:
        count = pack(Course(options.course), options.assignment, options.file)
    except (ValueError, OSError) as error:
        sys.exit(f"grading: {in_words(error)}")
    print(f"{options.file}: {count} tasks")
    return 0


def _merge(options: argparse.Namespace) -> int:
    try:
        report = merge(Course(options.course, options.db), options.assignment, options.folders)
    except (GradingError, JournalError, ValueError, OSError) as error:
        sys.exit(f"grading: {in_words(error)}")
    print(table(report))
    return int(any(not row.graded for row in report.rows))
