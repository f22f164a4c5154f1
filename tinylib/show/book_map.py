"""The book as a map: lessons in the order of what they need, with rings for what is done; and as a table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from textwrap import wrap

from tinylib.show import svg
from tinylib.show.layered import layout

WIDE, HIGH = 104, 80  # of a lesson's place [px]
RING, TOP = 15, 124  # radius of a lesson, middle of the first row [px]


@dataclass(frozen=True)
class Stop:
    """A lesson or an assignment: its right and all questions [count], and where its page is.

    number: as in "03" or "a02"; needs: numbers of lessons; tasks: numbers of assignments that it opens
    """

    number: str
    title: str
    right: int
    asks: int
    minutes: int
    needs: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    link: str = ""

    @property
    def name(self) -> str:
        """Number and title of a lesson; an assignment's title has its number."""
        return f"{self.number} {self.title}" if self.number.isdigit() else self.title

    @property
    def share(self) -> float:
        """Right questions of all, 0..1 [ratio]."""
        return self.right / self.asks

    @property
    def state(self) -> str:
        """done, begun or open."""
        return "done" if self.right == self.asks else "begun" if self.right else "open"


def book_map(lessons: Sequence[Stop], tasks: Sequence[Stop] = (), here: str = "") -> str:
    """SVG of the lessons from left to right, an arrow from each to what needs it [text].

    tasks: the assignments that lessons name; here: number of the lesson to go on with
    """
    gates = [s.number for s in lessons if _needs_all(s, lessons)]
    free = {s.number: s for s in lessons if s.number not in gates}
    placed = layout({n: tuple(need for need in s.needs if need in free) for n, s in free.items()})
    rows, last = max(row for _, row in placed.places.values()), max(c for c, _ in placed.places.values())
    places = {**placed.places, **{n: (last + 1.1 + i, rows / 2) for i, n in enumerate(gates)}}

    def at(point: tuple[int, float]) -> tuple[float, float]:
        return 24 + WIDE * (point[0] + 0.5), TOP + HIGH * point[1]

    parts = [_head(lessons, tasks)]
    parts += [_arrow([at(p) for p in way]) for way in placed.ways]
    for stop in lessons:
        x, y = at(places[stop.number])
        parts.append(_gate(x, y, stop) if stop.number in gates else "")
        own = [t for t in tasks if t.number in stop.tasks]
        parts.append(_stop(x, y, stop, own, stop.number == here))
    width = 48 + WIDE * (1 + max(column for column, _ in places.values()))
    title, said = "Map of the book", " ".join([_summary(lessons, tasks), *(_said(s, here) for s in lessons)])
    return svg.picture(title, said, "".join(parts), max(width, 480), TOP + HIGH * rows + 62)


def _needs_all(stop: Stop, lessons: Sequence[Stop]) -> bool:
    """Whether it needs all before it but the first: then one mark says so, in place of many arrows."""
    before = [s.number for s in lessons[1 : list(lessons).index(stop)]]
    return len(before) > 2 and set(before) <= set(stop.needs)


def _summary(lessons: Sequence[Stop], tasks: Sequence[Stop]) -> str:
    done = sum(s.state == "done" for s in lessons)
    said = f"{done} of {len(lessons)} lessons done"
    return (
        f"{said}, {sum(t.state == 'done' for t in tasks)} of {len(tasks)} assignments."
        if tasks
        else f"{said}."
    )


def _said(stop: Stop, here: str) -> str:
    needs = f" after {', '.join(stop.needs)}" if stop.needs else ""
    mark = " Go on here." if stop.number == here else ""
    return f"{stop.name}{needs}: {stop.state}, {stop.right} of {stop.asks} right.{mark}"


def _head(lessons: Sequence[Stop], tasks: Sequence[Stop]) -> str:
    words = "ring: questions right, of all; arrow: from a lesson to those that need it"
    words += "; box: an assignment it opens" if tasks else ""
    parts = [svg.text(24, 34, "Map of the book", size=18, bold=True)]
    parts.append(svg.text(24, 55, _summary(lessons, tasks).rstrip("."), "muted"))
    return "".join([*parts, svg.text(24, 73, words, "muted", 12)])


def _arrow(points: Sequence[svg.Point]) -> str:
    """A smooth line through its points, level at each of them, with a head at the end."""
    ends = [(points[0][0] + RING + 3, points[0][1]), *points[1:-1], (points[-1][0] - RING - 5, points[-1][1])]
    line = [ends[0]]
    for (x1, y1), (x2, y2) in pairwise(ends):
        steps = (i / 12 for i in range(1, 13))
        line += [(x1 + (x2 - x1) * t, y1 + (y2 - y1) * t * t * (3 - 2 * t)) for t in steps]
    x, y = ends[-1]
    return svg.outline(line, "muted", 1, closed=False) + svg.polygon(
        [(x + 3, y), (x - 4, y - 3.5), (x - 4, y + 3.5)], "muted"
    )


