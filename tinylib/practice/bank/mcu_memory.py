"""Chapter "8 MCU memory": buffers, tiles and flash on a microcontroller, in bytes and KiB."""

from tinylib import units
from tinylib.cost import Conv2D, DepthwiseConv2D, memory, planning
from tinylib.practice.draws import Log, Rng, Same
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative

TWO_BUFFER = Exercise(
    id="mcu.two_buffer",
    title="Input plus output of one layer",
    prompt="A layer turns {ci} channels into {co}; input and output are {h} x {w} maps with {b} B a value. "
    "How many KiB (1 KiB = 1024 bytes) of SRAM do the two buffers take?",
    given={"ci": 32, "co": 64, "h": 56, "w": 56, "b": 1},
    draws={
        "ci": (8, 16, 32, 64),
        "co": (16, 32, 64, 128),
        "h": (14, 28, 48, 56),
        "w": Same("h"),
        "b": (1, 2, 4),
    },
    answer=lambda ci, co, h, w, b: memory.weight_bytes((ci + co) * h * w, 8 * b) / units.KIB,
    unit="KiB",
    tolerance=Relative(0.005),
    expect=294.0,
    source="worked by hand: 96 x 3,136 / 1,024",
    erratum="2-27",
    misconceptions=(
        Misconception(
            lambda ci, co, h, w, b: co * h * w * b / units.KIB,
            "That is the output alone: the input is read until the layer is done.",
        ),
        Misconception(
            lambda ci, co, h, w, b: max(ci, co) * h * w * b / units.KB,
            "That is the larger map alone, in KB of 1000 bytes: take both maps, in KiB of 1024.",
        ),
        Misconception(
            lambda ci, co, h, w, b: (ci + co) * h * w * b / units.KB,
            "That is in KB, 1000 bytes: a KiB is 1024 bytes.",
        ),
        Misconception(
            lambda ci, co, h, w, b: ci * h * w * b / units.KIB,
            "That is the input alone: the output needs a place while it is made.",
        ),
    ),
    hints=("Which tensors exist while the layer runs?", "(ci + co) x h x w x bytes / 1024."),
    steps=lambda ci, co, h, w, b: (
        f"({ci} + {co}) x {h} x {w} = {(ci + co) * h * w:,} values",
        f"x {b} B = {(ci + co) * h * w * b:,} bytes",
        f"/ 1,024 = {(ci + co) * h * w * b / 1024:,.2f} KiB",
    ),
)


def _patches(rng: Rng) -> dict:
    return {"p": rng.int(2, 8)}


PATCH_FACTOR = Exercise(
    id="mcu.patch_factor",
    title="Patch-based inference, ideal factor",
    prompt="A feature map is computed in {p} x {p} patches, one at a time. By which factor does the tiled "
    "map's buffer shrink, if the halo that neighbours share is ignored?",
    given={"p": 4},
    draws=_patches,
    answer=lambda p: p**2,
    unit="x",
    tolerance=Absolute(0),
    expect=16,
    source="worked by hand: 4 x 4 patches",
    erratum="2-24",
    misconceptions=(
        Misconception(lambda p: p, "That is one axis: patches divide height and width."),
        Misconception(lambda p: 2 * p, "You added the axes: the parts of an area multiply."),
    ),
    hints=("How many patches are there?", "p x p."),
    steps=lambda p: (
        f"{p} x {p} = {p * p} patches, one in memory at a time: {p * p}x",
        "the halo makes real patches larger, and only the patched stage shrinks",
    ),
)

