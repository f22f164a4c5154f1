"""A function over many items, here or elsewhere: one process, a pool of processes, or a Dask cluster.

The function must be pure and at the top of a module, so that it can be sent; results keep the order of
the items, and are the same whatever runs them.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

from tinylib.nets.progress import bar
from tinylib.units import shown

T, R = TypeVar("T"), TypeVar("R")


def sweep(
    task: Callable[[T], R], items: Iterable[T], jobs: int = 1, scheduler: str = "", progress: bool = False
) -> list[R]:
    """task(item) for every item, in order; an error in one of them is raised here.

    jobs: processes on this machine; 1 runs in this one
    scheduler: address of a running Dask scheduler, such as "tcp://node1:8786", which must see this package
    """
    items = list(items)
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise ValueError(f"jobs must be a whole number from 1, got {shown(jobs)}")
    if scheduler:
        results = _cluster(task, items, scheduler)
    elif jobs > 1 and len(items) > 1:
        results = _pool(task, items, min(jobs, len(items)))
    else:
        results = map(task, items)
    return list(bar(results, len(items), "sweep", progress))


def _pool(task: Callable[[T], R], items: list[T], jobs: int) -> Iterator[R]:
    pool = ProcessPoolExecutor(jobs, get_context("spawn"))  # a fork would copy BLAS threads half alive
    try:
        yield from pool.map(task, items)
    finally:
        pool.shutdown(cancel_futures=True)


def _cluster(task: Callable[[T], R], items: list[T], scheduler: str) -> Iterator[R]:
    try:
        from distributed import Client
    except ImportError:
        raise ModuleNotFoundError(
            f"scheduler needs the package distributed (extra `instructor`), got {shown(scheduler)}"
        ) from None
    with _client(Client, scheduler) as client:
        for future in client.map(task, items, pure=False):
            yield future.result()


def _client(client: Any, scheduler: str) -> Any:
    try:
        return client(scheduler, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"scheduler must be the address of a running Dask scheduler: {error}") from None
