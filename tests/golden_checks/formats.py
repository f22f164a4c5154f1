"""Formats: Q arithmetic, conversion, lookup tables, activations and softmax.

The reference clamps at a maximum without fraction (Q8.8 at 127.0); ours is the true one. `_clamped` is its
rule, so that a difference is set aside only where the file holds exactly what that clamp gives. A quotient by
zero is undefined in the reference under wrap (null in the files) and refused here; under saturation it is the
end of the range, a policy that tinylib has by name.
"""

import contextlib
import functools
import re

import numpy as np

from tests.golden_checks import Compared
from tinylib.formats import lut
from tinylib.formats.qformat import QFormat, shift, wrap
from tinylib.nets.arithmetic import Fixed

ROUNDING = {"truncate": "floor", "roundup": "nearest"}
MAXIMUM = "saturation bound without fraction"


def format_of(name):
    """QFormat of "Q8.8" or "UQ8.8"."""
    unsigned, whole, fraction = re.fullmatch(r"(U?)Q(\d+)\.(\d+)", name).groups()
    return QFormat(int(whole), int(fraction), signed=not unsigned)


def _clamped(q, name, a, b, rounding):
    """What the reference gives for one saturating operation on codes a and b."""
    low, high, bits = q.min_raw, q.max_raw >> q.frac_bits << q.frac_bits, q.total_bits
    if name == "add":
        room = (high - b) % 2**32 if not q.signed and bits == 32 else high - b  # 32-bit unsigned: modulo
        if b > 0 and a > room:
            return high
        return low if b < 0 and a < low - b else wrap(a + b, bits, q.signed)
    if name == "sub":
        if b > 0 and a < low + b:
            return low
        return high if b < 0 and a > high + b else wrap(a - b, bits, q.signed)
    if name == "mul":
        product = min(max(a * b, low << q.frac_bits), high << q.frac_bits)
        return wrap(shift(product, q.frac_bits, rounding), bits, q.signed)
    if b == 0:
        return high if a > 0 else low
    quotient = abs(a << q.frac_bits) // abs(b) * (-1 if (a < 0) != (b < 0) else 1)
    return min(max(quotient, low), high)


def _refused(q, a):
    """None where a / 0 is refused, as the reference leaves it undefined."""
    with contextlib.suppress(ValueError):
        return q.div(a, 0, overflow="wrap")


def qvalue_ops(case):
    q = format_of(case["format"])
    a, b = case["a_raw"], case["b_raw"]
    policy, overflow = case["policy"].split("_")
    rounding, saturating = ROUNDING[policy], overflow == "saturate"
    yield Compared("fixed_bits", q.int_bits, case["fixed_bits"])
    yield Compared("signed", q.signed, case["signed"])
    yield Compared("saturation_min_raw", q.min_raw, case["saturation_min_raw"])
    whole = q.max_raw >> q.frac_bits << q.frac_bits
    yield Compared("saturation_max_raw", q.max_raw, case["saturation_max_raw"], MAXIMUM, instead=whole)
    options = {"mul": {"rounding": rounding}, "div": {"by_zero": "saturate" if saturating else "refuse"}}
    for name in ("add", "sub", "mul", "div"):
        want = case[f"{name}_raw"]
        rule = functools.partial(getattr(q, name), overflow=overflow, **options.get(name, {}))
        defined = [saturating or name != "div" or y != 0 for y in b]
        got = [rule(x, y) if d else _refused(q, x) for x, y, d in zip(a, b, defined)]
        clamped = [_clamped(q, name, x, y, rounding) for x, y in zip(a, b)] if saturating else None
        yield Compared(f"{name}_raw", got, want, MAXIMUM if saturating else "", instead=clamped)
        again = rule(np.array(a)[defined], np.array(b)[defined])
        yield Compared(f"{name}_raw of arrays", again, [y for y, d in zip(got, defined) if d])
    yield Compared("a_lt_b", [int(x < y) for x, y in zip(a, b)], case["a_lt_b"])


def qvalue_convert(case):
    source, target = format_of(case["from"]), format_of(case["to"])
    raws = case["from_raw"]
    yield Compared("to_raw", [source.convert(x, target, "floor", "wrap") for x in raws], case["to_raw"])
    yield Compared("to_raw", source.convert(np.array(raws), target, "floor", "wrap"), case["to_raw"])


def qvalue_construct(case):
    q = format_of(case["format"])
    parts = zip(case["fixed_part"], case["fractional_part"])
    yield Compared(
        "raw", [q.fit((whole << q.frac_bits) | part, "wrap") for whole, part in parts], case["raw"]
    )
    numbers = [q.to_raw(x, "toward_zero", "wrap") for x in case["from_double_in"]]
    yield Compared("from_double_raw", numbers, case["from_double_raw"])


def zero_tolerance(case):
    """The dead zone of training, 2^-7 or two codes, open at both ends; and the rates 1/4, 1/2 and 1/16."""
    q = format_of(case["format"])
    width = max(q.to_raw(2**-7), 2)
    yield Compared("max_raw", width, case["max_raw"])
    yield Compared("min_raw", -width, case["min_raw"])
    yield Compared("within", [int(-width < x < width) for x in case["x_raw"]], case["within"])
    for name, rate in ("learning_rate", 1 / 4), ("momentum", 1 / 2), ("acceleration", 1 / 16):
        yield Compared(f"{name}_raw", q.to_raw(rate), case[f"{name}_raw"])


def lut_table(case):
    q = format_of(case["format"])
    yield Compared("entries", lut.ENTRIES, case["entries"])
    yield Compared("x_min", lut.FIRST, case["x_min"])
    yield Compared("x_step", [1, lut.STEPS], [case["x_step_num"], case["x_step_den"]])
    yield Compared("values_raw", Fixed(q).table(case["function"]), case["values_raw"])


def activation(case):
    ops, name = Fixed(format_of(case["format"])), case["function"]
    x = np.array(case["x_raw"])
    if name == "exp_lut":
        y = ops.exp(x)
    elif name == "sqrt":
        y = ops.sqrt(x)
    elif name.endswith("_derivative_of_output"):
        y = ops.slope(name.split("_")[0], x, x)
    elif name.endswith("_derivative"):
        name = name.removesuffix("_derivative")
        y = ops.slope(name, x, ops.apply(name, x))
    else:
        y = ops.apply(name, x)
    yield Compared("y_raw", y, case["y_raw"])


def softmax(case):
    ops = Fixed(format_of(case["format"]))
    yield Compared("y_raw", ops.softmax(np.array(case["x_raw"])), case["y_raw"])


CHECKS = {
    "qvalue_ops": qvalue_ops,
    "qvalue_convert": qvalue_convert,
    "qvalue_construct": qvalue_construct,
    "zero_tolerance": zero_tolerance,
    "lut_table": lut_table,
    "activation": activation,
    "softmax": softmax,
}
