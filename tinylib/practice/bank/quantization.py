"""Chapter "Quantization": step size, zero point, codes, round-trip error and the k-means codebook."""

import math

from tinylib.cost import compression
from tinylib.formats import affine
from tinylib.formats.affine import Affine
from tinylib.practice.draws import Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception


def _range(rng: Rng) -> dict:
    return {"lo": -rng.int(1, 80) / 10, "hi": rng.int(1, 80) / 10}


SCALE_ASYM = Exercise(
    id="quant.scale_asym",
    title="Step of an unsigned affine code",
    prompt="Values between {lo} and {hi} are stored as unsigned {bits}-bit codes. How large is one step "
    "(the scale), to four decimals?",
    given={"lo": -2.0, "hi": 6.0, "bits": 8},
    draws=lambda rng: {**_range(rng), "bits": rng.choice((4, 8))},
    answer=lambda lo, hi, bits: affine.asymmetric_scale(lo, hi, bits),
    unit="",
    tolerance=Absolute(5.0001e-5),
    expect=0.03137254901960784,
    source="worked by hand: 8 / 255",
    erratum="2-13",
    misconceptions=(
        Misconception(
            lambda lo, hi, bits: (hi - lo) / 2**bits,
            "You divided by the number of codes: between n codes there are n - 1 steps.",
        ),
        Misconception(
            lambda lo, hi, bits: max(abs(lo), abs(hi)) / (2 ** (bits - 1) - 1),
            "That is the symmetric rule: here the range is used from its lowest to its highest value.",
        ),
        Misconception(
            lambda lo, hi, bits: hi / (2**bits - 1),
            "The negative part is missing: the range is its maximum minus its minimum.",
        ),
    ),
    hints=("How many gaps lie between the first and the last code?", "S = (max - min) / (2^bits - 1)."),
    steps=lambda lo, hi, bits: (
        f"range: {hi:g} - ({lo:g}) = {hi - lo:g}",
        f"gaps: 2^{bits} - 1 = {2**bits - 1}",
        f"{hi - lo:g} / {2**bits - 1} = {(hi - lo) / (2**bits - 1):.4f}",
    ),
)


def _steps_below(lo: float, hi: float, bits: int) -> float:
    """Steps between the lowest value and real zero, before rounding."""
    return -lo / affine.asymmetric_scale(lo, hi, bits)


def _no_tie(steps: float) -> bool:
    """Whether rounding is clear: a tie would hang on the last bit of a float."""
    return abs(steps % 1 - 0.5) > 1e-6


ZERO_POINT = Exercise(
    id="quant.zero_point",
    title="Zero point",
    prompt="Values between {lo} and {hi} are stored as UINT{bits} codes, 0 to 2^{bits} - 1. "
    "Which code stands for real zero?",
    given={"lo": -2.0, "hi": 6.0, "bits": 8},
    draws=_range,
    accept=lambda lo, hi, bits: _no_tie(_steps_below(lo, hi, bits)),
    answer=lambda lo, hi, bits: affine.asymmetric(lo, hi, bits).zero_point,
    unit="codes",
    tolerance=Absolute(0),
    expect=64,
    source="worked by hand: 2 x 255 / 8 = 63.75",
    erratum="2-13",
    misconceptions=(
        Misconception(
            lambda lo, hi, bits: math.floor(_steps_below(lo, hi, bits)),
            "You cut the fraction off: the zero point is the nearest code.",
        ),
        Misconception(
            lambda lo, hi, bits: affine.rounded(hi / affine.asymmetric_scale(lo, hi, bits)),
            "You counted the steps above zero: code 0 is at the bottom of the range.",
        ),
        Misconception(
            lambda lo, hi, bits: affine.rounded(_steps_below(lo, hi, bits)) - 2 ** (bits - 1),
            "That is the signed (INT8) code, or a lost minus: here the codes start at 0 and hold real zero.",
        ),
    ),
    hints=("How many steps lie between the minimum and zero?", "Z = round(-min / S) for codes from 0."),
    steps=lambda lo, hi, bits: (
        f"S = ({hi:g} - ({lo:g})) / {2**bits - 1} = {affine.asymmetric_scale(lo, hi, bits):.6f}",
        f"steps below zero: {-lo:g} / S = {_steps_below(lo, hi, bits):.3f}",
        f"nearest code: {affine.asymmetric(lo, hi, bits).zero_point}",
    ),
)

