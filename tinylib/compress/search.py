"""Architecture search under the limits of a chip: networks are drawn, checked, trained, bred.

    genome    one network of `space`: up to two convolutions and a hidden layer
    feasible  int8 weights <= flash share, operator-pair peak <= SRAM share, MACs <= clock x rate x deadline
    fitness   validation accuracy against MACs: parents are the best ranks, the loneliest first

Shapes alone decide what fits, so that nothing is trained that cannot run. A candidate is a pure function
of genome, seed and epochs: the answer is the same for any number of jobs, and a journal of finished
candidates lets a search that was stopped go on. (Between processors the last bit of a product may differ,
and training makes more of it.) The test accuracy is reported and never looked at.

Drawing at random is a strong rival in a space this small: of the 681 genomes that fit the default device
96 are tried. Breeding came closer to the true front in 33 of 40 seeds, by little.
Source: Lin et al., MCUNet, arXiv 2007.10319, section 3.1; Deb et al. 2002 (selection).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from math import inf, log10
from pathlib import Path
from typing import Any

import numpy as np

from tinylib.compress import baseline, pareto
from tinylib.compress.space import CHOICES, Genome, build, costs, crossed, draw, mutated
from tinylib.cost import devices
from tinylib.cost.layers import count
from tinylib.datasets import Split, digits
from tinylib.nets.network import Network
from tinylib.nets.progress import bar
from tinylib.nets.sweep import sweep
from tinylib.units import shown

__all__ = [
    "CHOICES",
    "Budget",
    "Candidate",
    "Genome",
    "budget",
    "build",
    "costs",
    "evaluate",
    "evolve",
    "feasible",
    "front",
]


@dataclass(frozen=True)
class Budget:
    """What a network may use: activations [bytes], weights [bytes] and multiply-accumulates [MAC]."""

    sram_bytes: int
    flash_bytes: int
    macs: float = inf


def budget(device: str = "stm32l011", share: float = 0.5, latency_ms: float | None = None) -> Budget:
    """Limits of a device by its id: `share` of either memory is the model's, the rest runs it.

    latency_ms adds a limit on MACs, clock x MACs per cycle x time; loads and control come on top.
    """
    row = devices.named(device)
    if not 0 < share <= 1:
        raise ValueError(f"share must lie above 0 and up to 1, got {shown(share)}")
    macs = inf
    if latency_ms is not None:
        if row.clock_hz is None or row.macs_per_cycle_int8 is None:
            raise ValueError(f"latency_ms needs a device with a clock and a MAC rate, got {shown(device)}")
        macs = row.clock_hz * row.macs_per_cycle_int8 * latency_ms / 1000
    return Budget(int(row.sram_bytes * share), int(row.flash_bytes * share), macs)


@dataclass(frozen=True)
class Candidate:
    """A trained genome. accuracy is on the validation data, test_accuracy on the test data [0..1]."""

    genome: Genome
    accuracy: float
    test_accuracy: float
    macs: int
    sram_bytes: int
    flash_bytes: int
    generation: int = 0


def feasible(cost: Mapping[str, int], limits: Budget) -> bool:
    """Whether every cost stays within its limit."""
    return all(value <= getattr(limits, name) for name, value in cost.items())


def evaluate(genome: Genome, seed: int = 0, epochs: int = 6, data: Split | None = None) -> Candidate:
    """The candidate after training on the digits, or on `data`; its weights follow from genome and seed."""
    data = digits() if data is None else data
    own = int.from_bytes(sha256(f"{genome!r} {seed}".encode()).digest()[:8])
    net = build(genome, np.random.default_rng(own), data.train.side, len(data.train.classes))
    if not genome.first:  # no convolution: rows of features, without the copy to images
        net = Network(net.parts[1:])
    net = baseline.fit(net, data.train, epochs, seed=own)
    scores = baseline.accuracy(net, data.validation), baseline.accuracy(net, data.test)
    return Candidate(genome, *scores, **costs(genome, data.train.side, len(data.train.classes)))


def front(candidates: Iterable[Candidate], cost: str = "macs") -> list[Candidate]:
    """The candidates that no other beats in both accuracy and a cost, cheapest first; duplicates once."""
    found = list({c.genome: c for c in candidates}.values())
    keep = pareto.front(_points(found, cost).reshape(-1, 2))
    return sorted((c for c, k in zip(found, keep) if k), key=lambda c: (getattr(c, cost), -c.accuracy))


def _points(candidates: Sequence[Candidate], cost: str = "macs") -> np.ndarray:
    return np.array([(1 - c.accuracy, log10(getattr(c, cost))) for c in candidates])


def evolve(
    limits: Budget | str = "stm32l011",
    generations: int = 8,
    population: int = 12,
    seed: int = 0,
    epochs: int = 6,
    data: Split | None = None,
    jobs: int = 1,
    scheduler: str = "",
    journal: str | Path | None = None,
    progress: bool = False,
    breed: bool = True,
    task: Callable[[Genome], Candidate] | None = None,
) -> list[Candidate]:
    """Every candidate trained, in order: `population` new ones in each generation, all of them feasible.

    limits: a Budget, or the id of a device. `breed` False draws every generation at random, the baseline.
    journal: a file that keeps each candidate; give it again to go on where a search was stopped.
    jobs, scheduler: as in `nets.sweep`; the answer does not depend on them.
    task: judges a genome instead of `evaluate`; a pure function of a module.
    """
    limits = limits if isinstance(limits, Budget) else budget(limits)
    count("generations", generations), count("population", population, 2)
    rng = np.random.default_rng(seed)
    judged_by = "own task" if task else "own data" if data else "digits"
    known = _Journal(journal, f"seed {seed}, epochs {epochs}, {judged_by}")
    task = task or partial(evaluate, seed=seed, epochs=epochs, data=data)
    found: list[Candidate] = []
    for generation in bar(range(generations), generations, "generations", progress):
        parents = [found[i].genome for i in pareto.best(_points(found), population)] if found else []
        genomes = _children(parents if breed else [], {c.genome for c in found}, population, limits, rng)
        fresh = [g for g in genomes if g not in known]
        for candidate in _swept(task, fresh, jobs, scheduler):
            known.add(candidate)
        found += [replace(known[g], generation=generation) for g in genomes]
    return found


def _children(
    parents: Sequence[Genome], seen: set[Genome], n: int, limits: Budget, rng: np.random.Generator
) -> list[Genome]:
    """n new feasible genomes, from parents by tournament if there are any, else at random."""
    children: list[Genome] = []
    for _ in range(1000 * n):
        if len(children) == n:
            break
        if parents:  # the better of two, since parents come best first
            a, b = (parents[min(rng.integers(len(parents), size=2))] for _ in range(2))
            child = mutated(crossed(a, b, rng), rng)
        else:
            child = draw(rng)
        if child not in seen and child not in children and feasible(costs(child), limits):
            children.append(child)
    if not children:
        raise ValueError(f"limits must leave room for a new network: none was found within {limits}")
    return children


def _swept(task: Any, genomes: list[Genome], jobs: int, scheduler: str) -> Iterable[Candidate]:
    """The candidates, one by one as they are trained here, or a generation at a time from elsewhere."""
    if jobs == 1 and not scheduler:
        return map(task, genomes)
    return sweep(task, genomes, jobs, scheduler) if genomes else []


class _Journal:
    """Candidates by genome, kept in a file of JSON lines if one is given; a torn last line is ignored."""

    def __init__(self, path: str | Path | None, settings: str) -> None:
        self.path, self.known = Path(path) if path else None, {}
        if self.path is None:
            return
        if self.path.exists():
            head, *lines = self.path.read_text(encoding="utf-8").split("\n")
            if head != settings:
                raise ValueError(f"journal must be of the same search ({settings}), got {shown(head)}")
            for line in lines[:-1]:  # what follows the last newline was cut off
                row = json.loads(line)
                self.known[Genome(**row["genome"])] = Candidate(**row | {"genome": Genome(**row["genome"])})
            lines = [head, *lines[:-1]]
        else:
            lines = [settings]
        self.path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def __contains__(self, genome: Genome) -> bool:
        return genome in self.known

    def __getitem__(self, genome: Genome) -> Candidate:
        return self.known[genome]

    def add(self, candidate: Candidate) -> None:
        """Keep a candidate, on disk at once."""
        self.known[candidate.genome] = candidate
        if self.path:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(candidate)) + "\n")
