"""Recurrent cells in C99: sums by `dense`, then one small function for each kind of cell.

The state lies in a struct of the caller's; a new one starts from zero.
"""

from functools import singledispatch
from string import Template
from typing import Any

import numpy as np

from tinylib.deploy.emit.dense import rows
from tinylib.deploy.emit.fixed import MAKERS, Functions
from tinylib.deploy.emit.tables import bend
from tinylib.deploy.emit.text import literal
from tinylib.deploy.emit.unit import Shape, Unit, emit
from tinylib.nets.cfc import CfC
from tinylib.nets.liquid import LTC, SynapticLTC
from tinylib.nets.recurrent import GRU, LSTM, Elman
from tinylib.nets.scan import Recurrent


def _copy(f: Functions) -> str:
    return (
        "static void copy(const code *x, int n, code *y)\n{\n    for (; n > 0; n--)\n        *y++ = *x++;\n}"
    )


def _fill(f: Functions) -> str:
    return "static void clear(code *y, int n)\n{\n    for (; n > 0; n--)\n        *y++ = 0;\n}"


def _lstm(f: Functions) -> str:
    f.need("q_add", "q_mul", "q_tanh")
    return """/* p: candidates, forget, input and output gates; c = f c + g i, h = tanh(c) o */
static void lstm(const code *p, int m, code *h, code *c)
{
    int k;
    for (k = 0; k < m; k++, p++) {
        c[k] = q_add(q_mul(p[m], c[k]), q_mul(p[0], p[2 * m]));
        h[k] = q_mul(q_tanh(c[k]), p[3 * m]);
    }
}"""


def _gru(f: Functions) -> str:
    f.need("q_add", "q_sub", "q_mul", "q_tanh", "q_sigmoid")
    return Template(
        """/* p, r: sums over inputs and over h, of update, reset and candidate; h = (1 - z) h + z g */
static void gru(const code *p, const code *r, int m, code *h)
{
    int k;
    for (k = 0; k < m; k++, p++, r++) {
        code z = q_sigmoid(q_add(p[0], r[0]));
        code reset = q_sigmoid(q_add(p[m], r[m]));
        code g = q_tanh(q_add(p[2 * m], q_mul(reset, r[2 * m])));
        h[k] = q_add(q_mul(q_sub($one, z), h[k]), q_mul(z, g));
    }
}"""
    ).substitute(one=literal(f.ops.one))


def _cfc(gated: bool) -> Any:
    def make(f: Functions) -> str:
        f.need("q_add", *["q_sub"] * gated, "q_mul", "q_tanh", "q_sigmoid")
        name = "cfc" if gated else "cfc_no_gate"
        stays = f"q_mul(q_sub({literal(f.ops.one)}, s), q_tanh(p[0]))" if gated else "q_tanh(p[0])"
        return Template(
            """/* p: f, g and the gate's two maps; s = sigmoid(a dt + e), h = $formula */
static void $name(const code *p, int m, code dt, code *h)
{
    int k;
    for (k = 0; k < m; k++, p++) {
        code s = q_sigmoid(q_add(q_mul(p[2 * m], dt), p[3 * m]));
        h[k] = q_add($stays, q_mul(s, q_tanh(p[m])));
    }
}"""
        ).substitute(name=name, stays=stays, formula="(1 - s) f + s g" if gated else "f + s g")

    return make


def _ltc(f: Functions) -> str:
    f.need("q_add", "q_mul", "q_div")
    return Template(
        """/* one step dt with gates f and leaks 1/tau: h = (h + dt f a) / (1 + dt (leak + f)) */
static void ltc(const code *f, int m, code dt, const code *leak, const code *a, code *h)
{
    for (; m > 0; m--, f++, h++) {
        code above = q_add(*h, q_mul(q_mul(dt, *f), *a++));
        *h = q_div(above, q_add($one, q_mul(dt, q_add(*leak++, *f))));
    }
}"""
    ).substitute(one=literal(f.ops.one))


