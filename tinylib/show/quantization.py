"""Quantization in pictures: the code grid under a histogram, error against bits, scales, codebooks.

Values come in as plain numbers; codes, scales and errors are those of `formats.affine`.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from tinylib.cost.layers import count
from tinylib.formats import affine
from tinylib.formats.affine import Affine
from tinylib.show import svg
from tinylib.show.curves import curves
from tinylib.show.numbers import percent
from tinylib.units import format_quantity, real, shown

_BINS = 60
EXACT_DB = 250.0  # noise below this is the rounding of the float64 arithmetic itself


def histogram(values: Sequence[float], low: float, high: float, bins: int = _BINS) -> list[int]:
    """How many values lie in each of `bins` equal parts of low..high; the ends belong to the outer parts."""
    counts = [0] * bins
    for value in values:
        counts[min(max(int((value - low) / (high - low) * bins), 0), bins - 1)] += 1
    return counts


def limits(values: Sequence[float]) -> tuple[float, float]:
    """Lowest and highest value, zero among them, with a little room; refuses an empty or constant set."""
    if not len(values):
        raise ValueError("a histogram needs values, got none")
    low, high = min(0.0, *values), max(0.0, *values)
    if low == high:
        raise ValueError(f"a histogram needs different values, got only {shown(low)}")
    room = 0.04 * (high - low)
    return low - room, high + room


# ---- the code grid


def grid(values: Sequence[float], bits: int, kept: float, symmetric: bool, signed: bool) -> Affine:
    """The affine code of `kept` (0..1] of the values' range; unsigned symmetric codes are refused."""
    if not 0 < real("kept", kept) <= 1:
        raise ValueError(f"kept must be a share of the range, above 0 and at most 1, got {shown(kept)}")
    low, high = kept * min(0.0, *values), kept * max(0.0, *values)
    if symmetric and not signed:
        raise ValueError("symmetric codes must be signed: an unsigned one has no code below zero")
    if symmetric:
        return affine.symmetric(max(-low, high), bits)
    return affine.asymmetric(low, high, bits, signed)


