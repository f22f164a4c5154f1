"""Small images: pixels counted by hand, and rows that are no image."""

import pytest

from tests.show.test_calculators import stays_inside
from tinylib.show import canvases
from tinylib.show.pixels import pixel_grid

CROSS = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]


def test_only_dark_pixels_are_drawn():
    assert pixel_grid(CROSS, 0, 0, 30).count("<polygon") == 5
    assert pixel_grid([[0.004, 0.0], [0.25, 1]], 0, 0, 20).count('fill-opacity="0.25"') == 1


def test_names_and_counts_are_said():
    drawing = canvases.images("Seen", {"as it is": CROSS, "empty": [[0.0] * 3] * 3}, "3 x 3.")
    stays_inside(drawing)
    assert "as it is: 5 of 9 pixels filled; empty: 0 of 9" in canvases.alternative(drawing)


@pytest.mark.parametrize(
    "rows, why",
    [([[1, 0], [1]], "one width"), ([[]], "one width"), ([[2.0]], r"must lie in \[0..1\], got 2.0")],
)
def test_what_is_no_image_is_refused(rows, why):
    with pytest.raises(ValueError, match=why):
        canvases.images("x", {"a": rows})


def test_a_row_of_images_has_one_to_four():
    with pytest.raises(ValueError, match="1 to 4 images, got 0"):
        canvases.images("x", {})
