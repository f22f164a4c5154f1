"""Chapter "NAS": size of a search space, mixed operations, expected latency and latency-aware reward."""

import math

from tinylib.cost import compression
from tinylib.practice.draws import Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative

SPACE_LOG10 = Exercise(
    id="nas.space_log10",
    title="Size of a cell search space",
    prompt="A cell has {edges} edges, and each edge takes one of {ops} operations. "
    "What is log10 of the number of architectures, to one decimal?",
    given={"ops": 7, "edges": 14},
    draws=lambda rng: {"ops": rng.int(2, 10), "edges": rng.int(4, 30)},
    answer=lambda ops, edges: compression.search_space_log10((ops,) * edges),
    unit="",
    tolerance=Absolute(0.05),
    expect=11.831372560199595,
    source="worked by hand: 14 x 0.845098",
    misconceptions=(
        Misconception(
            lambda ops, edges: math.log10(ops * edges),
            "You multiplied operations and edges: each further edge multiplies the count by the operations.",
        ),
        Misconception(
            lambda ops, edges: ops * math.log10(edges),
            "Base and exponent are swapped: the operations are chosen anew at each edge.",
        ),
        Misconception(
            lambda ops, edges: edges * math.log(ops), "That is the natural logarithm: base ten is asked."
        ),
    ),
    hints=("How many cells are there with two edges? With three?", "log10(ops^edges) = edges x log10(ops)."),
    steps=lambda ops, edges: (
        f"architectures: {ops}^{edges}",
        f"{edges} x log10({ops}) = {edges} x {math.log10(ops):.4f} = {edges * math.log10(ops):.2f}",
    ),
)

SOFTMAX_P0 = Exercise(
    id="nas.softmax_p0",
    title="Architecture softmax",
    prompt="Three candidate operations have the architecture parameters {a0}, {a1} and {a2}. "
    "What is the softmax probability of the first, to three decimals?",
    given={"a0": 2.0, "a1": 1.0, "a2": 0.0},
    draws=lambda rng: {name: rng.int(-20, 40) / 10 for name in ("a0", "a1", "a2")},
    accept=lambda a0, a1, a2: abs(a0 + a1 + a2) > 0.05 and a0 > max(a1, a2) - 3,  # no 0 / 0, no answer of 0
    answer=lambda a0, a1, a2: compression.softmax((a0, a1, a2))[0],
    unit="",
    tolerance=Absolute(0.000500001),
    expect=0.6652409557748219,
    source="worked by hand: 7.38906 / (7.38906 + 2.71828 + 1)",
    misconceptions=(
        Misconception(
            lambda a0, a1, a2: a0 / (a0 + a1 + a2),
            "You normalised the parameters themselves: take the exponential of each first.",
        ),
        Misconception(
            lambda a0, a1, a2: 1 / (1 + math.exp(-a0)),
            "That is the sigmoid of one parameter: all three operations compete.",
        ),
        Misconception(
            lambda a0, a1, a2: 2**a0 / (2**a0 + 2**a1 + 2**a2),
            "You took powers of 2: softmax uses e = 2.718.",
        ),
    ),
    hints=("Which three positive numbers share the probability?", "p0 = exp(a0) / sum of exp(a)."),
    steps=lambda a0, a1, a2: (
        f"exponentials: {math.exp(a0):.4f}, {math.exp(a1):.4f}, {math.exp(a2):.4f}",
        f"sum: {math.exp(a0) + math.exp(a1) + math.exp(a2):.4f}",
        f"{math.exp(a0):.4f} / sum = {compression.softmax((a0, a1, a2))[0]:.4f}",
    ),
)


def _mixed_operation(rng: Rng) -> dict:
    a = rng.int(1, 8)
    b = rng.int(1, 9 - a)
    tenths = (a, b, 10 - a - b)
    return {f"l{i}": rng.int(1, 50) for i in range(3)} | {f"p{i}": n / 10 for i, n in enumerate(tenths)}


