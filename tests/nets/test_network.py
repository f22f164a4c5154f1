"""Networks: parts in a row, their description, and what training needs to know of them."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.formats.qformat import QFormat
from tinylib.nets import losses
from tinylib.nets.arithmetic import FLOAT, Fixed
from tinylib.nets.network import Network, mlp
from tinylib.nets.params import Params

Q16 = Fixed(QFormat(16, 16))


@dataclass(frozen=True)
class Noise(Params):
    """Adds what it has drawn: a part that differs while it trains."""

    offset: float = 0.0
    layer = None

    def forward(self, x, ops=FLOAT):
        return x + self.offset, None

    def back(self, tape, delta, ops=FLOAT):
        return delta, {}

    def sampled(self, rng):
        return Noise(rng.normal())


def test_xor_network_has_17_weights_and_12_macs():  # 2*4 + 4 + 4*1 + 1; 8 + 4 products
    net = mlp((2, 4, 1))
    model = net.model((2,), "xor")
    assert net.count == model.params == 17
    assert model.macs == 12
    assert [part.activation for part in net.parts] == ["tanh", "sigmoid"]


@given(sizes=st.lists(st.integers(1, 8), min_size=2, max_size=5))
def test_count_and_description_agree_for_any_widths(sizes):
    net = mlp(sizes)
    assert net.count == net.model((sizes[0],)).params == sum(n * m + m for n, m in pairwise(sizes))


def test_prediction_takes_and_gives_real_numbers():
    net = mlp((2, 3, 1), rng=np.random.default_rng(4))
    x = np.array([[0.25, -1.5], [1.0, 0.5]])
    exact = net.predict(x)
    coded = net.mapped(Q16.number).predict(x, Q16)
    np.testing.assert_allclose(coded, exact, atol=2e-3)  # the tables are within 1e-3 of the curves
    assert not np.array_equal(coded, exact)


def test_gradients_alone_are_those_of_back():
    net = mlp((3, 4, 4, 2), rng=np.random.default_rng(1), limit=1.0)
    _, tapes = net.forward(np.random.default_rng(2).normal(size=(5, 3)))
    delta = np.ones((5, 2))
    for alone, both in zip(net.grads(tapes, delta), net.back(tapes, delta)[1]):
        for name in both:
            np.testing.assert_array_equal(alone[name], both[name])


def test_one_of_many_networks_is_cut_out_and_layout_changes_no_number():
    net = mlp((2, 4, 1), rng=np.random.default_rng(1), ops=Q16, limit=1.0, seeds=(7,))
    inner = net.seeds_inner()
    assert net.seeds == inner.seeds == (7,)
    assert inner.parts[0].w.strides[0] == inner.parts[0].w.itemsize  # seeds side by side
    x = Q16.number([[0.0, 1.0], [1.0, 1.0]])
    np.testing.assert_array_equal(net.forward(x, Q16)[0], inner.forward(x, Q16)[0])
    np.testing.assert_array_equal(net.at(3).forward(x, Q16)[0], net.forward(x, Q16)[0][3])


def test_parts_that_draw_are_drawn_for_training_only():
    net = Network((Noise(), *mlp((2, 1)).parts))
    x = np.zeros((1, 2))
    assert net.sampled(np.random.default_rng(0)).forward(x)[0] != net.forward(x)[0]
    with pytest.raises(ValueError, match="rng must be given"):
        net.sampled(None)
    plain = mlp((2, 1))
    assert plain.sampled(None) is plain
    assert net.model((2,)).params == 3  # a part without a layer is not drawn


def test_what_is_no_network_is_refused_with_a_reason():
    with pytest.raises(ValueError, match="a network must have at least one part"):
        Network(())
    with pytest.raises(TypeError, match="a part must have forward and back, got 'relu'"):
        Network(("relu",))
    with pytest.raises(ValueError, match=r"sizes must name an input and an output, .*, got \(3,\)"):
        mlp((3,))


# ---- losses


def test_squared_loss_by_hand():  # ((0.5 - 0)^2 + (1 - 0.2)^2) / 2
    value, delta = losses.squared(np.array([[0.5, 0.2]]), np.array([[0.0, 1.0]]))
    np.testing.assert_allclose(value, [0.445])
    np.testing.assert_allclose(delta, [[-0.5, 0.8]])


def test_cross_entropy_of_equal_logits_is_the_logarithm_of_the_classes():
    target = losses.one_hot([2, 0], 4)
    value, delta = losses.cross_entropy(np.zeros((2, 4)), target)
    np.testing.assert_allclose(value, math.log(4))
    np.testing.assert_allclose(delta, target - 0.25)


@given(seed=st.integers(0, 999), shift=st.floats(-900, 900))
def test_softmax_is_a_distribution_and_ignores_a_common_shift(seed, shift):
    z = np.random.default_rng(seed).normal(size=(3, 5)) * 4
    p = losses.softmax(z + shift)
    np.testing.assert_allclose(p.sum(axis=-1), 1.0)
    np.testing.assert_allclose(p, losses.softmax(z), atol=1e-12)


@pytest.mark.parametrize("q", [QFormat(16, 16), QFormat(8, 8), QFormat(4, 12)])
def test_fixed_softmax_is_close_to_the_true_one_and_survives_large_logits(q):
    ops = Fixed(q)
    z = np.random.default_rng(1).uniform(-3, 3, (50, 4))
    np.testing.assert_allclose(ops.values(losses.softmax(ops.number(z), ops)), losses.softmax(z), atol=0.02)
    ends = np.array([[q.max_raw, q.min_raw, q.min_raw]])
    p = ops.values(losses.softmax(ends, ops))[0]
    assert p[0] > 0.99 and p[1] == p[2] < 0.01


def test_cross_entropy_points_downhill_in_fixed_point():
    ops = Fixed(QFormat(16, 16))
    target = ops.number(losses.one_hot([1], 3))
    _, delta = losses.cross_entropy(ops.number([[2.0, -1.0, 0.5]]), target, ops)
    assert delta[0, 1] > 0 > max(delta[0, 0], delta[0, 2])
    np.testing.assert_allclose(
        ops.values(delta), ops.values(target) - losses.softmax([[2, -1, 0.5]] * np.ones(1)), atol=2e-3
    )


def test_unknown_losses_and_labels_are_refused():
    with pytest.raises(ValueError, match=r"loss must be a function or one of squared, .*, got 'hinge'"):
        losses.named("hinge")
    with pytest.raises(ValueError, match=r"labels must be whole numbers in 0\.\.2, got array\(\[3\]\)"):
        losses.one_hot([3], 3)
    with pytest.raises(ValueError, match="labels must be whole numbers"):
        losses.one_hot([0.5], 3)
