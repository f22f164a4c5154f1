"""Chapter "Metrics": size, operations, intensity, activation memory and the ridge of the roofline."""

from tinylib import units
from tinylib.cost import memory, roofline
from tinylib.practice.draws import Log, Same
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative

MODEL_SIZE_FP32 = Exercise(
    id="metrics.model_size_fp32",
    title="Weight storage of a model",
    prompt="A model has {params} parameters, each stored in {bits} bits. "
    "How many megabytes (1 MB = 10^6 bytes) do its weights take?",
    given={"params": 3_400_000, "bits": 32},
    draws={"params": Log(20_000, 50_000_000, 2), "bits": (32, 16, 8, 4, 2)},
    answer=lambda params, bits: memory.weight_bytes(params, bits) / units.MB,
    unit="MB",
    tolerance=Relative(0.005),
    expect=13.6,
    source="worked by hand: 3.4e6 weights x 4 bytes = 13.6e6 bytes",
    misconceptions=(
        Misconception(
            lambda params, bits: memory.weight_bytes(params, bits) / units.MIB,
            "That is in MiB: you divided by 2^20. The question asks for MB, 10^6 bytes.",
        ),
        Misconception(
            lambda params, bits: params * bits / 1e6,
            "That is in megabits: eight bits make one byte.",
        ),
        Misconception(
            lambda params, bits: params / 1e6,
            "That is one byte per weight: how many bytes does a weight of this width take?",
        ),
    ),
    hints=(
        "How many bytes does one weight of this width take?",
        "bytes = parameters x bits / 8, and 1 MB is 10^6 bytes.",
    ),
    steps=lambda params, bits: (
        f"{params:,} weights x {bits} bits = {params * bits:,} bits",
        f"{params * bits:,} bits / 8 = {memory.weight_bytes(params, bits):,} bytes",
        f"{memory.weight_bytes(params, bits):,} bytes / 10^6 = {params * bits / 8 / 1e6:g} MB",
    ),
)

MAC_TO_FLOP = Exercise(
    id="metrics.mac_to_flop",
    title="From MACs to FLOPs",
    prompt="A layer performs {macs} multiply-accumulates. How many million floating-point operations "
    "is that, when multiply and add are counted one by one?",
    given={"macs": 150_000_000},
    draws={"macs": Log(1_000_000, 5_000_000_000, 3)},
    answer=lambda macs: 2 * macs / 1e6,
    unit="MFLOP",
    tolerance=Absolute(0),
    expect=300.0,
    source="worked by hand: 2 x 150e6 = 300e6",
    misconceptions=(
        Misconception(
            lambda macs: macs / 1e6,
            "That counts one operation a MAC: a multiply-accumulate holds two, * and +.",
        ),
        Misconception(
            lambda macs: macs / 2 / 1e6,
            "You divided by two. A MAC holds two operations, so there are more FLOPs than MACs.",
        ),
    ),
    hints=("What happens inside one multiply-accumulate?", "1 MAC = 1 multiply + 1 add = 2 FLOP."),
    steps=lambda macs: (f"{macs:,} MAC x 2 FLOP = {2 * macs:,} FLOP = {2 * macs / 1e6:g} MFLOP",),
)

ARITHMETIC_INTENSITY = Exercise(
    id="metrics.arithmetic_intensity",
    title="Arithmetic intensity of a matrix multiply",
    prompt="A matrix multiply performs {flops} FLOP and moves {bytes_moved} bytes. "
    "What is its arithmetic intensity in FLOP per byte?",
    given={"flops": 3_200_000_000, "bytes_moved": 400_000},
    draws={"flops": Log(1_000_000, 100_000_000_000, 2), "bytes_moved": Log(1_000, 100_000_000, 2)},
    accept=lambda flops, bytes_moved: 0.1 <= flops / bytes_moved <= 1e5,
    answer=lambda flops, bytes_moved: flops / bytes_moved,
    unit="FLOP/B",
    tolerance=Relative(0.005),
    expect=8000.0,
    source="worked by hand: 3.2e9 / 4e5",
    misconceptions=(
        Misconception(
            lambda flops, bytes_moved: flops / (bytes_moved / units.KB * units.KIB),
            "You read KB as KiB: the bytes are given as they are, nothing to multiply by 1.024.",
        ),
        Misconception(
            lambda flops, bytes_moved: bytes_moved / flops,
            "Upside down: intensity is work per byte, not bytes per operation.",
        ),
        Misconception(
            lambda flops, bytes_moved: flops / 2 / bytes_moved,
            "Those are MACs per byte: the work is given in FLOP already.",
        ),
    ),
    hints=("The unit tells the order: FLOP per byte.", "intensity = FLOP / bytes moved."),
    steps=lambda flops, bytes_moved: (
        f"{flops:,} FLOP / {bytes_moved:,} B = {flops / bytes_moved:,.6g} FLOP/B",
    ),
)

