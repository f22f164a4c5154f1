"""The numbers of the convolution calculator: one layer's costs and how they stand to a device."""

import math
from dataclasses import dataclass
from itertools import accumulate

from tinylib.cost import devices
from tinylib.cost.devices import Device
from tinylib.cost.energy import average_power_w, mac_pj
from tinylib.cost.layers import LIMIT, Conv2D, DepthwiseConv2D, Layer, PointwiseConv2D, Shape, count
from tinylib.cost.memory import weight_bytes
from tinylib.cost.roofline import traffic_bytes
from tinylib.units import shown

WIDTHS = {32: "FP32", 16: "FP16", 8: "INT8", 4: "INT4"}
KINDS = ("standard", "depthwise", "separable")  # separable: a depthwise and then a pointwise operator


@dataclass(frozen=True)
class Place:
    """One step of the kernel: the output value (row, column), and the input pixels its window covers.

    rows, columns: first and last + 1; taps on the padding are cut off.
    """

    row: int
    column: int
    rows: tuple[int, int]
    columns: tuple[int, int]


@dataclass(frozen=True)
class ConvolutionNumbers:
    """What one square convolution costs on a device; exact, at `bits` for every stored value.

    Shapes are (height, width, channels); padding keeps the side (before the stride), and the biases count.
    """

    layers: tuple[Layer, ...]  # one operator, or two that run one after the other
    in_shape: Shape
    bits: int
    device: Device
    kind: str = "standard"

    @property
    def layer(self) -> Layer:
        """The operator whose window slides: the only one, or the depthwise one."""
        return self.layers[0]

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Shapes of the input, of what lies between two operators, and of the result."""
        return tuple(accumulate(self.layers, lambda s, layer: layer.out_shape(s), initial=self.in_shape))

    @property
    def out_shape(self) -> Shape:
        """Shape of the result."""
        return self.shapes[-1]

    @property
    def weights(self) -> int:
        """Weights without biases [count]."""
        return sum(layer.weights for layer in self.layers)

    @property
    def params(self) -> int:
        """Weights and biases [count]."""
        return sum(layer.params for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference [MAC]."""
        return sum(layer.macs(s) for layer, s in zip(self.layers, self.shapes))

    @property
    def standard_macs(self) -> int:
        """Multiply-accumulates of a standard convolution between the same shapes [MAC]."""
        return math.prod(self.layer.kernel_size) * self.in_shape[2] * math.prod(self.out_shape)

    @property
    def flops(self) -> int:
        """The same work with the multiply and the add counted apart [FLOP]."""
        return 2 * self.macs

    @property
    def sizes(self) -> dict[int, int]:
        """Bytes of the parameters for each width in bits."""
        return {bits: weight_bytes(self.params, bits) for bits in WIDTHS}

    @property
    def map_bytes(self) -> tuple[int, ...]:
        """Each activation in turn, from the input to the output [bytes]."""
        return tuple(weight_bytes(math.prod(s), self.bits) for s in self.shapes)

    @property
    def in_bytes(self) -> int:
        """Input activation [bytes]."""
        return self.map_bytes[0]

    @property
    def out_bytes(self) -> int:
        """Output activation [bytes]."""
        return self.map_bytes[-1]

    @property
    def pair_bytes(self) -> int:
        """Input and output of an operator, both alive while it runs: the largest such pair [bytes]."""
        return max(a + b for a, b in zip(self.map_bytes, self.map_bytes[1:]))

    @property
    def intensity(self) -> float:
        """Arithmetic intensity at `bits`, every operator moving its own operands [FLOP/B]."""
        moved = (traffic_bytes(layer, s, bits=self.bits) for layer, s in zip(self.layers, self.shapes))
        return self.flops / sum(moved)

    @property
    def mac_pj(self) -> float | None:
        """Energy of one MAC at 45 nm in this width, None where the table has no such arithmetic [pJ]."""
        return mac_pj(WIDTHS[self.bits].lower()) if self.bits >= 8 else None

    @property
    def energy_uj(self) -> float | None:
        """Arithmetic alone for one inference, without any memory access [µJ]."""
        return None if self.mac_pj is None else self.macs * self.mac_pj / 1e6

    @property
    def power_uw(self) -> float | None:
        """Average power of that arithmetic at one inference a second [µW]."""
        return None if self.energy_uj is None else 1e6 * average_power_w(self.energy_uj / 1e6, every_s=1)

    def place(self, position: int) -> Place:
        """Where the kernel stands at a step over the output, row by row; clipped to the first and last."""
        position, (height, width, _) = count("position", position, -LIMIT), self.out_shape
        row, column = divmod(min(max(0, position), height * width - 1), width)
        spans = (self._span(axis, at) for axis, at in enumerate((row, column)))
        return Place(row, column, *spans)

    def _span(self, axis: int, at: int) -> tuple[int, int]:
        """Input pixels under the window along one axis; 'same' pads the smaller half in front."""
        side, kernel, step = self.in_shape[axis], self.layer.kernel_size[axis], self.layer.stride[axis]
        padding = max(0, (self.out_shape[axis] - 1) * step + kernel - side)
        first = at * step - padding // 2
        return max(0, first), min(side, first + kernel)

    @property
    def over_sram_bytes(self) -> int:
        """How far the activations exceed the device's SRAM, 0 when they fit [bytes]."""
        return max(0, self.pair_bytes - self.device.sram_bytes)

    @property
    def over_flash_bytes(self) -> int:
        """How far the parameters exceed the device's flash, 0 when they fit [bytes]."""
        return max(0, self.sizes[self.bits] - self.device.flash_bytes)


def convolution_numbers(
    c_in: int,
    c_out: int,
    kernel_size: int,
    stride: int,
    side: int,
    bits: int,
    device: Device | None = None,
    kind: str = "standard",
) -> ConvolutionNumbers:
    """The numbers that `convolution` draws, for a square input (side, side, c_in).

    kind: "standard"; "depthwise", one filter a channel, where c_out is ignored because it equals c_in; or
    "separable", a depthwise operator and then a pointwise one to c_out channels. Raises TypeError or
    ValueError for anything but whole numbers of at least 1, and ValueError for another kind or for bits
    that are not 32, 16, 8 or 4.
    """
    c_in, c_out = count("c_in", c_in), count("c_out", c_out)
    kernel_size, stride = count("kernel_size", kernel_size), count("stride", stride)
    side, bits = count("side", side), count("bits", bits)
    if bits not in WIDTHS:
        raise ValueError(f"bits must be one of {', '.join(map(str, WIDTHS))}, got {shown(bits)}")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {shown(kind)}")
    window = {"kernel_size": kernel_size, "stride": stride, "padding": "same"}
    if kind == "standard":
        layers = (Conv2D(c_in, c_out, **window),)
    else:
        layers = (DepthwiseConv2D(c_in, **window),)
        layers += (PointwiseConv2D(c_in, c_out),) if kind == "separable" else ()
    device = device or devices.named(devices.DEFAULT)
    return ConvolutionNumbers(layers, (side, side, c_in), bits, device, kind)
