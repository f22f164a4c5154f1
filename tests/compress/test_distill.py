"""Distillation: the scalar formulas, gradients against differences, limits of T, what a teacher is worth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinylib.compress import baseline, distill
from tinylib.cost.compression import distillation_loss, kl, softmax

logits = hnp.arrays(np.float64, (3, 4), elements=st.floats(-6, 6))


def test_softened_by_hand():  # errata 2-4 and 2-5: [4, 2, 1] at T = 1 and 4
    np.testing.assert_allclose(distill.softened([4, 2, 1])[0], 0.84379, atol=1e-5)
    np.testing.assert_allclose(distill.softened([4, 2, 1], 4)[0], 0.48102, atol=1e-5)


def test_entropy_runs_from_certain_to_even():
    assert distill.entropy(np.array([1.0, 0, 0])) == 0
    assert distill.entropy(distill.softened([4, 2, 1], 1e6)) == pytest.approx(math.log(3))
    flat = [distill.entropy(distill.softened([4, 2, 1], t)) for t in (0.5, 1, 2, 4, 8)]
    assert (np.diff(flat) > 0).all()


@given(logits, logits, st.floats(0.5, 10), st.floats(0, 1))
def test_loss_is_the_scalar_formula(z, v, t, a):
    label = np.eye(4)[[0, 3, 1]]
    value, _ = distill.Distillation(t, a)(z, distill.pack(label, v))
    for row, one, teacher, got in zip(z, label, v, value):
        hard = -math.log(softmax(row.tolist())[one.argmax()])
        soft = kl(softmax(teacher.tolist(), t), softmax(row.tolist(), t))
        assert got == pytest.approx(distillation_loss(hard, soft, t, a), rel=1e-7, abs=1e-9)


@given(logits, logits, st.floats(0.5, 10), st.floats(0, 1))
def test_gradient_is_the_slope_of_the_loss(z, v, t, a):
    label, loss, h = np.eye(4)[[0, 3, 1]], distill.Distillation(t, a), 1e-5
    found = distill.gradient(z, label, v, t, a)
    np.testing.assert_allclose(found.sum(axis=-1), 0, atol=1e-12)
    for k in range(4):
        moved = np.eye(4)[k] * h
        sides = [loss(z + s * moved, distill.pack(label, v))[0] for s in (-1, 1)]
        np.testing.assert_allclose(found[:, k], (sides[1] - sides[0]) / (2 * h), atol=1e-5)


def test_t_squared_keeps_the_gradient_in_the_limit_of_high_temperature():
    rng = np.random.default_rng(0)
    z, v = (x - x.mean(-1, keepdims=True) for x in rng.normal(size=(2, 5, 4)))  # centred, as the limit asks
    found = distill.gradient(z, np.eye(4)[[0, 1, 2, 3, 0]], v, temperature=1e4, weight=1.0)
    np.testing.assert_allclose(found, (z - v) / 4, atol=1e-4)  # Hinton et al., eq. 4


def test_a_student_of_its_own_logits_learns_nothing():
    z = np.random.default_rng(0).normal(size=(5, 4))
    assert abs(distill.gradient(z, np.eye(4)[[0] * 5], z, 3.0, weight=1.0)).max() < 1e-12


@pytest.fixture(scope="module")
def teacher(data):
    return baseline.mlp(data.train, (64,), epochs=30)


def test_a_teacher_who_saw_more_is_worth_points(teacher, data):  # 60 labelled digits, 10 students each
    few = data.train.take(slice(60))
    rows = distill.sweep_temperatures(teacher, few, data.test, (1, 4), epochs=100)
    alone, sharp, soft = rows
    assert (alone.temperature, alone.gain) == (None, 0.0) and alone.accuracies.shape == (10,)
    assert soft.low > 0  # the interval of the gain stays clear of zero
    assert soft.mean > max(alone.mean, sharp.mean) + 0.02


def test_seeds_are_trained_as_if_alone(teacher, data):
    few = data.train.take(slice(64))
    together = distill.students(teacher, few, seeds=3, epochs=2)
    again = distill.students(teacher, few, seeds=3, epochs=2)
    np.testing.assert_array_equal(baseline.logits(together, few), baseline.logits(again, few))
    assert together.seeds == (3,) and together.at(0).count == 64 * 8 + 8 + 8 * 10 + 10
    np.testing.assert_allclose(
        baseline.accuracy(together, few)[1], baseline.accuracy(together.at(1), few), atol=1e-12
    )


def test_interval_of_a_known_spread():
    values = np.random.default_rng(3).normal(size=400)
    low, high = distill.interval(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda: distill.softened([1, 2], 0), "temperature must be positive"),
        (lambda: distill.Distillation(-1), "temperature must be positive"),
        (lambda: distill.Distillation(2, 1.5), "weight must be a share"),
    ],
)
def test_errors_give_a_reason(call, why):
    with pytest.raises(ValueError, match=why):
        call()
