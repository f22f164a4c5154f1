"""Assignment 14: a network on the chip gets what it deserves, and the function's key is the rule of nets."""

import os
from importlib.util import find_spec

import numpy as np
import pytest

from grading import keys
from tinylib.deploy import plain_network, toolchain, xor_chip
from tinylib.formats.qformat import QFormat
from tinylib.nets import FLOAT, Dense, Fixed, Network, one_net, xor
from tinylib.nets.optimizers import SGD
from tinylib.nets.train import train
from tinylib.practice.draws import Rng

KEYS = keys.load(keys.folder() / "a14_xor_chip.py")
CHIP, LEARN = KEYS["a14.chip"], KEYS["a14.learn_step"]
GIVEN = {"low": -0.5, "high": 1.5, "lit": "differ"}
FITTED = SGD(1.0)


@pytest.fixture
def tools():
    if not all(find_spec(name) for name in ("ziglang", "unicorn", "elftools")):
        if os.environ.get("CI"):
            pytest.fail("the extra device is not installed")
        pytest.skip("the extra device is not installed")


def trained(ops=xor.Q8_8, hidden=4, given=GIVEN):
    x, _ = xor.samples(4_000, seed=7)
    volts = xor_chip.levels(given["low"], given["high"], x)
    lit = xor_chip.lamp(given["lit"], x).astype(float)[:, None]
    net, _ = one_net.train(xor.network(0, ops, hidden=hidden), volts, lit, FITTED, ops)
    return net


def tried(net, ops=xor.Q8_8, given=GIVEN):
    return CHIP.attempt(plain_network.values(net, ops), given, Rng("hidden"))


def dense(w, b, activation="linear"):
    return Dense(np.array(w), np.array(b), activation)


def test_a_trained_network_gets_everything(tools):
    share, said = tried(trained())
    assert share == 1 and "4 of 4" in said and said.count("kept") == 2


def test_a_network_of_another_student_gets_nothing(tools):
    assert tried(trained(given={**GIVEN, "lit": "agree"}))[0] == 0


def test_constant_and_straight_networks_do_not_pass(tools):
    q = xor.Q8_8.q.one
    assert tried(Network((dense([[0], [0]], [q // 2]),)))[0] == 0
    three = Network((dense([[q], [q]], [-q // 4]),))  # lit unless both are off: one case wrong
    share, said = tried(three, given={**GIVEN, "low": 0.0, "high": 1.0})
    assert "3 of 4" in said and 0 < share < 0.2


def test_too_many_bytes_cost_their_share_alone(tools):
    share, said = tried(trained(xor.Q16_16), xor.Q16_16)
    assert "Flash" in said and "too much" in said and share == pytest.approx(0.875)


def test_a_network_that_knows_the_four_cases_alone_loses_the_share_of_noise(tools):
    given, one = {"low": 0.0, "high": 1.0, "lit": "differ"}, 256
    steps = [-round(at * one) for at in (0.95, 1.0, 1.05)]  # a peak where the volts add up to 1, and no wider
    peak = dense([[one] * 3, [one] * 3], steps, "relu"), dense([[20 * one], [-40 * one], [20 * one]], [0])
    share, said = tried(Network(peak), given=given)
    assert "4 of 4" in said and 0.75 < share < 0.9
    assert tried(trained(given=given), given=given)[0] == 1


def layer(shape, weights, bias, **more):
    return {"kind": "dense", "shape": shape, "weights": weights, "bias": bias, **more}


def of(*layers, arithmetic="Q8.8", **more):
    return {"arithmetic": arithmetic, "layers": list(layers), **more}


CODE = {"scale": 0.01, "zero_point": 0}
INT8 = layer([1, 2], [1, 1], [0], scales=[0.1], output=CODE)
WIDE = layer([2, 100], [0] * 200, [0] * 100, activation="relu"), layer([100, 1], [0] * 100, [0])


@pytest.mark.parametrize(
    "value, sentence",
    [
        ({}, "must have the entry"),
        ([1, 2, 3], "must be a dict"),
        (of(layer([2, 1], [1.5, 0], [0])), "whole codes"),
        (of(layer([2, 2], [0] * 4, [0, 0])), "must give 1 outputs"),
        (of(layer([2, 1], [1, 1], [0], activation="tanh"), arithmetic="Q1.7"), "needs a signed Q4.3"),
        (of(INT8, arithmetic="int8", input=CODE), "got int8"),
        (of(*WIDE), "at most 256 codes"),
    ],
)
def test_what_is_no_network_gets_one_sentence_and_nothing(value, sentence):
    share, said = CHIP.attempt(value, GIVEN, Rng("hidden"))
    assert share == 0 and sentence in said and said.endswith(".") and "\n" not in said


def test_a_missing_compiler_is_the_graders_failure(monkeypatch):
    value = plain_network.values(trained(), xor.Q8_8)
    monkeypatch.setattr(toolchain, "compilers", tuple)
    with pytest.raises(toolchain.MissingTool, match="get it by"):
        CHIP.attempt(value, GIVEN, Rng("hidden"))


def test_prompt_says_the_numbers_and_the_limits():
    said = CHIP.text(GIVEN)
    assert "-0.5 V when off, 1.5 V when on" in said and "500 bytes of flash and 96 bytes of RAM" in said


@pytest.mark.parametrize("seed", range(40))
def test_learn_step_is_the_step_of_the_library(seed):
    """A neuron of `nets` whose output happens to be y learns what the key expects."""
    x, w, bias, _, t, rate, f = LEARN.draw(Rng(str(seed)))
    ops = Fixed(QFormat(24 - f, f))
    net = Network((dense(np.array(w)[:, None], [bias], "sigmoid"),))
    y = int(net.forward(np.array([x]), ops)[0][0, 0])
    values = ops.values(np.array([x])), ops.values(np.array([[t]]))
    learnt, _ = train(net, *values, optimizer=SGD(rate / ops.one), ops=ops)
    found = LEARN.expected(x, w, bias, y, t, rate, f)
    assert learnt.parts[0].w[:, 0].tolist() == found["weights"] and learnt.parts[0].b[0] == found["bias"]
    real = FLOAT.number(t - y) * y * (ops.one - y) / ops.one**2
    assert found["delta"] == pytest.approx(real, abs=2)
