"""Convolution: one filter, used again at every place of an image or a signal.

    z[o, c] = b[c] + sum over taps t and channels i of x[o * stride + t * dilation, i] w[c, t, i]
    y = f(z),  d = delta * f'(z)
    dw[c, t, i] = sum over o of x[...] d[o, c]     db[c] = sum over o of d[o, c]
    dx[p, i] = sum over every (o, t) that sees p, and over c, of d[o, c] w[c, t, i]

The windows become rows of a matrix (im2col), so that all three are matrix products. A depthwise layer
keeps the channels apart: its sums run over the taps alone. In fixed point every product is rounded as
`ops` says; the sum of `dx` is fitted after each tap. Depthwise output k reads channel k // multiplier.
Filters have no leading axes: a part is one network.
Source: Chellapilla, Puri & Simard, IWFHR 2006 (im2col); Howard et al., arXiv 1704.04861 (depthwise).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from tinylib.cost import layers
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Array, Fixed
from tinylib.nets.floating import known
from tinylib.nets.params import Arrays, Params
from tinylib.nets.windows import Geometry, fitted, inside, padded, rows, taps, windows
from tinylib.units import shown


def _shape(w: object) -> str:
    return f"shape {w.shape}" if isinstance(w, np.ndarray) else shown(w)


def _bent(name: str, z: Array, ops: Arithmetic) -> Array:
    return z if name == "linear" else ops.apply(name, z)


def _unbent(name: str, delta: Array, z: Array, y: Array, ops: Arithmetic) -> Array:
    return delta if name == "linear" else ops.mul(delta, ops.slope(name, z, y))


def _drawn(rng: np.random.Generator, layer: Any, shape: tuple[int, ...], ops: Arithmetic) -> dict[str, Array]:
    """Weights uniform in +-sqrt(6 / (n_in + n_out)), n counting the taps; biases of 0.

    Source: Glorot & Bengio, AISTATS 2010, eq. 16.
    """
    n_taps = np.prod(layer.kernel_size) / layer.groups
    bound = np.sqrt(6 / (n_taps * (layer.in_channels + layer.out_channels)))
    return {"w": ops.number(rng.uniform(-bound, bound, shape)), "b": ops.zeros((layer.out_channels,))}


def _input_delta(per_tap: Any, x: Array, g: Geometry, ops: Arithmetic) -> Array:
    """Sum of what flows back through each tap, at the places that it saw; margins are cut off."""
    dx = np.zeros((x.shape[0], *g.padded, x.shape[-1]), x.dtype)
    for tap, seen in taps(g):
        dx[seen] = ops.add(dx[seen], per_tap(tap))
    return dx[inside(g)]


@dataclass(frozen=True)
class _FullConv(Params):
    """Filters that see all channels.

    w (c_out, *taps, c_in): the filters, (c_out, k, c_in) or (c_out, k_h, k_w, c_in)
    b (c_out,): what an output channel has without any input
    stride, padding, dilation: as the layer of `tinylib.cost` takes them
    """

    w: Array
    b: Array
    stride: layers.Pair = 1
    padding: str | layers.Pair = "valid"
    dilation: layers.Pair = 1
    activation: str = "linear"

    axes = 2
    kind = layers.Conv2D

    def __post_init__(self) -> None:
        known(self.activation)
        if not isinstance(self.w, np.ndarray) or self.w.ndim != self.axes + 2:
            sizes = "c_out, k_h, k_w, c_in" if self.axes == 2 else "c_out, k, c_in"
            raise ValueError(
                f"w must be filters ({sizes}), got shape {shown(getattr(self.w, 'shape', self.w))}"
            )
        self._shapes(w=self.w.shape, b=self.w.shape[:1])
        _ = self.layer  # its checks are ours

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        in_channels: int,
        out_channels: int,
        kernel_size: layers.Pair,
        activation: str = "linear",
        ops: Arithmetic = FLOAT,
        **window: Any,
    ) -> Self:
        """Random filters; `window` is stride, padding and dilation."""
        layer = cls.kind(in_channels, out_channels, kernel_size, **window)
        shape = (out_channels, *layer.kernel_size, in_channels)
        return cls(**_drawn(rng, layer, shape, ops), activation=activation, **window)

    @cached_property
    def layer(self) -> Any:
        """The layer that counts it."""
        out, *kernel, c = self.w.shape
        return self.kind(c, out, tuple(kernel), self.stride, self.padding, dilation=self.dilation)

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """y (batch, *places, c_out) of x (batch, *places, c_in), and the tape."""
        g = fitted(self.layer, x)
        columns = rows(x, g)
        z = ops.add(ops.dot(columns, self.w.reshape(len(self.w), -1).T), self.b)
        y = _bent(self.activation, z, ops)
        return y.reshape(x.shape[0], *g.out), (x, columns, g, z, y)

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """dx, shaped as x, and the gradients of w and b, for delta (batch, *places, c_out)."""
        x, columns, g, z, y = tape
        d = _unbent(self.activation, delta.reshape(y.shape), z, y, ops)
        grads = {"w": ops.outer(d, columns).reshape(self.w.shape), "b": ops.total(d, 0)}
        through = ops.dot(d, self.w.reshape(len(self.w), -1)).reshape(
            len(x), *g.places, *g.kernel, x.shape[-1]
        )
        at = (slice(None),) * (1 + len(g.places))
        return _input_delta(lambda tap: through[*at, *tap], x, g, ops), grads


class Conv2D(_FullConv):
    """Convolution of images (batch, height, width, c_in); see `w`, `b` and the window in the base."""


class Conv1D(_FullConv):
    """Convolution along time: (batch, time, c_in) -> (batch, time', c_out), w (c_out, k, c_in)."""

    axes = 1
    kind = layers.Conv1D


class PointwiseConv2D(_FullConv):
    """1x1 convolution, w (c_out, 1, 1, c_in): mixes the channels of each pixel alone."""

    kind = layers.PointwiseConv2D

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.w.shape[1:3] != (1, 1) or self.padding not in ("valid", "same") or self.dilation != 1:
            raise ValueError(f"w of a pointwise layer must be (c_out, 1, 1, c_in), got shape {self.w.shape}")

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        in_channels: int,
        out_channels: int,
        activation: str = "linear",
        ops: Arithmetic = FLOAT,
        stride: layers.Pair = 1,
    ) -> Self:
        """Random weights."""
        layer = layers.PointwiseConv2D(in_channels, out_channels, stride)
        arrays = _drawn(rng, layer, (out_channels, 1, 1, in_channels), ops)
        return cls(**arrays, stride=stride, activation=activation)

    @cached_property
    def layer(self) -> layers.PointwiseConv2D:
        """The layer that counts it."""
        return layers.PointwiseConv2D(self.w.shape[-1], len(self.w), self.stride)


