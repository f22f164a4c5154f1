"""Chapter "L1.6 Latency and throughput": what a batch gains, what it waits for, where it stops to gain."""

from tinylib import units
from tinylib.cost import latency, roofline
from tinylib.practice.draws import Log, Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative

THROUGHPUT_BATCH = Exercise(
    id="lat.throughput_batch",
    title="Batched service",
    prompt="A server runs a batch of {B} requests in {t} s and starts the next batch at once. "
    "How many requests per second does it finish?",
    given={"B": 16, "t": 0.08},
    draws={"B": Log(1, 64, 2), "t": Log(0.005, 0.5, 2)},
    answer=lambda B, t: latency.throughput_per_s(B, t),
    unit="1/s",
    tolerance=Relative(0.005),
    expect=200.0,
    source="worked by hand: 16 / 0.08",
    misconceptions=(
        Misconception(
            lambda B, t: 1 / t,
            "Those are batches per second: all requests of a batch finish together.",
        ),
        Misconception(
            lambda B, t: B * t,
            "You multiplied: the unit must come out as requests per second.",
        ),
    ),
    hints=("How many requests are done when one batch is done?", "throughput = batch / time of a batch."),
    steps=lambda B, t: (f"{B} requests / {t:g} s = {B / t:,.5g} requests per second",),
)


def _tenfold(rng: Rng) -> dict:
    """A batch slower than one request by 1.2 to 3 times, such that the batch comes out whole."""
    t1, slower = rng.choice((0.01, 0.02, 0.05, 0.1)), rng.choice((1.2, 1.4, 1.6, 1.8, 2, 3))
    return {"t1": t1, "tb": round(t1 * slower, 6), "f": rng.choice((5, 10, 15, 20))}


BATCH_FOR_TENFOLD = Exercise(
    id="lat.batch_for_tenfold",
    title="The batch that multiplies the traffic",
    prompt="One request alone takes {t1} s. A batch of the wanted size takes {tb} s. How large must it be "
    "for the server to finish {f} times as many requests per second as one by one?",
    given={"t1": 0.05, "tb": 0.08, "f": 10},
    draws=_tenfold,
    answer=lambda t1, tb, f: latency.batch_for_throughput(f, t1, tb),
    unit="requests",
    tolerance=Absolute(0.01),
    expect=16.0,
    source="worked by hand: 10 x 20 requests per second x 0.08 s",
    misconceptions=(
        Misconception(
            lambda t1, tb, f: f,
            "That would do if a batch took no longer than one request: here each batch is slower.",
        ),
        Misconception(
            lambda t1, tb, f: f * t1 / tb,
            "The two times are swapped: a slower batch must hold more requests, not fewer.",
        ),
    ),
    hints=(
        "What throughput is wanted, in requests per second?",
        "batch / tb = f / t1.",
    ),
    steps=lambda t1, tb, f: (
        f"one by one: 1 / {t1:g} s = {1 / t1:g} requests per second, wanted {f / t1:g}",
        f"in {tb:g} s that is {f / t1:g} x {tb:g} = {f * tb / t1:g} requests",
    ),
)

FC_INTENSITY = Exercise(
    id="lat.fc_intensity",
    title="Intensity of a linear layer",
    prompt="A linear layer works on a batch of {B}; a weight takes {b} B. Count the weights as the only "
    "traffic, each read once for the batch. How many MACs are done per byte?",
    given={"B": 512, "b": 2},
    draws={"B": Log(1, 2048, 2), "b": (0.5, 1, 2, 4)},
    answer=lambda B, b: latency.dense_intensity(B, b) / 2,
    unit="MAC/B",
    tolerance=Relative(0.005),
    expect=256.0,
    source="worked by hand: 512 MACs per weight / 2 bytes per weight",
    erratum="4-22",
    misconceptions=(
        Misconception(
            lambda B, b: 2 * B / b,
            "That is FLOP per byte: the question counts MACs, one for each multiply and add.",
        ),
        Misconception(
            lambda B, b: B / b / 2,
            "A factor of two too many is divided out: a weight serves B MACs and takes b bytes.",
        ),
    ),
    hints=("How many MACs does one weight do for a whole batch?", "MAC/B = B / b."),
    steps=lambda B, b: (
        f"one weight: {B:,} MAC, {b:g} B",
        f"{B:,} / {b:g} = {units.format_quantity(B / b, 'MAC/B', 6)}",
    ),
)

