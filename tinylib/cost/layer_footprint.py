"""What a layer object occupies in memory, by the layout rules of `footprint`; liquid cells beside them.

    convolution = struct(parameters, their gradients)       max pooling = one size_t per output
    packed dense = struct(32-bit words, latent weights and biases, their gradients)
    dropout = struct(one byte per value, mode)              average pooling = an empty class, 1 byte

A liquid cell does not hold its parameters, the caller does: it has parameter bytes, and as an int8 cell an
object of pointers and multipliers. So object bytes and parameter bytes are never one column.
Source: danmcleran/tinymind, the headers conv2d, pool2d, binarylayer, ternarylayer, dropout and qcfc in cpp/.
"""

import math
from dataclasses import dataclass

from tinylib.cost import layers as L
from tinylib.cost.footprint import BYTE, EMPTY, WORD32, Layout, pointer, struct, value
from tinylib.cost.sequence import BinaryDense, CfC, Dropout, TernaryDense
from tinylib.units import shown

LUT_ENTRIES = 256  # one int8 entry per int8 input
_CONVS = (L.Conv1D, L.Conv2D, L.DepthwiseConv2D, L.PointwiseConv2D)
_STATELESS = (L.AvgPool1D, L.AvgPool2D, L.GlobalAvgPool1D, L.GlobalAvgPool2D)


def layer_bytes(
    layer: L.Layer, weights: str = "double", in_shape: L.Shape | None = None, pointer_bytes: int = 8
) -> int:
    """The layer object, ready to train [bytes].

    weights: "double", "float" or "Qm.n"; in_shape: needed by max pooling and dropout, which store something
    per value. Raises TypeError for a layer that is not an object of its own.
    """
    return _layout(layer, value(weights, pointer_bytes), in_shape, pointer(pointer_bytes)).size


def _layout(layer: L.Layer, number: Layout, in_shape: L.Shape | None, index: Layout) -> Layout:
    if isinstance(layer, _CONVS):
        return struct(number * layer.params, number * layer.params)
    if isinstance(layer, (BinaryDense, TernaryDense)):
        return struct(WORD32 * layer.packed_words, number * layer.params, number * layer.params)
    if isinstance(layer, _STATELESS):
        return EMPTY
    if not isinstance(layer, (L.MaxPool1D, L.MaxPool2D, Dropout)):
        raise TypeError(f"layer must be a convolution, pooling, dropout or packed dense, got {shown(layer)}")
    if in_shape is None:
        raise ValueError(f"in_shape must be given for {layer}: it stores something per value, got None")
    values = math.prod(layer.out_shape(in_shape))
    return struct(BYTE * values, BYTE) if isinstance(layer, Dropout) else index * values


@dataclass(frozen=True)
class Int8Cell:
    """A CfC cell in int8 [bytes]: the object points to weights, biases and tables that the caller owns."""

    object_bytes: int
    weight_bytes: int
    bias_bytes: int
    table_bytes: int

    @property
    def parameter_bytes(self) -> int:
        """Weights and biases [bytes]."""
        return self.weight_bytes + self.bias_bytes


def int8_cfc(cell: CfC, pointer_bytes: int = 8) -> Int8Cell:
    """`cell` at a fixed step with int8 weights, int32 biases and two tables that cells share [bytes]."""
    if not isinstance(cell, CfC):
        raise TypeError(f"cell must be a CfC, got {shown(cell)}")
    address, scaling = pointer(pointer_bytes), WORD32 * 2  # a multiplier and its shift
    layout = struct(
        address * 10,  # six weight matrices, four bias vectors
        BYTE * 2,  # zero points
        scaling * 6,  # input, hidden, two heads, two time maps
        address * 2,  # tables of sigmoid and tanh
        scaling * 2,  # the two products of the interpolation
        BYTE * 2,  # lowest and highest output
    )
    fixed = CfC(cell.in_features, cell.hidden_features, cell.backbone_features, fixed_step=True)
    return Int8Cell(layout.size, fixed.weights, 4 * fixed.vectors, 2 * LUT_ENTRIES)
