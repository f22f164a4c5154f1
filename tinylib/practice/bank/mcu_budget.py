"""Chapter "W MCU budget": shortcuts, in-place layers, patches with halo, and what a part leaves over."""

from tinylib import units
from tinylib.cost import Add, Conv2D, DepthwiseConv2D, Model, Node, memory, models, planning, roofline
from tinylib.practice.draws import Log, Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative


def _side_and_channels(low: int, high: int):
    def draw(rng: Rng) -> dict:
        return {"h": rng.int(low, high), "c": rng.int(8, 64)}

    return draw


def _residual(h: int, c: int, t: int) -> int:
    """Bytes alive in an addition of t - 1 maps: a chain of layers whose outputs all wait for it."""
    layer = DepthwiseConv2D(c, 1)
    names = [f"branch{i}" for i in range(t - 1)]
    nodes = [Node(name, layer, ("input",)) for name in names]
    model = Model("residual", (h, h, c), (*nodes, Node("add", Add(), tuple(names))))
    return memory.weight_bytes(memory.timeline(model)[-1].elements)


RESIDUAL_PEAK = Exercise(
    id="mcu.residual_peak",
    title="Residual addition",
    prompt="A residual addition reads two maps of {h} x {h} x {c} INT8 values, one byte each, and writes a "
    "third beside them: {t} tensors. How many bytes are alive?",
    given={"h": 32, "c": 16, "t": 3},
    draws=_side_and_channels(8, 96),
    answer=_residual,
    unit="B",
    tolerance=Absolute(0),
    expect=49_152,
    source="worked by hand: 3 x 16,384",
    erratum="4-10",
    misconceptions=(
        Misconception(
            lambda h, c, t: 2 * h * h * c, "That is one input and the output: the shortcut is alive as well."
        ),
        Misconception(
            lambda h, c, t: h * h * c, "That is one tensor: both inputs wait while the sum is written."
        ),
    ),
    hints=("Which tensors does the addition touch?", "3 x h x h x c."),
    steps=lambda h, c, t: (
        f"one map: {h} x {h} x {c} = {h * h * c:,} bytes",
        f"{t} of them: {t * h * h * c:,} bytes",
        "summed in place, over one of its inputs, it would take two",
    ),
)

INPLACE_DW = Exercise(
    id="mcu.inplace_dw",
    title="In-place depthwise",
    prompt="A depthwise convolution with stride 1 works in place on {h} x {h} maps of {c} channels in "
    "INT8, one byte a value: finished channels overwrite the input, and one spare channel is buffered. "
    "How many bytes does it take?",
    given={"h": 56, "c": 64},
    draws=_side_and_channels(14, 112),
    answer=lambda h, c: planning.inplace_depthwise_elements(DepthwiseConv2D(c, 3, padding="same"), (h, h, c)),
    unit="B",
    tolerance=Absolute(0),
    expect=203_840,
    source="worked by hand: 200,704 + 3,136",
    erratum="2-26",
    misconceptions=(
        Misconception(
            lambda h, c: 2 * h * h * c,
            "Those are two whole maps: channels do not mix, so an output may go where its input was.",
        ),
        Misconception(
            lambda h, c: h * h * c,
            "The spare is missing: a channel is read while its output is made, so one is buffered.",
        ),
        Misconception(
            lambda h, c: h * h * c + 3 * h,
            "That buffers three rows: this scheme keeps a whole channel aside.",
        ),
    ),
    hints=("One map, and how much beside it?", "h x h x c + h x h."),
    steps=lambda h, c: (
        f"map: {h} x {h} x {c} = {h * h * c:,} bytes",
        f"spare channel: {h} x {h} = {h * h:,} bytes",
        f"together {h * h * (c + 1):,} bytes instead of {2 * h * h * c:,}",
    ),
)


def _tile(rng: Rng) -> dict:
    return {"o": rng.int(4, 56), "k": rng.choice((3, 5)), "n": rng.int(1, 6)}


PATCH_HALO = Exercise(
    id="mcu.patch_halo",
    title="Halo of stacked convolutions",
    prompt="A tile of {o} x {o} px is wanted after {n} stacked {k}x{k} convolutions with stride 1, far "
    "from the border. How many px wide is the input that it needs?",
    given={"o": 14, "k": 3, "n": 2},
    draws=_tile,
    answer=lambda o, k, n: planning.needed_side([Conv2D(1, 1, k)] * n, o),
    unit="px",
    tolerance=Absolute(0),
    expect=18,
    source="worked by hand: 14 + 2 = 16, 16 + 2 = 18",
    erratum="2-24",
    misconceptions=(
        Misconception(lambda o, k, n: o + k - 1, "That is one layer: every layer reads k - 1 px more."),
        Misconception(lambda o, k, n: o, "That has no halo: the outermost outputs read beyond the tile."),
        Misconception(
            lambda o, k, n: o + n * k,
            "You added k a layer: the centre tap lies inside already, k - 1 are new.",
        ),
    ),
    hints=("How wide an input does one layer need for o outputs?", "o + n x (k - 1)."),
    steps=lambda o, k, n: (
        f"each layer adds {k} - 1 = {k - 1} px",
        f"{o} + {n} x {k - 1} = {o + n * (k - 1)} px",
    ),
)