QUANTIZE = Exercise(
    id="quant.quantize",
    title="Quantize one value",
    prompt="Which UINT8 code stores {x} at scale {S} and zero point {Z}? "
    "Round to the nearest code and keep it within 0 to 255.",
    given={"x": 1.5, "S": 0.03137, "Z": 64},
    draws=lambda rng: {
        "x": rng.int(-300, 800) / 100,
        "S": rng.log(0.005, 0.1, 2),
        "Z": rng.int(0, 255),
    },
    accept=lambda x, S, Z: _no_tie(x / S),
    answer=lambda x, S, Z: Affine(S, Z, signed=False).quantize(x),
    unit="codes",
    tolerance=Absolute(0),
    expect=112,
    source="worked by hand: 1.5 / 0.03137 = 47.8, and 48 + 64",
    misconceptions=(
        Misconception(
            lambda x, S, Z: affine.rounded(x / S),
            "Those are the steps from zero: real zero sits at code Z, not at code 0.",
        ),
        Misconception(
            lambda x, S, Z: math.floor(x / S) + Z, "You rounded down: take the nearest whole step."
        ),
        Misconception(
            lambda x, S, Z: affine.rounded((x + Z) * S),
            "That runs the map the wrong way: divide the value by the step first, then shift.",
        ),
        Misconception(
            lambda x, S, Z: affine.rounded(x / S) - Z,
            "You subtracted the zero point: that is the way back. A real 0 must become code Z.",
        ),
    ),
    hints=("How many steps is the value away from zero?", "q = clamp(round(x / S) + Z, 0, 255)."),
    steps=lambda x, S, Z: (
        f"{x:g} / {S:g} = {x / S:.3f}, nearest step {affine.rounded(x / S):,}",
        f"{affine.rounded(x / S):,} + {Z} = {affine.rounded(x / S) + Z:,}",
        f"within 0 to 255: {Affine(S, Z, signed=False).quantize(x)}",
    ),
)


def _stored_value(rng: Rng) -> dict:
    code = Affine(rng.log(0.005, 0.1, 2), rng.int(0, 255), signed=False)
    x = round(code.dequantize(rng.int(1, 254)) + rng.uniform(-0.5, 0.5) * code.scale, 3)
    return {"x": x, "q": code.quantize(x), "S": code.scale, "Z": code.zero_point}


ROUNDTRIP_ERROR = Exercise(
    id="quant.roundtrip_error",
    title="Round-trip error",
    prompt="The value {x} was stored as code {q} at scale {S} and zero point {Z}. How large is the absolute "
    "error after dequantizing, to four decimals?",
    given={"x": 1.5, "q": 112, "S": 0.03137, "Z": 64},
    draws=_stored_value,
    accept=lambda x, q, S, Z: abs(S * (q - Z) - x) > 0.0005,  # else an answer of zero would pass
    answer=lambda x, q, S, Z: abs(Affine(S, Z, signed=False).dequantize(q) - x),
    unit="",
    tolerance=Absolute(0.00025),
    expect=0.00576,
    source="worked by hand: 48 x 0.03137 - 1.5",
    erratum="2-14",
    misconceptions=(
        Misconception(
            lambda x, q, S, Z: S / 2,
            "Half a step is the largest error of any value in range: what is the error of this one?",
        ),
        Misconception(
            lambda x, q, S, Z: abs(S * q - x),
            "The zero point is still in it: the code stands for S (q - Z).",
        ),
        Misconception(
            lambda x, q, S, Z: S * (q - Z),
            "That is the restored value: the error is its distance from the original.",
        ),
    ),
    hints=("Which real number does the code stand for?", "error = |S (q - Z) - x|."),
    steps=lambda x, q, S, Z: (
        f"restored: {S:g} x ({q} - {Z}) = {S * (q - Z):.5f}",
        f"{S * (q - Z):.5f} and {x:g} lie {abs(S * (q - Z) - x):.5f} apart",
    ),
)

CODEBOOK_RATIO = Exercise(
    id="quant.codebook_ratio",
    title="K-means codebook",
    prompt="Weights of {orig_bits} bits are replaced by indices into a table of {k} shared values. "
    "By which factor do the weights shrink, the table left out?",
    given={"orig_bits": 32, "k": 16},
    draws={"orig_bits": (16, 32), "k": (2, 4, 8, 16, 32, 64, 256)},
    answer=lambda orig_bits, k: compression.codebook_ratio(None, k, orig_bits),
    unit="x",
    tolerance=Absolute(0.01),
    expect=8.0,
    source="worked by hand: 16 entries need 4 bits, 32 / 4",
    misconceptions=(
        Misconception(
            lambda orig_bits, k: orig_bits / k,
            "You divided by the number of entries: how many bits does it take to name one of them?",
        ),
        Misconception(
            lambda orig_bits, k: k / math.log2(k),
            "The number of entries is no size: compare the bits of a weight before and after.",
        ),
        Misconception(
            lambda orig_bits, k: math.log2(k) / orig_bits,
            "Upside down: the factor is the size before over the size after.",
        ),
    ),
    hints=("How many bits name one entry of the table?", "factor = bits before / log2(entries)."),
    steps=lambda orig_bits, k: (
        f"bits of an index into {k} entries: log2({k}) = {math.log2(k):g}",
        f"{orig_bits} / {math.log2(k):g} = {orig_bits / math.log2(k):.4g}",
    ),
)

EXERCISES = (SCALE_ASYM, ZERO_POINT, QUANTIZE, ROUNDTRIP_ERROR, CODEBOOK_RATIO)
