"""int8 networks in C99: the layers of `Int8Network`, requantized by the rule of a runtime.

Tensors lie in one room; each takes the first place that is free while it is needed. `double` and `single`
are the two roundings of `nets.int8_ops`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import singledispatch
from math import prod
from typing import Any

import numpy as np

from tinylib.cost.layers import Shape
from tinylib.deploy.emit.images import POOL, SEEN, WINDOW, filtered, ordered, places, window_sizes
from tinylib.deploy.emit.text import array
from tinylib.formats.affine import multiplier
from tinylib.nets.int8 import Int8Network
from tinylib.nets.int8_layers import Int8Conv2D, Int8Dense, Int8DepthwiseConv2D, ends
from tinylib.nets.int8_ops import HIGH, LOW, multipliers
from tinylib.nets.int8_pool import (
    Int8Add,
    Int8AvgPool2D,
    Int8Flatten,
    Int8MaxPool2D,
    Int8Mean,
    Int8Table,
)
from tinylib.nets.windows import geometry

CLAMP = """static int clamp(int32_t v, int low, int high)
{
    return v < low ? low : v > high ? high : (int)v;
}"""

RAISED = """/* v * 2^up, held at the ends of 32 bits */
static int32_t raised(int32_t v, int up)
{
    int32_t most = 2147483647 >> up;
    if (v > most)
        return 2147483647;
    return v < -most - 1 ? -2147483647 - 1 : (int32_t)((uint32_t)v << up);
}"""

DOUBLE = """/* v * raw * 2^-(31 + shift): the high half to the nearest, then the shift, ties away from zero */
static int32_t scaled(int32_t v, int32_t raw, int shift)
{
    if (shift < 0)
        v = raised(v, -shift);
    v = (int32_t)(((int64_t)v * raw + 1073741824) >> 31);
    return shift > 0 ? (((v - (v < 0)) >> (shift - 1)) + 1) >> 1 : v;
}"""

SINGLE = """/* v * raw * 2^-(31 + shift) to the nearest, ties upwards, held at the ends of 30 bits */
static int32_t scaled_once(int32_t v, int32_t raw, int shift)
{
    if (shift < 1) {
        v = raised(v, 1 - shift);
        shift = 1;
    }
    return (((int32_t)(((int64_t)v * raw) >> 31) >> (shift - 1)) + 1) >> 1;
}"""

SCALED = {"double": "scaled", "single": "scaled_once"}

FILTERS = """/* weights, biases and scales of a layer; zero points; ends of its codes, from zero_out on */
typedef struct {
    window g;
    const int8_t *w;
    const int32_t *b, *raw;
    const int8_t *shift;
    int16_t zero_in, zero_out, low, high;
} filters;"""


def _conv(rule: str, planes: bool = False) -> str:
    head = (
        "/* y = (b + sum of (x - zero) * w) * scale + zero */\n"
        f"static void {'planes' if planes else 'conv'}_{rule}(const code *x, const filters *l, code *y)\n{{\n"
        "    const window *g = &l->g;\n    const int8_t *w = l->w;\n    int zero = l->zero_in;\n"
    )
    end = (
        f"sum = {SCALED[rule]}(sum, l->raw[k], l->shift[k]);\n"
        "*y++ = (code)(clamp(sum, l->low, l->high) + l->zero_out);"
    )
    return head + filtered("int8_t", "int32_t sum = l->b[k];", "({u} - zero) * v[t]", end, planes)


def _mean(rule: str) -> str:
    return f"""/* means over all n places of c channels */
