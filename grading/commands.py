"""`python -m grading run` and `regrade`: grade an assignment of a course, or judge stored answers again."""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from grading.book.course import Course, in_words
from grading.book.rows import GradingError, Options, Pool, table
from grading.book.standing import GradebookError, shown, told
from grading.engine import run
from grading.keys import SECRET_VARIABLE
from grading.workers import sandbox
from grading.workers.pool import LocalPool


def add_command(commands: argparse._SubParsersAction) -> None:
    """Register `run` and `regrade`."""
    one = commands.add_parser("run", help="grade what was handed in: sandboxed, in parallel, resumable")
    one.add_argument("assignment", help="its name; with --shard also a file that `pack` wrote")
    _course(one)
    one.add_argument("--jobs", type=int, default=_cores(), help="workers (default: one for each core)")
    one.add_argument("--scheduler", default="", metavar="ADDRESS", help="run on this Dask cluster")
    one.add_argument("--shard", default="", metavar="i/n", help="run this part of the class, write no grades")
    one.add_argument("--out", type=Path, default=Path("results"), help="where a shard leaves its results")
    one.add_argument("--allow-unsandboxed", action="store_true", help="run student code without a sandbox")
    one.add_argument("--force", action="store_true", help="run again what ran before")
    one.set_defaults(run=_run)
    two = commands.add_parser("regrade", help="judge stored answers again; runs nothing")
    two.add_argument("assignment")
    _course(two)
    two.set_defaults(run=_regrade)


def _course(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--course", type=Path, default=Path(), help="the course folder (default: this one)")
    parser.add_argument("--db", default="", metavar="URL", help="gradebook in place of the course's own")
    parser.add_argument("--student", action="append", default=[], metavar="NAME", help="only this one")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for another run to end")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run(options: argparse.Namespace) -> int:
    if options.jobs < 1:
        return _failed(f"--jobs needs at least one worker, got {options.jobs}")
    try:
        if options.shard:
            return _shard(options)
        how = Options(jobs=options.jobs, allow_unsandboxed=options.allow_unsandboxed, force=options.force)
        return _grade(options, how, _elsewhere(options))
    except (GradingError, ValueError, OSError, RuntimeError) as error:
        return _failed(in_words(error))


def _regrade(options: argparse.Namespace) -> int:
    try:
        return _grade(options, Options(rejudge=True, run_new=False), None)
    except GradingError as error:
        return _failed(str(error))


def _failed(why: str) -> int:
    print(f"grading: {why}", file=sys.stderr)
    return 1


def _grade(options: argparse.Namespace, how: Options, pool: Callable[[], Pool] | None) -> int:
    course = Course(options.course.resolve(), options.db)
    try:
        with told(course.url):
            print(f"gradebook {shown(course.url)}")
        if not os.environ.get(SECRET_VARIABLE):
            print(
                f"no {SECRET_VARIABLE} is set: hidden draws follow from the salt, which students could know"
            )
    except GradebookError as error:
        return _failed(str(error))
    how = replace(how, students=tuple(options.student), wait=not options.no_wait, pool=pool)
    report = run(course, options.assignment, how)
    print(table(report))
    print(f"\nfeedback pages: {course.feedback(report.assignment, 'STUDENT')}")
    return 130 if report.stopped else 0


def _elsewhere(options: argparse.Namespace) -> Callable[[], Pool] | None:
    """The pool on a cluster, when one is named."""
    if not options.scheduler:
        return None
    from grading.workers.cluster import ClusterPool

    return lambda: ClusterPool(options.scheduler, allow_unsandboxed=options.allow_unsandboxed)


def _shard(options: argparse.Namespace) -> int:
    """Run one part of a class into result files."""
    from grading.workers import shards

    part = shards.Shard.parse(options.shard)
    if options.assignment.endswith(".jsonl"):
        tasks = shards.packed_tasks(Path(options.assignment), part.holds)
    else:
        from grading.merging import Desk, tasks_of

        tasks = tasks_of(Desk.open(Course(options.course.resolve()), options.assignment), part.holds)
    make = _elsewhere(options)
    level = None if make else sandbox.require(sandbox.probe(), options.allow_unsandboxed)
    print(f"{part}, {level or options.scheduler}")
    pool = make() if make else LocalPool(options.jobs, level, allow_unsandboxed=True)
    try:
        ended = shards.run_shard(tasks, options.out, pool)
    finally:
        pool.close()
    print(", ".join(f"{count} {how}" for how, count in sorted(ended.items())) or "nothing in this part")
    return 0
