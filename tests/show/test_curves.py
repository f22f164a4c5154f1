"""Line charts, packed bits and object sizes: they say the numbers that they draw."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost.footprint import Network
from tinylib.formats import bits
from tinylib.show import canvases, svg
from tinylib.show.curves import MOST_POINTS, thinned

TIME, STATE = svg.Axis("time [s]", 0, 5), svg.Axis("state", -1, 1)
signs = st.sampled_from((-1, 1))


def test_lines_say_where_they_begin_and_end():
    drawing = canvases.curves("Steps", TIME, STATE, {"a": [(0, 0), (5, 1)], "b": [(0, 1)]}, "two cells")
    ElementTree.fromstring(drawing)
    said = canvases.alternative(drawing)
    assert "a from 0, 0 to 5, 1" in said and "two cells" in said


def test_lines_differ_in_more_than_colour():
    drawing = canvases.curves("Steps", TIME, STATE, {"a": [(0, 0), (5, 1)], "b": [(0, 1), (5, 0)]})
    assert "stroke-dasharray" in drawing


@given(st.integers(1, 5000))
def test_long_lines_keep_their_last_point(n):
    points = [(i, i) for i in range(n)]
    assert len(thinned(points)) <= MOST_POINTS + 1
    assert thinned(points)[-1] == points[-1]


@pytest.mark.parametrize("series", [{}, {"a": []}, {str(i): [(0, 0)] for i in range(6)}])
def test_lines_that_cannot_be_drawn_are_refused(series):
    with pytest.raises(ValueError, match="series"):
        canvases.curves("Steps", TIME, STATE, series)


@given(st.integers(1, 24), st.integers(1, 8), st.data())
def test_bits_say_words_and_dot(n_in, n_out, data):
    rows = data.draw(st.lists(st.lists(signs, min_size=n_in, max_size=n_in), min_size=n_out, max_size=n_out))
    x = data.draw(st.lists(signs, min_size=n_in, max_size=n_in))
    row = data.draw(st.integers(0, n_out - 1))
    drawing = canvases.bit_matrix(rows, x, row)
    ElementTree.fromstring(drawing)
    said = canvases.alternative(drawing)
    assert f"= {sum(a * b for a, b in zip(x, rows[row]))}." in said
    assert all(f"0x{word:08X}" in said for word in bits.pack([w for r in rows for w in r]))


@pytest.mark.parametrize("weights", [[], [[]], [[1] * 25], [[1]] * 9, [[1, 1], [1]]])
def test_bits_refuse_what_does_not_fit(weights):
    with pytest.raises(ValueError, match="weights must be"):
        canvases.bit_matrix(weights)


@pytest.mark.parametrize("weights", ["Q8.8", "Q16.16", "double"])
def test_sizes_say_each_object(weights):
    said = canvases.alternative(canvases.sizes(2, 4, 1, weights, 8))
    for kind in ("mlp", "elman", "lstm", "gru", "kan"):
        net = Network(kind, 2, 4, 1, weights=weights)
        assert f"{net}: trainable" in said and f"inference {net.bytes:,} B" in said
