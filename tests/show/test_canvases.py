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
KINDS = ["standard", "depthwise", "separable"]


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


def test_depthwise_matches_a_layer_worked_by_hand():  # 3*3*32 weights, each once at 14*14 places
    n = canvases.convolution_numbers(32, 64, 3, 2, 28, 8, kind="depthwise")
    assert (n.weights, n.params, n.macs, n.flops) == (288, 320, 56_448, 112_896)
    assert n.shapes == ((28, 28, 32), (14, 14, 32)) and n.pair_bytes == 25_088 + 6_272
    drawing = canvases.convolution(32, 64, 3, 2, 28, 8, kind="depthwise")
    assert "c_out is ignored" in " ".join(words(drawing)) and "3 × 3 × 1" in words(drawing)


def test_separable_matches_two_layers_worked_by_hand():  # 288 and 32*64 weights, each once at 28*28 places
    n = canvases.convolution_numbers(32, 64, 3, 1, 28, 8, kind="separable")
    assert (n.weights, n.params, n.macs) == (2_336, 2_432, 1_831_424)
    assert n.map_bytes == (25_088, 25_088, 50_176) and n.pair_bytes == 75_264
    assert n.intensity == pytest.approx(3_662_848 / (288 + 2 * 25_088 + 2_048 + 25_088 + 50_176))
    drawing = canvases.convolution(32, 64, 3, 1, 28, 8, kind="separable")
    assert {"1,831,424", "3 × 3 × 1", "1 × 1 × 32"} <= set(words(drawing))
    assert "12.7 % of the MACs of a standard one" in canvases.alternative(drawing)


def test_the_larger_pair_of_a_separable_convolution_counts():  # stride 2: 32*32*8 and 16*16*8, 16*16*c_out
    for c_out, pair in ((8, 8_192 + 2_048), (64, 2_048 + 16_384)):
        assert canvases.convolution_numbers(8, c_out, 3, 2, 32, 8, kind="separable").pair_bytes == pair


@given(st.fixed_dictionaries(SIZES))
def test_separable_saves_by_the_published_ratio(sizes):  # MobileNets, section 3.1: 1 / c_out + 1 / k^2
    n = canvases.convolution_numbers(**sizes, kind="separable")
    assert n.standard_macs == canvases.convolution_numbers(**sizes).macs
    ratio = 1 / sizes["c_out"] + 1 / sizes["kernel_size"] ** 2
    assert n.macs / n.standard_macs == pytest.approx(ratio)


@pytest.mark.parametrize(
    "bits, each_pj, energy",
    [(8, 0.3, "4.34 µJ"), (16, 1.5, "21.7 µJ"), (32, 4.6, "66.5 µJ")],  # Horowitz: multiply and add
)
def test_energy_of_the_arithmetic(bits, each_pj, energy):
    n = canvases.convolution_numbers(32, 64, 3, 1, 28, bits)
    assert n.energy_uj == pytest.approx(14_450_688 * each_pj / 1e6) == pytest.approx(n.power_uw)
    line = f"Arithmetic alone at 45 nm, {each_pj} pJ a MAC: {energy}; {energy[:-1]}W on average"
    assert line in canvases.alternative(canvases.convolution(32, 64, 3, 1, 28, bits))


def test_energy_changes_its_unit_and_is_absent_for_four_bits():
    drawing = " ".join(words(canvases.convolution(128, 128, 3, 1, 200, 8)))  # 5,898,240,000 MACs x 0.3 pJ
    assert "1.77 mJ; 1.77 mW on average" in drawing
    drawing = " ".join(words(canvases.convolution(8, 8, 3, 1, 8, 4)))
    assert "the table has no 4-bit arithmetic" in drawing and "pJ" not in drawing
    assert canvases.convolution_numbers(8, 8, 3, 1, 8, 4).energy_uj is None


@pytest.mark.parametrize(
    "kernel_size, stride, side, position, rows, columns",
    [
        (3, 1, 28, 0, (0, 2), (0, 2)),  # one row and one column of padding in front
        (3, 1, 28, 29, (0, 3), (0, 3)),
        (3, 2, 28, 0, (0, 3), (0, 3)),  # 'same' at stride 2 pads behind alone
        (7, 2, 224, 112 * 112 - 1, (220, 224), (220, 224)),  # padded by 2 in front and 3 behind
        (1, 3, 10, 5, (3, 4), (3, 4)),
    ],
)
def test_the_window_stands_where_same_padding_puts_it(kernel_size, stride, side, position, rows, columns):
    place = canvases.convolution_numbers(1, 1, kernel_size, stride, side, 8).place(position)
    assert (place.rows, place.columns) == (rows, columns)


