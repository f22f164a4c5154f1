"""Rivals in a benchmark: accuracy over a cost with intervals, rows of intervals, and confusion matrices."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tinylib.show import svg
from tinylib.units import format_quantity

ROLES = {"convolution": "weights", "liquid": "over_budget", "features": "macs"}  # of a family
ROW, CELL = 34, 62


class Contender(NamedTuple):
    """A rival: its family, one cost, and the mean and ends of its accuracy [0..1]."""

    name: str
    family: str
    cost: float
    mean: float
    low: float
    high: float


def accuracy_and_cost(
    rivals: Sequence[Contender], cost: str, title: str = "Accuracy and cost", floor: float = 0.0
) -> str:
    """SVG of accuracy over `cost`, a label with its unit, on a logarithmic axis, with intervals [text].

    A rival below `floor` [0..1] stands on the axis, with its accuracy in words.
    """
    rivals = [_checked(Contender(*r)) for r in rivals]
    if not rivals:
        raise ValueError("a benchmark needs at least one rival, got none")
    costs = [r.cost for r in rivals]
    low = max(0.0, floor, int(20 * min(r.low for r in rivals) - 1e-9) / 20)
    high = min(1.0, int(20 * max(r.high for r in rivals) + 1 - 1e-9) / 20)
    plot = svg.axes(
        svg.Axis(f"{cost}, log scale", min(costs) / 1.8, max(costs) * 2.6, log=True),
        svg.Axis("accuracy [%]", low, max(high, low + 0.05), words=_percent),
        left=80, top=112, width=600, height=300,
    )  # fmt: skip
    parts = [svg.text(24, 34, title, size=18, bold=True), _legend(rivals), plot.body]
    places = [(plot.x(r.cost), plot.y(r.mean)) for r in rivals]
    names = [r.name if r.mean >= low else f"{r.name}: {100 * r.mean:.0f} %" for r in rivals]
    bars = [(x - 6, plot.y(r.high) - 2, x + 6, plot.y(r.low) + 2) for r, (x, _) in zip(rivals, places)]
    parts.append(_labels([(name, *place) for name, place in zip(names, places)], bars, plot))
    for r, (x, y) in zip(rivals, places):
        if r.mean >= low:
            parts.append(_whisker(x, plot.y(r.low), x, plot.y(r.high), ROLES[r.family]))
        parts.append(_mark(x, y, r.family, _said(r, cost)))
    best = max(rivals, key=lambda r: r.mean)
    cheap = min(rivals, key=lambda r: r.cost)
    said = "; ".join(_said(r, cost) for r in rivals)
    ends = f"Highest mean: {best.name}. Cheapest: {cheap.name}."
    return svg.picture(title, f"{said}. {ends}", "".join(parts), 720, 478)


def _checked(r: Contender) -> Contender:
    if r.family not in ROLES:
        raise ValueError(f"family must be one of {', '.join(ROLES)}, got {r.family!r}")
    if not r.cost > 0 or not r.low <= r.mean <= r.high:
        raise ValueError(f"{r.name} needs a cost above 0 and low <= mean <= high, got {tuple(r[2:])}")
    return r


def _percent(share: float) -> str:
    return format_quantity(100 * share, digits=3)


def _said(r: Contender, cost: str) -> str:
    ends = f"{100 * r.low:.1f} to {100 * r.high:.1f}"
    return f"{r.name}: {format_quantity(r.cost, digits=3)} {cost}, {100 * r.mean:.1f} % ({ends})"


def _whisker(x1: float, y1: float, x2: float, y2: float, role: str) -> str:
    """An interval with a cap at either end."""
    dx, dy = (5, 0) if x1 == x2 else (0, 5)
    caps = "".join(svg.line(x - dx, y - dy, x + dx, y + dy, role, 2) for x, y in ((x1, y1), (x2, y2)))
    return svg.line(x1, y1, x2, y2, role, 2) + caps


def _mark(x: float, y: float, family: str, hover: str = "") -> str:
    """Disc, square or diamond: the second signal beside the colour."""
    role = ROLES[family]
    if family == "convolution":
        return svg.circle(x, y, 6, role, hover)
    if family == "liquid":
        return svg.rect(x - 5.5, y - 5.5, 11, 11, role, hover)
    return svg.polygon([(x, y - 8), (x + 8, y), (x, y + 8), (x - 8, y)], role)


def _legend(rivals: Sequence[Contender]) -> str:
    parts, families = [], list(dict.fromkeys(r.family for r in rivals))
    for i, family in enumerate(families):
        parts.append(_mark(32 + 130 * i, 58, family) + svg.text(46 + 130 * i, 62, family, "ink", 12))
    words = "bars: 95 % intervals over seeds"
    return "".join([*parts, svg.text(46 + 130 * len(families), 62, words, "muted", 12)])


def _labels(
    points: Sequence[tuple[str, float, float]], bars: Sequence[tuple[float, ...]], plot: svg.Axes
) -> str:
    """The names, each above the axis where no other name, mark or bar stands yet."""
    taken = [*bars, *((x - 9, y - 9, x + 9, y + 9) for _, x, y in points)]
    parts = []
    for name, x, y in points:
        width = 7.4 * len(name) + 4
        spots = [(x + 11, y + d) for d in (-9, -26, 8, 25, -43, 42)]
        spots += [(x - 11 - width, y + d) for d in (-9, -26, 8, 25, -43, 42)]
        boxes = [(a, b, a + width, b + 17) for a, b in spots]
        inside = [b for b in boxes if b[0] > plot.left and b[2] < plot.left + plot.width + 24]
        inside = [b for b in inside if b[3] < plot.top + plot.height - 1]
        free = [b for b in inside if not any(_overlap(b, t) for t in taken)]
        box = (free or inside or boxes)[0]
        taken.append(box)
        parts.append(svg.rect(box[0], box[1], width, 17, "page", radius=3))
        parts.append(svg.text(box[0] + 2, box[1] + 13, name, "ink", 12))
    return "".join(parts)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


class Interval(NamedTuple):
    """One row: a name, mean, low and high, and whether it is the choice that is looked at."""

    name: str
    mean: float
    low: float
    high: float
    chosen: bool = True


def interval_rows(
    title: str, rows: Sequence[Interval], label: str, note: str = "", zero: bool = False, digits: int = 1
) -> str:
    """SVG of intervals, one below the other; those not chosen are grey; `zero` adds an upright line [text].

    label: what the axis measures, with its unit
    """
    rows = [Interval(*r) for r in rows]
    if not rows:
        raise ValueError("rows must hold at least one interval, got none")
    if bad := [r for r in rows if not r.low <= r.mean <= r.high]:
        raise ValueError(f"{bad[0].name} needs low <= mean <= high, got {tuple(bad[0][1:4])}")
    low, high = min(r.low for r in rows), max(r.high for r in rows)
    low, high = (min(low, 0), max(high, 0)) if zero else (low, high)
    room = max(0.08 * (high - low), 10.0**-digits)
    axis = svg.Axis(label, low - room, high + room)
    plot = svg.axes(axis, left=226, top=78, width=320, height=ROW * len(rows) + 6)
    parts = [svg.text(24, 34, title, size=18, bold=True), plot.body]
    if note:
        parts.append(svg.text(24, 55, note, "muted"))
    if zero:
        parts.append(svg.line(plot.x(0), plot.top, plot.x(0), plot.top + plot.height, "ink", 1.5))
    spoken = []
    for i, r in enumerate(rows):
        y, role = plot.top + 20 + ROW * i, "weights" if r.chosen else "muted"
        ends = f"{r.mean:.{digits}f} ({r.low:.{digits}f} to {r.high:.{digits}f})"
        parts.append(_whisker(plot.x(r.low), y, plot.x(r.high), y, role))
        parts.append(svg.circle(plot.x(r.mean), y, 6, role, f"{r.name}: {ends}"))
        parts.append(svg.text(214, y + 4, r.name, "ink" if r.chosen else "muted", 13, "end", r.chosen))
        parts.append(svg.text(556, y + 4, ends, "ink" if r.chosen else "muted", 12))
        spoken.append(f"{r.name} {ends}")
    said = f"{note.removesuffix('.')}. " if note else ""
    said += f"{label}: {'; '.join(spoken)}."
    return svg.picture(title, said, "".join(parts), 720, plot.top + plot.height + 56)


def confusions(tables: Mapping[str, Sequence[Sequence[int]]], classes: Sequence[str]) -> str:
    """SVG of one or two confusion matrices side by side, rows the truth, columns what was said [text].

    tables: windows [count] by name; the filled area of a cell is its share of the row.
    """
    k = len(classes)
    if not 1 <= len(tables) <= 2 or not 2 <= k <= 8 // len(tables):
        raise ValueError(f"one or two tables must have 2 to 8 classes in all, got {len(tables)} of {k}")
    for name, table in tables.items():
        if len(table) != k or any(len(row) != k for row in table) or not all(map(sum, table)):
            raise ValueError(f"{name} must be a table {k} x {k} with windows in each row, got {table}")
    parts = [svg.text(24, 34, "Who mistakes what for what", size=18, bold=True)]
    parts.append(svg.text(24, 55, "share of each true class [%]; rows true, columns said", "muted"))
    spoken = []
    for i, (name, table) in enumerate(tables.items()):
        parts.append(_matrix(112 + (k * CELL + 48) * i, 112, name, table, classes, names=not i))
        wrong = [
            (table[a][b] / sum(table[a]), classes[a], classes[b])
            for a in range(k)
            for b in range(k)
            if a != b
        ]
        right = sum(table[a][a] for a in range(k)) / sum(map(sum, table))
        share, true, said = max(wrong)
        spoken.append(
            f"{name}: {100 * right:.1f} % right, most often {true} taken for {said}, {100 * share:.1f} %"
        )
    width = 112 + (k * CELL + 48) * len(tables)
    return svg.picture(
        "Who mistakes what for what", "; ".join(spoken) + ".", "".join(parts), max(width, 480), 186 + k * CELL
    )


def _matrix(left: float, top: float, name: str, table: Sequence, classes: Sequence[str], names: bool) -> str:
    parts = [svg.text(left, top - 14, name, "ink", 14, bold=True)]
    for a, row in enumerate(table):
        y = top + CELL * a
        if names:
            parts.append(svg.text(left - 8, y + CELL / 2 + 4, classes[a], "ink", 12, "end"))
        for b, n in enumerate(row):
            share, x = n / sum(row), left + CELL * b
            parts.append(svg.rect(x, y, CELL - 2, CELL - 2, "panel"))
            size = (CELL - 24) * share**0.5  # the area is the share
            role, hover = ("weights" if a == b else "over_budget"), f"{n:,} {classes[a]}, said {classes[b]}"
            parts.append(svg.rect(x + (CELL - 2 - size) / 2, y + CELL - 22 - size, size, size, role, hover))
            words = f"{100 * share:.1f}"
            parts.append(svg.text(x + CELL / 2 - 1, y + CELL - 8, words, "ink", 12, "middle", a == b))
    bottom = top + CELL * len(classes)
    for b, word in enumerate(classes):
        lines = word.split(" ") if len(word) > 9 else [word]
        for j, part in enumerate(lines):
            parts.append(
                svg.text(left + CELL * (b + 0.5) - 1, bottom + 16 + 15 * j, _short(part), "ink", 12, "middle")
            )
    return "".join(parts)


def _short(word: str) -> str:
    return word if len(word) <= 9 else word[:7] + "."
