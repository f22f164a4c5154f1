"""Differentiable search: every layer runs all its candidates, and learns which one to trust.

    p = softmax(alpha)            y = sum_k p_k o_k(x)
    dL/d alpha_k = p_k (<g, o_k> - sum_j p_j <g, o_j>),                g = dL/dy
    E = sum_k p_k l_k             dE/d alpha_k = p_k (l_k - E)

The softmax ties the candidates together: raising one lowers the others, so that a candidate faster than
the mean, l_k < E, is pushed up. The diagonal term p_k (1 - p_k) l_k alone would push all of them down.
Weights learn on one half of the data and alpha on the other, in turn, a batch each (first order).
Source: Liu et al., DARTS, arXiv 1806.09055, section 2.3; Cai et al., arXiv 1812.00332, section 3.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tinylib.compress import baseline
from tinylib.cost import devices
from tinylib.cost.layers import Shape
from tinylib.datasets import Examples
from tinylib.nets import losses
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Array
from tinylib.nets.conv import Conv2D, DepthwiseConv2D, PointwiseConv2D
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network
from tinylib.nets.optimizers import Adam
from tinylib.nets.params import Arrays, Params
from tinylib.nets.pool import GlobalAvgPool2D, MaxPool2D
from tinylib.nets.progress import bar
from tinylib.units import real, shown

OPERATIONS = ("skip", "conv1", "depthwise3", "conv3", "conv5")


def expected_latency_ms(alpha: np.ndarray, latencies_ms: np.ndarray) -> float:
    """E[latency] of one layer under softmax(alpha) [ms]."""
    return float(losses.softmax(np.asarray(alpha, float)) @ np.asarray(latencies_ms, float))


def latency_gradient_ms(alpha: np.ndarray, latencies_ms: np.ndarray) -> np.ndarray:
    """dE[latency]/d alpha (candidates,) [ms]: p_k (l_k - E); the entries add up to zero."""
    p, latencies = losses.softmax(np.asarray(alpha, float)), np.asarray(latencies_ms, float)
    return p * (latencies - p @ latencies)


@dataclass(frozen=True)
class Skip(Params):
    """The input, unchanged."""

    layer = None

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """x itself."""
        return x, None

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """delta itself."""
        return delta, {}


@dataclass(frozen=True)
class Mixed(Params):
    """Candidates that map one shape to one shape, weighted by softmax(alpha).

    alpha (candidates,);  latencies_ms: of each candidate [ms];  names: how a choice is told
    """

    candidates: tuple[Any, ...]
    alpha: Array
    latencies_ms: tuple[float, ...]
    names: tuple[str, ...]

    layer = None

    def __post_init__(self) -> None:
        if len({len(self.candidates), len(self.alpha), len(self.latencies_ms), len(self.names)}) > 1:
            raise ValueError(
                f"alpha, latencies_ms and names must have one entry for each of {len(self.candidates)} "
                f"candidates, got {len(self.alpha)}, {len(self.latencies_ms)} and {len(self.names)}"
            )

    @property
    def arrays(self) -> Arrays:
        """alpha, and the arrays of candidate k with _k behind their names."""
        own = {f"{n}_{k}": a for k, c in enumerate(self.candidates) for n, a in c.arrays.items()}
        return {"alpha": self.alpha} | own

    def with_arrays(self, arrays: Arrays) -> Self:
        """The same part with other arrays."""
        new = tuple(
            c.with_arrays({n: arrays[f"{n}_{k}"] for n in c.arrays}) for k, c in enumerate(self.candidates)
        )
        return type(self)(new, arrays["alpha"], self.latencies_ms, self.names)

    def mapped(self, function: Any) -> Self:
        """The same part with `function` applied to each array."""
        return self.with_arrays({name: function(a) for name, a in self.arrays.items()})

    @property
    def chosen(self) -> int:
        """Place of the candidate with the largest alpha [index]."""
        return int(self.alpha.argmax())

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """The mixture of all outputs, and the tape."""
        outputs, tapes = zip(*(c.forward(x, ops) for c in self.candidates))
        p = losses.softmax(self.alpha)
        return sum(share * y for share, y in zip(p, outputs)), (p, outputs, tapes)

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """dx and gradients, alpha's among them."""
        p, outputs, tapes = tape
        gain = np.array([np.sum(delta * y) for y in outputs])
        grads = {"alpha": p * (gain - p @ gain)}
        dx = 0.0
        for k, (candidate, inner) in enumerate(zip(self.candidates, tapes)):
            d, found = candidate.back(inner, p[k] * delta, ops)
            dx = dx + d
            grads |= {f"{n}_{k}": g for n, g in found.items()}
        return dx, grads


def operation(name: str, channels: int, rng: np.random.Generator) -> Any:
    """A candidate (height, width, channels) -> the same shape."""
    if name == "skip":
        return Skip()
    if name == "depthwise3":
        return DepthwiseConv2D.draw(rng, channels, 3, "relu", padding="same")
    if name == "conv1":
        return PointwiseConv2D.draw(rng, channels, channels, "relu")
    if name in ("conv3", "conv5"):
        return Conv2D.draw(rng, channels, channels, int(name[-1]), "relu", padding="same")
    raise ValueError(f"operation must be one of {', '.join(OPERATIONS)}, got {shown(name)}")


