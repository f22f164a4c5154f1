"""Key of assignment 17: the private claim cards and the auditor's functions. Never released."""

import math

from grading.keys import key
from tinylib.cost import latency, llm, roofline
from tinylib.cost.sequence import LSTM
from tinylib.practice import Absolute, Exercise, Misconception, Relative
from tinylib.practice.claims import half_unit, holds, number
from tinylib.practice.draws import By


def cache_mb(layers: int, heads: int, shared: int, width: int, tokens: int) -> float:
    """FP16 cache of a model whose query heads share key heads [MB]."""
    return llm.kv_cache_bytes(layers, shared, width, tokens) / 1e6


CACHE_CARD = Exercise(
    id="a17.cache_card",
    title="Claim card: a cache",
    prompt="A report sizes the KV cache of one sequence of {tokens} tokens in FP16. The model has {layers} "
    "layers and {heads} query heads of width {width}, which share {shared} key heads. The report "
    "says '{layers} x {heads} x {width} x {tokens} x 2 bytes'. How many MB (10^6 B) does the cache take?",
    given={"layers": 32, "heads": 32, "shared": 8, "width": 128, "tokens": 4096},
    draws={
        "layers": (24, 28, 32, 36, 40),
        "heads": (24, 32, 48),
        "shared": (4, 8),
        "width": (64, 96, 128),
        "tokens": (1000, 2048, 3000, 4096),
    },
    answer=cache_mb,
    unit="MB",
    tolerance=Relative(0.005),
    expect=536.870912,
    source="worked by hand: 2 x 32 x 8 x 128 x 4096 x 2 B",
    misconceptions=(
        Misconception(
            lambda layers, heads, shared, width, tokens: layers * heads * width * tokens * 2 / 1e6,
            "That is the report's figure, and it has two slips.",
        ),
        Misconception(
            lambda layers, heads, shared, width, tokens: 2 * layers * heads * width * tokens * 2 / 1e6,
            "One slip found: keys and values. But the cache holds key heads, not query heads.",
        ),
        Misconception(
            lambda layers, heads, shared, width, tokens: layers * shared * width * tokens * 2 / 1e6,
            "One slip found: key heads. But each token leaves a key and a value.",
        ),
    ),
)


def over_ridge(batch: int, peak: int, bandwidth: int) -> float:
    """Intensity of a wide FP16 layer over the ridge, both in FLOP per byte [ratio]."""
    return latency.dense_intensity(batch, 2) / roofline.ridge_point(peak * 1e12, bandwidth * 1e9)


RIDGE_CARD = Exercise(
    id="a17.ridge_card",
    title="Claim card: a ridge",
    prompt="An accelerator does {peak} TFLOP/s and moves {bandwidth} GB/s. A page takes a wide FP16 layer at "
    "batch {batch}, of which only the weights count as traffic, and holds {batch} / 2 MAC per byte against "
    "{peak},000 / {bandwidth}. What is the layer's intensity over the ridge, both in the same unit?",
    given={"batch": 96, "peak": 120, "bandwidth": 900},
    draws={
        "batch": (48, 64, 96, 128, 192, 256),
        "peak": (60, 90, 120, 150, 240),
        "bandwidth": (600, 800, 900, 1500),
    },
    answer=over_ridge,
    unit="x",
    tolerance=Relative(0.005),
    expect=0.72,
    source="worked by hand: 96 FLOP/B over 133.3 FLOP/B",
    misconceptions=(
        Misconception(
            lambda batch, peak, bandwidth: over_ridge(batch, peak, bandwidth) / 2,
            "That is the page's ratio: MAC per byte over FLOP per byte.",
        ),
        Misconception(
            lambda batch, peak, bandwidth: over_ridge(batch, peak, bandwidth) * 2,
            "The ridge was halved into MAC, the intensity was not.",
        ),
        Misconception(
            lambda batch, peak, bandwidth: 1 / over_ridge(batch, peak, bandwidth),
            "Upside down: the ridge over the intensity.",
        ),
    ),
)


def window_macs(inputs: int, units: int, steps: int) -> int:
    """MACs of an LSTM over a window [MAC]."""
    return LSTM(inputs, units).macs((steps, inputs))


WORK_CARD = Exercise(
    id="a17.work_card",
    title="Claim card: a recurrent network",
    prompt="An article praises an LSTM of {units} units on {inputs} inputs for its few parameters, 'and so "
    "its few multiplications'. It reads a window of {steps} samples. How many MACs does one window take? "
    "(biases and the element-wise products of the gates are not counted)",
    given={"inputs": 3, "units": 16, "steps": 100},
    draws={"inputs": (2, 3, 4, 6), "units": (8, 12, 16, 20, 24), "steps": (50, 64, 100, 128, 200)},
    answer=window_macs,
    unit="MAC",
    tolerance=Absolute(0),
    expect=121_600,
    source="worked by hand: 4 x 16 x 19 x 100",
    misconceptions=(
        Misconception(
            lambda inputs, units, steps: 4 * units * (inputs + units),
            "That is one sample: each weight is used again at every time step.",
        ),
        Misconception(
            lambda inputs, units, steps: units * (inputs + units) * steps,
            "That is one block of weights: an LSTM has a candidate and three gates.",
        ),
        Misconception(
            lambda inputs, units, steps: 4 * units * inputs * steps,
            "The recurrent weights are missing: the state is read as well.",
        ),
        Misconception(
            lambda inputs, units, steps: 4 * units * (inputs + units + 1) * steps,
            "Biases are added, not multiplied: they are not counted here.",
        ),
    ),
)

SLIPS = (
    (1, 4),
    (2, 1),
    (3, 1),
    (4, 1),
    (5, 6),
    (6, 4),
    (4, 6),
    (2, 4),
    (5, 2),
    (1, 4),
)  # of each card: the number of its slip, the nearest wrong one

