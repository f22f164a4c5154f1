"""Dense layers with weights of one or two bits, trained through real ones, and run on packed words.

    binary   y_o = b_o + sum_i sign(x_i) sign(w_io)     sign(0) = +1
    ternary  y_o = b_o + sum_i x_i t_io                 t = 0 where |w| < theta, else sign(w)
                                                        theta = percent / 100 * mean |w|
    scaled   y_o = b_o + alpha_o sum_i ...              alpha_o = mean_i |w_io|, of the weights that are not 0
    and an activation, y = f(...), behind each of them

The steps of sign and t have slope 0, so `back` looks through them (straight-through estimator): the latent
weight w gets the gradient of the weight that stands for it, in a binary layer only while |w| <= 1; x gets
what the quantized weights send back. A `scaled` layer adds the true derivative of alpha.
Source: Hubara et al., Binarized Neural Networks, arXiv 1602.02830, eqs. 1 and 4; Li et al., Ternary Weight
Networks, arXiv 1605.04711, eqs. 4-6; Rastegari et al., XNOR-Net, arXiv 1603.05279, eqs. 6 and 11.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from tinylib.cost import sequence
from tinylib.cost.layers import count
from tinylib.formats import bits as packing
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Array, Fixed
from tinylib.nets.params import Arrays, Params, features, shaped
from tinylib.nets.scan import merged

BLOCK_WORDS = 2**18  # 2 MiB: what one pass of `xnor_matmul` holds, long for numpy and short for a cache


def signs(x: Array) -> Array:
    """+1 where x >= 0, else -1, in the type of x; NaN stays NaN."""
    return np.sign(x) + (x == 0)


def _mean(total: Array, n: Any, ops: Arithmetic) -> Array:
    """total / n for a whole number n that the format need not hold; sums of codes are cut down."""
    return total // n if isinstance(ops, Fixed) else (total / n).astype(ops.dtype)


@dataclass(frozen=True)
class _LowBit(Params):
    """What binary and ternary layers share.

    w (..., n, m): latent weights, of which forward uses the quantized ones alone
    b (..., m): biases
    scaled: outputs carry alpha, one factor per output
    activation: before a binary layer choose tanh, which moves no sign, but keeps `back` from pushing sums
    that are already far from 0; ternary layers need a bend such as relu
    A sum that a narrow Q format cannot hold wraps or saturates as `ops.overflow` says.
    """

    w: Array
    b: Array
    scaled: bool = False
    activation: str = "linear"

    bits = 1

    def __post_init__(self) -> None:
        self._dense()

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        n_in: int,
        n_out: int,
        ops: Arithmetic = FLOAT,
        seeds: tuple[int, ...] = (),
        **static: Any,
    ) -> Self:
        """Latent weights uniform in +-sqrt(6 / (n + m)), biases 0; `seeds` are leading axes."""
        limit = np.sqrt(6 / (count("n_in", n_in) + count("n_out", n_out)))
        w = rng.uniform(-limit, limit, (*seeds, n_in, n_out))
        return cls(ops.number(w), ops.number(np.zeros((*seeds, n_out))), **static)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Leading axes: independent layers."""
        return self.w.shape[:-2]

    def quantized(self, ops: Arithmetic = FLOAT) -> Array:
        """The weights in use (..., n, m): -1, 0 or +1, in the type of w."""
        raise NotImplementedError

    def alpha(self, ops: Arithmetic = FLOAT) -> Array:
        """Factors (..., 1, m): the mean magnitude of the latent weights that are in use."""
        used = self.quantized(ops) != 0
        n = np.maximum(used.sum(-2, keepdims=True), 1)
        return _mean(np.sum(abs(self.w) * used, axis=-2, keepdims=True), n, ops)

    def _seen(self, x: Array, ops: Arithmetic) -> Array:
        raise NotImplementedError

    def _passed(self, g: Array, ops: Arithmetic) -> Array:
        raise NotImplementedError

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """y (..., batch, m) of x (..., batch, n), and the tape."""
        features(self, x, self.w.shape[-2])
        seen = self._seen(x, ops)
        weights = self.quantized(ops) * ops.whole(1)
        dots = ops.dot(seen, weights)
        alpha = self.alpha(ops) if self.scaled else None
        z = ops.add(self.b[..., None, :], dots if alpha is None else ops.mul(alpha, dots))
        y = ops.apply(self.activation, z)
        return y, (seen, weights, dots, alpha, z, y)

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """dx (..., batch, n) and the gradients of w and b, for delta (..., batch, m)."""
        grads, d = self._gradients(tape, delta, ops)
        return ops.dot(d, np.swapaxes(tape[1], -1, -2)), grads

    def grads(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> Arrays:
        """The gradients of `back` alone, for a first layer, whose dx nobody reads."""
        return self._gradients(tape, delta, ops)[0]

    def _gradients(self, tape: Any, delta: Array, ops: Arithmetic) -> tuple[Arrays, Array]:
        seen, weights, dots, alpha, z, y = tape
        shaped(delta, y)
        if self.activation != "linear":
            delta = ops.mul(delta, ops.slope(self.activation, z, y))
        d = passed = delta if alpha is None else ops.mul(alpha, delta)
        if delta.ndim > weights.ndim:  # time steps share the weights: each is one more sample
            seen, delta, dots, passed = (merged(a, weights.ndim) for a in (seen, delta, dots, d))
        g = self._passed(ops.outer(seen, passed), ops)
        if alpha is not None:
            used = np.maximum((weights != 0).sum(-2, keepdims=True), 1)
            to_alpha = _mean(ops.total(ops.mul(delta, dots), -2)[..., None, :], used, ops)
            g = ops.add(g, np.sign(weights) * to_alpha)
        return {"w": g, "b": ops.total(delta, -2)}, d

    def packed(self, ops: Arithmetic = FLOAT) -> "Packed":
        """What inference needs, and no more; `ops` is the arithmetic of w and b."""
        if self.seeds:
            raise ValueError(f"packed must be asked of one layer, got leading axes {self.seeds}")
        alpha = self.alpha(ops)[0] if self.scaled else None
        words = pack(self.quantized(ops), self.bits)
        return Packed(words, self.b, self.w.shape[0], self.bits, alpha, self.activation)


@dataclass(frozen=True)
class BinaryDense(_LowBit):
    """Weights and inputs -1 or +1: one bit each, +1 from 0 upwards."""

    @property
    def layer(self) -> sequence.BinaryDense:
        """The layer that counts one of them."""
        return sequence.BinaryDense(*self.w.shape[-2:])

    def quantized(self, ops: Arithmetic = FLOAT) -> Array:
        """The weights in use (..., n, m): -1 or +1, in the type of w."""
        return signs(self.w)

    def _seen(self, x: Array, ops: Arithmetic) -> Array:
        return signs(x) * ops.whole(1)

    def _passed(self, g: Array, ops: Arithmetic) -> Array:
        return g * (abs(self.w) <= ops.one)  # a latent weight far out cannot flip: leave it there


@dataclass(frozen=True)
class TernaryDense(_LowBit):
    """Weights -1, 0 or +1, inputs real: only additions and subtractions.

    percent: share of the mean magnitude below which a weight is 0 (70: Li et al., eq. 6)
    The mean is formed exactly and fits whatever the format: it is no larger than the largest weight.
    """

    percent: int = 70

    bits = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        count("percent", self.percent, 0)

    @property
    def layer(self) -> sequence.TernaryDense:
        """The layer that counts one of them."""
        return sequence.TernaryDense(*self.w.shape[-2:])

    def threshold(self, ops: Arithmetic = FLOAT) -> Array:
        """theta (..., 1, 1): percent / 100 of the mean magnitude."""
        n, m = self.w.shape[-2:]
        mean = _mean(np.sum(abs(self.w), axis=(-2, -1), keepdims=True), n * m, ops)
        return ops.mul(mean, ops.div(self.percent, 100))

    def quantized(self, ops: Arithmetic = FLOAT) -> Array:
        """The weights in use (..., n, m): -1, 0 or +1, in the type of w."""
        return signs(self.w) * (abs(self.w) >= self.threshold(ops))

    def _seen(self, x: Array, ops: Arithmetic) -> Array:
        return x

    def _passed(self, g: Array, ops: Arithmetic) -> Array:
        return g


# ---- packed words


def pack(weights: Array, bits: int = 1) -> Array:
    """Weights (n, m) of -1, (0,) +1 as (words,) uint32, by the layout of `formats.bits`, output by output."""
    known = {1: [-1, 1], 2: [-1, 0, 1]}.get(bits)
    if known is None or not np.isin(weights, known).all():
        raise ValueError(f"weights must be -1 or 1 at 1 bit, -1, 0 or 1 at 2 bits, got others at {bits}")
    rows = np.ravel(np.swapaxes(weights, -1, -2))
    planes = rows > 0 if bits == 1 else np.stack((rows > 0, rows < 0), axis=-1)
    held = np.packbits(planes.ravel(), bitorder="little")
    return np.pad(held, (0, -len(held) % 4)).view("<u4")


def unpack(words: Array, n_in: int, n_out: int, bits: int = 1) -> Array:
    """Weights (n, m) int8 that `pack` stored; raises for too few words and for the ternary code 11."""
    values = n_in * n_out
    if len(words) < packing.words_needed(values, bits):
        raise ValueError(f"{n_in} x {n_out} weights at {bits} bit do not fit into {len(words)} words")
    plane = np.unpackbits(words.astype("<u4").view(np.uint8), count=values * bits, bitorder="little")
    plane = plane.astype(np.int8).reshape(n_out, n_in, bits)
    if bits == 1:
        return (2 * plane[..., 0] - 1).T
    if (plane.sum(-1) == 2).any():
        raise ValueError("ternary code must be 00, 01 or 10, got 11")
    return (plane[..., 0] - plane[..., 1]).T


def pack_signs(x: Array) -> Array:
    """Signs of x (..., n) as (..., words) uint64, each row on words of its own, spare bits 0."""
    if x.dtype.kind == "f" and np.isnan(x).any():
        raise ValueError("x must not hold NaN: it has no sign, and a bit cannot pass it on")
    held = np.packbits(x >= 0, axis=-1, bitorder="little")
    if spare := -held.shape[-1] % 8:
        held = np.pad(held, [(0, 0)] * (held.ndim - 1) + [(0, spare)])
    return np.ascontiguousarray(held).view("<u8")


def xnor_matmul(x: Array, planes: Array, n: int) -> Array:
    """Dot products (batch, m) of +-1 rows of n values: x (batch, words) packed, `planes` (words, m) uint64.

    n - 2 popcount(a XOR b): spare bits agree and count nothing. Word j of all outputs lies side by side, so
    a block of words is three passes over memory in a row: XOR, count, sum.
    """
    words, m = planes.shape
    block = min(max(1, BLOCK_WORDS // m), 1023)  # 1,023 counts of at most 64 fit into 16 bits
    dots = np.full((len(x), m), n)
    for first in range(0, words, block):
        part = slice(first, first + block)
        for row, out in zip(x[:, part, None], dots):
            out -= 2 * np.bitwise_count(planes[part] ^ row).sum(0, dtype=np.uint16).astype(np.int64)
    return dots


@dataclass(frozen=True)
class Packed:
    """A binary or ternary layer as it lies in flash.

    words (words,) uint32: weights without gaps, output by output; b (m,): biases; alpha (m,) or None
    """

    words: Array
    b: Array
    n_in: int
    bits: int = 1
    alpha: Array | None = None
    activation: str = "linear"

    @property
    def nbytes(self) -> int:
        """Bytes of the weights [bytes]; biases are not in it."""
        return self.words.nbytes

    @cached_property
    def weights(self) -> Array:
        """The weights (n, m) as int8: -1, 0 or +1."""
        return unpack(self.words, self.n_in, len(self.b), self.bits)

    @cached_property
    def planes(self) -> Array:
        """Binary weights (words, m) for `xnor_matmul`: each output on words of its own, word by word."""
        return np.ascontiguousarray(pack_signs(self.weights.T).T)

    def infer(self, x: Array, ops: Arithmetic = FLOAT) -> Array:
        """Outputs (batch, m) of x (batch, n): equal to the layer's forward, from the bits alone."""
        if np.ndim(x) != 2 or x.shape[1] != self.n_in:
            raise ValueError(f"x must have the shape (batch, {self.n_in}), got {np.shape(x)}")
        if self.bits == 1:
            dots = xnor_matmul(pack_signs(x), self.planes, self.n_in)
            dots = ops.fit(dots * ops.whole(1)) if isinstance(ops, Fixed) else dots.astype(ops.dtype)
        else:
            dots = ops.dot(x, self.weights.astype(x.dtype) * ops.whole(1))
        z = ops.add(self.b, dots if self.alpha is None else ops.mul(self.alpha, dots))
        return ops.apply(self.activation, z)