@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 20), st.sampled_from(["standard", "separable"]))
def test_the_window_visits_every_output_and_stays_on_the_map(kernel_size, stride, side, kind):
    n = canvases.convolution_numbers(2, 2, kernel_size, stride, side, 8, kind=kind)
    last = n.out_shape[0] * n.out_shape[1] - 1
    places = [n.place(position) for position in range(last + 1)]
    assert [(p.row, p.column) for p in places] == [divmod(i, n.out_shape[1]) for i in range(last + 1)]
    for low, high in (span for p in places for span in (p.rows, p.columns)):
        assert 0 <= low < high <= side and high - low <= kernel_size
    assert n.place(-5) == places[0] and n.place(last + 5) == places[-1]
    if stride <= kernel_size:
        assert {i for p in places for i in range(*p.rows)} == set(range(side))


def test_a_step_moves_the_window_and_the_value_alone():
    sizes, ns = (16, 16, 3, 1, 12, 8), "{http://www.w3.org/2000/svg}rect"

    def marks(kind, position):
        root = ElementTree.fromstring(canvases.convolution(*sizes, kind=kind, position=position))
        return [(float(r.get("x")), float(r.get("y"))) for r in root.iter(ns) if 0 < float(r.get("y")) < 200]

    for kind, count in (("standard", 2), ("separable", 3)):
        first, below = marks(kind, 5 * 12 + 5), marks(kind, 6 * 12 + 5)
        assert len(first) == len(below) == count
        assert all(a[0] == b[0] and a[1] < b[1] for a, b in zip(first, below))
    assert words(canvases.convolution(*sizes)) == words(canvases.convolution(*sizes, position=77))


def test_a_full_device_is_not_over():
    n = canvases.convolution_numbers(1, 1, 1, 1, 32, 8)
    for spare, over in ((0, 0), (-1, 1)):
        device = budget(n.pair_bytes + spare, KIB)
        assert canvases.convolution_numbers(1, 1, 1, 1, 32, 8, device).over_sram_bytes == over


@given(st.fixed_dictionaries(SIZES), st.sampled_from(KINDS), st.integers(0, 2**18))
def test_nothing_is_drawn_outside_the_picture(sizes, kind, position):
    root = ElementTree.fromstring(canvases.convolution(**sizes, kind=kind, position=position))
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


def test_layers_on_one_spot_share_a_label_and_dense_ones_lie_on_the_line():
    same = {name: (Dense(100, 10), (100,)) for name in "ab"}
    drawing = canvases.macs_against_weights(same | {"c": (Conv2D(8, 8, 3), (16, 16, 8))})
    assert {"a, b", "c"} <= set(words(drawing)) and drawing.count("<circle") == 3
    (x1, y1, x2, y2), *_ = re.findall(
        r'x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)"[^>]*dash', drawing
    )
    (x, y), _, (above, over) = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawing)
    slope = (float(y2) - float(y1)) / (float(x2) - float(x1))
    assert abs(float(y1) + slope * (float(x) - float(x1)) - float(y)) < 1
    assert float(over) < float(y1) + slope * (float(above) - float(x1)) - 20  # a convolution works more


@pytest.mark.parametrize("name", ["c_in", "c_out", "kernel_size", "stride", "side", "bits"])
@pytest.mark.parametrize("bad", ["8", None, math.nan, 0, -1, 2.5, True, [3]])
def test_bad_input_is_one_sentence(name, bad):
    good = {"c_in": 8, "c_out": 8, "kernel_size": 3, "stride": 1, "side": 8, "bits": 8}
    with pytest.raises((ValueError, TypeError), match=name) as caught:
        canvases.convolution(**good | {name: bad})
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


@pytest.mark.parametrize("bad", ["8", None, math.nan, 2.5, True, [3]])
def test_a_position_that_is_no_whole_number_is_one_sentence(bad):
    with pytest.raises(TypeError, match="position must be a whole number"):
        canvases.convolution(8, 8, 3, 1, 8, 8, position=bad)


@pytest.mark.parametrize("bad", ["grouped", None, 3, ["standard"]])
def test_another_kind_is_one_sentence(bad):
    with pytest.raises(ValueError, match="kind must be one of standard, depthwise, separable, got"):
        canvases.convolution(8, 8, 3, 1, 8, 8, kind=bad)


def test_odd_widths_and_empty_scatters_are_refused():
    with pytest.raises(ValueError, match="bits must be one of 32, 16, 8, 4, got 7"):
        canvases.convolution(8, 8, 3, 1, 8, 7)
    with pytest.raises(ValueError, match="at least one layer"):
        canvases.macs_against_weights({})
