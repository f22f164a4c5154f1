"""How the numbers of an exercise vary: a declarative space per given, drawn from a written-down seed.

Only `Random(...).random()` is used, the one method whose sequence is promised between Python versions,
so that a student's numbers are the same on every machine.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

Given = Mapping[str, Any]


class Rng:
    """A reproducible source of draws: the same text seed gives the same values everywhere."""

    def __init__(self, *seed: str) -> None:
        digest = hashlib.sha256("\0".join(seed).encode("utf-8", "surrogatepass")).digest()
        self._random = Random(int.from_bytes(digest, "big")).random

    def uniform(self, low: float, high: float) -> float:
        """A float from `low` on, below `high`."""
        return low + (high - low) * self._random()

    def odd(self, low: int, high: int) -> int:
        """An odd integer from `low` to `high`, for kernels with a centre."""
        first = low | 1
        return first + 2 * self.int(0, (high - first) // 2)

    def choice(self, values: tuple) -> Any:
        """One of the values."""
        return values[self.int(0, len(values) - 1)]

    def log(self, low: float, high: float, digits: int = 2) -> float:
        """Log-uniform from `low` to `high`, rounded to significant digits; an int when both ends are ints."""
        value = math.exp(self.uniform(math.log(low), math.log(high)))
        value = min(max(float(f"{value:.{digits - 1}e}"), low), high)
        return round(value) if isinstance(low, int) and isinstance(high, int) else value

    # last: within the class its name hides the built-in one from annotations
    def int(self, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included."""
        return low + math.floor((high - low + 1) * self._random())


@dataclass(frozen=True)
class Log:
    """Log-uniform between low and high, kept to `digits` significant digits."""

    low: float
    high: float
    digits: int = 2

    def draw(self, rng: Rng, drawn: Given) -> float:
        """A value from `low` to `high`, whatever was drawn before."""
        return rng.log(self.low, self.high, self.digits)


@dataclass(frozen=True)
class Same:
    """The value of another given, drawn before this one: a square map has w = h."""

    name: str

    def draw(self, rng: Rng, drawn: Given) -> Any:
        """What was drawn for the other given."""
        return drawn[self.name]


@dataclass(frozen=True)
class Times:
    """Another given, drawn before this one, times one of the factors."""

    name: str
    factors: tuple

    def draw(self, rng: Rng, drawn: Given) -> Any:
        """What was drawn for the other given, times a factor."""
        return drawn[self.name] * rng.choice(self.factors)


@dataclass(frozen=True)
class By:
    """The value in the row that another given, drawn before this one, numbers from 0: columns of a table."""

    name: str
    values: tuple

    def draw(self, rng: Rng, drawn: Given) -> Any:
        """The value in the drawn row."""
        return self.values[drawn[self.name]]


Draws = Mapping[str, tuple | Log | Same | Times | By] | Callable[[Rng], dict]


def draw(given: Given, draws: Draws, rng: Rng) -> dict:
    """One draw with the keys of `given`; what has no draw keeps its printed value."""
    if callable(draws):
        return {**given, **draws(rng)}
    drawn = dict(given)
    for name, space in draws.items():
        drawn[name] = rng.choice(space) if isinstance(space, tuple) else space.draw(rng, drawn)
    return drawn


_NAMES = {"log": Log, "same": Same, "times": Times, "by": By}


def to_json(draws: Draws) -> dict:
    """The draws as JSON values, for a released question; a function cannot be released."""
    if callable(draws):
        raise ValueError(f"draws of a released question must be declarative, got {draws!r}")

    def plain(space: Any) -> Any:
        if isinstance(space, tuple):
            return list(space)
        return {type(space).__name__.lower(): list(vars(space).values())}

    return {name: plain(space) for name, space in draws.items()}


def from_json(draws: dict) -> Draws:
    """The inverse of `to_json`."""

    def space(value: Any) -> Any:
        if isinstance(value, list):
            return tuple(value)
        ((name, arguments),) = value.items()
        return _NAMES[name](*(tuple(a) if isinstance(a, list) else a for a in arguments))

    return {name: space(value) for name, value in draws.items()}
