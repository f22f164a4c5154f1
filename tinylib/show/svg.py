"""A small vocabulary of SVG: shapes and words by role, bars, one kind of axes, and the picture around them.

Every helper returns text; a picture is the sum of such texts. Lengths are pixels at the natural size, with x
to the right and y downwards. There are no scripts, no motion and no ids, so that pictures may share a page.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from textwrap import wrap

from tinylib.show.numbers import short
from tinylib.show.theme import SIZES, STYLE, paint

Point = tuple[float, float]
_WIDE = 6.2  # a letter of a source line [px]


def _n(value: float) -> str:
    """A coordinate to a tenth of a pixel, as short as it goes [text]."""
    return f"{value:.1f}".removesuffix(".0")


def picture(
    title: str, description: str, body: str, width: float = 720, height: float = 400, source: str = ""
) -> str:
    """A whole SVG (width, height) with a page behind it, its title and its text alternative [text].

    source: where the numbers drawn are from; it stands in lines of its own under the picture, and is spoken.
    """
    if source:
        description = f"{description} Source: {source}."
        lines = wrap(f"Source: {source}.", int((width - 40) / _WIDE))
        body += "".join(text(24, height + 8 + 15 * i, line, "muted", 12) for i, line in enumerate(lines))
        height += 15 * len(lines) + 8
    size, spoken = f"{_n(width)} {_n(height)}", escape(f"{title}. {description}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{spoken}" '
        f'class="t-fig" viewBox="0 0 {size}" width="{_n(width)}" height="{_n(height)}" '
        f'style="max-width:100%;min-width:480px;height:auto" font-family="sans-serif">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc><style>{STYLE}</style>"
        f"{rect(0, 0, width, height, 'page')}{body}</svg>"
    )


def text(
    x: float,
    y: float,
    words: object,
    role: str = "ink",
    size: float = 13,
    anchor: str = "start",
    bold: bool = False,
) -> str:
    """One line of words with its baseline at y; anchor is start, middle or end [text].

    size: one of theme.SIZES [px]; raises ValueError for another.
    """
    if size not in SIZES.values():
        raise ValueError(f"a size of words must be one of {sorted(SIZES.values())}, got {size}")
    more = (f' text-anchor="{anchor}"' if anchor != "start" else "") + (' font-weight="600"' if bold else "")
    start = f'<text x="{_n(x)}" y="{_n(y)}" {paint(role)} font-size="{_n(size)}"{more}>'
    return f"{start}{escape(str(words))}</text>"


def rect(
    x: float, y: float, width: float, height: float, role: str, hover: str = "", radius: float = 0
) -> str:
    """A filled rectangle with its corner at (x, y); `hover` is shown under the pointer [text]."""
    rounded = f' rx="{_n(radius)}"' if radius else ""
    start = f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"{rounded} {paint(role)}'
    return f"{start}><title>{escape(hover)}</title></rect>" if hover else f"{start}/>"


def line(
    x1: float, y1: float, x2: float, y2: float, role: str = "grid", width: float = 1, dash: str = ""
) -> str:
    """A straight line; `dash` is a pattern such as '4 3' [text]."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    ends = f'x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"'
    return f'<line {ends} {paint(role, "stroke")} stroke-width="{_n(width)}"{dashed}/>'


def outline(
    points: Iterable[Point], role: str, width: float = 1.5, dash: str = "", closed: bool = True
) -> str:
    """The line through points, back to the first when closed [text]."""
    path = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points) + ("Z" if closed else "")
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{path}" fill="none" {paint(role, "stroke")} stroke-width="{_n(width)}"{dashed}/>'


def polygon(points: Iterable[Point], role: str, opacity: float = 1) -> str:
    """A filled polygon [text]."""
    see_through = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
    corners = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    return f'<polygon points="{corners}" {paint(role)}{see_through}/>'


def square(x: float, y: float, side: float, role: str, dash: str = "") -> str:
    """The outline of a square with its corner at (x, y) [text]."""
    return outline([(x, y), (x + side, y), (x + side, y + side), (x, y + side)], role, 1.5, dash)


def circle(x: float, y: float, radius: float, role: str, hover: str = "") -> str:
    """A filled disc around (x, y) [text]."""
    tip = f"<title>{escape(hover)}</title>" if hover else ""
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" {paint(role)}>{tip}</circle>'


