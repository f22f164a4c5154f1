"""Arrays as integer codes: one scale for a tensor, for each output channel, or for groups of inputs.

    symmetric    S = max|w| / (2^(b-1) - 1),    Z = 0            codes -(2^(b-1) - 1) .. 2^(b-1) - 1
    asymmetric   S = (hi - lo) / (2^b - 1),     Z = -2^(b-1) + round(-lo / S)
    restored     w' = S (q - Z);                SQNR = 10 log10(sum w^2 / sum (w - w')^2)

`minmax` takes the whole range, `percentile` drops the tails, `mse` tries narrower ranges and keeps the
one with the least squared error. `axes` says where w keeps its output channels (see `layout`).
Source: Jacob et al., arXiv 1712.05877, section 2.1; Nagel et al., arXiv 2106.08295, sections 2.2 and 3.1.
"""

from dataclasses import dataclass

import numpy as np

from tinylib.compress.layout import Axes, from_matrix, to_matrix
from tinylib.cost.compression import scale_bytes, scale_count
from tinylib.cost.layers import count
from tinylib.cost.memory import weight_bytes
from tinylib.formats import calibration
from tinylib.formats.affine import Affine
from tinylib.units import shown

METHODS = calibration.METHODS
PER = ("tensor", "channel", "group")


def _code_bits(bits: int) -> int:
    """`bits` as an int from 2 to 16."""
    if not 2 <= count("bits", bits) <= 16:
        raise ValueError(f"bits must be 2 to 16: one is the sign, got {shown(bits)}")
    return int(bits)


@dataclass(frozen=True)
class Quantized:
    """An array as codes.

    codes: int64, the shape of the array                                              [codes]
    scale, zero_point: (blocks, channels); 1 where one serves all                     [unit of x], [codes]
    original: the array that was quantized, for the error;  axes: where its channels lie
    """

    codes: np.ndarray
    scale: np.ndarray
    zero_point: np.ndarray
    bits: int
    per: str
    group_size: int
    symmetric: bool
    original: np.ndarray
    axes: Axes = (-1,)

    def restored(self) -> np.ndarray:
        """The real numbers that the codes stand for, in the shape of the array."""
        flat = to_matrix(self.codes, self.axes)
        block = _blocks(len(flat), self.group_size)
        real_flat = self.scale[block] * (flat - self.zero_point[block])
        return from_matrix(real_flat, self.codes.shape, self.axes)

    @property
    def error(self) -> float:
        """Root mean square of the error [unit of x]."""
        return float(np.sqrt(np.mean((self.original - self.restored()) ** 2)))

    @property
    def sqnr_db(self) -> float:
        """Signal to quantization noise of the whole array [dB]."""
        return float(sqnr_db(self.original.ravel(), self.restored().ravel()))

    def sqnr_db_per_channel(self) -> np.ndarray:
        """The same for each output channel (channels,) [dB]."""
        return sqnr_db(to_matrix(self.original, self.axes), to_matrix(self.restored(), self.axes))

    @property
    def bytes(self) -> int:
        """Codes packed, a float32 scale each and, if asymmetric, a zero point of `bits` [bytes]."""
        flat = to_matrix(self.codes, self.axes)
        scales = scale_count(flat.shape[1], flat.shape[0], self.per, self.group_size)
        zero_bits = 0 if self.symmetric else self.bits
        return weight_bytes(self.codes.size, self.bits) + scale_bytes(scales, 32, zero_bits)


def sqnr_db(values: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """Power over squared error along the first axis [dB]; inf where nothing is lost."""
    signal, noise = np.sum(values**2, axis=0), np.sum((values - restored) ** 2, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(noise == 0, np.inf, 10 * np.log10(signal / noise))


def weights(
    w: np.ndarray,
    bits: int = 8,
    per: str = "tensor",
    group_size: int = 0,
    symmetric: bool = True,
    method: str = "minmax",
    percentile: float = 99.9,
    axes: Axes = (-1,),
) -> Quantized:
    """w, its channels on `axes`, as codes of `bits`; "group" gives `group_size` inputs of a channel a scale.

    A channel of zeros gets codes of zero. Methods are those of `formats.calibration`.
    """
    w = _finite("w", w)
    if w.ndim < 2 or not w.size:
        raise ValueError(f"w must have inputs and channels, such as (n_in, n_out), got shape {w.shape}")
    if per not in PER:
        raise ValueError(f"per must be one of {', '.join(PER)}, got {shown(per)}")
    if (per == "group") != (group_size > 0):
        raise ValueError(
            f"group_size must be given with per='group' alone, got {per} and {shown(group_size)}"
        )
    flat = to_matrix(w, axes)
    options = {"symmetrical": symmetric, "signed": True, "method": method, "percent": percentile}
    size, over = group_size or len(flat), None if per == "tensor" else 0
    blocks = [flat[i : i + size] for i in range(0, len(flat), size)]
    found = [calibration.calibrate(block, _code_bits(bits), over=over, **options) for block in blocks]
    codes = np.concatenate([code.quantize(block) for code, block in zip(found, blocks)]).astype(np.int64)
    scale = np.stack([np.ravel(code.scale) for code in found])
    zero = np.stack([np.ravel(code.zero_point + 0 * code.scale) for code in found]).astype(np.int64)
    codes = from_matrix(codes, w.shape, axes)
    return Quantized(codes, scale, zero, bits, per, group_size, symmetric, w, axes)


def calibrate(
    samples: np.ndarray,
    bits: int = 8,
    method: str = "minmax",
    symmetric: bool = False,
    percentile: float = 99.9,
) -> Affine:
    """The affine code of a tensor whose values are seen in `samples`, of any shape."""
    samples = _finite("samples", samples).reshape(-1)
    if not samples.size:
        raise ValueError("samples must hold at least one value: a range needs data, got none")
    options = {"symmetrical": symmetric, "signed": True, "method": method, "percent": percentile}
    return calibration.calibrate(samples, _code_bits(bits), **options)


def _finite(what: str, values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(
            f"{what} must be finite: NaN has no code, got {values[~np.isfinite(values)].flat[0]}"
        )
    return values


def _blocks(inputs: int, group_size: int) -> np.ndarray:
    """Which block of scales each input belongs to (inputs,)."""
    return np.arange(inputs) // group_size if group_size else np.zeros(inputs, int)
