"""Handwritten digits: 1,797 scans of 8 x 8 pixels, the test set of the optical digits of UCI.

A 32 x 32 bitmap was cut into 4 x 4 blocks; a pixel counts the inked points of its block, 0 to 16.
Thirteen people wrote them, but no scan names its writer: a drawn split has every hand on both sides, so
accuracy on a stranger's digits is lower than what these tests report.
Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, 1998, doi 10.24432/C50P49, CC BY 4.0; the arrays are those of scikit-learn's load_digits.
"""

from functools import cache
from pathlib import Path

import numpy as np

from tinylib.datasets.records import Examples, Split

INK = 16  # points in a block: a pixel of 16 is all ink


@cache
def all_digits() -> Examples:
    """All 1,797 scans in the order of the source; x (1797, 64) is the share of ink [0..1]."""
    with np.load(Path(__file__).parent / "data" / "digits.npz", allow_pickle=False) as stored:
        pixels, labels = stored["images"], stored["labels"]
    x = pixels.reshape(len(pixels), -1) / INK
    x.flags.writeable = False
    return Examples(
        name="optical digits",
        x=x,
        y=labels.astype(np.int64),
        classes=tuple("0123456789"),
        units="share of inked points in a 4 x 4 block, 0 to 1",
        source="Alpaydin, Kaynak: Optical Recognition of Handwritten Digits, UCI 1998, doi 10.24432/C50P49",
        licence="CC BY 4.0",
        side=(8, 8),
    )


def digits(seed: int = 0) -> Split:
    """1,197 digits to train on, 300 to choose by, 300 to report on; another seed, another split."""
    return all_digits().split(train=1197, validation=300, seed=seed)
