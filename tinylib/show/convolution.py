"""The convolution calculator: one layer, what it stores, what it works, and whether a device can hold it."""

import math
from dataclasses import dataclass

from tinylib.cost import energy
from tinylib.cost.devices import Device
from tinylib.cost.layers import Shape
from tinylib.show import svg
from tinylib.show.convolution_numbers import WIDTHS, ConvolutionNumbers, Place, convolution_numbers
from tinylib.show.numbers import dimensions, kib, percent, short
from tinylib.units import format_quantity

_TABLE_TOP, _BARS_TOP = 250, 488
_NOTES = {
    "depthwise": "c_out is ignored: one filter a channel",
    "separable": "of the MACs of a standard one",
}


def convolution(
    c_in: int,
    c_out: int,
    kernel_size: int,
    stride: int,
    side: int,
    bits: int,
    kind: str = "standard",
    position: int = 0,
    device: Device | None = None,
) -> str:
    """SVG of one square convolution: its shapes, its costs, and its bytes against a device [text].

    position steps the window over the output, row by row from 0, and is clipped to its last value. The other
    arguments and the errors are those of `convolution_numbers`; a depthwise convolution ignores c_out.
    """
    n = convolution_numbers(c_in, c_out, kernel_size, stride, side, bits, device, kind)
    place, title = n.place(position), _title(n)
    notes = [_NOTES[kind]] if kind != "standard" else []
    if kind == "separable":
        notes[0] = f"{percent(n.macs, n.standard_macs)} {notes[0]}"
    each = "weight and activation" if kind == "standard" else "value"
    notes += ["same padding", "with bias", f"{n.bits} bits for every {each}"]
    heading = svg.text(24, 32, title, size=18, bold=True) + svg.text(24, 53, " · ".join(notes), "muted")
    body = heading + _schematic(n, place) + _storage(n) + _work(n) + _energy(n) + _budgets(n)
    where = f"{n.device.source}; energy: {energy.table('horowitz')['int8_mult'].source}"
    return svg.picture(title, _sentences(n, place), body, 720, _BARS_TOP + 166, where)


def _title(n: ConvolutionNumbers) -> str:
    size, step = dimensions(n.layer.kernel_size), n.layer.stride[0]
    kind = "" if n.kind == "standard" else f"{n.kind} "
    return f"{size} {kind}convolution, {n.in_shape[2]} to {n.out_shape[2]} channels, stride {step}"


def _sentences(n: ConvolutionNumbers, place: Place) -> str:
    sizes = ", ".join(f"{kib(size)} at {WIDTHS[bits]}" for bits, size in n.sizes.items())
    between = f"{dimensions(n.shapes[1])} between the two operators, " if n.kind == "separable" else ""
    held = (
        f"the input takes {kib(n.in_bytes)} and the output {kib(n.out_bytes)}, together {kib(n.pair_bytes)}"
    )
    if n.kind == "separable":
        held = f"the larger input and output of one operator take {kib(n.pair_bytes)}"
    return (
        f"Input {dimensions(n.in_shape)}, {between}output {dimensions(n.out_shape)} with same padding. "
        f"{_spoken_kind(n)}"
        f"The window covers {_span(place.rows, 'row')} and {_span(place.columns, 'column')} of the input "
        f"and writes row {place.row}, column {place.column} of the output. "
        f"{format_quantity(n.params)} parameters with bias: {sizes}. "
        f"{format_quantity(n.macs)} MACs, which are {format_quantity(n.flops)} FLOPs. "
        f"At {n.bits} bits {held} of {kib(n.device.sram_bytes)} SRAM on {_name(n.device)}: "
        f"{_verdict(n.over_sram_bytes)}. "
        f"The parameters take {kib(n.sizes[n.bits])} of "
        f"{kib(n.device.flash_bytes)} flash: {_verdict(n.over_flash_bytes)}. "
        f"Arithmetic intensity {format_quantity(n.intensity, digits=3)} FLOP per byte. {_energy_words(n)}."
    )


def _spoken_kind(n: ConvolutionNumbers) -> str:
    if n.kind == "depthwise":
        return (
            "Every channel has one filter of its own, so the number of output channels asked for is ignored. "
        )
    if n.kind == "separable":
        share = percent(n.macs, n.standard_macs)
        return f"A depthwise and then a pointwise operator need {share} {_NOTES[n.kind]}. "
    return ""


def _span(span: tuple[int, int], what: str) -> str:
    first, last = span[0], span[1] - 1
    return f"{what} {first}" if first == last else f"{what}s {first} to {last}"


def _energy_words(n: ConvolutionNumbers) -> str:
    """The arithmetic's energy and power in one line; µJ once a second are as many µW."""
    if n.energy_uj is None:
        return f"Energy at 45 nm: the table has no {n.bits}-bit arithmetic"
    energy, power = _milli(n.energy_uj, "J"), _milli(n.power_uw, "W")
    each = f"{format_quantity(n.mac_pj)} pJ a MAC"
    return f"Arithmetic alone at 45 nm, {each}: {energy}; {power} on average at one inference a second"


