"""Differentiable search: the latency gradient, gradients of the mixture, and what a price on time changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinylib.compress import baseline, darts
from tinylib.cost import compression
from tinylib.nets.dense import Dense

five = hnp.arrays(np.float64, 5, elements=st.floats(-4, 4))
times = hnp.arrays(np.float64, 5, elements=st.floats(0, 9))


def test_latency_gradient_by_hand():  # errata 2-7: p = [.6, .3, .1], latencies 10, 5, 2
    found = darts.latency_gradient_ms(np.log([0.6, 0.3, 0.1]), np.array([10, 5, 2]))
    np.testing.assert_allclose(found, [1.38, -0.81, -0.57], atol=1e-9)


@given(five, times)
def test_latency_gradient_is_the_scalar_formula_and_the_slope(alpha, latencies):
    found, h = darts.latency_gradient_ms(alpha, latencies), 1e-5
    p = compression.softmax(alpha.tolist())
    np.testing.assert_allclose(found, compression.latency_gradient_ms(p, latencies.tolist()), atol=1e-9)
    assert darts.expected_latency_ms(alpha, latencies) == pytest.approx(
        compression.expected_latency_ms(p, latencies.tolist()), abs=1e-9
    )
    for k, step in enumerate(np.eye(5) * h):
        sides = [darts.expected_latency_ms(alpha + s * step, latencies) for s in (-1, 1)]
        assert found[k] == pytest.approx((sides[1] - sides[0]) / (2 * h), abs=1e-6)


def mixed() -> darts.Mixed:
    rng = np.random.default_rng(0)
    parts = darts.Skip(), Dense.draw(rng, 3, 3, "tanh"), Dense.draw(rng, 3, 3)
    return darts.Mixed(parts, np.array([0.3, -0.2, 0.5]), (0.0, 1.0, 2.0), ("skip", "tanh", "linear"))


def test_gradients_of_the_mixture_are_slopes():
    part, rng, h = mixed(), np.random.default_rng(1), 1e-6
    x, delta = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    _, tape = part.forward(x)
    dx, grads = part.back(tape, delta)
    assert set(grads) == set(part.arrays) == {"alpha", "w_1", "b_1", "w_2", "b_2"}
    for name, array in {"x": x, **part.arrays}.items():
        got = dx if name == "x" else grads[name]
        for place in np.ndindex(array.shape):
            sides = []
            for sign in (-1, 1):
                moved = array.copy()
                moved[place] += sign * h
                other = part if name == "x" else part.with_arrays(part.arrays | {name: moved})
                sides.append(np.sum(delta * other.forward(moved if name == "x" else x)[0]))
            assert got[place] == pytest.approx((sides[1] - sides[0]) / (2 * h), abs=1e-6)


def test_a_certain_choice_is_that_operation():
    part = mixed().with_arrays(mixed().arrays | {"alpha": np.array([-50.0, 50.0, -50.0])})
    x = np.random.default_rng(1).normal(size=(4, 3))
    np.testing.assert_allclose(part.forward(x)[0], part.candidates[1].forward(x)[0], atol=1e-12)
    assert part.names[part.chosen] == "tanh"
    assert part.mapped(lambda a: 0 * a).forward(x)[0] == pytest.approx(x / 3)


def test_latencies_are_macs_over_rate():
    part = darts.mixed_parts(darts.supernet(channels=8))[0]
    macs = np.array([0, 16 * 64, 16 * 9 * 8, 16 * 9 * 64, 16 * 25 * 64])
    np.testing.assert_allclose(part.latencies_ms, 1000 * macs / (32e6 * 0.25))


def test_a_price_on_time_buys_faster_operations(data):
    free, dear = (darts.search(data.train, price, epochs=4) for price in (0.0, 1.0))
    assert free.alphas.shape == (5, 2, 5) and free.latencies_ms.shape == (5,)
    assert dear.latencies_ms[-1] < 0.4 * dear.latencies_ms[0]
    assert free.latencies_ms[-1] > 1.5 * free.latencies_ms[0]  # accuracy alone asks for the widest kernels
    networks = [darts.trained(found, data.train, epochs=5) for found in (free, dear)]
    macs = [net.model((8, 8, 1)).macs for net in networks]
    scores = [baseline.accuracy(net, data.test) for net in networks]
    assert macs[0] > 3 * macs[1] and scores[0] > scores[1] + 0.1


def test_same_seed_same_search(data):
    few = data.train.take(slice(128))
    a, b, other = (darts.search(few, epochs=1, seed=s) for s in (3, 3, 4))
    np.testing.assert_array_equal(a.alphas, b.alphas)
    assert not np.array_equal(a.alphas, other.alphas)


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda: darts.operation("conv9", 4, np.random.default_rng(0)), "operation must be one of"),
        (lambda: darts.Mixed((darts.Skip(),), np.zeros(2), (0.0,), ("skip",)), "one entry for each"),
        (lambda: darts.supernet(device="course"), "a clock and a MAC rate"),
        (lambda: darts.search(None, -1.0), "latency_weight must not be negative"),
    ],
)
def test_errors_give_a_reason(call, why):
    with pytest.raises(ValueError, match=why):
        call()
