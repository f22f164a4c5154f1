"""Motor vibration: kinematics by hand, what each fault adds to the spectrum, and how hard the data are."""

import numpy as np
import pytest

from tests.datasets.logistic import accuracy
from tinylib.datasets import Examples, motors, spectra, three_axis, vibration, vibration_three_axis
from tinylib.practice import BANK

SIZES = (24, 0, 12)


def features(x: np.ndarray) -> np.ndarray:
    return spectra.features(x, bands=16)


def test_bearing_frequencies_worked_by_hand():  # 6205-like: n 9, d 7.94 mm, D 39.04 mm, 29.95 Hz
    q, f = 7.94 / 39.04, 29.95
    assert motors.outer_race_hz(9, q, f) == pytest.approx(107.36, abs=0.005)
    assert motors.inner_race_hz(9, q, f) == pytest.approx(162.19, abs=0.005)
    assert motors.ball_spin_hz(q, f) == pytest.approx(70.58, abs=0.005)
    assert motors.outer_race_hz(8, 0.18875, 25) == 81.125 and motors.inner_race_hz(8, 0.18875, 25) == 118.875


@pytest.mark.parametrize(
    "n, d, D, fr", [(9, 7.94, 39.04, 29.95), (7, 5.5, 31.0, 12.3), (12, 8.0, 52.5, 48.0)]
)
def test_exercises_and_generator_agree(n, d, D, fr):
    answer = lambda id: BANK[id].answer(n=n, d=d, D=D, fr=fr)  # noqa: E731
    assert motors.outer_race_hz(n, d / D, fr) == pytest.approx(answer("vib.bpfo"), rel=1e-12)
    assert motors.inner_race_hz(n, d / D, fr) == pytest.approx(answer("vib.bpfi"), rel=1e-12)
    assert motors.ball_spin_hz(d / D, fr) == pytest.approx(answer("vib.bsf"), rel=1e-12)
    assert n * motors.cage_hz(d / D, fr) == pytest.approx(answer("vib.bpfo"), rel=1e-12)


def test_ringing_is_the_sum_of_decaying_sines():
    """The convolution against the formula of one impact after the other, between and before the samples."""
    rows, at, strength = np.array([0, 0, 1]), np.array([0.01003, -0.0123, 0.05]), np.array([1.0, -0.5, 0.3])
    z, w = 0.03, 2 * np.pi * 1800
    want, t = np.zeros((2, motors.TIME)), np.arange(motors.TIME) / motors.RATE_HZ
    for row, start, a in zip(rows, at, strength):
        s = np.maximum(t - start, 0)
        want[row] += a * np.exp(-z * w * s) * np.sin(w * np.sqrt(1 - z**2) * s)
    np.testing.assert_allclose(motors._ringing(2, rows, at, strength, 1800, z), want, atol=1e-12)


def test_impacts_come_at_the_fault_frequency():
    at, strength = motors._impacts(np.random.default_rng(0), 9, 0.2, np.full(300, 30.0), np.ones(300))
    rates = 1 / np.diff(at, axis=1).mean(axis=1)
    q = 0.2
    wanted = [motors.outer_race_hz(9, q, 30), motors.inner_race_hz(9, q, 30), 2 * motors.ball_spin_hz(q, 30)]
    nearest = np.abs(rates[:, None] / wanted - 1)
    assert nearest.min(axis=1).max() < 0.01 and set(nearest.argmin(axis=1)) == {0, 1, 2}
    assert strength.mean() == pytest.approx(1, abs=0.02)
    assert (at[:, 0] > -motors.BEFORE / motors.RATE_HZ - 1 / 100).all()
    assert (at[:, -1] > motors.TIME / motors.RATE_HZ).all(), "the impacts last to the end of the window"


def test_each_fault_raises_what_its_physics_says():
    """Mean power of the classes in three bands: all orders lie below 180 Hz, the resonances above 1 kHz."""
    data = motors.windows(severity=1.0, machines=24, per_class=10, seed=3)
    power = spectra.power(data.x[..., 0])
    hz = np.arange(len(power)) * motors.RATE_HZ / motors.TIME
    mean = lambda band, label: power[np.ix_(band, data.y == label)].mean()  # noqa: E731
    low, high = (hz > 10) & (hz < 180), hz > 1000
    healthy, imbalance, misaligned, bearing = ((mean(low, k), mean(high, k)) for k in range(4))
    assert imbalance[0] > 3 * healthy[0] and misaligned[0] > 2 * healthy[0] and bearing[0] < 1.5 * healthy[0]
    assert bearing[1] > 2 * max(healthy[1], imbalance[1], misaligned[1])


def test_split_keeps_machines_apart_and_windows_complete():
    data = vibration(machines=(5, 2, 3), per_class=4, seed=1)
    parts = (data.train, data.validation, data.test)
    assert [p.x.shape for p in parts] == [(1024, 80, 1), (1024, 32, 1), (1024, 48, 1)]
    groups = [set(p.groups.tolist()) for p in parts]
    assert groups == [set(range(5)), {5, 6}, {7, 8, 9}]
    for part in parts:
        pairs, numbers = np.unique(np.stack([part.groups, part.y]), axis=1, return_counts=True)
        assert (numbers == 4).all() and pairs.shape[1] == 4 * len(set(part.groups))
        assert part.units == "g" and part.source and part.licence