def _milli(micro: float, unit: str) -> str:
    """A value in millionths, from a thousand on in thousandths: 4335.2 -> '4.34 mJ' [text]."""
    least = 999.5  # rounds to 1,000
    return format_quantity(
        micro / 1000 if micro >= least else micro, ("m" if micro >= least else "u") + unit, 3
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


@dataclass(frozen=True)
class _Map:
    """An activation as a box around (x, y), and where a pixel of it lies on the front face."""

    x: float
    y: float
    shape: Shape
    scale: float

    def body(self) -> str:
        return _block(self.x, self.y, *self._sizes(), "activations")

    def _sizes(self) -> tuple[float, float]:
        face, depth = _log_length(self.shape[0], 512, 18, 104), _log_length(self.shape[2], 1024, 5, 56)
        return face * self.scale, depth * self.scale

    def mark(self, rows: tuple[int, int], columns: tuple[int, int], least: float, role: str) -> str:
        """A rectangle over pixels: in its true place, but at least so long [px] that it can be seen."""
        face, depth = self._sizes()
        left, top = self.x - (face + depth) / 2, self.y - (face - depth * 0.5) / 2
        (x, width), (y, height) = (_stretch(span, self.shape[0], face, least) for span in (columns, rows))
        x, y = left + x, top + y
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        return svg.rect(x, y, width, height, role) + svg.outline(corners, "page")


def _stretch(span: tuple[int, int], side: int, face: float, least: float) -> tuple[float, float]:
    """Start and length of a span of pixels on a face [px]: at least so long, inside the face by 1."""
    room, middle = face - 2, (span[0] + span[1]) / 2 / side
    length = min(max(room * (span[1] - span[0]) / side, least), room)
    return 1 + min(max(0, room * middle - length / 2), room - length), length


def _filters(x: float, y: float, kernel: int, channels: int, copies: int, scale: float) -> str:
    """Up to three filters, one before the other."""
    face, depth = _log_length(kernel, 16, 12, 60) * scale, _log_length(channels, 1024, 5, 56) * scale
    shifts = [12 * (i - (copies - 1) / 2) for i in reversed(range(copies))]
    return "".join(_block(x + shift, y - shift, face, depth, "weights") for shift in shifts)


def _schematic(n: ConvolutionNumbers, place: Place) -> str:
    """Maps and filters in turn, from the input to the output, with the window at its place."""
    maps, y = len(n.shapes), 130
    apart, scale, size = (236, 1, 14) if maps == 2 else (138, 0.68, 13)
    left, names = 360 - apart * (maps - 1), ("input", "between", "output")
    pixel, parts = ((place.row, place.row + 1), (place.column, place.column + 1)), []
    for i, shape in enumerate(n.shapes):
        x = left + 2 * apart * i
        box = _Map(x, y, shape, scale)
        last = i == maps - 1
        window = pixel if i else (place.rows, place.columns)
        parts.append(box.body() + box.mark(*window, 7 if i else 11, "ink" if last else "weights"))
        parts.append(_caption(x, names[-1 if last else i], shape, size))
    for i, layer in enumerate(n.layers):
        x, kernel = left + apart * (2 * i + 1), 1 if i else n.layer.kernel_size[0]
        depth, copies = layer.in_channels // layer.groups, layer.out_channels
        parts.append(_filters(x, y, kernel, depth, min(3, copies), scale))
        filters = "filter" if copies == 1 else "filters"
        parts.append(_caption(x, f"{format_quantity(copies)} {filters}", (kernel, kernel, depth), size))
        for side, sign in ((-1, "∗"), (1, "=")):
            large = 24 if maps == 2 else 18
            parts.append(svg.text(x + side * apart / 2, y + 10, sign, "muted", large, "middle"))
    return "".join(parts)


def _caption(x: float, name: str, shape: Shape, size: float) -> str:
    words = svg.text(x, 213, name, "muted", 13, "middle")
    return words + svg.text(x, 232, dimensions(shape), "ink", size, "middle", True)


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
        ("weights", format_quantity(n.weights)),
        ("parameters: with biases", format_quantity(n.params)),
    ]
    rows += [(f"at {name}", kib(n.sizes[bits])) for bits, name in WIDTHS.items()]
    return _table(24, "Stored once", rows, 2 + list(WIDTHS).index(n.bits))


def _work(n: ConvolutionNumbers) -> str:
    exact = format_quantity if n.flops < 1e15 else short
    rows = [("MACs", exact(n.macs)), ("FLOPs: 2 for every MAC", exact(n.flops))]
    rows.append(("input activation", kib(n.in_bytes)))
    if n.kind == "separable":
        rows.append(("activation between the two", kib(n.map_bytes[1])))
    rows.append(("output activation", kib(n.out_bytes)))
    pair = "larger input and output pair" if n.kind == "separable" else "input and output together"
    rows.append((pair, kib(n.pair_bytes)))
    rows.append(("arithmetic intensity", f"{format_quantity(n.intensity, digits=3)} FLOP/B"))
    return _table(372, f"For every input, at {n.bits} bits", rows, len(rows) - 2)


def _energy(n: ConvolutionNumbers) -> str:
    return svg.text(24, _BARS_TOP - 34, _energy_words(n), "muted")


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
