"""Key of assignment 05: the private question and the functions that are not in the bank. Never released."""

import math

from grading.keys import key
from tinylib.formats import affine
from tinylib.practice import Absolute, Exercise, Misconception


def _level_db(top: float, largest: float, bits: int) -> float:
    """A channel of the figure with its largest weight `top`, at the scale of `largest` [dB]."""
    row, code = [top * math.cos(0.7 * i) for i in range(40)], affine.symmetric(largest, bits)
    return affine.sqnr_db(row, [code.dequantize(code.quantize(w)) for w in row])


def _gain_db(top: float, loud: float, bits: int) -> float:
    return _level_db(top, top, bits) - _level_db(top, loud, bits)


QUIET_GAIN = Exercise(
    id="a05.quiet_gain",
    title="What the quiet channel gains",
    prompt="Three channels have the largest weights {quiet}, {middle} and {loud} and are stored in symmetric "
    "INT{bits}. By how many dB does the signal to quantization noise of the quietest one rise when each "
    "channel gets its own scale instead of one for all?",
    given={"quiet": 0.06, "middle": 0.2, "loud": 0.8, "bits": 7},
    draws={
        "quiet": (0.03, 0.04, 0.06),
        "middle": (0.15, 0.2, 0.25),
        "loud": (0.6, 0.8, 1.1),
        "bits": (6, 7),
    },
    answer=lambda quiet, middle, loud, bits: _gain_db(quiet, loud, bits),
    unit="dB",
    tolerance=Absolute(0.3),
    expect=24.645318742484598,
    source="by a second road, rounding all forty weights in numpy",
    misconceptions=(
        Misconception(
            lambda quiet, middle, loud, bits: _level_db(quiet, quiet, bits),
            "That is the level with its own scale: take away what it had before.",
        ),
        Misconception(
            lambda quiet, middle, loud, bits: _level_db(quiet, loud, bits),
            "That is the level with one scale for all: by how much does it rise?",
        ),
        Misconception(
            lambda quiet, middle, loud, bits: _gain_db(middle, loud, bits),
            "That is the middle channel: the quietest gains most.",
        ),
    ),
)


def _without_ties(row, scale):
    """The weights, those near the middle of two codes moved: which way a tie goes is not asked."""
    return [round(w + 0.1 * scale, 5) if abs(abs(w / scale) % 1 - 0.5) < 0.02 else w for w in row]


@key(
    "a05.per_channel",
    examples=[
        (
            ([[0.7, -0.2], [0.07, 0.01]], 4),
            {"scales": [0.1, 0.01], "codes": [[7, -2], [7, 1]], "bits_per_weight": 20.0},
        )
    ],
)
class PerChannel:
    def draw(rng):  # channels of unlike loudness, the largest weight often negative
        rows, columns, bits = rng.int(2, 4), rng.int(4, 8), rng.choice((3, 4, 6, 8))
        louder = [rng.log(0.02, 2.0, 3) for _ in range(rows)]
        weights = [[round(top * rng.uniform(-1, 0.9), 5) for _ in range(columns)] for top in louder]
        rows = [[*row, -round(1.05 * top, 5)] for row, top in zip(weights, louder)]
        return [_without_ties(row, max(map(abs, row)) / (2 ** (bits - 1) - 1)) for row in rows], bits

    def expected(weights, bits):
        codes = [affine.symmetric(max(map(abs, row)), bits) for row in weights]
        count = len(weights) * len(weights[0])
        return {
            "scales": [code.scale for code in codes],
            "codes": [[code.quantize(w) for w in row] for code, row in zip(codes, weights)],
            "bits_per_weight": bits + 32 * len(weights) / count,
        }

    def slips(weights, bits):
        count = len(weights) * len(weights[0])
        return {
            "bits_per_weight": {
                "those are the codes alone": bits,
                "that is one scale for all": bits + 32 / count,
                "a scale is shared by its row": bits + 32,
                "that is in bytes": (bits + 32 * len(weights) / count) / 8,
                "those are all bits, divide by the weights": bits * count + 32 * len(weights),
            }
        }


@key(
    "a05.kmeans_step",
    examples=[
        (
            ([0.0, 0.2, 1.0], [0.5, 0.6, 3.0]),
            {"indices": [0, 0, 1], "codebook": [0.1, 1.0, 3.0], "error": 0.02 / 3},
        )
    ],
)
class KmeansStep:
    def draw(rng):  # the last entry lies beyond every weight, so that it stays
        weights = [round(rng.uniform(-1, 1), 3) for _ in range(rng.int(8, 14))]
        start = [-0.8001, rng.int(-30, -10) / 100 + 0.0001, rng.int(20, 50) / 100 + 0.0001, 4.0]
        return weights, start

    def expected(weights, codebook):
        indices = [min(range(len(codebook)), key=lambda k, w=w: abs(w - codebook[k])) for w in weights]
        own = [[w for w, i in zip(weights, indices) if i == k] for k in range(len(codebook))]
        moved = [math.fsum(ws) / len(ws) if ws else c for ws, c in zip(own, codebook)]
        errors = [(w - moved[i]) ** 2 for w, i in zip(weights, indices)]
        return {"indices": indices, "codebook": moved, "error": math.fsum(errors) / len(weights)}

    def slips(weights, codebook):
        right = KmeansStep.expected(weights, codebook)
        before = [(w - codebook[i]) ** 2 for w, i in zip(weights, right["indices"])]
        moved = [min((w - c) ** 2 for c in right["codebook"]) for w in weights]
        return {
            "error": {
                "that is the error before the step": math.fsum(before) / len(weights),
                "that is the sum, divide by the number of weights": right["error"] * len(weights),
                "that is the root of it": math.sqrt(right["error"]),
                "the weights were assigned anew, keep these indices": math.fsum(moved) / len(weights),
            }
        }


@key(
    "a05.straight_through",
    examples=[
        (([0.3, -0.9, 0.71], [1.0, 2.0, -3.0], 0.1, 4), {"gradients": [1.0, 0.0, 0.0], "stopped": 2}),
    ],
)
class StraightThrough:
    def draw(rng):  # some weights between Q S and 2^(bits-1) S, where the range is often taken too wide
        bits, scale = rng.choice((3, 4)), rng.int(2, 20) / 100
        top = 2 ** (bits - 1) - 1
        inside = [round(scale * rng.uniform(-0.9, 0.9) * top, 5) for _ in range(rng.int(6, 9))]
        outside = [round(scale * (top + rng.uniform(0.1, 0.4)), 5) * s for s in (1, -1)]
        outside += [round(scale * (top + 1 + rng.uniform(0.1, 3)), 5) for _ in range(rng.int(1, 3))]
        weights = inside[:1] + outside + inside[1:]
        return weights, [rng.int(-50, 50) / 10 + 0.05 for _ in weights], scale, bits

    def expected(weights, gradients, scale, bits):
        limit = scale * (2 ** (bits - 1) - 1)
        passed = [g if abs(w) <= limit else 0.0 for w, g in zip(weights, gradients)]
        return {"gradients": passed, "stopped": sum(abs(w) > limit for w in weights)}

    def slips(weights, gradients, scale, bits):
        top = 2 ** (bits - 1) - 1
        return {
            "stopped": {
                "those were passed": sum(abs(w) <= top * scale for w in weights),
                "the range ends at Q S, not at 2^(bits-1) S": sum(
                    abs(w) > (top + 1) * scale for w in weights
                ),
                "one side alone was counted": sum(w > top * scale for w in weights),
                "none was stopped, the estimator is zero where a weight is clipped": 0,
            }
        }
