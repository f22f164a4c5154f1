"""Training on the device: the weights of the compiled C are those of Python after every step."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinylib.deploy import c99, c99_train, host
from tinylib.formats.qformat import QFormat
from tinylib.nets import Dense, Fixed, Network, mlp, one_net
from tinylib.nets.optimizers import SGD, Adam
from tinylib.nets.recurrent import Elman
from tinylib.nets.scan import Recurrent

EXAMPLE = Path(__file__).parents[1] / "golden" / "xor_example.json"
SETTINGS = SGD(0.25, momentum=0.5, acceleration=0.0625)
DEAD_ZONE = 2.0**-7
Q16_16 = Fixed(QFormat(16, 16))


@pytest.fixture(scope="module")
def example():
    """The XOR run of danmcleran/tinymind: initial and final weights, and its 20,000 samples."""
    return json.loads(EXAMPLE.read_text())["cases"][0]


def start(example):
    """The network of the example: 2-4-1, tanh and sigmoid; w row by row, then b, layer by layer."""
    raw = np.array(example["initial_weights_raw"])
    w1, b1, w2, b2 = np.split(raw, [8, 12, 16])
    return Network((Dense(w1.reshape(2, 4), b1, "tanh"), Dense(w2.reshape(4, 1), b2, "sigmoid")))


def samples(example):
    """Codes (20000, 2) of inputs and (20000, 1) of targets: digit 2 x + y."""
    digits = np.array([int(d) for d in example["samples"]])
    xs = np.stack((digits >> 1, digits & 1), 1) << 16
    return xs, xs[:, :1] ^ xs[:, 1:]


def flat(net):
    return np.concatenate([np.concatenate((p.w.ravel(), p.b.ravel())) for p in net.parts])


def test_weights_after_20000_steps_are_those_of_the_reference_library(cc, example):
    net = start(example)
    made = c99.export(net, Q16_16, "xor", trainable=True, optimizer=SETTINGS, dead_zone=DEAD_ZONE)
    library = host.Library(made)
    xs, ts = samples(example)
    losses = library.train(xs, ts)
    learnt = net.with_arrays(c99_train.shaped(library.weights, net))
    assert flat(learnt).tolist() == example["final_weights_raw"]
    assert np.sum(losses >= Q16_16.number(DEAD_ZONE)) == example["trained_steps"]
    cases = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) << 16
    assert library.run(cases)[:, 0].tolist() == example["predictions_00_01_10_11_raw"]


CASES = [
    (SGD(0.125), ((3, 5, 4, 2), "tanh", "sigmoid")),
    (SGD(0.25, momentum=0.5), ((2, 6, 1), "relu", "linear")),
    (SGD(0.0625, momentum=0.5, acceleration=0.125), ((4, 3), "tanh", "tanh")),
]
RULES = [
    ("floor", "wrap"),
    ("nearest", "saturate"),
    ("nearest", "saturate", "wide"),
    ("toward_zero", "wrap", "wide"),
]


@pytest.mark.parametrize("rules", RULES, ids="-".join)
@pytest.mark.parametrize("q", [QFormat(16, 16), QFormat(6, 9)], ids=str)
@pytest.mark.parametrize("optimizer, layout", CASES, ids=["plain", "momentum", "acceleration"])
def test_training_equals_python_step_by_step(cc, q, rules, optimizer, layout):
    ops, rng = Fixed(q, *rules), np.random.default_rng(1)
    sizes, hidden, output = layout
    net = mlp(sizes, hidden, output, rng, ops, limit=1.0)
    xs, ts = rng.uniform(-3, 3, (1_000, sizes[0])), rng.uniform(-1, 1, (1_000, sizes[-1]))
    made = c99.export(net, ops, "net", trainable=True, optimizer=optimizer, dead_zone=0.0625, vectors=4)
    library = host.Library(made, flags=("-O1",))
    losses = library.train(ops.number(xs), ops.number(ts))
    settings = {"optimizer": optimizer, "ops": ops, "dead_zone": 0.0625, "keep_steps": True}
    learnt, history = one_net.train(net, xs, ts, **settings)
    assert np.array_equal(library.weights, c99_train.codes(learnt))
    assert np.array_equal(losses, ops.number(np.array(history.steps)))
    assert 0 < history.updates < 1_000


def test_own_test_trains_under_the_sanitizers(cc):
    net = mlp((3, 5, 4, 2), rng=np.random.default_rng(0), ops=Q16_16)
    made = c99.export(net, Q16_16, "net", trainable=True, optimizer=SETTINGS, vectors=64)
    assert host.tested(made) == "net: 0 codes differ\n"


def test_many_weights_without_a_bend_compile_without_a_warning(cc):
    net = mlp((30, 30), output="linear", rng=np.random.default_rng(0), ops=Q16_16)
    made = c99.export(net, Q16_16, "net", trainable=True, optimizer=SETTINGS, vectors=2)
    assert host.tested(made, flags=()) == "net: 0 codes differ\n"


def test_plot_draws_every_weight_the_loss_and_the_output(cc, tmp_path):
    data = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
    net = mlp((2, 4, 1), rng=np.random.default_rng(0), ops=Q16_16, limit=1.0)
    made = c99.export(net, Q16_16, "xor", trainable=True, optimizer=SETTINGS, data=data)
    made.write(tmp_path)
    subprocess.run([cc, "-o", "xor_test", "xor.c", "xor_test.c"], cwd=tmp_path, check=True)
    table = subprocess.run(
        [tmp_path / "xor_test", "table"], capture_output=True, text=True, check=True
    ).stdout
    head, *rows = table.splitlines()
    assert head.split(",") == ["step", "y_0", "loss", *(f"w_{i}" for i in range(17))]
    assert len(rows) == 2_000
    learnt, history = one_net.train(net, *data, SETTINGS, Q16_16, epochs=500, keep_steps=True)
    found = np.array([row.split(",") for row in rows], float)
    assert found[:, 2] == pytest.approx(history.steps, rel=1e-5)
    assert found[-1, 3:] == pytest.approx(Q16_16.values(c99_train.codes(learnt)), rel=1e-5)
    (tmp_path / "xor.csv").write_text(table)
    pytest.importorskip("matplotlib")
    subprocess.run([sys.executable, "xor_plot.py", "xor.csv", "xor.svg"], cwd=tmp_path, check=True)
    assert (tmp_path / "xor.svg").read_text().count('<g id="axes_') == 3


def test_data_of_another_size_is_refused():
    with pytest.raises(ValueError, match="data must fit the network, 2 to 1"):
        data = np.zeros((4, 3)), np.zeros((4, 1))
        c99.export(mlp((2, 1), ops=Q16_16), Q16_16, "net", trainable=True, data=data)


def test_only_what_the_optimizer_needs_is_kept():
    net = mlp((2, 4, 1), ops=Q16_16)
    plain = c99.export(net, Q16_16, "net", trainable=True, optimizer=SGD()).source
    moving = c99.export(net, Q16_16, "net", trainable=True, optimizer=SGD(momentum=0.5)).source
    assert "last[" not in plain and "before[" not in plain
    assert "last[17]" in moving and "before[" not in moving


def test_order_of_weights_can_be_undone():
    net = mlp((3, 5, 2), ops=Q16_16, limit=1.0)
    back = c99_train.shaped(c99_train.codes(net), net)
    assert all(np.array_equal(a[n], b[n]) for a, b in zip(back, net.arrays) for n in ("w", "b"))


@pytest.mark.parametrize(
    "net, options, sentence",
    [
        (
            Network((Recurrent(Elman.draw(np.random.default_rng(0), 2, 2, Q16_16)),)),
            {},
            "trainable part must be",
        ),
        (mlp((2, 2), "tanh", "gelu", ops=Q16_16), {}, "trainable part must be Dense with"),
        (mlp((2, 2), ops=Q16_16), {"optimizer": Adam()}, "optimizer must be SGD"),
        (mlp((2, 2), ops=Q16_16), {"optimizer": SGD(l2=0.5)}, "momentum and acceleration alone"),
        (mlp((2, 2), ops=Q16_16), {"optimizer": SGD(1e-9)}, "learning_rate must not round to 0"),
    ],
)
def test_what_cannot_learn_in_c_is_refused(net, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        c99.export(net, Q16_16, "net", trainable=True, **options)
