"""Chapter "Distillation": soft targets, what a temperature does, the mixed loss and the size saved."""

import math

from tinylib.cost import compression
from tinylib.practice.draws import Log
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative

_NAMES = ("z0", "z1", "z2")


def _linear(z0: float, z1: float, z2: float, **_: float) -> float:
    return z0 / (z0 + z1 + z2)


SOFT_PROB = Exercise(
    id="kd.soft_prob",
    title="Softened teacher",
    prompt="A teacher has the logits {z0}, {z1} and {z2}. What probability does it give to the first class "
    "at temperature {T}, to three decimals?",
    given={"z0": 4.0, "z1": 2.0, "z2": 1.0, "T": 4.0},
    draws=lambda rng: (
        {name: rng.int(0, 16) / 2 for name in _NAMES} | {"T": rng.choice((2.0, 3.0, 4.0, 5.0, 8.0, 10.0))}
    ),
    accept=lambda z0, z1, z2, T: z0 + z1 + z2 > 0,
    answer=lambda z0, z1, z2, T: compression.softmax((z0, z1, z2), T)[0],
    unit="",
    tolerance=Absolute(0.001),
    expect=0.48102426325336967,
    source="worked by hand: 2.71828 / (2.71828 + 1.64872 + 1.28403)",
    erratum="2-5",
    misconceptions=(
        Misconception(
            lambda z0, z1, z2, T: compression.softmax((z0, z1, z2))[0],
            "That is the plain softmax, T = 1: divide the logits by the temperature first.",
        ),
        Misconception(
            lambda z0, z1, z2, T: compression.softmax((z0 * T, z1 * T, z2 * T))[0],
            "You multiplied the logits by T, which sharpens: a high temperature flattens.",
        ),
        Misconception(
            lambda z0, z1, z2, T: compression.softmax((z0, z1, z2))[0] / T,
            "You divided the probability by T: the temperature acts on the logits.",
        ),
        Misconception(_linear, "You normalised the logits themselves: take exponentials first."),
    ),
    hints=("What happens to the logits before the softmax?", "p0 = exp(z0 / T) / sum of exp(z / T)."),
    steps=lambda z0, z1, z2, T: (
        f"logits / T: {z0 / T:.4g}, {z1 / T:.4g}, {z2 / T:.4g}",
        f"exponentials: {math.exp(z0 / T):.4f}, {math.exp(z1 / T):.4f}, {math.exp(z2 / T):.4f}",
        f"first over sum: {compression.softmax((z0, z1, z2), T)[0]:.4f}",
    ),
)

SOFT_PROB_T1 = Exercise(
    id="kd.soft_prob_t1",
    title="Hard teacher for comparison",
    prompt="A teacher has the logits {z0}, {z1} and {z2}. What probability does the plain softmax (T = 1) "
    "give to the first class, to three decimals?",
    given={"z0": 4.0, "z1": 2.0, "z2": 1.0},
    draws=lambda rng: {name: rng.int(0, 16) / 2 for name in _NAMES},
    accept=lambda z0, z1, z2: z0 > max(z1, z2) - 3 and z0 + z1 + z2 > 0,  # an answer above zero
    answer=lambda z0, z1, z2: compression.softmax((z0, z1, z2))[0],
    unit="",
    tolerance=Absolute(0.000500001),
    expect=0.8437947344813395,
    source="worked by hand: 54.598 / (54.598 + 7.389 + 2.718)",
    erratum="2-4",
    misconceptions=(
        Misconception(
            lambda z0, z1, z2: compression.softmax((z0, z1))[0],
            "The third class is missing: the denominator has three terms.",
        ),
        Misconception(_linear, "You normalised the logits themselves: take exponentials first."),
    ),
    hints=("How many classes share the probability?", "p0 = exp(z0) / sum of exp(z)."),
    steps=lambda z0, z1, z2: (
        f"exponentials: {math.exp(z0):,.3f}, {math.exp(z1):,.3f}, {math.exp(z2):,.3f}",
        f"first over sum: {compression.softmax((z0, z1, z2))[0]:.4f}",
    ),
)

GRADIENT_SHRINK = Exercise(
    id="kd.gradient_shrink",
    title="Gradient scale at high temperature",
    prompt="By which factor do the gradients of soft targets shrink at temperature {T}? Take the limit of a "
    "high temperature and centred logits.",
    given={"T": 5.0},
    draws=lambda rng: {"T": rng.int(4, 20) / 2},
    answer=lambda T: T * T,
    unit="x",
    tolerance=Absolute(0.01),
    expect=25.0,
    source="worked by hand: 1/T twice; Hinton et al., arXiv 1503.02531, section 2.1",
    erratum="2-32",
    misconceptions=(
        Misconception(
            lambda T: T,
            "That is one factor of T: the chain rule gives one 1/T, the flatter targets another.",
        ),
        Misconception(lambda T: 2 * T, "You doubled T: two factors of 1/T multiply."),
        Misconception(lambda T: math.sqrt(T), "That is the root of T: the shrinking is stronger than T."),
    ),
    hints=(
        "T enters the derivative of z / T, and once more the difference of the two softened outputs.",
        "gradient ~ (z - v) / (classes x T^2).",
    ),
    steps=lambda T: (
        f"chain rule: d(z/T)/dz = 1/{T:g}",
        f"softened outputs differ by about 1/{T:g} of the logits' difference",
        f"together 1/{T * T:g}: a factor of {T * T:g}, so the loss is multiplied by it",
    ),
)

