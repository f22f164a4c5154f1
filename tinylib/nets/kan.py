"""Kolmogorov-Arnold layer: a learnable curve on every edge, plain sums at the nodes.

    y_o = sum_i phi_io(x_i),    phi(x) = w_base SiLU(x) + w_spline sum_m c_m B_m(x)

The B_m are B-splines of degree k on G equal cells of [-1, 1]: C = G + k of them, knots h = 2/G apart.
Outside [-1, 1] the curve of the first or last cell goes on: no clamp, no jump, a polynomial of degree k.

Two roads to one spline:
  float  all cells are alike, so in cell i, u = (x + 1)/h - i in [0, 1) gives the k + 1 pieces that are not
         zero as fixed polynomials of u; in columns i .. i + k they make one row of one matrix product
  Q      de Boor's recursion for each edge, every operation rounded, as small fixed-point libraries run it

Source: Liu et al., KAN, arXiv 2404.19756, eqs. 2.10-2.12; de Boor, A Practical Guide to Splines, chapter X.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from math import comb, factorial
from typing import Any, Self

import numpy as np

from tinylib.cost.layers import count
from tinylib.cost.sequence import KAN as KANLayer
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Array, Fixed
from tinylib.nets.params import Arrays, Params, features
from tinylib.nets.scan import flat, unflat


@dataclass(frozen=True)
class KAN(Params):
    """Edges between n inputs and o outputs; no bias, no activation behind the sum.

    coefficients (..., n, G + k, o): heights of the splines
    w_base, w_spline (..., n, o): weights of SiLU and of the spline
    """

    coefficients: Array
    w_base: Array
    w_spline: Array
    grid: int = 5
    degree: int = 3

    def __post_init__(self) -> None:
        bases = count("grid", self.grid) + count("degree", self.degree)
        if np.ndim(self.w_base) < 2:
            raise ValueError(f"w_base must have the shape (..., n, o), got {np.shape(self.w_base)}")
        n, o = self.w_base.shape[-2:]
        self._shapes(coefficients=(n, bases, o), w_base=(n, o), w_spline=(n, o))

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        n_in: int,
        n_out: int,
        grid: int = 5,
        degree: int = 3,
        ops: Arithmetic = FLOAT,
        seeds: tuple[int, ...] = (),
    ) -> Self:
        """Small random curves on top of SiLU; the n edges of a node share its variance, 1/sqrt(n) each.

        `seeds` are leading axes: (1000,) draws a thousand independent layers.
        """
        layer = KANLayer(n_in, n_out, grid, degree)
        share = layer.in_features**-0.5
        c = rng.normal(0, 0.3, (*seeds, n_in, grid + degree, n_out))
        w_base = rng.normal(0, share, (*seeds, n_in, n_out))
        return cls(*map(ops.number, (c, w_base, np.full_like(w_base, share))), grid, degree)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Leading axes: independent layers."""
        return self.w_base.shape[:-2]

    @property
    def layer(self) -> KANLayer:
        """Parameters and MACs."""
        return KANLayer(*self.w_base.shape[-2:], self.grid, self.degree)

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """Outputs (..., batch, o) of x (..., batch, n)."""
        features(self, x, self.w_base.shape[-2])
        run = self._forward_fixed if isinstance(ops, Fixed) else self._forward_float
        if x.ndim > self.w_base.ndim + 1:
            raise ValueError(f"{self.layer} takes one time axis before (..., batch, n), got shape {x.shape}")
        if x.ndim <= self.w_base.ndim:
            return run(x, ops)
        y, tape = run(flat(x), ops)  # time steps share the curves: each is one more sample
        return unflat(y, len(x)), tape

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """Input signal (..., batch, n) and gradients for an output signal (..., batch, o)."""
        signal = self._signal_fixed if isinstance(ops, Fixed) else self._signal_float
        if delta.ndim <= self.w_base.ndim:
            return signal(tape, delta, ops), self.grads(tape, delta, ops)
        return unflat(signal(tape, flat(delta), ops), len(delta)), self.grads(tape, delta, ops)

    def grads(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> Arrays:
        """The gradients of `back` alone, for a first layer, whose input signal nobody reads."""
        gradients = self._gradients_fixed if isinstance(ops, Fixed) else self._gradients_float
        return gradients(tape, delta if delta.ndim <= self.w_base.ndim else flat(delta), ops)

    # ---- floating point: one row of C pieces and SiLU per input, one product for all edges

    def _forward_float(self, x: Array, ops: Arithmetic) -> tuple[Array, Any]:
        columns, (n, o) = self.grid + self.degree + 1, self.w_base.shape[-2:]
        t = (x.ravel() + 1) * (self.grid / 2)
        cell = np.fmax(np.fmin(np.floor(t), self.grid - 1), 0)  # NaN lands in a cell and stays NaN in u
        powers = _powers(t - cell, self.degree)
        at = _places(x.size, columns, self.degree) + cell.astype(np.intp)
        rows = np.zeros((*x.shape, columns), t.dtype)
        rows.reshape(-1)[at] = pieces(self.degree, t.dtype) @ powers
        sigmoid = ops.apply("sigmoid", x)
        rows[..., -1] = silu = x * sigmoid
        rows = rows.reshape(*x.shape[:-1], n * columns)
        w = np.concatenate((self.coefficients * self.w_spline[..., None, :], self.w_base[..., None, :]), -2)
        w = w.reshape(*w.shape[:-3], n * columns, o)
        return ops.dot(rows, w), (sigmoid, silu, powers, at, rows, w)

    def _gradients_float(self, tape: Any, delta: Array, ops: Arithmetic) -> Arrays:
        rows = tape[-2]
        g = ops.outer(rows, delta)
        g = g.reshape(*g.shape[:-2], -1, self.grid + self.degree + 1, g.shape[-1])
        curve = g[..., :-1, :]
        return {
            "coefficients": curve * self.w_spline[..., None, :],
            "w_base": g[..., -1, :],
            "w_spline": (curve * self.coefficients).sum(-2),
        }

    def _signal_float(self, tape: Any, delta: Array, ops: Arithmetic) -> Array:
        sigmoid, silu, powers, at, _, w = tape
        w = np.swapaxes(w, -1, -2)
        d = delta * w if delta.shape[-1] == 1 else ops.dot(delta, w)  # matmul is slow over an axis of one
        row = self.grid + self.degree + 1
        d = d.reshape(*d.shape[:-1], d.shape[-1] // row, row)  # what reaches each entry of a row
        own = d.shape[: d.ndim - 1 - silu.ndim]  # axes of the weights that x does not have
        steep = _slopes(self.grid, self.degree, silu.dtype) @ powers[:-1]
        dx = (d.reshape(*own, -1).take(at, -1) * steep).sum(-2).reshape(*own, *silu.shape)
        return dx + d[..., -1] * (sigmoid + silu * (1 - sigmoid))

    # ---- Q: every edge on its own, every operation rounded

    def _forward_fixed(self, x: Array, ops: Fixed) -> tuple[Array, Any]:
        at = knots(self.grid, self.degree, ops)
        curve = spline(self._edges, x[..., None], at, self.degree, ops)
        silu = ops.apply("silu", x)[..., None]
        base = ops.mul(self.w_base[..., None, :, :], silu)
        edges = ops.add(base, ops.mul(self.w_spline[..., None, :, :], curve))
        return ops.total(edges, -2), (x, at, silu, curve)

    def _gradients_fixed(self, tape: Any, delta: Array, ops: Fixed) -> Arrays:
        x, at, silu, curve = tape
        d = delta[..., None, :]
        unit = ops.one * np.eye(self.grid + self.degree, dtype=x.dtype)
        b = spline(unit, x[..., None], at, self.degree, ops)  # (..., batch, n, C): each B_m at each x
        heights = ops.mul(ops.mul(self.w_spline[..., None, :, None, :], b[..., None]), d[..., None, :])
        return {
            "coefficients": ops.total(heights, -4),
            "w_base": ops.total(ops.mul(silu, d), -3),
            "w_spline": ops.total(ops.mul(curve, d), -3),
        }

    def _signal_fixed(self, tape: Any, delta: Array, ops: Fixed) -> Array:
        x, at, _, _ = tape
        base = ops.mul(self.w_base[..., None, :, :], ops.slope("silu", x, x)[..., None])
        steep = spline_slope(self._edges, x[..., None], at, self.degree, ops)
        slope = ops.add(base, ops.mul(self.w_spline[..., None, :, :], steep))
        return ops.total(ops.mul(slope, delta[..., None, :]), -1)

    @property
    def _edges(self) -> Array:
        return np.swapaxes(self.coefficients, -1, -2)[..., None, :, :, :]  # (..., 1, n, o, C)


@cache
def pieces(degree: int, dtype: Any = np.float64) -> Array:
    """The k + 1 pieces of a uniform B-spline inside one cell, as polynomials: (coefficient, power of u).

    Row j is N(u + k - j) with N(s) = 1/k! sum_r (-1)^r binomial(k + 1, r) max(s - r, 0)^k, multiplied out;
    the rows sum to the polynomial 1. Source: de Boor, chapter X (cardinal splines).
    """
    k = degree
    table = [
        [
            comb(k, p) * sum((-1) ** r * comb(k + 1, r) * (k - j - r) ** (k - p) for r in range(k - j + 1))
            for p in range(k + 1)
        ]
        for j in range(k + 1)
    ]
    return (np.array(table) / factorial(k)).astype(dtype)


@cache
def _slopes(grid: int, degree: int, dtype: Any) -> Array:
    return (pieces(degree)[:, 1:] * np.arange(1, degree + 1) * (grid / 2)).astype(dtype)  # d/dx, not d/du


def _powers(u: Array, degree: int) -> Array:
    powers = np.empty((degree + 1, u.size), u.dtype)
    powers[0], powers[1] = 1, u
    for p in range(2, degree + 1):
        np.multiply(powers[p - 1], u, out=powers[p])
    return powers


@lru_cache(maxsize=16)
def _places(rows: int, columns: int, degree: int) -> Array:
    """Where the k + 1 pieces of each row begin in a flat (rows, columns), in cell 0: (k + 1, rows)."""
    return np.arange(degree + 1)[:, None] + np.arange(0, rows * columns, columns)


def knots(grid: int, degree: int, ops: Arithmetic = FLOAT) -> Array:
    """Knots (G + 2k + 1,): -1 is the one of index k, the others by repeated steps of 2/G in `ops`.

    Raises when the format is too narrow: they must rise.
    """
    step = ops.div(ops.whole(2), ops.whole(grid))
    right = [-ops.one]
    left = [-ops.one]
    for _ in range(grid + degree):
        right.append(ops.add(right[-1], step))
    for _ in range(degree):
        left.append(ops.sub(left[-1], step))
    all_knots = np.array(left[:0:-1] + right, dtype=ops.dtype)
    if not (all_knots[1:] > all_knots[:-1]).all():
        raise ValueError(
            f"knots of {grid} cells and degree {degree} must rise: {ops.q} cannot tell or hold them, "
            f"got {all_knots.tolist()}"
        )
    return all_knots


def spline(c: Array, x: Array, at: Array, degree: int, ops: Arithmetic = FLOAT) -> Array:
    """Spline with coefficients c (..., C) on the knots `at`, at x (...), by de Boor's recursion in `ops`.

    Degree 1 is a straight line c_left + (c_right - c_left) (x - x_0) / (x_1 - x_0), rounded in this order.
    """
    d, span = _local(c, x, at, degree)

    def alpha(i: Array, width: int) -> Array:
        return ops.div(ops.sub(x, at[i]), ops.sub(at[i + width], at[i]))

    if degree == 1:
        return ops.add(d[0], ops.mul(ops.sub(d[1], d[0]), alpha(span, 1)))
    for r in range(1, degree + 1):
        for j in range(degree, r - 1, -1):
            a = alpha(span - degree + j, degree - r + 1)
            d[j] = ops.add(ops.mul(ops.sub(ops.one, a), d[j - 1]), ops.mul(a, d[j]))
    return d[degree]


def spline_slope(c: Array, x: Array, at: Array, degree: int, ops: Arithmetic = FLOAT) -> Array:
    """Derivative of `spline` by x: a spline of one degree less on the inner knots."""
    if degree == 1:
        d, span = _local(c, x, at, 1)
        return ops.div(ops.sub(d[1], d[0]), ops.sub(at[span + 1], at[span]))
    rise = ops.mul(ops.whole(degree), ops.sub(c[..., 1:], c[..., :-1]))
    return spline(
        ops.div(rise, ops.sub(at[degree + 1 : -1], at[1 : -degree - 1])), x, at[1:-1], degree - 1, ops
    )


def _local(c: Array, x: Array, at: Array, degree: int) -> tuple[list[Array], Array]:
    """The k + 1 coefficients that count at x, and the number of the knot to its left, ends held."""
    span = degree + np.searchsorted(at[degree + 1 : -degree - 1], x, side="right")
    first = span[(None,) * (c.ndim - 1 - x.ndim)][..., None] - degree
    c = c[(None,) * (first.ndim - c.ndim)]
    return [np.take_along_axis(c, first + j, -1)[..., 0] for j in range(degree + 1)], span
