"""Codebooks: Lloyd by hand, errors that never rise, Huffman against its bounds, training of centroids."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinylib.compress import baseline, kmeans, quantize
from tinylib.cost.compression import codebook_bytes

values = hnp.arrays(np.float64, st.integers(4, 60), elements=st.floats(-9, 9, width=16))


def test_lloyd_by_hand():  # 0 1 | 9 10 from the ends 0 and 10: one step to the means
    found = kmeans.codebook(np.array([[0.0, 9.0], [1.0, 10.0]]), 2)
    assert [c.tolist() for c in found.history[:2]] == [[0.0, 10.0], [0.5, 9.5]]
    assert found.codes.tolist() == [[0, 1], [0, 1]]
    assert found.errors[0] == 0.5 and found.errors[-1] == 0.25


def test_four_bit_example_of_the_paper_costs_what_it_says():  # 16 weights, 4 centroids: 3.2 times smaller
    found = kmeans.codebook(np.arange(16.0).reshape(4, 4), 4)
    assert found.bytes == codebook_bytes(16, 4) == (16 * 2 + 4 * 32) // 8
    assert 16 * 32 / (8 * found.bytes) == 3.2


@given(values, st.integers(2, 4), st.sampled_from(kmeans.INITS))
def test_no_step_makes_it_worse(w, entries, init):
    found = kmeans.codebook(w, entries, init)
    assert all(b <= a * (1 + 1e-9) + 1e-12 for a, b in zip(found.errors, found.errors[1:]))
    assert (np.diff(found.centroids) >= 0).all()
    distance = abs(w[:, None] - found.centroids)
    np.testing.assert_allclose(abs(w - found.restored()), distance.min(axis=1), atol=1e-12)
    np.testing.assert_array_equal(found.history[-1], found.centroids)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=12).filter(lambda c: sum(n > 0 for n in c) > 1))
def test_huffman_lies_within_a_bit_of_the_entropy(counts):
    lengths = kmeans.huffman_lengths(counts)
    used = [(n, length) for n, length in zip(counts, lengths) if n]
    p = np.array([n for n, _ in used]) / sum(counts)
    mean = sum(q * length for q, (_, length) in zip(p, used))
    entropy = -np.sum(p * np.log2(p))
    assert entropy - 1e-9 <= mean < entropy + 1
    assert sum(2.0**-length for _, length in used) == 1  # Kraft: a full prefix code
    assert all(length == 0 for n, length in zip(counts, lengths) if not n)


def test_huffman_of_the_textbook():  # Huffman 1952 style: 1 1 2 4 halves at every step
    assert kmeans.huffman_lengths([1, 1, 2, 4]) == [3, 3, 2, 1]
    assert kmeans.huffman_lengths([0, 7]) == [0, 1]


def test_linear_start_serves_the_largest_weights():  # what the paper argues for it
    rng = np.random.default_rng(0)
    w = np.append(rng.normal(size=5000), [8.0, 8.2, -8.1])
    largest = {init: kmeans.codebook(w, 8, init, iterations=1).restored()[-3:] for init in kmeans.INITS}
    error = {init: abs(v - w[-3:]).max() for init, v in largest.items()}
    assert error["linear"] < min(error["density"], error["random"])


def test_codebook_beats_even_steps_of_the_same_bits(net):
    w = net.parts[0].w
    for bits in (2, 3, 4):
        shared = kmeans.codebook(w, 2**bits)
        assert shared.errors[-1] ** 0.5 < quantize.weights(w, bits, method="mse").error
        assert shared.huffman_bits <= w.size * bits


def test_gradient_of_a_centroid_is_the_slope_of_the_loss(net, data):
    books = kmeans.share(net, 4)
    shared, h = kmeans.restored(net, books), 1e-6
    y, tapes = shared.forward(data.train.x)
    delta = data.train.targets - np.exp(y) / np.exp(y).sum(-1, keepdims=True)
    downhill = shared.back(tapes, delta / len(data.train))[1]
    got = books[0]["w"].gradient(downhill[0]["w"])
    for k in range(4):
        sides = []
        for sign in (-1, 1):
            moved = books[0]["w"].centroids.copy()
            moved[k] += sign * h
            arrays = [dict(part) for part in shared.arrays]
            arrays[0]["w"] = moved[books[0]["w"].codes]
            sides.append(baseline.loss(shared.with_arrays(arrays), data.train))
        assert -got[k] == pytest.approx((sides[1] - sides[0]) / (2 * h), rel=5e-3, abs=1e-5)


def test_tuned_centroids_win_back_what_sharing_lost(nets, data):
    before, after = [], []
    for net in nets:
        books = kmeans.share(net, 4)
        tuned, new = kmeans.fine_tune(net, books, data.train, epochs=5)
        for part, book, old in zip(tuned.arrays, new, books):
            assert set(np.unique(part["w"])) <= set(book["w"].centroids)
            assert (book["w"].codes == old["w"].codes).all()
        before.append(baseline.accuracy(kmeans.restored(net, books), data.test))
        after.append(baseline.accuracy(tuned, data.test))
    assert np.mean(after) > 0.92 and np.mean(after) > np.mean(before) + 0.01


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda: kmeans.codebook(np.ones(3), 4), "must not exceed the 3 weights"),
        (lambda: kmeans.codebook(np.ones(3), 2, "best"), "init must be one of"),
        (lambda: kmeans.codebook(np.array([1.0, np.nan]), 2), "w must be finite"),
    ],
)
def test_errors_give_a_reason(call, why):
    with pytest.raises(ValueError, match=why):
        call()
