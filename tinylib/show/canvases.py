"""The live figures of the lessons: pure functions from layers and numbers to one SVG string each."""

from collections.abc import Mapping
from html import unescape

from tinylib.cost.layers import Layer, Shape
from tinylib.show import svg
from tinylib.show.answers import answer_line
from tinylib.show.calculators import bill_of_materials, memory_stack, model_size
from tinylib.show.convolution import convolution
from tinylib.show.convolution_numbers import ConvolutionNumbers, convolution_numbers
from tinylib.show.curves import curves
from tinylib.show.deployed import accuracy_and_bytes
from tinylib.show.diagrams import diagram
from tinylib.show.distillation import entropy_curve, temperature_bars
from tinylib.show.distillation_loss import loss_bars, temperature_gain
from tinylib.show.energy import battery, energy_ladder
from tinylib.show.fixed_point import bit_field, lut_error, staircase, word
from tinylib.show.gap import gap_bars, growth_points
from tinylib.show.liquid import step_response
from tinylib.show.llm import kv_cache
from tinylib.show.memory import arena, patches
from tinylib.show.numbers import dimensions, short
from tinylib.show.packed_bits import bit_matrix
from tinylib.show.pixels import images
from tinylib.show.pruning import accuracy_and_storage, nm_mask, weight_histogram
from tinylib.show.quantization import channel_scales, code_grid, codebook, sqnr_curves
from tinylib.show.report import report
from tinylib.show.requantization import requantize_steps
from tinylib.show.roofline import roofline
from tinylib.show.search import evolution, latency_mix, pareto, share_curves
from tinylib.show.sizes import sizes
from tinylib.show.stacked import stacked
from tinylib.show.unrolled import unrolled
from tinylib.units import format_quantity

__all__ = [
    "ConvolutionNumbers",
    "accuracy_and_bytes",
    "accuracy_and_storage",
    "alternative",
    "answer_line",
    "arena",
    "battery",
    "bill_of_materials",
    "bit_field",
    "bit_matrix",
    "channel_scales",
    "code_grid",
    "codebook",
    "convolution",
    "convolution_numbers",
    "cost_bars",
    "curves",
    "diagram",
    "energy_ladder",
    "entropy_curve",
    "evolution",
    "gap_bars",
    "growth_points",
    "images",
    "kv_cache",
    "latency_mix",
    "loss_bars",
    "lut_error",
    "macs_against_weights",
    "memory_stack",
    "model_size",
    "nm_mask",
    "pareto",
    "patches",
    "report",
    "requantize_steps",
    "roofline",
    "share_curves",
    "sizes",
    "sqnr_curves",
    "stacked",
    "staircase",
    "step_response",
    "temperature_bars",
    "temperature_gain",
    "unrolled",
    "weight_histogram",
    "word",
]

_COUNTS = (1, 1e10)  # limits of the count axes: fixed, so that a moved slider moves the bar and not the scale


def alternative(drawing: str) -> str:
    """The words of a picture: its title and its description [text]. Raises ValueError if it has none."""
    parts = [drawing.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0] for tag in ("title", "desc")]
    if not all(parts):
        raise ValueError(f"a picture needs a title and a description, got {drawing[:60]!r}")
    return unescape(". ".join(parts))


def cost_bars(layer: Layer, in_shape: Shape) -> str:
    """Weights and MACs of one layer for an input (height, width, channels), on one fixed log axis [text]."""
    weights, macs = layer.weights, layer.macs(in_shape)
    rows = (("weights", weights, "weights, stored once"), ("macs", macs, "MACs, for every input"))
    axis = svg.Axis("count, by powers of ten", *_COUNTS, log=True)
    plot = svg.axes(axis, left=208, top=72, width=480, height=124)
    title = f"Weights and work at input {dimensions(in_shape)}"
    parts = [svg.text(24, 34, title, size=18, bold=True), plot.body]
    parts.append(svg.text(24, 55, f"output {dimensions(layer.out_shape(in_shape))}", "muted"))
    for (role, count, note), y in zip(rows, (82, 144)):
        parts.append(svg.text(24, y + 17, _exact(count), size=18, bold=True))
        parts.append(svg.text(24, y + 36, note, "muted"))
        length = (plot.x(count) - plot.left) + (count > _COUNTS[1])  # a pixel too many shows as a cut
        parts.append(svg.bar(plot.left, y, length, 42, role, plot.width, hover=f"{_exact(count)} {note}"))
    spoken = f"{_exact(weights)} weights, stored once; {_exact(macs)} MACs for every input."
    if weights:
        spoken += f" Each weight works {_exact(macs // weights)} times."
    return svg.picture(title, spoken, "".join(parts), 720, 252)


def _exact(count: int) -> str:
    return format_quantity(count) if count < 1e15 else short(count)


def macs_against_weights(layers: Mapping[str, tuple[Layer, Shape]]) -> str:
    """Scatter of named (layer, in_shape) pairs: MACs over weights, both by powers of ten [text]."""
    points = {name: (layer.weights, layer.macs(shape)) for name, (layer, shape) in layers.items()}
    if not points:
        raise ValueError("a scatter needs at least one layer, got none")
    across, up = svg.Axis("weights", 1, 1e8, log=True), svg.Axis("MACs for every input", *_COUNTS, log=True)
    plot = svg.axes(across, up, left=80, top=84, width=600, height=330)
    once = [(plot.x(count), plot.y(count)) for count in (1, 1e8)]  # as many MACs as weights
    spots: dict[tuple[int, int], list[str]] = {}
    for name, point in points.items():
        spots.setdefault(point, []).append(name)
    places = {", ".join(names): (plot.x(w), plot.y(m)) for (w, m), names in spots.items()}
    parts = [svg.text(24, 34, "MACs against weights", size=18, bold=True), plot.body]
    parts += [svg.line(*once[0], *once[1], "muted", 1.5, "5 4"), _names(places)]
    parts.append(svg.text(24, 55, "dashed: each weight works once", "muted"))
    for name, (weights, macs) in points.items():
        hover = f"{name}: {_exact(weights)} weights, {_exact(macs)} MACs"
        parts.append(svg.circle(plot.x(weights), plot.y(macs), 6, "macs", hover))
    spoken = "; ".join(f"{name}: {_exact(w)} weights and {_exact(m)} MACs" for name, (w, m) in points.items())
    return svg.picture("MACs against weights", f"{spoken}.", "".join(parts), 720, 474)


def _names(places: Mapping[str, svg.Point]) -> str:
    """The points' names, each beside, over or under its point: where nothing else stands yet."""
    taken = [(x - 8, y - 8, x + 8, y + 8) for x, y in places.values()]
    parts = []
    for name, (x, y) in places.items():
        width = 8.2 * len(name)  # of a wide font, so that a label seldom turns out longer
        boxes = [(x + 10, y - 9), (x - 10 - width, y - 9), (x - width / 2, y - 28), (x - width / 2, y + 10)]
        boxes = [(left, top, left + width, top + 18) for left, top in boxes]
        box = next((b for b in boxes if not any(_overlap(b, t) for t in taken)), boxes[0])
        taken.append(box)
        parts.append(svg.rect(box[0], box[1], width, 18, "page", radius=3))
        parts.append(svg.text((box[0] + box[2]) / 2, box[1] + 13, name, anchor="middle"))
    return "".join(parts)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
