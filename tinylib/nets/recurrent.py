"""Recurrent cells: Elman, LSTM and GRU with n inputs and m neurons, every gate trained.

    p = w_in x + b + w_rec h                          x (n,), h (m,): h_{t-1} of all neurons at once
    Elman   h' = tanh(p)
    LSTM    g = tanh, f i o = sigmoid                 blocks of p: candidate g, forget f, input i, output o
            c' = f c + g i,   h' = tanh(c') o
    GRU     z r = sigmoid                             blocks of p: update z, reset r, candidate
            g = tanh(w_in x + b + r (w_rec h + b_rec)),   h' = (1 - z) h + z g

The GRU resets the recurrent product, after the matrix; z is the share of the *new* value, so that a z of
torch is 1 - z here. `b_rec` (3 m), often left out, is torch's second bias, which the reset multiplies in
the candidate. In Q formats products are rounded in the order in which they are written here.
Source: Elman, Cognitive Science 14, 1990; Hochreiter & Schmidhuber 1997 with Gers et al. 2000 (LSTM);
Cho et al., arXiv 1406.1078 (GRU).
"""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from tinylib.cost import sequence
from tinylib.cost.layers import Layer
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Float
from tinylib.nets.params import Arrays
from tinylib.nets.scan import (
    Cell,
    State,
    Tape,
    bias_gradient,
    input_signal,
    rows,
    stack,
    tiled,
    weight_gradient,
)

Array = np.ndarray


