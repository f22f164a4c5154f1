"""Data that fit in a lesson: one small real set with its licence, and generators that are their seed.

>>> data = digits()
>>> data.train.x.shape, data.train.images.shape, data.test.targets.shape
((1197, 64), (1197, 8, 8, 1), (300, 10))
"""

from tinylib.datasets.motors import vibration
from tinylib.datasets.points import moons, spirals
from tinylib.datasets.records import Examples, Split
from tinylib.datasets.scans import digits
from tinylib.datasets.signals import two_tone
from tinylib.datasets.spectra import spectrogram
from tinylib.datasets.three_axis import vibration_three_axis
from tinylib.datasets.voices import pictures, words

__all__ = [
    "Examples",
    "Split",
    "digits",
    "moons",
    "pictures",
    "spectrogram",
    "spirals",
    "two_tone",
    "vibration",
    "vibration_three_axis",
    "words",
]
