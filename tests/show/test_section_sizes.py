"""Stacked sections: lengths follow bytes, sums and limits are said, names keep their colour."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.show import canvases, theme
from tinylib.show.section_sizes import Build, section_sizes

SVG = "{http://www.w3.org/2000/svg}"
SMALL = Build("small", "gcc", {"code": 300, "tables": 100})
LARGE = Build("large", "zig", {"code": 900, "library": 50, "tables": 200})


def rects(drawing, hover):
    return [
        {name: float(r.get(name)) for name in ("x", "width")}
        for r in ElementTree.fromstring(drawing).iter(f"{SVG}rect")
        if hover in (r.findtext(f"{SVG}title") or "")
    ]


def test_sections_stand_in_a_row_and_to_scale():
    drawing = section_sizes([LARGE, SMALL])
    code, library, tables = (rects(drawing, f"large, {name}")[0] for name in ("code", "library", "tables"))
    assert library["x"] == pytest.approx(code["x"] + code["width"], abs=0.2)
    assert tables["x"] == pytest.approx(library["x"] + library["width"], abs=0.2)
    assert tables["width"] / code["width"] == pytest.approx(200 / 900, abs=0.01)
    assert rects(drawing, "small, code")[0]["width"] / code["width"] == pytest.approx(1 / 3, abs=0.01)


def test_sums_shares_and_excess_are_said():
    said = canvases.alternative(section_sizes([SMALL, LARGE], limit=800, memory="flash"))
    assert "small (gcc) 400 B: code 300 B, tables 100 B, 50 % of the limit" in said
    assert "large (zig) 1,150 B" in said and "350 B over the limit" in said
    assert "limit" not in canvases.alternative(section_sizes([SMALL]))


def test_a_section_keeps_its_colour_whatever_stands_beside_it():
    def colour(builds):
        root = ElementTree.fromstring(section_sizes(builds))
        return {
            r.findtext(f"{SVG}title").split(", ")[1].split(":")[0]: r.get("fill")
            for r in root.iter(f"{SVG}rect")
            if ", " in (r.findtext(f"{SVG}title") or "")
        }

    assert colour([SMALL, LARGE]) == colour([LARGE, SMALL])
    assert set(colour([LARGE]).values()) == {theme.FILLS[role] for role in ("weights", "macs", "activations")}


def test_what_is_at_least_so_much_says_so():
    said = canvases.alternative(section_sizes([Build("a", "b", {"code": 16_000}, open_end=True)], 16_384))
    assert "16,000 B or more" in said


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=4), st.integers(0, 10**6))
def test_any_sizes_can_be_drawn_and_their_sums_fit(sizes, limit):
    build = Build("any", "size", dict(zip(("code", "tables", "library", "weights"), sizes)))
    drawing = section_sizes([build], limit)
    assert f"{sum(sizes):,} B" in canvases.alternative(drawing)
    for r in ElementTree.fromstring(drawing).iter(f"{SVG}rect"):
        assert float(r.get("x")) + float(r.get("width")) <= 720


def test_the_limit_is_drawn_where_it_is():
    drawing = section_sizes([SMALL], limit=400)
    code, tables = rects(drawing, "small, code")[0], rects(drawing, "small, tables")[0]
    ends = re.findall(r'<line x1="([\d.]+)"[^>]*stroke-dasharray="6 3"', drawing)
    assert float(ends[0]) == pytest.approx(tables["x"] + tables["width"], abs=0.2) and code["x"] == 216


@pytest.mark.parametrize(
    "builds, rule",
    [([], "at least one"), ([Build("a", "", {f"s{n}": 1 for n in range(6)})], "at most 5 kinds of sections")],
)
def test_what_cannot_be_drawn_is_refused(builds, rule):
    with pytest.raises(ValueError, match=rule):
        section_sizes(builds)
