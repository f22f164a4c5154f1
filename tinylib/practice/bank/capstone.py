"""Chapter "10 Capstone": a whole model on a part: flash, SRAM, time, and techniques stacked."""

from tinylib import units
from tinylib.cost import latency
from tinylib.practice.draws import Log, Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative

FLASH_KIB = Exercise(
    id="capstone.flash_kib",
    title="Flash budget",
    prompt="A part has {flash} KiB of flash. An INT8 model takes {params} bytes of it and the firmware {fw} "
    "KiB. How many KiB (1 KiB = 1024 bytes) of flash are used in all?",
    given={"params": 800_000, "fw": 50, "flash": 1024},
    draws=lambda rng: {
        "params": 1000 * rng.int(100, 1500),
        "fw": rng.int(20, 200),
        "flash": rng.choice((256, 512, 1024, 2048)),
    },
    answer=lambda params, fw, flash: params / units.KIB + fw,
    unit="KiB",
    tolerance=Absolute(0.5),
    expect=831.25,
    source="worked by hand: 800,000 / 1024 = 781.25, and 50",
    misconceptions=(
        Misconception(
            lambda params, fw, flash: params / units.KB + fw,
            "That adds KB to KiB: turn the bytes of the model into KiB, 1024 bytes each.",
        ),
        Misconception(
            lambda params, fw, flash: params / units.KIB,
            "That is the model alone: the firmware lives in the same flash.",
        ),
        Misconception(
            lambda params, fw, flash: params * 4 / units.KIB + fw,
            "That stores four bytes per weight, FP32: an INT8 weight takes one.",
        ),
    ),
    hints=("Bring both parts to one unit first.", "KiB = bytes / 1024 + firmware."),
    steps=lambda params, fw, flash: (
        f"model: {params:,} / 1024 = {params / 1024:,.2f} KiB",
        f"with firmware: {params / 1024 + fw:,.2f} of {flash:,} KiB: "
        + ("it fits" if params / 1024 + fw <= flash else "it does not fit"),
    ),
)

PATCH_SRAM = Exercise(
    id="capstone.patch_sram",
    title="Patch the bottleneck",
    prompt="The widest layers of a network need {sram} KiB of SRAM. They are computed patch by patch, with "
    "{p} patches along each side of the image. Without any overlap, how many KiB does one patch need?",
    given={"sram": 320, "p": 2},
    draws=lambda rng: {"sram": rng.int(200, 1200), "p": rng.int(2, 4)},
    answer=lambda sram, p: sram / p**2,
    unit="KiB",
    tolerance=Absolute(0.5),
    expect=80.0,
    source="worked by hand: 320 / 4",
    misconceptions=(
        Misconception(lambda sram, p: sram / p, "That divides one side only: an image has two."),
        Misconception(
            lambda sram, p: sram - sram / p**2,
            "That is what patching saves: the question asks for what remains.",
        ),
    ),
    hints=("How many patches cover the whole image?", "KiB = sram / p^2; a real halo adds to it."),
    steps=lambda sram, p: (
        f"patches: {p} x {p} = {p * p}",
        f"{sram:,} / {p * p} = {sram / p**2:,.2f} KiB",
    ),
)

LATENCY = Exercise(
    id="capstone.latency",
    title="Compute-bound latency",
    prompt="A network needs {macs} MACs, and a microcontroller does {rate} MACs per second. "
    "What is the least time for one inference, in milliseconds?",
    given={"macs": 30_000_000, "rate": 60_000_000},
    draws={
        "macs": Log(1_000_000, 300_000_000, 2),
        "rate": (10_000_000, 60_000_000, 100_000_000, 216_000_000, 480_000_000, 960_000_000),
    },
    answer=lambda macs, rate: 1000 * latency.compute_time_s(macs, rate),
    unit="ms",
    tolerance=Relative(0.005),
    expect=500.0,
    source="worked by hand: 30 / 60 of a second",
    misconceptions=(
        Misconception(lambda macs, rate: macs / rate, "That is in seconds: a second has 1000 ms."),
        Misconception(
            lambda macs, rate: 2000 * macs / rate,
            "That doubles for FLOPs: work and speed are both given in MACs.",
        ),
        Misconception(lambda macs, rate: 1000 * rate / macs, "Upside down: time is work over speed."),
    ),
    hints=("Which unit is left when MACs cancel?", "ms = 1000 x MACs / (MACs per second)."),
    steps=lambda macs, rate: (
        f"{macs:,} / {rate:,} = {macs / rate:.4g} s",
        f"times 1000: {units.format_quantity(1000 * macs / rate, 'ms', 5)}",
    ),
)

LLMS = ((7, 32, 32), (13, 40, 40), (34, 48, 8), (70, 80, 8))  # 10^9 parameters, layers, KV heads


def _served(rng: Rng) -> dict:
    billions, layers, heads = rng.choice(LLMS)
    return {
        "p": billions * 10**9,
        "L": layers,
        "H": heads,
        "n": 256 * rng.int(2, 32),
        "batch": rng.choice((1, 2, 4, 8, 16)),
    }


def _cache(L: int, H: int, dh: int, n: int, batch: int, b: float) -> float:
    """Bytes of keys and values of all sequences."""
    return 2 * L * H * dh * n * batch * b


def _served_gb(p: int, pb: float, **cache: float) -> float:
    return (p * pb + _cache(**cache)) / units.GB


