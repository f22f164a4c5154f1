"""Lookup tables for activations: the codes as they sit in flash, their bytes, and the error of reading them.

    nearest node:          |error| <= max|f'|  * h / 2        (first order; exact for tanh at the origin)
    linear interpolation:  |error| <= max|f''| * h**2 / 8     (h = distance of two nodes)
    beyond the last node:  |error| <= distance of f from the value it is held at

Source: Atkinson, An Introduction to Numerical Analysis, 2nd ed. 1989, section 3.1 (interpolation error).
"""

import math
from typing import Any, NamedTuple

from tinylib.cost.layers import count
from tinylib.formats.qformat import QFormat, integers, saturate, wrap
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


# ---- tables as they sit in flash

STEPS = 8  # nodes per unit: x = -6 + i / 8
FIRST = -6
FUNCTIONS = {
    "tanh": math.tanh,
    "sigmoid": lambda x: math.exp(x) / (math.exp(x) + 1),
    "exp": math.exp,
    "log": lambda x: math.log(x) if x > 0 else 0.0,
    "sin": math.sin,
    "cos": math.cos,
}


def table(function: str, q: QFormat) -> tuple[int, ...]:
    """The 96 codes of a function in format q, cut toward zero and wrapped into the word.

    Raises when +-6 or the step of 1/8 has no code: signed formats need 4 integer and 3 fractional bits.
    """
    f = _of(FUNCTIONS, function)
    if not isinstance(q, QFormat):
        raise TypeError(f"q must be a QFormat such as QFormat(8, 8), got {shown(q)}")
    if not q.signed or q.int_bits < 4 or q.frac_bits < 3:
        raise ValueError(f"a table from -6 to 6 in steps of 1/8 needs a signed Q4.3 or more, got {q}")
    nodes = (FIRST + i / STEPS for i in range(ENTRIES))
    return tuple(q.fit(int(math.ldexp(f(x), q.frac_bits)), "wrap") for x in nodes)


def read(nodes: Any, x: Any, q: QFormat) -> Any:
    """A function at code x [code], a straight line between two nodes; `nodes` and x may be arrays.

    Flat beyond the last node. Differences and sums wrap as any Q arithmetic: exp past the range of the format
    is a wrapped code at its nodes, and between two of them a line between wrapped codes.
    The shortcut of small libraries is kept: where x equals the *value* of a node beside it, that value is
    the answer. It saves an interpolation and may be off by what f rises in a segment: tanh(0.635) reads
    0.635, not 0.562.
    """
    x, one = integers("x", x), q.one
    if len(nodes) != ENTRIES or (getattr(x, "shape", ()) and not hasattr(nodes, "shape")):
        raise ValueError(f"nodes must be the {ENTRIES} codes of `table`, an array where x is one")
    width = one >> 3
    low, high = FIRST * one, FIRST * one + (ENTRIES - 1) * width
    inside = saturate(x, low, high - 1)
    i = (inside - low) >> (q.frac_bits - 3)
    j = i.astype("int64") if getattr(i, "shape", ()) else i  # Python integers in an array are no indices
    left, right = nodes[j], nodes[j + 1]
    rise = wrap(right - left, q.total_bits) * ((inside - low - i * width) << 3) >> q.frac_bits
    line = wrap(left + rise, q.total_bits)
    same, on_left, on_right = left == right, left == x, right == x
    on_left = on_left & (1 - same)
    on_right = on_right & (1 - same) & (1 - on_left)
    y = line + (left - line) * on_left + (right - line) * on_right
    at_end, at_start = x >= high, x <= low
    return y + (nodes[ENTRIES - 1] - y) * at_end + (nodes[0] - y) * at_start


def square_root(raw: int, q: QFormat) -> int:
    """Square root, cut down [code]; 0 at and below 0."""
    return math.isqrt(max(0, int(integers("raw", raw))) << q.frac_bits)


class Segment(NamedTuple):
    """The codes from one node to the next: real bounds, and the largest error among them [unit of f]."""

    start: float
    end: float
    error: float


def envelope(function: str, q: QFormat, samples: int = 64) -> tuple[Segment, ...]:
    """The 96 segments of -6..6 with the measured error of the table, the last one held at its node.

    Reads every code of a segment, or where it has more `samples` of them spread evenly and the shortcut;
    interpolation, the cut codes of the nodes and, for exp, the wrap are all in it.
    """
    nodes, f, width = table(function, q), FUNCTIONS[function], q.one // STEPS
    stride = -(-width // count("samples", samples, 2))
    found = []
    for i in range(ENTRIES):
        first = FIRST * q.one + i * width
        beside = {x for x in nodes[i : i + 2] if first <= x < first + width}
        codes = {*range(first, first + width, stride), first + width - 1} | beside
        worst = max(abs(q.to_value(read(nodes, x, q)) - f(q.to_value(x))) for x in codes)
        found.append(Segment(q.to_value(first), q.to_value(first) + 1 / STEPS, worst))
    return tuple(found)
