"""Q fixed point: a real number as raw / 2**frac_bits, with every rule on plain integers.

    value = raw * 2**-f        Qi.f holds i integer bits (the sign is one of them) and f fractional bits
    a + b -> fit(a + b)        a * b -> fit(shift(a * b, f))        a / b -> fit((a << f) / b)

`shift` drops fractional bits by an explicit rounding, `fit` brings a raw integer into range by an explicit
overflow policy. The saturating maximum is the true one, fraction included: Q8.8 ends at 127.99609375.
The rules use + - * // >> & < alone and serve ints and integer arrays, element by element: arrays come back
as int64, or as Python integers in an object array where a product passes 63 bits.
Source: ISO/IEC TR 18037 (fixed-point types); Oberstar, Fixed-Point Representation and Fractional Math, 2007.
"""

import math
import operator
from dataclasses import dataclass
from typing import Any, Literal

from tinylib.cost.layers import count
from tinylib.units import real, shown

Rounding = Literal["floor", "nearest", "toward_zero"]
Overflow = Literal["wrap", "saturate"]
Codes = Any  # an int, or an array of integers
Numbers = Any  # a real number, or an array of them

ByZero = Literal["refuse", "saturate"]

ROUNDINGS = ("floor", "nearest", "toward_zero")
OVERFLOWS = ("wrap", "saturate")
BY_ZERO = ("refuse", "saturate")
MAX_BITS = 64


def _known(what: str, value: object, names: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"{what} must be one of {', '.join(names)}, got {shown(value)}")


def shift(raw: Codes, bits: int, rounding: Rounding) -> Codes:
    """raw / 2**bits as an integer; `nearest` takes ties toward +infinity, as floor(x + 1/2)."""
    _known("rounding", rounding, ROUNDINGS)
    unit = 1 << bits
    if rounding == "nearest":
        return (raw + (unit >> 1)) >> bits
    if rounding == "toward_zero":
        return (raw + (raw < 0) * (unit - 1)) >> bits
    return raw >> bits


def wrap(raw: Codes, bits: int, signed: bool = True) -> Codes:
    """The low `bits` of raw, read as two's complement when signed: 38,400 in 16 bits is -27,136."""
    offset = (1 << bits >> 1) * signed
    return ((raw + offset) & ((1 << bits) - 1)) - offset


def saturate(raw: Codes, low: int, high: int) -> Codes:
    """raw, or the end of low..high that it passed."""
    return raw + (raw < low) * (low - raw) - (high < raw) * (raw - high)


def quotient(n: Codes, d: Codes, rounding: Rounding) -> Codes:
    """n / d as an integer, d not 0; `nearest` takes ties toward +infinity."""
    _known("rounding", rounding, ROUNDINGS)
    sign = 1 - 2 * (d < 0)
    n, d = n * sign, d * sign
    if rounding == "nearest":
        return (n + (d >> 1)) // d  # floor(n/d + 1/2), without the doubling that could pass 63 bits
    if rounding == "toward_zero":
        return (n + (n < 0) * (d - 1)) // d
    return n // d


def _is_array(value: Any) -> bool:
    return bool(getattr(value, "shape", ()))


def integers(what: str, value: Any) -> Codes:
    """`value` as an int (an int64 stays one), or an array whose sums do not wrap; raises otherwise."""
    if not _is_array(value):
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(f"{what} must be a whole number, got {shown(value)}")
        return value if getattr(value, "dtype", None) == "int64" else operator.index(value)
    if value.dtype.kind == "O" and all(hasattr(v, "__index__") for v in value.reshape(-1)):
        return value
    if value.dtype.kind not in "iu":
        raise TypeError(f"{what} must hold whole numbers, got an array of {value.dtype}")
    return value.astype(object if value.dtype == "uint64" else "int64", copy=False)