def hatch(x: float, y: float, width: float, height: float, role: str = "page", gap: float = 9) -> str:
    """Slanted lines that fill a rectangle exactly: the second signal beside a colour [text]."""
    strokes = []
    for i in range(1, math.ceil((width + height) / gap)):
        near, far = max(0, i * gap - height), min(width, i * gap)
        strokes.append(f"M{_n(x + near)} {_n(y + i * gap - near)}L{_n(x + far)} {_n(y + i * gap - far)}")
    return f'<path d="{"".join(strokes)}" {paint(role, "stroke")} stroke-width="2"/>' if strokes else ""


def bar(
    x: float,
    y: float,
    width: float,
    height: float,
    role: str,
    limit: float = math.inf,
    over: bool = False,
    hover: str = "",
) -> str:
    """A bar to the right from x, hatched and in the over-budget colour when `over` [text].

    Where it is longer than `limit` it is cut there, with the two slanted strokes of a broken bar.
    """
    shown = min(width, limit)
    body = rect(x, y, max(shown, 1), height, "over_budget" if over else role, hover)
    if over:
        body += hatch(x, y, shown, height)
    if width > limit:
        cut = [(x + limit - 22 - height / 3, y + height + 2), (x + limit - 22, y - 2)]
        for shift in (0, 8):
            body += outline([(px + shift, py) for px, py in cut], "page", width=4, closed=False)
    return body


@dataclass(frozen=True)
class Axis:
    """What one direction measures: a label with its unit, its limits, linear or by powers of ten.

    `ticks` are chosen when left out; `words` writes a tick.
    """

    label: str
    low: float
    high: float
    log: bool = False
    ticks: tuple[float, ...] = ()
    words: Callable[[float], str] = short

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"axis {self.label!r} needs low < high, got {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"axis {self.label!r} needs low > 0: a logarithm has no zero, got {self.low}")

    def share(self, value: float) -> float:
        """Where a value lies between the limits [0..1]; values outside go to the nearer end."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return math.log10(value / self.low) / math.log10(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def tick_values(self, most: int) -> Sequence[float]:
        """At most about so many round values within the limits: powers of ten, or steps of 1, 2 or 5."""
        if self.ticks:
            return self.ticks
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0**e for e in range(first, last + 1, max(1, math.ceil((last - first + 1) / most)))]
        rough = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        steps = [power * f for f in (1, 2, 5, 10)]
        fits = next(i for i, step in enumerate(steps) if step >= rough * (1 - 1e-9))
        ticks: list[float] = []
        for step in reversed(steps[: fits + 1]):  # the wanted step, or a smaller one where it meets no value
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
            ticks = ticks or [i * step for i in range(first, last + 1)]
        return ticks


@dataclass(frozen=True)
class Axes:
    """A plot area with its axes drawn: `x(value)` and `y(value)` give pixels, `body` the drawing.

    The area is (width, height) with its upper left corner at (left, top); without `vertical` only x is drawn.
    """

    horizontal: Axis
    vertical: Axis | None
    left: float
    top: float
    width: float
    height: float

    def x(self, value: float) -> float:
        """Column of a value [px]."""
        return self.left + self.width * self.horizontal.share(value)

    def y(self, value: float) -> float:
        """Row of a value [px]."""
        return self.top + self.height * (1 - self.vertical.share(value))

    @cached_property
    def body(self) -> str:
        """Grid, ticks with their words, and the labels [text]."""
        bottom = self.top + self.height
        parts = self._vertical() if self.vertical else []
        for tick in self.horizontal.tick_values(max(2, int(self.width / 56))):
            parts.append(line(self.x(tick), self.top, self.x(tick), bottom + 5, "grid"))
            parts.append(text(self.x(tick), bottom + 20, self.horizontal.words(tick), "muted", 12, "middle"))
        middle = self.left + self.width / 2
        parts.append(text(middle, bottom + 40, self.horizontal.label, "ink", 13, "middle"))
        if self.vertical:
            parts.append(line(self.left, self.top, self.left, bottom, "muted"))
        return "".join([*parts, line(self.left, bottom, self.left + self.width, bottom, "muted")])

    def _vertical(self) -> list[str]:
        parts = [text(self.left - 9, self.top - 12, self.vertical.label, "ink", 13)]
        for tick in self.vertical.tick_values(max(2, int(self.height / 32))):
            parts.append(line(self.left - 5, self.y(tick), self.left + self.width, self.y(tick), "grid"))
            parts.append(text(self.left - 9, self.y(tick) + 4, self.vertical.words(tick), "muted", 12, "end"))
        return parts


def axes(x: Axis, y: Axis | None = None, *, left: float, top: float, width: float, height: float) -> Axes:
    """The axes of one plot area; put `.body` under the data drawn with `.x()` and `.y()`."""
    return Axes(x, y, left, top, width, height)
