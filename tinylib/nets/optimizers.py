"""Optimisers: how gradients become new weights.

    SGD      v <- eta g + mu v + alpha v_before               w <- w + v
    RMSprop  S <- rho S + g^2,   s = (1 - rho) S              w <- w + eta g / (sqrt(s) + eps)
    Adam     M <- b1 M + g,      m = M (1 - b1) / (1 - b1^t)  w <- w + eta m / (sqrt(s) + eps)
             S <- b2 S + g^2,    s = S (1 - b2) / (1 - b2^t)

g points downhill, so it is added. Arrays and gradients are one dict for every part of a network. Biases
are updated as weights are; l2 alone leaves arrays named b or b_... out: w <- w - (eta l2) w comes first.
M and S are the usual moments before they are scaled: a coarse format would round (1 - b2) g^2 to 0. In
fixed point eps is at least the root of one step, the smallest root that a square can have.
Source: Rumelhart et al. 1986; Tieleman & Hinton, lecture 6e, 2012; Kingma & Ba, arXiv 1412.6980, alg. 1.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from tinylib.cost.layers import count
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Array, Fixed
from tinylib.nets.params import Arrays
from tinylib.units import real, shown

Tree = Sequence[Arrays]


@lru_cache(maxsize=256)
def _number(ops: Arithmetic, value: float) -> Any:
    return np.asarray(ops.number(value)).item()  # long formats give a Python integer


def _each(function: Callable[..., Any], *trees: Tree) -> list[Arrays]:
    """`function` of the arrays of the same name, for every part."""
    return [{name: function(*(part[name] for part in parts)) for name in parts[0]} for parts in zip(*trees)]


def _decays(arrays: Tree) -> list[dict[str, bool]]:
    return [{name: name != "b" and not name.startswith("b_") for name in part} for part in arrays]


@dataclass(frozen=True)
class State:
    """What an optimiser remembers: steps done, the learning rate now, and its moving arrays."""

    steps: int
    rate: Any
    first: list[Arrays] | None = None
    second: list[Arrays] | None = None


@dataclass(frozen=True)
class Optimizer:
    """What every optimiser has.

    learning_rate: eta > 0; it is multiplied by `decay` after every `decay_every` steps (0 = never)
    clip: largest magnitude of one gradient (0 = none); clip_norm: of all of them together, float only
    l2: the share eta * l2 of each weight taken off at each step
    """

    learning_rate: float = 0.25
    clip: float = 0.0
    clip_norm: float = 0.0
    l2: float = 0.0
    decay: float = 1.0
    decay_every: int = 0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "decay", "eps"):
            if hasattr(self, name) and real(name, getattr(self, name)) <= 0:
                raise ValueError(f"{name} must be positive, got {shown(getattr(self, name))}")
        count("decay_every", self.decay_every, 0)
        for name in ("clip", "clip_norm", "l2"):
            if real(name, getattr(self, name)) < 0:
                raise ValueError(f"{name} must not be negative, got {shown(getattr(self, name))}")
        for name in ("momentum", "acceleration", "beta1", "beta2", "rho"):
            if hasattr(self, name) and not 0 <= real(name, getattr(self, name)) < 1:
                raise ValueError(f"{name} must lie in 0..1, 1 excluded, got {shown(getattr(self, name))}")

    def start(self, arrays: Tree) -> State:
        """The state before the first step."""
        zeros = _each(np.zeros_like, arrays)
        return State(0, None, zeros, zeros)

    def step(
        self, arrays: Tree, grads: Tree, state: State, ops: Arithmetic = FLOAT, lead: int = 0
    ) -> tuple[list[Arrays], State]:
        """New arrays and state; `lead` = leading axes that are independent networks, for clip_norm."""
        rate = self._rate(ops) if state.rate is None else state.rate
        if self.decay_every and state.steps and state.steps % self.decay_every == 0:
            rate = ops.mul(rate, _number(ops, self.decay))
        grads = self._clipped(grads, ops, lead)
        if self.l2:
            share = ops.mul(rate, _number(ops, self.l2))
            if share == 0:
                raise ValueError(f"learning_rate * l2 must not round to 0 in {ops.q}, got l2 {self.l2}")
            kept = [
                {n: ops.sub(a, ops.mul(share, a)) if wanted[n] else a for n, a in part.items()}
                for part, wanted in zip(arrays, _decays(arrays))
            ]
        else:
            kept = arrays
        change, first, second = self._change(grads, rate, state, ops)
        return _each(ops.add, kept, change), State(state.steps + 1, rate, first, second)

    def _rate(self, ops: Arithmetic) -> Any:
        rate = _number(ops, self.learning_rate)
        if rate == 0:
            raise ValueError(f"learning_rate must not round to 0 in {ops.q}, got {self.learning_rate}")
        return rate

    def _clipped(self, grads: Tree, ops: Arithmetic, lead: int) -> Tree:
        if self.clip:
            bound = _number(ops, self.clip)
            grads = _each(lambda g: np.clip(g, -bound, bound), grads)
        if self.clip_norm:
            if isinstance(ops, Fixed):
                raise ValueError(
                    f"clip_norm needs floating point: take clip in {ops.q}, got {self.clip_norm}"
                )
            axes = {g.ndim: tuple(range(lead, g.ndim)) for part in grads for g in part.values()}
            total = sum(np.sum(g * g, axis=axes[g.ndim]) for part in grads for g in part.values())
            scale = np.minimum(1.0, self.clip_norm / np.maximum(np.sqrt(total), np.finfo(float).tiny))
            grads = _each(lambda g: g * scale.reshape(scale.shape + (1,) * (g.ndim - lead)), grads)
        return grads

    def _change(self, grads: Tree, rate: Any, state: State, ops: Arithmetic) -> tuple[Tree, Tree, Tree]:
        raise NotImplementedError


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent with momentum mu and acceleration alpha, the weight of the change before the last."""

    momentum: float = 0.0
    acceleration: float = 0.0

    def _change(self, grads: Tree, rate: Any, state: State, ops: Arithmetic) -> tuple[Tree, Tree, Tree]:
        change = _each(lambda g: ops.mul(rate, g), grads)
        if not self.momentum and not self.acceleration:
            return change, state.first, state.second
        mu, alpha = _number(ops, self.momentum), _number(ops, self.acceleration)

        def moved(v: Array, last: Array, before: Array) -> Array:
            return ops.add(ops.add(v, ops.mul(mu, last)), ops.mul(alpha, before))

        change = _each(moved, change, state.first, state.second)
        return change, change, state.first


