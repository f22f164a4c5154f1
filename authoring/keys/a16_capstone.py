"""Key of assignment 16: the budgets and their trial, a private question and a function. Never released."""

import math

from grading.keys import Trial, key
from tinylib.deploy import capstone, capstone_runs
from tinylib.practice import Exercise, Misconception, Relative
from tinylib.practice.draws import By

# name of a network of the study -> the accuracy [%] asked of it, which it passes by some points on any
# speakers; what it took gives three budgets, in each of which another limit is tight
FIT = {
    "means 4x4": 57,
    "means 2x2": 67,
    "dense": 77,
    "2 filters 5x5/3": 80,
    "3 filters 5x5/3": 80,
    "4 filters 4x4/4": 81,
    "8 filters 4x4/4": 81,
    "4 filters 3x3/2": 83,
}
SLACK = (1.06, 1.30, 1.25), (1.30, 1.10, 1.25), (1.25, 1.30, 1.06)
STEPS = 10, 4, 100  # budgets are round numbers


def _budgets() -> tuple[tuple[int, int, int, int], ...]:
    rows, runs = [], {run.name: run for run in capstone_runs.runs()}
    for name, goal in FIT.items():
        took = [getattr(runs[name], limit) for limit in capstone.LIMITS]
        for slack in SLACK:
            limits = (math.ceil(t * s / step) * step for t, s, step in zip(took, slack, STEPS))
            rows.append((*limits, goal))
    return tuple(rows)


COLUMNS = tuple(zip(*_budgets()))
NAMES = ("flash_bytes", "ram_bytes", "instructions", "accuracy")
PRINTED = 12  # the row that nobody's name shows

NETWORK = Trial(
    id="a16.network",
    title="Ship it",
    prompt="Your budget on a Cortex-M0+: {flash_bytes} B of flash, {ram_bytes} B of RAM and {instructions} "
    "instructions for one inference. Asked: {accuracy} % of the words right, on speakers nobody has heard.",
    given={"case": PRINTED, **{name: column[PRINTED] for name, column in zip(NAMES, COLUMNS)}},
    draws={
        "case": tuple(range(len(COLUMNS[0]))),
        **{name: By("case", column) for name, column in zip(NAMES, COLUMNS)},
    },
    attempt=capstone.attempt,
    form="tinylib.deploy.capstone:form",
)

WEIGHTS_LEFT = Exercise(
    id="a16.weights_left",
    title="Weights that fit",
    prompt="A part leaves {flash} B of flash to a network. The code of its layers takes {code} B. Each of "
    "its {channels} output channels needs {each} B for bias, multiplier and shift. How many INT8 weights "
    "fit?",
    given={"flash": 1400, "code": 650, "channels": 8, "each": 9},
    draws={
        "flash": (1200, 1600, 2000, 2400, 2800),
        "code": (610, 650, 690, 730),
        "channels": (8, 10, 12, 16),
    },
    answer=lambda flash, code, channels, each: flash - code - channels * each,
    unit="weights",
    tolerance=Relative(0.001),
    expect=678,
    source="worked by hand: 1400 - 650 - 72",
    misconceptions=(
        Misconception(
            lambda flash, code, channels, each: flash - code,
            "Bias, multiplier and shift of each output channel lie in the same flash.",
        ),
        Misconception(
            lambda flash, code, channels, each: flash - code - each,
            "Each output channel has a bias, a multiplier and a shift of its own.",
        ),
        Misconception(
            lambda flash, code, channels, each: flash - channels * each,
            "The code of the layers lies in the same flash.",
        ),
        Misconception(
            lambda flash, code, channels, each: (flash - code - channels * each) / 4,
            "That counts four bytes a weight: INT8 takes one.",
        ),
    ),
)


def _kept(took: list[int], limits: list[int]) -> list[float]:
    return [min(1.0, max(0.0, 1 - (t / m - 1) / 0.5)) for t, m in zip(took, limits)]


@key(
    "a16.weigh_budget",
    examples=[
        (([900, 300, 40000], [1000, 400, 50000]), {"tightest": 0, "over": 0, "kept": 1.0}),
        (([1250, 200, 90000], [1000, 400, 50000]), {"tightest": 2, "over": 2, "kept": 0.5}),
    ],
)
class WeighBudget:
    def draw(rng):  # one limit kept, one passed by less than half, the third anywhere; no two shares alike
        limits = [10 * rng.int(80, 300), 4 * rng.int(20, 120), 1000 * rng.int(5, 200)]
        shares = [rng.uniform(0.4, 0.9), rng.uniform(1.1, 1.4), rng.choice((0.95, 1.05, 1.7))]
        turn = rng.int(0, 2)
        shares = shares[turn:] + shares[:turn]
        return [round(s * limit) for s, limit in zip(shares, limits)], limits

    def expected(took, limits):
        shares = [t / m for t, m in zip(took, limits)]
        return {
            "tightest": shares.index(max(shares)),
            "over": sum(t > m for t, m in zip(took, limits)),
            "kept": sum(_kept(took, limits)) / 3,
        }

    def slips(took, limits):
        shares = [t / m for t, m in zip(took, limits)]
        free = [m - t for t, m in zip(took, limits)]
        return {
            "tightest": {
                "that limit has most room: look for the largest share": shares.index(min(shares)),
                "bytes and instructions cannot be compared: take shares of the limits": free.index(min(free)),
            },
            "over": {"those are kept": sum(t <= m for t, m in zip(took, limits))},
            "kept": {
                "a limit that is passed is worth part of the points until half over": sum(
                    t <= m for t, m in zip(took, limits)
                )
                / 3,
                "nothing counts less than nothing or more than all": sum(1 - (s - 1) / 0.5 for s in shares)
                / 3,
                "the three limits count alike: take their mean": sum(_kept(took, limits)),
            },
        }
