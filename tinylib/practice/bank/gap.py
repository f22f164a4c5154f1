"""Chapters "The gap" and "Growth": how far language models outgrow phones and microcontrollers.

Sizes in GB and KB (powers of ten), work in MAC, and the compound growth of models against memory.
"""

from tinylib import units
from tinylib.cost import memory
from tinylib.practice.draws import Log, Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative


def _model_bytes(p: int, b: float) -> int:
    return memory.weight_bytes(p, int(8 * b))


FP16_GB = Exercise(
    id="gap.fp16_gb",
    title="Weights of a language model",
    prompt="A language model has {p} parameters of {b} B (bytes) each. "
    "How many gigabytes (1 GB = 10^9 bytes) do the weights take?",
    given={"p": 7_000_000_000, "b": 2},
    draws={
        "p": (1_000_000_000, 3_000_000_000, 7_000_000_000, 8_000_000_000, 13_000_000_000, 70_000_000_000),
        "b": (0.5, 1, 2, 4),
    },
    answer=lambda p, b: _model_bytes(p, b) / units.GB,
    unit="GB",
    tolerance=Relative(0.005),
    expect=14.0,
    source="worked by hand: 7e9 parameters x 2 bytes = 14e9 bytes",
    misconceptions=(
        Misconception(
            lambda p, b: p * b / units.GIB,
            "That is in GiB: you divided by 2^30. A GB is 10^9 bytes.",
        ),
        Misconception(
            lambda p, b: p * 8 * b / 1e9,
            "That is in gigabits: the width is given in bytes, so nothing is multiplied by 8.",
        ),
        Misconception(
            lambda p, b: p * 4 / 1e9,
            "That is the FP32 size, 4 bytes a weight: look at the width in the question.",
        ),
    ),
    hints=("Every parameter takes the same number of bytes.", "GB = parameters x bytes each / 10^9."),
    steps=lambda p, b: (
        f"{p:,} parameters x {b:g} B = {_model_bytes(p, b):,} B",
        f"{_model_bytes(p, b):,} B / 10^9 = {p * b / 1e9:g} GB",
    ),
)

PHONE_RATIO = Exercise(
    id="gap.phone_ratio",
    title="A language model on a phone",
    prompt="The weights of a model with {p} parameters take {b} bytes each. A phone has {ram} GB of memory "
    "(1 GB = 10^9 bytes). How many times as large as this memory are the weights?",
    given={"p": 7_000_000_000, "b": 2, "ram": 6},
    draws={"ram": (4, 6, 8, 12, 16)},
    answer=lambda p, b, ram: _model_bytes(p, b) / (ram * units.GB),
    unit="x",
    tolerance=Relative(0.02),
    expect=7 / 3,
    source="worked by hand: 14 GB / 6 GB = 7/3",
    misconceptions=(
        Misconception(
            lambda p, b, ram: ram * units.GB / (p * b),
            "Upside down: the question asks for weights over memory.",
        ),
        Misconception(
            lambda p, b, ram: p / (ram * units.GB),
            "That counts one byte a weight: an FP16 weight takes two.",
        ),
    ),
    hints=("Bring weights and memory to the same unit.", "parameters x bytes / 10^9 / memory in GB."),
    steps=lambda p, b, ram: (
        f"weights: {p:,} x {b} B = {p * b / 1e9:g} GB",
        f"{p * b / 1e9:g} GB / {ram} GB = {p * b / 1e9 / ram:.3g} x",
    ),
)

MCU_RATIO = Exercise(
    id="gap.mcu_ratio",
    title="A language model on a microcontroller",
    prompt="The weights of a model with {p} parameters take {b} bytes each. A microcontroller has "
    "{sram_kb} KB of SRAM (1 KB = 1000 bytes). About how many times as large as this SRAM are the weights?",
    given={"p": 7_000_000_000, "b": 2, "sram_kb": 256},
    draws={"sram_kb": (2, 20, 64, 128, 256, 320, 512)},
    answer=lambda p, b, sram_kb: _model_bytes(p, b) / (sram_kb * units.KB),
    unit="x",
    tolerance=Relative(0.03),
    expect=54_687.5,
    source="worked by hand: 14e9 / 256e3; the binary reading, 53,406, is accepted as well",
    misconceptions=(
        Misconception(
            lambda p, b, sram_kb: p * b / units.MB / sram_kb,
            "A factor of 1000 is lost: that divides MB by KB. Write both sizes in bytes.",
        ),
        Misconception(
            lambda p, b, sram_kb: p / (sram_kb * units.KB),
            "That counts one byte a weight: an FP16 weight takes two.",
        ),
        Misconception(
            lambda p, b, sram_kb: 8 * p * b / (sram_kb * units.KB),
            "Those are bits of weights over bytes of SRAM: take bytes on both sides.",
        ),
    ),
    hints=("Write both sizes in bytes first.", "parameters x bytes / (KB x 1000)."),
    steps=lambda p, b, sram_kb: (
        f"weights: {p:,} x {b} B = {p * b:,} B",
        f"SRAM: {sram_kb} x 1000 = {sram_kb * 1000:,} B",
        f"{p * b:,} / {sram_kb * 1000:,} = {p * b / (sram_kb * 1000):,.1f} x",
    ),
)

