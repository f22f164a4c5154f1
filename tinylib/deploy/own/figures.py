"""Pictures of a run: confusion matrix, budget bars, training curves, and scores with their threshold."""

from collections.abc import Mapping, Sequence

import numpy as np

from tinylib.deploy.measure import Limits
from tinylib.deploy.own.checking import Taken
from tinylib.deploy.own.choose import interval
from tinylib.show import svg
from tinylib.show.curves import curves
from tinylib.units import format_bytes

Array = np.ndarray
CELL = 84


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


def confusion(y: Array, guess: Array, classes: Sequence[str]) -> str:
    """SVG: rows are what a window is, columns what the program says; shares of each row [text]."""
    n = len(classes)
    table = np.zeros((n, n), int)
    np.add.at(table, (y, guess), 1)
    totals = np.maximum(table.sum(axis=1), 1)
    cell = min(CELL, 460 // n)
    left, top = 190, 92
    title = "What it is, and what the program says"
    parts = [svg.text(24, 34, title, size=18, bold=True)]
    parts.append(svg.text(24, 55, "share of each row [%]; right is on the diagonal", "muted"))
    most = max(3, int(cell / 7.5))
    for k, name in enumerate(classes):
        parts.append(svg.text(left - 10, top + cell * k + cell / 2 + 5, _cut(name, 22), "ink", 13, "end"))
        parts.append(svg.text(left + cell * (k + 0.5), top - 10, _cut(name, most), "muted", 12, "middle"))
    spoken = []
    for i in range(n):
        for k in range(n):
            share = table[i, k] / totals[i]
            x, y0, hover = left + cell * k, top + cell * i, f"{classes[i]} called {classes[k]}: {table[i, k]}"
            parts.append(svg.rect(x, y0, cell - 2, cell - 2, "panel", hover))
            if table[i, k]:
                role = "weights" if i == k else "over_budget"
                high = max(2.0, (cell - 2) * share)
                parts.append(svg.rect(x, y0 + cell - 2 - high, 8, high, role, hover))
            words = f"{100 * share:.0f}" if cell >= 26 else ""
            middle, ink = (x + cell / 2 + 3, y0 + cell / 2 + 4), "ink" if table[i, k] else "muted"
            parts.append(svg.text(*middle, words, ink, 13, "middle", i == k))
        wrong = [f"{table[i, k]} called {classes[k]}" for k in range(n) if k != i and table[i, k]]
        said = f"{classes[i]}: {table[i, i]} of {table[i].sum()} right"
        spoken.append(f"{said}, {', '.join(wrong)}" if wrong else said)
    parts.append(svg.text(left + n * cell + 12, top - 10, "windows", "muted", 12))
    for i in range(n):
        parts.append(
            svg.text(left + n * cell + 12, top + cell * i + cell / 2 + 5, f"{table[i].sum():,}", "muted", 12)
        )
    return svg.picture(title, "; ".join(spoken) + ".", "".join(parts), 720, top + n * cell + 20)


def budgets(taken: Taken, limits: Limits) -> str:
    """SVG: flash, RAM and time of what there is, as shares [text]."""
    ms = taken.latency_ms(limits.clock_hz)
    about = "" if taken.measured else "about "
    rows = [
        ("flash", taken.flash, limits.flash_bytes, f"{about}{format_bytes(taken.flash)}", "weights"),
        ("RAM", taken.ram, limits.ram_bytes, f"{about}{format_bytes(taken.ram)}", "activations"),
    ]
    if limits.latency_ms is not None:
        rows.append(
            ("time", ms, limits.latency_ms, f"{about}{ms:.3g} ms of {limits.latency_ms:g} ms", "macs")
        )
    axis = svg.Axis("share of the limit [%]", 0, 100, ticks=(0, 25, 50, 75, 100))
    plot = svg.axes(axis, left=90, top=76, width=330, height=46 * len(rows))
    parts, spoken = [], []
    for i, (name, used, most, words, role) in enumerate(rows):
        y, share = plot.top + 8 + 46 * i, used / most
        words = words if "of" in words.split() else f"{words} of {format_bytes(int(most))}"
        over = share > 1
        parts.append(svg.text(24, y + 20, name, "ink", 13, bold=True))
        parts.append(
            svg.bar(plot.left, y, plot.width * min(share, 10), 30, role, plot.width, over, f"{name}: {words}")
        )
        parts.append(svg.text(436, y + 13, words, "ink", 13))
        mark = "▲ over the limit" if over else f"✓ {100 * share:.0f} % of the limit"
        parts.append(svg.text(436, y + 29, mark, "over_words" if over else "fit_words", 12))
        spoken.append(f"{name}: {words}")
    title = "Share of the limits"
    note = "measured" if taken.measured else "estimated: no cross compiler here"
    note += f"; {taken.instructions:,} instructions a window, {ms:.3g} ms at {limits.clock_hz / 1e6:g} MHz"
    head = svg.text(24, 34, title, size=18, bold=True) + svg.text(24, 55, note, "muted")
    body = head + plot.body + "".join(parts)
    return svg.picture(title, f"{note}. {'; '.join(spoken)}.", body, 720, plot.top + plot.height + 54)


def learning(scores: Mapping[str, Sequence[float]]) -> str:
    """SVG: score on the part to choose by after each epoch, for up to five networks [text]."""
    shown = {name: s for name, s in list(scores.items())[-5:] if s}
    most = max(len(s) for s in shown.values())
    series = {name: [(i + 1, 100 * v) for i, v in enumerate(s)] for name, s in shown.items()}
    return curves(
        "Learning",
        svg.Axis("epoch", 0, max(most, 2)),
        svg.Axis("right on the part to choose by [%]", 0, 100),
        series,
    )


def alarms(scores: Array, threshold: int, share: float) -> str:
    """SVG: how often each anomaly score came on normal windows, and the threshold [text]."""
    top = max(float(scores.max()), threshold) * 1.1 + 1
    counts, ends = np.histogram(scores, 30, (0, top))
    x, y = svg.Axis("anomaly score", 0, top), svg.Axis("windows", 0, max(float(counts.max()), 1.0) * 1.05)
    plot = svg.axes(x, y, left=80, top=96, width=600, height=220)
    title = f"{100 * share:.1f} % false alarms on normal windows never seen"
    parts = [
        svg.text(24, 34, title, size=18, bold=True),
        svg.text(24, 55, "hatched: an alarm", "muted"),
        plot.body,
    ]
    for count, a, b in zip(counts.tolist(), ends[:-1], ends[1:]):
        if count:
            wide, high = plot.x(b) - plot.x(a) - 1, plot.y(0) - plot.y(count)
            odd = bool(a >= threshold)
            parts.append(
                svg.rect(
                    plot.x(a), plot.y(count), wide, high, "over_budget" if odd else "weights", f"{count}"
                )
            )
            parts += [svg.hatch(plot.x(a), plot.y(count), wide, high)] * odd
    parts.append(
        svg.line(plot.x(threshold), plot.top, plot.x(threshold), plot.top + plot.height, "ink", 2, "5 4")
    )
    left = threshold > 0.7 * top
    at = plot.x(threshold) + (-6 if left else 6)
    parts.append(
        svg.text(at, plot.top + 12, f"threshold {threshold:,}", "ink", 12, "end" if left else "start")
    )
    spoken = (
        f"{len(scores):,} windows, scores from {scores.min():,} to {scores.max():,}, threshold {threshold:,}."
    )
    return svg.picture(title, spoken, "".join(parts), 720, 380)


def signals(x: Array, y: Array, classes: Sequence[str], channel: str, rate_hz: float | None) -> str:
    """SVG: the first window (n, time) of up to five classes, one channel [text]."""
    first = [(name, x[np.flatnonzero(y == k)[0]]) for k, name in enumerate(classes) if (y == k).any()][:5]
    step = 1 / rate_hz if rate_hz else 1.0
    low, high = (float(f([f(v) for _, v in first])) for f in (min, max))
    series = {name: [(i * step, float(v)) for i, v in enumerate(values)] for name, values in first}
    across = svg.Axis("time [s]" if rate_hz else "sample", 0, x.shape[1] * step)
    up = svg.Axis(channel, low, high if high > low else low + 1)
    return curves(f"One window of each class, {channel}", across, up, series)


def interval_bars(windows: int = 40, right: int = 90) -> str:
    """SVG: what accuracy a test part leaves possible, and one of 4 and 16 times as many windows [text]."""
    plot = svg.axes(svg.Axis("accuracy [%]", 0, 100), left=150, top=76, width=520, height=150)
    spoken, parts = [], []
    for i, n in enumerate((windows, 4 * windows, 16 * windows)):
        good = round(n * right / 100)
        low, high, _ = interval(np.arange(n) < good, None)
        y = plot.top + 14 + 46 * i
        parts.append(svg.text(138, y + 17, f"{n:,} windows", "ink", 13, "end"))
        a, b = plot.x(100 * low), plot.x(100 * high)
        said = f"{n:,} windows: {100 * low:.0f} to {100 * high:.0f} %"
        parts.append(svg.rect(a, y, max(b - a, 2), 24, "weights", said))
        at = plot.x(100 * good / n)
        parts.append(svg.line(at, y - 4, at, y + 28, "ink", 2))
        parts.append(svg.text(a - 6, y + 17, f"{100 * low:.0f}", "ink", 12, "end"))
        parts.append(svg.text(b + 6, y + 17, f"{100 * high:.0f}", "ink", 12))
        spoken.append(said)
    title = f"{right} % right: what may be true (95 % interval)"
    head = svg.text(24, 34, title, size=18, bold=True) + svg.text(
        24, 55, "as if each window stood alone", "muted"
    )
    body = head + plot.body + "".join(parts)
    return svg.picture(title, "; ".join(spoken) + ".", body, 720, plot.top + plot.height + 56)
