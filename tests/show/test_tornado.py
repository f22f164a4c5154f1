"""Tornado and claim cards: order by distance from 1, what they say, and what an open card keeps back."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.show import canvases
from tinylib.show.tornado import claim_card, ordered, tornado

positive = st.floats(1e-6, 1e6)
rows = st.lists(
    st.tuples(st.text("abc ", min_size=1, max_size=8), positive, positive), min_size=1, max_size=9
)


def test_too_small_and_too_large_are_as_far():
    names = [name for name, _, _ in ordered([("a", 3, 4), ("b", 8, 2), ("c", 2, 8), ("d", 5, 5)])]
    assert names == ["b", "c", "a", "d"]


@given(rows)
def test_every_row_is_drawn_and_said(found):
    drawing = tornado(found)
    ElementTree.fromstring(drawing)
    assert canvases.alternative(drawing).count(" for ") >= len(found)


def test_counts_in_the_note():
    said = canvases.alternative(tornado([("a", 2, 1), ("b", 1, 1000), ("c", 7, 7)]))
    assert "3 printed figures: 1 too large, 1 too small, 1 exact" in said
    assert "a: 2 for 1, 2 x" in said and "b: 1 for 1,000, 1/1000" in said.replace("1/1,000", "1/1000")


@pytest.mark.parametrize("row", [("a", 0, 1), ("a", 1, -2)])
def test_numbers_without_a_ratio_are_refused(row):
    with pytest.raises(ValueError, match="two positive numbers"):
        tornado([row])


def test_card_keeps_its_proof_back():
    said = ("KV cache", "a text", "134", "MB", 268.435456, "a factor is missing", "keys and values")
    opened, proven = claim_card(*said, proven=False), claim_card(*said)
    assert "268" not in opened and "factor" not in opened and "134 MB" in opened
    assert "268.435" in proven and "does not hold" in proven
    assert "It holds" in canvases.alternative(
        claim_card("x", "y", "3", "B", 3, "no slip: the figure holds", "z")
    )
