"""Floating-point arithmetic of networks: numpy's own, with the activations and their slopes.

    gelu(x) ~ x sigmoid(1.702 x)     silu(x) = x sigmoid(x)     scaled_tanh(x) = a tanh(b x)

Source: Hendrycks & Gimpel, arXiv 1606.08415, section 2; LeCun et al., Efficient BackProp, 1998, section 4.4.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinylib.units import shown

Array = np.ndarray
ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid", "elu", "gelu", "silu", "scaled_tanh")
SCALED_TANH = (1.7159, 0.666)  # a, b
GELU_SLOPE = 1.702


def unknown(activation: object) -> ValueError:
    """What an unknown name of an activation raises."""
    return ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {shown(activation)}")


def known(activation: object) -> None:
    """Raise unless the name is one of ACTIVATIONS."""
    if activation not in ACTIVATIONS:
        raise unknown(activation)


def finite(values: Any) -> Array:
    """Values as float64; NaN and infinity are refused."""
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"values must be real numbers in rows of equal length, got {shown(values)}") from None
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

    def __post_init__(self) -> None:
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype must be numpy.float32 or numpy.float64, got {shown(self.dtype)}")

    def number(self, values: Any) -> Array:
        """Real numbers as this arithmetic stores them; NaN and infinity are refused."""
        return finite(values).astype(self.dtype)

    def values(self, stored: Array) -> Array:
        """Stored numbers as float64."""
        return np.asarray(stored, dtype=np.float64)

    def whole(self, n: int) -> float:
        """The integer `n` as a number."""
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
        raise unknown(name)

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
        raise unknown(name)

    def exp(self, x: Array) -> Array:
        """e^x."""
        return np.exp(x)

    def log(self, x: Array) -> Array:
        """Natural logarithm."""
        return np.log(x)

    def softmax(self, x: Array) -> Array:
        """Shares e^x / sum e^x along the last axis."""
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)


FLOAT = Float()
FLOAT32 = Float(np.float32)
