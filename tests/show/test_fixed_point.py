"""Fixed-point pictures: bits, values and errors are those of the formats room, at every setting."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.show.drawing import drawn_inside, words
from tinylib.formats import lut
from tinylib.formats.qformat import QFormat
from tinylib.show import canvases, fixed_point, theme

ROUNDINGS, OVERFLOWS = (
    st.sampled_from(["floor", "nearest", "toward_zero"]),
    st.sampled_from(["wrap", "saturate"]),
)


def test_minus_five_quarters_by_hand():  # -320 in two's complement: 65,536 - 320 = 0xFEC0
    said = canvases.alternative(canvases.bit_field(-1.25))
    assert "Bits 1111111011000000" in said and "0xFEC0" in said and "65,216" in said
    assert "raw code -320, value -320 / 256 = -1.25" in said and "nothing lost" in said


@pytest.mark.parametrize("overflow, value", [("wrap", "-106"), ("saturate", "127.99609375")])
def test_overflow_is_said_with_its_policy(overflow, value):  # 150 - 256, and 32,767 / 256
    drawing = canvases.bit_field(150, overflow=overflow)
    assert f"150 lies outside -128 to 127.99609375; {overflow} gives {value}" in canvases.alternative(drawing)
    assert "t-over_words" in drawing.replace(theme.STYLE, "")


@given(st.floats(-1e4, 1e4), st.integers(1, 32), st.integers(0, 32), ROUNDINGS, OVERFLOWS)
def test_boxes_spell_the_stored_word(value, int_bits, frac_bits, rounding, overflow):
    q = QFormat(int_bits, frac_bits)
    drawing = canvases.bit_field(value, int_bits, frac_bits, rounding, overflow)
    bits = "".join(w for w in words(drawing) if w in ("0", "1"))
    assert len(bits) == q.total_bits
    assert int(bits, 2) == q.to_word(q.to_raw(value, rounding, overflow))
    drawn_inside(drawing)


@given(st.integers(-(2**15), 2**15 - 1), st.integers(0, 15))
def test_a_word_keeps_its_bits_when_the_point_moves(raw, frac_bits):
    drawing = canvases.word(raw, 16 - frac_bits, frac_bits)
    bits = "".join(w for w in words(drawing) if w in ("0", "1"))
    assert int(bits, 2) == raw % 2**16
    assert fixed_point.exact(raw / 2**frac_bits) in canvases.alternative(drawing)
    if frac_bits:
        assert drawing.count("<title>the point</title>") == 1


@given(st.integers(1, 3), st.integers(0, 3), ROUNDINGS, OVERFLOWS, st.floats(-1.49, 1.49))
def test_treads_cover_the_line_and_agree_with_the_format(int_bits, frac_bits, rounding, overflow, share):
    q = QFormat(int_bits, frac_bits)
    low, high = 1.5 * q.min_value, -1.5 * q.min_value
    treads = list(fixed_point._treads(q, rounding, overflow, low, high))
    assert all(a[1] == b[0] for a, b in pairwise(treads))
    x = share * -q.min_value
    for start, end, stored, fits in treads:
        if start < x < end:
            assert stored == q.to_value(q.to_raw(x, rounding, overflow))
            assert fits == (q.to_raw(x, rounding, "wrap") == q.to_raw(x, rounding, "saturate"))
    drawn_inside(canvases.staircase(int_bits, frac_bits, rounding, overflow))


def test_staircase_colours_what_overflows():  # Q2.2 nearest: codes -12..12, of which -8..7 fit
    drawing = canvases.staircase()
    count = {role: drawing.count(f'fill="{theme.FILLS[role]}"') for role in ("macs", "over_budget")}
    assert count == {"macs": 16, "over_budget": 9}
    assert "2 is stored as 1.75" in canvases.alternative(drawing)
    assert "2 is stored as -2" in canvases.alternative(canvases.staircase(overflow="wrap"))


@pytest.mark.parametrize("function", ["tanh", "sigmoid"])
@pytest.mark.parametrize("q", [QFormat(8, 8), QFormat(16, 16)], ids=str)
def test_errors_are_those_of_the_table_in_flash(
    function, q
):  # second road: formats.lut, without its shortcut
    nodes = lut.table(function, q)
    assert tuple(fixed_point._nodes(function, 8, q)) == nodes
    for x, error in fixed_point.table_errors(function, 8, q):
        raw = round(x * q.one)
        read = lut.read(nodes, raw, q)
        if read != raw:  # where they are equal the shortcut may have bitten
            assert error == pytest.approx(q.to_value(read) - lut.FUNCTIONS[function](x), abs=1e-12)


@pytest.mark.parametrize("reading", ["line", "nearest"])
@pytest.mark.parametrize("function", ["tanh", "sigmoid"])
@pytest.mark.parametrize("per_unit", [1, 2, 8, 64])
@pytest.mark.parametrize("frac_bits", [6, 10, 16])
def test_no_error_between_nodes_passes_its_bound(function, per_unit, frac_bits, reading):
    q = QFormat(8, frac_bits)
    last = 6 - 1 / per_unit
    inside = [abs(e) for x, e in fixed_point.table_errors(function, per_unit, q, reading) if -6 <= x <= last]
    assert max(inside) <= fixed_point.table_bound(function, per_unit, q, reading)


def test_table_picture_by_hand():  # 96 entries of 4 B; 0.7698 / 64 / 8 + 2 / 65,536; 1 - tanh(5.875)
    drawing = canvases.lut_error("tanh", 8, 16)
    said = canvases.alternative(drawing)
    assert "96 entries x 4 B = 384 B" in said and f"bound {0.0015035163 + 2 / 65536:.3g}" in said
    tail = max(abs(e) for x, e in fixed_point.table_errors("tanh", 8, QFormat(8, 16)) if x > 5.875)
    assert tail == pytest.approx(1 - math.tanh(5.875), abs=2**-15)
    assert "24 entries x 2 B = 48 B" in canvases.alternative(canvases.lut_error("sigmoid", 2, 8))
    drawn_inside(drawing)


def test_more_nodes_help_until_the_step_is_reached():
    def worst(per_unit, frac_bits):
        q = QFormat(8, frac_bits)
        return max(abs(e) for x, e in fixed_point.table_errors("tanh", per_unit, q) if -6 <= x <= 5)

    assert worst(16, 16) < 0.3 * worst(8, 16)  # a quarter, and rounding
    assert worst(32, 8) > 0.5 * worst(8, 8)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: canvases.bit_field(math.nan), "value must be a finite number"),
        (lambda: canvases.bit_field(1, 0), "needs int_bits >= 1 for the sign"),
        (lambda: canvases.bit_field(1, rounding="up"), "rounding must be one of"),
        (lambda: canvases.word(40_000, 8, 8), "raw must lie in"),
        (lambda: canvases.staircase(4, 4), "a staircase needs at most 6 bits"),
        (lambda: canvases.staircase(rounding="up"), "rounding must be one of"),
        (lambda: canvases.lut_error("relu"), "function must be one of tanh, sigmoid, got 'relu'"),
        (lambda: canvases.lut_error(reading="cubic"), "reading must be line or nearest, got 'cubic'"),
        (lambda: canvases.lut_error(per_unit=3), "per_unit must be a power of two"),
        (lambda: canvases.lut_error(per_unit=512, frac_bits=8), "that Q8.8 can step, got 512"),
        (lambda: canvases.lut_error(int_bits=3), "needs 4 integer bits or more, got Q3.16"),
    ],
)
def test_bad_input_is_one_sentence(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