def test_a_machine_is_its_seed_and_number():
    few, many = (
        motors.windows(machines=2, per_class=3, seed=4),
        motors.windows(machines=5, per_class=3, seed=4),
    )
    np.testing.assert_array_equal(few.x, many.x[:, :24])
    assert not np.array_equal(few.x, motors.windows(machines=2, per_class=3, seed=5).x)
    np.testing.assert_allclose(few.x[:4, 0, 0], FROZEN, atol=motors.RANGE_G / 2**15)


FROZEN = [0.045166015625, -0.010009765625, 0.10693359375, 0.107421875]  # g, of machine 0 of seed 4


def test_sensor_clips_and_rounds():
    x = motors.windows(severity=2.0, machines=6, per_class=5).x
    codes = x / motors.RANGE_G * 2**15
    np.testing.assert_array_equal(codes, np.round(codes))
    assert np.abs(x).max() <= motors.RANGE_G


def test_difficulty_rises_as_faults_become_incipient():
    """24 machines to learn, 12 unseen: a prototype had 0.72, 0.85, 0.91; rms and kurtosis less."""
    scores = {}
    for severity in (0.4, 0.7, 1.0):
        data = vibration(severity, SIZES, seed=0)
        scores[severity] = accuracy(data.train, data.test, features)
    assert scores[0.4] < scores[0.7] - 0.05 and scores[0.7] < scores[1.0]
    assert 0.62 < scores[0.4] < 0.82 and 0.78 < scores[0.7] < 0.93 and 0.84 < scores[1.0] < 0.97
    shape = lambda x: np.log(np.stack([spectra.rms(x), spectra.kurtosis(x)], axis=-1)[:, 0])  # noqa: E731
    assert 0.55 < accuracy(data.train, data.test, shape) < scores[1.0] - 0.05


def test_a_split_by_window_flatters():
    """The same machines on both sides: their speed and noise are known, which no new machine's are."""
    gains = []
    for seed in range(2):
        whole = motors.windows(0.4, 18, 20, seed)
        leaky, honest = whole.split(960, 0, seed), whole.split_groups(12, 0, seed)
        gains.append(accuracy(*_ends(leaky), features) - accuracy(*_ends(honest), features))
        assert not set(honest.train.groups) & set(honest.test.groups)
        assert set(leaky.train.groups) & set(leaky.test.groups)
    assert np.mean(gains) > 0.01


def _ends(split) -> tuple[Examples, Examples]:
    return split.train, split.test


def test_three_axes_are_as_hard_as_they_were_for_the_comparison():
    """21 features and a logistic layer: 94.8 percent there, with 4,000 windows; fewer bands tell less."""
    data = vibration_three_axis((2000, 4, 1500), seed=0)
    assert data.train.x.shape == (256, 2000, 3) and np.bincount(data.train.y).tolist() == [500] * 4
    assert three_axis.orders(data.test.x).shape == (1500, 21)
    score = accuracy(data.train, data.test, three_axis.orders)
    assert 0.92 < score < 0.97
    assert 0.6 < accuracy(data.train, data.test, lambda x: np.log(spectra.rms(x))) < score - 0.05
    again = vibration_three_axis((8, 4, 4), seed=0), vibration_three_axis((8, 4, 4), seed=1)
    np.testing.assert_array_equal(vibration_three_axis((8, 4, 4)).test.x, again[0].test.x)
    assert not np.array_equal(again[0].train.x, again[1].train.x)


def test_imbalance_turns_and_misalignment_shakes_the_axis():
    data = vibration_three_axis((2000, 4, 4), seed=2).train
    turns = spectra.power(data.x)  # bins of 12.5 Hz: the shaft's 20 to 30 Hz lie in bins 1 to 3
    first, axial = turns[1:4, :, :2].mean(axis=(0, 2)), turns[3:9, :, 2].mean(axis=0)
    assert first[data.y == 1].mean() > 5 * first[data.y == 0].mean()
    assert axial[data.y == 2].mean() > 3 * axial[data.y != 2].mean()
    ring = turns[72:90].mean(axis=(0, 2))  # about 1 kHz
    assert ring[data.y == 3].mean() > 2 * ring[data.y != 3].mean()


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda: vibration(severity=-0.1), "severity must lie in 0 .. 2"),
        (lambda: vibration(machines=(3, 4)), "must be three counts"),
        (lambda: vibration(machines=(3, 0, 0)), "machines must lie between 1"),
        (lambda: vibration_three_axis(3000), "sizes must be three counts"),
        (lambda: three_axis.orders(np.zeros((256, 5, 1))), "256 samples on 3 axes"),
        (lambda: motors.windows(machines=2, per_class=1).split_groups(2, 0), "there are 2 groups"),
        (lambda: vibration_three_axis((4, 4, 4)).train.split_groups(1, 0), "groups must be known"),
        (
            lambda: Examples("", np.zeros((3, 2)), np.zeros(3, int), (), "", "", "", groups=np.zeros(2)),
            "one number per label",
        ),
    ],
)
def test_errors_give_a_reason(call, why):
    with pytest.raises(ValueError, match=why):
        call()
