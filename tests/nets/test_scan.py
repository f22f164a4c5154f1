"""Scan: time order, states that go on, truncation by hand, blocks, and what a sequence must look like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import sequence
from tinylib.formats.qformat import QFormat
from tinylib.nets import scan as scans
from tinylib.nets.arithmetic import FLOAT, Fixed
from tinylib.nets.cfc import CfC
from tinylib.nets.dense import Dense
from tinylib.nets.liquid import LTC, SynapticLTC
from tinylib.nets.network import Network
from tinylib.nets.recurrent import GRU, LSTM, Elman
from tinylib.nets.scan import Recurrent, last, scan, scan_back


def slope(function, a, step=1e-6):
    """Central differences of a number in every entry of an array."""
    found = np.zeros_like(a)
    for index in np.ndindex(a.shape):
        up, down = a.copy(), a.copy()
        up[index] += step
        down[index] -= step
        found[index] = (function(up) - function(down)) / (2 * step)
    return found


def central_differences(part, rng, shape=(4, 2), atol=2e-8):
    """Assert that back gives the slope of sum(delta * y) in every array and in the input."""
    xs = rng.normal(size=(*shape, part.layer.in_features))
    y, tape = part.forward(xs)
    delta = rng.normal(size=y.shape)
    dx, grads = part.back(tape, delta)

    def loss(arrays, x):
        return float((part.with_arrays(arrays).forward(x)[0] * delta).sum())

    assert grads.keys() == part.arrays.keys()
    for name, a in part.arrays.items():
        want = slope(lambda v, name=name: loss(part.arrays | {name: v}, xs), a)
        np.testing.assert_allclose(grads[name], want, atol=atol, rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(dx, slope(lambda v: loss(part.arrays, v), xs), atol=atol, rtol=1e-6)


def unit(w=0.5):
    """An Elman neuron without curvature to speak of: h' ~ x + w h for tiny x."""
    return Elman(np.ones((1, 1)), np.full((1, 1), w), np.zeros(1))


def test_a_pulse_decays_by_the_recurrent_weight():
    xs = np.zeros((4, 1, 1))
    xs[0] = 1e-6
    np.testing.assert_allclose(scan(unit(), xs)[0].ravel() * 1e6, [1, 0.5, 0.25, 0.125], rtol=1e-9)


@pytest.mark.parametrize("k, dx", [(None, [0.125, 0.25, 0.5, 1]), (1, [0, 0, 0, 1]), (2, [0, 0, 0.5, 1])])
def test_truncation_cuts_what_the_last_output_sees(k, dx):
    part = Recurrent(unit(), last_only=True, truncation=k)
    _, tape = part.forward(np.zeros((4, 1, 1)))
    np.testing.assert_allclose(part.back(tape, np.ones((1, 1)))[0].ravel(), dx)


def test_truncation_windows_are_counted_from_the_last_sample():  # 5 = 1 + 2 + 2
    _, tape = scan(unit(), np.zeros((5, 1, 1)))
    dx, _, start = scan_back(unit(), tape, np.ones((5, 1, 1)), truncation=2)
    np.testing.assert_allclose(dx.ravel(), [1, 1.5, 1, 1.5, 1])
    assert start[0].item() == 0.5


