"""Without labels: how far a window lies from what is normal, as one number, and from where on it is an alarm.

    y = W (features - mean),   score = sum of y^2,   alarm if score > threshold

    apart       W = 1 / deviation of each feature                        each on its own
    together    W = whitening: y of the training part has the unit covariance
    unexplained W = 1 - V V^T, V the directions that hold nine tenths of the variance

The threshold is the score that a share of the part to choose by passes; the rate of false alarms is then
counted on the test part, which is normal too. Alarms on made-up disturbances choose among the three: they are
no faults, and say only that the score sees a change. Source: Mahalanobis, Proc. NISI 2, 1936; Vovk et al.,
Algorithmic Learning in a Random World, 2005, chapter 2 (a quantile of n scores as a threshold).
"""

import math
from dataclasses import dataclass

import numpy as np

from tinylib.deploy.own.candidates import Candidate, fitted
from tinylib.deploy.own.checking import Taken
from tinylib.deploy.own.inputs import Sensor, features
from tinylib.deploy.own.programs import Program
from tinylib.formats.affine import Affine
from tinylib.nets import Dense, Network, int8
from tinylib.units import shown

Array = np.ndarray
ROOM = 2.0  # times the range of normal windows that codes span: an alarm must not be cut off
KEPT = 0.9  # share of the variance that "unexplained" takes away
KINDS = {
    "apart": "features apart",
    "together": "features together, whitened",
    "unexplained": "what the main directions leave",
}


@dataclass(frozen=True)
class Detector:
    """A score with its threshold, and what came of it.

    alarms: of the test part [0..1]      seen: kind of disturbance -> share that raises an alarm
    """

    kind: str
    program: Program
    alarms: float
    seen: dict[str, float]
    scores: Array
    why: str = ""
    taken: Taken | None = None

    @property
    def found(self) -> float:
        """Mean share of made-up disturbances that raise an alarm [0..1]."""
        return float(np.mean(list(self.seen.values())))


def detectors(
    parts: dict[str, Array], sensor: Sensor, channels: tuple[str, ...], rate: float, seed: int = 0
) -> list[Detector]:
    """All three, the best first; parts: values (n, time, channels), rate: wanted false alarms [0..1]."""
    if not 0 < rate < 0.5:
        raise ValueError(f"false alarms must be a share between 0 and 0.5, got {shown(rate)}")
    readings = {name: sensor.readings(x) for name, x in parts.items()}
    columns = features(readings["train"])
    codes, step = fitted("spectrum", 8, columns, ROOM)
    x = codes(columns) * step
    odd = {name: sensor.readings(x) for name, x in disturbed(parts["validation"], seed).items()}
    shown_last = {name: sensor.readings(x) for name, x in disturbed(parts["test"], seed + 1).items()}
    found = []
    for kind, what in KINDS.items():
        w, b = weights(kind, x)
        net = int8.from_float(Network((Dense(w, b),)), ROOM * x, Affine(step, 0))
        names = tuple(f"y{k}" for k in range(w.shape[1]))
        made = Candidate(kind, "spectrum", what, lambda rng: None)
        open_ = Program(made, sensor, codes, net, names, channels, parts["train"].shape[1], 0)
        scores = open_.scores(readings["validation"])[:, 0]
        program = Program(made, sensor, codes, net, names, channels, open_.time, threshold(scores, rate))
        on_test = program.scores(readings["test"])[:, 0]
        seen = {name: float(program.classify(r).mean()) for name, r in odd.items()}
        last = {name: float(program.classify(r).mean()) for name, r in shown_last.items()}
        alarms = float((on_test > program.threshold).mean())
        found.append((float(np.mean(list(seen.values()))), Detector(kind, program, alarms, last, on_test)))
    order = sorted(range(len(found)), key=lambda k: -found[k][0])
    return [found[k][1] for k in order]


def weights(kind: str, x: Array) -> tuple[Array, Array]:
    """w (n, m) and b (m,) of one kind, from inputs x (samples, n) of the training part."""
    mean, n = x.mean(axis=0), x.shape[1]
    values, v = np.linalg.eigh(np.cov(x, rowvar=False) + 1e-6 * np.eye(n))
    values, v = values[::-1], v[:, ::-1]
    if kind == "apart":
        w = np.diag(1 / np.maximum(x.std(axis=0), 0.1))
    elif kind == "together":
        few = np.maximum(values, values.mean() / 50)  # directions that hardly move must not decide alone
        w = v / np.sqrt(few)
    else:
        main = v[:, : int(np.searchsorted(np.cumsum(values) / values.sum(), KEPT)) + 1]
        w = np.eye(n) - main @ main.T
    return w, -mean @ w


def threshold(scores: Array, rate: float) -> int:
    """The score that a normal window drawn like these passes with a chance of about `rate` [score]."""
    rank = math.ceil((len(scores) + 1) * (1 - rate))
    return int(np.sort(scores)[min(rank, len(scores)) - 1])


def disturbed(x: Array, seed: int = 0) -> dict[str, Array]:
    """Windows x (n, time, channels) with made-up disturbances, by name."""
    rng, (n, time, channels) = np.random.default_rng(seed), x.shape
    spread, middle = x.std(axis=1, keepdims=True), x.mean(axis=1, keepdims=True)
    t = np.arange(time)[:, None]
    tone = np.sin(2 * np.pi * rng.uniform(0.02, 0.45, (n, 1, 1)) * t)
    knocks = np.zeros(x.shape)
    every = max(4, time // 8)
    knocks[:, every // 2 :: every] = rng.choice([-1, 1], (n, 1, channels))
    return {
        "half as loud again": middle + 1.5 * (x - middle),
        "an added tone": x + spread * tone,
        "knocks": x + 6 * spread * knocks,
        "a sensor that stands still": np.broadcast_to(x[:, :1], x.shape),
    }
