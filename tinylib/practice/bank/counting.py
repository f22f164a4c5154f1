"""Chapter "Counting": parameters and multiply-accumulates of dense, convolutional and separable layers."""

from tinylib.cost import Conv2D, Dense, DepthwiseConv2D, PointwiseConv2D
from tinylib.practice.draws import Same
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative

LINEAR_PARAMS = Exercise(
    id="counting.linear_params",
    title="Fully connected layer with bias",
    prompt="A fully connected layer maps {n_in} inputs to {n_out} outputs, with bias. "
    "How many trainable parameters has it?",
    given={"n_in": 512, "n_out": 256},
    draws={
        "n_in": (10, 16, 32, 64, 128, 256, 512, 640, 784),
        "n_out": (2, 8, 10, 12, 64, 128, 256),
    },
    answer=lambda n_in, n_out: Dense(n_in, n_out).params,
    unit="parameters",
    tolerance=Absolute(0),
    expect=131_328,
    source="worked by hand: 512 x 256 + 256",
    misconceptions=(
        Misconception(lambda n_in, n_out: n_in * n_out, "The bias is missing: one more number per output."),
        Misconception(
            lambda n_in, n_out: n_in * n_out + n_in,
            "That is one bias per input: a bias belongs to an output.",
        ),
        Misconception(
            lambda n_in, n_out: n_in * n_out + 1,
            "That is one bias for the whole layer: each output has its own.",
        ),
    ),
    hints=("Each output is a weighted sum of all inputs, plus an offset.", "n_in x n_out + n_out."),
    steps=lambda n_in, n_out: (
        f"weights: {n_in:,} x {n_out:,} = {n_in * n_out:,}",
        f"biases: {n_out:,}",
        f"together {n_in * n_out + n_out:,} parameters",
    ),
)

CONV_PARAMS = Exercise(
    id="counting.conv_params",
    title="Square convolution with bias",
    prompt="A {k}x{k} convolution maps {c_in} to {c_out} channels, with bias. "
    "How many trainable parameters has it?",
    given={"k": 3, "c_in": 32, "c_out": 64},
    draws={"k": (1, 3, 5, 7), "c_in": (1, 3, 8, 16, 32, 64), "c_out": (8, 16, 32, 64, 128)},
    answer=lambda k, c_in, c_out: Conv2D(c_in, c_out, kernel_size=k).params,
    unit="parameters",
    tolerance=Absolute(0),
    expect=18_496,
    source="worked by hand: 3 x 3 x 32 x 64 + 64",
    misconceptions=(
        Misconception(
            lambda k, c_in, c_out: k * k * c_in * c_out,
            "The bias is missing: one more number per output channel.",
        ),
        Misconception(
            lambda k, c_in, c_out: k * c_in * c_out + c_out,
            "The kernel is used once: it has a height and a width, k x k taps.",
        ),
        Misconception(
            lambda k, c_in, c_out: k * k * c_out + c_out,
            "That is a depthwise layer: here every filter looks at all input channels.",
        ),
        Misconception(
            lambda k, c_in, c_out: (k * k * c_in + c_in) * c_out,
            "That is a bias for every pair of channels: one per filter is enough.",
        ),
    ),
    hints=(
        "How many numbers does one filter hold, over all its input channels?",
        "k x k x c_in x c_out + c_out.",
    ),
    steps=lambda k, c_in, c_out: (
        f"one filter: {k} x {k} x {c_in} = {k * k * c_in:,} weights and 1 bias",
        f"{c_out} filters: {c_out} x {k * k * c_in + 1:,} = {c_out * (k * k * c_in + 1):,} parameters",
    ),
)


def _conv_macs(k: int, c_in: int, c_out: int, h: int, w: int) -> int:
    return Conv2D(c_in, c_out, kernel_size=k, padding="same").macs((h, w, c_in))


CONV_MACS = Exercise(
    id="counting.conv_macs",
    title="Work of a convolution",
    prompt="A {k}x{k} convolution maps {c_in} to {c_out} channels; its output is {h} x {w}. "
    "How many million multiply-accumulates (MMAC) does one inference cost?",
    given={"k": 3, "c_in": 32, "c_out": 64, "h": 28, "w": 28},
    draws={
        "k": (1, 3, 5),
        "c_in": (3, 8, 16, 32, 64),
        "c_out": (8, 16, 32, 64, 128),
        "h": (7, 14, 28, 56),
        "w": Same("h"),
    },
    answer=lambda **given: _conv_macs(**given) / 1e6,
    unit="MMAC",
    tolerance=Relative(0.001),
    expect=14.450688,
    source="worked by hand: 3 x 3 x 32 x 64 x 28 x 28",
    misconceptions=(
        Misconception(
            lambda **given: 2 * _conv_macs(**given) / 1e6,
            "That is the FLOP count: one MAC is a multiply and an add, counted once here.",
        ),
        Misconception(
            lambda k, c_in, c_out, h, w: k * c_in * c_out * h * w / 1e6,
            "The kernel is used once: it has k x k taps.",
        ),
        Misconception(
            lambda k, c_in, c_out, h, w: k * k * c_in * c_out / 1e6,
            "Those are the weights. Each weight works once per output position.",
        ),
        Misconception(
            lambda k, c_in, c_out, h, w: (k * k * c_in + 1) * c_out * h * w / 1e6,
            "The bias is in it: a bias is an add, not a multiply-accumulate.",
        ),
    ),
    hints=("How often does one weight work?", "MACs = k x k x c_in x c_out x h x w."),
    steps=lambda k, c_in, c_out, h, w: (
        f"weights: {k} x {k} x {c_in} x {c_out} = {k * k * c_in * c_out:,}",
        f"each works at {h} x {w} = {h * w:,} output positions",
        f"{k * k * c_in * c_out:,} x {h * w:,} = {k * k * c_in * c_out * h * w:,} MAC",
    ),
)


