"""What a layer object occupies in memory, by the layout rules of `footprint`; liquid cells beside them.

    convolution = struct(parameters, their gradients)       max pooling = one size_t per output
    packed dense = struct(32-bit words, latent weights and biases, their gradients)
    dropout = struct(one byte per value, mode)              average pooling = an empty class, 1 byte

A liquid cell does not hold its parameters, the caller does: it has parameter bytes, and as an int8 cell an
object of pointers and multipliers. So object bytes and parameter bytes are never one column.
Source: danmcleran/tinymind, the headers conv2d, pool2d, binarylayer, ternarylayer, dropout and qcfc in cpp/.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from tinylib.cost import layers as L
from tinylib.cost.footprint import BYTE, EMPTY, WORD32, Layout, pointer, struct, value
from tinylib.cost.sequence import LTC, BinaryDense, CfC, Dropout, TernaryDense
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


def packed_inference_bytes(layer: BinaryDense | TernaryDense, weights: str = "double") -> int:
    """Packed words and the biases as `weights` numbers, nothing else [bytes]: no padding, no gradients."""
    if not isinstance(layer, (BinaryDense, TernaryDense)):
        raise TypeError(f"layer must be a BinaryDense or TernaryDense, got {shown(layer)}")
    return layer.packed_bytes + layer.outputs * layer.bias * value(weights).size


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


@dataclass(frozen=True)
class LayerRow:
    """One row of a layer table. `object_bytes` is None where the caller owns the parameters."""

    layer: str
    weights: str
    object_bytes: int | None
    params: int
    parameter_bytes: int


COMPARED_LAYERS = (  # (layer, input shape or None) as the library's size comparison lists them
    (L.Conv1D(1, 8, kernel_size=5, stride=2), None),
    (L.Conv1D(1, 4, kernel_size=5), None),
    (L.MaxPool1D(2), (96, 4)),
    (L.MaxPool1D(2), (48, 1)),
    (L.MaxPool1D(2), (6, 1)),
    (L.AvgPool1D(2), None),
    *((Dropout(0.5), (n,)) for n in (192, 32, 5)),
    (L.Conv2D(1, 8, kernel_size=3), None),
    (L.DepthwiseConv2D(8, kernel_size=3), None),
    (L.PointwiseConv2D(8, 16), None),
    (L.PointwiseConv2D(16, 10), None),
    (L.MaxPool2D(2), (18, 18, 8)),
    (L.GlobalAvgPool2D(), None),
    *((dense(*n), None) for dense in (BinaryDense, TernaryDense) for n in ((4, 2), (16, 8), (64, 16))),
)
LIQUID_CELLS = (LTC(2, 3), CfC(2, 3, 4), LTC(4, 8), CfC(4, 8, 16))


def layer_table(
    weights: str, pointer_bytes: int = 8, layers: Iterable[tuple] = COMPARED_LAYERS
) -> tuple[LayerRow, ...]:
    """A row per (layer, input shape or None): the object and, apart from it, the parameters [bytes].

    Source: tinymind docs/size-comparison.md, which gives double and Q8.8, for 2-D layers float.
    """
    size = value(weights, pointer_bytes).size
    return tuple(
        LayerRow(
            f"{layer} on {shape}" if shape else str(layer),
            weights,
            layer_bytes(layer, weights, shape, pointer_bytes),
            layer.params,
            layer.params * size,
        )
        for layer, shape in layers
    )


def liquid_table(weights: str, cells: Iterable[LTC | CfC] = LIQUID_CELLS) -> tuple[LayerRow, ...]:
    """A row per cell with a linear readout to one number: parameters only, there is no object [bytes].

    Source: tinymind docs/size-comparison.md, liquid cells: m + 1 values for the readout of m neurons.
    """
    size = value(weights).size
    params = [(cell, cell.params + L.Dense(cell.hidden_features, 1).params) for cell in cells]
    return tuple(LayerRow(f"{cell} and readout", weights, None, n, n * size) for cell, n in params)
