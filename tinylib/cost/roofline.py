"""Roofline: a layer cannot run faster than the arithmetic allows, nor than memory can feed it.

    attainable = min(peak, intensity x bandwidth),   ridge = peak / bandwidth
    time >= max(flops / peak, bytes / bandwidth)

Intensity is in FLOP per byte, and one MAC is two FLOP.
Source: Williams, Waterman, Patterson, "Roofline", CACM 52(4), 2009.
"""

import math

from tinylib.cost.layers import Layer, Shape, amount
from tinylib.cost.memory import bit_width
from tinylib.units import shown


def _finite(what: str, number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(f"{what} must be finite: the arguments lie too far apart, got {number}")
    return number


def ridge_point(peak_flops_per_s: float, bandwidth_bytes_per_s: float) -> float:
    """Intensity where memory and arithmetic take equally long [FLOP/byte]."""
    peak = amount("peak_flops_per_s", peak_flops_per_s)
    return _finite("ridge point", peak / amount("bandwidth_bytes_per_s", bandwidth_bytes_per_s))


def attainable_flops_per_s(
    intensity_flop_per_byte: float, peak_flops_per_s: float, bandwidth_bytes_per_s: float
) -> float:
    """Highest rate at an intensity [FLOP/s]: the slanted roof, then the flat one."""
    intensity = amount("intensity_flop_per_byte", intensity_flop_per_byte, zero=True)
    peak = amount("peak_flops_per_s", peak_flops_per_s)
    return min(peak, intensity * amount("bandwidth_bytes_per_s", bandwidth_bytes_per_s))


def regime(intensity_flop_per_byte: float, peak_flops_per_s: float, bandwidth_bytes_per_s: float) -> str:
    """ "memory-bound" left of the ridge point, "compute-bound" from it on."""
    intensity = amount("intensity_flop_per_byte", intensity_flop_per_byte, zero=True)
    ridge = ridge_point(peak_flops_per_s, bandwidth_bytes_per_s)
    return "memory-bound" if intensity < ridge else "compute-bound"


def flops(layer: Layer, *in_shapes: Shape) -> int:
    """Floating-point operations of one inference [FLOP]: two per MAC."""
    if not isinstance(layer, Layer):
        raise TypeError(f"layer must be one of tinylib.cost.layers, got {shown(layer)}")
    return 2 * layer.macs(*in_shapes)


def traffic_bytes(layer: Layer, *in_shapes: Shape, bits: int = 8) -> int:
    """Least memory traffic of one inference [bytes]: weights, inputs and output, each moved once."""
    out = layer.out_shape(*in_shapes)
    elements = layer.weights + math.prod(out) + sum(math.prod(s) for s in in_shapes)
    return -(-elements * bit_width(bits) // 8)


def arithmetic_intensity(layer: Layer, *in_shapes: Shape, bits: int = 8) -> float:
    """Operations per byte moved [FLOP/byte], everything stored at `bits` per value."""
    work = flops(layer, *in_shapes)
    return work / traffic_bytes(layer, *in_shapes, bits=bits)


def time_lower_bound_s(
    flops: float, traffic_bytes: float, peak_flops_per_s: float, bandwidth_bytes_per_s: float
) -> float:
    """No run is shorter [s]: the longer of computing and moving, when they overlap perfectly."""
    compute = amount("flops", flops, zero=True) / amount("peak_flops_per_s", peak_flops_per_s)
    moved = amount("traffic_bytes", traffic_bytes, zero=True)
    moving = moved / amount("bandwidth_bytes_per_s", bandwidth_bytes_per_s)
    return _finite("time", max(compute, moving))
