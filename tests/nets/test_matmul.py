"""Exact integer products: equal to Python integers at, below and beyond the bound, on every road."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.nets.matmul import EXACT, TINY, integer_matmul, magnitude


def exact(a, b):
    """The product in Python integers, reduced to int64 words."""
    wide = np.matmul(a.astype(object), b.astype(object))
    return ((wide + 2**63) % 2**64 - 2**63).astype(np.int64)


def words(rng, shape, bits):
    """Random words with both ends of the range among them."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1)
    drawn = rng.integers(low, high, shape)
    drawn.flat[0], drawn.flat[-1] = low, high - 1
    return drawn


def test_by_hand():
    a, b = np.array([[1, -2], [3, 4]]), np.array([[5, 6], [-7, 8]])
    assert integer_matmul(a, b).tolist() == [[19, -10], [-13, 50]]


def test_a_float64_product_would_round():  # 2^53 + 1 is not a float64; the exact road keeps the last bit
    n = 32
    a, b = np.full((n, n), 2**30 + 1), np.full((n, n), 2**23 + 1)
    assert (integer_matmul(a, b) == n * (2**30 + 1) * (2**23 + 1)).all()
    assert (a.astype(float) @ b.astype(float)).astype(np.int64)[0, 0] == n * (2**53 + 2**30 + 2**23)


@given(
    st.integers(0, 999),
    st.tuples(st.integers(1, 30), st.integers(1, 40), st.integers(1, 30)),
    st.integers(2, 50),
    st.integers(2, 40),
)
def test_equal_to_python_integers(seed, sizes, bits_a, bits_b):
    rng, (n, k, m) = np.random.default_rng(seed), sizes
    a, b = words(rng, (n, k), bits_a), words(rng, (k, m), bits_b)
    assert np.array_equal(integer_matmul(a, b), exact(a, b))


@pytest.mark.parametrize(
    "bits_a, bits_b", [(8, 8), (16, 16), (32, 32), (33, 20), (20, 33), (40, 16), (63, 63)]
)
@pytest.mark.parametrize("terms", [1, 64, 129, 300])
def test_every_road(bits_a, bits_b, terms):  # direct, halved in one piece and in several, plain
    rng = np.random.default_rng(terms)
    a, b = words(rng, (30, terms), bits_a), words(rng, (terms, 33), bits_b)
    assert np.array_equal(integer_matmul(a, b), exact(a, b))


@pytest.mark.parametrize("over", [0, 1])
def test_at_the_bound_itself(over):  # K max|a| max|b| = 2^53, then just beyond
    k = 64
    a, b = np.full((40, k), 2**22 + over), np.full((k, 40), -(2**25))
    assert k * magnitude(a) * magnitude(b) == EXACT + over * k * 2**25
    assert (integer_matmul(a, b) == -k * (2**22 + over) * 2**25).all()


def test_leading_axes_and_other_words():
    rng = np.random.default_rng(3)
    a = rng.integers(-128, 128, (5, 1, 40, 30), dtype=np.int8)
    b = rng.integers(0, 256, (2, 30, 20), dtype=np.uint8)
    found = integer_matmul(a, b)
    assert found.shape == (5, 2, 40, 20) and found.dtype == np.int64
    assert np.array_equal(found, exact(a, b))
    assert 40 * 30 * 20 > TINY > 8
    assert integer_matmul(a[0, 0, :2, :2], b[0, :2, :2]).dtype == np.int64  # small int8 must not stay int8


def test_nothing_to_add_is_zero():
    assert integer_matmul(np.zeros((50, 0), int), np.zeros((0, 50), int)).tolist() == [[0] * 50] * 50


def test_floats_are_refused():
    with pytest.raises(TypeError, match="needs integer arrays, got float64 and int64"):
        integer_matmul(np.ones((2, 2)), np.ones((2, 2), dtype=int))


def test_a_known_bound_changes_nothing():  # right at Q8.8, of no use at 32 bits
    rng = np.random.default_rng(5)
    for bits in 16, 32:
        a, b = words(rng, (40, 50), bits), words(rng, (50, 40), bits)
        assert np.array_equal(integer_matmul(a, b, 2 ** (bits - 1)), exact(a, b))
