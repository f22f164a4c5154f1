"""Convolution and pooling in C99: one loop over places and taps, which a row of sizes in flash describes.

Images lie row by row, channels last; a signal is an image of height 1. Places in the margin are passed
over: they hold zeros for a convolution, and nothing at all for a pool. A depthwise filter is one that sees
a single channel.
"""

from math import prod
from string import Template
from typing import Any

from tinylib.deploy.c99_fixed import MAKERS, Functions, rounded
from tinylib.deploy.c99_tables import bend
from tinylib.deploy.c99_unit import Shape, Unit, emit
from tinylib.nets.conv import Conv1D, Conv2D, DepthwiseConv2D, PointwiseConv2D
from tinylib.nets.pool import (
    AvgPool1D,
    AvgPool2D,
    GlobalAvgPool2D,
    GlobalMaxPool2D,
    MaxPool1D,
    MaxPool2D,
)
from tinylib.nets.windows import Geometry, geometry

CONVS = (Conv1D, Conv2D, PointwiseConv2D)
MAXIMA, MEANS = (MaxPool1D, MaxPool2D, GlobalMaxPool2D), (AvgPool1D, AvgPool2D, GlobalAvgPool2D)
PARTS = (*CONVS, DepthwiseConv2D, *MAXIMA, *MEANS)

WINDOW = """/* a window that slides over an image, heights before widths; filters see `deep` channels from
   k / share * deep on */
typedef struct {
    int16_t h, w, c, out_h, out_w, out_c, k_h, k_w, step_h, step_w, wide_h, wide_w, before_h, before_w;
    int16_t deep, share;
} window;"""

PLACES = """    for (i = 0; i < g->out_h; i++)
        for (j = 0; j < g->out_w; j++)
            for (k = 0; k < g->out_c; k++) {
$begin
                for (s = 0; s < g->k_h; s++)
                    for (t = 0; t < g->k_w; t++) {
                        int row = i * g->step_h + s * g->wide_h - g->before_h;
                        int column = j * g->step_w + t * g->wide_w - g->before_w;
                        if (row < 0 || row >= g->h || column < 0 || column >= g->w)
                            continue;
$tap
                    }
$end
            }
}"""


def places(begin: str, tap: str, end: str) -> str:
    """Loops over all outputs and the taps that see data; texts are lines without their indents."""

    def deep(text: str, indent: int) -> str:
        return "\n".join(" " * indent + line for line in text.split("\n"))

    return Template(PLACES).substitute(begin=deep(begin, 16), tap=deep(tap, 24), end=deep(end, 16))


def _sums(ops: Any) -> tuple[str, str, str]:
    """Type of the sum over a window, one term of it, and the code that it becomes."""
    product = "(wide)u[c] * v[c]"
    if ops.accumulation == "wide":
        return "uint64_t", f"(uint64_t)({product})", f"q_fit_sum({rounded(ops, 'sum', 'int64_t')})"
    if ops.overflow == "wrap":
        return "uint32_t", f"(uint32_t)q_round({product})", "q_fit((wide)(int32_t)sum)"
    return "int64_t", f"q_fit(q_round({product}))", "q_fit_sum(sum)"


def _conv(f: Functions) -> str:
    wide, wrap = f.ops.accumulation == "wide", f.ops.overflow == "wrap"
    f.need("window", "q_add", *["q_round"] * (not wide), *["q_fit_sum"] * (wide or not wrap))
    kind, term, code = _sums(f.ops)
    head = (
        "/* y = b[k] + sum over taps and channels of x * w[k] */\n"
        "static void conv(const code *x, const window *g, const code *w, const code *b, code *y)\n{\n"
        "    int i, j, k, s, t, c;\n"
    )
    begin = (
        "const code *filter = w + k * g->k_h * g->k_w * g->deep;\n"
        f"const code *from = x + k / g->share * g->deep;\n{kind} sum = 0;"
    )
    tap = (
        "{\n    const code *u = from + (row * g->w + column) * g->c;\n"
        "    const code *v = filter + (s * g->k_w + t) * g->deep;\n"
        f"    for (c = 0; c < g->deep; c++)\n        sum += {term};\n}}"
    )
    return head + places(begin, tap, f"*y++ = q_add(b[k], {code});")


