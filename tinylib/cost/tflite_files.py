"""TensorFlow Lite files: flatbuffer operators of the first graph, with their options and tensors."""

import math
from collections.abc import Callable
from pathlib import Path

from tinylib.cost import layers as L
from tinylib.cost import sequence as S
from tinylib.cost.imported import Graph, Imported, Op, Reader, missing, read_file
from tinylib.cost.models import LeftOut, ModelError
from tinylib.units import shown

_TFLITE_PASSING = """ABS ARG_MAX ARG_MIN BATCH_TO_SPACE_ND BROADCAST_TO CAST CEIL CONCATENATION COS
DENSIFY DEPTH_TO_SPACE
DEQUANTIZE ELU EQUAL EXP EXPAND_DIMS FAKE_QUANT FILL FLOOR GATHER GATHER_ND GELU GREATER GREATER_EQUAL
HARD_SWISH L2_NORMALIZATION LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC
LOG_SOFTMAX MAXIMUM MEAN MINIMUM MIRROR_PAD NEG NOT_EQUAL ONE_HOT PACK PAD PADV2 POW QUANTIZE RANGE
REDUCE_MAX REDUCE_MIN REDUCE_PROD RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR
RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT SELECT_V2 SIGN SIN SLICE SOFTMAX SPACE_TO_BATCH_ND
SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUM TANH TILE TOPK_V2
TRANSPOSE UNPACK WHERE ZEROS_LIKE"""


class _TFLite(Reader):
    """Operators of TensorFlow Lite: tensors (batch, height, width, channels)."""

    known = {
        "CONV_2D": "conv_2d",
        "DEPTHWISE_CONV_2D": "depthwise",
        "FULLY_CONNECTED": "fully_connected",
        "BATCH_MATMUL": "batch_matmul",
        "MAX_POOL_2D": "pool_2d",
        "AVERAGE_POOL_2D": "pool_2d",
        "MEAN": "mean",
        "ADD": "add",
        "CONCATENATION": "concat",
        "GATHER": "gather",
        "UNIDIRECTIONAL_SEQUENCE_LSTM": "lstm",
    }
    storing = frozenset(("ADD", "SUB", "MUL", "DIV", "PRELU"))
    passing = frozenset(_TFLITE_PASSING.split())
    values = frozenset(("SHAPE", "RANK"))

    def has_bias(self, op: Op) -> bool:
        return self.constant(op, 2) is not None

    def conv_2d(self, op: Op) -> bool:
        weights = self.constant(op, 1)
        if weights is None:
            return False
        c_out, *kernel, c_in = weights
        channels = self.folds(op.inputs[0])[-1]
        if len(kernel) != 2 or channels % c_in:
            raise ValueError(f"its weights must serve {channels} channels, got {weights}")
        stride, stated = op.attrs["stride"], op.attrs["padding"]
        return self.conv(op, tuple(kernel), c_out, channels // c_in, stride, stated, bias=self.has_bias(op))

    def depthwise(self, op: Op) -> bool:
        weights = self.constant(op, 1)
        if weights is None:
            return False
        _, *kernel, c_out = weights
        channels = self.folds(op.inputs[0])[-1]
        if len(kernel) != 2 or c_out % channels:
            raise ValueError(f"its weights must serve {channels} channels, got {weights}")
        stride, stated = op.attrs["stride"], op.attrs["padding"]
        x, padding = self.padded(op, tuple(kernel), stride, stated)
        multiplier, bias = c_out // channels, self.has_bias(op)
        layer = L.DepthwiseConv2D(channels, tuple(kernel), stride, padding, multiplier, bias)
        return self.row(op, op.outputs[0], layer, [x])

    def pool_2d(self, op: Op) -> bool:
        kind = "Max" if op.kind == "MAX_POOL_2D" else "Avg"
        return self.pool(op, kind, op.attrs["kernel"], op.attrs["stride"], op.attrs["padding"])

    def mean(self, op: Op) -> bool:
        sizes, out = self.sizes(op.inputs[0]), self.sizes(op.outputs[0])
        kept = (1,) * (len(sizes) - 1) + sizes[-1:]
        if len(sizes) < 3 or out not in (kept, (1, sizes[-1])):
            return False
        return self.global_pool(op, "Avg", len(out) > 2)

    def fully_connected(self, op: Op) -> bool:
        weights = self.constant(op, 1)
        if weights is None:
            return False
        c_out, inner = weights
        positions, rest = divmod(math.prod(self.folds(op.inputs[0])), inner)
        if rest or positions * c_out != math.prod(self.shape(op.outputs[0])):
            raise ValueError(f"its weights must serve the input {self.folds(op.inputs[0])}, got {weights}")
        return self.product(op, inner, math.prod(weights), self.has_bias(op))

    def batch_matmul(self, op: Op) -> bool:
        stored = [self.constant(op, i) for i in (0, 1)]
        inner = (stored[0] or self.sizes(op.inputs[0]))[-2 if op.attrs["transposed"] else -1]
        return self.product(op, inner, sum(math.prod(s) for s in stored if s), False)

    def lstm(self, op: Op) -> bool:
        given = [self.constant(op, i) for i in range(1, 24)]
        plain = all(given[:8]) and all(given[11:15]) and not any((*given[8:11], *given[15:17], *given[19:]))
        if not plain or op.attrs["time_major"]:
            return False
        layer = S.LSTM(given[0][1], given[0][0], bias_vectors=1)
        return self.row(op, op.outputs[0], layer, op.inputs[:1])


def read_tflite(path: str | Path) -> Imported:
    """The first graph of a TensorFlow Lite file. Raises ModelError, also when `tflite` is not installed."""
    return read_file(path, "TensorFlow Lite", _tflite_graph, _TFLite)


def _tflite_graph(data: bytes) -> Graph:
    try:
        import flatbuffers  # noqa: F401
        import tflite
    except ImportError:
        raise missing("tflite") from None
    if data[4:8] != b"TFL3":
        raise ModelError(
            f"the file must be a TensorFlow Lite model: bytes 4 to 7 are TFL3, got {data[4:8]!r}"
        )
    model = tflite.Model.GetRootAs(data, 0)

    def items(of: object, what: str) -> list:
        """All of a vector; a length that the file cannot hold is refused."""
        n = getattr(of, what + "Length")()
        if not 0 <= n * 4 <= len(data):
            raise ModelError(f"the file must be whole: its list of {what.lower()} has {n} entries, got a cut")
        return [getattr(of, what)(i) for i in range(n)]

    graphs = items(model, "Subgraphs")
    if not graphs:
        raise ModelError("the file must hold a graph, got none")
    graph, buffers = graphs[0], items(model, "Buffers")
    names = {number: name for name, number in vars(tflite.BuiltinOperator).items() if name.isupper()}
    codes = [_tflite_code(code, names) for code in items(model, "OperatorCodes")]
    shapes, constants, labels = {}, {}, []
    for i, tensor in enumerate(items(graph, "Tensors")):
        label = (tensor.Name() or b"").decode("utf-8", "replace")
        labels.append(label if label and label not in shapes else f"{label or 'tensor'}#{i}")
        sizes = tuple(items(tensor, "Shape"))
        if not 0 <= tensor.Buffer() < len(buffers):
            raise ModelError(
                f"tensor {shown(label)} must name one of {len(buffers)} buffers, got {tensor.Buffer()}"
            )
        buffer = buffers[tensor.Buffer()]
        held = buffer.DataLength() or (buffer.Size() if buffer.Offset() > 1 else 0)
        signature = tuple(items(tensor, "ShapeSignature"))
        open_sizes = len(signature) == len(sizes) and any(n < 0 for n in signature[1:])
        shapes[labels[-1]] = signature if open_sizes else sizes
        if held and not tensor.IsVariable():
            _check_held(label, sizes, tensor.Type(), held, tensor.Sparsity() is not None)
            constants[labels[-1]] = sizes
    ops = [_tflite_op(op, i, codes, labels, items, tflite) for i, op in enumerate(items(graph, "Operators"))]
    notes = [
        LeftOut(f"graph {i}", f"graph {i}", "only the first graph of the file is counted")
        for i in range(1, len(graphs))
    ]
    inputs, outputs = ([labels[i] for i in items(graph, what)] for what in ("Inputs", "Outputs"))
    name = (graph.Name() or b"").decode("utf-8", "replace")
    return Graph(name, inputs, set(outputs), ops, shapes, constants, notes)


def _tflite_code(code: object, names: dict[int, str]) -> str:
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())  # codes from 127 on are in the first alone
    if names.get(number) == "CUSTOM":
        return (code.CustomCode() or b"CUSTOM").decode("utf-8", "replace")
    return names.get(number, f"operator {number}")


