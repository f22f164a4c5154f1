"""Multilayer perceptrons: forward passes, training step by step, and the complete XOR run.

The reference "batch" is not textbook: every call changes the weights by a stored gradient, renewed once in
`batch_size` calls, weights by the mean of the calls before and biases by the newest gradient alone. In the
first `batch_size` calls it is 0 and nothing may change. `_stored_gradients` follows that rule word for word,
so that a value is set aside only where it is exactly what the rule makes of our own gradients.
"""

from itertools import pairwise

import numpy as np

from tests.golden_checks import Compared
from tests.golden_checks.formats import format_of
from tinylib.nets import one_net
from tinylib.nets.arithmetic import FLOAT, Fixed
from tinylib.nets.dense import Dense
from tinylib.nets.losses import squared
from tinylib.nets.network import Network
from tinylib.nets.optimizers import SGD
from tinylib.nets.train import train

TOLERANCE = 2.0**-7  # the reference does not train on a sample whose squared error is below this
DEFAULTS = SGD(0.25, momentum=0.5, acceleration=0.0625)
BATCH = "non-textbook mini-batch"


def _arithmetic(case):
    """(ops, suffix of the keys, rtol) of a case."""
    return (
        (FLOAT, "", 1e-9) if case["format"] == "double" else (Fixed(format_of(case["format"])), "_raw", 0.0)
    )


def _network(case, flat):
    """The network of a case with weights in its order: for each layer w row by row, then b."""
    sizes = [case["inputs"], *case["hidden"], case["outputs"]]
    parts, rest = [], np.array(flat)
    for i, (n, m) in enumerate(pairwise(sizes)):
        w, b, rest = np.split(rest, [n * m, n * m + m])
        last = i == len(sizes) - 2
        parts.append(Dense(w.reshape(n, m), b, case["output_activation" if last else "hidden_activation"]))
    return Network(tuple(parts))


def flat(arrays):
    """All parameters in the order of the files."""
    return [
        float(v) if a.dtype.kind == "f" else int(v) for p in arrays for a in (p["w"], p["b"]) for v in a.flat
    ]


def _gradients(net, x, target, ops):
    y, tapes = net.forward(np.array([x]), ops)
    value, delta = squared(y, np.array([target]), ops)
    return y[0], value, net.back(tapes, delta, ops)[1]


def mlp_forward(case):
    ops, raw, rtol = _arithmetic(case)
    net = _network(case, case["weights" + raw])
    for i, sample in enumerate(case["samples"]):
        y, _ = net.forward(np.array([sample["x" + raw]]), ops)
        yield Compared(f"samples[{i}].y{raw}", y[0], sample["y" + raw], rtol=rtol)


def mlp_train_trace(case):
    ops, raw, rtol = _arithmetic(case)
    net = _network(case, case["initial_weights" + raw])
    rate, momentum, acceleration = (case[k][0] for k in ("learning_rate", "momentum", "acceleration"))
    optimizer = SGD(rate, momentum=momentum, acceleration=acceleration)
    state, limit = optimizer.start(net.arrays), ops.number(TOLERANCE)
    for step in case["steps"]:
        y, error, grads = _gradients(net, step["x" + raw], step["target" + raw], ops)
        trained = not (case["skip_when_error_within_zero_tolerance"] and error[0] < limit)
        before = state
        if trained:
            arrays, state = optimizer.step(net.arrays, grads, state, ops)
            net = net.with_arrays(arrays)
        found = {
            "y": y,
            "error": error,
            "weights": flat(net.arrays),
            "output_node_delta": grads[-1]["b"],
            "hidden_node_delta": [v for part in grads[:-1] for v in part["b"]],
            "gradients": flat(grads),
            "delta_weights": flat(state.first),
            "previous_delta_weights": flat(before.first),
        }
        path = f"steps[{step['step'] - 1}]."
        yield Compared(path + "trained", int(trained), int(step["trained"]))
        for name, got in found.items():
            if name + raw in step:
                yield Compared(path + name + raw, got, step[name + raw], rtol=rtol)


def _stored_gradients(net, steps, size, ops):
    """Weights after each call by the rule of the reference."""
    state, sums = DEFAULTS.start(net.arrays), DEFAULTS.start(net.arrays).first
    stored, seen = sums, 0
    for step in steps:
        _, _, grads = _gradients(net, step["x_raw"], step["target_raw"], ops)
        if seen == size:
            means = [{"w": ops.div(s["w"], ops.whole(size)), "b": g["b"]} for s, g in zip(sums, grads)]
            stored, seen, sums = means, 0, DEFAULTS.start(net.arrays).first
        sums = [{k: ops.add(s[k], g[k]) for k in s} for s, g in zip(sums, grads)]
        seen += 1
        arrays, state = DEFAULTS.step(net.arrays, stored, state, ops)
        net = net.with_arrays(arrays)
        yield flat(arrays)


