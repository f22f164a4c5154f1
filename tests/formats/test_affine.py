"""Affine codes: hand-worked scales and codes, exact rational arithmetic as second road, refusals."""

from fractions import Fraction
from math import floor, isclose, pi, sin

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.formats import affine
from tinylib.formats.affine import Affine

scales = st.floats(1e-4, 10)
accumulators = st.integers(-(2**31), 2**31 - 1)


def test_worked_range_from_minus_two_to_six():  # 8 / 255, and 2 / S = 63.75
    unsigned = affine.asymmetric(-2, 6)
    assert unsigned.scale == pytest.approx(0.0313725, abs=1e-7)
    assert (unsigned.zero_point, unsigned.codes) == (64, (0, 255))
    assert unsigned.quantize(1.5) == 112 and type(unsigned.quantize(1.5)) is int
    assert unsigned.dequantize(112) - 1.5 == pytest.approx(0.0058824, abs=1e-7)


def test_int8_is_another_code_range_with_the_same_step():
    unsigned, signed = affine.asymmetric(-2, 6), affine.asymmetric(-2, 6, signed=True)
    assert signed.codes == (-128, 127) and signed.scale == unsigned.scale
    assert signed.zero_point == unsigned.zero_point - 128 == -64


def test_symmetric_weights_leave_the_lowest_code_out():  # 0.5 / 127
    weights = affine.symmetric(0.5)
    assert weights.scale == pytest.approx(0.003937008, abs=1e-9)
    assert weights.zero_point == 0 and weights.codes == (-127, 127)
    assert [weights.quantize(x) for x in (-9, -0.5, 0, 0.5, 9)] == [-127, -127, 0, 127, 127]


@pytest.mark.parametrize(
    "x, down, near, zero",
    [(2.5, 2, 3, 2), (-2.5, -3, -3, -2), (-2.4, -3, -2, -2), (7, 7, 7, 7), (0.49999999999999994, 0, 0, 0)],
)
def test_roundings(x, down, near, zero):
    assert [affine.rounded(x, name) for name in affine.ROUNDINGS] == [down, near, zero]


def test_requantization_constants():  # M = 0.002 = 0.512 x 2^-8
    assert affine.multiplier(0.02, 0.005, 0.05) == (round(0.512 * 2**31), 8)
    assert affine.bias_code(0.25, 0.02, 0.005) == 2500
    assert affine.without_zero_point(5200, 3, 140) == 4780
    assert affine.group_bits(4, 128, 16, 4) == 4.15625


def test_sine_reaches_the_ideal_ratio():  # 6.02 b + 1.76 dB, against the codes of a sampled sine
    assert affine.ideal_sqnr_db(8) == pytest.approx(49.93, abs=0.01)
    values = [sin(2 * pi * i / 9973) for i in range(9973)]
    code = affine.asymmetric(-1, 1, bits=10)
    assert affine.sqnr_db(values, [code.dequantize(code.quantize(x)) for x in values]) == pytest.approx(
        affine.ideal_sqnr_db(10), abs=0.2
    )
    assert affine.sqnr_db([1.0], [1.0]) == float("inf")


@given(lo=st.floats(-8, 0), hi=st.floats(0.01, 8), part=st.floats(0, 1), signed=st.booleans())
def test_a_value_in_range_returns_within_one_step_and_zero_is_exact(lo, hi, part, signed):
    code, x = affine.asymmetric(lo, hi, signed=signed), lo + part * (hi - lo)
    assert abs(code.dequantize(code.quantize(x)) - x) <= code.scale * 1.001
    assert code.dequantize(code.quantize(0)) == 0


@given(code=st.integers(0, 255), zero=st.integers(0, 255), scale=scales)
def test_each_code_returns_to_itself(code, zero, scale):
    rule = Affine(scale, zero, signed=False)
    assert rule.quantize(rule.dequantize(code)) == code


@given(st.fractions(-1000, 1000, max_denominator=64))
def test_nearest_takes_ties_away_from_zero(x):  # second road: exact fractions
    away = floor(abs(x) + Fraction(1, 2)) * (1 if x >= 0 else -1)
    assert affine.rounded(float(x)) == away
    assert affine.rounded(float(x), "toward_zero") == int(x)


@given(scales, scales, scales)
def test_multiplier_is_normalised(input_scale, weight_scale, output_scale):
    raw, shift = affine.multiplier(input_scale, weight_scale, output_scale)
    assert 2**30 <= raw < 2**31
    assert isclose(raw * 2.0 ** (-31 - shift), input_scale * weight_scale / output_scale, rel_tol=2**-30)


