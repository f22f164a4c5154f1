"""Exported networks: every code of the compiled C equals that of Python, without a warning."""

import shutil
import subprocess

import numpy as np
import pytest

import tinylib.nets as nets
from tinylib.deploy import c99, host
from tinylib.deploy.c99_test import answers, draw
from tinylib.formats import lut
from tinylib.formats.qformat import QFormat
from tinylib.nets import Dense, Fixed, Network, Recurrent, mlp
from tinylib.nets.liquid import Affine

SAMPLES = 1_000
Q16_16, Q8_8, Q4_12, Q5_9, Q4_4 = (QFormat(*bits) for bits in ((16, 16), (8, 8), (4, 12), (5, 9), (4, 4)))
ARITHMETICS = {
    "Q16.16 floor wrap": Fixed(Q16_16),
    "Q16.16 nearest saturate": Fixed(Q16_16, "nearest", "saturate"),
    "Q16.16 nearest wide saturate": Fixed(Q16_16, "nearest", "saturate", "wide"),
    "Q8.8 floor wrap": Fixed(Q8_8),
    "Q8.8 nearest wrap wide": Fixed(Q8_8, "nearest", "wrap", "wide"),
    "Q8.8 nearest saturate wide": Fixed(Q8_8, "nearest", "saturate", "wide"),
    "Q4.12 nearest saturate": Fixed(Q4_12, "nearest", "saturate"),
    "Q5.9 toward_zero wrap": Fixed(Q5_9, "toward_zero", "wrap"),
    "Q4.4 nearest saturate wide": Fixed(Q4_4, "nearest", "saturate", "wide"),
}
FEW = ("Q16.16 floor wrap", "Q8.8 nearest saturate wide", "Q5.9 toward_zero wrap")
IMAGE, SIGNAL = (6, 5, 3), (9, 3)


def rows(*parts):
    return Network(parts)


