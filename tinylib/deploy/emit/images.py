"""Convolution and pooling in C99: one loop over places and taps, which a row of sizes in flash describes.

Images lie row by row, channels last; a signal is an image of height 1. Places in the margin are passed
over: they hold zeros for a convolution, and nothing at all for a pool. Which taps of a window see data is
found once for a place and all its outputs, so that nothing is asked within a sum. Taps and channels that
lie one behind the other are one row; a depthwise filter sees a single channel, so its row has gaps; only a
dilated filter on several channels goes through them one by one.
"""

from math import prod
from string import Template
from typing import Any

from tinylib.deploy.emit.fixed import MAKERS, Functions, rounded
from tinylib.deploy.emit.tables import bend
from tinylib.deploy.emit.unit import Shape, Unit, emit
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

WINDOW = """/* a window that slides over an image, heights before widths; filters go through `deep` planes
   of channels, and after `share` of them begin at the next channel */
typedef struct {
    int16_t h, w, c, out_h, out_w, out_c, k_h, k_w, step_h, step_w, wide_h, wide_w, before_h, before_w;
    int16_t deep, share;
} window;"""

SEEN = """/* along one axis: n taps from `first` on see data, from place `at` on */
typedef struct {
    int first, at, n;
} span;

static span seen(int at, int gap, int taps, int size)
{
    span all = {0, 0, 0}, none = all;
    for (; taps > 0 && at < 0; at += gap, taps--)
        all.first++;
    while (taps > 0 && at + (taps - 1) * gap >= size)
        taps--;
    all.at = at;
    all.n = taps;
    return taps > 0 ? all : none;
}"""

PLACES = """    int step = g->wide_w * g->c, line = g->wide_h * g->w * g->c, i, j, k, s, t;
    for (i = 0; i < g->out_h; i++) {
        span down = seen(i * g->step_h - g->before_h, g->wide_h, g->k_h, g->h);
        for (j = 0; j < g->out_w; j++) {
            span across = seen(j * g->step_w - g->before_w, g->wide_w, g->k_w, g->w);
            const code *from = x + (down.at * g->w + across.at) * g->c;
$begin            for (k = 0; k < g->out_c; k++) {
$body
            }
        }
    }
}"""

FILTER = """$start
$rows
$end
if (--left == 0) {
    left = g->share;
    from++;
}"""

ROWS = """for (s = 0; s < down.n; s++) {
    const code *u = $from + s * line;
    const $kind *v = filter + first + s * row;
    if (step == 1)
        for (t = 0; t < across.n; t++)
            sum += $near;
    else
        for (t = 0; t < across.n; t++)
            sum += $far;
}
filter += taps;"""

POOL = """$start
for (s = 0; s < down.n; s++) {
    const code *u = from + k + s * line;
    int at = 0;
    for (t = 0; t < across.n; t++, at += step)
        $tap
}
$end"""


def _deep(text: str, indent: int) -> str:
    return "\n".join(" " * indent + line for line in text.split("\n"))


def places(body: str, begin: str = "", **texts: str) -> str:
    """Loops over all outputs; what `begin` says comes before those of one place."""
    body, begin = _deep(Template(body).substitute(texts), 16), _deep(begin, 12) + "\n" if begin else ""
    return Template(PLACES).substitute(body=body, begin=begin)


def filtered(kind: str, start: str, term: str, end: str, planes: bool = False) -> str:
    """Loops of a convolution with weights w of a kind: `term` tells what to add for a code {u} and v[t]."""
    begin = (
        f"const {kind} *filter = w;\n"
        f"int left = g->share, row = g->k_w, taps = g->k_h * row{', d' * planes};\n"
        "int first = down.first * row + across.first;"
    )
    near, far = term.format(u="u[t]"), term.format(u="u[t * step]")
    source = "from + d" if planes else "from"
    rows = Template(ROWS).substitute({"kind": kind, "near": near, "far": far, "from": source})
    if planes:
        rows = f"for (d = 0; d < g->deep; d++) {{\n{_deep(rows, 4)}\n}}"
    return places(FILTER, begin, start=start, rows=rows, end=end)


