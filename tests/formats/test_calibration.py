"""Ranges for affine codes: worked by hand, for sequences and arrays alike, per tensor, channel and group."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.formats.affine import Affine, asymmetric, sqnr_db, symmetric
from tinylib.formats.calibration import METHODS, calibrate, spread, squared_error

numbers = st.lists(st.floats(-100, 100).map(lambda v: round(v, 6)), min_size=1, max_size=40)


def test_min_max_by_hand():  # -1 to 3 in 255 steps: zero is step 63.75, code 64
    code = calibrate([-1.0, 0.25, 3.0])
    assert code == asymmetric(-1.0, 3.0) == Affine(4 / 255, 64, signed=False)
    assert calibrate([-1.0, 3.0], signed=True) == Affine(4 / 255, -64)
    assert calibrate([-1.0, 3.0], symmetrical=True) == symmetric(3.0)
    assert calibrate([1.0, 3.0]) == asymmetric(0.0, 3.0)  # zero is always a code
    assert calibrate([0.0, 0.0]).scale == 1 / 255


def test_percentile_by_hand():  # 101 values -50..50 and 90 %: ten are left out at either end
    assert spread(list(range(-50, 51)), 90) == (-40, 40)
    assert spread([-1, 0, 4], 75) == (-0.5, 2)  # half-way between two values
    assert spread(list(range(-50, 51)), 100) == (-50, 50)


@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_widths(bits):  # UINT16 of 0..1 has the step 1/65535, INT2 of +-1 the codes -1, 0, 1
    assert calibrate([0.0, 1.0], bits).scale == 1 / (2**bits - 1)
    assert calibrate([-1.0, 1.0], bits, symmetrical=True).codes == (1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1)


def test_an_outlier_costs_min_max_most():
    rng = np.random.default_rng(0)
    x = np.append(rng.normal(size=5000), 40.0)
    noise = {method: squared_error(x[:-1], calibrate(x, 4, method=method)) for method in METHODS}
    assert noise["percentile"] < noise["mse"] < noise["minmax"] / 3
    total = {method: squared_error(x, calibrate(x, 4, method=method)) for method in METHODS}
    assert min(total, key=total.get) == "mse"


@given(numbers, st.sampled_from(METHODS), st.booleans(), st.sampled_from((2, 4, 8)))
def test_sequences_and_arrays_agree(values, method, symmetrical, bits):
    options = {"method": method, "symmetrical": symmetrical, "percent": 90}
    one, other = calibrate(values, bits, **options), calibrate(np.array(values), bits, **options)
    assert other.scale == pytest.approx(one.scale, rel=0.05 if method == "mse" else 1e-12)
    assert squared_error(np.array(values), other) == pytest.approx(
        squared_error(values, one), rel=1e-6, abs=1e-9
    )


@given(numbers, st.booleans())
def test_min_max_restores_within_half_a_step_and_mse_is_no_worse(values, symmetrical):
    x = np.array(values)
    code = calibrate(x, 8, symmetrical=symmetrical)
    assert np.abs(code.dequantize(code.quantize(x)) - x).max() <= code.scale / 2 * (1 + 1e-9) + code.scale / 2
    best = calibrate(x, 8, symmetrical=symmetrical, method="mse")
    assert squared_error(x, best) <= squared_error(x, code)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("symmetrical", [True, False])
def test_channels_are_tensors_of_their_own(method, symmetrical):
    x = np.random.default_rng(1).normal(size=(200, 5)) * [0.01, 0.1, 1.0, 10.0, 0.0]
    options = {"method": method, "symmetrical": symmetrical}
    code = calibrate(x, 4, over=0, **options)
    assert code.scale.shape == (1, 5)
    for c in range(5):
        alone = calibrate(x[:, c], 4, **options)
        assert code.scale[0, c] == pytest.approx(alone.scale, rel=1e-12)
        assert np.broadcast_to(code.zero_point, (1, 5))[0, c] == alone.zero_point
        assert np.array_equal(code.quantize(x)[:, c], alone.quantize(x[:, c]))


def test_finer_sharing_is_finer():  # signal to noise of 4-bit weights: tensor < channel < group
    w = np.random.default_rng(2).normal(size=(64, 256)) * np.linspace(0.1, 3, 64)[:, None]
    w[:, ::32] *= 4
    groups = w.reshape(64, 16, 16)
    codes = {
        "tensor": (w, calibrate(w, 4, symmetrical=True)),
        "channel": (w, calibrate(w, 4, symmetrical=True, over=-1)),
        "group": (groups, calibrate(groups, 4, symmetrical=True, over=-1)),
    }
    db = {
        name: sqnr_db(x.ravel().tolist(), code.dequantize(code.quantize(x)).ravel().tolist())
        for name, (x, code) in codes.items()
    }
    assert db["tensor"] + 2 < db["channel"] and db["channel"] + 1 < db["group"]
    assert codes["group"][1].scale.shape == (64, 16, 1)


def test_range_holds_zero_and_its_share():
    x = np.random.default_rng(3).normal(5, 1, 1000)
    lo, hi = spread(x, 99.0)
    assert lo == 0 and ((lo <= x) & (x <= hi)).mean() == pytest.approx(0.99, abs=0.002)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: calibrate([]), "values must not be empty"),
        (lambda: calibrate([1.0, math.nan]), "value must be a finite number"),
        (lambda: calibrate(np.array([1.0, math.nan])), "values must be finite: NaN"),
        (lambda: calibrate([1.0], method="entropy"), "method must be one of minmax, percentile, mse"),
        (lambda: calibrate([1.0], method="percentile", percent=20), "percent must lie above 50, at most 100"),
        (lambda: calibrate([1.0], over=0), "over must be None for a plain sequence"),
        (
            lambda: calibrate(np.ones((2, 2)), over=2),
            r"over must be None or an axis of shape \(2, 2\), got 2",
        ),
        (lambda: calibrate(np.ones((2, 0)), over=0), "values must not be empty"),
        (lambda: Affine(np.array([1.0, 0.0])), "scale must be positive, got 0.0"),
        (lambda: Affine(np.ones(2), np.array([0, 200])), "zero_point must be a code, -128 to 127"),
        (lambda: asymmetric(np.array([-1.0, 0.5]), np.ones(2)), "range must hold zero and have a width"),
    ],
)
def test_errors_say_what_and_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_fraction_is_no_zero_point():
    with pytest.raises(TypeError, match="zero_point must be a whole number"):
        Affine(np.ones(2), np.array([0.0, 0.5]))
