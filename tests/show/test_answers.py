"""Where answers land: every variant of a question draws, and says its answer and its mistakes."""

from xml.etree import ElementTree

import pytest

from tinylib.practice import BANK, variant
from tinylib.show import canvases

SIZE = BANK["metrics.model_size_fp32"]


def drawn(numbers: dict) -> str:
    mistakes = [(value, m.hint) for m, value in SIZE.mistakes(numbers)]
    return canvases.answer_line(SIZE.text(numbers), SIZE.answer(**numbers), mistakes, SIZE.unit)


@pytest.mark.parametrize("seed", range(1, 21))  # the draws that lesson 00 offers
def test_every_draw_of_the_lesson_is_drawn(seed):
    drawing = drawn(variant(SIZE, seed))
    ElementTree.fromstring(drawing)
    assert drawing.count("<circle") == 1 + len(SIZE.misconceptions)


def test_the_printed_numbers_are_said():  # 3.4 M x 4 B; / 2^20; x 8; one byte each
    said = canvases.alternative(drawn(SIZE.given))
    for value in ("13.6 MB: Right.", "12.97 MB", "108.8 MB", "3.4 MB"):
        assert value in said


@pytest.mark.parametrize("right, mistakes", [(0, []), (1, [(-1, "sign")]), (1, [(2, "")] * 6)])
def test_what_has_no_place_on_the_line_is_refused(right, mistakes):
    with pytest.raises(ValueError, match="a line takes values above 0"):
        canvases.answer_line("?", right, mistakes, "MB")
