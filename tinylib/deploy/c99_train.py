"""A multilayer perceptron in C99 that learns on the device: the forward pass, and SGD sample by sample.

    d_k = (t_k - y_k) f'(y_k)     d_i = f'(y_i) sum_k w_ik d_k       with the weights as they were
    v <- rate x_i d_k + momentum v + acceleration v_before           w <- w + v

One array holds all weights, layer by layer: for every neuron its bias, then a weight for each input. Two
more hold the last changes, where momentum and acceleration ask for them.
"""

from string import Template
from typing import Any

import numpy as np

from tinylib.deploy.emit.fixed import MAKERS, Functions, types
from tinylib.deploy.emit.sources import Sources, header, spaced, title
from tinylib.deploy.emit.text import array, block, container, literal
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network
from tinylib.nets.optimizers import SGD
from tinylib.nets.unrolled import BENDS
from tinylib.units import shown


def codes(network: Network) -> np.ndarray:
    """All weights in the order of the C array: neuron by neuron, the bias first."""
    return np.concatenate([np.vstack((part.b, part.w)).T.ravel() for part in network.parts])


def shaped(flat: np.ndarray, network: Network) -> list[dict[str, np.ndarray]]:
    """The inverse of `codes`: the arrays of each part."""
    found = []
    for part in network.parts:
        n, m = part.w.shape
        rows, flat = flat[: (n + 1) * m].reshape(m, n + 1), flat[(n + 1) * m :]
        found.append({"w": rows[:, 1:].T.copy(), "b": rows[:, 0].copy()})
    return found


def _checked(network: Network, optimizer: Any) -> None:
    for part in network.parts:
        if not isinstance(part, Dense) or part.activation not in BENDS:
            raise ValueError(
                f"a trainable part must be Dense with {', '.join(BENDS)}, got {shown(part.layer)}"
                f" with {getattr(part, 'activation', 'none')}"
            )
    if not isinstance(optimizer, SGD) or optimizer != SGD(
        optimizer.learning_rate, momentum=optimizer.momentum, acceleration=optimizer.acceleration
    ):
        raise ValueError(
            f"optimizer must be SGD with momentum and acceleration alone, got {shown(optimizer)}"
        )


def program(network: Network, f: Functions, name: str, optimizer: SGD, dead_zone: float) -> Sources:
    """Header and source of a network that learns."""
    _checked(network, optimizer)
    ops, q, parts = f.ops, f.ops.q, network.parts
    sizes = [parts[0].w.shape[0], *(part.w.shape[1] for part in parts)]
    f.longest = max(sizes)
    rate, mu, alpha = (
        int(ops.number(v)) for v in (optimizer.learning_rate, optimizer.momentum, optimizer.acceleration)
    )
    if rate == 0:
        raise ValueError(f"learning_rate must not round to 0 in {q}, got {optimizer.learning_rate}")
    limit = int(ops.number(dead_zone))
    bends = [part.activation for part in parts]
    f.ask("dot", "q_add", "q_sub", "q_mul", *(f"{b}_table" for b in bends if b in ("tanh", "sigmoid")))
    f.ask(*["q_read"] * bool({"tanh", "sigmoid"} & set(bends)))
    weights, neurons = codes(network), sum(sizes[1:])
    numbers = {
        "name": name,
        "layers": len(parts),
        "inputs": sizes[0],
        "outputs": sizes[-1],
        "neurons": neurons,
        "hidden": neurons - sizes[-1],
        "weights": len(weights),
        "bend": _choice(bends, _bent),
        "bent": _choice(bends, _slope(ops)),
        "first": len(weights) - (sizes[-2] + 1) * sizes[-1],
        "top": len(parts) - 1,
        "change": _change(rate, mu, alpha),
        "loss": _loss(f, sizes[-1]),
        "dead": f"    if (loss < {limit})\n        return loss;\n" if limit else "",
    }
    text = [
        f"/* {title(network, ops, sizes[0], sizes[-1])}, trainable */",
        f'#include "{name}.h"',
        "",
        types(f, f"{name}_code"),
        "",
        *f.written(),
        *["enum { LINEAR, RELU, TANH, SIGMOID };"] * (len(set(bends)) > 1),
        f"static const int16_t sizes[{len(sizes)}] = {{{', '.join(map(str, sizes))}}};",
        *[f"static const uint8_t bends[{len(bends)}] = {{{', '.join(b.upper() for b in bends)}}};"]
        * (len(set(bends)) > 1),
        _weights(network, ops, name),
        *[f"static code last[{len(weights)}]; /* the last change of each weight */"] * bool(mu or alpha),
        *[f"static code before[{len(weights)}]; /* the change before */"] * bool(alpha),
        f"static code outs[{neurons}], deltas[{neurons}]; /* layer after layer */",
        *(Template(t).substitute(numbers) for t in (FORWARD, BENT, UPDATE, TRAIN)),
    ]
    calls = [
        f"extern {name}_code {name}_weights[{len(weights)}]; /* neuron by neuron: bias, then its weights */",
        f"void {name}_run(const {name}_code *x, {name}_code *y); /* y of x: one sample */",
        f"{name}_code {name}_train(const {name}_code *x, const {name}_code *t); "
        "/* one step towards t; the loss before it */",
    ]
    note = title(network, ops, sizes[0], sizes[-1]) + ", trainable"
    bits = container(q.total_bits)
    head = header(name, bits, f"value = code / {q.one}", sizes[0], sizes[-1], calls, note)
    text = spaced(text)
    return Sources(name, head, text, "", "", sizes[0], sizes[-1], bits, weights=len(weights), one=q.one)


