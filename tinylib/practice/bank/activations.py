"""Chapter "L1.4 Activations": how large feature maps and score matrices are, and whether they fit."""

import math

from tinylib import units
from tinylib.cost import Conv2D, memory
from tinylib.practice.draws import Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception


def _map(rng: Rng) -> dict:
    h = rng.int(14, 112)
    return {"c": rng.choice((16, 32, 64, 96)), "h": h, "w": h}


RESNET_CONV1_BYTES = Exercise(
    id="act.resnet_conv1_bytes",
    title="First ResNet-50 feature map in FP16",
    prompt="A convolution with stride 2 writes {c} maps of {h} x {w}, half the input's side, at {b} bytes a "
    "value. How many bytes does its output take?",
    given={"c": 64, "h": 112, "w": 112, "b": 2},
    draws=_map,
    answer=lambda c, h, w, b: memory.weight_bytes(c * h * w, 8 * b),
    unit="B",
    tolerance=Absolute(0),
    expect=1_605_632,
    source="worked by hand: 64 x 12,544 x 2",
    erratum="4-8",
    misconceptions=(
        Misconception(lambda c, h, w, b: c * h * w, "Those are values: how many bytes does each take?"),
        Misconception(
            lambda c, h, w, b: c * h * w * 4,
            "That is four bytes a value, as in FP32: look at the width given.",
        ),
        Misconception(
            lambda c, h, w, b: c * 2 * h * 2 * w * b,
            "That has the side of the input: stride 2 has halved both axes.",
        ),
    ),
    hints=("Count the values of the output first.", "c x h x w x bytes per value."),
    steps=lambda c, h, w, b: (
        f"{c} x {h} x {w} = {c * h * w:,} values",
        f"{c * h * w:,} x {b} = {c * h * w * b:,} bytes",
    ),
)


def _map_and_weights(rng: Rng) -> dict:
    """Output of a 7x7 stem with 64 filters on RGB, two bytes a value: only its side varies."""
    side = rng.int(20, 160)
    return {"a": 64 * side * side * 2, "w": 2 * Conv2D(3, 64, 7, bias=False).params}


ACT_TO_WEIGHT_RATIO = Exercise(
    id="act.to_weight_ratio",
    title="Activation over weights",
    prompt="The output map of a layer takes {a} bytes, its weights take {w} bytes at two bytes each. "
    "How many times larger is the map? (rounded to the nearest integer)",
    given={"a": 1_605_632, "w": 18_816},
    draws=_map_and_weights,
    answer=lambda a, w: math.floor(a / w + 0.5),
    unit="x",
    tolerance=Absolute(0),
    expect=85,
    source="worked by hand: 1,605,632 / 18,816 = 85.33",
    erratum="4-7",
    misconceptions=(
        Misconception(
            lambda a, w: math.ceil(a / w), "You rounded up: the nearest integer lies below this quotient."
        ),
        Misconception(
            lambda a, w: math.floor(2 * a / w + 0.5),
            "That is bytes over values: two bytes make one weight, so take bytes on both sides.",
        ),
    ),
    hints=("Both are in bytes already.", "Divide, then round to the nearest integer."),
    steps=lambda a, w: (
        f"{a:,} / {w:,} = {a / w:.2f}",
        f"to the nearest integer: {math.floor(a / w + 0.5)}",
    ),
)


def _heads(rng: Rng) -> dict:
    return {"L": rng.log(512, 32_768, 2), "h": rng.int(8, 64)}


ATTENTION_SCORES = Exercise(
    id="act.attention_scores",
    title="Attention score matrix",
    prompt="In one attention layer each of {h} heads scores every one of {L} tokens against every other and "
    "itself, at {b} bytes a score. How many bytes do all scores take if they are held at once?",
    given={"L": 4096, "h": 32, "b": 2},
    draws=_heads,
    answer=lambda L, h, b: memory.weight_bytes(h * L * L, 8 * b),
    unit="B",
    tolerance=Absolute(0),
    expect=1_073_741_824,
    source="worked by hand: 2^5 heads x 2^24 scores x 2 bytes = 2^30",
    misconceptions=(
        Misconception(lambda L, h, b: L * L * b, "That is one head: each has a score matrix of its own."),
        Misconception(
            lambda L, h, b: h * L * b,
            "That grows with the tokens: scores grow with their square, every token against every token.",
        ),
        Misconception(lambda L, h, b: h * L * L, "Those are scores: how many bytes does each take?"),
    ),
    hints=("One head's scores form a square.", "h x L x L x bytes per score."),
    steps=lambda L, h, b: (
        f"one head: {L:,} x {L:,} = {L * L:,} scores",
        f"{h} heads: {h * L * L:,} scores",
        f"x {b} bytes = {h * L * L * b:,} bytes",
    ),
)

