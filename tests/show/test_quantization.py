"""Quantization pictures: scales, codes and decibels are those of the formats room, at every setting."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.show.drawing import drawn_inside, words
from tinylib.formats import affine
from tinylib.show import canvases, quantization, requantization, theme

BELL = [
    math.copysign(0.3 * (i / 100) ** 3, i) for i in range(-100, 101)
]  # small values often, large ones rarely
number = st.floats(-50, 50).map(lambda x: round(x, 3))
values = st.lists(number, min_size=2, max_size=40).filter(lambda v: max(v) > 0.1 or min(v) < -0.1)


def test_code_grid_by_hand():  # 0.3 / 7; the range -0.3..0.3 keeps every value
    said = canvases.alternative(canvases.code_grid(BELL, 4))
    assert "S = 0.04286, Z = 0" in said and "codes -7 to 7, range -0.3 to 0.3" in said
    assert "clipped: 0 of 201" in said and "symmetric INT4" in said


def test_unsigned_and_signed_codes_share_their_grid():  # erratum 2-13: same scale, zero point 128 apart
    ramp = [-2 + i / 10 for i in range(81)]
    unsigned, signed = (canvases.alternative(canvases.code_grid(ramp, 8, 1, False, s)) for s in (False, True))
    assert (
        "S = 0.03137, Z = 64" in unsigned and "codes 0 to 255" in unsigned and "asymmetric UINT8" in unsigned
    )
    assert "S = 0.03137, Z = -64" in signed and "codes -128 to 127" in signed


def test_symmetric_codes_of_a_lopsided_range_lie_idle():  # 0.4 x 127 / 5 = 10.16: -127..-11 are never used
    ramp = [-0.4 + 5.4 * i / 200 for i in range(201)]
    assert "codes beyond every value: 117" in canvases.alternative(canvases.code_grid(ramp))
    assert "codes beyond every value: 0" in canvases.alternative(canvases.code_grid(ramp, symmetric=False))


@given(values, st.integers(2, 8), st.floats(0.05, 1), st.booleans(), st.booleans())
def test_clipped_values_are_counted_and_marked(data, bits, kept, symmetric, signed):
    signed = signed or symmetric
    code = quantization.grid(data, bits, kept, symmetric, signed)
    drawing = canvases.code_grid(data, bits, kept, symmetric, signed)
    off = [v for v in data if abs(v - code.dequantize(code.quantize(v))) > code.scale * (0.5 + 1e-9)]
    assert f"clipped: {len(off):,} of {len(data)}" in canvases.alternative(drawing)
    if not off:
        assert drawing.count(f'fill="{theme.FILLS["over_budget"]}"') == 0
    drawn_inside(drawing)


def test_exact_codes_are_said_to_be_exact():  # 0, 1/3, 2/3 and 1 are the codes 0 to 3
    said = canvases.alternative(canvases.code_grid([0.0, 1.0], 2, symmetric=False, signed=False))
    assert "noise: none, every value is a code" in said


def test_a_channel_without_noise_is_exact():
    assert "channel 1 exact" in canvases.alternative(canvases.channel_scales([[0.03, 1.0], [0.0, 1.0]], 4))


def test_a_silent_channel_has_no_level_of_its_own():
    with pytest.raises(ValueError, match="must not all be zero"):
        canvases.channel_scales([[0.0, 0.0], [1.0, 0.5]])


@given(values, st.integers(2, 80))
def test_a_histogram_counts_every_value_once(data, bins):
    low, high = quantization.limits(data)
    counts = quantization.histogram(data, low, high, bins)
    assert sum(counts) == len(data) and len(counts) == bins
    assert low < min(data) and max(data) < high


def test_requantization_by_hand():  # 5,250 x 0.002 = 10.5, tie upwards 11; 11 - 3 = 8
    drawing = canvases.requantize_steps(5250)
    said = canvases.alternative(drawing)
    assert "+ Z_o = -3: 8" in said and "real arithmetic: 7.5; these integers give 8" in said
    assert words(drawing).count("...") == 0
    first = canvases.requantize_steps(5250, step=0)
    assert words(first).count("...") == 5 and "x raw" not in canvases.alternative(first)


def test_the_rules_are_told_apart():  # 2,195 x 0.00205 = 4.49975: twice rounded it goes up
    drawing = canvases.requantize_steps(2195, 0.0235, 0.0041, 0.047, -3, "single")
    assert "these integers give 1. double rounding gives 2, another code" in canvases.alternative(drawing)
    drawing = canvases.requantize_steps(2195, 0.0235, 0.0041, 0.047, -3, "double")
    assert "these integers give 2. single rounding gives 1, another code" in canvases.alternative(drawing)


@given(
    st.integers(-(2**24), 2**24),
    st.floats(1e-4, 1),
    st.floats(1e-4, 1),
    st.floats(1e-3, 1),
    st.integers(-128, 127),
    st.sampled_from(["single", "double"]),
    st.integers(0, 5),
)
def test_the_lines_lead_to_the_code_of_the_formats_room(acc, si, sw, so, zero, rounding, step):
    raw, shift = affine.multiplier(si, sw, so)
    lines = requantization._requantize_lines(acc, raw, shift, zero, rounding)
    final = affine.clamp(affine.requantize(acc, raw, shift, zero, rounding), -128, 127)
    assert lines[-1][1] == final and lines[0][1] == acc
    if rounding == "single":  # each line follows from the one before
        assert [b for _, b in lines[1:4]] == [
            acc * raw,
            acc * raw + (1 << (30 + shift)),
            (acc * raw + (1 << (30 + shift))) >> (31 + shift),
        ]
    drawn_inside(canvases.requantize_steps(acc, si, sw, so, zero, rounding, step))


def test_curves_say_where_each_line_begins_and_ends():
    drawing = canvases.sqnr_curves({"a": [(2, 10.0), (3, 16.0)], "b": [(2, 12.0), (4, 24.0)]})
    said = canvases.alternative(drawing)
    assert "a from 2, 10 to 3, 16" in said and "b from 2, 12 to 4, 24" in said
    assert {"2", "3", "4", "bits of a code", "signal to quantization noise [dB]"} <= set(words(drawing))
    drawn_inside(drawing)


QUIET, LOUD = [0.01 * i for i in range(-8, 9)], [0.1 * i for i in range(-8, 9)]


def test_one_scale_hurts_the_quiet_channel_alone():  # S = 0.8 / 7: codes of 0.08 are -1, 0 or 1
    one, own = (quantization.channel_sqnr([QUIET, LOUD], 4, size) for size in (None, 17))
    assert one[0] < 6 < own[0] and one[1] == own[1] == pytest.approx(own[0])
    drawing = canvases.channel_scales([QUIET, LOUD], 4, "channel")
    said = canvases.alternative(drawing)
    assert "2 scales of 16 bits" in said and f"{4 + 32 / 34:.4g} bits a weight" in said
    assert f"channel 1 {own[1]:.1f} dB" in said
    drawn_inside(drawing)


@given(st.integers(2, 8), st.integers(1, 17))
def test_smaller_groups_never_need_more_than_half_their_own_step(bits, size):
    rows = [QUIET, LOUD]
    levels = quantization.channel_sqnr(rows, bits, size)
    for row, level in zip(rows, levels):
        parts = [row[i : i + size] for i in range(0, len(row), size)]
        worst = sum(len(p) * (max(map(abs, p)) / (2 ** (bits - 1) - 1) / 2) ** 2 for p in parts)
        assert level >= min(10 * math.log10(sum(w * w for w in row) / worst), quantization.EXACT_DB) - 1e-9
    drawn_inside(canvases.channel_scales(rows, bits, "group", size))


def test_codebook_by_hand():  # 0, 0, 2, 10 around 1 and 9: 1 + 1 + 1 + 1; around 2/3 and 10: 4/9 + 4/9 + 16/9
    data = [0.0, 0.0, 2.0, 10.0]
    assert quantization.squared_error(data, [1.0, 9.0]) == 1
    assert quantization.squared_error(data, [2 / 3, 10.0]) == pytest.approx((4 / 9 + 4 / 9 + 16 / 9) / 4)
    history = [(1.0, 9.0), (2 / 3, 10.0)]
    assert "1 bits an index" in canvases.alternative(canvases.codebook(data, history))
    said = canvases.alternative(canvases.codebook(data, history, 99))
    assert "after iteration 1" in said and "66.7 % of the start" in said
    drawn_inside(canvases.codebook(data, history, 1))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: canvases.code_grid([]), "needs values, got none"),
        (lambda: canvases.code_grid([0.0, 0.0]), "needs different values, got only 0"),
        (lambda: canvases.code_grid(BELL, kept=0), "kept must be a share of the range"),
        (lambda: canvases.code_grid(BELL, signed=False), "symmetric codes must be signed"),
        (lambda: canvases.requantize_steps(rounding="up"), "rounding must be single or double, got 'up'"),
        (lambda: canvases.sqnr_curves({}), "needs lines with points, got 0 lines"),
        (lambda: canvases.channel_scales([BELL], scales="row"), "scales must be tensor, channel or group"),
        (lambda: canvases.channel_scales([]), "needs 1 to 12 of them, got 0"),
        (lambda: canvases.codebook(BELL, []), "history must hold codebooks of one length, got 0"),
        (lambda: canvases.codebook(BELL, [(1.0,), (1.0, 2.0)]), "codebooks of one length"),
    ],
)
def test_bad_input_is_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
