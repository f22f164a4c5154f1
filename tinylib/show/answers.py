"""Where answers land: the right value of a question and its named mistakes, on one line by powers of ten."""

import math
from collections.abc import Sequence

from tinylib.show import svg
from tinylib.units import format_quantity

MOST = 5
_LINE = 76  # characters of a hint on one line


def answer_line(question: str, right: float, mistakes: Sequence[tuple[float, str]], unit: str) -> str:
    """SVG of the right value and (value, what to look at) of each mistake, above 0, in one unit [text]."""
    values = [right, *(value for value, _ in mistakes)]
    if len(mistakes) > MOST or min(values) <= 0:
        raise ValueError(f"a line takes values above 0 and at most {MOST} mistakes, got {values}")
    low, high = math.log10(min(values)) - 0.1, math.log10(max(values)) + 0.1  # a little room beyond the ends
    axis = svg.Axis(f"{unit}, by powers of ten", 10.0 ** math.floor(low), 10.0 ** math.ceil(high), log=True)
    plot = svg.axes(axis, left=40, top=118, width=640, height=26)
    title = "Where answers land"
    parts = [svg.text(24, 34, title, size=18, bold=True)]
    parts += [svg.text(24, 56 + 18 * i, line, "muted") for i, line in enumerate(_wrapped(question, 2))]
    parts.append(plot.body)
    y, spoken = plot.top + plot.height + 72, []
    for number, (value, hint) in enumerate([(right, "Right."), *mistakes]):
        x, mark, words = plot.x(value), number or "✓", format_quantity(float(value), unit, 4)
        top = plot.top - 4 - 15 * (number % 2)  # two heights, as neighbours may be close
        parts.append(svg.line(x, top, x, plot.top + 13, "muted"))
        parts.append(svg.circle(x, plot.top + 13, 6, "over_budget" if number else "macs", words))
        parts.append(svg.text(x, top - 4, mark, "ink", 13, "middle", bold=True))
        parts.append(svg.text(24, y, f"{mark}  {words}", "ink", 13, bold=True))
        for line in _wrapped(hint, 2):
            parts.append(svg.text(170, y, line, "ink", 13))
            y += 18
        y += 6
        spoken.append(f"{words}: {hint}")
    return svg.picture(title, f"{question} {' '.join(spoken)}", "".join(parts), 720, y)


def _wrapped(words: str, lines: int) -> list[str]:
    """Words on so many lines at most, broken between words."""
    found = [""]
    for word in words.split():
        if len(found[-1]) + len(word) > _LINE and len(found) < lines:
            found.append("")
        found[-1] += f"{word} "
    return found
