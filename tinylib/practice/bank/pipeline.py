"""Chapter "D Signal pipeline": frames and windows of a signal, bytes of a small trainable pipeline."""

from tinylib.cost import (
    Conv1D,
    Conv2D,
    DepthwiseConv2D,
    MaxPool1D,
    MaxPool2D,
    PointwiseConv2D,
    memory,
    models,
)
from tinylib.practice.draws import Log, Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception

CONV1D_OUT_LEN = Exercise(
    id="conv1d.out_len",
    title="Output length",
    prompt="A 1-D convolution with {k} taps and stride {s} runs over {n} samples without padding. "
    "How many samples does it write?",
    given={"n": 100, "k": 5, "s": 2},
    draws={"n": Log(16, 1024, 2), "k": (3, 5, 7, 9, 11), "s": (1, 2, 3, 4)},
    answer=lambda n, k, s: Conv1D(1, 1, k, stride=s).out_shape((n, 1))[0],
    unit="samples",
    tolerance=Absolute(0),
    expect=48,
    source="worked by hand: windows start at 0, 2, ..., 94",
    misconceptions=(
        Misconception(
            lambda n, k, s: n // s,
            "The kernel is left out: the last windows must still lie inside the signal.",
        ),
        Misconception(lambda n, k, s: (n - k) // s, "Those are the moves: the first place counts as well."),
        Misconception(lambda n, k, s: n - k + 1, "That is stride 1: the kernel skips places here."),
    ),
    hints=("Where may the first window start, and where the last?", "floor((n - k) / s) + 1."),
    steps=lambda n, k, s: (
        f"the last start is at most {n:,} - {k} = {n - k:,}",
        f"moves of {s}: {(n - k) // s:,}, and the first place: {(n - k) // s + 1:,} samples",
    ),
)

CONV1D_BYTES = Exercise(
    id="conv1d.bytes",
    title="Trainable Conv1D in double",
    prompt="A 1-D convolution on one channel has {f} filters of {k} taps, each with a bias. Weights and "
    "biases are kept with their gradients, {b} B a value. How many bytes is that?",
    given={"k": 5, "f": 8, "b": 8},
    draws={"k": (3, 5, 7), "f": Log(1, 32, 2), "b": (1, 2, 4, 8)},
    answer=lambda k, f, b: 2 * memory.weight_bytes(Conv1D(1, f, k).params, 8 * b),
    unit="B",
    tolerance=Absolute(0),
    expect=768,
    source="worked by hand: 48 values and 48 gradients of 8 bytes",
    misconceptions=(
        Misconception(
            lambda k, f, b: (k * f + f) * b,
            "The gradients are missing: while it trains, every value has one beside it.",
        ),
        Misconception(lambda k, f, b: 2 * k * f * b, "The biases are missing: one per filter."),
        Misconception(
            lambda k, f, b: 2 * (k * f + f) * 2, "That is two bytes a value, as in Q8.8: use the width given."
        ),
    ),
    hints=("How many values are trained?", "2 x (k x f + f) x bytes."),
    steps=lambda k, f, b: (
        f"values: {k} x {f} + {f} = {k * f + f}",
        f"with gradients: {2 * (k * f + f)}",
        f"x {b} B = {2 * (k * f + f) * b:,} bytes",
    ),
)


def _signal(rng: Rng) -> dict:
    p = rng.choice((2, 4))
    n = rng.log(8, 512, 2)
    return {"n": n, "p": p, "c": rng.int(1, 16), "b": rng.choice((1, 2, 4, 8))}


POOL_ARGMAX_BYTES = Exercise(
    id="pool.argmax_bytes",
    title="Argmax memory of max pooling",
    prompt="Max pooling by {p} over {n} samples of {c} channels keeps, for the backward pass, one index "
    "of {b} B for each output. How many bytes do the indices take?",
    given={"n": 96, "p": 2, "c": 4, "b": 8},
    draws=_signal,
    accept=lambda n, p, c, b: n % p == 0,
    answer=lambda n, p, c, b: MaxPool1D(p).out_shape((n, c))[0] * c * b,
    unit="B",
    tolerance=Absolute(0),
    expect=1536.0,
    source="worked by hand: 48 x 4 indices of 8 bytes",
    erratum="0-7",
    misconceptions=(
        Misconception(
            lambda n, p, c, b: n * c * b, "That is one index per input: only the winners are remembered."
        ),
        Misconception(
            lambda n, p, c, b: n / p * c * 4,
            "That is a 32-bit index: its width is that of the machine, and given here.",
        ),
        Misconception(lambda n, p, c, b: n / p * b, "That is one channel: each has winners of its own."),
    ),
    hints=("How many outputs are there, over all channels?", "n / p x c x bytes."),
    steps=lambda n, p, c, b: (
        f"outputs: {n} / {p} x {c} = {n // p * c:,}",
        f"x {b} B = {n // p * c * b:,} bytes",
    ),
)


def _separable(rng: Rng) -> dict:
    return {"c": rng.int(4, 64), "o": rng.log(4, 128, 2), "k": rng.choice((3, 5))}


SEP_BYTES = Exercise(
    id="sep.bytes",
    title="Depthwise plus pointwise in float, trainable",
    prompt="A depthwise {k}x{k} convolution on {c} channels is followed by a pointwise one to {o} "
    "channels, both with bias. All weights and biases are kept with their gradients, {b} B a value. How "
    "many bytes is that?",
    given={"c": 8, "o": 16, "k": 3, "b": 4},
    draws=_separable,
    answer=lambda c, o, k, b: 2 * b * (DepthwiseConv2D(c, k).params + PointwiseConv2D(c, o).params),
    unit="B",
    tolerance=Absolute(0),
    expect=1792,
    source="worked by hand: (80 + 144) values and as many gradients of 4 bytes",
    misconceptions=(
        Misconception(
            lambda c, o, k, b: b * ((k * k * c + c) + (c * o + o)),
            "The gradients are missing: while it trains, every value has one beside it.",
        ),
        Misconception(
            lambda c, o, k, b: 2 * b * (k * k * c * o + o),
            "That is a standard convolution: here k x k taps and the mixing of channels are apart.",
        ),
        Misconception(
            lambda c, o, k, b: 2 * b * (k * k * c + c * o),
            "The biases are missing: one per channel of either layer's output.",
        ),
    ),
    hints=("Count the two layers apart, each with its biases.", "2 x bytes x (k k c + c + c o + o)."),
    steps=lambda c, o, k, b: (
        f"depthwise: {k} x {k} x {c} + {c} = {k * k * c + c:,}",
        f"pointwise: {c} x {o} + {o} = {c * o + o:,}",
        f"2 x {b} B x {k * k * c + c + c * o + o:,} = {2 * b * (k * k * c + c + c * o + o):,} bytes",
    ),
)


def _image(rng: Rng) -> dict:
    return {"h": rng.int(10, 64), "c": rng.int(4, 32), "b": rng.choice((1, 2, 4))}


def _pool_is_the_peak(h: int, c: int, b: int) -> bool:
    """With few channels the one-channel image and the first map can be the larger pair."""
    return (h // 2) ** 2 * c > (h + 2) ** 2


def _peak(h: int, c: int, b: int) -> int:
    model = models.sequential("pipeline", (h + 2, h + 2, 1), [Conv2D(1, c, 3), MaxPool2D(2)])
    return memory.peak_activation_bytes(model, 8 * b)


PEAK_IN_OUT = Exercise(
    id="pipe.peak_in_out",
    title="Peak activation by the in-plus-out rule",
    prompt="A 3x3 convolution without padding writes {c} maps of {h} x {h} from a one-channel image; 2x2 max "
    "pooling follows, rounding down. At {b} B a value, how many bytes are alive while the pooling runs, "
    "which is the peak?",
    given={"h": 18, "c": 8, "b": 4},
    draws=_image,
    accept=_pool_is_the_peak,
    answer=_peak,
    unit="B",
    tolerance=Absolute(0),
    expect=12_960,
    source="worked by hand: (2,592 + 648) x 4",
    erratum="0-3",
    misconceptions=(
        Misconception(
            lambda h, c, b: h * h * c * b,
            "That is the input of the pooling alone: its output is alive beside it.",
        ),
        Misconception(
            lambda h, c, b: (h * h * c + (h + 2) ** 2) * b,
            "That is the convolution with its image: input and output of the pooling are larger.",
        ),
    ),
    hints=("Both maps of the pooling, over all channels.", "(h x h + floor(h / 2)^2) x c x bytes."),
    steps=lambda h, c, b: (
        f"before pooling: {h} x {h} x {c} x {b} = {h * h * c * b:,} bytes",
        f"after: {h // 2} x {h // 2} x {c} x {b} = {(h // 2) ** 2 * c * b:,} bytes",
        f"together {(h * h + (h // 2) ** 2) * c * b:,} bytes",
    ),
)

TOTAL_BYTES = Exercise(
    id="pipe.total_bytes",
    title="Weights and state of the 2D pipeline",
    prompt="A trainable image pipeline has a convolution of {a} B, max pooling with indices of {p} B, a "
    "depthwise layer of {d} B, a pointwise layer of {w} B, global pooling, an empty object of {g} B, and "
    "a dense layer of {f} B. How many bytes is that in all?",
    given={"a": 640, "p": 5184, "d": 640, "w": 1152, "g": 1, "f": 1360},
    answer=lambda a, p, d, w, g, f: a + p + d + w + g + f,
    unit="B",
    tolerance=Absolute(0),
    expect=8977,
    source="worked by hand: the six sizes added",
    erratum="0-2",
    misconceptions=(
        Misconception(
            lambda a, p, d, w, g, f: a + p + d + w + f,
            "The empty object is left out: in C++ even that takes a byte.",
        ),
        Misconception(
            lambda a, p, d, w, g, f: a + d + w + g + f,
            "The pooling is left out: its indices are more than half of the whole.",
        ),
    ),
    hints=("Six sizes, none left out.", "a + p + d + w + g + f."),
    steps=lambda a, p, d, w, g, f: (
        f"{a} + {p:,} + {d} + {w:,} + {g} + {f:,} = {a + p + d + w + g + f:,} bytes",
        f"{100 * p / (a + p + d + w + g + f):.0f} % of it are the pooling's indices",
    ),
)

Q88_RATIO = Exercise(
    id="pipe.q88_ratio",
    title="Float to Q8.8",
    prompt="The weights of a pipeline change from {f} B a value in floating point to {q} B in fixed point. "
    "By which factor does their storage shrink?",
    given={"f": 4, "q": 2},
    draws={"f": (4, 8), "q": (1, 2)},
    answer=lambda f, q: f / q,
    unit="x",
    tolerance=Absolute(0),
    expect=2.0,
    source="worked by hand: 4 bytes to 2 bytes, 640 B to 320 B",
    erratum="0-1",
    misconceptions=(
        Misconception(lambda f, q: 8 / q, "That starts from double, eight bytes: look at the width given."),
        Misconception(lambda f, q: 8 * f / q, "That is bits over bytes: take the same unit on both sides."),
    ),
    hints=("Compare one value before and after.", "bytes before / bytes after."),
    steps=lambda f, q: (
        f"each value shrinks from {f} B to {q} B",
        f"{f} / {q} = {f / q:g}x",
    ),
)

FRAMES = Exercise(
    id="audio.frames",
    title="Frames of a keyword clip",
    prompt="A clip of {n} samples is cut into frames of {w} samples, one every {s} samples; only full frames "
    "count. How many frames are there?",
    given={"n": 16_000, "w": 480, "s": 320},
    draws={"n": (8000, 16_000), "w": (320, 400, 480, 640), "s": (160, 320)},
    answer=lambda n, w, s: Conv1D(1, 1, w, stride=s).out_shape((n, 1))[0],
    unit="frames",
    tolerance=Absolute(0),
    expect=49,
    source="worked by hand: 15,520 / 320 = 48.5, so 48 moves and the first frame",
    misconceptions=(
        Misconception(
            lambda n, w, s: n // s, "The frame's length is left out: the last ones would run past the clip."
        ),
        Misconception(lambda n, w, s: (n - w) // s, "Those are the moves: the first frame counts as well."),
        Misconception(
            lambda n, w, s: n // w, "That lays frames end to end: they start one step apart, not one length."
        ),
    ),
    hints=("Where may the last frame start?", "1 + floor((n - w) / s)."),
    steps=lambda n, w, s: (
        f"the last start is at most {n:,} - {w} = {n - w:,}",
        f"moves of {s}: {(n - w) // s}, and the first frame: {(n - w) // s + 1} frames",
    ),
)

EXERCISES = (
    CONV1D_OUT_LEN,
    CONV1D_BYTES,
    POOL_ARGMAX_BYTES,
    SEP_BYTES,
    PEAK_IN_OUT,
    TOTAL_BYTES,
    Q88_RATIO,
    FRAMES,
)
