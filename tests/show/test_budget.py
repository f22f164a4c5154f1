"""Budget pictures: what they say is what they draw, over and under the limit."""

import re

import pytest

from tinylib.show.budget import dashboard, radar

ROWS = [("Flash", 900, 1000, "B"), ("RAM", 300, 200, "B"), ("Instructions", 90_000, 10_000, "")]


def widths(picture: str) -> list[float]:
    return [float(w) for w in re.findall(r'<rect x="130" [^>]*width="([\d.]+)" height="28"', picture)]


def test_bars_are_shares_of_their_limits():
    picture = dashboard(ROWS, 75.0, 80)
    assert widths(picture) == pytest.approx([330 * 0.45, 330 * 0.75, 330, 330 * 75 / 160], abs=0.1)


def test_what_is_drawn_is_said():
    picture = dashboard(ROWS, 75.0, 80, "My network", "measured")
    said = re.search(r"<desc>(.*?)</desc>", picture)[1]
    assert said == (
        "measured. Flash 900 of 1,000 B, kept; RAM 300 of 200 B, 50 % over; "
        "Instructions 90,000 of 10,000, 800 % over; Accuracy 75.0 % of 80 % asked, 5.0 points short."
    )
    assert "reached" in dashboard(ROWS, 80.0, 80) and "Accuracy" not in dashboard(ROWS, None, 80)


def test_a_budget_without_limits_is_refused():
    with pytest.raises(ValueError, match="rows must hold at least one limit"):
        dashboard([], None, 80)


SHARES = {"Flash": 0.5, "RAM": 1.5, "Instructions": 9.0, "Goal / accuracy": 1.0}


def test_a_corner_of_the_radar_lies_at_its_share():
    corners = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', radar({"net": SHARES}))
    found = [(float(x), float(y)) for x, y in corners]
    assert found == [(275, 194), (383, 230), (275, 374), (203, 230)]  # 72 pixels are a limit, 2 is the end


def test_the_radar_names_what_is_over():
    picture = radar({"a": SHARES, "b": dict.fromkeys(SHARES, 0.2)})
    assert "over: RAM, Instructions" in picture and "inside every limit" in picture
    assert "a: Flash 50 %, RAM 150 %, Instructions 900 %, Goal / accuracy 100 %" in picture


@pytest.mark.parametrize(
    "networks, words",
    [
        ({}, "networks must be one to 3, got 0"),
        (dict.fromkeys("abcd", SHARES), "got 4"),
        ({"a": {"x": 1, "y": 1}}, "three or more limits"),
        ({"a": SHARES, "b": {"Flash": 1.0}}, "the same three or more limits"),
    ],
)
def test_radars_that_cannot_be_drawn_are_refused(networks, words):
    with pytest.raises(ValueError, match=words):
        radar(networks)
