"""Elman, LSTM, GRU: torch's values, a second integer implementation, gradients of every gate, learning."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nets import scalar
from tests.nets.roads import codes_equal, side_by_side
from tests.nets.test_scan import central_differences
from tinylib.cost import sequence
from tinylib.formats.qformat import QFormat
from tinylib.nets import load
from tinylib.nets.arithmetic import FLOAT, FLOAT32, Fixed
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network
from tinylib.nets.optimizers import Adam
from tinylib.nets.recurrent import GRU, LSTM, Elman
from tinylib.nets.scan import Cell, Recurrent, scan, scan_back
from tinylib.nets.train import train

CASES = json.loads((Path(__file__).parent / "data" / "recurrent.json").read_text())["cases"]
CELLS = {"RNN": Elman, "LSTM": LSTM, "GRU": GRU}
KINDS = pytest.mark.parametrize("kind", [Elman, LSTM, GRU])
FORMATS = [
    (QFormat(16, 16), "floor", "wrap"),
    (QFormat(16, 16), "nearest", "saturate"),
    (QFormat(8, 8), "floor", "wrap"),
    (QFormat(8, 8), "nearest", "saturate"),
]


def named(arrays):
    return {name: np.array(a) for name, a in arrays.items()}


def second_bias(cell, rng, ops=FLOAT):
    """A GRU with torch's second bias."""
    return GRU(cell.w_in, cell.w_rec, cell.b, ops.number(rng.uniform(-1, 1, cell.b.size)))


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['kind']}-{c['last_only']}-{c['truncation']}")
def test_values_and_gradients_are_those_of_torch(case):  # benchmarks/reference/recurrent.py
    part = Recurrent(load.cell(named(case["arrays"])), case["last_only"], case["truncation"])
    assert type(part.cell) is CELLS[case["kind"]]
    y, tape = part.forward(np.array(case["xs"]))
    hs = np.array(case["hs"])
    np.testing.assert_allclose(y, hs[-1] if case["last_only"] else hs, atol=1e-12)
    dx, grads = part.back(tape, np.array(case["delta"]))
    want = load.cell(named(case["grads"])).arrays  # blocks and signs change as those of weights do
    if case["kind"] != "GRU":
        want["b"] = want["b"] / 2  # one bias here, and the same gradient at each of torch's two
    np.testing.assert_allclose(dx, case["dxs"], atol=1e-12)
    for name, g in grads.items():
        np.testing.assert_allclose(g, want[name], atol=1e-12, err_msg=name)


def test_reference_covers_every_cell_truncation_and_last_state():
    found = {(c["kind"], c["last_only"], c["truncation"]) for c in CASES}
    assert found == {(k, *o) for k in CELLS for o in ((False, None), (True, None), (False, 1), (False, 4))}


@KINDS
@pytest.mark.parametrize("n, m", [(2, 3), (3, 16), (1, 1)])
def test_count_is_that_of_the_layer(kind, n, m):
    cell = kind.draw(np.random.default_rng(0), n, m)
    assert cell.count == cell.layer.params == cell.layer.gates * m * (n + m + 1)
    assert Recurrent(cell, last_only=True).layer.out_shape((7, n)) == (m,)


def test_a_second_bias_counts_as_in_torch():
    cell = second_bias(GRU.draw(np.random.default_rng(0), 3, 16), np.random.default_rng(1))
    assert cell.count == cell.layer.params == sequence.GRU(3, 16, bias_vectors=2).params == 1008


def test_one_step_by_hand():  # w_in = w_rec = 1, x = h = c = 0: all sums are the biases
    b = np.array([0.5, 0.0, 0.0, 0.0])
    (h, c), _ = LSTM(np.ones((1, 4)), np.ones((1, 4)), b).step(b[None], (np.zeros((1, 1)),) * 2)
    assert c.item() == pytest.approx(np.tanh(0.5) / 2)
    assert h.item() == pytest.approx(np.tanh(np.tanh(0.5) / 2) / 2)


def test_a_closed_update_gate_keeps_the_state():
    cell = GRU(np.zeros((1, 6)), np.ones((2, 6)), np.array([-50.0, -50, 0, 0, 1, 1]))
    hs, _ = scan(cell, np.ones((9, 1, 1)), state=(np.array([[0.25, -0.75]]),))
    np.testing.assert_allclose(hs[-1], [[0.25, -0.75]])


def test_the_fixed_point_gru_takes_one_for_one():  # a closed gate keeps the state: with raw 1 it would flip
    ops = Fixed(QFormat(16, 16))
    cell = GRU(np.zeros((1, 3)), np.zeros((1, 3)), np.array([-20.0, 0, 0])).mapped(ops.number)
    hs, _ = scan(cell, ops.number(np.zeros((1, 1, 1))), ops, (ops.number(np.array([[0.5]])),))
    assert ops.values(hs).item() == pytest.approx(0.5, abs=0.002)


@KINDS
@given(seed=st.integers(0, 999), time=st.integers(1, 9))
def test_states_stay_inside_the_unit_interval(kind, seed, time):
    rng = np.random.default_rng(seed)
    hs, _ = scan(kind.draw(rng, 2, 3), 5 * rng.normal(size=(time, 2, 2)))
    assert np.abs(hs).max() <= 1


@KINDS
@pytest.mark.parametrize("last_only", [False, True])
def test_every_gradient_agrees_with_central_differences(kind, last_only):
    rng = np.random.default_rng(3)
    cell = kind.draw(rng, 2, 3)
    central_differences(Recurrent(second_bias(cell, rng) if kind is GRU else cell, last_only), rng)


