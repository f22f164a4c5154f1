"""Lines over one axis: training curves, step responses, error against bits, accuracy against a setting."""

from collections.abc import Mapping, Sequence

from tinylib.show import svg
from tinylib.units import format_quantity

ROLES = ("weights", "over_budget", "macs", "activations", "ink")
DASHES = ("", "7 4", "2 3", "10 3 2 3", "5 2 1 2")  # the second signal beside the colour
MOST_POINTS = 400  # of one line; more are thinned, the last one kept

Series = Mapping[str, Sequence[svg.Point]]


def curves(
    title: str,
    x: svg.Axis,
    y: svg.Axis,
    series: Series,
    note: str = "",
    marks: Mapping[str, float] | None = None,
    spread: Mapping[str, Sequence[tuple[float, float, float]]] | None = None,
) -> str:
    """SVG of named lines, each with its name at its end, on two axes [text].

    `marks` are named values of x that get an upright line; `spread` gives (x, low, high) per line name.
    """
    if not series or len(series) > len(ROLES):
        raise ValueError(f"series must hold 1 to {len(ROLES)} lines, got {len(series)}")
    plot = svg.axes(x, y, left=80, top=96, width=460, height=270)
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, note, "muted"), plot.body]
    for name, place in (marks or {}).items():
        parts.append(
            svg.line(plot.x(place), plot.top, plot.x(place), plot.top + plot.height, "ink", 1, "3 3")
        )
        parts.append(svg.text(plot.x(place) + 5, plot.top + 12, name, "muted", 12))
    spoken, ends = [], []
    for (name, points), role, dash in zip(series.items(), ROLES, DASHES):
        if not points:
            raise ValueError(f"series {name!r} must hold at least one point, got none")
        for at, low, high in (spread or {}).get(name, ()):
            parts.append(svg.line(plot.x(at), plot.y(low), plot.x(at), plot.y(high), role, 1.5))
        thin = thinned(points)
        parts.append(svg.outline([(plot.x(a), plot.y(b)) for a, b in thin], role, 2.2, dash, closed=False))
        if len(thin) <= 24:
            parts += [svg.circle(plot.x(a), plot.y(b), 3.5, role, f"{name}: {_pair(a, b)}") for a, b in thin]
        ends.append((plot.y(thin[-1][1]), name, role, dash))
        spoken.append(f"{name} from {_pair(*points[0])} to {_pair(*points[-1])}")
    parts += _names(ends, plot.left + plot.width + 8, plot.top + plot.height)
    said = f"{note.removesuffix('.')}. " if note else ""
    return svg.picture(title, f"{said}{x.label} to {y.label}: {'; '.join(spoken)}.", "".join(parts), 720, 424)


def thinned(points: Sequence[svg.Point]) -> list[svg.Point]:
    """At most MOST_POINTS of the points (n,), evenly, the last one kept."""
    step = -(-len(points) // MOST_POINTS)
    return [*points[:-1:step], points[-1]]


def _pair(x: float, y: float) -> str:
    return f"{format_quantity(x, digits=3)}, {format_quantity(y, digits=3)}"


def _names(ends: list[tuple[float, str, str, str]], x: float, bottom: float) -> list[str]:
    """The names of the lines beside their ends, pushed apart where they would overlap."""
    parts, last = [], -1e9
    room = [bottom - 18 * i for i in range(len(ends))][::-1]
    for (y, name, role, dash), most in zip(sorted(ends), room):
        last = max(last + 18, min(y + 4, most))
        parts.append(svg.line(x, last - 4, x + 26, last - 4, role, 2.2, dash))
        parts.append(svg.text(x + 32, last, name, "ink", 12))
    return parts
