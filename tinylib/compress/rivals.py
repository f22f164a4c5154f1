"""Rivals for a comparison on windows of vibration, and what one window costs each of them.

    Convolution   filter along time, (depthwise 5, pointwise) pairs, mean over time, dense
    Liquid        the window in frames, a CfC or LTC cell from frame to frame, mean of its states, dense
    Spectral      the window's spectrum in a few bands, one dense layer (logistic regression)

A rival is a plan: `draw` makes its network, `view` lays windows (time, n, channels) out as it reads them,
`cost` counts. A recurrent cell uses every weight once per step, so that its work depends on the frames and
not on its parameters; a frame of 1 sample is a decision at every sample.
Source: own; sizes of the cells as in the comparison that lesson 17 recomputes, separable blocks as in
Howard et al., MobileNets, arXiv 1704.04861.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log2

import numpy as np

from tinylib.cost import layers
from tinylib.cost.layers import count
from tinylib.cost.memory import peak_op_pair
from tinylib.datasets import spectra, three_axis
from tinylib.nets import LTC, CfC, Conv2D, Dense, DepthwiseConv2D, GlobalAvgPool2D, Network, PointwiseConv2D
from tinylib.nets.arithmetic import FLOAT, FLOAT32, Arithmetic, Array
from tinylib.nets.params import Arrays, Params
from tinylib.nets.scan import Recurrent
from tinylib.units import shown

Window = tuple[int, int]  # samples, channels
TAPS = 5  # of a depthwise filter


@dataclass(frozen=True)
class Cost:
    """Of one window [count]. params: values stored; macs: multiply-accumulates; held: values in memory at the
    worst moment, input included; bent: sigmoids, tanhs and logarithms, for a rectifier is none.
    """

    params: int
    macs: int
    bent: int
    held: int


@dataclass(frozen=True)
class StepMean(Params):
    """Mean over the steps of a sequence: (time, batch, m) -> (batch, m)."""

    layer = layers.GlobalAvgPool1D()

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, int]:
        """The mean, and how many steps it had."""
        return ops.div(ops.total(x, 0), ops.whole(len(x))), len(x)

    def back(self, steps: int, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """The same share of delta for every step."""
        return np.broadcast_to(ops.div(delta, ops.whole(steps)), (steps, *delta.shape)), {}


@dataclass(frozen=True)
class Convolution:
    """stem: filters, taps, stride; pairs: (filters, stride of the depthwise half) of each further block."""

    stem: tuple[int, int, int]
    pairs: tuple[tuple[int, int], ...]
    batch_axis, family = 0, "convolution"

    def draw(self, rng: np.random.Generator, window: Window, classes: int = 4) -> Network:
        """A network with random weights; rectifiers after every filter."""
        width, taps, stride = self.stem
        along = {"activation": "relu", "ops": FLOAT32}
        parts = [Conv2D.draw(rng, window[1], width, (taps, 1), **along, stride=(stride, 1), padding="same")]
        for filters, step in self.pairs:
            parts.append(
                DepthwiseConv2D.draw(rng, width, (TAPS, 1), **along, stride=(step, 1), padding="same")
            )
            parts.append(PointwiseConv2D.draw(rng, width, filters, **along))
            width = filters
        return Network((*parts, GlobalAvgPool2D(), Dense.draw(rng, width, classes, ops=FLOAT32)))

    def view(self, x: Array) -> Array:
        """Images (n, time, 1, channels)."""
        return np.ascontiguousarray(x.transpose(1, 0, 2)[:, :, None])

    def cost(self, window: Window, classes: int = 4) -> Cost:
        """Held are input and output of the largest operator."""
        time, channels = window
        model = self.draw(np.random.default_rng(0), window, classes).model((time, 1, channels))
        return Cost(model.params, model.macs, 0, peak_op_pair(model)[0])


@dataclass(frozen=True)
class Liquid:
    """`cell` "CfC" or "LTC" with m neurons; frames of `frame` samples; a CfC has `backbone` features."""

    cell: str
    frame: int
    neurons: int
    backbone: int = 0
    batch_axis, family = -2, "liquid"

    def __post_init__(self) -> None:
        if self.cell not in ("CfC", "LTC"):
            raise ValueError(f"cell must be CfC or LTC, got {shown(self.cell)}")
        count("frame", self.frame)

    def draw(self, rng: np.random.Generator, window: Window, classes: int = 4) -> Network:
        """A network with random weights."""
        n, m = self.frame * window[1], self.neurons
        if self.cell == "CfC":
            cell = CfC.draw(rng, n, m, self.backbone, ops=FLOAT32)
        else:
            cell = LTC.draw(rng, n, m, ops=FLOAT32)
        return Network((Recurrent(cell), StepMean(), Dense.draw(rng, m, classes, ops=FLOAT32)))

    def view(self, x: Array) -> Array:
        """Frames (steps, n, frame x channels)."""
        time, n, channels = x.shape
        steps = self.steps((time, channels))
        framed = x.reshape(steps, self.frame, n, channels).transpose(0, 2, 1, 3)
        return np.ascontiguousarray(framed).reshape(steps, n, -1)

    def steps(self, window: Window) -> int:
        """Time steps of a window [count]."""
        if window[0] % self.frame:
            raise ValueError(f"frame must divide the window of {window[0]} samples, got {self.frame}")
        return window[0] // self.frame

    def cost(self, window: Window, classes: int = 4) -> Cost:
        """Held are a frame, states, their running sum, and what the cell forms from them in a step."""
        net, m, steps = self.draw(np.random.default_rng(0), window, classes), self.neurons, self.steps(window)
        frame = self.frame * window[1]
        if self.cell == "CfC":  # tanh of the backbone and of two heads, the sigmoid of one gate
            bent, scratch = self.backbone + 3 * m, self.backbone + 4 * m
        else:  # a sigmoid per neuron in each step of the solver; gates, new states and the input's sums
            bent, scratch = net.parts[0].cell.unfolds * m, 3 * m
        return Cost(net.count, net.model((steps, frame)).macs, steps * bent, frame + 2 * m + scratch)


@dataclass(frozen=True)
class Spectral:
    """`features` (time, n, channels) -> (n, k) reads a spectrum of each channel."""

    features: Callable[[Array], Array]
    batch_axis, family = -2, "features"

    def draw(self, rng: np.random.Generator, window: Window, classes: int = 4) -> Network:
        """One dense layer."""
        k = self.features(np.ones((*window[:1], 1, window[1]))).shape[1]
        return Network((Dense.draw(rng, k, classes, ops=FLOAT32),))

    def view(self, x: Array) -> Array:
        """Features (n, k)."""
        return self.features(x)

    def cost(self, window: Window, classes: int = 4) -> Cost:
        """Window, real FFT and power of each channel count as MACs; held is the window and its features."""
        net, (time, channels) = self.draw(np.random.default_rng(0), window, classes), window
        k = net.parts[0].w.shape[0]
        spectrum = time + fft_macs(time) + 2 * (time // 2 + 1)
        return Cost(net.count, channels * spectrum + k * classes, k, time * channels + k)


def fft_macs(n: int) -> int:
    """Multiply-accumulates of a real FFT of n = 2^k samples [MAC]: n log2(n / 2) + 2 n.

    A complex one of half the length, n/4 log2(n/2) butterflies of 4 each, and n/2 products of 4 to part it.
    """
    if count("n", n) & (n - 1):
        raise ValueError(f"n must be a power of two, got {n}")
    return round(n * log2(n / 2) + 2 * n)


def _shape_too(x: Array) -> Array:
    """Band powers, rms and kurtosis of windows with any number of channels."""
    return spectra.features(x)


Rival = Convolution | Liquid | Spectral
WINDOW = three_axis.TIME, 3
RIVALS: dict[str, Rival] = {
    "spectrum": Spectral(three_axis.orders),
    "CNN 42k": Convolution((24, 9, 2), ((48, 2), (96, 2), (128, 2), (160, 1))),
    "CNN 2.7k": Convolution((8, 9, 2), ((16, 2), (24, 2), (56, 2))),
    "CNN 0.7k": Convolution((6, 9, 4), ((12, 2), (18, 2))),
    "CfC, each sample": Liquid("CfC", 1, 16, 26),
    "CfC, 64 frames": Liquid("CfC", 4, 16, 22),
    "CfC, 32 frames": Liquid("CfC", 8, 14, 19),
    "CfC, 16 frames": Liquid("CfC", 16, 12, 16),
    "LTC, 16 frames": Liquid("LTC", 16, 26),
    "LTC, each sample": Liquid("LTC", 1, 44),
}
MACHINE_RIVALS: dict[str, Rival] = {  # for one axis and windows of 1,024 samples
    "spectrum": Spectral(_shape_too),
    "CNN 2.7k": Convolution((12, 9, 4), ((24, 2), (32, 2), (24, 2))),
    "CfC, 64 frames": Liquid("CfC", 16, 16, 22),
}
