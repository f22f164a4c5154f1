"""Lookup tables: hand-worked bytes and bounds, and the bounds against real tables read at many points."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.formats import lut
from tinylib.formats.qformat import QFormat

FUNCTIONS = {"tanh": math.tanh, "sigmoid": lambda x: 1 / (1 + math.exp(-x))}
steps = st.sampled_from((0.5, 0.25, 0.125, 0.0625))
names = st.sampled_from(sorted(FUNCTIONS))


def test_bytes_by_hand():  # two tables of 96 four-byte entries; one of two bytes
    assert lut.table_bytes(96, 4, 2) == 768
    assert lut.table_bytes() == 192


def test_bounds_by_hand():  # 0.7698 / 64 / 8, and half of an eighth
    assert lut.interpolation_bound(0.125) == pytest.approx(0.0015035163260146505)
    assert lut.nearest_bound(0.125) == 0.0625
    assert lut.sigmoid_cut_error(-6.0) == pytest.approx(1 / (1 + math.exp(6)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_constants_are_the_largest_derivatives(name):  # second road: central differences over -6..6
    f, h = FUNCTIONS[name], 1e-4
    xs = [i / 1000 for i in range(-6000, 6001)]
    assert max((f(x + h) - f(x - h)) / (2 * h) for x in xs) == pytest.approx(lut.MAX_SLOPE[name], rel=1e-6)
    curvature = max(abs(f(x + h) - 2 * f(x) + f(x - h)) / h**2 for x in xs)
    assert curvature == pytest.approx(lut.MAX_CURVATURE[name], rel=1e-5)


@given(names, steps, st.floats(-6, 6))
def test_no_reading_is_worse_than_its_bound(name, step, x):
    f = FUNCTIONS[name]
    left = math.floor(x / step) * step
    part = (x - left) / step
    line = f(left) + (f(left + step) - f(left)) * part
    assert abs(line - f(x)) <= lut.interpolation_bound(step, name) + 1e-12
    near = f(left if part < 0.5 else left + step)
    assert abs(near - f(x)) <= lut.nearest_bound(step, name) + 1e-12


@given(st.floats(-700, -1e-3))
def test_cut_error_is_the_tail(x):
    assert lut.sigmoid_cut_error(x) == pytest.approx(FUNCTIONS["sigmoid"](x), rel=1e-9)
    assert lut.sigmoid_cut_error(x) <= math.exp(x)


def test_interpolation_bound_is_nearly_met():  # at the steepest bend, tanh(x) = 1/sqrt(3), between two nodes
    bend, h = math.atanh(1 / math.sqrt(3)), 0.125
    line = (math.tanh(bend - h / 2) + math.tanh(bend + h / 2)) / 2
    assert abs(line - math.tanh(bend)) == pytest.approx(lut.interpolation_bound(h), rel=0.01)


Q8_8, Q16_16 = QFormat(8, 8), QFormat(16, 16)


def test_table_by_hand():  # tanh(-6), tanh(1/8) 256 = 31.8 and its end tanh(5.875), all cut toward zero
    nodes = lut.table("tanh", Q8_8)
    assert (len(nodes), nodes[0], nodes[49], nodes[47], nodes[48], nodes[95]) == (96, -255, 31, -31, 0, 255)
    assert lut.table("sigmoid", Q8_8)[48] == 128 and lut.table("log", Q8_8)[:49] == (0,) * 49
    assert lut.table("exp", Q8_8)[95] == int(math.exp(5.875) * 256) - 2 * 2**15  # 355.7 passes 128: it wraps


def test_reading_by_hand():  # between tanh(0) = 0 and tanh(1/8) = 31: halfway 15.5, cut
    nodes = lut.table("tanh", Q8_8)
    assert lut.read(nodes, 16, Q8_8) == 15
    assert lut.read(nodes, 31, Q8_8) == 31  # the line gives 30: the code equals a node beside it
    assert lut.read(nodes, -31, Q8_8) == -31
    assert [lut.read(nodes, x, Q8_8) for x in (-32768, -1536, 1504, 1536, 32767)] == [
        -255,
        -255,
        255,
        255,
        255,
    ]


@given(st.sampled_from((Q8_8, Q16_16, QFormat(4, 12), QFormat(8, 24))), names, st.data())
def test_reading_stays_within_the_bound_of_a_line(q, name, data):
    x = data.draw(st.integers(-6 * q.one, 5 * q.one + 7 * q.one // 8))
    nodes = lut.table(name, q)
    error = abs(q.to_value(lut.read(nodes, x, q)) - FUNCTIONS[name](q.to_value(x)))
    assert (
        x in nodes or error <= lut.interpolation_bound(1 / 8, name) + 3 * q.step
    )  # two cut nodes and a cut line


def test_nodes_are_read_as_they_are():
    for name in lut.FUNCTIONS:
        nodes = lut.table(name, Q16_16)
        codes = [(lut.FIRST * 8 + i) * Q16_16.one // 8 for i in range(lut.ENTRIES)]
        assert [lut.read(nodes, x, Q16_16) for x in codes] == list(nodes)


def test_envelope_of_tanh():
    fine, coarse = lut.envelope("tanh", Q16_16), lut.envelope("tanh", Q8_8)
    assert [len(fine), fine[0].start, fine[48].start, fine[95].end] == [96, -6, 0, 6]
    for segments, cut in (fine, 3 * Q16_16.step), (coarse, 3 * Q8_8.step):
        smooth = [s.error for s in segments if abs(s.start) >= 1]  # no node equals its own input out here
        assert max(smooth) < lut.interpolation_bound(1 / 8) + cut
        worst = max(segments, key=lambda s: s.error)
        assert (abs(worst.start + 1 / 16), worst.error) == (0.6875, pytest.approx(0.073, abs=0.001))
    assert max(s.error for s in fine if abs(s.start) >= 1) > 0.8 * lut.interpolation_bound(1 / 8)
    assert fine[95].error < 1e-4  # flat on 5.875..6


def test_the_shortcut_costs_most_where_tanh_of_the_next_node_is_the_input():  # tanh(3/4) = 0.6351
    nodes = lut.table("tanh", Q16_16)
    x = nodes[54]
    assert x == int(math.tanh(0.75) * 65536) == lut.read(nodes, x, Q16_16)
    beside = lut.read(nodes, x + 1, Q16_16)
    assert Q16_16.to_value(beside) == pytest.approx(math.tanh(0.6351), abs=1e-3)


def test_envelope_reads_every_code_of_a_narrow_format():  # 32 codes a segment
    nodes, f = lut.table("sigmoid", Q8_8), FUNCTIONS["sigmoid"]
    for segment in lut.envelope("sigmoid", Q8_8)[::7]:
        codes = range(int(segment.start * 256), int(segment.end * 256))
        errors = [abs(lut.read(nodes, x, Q8_8) / 256 - f(x / 256)) for x in codes]
        assert segment.error == pytest.approx(max(errors), rel=1e-12)


def test_exp_is_useless_past_the_range_of_its_format():  # e^4.85 = 128
    segments = lut.envelope("exp", Q8_8)
    assert max(s.error for s in segments if s.end <= 4.75) < 0.3
    assert min(s.error for s in segments if s.start >= 5) > 100


def test_square_roots_are_cut():
    assert [lut.square_root(x, Q8_8) for x in (-5, 0, 1, 256, 512, 1024)] == [0, 0, 16, 256, 362, 512]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: lut.table_bytes(0), "entries must lie between 1"),
        (lambda: lut.interpolation_bound(0), "step must be positive"),
        (lambda: lut.nearest_bound(0.5, "relu"), "function must be one of tanh, sigmoid, got 'relu'"),
        (lambda: lut.sigmoid_cut_error(6), "x must be negative"),
        (lambda: lut.table("tanh", QFormat(3, 13)), "needs a signed Q4.3 or more, got Q3.13"),
        (lambda: lut.table("tanh", QFormat(8, 2)), "needs a signed Q4.3 or more, got Q8.2"),
        (lambda: lut.table("tanh", QFormat(8, 8, False)), "needs a signed Q4.3 or more, got UQ8.8"),
        (lambda: lut.table("swish", Q8_8), "function must be one of tanh, sigmoid, exp, log, sin, cos"),
        (lambda: lut.envelope("tanh", Q8_8, 1), "samples must lie between 2"),
        (lambda: lut.read([1, 2], 0, Q8_8), "nodes must be the 96 codes of `table`"),
    ],
)
def test_errors_say_what_and_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_is_no_code_or_format_is_refused():
    with pytest.raises(TypeError, match=r"x must be a whole number, got 1.5"):
        lut.read(lut.table("tanh", Q8_8), 1.5, Q8_8)
    with pytest.raises(TypeError, match=r"raw must be a whole number, got 4.5"):
        lut.square_root(4.5, Q8_8)
    with pytest.raises(TypeError, match=r"q must be a QFormat such as QFormat\(8, 8\), got 'Q8.8'"):
        lut.table("tanh", "Q8.8")


def test_the_shortcut_may_be_off_by_what_tanh_rises_in_a_segment():  # x equals the node value above it
    node = lut.table("tanh", Q16_16)[6 * 8 + 6]  # tanh(0.75) = 0.6351
    error = Q16_16.to_value(lut.read(lut.table("tanh", Q16_16), node, Q16_16)) - math.tanh(node / 2**16)
    assert 0.0735 < error < math.tanh(0.75) - math.tanh(0.625)
