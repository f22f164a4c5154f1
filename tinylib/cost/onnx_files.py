"""ONNX files: protobuf nodes as operators, and the order of axes that each needs."""

import math
from pathlib import Path

from tinylib.cost import layers as L
from tinylib.cost import sequence as S
from tinylib.cost.imported import Graph, Imported, Op, Reader, missing, operator_row, read_file
from tinylib.cost.models import ModelError
from tinylib.units import shown

_PER_CHANNEL = "Conv QLinearConv ConvInteger BatchNormalization GlobalAveragePool GlobalMaxPool MaxPool"
_PER_CHANNEL += " AveragePool ConvTranspose InstanceNormalization GroupNormalization LRN"
_PER_CHANNEL += " DepthToSpace SpaceToDepth"
_SAME_ORDER = """Relu LeakyRelu PRelu Sigmoid HardSigmoid HardSwish Tanh Elu Selu Celu Gelu Mish Swish
Softplus Softsign ThresholdedRelu Erf Clip Exp Log Sqrt Pow Abs Neg Reciprocal Floor Ceil Round Sign Cast
Identity Dropout QuantizeLinear DequantizeLinear Add Sub Mul Div Min Max Sum Mean Concat Pad Resize
Upsample"""
_ONNX_PASSING = """Softmax LogSoftmax Hardmax Reshape Flatten Squeeze Unsqueeze Transpose Slice Split Gather
GatherElements GatherND Expand Tile DepthToSpace SpaceToDepth DynamicQuantizeLinear ReduceMean ReduceSum
ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ArgMax ArgMin TopK Where Equal Less Greater
LessOrEqual GreaterOrEqual Not And Or Xor Mod IsNaN CastLike Range Constant ConstantOfShape Trilu OneHot
LpNormalization"""
_ONNX_STORING = "Add Sub Mul Div PRelu InstanceNormalization GroupNormalization LayerNormalization"
_ONNX_STORING += " RMSNormalization"