def _check_held(label: str, sizes: L.Shape, kind: int, held: int, sparse: bool) -> None:
    """Refuse a stored tensor whose bytes are not as many as its sizes say."""
    bits = {0: 32, 1: 16, 2: 32, 3: 8, 4: 64, 6: 8, 7: 16, 9: 8, 10: 64, 12: 64, 15: 32, 16: 16, 17: 4}
    wanted = -(-math.prod(sizes) * bits.get(kind, 0) // 8)
    if any(n < 0 for n in sizes) or (kind in bits and held != wanted and not sparse):
        raise ModelError(
            f"tensor {shown(label)} must hold as many bytes as its sizes {shown(sizes)} say: "
            f"{shown(wanted)}, got {held}"
        )


_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "BATCH_MATMUL": "BatchMatMulOptions",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTMOptions",
}


def _tflite_op(
    op: object, i: int, codes: list[str], labels: list[str], items: Callable, tflite: object
) -> Op:
    kind = codes[op.OpcodeIndex()]
    reads, makes = ([labels[t] if t >= 0 else "" for t in items(op, what)] for what in ("Inputs", "Outputs"))
    attrs, table = {}, op.BuiltinOptions()
    if kind in _OPTIONS and table is not None:
        options = getattr(tflite, _OPTIONS[kind])()
        options.Init(table.Bytes, table.Pos)
        if hasattr(options, "StrideH"):
            attrs["stride"] = options.StrideH(), options.StrideW()
            attrs["padding"] = {0: "same", 1: "valid"}.get(options.Padding())
            if min(attrs["stride"]) < 1:
                raise ModelError(f"operator {i} ({kind}) must have strides from 1, got {attrs['stride']}")
        if hasattr(options, "FilterHeight"):
            attrs["kernel"] = options.FilterHeight(), options.FilterWidth()
        if hasattr(options, "AdjX"):
            attrs["transposed"] = bool(options.AdjX())
        if hasattr(options, "TimeMajor"):
            attrs["time_major"] = bool(options.TimeMajor())
    return Op(kind, next((t for t in makes if t), f"{kind}{i}"), reads, makes, attrs)
