"""XOR on a chip: how the 2-4-1 network of the lesson is trained, built and measured, and what was found.

python -m tinylib.deploy.xor_chip     measures all builds again (a minute or two) for data/xor_sizes.json

rows()          the builds on file: formats, kinds, cores, optimisation, sections, instructions
measured(...)   one of them, measured here and now; needs the extra `device`
published()     what others say about theirs, each with its source
"""

import json
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tinylib.deploy import c99, c99_train, host, plain_network
from tinylib.deploy.emit.sources import Sources
from tinylib.deploy.image import MissingTool
from tinylib.nets import one_net, xor
from tinylib.nets.arithmetic import Array, Fixed
from tinylib.nets.network import Network
from tinylib.nets.optimizers import SGD
from tinylib.show.section_sizes import Build
from tinylib.units import shown

FORMATS = {"Q16.16": xor.Q16_16, "Q8.8": xor.Q8_8}
KINDS = ("trainable", "inference")
RATES = SGD(0.25, momentum=0.5, acceleration=0.0625)
DEAD_ZONE = 2.0**-7  # squared error below which a sample teaches nothing: the published run's tolerance
STEPS, SEED, ORDER = 20_000, 0, 7
DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Row:
    """One build, its parts [bytes] and what a call costs [instructions].

    code: functions, with the sizes of the layers      runtime: what the compiler's own library adds
    tables: tanh and sigmoid      weights: in flash, also as start values of those that learn
    ram: variables      stack: deepest in one call      train_instructions: None where nothing is learnt
    inputs: samples compared with Python (and learnt, one after the other)      differing: codes that were not
    those of Python, final weights included
    """

    format: str
    kind: str
    target: str
    optimise: str
    compiler: str
    code: int
    runtime: int
    tables: int
    weights: int
    ram: int
    stack: int
    instructions: int
    train_instructions: int | None
    inputs: int
    differing: int

    @property
    def sections(self) -> dict[str, int]:
        """Flash by what it holds [bytes]."""
        return {
            "code": self.code,
            "compiler's library": self.runtime,
            "tables": self.tables,
            "weights": self.weights,
        }

    @property
    def flash(self) -> int:
        """Flash in all [bytes]."""
        return sum(self.sections.values())


def arithmetic(format: str) -> Fixed:
    """The arithmetic of a format; raises ValueError for another name."""
    if not isinstance(format, str) or format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {shown(format)}")
    return FORMATS[format]


@cache
def learnt(format: str, steps: int = STEPS) -> Network:
    """The network of the lesson after so many samples, in Python."""
    ops = arithmetic(format)
    start = xor.network(SEED, ops)
    net, _ = one_net.train(start, *xor.samples(steps, ORDER), RATES, ops, dead_zone=DEAD_ZONE)
    return net