NETWORKS = {  # name: (parts by rng and arithmetic, shape of a sample)
    "dense": (lambda r, o: mlp((3, 5, 4, 2), "tanh", "sigmoid", r, o, 1.5), (3,)),
    "relu": (lambda r, o: mlp((3, 7, 2), "relu", "linear", r, o, 1.5), (3,)),
    "binary": (
        lambda r, o: rows(
            nets.BinaryDense.draw(r, 37, 9, o, scaled=True, activation="tanh"),
            nets.BinaryDense.draw(r, 9, 3, o),
        ),
        (37,),
    ),
    "ternary": (
        lambda r, o: rows(
            nets.TernaryDense.draw(r, 19, 9, o, scaled=True, activation="relu"),
            nets.TernaryDense.draw(r, 9, 2, o),
        ),
        (19,),
    ),
    "affine": (
        lambda r, o: rows(
            Affine(o.number(r.normal(0, 1, 3)), o.number(r.normal(0, 1, 3))), Dense.draw(r, 3, 2, "linear", o)
        ),
        (3,),
    ),
    "elman": (
        lambda r, o: rows(Recurrent(nets.Elman.draw(r, 3, 4, o)), Dense.draw(r, 4, 2, "tanh", o)),
        (3,),
    ),
    "lstm": (
        lambda r, o: rows(
            Dense.draw(r, 2, 3, "tanh", o),
            Recurrent(nets.LSTM.draw(r, 3, 4, o)),
            Recurrent(nets.LSTM.draw(r, 4, 2, o), last_only=True),
        ),
        (2,),
    ),
    "gru": (
        lambda r, o: rows(Recurrent(nets.GRU.draw(r, 3, 4, o), last_only=True), Dense.draw(r, 4, 1, ops=o)),
        (3,),
    ),
    "cfc": (lambda r, o: rows(Recurrent(nets.CfC.draw(r, 3, 4, 6, o, dt=0.5))), (3,)),
    "cfc no gate": (
        lambda r, o: rows(Recurrent(nets.CfC.draw(r, 3, 4, 6, o, activation="scaled_tanh", mode="no_gate"))),
        (3,),
    ),
    "ltc": (
        lambda r, o: rows(Recurrent(nets.LTC.draw(r, 3, 4, o, unfolds=3)), Dense.draw(r, 4, 2, ops=o)),
        (3,),
    ),
    "synaptic ltc": (lambda r, o: rows(Recurrent(nets.SynapticLTC.draw(r, 3, 4, o, unfolds=2))), (3,)),
    "large image": (
        lambda r, o: rows(nets.Conv2D.draw(r, 3, 4, 3, "relu", o), nets.MaxPool2D(2), nets.GlobalMaxPool2D()),
        (12, 11, 3),
    ),
    "kan": (lambda r, o: rows(nets.KAN.draw(r, 3, 4, 4, 3, o), nets.KAN.draw(r, 4, 2, 3, 1, o)), (3,)),
    "conv": (
        lambda r, o: rows(
            nets.Conv2D.draw(r, 3, 4, (3, 2), "tanh", o, padding="same", stride=(2, 1)),
            nets.DepthwiseConv2D.draw(r, 4, 3, "relu", o, multiplier=2, padding="same", dilation=1),
            nets.PointwiseConv2D.draw(r, 8, 5, "sigmoid", o),
            nets.Flatten(),
            nets.Dropout(50),
            Dense.draw(r, 75, 3, ops=o),
        ),
        IMAGE,
    ),
    "pools": (
        lambda r, o: rows(
            nets.MaxPool2D(2, 1, padding="same"),
            nets.AvgPool2D((3, 2), 1, padding="same"),
            nets.Conv2D.draw(r, 3, 2, 2, ops=o, dilation=2),
            nets.GlobalAvgPool2D(),
            Dense.draw(r, 2, 2, "tanh", o),
        ),
        IMAGE,
    ),
    "global max": (lambda r, o: rows(nets.Conv2D.draw(r, 3, 2, 3, ops=o), nets.GlobalMaxPool2D()), IMAGE),
    "signal": (
        lambda r, o: rows(
            nets.Conv1D.draw(r, 3, 4, 3, "tanh", o, stride=2),
            nets.MaxPool1D(2),
            nets.AvgPool1D(2),
            nets.Flatten(),
            Dense.draw(r, 4, 2, ops=o),
        ),
        SIGNAL,
    ),
}
BENDS = ("elu", "gelu", "silu", "scaled_tanh")


def made(name, ops, **options):
    build, shape = NETWORKS[name]
    net = build(np.random.default_rng(3), ops)
    return net, shape, c99.export(net, ops, "net", in_shape=shape, **options)


def differing(net, ops, shape, sources, samples=SAMPLES):
    """Codes that differ between Python and C over random samples, some at the ends of the format."""
    xs = draw(ops, shape, samples, seed=5)
    wanted = answers(net, ops, xs)
    assert len(np.unique(wanted)) > 2, "a constant would prove nothing"
    return np.sum(host.Library(sources, flags=("-O1",)).run(xs.reshape(samples, -1)) != wanted)


CASES = [(n, a) for n in NETWORKS for a in (ARITHMETICS if n in ("dense", "lstm") else FEW)]


@pytest.mark.parametrize("name, arithmetic", CASES)
def test_c_equals_python_in_every_code(cc, name, arithmetic):
    ops = ARITHMETICS[arithmetic]
    net, shape, sources = made(name, ops)
    assert differing(net, ops, shape, sources) == 0


@pytest.mark.parametrize("name", NETWORKS)
def test_own_test_passes_under_the_sanitizers(cc, name):
    ops = ARITHMETICS["Q16.16 nearest saturate"]
    assert host.tested(made(name, ops, vectors=64)[2]) == "net: 0 codes differ\n"


EDGES = [
    (4, 3, "tanh"),
    (4, 28, "tanh"),
    (8, 24, "sigmoid"),
    (4, 12, "elu"),
    (32, 0, "relu"),
    (1, 31, "relu"),
]


