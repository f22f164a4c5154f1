"""Object sizes: every row the C++ reference library measured, published tables, padding rules, refusals."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden_checks.sizes import computed
from tinylib.cost import layers as L
from tinylib.cost import sequence
from tinylib.cost.footprint import (
    BYTE,
    EMPTY,
    KINDS,
    WORD32,
    Layout,
    Network,
    SizeRow,
    pointer,
    size_table,
    struct,
    value,
)
from tinylib.cost.layer_footprint import int8_cfc, layer_bytes
from tinylib.cost.sequence import GRU, KAN, LSTM, LTC, BinaryDense, CfC, Dropout, Elman, TernaryDense

CASES = json.loads((Path(__file__).parents[1] / "golden" / "sizeof.json").read_text())["cases"]
MEASURED = {kind: [case for case in CASES if case["arch"] == kind] for kind in {c["arch"]: 0 for c in CASES}}


@pytest.mark.parametrize("kind", MEASURED)
def test_every_measured_row(kind):  # sizeof in C++, g++ 12, x86-64 and Cortex-M
    wrong = [r for r in MEASURED[kind] if not computed(r).items() <= r.items()]
    assert not wrong
    assert all(value(r["format"]).size == r["value_bytes"] for r in MEASURED[kind] if "format" in r)


def test_all_rows_are_there():
    assert sum(map(len, MEASURED.values())) == len(CASES) == 648
    assert {r["pointer_bytes"] for kind in KINDS for r in MEASURED[kind]} == {8, 4}


def test_published_networks():  # tinymind docs/size-comparison.md; its 1,192 for the Q8.8 KAN is 1,200
    published = [(1008, 360), (1056, 384), (3024, 960), (2400, 792), (4208, 1256)]
    published += [(328, 144), (472, 192), (952, 384), (808, 336), (1200, 416)]
    table = size_table()
    assert [(row.trainable_bytes, row.inference_bytes) for row in table] == published
    assert [row.architecture for row in table[:3]] == ["MLP 2-5-1", "Elman 2-3-1", "LSTM 2-3-1"]
    assert [row.weights for row in table] == ["double"] * 5 + ["Q8.8"] * 5
    assert table[5] == SizeRow("MLP 2-3-1", "Q8.8", 328, 144, params=13, parameter_bytes=26)
    assert table[0].ratio == 2.8


def test_networks_on_a_microcontroller():  # measured on Cortex-M0+
    rows = size_table(pointer_bytes=4)[5:]
    sizes = [(row.trainable_bytes, row.inference_bytes) for row in rows]
    assert sizes == [(228, 88), (332, 120), (824, 276), (668, 228), (1100, 348)]


def test_fair_comparison_is_at_equal_width():  # 1,056 / 704 and 384 / 264; over MLP 2-5-1 it is 1.0 and 1.1
    mlp, elman = size_table([Network("mlp", 2, 3, 1), Network("elman", 2, 3, 1)])
    assert elman.over(mlp) == (1056 / 704, 384 / 264)


def test_parts_of_the_xor_network():  # by hand: neurons of 88 and 40 bytes, tinymind examples/xor
    net = Network("mlp", 2, 4, 1, "Q16.16", trainable=True)
    parts = net.parts
    assert net.bytes == 544 == sum(parts.values())
    assert (parts["input layer"], parts["last hidden layer"], parts["output layer"]) == (3 * 88, 5 * 40, 40)
    assert (parts["training policy"], parts["padding"]) == (16, 16)


PUBLISHED = (  # (layer, input shape or None) as tinymind docs/size-comparison.md lists them
    (L.Conv1D(1, 8, kernel_size=5, stride=2), None),
    (L.Conv1D(1, 4, kernel_size=5), None),
    *((L.MaxPool1D(2), shape) for shape in ((96, 4), (48, 1), (6, 1))),
    (L.AvgPool1D(2), None),
    *((Dropout(0.5), (n,)) for n in (192, 32, 5)),
    (L.Conv2D(1, 8, kernel_size=3), None),
    (L.DepthwiseConv2D(8, kernel_size=3), None),
    (L.PointwiseConv2D(8, 16), None),
    (L.PointwiseConv2D(16, 10), None),
    (L.MaxPool2D(2), (18, 18, 8)),
    (L.GlobalAvgPool2D(), None),
    *((dense(*n), None) for dense in (BinaryDense, TernaryDense) for n in ((4, 2), (16, 8), (64, 16))),
)


def test_published_layers():
    sizes = {w: [layer_bytes(layer, w, shape) for layer, shape in PUBLISHED] for w in ("double", "Q8.8")}
    assert sizes["double"][:9] == [768, 384, 1536, 192, 24, 1, 193, 33, 6]
    assert sizes["Q8.8"][:9] == [192, 96, 1536, 192, 24, 1, 193, 33, 6]
    assert sizes["double"][-6:] == [168, 2192, 16768, 168, 2208, 16896]
    assert sizes["Q8.8"][-6:] == [44, 560, 4288, 44, 576, 4416]
    images = [layer_bytes(layer, "float", shape) for layer, shape in PUBLISHED[9:15]]
    assert images == [640, 640, 1152, 1360, 5184, 1]
    assert sum(images) == 8977  # the pipeline; its 8,976 leaves out the byte of the global pooling


def test_published_liquid_cells():
    cells = LTC(2, 3), CfC(2, 3, 4), LTC(4, 8), CfC(4, 8, 16)
    params = [cell.params + L.Dense(cell.hidden_features, 1).params for cell in cells]  # with their readout
    assert params == [28, 88, 129, 761]
    int8 = int8_cfc(CfC(2, 3, 4))
    assert (int8.parameter_bytes, int8.table_bytes) == (120, 512)
    assert int8.object_bytes == 80 + (2 + 2) + 48 + 4 + 16 + 16 + (2 + 6)  # 2 + 2, 4 and 2 + 6: padding
    assert int8_cfc(CfC(2, 3, 4), 4).object_bytes == 40 + (2 + 2) + 48 + 8 + 16 + (2 + 2)


@pytest.mark.parametrize("dense, bits", [(BinaryDense, 1), (TernaryDense, 2)])
def test_packed_inference(dense, bits):  # published with double biases; with Q8.8 ones 160 and 288
    wide, square = dense(64, 16), dense(32, 32)
    assert wide.packed_bytes + 16 * 8 == 64 * 16 * bits // 8 + 16 * 8
    assert wide.packed_bytes + 16 * 2 == {1: 160, 2: 288}[bits]
    assert square.packed_bytes + 32 * 8 == {1: 384, 2: 512}[bits]


def test_max_pooling_keeps_indices_not_values():
    sizes = {layer_bytes(L.MaxPool2D(2), w, (18, 18, 8)) for w in ("Q4.4", "Q8.8", "float", "double")}
    assert sizes == {9 * 9 * 8 * 8}
    assert layer_bytes(L.MaxPool2D(2), "Q8.8", (18, 18, 8), pointer_bytes=4) == 2592


def test_struct_by_hand():
    double, half = Layout(8, 8), Layout(2, 2)
    assert struct(BYTE, double) == Layout(16, 8)
    assert struct(double, BYTE) == Layout(16, 8)
    assert struct(BYTE, BYTE, half, WORD32, double) == Layout(16, 8)  # sorted by size: no padding
    assert struct(half * 3, pointer()) == Layout(16, 8)
    assert struct(WORD32, double * 0) == Layout(4, 4)  # no elements, no member
    assert EMPTY == struct() == Layout(1, 1)


@pytest.mark.parametrize(
    "weights, size", [("Q4.4", 1), ("Q1.7", 1), ("UQ8.8", 2), ("Q5.6", 2), ("Q24.8", 4), ("Q32.32", 8)]
)
def test_containers(weights, size):
    assert value(weights) == Layout(size, size)


# The second road to the parameters: the layers of `cost.layers` and `cost.sequence`, put one after another.
CELLS = {"mlp": L.Dense, "elman": Elman, "lstm": LSTM, "gru": GRU}
widths = st.integers(1, 9)


@given(st.sampled_from(sorted(CELLS)), widths, st.lists(widths, min_size=1, max_size=3), widths)
def test_params_are_those_of_the_layers(kind, inputs, hidden, outputs):
    layers = [CELLS[kind](a, b) for a, b in pairwise((inputs, *hidden))] + [L.Dense(hidden[-1], outputs)]
    net = Network(kind, inputs, tuple(hidden), outputs, "Q8.8")
    assert net.params == sum(layer.params for layer in layers)
    assert net.parameter_bytes == 2 * net.params


@given(widths, widths, widths, st.integers(1, 3), st.integers(1, 6), st.integers(1, 3))
def test_kan_params_are_those_of_the_layers(inputs, width, outputs, depth, grid, degree):
    net = Network("kan", inputs, (width,) * depth, outputs, grid=grid, degree=degree)
    layers = [sequence.KAN(a, b, grid, degree) for a, b in pairwise((inputs, *net.hidden, outputs))]
    assert net.params == sum(layer.params for layer in layers)


@given(
    st.sampled_from(sorted(KINDS)),
    widths,
    st.lists(widths, min_size=1, max_size=3),
    widths,
    st.sampled_from(("Q4.4", "Q8.8", "Q16.16", "float", "double")),
    st.sampled_from((8, 4)),
)
def test_objects_hold_their_parameters(kind, inputs, hidden, outputs, weights, pointer_bytes):
    hidden = (hidden[0],) * len(hidden) if kind == "kan" else tuple(hidden)
    trained, inference = (
        Network(kind, inputs, hidden, outputs, weights, trainable, pointer_bytes=pointer_bytes)
        for trainable in (True, False)
    )
    assert trained.bytes > inference.bytes > inference.parameter_bytes == trained.parameter_bytes
    assert trained.bytes >= 4 * trained.parameter_bytes  # weight, two deltas and gradient of each
    for net in (trained, inference):
        parts = net.parts
        assert sum(parts.values()) == net.bytes and min(parts.values()) >= 0
        assert net.bytes % max(pointer_bytes, value(weights).size) == 0


@given(st.lists(st.tuples(st.sampled_from((1, 2, 4, 8)), st.integers(1, 9)), min_size=1, max_size=8))
def test_padding_is_bounded(fields):
    members = [Layout(size, size) * n for size, n in fields]
    whole = struct(*members)
    assert whole.size % whole.alignment == 0
    assert 0 <= whole.size - sum(m.size for m in members) < len(members) * whole.alignment
    by_size = struct(*sorted(members, key=lambda m: -m.alignment))
    assert by_size.size <= whole.size  # widest first wastes nothing between members


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Network("rnn", 2, 3, 1), "kind must be one of mlp, elman"),
        (lambda: Network("mlp", 0, 3, 1), "inputs must lie between 1"),
        (lambda: Network("mlp", 2, (), 1), "hidden must hold at least one width"),
        (lambda: Network("kan", 2, (3, 4), 1), "hidden must have equal widths in a KAN"),
        (lambda: Network("mlp", 2, 3, 1, batch=4), "batch must be 1 in a KAN or without training"),
        (lambda: Network("mlp", 2, 3, 1, "int3"), 'weights must be "double", "float" or "Qm.n"'),
        (lambda: Network("mlp", 2, 3, 1, "Q32.32", pointer_bytes=4), "weights must fit 32 bits"),
        (lambda: pointer(2), "pointer_bytes must be 8 or 4"),
        (lambda: layer_bytes(L.MaxPool1D(2)), "in_shape must be given"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Network("mlp", 2, 3, 1, trainable=1), "trainable must be True or False, got 1"),
        (lambda: Network("mlp", 2.5, 3, 1), "inputs must be a whole number, got 2.5"),
        (lambda: layer_bytes(KAN(2, 3)), "layer must be a convolution, pooling, dropout or packed dense"),
        (lambda: int8_cfc(LTC(2, 3)), "cell must be a CfC"),
    ],
)
def test_wrong_types(make, message):
    with pytest.raises(TypeError, match=message):
        make()
