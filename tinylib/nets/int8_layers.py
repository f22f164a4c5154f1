"""int8 layers with weights: integers in, integers out, as two runtimes compute them.

    acc = sum over the taps of w_q (x_q - Z_x) + b_q      y_q = clamp(requantized(acc) + Z_y)

Arrays are int8 codes (batch, height, width, channels) or (batch, features); `Affine` says what they mean.
Weights have no zero point and one scale per output channel. Which rounding rule holds depends on the
runtime *and* on the operator, so every layer has `rules`: runtime -> rule. "reference" are the reference
kernels of TensorFlow Lite, "xnnpack" its usual ones on a CPU.
Sums are float32 or float64 matrix products: exact, since every partial sum stays below 2^24 or 2^53.
Source: Jacob et al., arXiv 1712.05877; TensorFlow Lite 8-bit quantization specification.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from tinylib.cost import layers
from tinylib.formats.affine import Affine
from tinylib.nets.conv import depthwise_sums
from tinylib.nets.int8_ops import HIGH, LOW, RULES, Array, Requantizer, Rule, multipliers
from tinylib.nets.windows import fitted, padded, rows
from tinylib.units import shown

ENDS = {"linear": (None, None), "relu": (0.0, None), "relu6": (0.0, 6.0)}


def ends(activation: str, code: Affine) -> tuple[int, int]:
    """Smallest and largest code that an activation lets through [codes]."""
    if activation not in ENDS:
        raise ValueError(f"activation must be one of {', '.join(ENDS)}, got {shown(activation)}")
    low, high = ENDS[activation]
    return (LOW if low is None else code.quantize(low)), (HIGH if high is None else code.quantize(high))


class Int8Layer:
    """What every layer has: `forward(*xs, rule)`, `target` (the code of its output) and these rules."""

    rules: Mapping[str, Rule] = {"reference": "double", "xnnpack": "single"}
    layer: Any = None
    weight_bytes = 0

    def forward(self, *xs: Array, rule: Rule = "double") -> Array:
        """Codes out for codes in, both int8."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class _Weighted(Int8Layer):
    """Integer weights with a scale per output channel.

    weights: int8, laid out as the layer says     scales (c_out,) or (1,): S_w
    bias (c_out,): int32, in steps of S_x S_w     source, target: codes of input and output
    """

    weights: Array
    scales: Array
    bias: Array
    source: Affine
    target: Affine
    activation: str = "linear"

    def __post_init__(self) -> None:
        outputs = self.matrix.shape[-1]
        if self.weights.dtype != np.int8:
            raise TypeError(f"weights must be int8, got {self.weights.dtype}")
        for name, sizes in (("scales", (1, outputs)), ("bias", (outputs,))):
            value = np.asarray(getattr(self, name))
            if value.shape not in [(n,) for n in sizes]:
                raise ValueError(f"{name} must hold one value per output: {outputs}, got shape {value.shape}")
        _ = self.requantizers  # their checks are ours

    @property
    def matrix(self) -> Array:
        """Weights as a matrix with one column per output channel."""
        raise NotImplementedError

    @property
    def weight_bytes(self) -> int:
        """Weights and 32-bit biases [bytes]."""
        return self.weights.size + 4 * self.bias.size

    @cached_property
    def requantizers(self) -> dict[str, Requantizer]:
        """By rule. The zero point of the input is moved into the bias: w (x - Z) = w x - Z w."""
        raw, shift = multipliers(self.source.scale, self.scales, self.target.scale)
        w = self.matrix.astype(np.int64)
        raw, shift = (np.broadcast_to(v, w.shape[-1:]) for v in (raw, shift))
        bias = self.bias.astype(np.int64) - self.source.zero_point * w.sum(0)
        low, high = ends(self.activation, self.target)
        bound = -LOW * np.abs(w).sum(0)
        rest = (bias, bound, self.target.zero_point, low, high)
        return {rule: Requantizer(raw, shift, *rest, rule) for rule in RULES}

    @cached_property
    def dtype(self) -> Any:
        """float32 while every partial sum stays below 2^24, else float64."""
        return np.float32 if self.requantizers["single"].bound.max(initial=0) <= 2**24 else np.float64

    @cached_property
    def factors(self) -> Array:
        """`matrix` in floating point, for BLAS."""
        return np.ascontiguousarray(self.matrix, self.dtype)

    def _requantized(self, acc: Array, rule: Rule) -> Array:
        if rule not in RULES:
            raise ValueError(f"rule must be one of {', '.join(RULES)}, got {shown(rule)}")
        return self.requantizers[rule](acc)


@dataclass(frozen=True, eq=False)
class Int8Dense(_Weighted):
    """Fully connected: weights (c_out, c_in); an input of any shape is one row per sample."""

    rules = {"reference": "single", "xnnpack": "single"}  # its reference kernel scales in floating point

    @property
    def matrix(self) -> Array:
        """(c_in, c_out)."""
        return self.weights.T

    @cached_property
    def layer(self) -> layers.Dense:
        """The layer that counts it."""
        return layers.Dense(*self.matrix.shape)

    def forward(self, x: Array, rule: Rule = "single") -> Array:
        """Codes (batch, c_out) of codes x (batch, ...)."""
        self.layer.out_shape(x.shape[1:])
        return self._requantized(x.reshape(len(x), -1).astype(self.dtype) @ self.factors, rule)


@dataclass(frozen=True, eq=False)
class Int8Conv2D(_Weighted):
    """Convolution: weights (c_out, k_h, k_w, c_in); margins hold the zero point of the input."""

    stride: layers.Pair = 1
    padding: str | layers.Pair = "valid"
    dilation: layers.Pair = 1

    @property
    def matrix(self) -> Array:
        """(k_h * k_w * c_in, c_out)."""
        return self.weights.reshape(len(self.weights), -1).T

    @cached_property
    def layer(self) -> layers.Conv2D:
        """The layer that counts it."""
        out, *kernel, c = self.weights.shape
        return layers.Conv2D(c, out, tuple(kernel), self.stride, self.padding, dilation=self.dilation)

    def forward(self, x: Array, rule: Rule = "double") -> Array:
        """Codes (batch, height', width', c_out) of codes x (batch, height, width, c_in)."""
        g = fitted(self.layer, x)
        columns = rows(x, g, self.source.zero_point, self.dtype)
        return self._requantized(columns @ self.factors, rule).reshape(len(x), *g.out)


@dataclass(frozen=True, eq=False)
class Int8DepthwiseConv2D(_Weighted):
    """Depthwise: weights (k_h, k_w, c, multiplier); output channel k reads channel k // multiplier."""

    stride: layers.Pair = 1
    padding: str | layers.Pair = "valid"
    dilation: layers.Pair = 1

    @property
    def matrix(self) -> Array:
        """(k_h * k_w, c * multiplier)."""
        return self.weights.reshape(prod(self.weights.shape[:2]), -1)

    @cached_property
    def layer(self) -> layers.DepthwiseConv2D:
        """The layer that counts it."""
        kh, kw, c, m = self.weights.shape
        return layers.DepthwiseConv2D(c, (kh, kw), self.stride, self.padding, m, dilation=self.dilation)

    def forward(self, x: Array, rule: Rule = "double") -> Array:
        """Codes (batch, height', width', c * multiplier) of codes x (batch, height, width, c)."""
        g = fitted(self.layer, x)
        wide = padded(x, g, self.source.zero_point, self.dtype)
        return self._requantized(depthwise_sums(wide, self.factors.reshape(self.weights.shape), g), rule)
