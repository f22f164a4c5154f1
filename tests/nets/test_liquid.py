"""LTC cells: published counts, ncps values, closed-form limits, a second integer implementation, learning."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nets import scalar
from tests.nets.roads import codes_equal, side_by_side
from tests.nets.test_recurrent import FORMATS
from tests.nets.test_scan import central_differences
from tinylib.cost import sequence
from tinylib.formats.qformat import QFormat
from tinylib.nets.arithmetic import FLOAT, FLOAT32, Fixed
from tinylib.nets.dense import Dense
from tinylib.nets.liquid import LEAST, LTC, Affine, SynapticLTC
from tinylib.nets.network import Network
from tinylib.nets.optimizers import Adam
from tinylib.nets.scan import Cell, Recurrent, scan, scan_back
from tinylib.nets.train import train

CASES = json.loads((Path(__file__).parent / "data" / "liquid.json").read_text())["cases"]
KINDS = pytest.mark.parametrize("kind", [LTC, SynapticLTC])
NEURON = ("gleak", "vleak", "cm")


def ours(name):
    """Our name of an array of ncps: sensory_mu is mu_in."""
    sensory = name.startswith("sensory_")
    return name if name in NEURON else f"{name.removeprefix('sensory_')}_{'in' if sensory else 'rec'}"


def circuit(case):
    """A network with the weights of an ncps cell: affine maps around it where it has them."""
    arrays = {name: np.array(a) for name, a in case["arrays"].items()}
    maps = [
        Affine(arrays.pop(f"{end}_w"), arrays.pop(f"{end}_b")) if f"{end}_w" in arrays else None
        for end in ("input", "output")
    ]
    cell = SynapticLTC(
        **{ours(name): a for name, a in arrays.items()}, dt=case["dt"], unfolds=case["unfolds"]
    )
    return Network(tuple(part for part in (maps[0], Recurrent(cell), maps[1]) if part))


def cases(kind):
    return [case for case in CASES if case["kind"] == kind]


@pytest.mark.parametrize("case", cases("SynapticLTC"), ids=lambda c: f"{len(c['arrays'])} arrays")
def test_the_synaptic_form_has_values_and_gradients_of_ncps(case):  # benchmarks/reference/recurrent.py
    net = circuit(case)
    y, tape = net.forward(np.array(case["xs"]))
    np.testing.assert_allclose(y, case["hs"], rtol=1e-6, atol=1e-9)  # ncps adds 1e-8 to the denominator
    dx, grads = net.back(tape, np.array(case["delta"]))
    np.testing.assert_allclose(dx, case["dxs"], rtol=1e-6, atol=1e-7)
    found = {}
    for part, g in zip(net.parts, grads, strict=True):
        end = "input" if part is net.parts[0] else "output"
        names = {"scale": f"{end}_w", "shift": f"{end}_b"} if isinstance(part, Affine) else {}
        found |= {names.get(name, name): a for name, a in g.items()}
    for name, want in case["grads"].items():
        key = name if name.startswith(("input", "output")) else ours(name)
        np.testing.assert_allclose(found.pop(key), want, rtol=1e-6, atol=1e-7, err_msg=name)
    assert not found


def test_the_neuron_form_has_values_and_gradients_of_autograd():  # benchmarks/reference/recurrent.py
    (case,) = cases("LTC")
    cell = LTC(**{n: np.array(a) for n, a in case["arrays"].items()}, dt=case["dt"], unfolds=case["unfolds"])
    hs, tape = scan(cell, np.array(case["xs"]))
    dx, grads, _ = scan_back(cell, tape, np.array(case["delta"]))
    np.testing.assert_allclose(hs, case["hs"], atol=1e-12)
    np.testing.assert_allclose(dx, case["dxs"], atol=1e-12)
    for name, want in case["grads"].items():
        np.testing.assert_allclose(grads[name], want, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("n, m, count, circuits", [(2, 3, 24, 79), (4, 8, 120, 432)])
def test_counts_match_published_tables(n, m, count, circuits):  # tinymind docs/size-comparison.md; ncps
    rng = np.random.default_rng(0)
    cell, synapses = LTC.draw(rng, n, m), SynapticLTC.draw(rng, n, m)
    assert cell.count == cell.layer.params == count
    assert synapses.count == synapses.layer.params == 4 * m * (n + m) + 3 * m
    net = Network((Affine.draw(rng, n), Recurrent(synapses), Affine.draw(rng, m)))
    assert net.count == net.model((5, n)).params == circuits


def silent(tau, dt, unfolds):
    """One neuron whose gate is shut."""
    w = np.zeros((1, 1))
    return LTC(w, w, np.array([-100.0]), np.array([tau]), np.ones(1), dt, unfolds)


def test_silent_neuron_decays_exponentially():  # f = 0 leaves dx/dt = -x / tau
    hs, _ = scan(silent(0.5, 1.0, 10_000), np.zeros((1, 1, 1)), state=(np.ones((1, 1)),))
    np.testing.assert_allclose(hs.item(), np.exp(-1.0 / 0.5), rtol=1e-3)


def test_one_open_neuron_by_hand():  # f = 1/2, h = 1: s' = (0 + 1/2 * 3) / (1 + 1/2 + 1/2)
    w = np.zeros((1, 1))
    hs, _ = scan(LTC(w, w, np.zeros(1), np.array([2.0]), np.array([3.0]), 1.0, 1), np.zeros((1, 1, 1)))
    assert hs.item() == 0.75


def test_an_unconnected_circuit_leaks_to_its_potential():  # w = 0: v' = (c v + g v0) / (c + g), c = cm / h
    shut = {
        f"{name}_{end}": np.zeros((1, 1)) for name in ("w", "mu", "sigma", "erev") for end in ("in", "rec")
    }
    cell = SynapticLTC(
        **shut, gleak=np.ones(1), vleak=np.array([0.25]), cm=np.array([2.0]), dt=1.0, unfolds=1
    )
    hs, _ = scan(cell, np.zeros((60, 1, 1)))
    assert hs[0].item() == pytest.approx(0.25 / 3)
    assert hs[-1].item() == pytest.approx(0.25)


@KINDS
@given(seed=st.integers(0, 999), dt=st.floats(1e-3, 1e3))
def test_state_stays_bounded_for_any_step(kind, seed, dt):
    rng = np.random.default_rng(seed)
    cell = kind.draw(rng, 2, 3, dt=dt, unfolds=2)
    hs, _ = scan(cell, 10 * rng.normal(size=(5, 2, 2)))
    reach = np.abs(cell.a).max() if kind is LTC else 1.0  # reversal values are -1 and 1, vleak lies between
    assert np.abs(hs).max() <= reach + 1e-12


@KINDS
@pytest.mark.parametrize("dt, unfolds", [(1.0, 6), (0.4, 1)])
def test_every_gradient_agrees_with_central_differences(kind, dt, unfolds):
    rng = np.random.default_rng(3)
    central_differences(Recurrent(kind.draw(rng, 2, 3, dt=dt, unfolds=unfolds)), rng, (3, 2))
    central_differences(Recurrent(kind.draw(rng, 2, 2, dt=dt, unfolds=unfolds), last_only=True), rng, (3, 2))


def test_gradients_of_the_affine_map_are_summed_over_time_and_batch():
    rng = np.random.default_rng(0)
    part, x = Affine(rng.normal(size=3), rng.normal(size=3)), rng.normal(size=(4, 2, 3))
    y, tape = part.forward(x)
    dx, grads = part.back(tape, y)
    np.testing.assert_allclose(grads["shift"], y.sum((0, 1)))
    np.testing.assert_allclose(grads["scale"], (x * y).sum((0, 1)))
    np.testing.assert_allclose(dx, y * part.scale)


@pytest.mark.parametrize("ops, atol", [(FLOAT, 1e-12), (FLOAT32, 2e-5)])
@pytest.mark.parametrize("batch", [1, 3])
def test_the_fast_circuit_is_the_circuit(ops, atol, batch):
    rng = np.random.default_rng(0)
    cell = SynapticLTC.draw(rng, 2, 5, ops)
    zs, state = cell.project(ops.number(rng.normal(size=(4, batch, 2))), ops), cell.start((batch,), ops)
    for fast, plain in zip(cell.run(zs, state, ops), Cell.run(cell, zs, state, ops)):
        for a, b in zip(fast, plain, strict=True):
            np.testing.assert_allclose(a, b, rtol=atol, atol=atol)
            assert a.dtype == b.dtype == ops.dtype


@KINDS
def test_independent_cells_run_side_by_side(kind):
    rng = np.random.default_rng(0)
    side_by_side(kind.draw(rng, 2, 3, seeds=(4,)), rng.normal(size=(3, 2, 2)), 4)


@KINDS
@pytest.mark.parametrize("q, rounding, overflow", FORMATS, ids=str)
def test_codes_equal_a_scalar_implementation(kind, q, rounding, overflow):
    rng = np.random.default_rng(5)
    ops = Fixed(q, rounding, overflow)
    cell = kind.draw(rng, 2, 3, ops, dt=0.9, unfolds=2)
    xs = ops.number(rng.uniform(-1, 1, (3, 2, 2)))
    targets = ops.number(rng.uniform(-1, 1, (3, 2, 3)))
    step = scalar.ltc if kind is LTC else scalar.synaptic
    codes_equal(cell, ops, step, xs, targets, h=q.to_raw(0.45), unfolds=2)


def slow_and_fast(rng, samples=64, time=12):
    """Sines of a long or a short period at any phase (time, samples, 1), and which it is (samples, 1)."""
    fast = np.arange(samples) % 2
    angle = 2 * np.pi * np.arange(time)[:, None] / np.where(fast, 4.0, 12.0) + rng.uniform(0, 6, samples)
    return np.sin(angle)[..., None], fast[:, None].astype(float)


@pytest.mark.parametrize("kind, rate", [(LTC, 0.05), (SynapticLTC, 0.02)])
def test_slow_and_fast_waves_are_told_apart(kind, rate):
    rng = np.random.default_rng(2)
    xs, targets = slow_and_fast(rng)
    cell = Recurrent(kind.draw(rng, 1, 6, dt=1.0, unfolds=3), last_only=True)
    net = Network((cell, Dense.draw(rng, 6, 1, "sigmoid")))
    net, _ = train(net, xs, targets, "squared", Adam(learning_rate=rate), epochs=60, batch_size=16, rng=rng)
    fresh, answers = slow_and_fast(np.random.default_rng(9))
    assert np.mean((net.predict(fresh) > 0.5) == answers) >= 0.95


def test_training_cannot_make_time_run_backwards():
    cell = LTC.draw(np.random.default_rng(0), 1, 2)
    assert cell.with_arrays({"tau": np.array([-1.0, 0.5])}).tau.tolist() == [LEAST, 0.5]
    assert cell.with_arrays({"tau": np.array([-5, 7])}).tau.tolist() == [1, 7]
    circuit = SynapticLTC.draw(np.random.default_rng(0), 1, 1)
    held = circuit.with_arrays(
        {"w_in": np.array([[-1.0]]), "cm": np.array([0.0]), "mu_in": np.array([[-2.0]])}
    )
    assert (held.w_in.item(), held.cm.item(), held.mu_in.item()) == (0, LEAST, -2)


def test_meaningless_parameters_are_refused_with_a_reason():
    with pytest.raises(ValueError, match="tau must be positive"):
        silent(-1.0, 1.0, 1)
    with pytest.raises(ValueError, match="dt must be positive"):
        silent(1.0, 0.0, 1)
    with pytest.raises(ValueError, match="unfolds must lie between 1"):
        silent(1.0, 1.0, 0)
    cell = SynapticLTC.draw(np.random.default_rng(0), 1, 2)
    with pytest.raises(ValueError, match="w_in must not be negative: it is a conductance"):
        SynapticLTC(**cell.arrays | {"w_in": -cell.w_in})
    with pytest.raises(ValueError, match=r"mu_rec must have the shape \(2, 2\), got \(1, 2\)"):
        SynapticLTC(**cell.arrays | {"mu_rec": cell.mu_in})


@KINDS
def test_a_time_step_without_a_code_is_refused(kind):
    ops = Fixed(QFormat(8, 8))
    cell = kind.draw(np.random.default_rng(0), 1, 2, ops, dt=0.006)
    with pytest.raises(ValueError, match="dt / unfolds must not round to 0: time would stand still"):
        scan(cell, ops.number(np.ones((1, 1, 1))), ops)


def test_the_layers_count_work_per_unfold():
    cell = LTC.draw(np.random.default_rng(0), 2, 3, unfolds=5)
    assert cell.layer == sequence.LTC(2, 3, 5, input_once=True)
    assert cell.layer.macs((7, 2)) == 7 * (3 * 2 + 5 * 3 * 3)
