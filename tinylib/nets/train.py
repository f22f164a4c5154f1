"""The one training loop, for every network, arithmetic, loss and optimiser.

    for each epoch, for each batch:   y = forward(x);  grads = back(delta) / batch size;  step

A batch is textbook: the weights stay while its gradients are summed, and their mean is one step. A batch
whose samples all lie in the dead zone (loss below `dead_zone`) is no step at all; in a mixed batch they
count as gradients of 0. Independent networks (leading axes) see the same samples and skip on their own.
"""

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinylib.nets import losses, optimizers
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Array, Fixed
from tinylib.nets.network import Network
from tinylib.nets.params import Arrays
from tinylib.nets.progress import bar
from tinylib.units import real, shown


@dataclass
class History:
    """What happened in training; with independent networks each entry is an array (seeds,).

    loss: mean loss of the samples of each epoch, as they were seen while it ran
    validation: mean loss on the validation data after each epoch
    steps: mean loss of each batch, with `keep_steps`
    updates: batches that changed weights [count]
    best_epoch: epoch (from 0) whose network was returned, with `patience`
    state: the optimiser's memory; give the history as `resume` to go on
    """

    loss: list[Any] = field(default_factory=list)
    validation: list[Any] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)
    updates: Any = 0
    best_epoch: int | None = None
    state: optimizers.State | None = None


def train(
    net: Network,
    xs: Any,
    targets: Any,
    loss: str | losses.Loss = "squared",
    optimizer: str | optimizers.Optimizer = "sgd",
    ops: Arithmetic = FLOAT,
    epochs: int = 1,
    batch_size: int = 1,
    rng: np.random.Generator | None = None,
    dead_zone: float = 0.0,
    patience: int | None = None,
    validation: tuple[Any, Any] | None = None,
    progress: bool = False,
    batch_axis: int = -2,
    keep_steps: bool = False,
    resume: History | None = None,
) -> tuple[Network, History]:
    """A trained network and its history; the network given stays as it is.

    xs and targets are real numbers; samples lie along `batch_axis` of xs (-2: (samples, features) or
    (time, samples, features); 0: images) and along axis -2 of targets. The network holds numbers of `ops`.
    rng: shuffles every epoch; None keeps the order
    patience: epochs without a better loss (of `validation`, if given) before training stops; the network
    returned is then the best one. Independent networks stop together, by their mean.
    Raises ValueError for empty data, numbers that do not fit, and a loss that becomes NaN.
    """
    if not isinstance(net, Network):
        raise TypeError(f"net must be a Network, got {shown(net)}")
    if not isinstance(rng, np.random.Generator | None):
        raise TypeError(f"rng must be a numpy Generator such as default_rng(0), or None, got {shown(rng)}")
    if not isinstance(resume, History | None):
        raise TypeError(f"resume must be the History of an earlier training, got {shown(resume)}")
    if real("dead_zone", dead_zone) < 0:
        raise ValueError(f"dead_zone must not be negative: it is a loss, got {shown(dead_zone)}")
    if validation is not None and not (isinstance(validation, (tuple, list)) and len(validation) == 2):
        raise TypeError(f"validation must be a pair (xs, targets) or None, got {shown(validation)}")
    net.check(ops)
    _whole(epochs=epochs, batch_size=batch_size, patience=1 if patience is None else patience)
    xs, targets = prepared(xs, targets, ops, batch_axis)
    held = validation and prepared(*validation, ops, batch_axis)
    if isinstance(ops, Fixed):
        net = net.seeds_inner()
    run = _Run(
        losses.named(loss),
        optimizers.named(optimizer),
        ops,
        len(net.seeds),
        np.asarray(ops.number(dead_zone)).item(),
    )
    history = History(state=run.optimizer.start(net.arrays)) if resume is None else deepcopy(resume)
    best, best_loss = net, np.inf
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for _ in bar(range(epochs), epochs, "training", progress):
            seen: Any = 0  # sum of the losses, as `ops` stores them: exact in fixed point
            for batch in _batches(targets.shape[-2], batch_size, rng):
                x, t = _taken(xs, batch, batch_axis), _taken(targets, batch, -2)
                net, history.state, value, active = run.step(net, history.state, x, t, rng)
                seen = seen + run.summed(value)
                history.updates = history.updates + active
                if keep_steps:
                    history.steps.append(run.mean(value))
            samples = targets.shape[-2] * (run.samples(value) // t.shape[-2])  # times the steps of a sequence
            history.loss.append(ops.values(seen) / samples)
            if held:
                value, _ = run.judged(net.forward(held[0], ops)[0], held[1])
                history.validation.append(run.mean(value))
            _refuse_nan(history, run.optimizer)
            watched = np.nanmean(history.validation[-1] if held else history.loss[-1])
            epoch = len(history.loss) - 1
            if patience is not None and watched < best_loss:
                best, best_loss, history.best_epoch = net, watched, epoch
            elif patience is not None and epoch - (history.best_epoch or 0) >= patience:
                break
    history.updates = history.updates * np.ones(net.seeds, int)
    return (net if patience is None else best), history


@dataclass(frozen=True)
class _Run:
    """What stays the same from step to step; `lead` leading axes are independent networks."""

    loss_of: losses.Loss
    optimizer: optimizers.Optimizer
    ops: Arithmetic
    lead: int
    limit: Any

    def step(
        self, net: Network, state: optimizers.State, x: Array, t: Array, rng: np.random.Generator | None
    ) -> tuple[Network, optimizers.State, Array, Any]:
        """Network and state after a batch, the losses before it, and which networks moved (1 or 0)."""
        ops, sampled = self.ops, net.sampled(rng)
        y, tapes = sampled.forward(x, ops)
        value, delta = self.judged(y, t)
        active: Any = 1
        if self.limit:
            far = value >= self.limit
            active = np.any(far, axis=self.axes(far)).astype(int)
            if not active.any():
                return net, state, value, active
            delta = delta * far[..., None]
        grads = _mean(sampled.grads(tapes, delta, ops), t.shape[-2], ops)
        arrays, after = self.optimizer.step(net.arrays, grads, state, ops, self.lead)
        if self.limit and not active.all():
            arrays = _chosen(active, arrays, net.arrays)
            kept = (_chosen(active, getattr(after, n), getattr(state, n)) for n in ("first", "second"))
            after = optimizers.State(after.steps, after.rate, *kept)
        return net.with_arrays(arrays), after, value, active

    def judged(self, y: Array, t: Array) -> tuple[Array, Array]:
        """Losses and delta."""
        return self.loss_of(y, t, self.ops)

    def axes(self, value: Array) -> tuple[int, ...]:
        """Axes of losses (time, seeds, batch) that are no networks."""
        return (*range(value.ndim - 1 - self.lead), value.ndim - 1)

    def samples(self, value: Array) -> int:
        """Losses of one network [count]."""
        return math.prod(value.shape[axis] for axis in self.axes(value))

    def summed(self, value: Array) -> Any:
        """Sum of the losses of each network, as `ops` stores it."""
        return (
            value[..., 0]
            if value.shape[-1] == 1 and value.ndim == self.lead + 1
            else value.sum(self.axes(value))
        )

    def mean(self, value: Array) -> Any:
        """Mean loss of each network as a real number."""
        return self.ops.values(self.summed(value)) / self.samples(value)


def _whole(**values: Any) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"{name} must be a whole number from 1, got {shown(value)}")


