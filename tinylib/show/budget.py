"""A budget and what a network takes of it: bars beside each limit, and all limits at once as a radar."""

import math
from collections.abc import Mapping, Sequence

from tinylib.show import svg

Row = tuple[str, float, float, str]  # name, used, limit, unit
MOST = 2.0  # share of a limit where a bar or a spoke ends
LOOKS = (("weights", ""), ("macs", "7 4"), ("activations", "2 3"))  # colour and dash of each radar line


def dashboard(
    rows: Sequence[Row], reached: float | None, goal: float, title: str = "Budget", note: str = ""
) -> str:
    """SVG of the share used of each limit, and of an accuracy beside its goal, both in per cent [text]."""
    if not rows:
        raise ValueError("rows must hold at least one limit, got none")
    left, top, width, step = 130, 84, 330, 46
    count = len(rows) + (reached is not None)
    field = svg.axes(
        svg.Axis("share of the limit [%]", 0, 100 * MOST, ticks=(0, 50, 100, 150, 200)),
        left=left,
        top=top,
        width=width,
        height=step * count,
    )
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, note, "muted"), field.body]
    spoken = []
    for place, (name, used, limit, unit) in enumerate(rows):
        share = used / limit if limit else math.inf
        words = f"{used:,} of {limit:,} {unit}".rstrip()
        verdict = "kept" if share <= 1 else f"{100 * (share - 1):.0f} % over"
        parts += _bar(field, place, step, name, share, share > 1, words, verdict)
        spoken.append(f"{name} {words}, {verdict}")
    if reached is not None:
        words, missed = f"{reached:.1f} % of {goal:g} %", reached < goal
        verdict = f"{goal - reached:.1f} points short" if missed else "reached"
        parts += _bar(field, len(rows), step, "Accuracy", reached / max(goal, 1e-9), missed, words, verdict)
        spoken.append(f"Accuracy {words} asked, {verdict}")
    parts.append(svg.line(field.x(100), top - 8, field.x(100), top + step * count, "ink", 2))
    said = f"{note.removesuffix('.')}. " if note else ""
    return svg.picture(title, f"{said}{'; '.join(spoken)}.", "".join(parts), 720, top + step * count + 62)


def _bar(
    field: svg.Axes, place: int, step: int, name: str, share: float, bad: bool, words: str, verdict: str
) -> list[str]:
    """One limit: its name, a bar, the numbers, and in words whether it is kept."""
    y = field.top + step * place + 8
    length = field.width * min(share, 10) / MOST
    return [
        svg.text(field.left - 10, y + 20, name, "ink", 13, "end"),
        svg.bar(field.left, y, length, 28, "in_budget", field.width, bad, f"{name}: {words}, {verdict}"),
        svg.text(field.left + field.width + 16, y + 12, words, "ink", 12),
        svg.text(
            field.left + field.width + 16,
            y + 28,
            verdict,
            "over_words" if bad else "fit_words",
            12,
            bold=True,
        ),
    ]


def radar(networks: Mapping[str, Mapping[str, float]], title: str = "Limits used", note: str = "") -> str:
    """SVG of up to three networks over the same limits: shares used, where 1 is the whole of a limit [text].

    The drawn ring is 1: a network fits when its line stays inside. Spokes end at 2.
    """
    if not 1 <= len(networks) <= len(LOOKS):
        raise ValueError(f"networks must be one to {len(LOOKS)}, got {len(networks)}")
    names = list(next(iter(networks.values())))
    if len(names) < 3 or any(list(shares) != names for shares in networks.values()):
        raise ValueError(f"every network must have the same three or more limits, got {names}")
    x, y, one = 275.0, 230.0, 72.0
    turns = [2 * math.pi * k / len(names) - math.pi / 2 for k in range(len(names))]
    place = lambda share, turn: (  # noqa: E731 - a point on a spoke
        x + one * min(share, MOST) * math.cos(turn),
        y + one * min(share, MOST) * math.sin(turn),
    )
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, note, "muted")]
    for ring, role, width in ((0.5, "grid", 1), (1.5, "grid", 1), (MOST, "grid", 1), (1.0, "ink", 2)):
        parts.append(svg.outline([place(ring, turn) for turn in turns], role, width=width))
    for name, turn in zip(names, turns):
        end = place(MOST, turn)
        parts.append(svg.line(x, y, *end, "grid"))
        across, down = math.cos(turn), math.sin(turn)
        anchor = "middle" if abs(across) < 0.3 else "start" if across > 0 else "end"
        parts.append(svg.text(end[0] + 10 * across, end[1] + 4 + 14 * down, name, "ink", 13, anchor))
    parts.append(svg.text(place(1, turns[0])[0] + 6, place(1, turns[0])[1] - 5, "limit", "muted", 12))
    spoken = []
    for row, ((network, shares), (role, dash)) in enumerate(zip(networks.items(), LOOKS)):
        corners = [place(share, turn) for share, turn in zip(shares.values(), turns)]
        parts.append(svg.outline(corners, role, width=3, dash=dash))
        said = ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())
        parts += [svg.circle(*corner, 4, role, f"{network}: {said}") for corner in corners]
        over = [name for name, share in shares.items() if share > 1]
        verdict = f"over: {', '.join(over)}" if over else "inside every limit"
        parts.append(svg.line(490, 130 + 52 * row, 530, 130 + 52 * row, role, 3, dash))
        parts.append(svg.text(490, 120 + 52 * row, network, "ink", 13))
        parts.append(svg.text(538, 134 + 52 * row, verdict, "over_words" if over else "fit_words", 12))
        spoken.append(f"{network}: {said}; {verdict}")
    return svg.picture(title, f"{' '.join(f'{s}.' for s in spoken)}", "".join(parts), 720, 420)