WEIGHTS = 200_000  # bytes of INT8 weights that the question of the full SRAM names
FITS = (
    "yes, 200 KB of weights fit",
    "no, the output map alone fills the SRAM",
    "yes, if weights are in flash",
)


def _can_run(c: int, h: int, w: int, sram: int) -> str:
    if c * h * w >= sram:
        return FITS[1]
    return FITS[0] if c * h * w + WEIGHTS <= sram else FITS[2]


def _big_map(rng: Rng) -> dict:
    h = rng.choice((16, 32, 64))
    sram = rng.choice((128, 256, 320, 512, 1024)) * units.KIB
    return {"c": rng.int(16, 256), "h": h, "w": h, "sram": sram}


FITS_512K = Exercise(
    id="act.fits_512k",
    title="Can this layer run? (quiz)",
    prompt="A layer with 200 KB (200,000 bytes) of INT8 weights writes {c} maps of {h} x {w}, one byte a "
    "value, on a chip with {sram} bytes of SRAM. Which percentage of the SRAM does the output map take, and "
    "can the layer run? Judge by weights and output map alone and leave the input aside.",
    given={"c": 128, "h": 64, "w": 64, "sram": 524_288},
    draws=_big_map,
    answer=lambda c, h, w, sram: 100 * memory.weight_bytes(c * h * w) / sram,
    unit="%",
    tolerance=Absolute(0.5),
    expect=100.0,
    source="worked by hand: 128 x 4,096 = 524,288 = 512 x 1,024",
    choices=FITS,
    choice=_can_run,
    misconceptions=(
        Misconception(
            lambda c, h, w, sram: 100 * (c * h * w + WEIGHTS) / sram,
            "The weights are in it: the percentage is that of the map alone, weights can stay in flash.",
        ),
        Misconception(
            lambda c, h, w, sram: 100 * WEIGHTS / sram,
            "That is the share of the weights: how large is the map?",
        ),
        Misconception(
            lambda c, h, w, sram: 100 * c * h * w / (sram / units.KIB * units.KB),
            "You took 1 KiB as 1000 bytes: the SRAM is given in bytes, so divide by that.",
        ),
    ),
    hints=("One byte a value: how many values has the map?", "100 x c x h x w / SRAM."),
    steps=lambda c, h, w, sram: (
        f"output map: {c} x {h} x {w} = {c * h * w:,} bytes",
        f"{c * h * w:,} / {sram:,} = {100 * c * h * w / sram:.1f} %",
        f"with 200,000 bytes of weights: {c * h * w + WEIGHTS:,} bytes: {_can_run(c, h, w, sram)}",
    ),
)


def _sram_and_weights(rng: Rng) -> dict:
    return {"sram": rng.int(64, 1024), "w": rng.log(10, 200, 2)}


HEADROOM_100K = Exercise(
    id="act.headroom_100k",
    title="Room left beside weights held in SRAM",
    prompt="A chip has {sram} KB of SRAM and keeps {w} KB of weights in it. "
    "How many KB can the live activations, input and output together, take at most?",
    given={"sram": 256, "w": 100},
    draws=_sram_and_weights,
    accept=lambda sram, w: w < sram,
    answer=lambda sram, w: sram - w,
    unit="KB",
    tolerance=Absolute(0.5),
    expect=156,
    source="worked by hand: 256 - 100",
    erratum="4-9",
    misconceptions=(
        Misconception(lambda sram, w: w, "That is the size of the weights: what do they leave of the SRAM?"),
        Misconception(
            lambda sram, w: sram / 2,
            "That is half the SRAM: input and output share what the weights leave, not one half.",
        ),
    ),
    hints=("Weights and activations lie in the same memory.", "SRAM - weights."),
    steps=lambda sram, w: (
        f"{sram} KB - {w} KB = {sram - w} KB for input plus output",
        f"with the weights in flash all {sram} KB would be free",
    ),
)

EXERCISES = (RESNET_CONV1_BYTES, ACT_TO_WEIGHT_RATIO, ATTENTION_SCORES, FITS_512K, HEADROOM_100K)
