"""Activations in C99: half a table in flash, read with a straight line between two nodes.

    tanh(-x) = -tanh(x)      sigmoid(-x) = 1 - sigmoid(x)      elu(x) = exp(x) - 1 for x < 0 alone

so 49 nodes of each table hold what the 96 codes of `formats.lut` say, in the smallest unsigned type.
"""

from collections.abc import Callable
from string import Template

import numpy as np

from tinylib.deploy.emit.fixed import MAKERS, Functions
from tinylib.deploy.emit.text import array, literal
from tinylib.formats import lut
from tinylib.nets.arithmetic import SCALED_TANH

NODES = -lut.FIRST * lut.STEPS  # from 0 to 6


def half(function: str, f: Functions) -> np.ndarray:
    """The nodes of a table that are stored (49,): from 0 to 6, for exp from -6 to 0."""
    codes, one = np.array(lut.table(function, f.ops.q)), f.ops.q.one
    if function == "exp":
        return codes[: NODES + 1]
    mirror = {"tanh": 0, "sigmoid": one - 1}[function]  # codes are cut: 1 - sigmoid loses a last bit
    upper = np.append(codes[NODES:], mirror - codes[0])
    assert np.array_equal(codes[1:NODES], (mirror - upper[1:NODES])[::-1])
    return upper


def _bits(largest: int) -> int:
    """Bits of the smallest unsigned type that holds a code."""
    return next(bits for bits in (8, 16, 32) if largest < 2**bits)


def _table(function: str) -> Callable[[Functions], str]:
    def make(f: Functions) -> str:
        codes, start = half(function, f), "-6 + " * (function == "exp")
        bits = _bits(f.ops.q.one - (function != "exp"))
        return array(f"uint{bits}_t", f"{function}_table", codes, note=f"{function}({start}i / 8)")

    return make


def _between(f: Functions) -> str:
    """A straight line between two nodes; see `lut.read` for the shortcut that is kept."""
    lut.table("tanh", f.ops.q)  # refuses a format that has no step of 1/8
    bits = f.ops.q.frac_bits - 3
    kind = "int32_t" if (f.ops.q.one // lut.STEPS + 1) << bits < 2**31 else "wide"  # tanh is the steepest
    rise = f"((({kind})right - left) * ({kind})((uint32_t)x & {(1 << bits) - 1}u) >> {bits})"
    return Template(
        """static code between(code left, code right, code x)
{
    if (x == left || x == right)
        return x; /* the shortcut of small libraries: a value that equals its code */
    return (code)(left + $rise);
}"""
    ).substitute(rise=rise if bits else "0")


def _read(f: Functions) -> str:
    f.need("between")
    q = f.ops.q
    return Template(
        """/* a node of half a table; left of 0 it is -tanh, whose table starts with 0, or $last - sigmoid */
static code node(const uint${bits}_t *half, int i)
{
    return (code)(i < 0 ? (half[0] == 0 ? 0 : $last) - (code)half[-i] : (code)half[i]);
}

static code q_read(const uint${bits}_t *half, code x)
{
    if (x <= -$six)
        return node(half, -$nodes);
    if (x >= $high)
        return node(half, $nodes - 1);
    return between(node(half, (int)(x >> $shift)), node(half, (int)(x >> $shift) + 1), x);
}"""
    ).substitute(
        bits=_bits(q.one - 1),
        last=q.one - 1,
        six=6 * q.one,
        high=6 * q.one - q.one // lut.STEPS,
        nodes=NODES,
        shift=q.frac_bits - 3,
    )


def _exp(f: Functions) -> str:
    f.need("exp_table", "between")
    q = f.ops.q
    return Template(
        """static code q_exp(code x) /* of x < 0 */
{
    const uint${bits}_t *from;
    if (x <= -$six)
        return (code)exp_table[0];
    from = exp_table + ($nodes + (x >> $shift));
    return between((code)from[0], (code)from[1], x);
}"""
    ).substitute(bits=_bits(q.one), six=6 * q.one, nodes=NODES, shift=q.frac_bits - 3)


def _unary(name: str, expression: str, *needs: str) -> Callable[[Functions], str]:
    def make(f: Functions) -> str:
        f.need(*needs)
        ops = f.ops
        numbers = {
            "one": literal(ops.one),
            "gelu": literal(ops.gelu_slope),
            "a": literal(ops.number(SCALED_TANH[0])),
            "b": literal(ops.number(SCALED_TANH[1])),
        }
        body = Template(expression).substitute(numbers)
        return f"static code {name}(code z)\n{{\n    return {body};\n}}"

    return make


_TANH, _SIGMOID = ("tanh_table", "q_read"), ("sigmoid_table", "q_read")
MAKERS |= {
    **{f"{name}_table": _table(name) for name in ("tanh", "sigmoid", "exp")},
    "between": _between,
    "q_read": _read,
    "q_exp": _exp,
    "q_tanh": _unary("q_tanh", "q_read(tanh_table, z)", *_TANH),
    "q_sigmoid": _unary("q_sigmoid", "q_read(sigmoid_table, z)", *_SIGMOID),
    "q_relu": _unary("q_relu", "z > 0 ? z : 0"),
    "q_elu": _unary("q_elu", "z >= 0 ? z : q_sub(q_exp(z), $one)", "q_exp", "q_sub"),
    "q_gelu": _unary("q_gelu", "q_mul(z, q_read(sigmoid_table, q_mul($gelu, z)))", "q_mul", *_SIGMOID),
    "q_silu": _unary("q_silu", "q_mul(z, q_read(sigmoid_table, z))", "q_mul", *_SIGMOID),
    "q_scaled_tanh": _unary("q_scaled_tanh", "q_mul($a, q_read(tanh_table, q_mul($b, z)))", "q_mul", *_TANH),
}


def bend(f: Functions, activation: str, y: str, n: int | str) -> list[str]:
    """Statements that bend n codes at y in place."""
    if activation == "linear":
        return []
    if activation in ("tanh", "sigmoid"):
        f.ask("bend_by_table", f"{activation}_table")
        return [f"bend_by_table({activation}_table, {y}, {n});"]
    f.ask(f"bend_{activation}")
    return [f"bend_{activation}({y}, {n});"]


def _bend_by_table(f: Functions) -> str:
    f.need("q_read")
    return (
        f"static void bend_by_table(const uint{_bits(f.ops.q.one - 1)}_t *half, code *y, int n)\n{{\n"
        "    for (; n > 0; n--, y++)\n        *y = q_read(half, *y);\n}"
    )


def _bend(name: str) -> Callable[[Functions], str]:
    def make(f: Functions) -> str:
        f.need(f"q_{name}")
        return (
            f"static void bend_{name}(code *y, int n)\n{{\n"
            f"    for (; n > 0; n--, y++)\n        *y = q_{name}(*y);\n}}"
        )

    return make


MAKERS["bend_by_table"] = _bend_by_table
MAKERS |= {f"bend_{name}": _bend(name) for name in ("relu", "elu", "gelu", "silu", "scaled_tanh")}
