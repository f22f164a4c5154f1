"""Small grey images, pixel by pixel: what a network is shown, and what is left of it after a rounding."""

from collections.abc import Mapping, Sequence

from tinylib.show import svg
from tinylib.units import real

Rows = Sequence[Sequence[float]]  # (height, width), 0 empty, 1 filled


def pixel_grid(rows: Rows, left: float, top: float, side: float) -> str:
    """SVG parts of an image `side` pixels wide with its corner at (left, top), in a frame [text].

    rows: (height, width) in [0..1], 0 the colour of the page and 1 that of ink
    """
    widths = {len(row) for row in rows}
    if len(widths) != 1 or not widths.copy().pop():
        raise ValueError(f"rows must have one width above 0, got widths {sorted(widths)}")
    cell, parts = side / widths.pop(), []
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if not 0 <= real("each pixel", value) <= 1:
                raise ValueError(f"each pixel must lie in [0..1], got {value!r}")
            x, y = left + j * cell, top + i * cell
            corners = ((x, y), (x + cell, y), (x + cell, y + cell), (x, y + cell))
            parts.append(svg.polygon(corners, "ink", round(value, 2)) if value >= 0.005 else "")
    end, bottom = left + side, top + cell * len(rows)
    parts.append(svg.outline([(left, top), (end, top), (end, bottom), (left, bottom)], "muted", 1))
    return "".join(parts)


def images(title: str, pictures: Mapping[str, Rows], note: str = "") -> str:
    """SVG of up to four small images side by side, each with its name under it [text]."""
    if not 1 <= len(pictures) <= 4:
        raise ValueError(f"pictures must hold 1 to 4 images, got {len(pictures)}")
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, note, "muted")]
    spoken, low = [], 0.0
    for i, (name, rows) in enumerate(pictures.items()):
        left = 24 + 172 * i
        parts.append(pixel_grid(rows, left, 78, 148))
        bottom = 78 + 148 * len(rows) / len(rows[0])
        parts.append(svg.text(left, bottom + 20, name, "ink", 13))
        filled = sum(value > 0.5 for row in rows for value in row)
        spoken.append(f"{name}: {filled} of {len(rows) * len(rows[0])} pixels filled")
        low = max(low, bottom)
    said = f"{note.removesuffix('.')}. " if note else ""
    return svg.picture(title, f"{said}{'; '.join(spoken)}.", "".join(parts), 720, low + 40)
