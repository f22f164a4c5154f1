"""Vibration of a motor: healthy, imbalance, misalignment, or a flaw in its rolling bearing.

    v(t) = a1 cos(th) + a2 cos(2 th + p2) + a3 cos(3 th + p3) + hum + ringing + noise,   th = 2 pi int f_r dt
    imbalance       a1 += u (f / 30 Hz)^2                the force m e omega^2
    misalignment    a1, a2, a3 += k g1, k g2, k g3       the second order most
    bearing flaw    impacts once per 1 / f_fault, each rings  exp(-2 pi z f_n s) sin(2 pi f_n sqrt(1 - z^2) s)

    outer race  n/2 f (1 - q),    inner race  n/2 f (1 + q),    ball  f (1 - q^2) / q,    cage  f/2 (1 - q)

n balls, q = d / D cos(contact angle), f the shaft's turns per second. Knocks from outside ring in every
class. A machine keeps its speed, bearing, resonance and noise: who tests on machines that were trained on
measures how well the machine was learnt. Every number is drawn; nothing was recorded.
Source: own; bearing kinematics as in Randall and Antoni, "Rolling element bearing diagnostics: a tutorial",
Mechanical Systems and Signal Processing 25 (2011) 485-520, eqs. 1 to 4; ranges are assumptions of the course.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from tinylib.cost.layers import count
from tinylib.datasets.records import Examples, Split
from tinylib.units import real, shown

RATE_HZ, TIME = 8000, 1024  # samples per second, and in a window of 0.128 s
CLASSES = ("healthy", "imbalance", "misalignment", "bearing")
BEFORE = 512  # samples ahead of the window, so that older impacts still ring in it
RANGE_G = 8.0  # the sensor clips here


def outer_race_hz(n: int, q: float, f: float) -> float:
    """Rate at which balls pass a flaw in the fixed outer race [Hz]."""
    return n / 2 * f * (1 - q)


def inner_race_hz(n: int, q: float, f: float) -> float:
    """Rate at which balls pass a flaw in the turning inner race [Hz]."""
    return n / 2 * f * (1 + q)


def ball_spin_hz(q: float, f: float) -> float:
    """Turns of a ball about its own axis per second [Hz]; a flaw on it strikes twice a turn."""
    return f / (2 * q) * (1 - q**2)


def cage_hz(q: float, f: float) -> float:
    """Turns of the cage per second [Hz]."""
    return f / 2 * (1 - q)


def vibration(
    severity: float = 0.7, machines: tuple[int, int, int] = (20, 4, 12), per_class: int = 25, seed: int = 0
) -> Split:
    """Windows of `machines` to train on, to choose by and to report on; no machine is in two parts.

    severity: 0.4 incipient, 0.7 standard, 1.0 developed: scales every fault
    """
    if not isinstance(machines, tuple) or len(machines) != 3:
        raise ValueError(f"machines must be three counts (train, validation, test), got {shown(machines)}")
    total = sum(count("machines", m, least) for m, least in zip(machines, (1, 0, 1)))
    whole = windows(severity, total, per_class, seed)
    ends = np.cumsum((0, *machines))
    parts = ((whole.groups >= a) & (whole.groups < b) for a, b in pairwise(ends))
    return Split(*(whole.take(np.flatnonzero(part)) for part in parts))


def windows(severity: float = 0.7, machines: int = 36, per_class: int = 25, seed: int = 0) -> Examples:
    """Windows x (1024, n, 1) in g, n = machines * 4 * per_class; machine k depends on `seed` and k alone."""
    if not 0 <= real("severity", severity) <= 2:
        raise ValueError(f"severity must lie in 0 .. 2: 1 is a developed fault, got {shown(severity)}")
    y = np.tile(np.repeat(np.arange(4), count("per_class", per_class)), count("machines", machines))
    groups = np.repeat(np.arange(machines), 4 * per_class)
    x = np.empty((TIME, len(y), 1))
    for machine in range(machines):
        rng, rows = np.random.default_rng([seed, machine]), groups == machine
        x[:, rows, 0] = Machine.draw(rng).windows(rng, y[rows], severity).T
    return Examples("motor vibration", x, y, CLASSES, "g", "generated", "CC0 1.0", groups=groups)


@dataclass(frozen=True)
class Machine:
    """What stays the same from window to window; amplitudes and noise in g.

    orders: amplitudes of the shaft's first three orders      hum, line: amplitude, and the mains [Hz]
    knocks: from outside, per window      gain: of the sensor
    """

    balls: int
    q: float
    speed_hz: float
    resonance_hz: float
    damping: float
    orders: tuple[float, float, float]
    hum: float
    line: float
    white: float
    pink: float
    knocks: float
    gain: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """A machine of the ranges above."""
        balls, q, speed = rng.integers(7, 13), rng.uniform(0.17, 0.27), rng.uniform(18, 48)
        resonance, damping = rng.uniform(1200, 3200), rng.uniform(0.02, 0.08)
        orders = (rng.uniform(0.03, 0.10), rng.uniform(0.01, 0.05), rng.uniform(0.005, 0.03))
        hum, line = rng.uniform(0, 0.05), rng.choice([50, 60])
        white, pink = rng.uniform(0.03, 0.12), rng.uniform(0.02, 0.08)
        knocks, gain = rng.uniform(0, 2), rng.uniform(0.8, 1.2)
        return cls(balls, q, speed, resonance, damping, orders, hum, line, white, pink, knocks, gain)

    def windows(
        self,
        rng: np.random.Generator,
        y: np.ndarray,
        severity: float,
        flaw: int | None = None,
        spread: float = 0.1,
    ) -> np.ndarray:
        """Windows (n, time) with the classes y (n,) [g], at speeds of `spread` about the machine's own.

        flaw: 0 outer race, 1 inner race, 2 ball; None draws one for each window
        """
        n = len(y)
        each = lambda low, high: rng.uniform(low, high, size=(n, 1))  # noqa: E731  a number per window
        t = np.arange(TIME) / RATE_HZ
        f = self.speed_hz * each(1 - spread, 1 + spread)
        wobble, slow, phase = each(0.002, 0.015), each(0.5, 3), each(0, 2 * np.pi)
        swing = np.cos(phase) - np.cos(2 * np.pi * slow * t + phase)
        theta = 2 * np.pi * f * t + f * wobble / slow * swing + each(0, 2 * np.pi)
        u = (y == 1)[:, None] * severity * each(0.12, 0.40) * (f / 30) ** 2
        k = (y == 2)[:, None] * severity * each(0.10, 0.35)
        more = (u + k * each(0.2, 0.6), k * each(0.7, 1.3), k * each(0.2, 0.6))
        x = self.hum * np.cos(4 * np.pi * self.line * t + each(0, 2 * np.pi))
        for order, (a, extra) in enumerate(zip(self.orders, more), start=1):
            x = x + (a + extra) * np.cos(order * theta + (0 if order == 1 else each(0, 2 * np.pi)))

        struck = _knocks(rng, n, self.knocks)
        flawed = np.flatnonzero(y == 3)
        impact = severity * rng.uniform(0.25, 0.80, size=len(flawed))
        at, strength = _impacts(rng, self.balls, self.q, f[flawed, 0], impact, flaw)
        struck = tuple(
            np.concatenate(pair)
            for pair in zip(struck, (np.repeat(flawed, at.shape[1]), at.ravel(), strength.ravel()))
        )
        x = x + _ringing(n, *struck, self.resonance_hz, self.damping)
        x = x + rng.normal(scale=self.white, size=x.shape) + self.pink * _pink(rng, x.shape)
        x = self.gain * x + rng.normal(scale=0.02, size=(n, 1))
        step = RANGE_G / 2**15
        return np.clip(np.round(x / step), -(2**15), 2**15 - 1) * step


def _knocks(rng: np.random.Generator, n: int, rate: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Knocks from outside, `rate` per window: which window, when [s], how strong [g]; each (knocks,)."""
    span = BEFORE + TIME
    rows = np.repeat(np.arange(n), rng.poisson(rate * span / TIME, size=n))
    return rows, rng.uniform(-BEFORE, TIME, size=len(rows)) / RATE_HZ, rng.uniform(0.1, 0.6, size=len(rows))


