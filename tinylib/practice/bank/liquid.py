"""Chapter "Liquid cells": sizes of LTC and CfC cells, their INT8 form, and one step of each by hand."""

import math

from tinylib.cost import Dense, memory
from tinylib.cost.sequence import LTC, CfC
from tinylib.practice.draws import Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception


def _states(rng: Rng) -> dict:
    return {"n": rng.int(1, 16), "s": rng.log(1, 64)}


def _backbone(rng: Rng) -> dict:
    return {"n": rng.int(1, 16), "s": rng.log(1, 32), "b": rng.log(2, 64)}


LTC_PARAMS = Exercise(
    id="ltc.num_params",
    title="Parameters of an LTC cell",
    prompt="A liquid time-constant cell has input size {n} and state size {s}. It stores an input matrix, a "
    "recurrent matrix, and per state a bias, a time constant and a reversal value. "
    "How many parameters is that?",
    given={"n": 2, "s": 3},
    draws=_states,
    answer=lambda n, s: LTC(n, s).params,
    unit="parameters",
    tolerance=Absolute(0),
    expect=24,
    source="worked by hand: 6 + 9 + 3 x 3",
    misconceptions=(
        Misconception(
            lambda n, s: Dense(n + s, s).params,
            "Only the bias is in it: each state also has a time constant and a reversal value.",
        ),
        Misconception(
            lambda n, s: s * n + 3 * s,
            "The recurrent matrix is missing: every state reads every state, s x s weights.",
        ),
    ),
    hints=("Two matrices, and three values for each state.", "s x n + s x s + 3 x s."),
    steps=lambda n, s: (
        f"matrices: {s} x {n} + {s} x {s} = {LTC(n, s).weights:,}",
        f"per state 3 values: 3 x {s} = {3 * s}",
        f"together {LTC(n, s).params:,} parameters",
    ),
)

LTC_READOUT = Exercise(
    id="ltc.num_params_4_8",
    title="LTC cell with a readout",
    prompt="A liquid time-constant cell has input size {n} and state size {s}; each state has a bias, a time "
    "constant and a reversal value. A linear readout with bias turns the states into one number. "
    "How many parameters have cell and readout together?",
    given={"n": 4, "s": 8},
    draws=_states,
    answer=lambda n, s: LTC(n, s).params + Dense(s, 1).params,
    unit="parameters",
    tolerance=Absolute(0),
    expect=129,
    source="worked by hand: 32 + 64 + 24 for the cell, 8 + 1 for the readout",
    misconceptions=(
        Misconception(
            lambda n, s: LTC(n, s).params,
            "That is the cell alone: the readout adds a weight per state and a bias.",
        ),
        Misconception(
            lambda n, s: LTC(n, s).params + s,
            "The bias of the readout is missing: one more number.",
        ),
    ),
    hints=("Count the cell, then a dense layer from s states to one output.", "s n + s^2 + 3 s + s + 1."),
    steps=lambda n, s: (
        f"cell: {s} x {n} + {s} x {s} + 3 x {s} = {LTC(n, s).params:,}",
        f"readout: {s} + 1 = {s + 1}",
        f"together {LTC(n, s).params + s + 1:,} parameters",
    ),
)

CFC_PARAMS = Exercise(
    id="cfc.num_params",
    title="Parameters of a CfC cell",
    prompt="A closed-form continuous-time cell has input size {n}, state size {s} and a backbone of {b} "
    "features that reads inputs and states. Two heads and two maps of the time gate lead from the backbone "
    "to the states; all five parts have biases. How many parameters is that?",
    given={"n": 2, "s": 3, "b": 4},
    draws=_backbone,
    answer=lambda n, s, b: CfC(n, s, b).params,
    unit="parameters",
    tolerance=Absolute(0),
    expect=84,
    source="worked by hand: 4 x 5 + 4 and four times 3 x 4 + 3",
    misconceptions=(
        Misconception(
            lambda n, s, b: Dense(n + s, b).params + 3 * Dense(b, s).params,
            "That has three maps behind the backbone: there are two heads and two maps of the time gate.",
        ),
        Misconception(
            lambda n, s, b: Dense(n + s, b).params + 4 * Dense(b, s).weights,
            "The biases of the four maps are missing: each has one per state.",
        ),
        Misconception(
            lambda n, s, b: Dense(n + s, b).weights + 4 * Dense(b, s).params,
            "The biases of the backbone are missing: one per backbone feature.",
        ),
    ),
    hints=("One dense layer from n + s to b, then four from b to s.", "b (n + s) + b + 4 (s b + s)."),
    steps=lambda n, s, b: (
        f"backbone: {b} x ({n} + {s}) + {b} = {Dense(n + s, b).params:,}",
        f"four maps: 4 x ({s} x {b} + {s}) = {4 * Dense(b, s).params:,}",
        f"together {CfC(n, s, b).params:,} parameters",
    ),
)


def _cfc_values(n: int, s: int, b: int) -> int:
    return CfC(n, s, b).params + Dense(s, 1).params


