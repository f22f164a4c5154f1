"""Floating-point storage: ranges from the papers, roundings against the platform's own, NF4 by its paper."""

import math
import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.formats import floats
from tinylib.formats.floats import BF16, FP8_E4M3, FP8_E5M2, FP16, FP32, nf4_block, nf4_bytes, nf4_restored

PUBLISHED_LEVELS = (  # QLoRA, arXiv 2305.14314, appendix E
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635),
    *(-0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725),
    *(0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941),
    *(0.7229568362236023, 1.0),
)


@pytest.mark.parametrize(
    "form, bits, largest, normal, smallest, epsilon",
    [
        (FP32, 32, 3.4028234663852886e38, 2.0**-126, 2.0**-149, 2.0**-23),
        (FP16, 16, 65504.0, 2.0**-14, 2.0**-24, 2.0**-10),
        (BF16, 16, 3.3895313892515355e38, 2.0**-126, 2.0**-133, 2.0**-7),
        (FP8_E5M2, 8, 57344.0, 2.0**-14, 2.0**-16, 0.25),  # arXiv 2209.05433, table 1
        (FP8_E4M3, 8, 448.0, 2.0**-6, 2.0**-9, 0.125),
    ],
)
def test_published_ranges(form, bits, largest, normal, smallest, epsilon):
    assert (form.bits, form.max_value, form.smallest_normal) == (bits, largest, normal)
    assert (form.smallest_step, form.epsilon) == (smallest, epsilon)
    assert form.stored_bytes(1000) == 1000 * bits // 8


def test_rounding_by_hand():
    assert (FP16.rounded(2049.0), FP16.rounded(2051.0)) == (2048.0, 2052.0)  # step 2: ties to even
    assert (FP16.rounded(65519.9), FP16.rounded(65520.0)) == (65504.0, math.inf)
    assert (BF16.rounded(1.00390625), BF16.rounded(3.14159)) == (1.0, 3.140625)
    assert (FP8_E4M3.rounded(17.0), FP8_E4M3.rounded(500.0), FP8_E4M3.rounded(-1e9)) == (16.0, 448.0, -448.0)
    assert (FP16.step(1.0), FP16.step(0.0), FP16.step(-3000.0)) == (2.0**-10, 2.0**-24, 2.0)
    assert FP16.rounded(2.0**-25) == 0.0 and FP16.rounded(1.5 * 2.0**-24) == 2.0**-23


def platform(code, x):
    try:
        return struct.unpack(code, struct.pack(code, x))[0]
    except OverflowError:
        return math.copysign(math.inf, x)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(-1e5, 1e5) | st.floats(-1e-6, 1e-6))
def test_halves_and_singles_round_as_the_platform_does(x):
    assert FP16.rounded(x) == platform("e", x)
    assert FP32.rounded(x) == platform("f", x)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_bf16_is_the_upper_half_of_a_single(x):  # nearest even on the 16 bits below
    word = struct.unpack("I", struct.pack("f", x))[0]
    upper = word + 0x7FFF + (word >> 16 & 1) & 0xFFFF0000
    assert BF16.rounded(x) == struct.unpack("f", struct.pack("I", upper))[0]


@given(st.sampled_from(floats.FORMATS), st.floats(-400, 400))
def test_no_value_of_the_format_is_nearer(form, x):
    near, step = form.rounded(x), form.step(x)
    assert abs(Fraction(near) - Fraction(x)) <= Fraction(step) / 2
    assert form.rounded(near) == near and form.rounded(-x) == -near


def test_nf4_levels_are_the_published_ones():
    assert pytest.approx(PUBLISHED_LEVELS, abs=2e-7) == floats.NF4_LEVELS
    assert len(set(floats.NF4_LEVELS)) == 16 and floats.NF4_LEVELS[7] == 0.0


def test_nf4_bytes_by_hand():  # 64 weights: 32 bytes and a constant; 7e9 weights at 4.127 bits are 3.6 GB
    assert (nf4_bytes(64, double=False), nf4_bytes(64)) == (36, 32 + 1 + 4)
    n = 64 * 256 * 1000
    assert 8 * nf4_bytes(n, double=False) / n == 4.5
    assert 8 * nf4_bytes(n) / n == 4 + 8 / 64 + 32 / (64 * 256)
    assert nf4_bytes(0) == 0 and nf4_bytes(1, double=False) == 1 + 4


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=64))
def test_nf4_restores_to_the_nearest_level(weights):
    codes, constant = nf4_block(weights)
    restored = nf4_restored(codes, constant)
    assert constant == max(map(abs, weights))
    for w, r in zip(weights, restored):
        assert abs(w - r) <= min(abs(w - constant * level) for level in floats.NF4_LEVELS) + 1e-12
        assert abs(w - r) <= 0.1520 * constant + 1e-12  # half the widest gap, -1 to -0.696
    largest = max(weights, key=abs)
    assert restored[weights.index(largest)] == largest  # +-1 are levels


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: FP16.rounded(math.nan), "x must be a finite number"),
        (lambda: nf4_restored([16], 1.0), r"NF4 code must lie in 0\.\.15: it has 4 bits, got 16"),
        (lambda: nf4_block([math.inf]), "weight must be a finite number"),
        (lambda: nf4_bytes(10, 0), "block must lie between 1"),
        (lambda: nf4_restored([0.5], 1.0), r"NF4 code must lie in 0\.\.15"),
        (lambda: floats.FloatFormat("wide", 12, 3), r"exponent_bits must lie in 2\.\.10, got 12"),
        (lambda: floats.FloatFormat("none", 5, 0), "fraction_bits must lie between 1"),
    ],
)
def test_errors_say_what_and_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()
