"""The convolution calculator: one layer, what it stores, what it works, and whether a device can hold it."""

import math

from tinylib.cost.devices import Device
from tinylib.cost.layers import Shape
from tinylib.show import svg
from tinylib.show.convolution_numbers import WIDTHS, ConvolutionNumbers, convolution_numbers
from tinylib.show.numbers import dimensions, kib, percent, short
from tinylib.units import format_quantity

_TABLE_TOP, _BARS_TOP = 250, 446


def convolution(
    c_in: int,
    c_out: int,
    kernel_size: int,
    stride: int,
    side: int,
    bits: int,
    device: Device | None = None,
) -> str:
    """SVG of one square convolution: its shapes, its costs, and its bytes against a device [text].

    Arguments and errors are those of `convolution_numbers`.
    """
    n = convolution_numbers(c_in, c_out, kernel_size, stride, side, bits, device)
    size, step = dimensions(n.layer.kernel_size), n.layer.stride[0]
    title = f"{size} convolution, {n.in_shape[2]} to {n.out_shape[2]} channels, stride {step}"
    note = f"same padding · with bias · {n.bits} bits for every weight and activation"
    heading = svg.text(24, 32, title, size=18, bold=True) + svg.text(24, 53, note, "muted")
    body = heading + _schematic(n) + _storage(n) + _work(n) + _budgets(n)
    return svg.picture(title, _sentences(n), body, 720, 612)


def _sentences(n: ConvolutionNumbers) -> str:
    sizes = ", ".join(f"{kib(size)} at {WIDTHS[bits]}" for bits, size in n.sizes.items())
    return (
        f"Input {dimensions(n.in_shape)}, output {dimensions(n.out_shape)} with same padding. "
        f"{format_quantity(n.params)} parameters with bias: {sizes}. "
        f"{format_quantity(n.macs)} MACs, which are {format_quantity(n.flops)} FLOPs. "
        f"At {n.bits} bits the input takes {kib(n.in_bytes)} and the output "
        f"{kib(n.out_bytes)}, together {kib(n.pair_bytes)} of "
        f"{kib(n.device.sram_bytes)} SRAM on {_name(n.device)}: {_verdict(n.over_sram_bytes)}. "
        f"The parameters take {kib(n.sizes[n.bits])} of "
        f"{kib(n.device.flash_bytes)} flash: {_verdict(n.over_flash_bytes)}. "
        f"Arithmetic intensity {format_quantity(n.intensity, digits=3)} FLOP per byte."
    )


def _name(device: Device) -> str:
    return device.name.partition(":")[0]


def _verdict(over_bytes: int) -> str:
    return f"over by {kib(over_bytes)}" if over_bytes else "fits"


def _log_length(value: int, largest: int, least: float, most: float) -> float:
    """Pixels for a count: by its logarithm, so that 1 and `largest` share one picture."""
    return least + (most - least) * min(1.0, math.log2(value) / math.log2(largest))


def _block(x: float, y: float, face: float, depth: float, role: str) -> str:
    """A box seen from the upper right, its middle at (x, y), its front face in the lower left."""
    slant = depth * 0.5
    left, right, back = x - (face + depth) / 2, x + (face - depth) / 2, x + (face + depth) / 2
    top, floor = y - (face - slant) / 2, y + (face + slant) / 2
    lid = [(left, top), (left + depth, top - slant), (back, top - slant), (right, top)]
    flank = [(right, top), (back, top - slant), (back, floor - slant), (right, floor)]
    front = [(left, top), (right, top), (right, floor), (left, floor)]
    body = svg.polygon([*lid[:3], flank[2], *front[2:]], "page")
    for corners, opacity in zip((lid, flank, front), (0.4, 0.65, 1)):
        body += svg.polygon(corners, role, opacity) + svg.outline(corners, "page", 1)
    return body


def _feature_map(x: float, y: float, shape: Shape, window: int, step: int, role: str) -> str:
    """An activation as a box; a square on its face is one window, a dashed one its next place.

    Squares keep their share of the side, but are never drawn too small to be seen.
    """
    face, depth = _log_length(shape[0], 512, 18, 104), _log_length(shape[2], 1024, 5, 56)
    left, top = x - (face + depth) / 2, y - (face - depth * 0.5) / 2
    pixel = max(face / shape[0], 6)
    side = max(min(window * pixel, face) - 4, 5)
    body = _block(x, y, face, depth, "activations")
    if step and 4 + step * pixel + side < face:
        body += svg.square(left + 2 + step * pixel, top + 2, side, "page", "3 2")
    return body + svg.rect(left + 2, top + 2, side, side, role) + svg.square(left + 2, top + 2, side, "page")


def _filters(x: float, y: float, kernel: int, channels: int, copies: int) -> str:
    """Up to three filters, one before the other."""
    face, depth = _log_length(kernel, 16, 12, 60), _log_length(channels, 1024, 5, 56)
    shifts = [12 * (i - (copies - 1) / 2) for i in reversed(range(copies))]
    return "".join(_block(x + shift, y - shift, face, depth, "weights") for shift in shifts)