def _sums(ops: Any) -> tuple[str, str, str]:
    """Type of the sum over a window, one term of it, and the code that it becomes."""
    product = "(wide){u} * v[t]"
    if ops.accumulation == "wide":
        return "uint64_t", f"(uint64_t)({product})", f"q_fit_sum({rounded(ops, 'sum', 'int64_t')})"
    if ops.overflow == "wrap":
        return "uint32_t", f"(uint32_t)q_round({product})", "q_fit((wide)(int32_t)sum)"
    return "int64_t", f"q_fit(q_round({product}))", "q_fit_sum(sum)"


def _conv(f: Functions, planes: bool = False) -> str:
    wide, wrap = f.ops.accumulation == "wide", f.ops.overflow == "wrap"
    f.need("window", "seen", "q_add", *["q_round"] * (not wide), *["q_fit_sum"] * (wide or not wrap))
    kind, term, code = _sums(f.ops)
    head = (
        "/* y = b[k] + sum over taps and channels of x * w[k] */\n"
        f"static void {'planes' if planes else 'conv'}"
        "(const code *x, const window *g, const code *w, const code *b, code *y)\n{\n"
    )
    return head + filtered("code", f"{kind} sum = 0;", term, f"*y++ = q_add(b[k], {code});", planes)


def _max_pool(f: Functions) -> str:
    f.need("window", "seen")
    head = "static void max_pool(const code *x, const window *g, code *y)\n{\n"
    start, tap = "code most = 0;", "most = (s | t) == 0 || u[at] > most ? u[at] : most;"
    return head + places(POOL, start=start, tap=tap, end="*y++ = most;")


def _avg_pool(f: Functions) -> str:
    f.need("window", "seen", "q_fit_sum")
    head = "/* means, cut toward zero */\nstatic void avg_pool(const code *x, const window *g, code *y)\n{\n"
    end = "*y++ = (code)(q_fit_sum(sum) / (down.n * across.n));"
    return head + places(POOL, start="int64_t sum = 0;", tap="sum += u[at];", end=end)


MAKERS |= {"window": lambda f: WINDOW, "seen": lambda f: SEEN, "max_pool": _max_pool, "avg_pool": _avg_pool}
MAKERS |= {"conv": _conv, "planes": lambda f: _conv(f, planes=True)}


def window_sizes(g: Geometry, channels: int, deep: int, share: int) -> list[int]:
    """The numbers of a `window`; taps and channels that lie one behind the other become one row of taps."""
    places, axes = g.places, len(g.places)
    merged = channels if deep == channels and g.dilation[-1] == 1 else 1
    merged = merged if g.sizes[-1] * merged < 2**15 else 1
    one, zero = (1,) * (2 - axes), (0,) * (2 - axes)

    def wide(values: Shape) -> list[int]:
        return [*values[:-1], values[-1] * merged]

    sizes = [*one, *wide(g.sizes), channels // merged, *one, *places, g.out[-1]]
    sizes += [*one, *wide(g.kernel), *one, *wide(g.stride), *one, *g.dilation, *zero, *wide(g.before)]
    if max(sizes) >= 2**15:
        raise ValueError(f"sizes of a window must fit into 16 bits, got {max(sizes)}")
    return [*sizes, deep // merged, share]


def ordered(filters: Any, sizes: list[int]) -> Any:
    """Filters (outputs, taps * channels) in the order in which a window of these sizes reads them."""
    return filters.reshape(len(filters), -1, sizes[-2]).swapaxes(1, 2).reshape(len(filters), -1)


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
    numbers = window_sizes(g, shape[-1], deep, share)
    sizes, filters = window(to, name, numbers), ordered(filters.reshape(outputs, -1), numbers)
    call = "planes" if numbers[-2] > 1 else "conv"
    to.functions.ask(call)
    w = to.array(f"{name}_w", filters, "a row for each filter")
    b = to.array(f"{name}_b", part.b, "biases")
    y = to.out(prod(g.out))
    to.say(f"{call}({x}, {sizes}, {w}, {b}, {y});", *bend(to.functions, part.activation, y, prod(g.out)))
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
