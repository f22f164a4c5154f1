"""A bearing heard: one window of vibration, and the spectrum in which its fault rates are looked for."""

from collections.abc import Mapping, Sequence
from math import ceil, floor

from tinylib.show import svg
from tinylib.show.curves import thinned
from tinylib.units import format_quantity

NEAR = 0.04  # a rate within this share of a peak, or a bin beside it, has found it
LEAST_DB = 6.0  # a peak stands this far above the middle of the levels


def bearing(
    title: str,
    signal: Sequence[svg.Point],
    levels: Sequence[svg.Point],
    marks: Mapping[str, float],
    view: str = "spectrum",
) -> str:
    """SVG of a signal (ms, g) over its levels (Hz, dB), with named rates [Hz] as upright lines [text]."""
    if len(signal) < 2 or len(levels) < 2:
        raise ValueError(f"a picture needs two points or more, got {len(signal)} and {len(levels)}")
    reach = max(0.5, ceil(2 * max(abs(g) for _, g in signal)) / 2)
    upper = svg.axes(
        svg.Axis("time [ms]", 0, signal[-1][0]),
        svg.Axis("acceleration [g]", -reach, reach),
        left=80, top=84, width=600, height=110,
    )  # fmt: skip
    low = 10 * floor(min(v for _, v in levels) / 10)
    high = max(10 * ceil(max(v for _, v in levels) / 10), low + 10)
    lower = svg.axes(
        svg.Axis("frequency [Hz]", 0, levels[-1][0]),
        svg.Axis("level [dB]", low, high),
        left=80, top=352, width=600, height=190,
    )  # fmt: skip
    name = f"{view} of the window" if view == "spectrum" else f"spectrum of its {view}"
    parts = [svg.text(24, 34, title, size=18, bold=True), upper.body, lower.body]
    parts.append(svg.text(24, 55, f"above one window; below the {name}, mean of several", "muted"))
    for plot, points in ((upper, signal), (lower, levels)):
        line = [(plot.x(a), plot.y(b)) for a, b in thinned(points)]
        parts.append(svg.outline(line, "weights", 1.6, closed=False))
    found = hits(levels, marks)
    shown = sorted((hz, mark) for mark, hz in marks.items() if hz <= levels[-1][0])
    for row, (hz, mark) in enumerate(shown, 1 - len(shown)):  # stairs: no line goes through the words before
        x, y = lower.x(hz), lower.top - 28 + 14 * row
        over_name = x < lower.left + 66  # the line stops above the name of the axis and goes on below it
        gap = (lower.top - 26, lower.top - 4) if over_name else ()
        ends = (y + 4, *gap, lower.top + lower.height)
        role = "over_budget" if mark in found else "muted"
        for begin, end in zip(ends[::2], ends[1::2]):
            parts.append(svg.line(x, begin, x, end, role, 2 if mark in found else 1, "4 3"))
        words, near_end = f"{mark} {format_quantity(hz, digits=3)}", x > lower.left + lower.width - 80
        place, anchor = (x - 4, "end") if near_end else (x + 4, "start")
        tone = "over_words" if mark in found else "muted"
        parts.append(svg.text(place, y + 4, words, tone, 12, anchor, mark in found))
    rates = ", ".join(f"{mark} {format_quantity(hz, 'Hz', 4)}" for mark, hz in marks.items())
    peak = max(levels, key=lambda p: p[1])
    said = f"{view}: highest at {format_quantity(peak[0], 'Hz', 3)}. Rates: {rates}. "
    said += f"A peak stands at {', '.join(found)}." if found else "No rate meets a peak."
    return svg.picture(title, said, "".join(parts), 720, 598)


def hits(levels: Sequence[svg.Point], marks: Mapping[str, float]) -> list[str]:
    """The rates that meet a peak: a level higher than its neighbours and LEAST_DB above the middle one.

    A peak goes to the rate next to it, no farther off than a bin or the share NEAR.
    """
    middle = sorted(v for _, v in levels)[len(levels) // 2]
    step = levels[1][0] - levels[0][0]
    found = set()
    for (_, a), (hz, b), (_, c) in zip(levels, levels[1:], levels[2:]):
        if b > a and b >= c and b > middle + LEAST_DB and marks:
            mark = min(marks, key=lambda m: abs(marks[m] - hz))
            if abs(marks[mark] - hz) <= max(step, NEAR * marks[mark]):
                found.add(mark)
    return [m for m in marks if m in found]
