"""Figures of a class: how the points are spread, and how hard each question was."""

import math
from collections.abc import Sequence

from tinylib.show import svg

WIDTH, LEFT = 720, 60
ROW, NAMES, BAR = 30, 250, 300  # height of a question's row, where its bar begins and how long it may be [px]


def spread(points: Sequence[float], most: float) -> str:
    """SVG: how many students have how many points, in at most sixteen steps, and the median [text]."""
    step = _step(most)
    bins = max(1, math.ceil(most / step - 1e-9))
    counts = [0] * bins
    for value in points:
        counts[min(max(int(value / step + 1e-9), 0), bins - 1)] += 1
    middle = median(points)
    y = svg.Axis("students", 0, max(4, 1.08 * max(counts)), words=lambda v: f"{v:g}")
    x = svg.Axis(
        "points", 0, bins * step, ticks=tuple(step * i for i in range(bins + 1)), words=lambda v: f"{v:g}"
    )
    plot = svg.axes(x, y, left=LEFT, top=76, width=WIDTH - LEFT - 24, height=180)
    body = svg.text(24, 34, "Points in the class", size=18, bold=True) + plot.body
    for index, count in enumerate(counts):
        if count:
            start, end = plot.x(index * step), plot.x((index + 1) * step)
            said = f"{count} students from {index * step:g} to {(index + 1) * step:g} points"
            body += svg.rect(
                start + 1, plot.y(count), end - start - 2, plot.y(0) - plot.y(count), "weights", said
            )
    if points:
        at = plot.x(middle)
        body += svg.line(at, plot.top, at, plot.y(0), "ink", 2, "5 4")
        anchor = "end" if at > WIDTH / 2 else "start"
        body += svg.text(
            at + (-6 if anchor == "end" else 6), plot.top + 12, f"median {middle:.3g}", anchor=anchor
        )
    told = ", ".join(f"{c} from {i * step:g}" for i, c in enumerate(counts) if c)
    words = (
        f"{len(points)} students, median {middle:.3g} of {most:g} points. Students by step: {told or 'none'}."
    )
    return svg.picture("Points in the class", words, body, WIDTH, 316)


def _step(most: float) -> float:
    """The width of a step [points]: 0.5, 1, 2, 5 ... with at most sixteen of them."""
    sizes = (f * 10**e for e in range(-3, 9) for f in (1, 2, 5))
    return next(size for size in sizes if size >= min(0.5, most) and most / size <= 16)


def median(values: Sequence[float]) -> float:
    """The middle value, 0 for none."""
    ordered, n = sorted(values), len(values)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2 if n else 0.0


def difficulty(rows: Sequence[tuple[str, float, float]]) -> str:
    """SVG: for each (question, share of points, share of students with full marks) a bar [text].

    What of a bar lies beyond its mark was earned by answers that were right in part.
    """
    top = 66
    body = svg.text(24, 34, "Questions by difficulty", size=18, bold=True)
    body += svg.text(NAMES, 56, "share of the points earned [%]", "muted", 12)
    for index, (name, share, right) in enumerate(rows):
        y = top + ROW * index
        hover = f"{name}: {share:.0%} of the points, {right:.0%} fully right"
        body += svg.text(NAMES - 10, y + 17, _cut(name, 34), anchor="end")
        body += svg.rect(NAMES, y + 4, BAR, 18, "panel")
        body += svg.bar(NAMES, y + 4, BAR * share, 18, "in_budget", over=right < 0.5, hover=hover)
        at = NAMES + BAR * right
        body += svg.line(at, y + 1, at, y + 25, "ink", 3)
        body += svg.text(NAMES + BAR + 12, y + 17, f"{share:.0%} · {right:.0%} fully", "muted", 12)
    words = "; ".join(f"{name} {share:.0%}, fully right {right:.0%}" for name, share, right in rows)
    return svg.picture(
        "Questions by difficulty",
        f"{words}. Hatched: fewer than half fully right.",
        body,
        WIDTH,
        top + ROW * len(rows) + 12,
    )


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"
