"""One look: figures have title, words for the ear, units on axes and source; every page wears PAGE."""

import ast
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from grading.pages import markup
from grading.pages.feedback import CSS
from tests.show.test_svg import contrast
from tinylib.cost import models
from tinylib.cost.report import report
from tinylib.deploy.own import report_page
from tinylib.show import canvases, cheat_sheet, svg, theme
from tinylib.show.page_style import PAGE

ROOT = Path(__file__).resolve().parents[2]
NS = "{http://www.w3.org/2000/svg}"
DRAWN = [
    *ROOT.glob("tinylib/show/*.py"),
    *ROOT.glob("tinylib/deploy/own/*.py"),
    *ROOT.glob("grading/**/*.py"),
]
UNIT = re.compile(r"\[[^\]]+\]|\bGB\b|\bB\b|\bbytes?\b|FLOP|\bMACs?\b|\bbits?\b|/s\b")
PURE = {  # axes that count or compare, so that no unit is left to name
    "anomaly score", "claimed / recomputed", "count, by powers of ten", "epoch", "generation", "input x",
    "input y", "layer", "points", "probability", "real value", "sample", "samples seen", "share",
    "size of the error, by powers of ten",
    "squared error, four cases", "state", "stored value", "students", "temperature",
    "temperature, by powers of ten", "tokens of context", "values", "weight", "weights", "weights in a bin",
    "windows", "x", "year", "accuracy",
}  # fmt: skip


def saved():
    """(notebook, cell, SVG) of every figure in the built lessons."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
            for output in cell.get("outputs", []):
                if drawing := "".join(output.get("data", {}).get("image/svg+xml", "")):
                    yield path.stem, number, drawing


def test_every_figure_of_the_lessons_has_a_title_and_a_text_alternative():
    figures = list(saved())
    assert len(figures) > 50
    for lesson, cell, drawing in figures:
        root, where = ElementTree.fromstring(drawing), f"{lesson}, cell {cell}"
        title, told = root.findtext(f"{NS}title"), root.findtext(f"{NS}desc")
        assert title and told and len(told) > 20, where
        assert root.get("role") == "img" and root.get("aria-label") == f"{title}. {told}", where
        sizes = [float(text.get("font-size")) for text in root.iter(f"{NS}text")]
        assert max(sizes) >= theme.SIZES["title"], f"{where}: no heading is drawn"
        assert not re.search(r"<animate|<script|transition|@keyframes", drawing), where


def labels(path: Path):
    """The labels written out in calls of svg.Axis; of an f-string what is written out in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("svg.Axis", "Axis") and node.args:
            first = node.args[0]
            choices = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
            for choice in choices:
                parts = choice.values if isinstance(choice, ast.JoinedStr) else [choice]
                words = "".join(p.value if isinstance(p, ast.Constant) else "{}" for p in parts)
                if words and not words.startswith("{}"):  # else the caller names quantity and unit
                    yield words


def test_every_axis_names_its_unit():
    found = [(path.name, label) for path in DRAWN for label in labels(path)]
    assert len(found) > 50
    assert [pair for pair in found if not UNIT.search(pair[1]) and pair[1] not in PURE] == []


PUBLISHED = {  # figures of numbers that others published
    "gap": lambda: canvases.gap_bars(2020),
    "growth": lambda: canvases.growth_points(2023),
    "ladder": canvases.energy_ladder,
    "ladder as printed": lambda: canvases.energy_ladder(as_printed=True),
    "roofline": canvases.roofline,
    "convolution": lambda: canvases.convolution(16, 32, 3, 1, 48, 8),
    "KV cache": canvases.kv_cache,
    "report": lambda: canvases.report(report(models.named("lenet5"))),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_numbers_carry_their_source_in_the_picture_and_in_its_words(name):
    root = ElementTree.fromstring(PUBLISHED[name]())
    lines = [t for t in root.iter(f"{NS}text") if float(t.get("y")) > float(root.get("height")) - 60]
    assert any(t.text.startswith("Source: ") for t in lines)
    assert "Source: " in root.findtext(f"{NS}desc")
    assert all(float(t.get("y")) < float(root.get("height")) for t in lines)


def test_a_size_outside_the_scale_is_refused():
    with pytest.raises(ValueError, match="a size of words must be one of"):
        svg.text(0, 0, "x", size=15)


def test_long_sources_are_wrapped_within_the_picture():
    root = ElementTree.fromstring(svg.picture("a", "b.", "", 480, 100, "a table of numbers, " * 12))
    lines = [t for t in root.iter(f"{NS}text")]
    assert len(lines) > 2 and all(len(t.text) * 6.2 <= 440 for t in lines)
    assert float(lines[-1].get("y")) < float(root.get("height"))


@pytest.mark.parametrize("role", theme.WORDS)
def test_words_are_legible_in_print(role):
    assert contrast(theme.PRINT[role], "#ffffff") >= 6.4


def test_every_page_wears_the_same_style_sheet():
    for page in (CSS, markup.document("a", []), report_page.STYLE, cheat_sheet.page()):
        assert page.count(PAGE) == 1
    assert "prefers-reduced-motion:reduce" in PAGE and "@media print" in PAGE
    assert not re.search(r"#[0-9a-f]{3,6}", PAGE.split("*{box-sizing")[1].split("@media print")[0])