static void mean_{rule}(const code *x, int n, int c, const int32_t *q, code *y)
{{
    int i, k; /* q: raw, shift, minus n times the zero point, zero point of y */
    for (k = 0; k < c; k++) {{
        int32_t sum = q[2];
        for (i = 0; i < n; i++)
            sum += x[i * c + k];
        sum = {SCALED[rule]}(sum, q[0], (int)q[1]);
        y[k] = (code)(clamp(sum, -128 - (int)q[3], 127 - (int)q[3]) + q[3]);
    }}
}}"""


def _pool(kind: str) -> str:
    head = f"static void {kind}(const code *x, const window *g, int low, int high, code *y)\n{{\n"
    if kind == "max_pool":
        tap, end = "most = u[at] > most ? u[at] : most;", "*y++ = (code)clamp(most, low, high);"
        return head + places(POOL, start="int most = -128;", tap=tap, end=end)
    end = "sum = sum < 0 ? -((n / 2 - sum) / n) : (sum + n / 2) / n;\n*y++ = (code)clamp(sum, low, high);"
    start = "int32_t sum = 0;"
    return head + places(POOL, "int n = down.n * across.n;", start=start, tap="sum += u[at];", end=end)


ADD_DOUBLE = """static void add_double(const code *a, const code *b, int n, const int32_t *q, code *y)
{
    for (; n > 0; n--) { /* q: zero, raw, shift of a, of b, of y; ends */
        int32_t sum = scaled((*a++ - q[0]) * 1048576, q[1], (int)q[2]);
        sum += scaled((*b++ - q[3]) * 1048576, q[4], (int)q[5]);
        sum = scaled(sum, q[7], (int)q[8]);
        *y++ = (code)(clamp(sum, (int)(q[9] - q[6]), (int)(q[10] - q[6])) + q[6]);
    }
}"""

ADD_SINGLE = """static void add_single(const code *a, const code *b, int n, const int32_t *q, code *y)
{
    for (; n > 0; n--) { /* q: zero and factor of a, of b, zero and shift of y; ends */
        int64_t sum = ((int64_t)*a++ - q[0]) * q[1] + ((int64_t)*b++ - q[2]) * q[3];
        sum = (sum + ((int64_t)1 << (q[5] - 1))) >> q[5];
        *y++ = (code)clamp((int32_t)sum + q[4], (int)q[6], (int)q[7]);
    }
}"""

LOOK_UP = """static void look_up(const code *x, int n, const int8_t *table, code *y)
{
    for (; n > 0; n--)
        *y++ = table[*x++ + 128];
}"""

TEXTS: dict[str, tuple[str, tuple[str, ...]]] = {  # text and what it needs
    "clamp": (CLAMP, ()),
    "raised": (RAISED, ()),
    "scaled": (DOUBLE, ("raised",)),
    "scaled_once": (SINGLE, ("raised",)),
    "window": (WINDOW, ()),
    "seen": (SEEN, ("window",)),
    "filters": (FILTERS, ("seen",)),
    **{f"conv_{r}": (_conv(r), ("filters", "clamp", SCALED[r])) for r in SCALED},
    **{f"planes_{r}": (_conv(r, planes=True), ("filters", "clamp", SCALED[r])) for r in SCALED},
    **{f"mean_{r}": (_mean(r), ("clamp", SCALED[r])) for r in SCALED},
    **{kind: (_pool(kind), ("seen", "clamp")) for kind in ("max_pool", "avg_pool")},
    "add_double": (ADD_DOUBLE, ("clamp", "scaled")),
    "add_single": (ADD_SINGLE, ("clamp",)),
    "look_up": (LOOK_UP, ()),
}


@dataclass
class Int8Unit:
    """One C file of an int8 network while it is written."""

    texts: dict[str, str] = field(default_factory=dict)
    data: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)

    def need(self, *names: str) -> None:
        """Functions and types by name; what they need comes before them."""
        for name in names:
            text, needs = TEXTS[name]
            self.need(*needs)
            self.texts.setdefault(name, text)

    def array(self, kind: str, name: str, codes: Any, means: Any = None, note: str = "") -> str:
        """A constant array; its name."""
        self.data.append(array(kind, name, np.asarray(codes), means, note))
        return name


def written(network: Int8Network, shape: Shape, runtime: str) -> tuple[Int8Unit, Shape]:
    """Functions, arrays and calls for a sample of a shape, and the shape of the output."""
    to, shapes, at = Int8Unit(), {"input": shape}, {"input": "x"}
    last = {name: i for i, step in enumerate(network.steps) for name in step.reads}
    room: dict[str, tuple[int, int]] = {}  # tensors alive: where they begin and end
    size = 0
    for i, step in enumerate(network.steps):
        layer, reads = step.layer, [at[name] for name in step.reads]
        out = out_shape(layer, shapes[step.reads[0]])
        shapes[step.makes] = out
        if isinstance(layer, Int8Flatten) and i < len(network.steps) - 1:
            at[step.makes], source = reads[0], step.reads[0]
            if source in room:
                room[step.makes] = room[source]
        elif i == len(network.steps) - 1:
            at[step.makes] = "y"
        else:
            begin = _free(sorted(room.values()), prod(out))
            room[step.makes] = begin, begin + prod(out)
            at[step.makes], size = f"room + {begin}", max(size, begin + prod(out))
        if at[step.makes] != reads[0]:
            call = _emit_int8(layer, to, f"layer_{i + 1}", shapes[step.reads[0]], layer.rules[runtime])
            to.body.append(call(*reads, at[step.makes]))
        room = {name: place for name, place in room.items() if last.get(name, -1) > i}
    to.data += [f"static code room[{size}]; /* tensors between the layers */"] * bool(size)
    return to, out


def _free(taken: list[tuple[int, int]], size: int) -> int:
    """Where `size` codes find the first free place."""
    begin = 0
    for first, end in taken:
        if begin + size <= first:
            break
        begin = max(begin, end)
    return begin


def out_shape(layer: Any, shape: Shape) -> Shape:
    """Shape of the output of a layer for an input of a shape."""
    if isinstance(layer, Int8Flatten):
        return (prod(shape),)
    if isinstance(layer, (Int8Table, Int8Add)):
        return shape
    if isinstance(layer, Int8Dense):
        return (layer.matrix.shape[1],)
    if isinstance(layer, Int8Mean):
        return shape[-1:]
    if layer.layer is None:
        raise TypeError(f"a layer must have a C form, got {type(layer).__name__}: it needs real exponentials")
    return layer.layer.out_shape(shape)


def shiftable(shifts: Any, low: int, high: int) -> None:
    """Raise unless a word of C may be moved by each of some shifts."""
    if not low <= min(shifts) <= max(shifts) <= high:
        raise ValueError(
            f"scales of a layer must lie nearer together: C moves a sum by {low} to {high} bits, got "
            f"{', '.join(map(str, shifts))}"
        )


@singledispatch
def _emit_int8(layer: Any, to: Int8Unit, name: str, shape: Shape, rule: str) -> Callable[..., str]:
    """Write the arrays of one layer; what returned writes its call, from its inputs and its output."""
    raise TypeError(f"a layer must have a C form, got {type(layer).__name__}")


@_emit_int8.register(Int8Dense)
@_emit_int8.register(Int8Conv2D)
@_emit_int8.register(Int8DepthwiseConv2D)
def _(layer: Any, to: Int8Unit, name: str, shape: Shape, rule: str) -> Callable[..., str]:
    n_in, n_out = layer.matrix.shape
    if isinstance(layer, Int8Dense):
        sizes = [1, n_in, 1, 1, 1, n_out, 1, n_in, *(1,) * 4, 0, 0, 1, n_out]
    else:
        depthwise = isinstance(layer, Int8DepthwiseConv2D)
        deep, share = (1, layer.weights.shape[3]) if depthwise else (shape[-1], n_out)
        sizes = window_sizes(geometry(layer.layer, shape), shape[-1], deep, share)
    if max(sizes) >= 2**15:
        raise ValueError(f"sizes of a layer must fit into 16 bits, got {max(sizes)}")
    raw, shift = (
        np.broadcast_to(v, (n_out,))
        for v in multipliers(layer.source.scale, layer.scales, layer.target.scale)
    )
    scales = np.broadcast_to(np.asarray(layer.scales), (n_out,))
    call = f"planes_{rule}" if sizes[-2] > 1 else f"conv_{rule}"
    to.need(call)
    matrix = ordered(layer.matrix.T, sizes)
    w = to.array("int8_t", f"{name}_w", matrix, matrix * scales[:, None], "a row for each output")
    b = to.array("int32_t", f"{name}_b", layer.bias, layer.bias * layer.source.scale * scales, "biases")
    r = to.array("int32_t", f"{name}_raw", raw, note="scale = raw * 2^-(31 + shift)")
    s = to.array("int8_t", f"{name}_shift", shift)
    low, high = (end - layer.target.zero_point for end in ends(layer.activation, layer.target))
    numbers = f"{layer.source.zero_point}, {layer.target.zero_point}, {low}, {high}"
    window = ", ".join(map(str, sizes))
    to.data.append(
        f"static const filters {name} = {{\n    {{{window}}},\n    {w}, {b}, {r}, {s}, {numbers}\n}};"
    )
    return lambda x, y: f"{call}({x}, &{name}, {y});"


@_emit_int8.register(Int8MaxPool2D)
@_emit_int8.register(Int8AvgPool2D)
def _(layer: Any, to: Int8Unit, name: str, shape: Shape, rule: str) -> Callable[..., str]:
    kind = "max_pool" if isinstance(layer, Int8MaxPool2D) else "avg_pool"
    to.need(kind)
    sizes = ", ".join(map(str, window_sizes(geometry(layer.layer, shape), shape[-1], 1, 1)))
    to.data.append(f"static const window {name} = {{{sizes}}};")
    low, high = ends(layer.activation, layer.target)
    return lambda x, y: f"{kind}({x}, &{name}, {low}, {high}, {y});"


@_emit_int8.register
def _(layer: Int8Mean, to: Int8Unit, name: str, shape: Shape, rule: str) -> Callable[..., str]:
    to.need(f"mean_{rule}")
    n = shape[0] * shape[1]
    raw, shift = multiplier(layer.source.scale, 1.0, layer.target.scale)
    more = n.bit_length() - 1  # room for a division by n
    numbers = [(raw << more) // n, shift + more, -n * layer.source.zero_point, layer.target.zero_point]
    q = to.array("int32_t", name, numbers, note="raw, shift, minus n zero points, zero point of y")
    return lambda x, y: f"mean_{rule}({x}, {n}, {shape[-1]}, {q}, {y});"


@_emit_int8.register
def _(layer: Int8Table, to: Int8Unit, name: str, shape: Shape, rule: str) -> Callable[..., str]:
    to.need("look_up")
    table = to.array("int8_t", name, layer.table, note=f"{layer.function} of the codes from {LOW} to {HIGH}")
    return lambda x, y: f"look_up({x}, {prod(shape)}, {table}, {y});"


@_emit_int8.register
def _(layer: Int8Add, to: Int8Unit, name: str, shape: Shape, rule: str) -> Callable[..., str]:
    to.need(f"add_{rule}")
    target, span = layer.target, ends(layer.activation, layer.target)
    if rule == "single":
        ratios = [s.scale / target.scale for s in layer.sources]
        shift = 21 - int(np.frexp(max(ratios))[1])
        shiftable([shift], 1, 62)
        each = [v for s, r in zip(layer.sources, ratios) for v in (s.zero_point, round(r * 2.0**shift))]
        numbers = [*each, target.zero_point, shift, *span]
    else:
        twice = 2 * max(s.scale for s in layer.sources)
        each = [v for s in layer.sources for v in (s.zero_point, *multiplier(1.0, s.scale, twice))]
        numbers = [*each, target.zero_point, *multiplier(1.0, twice, target.scale * 2**20), *span]
        shiftable(numbers[2:9:3], -30, 31)
    q = to.array("int32_t", name, numbers)
    return lambda a, b, y: f"add_{rule}({a}, {b}, {prod(shape)}, {q}, {y});"


@_emit_int8.register
def _(layer: Int8Flatten, to: Int8Unit, name: str, shape: Shape, rule: str) -> Callable[..., str]:
    to.texts.setdefault(
        "copy",
        "static void copy(const code *x, int n, code *y)\n{\n    for (; n > 0; n--)\n        *y++ = *x++;\n}",
    )
    return lambda x, y: f"copy({x}, {prod(shape)}, {y});"
