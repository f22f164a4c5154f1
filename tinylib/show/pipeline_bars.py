"""A pipeline layer by layer: what each one computes, beside what it stores, stacked by kind of bytes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tinylib.cost.footprint import pointer, value
from tinylib.cost.layers import MaxPool1D, MaxPool2D
from tinylib.cost.models import Model
from tinylib.cost.sequence import Dropout
from tinylib.show import svg
from tinylib.show.numbers import dimensions

ROW = 46
KINDS = {  # kind of bytes -> colour role, hatched or not
    "weights": ("weights", False),
    "gradients": ("weights", True),
    "output": ("activations", False),
    "mask": ("macs", True),
    "argmax": ("over_budget", True),
}


@dataclass(frozen=True)
class PipelineRow:
    """One layer: its work, and its bytes by kind in the order of KINDS."""

    name: str
    macs: int
    bytes: dict[str, int]

    @property
    def own_bytes(self) -> int:
        """What the layer itself holds [bytes]: all but its output."""
        return sum(self.bytes.values()) - self.bytes["output"]


def pipeline_rows(
    model: Model, weights: str = "float", trainable: bool = True, pointer_bytes: int = 8
) -> tuple[PipelineRow, ...]:
    """A row per layer of a chain. weights: "double", "float" or "Qm.n", of weights and outputs alike.

    Training adds a gradient to each weight, to max pooling an index per output, to dropout a byte per value.
    """
    size, index = value(weights, pointer_bytes).size, pointer(pointer_bytes).size
    rows = []
    for node, row in zip(model.nodes, model.rows):
        out = math.prod(row.out_shape)
        pools, drops = isinstance(node.layer, (MaxPool1D, MaxPool2D)), isinstance(node.layer, Dropout)
        held = {
            "weights": row.params * size,
            "gradients": row.params * size * trainable,
            "output": out * size,
            "mask": out * (drops and trainable),
            "argmax": out * index * (pools and trainable),
        }
        rows.append(PipelineRow(f"{row.op} to {dimensions(row.out_shape)}", row.macs, held))
    return tuple(rows)


def pipeline_bars(
    model: Model, weights: str = "float", trainable: bool = True, pointer_bytes: int = 8
) -> str:
    """SVG of a chain: MACs of each layer on the left, its bytes stacked on the right [text]."""
    rows = pipeline_rows(model, weights, trainable, pointer_bytes)
    most, work = max(sum(r.bytes.values()) for r in rows), max(r.macs for r in rows)
    height = ROW * len(rows)
    left = svg.axes(svg.Axis("MACs", 0, 1.35 * max(work, 1)), left=222, top=104, width=170, height=height)
    right = svg.axes(svg.Axis("memory [B]", 0, 1.2 * most), left=420, top=104, width=280, height=height)
    doing = "while it trains" if trainable else "at inference"
    title = f"{model.name}: work and memory {doing}"
    own = sum(r.own_bytes for r in rows)
    note = f"numbers in {weights}, pointers of {pointer_bytes} B; layers hold {own:,} B beside their outputs"
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, note, "muted"), _legend(rows)]
    parts += [left.body, right.body]
    for i, row in enumerate(rows):
        parts.append(_row(row, left, right, 104 + ROW * i))
    spoken = "; ".join(_said(row) for row in rows)
    return svg.picture(title, f"{note}. {spoken}. {dominant(rows)}", "".join(parts), 720, 104 + height + 62)


def dominant(rows: Sequence[PipelineRow]) -> str:
    """One sentence: which kind of bytes is the largest, outputs left out, and its share [text]."""
    sums = {kind: sum(row.bytes[kind] for row in rows) for kind in KINDS if kind != "output"}
    kind, total = max(sums, key=lambda k: sums[k]), sum(sums.values())
    share = 100 * sums[kind] / total if total else 0
    return f"Largest: {kind}, {sums[kind]:,} of {total:,} B, {share:.0f} %."


def _row(row: PipelineRow, left: svg.Axes, right: svg.Axes, y: float) -> str:
    parts = [svg.text(214, y + 26, row.name, "ink", 12, "end")]
    wide = left.x(row.macs) - left.left
    if row.macs:
        parts.append(svg.bar(left.left, y + 9, wide, 26, "macs", hover=f"{row.macs:,} MACs"))
    parts.append(svg.text(left.left + wide + 5, y + 26, f"{row.macs:,}", "ink", 11))
    x = right.left
    for kind, size in row.bytes.items():
        wide = right.x(size) - right.left
        if size:
            parts.append(_block(kind, x, y + 9, wide, 26, f"{kind}: {size:,} B"))
        x += wide
    return "".join([*parts, svg.text(x + 5, y + 26, f"{sum(row.bytes.values()):,}", "ink", 11)])


def _block(kind: str, x: float, y: float, width: float, height: float, hover: str = "") -> str:
    role, hatched = KINDS[kind]
    lines = svg.hatch(x, y, width, height, gap=6) if hatched and width > 2 else ""
    return svg.rect(x, y, width, height, role, hover) + lines


def _legend(rows: Sequence[PipelineRow]) -> str:
    """The kinds of bytes that occur, each with its colour and pattern."""
    parts, x = [], 222.0
    for kind in (k for k in KINDS if any(row.bytes[k] for row in rows)):
        parts.append(_block(kind, x, 72, 16, 14))
        parts.append(svg.text(x + 22, 84, kind, "ink", 12))
        x += 40 + 7 * len(kind)
    return "".join(parts)


def _said(row: PipelineRow) -> str:
    held = ", ".join(f"{kind} {size:,} B" for kind, size in row.bytes.items() if size)
    return f"{row.name}: {row.macs:,} MACs, {held}"
