"""Data sets: the counts that the source states, seeds that hold, shapes and licences of every record."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinylib.datasets import Examples, digits, moons, spirals, two_tone
from tinylib.datasets.scans import all_digits

PER_DIGIT = [
    178,
    182,
    177,
    183,
    181,
    182,
    181,
    179,
    174,
    180,
]  # optdigits.names, class distribution of the test set


def test_digits_are_those_of_the_source():
    whole = all_digits()
    assert np.bincount(whole.y).tolist() == PER_DIGIT
    assert (len(whole), whole.x.shape, whole.images.shape) == (1797, (1797, 64), (1797, 8, 8, 1))
    first = [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]  # two rows of the first scan, a zero
    assert (16 * whole.x[0, :16]).tolist() == first and whole.y[0] == 0
    assert set(np.unique(16 * whole.x)) == set(range(17))


def test_split_parts_the_scans_without_overlap_and_stays_as_it_is():
    data = digits()
    parts = (data.train, data.validation, data.test)
    assert [len(p) for p in parts] == [1197, 300, 300]
    rows = np.concatenate([np.column_stack([p.x, p.y]) for p in parts])
    whole = np.column_stack([all_digits().x, all_digits().y])
    assert sorted(map(tuple, rows)) == sorted(map(tuple, whole))
    assert data.train.y[:10].tolist() == FROZEN
    assert all(np.bincount(p.y, minlength=10).min() >= 20 for p in parts)
    assert digits(seed=1).train.y[:10].tolist() != FROZEN


FROZEN = [6, 9, 8, 4, 1, 6, 4, 1, 2, 3]


def test_a_nearest_neighbour_reads_the_digits():  # the labels belong to the images
    data = digits()
    distance = ((data.test.x[:, None] - data.train.x[None]) ** 2).sum(-1)
    assert np.mean(data.train.y[distance.argmin(1)] == data.test.y) > 0.97


def test_moons_without_noise_are_two_half_circles():
    data = moons(100, noise=0)
    centre = np.stack([data.y, data.y / 2], axis=-1)
    np.testing.assert_allclose(np.linalg.norm(data.x - centre, axis=-1), 1)
    assert (data.x[data.y == 0, 1] >= -1e-12).all() and (data.x[data.y == 1, 1] <= 0.5 + 1e-12).all()


def test_spiral_arms_are_turned_copies():
    data = spirals(90, arms=3, noise=0)
    angle = 2 * np.pi / 3
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(data.x[0::3] @ turn, data.x[1::3], atol=1e-12)


def test_two_tones_differ_in_order_alone():
    data = two_tone(400, noise=0)
    half = data.x.shape[0] // 2
    crossings = lambda part: (np.diff(np.sign(part[..., 0]), axis=0) != 0).sum(0).mean()  # noqa: E731
    low_first, high_first = data.x[:, data.y == 0], data.x[:, data.y == 1]
    assert crossings(low_first[:half]) < crossings(low_first[half:]) - 2
    assert crossings(high_first[:half]) > crossings(high_first[half:]) + 2
    power = [np.mean(x**2) for x in (low_first, high_first)]
    assert power[0] == pytest.approx(power[1], rel=0.05)


@given(seed=st.integers(0, 99), make=st.sampled_from([moons, spirals, two_tone]))
@settings(max_examples=20, deadline=None)
def test_generators_are_their_seed(seed, make):
    a, b, other = make(seed=seed), make(seed=seed), make(seed=seed + 1)
    np.testing.assert_array_equal(a.x, b.x)
    assert not np.array_equal(a.x, other.x)
    assert a.targets.shape == (len(a), len(a.classes)) and (a.targets.argmax(1) == a.y).all()
    assert abs(np.bincount(a.y)[0] - len(a) / len(a.classes)) <= 1
    assert a.licence and a.source and a.units


def test_take_keeps_time_first():
    data = two_tone(10).take([3, 1])
    assert data.x.shape == (32, 2, 1) and data.y.tolist() == [1, 1]
    assert len(data.split(1, 0).test) == 1


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda: two_tone(time=31), "time must be even"),
        (lambda: two_tone(high=16.0), "stay below time / 2"),
        (lambda: moons(noise=-1), "noise must not be negative"),
        (lambda: moons().images, "two moons has none"),
        (lambda: moons(20).split(20, 0), "must leave a test set"),
        (lambda: Examples("", np.zeros((3, 2)), np.zeros(4, int), (), "", "", ""), "one row per label"),
    ],
)
def test_errors_give_a_reason(call, why):
    with pytest.raises(ValueError, match=why):
        call()
