"""Networks in int8: layers on named tensors, run as one of two runtimes would, and made from float ones.

Quantizing after training takes the range of every tensor from calibration data:

    weights       symmetric, one scale per output channel       S = max|w| / 127
    activations   asymmetric, one code per tensor               the range seen, with zero in it
    biases        int32 in steps of S_x S_w; ReLU is a clamp of the output codes

Source: Jacob et al., arXiv 1712.05877, sections 2 and 3; Krishnamoorthi, arXiv 1806.08342, section 3.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinylib.cost.layers import Shape
from tinylib.cost.models import INPUT, Model, Node
from tinylib.formats.affine import Affine, asymmetric, clamp, code_range, rounded
from tinylib.nets import conv, pool
from tinylib.nets.arithmetic import FLOAT
from tinylib.nets.dense import Dense
from tinylib.nets.int8_layers import ENDS, Int8Conv2D, Int8Dense, Int8DepthwiseConv2D, Int8Layer
from tinylib.nets.int8_ops import Array
from tinylib.nets.int8_pool import (
    SIGMOID_CODE,
    TANH_CODE,
    Int8AvgPool2D,
    Int8Flatten,
    Int8MaxPool2D,
    Int8Mean,
    Int8Table,
)
from tinylib.nets.network import Network
from tinylib.units import shown

RUNTIMES = ("reference", "xnnpack")
FIXED_CODES = {"tanh": TANH_CODE, "sigmoid": SIGMOID_CODE}  # the range is known beforehand


@dataclass(frozen=True)
class Step:
    """One layer in a network: the tensors that it reads, and the one that it makes."""

    layer: Int8Layer
    reads: tuple[str, ...]
    makes: str


@dataclass(frozen=True)
class Int8Network:
    """Layers in the order they run, on named tensors; "input" is the first, the last one made the output."""

    steps: tuple[Step, ...]
    source: Affine

    def __post_init__(self) -> None:
        known = {"input"}
        for step in self.steps:
            if missing := set(step.reads) - known:
                raise ValueError(
                    f"a step must read what was made before it, got {', '.join(sorted(missing))}"
                )
            known.add(step.makes)
        if not self.steps:
            raise ValueError("a network must have at least one step, got none")

    @property
    def target(self) -> Affine:
        """The code of the output."""
        return self.steps[-1].layer.target

    @property
    def weight_bytes(self) -> int:
        """Weights and 32-bit biases [bytes]; scales and the program come on top."""
        return sum(step.layer.weight_bytes for step in self.steps)

    def model(self, in_shape: Shape, name: str = "network") -> Model:
        """The description that counts it; tables and reshapes, which cost nothing there, are passed over."""
        nodes, known = [], {"input": INPUT}
        for step in self.steps:
            src = tuple(known[name] for name in step.reads)
            known[step.makes] = step.makes if step.layer.layer else src[0]
            nodes += [Node(step.makes, step.layer.layer, src)] if step.layer.layer else []
        return Model(name, in_shape, tuple(nodes))

    def tensors(self, x: Array, runtime: str = "reference") -> dict[str, Array]:
        """Every tensor by name, for codes x (batch, ...), as one of RUNTIMES computes it."""
        if runtime not in RUNTIMES:
            raise ValueError(f"runtime must be one of {', '.join(RUNTIMES)}, got {shown(runtime)}")
        if x.dtype != np.int8:
            raise TypeError(f"x must be int8 codes, got {x.dtype}")
        found = {"input": x}
        for step in self.steps:
            reads = [found[name] for name in step.reads]
            found[step.makes] = step.layer.forward(*reads, rule=step.layer.rules[runtime])
        return found

    def forward(self, x: Array, runtime: str = "reference") -> Array:
        """Output codes of input codes x (batch, ...)."""
        return self.tensors(x, runtime)[self.steps[-1].makes]

    def predict(self, x: Array, runtime: str = "reference") -> Array:
        """Output as real numbers for an input of real numbers."""
        codes = self.source.quantize(np.asarray(x, np.float64)).astype(np.int8)
        return self.target.dequantize(self.forward(codes, runtime).astype(np.float64))


def _code(values: Array) -> Affine:
    """The code of the range of some values, widened to zero."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    code = asymmetric(low, high if high > low else low + 1.0, signed=True)
    return Affine(float(np.float32(code.scale)), code.zero_point)  # a scale as model files store it


