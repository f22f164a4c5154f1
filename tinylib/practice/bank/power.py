"""Chapter "P Power and cost": batteries with a sleep floor, energy per inference, and claims checked."""

from tinylib.cost import energy, latency
from tinylib.practice.draws import Log, Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative
from tinylib.units import format_quantity

CLOCKS_HZ = (48_000_000, 64_000_000, 80_000_000, 168_000_000, 216_000_000, 480_000_000)

AVERAGE = Exercise(
    id="power.average",
    title="Power behind a benchmark",
    prompt="One inference takes {t} ms and costs {e} mJ. "
    "What is the mean power while it runs, in milliwatts (mW)?",
    given={"e": 0.84, "t": 8.4},
    draws={"e": Log(0.001, 10.0, 2), "t": Log(0.1, 1000.0, 2)},
    answer=lambda e, t: 1000 * energy.average_power_w(e / 1000, t / 1000),
    unit="mW",
    tolerance=Relative(0.005),
    expect=100.0,
    source="worked by hand: 0.84 mJ / 8.4 ms = 0.1 W",
    erratum="3-3",
    misconceptions=(
        Misconception(
            lambda e, t: e / t,
            "That is in watts: millijoules over milliseconds leave no prefix. 1 W is 1000 mW.",
        ),
        Misconception(lambda e, t: e * t, "You multiplied: power is energy over time."),
        Misconception(
            lambda e, t: 1000 * 0.028 / 0.3,
            "That is the other model of the comparison, 0.028 mJ in 0.3 ms: take the numbers given.",
            printed_only=True,
        ),
    ),
    hints=("A watt is a joule per second.", "mW = 1000 x mJ / ms."),
    steps=lambda e, t: (
        f"{e:g} mJ / {t:g} ms = {format_quantity(e / t, 'W', 4)}"
        if e / t >= 0.001
        else f"{e:g} mJ / {t:g} ms, and 1 mJ / ms is 1 W",
        f"times 1000: {format_quantity(1000 * e / t, 'mW', 5)}",
    ),
)


def _life_steps(mah: float, v: float, e: float, every: float, sleep: float) -> tuple[str, ...]:
    power = energy.average_power_w(e, every, sleep)
    battery = energy.battery_j(mah, v)
    return (
        f"battery: {mah:,g} mAh x 3.6 x {v:g} V = {format_quantity(battery, 'J', 6)}",
        f"mean power: {_uw(e / every)} + {_uw(sleep)} = {_uw(power)}",
        f"life: {format_quantity(battery / power, 's', 5)} / 86,400 = "
        f"{format_quantity(energy.battery_days(mah, v, e, every, sleep), 'd', 4)}",
    )


def _uw(watt: float) -> str:
    return format_quantity(watt * 1e6, "µW", 4)


BATTERY_DAYS = Exercise(
    id="power.battery_days",
    title="Battery life with a sleep current",
    prompt="A sensor runs on a battery of {mah} mAh at {v} V. One inference costs {e} J and is done every "
    "{every} s; asleep the board draws 6 µW (0.000006 W), all the time. How many days does it last?",
    given={"mah": 225, "v": 3.0, "e": 0.00084, "every": 10.0, "sleep": 6e-06},
    draws={
        "mah": (35, 225, 600, 1000, 2600),
        "v": (1.5, 3.0, 3.7),
        "e": Log(0.0001, 0.01, 2),
        "every": Log(0.1, 3600.0, 2),
    },
    answer=lambda mah, v, e, every, sleep: energy.battery_days(mah, v, e, every, sleep),
    unit="d",
    tolerance=Relative(0.01),
    expect=312.5,
    source="worked by hand: 2430 J / (84 µW + 6 µW) / 86,400 s",
    misconceptions=(
        Misconception(
            lambda mah, v, e, every, sleep: energy.battery_days(mah, v, e, every),
            "That forgets the sleep power: the board never draws zero between inferences.",
        ),
        Misconception(
            lambda mah, v, e, every, sleep: energy.battery_days(mah, v, e, every, sleep) / 3.6,
            "Milliwatt-hours stand where joules belong: 1 mAh at 1 V is 3.6 J.",
        ),
        Misconception(
            lambda mah, v, e, every, sleep: energy.battery_days(mah, v, e, 1),
            "That is one inference per second without sleep power: use the interval given, and the floor.",
        ),
    ),
    hints=(
        "Mean power = energy per inference / interval + sleep power.",
        "days = mAh x 3.6 x V / mean power / 86,400.",
    ),
    steps=_life_steps,
)

