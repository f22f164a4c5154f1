"""The capstone: a detector of four words inside a budget of flash, RAM and instructions, with its accuracy.

    kept      of a limit: 1 while use <= limit, then falling to 0 at 1.5 times the limit
    heard     1 while accuracy >= goal, then falling to 0 at 20 points below
    share     heard * (kept flash + kept RAM + kept instructions) / 3

Accuracy multiplies, because a network that always says "other" keeps every limit. `attempt` is the whole
trial: plain values in; exported, built and run on an emulated Cortex-M0+; tested on speakers that a seed
draws.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from tinylib.datasets import Examples, pictures, words
from tinylib.deploy import plain_network
from tinylib.deploy.measure import measure
from tinylib.deploy.plain_network import Plain
from tinylib.deploy.toolchain import DoesNotFit
from tinylib.nets import int8
from tinylib.nets.network import Network
from tinylib.nets.optimizers import Adam
from tinylib.nets.train import train
from tinylib.practice.draws import Rng
from tinylib.show import budget as pictures_of_budget
from tinylib.units import shown

TARGET, IN_SHAPE, CLASSES = "cortex-m0plus", (20, 20, 1), 5
SPEAKERS, UNHEARD = (20, 0, 6), (1, 0, 24)  # train, none, visible test; the first of UNHEARD is left out
MAX_MACS = 1_000_000  # a network beyond is not run: the emulator would hold up a class
OVER, POINTS_BELOW = 0.5, 20.0  # where nothing is left of a criterion
LIMITS = ("flash_bytes", "ram_bytes", "instructions")
NAMES = {"flash_bytes": ("Flash", "B"), "ram_bytes": ("RAM", "B"), "instructions": ("Instructions", "")}


@dataclass(frozen=True)
class Budget:
    """The limits of one student; accuracy is the goal [%]. `case` is its row in the table of budgets."""

    flash_bytes: int
    ram_bytes: int
    instructions: int
    accuracy: float
    case: int = 0


@dataclass(frozen=True)
class Use:
    """What a network takes: bytes, instructions of one inference, accuracy [%]; None if it is not known."""

    flash_bytes: int
    ram_bytes: int
    instructions: int
    accuracy: float | None = None


@lru_cache(maxsize=1)
def visible() -> tuple[Examples, Examples]:
    """Pictures of 20 speakers to train on and of 6 to test on; everyone has the same."""
    sounds = words(SPEAKERS, per_word=10, seed=21)
    return pictures(sounds.train), pictures(sounds.test)


@lru_cache(maxsize=4)
def unheard(seed: int) -> Examples:
    """Pictures of 24 more speakers, 4 times each word; the judge draws the seed."""
    return pictures(words(UNHEARD, per_word=4, seed=seed).test)


def fit(
    parts: Sequence[Any],
    epochs: int = 30,
    rate: float = 0.005,
    seed: int = 0,
    examples: Examples | None = None,
) -> Network:
    """A float network of these parts, trained in about a second on the 20 visible speakers, or on others."""
    data = visible()[0] if examples is None else examples
    net, _ = train(
        Network(tuple(parts)),
        data.images,
        data.targets,
        loss="cross_entropy",
        optimizer=Adam(rate),
        epochs=epochs,
        batch_size=32,
        rng=np.random.default_rng(seed),
        batch_axis=0,
    )
    return net


def quantized(network: Network) -> dict[str, Any]:
    """Plain values of a float network in int8; 200 pictures set the scales."""
    return plain_network.values(int8.from_float(network, visible()[0].images[:200]))


def read(value: Any) -> Plain:
    """The network of plain values, for pictures and five answers; refuses in one sentence."""
    found = plain_network.read(value, IN_SHAPE, CLASSES)
    if found.macs > MAX_MACS:
        raise ValueError(f"a network must need at most {MAX_MACS:,} MACs to be tried, got {found.macs:,}")
    return found


def accuracy(network: Plain, examples: Examples) -> float:
    """Share of examples that are named right [%]."""
    return 100 * float(np.mean(network.classes(examples.images) == examples.y))


def used(network: Plain, examples: Examples) -> Use:
    """Measured: built for the Cortex-M0+, run on it, compared with Python; needs the extra `device`.

    Raises MissingTool with the way to get it, and DoesNotFit.
    """
    effort = max(network.macs, 1)
    shown_to = network.codes(examples.images[: min(max(2_000_000 // effort, 1), 48)])
    found = measure(
        network.network,
        TARGET,
        shown_to,
        ops=network.ops,
        in_shape=IN_SHAPE,
        counted=min(max(200_000 // effort, 1), 8),
    )
    if not found.equal:
        raise RuntimeError(f"the chip must give the codes of Python, got {found.differing:,} others")
    return Use(found.flash, found.ram, found.instructions, accuracy(network, examples))


def score(use: Use, budget: Budget) -> tuple[float, str]:
    """Share of the points 0 .. 1, and a sentence for each criterion; see above."""
    kept, said = [], []
    for name in LIMITS:
        took, most = getattr(use, name), getattr(budget, name)
        kept.append(min(1.0, max(0.0, 1 - (took / most - 1) / OVER)))
        what, unit = NAMES[name]
        over = "kept" if took <= most else f"{100 * (took / most - 1):.0f} % over"
        said.append(f"{what} {took:,} of {most:,} {unit}".rstrip() + f": {over}.")
    missing = max(0.0, budget.accuracy - use.accuracy)
    heard = max(0.0, 1 - missing / POINTS_BELOW)
    end = "reached" if not missing else f"{missing:.1f} points short"
    said.append(f"Accuracy {use.accuracy:.1f} % on unheard speakers, asked {budget.accuracy:g} %: {end}.")
    return heard * sum(kept) / len(kept), " ".join(said)


def dashboard(use: Use, budget: Budget, title: str = "My budget", note: str = "") -> str:
    """SVG of what is used of each limit, and of the accuracy beside its goal [text]."""
    rows = [(NAMES[n][0], getattr(use, n), getattr(budget, n), NAMES[n][1]) for n in LIMITS]
    return pictures_of_budget.dashboard(rows, use.accuracy, budget.accuracy, title, note)


def shares(use: Use, budget: Budget) -> dict[str, float]:
    """What is used of each limit, and the goal over the accuracy: all at most 1 where a network is fit."""
    found = {NAMES[name][0]: getattr(use, name) / getattr(budget, name) for name in LIMITS}
    return found | {"Goal / accuracy": budget.accuracy / max(use.accuracy, 1.0)}


def budget_of(given: Mapping[str, Any]) -> Budget:
    """The budget among a student's numbers."""
    return Budget(**{name: given[name] for name in Budget.__dataclass_fields__ if name in given})


