"""Architecture search: a mixed operation with its latency gradient, candidates under limits, generations.

A candidate that does not fit is a cross, one that fits a disc; limits are hatched on their far side.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tinylib.cost import compression
from tinylib.cost.layers import count
from tinylib.show import svg
from tinylib.show.curves import curves
from tinylib.units import KIB, format_quantity, real, shown

MOST_OPERATIONS = 8


class Point(NamedTuple):
    """A candidate: name, accuracy [0..1], latency [ms], SRAM and flash [bytes]."""

    name: str
    accuracy: float
    latency_ms: float
    sram_bytes: int
    flash_bytes: int


# A mixed operation


def diagonal_ms(probabilities: Sequence[float], latencies_ms: Sequence[float]) -> list[float]:
    """The diagonal terms p (1 - p) l alone [ms]: the gradient if the other probabilities stood still."""
    return [p * (1 - p) * t for p, t in zip(probabilities, latencies_ms)]


def latency_mix(logits: Sequence[float], latencies_ms: Sequence[float], names: Sequence[str] = ()) -> str:
    """SVG of a mixed operation: probabilities, expected latency, and its gradient beside the diagonal [text].

    logits (K,) are the architecture parameters of up to 8 operations with these latencies [ms] (K,).
    """
    if not 2 <= len(logits) <= MOST_OPERATIONS:
        raise ValueError(f"a mix needs 2 to {MOST_OPERATIONS} operations, got {len(logits)}")
    shares = compression.softmax(logits)
    mean = compression.expected_latency_ms(shares, latencies_ms)
    true, alone = compression.latency_gradient_ms(shares, latencies_ms), diagonal_ms(shares, latencies_ms)
    names = [*names] or [f"operation {k + 1}" for k in range(len(shares))]
    if len(names) != len(shares):
        raise ValueError(f"names must name all {len(shares)} operations, got {len(names)}")
    most = max(0.01, *map(abs, (*true, *alone)))
    title = f"Expected latency {format_quantity(mean, 'ms', 3)}"
    left = svg.axes(svg.Axis("probability", 0, 1), left=150, top=104, width=170, height=54 * len(shares))
    right = svg.axes(
        svg.Axis("derivative of the expected latency [ms]", -most * 1.4, most * 1.4),
        left=400, top=104, width=290, height=54 * len(shares),
    )  # fmt: skip
    parts = [svg.text(24, 34, title, size=18, bold=True), left.body, right.body]
    parts.append(
        svg.text(24, 55, "a step against the derivative makes an operation with a minus likelier", "muted")
    )
    parts.append(_legend(400, 92, (("right: p (l - E)", "weights"), ("diagonal alone", "over_budget"))))
    zero, spoken = right.x(0), []
    parts.append(svg.line(zero, right.top, zero, right.top + right.height, "ink", 1.5))
    for k, (name, p, t, pair) in enumerate(zip(names, shares, latencies_ms, zip(true, alone))):
        y = left.top + 8 + 54 * k
        parts.append(svg.text(140, y + 14, name, anchor="end"))
        parts.append(svg.text(140, y + 31, format_quantity(t, "ms"), "muted", 12, "end"))
        parts.append(svg.bar(left.left, y + 6, left.x(p) - left.left, 24, "macs", hover=f"{name}: {p:.4f}"))
        parts.append(svg.text(left.x(p) + 6, y + 23, f"{p:.3f}", "ink", 12))
        for j, value in enumerate(pair):
            parts.append(_signed(right, y + 1 + 19 * j, value, over=j == 1))
        spoken.append(f"{name} {format_quantity(t, 'ms')}, probability {p:.3f}, derivative {pair[0]:.3f} ms, "
                      f"diagonal alone {pair[1]:.3f} ms")  # fmt: skip
    said = "; ".join(spoken) + ". The derivatives add up to zero, the diagonal terms do not."
    return svg.picture(title, said, "".join(parts), 720, left.top + left.height + 58)


def _signed(plot: svg.Axes, y: float, value: float, over: bool) -> str:
    """A bar from zero to either side with its number at the tip."""
    ends = sorted((plot.x(0), plot.x(value)))
    body = svg.bar(ends[0], y, ends[1] - ends[0], 16, "weights", over=over, hover=f"{value:.4f} ms")
    beside = (ends[1] + 5, "start") if value >= 0 else (ends[0] - 5, "end")
    return body + svg.text(beside[0], y + 13, f"{value:+.2f}", "ink", 12, beside[1])


def _legend(x: float, y: float, entries: Sequence[tuple[str, str]]) -> str:
    parts = []
    for i, (words, role) in enumerate(entries):
        parts.append(svg.bar(x + 150 * i, y - 10, 24, 11, role, over=role == "over_budget"))
        parts.append(svg.text(x + 150 * i + 30, y, words, "ink", 12))
    return "".join(parts)


def share_curves(logits: Sequence[Sequence[float]], names: Sequence[str], title: str, note: str = "") -> str:
    """SVG of the shares of up to five operations, epoch by epoch: the softmax of their parameters [text].

    logits: one row of architecture parameters (K,) for each epoch, that before the first one included.
    """
    if len(logits) < 2 or any(len(row) != len(names) for row in logits):
        raise ValueError(f"shares need two epochs or more, each with {len(names)} parameters")
    shares = [compression.softmax(row) for row in logits]
    lines = {name: [(epoch, p[k]) for epoch, p in enumerate(shares)] for k, name in enumerate(names)}
    return curves(title, svg.Axis("epoch", 0, len(logits) - 1), svg.Axis("share", 0, 1), lines, note)


# Candidates under limits

_COSTS = {  # name -> axis label, field, how much of it is one unit of the axis
    "latency": ("latency [ms], log scale", "latency_ms", 1),
    "SRAM": ("peak SRAM [KiB], log scale", "sram_bytes", KIB),
    "flash": ("flash [KiB], log scale", "flash_bytes", KIB),
}


def fits(point: Point, sram_kib: float, flash_kib: float, latency_ms: float) -> dict[str, bool]:
    """Which of the three limits a candidate keeps; a cost equal to its limit fits."""
    return {
        "SRAM": point.sram_bytes <= sram_kib * KIB,
        "flash": point.flash_bytes <= flash_kib * KIB,
        "latency": point.latency_ms <= latency_ms,
    }


def front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The (cost, accuracy) points that no other beats, cheapest first: less cost, or more accuracy."""
    kept: list[tuple[float, float]] = []
    for cost, accuracy in sorted(points, key=lambda p: (p[0], -p[1])):
        if not kept or accuracy > kept[-1][1]:
            kept.append((cost, accuracy))
    return kept