@given(accumulators, st.integers(2**30, 2**31 - 1), st.integers(-2, 20))
def test_single_rounding_is_exact_and_double_is_one_code_away(acc, raw, shift):
    exact = Fraction(acc * raw, 2**31) * Fraction(2) ** -shift
    single = affine.requantize(acc, raw, shift)
    assert single == floor(exact + Fraction(1, 2))
    assert abs(affine.requantize(acc, raw, shift, rounding="double") - single) <= 1
    assert affine.requantize(acc, raw, shift, 5) == single + 5


def test_rounding_twice_differs_from_rounding_once():  # 1.4921875 -> 1.5 -> 2 in halves
    assert affine.requantize(191, 2**30, 6) == 1
    assert affine.requantize(191, 2**30, 6, rounding="double") == 2


def test_rules_serve_arrays():
    np = pytest.importorskip("numpy")
    code, x = affine.asymmetric(-2, 6), np.linspace(-3, 7, 1001)
    assert Affine(0.5, np.int64(3)) == Affine(0.5, 3)
    assert code.quantize(x).tolist() == [code.quantize(v) for v in x.tolist()]
    acc = np.arange(-5000, 5000, 7, dtype=np.int64)
    for name in ("single", "double"):
        both = affine.requantize(acc, 1_200_000_000, 7, -3, name)
        assert both.tolist() == [affine.requantize(int(a), 1_200_000_000, 7, -3, name) for a in acc]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: affine.asymmetric(1, 6), "range must hold zero"),
        (lambda: affine.asymmetric(0, 0), "range must hold zero"),
        (lambda: Affine(0.0), "scale must be positive"),
        (lambda: Affine(0.1, 200), "zero_point must be a code, -128 to 127"),
        (lambda: affine.symmetric(1, 1), "bits must be at least 2"),
        (lambda: affine.symmetric(-1), "magnitude must be positive"),
        (lambda: affine.rounded(1.5, "up"), "rounding must be one of floor, nearest, toward_zero"),
        (lambda: affine.requantize(1, 2**30, 1, rounding="once"), "rounding must be single or double"),
        (lambda: affine.requantize(1, 2**30, 32), "shift must lie between -30 and 31"),
        (lambda: Affine(0.1).quantize(float("nan")), "x must be a finite number"),
        (lambda: affine.group_bits(4, 0), "group_size must lie between 1"),
        (lambda: affine.sqnr_db([1.0], []), "must be pairs"),
        (lambda: affine.sqnr_db([0.0], [1.0]), "must not all be zero"),
        (lambda: affine.sqnr_db([float("nan")], [1.0]), "value must be a finite number"),
        (lambda: affine.requantize(1, 2**31, 1), r"raw must lie in 0\.\.2\^31 - 1"),
        (lambda: Affine(0.1).quantize(np.array([0.0, np.nan])), "x must be finite: NaN and infinity"),
        (lambda: Affine(np.array([1.0, np.inf])), "scale must be finite: NaN and infinity"),
        (lambda: affine.asymmetric(0, 5e-324), "step of the range must be positive"),
    ],
)
def test_refusals_say_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_narrow_arrays_do_not_wrap():  # -128 - 127 has no int8, 10^6 * 2^30 no int32
    assert Affine(0.1, 127).dequantize(np.array([-128], np.int8)).tolist() == [0.1 * -255]
    assert affine.rounded(np.array([-128], np.int8)).tolist() == [-128]
    acc = np.array([-(10**6), 10**6], np.int32)
    assert affine.requantize(acc, 2**30, 0).tolist() == [-500_000, 500_000]


@pytest.mark.parametrize("acc", [1.5, np.array([1.5]), True])
def test_accumulators_are_whole_numbers(acc):
    with pytest.raises(TypeError, match=r"acc must (be a whole number|hold whole numbers)"):
        affine.requantize(acc, 2**30, 0)
    with pytest.raises(TypeError, match="signed must be True or False, got 'no'"):
        Affine(0.1, signed="no")


@pytest.mark.parametrize("zero_point", [1.0, True, "0"])
def test_zero_points_are_whole_numbers(zero_point):
    with pytest.raises(TypeError, match="zero_point must be a whole number"):
        Affine(0.1, zero_point)