def _max_pool(f: Functions) -> str:
    f.need("window")
    head = "static void max_pool(const code *x, const window *g, code *y)\n{\n    int i, j, k, s, t;\n"
    tap = (
        "{\n    code v = x[(row * g->w + column) * g->c + k];\n"
        "    if (!seen || v > most)\n        most = v;\n    seen = 1;\n}"
    )
    return head + places("code most = 0;\nint seen = 0;", tap, "*y++ = most;")


def _avg_pool(f: Functions) -> str:
    f.need("window", "q_fit_sum")
    head = (
        "/* means, cut toward zero */\nstatic void avg_pool(const code *x, const window *g, code *y)\n{\n"
        "    int i, j, k, s, t;\n"
    )
    tap = "sum += x[(row * g->w + column) * g->c + k];\nn++;"
    return head + places("int64_t sum = 0;\nint n = 0;", tap, "*y++ = (code)(q_fit_sum(sum) / n);")


MAKERS |= {"window": lambda f: WINDOW, "conv": _conv, "max_pool": _max_pool, "avg_pool": _avg_pool}


def window_sizes(g: Geometry, channels: int, deep: int, share: int) -> list[int]:
    """The numbers of a `window`."""
    places, axes = g.places, len(g.places)
    one, zero = (1,) * (2 - axes), (0,) * (2 - axes)
    pairs = [(*one, *v) for v in (g.kernel, g.stride, g.dilation)] + [(*zero, *g.before)]
    sizes = [*one, *g.sizes, channels, *one, *places, g.out[-1], *(n for pair in pairs for n in pair)]
    if max(sizes) >= 2**15:
        raise ValueError(f"sizes of a window must fit into 16 bits, got {max(sizes)}")
    return [*sizes, deep, share]


def window(to: Unit, name: str, sizes: list[int]) -> str:
    """The sizes of one part as a constant; its address."""
    to.data.append(f"static const window {name}_window = {{{', '.join(map(str, sizes))}}};")
    return f"&{name}_window"


@emit.register(Conv1D)
@emit.register(Conv2D)
@emit.register(PointwiseConv2D)
@emit.register(DepthwiseConv2D)
def _(part: Any, to: Unit, x: str, shape: Shape) -> tuple[str, Shape]:
    g, depthwise = geometry(part.layer, shape), isinstance(part, DepthwiseConv2D)
    name, outputs = to.named("depthwise" if depthwise else "conv"), g.out[-1]
    filters = part.w.transpose(2, 3, 0, 1) if depthwise else part.w
    deep, share = (1, part.w.shape[3]) if depthwise else (shape[-1], outputs)
    to.functions.ask("conv")
    sizes = window(to, name, window_sizes(g, shape[-1], deep, share))
    w = to.array(f"{name}_w", filters.reshape(outputs, -1), "a row for each filter: taps, then channels")
    b = to.array(f"{name}_b", part.b, "biases")
    y = to.out(prod(g.out))
    to.say(f"conv({x}, {sizes}, {w}, {b}, {y});", *bend(to.functions, part.activation, y, prod(g.out)))
    return y, g.out


@emit.register(MaxPool1D)
@emit.register(MaxPool2D)
@emit.register(AvgPool1D)
@emit.register(AvgPool2D)
@emit.register(GlobalAvgPool2D)
@emit.register(GlobalMaxPool2D)
def _(part: Any, to: Unit, x: str, shape: Shape) -> tuple[str, Shape]:
    whole = isinstance(part, (GlobalAvgPool2D, GlobalMaxPool2D))
    g = geometry((MaxPool2D(shape[:2]) if whole else part).layer, shape)
    kind = "avg_pool" if isinstance(part, MEANS) else "max_pool"
    if kind == "avg_pool":
        to.ops.whole(prod(g.kernel))  # as `forward`, which refuses windows that the format cannot count
    to.functions.ask(kind)
    sizes = window(to, to.named(kind), window_sizes(g, shape[-1], 1, 1))
    y = to.out(prod(g.out))
    to.say(f"{kind}({x}, {sizes}, {y});")
    return y, (g.out[-1:] if whole else g.out)
