"""Pooling, dropout and flattening: values by hand, who gets the delta, formats too narrow, chances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinylib.formats.qformat import QFormat
from tinylib.nets.arithmetic import FLOAT, Fixed
from tinylib.nets.network import Network
from tinylib.nets.pool import (
    AvgPool1D,
    AvgPool2D,
    Dropout,
    Flatten,
    GlobalAvgPool2D,
    GlobalMaxPool2D,
    MaxPool1D,
    MaxPool2D,
)

Q8 = Fixed(QFormat(8, 8))
IMAGE = np.array([[1.0, 3, 2, 2], [3, 0, 2, 2], [5, 6, 9, 7], [8, 8, 7, 9]]).reshape(1, 4, 4, 1)


# ---- worked by hand


def test_first_of_equal_values_wins():
    part = MaxPool2D(2)
    y, tape = part.forward(IMAGE)
    np.testing.assert_array_equal(y[0, ..., 0], [[3, 2], [8, 9]])
    np.testing.assert_array_equal(part.argmax(tape)[0, ..., 0], [[1, 2], [12, 10]])  # not 4, 3, 13, 15
    dx, grads = part.back(tape, np.array([[10.0, 20], [30, 40]]).reshape(1, 2, 2, 1))
    assert grads == {} and dx.sum() == 100
    assert dx.ravel()[[1, 2, 12, 10]].tolist() == [10, 20, 30, 40]


def test_overlapping_windows_add_up():
    part = MaxPool1D(3, stride=1)
    y, tape = part.forward(np.array([0.0, 5, 1, 2]).reshape(1, 4, 1))
    assert y.ravel().tolist() == [5, 5]
    assert part.back(tape, np.array([1.0, 2]).reshape(1, 2, 1))[0].ravel().tolist() == [0, 3, 0, 0]


def test_margins_are_not_data():
    y, tape = MaxPool2D(3, stride=1, padding="same").forward(-IMAGE)
    assert y[0, 0, 0, 0] == 0 and y.max() == 0 and y.min() == -7  # zeros of a margin would all win
    assert MaxPool2D(3, stride=1, padding="same").back(tape, np.ones_like(y))[0].sum() == 16
    y, _ = AvgPool2D(3, stride=1, padding="same").forward(np.ones((1, 4, 4, 1)))
    np.testing.assert_array_equal(y, 1)  # n counts what is there: 4, 6 or 9


def test_means_by_hand():
    y, tape = AvgPool2D(2).forward(IMAGE)
    np.testing.assert_array_equal(y[0, ..., 0], [[1.75, 2], [6.75, 8]])
    dx, _ = AvgPool2D(2).back(tape, np.full((1, 2, 2, 1), 4.0))
    np.testing.assert_array_equal(dx, 1)
    assert AvgPool1D(4).forward(IMAGE.reshape(4, 4, 1))[0].ravel().tolist() == [2, 1.75, 6.75, 8]


def test_quotients_are_cut_toward_zero_in_fixed_point():
    y, _ = AvgPool1D(3).forward(np.array([-1, -1, 0]).reshape(1, 3, 1), Q8)
    assert y.item() == 0  # -2 / 3 of a step: floor would be -1
    y, _ = AvgPool1D(3).forward(np.array([256, 256, 256]).reshape(1, 3, 1), Q8)
    assert y.item() == 256


@pytest.mark.parametrize(
    "part, whole", [(GlobalAvgPool2D(), AvgPool2D(4)), (GlobalMaxPool2D(), MaxPool2D(4))]
)
def test_a_global_pool_is_a_window_over_everything(part, whole):
    x = np.random.default_rng(0).normal(size=(3, 4, 4, 2))
    (y, tape), (want, kept) = part.forward(x), whole.forward(x)
    np.testing.assert_array_equal(y, want[:, 0, 0])
    delta = np.ones((3, 2))
    np.testing.assert_array_equal(part.back(tape, delta)[0], whole.back(kept, delta[:, None, None])[0])


# ---- properties

POOLS = st.sampled_from((MaxPool2D, AvgPool2D))


@settings(deadline=None)
@given(
    POOLS, st.integers(0, 999), st.integers(1, 3), st.integers(1, 3), st.sampled_from(("valid", "same", 1))
)
def test_back_is_the_slope_of_forward(kind, seed, kernel, stride, padding):
    part = kind(kernel + (padding == 1), stride, padding)
    rng = np.random.default_rng(seed)
    x = rng.permutation(np.arange(2 * 6 * 5 * 2.0)).reshape(2, 6, 5, 2)  # no ties
    y, tape = part.forward(x)
    assert y.shape[1:] == part.layer.out_shape(x.shape[1:]) and part.count == part.layer.params == 0
    delta, way = rng.normal(size=y.shape), rng.normal(size=x.shape)
    slope = (delta * (part.forward(x + 1e-3 * way)[0] - part.forward(x - 1e-3 * way)[0])).sum() / 2e-3
    np.testing.assert_allclose((part.back(tape, delta)[0] * way).sum(), slope, rtol=1e-6, atol=1e-8)


@given(st.integers(0, 999))
def test_argmax_points_at_the_largest(seed):
    x = np.random.default_rng(seed).integers(-2, 3, (2, 5, 4, 3))  # many ties
    part = MaxPool2D((3, 2), (1, 2))
    y, tape = part.forward(x, Q8)
    at = part.argmax(tape)
    for sample, places, found in zip(x, at, y):
        np.testing.assert_array_equal(sample.ravel()[places], found)
        for h, w, c in np.ndindex(places.shape):
            inside = sample[h : h + 3, 2 * w : 2 * w + 2, c]
            first = np.unravel_index(inside.argmax(), inside.shape)
            assert places[h, w, c] == np.ravel_multi_index((h + first[0], 2 * w + first[1], c), sample.shape)


# ---- dropout


def test_dropout_keeps_its_share_and_its_mean():
    x = np.ones((200, 500))
    y, tape = Dropout(30).sampled(np.random.default_rng(0)).forward(x)
    kept = (y != 0).mean()
    assert abs(kept - 0.7) < 5 * np.sqrt(0.7 * 0.3 / x.size)  # five standard errors
    np.testing.assert_allclose(y[y != 0], 1 / 0.7)
    np.testing.assert_array_equal(Dropout(30).back(tape, x)[0], y)


def test_dropout_in_use_does_nothing():
    x = np.arange(6.0).reshape(2, 3)
    y, tape = Dropout(50).forward(x)
    assert y is x and Dropout(50).back(tape, x)[0] is x


def test_dropout_factor_is_a_quotient_of_the_format():  # 100 / 70 = 1.428571, in 1/256: 365.71, cut
    part = Dropout(30, mask=np.array([True, False]))
    assert part.forward(np.array([256, 256]), Q8)[0].tolist() == [365, 0]
    narrow = Fixed(QFormat(4, 12))  # 100 has no code there, 2 / 1 has
    assert Dropout(50, mask=np.array([True])).forward(np.array([100]), narrow)[0].tolist() == [200]


def test_a_network_draws_masks_only_while_it_trains():
    net = Network((Flatten(), Dropout(50)))
    x = np.ones((4, 2, 2, 2))
    assert (net.predict(x) == 1).all() and net.count == 0
    trains = net.sampled(np.random.default_rng(0))
    (y, tapes), (again, _) = trains.forward(x), trains.forward(x)
    assert set(np.unique(y)) == {0.0, 2.0} and (y != again).any()
    assert net.back(tapes, np.ones_like(y))[0].shape == x.shape


# ---- errors


def test_a_format_that_cannot_hold_the_count_is_refused():  # a Q8.8 mean over more than 127 values
    with pytest.raises(ValueError, match=r"Q8\.8 must hold the whole number 144"):
        GlobalAvgPool2D().forward(np.zeros((1, 12, 12, 1), np.int64), Q8)
    with pytest.raises(ValueError, match="whole number 200"):
        AvgPool1D(200).forward(np.zeros((1, 200, 1), np.int64), Q8)
    assert GlobalAvgPool2D().forward(np.full((1, 12, 12, 1), 3.0), FLOAT)[0].item() == 3


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="percent must lie below 100: something has to stay, got 100"):
        Dropout(100)
    with pytest.raises(TypeError, match=r"percent must be a whole number, got 0\.5"):
        Dropout(0.5)
    with pytest.raises(ValueError, match="at most half the kernel"):
        MaxPool2D(2, padding=2)
    with pytest.raises(ValueError, match=r"expects x \(batch, height, width, channels\), got shape \(4, 4\)"):
        GlobalAvgPool2D().forward(np.zeros((4, 4)))
    with pytest.raises(ValueError, match="as large as its kernel"):
        AvgPool2D(5).forward(IMAGE)
