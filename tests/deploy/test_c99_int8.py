"""int8 networks in C: every code equals that of `Int8Network` and `Int8CfC`, by both rules of rounding."""

import numpy as np
import pytest

import tinylib.nets as nets
from tinylib.deploy import c99, host
from tinylib.deploy.c99_test import draw_int8
from tinylib.formats.affine import Affine
from tinylib.nets import CfC, Dense, Network, int8
from tinylib.nets.int8_cfc import quantized
from tinylib.nets.int8_pool import Int8Add, Int8Softmax

SAMPLES, IMAGE = 1_000, (7, 6, 3)


def images(rng):
    """Every int8 layer but the sum: convolutions, pools, a table, means and a dense layer."""
    parts = (
        nets.Conv2D.draw(rng, 3, 4, 3, "relu", padding="same"),
        nets.MaxPool2D(2, 1, padding="same"),
        nets.DepthwiseConv2D.draw(rng, 4, 3, "tanh", stride=(2, 1), padding="same", multiplier=2),
        nets.AvgPool2D((2, 3), 1, padding="same"),
        nets.PointwiseConv2D.draw(rng, 8, 5, "sigmoid"),
        nets.GlobalAvgPool2D(),
        nets.Dropout(20),
        Dense.draw(rng, 5, 3),
    )
    return int8.from_float(Network(parts), rng.normal(0, 1, (32, *IMAGE)))


def flattened(rng):
    parts = (
        nets.Conv2D.draw(rng, 3, 2, 3),
        nets.Flatten(),
        Dense.draw(rng, 40, 6, "relu"),
        Dense.draw(rng, 6, 2),
    )
    return int8.from_float(Network(parts), rng.normal(0, 1, (32, *IMAGE)))


def shortcut(rng):
    """Two convolutions and a sum with what went into the second: three tensors alive at once."""
    chain = int8.from_float(
        Network(tuple(nets.Conv2D.draw(rng, 3, 3, 3, padding="same") for _ in range(2))),
        rng.normal(0, 1, (32, *IMAGE)),
    )
    a, b = chain.steps
    target = Affine(0.04, 5)
    add = int8.Step(Int8Add((a.layer.target, b.layer.target), target, "relu"), (a.makes, b.makes), "sum")
    return int8.Int8Network(
        (a, b, add, int8.Step(Int8Add((target, chain.source), target), ("sum", "input"), "y")), chain.source
    )


@pytest.mark.parametrize("runtime", int8.RUNTIMES)
@pytest.mark.parametrize("build", [images, flattened, shortcut], ids=lambda f: f.__name__)
def test_c_equals_python_in_every_code(cc, build, runtime):
    net = build(np.random.default_rng(2))
    made = c99.export(net, runtime, "net", in_shape=IMAGE)
    xs = draw_int8((SAMPLES, *IMAGE))
    wanted = net.forward(xs, runtime).reshape(SAMPLES, -1)
    assert len(np.unique(wanted)) > 8
    assert np.array_equal(host.Library(made).run(xs.reshape(SAMPLES, -1)), wanted)
    assert host.tested(made) == "net: 0 codes differ\n"


@pytest.mark.parametrize("sizes", [(2, 3, 4), (4, 8, 16)], ids=str)
def test_int8_cfc_equals_python_along_a_sequence(cc, sizes):
    rng = np.random.default_rng(1)
    cell = quantized(CfC.draw(rng, *sizes, dt=0.5), rng.normal(0, 1, (50, 4, sizes[0])))
    made = c99.export(cell, None, "liquid")
    library, xs = host.Library(made), draw_int8((SAMPLES, sizes[0]))
    wanted = cell.forward(xs[:, None])[:, 0]
    assert len(np.unique(wanted)) > 8
    assert np.array_equal(library.run(xs), wanted)
    library.start()
    pieces = np.concatenate([library.run(xs[:300]), library.run(xs[300:])])
    assert np.array_equal(pieces, wanted)
    assert host.tested(made) == "liquid: 0 codes differ\n"


def test_what_needs_real_exponentials_is_refused():
    net = flattened(np.random.default_rng(0))
    soft = int8.Step(Int8Softmax(net.target), (net.steps[-1].makes,), "y")
    with pytest.raises(TypeError, match="a layer must have a C form, got Int8Softmax"):
        c99.export(int8.Int8Network((*net.steps, soft), net.source), "reference", "net", in_shape=IMAGE)


@pytest.mark.parametrize("runtime", int8.RUNTIMES)
def test_scales_that_c_cannot_shift_by_are_refused(runtime):
    small, large = Affine(1e-9), Affine(1e9)
    add = int8.Int8Network((int8.Step(Int8Add((small, small), large), ("input", "input"), "y"),), small)
    with pytest.raises(ValueError, match="scales of a layer must lie nearer together"):
        c99.export(add, runtime, "net", in_shape=(2,))


def test_a_time_step_that_vanishes_is_refused():
    rng = np.random.default_rng(0)
    cell = quantized(CfC.draw(rng, 2, 3, 4, dt=1e-30), rng.normal(0, 1, (5, 2, 2)))
    with pytest.raises(ValueError, match="C moves a sum by -31 to 63 bits"):
        c99.export(cell, None, "net")


@pytest.mark.parametrize(
    "ops, options, sentence",
    [
        ("fast", {"in_shape": IMAGE}, "ops must be a runtime"),
        ("reference", {}, "in_shape must be given"),
        ("reference", {"in_shape": IMAGE, "trainable": True}, "trainable must be False"),
    ],
)
def test_what_is_missing_is_named(ops, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        c99.export(flattened(np.random.default_rng(0)), ops, "net", **options)
