"""Distillation: a small network learns from what a large one believes, not from the label alone.

    q = softmax(z / T),   p = softmax(v / T)            v: logits of the teacher, z: of the student
    L = (1 - a) CE(label, softmax z) + a T^2 KL(p || q)
    dL/dz = (1 - a) (softmax z - label) + a T (q - p)

The soft term has the gradient (q - p) / T, which shrinks with 1/T^2 for high T and centred logits, since
q - p itself shrinks with 1/T; T^2 makes up for both.
Source: Hinton, Vinyals & Dean, arXiv 1503.02531, section 2 and 2.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinylib.compress import baseline
from tinylib.datasets import Examples
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Array
from tinylib.nets.losses import cross_entropy, softmax
from tinylib.nets.network import Network, mlp
from tinylib.nets.optimizers import Adam
from tinylib.nets.progress import bar
from tinylib.nets.train import train
from tinylib.units import real, shown


def softened(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """softmax(z / T) over the last axis [0..1]: T above 1 flattens, below 1 sharpens."""
    if real("temperature", temperature) <= 0:
        raise ValueError(f"temperature must be positive, got {shown(temperature)}")
    return softmax(np.asarray(logits, dtype=np.float64) / temperature)


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """-sum p ln p over the last axis [nat]: 0 for a certain class, ln n for n equal ones."""
    p = np.asarray(probabilities, dtype=np.float64)
    return -np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1)


def pack(one_hot: np.ndarray, teacher_logits: np.ndarray) -> np.ndarray:
    """Targets (2, batch, classes) of `Distillation`: labels, then the logits of the teacher."""
    return np.stack([one_hot, teacher_logits])


@dataclass(frozen=True)
class Distillation:
    """The loss, for `train`: called with logits (..., batch, classes) and packed targets.

    temperature T > 0; weight a: share of the teacher [0..1]
    """

    temperature: float = 4.0
    weight: float = 0.9

    def __post_init__(self) -> None:
        if real("temperature", self.temperature) <= 0:
            raise ValueError(f"temperature must be positive, got {shown(self.temperature)}")
        if not 0 <= real("weight", self.weight) <= 1:
            raise ValueError(f"weight must be a share, 0 to 1, got {shown(self.weight)}")

    def __call__(self, y: Array, target: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Array]:
        """Loss of each example (..., batch) [nat], and the downhill direction -dL/dz."""
        label, teacher = target
        hard, downhill = cross_entropy(y, label, ops)
        p, log_p = softened(teacher, self.temperature), _log_softened(teacher, self.temperature)
        soft = np.sum(p * (log_p - _log_softened(y, self.temperature)), axis=-1)
        a, t = self.weight, self.temperature
        value = (1 - a) * hard + a * t * t * soft
        return value, (1 - a) * downhill + a * t * (p - softened(y, t))


def _log_softened(logits: Array, temperature: float) -> Array:
    z = logits / temperature
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def gradient(
    logits: np.ndarray,
    one_hot: np.ndarray,
    teacher_logits: np.ndarray,
    temperature: float = 4.0,
    weight: float = 0.9,
) -> np.ndarray:
    """dL/dz, uphill, in the shape of the student's logits."""
    return -Distillation(temperature, weight)(logits, pack(one_hot, teacher_logits))[1]


def students(
    teacher: Network,
    data: Examples,
    hidden: Sequence[int] = (8,),
    temperature: float | None = 4.0,
    weight: float = 0.9,
    seeds: int = 10,
    epochs: int = 30,
    learning_rate: float = 0.01,
    seed: int = 0,
    progress: bool = False,
) -> Network:
    """`seeds` small networks trained at once, on a leading axis; `temperature` None: on labels alone.

    Every temperature starts from the same weights and sees the batches in the same order.
    """
    sizes = (data.x.shape[-1], *hidden, len(data.classes))
    net = mlp(sizes, "relu", "linear", np.random.default_rng(seed), seeds=(seeds,))
    alone = temperature is None
    net, _ = train(
        net,
        data.x,
        data.targets if alone else pack(data.targets, baseline.logits(teacher, data)),
        loss="cross_entropy" if alone else Distillation(temperature, weight),
        optimizer=Adam(learning_rate),
        epochs=epochs,
        batch_size=32,
        rng=np.random.default_rng(seed),
        progress=progress,
    )
    return net


@dataclass(frozen=True)
class Row:
    """Students at one temperature (None: without a teacher).

    accuracies (seeds,), mean [0..1];  gain, low, high: mean gain over the same students without a
    teacher and the ends of its 95 % interval, paired by seed [share]
    """

    temperature: float | None
    accuracies: np.ndarray
    gain: float
    low: float
    high: float

    @property
    def mean(self) -> float:
        """Mean accuracy over the seeds [0..1]."""
        return float(self.accuracies.mean())


def interval(values: np.ndarray, draws: int = 2000, seed: int = 0) -> tuple[float, float]:
    """95 % interval of the mean: the middle of `draws` resampled means (bootstrap).

    Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    values = np.asarray(values, dtype=np.float64)
    means = np.random.default_rng(seed).choice(values, (draws, values.size)).mean(axis=1)
    return tuple(float(v) for v in np.percentile(means, [2.5, 97.5]))


def sweep_temperatures(
    teacher: Network,
    train_data: Examples,
    test: Examples,
    temperatures: Sequence[float] = (1, 2, 4, 8, 16),
    progress: bool = False,
    **options,
) -> list[Row]:
    """Accuracy against temperature; the first row has no teacher. `options` are those of `students`."""
    rows, alone = [], None
    for t in bar((None, *temperatures), title="temperature", shown=progress):
        found = baseline.accuracy(students(teacher, train_data, temperature=t, **options), test)
        alone = found if alone is None else alone
        gain = found - alone
        rows.append(Row(t, found, float(gain.mean()), *interval(gain)))
    return rows
