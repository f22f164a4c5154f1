"""The map of the book: places that follow the needs, arrows without detours, states said in words."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.show.book_map import Stop, book_map, book_table
from tinylib.show.canvases import alternative
from tinylib.show.layered import columns, layout, reduced


@st.composite
def graphs(draw):
    """Needs of up to nine nodes, each of earlier ones alone."""
    names = [f"{i:02d}" for i in range(draw(st.integers(1, 9)))]
    return {n: tuple(m for m in names[:i] if draw(st.booleans())) for i, n in enumerate(names)}


def reached(needs, node):
    return set(needs[node]).union(*(reached(needs, n) for n in needs[node]))


def test_an_arrow_that_follows_from_others_is_left_out():
    needs = {"a": (), "b": ("a",), "c": ("a", "b"), "d": ("a", "c", "b")}
    assert reduced(needs) == {"a": (), "b": ("a",), "c": ("b",), "d": ("c",)}
    assert columns(needs) == {"a": 0, "b": 1, "c": 2, "d": 3}


@given(graphs())
def test_reduction_keeps_what_can_be_reached(needs):
    fewer = reduced(needs)
    assert all(reached(fewer, n) == reached(needs, n) for n in needs)


@given(graphs())
def test_arrows_run_to_the_right_and_nodes_keep_apart(needs):
    placed = layout(needs)
    assert len(placed.ways) == sum(map(len, reduced(needs).values()))
    for way in placed.ways:
        assert [c for c, _ in way] == list(range(way[0][0], way[-1][0] + 1)) and len(way) > 1
    points = sorted(placed.places.values())
    for (c1, r1), (c2, r2) in pairwise(points):
        assert c1 != c2 or r2 - r1 >= 1 - 1e-9
    assert placed == layout(needs)


def test_needs_in_a_circle_are_refused():
    with pytest.raises(ValueError, match="must not run in a circle, got a -> b -> a"):
        layout({"a": ("b",), "b": ("a",)})


def lessons():
    return [
        Stop("00", "Start", 2, 2, 15, (), (), "00.ipynb"),
        Stop("01", "A & <b>", 1, 4, 30, ("00",), (), "01.ipynb"),
        Stop("02", "Long title: of two parts", 0, 3, 40, ("00", "01"), ("a01",), "02.ipynb"),
        Stop("03", "Side", 0, 3, 40, ("00",), (), "03.ipynb"),
        Stop("04", "All", 0, 3, 40, ("01", "02", "03"), (), "04.ipynb"),
    ]


TASK = Stop("a01", "Task", 1, 2, 45, ("02",), (), "x/a01.ipynb")


def test_states_stand_in_the_text_alternative():
    drawing = book_map(lessons(), [TASK], "01")
    ElementTree.fromstring(drawing)
    said = alternative(drawing)
    assert "1 of 5 lessons done, 0 of 1 assignments." in said
    assert "00 Start: done, 2 of 2 right." in said and "03 Side after 00: open, 0 of 3 right." in said
    assert "begun, 1 of 4 right. Go on here." in said and said.count("Go on here") == 1


def test_ticks_and_rings_follow_what_is_done():
    ticks = [book_map(lessons(), [t]).count('r="6.5"') for t in (TASK, Stop("a01", "T", 2, 2, 45))]
    assert ticks == [1, 2]  # lesson 00; and the assignment when it is done
    arc = re.compile(r'<path d="[^"]*" fill="none" stroke="#009E73" stroke-width="4"/>')
    assert len(arc.findall(book_map(lessons()))) == 2


def test_a_lesson_that_needs_all_before_it_has_one_mark():
    free = [*lessons()[:4], Stop("04", "All", 0, 3, 40, ("01", "02"))]
    heads = [book_map(found).count("<polygon") for found in (lessons(), free)]
    assert heads == [4, 4] and ">01 to 03<" in book_map(lessons()) and ">01 to" not in book_map(free)


def test_table_links_every_page_and_escapes_titles():
    table = book_table([*lessons(), TASK], "Pages & more")
    assert re.findall(r"href='([^']+)'", table) == [*(f"0{i}.ipynb" for i in range(5)), "x/a01.ipynb"]
    assert "A &amp; &lt;b&gt;" in table and "Pages &amp; more" in table
    assert table.count("<td>done</td>") == 1 and table.count("<td>begun</td>") == 2
