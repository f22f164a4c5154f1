"""Every metric of the book in one row each: a formula that runs, the function that it must equal, a lesson.

A formula is an expression of Python over the symbols of its row: `Metric.formula_value` evaluates the text
that the reader sees, `Metric.value` calls the library, and a test holds one against the other. The rows are
data (`data/metrics.toml`).
"""

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinylib.show.metric_functions import FUNCTIONS

NAMES = {name: getattr(math, name) for name in ("ceil", "floor", "log", "log2", "log10")} | {"min": min}


@dataclass(frozen=True)
class Metric:
    """One row. symbols: symbol -> (what it is, the value of the worked example), in the order of `function`.

    lesson: the script that teaches it; see: the figure there that calculates it, by its name in `show`
    """

    name: str
    formula: str
    unit: str
    symbols: Mapping[str, tuple[str, Any]]
    function: Callable[..., float]
    lesson: str
    see: str

    @property
    def example(self) -> dict[str, Any]:
        """Symbol -> value of the worked example."""
        return {symbol: value for symbol, (_, value) in self.symbols.items()}

    def value(self, **symbols: Any) -> float:
        """The metric as the library computes it [unit]; the worked example where no numbers are given."""
        values = symbols or self.example
        return self.function(*(values[symbol] for symbol in self.symbols))

    def formula_value(self, **symbols: Any) -> float:
        """The metric as its printed formula gives it [unit]."""
        values = {**NAMES, **(symbols or self.example)}
        return eval(self.formula, {"__builtins__": {}}, values)  # our own text


def _row(stored: dict[str, Any]) -> Metric:
    symbols = {symbol: (what, value) for symbol, (what, value) in stored["symbols"].items()}
    changed = {"unit": stored.get("unit", ""), "symbols": symbols, "function": FUNCTIONS[stored["function"]]}
    return Metric(**{**stored, **changed})


_STORED = tomllib.loads((Path(__file__).parent / "data" / "metrics.toml").read_text(encoding="utf-8"))
GROUPS: dict[str, tuple[Metric, ...]] = {name: tuple(map(_row, rows)) for name, rows in _STORED.items()}


def metrics() -> tuple[Metric, ...]:
    """All rows, group after group."""
    return tuple(metric for group in GROUPS.values() for metric in group)
