"""The recording is the training itself, and the player shows it look by look."""

import numpy as np
import pytest

from tinylib.lab.training_player import CELLS, LOOKS, recorded, training_player
from tinylib.nets import mlp, one_net, xor
from tinylib.nets.optimizers import SGD
from tinylib.show.training_player import HIGH, LOW

RATES = SGD(0.25, momentum=0.5, acceleration=0.0625)


@pytest.fixture(scope="module")
def runs():
    xs, ts = xor.samples(240, seed=7)
    settings = {"optimizer": RATES, "dead_zone": 2.0**-7, "looks": 12}
    return {
        str(ops.q): recorded(xor.network(3, ops), xs, ts, ops=ops, **settings)
        for ops in (xor.Q16_16, xor.Q8_8)
    }


@pytest.mark.parametrize("ops", [xor.Q16_16, xor.Q8_8], ids=str)
def test_recording_in_pieces_is_the_training_in_one(runs, ops):
    net, _ = one_net.train(xor.network(3, ops), *xor.samples(240, 7), RATES, ops, dead_zone=2.0**-7)
    run = runs[str(ops.q)]
    flat = np.concatenate([ops.values(part[name]).ravel() for part in net.arrays for name in ("w", "b")])
    assert run.weights[-1] == pytest.approx(flat, abs=0)
    assert run.corners[-1] == pytest.approx(net.predict(xor.INPUTS, ops)[:, 0], abs=0)
    assert run.steps == tuple(range(0, 241, 20)) and len(run.surfaces) == 13 and run.hidden == 12


def test_surface_holds_the_answers_at_the_middle_of_its_cells(runs):
    net = xor.network(3, xor.Q16_16)  # the first look: nothing learnt yet
    at = LOW + (np.array([2, 17]) + 0.5) * (HIGH - LOW) / CELLS
    want = net.predict(np.array([[at[0], at[1]]]), xor.Q16_16)[0, 0]
    assert runs["Q16.16"].surfaces[0][17][2] == want


def test_error_is_that_of_the_four_cases(runs):
    run = runs["Q8.8"]
    for answers, error in zip(run.corners, run.error):
        assert error == pytest.approx(np.mean((np.array(answers) - [0, 1, 1, 0]) ** 2))
    assert run.error[-1] < run.error[0]


def test_player_shows_the_chosen_look_and_run(runs):
    player = training_player(runs, "Two roads")
    assert not player.error and "Two roads. 240 samples seen. Q16.16:" in player.svg
    player.controls["look"].value = 3
    assert "60 samples seen" in player.svg
    more = training_player({**runs, "third": runs["Q8.8"]})
    more.controls["beside"].value = "third"
    assert "third: " in more.svg and "Q8.8: " not in more.svg


def test_what_cannot_be_recorded_is_refused(runs):
    xs, ts = xor.samples(100)
    with pytest.raises(ValueError, match=f"multiple of the {LOOKS} looks, got 100"):
        recorded(xor.network(0), xs, ts, RATES, xor.FLOAT)
    with pytest.raises(ValueError, match="two inputs and give one output"):
        recorded(mlp((3, 1)), xs, ts, RATES, xor.FLOAT)
    with pytest.raises(ValueError, match="two or more"):
        training_player({"Q16.16": runs["Q16.16"]})
