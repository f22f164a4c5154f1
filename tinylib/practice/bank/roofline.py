"""Chapter "L1.7 Roofline": the ridge of an accelerator, and what an operation left of it can reach."""

from tinylib.cost import roofline
from tinylib.practice.draws import Log, Rng, Same
from tinylib.practice.exercise import Exercise, Misconception, Relative

# FP16 peak [FLOP/s] and memory bandwidth [B/s] of data-centre GPUs: V100, A100 40 GB and 80 GB, H100, H200
GPUS = (
    (125_000_000_000_000, 900_000_000_000),
    (312_000_000_000_000, 1_555_000_000_000),
    (312_000_000_000_000, 2_000_000_000_000),
    (989_000_000_000_000, 3_350_000_000_000),
    (989_000_000_000_000, 4_800_000_000_000),
)


def _gpu(rng: Rng) -> dict:
    peak, bw = rng.choice(GPUS)
    return {"peak": peak, "bw": bw}


A100_RIDGE = Exercise(
    id="roof.a100_ridge",
    title="Ridge of a data-centre GPU",
    prompt="A GPU computes {peak} FLOP/s in FP16 and reads {bw} B/s. "
    "At which arithmetic intensity, in FLOP per byte, does its ridge lie?",
    given={"peak": 312_000_000_000_000, "bw": 2_000_000_000_000},
    draws=_gpu,
    answer=lambda peak, bw: roofline.ridge_point(peak, bw),
    unit="FLOP/B",
    tolerance=Relative(0.01),
    expect=156.0,
    source="worked by hand: 312 TFLOP/s / 2 TB/s",
    erratum="4-20",
    misconceptions=(
        Misconception(
            lambda peak, bw: 178,
            "178 is a misprint that has travelled: divide the two rates given.",
            printed_only=True,
        ),
        Misconception(
            lambda peak, bw: peak / 2 / bw,
            "That is in MAC per byte: the peak counts FLOPs already.",
        ),
        Misconception(
            lambda peak, bw: bw / peak * 1e3,
            "Upside down, in bytes per thousand FLOP: work stands above, bytes below.",
        ),
    ),
    hints=("At the ridge computing and reading take equally long.", "ridge = peak / bandwidth."),
    steps=lambda peak, bw: (f"{peak / 1e12:,g} TFLOP/s / {bw / 1e12:g} TB/s = {peak / bw:.5g} FLOP/B",),
)


def _attainable(peak: float, bw: float, ai: float) -> float:
    """Rate below the roof [TFLOP/s], with the peak in TFLOP/s and the bandwidth in TB/s."""
    return roofline.attainable_flops_per_s(ai, peak, bw)


def _roof_steps(peak: float, bw: float, ai: float) -> tuple[str, ...]:
    return (
        f"memory allows {ai:g} FLOP/B x {bw:g} TB/s = {ai * bw:,g} TFLOP/s",
        f"arithmetic allows {peak:,g} TFLOP/s, the lower holds: {_attainable(peak, bw, ai):,g} TFLOP/s",
    )


QUIZ_ACHIEVABLE = Exercise(
    id="roof.quiz_achievable",
    title="Below the roof",
    prompt="A chip computes at most {peak} TFLOP/s and reads {bw} TB/s. An operation has {ai} FLOP per byte. "
    "How many TFLOP/s can it reach?",
    given={"peak": 100, "bw": 2, "ai": 10},
    draws={"ai": Log(1, 1000, 2)},
    answer=_attainable,
    unit="TFLOP/s",
    tolerance=Relative(0.005),
    expect=20,
    source="worked by hand: 10 FLOP/B x 2 TB/s, below 100 TFLOP/s",
    misconceptions=(
        Misconception(
            lambda peak, bw, ai: max(peak, ai * bw),
            "That is the higher of the two limits: compare peak with intensity x bandwidth, the lower holds.",
        ),
        Misconception(
            lambda peak, bw, ai: peak * ai / 100,
            "That reads the intensity as a percentage of the peak: multiply it by the bandwidth.",
        ),
        Misconception(
            lambda peak, bw, ai: bw / ai,
            "You divided: FLOP per byte times bytes per second gives FLOP per second.",
        ),
    ),
    hints=("How many FLOPs can be done with the bytes of one second?", "min(peak, intensity x bandwidth)."),
    steps=_roof_steps,
)

