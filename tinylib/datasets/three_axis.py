"""Vibration of a motor on three axes, the set-up of a comparison of liquid and convolutional networks.

    radial axes   r cos(th), r sin(th)      residual imbalance of every motor; class imbalance adds to r
    misalignment  cos(2 th), cos(3 th) on all axes, the axial one most
    outer race    impacts every 1 / (0.39 x 9 f) s that ring at 1 kHz, radial axes most
    all           hum of 100 Hz, noise of -3 to 9 dB: noise rms = 0.5 g x 10^(-dB / 20)

th is the angle of a shaft of f = 20 to 30 Hz with ripple; the size of a fault is log-normal. 256 samples at
3,200 Hz are two turns. Every window is a motor of its own, so that any split is honest. Faults may be
small and noise loud, so that no classifier reaches 100 percent. Source: own.
"""

from itertools import pairwise

import numpy as np

from tinylib.cost.layers import count
from tinylib.datasets.records import Examples, Split
from tinylib.datasets.spectra import FLOOR, power
from tinylib.units import shown

RATE_HZ, TIME = 3200, 256
CLASSES = ("normal", "imbalance", "misalignment", "outer race")
BANDS = (1, 4, 6, 10, 40, 66, 97, 129)  # limits in bins of 12.5 Hz
BEFORE = 64  # samples ahead of the window, in which impacts that still ring may lie
RING_HZ, DECAY_PER_S = 1000.0, 800.0
SHARES = {"twice": (0.5, 0.5, 1.0), "thrice": (0.3, 0.3, 0.6), "ring": (1.5, 1.2, 0.8)}  # x, y, axial
FAULT_G, SPREAD = 1.3, 0.6  # median size of a fault [g], and the deviation of its logarithm
RESIDUAL_G = 0.12  # median imbalance of a good motor [g]
NOISE_G = 0.5  # rms of the noise at 0 dB [g]


def orders(x: np.ndarray) -> np.ndarray:
    """Rows (n, 21) of windows x (256, n, 3): log10 of the mean power in 7 bands of each axis.

    The bands know the physics: the shaft's first, second and third order, the ring at 1 kHz, and what lies
    between and above. A logistic layer on them is the baseline of 88 parameters.
    """
    if x.shape[:1] + x.shape[2:] != (TIME, 3):
        raise ValueError(f"x must be windows of {TIME} samples on 3 axes, got shape {x.shape}")
    spectrum = power(x)
    bands = [np.log10(spectrum[a:b].mean(axis=0) + FLOOR) for a, b in pairwise(BANDS)]
    return np.stack(bands, axis=-1).reshape(x.shape[1], -1)


def vibration_three_axis(sizes: tuple[int, int, int] = (4000, 1000, 3000), seed: int = 0) -> Split:
    """Windows x (256, n, 3) in g to train on, to choose by and to report on; classes in equal shares."""
    if not isinstance(sizes, tuple) or len(sizes) != 3:
        raise ValueError(f"sizes must be three counts (train, validation, test), got {shown(sizes)}")
    return Split(
        *(_examples(count("sizes", n, 4), np.random.default_rng([seed, k])) for k, n in enumerate(sizes))
    )


def _examples(n: int, rng: np.random.Generator) -> Examples:
    y = rng.permutation(np.arange(n) % len(CLASSES))
    x = np.empty((TIME, n, 3))
    for start in range(0, n, 500):  # in pieces that a cache holds
        x[:, start : start + 500] = _windows(y[start : start + 500], rng)
    return Examples("motor vibration, three axes", x, y, CLASSES, "g", "generated", "CC0 1.0")


def _windows(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Windows (256, n, 3) of the classes y (n,) [g]."""
    n = len(y)
    phase = lambda: rng.uniform(0, 2 * np.pi, size=n)  # noqa: E731
    t = np.arange(TIME)[:, None] / RATE_HZ  # (time, 1)
    f, slow, ripple = rng.uniform(20, 30, size=n), rng.uniform(0.5, 3, size=n), rng.uniform(0, 0.02, size=n)
    start = phase()
    theta = 2 * np.pi * f * t + f * ripple / slow * (np.cos(start) - np.cos(2 * np.pi * slow * t + start))
    theta = theta + phase()
    fault = FAULT_G * np.exp(SPREAD * rng.normal(size=n))
    radial = RESIDUAL_G * np.exp(SPREAD * rng.normal(size=n)) + (y == 1) * fault
    x = np.zeros((TIME, n, 3))
    x[..., 0], x[..., 1] = radial * np.cos(theta), radial * np.sin(theta)
    for order, share in ((2, SHARES["twice"]), (3, SHARES["thrice"])):
        x += ((y == 2) * fault * np.cos(order * theta + phase()))[..., None] * share
    x += (_impacts(rng, 0.39 * 9 * f) * ((y == 3) * fault))[..., None] * SHARES["ring"]
    x += (rng.uniform(0.05, 0.15, size=n) * np.sin(2 * np.pi * 100 * t + phase()))[..., None]
    noise = NOISE_G * 10 ** (-rng.uniform(-3, 9, size=n) / 20)
    return x + rng.normal(size=x.shape) * noise[:, None]


def _impacts(rng: np.random.Generator, fault: np.ndarray) -> np.ndarray:
    """Unit impacts (time, n), `fault` (n,) per second: sines that decay, from starts between the samples."""
    before, time = BEFORE / RATE_HZ, TIME / RATE_HZ
    enough = int(np.ceil((before + time) * fault.max())) + 1
    at = (np.arange(enough)[:, None] + rng.uniform(size=len(fault))) / fault - before
    since = np.arange(TIME)[:, None, None] / RATE_HZ - at
    rings = np.exp(-DECAY_PER_S * np.abs(since)) * np.sin(2 * np.pi * RING_HZ * since)
    return np.sum(rings * (since >= 0), axis=1)