def code_grid(
    values: Sequence[float],
    bits: int = 8,
    kept: float = 1.0,
    symmetric: bool = True,
    signed: bool = True,
    name: str = "weights",
) -> str:
    """SVG of a histogram of values over the grid of their codes; what the range cuts off is marked [text].

    kept: share of the range that the codes cover. The error is the signal-to-noise ratio of the codes.
    """
    values = [real("value", v) for v in values]
    limits(values)  # refuses what has no range
    code = grid(values, bits, kept, symmetric, signed)
    low, high = (code.dequantize(q) for q in code.codes)
    ends = limits([*values, low, high])
    restored = [code.dequantize(code.quantize(v)) for v in values]
    half = code.scale / 2
    clipped = sum(not low - half <= v <= high + half for v in values)
    used = {code.quantize(v) for v in (min(values), max(values), 0.0)}
    spare = code.codes[1] - code.codes[0] - (max(used) - min(used))
    kind = f"{'' if signed else 'U'}INT{bits}"
    level = affine.sqnr_db(values, restored)
    noise = "none, every value is a code" if level >= EXACT_DB else format_quantity(level, "dB", 3)
    facts = [
        f"S = {format_quantity(code.scale, digits=4)}, Z = {code.zero_point}",
        f"codes {code.codes[0]} to {code.codes[1]}, range {_real(low)} to {_real(high)}",
        f"clipped: {clipped:,} of {len(values):,}, {percent(clipped, len(values))}",
        f"codes beyond every value: {spare:,}",
        f"signal to quantization noise: {noise}",
    ]
    title = f"{name} as {'symmetric' if symmetric else 'asymmetric'} {kind}"
    plot = _plot(values, ends, 60, 96)
    parts = [svg.text(24, 34, title, size=18, bold=True), plot.body]
    every = _every(plot, code)
    note = "ticks below the bars: what the codes stand for" + (f", one in {every}" if every > 1 else "")
    parts.append(svg.text(24, 55, note, "muted"))
    parts.append(_bars(plot, histogram(values, *ends), ends, (low - half, high + half)))
    parts.append(_ticks(plot, code))
    parts += [svg.text(24 + 330 * (i % 2), 452 + 24 * (i // 2), f, "ink", 14) for i, f in enumerate(facts)]
    return svg.picture(title, ". ".join(facts) + ".", "".join(parts), 720, 516)


def _real(value: float) -> str:
    return format_quantity(float(value), digits=4)


def _plot(values: Sequence[float], ends: tuple[float, float], left: float, top: float) -> svg.Axes:
    most = max(histogram(values, *ends))
    across = svg.Axis("real value", *ends)
    return svg.axes(across, svg.Axis("values", 0, 1.05 * most), left=left, top=top, width=628, height=280)


def _bars(plot: svg.Axes, counts: Sequence[int], ends: tuple[float, float], kept: tuple[float, float]) -> str:
    """The bars; those whose middle lies outside `kept` are hatched, in the over-budget colour."""
    step, parts = (ends[1] - ends[0]) / len(counts), []
    for i, number in enumerate(counts):
        if not number:
            continue
        x, middle = plot.x(ends[0] + i * step), ends[0] + (i + 0.5) * step
        width, y = plot.x(ends[0] + (i + 1) * step) - x - 1, plot.y(number)
        out, height = not kept[0] <= middle <= kept[1], plot.top + plot.height - y
        hover = f"{number:,} values around {_real(middle)}"
        parts.append(svg.rect(x, y, width, height, "over_budget" if out else "weights", hover))
        parts.append(svg.hatch(x, y, width, height, gap=6) if out else "")
    for edge in kept:
        if ends[0] < edge < ends[1]:
            x = plot.x(edge)
            parts.append(svg.line(x, plot.top, x, plot.top + plot.height, "ink", 2, "6 4"))
    return "".join(parts)


def _every(plot: svg.Axes, code: Affine) -> int:
    """How many codes share a tick: 1, 2, 4, ..., so that ticks stay three pixels apart."""
    every, step = 1, plot.x(plot.horizontal.low + code.scale) - plot.left
    while every * step < 3:
        every *= 2
    return every


def _ticks(plot: svg.Axes, code: Affine) -> str:
    """The ticks of the codes inside the picture, that of zero thicker."""
    parts, foot, every = [], plot.top + plot.height, _every(plot, code)
    for q in range(code.codes[0], code.codes[1] + 1):
        value, zero = code.dequantize(q), q == code.zero_point
        if (q - code.zero_point) % every == 0 and plot.horizontal.low <= value <= plot.horizontal.high:
            x = plot.x(value)
            parts.append(svg.line(x, foot, x, foot + 8, "ink", 4 if zero else 1.5))
    return "".join(parts)


# ---- error against bits


def sqnr_curves(lines: Mapping[str, Sequence[tuple[int, float]]], title: str = "Error against bits") -> str:
    """SVG of signal to quantization noise [dB] against bits, one named line each [text].

    lines: name -> (bits, dB) pairs in rising order of bits.
    """
    points = [point for pairs in lines.values() for point in pairs]
    if not points:
        raise ValueError(f"a plot of errors needs lines with points, got {len(lines)} lines")
    bits, levels = [b for b, _ in points], [db for _, db in points]
    across = svg.Axis("bits of a code", min(bits) - 0.3, max(bits) + 0.3, ticks=tuple(sorted(set(bits))))
    up = svg.Axis("signal to quantization noise [dB]", min(0.0, *levels), max(levels) + 4)
    return curves(title, across, up, lines, "One more bit halves the step: 6.02 dB.")


# ---- one scale or many


def channel_scales(
    channels: Sequence[Sequence[float]], bits: int = 8, scales: str = "tensor", group_size: int = 32
) -> str:
    """SVG of each channel's signal to quantization noise under one scale, one a channel or a group [text].

    channels: rows of weights, one per output channel; scales: "tensor", "channel" or "group".
    """
    if scales not in ("tensor", "channel", "group"):
        raise ValueError(f"scales must be tensor, channel or group, got {shown(scales)}")
    if not 1 <= len(channels) <= 12:
        raise ValueError(f"a picture of channels needs 1 to 12 of them, got {len(channels)}")
    channels = [[real("weight", w) for w in row] for row in channels]
    size = {"tensor": None, "channel": len(channels[0]), "group": count("group_size", group_size)}[scales]
    rows = channel_sqnr(channels, bits, size)
    base = channel_sqnr(channels, bits, None)
    number = 1 if size is None else sum(-(-len(row) // size) for row in channels)
    weights = sum(map(len, channels))
    axis = svg.Axis("signal to quantization noise [dB]", 0, 10 * (7 * bits // 10 + 1))
    plot = svg.axes(axis, left=190, top=78, width=440, height=30 * len(channels))
    words = {
        "tensor": "one scale",
        "channel": "one scale a channel",
        "group": f"one scale per {size} weights",
    }
    title = f"INT{bits} weights, {words[scales]}"
    stored = f"{bits + 16 * number / weights:.4g} bits a weight"
    overhead = f"{number:,} {'scale' if number == 1 else 'scales'} of 16 bits: {stored}"
    parts = [svg.text(24, 34, title, size=18, bold=True), plot.body]
    parts.append(svg.text(24, 57, f"{overhead}; the line in a bar: with one scale", "muted"))
    spoken = []
    for i, (row, db, before) in enumerate(zip(channels, rows, base)):
        y, largest = plot.top + 4 + 30 * i, max(map(abs, row))
        label = f"channel {i}, max {format_quantity(largest, digits=3)}"
        hover = f"{label}: {_level(db)}"
        parts.append(svg.text(180, y + 16, label, "ink", 13, "end"))
        parts.append(svg.bar(plot.left, y, plot.x(db) - plot.left, 22, "weights", plot.width, hover=hover))
        parts.append(svg.line(plot.x(before), y - 2, plot.x(before), y + 24, "ink", 3))
        parts.append(svg.text(642, y + 16, _level(db), "ink", 13, bold=True))
        spoken.append(f"channel {i} {_level(db)}")
    return svg.picture(
        title, f"{overhead}; {', '.join(spoken)}.", "".join(parts), 720, plot.top + plot.height + 56
    )


def _level(db: float) -> str:
    return "exact" if db >= EXACT_DB else format_quantity(db, "dB", 3)


def channel_sqnr(channels: Sequence[Sequence[float]], bits: int, group_size: int | None) -> list[float]:
    """Signal to quantization noise of each row [dB]: symmetric, one scale a group, or for all with None."""
    top = max(max(map(abs, row)) for row in channels)
    levels = []
    for row in channels:
        size, restored = group_size or len(row), []
        for start in range(0, len(row), size):
            part = row[start : start + size]
            code = affine.symmetric((max(map(abs, part)) if group_size else top) or top, bits)
            restored += [code.dequantize(code.quantize(w)) for w in part]
        levels.append(min(affine.sqnr_db(row, restored), EXACT_DB))
    return levels


# ---- a codebook that moves


def codebook(values: Sequence[float], history: Sequence[Sequence[float]], iteration: int = 0) -> str:
    """SVG of a K-means codebook over its weights after some iterations, and the error it leaves [text].

    history: one codebook an iteration, the start first; all of one length.
    """
    if not len(history) or len({len(book) for book in history}) != 1:
        raise ValueError(f"history must hold codebooks of one length, got {len(history)} of them")
    iteration = min(max(iteration, 0), len(history) - 1)
    values = [real("value", v) for v in values]
    ends, now = limits(values), sorted(map(float, history[iteration]))
    plot = _plot(values, ends, 60, 96)
    parts = [svg.text(24, 34, f"Codebook after iteration {iteration}", size=18, bold=True), plot.body]
    parts.append(svg.text(24, 55, "lines: shared values; dotted: where a weight changes sides", "muted"))
    parts.append(_bars(plot, histogram(values, *ends), ends, ends))
    foot = plot.top + plot.height
    for a, b in pairwise(now):
        x = plot.x((a + b) / 2)
        parts.append(svg.line(x, plot.top, x, foot, "muted", 1.5, "2 4"))
    for centre in now:
        x = plot.x(centre)
        parts.append(svg.line(x, plot.top + 8, x, foot, "over_budget", 3))
        parts.append(svg.circle(x, plot.top + 8, 5, "over_budget", _real(centre)))
    errors = [squared_error(values, book) for book in (history[0], now)]
    share = f", {percent(errors[1], errors[0])} of the start" if errors[0] else ""
    facts = [
        f"{len(now)} shared values, {(len(now) - 1).bit_length()} bits an index",
        f"mean squared error {format_quantity(errors[1], digits=3)}{share}",
    ]
    parts += [svg.text(24, 452 + 24 * i, fact, "ink", 14) for i, fact in enumerate(facts)]
    spoken = f"{'. '.join(facts)}. Shared values {', '.join(map(_real, now))}."
    return svg.picture(f"Codebook after iteration {iteration}", spoken, "".join(parts), 720, 492)


def squared_error(values: Sequence[float], book: Sequence[float]) -> float:
    """Mean squared distance of values to their nearest shared value [unit of x, squared]."""
    return sum(min((v - c) ** 2 for c in book) for v in values) / len(values)
