"""Key of assignment 13: the private question and the functions that are not in the bank. Never released."""

import math

from grading.keys import key
from tinylib.practice import Absolute, Exercise, Misconception
from tinylib.show.sizes import size_rows

LSTM, GRU = 2, 3  # rows of a size table


def _row(inputs, hidden, weights, kind=GRU):
    return size_rows(inputs, hidden, 1, weights)[kind]


TRAINING_OVERHEAD = Exercise(
    id="a13.training_overhead",
    title="What training adds",
    prompt="A GRU with {inputs} inputs, {hidden} hidden neurons and 1 output is an object on a chip with "
    "pointers of 4 bytes; its values are {weights}. How many bytes larger is the trainable object than the "
    "one for inference?",
    given={"inputs": 2, "hidden": 3, "weights": "Q8.8"},
    draws={"inputs": (2, 3, 4), "hidden": (3, 4, 6, 8), "weights": ("Q8.8", "Q16.16", "double")},
    answer=lambda **g: _row(**g).trainable_bytes - _row(**g).inference_bytes,
    unit="B",
    tolerance=Absolute(0),
    expect=440,
    source="compiled sizes of danmcleran/tinymind for Cortex-M0+: GRU 2-3-1 Q8.8, 668 and 228 bytes",
    misconceptions=(
        Misconception(
            lambda **g: _row(**g).trainable_bytes,
            "That is the whole trainable object: the question is what training adds.",
        ),
        Misconception(
            lambda **g: _row(**g, kind=LSTM).trainable_bytes - _row(**g, kind=LSTM).inference_bytes,
            "That is the LSTM: the GRU has three blocks, not four.",
        ),
        Misconception(
            lambda **g: _row(**g).trainable_bytes - _row(**g).parameter_bytes,
            "You took away the parameters alone: the object for inference has states and indices too.",
        ),
    ),
)


def _numbers(rng, rows, columns=0):
    def row(n):
        return [round(rng.uniform(-1.5, 1.5), 2) for _ in range(n)]

    return [row(columns) for _ in range(rows)] if columns else row(rows)


def _affine(matrix, bias, v):
    return [c + sum(m * n for m, n in zip(row, v)) for row, c in zip(matrix, bias)]


def _sigmoid(z):
    return 1 / (1 + math.exp(-z))


@key(
    "a13.ltc_step",
    examples=[
        (
            ([[0.0]], [[0.0]], [0.0], [1.0], [1.0], [0.0], [0.2], 0.1),
            {"gate": [0.5], "state": [0.21739130434782608]},
        )
    ],
)
class LtcStep:
    def draw(rng):
        n, m = rng.int(1, 3), rng.int(2, 4)
        tau = [round(rng.uniform(0.2, 3), 2) for _ in range(m)]
        w, r, b, a = _numbers(rng, m, n), _numbers(rng, m, m), _numbers(rng, m), _numbers(rng, m)
        return w, r, b, tau, a, _numbers(rng, n), _numbers(rng, m), round(rng.uniform(0.05, 0.5), 2)

    def expected(w, r, b, tau, a, u, x, h):
        z = [i + j for i, j in zip(_affine(w, b, u), _affine(r, [0] * len(x), x))]
        gate = [_sigmoid(v) for v in z]
        new = [(s + h * f * e) / (1 + h * (1 / t + f)) for s, f, e, t in zip(x, gate, a, tau)]
        return {"gate": gate, "state": new}

    def slips(w, r, b, tau, a, u, x, h):
        from_input, from_state = _affine(w, b, u), _affine(r, [0] * len(x), x)
        gate = [_sigmoid(i + j) for i, j in zip(from_input, from_state)]
        parts = list(zip(x, gate, a, tau))
        return {
            "gate": {
                "the old states are missing, the gate reads them too": [_sigmoid(v) for v in from_input],
                "the sigmoid is missing": [i + j for i, j in zip(from_input, from_state)],
                "the bias is missing": [_sigmoid(i + j - c) for i, j, c in zip(from_input, from_state, b)],
            },
            "state": {
                "that is explicit Euler, the fused step divides": [
                    s + h * (f * e - (1 / t + f) * s) for s, f, e, t in parts
                ],
                "f is missing in the denominator": [(s + h * f * e) / (1 + h / t) for s, f, e, t in parts],
                "A is missing in the numerator": [
                    (s + h * f) / (1 + h * (1 / t + f)) for s, f, e, t in parts
                ],
            },
        }


@key(
    "a13.cfc_step",
    examples=[
        (
            (
                {name: [[1.0]] for name in "WRFGAB"}
                | {"b": [0.0], "bF": [0.0], "bG": [1.0], "bA": [0.0], "bB": [0.0]},
                [0.0],
                [0.0],
                1.0,
            ),
            {"backbone": [0.0], "gate": [0.5], "state": [0.3807970779778823]},
        )
    ],
)
class CfcStep:
    def draw(rng):
        n, m, b = rng.int(1, 3), rng.int(2, 4), rng.int(2, 5)
        p = {"W": _numbers(rng, b, n), "R": _numbers(rng, b, m), "b": _numbers(rng, b)}
        for name in "FGAB":
            p |= {name: _numbers(rng, m, b), f"b{name}": _numbers(rng, m)}
        return p, _numbers(rng, n), _numbers(rng, m), round(rng.uniform(0.2, 3), 2)

    def expected(p, u, x, t):
        inside = _affine(p["W"], p["b"], u)
        z = [math.tanh(i + j) for i, j in zip(inside, _affine(p["R"], [0] * len(inside), x))]
        f, g = ([math.tanh(v) for v in _affine(p[m], p["b" + m], z)] for m in "FG")
        slope, offset = (_affine(p[m], p["b" + m], z) for m in "AB")
        gate = [_sigmoid(i * t + j) for i, j in zip(slope, offset)]
        return {"backbone": z, "gate": gate, "state": [(1 - s) * i + s * j for i, j, s in zip(f, g, gate)]}

    def slips(p, u, x, t):
        inside = _affine(p["W"], p["b"], u)
        z = [math.tanh(i + j) for i, j in zip(inside, _affine(p["R"], [0] * len(inside), x))]
        f, g = ([math.tanh(v) for v in _affine(p[m], p["b" + m], z)] for m in "FG")
        slope, offset = (_affine(p[m], p["b" + m], z) for m in "AB")
        gate = [_sigmoid(i * t + j) for i, j in zip(slope, offset)]
        return {
            "backbone": {
                "the old states are missing, the backbone reads them": [math.tanh(v) for v in inside]
            },
            "gate": {
                "t is missing": [_sigmoid(i + j) for i, j in zip(slope, offset)],
                "t multiplies the first map alone": [_sigmoid((i + j) * t) for i, j in zip(slope, offset)],
                "the sign is turned": [1 - s for s in gate],
            },
            "state": {
                "the heads are swapped": [s * i + (1 - s) * j for i, j, s in zip(f, g, gate)],
                "the gate weighs both heads, 1 - s is the share of f": [
                    s * i + s * j for i, j, s in zip(f, g, gate)
                ],
            },
        }
