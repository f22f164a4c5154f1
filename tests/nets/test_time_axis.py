"""A part behind a recurrent cell sees (time, batch, features): all time steps share its weights."""

import numpy as np
import pytest

from tinylib.formats.qformat import QFormat
from tinylib.nets import FLOAT, KAN, BinaryDense, Dense, Fixed, TernaryDense

Q = Fixed(QFormat(16, 16))
PARTS = [
    lambda rng, ops: Dense.draw(rng, 3, 2, "tanh", ops),
    lambda rng, ops: BinaryDense.draw(rng, 3, 2, ops),
    lambda rng, ops: TernaryDense.draw(rng, 3, 2, ops),
    lambda rng, ops: KAN.draw(rng, 3, 2, ops=ops),
]


@pytest.mark.parametrize("ops", [FLOAT, Q], ids=["float", "Q16.16"])
@pytest.mark.parametrize("make", PARTS, ids=["dense", "binary", "ternary", "KAN"])
def test_gradients_of_a_sequence_are_those_of_one_long_batch(make, ops):
    rng = np.random.default_rng(0)
    part = make(rng, ops)
    x, delta = (ops.number(rng.uniform(-1, 1, (5, 4, n))) for n in (3, 2))
    y, tape = part.forward(x, ops)
    dx, grads = part.back(tape, delta, ops)
    flat_y, tape = part.forward(x.reshape(20, 3), ops)
    flat_dx, flat = part.back(tape, delta.reshape(20, 2), ops)
    np.testing.assert_allclose(y.reshape(20, 2), flat_y)
    np.testing.assert_allclose(dx.reshape(20, 3), flat_dx)
    for name, array in part.arrays.items():
        assert grads[name].shape == array.shape
        np.testing.assert_allclose(grads[name], flat[name])


@pytest.mark.parametrize("make", PARTS[:3], ids=["dense", "binary", "ternary"])
def test_pixels_share_weights_as_time_steps_do(make):  # (batch, height, width, features)
    rng = np.random.default_rng(1)
    part = make(rng, FLOAT)
    x, delta = rng.uniform(-1, 1, (2, 3, 4, 3)), rng.uniform(-1, 1, (2, 3, 4, 2))
    _, grads = part.back(part.forward(x)[1], delta)
    _, flat = part.back(part.forward(x.reshape(24, 3))[1], delta.reshape(24, 2))
    for name, array in part.arrays.items():
        assert grads[name].shape == array.shape
        np.testing.assert_allclose(grads[name], flat[name])


def test_a_kan_takes_one_time_axis():
    with pytest.raises(ValueError, match="takes one time axis"):
        KAN.draw(np.random.default_rng(0), 3, 2).forward(np.zeros((2, 3, 4, 3)))
