"""int8 operators and networks: equal to the reference kernels of TensorFlow Lite, and to XNNPACK.

A file is one operator, or a network of them ("MODEL"), with integer inputs and the outputs of each runtime;
`output_xnnpack` is there only where it differs from `output_ref`.
"""

from collections.abc import Iterator

import numpy as np

from tests.golden_checks import Compared
from tinylib.formats.affine import Affine
from tinylib.nets import int8_layers, int8_pool
from tinylib.nets.int8 import Int8Network, Step

ACTIVATIONS = {"none": "linear", "relu": "relu", "relu6": "relu6"}
WEIGHTED = {
    "CONV_2D": int8_layers.Int8Conv2D,
    "DEPTHWISE_CONV_2D": int8_layers.Int8DepthwiseConv2D,
    "FULLY_CONNECTED": int8_layers.Int8Dense,
}
POOLS = {"AVERAGE_POOL_2D": int8_pool.Int8AvgPool2D, "MAX_POOL_2D": int8_pool.Int8MaxPool2D}
TABLES = {"TANH": "tanh", "LOGISTIC": "sigmoid"}


def code(info: dict) -> Affine:
    """What the codes of a tensor stand for."""
    return Affine(info["scales"][0], info["zero_points"][0])


def window(attrs: dict) -> dict:
    """Stride, padding and dilation of a sliding window."""
    found = {"stride": (attrs["stride_h"], attrs["stride_w"]), "padding": attrs["padding"]}
    if "dilation_h" in attrs:
        found["dilation"] = (attrs["dilation_h"], attrs["dilation_w"])
    return found


def weighted(op: dict, source: Affine, target: Affine) -> int8_layers.Int8Layer:
    """A layer with integer weights."""
    attrs, info = op["attrs"], op["weights"]
    w = np.array(info["data"], np.int8).reshape(info["shape"])
    if op["op"] == "DEPTHWISE_CONV_2D":
        w = w.reshape(*w.shape[1:3], -1, attrs["depth_multiplier"])
    outputs = w[0, 0].size if op["op"] == "DEPTHWISE_CONV_2D" else len(w)
    bias = np.array(op["bias"]["data"] if op.get("bias") else [0] * outputs, np.int32)
    more = {} if op["op"] == "FULLY_CONNECTED" else window(attrs)
    scales, activation = np.array(info["scales"]), ACTIVATIONS[attrs["activation"]]
    return WEIGHTED[op["op"]](w, scales, bias, source, target, activation, **more)


def layer(op: dict, sources: list[Affine], target: Affine) -> int8_layers.Int8Layer:
    """The layer that a record describes."""
    kind, attrs = op["op"], op["attrs"]
    if kind in WEIGHTED:
        return weighted(op, sources[0], target)
    if kind in POOLS:
        kernel = (attrs["filter_h"], attrs["filter_w"])
        return POOLS[kind](kernel, target, activation=ACTIVATIONS[attrs["activation"]], **window(attrs))
    if kind in TABLES:
        return int8_pool.Int8Table(TABLES[kind], sources[0], target)
    if kind == "MEAN":
        assert op["axes"] == [1, 2]
        return int8_pool.Int8Mean(sources[0], target, bool(attrs["keep_dims"]))
    if kind == "ADD":
        return int8_pool.Int8Add(tuple(sources), target, ACTIVATIONS[attrs["activation"]])
    if kind == "SOFTMAX":
        return int8_pool.Int8Softmax(sources[0], attrs["beta"], target)
    if kind == "RESHAPE":
        return int8_pool.Int8Flatten(target)
    raise ValueError(f"operator must be known, got {kind}")


def operator(record: dict) -> Iterator[Compared]:
    """Every case of one operator, by the rule of each runtime."""
    part = layer(record, [code(info) for info in record["inputs"]], code(record["output"]))
    for i, case in enumerate(record["cases"]):
        xs = [np.array(x, np.int8).reshape(t["shape"]) for x, t in zip(case["inputs"], record["inputs"])]
        for runtime, key in (("reference", "output_ref"), ("xnnpack", "output_xnnpack")):
            got = part.forward(*xs, rule=part.rules[runtime])
            assert list(got.shape) == record["output"]["shape"] and got.dtype == np.int8
            yield Compared(f"cases[{i}].{key}", got, case.get(key, case["output_ref"]))


def network(record: dict) -> Int8Network:
    """A network of the layers in a file; its tensors are named by their numbers."""
    name = {record["input_tensor"]: "input"}
    codes = {record["input_tensor"]: code(record["input_info"])}
    steps = []
    for op in record["layers"]:
        codes[op["output"]] = code(op["output_info"])
        part = layer(op, [codes[i] for i in op["inputs"]], codes[op["output"]])
        reads = tuple(name.setdefault(i, str(i)) for i in op["inputs"])
        steps.append(Step(part, reads, str(op["output"])))
    return Int8Network(tuple(steps), codes[record["input_tensor"]])


def model(record: dict) -> Iterator[Compared]:
    """Every case of a network, by the rules of each runtime, and the tensors between that are kept."""
    net = network(record)
    for i, case in enumerate(record["cases"]):
        x = np.array(case["input"], np.int8).reshape(record["input_info"]["shape"])
        tensors = net.tensors(x)
        for number, tap in case["taps_ref"].items():
            if number in tensors:
                yield Compared(f"cases[{i}].taps_ref.{number}", tensors[number], tap)
        yield Compared(f"cases[{i}].output_ref", tensors[str(record["output_tensor"])], case["output_ref"])
        wanted = case.get("output_xnnpack", case["output_ref"])
        yield Compared(f"cases[{i}].output_xnnpack", net.forward(x, "xnnpack"), wanted)


CHECKS = dict.fromkeys((f"tflite:{op}" for op in (*WEIGHTED, *POOLS, *TABLES)), operator)
CHECKS |= dict.fromkeys(("tflite:MEAN", "tflite:ADD", "tflite:SOFTMAX"), operator) | {"tflite:MODEL": model}
