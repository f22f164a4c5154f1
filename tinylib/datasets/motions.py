"""Motions of the hand: 80 recordings of ten seconds by a smart watch, four activities, six axes.

Four students stood, ran, walked and played badminton five times each. The files do not say who made which
recording, so that a test part holds strangers' recordings but not strangers, and 80 are too few to
rank classifiers by: a set to try a tool chain on.
Source: archive of time series classification, set BasicMotions, www.timeseriesclassification.com; Bagnall et
al., "The UEA multivariate time series classification archive, 2018", arXiv 1811.00075, which asks to be
cited; taken out of the package aeon 1.6.0 (BSD 3-Clause).
"""

from functools import cache
from pathlib import Path

import numpy as np

from tinylib.datasets.records import Examples

RATE_HZ, TIME = 10, 100
AXES = ("ax", "ay", "az", "gx", "gy", "gz")  # acceleration and turning rate
CLASSES = ("standing", "running", "walking", "badminton")
TURN = 5000 / 32768 * np.pi / 180  # one step of the gyroscope: 5000 degrees per second in 16 bits
STEPS = (1e-3, 1e-3, 1e-3, TURN, TURN, TURN)  # what a stored code of each axis is worth


@cache
def basic_motions() -> Examples:
    """All 80 recordings, x (100, 80, 6); the first 40 are the archive's training part, the rest its test.

    groups: the number of the recording, since nothing else is known of where it comes from
    """
    with np.load(Path(__file__).parent / "data" / "basic_motions.npz", allow_pickle=False) as stored:
        codes, labels = stored["codes"], stored["labels"]
    x = codes * np.array(STEPS)
    x.flags.writeable = False
    return Examples(
        name="basic motions",
        x=x,
        y=labels.astype(np.int64),
        classes=CLASSES,
        units="not stated by the source; by their steps and sizes m/s^2 (ax, ay, az) and rad/s (gx, gy, gz)",
        source="BasicMotions of the UEA archive, Bagnall et al., arXiv 1811.00075, as in aeon 1.6.0",
        licence="BSD 3-Clause (aeon); the archive asks for citation",
        groups=np.arange(len(labels)),
    )


def motions_csv() -> bytes:
    """The recordings as a CSV file: recording, t [s], the six axes and the activity, a row a sample."""
    whole = basic_motions()
    rows = [f"recording,t,{','.join(AXES)},activity"]
    for n, label in enumerate(whole.y):
        values = np.round(whole.x[:, n], 5).tolist()
        end = whole.classes[label]
        rows += [f"{n},{t / RATE_HZ:.1f},{','.join(map(str, v))},{end}" for t, v in enumerate(values)]
    return ("\n".join(rows) + "\n").encode()