class _Onnx(Reader):
    """Operators of ONNX: tensors (batch, channels, height, width), recurrent ones (time, batch, features)."""

    known = {
        **dict.fromkeys(("Conv", "QLinearConv", "ConvInteger"), "onnx_conv"),
        **dict.fromkeys(("MatMul", "QLinearMatMul", "MatMulInteger"), "matmul"),
        **dict.fromkeys(("LSTM", "GRU", "RNN"), "recurrent"),
        **dict.fromkeys(("MaxPool", "AveragePool"), "onnx_pool"),
        **dict.fromkeys(("GlobalMaxPool", "GlobalAveragePool"), "onnx_global_pool"),
        **dict.fromkeys(("LayerNormalization", "RMSNormalization"), "layer_norm"),
        "Gemm": "gemm",
        "BatchNormalization": "batch_norm",
        "ReduceMean": "mean",
        "Add": "add",
        "Sum": "add",
        "Concat": "concat",
        "Gather": "gather",
    }
    storing = frozenset(_ONNX_STORING.split())
    passing = frozenset(f"{_ONNX_PASSING} {_SAME_ORDER}".split()) - storing
    values = frozenset(("Shape", "Size"))

    def batchless(self, tensor: str, sizes: L.Shape) -> L.Shape:
        if tensor in self.graph.time and len(sizes) == 3:
            return sizes[:1] + sizes[2:]
        if tensor in self.graph.first and len(sizes) > 2:
            return (*sizes[2:], sizes[1])
        if len(sizes) > 2 and sizes[0] != 1 and sizes[1] == 1:
            return sizes[:1] + sizes[2:]
        return super().batchless(tensor, sizes)

    def onnx_conv(self, op: Op) -> bool:
        at, bias_at = (3, 8) if op.kind == "QLinearConv" else (1, 2 if op.kind == "Conv" else 99)
        weights = self.constant(op, at)
        if weights is None or len(weights) not in (3, 4):
            return False
        c_out, _, *kernel = weights
        stride, stated = _onnx_window(op, len(kernel))
        flags = {"bias": bool(op.inputs[bias_at : bias_at + 1] and op.inputs[bias_at])}
        norm = self.norm_behind(op)
        if norm:
            flags |= {"batch_norm": True, "result": norm.outputs[0]}
        groups = L.count("group", op.attrs.get("group", 1))
        if len(self.folds(op.inputs[0])) == len(kernel) + 1:
            c_in = self.folds(op.inputs[0])[-1]
            if weights[1] * groups != c_in:
                raise ValueError(f"its weights must serve {c_in} channels in {groups} groups, got {weights}")
        self.conv(op, tuple(kernel), c_out, groups, stride, stated, **flags)
        if norm:
            self.absorb(norm)
        return True

    def norm_behind(self, op: Op) -> Op | None:
        norm = self.alone(op.outputs[0], "BatchNormalization")
        return norm if norm and all(self.constant(norm, i) for i in (1, 2, 3, 4)) else None

    def batch_norm(self, op: Op) -> bool:
        scale = self.constant(op, 1)
        return scale is not None and self.row(op, op.outputs[0], S.BatchNorm(math.prod(scale)), op.inputs[:1])

    def layer_norm(self, op: Op) -> bool:
        scale = self.constant(op, 1)
        if scale is None or len(scale) != 1:
            return False
        layer = S.LayerNorm(scale[0], len(op.inputs) > 2 and bool(op.inputs[2]))
        return self.row(op, op.outputs[0], layer, op.inputs[:1])

    def onnx_pool(self, op: Op) -> bool:
        kernel = op.attrs["kernel_shape"]
        if len(kernel) not in (1, 2):
            return False
        stride, stated = _onnx_window(op, len(kernel))
        return self.pool(op, "Max" if op.kind == "MaxPool" else "Avg", tuple(kernel), stride, stated)

    def onnx_global_pool(self, op: Op) -> bool:
        users = self.users.get(op.outputs[0], [])
        keep = any(user.kind not in ("Flatten", "Reshape", "Squeeze") for user in users)
        return self.global_pool(op, "Max" if op.kind == "GlobalMaxPool" else "Avg", keep)

    def mean(self, op: Op) -> bool:
        sizes, out = self.sizes(op.inputs[0]), self.sizes(op.outputs[0])
        means = sizes[:2], sizes[:2] + (1,) * (len(sizes) - 2)
        if op.inputs[0] not in self.graph.first or out not in means:
            return False
        return self.global_pool(op, "Avg", len(out) > 2)

    def matmul(self, op: Op) -> bool:
        right = 3 if op.kind == "QLinearMatMul" else 1
        stored = [self.constant(op, i) for i in (0, right)]
        inner = (stored[0] or self.sizes(op.inputs[0]))[-1]
        weights = sum(math.prod(s) for s in stored if s)
        add = self.alone(op.outputs[0], "Add") if stored[1] else None
        if add:
            adds = [self.graph.constants[t] for t in add.inputs if t in self.graph.constants]
            add = add if adds and math.prod(adds[0]) == adds[0][-1] == stored[1][-1] else None
        self.product(op, inner, weights, bool(add), add.outputs[0] if add else "")
        if add:
            self.absorb(add)
        return True

    def gemm(self, op: Op) -> bool:
        stored = [self.constant(op, i) for i in (0, 1)]
        inner = (stored[0] or self.sizes(op.inputs[0]))[0 if op.attrs.get("transA") else -1]
        if stored[1] and inner != stored[1][1 if op.attrs.get("transB") else 0]:
            raise ValueError(f"its weights must serve {inner} features, got {stored[1]}")
        norm = self.norm_behind(op) if stored[1] and len(self.shape(op.outputs[0])) == 1 else None
        weights, bias = sum(math.prod(s) for s in stored if s), self.constant(op, 2) is not None
        self.product(op, inner, weights, bias, norm.outputs[0] if norm else "", norm is not None)
        if norm:
            self.absorb(norm)
        return True

    def recurrent(self, op: Op) -> bool:
        weights, states, bias = (self.constant(op, i) for i in (1, 2, 3))
        open_bias = len(op.inputs) > 3 and op.inputs[3] and not bias
        if not weights or not states or self.constant(op, 7) or open_bias:  # input 7: peepholes
            return False
        (ways, _, n), m = weights, states[-1]
        cell = {"LSTM": S.LSTM, "GRU": S.GRU, "RNN": S.Elman}[op.kind]
        used = [t for t in op.outputs if t and (t in self.users or t in self.graph.outputs)]
        used = used or [t for t in op.outputs if t][:1]
        last = used[0] != op.outputs[0]
        layer = cell(n, m, 2 if bias else 0, last)
        if weights[1] != layer.gates * m or ways not in (1, 2):
            raise ValueError(f"its weights must be {layer.gates} blocks of {m} rows, got {weights}")
        if ways == 1:
            self.row(op, used[0], layer, op.inputs[:1])
        else:
            parts = [f"{used[0]}/{way}" for way in range(2)]
            for part in parts:
                self.row(op, part, layer, op.inputs[:1])
            self.row(op, used[0], L.Concat(), parts)
        for tensor in used[1:]:
            self.row(op, tensor, operator_row("State")((ways * m,)), used[:1])
        return True


def _onnx_window(op: Op, n: int) -> tuple[L.Shape, str | L.Shape | None]:
    """Stride and padding of a window of n axes; padding None where the two ends differ."""
    stride, pads = tuple(op.attrs.get("strides") or (1,) * n), tuple(op.attrs.get("pads") or (0,) * 2 * n)
    if len(stride) != n or len(pads) != 2 * n or min(stride) < 1 or min(pads) < 0:
        raise ValueError(f"its strides and pads must fit {n} axes, got {shown(stride)} and {shown(pads)}")
    auto = op.attrs.get("auto_pad", b"NOTSET")
    if auto in (b"SAME_UPPER", b"SAME_LOWER", b"VALID"):
        return stride, "valid" if auto == b"VALID" else "same"
    if not any(pads):
        return stride, "valid"
    return stride, pads[:n] if pads[:n] == pads[n:] else None


