"""int8 layers: both rounding rules by hand and twice over, networks made from float ones, and errors.

Equality with the kernels of two runtimes is held by the reference vectors (`tests/golden.py`).
"""

from itertools import product
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.nets.test_conv import bars, kws, trained
from tinylib.cost.readers import read_tflite
from tinylib.formats.affine import Affine, multiplier, requantize
from tinylib.nets import pool
from tinylib.nets.conv import Conv1D, Conv2D, DepthwiseConv2D
from tinylib.nets.dense import Dense
from tinylib.nets.int8 import RUNTIMES, Int8Network, Step, from_float
from tinylib.nets.int8_layers import Int8Conv2D, Int8Dense, Int8DepthwiseConv2D
from tinylib.nets.int8_ops import RULES, Requantizer, high_product, rounding_shift, scaled
from tinylib.nets.int8_pool import (
    TANH_CODE,
    Int8Add,
    Int8AvgPool2D,
    Int8MaxPool2D,
    Int8Mean,
    Int8Softmax,
    Int8Table,
)
from tinylib.nets.network import Network

HALF = 1 << 30  # raw of the mantissa 0.5
CODE = Affine(0.05, -10)


def random_codes(seed, *shape):
    return np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8)


# ---- rounding, by hand


def test_high_product_and_shift_by_hand():
    # 2 a b / 2^32 to the nearest: 3 * 2^30 * 2 / 2^32 = 1.5 -> 2, -1.5 -> -1 (ties upwards there)
    assert high_product(np.array([3, -3, -(2**31)]), np.array([HALF, HALF, -(2**31)])).tolist() == [
        2,
        -1,
        2**31 - 1,
    ]
    assert rounding_shift(np.array([5, -5, 6, -6, 7]), 2).tolist() == [1, -1, 2, -2, 2]  # 1.5 away from zero
    assert rounding_shift(np.array([5, -5]), 0).tolist() == [5, -5]


def test_the_two_rules_part_by_hand():
    # M = 2^-3: raw 2^30, shift 2. acc = 3: 0.375 -> 0 at once; but 3/2 -> 2, then 2/4 -> 1
    assert scaled(np.array([3]), HALF, 2, "single").item() == 0
    assert scaled(np.array([3]), HALF, 2, "double").item() == 1
    # acc = -4: a tie, -0.5; upwards 0, away from zero -1
    assert scaled(np.array([-4]), HALF, 2, "single").item() == 0
    assert scaled(np.array([-4]), HALF, 2, "double").item() == -1


RAWS, SHIFTS, ZEROS = st.integers(HALF, 2 * HALF - 1), st.integers(-3, 20), st.integers(-128, 127)


@settings(max_examples=100, deadline=None)
@given(
    RAWS, SHIFTS, ZEROS, st.integers(-9999, 9999), st.integers(4, 30), st.sampled_from(RULES), st.booleans()
)
def test_one_floor_is_both_rules(raw, shift, zero_point, bias, bits, rule, relu):
    """Through float64, or int64 where that is not exact: always what the integers alone give."""
    bound = 1 << bits
    acc = np.random.default_rng(raw).integers(-bound, bound + 1, (400, 1))
    step = 2 * bound * raw / 2 ** (31 + shift) / 300  # not all of them clamped
    acc[::2] = acc[::2] / max(step, 1)
    acc[:3, 0] = -bound, bound, -bias
    low = zero_point if relu else -128
    arrays = (np.array([v]) for v in (raw, shift, bias, bound))
    got = Requantizer(*arrays, zero_point, low, 127, rule)(acc)
    total = acc + bias
    np.testing.assert_array_equal(got, np.clip(scaled(total, raw, shift, rule) + zero_point, low, 127))
    if shift >= 0:
        np.testing.assert_array_equal(scaled(total, raw, shift, rule), requantize(total, raw, shift, 0, rule))


def test_a_sum_beyond_float64_falls_back_to_integers():
    wide = Requantizer(*(np.array([v]) for v in (HALF + 1, 23, 0, 2**30)), 0)
    near = Requantizer(*(np.array([v]) for v in (HALF + 1, 8, 0, 2**20)), 0)
    assert near.exact and not wide.exact


# ---- layers: a second road in Python integers