def prepared(xs: Any, targets: Any, ops: Arithmetic, batch_axis: int = -2) -> tuple[Array, Array]:
    """Inputs and targets as `ops` stores them; raises unless both hold the same samples."""
    x, t = ops.number(xs), ops.number(targets)
    if x.ndim < 2 or t.ndim < 2:
        raise ValueError(f"xs and targets must have a sample and a feature axis, got {x.shape} and {t.shape}")
    if not -x.ndim <= batch_axis < x.ndim:
        raise ValueError(f"batch_axis must be an axis of xs {x.shape}, got {batch_axis}")
    if x.shape[batch_axis] != t.shape[-2]:
        got = f"{x.shape[batch_axis]} and {t.shape[-2]}"
        raise ValueError(f"xs and targets must hold the same samples, got {got}")
    if not x.size or not t.size:
        raise ValueError(f"training needs at least one sample, got xs {x.shape} and targets {t.shape}")
    return x, t


def _batches(size: int, batch_size: int, rng: np.random.Generator | None) -> Iterator[Any]:
    """Indices of each batch: slices in the given order, or parts of a permutation."""
    order = None if rng is None else rng.permutation(size)
    for first in range(0, size, batch_size):
        part = slice(first, min(first + batch_size, size))
        yield part if order is None else order[part]


def _taken(a: Array, batch: Any, axis: int) -> Array:
    return a[(..., batch, *(slice(None),) * (-1 - axis))] if axis < 0 else a[(slice(None),) * axis + (batch,)]


def _mean(grads: list[Arrays], samples: int, ops: Arithmetic) -> list[Arrays]:
    if samples == 1:
        return grads
    n = ops.whole(samples)
    return [{name: ops.div(g, n) for name, g in part.items()} for part in grads]


def _chosen(active: Array, new: list[Arrays], old: list[Arrays]) -> list[Arrays]:
    """New arrays where a network is active, old ones elsewhere."""

    def pick(a: Array, b: Array) -> Array:
        return np.where(active.reshape(active.shape + (1,) * (a.ndim - active.ndim)), a, b)

    return [{name: pick(a, before[name]) for name, a in after.items()} for after, before in zip(new, old)]


def _refuse_nan(history: History, optimizer: optimizers.Optimizer) -> None:
    """Raise when no network has a loss any more."""
    if np.isnan(history.loss[-1]).all():
        raise ValueError(
            f"training diverged: loss is NaN at epoch {len(history.loss) - 1}; lower the learning rate "
            f"or clip the gradients, got learning_rate {optimizer.learning_rate}"
        )
