"""Key of assignment 06: the private question and functions that the bank does not hold. Never released."""

from math import log

from grading.keys import key
from tinylib.cost import compression
from tinylib.practice import Absolute, Exercise, Misconception


def _share(l0, l1, l2, e):
    """Probability of the first operation when the two others share the rest alike [0..1]."""
    rest = (l1 + l2) / 2
    return (e - rest) / (l0 - rest)


def _logit(p, others=2):
    return log(others * p / (1 - p))


PARAMETER = Exercise(
    id="a06.parameter",
    title="The parameter that meets a latency",
    prompt="Three operations take {l0}, {l1} and {l2} ms. The architecture parameters of the second and the "
    "third are 0. At which parameter of the first is the expected latency {e} ms?",
    given={"l0": 16, "l1": 5, "l2": 3, "e": 9},
    draws={"l0": (12, 16, 20), "l1": (4, 5, 6), "l2": (1, 2, 3), "e": (7, 8, 9, 10)},
    answer=lambda **given: _logit(_share(**given)),
    unit="",
    tolerance=Absolute(0.06),
    expect=0.3566749439387324,
    source="worked by hand: p = 5 / 12, so ln(10 / 7)",
    misconceptions=(
        Misconception(
            lambda **given: _logit(_share(**given), 1),
            "Two operations share the rest: their exponentials add up to 2, not to 1.",
        ),
        Misconception(
            lambda **given: log(_share(**given)),
            "That is the logarithm of the probability: the softmax divides by all exponentials.",
        ),
        Misconception(
            lambda l0, l1, l2, e: _logit(e / l0),
            "The other operations take time too: they are in the expected latency.",
        ),
    ),
)


def _mix(rng):
    """Logits and latencies of three to six operations, no two latencies alike."""
    n = rng.int(3, 6)
    return [rng.uniform(-2, 2) for _ in range(n)], [rng.int(1, 9) + 10 * i for i in range(n)][
        :: rng.choice((1, -1))
    ]


@key("a06.expected_latency", examples=[(([0.0, 0.0], [4.0, 10.0]), 7.0)])
class ExpectedLatency:
    def draw(rng):
        return _mix(rng)

    def expected(logits, latencies):
        return compression.expected_latency_ms(compression.softmax(logits), latencies)

    def slips(logits, latencies):
        shares = compression.softmax(logits)
        return {
            "": {
                "that is the plain mean": sum(latencies) / len(latencies),
                "the parameters are no probabilities yet": sum(a * t for a, t in zip(logits, latencies)),
                "that is the likeliest operation alone": latencies[shares.index(max(shares))],
                "probabilities already add up to one": sum(p * t for p, t in zip(shares, latencies))
                / len(shares),
                "softmax takes powers of e": compression.expected_latency_ms(
                    compression.softmax([a * log(2) for a in logits]), latencies
                ),
            }
        }


@key("a06.latency_gradient", examples=[(([0.0, 0.0], [4.0, 10.0], 0), -1.5)])
class LatencyGradient:
    def draw(rng):
        logits, latencies = _mix(rng)
        return logits, latencies, rng.int(0, len(logits) - 1)

    def expected(logits, latencies, k):
        return compression.latency_gradient_ms(compression.softmax(logits), latencies)[k]

    def slips(logits, latencies, k):
        p, t = compression.softmax(logits)[k], latencies[k]
        mean = ExpectedLatency.expected(logits, latencies)
        return {
            "": {
                "that is the diagonal term alone, every other probability moves too": p * (1 - p) * t,
                "that is its part of the mean": p * t,
                "the probability is missing": t - mean,
                "the sign is turned, a slow operation raises the mean": p * (mean - t),
                "the distance to the mean is already all that moves": p * (1 - p) * (t - mean),
            }
        }


@key("a06.mnasnet_reward", examples=[((0.5, 40.0, 80.0, -1.0), 1.0)])
class MnasnetReward:
    def draw(rng):
        return rng.uniform(0.5, 0.9), rng.uniform(20, 70), rng.choice((75, 80, 100)), -rng.int(3, 20) / 100

    def expected(accuracy, latency_ms, target_ms, exponent):
        return compression.mnasnet_reward(accuracy, latency_ms, target_ms, exponent)

    def slips(accuracy, latency_ms, target_ms, exponent):
        ratio = latency_ms / target_ms
        return {
            "": {
                "the ratio is upside down, a faster network must score higher": accuracy * ratio**-exponent,
                "the exponent is missing": accuracy * ratio,
                "the reward is a product, and w an exponent": accuracy + exponent * ratio,
                "w is an exponent, not a factor": accuracy * ratio * exponent,
            }
        }
