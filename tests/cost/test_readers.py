"""Readers of .onnx and .tflite files: the counts of layers written by hand, or one sentence."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinylib.cost import layers as L
from tinylib.cost import readers
from tinylib.cost import sequence as S
from tinylib.cost.models import ModelError, Node, sequential

if os.environ.get("CI"):  # there the extra `import` is installed: a missing package is a failure
    import flatbuffers
    import onnx
    import tflite
else:
    onnx = pytest.importorskip("onnx")
    tflite = pytest.importorskip("tflite")
    flatbuffers = pytest.importorskip("flatbuffers")

FLOAT = 1


# ---- ONNX graphs


def op(kind, inputs, outputs, **attributes):
    return onnx.helper.make_node(
        kind, inputs.split(), outputs.split(), name=f"{kind}_{outputs}", **attributes
    )


def stored(**sizes):
    return [
        onnx.TensorProto(name=name, dims=dims, data_type=FLOAT, raw_data=bytes(4 * prod(dims)))
        for name, dims in sizes.items()
    ]


def prod(dims):
    n = 1
    for d in dims:
        n *= d
    return n


def graph(nodes, x, weights, out="y", domain=None, infos=()):
    value = onnx.helper.make_tensor_value_info
    inputs = [value(name, FLOAT, sizes) for name, sizes in x.items()]
    made = onnx.helper.make_graph(
        nodes, "net", inputs, [value(out, FLOAT, None)], stored(**weights), value_info=list(infos)
    )
    sets = [onnx.helper.make_opsetid(name, v) for name, v in (("", 17), (domain, 1)) if name is not None]
    return onnx.helper.make_model(made, opset_imports=sets)


@pytest.fixture
def read(tmp_path):
    def reader(content, name="net.onnx"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
        return (readers.read_onnx if name.endswith(".onnx") else readers.read_tflite)(path)

    return reader


def norm(name, channels):
    return {f"{name}{part}": (channels,) for part in "sbmv"}


def norm_op(name, x, y):
    return op("BatchNormalization", f"{x} {name}s {name}b {name}m {name}v", y)


def residual(batch="N"):
    """ResNet's stem and a block of two convolutions with a 1x1 shortcut of stride 2."""
    nodes = [
        op("Conv", "x w0", "c0", kernel_shape=[7, 7], strides=[2, 2], pads=[3, 3, 3, 3]),
        norm_op("n0", "c0", "b0"),
        op("Relu", "b0", "r0"),
        op("MaxPool", "r0", "p0", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        op("Conv", "p0 w1", "c1", strides=[2, 2], pads=[1, 1, 1, 1]),
        norm_op("n1", "c1", "b1"),
        op("Relu", "b1", "r1"),
        op("Conv", "r1 w2", "c2", pads=[1, 1, 1, 1]),
        norm_op("n2", "c2", "b2"),
        op("Conv", "p0 w3", "c3", strides=[2, 2]),
        norm_op("n3", "c3", "b3"),
        op("Add", "b2 b3", "a"),
        op("Relu", "a", "r2"),
        op("GlobalAveragePool", "r2", "g"),
        op("Flatten", "g", "f"),
        op("Gemm", "f w4 v4", "y", transB=1),
    ]
    weights = {"w0": (64, 3, 7, 7), "w1": (128, 64, 3, 3), "w2": (128, 128, 3, 3), "w3": (128, 64, 1, 1)}
    weights |= {"w4": (10, 128), "v4": (10,)}
    weights |= norm("n0", 64) | norm("n1", 128) | norm("n2", 128) | norm("n3", 128)
    return graph(nodes, {"x": (batch, 3, 64, 96)}, weights)


def same_totals(model, hand):
    for what in ("weights", "params", "params_bn_folded", "macs"):
        assert getattr(model, what) == getattr(hand, what), what


def counted(model):
    """The rows that are layers of the library."""
    return [r for r in model.rows if hasattr(L, r.op) or hasattr(S, r.op)]


def by_hand(input_shape, *nodes):
    from tinylib.cost.models import Model

    return Model("hand", input_shape, tuple(Node(*node) for node in nodes))


def bn(*args, **kw):
    return L.Conv2D(*args, **kw, bias=False, batch_norm=True)


def test_residual_block(read):
    got = read(residual())
    (model,) = got.models
    hand = by_hand(
        (64, 96, 3),
        ("stem", bn(3, 64, 7, stride=2, padding=3)),
        ("pool", L.MaxPool2D(3, stride=2, padding=1)),
        ("one", bn(64, 128, 3, stride=2, padding=1)),
        ("two", bn(128, 128, 3, padding=1)),
        ("short", bn(64, 128, 1, stride=2), ("pool",)),
        ("add", L.Add(), ("two", "short")),
        ("gap", L.GlobalAvgPool2D()),
        ("fc", L.Dense(128, 10)),
    )
    same_totals(model, hand)
    for row, wanted in zip(counted(model), hand.rows, strict=True):
        assert (row.op, row.in_shapes, row.out_shape) == (wanted.op, wanted.in_shapes, wanted.out_shape)
        assert (row.params, row.params_bn_folded, row.macs) == (
            wanted.params,
            wanted.params_bn_folded,
            wanted.macs,
        )
    assert [n.layer for n in model.nodes if isinstance(n.layer, L.Conv2D)] == [
        n.layer for n in hand.nodes if isinstance(n.layer, L.Conv2D)
    ]
    assert got.passed == (("Flatten", 1), ("Relu", 3)) and got.unknown == got.left_out == ()
    assert model.rows[0].macs == 64 * 3 * 7 * 7 * 32 * 48


def test_batch_axis_of_one_and_without_a_number_agree(read):
    assert read(residual(1)).models == read(residual("N")).models
    with pytest.raises(ModelError, match=r"batch axis of 1 or one without a number: .* got \(8, 3, 64, 96\)"):
        read(residual(8))


def mobile():
    nodes = [
        op("Conv", "x w1", "c1"),
        norm_op("n1", "c1", "b1"),
        op("Clip", "b1 lo hi", "r1"),
        op("Conv", "r1 w2", "c2", group=96, strides=[2, 2], pads=[0, 0, 1, 1]),
        norm_op("n2", "c2", "b2"),
        op("Clip", "b2 lo hi", "r2"),
        op("Conv", "r2 w3 v3", "y"),
    ]
    weights = {
        "w1": (96, 16, 1, 1),
        "w2": (96, 1, 3, 3),
        "w3": (24, 96, 1, 1),
        "v3": (24,),
        "lo": (),
        "hi": (),
    }
    return graph(nodes, {"x": (1, 16, 112, 112)}, weights | norm("n1", 96) | norm("n2", 96))


def test_depthwise_block(read):
    got = read(mobile())
    hand = sequential(
        "hand",
        (112, 112, 16),
        [
            L.PointwiseConv2D(16, 96, bias=False, batch_norm=True),
            L.DepthwiseConv2D(96, 3, stride=2, padding="same", bias=False, batch_norm=True),
            L.PointwiseConv2D(96, 24),
        ],
    )
    same_totals(got.models[0], hand)
    rows = counted(got.models[0])
    assert [r.op for r in rows] == ["Conv2D", "DepthwiseConv2D", "Conv2D"]
    assert [r.out_shape for r in rows] == [r.out_shape for r in hand.rows]
    assert got.passed == (("Clip", 2),)


def test_groups_dilation_and_batch_norm_that_does_not_fold(read):
    nodes = [
        norm_op("n", "x", "b"),
        op("Conv", "b w", "c", group=4, pads=[2, 2, 2, 2], dilations=[2, 2]),
        op("Relu", "c", "r"),
        op("AveragePool", "r", "y", kernel_shape=[2, 2], strides=[2, 2]),
    ]
    (model,) = read(graph(nodes, {"x": (1, 8, 20, 12)}, {"w": (16, 2, 3, 3)} | norm("n", 8))).models
    hand = [
        S.BatchNorm(8),
        L.Conv2D(8, 16, 3, padding="same", groups=4, bias=False),
        L.AvgPool2D(2),
    ]
    same_totals(model, sequential("hand", (20, 12, 8), hand))
    assert model.rows[-1].out_shape == (10, 6, 16)
    nodes[1] = op("Conv", "b w", "c", group=4, dilations=[2, 2])
    with pytest.raises(ModelError, match="window must have the positions of a plain one: dilation"):
        read(graph(nodes, {"x": (1, 8, 20, 12)}, {"w": (16, 2, 3, 3)} | norm("n", 8)))


@pytest.mark.parametrize("kind, layer", [("LSTM", S.LSTM), ("GRU", S.GRU), ("RNN", S.Elman)])
@pytest.mark.parametrize("last", [True, False])
def test_recurrent(read, kind, layer, last):
    n, m, t = 13, 20, 49
    weights = {"w": (1, layer.gates * m, n), "r": (1, layer.gates * m, m), "v": (1, 2 * layer.gates * m)}
    wide = {"k": (m, 12), "d": (12,)}
    nodes = [op("Transpose", "x", "tx", perm=[1, 0, 2])]
    names = ["", "h"] if last else ["s"]
    nodes += [onnx.helper.make_node(kind, ["tx", "w", "r", "v"], names, hidden_size=m)]
    nodes += [op("MatMul", f"{names[-1]} k", "u"), op("Add", "u d", "y")]
    (model,) = read(graph(nodes, {"x": ("N", t, n)}, weights | wide)).models
    cell = layer(n, m, bias_vectors=2, last_only=last)
    row = next(r for r in model.rows if r.op == layer.__name__)
    assert model.input_shape == (t, n) and row.out_shape == cell.out_shape((t, n))
    assert model.params == cell.params + 12 * m + 12
    assert model.macs == cell.macs((t, n)) + 12 * m * (1 if last else t)


def test_recurrent_both_ways_is_two_cells(read):
    weights = {"w": (2, 80, 13), "r": (2, 80, 20), "v": (2, 160)}
    node = onnx.helper.make_node(
        "LSTM", ["x", "w", "r", "v"], ["y"], hidden_size=20, direction="bidirectional"
    )
    (model,) = read(graph([node], {"x": (49, "N", 13)}, weights)).models
    cell = S.LSTM(13, 20, bias_vectors=2)
    assert (model.params, model.macs) == (2 * cell.params, 2 * cell.macs((49, 13)))
    assert model.rows[-1].out_shape == (49, 40)


def transformer(t=16, d=32, heads=4, wide=64):
    """One encoder block, batch first, as exporters write it: products of two activations included."""
    split = [
        node
        for p in "qkv"
        for node in (
            op("MatMul", f"l1 w{p}", f"m{p}"),
            op("Add", f"m{p} v{p}", f"a{p}"),
            op("Reshape", f"a{p} cut", f"c{p}"),
            op("Transpose", f"c{p}", f"h{p}", perm=[0, 2, 3, 1] if p == "k" else [0, 2, 1, 3]),
        )
    ]
    nodes = [
        op("LayerNormalization", "x g1 e1", "l1"),
        *split,
        op("MatMul", "hq hk", "s"),
        op("Div", "s root", "sd"),
        op("Softmax", "sd", "p"),
        op("MatMul", "p hv", "o"),
        op("Transpose", "o", "ot", perm=[0, 2, 1, 3]),
        op("Reshape", "ot join", "oj"),
        op("MatMul", "oj wo", "mo"),
        op("Add", "mo vo", "ao"),
        op("Add", "x ao", "x1"),
        op("LayerNormalization", "x1 g2 e2", "l2"),
        op("MatMul", "l2 w1", "m1"),
        op("Add", "m1 v1", "f1"),
        op("Erf", "f1", "ge"),
        op("MatMul", "ge w2", "m2"),
        op("Add", "v2 m2", "f2"),
        op("Add", "x1 f2", "y"),
    ]
    weights = {f"w{p}": (d, d) for p in "qkvo"} | {f"v{p}": (d,) for p in "qkvo"}
    weights |= {"w1": (d, wide), "v1": (wide,), "w2": (wide, d), "v2": (d,), "root": ()}
    weights |= dict.fromkeys(("g1", "e1", "g2", "e2"), (d,))
    made = graph(nodes, {"x": ("N", t, d)}, weights)
    for name, sizes in ("cut", (1, t, heads, d // heads)), ("join", (1, t, d)):
        made.graph.initializer.append(onnx.helper.make_tensor(name, 7, (len(sizes),), sizes))
    return made


def test_transformer_block(read):
    t, d, heads, wide = 16, 32, 4, 64
    got = read(transformer(t, d, heads, wide))
    (model,) = got.models
    attention = S.Attention(d, heads, bias=True)
    assert model.params == attention.params + 2 * S.LayerNorm(d).params + 2 * d * wide + wide + d
    assert model.macs == attention.macs((t, d)) + t * 2 * d * wide
    scores = [r for r in model.rows if r.op == "MatMul" and not r.weights]
    assert [r.macs for r in scores] == [t * t * d] * 2 and got.unknown == ()
    assert sum(r.op == "Add" for r in model.rows) == 2 and model.rows[-1].out_shape == (t, d)


def test_quantized_operators_and_dequantized_weights(read):
    nodes = [
        op("QuantizeLinear", "x s z", "q"),
        op("QLinearConv", "q s z wq s z s z bq", "c"),
        op("DequantizeLinear", "c s z", "f"),
        op("DequantizeLinear", "w2 s z", "wf"),
        op("Conv", "f wf", "y"),
    ]
    made = graph(nodes, {"x": (1, 3, 8, 8)}, {"s": ()})
    for name, dims, kind in ("z", (), 3), ("wq", (4, 3, 3, 3), 3), ("bq", (4,), 6), ("w2", (5, 4, 1, 1), 3):
        size = 4 if kind == 6 else 1
        made.graph.initializer.append(
            onnx.TensorProto(name=name, dims=dims, data_type=kind, raw_data=bytes(size * prod(dims)))
        )
    got = read(made)
    same_totals(
        got.models[0], sequential("hand", (8, 8, 3), [L.Conv2D(3, 4, 3), L.Conv2D(4, 5, 1, bias=False)])
    )
    assert got.passed == (("DequantizeLinear", 1), ("QuantizeLinear", 1))


def test_squeeze_and_excitation_keeps_its_axes(read):
    nodes = [
        op("GlobalAveragePool", "x", "g"),
        op("Conv", "g w1 v1", "c1"),
        op("Sigmoid", "c1", "s"),
        op("Mul", "x s", "m"),
        op("Concat", "m x", "y", axis=1),
    ]
    (model,) = read(graph(nodes, {"x": (1, 8, 5, 7)}, {"w1": (8, 8, 1, 1), "v1": (8,)})).models
    assert [r.out_shape for r in model.rows] == [(1, 1, 8), (1, 1, 8), (1, 1, 8), (5, 7, 8), (5, 7, 16)]
    assert (model.params, model.macs) == (72, 64)
    assert model.rows[-1].op == "Concat"


def test_embedding_and_convolution_over_time(read):
    nodes = [
        op("Gather", "table x", "e"),
        op("Transpose", "e", "t", perm=[0, 2, 1]),
        op("Conv", "t w v", "y", pads=[1, 1]),
    ]
    made = graph(nodes, {"x": (1, 30)}, {"table": (100, 16), "w": (8, 16, 3), "v": (8,)})
    made.graph.input[0].type.tensor_type.elem_type = 7
    (model,) = read(made).models
    embedding, conv = S.Embedding(100, 16), L.Conv1D(16, 8, 3, padding=1)
    assert model.params == embedding.params + conv.params and model.macs == conv.macs((30, 16))
    assert model.rows[-1].out_shape == (30, 8)


@settings(max_examples=60)
@given(st.data())
def test_any_convolution_counts_as_the_layer(tmp_path_factory, data):
    def whole(low, high):
        return data.draw(st.integers(low, high))

    kernel, stride, pads = ((whole(1, 5), whole(1, 5)) for _ in range(3))
    groups, size = whole(1, 3), (whole(5, 12), whole(5, 12))
    pads = tuple(p - 1 for p in pads)
    c_in, c_out = groups * whole(1, 4), groups * whole(1, 4)
    layer = L.Conv2D(c_in, c_out, kernel, stride, pads, groups, bias=False)
    node = op("Conv", "x w", "y", strides=stride, pads=pads * 2, group=groups)
    path = tmp_path_factory.getbasetemp() / "conv.onnx"
    made = graph([node], {"x": ("N", c_in, *size)}, {"w": (c_out, c_in // groups, *kernel)})
    path.write_bytes(made.SerializeToString())
    (row,) = readers.read_onnx(path).models[0].rows
    assert (row.out_shape, row.weights, row.macs) == (
        layer.out_shape((*size, c_in)),
        layer.weights,
        layer.macs((*size, c_in)),
    )
    depthwise = groups == c_in > 1
    assert row.op == ("DepthwiseConv2D" if depthwise else "Conv2D")


def test_second_input_is_a_row(read):
    made = graph([op("Add", "x z", "y")], {"x": ("N", 4, 6), "z": ("N", 4, 6)}, {})
    rows = read(made).models[0].rows
    assert [(r.op, r.name, r.out_shape) for r in rows] == [("Input", "z", (4, 6)), ("Add", "Add_y", (4, 6))]
    assert rows[1].src == ("input", "z")


def test_dense_with_batch_norm_and_names_used_twice(read):
    nodes = [op("Gemm", "x w v", "a", transB=1), norm_op("n", "a", "b"), op("Gemm", "b u", "y")]
    for node in nodes:
        node.name = "same"
    (model,) = read(
        graph(nodes, {"x": ("N", 7)}, {"w": (5, 7), "v": (5,), "u": (5, 3)} | norm("n", 5))
    ).models
    same_totals(model, sequential("hand", (7,), [L.Dense(7, 5, batch_norm=True), L.Dense(5, 3, bias=False)]))
    assert [r.name for r in model.rows] == ["same", "same.2"]


def test_padding_that_differs_between_the_ends(read):
    pool = op("AveragePool", "x", "y", kernel_shape=[7, 7], pads=[0, 0, 1, 1])
    (model,) = read(graph([pool], {"x": (1, 8, 6, 6)}, {})).models
    assert [(r.op, r.out_shape) for r in model.rows] == [("Pad", (7, 7, 8)), ("AvgPool2D", (1, 1, 8))]


NETWORKS = {  # published counts: torchvision 0.20 and the SqueezeNet 1.1 release
    "resnet50": (25_557_032, 4_089_184_256),
    "vgg19": (143_667_240, 19_632_062_464),
    "squeezenet": (1_235_496, 349_151_936),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_that_come_with_the_onnx_package(name):
    path = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / f"light_{name}.onnx"
    got = readers.read_onnx(path)
    assert (got.models[0].params, got.models[0].macs) == NETWORKS[name] and not got.left_out


def test_unknown_operators_are_listed_and_never_a_silent_zero(read):
    nodes = [
        onnx.helper.make_node("Warp", ["x", "w0"], ["a"], domain="my.own"),
        onnx.helper.make_node("Warp", ["a", "w0"], ["b"], domain="my.own"),
        op("Conv", "b w1", "c"),
        op("Einsum", "c c", "y", equation="nchw,nchw->n"),
    ]
    value = onnx.helper.make_tensor_value_info
    infos = [value(name, FLOAT, ("N", 3, 8, 8)) for name in "ab"]
    weights = {"w0": (5, 5), "w1": (4, 3, 1, 1)}
    got = read(graph(nodes, {"x": ("N", 3, 8, 8)}, weights, domain="my.own", infos=infos))
    assert got.unknown == (("Einsum", 1), ("my.own.Warp", 2)) and got.models[0].macs == 12 * 64
    assert got.models[0].rows[0].op == "my.own.Warp (not counted)"
    reasons = {m.name: m.reason for m in got.left_out}
    assert reasons["my.own.Warp"] == (
        "operator not known, 2 times: its MACs and 50 constants are not counted"
    )
    with pytest.raises(
        ModelError, match=r"behind the operator my.own.Warp \(not known\) must have fixed sizes"
    ):
        read(graph(nodes, {"x": ("N", 3, 8, 8)}, weights, domain="my.own"))


# ---- TensorFlow Lite graphs


class Flat:
    """A flatbuffer written as converters do: INT8 tensors, 32-bit biases, a buffer per stored tensor."""

    def __init__(self):
        self.b = flatbuffers.Builder(1024)
        self.buffers, self.tensors, self.codes, self.operators, self.index = [b""], [], [], [], {}

    def tensor(self, name, *sizes, kind=9, held=False, signature=None):
        if held:
            self.buffers.append(bytes(prod(sizes) * (4 if kind == 2 else 1)))
        self.index[name] = len(self.tensors)
        self.tensors.append((name, sizes, kind, len(self.buffers) - 1 if held else 0, signature))

    def op(self, kind, inputs, outputs, options=None, **values):
        number = getattr(tflite.BuiltinOperator, kind, None)
        code = (32, kind) if number is None else (number, None)
        if code not in self.codes:
            self.codes.append(code)
        self.operators.append((self.codes.index(code), inputs.split(), outputs.split(), options, values))

    def ints(self, values):
        self.b.StartVector(4, len(values), 4)
        for value in reversed(values):
            self.b.PrependInt32(value)
        return self.b.EndVector()

    def vector(self, offsets):
        self.b.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.b.PrependUOffsetTRelative(offset)
        return self.b.EndVector()

    def table(self, name, **fields):
        getattr(tflite, name + "Start")(self.b)
        for field, value in fields.items():
            if value is not None:
                getattr(tflite, f"{name}Add{field}")(self.b, value)
        return getattr(tflite, name + "End")(self.b)

    def _operator(self, code, reads, makes, options, values):
        made = self.table(options, **values) if options else None
        kind = getattr(tflite.BuiltinOptions, options) if options else None
        reads, makes = (self.ints([self.index.get(n, -1) for n in names]) for names in (reads, makes))
        return self.table(
            "Operator",
            OpcodeIndex=code,
            Inputs=reads,
            Outputs=makes,
            BuiltinOptionsType=kind,
            BuiltinOptions=made,
        )

    def _tensor(self, name, sizes, kind, buffer, signature):
        name, sizes = self.b.CreateString(name), self.ints(sizes)
        signature = self.ints(signature) if signature else None
        return self.table(
            "Tensor", Shape=sizes, Type=kind, Buffer=buffer, Name=name, ShapeSignature=signature
        )

    def file(self, inputs, outputs):
        held = [self.b.CreateByteVector(data) if data else None for data in self.buffers]
        buffers = self.vector([self.table("Buffer", Data=data) for data in held])
        tensors = self.vector([self._tensor(*t) for t in self.tensors])
        operators = self.vector([self._operator(*o) for o in self.operators])
        ends = [self.ints([self.index[n] for n in names.split()]) for names in (inputs, outputs)]
        name = self.b.CreateString("main")
        graph = self.table(
            "SubGraph", Tensors=tensors, Inputs=ends[0], Outputs=ends[1], Operators=operators, Name=name
        )
        customs = [self.b.CreateString(custom) if custom else None for _, custom in self.codes]
        codes = [
            self.table("OperatorCode", DeprecatedBuiltinCode=min(n, 127), BuiltinCode=n, CustomCode=custom)
            for (n, _), custom in zip(self.codes, customs)
        ]
        codes, graphs = self.vector(codes), self.vector([graph])
        self.b.Finish(
            self.table("Model", Version=3, OperatorCodes=codes, Subgraphs=graphs, Buffers=buffers), b"TFL3"
        )
        return bytes(self.b.Output())


SAME, VALID = 0, 1


def keywords():
    """A depthwise-separable keyword spotter in INT8, with a shortcut, a concatenation and a mean."""
    f = Flat()
    f.tensor("x", 1, 49, 10, 1, kind=0, signature=(-1, 49, 10, 1))
    f.tensor("q", 1, 49, 10, 1)
    f.tensor("w0", 16, 10, 4, 1, held=True)
    f.tensor("b0", 16, kind=2, held=True)
    f.tensor("c0", 1, 25, 5, 16)
    f.tensor("w1", 1, 3, 3, 16, held=True)
    f.tensor("b1", 16, kind=2, held=True)
    f.tensor("c1", 1, 25, 5, 16)
    f.tensor("w2", 16, 1, 1, 16, held=True)
    f.tensor("c2", 1, 25, 5, 16)
    f.tensor("a", 1, 25, 5, 16)
    f.tensor("cat", 1, 25, 5, 32)
    f.tensor("pads", 4, 2, kind=2, held=True)
    f.tensor("pd", 1, 26, 6, 32)
    f.tensor("mp", 1, 13, 3, 32)
    f.tensor("axes", 2, kind=2, held=True)
    f.tensor("gap", 1, 32)
    f.tensor("w3", 12, 32, held=True)
    f.tensor("b3", 12, kind=2, held=True)
    f.tensor("fc", 1, 12)
    f.tensor("sm", 1, 12)
    f.tensor("y", 1, 12, kind=0)
    f.op("QUANTIZE", "x", "q")
    f.op("CONV_2D", "q w0 b0", "c0", "Conv2DOptions", Padding=SAME, StrideH=2, StrideW=2)
    f.op("DEPTHWISE_CONV_2D", "c0 w1 b1", "c1", "DepthwiseConv2DOptions", Padding=SAME, StrideH=1, StrideW=1)
    f.op("CONV_2D", "c1 w2 none", "c2", "Conv2DOptions", Padding=VALID, StrideH=1, StrideW=1)
    f.op("ADD", "c0 c2", "a", "AddOptions")
    f.op("CONCATENATION", "a c0", "cat", "ConcatenationOptions", Axis=3)
    f.op("PAD", "cat pads", "pd")
    f.op(
        "MAX_POOL_2D",
        "pd",
        "mp",
        "Pool2DOptions",
        Padding=VALID,
        StrideH=2,
        StrideW=2,
        FilterHeight=2,
        FilterWidth=2,
    )
    f.op("MEAN", "mp axes", "gap", "ReducerOptions", KeepDims=False)
    f.op("FULLY_CONNECTED", "gap w3 b3", "fc", "FullyConnectedOptions")
    f.op("SOFTMAX", "fc", "sm", "SoftmaxOptions")
    f.op("DEQUANTIZE", "sm", "y")
    return f.file("x", "y")


def test_tflite_keyword_spotter(read):
    got = read(keywords(), "kws.tflite")
    (model,) = got.models
    hand = by_hand(
        (49, 10, 1),
        ("c0", L.Conv2D(1, 16, (10, 4), stride=2, padding="same")),
        ("c1", L.DepthwiseConv2D(16, 3, padding="same")),
        ("c2", L.Conv2D(16, 16, 1, bias=False)),
        ("a", L.Add(), ("c0", "c2")),
        ("cat", L.Concat(), ("a", "c0")),
        ("pd", readers.PassThrough((26, 6, 32))),
        ("mp", L.MaxPool2D(2)),
        ("gap", L.GlobalAvgPool2D()),
        ("fc", L.Dense(32, 12)),
    )
    same_totals(model, hand)
    rows = {r.name: r for r in model.rows}
    for wanted in hand.rows:
        assert rows[wanted.name].out_shape == wanted.out_shape and rows[wanted.name].macs == wanted.macs
        assert wanted.op in (rows[wanted.name].op, "PassThrough")
    assert got.passed == (("DEQUANTIZE", 1), ("PAD", 1), ("QUANTIZE", 1), ("SOFTMAX", 1))
    assert got.unknown == () and model.name == "main" and model.id == "kws"
    assert model.macs == 25 * 5 * (640 + 144 + 256) + 384


def test_tflite_lstm_matrix_products_and_unknown_operators(read):
    f = Flat()
    f.tensor("x", 1, 20, 8, kind=0)
    for i in range(1, 9):
        f.tensor(f"w{i}", 12, 8 if i < 5 else 12, held=True)
    for i in range(12, 16):
        f.tensor(f"w{i}", 12, kind=2, held=True)
    names = [f"w{i}" if i < 9 or 12 <= i < 16 else "-" for i in range(1, 18)]
    f.tensor("s1", 1, 12)
    f.tensor("h", 1, 20, 12)
    f.tensor("w", 5, 12, held=True)
    f.tensor("fc", 1, 20, 5)
    f.tensor("bm", 1, 20, 20)
    f.tensor("u", 1, 20, 20)
    f.tensor("y", 1, 20, 20)
    f.op(
        "UNIDIRECTIONAL_SEQUENCE_LSTM", f"x {' '.join(names)} s1 s1", "h", "UnidirectionalSequenceLSTMOptions"
    )
    f.op("FULLY_CONNECTED", "h w none", "fc", "FullyConnectedOptions", KeepNumDims=True)
    f.op("BATCH_MATMUL", "fc fc", "bm", "BatchMatMulOptions", AdjY=True)
    f.op("SVDF", "bm", "u")
    f.op("MyOwn", "u", "y")
    got = read(f.file("x", "y"), "rnn.tflite")
    (model,), cell = got.models, S.LSTM(8, 12)
    assert [r.op for r in model.rows] == [
        "LSTM",
        "MatMul",
        "MatMul",
        "SVDF (not counted)",
        "MyOwn (not counted)",
    ]
    assert model.params == cell.params + 60
    assert model.macs == cell.macs((20, 8)) + 20 * 60 + 20 * 20 * 5
    assert got.unknown == (("MyOwn", 1), ("SVDF", 1))


# ---- errors


def test_shapes_without_a_number(read):
    with pytest.raises(ModelError, match=r"fixed sizes beside its batch axis.*got \[1, 3, 'rows', 96\]"):
        made = residual()
        made.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "rows"
        read(made)
    f = Flat()
    f.tensor("x", 1, 1, 4, signature=(-1, -1, 4))
    f.tensor("y", 1, 1, 4)
    f.op("RELU", "x", "y")
    with pytest.raises(ModelError, match=r"fixed sizes beside its batch axis.*got \(-1, -1, 4\)"):
        read(f.file("x", "y"), "net.tflite")


@pytest.mark.parametrize("name", ["net.onnx", "net.tflite"])
@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n" * 9, b'{"layers": []}', b"\0" * 100, b"TFL3" * 9]
)
def test_other_files_are_one_sentence(read, name, content):
    with pytest.raises(ModelError) as caught:
        read(content, name)
    assert name in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_each_format_refuses_the_other_and_what_is_no_file(read, tmp_path):
    with pytest.raises(ModelError, match="must be a TensorFlow Lite model"):
        read(mobile(), "net.tflite")
    with pytest.raises(ModelError, match="must be a"):
        read(keywords(), "net.onnx")
    for reader in readers.read_onnx, readers.read_tflite:
        for path in tmp_path, tmp_path / "none.onnx", "a\0b":
            with pytest.raises(ModelError, match="the file must be readable"):
                reader(path)
        with pytest.raises(ModelError, match="must be a path, got 3"):
            reader(3)


def test_stored_tensor_that_is_cut(read):
    made = mobile()
    made.graph.initializer[0].raw_data = bytes(100)
    with pytest.raises(
        ModelError, match=r"tensor 'w1' must hold as many bytes as its sizes .* 6144, got 100"
    ):
        read(made)


@pytest.mark.parametrize("package, name", [("onnx", "net.onnx"), ("tflite", "net.tflite")])
def test_missing_package_is_one_sentence(read, monkeypatch, package, name):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelError) as caught:
        read(b"x", name)
    assert f"needs the package {package}: install it by `make lab EXTRAS=import`" in str(caught.value)
    assert "`pip install '.[import]'` in a clone" in str(caught.value)


# ---- damaged files


def damaged(content, rng):
    """The content cut, or with some bytes, a stretch or a length changed."""
    content, way = bytearray(content), rng.randrange(4)
    if way == 0:
        return bytes(content[: rng.randrange(len(content))])
    if way == 1:
        for _ in range(rng.randint(1, 12)):
            content[rng.randrange(len(content))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    elif way == 2:
        at = rng.randrange(len(content))
        del content[at : at + rng.randint(1, 40)]
    else:
        at = rng.randrange(0, len(content) - 4)
        content[at : at + 4] = rng.choice((b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\xff" * 4, b"\0\0\1\0"))
    return bytes(content)


def small():
    """A transformer without weight bytes, so that damage falls on the structure."""
    made = transformer()
    for tensor in made.graph.initializer:
        tensor.ClearField("raw_data")
    return made.SerializeToString()


@pytest.mark.parametrize("name", ["net.onnx", "net.tflite"])
def test_damaged_files_give_a_result_or_one_sentence(read, name):
    whole = small() if name == "net.onnx" else keywords()
    assert read(whole, name).models
    rng, refused = random.Random(7), 0
    for _ in range(200):
        content, begin = damaged(whole, rng), time.monotonic()
        try:
            assert json.dumps([str(row) for m in read(content, name).models for row in m.rows])
        except ModelError as error:
            refused += 1
            assert "\n" not in str(error) and len(str(error)) < 600
        assert time.monotonic() - begin < 1
    assert refused > 40


# ---- the command


def test_command_line(tmp_path):
    paths = tmp_path / "kws.TFLITE", tmp_path / "net.onnx", tmp_path / "bad.onnx"
    for path, content in zip(paths, (keywords(), mobile().SerializeToString(), b"nothing")):
        path.write_bytes(content)
    done = [
        subprocess.run([sys.executable, "-m", "tinylib.cost", str(p), *more], capture_output=True, text=True)
        for p, more in zip(paths, (["--json"], [], []))
    ]
    (model,) = json.loads(done[0].stdout)["models"]
    assert (model["id"], model["params"], model["differences"]) == ("kws", 656 + 160 + 256 + 396, [])
    assert "DepthwiseConv2D" in done[1].stdout and "56x56x24" in done[1].stdout
    assert done[2].returncode == 2 and done[2].stderr.count("\n") == 1 and "bad.onnx" in done[2].stderr


def test_the_packages_are_loaded_by_the_readers_alone():
    program = "import sys, tinylib.cost.readers\nassert not {'onnx', 'tflite', 'numpy'} & set(sys.modules)\n"
    subprocess.run([sys.executable, "-c", program], check=True)
