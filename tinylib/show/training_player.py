"""A small network while it learns: what it answers everywhere, its weights and its error, at one step.

Two runs stand side by side. The answer over the plane of two inputs is drawn in bands, blue below one half,
orange above; the line between them is the decision boundary.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from tinylib.show import svg
from tinylib.units import shown

LOW, HIGH = -0.25, 1.25  # inputs drawn, along both axes
CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
BANDS = 5  # shades on either side of one half
SIDE = 216  # of a surface [px]

Grid = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Run:
    """One training run, looked at now and then; all sequences have an entry for each look.

    steps: samples seen [count]          error: mean squared error of the four cases
    weights: rows, the first `hidden` of each in the first layer
    surfaces: answers 0..1 over LOW..HIGH, a row for each second input, upwards
    corners: answers to 00, 01, 10, 11
    """

    steps: tuple[int, ...]
    error: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    surfaces: tuple[Grid, ...]
    corners: tuple[tuple[float, ...], ...]
    hidden: int

    def __post_init__(self) -> None:
        looks = {len(part) for part in (self.steps, self.error, self.weights, self.surfaces, self.corners)}
        if len(looks) != 1 or not self.steps:
            raise ValueError(f"a run must have one entry of each kind for every look, got {sorted(looks)}")


def training_frame(
    runs: Mapping[str, Run], frame: int = 0, targets: Sequence[float] = (0, 1, 1, 0), title: str = "Learning"
) -> str:
    """SVG of two runs at one look [text]: surface, weights and error; targets are those of 00, 01, 10, 11."""
    if len(runs) != 2:
        raise ValueError(f"runs must be two: they stand side by side, got {len(runs)}")
    a, b = runs.values()
    if a.steps != b.steps:
        raise ValueError("both runs must have been looked at after the same steps, got others")
    if isinstance(frame, bool) or not isinstance(frame, int) or not 0 <= frame < len(a.steps):
        raise ValueError(f"frame must lie in 0..{len(a.steps) - 1}, got {shown(frame)}")
    step = a.steps[frame]
    reach = math.ceil(max(abs(w) for run in (a, b) for row in run.weights for w in row) + 1e-9)
    parts = [svg.text(24, 34, f"{title}: {step:,} samples seen", size=18, bold=True)]
    parts.append(svg.text(674, 34, "orange: answer above one half", "muted", 12, "end"))
    spoken = []
    for left, (name, run) in zip((60, 412), runs.items()):
        right = sum((y > 0.5) == (t > 0.5) for y, t in zip(run.corners[frame], targets))
        parts.append(svg.text(left, 62, f"{name}: {right} of 4 right", size=14, bold=True))
        parts += [_surface(run, frame, targets, left), *_history(run, frame, left, reach)]
        answers = ", ".join(f"{y:.2f}" for y in run.corners[frame])
        row = run.weights[frame]
        spoken.append(
            f"{name}: {right} of 4 cases right, answers {answers} to 00, 01, 10, 11; squared error "
            f"{run.error[frame]:.3f}; weights from {min(row):.2f} to {max(row):.2f}"
        )
    return svg.picture(title, f"{step:,} samples seen. {'. '.join(spoken)}.", "".join(parts), 720, 668)


def _surface(run: Run, frame: int, targets: Sequence[float], left: float) -> str:
    axis = svg.Axis("input x", LOW, HIGH, ticks=(0, 0.5, 1))
    up = svg.Axis("input y", LOW, HIGH, ticks=(0, 0.5, 1))
    plot = svg.axes(axis, up, left=left, top=92, width=SIDE, height=SIDE)
    grid = run.surfaces[frame]
    cell = SIDE / len(grid)
    parts = [plot.body]
    for j, row in enumerate(grid):
        y, x = plot.top + plot.height - (j + 1) * cell, plot.left
        for band, cells in groupby(row, _band):
            width = cell * len(list(cells))
            box = [(x, y), (x + width, y), (x + width, y + cell), (x, y + cell)]
            role = "over_budget" if band > 0 else "weights"
            parts.append(svg.polygon(box, role, 0.15 + 0.75 * (abs(band) - 1) / (BANDS - 1)))
            x += width
    parts += [svg.line(*ends, "ink", 2) for ends in _boundary(grid, plot.left, plot.top, cell)]
    for (x, y), answer, target in zip(CORNERS, run.corners[frame], targets):
        at, height = plot.x(x), plot.y(y)
        mark = "right" if (answer > 0.5) == (target > 0.5) else "wrong"
        parts.append(svg.circle(at, height, 5, "ink", f"{x}{y}: {answer:.3f}, {mark}, target {target:g}"))
        parts.append(svg.rect(at - 22, height + 8, 44, 17, "page", radius=3))
        words = f"{answer:.2f} {'✓' if mark == 'right' else '✗'}"
        parts.append(svg.text(at, height + 21, words, "ink", 12, "middle"))
    return "".join(parts)


def _band(answer: float) -> int:
    """-BANDS..-1 below one half, 1..BANDS above."""
    away = min(BANDS, 1 + int(abs(answer - 0.5) * 2 * BANDS))
    return away if answer > 0.5 else -away


def _boundary(grid: Grid, left: float, top: float, cell: float) -> list[tuple[float, float, float, float]]:
    """Edges between cells on different sides of one half (x1, y1, x2, y2) [px]."""
    n, edges = len(grid), []
    for j, row in enumerate(grid):
        y = top + (n - 1 - j) * cell
        for i, answer in enumerate(row):
            x = left + i * cell
            if i + 1 < len(row) and (answer > 0.5) != (row[i + 1] > 0.5):
                edges.append((x + cell, y, x + cell, y + cell))
            if j + 1 < n and (answer > 0.5) != (grid[j + 1][i] > 0.5):
                edges.append((x, y, x + cell, y))
    return edges


def _history(run: Run, frame: int, left: float, reach: int) -> list[str]:
    """Weights and error up to this look."""
    until, last = run.steps[: frame + 1], run.steps[-1]
    across = svg.Axis("samples seen", 0, last, ticks=(0, last), words="{:,}".format)
    ticks = svg.Axis("weights", -reach, reach, ticks=(-reach, 0, reach))
    weights = svg.axes(replace(across, label=""), ticks, left=left, top=388, width=262, height=106)
    up = svg.Axis("squared error, four cases", 0, 0.5, ticks=(0, 0.25, 0.5))
    errors = svg.axes(across, up, left=left, top=552, width=262, height=68)
    parts = [weights.body, errors.body]
    for n, line in enumerate(zip(*run.weights[: frame + 1])):
        points = [(weights.x(s), weights.y(w)) for s, w in zip(until, line)]
        first = n < run.hidden
        dash = "" if first else "6 3"
        parts.append(svg.outline(points, "weights" if first else "over_budget", 1.6, dash, closed=False))
    parts.append(svg.text(left + 262, 376, "blue: hidden, dashed: output", "muted", 11, "end"))
    points = [(errors.x(s), errors.y(e)) for s, e in zip(until, run.error)]
    parts.append(svg.outline(points, "macs", 2.2, closed=False))
    parts.append(svg.circle(*points[-1], 3.5, "macs", f"squared error {run.error[frame]:.4f}"))
    return parts
