"""Lookup tables at array speed: the codes of `formats.lut.read`, in fewer passes over the array.

    up to 10 fractional bits    a table of every code of -6..6, and reading is one indexing
    beyond                      left[i] + (rise[i] * distance >> bits), then the shortcuts of `lut.read`

Tables are made once for a format and shared; they are read-only.
"""

from functools import lru_cache
from itertools import pairwise

import numpy as np

from tinylib.formats import lut
from tinylib.formats.qformat import QFormat, wrap

Array = np.ndarray
DIRECT_BITS = 10  # formats up to here are read from a table of every code of -6..6: 12,289 at most


def read(function: str, x: Array, q: QFormat) -> Array:
    """A function at int64 codes x, word for word as `lut.read` gives it."""
    low = lut.FIRST * q.one
    if q.frac_bits <= DIRECT_BITS:
        return _direct(function, q)[np.minimum(np.maximum(x, low), -low)]
    left, rise, exceptions = _lines(function, q)
    bits = q.frac_bits - 3
    t = np.minimum(np.maximum(x, low), low + ((lut.ENTRIES - 1) << bits))
    t -= low
    i = t >> bits
    t &= (1 << bits) - 1
    here, up = left[i], rise[i]
    t *= up
    t >>= bits
    t += here
    if function == "exp":  # its nodes may be wrapped
        for code, value in exceptions:
            t[x == code] = value
        return wrap(t, q.total_bits)
    if exceptions:
        up += here
        np.copyto(t, x, where=(x == here) | (x == up))
    return t


@lru_cache(maxsize=64)
def table(function: str, q: QFormat) -> Array:
    """The nodes of a function in this format."""
    return _kept(np.array(lut.table(function, q), dtype=q.word))


def _kept(table: Array) -> Array:
    table.flags.writeable = False  # shared by every user of the format
    return table


@lru_cache(maxsize=64)
def _lines(function: str, q: QFormat) -> tuple[Array, Array, tuple[tuple[int, int], ...]]:
    """(left, rise, exceptions) of `lut.read`: value and rise of each segment, codes off the line.

    The shortcut of `lut.read` concerns a code that equals a node beside it: a handful, found here once.
    """
    nodes, width = lut.table(function, q), q.one // lut.STEPS
    rise = [wrap(right - left, q.total_bits) for left, right in pairwise(nodes)] + [0]
    exceptions = []
    for i in range(lut.ENTRIES - 1):
        start = lut.FIRST * q.one + i * width
        for code in {nodes[i], nodes[i + 1]}:
            if not start <= code < start + width:
                continue
            line = wrap(nodes[i] + (rise[i] * (code - start) // width), q.total_bits)
            if (value := lut.read(nodes, code, q)) != line:
                exceptions.append((code, value))
    return table(function, q), _kept(np.array(rise, dtype=q.word)), tuple(exceptions)


@lru_cache(maxsize=64)
def _direct(function: str, q: QFormat) -> Array:
    """A function at every code of -6..6, codes below zero at the end, where a negative index finds them."""
    codes = np.roll(np.arange(lut.FIRST * q.one, -lut.FIRST * q.one + 1), lut.FIRST * q.one)
    return _kept(lut.read(table(function, q), codes, q))