def _loss(f: Functions, m: int) -> str:
    """Mean of the squared errors in d, each of them rounded, whatever the rule of accumulation is."""
    if m == 1:
        return "q_mul(d[0], d[0])"
    f.ask("sum_of_squares")
    return f"(code)(sum_of_squares(d, {m}) / {m})"


def _sum_of_squares(f: Functions) -> str:
    f.need("q_fit_sum", "q_mul")
    return (
        "static code sum_of_squares(const code *x, int n)\n{\n    int64_t sum = 0;\n"
        "    for (; n > 0; n--, x++)\n        sum += q_mul(*x, *x);\n    return q_fit_sum(sum);\n}"
    )


MAKERS["sum_of_squares"] = _sum_of_squares


def _weights(network: Network, ops: Any, name: str) -> str:
    """The array of weights with their start values: a row for each neuron."""
    lines, values = [], 0
    for i, part in enumerate(network.parts, 1):
        lines.append(f"    /* layer {i}: bias, then one weight for each of {part.w.shape[0]} inputs */")
        rows = array("code", "w", np.vstack((part.b, part.w)).T, ops.values(np.vstack((part.b, part.w)).T))
        lines += rows.split("\n")[1:-1]
        values += part.count
    return "\n".join([f"{name}_code {name}_weights[{values}] = {{", *lines, "};"])


def _choice(bends: list[str], text: Any) -> str:
    """Statements that return `text` of the activation of layer l."""
    kinds = list(dict.fromkeys(bends))
    if len(kinds) == 1:
        said = text(kinds[0])
        unread = "    (void)y;\n" * (said == "d")
        return f"    (void)l;\n{unread}    return {said};"
    tests = [f"    if (bends[l] == {kind.upper()})\n        return {text(kind)};" for kind in kinds[:-1]]
    return "\n".join([*tests, f"    return {text(kinds[-1])};"])


def _bent(activation: str) -> str:
    table = f"q_read({activation}_table, z)"
    return {"linear": "z", "relu": "z > 0 ? z : 0"}.get(activation, table)


def _slope(ops: Any) -> Any:
    one = literal(ops.one)
    texts = {
        "linear": "d",
        "relu": "y > 0 ? d : 0",
        "tanh": f"q_mul(d, q_sub({one}, q_mul(y, y)))",
        "sigmoid": f"q_mul(d, q_mul(y, q_sub({one}, y)))",
    }
    return texts.__getitem__


def _change(rate: int, mu: int, alpha: int) -> str:
    lines = [f"code v = q_mul({literal(rate)}, g);"]
    lines += [f"v = q_add(v, q_mul({literal(mu)}, last[i]));"] * bool(mu)
    lines += [f"v = q_add(v, q_mul({literal(alpha)}, before[i]));", "before[i] = last[i];"] * bool(alpha)
    return block([*lines, *["last[i] = v;"] * bool(mu or alpha)])


FORWARD = """static code bend(int l, code z)
{
$bend
}

static void forward(const code *x)
{
    const code *w = ${name}_weights;
    code *y = outs;
    int l, k;
    for (l = 0; l < $layers; l++) {
        int n = sizes[l];
        for (k = 0; k < sizes[l + 1]; k++, w += n + 1)
            y[k] = bend(l, q_add(w[0], dot(x, w + 1, n, 1)));
        x = y;
        y += k;
    }
}

void ${name}_run(const ${name}_code *x, ${name}_code *y)
{
    int k;
    forward(x);
    for (k = 0; k < $outputs; k++)
        y[k] = outs[$hidden + k];
}"""

BENT = """/* the signal d in front of the activation of layer l, where its output is y */
static code bent(int l, code y, code d)
{
$bent
}"""

UPDATE = """static void update(int i, code g)
{
$change
    ${name}_weights[i] = q_add(${name}_weights[i], v);
}"""

TRAIN = """${name}_code ${name}_train(const ${name}_code *x, const ${name}_code *t)
{
    code *y = outs + $hidden, *d = deltas + $hidden, loss;
    int at = $first; /* first weight of the layer */
    int l, i, k;
    forward(x);
    for (k = 0; k < $outputs; k++)
        d[k] = q_sub(t[k], y[k]);
    loss = $loss;
$dead    for (l = $top; l >= 0; l--) {
        int n = sizes[l], m = sizes[l + 1], w = at;
        const code *in = l == 0 ? x : y - n;
        for (k = 0; k < m; k++)
            d[k] = bent(l, y[k], d[k]);
        if (l > 0)
            for (i = 0; i < n; i++)
                d[i - n] = dot(d, ${name}_weights + at + 1 + i, m, n + 1);
        for (k = 0; k < m; k++) {
            update(w++, d[k]);
            for (i = 0; i < n; i++)
                update(w++, q_mul(in[i], d[k]));
        }
        if (l > 0) {
            y -= n;
            d -= n;
            at -= (sizes[l - 1] + 1) * n;
        }
    }
    return loss;
}"""
