"""Key of assignment 04: the private question and the functions that are not in the bank. Never released."""

import math

from grading.keys import key
from tinylib.formats import affine
from tinylib.practice import Absolute, Exercise, Misconception


def _spare(lo: float, hi: float) -> int:
    return affine.symmetric(hi).quantize(lo) - affine.symmetric(hi).codes[0]


SPARE_CODES = Exercise(
    id="a04.spare_codes",
    title="Codes that nothing uses",
    prompt="Activations lie between {lo} and {hi}. Stored in *symmetric* INT8, with the codes -127 to 127, "
    "how many of these codes lie below every activation and are never used?",
    given={"lo": -0.4, "hi": 5.0},
    draws={"lo": (-0.2, -0.3, -0.4, -0.6, -0.7), "hi": (3.0, 4.0, 5.0, 6.0, 8.0)},
    answer=_spare,
    unit="codes",
    tolerance=Absolute(0),
    expect=117,
    source="worked by hand: 0.4 x 127 / 5 = 10.16, so code -10 is the lowest, and 127 - 10 lie below",
    misconceptions=(
        Misconception(
            lambda lo, hi: 255 - _spare(lo, hi),
            "Those are the codes in use: asked are the others.",
        ),
        Misconception(
            lambda lo, hi: _spare(lo, hi) + 1,
            "One too many: -128 is left out of a symmetric code, or the lowest code in use was counted.",
        ),
        Misconception(
            lambda lo, hi: 0,
            "That is the asymmetric code: it has no code to spare.",
        ),
        Misconception(
            lambda lo, hi: 127,
            "Some codes below zero are in use: activations go down to the lower end of their range.",
        ),
    ),
)


@key(
    "a04.quantize",
    examples=[
        (
            ([-2.0, 0.0, 1.5, 9.0], -2.0, 6.0, 8, False),
            {"scale": 8 / 255, "zero_point": 64, "codes": [0, 64, 112, 255], "clipped": 1},
        ),
        (
            ([-2.0, 0.0, 1.5, 9.0], -2.0, 6.0, 8, True),
            {"scale": 8 / 255, "zero_point": -64, "codes": [-128, -64, -16, 127], "clipped": 1},
        ),
    ],
)
class Quantize:
    def draw(rng):  # the steps below zero end in .5 to .9, so that a cut shows; values on both sides outside
        bits, hi = rng.choice((4, 6, 8)), rng.int(20, 60) / 10
        below = rng.int(2, 2 ** (bits - 1) - 2) + rng.uniform(0.55, 0.9)
        lo = round(-hi * below / (2**bits - 1 - below), 4)
        values = [round(rng.uniform(1.6 * lo, 1.4 * hi), 3) for _ in range(9)]
        return [*values, 0.0, 2 * lo, 2 * hi], lo, hi, bits, bool(rng.int(0, 1))

    def expected(values, lo, hi, bits, signed):
        code = affine.asymmetric(lo, hi, bits, signed)
        return {
            "scale": code.scale,
            "zero_point": code.zero_point,
            "codes": [code.quantize(v) for v in values],
            "clipped": sum(not lo <= v <= hi for v in values),
        }

    def slips(values, lo, hi, bits, signed):
        code = affine.asymmetric(lo, hi, bits, signed)
        low, _ = affine.code_range(bits, signed)
        other = affine.asymmetric(lo, hi, bits, not signed)
        return {
            "scale": {
                "that divides by the number of codes, between n codes are n - 1 steps": (hi - lo) / 2**bits,
                "that is the symmetric rule": max(-lo, hi) / (2 ** (bits - 1) - 1),
                "that is the inverse, steps per unit": 1 / code.scale,
            },
            "zero_point": {
                "that is cut off, zero has the nearest code": low + math.floor(-lo / code.scale),
                "signed and unsigned are mixed up": other.zero_point,
                "its sign is turned": low - affine.rounded(-lo / code.scale),
                "those are the steps above zero": low + affine.rounded(hi / code.scale),
            },
            "clipped": {
                "those were not clipped": len(values) - sum(not lo <= v <= hi for v in values),
                "one side alone was counted": sum(v > hi for v in values),
            },
        }


@key(
    "a04.requantize",
    examples=[
        ((2500, 1_099_511_628, 8, -3), {"rounded": 5, "code": 2}),
        ((-12, 1_342_177_280, 1, 0), {"rounded": -4, "code": -4}),
        ((-4, 1_342_177_280, 0, 0), {"rounded": -2, "code": -2}),
        ((90_000, 1_099_511_628, 8, 10), {"rounded": 180, "code": 127}),
    ],
)
class Requantize:
    def draw(rng):
        # half of them ties above an even code, mostly negative; half to be rounded down, mostly saturated
        shift, zero_point = rng.int(4, 9), rng.int(-40, 40)
        if rng.int(0, 1):
            sign, part, times = rng.choice((1, -1, -1, -1)), rng.choice((5, 7)), rng.odd(1, 89)
            times += 2 * (part * times % 4 != (1 if sign > 0 else 3))
            return sign * times * 2 ** (2 + shift), part * 2**28, shift, zero_point
        low, middle, high = rng.int(-300, -180), rng.int(-80, 80), rng.int(180, 300)
        raw, target = rng.int(2**30, 2**31 - 1), rng.choice((low, low, middle, high)) + rng.uniform(0.1, 0.4)
        return round(target * 2 ** (31 + shift) / raw), raw, shift, zero_point

    def expected(acc, raw, shift, zero_point):
        rounded = affine.requantize(acc, raw, shift)
        return {"rounded": rounded, "code": affine.clamp(rounded + zero_point, *affine.code_range())}

    def slips(acc, raw, shift, zero_point):
        rounded, down = affine.requantize(acc, raw, shift), acc * raw >> 31 + shift
        return {
            "rounded": {
                "ties go upwards, add half before the shift; that went down, away from zero or to even": down,
                "the shift was done, the 31 fraction bits are still in it": (acc * raw) >> shift,
                "that is M without its shift": (acc * raw + (1 << 30)) >> 31,
                "the zero point is in it already": rounded + zero_point,
            },
            "code": {
                "nothing was saturated": rounded + zero_point,
                "the zero point was taken away, it is added": affine.clamp(
                    rounded - zero_point, *affine.code_range()
                ),
                "the zero point is missing": affine.clamp(rounded, *affine.code_range()),
                "that saturates as UINT8": affine.clamp(rounded + zero_point, 0, 255),
                "that leaves out -128, which activations use": affine.clamp(rounded + zero_point, -127, 127),
            },
        }
