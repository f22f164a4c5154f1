"""Parts on rows of features in C99: Dense, scale and shift, and layers of one or two bits.

Each kind of part is one function for any size, written once; each part adds its arrays and one call.
"""

from string import Template

import numpy as np

from tinylib.deploy.emit.fixed import MAKERS, Functions
from tinylib.deploy.emit.tables import bend
from tinylib.deploy.emit.text import packed
from tinylib.deploy.emit.unit import Shape, Unit, emit
from tinylib.nets.binary import BinaryDense, TernaryDense
from tinylib.nets.dense import Dense
from tinylib.nets.liquid import Affine


def dense(f: Functions) -> str:
    """One row of weights for each output; `start` holds the biases, or sums to go on from."""
    f.need("dot", "q_add")
    return (
        "/* y[k] = start[k] + sum of x[i] * w[k][i]; start may be y */\n"
        "static void dense(const code *x, int n, const code *w, const code *start, int m, code *y)\n{\n"
        "    int k;\n    for (k = 0; k < m; k++, w += n)\n"
        "        y[k] = q_add(start[k], dot(x, w, n, 1));\n}"
    )


def _affine(f: Functions) -> str:
    f.need("q_add", "q_mul")
    return (
        "static void affine(const code *x, int n, const code *scale, const code *shift, code *y)\n{\n"
        "    for (; n > 0; n--)\n        *y++ = q_add(q_mul(*x++, *scale++), *shift++);\n}"
    )


def _add_each(f: Functions) -> str:
    f.need("q_add")
    return (
        "static void add_each(code *y, int n, const code *b)\n{\n"
        "    for (; n > 0; n--, y++)\n        *y = q_add(*y, *b++);\n}"
    )


def _popcount(f: Functions) -> str:
    return """static int popcount(uint32_t v)
{
    int n = 0;
    for (; v != 0; v &= v - 1)
        n++;
    return n;
}"""


def _packed_bits(f: Functions) -> str:
    return """/* `used` bits from bit `at` on: rows lie without gaps */
static uint32_t packed_bits(const uint32_t *w, int at, int used)
{
    int bit = at % 32;
    uint32_t v;
    w += at / 32;
    v = w[0] >> bit;
    if (bit + used > 32)
        v |= w[1] << (32 - bit);
    return used == 32 ? v : v & (((uint32_t)1 << used) - 1);
}"""


def _sign_dense(f: Functions) -> str:
    f.need("q_fit_sum", "packed_bits", "popcount")
    return Template(
        """/* y[k] = agreeing less differing signs of x and row k; signs: room for n bits */
static void sign_dense(const code *x, int n, const uint32_t *w, int m, uint32_t *signs, code *y)
{
    int i, k;
    for (i = 0; i < n; i++) {
        if (i % 32 == 0)
            signs[i / 32] = 0;
        signs[i / 32] |= (uint32_t)(x[i] >= 0) << i % 32;
    }
    for (k = 0; k < m; k++) {
        int32_t differ = 0;
        for (i = 0; i < n; i += 32)
            differ += popcount(packed_bits(w, k * n + i, n - i < 32 ? n - i : 32) ^ signs[i / 32]);
        y[k] = q_fit_sum(((int64_t)n - 2 * differ) * $one);
    }
}"""
    ).substitute(one=f.ops.q.one)


def _trit_dense(f: Functions) -> str:
    f.need("q_fit_sum", *["q_fit"] * (each := f.ops.overflow == "saturate"))
    minus = "q_fit(-(wide)x[i])" if each and f.ops.accumulation == "per_product" else "-(int64_t)x[i]"
    return Template(
        """/* y[k] = sum of x[i] where row k holds 01, less those where it holds 10 */
static void trit_dense(const code *x, int n, const uint32_t *w, int m, code *y)
{
    int i, k, at = 0;
    for (k = 0; k < m; k++) {
        int64_t sum = 0;
        for (i = 0; i < n; i++, at++) {
            uint32_t trit = w[at / 16] >> at % 16 * 2 & 3;
            sum += trit == 1 ? x[i] : trit == 2 ? $minus : 0;
        }
        y[k] = q_fit_sum(sum);
    }
}"""
    ).substitute(minus=minus)


MAKERS |= {
    "dense": dense,
    "affine": _affine,
    "add_each": _add_each,
    "popcount": _popcount,
    "packed_bits": _packed_bits,
    "sign_dense": _sign_dense,
    "trit_dense": _trit_dense,
}


def rows(to: Unit, name: str, w: np.ndarray, note: str) -> str:
    """A matrix (n, m) as an array with one row per output."""
    return to.array(name, np.ascontiguousarray(w.T), note)


@emit.register
def _(part: Dense, to: Unit, x: str, shape: Shape) -> tuple[str, Shape]:
    (n, m), name = part.w.shape, to.named("dense")
    to.functions.ask("dense")
    to.sum_of(n)
    w = rows(to, f"{name}_w", part.w, f"{n} inputs to {m} outputs: a row for each output")
    b = to.array(f"{name}_b", part.b, "biases")
    y = to.out(m)
    to.say(f"dense({x}, {n}, {w}, {b}, {m}, {y});", *bend(to.functions, part.activation, y, m))
    return y, (m,)


@emit.register
def _(part: Affine, to: Unit, x: str, shape: Shape) -> tuple[str, Shape]:
    n, name = part.scale.size, to.named("affine")
    to.functions.ask("affine")
    scale, shift = to.array(f"{name}_scale", part.scale, ""), to.array(f"{name}_shift", part.shift, "")
    y = to.out(n)
    to.say(f"affine({x}, {n}, {scale}, {shift}, {y});")
    return y, (n,)


@emit.register(BinaryDense)
@emit.register(TernaryDense)
def _(part: BinaryDense | TernaryDense, to: Unit, x: str, shape: Shape) -> tuple[str, Shape]:
    (n, m), held = part.w.shape, part.packed(to.ops)
    binary = part.bits == 1
    name = to.named("binary" if binary else "ternary")
    to.sum_of(n)
    note = f"{n} inputs to {m} outputs, {part.bits} bit each, without gaps: " + (
        "1 is +1, 0 is -1" if binary else "01 is +1, 10 is -1"
    )
    to.data.append(packed(f"{name}_w", held.words, note))
    y = to.out(m)
    if binary:
        to.functions.ask("sign_dense")
        signs = to.scratch_words((n + 31) // 32)
        to.say(f"sign_dense({x}, {n}, {name}_w, {m}, {signs}, {y});")
    else:
        to.functions.ask("trit_dense")
        to.say(f"trit_dense({x}, {n}, {name}_w, {m}, {y});")
    b = to.array(f"{name}_b", part.b, "biases")
    if held.alpha is not None:
        if held.alpha.max() > to.ops.q.max_raw:
            raise ValueError(
                f"alpha must be a code of {to.ops.q}: weights lie at its end, got {held.alpha.max()}"
            )
        to.functions.ask("affine")
        alpha = to.array(f"{name}_alpha", held.alpha, "factors of the outputs")
        to.say(f"affine({y}, {m}, {alpha}, {b}, {y});")
    else:
        to.functions.ask("add_each")
        to.say(f"add_each({y}, {m}, {b});")
    to.say(*bend(to.functions, part.activation, y, m))
    return y, (m,)
