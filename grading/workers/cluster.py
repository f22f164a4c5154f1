"""The same pool on a Dask cluster that already runs: tasks go over TCP, workers hold no key and no database.

A worker process that is killed loses nothing, its tasks run elsewhere. For TLS use a tls:// address and the
settings of Dask.
"""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Self
from uuid import uuid4

from grading.inside.task import Result, Task
from grading.workers import sandbox
from grading.workers.pool import unanswered
from grading.workers.sandbox import Level
from grading.workers.station import ClusterError, about, graded, same, versions

ANSWER_S = 30  # for a scheduler, and for its first worker
AHEAD = (
    2  # tasks on the cluster for each of its threads: enough to keep it busy, few enough to hold in memory
)


class ClusterPool:
    """As `pool.LocalPool`, on the cluster whose scheduler listens at `address`."""

    def __init__(self, address: str, *, allow_unsandboxed: bool = False, wait_s: float = ANSWER_S) -> None:
        distributed = _distributed()
        self._allowed = allow_unsandboxed
        try:
            self._client = distributed.Client(address, timeout=wait_s, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ClusterError(f"a Dask scheduler must answer at {address}, got: {error!s:.200}") from None
        try:
            self.level = self._ready(wait_s)
        except BaseException:
            self.close()
            raise

    def _ready(self, wait_s: float) -> Level:
        """The weakest level among the workers, when each of them is fit to grade."""
        where = self._client.scheduler.address
        with contextlib.suppress(TimeoutError):
            self._client.wait_for_workers(1, timeout=wait_s)
        try:
            found = self._client.run(about)
        except Exception as error:  # what a worker raises that lacks this project, of any kind
            raise ClusterError(
                f"every worker at {where} must have this course installed, got: {error!s:.200}"
            ) from None
        if not found:
            raise ClusterError(f"a Dask cluster needs at least one worker, got none at {where}")
        own = versions()
        for worker, theirs in sorted(found.items()):
            same(own, theirs["versions"], worker)
        levels = [Level(**theirs["level"]) for theirs in found.values()]
        return sandbox.require(max(levels, key=lambda level: level.name), self._allowed)

    @property
    def jobs(self) -> int:
        """How many tasks the cluster runs at a time, as it is now."""
        return sum(self._client.nthreads().values()) or 1

    def run(self, tasks: Iterable[Task]) -> Iterator[Result]:
        """A result for each task, in the order in which they finish; tasks are taken as they are needed."""
        distributed = _distributed()
        source, finished, under_way = iter(tasks), distributed.as_completed(loop=self._client.loop), {}
        try:
            while self._feed(source, finished, under_way):
                future = next(finished)
                task = under_way.pop(future.key)
                yield self._result(future, task)
                future.release()
        finally:
            for future in list(finished.futures):
                future.cancel()

    def _feed(self, source: Iterator[Task], finished, under_way: dict[str, Task]) -> bool:
        """Send what there is room for; whether anything is under way."""
        room = AHEAD * self.jobs
        while len(under_way) < room and (task := next(source, None)) is not None:
            key = f"grading-{task.digest[:16]}-{uuid4().hex}"
            wanted = tuple(versions().items())
            future = self._client.submit(graded, task.to_json(), wanted, self._allowed, key=key, pure=False)
            under_way[key] = task
            finished.add(future)
        return bool(under_way)

    def _result(self, future, task: Task) -> Result:
        distributed = _distributed()
        try:
            result = Result.from_json(future.result())
        except distributed.KilledWorker:
            return self._lost(task, "each Dask worker that had it died")
        except (OSError, distributed.client.FuturesCancelledError) as error:
            raise ClusterError(f"the Dask scheduler must stay reachable, got: {error!s:.200}") from None
        if result.digest != task.digest or [o.cell for o in result.outcomes] != [s.cell for s in task.steps]:
            return self._lost(task, "a Dask worker answered for other work")
        return result

    def _lost(self, task: Task, why: str) -> Result:
        return unanswered(task, self.level, "worker lost", f"the cluster could not run this notebook: {why}")

    def close(self) -> None:
        """Leave the cluster as it was; it belongs to others."""
        with contextlib.suppress(Exception):  # a scheduler that is gone cannot be said goodbye to
            self._client.close(timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _distributed():
    try:
        import distributed
    except ImportError:
        raise ClusterError(
            "--scheduler needs the package distributed: install the extra instructor, EXTRAS=instructor"
        ) from None
    return distributed