def _gate(x: float, y: float, stop: Stop) -> str:
    """A bar with an arrow: everything before it."""
    left, words = x - WIDE / 2, f"{min(stop.needs)} to {max(stop.needs)}"
    bar = svg.line(left, y - 36, left, y + 36, "muted", 2)
    return bar + _arrow([(left - RING, y), (x, y)]) + svg.text(left, y + 52, words, "muted", 11, "middle")


def _stop(x: float, y: float, stop: Stop, tasks: Sequence[Stop], here: bool) -> str:
    hover = f"{stop.name}: {stop.right} of {stop.asks} right, {stop.minutes} min"
    parts = [svg.circle(x, y, RING + 6, "weights"), svg.circle(x, y, RING + 4, "page")] if here else []
    parts.append(
        svg.circle(x, y, RING + 2, "page") + svg.circle(x, y, RING, "grid") + _ring(x, y, stop.share)
    )
    parts.append(svg.circle(x, y, RING - 4, "page", hover))
    parts.append(svg.text(x, y + 4.5, stop.number, "ink", 12, "middle", bold=True))
    parts.append(_tick(x + 11, y + 10) if stop.state == "done" else "")
    half = len(tasks) // 2  # one stands to the right of the ring, two on either side of it
    for i, task in enumerate(tasks):
        aside = -RING - 31 * (half - i) if i < half else RING + 3 + 31 * (i - half)
        parts.append(_task(x + aside, y - RING - 8, task))
    words = wrap(stop.title.split(":")[0], 16)
    for i, line in enumerate(words):
        wide = 6.1 * len(line)
        parts.append(svg.rect(x - wide / 2, y + RING + 4 + 13 * i, wide, 13, "page"))
        parts.append(svg.text(x, y + RING + 15 + 13 * i, line, "ink", 12, "middle", bold=here))
    return "".join(parts)


def _ring(x: float, y: float, share: float) -> str:
    """The part of the ring that is done, clockwise from the top."""
    if not share:
        return ""
    turns = [2 * math.pi * share * i / 24 for i in range(25)]
    points = [(x + (RING - 2) * math.sin(t), y - (RING - 2) * math.cos(t)) for t in turns]
    return svg.outline(points, "macs", 4, closed=False)


def _tick(x: float, y: float) -> str:
    """A tick on a disc: done, without a colour."""
    mark = svg.outline([(x - 3, y), (x - 0.5, y + 3), (x + 3.5, y - 3)], "page", 2, closed=False)
    return svg.circle(x, y, 7.5, "page") + svg.circle(x, y, 6.5, "macs") + mark


def _task(x: float, y: float, task: Stop) -> str:
    """A box with its number: filled from the left as far as it is done, ticked at the end."""
    hover = f"{task.title}: {task.right} of {task.asks} done"
    box = svg.rect(x, y, 28, 15, "panel", hover, 3) + svg.outline(
        [(x, y), (x + 28, y), (x + 28, y + 15), (x, y + 15)], "muted", 1
    )
    bar = svg.rect(x, y + 12, 28 * task.share, 3, "macs") if task.right else ""
    tick = _tick(x + 28, y) if task.state == "done" else ""
    return box + bar + svg.text(x + 14, y + 11, task.number, "ink", 11, "middle") + tick


STYLE = """
.t-book{font:14px/1.5 system-ui,sans-serif}.t-book :is(p,li,table){max-width:52em}
.t-book table.t-stops{border-collapse:collapse;table-layout:auto;width:100%;margin:0 0 1em;font-size:inherit}
.t-book .t-stops tr>*{text-align:left;font-weight:400;padding:.2em .8em;max-width:none}
.t-book .t-stops tr>*{border-bottom:1px solid #8886}.t-book .t-stops tr>:first-child{width:60%}
.t-book .t-stops tr:first-child>*{font-weight:600}
.t-book caption{text-align:left;font-weight:600;padding:.4em 0}
.t-book summary{cursor:pointer;padding:.3em 0}
"""


def book_table(stops: Sequence[Stop], caption: str) -> str:
    """The same as a table with links: page, state, questions right, minutes [text]."""
    heads = "".join(f"<th scope='col'>{h}</th>" for h in ("page", "state", "right", "minutes"))
    rows = "".join(
        f"<tr><th scope='row'><a href='{escape(s.link)}'>{escape(s.name)}</a></th><td>{s.state}</td>"
        f"<td>{s.right} of {s.asks}</td><td>{s.minutes}</td></tr>"
        for s in stops
    )
    return f"<table class='t-stops'><caption>{escape(caption)}</caption><tr>{heads}</tr>{rows}</table>"
