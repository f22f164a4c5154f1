"""Requantization: from a 32-bit accumulator back to int8, without a floating-point unit or with one.

    y = acc M + Z,   M = raw 2^-(31 + shift)

    single   y = floor(acc M + 1/2) + Z                            one rounding, ties upwards
    double   h = floor(acc raw 2^-31 + 1/2)                        the high half of the product,
             y = h 2^-shift rounded, ties away from zero, + Z      then a rounding shift

Both are one floor: `double` is floor(acc M + 1/2 + 2^-(shift+1)) for acc >= 0 and 2^-shift less below,
since floor(floor(a) / n) = floor(a / n); for shift <= 0 the two rules agree. A float64 holds that sum
exactly while |acc| raw stays within 2^53, which `Requantizer` checks; beyond, it works in int64.
Source: Jacob et al., arXiv 1712.05877, section 2.2; gemmlowp, fixedpoint.h (double);
TOSA 1.0, RESCALE (single).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from tinylib.formats.affine import clamp, code_range, multiplier
from tinylib.nets.matmul import EXACT
from tinylib.units import shown

Array = np.ndarray
Rule = Literal["double", "single"]
RULES = ("double", "single")
LOW, HIGH = code_range(8)
LOW32, HIGH32 = code_range(32)


def high_product(a: Array, b: Array | int) -> Array:
    """The high half of 2 a b for 32-bit integers, to the nearest; -2^31 times itself is held at the end."""
    return np.minimum((np.asarray(a, np.int64) * b + (1 << 30)) >> 31, HIGH32)


def rounding_shift(x: Array, bits: Array | int) -> Array:
    """x / 2^bits to the nearest integer, ties away from zero; bits <= 0 leaves x."""
    bits = np.maximum(bits, 0)
    return (x + ((1 << bits) >> 1) - ((np.asarray(x) < 0) & (bits > 0))) >> bits


def scaled(acc: Array, raw: Array | int, shift: Array | int, rule: Rule = "double") -> Array:
    """acc M as integers, by one of the two rules; acc and raw (c,) are integers of 32 bits.

    A negative shift goes left first, held at the ends of 32 bits.
    """
    acc, shift = np.asarray(acc, np.int64), np.asarray(shift)
    if rule == "single":
        total = 31 + shift
        return (acc * raw + (1 << (total - 1))) >> total
    if rule != "double":
        raise ValueError(f"rule must be one of {', '.join(RULES)}, got {shown(rule)}")
    left = np.clip(acc << np.clip(-shift, 0, 31), LOW32, HIGH32)
    return rounding_shift(high_product(left, raw), shift)


def multipliers(source: float, weights: Array, target: float) -> tuple[Array, Array]:
    """M = S_source S_w / S_target of every channel as (raw, shift), both (c,); below 2^-32 it is 0."""
    pairs = [multiplier(source, float(s), target) for s in np.atleast_1d(weights)]
    return tuple(np.array([(raw, shift) if shift <= 31 else (0, 0) for raw, shift in pairs], np.int64).T)


@dataclass(frozen=True, eq=False)
class Requantizer:
    """Accumulators (..., c) to int8 codes, with a bias and the two ends of an activation.

    raw, shift, bias: (c,), int64      bound (c,): no |acc| is larger, without the bias
    zero_point, low, high: of the output [codes]
    """

    raw: Array
    shift: Array
    bias: Array
    bound: Array
    zero_point: int
    low: int = LOW
    high: int = HIGH
    rule: Rule = "double"

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(f"rule must be one of {', '.join(RULES)}, got {shown(self.rule)}")
        if not -30 <= self.shift.min(initial=0) <= self.shift.max(initial=0) <= 31:
            raise ValueError(f"shift must lie between -30 and 31: beyond, no code is left, got {self.shift}")
        if (largest := int(self.total.max(initial=0))) > HIGH32:
            raise ValueError(f"accumulators must fit into 32 bits: up to {HIGH32}, got up to {largest}")

    @property
    def total(self) -> Array:
        """Largest magnitude of an accumulator with its bias (c,)."""
        return self.bound + np.abs(self.bias)

    @cached_property
    def exact(self) -> bool:
        """Whether float64 holds every step: all are multiples of 2^-(31 + shift) below 2^53 of them."""
        units = [int(t) * int(q) for t, q in zip(self.total, self.raw)]
        offsets = [(abs(self.zero_point) + 1) << (31 + int(s)) for s in self.shift]
        return all(u + o <= EXACT for u, o in zip(units, offsets))

    @cached_property
    def _row(self) -> tuple[Array, Array, Array | None, Array]:
        """M, what is added before the floor, where acc turns negative, and what is then taken off."""
        m = np.ldexp(self.raw.astype(np.float64), -31 - self.shift)
        twice = (self.rule == "double") & (self.shift > 0)
        edge = self.zero_point + 0.5 + twice * np.ldexp(0.5, -self.shift)
        below = twice.any() and self.low < self.zero_point  # else whatever is negative is clamped anyway
        return m, edge + self.bias * m, edge if below else None, twice * np.ldexp(1.0, -self.shift)

    def __call__(self, acc: Array) -> Array:
        """Codes (..., c), int8, of accumulators without their bias; acc may be floats that hold integers."""
        if not self.exact:
            whole = scaled(acc.astype(np.int64) + self.bias, self.raw, self.shift, self.rule)
            return clamp(whole + self.zero_point, self.low, self.high).astype(np.int8)
        m, offset, edge, step = self._row
        y = np.multiply(acc, m, dtype=np.float64)
        y += offset
        if edge is not None:
            y -= step * (y < edge)
        np.floor(y, out=y)
        np.maximum(y, self.low, out=y)
        np.minimum(y, self.high, out=y)
        return y.astype(np.int8)