@pytest.mark.parametrize("cell", [Elman, LSTM, GRU, LTC, SynapticLTC, CfC])
@pytest.mark.parametrize("cut", [1, 2])
def test_truncated_gradients_take_the_state_at_a_cut_as_given(cell, cut):
    rng = np.random.default_rng(4)
    cell, xs = cell.draw(rng, 2, 3, *[4] * (cell is CfC)), rng.normal(size=(5, 2, 2))
    hs, tape = scan(cell, xs)
    delta = rng.normal(size=hs.shape)
    grads = Recurrent(cell, truncation=cut).back(tape, delta)[1]
    starts = [t for t in range(5) if t == 0 or (5 - t) % cut == 0]
    frozen = [tuple(s[t * cell.unfolds] for s in tape.states) for t in starts]

    def loss(arrays):
        pieces = zip(starts, [*starts[1:], 5], frozen)
        hs = [scan(cell.with_arrays(arrays), xs[t:end], state=state)[0] for t, end, state in pieces]
        return float((np.concatenate(hs) * delta).sum())

    for name, a in cell.arrays.items():
        want = slope(lambda v, name=name: loss(cell.arrays | {name: v}), a)
        np.testing.assert_allclose(grads[name], want, atol=2e-8, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("cell", [Elman, LSTM, GRU, LTC, SynapticLTC])
def test_a_sequence_may_be_run_in_pieces(cell):
    rng = np.random.default_rng(0)
    cell, xs = cell.draw(rng, 2, 3), rng.normal(size=(7, 2, 2))
    hs, tape = scan(cell, xs)
    first, before = scan(cell, xs[:3])
    second, after = scan(cell, xs[3:], state=last(before))
    np.testing.assert_allclose(np.concatenate((first, second)), hs, atol=1e-14)
    delta = rng.normal(size=hs.shape)
    dx, _, _ = scan_back(cell, tape, delta)
    later, _, start = scan_back(cell, after, delta[3:])
    np.testing.assert_allclose(later, dx[3:], atol=1e-13)
    assert [s.shape for s in start] == [s.shape for s in last(tape)]


@pytest.mark.parametrize("cell", [LSTM, GRU, LTC, SynapticLTC])
@pytest.mark.parametrize("truncation", [None, 2])
@pytest.mark.parametrize("ops", [FLOAT, Fixed(QFormat(16, 16))], ids=["float", "Q16.16"])
def test_small_blocks_give_the_same_gradients(cell, truncation, ops, monkeypatch):
    rng = np.random.default_rng(0)
    cell, xs = cell.draw(rng, 2, 3, ops), ops.number(rng.normal(size=(7, 2, 2)))
    hs, tape = scan(cell, xs, ops)
    delta = ops.number(rng.normal(size=hs.shape))
    whole = scan_back(cell, tape, delta, ops, truncation)
    monkeypatch.setattr(scans, "BLOCK", 3 * max(r[: cell.unfolds].size for r in tape.records))
    pieces = scan_back(cell, tape, delta, ops, truncation)
    compare = np.testing.assert_allclose if ops is FLOAT else np.testing.assert_array_equal
    options = {"atol": 1e-13} if ops is FLOAT else {}
    compare(pieces[0], whole[0], **options)
    for name, g in whole[1].items():
        compare(pieces[1][name], g, **options)


@given(seed=st.integers(0, 999), scale=st.floats(-3, 3))
def test_back_is_linear_in_delta(seed, scale):
    rng = np.random.default_rng(seed)
    cell = GRU.draw(rng, 2, 3)
    hs, tape = scan(cell, rng.normal(size=(4, 2, 2)))
    a, b = rng.normal(size=(2, *hs.shape))
    together = scan_back(cell, tape, a + scale * b)[1]["w_rec"]
    apart = scan_back(cell, tape, a)[1]["w_rec"] + scale * scan_back(cell, tape, b)[1]["w_rec"]
    np.testing.assert_allclose(together, apart, atol=1e-12)


def test_a_recurrent_part_is_counted_and_described():
    rng = np.random.default_rng(0)
    net = Network((Recurrent(LSTM.draw(rng, 3, 16), last_only=True), Dense.draw(rng, 16, 4)))
    model = net.model((256, 3))
    assert net.count == model.params == 4 * 16 * (3 + 16 + 1) + 17 * 4
    assert model.macs == 256 * 4 * 16 * (3 + 16) + 16 * 4  # 311,296 + 64
    assert Recurrent(LSTM.draw(rng, 3, 16)).layer == sequence.LSTM(3, 16)


def test_quantizing_a_part_maps_its_cell():
    ops, part = Fixed(QFormat(8, 8)), Recurrent(unit(0.25), True, 3)
    quantized = part.mapped(ops.number)
    assert quantized.cell.w_rec.item() == 64
    assert (quantized.last_only, quantized.truncation) == (True, 3)


@pytest.mark.parametrize("xs", [np.zeros((4, 1)), np.zeros((0, 1, 1)), np.zeros((4, 1, 2)), [[[0.0]]]])
def test_what_is_no_sequence_is_refused(xs):
    with pytest.raises(ValueError, match=r"a sequence must have the shape \(time, ..., batch, 1\)"):
        scan(unit(), xs)


def test_options_of_a_part_are_refused_by_name():
    with pytest.raises(TypeError, match="cell must be a recurrent cell such as LSTM"):
        Recurrent(Dense(np.ones((1, 1)), np.ones(1)))
    with pytest.raises(TypeError, match="last_only must be True or False"):
        Recurrent(unit(), last_only=1)
    with pytest.raises(ValueError, match="truncation must lie between 1"):
        Recurrent(unit(), truncation=0)