BATCH_AT_RIDGE = Exercise(
    id="lat.batch_at_ridge",
    title="Batch at the ridge",
    prompt="An accelerator computes {peak} FLOP/s and reads {bw} B/s. A linear layer stores {b} B per "
    "weight; count only the weights as traffic. From which batch on is it compute-bound? (do not round)",
    given={"peak": 312_000_000_000_000, "bw": 2_000_000_000_000, "b": 2},
    draws={
        "peak": (125_000_000_000_000, 312_000_000_000_000, 989_000_000_000_000),
        "bw": (
            900_000_000_000,
            1_555_000_000_000,
            2_000_000_000_000,
            3_350_000_000_000,
            4_800_000_000_000,
        ),
        "b": (0.5, 1, 2),
    },
    answer=lambda peak, bw, b: latency.batch_at_ridge(peak, bw, b),
    unit="batch",
    tolerance=Absolute(0.5),
    expect=156.0,
    source="worked by hand: ridge 156 FLOP/B, and 2 B FLOP per 2 bytes of weight",
    erratum="4-20",
    misconceptions=(
        Misconception(
            lambda peak, bw, b: 178 * b,
            "That comes from a ridge of 178 MAC/B, a misprint: it is 156 FLOP/B, or 78 MAC/B.",
            printed_only=True,
        ),
        Misconception(
            lambda peak, bw, b: peak / bw / b,
            "That divides the ridge by the bytes: one weight does 2 FLOP per sample and takes b bytes.",
        ),
        Misconception(
            lambda peak, bw, b: peak / bw * b,
            "That is twice the batch: one MAC per weight and sample is two FLOPs.",
        ),
    ),
    hints=(
        "A weight does 2 x batch FLOP and takes b bytes: what is the intensity?",
        "2 x batch / b = peak / bw.",
    ),
    steps=lambda peak, bw, b: (
        f"ridge: {peak:,} / {bw:,} = {peak / bw:.5g} FLOP/B",
        f"intensity: 2 x batch / {b:g} FLOP/B",
        f"batch = {b:g} / 2 x {peak / bw:.5g} = {b / 2 * peak / bw:.5g}",
    ),
)


def _bound(B: int, b: float, ridge: float) -> str:
    return roofline.regime(latency.dense_intensity(B, b), ridge, 1)


B256_MARGIN = Exercise(
    id="lat.b256_margin",
    title="Which side of the ridge?",
    prompt="A linear layer with {b} B per weight runs at batch {B}, and only weights count as traffic. The "
    "ridge of the accelerator lies at {ridge} FLOP/B. What is intensity over ridge, and which limit holds?",
    given={"B": 256, "b": 2, "ridge": 156},
    draws={"B": (64, 128, 256, 512)},
    answer=lambda B, b, ridge: latency.dense_intensity(B, b) / ridge,
    choices=("memory-bound", "compute-bound"),
    choice=_bound,
    unit="x",
    tolerance=Relative(0.01),
    expect=1.641025641025641,
    source="worked by hand: 256 FLOP/B / 156 FLOP/B, so compute-bound",
    erratum="4-21",
    misconceptions=(
        Misconception(
            lambda B, b, ridge: B / b / 178,
            "That sets MACs per byte against 178, a misprinted ridge: give both in FLOP per byte.",
            printed_only=True,
        ),
        Misconception(
            lambda B, b, ridge: B / b / ridge,
            "That sets MAC per byte against FLOP per byte: one MAC is two FLOPs.",
        ),
    ),
    hints=("What is the intensity in FLOP per byte?", "(2 x B / b) / ridge; above 1 is compute-bound."),
    steps=lambda B, b, ridge: (
        f"intensity: 2 x {B} / {b:g} = {2 * B / b:g} FLOP/B",
        f"{2 * B / b:g} / {ridge:g} = {2 * B / b / ridge:.3f}: {_bound(B, b, ridge)}",
    ),
)

INT4_DECODE_MS = Exercise(
    id="lat.int4_decode_ms",
    title="Least time per token",
    prompt="A language model of {p} parameters at {bits} bits each decodes one token at a time and reads "
    "every weight once per token, at {bw} B/s. What is the least time per token in milliseconds?",
    given={"p": 7_000_000_000, "bits": 4, "bw": 2_000_000_000_000},
    draws={
        "p": (1_000_000_000, 7_000_000_000, 13_000_000_000, 70_000_000_000),
        "bits": (3, 4, 8, 16),
        "bw": (936_000_000_000, 2_000_000_000_000, 3_350_000_000_000, 4_800_000_000_000),
    },
    answer=lambda p, bits, bw: 1000 * latency.token_time_s(p, bits, bw),
    unit="ms",
    tolerance=Relative(0.005),
    expect=1.75,
    source="worked by hand: 3.5 GB / 2 TB/s",
    misconceptions=(
        Misconception(
            lambda p, bits, bw: 1000 * p * (2 if bits != 16 else 4) / bw,
            "That is the time at another width, 16 bits (or 32): take the width given.",
        ),
        Misconception(
            lambda p, bits, bw: 1000 * 2 * p / 312e12,
            "That is the time of the arithmetic: one token reuses no weight, so reading them decides.",
            printed_only=True,
        ),
        Misconception(
            lambda p, bits, bw: 1000 * p * bits / bw,
            "That moves bits at a rate in bytes: eight bits make one byte.",
        ),
    ),
    hints=("How many bytes are read per token?", "ms = 1000 x parameters x bits / 8 / bandwidth."),
    steps=lambda p, bits, bw: (
        f"weights: {p:,} x {bits} / 8 = {units.format_quantity(p * bits / 8 / 1e9, 'GB', 6)}",
        f"at {bw / 1e9:,g} GB/s: {units.format_quantity(1000 * p * bits / 8 / bw, 'ms', 5)}",
    ),
)

EXERCISES = (
    THROUGHPUT_BATCH,
    BATCH_FOR_TENFOLD,
    FC_INTENSITY,
    BATCH_AT_RIDGE,
    B256_MARGIN,
    INT4_DECODE_MS,
)
