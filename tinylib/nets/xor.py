"""XOR: the smallest task that one layer cannot learn, and how often a 2-4-1 network learns it.

    success rate p = k / n with its 95 % Wilson interval, z = 1.96:
    (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

Source: Rumelhart, Hinton & Williams 1986 (the task); Wilson, J. Am. Stat. Assoc. 22, 1927 (the interval).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tinylib.formats.qformat import QFormat
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Array, Fixed
from tinylib.nets.network import Network, mlp
from tinylib.nets.optimizers import SGD
from tinylib.nets.sweep import sweep
from tinylib.nets.train import train
from tinylib.units import shown

INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TARGETS = np.array([[0.0], [1.0], [1.0], [0.0]])
Q16_16 = Fixed(QFormat(16, 16))
Q8_8 = Fixed(QFormat(8, 8), "nearest", "saturate")


def samples(count: int, seed: int = 0) -> tuple[Array, Array]:
    """`count` of the four cases at random: inputs (count, 2) and targets (count, 1)."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise ValueError(f"count must be a whole number from 0, got {shown(count)}")
    order = np.random.default_rng(seed).integers(0, 4, count)
    return INPUTS[order], TARGETS[order]


def network(seed: int, ops: Arithmetic = FLOAT, limit: float = 1.0, hidden: int = 4) -> Network:
    """A 2-4-1 network, tanh and sigmoid, with weights and biases uniform in +-limit."""
    return mlp((2, hidden, 1), rng=np.random.default_rng(seed), ops=ops, limit=limit)


def solved(net: Network, ops: Arithmetic = FLOAT) -> Array:
    """Whether all four outputs lie on the right side of 1/2: one bool, or one for every seed (seeds,)."""
    return np.all((net.predict(INPUTS, ops) > 0.5) == (TARGETS > 0.5), axis=(-2, -1))


@dataclass(frozen=True)
class Settings:
    """One experiment: weights uniform in +-limit, then `steps` samples, one after the other, in one order."""

    ops: Arithmetic = Q16_16
    learning_rate: float = 0.5
    momentum: float = 0.0
    limit: float = 1.0
    steps: int = 4_000
    dead_zone: float = 0.0
    hidden: int = 4


USUAL = Settings()


def outcomes(seeds: Sequence[int], settings: Settings) -> list[bool]:
    """For each seed, whether its network has learnt XOR; all of them are trained at once."""
    nets = [network(seed, settings.ops, settings.limit, settings.hidden) for seed in seeds]
    names = [{name: np.stack([n.arrays[i][name] for n in nets]) for name in ("w", "b")} for i in (0, 1)]
    xs, targets = samples(settings.steps)
    optimizer = SGD(settings.learning_rate, momentum=settings.momentum)
    options = {"optimizer": optimizer, "ops": settings.ops, "dead_zone": settings.dead_zone}
    net, _ = train(nets[0].with_arrays(names), xs, targets, **options)
    return solved(net, settings.ops).tolist()


def success(
    seeds: int,
    settings: Settings = USUAL,
    jobs: int = 1,
    scheduler: str = "",
    progress: bool = False,
    group: int = 500,
) -> list[bool]:
    """Outcomes of the seeds 0..seeds-1, `group` networks at a time."""
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise ValueError(f"seeds must be a whole number from 1, got {shown(seeds)}")
    groups = [range(start, min(start + group, seeds)) for start in range(0, seeds, group)]
    task = partial(outcomes, settings=settings)
    return [outcome for found in sweep(task, groups, jobs, scheduler, progress) for outcome in found]


def wilson(successes: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Interval of a rate of which `successes` out of `trials` were seen."""
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"successes must lie in 0..trials with trials >= 1, got {successes} of {trials}")
    p, n = successes / trials, trials
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
