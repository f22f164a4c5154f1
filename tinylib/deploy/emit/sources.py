"""The files of an exported network: what they are called, what heads them, and what a caller has to know."""

from dataclasses import dataclass
from pathlib import Path

from tinylib.nets.arithmetic import Fixed
from tinylib.nets.network import Network

PLOT = '''"""Draws a table: one panel for each kind of column, the outputs y, the loss and the weights w."""
import csv
import sys

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

with open(sys.argv[1]) as file:
    head, *rows = csv.reader(file)
steps, *columns = zip(*[[float(v) for v in row] for row in rows])
kinds = list(dict.fromkeys(name.split("_")[0] for name in head[1:]))
figure, panels = pyplot.subplots(len(kinds), sharex=True, squeeze=False, figsize=(8, 3 * len(kinds)))
for kind, panel in zip(kinds, panels[:, 0]):
    for name, column in zip(head[1:], columns):
        if name.split("_")[0] == kind:
            panel.plot(steps, column, label=name, linewidth=1)
    panel.set_ylabel(kind)
panels[-1, 0].set_xlabel("step")
figure.savefig(sys.argv[2])
'''


@dataclass(frozen=True)
class Sources:
    """The files of one network, and what a caller has to know.

    inputs, outputs: codes of one sample [count]      weights: trainable codes, or 0 [count]
    bits: of a code      one: the code of 1.0, or 1 for int8
    """

    name: str
    header: str
    source: str
    test: str
    makefile: str
    inputs: int
    outputs: int
    bits: int
    stateful: bool = False
    weights: int = 0
    one: int = 1

    @property
    def files(self) -> dict[str, str]:
        """Text by file name."""
        return {
            f"{self.name}.h": self.header,
            f"{self.name}.c": self.source,
            f"{self.name}_test.c": self.test,
            f"{self.name}_plot.py": PLOT,
            "Makefile": self.makefile,
        }

    def write(self, folder: str | Path) -> Path:
        """Write all files into a folder, which is made when it is missing."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder


def title(network: Network, ops: Fixed, inputs: int, outputs: int) -> str:
    """One line that says what a file holds."""
    parts = ", ".join(type(getattr(p, "cell", p)).__name__ for p in network.parts)
    rule = f"{ops.rounding}, {ops.overflow}, {ops.accumulation}"
    return f"{parts}: {inputs} inputs, {outputs} outputs, {network.count} weights in {ops.q} ({rule})"


def spaced(texts: list[str]) -> str:
    """Texts of a file: an empty line around whatever has several lines."""
    lines: list[str] = []
    for text in texts:
        many = "\n" in text
        lines += [""] * (many and bool(lines) and bool(lines[-1])) + text.split("\n") + [""] * many
    return "\n".join(lines).rstrip() + "\n"


def header(name: str, bits: int, meaning: str, inputs: int, outputs: int, calls: list[str], note: str) -> str:
    """The header: type of a code and what it means, sizes, and what can be called."""
    guard = f"{name.upper()}_H"
    return spaced(
        [
            f"/* {note} */",
            f"#ifndef {guard}",
            f"#define {guard}",
            "",
            "#include <stdint.h>",
            "",
            f"typedef int{bits}_t {name}_code; /* {meaning} */",
            f"#define {name.upper()}_INPUTS {inputs}",
            f"#define {name.upper()}_OUTPUTS {outputs}",
            "",
            *calls,
            "",
            "#endif",
        ]
    )
