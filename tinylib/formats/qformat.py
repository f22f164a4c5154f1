"""Q fixed point: a real number as raw / 2**frac_bits, with every rule on plain integers.

    value = raw * 2**-f        Qi.f holds i integer bits (the sign is one of them) and f fractional bits
    a + b -> fit(a + b)        a * b -> fit(shift(a * b, f))        a / b -> fit((a << f) / b)

`shift` drops fractional bits by an explicit rounding, `fit` brings a raw integer into range by an explicit
overflow policy. The saturating maximum is the true one, fraction included: Q8.8 ends at 127.99609375.
`shift`, `wrap` and `saturate` use + - * >> & < alone, so that arrays of integers may pass through them too.
Source: ISO/IEC TR 18037 (fixed-point types); Oberstar, Fixed-Point Representation and Fractional Math, 2007.
"""

import math
import operator
from dataclasses import dataclass
from typing import Literal

from tinylib.cost.layers import count
from tinylib.units import real, shown

Rounding = Literal["floor", "nearest", "toward_zero"]
Overflow = Literal["wrap", "saturate"]

ROUNDINGS = ("floor", "nearest", "toward_zero")
OVERFLOWS = ("wrap", "saturate")
MAX_BITS = 64


def _known(what: str, value: object, names: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"{what} must be one of {', '.join(names)}, got {shown(value)}")


def shift(raw: int, bits: int, rounding: Rounding) -> int:
    """raw / 2**bits as an integer; `nearest` takes ties toward +infinity, as floor(x + 1/2)."""
    _known("rounding", rounding, ROUNDINGS)
    unit = 1 << bits
    if rounding == "nearest":
        return (raw + (unit >> 1)) >> bits
    if rounding == "toward_zero":
        return (raw + (raw < 0) * (unit - 1)) >> bits
    return raw >> bits


def wrap(raw: int, bits: int, signed: bool = True) -> int:
    """The low `bits` of raw, read as two's complement when signed: 38,400 in 16 bits is -27,136."""
    offset = (1 << bits >> 1) * signed
    return ((raw + offset) & ((1 << bits) - 1)) - offset


def saturate(raw: int, low: int, high: int) -> int:
    """raw, or the end of low..high that it passed."""
    return raw + (raw < low) * (low - raw) - (high < raw) * (raw - high)


def quotient(n: int, d: int, rounding: Rounding) -> int:
    """n / d as an integer, d not 0; `nearest` takes ties toward +infinity."""
    _known("rounding", rounding, ROUNDINGS)
    if d < 0:
        n, d = -n, -d
    if rounding == "nearest":
        return (2 * n + d) // (2 * d)
    if rounding == "toward_zero":
        return (n + (n < 0) * (d - 1)) // d
    return n // d


@dataclass(frozen=True)
class QFormat:
    """A fixed-point format; `int_bits` counts the sign bit of a signed one, as in Q8.8 = 16 bits.

    Raw codes are Python ints in min_raw..max_raw; the operations take and return them and refuse others.
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
        """The raw integer that stands for 1.0: 2**frac_bits (Q1.7 ends one code short of it)."""
        return 1 << self.frac_bits

    @property
    def step(self) -> float:
        """Value of one code: 2**-frac_bits."""
        return 2.0**-self.frac_bits

    @property
    def min_raw(self) -> int:
        """Lowest code: -2**(total_bits - 1), or 0 when unsigned."""
        return -(1 << self.total_bits - 1) if self.signed else 0

    @property
    def max_raw(self) -> int:
        """Highest code: 2**(total_bits - 1) - 1, or 2**total_bits - 1 when unsigned."""
        return (1 << self.total_bits - self.signed) - 1

    @property
    def min_value(self) -> float:
        """Lowest value."""
        return self.to_value(self.min_raw)

    @property
    def max_value(self) -> float:
        """Highest value, fraction included (rounded to a float beyond 53 bits)."""
        return self.to_value(self.max_raw)

    def fit(self, raw: int, overflow: Overflow = "saturate") -> int:
        """Any raw integer brought into min_raw..max_raw."""
        _known("overflow", overflow, OVERFLOWS)
        if overflow == "wrap":
            return wrap(raw, self.total_bits, self.signed)
        return saturate(raw, self.min_raw, self.max_raw)

    def to_raw(self, value: float, rounding: Rounding = "nearest", overflow: Overflow = "saturate") -> int:
        """The code of a finite real number; exact until the one rounding named."""
        n, d = real("value", value).as_integer_ratio()
        return self.fit(quotient(n << self.frac_bits, d, rounding), overflow)

    def to_value(self, raw: int) -> float:
        """The number that a code stands for: raw * 2**-frac_bits."""
        return math.ldexp(self.code(raw), -self.frac_bits)

    def to_word(self, raw: int) -> int:
        """The code as the unsigned word in memory (two's complement): -320 in Q8.8 is 65,216."""
        return wrap(self.code(raw), self.total_bits, signed=False)

    def code(self, raw: int) -> int:
        """`raw` as an int, when it is a code of this format; raises otherwise."""
        if isinstance(raw, bool) or not hasattr(raw, "__index__"):
            raise TypeError(f"raw must be an integer code of {self}, got {shown(raw)}")
        number = operator.index(raw)
        if not self.min_raw <= number <= self.max_raw:
            raise ValueError(f"raw must lie in {self.min_raw}..{self.max_raw} for {self}, got {shown(raw)}")
        return number

    def add(self, a: int, b: int, overflow: Overflow = "saturate") -> int:
        """Code of a + b."""
        return self.fit(self.code(a) + self.code(b), overflow)

    def sub(self, a: int, b: int, overflow: Overflow = "saturate") -> int:
        """Code of a - b."""
        return self.fit(self.code(a) - self.code(b), overflow)

    def mul(self, a: int, b: int, rounding: Rounding = "nearest", overflow: Overflow = "saturate") -> int:
        """Code of a * b: the product has 2 * frac_bits fractional bits, half of them are dropped."""
        return self.fit(shift(self.code(a) * self.code(b), self.frac_bits, rounding), overflow)

    def div(self, a: int, b: int, rounding: Rounding = "toward_zero", overflow: Overflow = "saturate") -> int:
        """Code of a / b; by default cut toward zero, as an integer division in C, however products round."""
        if self.code(b) == 0:
            raise ValueError(f"divisor must not be 0: a quotient by zero has no code in {self}, got raw {b}")
        return self.fit(quotient(self.code(a) << self.frac_bits, self.code(b), rounding), overflow)

    def convert(
        self, raw: int, to: "QFormat", rounding: Rounding = "floor", overflow: Overflow = "saturate"
    ) -> int:
        """The code in format `to` of the value that `raw` has here."""
        dropped = self.frac_bits - to.frac_bits
        raw = self.code(raw)
        return to.fit(shift(raw, dropped, rounding) if dropped > 0 else raw << -dropped, overflow)


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
