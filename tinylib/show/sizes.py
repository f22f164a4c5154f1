"""Whole network objects side by side: what training, inference and the bare parameters take."""

from collections.abc import Sequence

from tinylib.cost.footprint import Network, SizeRow, size_table
from tinylib.show import svg
from tinylib.units import format_bytes, format_quantity

KINDS = ("mlp", "elman", "lstm", "gru", "kan")


def size_rows(
    inputs: int = 2, hidden: int = 3, outputs: int = 1, weights: str = "Q8.8", pointer_bytes: int = 4
) -> tuple[SizeRow, ...]:
    """A row for each architecture of the same widths, which is what makes them comparable."""
    networks = [Network(kind, inputs, hidden, outputs, weights=weights) for kind in KINDS]
    return size_table(networks, pointer_bytes)


def sizes(
    inputs: int = 2, hidden: int = 3, outputs: int = 1, weights: str = "Q8.8", pointer_bytes: int = 4
) -> str:
    """SVG of five architectures of one width: trainable object, inference object, parameters alone [text]."""
    return _size_bars(size_rows(inputs, hidden, outputs, weights, pointer_bytes), weights, pointer_bytes)


def _size_bars(rows: Sequence[SizeRow], weights: str, pointer_bytes: int) -> str:
    """The same from rows of a size table [text]."""
    most = max(row.trainable_bytes for row in rows)
    axis = svg.Axis("size of the object [B]", 0, 1.05 * most)
    plot = svg.axes(axis, left=150, top=84, width=420, height=70 * len(rows))
    title = f"Size of a whole network in {weights}"
    note = f"pointers of {pointer_bytes} B; bars: trainable, inference, parameters alone"
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, note, "muted"), plot.body]
    spoken = []
    for i, row in enumerate(rows):
        y = plot.top + 70 * i + 8
        parts.append(svg.text(138, y + 30, row.architecture, "ink", 13, "end"))
        values = (("trainable", row.trainable_bytes, "macs"), ("inference", row.inference_bytes, "weights"))
        values += (("parameters", row.parameter_bytes, "activations"),)
        for k, (name, size, role) in enumerate(values):
            hover = f"{row.architecture}, {name}: {format_bytes(size)}"
            parts.append(
                svg.bar(plot.left, y + 18 * k, plot.x(size) - plot.left, 15, role, plot.width, hover=hover)
            )
            words = f"{size:,} B {name}"
            parts.append(svg.text(plot.x(size) + 6, y + 18 * k + 12, words, "ink", 11))
        ratio = format_quantity(row.ratio, digits=2)
        spoken.append(
            f"{row.architecture}: trainable {row.trainable_bytes:,} B, inference {row.inference_bytes:,} B, "
            f"parameters {row.parameter_bytes:,} B, training takes {ratio} times the inference object"
        )
    return svg.picture(
        title, f"{note}. {'; '.join(spoken)}.", "".join(parts), 720, plot.top + plot.height + 60
    )
