"""The gap: what models weigh against what machines hold, for one year and over the years."""

from tinylib.cost import growth
from tinylib.show import svg
from tinylib.units import MB, format_bytes, format_quantity

BYTES_PER_PARAMETER = 2  # FP16
_KINDS = (("model", "largest model, FP16", "weights"), ("gpu_memory", "accelerator memory", "macs"))
_KINDS += (("mcu_sram", "microcontroller SRAM", "activations"),)
_LOW, _HIGH = 1e5, 1e13


def _bytes(point: growth.Point) -> int:
    return point.size * BYTES_PER_PARAMETER if point.kind == "model" else point.size


def _words(size: float) -> str:
    return format_bytes(int(size), binary=size < MB)


def _check(year: int) -> int:
    if isinstance(year, bool) or not isinstance(year, int) or not 2014 <= year <= 2024:
        raise ValueError(f"year must be a whole number from 2014 to 2024, got {year!r}")
    return year


def gap_bars(year: int, scale: str = "log") -> str:
    """SVG of the largest of each kind up to a year, as bars; scale is "log" or "linear" [text]."""
    if scale not in ("log", "linear"):
        raise ValueError(f"scale must be 'log' or 'linear', got {scale!r}")
    points = [growth.largest(kind, _check(year)) for kind, _, _ in _KINDS]
    sizes = [_bytes(p) for p in points]
    log = scale == "log"
    axis = svg.Axis("bytes, by powers of ten", _LOW, _HIGH, log=True)
    if not log:
        axis = svg.Axis("bytes", 0, max(sizes) * 1.1)
    plot = svg.axes(axis, left=230, top=76, width=440, height=190)
    title = f"The gap in {year}"
    parts = [svg.text(24, 34, title, size=18, bold=True), plot.body]
    parts.append(
        svg.text(
            24,
            55,
            f"{format_quantity(round(sizes[0] / sizes[2]))} times from microcontroller to model",
            "muted",
        )
    )
    for i, ((_, label, role), point, size) in enumerate(zip(_KINDS, points, sizes)):
        y = 92 + 58 * i
        parts.append(svg.text(24, y + 13, _words(size), size=14, bold=True))
        parts.append(svg.text(24, y + 31, label, "muted", 12))
        hover = f"{point.name}, {point.year}: {_words(size)}. {point.source}"
        parts.append(svg.bar(plot.left, y, plot.x(size) - plot.left, 32, role, plot.width, hover=hover))
    spoken = f"{_sentence(points, sizes)} Scale: {scale}."
    return svg.picture(title, spoken, "".join(parts), 720, 326, _sources(points))


def _sources(points: list[growth.Point]) -> str:
    return "; ".join(f"{p.name}: {p.source}" for p in points)


def _sentence(points: list[growth.Point], sizes: list[int]) -> str:
    said = (
        f"{label}: {p.name} of {p.year}, {_words(s)}" for (_, label, _), p, s in zip(_KINDS, points, sizes)
    )
    return (
        "; ".join(said) + f". The model is {format_quantity(sizes[0] / sizes[2], digits=3)} times the SRAM."
    )


def growth_points(year: int, rule: bool = True) -> str:
    """SVG of every published point up to a year, with the rule of thumb as dashed lines [text]."""
    across = svg.Axis("year", 2014, 2024, ticks=tuple(range(2014, 2025, 2)), words=str)
    plot = svg.axes(across, svg.Axis("bytes", _LOW, _HIGH, log=True), left=84, top=84, width=420, height=300)
    title = f"Models and memory until {_check(year)}"
    parts = [svg.text(24, 34, title, size=18, bold=True), plot.body]
    parts.append(svg.line(plot.x(year), plot.top, plot.x(year), plot.top + plot.height, "ink", 1.5))
    spoken, tops = [], []
    for i, (kind, label, role) in enumerate(_KINDS):
        shown = [p for p in growth.points() if p.kind == kind and p.year <= year]
        for p in shown:
            hover = f"{p.name}, {p.year}: {_words(_bytes(p))}. {p.source}"
            parts.append(svg.circle(plot.x(p.year), plot.y(_bytes(p)), 5, role, hover))
        if rule and kind in growth.RULE:
            parts.append(_rule_line(plot, kind, role, year))
        parts.append(svg.circle(532, 112 + 56 * i, 6, role))
        parts.append(svg.text(546, 117 + 56 * i, label, "ink", 12, bold=True))
        tops.append(top := growth.largest(kind, year))
        parts.append(svg.text(546, 134 + 56 * i, f"{top.name}: {_words(_bytes(top))}", "muted", 12))
        spoken.append(f"{label}: {len(shown)} points, the largest {top.name} with {_words(_bytes(top))}")
    if rule:
        parts.append(svg.text(532, 290, "- - -  rule of thumb", "muted", 12))
    where = f"{_sources(tops)}; each other point names its own under the pointer"
    return svg.picture(title, "; ".join(spoken) + ".", "".join(parts), 720, 450, where)


def _rule_line(plot: svg.Axes, kind: str, role: str, year: int) -> str:
    """The rule of thumb from its first year to this one."""
    unit = BYTES_PER_PARAMETER if kind == "model" else 1
    ends = [growth.FIRST_YEAR, max(year, growth.FIRST_YEAR)]
    (x1, y1), (x2, y2) = ((plot.x(y), plot.y(unit * growth.rule_of_thumb(kind, y))) for y in ends)
    return svg.line(x1, y1, x2, y2, role, 2, "6 4")
