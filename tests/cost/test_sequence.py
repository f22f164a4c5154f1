"""Recurrent and attention layers: published counts, closed forms, a walk over gates, refusals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import Dense, Model, Node, memory
from tinylib.cost.models import sequential
from tinylib.cost.sequence import (
    GRU,
    KAN,
    LSTM,
    LTC,
    Attention,
    BatchNorm,
    BinaryDense,
    CfC,
    Dropout,
    Elman,
    Embedding,
    LayerNorm,
    TernaryDense,
)


@pytest.mark.parametrize(
    "layer, params, step_macs",
    [
        (Elman(2, 3), 18, 15),  # 3*2 + 3*3 + 3
        (LSTM(2, 3), 72, 60),  # four Elman blocks
        (LSTM(2, 3, bias_vectors=2), 84, 60),  # torch.nn.LSTM(2, 3)
        (LSTM(2, 3, bias_vectors=0), 60, 60),
        (GRU(2, 3), 54, 45),
        (LTC(2, 3, unfolds=1), 24, 15),  # tinymind docs/size-comparison.md: 28 with a readout
        (LTC(4, 8), 120, 6 * 96),  # 129 with a readout
        (LTC(4, 8, input_once=True), 120, 32 + 6 * 64),
        (LTC(2, 3, unfolds=1, synapse_values=4), 4 * 15 + 9, 30),
        (CfC(2, 3, 4), 84, 68),  # 88 with a readout
        (CfC(4, 8, 16), 752, 704),  # 761 with a readout
        (CfC(2, 3, 4, fixed_step=True), 81, 68),
    ],
    ids=repr,
)
def test_recurrent_counts(layer, params, step_macs):
    assert (layer.params, layer.params_bn_folded, layer.step_macs) == (params, params, step_macs)
    time, n = 32, layer.in_features
    assert layer.macs((time, n)) == time * step_macs
    assert layer.out_shape((time, n)) == (time, layer.hidden_features)
    assert layer.state_elements == layer.hidden_features * (2 if isinstance(layer, LSTM) else 1)


def test_lstm_over_a_window():  # 4 * 16 * (3 + 16) * 32, worked by hand
    assert LSTM(3, 16).macs((32, 3)) == 38_912


def test_int8_cfc_bytes():  # tinymind: 68 weights, 13 biases of 4 bytes
    cell = sequential("cell", (10, 2), [CfC(2, 3, 4, fixed_step=True)])
    assert memory.model_weight_bytes(cell) == 68 + 52
    assert memory.model_weight_bytes(sequential("cell", (10, 2), [CfC(2, 3, 4)])) == 132


def test_recurrent_layers_stack_in_a_model():
    layers = [LSTM(9, 16), Dropout(0.2), GRU(16, 8, last_only=True), Dense(8, 4)]
    model = sequential("har", (128, 9), layers)
    assert [row.out_shape for row in model.rows] == [(128, 16), (128, 16), (8,), (4,)]
    assert model.macs == 128 * (4 * 16 * 25 + 3 * 8 * 24) + 32
    assert model.params == 4 * 16 * 26 + 3 * 8 * 25 + 36


def test_kan_of_liu():  # 2-5-1 with G = 5, k = 1: fifteen edges of eight values
    layers = [KAN(2, 5, grid=5, degree=1), KAN(5, 1, grid=5, degree=1)]
    model = sequential("kan", (2,), layers)
    assert layers[0].edge_params == 8
    assert (model.params, model.macs) == (120, 15 * 4)
    assert KAN(2, 5).macs((7, 2)) == 7 * 10 * 6 and KAN(2, 5).out_shape((7, 2)) == (7, 5)


def test_bert_base():  # Devlin et al., arXiv 1810.04805: 109,482,240 with pooler
    d, f = 768, 3072
    block = Attention(d, 12, bias=True).params + Dense(d, f).params + Dense(f, d).params
    block += 2 * LayerNorm(d).params
    tables = sum(Embedding(n, d).params for n in (30_522, 512, 2))
    assert tables + LayerNorm(d).params + 12 * block + Dense(d, d).params == 109_482_240


def test_llama_3_8b():  # arXiv 2407.21783: grouped queries, RMSNorm, no biases
    d, f, vocabulary = 4096, 14_336, 128_256
    block = Attention(d, 32, kv_heads=8).params + 3 * Dense(d, f, bias=False).params
    block += 2 * LayerNorm(d, bias=False).params
    ends = 2 * Embedding(vocabulary, d).params + LayerNorm(d, bias=False).params
    assert ends + 32 * block == 8_030_261_248


def test_attention_macs_apart():  # 2 n n d for scores and values, 4 n d d for the projections
    layer, shape = Attention(512, 8), (1024, 512)
    assert layer.score_macs(shape) == 2 * 1024 * 1024 * 512
    assert layer.projection_macs(shape) == 4 * 1024 * 512 * 512
    assert layer.macs(shape) == layer.score_macs(shape) + layer.projection_macs(shape)
    assert Attention(512, 8, causal=True).score_macs(shape) == 512 * 1024 * 1025
    assert Attention(512, 8, head_dim=32).weights == 4 * 512 * 256


def test_normalisation_and_tables():
    norm = BatchNorm(64)
    assert (norm.params, norm.params_bn_folded, norm.running_stats) == (128, 64, 128)
    assert norm.out_shape((7, 7, 64)) == (7, 7, 64) and norm.macs((7, 7, 64)) == 0
    assert LayerNorm(64).params == 128 and LayerNorm(64).macs((5, 64)) == 0
    table = Embedding(1000, 16)
    assert (table.params, table.out_shape((12,)), table.macs((12,))) == (16_000, (12, 16), 0)
    assert Dropout(0.3).params == 0 and Dropout().out_shape((4, 4, 2)) == (4, 4, 2)


@pytest.mark.parametrize(
    "n_in, n_out, binary, ternary",
    [(64, 16, 128, 256), (10, 5, 8, 16), (8, 4, 4, 8)],  # words of 32 bits, rows not aligned
)
def test_packed_dense(n_in, n_out, binary, ternary):
    one, two = BinaryDense(n_in, n_out), TernaryDense(n_in, n_out)
    assert (one.packed_bytes, two.packed_bytes) == (binary, ternary)
    assert one.params == two.params == n_in * n_out + n_out and one.macs((n_in,)) == n_in * n_out
    assert one != two and repr(one) == f"BinaryDense({n_in}, {n_out})"


sizes = st.integers(1, 40)


@given(n=sizes, m=sizes, time=sizes, biases=st.integers(0, 2))
def test_gates_are_blocks_of_elman(n, m, time, biases):
    elman = Elman(n, m, biases)
    second = sum(1 for _ in range(m) for _ in range(n + m)) + biases * m  # row by row
    assert elman.params == second
    for cell, gates in (LSTM(n, m, biases), 4), (GRU(n, m, biases), 3):
        assert cell.params == gates * elman.params
        assert cell.macs((time, n)) == gates * elman.macs((time, n)) == time * cell.weights


@given(n=sizes, m=sizes, b=sizes, unfolds=st.integers(1, 9))
def test_liquid_cells_from_dense_layers(n, m, b, unfolds):
    assert CfC(n, m, b).params == Dense(n + m, b).params + 4 * Dense(b, m).params
    ltc = LTC(n, m, unfolds)
    assert ltc.params == Dense(n + m, m).params + 2 * m
    assert ltc.macs((3, n)) == 3 * unfolds * Dense(n + m, m).macs((n + m,))
    assert LTC(n, m, unfolds, input_once=True).step_macs <= ltc.step_macs


@given(kv=st.integers(1, 4), group=st.integers(1, 4), e=sizes, time=sizes, bias=st.booleans())
def test_attention_from_dense_layers(kv, group, e, time, bias):
    heads = kv * group
    d = heads * e
    layer = Attention(d, heads, kv_heads=kv, bias=bias)
    parts = [Dense(d, heads * e, bias), Dense(d, kv * e, bias), Dense(d, kv * e, bias), Dense(d, d, bias)]
    assert layer.params == sum(p.params for p in parts)
    assert layer.projection_macs((time, d)) == time * sum(p.macs((d,)) for p in parts)
    masked = Attention(d, heads, kv_heads=kv, bias=bias, causal=True)
    pairs = sum(1 for i in range(time) for j in range(time) if j <= i)
    assert masked.score_macs((time, d)) == 2 * d * pairs <= layer.score_macs((time, d))


def test_layers_are_values():
    assert repr(LSTM(2, 3)) == "LSTM(2, 3)" and repr(GRU(2, 3, 2)) == "GRU(2, 3, bias_vectors=2)"
    assert LTC(2, 3) == LTC(2, 3, 6) != LTC(2, 3, 5) and LSTM(2, 3) != GRU(2, 3)
    assert Attention(64, 4) == Attention(64, 4, 4, 16)
    for layer in (CfC(2, 3, 4), KAN(2, 5), Embedding(9, 2), Attention(64, 4), Dropout(0.1)):
        assert eval(repr(layer)) == layer


@pytest.mark.parametrize(
    "make, error, words",
    [
        (lambda: LSTM(0, 3), ValueError, "in_features must lie between 1 and .*, got 0"),
        (lambda: LSTM(2.0, 3), TypeError, "in_features must be a whole number, got 2.0"),
        (lambda: LSTM(2, 3, 3), ValueError, "bias_vectors must be 0, 1 or 2 .*, got 3"),
        (lambda: GRU(2, 3, last_only=1), TypeError, "last_only must be True or False, got 1"),
        (lambda: LTC(2, 3, unfolds=0), ValueError, "unfolds must lie between 1 and .*, got 0"),
        (lambda: LTC(2, 3, synapse_values=2), ValueError, "synapse_values must be 1 .* or 4 .*, got 2"),
        (lambda: KAN(2, 3, degree=-1), ValueError, "degree must lie between 1 .*, got -1"),
        (lambda: Attention(10, 3), ValueError, "features must divide into 3 heads, got 10"),
        (lambda: Attention(12, 3, kv_heads=2), ValueError, "multiple of the 2 kv_heads, got 3"),
        (lambda: Attention(12, 3, head_dim="4"), TypeError, "head_dim must be a whole number, got '4'"),
        (lambda: Dropout(1.0), ValueError, r"rate must lie in \[0, 1\).* got 1.0"),
        (lambda: Dropout(math.nan), ValueError, "rate must be a finite number, got nan"),
        (lambda: LSTM(2, 3).macs((5, 4)), ValueError, r"expects 2 input features, got shape \(5, 4\)"),
        (lambda: LSTM(2, 3).macs((2,)), ValueError, r"must be a shape \(time, features\)"),
        (lambda: CfC(2, 3, 4).macs((5, 2), (5, 2)), ValueError, "takes one input shape"),
        (lambda: Attention(64, 4).score_macs((5, 3)), ValueError, "expects 64 input features"),
        (lambda: Embedding(9, 2).macs((5, 3)), ValueError, r"a shape \(time,\) of token numbers"),
        (lambda: KAN(2, 3).macs((4,)), ValueError, "expects 2 input features"),
    ],
)
def test_impossible_layers_and_inputs_are_refused(make, error, words):
    with pytest.raises(error, match=words) as caught:
        make()
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_shortcuts_around_attention():
    from tinylib.cost import Add

    block = (Node("norm", LayerNorm(16)), Node("mix", Attention(16, 2)), Node("sum", Add(), ("mix", "input")))
    assert Model("block", (10, 16), block).rows[-1].out_shape == (10, 16)
