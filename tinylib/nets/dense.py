"""Fully connected layer: a weighted sum and a bias for every output, bent by an activation.

    z = b + x W        y = f(z)
    d = delta * f'(z)  dx = d W^T        dW = sum over the batch of x^T d        db = sum of d

`back` is linear in delta; fed with -dLoss/dy it returns what is added to the weights.
Source: Rumelhart, Hinton & Williams, Nature 323, 1986, pp. 533-536.
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tinylib.cost import layers
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Array
from tinylib.nets.params import Arrays, Params, features, shaped
from tinylib.nets.scan import merged
from tinylib.units import real, shown


@dataclass(frozen=True)
class Dense(Params):
    """Weights of one layer with n inputs and m outputs; leading axes are independent layers.

    w (..., n, m): w[i, k] leads from input i to output k
    b (..., m): what output k has without any input
    Files of weights list w row by row, then b, layer by layer; torch.nn.Linear keeps weight = w.T.
    """

    w: Array
    b: Array
    activation: str = "linear"

    def __post_init__(self) -> None:
        self._dense()

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        n_in: int,
        n_out: int,
        activation: str = "linear",
        ops: Arithmetic = FLOAT,
        limit: float | None = None,
        seeds: tuple[int, ...] = (),
    ) -> Self:
        """Random weights, uniform in +-limit, biases too; by default +-sqrt(6 / (n + m)) and biases of 0.

        `seeds` are leading axes: (1000,) draws a thousand independent layers.
        Source of the default: Glorot & Bengio, AISTATS 2010, eq. 16.
        """
        layer = layers.Dense(n_in, n_out)  # it refuses what is not a size
        bound = math.sqrt(6 / (n_in + n_out)) if limit is None else real("limit", limit)
        if bound < 0:
            raise ValueError(f"limit must not be negative: weights lie in +-limit, got {shown(limit)}")
        w = rng.uniform(-bound, bound, (*seeds, layer.in_features, layer.out_features))
        b = np.zeros((*seeds, n_out)) if limit is None else rng.uniform(-bound, bound, (*seeds, n_out))
        return cls(ops.number(w), ops.number(b), activation)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Leading axes: independent layers."""
        return self.w.shape[:-2]

    @property
    def layer(self) -> layers.Dense:
        """The layer that counts one of them."""
        return layers.Dense(*self.w.shape[-2:])

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """y (..., batch, m) of x (..., batch, n), and the tape; a sequence has its time axis first."""
        features(self, x, self.w.shape[-2])
        z = ops.add(self.b[..., None, :], ops.dot(x, self.w))
        y = ops.apply(self.activation, z)
        return y, (x, z, y)

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """dx (..., batch, n) and the gradients of w and b, for delta (..., batch, m)."""
        grads, d = self._gradients(tape, delta, ops)
        return ops.dot(d, np.swapaxes(self.w, -1, -2)), grads

    def grads(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> Arrays:
        """The gradients of `back` alone, for a first layer, whose dx nobody reads."""
        return self._gradients(tape, delta, ops)[0]

    def _gradients(self, tape: Any, delta: Array, ops: Arithmetic) -> tuple[Arrays, Array]:
        x, z, y = tape
        shaped(delta, y)
        d = delta if self.activation == "linear" else ops.mul(delta, ops.slope(self.activation, z, y))
        if x.ndim > self.w.ndim:  # time steps share the weights: each is one more sample
            rows, signal = merged(x, self.w.ndim), merged(d, self.w.ndim)
            return {"w": ops.outer(rows, signal), "b": ops.total(signal, -2)}, d
        grads = {"w": ops.outer(x, d), "b": d[..., 0, :] if d.shape[-2] == 1 else ops.total(d, -2)}
        times = tuple(range(d.ndim - self.w.ndim))
        return {name: ops.total(g, times) for name, g in grads.items()} if times else grads, d
