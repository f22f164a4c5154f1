"""The unrolled map: rows worked by hand, and the count of the cost room."""

import pytest

from tests.show.test_calculators import stays_inside
from tinylib.show import canvases


def test_rows_by_hand():  # 4 x 4 values, 3 x 3 kernel, the last of four positions
    said = canvases.alternative(canvases.unrolled(4, 3, 99))
    assert "Row 3 of the matrix holds the values 5, 6, 7, 9, 10, 11, 13, 14, 15" in said
    assert "16 values become 4 x 9 = 36: 2.25 times as many" in said


@pytest.mark.parametrize("side", range(2, 6))
def test_every_kernel_is_drawn_within_its_picture(side):
    for kernel in range(1, side + 1):
        stays_inside(canvases.unrolled(side, kernel))
    assert f"{side**2} values become {side**2} x 1 = {side**2}: 1 times" in canvases.alternative(
        canvases.unrolled(side, 1)
    )


def test_a_kernel_wider_than_the_map_is_refused():
    with pytest.raises(ValueError, match="kernel at most side, got 3 and 4"):
        canvases.unrolled(3, 4)
