"""Canvases: the numbers shown are those of the cost room, and red appears exactly when over budget."""

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import Conv2D, Dense, MaxPool2D, devices
from tinylib.show import canvases, theme
from tinylib.units import KIB

STEM = Conv2D(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
SIZES = {"c_in": st.integers(1, 1024), "c_out": st.integers(1, 1024), "kernel_size": st.integers(1, 11)}
SIZES |= {"stride": st.integers(1, 4), "side": st.integers(1, 512), "bits": st.sampled_from([4, 8, 16, 32])}


def words(drawing):
    return [e.text for e in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]


def budget(sram_bytes, flash_bytes):
    return devices.Device("b", "Bench", sram_bytes, flash_bytes, "M0", None, "none", "none")


def test_convolution_matches_a_layer_worked_by_hand():  # 3*3*32*64 + 64, times 28*28 without the bias
    n = canvases.convolution_numbers(32, 64, 3, 1, 28, 8)
    assert (n.params, n.macs, n.flops) == (18_496, 14_450_688, 28_901_376)
    assert n.sizes == {32: 73_984, 16: 36_992, 8: 18_496, 4: 9_248}
    assert (n.in_bytes, n.out_bytes, n.pair_bytes) == (25_088, 50_176, 75_264)
    assert n.intensity == pytest.approx(28_901_376 / (18_432 + 75_264))
    shown = words(canvases.convolution(32, 64, 3, 1, 28, 8))
    for text in ("18,432", "18,496", "14,450,688", "28,901,376", "73.5 KiB", "18.06 KiB", "72.25 KiB"):
        assert text in shown
    assert "28 × 28 × 64" in shown


@given(st.fixed_dictionaries(SIZES), st.integers(1, 2000), st.integers(1, 2000))
def test_over_budget_is_said_exactly_when_over(sizes, sram_kib, flash_kib):
    device = budget(sram_kib * KIB, flash_kib * KIB)
    n = canvases.convolution_numbers(**sizes, device=device)
    drawing = canvases.convolution(**sizes, device=device)
    over = (n.pair_bytes > device.sram_bytes) + (n.sizes[sizes["bits"]] > device.flash_bytes)
    assert sum("over by" in text for text in words(drawing)) == over
    assert canvases.alternative(drawing).count("over by") == over
    assert drawing.count(f'fill="{theme.FILLS["over_budget"]}"') == over


def test_a_full_device_is_not_over():
    n = canvases.convolution_numbers(1, 1, 1, 1, 32, 8)
    for spare, over in ((0, 0), (-1, 1)):
        device = budget(n.pair_bytes + spare, KIB)
        assert canvases.convolution_numbers(1, 1, 1, 1, 32, 8, device).over_sram_bytes == over


@given(st.fixed_dictionaries(SIZES))
def test_nothing_is_drawn_outside_the_picture(sizes):
    root = ElementTree.fromstring(canvases.convolution(**sizes))
    width, height = (float(root.get(side)) for side in ("width", "height"))
    for element in root.iter():
        for number in ("x", "x1", "x2", "cx"):
            assert 0 <= float(element.get(number, 0)) <= width
        for pair in (element.get("points") or "").split():
            assert 0 <= float(pair.split(",")[0]) <= width and 60 <= float(pair.split(",")[1]) <= height
        assert float(element.get("font-size", 12)) >= 12


@given(st.integers(1, 2000), st.integers(1, 2000))
def test_cost_bars_show_the_counts(height, width):
    drawing = canvases.cost_bars(STEM, (height, width, 3))
    assert f"{STEM.macs((height, width, 3)):,}" in words(drawing) and "9,408" in words(drawing)
    assert "9,408 weights" in canvases.alternative(drawing)


def test_halving_the_image_moves_one_bar_only():
    def bars(side):
        root = ElementTree.fromstring(canvases.cost_bars(STEM, (side, side, 3)))
        rects = root.iter("{http://www.w3.org/2000/svg}rect")
        return {r.get("fill"): float(r.get("width")) for r in rects}

    large, small = bars(224), bars(112)
    assert large[theme.FILLS["weights"]] == small[theme.FILLS["weights"]]
    step = large[theme.FILLS["macs"]] - small[theme.FILLS["macs"]]
    assert step == pytest.approx(480 * math.log10(4) / 10, abs=0.2)


def test_layers_without_weights_can_be_drawn():
    assert "0 weights" in canvases.alternative(canvases.cost_bars(MaxPool2D(2), (8, 8, 3)))
    assert words(canvases.cost_bars(Dense(100, 10), (100,))).count("1,000") == 2


def test_scatter_names_every_layer_without_overlap():
    layers = {f"layer {i}": (Conv2D(8, 8 + i, 3), (16, 16, 8)) for i in range(4)}
    drawing = canvases.macs_against_weights(layers)
    assert set(layers) <= set(words(drawing))
    spots = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>layer', drawing)
    assert len(set(spots)) == 4


@pytest.mark.parametrize("name", ["c_in", "c_out", "kernel_size", "stride", "side", "bits"])
@pytest.mark.parametrize("bad", ["8", None, math.nan, 0, -1, 2.5, True, [3]])
def test_bad_input_is_one_sentence(name, bad):
    good = {"c_in": 8, "c_out": 8, "kernel_size": 3, "stride": 1, "side": 8, "bits": 8}
    with pytest.raises((ValueError, TypeError), match=name) as caught:
        canvases.convolution(**good | {name: bad})
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


def test_odd_widths_and_empty_scatters_are_refused():
    with pytest.raises(ValueError, match="bits must be one of 32, 16, 8, 4, got 7"):
        canvases.convolution(8, 8, 3, 1, 8, 7)
    with pytest.raises(ValueError, match="at least one layer"):
        canvases.macs_against_weights({})
