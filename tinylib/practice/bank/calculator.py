"""Chapters "L1.8 Conv calculator" and "L1.9 Summary": one convolution and one chip, counted and compared."""

from tinylib import units
from tinylib.cost import Conv2D, memory
from tinylib.practice.draws import Log, Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative

START = {"ci": 16, "co": 16, "k": 3, "h": 56}
CALCULATOR = {"ci": Log(1, 256, 2), "co": Log(1, 256, 2), "k": (1, 3, 5, 7), "h": Log(4, 112, 2)}

DEFAULT_MACS = Exercise(
    id="calc.default_macs",
    title="Calculator at its start values",
    prompt="A {k}x{k} convolution maps {ci} to {co} channels; its output is {h} x {h}. "
    "How many multiply-accumulates (MAC) does it cost?",
    given=START,
    draws=CALCULATOR,
    answer=lambda ci, co, k, h: Conv2D(ci, co, k, padding="same").macs((h, h, ci)),
    unit="MAC",
    tolerance=Absolute(0),
    expect=7_225_344,
    source="worked by hand: 2,304 weights x 3,136 positions",
    misconceptions=(
        Misconception(
            lambda ci, co, k, h: co * ci * k * h * h, "The kernel is used once: it has k x k taps."
        ),
        Misconception(
            lambda ci, co, k, h: co * ci * k * k * h,
            "You counted one side of the output: the kernel visits height x width positions.",
        ),
        Misconception(
            lambda ci, co, k, h: 2 * co * ci * k * k * h * h,
            "That is the FLOP count: one MAC is a multiply and an add together.",
        ),
    ),
    hints=("Weights times output positions.", "co x ci x k x k x h x h."),
    steps=lambda ci, co, k, h: (
        f"weights: {co} x {ci} x {k} x {k} = {co * ci * k * k:,}",
        f"x {h} x {h} positions = {co * ci * k * k * h * h:,} MAC",
    ),
)

DEFAULT_ACT_KIB = Exercise(
    id="calc.default_act_kib",
    title="Output map at the start values",
    prompt="A {k}x{k} convolution maps {ci} to {co} channels; its output is {h} x {h} in INT8, one byte a "
    "value. How many KiB (1 KiB = 1024 bytes) does the output map take?",
    given=START,
    draws=CALCULATOR,
    answer=lambda ci, co, k, h: memory.weight_bytes(co * h * h) / units.KIB,
    unit="KiB",
    tolerance=Relative(0.005),
    expect=49.0,
    source="worked by hand: 50,176 bytes / 1,024",
    misconceptions=(
        Misconception(
            lambda ci, co, k, h: (ci + co) * h * h / units.KIB,
            "The input is in it: the question asks for the output map alone.",
        ),
        Misconception(
            lambda ci, co, k, h: co * h * h / units.KB, "That is in KB, 1000 bytes: a KiB is 1024 bytes."
        ),
        Misconception(
            lambda ci, co, k, h: co * h / units.KIB, "One side is missing: a map has a height and a width."
        ),
    ),
    hints=("Kernel and input channels do not matter here.", "co x h x h / 1024."),
    steps=lambda ci, co, k, h: (
        f"{co} x {h} x {h} = {co * h * h:,} bytes",
        f"{co * h * h:,} / 1,024 = {co * h * h / 1024:,.2f} KiB",
    ),
)


def _layer_and_chip(rng: Rng) -> dict:
    sram = rng.choice((64, 128, 256, 320, 512))
    return {"ci": rng.int(8, 128), "co": rng.log(8, 256, 2), "h": rng.int(8, 64), "sram": sram}


def _pair_kib(ci: int, co: int, h: int, sram: int) -> float:
    return memory.weight_bytes((ci + co) * h * h) / units.KIB


QUIZ_FIT = Exercise(
    id="calc.quiz_fit",
    title="Does the layer fit in 256 KB? (quiz)",
    prompt="A 3x3 convolution maps {ci} to {co} channels; input and output are {h} x {h} in INT8, one byte a "
    "value. How many KiB (1 KiB = 1024 bytes) do input and output take together, and do they fit in "
    "{sram} KiB of SRAM, the weights being in flash?",
    given={"ci": 32, "co": 64, "h": 32, "sram": 256},
    draws=_layer_and_chip,
    answer=_pair_kib,
    unit="KiB",
    tolerance=Relative(0.005),
    expect=96.0,
    source="worked by hand: 96 channels x 1,024 bytes",
    choices=("fits", "does not fit"),
    choice=lambda ci, co, h, sram: "fits" if _pair_kib(ci, co, h, sram) <= sram else "does not fit",
    misconceptions=(
        Misconception(
            lambda ci, co, h, sram: co * h * h / units.KIB,
            "That is the output alone: the input is read until the layer is done.",
        ),
        Misconception(
            lambda ci, co, h, sram: ci * co * 9 / units.KIB,
            "Those are the weights: the question asks for the activations.",
        ),
        Misconception(
            lambda ci, co, h, sram: (ci + co) * h * h * 4 / units.KIB,
            "That is four bytes a value, as in FP32: INT8 takes one.",
        ),
    ),
    hints=("Both maps are alive while the layer runs.", "(ci + co) x h x h / 1024."),
    steps=lambda ci, co, h, sram: (
        f"({ci} + {co}) x {h} x {h} = {(ci + co) * h * h:,} bytes",
        f"{(ci + co) * h * h:,} / 1,024 = {(ci + co) * h * h / 1024:.1f} KiB of {sram} KiB",
    ),
)

RUNS = ("runs as is", "runs only with weights in flash", "cannot run at all")


def _runs(w: int, a: int, sram: int) -> str:
    if w + a <= sram:
        return RUNS[0]
    return RUNS[1] if a <= sram else RUNS[2]


def _loads(rng: Rng) -> dict:
    sram = rng.choice((128, 256, 320, 512, 1024))
    return {"w": rng.int(50, 900), "a": rng.log(20, 400, 2), "sram": sram}


SRAM_TOTAL = Exercise(
    id="final.sram_total",
    title="Weights and activations both in SRAM (quiz)",
    prompt="A model has {w} KB of weights and a peak of {a} KB of activations, input and output counted. "
    "By how many KB do both together overrun {sram} KB of SRAM (negative: room left), and can the model run "
    "on a chip with flash enough for the weights?",
    given={"w": 400, "a": 150, "sram": 512},
    draws=_loads,
    answer=lambda w, a, sram: w + a - sram,
    unit="KB",
    tolerance=Absolute(0.5),
    expect=38,
    source="worked by hand: 400 + 150 - 512",
    erratum="4-31",
    choices=RUNS,
    choice=_runs,
    misconceptions=(
        Misconception(
            lambda w, a, sram: a - sram,
            "That leaves the weights in flash: the number asked for has both in SRAM.",
        ),
        Misconception(
            lambda w, a, sram: w - sram, "The activations are missing: both lie in the SRAM at once."
        ),
    ),
    hints=("Add what lies in SRAM, then compare.", "weights + activations - SRAM."),
    steps=lambda w, a, sram: (
        f"{w} + {a} - {sram} = {w + a - sram} KB",
        f"weights in flash: {a} KB of {sram} KB",
        _runs(w, a, sram),
    ),
)

EXERCISES = (DEFAULT_MACS, DEFAULT_ACT_KIB, QUIZ_FIT, SRAM_TOTAL)
