"""Liquid time-constant (LTC) cells: recurrent neurons whose time constant follows their input.

Two models carry this name. L fused (semi-implicit Euler) steps of h = dt / L are taken per sample:

    LTC            f = sigmoid(w_in x + w_rec s + b)                 one gate per neuron
                   s' = (s + h f a) / (1 + h (1/tau + f))
    SynapticLTC    f_ij = sigmoid(sigma_ij (v_i - mu_ij))            one gate per synapse i -> j
                   v'_j = (cm_j/h v_j + gleak_j vleak_j + sum_i w_ij f_ij E_ij)
                          / (cm_j/h + gleak_j + sum_i w_ij f_ij)

The denominator stays above 0, so that the state is bounded for every dt. Inputs are constant within a
sample: their sums are formed once. Training holds w and gleak at 0 or above, and tau and cm at LEAST.
Source: Hasani et al., Liquid Time-constant Networks, AAAI 2021, eqs. 1-3 and algorithm 1; the second form
is that of Lechner et al., Neural circuit policies, Nature Machine Intelligence 2, 2020.
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tinylib.cost import sequence
from tinylib.cost.layers import count
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Float
from tinylib.nets.params import Arrays, Params, features
from tinylib.nets.scan import Cell, State, Tape, bias_gradient, input_signal, rows, stack, weight_gradient
from tinylib.units import real, shown

Array = np.ndarray
LEAST = 2.0**-7  # where training stops a time constant or a capacitance; one code in fixed point


class _Liquid(Cell):
    """What both forms share: dt [s] per sample in `unfolds` steps, and arrays with a sign."""

    positive: tuple[str, ...] = ()
    not_negative: tuple[str, ...] = ()

    def _check(self) -> None:
        object.__setattr__(self, "unfolds", count("unfolds", self.unfolds))
        if real("dt", self.dt) <= 0:
            raise ValueError(f"dt must be positive: time runs forward, got {shown(self.dt)}")
        for name in self.positive:
            if (bad := getattr(self, name)).min() <= 0:
                raise ValueError(f"{name} must be positive: a neuron cannot decay backwards, got {bad.min()}")
        for name in self.not_negative:
            if (bad := getattr(self, name)).min() < 0:
                raise ValueError(f"{name} must not be negative: it is a conductance, got {bad.min()}")

    def with_arrays(self, arrays: Arrays) -> Self:
        """The same record with other arrays, brought back where a conductance or a time has no meaning."""
        least = {name: 0 for name in self.not_negative}
        least |= {
            name: LEAST if arrays[name].dtype.kind == "f" else 1 for name in self.positive if name in arrays
        }
        held = {name: np.maximum(arrays[name], low) for name, low in least.items() if name in arrays}
        return super().with_arrays(arrays | held)

    def _h(self, ops: Arithmetic) -> Any:
        """The time of one step, dt / unfolds, as a number of `ops`; raises where it rounds to 0."""
        h = ops.number(self.dt / self.unfolds)
        if h == 0:
            raise ValueError(f"dt / unfolds must not round to 0: time would stand still, got {self.dt} s")
        return h

    def per_sample(self, d: Array, ops: Arithmetic) -> Array:
        """A signal of all steps summed over the steps of each sample: (time, ..., batch, columns)."""
        return ops.total(d.reshape(len(d) // self.unfolds, self.unfolds, *d.shape[1:]), 1)


@dataclass(frozen=True)
class LTC(_Liquid):
    """Liquid neurons with one gate each; n inputs, m neurons.

    w_in (n, m), w_rec (m, m), b (m,): synapses       [dimensionless]
    tau (m,): time constant at rest, all > 0          [s]
    a (m,): state that each gate pulls towards        [unit of the state]
    dt: time from sample to sample [s], in `unfolds` steps
    """

    w_in: Array
    w_rec: Array
    b: Array
    tau: Array
    a: Array
    dt: float = 1.0
    unfolds: int = 6

    positive = ("tau",)

    def __post_init__(self) -> None:
        n, m = (rows(name, getattr(self, name)) for name in ("w_in", "w_rec"))
        self._shapes(w_in=(n, m), w_rec=(m, m), b=(m,), tau=(m,), a=(m,))
        self._check()

    @property
    def layer(self) -> sequence.LTC:
        """LTC of `cost` with one value per synapse."""
        return sequence.LTC(self.w_in.shape[-2], self.w_rec.shape[-2], self.unfolds, input_once=True)

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        n_in: int,
        n_hidden: int,
        ops: Arithmetic = FLOAT,
        seeds: tuple[int, ...] = (),
        **options: Any,
    ) -> Self:
        """Random weights within +-1 / sqrt(m), tau within 0.5..2 s, a within +-1; b = 0."""
        layer, reach = sequence.LTC(n_in, n_hidden), 1 / math.sqrt(n_hidden)
        n, m = layer.in_features, layer.hidden_features
        w_in, w_rec = (rng.uniform(-reach, reach, (*seeds, k, m)) for k in (n, m))
        tau, a = rng.uniform(0.5, 2, (*seeds, m)), rng.uniform(-1, 1, (*seeds, m))
        return cls(w_in, w_rec, np.zeros((*seeds, m)), tau, a, **options).mapped(ops.number)

    def _terms(self, f: Array, ops: Arithmetic) -> tuple[Array, Array, Array]:
        """h, and numerator's h f and the denominator 1 + h (1/tau + f) at gates f."""
        h = self._h(ops)
        leak = ops.div(np.full_like(self.tau, ops.one), self.tau)
        return h, ops.mul(h, f), ops.add(ops.one, ops.mul(h, ops.add(leak[..., None, :], f)))

    def step(self, z: Array, state: State, ops: Arithmetic = FLOAT) -> tuple[State, tuple[Array, ...]]:
        """One fused step of h = dt / unfolds; records the gates f."""
        (s,) = state
        f = ops.apply("sigmoid", ops.add(z, ops.dot(s, self.w_rec)))
        _, share, below = self._terms(f, ops)
        return (ops.div(ops.add(s, ops.mul(share, self.a[..., None, :])), below),), (f,)

    def slopes(self, tape: Tape, ops: Arithmetic = FLOAT) -> tuple[Array, ...]:
        """Of the gate's pre-activation under s', and 1 / denominator."""
        (f,), after = tape.records, tape.states[0][1:]
        h, _, below = self._terms(f, ops)
        pull = ops.div(ops.mul(h, ops.sub(self.a[..., None, :], after)), below)
        return ops.mul(pull, ops.slope("sigmoid", f, f)), ops.div(np.full_like(below, ops.one), below)

    def back(self, slopes: Any, dstate: State, ops: Arithmetic = FLOAT) -> tuple[tuple[Array, ...], State]:
        """dz = ds' slope; ds = ds' / denominator + w_rec dz. ds' is kept for tau and a."""
        (of_gate, kept), (ds,) = slopes, dstate
        dz = ops.mul(ds, of_gate)
        return (dz, ds), (ops.add(ops.mul(ds, kept), ops.dot(dz, self.w_rec.mT)),)

    def gradients(self, tape: Tape, signals: Any, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """Signal at the inputs; gradients of the five arrays."""
        (every, ds), (f,) = signals, tape.records
        dz, (h, share, below) = self.per_sample(every, ops), self._terms(f, ops)
        leak = ops.div(np.full_like(self.tau, ops.one), self.tau)
        slowed = bias_gradient(ops.mul(ds, ops.div(ops.mul(h, tape.states[0][1:]), below)), ops)
        return input_signal(dz, self.w_in, ops), {
            "w_in": weight_gradient(tape.xs, dz, ops),
            "w_rec": weight_gradient(tape.states[0][:-1], every, ops),
            "b": bias_gradient(dz, ops),
            "tau": ops.mul(ops.mul(leak, leak), slowed),
            "a": bias_gradient(ops.mul(ds, ops.div(share, below)), ops),
        }


@dataclass(frozen=True)
class SynapticLTC(_Liquid):
    """Liquid neurons with one gate per synapse, as in wired circuits; n inputs, m neurons.

    w_* (n or m, m): conductance >= 0      mu_*, sigma_*: centre and slope of the gate
    erev_*: reversal value that the synapse pulls towards;  * = in (n, m) and rec (m, m)
    gleak, vleak, cm (m,): leak conductance >= 0, leak potential, capacitance > 0
    dt: time from sample to sample [s], in `unfolds` steps
    """

    w_in: Array
    mu_in: Array
    sigma_in: Array
    erev_in: Array
    w_rec: Array
    mu_rec: Array
    sigma_rec: Array
    erev_rec: Array
    gleak: Array
    vleak: Array
    cm: Array
    dt: float = 1.0
    unfolds: int = 6

    positive = ("cm",)
    not_negative = ("w_in", "w_rec", "gleak")

    def __post_init__(self) -> None:
        n, m = (rows(name, getattr(self, name)) for name in ("w_in", "w_rec"))
        four = ("w", "mu", "sigma", "erev")
        synapses = {f"{name}_{kind}": (k, m) for kind, k in (("in", n), ("rec", m)) for name in four}
        self._shapes(**synapses, gleak=(m,), vleak=(m,), cm=(m,))
        self._check()

    @property
    def layer(self) -> sequence.LTC:
        """LTC of `cost` with four values per synapse."""
        n, m = self.w_in.shape[-2], self.w_rec.shape[-2]
        return sequence.LTC(n, m, self.unfolds, synapse_values=4, input_once=True)

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        n_in: int,
        n_hidden: int,
        ops: Arithmetic = FLOAT,
        seeds: tuple[int, ...] = (),
        **options: Any,
    ) -> Self:
        """Random circuit: w 0..1, mu 0.3..0.8, sigma 3..8, reversal -1 or 1, cm 0.4..0.6, small leaks."""
        layer = sequence.LTC(n_in, n_hidden, synapse_values=4)
        n, m = layer.in_features, layer.hidden_features
        synapses: list[Array] = []
        for shape in (*seeds, n, m), (*seeds, m, m):
            synapses += [rng.uniform(*ends, shape) for ends in ((0.001, 1), (0.3, 0.8), (3, 8))]
            synapses.append(rng.choice([-1.0, 1.0], shape))
        neurons = (rng.uniform(*ends, (*seeds, m)) for ends in ((0.001, 1), (-0.2, 0.2), (0.4, 0.6)))
        return cls(*synapses, *neurons, **options).mapped(ops.number)

    def _gates(self, v: Array, kind: str, ops: Arithmetic) -> Array:
        """f (..., batch, source, target) at sources v (..., batch, source)."""
        mu, sigma = (getattr(self, f"{name}_{kind}")[..., None, :, :] for name in ("mu", "sigma"))
        return ops.apply("sigmoid", ops.mul(sigma, ops.sub(v[..., :, None], mu)))

    def _sums(self, f: Array, kind: str, ops: Arithmetic) -> tuple[Array, Array]:
        """sum w f E and sum w f over the sources, each (..., batch, target)."""
        w, erev = (getattr(self, f"{name}_{kind}")[..., None, :, :] for name in ("w", "erev"))
        active = ops.mul(w, f)
        return ops.total(ops.mul(active, erev), -2), ops.total(active, -2)

    def _capacity(self, ops: Arithmetic) -> Array:
        """cm / h (..., 1, m)."""
        return ops.div(self.cm, self._h(ops))[..., None, :]

    def project(self, xs: Array, ops: Arithmetic = FLOAT) -> Array:
        """Both sums over the input synapses (time, ..., batch, 2 m)."""
        return np.concatenate(self._sums(self._gates(self._beside(xs), "in", ops), "in", ops), -1)

    def _beside(self, xs: Array) -> Array:
        """Inputs with an axis of length 1 for each axis of independent cells that they lack."""
        missing = max(0, self.w_in.ndim + 1 - xs.ndim)
        return xs.reshape(len(xs), *(1,) * missing, *xs.shape[1:])

    def step(self, z: Array, state: State, ops: Arithmetic = FLOAT) -> tuple[State, tuple[Array, ...]]:
        """One fused step; records the gates (..., batch, source, target) and the denominator."""
        (v,), m = state, self.cm.shape[-1]
        f, capacity, gleak = self._gates(v, "rec", ops), self._capacity(ops), self.gleak[..., None, :]
        above, below = self._sums(f, "rec", ops)
        leak = ops.mul(gleak, self.vleak[..., None, :])
        above = ops.add(ops.add(ops.mul(capacity, v), leak), ops.add(above, z[..., :m]))
        below = ops.add(ops.add(capacity, gleak), ops.add(below, z[..., m:]))
        return (ops.div(above, below),), (f, below)

    def run(self, zs: Array, state: State, ops: Arithmetic = FLOAT) -> tuple[State, tuple[Array, ...]]:
        """In floating point eight calls a step: target, source, batch in memory, one product for both sums.

        With f = (1 + u) / 2 the halves of all sums are constants, and u = tanh(sigma v / 2 - sigma mu / 2).
        """
        if not isinstance(ops, Float) or zs.ndim > 3 or not zs.size:
            return super().run(zs, state, ops)
        (time, batch, _), m, half = zs.shape, self.cm.shape[-1], zs.dtype.type(0.5)
        capacity = np.repeat(
            self._capacity(ops).T, batch, -1
        )  # all (..., batch), so that no call broadcasts it
        slope = np.repeat((half * self.sigma_rec).T[..., None], batch, -1)
        centre = slope * self.mu_rec.T[..., None]
        columns = half * np.stack((self.w_rec * self.erev_rec, self.w_rec), -1).swapaxes(0, 1)  # target first
        fixed = columns.sum(1).T + np.stack((self.gleak * self.vleak, self.gleak + capacity[:, 0]))
        fixed = np.add(zs.mT.reshape(time, 2, m, batch), fixed[..., None], order="C")
        columns, steps = columns.mT.copy(), time * self.unfolds  # (target, 2, source)
        gates, sums = np.empty((steps, m, m, batch), zs.dtype), np.empty((steps, 2, m, batch), zs.dtype)
        vs, part = stack(state[0].T, steps + 1), np.empty((m, batch), zs.dtype)
        rows = zip(
            np.repeat(fixed, self.unfolds, 0), gates, sums, sums.swapaxes(1, 2), vs, vs[1:], strict=False
        )
        for constant, u, s, by_target, v, v_next in rows:
            np.multiply(slope, v, out=u)
            np.subtract(u, centre, out=u)
            np.tanh(u, out=u)
            np.matmul(columns, u, out=by_target)
            np.add(s, constant, out=s)
            np.multiply(capacity, v, out=part)
            np.add(part, s[0], out=part)
            np.divide(part, s[1], out=v_next)
        gates *= half
        gates += half
        return (vs.mT,), (gates.transpose(0, 3, 2, 1), sums[:, 1].mT)

    def slopes(self, tape: Tape, ops: Arithmetic = FLOAT) -> tuple[Array, ...]:
        """The Jacobian of one step (steps, ..., batch, target, source)."""
        (f, below), after = tape.records, tape.states[0][1:]
        w, sigma, erev = (getattr(self, f"{name}_rec")[..., None, :, :] for name in ("w", "sigma", "erev"))
        opens = ops.mul(ops.slope("sigmoid", f, f), ops.mul(w, sigma))
        pull = ops.sub(ops.mul(opens, erev), ops.mul(opens, after[..., None, :]))
        jacobian = ops.div(pull, below[..., None, :])
        i = np.arange(self.cm.shape[-1])
        jacobian[..., i, i] = ops.add(jacobian[..., i, i], ops.div(self._capacity(ops), below))
        return (jacobian.mT,)

    def back(self, slopes: Any, dstate: State, ops: Arithmetic = FLOAT) -> tuple[tuple[Array, ...], State]:
        """dv = Jacobian^T dv'."""
        (dv,) = dstate
        return (dv,), (ops.dot(dv[..., None, :], slopes[0])[..., 0, :],)

    def gradients(self, tape: Tape, signals: Any, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """Signal at the inputs; gradients of the eleven arrays."""
        (f, below), states = tape.records, tape.states[0]
        share = ops.div(signals[0], below)  # of the numerator; of the denominator it is -v' share
        lost = ops.mul(share, states[1:])
        capacity = ops.sub(ops.mul(share, states[:-1]), lost)
        above, under = self.per_sample(share, ops), self.per_sample(lost, ops)
        xs = self._beside(tape.xs)
        gates = self._gates(xs, "in", ops)
        w, sigma, erev = (getattr(self, f"{name}_in")[..., None, :, :] for name in ("w", "sigma", "erev"))
        pulled = ops.sub(ops.mul(erev, above[..., None, :]), under[..., None, :])
        dx = ops.total(ops.mul(ops.mul(ops.mul(w, sigma), ops.slope("sigmoid", gates, gates)), pulled), -1)
        h = self._h(ops)
        leaks = ops.sub(ops.mul(share, self.vleak[..., None, :]), lost)
        return dx, {
            **self._synapses("in", xs, gates, above, under, ops),
            **self._synapses("rec", states[:-1], f, share, lost, ops),
            "gleak": bias_gradient(leaks, ops),
            "vleak": ops.mul(self.gleak, bias_gradient(share, ops)),
            "cm": ops.div(bias_gradient(capacity, ops), h),
        }

    def _synapses(self, kind: str, v: Array, f: Array, share: Array, lost: Array, ops: Arithmetic) -> Arrays:
        """Gradients of w, mu, sigma and erev (source, target), all steps at once, as products per target."""
        w, mu, sigma, erev = (getattr(self, f"{name}_{kind}") for name in ("w", "mu", "sigma", "erev"))
        both = np.stack((share, lost), -1)  # (steps, ..., batch, target, 2)
        slope = ops.slope("sigmoid", f, f)

        def summed(gates: Array) -> tuple[Array, Array]:
            """Sums over steps and batch of gates (steps, ..., batch, source, target) x share, x lost."""
            by_target = _by_target(gates.mT)
            sums = ops.outer(by_target, _by_target(both)).swapaxes(-3, -2)  # (..., source, target, 2)
            return sums[..., 0], sums[..., 1]

        (open_above, open_under), (slope_above, slope_under) = summed(f), summed(slope)
        moved_above, moved_under = summed(ops.mul(slope, v[..., :, None]))
        shifted = ops.mul(w, ops.sub(ops.mul(erev, slope_above), slope_under))
        moved = ops.mul(w, ops.sub(ops.mul(erev, moved_above), moved_under))
        grads = {
            "w": ops.sub(ops.mul(erev, open_above), open_under),
            "mu": ops.sub(ops.zeros(w.shape), ops.mul(sigma, shifted)),
            "sigma": ops.sub(moved, ops.mul(mu, shifted)),
            "erev": ops.mul(w, open_above),
        }
        return {f"{name}_{kind}": value for name, value in grads.items()}


def _by_target(a: Array) -> Array:
    """(steps, ..., batch, target, f) as (..., target, steps * batch, f), steps and batch last in memory."""
    a = np.moveaxis(a, (0, -3), (-2, -1))
    return a.reshape(*a.shape[:-2], -1).mT


@dataclass(frozen=True)
class Affine(Params):
    """y = scale x + shift per feature: the maps around a circuit; scale (n,), shift (n,)."""

    scale: Array
    shift: Array

    def __post_init__(self) -> None:
        if not isinstance(self.scale, np.ndarray) or not self.scale.ndim:
            raise ValueError(f"scale must have one entry per feature, got {shown(self.scale)}")
        self._shapes(scale=self.scale.shape[-1:], shift=self.scale.shape[-1:])

    @property
    def layer(self) -> sequence.BatchNorm:
        """A layer of scale and shift per feature."""
        return sequence.BatchNorm(self.scale.shape[-1])

    @classmethod
    def draw(cls, rng: np.random.Generator, features: int, ops: Arithmetic = FLOAT) -> Self:
        """The identity."""
        return cls(np.ones(features), np.zeros(features)).mapped(ops.number)

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Array]:
        """scale x + shift, and x."""
        features(self, x, self.scale.shape[-1])
        return ops.add(ops.mul(x, self.scale[..., None, :]), self.shift[..., None, :]), x

    def back(self, tape: Array, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """Signal at x, and gradients summed over time and batch."""
        axes = (*range(tape.ndim - self.scale.ndim - 1), -2)
        grads = {"scale": ops.total(ops.mul(delta, tape), axes), "shift": ops.total(delta, axes)}
        return ops.mul(delta, self.scale[..., None, :]), grads
