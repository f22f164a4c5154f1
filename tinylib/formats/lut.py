"""Lookup tables for activations: bytes, and the error of reading between and beyond the nodes.

    nearest node:          |error| <= max|f'|  * h / 2        (first order; exact for tanh at the origin)
    linear interpolation:  |error| <= max|f''| * h**2 / 8     (h = distance of two nodes)
    beyond the last node:  |error| <= distance of f from the value it is held at

Source: Atkinson, An Introduction to Numerical Analysis, 2nd ed. 1989, section 3.1 (interpolation error).
"""

import math

from tinylib.cost.layers import count
from tinylib.units import real, shown

ENTRIES = 96  # -6 to 5.875 in steps of 1/8, a usual table for tanh and sigmoid on small chips
MAX_SLOPE = {"tanh": 1.0, "sigmoid": 0.25}  # at the origin
MAX_CURVATURE = {"tanh": 4 / (3 * math.sqrt(3)), "sigmoid": 1 / (6 * math.sqrt(3))}  # where tanh = 1/sqrt(3)


def table_bytes(entries: int = ENTRIES, entry_bytes: int = 2, tables: int = 1) -> int:
    """Flash that the tables take [bytes]: tables * entries * entry_bytes."""
    return count("tables", tables) * count("entries", entries) * count("entry_bytes", entry_bytes)


def nearest_bound(step: float, function: str = "tanh") -> float:
    """Largest error of taking the nearest node, to first order [unit of f]: max|f'| * step / 2."""
    return _of(MAX_SLOPE, function) * _step(step) / 2


def interpolation_bound(step: float, function: str = "tanh") -> float:
    """Largest error of a straight line between two nodes [unit of f]: max|f''| * step**2 / 8."""
    return _of(MAX_CURVATURE, function) * _step(step) ** 2 / 8


def sigmoid_cut_error(x: float) -> float:
    """Largest error of a sigmoid held at 0 below x < 0 [1]: the value it still has at x."""
    if real("x", x) >= 0:
        raise ValueError(f"x must be negative: a sigmoid is cut to 0 on its left side, got {shown(x)}")
    tail = math.exp(real("x", x))  # exp of a negative number cannot overflow
    return tail / (1 + tail)


def _step(step: float) -> float:
    if real("step", step) <= 0:
        raise ValueError(f"step must be positive: it is the distance of two nodes, got {shown(step)}")
    return real("step", step)


def _of(table: dict[str, float], function: str) -> float:
    if not isinstance(function, str) or function not in table:
        raise ValueError(f"function must be one of {', '.join(table)}, got {shown(function)}")
    return table[function]
