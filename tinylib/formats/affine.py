"""Affine quantization: a real number x is stored as the code q, with x ~ S (q - Z).

    asymmetric   S = (hi - lo) / (2^b - 1),  Z = q_min + round(-lo / S)
    symmetric    S = max|x| / (2^(b-1) - 1), Z = 0
    product      S_o (q_o - Z_o) = S_i S_w acc,  M = S_i S_w / S_o = m 2^-shift with m in [0.5, 1)

UINT8 has the codes 0..255, INT8 has -128..127: the same range gets the same S, and a Z that differs by
128. Written with + - * / // >> & < alone: x and q may be numbers or arrays, element by element. A
number comes back as an int where it is a code; an array keeps its own type.
Source: Jacob et al., arXiv 1712.05877, section 2.1 to 2.3, eqs. 1 to 7.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinylib.cost.layers import count
from tinylib.cost.memory import bit_width
from tinylib.formats.qformat import integers
from tinylib.units import real, shown

ROUNDINGS = ("floor", "nearest", "toward_zero")


def _is_array(value: Any) -> bool:
    return bool(getattr(value, "shape", ()))


def _positive(what: str, value: Any) -> Any:
    number = _element(what, value)
    if not (number > 0).all() if _is_array(number) else number <= 0:
        raise ValueError(
            f"{what} must be positive, got {shown(float(value.min()) if _is_array(value) else value)}"
        )
    return number


def _element(what: str, value: Any) -> Any:
    """A checked number or array; integers are widened, so that no difference wraps."""
    if not _is_array(value):
        return real(what, value)
    if value.dtype.kind in "iu":
        return integers(what, value)
    if value.size and not abs(value).max() < math.inf:
        raise ValueError(f"{what} must be finite: NaN and infinity have no code, got one of them")
    return value


def rounded(x: Any, rounding: str = "nearest") -> Any:
    """x as whole steps [codes], an int for a number; `nearest` takes ties away from zero."""
    x = _element("value", x)
    size = abs(x) // 1
    sign = 1 - 2 * (x < 0)
    if rounding == "floor":
        whole = x // 1
    elif rounding == "nearest":  # |x| - size is exact, where adding 0.5 first would round itself
        whole = sign * (size + (abs(x) - size >= 0.5))
    elif rounding == "toward_zero":
        whole = sign * size
    else:
        raise ValueError(f"rounding must be one of {', '.join(ROUNDINGS)}, got {shown(rounding)}")
    return whole if _is_array(whole) else int(whole)


def clamp(q: Any, low: int, high: int) -> Any:
    """q moved to the nearest value of low..high [codes]: saturation, never a wrap."""
    return q + (low - q) * (q < low) + (high - q) * (q > high)


def code_range(bits: int = 8, signed: bool = True) -> tuple[int, int]:
    """The smallest and the largest code [codes]: INT8 is (-128, 127), UINT8 is (0, 255)."""
    codes = 2 ** bit_width(bits)
    return (-codes // 2, codes // 2 - 1) if signed else (0, codes - 1)


@dataclass(frozen=True)
class Affine:
    """One scale and zero point for a tensor, or arrays of them that broadcast: a channel or group each.

    scale: real size of one step, > 0             [unit of x]
    zero_point: the code of real zero             [code]
    bits, signed: the code range; `narrow` leaves out the lowest signed code, so that it is symmetric
    """

    scale: Any
    zero_point: Any = 0
    bits: int = 8
    signed: bool = True
    narrow: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", _positive("scale", self.scale))
        for name in ("signed", "narrow"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, got {shown(getattr(self, name))}")
        low, high = self.codes
        for point in (self.zero_point.min(), self.zero_point.max()) if _is_array(self.zero_point) else ():
            self._check(point if point % 1 else int(point), low, high)
        if not _is_array(self.zero_point):
            self._check(self.zero_point, low, high)
            object.__setattr__(self, "zero_point", int(self.zero_point))

    def _check(self, point: Any, low: int, high: int) -> None:
        if isinstance(point, bool) or not hasattr(point, "__index__"):
            raise TypeError(f"zero_point must be a whole number, got {shown(point)}")
        if not low <= point <= high:
            raise ValueError(
                f"zero_point must be a code, {low} to {high}: real zero has to be exact, got {shown(point)}"
            )

    @property
    def codes(self) -> tuple[int, int]:
        """Smallest and largest code in use [codes]."""
        low, high = code_range(self.bits, self.signed)
        return (low + 1 if self.narrow and self.signed else low), high

    def quantize(self, x: Any, rounding: str = "nearest") -> Any:
        """The code of x [codes]: round(x / S) + Z, saturated."""
        return clamp(rounded(_element("x", x) / self.scale, rounding) + self.zero_point, *self.codes)

    def dequantize(self, q: Any) -> Any:
        """The real number that the code q stands for [unit of x]: S (q - Z)."""
        return self.scale * (_element("q", q) - self.zero_point)


def asymmetric_scale(lo: Any, hi: Any, bits: int = 8) -> Any:
    """Step of the range lo..hi [unit of x]: 2^bits codes have 2^bits - 1 gaps between them."""
    lo, hi = _element("lo", lo), _element("hi", hi)
    right = (lo <= 0) & (hi >= 0) & (lo < hi)
    if not (right.all() if _is_array(right) else right):
        raise ValueError(f"range must hold zero and have a width: zero must be a code, got {lo} to {hi}")
    return _positive("step of the range", (hi - lo) / (2 ** bit_width(bits) - 1))


def asymmetric(lo: Any, hi: Any, bits: int = 8, signed: bool = False) -> Affine:
    """The affine code of the range lo..hi, which must hold zero: UINT8 unless `signed`."""
    scale = asymmetric_scale(lo, hi, bits)
    return Affine(scale, code_range(bits, signed)[0] + rounded(-lo / scale), bits, signed)


def symmetric_scale(magnitude: Any, bits: int = 8) -> Any:
    """Step of -magnitude..magnitude [unit of x]: the codes run to 2^(bits-1) - 1 on either side."""
    if bit_width(bits) < 2:
        raise ValueError(f"bits must be at least 2: one is the sign, got {shown(bits)}")
    return _positive("magnitude", magnitude) / (2 ** (bits - 1) - 1)


def symmetric(magnitude: Any, bits: int = 8) -> Affine:
    """The code of -magnitude..magnitude without a zero point, as weights use it: -127..127 at 8 bits."""
    return Affine(symmetric_scale(magnitude, bits), 0, bits, narrow=True)


def bias_code(bias: float, input_scale: float, weight_scale: float) -> int:
    """A bias in the scale of the accumulator [codes]: round(b / (S_i S_w)), kept in 32 bits."""
    scale = _positive("input_scale", input_scale) * _positive("weight_scale", weight_scale)
    return clamp(rounded(real("bias", bias) / scale), *code_range(32))


def without_zero_point(acc: Any, input_zero_point: int, weight_code_sum: Any) -> Any:
    """Accumulator of sum q_w q_i as one of sum q_w (q_i - Z_i) [codes]: acc - Z_i sum q_w (eq. 7)."""
    return acc - input_zero_point * weight_code_sum


def multiplier(input_scale: float, weight_scale: float, output_scale: float) -> tuple[int, int]:
    """M = S_i S_w / S_o as (raw, shift), M ~ raw 2^-31 2^-shift [codes, bits].

    raw is in 2^30 .. 2^31 - 1, which is [0.5, 1) with 31 fraction bits; a negative shift goes left.
    """
    product = _positive("input_scale", input_scale) * _positive("weight_scale", weight_scale)
    mantissa, exponent = math.frexp(product / _positive("output_scale", output_scale))
    raw = rounded(mantissa * 2**31)
    return (raw, -exponent) if raw < 2**31 else (raw // 2, -exponent - 1)


def requantize(acc: Any, raw: int, shift: int, zero_point: int = 0, rounding: str = "single") -> Any:
    """acc x M + Z_o [codes], before saturation; acc holds 32-bit integers, M is (raw, shift).

    `single` rounds once, ties upwards. `double` rounds the high half of the product first and then the
    shift (ties away from zero); it differs by at most one code.
    Source: gemmlowp, fixedpoint.h, SaturatingRoundingDoublingHighMul and RoundingDivideByPOT.
    """
    acc, raw, shift = (integers(name, v) for name, v in (("acc", acc), ("raw", raw), ("shift", shift)))
    if not 0 <= raw < 2**31:
        raise ValueError(f"raw must lie in 0..2^31 - 1: it is a multiplier of 31 bits, got {shown(raw)}")
    if not -30 <= shift <= 31:
        raise ValueError(f"shift must lie between -30 and 31: beyond, no code is left, got {shown(shift)}")
    if rounding == "single":
        total = 31 + shift
        return ((acc * raw + (1 << (total - 1))) >> total) + zero_point
    if rounding != "double":
        raise ValueError(f"rounding must be single or double, got {shown(rounding)}")
    right = max(shift, 0)
    high = (acc * (1 << max(-shift, 0)) * raw + (1 << 30)) >> 31
    mask = (1 << right) - 1
    return (high >> right) + ((high & mask) > (mask >> 1) + (high < 0)) + zero_point


def ideal_sqnr_db(bits: int) -> float:
    """Signal to quantization noise of a full-scale sine [dB]: 20 log10(2^b) + 10 log10(1.5)."""
    return 20 * bit_width(bits) * math.log10(2) + 10 * math.log10(1.5)


def sqnr_db(values: Sequence[float], restored: Sequence[float]) -> float:
    """Signal to quantization noise of restored values [dB]: power over squared error; inf if exact."""
    if len(values) != len(restored) or not len(values):
        raise ValueError(f"values and restored must be pairs, got {len(values)} and {len(restored)}")
    values, restored = ([real(what, x) for x in v] for what, v in (("value", values), ("restored", restored)))
    signal = math.fsum(x * x for x in values)
    noise = math.fsum((x - y) ** 2 for x, y in zip(values, restored))
    if not signal:
        raise ValueError("values must not all be zero: silence has no signal power, got only zeros")
    return 10 * math.log10(signal / noise) if noise else math.inf


def group_bits(bits: int, group_size: int, scale_bits: int = 16, zero_point_bits: int = 0) -> float:
    """Stored bits per weight when each group has its own scale and zero point [bit]: b + (s + z) / g."""
    overhead = count("scale_bits", scale_bits, 0) + count("zero_point_bits", zero_point_bits, 0)
    return bit_width(bits) + overhead / count("group_size", group_size)
