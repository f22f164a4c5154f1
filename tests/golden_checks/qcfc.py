"""int8 CfC: calibration, integers, tables and every state; and the integer primitives below it."""

from collections.abc import Iterator

import numpy as np

from tests.golden_checks import Compared
from tinylib.formats.affine import Affine, clamp, multiplier
from tinylib.nets.cfc import CfC
from tinylib.nets.int8_cfc import Int8CfC, ranges
from tinylib.nets.int8_ops import high_product, rounding_shift, scaled
from tinylib.nets.scan import scan

HEADS = ("ff1", "ff2", "time_a", "time_b")
NAMES = {
    "input": "backbone_input",
    "state": "backbone_hidden",
    **dict(zip("fgae", HEADS)),
    "gate": "one_minus_t_times_ff1",
}
SINGLE = 1e-5  # ranges of a float32 run
CANCELLED = 1e-4  # its states, which are differences


def float_cell(record: dict) -> CfC:
    """The floating-point cell; the file has one row per output, ours one column."""
    p = record["float_params"]
    n, m, k = record["inputs"], record["hidden"], record["backbone"]

    def matrix(name: str, rows: int, columns: int) -> np.ndarray:
        return np.array(p[name]).reshape(rows, columns).T

    heads = np.hstack([matrix(f"w_{name}", m, k) for name in HEADS])
    biases = np.concatenate([p[f"b_{name}"] for name in HEADS])
    backbone = matrix("w_backbone_input", k, n), matrix("w_backbone_hidden", k, m), np.array(p["b_backbone"])
    return CfC(*backbone, heads, biases, dt=record["ts"])


def cell(record: dict) -> Iterator[Compared]:
    """Everything that follows from the floating-point weights and the ranges."""
    exact, scales, integers = float_cell(record), record["scales"], record["int_params"]
    xs = np.array([step["x_float"] for step in record["steps"]])[:, None]
    largest = np.array(ranges(exact, xs)) / 127
    for name, value in zip(("hidden_scale", "lut_input_scale"), largest):
        yield Compared(f"scales.{name}", value, scales[name], rtol=SINGLE)
    source = Affine(scales["input_scale"], scales["input_zero_point"])
    low, high = record["output_qmin"], record["output_qmax"]
    state, sums = Affine(scales["hidden_scale"], narrow=True), Affine(scales["lut_input_scale"], narrow=True)
    yield Compared("output_qmin, output_qmax", state.codes, (low, high))
    got = Int8CfC.of(exact, source, state, sums)

    weights = {"w_backbone_input": got.w_in, "w_backbone_hidden": got.w_rec}
    weights |= {f"w_{name}": w for name, w in zip(HEADS, np.split(got.w_heads, 4, axis=1))}
    biases = dict(zip(("b_ff1", "b_ff2", "b_time"), np.split(got.b_heads, 3))) | {"b_backbone": got.b}
    for name, scale in zip(weights, got.scales):
        yield Compared(f"scales.{name}_scale", scale, scales[f"{name}_scale"])
    for name, w in weights.items():
        yield Compared(f"int_params.{name}", w.T, integers[name])
    for name, b in biases.items():
        yield Compared(f"int_params.{name}", b, integers[name])
    wanted = record["requant_multiplier_shift"]
    for ours, name in (*NAMES.items(), ("gate", "t_times_ff2")):
        yield Compared(f"requant_multiplier_shift.{name}", got.multipliers[ours], wanted[name])
    for name, table in zip(("tanh_lut", "sigmoid_lut"), got.tables):
        yield Compared(name, table.table, record[name])
    yield Compared("param_bytes", got.weight_bytes, record["param_bytes"])

    yield Compared("x", source.quantize(xs), [step["x"] for step in record["steps"]])
    codes = np.array([step["x"] for step in record["steps"]], np.int8)[:, None]
    hs = got.forward(codes)
    for t, (step, h, reference) in enumerate(zip(record["steps"], hs, scan(exact, xs)[0])):
        yield Compared(f"steps[{t}].h", h, step["h"])
        yield Compared(f"steps[{t}].h_float", state.dequantize(h.astype(float)), step["h_float"], rtol=1e-7)
        yield Compared(f"steps[{t}].h_float_reference", reference, step["h_float_reference"], rtol=CANCELLED)


def primitives(record: dict) -> Iterator[Compared]:
    """The integer primitives on numbers of 32 bits, their ends included."""

    def arrays(name: str, *keys: str) -> list[np.ndarray]:
        return [np.array(record[name][key], np.int64) for key in keys]

    name = "saturating_rounding_doubling_high_mul"
    yield Compared(name, high_product(*arrays(name, "a", "b")), record[name]["out"])
    name = "rounding_divide_by_pot"
    yield Compared(name, rounding_shift(*arrays(name, "x", "exponent")), record[name]["out"])
    name = "multiply_by_quantized_multiplier"
    yield Compared(name, scaled(*arrays(name, "x", "multiplier", "shift")), record[name]["out"])
    name = "quantize_multiplier"
    pairs = [multiplier(1.0, ratio, 1.0) if ratio else (0, 0) for ratio in record[name]["ratio"]]
    wanted = list(zip(record[name]["multiplier"], record[name]["shift"]))
    yield Compared(name, pairs, wanted)
    for i, r in enumerate(record["requantizer_apply"]):
        y = scaled(np.array(r["acc"]), r["multiplier"], r["shift"]) + r["zero_point"]
        yield Compared(f"requantizer_apply[{i}]", clamp(y, r["qmin"], r["qmax"]), r["out"])


CHECKS = {"qcfc_forward": cell, "int8_requant_primitives": primitives}
