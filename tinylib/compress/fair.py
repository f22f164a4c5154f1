"""A fair benchmark: rivals on the same data, with equal training, over several seeds, with intervals.

    >>> runs = [fair.run("CNN 0.7k", seed=s) for s in range(5)]
    >>> mean, low, high = fair.interval([r.accuracy for r in runs])

A seed draws the data *and* the weights, so that an interval covers both; within a seed all rivals see the
same windows, so that differences can be taken pair by pair. The optimiser, its schedule and the batches are
the same for all; the epoch is chosen on the validation data, and the test data are read once.
What five seeds gave is on file: see `fair_file`.
Source of the interval: Student, Biometrika 6 (1908) 1-25.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from statistics import fmean, stdev

import numpy as np

from tinylib.compress.rivals import MACHINE_RIVALS, RIVALS, Rival
from tinylib.cost.layers import count
from tinylib.datasets import Examples, Split, motors, vibration_three_axis
from tinylib.nets.arithmetic import FLOAT32, Array
from tinylib.nets.network import Network
from tinylib.nets.optimizers import Adam
from tinylib.nets.train import train
from tinylib.units import shown

BATCH = 64
T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)  # 1 .. 9 degrees of freedom
EPOCHS = 30
SHORTER = {"CNN 42k": 15, "CfC, each sample": 25, "LTC, each sample": 5}  # the costliest are cut short
RATES = {"spectrum": 0.02, "CNN 42k": 0.003, "CNN 2.7k": 0.003, "CNN 0.7k": 0.006, "CfC, each sample": 0.0025}
SPLITS = ("machine", "window")


@dataclass(frozen=True)
class Run:
    """One rival, trained and tested once. confusion (classes, classes): windows by true and named class."""

    rival: str
    seed: int
    confusion: tuple[tuple[int, ...], ...]
    epochs: int

    @property
    def accuracy(self) -> float:
        """Share of the test windows named rightly [0..1]."""
        right = sum(row[k] for k, row in enumerate(self.confusion))
        return right / sum(map(sum, self.confusion))


def run(name: str, seed: int = 0, epochs: int | None = None, progress: bool = False) -> Run:
    """A rival of RIVALS on the three-axis windows of this seed."""
    if name not in RIVALS:
        raise ValueError(f"name must be one of {', '.join(RIVALS)}, got {shown(name)}")
    return _judged(name, RIVALS[name], _three_axis(seed), seed, epochs, progress)


def run_machines(
    name: str, severity: float = 0.7, split: str = "machine", seed: int = 0, progress: bool = False
) -> Run:
    """A rival of MACHINE_RIVALS on one axis of 36 machines, parted by machine or, which leaks, by window."""
    if name not in MACHINE_RIVALS:
        raise ValueError(f"name must be one of {', '.join(MACHINE_RIVALS)}, got {shown(name)}")
    if split not in SPLITS:
        raise ValueError(f"split must be machine or window, got {shown(split)}")
    data = parts(_machines(severity, seed), split, seed)
    return _judged(name, MACHINE_RIVALS[name], data, seed, None, progress)


def parts(whole: Examples, split: str, seed: int = 0) -> Split:
    """Windows of 20 machines to learn from, 4 to choose by and 12 to report on, or as many of any machine."""
    share = len(whole) // 9
    return whole.split_groups(20, 4, seed) if split == "machine" else whole.split(5 * share, share, seed)


@cache
def _three_axis(seed: int) -> Split:
    return vibration_three_axis(seed=count("seed", seed, 0))


@cache
def _machines(severity: float, seed: int) -> Examples:
    return motors.windows(severity, seed=count("seed", seed, 0))


def _judged(name: str, rival: Rival, data: Split, seed: int, epochs: int | None, progress: bool) -> Run:
    parts = (data.train, data.validation, data.test)
    views = scaled([rival.view(e.x) for e in parts])
    net, best = fit(name, rival, data, views, seed, epochs, progress)
    table = confusion(data.test.y, named(net, views[2]), len(data.test.classes))
    return Run(name, seed, tuple(map(tuple, table.tolist())), best)


def scaled(views: Sequence[Array]) -> list[Array]:
    """Views in units of the first one's spread: of each feature for rows, of all values for signals."""
    rows = views[0].ndim == 2
    mean = views[0].mean(axis=0) if rows else 0.0
    scale = views[0].std(axis=0) + 1e-9 if rows else views[0].std()
    return [((v - mean) / scale).astype(np.float32) for v in views]


def fit(
    name: str,
    rival: Rival,
    data: Split,
    views: Sequence[Array],
    seed: int = 0,
    epochs: int | None = None,
    progress: bool = False,
) -> tuple[Network, int]:
    """The network of the epoch that was best on the validation data, and that epoch, from 1.

    The learning rate falls to a tenth in four steps; gradients of a larger norm than 1 are shortened.
    """
    epochs = SHORTER.get(name, EPOCHS) if epochs is None else count("epochs", epochs)
    rng = np.random.default_rng(seed)
    net = rival.draw(rng, (len(data.train.x), data.train.x.shape[2]), len(data.train.classes))
    batches = -(-len(data.train) // BATCH)
    net, history = train(
        net,
        views[0],
        data.train.targets,
        loss="cross_entropy",
        optimizer=Adam(
            RATES.get(name, 0.004),
            clip_norm=1.0,
            decay=0.1 ** (1 / 3),
            decay_every=max(1, batches * epochs // 4),
        ),
        ops=FLOAT32,
        epochs=epochs,
        batch_size=BATCH,
        rng=rng,
        patience=epochs,
        validation=(views[1], data.validation.targets),
        progress=progress,
        batch_axis=rival.batch_axis,
    )
    return net, history.best_epoch + 1


def named(net: Network, view: Array, piece: int = 500) -> Array:
    """Class numbers (n,) of a view, `piece` windows at a time."""
    images = view.ndim == 4
    n = len(view) if images else view.shape[-2]
    cut = [slice(a, a + piece) for a in range(0, n, piece)]
    outputs = (net.forward(view[s] if images else view[..., s, :], FLOAT32)[0] for s in cut)
    return np.concatenate([y.argmax(axis=-1) for y in outputs])


def confusion(true: Array, said: Array, classes: int) -> Array:
    """Windows (classes, classes) by true and named class [count]."""
    table = np.zeros((classes, classes), int)
    np.add.at(table, (true, said), 1)
    return table


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of 2 to 10 seeds and the ends of its 95 percent interval: mean -+ t s / sqrt(n)."""
    n = len(values)
    if not 2 <= n <= len(T_95) + 1:
        raise ValueError(
            f"an interval needs 2 to {len(T_95) + 1} values: one has no spread, got {shown(values)}"
        )
    mean, half = fmean(values), T_95[n - 2] * stdev(values) / sqrt(n)
    return mean, mean - half, mean + half


def gain(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """Interval of the difference, seed by seed, of two rivals on the same data."""
    if len(ours) != len(theirs):
        raise ValueError(f"both rivals must have run with the same seeds, got {len(ours)} and {len(theirs)}")
    return interval([a - b for a, b in zip(ours, theirs)])
