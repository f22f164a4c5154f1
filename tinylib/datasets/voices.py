"""Words of a synthetic voice: four to tell apart and any other sound, for a keyword lab.

    voice   sum over h of A(h f0) cos(h phi),    phi = 2 pi int f0 dt
    A(f)    sum over formants of 1 / (1 + ((f - F_i) / B_i)^2),    F_i gliding from start to end of a sound
    hiss    noise through one resonance of the same shape

A word is two to four sounds in a row. A speaker has a pitch, a length of the vocal tract that scales all
formants, and a pace; every utterance varies them and gets a level, a start in the window, and a room's noise.
"other" joins sounds of the four words at random, so that a single sound does not give a word away.
Source: own; formants after Peterson and Barney, "Control methods used in a study of the vowels", J. Acoust.
Soc. Am. 24 (1952) 175-184, table II, rounded. No one spoke these words: a detector learns nothing of speech.
"""

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tinylib.cost.layers import count
from tinylib.datasets.records import Examples, Split
from tinylib.datasets.spectra import spectrogram
from tinylib.units import shown

RATE_HZ, TIME = 8000, 6720  # 0.84 s: 20 frames of 80 ms that overlap by half
SIDE = (20, 20)  # frames, bands of a picture
BANDWIDTHS_HZ = (90.0, 110.0, 170.0)  # of the three formants


class Sound(NamedTuple):
    """A piece of a word: formants in Hz at its start and end, or for a hiss (no formants) its middle."""

    ms: float
    start: tuple[float, ...] = ()
    end: tuple[float, ...] = ()
    hiss_hz: float = 0.0
    level: float = 1.0


_I, _E, _A, _O, _U = (
    (270, 2290, 3010),
    (530, 1840, 2480),
    (730, 1090, 2440),
    (570, 840, 2410),
    (300, 870, 2240),
)
_HUM, _SILENCE = (250, 1100, 2300), Sound(60)
_S, _T = Sound(150, hiss_hz=3300, level=0.35), Sound(30, hiss_hz=2600, level=0.5)
SOUNDS = {  # word -> its sounds
    "yes": (Sound(90, _I, _E), Sound(130, _E, _E), _S),
    "no": (Sound(90, _HUM, _HUM, level=0.6), Sound(130, _O, _O), Sound(130, _O, _U)),
    "stop": (_S, _SILENCE, _T, Sound(160, _A, _A), _SILENCE, Sound(30, hiss_hz=1200, level=0.4)),
    "go": (Sound(30, hiss_hz=1800, level=0.5), Sound(120, _O, _O), Sound(150, _O, _U)),
}
WORDS = (*SOUNDS, "other")


def words(speakers: tuple[int, int, int] = (20, 4, 12), per_word: int = 10, seed: int = 0) -> Split:
    """Utterances of `speakers` to train on, to choose by and to report on; no speaker is in two parts.

    x (6720, n, 1) is sound pressure, about 1 at its loudest; groups are the speakers.
    """
    if not isinstance(speakers, tuple) or len(speakers) != 3:
        raise ValueError(f"speakers must be three counts (train, validation, test), got {shown(speakers)}")
    sizes = [count("speakers", n, least) for n, least in zip(speakers, (1, 0, 1))]
    y = np.tile(np.repeat(np.arange(len(WORDS)), count("per_word", per_word)), sum(sizes))
    groups = np.repeat(np.arange(sum(sizes)), len(WORDS) * per_word)
    x = np.empty((TIME, len(y), 1))
    for speaker in range(sum(sizes)):
        rng = np.random.default_rng([seed, speaker])
        x[:, groups == speaker, 0] = _speaker(rng, y[groups == speaker]).T
    whole = Examples("synthetic words", x, y, WORDS, "sound pressure", "generated", "CC0 1.0", groups=groups)
    parts = ((groups >= a) & (groups < b) for a, b in pairwise(np.cumsum([0, *sizes])))
    return Split(*(whole.take(np.flatnonzero(part)) for part in parts))


def pictures(sounds: Examples) -> Examples:
    """The same examples as spectrograms: x (n, 400) in 0 .. 1, `images` (n, 20, 20, 1)."""
    if sounds.x.ndim != 3 or sounds.x.shape[-1] != 1:
        raise ValueError(f"sounds must be (time, n, 1): one channel, got {sounds.x.shape}")
    x = spectrogram(sounds.x[..., 0], *SIDE).reshape(len(sounds), -1)
    return replace(sounds, x=x, side=SIDE, units="level in a range of 40 dB, 0 to 1")


def _speaker(rng: np.random.Generator, y: np.ndarray) -> np.ndarray:
    """Utterances (n, time) of one speaker: words y (n,)."""
    pitch, tract, pace = rng.uniform(90, 240), rng.uniform(0.88, 1.14), rng.uniform(0.85, 1.2)
    pool = [sound for word in SOUNDS.values() for sound in word if sound is not _SILENCE]
    x = np.zeros((len(y), TIME))
    for row, word in zip(x, y):
        if word < len(SOUNDS):
            sounds = SOUNDS[WORDS[word]]
        else:
            sounds = [pool[k] for k in rng.permutation(len(pool))[: rng.integers(2, 5)]]
        pieces = [
            _sound(rng, s, pitch * rng.uniform(0.9, 1.1), tract, pace * rng.uniform(0.85, 1.15))
            for s in sounds
        ]
        voice = np.concatenate(pieces)[:TIME]
        voice = voice / np.abs(voice).max() * rng.uniform(0.3, 1)
        start = rng.integers(TIME - len(voice) + 1)
        row[start : start + len(voice)] = voice
    return x + rng.normal(size=x.shape) * rng.uniform(0.003, 0.03, size=(len(y), 1))


def _sound(rng: np.random.Generator, sound: Sound, pitch: float, tract: float, pace: float) -> np.ndarray:
    """One sound (samples,) of a speaker, faded in and out."""
    n = max(int(sound.ms / 1000 * RATE_HZ / pace), 16)
    fade = np.minimum(1, np.minimum(np.arange(n) + 1, np.arange(n, 0, -1)) / (0.01 * RATE_HZ))
    if sound.hiss_hz:
        f = np.fft.rfftfreq(n, 1 / RATE_HZ)
        shape = 1 / (1 + ((f - sound.hiss_hz * rng.uniform(0.93, 1.07)) / 500) ** 2)
        noise = np.fft.irfft(np.fft.rfft(rng.normal(size=n)) * shape, n)
        return sound.level * fade * noise / noise.std()
    if not sound.start:
        return np.zeros(n)
    part = np.linspace(0, 1, n)
    f0 = pitch * (1 + 0.08 * np.sin(np.pi * part + rng.uniform(0, np.pi)))
    h = np.arange(1, int(0.95 * RATE_HZ / 2 / f0.max()) + 1)[:, None]
    glide = [(1 - part) * a + part * b for a, b in zip(sound.start, sound.end)]
    tuned = tract * rng.uniform(0.96, 1.04, size=len(glide))
    shape = sum(1 / (1 + ((h * f0 - t * f) / b) ** 2) for t, f, b in zip(tuned, glide, BANDWIDTHS_HZ))
    voice = (shape * np.cos(h * 2 * np.pi * np.cumsum(f0) / RATE_HZ)).sum(axis=0)
    return sound.level * fade * voice / voice.std()
