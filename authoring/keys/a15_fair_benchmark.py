"""Key of assignment 15: the private question, the function and the trial of a baseline. Never released."""

from math import sqrt
from statistics import fmean, pstdev, stdev

from grading.keys import Trial, key
from tinylib.compress import bands, fair
from tinylib.cost import sequence
from tinylib.practice import Absolute, Exercise, Misconception

CLASSES = 4


def _macs(time: int, axes: int, frame: int, m: int, k: int) -> int:
    return sequence.CfC(frame * axes, m, k).macs((time // frame, frame * axes)) + CLASSES * m


FRAMED_MACS = Exercise(
    id="a15.framed_macs",
    title="A liquid cell that reads frames",
    prompt="A vibration sensor gives windows of {time} samples on {axes} axes. A CfC cell reads {frame} "
    "samples of all axes per time step, as one frame of n inputs. With m = {m} neurons and k = {k} backbone "
    "features each step uses k (n + 5 m) weights once. A dense layer with 4 outputs then reads the mean of "
    "all states, once. How many MACs does a window cost?",
    given={"time": 256, "axes": 3, "frame": 16, "m": 12, "k": 16},
    draws={
        "time": (128, 256, 512),
        "axes": (2, 3, 6),
        "frame": (4, 8, 16, 32),
        "m": (8, 10, 14, 20),
        "k": (12, 18, 24),
    },
    answer=_macs,
    unit="MAC",
    tolerance=Absolute(0),
    expect=27_696,
    source="worked by hand: 16 x 16 x (48 + 60) + 4 x 12",
    misconceptions=(
        Misconception(
            lambda time, axes, frame, m, k: time * (_macs(frame, axes, frame, m, k) - 4 * m) + 4 * m,
            "That is a step per sample: a frame of samples is read in one step.",
        ),
        Misconception(
            lambda time, axes, frame, m, k: k * (frame * axes + 5 * m) + 4 * m,
            "That is a single step: the cell's weights work again with every frame.",
        ),
        Misconception(
            lambda time, axes, frame, m, k: time // frame * k * (frame + 5 * m) + 4 * m,
            "A frame holds the samples of all axes: n is samples times axes.",
        ),
        Misconception(
            lambda time, axes, frame, m, k: time // frame * (k * (frame * axes + 5 * m) + 4 * m),
            "The dense layer reads the mean of the states: it works once a window, not once a step.",
        ),
        Misconception(
            lambda time, axes, frame, m, k: time // frame * k * (frame * axes + 5 * m),
            "The dense layer is missing: it reads m values and has 4 outputs.",
        ),
    ),
)


# ---- two rivals, seed by seed


def _compared(ours, theirs, t, half):
    """The three entries with this half-width."""
    mean = fmean(a - b for a, b in zip(ours, theirs))
    return {"gain": mean, "half": half, "verdict": (mean > half) - (mean < -half)}


def _half(values, t):
    return t * stdev(values) / sqrt(len(values))


def _misjudged(gain, verdict):
    """Named mistakes of the verdict."""
    if not verdict:
        return {"0 lies within the interval, nothing is decided": 1 if gain > 0 else -1}
    wrong = {"0 lies outside the interval, that decides it": 0}
    return wrong | {"theirs minus ours, the wrong way round": -verdict}


@key(
    "a15.compare",
    examples=[
        (([0.95, 0.93, 0.96], [0.94, 0.93, 0.94], 4.303), {"gain": 0.01, "half": 0.02484338, "verdict": 0}),
        (
            ([0.80, 0.90, 0.85], [0.75, 0.86, 0.80], 4.303),
            {"gain": 0.14 / 3, "half": 0.01434333, "verdict": 1},
        ),
    ],
)
class Compare:
    def draw(rng):  # seeds differ more than rivals do; the gain is never near the edge of its interval
        while True:
            n, gap = rng.int(4, 8), rng.choice((-0.02, -0.006, 0.006, 0.02))
            hard = [0.9 + rng.uniform(-0.05, 0.05) for _ in range(n)]
            ours = [round(h + gap + rng.uniform(-0.008, 0.008), 4) for h in hard]
            theirs = [round(h + rng.uniform(-0.008, 0.008), 4) for h in hard]
            t = fair.T_95[n - 2]
            gaps = [a - b for a, b in zip(ours, theirs)]
            if abs(abs(fmean(gaps)) - _half(gaps, t)) > 0.001 and stdev(gaps) < 0.5 * stdev(theirs):
                return ours, theirs, t

    def expected(ours, theirs, t):
        return _compared(ours, theirs, t, _half([a - b for a, b in zip(ours, theirs)], t))

    def slips(ours, theirs, t):
        n, gaps = len(ours), [a - b for a, b in zip(ours, theirs)]
        right = _compared(ours, theirs, t, _half(gaps, t))
        apart = t * sqrt(stdev(ours) ** 2 / n + stdev(theirs) ** 2 / n)
        return {
            "gain": {
                "the wrong way round: it is ours minus theirs": -right["gain"],
                "that is the sum over the seeds, not the mean": sum(gaps),
            },
            "half": {
                "the pairs are torn apart: take the spread of the differences": apart,
                "that divides by n under the root of the spread, take n - 1": t * pstdev(gaps) / sqrt(n),
                "that is the spread of one seed: the mean of n is steadier by sqrt(n)": t * stdev(gaps),
                "t is missing": stdev(gaps) / sqrt(n),
                "that is the whole width, take half of it": 2 * right["half"],
            },
            "verdict": _misjudged(right["gain"], right["verdict"]),
        }


# ---- the baseline that nobody shows

ENOUGH, HIDDEN = 0.10, 2  # points above bands of equal width for the full share; sets of machines


def baseline(value, given, rng):
    """Trains the student's bands on hidden machines; the share is what they gain over equal ones."""
    bands_most, severity = given["bands"], given["severity"]
    try:
        limits = bands.checked(value, bands_most)
    except (TypeError, ValueError) as error:
        return 0.0, f"{error}."
    seeds = [rng.int(1_000, 1_000_000) for _ in range(HIDDEN)]
    own = fmean(bands.accuracy(limits, severity, seed) for seed in seeds)
    plain = fmean(bands.accuracy(bands.even(bands_most), severity, seed) for seed in seeds)
    share = min(1.0, max(0.0, (own - plain) / ENOUGH))
    words = f"On {8 * HIDDEN} hidden machines your bands name {100 * own:.1f} % of the windows, equal ones "
    return share, words + f"{100 * plain:.1f} %. Full points from {100 * ENOUGH:g} points above."


BASELINE = Trial(
    "a15.baseline",
    baseline,
    "tinylib.compress.bands:seen",
    "Motors turn 18 to 48 times a second. Hand in the limits of at most {bands} bands, a rising list in Hz "
    "within 0 .. 4000, so that a logistic layer on their powers knows the class on machines never heard. The "
    "severity of the faults is {severity}.",
    {"bands": 5, "severity": 0.7},
    {"bands": (4, 5, 6), "severity": (0.7, 0.8, 1.0)},
    title="The baseline that nobody shows",
    seconds=120,
)