def pareto(
    points: Sequence[Point], sram_kib: float, flash_kib: float, latency_ms: float, across: str = "latency"
) -> str:
    """SVG of candidates, accuracy over "latency", "SRAM" or "flash", with the limits on all three [text]."""
    points = [Point(*p) for p in points]
    if not points:
        raise ValueError("a search needs at least one candidate, got none")
    if across not in _COSTS:
        raise ValueError(f"across must be one of {', '.join(_COSTS)}, got {shown(across)}")
    limits = {"SRAM": sram_kib, "flash": flash_kib, "latency": latency_ms}
    if wrong := [name for name, value in limits.items() if real(name, value) <= 0]:
        raise ValueError(f"the limit on {wrong[0]} must be positive, got {shown(limits[wrong[0]])}")
    kept = {p: fits(p, sram_kib, flash_kib, latency_ms) for p in points}
    inside = [p for p in points if all(kept[p].values())]
    label, field, one = _COSTS[across]
    costs = [getattr(p, field) / one for p in points]
    plot = _field(svg.Axis(label, min(costs) * 0.8, max(costs) * 1.25, log=True, ticks=_ticks(costs)), points)
    parts = [svg.text(24, 34, _found(points, inside), size=18, bold=True), plot.body]
    parts += [_forbidden(plot, limits[across]), _marks(plot, points, inside, field, one)]
    best = max(inside, key=lambda p: (p.accuracy, -getattr(p, field)), default=None)
    line = front([(getattr(p, field) / one, p.accuracy) for p in inside])
    parts.append(_stairs(plot, line, limits[across]))
    if best:
        x, y = plot.x(getattr(best, field) / one), plot.y(best.accuracy)
        parts.append(svg.square(x - 9, y - 9, 18, "ink"))
    out = ", ".join(f"{name} {sum(not k[name] for k in kept.values())}" for name in limits)
    words = ", ".join(
        f"{name} {format_quantity(v, 'ms' if name == 'latency' else 'KiB')}" for name, v in limits.items()
    )
    facts = [f"limits: {words}", f"shut out by {out}"]
    if best:
        facts.append(
            f"best that fits (framed): {best.name}, {100 * best.accuracy:.1f} %, "
            f"{format_quantity(best.latency_ms, 'ms', 3)}, {best.sram_bytes / KIB:.1f} KiB SRAM, "
            f"{best.flash_bytes / KIB:.1f} KiB flash"
        )
    parts += [svg.text(24, 414 + 21 * i, fact) for i, fact in enumerate(facts)]
    said = " ".join(f"{fact}." for fact in facts) + f" The front over {across} has {len(line)} candidates."
    return svg.picture(_found(points, inside), said, "".join(parts), 720, 474)


def _found(points: Sequence[Point], inside: Sequence[Point]) -> str:
    return f"{len(inside)} of {len(points)} candidates fit"


def _ticks(costs: Sequence[float]) -> tuple[float, ...]:
    """Ticks 1, 2, 5 a decade that lie within the costs: three decades at most seldom meet a power of ten."""
    steps = (m * 10.0**e for e in range(-6, 10) for m in (1, 2, 5))
    return tuple(t for t in steps if min(costs) * 0.8 <= t <= max(costs) * 1.25)


def _field(across: svg.Axis, points: Sequence) -> svg.Axes:
    low = max(0.0, int(20 * min(p[1] for p in points) - 1e-9) / 20 - 0.05)
    up = svg.Axis("accuracy [%]", low, 1, words=lambda share: format_quantity(100 * share, digits=3))
    return svg.axes(across, up, left=80, top=100, width=600, height=234)