CFC_BYTES = Exercise(
    id="cfc.bytes_q8_8",
    title="A CfC cell with readout in memory",
    prompt="A closed-form continuous-time cell with {n} inputs, {s} states and {b} backbone features "
    "(backbone and four maps, all with biases) and a readout with bias to one number are stored. In this "
    "format a value takes {w} B (Q8.8: 2 B, double: 8 B). How many bytes is that in all?",
    given={"n": 4, "s": 8, "b": 16, "w": 2},
    draws={"w": (1, 2, 4, 8)},
    answer=lambda n, s, b, w: memory.weight_bytes(_cfc_values(n, s, b), 8 * w),
    unit="B",
    tolerance=Absolute(0),
    expect=1522,
    source="worked by hand: (208 + 4 x 136 + 9) x 2",
    misconceptions=(
        Misconception(
            lambda n, s, b, w: CfC(n, s, b).params * w,
            "That is the cell alone: the readout adds a weight per state and a bias.",
        ),
        Misconception(
            lambda n, s, b, w: _cfc_values(n, s, b) * 8,
            "That is the size in double, 8 bytes a value: look at the width that is given.",
        ),
    ),
    hints=("First the values, then the width of one.", "(cell + s + 1) x bytes per value."),
    steps=lambda n, s, b, w: (
        f"backbone {b} x ({n} + {s}) + {b} = {Dense(n + s, b).params:,}, "
        f"four maps 4 x ({s} x {b} + {s}) = {4 * Dense(b, s).params:,}",
        f"with the readout {CfC(n, s, b).params:,} + {s + 1} = {_cfc_values(n, s, b):,} values",
        f"{_cfc_values(n, s, b):,} x {w} = {_cfc_values(n, s, b) * w:,} bytes",
    ),
)


def _int8_bytes(n: int, s: int, b: int, fixed_step: bool = True) -> int:
    cell = CfC(n, s, b, fixed_step)
    return memory.weight_bytes(cell.weights, 8) + memory.weight_bytes(cell.vectors, 32)


INT8_BYTES = Exercise(
    id="qcfc.bytes",
    title="A CfC cell in INT8",
    prompt="A closed-form continuous-time cell of input size {n}, state size {s} and {b} backbone features "
    "is quantised: matrices in INT8, biases in INT32. The time step is fixed, so the biases of the two maps "
    "of the time gate are merged into one vector. How many bytes do its weights and biases take?",
    given={"n": 2, "s": 3, "b": 4},
    draws=_backbone,
    answer=_int8_bytes,
    unit="B",
    tolerance=Absolute(0),
    expect=120,
    source="worked by hand: 8 + 12 + 48 bytes of matrices, 13 biases of 4 bytes",
    misconceptions=(
        Misconception(
            lambda n, s, b: _int8_bytes(n, s, b, fixed_step=False),
            "You kept both bias vectors of the time gate: at a fixed step they add up to one.",
        ),
        Misconception(
            lambda n, s, b: CfC(n, s, b, fixed_step=True).params,
            "You gave a bias one byte: biases join a 32-bit accumulator and take four.",
        ),
        Misconception(
            lambda n, s, b: 4 * CfC(n, s, b, fixed_step=True).params,
            "You gave every value four bytes: the matrices are INT8, one byte a weight.",
        ),
    ),
    hints=(
        "Count matrices and biases apart: they have different widths.",
        "b n + b s + 4 s b bytes of matrices, 4 (b + 3 s) bytes of biases.",
    ),
    steps=lambda n, s, b: (
        f"matrices: {b} x {n} + {b} x {s} + 4 x {s} x {b} = {CfC(n, s, b).weights:,} bytes",
        f"biases: {b} + 3 x {s} = {b + 3 * s}, at 4 bytes {4 * (b + 3 * s):,} bytes",
        f"together {_int8_bytes(n, s, b):,} bytes",
    ),
)

SHARED_LUT = Exercise(
    id="qcfc.shared_lut",
    title="Cells that share lookup tables",
    prompt="Number of INT8 liquid cells in a model: {cells}, each of {p} bytes. Sigmoid and tanh are lookup "
    "tables, {t} tables of {lut} bytes, which all cells share. How many bytes is that in all?",
    given={"cells": 3, "p": 120, "lut": 256, "t": 2},
    draws=lambda rng: {"cells": rng.int(1, 8)},
    answer=lambda cells, p, lut, t: cells * p + t * lut,
    unit="B",
    tolerance=Absolute(0),
    expect=872,
    source="worked by hand: 3 x 120 + 2 x 256",
    misconceptions=(
        Misconception(
            lambda cells, p, lut, t: cells * (p + t * lut),
            "You gave every cell its own tables: they exist once for the model.",
        ),
        Misconception(
            lambda cells, p, lut, t: cells * p + lut,
            "That is one table: sigmoid and tanh need one each.",
        ),
        Misconception(
            lambda cells, p, lut, t: cells * p,
            "The tables are missing: add them once.",
        ),
    ),
    hints=("What grows with the number of cells, and what does not?", "cells x bytes + tables x bytes."),
    steps=lambda cells, p, lut, t: (
        f"cells: {cells} x {p} = {cells * p:,} bytes",
        f"tables, once: {t} x {lut} = {t * lut:,} bytes",
        f"together {cells * p + t * lut:,} bytes",
    ),
)


