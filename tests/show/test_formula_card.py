"""The formula card: every row of the cheat sheet calculates, also with numbers of one's own."""

from xml.etree import ElementTree

import pytest

from tinylib.show import canvases
from tinylib.show.formula_card import changed, formula_card, named
from tinylib.show.metrics import metrics


@pytest.mark.parametrize("metric", metrics(), ids=lambda metric: metric.name)
def test_every_metric_has_a_card(metric):
    drawing = formula_card(metric.name)
    ElementTree.fromstring(drawing)
    assert all(what in drawing for what, _ in metric.symbols.values())


def test_numbers_of_ones_own():  # by hand: 2 x 32 x 32 x 128 x 1024 x 2 and half of it
    assert "536,870,912 B" in canvases.alternative(formula_card("KV cache", "tokens = 1024"))
    assert "268,435,456 B" in canvases.alternative(formula_card("KV cache", "tokens = 1024, bits = 8"))


def test_symbols_of_another_metric_wait_for_it():
    assert changed(named("Accesses"), "tokens = 1024, each_pj = 0.5") == changed(
        named("Accesses"), "each_pj = 0.5"
    )


def test_whole_numbers_stay_whole():
    assert changed(named("KV cache"), "tokens = 1e3")["tokens"] == 1000
    assert isinstance(changed(named("KV cache"), "tokens = 1e3")["tokens"], int)
    assert changed(named("Accesses"), " each_pj = 0.5 ,")["each_pj"] == 0.5


@pytest.mark.parametrize(
    "name, changes, why",
    [
        ("Weight", "", "metric must be a row"),
        ("KV cache", "token = 4", "changes must name one of layers"),
        ("KV cache", "tokens", "must read like"),
        ("KV cache", "tokens = many", "must read like"),
        ("KV cache", "tokens = 0", "tokens must lie between"),
    ],
)
def test_errors_give_a_reason(name, changes, why):
    with pytest.raises(ValueError, match=why):
        formula_card(name, changes)