@dataclass(frozen=True)
class QFormat:
    """A fixed-point format; `int_bits` counts the sign bit of a signed one, as in Q8.8 = 16 bits.

    Raw codes are ints in min_raw..max_raw, or integer arrays of them; the operations take and return them and
    refuse others.
    """

    int_bits: int
    frac_bits: int
    signed: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "int_bits", count("int_bits", self.int_bits, 0))
        object.__setattr__(self, "frac_bits", count("frac_bits", self.frac_bits, 0))
        if not isinstance(self.signed, bool):
            raise TypeError(f"signed must be True or False, got {shown(self.signed)}")
        if self.signed and self.int_bits < 1:
            raise ValueError(f"{self} needs int_bits >= 1 for the sign, got {self.int_bits}")
        if not 1 <= self.total_bits <= MAX_BITS:
            raise ValueError(f"{self} needs 1 to {MAX_BITS} bits in all, got {shown(self.total_bits)}")

    def __str__(self) -> str:
        return f"{'' if self.signed else 'U'}Q{self.int_bits}.{self.frac_bits}"

    @property
    def total_bits(self) -> int:
        """Bits of one code [bit]."""
        return self.int_bits + self.frac_bits

    @property
    def one(self) -> int:
        """The raw integer that stands for 1.0 [code]: 2**frac_bits (Q1.7 ends one code short of it)."""
        return 1 << self.frac_bits

    @property
    def step(self) -> float:
        """Value of one code [unit of x]: 2**-frac_bits."""
        return 2.0**-self.frac_bits

    @property
    def min_raw(self) -> int:
        """Lowest [code]: -2**(total_bits - 1), or 0 when unsigned."""
        return -(1 << self.total_bits - 1) if self.signed else 0

    @property
    def max_raw(self) -> int:
        """Highest [code]: 2**(total_bits - 1) - 1, or 2**total_bits - 1 when unsigned."""
        return (1 << self.total_bits - self.signed) - 1

    @property
    def min_value(self) -> float:
        """Lowest value [unit of x]."""
        return self.to_value(self.min_raw)

    @property
    def max_value(self) -> float:
        """Highest value [unit of x], fraction included (rounded to a float beyond 53 bits)."""
        return self.to_value(self.max_raw)

    @property
    def word(self) -> Any:
        """Element type of an array of codes whose products are exact: int64, or object beyond 63 bits."""
        return "int64" if 2 * self.total_bits - self.signed <= 63 else object

    def fit(self, raw: Codes, overflow: Overflow = "saturate") -> Codes:
        """Any raw integer brought into min_raw..max_raw."""
        _known("overflow", overflow, OVERFLOWS)
        raw = integers("raw", raw)
        if self.total_bits > 62 and _is_array(raw):
            raw = raw.astype(object)
        if overflow == "wrap":
            return wrap(raw, self.total_bits, self.signed)
        return saturate(raw, self.min_raw, self.max_raw)

    def to_raw(
        self, value: Numbers, rounding: Rounding = "nearest", overflow: Overflow = "saturate"
    ) -> Codes:
        """The code of a finite real number; exact until the one rounding named."""
        if _is_array(value):
            if value.dtype.kind not in "fiuO":
                raise TypeError(f"value must hold real numbers, got an array of {value.dtype}")
            return self._array_to_raw(value.astype("float64"), rounding, overflow)
        n, d = real("value", value).as_integer_ratio()
        return self.fit(quotient(n << self.frac_bits, d, rounding), overflow)

    def _array_to_raw(self, values: Numbers, rounding: Rounding, overflow: Overflow) -> Codes:
        _known("rounding", rounding, ROUNDINGS)
        if values.size and not abs(values).max() < 2.0 ** (62 - self.frac_bits):  # also NaN: one by one
            codes = values.astype(object)
            each = codes.reshape(-1)
            for i, value in enumerate(each):
                each[i] = self.to_raw(value, rounding, overflow)
            return codes.astype(self.word)
        scaled = values * 2.0**self.frac_bits  # exact: only the exponent changes
        raw = scaled // 1
        if rounding == "nearest":
            raw = raw + (scaled - raw >= 0.5)
        elif rounding == "toward_zero":
            raw = raw + (scaled < 0) * (raw != scaled)
        return self.fit(raw.astype("int64"), overflow).astype(self.word)

    def to_value(self, raw: Codes) -> Numbers:
        """The number that a code stands for: raw * 2**-frac_bits."""
        if _is_array(raw):
            return self.code(raw).astype("float64") * self.step
        return math.ldexp(self.code(raw), -self.frac_bits)

    def to_word(self, raw: Codes) -> Codes:
        """The code as the unsigned word in memory (two's complement): -320 in Q8.8 is 65,216."""
        return wrap(self.code(raw), self.total_bits, signed=False)

    def code(self, raw: Codes) -> Codes:
        """`raw` as an int, or as an array of `word`, when it holds codes of this format; raises otherwise."""
        if _is_array(raw):
            if raw.dtype.kind not in "iuO":
                raise TypeError(f"raw must hold integer codes of {self}, got an array of {raw.dtype}")
            raw = integers("raw", raw)
            if raw.size:
                self.code(operator.index(raw.min()))
                self.code(operator.index(raw.max()))
            return raw.astype(self.word, copy=False)
        if isinstance(raw, bool) or not hasattr(raw, "__index__"):
            raise TypeError(f"raw must be an integer code of {self}, got {shown(raw)}")
        number = operator.index(raw)
        if not self.min_raw <= number <= self.max_raw:
            raise ValueError(f"raw must lie in {self.min_raw}..{self.max_raw} for {self}, got {shown(raw)}")
        return number

    def add(self, a: Codes, b: Codes, overflow: Overflow = "saturate") -> Codes:
        """Code of a + b."""
        return self.fit(self.code(a) + self.code(b), overflow)

    def sub(self, a: Codes, b: Codes, overflow: Overflow = "saturate") -> Codes:
        """Code of a - b."""
        return self.fit(self.code(a) - self.code(b), overflow)

    def mul(
        self, a: Codes, b: Codes, rounding: Rounding = "nearest", overflow: Overflow = "saturate"
    ) -> Codes:
        """Code of a * b: the product has 2 * frac_bits fractional bits, half of them are dropped."""
        return self.fit(shift(self.code(a) * self.code(b), self.frac_bits, rounding), overflow)

    def div(
        self,
        a: Codes,
        b: Codes,
        rounding: Rounding = "toward_zero",
        overflow: Overflow = "saturate",
        by_zero: ByZero = "refuse",
    ) -> Codes:
        """Code of a / b; by default cut toward zero, as an integer division in C, however products round.

        A divisor of 0 raises; with by_zero="saturate" the highest code answers a > 0, the lowest all else.
        """
        _known("by_zero", by_zero, BY_ZERO)
        a, d = self.code(a), self.code(b)
        zero = d == 0
        if by_zero == "refuse" and (zero.any() if _is_array(zero) else zero):
            raise ValueError(f"divisor must not be 0: a quotient by zero has no code in {self}, got raw 0")
        ratio = self.fit(quotient(a << self.frac_bits, d + zero, rounding), overflow)
        if by_zero == "saturate":
            up = (a > 0) + 0 * a  # 1 or 0, in a type that holds the ends
            ratio = ratio + zero * (self.min_raw + up * (self.max_raw - self.min_raw) - ratio)
        return ratio

    def convert(
        self, raw: Codes, to: "QFormat", rounding: Rounding = "floor", overflow: Overflow = "saturate"
    ) -> Codes:
        """The code in format `to` of the value that `raw` has here."""
        if not isinstance(to, QFormat):
            raise TypeError(f"to must be a QFormat such as QFormat(8, 8), got {shown(to)}")
        dropped = self.frac_bits - to.frac_bits
        raw = self.code(raw)
        if _is_array(raw) and max(self.total_bits, self.total_bits - dropped) > 62:
            raw = raw.astype(object)
        raw = to.fit(shift(raw, dropped, rounding) if dropped > 0 else raw << -dropped, overflow)
        return raw.astype(to.word, copy=False) if _is_array(raw) else raw


def smallest(largest: float, resolution: float) -> QFormat:
    """The signed format with the fewest bits whose step is at most `resolution` and that reaches +-largest.

    The positive end may stay one step short of `largest`: Q5.10 reaches -16 and 15.999.
    """
    for what, value in ("largest", largest), ("resolution", resolution):
        if real(what, value) <= 0:
            raise ValueError(f"{what} must be positive: it is a size, got {shown(value)}")
    n, d = real("largest", largest).as_integer_ratio()
    whole = (-(-n // d) - 1).bit_length()  # ceil(log2(largest)), and 0 up to one
    n, d = real("resolution", resolution).as_integer_ratio()
    return QFormat(1 + whole, (-(-d // n) - 1).bit_length())


def safe_products(largest_a: int, largest_b: int, accumulator_bits: int) -> int:
    """Products of magnitude largest_a * largest_b that a signed accumulator surely holds [count]."""
    product = count("largest_a", largest_a) * count("largest_b", largest_b)
    return QFormat(accumulator_bits, 0).max_raw // product
