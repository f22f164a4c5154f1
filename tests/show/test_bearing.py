"""A bearing heard: which rates meet a peak, in words, and a picture at every setting."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.show.test_calculators import stays_inside
from tinylib.show import bearing, canvases

SIGNAL = [(t / 8, 0.3 * math.sin(t / 9)) for t in range(1024)]
MARKS = {"1x": 30.0, "BPFO": 107.4, "hum": 100.0}


def levels(*peaks):
    """-20 dB, with a peak of 0 dB in the bin of 8 Hz next to each frequency."""
    near = {round(hz / 8) for hz in peaks}
    return [(8.0 * k, 0.0 if k in near else -20.0) for k in range(1, 50)]


def test_a_peak_goes_to_the_rate_next_to_it():
    assert bearing.hits(levels(107.4), MARKS) == ["BPFO"]
    assert bearing.hits(levels(98), MARKS) == ["hum"]
    assert bearing.hits(levels(30, 300), MARKS) == ["1x"]
    assert bearing.hits(levels(), MARKS) == []


def test_the_picture_says_rates_and_what_it_found():
    drawing = bearing.bearing("Outer race", SIGNAL, levels(107.4), MARKS, "envelope")
    said = canvases.alternative(drawing)
    assert "envelope: highest at 104 Hz. Rates: 1x 30 Hz, BPFO 107.4 Hz, hum 100 Hz." in said
    assert said.endswith("A peak stands at BPFO.")
    stays_inside(drawing)


@given(st.lists(st.floats(-90, 20), min_size=2, max_size=60), st.floats(10, 60), st.floats(0.01, 8))
def test_it_draws_at_every_setting(values, speed, reach):
    made = [(8.0 * (k + 1), v) for k, v in enumerate(values)]
    marks = {"1x": speed, "2x": 2 * speed, "BPFO": 3.6 * speed}
    stays_inside(bearing.bearing("A motor", [(t, reach * g) for t, g in SIGNAL[:40]], made, marks))


def test_too_little_is_refused():
    with pytest.raises(ValueError, match="two points or more, got 1 and 49"):
        bearing.bearing("x", SIGNAL[:1], levels(), MARKS)
