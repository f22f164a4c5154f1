"""Claimed against recomputed: a tornado of ratios, and the card of one claim."""

import math
from collections.abc import Sequence

from tinylib.show import svg
from tinylib.units import format_quantity, real

Row = tuple[str, float, float]  # name, claimed, recomputed
REACH = 16.0  # bars are cut where a figure is this many times too large or too small
STEP = 22


def ordered(rows: Sequence[Row]) -> list[Row]:
    """The rows, the farthest from 1 first: too large and too small by the same factor are as far."""
    for name, claimed, found in rows:
        if real("claimed", claimed) <= 0 or real("recomputed", found) <= 0:
            raise ValueError(f"row {name!r} must hold two positive numbers, got {claimed!r} and {found!r}")
    return sorted(rows, key=lambda row: (-round(abs(math.log(row[1] / row[2])), 9), row[0]))


def tornado(rows: Sequence[Row], title: str = "Claimed against recomputed", marked: str = "") -> str:
    """SVG of (name, claimed, recomputed): one bar each from 1 to their ratio, on a logarithmic axis [text].

    Too large runs to the right and is hatched, too small to the left; `marked` is set in bold.
    """
    if not rows:
        raise ValueError("rows must hold at least one claim, got none")
    found = ordered(rows)
    ticks = (1 / 16, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 16.0)
    axis = svg.Axis("claimed / recomputed", 1 / REACH, REACH, True, ticks, _tick)
    plot = svg.axes(axis, left=330, top=72, width=310, height=STEP * len(found))
    high, low = (sum(test(c / r) for _, c, r in found) for test in (lambda q: q > 1, lambda q: q < 1))
    note = f"{len(found)} printed figures: {high} too large, {low} too small, {len(found) - high - low} exact"
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, note, "muted"), plot.body]
    spoken = []
    for i, (name, claimed, recomputed) in enumerate(found):
        ratio, y = claimed / recomputed, plot.top + STEP * i
        parts.append(svg.text(270, y + 15, name, "ink", 12, "end", bold=name == marked))
        parts.append(_bar(plot, ratio, y + 4, f"{name}: {_exact(claimed)} for {_exact(recomputed)}"))
        end = plot.x(ratio)
        side = (end + 5, "start") if ratio >= 1 else (end - 5, "end")
        parts.append(svg.text(side[0], y + 15, _times(ratio), "muted", 11, side[1]))
        spoken.append(f"{name}: {_exact(claimed)} for {_exact(recomputed)}, {_times(ratio)}")
    height = plot.top + plot.height + 58
    return svg.picture(title, f"{note}. {'; '.join(spoken)}.", "".join(parts), 720, height)


def _bar(plot: svg.Axes, ratio: float, y: float, hover: str) -> str:
    """From 1 to the ratio; a circle where they are the same, slanted cuts where the axis ends."""
    start, end = plot.x(1.0), plot.x(ratio)
    if ratio == 1:
        return svg.circle(start, y + 7, 4, "macs", hover)
    wide = max(abs(end - start), 2)
    left = start if ratio > 1 else start - wide
    body = svg.rect(left, y, wide, 14, "over_budget" if ratio > 1 else "weights", hover)
    body += svg.hatch(left, y, wide, 14, gap=7) if ratio > 1 else ""
    if not 1 / REACH <= ratio <= REACH:
        x = end - 16 if ratio > 1 else end + 10
        for shift in (0, 7):
            cut = [(x + shift - 4, y + 16), (x + shift + 4, y - 2)]
            body += svg.outline(cut, "page", 3, closed=False)
    return body


def _times(ratio: float) -> str:
    """A ratio as words: exact, 0.9989 x, 2 x, 1/4 [text]."""
    if ratio == 1:
        return "exact"
    if 0.9 < ratio < 1.1:
        return f"{ratio:.4g} x"
    return (
        f"{format_quantity(ratio, digits=3)} x" if ratio > 1 else f"1/{format_quantity(1 / ratio, digits=3)}"
    )


def _tick(ratio: float) -> str:
    return "1" if ratio == 1 else _times(ratio)


def _exact(value: float) -> str:
    return f"{value:,.6g}" if value < 1e6 else f"{value:,.0f}"


def claim_card(
    says: str,
    source: str,
    printed: str,
    unit: str,
    recomputed: float,
    slip: str,
    why: str,
    proven: bool = True,
) -> str:
    """SVG of one claim: what is printed where; and, once proven, the number, the verdict and the slip [text].

    slip: its kind in words; both it and `why` stay off an unproven card.
    """
    title = f"{printed} {unit}".strip()
    parts = [svg.rect(12, 12, 696, 176 if proven else 92, "panel", radius=10)]
    parts.append(svg.text(32, 48, title, size=24, bold=True))
    parts += [svg.text(32, 72, says, "ink", 14), svg.text(32, 92, f"in: {source}", "muted", 12)]
    spoken = [f"Claimed: {title}, {says}, in {source}."]
    if proven:
        ours = f"recomputed: {_exact(recomputed)} {unit}".strip()
        right = slip.startswith("no slip")
        mark = "holds" if right else "does not hold"
        parts.append(svg.text(32, 126, ours, "ink", 18, bold=True))
        parts.append(svg.text(688, 126, mark, "fit_words" if right else "over_words", 18, "end", bold=True))
        parts += [svg.text(32, 150, slip, "ink", 13), svg.text(32, 172, why, "muted", 13)]
        spoken += [f"{ours}.", f"It {mark}: {slip}.", why]
    return svg.picture(title, " ".join(spoken), "".join(parts), 720, 200 if proven else 116)
