"""Basic motions: the counts of the source, its first values, and classes that a plain rule tells apart."""

import numpy as np

from tinylib.datasets import basic_motions
from tinylib.datasets.motions import AXES, CLASSES, STEPS

# BasicMotions_TRAIN.ts, series 0 (standing): the first four samples of axes 0 and 3
FIRST = {0: [0.079106, 0.079106, -0.903497, 1.116125], 3: [0.351565, 0.351565, -0.095881, 1.624657]}


def test_counts_and_shapes_are_those_of_the_source():
    whole = basic_motions()
    assert whole.x.shape == (100, 80, 6) == (100, len(whole), len(AXES))
    assert np.bincount(whole.y).tolist() == [20] * 4
    assert whole.y[:40].tolist() == whole.y[40:].tolist() == np.repeat(range(4), 10).tolist()
    assert len(np.unique(whole.groups)) == 80 and whole.classes == CLASSES
    assert "1811.00075" in whole.source and "BSD" in whole.licence and not whole.x.flags.writeable


def test_first_values_are_those_of_the_file_up_to_half_a_step():
    for axis, wanted in FIRST.items():
        error = np.abs(basic_motions().x[:4, 0, axis] - wanted)
        assert error.max() <= STEPS[axis] / 2 + 1e-9


def test_how_much_a_hand_moves_tells_most_activities():  # the labels belong to the recordings
    whole = basic_motions()
    spread = np.log(whole.x.std(axis=0))
    train, test = spread[:40], spread[40:]
    nearest = ((test[:, None] - train) ** 2).sum(-1).argmin(1)
    assert np.mean(whole.y[:40][nearest] == whole.y[40:]) > 0.9
