"""Convolution, pooling and dropout: outputs, gradients, updates and argmax of the reference library.

Its filters are flat, each kernel in the order (row, column, channel) followed by its bias. One-dimensional
signals lie channel after channel, ours time after time; an argmax counts in the layout of its file.
"""

from collections.abc import Iterator

import numpy as np

from tests.golden_checks import Compared
from tests.golden_checks.formats import format_of
from tinylib.nets import pool
from tinylib.nets.arithmetic import FLOAT, Fixed
from tinylib.nets.conv import Conv1D, Conv2D, DepthwiseConv2D, PointwiseConv2D

RTOL = {"double": 1e-9, "float": 1e-5}


class Case:
    """One case with its arithmetic: `case["x"]` is an array, raw codes where the format is a Q format."""

    def __init__(self, record: dict) -> None:
        self.record, name = record, record["format"]
        self.raw = name.startswith(("Q", "U"))
        self.ops = Fixed(format_of(name)) if self.raw else FLOAT
        self.rtol = RTOL.get(name, 0.0)

    def __getitem__(self, key: str) -> np.ndarray:
        return np.array(self.record[self.key(key)], dtype=self.ops.dtype)

    def key(self, key: str) -> str:
        return f"{key}_raw" if self.raw else key

    def compared(self, key: str, got: np.ndarray) -> Compared:
        return Compared(self.key(key), np.ravel(got), self.record[self.key(key)], rtol=self.rtol)


def _layer(record: dict, flat: np.ndarray, x: np.ndarray) -> tuple:
    """The part with these flat weights, its input, and how its (weights, bias) lie flat in the file."""
    kind, r = record["case"], record
    if kind == "depthwise2d":
        rows = flat.reshape(r["channels"], -1)
        w = rows[:, :-1].reshape(-1, r["kh"], r["kw"]).transpose(1, 2, 0)[..., None]
        part = DepthwiseConv2D(w, rows[:, -1], stride=(r["sh"], r["sw"]))

        def lay(w: np.ndarray, b: np.ndarray) -> np.ndarray:
            return np.column_stack([w[..., 0].transpose(2, 0, 1).reshape(len(b), -1), b])

        return part, x.reshape(1, r["h"], r["w"], r["channels"]), lay
    rows = flat.reshape(r["filters"], -1)
    if kind == "conv1d":
        part = Conv1D(rows[:, :-1, None], rows[:, -1], stride=r["stride"])
        x = x.reshape(1, -1, 1)
    elif kind == "pointwise2d":
        part = PointwiseConv2D(rows[:, None, None, :-1], rows[:, -1])
        x = x.reshape(1, r["h"], r["w"], r["in_ch"])
    else:
        w = rows[:, :-1].reshape(-1, r["kh"], r["kw"], r["in_ch"])
        part = Conv2D(w, rows[:, -1], stride=(r["sh"], r["sw"]))
        x = x.reshape(1, r["h"], r["w"], r["in_ch"])
    return part, x, lambda w, b: np.column_stack([w.reshape(len(b), -1), b])


def convolution(record: dict) -> Iterator[Compared]:
    """Output, gradients and one update; the reference gives no input deltas."""
    case = Case(record)
    ops = case.ops
    part, x, lay = _layer(record, case["weights"], case["x"])
    y, tape = part.forward(x, ops)
    by_filter = record["case"] == "conv1d"  # its outputs lie filter after filter
    yield case.compared("y", y.swapaxes(1, 2) if by_filter else y)
    delta = case["output_deltas"]
    delta = delta.reshape(y.swapaxes(1, 2).shape).swapaxes(1, 2) if by_filter else delta.reshape(y.shape)
    grads = part.back(tape, delta, ops)[1]
    yield case.compared("gradients", lay(**grads))
    rate = case["learning_rate"]
    moved = {name: ops.add(a, ops.mul(rate, grads[name])) for name, a in part.arrays.items()}
    yield case.compared("weights_after_update", lay(**moved))


def pooling(record: dict) -> Iterator[Compared]:
    """Output, where each largest value was, and the input deltas."""
    case, kind = Case(record), record["case"]
    if kind.endswith("1d"):
        part = (pool.MaxPool1D if kind == "maxpool1d" else pool.AvgPool1D)(record["pool"], record["stride"])
        shape, order = (1, record["channels"], record["length"]), (0, 2, 1)  # channel-major in the file
    else:
        shape, order = (1, record["h"], record["w"], record["channels"]), (0, 1, 2, 3)
        if kind == "globalavgpool2d":
            part = pool.GlobalAvgPool2D()
        else:
            which = pool.MaxPool2D if kind == "maxpool2d" else pool.AvgPool2D
            part = which((record["ph"], record["pw"]), (record["sh"], record["sw"]))
    x = case["x"].reshape(shape).transpose(order)
    y, tape = part.forward(x, case.ops)
    back = order if y.ndim == len(order) else (0, 1)  # each order is its own inverse
    there = y.transpose(back)
    yield case.compared("y", there)
    if "argmax" in record:
        names = np.arange(x.size).reshape(shape).transpose(order).ravel()
        yield Compared("argmax", names[part.argmax(tape)].transpose(back).ravel(), record["argmax"])
    delta = case["output_deltas"].reshape(there.shape).transpose(back)
    yield case.compared("input_deltas", part.back(tape, delta, case.ops)[0].transpose(order))


def dropout(record: dict) -> Iterator[Compared]:
    """Training with the mask of the file, the deltas through it, and use, where nothing is dropped."""
    case = Case(record)
    x = case["x"]
    part = pool.Dropout(record["percent"], mask=np.array(record["mask"]) != 0)
    y, tape = part.forward(x, case.ops)
    yield case.compared("y_training", y)
    yield case.compared("input_deltas", part.back(tape, case["output_deltas"], case.ops)[0])
    yield case.compared("y_inference", pool.Dropout(record["percent"]).forward(x, case.ops)[0])


CHECKS = dict.fromkeys(("conv1d", "conv2d", "depthwise2d", "pointwise2d"), convolution)
CHECKS |= dict.fromkeys(("maxpool1d", "maxpool2d", "avgpool1d", "avgpool2d", "globalavgpool2d"), pooling)
CHECKS["dropout"] = dropout
