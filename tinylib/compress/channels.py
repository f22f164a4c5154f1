"""Structured pruning: whole units or channels go, and with them a slice of the layer behind.

    layer i loses outputs:   w[..., keep], b[keep]       and the next layer the inputs that read them
    score of a channel = L1 norm of its weights, or of its mean |activation| on real inputs

What is left is a smaller dense network: MACs, bytes and peak fall on any machine, without an index.
Pooling and flattening pass channels on; behind a flattening each channel is one feature per place.
Source: Li et al., Pruning Filters for Efficient ConvNets, arXiv 1608.08710, section 3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinylib.compress import baseline
from tinylib.compress.layout import channel_axes, has_weights, to_matrix
from tinylib.compress.ptq import activations
from tinylib.cost.layers import count
from tinylib.datasets import Examples
from tinylib.nets.conv import Conv1D, Conv2D, PointwiseConv2D
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network
from tinylib.units import shown

FULL = (Conv1D, Conv2D, PointwiseConv2D)


def scores(net: Network, i: int, data: Examples | None = None) -> np.ndarray:
    """Importance of each output channel of part i (channels,): L1 norm, or mean |output| on `data`."""
    part = _prunable(net, i)
    if data is None:
        return abs(to_matrix(part.w, channel_axes(part))).sum(axis=0)
    outputs = [*activations(net, baseline.inputs(net, data)), None][i + 1]
    if outputs is None:
        raise ValueError(f"part {i} must not be the last: its outputs are the classes")
    return abs(outputs).reshape(-1, outputs.shape[-1]).mean(axis=0)


def strongest(net: Network, i: int, kept: int, data: Examples | None = None) -> np.ndarray:
    """Indices of the `kept` best channels of part i, in rising order."""
    found = scores(net, i, data)
    if count("kept", kept) > len(found):
        raise ValueError(f"kept must not exceed the {len(found)} channels of part {i}, got {shown(kept)}")
    return np.sort(np.argsort(-found, kind="stable")[:kept])


def narrowed(net: Network, i: int, keep: Sequence[int] | np.ndarray) -> Network:
    """The network whose part i has the channels `keep` alone; the next part with weights reads only them."""
    part, keep = _prunable(net, i), np.asarray(keep)
    after = next((k for k in range(i + 1, len(net.parts)) if has_weights(net.parts[k])), None)
    if after is None:
        raise ValueError(f"part {i} must not be the last with weights: its outputs are the classes")
    axis, had = channel_axes(part)[0], len(part.b)
    parts = list(net.parts)
    parts[i] = replace(part, w=part.w.take(keep, axis), b=part.b[keep])
    parts[after] = _reading(parts[after], keep, had)
    return Network(tuple(parts))


def prune(net: Network, kept: Mapping[int, int], data: Examples | None = None) -> Network:
    """The network with `kept` channels for each part named; what it scores by is as in `scores`.

    `prune(net, {0: 16}).model((64,))` is its cost model. Scores are those of the whole network.
    """
    best = {i: strongest(net, i, n, data) for i, n in kept.items()}
    for i, keep in best.items():
        net = narrowed(net, i, keep)
    return net


def _prunable(net: Network, i: int) -> Any:
    part = net.parts[i]
    if not isinstance(part, (Dense, *FULL)) or net.seeds:
        raise ValueError(
            f"part {i} must be one Dense or full convolution to lose channels, got {shown(part)}"
        )
    return part


def _reading(part: Any, keep: np.ndarray, had: int) -> Any:
    """A part that reads the channels `keep` of the `had` that were there."""
    if isinstance(part, FULL):
        return replace(part, w=part.w.take(keep, -1))
    if not isinstance(part, Dense) or part.w.shape[-2] % had:
        raise ValueError(f"the part behind must read all {had} channels to lose some, got {shown(part)}")
    places = part.w.reshape(-1, had, part.w.shape[-1])  # channels are the last axis of a flattened image
    return replace(part, w=places[:, keep].reshape(-1, part.w.shape[-1]))