LIFE_RATIO = Exercise(
    id="power.life_ratio",
    title="Does 30x less energy give 30x the life?",
    prompt="One model costs 840 µJ per inference, another 28 µJ. Both run once every {every} s on the same "
    "board, which draws 6 µW asleep, all the time. How many times as long does the battery last with the "
    "second?",
    given={"a": 0.00084, "b": 2.8e-05, "every": 10.0, "sleep": 6e-06},
    draws={"every": Log(0.1, 60.0, 2)},
    answer=lambda a, b, every, sleep: (
        energy.average_power_w(a, every, sleep) / energy.average_power_w(b, every, sleep)
    ),
    unit="x",
    tolerance=Relative(0.01),
    expect=10.227272727272727,
    source="worked by hand: (84 + 6) / (2.8 + 6)",
    erratum="3-4",
    misconceptions=(
        Misconception(
            lambda a, b, every, sleep: a / b,
            "That is the ratio of energies: the sleep power is spent with either model.",
        ),
        Misconception(
            lambda a, b, every, sleep: 8.4 / 0.3,
            "That is the ratio of run times: compare mean powers, with the sleep power in both.",
            printed_only=True,
        ),
    ),
    hints=(
        "Which mean power has the board with each model?",
        "(a / every + sleep) / (b / every + sleep).",
    ),
    steps=lambda a, b, every, sleep: (
        f"first: {_uw(a / every)} + {_uw(sleep)} = {_uw(a / every + sleep)}",
        f"second: {_uw(b / every)} + {_uw(sleep)} = {_uw(b / every + sleep)}",
        f"ratio of lives: {(a / every + sleep) / (b / every + sleep):.4g}",
    ),
)

PI_COIN_CELL = Exercise(
    id="power.pi_coin_cell",
    title="A single-board computer on a coin cell",
    prompt="A CR2032 holds {wh} Wh. A board draws {p} W. If the cell could deliver that current, "
    "for how many minutes would it last?",
    given={"wh": 0.675, "p": 2.5},
    draws={"p": Log(0.1, 5.0, 2)},
    answer=lambda wh, p: 60 * wh / p,
    unit="min",
    tolerance=Relative(0.02),
    expect=16.2,
    source="worked by hand: 60 x 0.675 / 2.5",
    erratum="4-19",
    misconceptions=(
        Misconception(lambda wh, p: wh / p, "That is in hours: an hour has 60 minutes."),
        Misconception(lambda wh, p: 60 * p / wh, "Upside down: time is energy over power."),
    ),
    hints=("Watt-hours over watts are hours.", "minutes = 60 x Wh / W."),
    steps=lambda wh, p: (f"{wh:g} Wh / {p:g} W = {wh / p:.4g} h", f"times 60: {60 * wh / p:.4g} min"),
)

INFERENCE_ENERGY = Exercise(
    id="power.inference_energy",
    title="DRAM against SRAM for a small model",
    prompt="A network has {n} bytes of INT8 weights, and an inference reads each once, four in one 32-bit "
    "access. An access costs {d} pJ from DRAM and {s} pJ from SRAM. How many nanojoules (nJ) per inference "
    "does SRAM save?",
    given={"n": 22_604, "d": 640, "s": 5},
    draws=lambda rng: {"n": 4 * rng.log(250, 250_000, 3)},  # whole accesses
    answer=lambda n, d, s: n / 4 * (d - s) / 1000,
    unit="nJ",
    tolerance=Relative(0.003),
    expect=3588.385,
    source="worked by hand: 5,651 accesses x 635 pJ",
    misconceptions=(
        Misconception(
            lambda n, d, s: n * (d - s) / 1000,
            "That is one access per byte: a 32-bit access brings four INT8 weights.",
        ),
        Misconception(
            lambda n, d, s: n / 4 * d / 1000,
            "That is all the DRAM costs: the SRAM reads that replace it are not free.",
        ),
        Misconception(
            lambda n, d, s: n / 4 * (d - s) / 1e6,
            "That is in microjoules: 1 nJ is 1000 pJ.",
        ),
    ),
    hints=("How many 32-bit accesses hold all weights?", "nJ = bytes / 4 x (d - s) / 1000."),
    steps=lambda n, d, s: (
        f"accesses: {n:,} / 4 = {n / 4:,.10g}",
        f"saved per access: {d} - {s} = {d - s} pJ",
        f"{n / 4:,.10g} x {d - s} pJ = {format_quantity(n / 4 * (d - s) / 1000, 'nJ', 9)}",
    ),
)


