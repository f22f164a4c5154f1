"""Lookup tables: hand-worked bytes and bounds, and the bounds against real tables read at many points."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.formats import lut

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


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: lut.table_bytes(0), "entries must lie between 1"),
        (lambda: lut.interpolation_bound(0), "step must be positive"),
        (lambda: lut.nearest_bound(0.5, "relu"), "function must be one of tanh, sigmoid, got 'relu'"),
        (lambda: lut.sigmoid_cut_error(6), "x must be negative"),
    ],
)
def test_errors_say_what_and_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()
