"""Optimisers: steps worked by hand, closed forms, equality over seeds, and every array updated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.formats.qformat import QFormat
from tinylib.nets.arithmetic import FLOAT, Fixed
from tinylib.nets.optimizers import SGD, Adam, RMSprop, named

Q16, Q8 = Fixed(QFormat(16, 16)), Fixed(QFormat(8, 8))
ALL = [SGD(0.1, momentum=0.5, acceleration=0.25), RMSprop(0.1), Adam(0.1, beta2=0.99)]


def steps(optimizer, grads, start=0.0, ops=FLOAT):
    """The weight after each gradient; one weight and one bias that see the same."""
    arrays = [{"w": ops.number([[start]]), "b": ops.number([start])}]
    state, seen = optimizer.start(arrays), []
    for g in grads:
        grad = [{"w": ops.number([[g]]), "b": ops.number([g])}]
        arrays, state = optimizer.step(arrays, grad, state, ops)
        assert optimizer.l2 or arrays[0]["w"].item() == arrays[0]["b"].item()
        seen.append(float(ops.values(arrays[0]["w"]).item()))
    return seen


@pytest.mark.parametrize("optimizer", ALL, ids=lambda o: type(o).__name__)
def test_formats_of_python_integers_step_as_floats_do(optimizer):
    grads = [1.0, -0.5, 2.0]
    np.testing.assert_allclose(
        steps(optimizer, grads, ops=Fixed(QFormat(24, 40))), steps(optimizer, grads), atol=1e-6
    )


def test_momentum_and_acceleration_by_hand():
    # v1 = 0.25*1; v2 = 0.25*1 + 0.5*v1; v3 = 0.25*1 + 0.5*v2 + 0.25*v1
    v1, v2 = 0.25, 0.375
    v3 = 0.25 + 0.5 * v2 + 0.25 * v1
    found = steps(SGD(0.25, momentum=0.5, acceleration=0.25), [1, 1, 1])
    np.testing.assert_allclose(found, [v1, v1 + v2, v1 + v2 + v3])
    assert steps(SGD(0.25, momentum=0.5, acceleration=0.25), [1, 1, 1], ops=Q16) == found  # all are codes


def test_momentum_ends_at_rate_over_one_minus_momentum():  # a geometric series
    found = steps(SGD(0.1, momentum=0.9), [1.0] * 400)
    np.testing.assert_allclose(found[-1] - found[-2], 0.1 / (1 - 0.9), rtol=1e-9)


@pytest.mark.parametrize("optimizer", [Adam(0.1), RMSprop(0.1, rho=0.0)])
@pytest.mark.parametrize("g", [3.0, -0.002])
def test_the_first_step_has_the_size_of_the_learning_rate(optimizer, g):  # g / sqrt(g^2), bias-corrected
    np.testing.assert_allclose(steps(optimizer, [g]), [0.1 * np.sign(g)], rtol=1e-5)


def test_adam_is_algorithm_1():  # Kingma & Ba 2015, written out
    grads = np.random.default_rng(0).normal(size=20)
    m = s = w = 0.0
    for t, g in enumerate(grads, 1):
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
        w += 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(steps(Adam(0.01), grads)[-1], w, rtol=1e-9)


def test_rmsprop_is_its_recurrence():
    grads = np.random.default_rng(1).normal(size=20)
    s = w = 0.0
    for g in grads:
        s = 0.9 * s + 0.1 * g * g
        w += 0.01 * g / (np.sqrt(s) + 1e-8)
    np.testing.assert_allclose(steps(RMSprop(0.01), grads)[-1], w, rtol=1e-9)


@pytest.mark.parametrize("optimizer", ALL)
def test_fixed_point_follows_floating_point(optimizer):
    grads = np.random.default_rng(2).normal(size=30)
    np.testing.assert_allclose(steps(optimizer, grads, ops=Q16), steps(optimizer, grads), atol=0.03)


@pytest.mark.parametrize("optimizer", ALL)
@pytest.mark.parametrize("ops", [Q16, Q8])
def test_a_gradient_too_small_to_square_moves_no_weight_far(optimizer, ops):  # eps bounds the quotient
    g = 2.0 ** -(ops.q.frac_bits // 2 + 1)  # its square has no code
    assert abs(steps(optimizer, [g] * 5, ops=ops)[-1]) <= 5 * 0.1 * 2.5


def test_decay_takes_effect_after_its_steps():
    found = np.diff([0.0, *steps(SGD(0.5, decay=0.5, decay_every=2), [1] * 5)])
    np.testing.assert_allclose(found, [0.5, 0.5, 0.25, 0.25, 0.125])


def test_clipping_is_symmetric_and_in_both_arithmetics():
    for ops in (FLOAT, Q16):
        assert steps(SGD(1.0, clip=0.25), [5.0], ops=ops) == [0.25]
        assert steps(SGD(1.0, clip=0.25), [-5.0], ops=ops) == [-0.25]
        assert steps(SGD(1.0, clip=0.25), [0.125], ops=ops) == [0.125]


def test_clip_norm_is_over_all_arrays_and_for_each_network():  # 3-4-12 has norm 13, the second network stays
    arrays = [{"w": np.zeros((2, 1, 2)), "b": np.zeros((2, 1))}]
    grads = [{"w": np.array([[[3.0, 4.0]], [[0.1, 0.1]]]), "b": np.array([[12.0], [0.1]])}]
    optimizer = SGD(1.0, clip_norm=1.0)
    found, _ = optimizer.step(arrays, grads, optimizer.start(arrays), lead=1)
    np.testing.assert_allclose(found[0]["w"], [[[3 / 13, 4 / 13]], [[0.1, 0.1]]])
    np.testing.assert_allclose(found[0]["b"], [[12 / 13], [0.1]])


def test_l2_shrinks_weights_and_leaves_biases():
    arrays = [
        {"w": np.array([[2.0]]), "b": np.array([2.0]), "b_in": np.array([2.0]), "base": np.array([2.0])}
    ]
    zero = [{name: np.zeros_like(a) for name, a in arrays[0].items()}]
    optimizer = SGD(0.5, l2=0.1)
    found = optimizer.step(arrays, zero, optimizer.start(arrays))[0][0]
    assert {name: a.item() for name, a in found.items()} == {"w": 1.9, "b": 2.0, "b_in": 2.0, "base": 1.9}


@pytest.mark.parametrize("ops", [FLOAT, Q16])
@pytest.mark.parametrize("optimizer", ALL)
def test_many_networks_step_as_one(optimizer, ops):
    rng = np.random.default_rng(5)
    arrays = [{"w": ops.number(rng.normal(size=(4, 3, 2))), "b": ops.number(rng.normal(size=(4, 2)))}]
    state, alone = optimizer.start(arrays), {}
    for s in range(4):
        alone[s] = ([{k: a[s] for k, a in arrays[0].items()}], None)
        alone[s] = (alone[s][0], optimizer.start(alone[s][0]))
    for _ in range(3):
        grads = [{k: ops.number(rng.normal(size=a.shape)) for k, a in arrays[0].items()}]
        arrays, state = optimizer.step(arrays, grads, state, ops, 1)
        for s in range(4):
            one = [{k: g[s] for k, g in grads[0].items()}]
            alone[s] = optimizer.step(alone[s][0], one, alone[s][1], ops)
            for k in ("w", "b"):
                np.testing.assert_array_equal(arrays[0][k][s], alone[s][0][0][k])


@given(rate=st.floats(1e-3, 0.5), g=st.floats(-5, 5).filter(lambda g: g == 0 or abs(g) > 1e-9))
def test_plain_descent_adds_rate_times_gradient(rate, g):
    np.testing.assert_allclose(steps(SGD(rate), [g, g]), [rate * g, 2 * rate * g])


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: SGD(0.0), "learning_rate must be positive, got 0.0"),
        (lambda: SGD(0.1, momentum=1.0), "momentum must lie in 0..1, 1 excluded, got 1.0"),
        (lambda: SGD(0.1, clip=-1), "clip must not be negative, got -1"),
        (lambda: Adam(beta2=-0.1), "beta2 must lie in 0..1, 1 excluded, got -0.1"),
        (lambda: named("lion"), "optimizer must be an Optimizer or one of sgd, rmsprop, adam, got 'lion'"),
        (
            lambda: steps(Adam(0.1), [1], ops=Q8),
            "beta2 must stay below 1: in Q8.8 it is rounded to 1, got 0.999",
        ),
        (lambda: steps(SGD(1e-4), [1], ops=Q8), "learning_rate must not round to 0 in Q8.8, got 0.0001"),
        (lambda: steps(SGD(0.1, l2=1e-3), [1], ops=Q8), "learning_rate \\* l2 must not round to 0 in Q8.8"),
        (
            lambda: steps(SGD(0.1, clip_norm=1), [1], ops=Q8),
            "clip_norm needs floating point: take clip in Q8.8, got 1",
        ),
    ],
)
def test_impossible_settings_are_refused_with_a_reason(make, words):
    with pytest.raises(ValueError, match=words):
        make()
