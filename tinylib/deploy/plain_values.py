"""A trained network as plain values: the layers of `plain_network`, written from the parts of `nets`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinylib.formats.affine import Affine
from tinylib.nets import conv, pool
from tinylib.nets.arithmetic import Fixed
from tinylib.nets.dense import Dense
from tinylib.nets.int8 import Int8Network
from tinylib.nets.int8_layers import Int8Conv2D, Int8Dense, Int8DepthwiseConv2D
from tinylib.nets.int8_pool import Int8AvgPool2D, Int8Flatten, Int8MaxPool2D, Int8Mean, Int8Table
from tinylib.nets.network import Network
from tinylib.units import shown


def values(network: Network | Int8Network, ops: Fixed | None = None) -> dict[str, Any]:
    """A trained network as the plain values that `read` takes: an int8 one, or one with codes of `ops`."""
    if isinstance(network, Int8Network):
        rows = [_written(step.layer) for step in network.steps]
        return {"arithmetic": "int8", "input": _affine(network.source), "layers": rows}
    if not isinstance(network, Network) or not isinstance(ops, Fixed):
        raise TypeError(f"network must be an Int8Network, or a Network with its ops, got {shown(network)}")
    network.check(ops)
    rows = [_written(part) for part in network.parts if not isinstance(part, pool.Dropout)]
    return {"arithmetic": f"Q{ops.q.int_bits}.{ops.q.frac_bits}", "layers": rows}


def _affine(code: Affine) -> dict[str, Any]:
    return {"scale": float(code.scale), "zero_point": int(code.zero_point)}


def _written(part: Any) -> dict[str, Any]:
    for kinds, write in WRITERS.items():
        if isinstance(part, kinds):
            return write(part)
    raise TypeError(f"a part must have plain values, got {type(part).__name__}")


def _written_weights(part: Any) -> dict[str, Any]:
    int8 = hasattr(part, "weights")
    w, b = (part.weights, part.bias) if int8 else (part.w, part.b)
    names = {
        conv.DepthwiseConv2D: "depthwise",
        Int8DepthwiseConv2D: "depthwise",
        conv.PointwiseConv2D: "pointwise",
    }
    kind = "dense" if w.ndim == 2 else names.get(type(part), "conv")
    row = {"kind": kind, "shape": list(w.shape), "weights": w.ravel().tolist(), "bias": b.tolist()}
    if int8:
        row |= {"scales": np.asarray(part.scales).tolist(), "output": _affine(part.target)}
    row |= {"activation": part.activation} if part.activation != "linear" else {}
    return row | ({} if kind == "dense" else _written_window(part, 1, pads=kind != "pointwise"))


def _written_window(part: Any, default: int, pads: bool = True) -> dict[str, Any]:
    """Stride and padding where they are not what they are without being said."""
    row = {}
    stride = _square("stride", part.stride if part.stride is not None else default)
    if stride != default:
        row["stride"] = stride
    if pads and part.padding != "valid":
        row["padding"] = part.padding
    return row


def _square(what: str, pair: Any) -> int:
    sizes = {pair} if isinstance(pair, int) else set(pair)
    if len(sizes) != 1:
        raise ValueError(f"{what} must be the same along both sides, got {shown(pair)}")
    return int(sizes.pop())


def _written_pool(part: Any) -> dict[str, Any]:
    kind = "max_pool" if isinstance(part, (pool.MaxPool2D, Int8MaxPool2D)) else "avg_pool"
    size = _square("size", part.kernel_size)
    return {"kind": kind, "size": size, **_written_window(part, size)}


WRITERS: dict[Any, Callable[[Any], dict[str, Any]]] = {
    (Int8Flatten, pool.Flatten): lambda part: {"kind": "flatten"},
    Int8Mean: lambda part: {"kind": "global_avg_pool", "output": _affine(part.target)},
    pool.GlobalAvgPool2D: lambda part: {"kind": "global_avg_pool"},
    Int8Table: lambda part: {"kind": "table", "function": part.function, "output": _affine(part.target)},
    (pool.MaxPool2D, pool.AvgPool2D, Int8MaxPool2D, Int8AvgPool2D): _written_pool,
    (Dense, conv.Conv2D, conv.PointwiseConv2D, conv.DepthwiseConv2D): _written_weights,
    (Int8Dense, Int8Conv2D, Int8DepthwiseConv2D): _written_weights,
}
