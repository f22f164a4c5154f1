"""XOR in fixed point: success rates over many seeds, the published run, the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.golden_checks.mlp import CHECKS, glibc_rand
from tinylib.nets import one_net
from tinylib.nets.__main__ import main
from tinylib.nets.arithmetic import FLOAT
from tinylib.nets.network import mlp
from tinylib.nets.optimizers import SGD, Adam, RMSprop
from tinylib.nets.train import train
from tinylib.nets.xor import (
    INPUTS,
    Q8_8,
    Q16_16,
    TARGETS,
    Settings,
    network,
    samples,
    solved,
    success,
    wilson,
)

RUN = json.loads((Path(__file__).parents[1] / "golden" / "xor_example.json").read_text())["cases"][0]


def test_the_published_run_is_reproduced_word_for_word():
    compared = list(CHECKS["xor_example"](RUN))
    assert {c.path.split(": ")[-1] for c in compared} >= {"final_weights_raw", "predictions_raw", "samples"}
    for c in compared:
        got = c.got.tolist() if isinstance(c.got, np.ndarray) else c.got
        if c.rtol:
            np.testing.assert_allclose(got, c.want, rtol=c.rtol)
        else:
            assert got == c.want, c.path


def test_rand_of_the_c_library():  # known first numbers of srand(1) and srand(42)
    assert glibc_rand(1, 3) == [1804289383, 846930886, 1681692777]
    assert glibc_rand(42, 2) == [71876166, 708592740]


@pytest.mark.parametrize(
    "settings, at_least",
    [
        (Settings(Q16_16), 0.97),
        (Settings(Q8_8, learning_rate=1.0), 0.98),
        (Settings(FLOAT), 0.98),
    ],
    ids=["Q16.16", "Q8.8 to the nearest", "float"],
)
def test_nearly_every_seed_learns_xor(settings, at_least):  # 1,000 seeds: 99.4, 99.8 and 99.4 %
    found = success(200, settings)
    assert sum(found) / 200 >= at_least


def test_cutting_products_in_eight_bits_costs_seeds():  # the floor pulls each weight down
    cut = Settings(Q8_8.__class__(Q8_8.q, "floor", "saturate"), 0.25)
    nearest = Settings(Q8_8, 0.25)
    assert sum(success(100, cut)) < 90 < sum(success(100, nearest))


@pytest.mark.parametrize("optimizer", [Adam(0.1, beta2=0.95), RMSprop(0.05)])
def test_adaptive_steps_survive_eight_bits(
    optimizer,
):  # smaller rates fall below one code: 100 seeds gave 97 %
    nets = mlp((2, 4, 1), rng=np.random.default_rng(0), ops=Q8_8, limit=1.0, seeds=(60,))
    nets, _ = train(nets, *samples(3_000), optimizer=optimizer, ops=Q8_8)
    assert solved(nets, Q8_8).mean() > 0.9


def test_groups_and_processes_change_nothing():
    settings = Settings(steps=700)
    found = success(30, settings)
    assert True in found and False in found
    assert found == success(30, settings, group=7) == success(30, settings, jobs=2, group=15)


def test_an_outcome_is_that_of_the_network_in_integers():
    found = success(12, Settings(steps=1_500))
    for seed in range(12):
        net, _ = one_net.train(network(seed, Q16_16), *samples(1_500), SGD(0.5), Q16_16)
        assert bool(solved(net, Q16_16)) is found[seed]
        assert found[seed] == np.array_equal(one_net.predict(net, INPUTS, Q16_16) > 0.5, TARGETS > 0.5)


@pytest.mark.parametrize(
    "successes, trials, low, high",
    [
        (8, 10, 0.4902, 0.9433),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
    ],  # Brown, Cai & DasGupta 2001, formula 4
)
def test_wilson_interval(successes, trials, low, high):
    np.testing.assert_allclose(wilson(successes, trials), (low, high), atol=1e-4)


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match=r"successes must lie in 0..trials with trials >= 1, got 3 of 2"):
        wilson(3, 2)
    with pytest.raises(ValueError, match="seeds must be a whole number from 1, got 0"):
        success(0)


def test_the_command_line_prints_the_rate_with_its_interval(capsys):
    assert main(["xor", "--seeds", "20", "--format", "q16.16", "--steps", "3000"]) == 0
    out = capsys.readouterr().out
    found = success(20, Settings(steps=3_000))
    low, high = wilson(sum(found), 20)
    interval = f"95 % interval {low:.1%} to {high:.1%}"
    assert out == f"{sum(found)} of 20 networks learnt XOR: {sum(found) / 20:.1%}, {interval}\n"


def test_a_format_of_python_integers_learns_as_well(capsys):
    assert main(["xor", "--seeds", "3", "--format", "q32.32", "--steps", "500"]) == 0
    assert capsys.readouterr().out.startswith("3 of 3 networks learnt XOR")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--format", "bfloat"], "format must be float or a name such as q16.16, got 'bfloat'"),
        (["--format", "q3.8"], "a table from -6 to 6 in steps of 1/8 needs a signed Q4.3 or more, got Q3.8"),
        (["--seeds", "0"], "seeds must be a whole number from 1, got 0"),
    ],
)
def test_the_command_line_says_what_is_wrong(arguments, words, capsys):
    assert main(["xor", *arguments]) == 2
    assert capsys.readouterr().err == f"error: {words}\n"