def _integers(w: Array, b: Array, channel: int | tuple[int, ...], source: Affine) -> dict[str, Array]:
    """Weights, scales and bias of a layer; `channel` are the axes of w that name its output channel."""
    rest = tuple(a for a in range(w.ndim) if a not in np.atleast_1d(channel))
    largest = np.abs(w).max(rest, keepdims=True)
    least = np.abs(b).reshape(largest.shape) / (source.scale * 2**30)  # the bias has to fit into 32 bits
    scales = (
        np.maximum(np.where(largest > 0, largest, 1.0) / 127, least).astype(np.float32).astype(np.float64)
    )
    codes = clamp(rounded(w / scales), -127, 127).astype(np.int8)
    bias = clamp(rounded(b / (source.scale * scales.ravel())), *code_range(32)).astype(np.int32)
    return {"weights": codes, "scales": scales.ravel(), "bias": bias}


def _weighted(part: Any, source: Affine, target: Affine) -> Int8Layer:
    """The int8 form of a part with weights; an activation that is no clamp is left to a table."""
    activation = part.activation if part.activation in ENDS else "linear"
    codes = {"source": source, "target": target, "activation": activation}
    if isinstance(part, Dense):
        return Int8Dense(**_integers(part.w.T, part.b, 0, source), **codes)
    window = {"stride": part.stride, "padding": part.padding, "dilation": part.dilation}
    depthwise = isinstance(part, conv.DepthwiseConv2D)
    found = _integers(part.w, part.b, (2, 3) if depthwise else 0, source)
    kind = Int8DepthwiseConv2D if depthwise else Int8Conv2D
    return kind(**found, **codes, **window)


def _steps(part: Any, x: Array, y: Array, source: Affine) -> Iterable[Int8Layer]:
    """The int8 layers of one part, which makes y of x; tensors are real numbers."""
    if isinstance(part, (Dense, conv.Conv2D, conv.PointwiseConv2D, conv.DepthwiseConv2D)):
        if part.activation in ENDS:
            return [_weighted(part, source, _code(y))]
        z = replace(part, activation="linear").forward(x)[0]
        before, after = _code(z), FIXED_CODES.get(part.activation) or _code(y)
        return [_weighted(part, source, before), Int8Table(part.activation, before, after)]
    if isinstance(part, pool.GlobalAvgPool2D):
        return [Int8Mean(source, _code(y))]
    if isinstance(part, (pool.MaxPool2D, pool.AvgPool2D)) and part.layer.axes == 2:
        kind = Int8AvgPool2D if isinstance(part, pool.AvgPool2D) else Int8MaxPool2D
        return [kind(part.kernel_size, source, part.stride, part.padding)]
    if isinstance(part, pool.Flatten):
        return [Int8Flatten(source)]
    if isinstance(part, pool.Dropout):
        return []
    raise TypeError(f"a part must have an int8 form, got {type(part).__name__}")


def from_float(network: Network, data: Array, source: Affine | None = None) -> Int8Network:
    """A float network in int8, every range taken from calibration data (batch, ...) of real numbers.

    `source` is the code of the input; None takes the range of the data.
    """
    x = np.asarray(FLOAT.number(data))
    code = first = source or _code(x)
    steps: list[Step] = []
    for part in network.parts:
        y = part.forward(x)[0]
        for layer in _steps(part, x, y, code):
            reads = steps[-1].makes if steps else "input"
            steps.append(Step(layer, (reads,), f"{type(layer).__name__}_{len(steps)}"))
            code = layer.target
        x = y
    return Int8Network(tuple(steps), first)
