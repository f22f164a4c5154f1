"""Models from .onnx and .tflite files, as the layers of this library: `read_onnx`, `read_tflite`.

Shapes come out as (height, width, channels) or (time, features) whatever order a file has, the batch axis
is dropped, and only the sizes of stored tensors are looked at, never their values. Batch norm right behind
a convolution or a dense layer becomes part of it, as does the bias added to a matrix product. Operators
without MACs (activations, reshape, pad, quantize) are rows under their own name; constants of several
values that are added or multiplied element by element count as parameters. Operators this module does not
know are rows marked "(not counted)" and are listed in `left_out`. Dilated convolutions count if a plain
window of the same size has as many positions. A weight that two operators share counts in both.
Source: ONNX operator reference, opset 21 (onnx.ai/onnx/operators); TensorFlow Lite schema.fbs, version 3.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tinylib.cost import layers as L
from tinylib.cost import sequence as S
from tinylib.cost.models import INPUT, Contents, LeftOut, Model, ModelError, Node
from tinylib.units import shown


@dataclass(frozen=True)
class Imported(Contents):
    """One model of a file; `passed` and `unknown` pair operators with how often they occur.

    Those in `passed` cost no MACs; those in `unknown` are in no total and in `left_out` as well.
    """

    passed: tuple[tuple[str, int], ...] = ()
    unknown: tuple[tuple[str, int], ...] = ()


# Layers that only files have


@dataclass(frozen=True, repr=False)
class PassThrough(L.Layer):
    """An operator without MACs and its output shape; `vectors` are constants it stores [count]."""

    out: L.Shape
    vectors: int = 0

    @property
    def params(self) -> int:
        """Weights, if any, and other stored values [count]."""
        return self.weights + self.vectors

    @property
    def params_bn_folded(self) -> int:
        """The same [count]: nothing folds."""
        return self.params

    def out_shape(self, *in_shapes: L.Shape) -> L.Shape:
        """The shape the file gives."""
        return L.shape("its output", self.out)


@dataclass(frozen=True, repr=False)
class MatMul(PassThrough):
    """Matrix product over `inner` terms; `weights` is 0 when both sides are activations [count]."""

    inner: int = 1
    weights: int = 0

    def macs(self, *in_shapes: L.Shape) -> int:
        """Output elements times `inner` [MAC]."""
        return math.prod(self.out_shape(*in_shapes)) * L.count("inner", self.inner)


@cache
def _operator(name: str) -> type[PassThrough]:
    return type(name, (PassThrough,), {"__doc__": PassThrough.__doc__})


# What both formats are read into


@dataclass
class _Op:
    kind: str
    name: str
    inputs: list[str]  # tensor names, "" where an optional one is missing
    outputs: list[str]
    attrs: dict


@dataclass
class _Graph:
    """Operators in running order; `shapes` and `constants` are as the file has them, with batch axis."""

    name: str
    inputs: list[str]
    outputs: set[str]
    ops: list[_Op]
    shapes: dict[str, L.Shape]
    constants: dict[str, L.Shape]
    notes: list[LeftOut] = field(default_factory=list)
    first: set[str] = field(default_factory=set)  # tensors with the channels before the positions
    time: set[str] = field(default_factory=set)  # tensors (time, batch, features)


class _Reader:
    """Turns a _Graph into nodes; a subclass has a method per operator in `known` and lists `passing`."""

    known: dict[str, str] = {}
    passing: frozenset[str] = frozenset()
    storing: frozenset[str] = frozenset()  # element by element: constants of several values are parameters
    values: frozenset[str] = frozenset()  # what they yield is known without the input: a constant

    def __init__(self, graph: _Graph) -> None:
        self.graph, self.nodes, self.done = graph, [], set()
        self.folded: dict[str, L.Shape] = {}  # node -> shape
        self.node_of: dict[str, str] = {}  # tensor -> node
        self.passed, self.unknown, self.stored = Counter(), Counter(), Counter()
        self.users: dict[str, list[_Op]] = {}
        for op in graph.ops:
            for tensor in op.inputs:
                self.users.setdefault(tensor, []).append(op)

    def contents(self, key: str) -> Imported:
        """The model with one node per operator."""
        graph = self.graph
        if not graph.inputs:
            raise ModelError("the graph must have an input: shapes follow from it, got none")
        for tensor in graph.inputs:
            sizes = self.sizes(tensor)
            if len(sizes) > 1 and sizes[tensor in graph.time] != 1:
                raise ModelError(
                    f"input {shown(tensor)} must have a batch axis of 1 or one without a number: counts are "
                    f"of one inference, got {shown(sizes)}"
                )
        first, *others = graph.inputs
        self.node_of[first], self.folded[INPUT] = INPUT, self.shape(first)
        for tensor in others:
            self.put(tensor, tensor, _operator("Input")(self.shape(tensor)), [first])
        for op in graph.ops:
            if id(op) not in self.done:
                self._read(op)
        name = _printable(graph.name) or key
        model = Model(name, self.folded[INPUT], tuple(self.nodes), key)
        notes = [LeftOut(kind, kind, self._why(kind, n)) for kind, n in self.unknown.items()]
        counted = tuple(sorted(self.passed.items())), tuple(sorted(self.unknown.items()))
        return Imported((model,), (*notes, *graph.notes), *counted)

    def _why(self, kind: str, n: int) -> str:
        times = "once" if n == 1 else f"{n} times"
        return f"operator not known, {times}: its MACs and {self.stored[kind]:,} constants are not counted"

    def _read(self, op: _Op) -> None:
        constant = all(t in self.graph.constants for t in op.inputs if t) or op.kind in self.values
        if constant and (op.kind in self.known or op.kind in self.passing | self.storing | self.values):
            self.graph.constants |= {t: self.graph.shapes.get(t, ()) for t in op.outputs if t}
            return
        try:
            if op.kind not in self.known or not getattr(self, self.known[op.kind])(op):
                self.other(op)
        except ModelError:
            raise
        except (IndexError, KeyError, ZeroDivisionError):
            why = "its inputs and sizes must be those of its kind, got others"
        except (TypeError, ValueError) as error:
            why = error
        else:
            return
        raise ModelError(f"layer {shown(op.name)} ({shown(op.kind)}): {why}")

    def other(self, op: _Op) -> None:
        """A row of an operator without MACs, or of one that is not known."""
        kind, constants = _printable(op.kind) or "?", self.graph.constants
        values = [math.prod(constants[t]) for t in op.inputs if t in constants]
        if op.kind in self.passing or op.kind in self.storing:
            self.passed[kind] += 1
            stored = sum(v for v in values if v > 1) if op.kind in self.storing else 0
        else:
            self.unknown[kind] += 1
            self.stored[kind] += sum(values)
            kind, stored = f"{kind} (not counted)", 0
        used = [t for t in op.outputs if t and (t in self.users or t in self.graph.outputs)]
        for i, tensor in enumerate(used or [t for t in op.outputs if t][:1]):
            self.row(op, tensor, _operator(kind)(self.shape(tensor), 0 if i else stored))

    # helpers of the operators

    def batchless(self, tensor: str, sizes: L.Shape) -> L.Shape:
        """`sizes` in the order of this library, without the batch axis."""
        return sizes[1:] if len(sizes) > 1 and sizes[0] == 1 else sizes

    def sizes(self, tensor: str) -> L.Shape:
        """Sizes of a tensor as the file has them; raises when they are not fixed."""
        sizes = self.graph.constants.get(tensor) or self.graph.shapes.get(tensor)
        if sizes is None or not all(isinstance(n, int) and n > 0 for n in sizes):
            after = f" behind the operator {', '.join(self.unknown)} (not known)" if self.unknown else ""
            got = shown(sizes) if sizes else "no shape"
            raise ModelError(
                f"tensor {shown(tensor)}{after} must have fixed sizes beside its batch axis: counts follow "
                f"from them, got {got}"
            )
        return sizes

    def shape(self, tensor: str) -> L.Shape:
        """Sizes of a tensor in the order of this library."""
        return self.batchless(tensor, self.sizes(tensor)) or (1,)

    def row(self, op: _Op, tensor: str, layer: L.Layer, inputs: list[str] | None = None) -> bool:
        """Put `layer` as the source of a tensor; by default it reads all activations of the operator."""
        read = op.inputs if inputs is None else inputs
        read = [t for t in read if t and t not in self.graph.constants]
        return self.put(tensor, op.name, layer, read)

    def put(self, tensor: str, name: str, layer: L.Layer, read: list[str]) -> bool:
        """Add a node under a name not yet taken."""
        missing = next((t for t in read if t not in self.node_of), None)
        if missing is not None:
            raise ModelError(
                f"layer {shown(name)} must read tensors made before it: the operators of a file stand in "
                f"running order, got {shown(missing)}"
            )
        src = tuple(self.node_of[t] for t in read) or (INPUT,)
        name = self._free(_printable(name) or type(layer).__name__)
        try:
            out = layer.out_shape(*(self.folded[s] for s in src))
            wanted = self.graph.shapes.get(tensor)
            if wanted and all(wanted) and math.prod(out) != math.prod(self.shape(tensor)):
                raise ValueError(f"its output must have shape {out}: it follows from the input, got {wanted}")
        except (TypeError, ValueError) as error:
            raise ModelError(f"layer {shown(name)}: {error}") from None
        self.nodes.append(Node(name, layer, src))
        self.folded[name], self.node_of[tensor] = out, name
        return True

    def _free(self, name: str) -> str:
        base, n = name, 1
        while name in self.folded:
            n += 1
            name = f"{base}.{n}"
        return name

    def folds(self, tensor: str) -> L.Shape:
        """The shape of a tensor as the nodes so far make it."""
        return self.folded[self.node_of[tensor]]

    def constant(self, op: _Op, i: int) -> L.Shape | None:
        """Sizes of input i where it is a stored tensor."""
        return self.graph.constants.get(op.inputs[i]) if i < len(op.inputs) and op.inputs[i] else None

    def alone(self, tensor: str, kind: str) -> _Op | None:
        """The operator of `kind` that is the only reader of a tensor."""
        users = self.users.get(tensor, [])
        one = len(users) == 1 and users[0].kind == kind and tensor not in self.graph.outputs
        return users[0] if one else None

    def absorb(self, op: _Op) -> None:
        """Mark an operator as part of the one before it."""
        self.done.add(id(op))

    def conv(self, op: _Op, kernel: L.Shape, c_out: int, groups: int, stride, stated, **flags) -> bool:
        """A row for a convolution of one or two axes; depthwise where each group is one channel."""
        x, result = op.inputs[0], flags.pop("result", op.outputs[0])
        c_in = self.folds(x)[-1]
        x, padding = self.padded(op, kernel, stride, stated)
        if len(kernel) == 2 and groups == c_in > 1:
            layer = L.DepthwiseConv2D(c_in, kernel, stride, padding, c_out // groups, **flags)
        else:
            layer = (L.Conv1D, L.Conv2D)[len(kernel) - 1](
                c_in, c_out, kernel, stride, padding, groups, **flags
            )
        return self.row(op, result, layer, [x])

    def pool(self, op: _Op, kind: str, kernel: L.Shape, stride, stated) -> bool:
        """A row for a pooling window of one or two axes."""
        x, padding = self.padded(op, kernel, stride, stated)
        layer = getattr(L, f"{kind}Pool{len(kernel)}D")(kernel, stride, padding)
        return self.row(op, op.outputs[0], layer, [x])

    def padded(self, op: _Op, kernel: L.Shape, stride: L.Shape, stated) -> tuple[str, str | L.Shape]:
        """What a window reads and its padding; ends that differ and fit no layer are a Pad row before it."""
        x, pads = op.inputs[0], op.attrs.get("pads")
        (*sizes, c), (*out, _) = self.folds(x), self.shape(op.outputs[0])
        if len(sizes) != len(kernel) or len(out) != len(kernel):
            raise ValueError(
                f"its input must have {len(kernel)} axes beside the channels, got {self.folds(x)}"
            )
        padding = _padding(sizes, kernel, stride, out, stated)
        if padding is None and pads and max(op.attrs.get("dilations") or (1,)) == 1:
            n = len(kernel)
            sizes = [size + pads[i] + pads[n + i] for i, size in enumerate(sizes)]
            padding = _padding(sizes, kernel, stride, out, "valid")
            self.put(f"{x}/{op.name}", f"{op.name}.pad", _operator("Pad")((*sizes, c)), [x])
            x = f"{x}/{op.name}"
        if padding is None:
            raise ValueError(
                f"its window must have the positions of a plain one: dilation or padding is of another kind, "
                f"got {shown(tuple(out))} positions of {shown(kernel)} on {shown(tuple(sizes))}"
            )
        return x, padding

    def global_pool(self, op: _Op, kind: str, keep: bool) -> bool:
        """A row for a pool over all positions; `keep` leaves the axes at length 1."""
        *sizes, _ = self.folds(op.inputs[0])
        if len(sizes) not in (1, 2):
            return False
        name = f"{kind}Pool{len(sizes)}D"
        layer = getattr(L, name)(tuple(sizes)) if keep else getattr(L, f"Global{name}")()
        return self.row(op, op.outputs[0], layer, op.inputs[:1])

    def product(
        self, op: _Op, inner: int, weights: int, bias: bool, result: str = "", bn: bool = False
    ) -> bool:
        """A row for a matrix product: Dense for one position, MatMul for several."""
        tensor, read = op.outputs[0], [t for t in op.inputs if t not in self.graph.constants]
        out, result = self.shape(tensor), result or tensor
        if weights == inner * math.prod(out) and math.prod(self.folds(read[0])) == inner:
            return self.row(op, result, L.Dense(inner, math.prod(out), bias, bn), read[:1])
        return self.row(op, result, MatMul(out, bias * out[-1], inner, weights), read[:2])

    def together(self, op: _Op, layer: L.Layer) -> bool:
        """A row for Add or Concat when that is what the shapes say (broadcasts and other axes are not)."""
        read = [t for t in op.inputs if t]
        if len(read) < 2 or any(t in self.graph.constants for t in read):
            return False
        try:
            fits = layer.out_shape(*map(self.folds, read)) == self.shape(op.outputs[0])
        except ValueError:
            return False
        return fits and self.row(op, op.outputs[0], layer)

    def add(self, op: _Op) -> bool:
        return self.together(op, L.Add())

    def concat(self, op: _Op) -> bool:
        return self.together(op, L.Concat())

    def gather(self, op: _Op) -> bool:
        table, at = self.constant(op, 0), op.inputs[1]
        if table is None or len(table) != 2 or at in self.graph.constants or op.attrs.get("axis", 0):
            return False
        return len(self.folds(at)) == 1 and self.row(op, op.outputs[0], S.Embedding(*table), [at])


def _padding(sizes, kernel, stride, out, stated: object) -> str | L.Shape | None:
    """Padding, as a layer takes it, that gives `out` positions: the stated one if it does; None = no such."""
    found = [stated] if stated is not None else []
    least = [max(0, -(-((o - 1) * s + k - n) // 2)) for n, k, s, o in zip(sizes, kernel, stride, out)]
    for padding in (*found, "same", tuple(least)):
        if padding == "same":
            got = [-(-n // s) for n, s in zip(sizes, stride)]
        else:
            pads = (0,) * len(sizes) if padding == "valid" else padding
            got = [(n + 2 * p - k) // s + 1 for n, p, k, s in zip(sizes, pads, kernel, stride)]
        if got == list(out):
            return padding
    return None


def _printable(text: str | bytes) -> str:
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return "".join(c if c.isprintable() else "?" for c in text)[:180]


def _read(path: str | Path, form: str, graph: Callable, reader: type[_Reader]) -> Imported:
    """Contents of a file, every failure being one ModelError."""
    if not isinstance(path, (str, Path)):
        raise ModelError(f"model file must be a path, got {shown(path)}")
    try:
        try:
            data = Path(path).read_bytes()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise ModelError(f"the file must be readable, got {why}") from None
        try:
            return reader(graph(data)).contents(_printable(Path(path).stem) or form)
        except ModelError:
            raise
        except Exception as error:  # a parser fails in any way on bytes that are no model
            got = shown(str(error) or type(error).__name__)
            raise ModelError(f"the file must be a whole {form} model: reading stopped, got {got}") from None
    except ModelError as error:
        raise ModelError(f"{shown(str(path), 200)}: {error}") from None


def _missing(package: str) -> ModelError:
    return ModelError(
        f"reading this file needs the package {package}: install it by `make lab EXTRAS=import` or "
        f"`pip install tinyml-workbook[import]`"
    )


# ONNX

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


class _Onnx(_Reader):
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

    def onnx_conv(self, op: _Op) -> bool:
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

    def norm_behind(self, op: _Op) -> _Op | None:
        norm = self.alone(op.outputs[0], "BatchNormalization")
        return norm if norm and all(self.constant(norm, i) for i in (1, 2, 3, 4)) else None

    def batch_norm(self, op: _Op) -> bool:
        scale = self.constant(op, 1)
        return scale is not None and self.row(op, op.outputs[0], S.BatchNorm(math.prod(scale)), op.inputs[:1])

    def layer_norm(self, op: _Op) -> bool:
        scale = self.constant(op, 1)
        if scale is None or len(scale) != 1:
            return False
        layer = S.LayerNorm(scale[0], len(op.inputs) > 2 and bool(op.inputs[2]))
        return self.row(op, op.outputs[0], layer, op.inputs[:1])

    def onnx_pool(self, op: _Op) -> bool:
        kernel = op.attrs["kernel_shape"]
        if len(kernel) not in (1, 2):
            return False
        stride, stated = _onnx_window(op, len(kernel))
        return self.pool(op, "Max" if op.kind == "MaxPool" else "Avg", tuple(kernel), stride, stated)

    def onnx_global_pool(self, op: _Op) -> bool:
        users = self.users.get(op.outputs[0], [])
        keep = any(user.kind not in ("Flatten", "Reshape", "Squeeze") for user in users)
        return self.global_pool(op, "Max" if op.kind == "GlobalMaxPool" else "Avg", keep)

    def mean(self, op: _Op) -> bool:
        sizes, out = self.sizes(op.inputs[0]), self.sizes(op.outputs[0])
        means = sizes[:2], sizes[:2] + (1,) * (len(sizes) - 2)
        if op.inputs[0] not in self.graph.first or out not in means:
            return False
        return self.global_pool(op, "Avg", len(out) > 2)

    def matmul(self, op: _Op) -> bool:
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

    def gemm(self, op: _Op) -> bool:
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

    def recurrent(self, op: _Op) -> bool:
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
            self.row(op, tensor, _operator("State")((ways * m,)), used[:1])
        return True


def _onnx_window(op: _Op, n: int) -> tuple[L.Shape, str | L.Shape | None]:
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
    return _read(path, "ONNX", _onnx_graph, _Onnx)


def _onnx_graph(data: bytes) -> _Graph:
    try:
        import onnx
        from onnx import helper, shape_inference
    except ImportError:
        raise _missing("onnx") from None
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
    return _Graph(proto.name, names, outputs, ops, shapes, constants, first=first, time=time)


def _onnx_op(node: object, i: int, helper: object) -> _Op:
    attrs = {a.name: helper.get_attribute_value(a) for a in node.attribute if a.type in (1, 2, 3, 6, 7, 8)}
    kind = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    name = node.name or next((t for t in node.output if t), f"{kind}{i}")
    return _Op(kind, name, list(node.input), list(node.output), attrs)


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


def _orders(ops: list[_Op], constants: dict) -> tuple[set[str], set[str]]:
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


# TensorFlow Lite

_TFLITE_PASSING = """ABS ARG_MAX ARG_MIN BATCH_TO_SPACE_ND BROADCAST_TO CAST CEIL CONCATENATION COS
DENSIFY DEPTH_TO_SPACE
DEQUANTIZE ELU EQUAL EXP EXPAND_DIMS FAKE_QUANT FILL FLOOR GATHER GATHER_ND GELU GREATER GREATER_EQUAL
HARD_SWISH L2_NORMALIZATION LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC
LOG_SOFTMAX MAXIMUM MEAN MINIMUM MIRROR_PAD NEG NOT_EQUAL ONE_HOT PACK PAD PADV2 POW QUANTIZE RANGE
REDUCE_MAX REDUCE_MIN REDUCE_PROD RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR
RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT SELECT_V2 SIGN SIN SLICE SOFTMAX SPACE_TO_BATCH_ND
SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUM TANH TILE TOPK_V2
TRANSPOSE UNPACK WHERE ZEROS_LIKE"""


class _TFLite(_Reader):
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

    def has_bias(self, op: _Op) -> bool:
        return self.constant(op, 2) is not None

    def conv_2d(self, op: _Op) -> bool:
        weights = self.constant(op, 1)
        if weights is None:
            return False
        c_out, *kernel, c_in = weights
        channels = self.folds(op.inputs[0])[-1]
        if len(kernel) != 2 or channels % c_in:
            raise ValueError(f"its weights must serve {channels} channels, got {weights}")
        stride, stated = op.attrs["stride"], op.attrs["padding"]
        return self.conv(op, tuple(kernel), c_out, channels // c_in, stride, stated, bias=self.has_bias(op))

    def depthwise(self, op: _Op) -> bool:
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

    def pool_2d(self, op: _Op) -> bool:
        kind = "Max" if op.kind == "MAX_POOL_2D" else "Avg"
        return self.pool(op, kind, op.attrs["kernel"], op.attrs["stride"], op.attrs["padding"])

    def mean(self, op: _Op) -> bool:
        sizes, out = self.sizes(op.inputs[0]), self.sizes(op.outputs[0])
        kept = (1,) * (len(sizes) - 1) + sizes[-1:]
        if len(sizes) < 3 or out not in (kept, (1, sizes[-1])):
            return False
        return self.global_pool(op, "Avg", len(out) > 2)

    def fully_connected(self, op: _Op) -> bool:
        weights = self.constant(op, 1)
        if weights is None:
            return False
        c_out, inner = weights
        positions, rest = divmod(math.prod(self.folds(op.inputs[0])), inner)
        if rest or positions * c_out != math.prod(self.shape(op.outputs[0])):
            raise ValueError(f"its weights must serve the input {self.folds(op.inputs[0])}, got {weights}")
        return self.product(op, inner, math.prod(weights), self.has_bias(op))

    def batch_matmul(self, op: _Op) -> bool:
        stored = [self.constant(op, i) for i in (0, 1)]
        inner = (stored[0] or self.sizes(op.inputs[0]))[-2 if op.attrs["transposed"] else -1]
        return self.product(op, inner, sum(math.prod(s) for s in stored if s), False)

    def lstm(self, op: _Op) -> bool:
        given = [self.constant(op, i) for i in range(1, 24)]
        plain = all(given[:8]) and all(given[11:15]) and not any((*given[8:11], *given[15:17], *given[19:]))
        if not plain or op.attrs["time_major"]:
            return False
        layer = S.LSTM(given[0][1], given[0][0], bias_vectors=1)
        return self.row(op, op.outputs[0], layer, op.inputs[:1])


def read_tflite(path: str | Path) -> Imported:
    """The first graph of a TensorFlow Lite file. Raises ModelError, also when `tflite` is not installed."""
    return _read(path, "TensorFlow Lite", _tflite_graph, _TFLite)


def _tflite_graph(data: bytes) -> _Graph:
    try:
        import flatbuffers  # noqa: F401
        import tflite
    except ImportError:
        raise _missing("tflite") from None
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
    return _Graph(name, inputs, set(outputs), ops, shapes, constants, notes)


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
) -> _Op:
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
    return _Op(kind, next((t for t in makes if t), f"{kind}{i}"), reads, makes, attrs)
