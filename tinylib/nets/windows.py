"""Sliding windows over images and signals: what convolution and pooling have in common.

    output place o, tap t  ->  input place o * stride + t * dilation - margin, along each axis

Arrays are (batch, *places, channels) with one axis of places (time) or two (height, width). A layer of
`tinylib.cost` says how the window moves; here it is laid over an array, as a view wherever possible.
"""

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tinylib.cost.layers import Layer, Shape
from tinylib.nets.params import got

Array = np.ndarray


class Geometry(NamedTuple):
    """One layer laid over one input; every entry but `out` has one value per axis of places.

    out: shape of the output, channels last      before, sizes: margin ahead of the input, and its size
    padded: size with both margins               kernel, stride, dilation: of the window
    """

    out: Shape
    before: Shape
    sizes: Shape
    padded: Shape
    kernel: Shape
    stride: Shape
    dilation: Shape

    @property
    def places(self) -> Shape:
        """Output places along each axis."""
        return self.out[:-1]


@lru_cache(maxsize=1024)
def geometry(layer: Layer, in_shape: Shape) -> Geometry:
    """How the window of a layer lies over an input (*places, channels); raises when it does not fit.

    'same' puts the odd zero behind, as TensorFlow does.
    """
    out, sizes = layer.out_shape(in_shape), in_shape[:-1]
    n, reach = len(sizes), layer.reach
    if layer.padding == "same":
        need = [max((o - 1) * s + r - i, 0) for o, s, r, i in zip(out, layer.stride, reach, sizes)]
        before, behind = [m // 2 for m in need], [m - m // 2 for m in need]
    else:
        before = behind = (0,) * n if layer.padding == "valid" else layer.padding
    padded = tuple(a + i + b for a, i, b in zip(before, sizes, behind))
    kernel, dilation = layer.kernel_size, getattr(layer, "dilation", (1,) * n)
    dilation = (dilation,) * n if isinstance(dilation, int) else dilation
    kernel = (kernel,) * n if isinstance(kernel, int) else kernel
    return Geometry(out, tuple(before), tuple(sizes), padded, kernel, layer.stride, dilation)


def fitted(layer: Layer, x: Array) -> Geometry:
    """The geometry of a layer over a batch x (batch, *places, channels)."""
    if not isinstance(x, np.ndarray) or x.ndim != layer.axes + 2:
        places = "height, width" if layer.axes == 2 else "time"
        raise ValueError(f"{layer} expects x (batch, {places}, channels), got {got(x)}")
    return geometry(layer, x.shape[1:])


def inside(g: Geometry) -> tuple[slice, ...]:
    """Index of the input within the padded array."""
    return (slice(None), *(slice(a, a + n) for a, n in zip(g.before, g.sizes)))


def padded(x: Array, g: Geometry, fill: Any = 0, dtype: Any = None) -> Array:
    """x with its margins, filled; contiguous, and x itself where there is nothing to do."""
    if g.padded == g.sizes:
        return np.ascontiguousarray(x, dtype)
    wide = np.full((x.shape[0], *g.padded, x.shape[-1]), fill, dtype or x.dtype)
    wide[inside(g)] = x
    return wide


def windows(x: Array, g: Geometry) -> Array:
    """View (batch, *out places, *taps, channels) of a padded, contiguous x; not to be written to."""
    b, *steps, c = x.strides
    shape = (x.shape[0], *g.places, *g.kernel, x.shape[-1])
    strides = (b, *(n * s for n, s in zip(steps, g.stride)), *(n * d for n, d in zip(steps, g.dilation)), c)
    if x.dtype.hasobject or not x.size:
        return as_strided(x, shape, strides, writeable=False)
    return np.ndarray(shape, x.dtype, x, 0, strides)  # the same view, six times sooner


def rows(x: Array, g: Geometry, fill: Any = 0, dtype: Any = None) -> Array:
    """Every window as a row (batch * places, taps * channels): what turns convolution into a product.

    With few channels the copy runs along the places instead, and its transpose is given.
    """
    c, n = x.shape[-1], len(g.places)
    if max(*g.kernel, *g.stride) == 1 and g.padded == g.sizes:
        return x.reshape(-1, c).astype(dtype or x.dtype, copy=False)
    view = windows(padded(x, g, fill), g)
    width = c * prod(g.kernel)
    if c * g.kernel[-1] >= g.places[-1]:
        return view.astype(dtype or x.dtype, "C").reshape(-1, width)
    order = (*range(1 + n, 2 + 2 * n), *range(1 + n))  # taps and channel first
    return view.transpose(order).astype(dtype or x.dtype, "C").reshape(width, -1).T


@lru_cache(maxsize=1024)
def taps(g: Geometry) -> tuple[tuple[Shape, tuple[slice, ...]], ...]:
    """Each tap in order with the index of what it sees of a padded array (batch, *places, channels)."""
    found = []
    for tap in np.ndindex(*g.kernel):
        starts = [t * d for t, d in zip(tap, g.dilation)]
        ends = [a + (n - 1) * s + 1 for a, n, s in zip(starts, g.places, g.stride)]
        found.append((tap, (slice(None), *map(slice, starts, ends, g.stride))))
    return tuple(found)