@pytest.mark.parametrize("ops, atol", [(FLOAT, 1e-14), (FLOAT32, 1e-6)])
def test_the_fast_lstm_is_the_lstm(ops, atol):
    rng = np.random.default_rng(0)
    cell = LSTM.draw(rng, 2, 5, ops)
    zs, state = cell.project(ops.number(rng.normal(size=(7, 3, 2))), ops), cell.start((3,), ops)
    for fast, plain in zip(cell.run(zs, state, ops), Cell.run(cell, zs, state, ops)):
        for a, b in zip(fast, plain, strict=True):
            np.testing.assert_allclose(a, b, atol=atol)
            assert a.dtype == b.dtype == ops.dtype


@KINDS
def test_independent_networks_run_side_by_side(kind):
    rng = np.random.default_rng(0)
    cells = [kind.draw(rng, 2, 3) for _ in range(4)]
    xs = rng.normal(size=(5, 2, 2))
    both = cells[0].with_arrays({n: np.stack([c.arrays[n] for c in cells]) for n in cells[0].arrays})
    side_by_side(both, xs, len(cells))


@KINDS
@pytest.mark.parametrize("q, rounding, overflow", FORMATS, ids=str)
@pytest.mark.parametrize("reach", [1.0, 30.0])  # 30: sums pass the range of Q8.8
def test_codes_equal_a_scalar_implementation(kind, q, rounding, overflow, reach):
    rng = np.random.default_rng(5)
    ops = Fixed(q, rounding, overflow)
    cell = kind.draw(rng, 2, 3, ops)
    cell = second_bias(cell, rng, ops) if kind is GRU else cell
    xs = ops.number(rng.uniform(-reach, reach, (5, 2, 2)))
    targets = ops.number(rng.uniform(-1, 1, (5, 2, 3)))
    step = {Elman: scalar.elman, LSTM: scalar.lstm, GRU: scalar.gru}[kind]
    for name, a in codes_equal(cell, ops, step, xs, targets).items():
        assert (a != cell.arrays[name]).any(), f"{name} must train"


def temporal_xor(time=3):
    """All bit sequences (time, 2^time, 1) and the XOR of the last two bits (2^time, 1)."""
    bits = np.array([[k >> t & 1 for k in range(2**time)] for t in range(time)], float)
    return bits[..., None], (bits[-1] != bits[-2])[:, None].astype(float)


@KINDS
@pytest.mark.parametrize("ops", [FLOAT, Fixed(QFormat(16, 16))], ids=["float", "Q16.16"])
def test_temporal_xor_is_learnt(kind, ops):
    rng = np.random.default_rng(1)
    xs, targets = temporal_xor()
    cell = Recurrent(kind.draw(rng, 1, 5, ops), last_only=True)
    net = Network((cell, Dense.draw(rng, 5, 1, "sigmoid", ops)))
    net, _ = train(net, xs, targets, optimizer=Adam(learning_rate=0.05), ops=ops, epochs=250, batch_size=8)
    assert np.abs(net.predict(xs, ops) - targets).max() < 0.25


def test_most_of_fifty_grus_learn_temporal_xor_at_once():
    rng = np.random.default_rng(0)
    xs, targets = temporal_xor()
    cell = Recurrent(GRU.draw(rng, 1, 5, seeds=(50,)), last_only=True)
    net = Network((cell, Dense.draw(rng, 5, 1, "sigmoid", seeds=(50,))))
    assert net.seeds == (50,)
    net, history = train(net, xs, targets, optimizer=Adam(learning_rate=0.05), epochs=250, batch_size=8)
    wrong = np.abs(net.predict(xs) - targets).max((-2, -1))
    assert history.loss[-1].shape == wrong.shape == (50,)
    assert np.mean(wrong < 0.25) >= 0.9
    np.testing.assert_allclose(net.at(7).predict(xs), net.predict(xs)[7], atol=1e-12)


@KINDS
def test_wide_formats_run_on_python_integers(kind):
    rng = np.random.default_rng(0)
    ops, cell = Fixed(QFormat(16, 40)), kind.draw(rng, 2, 3)
    xs = rng.uniform(-1, 1, (4, 2, 2))
    hs, tape = scan(cell.mapped(ops.number), ops.number(xs), ops)
    np.testing.assert_allclose(ops.values(hs), scan(cell, xs)[0], atol=0.01)  # the tables are coarse
    grads = scan_back(cell.mapped(ops.number), tape, hs, ops)[1]
    assert all(g.dtype == object and g.shape == cell.arrays[name].shape for name, g in grads.items())


@KINDS
def test_shapes_and_nan_are_refused_by_name(kind):
    g = kind.kind.gates
    with pytest.raises(ValueError, match=rf"w_in must have the shape \(2, {3 * g}\), got \(2, {3 * g - 1}\)"):
        kind(np.ones((2, 3 * g - 1)), np.ones((3, 3 * g)), np.ones(3 * g))
    with pytest.raises(ValueError, match="b must be finite"):
        kind(np.ones((2, 3 * g)), np.ones((3, 3 * g)), np.full(3 * g, np.nan))
    with pytest.raises(ValueError, match=r"w_rec must be a matrix \(rows, columns\), got shape \(3,\)"):
        kind(np.ones((2, 3)), np.ones(3), np.ones(3))
