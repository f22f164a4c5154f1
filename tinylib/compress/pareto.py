"""Choosing among candidates that are good at different things.

    a dominates b: no worse in every objective, better in one         front: what nobody dominates
    rank 0 is the front, rank 1 the front of what is left, ...        crowding: how lonely within its rank

Objectives are minimised; an accuracy goes in as an error.
Source: Deb et al., A fast and elitist multiobjective genetic algorithm: NSGA-II, IEEE TEC 6(2), 2002.
"""

from typing import Any

import numpy as np


def _dominated(points: np.ndarray) -> np.ndarray:
    """dominated[i, j]: point i of (n, objectives) is dominated by point j."""
    no_worse = (points[None, :] <= points[:, None]).all(axis=-1)
    better = (points[None, :] < points[:, None]).any(axis=-1)
    return no_worse & better


def front(points: Any) -> np.ndarray:
    """True for the points (n, objectives) that no other dominates; equal points stay together."""
    points = np.asarray(points, dtype=np.float64)
    return ~_dominated(points).any(axis=1) if len(points) else np.zeros(0, dtype=bool)


def ranks(points: Any) -> np.ndarray:
    """Rank of each point (n,): 0 on the front, 1 on the front without those, and so on."""
    points = np.asarray(points, dtype=np.float64)
    found = np.zeros(len(points), dtype=int)
    left, rank = np.arange(len(points)), 0
    while len(left):
        best = front(points[left])
        found[left[best]] = rank
        left, rank = left[~best], rank + 1
    return found


def crowding(points: Any) -> np.ndarray:
    """Sum over objectives of the gap between both neighbours, as a share of the range; ends are inf."""
    points = np.asarray(points, dtype=np.float64)
    found = np.zeros(len(points))
    for values in points.T:
        order = np.argsort(values, kind="stable")
        span = values[order[-1]] - values[order[0]]
        found[order[[0, -1]]] = np.inf
        if span > 0:
            found[order[1:-1]] += (values[order[2:]] - values[order[:-2]]) / span
    return found


def best(points: Any, n: int) -> list[int]:
    """Indices of the n best: by rank, then the loneliest of a rank, then the first."""
    points, found = np.asarray(points, dtype=np.float64), ranks(points)
    lonely = np.zeros(len(points))
    for rank in range(found.max() + 1):
        members = found == rank
        lonely[members] = crowding(points[members])
    return sorted(range(len(points)), key=lambda i: (found[i], -lonely[i], i))[:n]
