"""Sequences whose class lies in their order: a low tone then a high one, or the other way round.

    first half  sin(2 pi f_a t / time + phase),   second half  sin(2 pi f_b t / time + phase)
    class 0: (f_a, f_b) = (low, high),            class 1: (high, low)

Both classes have the same spectrum, so that a mean or a histogram over the window cannot tell them
apart: something has to remember. Source: own.
"""

import numpy as np

from tinylib.cost.layers import count
from tinylib.datasets.records import Examples


def two_tone(
    n: int = 200, time: int = 32, low: float = 3.0, high: float = 8.0, noise: float = 0.1, seed: int = 0
) -> Examples:
    """Sequences x (time, n, 1) of unit tones, classes "low first" and "high first" in turn.

    low, high: periods in the whole window, below time / 2 or the samples could not show them.
    """
    if count("time", time, 4) % 2:
        raise ValueError(f"time must be even: the tones change at half of it, got {time}")
    if not 0 < low < high < time / 2:
        raise ValueError(f"tones must rise and stay below time / 2 = {time / 2:g}, got {low} and {high}")
    rng = np.random.default_rng(seed)
    y = np.arange(count("n", n, 2)) % 2
    t = np.arange(time)[:, None]
    is_high = (t >= time // 2) != y  # (time, n)
    phase = rng.uniform(0, 2 * np.pi, size=n)
    x = np.sin(2 * np.pi * np.where(is_high, high, low) * t / time + phase)
    x = x + rng.normal(scale=noise, size=x.shape)
    return Examples(
        name="two tones",
        x=x[..., None],
        y=y,
        classes=("low first", "high first"),
        units="amplitude, dimensionless; 1 tone of unit amplitude",
        source="generated",
        licence="CC0 1.0",
    )