def _decay(ops: Arithmetic, name: str, value: float) -> Any:
    """A decay as a number; refused where a coarse format rounds it to 1, for then nothing is forgotten."""
    kept = _number(ops, value)
    if kept == ops.one:
        raise ValueError(f"{name} must stay below 1: in {ops.q} it is rounded to 1, got {value}")
    return kept


def _epsilon(ops: Arithmetic, eps: float) -> Any:
    return max(_number(ops, eps), math.isqrt(ops.one)) if isinstance(ops, Fixed) else eps


def _remembered(ops: Arithmetic, decay: Any, old: Tree, new: Tree) -> list[Arrays]:
    return _each(lambda a, g: ops.add(ops.mul(decay, a), g), old, new)


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Each gradient over the root of its own mean square."""

    learning_rate: float = 0.01
    rho: float = 0.9
    eps: float = 1e-8

    def _change(self, grads: Tree, rate: Any, state: State, ops: Arithmetic) -> tuple[Tree, Tree, Tree]:
        rho, eps = _decay(ops, "rho", self.rho), _epsilon(ops, self.eps)
        squares = _remembered(ops, rho, state.second, _each(lambda g: ops.mul(g, g), grads))

        def change(g: Array, s: Array) -> Array:
            return ops.div(ops.mul(rate, g), ops.add(ops.sqrt(ops.mul(ops.one - rho, s)), eps))

        return _each(change, grads, squares), state.first, squares


@dataclass(frozen=True)
class Adam(Optimizer):
    """Mean over root mean square, both corrected for their start at 0; t counts steps, not layers."""

    learning_rate: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def _change(self, grads: Tree, rate: Any, state: State, ops: Arithmetic) -> tuple[Tree, Tree, Tree]:
        b1, b2 = _decay(ops, "beta1", self.beta1), _decay(ops, "beta2", self.beta2)
        eps, t = _epsilon(ops, self.eps), state.steps + 1
        means = _remembered(ops, b1, state.first, grads)
        squares = _remembered(ops, b2, state.second, _each(lambda g: ops.mul(g, g), grads))
        fix1, fix2 = (np.asarray(ops.number((1 - b) / (1 - b**t))).item() for b in (self.beta1, self.beta2))

        def change(m: Array, s: Array) -> Array:
            root = ops.add(ops.sqrt(ops.mul(fix2, s)), eps)
            return ops.div(ops.mul(rate, ops.mul(fix1, m)), root)

        return _each(change, means, squares), means, squares


OPTIMIZERS: dict[str, Callable[[], Optimizer]] = {"sgd": SGD, "rmsprop": RMSprop, "adam": Adam}


def named(optimizer: str | Optimizer) -> Optimizer:
    """An optimiser by name with its usual numbers; an optimiser is itself."""
    if isinstance(optimizer, Optimizer):
        return optimizer
    if not isinstance(optimizer, str) or optimizer not in OPTIMIZERS:
        names = ", ".join(OPTIMIZERS)
        raise ValueError(f"optimizer must be an Optimizer or one of {names}, got {shown(optimizer)}")
    return OPTIMIZERS[optimizer]()
