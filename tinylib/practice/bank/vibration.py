"""Chapter "V Vibration": fault frequencies of a rolling bearing, and the rate to sample them at."""

from tinylib.practice.draws import Log, Rng
from tinylib.practice.exercise import Exercise, Misconception, Relative

BEARING = {"n": 9, "d": 7.94, "D": 39.04, "fr": 29.95}
SETTING = "A bearing has {n} balls of diameter {d} mm on a pitch diameter of {D} mm; its inner ring turns at "
SETTING += "{fr} Hz, the contact angle is 0. "


def _bearing(rng: Rng) -> dict:
    return {
        "n": rng.int(7, 12),
        "d": round(rng.uniform(5, 12), 2),
        "D": round(rng.uniform(25, 60), 2),
        "fr": round(rng.uniform(10, 60), 2),
    }


def _fits(n: int, d: float, D: float, fr: float) -> bool:
    """Whether the balls find room side by side on the pitch circle."""
    return n * d < 3.1 * D


def _cage(d: float, D: float, fr: float) -> float:
    return fr / 2 * (1 - d / D)


BPFO = Exercise(
    id="vib.bpfo",
    title="Outer-race fault frequency",
    prompt=SETTING + "How often per second, in Hz, does a ball pass a flaw in the outer race?",
    given=BEARING,
    draws=_bearing,
    accept=_fits,
    answer=lambda n, d, D, fr: n / 2 * fr * (1 - d / D),
    unit="Hz",
    tolerance=Relative(0.002),
    expect=107.36430584016392,
    source="worked by hand: 4.5 x 29.95 x (1 - 7.94 / 39.04)",
    misconceptions=(
        Misconception(
            lambda n, d, D, fr: n / 2 * fr * (1 + d / D),
            "That is the inner race: past the fixed outer ring the balls come more slowly, with a minus.",
        ),
        Misconception(
            lambda n, d, D, fr: n * fr * (1 - d / D),
            "That is twice the rate: the cage turns at about half the speed of the shaft.",
        ),
        Misconception(
            lambda n, d, D, fr: _cage(d, D, fr),
            "That is one turn of the cage: in each turn all the balls pass the flaw.",
        ),
    ),
    hints=(
        "The cage turns at fr / 2 x (1 - d / D); how many balls pass in one of its turns?",
        "n / 2 x fr x (1 - d / D).",
    ),
    steps=lambda n, d, D, fr: (
        f"d / D = {d:g} / {D:g} = {d / D:.4f}",
        f"cage: {fr:g} / 2 x (1 - {d / D:.4f}) = {_cage(d, D, fr):.3f} Hz",
        f"{n} balls: {n * _cage(d, D, fr):.2f} Hz",
    ),
)

BPFI = Exercise(
    id="vib.bpfi",
    title="Inner-race fault frequency",
    prompt=SETTING + "How often per second, in Hz, does a ball pass a flaw in the inner race?",
    given=BEARING,
    draws=_bearing,
    accept=_fits,
    answer=lambda n, d, D, fr: n / 2 * fr * (1 + d / D),
    unit="Hz",
    tolerance=Relative(0.002),
    expect=162.1856941598361,
    source="worked by hand: 4.5 x 29.95 x (1 + 7.94 / 39.04)",
    misconceptions=(
        Misconception(
            lambda n, d, D, fr: n / 2 * fr * (1 - d / D),
            "That is the outer race: the inner ring runs past the cage, so the rate is higher, with a plus.",
        ),
        Misconception(
            lambda n, d, D, fr: n * fr * (1 + d / D),
            "That is twice the rate: ring against cage turns at about half the speed of the shaft.",
        ),
    ),
    hints=(
        "How fast does the inner ring turn as seen from the cage?",
        "n / 2 x fr x (1 + d / D).",
    ),
    steps=lambda n, d, D, fr: (
        f"d / D = {d:g} / {D:g} = {d / D:.4f}",
        f"ring past the cage: {fr:g} - {_cage(d, D, fr):.3f} = {fr - _cage(d, D, fr):.3f} Hz",
        f"{n} balls: {n * (fr - _cage(d, D, fr)):.2f} Hz",
    ),
)

BSF = Exercise(
    id="vib.bsf",
    title="Ball spin frequency",
    prompt=SETTING + "How many turns per second, in Hz, does a ball make about its own axis?",
    given=BEARING,
    draws=_bearing,
    accept=_fits,
    answer=lambda n, d, D, fr: D / (2 * d) * fr * (1 - (d / D) ** 2),
    unit="Hz",
    tolerance=Relative(0.002),
    expect=70.58459401582566,
    source="worked by hand: 39.04 / 15.88 x 29.95 x (1 - 0.20338^2)",
    misconceptions=(
        Misconception(
            lambda n, d, D, fr: D / d * fr * (1 - (d / D) ** 2),
            "That is the rate of impacts: a flaw on a ball hits both races in each turn. Halve it.",
        ),
        Misconception(
            lambda n, d, D, fr: D / (2 * d) * fr * (1 - d / D),
            "The ratio d / D enters once: in the bracket it stands squared.",
        ),
        Misconception(
            lambda n, d, D, fr: _cage(d, D, fr),
            "That is how often the cage turns: the ball spins faster, by about D / d.",
        ),
    ),
    hints=(
        "A ball rolls on a race of diameter near D: the small one turns D / d times as often.",
        "D / (2 d) x fr x (1 - (d / D)^2).",
    ),
    steps=lambda n, d, D, fr: (
        f"(d / D)^2 = ({d:g} / {D:g})^2 = {(d / D) ** 2:.5f}",
        f"D / (2 d) = {D / (2 * d):.4f}",
        f"{D / (2 * d):.4f} x {fr:g} x {1 - (d / D) ** 2:.5f} = "
        f"{D / (2 * d) * fr * (1 - (d / D) ** 2):.2f} Hz",
    ),
)

NYQUIST = Exercise(
    id="vib.nyquist",
    title="Sampling a resonance",
    prompt="A housing resonates at {f} Hz. The anti-alias filter needs room, so one customarily samples at "
    "{m} times the highest frequency. Which sampling rate is that, in Hz?",
    given={"f": 3000, "m": 2.56},
    draws={"f": Log(500, 10_000, 2)},
    answer=lambda f, m: m * f,
    unit="Hz",
    tolerance=Relative(0.005),
    expect=7680.0,
    source="worked by hand: 2.56 x 3000",
    misconceptions=(
        Misconception(
            lambda f, m: 2 * f,
            "That is the bare Nyquist limit: it leaves a real filter no room to fall off.",
        ),
        Misconception(
            lambda f, m: f,
            "That is one sample per period: the tone would look like a constant.",
        ),
    ),
    hints=("Two samples per period are the limit; the factor given is the margin.", "rate = m x f."),
    steps=lambda f, m: (f"{m:g} x {f:,} Hz = {m * f:,.0f} Hz",),
)

EXERCISES = (BPFO, BPFI, BSF, NYQUIST)
