"""A fair benchmark: counts of published rivals, intervals by hand, splits that leak, and what is on file."""

import math
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.compress import bands, fair, fair_file, rivals
from tinylib.compress.rivals import MACHINE_RIVALS, RIVALS, WINDOW
from tinylib.nets.arithmetic import FLOAT32


@pytest.mark.parametrize(
    "name, params, macs, bent",
    [  # the published table: cells that read one sample, or frames of 4, 8 and 16
        ("spectrum", 88, None, None),
        ("CfC, each sample", 2316, 552_512, 18_944),
        ("CfC, 64 frames", 2178, 129_600, None),
        ("CfC, 32 frames", 1921, 57_208, None),
        ("CfC, 16 frames", 1844, 27_696, None),
        ("LTC, each sample", 2380, 3_007_664, 67_584),
        ("LTC, 16 frames", 2110, 84_968, None),
    ],
)
def test_counts_are_those_of_the_published_comparison(name, params, macs, bent):
    cost = RIVALS[name].cost(WINDOW)
    assert cost.params == params
    assert macs is None or cost.macs == macs
    assert bent is None or cost.bent == bent


def test_a_weight_of_a_cell_works_once_a_step():  # 26 x (3 + 5 x 16) weights, and 4 x 16 of the dense layer
    assert RIVALS["CfC, each sample"].cost(WINDOW).macs == 256 * 26 * (3 + 80) + 64


@pytest.mark.parametrize("name, about", [("CNN 42k", 42_000), ("CNN 2.7k", 2_700), ("CNN 0.7k", 700)])
def test_convolutions_have_the_size_they_are_named_by(name, about):
    assert RIVALS[name].cost(WINDOW).params == pytest.approx(about, rel=0.05)


def test_real_transform_by_hand():  # 128 complex points: 448 butterflies of 4, and 128 products of 4
    assert rivals.fft_macs(256) == 4 * 448 + 4 * 128 == 2304


@pytest.mark.parametrize("table, window", [(RIVALS, WINDOW), (MACHINE_RIVALS, (1024, 1))])
def test_every_rival_answers_and_its_counts_are_its_arrays(table, window):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(window[0], 5, window[1]))
    for rival in table.values():
        net, (view,) = rival.draw(rng, window), fair.scaled([rival.view(x)])
        assert net.forward(view, FLOAT32)[0].shape == (5, 4)
        assert net.count == rival.cost(window).params
        assert fair.named(net, view, piece=2).tolist() == fair.named(net, view).tolist()


def test_frames_keep_the_order_of_samples():
    x = np.arange(8 * 2 * 3).reshape(8, 2, 3)
    view = rivals.Liquid("CfC", 4, 2, 2).view(x)
    assert view.shape == (2, 2, 12)
    assert view[1, 0].tolist() == x[4:8, 0].ravel().tolist()


def test_mean_over_steps_flows_back_evenly():
    x = np.random.default_rng(0).normal(size=(5, 3, 2))
    y, tape = rivals.StepMean().forward(x)
    np.testing.assert_allclose(y, x.mean(axis=0))
    delta = np.ones((3, 2))
    back, grads = rivals.StepMean().back(tape, delta)
    assert back.shape == x.shape and not grads
    assert np.sum(back * x) == pytest.approx(np.sum(delta * y))  # <J^T d, x> = <d, J x>


def test_interval_by_hand():  # 1, 2, 3: mean 2, spread 1, t = 4.303
    mean, low, high = fair.interval([1, 2, 3])
    assert mean == 2 and high - mean == pytest.approx(4.303 / math.sqrt(3)) == mean - low


def test_interval_holds_the_mean_nineteen_times_in_twenty():
    rng = np.random.default_rng(1)
    held = [low <= 0 <= high for _, low, high in (fair.interval(rng.normal(size=5)) for _ in range(2000))]
    assert fmean(held) == pytest.approx(0.95, abs=0.015)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=10), st.floats(-0.1, 0.1))
def test_what_is_hard_for_both_drops_out_of_a_gain(values, gap):
    mean, low, high = fair.gain([v + gap for v in values], values)
    assert mean == pytest.approx(gap, abs=1e-9) and high - low < 1e-9


def test_a_short_training_beats_guessing_and_repeats():
    first = fair.run("spectrum", seed=3, epochs=2)
    assert first.accuracy > 0.7 and first == fair.run("spectrum", seed=3, epochs=2)
    assert sum(map(sum, first.confusion)) == 3000 and first.epochs in (1, 2)


def test_machines_are_parted_or_leak():
    whole = fair._machines(0.7, 0)
    honest, leaky = fair.parts(whole, "machine", 0), fair.parts(whole, "window", 0)
    assert not set(honest.train.groups) & set(honest.test.groups)
    assert set(leaky.train.groups) & set(leaky.test.groups)
    assert len(honest.train) == len(leaky.train) and len(honest.test) == len(leaky.test)


