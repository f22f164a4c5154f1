"""Q fixed point: reference vectors bit for bit, hand-worked codes, exact rationals as the second road."""

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden_checks.formats import format_of
from tinylib.formats import qformat
from tinylib.formats.qformat import QFormat

VECTORS = [
    case
    for file in sorted((Path(__file__).parents[1] / "golden").glob("qvalue_ops_*.json"))
    for case in json.loads(file.read_text())["cases"]
    if case["policy"].endswith("wrap")
]
Q8_8 = QFormat(8, 8)
EXACT = {
    "floor": math.floor,
    "nearest": lambda x: math.floor(x + Fraction(1, 2)),
    "toward_zero": math.trunc,
}
formats = st.builds(QFormat, st.integers(1, 16), st.integers(0, 16), st.booleans())
roundings = st.sampled_from(qformat.ROUNDINGS)


def codes(q: QFormat) -> st.SearchStrategy[int]:
    return st.integers(q.min_raw, q.max_raw)


def fraction(q: QFormat, raw: int) -> Fraction:
    return Fraction(raw, 2**q.frac_bits)


@pytest.mark.parametrize("block", VECTORS, ids=lambda b: f"{b['format']}-{b['policy']}")
def test_reference_vectors_with_wrap(block):  # saturation: tests/golden.py, which knows the other bound
    q = format_of(block["format"])
    assert str(q) == block["format"]
    rounding = {"truncate_wrap": "floor", "roundup_wrap": "nearest"}[block["policy"]]
    for a, b, *wanted in zip(*(block[f"{name}_raw"] for name in ("a", "b", "add", "sub", "mul", "div"))):
        ratio = q.div(a, b, overflow="wrap") if b else None  # toward zero, whatever the products do
        assert [q.add(a, b, "wrap"), q.sub(a, b, "wrap"), q.mul(a, b, rounding, "wrap"), ratio] == wanted


def test_q8_8_by_hand():  # 16 bits, 1/256 a code, -128 to 127 + 255/256
    assert (Q8_8.total_bits, Q8_8.step, Q8_8.one) == (16, 0.00390625, 256)
    assert (Q8_8.min_raw, Q8_8.max_raw) == (-32768, 32767)
    assert (Q8_8.min_value, Q8_8.max_value) == (-128.0, 127.99609375)
    assert Q8_8.to_word(Q8_8.to_raw(-1.25)) == 0xFEC0
    assert QFormat(16, 16).to_raw(1.5) == 0x18000
    assert QFormat(8, 8, signed=False).max_value == 255.99609375
    assert QFormat(0, 8, signed=False).max_raw == 255


@pytest.mark.parametrize("rounding, raws", [("floor", (-1, 0)), ("nearest", (0, 1)), ("toward_zero", (0, 0))])
def test_half_a_code_by_hand(rounding, raws):  # ties of `nearest` go up
    assert (Q8_8.to_raw(-1 / 512, rounding), Q8_8.to_raw(1 / 512, rounding)) == raws
    assert (Q8_8.mul(-1, 128, rounding), Q8_8.mul(1, 128, rounding)) == raws


def test_overflow_by_hand():  # 100 + 50 passes 127.996: a wheel of 256, or a wall
    a, b = Q8_8.to_raw(100), Q8_8.to_raw(50)
    assert Q8_8.to_value(Q8_8.add(a, b, "wrap")) == -106.0
    assert Q8_8.add(a, b, "saturate") == Q8_8.max_raw
    assert Q8_8.sub(-b, a) == Q8_8.min_raw  # -150 ends at -128
    assert QFormat(1, 7).add(100, 100) == 127  # the true maximum, fraction included


def test_multiplication_floors_where_division_cuts():
    assert Q8_8.mul(-1, 1, "floor") == -1
    assert Q8_8.div(-1, 512) == 0
    assert Q8_8.div(-1, 512, "floor") == -1
    assert Q8_8.div(256, 1) == Q8_8.max_raw


def test_division_by_zero_by_its_policy():
    assert [Q8_8.div(a, 0, by_zero="saturate") for a in (1, 0, -1)] == [32767, -32768, -32768]
    assert QFormat(8, 8, signed=False).div(0, 0, overflow="wrap", by_zero="saturate") == 0
    assert Q8_8.div(256, 512, by_zero="saturate") == 128


@pytest.mark.parametrize(
    "largest, resolution, name",
    [(10, 0.001, "Q5.10"), (16, 0.5, "Q5.1"), (0.7, 1, "Q1.0"), (1000, 1, "Q11.0")],
)
def test_smallest_format_by_hand(largest, resolution, name):
    assert str(qformat.smallest(largest, resolution)) == name


