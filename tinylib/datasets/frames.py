"""The front end of a keyword detector: a sound cut into frames, each frame a row of a picture.

    frames = 1 + floor((samples - window) / hop)        as a convolution of `window` taps and stride `hop`

Source: own; frames and bands as in `spectra.spectrogram`, which fixes the overlap at one half.
"""

import numpy as np

from tinylib.cost.layers import Conv1D, count
from tinylib.datasets.spectra import pictures_of
from tinylib.units import shown


def frame_count(samples: int, window: int, hop: int) -> int:
    """Whole frames in a sound [count]; raises where the window is longer than the sound."""
    return Conv1D(1, 1, count("window", window), stride=count("hop", hop)).out_shape((samples, 1))[0]


def front_end(x: np.ndarray, window: int, hop: int, bands: int = 20) -> np.ndarray:
    """Pictures (n, frames, bands) of sounds x (time, n): level of bands of equal width, 0 to 1.

    0 is 40 dB or more below the loudest cell of the picture. window, hop: samples.
    """
    if not isinstance(x, np.ndarray) or x.ndim != 2:
        raise ValueError(f"x must be sounds (time, n), got {shown(getattr(x, 'shape', x))}")
    starts = hop * np.arange(frame_count(len(x), window, hop))
    if window < 2 * count("bands", bands):
        raise ValueError(f"window must hold two samples a band: {2 * bands} for {bands}, got {window}")
    return pictures_of([x[start : start + window] for start in starts], bands)