def _separable_ratio(k: int, c_in: int, c_out: int) -> float:
    """Weights are used once per output position in both, so the ratio of MACs is that of weights."""
    separable = DepthwiseConv2D(c_in, kernel_size=k).weights + PointwiseConv2D(c_in, c_out).weights
    return Conv2D(c_in, c_out, kernel_size=k).weights / separable


DWS_RATIO = Exercise(
    id="counting.dws_ratio",
    title="Saving of a depthwise-separable block",
    prompt="A {k}x{k} convolution from {c_in} to {c_out} channels is replaced by a depthwise {k}x{k} and a "
    "pointwise 1x1 convolution. By which factor do the MACs fall? (one decimal)",
    given={"k": 3, "c_in": 32, "c_out": 64},
    draws={"k": (3, 5, 7), "c_in": (16, 32, 64, 128), "c_out": (16, 32, 64, 128, 256)},
    answer=_separable_ratio,
    unit="x",
    tolerance=Absolute(0.05),
    expect=7.890410958904109,
    source="worked by hand: 18,432 / (288 + 2,048)",
    erratum="2-3",
    misconceptions=(
        Misconception(
            lambda k, c_in, c_out: k * k,
            "That is K^2 alone, the limit for many output channels: the pointwise half is not free.",
        ),
        Misconception(
            lambda k, c_in, c_out: c_out,
            "That keeps only the depthwise half: add the pointwise MACs before you divide.",
        ),
        Misconception(
            lambda k, c_in, c_out: 1 / (1 / c_out + 1 / k), "The kernel is used once: it has k x k taps."
        ),
        Misconception(
            lambda k, c_in, c_out: c_out * k * k / (c_out + k),
            "K stands where K^2 belongs in the denominator: look at the depthwise term again.",
        ),
    ),
    hints=(
        "Count weights per output position: k x k x c_in x c_out against two smaller terms.",
        "k^2 c_in c_out / (k^2 c_in + c_in c_out).",
    ),
    steps=lambda k, c_in, c_out: (
        f"standard: {k * k * c_in * c_out:,} MACs per output position",
        f"separable: {k * k * c_in:,} depthwise + {c_in * c_out:,} pointwise",
        f"ratio {k * k * c_in * c_out / (k * k * c_in + c_in * c_out):.2f}",
    ),
)

FFN_MACS = Exercise(
    id="counting.ffn_macs",
    title="First projection of a transformer FFN",
    prompt="The first projection of a feed-forward block widens {d} features by a factor of {mult}, without "
    "bias. How many MACs does one token cost there?",
    given={"d": 512, "mult": 4},
    draws={"d": (64, 128, 256, 512, 768, 1024, 4096), "mult": (2, 3, 4)},
    answer=lambda d, mult: Dense(d, mult * d, bias=False).macs((d,)),
    unit="MAC",
    tolerance=Absolute(0),
    expect=1_048_576,
    source="worked by hand: 512 x 2048",
    misconceptions=(
        Misconception(lambda d, mult: 2 * mult * d * d, "Those are FLOPs: the question asks for MACs."),
        Misconception(
            lambda d, mult: mult * d * d + mult * d, "There is no bias here, and a bias would be no MAC."
        ),
        Misconception(lambda d, mult: d * mult, "That is the number of outputs: each of them needs d MACs."),
        Misconception(
            lambda d, mult: mult * d * mult * d, "You widened both sides: only the output is widened."
        ),
    ),
    hints=("How many outputs are there, and how many inputs does each read?", "MACs = d x (mult x d)."),
    steps=lambda d, mult: (
        f"outputs: {mult} x {d} = {mult * d:,}",
        f"{d:,} inputs x {mult * d:,} outputs = {d * mult * d:,} MAC",
    ),
)

EXERCISES = (LINEAR_PARAMS, CONV_PARAMS, CONV_MACS, DWS_RATIO, FFN_MACS)
