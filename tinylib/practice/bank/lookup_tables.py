"""Chapter "T Lookup tables": bytes of activation tables, error between their nodes and beyond them."""

import math

from tinylib.formats import lut
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative

TABLE_BYTES = Exercise(
    id="lut.bytes",
    title="Bytes of activation tables",
    prompt="Activation tables are kept in flash: {t} of them, with {n} entries of {b} B each. "
    "How many bytes is that in all?",
    given={"n": 96, "b": 4, "t": 2},
    draws=lambda rng: {
        "n": rng.choice((33, 64, 96, 128)),
        "b": rng.choice((1, 2, 4)),
        "t": rng.int(1, 4),
    },
    answer=lambda n, b, t: lut.table_bytes(n, b, t),
    unit="B",
    tolerance=Absolute(0),
    expect=768,
    source="worked by hand: 2 x 96 x 4",
    misconceptions=(
        Misconception(
            lambda n, b, t: n * b,
            "That is one table: each activation function has its own.",
        ),
        Misconception(
            lambda n, b, t: n * t,
            "Those are the entries: each takes several bytes.",
        ),
        Misconception(
            lambda n, b, t: 256 * t,
            "That is a 256-entry table of single bytes: use the entries and bytes given here.",
        ),
    ),
    hints=("How many bytes has one table?", "bytes = tables * entries * bytes per entry."),
    steps=lambda n, b, t: (
        f"one table: {n} x {b} = {n * b:,} bytes",
        f"all tables: {t} x {n * b:,} = {t * n * b:,} bytes",
    ),
)

INTERPOLATION_ERROR = Exercise(
    id="lut.interp_error",
    title="Error bound of linear interpolation",
    prompt="tanh is read from a table with nodes {h} apart, by a straight line between neighbours. Its "
    "second derivative is at most 4 / (3 sqrt 3) in size. How large can the error be?",
    given={"h": 0.125},
    draws={"h": (0.5, 0.125, 0.0625)},  # at 0.25 two of the mistakes are one value
    answer=lambda h: lut.interpolation_bound(h, "tanh"),
    unit="1",
    tolerance=Relative(0.02),
    expect=0.0015035163260146505,
    source="worked by hand: 0.7698 x 0.015625 / 8",
    misconceptions=(
        Misconception(
            lambda h: lut.MAX_CURVATURE["tanh"] * h * h / 2,
            "That is the Taylor remainder from one node: a line through two nodes leaves h^2 / 8.",
        ),
        Misconception(
            lambda h: h / 2,
            "That is the bound of the nearest node: a line removes the term linear in h.",
        ),
        Misconception(
            lambda h: lut.MAX_CURVATURE["tanh"] * h / 8,
            "The step stands there once: the error grows with its square.",
        ),
    ),
    hints=(
        "The error is largest half-way between two nodes, where the curve bends most.",
        "max|f''| * h^2 / 8.",
    ),
    steps=lambda h: (
        f"max|tanh''| = 4 / (3 sqrt 3), about {lut.MAX_CURVATURE['tanh']:.4f}",
        f"{lut.MAX_CURVATURE['tanh']:.4f} x {h:g}^2 / 8 = {lut.interpolation_bound(h):.6f}",
    ),
)

NEAREST_ERROR = Exercise(
    id="lut.nearest_error",
    title="Error bound of the nearest node",
    prompt="tanh is read from a table with nodes {h} apart, by taking the nearest node. Its slope is at most "
    "1, at the origin. How large can the error be, to first order?",
    given={"h": 0.125},
    draws={"h": (0.5, 0.25, 0.125, 0.0625)},
    answer=lambda h: lut.nearest_bound(h, "tanh"),
    unit="1",
    tolerance=Relative(0.02),
    expect=0.0625,
    source="worked by hand: 0.125 / 2 x 1",
    misconceptions=(
        Misconception(
            lambda h: h,
            "That is a full step: the nearest node is at most half a step away.",
        ),
        Misconception(
            lambda h: h * h / 8,
            "That is quadratic in h, as for interpolation: here no line is drawn.",
        ),
    ),
    hints=("How far away can the nearest node be?", "distance * slope = h / 2 * max|f'|."),
    steps=lambda h: (
        f"largest distance: {h:g} / 2 = {h / 2:g}",
        f"times the slope 1: {h / 2:g}",
    ),
)

SATURATION_ERROR = Exercise(
    id="lut.saturation_error",
    title="A sigmoid that is cut off",
    prompt="Below x = {x} a sigmoid is set to 0. How large is the error at the cut?",
    given={"x": -6.0},
    draws=lambda rng: {"x": -rng.int(30, 100) / 10},
    answer=lambda x: lut.sigmoid_cut_error(x),
    unit="1",
    tolerance=Relative(0.01),
    expect=0.0024726231566347743,
    source="worked by hand: 1 / (1 + e^6) = 1 / 404.43",
    misconceptions=(
        Misconception(
            lambda x: math.exp(x) / 2,
            "That is half the tail: far left a sigmoid is about e^x.",
        ),
        Misconception(
            lambda x: 1 - math.tanh(-x),
            "That is the tail of tanh, which falls as e^(2x): a sigmoid falls as e^x.",
        ),
        Misconception(
            lambda x: 2**-8,
            "That is one code of Q8.8: the error comes from the function, not from the format.",
        ),
    ),
    hints=("What is sigmoid(x) there, instead of 0?", "1 / (1 + e^-x)."),
    steps=lambda x: (
        f"e^{-x:g} = {math.exp(-x):,.2f}",
        f"1 / (1 + {math.exp(-x):,.2f}) = {lut.sigmoid_cut_error(x):.7f}",
    ),
)

EXERCISES = (TABLE_BYTES, INTERPOLATION_ERROR, NEAREST_ERROR, SATURATION_ERROR)
