"""The int8 CfC cell in C99: one step in integers, two tables of 256 bytes, every sum in 32 bits."""

from string import Template

import numpy as np

from tinylib.deploy.emit.int8 import shiftable
from tinylib.deploy.emit.text import array
from tinylib.nets.int8_cfc import Int8CfC

TYPES = "typedef char needs_arithmetic_shift[(-1 >> 1) == -1 ? 1 : -1];"

CLAMP = """static code clamp(int64_t v, int low, int high)
{
    return (code)(v < low ? low : v > high ? high : v);
}"""

DOUBLE = """/* v * raw * 2^-(31 + shift): the high half to the nearest, then the shift, ties away from zero */
static int64_t scaled(int64_t v, int32_t raw, int shift)
{
    if (shift < 0) {
        v *= (int64_t)1 << -shift;
        v = v < -2147483647 - 1 ? -2147483647 - 1 : v > 2147483647 ? 2147483647 : v;
    }
    v = (v * raw + 1073741824) >> 31;
    v = v > 2147483647 ? 2147483647 : v;
    if (shift > 0)
        v = (v + ((int64_t)1 << (shift - 1)) - (v < 0)) >> shift;
    return v;
}"""

DOT = """static int32_t dot(const int8_t *x, const int8_t *w, int n)
{
    int32_t sum = 0;
    int i;
    for (i = 0; i < n; i++)
        sum += x[i] * w[i];
    return sum;
}"""

STEP = """/* scales of sums: m[2 i] * 2^-(31 + m[2 i + 1]), i = input, state, f, g, a, e, gate */
static int64_t term(int64_t sum, int i)
{
    return scaled(sum, scales[2 * i], (int)scales[2 * i + 1]);
}

static int8_t look_up(const int8_t *table, int64_t sum)
{
    return table[clamp(sum, -128, 127) + 128];
}

void ${name}_step(${name}_state *s, const ${name}_code *x, ${name}_code *y)
{
    int8_t q[$k];
    int i;
    for (i = 0; i < $k; i++) {
        int64_t sum = term(input_zero[i] + dot(x, w_in + i * $n, $n), 0);
        q[i] = look_up(tanh_table, sum + term(dot(s->h, w_rec + i * $m, $m), 1) + b[i]);
    }
    for (i = 0; i < $m; i++) {
        const int8_t *w = w_heads + 4 * i * $k;
        int f = look_up(tanh_table, term(dot(q, w, $k), 2) + b_heads[3 * i]);
        int g = look_up(tanh_table, term(dot(q, w + $k, $k), 3) + b_heads[3 * i + 1]);
        int64_t a = term(dot(q, w + 2 * $k, $k), 4);
        int t = look_up(sigmoid_table, a + term(dot(q, w + 3 * $k, $k), 5) + b_heads[3 * i + 2]);
        s->h[i] = clamp(term((128 - t) * f, 6) + term((t + 128) * g, 6), $low, $high);
    }
    for (i = 0; i < $m; i++)
        y[i] = s->h[i];
}

void ${name}_start(${name}_state *s)
{
    int i;
    for (i = 0; i < $m; i++)
        s->h[i] = 0;
}"""


def program(cell: Int8CfC, name: str) -> list[str]:
    """The source of one cell, without its head."""
    (n, k), m = cell.w_in.shape, len(cell.w_rec)
    s_in, s_rec, *s_heads = cell.scales
    heads = cell.w_heads.reshape(k, 4, m).transpose(2, 1, 0)  # (m, 4, k): all rows of a neuron together
    means = heads * np.array(s_heads)[None, :, None]
    biases = cell.b_heads.reshape(3, m).T
    zero = -cell.source.zero_point * cell.w_in.sum(0, dtype=np.int64)
    tanh, sigmoid = cell.tables
    numbers = np.array([cell.multipliers[key] for key in cell.multipliers])
    shiftable(numbers[:, 1].tolist(), -31, 63)
    L = cell.sums.scale
    data = [
        array("int8_t", "w_in", cell.w_in.T, cell.w_in.T * s_in, "a row for each backbone feature"),
        array("int8_t", "w_rec", cell.w_rec.T, cell.w_rec.T * s_rec, "a row for each backbone feature"),
        array("int32_t", "b", cell.b, cell.b * L, "biases of the backbone"),
        array("int32_t", "input_zero", zero, note="minus the zero point of x times the sum of each row"),
        array("int8_t", "w_heads", heads.reshape(4 * m, k), means.reshape(4 * m, k), "f, g, a, e by neuron"),
        array("int32_t", "b_heads", biases, biases * L, "f, g, time by neuron"),
        array("int32_t", "scales", numbers, note="raw and shift: input, state, f, g, a, e, gate"),
        array("int8_t", "tanh_table", tanh.table, note="tanh of the codes from -128 to 127"),
        array("int8_t", "sigmoid_table", sigmoid.table, note="sigmoid of the codes from -128 to 127"),
    ]
    low, high = cell.state.codes
    step = Template(STEP).substitute(name=name, n=n, k=k, m=m, low=low, high=high)
    return [f"typedef {name}_code code;", TYPES, "", CLAMP, DOUBLE, *data, DOT, step]
