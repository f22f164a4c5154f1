"""int8 layers without weights: sums, means, pools and tables, as two runtimes compute them.

    add        y = (S_a (a - Z_a) + S_b (b - Z_b)) / S_y + Z_y
    mean       y = M (sum of (x - Z_x)) / n + Z_y
    pools      on codes: the largest, or the mean with ties away from zero
    table      one code of the output for each of the 256 codes of the input
    softmax    e^(beta x_i) / sum of e^(beta x_k), to the nearest 1/256

Source: TensorFlow Lite 8-bit quantization specification; its kernels and those of XNNPACK.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from tinylib.cost import layers
from tinylib.formats.affine import Affine, clamp, multiplier
from tinylib.nets.arithmetic import FLOAT
from tinylib.nets.int8_layers import Int8Layer, ends
from tinylib.nets.int8_ops import HIGH, LOW, Array, Requantizer, Rule, scaled
from tinylib.nets.windows import fitted, padded, taps, windows

TANH_CODE, SIGMOID_CODE = Affine(1 / 128, 0), Affine(1 / 256, -128)


@dataclass(frozen=True, eq=False)
class Int8Add(Int8Layer):
    """Sum of two tensors of one shape (a shortcut).

    double   each input moved left by 20 bits, brought to twice the larger scale, summed and brought to
             the output, each step rounded twice
    single   both inputs times 21-bit factors in the scale of the output, one rounding for the sum
    """

    sources: tuple[Affine, Affine]
    target: Affine
    activation: str = "linear"

    layer = layers.Add()

    @cached_property
    def _factors(self) -> tuple[list[tuple[int, int]], tuple[int, int]]:
        twice = 2 * max(s.scale for s in self.sources)
        each = [multiplier(1.0, s.scale, twice) for s in self.sources]
        return each, multiplier(1.0, twice, self.target.scale * 2**20)

    def forward(self, a: Array, b: Array, rule: Rule = "double") -> Array:
        """Codes of a + b, shaped as both."""
        self.layer.out_shape(a.shape, b.shape)
        apart = [x.astype(np.int64) - s.zero_point for x, s in zip((a, b), self.sources)]
        if rule == "single":
            ratios = [s.scale / self.target.scale for s in self.sources]
            shift = 21 - int(np.frexp(max(ratios))[1])
            total = sum(x * round(r * 2.0**shift) for x, r in zip(apart, ratios))
            y = (total + (1 << (shift - 1))) >> shift
        else:
            each, whole = self._factors
            y = scaled(sum(scaled(x << 20, *f, rule) for x, f in zip(apart, each)), *whole, rule)
        return clamp(y + self.target.zero_point, *ends(self.activation, self.target)).astype(np.int8)


@lru_cache(maxsize=64)
def _mean(source: Affine, target: Affine, n: int, rule: Rule) -> Requantizer:
    """M / n of a sum of n codes: the multiplier is divided in integers, after room is made for it."""
    raw, shift = multiplier(source.scale, 1.0, target.scale)
    room = n.bit_length() - 1
    raw, shift, bias, bound = np.array(
        [[(raw << room) // n], [shift + room], [-n * source.zero_point], [-n * LOW]]
    )
    return Requantizer(raw, shift, bias, bound, target.zero_point, rule=rule)


@dataclass(frozen=True, eq=False)
class Int8Mean(Int8Layer):
    """Mean over all places: (batch, height, width, c) -> (batch, c), or (batch, 1, 1, c) if `keep`."""

    source: Affine
    target: Affine
    keep: bool = False

    layer = layers.GlobalAvgPool2D()

    def forward(self, x: Array, rule: Rule = "double") -> Array:
        """Codes of the mean over all places of codes x (batch, height, width, c)."""
        self.layer.out_shape(x.shape[1:])
        total = x.sum((1, 2), np.int64, keepdims=self.keep)
        return _mean(self.source, self.target, x.shape[1] * x.shape[2], rule)(total)


@dataclass(frozen=True, eq=False)
class _Int8Pool(Int8Layer):
    """A window over each channel; the code of the input is that of the output."""

    kernel_size: layers.Pair
    target: Affine
    stride: layers.Pair | None = None
    padding: str | layers.Pair = "valid"
    activation: str = "linear"

    kind = layers.MaxPool2D

    @cached_property
    def layer(self) -> Any:
        """The layer that counts it."""
        return self.kind(self.kernel_size, self.stride, self.padding)

    def _ended(self, y: Array) -> Array:
        if self.activation != "linear":
            y = clamp(y, *ends(self.activation, self.target))
        return y.astype(np.int8)


class Int8MaxPool2D(_Int8Pool):
    """Largest code under each window."""

    def forward(self, x: Array, rule: Rule = "double") -> Array:
        """Codes (batch, height', width', c) of codes x (batch, height, width, c); nothing is rounded."""
        g = fitted(self.layer, x)
        wide = padded(x, g, LOW)
        views = [wide[seen] for _, seen in taps(g)]
        y = views[0]
        for view in views[1:]:
            y = np.maximum(y, view)
        return self._ended(y)


class Int8AvgPool2D(_Int8Pool):
    """Mean code of each window, margins left out, ties away from zero."""

    kind = layers.AvgPool2D

    def forward(self, x: Array, rule: Rule = "double") -> Array:
        """Codes (batch, height', width', c) of codes x (batch, height, width, c), the same by both rules."""
        g = fitted(self.layer, x)
        total = windows(padded(x, g), g).sum((3, 4), np.int64)
        n = windows(padded(np.ones((1, *g.sizes, 1), np.int64), g), g).sum((3, 4))
        size = (np.abs(total) + n // 2) // n
        return self._ended(np.where(total < 0, -size, size))


@dataclass(frozen=True, eq=False)
class Int8Table(Int8Layer):
    """A function of one number as 256 codes: tanh, sigmoid or any other activation."""

    function: str
    source: Affine
    target: Affine

    @cached_property
    def table(self) -> Array:
        """The code of f(x) for every code of x, from -128 on (256,)."""
        y = FLOAT.apply(self.function, self.source.dequantize(np.arange(LOW, HIGH + 1.0)))
        return self.target.quantize(y).astype(np.int8)

    def forward(self, x: Array, rule: Rule = "double") -> Array:
        """Codes, shaped as x; the same by both rules."""
        return self.table[x.astype(np.intp) - LOW]


@dataclass(frozen=True, eq=False)
class Int8Softmax(Int8Layer):
    """Softmax over the last axis: the exact real function of the codes, to the nearest 1/256."""

    source: Affine
    beta: float = 1.0
    target: Affine = SIGMOID_CODE

    def forward(self, x: Array, rule: Rule = "double") -> Array:
        """Codes, shaped as x; the same by both rules."""
        z = self.beta * self.source.dequantize(x.astype(np.float64))
        e = np.exp(z - z.max(-1, keepdims=True))
        return self.target.quantize(e / e.sum(-1, keepdims=True)).astype(np.int8)


@dataclass(frozen=True, eq=False)
class Int8Flatten(Int8Layer):
    """All codes of a sample in one row."""

    target: Affine

    def forward(self, x: Array, rule: Rule = "double") -> Array:
        """Codes (batch, features) of codes x (batch, ...)."""
        return x.reshape(len(x), -1)
