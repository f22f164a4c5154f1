"""Weights from torch: three kinds of files, equal outputs, equal codes after quantizing, clear refusals."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from tests.nets import scalar
from tinylib.formats.qformat import QFormat
from tinylib.nets import load
from tinylib.nets.arithmetic import Fixed
from tinylib.nets.dense import Dense
from tinylib.nets.recurrent import GRU, LSTM
from tinylib.nets.scan import Recurrent, scan

DATA = Path(__file__).parent / "data"
ANSWERS = json.loads((DATA / "load.json").read_text())["cases"]
FILES = {"mlp": "load_mlp.txt", "lstm": "load_lstm.npz", "gru": "load_gru"}


def network(kind, **options):
    return load.network(DATA / FILES[kind], **({"output": "sigmoid"} if kind == "mlp" else {}), **options)


def torch_lstm(n=2, m=3, layer=0):
    shapes = {"weight_ih": (4 * m, n), "weight_hh": (4 * m, m), "bias_ih": (4 * m,), "bias_hh": (4 * m,)}
    rng = np.random.default_rng(0)
    return {f"{name}_l{layer}": rng.uniform(-1, 1, shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_runs_as_in_torch(kind):  # benchmarks/reference/recurrent.py
    y = network(kind).predict(ANSWERS[kind]["xs"])
    np.testing.assert_allclose(y, ANSWERS[kind]["y"], atol=1e-12)


def test_parts_are_what_the_file_holds():
    assert [type(part.cell) for part in network("gru").parts[:-1]] == [GRU, GRU]
    assert [part.last_only for part in network("gru").parts[:-1]] == [False, True]
    assert [part.activation for part in network("mlp").parts] == ["tanh", "sigmoid"]
    assert type(network("lstm").parts[0].cell) is LSTM
    assert network("mlp").count == 17
    assert network("gru").count == network("gru").model((6, 2)).params == 45 + 18 + 54 + 18 + 4


def test_all_states_may_be_wanted():
    net = load.network(torch_lstm(), last_only=False)
    assert net.predict(np.zeros((5, 2, 2))).shape == (5, 2, 3)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("q", [QFormat(16, 16), QFormat(8, 8)], ids=str)
@pytest.mark.parametrize("policy", [("floor", "wrap"), ("nearest", "saturate")], ids=str)
def test_a_quantized_network_equals_a_scalar_implementation(kind, q, policy):
    ops, numbers = Fixed(q, *policy), scalar.Q(q, *policy)
    net = network(kind, ops=ops)
    xs = ops.number(np.array(ANSWERS[kind]["xs"]))
    y, _ = net.forward(xs, ops)
    samples = xs.swapaxes(0, 1) if kind != "mlp" else xs
    for sample, want in zip(samples.tolist(), y.tolist(), strict=True):
        assert run(numbers, net, sample) == want


def run(q, net, h):
    """One sample or sequence through the parts, number by number."""
    for part in net.parts:
        p = {name: a.tolist() for name, a in part.arrays.items()}
        if isinstance(part, Dense):
            sums = (q.add(b, s) for b, s in zip(p["b"], q.product(h, p["w"]), strict=True))
            h = [s if part.activation == "linear" else q.look(part.activation, s) for s in sums]
        else:
            step = {LSTM: scalar.lstm, GRU: scalar.gru}[type(part.cell)]
            h = step(q, p, h, lambda hs: [[0] * len(hs[0])] * len(hs))[0]
            h = h[-1] if part.last_only else h
    return h


@pytest.mark.parametrize("kind, bits, worst", [("mlp", 16, 0.01), ("lstm", 16, 0.01), ("gru", 16, 0.01)])
def test_a_quantized_network_stays_close(kind, bits, worst):
    ops = Fixed(QFormat(16, bits))
    found = network(kind, ops=ops).predict(ANSWERS[kind]["xs"], ops)
    assert np.abs(found - ANSWERS[kind]["y"]).max() < worst


def test_without_biases_there_are_zeros():
    arrays = {name: a for name, a in torch_lstm().items() if name.startswith("weight")}
    assert not load.cell(arrays).b.any()
    assert not load.dense({"weight": np.ones((2, 3))}).b.any()


def test_the_update_gate_of_torch_is_turned_round():  # z of torch is the share of the old state
    zeros = {"weight_ih_l0": np.zeros((3, 1)), "weight_hh_l0": np.zeros((3, 1)), "bias_hh_l0": np.zeros(3)}
    cell = load.cell(zeros | {"bias_ih_l0": np.array([0.0, 50.0, 0.0])})
    np.testing.assert_allclose(scan(cell, np.zeros((3, 1, 1)), state=(np.full((1, 1), 0.5),))[0], 0.5)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"weight_ih_l0": np.ones((11, 2))}, r"weight_ih_l0 must have the shape 12 x any, got \(11, 2\)"),
        ({"bias_hh_l0": np.ones(3)}, r"bias_hh_l0 must have the shape 12, got \(3,\)"),
        (
            {"weight_hh_l0": np.ones((6, 3))},
            r"weight_hh_l0 must have 1, 3 or 4 square blocks .*, got \(6, 3\)",
        ),
        ({"weight_hh_l0": np.full((12, 3), np.nan)}, r"weight_hh_l0 must be finite: .*, shape \(12, 3\)"),
        ({"weight_ih_l0": np.array([["a"]])}, "weight_ih_l0 must be an array of real numbers"),
        ({"weight_hr_l0": np.ones((2, 3))}, "weight_hr_l0 must belong to a Linear, RNN, GRU or LSTM"),
        ({"weight_ih_l0_reverse": np.ones((12, 2))}, "weight_ih_l0_reverse must belong to"),
        ({"fc.weight": np.ones((1, 4))}, "fc.weight must take the 3 features of the layer before, got 4"),
        ({"fc.weight": np.ones((1, 3)), "fc.bias": np.ones(2)}, r"fc.bias must have the shape 1, got \(2,\)"),
        ({"fc.bias": np.ones(2)}, "fc.weight must be there, got weight_ih_l0"),
    ],
    ids=lambda v: next(iter(v)) if isinstance(v, dict) else "",
)
def test_what_does_not_fit_is_refused_by_name_rule_and_shape(change, message):
    with pytest.raises(ValueError, match=message):
        load.network(torch_lstm() | change)


def test_a_missing_array_is_named():
    arrays = torch_lstm()
    del arrays["bias_hh_l0"]
    with pytest.raises(ValueError, match="bias_hh_l0 must be there"):
        load.network(arrays)
    with pytest.raises(ValueError, match="must hold the arrays of a network, got none"):
        load.network({})


def test_nothing_is_unpickled(tmp_path):
    trap = tmp_path / "net.npz"

    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "went_off",))

    np.savez(trap, weight=np.array([Bomb()], dtype=object))
    with pytest.raises(ValueError, match=r"net.npz must hold arrays of numbers alone"):
        load.read(trap)
    checkpoint = tmp_path / "net.pt"
    checkpoint.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match=r"a checkpoint of torch is a pickle, .* got 'net.pt'"):
        load.read(checkpoint)
    checkpoint.rename(trap)
    with pytest.raises(ValueError, match=r"net.npz must hold arrays of numbers alone"):
        load.read(trap)
    assert not (tmp_path / "went_off").exists()


@pytest.mark.parametrize(
    "text, message",
    [
        ("1.0\n2.0\n", "line 1 must follow a line with a name and a shape"),
        ("weight 1 2\n1.0\n", r"weight must have as many values as its shape \(1, 2\) says, got 1"),
        ("weight 1 2\n1.0\nx\n", "line 3 must name a new array and its shape, got 'x'"),
        ("weight 1 2\n1.0 2.0\nweight 1 2\n", "line 3 must name a new array"),
        ("weight 1 2\n1.0 nan\n", r"weight must be finite: .*, shape \(1, 2\)"),
        ("weight 1 2\n1.0 two\n", "weight must hold numbers, got 'two'"),
        ("", "must hold the arrays of a network, got none"),
    ],
)
def test_broken_text_is_refused_by_line_or_name(text, message, tmp_path):
    path = tmp_path / "net.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load.read(path)


def test_a_folder_of_values_finds_its_shapes(tmp_path):
    (tmp_path / "0.weight.txt").write_text("1 2 3\n4 5 6\n")
    with pytest.raises(
        ValueError, match=r"0.weight must be rows of equal length, one for each value of 0.bias"
    ):
        load.read(tmp_path)
    (tmp_path / "0.bias.txt").write_text("7\n8\n")
    (tmp_path / "10.weight.txt").write_text("1 2\n")
    (tmp_path / "10.bias.txt").write_text("1\n")
    arrays = load.read(tmp_path)
    assert [*arrays] == ["0.bias", "0.weight", "10.bias", "10.weight"]
    np.testing.assert_array_equal(arrays["0.weight"], [[1, 2, 3], [4, 5, 6]])
    net = load.network(tmp_path, hidden="relu")
    assert net.predict(np.array([[1.0, 0, 0]])).tolist() == [[1 * 8 + 2 * 12 + 1]]
    assert not any(isinstance(part, Recurrent) for part in net.parts)
