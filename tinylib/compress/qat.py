"""Quantization-aware training: forward with rounded weights, backward as if nothing had been rounded.

    w' = S clamp(round(w / S), -Q, Q),     Q = 2^(b-1) - 1
    dL/dw = dL/dw' where |w / S| <= Q, else 0                                 (straight-through)
    dL/dS = sum of dL/dw' (round(w / S) - w / S inside, -Q or Q outside)      (learnt step size)

Rounding has a slope of 0 almost everywhere, so that its true gradient teaches nothing. Each output
channel learns its own step; the gradient of S is scaled by 1 / sqrt(n Q), n weights to a step.
Source: Bengio et al., arXiv 1308.3432, section 4; Esser et al., arXiv 1902.08153, eqs. 1 to 3.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tinylib.compress import baseline, quantize
from tinylib.compress.layout import channel_axes, from_matrix, has_weights, is_weight, one, to_matrix
from tinylib.compress.ptq import Rounded, activations
from tinylib.compress.quantize import Quantized
from tinylib.datasets import Examples
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Array
from tinylib.nets.network import Network
from tinylib.nets.params import Arrays, Params
from tinylib.units import shown

STEP = "b_step_"  # before a weight's name: its steps train as biases do, without decay


@dataclass(frozen=True)
class StraightThrough(Params):
    """A part whose weights are rounded to `bits` whenever it runs; `steps` holds S by name, an axis of 1 for
    each axis of the weights that is no channel."""

    part: Any
    steps: Arrays
    bits: int

    @property
    def layer(self) -> Any:
        """The layer of the part."""
        return self.part.layer

    @property
    def arrays(self) -> Arrays:
        """The weights as they train, not rounded, and the steps."""
        return self.part.arrays | {STEP + name: s for name, s in self.steps.items()}

    def with_arrays(self, arrays: Arrays) -> Self:
        """The same part with other weights and steps."""
        own = {name: a for name, a in arrays.items() if not name.startswith(STEP)}
        steps = {name: arrays.get(STEP + name, s) for name, s in self.steps.items()}
        return StraightThrough(self.part.with_arrays(own), steps, self.bits)

    def mapped(self, function: Any) -> Self:
        """The same part with `function` applied to each array."""
        return self.with_arrays({name: function(a) for name, a in self.arrays.items()})

    @property
    def count(self) -> int:
        """Values to store [count]: those of the part."""
        return self.part.count

    def quantized(self) -> dict[str, Quantized]:
        """The rounded weights by name, one step per output channel."""
        axes, found = channel_axes(self.part), {}
        for name, step in self.steps.items():
            scale = to_matrix(_step(step), axes)
            zero = np.zeros(scale.shape, np.int64)
            codes = self._codes(name).astype(np.int64)
            w = self.part.arrays[name]
            found[name] = Quantized(codes, scale, zero, self.bits, "channel", 0, True, w, axes)
        return found

    def _codes(self, name: str) -> Array:
        return np.clip(np.rint(self.part.arrays[name] / _step(self.steps[name])), -self.top, self.top)

    @property
    def top(self) -> int:
        """Largest code Q [code]."""
        return 2 ** (self.bits - 1) - 1

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """Output of the part with rounded weights; the tape holds that part and its own tape."""
        if ops.one != 1.0:
            raise ValueError(f"rounded weights train in floating point: steps are real, got {shown(ops)}")
        inner = self.rounded()
        y, tape = inner.forward(x, ops)
        return y, (inner, tape)

    def rounded(self) -> Any:
        """The plain part with rounded weights: what is deployed."""
        new = {name: _step(step) * self._codes(name) for name, step in self.steps.items()}
        return self.part.with_arrays(self.part.arrays | new)

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """Gradients of the rounded weights handed to the weights themselves, and those of the steps."""
        inner, inner_tape = tape
        dx, grads = inner.back(inner_tape, delta, ops)
        for name, step in self.steps.items():
            w, g = self.part.arrays[name] / _step(step), grads[name]
            inside = abs(w) <= self.top
            slope = np.where(inside, inner.arrays[name] / _step(step) - w, np.clip(w, -self.top, self.top))
            shared = tuple(i for i, n in enumerate(step.shape) if n == 1)  # the axes that one step serves
            scale = 1 / np.sqrt(w.size / step.size * self.top)
            grads[STEP + name] = scale * (g * slope).sum(axis=shared, keepdims=True)
            grads[name] = g * inside
        return dx, grads


def _step(step: Array) -> Array:
    """Steps kept above zero: an update may not turn a scale around."""
    return np.maximum(step, 1e-6)


def fake_quantized(
    net: Network,
    data: Examples,
    weight_bits: int = 2,
    activation_bits: int | None = None,
    method: str = "mse",
) -> Network:
    """The network with straight-through parts, ready for training; it starts as `ptq` would leave it."""
    parts = []
    for part, x in zip(one(net).parts, activations(net, baseline.inputs(net, data))):
        if not has_weights(part):
            parts.append(part)
            continue
        if activation_bits:
            parts.append(Rounded(quantize.calibrate(x, activation_bits, method)))
        steps = {n: _first_step(part, a, weight_bits, method) for n, a in part.arrays.items() if is_weight(n)}
        parts.append(StraightThrough(part, steps, weight_bits))
    return Network(tuple(parts))


def _first_step(part: Any, w: Array, bits: int, method: str) -> Array:
    axes = channel_axes(part)
    scale = quantize.weights(w, bits, "channel", method=method, axes=axes).scale
    kept = {axis % w.ndim for axis in axes}
    return from_matrix(scale, tuple(n if i in kept else 1 for i, n in enumerate(w.shape)), axes)


def fit(
    net: Network,
    data: Examples,
    weight_bits: int = 2,
    activation_bits: int | None = None,
    epochs: int = 10,
    learning_rate: float = 0.003,
    seed: int = 0,
    progress: bool = False,
) -> Network:
    """A trained network that learns to live with few bits; returns it with its straight-through parts."""
    ready = fake_quantized(net, data, weight_bits, activation_bits)
    return baseline.fit(ready, data, epochs, learning_rate, seed=seed, progress=progress)


def deployed(net: Network) -> Network:
    """Plain parts with rounded weights: the same outputs, nothing left to train."""
    return Network(tuple(p.rounded() if isinstance(p, StraightThrough) else p for p in net.parts))
