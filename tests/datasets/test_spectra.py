"""Spectra and shape of signals whose values are known: sines, noise, knocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinylib.datasets import spectra, spectrogram

NOISE = np.random.default_rng(0).normal(size=(1024, 200))


def sine(cycles: float, time: int = 1024) -> np.ndarray:
    return np.sin(2 * np.pi * cycles * np.arange(time) / time + 0.3)


def test_a_sine_stands_in_its_bin_and_its_two_neighbours():  # Hann: 1/4, 1/2, 1/4 in amplitude
    p = spectra.power(sine(50))
    assert p.argmax() == 50
    np.testing.assert_allclose(p[[49, 51]] / p[50], 1 / 4, rtol=1e-9)
    assert np.delete(p, [49, 50, 51]).max() < 1e-12 * p[50]


def test_white_noise_of_unit_power_has_power_1_in_every_bin():
    np.testing.assert_allclose(spectra.power(NOISE)[2:-2].mean(), 1, rtol=0.01)
    np.testing.assert_allclose((10 ** spectra.band_power(NOISE, 8)[3:]).mean(axis=1), 1, rtol=0.05)


def test_kurtosis_of_a_sine_is_three_halves_of_noise_3_and_of_a_knock_the_length():
    assert spectra.kurtosis(sine(50)) == pytest.approx(1.5)
    assert spectra.kurtosis(NOISE).mean() == pytest.approx(3, abs=0.05)
    assert spectra.kurtosis(np.eye(1024)[0]) == pytest.approx(1024, rel=0.01)
    assert spectra.rms(2 * sine(50) + 7) == pytest.approx(np.sqrt(2))


@given(n=st.integers(20, 600), bands=st.integers(1, 20))
def test_bands_cover_all_bins_and_widen(n, bands):
    limits = spectra.edges(n, bands)
    widths = np.diff(limits)
    assert (limits[0], limits[-1], len(limits)) == (1, n + 1, bands + 1) and (widths >= 1).all()
    assert widths[-1] == widths.max()


def test_features_have_one_row_per_window_and_know_no_offset():
    x = NOISE[:, :12].reshape(1024, 4, 3)
    rows = spectra.features(x, bands=5)
    assert rows.shape == (4, 3 * 7) and np.isfinite(rows).all()
    np.testing.assert_allclose(spectra.features(x + 3, bands=5), rows, atol=1e-9)
    np.testing.assert_allclose(spectra.features(x[:, [2]], bands=5), rows[[2]])


def test_a_rising_tone_climbs_the_picture():
    t = np.arange(6720) / 6720
    picture = spectrogram(np.sin(2 * np.pi * 6720 * (0.05 * t + 0.2 * t**2))[:, None])[0]
    climb = picture.argmax(axis=1)
    assert (np.diff(climb) >= 0).all() and climb[0] <= 2 and climb[-1] >= 16


@given(loudness=st.floats(1e-2, 1e3), seed=st.integers(0, 50))
@settings(max_examples=20)
def test_pictures_lie_in_0_to_1_and_know_no_loudness(loudness, seed):
    x = np.random.default_rng(seed).normal(size=(1700, 2)) * np.linspace(0, 1, 1700)[:, None] ** 4
    picture = spectrogram(x)
    assert picture.shape == (2, 20, 20) and picture.min() >= 0 and (picture.max(axis=(1, 2)) == 1).all()
    np.testing.assert_allclose(spectrogram(loudness * x), picture, atol=1e-3)


@pytest.mark.parametrize(
    "call, why",
    [
        (lambda: spectra.edges(10, 11), "must not outnumber the 10 bins"),
        (lambda: spectra.features(NOISE), r"must be windows \(time, n, channels\)"),
        (lambda: spectrogram(NOISE[:, 0]), r"must be sounds \(time, n\)"),
        (lambda: spectrogram(NOISE[:100]), "at least 40 samples, got 100"),
    ],
)
def test_errors_give_a_reason(call, why):
    with pytest.raises(ValueError, match=why):
        call()