EXPECTED_LATENCY = Exercise(
    id="nas.expected_latency",
    title="Expected latency",
    prompt="Three candidate operations take {l0}, {l1} and {l2} ms and are chosen with the probabilities "
    "{p0}, {p1} and {p2}. What is the expected latency in ms?",
    given={"l0": 10, "l1": 5, "l2": 2, "p0": 0.6, "p1": 0.3, "p2": 0.1},
    draws=_mixed_operation,
    answer=lambda l0, l1, l2, p0, p1, p2: compression.expected_latency_ms((p0, p1, p2), (l0, l1, l2)),
    unit="ms",
    tolerance=Absolute(0.05),
    expect=7.7,
    source="worked by hand: 6 + 1.5 + 0.2",
    misconceptions=(
        Misconception(
            lambda l0, l1, l2, p0, p1, p2: (l0 + l1 + l2) / 3,
            "That is the plain mean: weight each latency by its probability.",
        ),
        Misconception(
            lambda l0, l1, l2, p0, p1, p2: max((p0, l0), (p1, l1), (p2, l2), key=lambda pair: pair[0])[1],
            "That is the latency of the likeliest operation: the others are chosen now and then.",
        ),
        Misconception(
            lambda l0, l1, l2, p0, p1, p2: (l0 * p0 + l1 * p1 + l2 * p2) / 3,
            "You divided by the number of operations as well: probabilities already add up to one.",
        ),
    ),
    hints=("What would a long run of choices take on average?", "E = p0 l0 + p1 l1 + p2 l2."),
    steps=lambda l0, l1, l2, p0, p1, p2: (
        f"{p0:g} x {l0} + {p1:g} x {l1} + {p2:g} x {l2} ms",
        f"{p0 * l0:g} + {p1 * l1:g} + {p2 * l2:g} = {p0 * l0 + p1 * l1 + p2 * l2:g} ms",
    ),
)

MNASNET_REWARD = Exercise(
    id="nas.mnasnet_reward",
    title="Latency-aware reward",
    prompt="A network reaches an accuracy of {acc} at {t} ms; the target is {target} ms. What is its reward "
    "ACC x (LAT / TARGET)^w with w = {w}, to three decimals?",
    given={"acc": 0.75, "t": 60, "target": 80, "w": -0.07},
    draws=lambda rng: {
        "acc": rng.int(600, 800) / 1000,
        "t": rng.int(20, 160),
        "target": rng.choice((75, 80, 100)),
    },
    answer=lambda acc, t, target, w: compression.mnasnet_reward(acc, t, target, w),
    unit="",
    tolerance=Absolute(0.000500001),
    expect=0.765256408059265,
    source="worked by hand: 0.75 x exp(0.07 x 0.287682); Tan et al., arXiv 1807.11626, eq. 2",
    erratum="2-6",
    misconceptions=(
        Misconception(
            lambda acc, t, target, w: acc * (target / t) ** w,
            "The ratio is upside down: with a negative w, faster than the target must score above ACC.",
        ),
        Misconception(
            lambda acc, t, target, w: acc * (t / target),
            "The exponent is missing: w makes a large change of latency a small change of reward.",
        ),
        Misconception(
            lambda acc, t, target, w: acc + w * (t / target),
            "You added a penalty: the reward is a product, and w an exponent.",
        ),
    ),
    hints=(
        "Should the reward lie above or below the accuracy here?",
        "Measured latency is divided by the target, then raised to w.",
    ),
    steps=lambda acc, t, target, w: (
        f"{t} / {target} = {t / target:.4f}",
        f"{t / target:.4f}^{w:g} = {(t / target) ** w:.5f}",
        f"{acc:g} x {(t / target) ** w:.5f} = {acc * (t / target) ** w:.4f}",
    ),
)

DARTS_SPEEDUP = Exercise(
    id="nas.darts_speedup",
    title="Search cost ratio",
    prompt="Training {n} architectures one by one costs {h} GPU hours each. A one-shot search takes {days} "
    "GPU days in all. How many times less is that?",
    given={"n": 1000, "h": 4, "days": 4},
    draws=lambda rng: {"n": rng.log(100, 20_000, 2), "h": rng.int(1, 12), "days": rng.int(2, 10)},
    answer=lambda n, h, days: n * h / (days * 24),
    unit="x",
    tolerance=Relative(0.01),
    expect=41.666666666666664,
    source="worked by hand: 4000 / 96",
    misconceptions=(
        Misconception(
            lambda n, h, days: n * h / days,
            "You divided hours by days: bring both to hours first.",
        ),
        Misconception(
            lambda n, h, days: n * h * 24 / days,
            "You multiplied by 24: it is the days below the line that become hours.",
        ),
        Misconception(
            lambda n, h, days: n / (days * 24),
            "The hours per architecture are missing: each one has to be trained.",
        ),
    ),
    hints=("How many GPU hours does each of the two ways take?", "n x hours / (days x 24)."),
    steps=lambda n, h, days: (
        f"one by one: {n:,} x {h} h = {n * h:,} h",
        f"one-shot: {days} x 24 h = {days * 24} h",
        f"{n * h:,} / {days * 24} = {n * h / (days * 24):,.2f}",
    ),
)

EXERCISES = (SPACE_LOG10, SOFTMAX_P0, EXPECTED_LATENCY, MNASNET_REWARD, DARTS_SPEEDUP)