def _step_values(rng: Rng) -> dict:
    x, f = round(rng.uniform(-1, 1), 2), round(rng.uniform(0, 5), 2)
    return {"x": x, "dt": rng.log(0.01, 1.0), "f": f, "A": rng.choice((-1, 1)), "tau": rng.log(0.1, 10.0)}


def _fused(x: float, dt: float, f: float, A: float, tau: float) -> float:
    return (x + dt * f * A) / (1 + dt * (1 / tau + f))


FUSED_STEP = Exercise(
    id="ltc.fused_step",
    title="One fused solver step",
    prompt="A liquid neuron follows dx/dt = -(1/tau + f) x + f A. Its state is x = {x}, tau = {tau} s, "
    "f = {f} per second and A = {A}. Take one fused (semi-implicit) Euler step of dt = {dt} s. "
    "What is the new state? (four decimals)",
    given={"x": 0.2, "dt": 0.1, "f": 0.5, "A": 1.0, "tau": 1.0},
    draws=_step_values,
    answer=_fused,
    unit="1",
    tolerance=Absolute(0.0005),
    expect=0.25 / 1.15,
    source="worked by hand: (0.2 + 0.05) / (1 + 0.1 x 1.5)",
    misconceptions=(
        Misconception(
            lambda x, dt, f, A, tau: x + dt * (-(1 / tau + f) * x + f * A),
            "That is the explicit Euler step: the fused step takes the leak at the new state, so it divides.",
        ),
        Misconception(
            lambda x, dt, f, A, tau: (x + dt * f * A) / (1 + dt / tau),
            "f is missing in the denominator: the synapse opens a second leak beside 1/tau.",
        ),
        Misconception(
            lambda x, dt, f, A, tau: x + dt * f * A,
            "That is the numerator, without any leak: divide by 1 + dt (1/tau + f).",
        ),
    ),
    hints=(
        "In the leak term stands the new state: collect it on the left side.",
        "(x + dt f A) / (1 + dt (1/tau + f)).",
    ),
    steps=lambda x, dt, f, A, tau: (
        f"numerator: {x:g} + {dt:g} x {f:g} x ({A:g}) = {x + dt * f * A:.5f}",
        f"denominator: 1 + {dt:g} x (1/{tau:g} + {f:g}) = {1 + dt * (1 / tau + f):.5f}",
        f"new state {_fused(x, dt, f, A, tau):.4f}",
    ),
)


def _mix(gate: float, g: float, h: float) -> float:
    return gate * g + (1 - gate) * h


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def _gate_values(rng: Rng) -> dict:
    ends = {"f": 3, "g": 1, "h": 1}
    drawn = {name: round(rng.uniform(-end, end), 2) for name, end in ends.items()}
    return drawn | {"t": round(rng.uniform(0, 10), 1)}


GATE_STEP = Exercise(
    id="cfc.gate_step",
    title="One closed-form update",
    prompt="A closed-form continuous-time neuron mixes two heads: its state is "
    "sigma(-f t) g + (1 - sigma(-f t)) h, sigma being the sigmoid. With f = {f} per second, t = {t} s, "
    "g = {g} and h = {h}, what is the state? (four decimals)",
    given={"f": 0.5, "t": 1.0, "g": 0.8, "h": -0.2},
    draws=_gate_values,
    answer=lambda f, t, g, h: _mix(_sigmoid(-f * t), g, h),
    unit="1",
    tolerance=Absolute(0.0005),
    expect=0.17754066879814542,
    source="worked by hand: sigma(-0.5) = 0.377541, and 0.377541 x 0.8 - 0.622459 x 0.2",
    misconceptions=(
        Misconception(
            lambda f, t, g, h: _mix(_sigmoid(f * t), g, h),
            "The sign of the gate is turned: it is sigma(-f t), so a positive f closes it with time.",
        ),
        Misconception(
            lambda f, t, g, h: (g + h) / 2,
            "That is the middle of both heads: the gate is one half only at f t = 0.",
        ),
        Misconception(
            lambda f, t, g, h: _mix(math.exp(-f * t), g, h),
            "You used exp(-f t) as gate: the closed form has a sigmoid there, which stays below 1.",
        ),
    ),
    hints=("First the gate: sigma(z) = 1 / (1 + e^-z) at z = -f t.", "gate x g + (1 - gate) x h."),
    steps=lambda f, t, g, h: (
        f"gate: sigma({-f * t:.3f}) = {_sigmoid(-f * t):.5f}",
        f"{_sigmoid(-f * t):.5f} x ({g:g}) + {1 - _sigmoid(-f * t):.5f} x ({h:g}) "
        f"= {_mix(_sigmoid(-f * t), g, h):.4f}",
    ),
)

EXERCISES = (
    LTC_PARAMS,
    LTC_READOUT,
    CFC_PARAMS,
    CFC_BYTES,
    INT8_BYTES,
    SHARED_LUT,
    FUSED_STEP,
    GATE_STEP,
)
