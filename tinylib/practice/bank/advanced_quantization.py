"""Chapter "Advanced quantization": scales per channel, straight-through gradients, SmoothQuant, 4 bits."""

from tinylib import units
from tinylib.cost import compression, memory
from tinylib.practice.draws import Log
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative


def _extra_scale_bytes(c_out: int, sb: int) -> int:
    scales = compression.scale_count(c_out, 1, "channel")
    return compression.scale_bytes(scales, 8 * sb) - compression.scale_bytes(1, 8 * sb)


PER_CHANNEL_BYTES = Exercise(
    id="advquant.per_channel_bytes",
    title="Extra scales for per-channel weights",
    prompt="A convolution with {c_out} output channels has symmetric weights. It changes from one scale to "
    "one scale per output channel, {sb} bytes each. How many bytes are added?",
    given={"c_out": 128, "sb": 4},
    draws={"c_out": (8, 16, 32, 64, 128, 256), "sb": (2, 4)},
    answer=_extra_scale_bytes,
    unit="B",
    tolerance=Absolute(0),
    expect=508,
    source="worked by hand: 127 x 4",
    misconceptions=(
        Misconception(
            lambda c_out, sb: c_out * sb,
            "Those are all the scales: one of them was there before.",
        ),
        Misconception(
            lambda c_out, sb: c_out - 1, "Those are scales: how many bytes does each of them take?"
        ),
        Misconception(
            lambda c_out, sb: 2 * (c_out - 1) * sb,
            "You added zero points: symmetric weights have none.",
        ),
    ),
    hints=("How many scales come on top of the first?", "(channels - 1) x bytes per scale."),
    steps=lambda c_out, sb: (
        f"new scales: {c_out} - 1 = {c_out - 1}",
        f"{c_out - 1} x {sb} B = {(c_out - 1) * sb:,} B",
    ),
)

STE = Exercise(
    id="advquant.ste",
    title="Straight-through estimator",
    prompt="In quantization-aware training the loss has the gradient {g} with respect to a fake-quantized "
    "weight of step {S}. The weight lies inside the clipping range. Which gradient does the "
    "straight-through estimator pass to the float weight?",
    given={"g": 3.0, "S": 0.1},
    draws=lambda rng: {"g": rng.int(-100, 100) / 10},
    answer=lambda g, S: g,
    unit="",
    tolerance=Absolute(1e-6),
    expect=3.0,
    source="worked by hand: the estimator is the identity inside the range",
    misconceptions=(
        Misconception(
            lambda g, S: 0.0,
            "That is the true slope of a staircase, and nothing would learn: the estimator replaces it.",
        ),
        Misconception(
            lambda g, S: g * S,
            "You multiplied by the step: rounding divides by S and multiplies by S again, so it cancels.",
        ),
        Misconception(
            lambda g, S: g / S, "You divided by the step: passing straight through means a factor of one."
        ),
    ),
    hints=(
        "What would the estimator be called if it changed the gradient?",
        "Inside the range dL/dw = dL/dq.",
    ),
    steps=lambda g, S: (
        "the estimator takes d round(w / S) / d(w / S) as 1, and S x 1 / S = 1",
        f"{g:g} x 1 = {g:g}",
    ),
)

