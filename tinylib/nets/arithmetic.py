"""The arithmetic that a network runs in: floating point, or Q fixed point on integer codes.

Networks are written once against these operations; the arithmetic decides what a number is:

    FLOAT                          arrays of float64                        tanh by numpy
    Fixed(QFormat(16, 16))         arrays of raw codes, value = raw 2^-16   tanh by a 96-entry table
    Fixed(..., accumulation="per_product")  y = sum_k round(x_k w_k)        as small fixed-point libraries
    Fixed(..., accumulation="wide")         y = round(sum_k x_k w_k)        as an accumulator register

Matrices: x (..., batch, n) times w (..., n, m); leading axes are independent networks, such as seeds.
Codes live in int64 arrays; formats whose products pass 63 bits use Python integers in object arrays.
Sums of rounded products are formed exactly and fitted once: under `wrap` the order cannot matter, and
under `saturate` a running sum may leave the range and come back.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from tinylib.formats import lut
from tinylib.formats.qformat import OVERFLOWS, ROUNDINGS, Overflow, QFormat, Rounding, saturate, shift, wrap
from tinylib.nets.matmul import integer_matmul
from tinylib.units import shown

Array = np.ndarray
Accumulation = Literal["per_product", "wide"]
ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid", "elu", "gelu", "silu", "scaled_tanh")
SCALED_TANH = (1.7159, 0.666)  # a, b of a tanh(b x). Source: LeCun et al., Efficient BackProp, 1998, section 4.4
GELU_SLOPE = 1.702  # gelu(x) ~ x sigmoid(1.702 x). Source: Hendrycks & Gimpel, arXiv 1606.08415, section 2


def _known(what: str, value: object, names: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"{what} must be one of {', '.join(names)}, got {shown(value)}")


def _finite(values: Any) -> Array:
    values = np.asarray(values, dtype=np.float64)
    if not np.isfinite(values).all():
        bad = values[~np.isfinite(values)].flat[0]
        raise ValueError(f"values must be finite: NaN and infinity have no code, got {bad}")
    return values


def _sigmoid(x: Array) -> Array:
    return 0.5 * np.tanh(0.5 * x) + 0.5  # one call, and no overflow


@dataclass(frozen=True)
class Float:
    """IEEE floating point in `dtype`; numbers are themselves."""

    dtype: Any = np.float64
    one = 1.0

    def number(self, values: Any) -> Array:
        """Real numbers as this arithmetic stores them; NaN and infinity are refused."""
        return _finite(values).astype(self.dtype)

    def values(self, stored: Array) -> Array:
        """Stored numbers as float64."""
        return np.asarray(stored, dtype=np.float64)

    def whole(self, n: int) -> float:
        """The integer n as a number."""
        return float(n)

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Zeros of a shape."""
        return np.zeros(shape, self.dtype)

    add = staticmethod(np.add)
    sub = staticmethod(np.subtract)
    mul = staticmethod(np.multiply)
    div = staticmethod(np.divide)
    dot = staticmethod(np.matmul)
    sqrt = staticmethod(np.sqrt)

    def outer(self, x: Array, d: Array) -> Array:
        """Weight gradient (..., n, m) of x (..., batch, n) and d (..., batch, m): summed over the batch."""
        return np.matmul(np.swapaxes(x, -1, -2), d)

    def total(self, x: Array, axis: int | tuple[int, ...]) -> Array:
        """Sum along an axis."""
        return np.sum(x, axis=axis)

    def apply(self, name: str, z: Array) -> Array:
        """An activation of ACTIVATIONS at z."""
        if name == "tanh":
            return np.tanh(z)
        if name == "sigmoid":
            return _sigmoid(z)
        if name == "linear":
            return z
        if name == "relu":
            return np.maximum(z, 0)
        if name == "elu":
            return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))
        if name == "gelu":
            return z * _sigmoid(GELU_SLOPE * z)
        if name == "silu":
            return z * _sigmoid(z)
        if name == "scaled_tanh":
            return SCALED_TANH[0] * np.tanh(SCALED_TANH[1] * z)
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {shown(name)}")

    def slope(self, name: str, z: Array, y: Array) -> Array:
        """Derivative of an activation at z, where its value is y."""
        if name == "tanh":
            return 1 - y * y
        if name == "sigmoid":
            return y * (1 - y)
        if name == "linear":
            return np.ones_like(y)
        if name == "relu":
            return (y > 0).astype(y.dtype)
        if name == "elu":
            return np.where(z > 0, 1.0, y + 1)
        if name in ("gelu", "silu"):
            k = GELU_SLOPE if name == "gelu" else 1.0
            s = _sigmoid(k * z)
            return s * (1 + k * z * (1 - s))
        if name == "scaled_tanh":
            a, b = SCALED_TANH
            return b * (a - y * y / a)
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {shown(name)}")

    def exp(self, x: Array) -> Array:
        """e^x."""
        return np.exp(x)

    def log(self, x: Array) -> Array:
        """Natural logarithm."""
        return np.log(x)