def _impacts(
    rng: np.random.Generator,
    balls: int,
    q: float,
    f: np.ndarray,
    strength: np.ndarray,
    flaw: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Impacts of a flaw in race or ball, one row per window (n, impacts): when [s] and how strong [g].

    An interval varies by 1.2 percent (balls slip), a strength by 15. The load zone stands still: a flaw in
    the outer race keeps its load, one in the inner race crosses it each turn, a ball with the cage.
    """
    where = rng.integers(3, size=len(f))
    where = where if flaw is None else np.full_like(where, flaw)
    fault = np.choose(where, [outer_race_hz(balls, q, f), inner_race_hz(balls, q, f), 2 * ball_spin_hz(q, f)])
    enough = int(np.ceil((BEFORE + TIME) / RATE_HZ * fault.max(initial=1) * 1.2)) + 2
    draws = rng.normal(size=(2, len(f), enough))
    intervals = (1 + 0.012 * draws[0]) / fault[:, None]
    at = np.cumsum(intervals, axis=1) - rng.uniform(size=(len(f), 1)) / fault[:, None] - BEFORE / RATE_HZ
    turning = np.choose(where, [0 * f, f, cage_hz(q, f)])[:, None]
    load = 1 + 0.6 * (where > 0)[:, None] * np.cos(2 * np.pi * (turning * at + rng.uniform(size=(len(f), 1))))
    return at, strength[:, None] * (1 + 0.15 * draws[1]) * load


def _ringing(
    n: int, rows: np.ndarray, at: np.ndarray, strength: np.ndarray, resonance: float, damping: float
) -> np.ndarray:
    """Sum of decaying sines (n, time) that start at times `at` [s] in windows `rows`.

    s = exp((-z + i sqrt(1 - z^2)) w t) turns each impact, at the next sample, into a complex number, and all
    of them into one convolution with the same ring: exact, whatever the times between the samples.
    """
    pole = 2 * np.pi * resonance * (-damping + 1j * np.sqrt(1 - damping**2))
    sample = np.ceil(at * RATE_HZ).astype(int)
    inside = (sample >= -BEFORE) & (sample < TIME)
    rows, at, strength, sample = rows[inside], at[inside], strength[inside], sample[inside]
    train = np.zeros((n, 2 * (BEFORE + TIME)), complex)  # twice as long: the convolution must not wrap
    np.add.at(train, (rows, sample + BEFORE), strength * np.exp(pole * (sample / RATE_HZ - at)))
    ring = np.exp(pole * np.arange(BEFORE + TIME) / RATE_HZ)
    spectrum = np.fft.fft(ring, train.shape[1])
    return np.fft.ifft(np.fft.fft(train) * spectrum)[:, BEFORE : BEFORE + TIME].imag


def _pink(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Noise (n, time) whose power falls as 1/f, of rms 1."""
    n, time = shape
    bins = np.arange(1, time // 2 + 1)
    drawn = rng.normal(size=(2, n, len(bins))) / np.sqrt(bins)
    spectrum = np.concatenate([np.zeros((n, 1)), drawn[0] + 1j * drawn[1]], axis=1)
    x = np.fft.irfft(spectrum, time)
    return x / x.std(axis=1, keepdims=True)
