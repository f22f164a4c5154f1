"""Parts without weights: pooling, dropout and flattening.

    max pool       y[o] = the largest x under the window          dx: all of delta, where that value was
    average pool   y[o] = sum of x under the window / n           dx: delta / n at each of its n places
    dropout        y = x * mask * 100 / (100 - percent)           dx = delta * mask * 100 / (100 - percent)

Of equal values the first counts, in the order of rows, columns. Margins hold no data: they are never
the largest, and n does not count them. In fixed point n and 100 / (100 - percent) are numbers of the
format: a window of more places than its largest whole number is refused. Overlapping windows add up.
Source: Goodfellow, Bengio & Courville, Deep Learning, 2016, section 9.3; Srivastava et al., JMLR 2014.
"""

from dataclasses import dataclass
from functools import cached_property
from math import gcd, prod
from typing import Any, Self

import numpy as np

from tinylib.cost import layers
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Array
from tinylib.nets.params import Arrays, Params, got
from tinylib.nets.windows import Geometry, fitted, inside, padded, taps, windows
from tinylib.units import shown


@dataclass(frozen=True)
class _Pool(Params):
    """A window that slides over each channel; the stride is the kernel unless it is given."""

    kernel_size: layers.Pair
    stride: layers.Pair | None = None
    padding: str | layers.Pair = "valid"

    kind = layers.MaxPool2D

    def __post_init__(self) -> None:
        _ = self.layer  # its checks are ours

    @cached_property
    def layer(self) -> Any:
        """The layer that counts it."""
        return self.kind(self.kernel_size, self.stride, self.padding)


class MaxPool2D(_Pool):
    """Largest value under each window: (batch, height, width, c) -> (batch, height', width', c)."""

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """y (batch, *places, c) of x (batch, *places, c), and the tape."""
        g = fitted(self.layer, x)
        wide = padded(x, g, _below(x))
        y = None
        for _, seen in taps(g):
            y = wide[seen] if y is None else np.maximum(y, wide[seen])
        return y, (x, wide, g, y)

    def argmax(self, tape: Any) -> Array:
        """Where each largest value was: its index in the flattened sample (batch, *places, c)."""
        x, _, g, _ = tape
        index = padded(np.arange(prod(x.shape[1:])).reshape(1, *x.shape[1:]), g, -1)
        found = np.zeros((len(x), *g.out), np.int64)
        for seen, won in self._winners(tape):
            found += won * index[seen]
        return found

    def _winners(self, tape: Any) -> Any:
        """Each tap's view with the places where it holds the largest value first."""
        _, wide, g, y = tape
        free = np.ones(y.shape, bool)
        for _, seen in taps(g):
            won = free & (wide[seen] == y)
            free &= ~won
            yield seen, won

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """dx, shaped as x, for delta (batch, *places, c); there are no gradients."""
        _, wide, g, _ = tape
        dx = np.zeros_like(wide)
        for seen, won in self._winners(tape):
            dx[seen] = ops.add(dx[seen], delta * won)
        return dx[inside(g)], {}


def _below(x: Array) -> Any:
    """A value under all of x, for margins."""
    return -np.inf if x.dtype.kind == "f" else x.min(initial=0) - 1


class AvgPool2D(_Pool):
    """Mean under each window: (batch, height, width, c) -> (batch, height', width', c)."""

    kind = layers.AvgPool2D

    def _counts(self, g: Geometry, ops: Arithmetic) -> Any:
        """Places of data under each window, as numbers of the format: one, or (1, *places, 1)."""
        if g.padded == g.sizes:
            return ops.whole(prod(g.kernel))
        data = padded(np.ones((1, *g.sizes, 1), np.int64), g)
        n = windows(data, g).sum(tuple(range(1 + len(g.places), 1 + 2 * len(g.places))))
        return np.array([ops.whole(int(v)) for v in n.flat], ops.dtype).reshape(n.shape)

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """y (batch, *places, c) of x (batch, *places, c), and the tape."""
        g = fitted(self.layer, x)
        n = self._counts(g, ops)
        axes = tuple(range(1 + len(g.places), 1 + 2 * len(g.places)))
        return ops.div(ops.total(windows(padded(x, g), g), axes), n), (x, g, n)

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """dx, shaped as x, for delta (batch, *places, c); there are no gradients."""
        x, g, n = tape
        share = ops.div(delta, n)
        dx = np.zeros((len(x), *g.padded, x.shape[-1]), x.dtype)
        for _, seen in taps(g):
            dx[seen] = ops.add(dx[seen], share)
        return dx[inside(g)], {}


