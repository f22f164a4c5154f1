"""Pictures of a benchmark: what they say, where names stand, and a picture at every setting."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.show.test_calculators import stays_inside
from tinylib.show import canvases, rivals
from tinylib.show.rivals import Contender, Interval

THREE = [
    Contender("spectrum", "features", 8_538, 0.945, 0.937, 0.952),
    Contender("CNN 0.7k", "convolution", 18_120, 0.953, 0.950, 0.956),
    Contender("CfC, 16 frames", "liquid", 27_696, 0.931, 0.925, 0.937),
]
TABLE = [[90, 10, 0], [5, 95, 0], [0, 1, 99]]
CLASSES = ("normal", "imbalance", "outer race")
share = st.floats(0.2, 1)


def test_scatter_says_cost_accuracy_and_interval():
    said = canvases.alternative(rivals.accuracy_and_cost(THREE, "MACs a window"))
    assert "CNN 0.7k: 18,120 MACs a window, 95.3 % (95.0 to 95.6)" in said
    assert "Highest mean: CNN 0.7k. Cheapest: spectrum." in said


def test_a_family_has_its_shape_beside_its_colour():
    drawing = rivals.accuracy_and_cost(THREE, "MACs")
    assert drawing.count("<circle") == 2 and drawing.count("<polygon") == 2  # each once in the legend


def test_who_is_far_behind_stands_on_the_axis_in_words():
    last = Contender("LTC", "liquid", 3e6, 0.67, 0.6, 0.74)
    drawing = rivals.accuracy_and_cost([*THREE, last], "MACs", floor=0.9)
    assert "LTC: 67 %" in drawing and ">70<" not in drawing
    assert "LTC: 67 %" not in rivals.accuracy_and_cost([*THREE, last], "MACs")


@given(
    st.lists(
        st.tuples(st.sampled_from(list(rivals.ROLES)), st.floats(1, 1e9), share), min_size=1, max_size=10
    )
)
def test_scatter_draws_at_every_setting(points):
    made = [
        Contender(f"rival {i}", f, cost, mean, 0.9 * mean, min(1, 1.02 * mean))
        for i, (f, cost, mean) in enumerate(points)
    ]
    stays_inside(rivals.accuracy_and_cost(made, "parameters", floor=0.85))


def test_rows_say_their_intervals_and_which_are_grey():
    rows = [Interval("A", 1.25, 0.5, 2.0), Interval("B", -3.0, -4.0, -2.0, False)]
    drawing = rivals.interval_rows("Gain", rows, "points", "a note", zero=True)
    assert "a note. points: A 1.2 (0.5 to 2.0); B -3.0 (-4.0 to -2.0)." in canvases.alternative(drawing)
    assert drawing.count("<circle") == 2 and 't-muted t-f" fill="#595959" font-size="12">-3.0' in drawing


@given(
    st.lists(st.tuples(st.floats(-90, 90), st.floats(0, 9), st.booleans()), min_size=1, max_size=9),
    st.booleans(),
)
def test_rows_draw_at_every_setting(rows, zero):
    made = [Interval(f"row {i}", mid, mid - w, mid + w, chosen) for i, (mid, w, chosen) in enumerate(rows)]
    stays_inside(rivals.interval_rows("Accuracy", made, "points", zero=zero))


def test_confusions_say_the_worst_mistake():  # of 300 windows 284 are right
    drawing = rivals.confusions({"net": TABLE}, CLASSES)
    assert "net: 94.7 % right, most often normal taken for imbalance, 10.0 %." in canvases.alternative(
        drawing
    )
    stays_inside(rivals.confusions({"one": TABLE, "two": TABLE}, CLASSES))


def test_the_area_of_a_cell_is_its_share():
    drawing = rivals.confusions({"net": [[75, 25], [0, 100]]}, ("a", "b"))
    sides = [float(w) for w in re.findall(r'<rect [^>]*width="([\d.]+)"[^>]*><title>', drawing)]
    assert sides[1] ** 2 / sides[0] ** 2 == pytest.approx(1 / 3, rel=0.01) and sides[2] == 0


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: rivals.accuracy_and_cost([], "MACs"), "needs at least one rival"),
        (
            lambda: rivals.accuracy_and_cost([("A", "trees", 1, 0.5, 0.4, 0.6)], "MACs"),
            "family must be one of",
        ),
        (
            lambda: rivals.accuracy_and_cost([("A", "liquid", 0, 0.5, 0.4, 0.6)], "MACs"),
            "A needs a cost above 0",
        ),
        (lambda: rivals.interval_rows("x", [], "points"), "at least one interval"),
        (lambda: rivals.interval_rows("x", [("A", 1, 2, 3)], "points"), "A needs low <= mean <= high"),
        (lambda: rivals.confusions({}, CLASSES), "one or two tables"),
        (lambda: rivals.confusions({"net": [[1, 2]]}, CLASSES), "net must be a table 3 x 3"),
    ],
)
def test_bad_input_is_one_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        make()
    assert "\n" not in str(caught.value)
