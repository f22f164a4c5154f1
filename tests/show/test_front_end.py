"""The front-end picture: what it says of frames and work, and that it holds every cell."""

import math
from xml.etree import ElementTree

import pytest

from tinylib.cost import Conv2D
from tinylib.cost.models import sequential
from tinylib.show import canvases
from tinylib.show.front_end import front_end

WAVE = [math.sin(t / 5) for t in range(800)]


def model(frames, bands):
    return sequential("words", (frames, bands, 1), [Conv2D(1, 8, 3)])


def test_says_frames_and_work():
    picture = [[0.5] * 10 for _ in range(9)]
    drawing = front_end(WAVE, picture, 160, 80, 8000, model(9, 10))
    ElementTree.fromstring(drawing)
    said = canvases.alternative(drawing)
    assert "9 frames of 20 ms, one every 10 ms, 10 bands: 90 numbers for 800 samples" in said
    assert f"Conv2D {7 * 8 * 72:,}; together {7 * 8 * 72:,}" in said


@pytest.mark.parametrize("level, cells", [(0.0, 0), (0.5, 90), (1.0, 90)])
def test_every_cell_that_is_not_dark_is_drawn(level, cells):
    empty = front_end(WAVE, [[0.0] * 10] * 9, 160, 80, 8000, model(9, 10))
    drawing = front_end(WAVE, [[level] * 10] * 9, 160, 80, 8000, model(9, 10))
    assert drawing.count("z") - empty.count("z") == cells


def test_a_fixed_axis_keeps_the_bars_comparable():
    few, many = (
        front_end(WAVE, [[0.5] * 10] * n, 160, 80, 8000, model(n, 10), most_macs=99_000) for n in (9, 17)
    )
    assert few.count("90 k") == many.count("90 k") or few.count("80 k") == many.count("80 k") == 1


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="needs samples, frames and bands"):
        front_end(WAVE, [], 160, 80, 8000, model(9, 10))
