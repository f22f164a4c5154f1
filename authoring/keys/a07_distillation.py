"""Key of assignment 07: the private question and functions that the bank does not hold. Never released."""

from math import log

from grading.keys import key
from tinylib.cost import compression
from tinylib.practice import Absolute, Exercise, Misconception

TEMPERATURE = Exercise(
    id="a07.temperature",
    title="The temperature of a share",
    prompt="A teacher has the logits {z0}, {z1} and {z1}. "
    "At which temperature does it give the first class the probability {p}?",
    given={"z0": 8, "z1": 2, "p": 0.7},
    draws={"z0": (7, 8, 9), "z1": (1, 2, 3), "p": (0.6, 0.7, 0.8)},
    answer=lambda z0, z1, p: (z0 - z1) / log(2 * p / (1 - p)),
    unit="",
    tolerance=Absolute(0.06),
    expect=3.894990197649855,
    source="worked by hand: exp(6 / T) = 14 / 3, so 6 / 1.540445",
    misconceptions=(
        Misconception(
            lambda z0, z1, p: (z0 - z1) / log(p / (1 - p)),
            "Two classes share the rest: each gets half of it.",
        ),
        Misconception(
            lambda z0, z1, p: z0 / log(2 * p / (1 - p)),
            "Only differences of logits count: take the other classes' logit off.",
        ),
        Misconception(
            lambda z0, z1, p: log(2 * p / (1 - p)) / (z0 - z1),
            "That is 1/T: a teacher so sure needs a high temperature to say less.",
        ),
    ),
)


def _draw(rng):
    """Logits of a student and a surer teacher, a label, a temperature that is not 1, and a weight."""
    n = rng.int(3, 6)
    student, teacher = ([rng.uniform(-size, size) for _ in range(n)] for size in (2, 6))
    return student, teacher, rng.int(0, n - 1), rng.choice((2.0, 3.0, 4.0, 5.0)), rng.int(2, 8) / 10


def _terms(student, teacher, label, temperature):
    """Hard and soft term of the loss [nat]."""
    softened = compression.softmax(teacher, temperature), compression.softmax(student, temperature)
    return -log(compression.softmax(student)[label]), compression.kl(*softened)


@key("a07.kd_loss", examples=[(([0.0, 0.0], [0.0, 0.0], 0, 2.0, 0.5), 0.34657359027997264)])
class KdLoss:
    def draw(rng):
        return _draw(rng)

    def expected(student, teacher, label, temperature, weight):
        hard, soft = _terms(student, teacher, label, temperature)
        return compression.distillation_loss(hard, soft, temperature, weight)

    def slips(student, teacher, label, temperature, weight):
        hard, soft = _terms(student, teacher, label, temperature)
        back = compression.kl(
            compression.softmax(student, temperature), compression.softmax(teacher, temperature)
        )
        softened_hard = -log(compression.softmax(student, temperature)[label])
        p = compression.softmax(teacher, temperature)
        cross = -sum(a * log(b) for a, b in zip(p, compression.softmax(student, temperature)))
        scale = weight * temperature**2
        return {
            "": {
                "the factor T^2 is missing": (1 - weight) * hard + weight * soft,
                "T enters once, soft gradients shrink by its square": (1 - weight) * hard
                + weight * temperature * soft,
                "the weights are swapped": weight * hard + (1 - weight) * temperature**2 * soft,
                "student and teacher are swapped in KL": (1 - weight) * hard + scale * back,
                "labels are hard, their term has temperature 1": (1 - weight) * softened_hard + scale * soft,
                "that is the cross-entropy with the teacher, KL takes its entropy off": (1 - weight) * hard
                + scale * cross,
                "the hard term is missing": scale * soft,
            }
        }


@key(
    "a07.kd_gradient",
    examples=[(([0.0, 0.0], [0.0, 0.0], 0, 1, 2.0, 0.5), {"label": -0.25, "other": 0.25})],
)
class KdGradient:
    def draw(rng):
        student, teacher, label, temperature, weight = _draw(rng)
        other = (label + rng.int(1, len(student) - 1)) % len(student)
        return student, teacher, label, other, temperature, weight

    def expected(student, teacher, label, other, temperature, weight):
        terms = {"label": (label, 1), "other": (other, 0)}
        found = {}
        for name, (k, one) in terms.items():
            hard = compression.softmax(student)[k] - one
            soft = compression.softmax(student, temperature)[k] - compression.softmax(teacher, temperature)[k]
            found[name] = (1 - weight) * hard + weight * temperature * soft
        return found

    def slips(student, teacher, label, other, temperature, weight):
        named = {}
        for name, k, one in (("label", label, 1), ("other", other, 0)):
            hard = (1 - weight) * (compression.softmax(student)[k] - one)
            soft = compression.softmax(student, temperature)[k] - compression.softmax(teacher, temperature)[k]
            sharp = compression.softmax(student)[k] - compression.softmax(teacher)[k]
            named[name] = {
                "the factor T^2 is missing": hard + weight / temperature * soft,
                "z / T brings a factor 1/T by the chain rule": hard + weight * temperature**2 * soft,
                "T^2 and 1/T leave one T": hard + weight * soft,
                "the sign is turned, this one goes downhill": -hard - weight * temperature * soft,
                "the weights are swapped": weight * hard / (1 - weight) + (1 - weight) * temperature * soft,
                "both outputs of the soft term are softened": hard + weight * temperature * sharp,
                "the hard term is missing": weight * temperature * soft,
            }
        shares = compression.softmax(student)
        soft = KdGradient.expected(student, teacher, label, other, temperature, weight)
        named["label"]["the right class has a 1 taken off"] = soft["label"] + 1 - weight
        named["other"]["only the right class has a 1 taken off"] = soft["other"] - (1 - weight)
        named["other"]["that is the hard term alone"] = (1 - weight) * shares[other]
        return named
