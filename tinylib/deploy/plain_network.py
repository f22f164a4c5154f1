"""A network as plain values and back: what a student hands in and a judge may run, although it is untrusted.

    {"arithmetic": "int8", "input": {"scale": 0.0039, "zero_point": -128},
     "layers": [{"kind": "conv", "shape": [8, 3, 3, 1], "weights": [...], "bias": [...], "scales": [...],
                 "output": {"scale": 0.01, "zero_point": -128}, "stride": 2, "activation": "relu"},
                {"kind": "max_pool", "size": 2}, {"kind": "flatten"}, {"kind": "dense", ...}]}

    {"arithmetic": "Q4.12", "layers": [{"kind": "dense", "shape": [2, 4], "weights": [...], "bias": [...]}]}

Weights are codes in one flat list, the last axis fastest. Shapes: int8 dense (out, in), Q dense (in, out),
conv and pointwise (out, k, k, in), depthwise (k, k, in, multiplier). Optional entries: activation ("linear"),
stride (1; for a pool its size), padding ("valid"). `read` checks every entry and its size before anything is
computed; what it refuses, it refuses in one sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from tinylib.cost.layers import Shape
from tinylib.cost.models import Model
from tinylib.deploy.plain_entries import (
    MAX_WEIGHTS,
    affine,
    code_list,
    entries,
    entry,
    kind_of,
    one_of,
    q_format,
    scale,
    told,
    whole,
)
from tinylib.deploy.plain_values import values
from tinylib.formats.affine import Affine
from tinylib.formats.qformat import QFormat
from tinylib.nets import conv, pool
from tinylib.nets.arithmetic import Fixed
from tinylib.nets.dense import Dense
from tinylib.nets.int8 import Int8Network, Step
from tinylib.nets.int8_layers import Int8Conv2D, Int8Dense, Int8DepthwiseConv2D
from tinylib.nets.int8_pool import Int8AvgPool2D, Int8Flatten, Int8MaxPool2D, Int8Mean, Int8Table
from tinylib.nets.network import Network

__all__ = ["MAX_LAYERS", "MAX_MACS", "MAX_WEIGHTS", "Plain", "read", "values"]
MAX_LAYERS = 16  # of a network [count]
MAX_MACS, MAX_ELEMENTS = 4_000_000, 65_536  # of one inference, and between two layers [count]
ROOM = 2**24  # multiply-accumulates of one block of samples, so that its arrays stay small

WEIGHTED = {"dense": 2, "conv": 4, "pointwise": 4, "depthwise": 4}  # kind -> axes of its weights
POOLS = ("max_pool", "avg_pool")
ACTIVATIONS = {"int8": ("linear", "relu", "relu6"), "Q": ("linear", "relu", "tanh", "sigmoid")}
TABLES = ("tanh", "sigmoid")


@dataclass(frozen=True)
class Plain:
    """A network that was read. ops: the arithmetic of a Q network, None for int8; in_shape: of one sample."""

    network: Network | Int8Network
    ops: Fixed | None
    in_shape: Shape

    @property
    def model(self) -> Model:
        """The description that counts it."""
        return self.network.model(self.in_shape)

    @property
    def macs(self) -> int:
        """Of one inference [MAC]."""
        return self.model.macs

    @property
    def outputs(self) -> int:
        """Codes of an answer [count]."""
        return prod(self.model.rows[-1].out_shape)

    @property
    def weight_bytes(self) -> int:
        """Weights and biases as they are stored [bytes]."""
        if isinstance(self.network, Int8Network):
            return self.network.weight_bytes
        return self.network.count * self.ops.q.total_bits // 8

    def codes(self, x: np.ndarray) -> np.ndarray:
        """Input codes of real numbers x (n, *in_shape)."""
        x = np.asarray(x, np.float64)
        if self.ops is None:
            return self.network.source.quantize(x).astype(np.int8)
        return self.ops.number(x)

    def answers(self, x: np.ndarray) -> np.ndarray:
        """Output codes (n, outputs) for real numbers x (n, *in_shape), a block of samples at a time."""
        codes = self.codes(x)
        size = max(1, ROOM // max(self.macs, 1))
        blocks = [codes[k : k + size] for k in range(0, len(codes), size)]
        if self.ops is None:
            found = [self.network.forward(block) for block in blocks]
        else:
            found = [self.network.forward(block, self.ops)[0] for block in blocks]
        return np.concatenate([y.reshape(len(y), -1) for y in found])

    def classes(self, x: np.ndarray) -> np.ndarray:
        """The class (n,) with the largest output code; of equal ones the first."""
        return self.answers(x).argmax(-1)


def read(value: Any, in_shape: Shape, outputs: int | None = None) -> Plain:
    """The network that plain values describe, for samples of in_shape.

    outputs: how many answers it must give. Raises ValueError or TypeError with one sentence.
    """
    kind = entry("a network", value, "arithmetic")
    if kind == "int8":
        entries("an int8 network", value, ("arithmetic", "input", "layers"))
    else:
        entries("a network", value, ("arithmetic", "layers"))
    ops = None if kind == "int8" else Fixed(q_format(kind))
    rows = value["layers"]
    if type(rows) is not list or not 1 <= len(rows) <= MAX_LAYERS:
        got = f"{len(rows)} layers" if type(rows) is list else told(rows)
        raise ValueError(f"layers must be a list of 1 to {MAX_LAYERS} layers, got {got}")
    shape, parts = tuple(in_shape), []
    code = affine("input", value["input"]) if ops is None else None
    held = work = 0
    for number, row in enumerate(rows, 1):
        where = f"layer {number}"
        try:
            part = _int8(row, code) if ops is None else _q(row, ops.q)
            held += part.count if ops else sum(len(row.get(name, ())) for name in ("weights", "bias"))
            if held > MAX_WEIGHTS:
                raise ValueError(f"a network must hold at most {MAX_WEIGHTS:,} weights, got more")
            shape, macs = _next(part, shape)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{where}: {error}") from None
        work += macs
        if prod(shape) > MAX_ELEMENTS or work > MAX_MACS:
            most = f"{MAX_ELEMENTS:,} values between layers and {MAX_MACS:,} MACs"
            raise ValueError(f"{where}: a network must stay within {most}, got {prod(shape):,} and {work:,}")
        code = part.target if ops is None else None
        parts.append(part)
    if outputs is not None and prod(shape) != outputs:
        raise ValueError(f"the last layer must give {outputs} outputs, one for each class, got {prod(shape)}")
    if not any(part.layer for part in parts):
        raise ValueError("a network must have a layer that computes something, got none")
    found = Plain(_network(parts, value, ops), ops, tuple(in_shape))
    try:  # what one sample does not show, none will: a table or a window that the format cannot hold
        found.answers(np.zeros((1, *found.in_shape)))
    except OverflowError as error:
        raise ValueError(f"a network must run on zeros: {error}") from None
    return found


def _network(parts: list, value: Mapping, ops: Fixed | None) -> Network | Int8Network:
    if ops is not None:
        return Network(tuple(parts))
    names = ["input", *(f"layer_{n}" for n in range(1, len(parts) + 1))]
    steps = (Step(part, (names[n],), names[n + 1]) for n, part in enumerate(parts))
    return Int8Network(tuple(steps), affine("input", value["input"]))


def _next(part: Any, shape: Shape) -> tuple[Shape, int]:
    """Shape behind a part, and its MACs."""
    if isinstance(part, (Int8Flatten, pool.Flatten)):
        return (prod(shape),), 0
    if part.layer is None:
        return shape, 0
    if isinstance(part, Dense) and len(shape) != 1:
        raise ValueError(f"a dense layer must read a row: put a flatten before it, got shape {shape}")
    return tuple(part.layer.out_shape(shape)), part.layer.macs(shape)


# -- one layer -------------------------------------------------------------------------------------


def _int8(row: Any, source: Affine) -> Any:
    kind = kind_of(row, (*WEIGHTED, *POOLS, "global_avg_pool", "flatten", "table"))
    if kind == "flatten":
        entries("a flatten", row, ("kind",))
        return Int8Flatten(source)
    if kind in POOLS:
        return (Int8MaxPool2D if kind == "max_pool" else Int8AvgPool2D)(*_window(kind, row, source))
    if kind == "global_avg_pool":
        entries("a global_avg_pool", row, ("kind", "output"))
        return Int8Mean(source, affine("output", row["output"]))
    if kind == "table":
        entries("a table", row, ("kind", "function", "output"))
        return Int8Table(one_of("function", row["function"], TABLES), source, affine("output", row["output"]))
    options = _weighted(kind, row, ("scales", "output"), "int8")
    shape, (low, high) = options.pop("shape"), (-128, 127)
    weights = code_list("weights", row["weights"], prod(shape), low, high).astype(np.int8).reshape(shape)
    out = _channels(kind, shape)
    bias = code_list("bias", row["bias"], out, -(2**31), 2**31 - 1).astype(np.int32)
    scales = row["scales"]
    if type(scales) is not list or len(scales) not in (1, out):
        raise ValueError(f"scales must be a list of {out} numbers or of one, got {told(scales)}")
    steps = np.array([scale("each of scales", s) for s in scales])
    codes = (weights, steps, bias, source, affine("output", row["output"]))
    if kind == "dense":
        return Int8Dense(*codes, **options)
    return (Int8DepthwiseConv2D if kind == "depthwise" else Int8Conv2D)(*codes, **options)


def _q(row: Any, q: QFormat) -> Any:
    kind = kind_of(row, (*WEIGHTED, *POOLS, "global_avg_pool", "flatten"))
    if kind == "flatten":
        entries("a flatten", row, ("kind",))
        return pool.Flatten()
    if kind in POOLS:
        size, _, stride, padding = _window(kind, row, None)
        return (pool.MaxPool2D if kind == "max_pool" else pool.AvgPool2D)(size, stride, padding)
    if kind == "global_avg_pool":
        entries("a global_avg_pool", row, ("kind",))
        return pool.GlobalAvgPool2D()
    options = _weighted(kind, row, (), "Q")
    shape, ends = options.pop("shape"), (q.min_raw, q.max_raw)
    weights = code_list("weights", row["weights"], prod(shape), *ends).reshape(shape)
    out = shape[1] if kind == "dense" else _channels(kind, shape)
    bias = code_list("bias", row["bias"], out, *ends)
    kinds = {"conv": conv.Conv2D, "pointwise": conv.PointwiseConv2D, "depthwise": conv.DepthwiseConv2D}
    return kinds.get(kind, Dense)(weights, bias, **options)


def _channels(kind: str, shape: Shape) -> int:
    return shape[2] * shape[3] if kind == "depthwise" else shape[0]


def _weighted(kind: str, row: Mapping, more: tuple[str, ...], arithmetic: str) -> dict[str, Any]:
    """Shape, activation and window of a layer with weights."""
    window = () if kind == "dense" else ("stride",) if kind == "pointwise" else ("stride", "padding")
    entries(f"a {kind}", row, ("kind", "shape", "weights", "bias", *more), ("activation", *window))
    sizes, axes = row["shape"], WEIGHTED[kind]
    if type(sizes) is not list or len(sizes) != axes:
        raise ValueError(f"the shape of a {kind} must be a list of {axes} sizes, got {told(sizes)}")
    shape = tuple(whole("a size", n, 1, 4096) for n in sizes)
    if kind == "pointwise" and shape[1:3] != (1, 1):
        raise ValueError(f"a pointwise layer must have the shape (out, 1, 1, in), got {shape}")
    found: dict[str, Any] = {"shape": shape}
    found["activation"] = one_of("activation", row.get("activation", "linear"), ACTIVATIONS[arithmetic])
    if "stride" in window:
        found["stride"] = whole("stride", row.get("stride", 1), 1, 64)
    if "padding" in window:
        found["padding"] = one_of("padding", row.get("padding", "valid"), ("valid", "same"))
    return found


def _window(kind: str, row: Mapping, code: Affine | None) -> tuple[int, Affine | None, int, str]:
    entries(f"a {kind}", row, ("kind", "size"), ("stride", "padding"))
    size = whole("size", row["size"], 1, 64)
    stride = whole("stride", row.get("stride", size), 1, 64)
    return size, code, stride, one_of("padding", row.get("padding", "valid"), ("valid", "same"))