NAMED_SLIP = Exercise(
    id="a17.named_slip",
    title="Name the slip",
    prompt="A report says: {says}. Which slip is it? 1 a factor is missing; 2 units are mixed; 3 upside "
    "down; 4 something is left out of what is counted, or wrongly taken in; 5 a figure is borrowed from "
    "something else; 6 unlike things are compared",
    given={"row": 0, "says": "a KV cache takes layers x key heads x width x tokens x bytes"},
    draws={
        "row": tuple(range(len(SLIPS))),
        "says": By(
            "row",
            (
                "a KV cache takes layers x key heads x width x tokens x bytes",
                "the chip does 100 M MAC/s and the layer needs 100 MFLOP, so it takes one second",
                "to reward fast networks, multiply the accuracy by (target / latency)^-0.07",
                "the peak of the activations is the largest output of any layer",
                "our plain network repeats 3 % of its MACs in patches, as a redesigned one does",
                "our tuned net of 2 k parameters beats an untuned CNN of 42 k: 20 times as efficient",
                "packed binary weights are 32 times smaller, so this one, its biases still float, is too",
                "the flash holds 8 Mbit, so 6 MB of weights fit",
                "a multiplication costs 0.1 pJ, a figure that the table gives for an addition",
                "Adam keeps a moment for each weight, so its state is as large as the weights",
            ),
        ),
    },
    answer=lambda row, says: SLIPS[row][0],
    unit="",
    tolerance=Absolute(0),
    expect=1,
    source="by reading: one key and one value a token",
    misconceptions=(
        Misconception(
            lambda row, says: SLIPS[row][1],
            "Close: what would you have to change so that the sentence holds?",
        ),
    ),
)

FAR = {
    "binary": ((1.024, 1.024**2, 1.024**3), 0.002),
    "prefix": ((1e3, 1e6), 0.01),
    "factor": ((2, 4, 8), 0.01),
}


def slip_of(printed: str, recomputed: float) -> str:
    """The first rule that fits."""
    claimed = number(printed)
    if holds(printed, recomputed):
        return "none"
    if 0 < recomputed - claimed < 2 * half_unit(printed):
        return "cut"
    far = math.exp(abs(math.log(claimed / recomputed)))
    fits = (name for name, (sizes, room) in FAR.items() if any(abs(far / s - 1) <= room for s in sizes))
    return next(fits, "other")


@key(
    "a17.audit",
    examples=[
        (("134", 268.435456), {"half_unit": 0.5, "ratio": 134 / 268.435456, "slip": "factor"}),
        (("8.0", 7.9604), {"half_unit": 0.05, "ratio": 8.0 / 7.9604, "slip": "none"}),
        (("436", 436.6516), {"half_unit": 0.5, "ratio": 436 / 436.6516, "slip": "cut"}),
        (("1,081", 1133.4), {"half_unit": 0.5, "ratio": 1081 / 1133.4, "slip": "binary"}),
    ],
)
class Audit:
    def draw(rng):  # every slip, both ways, well inside its limits; 3 to 4 printed digits
        digits, kind = rng.int(0, 2), rng.choice(("none", "cut", "binary", "prefix", "factor", "other"))
        unit = 10.0**-digits
        units = rng.int(2100, 9800)
        claimed = units * unit
        if kind == "none":
            found = claimed + rng.uniform(-0.4, 0.4) * unit
        elif kind == "cut":
            found = claimed + rng.uniform(0.6, 0.9) * unit
        else:
            spread = 1 + rng.uniform(-0.001, 0.001)
            size = rng.choice(FAR[kind][0]) if kind in FAR else rng.choice((1.3, 3.0, 5.5, 30.0))
            factor = size * spread
            found = claimed * factor if rng.int(0, 1) else claimed / factor
        return f"{claimed:,.{digits}f}", found

    def expected(printed, recomputed):
        return {
            "half_unit": half_unit(printed),
            "ratio": number(printed) / recomputed,
            "slip": slip_of(printed, recomputed),
        }

    def slips(printed, recomputed):
        half, ratio = half_unit(printed), number(printed) / recomputed
        return {
            "half_unit": {
                "that is a whole unit of the last digit": 2 * half,
                "digits behind the point count: half a unit of the last one": 0.5,
            }
            if half != 0.5
            else {"that is a whole unit of the last digit": 1.0},
            "ratio": {"that is recomputed over printed": 1 / ratio},
        }


@key(
    "a17.tornado_order",
    examples=[
        (([["a", 3, 4], ["b", 8, 2], ["c", 2, 10]],), ["c", "b", "a"]),
        (([["x", 100, 1], ["y", 1, 1000]],), ["y", "x"]),
    ],
)
class TornadoOrder:
    def draw(
        rng,
    ):  # factors of their own steps, so that no two are equally far; large and small figures mixed
        steps = sorted(range(6), key=lambda _: rng.uniform(0, 1))
        rows = []
        for name, step in zip("abcdef", steps):
            found, far = rng.log(0.01, 1e6, 3), 1.3 * 1.8**step * rng.uniform(1, 1.2)
            rows.append([name, found * far if rng.int(0, 1) else found / far, found])
        return (rows,)

    def expected(rows):
        return [name for name, printed, found in sorted(rows, key=lambda r: -abs(math.log(r[1] / r[2])))]

    def slips(rows):
        by_ratio = sorted(rows, key=lambda r: -r[1] / r[2])
        by_difference = sorted(rows, key=lambda r: -abs(r[1] - r[2]))
        return {
            "": {
                "twice too small is as far off as twice too large": [r[0] for r in by_ratio],
                "a factor counts, not a difference": [r[0] for r in by_difference],
            }
        }
