"""One network stored in several ways: what each keeps of the accuracy, and what it takes."""

from collections.abc import Sequence

from tinylib.show import svg
from tinylib.units import format_bytes, format_quantity

Row = tuple[str, float, int]  # name, accuracy 0..1, bytes


def accuracy_and_bytes(rows: Sequence[Row], title: str = "Accuracy and size", note: str = "") -> str:
    """SVG of rows (name, accuracy 0..1, size [bytes]): accuracy on the left, bytes on the right [text]."""
    if not rows:
        raise ValueError("rows must hold at least one way to store the network, got none")
    height = 44 * len(rows)
    words = lambda share: f"{100 * share:g} %"  # noqa: E731 - the form that a tick wants
    left = svg.axes(
        svg.Axis("accuracy", 0, 1, ticks=(0, 0.5, 1), words=words), left=130, top=84, width=230, height=height
    )
    most = max(size for _, _, size in rows)
    right = svg.axes(svg.Axis("stored [B]", 0, 1.25 * most), left=420, top=84, width=270, height=height)
    parts = [
        svg.text(24, 34, title, size=18, bold=True),
        svg.text(24, 55, note, "muted"),
        left.body,
        right.body,
    ]
    spoken = []
    for i, (name, accuracy, size) in enumerate(rows):
        y, share = 84 + 44 * i + 8, f"{100 * accuracy:.1f} %"
        parts.append(svg.text(120, y + 19, name, "ink", 13, "end"))
        parts.append(svg.bar(left.left, y, left.x(accuracy) - left.left, 28, "macs", 230, hover=share))
        parts.append(svg.text(left.left + 6, y + 19, share, "page", 13, bold=True))
        parts.append(
            svg.bar(right.left, y, right.x(size) - right.left, 28, "weights", 270, hover=f"{size:,} B")
        )
        parts.append(svg.text(right.x(size) + 6, y + 19, f"{size:,} B", "ink", 12))
        ratio = format_quantity(most / size, digits=3)
        beside = "the largest" if size == most else f"{ratio} times smaller than the largest"
        spoken.append(f"{name}: {share}, {format_bytes(size)}, {beside}")
    said = f"{note.removesuffix('.')}. " if note else ""
    return svg.picture(title, f"{said}{'; '.join(spoken)}.", "".join(parts), 720, 84 + height + 62)
