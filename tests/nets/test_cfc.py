"""CfC: published counts, ncps values at even and uneven times, limits, a second integer implementation."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nets import scalar
from tests.nets.roads import codes_equal, side_by_side
from tests.nets.test_liquid import slow_and_fast
from tests.nets.test_recurrent import FORMATS
from tests.nets.test_scan import central_differences
from tinylib.formats.qformat import QFormat
from tinylib.nets.arithmetic import FLOAT, FLOAT32, Fixed
from tinylib.nets.cfc import CfC
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network
from tinylib.nets.optimizers import Adam
from tinylib.nets.scan import Cell, Recurrent, scan, scan_back
from tinylib.nets.train import train

CASES = json.loads((Path(__file__).parent / "data" / "liquid.json").read_text())["cases"]
HEADS = ("ff1", "ff2", "time_a", "time_b")


def drawn(seed=0, n=2, m=3, k=4, ops=FLOAT, **options):
    """A cell whose biases are not 0."""
    rng = np.random.default_rng(seed)
    cell = CfC.draw(rng, n, m, k, **options)
    moved = {name: a + rng.uniform(-0.3, 0.3, a.shape) for name, a in cell.arrays.items()}
    return cell.with_arrays(moved).mapped(ops.number)


def from_ncps(arrays, n=2):
    """Our arrays from those of an ncps cell; gradients go the same way."""
    a = {name: np.array(value) for name, value in arrays.items()}
    backbone = a["backbone.0.weight"].T
    return {
        "w_in": backbone[:n],
        "w_rec": backbone[n:],
        "b": a["backbone.0.bias"],
        "w_heads": np.concatenate([a[f"{head}.weight"] for head in HEADS]).T,
        "b_heads": np.concatenate([a[f"{head}.bias"] for head in HEADS]),
    }


def label(case):
    return f"{case['activation']}-{case['mode']}-{len(set(case['elapsed']))}"


@pytest.mark.parametrize("case", [c for c in CASES if c["kind"] == "CfC"], ids=label)
def test_values_and_gradients_are_those_of_ncps(case):  # benchmarks/reference/recurrent.py
    activation = {"lecun_tanh": "scaled_tanh"}.get(case["activation"], case["activation"])
    elapsed = np.array(case["elapsed"])
    cell = CfC(**from_ncps(case["arrays"]), dt=elapsed[0], activation=activation, mode=case["mode"])
    given = {} if len(set(case["elapsed"])) == 1 else {"elapsed": elapsed[:, None]}
    hs, tape = scan(cell, np.array(case["xs"]), **given)
    dx, grads, _ = scan_back(cell, tape, np.array(case["delta"]))
    np.testing.assert_allclose(hs, case["hs"], atol=1e-12)
    np.testing.assert_allclose(dx, case["dxs"], atol=1e-12)
    for name, want in from_ncps(case["grads"]).items():
        np.testing.assert_allclose(grads[name], want, atol=1e-12, err_msg=name)


def test_reference_covers_modes_and_uneven_times():
    found = [(c["activation"], c["mode"], len(set(c["elapsed"])) == 1) for c in CASES if c["kind"] == "CfC"]
    assert len(found) == len(set(found)) == 6


@pytest.mark.parametrize("n, m, k, count", [(2, 3, 4, 84), (4, 8, 16, 752)])
def test_count_matches_published_table(n, m, k, count):  # tinymind docs/size-comparison.md
    cell = drawn(0, n, m, k)
    assert cell.count == cell.layer.params == count


def test_a_gate_that_is_shut_or_open_gives_one_head():
    def state(e):
        b = np.array([0.4, -0.6, 0.0, e])
        cell = CfC(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1), np.zeros((1, 4)), b)
        return scan(cell, np.zeros((1, 1, 1)))[0].item()

    assert state(-60.0) == pytest.approx(np.tanh(0.4))
    assert state(60.0) == pytest.approx(np.tanh(-0.6))
    assert state(0.0) == pytest.approx((np.tanh(0.4) + np.tanh(-0.6)) / 2)


def test_elapsed_time_that_is_even_is_dt():
    cell, xs = drawn(dt=0.3), np.random.default_rng(1).normal(size=(5, 2, 2))
    even = scan(cell, xs, elapsed=np.full((5, 2), 0.3))[0]
    np.testing.assert_array_equal(even, scan(cell, xs)[0])
    later = scan(cell, xs, elapsed=np.full((5, 2), 3.0))[0]
    assert np.abs(later - even).max() > 0.01


@given(seed=st.integers(0, 999), dt=st.floats(0, 1e3))
def test_state_lies_between_its_heads_for_any_time(seed, dt):
    cell = drawn(seed, dt=dt)
    hs, tape = scan(cell, np.random.default_rng(seed).normal(size=(4, 2, 2)))
    f, g = tape.records[1][..., :3], tape.records[1][..., 3:6]
    assert np.all(hs >= np.minimum(f, g) - 1e-12)
    assert np.all(hs <= np.maximum(f, g) + 1e-12)


@pytest.mark.parametrize(
    "options", [{}, {"activation": "scaled_tanh", "dt": 0.4}, {"mode": "no_gate"}], ids=str
)
@pytest.mark.parametrize("last_only", [False, True])
def test_every_gradient_agrees_with_central_differences(options, last_only):
    central_differences(Recurrent(drawn(**options), last_only), np.random.default_rng(3))


@pytest.mark.parametrize("activation", ["tanh", "scaled_tanh"])
@pytest.mark.parametrize("ops, atol", [(FLOAT, 1e-13), (FLOAT32, 1e-5)])
def test_the_fast_way_is_the_cell(activation, ops, atol):
    rng = np.random.default_rng(0)
    cell = drawn(activation=activation, dt=0.4, ops=ops)
    zs, state = (
        cell.project(ops.number(rng.normal(size=(7, 3, 2))), ops),
        (ops.number(rng.normal(size=(3, 3))),),
    )
    for fast, plain in zip(cell.run(zs, state, ops), Cell.run(cell, zs, state, ops)):
        for a, b in zip(fast, plain, strict=True):
            np.testing.assert_allclose(a, b, atol=atol)
            assert a.dtype == b.dtype == ops.dtype


def test_independent_cells_run_side_by_side():
    rng = np.random.default_rng(0)
    side_by_side(CfC.draw(rng, 2, 3, 4, seeds=(5,)), rng.normal(size=(4, 2, 2)), 5)


@pytest.mark.parametrize("q, rounding, overflow", FORMATS, ids=str)
@pytest.mark.parametrize("reach", [1.0, 30.0])  # 30: sums pass the range of Q8.8
def test_codes_equal_a_scalar_implementation(q, rounding, overflow, reach):
    rng = np.random.default_rng(5)
    ops = Fixed(q, rounding, overflow)
    cell = drawn(1, dt=0.7, ops=ops)
    xs = ops.number(rng.uniform(-reach, reach, (5, 2, 2)))
    targets = ops.number(rng.uniform(-1, 1, (5, 2, 3)))
    codes_equal(cell, ops, scalar.cfc, xs, targets, dt=q.to_raw(0.7))


@pytest.mark.parametrize("ops", [FLOAT, Fixed(QFormat(16, 16))], ids=["float", "Q16.16"])
def test_slow_and_fast_waves_are_told_apart(ops):
    rng = np.random.default_rng(2)
    xs, targets = slow_and_fast(rng)
    cell = Recurrent(CfC.draw(rng, 1, 5, 8, ops), last_only=True)
    net = Network((cell, Dense.draw(rng, 5, 1, "sigmoid", ops)))
    net, _ = train(net, xs, targets, "squared", Adam(learning_rate=0.02), ops, 60, batch_size=16, rng=rng)
    fresh, answers = slow_and_fast(np.random.default_rng(9))
    assert np.mean((net.predict(fresh, ops) > 0.5) == answers) >= 0.95


def test_options_are_refused_by_name():
    arrays = drawn().arrays
    with pytest.raises(ValueError, match="activation must be one of tanh, scaled_tanh, got 'relu'"):
        CfC(**arrays, activation="relu")
    with pytest.raises(ValueError, match="mode must be one of default, no_gate, got 'pure'"):
        CfC(**arrays, mode="pure")
    with pytest.raises(ValueError, match="dt must not be negative"):
        CfC(**arrays, dt=-1.0)
    with pytest.raises(ValueError, match=r"w_heads must have the shape \(4, 12\), got \(4, 9\)"):
        CfC(**arrays | {"w_heads": np.ones((4, 9))})