@dataclass(frozen=True)
class _Gated(Cell):
    """w_in (n, g m), w_rec (m, g m), b (g m,): g blocks of m columns."""

    w_in: Array
    w_rec: Array
    b: Array

    kind: ClassVar[type[Layer]]

    def __post_init__(self) -> None:
        n, m = (rows(name, getattr(self, name)) for name in ("w_in", "w_rec"))
        columns = self.kind.gates * m
        self._shapes(w_in=(n, columns), w_rec=(m, columns), b=(columns,))

    @property
    def layer(self) -> Layer:
        """Elman, LSTM or GRU of `cost` with as many inputs, neurons and bias vectors."""
        return self.kind(self.w_in.shape[-2], self.w_rec.shape[-2])

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        n_in: int,
        n_hidden: int,
        ops: Arithmetic = FLOAT,
        seeds: tuple[int, ...] = (),
    ) -> Self:
        """Random initial weights, uniform within +-1 / sqrt(m); the forget gate of an LSTM starts open.

        `seeds` are leading axes: (1000,) draws a thousand independent cells.
        """
        layer, reach = cls.kind(n_in, n_hidden), 1 / math.sqrt(n_hidden)
        columns = layer.gates * n_hidden
        shapes = (n_in, columns), (n_hidden, columns), (columns,)
        w_in, w_rec, b = (rng.uniform(-reach, reach, (*seeds, *shape)) for shape in shapes)
        if cls is LSTM:
            b[..., n_hidden : 2 * n_hidden] = 1.0  # Jozefowicz et al., ICML 2015, section 2.1
        return cls(w_in, w_rec, b).mapped(ops.number)

    def _block(self, a: Array, first: int, last: int | None = None) -> Array:
        """Gates first..last - 1 of an array (..., g m)."""
        m = self.hidden_features
        return a[..., first * m : (first + 1 if last is None else last) * m]

    def gradients(self, tape: Tape, signals: Any, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """Signal at the inputs; gradients of w_in (n, g m), w_rec (m, g m), b (g m,)."""
        (dz,) = signals
        return input_signal(dz, self.w_in, ops), {
            "w_in": weight_gradient(tape.xs, dz, ops),
            "w_rec": weight_gradient(tape.states[0][:-1], dz, ops),
            "b": bias_gradient(dz, ops),
        }


class Elman(_Gated):
    """h' = tanh(w_in x + b + w_rec h): w_in (n, m), w_rec (m, m), b (m,)."""

    kind = sequence.Elman

    def step(self, z: Array, state: State, ops: Arithmetic = FLOAT) -> tuple[State, tuple[Array, ...]]:
        """One time step; nothing is recorded, h says all."""
        return (ops.apply("tanh", ops.add(z, ops.dot(state[0], self.w_rec))),), ()

    def slopes(self, tape: Tape, ops: Arithmetic = FLOAT) -> tuple[Array, ...]:
        """1 - h'^2."""
        h = tape.states[0][1:]
        return (ops.slope("tanh", h, h),)

    def back(self, slopes: Any, dstate: State, ops: Arithmetic = FLOAT) -> tuple[tuple[Array, ...], State]:
        """dz = dh (1 - h'^2), and w_rec dz for the step before."""
        dz = ops.mul(dstate[0], slopes[0])
        return (dz,), (ops.dot(dz, self.w_rec.mT),)


class LSTM(_Gated):
    """Long short-term memory: state (h, c); blocks candidate g, forget f, input i, output o."""

    kind = sequence.LSTM

    def start(self, shape: tuple[int, ...], ops: Arithmetic = FLOAT) -> State:
        """h = c = 0."""
        return super().start(shape, ops) * 2

    def step(self, z: Array, state: State, ops: Arithmetic = FLOAT) -> tuple[State, tuple[Array, ...]]:
        """One time step; records the four gates (..., batch, 4 m) and tanh(c')."""
        h, c = state
        p = ops.add(z, ops.dot(h, self.w_rec))
        g, fio = ops.apply("tanh", self._block(p, 0)), ops.apply("sigmoid", self._block(p, 1, 4))
        f, i, o = (self._block(fio, k) for k in range(3))
        c = ops.add(ops.mul(f, c), ops.mul(g, i))
        squashed = ops.apply("tanh", c)
        return (ops.mul(squashed, o), c), (np.concatenate((g, fio), -1), squashed)

    def run(self, zs: Array, state: State, ops: Arithmetic = FLOAT) -> tuple[State, tuple[Array, ...]]:
        """In floating point nine calls a step: one tanh for all gates by sigmoid(p) = tanh(p / 2) / 2 + 1/2.

        Features come first and the batch last, so that each gate is one block of memory. A row of `room` is
        c | g f i o: one product gives both terms of c' = c f + g i.
        """
        if not isinstance(ops, Float) or zs.ndim > 3:
            return super().run(zs, state, ops)
        (time, batch, columns), dtype, half = zs.shape, zs.dtype, np.array(0.5, zs.dtype)
        m = columns // 4
        scale = np.repeat(np.array([1, half], dtype), (m, 3 * m))[:, None]
        w_rec, zs = np.multiply(self.w_rec.T, scale, order="C"), np.multiply(zs.mT, scale, order="C")
        hs, squashed = stack(state[0].T, time + 1), np.empty((time, m, batch), dtype)
        room, sums = np.empty((time + 1, 5 * m, batch), dtype), np.empty((2 * m, batch), dtype)
        cs, kept, added = room[:, :m], sums[:m], sums[m:]
        cs[0] = state[1].T
        left, right, outs = room[:, : 2 * m], room[:, 2 * m : 4 * m], room[:, 4 * m :]
        rows = zip(
            zs, hs, hs[1:], cs[1:], room[:, m:], room[:, 2 * m :], left, right, outs, squashed, strict=False
        )
        for z, h, h_next, c_next, p, fio, cg, fi, o, t in rows:
            w_rec.dot(h, out=p)
            np.add(p, z, out=p)
            np.tanh(p, out=p)
            np.multiply(fio, half, out=fio)
            np.add(fio, half, out=fio)
            np.multiply(cg, fi, out=sums)
            np.add(kept, added, out=c_next)
            np.tanh(c_next, out=t)
            np.multiply(t, o, out=h_next)
        return (hs.mT, cs.mT), (room[:-1, m:].mT, squashed.mT)

    def slopes(self, tape: Tape, ops: Arithmetic = FLOAT) -> tuple[Array, ...]:
        """Of the four pre-activations (steps, ..., batch, 4 m), of c' under h', and of c under c'."""
        gates, squashed = tape.records
        g, f, i, o = (self._block(gates, k) for k in range(4))
        of_gates = (
            ops.mul(i, ops.slope("tanh", g, g)),
            ops.mul(tape.states[1][:-1], ops.slope("sigmoid", f, f)),
            ops.mul(g, ops.slope("sigmoid", i, i)),
            ops.mul(squashed, ops.slope("sigmoid", o, o)),
        )
        return np.concatenate(of_gates, -1), ops.mul(o, ops.slope("tanh", squashed, squashed)), f

    def back(self, slopes: Any, dstate: State, ops: Arithmetic = FLOAT) -> tuple[tuple[Array, ...], State]:
        """dc' += dh' o (1 - tanh(c')^2); dz = (dc', dc', dc', dh') slopes; dc = dc' f, dh = w_rec dz."""
        (of_gates, of_cell, f), (dh, dc) = slopes, dstate
        dc = ops.add(dc, ops.mul(dh, of_cell))
        dz = ops.mul(np.concatenate((dc, dc, dc, dh), -1), of_gates)
        return (dz,), (ops.dot(dz, self.w_rec.mT), ops.mul(dc, f))


@dataclass(frozen=True)
class GRU(_Gated):
    """Gated recurrent unit; blocks update z, reset r, candidate g; b_rec (3 m,) or None."""

    b_rec: Array | None = field(default=None)

    kind = sequence.GRU

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.b_rec is not None:
            self._shapes(b_rec=(*self.seeds, 3 * self.w_rec.shape[-2]))

    @property
    def layer(self) -> sequence.GRU:
        """With one bias vector, or two when `b_rec` is there."""
        return sequence.GRU(self.w_in.shape[-2], self.w_rec.shape[-2], 1 if self.b_rec is None else 2)

    def step(self, z: Array, state: State, ops: Arithmetic = FLOAT) -> tuple[State, tuple[Array, ...]]:
        """One time step; records the gates z r g (..., batch, 3 m) and the candidate's recurrent sum."""
        (h,) = state
        recurrent = ops.dot(h, self.w_rec)
        if self.b_rec is not None:
            recurrent = ops.add(recurrent, self.b_rec[..., None, :])
        zr = ops.apply("sigmoid", ops.add(self._block(z, 0, 2), self._block(recurrent, 0, 2)))
        update, reset, total = self._block(zr, 0), self._block(zr, 1), self._block(recurrent, 2)
        g = ops.apply("tanh", ops.add(self._block(z, 2), ops.mul(reset, total)))
        h = ops.add(ops.mul(ops.sub(ops.one, update), h), ops.mul(update, g))
        return (h,), (np.concatenate((zr, g), -1), total)

    def slopes(self, tape: Tape, ops: Arithmetic = FLOAT) -> tuple[Array, ...]:
        """Of z, r, recurrent and input sum of the candidate (steps, ..., batch, 4 m); of h under h'."""
        gates, total = tape.records
        z, r, g = (self._block(gates, k) for k in range(3))
        of_input = ops.mul(z, ops.slope("tanh", g, g))
        of_update = ops.mul(ops.sub(g, tape.states[0][:-1]), ops.slope("sigmoid", z, z))
        of_reset = ops.mul(ops.mul(of_input, total), ops.slope("sigmoid", r, r))
        of_all = np.concatenate((of_update, of_reset, ops.mul(of_input, r), of_input), -1)
        return of_all, ops.sub(ops.one, z)

    def back(self, slopes: Any, dstate: State, ops: Arithmetic = FLOAT) -> tuple[tuple[Array, ...], State]:
        """Signals at the four sums of `slopes`; dh = w_rec (of the first three) + dh' (1 - z)."""
        (of_all, kept), (dh,) = slopes, dstate
        signals = ops.mul(tiled(dh, 4), of_all)
        recurrent = ops.dot(self._block(signals, 0, 3), self.w_rec.mT)
        return (signals,), (ops.add(ops.mul(dh, kept), recurrent),)

    def gradients(self, tape: Tape, signals: Any, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """As in `_Gated`; the recurrent weights see the signal behind the reset."""
        (every,) = signals
        behind = self._block(every, 0, 3)
        dx, grads = super().gradients(
            tape, (np.concatenate((self._block(every, 0, 2), self._block(every, 3)), -1),), ops
        )
        grads["w_rec"] = weight_gradient(tape.states[0][:-1], behind, ops)
        return dx, grads | ({} if self.b_rec is None else {"b_rec": bias_gradient(behind, ops)})
