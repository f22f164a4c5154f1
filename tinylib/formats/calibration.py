"""Calibration: choosing the range that affine codes cover, for a tensor, its channels or groups of weights.

    min-max      the whole range of the values, zero included
    percentile   the range that leaves out a few outliers: they saturate, all others get a finer step;
                 for a symmetric code the share counts magnitudes, else the values at either end
    mse          of ranges cut to a share of max|x|, the one with the least squared error after rounding

`over` names what shares one scale: None is the tensor, an axis is one scale for each slice along it. Weights
(n_in, n_out) have a scale per output channel with over=0, rows of groups one per group with over=-1.
Sequences of numbers and arrays are served alike; parameters of slices are arrays that broadcast against x.
Source: Nagel et al., A White Paper on Neural Network Quantization, arXiv 2106.08295, sections 2.4 and 3.1.
"""

import math
from collections.abc import Sequence
from typing import Any

from tinylib.formats.affine import Affine, asymmetric, clamp, symmetric
from tinylib.units import real, shown

METHODS = ("minmax", "percentile", "mse")
SHARES = tuple(0.05 ** (i / 48) for i in range(1, 49))  # of max|x|, evenly in ratio down to 0.05


def spread(x: Any, percent: float = 100.0, over: int | None = None) -> tuple[Any, Any]:
    """(lo, hi) [unit of x] that hold zero: percentiles 100 - `percent` and `percent`, interpolated."""
    if not 50 < real("percent", percent) <= 100:
        raise ValueError(
            f"percent must lie above 50, at most 100: a share of the values, got {shown(percent)}"
        )
    ordered = _ordered(x, over)
    last = len(ordered) - 1
    first = math.floor(last * (100 - percent) / 100)
    part = last * (100 - percent) / 100 - first
    ends = []
    for i, beside in (first, min(first + 1, last)), (last - first, max(last - first - 1, 0)):
        if over is None:
            a, b = real("value", ordered[i]), real("value", ordered[beside])
        else:
            a, b = (ordered[j : j + 1].swapaxes(0, over) for j in (i, beside))
        ends.append(a + (b - a) * part)
    lo, hi = ends
    return lo * (lo < 0), hi * (hi > 0)


def calibrate(
    x: Any,
    bits: int = 8,
    *,
    symmetrical: bool = False,
    signed: bool = False,
    method: str = "minmax",
    percent: float = 99.9,
    over: int | None = None,
) -> Affine:
    """The affine code for values x: UINT8 by default, `signed` for INT8, `symmetrical` for zero point 0.

    A slice of zeros alone may have any scale and gets that of the range up to 1. Raises on NaN.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {shown(method)}")
    cut = method == "percentile"
    ranked = _magnitudes(x) if cut and symmetrical else x
    lo, hi = spread(ranked, percent if cut else 100.0, over)
    largest = hi + (-lo - hi) * (-lo > hi)

    def code(share: Any) -> Affine:
        low, high = clamp(lo, -share * largest, 0), clamp(hi, 0, share * largest)
        high = high + (low == high)
        if symmetrical:
            return symmetric(high + (-low - high) * (-low > high), bits)
        return asymmetric(low, high, bits, signed)

    best = 1.0 + 0 * hi
    if method == "mse":
        least = squared_error(x, code(best), over)
        for share in SHARES:
            error = squared_error(x, code(share + 0 * hi), over)
            best = best + (share - best) * (error < least)
            least = least + (error - least) * (error < least)
    return code(best)


def squared_error(x: Any, code: Affine, over: int | None = None) -> Any:
    """Summed squared difference of values and what is restored from their codes [unit of x, squared]."""
    if getattr(x, "shape", ()):
        return ((code.dequantize(code.quantize(x)) - x) ** 2).sum(axis=over, keepdims=over is not None)
    return math.fsum((code.dequantize(code.quantize(value)) - value) ** 2 for value in x)


def _magnitudes(x: Any) -> Any:
    return abs(x) if getattr(x, "shape", ()) else [abs(real("value", v)) for v in x]


def _ordered(x: Any, over: int | None) -> Sequence[Any]:
    shape = getattr(x, "shape", None)
    if shape == () or not hasattr(x, "__len__"):
        raise TypeError(f"values must be a sequence or an array, got {shown(x)}")
    if not len(x) or (shape and not x.size):
        raise ValueError("values must not be empty: no range can be found, got none")
    if not shape:
        if over is not None:
            raise ValueError(f"over must be None for a plain sequence: it has no axes, got {shown(over)}")
        return sorted(real("value", value) for value in x)
    if over is not None and not (isinstance(over, int) and -len(shape) <= over < len(shape)):
        raise ValueError(f"over must be None or an axis of shape {shape}, got {shown(over)}")
    if not abs(x).max() < math.inf:
        raise ValueError("values must be finite: NaN and infinity have no code, got one of them")
    ordered = x.reshape(-1) if over is None else x.swapaxes(over, 0)
    ordered = ordered.copy()
    ordered.sort(axis=0)
    return ordered
