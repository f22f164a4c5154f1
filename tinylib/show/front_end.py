"""A sound and the picture that a keyword detector sees: wave, frames and bands, beside what they cost."""

from collections.abc import Sequence

from tinylib.cost.models import Model
from tinylib.show import svg
from tinylib.show.theme import paint

SHADES = 8  # levels of grey that a picture is drawn in
LEFT, WIDE = 76, 360
GAP = 58  # between wave and picture, where the frames are marked
TOP, WAVE, HIGH = 84, 74, 200


def front_end(
    wave: Sequence[float],
    picture: Sequence[Sequence[float]],
    window: int,
    hop: int,
    rate_hz: int,
    model: Model,
    title: str = "What the network hears",
    most_macs: int = 0,
) -> str:
    """SVG of a wave (samples,), its picture (frames, bands) of 0..1, and the MACs of a model on it [text].

    window, hop: samples. The first three frames are marked under the wave. most_macs: end of the axis,
    so that it stays while a control moves; 0 lets it follow the model.
    """
    if not len(wave) or not len(picture) or not len(picture[0]):
        raise ValueError(f"a sound needs samples, frames and bands, got {len(wave)} and {len(picture)}")
    frames, bands, ms = len(picture), len(picture[0]), 1000 / rate_hz
    note = (
        f"{frames} frames of {window * ms:g} ms, one every {hop * ms:g} ms, {bands} bands: "
        f"{frames * bands:,} numbers for {len(wave):,} samples"
    )
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, note, "muted")]
    parts += [_wave(wave, rate_hz), _marks(len(wave), window, hop), _cells(picture, len(wave), window, hop)]
    top = TOP + WAVE + GAP
    plot = svg.axes(
        svg.Axis("time [s]", 0, len(wave) / rate_hz),
        svg.Axis("frequency [kHz]", 0, rate_hz / 2000),
        left=LEFT,
        top=top,
        width=WIDE,
        height=HIGH,
    )
    parts += [plot.body, _bars(model, top, most_macs)]
    work = ", ".join(f"{row.op} {row.macs:,}" for row in model.rows if row.macs)
    spoken = f"{note}. MACs of the network: {work}; together {model.macs:,}, the spectra not counted."
    return svg.picture(title, spoken, "".join(parts), 720, top + HIGH + 62)


def _wave(wave: Sequence[float], rate_hz: int) -> str:
    """The wave as the range of each column of two pixels."""
    columns, most = WIDE // 2, max(max(map(abs, wave)), 1e-9)
    parts, middle = [], TOP + WAVE / 2
    for k in range(columns):
        piece = wave[
            k * len(wave) // columns : max((k + 1) * len(wave) // columns, k * len(wave) // columns + 1)
        ]
        low, high = (middle - WAVE / 2 * v / most for v in (min(piece), max(piece)))
        parts.append(f"M{LEFT + 2 * k:d} {high:.1f}V{max(low, high + 1):.1f}")
    path = f'<path d="{"".join(parts)}" {paint("weights", "stroke")} stroke-width="1.6"/>'
    return path + svg.text(LEFT - 9, middle + 4, "sound", "ink", 12, "end")


def _marks(samples: int, window: int, hop: int) -> str:
    """The first three frames, each on a line of its own under the wave."""
    parts = []
    for k in range(min(3, 1 + (samples - window) // hop)):
        start, y = LEFT + WIDE * k * hop / samples, TOP + WAVE + 6 + 6 * k
        parts.append(svg.line(start, y, start + WIDE * window / samples, y, "over_budget", 3))
    return "".join([*parts, svg.text(LEFT - 9, TOP + WAVE + 16, "frames", "muted", 12, "end")])


def _cells(picture: Sequence[Sequence[float]], samples: int, window: int, hop: int) -> str:
    """The picture in SHADES tones: one path for each; a frame is drawn as wide as a hop, in its middle."""
    frames, bands = len(picture), len(picture[0])
    wide, high = WIDE * hop / samples, HIGH / bands
    first, top = LEFT + WIDE * (window - hop) / 2 / samples, TOP + WAVE + GAP
    paths: dict[int, list[str]] = {}
    for i in range(frames):
        for j in range(bands):
            shade = min(int(picture[i][j] * SHADES), SHADES - 1)
            x, y = first + i * wide, top + HIGH - (j + 1) * high
            paths.setdefault(shade, []).append(f"M{x:.1f} {y:.1f}h{wide:.1f}v{high:.1f}h-{wide:.1f}z")
    return "".join(
        f'<path d="{"".join(cells)}" {paint("weights")} fill-opacity="{shade / (SHADES - 1):.2f}"/>'
        for shade, cells in sorted(paths.items())
        if shade
    )


def _bars(model: Model, top: float, most_macs: int) -> str:
    """MACs of each layer that has some, as bars with their numbers."""
    rows = [row for row in model.rows if row.macs]
    axis = svg.Axis("MACs", 0, most_macs or 1.5 * max(row.macs for row in rows))
    plot = svg.axes(axis, left=480, top=TOP, width=220, height=top + HIGH - TOP)
    step = plot.height / len(rows)
    parts = [plot.body]
    for i, row in enumerate(rows):
        y, wide = TOP + step * i, plot.x(row.macs) - plot.left
        parts.append(svg.text(plot.left + 4, y + 18, row.op, "ink", 12))
        parts.append(svg.bar(plot.left, y + 24, wide, 24, "macs", hover=f"{row.macs:,} MACs"))
        parts.append(svg.text(plot.left + wide + 5, y + 41, f"{row.macs:,}", "ink", 11))
    return "".join(parts)
