"""A map unrolled for a convolution: each output position becomes a row that holds what it reads."""

from tinylib.cost import planning
from tinylib.cost.layers import Conv2D
from tinylib.show import svg
from tinylib.units import shown

CELL, WIDE = 30, 24


def unrolled(side: int = 4, kernel: int = 3, position: int = 0) -> str:
    """SVG of a map of side x side numbered values beside its im2col matrix, one position marked [text].

    side: 2 to 5 [px]; kernel: at most side; position: row of the matrix, the last one if there are fewer
    """
    if not (2 <= side <= 5 and 1 <= kernel <= side):
        raise ValueError(
            f"side must be 2 to 5 and kernel at most side, got {shown(side)} and {shown(kernel)}"
        )
    outputs = side - kernel + 1
    at = min(max(position, 0), outputs**2 - 1)
    rows = [_reads(side, kernel, i) for i in range(outputs**2)]
    values = planning.im2col_elements(Conv2D(1, 1, kernel), (side, side, 1))
    title = "What im2col copies"
    note = f"{kernel} x {kernel} kernel over {side} x {side} values: {len(rows)} output positions"
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, note, "muted")]
    for value in range(side**2):
        x, y = 24 + CELL * (value % side), 100 + CELL * (value // side)
        parts.append(_cell(x, y, CELL, value, value in rows[at]))
    row, column = divmod(at, outputs)
    parts.append(svg.square(24 + CELL * column, 100 + CELL * row, CELL * kernel, "over_words"))
    parts += [svg.text(24, 90, "map", bold=True), svg.text(240, 90, "matrix", bold=True)]
    height = 22 if len(rows) <= 12 else 14
    for i, reads in enumerate(rows):
        for j, value in enumerate(reads):
            parts.append(_cell(240 + WIDE * j, 100 + height * i, WIDE, value, i == at, height))
    end = 100 + max(CELL * side, height * len(rows))
    fact = (
        f"{side**2} values become {len(rows)} x {kernel**2} = {values}: {values / side**2:.3g} times as many"
    )
    parts.append(svg.text(24, end + 32, fact, "ink", 14, bold=True))
    said = f"{note}. Row {at} of the matrix holds the values {', '.join(map(str, rows[at]))}. {fact}."
    return svg.picture(title, said, "".join(parts), 720 if kernel < 5 else 860, end + 52)


def _reads(side: int, kernel: int, position: int) -> list[int]:
    """Numbers of the values that one output position reads, row by row."""
    row, column = divmod(position, side - kernel + 1)
    return [(row + i) * side + column + j for i in range(kernel) for j in range(kernel)]


def _cell(x: float, y: float, width: float, value: int, marked: bool, height: float = 0) -> str:
    height = height or width
    box = svg.rect(x + 0.5, y + 0.5, width - 1, height - 1, "panel")
    if marked:
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        box += svg.polygon(corners, "weights", 0.3)
    role = "ink" if marked else "muted"
    return box + svg.text(x + width / 2, y + height / 2 + 4, value, role, 12, "middle", bold=marked)
