"""An `Int8Network` written as a .tflite file, so that the real runtime can be held beside it.

Needs flatbuffers and tflite (extra `import`). One buffer per stored tensor; tensors take the names of the
network. Windows must be 'valid' or 'same', and softmax, tables and means those that the format knows.
"""

import flatbuffers
import numpy as np
import tflite

from tinylib.formats.affine import Affine
from tinylib.nets import int8_layers, int8_pool
from tinylib.nets.int8 import Int8Network

KINDS = {np.dtype(np.int8): 9, np.dtype(np.int32): 2}
ACTIVATIONS = {"linear": 0, "relu": 1, "relu6": 3}
PADDING = {"same": 0, "valid": 1}
TABLES = {"tanh": "TANH", "sigmoid": "LOGISTIC"}


def _window(layer) -> dict:
    high, wide = layer.layer.stride
    found = {"Padding": PADDING[layer.padding], "StrideH": high, "StrideW": wide}
    return found | {"FusedActivationFunction": ACTIVATIONS[layer.activation]}


def _operator(layer) -> tuple[str, str | None, dict]:
    """Operator, its table of options and their values."""
    match layer:
        case int8_layers.Int8Conv2D():
            return "CONV_2D", "Conv2DOptions", _window(layer)
        case int8_layers.Int8DepthwiseConv2D():
            options = _window(layer) | {"DepthMultiplier": layer.weights.shape[3]}
            return "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", options
        case int8_layers.Int8Dense():
            options = {"FusedActivationFunction": ACTIVATIONS[layer.activation]}
            return "FULLY_CONNECTED", "FullyConnectedOptions", options
        case int8_pool.Int8MaxPool2D() | int8_pool.Int8AvgPool2D():
            kind = "MAX_POOL_2D" if isinstance(layer, int8_pool.Int8MaxPool2D) else "AVERAGE_POOL_2D"
            high, wide = layer.layer.kernel_size
            return kind, "Pool2DOptions", _window(layer) | {"FilterHeight": high, "FilterWidth": wide}
        case int8_pool.Int8Add():
            options = {"FusedActivationFunction": ACTIVATIONS[layer.activation]}
            return "ADD", "AddOptions", options
        case int8_pool.Int8Mean():
            return "MEAN", "ReducerOptions", {"KeepDims": layer.keep}
        case int8_pool.Int8Softmax():
            return "SOFTMAX", "SoftmaxOptions", {"Beta": layer.beta}
        case int8_pool.Int8Table():
            return TABLES[layer.function], None, {}
        case int8_pool.Int8Flatten():
            return "RESHAPE", None, {}
    raise TypeError(f"layer must have an operator in the file format, got {type(layer).__name__}")


def _constants(layer, out: np.ndarray) -> list[tuple[np.ndarray, dict]]:
    """Stored inputs of an operator, each with its quantization."""
    if isinstance(layer, int8_pool.Int8Mean):
        return [(np.array([1, 2], np.int32), {})]
    if isinstance(layer, int8_pool.Int8Flatten):
        return [(np.array(out.shape, np.int32), {})]
    if not layer.weight_bytes:
        return []
    w, axis = layer.weights, 0
    if isinstance(layer, int8_layers.Int8DepthwiseConv2D):
        w, axis = w.reshape(1, *w.shape[:2], -1), 3
    bias = {"scales": layer.scales * layer.source.scale, "axis": 0}
    return [(w, {"scales": layer.scales, "axis": axis}), (layer.bias.astype(np.int32), bias)]


class _Writer:
    """One flatbuffer in the making."""

    def __init__(self) -> None:
        self.b = flatbuffers.Builder(1 << 16)
        self.tensors: list[int] = []
        self.buffers = [self.table("Buffer")]

    def table(self, name: str, **fields) -> int:
        getattr(tflite, f"{name}Start")(self.b)
        for field, value in fields.items():
            if value is not None:
                getattr(tflite, f"{name}Add{field}")(self.b, value)
        return getattr(tflite, f"{name}End")(self.b)

    def offsets(self, items: list[int]) -> int:
        self.b.StartVector(4, len(items), 4)
        for item in reversed(items):
            self.b.PrependUOffsetTRelative(item)
        return self.b.EndVector()

    def numbers(self, values, dtype=np.int32) -> int:
        return self.b.CreateNumpyVector(np.atleast_1d(np.asarray(values, dtype)))

    def tensor(self, name: str, like: np.ndarray, scales=None, zero_point=0, axis=0, held=False) -> int:
        """Index of a new tensor; `held` stores its values."""
        buffer = 0
        if held:
            data = self.b.CreateByteVector(np.ascontiguousarray(like).tobytes())
            self.buffers.append(self.table("Buffer", Data=data))
            buffer = len(self.buffers) - 1
        code = None
        if scales is not None:
            scale = self.numbers(scales, np.float32)
            zero = self.numbers(np.full(np.size(scales), zero_point), np.int64)
            code = self.table("QuantizationParameters", Scale=scale, ZeroPoint=zero, QuantizedDimension=axis)
        name, shape = self.b.CreateString(name), self.numbers(like.shape)
        kind = KINDS[like.dtype]
        fields = {"Shape": shape, "Type": kind, "Buffer": buffer, "Name": name, "Quantization": code}
        self.tensors.append(self.table("Tensor", **fields))
        return len(self.tensors) - 1

    def activation(self, name: str, like: np.ndarray, code: Affine) -> int:
        return self.tensor(name, like, code.scale, code.zero_point)


def written(net: Int8Network, in_shape: tuple[int, ...]) -> bytes:
    """The file of a network for one input (1, *in_shape)."""
    w = _Writer()
    values = net.tensors(np.zeros((1, *in_shape), np.int8))
    index = {"input": w.activation("input", values["input"], net.source)}
    codes: list[str] = []
    operators = []
    for step in net.steps:
        kind, table, options = _operator(step.layer)
        codes += [kind] if kind not in codes else []
        out = values[step.makes]
        held = _constants(step.layer, out)
        reads = [index[name] for name in step.reads]
        reads += [w.tensor(f"{step.makes}/{i}", a, **how, held=True) for i, (a, how) in enumerate(held)]
        index[step.makes] = w.activation(step.makes, out, step.layer.target)
        reads, makes = w.numbers(reads), w.numbers([index[step.makes]])
        made = w.table(table, **options) if table else None
        kinds = getattr(tflite.BuiltinOptions, table) if table else None
        operators.append(
            w.table(
                "Operator",
                OpcodeIndex=codes.index(kind),
                Inputs=reads,
                Outputs=makes,
                BuiltinOptionsType=kinds,
                BuiltinOptions=made,
            )
        )
    ends = w.numbers([index["input"]]), w.numbers([index[net.steps[-1].makes]])
    parts = {
        "Tensors": w.offsets(w.tensors),
        "Operators": w.offsets(operators),
        "Name": w.b.CreateString("net"),
    }
    graph = w.table("SubGraph", Inputs=ends[0], Outputs=ends[1], **parts)
    numbers = [getattr(tflite.BuiltinOperator, kind) for kind in codes]
    codes = [w.table("OperatorCode", DeprecatedBuiltinCode=n, BuiltinCode=n, Version=1) for n in numbers]
    parts = {
        "OperatorCodes": w.offsets(codes),
        "Subgraphs": w.offsets([graph]),
        "Buffers": w.offsets(w.buffers),
    }
    w.b.Finish(w.table("Model", Version=3, **parts), b"TFL3")
    return bytes(w.b.Output())
