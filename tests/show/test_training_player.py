"""Frames of a training run: surface, boundary, cases and curves follow the numbers, and words say them."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tinylib.show import canvases, theme
from tinylib.show.training_player import BANDS, HIGH, LOW, SIDE, Run, training_frame

SVG = "{http://www.w3.org/2000/svg}"
LEFT = [[0.1, 0.1, 0.9, 0.9]] * 4  # answers above one half to the right
RUN = Run(
    steps=(0, 50, 100),
    error=(0.3, 0.2, 0.01),
    weights=((0.5, -0.5, 1.0), (0.6, -0.7, 1.5), (0.8, -1.5, 2.5)),
    surfaces=([[0.4] * 4] * 4, LEFT, LEFT),
    corners=((0.4, 0.4, 0.4, 0.4), (0.1, 0.9, 0.9, 0.9), (0.1, 0.9, 0.9, 0.1)),
    hidden=2,
)
OTHER = replace(RUN, error=(0.4, 0.4, 0.4), surfaces=([[0.4] * 4] * 4,) * 3)


def frame(n):
    return training_frame({"first": RUN, "second": OTHER}, n)


def colours(drawing):
    """(x, fill) of every cell of the surfaces."""
    shapes = ElementTree.fromstring(drawing).iter(f"{SVG}polygon")
    return {(float(s.get("points").split(",")[0]), s.get("fill")) for s in shapes}


def test_words_say_cases_answers_error_and_weights():
    said = canvases.alternative(frame(1))
    assert "50 samples seen" in said
    assert "first: 3 of 4 cases right, answers 0.10, 0.90, 0.90, 0.90 to 00, 01, 10, 11" in said
    assert "squared error 0.200; weights from -0.70 to 1.50. second:" in said
    assert "4 of 4 cases right" in canvases.alternative(frame(2))


def test_other_targets_judge_the_same_answers():
    said = canvases.alternative(training_frame({"a": RUN, "b": OTHER}, 2, targets=(1, 0, 0, 1)))
    assert "a: 0 of 4 cases right" in said


def test_surface_is_orange_where_answers_are_above_one_half():
    cells = colours(frame(1))
    middle = 60 + SIDE / 2
    assert (60, theme.FILLS["weights"]) in cells and (middle, theme.FILLS["over_budget"]) in cells
    assert {fill for _, fill in colours(frame(0))} == {theme.FILLS["weights"]}


def test_boundary_runs_between_the_halves_and_nowhere_else():
    def thick(drawing):
        lines = ElementTree.fromstring(drawing).iter(f"{SVG}line")
        return [line for line in lines if line.get("stroke-width") == "2"]

    assert thick(frame(0)) == []
    found = thick(frame(1))
    assert len(found) == 4 and {float(line.get("x1")) for line in found} == {60 + SIDE / 2}
    assert sum(float(line.get("y2")) - float(line.get("y1")) for line in found) == pytest.approx(SIDE)


def test_first_input_runs_to_the_right_and_second_upwards():
    top = [[0.1] * 4, [0.1] * 4, [0.9] * 4, [0.9] * 4]  # above one half where y is large
    shapes = ElementTree.fromstring(
        training_frame({"a": replace(RUN, surfaces=(top,) * 3), "b": OTHER}, 0)
    ).iter(f"{SVG}polygon")
    high = [s for s in shapes if s.get("fill") == theme.FILLS["over_budget"]]
    assert max(float(p.split(",")[1]) for s in high for p in s.get("points").split()) == 92 + SIDE / 2


def test_curves_grow_with_the_frames():
    def lengths(drawing):
        return sorted(len(p.get("d").split("L")) for p in ElementTree.fromstring(drawing).iter(f"{SVG}path"))

    assert lengths(frame(2)) == [3] * 8  # per run three weights and the error
    assert lengths(frame(0)) == [1] * 8


def test_bands_are_told_apart():
    drawing = training_frame({"a": replace(RUN, surfaces=([[0.51, 0.75, 0.99]],) * 3), "b": OTHER}, 0)
    shades = {p.get("fill-opacity") for p in ElementTree.fromstring(drawing).iter(f"{SVG}polygon")}
    assert len(shades) == 3 <= BANDS and LOW < 0 < 1 < HIGH  # 0.4 of the other run is as near as 0.51


@pytest.mark.parametrize(
    "call, rule",
    [
        (lambda: training_frame({"a": RUN}), "runs must be two"),
        (lambda: training_frame({"a": RUN, "b": replace(OTHER, steps=(0, 1, 2))}), "after the same steps"),
        (lambda: frame(3), r"frame must lie in 0..2, got 3"),
        (lambda: frame(True), "frame must lie"),
        (lambda: replace(RUN, error=(0.1,)), "one entry of each kind for every look"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, rule):
    with pytest.raises(ValueError, match=rule):
        call()
