"""Ctrl-C that waits for a piece of writing to end."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Iterator[Callable]:
    """Ctrl-C as usual, but within the context that is yielded it waits for the writing to end."""
    if threading.current_thread() is not threading.main_thread():
        yield _open_shield
        return
    state = {"writing": 0, "asked": False}

    def on_interrupt(*_: object) -> None:
        state["asked"] = True
        if not state["writing"]:
            raise KeyboardInterrupt

    @contextmanager
    def shield() -> Iterator[None]:
        state["writing"] += 1
        try:
            yield
        finally:
            state["writing"] -= 1
        if state["asked"] and not state["writing"]:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield shield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _open_shield() -> Iterator[None]:
    yield
