"""Where a part keeps its output channels, so that one rule serves dense layers and convolutions.

    Dense             w (n_in, n_out)                 channels on the last axis
    Conv1D, Conv2D    w (c_out, *taps, c_in)          channels on the first
    DepthwiseConv2D   w (k_h, k_w, c, multiplier)     channels on the last two

The matrix form (inputs of one channel, channels) is that of the product that runs.
"""

import math
from typing import Any

import numpy as np

from tinylib.nets.conv import Conv1D, Conv2D, DepthwiseConv2D, PointwiseConv2D
from tinylib.nets.network import Network

Axes = tuple[int, ...]


def is_weight(name: str) -> bool:
    """Whether an array of that name is pruned and quantized: all but biases, `b` or `b_...`."""
    return name != "b" and not name.startswith("b_")


def has_weights(part: Any) -> bool:
    """Whether a part holds an array that is pruned and quantized."""
    return any(map(is_weight, part.arrays))


def one(net: Network) -> Network:
    """The network itself; raises for several with a leading axis, which would share scales and masks."""
    if net.seeds:
        raise ValueError(f"the network must be a single one: take net.at(0), got leading axes {net.seeds}")
    return net


def channel_axes(part: Any) -> Axes:
    """Axes of the output channels in the weights of a part."""
    if isinstance(part, (Conv1D, Conv2D, PointwiseConv2D)):
        return (0,)
    return (2, 3) if isinstance(part, DepthwiseConv2D) else (-1,)


def to_matrix(w: np.ndarray, axes: Axes = (-1,)) -> np.ndarray:
    """w as (inputs of one channel, channels)."""
    last = np.moveaxis(w, axes, range(-len(axes), 0))
    return last.reshape(-1, math.prod(last.shape[-len(axes) :]))


def from_matrix(matrix: np.ndarray, shape: tuple[int, ...], axes: Axes = (-1,)) -> np.ndarray:
    """The array of that shape whose matrix form this is."""
    back = np.moveaxis(np.empty(shape, bool), axes, range(-len(axes), 0)).shape
    return np.moveaxis(matrix.reshape(back), range(-len(axes), 0), axes)
