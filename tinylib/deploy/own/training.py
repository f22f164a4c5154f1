"""How a candidate learns: Adam with a falling rate, rare classes shown more often, the best epoch kept.

The number of epochs follows from the work and a share of the budget of time at an assumed speed, so that the
same seed gives the same network on every machine; the clock only ends a training that takes much longer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic

import numpy as np

from tinylib.nets import FLOAT32, Network
from tinylib.nets.optimizers import Adam
from tinylib.nets.progress import bar
from tinylib.nets.train import train

Array = np.ndarray
SPEED = {"spectrum": 2e9, "signal": 4e9, "frames": 2e9}  # assumed: forward and back [MAC/s]
FIXED = {"spectrum": 3e-4, "signal": 1e-3, "frames": 2e-3}  # and of a batch, whatever its size [s]
EPOCHS = 15, 150  # least and most
RATE = 0.004
BATCH = 32
Watch = Callable[[int, int, float, float], None]  # epoch, of how many, loss, score on the validation part


@dataclass(frozen=True)
class Curve:
    """Loss and score on the validation part after each epoch; late: whether the clock ended it."""

    loss: list[float] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    late: bool = False


def hit_rate(y: Array, guess: Array, classes: int) -> float:
    """Mean over the classes of the share that is recognised [0..1]: accuracy where classes are even."""
    shares = [np.mean(guess[y == k] == k) for k in range(classes) if (y == k).any()]
    return float(np.mean(shares))


def shown_evenly(y: Array) -> Array:
    """Indices of samples, those of rare classes repeated up to ten times."""
    counts = np.bincount(y)
    times = np.minimum(np.rint(counts.max() / np.maximum(counts, 1)), 10).astype(int)
    return np.repeat(np.arange(len(y)), times[y])


def epochs(kind: str, macs: int, samples: int, seconds: float) -> int:
    """Epochs that fit into some seconds at the assumed speed [count]."""
    each = 3 * macs * samples / SPEED[kind] + FIXED[kind] * samples / BATCH
    return int(np.clip(seconds / each, *EPOCHS))


def fit(
    network: Network,
    kind: str,
    train_part: tuple[Array, Array],
    validation: tuple[Array, Array],
    macs: int,
    seconds: float,
    seed: int = 0,
    watch: Watch | None = None,
    title: str = "training",
    progress: bool = False,
) -> tuple[Network, Curve]:
    """The network of the best epoch, and its curve; inputs are as `candidates.shaped` makes them."""
    (x, y), (x_held, y_held) = train_part, validation
    axis, classes = (1 if kind == "frames" else 0), int(max(y.max(), y_held.max())) + 1
    rows, targets = shown_evenly(y), np.eye(classes, dtype=np.float32)
    rng, history = np.random.default_rng(seed), None
    network = network.mapped(FLOAT32.number)
    x, x_held = x.astype(np.float32), x_held.astype(np.float32)
    x, y = np.take(x, rows, axis), y[rows]
    most = epochs(kind, macs, len(y), seconds)
    best, top, curve, end = network, (-1.0, 0.0), Curve(), monotonic() + 1.6 * seconds + 2
    for epoch in bar(range(most), most, title, progress):
        rate = RATE * (0.05 + 0.95 * 0.5 * (1 + np.cos(np.pi * epoch / most)))
        if history is not None:
            history = replace(history, state=replace(history.state, rate=None))
        network, history = train(
            network, x, targets[y], "cross_entropy", Adam(float(rate), clip_norm=5.0, l2=0.01), FLOAT32, 1,
            BATCH, rng, batch_axis=axis if kind != "spectrum" else -2, resume=history,
        )  # fmt: skip
        found = network.forward(x_held, FLOAT32)[0]
        score = hit_rate(y_held, found.argmax(-1), classes)
        loss = history.loss[-1]
        curve.loss.append(float(loss))
        curve.score.append(score)
        if (score, -loss) >= top:
            best, top = network, (score, -float(loss))
        if watch:
            watch(epoch + 1, most, float(loss), score)
        if monotonic() > end:
            return best, replace(curve, late=True)
    return best, curve