SMOOTHQUANT = Exercise(
    id="advquant.smoothquant",
    title="SmoothQuant factor",
    prompt="In one channel the largest activation is {ax} and the largest weight {aw}. Which factor does "
    "SmoothQuant divide the activations by at alpha = {alpha}?",
    given={"ax": 8.0, "aw": 0.5, "alpha": 0.5},
    draws={"ax": Log(2.0, 100.0, 2), "aw": Log(0.05, 2.0, 2), "alpha": (0.25, 0.5, 0.75)},
    answer=lambda ax, aw, alpha: ax**alpha / aw ** (1 - alpha),
    unit="",
    tolerance=Absolute(0.005),
    expect=4.0,
    source="worked by hand: sqrt(8) / sqrt(0.5) = sqrt(16); Xiao et al., arXiv 2211.10438, eq. 4",
    misconceptions=(
        Misconception(
            lambda ax, aw, alpha: ax / aw,
            "The exponents are missing: alpha splits the difficulty between the two operands.",
        ),
        Misconception(
            lambda ax, aw, alpha: (ax * aw) ** alpha,
            "You multiplied the two maxima: the weight belongs in the denominator.",
        ),
        Misconception(
            lambda ax, aw, alpha: aw**alpha / ax ** (1 - alpha),
            "Activation and weight are swapped: the outliers sit in the activations.",
        ),
    ),
    hints=(
        "The factor grows with the activations and falls with the weights.",
        "s = max|x|^alpha / max|w|^(1 - alpha).",
    ),
    steps=lambda ax, aw, alpha: (
        f"{ax:g}^{alpha:g} = {ax**alpha:.4f}",
        f"{aw:g}^{1 - alpha:g} = {aw ** (1 - alpha):.4f}",
        f"factor {ax**alpha / aw ** (1 - alpha):.3f}",
    ),
)

INT4_GB = Exercise(
    id="advquant.int4_gb",
    title="A language model at few bits",
    prompt="A model of {params} parameters is stored in {bits} bits per weight. How many GB (10^9 bytes) are "
    "the codes, scales not counted?",
    given={"params": 7_000_000_000, "bits": 4},
    draws={"params": tuple(n * 10**9 for n in (1, 3, 7, 8, 13, 70)), "bits": (2, 3, 4, 8, 16)},
    answer=lambda params, bits: memory.weight_bytes(params, bits) / units.GB,
    unit="GB",
    tolerance=Relative(0.005),
    expect=3.5,
    source="worked by hand: 7e9 x half a byte",
    erratum="2-20",
    misconceptions=(
        Misconception(
            lambda params, bits: params * bits / 8 / units.GIB,
            "That is in GiB: you divided by 2^30. The question asks for GB, 10^9 bytes.",
        ),
        Misconception(
            lambda params, bits: params * bits / 1e9, "That is in gigabits: eight bits make one byte."
        ),
        Misconception(
            lambda params, bits: params / 1e9,
            "That is one byte per weight: which part of a byte does a weight of this width take?",
        ),
    ),
    hints=(
        "How many bytes, or which part of one, does a weight take?",
        "bytes = parameters x bits / 8. Group scales come on top, a few percent.",
    ),
    steps=lambda params, bits: (
        f"{params:,} x {bits} bits / 8 = {params * bits // 8:,} bytes",
        f"{params * bits // 8:,} / 10^9 = {params * bits / 8e9:g} GB",
    ),
)

LEVELS = Exercise(
    id="advquant.levels",
    title="Codes of an unsigned integer",
    prompt="How many distinct codes has an unsigned {b}-bit integer?",
    given={"b": 4},
    draws=lambda rng: {"b": rng.int(1, 8)},
    answer=lambda b: 2**b,
    unit="codes",
    tolerance=Absolute(0),
    expect=16,
    source="worked by hand: 2 x 2 x 2 x 2",
    misconceptions=(
        Misconception(
            lambda b: 2**b - 1, "That is the largest code, or the number of steps: 0 is a code too."
        ),
        Misconception(lambda b: b, "That is the width: each bit doubles the number of codes."),
        Misconception(
            lambda b: 2 ** (b - 1), "That is half of them: an unsigned code keeps no bit for a sign."
        ),
    ),
    hints=("What does one more bit do to the number of codes?", "codes = 2^b."),
    steps=lambda b: ("each bit doubles the count, starting from one code", f"2^{b} = {2**b} codes"),
)

EXERCISES = (PER_CHANNEL_BYTES, STE, SMOOTHQUANT, INT4_GB, LEVELS)