def _schematic(n: ConvolutionNumbers) -> str:
    y, kernel = 130, n.layer.kernel_size[0]
    parts = [_feature_map(124, y, n.in_shape, kernel, n.layer.stride[0], "weights")]
    parts.append(_filters(360, y, kernel, n.in_shape[2], min(3, n.out_shape[2])))
    parts.append(_feature_map(596, y, n.out_shape, 2, 0, "ink"))
    for x, sign in ((242, "∗"), (478, "=")):
        parts.append(svg.text(x, y + 10, sign, "muted", 30, "middle"))
    filters = "filter" if n.out_shape[2] == 1 else "filters"
    for x, name, shape in (
        (124, "input", n.in_shape),
        (360, f"{format_quantity(n.out_shape[2])} {filters}", (kernel, kernel, n.in_shape[2])),
        (596, "output", n.out_shape),
    ):
        parts.append(svg.text(x, 213, name, "muted", 13, "middle"))
        parts.append(svg.text(x, 232, dimensions(shape), "ink", 15, "middle", True))
    return "".join(parts)


def _table(x: float, title: str, rows: list[tuple[str, str]], marked: int = -1) -> str:
    """Rows of a name and a value (width 324); the marked one stands out by a panel and weight."""
    parts = [svg.text(x, _TABLE_TOP + 17, title, "ink", 14, bold=True)]
    parts.append(svg.line(x, _TABLE_TOP + 26, x + 324, _TABLE_TOP + 26, "muted"))
    for i, (name, value) in enumerate(rows):
        y = _TABLE_TOP + 46 + 22 * i
        if i == marked:
            parts.append(svg.rect(x - 8, y - 16, 340, 22, "panel", radius=4))
        parts.append(svg.text(x, y, name, "ink" if i == marked else "muted", bold=i == marked))
        parts.append(svg.text(x + 324, y, value, "ink", 13, "end", i == marked))
    return "".join(parts)


def _storage(n: ConvolutionNumbers) -> str:
    rows = [
        ("weights", format_quantity(n.layer.weights)),
        ("parameters: with biases", format_quantity(n.params)),
    ]
    rows += [(f"at {name}", kib(n.sizes[bits])) for bits, name in WIDTHS.items()]
    return _table(24, "Stored once", rows, 2 + list(WIDTHS).index(n.bits))


def _work(n: ConvolutionNumbers) -> str:
    exact = format_quantity if n.flops < 1e15 else short
    rows = [
        ("MACs", exact(n.macs)),
        ("FLOPs: 2 for every MAC", exact(n.flops)),
        ("input activation", kib(n.in_bytes)),
        ("output activation", kib(n.out_bytes)),
        ("input and output together", kib(n.pair_bytes)),
        ("arithmetic intensity", f"{format_quantity(n.intensity, digits=3)} FLOP/B"),
    ]
    return _table(372, f"For every input, at {n.bits} bits", rows, 4)


def _budgets(n: ConvolutionNumbers) -> str:
    axis = svg.Axis(f"share of the memory of {_name(n.device)} [%]", 0, 200, ticks=(0, 50, 100, 150, 200))
    plot = svg.axes(axis, left=150, top=_BARS_TOP + 14, width=380, height=96)
    rows = (
        ("activations", "SRAM", n.pair_bytes, n.device.sram_bytes, n.over_sram_bytes, "activations"),
        ("parameters", "flash", n.sizes[n.bits], n.device.flash_bytes, n.over_flash_bytes, "weights"),
    )
    parts = [svg.text(24, _BARS_TOP, "Does it fit?", "ink", 14, bold=True), plot.body]
    for i, row in enumerate(rows):
        parts.append(_budget(plot, plot.top + 8 + 48 * i, *row))
    full = plot.x(100)
    parts.append(svg.line(full, plot.top - 6, full, plot.top + plot.height, "ink", 2))
    return "".join(parts)


def _budget(
    plot: svg.Axes, y: float, name: str, memory: str, used: int, budget: int, over: int, role: str
) -> str:
    """One row: what is held, its bar against the device's memory, and the verdict in words."""
    length, hover = plot.width * used / budget / 2, f"{kib(used)} of {kib(budget)} {memory}"
    parts = [svg.text(24, y + 13, name, "ink", 13, bold=True)]
    parts.append(svg.text(24, y + 30, f"of {kib(budget)} {memory}", "muted", 12))
    parts.append(svg.bar(plot.left, y, length, 32, role, plot.width, bool(over), hover))
    share = f"{kib(used)}, {percent(used, budget)}"
    parts.append(svg.text(546, y + 13, share, "ink", 13, bold=True))
    mark = ("▲ ", "over_words") if over else ("✓ ", "fit_words")
    parts.append(svg.text(546, y + 30, mark[0] + _verdict(over), mark[1], 13, bold=bool(over)))
    return "".join(parts)
