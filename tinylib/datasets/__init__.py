"""Data that fit in a lesson: small real sets with their licences, and generators that are their seed.

>>> data = digits()
>>> data.train.x.shape, data.train.images.shape, data.test.targets.shape
((1197, 64), (1197, 8, 8, 1), (300, 10))
"""

from tinylib.datasets.motions import basic_motions
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
    "basic_motions",
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