IM2COL = Exercise(
    id="mcu.im2col",
    title="im2col buffer",
    prompt="im2col copies, for every output position, all inputs under the {k}x{k} kernel into one row. With "
    "{ci} input channels and an output of {h} x {w}, how many values has the full matrix?",
    given={"k": 3, "ci": 32, "h": 14, "w": 14},
    draws={"k": (1, 3, 5), "ci": (8, 16, 32, 64), "h": (7, 14, 28), "w": Same("h")},
    answer=lambda k, ci, h, w: planning.im2col_elements(Conv2D(ci, 1, k, padding="same"), (h, w, ci)),
    unit="values",
    tolerance=Absolute(0),
    expect=56_448,
    source="worked by hand: 288 values x 196 positions",
    misconceptions=(
        Misconception(
            lambda k, ci, h, w: ci * h * w, "That is the plain map: each pixel is copied once per kernel tap."
        ),
        Misconception(lambda k, ci, h, w: k * ci * h * w, "The kernel is used once: it has k x k taps."),
        Misconception(
            lambda k, ci, h, w: k * k * h * w, "That is one channel: a row holds all input channels."
        ),
    ),
    hints=("How long is one row of the matrix, and how many rows are there?", "k x k x ci x h x w."),
    steps=lambda k, ci, h, w: (
        f"one row: {k} x {k} x {ci} = {k * k * ci:,} values",
        f"{h} x {w} = {h * w:,} rows: {k * k * ci * h * w:,} values",
    ),
)

FLASH_WEIGHTS = Exercise(
    id="mcu.flash_weights",
    title="Flash for INT8 weights",
    prompt="A model has {params} weights, each stored in {b} B. "
    "How many KiB (1 KiB = 1024 bytes) of flash do they take?",
    given={"params": 1_000_000, "b": 1},
    draws={"params": Log(10_000, 5_000_000, 2), "b": (0.5, 1, 2, 4)},
    answer=lambda params, b: memory.weight_bytes(params, round(8 * b)) / units.KIB,
    unit="KiB",
    tolerance=Relative(0.005),
    expect=976.5625,
    source="worked by hand: 1,000,000 / 1,024",
    misconceptions=(
        Misconception(
            lambda params, b: params * b / units.KB, "That is in KB, 1000 bytes: a KiB is 1024 bytes."
        ),
        Misconception(
            lambda params, b: params * 4 / units.KIB,
            "That is four bytes a weight, as in FP32: use the width given.",
        ),
        Misconception(
            lambda params, b: params / 8 / units.KIB, "That is one bit a weight: the width is given in bytes."
        ),
    ),
    hints=("First the bytes, then divide by 1024.", "params x bytes / 1024."),
    steps=lambda params, b: (
        f"{params:,} x {b} B = {params * b:,.0f} bytes",
        f"{params * b:,.0f} / 1,024 = {params * b / 1024:,.2f} KiB",
    ),
)


def _rows(k: int, w: int, c: int, b: int) -> int:
    """Bytes of the k input rows that one output row of a depthwise layer reads."""
    layer = DepthwiseConv2D(c, k, padding="same")
    return memory.weight_bytes(planning.row_tile_elements(layer, (w, w, c)), 8 * b)


ROW_TILE = Exercise(
    id="mcu.row_tile",
    title="Row-wise depthwise working set",
    prompt="A {k}x{k} depthwise convolution runs row by row over a {w} x {w} map of {c} channels, {b} B a "
    "value. How many KiB (1 KiB = 1024 bytes) do the {k} input rows take that it reads at once?",
    given={"k": 3, "w": 56, "c": 64, "b": 1},
    draws={"k": (3, 5, 7), "w": (14, 28, 56, 112), "c": (8, 16, 32, 64)},
    answer=lambda **given: _rows(**given) / units.KIB,
    unit="KiB",
    tolerance=Relative(0.005),
    expect=10.5,
    source="worked by hand: 3 x 56 x 64 / 1,024",
    erratum="2-27",
    misconceptions=(
        Misconception(
            lambda k, w, c, b: w * w * c * b / units.KIB,
            "That is the whole map: one output row reads no more than k input rows.",
        ),
        Misconception(
            lambda k, w, c, b: k * k * c * b / units.KIB,
            "That is one window: a row is as wide as the map.",
        ),
        Misconception(
            lambda k, w, c, b: k * w * c * b / units.KB, "That is in KB, 1000 bytes: a KiB is 1024 bytes."
        ),
    ),
    hints=("How many values has one row, over all channels?", "k x w x c x bytes / 1024."),
    steps=lambda k, w, c, b: (
        f"one row: {w} x {c} = {w * c:,} values",
        f"{k} rows x {b} B = {k * w * c * b:,} bytes",
        f"/ 1,024 = {k * w * c * b / 1024:,.2f} KiB",
    ),
)

EXERCISES = (TWO_BUFFER, PATCH_FACTOR, IM2COL, FLASH_WEIGHTS, ROW_TILE)