SERVE_13B = Exercise(
    id="capstone.serve_13b",
    title="Serving a language model",
    prompt="A language model of {p} parameters is stored at {pb} B per weight. It has {L} layers with {H} KV "
    "heads of {dh} features and serves {batch} sequences of {n} tokens, with {b} B per cached value. How "
    "many GB (10^9 bytes) do weights and KV cache take together?",
    given={
        "p": 13_000_000_000,
        "pb": 0.5,
        "L": 40,
        "H": 40,
        "dh": 128,
        "n": 2048,
        "batch": 4,
        "b": 2,
    },
    draws=_served,
    answer=_served_gb,
    unit="GB",
    tolerance=Relative(0.005),
    expect=13.2108864,
    source="worked by hand: 6.5 GB + 2 x 40 x 40 x 128 x 2048 x 4 x 2 B = 6.711 GB",
    erratum="2-8",
    misconceptions=(
        Misconception(
            lambda p, pb, **cache: (p * pb + _cache(**cache) / 2) / units.GB,
            "That caches keys or values alone: both are kept for every token.",
        ),
        Misconception(
            lambda p, pb, **cache: (p * pb + _cache(**(cache | {"batch": 1}))) / units.GB,
            "That cache serves one sequence: each sequence of the batch needs its own.",
        ),
        Misconception(
            lambda p, pb, **cache: _served_gb(p, 2, **cache),
            "That stores the weights in 16 bits: half a byte each is given.",
        ),
        Misconception(
            lambda p, pb, **cache: p * pb / units.GB,
            "Those are the weights alone: add the KV cache.",
        ),
    ),
    hints=(
        "Each token leaves a key and a value in every layer, for every KV head.",
        "(p x pb + 2 x L x H x dh x n x batch x b) / 10^9.",
    ),
    steps=lambda p, pb, **cache: (
        f"weights: {p:,} x {pb:g} B = {units.format_quantity(p * pb / 1e9, 'GB', 4)}",
        f"KV cache: 2 x {cache['L']} x {cache['H']} x {cache['dh']} x {cache['n']:,} x {cache['batch']} x "
        f"{cache['b']:g} B = {units.format_quantity(_cache(**cache) / 1e9, 'GB', 5)}",
        f"together {units.format_quantity(_served_gb(p, pb, **cache), 'GB', 5)}",
    ),
)

STACK_MMAC = Exercise(
    id="capstone.stack_mmac",
    title="Stacking techniques: work",
    prompt="A network of {m} MMAC gets separable convolutions, which cut its work by {dws}x. Then a share of "
    "{sp} of the weights is pruned, the hardware skips their MACs, and INT8 replaces FP32. "
    "How many MMAC are left?",
    given={"m": 50, "dws": 8, "sp": 0.5},
    draws={"m": Log(5, 500, 2), "dws": (6, 7, 8, 9), "sp": (0.3, 0.5, 0.7)},
    answer=lambda m, dws, sp: m / dws * (1 - sp),
    unit="MMAC",
    tolerance=Relative(0.005),
    expect=3.125,
    source="worked by hand: 50 / 8 x 0.5",
    misconceptions=(
        Misconception(
            lambda m, dws, sp: m / (dws + 1 / (1 - sp)),
            "You added the two factors: independent savings multiply.",
        ),
        Misconception(
            lambda m, dws, sp: m / dws,
            "That is before pruning: the MACs of the zero weights are skipped too.",
        ),
        Misconception(
            lambda m, dws, sp: m / dws / 4 * (1 - sp),
            "That lets INT8 cut the count by four: a narrower MAC is still one MAC.",
        ),
    ),
    hints=("Which of the three changes the number of MACs?", "m / dws x (1 - sp)."),
    steps=lambda m, dws, sp: (
        f"separable: {m:,} / {dws} = {m / dws:.4g} MMAC",
        f"pruned: {m / dws:.4g} x {1 - sp:g} = {m / dws * (1 - sp):.4g} MMAC",
        "INT8 leaves the count as it is",
    ),
)

STACK_MB = Exercise(
    id="capstone.stack_mb",
    title="Stacking techniques: storage",
    prompt="A network takes {s} MB. Half of its weights are set to zero, stored densely, and INT8 takes {q} "
    "times less space than the FP32 it replaces. Its layers stay as they are. How many MB does it take now?",
    given={"s": 6, "q": 4},
    draws={"s": Log(1, 100, 2)},
    answer=lambda s, q: s / q,
    unit="MB",
    tolerance=Relative(0.005),
    expect=1.5,
    source="worked by hand: 6 / 4",
    erratum="2-30",
    misconceptions=(
        Misconception(
            lambda s, q: s / q * 0.5,
            "That leaves out the zeros: stored densely, each still takes its byte.",
        ),
        Misconception(
            lambda s, q: s / 2,
            "That halves the size: the pruned zeros save nothing here, 8 instead of 32 bits does.",
        ),
        Misconception(
            lambda s, q: s / q / 8,
            "That also divides by 8 for separable layers: these layers stay as they are.",
        ),
    ),
    hints=("Which of the two changes the bytes of the file?", "MB = s / q."),
    steps=lambda s, q: (
        "zeros stored densely save nothing",
        f"INT8: {s:g} / {q:g} = {s / q:g} MB",
    ),
)

EXERCISES = (FLASH_KIB, PATCH_SRAM, LATENCY, SERVE_13B, STACK_MMAC, STACK_MB)
