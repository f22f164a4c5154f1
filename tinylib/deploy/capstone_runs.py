"""Networks that a class might try on the capstone, as they were trained, built and measured; and an estimate.

runs()          what each took and reached, on file; `python -m benchmarks.capstone` trains and measures them
estimate(...)   what a network may take, where there is no compiler: fitted to the runs
look(...)       a network of one's own beside one's budget
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tinylib.deploy import capstone
from tinylib.deploy.capstone import LIMITS, Budget, Use
from tinylib.deploy.image import MissingTool
from tinylib.deploy.plain_network import Plain
from tinylib.practice.assignment import context
from tinylib.practice.draws import Rng

DATA = Path(__file__).parent / "data" / "capstone.json"


@dataclass(frozen=True)
class Run:
    """One trained network of the study: what it took in int8, and its accuracies [%].

    weights: and biases [count]; weight_bytes: of them in int8, biases in 32 bits; floating: of unheard
    speakers before it was quantized
    """

    name: str
    flash_bytes: int
    ram_bytes: int
    instructions: int
    macs: int
    weights: int
    weight_bytes: int
    visible: float
    unheard: float
    floating: float

    @property
    def use(self) -> Use:
        """What it takes, with the accuracy on unheard speakers."""
        return Use(self.flash_bytes, self.ram_bytes, self.instructions, self.unheard)


@cache
def _file() -> dict[str, Any]:
    return json.loads(DATA.read_text(encoding="utf-8"))


@cache
def runs() -> tuple[Run, ...]:
    """The study on file."""
    return tuple(Run(**row) for row in _file()["runs"])


def memorised() -> Mapping[str, float]:
    """Accuracies [%], visible and unheard, of a network that was fitted to the visible test speakers."""
    return _file()["memorised"]


def practice_budget(name: str) -> Budget:
    """A budget drawn from a name, to practise on: some network of the study keeps it with little room."""
    rng = Rng("capstone practice", name.strip().casefold())
    run = rng.choice(runs())
    limits = (getattr(run, limit) * rng.uniform(1.05, 1.4) for limit in LIMITS)
    flash, ram, instructions = (math.ceil(m / step) * step for m, step in zip(limits, (10, 4, 100)))
    return Budget(flash, ram, instructions, math.floor(run.unheard) - 4)


def estimate(network: Plain) -> Use:
    """What a network may take, without building it.

    Of the runs on file it meets flash within a tenth and instructions within about a fifth. Flash is the
    weights, RAM the largest pair of activations behind the input, and for both what the code of the layers
    took beside them in the runs; instructions follow MACs, pooled values and outputs.
    """
    flash, ram, instructions = looks(network)
    code, stack, work = (np.array(_file()["fitted"][name]) for name in ("flash", "ram", "instructions"))
    return Use(
        *(round(float(v)) for v in (flash[0] + flash[1] @ code, ram[0] + ram[1] @ stack, instructions @ work))
    )


def looks(network: Plain) -> tuple[tuple[int, np.ndarray], tuple[int, np.ndarray], np.ndarray]:
    """What flash and RAM hold at least [bytes] with the kinds of layers, and what instructions depend on."""
    rows = network.model.rows
    kinds = [type(node.layer).__name__ for node in network.model.nodes]
    convs, pools = (len([k for k in kinds if word in k]) for word in ("Conv", "Pool"))
    more = max(kinds.count("Dense") - 1, 0)
    held = [0, *(row.activation_elements for row in rows[:-1]), 2 * capstone.CLASSES]
    work = dict.fromkeys(("fixed", "Dense", "first", "later", "pooled", "outputs"), 0.0) | {"fixed": 1.0}
    for kind, row in zip(kinds, rows):
        if row.macs:
            work[kind if kind == "Dense" else "first" if row.in_shapes[0][-1] == 1 else "later"] += row.macs
            work["outputs"] += row.activation_elements
        else:
            work["pooled"] += np.prod(row.in_shapes[0])
    divided = [row for row, node in zip(rows, network.model.nodes) if _divides(node.layer)]
    work["divided"] = sum(row.activation_elements for row in divided)
    code = np.array([1.0, convs > 0, max(convs - 1, 0), more, pools, len(divided) > 0])
    largest = max(a + b for a, b in pairwise(held))
    return (network.weight_bytes, code), (largest, np.array([1.0, more])), np.array([*work.values()])


def _divides(layer: Any) -> bool:
    """Whether it takes means of a number of values that is no power of two: division is code of its own."""
    size = math.prod(getattr(layer, "kernel_size", (1,)))
    return type(layer).__name__.startswith("Avg") and bool(size & (size - 1))


def look(value: Any, given: Mapping[str, Any]) -> str:
    """SVG of what a network takes of a student's budget, with its accuracy on the visible speakers [text].

    Measured where the extra `device` is installed, else estimated; estimated too while it is graded.
    """
    network, (_, test) = capstone.read(value), capstone.visible()
    note = "estimated: measuring needs the extra device"
    try:
        if context() == "lab":
            use, note = capstone.used(network, test), "measured on an emulated Cortex-M0+"
    except MissingTool:
        pass
    if note.startswith("estimated"):
        use = replace(estimate(network), accuracy=capstone.accuracy(network, test))
    note = f"{note}; accuracy on the 6 speakers you have"
    return capstone.dashboard(use, capstone.budget_of(given), "Your network", note)
