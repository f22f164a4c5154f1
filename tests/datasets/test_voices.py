"""Synthetic words: speakers apart, formants where the table puts them, pictures that tell words apart."""

import numpy as np
import pytest

from tests.datasets.logistic import accuracy
from tinylib.datasets import pictures, voices, words
from tinylib.datasets.signals import two_tone


def test_split_keeps_speakers_apart():
    data = words((3, 1, 2), per_word=2, seed=1)
    parts = (data.train, data.validation, data.test)
    assert [p.x.shape for p in parts] == [(6720, 30, 1), (6720, 10, 1), (6720, 20, 1)]
    assert [set(p.groups.tolist()) for p in parts] == [{0, 1, 2}, {3}, {4, 5}]
    assert all((np.bincount(p.y) == len(p) / 5).all() for p in parts)
    assert all(np.isfinite(p.x).all() for p in parts)


def test_a_speaker_is_the_seed_and_a_number():
    few, many = (words((n, 0, 1), per_word=1, seed=2).train for n in (1, 3))
    np.testing.assert_array_equal(few.x, many.x[:, : len(few)])
    assert not np.array_equal(few.x, words((1, 0, 1), per_word=1, seed=3).train.x)


@pytest.mark.parametrize("formants", [(730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240)])
def test_a_vowel_is_loudest_at_its_formants(formants):
    sound = voices.Sound(400, formants, formants)
    mean = 0
    for seed in range(30):  # many pitches: one voice has power at its harmonics alone
        rng = np.random.default_rng(seed)
        x = voices._sound(rng, sound, pitch=rng.uniform(90, 200), tract=1.0, pace=1.0)
        mean = mean + np.abs(np.fft.rfft(x)) ** 2
    hz = np.fft.rfftfreq(len(x), 1 / voices.RATE_HZ)
    near = np.min(np.abs(hz[:, None] - np.array(formants)), axis=1)
    assert mean[near < 60].mean() > 8 * mean[near > 300].mean()


def test_pictures_keep_words_and_speakers():
    sounds = words((2, 0, 1), per_word=3).train
    seen = pictures(sounds)
    assert seen.images.shape == (30, 20, 20, 1) and 0 <= seen.x.min() < seen.x.max() == 1
    assert (seen.y == sounds.y).all() and (seen.groups == sounds.groups).all()
    assert seen.take([4, 2]).images.shape == (2, 20, 20, 1)


def test_words_can_be_told_apart_but_not_by_a_glance():
    """Unseen speakers: a logistic layer on pictures is far above chance (0.2), not perfect."""
    data = words((8, 0, 6), per_word=6)
    score = accuracy(pictures(data.train), pictures(data.test), lambda x: x, l2=1e-2)
    assert 0.5 < score < 0.92


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda: words(speakers=(2, 1)), "must be three counts"),
        (lambda: words(speakers=(2, 1, 0)), "speakers must lie between 1"),
        (lambda: words(per_word=0), "per_word must lie between 1"),
        (lambda: pictures(voices.pictures(words((1, 0, 1), 1).train)), "one channel, got"),
        (lambda: pictures(two_tone(4)), "at least 40 samples"),
    ],
)
def test_errors_give_a_reason(call, why):
    with pytest.raises(ValueError, match=why):
        call()