@pytest.mark.parametrize("overflow", ["wrap", "saturate"])
@pytest.mark.parametrize("int_bits, frac_bits, bend", EDGES)
def test_formats_at_the_edge_run_under_the_sanitizers(cc, int_bits, frac_bits, bend, overflow):
    ops = Fixed(QFormat(int_bits, frac_bits), "nearest", overflow, "wide")
    net = mlp((3, 4, 2), bend, "linear", np.random.default_rng(0), ops, 2.0)
    assert host.tested(c99.export(net, ops, "net", vectors=200)) == "net: 0 codes differ\n"


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_each_compiler_takes_it_without_a_warning(compiler):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not on the PATH")
    for name in "lstm", "kan", "conv", "pools", "binary", "ternary":
        for arithmetic in "Q16.16 nearest saturate", "Q8.8 nearest wrap wide", "Q5.9 toward_zero wrap":
            sources = made(name, ARITHMETICS[arithmetic], vectors=8)[2]
            assert host.tested(sources, flags=("-O2",), cc=compiler) == "net: 0 codes differ\n"


@pytest.mark.parametrize("bend", BENDS)
@pytest.mark.parametrize("arithmetic", FEW)
def test_every_activation_has_its_c_form(cc, bend, arithmetic):
    ops = ARITHMETICS[arithmetic]
    net = mlp((3, 4, 2), bend, "linear", np.random.default_rng(0), ops, 2.0)
    assert differing(net, ops, (3,), c99.export(net, ops, "net")) == 0


def test_large_buffers_leave_the_stack():
    static = [
        " a[" in t and "static code a[" in t
        for t in (made(n, FIXED)[2].source for n in ("conv", "large image"))
    ]
    assert static == [False, True]


def test_only_the_tables_in_use_are_there():
    ops = ARITHMETICS["Q16.16 floor wrap"]
    source = {
        a: c99.export(mlp((2, 3, 1), a, a, ops=ops), ops, "net").source for a in ("relu", "tanh", "elu")
    }
    tables = {a: [f for f in lut.FUNCTIONS if f"{f}_table" in text] for a, text in source.items()}
    assert tables == {"relu": [], "tanh": ["tanh"], "elu": ["exp"]}
    assert "q_div" not in source["tanh"] and "q_read" not in source["relu"]


def test_nothing_unused_stays_in_the_object_file(cc, tmp_path):
    net = mlp((2, 4, 1), ops=ARITHMETICS["Q16.16 floor wrap"])
    folder = c99.export(net, ARITHMETICS["Q16.16 floor wrap"], "xor").write(tmp_path)
    subprocess.run([cc, "-std=c99", "-Os", "-c", "xor.c"], cwd=folder, check=True)
    raw = (folder / "xor.o").read_bytes()
    wanted, absent = (
        (b"xor_run", b"tanh_table", b"sigmoid_table"),
        (b"exp_table", b"malloc", b"memset", b"tanhf"),
    )
    assert all(name in raw for name in wanted) and not any(name in raw for name in absent)


def test_weights_are_named_and_carry_their_meaning():
    ops = ARITHMETICS["Q16.16 floor wrap"]
    net = Network((Dense(np.array([[98304], [-32768]]), np.array([16384])),))
    source = c99.export(net, ops, "line").source
    assert "static const code dense_1_w[2] = { /* 2 inputs to 1 outputs: a row for each output */" in source
    assert "    98304, -32768,  /* 1.5, -0.5 */" in source
    assert "    16384,  /* 0.25 */" in source