class MaxPool1D(MaxPool2D):
    """Largest value under each window of time: (batch, time, c) -> (batch, time', c)."""

    kind = layers.MaxPool1D


class AvgPool1D(AvgPool2D):
    """Mean under each window of time: (batch, time, c) -> (batch, time', c)."""

    kind = layers.AvgPool1D


@dataclass(frozen=True)
class _GlobalPool(Params):
    """One number per channel: (batch, height, width, c) -> (batch, c)."""

    kind = layers.GlobalAvgPool2D

    @cached_property
    def layer(self) -> Any:
        """The layer that counts it."""
        return self.kind()

    def _checked(self, x: Array) -> None:
        if not isinstance(x, np.ndarray) or x.ndim != self.layer.axes + 2 or not all(x.shape[1:]):
            raise ValueError(f"{self.layer} expects x (batch, height, width, channels), got {got(x)}")


class GlobalMaxPool2D(_GlobalPool):
    """Largest value over all places: the pool whose window is the whole input."""

    kind = layers.GlobalMaxPool2D

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """y (batch, c) of x (batch, height, width, c), and the tape."""
        self._checked(x)
        pool = MaxPool2D(x.shape[1:3])
        y, tape = pool.forward(x, ops)
        return y[:, 0, 0], (pool, tape)

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """dx, shaped as x, for delta (batch, c); there are no gradients."""
        pool, inner = tape
        return pool.back(inner, delta[:, None, None], ops)


class GlobalAvgPool2D(_GlobalPool):
    """Mean over all places."""

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """y (batch, c) of x (batch, height, width, c), and the tape."""
        self._checked(x)
        n = ops.whole(x.shape[1] * x.shape[2])
        return ops.div(ops.total(x, (1, 2)), n), (x.shape, n)

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """dx, shaped as x, for delta (batch, c); there are no gradients."""
        shape, n = tape
        return np.broadcast_to(ops.div(delta, n)[:, None, None], shape), {}


@dataclass(frozen=True)
class Flatten(Params):
    """All values of a sample in one row: (batch, *places, c) -> (batch, features)."""

    layer = None

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """y (batch, features) of x (batch, ...), and the tape."""
        if not isinstance(x, np.ndarray) or x.ndim < 2:
            raise ValueError(f"Flatten expects x (batch, ..., features), got {got(x)}")
        return x.reshape(len(x), prod(x.shape[1:])), x.shape

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """dx, shaped as x, for delta (batch, features); there are no gradients."""
        return delta.reshape(tape), {}


@dataclass(frozen=True)
class Dropout(Params):
    """While it trains, each value is dropped with a chance of `percent` and the rest made larger.

    In use it does nothing. `sampled(rng)` is the part for one training step; `mask` fixes who stays.
    """

    percent: int
    rng: np.random.Generator | None = None
    mask: Any = None

    layer = None

    def __post_init__(self) -> None:
        if layers.count("percent", self.percent, 0) > 99:
            raise ValueError(f"percent must lie below 100: something has to stay, got {shown(self.percent)}")

    @property
    def arrays(self) -> Arrays:
        """Nothing: a mask is drawn, not learnt."""
        return {}

    def sampled(self, rng: np.random.Generator) -> Self:
        """The part for one training step: `forward` draws a mask from rng."""
        return type(self)(self.percent, rng)

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """y, shaped as x, and the tape (mask, factor); a value stays if a draw of 0..99 is >= percent."""
        mask = self.mask
        if mask is None and self.rng is not None:
            mask = self.rng.integers(0, 100, x.shape) >= self.percent
        if mask is None:
            return x, None
        shared = gcd(100, 100 - self.percent)
        factor = ops.div(ops.whole(100 // shared), ops.whole((100 - self.percent) // shared))
        return ops.mul(x, factor) * mask, (mask, factor)

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """dx, shaped as x, for a delta of that shape; there are no gradients."""
        return (delta if tape is None else ops.mul(delta, tape[1]) * tape[0]), {}