FLOAT = Float()
FLOAT32 = Float(np.float32)


@dataclass(frozen=True)
class Fixed:
    """Q fixed point: arrays hold raw codes of `q`, and every product is rounded and fitted by name.

    Quotients are cut toward zero whatever `rounding` says, as an integer division in C.
    """

    q: QFormat
    rounding: Rounding = "floor"
    overflow: Overflow = "wrap"
    accumulation: Accumulation = "per_product"
    tables: dict[str, Array] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        _known("rounding", self.rounding, ROUNDINGS)
        _known("overflow", self.overflow, OVERFLOWS)
        _known("accumulation", self.accumulation, ("per_product", "wide"))

    @property
    def dtype(self) -> Any:
        """int64 where a product fits into 63 bits, else Python integers."""
        return np.int64 if 2 * self.q.total_bits - self.q.signed <= 63 else object

    @property
    def one(self) -> int:
        """The code of 1.0."""
        return self.q.one

    def number(self, values: Any) -> Array:
        """Real numbers as codes: to the nearest, held at the ends of the range; NaN is refused."""
        values = _finite(values)
        if self.dtype is object or self.q.frac_bits > 50:
            return np.vectorize(self.q.to_raw, otypes=[object])(values).astype(self.dtype)
        raw = np.floor(np.ldexp(values, self.q.frac_bits) + 0.5)  # exact: scaling by a power of two
        return np.clip(raw, self.q.min_raw, self.q.max_raw).astype(np.int64)

    def values(self, stored: Array) -> Array:
        """Codes as float64 values."""
        return np.ldexp(np.asarray(stored, dtype=np.float64), -self.q.frac_bits)

    def whole(self, n: int) -> int:
        """The code of the integer n; raises when the format cannot hold it."""
        raw = n << self.q.frac_bits
        if not self.q.min_raw <= raw <= self.q.max_raw:
            raise ValueError(f"{self.q} must hold the whole number {n}: it ends at {self.q.max_value:g}")
        return raw

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Zeros of a shape."""
        return np.zeros(shape, self.dtype)

    def fit(self, raw: Array) -> Array:
        """Any integers brought into the range of the format."""
        if self.overflow == "wrap":
            return wrap(raw, self.q.total_bits, self.q.signed)
        if self.dtype is object:
            return saturate(raw, self.q.min_raw, self.q.max_raw)
        return np.clip(raw, self.q.min_raw, self.q.max_raw)

    def add(self, a: Array, b: Array) -> Array:
        """Codes of a + b."""
        return self.fit(a + b)

    def sub(self, a: Array, b: Array) -> Array:
        """Codes of a - b."""
        return self.fit(a - b)

    def mul(self, a: Array, b: Array) -> Array:
        """Codes of a * b."""
        return self.fit(shift(a * b, self.q.frac_bits, self.rounding))

    def div(self, a: Array, b: Array) -> Array:
        """Codes of a / b, cut toward zero; a divisor of 0 is refused."""
        if np.any(np.equal(b, 0)):
            raise ValueError(f"divisor must not be 0: a quotient by zero has no code in {self.q}")
        n, d = a << self.q.frac_bits, abs(b)
        return self.fit((1 - 2 * ((a < 0) ^ (b < 0))) * (abs(n) // d))

    def sqrt(self, x: Array) -> Array:
        """Codes of the square root, cut down; 0 at and below 0."""
        return np.vectorize(lut.square_root, otypes=[self.dtype])(x, self.q)

    def _summed(self, products: Array, axis: int | tuple[int, ...]) -> Array:
        rounded = shift(products, self.q.frac_bits, self.rounding)
        return self.fit((rounded if self.overflow == "wrap" else self.fit(rounded)).sum(axis=axis))

    def dot(self, x: Array, w: Array) -> Array:
        """Codes (..., batch, m) of x (..., batch, n) times w (..., n, m), by the rule `accumulation`."""
        if self.accumulation == "wide":
            return self.fit(shift(integer_matmul(x, w), self.q.frac_bits, self.rounding))
        return self._summed(x[..., :, :, None] * w[..., None, :, :], -2)

    def outer(self, x: Array, d: Array) -> Array:
        """Weight gradient (..., n, m) of x (..., batch, n) and d (..., batch, m): summed over the batch."""
        if self.accumulation == "wide":
            return self.dot(np.swapaxes(x, -1, -2), d)
        return self._summed(x[..., :, :, None] * d[..., :, None, :], -3)

    def total(self, x: Array, axis: int | tuple[int, ...]) -> Array:
        """Sum along an axis."""
        return self.fit(x.sum(axis=axis))

    def table(self, function: str) -> Array:
        """The lookup table of a function in this format, made once."""
        if function not in self.tables:
            self.tables[function] = np.array(lut.table(function, self.q), dtype=self.dtype)
        return self.tables[function]

    def read(self, function: str, x: Array) -> Array:
        """A function at codes x, read from its table."""
        return lut.read(self.table(function), x, self.q)

    def exp(self, x: Array) -> Array:
        """e^x, from the table."""
        return self.read("exp", x)

    def log(self, x: Array) -> Array:
        """Natural logarithm, from the table; 0 where it has no value."""
        return self.read("log", x)

    def apply(self, name: str, z: Array) -> Array:
        """An activation of ACTIVATIONS at codes z."""
        if name in ("tanh", "sigmoid"):
            return self.read(name, z)
        if name == "linear":
            return z
        if name == "relu":
            return z * (z > 0)
        if name == "elu":
            return np.where(z > 0, z, self.sub(self.read("exp", z), self.one))
        if name == "gelu":
            return self.mul(z, self.read("sigmoid", self.mul(self.gelu_slope, z)))
        if name == "silu":
            return self.mul(z, self.read("sigmoid", z))
        if name == "scaled_tanh":
            a, b = (int(self.number(v)) for v in SCALED_TANH)
            return self.mul(a, self.read("tanh", self.mul(b, z)))
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {shown(name)}")

    @property
    def gelu_slope(self) -> int:
        """The code of 1.702, its fraction cut."""
        return self.one + 702 * self.one // 1000

    def slope(self, name: str, z: Array, y: Array) -> Array:
        """Derivative of an activation at codes z, where its value is y; evaluated in Q, in this order."""
        if name == "tanh":
            return self.sub(self.one, self.mul(y, y))
        if name == "sigmoid":
            return self.mul(y, self.sub(self.one, y))
        if name == "linear":
            return np.full_like(y, self.one)
        if name == "relu":
            return self.one * (y > 0)
        if name == "elu":
            return np.where(z > 0, self.one, self.add(y, self.one))
        if name in ("gelu", "silu"):
            kz = self.mul(self.gelu_slope, z) if name == "gelu" else z
            s = self.read("sigmoid", kz)
            return self.mul(s, self.add(self.one, self.mul(kz, self.sub(self.one, s))))
        if name == "scaled_tanh":
            a, b = SCALED_TANH
            square = self.mul(int(self.number(1 / a)), self.mul(y, y))
            return self.mul(int(self.number(b)), self.sub(int(self.number(a)), square))
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {shown(name)}")


Arithmetic = Float | Fixed