def test_makefile_builds_runs_and_cleans(cc, tmp_path):
    if shutil.which("make") is None:
        pytest.skip("make is not on the PATH")
    ops = ARITHMETICS["Q8.8 floor wrap"]
    folder = c99.export(mlp((2, 4, 1), ops=ops, limit=1.0), ops, "xor").write(tmp_path)
    for target, printed in ("run", "xor: 0 codes differ"), ("release", ""), ("size", "text"), ("clean", ""):
        done = subprocess.run(["make", f"CC={cc}", target], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0 and printed in done.stdout, done.stderr
    assert sorted(p.name for p in folder.iterdir()) == [
        "Makefile",
        "xor.c",
        "xor.h",
        "xor_plot.py",
        "xor_test.c",
    ]


@pytest.mark.parametrize("name", ["2xor", "x-or", "_xor", "", "größe", "int", "stdint", "x" * 32, 7, None])
def test_names_that_c_does_not_take_are_refused(name):
    ops = ARITHMETICS["Q16.16 floor wrap"]
    with pytest.raises(ValueError, match="name must"):
        c99.export(mlp((2, 1), ops=ops), ops, name)


FIXED, RNG = Fixed(Q16_16), np.random.default_rng(0)
last = Recurrent(nets.Elman.draw(RNG, 2, 2, FIXED), last_only=True)
REFUSED = [
    (mlp((2, 1)), FIXED, {}, TypeError, "must hold codes of Q16.16"),
    (mlp((2, 1), ops=FIXED), nets.FLOAT, {}, TypeError, "ops must be a Fixed arithmetic"),
    (mlp((2, 1), ops=FIXED), Fixed(QFormat(32, 16)), {}, ValueError, "signed format of up to 32 bits"),
    (mlp((2, 1), ops=FIXED), Fixed(QFormat(8, 8, signed=False)), {}, ValueError, "signed format"),
    (mlp((2, 1), ops=FIXED), Fixed(QFormat(30, 2)), {}, ValueError, "in steps of 1/8 needs a signed Q4.3"),
    (mlp((2, 1), ops=FIXED, seeds=(3,)), FIXED, {}, ValueError, "network must be one"),
    (Dense.draw(RNG, 2, 1, ops=FIXED), FIXED, {}, TypeError, "network must be a Network"),
    (rows(nets.Flatten()), FIXED, {"in_shape": (2,)}, ValueError, "a part that does something"),
    (mlp((2, 1), ops=FIXED), FIXED, {"elapsed": True}, ValueError, "elapsed must go with a CfC"),
    (rows(nets.MaxPool2D(2)), FIXED, {}, ValueError, "in_shape must be given"),
    (rows(last, last), FIXED, {}, ValueError, "must not be recurrent"),
    (
        rows(Dense.draw(RNG, 2, 1, ops=FIXED), nets.MaxPool1D(1)),
        FIXED,
        {},
        ValueError,
        "in_shape|shape|expects",
    ),
    (mlp((2, 1), ops=FIXED), FIXED, {"vectors": 0}, ValueError, "vectors must lie between 1"),
    (mlp((2, 1), ops=FIXED), FIXED, {"in_shape": 2}, TypeError, "in_shape must be a tuple"),
    (mlp((2, 1), ops=FIXED), FIXED, {"in_shape": (2.0,)}, TypeError, "each axis of in_shape must be a whole"),
    (rows(nets.MaxPool2D(1)), FIXED, {"in_shape": (0, 2, 1)}, ValueError, "each axis of in_shape must lie"),
    (rows(Dense(np.ones((2, 0), int), np.ones(0, int))), FIXED, {}, ValueError, "C has no empty arrays"),
    (
        rows(Dense(np.ones((2, 1), int), np.array([2**31]))),
        FIXED,
        {},
        ValueError,
        "b must hold codes of Q16.16",
    ),
    (
        rows(nets.BinaryDense(np.full((3, 1), -(2**31)), np.zeros(1, int), scaled=True)),
        FIXED,
        {},
        ValueError,
        "alpha must be a code of Q16.16",
    ),
]


@pytest.mark.parametrize("part", [Dense.draw(RNG, 3, 3, "tanh", FIXED), nets.MaxPool2D(2, 1)], ids=["d", "p"])
def test_one_part_may_stand_at_two_places(cc, part):
    shape = (3,) if isinstance(part, Dense) else (5, 4, 2)
    net = rows(part, nets.Dropout(10), part)
    assert host.tested(c99.export(net, FIXED, "net", in_shape=shape)) == "net: 0 codes differ\n"


@pytest.mark.parametrize("net, ops, options, error, sentence", REFUSED)
def test_what_has_no_c_form_is_refused(net, ops, options, error, sentence):
    with pytest.raises(error, match=sentence):
        c99.export(net, ops, "net", **options)
