"""Elman, LSTM and GRU: every gate, state and output of the reference library, and one step of training.

The reference overwrites h while a time step runs: neuron n sees the new h of the neurons before it. Our
cells see the old h of all. They are fed, for neuron n, the mixed state of the file, and output n alone is
compared: so the arithmetic is checked word for word and no state needs setting aside. What is left are
three defects: the fixed-point GRU takes raw 1 for the 1 of (1 - z) h, training leaves all weights of LSTM
and GRU but w_out as they are, and Elman's recurrent gradient is formed with the overwritten h.
"""

from collections.abc import Iterator

import numpy as np

from tests.golden_checks import Compared
from tests.golden_checks.formats import format_of
from tinylib.nets.arithmetic import FLOAT, Fixed
from tinylib.nets.dense import Dense
from tinylib.nets.optimizers import SGD, State
from tinylib.nets.recurrent import GRU, LSTM, Elman
from tinylib.nets.scan import Cell, Tape, scan_back

CELLS = {"elman": Elman, "lstm": LSTM, "gru": GRU}
ORDER = {"elman": [0], "lstm": [0, 2, 1, 3], "gru": [0, 1, 2]}  # their gates in the order of our blocks
RECORDED = {
    "elman": [],
    "lstm": ["cell_candidate", "forget_gate", "input_gate", "output_gate"],
    "gru": ["update_gate", "reset_gate", "candidate"],
}
RAW_ONE = "raw one in the fixed-point GRU"
FROZEN = "frozen gates"
IN_PLACE = "in-place recurrent state"


class Case:
    """A record with its arithmetic; weights of the file as our arrays, and back."""

    def __init__(self, record: dict) -> None:
        self.record, self.kind = record, record["case"].partition("_")[0]
        self.raw = record["format"] != "double"
        self.ops = Fixed(format_of(record["format"])) if self.raw else FLOAT
        self.rtol = 0.0 if self.raw else 1e-9
        self.n, self.m = record["inputs"], record["hidden"]

    def array(self, record: dict, name: str) -> np.ndarray:
        return np.array(record[self.key(name)], self.ops.dtype)

    def key(self, name: str) -> str:
        return f"{name}_raw" if self.raw else name

    def blocks(self, flat: np.ndarray) -> np.ndarray:
        """Columns neuron * gates + gate of the file as our blocks, gate after gate."""
        a = flat.reshape(-1, self.m, len(ORDER[self.kind]))
        return a.swapaxes(1, 2)[:, ORDER[self.kind]].reshape(len(a), -1)

    def parts(self, record: dict) -> tuple[Cell, Dense]:
        """Our cell and output layer with the weights of a record."""
        w_in, w_rec, b = (self.blocks(self.array(record, name)) for name in ("w_in", "w_rec", "b_in"))
        w_out, b_out = self.array(record, "w_out").reshape(self.m, -1), self.array(record, "b_out")
        cell = CELLS[self.kind](w_in, w_rec, b[0])
        return cell, Dense(w_out, b_out, self.record["output_activation"])

    def compared(self, record: dict, name: str, got: np.ndarray, path: str, **options) -> Compared:
        return Compared(
            f"{path}{self.key(name)}", np.ravel(got), record[self.key(name)], rtol=self.rtol, **options
        )


def in_place(
    case: Case, cell: Cell, x: np.ndarray, state: tuple, recorded: np.ndarray | None = None
) -> tuple:
    """State and records of one time step whose neurons see the h that the reference shows them.

    That is the recorded h, or else what our cell gave, in a fixed-point GRU with its raw 1.
    """
    ops, m = case.ops, case.m
    z, seen = cell.project(x.reshape(1, 1, -1), ops)[0], state[0].copy()
    found: list = []
    for n in range(m):
        after, records = cell.step(z, (seen, *state[1:]), ops)
        if case.kind == "gru" and case.raw and recorded is None:
            after = (raw_one(case, records[0], seen),)
        column = [a.reshape(-1, m)[:, n] for a in (*after, *records)]
        seen[0, n] = column[0][0] if recorded is None else recorded[n]
        found.append(column)
    arrays = [np.stack(columns, -1).reshape(1, -1) for columns in zip(*found)]
    return tuple(arrays[: len(state)]), tuple(arrays[len(state) :])


def raw_one(case: Case, gates: np.ndarray, h: np.ndarray) -> np.ndarray:
    """The state that the fixed-point GRU of the reference reaches: (2^-f - z) h + z g."""
    ops, m = case.ops, case.m
    z, g = gates[:, :m], gates[:, 2 * m :]
    return ops.add(ops.mul(ops.sub(1, z), h), ops.mul(z, g))