ACTIVATION_KIB = Exercise(
    id="metrics.activation_kib",
    title="One feature map",
    prompt="A layer writes {c} channels of {h} x {w} values, {bits} bits each. "
    "How many KiB (1 KiB = 1024 bytes) does this tensor take?",
    given={"c": 64, "h": 56, "w": 56, "bits": 32},
    draws={
        "c": (8, 16, 24, 32, 64, 96, 128),
        "h": (7, 14, 28, 48, 56, 96),
        "w": Same("h"),
        "bits": (8, 16, 32),
    },
    answer=lambda c, h, w, bits: memory.weight_bytes(c * h * w, bits) / units.KIB,
    unit="KiB",
    tolerance=Relative(0.002),
    expect=784.0,
    source="worked by hand: 64 x 56 x 56 x 4 / 1024",
    misconceptions=(
        Misconception(
            lambda c, h, w, bits: c * h * w * bits / 8 / units.KB,
            "That is in KB: you divided by 1000. A KiB is 1024 bytes.",
        ),
        Misconception(
            lambda c, h, w, bits: c * h * w / units.KIB,
            "You counted values, not bytes: how many bytes does one value of this width take?",
        ),
        Misconception(
            lambda c, h, w, bits: c * h * bits / 8 / units.KIB,
            "One side is missing: a map has a height and a width.",
        ),
    ),
    hints=("How many values are there in all?", "bytes = channels x height x width x bits / 8."),
    steps=lambda c, h, w, bits: (
        f"{c} x {h} x {w} = {c * h * w:,} values",
        f"{c * h * w:,} x {bits} / 8 = {c * h * w * bits // 8:,} bytes",
        f"{c * h * w * bits // 8:,} / 1024 = {c * h * w * bits / 8 / 1024:g} KiB",
    ),
)

RIDGE_POINT = Exercise(
    id="metrics.ridge_point",
    title="Ridge point of a microcontroller",
    prompt="A chip computes at most {peak} FLOP/s and moves at most {bw} bytes per second. "
    "At which arithmetic intensity, in FLOP per byte, do the two limits meet?",
    given={"peak": 200_000_000, "bw": 50_000_000},
    draws={
        "peak": (50_000_000, 100_000_000, 200_000_000, 432_000_000, 480_000_000, 960_000_000),
        "bw": (25_000_000, 50_000_000, 100_000_000, 200_000_000, 864_000_000),
    },
    answer=lambda peak, bw: roofline.ridge_point(peak, bw),
    unit="FLOP/B",
    tolerance=Relative(0.005),
    expect=4.0,
    source="worked by hand: 200e6 / 50e6",
    misconceptions=(
        Misconception(lambda peak, bw: bw / peak, "Upside down: the unit must come out as FLOP per byte."),
        Misconception(
            lambda peak, bw: peak / 2 / bw,
            "You turned FLOPs into MACs: the peak is given in FLOP/s already.",
        ),
    ),
    hints=(
        "Left of the ridge, bandwidth x intensity is the limit; right of it, the peak.",
        "Set bandwidth x intensity = peak.",
    ),
    steps=lambda peak, bw: (f"{peak:,} FLOP/s / {bw:,} B/s = {peak / bw:g} FLOP/B",),
)

EXERCISES = (MODEL_SIZE_FP32, MAC_TO_FLOP, ARITHMETIC_INTENSITY, ACTIVATION_KIB, RIDGE_POINT)
