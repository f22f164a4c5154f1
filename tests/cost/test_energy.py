"""Energy: published tables, a layer worked by hand, limits of a battery, refused arguments."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import Conv2D, Dense, MaxPool2D, energy

STEM = Conv2D(3, 64, kernel_size=7, stride=2, padding=3, bias=False)  # first layer of ResNet-50
IMAGE = (224, 224, 3)
positive = st.floats(1e-6, 1e6)


@pytest.mark.parametrize(
    "id, pj",
    [
        ("int8_add", 0.03),
        ("int8_mult", 0.2),
        ("int32_mult", 3.1),
        ("float16_mult", 1.1),
        ("float32_mult", 3.7),
        ("sram_1mb_64bit", 100),
        ("dram_64bit_low", 1300),
        ("register", 1),
        ("dram", 640),
    ],
)
def test_rows_hold_the_published_figures(id, pj):  # Horowitz, ISSCC 2014; Han et al. 2015, table 1
    assert energy.pj(id) == pj


def test_the_two_tables_agree_where_they_overlap():
    horowitz, han = energy.table("horowitz"), energy.table("han")
    assert len(horowitz.keys() & han.keys()) == 5
    assert all(horowitz[id].pj == han[id].pj for id in horowitz.keys() & han.keys())


@pytest.mark.parametrize("name", energy.TABLES)
def test_every_row_says_where_it_is_from(name):
    assert all(row.source and row.pj > 0 and row.id == id for id, row in energy.table(name).items())


def test_words_of_sram_cost_half_of_the_double_word():
    for size in ("8kb", "32kb", "1mb"):
        assert energy.pj(f"sram_{size}") == energy.pj(f"sram_{size}_64bit") / 2


def test_the_ladder_rises_and_is_not_the_printed_one():
    assert [row.pj for row in energy.ladder()] == [1, 5, 10, 50, 640]
    printed = {row.id: row.pj for row in energy.ladder_as_printed()}
    assert printed == {
        "register": 0.1,
        "l1": 0.5,
        "l2": 2,
        "on_chip_sram": 5,
        "dram": 640,
        "multiply_fp32": 3.7,
    }
    assert energy.pj("dram") / energy.pj("register") == 640  # 6,400 with the printed register


@pytest.mark.parametrize(
    "format, accumulator, pj",
    [
        ("fp32", None, 4.6),
        ("fp16", None, 1.5),
        ("fp16", "float32", 2.0),
        ("int8", None, 0.3),
        ("int8", "int8", 0.23),
        ("int32", None, 3.2),
    ],
)
def test_a_mac_is_a_multiply_and_an_add(format, accumulator, pj):  # 3.7 + 0.9, 1.1 + 0.4, 0.2 + 0.1, ...
    assert energy.mac_pj(format, accumulator) == pj


def test_first_layer_of_resnet50():  # 9,408 weights, 118,013,952 MACs, 12,544 positions
    once = energy.layer_energy(STEM, IMAGE)
    assert once.weights_pj == 9408 * 640 == 6_021_120
    assert once.compute_pj == pytest.approx(118_013_952 * 4.6)
    assert once.total_pj == once.compute_pj + once.weights_pj
    again = energy.layer_energy(STEM, IMAGE, cached=False)
    assert again.weights_pj / 1e9 == pytest.approx(75.52892928)
    assert energy.spent_uj(118_013_952, 3.7) == pytest.approx(436.6516224)


def test_parts_of_a_layer_are_named_in_microjoules():
    spent = energy.layer_energy(STEM, IMAGE)
    assert spent.parts_uj == pytest.approx({"arithmetic": 542.86, "reading weights": 6.02112}, rel=1e-4)


def test_four_int8_weights_share_a_word():
    small = energy.layer_energy(STEM, IMAGE, format="int8", memory="sram_8kb")
    assert small.weights_pj == 9408 / 4 * 5
    assert energy.weight_reads(Dense(5, 1, bias=False), (5,), bits=8) == 2
    assert energy.weight_reads(Dense(5, 1, bias=False), (5,), bits=12) == 3  # two whole values a word


def test_a_layer_without_weights_costs_no_weight_reads():
    assert energy.layer_energy(MaxPool2D(2), (4, 4, 1)).total_pj == 0


def test_a_recurring_reading_is_the_reuse():  # a cached weight serves every output position
    reads = energy.weight_reads(STEM, IMAGE, cached=False) / energy.weight_reads(STEM, IMAGE)
    assert reads == 112 * 112


def test_a_coin_cell_with_a_sleep_floor():  # 225 mAh x 3 V = 2430 J; 0.84 mJ in 10 s + 6 uW = 90 uW
    assert energy.battery_j(225, 3.0) == pytest.approx(2430)
    assert energy.battery_days(225, 3.0, 0.84e-3, 10, 6e-6) == pytest.approx(312.5)
    assert energy.energy_per_inference_j(0.1, 8.4e-3) == pytest.approx(0.84e-3)


def test_thirty_times_less_energy_is_not_thirty_times_the_life():
    long, short = (energy.battery_days(225, 3, e, 10, 6e-6) for e in (28e-6, 840e-6))
    assert long / short == pytest.approx(90 / 8.8)


@given(positive, positive, st.floats(0, 10))
def test_the_floor_bounds_the_life(energy_j, every_s, sleep_w):
    power = energy.average_power_w(energy_j, every_s, sleep_w)
    assert power >= sleep_w
    assert math.isclose(power - sleep_w, energy_j / every_s, rel_tol=1e-6, abs_tol=1e-9 * power)
    days = energy.battery_days(225, 3, energy_j, every_s, sleep_w)
    assert math.isclose(days * 86400 * power, 2430, rel_tol=1e-9)


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from(sorted(energy.FORMATS)))
def test_caching_never_costs_more(n_in, n_out, format):
    layer = Dense(n_in, n_out)
    cached = energy.layer_energy(layer, (n_in,), format=format)
    assert cached.weights_pj <= energy.layer_energy(layer, (n_in,), format=format, cached=False).weights_pj


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: energy.pj("l1"), "operation must be one of .* got 'l1'"),
        (lambda: energy.table("mine"), "table must be one of horowitz, han, as_printed, got 'mine'"),
        (lambda: energy.mac_pj("int4"), "format must be one of fp32, fp16, int8, int32, got 'int4'"),
        (lambda: energy.mac_pj("int8", "int64"), "accumulator must be one of .* got 'int64'"),
        (lambda: energy.weight_reads(STEM, IMAGE, bits=64), "bits must be 32 or less"),
        (lambda: energy.average_power_w(1, 0), "every_s must be positive, got 0"),
        (lambda: energy.average_power_w(-1, 1), "energy_j must be zero or more, got -1"),
        (lambda: energy.battery_days(225, 3, 0, 1), "must not both be zero"),
    ],
)
def test_refusals_are_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_layers_must_be_layers():
    with pytest.raises(TypeError, match=r"layer must be one of tinylib\.cost\.layers, got 3"):
        energy.layer_energy(3, (1,))