def forward(record: dict) -> Iterator[Compared]:
    """Gates, states and outputs of a sequence."""
    case = Case(record)
    cell, out = case.parts(record)
    state = cell.start((1,), case.ops)
    for t, step in enumerate(record["steps"]):
        h = case.array(step, "h")
        after, records = in_place(case, cell, case.array(step, "x"), state, h)
        path = f"steps[{t}]."
        for k, name in enumerate(RECORDED[case.kind]):
            yield case.compared(step, name, records[0][:, k * case.m : (k + 1) * case.m], path)
        if case.kind == "lstm":
            yield case.compared(step, "cell_state", after[1], path)
        if case.kind == "gru":
            yield case.compared(step, "recurrent_sum", records[1], path)
        defect = {}
        if case.kind == "gru" and case.raw:
            defect = {"defect": RAW_ONE, "instead": np.ravel(raw_one(case, records[0], state[0]))}
        yield case.compared(step, "h", after[0], path, **defect)
        yield case.compared(step, "y", out.forward(h[None], case.ops)[0], path)
        state = (h[None], *after[1:])


def training(record: dict) -> Iterator[Compared]:
    """Output, hidden delta and weights of each step, from the weights of the step before."""
    case, ops = Case(record), Case(record).ops
    sgd = SGD(learning_rate=0.25, momentum=0.5, acceleration=0.0625)
    before = record["initial"]
    cell, out = case.parts(before)
    zeros = [{name: np.zeros_like(a) for name, a in part.arrays.items()} for part in (cell, out)]
    changes = [zeros, zeros]  # the last, and the one before
    state = cell.start((1,), ops)
    for t, step in enumerate(record["steps"]):
        cell, out = case.parts(before)
        path, x = f"steps[{t}].", case.array(step, "x")
        after, records = in_place(case, cell, x, state)
        y, tape = out.forward(after[0], ops)
        yield case.compared(step, "y", y, path)
        dh, of_out = out.back(tape, ops.sub(case.array(step, "target"), y), ops)
        bent = ops.mul(dh, ops.slope("tanh", after[0], after[0]))
        yield case.compared(step, "hidden_node_delta", bent, path)
        stacked = tuple(np.stack(pair) for pair in zip(state, after))
        sequence = Tape(x.reshape(1, 1, -1), None, stacked, tuple(r[None] for r in records))
        _, of_cell, _ = scan_back(cell, sequence._replace(zs=sequence.xs), dh[None], ops)
        arrays = [cell.arrays, out.arrays]
        new = sgd.step(arrays, [of_cell, of_out], State(0, None, *changes), ops)[0]
        overwritten = of_cell | {"w_rec": ops.outer(after[0], bent)} if case.kind == "elman" else of_cell
        instead = sgd.step(arrays, [overwritten, of_out], State(0, None, *changes), ops)[0][0]["w_rec"]
        yield from weights(case, step, before, new, instead, path)
        cell_now, out_now = case.parts(step)
        moved = zip((cell_now, out_now), arrays)
        moved = [{k: ops.sub(a, old[k]) for k, a in part.arrays.items()} for part, old in moved]
        changes, before, state = [moved, changes[0]], step, after


def weights(
    case: Case, step: dict, before: dict, new: list, overwritten: np.ndarray, path: str
) -> Iterator[Compared]:
    """The new weights beside those of the file; where a defect bites, also what it makes of them."""
    gates = len(ORDER[case.kind])
    for name, a in (("w_in", new[0]["w_in"]), ("b_in", new[0]["b"]), ("w_rec", new[0]["w_rec"])):
        theirs = np.argsort(ORDER[case.kind])
        flat = a.reshape(-1, gates, case.m)[:, theirs].swapaxes(1, 2)
        defect = {"defect": FROZEN, "instead": before[case.key(name)]}
        if case.kind == "elman":
            defect = {"defect": IN_PLACE, "instead": np.ravel(overwritten)} if name == "w_rec" else {}
        yield case.compared(step, name, flat, path, **defect)
    yield case.compared(step, "w_out", new[1]["w"], path)
    frozen = {} if case.kind == "elman" else {"defect": FROZEN, "instead": before[case.key("b_out")]}
    yield case.compared(step, "b_out", new[1]["b"], path, **frozen)


CHECKS = {f"{kind}_forward": forward for kind in CELLS} | {f"{kind}_train_trace": training for kind in CELLS}