def read_onnx(path: str | Path) -> Imported:
    """The model of an ONNX file. Raises ModelError: one sentence, also when `onnx` is not installed."""
    return read_file(path, "ONNX", _onnx_graph, _Onnx)


def _onnx_graph(data: bytes) -> Graph:
    try:
        import onnx
        from onnx import helper, shape_inference
    except ImportError:
        raise missing("onnx") from None
    model = onnx.ModelProto()
    model.ParseFromString(data)
    proto = model.graph
    if not proto.node:
        raise ModelError("the file must be an ONNX model: it holds no operators, got a graph without nodes")
    ops = [_onnx_op(node, i, helper) for i, node in enumerate(proto.node)]
    constants = {t.name: tuple(t.dims) for t in proto.initializer}
    constants |= {t.values.name: tuple(t.dims) for t in proto.sparse_initializer}
    for tensor in proto.initializer:
        _check_whole(tensor, onnx.TensorProto)
    first, time = _orders(ops, constants)
    inputs, batch = [v for v in proto.input if v.name not in constants], set()
    for value in inputs:
        axis = int(value.name in time)
        for i, dim in enumerate(value.type.tensor_type.shape.dim):
            if i == axis and (not dim.HasField("dim_value") or dim.dim_value < 1):
                batch.add(dim.dim_param)
                dim.dim_value = 1
            elif not dim.HasField("dim_value"):
                got = [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
                raise ModelError(
                    f"input {shown(value.name)} must have fixed sizes beside its batch axis: counts follow "
                    f"from them, got {shown(got)}"
                )
    for value in (*proto.output, *proto.value_info):  # what they leave open follows from the inputs
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param and dim.dim_param in batch:
                dim.dim_value = 1
            elif not dim.HasField("dim_value") or dim.dim_value < 1:
                dim.Clear()
    outputs, names = {v.name for v in proto.output}, [v.name for v in inputs]
    proto = shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {}
    for value in (*proto.value_info, *proto.output, *proto.input):
        if value.type.tensor_type.HasField("shape"):
            dims = value.type.tensor_type.shape.dim
            shapes[value.name] = tuple(d.dim_value if d.HasField("dim_value") else 0 for d in dims)
    return Graph(proto.name, names, outputs, ops, shapes, constants, first=first, time=time)


def _onnx_op(node: object, i: int, helper: object) -> Op:
    attrs = {a.name: helper.get_attribute_value(a) for a in node.attribute if a.type in (1, 2, 3, 6, 7, 8)}
    kind = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    name = node.name or next((t for t in node.output if t), f"{kind}{i}")
    return Op(kind, name, list(node.input), list(node.output), attrs)


def _check_whole(tensor: object, proto: type) -> None:
    """Refuse a stored tensor whose bytes are not as many as its sizes say."""
    kinds = {1: "UINT8 INT8 BOOL", 2: "UINT16 INT16 FLOAT16 BFLOAT16", 4: "FLOAT INT32 UINT32"}
    kinds[8] = "DOUBLE INT64 UINT64"
    size = next((n for n, k in kinds.items() if tensor.data_type in map(proto.DataType.Value, k.split())), 0)
    wanted = math.prod(tensor.dims) * size
    if any(n < 0 for n in tensor.dims) or (size and tensor.raw_data and len(tensor.raw_data) != wanted):
        raise ModelError(
            f"tensor {shown(tensor.name)} must hold as many bytes as its sizes {shown(tuple(tensor.dims))} "
            f"say: {shown(wanted)}, got {len(tensor.raw_data)}"
        )


def _orders(ops: list[Op], constants: dict) -> tuple[set[str], set[str]]:
    """Tensors with the channels first, and those with time first: one that a convolution or a recurrent
    layer touches, and all that operators connect with it which keep the order of the axes."""
    parent: dict[str, str] = {}

    def root(tensor: str) -> str:
        while parent.setdefault(tensor, tensor) != tensor:
            parent[tensor] = tensor = parent[parent[tensor]]
        return tensor

    same = set(_SAME_ORDER.split())
    marks: dict[str, list[str]] = {"first": [], "time": []}
    for op in ops:
        touched = [t for t in (*op.inputs, *op.outputs) if t and t not in constants]
        if op.kind in same:
            for t in touched[1:]:
                parent[root(t)] = root(touched[0])
        elif op.kind in _PER_CHANNEL.split():
            marks["first"] += [*op.inputs[:1], *op.outputs[:1]]
        elif op.kind in ("LSTM", "GRU", "RNN") and not op.attrs.get("layout"):
            marks["time"] += op.inputs[:1]
    roots = {key: {root(t) for t in marked} for key, marked in marks.items()}
    first, time = ({t for t in parent if root(t) in roots[key]} for key in ("first", "time"))
    return first, time - first