MCU_1M_INT8 = Exercise(
    id="gap.mcu_1m_int8",
    title="A small INT8 model against SRAM",
    prompt="A model has {p} INT8 weights, a chip {sram} bytes of SRAM. How many times as large as the SRAM "
    "are the weights? (On a real chip they lie in flash, so this alone does not rule it out.)",
    given={"p": 1_000_000, "sram": 262_144},
    draws={"p": Log(100_000, 5_000_000, 2)},
    answer=lambda p, sram: memory.weight_bytes(p, 8) / sram,
    unit="x",
    tolerance=Relative(0.06),
    expect=3.814697265625,
    source="worked by hand: 10^6 bytes / 262,144 bytes; rounded to 4 it is still accepted",
    erratum="4-3",
    misconceptions=(
        Misconception(
            lambda p, sram: 4 * p / sram, "That is FP32, four bytes a weight: an INT8 weight takes one."
        ),
        Misconception(lambda p, sram: sram / p, "Upside down: the question asks for weights over SRAM."),
        Misconception(
            lambda p, sram: p / 8 / sram, "That counts one bit a weight: an INT8 weight is a whole byte."
        ),
    ),
    hints=("How many bytes does one INT8 weight take?", "weights x 1 byte / bytes of SRAM."),
    steps=lambda p, sram: (
        f"weights: {p:,} x 1 B = {p:,} B",
        f"{p:,} / {sram:,} = {p / sram:.3g} x",
    ),
)

SECONDS_PER_TOKEN = Exercise(
    id="gap.seconds_per_token",
    title="One token on a slow chip",
    prompt="A model with {p} weights uses each of them once per token. A chip performs {rate} MAC (multiply-"
    "accumulates) per second. How many seconds does one token take?",
    given={"p": 7_000_000_000, "rate": 10_000_000},
    draws={
        "p": (1_000_000_000, 3_000_000_000, 7_000_000_000, 13_000_000_000),
        "rate": (10_000_000, 60_000_000, 100_000_000, 480_000_000),
    },
    answer=lambda p, rate: p / rate,
    unit="s",
    tolerance=Relative(0.01),
    expect=700.0,
    source="worked by hand: 7e9 MAC / 10e6 MAC/s; 1,400 s would need a rate in FLOP/s",
    erratum="4-1",
    misconceptions=(
        Misconception(
            lambda p, rate: 2 * p / rate,
            "That divides FLOPs by a MAC rate: one weight used once is one MAC, and the rate counts MACs.",
        ),
        Misconception(lambda p, rate: p / rate / 60, "Those are minutes: the question asks for seconds."),
    ),
    hints=("How many MACs does one token cost?", "seconds = MAC / (MAC/s)."),
    steps=lambda p, rate: (
        f"work: {p:,} weights, used once = {p:,} MAC",
        f"{p:,} MAC / {rate:,} MAC/s = {p / rate:,.4g} s",
    ),
)


def _widening(m: float, h: float, years: float) -> float:
    """Growth of model size over memory when both factors are per two years [x]."""
    return (m / h) ** (years / 2)


def _growth_steps(m: float, h: float, years: float) -> tuple[str, ...]:
    return (
        f"every two years the ratio grows by {m:g} / {h:g} = {m / h:.4g}",
        f"{years} years are {years / 2:g} such steps",
        f"({m:g} / {h:g})^{years / 2:g} = {_widening(m, h, years):,.2f} x",
    )


RATIO_4Y = Exercise(
    id="growth.ratio_4y",
    title="The gap widens",
    prompt="Suppose models grow {m}-fold and memory {h}-fold every two years. By which factor does the "
    "ratio of model size to memory grow in {years} years? (two decimals)",
    given={"m": 4, "h": 2, "years": 4},
    draws=lambda rng: {
        "m": rng.choice((3, 4, 8, 16)),
        "h": rng.choice((1.5, 2)),
        "years": rng.int(2, 10),
    },
    answer=_widening,
    unit="x",
    tolerance=Absolute(0.01),
    expect=4.0,
    source="worked by hand: two steps of 4/2 = 2, so 2 x 2",
    erratum="4-25",
    misconceptions=(
        Misconception(
            lambda m, h, years: (m / h) ** years,
            "That applies the two-year factor every year: how many two-year steps are there?",
        ),
        Misconception(
            lambda m, h, years: m / h,
            "That is one step of two years: the ratio grows again in each further step.",
        ),
    ),
    hints=(
        "By which factor does the ratio grow in two years, and how often does that happen?",
        "(model factor / memory factor)^(years / 2).",
    ),
    steps=_growth_steps,
)


def _years(rng: Rng) -> dict:
    return {"years": rng.int(2, 12)}


RATIO_6Y = Exercise(
    id="growth.ratio_6y",
    title="Compound growth",
    prompt="Suppose models grow {m}-fold and memory {h}-fold every two years, for {years} years. How many "
    "times as large is the ratio of model size to memory at the end? (two decimals)",
    given={"m": 4, "h": 2, "years": 6},
    draws=_years,
    answer=_widening,
    unit="x",
    tolerance=Absolute(0.01),
    expect=8.0,
    source="worked by hand: three steps of 4/2 = 2, so 2 x 2 x 2",
    erratum="4-25",
    misconceptions=(
        Misconception(
            lambda m, h, years: m / h * years,
            "That adds the same amount each year: growth compounds, so the factors multiply.",
        ),
        Misconception(
            lambda m, h, years: (m - h) ** years,
            "That takes the difference of the factors, once a year: divide them, and step every two years.",
        ),
    ),
    hints=("Count the two-year steps.", "(model factor / memory factor)^(years / 2)."),
    steps=_growth_steps,
)

EXERCISES = (
    FP16_GB,
    PHONE_RATIO,
    MCU_RATIO,
    MCU_1M_INT8,
    SECONDS_PER_TOKEN,
    RATIO_4Y,
    RATIO_6Y,
)
