"""Stacked bars: what a total is made of, row by row on one scale; terms of a loss, layers, joules, waits."""

from collections.abc import Mapping, Sequence

from tinylib.show import svg
from tinylib.units import format_quantity

ROLES = ("weights", "activations", "macs", "over_budget")
ROW = 48

Rows = Mapping[str, Mapping[str, float]]


def stacked(title: str, rows: Rows, unit: str, note: str = "", most: float = 0, source: str = "") -> str:
    """SVG of rows name -> part -> amount in one unit, a bar each, its parts side by side [text].

    most: end of the scale in the unit, so that a control moves bars and not the scale; 0 fits it to the rows,
    and a bar beyond it is cut.
    """
    names = list(dict.fromkeys(part for parts in rows.values() for part in parts))
    if not rows or not 1 <= len(names) <= len(ROLES):
        raise ValueError(f"rows must hold bars of 1 to {len(ROLES)} parts, got {len(rows)} of {len(names)}")
    if any(value < 0 for parts in rows.values() for value in parts.values()):
        raise ValueError(f"parts must be 0 or more: a negative one has no length, got {dict(rows)}")
    longest = most or 1.02 * max(sum(parts.values()) for parts in rows.values()) or 1
    plot = svg.axes(svg.Axis(unit, 0, longest), left=170, top=112, width=410, height=ROW * len(rows))
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, note, "muted"), _legend(names)]
    parts.append(plot.body)
    for i, (name, amounts) in enumerate(rows.items()):
        y = plot.top + ROW * i + 9
        parts.append(svg.text(158, y + 20, name, "ink", 13, "end"))
        parts.append(_bar(plot, y, {part: amounts.get(part, 0) for part in names}, unit))
        words = format_quantity(float(sum(amounts.values())), digits=4)
        parts.append(svg.text(592, y + 20, words, "ink", 13, bold=True))
    spoken = "; ".join(_said(name, amounts) for name, amounts in rows.items())
    said = f"{note.removesuffix('.')}. " if note else ""
    bottom = plot.top + plot.height + 56
    return svg.picture(title, f"{said}In {unit}: {spoken}.", "".join(parts), 720, bottom, source)


def _bar(plot: svg.Axes, y: float, amounts: Mapping[str, float], unit: str) -> str:
    parts, below = [], 0.0
    end = plot.left + plot.width
    for i, (name, amount) in enumerate(amounts.items()):
        x, below = plot.x(below), below + amount
        wide = plot.x(below) - x
        if wide > 0:
            parts.append(
                _block(i, x, y, wide, 30, f"{name}: {format_quantity(float(amount), digits=4)} {unit}")
            )
            parts.append(svg.line(x, y, x, y + 30, "page", 1.5) if i else "")
    if below > plot.horizontal.high:
        cut = [(end - 20, y + 33), (end - 8, y - 3)]
        parts += [svg.outline([(a + shift, b) for a, b in cut], "page", 4, closed=False) for shift in (0, 8)]
    return "".join(parts)


def _block(place: int, x: float, y: float, width: float, height: float, hover: str = "") -> str:
    lines = svg.hatch(x, y, width, height, gap=7) if place % 2 and width > 2 else ""
    return svg.rect(x, y, width, height, ROLES[place], hover) + lines


def _legend(names: Sequence[str]) -> str:
    """The parts, each with its colour and pattern."""
    parts, x = [], 170.0
    for i, name in enumerate(names):
        parts += [_block(i, x, 76, 18, 14), svg.text(x + 24, 88, name, "ink", 12)]
        x += 44 + 7 * len(name)
    return "".join(parts)


def _said(name: str, amounts: Mapping[str, float]) -> str:
    said = ", ".join(f"{part} {format_quantity(float(value), digits=4)}" for part, value in amounts.items())
    return f"{name}: {said}, together {format_quantity(float(sum(amounts.values())), digits=4)}"