def _synapses(f: Functions) -> str:
    f.need("q_sub", "q_mul", "q_sigmoid", "q_fit_sum")
    return """/* what n sources v send to m targets; w: conductance, centre, slope, reversal of a synapse */
static void synapses(const code *v, int n, const code *w, int m, code *above, code *below)
{
    int i, k;
    for (k = 0; k < m; k++) {
        int64_t pulled = 0, open = 0;
        for (i = 0; i < n; i++, w += 4) {
            code active = q_mul(w[0], q_sigmoid(q_mul(w[2], q_sub(v[i], w[1]))));
            pulled += q_mul(active, w[3]);
            open += active;
        }
        above[k] = q_fit_sum(pulled);
        below[k] = q_fit_sum(open);
    }
}"""


def _circuit(f: Functions) -> str:
    f.need("q_add", "q_mul", "q_div")
    return """/* one step; z, p: sums above and below, of inputs and neurons; w: capacity, leak, rest */
static void circuit(const code *z, const code *p, int m, const code *w, code *v)
{
    int k;
    for (k = 0; k < m; k++, w += 3) {
        code above = q_add(q_add(q_mul(w[0], v[k]), w[1]), q_add(p[k], z[k]));
        v[k] = q_div(above, q_add(w[2], q_add(p[m + k], z[m + k])));
    }
}"""


MAKERS |= {
    "copy": _copy,
    "clear": _fill,
    "lstm": _lstm,
    "gru": _gru,
    "cfc": _cfc(True),
    "cfc_no_gate": _cfc(False),
    "ltc": _ltc,
    "synapses": _synapses,
    "circuit": _circuit,
}


@singledispatch
def _emit_cell(cell: Any, to: Unit, x: str, name: str) -> None:
    """Write one step of a cell that reads x and keeps its h in the state `name`_h."""
    raise TypeError(f"a cell must have a C form, got {type(cell).__name__}")


@emit.register
def _(part: Recurrent, to: Unit, x: str, shape: Shape) -> tuple[str, Shape]:
    m, name = part.cell.hidden_features, to.named(type(part.cell).__name__.lower())
    to.functions.ask("clear")
    h = to.state(f"{name}_h", m)
    _emit_cell(part.cell, to, x, name)
    if not to.final:
        return h, (m,)
    to.functions.ask("copy")
    to.say(f"copy({h}, {m}, y);")
    return "y", (m,)


def _inputs(cell: Any, to: Unit, x: str, name: str, p: str) -> None:
    """p = b + w_in x."""
    n, columns = cell.w_in.shape
    to.functions.ask("dense")
    to.sum_of(n)
    w = rows(to, f"{name}_w_in", cell.w_in, f"{n} inputs: a row for each sum")
    b = to.array(f"{name}_b", cell.b, "biases")
    to.say(f"dense({x}, {n}, {w}, {b}, {columns}, {p});")


def _recurrent(cell: Any, to: Unit, name: str, start: str, p: str, say: bool = True) -> str:
    """p = start + w_rec h."""
    m, columns = cell.w_rec.shape
    to.sum_of(m)
    w = rows(to, f"{name}_w_rec", cell.w_rec, f"{m} states: a row for each sum")
    call = f"dense(s->{name}_h, {m}, {w}, {start}, {columns}, {p});"
    if say:
        to.say(call)
    return call


@_emit_cell.register
def _(cell: Elman, to: Unit, x: str, name: str) -> None:
    m = cell.hidden_features
    p = to.scratch(m)
    to.functions.ask("copy")
    _inputs(cell, to, x, name, p)
    _recurrent(cell, to, name, p, p)
    to.say(*bend(to.functions, "tanh", p, m), f"copy({p}, {m}, s->{name}_h);")


@_emit_cell.register
def _(cell: LSTM, to: Unit, x: str, name: str) -> None:
    m = cell.hidden_features
    p, c = to.scratch(4 * m), to.state(f"{name}_c", m)
    to.functions.ask("lstm")
    _inputs(cell, to, x, name, p)
    _recurrent(cell, to, name, p, p)
    to.say(*bend(to.functions, "tanh", p, m), *bend(to.functions, "sigmoid", f"{p} + {m}", 3 * m))
    to.say(f"lstm({p}, {m}, s->{name}_h, {c});")


