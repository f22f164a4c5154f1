"""Points in the plane that no straight line parts: two moons, and spirals.

    moon 0   (cos a, sin a),        moon 1   (1 - cos a, 1/2 - sin a),   a = 0 .. pi
    arm k    r (cos b, sin b),      b = 2 pi (turns r + k / arms),       r = 0.1 .. 1

Both coordinates get normal noise. The same seed gives the same points.
Source: own; the shapes are folklore of classifier demonstrations.
"""

import numpy as np

from tinylib.cost.layers import count
from tinylib.datasets.records import Examples


def _points(name: str, x: np.ndarray, y: np.ndarray, classes: int, noise: float, seed: int) -> Examples:
    if noise < 0:
        raise ValueError(f"noise must not be negative: it is a standard deviation, got {noise}")
    x = x + np.random.default_rng(seed).normal(scale=noise, size=x.shape)
    names = tuple(str(k) for k in range(classes))
    return Examples(name, x, y, names, "plane coordinates, dimensionless", "generated", "CC0 1.0")


def moons(n: int = 400, noise: float = 0.1, seed: int = 0) -> Examples:
    """Two half circles that reach into each other: x (n, 2), classes 0 and 1 in turn."""
    y = np.arange(count("n", n, 2)) % 2
    a = np.pi * (np.arange(n) // 2) / max((n - 1) // 2, 1)
    sign = 1 - 2 * y
    x = np.stack([y + sign * np.cos(a), y / 2 + sign * np.sin(a)], axis=-1)
    return _points("two moons", x, y, 2, noise, seed)


def spirals(n: int = 400, arms: int = 2, turns: float = 1.0, noise: float = 0.02, seed: int = 0) -> Examples:
    """Arms of a spiral around the origin: x (n, 2), one class per arm, in turn."""
    y = np.arange(count("n", n, 2)) % count("arms", arms, 2)
    r = 0.1 + 0.9 * (np.arange(n) // arms) / max((n - 1) // arms, 1)
    b = 2 * np.pi * (turns * r + y / arms)
    return _points("spirals", np.stack([r * np.cos(b), r * np.sin(b)], axis=-1), y, arms, noise, seed)
