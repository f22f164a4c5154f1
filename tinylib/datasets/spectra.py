"""From a signal to the few numbers that a small classifier needs: spectra of windows, and shape.

    S_k = |sum_t w_t x_t exp(-2 pi i k t / N)|^2,    w_t = (1 - cos(2 pi (t + 1/2) / N)) / 2
    band power  log10(mean of S_k over the bins of a band),    rms  sqrt(mean x^2),    kurtosis  m_4 / m_2^2

Kurtosis is 3 for normal noise, 3/2 for a sine, large for single knocks. Time is the first axis throughout.
Source: own; the window is that of Hann, the features are the customary ones of condition monitoring, as in
R. B. Randall, Vibration-based Condition Monitoring, Wiley 2011, chapters 3 and 5.
"""

from collections.abc import Sequence

import numpy as np

from tinylib.cost.layers import count

DECADES = 4  # from the loudest cell to black: 40 dB
FLOOR = 1e-12  # power below which a band counts as silent, so that its logarithm stays finite


def power(x: np.ndarray) -> np.ndarray:
    """Power spectrum (time // 2 + 1, ...) of each column of x (time, ...), its mean removed."""
    n = len(x)
    window = (1 - np.cos(2 * np.pi * (np.arange(n) + 0.5) / n)) / 2
    centred = (x - x.mean(axis=0)) * window.reshape(-1, *(1,) * (x.ndim - 1))
    return np.abs(np.fft.rfft(centred, axis=0)) ** 2 / (n * np.mean(window**2))


def edges(n: int, bands: int, lowest: int = 1) -> np.ndarray:
    """Limits (bands + 1,) of bands over the bins `lowest` .. n, each wider than the last by one factor.

    Where that factor would leave a band without a bin it gets one bin, and the wider bands give way.
    """
    if count("bands", bands) > n - lowest + 1:
        raise ValueError(f"bands must not outnumber the {n - lowest + 1} bins of the window, got {bands}")
    limits = [lowest]
    for left in range(bands, 0, -1):
        step = limits[-1] * ((n + 1) / limits[-1]) ** (1 / left) - limits[-1]
        limits.append(limits[-1] + max(1, round(step)))
    return np.array(limits)


def band_power(x: np.ndarray, bands: int = 16) -> np.ndarray:
    """Mean power of logarithmic bands, log10, (bands, ...) of x (time, ...) [decades of unit^2]."""
    spectrum = power(x)
    limits = edges(len(spectrum) - 1, bands)
    sums = np.add.reduceat(spectrum, limits[:-1], axis=0)
    widths = np.diff(limits).reshape(-1, *(1,) * (x.ndim - 1))
    return np.log10(sums / widths + FLOOR)


def rms(x: np.ndarray) -> np.ndarray:
    """Root mean square about the mean (...) of x (time, ...) [unit of x]."""
    return x.std(axis=0)


def kurtosis(x: np.ndarray) -> np.ndarray:
    """Fourth moment over the squared second (...) of x (time, ...); 3 for normal noise."""
    squared = (x - x.mean(axis=0)) ** 2
    return np.mean(squared**2, axis=0) / (np.mean(squared, axis=0) ** 2 + FLOOR)


def features(x: np.ndarray, bands: int = 16) -> np.ndarray:
    """Rows (n, channels * (bands + 2)) of windows x (time, n, channels): band powers, log rms, kurtosis."""
    if x.ndim != 3:
        raise ValueError(f"x must be windows (time, n, channels), got shape {x.shape}")
    shape = np.log10(np.stack([rms(x), kurtosis(x)]) + FLOOR)
    return np.concatenate([band_power(x, bands), shape]).transpose(1, 2, 0).reshape(x.shape[1], -1)


def spectrogram(x: np.ndarray, frames: int = 20, bands: int = 20) -> np.ndarray:
    """Pictures (n, frames, bands) of sounds x (time, n): log power of bands of equal width in each frame.

    A frame is two hops long and overlaps its neighbours by half. Each picture is scaled to 0 .. 1, where 0
    is 4 decades (40 dB) or more below its loudest cell, so that loudness tells nothing.
    """
    if x.ndim != 2:
        raise ValueError(f"x must be sounds (time, n), got shape {x.shape}")
    hop = len(x) // (count("frames", frames) + 1)
    if hop < count("bands", bands):
        raise ValueError(
            f"time must give each of {frames} frames at least {2 * bands} samples, got {len(x)} samples"
        )
    return pictures_of([x[k * hop : (k + 2) * hop] for k in range(frames)], bands)


def pictures_of(frames: Sequence[np.ndarray], bands: int) -> np.ndarray:
    """Pictures (n, frames, bands) of frames (window, n) of n sounds: level of bands of equal width, 0 to 1.

    0 is 4 decades (40 dB) or more below the loudest cell of the picture.
    """
    spectrum = power(np.stack(frames, axis=-1))[1:]
    limits = np.arange(bands + 1) * len(spectrum) // bands
    cells = np.add.reduceat(spectrum, limits[:-1], axis=0).transpose(1, 2, 0) / np.diff(limits)
    level = np.log10(cells + FLOOR)
    return np.clip(1 + (level - level.max(axis=(1, 2), keepdims=True)) / DECADES, 0, 1)
