"""Pruning: weights under a threshold, N:M groups, and accuracy against sparsity over the bytes that it saves.

What is removed is hatched or dashed beside its colour. Bytes are those of the cost room: CSR counts values,
column indices and row pointers; N:M counts kept values and their positions.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb

from tinylib.cost import compression, memory
from tinylib.cost.layers import count
from tinylib.show import svg
from tinylib.show.curves import DASHES, ROLES, Series
from tinylib.units import format_quantity, real, shown

BITS = (8, 16, 32)  # of a value, whole bytes, as CSR needs
GROUPS = (4, 8)  # sizes of an N:M group that the painter draws
MOST_PAINTED = 64
_BINS = 41
_POINTER_BYTES = 4


def storage_bytes(
    weights: int, nonzero: int, rows: int, bits: int = 32, index_bytes: int = 2
) -> dict[str, int]:
    """Bytes of a (rows, weights / rows) matrix with so many weights left: dense, CSR, 2:4 [bytes].

    2:4 does not follow the threshold: it keeps half of the weights, always.
    """
    if bits not in BITS:
        raise ValueError(f"bits must be one of {', '.join(map(str, BITS))}, got {shown(bits)}")
    compression.sparsity(weights, nonzero)  # refuses counts that make no sense
    return {
        "dense": memory.weight_bytes(weights, bits),
        "CSR": compression.csr_bytes(nonzero, bits // 8, index_bytes, rows, _POINTER_BYTES),
        "2:4": compression.nm_bytes(weights, 2, 4, bits),
    }


def _bytes(size: float) -> str:
    return format_quantity(round(size), "B") if size < 10_000 else format_quantity(size / 1000, "kB")


# Threshold


def weight_histogram(
    weights: Sequence[float], threshold: float, rows: int = 1, bits: int = 32, index_bytes: int = 2
) -> str:
    """SVG of a histogram of weights (n,), those below the threshold hatched, and the bytes left [text].

    The weights are one matrix of so many rows, stored with `bits` a value and `index_bytes` a column index.
    """
    values = [real("each weight", w) for w in weights]
    if not values or real("threshold", threshold) < 0:
        what = f"{len(values)} weights and {shown(threshold)}"
        raise ValueError(f"a histogram needs weights and a threshold of at least 0, got {what}")
    limit = max(map(abs, values)) or 1.0
    kept = sum(abs(w) >= threshold for w in values)
    sizes = storage_bytes(len(values), kept, rows, bits, index_bytes)
    worst = compression.csr_bytes(len(values), bits // 8, index_bytes, rows, _POINTER_BYTES)
    share = 100 * compression.sparsity(len(values), kept)
    title = f"{format_quantity(share, digits=3)} % of the weights are removed"
    note = f"threshold {format_quantity(round(threshold, 4))}: {kept:,} of {len(values):,} weights are left"
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, note, "muted")]
    parts += [_histogram(values, threshold, limit), _storage_bars(sizes, max(worst, sizes["dense"]), bits)]
    best = min(sizes, key=sizes.__getitem__)
    spoken = ", ".join(f"{name} {_bytes(size)}" for name, size in sizes.items())
    said = f"{note}. Stored with {bits}-bit values: {spoken}; smallest is {best}."
    return svg.picture(title, said, "".join(parts), 720, 536)


def _histogram(values: list[float], threshold: float, limit: float) -> str:
    """Bars of 41 bins, each with its kept part at the foot and its removed part, hatched, on top."""
    width, cells = 2 * limit / _BINS, [[0, 0] for _ in range(_BINS)]
    for w in values:
        cells[min(int((w + limit) / width), _BINS - 1)][abs(w) < threshold] += 1
    most = max(sum(cell) for cell in cells)
    across, up = svg.Axis("weight", -limit, limit), svg.Axis("weights in a bin", 0, most * 1.08)
    plot = svg.axes(across, up, left=80, top=96, width=600, height=190)
    parts, wide = [plot.body], plot.width / _BINS - 1
    for i, (kept, removed) in enumerate(cells):
        x, foot = plot.left + i * plot.width / _BINS, plot.top + plot.height
        middle = plot.y(kept)
        hover = f"about {-limit + (i + 0.5) * width:.2g}: {kept} kept, {removed} removed"
        if kept:
            parts.append(svg.rect(x, middle, wide, foot - middle, "weights", hover))
        if removed:
            top = plot.y(kept + removed)
            parts.append(svg.rect(x, top, wide, middle - top, "muted", hover))
            parts.append(svg.hatch(x, top, wide, middle - top, gap=6))
    for edge in {-threshold, threshold} if threshold <= limit else ():
        parts.append(
            svg.line(plot.x(edge), plot.top, plot.x(edge), plot.top + plot.height, "ink", 1.5, "4 3")
        )
    return "".join(parts)


def _storage_bars(sizes: Mapping[str, int], most: float, bits: int) -> str:
    """One bar per format on an axis that does not move with the threshold; over dense is hatched."""
    plot = svg.axes(svg.Axis("bytes", 0, most * 1.02, words=_bytes), left=210, top=362, width=470, height=120)
    parts = [svg.text(24, 350, f"Stored with {bits}-bit values", bold=True), plot.body]
    for i, (name, size) in enumerate(sizes.items()):
        y, over = plot.top + 6 + 39 * i, size > sizes["dense"]
        factor = f"{sizes['dense'] / size:.2f} × smaller" if size and not over else "larger than dense"
        parts.append(svg.text(24, y + 13, name, bold=True))
        parts.append(svg.text(24, y + 29, _bytes(size) + (f", {factor}" * (name != "dense")), "muted", 12))
        parts.append(
            svg.bar(plot.left, y, plot.x(size) - plot.left, 28, "macs", over=over, hover=_bytes(size))
        )
    return "".join(parts)


# N:M groups


def patterns(group: Sequence[float], kept: int) -> list[tuple[int, ...]]:
    """Every choice of `kept` positions of one group, the largest sum of magnitudes first."""
    order = sorted(
        range(len(group)), key=lambda i: (-abs(group[i]), i)
    )  # ties keep the first, as magnitude does
    choices = [tuple(sorted(choice)) for choice in combinations(order, kept)]
    return sorted(choices, key=lambda choice: -sum(abs(group[i]) for i in choice))


def nm_mask(
    weights: Sequence[float], kept: int = 2, group: int = 4, painted: int = 1, choice: int = 1
) -> str:
    """SVG of up to 64 weights in groups of which `kept` stay, with the position bits of each [text].

    The group `painted` (from 1) keeps its `choice`-th best pattern (1 is magnitude); the others the best.
    """
    if group not in GROUPS:
        raise ValueError(f"group must be one of {', '.join(map(str, GROUPS))}, got {shown(group)}")
    if count("kept", kept) >= group:
        raise ValueError(f"kept must be less than the group of {group}, got {shown(kept)}")
    values = [real("each weight", w) for w in weights]
    if not 0 < len(values) <= MOST_PAINTED or len(values) % group:
        raise ValueError(
            f"weights must be 1 to {MOST_PAINTED}, in whole groups of {group}, got {len(values)}"
        )
    groups = [values[i : i + group] for i in range(0, len(values), group)]
    painted, choice = (
        min(count("painted", painted), len(groups)),
        min(count("choice", choice), comb(group, kept)),
    )
    masks = [patterns(g, kept)[choice - 1 if i == painted - 1 else 0] for i, g in enumerate(groups)]
    keep = {i * group + j for i, mask in enumerate(masks) for j in mask}
    free = set(sorted(range(len(values)), key=lambda i: (-abs(values[i]), i))[: len(keep)])
    facts = _mask_facts(values, keep, free, kept, group, painted, choice)
    height = 84 + 78 * -(-len(values) // 16)
    parts = [svg.text(24, 34, f"{kept}:{group}: {kept} of each {group} weights stay", size=18, bold=True)]
    parts.append(svg.text(24, 55, "under a kept weight: its position in the group, in bits", "muted"))
    parts += [_cell(values, i, i in keep, group) for i in range(len(values))]
    place, top = divmod((painted - 1) * group, 16)[::-1], 78 + 78 * ((painted - 1) * group // 16)
    left, wide = 24 + 42 * place[0] - 3, 42 * group + 2
    parts.append(
        svg.outline([(left, top), (left + wide, top), (left + wide, top + 72), (left, top + 72)], "ink", 2.5)
    )
    parts += [svg.text(24, height + 22 + 21 * i, fact) for i, fact in enumerate(facts)]
    said = " ".join(f"{fact}." for fact in facts)
    return svg.picture(f"{kept}:{group} mask", said, "".join(parts), 720, height + 30 + 21 * len(facts))


def _cell(values: Sequence[float], i: int, kept: bool, group: int) -> str:
    """One weight: its value over a bar of its magnitude; a removed one is struck out and has no position."""
    x, y = 24 + 42 * (i % 16), 81 + 78 * (i // 16)
    tall = 24 * abs(values[i]) / max(max(map(abs, values)), 1e-9)
    parts = [
        svg.rect(x, y, 38, 66, "panel", f"weight {i + 1}: {values[i]:.3f}, {'kept' if kept else 'removed'}")
    ]
    parts.append(svg.text(x + 19, y + 15, f"{values[i]:.2f}", "ink" if kept else "muted", 12, "middle"))
    parts.append(svg.rect(x + 9, y + 46 - tall, 20, tall, "weights" if kept else "grid"))
    if kept:
        bits = f"{i % group:0{(group - 1).bit_length()}b}"
        parts.append(svg.text(x + 19, y + 61, bits, "ink", 12, "middle"))
    else:
        parts.append(svg.line(x + 8, y + 22, x + 30, y + 60, "muted", 1.5))
    return "".join(parts)


def _mask_facts(
    values: list[float], keep: set[int], free: set[int], kept: int, group: int, painted: int, choice: int
) -> list[str]:
    share = 100 * sum(abs(values[i]) for i in keep) / max(sum(map(abs, values)), 1e-9)
    best = 100 * sum(abs(values[i]) for i in free) / max(sum(map(abs, values)), 1e-9)
    rank = f"group {painted} keeps its choice {choice} of {comb(group, kept)}; the others keep"
    rank = "every group keeps" if choice == 1 else rank
    size = compression.nm_bytes(len(values), kept, group)
    return [
        f"{rank} the largest magnitudes",
        f"kept: {share:.1f} % of all magnitude; the same number anywhere in the tensor: {best:.1f} %",
        f"{len(keep - free)} of {len(keep)} kept weights are not among the {len(keep)} largest",
        f"INT8: {len(values)} B dense, {size} B with positions, {len(values) / size:.2f} × smaller",
    ]


# Accuracy over storage


def accuracy_and_storage(
    accuracy: Series, weights: int, rows: int, bits: int = 8, index_bytes: int = 2, at: float = 0.5
) -> str:
    """SVG of accuracy [0..1] against sparsity [0..1], line by line, over the bytes of each format [text].

    `accuracy` has (sparsity, accuracy) points by name; `at` is the sparsity that the words are about.
    """
    if not accuracy or len(accuracy) > len(ROLES) or not all(accuracy.values()):
        raise ValueError(f"accuracy must hold 1 to {len(ROLES)} lines of points, got {shown(accuracy)}")
    if not 0 <= real("at", at) <= 1:
        raise ValueError(f"at must be a sparsity, 0 to 1, got {shown(at)}")
    sizes = storage_bytes(weights, round(weights * (1 - at)), rows, bits, index_bytes)
    upper = svg.axes(
        svg.Axis("sparsity [%]", 0, 1, words=_percent),
        svg.Axis("accuracy on test images [%]", 0, 1, words=_percent),
        left=80, top=96, width=430, height=176,
    )  # fmt: skip
    parts = [svg.text(24, 34, "What sparsity costs, and what it saves", size=18, bold=True), upper.body]
    spoken = [
        _accuracy_line(upper, i, name, points, at, parts) for i, (name, points) in enumerate(accuracy.items())
    ]
    lower, breakeven = _storage_lines(weights, rows, bits, index_bytes, at, sizes, parts)
    for plot in (upper, lower):
        parts.append(svg.line(plot.x(at), plot.top, plot.x(at), plot.top + plot.height, "ink", 1.5))
    note = f"at {_percent(at)} % sparsity, {bits}-bit values"
    parts.append(svg.text(24, 55, note, "muted"))
    formats = ", ".join(f"{name} {_bytes(size)}" for name, size in sizes.items())
    said = f"{note}: accuracy {', '.join(spoken)}; {formats}. CSR is smaller than dense from {breakeven}."
    return svg.picture("Accuracy and storage against sparsity", said, "".join(parts), 720, 560)


def _percent(share: float) -> str:
    return format_quantity(round(100 * share, 1))


def _accuracy_line(plot: svg.Axes, i: int, name: str, points: Sequence, at: float, parts: list[str]) -> str:
    """Draw one line with its entry in the legend; returns its value at the nearest point [words]."""
    points, role, dash = sorted(points), ROLES[i], DASHES[i]
    near = min(points, key=lambda p: abs(p[0] - at))
    places = [(plot.x(s), plot.y(a)) for s, a in points]
    parts.append(svg.outline(places, role, 2.2, dash, closed=False))
    parts += [
        svg.circle(x, y, 3.5, role, f"{name}: {_percent(s)} % sparse, {_percent(a)} % right")
        for (x, y), (s, a) in zip(places, points)
    ]
    y, off = 112 + 42 * i, "" if abs(near[0] - at) < 0.005 else f" at {_percent(near[0])} %"
    parts.append(svg.line(524, y - 4, 550, y - 4, role, 2.2, dash))
    parts.append(svg.text(556, y, name, "ink", 12, bold=True))
    parts.append(svg.text(556, y + 16, f"{_percent(near[1])} %{off}", "muted", 12))
    return f"{name} {_percent(near[1])} %{off}"


def _storage_lines(
    weights: int,
    rows: int,
    bits: int,
    index_bytes: int,
    at: float,
    sizes: Mapping[str, int],
    parts: list[str],
) -> tuple[svg.Axes, str]:
    """Draw the lower panel; returns it and the sparsity where CSR breaks even [words]."""
    empty = compression.csr_bytes(0, bits // 8, index_bytes, rows, _POINTER_BYTES)
    full = compression.csr_bytes(weights, bits // 8, index_bytes, rows, _POINTER_BYTES)
    plot = svg.axes(
        svg.Axis("sparsity: share of zeros [%]", 0, 1, words=_percent),
        svg.Axis("bytes", 0, max(full, sizes["dense"]) * 1.05, words=_bytes),
        left=80, top=360, width=430, height=140,
    )  # fmt: skip
    parts.append(plot.body)
    lines = {"dense": [(0, sizes["dense"]), (1, sizes["dense"])], "CSR": [(0, full), (1, empty)]}
    for i, ends in enumerate(lines.values()):
        places = [(plot.x(s), plot.y(b)) for s, b in ends]
        parts.append(svg.outline(places, ROLES[i], 2.2, DASHES[i], closed=False))
    half = plot.x(0.5), plot.y(sizes["2:4"])
    parts.append(
        svg.rect(half[0] - 5, half[1] - 5, 10, 10, "macs", f"2:4: {_bytes(sizes['2:4'])}, always half")
    )
    for i, (name, size) in enumerate(sizes.items()):
        y = 376 + 42 * i
        if name == "2:4":
            parts.append(svg.rect(532, y - 9, 10, 10, "macs"))
        else:
            parts.append(svg.line(524, y - 4, 550, y - 4, ROLES[i], 2.2, DASHES[i]))
        parts.append(svg.text(556, y, name, "ink", 12, bold=True))
        parts.append(svg.text(556, y + 16, _bytes(size) + ", always" * (name != "CSR"), "muted", 12))
    where = (full - sizes["dense"]) / (full - empty)
    return plot, f"{_percent(where)} %" if 0 <= where <= 1 else "no sparsity"
