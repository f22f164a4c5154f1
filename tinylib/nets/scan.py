"""Time: a cell run along a sequence, and the gradient carried back through it.

    forward   z = project(x_1 .. x_T)                      one matrix product for all samples
              s_t, record_t = step(z_t, s_{t-1})           s_t = (h_t, ...)
    back      slopes(records)                              local derivatives of all steps at once
              signal_t, ds_{t-1} = back(slopes_t, ds_t + delta_t)
    at last   gradients(signals)                           one matrix product per weight array

A cell with `unfolds` L takes L steps per sample under the same z, as a solver does. `truncation` k cuts
the gradient, not the state, between windows of k samples counted from the last: the last output is then
explained by k samples, and k = 1 is "no unrolling". Sequences are time first: (time, ..., batch, features).
Source: Werbos, Proc. IEEE 78, 1990; Williams & Peng, Neural Computation 2, 1990 (truncation).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple, Self

import numpy as np

from tinylib.cost.layers import Layer, count
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Float
from tinylib.nets.params import Arrays, Params, got, shaped
from tinylib.units import shown

Array = np.ndarray
State = tuple[Array, ...]
BLOCK = 2**17  # numbers of one kind that the way back holds at a time


class Tape(NamedTuple):
    """What a sequence leaves behind; all arrays have time (times unfolds) as their first axis."""

    xs: Array  # (time, ..., batch, n)
    zs: Array  # (time, ..., batch, columns): input contribution
    states: State  # each (steps + 1, ..., batch, m): the start, then the state after each step
    records: tuple[Array, ...]  # each (steps, ...): what `step` recorded


class Cell(Params):
    """One time step of a recurrent network: w_in (n, columns) and w_rec (m, columns), m neurons."""

    unfolds = 1

    @property
    def hidden_features(self) -> int:
        """Neurons m [count]."""
        return self.w_rec.shape[-2]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Leading axes: independent cells; () for one."""
        return self.w_rec.shape[:-2]

    def start(self, shape: tuple[int, ...], ops: Arithmetic = FLOAT) -> State:
        """The state before the first sample: zeros (*shape, m) for the leading and batch axes `shape`."""
        return (ops.zeros((*shape, self.hidden_features)),)

    def project(self, xs: Array, ops: Arithmetic = FLOAT) -> Array:
        """What the inputs add to the pre-activations, for all samples: w_in x + b (time, ..., batch, g m)."""
        return project(xs, self.w_in, self.b, ops)

    def step(self, z: Array, state: State, ops: Arithmetic = FLOAT) -> tuple[State, tuple[Array, ...]]:
        """The next state and what is recorded of this step; z (..., batch, g m)."""
        raise NotImplementedError

    def run(self, zs: Array, state: State, ops: Arithmetic = FLOAT) -> tuple[State, tuple[Array, ...]]:
        """All steps: states and records as in `Tape`. A cell may know a faster way in floating point."""
        steps = self.unfolds * len(zs)
        states = tuple(stack(s, steps + 1) for s in state)
        records: tuple[Array, ...] = ()
        for t in range(steps):
            state, record = self.step(zs[t // self.unfolds], state, ops)
            records = records or tuple(stack(r, steps) for r in record)
            for stacked, value in zip((*records, *(s[1:] for s in states)), (*record, *state), strict=True):
                stacked[t] = value
        return states, records

    def slopes(self, tape: Tape, ops: Arithmetic = FLOAT) -> tuple[Array, ...]:
        """Local derivatives of all steps, each (steps, ...): what `back` needs at each."""
        raise NotImplementedError

    def back(self, slopes: Any, dstate: State, ops: Arithmetic = FLOAT) -> tuple[tuple[Array, ...], State]:
        """Signals at this step, and the signal at the state before, from the signal at the state after."""
        raise NotImplementedError

    def gradients(self, tape: Tape, signals: Any, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """Signal at the inputs (time, ..., batch, n) and the gradient of each array, all steps summed."""
        raise NotImplementedError


def rows(name: str, matrix: Array) -> int:
    """Rows of a weight matrix (..., rows, columns) [count]; raises when it is none."""
    if not isinstance(matrix, np.ndarray) or matrix.ndim < 2:
        raise ValueError(f"{name} must be a matrix (rows, columns), got {got(matrix)}")
    return matrix.shape[-2]


def stack(like: Array, steps: int) -> Array:
    """Room for `steps` arrays like this one (steps, ...); its first entry is that array."""
    room = np.empty((steps, *like.shape), like.dtype)
    room[0] = like
    return room


def flat(a: Array) -> Array:
    """(time, ..., batch, f) as (..., time * batch, f): what one matrix product takes."""
    a = np.moveaxis(a, 0, -3)
    return a.reshape(*a.shape[:-3], -1, a.shape[-1])


def merged(a: Array, axes: int) -> Array:
    """`flat` until no more than `axes` axes are left."""
    while a.ndim > axes:
        a = flat(a)
    return a


def unflat(a: Array, time: int) -> Array:
    """(..., time * batch, f) as (time, ..., batch, f)."""
    return np.moveaxis(a.reshape(*a.shape[:-2], time, -1, a.shape[-1]), -3, 0)


@lru_cache(maxsize=64)
def _tiles(times: int, m: int) -> Array:
    return np.tile(np.arange(m), times)


def tiled(d: Array, times: int) -> Array:
    """d (..., m) beside itself (..., times * m): one signal for all gates."""
    return d.take(_tiles(times, d.shape[-1]), -1)


def project(xs: Array, w: Array, b: Array | None, ops: Arithmetic) -> Array:
    """xs w + b for all samples as one product: (time, ..., batch, n) -> (time, ..., batch, columns)."""
    z = ops.dot(flat(xs), w)
    return unflat(z if b is None else ops.add(z, b[..., None, :]), len(xs))


def input_signal(dz: Array, w: Array, ops: Arithmetic) -> Array:
    """Signal at the inputs (time, ..., batch, n) of z = w x, from dz (time, ..., batch, columns)."""
    return unflat(ops.dot(flat(dz), w.mT), len(dz))


def weight_gradient(x: Array, d: Array, ops: Arithmetic) -> Array:
    """Sum over time and batch of outer products: x (time, ..., batch, n), d (time, ..., batch, m)."""
    return ops.outer(flat(x), flat(d))


def bias_gradient(d: Array, ops: Arithmetic) -> Array:
    """Sum over time and batch (..., m) of d (time, ..., batch, m)."""
    return ops.total(flat(d), -2)


def scan(
    cell: Cell, xs: Array, ops: Arithmetic = FLOAT, state: State | None = None, **given: Array
) -> tuple[Array, Tape]:
    """h (time, ..., batch, m) and the tape of a cell that runs along xs (time, ..., batch, n).

    `state` None = its start; the state to go on from is `last(tape)`. `given` is what else
    `project` takes, such as the `elapsed` times of a CfC.
    """
    _check(cell, xs)
    zs = cell.project(xs, ops, **given)
    start = cell.start(zs.shape[1:-1], ops)
    if state is not None and [np.shape(s) for s in state] != [s.shape for s in start]:
        wanted = ", ".join(str(s.shape) for s in start)
        raise ValueError(f"state must be a tuple of arrays {wanted}, got {shown(state)}")
    states, records = cell.run(zs, start if state is None else tuple(state), ops)
    return states[0][cell.unfolds :: cell.unfolds], Tape(xs, zs, states, records)


def last(tape: Tape) -> State:
    """The state after the last step."""
    return tuple(s[-1] for s in tape.states)


def scan_back(
    cell: Cell, tape: Tape, delta: Array, ops: Arithmetic = FLOAT, truncation: int | None = None
) -> tuple[Array, Arrays, State]:
    """Signals at xs, gradients, and signals at the start, from delta (time, ..., batch, m) at every h.

    In floating point it goes in blocks of samples whose local derivatives fit the cache: one, unless the
    cell is large. Fixed point goes in one, so that no sum is rounded in parts.
    """
    shaped(delta, tape.states[0][cell.unfolds :: cell.unfolds])
    time = len(delta)
    cut = time if truncation is None else count("truncation", truncation)
    dstate = tuple(ops.zeros(s.shape[1:]) for s in tape.states)
    largest = max(a[: cell.unfolds].size for a in (*tape.records, *tape.states))
    block = max(1, BLOCK // max(1, largest)) if isinstance(ops, Float) else time
    grads: Arrays = {}
    dxs: list[Array] = []
    for end in range(time, 0, -block):
        begin = max(0, end - block)
        piece = _piece(tape, begin, end, cell.unfolds)
        ends = {t - begin for t in range(begin, end) if t and (time - t) % cut == 0}
        signals, dstate = _block_back(cell, piece, delta[begin:end], dstate, ends, ops)
        dx, found = cell.gradients(piece, signals, ops)
        grads = {name: ops.add(grads[name], g) for name, g in found.items()} if grads else found
        dxs.append(dx)
    return np.concatenate(dxs[::-1]) if len(dxs) > 1 else dxs[0], grads, dstate


def _block_back(
    cell: Cell, tape: Tape, delta: Array, dstate: State, ends: set[int], ops: Arithmetic
) -> tuple[tuple[Array, ...], State]:
    """Signals of a block of steps, and at the state before it; the gradient ends before samples `ends`."""
    L, signals = cell.unfolds, ()
    slopes = zip(*(np.ascontiguousarray(s)[::-1] for s in cell.slopes(tape, ops)), strict=True)
    for step, local in zip(range(L * len(delta) - 1, -1, -1), slopes, strict=True):
        t, left = divmod(step, L)
        if left == L - 1:
            dstate = (ops.add(dstate[0], delta[t]), *dstate[1:])
        signal, dstate = cell.back(local, dstate, ops)
        signals = signals or tuple(np.empty((L * len(delta), *s.shape), s.dtype) for s in signal)
        for stacked, value in zip(signals, signal, strict=True):
            stacked[step] = value
        if t in ends and not left:
            dstate = tuple(ops.zeros(s.shape) for s in dstate)
    return signals, dstate


def _piece(tape: Tape, begin: int, end: int, unfolds: int) -> Tape:
    """The tape of samples begin..end - 1."""
    first, last = begin * unfolds, end * unfolds
    states, records = (s[first : last + 1] for s in tape.states), (r[first:last] for r in tape.records)
    return Tape(tape.xs[begin:end], tape.zs[begin:end], tuple(states), tuple(records))


def _check(cell: Cell, xs: Array) -> None:
    if not isinstance(cell, Cell):
        raise TypeError(f"cell must be a recurrent cell such as LSTM, got {shown(cell)}")
    n = cell.w_in.shape[-2]
    if not isinstance(xs, np.ndarray) or xs.ndim < 3 or not len(xs) or xs.shape[-1] != n:
        raise ValueError(
            f"a sequence must have the shape (time, ..., batch, {n}) with time >= 1, got {got(xs)}"
        )


@dataclass(frozen=True)
class Recurrent(Params):
    """A cell as a part of a network: (time, ..., batch, n) -> (time, ..., batch, m).

    With `last_only`, the last state alone: (..., batch, m). `truncation` as in `scan_back`.
    """

    cell: Cell
    last_only: bool = False
    truncation: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.cell, Cell):
            raise TypeError(f"cell must be a recurrent cell such as LSTM, got {shown(self.cell)}")
        if type(self.last_only) is not bool:
            raise TypeError(f"last_only must be True or False, got {shown(self.last_only)}")
        if self.truncation is not None:
            count("truncation", self.truncation)

    @property
    def layer(self) -> Layer:
        """The layer of the cell, which knows whether the last state alone is read."""
        return replace(self.cell.layer, last_only=self.last_only)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Leading axes: independent cells."""
        return self.cell.seeds

    @property
    def arrays(self) -> Arrays:
        """The arrays of the cell."""
        return self.cell.arrays

    def with_arrays(self, arrays: Arrays) -> Self:
        """The same part with other arrays in its cell."""
        return super().with_arrays({"cell": self.cell.with_arrays(arrays)})

    def mapped(self, function: Any) -> Self:
        """The same part with `function` applied to each array of the cell."""
        return replace(self, cell=self.cell.mapped(function))

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Tape]:
        """States of a sequence that starts from zero, and the tape."""
        hs, tape = scan(self.cell, x, ops)
        return hs[-1] if self.last_only else hs, tape

    def back(self, tape: Tape, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """Signal at the inputs, and gradients by array name."""
        if self.last_only:
            every = ops.zeros((len(tape.xs), *delta.shape))
            every[-1] = delta
            delta = every
        return scan_back(self.cell, tape, delta, ops, self.truncation)[:2]
