"""KAN: forward, and training steps of the reference: all deltas, then all gradients, then all updates.

The network is two layers in a row; the training rule is SGD with momentum and acceleration, one sample at a
time, on the plain error t - y. In Q the rates are codes, so they reach the optimiser as the codes' values.
"""

import numpy as np

from tests.golden_checks import Compared
from tests.golden_checks.formats import format_of
from tinylib.nets.arithmetic import FLOAT, Fixed
from tinylib.nets.kan import KAN, knots
from tinylib.nets.losses import squared
from tinylib.nets.network import Network
from tinylib.nets.optimizers import SGD

PARTS = {"coefficients": "coefficients", "w_base": "base_weight", "w_spline": "spline_weight"}


class _Numbers:
    """The numbers of a case: floats, or raw codes in the case's format."""

    def __init__(self, case):
        fixed = case["format"] != "double"
        self.ops = Fixed(format_of(case["format"])) if fixed else FLOAT
        self.suffix, self.rtol = ("_raw", 0.0) if fixed else ("", 1e-9)
        self.case = case

    def of(self, record, name):
        return np.array(record[name + self.suffix], dtype=self.ops.dtype)

    def compared(self, path, got, record, name):
        return Compared(path + self.suffix, got, record[name + self.suffix], rtol=self.rtol)

    def network(self, record):
        """The two layers; a file lists edges source by source, each with its own coefficients."""
        i, h, o = (self.case[name] for name in ("inputs", "hidden", "outputs"))
        grid, degree = self.case["grid"], self.case["degree"]

        def layer(prefix, n, m):
            c = self.of(record, f"{prefix}_coefficients").reshape(n, m, grid + degree)
            weights = (self.of(record, f"{prefix}_{name}").reshape(n, m) for name in list(PARTS.values())[1:])
            return KAN(np.swapaxes(c, 1, 2), *weights, grid, degree)

        return Network((layer("in", i, h), layer("hid", h, o)))

    def parameters(self, net, record, path):
        for prefix, part in zip(("in", "hid"), net.parts, strict=True):
            for name, theirs in PARTS.items():
                a = part.arrays[name]
                a = np.swapaxes(a, 1, 2) if name == "coefficients" else a
                yield self.compared(f"{path}{prefix}_{theirs}", a, record, f"{prefix}_{theirs}")


def kan_forward(case):
    numbers = _Numbers(case)
    net, ops = numbers.network(case), numbers.ops
    yield numbers.compared("knots", knots(case["grid"], case["degree"], ops), case, "knots")
    for i, sample in enumerate(case["samples"]):
        h, _ = net.parts[0].forward(numbers.of(sample, "x")[None], ops)
        y, _ = net.forward(numbers.of(sample, "x")[None], ops)
        yield numbers.compared(f"samples[{i}].h", h, sample, "h")
        yield numbers.compared(f"samples[{i}].y", y, sample, "y")


def kan_train_trace(case):
    numbers = _Numbers(case)
    net, ops = numbers.network(case["initial"]), numbers.ops
    yield numbers.compared("knots", knots(case["grid"], case["degree"], ops), case, "knots")
    names = "learning_rate", "momentum", "acceleration"
    optimizer = SGD(**{name: float(ops.values(numbers.of(case, name))[0]) for name in names})
    state = optimizer.start(net.arrays)
    for step in case["steps"]:
        path = f"steps[{step['step'] - 1}]."
        y, tapes = net.forward(numbers.of(step, "x")[None], ops)
        _, delta = squared(y, numbers.of(step, "target")[None], ops)
        grads = net.back(tapes, delta, ops)[1]
        arrays, state = optimizer.step(net.arrays, grads, state, ops)
        net = net.with_arrays(arrays)
        yield numbers.compared(f"{path}y", y, step, "y")
        yield from numbers.parameters(net, step, path)


CHECKS = {"kan_forward": kan_forward, "kan_train_trace": kan_train_trace}
