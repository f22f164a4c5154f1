"""Python, this computer and an emulated core give the same codes: every network, 1,000 inputs each.

The cores take turns here; tests.soak.emulation runs every network on every core.
"""

import json

import numpy as np
import pytest

from tests.deploy import test_c99
from tests.deploy import test_c99_int8 as int8_tests
from tests.deploy import test_c99_train as training_tests
from tests.deploy.cross import device_tools
from tinylib.deploy import c99_train, host, measure
from tinylib.deploy.c99_test import draw, draw_int8, timed
from tinylib.deploy.toolchain import TARGETS
from tinylib.nets import CfC, Dense, Network, Recurrent, mlp
from tinylib.nets.int8_cfc import quantized
from tinylib.nets.optimizers import SGD

device_tools()

ARITHMETICS, NETWORKS, FEW = test_c99.ARITHMETICS, test_c99.NETWORKS, test_c99.FEW
Q16_16 = ARITHMETICS["Q16.16 floor wrap"]
LEARNING = {
    "trainable": True,
    "optimizer": training_tests.SETTINGS,
    "dead_zone": training_tests.DEAD_ZONE,
}
HERE = {name: ARITHMETICS[FEW[i % len(FEW)]] for i, name in enumerate(NETWORKS)}
HERE |= {name: ARITHMETICS["Q8.8 nearest saturate wide"] for name in ("large image", "conv")}  # half the time
TURN = {name: TARGETS[i % len(TARGETS)] for i, name in enumerate(NETWORKS)}


def agree(cc, net, xs, want, targets=TARGETS, **options):
    """Answers of Python, of the compiled C here, and of the emulated cores are the same codes."""
    assert len(want) >= 1_000 and len(np.unique(want)) > 2, "a constant would prove nothing"
    for target in targets:
        found = measure.measure(net, target, xs, counted=1, **options)
        assert found.equal and found.inputs == len(want), target
        assert np.array_equal(found.outputs, want), target
    assert np.array_equal(host.Library(found.sources, cc=cc).run(xs.reshape(len(xs), -1)), want)


@pytest.mark.parametrize("name", NETWORKS)
def test_python_this_computer_and_a_core_agree(cc, name):
    """1,000 samples, every eighth of them made of the ends of the format."""
    ops, (build, shape) = HERE[name], NETWORKS[name]
    net, xs = build(np.random.default_rng(3), ops), draw(ops, shape, 1_000, seed=7)
    assert {ops.q.min_raw, ops.q.max_raw} <= set(xs.ravel().tolist())
    agree(cc, net, xs, test_c99.answers(net, ops, xs), [TURN[name]], ops=ops, in_shape=shape)


INT8 = [  # all three builds by both rules on all cores: tests.soak.emulation
    (int8_tests.images, "reference", TARGETS[0]),
    pytest.param(int8_tests.images, "xnnpack", TARGETS[2], marks=pytest.mark.soak),
    (int8_tests.flattened, "xnnpack", TARGETS[0]),
    pytest.param(int8_tests.flattened, "reference", TARGETS[1], marks=pytest.mark.soak),
    (int8_tests.shortcut, "reference", TARGETS[2]),
    pytest.param(int8_tests.shortcut, "xnnpack", TARGETS[1], marks=pytest.mark.soak),
]


@pytest.mark.parametrize("build, runtime, target", INT8, ids=lambda v: getattr(v, "__name__", None))
def test_int8_networks_agree(cc, build, runtime, target):
    net, xs = build(np.random.default_rng(2)), draw_int8((1_000, *int8_tests.IMAGE))
    assert {-128, 127} <= set(xs.ravel().tolist())
    agree(cc, net, xs, net.forward(xs, runtime).reshape(1_000, -1), [target], ops=runtime)


@pytest.mark.parametrize("sizes", [(2, 3, 4), (4, 8, 16)], ids=str)
def test_int8_cfc_agrees_along_a_sequence(cc, sizes):
    rng = np.random.default_rng(1)
    cell = quantized(CfC.draw(rng, *sizes, dt=0.5), rng.normal(0, 1, (50, 4, sizes[0])))
    xs = draw_int8((1_000, sizes[0]))
    agree(cc, cell, xs, cell.forward(xs[:, None])[:, 0])


@pytest.mark.parametrize("arithmetic", FEW)
def test_cfc_agrees_on_samples_at_uneven_times(cc, arithmetic):
    """The last input is the time since the sample before, from 0 to the end of the format."""
    ops, rng = ARITHMETICS[arithmetic], np.random.default_rng(4)
    parts = Dense.draw(rng, 2, 3, "tanh", ops), CfC.draw(rng, 3, 4, 6, ops), CfC.draw(rng, 4, 2, 3, ops)
    net = Network((parts[0], *map(Recurrent, parts[1:]), Dense.draw(rng, 2, 1, ops=ops)))
    xs = timed(ops, (2,), 1_000, seed=5)
    assert xs[:, -1].min() >= 0 and xs[:, -1].max() == ops.q.max_raw
    even = xs * [1, 1, 0] + [0, 0, ops.one]
    want = test_c99.answers(net, ops, xs, elapsed=True)
    assert np.sum(want != test_c99.answers(net, ops, even, elapsed=True)) > 100, "times matter"
    assert np.array_equal(
        test_c99.answers(net, ops, even, elapsed=True), test_c99.answers(net, ops, xs[:, :-1])
    )
    agree(cc, net, xs, want, [TARGETS[FEW.index(arithmetic) % len(TARGETS)]], ops=ops, elapsed=True)
    drawn = measure.measure(net, ops=ops, elapsed=True, samples=64)
    assert drawn.equal and drawn.sources.inputs == 3


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("arithmetic", FEW)
def test_training_agrees_on_every_core(arithmetic, target):
    """Answers before, the loss of 1,000 steps, all weights, and the answers thereafter."""
    ops = ARITHMETICS[arithmetic]
    net = mlp((3, 5, 2), rng=np.random.default_rng(2), ops=ops, limit=1.0)
    found = measure.measure(
        net, target, ops=ops, trainable=True, optimizer=SGD(0.25, momentum=0.5), counted=2
    )
    assert found.equal and found.inputs == 1_000 and found.train_instructions > found.instructions
    assert not np.array_equal(found.weights, c99_train.codes(net))


@pytest.fixture(scope="module")
def example():
    """The 20,000 samples of XOR, the weights before and after, of danmcleran/tinymind."""
    return json.loads(training_tests.EXAMPLE.read_text())["cases"][0]


@pytest.mark.parametrize("target", TARGETS)
def test_a_core_learns_xor_in_20000_steps_to_the_weights_of_the_reference_library(example, target):
    net, (xs, ts) = training_tests.start(example), training_tests.samples(example)
    steps = 20_000 if target == "cortex-m0plus" else 2_000  # all of them on each core: tests.soak.emulation
    found = measure.measure(net, target, xs[:steps], ops=Q16_16, targets=ts[:steps], **LEARNING, counted=1)
    assert found.equal and found.inputs == steps
    if steps == len(xs):
        learnt = net.with_arrays(c99_train.shaped(found.weights, net))
        assert training_tests.flat(learnt).tolist() == example["final_weights_raw"]
