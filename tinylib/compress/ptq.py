"""Post-training quantization: a trained network on integer codes, without another step of training.

    weights       each array by its own scales (`quantize.weights`)
    activations   before every part with weights, one affine code calibrated on real inputs
    biases        32-bit codes in the scale of the accumulator: their rounding is far below one step

`fake-quantized` evaluation runs in floating point on values that the codes can hold, x -> S (q - Z): the
products are those of the integer machine, with the rounding of the requantization left out.
Source: Jacob et al., arXiv 1712.05877, section 3; Nagel et al., arXiv 2106.08295, section 3.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinylib.compress import baseline, quantize
from tinylib.compress.layout import channel_axes, is_weight, one
from tinylib.compress.quantize import Quantized
from tinylib.datasets import Examples
from tinylib.formats.affine import Affine
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Array
from tinylib.nets.network import Network
from tinylib.nets.params import Arrays, Params


@dataclass(frozen=True)
class Rounded(Params):
    """A part that passes on what an affine code can hold of its input; straight-through on the way back."""

    code: Affine

    layer = None

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Any]:
        """S (q - Z) of x, in the shape of x; the tape says where x lay within the range."""
        low, high = (self.code.dequantize(q) for q in self.code.codes)
        step = self.code.scale / 2
        return self.code.dequantize(self.code.quantize(x)), (x >= low - step) & (x <= high + step)

    def back(self, tape: Any, delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Arrays]:
        """delta as if nothing were rounded, and 0 where x was cut off."""
        return delta * tape, {}


def activations(net: Network, xs: Array) -> list[Array]:
    """The input of every part, for the input xs of the network."""
    seen = []
    for part in net.parts:
        seen.append(xs)
        xs, _ = part.forward(xs)
    return seen


@dataclass(frozen=True)
class PTQ:
    """A quantized network. `net` runs it in floating point on values that its codes can hold.

    weights: name -> Quantized, a dict for each part;  activations: code of each part's input, or None
    """

    net: Network
    weights: list[dict[str, Quantized]]
    activations: list[Affine | None]
    biases: int

    @property
    def bytes(self) -> int:
        """Codes, scales and 32-bit biases [bytes]."""
        return sum(q.bytes for part in self.weights for q in part.values()) + 4 * self.biases


def ptq_part(
    part: Any, bits: int = 8, per: str = "channel", method: str = "minmax", group_size: int = 0
) -> dict[str, Quantized]:
    """The weights of one part in codes, by name."""
    axes = channel_axes(part)
    return {
        name: quantize.weights(a, bits, per, group_size, method=method, axes=axes)
        for name, a in part.arrays.items()
        if is_weight(name)
    }


def ptq(
    net: Network,
    data: Examples,
    weight_bits: int = 8,
    activation_bits: int | None = 8,
    per: str = "channel",
    method: str = "minmax",
    group_size: int = 0,
) -> PTQ:
    """The network with quantized weights and, unless `activation_bits` is None, activations.

    `data` calibrates the activations; a hundred examples are plenty. `method` serves both.
    """
    parts, weights, codes, biases = [], [], [], 0
    for part, x in zip(one(net).parts, activations(net, baseline.inputs(net, data))):
        named = ptq_part(part, weight_bits, per, method, group_size)
        code = quantize.calibrate(x, activation_bits, method) if named and activation_bits else None
        parts += [Rounded(code)] if code else []
        parts.append(part.with_arrays(part.arrays | {n: q.restored() for n, q in named.items()}))
        weights.append(named)
        codes.append(code)
        biases += sum(a.size for name, a in part.arrays.items() if not is_weight(name))
    return PTQ(Network(tuple(parts)), weights, codes, biases)


def float_bytes(net: Network) -> int:
    """All parameters as float32 [bytes]."""
    return 4 * net.count


def sqnr_db(net: Network, quantized: Network, data: Examples) -> np.ndarray:
    """Signal to quantization noise of every output (classes,) [dB]."""
    return quantize.sqnr_db(baseline.logits(net, data), baseline.logits(quantized, data))
