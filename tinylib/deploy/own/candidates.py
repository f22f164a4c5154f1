"""The networks that are tried on windows of readings, each with the road from readings to its inputs.

    spectrum   band powers and two moments of each channel, then dense layers      the baseline
    signal     a tiny convolutional network on the readings themselves             weights reused in time
    frames     the window in frames, read one by one by a liquid cell (CfC)        a state, no buffer

Two more are `free`: larger, in floating point, on inputs of 16 bits. They are never deployed; they say what
could be had without limits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from tinylib.deploy.own.inputs import Codes, features
from tinylib.nets import CfC, Conv2D, Dense, GlobalAvgPool2D, Network, Recurrent

Array = np.ndarray
Q_BITS = 12  # fraction bits of the frames' format, Q4.12
FEATURE_FLOOR = 16.0  # least spread of a feature: a sixteenth of a doubling


@dataclass(frozen=True)
class Candidate:
    """One network to try.

    kind: "spectrum", "signal" or "frames"      frames: time steps of a liquid cell, 1 for the others
    draw(rng): the network with random weights      bits: of an input code      free: in floating point only
    """

    name: str
    kind: str
    what: str
    draw: Callable[[np.random.Generator], Network]
    bits: int = 8
    frames: int = 1
    free: bool = False


def candidates(time: int, channels: int, classes: int, width: int) -> tuple[Candidate, ...]:
    """All candidates for windows (time, channels) of some classes; `width` features in a spectrum."""
    found = [
        Candidate("spectrum, linear", "spectrum", f"{width} features, one dense layer",
                  partial(_dense, (width, classes))),
        Candidate("spectrum, 16 hidden", "spectrum", f"{width} features, 16 hidden neurons",
                  partial(_dense, (width, 16, classes))),
        Candidate("CNN, tiny", "signal", "convolutions to 8, 16, 16 channels, mean over time",
                  partial(_conv, time, channels, classes, (8, 16, 16))),
        Candidate("CNN, small", "signal", "convolutions to 16, 24, 32 channels, mean over time",
                  partial(_conv, time, channels, classes, (16, 24, 32))),
    ]  # fmt: skip
    frames = next((f for f in (16, 32, 64, 8, 4) if time % f == 0 and time // f * channels <= 192), 0)
    if frames:
        size = time // frames * channels
        found.append(
            Candidate("CfC, framed", "frames", f"{frames} frames of {size} values, 12 liquid neurons",
                      partial(_liquid, size, classes, 12), 16, frames)
        )  # fmt: skip
    found += [
        Candidate("free: spectrum, 64 hidden", "spectrum", f"{width} features, 64 hidden, floating point",
                  partial(_dense, (width, 64, classes)), 16, free=True),
        Candidate("free: CNN", "signal", "convolutions to 24, 48, 48 channels, floating point",
                  partial(_conv, time, channels, classes, (24, 48, 48)), 16, free=True),
    ]  # fmt: skip
    return tuple(found)


def _dense(sizes: tuple[int, ...], rng: np.random.Generator) -> Network:
    hidden = [Dense.draw(rng, n, m, "relu") for n, m in pairwise(sizes[:-1])]
    return Network((*hidden, Dense.draw(rng, *sizes[-2:])))


def _conv(
    time: int, channels: int, classes: int, widths: tuple[int, ...], rng: np.random.Generator
) -> Network:
    """Convolutions along time; the first step is so long that about 128 places are left."""
    parts, n_in, left = [], channels, time
    for i, n in enumerate(widths):
        stride = (max(1, left // 128) if i == 0 and left > 128 else 2) if left >= 8 else 1
        kernel = min(left, max(2 * stride, 5))
        parts.append(Conv2D.draw(rng, n_in, n, (kernel, 1), "relu", stride=(stride, 1)))
        n_in, left = n, (left - kernel) // stride + 1
    return Network((*parts, GlobalAvgPool2D(), Dense.draw(rng, n_in, classes)))


def _liquid(size: int, classes: int, neurons: int, rng: np.random.Generator) -> Network:
    return Network(
        (Recurrent(CfC.draw(rng, size, neurons, 16), last_only=True), Dense.draw(rng, neurons, classes))
    )


def columns(kind: str, readings: Array) -> Array:
    """What is made into codes: features (n, width), or the readings (n, time, channels) themselves."""
    return features(readings) if kind == "spectrum" else readings


def fitted(kind: str, bits: int, v: Array, room: float = 1.0) -> tuple[Codes, float]:
    """The codes of columns v of the training part, and the step: deviations to a code.

    room: how many times the usual range the codes span
    """
    rows = v.reshape(-1, v.shape[-1]).astype(np.float64)
    floor = FEATURE_FLOOR if kind == "spectrum" else 1e-3
    if bits == 16:
        step = 2.0**-Q_BITS
    else:
        z = np.abs(rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), floor)
        step = room * float(np.percentile(z, 99.9)) / 127 or 1.0
    return Codes.of(rows, step, bits, floor), step


def shaped(kind: str, frames: int, codes: Array) -> Array:
    """Codes as the network reads them: (n, width), (n, time, 1, channels) or (frames, n, values)."""
    if kind == "spectrum":
        return codes
    if kind == "signal":
        return codes[:, :, None, :]
    return codes.reshape(len(codes), frames, -1).swapaxes(0, 1)