def _formats(rng: Rng) -> dict:
    """A floating-point and an integer format with their energies; the accumulator has 32 bits."""
    bits, integer = rng.choice((16, 32)), rng.choice((8, 32))
    return {
        "fm": energy.pj(f"float{bits}_mult"),
        "fa": energy.pj(f"float{bits}_add"),
        "im": energy.pj(f"int{integer}_mult"),
        "ia": energy.pj("int32_add"),
    }


def _bits(fm: float, im: float) -> float:
    return (32 if fm == energy.pj("float32_mult") else 16) / (8 if im == energy.pj("int8_mult") else 32)


MAC_ENERGY_INT8 = Exercise(
    id="power.mac_energy_int8",
    title="Integer MAC against floating-point MAC",
    prompt="At 45 nm a floating-point multiply costs {fm} pJ and its add {fa} pJ; an integer multiply costs "
    "{im} pJ and the add of a 32-bit accumulator {ia} pJ. How many times the energy of the integer MAC "
    "does the floating-point MAC cost?",
    given={"fm": 3.7, "fa": 0.9, "im": 0.2, "ia": 0.1},
    draws=_formats,
    answer=lambda fm, fa, im, ia: (fm + fa) / (im + ia),
    unit="x",
    tolerance=Relative(0.01),
    expect=15.333333333333332,
    source="worked by hand: 4.6 / 0.3",
    erratum="4-14",
    misconceptions=(
        Misconception(
            lambda fm, fa, im, ia: fm / im,
            "That compares the multiplies alone: a MAC also adds.",
        ),
        Misconception(
            lambda fm, fa, im, ia: (fm + fa) / (im + energy.pj("int8_add")),
            "That accumulates in 8 bits (0.03 pJ), which would overflow: the accumulator has 32.",
        ),
        Misconception(
            lambda fm, fa, im, ia: _bits(fm, im),
            "That is the ratio of widths: the energy of a multiply does not grow linearly with its bits.",
        ),
    ),
    hints=("A MAC is one multiply and one add.", "(fm + fa) / (im + ia)."),
    steps=lambda fm, fa, im, ia: (
        f"floating point: {fm:g} + {fa:g} = {fm + fa:g} pJ",
        f"integer: {im:g} + {ia:g} = {im + ia:g} pJ",
        f"{fm + fa:g} / {im + ia:g} = {(fm + fa) / (im + ia):.4g}",
    ),
)


def _prices(rng: Rng) -> dict:
    a = rng.log(0.5, 10.0, 2)
    return {"a": a, "b": rng.log(0.3, a, 2), "n": rng.choice((1_000, 10_000, 100_000, 1_000_000))}


BOM = Exercise(
    id="cost.bom",
    title="A cheaper chip at volume",
    prompt="A product of {n} units can use a chip for {b} EUR instead of one for {a} EUR. "
    "How many euros does that save in all?",
    given={"a": 4.0, "b": 1.0, "n": 10_000},
    draws=_prices,
    accept=lambda a, b, n: b < a,
    answer=lambda a, b, n: round((a - b) * n, 2),
    unit="EUR",
    tolerance=Absolute(0),
    expect=30_000.0,
    source="worked by hand: 3 EUR x 10,000",
    erratum="3-6",
    misconceptions=(
        Misconception(
            lambda a, b, n: a * n,
            "That is the price of the dearer chips: the cheaper ones are not free.",
        ),
        Misconception(
            lambda a, b, n: (a - b) * n / 1000,
            "That is in thousands of euros: the question asks for euros.",
        ),
    ),
    hints=("How much does one unit save?", "saving = (a - b) x n."),
    steps=lambda a, b, n: (
        f"per unit: {a:.2f} - {b:.2f} = {a - b:.2f} EUR",
        f"{n:,} units: {(a - b) * n:,.0f} EUR",
    ),
)

