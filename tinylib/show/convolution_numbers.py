"""The numbers of the convolution calculator: one layer's costs and how they stand to a device."""

import math
from dataclasses import dataclass

from tinylib.cost import devices
from tinylib.cost.devices import Device
from tinylib.cost.layers import Conv2D, Shape, count
from tinylib.cost.memory import weight_bytes
from tinylib.cost.roofline import arithmetic_intensity, flops
from tinylib.units import shown

WIDTHS = {32: "FP32", 16: "FP16", 8: "INT8", 4: "INT4"}


@dataclass(frozen=True)
class ConvolutionNumbers:
    """What one square convolution costs on a device; exact, at `bits` for every stored value.

    Shapes are (height, width, channels); padding keeps the side (before the stride), and the bias counts.
    """

    layer: Conv2D
    in_shape: Shape
    bits: int
    device: Device

    @property
    def out_shape(self) -> Shape:
        """Shape of the result."""
        return self.layer.out_shape(self.in_shape)

    @property
    def params(self) -> int:
        """Weights and biases [count]."""
        return self.layer.params

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference [MAC]."""
        return self.layer.macs(self.in_shape)

    @property
    def flops(self) -> int:
        """The same work with the multiply and the add counted apart [FLOP]."""
        return flops(self.layer, self.in_shape)

    @property
    def sizes(self) -> dict[int, int]:
        """Bytes of the parameters for each width in bits."""
        return {bits: weight_bytes(self.params, bits) for bits in WIDTHS}

    @property
    def in_bytes(self) -> int:
        """Input activation [bytes]."""
        return weight_bytes(math.prod(self.in_shape), self.bits)

    @property
    def out_bytes(self) -> int:
        """Output activation [bytes]."""
        return weight_bytes(math.prod(self.out_shape), self.bits)

    @property
    def pair_bytes(self) -> int:
        """Input and output, both alive while the layer runs [bytes]."""
        return self.in_bytes + self.out_bytes

    @property
    def intensity(self) -> float:
        """Arithmetic intensity at `bits` [FLOP/B]."""
        return arithmetic_intensity(self.layer, self.in_shape, bits=self.bits)

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
) -> ConvolutionNumbers:
    """The numbers that `convolution` draws, for a square input (side, side, c_in).

    Raises TypeError or ValueError for anything but whole numbers of at least 1, and ValueError for bits that
    are not 32, 16, 8 or 4.
    """
    c_in, c_out = count("c_in", c_in), count("c_out", c_out)
    kernel_size, stride = count("kernel_size", kernel_size), count("stride", stride)
    side, bits = count("side", side), count("bits", bits)
    if bits not in WIDTHS:
        raise ValueError(f"bits must be one of {', '.join(map(str, WIDTHS))}, got {shown(bits)}")
    layer = Conv2D(c_in, c_out, kernel_size=kernel_size, stride=stride, padding="same")
    return ConvolutionNumbers(layer, (side, side, c_in), bits, device or devices.named(devices.DEFAULT))