def looped(part, x, rule):
    """Codes of one sample, one product at a time, requantized by `formats`."""
    g_h, g_w = part.layer.positions(*x.shape[:2])
    (kh, kw), (sh, sw) = part.layer.kernel_size, part.layer.stride
    need = [max((o - 1) * s + k - n, 0) for o, s, k, n in zip((g_h, g_w), (sh, sw), (kh, kw), x.shape)]
    top, left = (n // 2 if part.padding == "same" else 0 for n in need)
    depthwise = isinstance(part, Int8DepthwiseConv2D)
    y = np.zeros((g_h, g_w, part.layer.out_channels), int)
    low = part.target.zero_point if part.activation != "linear" else -128
    high = part.target.quantize(6.0) if part.activation == "relu6" else 127
    for i, j, c in np.ndindex(y.shape):
        acc = int(part.bias[c])
        for a, b in product(range(kh), range(kw)):
            row, column = i * sh + a - top, j * sw + b - left
            if not (0 <= row < x.shape[0] and 0 <= column < x.shape[1]):
                continue
            if depthwise:
                m = part.weights.shape[3]
                pairs = [(part.weights[a, b, c // m, c % m], x[row, column, c // m])]
            else:
                pairs = zip(part.weights[c, a, b], x[row, column])
            acc += sum(int(w) * (int(v) - part.source.zero_point) for w, v in pairs)
        m = multiplier(part.source.scale, float(part.scales[c]), part.target.scale)
        y[i, j, c] = min(max(requantize(acc, *m, part.target.zero_point, rule), low), high)
    return y


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 999),
    st.booleans(),
    st.sampled_from(("same", "valid")),
    st.sampled_from(("linear", "relu", "relu6")),
    st.sampled_from(RULES),
)
def test_convolutions_equal_loops(seed, depthwise, padding, activation, rule):
    rng = np.random.default_rng(seed)
    kernel, stride, (c, m) = (
        rng.integers(1, 4, 2),
        tuple(map(int, rng.integers(1, 3, 2))),
        rng.integers(1, 4, 2),
    )
    shape = (*kernel, c, m) if depthwise else (m, *kernel, c)
    outputs = c * m if depthwise else m
    part = (Int8DepthwiseConv2D if depthwise else Int8Conv2D)(
        random_codes(seed, *shape),
        rng.uniform(0.001, 0.01, outputs),
        rng.integers(-3000, 3000, outputs).astype(np.int32),
        Affine(0.03, int(rng.integers(-128, 128))),
        Affine(0.05, int(rng.integers(-128, 128))),
        activation,
        stride,
        padding,
    )
    x = random_codes(seed + 1, 2, 5, 4, c)
    got = part.forward(x, rule)
    assert got.dtype == np.int8
    np.testing.assert_array_equal(got[1], looped(part, x[1], rule))


def test_long_sums_leave_float32():
    """4,096 products of 127 x -128 pass 2^24 by far: the sum is taken in float64, and is right."""
    w = np.full((2, 4096), 127, np.int8)
    w[1, ::2] = -127
    part = Int8Dense(w, np.array([1e-6, 1e-6]), np.array([1, 1], np.int32), Affine(1.0), Affine(1.0))
    assert part.dtype == np.float64
    x = np.full((1, 4096), -128, np.int8)
    x[0, 0] = 127  # row 1: (127 + 128) * -127 in all
    assert part.forward(x).tolist() == [[-67, 0]]  # -66,552,831 and -32,384 millionths
    small = Int8Dense(w[:, :512], part.scales, part.bias, part.source, part.target)
    assert small.dtype == np.float32


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_a_shortcut_adds_within_one_step(rule, activation):
    sources, target = (Affine(0.05, -10), Affine(0.02, 30)), Affine(0.07, 5)
    a, b = random_codes(0, 1000), random_codes(1, 1000)
    got = Int8Add(sources, target, activation).forward(a, b, rule)
    real = sources[0].dequantize(a.astype(float)) + sources[1].dequantize(b.astype(float))
    real = np.maximum(real, 0) if activation == "relu" else real
    exact = np.clip(real / target.scale + target.zero_point, -128, 127)
    assert np.abs(got - exact).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("rule", RULES)
def test_a_mean_is_right_to_its_rounding(rule):
    x = random_codes(0, 3, 7, 5, 4)
    target, most = Affine(0.01, 3), 0.501 if rule == "single" else 0.625  # two roundings: half, and an eighth
    got = Int8Mean(CODE, target).forward(x, rule)
    exact = CODE.dequantize(x.astype(float)).mean((1, 2)) / target.scale + target.zero_point
    assert got.shape == (3, 4) and np.abs(got - np.clip(exact, -128, 127)).max() <= most
    assert Int8Mean(CODE, target, keep=True).forward(x, rule).shape == (3, 1, 1, 4)
    constant = np.full((1, 7, 7, 2), 17, np.int8)
    assert Int8Mean(CODE, CODE).forward(constant, rule).tolist() == [[17, 17]]


def test_pools_work_on_codes():
    x = np.array([[-3, -4], [7, 7]], np.int8).reshape(1, 2, 2, 1)
    assert Int8AvgPool2D(2, CODE).forward(x).item() == 2  # 7 / 4 = 1.75
    assert Int8AvgPool2D((1, 2), CODE).forward(x).ravel().tolist() == [-4, 7]  # -3.5 goes away from zero
    assert Int8MaxPool2D(2, CODE).forward(x).item() == 7
    assert Int8MaxPool2D((1, 2), CODE, activation="relu").forward(x - np.int8(20)).ravel().tolist() == [
        -10,
        -10,
    ]
    same = Int8MaxPool2D(3, CODE, 1, "same").forward(np.full((1, 3, 3, 1), -128, np.int8))
    assert (same == -128).all()


def test_tables_hold_the_function():
    part = Int8Table("tanh", CODE, TANH_CODE)
    q = np.arange(-128, 128).astype(np.int8)
    exact = np.tanh(CODE.dequantize(q.astype(float))) * 128
    assert np.abs(part.forward(q) - np.clip(exact, -128, 127)).max() <= 0.5 and part.table.size == 256
    assert part.forward(np.array([-10], np.int8)).item() == 0  # tanh(0)


def test_softmax_by_hand():  # e^0, e^log 2, e^log 2: shares 1 : 2 : 2 of 256
    code = Affine(log(2) / 10)
    got = Int8Softmax(code).forward(np.array([[0, 10, 10]], np.int8))
    assert (got.astype(int) + 128).tolist() == [[51, 102, 102]]
    flat = Int8Softmax(code).forward(np.full((1, 2), -128, np.int8))
    assert flat.tolist() == [[0, 0]]


# ---- networks


def test_a_trained_network_keeps_its_accuracy():
    rng = np.random.default_rng(0)
    _, net = trained(rng)
    small = from_float(net, bars(rng, 256)[0])
    seen, wanted = bars(rng, 400)
    right = [(y.argmax(1) == wanted.argmax(1)).mean() for y in (net.predict(seen), small.predict(seen))]
    assert right[0] > 0.97 and right[1] >= right[0] - 0.01
    assert small.weight_bytes == 9 * 8 + 4 * 8 + 72 * 2 + 4 * 2  # a quarter of float32, but for the biases
    error = small.predict(seen) - net.predict(seen)
    assert error.std() < 0.03 * net.predict(seen).std()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_kind_of_part_has_an_int8_form(runtime):
    rng = np.random.default_rng(1)
    depthwise = DepthwiseConv2D.draw(rng, 4, 3, "relu", multiplier=2, padding="same", stride=2)
    parts = (*kws(rng).parts[:2], Conv2D.draw(rng, 8, 4, 2, "tanh"), depthwise, pool.AvgPool2D(2))
    net = Network((*parts, pool.Dropout(20), pool.Flatten(), Dense.draw(rng, 32, 5, "sigmoid")))
    x = rng.normal(size=(64, 20, 20, 1))
    small = from_float(net, x)
    want, got = net.predict(x), small.predict(x, runtime)
    assert got.shape == want.shape and np.abs(got - want).max() < 0.05
    assert small.model((20, 20, 1)).macs == net.model((20, 20, 1)).macs
    assert small.model((20, 20, 1)).params == net.count


def test_a_filter_of_zeros_and_a_dead_layer_stay_zero():
    net = Network((Conv2D(np.zeros((2, 1, 1, 1)), np.zeros(2), activation="relu"), pool.GlobalAvgPool2D()))
    small = from_float(net, np.random.default_rng(0).normal(size=(8, 3, 3, 1)))
    assert (small.predict(np.ones((2, 3, 3, 1))) == 0).all()


def test_a_bias_over_a_faint_filter_survives():
    w = np.array([1.0, 1e-12]).reshape(2, 1, 1, 1)
    net = Network((Conv2D(w, np.array([0.0, 0.5])), pool.GlobalAvgPool2D()))
    small = from_float(net, np.random.default_rng(0).normal(size=(8, 3, 3, 1)))
    got = small.predict(np.zeros((1, 3, 3, 1)))
    np.testing.assert_allclose(got, [[0, 0.5]], atol=small.steps[0].layer.target.scale)


def test_a_written_file_is_read_back(tmp_path):
    pytest.importorskip("tflite")
    from benchmarks.reference.tflite_file import written

    net = kws(np.random.default_rng(0))
    small = from_float(net, np.random.default_rng(1).normal(size=(8, 20, 20, 1)))
    path = tmp_path / "kws.tflite"
    path.write_bytes(written(small, (20, 20, 1)))
    (model,) = read_tflite(path).models
    assert (model.params, model.macs) == (474, 33288)


def test_a_shortcut_reads_an_earlier_tensor():
    conv = Int8Conv2D(random_codes(0, 2, 1, 1, 2), np.full(2, 0.01), np.zeros(2, np.int32), CODE, CODE)
    add = Int8Add((CODE, CODE), Affine(0.1, -10))
    net = Int8Network((Step(conv, ("input",), "a"), Step(add, ("input", "a"), "b")), CODE)
    x = random_codes(1, 1, 3, 3, 2)
    tensors = net.tensors(x)
    assert set(tensors) == {"input", "a", "b"} and net.target == add.target
    np.testing.assert_array_equal(net.forward(x), add.forward(x, conv.forward(x)))
    assert [n.src for n in net.model((3, 3, 2)).nodes] == [("input",), ("input", "a")]
    assert net.model((3, 3, 2)).macs == 9 * 4


def test_the_runtimes_differ_by_one_step_now_and_then():
    few = (random_codes(0, 8, 3, 3, 8) // 16).astype(np.int8)
    part = Int8Conv2D(few, np.full(8, 0.0073), np.zeros(8, np.int32), CODE, CODE)
    x = random_codes(1, 4, 20, 20, 8)
    a, b = (part.forward(x, rule).astype(int) for rule in RULES)
    assert 0 < (a != b).mean() < 0.02 and np.abs(a - b).max() == 1
    assert part.rules == {"reference": "double", "xnnpack": "single"}
    assert set(Int8Dense.rules.values()) == {"single"}


# ---- errors


def test_what_cannot_run_is_refused():
    weights, scales, bias = np.zeros((2, 3), np.int8), np.ones(2), np.zeros(2, np.int32)
    part = Int8Dense(weights, scales, bias, CODE, CODE)
    net = Int8Network((Step(part, ("input",), "y"),), CODE)
    with pytest.raises(ValueError, match="runtime must be one of reference, xnnpack, got 'gpu'"):
        net.forward(np.zeros((1, 3), np.int8), "gpu")
    with pytest.raises(TypeError, match="x must be int8 codes, got float64"):
        net.forward(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="rule must be one of double, single, got 'half'"):
        part.forward(np.zeros((1, 3), np.int8), "half")
    with pytest.raises(ValueError, match=r"expects 3 input elements, got shape \(4,\)"):
        net.forward(np.zeros((1, 4), np.int8))
    with pytest.raises(ValueError, match="a step must read what was made before it, got z"):
        Int8Network((Step(part, ("z",), "y"),), CODE)
    with pytest.raises(TypeError, match="weights must be int8, got float64"):
        Int8Dense(np.zeros((2, 3)), scales, bias, CODE, CODE)
    with pytest.raises(ValueError, match=r"bias must hold one value per output: 2, got shape \(3,\)"):
        Int8Dense(weights, scales, np.zeros(3, np.int32), CODE, CODE)
    with pytest.raises(ValueError, match="activation must be one of linear, relu, relu6, got 'gelu'"):
        Int8Dense(weights, scales, bias, CODE, CODE, "gelu")
    with pytest.raises(ValueError, match="shift must lie between -30 and 31"):
        Int8Dense(weights, scales * 1e12, bias, CODE, CODE)
    huge = np.full(2, 2**31 - 1, np.int32)
    with pytest.raises(ValueError, match="accumulators must fit into 32 bits"):
        Int8Dense(weights + np.int8(1), scales, huge, CODE, CODE)
    with pytest.raises(TypeError, match="a part must have an int8 form, got Conv1D"):
        from_float(Network((Conv1D.draw(np.random.default_rng(0), 1, 1, 2),)), np.ones((1, 4, 1)))
    with pytest.raises(ValueError, match="finite"):
        from_float(Network((pool.Flatten(),)), np.array([[np.nan]]))
