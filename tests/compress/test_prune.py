"""Pruning: exact counts, hand-worked patterns, zeros that stay, and accuracy that tuning brings back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinylib.compress import baseline, channels, prune, sparse
from tinylib.cost.compression import csr_breakeven_density, csr_bytes
from tinylib.nets.conv import Conv2D, DepthwiseConv2D
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network

matrices = hnp.arrays(
    np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.floats(-9, 9)
)


def test_two_of_four_by_hand():  # the two largest magnitudes of each column of four
    w = np.array([[0.1, -3.0], [-0.5, 1.0], [0.4, 2.0], [0.2, -0.1]])
    assert prune.n_of_m(w).tolist() == [[False, True], [True, False], [True, True], [False, False]]
    assert prune.n_of_m(np.arange(6.0), axis=0).tolist() == [False, False, True, True, True, True]


def test_global_pruning_takes_where_weights_are_small():
    small, large = Dense(np.full((2, 2), 0.1), np.zeros(2)), Dense(np.full((2, 2), 5.0), np.zeros(2))
    masks = prune.magnitude(Network((small, large)), 0.5)
    assert not masks[0]["w"].any() and masks[1]["w"].all() and masks[0]["b"].all()
    layerwise = prune.magnitude(Network((small, large)), 0.5, scope="layer")
    assert [m["w"].sum() for m in layerwise] == [2, 2]


@given(matrices, st.floats(0, 1))
def test_sparsity_is_exact_and_the_smallest_go(w, share):
    keep = prune.keep_mask(abs(w), share)
    assert (~keep).sum() == round(share * w.size)
    if keep.any() and not keep.all():
        assert abs(w[~keep]).max() <= abs(w[keep]).min()


@given(matrices, st.integers(1, 4), st.integers(4, 5))
def test_every_group_keeps_its_share(w, kept, group):
    keep = prune.n_of_m(w, kept, group)
    for first in range(0, len(w), group):
        block = keep[first : first + group]
        assert (block.sum(axis=0) == min(kept, len(block))).all()


def test_tuning_keeps_the_zeros_and_brings_accuracy_back(nets, data):
    before, after = [], []
    for net in nets:
        masks = prune.magnitude(net, 0.8)
        pruned, tuned = prune.apply(net, masks), prune.fine_tune(net, masks, data.train)
        assert prune.sparsity(masks) == pytest.approx(0.8, abs=1e-3)
        assert all((part["w"][~mask["w"]] == 0).all() for part, mask in zip(tuned.arrays, masks))
        before.append(baseline.accuracy(pruned, data.test))
        after.append(baseline.accuracy(tuned, data.test))
    assert np.mean(after) > 0.93 and np.mean(after) > np.mean(before) + 0.05


def test_gradual_pruning_follows_its_schedule(net, data):
    asked = []

    def masks(now, share):
        asked.append(share)
        return prune.magnitude(now, share)

    small, chosen = prune.gradual(net, data.train.take(slice(200)), 0.8, steps=4, epochs=1, masks=masks)
    np.testing.assert_allclose(asked, [0.0, 0.8 * 37 / 64, 0.8 * 7 / 8, 0.8 * 63 / 64, 0.8])
    assert prune.sparsity(chosen) == pytest.approx(0.8, abs=1e-3)
    assert all((part["w"][~mask["w"]] == 0).all() for part, mask in zip(small.arrays, chosen))


def test_global_beats_layerwise_and_both_beat_chance(nets, data):
    scores = {
        scope: np.mean(
            [baseline.accuracy(prune.apply(n, prune.magnitude(n, 0.7, scope)), data.test) for n in nets]
        )
        for scope in prune.SCOPES
    }
    assert scores["global"] > scores["layer"] + 0.05
    draws = np.random.default_rng(0)
    blind = [
        prune.by_saliency(n, [{k: draws.random(a.shape) for k, a in p.items()} for p in n.arrays], 0.7)
        for n in nets
    ]
    lost = np.mean([baseline.accuracy(prune.apply(n, m), data.test) for n, m in zip(nets, blind)])
    assert scores["layer"] > lost + 0.1


def test_two_of_four_on_a_network_keeps_its_accuracy(net, conv, data):
    masks = prune.semi_structured(net)
    assert prune.sparsity(masks) == 0.5
    assert baseline.accuracy(prune.fine_tune(net, masks, data.train), data.test) > 0.95
    w, keep = conv.parts[2].w, prune.semi_structured(conv)[2]["w"]  # (c_out, 3, 3, c_in): 72 inputs each
    assert (keep.reshape(len(w), -1, 4).sum(axis=-1) == 2).all()


def test_sweep_reports_storage_that_csr_really_takes(net, data):
    dense, half, most = prune.sweep(net, data.train, data.test, (0.0, 0.5, 0.9), epochs=2)
    assert dense.csr_bytes > dense.dense_bytes == 4 * (64 * 32 + 32 * 10)
    kept = round(0.1 * 2368)
    assert most.csr_bytes == csr_bytes(kept, 4, 2, 32) + csr_bytes(0, 4, 2, 10) < half.csr_bytes
    assert most.tuned > most.accuracy


def test_csr_by_hand():
    found = sparse.csr(np.array([[0, 5, 0], [7, 0, 8]]))
    assert [a.tolist() for a in (found.values, found.columns, found.pointers)] == [
        [5, 7, 8], [1, 0, 2], [0, 1, 3]
    ]  # fmt: skip
    assert found.bytes(1, 1, 2) == 3 * 2 + 3 * 2
    assert found.density == 0.5


@given(matrices, st.floats(0, 1))
def test_csr_is_the_matrix(w, share):
    w = w * prune.keep_mask(abs(w), share)
    found, x = sparse.csr(w), np.arange(w.shape[1]) + 1.0
    np.testing.assert_array_equal(found.dense(), w)
    np.testing.assert_allclose(found.dot(x), w @ x, atol=1e-9)
    assert found.bytes() == csr_bytes(np.count_nonzero(w), rows=len(w))


def test_breakeven_counts_the_row_pointers():
    shape = (100, 200)
    density = sparse.breakeven_density(shape, 4, 2, 4)
    assert density < csr_breakeven_density(4, 2)
    assert round(density * 20_000) * 6 + 101 * 4 == pytest.approx(80_000, abs=6)
    assert sparse.breakeven_density((10**6, 1000), 1, 4, 4) == pytest.approx(0.2, abs=1e-3)


def test_channels_leave_a_smaller_network_with_the_same_units(net, data):
    keep = channels.strongest(net, 0, 20)
    small = channels.narrowed(net, 0, keep)
    gone = np.setdiff1d(np.arange(32), keep)
    w, b = net.parts[0].w.copy(), net.parts[0].b.copy()
    w[:, gone] = b[gone] = 0
    silenced = net.with_arrays([{"w": w, "b": b}, net.arrays[1]])
    np.testing.assert_allclose(baseline.logits(small, data.test), baseline.logits(silenced, data.test))
    assert small.model((64,)).params == small.count == 65 * 20 + 21 * 10


def test_channels_of_a_convolution_follow_the_cost_model(conv, data):
    small = channels.prune(conv, {0: 6, 2: 8})
    first, second = small.parts[0].layer, small.parts[2].layer
    assert first == replace(conv.parts[0].layer, out_channels=6)
    assert second == replace(conv.parts[2].layer, in_channels=6, out_channels=8)
    assert small.model((8, 8, 1)).macs == 64 * 9 * 6 + 16 * 9 * 6 * 8 + 2 * 2 * 8 * 10
    assert baseline.accuracy(baseline.fit(small, data.train, 4), data.test) > 0.9


def test_silent_channels_of_a_convolution_go_first_and_free(conv, data):
    arrays = [dict(part) for part in conv.arrays]
    for name in ("w", "b"):
        arrays[2][name] = arrays[2][name].copy()
        arrays[2][name][[3, 5]] = 0
    dead = conv.with_arrays(arrays)
    assert set(range(16)) - set(channels.strongest(dead, 2, 14)) == {3, 5}
    assert channels.scores(dead, 2, data.validation)[[3, 5]].tolist() == [0, 0]
    small = channels.prune(dead, {2: 14})
    np.testing.assert_allclose(baseline.logits(small, data.test), baseline.logits(dead, data.test), atol=1e-9)


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda n: prune.magnitude(n, 1.5), "sparsity must be a share"),
        (lambda n: prune.magnitude(n, 0.5, "each"), "scope must be one of"),
        (lambda n: prune.apply(n, []), "masks must have the shapes"),
        (lambda n: prune.apply(n, prune.magnitude(n, 0.5)[:1]), "masks must have the shapes"),
        (lambda n: prune.n_of_m(np.ones((4, 4)), 5, 4), "kept must not exceed the group"),
        (lambda n: sparse.csr(np.ones(4)), "w must be a matrix"),
        (lambda n: channels.prune(n, {1: 4}), "must not be the last"),
        (lambda n: channels.prune(n, {0: 99}), "kept must not exceed the 32 channels"),
    ],
)
def test_errors_give_a_reason(call, why, net):
    with pytest.raises(ValueError, match=why):
        call(net)


def test_depthwise_channels_are_refused():
    rng = np.random.default_rng(0)
    parts = Conv2D.draw(rng, 1, 4, 3), DepthwiseConv2D.draw(rng, 4, 3)
    with pytest.raises(ValueError, match="must be one Dense or full convolution"):
        channels.prune(Network(parts), {1: 2})
    with pytest.raises(ValueError, match="must read all 4 channels"):
        channels.prune(Network(parts), {0: 2})
