"""Q fixed-point arithmetic of networks, on arrays of raw codes.

    per_product   y = sum_k round(x_k w_k)    as small fixed-point libraries do
    wide          y = round(sum_k x_k w_k)    as an accumulator register

Codes live in int64 arrays; formats whose products pass 63 bits use Python integers in object arrays.
Sums of rounded products are formed exactly and fitted once: under `wrap` the order cannot matter, and
under `saturate` a running sum may leave the range and come back.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from tinylib.formats import lut
from tinylib.formats.qformat import OVERFLOWS, ROUNDINGS, Overflow, QFormat, Rounding, quotient, shift
from tinylib.nets import tables
from tinylib.nets.floating import SCALED_TANH, Array, finite, unknown
from tinylib.nets.matmul import integer_matmul
from tinylib.units import shown

Accumulation = Literal["per_product", "wide"]
BLOCK = 1 << 16  # codes of a block: 512 KiB, within the second-level cache
SMALL = 1500  # codes up to which two fast calls beat one slow one
LONG_TERM = 256  # codes of one term of a dot product from which terms are added one by one
EXACT_BITS = 53  # integers below 2^53 are float64


def _known(what: str, value: object, names: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"{what} must be one of {', '.join(names)}, got {shown(value)}")


def _kind(x: Any) -> str:
    return str(getattr(x, "dtype", type(x).__name__))


@dataclass(frozen=True)
class Fixed:
    """Q fixed point: arrays hold raw codes of `q`, and every product is rounded and fitted by name.

    Quotients are cut toward zero whatever `rounding` says, as an integer division in C. Long arrays are
    worked in blocks that stay in the cache.
    """

    q: QFormat
    rounding: Rounding = "floor"
    overflow: Overflow = "wrap"
    accumulation: Accumulation = "per_product"

    def __post_init__(self) -> None:
        if not isinstance(self.q, QFormat):
            raise TypeError(f"q must be a QFormat such as QFormat(8, 8), got {shown(self.q)}")
        _known("rounding", self.rounding, ROUNDINGS)
        _known("overflow", self.overflow, OVERFLOWS)
        _known("accumulation", self.accumulation, ("per_product", "wide"))

    @cached_property
    def dtype(self) -> Any:
        """int64 where a product fits into 63 bits, else Python integers."""
        return np.dtype(self.q.word).type if self.q.word == "int64" else object

    @cached_property
    def one(self) -> int:
        """What stands for 1.0 [code]."""
        return self.q.one

    @cached_property
    def _constants(self) -> tuple[Array, ...]:
        """(lowest code, highest code, half of 1.0, fractional, unused bits) as numpy takes them fastest."""
        q = self.q
        numbers = q.min_raw, q.max_raw, q.one >> 1, q.frac_bits, 64 - q.total_bits
        return tuple(np.array(number, np.int64) for number in numbers)

    def number(self, values: Any) -> Array:
        """Real numbers as codes: to the nearest, held at the ends of the range; NaN is refused."""
        values = finite(values)
        if values.ndim:
            return self.q.to_raw(values)
        return np.array([self.q.to_raw(values.item())], self.dtype)[0]

    def values(self, stored: Array) -> Array:
        """Codes as float64 values."""
        return np.asarray(stored, dtype=np.float64) * self.q.step

    def whole(self, n: int) -> int:
        """What stands for the integer n [code]; raises when the format cannot hold it."""
        raw = n << self.q.frac_bits
        if not self.q.min_raw <= raw <= self.q.max_raw:
            raise ValueError(f"{self.q} must hold the whole number {n}: it ends at {self.q.max_value:g}")
        return raw

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Zeros of a shape."""
        return np.zeros(shape, self.dtype)

    def _words(self, x: Array) -> Array:
        """Codes as int64; narrower integers are widened, so that no product wraps, and floats are refused."""
        if x.dtype == np.int64:
            return x
        if not np.can_cast(x.dtype, np.int64):
            raise TypeError(f"codes of {self.q} must be integers: `number` makes them, got {x.dtype}")
        return x.astype(np.int64)

    # ---- codes come into range: in place, on arrays that an operation has just made

    def _fitted(self, p: Array) -> Array:
        if self.dtype is object:
            return self.q.fit(p, self.overflow)
        low, high, _, _, unused = self._constants
        if self.overflow == "saturate":
            if p.size > SMALL:
                return p.clip(low, high, out=p)  # one pass, but a slow call
            np.maximum(p, low, out=p)
            return np.minimum(p, high, out=p)
        if not self.q.signed:
            p &= high
            return p
        p <<= unused  # the sign bit goes to the top and comes back with its copies
        p >>= unused
        return p

    def _shifted(self, p: Array) -> Array:
        if self.dtype is object:
            return shift(p, self.q.frac_bits, self.rounding)
        _, _, half, bits, _ = self._constants
        if self.rounding == "nearest":
            p += half
        elif self.rounding == "toward_zero":
            p += (p < 0) * (self.one - 1)
        p >>= bits
        return p

    def _finished(self, p: Array, product: bool) -> Array:
        return self._fitted(self._shifted(p) if product else p)

    def _elementwise(self, operation: Any, a: Array, b: Array, product: bool = False) -> Array:
        """Codes of an operation on codes; long arrays of one shape go block by block."""
        if self.dtype is object:
            return self._finished(operation(np.asarray(a, object), b), product)
        if getattr(a, "size", 0) > BLOCK and a.shape == np.shape(b) and a.flags.c_contiguous:
            out = np.empty(a.shape, np.int64)
            x, y, z = a.reshape(-1), b.reshape(-1), out.reshape(-1)
            for start in range(0, x.size, BLOCK):
                part = slice(start, start + BLOCK)
                self._finished(operation(x[part], y[part], out=z[part], dtype=np.int64), product)
            return out
        try:
            p = operation(a, b, dtype=np.int64)
        except TypeError:
            raise TypeError(
                f"codes of {self.q} must be integers: `number` makes them, got {_kind(a)} and {_kind(b)}"
            ) from None
        if type(p) is np.ndarray:
            return self._finished(p, product)
        return self._finished(np.array([p]), product)[0]  # two numbers

    def fit(self, raw: Array) -> Array:
        """Any integers brought into the range of the format."""
        if self.dtype is object or type(raw) is not np.ndarray:
            return self.q.fit(raw, self.overflow)
        return self._fitted(self._words(raw).copy())  # the caller's array stays

    def add(self, a: Array, b: Array) -> Array:
        """Codes of a + b."""
        return self._elementwise(np.add, a, b)

    def sub(self, a: Array, b: Array) -> Array:
        """Codes of a - b."""
        return self._elementwise(np.subtract, a, b)

    def mul(self, a: Array, b: Array) -> Array:
        """Codes of a * b."""
        return self._elementwise(np.multiply, a, b, product=True)

    def div(self, a: Array, b: Array) -> Array:
        """Codes of a / b, cut toward zero; a divisor of 0 is refused."""
        if not np.all(b):
            raise ValueError(f"divisor must not be 0: a quotient by zero has no code in {self.q}")
        if self.dtype is object or self.q.total_bits + self.q.frac_bits > EXACT_BITS:
            return self.fit(quotient(np.asarray(a, self.dtype) << self.q.frac_bits, b, "toward_zero"))
        a, b = self._words(np.asarray(a)), self._words(np.asarray(b))
        if a.shape != b.shape:
            a, b = np.broadcast_arrays(a, b)
        out = np.empty(a.shape, np.int64)
        x, y, z = a.reshape(-1), b.reshape(-1), out.reshape(-1)
        buffer = np.empty(min(x.size, BLOCK >> 2))
        for start in range(0, x.size, max(buffer.size, 1)):
            part = slice(start, start + buffer.size)
            ratio = np.true_divide(x[part], y[part], out=buffer[: x[part].size])
            ratio *= self.one  # a 2^f / b stays on its side of a whole number: the quotient is below 2^53
            z[part] = ratio
            self._fitted(z[part])
        return out if out.shape else out[()]

    def sqrt(self, x: Array) -> Array:
        """Codes of the square root, cut down; 0 at and below 0."""
        if self.dtype is object:
            return np.vectorize(lut.square_root, otypes=[object])(x, self.q)
        n = np.maximum(self._words(x), 0) << self.q.frac_bits
        root = np.sqrt(n).astype(np.int64)  # a float64 may round it up by one, or down
        root -= root * root > n
        root += (root + 1) * (root + 1) <= n
        return root

    def dot(self, x: Array, w: Array) -> Array:
        """Codes (..., batch, m) of x (..., batch, n) times w (..., n, m), by the rule `accumulation`.

        The wide accumulator has 64 bits and wraps beyond them, as a register does.
        """
        if self.accumulation == "wide":
            if self.dtype is object:
                return self._finished(np.matmul(x, w), product=True)
            return self._finished(integer_matmul(x, w, 1 << self.q.total_bits - self.q.signed), product=True)
        if self.dtype is not object:
            x, w = self._words(x), self._words(w)
        n = x.shape[-1]
        if n == 0 or max(x.size * w.shape[-1], w.size * x.shape[-2]) < LONG_TERM * n:
            return self._fitted(np.add.reduce(self._terms(x[..., :, :, None] * w[..., None, :, :]), axis=-2))
        total = self._terms(x[..., :, 0, None] * w[..., None, 0, :])  # input by input: n times less memory
        for k in range(1, n):
            total += self._terms(x[..., :, k, None] * w[..., None, k, :])
        return self._fitted(total)

    def _terms(self, products: Array) -> Array:
        """Rounded products as they enter a sum: under `wrap` fitting the sum alone gives the same codes."""
        rounded = self._shifted(products)
        return rounded if self.overflow == "wrap" else self._fitted(rounded)

    def outer(self, x: Array, d: Array) -> Array:
        """Weight gradient (..., n, m) of x (..., batch, n) and d (..., batch, m): summed over the batch."""
        return self.dot(x.swapaxes(-1, -2), d)

    def total(self, x: Array, axis: int | tuple[int, ...]) -> Array:
        """Sum along an axis."""
        return self.fit(x.sum(axis=axis))

    def table(self, function: str) -> Array:
        """The lookup table of a function in this format."""
        return tables.table(function, self.q)

    def read(self, function: str, x: Array) -> Array:
        """A function at codes x, read from its table."""
        if self.dtype is object or type(x) is not np.ndarray:
            return lut.read(self.table(function), x, self.q)
        return tables.read(function, self._words(x), self.q)

    def exp(self, x: Array) -> Array:
        """e^x, from the table."""
        return self.read("exp", x)

    def log(self, x: Array) -> Array:
        """Natural logarithm, from the table; 0 where it has no value."""
        return self.read("log", x)

    def softmax(self, x: Array) -> Array:
        """Shares e^x / sum e^x along the last axis, e^x from the table; e^x itself where the sum wraps to 0.

        The largest x is not subtracted: sums that pass the format are its user's to prevent.
        """
        e = self.exp(x)
        total = self.total(e, -1)[..., None]
        return np.where(total == 0, e, self.div(e, np.where(total == 0, self.one, total)))

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
        raise unknown(name)

    @property
    def gelu_slope(self) -> int:
        """What stands for 1.702, its fraction cut [code]."""
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
        raise unknown(name)
