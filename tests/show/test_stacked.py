"""Stacked bars: parts, totals and the scale are those of the numbers given."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.show import canvases

WAITS = {"batch 4": {"filling": 60, "running": 56}, "batch 16": {"filling": 300, "running": 80}}
amounts = st.floats(0, 1e9)


def widths(drawing: str) -> dict[str, float]:
    """Width of each bar's part by its hover text [px]."""
    return {h: float(w) for w, h in re.findall(r'width="([\d.]+)"[^>]*><title>([^<]+)</title>', drawing)}


def test_bars_say_parts_and_totals():
    said = canvases.alternative(canvases.stacked("Waits", WAITS, "latency [ms]", "even arrivals."))
    assert "even arrivals. In latency [ms]: batch 4: filling 60, running 56, together 116;" in said
    assert said.endswith("batch 16: filling 300, running 80, together 380.")


def test_parts_are_as_long_as_their_amounts():
    found = widths(canvases.stacked("Waits", WAITS, "ms"))
    assert found["filling: 300 ms"] / found["filling: 60 ms"] == pytest.approx(5, rel=0.01)
    assert found["running: 80 ms"] / found["filling: 300 ms"] == pytest.approx(80 / 300, rel=0.01)


def test_a_fixed_scale_stays_and_cuts_what_is_longer():
    short, long = ({"a": {"x": value}} for value in (5, 50))
    assert widths(canvases.stacked("t", short, "ms", most=10))["x: 5 ms"] == pytest.approx(205)  # of 410
    assert widths(canvases.stacked("t", long, "ms", most=10))["x: 50 ms"] == pytest.approx(410)


def test_parts_differ_in_more_than_colour():
    assert canvases.stacked("Waits", WAITS, "ms").count("<path") >= 3  # hatches: two bars and the legend


@given(
    st.dictionaries(
        st.text("ab <&>é", max_size=9),
        st.fixed_dictionaries({"a": amounts, "b": amounts}),
        min_size=1,
        max_size=6,
    )
)
def test_any_amounts_draw(rows):
    ElementTree.fromstring(canvases.stacked("Any", rows, "unit"))


@pytest.mark.parametrize("rows", [{}, {"a": {}}, {"a": dict.fromkeys("vwxyz", 1)}, {"a": {"x": -1}}])
def test_rows_that_cannot_be_stacked_are_refused(rows):
    with pytest.raises(ValueError, match=r"rows must hold|parts must be"):
        canvases.stacked("t", rows, "ms")