def _overhead(m: int, p: int, k: int) -> float:
    """Percent of extra MACs: p x p tiles of the first layer's output against its whole map."""
    return 100 * ((p * planning.needed_side([Conv2D(1, 1, k)], m // p) / m) ** 2 - 1)


PATCH_OVERHEAD = Exercise(
    id="mcu.patch_overhead",
    title="Recomputation cost of the halo",
    prompt="Two {k}x{k} convolutions with stride 1 and maps of {m} x {m} are computed in {p} x {p} "
    "patches of the final map. Treating every patch as an interior one, how many percent more MACs does "
    "the first layer cost than without patches? (one decimal)",
    given={"m": 56, "p": 2, "k": 3},
    draws={"m": (28, 56, 112), "p": (2, 4, 7)},
    answer=_overhead,
    unit="%",
    tolerance=Absolute(0.5),
    expect=14.795918367346928,
    source="worked by hand: (60 / 56)^2 = 1.14796",
    erratum="2-25",
    misconceptions=(
        Misconception(
            lambda m, p, k: 100 * p * (k - 1) / m, "That is one axis: the halo widens height and width alike."
        ),
        Misconception(
            lambda m, p, k: 100 * ((m / p + k - 1) / m) ** 2,
            "That is one patch's share of the map: take all patches, then what exceeds the whole.",
        ),
    ),
    hints=(
        "How many px of the first layer's output does one patch need, per side?",
        "100 x ((p x (m / p + k - 1) / m)^2 - 1).",
    ),
    steps=lambda m, p, k: (
        f"a patch of {m // p} px needs {m // p} + {k - 1} = {m // p + k - 1} px of the first output",
        f"{p} of them: {p * (m // p + k - 1)} px a side instead of {m}",
        f"({p * (m // p + k - 1)} / {m})^2 - 1 = {_overhead(m, p, k):.1f} %",
    ),
)

FLASH_LEFT_NANO = Exercise(
    id="mcu.flash_left_nano",
    title="What is left on a 1 MiB part",
    prompt="A chip has {f} bytes of flash; the weights of a model take {w} bytes. "
    "How many bytes remain for program, runtime and radio stack?",
    given={"f": 1_048_576, "w": 1_000_000},
    draws={"f": (524_288, 1_048_576, 2_097_152), "w": Log(100_000, 2_000_000, 2)},
    accept=lambda f, w: w < f,
    answer=lambda f, w: f - memory.weight_bytes(w),
    unit="B",
    tolerance=Absolute(0),
    expect=48_576,
    source="worked by hand: 2^20 - 10^6",
    erratum="2-21",
    misconceptions=(
        Misconception(
            lambda f, w: f - w / units.KB * units.KIB,
            "You took the weights' KB as KiB: they are given in bytes, nothing to multiply by 1.024.",
        ),
        Misconception(
            lambda f, w: 0,
            "That is an exact fit: flash comes in powers of two, the weights do not. Subtract.",
        ),
        Misconception(lambda f, w: 256 * units.KIB, "That is an SRAM of 256 KiB: the weights lie in flash."),
    ),
    hints=("Both numbers are in bytes.", "flash - weights."),
    steps=lambda f, w: (
        f"{f:,} - {w:,} = {f - w:,} bytes",
        "code, runtime and a radio stack must go into that",
    ),
)

ROOFLINE_M7 = Exercise(
    id="mcu.roofline_m7",
    title="Ridge of an M7 with dual MAC",
    prompt="A core at {f} Hz does {m} MAC a cycle and reads {b} B a cycle. "
    "From how many MAC per byte on is arithmetic the limit, not memory?",
    given={"f": 216_000_000, "m": 2, "b": 4},
    draws={"m": (0.25, 1, 2, 8), "b": (1, 2, 4, 8)},
    answer=lambda f, m, b: roofline.ridge_point(m * f, b * f),
    unit="MAC/B",
    tolerance=Relative(0.01),
    expect=0.5,
    source="worked by hand: 432e6 MAC/s over 864e6 B/s",
    misconceptions=(
        Misconception(
            lambda f, m, b: m * f / 1e6 / b,
            "The clock is left in: both rates are per cycle, so it cancels.",
        ),
        Misconception(lambda f, m, b: b / m, "Upside down: the unit must come out as MAC per byte."),
        Misconception(lambda f, m, b: 2 * m / b, "That is FLOP per byte: count a multiply-accumulate once."),
    ),
    hints=("Set the time for arithmetic equal to the time for memory.", "MAC a cycle / bytes a cycle."),
    steps=lambda f, m, b: (
        f"{m * f:,.0f} MAC/s over {b * f:,} B/s",
        f"the clock cancels: {m} / {b} = {m / b:g} MAC/B",
    ),
)

DS_CNN_PARAMS = 22_604  # the keyword network of the question below, batch norm folded
CLOCKS = (48, 64, 80, 133, 168, 216, 480)

DSP_LATENCY = Exercise(
    id="mcu.dsp_latency",
    title="DS-CNN lower bound on an M4",
    prompt="A keyword network (DS-CNN) costs {n} MAC an inference. On a core at {f} Hz with {m} MAC a "
    "cycle, how many ms does it take at least?",
    given={"n": 2_656_768, "f": 80_000_000, "m": 1},
    draws={"f": tuple(clock * 10**6 for clock in CLOCKS), "m": (0.1, 0.5, 1, 2)},
    answer=lambda n, f, m: 1000 * n / (f * m),
    unit="ms",
    tolerance=Relative(0.005),
    expect=33.2096,
    source="worked by hand: 2,656,768 cycles of 12.5 ns",
    misconceptions=(
        Misconception(lambda n, f, m: n / f, "That is in seconds: the question asks for milliseconds."),
        Misconception(
            lambda n, f, m: 2000 * n / (f * m), "You counted FLOPs: the core is rated in MACs a cycle."
        ),
        Misconception(
            lambda n, f, m: 1000 * DS_CNN_PARAMS / f,
            "That is one cycle for each of its 22,604 parameters: weights are used many times.",
        ),
    ),
    hints=("How many cycles is that?", "1000 x MAC / (clock x MAC a cycle)."),
    steps=lambda n, f, m: (
        f"{n:,} / {m} = {n / m:,.0f} cycles",
        f"/ {f / 1e6:g} MHz = {1000 * n / (f * m):.2f} ms",
    ),
)


def _pair_peak(h: int, ci: int, co: int) -> int:
    stack = [Conv2D(3, ci, 3, stride=2, padding="same"), Conv2D(ci, co, 3, padding="same")]
    return memory.peak_activation_bytes(models.sequential("two layers", (2 * h, 2 * h, 3), stack))


REFERENCE_PEAK = Exercise(
    id="mcu.reference_peak",
    title="A wide early tensor pair",
    prompt="An RGB image is halved by a stride-2 convolution to {h} x {h} with {ci} channels; the next layer "
    "keeps {h} x {h} and has {co}. Values are INT8, one byte each. "
    "What is the largest input plus output of one layer, in bytes?",
    given={"h": 48, "ci": 8, "co": 16},
    draws={"h": (24, 40, 48, 56)},
    answer=_pair_peak,
    unit="B",
    tolerance=Absolute(0),
    expect=55_296,
    source="worked by hand: 2,304 x 24; the first layer has 27,648 + 18,432",
    erratum="4-11",
    misconceptions=(
        Misconception(
            lambda h, ci, co: (2 * h) ** 2 * 3 + h * h * ci,
            "That is the first layer: work out the next one as well and take the larger.",
        ),
        Misconception(
            lambda h, ci, co: h * h * co,
            "That is an output alone: its input is read until the layer is done.",
        ),
    ),
    hints=(
        "Add input and output for each of the two layers.",
        "max(3 x (2h)^2 + ci x h^2, (ci + co) x h^2).",
    ),
    steps=lambda h, ci, co: (
        f"first: {2 * h} x {2 * h} x 3 + {h} x {h} x {ci} = {12 * h * h + ci * h * h:,} bytes",
        f"second: {h} x {h} x ({ci} + {co}) = {h * h * (ci + co):,} bytes",
        f"the larger is {_pair_peak(h, ci, co):,} bytes",
    ),
)

EXERCISES = (
    RESIDUAL_PEAK,
    INPLACE_DW,
    PATCH_HALO,
    PATCH_OVERHEAD,
    FLASH_LEFT_NANO,
    ROOFLINE_M7,
    DSP_LATENCY,
    REFERENCE_PEAK,
)