def latency_ms(part: Any, in_shape: Shape, device: str = "stm32l011") -> float:
    """Least time of a part's MACs on a device [ms]; loads and control come on top."""
    row = devices.named(device)
    if row.clock_hz is None or row.macs_per_cycle_int8 is None:
        raise ValueError(f"device must have a clock and a MAC rate, got {shown(device)}")
    macs = 0 if part.layer is None else part.layer.macs(in_shape)
    return 1000 * macs / (row.clock_hz * row.macs_per_cycle_int8)


def supernet(
    layers: int = 2, channels: int = 8, classes: int = 10, device: str = "stm32l011", seed: int = 0
) -> Network:
    """Stem, `layers` mixed layers on a 4 x 4 map, and a head, for images of 8 x 8."""
    rng = np.random.default_rng(seed)
    mixed = []
    for _ in range(layers):
        parts = tuple(operation(name, channels, rng) for name in OPERATIONS)
        times = tuple(latency_ms(part, (4, 4, channels), device) for part in parts)
        mixed.append(Mixed(parts, np.zeros(len(parts)), times, OPERATIONS))
    stem = Conv2D.draw(rng, 1, channels, 3, "relu", padding="same")
    return Network((stem, MaxPool2D(2), *mixed, GlobalAvgPool2D(), Dense.draw(rng, channels, classes)))


def mixed_parts(net: Network) -> list[Mixed]:
    """The layers whose operation is still open."""
    return [part for part in net.parts if isinstance(part, Mixed)]


def _network_latency_ms(net: Network) -> float:
    """Sum of E[latency] over the mixed layers [ms]."""
    return sum(expected_latency_ms(p.alpha, p.latencies_ms) for p in mixed_parts(net))


@dataclass(frozen=True)
class Result:
    """What a search found.

    net: with all its candidates;  chosen: name of the best operation in each layer
    alphas: (steps, layers, candidates) after each epoch, the start first;  latencies_ms: E after each [ms]
    """

    net: Network
    chosen: tuple[str, ...]
    alphas: np.ndarray
    latencies_ms: np.ndarray


def search(
    data: Examples,
    latency_weight: float = 0.0,
    layers: int = 2,
    channels: int = 8,
    epochs: int = 10,
    batch_size: int = 32,
    seed: int = 0,
    device: str = "stm32l011",
    progress: bool = False,
) -> Result:
    """Weights and alpha learnt in turn on two halves of the examples: loss + latency_weight E[latency].

    latency_weight: price of a millisecond [nat/ms], not negative.
    """
    if real("latency_weight", latency_weight) < 0:
        raise ValueError(f"latency_weight must not be negative, got {shown(latency_weight)}")
    net, rng = supernet(layers, channels, len(data.classes), device, seed), np.random.default_rng(seed)
    half = len(data) // 2
    halves = data.take(slice(half)), data.take(slice(half, 2 * half))
    steps = [(Adam(0.01), _weights), (Adam(0.03), _alpha)]
    states = [optimizer.start(kept(net.arrays)) for optimizer, kept in steps]
    alphas, times = [np.stack([p.alpha for p in mixed_parts(net)])], [_network_latency_ms(net)]
    for _ in bar(range(epochs), epochs, "search", progress):
        order = rng.permutation(half)
        for first in range(0, half, batch_size):
            rows = order[first : first + batch_size]
            for k, (optimizer, kept) in enumerate(steps):
                grads = _gradients(net, halves[k].take(rows), latency_weight)
                new, states[k] = optimizer.step(kept(net.arrays), kept(grads), states[k])
                net = net.with_arrays([old | part for old, part in zip(net.arrays, new)])
        alphas.append(np.stack([p.alpha for p in mixed_parts(net)]))
        times.append(_network_latency_ms(net))
    chosen = tuple(p.names[p.chosen] for p in mixed_parts(net))
    return Result(net, chosen, np.array(alphas), np.array(times))


def _weights(arrays: Sequence[Arrays]) -> list[Arrays]:
    return [{n: a for n, a in part.items() if n != "alpha"} for part in arrays]


def _alpha(arrays: Sequence[Arrays]) -> list[Arrays]:
    return [{n: a for n, a in part.items() if n == "alpha"} for part in arrays]


def _gradients(net: Network, batch: Examples, latency_weight: float) -> list[Arrays]:
    """Downhill gradients of the mean loss, and of the price of latency for alpha."""
    y, tapes = net.forward(batch.images)
    _, delta = losses.cross_entropy(y, batch.targets)
    grads = net.back(tapes, delta / len(batch))[1]
    for part, found in zip(net.parts, grads):
        if isinstance(part, Mixed):
            found["alpha"] = found["alpha"] - latency_weight * latency_gradient_ms(
                part.alpha, part.latencies_ms
            )
    return grads


def _discrete(net: Network, seed: int = 0) -> Network:
    """The network of the chosen operations, drawn anew; stem and head keep what they have learnt."""
    rng = np.random.default_rng(seed)
    parts = []
    for part in net.parts:
        if isinstance(part, Mixed):
            best = part.candidates[part.chosen]
            parts += [] if isinstance(best, Skip) else [operation(part.names[part.chosen], _width(net), rng)]
        else:
            parts.append(part)
    return Network(tuple(parts))


def _width(net: Network) -> int:
    return len(net.parts[0].b)


def trained(result: Result, data: Examples, epochs: int = 20, seed: int = 0) -> Network:
    """The chosen network after training on all the examples."""
    return baseline.fit(_discrete(result.net, seed), data, epochs, 0.01, seed=seed)
