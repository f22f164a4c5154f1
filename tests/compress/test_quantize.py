"""Codes: hand-worked scales, the scalar rules of `formats`, bounds for any array, errors by granularity."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinylib.compress import baseline, kmeans, prune, ptq, qat, quantize, smooth
from tinylib.compress.layout import from_matrix, to_matrix
from tinylib.formats import affine
from tinylib.nets.conv import DepthwiseConv2D
from tinylib.nets.network import Network, mlp

shapes = hnp.array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=6)
arrays = hnp.arrays(np.float64, shapes, elements=st.floats(-50, 50, width=32))
bit_counts = st.integers(2, 16)


def test_symmetric_codes_by_hand():
    found = quantize.weights(np.array([[1.0, -0.5], [0.24, 0.1]]), bits=3)
    assert found.scale.tolist() == [[1 / 3]]
    assert found.codes.tolist() == [[3, -2], [1, 0]]  # -1.5 goes away from zero
    assert found.error == pytest.approx(np.sqrt((0 + (1 / 6) ** 2 + (1 / 3 - 0.24) ** 2 + 0.01) / 4))
    assert found.bytes == 2 + 4


@given(arrays, bit_counts, st.booleans())
def test_codes_are_those_of_the_scalar_rules(w, bits, symmetric):
    found = quantize.weights(w, bits, symmetric=symmetric)
    if symmetric and abs(w).max() > 1e-30:
        assert found.scale[0, 0] == pytest.approx(affine.symmetric_scale(float(abs(w).max()), bits))
    code = affine.Affine(float(found.scale[0, 0]), int(found.zero_point[0, 0]), bits, narrow=symmetric)
    assert found.codes.ravel().tolist() == [code.quantize(float(v)) for v in w.ravel()]
    np.testing.assert_allclose(
        found.restored().ravel(), [code.dequantize(int(q)) for q in found.codes.ravel()], rtol=1e-12
    )


@given(arrays, bit_counts, st.sampled_from(["tensor", "channel", "group"]), st.booleans())
def test_no_value_moves_more_than_half_a_step(w, bits, per, symmetric):
    found = quantize.weights(w, bits, per, 2 if per == "group" else 0, symmetric)
    flat = to_matrix(w)
    block = np.arange(len(flat)) // 2 if per == "group" else np.zeros(len(flat), int)
    step = found.scale[block] * np.ones_like(flat)
    error = abs(to_matrix(found.restored()) - flat)
    bound = 0.5 if symmetric else 1.0  # a rounded zero point shifts the ends by up to half a step
    assert (error <= bound * step * (1 + 1e-9)).all()
    assert (to_matrix(found.restored())[flat == 0] == 0).all()  # zero is a code


@given(arrays, st.integers(2, 8))
def test_mse_is_never_worse_than_the_whole_range(w, bits):
    for symmetric in (True, False):
        whole = quantize.weights(w, bits, "channel", symmetric=symmetric)
        assert quantize.weights(w, bits, "channel", symmetric=symmetric, method="mse").error <= whole.error


@given(arrays, st.integers(2, 8), st.data())
def test_axes_name_the_channels(w, bits, data):
    axis = data.draw(st.integers(0, w.ndim - 1))
    turned = np.moveaxis(w, axis, -1)
    found = quantize.weights(w, bits, "channel", axes=(axis,))
    plain = quantize.weights(turned, bits, "channel")
    np.testing.assert_array_equal(np.moveaxis(found.codes, axis, -1), plain.codes)
    np.testing.assert_array_equal(from_matrix(to_matrix(w, (axis,)), w.shape, (axis,)), w)


def test_finer_scales_help_where_channels_differ():
    rng = np.random.default_rng(0)
    w = rng.normal(size=(64, 8)) * np.logspace(-2, 0, 8)
    errors = {per: quantize.weights(w, 4, per, 16 * (per == "group")) for per in quantize.PER}
    worst = {per: q.sqnr_db_per_channel().min() for per, q in errors.items()}
    assert worst["tensor"] < 1 < 15 < worst["channel"] < worst["group"]
    assert errors["tensor"].bytes < errors["channel"].bytes < errors["group"].bytes
    assert errors["group"].bytes == 256 + 8 * 4 * 4


def test_six_db_a_bit():  # a full-scale uniform value: 20 log10(2) more for each bit
    w = np.random.default_rng(0).uniform(-1, 1, (400, 20))
    found = [quantize.weights(w, bits).sqnr_db for bits in range(4, 13)]
    np.testing.assert_allclose(np.diff(found), 20 * np.log10(2), atol=0.7)
    assert quantize.weights(w, 10).sqnr_db == pytest.approx(
        affine.sqnr_db(w.ravel().tolist(), quantize.weights(w, 10).restored().ravel().tolist())
    )


def test_calibration_against_an_outlier():
    x = np.append(np.random.default_rng(0).normal(size=9999), 60.0)
    ranges = {m: quantize.calibrate(x, 8, m, percentile=99.9) for m in quantize.METHODS}
    assert ranges["percentile"].scale < ranges["minmax"].scale / 8
    assert ranges["minmax"].scale == pytest.approx((60 - x.min()) / 255)
    inner = x[abs(x) < 4]
    error = {m: np.mean((inner - c.dequantize(c.quantize(inner))) ** 2) for m, c in ranges.items()}
    assert error["percentile"] < error["minmax"] / 20
    four = {m: quantize.calibrate(x, 4, m) for m in quantize.METHODS}
    whole = {m: np.mean((x - c.dequantize(c.quantize(x))) ** 2) for m, c in four.items()}
    assert whole["mse"] < min(whole["minmax"], whole["percentile"])
    assert quantize.calibrate(np.full(3, 2.0)).quantize(0.0) == -128  # zero stays exact


def test_int8_is_free_on_the_digits_and_two_bits_are_not(nets, data):
    drop = {bits: [] for bits in (8, 4, 2)}
    for net in nets:
        whole = baseline.accuracy(net, data.test)
        for bits, found in drop.items():
            found.append(whole - baseline.accuracy(ptq.ptq(net, data.train, bits, 8).net, data.test))
    assert abs(np.mean(drop[8])) < 0.01 and np.mean(drop[4]) < 0.02 < 0.1 < np.mean(drop[2])


def test_ptq_of_a_convolution_counts_its_bytes(conv, data):
    found = ptq.ptq(conv, data.train)
    weights, biases, scales = 72 + 8 * 9 * 16 + 64 * 10, 8 + 16 + 10, 8 + 16 + 10
    assert found.bytes == weights + 4 * biases + 4 * scales
    assert baseline.accuracy(found.net, data.test) > baseline.accuracy(conv, data.test) - 0.01
    assert found.net.model((8, 8, 1)) == conv.model((8, 8, 1))
    assert found.weights[0]["w"].scale.shape == (1, 8)
    assert [code is not None for code in found.activations] == [True, False, True, False, False, True]
    db = [ptq.sqnr_db(conv, ptq.ptq(conv, data.train, b, None).net, data.test).mean() for b in (4, 6, 8)]
    assert np.all(np.diff(db) > 8)


def test_depthwise_filters_have_a_scale_each():
    part = DepthwiseConv2D.draw(np.random.default_rng(0), 3, 3, multiplier=2)
    found = ptq.ptq_part(part, 8, "channel")["w"]
    assert found.scale.shape == (1, 6) and found.codes.shape == part.w.shape
    assert (abs(found.codes).max(axis=(0, 1)) == 127).all()


@given(hnp.arrays(np.float64, (9, 4), elements=st.floats(-9, 9)), st.floats(0, 1))
def test_smoothing_leaves_the_product(x, alpha):
    w = np.random.default_rng(1).normal(size=(4, 5))
    s = smooth.factors(x, w, alpha)
    moved_x, moved_w = smooth.migrate(x, w, s)
    np.testing.assert_allclose(moved_x @ moved_w, x @ w, rtol=1e-9, atol=1e-9)


def test_smoothing_in_closed_form():
    x, w = np.array([[8.0, 1.0]]), np.array([[0.5, -2.0], [1.0, 0.25]])
    assert smooth.factors(x, w, 0.5).tolist() == [2.0, 1.0]  # sqrt(8 / 2), sqrt(1 / 1)
    np.testing.assert_allclose(smooth.factors(x, w, 1.0), [8, 1])
    np.testing.assert_allclose(smooth.factors(x, w, 0.0), [1 / 2, 1])
    assert smooth.factors(np.zeros((1, 2)), w).tolist() == [1, 1]


def test_smoothing_trades_the_error_of_inputs_for_that_of_weights():
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=(64, 16)) * np.where(np.arange(16) == 5, 100, 1), rng.normal(size=(16, 8))
    lines = {name: [error for _, error in line] for name, line in smooth.error_curves(x, w, points=5).items()}
    assert lines["inputs rounded"][0] > 3 * lines["inputs rounded"][-1]
    assert lines["weights rounded"][-1] > 3 * lines["weights rounded"][0]
    assert 0 < np.argmin(lines["both"]) < 4
    moved = smooth.migrate(x, w, smooth.factors(x, w, 0.5))
    by_hand = np.matmul(*(quantize.weights(v, 8).restored() for v in moved)) - x @ w
    assert smooth.output_error(x, w, 0.5) == pytest.approx(np.sqrt((by_hand**2).mean()))
    with pytest.raises(ValueError, match="rounded must hold"):
        smooth.output_error(x, w, 0.5, rounded=("biases",))


def test_smoothing_saves_a_network_with_an_outlier_unit(nets, data):
    plain, smoothed = [], []
    for net in nets:
        s = np.where(np.arange(32) % 8 == 0, 50.0, 1.0)  # the same function with four loud units
        first, last = net.arrays
        loud = net.with_arrays(
            [{"w": first["w"] * s, "b": first["b"] * s}, {**last, "w": last["w"] / s[:, None]}]
        )
        np.testing.assert_allclose(baseline.logits(loud, data.test), baseline.logits(net, data.test))
        even = smooth.smooth(loud, data.train)
        np.testing.assert_allclose(baseline.logits(even, data.test), baseline.logits(net, data.test))
        plain.append(baseline.accuracy(ptq.ptq(loud, data.train, 8, 4).net, data.test))
        smoothed.append(baseline.accuracy(ptq.ptq(even, data.train, 8, 4).net, data.test))
    assert np.mean(smoothed) > 0.9 > np.mean(plain) + 0.1


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda: quantize.weights(np.ones((2, 2)), 1), "bits must be 2 to 16"),
        (lambda: quantize.weights(np.ones((2, 2)), per="row"), "per must be one of"),
        (lambda: quantize.weights(np.ones((2, 2)), per="group"), "group_size must be given"),
        (lambda: quantize.weights(np.ones(2)), "must have inputs and channels"),
        (lambda: quantize.weights(np.full((2, 2), np.nan)), "w must be finite"),
        (lambda: quantize.weights(np.ones((2, 2)), method="max"), "method must be one of"),
        (lambda: quantize.calibrate(np.ones(0)), "at least one value"),
        (lambda: quantize.calibrate(np.ones(1), method="percentile", percentile=40), "above 50"),
        (lambda: smooth.factors(np.ones((2, 3)), np.ones((2, 2))), "one column per row"),
        (lambda: smooth.factors(np.ones((2, 2)), np.ones((2, 2)), 2), "alpha must be a share"),
    ],
)
def test_errors_give_a_reason(call, why):
    with pytest.raises(ValueError, match=why):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda several, data: ptq.ptq(several, data.train),
        lambda several, data: qat.fake_quantized(several, data.train),
        lambda several, data: kmeans.share(several),
        lambda several, data: prune.magnitude(several, 0.5),
    ],
)
def test_independent_networks_are_not_mixed(call, data):
    several = mlp((64, 4, 10), rng=np.random.default_rng(0), seeds=(3,))
    with pytest.raises(ValueError, match="must be a single one"):
        call(several, data)
    assert call(several.at(0), data)


def test_smoothing_refuses_what_no_scale_passes(conv, data):
    with pytest.raises(ValueError, match="Dense parts only"):
        smooth.smooth(Network((conv.parts[-1], conv.parts[0])), data.train.take([0]))
