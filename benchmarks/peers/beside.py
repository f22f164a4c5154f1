"""Timing two calls beside each other: rounds alternate, so that both meet the same machine."""

import statistics
import time
from collections.abc import Callable

import numpy as np

ROUNDS = 9
LEAST_S = 0.02  # a round lasts at least this long, by repeating short calls


def seconds(call: Callable[[], object], repeats: int) -> float:
    """Time of one call, averaged over repeats [s]."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def repeats(call: Callable[[], object]) -> int:
    """How often a call has to be repeated to last LEAST_S; warms it up too."""
    call()
    return max(1, round(LEAST_S / max(seconds(call, 1), 1e-7)))


def medians(*calls: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Median time of each call over interleaved rounds [s]."""
    counts = [repeats(call) for call in calls]
    times = [[seconds(call, n) for call, n in zip(calls, counts)] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*times)]


def ratio(ours: Callable[[], object], peer: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median over rounds of the peer's time over ours: above 1 we are faster."""
    counts = repeats(ours), repeats(peer)
    return statistics.median(seconds(peer, counts[1]) / seconds(ours, counts[0]) for _ in range(rounds))


def recurrent(cell, peer, xs):
    """Four calls: our cell forward and train over xs (time, batch, inputs), and a torch peer's.

    A training step is forward, backward and zeroed gradients, without an optimiser; ours returns them.
    """
    import torch

    from tinylib.nets.arithmetic import FLOAT32
    from tinylib.nets.scan import scan, scan_back

    torch.set_num_threads(1)
    theirs, ones = torch.tensor(xs), np.ones((*xs.shape[:2], cell.hidden_features), np.float32)

    def forward():
        return scan(cell, xs, FLOAT32)

    def train():
        return scan_back(cell, forward()[1], ones, FLOAT32)

    def peer_forward():
        with torch.no_grad():
            return peer(theirs)[0]

    def peer_train():
        peer.zero_grad()
        peer(theirs)[0].sum().backward()

    return forward, train, peer_forward, peer_train


def row(
    work: str,
    peer: str,
    ratio: float | None,
    must: float | None = None,
    aim: float | None = None,
    note: str = "",
) -> dict:
    """One row of the table of ratios; a ratio of None says that it was not measured, and note why."""
    return {"work": work, "peer": peer, "ratio": ratio, "must": must, "aim": aim, "note": note}


def show(rows: list[dict]) -> None:
    """Print rows for a person who runs one script alone."""
    for r in rows:
        number = "      -" if r["ratio"] is None else f"{r['ratio']:7.2f}"
        goals = f"must {r['must']:g}, aim {r['aim']:g}" if r["must"] else ""
        print(f"{r['work']:<44} {r['peer']:<14} {number} x  {goals:<20} {r['note']}")
