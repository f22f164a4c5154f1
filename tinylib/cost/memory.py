"""Bytes of a model: weights in flash, activations in SRAM, at any bit width, as exact integers.

Two peaks are in use. The operator pair is the largest sum of all inputs and the output of one operator.
The live set also counts what merely waits: a shortcut that a later add still needs. Each tensor counts
once, the input of the model is live until its last reader, and an output nobody reads stays to the end.
Source: Lin et al., MCUNet, NeurIPS 2020, section 3.2 (peak = inputs plus output of one operator).
"""

import math
from dataclasses import dataclass

from tinylib.cost.layers import count
from tinylib.cost.models import INPUT, Model
from tinylib.units import shown


def bit_width(bits: int) -> int:
    """`bits` as an int from 1 to 64."""
    try:
        width = count("bits", bits)
    except ValueError:
        width = 0
    if not 1 <= width <= 64:
        raise ValueError(f"bits must be 1 to 64: no number format here is wider, got {shown(bits)}")
    return width


def weight_bytes(params: int, bits: int = 8) -> int:
    """Bytes of `params` values packed at `bits` each [bytes], rounded up to whole bytes once."""
    return _packed(count("params", params, 0), bits)


def _packed(values: int, bits: int) -> int:
    return -(-values * bit_width(bits) // 8)


def model_weight_bytes(model: Model, bits: int = 8, bias_bits: int = 32) -> int:
    """Bytes of a model with batch norm folded [bytes]: `bits` per weight and `bias_bits` per bias.

    The defaults are the INT8 convention: 1 byte per weight, 4 bytes per folded bias; per-channel
    scales and the file container are not counted.
    """
    biases = _one(model).params_bn_folded - model.weights
    return _packed(model.weights, bits) + _packed(biases, bias_bits)


def _one(model: Model) -> Model:
    if not isinstance(model, Model):
        raise TypeError(f"model must be one Model, such as models.read(file).models[0], got {shown(model)}")
    return model


@dataclass(frozen=True)
class Step:
    """What is in memory while one layer runs: `live` pairs each tensor's name with its elements."""

    name: str
    live: tuple[tuple[str, int], ...]
    op_pair_elements: int

    @property
    def elements(self) -> int:
        """Size of the live set [elements]."""
        return sum(size for _, size in self.live)


def timeline(model: Model) -> tuple[Step, ...]:
    """The live set at each layer, in listing order."""
    sizes = {INPUT: math.prod(_one(model).input_shape)}
    sizes |= {row.name: row.activation_elements for row in model.rows}
    last_use = {src: i for i, row in enumerate(model.rows) for src in row.src}
    live, steps = {INPUT: sizes[INPUT]}, []
    for i, row in enumerate(model.rows):
        live[row.name] = sizes[row.name]
        pair = sum(sizes[name] for name in dict.fromkeys((*row.src, row.name)))
        steps.append(Step(row.name, tuple(live.items()), pair))
        live = {name: size for name, size in live.items() if last_use.get(name, math.inf) > i}
    return tuple(steps)


def peak_op_pair(model: Model) -> tuple[int, str]:
    """Largest inputs plus output of one operator [elements], and the layer where it first occurs."""
    step = max(timeline(model), key=lambda step: step.op_pair_elements)
    return step.op_pair_elements, step.name


def peak_live(model: Model) -> tuple[int, str]:
    """Largest live set [elements], and the layer where it first occurs."""
    step = max(timeline(model), key=lambda step: step.elements)
    return step.elements, step.name


def peak_activation_bytes(model: Model, bits: int = 8, live: bool = False) -> int:
    """SRAM for activations at `bits` per element [bytes]: the operator pair, or the live set."""
    elements, _ = peak_live(model) if live else peak_op_pair(model)
    return _packed(elements, bits)
