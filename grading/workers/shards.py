"""Grading in parts, for batch queues: each part runs its share of a class and leaves one file per submission.

    python -m grading pack a01_metrics tasks.jsonl               where the keys are
    python -m grading run tasks.jsonl --shard 2/8 --out results  anywhere, also several times
    python -m grading merge a01_metrics results ...              where the keys are

A packed task holds public things alone: no key, no expected value. Parts share no disk and no database.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tqdm import tqdm

from grading.inside.task import Result, Task
from grading.workers.pool import LocalPool


@dataclass(frozen=True)
class Shard:
    """Part `index` of `count`, from 1."""

    index: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """From "2/8"."""
        head, _, tail = text.partition("/")
        if head.isascii() and head.isdigit() and tail.isascii() and tail.isdigit():
            found = cls(int(head), int(tail))
            if 1 <= found.index <= found.count:
                return found
        raise ValueError(f"a shard is one of n, from 1/n to n/n, as in 2/8, got {text!r}")

    def holds(self, student: str) -> bool:
        """Whether this student's work belongs to this part: the same on every machine."""
        name = hashlib.sha256(student.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(name[:8], "big") % self.count == self.index - 1

    def __str__(self) -> str:
        return f"shard {self.index} of {self.count}"


def packed_tasks(path: Path, holds: Callable[[str], bool] = lambda _: True) -> Iterator[Task]:
    """The tasks of a packed file that this part holds."""
    with path.open(encoding="utf-8", errors="surrogatepass") as file:
        for number, line in enumerate(file, 1):
            try:
                task = Task.from_json(line)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ValueError(
                    f"{path.name} must be what `pack` wrote: line {number} is not a task, got {error!s:.100}"
                ) from None
            if holds(task.student):
                yield task


def run_shard(tasks: Iterable[Task], out: Path, pool: LocalPool, total: int | None = None) -> dict[str, int]:
    """Run tasks and write a result file for each; those that have one stay. Counts of how they ended.

    A task that no worker could finish leaves no file, so that the same command tries it again.
    """
    out.mkdir(parents=True, exist_ok=True)
    ended: dict[str, int] = {}

    def due() -> Iterator[Task]:
        for task in tasks:
            if read_result(out / f"{task.digest}.json") is None:
                yield task
            else:
                ended["there before"] = ended.get("there before", 0) + 1
                bar.update()

    with tqdm(total=total, unit="student", disable=None) as bar:
        for result in pool.run(due()):
            if result.ended != "worker lost":
                write_result(out, result)
            ended[result.ended] = ended.get(result.ended, 0) + 1
            bar.update()
    return ended


def write_result(out: Path, result: Result) -> None:
    """One result under the name of its digest; a part that is killed leaves a whole file or none."""
    path = out / f"{result.digest}.json"
    part = out / f".{result.digest}.{os.getpid()}.part"
    part.write_text(result.to_json(), encoding="utf-8", errors="surrogatepass")
    os.replace(part, path)


def read_result(path: Path) -> Result | None:
    """The result in a file; None when there is none, or none that fits its name."""
    try:
        result = Result.from_json(path.read_text(encoding="utf-8", errors="surrogatepass"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return result if result.digest == path.stem else None


def answers(result: Result) -> str:
    """What of a result decides on marks: two honest runs of the same work agree in it."""
    parts = [(o.cell, bool(o.error), o.value, o.values, o.refused) for o in result.outcomes]
    return json.dumps([result.ended, parts], sort_keys=True)
