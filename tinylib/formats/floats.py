"""Floating point as a storage format, and NF4, the 4-bit code of normally distributed weights.

    value = (-1)^s 2^(e - bias) (1 + fraction 2^-f),  bias = 2^(E-1) - 1,  E exponent bits, f fraction bits
    step at x = 2^(max(floor(log2 |x|), 1 - bias) - f): relative above 2^(1 - bias), absolute below it
    NF4: 16 levels at quantiles of the normal distribution, scaled to -1..1 by the largest |w| of a block

Source: IEEE 754-2019, section 3; Micikevicius et al., FP8 Formats for Deep Learning, arXiv 2209.05433;
Dettmers et al., QLoRA, arXiv 2305.14314, sections 3 and E (levels, block sizes, double quantization).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from tinylib.cost.layers import count
from tinylib.units import real, shown


@dataclass(frozen=True)
class FloatFormat:
    """One sign bit, `exponent_bits` and `fraction_bits`; without infinity the top exponent counts too."""

    name: str
    exponent_bits: int
    fraction_bits: int
    infinity: bool = True

    def __post_init__(self) -> None:
        for name, low, high in ("exponent_bits", 2, 10), ("fraction_bits", 1, 52):
            if count(name, getattr(self, name)) not in range(low, high + 1):
                raise ValueError(f"{name} must lie in {low}..{high}, got {shown(getattr(self, name))}")

    def __str__(self) -> str:
        return self.name

    @property
    def bits(self) -> int:
        """Bits of one value [bit]."""
        return 1 + self.exponent_bits + self.fraction_bits

    @property
    def bias(self) -> int:
        """What is subtracted from the stored exponent [exponent]."""
        return 2 ** (self.exponent_bits - 1) - 1

    @property
    def max_value(self) -> float:
        """Largest finite value [unit of x]: all fraction bits set, or all but one where that one is NaN."""
        if self.infinity:
            return (2 - self.epsilon) * 2.0**self.bias
        return (2 - 2 * self.epsilon) * 2.0 ** (self.bias + 1)

    @property
    def epsilon(self) -> float:
        """Distance from 1.0 to the next value [unit of x]: 2^-f."""
        return 2.0**-self.fraction_bits

    @property
    def smallest_normal(self) -> float:
        """Smallest value with all fraction bits [unit of x]: 2^(1 - bias)."""
        return 2.0 ** (1 - self.bias)

    @property
    def smallest_step(self) -> float:
        """Smallest value above zero, and distance of values around zero [unit of x]: 2^(1 - bias - f)."""
        return self.smallest_normal * self.epsilon

    def step(self, x: float) -> float:
        """Distance of neighbouring values around x [unit of x]: the wider one, where x is a power of two."""
        size = max(abs(real("x", x)), self.smallest_normal)
        return math.ldexp(self.epsilon, math.frexp(size)[1] - 1)

    def rounded(self, x: float) -> float:
        """The nearest value of the format [unit of x], ties to even; infinity or the end beyond the range."""
        step = self.step(x)
        near = round(x / step) * step  # round() takes ties to even; a division by a power of two is exact
        if abs(near) <= self.max_value:
            return near
        return math.copysign(math.inf if self.infinity else self.max_value, x)

    def stored_bytes(self, values: int) -> int:
        """Bytes of `values` numbers [bytes]."""
        return -(-count("values", values, 0) * self.bits // 8)


FP32 = FloatFormat("FP32", 8, 23)
FP16 = FloatFormat("FP16", 5, 10)
BF16 = FloatFormat("BF16", 8, 7)
FP8_E5M2 = FloatFormat("FP8 E5M2", 5, 2)
FP8_E4M3 = FloatFormat("FP8 E4M3", 4, 3, infinity=False)
FORMATS = (FP32, FP16, BF16, FP8_E5M2, FP8_E4M3)

NF4_BLOCK = 64  # weights that share one constant
NF4_CONSTANTS = 256  # constants that share one constant of their own, with double quantization


def _quantiles(steps: int) -> list[float]:
    """Normal quantiles, evenly spaced in probability from the tail down to, and without, the middle."""
    tail = 1 - (1 / 32 + 1 / 30) / 2  # half a step of 16 and of 15 levels: their mean is cut off the tail
    return [NormalDist().inv_cdf(tail + (0.5 - tail) * i / steps) for i in range(steps)]


def _levels() -> tuple[float, ...]:
    below, above = _quantiles(7), _quantiles(8)
    return tuple(sorted([-q / below[0] for q in below] + [0.0] + [q / above[0] for q in above]))


NF4_LEVELS = _levels()  # 7 below zero, zero itself, 8 above


def nf4_block(values: Sequence[float]) -> tuple[tuple[int, ...], float]:
    """(codes 0..15, constant) of a block of weights: constant = max|w|, each w to its nearest level."""
    weights = [real("weight", value) for value in values]
    constant = max(map(abs, weights), default=0.0)
    scale = constant or 1.0
    codes = (min(range(16), key=lambda c, w=w: abs(NF4_LEVELS[c] - w / scale)) for w in weights)
    return tuple(codes), constant


def nf4_restored(codes: Sequence[int], constant: float) -> tuple[float, ...]:
    """The weights that codes 0..15 stand for."""
    for code in codes:
        if not hasattr(code, "__index__") or not 0 <= code < 16:
            raise ValueError(f"NF4 code must lie in 0..15: it has 4 bits, got {shown(code)}")
    return tuple(real("constant", constant) * NF4_LEVELS[code] for code in codes)


def nf4_bytes(values: int, block: int = NF4_BLOCK, double: bool = True) -> int:
    """Bytes of `values` weights in NF4 with their constants [bytes].

    A constant is an FP32 number, or 8 bits and a share in one FP32 number per 256 with double quantization:
    4 + 32 / 64 = 4.5 bits a weight, or 4 + 8 / 64 + 32 / (64 * 256) = 4.127.
    """
    blocks = -(-count("values", values, 0) // count("block", block))
    constants = blocks + 4 * -(-blocks // NF4_CONSTANTS) if double else 4 * blocks
    return -(-values // 2) + constants
