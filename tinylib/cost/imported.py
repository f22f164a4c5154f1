"""What a model file is read into, whatever its format: operators in order, as layers of this library.

`onnx_files` and `tflite_files` turn bytes into a Graph; the Reader here makes nodes of it, folds batch norm
and bias into the layer before them, and lists what it does not know.
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
class PassThrough(S.Counted):
    """An operator without MACs and its output shape; `vectors` are constants it stores [count]."""

    out: L.Shape
    vectors: int = 0

    def out_shape(self, *in_shapes: L.Shape) -> L.Shape:
        """The shape the file gives."""
        return L.shape("its output", self.out)


@dataclass(frozen=True, repr=False)
class MatMul(PassThrough):
    """Matrix product over `inner` terms; `weights` is 0 when both sides are activations [count]."""

    inner: int = 1
    weights: int = 0

    def work(self, out: L.Shape, in_shapes: tuple[L.Shape, ...]) -> int:
        """Output elements times `inner` [MAC]."""
        return math.prod(out) * L.count("inner", self.inner)


@cache
def operator_row(name: str) -> type[PassThrough]:
    """A layer type that passes its input through under the name of the operator."""
    return type(name, (PassThrough,), {"__doc__": PassThrough.__doc__})


# What both formats are read into


@dataclass
class Op:
    """One operator of a file, with its tensors by name."""

    kind: str
    name: str
    inputs: list[str]  # tensor names, "" where an optional one is missing
    outputs: list[str]
    attrs: dict


@dataclass
class Graph:
    """Operators in running order; `shapes` and `constants` are as the file has them, with batch axis."""

    name: str
    inputs: list[str]
    outputs: set[str]
    ops: list[Op]
    shapes: dict[str, L.Shape]
    constants: dict[str, L.Shape]
    notes: list[LeftOut] = field(default_factory=list)
    first: set[str] = field(default_factory=set)  # tensors with the channels before the positions
    time: set[str] = field(default_factory=set)  # tensors (time, batch, features)


class Reader:
    """Turns a Graph into nodes; a subclass has a method per operator in `known` and lists `passing`."""

    known: dict[str, str] = {}
    passing: frozenset[str] = frozenset()
    storing: frozenset[str] = frozenset()  # element by element: constants of several values are parameters
    values: frozenset[str] = frozenset()  # what they yield is known without the input: a constant

    def __init__(self, graph: Graph) -> None:
        self.graph, self.nodes, self.done = graph, [], set()
        self.folded: dict[str, L.Shape] = {}  # node -> shape
        self.node_of: dict[str, str] = {}  # tensor -> node
        self.passed, self.unknown, self.stored = Counter(), Counter(), Counter()
        self.users: dict[str, list[Op]] = {}
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
            self.put(tensor, tensor, operator_row("Input")(self.shape(tensor)), [first])
        for op in graph.ops:
            if id(op) not in self.done:
                self._read(op)
        name = printable(graph.name) or key
        model = Model(name, self.folded[INPUT], tuple(self.nodes), key)
        notes = [LeftOut(kind, kind, self._why(kind, n)) for kind, n in self.unknown.items()]
        counted = tuple(sorted(self.passed.items())), tuple(sorted(self.unknown.items()))
        return Imported((model,), (*notes, *graph.notes), *counted)

    def _why(self, kind: str, n: int) -> str:
        times = "once" if n == 1 else f"{n} times"
        return f"operator not known, {times}: its MACs and {self.stored[kind]:,} constants are not counted"

    def _read(self, op: Op) -> None:
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

    def other(self, op: Op) -> None:
        """A row of an operator without MACs, or of one that is not known."""
        kind, constants = printable(op.kind) or "?", self.graph.constants
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
            self.row(op, tensor, operator_row(kind)(self.shape(tensor), 0 if i else stored))

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

    def row(self, op: Op, tensor: str, layer: L.Layer, inputs: list[str] | None = None) -> bool:
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
        name = self._free(printable(name) or type(layer).__name__)
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

    def constant(self, op: Op, i: int) -> L.Shape | None:
        """Sizes of input i where it is a stored tensor."""
        return self.graph.constants.get(op.inputs[i]) if i < len(op.inputs) and op.inputs[i] else None

    def alone(self, tensor: str, kind: str) -> Op | None:
        """The operator of `kind` that is the only reader of a tensor."""
        users = self.users.get(tensor, [])
        one = len(users) == 1 and users[0].kind == kind and tensor not in self.graph.outputs
        return users[0] if one else None

    def absorb(self, op: Op) -> None:
        """Mark an operator as part of the one before it."""
        self.done.add(id(op))

    def conv(self, op: Op, kernel: L.Shape, c_out: int, groups: int, stride, stated, **flags) -> bool:
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

    def pool(self, op: Op, kind: str, kernel: L.Shape, stride, stated) -> bool:
        """A row for a pooling window of one or two axes."""
        x, padding = self.padded(op, kernel, stride, stated)
        layer = getattr(L, f"{kind}Pool{len(kernel)}D")(kernel, stride, padding)
        return self.row(op, op.outputs[0], layer, [x])

    def padded(self, op: Op, kernel: L.Shape, stride: L.Shape, stated) -> tuple[str, str | L.Shape]:
        """What a window reads and its padding; ends that differ and fit no layer are a Pad row before it."""
        x, pads = op.inputs[0], op.attrs.get("pads")
        (*sizes, c), (*out, _) = self.folds(x), self.shape(op.outputs[0])
        if len(sizes) != len(kernel) or len(out) != len(kernel):
            raise ValueError(
                f"its input must have {len(kernel)} axes beside the channels, got {self.folds(x)}"
            )
        padding = _padding_that_gives(sizes, kernel, stride, out, stated)
        if padding is None and pads and max(op.attrs.get("dilations") or (1,)) == 1:
            n = len(kernel)
            sizes = [size + pads[i] + pads[n + i] for i, size in enumerate(sizes)]
            padding = _padding_that_gives(sizes, kernel, stride, out, "valid")
            self.put(f"{x}/{op.name}", f"{op.name}.pad", operator_row("Pad")((*sizes, c)), [x])
            x = f"{x}/{op.name}"
        if padding is None:
            raise ValueError(
                f"its window must have the positions of a plain one: dilation or padding is of another kind, "
                f"got {shown(tuple(out))} positions of {shown(kernel)} on {shown(tuple(sizes))}"
            )
        return x, padding

    def global_pool(self, op: Op, kind: str, keep: bool) -> bool:
        """A row for a pool over all positions; `keep` leaves the axes at length 1."""
        *sizes, _ = self.folds(op.inputs[0])
        if len(sizes) not in (1, 2):
            return False
        name = f"{kind}Pool{len(sizes)}D"
        layer = getattr(L, name)(tuple(sizes)) if keep else getattr(L, f"Global{name}")()
        return self.row(op, op.outputs[0], layer, op.inputs[:1])

    def product(
        self, op: Op, inner: int, weights: int, bias: bool, result: str = "", bn: bool = False
    ) -> bool:
        """A row for a matrix product: Dense for one position, MatMul for several."""
        tensor, read = op.outputs[0], [t for t in op.inputs if t not in self.graph.constants]
        out, result = self.shape(tensor), result or tensor
        if weights == inner * math.prod(out) and math.prod(self.folds(read[0])) == inner:
            return self.row(op, result, L.Dense(inner, math.prod(out), bias, bn), read[:1])
        return self.row(op, result, MatMul(out, bias * out[-1], inner, weights), read[:2])

    def together(self, op: Op, layer: L.Layer) -> bool:
        """A row for Add or Concat when that is what the shapes say (broadcasts and other axes are not)."""
        read = [t for t in op.inputs if t]
        if len(read) < 2 or any(t in self.graph.constants for t in read):
            return False
        try:
            fits = layer.out_shape(*map(self.folds, read)) == self.shape(op.outputs[0])
        except ValueError:
            return False
        return fits and self.row(op, op.outputs[0], layer)

    def add(self, op: Op) -> bool:
        """Take an addition; whether it could be."""
        return self.together(op, L.Add())

    def concat(self, op: Op) -> bool:
        """Take a concatenation; whether it could be."""
        return self.together(op, L.Concat())

    def gather(self, op: Op) -> bool:
        """Take a look-up of rows as an embedding; whether it could be."""
        table, at = self.constant(op, 0), op.inputs[1]
        if table is None or len(table) != 2 or at in self.graph.constants or op.attrs.get("axis", 0):
            return False
        return len(self.folds(at)) == 1 and self.row(op, op.outputs[0], S.Embedding(*table), [at])


def _padding_that_gives(sizes, kernel, stride, out, stated: object) -> str | L.Shape | None:
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


def printable(text: str | bytes) -> str:
    """Text of a file for a message: at most 180 characters, odd ones as question marks."""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return "".join(c if c.isprintable() else "?" for c in text)[:180]


def read_file(path: str | Path, form: str, graph: Callable, reader: type[Reader]) -> Imported:
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
            return reader(graph(data)).contents(printable(Path(path).stem) or form)
        except ModelError:
            raise
        except Exception as error:  # a parser fails in any way on bytes that are no model
            got = shown(str(error) or type(error).__name__)
            raise ModelError(f"the file must be a whole {form} model: reading stopped, got {got}") from None
    except ModelError as error:
        raise ModelError(f"{shown(str(path), 200)}: {error}") from None


def missing(package: str) -> ModelError:
    """The error that says how to get a package."""
    return ModelError(
        f"reading this file needs the package {package}: install it by `make lab EXTRAS=import` or "
        f"`pip install '.[import]'` in a clone"
    )