@_emit_cell.register
def _(cell: GRU, to: Unit, x: str, name: str) -> None:
    m = cell.hidden_features
    p = to.scratch(6 * m)
    to.functions.ask("gru")
    _inputs(cell, to, x, name, p)
    r = f"{p} + {3 * m}"
    to.say(f"clear({r}, {3 * m});")
    _recurrent(cell, to, name, r, r)
    if cell.b_rec is not None:
        to.functions.ask("add_each")
        b = to.array(f"{name}_b_rec", cell.b_rec, "biases of the sums over the states")
        to.say(f"add_each({r}, {3 * m}, {b});")
    to.say(f"gru({p}, {p} + {3 * m}, {m}, s->{name}_h);")


@_emit_cell.register
def _(cell: CfC, to: Unit, x: str, name: str) -> None:
    m, (k, columns) = cell.hidden_features, cell.w_heads.shape
    p, kind = to.scratch(k + 4 * m), "cfc" if cell.mode == "default" else "cfc_no_gate"
    to.functions.ask(kind)
    to.sum_of(k)
    _inputs(cell, to, x, name, p)
    _recurrent(cell, to, name, p, p)
    w = rows(to, f"{name}_w_heads", cell.w_heads, f"{k} backbone features: a row for each of f, g, a, e")
    b = to.array(f"{name}_b_heads", cell.b_heads, "biases of the heads")
    to.say(*bend(to.functions, cell.activation, p, k))
    to.say(f"dense({p}, {k}, {w}, {b}, {columns}, {p} + {k});")
    dt = to.elapsed or literal(to.ops.number(cell.dt))
    to.say(f"{kind}({p} + {k}, {m}, {dt}, s->{name}_h);")


@_emit_cell.register
def _(cell: LTC, to: Unit, x: str, name: str) -> None:
    m, ops = cell.hidden_features, to.ops
    z, p = to.scratch(2 * m), f"p + {m}"
    to.functions.ask("ltc")
    leak = ops.div(np.full_like(cell.tau, ops.one), cell.tau)
    _inputs(cell, to, x, name, z)
    call = _recurrent(cell, to, name, z, p, say=False)
    leaks, a = to.array(f"{name}_leak", leak, "1 / tau"), to.array(f"{name}_a", cell.a, "pulled towards")
    dt = literal(ops.number(cell.dt / cell.unfolds))
    steps = [call, *bend(to.functions, "sigmoid", p, m), f"ltc({p}, {m}, {dt}, {leaks}, {a}, s->{name}_h);"]
    to.say(*_repeated(cell.unfolds, steps))


def _repeated(times: int, steps: list[str]) -> list[str]:
    if times == 1:
        return steps
    return ["\n".join([f"for (i = 0; i < {times}; i++) {{", *(f"    {step}" for step in steps), "}"])]


@_emit_cell.register
def _(cell: SynapticLTC, to: Unit, x: str, name: str) -> None:
    (n, m), ops = cell.w_in.shape, to.ops
    z, p = to.scratch(4 * m), f"p + {2 * m}"
    to.functions.ask("synapses", "circuit")

    def wires(kind: str) -> str:
        four = [getattr(cell, f"{part}_{kind}") for part in ("w", "mu", "sigma", "erev")]
        each = np.stack(four, -1).swapaxes(0, 1).reshape(-1, 4)
        return to.array(f"{name}_{kind}", each, "a row for each synapse, targets outside: w, mu, sigma, erev")

    capacity = ops.div(cell.cm, ops.number(cell.dt / cell.unfolds))
    rest = capacity, ops.mul(cell.gleak, cell.vleak), ops.add(capacity, cell.gleak)
    neurons = to.array(f"{name}_neurons", np.stack(rest, -1), "capacity, leak, and what never leaves below")
    to.say(f"synapses({x}, {n}, {wires('in')}, {m}, {z}, {z} + {m});")
    steps = [
        f"synapses(s->{name}_h, {m}, {wires('rec')}, {m}, {p}, {p} + {m});",
        f"circuit({z}, {p}, {m}, {neurons}, s->{name}_h);",
    ]
    to.say(*_repeated(cell.unfolds, steps))
