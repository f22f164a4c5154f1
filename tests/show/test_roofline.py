"""Roofline and gap pictures: their words follow from the cost room, at every setting."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import growth, models, processors
from tinylib.show import canvases
from tinylib.show.roofline import layer_intensity


@given(
    processor=st.sampled_from(processors.ids()),
    intensity=st.floats(0.01, 1e5),
    bits=st.sampled_from([4, 8, 16, 32]),
    model=st.sampled_from(["", "lenet5", "vgg16"]),
    batch=st.integers(1, 1024),
    unit=st.sampled_from(["FLOP", "MAC"]),
)
def test_roofline_draws_at_every_setting(processor, intensity, bits, model, batch, unit):
    drawing = canvases.roofline(processor, intensity, bits, model, batch, unit)
    ElementTree.fromstring(drawing)
    assert f"{unit}/B" in canvases.alternative(drawing)


def test_roofline_says_ridge_regime_and_distance():  # A100 80 GB: 312e12 / 2.039e12
    said = canvases.alternative(canvases.roofline("a100_80", 2.0, 16))
    assert "ridge at 153 FLOP/B" in said and "memory-bound" in said and "76.5 times left" in said
    assert "attainable 4.08 TFLOP/s" in said
    said = canvases.alternative(canvases.roofline("a100_80", 2.0, 16, unit="MAC"))
    assert "ridge at 76.5 MAC/B" in said and "76.5 times left" in said


def test_batch_raises_the_intensity_of_a_dense_layer_towards_its_activations():
    dense = models.named("mlperf_tiny_ad_autoencoder").rows[0]  # 640 -> 128
    one, many = (layer_intensity(dense, 8, batch) for batch in (1, 10_000))
    assert one == pytest.approx(2 * 640 * 128 / (640 * 128 + 640 + 128))
    assert many == pytest.approx(2 * 640 * 128 / (640 + 128), rel=0.02)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"processor": "abacus"}, "processor must be one of"),
        ({"intensity": 0}, "intensity must be positive"),
        ({"intensity": "x"}, "intensity must be a number"),
        ({"unit": "OP"}, "unit must be"),
        ({"model": "none"}, "model must be one of"),
        ({"batch": 0}, "batch must lie"),
    ],
)
def test_roofline_refuses_with_a_sentence(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        canvases.roofline(**arguments)


def test_every_processor_has_a_source_and_says_what_is_assumed():
    rows = [processors.named(i) for i in processors.ids()]
    assert all(r.source and r.peak_macs_per_s(8) > 0 and r.peak_macs_per_s(16) > 0 for r in rows)
    assert all(r.assumed for r in rows if r.name.startswith("Cortex"))
    assert {"stm32l072", "h200_sxm"} <= set(processors.ids())


def test_growth_of_the_points_is_not_the_rule_of_thumb():  # (530e9 / 213e6)^(1/2), (141 / 16)^(1/3)
    assert growth.per_two_years("model", 2017, 2021) == pytest.approx(49.9, abs=0.05)
    assert growth.per_two_years("gpu_memory") == pytest.approx(2.07, abs=0.005)
    assert growth.rule_of_thumb("model", 2021) == 16 * 213e6
    with pytest.raises(ValueError, match="first must be before last"):
        growth.per_two_years("model", 2020, 2020)


@pytest.mark.parametrize("year", range(2014, 2025))
@pytest.mark.parametrize("scale", ["log", "linear"])
def test_gap_draws_every_year(year, scale):
    drawing = canvases.gap_bars(year, scale)
    ElementTree.fromstring(drawing)
    assert f"The gap in {year}" in canvases.alternative(drawing)
    root = ElementTree.fromstring(canvases.growth_points(year, rule=scale == "log"))
    beside = [e for e in root.iter() if e.tag.endswith("text") and float(e.get("x")) > 520]
    assert all(float(e.get("x")) + 6.2 * len(e.text) < 720 for e in beside) and len(beside) >= 6


def test_gap_of_2021_in_numbers():  # 530e9 parameters at 2 bytes against 320 KiB
    said = canvases.alternative(canvases.gap_bars(2021))
    assert "MT-NLG of 2021, 1,060 GB" in said and "80 GB" in said and "320 KiB" in said


@pytest.mark.parametrize("year", [2013, 2025, 2020.5, "2020", True, None])
def test_gap_refuses_other_years(year):
    with pytest.raises(ValueError, match="year must be a whole number from 2014 to 2024"):
        canvases.gap_bars(year)