def mlp_batch_train_trace(case):
    ops, _, _ = _arithmetic(case)
    net, size, steps = _network(case, case["initial_weights_raw"]), case["batch_size"], case["steps"]
    references = list(_stored_gradients(net, steps, size, ops))
    history = None
    for i, step in enumerate(steps):
        yield Compared(
            f"steps[{i}].weights_raw",
            flat(net.arrays),
            step["weights_raw"],
            defect=BATCH if i >= size else "",  # until then nothing may have changed
            instead=references[i],
        )
        if (i + 1) % size == 0 and i + 1 < len(steps):  # our step comes with the last sample of a batch
            xs, targets = (
                ops.values([s[name] for s in steps[i + 1 - size : i + 1]]) for name in ("x_raw", "target_raw")
            )
            settings = {"optimizer": DEFAULTS, "ops": ops, "batch_size": size, "resume": history}
            net, history = train(net, xs, targets, **settings)


def glibc_rand(seed, count):
    """The first numbers of rand() after srand(seed). Source: glibc, stdlib/random_r.c, TYPE_3."""
    r = [seed]
    for _ in range(30):
        r.append(16807 * r[-1] % (2**31 - 1))
    r += r[:3]
    while len(r) < 344 + count:
        r.append((r[-3] + r[-31]) % 2**32)
    return [v >> 1 for v in r[344:]]


def _xor_run():
    """(inputs, targets) of the run, and the draws of its initial weights."""
    draws = glibc_rand(7, 40_000)
    xs = np.array(draws).reshape(-1, 2) & 1
    return xs.astype(float), (xs[:, :1] ^ xs[:, 1:]).astype(float), glibc_rand(1, 18)


def xor_example(case):
    ops, half = Fixed(format_of(case["format"])), 2**15
    xs, targets, draws = _xor_run()
    yield Compared("init_rand_draws", draws, case["init_rand_draws"])
    weights = [draw % (2 * half + 1) - half for draw in draws[:17]]  # the reference leaves the last unused
    yield Compared("initial_weights_raw", weights, case["initial_weights_raw"])
    yield Compared("samples", "".join(str(int(2 * a + b)) for a, b in xs), case["samples"])
    shape = {
        "inputs": 2,
        "hidden": [4],
        "outputs": 1,
        "hidden_activation": "tanh",
        "output_activation": "sigmoid",
    }
    net = _network(shape, weights)
    cases = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    settings = {"optimizer": DEFAULTS, "ops": ops, "dead_zone": TOLERANCE, "keep_steps": True}
    yield from _outcome("", *train(net, xs, targets, **settings), case, ops, cases)
    yield from _outcome("in integers: ", *one_net.train(net, xs, targets, **settings), case, ops, cases)
    errors, history = [], None
    for start in range(0, len(xs), 1_000):
        part = slice(start, start + 1_000)
        net, history = train(net, xs[part], targets[part], resume=history, **settings)
        errors.append(np.abs(net.predict(cases, ops)[:, 0] - [0, 1, 1, 0]).mean())
    yield Compared("four_case_error_every_1000", errors, case["four_case_error_every_1000"], rtol=1e-9)


def _outcome(road, net, history, case, ops, cases):
    """What the whole run leaves behind."""
    codes = ops.number(history.steps).reshape(-1, 100)
    yield Compared(road + "iterations", len(history.steps), case["iterations"])
    yield Compared(road + "trained_steps", int(history.updates), case["trained_steps"])
    yield Compared(road + "avg_error_raw_per_100", codes.sum(axis=1) // 100, case["avg_error_raw_per_100"])
    yield Compared(road + "final_weights_raw", flat(net.arrays), case["final_weights_raw"])
    predicted = net.predict(cases, ops)[:, 0]
    yield Compared(road + "predictions_raw", ops.number(predicted), case["predictions_00_01_10_11_raw"])


CHECKS = {
    "mlp_forward": mlp_forward,
    "mlp_train_trace": mlp_train_trace,
    "mlp_batch_train_trace": mlp_batch_train_trace,
    "xor_example": xor_example,
}
