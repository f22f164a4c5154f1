"""Work done beside the run for results as they come: trials of several submissions at a time."""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress

from grading.inside.task import Result


def ahead(results: Iterator[Result], prepare: Callable[[Result], object], width: int) -> Iterator[Result]:
    """Each result once `prepare` is through with it, `width` of them at a time; what that raises is dropped.

    `prepare` warms what a later call finds ready; that call raises the error again, where it is a row.
    """
    threads = ThreadPoolExecutor(width)
    under_way: dict[Future, Result] = {}
    try:
        for result in results:
            under_way[threads.submit(_quietly, prepare, result)] = result
            if len(under_way) > width:
                yield from _finished(under_way)
        while under_way:
            yield from _finished(under_way)
    finally:
        threads.shutdown(cancel_futures=True)


def _quietly(prepare: Callable[[Result], object], result: Result) -> None:
    with suppress(Exception):
        prepare(result)


def _finished(under_way: dict[Future, Result]) -> Iterator[Result]:
    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
        yield under_way.pop(future)