def test_what_is_on_file_was_found_by_the_same_code():
    """The cheapest rival again, and whether every other row has its five seeds and all its windows."""
    found = fair_file.cached()
    again = fair.run("spectrum", seed=fair_file.SEEDS["three_axis"][0])
    assert again.accuracy == pytest.approx(found.accuracies("spectrum")[0], abs=0.003)
    assert list(found.runs) == list(RIVALS)
    plans = fair_file._plans("machines")
    assert list(found.machines) == [(p["severity"], p["split"], p["rival"]) for p in plans]
    assert {n for s, _, n in found.machines if s == fair_file.ALL_AT} == set(MACHINE_RIVALS)
    for runs in found.runs.values():
        assert [r.seed for r in runs] == list(fair_file.SEEDS["three_axis"])
        assert all([sum(row) for row in r.confusion] == [750] * 4 for r in runs)
    for runs in found.machines.values():
        assert all(sum(map(sum, r.confusion)) == 1200 for r in runs)


def test_the_published_ordering_on_file():
    """Which of it these runs show: frames cost accuracy, cells cost work, and the baseline is strong."""
    found = fair_file.cached()
    mean = {name: fmean(found.accuracies(name)) for name in found.runs}
    cost = {name: RIVALS[name].cost(WINDOW).macs for name in found.runs}
    assert mean["CfC, 64 frames"] > mean["CfC, 32 frames"] > mean["CfC, 16 frames"] > mean["LTC, 16 frames"]
    assert min(mean, key=mean.get) == "LTC, each sample"
    for name in ("CfC, 16 frames", "CfC, 32 frames", "LTC, 16 frames", "LTC, each sample"):
        assert mean["CNN 0.7k"] > mean[name] and cost["CNN 0.7k"] < cost[name]
    assert fair.gain(found.accuracies("CNN 2.7k"), found.accuracies("CfC, 64 frames"))[1] > 0
    assert cost["CNN 2.7k"] < cost["CfC, 64 frames"]
    assert mean["spectrum"] > mean["CfC, 16 frames"]


def test_a_split_by_window_flatters_on_file():
    found = fair_file.cached()
    for name in MACHINE_RIVALS:
        pairs = (found.machine_accuracies(0.7, split, name) for split in ("window", "machine"))
        assert fair.gain(*pairs)[0] > 0.01


def test_chosen_bands_hold_on_machines_never_heard():
    """Bands that know shaft, hum and resonance against as many of equal width."""
    assert bands.accuracy([12, 55, 120, 1100, 4000], seed=1) > bands.accuracy(bands.even(4), seed=1) + 0.05
    said = bands.seen([12, 55, 120, 1100, 4000], 4, 0.7)
    assert said.startswith("4 bands name ") and "equal width" in said


def test_a_band_is_the_mean_power_of_its_bins():
    x = np.random.default_rng(0).normal(size=(1024, 3, 1))
    power = np.abs(np.fft.rfft((x - x.mean(0)) * (1 - np.cos(2 * np.pi * (np.arange(1024) + 0.5) / 1024))
                               .reshape(-1, 1, 1), axis=0)) ** 2  # fmt: skip
    found = bands.features(x, [78.125, 156.25, 4000])  # bins 10 to 19, 20 to 511
    shift = found[:, 0] - np.log10(power[10:20, :, 0].mean(axis=0))
    np.testing.assert_allclose(found[:, 1] - np.log10(power[20:512, :, 0].mean(axis=0)), shift)


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda: fair.run("CNN"), "name must be one of spectrum, CNN 42k"),
        (lambda: fair.run_machines("LTC"), "name must be one of spectrum, CNN 2.7k"),
        (lambda: fair.run_machines("spectrum", split="time"), "split must be machine or window"),
        (lambda: fair.interval([0.9]), "an interval needs 2 to 10 values"),
        (lambda: fair.gain([1, 2], [1]), "must have run with the same seeds, got 2 and 1"),
        (lambda: rivals.Liquid("GRU", 1, 4), "cell must be CfC or LTC"),
        (lambda: rivals.Liquid("CfC", 3, 4, 4).steps(WINDOW), "frame must divide the window of 256"),
        (lambda: rivals.fft_macs(100), "must be a power of two, got 100"),
        (lambda: bands.limits_of([1, 2]), "limits_hz must be a list of 3 to 17 numbers"),
        (lambda: bands.limits_of([0, 100, 50]), "limits_hz must rise by a bin"),
        (lambda: bands.limits_of([0, 100, 5000]), "must lie within 0 .. 4000 Hz"),
        (lambda: bands.checked([0, 100, 200, 300], 2), "at most 2 bands, got 3"),
    ],
)
def test_errors_give_a_reason(call, why):
    with pytest.raises(ValueError, match=why):
        call()
