"""Where the nodes of a graph stand when its arrows run from left to right: columns, order and rows.

A column is the longest way from a start. An arrow over more than one column gets a waypoint in each between,
so that it has room of its own. Rows follow the mean of their neighbours, which keeps crossings few.

Source: Sugiyama, Tagawa and Toda, IEEE Transactions on Systems, Man, and Cybernetics, 1981 (layers,
waypoints, barycentres).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Needs = Mapping[str, Sequence[str]]  # node -> the nodes before it, all of them keys too
SWEEPS = 12


@dataclass(frozen=True)
class Layout:
    """Places (column, row) of nodes, rows in units of one node, and the way of each arrow through such."""

    places: Mapping[str, tuple[int, float]]
    ways: tuple[tuple[tuple[int, float], ...], ...]


def reduced(needs: Needs) -> dict[str, tuple[str, ...]]:
    """Without the arrows that follow from others: c needs a and b, b needs a leaves c needs b."""
    before = {node: _ancestors(needs, node) for node in needs}
    return {
        node: tuple(n for n in direct if not any(n in before[other] for other in direct))
        for node, direct in needs.items()
    }


def _ancestors(needs: Needs, node: str, on_way: tuple[str, ...] = ()) -> set[str]:
    if node in on_way:
        raise ValueError(f"needs must not run in a circle, got {' -> '.join((*on_way, node))}")
    direct = needs[node]
    return set(direct).union(*(_ancestors(needs, n, (*on_way, node)) for n in direct))


def columns(needs: Needs) -> dict[str, int]:
    """The column of each node: the longest way from a node that needs nothing [count]."""
    found: dict[str, int] = {}
    for node in sorted(needs, key=lambda n: len(_ancestors(needs, n))):
        found[node] = 1 + max((found[n] for n in needs[node]), default=-1)
    return found


def layout(needs: Needs, waypoint: float = 0.5) -> Layout:
    """Places and ways of the reduced graph. waypoint: height of a passing arrow, in units of one node."""
    column, graph = columns(needs), reduced(needs)
    links: dict[tuple[str, int], set[tuple[str, int]]] = {(n, column[n]): set() for n in needs}
    for node, direct in graph.items():
        for start in direct:  # arrows of one start share their waypoints
            way = [*((start, c) for c in range(column[start], column[node])), (node, column[node])]
            for a, b in pairwise(way):
                links.setdefault(a, set()).add(b)
                links.setdefault(b, set())
    order = sorted(links, key=lambda point: (point[1], list(needs).index(point[0])))
    layers = [[p for p in order if p[1] == c] for c in range(1 + max(column.values(), default=-1))]
    sizes = {p: 1.0 if column[p[0]] == p[1] else waypoint for p in order}
    row = _rows(layers, links, sizes)
    ways = [
        [
            *((c, row[start, c]) for c in range(column[start], column[node])),
            (column[node], row[node, column[node]]),
        ]
        for node, direct in graph.items()
        for start in direct
    ]
    return Layout({n: (column[n], row[n, column[n]]) for n in needs}, tuple(map(tuple, ways)))


def _rows(layers: list[list], links: Mapping, sizes: Mapping) -> dict:
    """The middle of each point: near its neighbours, none over another, the uppermost at 0."""
    beside = {p: set(after) for p, after in links.items()}
    for p, after in links.items():
        for q in after:
            beside[q].add(p)
    row = {p: float(i) for layer in layers for i, p in enumerate(layer)}
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            wish = {p: _mean((row[q] for q in beside[p]), row[p]) for p in layer}
            layer.sort(key=lambda p: wish[p])
            row |= _spread(layer, wish, sizes)
    top = min(row.values(), default=0.0)
    return {p: value - top for p, value in row.items()}


def _mean(values: Iterable[float], otherwise: float) -> float:
    found = sorted(values)
    return sum(found) / len(found) if found else otherwise


def _spread(layer: list, wish: Mapping, sizes: Mapping) -> dict:
    """Places in this order, far enough apart, and as a whole where they wish to be."""
    found, end = {}, float("-inf")
    for p in layer:
        found[p] = max(wish[p], end + sizes[p] / 2)
        end = found[p] + sizes[p] / 2
    shift = _mean((wish[p] - found[p] for p in layer), 0.0)
    return {p: value + shift for p, value in found.items()}