CYCLES = Exercise(
    id="claim.cycles",
    title="Cycles behind a run time",
    prompt="An inference is said to take {t} s on a core at {f} Hz. How many clock cycles is that?",
    given={"t": 0.0003, "f": 80_000_000},
    draws={"t": Log(0.0001, 0.1, 2), "f": CLOCKS_HZ},
    answer=lambda t, f: latency.cycles_in(t, f),
    unit="cycles",
    tolerance=Relative(0.005),
    expect=24_000,
    source="worked by hand: 0.0003 s x 80,000,000 per second",
    erratum="3-2",
    misconceptions=(
        Misconception(lambda t, f: t * f / 1000, "That is in thousands of cycles: the time is in seconds."),
        Misconception(
            lambda t, f: 8.4e-3 * f,
            "Those are the cycles of the other model of the comparison, 8.4 ms: take the time given.",
            printed_only=True,
        ),
    ),
    hints=("A clock of f hertz ticks f times a second.", "cycles = t x f."),
    steps=lambda t, f: (f"{t:g} s x {f:,} per second = {t * f:,.0f} cycles",),
)

MAX_STEPS = Exercise(
    id="claim.max_steps",
    title="How many time steps fit?",
    prompt="A recurrent cell has {p} parameters and uses each once per time step. The core does {m} MAC per "
    "cycle, and an inference takes {cy} cycles. How many whole time steps can it hold at most?",
    given={"cy": 24_000, "p": 2304, "m": 1},
    draws={"cy": Log(10_000, 1_000_000, 2), "p": Log(100, 5_000, 2)},
    answer=lambda cy, p, m: latency.whole_steps(cy, p, m),
    unit="steps",
    tolerance=Absolute(0),
    expect=10,
    source="worked by hand: 24,000 / 2,304 = 10.4, rounded down",
    erratum="3-2",
    misconceptions=(
        Misconception(
            lambda cy, p, m: cy,
            "That is one cycle per step: a step uses every parameter once.",
        ),
        Misconception(
            lambda cy, p, m: 672_000 // p,
            "That takes the 672,000 cycles of the larger model: count the cycles given.",
            printed_only=True,
        ),
        Misconception(
            lambda cy, p, m: cy * m // p * 18,
            "That scales by the ratio of model sizes: only this model's parameters and cycles count.",
            printed_only=True,
        ),
    ),
    hints=("How many cycles does one step need?", "floor(cycles x MAC per cycle / parameters)."),
    steps=lambda cy, p, m: (
        f"one step: {p:,} MAC",
        f"{cy:,} cycles x {m} MAC / {p:,} = {cy * m / p:,.2f}",
        f"whole steps: {latency.whole_steps(cy, p, m):,}",
    ),
)

WINDOW_MACS = Exercise(
    id="claim.window_macs",
    title="A recurrent pass over a window",
    prompt="A recurrent cell uses each of its {p} weights once per time step. "
    "How many MACs does a window of {T} samples cost?",
    given={"p": 2304, "T": 128},
    draws={"p": Log(100, 5_000, 3), "T": Log(16, 1024, 2)},
    answer=lambda p, T: p * T,
    unit="MAC",
    tolerance=Absolute(0),
    expect=294_912,
    source="worked by hand: 2,304 x 128; 3.7 ms at 1 MAC per cycle and 80 MHz",
    erratum="3-1",
    misconceptions=(
        Misconception(lambda p, T: p, "That is one step: the weights work again at every sample."),
        Misconception(lambda p, T: 2 * p * T, "Those are FLOPs: one MAC is a multiply and an add."),
    ),
    hints=("How often does one weight work in the window?", "MACs = weights x steps."),
    steps=lambda p, T: (f"{p:,} weights x {T:,} steps = {p * T:,} MAC",),
)

EXERCISES = (
    AVERAGE,
    BATTERY_DAYS,
    LIFE_RATIO,
    PI_COIN_CELL,
    INFERENCE_ENERGY,
    MAC_ENERGY_INT8,
    BOM,
    CYCLES,
    MAX_STEPS,
    WINDOW_MACS,
)
