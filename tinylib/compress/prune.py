"""Pruning: which weights go, and training that keeps them gone.

    magnitude   the smallest |w| go, layer by layer or over the whole network at once
    saliency    the smallest scores go, whatever they measure (`obd` scores by curvature)
    N:M         of every M inputs of an output the N largest stay: a pattern that hardware can read

A mask is a network's arrays as booleans, True where a value stays; biases always stay. Fine-tuning puts
the zeros back after every step, so that the gradient of a lost weight cannot revive it.
Source: Han et al., arXiv 1506.02626, section 3; Mishra et al., arXiv 2104.08378, section 3 (2:4).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinylib.compress import baseline
from tinylib.compress.layout import channel_axes, from_matrix, is_weight, one, to_matrix
from tinylib.compress.sparse import csr
from tinylib.cost.layers import count
from tinylib.datasets import Examples
from tinylib.nets.arithmetic import FLOAT, Arithmetic
from tinylib.nets.network import Network
from tinylib.nets.optimizers import Adam, Optimizer
from tinylib.nets.progress import bar
from tinylib.units import real, shown

Masks = list[dict[str, np.ndarray]]
SCOPES = ("global", "layer")


def keep_mask(scores: np.ndarray, sparsity: float) -> np.ndarray:
    """True for all but the round(sparsity n) lowest scores; of equal scores the first go first."""
    if not 0 <= real("sparsity", sparsity) <= 1:
        raise ValueError(f"sparsity must be a share, 0 to 1, got {shown(sparsity)}")
    lost = np.argsort(scores, axis=None, kind="stable")[: round(sparsity * scores.size)]
    keep = np.ones(scores.size, dtype=bool)
    keep[lost] = False
    return keep.reshape(scores.shape)


def by_saliency(net: Network, saliency: Masks, sparsity: float, scope: str = "global") -> Masks:
    """Masks that drop the lowest scores: `sparsity` of each layer, or of all weights together."""
    if scope not in SCOPES:
        raise ValueError(f"scope must be one of {', '.join(SCOPES)}, got {shown(scope)}")
    masks = [{name: np.ones(a.shape, dtype=bool) for name, a in part.items()} for part in net.arrays]
    places = [(i, name) for i, part in enumerate(one(net).arrays) for name in part if is_weight(name)]
    if scope == "layer":
        for i, name in places:
            masks[i][name] = keep_mask(saliency[i][name], sparsity)
        return masks
    keep = keep_mask(np.concatenate([saliency[i][name].ravel() for i, name in places]), sparsity)
    ends = np.cumsum([net.arrays[i][name].size for i, name in places])
    for (i, name), part in zip(places, np.split(keep, ends[:-1])):
        masks[i][name] = part.reshape(net.arrays[i][name].shape)
    return masks


def magnitude(net: Network, sparsity: float, scope: str = "global") -> Masks:
    """Masks that drop the smallest weights."""
    sizes = [{name: abs(a) for name, a in part.items()} for part in net.arrays]
    return by_saliency(net, sizes, sparsity, scope)


def n_of_m(w: np.ndarray, kept: int = 2, group: int = 4, axis: int = -2) -> np.ndarray:
    """True for the `kept` largest of every `group` neighbours along `axis`; 2 of 4 is the usual pattern.

    A last group that is not full keeps as many as it has, up to `kept`; of equal weights the first stay.
    """
    if count("kept", kept) > count("group", group):
        raise ValueError(f"kept must not exceed the group of {group}, got {shown(kept)}")
    rows = np.moveaxis(abs(w), axis, -1)
    missing = -rows.shape[-1] % group
    padded = np.concatenate([rows, np.full((*rows.shape[:-1], missing), -1.0)], axis=-1)
    groups = padded.reshape(*rows.shape[:-1], -1, group)
    rank = np.argsort(np.argsort(-groups, axis=-1, kind="stable"), axis=-1)
    keep = (rank < kept).reshape(padded.shape)[..., : rows.shape[-1]]
    return np.moveaxis(keep, -1, axis)


def semi_structured(net: Network, kept: int = 2, group: int = 4) -> Masks:
    """N:M masks of every weight array, along the inputs of each output: the inner axis of its product."""

    def mask(part: Any, name: str, a: np.ndarray) -> np.ndarray:
        if not is_weight(name):
            return np.ones(a.shape, dtype=bool)
        axes = channel_axes(part)
        return from_matrix(n_of_m(to_matrix(a, axes), kept, group), a.shape, axes)

    return [{name: mask(part, name, a) for name, a in part.arrays.items()} for part in net.parts]


def apply(net: Network, masks: Masks) -> Network:
    """The network with zeros where the masks are False; raises when they are those of another one."""
    sizes, wanted = (
        [{n: np.shape(a) for n, a in part.items()} for part in all_] for all_ in (masks, net.arrays)
    )
    if sizes != wanted:
        raise ValueError(
            f"masks must have the shapes of the arrays of the network, {shown(wanted)}, got {shown(sizes)}"
        )
    return net.with_arrays(_masked(net.arrays, masks))


def _masked(arrays: Sequence[dict[str, np.ndarray]], masks: Masks) -> Masks:
    return [{name: a * mask[name] for name, a in part.items()} for part, mask in zip(arrays, masks)]


def sparsity(masks: Masks) -> float:
    """Share of weights dropped [0..1]; biases are not counted."""
    weights = [mask for part in masks for name, mask in part.items() if is_weight(name)]
    return 1 - sum(int(m.sum()) for m in weights) / sum(m.size for m in weights)


@dataclass(frozen=True)
class Masked(Optimizer):
    """An optimiser whose steps leave the masked weights at zero."""

    inner: Optimizer = field(default_factory=Adam)
    masks: Masks = field(default_factory=list)

    def start(self, arrays: Any) -> Any:
        """The state of the inner optimiser."""
        return self.inner.start(arrays)

    def step(self, arrays: Any, grads: Any, state: Any, ops: Arithmetic = FLOAT, lead: int = 0) -> Any:
        """One inner step, then zeros where the masks are False."""
        arrays, state = self.inner.step(arrays, _masked(grads, self.masks), state, ops, lead)
        return _masked(arrays, self.masks), state


def fine_tune(
    net: Network,
    masks: Masks,
    data: Examples,
    epochs: int = 10,
    learning_rate: float = 0.005,
    seed: int = 0,
    progress: bool = False,
) -> Network:
    """The pruned network after training that keeps the zeros."""
    optimizer = Masked(inner=Adam(learning_rate), masks=masks)
    return baseline.fit(apply(net, masks), data, epochs, seed=seed, optimizer=optimizer, progress=progress)


def gradual(
    net: Network,
    data: Examples,
    target: float,
    steps: int = 5,
    epochs: int = 4,
    masks: Callable[[Network, float], Masks] = magnitude,
    seed: int = 0,
    progress: bool = False,
) -> tuple[Network, Masks]:
    """The network at sparsity `target` and its masks, in steps that each prune and tune for `epochs`.

    Step t of n goes to target (1 - (1 - t / n)^3): much at first, little at the end. `masks` chooses
    anew each time; what is zero has the lowest score, and stays.
    Source of the schedule: Zhu & Gupta, arXiv 1710.01878, eq. 1.
    """
    chosen = masks(net, 0.0)
    for t in bar(range(1, count("steps", steps) + 1), title="pruning", shown=progress):
        chosen = masks(net, target * (1 - (1 - t / steps) ** 3))
        net = fine_tune(net, chosen, data, epochs, seed=seed)
    return net, chosen


@dataclass(frozen=True)
class Point:
    """A pruned network: sparsity [0..1], accuracies before and after tuning [0..1], sizes [bytes]."""

    sparsity: float
    accuracy: float
    tuned: float
    csr_bytes: int
    dense_bytes: int


def sweep(
    net: Network,
    train: Examples,
    test: Examples,
    sparsities: Sequence[float],
    scope: str = "global",
    epochs: int = 10,
    progress: bool = False,
) -> list[Point]:
    """Accuracy and storage at each sparsity, float32 values; `epochs` of tuning follow each pruning."""
    points = []
    for share in bar(sparsities, title="pruning", shown=progress):
        masks = magnitude(net, share, scope)
        pruned = apply(net, masks)
        tuned = fine_tune(net, masks, train, epochs) if epochs else pruned
        scores = baseline.accuracy(pruned, test), baseline.accuracy(tuned, test)
        points.append(Point(share, *scores, *stored_bytes(pruned)))
    return points


def stored_bytes(net: Network) -> tuple[int, int]:
    """Weights as float32 in compressed sparse rows, and dense [bytes]; a row per output, 2-byte columns."""
    parts = [(channel_axes(p), a) for p in net.parts for name, a in p.arrays.items() if is_weight(name)]
    return sum(csr(to_matrix(a, axes).T).bytes(4, 2, 4) for axes, a in parts), sum(
        4 * a.size for _, a in parts
    )
