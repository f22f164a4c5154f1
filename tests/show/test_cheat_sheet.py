"""The cheat sheet: each printed formula is what the library computes, each link leads to a lesson."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinylib.show import canvases, cheat_sheet
from tinylib.show.cheat_sheet import pretty
from tinylib.show.metrics import NAMES, metrics
from tinylib.show.techniques import MEASURES, TECHNIQUES

SCRIPTS = Path(__file__).parents[2] / "authoring" / "lessons"
LESSONS = {p.stem for p in SCRIPTS.glob("*.py")}
names = {"ids": lambda metric: metric.name}


def other(value, share):
    """Another number of the same kind: a half to one and a third of it."""
    return max(1, round(value * share)) if isinstance(value, int) else value * share


@pytest.mark.parametrize("metric", metrics(), **names)
@settings(max_examples=20)
@given(data=st.data())
def test_formula_is_what_the_library_computes(metric, data):
    share = st.floats(0.5, 1.3)
    symbols = {name: other(value, data.draw(share)) for name, value in metric.example.items()}
    assert metric.formula_value(**symbols) == pytest.approx(metric.value(**symbols), rel=1e-9)


@pytest.mark.parametrize("metric", metrics(), **names)
def test_every_symbol_of_a_formula_is_explained(metric):
    assert set(re.findall(r"[A-Za-z_]\w*", metric.formula)) - set(NAMES) == set(metric.symbols)


@pytest.mark.parametrize("metric", metrics(), **names)
def test_the_calculator_of_a_metric_stands_in_its_lesson(metric):
    text = (SCRIPTS / f"{metric.lesson}.py").read_text(encoding="utf-8")
    assert f"canvases.{metric.see}" in text and metric.see in canvases.__all__


def test_each_metric_has_a_name_and_a_function_of_its_own():
    assert len({m.name for m in metrics()}) == len({m.function for m in metrics()}) == len(metrics()) >= 60


def test_every_arrow_leads_to_a_lesson():
    for effects in TECHNIQUES.values():
        assert tuple(effects) == MEASURES
        assert {effect.lesson for effect in effects.values()} <= LESSONS


@pytest.mark.parametrize(
    "formula, html",
    [
        ("a * (b + c)", "<i>a</i> · (<i>b</i> + <i>c</i>)"),
        ("a - (b - c)", "<i>a</i> − (<i>b</i> − <i>c</i>)"),
        ("a / (b * c)", "<i>a</i> / (<i>b</i> · <i>c</i>)"),
        ("(a + 1)**2", "(<i>a</i> + 1)<sup>2</sup>"),
        ("2**-n", "2<sup>−<i>n</i></sup>"),
        ("ceil(n_in / 8)", "⌈<i>n</i><sub>in</sub> / 8⌉"),
        ("h // 2", "⌊<i>h</i> / 2⌋"),
        ("log(p / q)", "ln(<i>p</i> / <i>q</i>)"),
    ],
)
def test_formulas_are_set_with_the_brackets_they_need(formula, html):
    assert pretty(formula) == html


def test_page_is_whole_and_links_resolve():
    body = cheat_sheet.sheet("notebooks/")
    ElementTree.fromstring(body.replace("<br>", "<br/>"))
    links = set(re.findall(r'href="notebooks/(\w+)\.ipynb"', cheat_sheet.page()))
    assert links and links <= LESSONS
    assert "268,435,456 B" in body and "127.996" in body