def test_safe_products_by_hand():  # 2^31 - 1 over 2^14
    assert qformat.safe_products(128, 128, 32) == 131071
    assert 131071 * 128 * 128 <= QFormat(32, 0).max_raw < 131072 * 128 * 128


@given(st.data(), formats, roundings)
def test_operations_agree_with_rationals(data, q, rounding):
    a, b = data.draw(codes(q)), data.draw(codes(q))
    x, y = fraction(q, a), fraction(q, b)
    rounded = EXACT[rounding]
    pairs = [(q.mul(a, b, rounding, o), rounded(x * y * q.one), o) for o in qformat.OVERFLOWS]
    if b:
        pairs += [(q.div(a, b, rounding, o), rounded(x / y * q.one), o) for o in qformat.OVERFLOWS]
    for found, exact, overflow in pairs:
        if overflow == "saturate":
            assert found == min(max(exact, q.min_raw), q.max_raw)
        else:
            assert (found - exact) % 2**q.total_bits == 0 and q.min_raw <= found <= q.max_raw


@given(st.data(), formats, formats, roundings)
def test_conversion_is_a_rounding_of_the_value(data, q, to, rounding):
    raw = data.draw(codes(q))
    assert q.convert(raw, to, rounding) == to.to_raw(q.to_value(raw), rounding)


@given(st.data(), formats)
def test_value_and_word_round_trip(data, q):
    raw = data.draw(codes(q))
    assert q.to_raw(q.to_value(raw)) == raw
    assert qformat.wrap(q.to_word(raw), q.total_bits, q.signed) == raw


@given(formats, st.floats(-1e5, 1e5), roundings)
def test_rounding_error_stays_below_a_step(q, x, rounding):
    error = abs(fraction(q, q.to_raw(x, rounding, "saturate")) - Fraction(x))
    bound = Fraction(1, 2) if rounding == "nearest" else 1
    if q.min_value <= x <= q.max_value:
        assert error * q.one <= bound


@given(st.floats(1e-3, 1e6), st.floats(1e-6, 1e3))
def test_smallest_format_is_large_and_fine_enough(largest, resolution):
    q = qformat.smallest(largest, resolution)
    assert q.step <= resolution and q.min_value <= -largest and q.max_value + q.step >= largest
    assert q.int_bits == 1 or -q.min_value / 2 < largest  # one bit less is too small
    assert q.frac_bits == 0 or 2 * q.step > resolution  # or too coarse


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: QFormat(0, 8), "Q0.8 needs int_bits >= 1 for the sign, got 0"),
        (lambda: QFormat(60, 8), "Q60.8 needs 1 to 64 bits in all, got 68"),
        (lambda: QFormat(8, -1), "frac_bits must lie between 0"),
        (lambda: QFormat(8, 8, 1), "signed must be True or False"),
        (lambda: Q8_8.to_raw(math.nan), "value must be a finite number"),
        (lambda: Q8_8.to_raw(1.0, "up"), "rounding must be one of floor, nearest, toward_zero, got 'up'"),
        (lambda: Q8_8.add(1, 2, "clip"), "overflow must be one of wrap, saturate, got 'clip'"),
        (lambda: Q8_8.to_value(40000), r"raw must lie in -32768\.\.32767 for Q8.8, got 40000"),
        (lambda: Q8_8.mul(1.5, 2), "raw must be an integer code of Q8.8, got 1.5"),
        (lambda: Q8_8.div(1, 0), "divisor must not be 0"),
        (lambda: Q8_8.div(1, 0, by_zero="zero"), "by_zero must be one of refuse, saturate, got 'zero'"),
        (lambda: Q8_8.fit(1.5), "raw must be a whole number, got 1.5"),
        (lambda: Q8_8.fit(np.array([1.5])), "raw must hold whole numbers, got an array of float64"),
        (lambda: Q8_8.to_value(np.array([1, 1.5], object)), "raw must hold whole numbers"),
        (lambda: Q8_8.to_raw(np.array([1j])), "value must hold real numbers, got an array of complex128"),
        (lambda: Q8_8.convert(1, "Q4.4"), r"to must be a QFormat such as QFormat\(8, 8\), got 'Q4.4'"),
        (lambda: qformat.smallest(10, 0), "resolution must be positive"),
        (lambda: qformat.safe_products(0, 1, 32), "largest_a must lie between 1"),
    ],
)
def test_errors_say_what_and_why(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
