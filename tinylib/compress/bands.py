"""The baseline that a comparison should show: a few bands of the spectrum, and one logistic layer.

    >>> bands.accuracy([10, 60, 120, 400, 1200, 4000], severity=0.7, seed=1)

Windows of 24 machines, one axis, 1,024 samples at 8 kHz; 16 machines teach and the other 8 are the test. A
band lies between two limits and holds the FFT bins of 7.8 Hz from the first up to, not including, the second.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np

from tinylib.cost.layers import count
from tinylib.datasets import Examples, motors, spectra
from tinylib.nets.arithmetic import Array
from tinylib.nets.floating import finite
from tinylib.units import shown

MOST_BANDS = 16
STEP_HZ = motors.RATE_HZ / motors.TIME
MACHINES, TEACHERS, PER_CLASS = 24, 16, 12
STEPS, L2 = 300, 1e-3


def limits_of(limits_hz: Sequence[float]) -> Array:
    """Bins (bands + 1,) of limits in Hz; raises for what are no bands."""
    hz = finite(limits_hz)
    if hz.ndim != 1 or not 3 <= len(hz) <= MOST_BANDS + 1:
        raise ValueError(
            f"limits_hz must be a list of 3 to {MOST_BANDS + 1} numbers, for 2 to {MOST_BANDS} bands, "
            f"got {shown(limits_hz)}"
        )
    if hz[0] < 0 or hz[-1] > motors.RATE_HZ / 2:
        raise ValueError(
            f"limits_hz must lie within 0 .. {motors.RATE_HZ // 2} Hz, got {hz[0]:g} to {hz[-1]:g}"
        )
    bins = np.round(hz / STEP_HZ).astype(int)
    if np.any(np.diff(bins) < 1):
        raise ValueError(
            f"limits_hz must rise by a bin of {STEP_HZ:g} Hz or more each, got {shown(limits_hz)}"
        )
    return bins


def features(x: Array, limits_hz: Sequence[float]) -> Array:
    """log10 of the mean power in each band (n, bands) of windows x (1024, n, 1)."""
    power = spectra.power(x[..., 0])
    rows = [np.log10(power[a:b].mean(axis=0) + spectra.FLOOR) for a, b in pairwise(limits_of(limits_hz))]
    return np.stack(rows, axis=1)


def _logistic(f: Array, targets: Array) -> Array:
    """Weights (k + 1, classes) of a logistic layer on rows f (n, k), after a fixed number of steps.

    Source: Nesterov, Soviet Mathematics Doklady 27 (1983) 372-376.
    """
    f = np.column_stack([f, np.ones(len(f))])
    w, speed = np.zeros((2, f.shape[1], targets.shape[1]))
    for _ in range(STEPS):
        score = f @ (w + 0.9 * speed)
        p = np.exp(score - score.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        speed = 0.9 * speed + 0.3 * (f.T @ (targets - p) / len(f) - L2 * w)
        w = w + speed
    return w


@cache
def machines(severity: float, seed: int) -> Examples:
    """The windows of all machines."""
    return motors.windows(severity, MACHINES, PER_CLASS, count("seed", seed, 0))


def accuracy(limits_hz: Sequence[float], severity: float = 0.7, seed: int = 0) -> float:
    """Share of the windows of machines never seen that the bands and a logistic layer name rightly [0..1]."""
    data = machines(severity, seed)
    f, teach = features(data.x, limits_hz), data.groups < TEACHERS
    f = (f - f[teach].mean(axis=0)) / (f[teach].std(axis=0) + 1e-9)
    w = _logistic(f[teach], data.targets[teach])
    said = (np.column_stack([f, np.ones(len(f))]) @ w)[~teach].argmax(axis=1)
    return float(np.mean(said == data.y[~teach]))


def even(bands: int) -> list[float]:
    """Limits (bands + 1,) of bands of equal width [Hz]: what a design must beat."""
    return np.linspace(0, motors.RATE_HZ / 2, count("bands", bands, 2) + 1).tolist()


def checked(limits_hz: Sequence[float], bands: int) -> list[float]:
    """The limits as floats; raises unless they make at most `bands` bands."""
    made = len(limits_of(limits_hz)) - 1
    if made > bands:
        raise ValueError(f"limits_hz must make at most {bands} bands, got {made}")
    return [float(v) for v in limits_hz]


def seen(value: Sequence[float], bands: int, severity: float) -> str:
    """What limits reach on the machines of seed 0, beside bands of equal width, in words."""
    own = accuracy(checked(value, bands), severity)
    plain = accuracy(even(bands), severity)
    return (
        f"{len(value) - 1} bands name {100 * own:.1f} % of the windows of 8 machines never heard; "
        f"{bands} bands of equal width name {100 * plain:.1f} %. At grading the machines are others."
    )