def attempt(value: Any, given: Mapping[str, Any], rng: Rng) -> tuple[float, str]:
    """The trial: share and sentences for plain values under a student's numbers; rng draws the speakers."""
    try:
        network = read(value)
        use = used(network, unheard(rng.int(2**40, 2**41)))
    except DoesNotFit as error:
        return 0.0, f"Nothing could be run: {error}."
    except (TypeError, ValueError) as error:
        text = str(error)
        return 0.0, f"{text[:1].upper()}{text[1:]}."
    return score(use, budget_of(given))


def form(value: Any, **given: Any) -> str:
    """What check says at once: the network in numbers, exact ones, beside the student's limits.

    Raises ValueError or TypeError with one sentence for what the judge would refuse.
    """
    network, budget = read(value), budget_of(given)
    if network.weight_bytes > budget.flash_bytes:
        most = f"{budget.flash_bytes:,} B of flash"
        raise ValueError(f"the weights alone must fit into {most}, got {network.weight_bytes:,} B")
    if network.macs > budget.instructions:
        raise ValueError(
            f"a MAC takes more than one instruction, so {network.macs:,} MACs do not fit into "
            f"{budget.instructions:,} instructions, got {shown(network.macs)}"
        )
    layers = len(value["layers"])
    return (
        f"{layers} layers, {network.weight_bytes:,} B of weights in {budget.flash_bytes:,} B of flash, "
        f"{network.macs:,} MACs in {budget.instructions:,} instructions"
    )
