"""One C file while it is written: its arrays, its functions, its buffers, and the calls in their order."""

from collections import Counter
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

import numpy as np

from tinylib.cost.layers import Shape
from tinylib.deploy.emit import text
from tinylib.deploy.emit.fixed import Functions

__all__ = ["Shape", "Unit", "emit"]


@dataclass
class Unit:
    """What the parts of a network add, one after the other.

    data: arrays in flash     body: statements of one inference     states: name and size of what is kept
    buffers: name and size of what lies between the parts, `a` and `b` in turn, `p` within one
    """

    functions: Functions
    data: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    buffers: dict[str, int] = field(default_factory=dict)
    words: int = 0
    elapsed: str = ""  # where the time since the sample before lies, if samples come at uneven times
    final: bool = False  # the part at work is the last one
    counts: Counter[str] = field(default_factory=Counter)
    free: str = "a"

    @property
    def ops(self) -> Any:
        """The arithmetic of the functions."""
        return self.functions.ops

    def named(self, kind: str) -> str:
        """A name for a part: dense_1, dense_2, lstm_1."""
        self.counts[kind] += 1
        return f"{kind}_{self.counts[kind]}"

    def sum_of(self, n: int) -> None:
        """A sum of n terms will be formed."""
        self.functions.longest = max(self.functions.longest, n)

    def array(self, name: str, codes: np.ndarray, note: str = "") -> str:
        """A constant array of codes with their values behind them; its name."""
        codes = codes if codes.ndim == 2 else codes.reshape(1, -1)
        self.data.append(text.array("code", name, codes, self.ops.values(codes), note))
        return name

    def say(self, *statements: str) -> None:
        """Add statements to the inference."""
        self.body += statements

    def out(self, n: int) -> str:
        """A buffer for n codes that the part at work may fill: the output itself for the last one."""
        if self.final:
            return "y"
        name, self.free = self.free, "b" if self.free == "a" else "a"
        self.buffers[name] = max(self.buffers.get(name, 0), n)
        return name

    def scratch(self, n: int) -> str:
        """A buffer for n codes that no other part reads."""
        self.buffers["p"] = max(self.buffers.get("p", 0), n)
        return "p"

    def scratch_words(self, n: int) -> str:
        """A buffer for n words of bits."""
        self.words = max(self.words, n)
        return "signs"

    def state(self, name: str, n: int) -> str:
        """n codes that stay from sample to sample; how to reach them."""
        self.states[name] = n
        return f"s->{name}"


@singledispatch
def emit(part: Any, to: Unit, x: str, shape: Shape) -> tuple[str, Shape]:
    """Write one part, which reads codes of a shape at x; where its outputs lie, and their shape."""
    raise TypeError(f"a part must have a C form, got {type(part).__name__}")