def sources(format: str, kind: str) -> Sources:
    """The C99 files: a network that learns from the start weights, or the trained one that only infers."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {shown(kind)}")
    ops = arithmetic(format)
    if kind == "inference":
        return c99.export(learnt(format), ops, "xor")
    start = xor.network(SEED, ops)
    return c99.export(start, ops, "xor", trainable=True, optimizer=RATES, dead_zone=DEAD_ZONE)


def measured(
    format: str = "Q16.16",
    kind: str = "trainable",
    target: str = "cortex-m0plus",
    optimise: str = "-Os",
    steps: int = STEPS,
) -> Row:
    """One build, compiled and run on an emulated core; a trainable one learns `steps` samples there.

    Raises MissingTool, with the way to get it, without the extra `device`.
    """
    from tinylib.deploy.measure import measure

    sources(format, kind)  # refuses what is not a kind
    ops, settings = arithmetic(format), {"ops": arithmetic(format), "optimise": optimise, "name": "xor"}
    if kind == "trainable":
        xs, ts = xor.samples(steps, ORDER)
        learning = {"trainable": True, "targets": ts, "optimizer": RATES, "dead_zone": DEAD_ZONE}
        found = measure(xor.network(SEED, ops), target, xs, **learning, **settings)
    else:
        found = measure(learnt(format), target, **settings)
    flash = found.symbols["rodata"] | found.symbols["data"]
    tables = sum(size for name, size in flash.items() if name.endswith("_table"))
    weights = sum(size for name, size in flash.items() if name.endswith(("_w", "_b", "_weights")))
    return Row(
        format,
        kind,
        target,
        optimise,
        found.compiler,
        found.flash - found.runtime - tables - weights,
        found.runtime,
        tables,
        weights,
        found.data + found.bss,
        found.stack,
        found.instructions,
        found.train_instructions,
        found.inputs,
        found.differing,
    )


@cache
def rows() -> tuple[Row, ...]:
    """The builds on file."""
    return tuple(Row(**row) for row in json.loads((DATA / "xor_sizes.json").read_text(encoding="utf-8")))


def row(
    format: str = "Q16.16", kind: str = "trainable", target: str = "cortex-m0plus", optimise: str = "-Os"
) -> Row:
    """One build on file; raises ValueError when there is none."""
    wanted = format, kind, target, optimise
    found = [r for r in rows() if (r.format, r.kind, r.target, r.optimise) == wanted]
    if not found:
        raise ValueError(f"a build on file must be one of those that `rows` gives, got {wanted}")
    return found[0]


@cache
def published() -> tuple[dict[str, Any], ...]:
    """Builds of others: name, note, sections [bytes], and the source of each figure."""
    return tuple(tomllib.loads((DATA / "xor_published.toml").read_text(encoding="utf-8"))["build"])


def live(format: str = "Q16.16", target: str = "cortex-m0plus") -> str:
    """Two lines: the trainable network on this computer and on an emulated core, or what is missing."""
    return f"this computer: {_tried(_hosted, format)}\n{target}: {_tried(_emulated, format, target)}"


def _tried(run: Callable[..., str], *which: str) -> str:
    try:
        return run(*which)
    except MissingTool as missing:
        return str(missing)


def _hosted(format: str) -> str:
    ops, library = arithmetic(format), host.Library(sources(format, "trainable"))
    xs, ts = xor.samples(STEPS, ORDER)
    library.train(ops.number(xs), ops.number(ts))
    differing = (library.weights != c99_train.codes(learnt(format))).sum()
    return f"{differing} weights of {len(library.weights)} differ from Python after {STEPS:,} samples"


def _emulated(format: str, target: str) -> str:
    now, kept = measured(format, "trainable", target), row(format, "trainable", target)
    return (
        f"{now.differing} codes differ from Python after {now.inputs:,} samples; flash {now.flash:,} B"
        f" by {now.compiler}, on file {kept.flash:,} B by {kept.compiler}"
    )


# ---- bars of a figure


def bar(row: Row, memory: str = "flash") -> Build:
    """A build as a bar of its sections: "flash", or "RAM" with the stack of one call."""
    if memory not in ("flash", "RAM"):
        raise ValueError(f"memory must be flash or RAM, got {shown(memory)}")
    sections = row.sections if memory == "flash" else {"variables": row.ram, "stack": row.stack}
    return Build(f"{row.format}, {row.kind}", f"{row.target}, {row.optimise}", sections)


def bars(memory: str = "flash", target: str = "cortex-m0plus") -> list[Build]:
    """Both formats, trainable and not, on one core at -Os."""
    return [bar(row(format, kind, target), memory) for format in FORMATS for kind in KINDS]


def others(*names: str) -> list[Build]:
    """Published builds by their names; raises ValueError for one that is not on file."""
    found = {build["name"]: build for build in published()}
    if unknown := [name for name in names if name not in found]:
        raise ValueError(f"a published build must be one of {', '.join(found)}, got {shown(unknown[0])}")
    return [
        Build(name, found[name]["note"], found[name]["sections"], found[name].get("open_end", False))
        for name in names
    ]


# ---- networks that are handed in


def levels(low: float, high: float, inputs: Any = xor.INPUTS) -> Array:
    """Inputs 0 and 1 as the volts of a switch that is off and on."""
    return low + (high - low) * np.asarray(inputs, float)


def lamp(lit: str, inputs: Any = xor.INPUTS) -> Array:
    """Whether the lamp is on for inputs (n, 2) of 0 and 1: lit when they "differ", or when they "agree"."""
    if lit not in ("differ", "agree"):
        raise ValueError(f"lit must be differ or agree, got {shown(lit)}")
    x, y = np.asarray(inputs, int).T
    return (x != y) == (lit == "differ")


def answers(value: Any, low: float = 0.0, high: float = 1.0, lit: str = "differ") -> str:
    """What a network of plain values answers to the four cases, in words; raises as `plain_network.read`."""
    plain = plain_network.read(value, (2,), outputs=1)
    if plain.ops is None:
        raise ValueError('arithmetic must be a Q format such as "Q8.8": its codes are volts, got int8')
    found = plain.ops.values(plain.answers(levels(low, high)))[:, 0]
    said = [f"{'lit' if on else 'dark'} {answer:.2f}" for on, answer in zip(lamp(lit), found)]
    return (
        f"{plain.network.count} codes in {plain.ops.q}, {plain.weight_bytes} B; answers to off-off, off-on, "
        f"on-off and on-on, which should be {', '.join(said)}."
    )


def main() -> None:
    """Measure every build and write the file."""
    cores = [(target, "-Os") for target in ("cortex-m0plus", "cortex-m3", "cortex-m4")]
    builds = [
        measured(format, kind, target, optimise)
        for format in FORMATS
        for kind in KINDS
        for target, optimise in (*cores, ("cortex-m0plus", "-O2"), ("cortex-m0plus", "-O3"))
    ]
    lines = ",\n".join(f" {json.dumps(asdict(build))}" for build in builds)
    (DATA / "xor_sizes.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    for build in builds:
        print(f"{build.format} {build.kind} {build.target} {build.optimise}: {build.flash:,} B of flash")


if __name__ == "__main__":
    main()
