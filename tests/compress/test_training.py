"""Rounding that learns: straight-through training, second-order rounding, bits where they matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinylib.compress import baseline, gptq, mixed_precision, ptq, qat, quantize
from tinylib.nets.conv import Conv2D
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network

# Straight-through training


def test_straight_through_by_hand():  # 3 bits: codes -3..3; steps of 0.5
    part = Dense(np.array([[0.6, -2.0], [0.2, 0.9]]), np.zeros(2))
    wrapped = qat.StraightThrough(part, {"w": np.array([[0.5, 0.5]])}, bits=3)
    assert wrapped.rounded().w.tolist() == [[0.5, -1.5], [0.0, 1.0]]  # -2.0 is cut at -3 steps
    y, tape = wrapped.forward(np.array([[1.0, 1.0]]))
    assert y.tolist() == [[0.5, -0.5]]
    dx, grads = wrapped.back(tape, np.array([[1.0, 1.0]]))
    assert dx.tolist() == [[-1.0, 1.0]]  # through the rounded weights
    assert grads["w"].tolist() == [[1.0, 0.0], [1.0, 1.0]]  # nothing for the one that was cut
    slope = [(1 - 1.2) + (0 - 0.4), -3 + (2 - 1.8)]  # round(w/S) - w/S inside, -Q outside
    np.testing.assert_allclose(grads["b_step_w"], [np.array(slope) / np.sqrt(2 * 3)])


def test_wrapped_part_starts_as_ptq_leaves_it_and_counts_the_same(net, conv, data):
    for whole in (net, conv):
        wrapped = qat.fake_quantized(whole, data.train, 3)
        plain = ptq.ptq(whole, data.train, 3, None, method="mse").net
        np.testing.assert_allclose(
            baseline.logits(wrapped, data.test), baseline.logits(plain, data.test), atol=1e-9
        )
        assert wrapped.count == whole.count
        doubled = wrapped.mapped(lambda a: 2 * a)  # weights and steps: the codes stay
        for a, b in zip(qat.deployed(doubled).arrays, qat.deployed(wrapped).arrays):
            assert all(np.allclose(a[n], 2 * b[n]) for n in a)
        side = (8, 8, 1) if whole is conv else (64,)
        assert wrapped.model(side) == whole.model(side)


@pytest.mark.parametrize("bits, gain", [(2, 0.05), (3, 0.0)])
def test_training_beats_rounding_afterwards_at_few_bits(nets, data, bits, gain):
    after, longer, aware = [], [], []
    for seed, net in enumerate(nets):
        more = baseline.fit(net, data.train, 10, 0.003, seed=seed)  # the same steps without rounding
        after.append(baseline.accuracy(ptq.ptq(net, data.train, bits, None, method="mse").net, data.test))
        longer.append(baseline.accuracy(ptq.ptq(more, data.train, bits, None, method="mse").net, data.test))
        trained = qat.fit(net, data.train, bits, seed=seed)
        aware.append(baseline.accuracy(trained, data.test))
        deployed = qat.deployed(trained)
        assert all(isinstance(part, Dense) for part in deployed.parts)
        np.testing.assert_array_equal(
            baseline.logits(deployed, data.test), baseline.logits(trained, data.test)
        )
        assert max(len(np.unique(c)) for c in deployed.parts[0].w.T) <= 2**bits - 1
    assert np.mean(aware) > np.mean(after) + gain
    assert np.mean(aware) > np.mean(longer) + (gain if bits == 2 else -0.02)  # at 3 bits it is a draw
    assert np.mean(aware) > 0.92


def test_codes_of_a_trained_part_restore_its_weights(conv, data):
    trained = qat.fit(conv, data.train.take(slice(200)), 4, epochs=1)
    for part, plain in zip(trained.parts, qat.deployed(trained).parts):
        if isinstance(part, qat.StraightThrough):
            found = part.quantized()["w"]
            np.testing.assert_allclose(found.restored(), plain.w, atol=1e-12)
            assert abs(found.codes).max() <= 7 and isinstance(plain, (Dense, Conv2D))


def test_activations_learn_with_two_bits_too(net, data):
    rounded = baseline.accuracy(ptq.ptq(net, data.train, 2, 2, method="mse").net, data.test)
    trained = baseline.accuracy(qat.fit(net, data.train, 2, 2, epochs=5), data.test)
    assert trained > rounded + 0.05


def test_rounding_passes_gradients_inside_its_range():
    part = ptq.Rounded(quantize.calibrate(np.array([0.0, 1.0]), 8))
    x = np.array([[-0.5, 0.3, 0.999, 1.5]])
    y, tape = part.forward(x)
    assert y[0, 0] == 0 and y[0, 3] == pytest.approx(1) and abs(y - x)[0, 1:3].max() <= part.code.scale / 2
    assert part.back(tape, np.ones((1, 4)))[0].tolist() == [[0, 1, 1, 0]]


# Second-order rounding


def layer(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(6, 16))  # 16 inputs that come from 6 causes
    return rng.normal(size=(16, 8)), rng.normal(size=(n, 6)) @ mix + 0.1 * rng.normal(size=(n, 16))


@given(st.integers(0, 60), st.integers(2, 5))
@settings(max_examples=40, deadline=None)
def test_second_order_is_never_worse_than_nearest_on_its_data(seed, bits):
    w, x = layer(seed)
    nearest = quantize.weights(w, bits, "channel").restored()
    found = gptq.second_order(w, x, bits)
    assert gptq.output_error(w, found.restored(), x) < gptq.output_error(w, nearest, x)
    assert abs(found.codes).max() <= 2 ** (bits - 1) - 1


def test_second_order_helps_on_examples_it_has_not_seen(data):
    net, gains = baseline.mlp(data.train, (32, 32)), []
    seen, unseen = (ptq.activations(net, part.x) for part in (data.train, data.test))
    for part, x, fresh in zip(net.parts, seen, unseen):
        nearest = quantize.weights(part.w, 3, "channel").restored()
        found = gptq.second_order(part.w, x, 3).restored()
        gains.append(gptq.output_error(part.w, nearest, fresh) / gptq.output_error(part.w, found, fresh))
    assert min(gains) > 1.5


def test_inputs_without_correlation_are_rounded_to_the_nearest():
    w, x = layer(0)[0], np.eye(16) * np.arange(1, 17)
    for first in (True, False):
        found = gptq.second_order(w, x, 4, largest_first=first)
        np.testing.assert_array_equal(found.codes, quantize.weights(w, 4, "channel").codes)


def test_factor_is_that_of_the_damped_inverse():
    x = layer(3)[1]
    u = gptq.inverse_factor(x, 0.05)
    h = x.T @ x
    damped = h + 0.05 * np.mean(np.diag(h)) * np.eye(16)
    np.testing.assert_allclose(u.T @ u @ damped, np.eye(16), atol=1e-9)
    assert np.allclose(u, np.triu(u))


def test_two_inputs_by_hand():  # x1 = x2: what the first loses, the second takes over whole
    w, x = np.array([[0.4, 1.0], [1.0, 0.4]]), np.ones((5, 2))
    found = gptq.second_order(w, x, 2, damping=1e-9, largest_first=False)
    assert found.codes[:, 0].tolist() == [0, 1] and found.codes[:, 1].tolist() == [1, 0]
    w = np.array([[0.4], [0.4], [1.0]])
    assert gptq.second_order(w, np.ones((5, 3)), 2, 1e-9, largest_first=False).codes.ravel().tolist() == [
        0,
        1,
        1,
    ]
    assert quantize.weights(w, 2).codes.ravel().tolist() == [0, 0, 1]


# Mixed precision


@pytest.fixture(scope="module")
def tables(data):
    net = baseline.mlp(data.train, (32, 16))
    return net, mixed_precision.sensitivity(net, data.validation), mixed_precision.sizes(net)


def test_sizes_are_those_of_the_codes(tables):
    _, _, size = tables
    assert size[0, 4] == 64 * 32 // 2 + 32 * 4 and size[2, 2] == 16 * 10 // 4 + 10 * 4


@pytest.mark.parametrize("budget", [1000, 1200, 1400, 1700, 2200, 3000])
def test_greedy_lies_between_the_best_plan_and_even_bits(tables, budget):
    _, cost, size = tables
    found, best = (f(cost, size, budget) for f in (mixed_precision.greedy, mixed_precision.exhaustive))
    assert found.bytes <= budget and best.bytes <= budget
    even = [
        sum(cost[i, b] for i in (0, 1, 2))
        for b in mixed_precision.BITS
        if sum(size[i, b] for i in (0, 1, 2)) <= budget
    ]
    assert best.cost <= found.cost <= min(even, default=np.inf) + 0.02
    assert found.bytes == sum(size[p] for p in found.bits.items())


def test_mixed_bits_beat_even_bits_of_as_many_bytes(tables, data):
    net, cost, size = tables
    even = {i: 2 for i, b in cost if b == 2}
    room = sum(size[p] for p in even.items())
    plan = mixed_precision.exhaustive(cost, size, room + 200)
    scores = [baseline.accuracy(mixed_precision.at_bits(net, b), data.test) for b in (even, plan.bits)]
    assert len(set(plan.bits.values())) > 1 and scores[1] > scores[0] + 0.02


def test_no_weights_no_plan(tables):
    _, cost, size = tables
    with pytest.raises(ValueError, match="budget_bytes must be at least"):
        mixed_precision.greedy(cost, size, 10)
    with pytest.raises(ValueError, match="budget_bytes must be at least"):
        mixed_precision.exhaustive(cost, size, 10)
    with pytest.raises(ValueError, match="must name the same parts"):
        mixed_precision.greedy({}, {}, 10)


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda: gptq.second_order(*layer(0), damping=0), "damping must be positive"),
        (lambda: gptq.second_order(np.ones((3, 2)), np.ones((4, 2))), "x must be"),
    ],
)
def test_errors_give_a_reason(call, why):
    with pytest.raises(ValueError, match=why):
        call()


def test_rounded_weights_refuse_fixed_point(net, data):
    from tinylib.formats.qformat import QFormat
    from tinylib.nets.arithmetic import Fixed

    ops = Fixed(QFormat(8, 8))
    wrapped = Network(qat.fake_quantized(net, data.train, 4).parts)
    with pytest.raises(ValueError, match="train in floating point"):
        wrapped.forward(ops.number(data.test.x), ops)