@dataclass(frozen=True)
class DepthwiseConv2D(Params):
    """`multiplier` filters for every channel, which see that channel alone.

    w (k_h, k_w, c, multiplier): the filters      b (c * multiplier,): of output channel c * multiplier + m
    """

    w: Array
    b: Array
    stride: layers.Pair = 1
    padding: str | layers.Pair = "valid"
    dilation: layers.Pair = 1
    activation: str = "linear"

    def __post_init__(self) -> None:
        known(self.activation)
        if not isinstance(self.w, np.ndarray) or self.w.ndim != 4:
            raise ValueError(f"w must be filters (k_h, k_w, c, multiplier), got {_shape(self.w)}")
        self._shapes(w=self.w.shape, b=(self.w.shape[2] * self.w.shape[3],))
        _ = self.layer  # its checks are ours

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        channels: int,
        kernel_size: layers.Pair,
        activation: str = "linear",
        ops: Arithmetic = FLOAT,
        multiplier: int = 1,
        **window: Any,
    ) -> Self:
        """Random filters; `window` is stride, padding and dilation."""
        layer = layers.DepthwiseConv2D(channels, kernel_size, multiplier=multiplier, **window)
        shape = (*layer.kernel_size, channels, multiplier)
        return cls(**_drawn(rng, layer, shape, ops), activation=activation, **window)

    @cached_property
    def layer(self) -> layers.DepthwiseConv2D:
        """The layer that counts it."""
        kh, kw, c, m = self.w.shape
        return layers.DepthwiseConv2D(c, (kh, kw), self.stride, self.padding, m, dilation=self.dilation)

    def _by_channel(self, x: Array, g: Geometry) -> Array:
        """Windows as (c, batch * places, taps): one matrix per channel."""
        c = x.shape[-1]
        return np.moveaxis(windows(padded(x, g), g), -1, 0).reshape(c, -1, self.w[..., 0, 0].size)

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """y (batch, height', width', c * multiplier) of x (batch, height, width, c), and the tape."""
        g = fitted(self.layer, x)
        if isinstance(ops, Fixed):
            kernels = np.moveaxis(self.w, 2, 0).reshape(x.shape[-1], -1, self.w.shape[3])
            dots = ops.dot(self._by_channel(x, g), kernels)
            sums = dots.swapaxes(0, 1).reshape(len(x), *g.out)
        else:
            sums = depthwise_sums(padded(x, g), self.w, g)
        z = ops.add(sums, self.b)
        y = _bent(self.activation, z, ops)
        return y, (x, g, z, y)

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """dx, shaped as x, and the gradients of w and b, for a delta shaped as y."""
        x, g, z, y = tape
        kh, kw, c, m = self.w.shape
        d = _unbent(self.activation, delta, z, y, ops)
        apart = d.reshape(-1, c, m).swapaxes(0, 1)  # (c, batch * places, multiplier)
        w_grad = ops.outer(self._by_channel(x, g), apart).reshape(c, kh, kw, m)
        places = d.reshape(*d.shape[:3], c, m)
        dx = _input_delta(lambda tap: ops.total(ops.mul(places, self.w[tap]), -1), x, g, ops)
        return dx, {"w": np.moveaxis(w_grad, 0, 2), "b": ops.total(d, (0, 1, 2))}


def depthwise_sums(x: Array, w: Array, g: Geometry) -> Array:
    """Floating-point sums over the taps (batch, height', width', c * multiplier) of a padded x.

    With one filter per channel and steps of 1, a row of pixels and channels is one long vector.
    """
    kh, kw, c, m = w.shape
    if m == 1 and g.stride[1] == 1:
        b, h, wide = x.shape[0], *g.padded
        step = x.itemsize * c
        shape = (b, g.places[0], kh, kw, g.places[1] * c)
        rows = (h * wide * step, g.stride[0] * wide * step, g.dilation[0] * wide * step, g.dilation[1] * step)
        view = np.ndarray(shape, x.dtype, x, 0, (*rows, x.itemsize))
        tiled = np.concatenate((w.reshape(kh, kw, c),) * g.places[1], axis=-1)
        return np.einsum("bhijx,ijx->bhx", view, tiled).reshape(b, *g.out)
    return np.einsum("bhwijc,ijcm->bhwcm", windows(x, g), w).reshape(x.shape[0], *g.out)
