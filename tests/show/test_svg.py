"""SVG vocabulary: well-formed, legible in both themes, axes with round ticks, no numpy."""

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.show import svg, theme
from tinylib.show.canvases import alternative
from tinylib.show.numbers import percent, short

NS = "{http://www.w3.org/2000/svg}"


def luminance(tone):  # WCAG 2.1, relative luminance
    parts = [int(tone[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_and_white_is_21():  # WCAG 2.1
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("tones", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("role", theme.WORDS)
def test_words_are_legible(tones, role):
    assert contrast(tones[role], tones["page"]) >= 4.5
    assert contrast(tones[role], tones["panel"]) >= 4.5


@pytest.mark.parametrize("page", ["#ffffff", "#111111", "#000000"])
@pytest.mark.parametrize("role", theme.FILLS)
def test_shapes_stand_out(role, page):
    assert contrast(theme.FILLS[role], page) >= 3


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1))
def test_any_words_come_back(words):
    drawing = svg.picture(words, words, svg.text(0, 0, words) + svg.rect(0, 0, 1, 1, "ink", hover=words))
    root = ElementTree.fromstring(drawing)
    assert root.find(f"{NS}title").text == root.find(f"{NS}text").text == words
    assert root.get("role") == "img" and root.get("aria-label") == alternative(drawing) == f"{words}. {words}"


def test_picture_scales_and_stands_alone():
    drawing = svg.picture("A", "b", "", 720, 300)
    root = ElementTree.fromstring(drawing)
    assert root.get("viewBox") == "0 0 720 300" and "max-width:100%" in root.get("style")
    assert "prefers-color-scheme:dark" in drawing and "data-jp-theme-light" in drawing
    assert root.find(f"{NS}rect").get("width") == "720"  # the page behind, for a viewer of another theme
    assert not re.search(r"<script|<animate|\bon\w+=|\bid=|url\(|href", drawing)


def test_bar_over_budget_has_a_second_signal():
    within, over = svg.bar(0, 0, 50, 20, "weights"), svg.bar(0, 0, 50, 20, "weights", over=True)
    assert theme.FILLS["over_budget"] in over and "<path" in over
    assert theme.FILLS["over_budget"] not in within and "<path" not in within


@given(st.floats(0, 300), st.floats(0, 100))
def test_hatch_stays_inside(width, height):
    for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", svg.hatch(10, 20, width, height)):
        assert 9.9 <= float(x) <= 10.1 + width and 19.9 <= float(y) <= 20.1 + height


@pytest.mark.parametrize(
    "axis, ticks",
    [
        (svg.Axis("a", 0, 200), [0, 50, 100, 150, 200]),
        (svg.Axis("a", 0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (svg.Axis("a", 1, 1e4, log=True), [1, 10, 100, 1000, 10000]),
        (svg.Axis("a", 1, 1e10, log=True), [1, 100, 1e4, 1e6, 1e8, 1e10]),
        (svg.Axis("a", 0, 9, ticks=(3, 4)), (3, 4)),
    ],
)
def test_ticks_are_round(axis, ticks):
    assert axis.tick_values(6) == pytest.approx(ticks)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 12))
def test_ticks_lie_within_the_limits(low, width, most):
    axis = svg.Axis("a", low, low + width)
    ticks = axis.tick_values(most)
    assert 1 <= len(ticks) <= most + 1
    assert all(low - width * 1e-6 <= t <= low + width * (1 + 1e-6) for t in ticks)


def test_axes_place_values():
    plot = svg.axes(
        svg.Axis("x", 1, 100, log=True), svg.Axis("y", 0, 4), left=10, top=20, width=200, height=80
    )
    assert (plot.x(10), plot.y(1)) == (110, 80)
    assert plot.x(1e9) == 210  # what lies beyond goes to the end
    ElementTree.fromstring(f"<g>{plot.body}</g>")


@pytest.mark.parametrize(
    "value, words",
    [
        (0, "0"),
        (0.5, "0.5"),
        (999, "999"),
        (1000, "1 k"),
        (999_999, "1 M"),
        (118_013_952, "118 M"),
        (1e10, "10 G"),
    ],
)
def test_short_numbers(value, words):
    assert short(value) == words


def test_percent_of_a_budget():
    assert [percent(p, 1000) for p in (0, 0.1, 5, 422, 12_000)] == [
        "0 %",
        "< 0.1 %",
        "0.5 %",
        "42.2 %",
        "12 ×",
    ]


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: svg.Axis("bytes", 2, 1), "axis 'bytes' needs low < high"),
        (lambda: svg.Axis("bytes", 0, 1, log=True), "a logarithm has no zero"),
        (lambda: svg.Axis("bytes", float("nan"), 1), "needs low < high"),
        (lambda: svg.text(0, 0, "x", "crimson"), "colour role must be one of"),
        (lambda: alternative("<svg/>"), "a picture needs a title"),
    ],
)
def test_bad_input_is_refused_with_a_reason(make, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_show_needs_no_numpy():
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['numpy', 'matplotlib', 'ipywidgets', 'IPython']))\n"
        "from tinylib.show import canvases; print(len(canvases.convolution(16, 32, 3, 1, 48, 8)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 5000
