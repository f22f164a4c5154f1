"""Frames of a sound: their number by hand, the pictures of half overlap, a tone in its band."""

import numpy as np
import pytest

from tinylib.datasets.frames import frame_count, front_end
from tinylib.datasets.spectra import spectrogram


@pytest.mark.parametrize(
    "samples, window, hop, frames", [(16_000, 480, 320, 49), (6720, 640, 320, 20), (9, 9, 4, 1)]
)
def test_frames_worked_by_hand(samples, window, hop, frames):  # 15,520 / 320 = 48.5 moves, and the first
    assert frame_count(samples, window, hop) == frames


def test_half_overlap_gives_the_spectrogram():
    x = np.random.default_rng(0).normal(size=(6720, 3))
    np.testing.assert_allclose(front_end(x, 640, 320, 20), spectrogram(x, 20, 20), atol=1e-12)


@pytest.mark.parametrize("band", [0, 4, 9])
def test_a_tone_lights_its_band(band):
    t, bands, window = np.arange(2000), 10, 200
    tone = np.sin(2 * np.pi * (band + 0.5) / (2 * bands) * t)[:, None]
    picture = front_end(tone, window, 50, bands)[0]
    assert (picture.argmax(axis=1) == band).all() and picture.max() == 1


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda: front_end(np.zeros(9), 4, 2), "x must be sounds"),
        (lambda: front_end(np.zeros((99, 1)), 30, 10, 20), "two samples a band: 40 for 20, got 30"),
        (lambda: frame_count(100, 200, 10), "as large as its kernel"),
        (lambda: frame_count(100, 20, 0), "hop must lie between"),
    ],
)
def test_errors_give_a_reason(call, why):
    with pytest.raises(ValueError, match=why):
        call()
