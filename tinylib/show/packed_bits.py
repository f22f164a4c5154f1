"""Bits of a binary or ternary layer: how weights lie in words, and how a dot product becomes a count."""

from collections.abc import Sequence

from tinylib.formats import bits
from tinylib.show import svg

CELL = 26
MOST = (24, 8)  # weights of a row, rows
SIGNS = {-1: "−1", 0: "0", 1: "+1"}
FILL = {-1: "over_budget", 0: "panel", 1: "weights"}


def bit_matrix(weights: Sequence[Sequence[int]], inputs: Sequence[int] = (), row: int = 0) -> str:
    """SVG of a matrix (outputs, inputs) of -1, 0, +1 and the words it is packed into [text].

    With +-1 `inputs` the chosen row is held against them: matches, and the dot product they give.
    """
    n_out, n_in = len(weights), len(weights[0]) if len(weights) else 0
    if not (1 <= n_in <= MOST[0] and 1 <= n_out <= MOST[1] and all(len(r) == n_in for r in weights)):
        raise ValueError(f"weights must be 1..{MOST[1]} rows of 1..{MOST[0]} values, got {n_out} x {n_in}")
    if not 0 <= row < n_out:
        raise ValueError(f"row must be one of 0..{n_out - 1}, got {row}")
    flat = [int(w) for r in weights for w in r]
    width = 2 if 0 in flat else 1
    words = bits.pack(flat, width)
    kind = "Ternary" if width == 2 else "Binary"
    title = f"{kind} weights, {n_in} inputs to {n_out} outputs"
    size = f"{bits.packed_bytes(n_in * n_out, width)} B packed, {4 * n_in * n_out} B as FP32"
    parts = [
        svg.text(24, 34, title, size=18, bold=True),
        svg.text(24, 55, f"{size} (without biases)", "muted"),
    ]
    left, y = 76, 80
    spoken = f"{size}, without biases."
    if inputs:
        parts.append(svg.text(left - 10, y + 17, "x", "ink", 13, "end"))
        parts += _cells(left, y, inputs)
        agree = [int(a == b) for a, b in zip(inputs, weights[row])]
        y += CELL + 12
    for j, values in enumerate(weights):
        chosen = bool(inputs) and j == row
        parts.append(svg.text(left - 10, y + 17, f"w{j}", "ink", 13, "end", bold=chosen))
        parts += _cells(left, y, values)
        if chosen:
            parts.append(_frame(left, y, n_in))
        y += CELL + 4
    if inputs:
        said, drawn = _matches(agree, left, y + 4, width)
        parts += drawn
        spoken += f" {said}"
        y += CELL + 40
    parts.append(
        svg.text(
            24,
            y + 22,
            f"{len(words)} word{'s' * (len(words) > 1)} of 32 bits, weight 0 in the lowest bit",
            "muted",
            13,
        )
    )
    for k, word in enumerate(words):
        parts.append(svg.text(24, y + 46 + 22 * k, f"{word:032b}", "ink", 14))
        parts.append(svg.text(400, y + 46 + 22 * k, f"0x{word:08X}", "ink", 14, bold=True))
    spoken += " Words: " + ", ".join(f"0x{word:08X}" for word in words) + "."
    return svg.picture(title, spoken, "".join(parts), 720, y + 56 + 22 * len(words))


def _cells(left: float, y: float, values: Sequence[int]) -> list[str]:
    parts = []
    for i, value in enumerate(values):
        x = left + i * CELL
        parts.append(svg.rect(x, y, CELL - 2, CELL - 2, FILL[value], f"value {i}: {SIGNS[value]}"))
        parts.append(svg.text(x + CELL / 2 - 1, y + 17, "+" if value > 0 else "−" if value else "0",
                              "ink" if value == 0 else "page", 14, "middle", bold=True))  # fmt: skip
    return parts


def _frame(left: float, y: float, n: int) -> str:
    x, right = left - 3, left + n * CELL + 1
    return svg.outline([(x, y - 3), (right, y - 3), (right, y + CELL + 1), (x, y + CELL + 1)], "ink", 2)


def _matches(agree: Sequence[int], left: float, y: float, width: int) -> tuple[str, list[str]]:
    """The line of matches under the rows, and the sum that it gives."""
    if width == 2:
        said = "A ternary row adds, subtracts or skips each input: there is no XNOR."
        return said, [svg.text(24, y + 18, said, "ink", 13)]
    n, matches = len(agree), sum(agree)
    parts = [svg.text(left - 10, y + 17, "same", "ink", 13, "end")]
    for i, same in enumerate(agree):
        parts.append(
            svg.text(left + i * CELL + CELL / 2 - 1, y + 17, same, "ink", 14, "middle", bold=bool(same))
        )
    said = f"{matches} of {n} agree: dot = 2 x {matches} - {n} = {bits.dot_of_matches(matches, n)}."
    return said, [*parts, svg.text(24, y + 44, said, "ink", 14, bold=True)]