TOTAL_LOSS = Exercise(
    id="kd.total_loss",
    title="Mixed loss",
    prompt="The cross-entropy on labels is {ce} nat, the KL divergence of the outputs softened at T = {T} is "
    "{kl} nat. The soft term has the weight lambda = {lam} and is rescaled for its temperature; the hard "
    "term has the rest. What is the total loss in nat?",
    given={"ce": 2.0, "kl": 0.4, "T": 3.0, "lam": 0.7},
    draws={
        "ce": Log(0.2, 4.0, 2),
        "kl": Log(0.01, 1.0, 2),
        "T": (2.0, 3.0, 4.0, 5.0),
        "lam": tuple(n / 10 for n in range(1, 10)),
    },
    answer=lambda ce, kl, T, lam: compression.distillation_loss(ce, kl, T, lam),
    unit="nat",
    tolerance=Absolute(0.005),
    expect=3.12,
    source="worked by hand: 0.3 x 2 + 0.7 x 9 x 0.4",
    misconceptions=(
        Misconception(
            lambda ce, kl, T, lam: (1 - lam) * ce + lam * kl,
            "The factor T^2 is missing: it brings the soft gradients back to scale.",
        ),
        Misconception(
            lambda ce, kl, T, lam: (1 - lam) * ce + lam * T * kl,
            "T enters once: soft gradients shrink by its square.",
        ),
        Misconception(
            lambda ce, kl, T, lam: lam * ce + (1 - lam) * T * T * kl,
            "The weights are swapped: lambda belongs to the soft term here.",
        ),
        Misconception(
            lambda ce, kl, T, lam: ce + T * T * kl,
            "There is no mixing in it: the two weights add up to one.",
        ),
    ),
    hints=("By how much do soft gradients shrink?", "loss = (1 - lambda) CE + lambda T^2 KL."),
    steps=lambda ce, kl, T, lam: (
        f"hard: {1 - lam:g} x {ce:g} = {(1 - lam) * ce:.4f}",
        f"soft: {lam:g} x {T:g}^2 x {kl:g} = {lam * T * T * kl:.4f}",
        f"sum {(1 - lam) * ce + lam * T * T * kl:.3f} nat",
    ),
)

PARAM_RATIO = Exercise(
    id="kd.param_ratio",
    title="Teacher to student",
    prompt="A teacher of {t} parameters trains a student of {s}. "
    "How many times as many parameters has the teacher?",
    given={"t": 25_600_000, "s": 3_400_000},
    draws={"t": Log(10_000_000, 1_000_000_000, 3), "s": Log(100_000, 10_000_000, 2)},
    answer=lambda t, s: t / s,
    unit="x",
    tolerance=Relative(0.01),
    expect=7.529411764705882,
    source="worked by hand: 25.6 / 3.4",
    misconceptions=(
        Misconception(lambda t, s: s / t, "Upside down: the teacher goes above the line."),
        Misconception(lambda t, s: t - s, "That is the difference: a ratio is asked."),
        Misconception(
            lambda t, s: (t - s) / t * 100, "That is the saving in percent: how many times larger is it?"
        ),
    ),
    hints=("Which of the two is the larger?", "teacher / student."),
    steps=lambda t, s: (f"{t:,} / {s:,}", f"= {t / s:,.2f}"),
)

T_INFINITE = Exercise(
    id="kd.t_infinite",
    title="Limit of infinite temperature",
    prompt="Which probability does each of {C} classes get when the temperature of the softmax goes to "
    "infinity?",
    given={"C": 10},
    draws={"C": Log(2, 1000, 2)},
    answer=lambda C: 1 / C,
    unit="",
    tolerance=Absolute(0.001),
    expect=0.1,
    source="worked by hand: every exponential goes to 1, so one of ten",
    misconceptions=(
        Misconception(lambda C: 0, "It does not vanish: the probabilities still add up to one."),
        Misconception(
            lambda C: 1, "That is the top class as T goes to 0: a high temperature makes all alike."
        ),
        Misconception(lambda C: 1 / (C - 1), "One class is left out: all of them share alike."),
    ),
    hints=("What is exp(z / T) for a very large T?", "All classes alike: 1 / C."),
    steps=lambda C: ("z / T goes to 0, so each exponential goes to 1", f"1 / {C} = {1 / C:.4g}"),
)

EXERCISES = (SOFT_PROB, SOFT_PROB_T1, GRADIENT_SHRINK, TOTAL_LOSS, PARAM_RATIO, T_INFINITE)