RELU_INTENSITY = Exercise(
    id="roof.relu_intensity",
    title="Elementwise ReLU",
    prompt="An elementwise ReLU does {ops} FLOP per element; it reads {rd} B and writes {wr} B for it. "
    "What is its arithmetic intensity in FLOP per byte?",
    given={"ops": 1, "rd": 2, "wr": 2},
    draws={"rd": (1, 2, 4), "wr": Same("rd")},
    answer=lambda ops, rd, wr: ops / (rd + wr),
    unit="FLOP/B",
    tolerance=Relative(0.01),
    expect=0.25,
    source="worked by hand: 1 / (2 + 2)",
    misconceptions=(
        Misconception(
            lambda ops, rd, wr: ops / rd,
            "The write is missing: the result goes back to memory too.",
        ),
        Misconception(
            lambda ops, rd, wr: ops,
            "That is FLOP per element: divide by the bytes that one element moves.",
        ),
    ),
    hints=("Which bytes move for one element, there and back?", "FLOP / (bytes read + bytes written)."),
    steps=lambda ops, rd, wr: (
        f"bytes moved per element: {rd} + {wr} = {rd + wr}",
        f"{ops} FLOP / {rd + wr} B = {ops / (rd + wr):g} FLOP/B",
    ),
)

RELU_DISTANCE = Exercise(
    id="roof.relu_distance",
    title="Distance from the ridge",
    prompt="An operation has {ai} FLOP per byte, and the ridge of the chip lies at {ridge} FLOP per byte. "
    "By which factor does the operation lie below the ridge?",
    given={"ridge": 156, "ai": 0.25},
    draws={"ai": (0.25, 1, 3, 32)},
    answer=lambda ridge, ai: ridge / ai,
    unit="x",
    tolerance=Relative(0.005),
    expect=624.0,
    source="worked by hand: 156 / 0.25",
    misconceptions=(
        Misconception(lambda ridge, ai: ridge * ai, "You multiplied: a factor between two is a quotient."),
        Misconception(
            lambda ridge, ai: ridge - ai,
            "That is the difference in FLOP per byte: on a logarithmic axis the quotient counts.",
        ),
    ),
    hints=("By what must the intensity be multiplied to reach the ridge?", "factor = ridge / intensity."),
    steps=lambda ridge, ai: (f"{ridge:g} / {ai:g} = {ridge / ai:g}",),
)


def _decode(rng: Rng) -> dict:
    peak, bw = rng.choice(GPUS)
    return {"ai": rng.choice((1, 2, 4)), "bw": bw / 1e12, "peak": peak // 10**12}


DECODE_TFLOPS = Exercise(
    id="roof.decode_tflops",
    title="Decoding at batch 1",
    prompt="Decoding one token at a time reuses no weight and has about {ai} FLOP per byte. A GPU reads {bw} "
    "TB/s and computes at most {peak} TFLOP/s. How many TFLOP/s can decoding reach?",
    given={"ai": 1, "bw": 2, "peak": 312},
    draws=_decode,
    answer=lambda ai, bw, peak: _attainable(peak, bw, ai),
    unit="TFLOP/s",
    tolerance=Relative(0.005),
    expect=2,
    source="worked by hand: 1 FLOP/B x 2 TB/s, far below 312 TFLOP/s",
    misconceptions=(
        Misconception(
            lambda ai, bw, peak: peak,
            "That is the peak: so far left of the ridge the bandwidth decides.",
        ),
        Misconception(
            lambda ai, bw, peak: ai * bw / 2,
            "Those are MACs per second in units of 10^12: FLOPs are asked, two per MAC.",
        ),
    ),
    hints=("Which roof is lower at this intensity?", "min(peak, intensity x bandwidth)."),
    steps=lambda ai, bw, peak: _roof_steps(peak, bw, ai),
)

EXERCISES = (A100_RIDGE, QUIZ_ACHIEVABLE, RELU_INTENSITY, RELU_DISTANCE, DECODE_TFLOPS)