def _forbidden(plot: svg.Axes, limit: float) -> str:
    """The hatched part of the field beyond a limit; nothing where the limit lies beyond the field."""
    if limit >= plot.horizontal.high:
        return ""
    x = plot.x(limit)
    wide = plot.left + plot.width - x
    edge = svg.line(x, plot.top, x, plot.top + plot.height, "ink", 1.5, "4 3")
    return svg.hatch(x, plot.top, wide, plot.height, "grid", 14) + edge


def _marks(plot: svg.Axes, points: Sequence[Point], inside: Sequence[Point], field: str, one: float) -> str:
    parts, good = [], set(inside)
    for p in points:
        x, y = plot.x(getattr(p, field) / one), plot.y(p.accuracy)
        parts.append(_disc(x, y, p.name, p.accuracy) if p in good else _cross(x, y))
    return "".join(parts)


def _disc(x: float, y: float, name: str, accuracy: float) -> str:
    return svg.circle(x, y, 4.5, "in_budget", f"{name}: {100 * accuracy:.1f} %, fits")


def _cross(x: float, y: float, role: str = "over_budget") -> str:
    return svg.line(x - 4, y - 4, x + 4, y + 4, role, 2) + svg.line(x - 4, y + 4, x + 4, y - 4, role, 2)


def _stairs(plot: svg.Axes, line: Sequence[tuple[float, float]], limit: float) -> str:
    """The front as stairs up to the limit: between two candidates only the cheaper one is known to fit."""
    if not line:
        return ""
    corners = [(plot.x(line[0][0]), plot.y(line[0][1]))]
    for cost, accuracy in line[1:]:
        corners += [(plot.x(cost), corners[-1][1]), (plot.x(cost), plot.y(accuracy))]
    return svg.outline([*corners, (plot.x(limit), corners[-1][1])], "macs", 2, "", closed=False)


# Generations

Member = tuple[float, float, bool]  # cost, accuracy [0..1], fits


def evolution(generations: Sequence[Sequence[Member]], generation: int = 0, cost: str = "cost") -> str:
    """SVG of one generation of (cost, accuracy, fits) members over earlier ones, and the best so far [text].

    `cost` labels the axis with its unit; costs are positive. A generation past the last is the last.
    """
    if not generations or not all(generations):
        raise ValueError("a search needs members in every generation, got an empty one")
    now = min(count("generation", generation, 0), len(generations) - 1)
    everyone = [member for members in generations for member in members]
    costs = [real("each cost", c) for c, _, _ in everyone]
    if min(costs) <= 0:
        raise ValueError(f"each cost must be positive, got {min(costs)}")
    across = svg.Axis(f"{cost}, log scale", min(costs) * 0.8, max(costs) * 1.25, True, _ticks(costs))
    upper = _field(across, everyone)
    best = _best_so_far(generations)
    parts = [svg.text(24, 34, f"Generation {now} of {len(generations) - 1}", size=18, bold=True), upper.body]
    for members in generations[:now]:
        parts += [svg.circle(upper.x(c), upper.y(a), 2, "muted") for c, a, _ in members]
    for c, a, ok in generations[now]:
        x, y = upper.x(c), upper.y(a)
        parts.append(_disc(x, y, format_quantity(c, digits=3), a) if ok else _cross(x, y))
    fit = sum(ok for _, _, ok in generations[now])
    words = f"{fit} of {len(generations[now])} members fit (discs); best so far "
    words += "none" if best[now] is None else f"{100 * best[now]:.1f} %"
    parts.append(svg.text(24, 55, words, "muted"))
    parts.append(_progress(best, now))
    said = f"{words}. By generation, best so far: "
    said += ", ".join("none" if b is None else f"{100 * b:.1f} %" for b in best[: now + 1]) + "."
    return svg.picture(f"Generation {now} of {len(generations) - 1}", said, "".join(parts), 720, 564)


def _best_so_far(generations: Sequence[Sequence[Member]]) -> list[float | None]:
    best, so_far = None, []
    for members in generations:
        best = max([a for _, a, ok in members if ok] + ([best] if best is not None else []), default=None)
        so_far.append(best)
    return so_far


def _progress(best: Sequence[float | None], now: int) -> str:
    """The lower panel: the best accuracy that fits, up to this generation."""
    found = [b for b in best if b is not None]
    low, high = (min(found) - 0.01, max(found) + 0.01) if found else (0, 1)
    last = max(len(best) - 1, 1)
    plot = svg.axes(
        svg.Axis("generation", 0, last, ticks=tuple(range(0, last + 1, -(-last // 12)))),
        svg.Axis("best that fits [%]", low, high, words=lambda share: format_quantity(100 * share, digits=3)),
        left=80, top=420, width=600, height=84,
    )  # fmt: skip
    places = [(plot.x(i), plot.y(b)) for i, b in enumerate(best[: now + 1]) if b is not None]
    parts = [plot.body]
    if places:
        parts.append(svg.outline(places, "macs", 2.2, closed=False))
        parts += [svg.circle(x, y, 4, "macs") for x, y in places]
    return "".join(parts)
