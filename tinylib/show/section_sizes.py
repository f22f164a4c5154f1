"""Where the bytes of a program are: stacked sections of several builds on one axis, with a limit to hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinylib.show import svg
from tinylib.units import format_quantity

ROLES = ("weights", "macs", "activations", "muted", "grid")
HATCHED = (1, 3)  # the second signal beside the colour: every other section
ROW = 46


@dataclass(frozen=True)
class Build:
    """One build: its name and how it was made, and the bytes of each section; `open_end` adds "or more"."""

    name: str
    note: str
    sections: Mapping[str, int]
    open_end: bool = False

    @property
    def bytes(self) -> int:
        """All sections together [bytes]."""
        return sum(self.sections.values())


def section_sizes(
    builds: Sequence[Build], limit: int = 0, memory: str = "flash", title: str = "Where the bytes are"
) -> str:
    """SVG of builds as bars of their sections [bytes], and an upright line at `limit` [bytes] (0: none)."""
    if not builds:
        raise ValueError("builds must hold at least one, got none")
    fullest = sorted(builds, key=lambda build: -len(build.sections))  # its order is that of the legend
    names = list(dict.fromkeys(section for build in fullest for section in build.sections))
    if len(names) > len(ROLES):
        raise ValueError(f"builds must have at most {len(ROLES)} kinds of sections, got {', '.join(names)}")
    most = max(1, limit, *(build.bytes for build in builds))
    axis = svg.Axis(f"{memory} [B]", 0, 1.36 * most)
    plot = svg.axes(axis, left=216, top=92, width=470, height=ROW * len(builds) + 6)
    parts = [svg.text(24, 34, title, size=18, bold=True), _legend(names), plot.body]
    tops = [plot.top + ROW * row + 8 for row in range(len(builds))]
    for build, y in zip(builds, tops):
        parts += _bar(build, names, plot, y)
    if limit:
        x = plot.x(limit)
        parts.append(svg.line(x, plot.top - 6, x, plot.top + plot.height, "ink", 2, "6 3"))
        parts.append(svg.text(x, plot.top - 10, f"limit {limit:,} B", "ink", 12, "middle", bold=True))
    for build, y in zip(builds, tops):
        x, words = plot.x(build.bytes) + 6, _total(build)
        over = bool(limit) and build.bytes > limit
        parts.append(svg.rect(x - 2, y + 6, 7.4 * len(words) + 4, 19, "page"))
        parts.append(svg.text(x, y + 20, words, "over_words" if over else "ink", 12, bold=True))
    said = "; ".join(_words(build, limit) for build in builds)
    return svg.picture(title, f"{memory}: {said}.", "".join(parts), 720, plot.top + plot.height + 52)


def _legend(names: Sequence[str]) -> str:
    parts, x = [], 24.0
    for n, name in enumerate(names):
        parts.append(_box(n, x, 47, 14, 14, name))
        parts.append(svg.text(x + 20, 59, name, "ink", 12))
        x += 36 + 6.4 * len(name)
    return "".join(parts)


def _box(n: int, x: float, y: float, width: float, height: float, hover: str) -> str:
    body = svg.rect(x, y, max(width, 0.5), height, ROLES[n], hover)
    return body + (svg.hatch(x, y, width, height) if n in HATCHED and width > 3 else "")


def _bar(build: Build, names: Sequence[str], plot: svg.Axes, y: float) -> list[str]:
    parts = [svg.text(206, y + 14, build.name, "ink", 13, "end", bold=True)]
    parts.append(svg.text(206, y + 30, build.note, "muted", 11, "end"))
    before = 0
    for n, name in enumerate(names):
        size = build.sections.get(name, 0)
        start, end = plot.x(before), plot.x(before + size)
        if size:
            parts.append(_box(n, start, y, end - start, 30, f"{build.name}, {name}: {size:,} B"))
        before += size
    return parts


def _total(build: Build) -> str:
    return f"{build.bytes:,} B{' or more' if build.open_end else ''}"


def _words(build: Build, limit: int) -> str:
    sections = ", ".join(f"{name} {size:,} B" for name, size in build.sections.items() if size)
    words = f"{build.name} ({build.note}) {_total(build)}: {sections}"
    if limit:
        over = build.bytes - limit
        share = format_quantity(100 * build.bytes / limit, digits=3)
        words += f", {over:,} B over the limit" if over > 0 else f", {share} % of the limit"
    return words
