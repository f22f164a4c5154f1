"""Dense layers: hand-worked sums, values of autograd, central differences, and Q bit for bit."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.formats.qformat import QFormat
from tinylib.nets import losses
from tinylib.nets.arithmetic import ACTIVATIONS, FLOAT, Fixed
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network, mlp

WIDE = Fixed(QFormat(8, 8), "nearest", "saturate", "wide")
AUTOGRAD = json.loads((Path(__file__).parent / "data" / "mlp_autograd.json").read_text())["cases"]


def test_a_layer_worked_by_hand():  # 1*2 - 3*1 + 0.5 is cut by relu; 3*4 - 2 = 10
    layer = Dense(np.array([[2.0, 0.0], [-1.0, 4.0]]), np.array([0.5, -2.0]), "relu")
    y, tape = layer.forward(np.array([[1.0, 3.0]]))
    np.testing.assert_array_equal(y, [[0.0, 10.0]])
    dx, grads = layer.back(tape, np.array([[7.0, 1.0]]))
    np.testing.assert_array_equal(dx, [[0.0, 4.0]])
    np.testing.assert_array_equal(grads["w"], [[0.0, 1.0], [0.0, 3.0]])
    np.testing.assert_array_equal(grads["b"], [0.0, 1.0])


def test_each_product_is_cut_before_the_sum_in_fixed_point():  # 1/256 * 1/2 is 0 or -1 code
    ops = Fixed(QFormat(8, 8))
    layer = Dense(ops.number([[0.5], [0.5], [-0.5]]), ops.number([1.0]))
    x = np.array([[1, 1, 1]])  # three codes of 1/256
    assert layer.forward(x, ops)[0].item() == 256 + 0 + 0 - 1
    wide = Fixed(QFormat(8, 8), accumulation="wide")
    assert layer.forward(x, wide)[0].item() == 256  # floor(1/2 + 1/2 - 1/2)


@pytest.mark.parametrize("case", AUTOGRAD, ids=lambda c: f"{c['hidden']}-{c['output']}-{c['loss']}")
def test_outputs_and_gradients_are_those_of_autograd(case):  # benchmarks/reference/mlp.py
    bends = [case["hidden"]] * (len(case["w"]) - 1) + [case["output"]]
    net = Network(tuple(Dense(np.array(w), np.array(b), f) for w, b, f in zip(case["w"], case["b"], bends)))
    x, target = np.array(case["x"]), np.array(case["target"])
    y, tapes = net.forward(x)
    np.testing.assert_allclose(y, case["y"], rtol=1e-9, atol=1e-12)
    value, delta = losses.named(case["loss"])(y, target, FLOAT)
    np.testing.assert_allclose(value.mean(), case["value"], rtol=1e-9)
    dx, grads = net.back(tapes, delta)
    outputs = 2 / y.shape[-1] if case["loss"] == "squared" else 1.0
    scale = -outputs / len(x)  # delta is downhill, plain, and not yet a mean
    np.testing.assert_allclose(dx * scale, case["dx"], rtol=1e-8, atol=1e-12)
    for found, dw, db in zip(grads, case["dw"], case["db"]):
        np.testing.assert_allclose(found["w"] * scale, dw, rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(found["b"] * scale, db, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("output", ACTIVATIONS)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_gradients_are_central_differences(hidden, output):
    rng = np.random.default_rng(7)
    net = mlp((3, 4, 2), hidden, output, rng, limit=1.0)
    x, weight = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    _, tapes = net.forward(x)
    dx, grads = net.back(tapes, weight)

    def slope(change):
        return (change(1e-6) - change(-1e-6)) / 2e-6

    def scored(x, arrays=None):
        return np.sum(weight * (net if arrays is None else net.with_arrays(arrays)).forward(x)[0])

    for i, part in enumerate(net.arrays):
        for name, a in part.items():
            one = rng.normal(size=a.shape)

            def moved(h, i=i, name=name, one=one):
                arrays = [dict(p) for p in net.arrays]
                arrays[i][name] = arrays[i][name] + h * one
                return scored(x, arrays)

            np.testing.assert_allclose(np.sum(grads[i][name] * one), slope(moved), rtol=1e-6, atol=1e-8)
    way = rng.normal(size=x.shape)
    np.testing.assert_allclose(np.sum(dx * way), slope(lambda h: scored(x + h * way)), rtol=1e-6, atol=1e-8)


@given(seed=st.integers(0, 999), scale=st.floats(-3, 3))
def test_back_is_linear_in_delta(seed, scale):
    rng = np.random.default_rng(seed)
    layer = Dense.draw(rng, 3, 2, "tanh")
    _, tape = layer.forward(rng.normal(size=(4, 3)))
    a, b = rng.normal(size=(2, 4, 2))
    dx, grads = layer.back(tape, a + scale * b)
    (dxa, ga), (dxb, gb) = layer.back(tape, a), layer.back(tape, b)
    np.testing.assert_allclose(dx, dxa + scale * dxb, atol=1e-12)
    for name in grads:
        np.testing.assert_allclose(grads[name], ga[name] + scale * gb[name], atol=1e-12)


@pytest.mark.parametrize("ops", [FLOAT, Fixed(QFormat(16, 16)), WIDE])
def test_many_layers_at_once_are_the_single_ones(ops):
    rng = np.random.default_rng(3)
    many = Dense.draw(rng, 3, 2, "sigmoid", ops, limit=1.0, seeds=(5,))
    x, delta = ops.number(rng.normal(size=(4, 3))), ops.number(rng.normal(size=(5, 4, 2)))
    y, tape = many.forward(x, ops)
    dx, grads = many.back(tape, delta, ops)
    alone = many.grads(tape, delta, ops)
    for s in range(5):
        one = Dense(many.w[s], many.b[s], "sigmoid")
        y1, tape1 = one.forward(x, ops)
        dx1, grads1 = one.back(tape1, delta[s], ops)
        same = np.testing.assert_array_equal if ops is not FLOAT else np.testing.assert_allclose
        same(y[s], y1)
        same(dx[s], dx1)
        for name in grads:
            same(grads[name][s], grads1[name])
            np.testing.assert_array_equal(grads[name], alone[name])


@pytest.mark.parametrize("ops", [FLOAT, Fixed(QFormat(16, 16))])
@pytest.mark.parametrize("seeds", [(), (3,)])
def test_a_sequence_is_a_longer_batch(ops, seeds):  # time first: (time, seeds, batch, features)
    rng = np.random.default_rng(8)
    layer = Dense.draw(rng, 3, 2, "tanh", ops, limit=1.0, seeds=seeds)
    x, delta = (ops.number(rng.normal(size=(4, *seeds, 5, n))) for n in (3, 2))
    y, tape = layer.forward(x, ops)
    dx, grads = layer.back(tape, delta, ops)
    long = [np.concatenate(list(a), axis=-2) for a in (x, delta, y, dx)]
    y1, tape1 = layer.forward(long[0], ops)
    dx1, grads1 = layer.back(tape1, long[1], ops)
    np.testing.assert_allclose(long[2], y1)
    np.testing.assert_allclose(long[3], dx1)
    for name in grads:
        np.testing.assert_allclose(grads[name], grads1[name], rtol=1e-12)


@given(n=st.integers(1, 9), m=st.integers(1, 9))
def test_the_arrays_hold_what_the_layer_counts(n, m):
    layer = Dense.draw(np.random.default_rng(0), n, m)
    assert layer.count == layer.layer.params == n * m + m


def test_default_weights_lie_in_the_glorot_bound():
    layer = Dense.draw(np.random.default_rng(0), 100, 50)
    assert np.sqrt(6 / 150) * 0.99 < np.abs(layer.w).max() < np.sqrt(6 / 150)
    assert not layer.b.any()


def test_what_does_not_fit_is_refused_with_a_reason():
    w, b = np.zeros((2, 3)), np.zeros(3)
    with pytest.raises(ValueError, match=r"b must have the shape \(3,\), got \(2,\)"):
        Dense(w, np.zeros(2))
    with pytest.raises(ValueError, match="w must be a matrix"):
        Dense(b, b)
    with pytest.raises(ValueError, match="w must be finite"):
        Dense(np.full((2, 3), np.nan), b)
    with pytest.raises(ValueError, match=r"activation must be one of .*, got 'softplus'"):
        Dense(w, b, "softplus")
    with pytest.raises(ValueError, match=r"expects x \(..., batch, 2\), got shape \(4, 3\)"):
        Dense(w, b).forward(np.zeros((4, 3)))
