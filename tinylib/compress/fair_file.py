"""What the fair benchmark of five seeds gave, on file.

    python -m tinylib.compress.fair_file three_axis     runs the rivals again, for data/fair_three_axis.json
    python -m tinylib.compress.fair_file machines       the same on the machines, for data/fair_machines.json

Each takes one core about a quarter of an hour. Rows on file are kept: delete a file to begin anew. A second
process, given `backwards` as well, starts at the other end.
cached()    the runs on file; `tinylib.compress.fair` makes any of them here and now
"""

import json
import os
import sys
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from tinylib.compress.fair import SPLITS, Run, gain, interval, run, run_machines
from tinylib.compress.rivals import MACHINE_RIVALS, RIVALS, WINDOW
from tinylib.show.rivals import Contender, Interval

DATA = Path(__file__).parent / "data"
KINDS = "three_axis", "machines"
SEEDS = {  # the layout of the small CNN was chosen while its results with the first seeds were in sight
    "three_axis": range(10, 15),
    "machines": range(5),
}
SEVERITIES = (0.4, 0.7, 1.0)
ALL_AT = 0.7  # the severity at which the networks ran as well; the cheapest rival ran at all


@dataclass(frozen=True)
class Results:
    """Runs on file: `runs[rival]`, and `machines[severity, split, rival]`, each a tuple over seeds."""

    made: str
    runs: dict[str, tuple[Run, ...]]
    machines: dict[tuple[float, str, str], tuple[Run, ...]]

    def accuracies(self, rival: str) -> list[float]:
        """One per seed [0..1]."""
        return [r.accuracy for r in self.runs[rival]]

    def machine_accuracies(self, severity: float, split: str, rival: str) -> list[float]:
        """One per seed [0..1]."""
        return [r.accuracy for r in self.machines[severity, split, rival]]

    def contenders(self, cost: str = "macs") -> list[Contender]:
        """Every rival on file with a field of `rivals.Cost`, and its interval: what a picture draws."""
        plans = {name: RIVALS[name] for name in self.runs}
        costs = {name: getattr(plan.cost(WINDOW), cost) for name, plan in plans.items()}
        return [Contender(n, plans[n].family, costs[n], *interval(self.accuracies(n))) for n in plans]

    def gains(self, over: str) -> list[Interval]:
        """Points [%] that each other rival has more than `over`, pair by pair: rows of a picture."""
        base = self.accuracies(over)
        rows = [(n, gain(self.accuracies(n), base)) for n in self.runs if n != over]
        return [Interval(n, *(100 * v for v in ends)) for n, ends in rows]

    def by_split(self, severity: float, split: str) -> list[Interval]:
        """Accuracy [%] of every rival on the machines with either split; `split` is the chosen one."""
        rows = []
        for name in (n for n in MACHINE_RIVALS if (severity, split, n) in self.machines):
            for kind in SPLITS:
                ends = interval(self.machine_accuracies(severity, kind, name))
                rows.append(Interval(f"{name}, {kind}", *(100 * v for v in ends), kind == split))
        return rows

    def table(self, rival: str) -> list[list[int]]:
        """Confusion of all seeds together [windows]."""
        return np.sum([r.confusion for r in self.runs[rival]], axis=0).tolist()


@cache
def cached() -> Results:
    """The results on file."""
    three_axis, machines = (_read(kind) for kind in KINDS)
    runs = {row["rival"]: _runs("three_axis", row) for row in three_axis["rows"]}
    by_split = {
        (row["severity"], row["split"], row["rival"]): _runs("machines", row) for row in machines["rows"]
    }
    return Results(three_axis["made"], runs, by_split)


def _read(kind: str) -> dict:
    path = DATA / f"fair_{kind}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"made": "", "rows": []}


def _runs(kind: str, row: dict) -> tuple[Run, ...]:
    return tuple(
        Run(row["rival"], seed, tuple(map(tuple, table)), epochs)
        for seed, table, epochs in zip(SEEDS[kind], row["confusions"], row["epochs"])
    )


def _plans(kind: str) -> list[dict]:
    """What identifies each row of a file, the cheap rivals first."""
    if kind == "three_axis":
        return [{"rival": name} for name in RIVALS]
    plans = product(SEVERITIES, SPLITS, MACHINE_RIVALS)
    return [
        {"severity": severity, "split": split, "rival": name}
        for severity, split, name in plans
        if severity == ALL_AT or name == "spectrum"
    ]


def _made(kind: str, plan: dict) -> dict:
    make = run_machines if kind == "machines" else run
    own = {name: value for name, value in plan.items() if name != "rival"}
    runs = [make(plan["rival"], seed=seed, **own) for seed in SEEDS[kind]]
    return {**plan, "epochs": [r.epochs for r in runs], "confusions": [r.confusion for r in runs]}


def main(kind: str, backwards: bool = False) -> None:
    """Run what is not on file, row by row; a second process may work from the other end."""
    plans = _plans(kind)
    for plan in reversed(plans) if backwards else plans:
        if not _on_file(kind, plan):
            row = _made(kind, plan)
            if not _on_file(kind, plan):
                _write(kind, [*_read(kind)["rows"], row])


def _on_file(kind: str, plan: dict) -> bool:
    return any(plan.items() <= row.items() for row in _read(kind)["rows"])


def _write(kind: str, rows: list[dict]) -> None:
    DATA.mkdir(exist_ok=True)
    plans, part = _plans(kind), DATA / f"fair_{kind}.part"
    rows = sorted(rows, key=lambda row: next(i for i, p in enumerate(plans) if p.items() <= row.items()))
    made = json.dumps(f"{date.today()}, {len(SEEDS[kind])} seeds")
    text = ",\n".join("  " + json.dumps(row) for row in rows)
    part.write_text(f'{{\n "made": {made},\n "rows": [\n{text}\n ]\n}}\n', encoding="utf-8")
    os.replace(part, part.with_suffix(".json"))


if __name__ == "__main__":
    if sys.argv[1:2] not in (["three_axis"], ["machines"]):
        sys.exit("python -m tinylib.compress.fair_file three_axis | machines [backwards]")
    main(sys.argv[1], sys.argv[2:] == ["backwards"])
