"""LTC and CfC: the state after every sample. The reference cuts dt and elapsed times toward zero."""

import math
from collections.abc import Iterator

import numpy as np

from tests.golden_checks import Compared
from tests.golden_checks.formats import format_of
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Fixed
from tinylib.nets.cfc import CfC
from tinylib.nets.liquid import LTC
from tinylib.nets.scan import Cell, scan


def _read(case: dict) -> tuple[Arithmetic, str]:
    """The arithmetic of a case, and the ending of the keys of its numbers."""
    return (FLOAT, "") if case["format"] == "double" else (Fixed(format_of(case["format"])), "_raw")


def _time(value: float, ops: Arithmetic) -> float:
    """A time as the reference holds it."""
    return value if ops is FLOAT else math.trunc(value * ops.one) / ops.one


def _taken(case: dict, ops: Arithmetic, *shapes: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The flat parameters cut into arrays of these shapes."""
    flat = np.array(case["params" if ops is FLOAT else "params_raw"], ops.dtype)
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    assert ends[-1] == len(flat)
    return (a.reshape(shape) for a, shape in zip(np.split(flat, ends[:-1]), shapes))


def _states(case: dict, cell: Cell, ops: Arithmetic, ending: str, **given) -> Iterator[Compared]:
    xs = np.array([step[f"x{ending}"] for step in case["steps"]], ops.dtype)[:, None]
    hs, _ = scan(cell, xs, ops, **given)
    for t, (h, step) in enumerate(zip(hs, case["steps"])):
        name = f"state{ending}"
        yield Compared(f"steps[{t}].{name}", h[0], step[name], rtol=1e-9 if ops is FLOAT else 0.0)


def ltc_step(case: dict) -> Iterator[Compared]:
    ops, ending = _read(case)
    n, m, unfolds = case["inputs"], case["state"], case["unfolds"]
    w_in, w_rec, b, tau, a = _taken(case, ops, (m, n), (m, m), (m,), (m,), (m,))
    dt = _time(case["dt"], ops) * unfolds  # theirs is the time of one step, ours that of a sample
    yield from _states(case, LTC(w_in.T, w_rec.T, b, tau, a, dt, unfolds), ops, ending)


def cfc_step(case: dict) -> Iterator[Compared]:
    ops, ending = _read(case)
    n, m, k = case["inputs"], case["state"], case["backbone"]
    w_in, w_rec, b, *heads = _taken(case, ops, (k, n), (k, m), (k,), *((m, k), (m,)) * 4)
    cell = CfC(w_in.T, w_rec.T, b, np.concatenate(heads[::2]).T, np.concatenate(heads[1::2]))
    elapsed = np.array([[_time(step["ts"], ops)] for step in case["steps"]])
    yield from _states(case, cell, ops, ending, elapsed=elapsed)


CHECKS = {"ltc_step": ltc_step, "cfc_step": cfc_step}
