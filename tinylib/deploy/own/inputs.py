"""From readings to the codes that a network reads, in integers alone: the same bits here and in C.

    reading    r = round((value - base) 2^f), 16 bits, f and base of its own for each channel
    code       clamp(((v - offset) factor + half) >> shift)          v: a reading, or a feature
    feature    256 log2 of a sum of squares, over bands of a spectrum or over the window

The spectrum is a Fourier transform of N = 2^k samples, N/2 complex points at a time, of the readings without
their mean, moved to 14 bits and under a Hann window; a product with a sine is always (a b + 2^14) >> 15.
Source: own; transform as in Cooley and Tukey, Mathematics of Computation 19, 1965, pp. 297-301; two real
samples to a complex one as in Press et al., Numerical Recipes, section 12.3.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tinylib.datasets.spectra import edges

Array = np.ndarray
READING = 2**15 - 1
FAR = 1024
PIECE = 256  # windows transformed at a time


@dataclass(frozen=True)
class Sensor:
    """What a reading of each channel is worth: value = base[channel] + reading / 2^bits[channel].

    base: not 0 for a channel that moves little and far from 0, as air pressure; () where no channel does
    """

    bits: tuple[int, ...]
    base: tuple[float, ...] = ()

    @classmethod
    def of(cls, x: Array) -> "Sensor":
        """Room for twice the largest value of x (n, time, channels) in 16 bits.

        A channel more than FAR times farther from 0 than it moves has a base; since such values drift, there
        is room for FAR / 4 times that move.
        """
        low, high = x.min(axis=(0, 1)).astype(float), x.max(axis=(0, 1)).astype(float)
        middle, move = (low + high) / 2, (high - low) / 2
        far = (move > 0) & (np.abs(middle) > FAR * move)
        base = np.array([float(f"{v:.6g}") if b else 0.0 for v, b in zip(middle, far)])
        room = np.where(far, FAR / 8 * move + np.abs(middle - base), np.maximum(np.abs(low), np.abs(high)))
        bits = tuple(int(np.floor(np.log2(READING / 2 / max(v, 1e-30)))) for v in room)
        return cls(bits, tuple(base.tolist()) if far.any() else ())

    def told(self, channel: int) -> str:
        """How a reading of a channel is made of its value [text]."""
        base = self.base[channel] if self.base else 0
        value = f"(value {'-' if base > 0 else '+'} {abs(base):.6g})" if base else "value"
        return f"round({value} x 2^{self.bits[channel]})"

    def readings(self, x: Array) -> Array:
        """int16 readings, shaped as x."""
        scaled = (np.asarray(x, np.float64) - (self.base or 0)) * np.exp2(self.bits)
        return np.clip(np.floor(scaled + 0.5), -READING - 1, READING).astype(np.int16)


@dataclass(frozen=True)
class Codes:
    """How integers become codes of `bits`: one offset, factor and shift for each of k columns."""

    offset: tuple[int, ...]
    factor: tuple[int, ...]
    shift: tuple[int, ...]
    bits: int

    @classmethod
    def of(cls, v: Array, step: float, bits: int, floor: float = 1.0) -> "Codes":
        """For columns of v (n, k): zero at the mean, and 1 / step codes to a standard deviation."""
        mean, spread = v.mean(axis=0), np.maximum(v.std(axis=0), floor)
        wanted = 1 / (spread * step)
        shift = np.clip(13 - np.floor(np.log2(wanted)).astype(int), 1, 28)
        factor = np.clip(np.rint(wanted * np.exp2(shift)), 1, 2**14).astype(int)
        return cls(
            tuple(np.rint(mean).astype(int).tolist()), tuple(factor.tolist()), tuple(shift.tolist()), bits
        )

    def __call__(self, v: Array) -> Array:
        """Codes (..., k) of integers v (..., k), as int64."""
        shift = np.array(self.shift)
        whole = ((v.astype(np.int64) - self.offset) * self.factor + (1 << (shift - 1))) >> shift
        return np.clip(whole, -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1)


@lru_cache(maxsize=8)
def cosines(n: int) -> Array:
    """round(32767 cos(2 pi t / n)) for t = 0 .. n - 1."""
    t = np.arange(n // 4 + 1)
    quarter = np.rint(32767 * np.cos(2 * np.pi * t / n)).astype(np.int64)
    quarter[-1] = 0
    half = np.r_[quarter, -quarter[-2::-1]]
    return np.r_[half, half[-2:0:-1]]


def points(time: int) -> int:
    """Length of the transform of a window [samples]: the largest power of two, at most 2,048."""
    return min(2 ** (int(time).bit_length() - 1), 2048)


def limits(time: int) -> Array:
    """Edges of the bands over bins 1 .. N/2 - 1 (bands + 1,): up to 16 of them, wider by one factor each."""
    last = points(time) // 2 - 1
    return edges(last, min(16, last))


def _product(a: Array, b: Array) -> Array:
    return (a * b + 16384) >> 15


def _whole_log2(v: Array) -> Array:
    """floor(log2 v) of whole v >= 1."""
    v = np.asarray(v, np.uint64)
    whole = np.zeros(v.shape, np.int64)
    for step in (32, 16, 8, 4, 2, 1):
        large = v >> np.uint64(step) > 0
        whole += step * large
        v = np.where(large, v >> np.uint64(step), v)
    return whole


def _mantissa(v: Array, whole: Array) -> Array:
    """v as 2^15 .. 2^16 - 1, cut off."""
    v, up = np.asarray(v, np.uint64), whole - 15
    return np.where(
        up >= 0, v >> np.maximum(up, 0).astype(np.uint64), v << np.maximum(-up, 0).astype(np.uint64)
    ).astype(np.int64)


def log2_256(v: Array) -> Array:
    """256 log2 v, cut off, for whole v >= 1: a square of the mantissa that passes 2 is one more bit."""
    whole = _whole_log2(v)
    m, found = _mantissa(v, whole), whole
    for _ in range(8):
        m = (m * m) >> 15
        over = m >> 16
        found = 2 * found + over
        m = m >> over
    return found


def transform(x: Array) -> tuple[Array, Array]:
    """Real and imaginary parts (..., N/2) of bins 0 .. N/2 - 1 of whole x (..., N)."""
    n = x.shape[-1]
    c = cosines(n)
    s = np.roll(c, n // 4)  # sines: cos(t - n / 4)
    half = n // 2
    order = np.arange(half)
    order = sum(((order >> i) & 1) << (half.bit_length() - 2 - i) for i in range(half.bit_length() - 1))
    order = np.zeros(1, int) if half == 1 else order
    re, im = x[..., 0::2][..., order], x[..., 1::2][..., order]
    size = 1
    while size < half:
        turn = np.arange(size) * (n // (2 * size))
        wr, wi = c[turn], -s[turn]
        re, im = (v.reshape(*x.shape[:-1], -1, 2, size) for v in (re, im))
        (ar, br), (ai, bi) = ((v[..., 0, :], v[..., 1, :]) for v in (re, im))
        tr, ti = _product(br, wr) - _product(bi, wi), _product(br, wi) + _product(bi, wr)
        re = np.stack([ar + tr, ar - tr], axis=-2).reshape(*x.shape[:-1], half)
        im = np.stack([ai + ti, ai - ti], axis=-2).reshape(*x.shape[:-1], half)
        size *= 2
    mirror = -np.arange(half) % half
    er, ei = re + re[..., mirror], im - im[..., mirror]  # twice the even samples' part
    dr, di = im + im[..., mirror], re[..., mirror] - re  # twice the odd samples' part
    wr, wi = c[:half], -s[:half]
    return er + _product(dr, wr) - _product(di, wi), ei + _product(dr, wi) + _product(di, wr)


def features(r: Array) -> Array:
    """Features (n, channels * (bands + 2)) of readings r (n, time, channels), whole numbers."""
    rows = [_features(r[at : at + PIECE]) for at in range(0, len(r), PIECE)]
    return np.concatenate(rows)


def _features(r: Array) -> Array:
    n = points(r.shape[1])
    v = r[:, :n].astype(np.int64).transpose(0, 2, 1)  # (n, channels, time)
    v = v - ((v.sum(-1, keepdims=True) + n // 2) >> (n.bit_length() - 1))
    most = np.abs(v).max(-1)
    up = 13 - _whole_log2(np.maximum(most, 1))  # so that the largest has 14 bits
    w = np.where(up[..., None] >= 0, v << np.maximum(up, 0)[..., None], v >> np.maximum(-up, 0)[..., None])
    squares = w * w
    second = log2_256(squares.sum(-1) + 1)
    fourth = log2_256(((squares >> 14) ** 2).sum(-1) + 1)
    hann = (32767 - cosines(n)) >> 1
    re, im = transform(_product(w, hann))
    power = re * re + im * im
    cut = limits(r.shape[1])
    bands = log2_256(np.add.reduceat(power[..., : cut[-1]], cut[:-1], axis=-1) + 1)
    moments = np.stack([second - 512 * up, fourth - 2 * second], axis=-1)
    found = np.concatenate([bands - 512 * up[..., None], moments], axis=-1)
    return found.reshape(len(r), -1)
