"""Closed-form continuous-time cell (CfC): n inputs, a backbone of k features, m neurons.

    q  = activation(w_in x + w_rec h + b)                  activation: tanh, or 1.7159 tanh(0.666 .)
    f = tanh, g = tanh, and two maps a, e of q             blocks of w_heads q + b_heads: f, g, a, e
    s  = sigmoid(a dt + e)                                 share of g after dt [s]
    h' = (1 - s) f + s g        mode "default"
    h' = f + s g                mode "no_gate"

Nothing is integrated: dt enters once, so that samples may come at uneven times. In Q formats products
are rounded in the order in which they are written here.
Source: Hasani et al., Closed-form continuous-time neural networks, Nature Machine Intelligence 4, 2022.
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tinylib.cost import sequence
from tinylib.nets.arithmetic import FLOAT, SCALED_TANH, Arithmetic, Float
from tinylib.nets.params import Arrays, got
from tinylib.nets.scan import (
    Cell,
    State,
    Tape,
    bias_gradient,
    input_signal,
    project,
    rows,
    stack,
    tiled,
    weight_gradient,
)
from tinylib.units import real, shown

Array = np.ndarray
ACTIVATIONS = {"tanh": (1.0, 1.0), "scaled_tanh": SCALED_TANH}  # a, b of a tanh(b x)
MODES = ("default", "no_gate")


@dataclass(frozen=True)
class CfC(Cell):
    """w_in (n, k), w_rec (m, k), b (k,): backbone; w_heads (k, 4 m), b_heads (4 m,): f, g, a, e.

    dt [s] is the time between two samples.
    """

    w_in: Array
    w_rec: Array
    b: Array
    w_heads: Array
    b_heads: Array
    dt: float = 1.0
    activation: str = "tanh"
    mode: str = "default"

    def __post_init__(self) -> None:
        n, m, k = (rows(name, getattr(self, name)) for name in ("w_in", "w_rec", "w_heads"))
        self._shapes(w_in=(n, k), w_rec=(m, k), b=(k,), w_heads=(k, 4 * m), b_heads=(4 * m,))
        if real("dt", self.dt) < 0:
            raise ValueError(
                f"dt must not be negative: the state cannot go back in time, got {shown(self.dt)}"
            )
        for what, value, known in ("activation", self.activation, ACTIVATIONS), ("mode", self.mode, MODES):
            if not isinstance(value, str) or value not in known:
                raise ValueError(f"{what} must be one of {', '.join(known)}, got {shown(value)}")

    @property
    def layer(self) -> sequence.CfC:
        """CfC of `cost` with as many inputs, neurons and backbone features."""
        return sequence.CfC(*(rows(name, getattr(self, name)) for name in ("w_in", "w_rec", "w_heads")))

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        n_in: int,
        n_hidden: int,
        n_backbone: int,
        ops: Arithmetic = FLOAT,
        seeds: tuple[int, ...] = (),
        **options: Any,
    ) -> Self:
        """Random weights, uniform within sqrt(6 / (rows + columns)) of each map; biases 0.

        `seeds` are leading axes: independent cells.
        """
        layer = sequence.CfC(n_in, n_hidden, n_backbone)
        n, m, k = layer.in_features, layer.hidden_features, layer.backbone_features
        backbone, heads = math.sqrt(6 / (n + m + k)), math.sqrt(6 / (k + m))
        weights = (
            rng.uniform(-backbone, backbone, (*seeds, n, k)),
            rng.uniform(-backbone, backbone, (*seeds, m, k)),
            np.zeros((*seeds, k)),
            rng.uniform(-heads, heads, (*seeds, k, 4 * m)),
            np.zeros((*seeds, 4 * m)),
        )
        return cls(*weights, **options).mapped(ops.number)

    def project(self, xs: Array, ops: Arithmetic = FLOAT, elapsed: Array | None = None) -> Array:
        """w_in x + b, and dt as one more column: (time, ..., batch, k + 1).

        `elapsed` (time, ..., batch) [s], or axes of 1: time since the sample before, where dt is not even.
        """
        z = project(xs, self.w_in, self.b, ops)
        dt = ops.number(self.dt if elapsed is None else elapsed)
        if np.any(dt < 0) or any(n not in (1, m) for n, m in zip(dt.shape[::-1], z.shape[-2::-1])):
            raise ValueError(f"elapsed must hold times >= 0 of the shape {z.shape[:-1]}, got {got(elapsed)}")
        return np.concatenate((z, np.broadcast_to(dt[..., None], (*z.shape[:-1], 1))), -1)

    def step(self, z: Array, state: State, ops: Arithmetic = FLOAT) -> tuple[State, tuple[Array, ...]]:
        """One time step; records q (..., batch, k) and f, g, s (..., batch, 3 m)."""
        m = self.w_rec.shape[-2]
        q = ops.apply(self.activation, ops.add(z[..., :-1], ops.dot(state[0], self.w_rec)))
        heads = ops.add(ops.dot(q, self.w_heads), self.b_heads[..., None, :])
        fg = ops.apply("tanh", heads[..., : 2 * m])
        f, g, a, e = fg[..., :m], fg[..., m:], heads[..., 2 * m : 3 * m], heads[..., 3 * m :]
        s = ops.apply("sigmoid", ops.add(ops.mul(a, z[..., -1:]), e))
        stays = ops.mul(ops.sub(ops.one, s), f) if self.mode == "default" else f
        return (ops.add(stays, ops.mul(s, g)),), (q, np.concatenate((fg, s), -1))

    def run(self, zs: Array, state: State, ops: Arithmetic = FLOAT) -> tuple[State, tuple[Array, ...]]:
        """In floating point and at even times nine calls a step: a dt + e is one map, all scales are folded.

        Features come first and the batch last, so that each gate is one block of memory. With s = (1 + u) / 2
        the state doubles to 2 h' = (f + g) + u (g - f); w_rec takes the half.
        """
        even = zs.size and zs.ndim == 3 and not np.ptp(zs[..., -1])
        if not isinstance(ops, Float) or self.mode != "default" or not even:
            return super().run(zs, state, ops)
        (time, batch, _), m, dtype = zs.shape, self.w_rec.shape[-2], zs.dtype
        scale, inner = (dtype.type(v) for v in ACTIVATIONS[self.activation])
        half, dt = dtype.type(0.5), zs.flat[-1]
        zs = np.multiply(zs[..., :-1].mT, inner, order="C")
        w_rec = np.multiply(self.w_rec.T, inner * half, order="C")
        heads = np.concatenate((self.w_heads * scale, self.b_heads[None])).T  # last column: biases
        gate = half * (dt * heads[2 * m : 3 * m] + heads[3 * m :])
        heads = np.concatenate((heads[: 2 * m], gate))
        hs, qs = stack(2 * state[0].T, time + 1), np.ones((time, zs.shape[1] + 1, batch), dtype)
        outs = np.empty((time, 3 * m, batch), dtype)
        p, total, change = np.empty_like(zs[0]), np.empty_like(hs[0]), np.empty_like(hs[0])
        fs, gs, us = outs[:, :m], outs[:, m : 2 * m], outs[:, 2 * m :]
        rows = zip(zs, hs, hs[1:], qs, qs[:, :-1], outs, fs, gs, us, strict=False)
        for z, h, h_next, q, tanh, out, f, g, u in rows:
            w_rec.dot(h, out=p)
            np.add(p, z, out=p)
            np.tanh(p, out=tanh)
            heads.dot(q, out=out)
            np.tanh(out, out=out)
            np.add(f, g, out=total)
            np.subtract(g, f, out=change)
            np.multiply(change, u, out=change)
            np.add(total, change, out=h_next)
        us *= half
        us += half
        hs *= half
        return (hs.mT,), ((qs[:, :-1] * scale).mT, outs.mT)

    def slopes(self, tape: Tape, ops: Arithmetic = FLOAT) -> tuple[Array, ...]:
        """Of the four heads under h' (steps, ..., batch, 4 m), and of the backbone (steps, ..., batch, k)."""
        q, fgs = tape.records
        m = self.w_rec.shape[-2]
        f, g, s = fgs[..., :m], fgs[..., m : 2 * m], fgs[..., 2 * m :]
        of_f, of_g = ops.slope("tanh", f, f), ops.mul(s, ops.slope("tanh", g, g))
        if self.mode == "default":
            of_f = ops.mul(ops.sub(ops.one, s), of_f)
        of_e = ops.mul(ops.sub(g, f) if self.mode == "default" else g, ops.slope("sigmoid", s, s))
        heads = np.concatenate((of_f, of_g, ops.mul(of_e, tape.zs[..., -1:]), of_e), -1)
        return heads, ops.slope(self.activation, q, q)

    def back(self, slopes: Any, dstate: State, ops: Arithmetic = FLOAT) -> tuple[tuple[Array, ...], State]:
        """d_heads = (dh', dh', dh', dh') slopes; dz = (w_heads d_heads) slope; dh = w_rec dz."""
        (of_heads, of_backbone), (dh,) = slopes, dstate
        d_heads = ops.mul(tiled(dh, 4), of_heads)
        dz = ops.mul(ops.dot(d_heads, self.w_heads.mT), of_backbone)
        return (dz, d_heads), (ops.dot(dz, self.w_rec.mT),)

    def gradients(self, tape: Tape, signals: Any, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """Signal at the inputs; gradients of the five arrays."""
        dz, d_heads = signals
        return input_signal(dz, self.w_in, ops), {
            "w_in": weight_gradient(tape.xs, dz, ops),
            "w_rec": weight_gradient(tape.states[0][:-1], dz, ops),
            "b": bias_gradient(dz, ops),
            "w_heads": weight_gradient(tape.records[0], d_heads, ops),
            "b_heads": bias_gradient(d_heads, ops),
        }
