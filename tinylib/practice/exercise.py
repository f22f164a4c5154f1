"""An exercise as a declarative spec: prompt, check, feedback, graded cell and variants derive from it."""

import hashlib
import json
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tinylib.practice.draws import Draws, Given, Rng, draw

MAX_REDRAWS = 1000


@dataclass(frozen=True)
class Absolute:
    """Right within +- value, in the unit of the answer; Absolute(0) is an exact count."""

    value: float

    def around(self, target: float) -> float:
        """Allowed distance from the target [unit of the answer]."""
        return max(self.value, 1e-9 * abs(target))


@dataclass(frozen=True)
class Relative:
    """Right within value * |target|."""

    value: float

    def around(self, target: float) -> float:
        """Allowed distance from the target [unit of the answer]."""
        return max(self.value, 1e-9) * abs(target)


@dataclass(frozen=True)
class Misconception:
    """A wrong value that a real learner reaches, and what to look at.

    value(**given) -> float; `printed_only` marks a formula that carries a printed number, so that it
    is no mistake of a variant.
    """

    value: Callable[..., float]
    hint: str
    printed_only: bool = False


@dataclass(frozen=True)
class Exercise:
    """One question. `given` holds the printed numbers, `draws` how a variant differs from them.

    answer(**given) -> float in `unit`; expect: the answer for the printed numbers, worked by hand apart
    from the code; choice(**given) -> the right one of `choices`, asked beside the number.
    """

    id: str
    prompt: str
    given: Given
    answer: Callable[..., float]
    unit: str
    tolerance: Absolute | Relative
    draws: Draws = field(default_factory=dict)
    accept: Callable[..., bool] | None = None
    choices: tuple[str, ...] = ()
    choice: Callable[..., str] | None = None
    misconceptions: tuple[Misconception, ...] = ()
    hints: tuple[str, ...] = ()
    steps: Callable[..., tuple[str, ...]] | None = None
    expect: float | None = None
    source: str = ""
    erratum: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        asked = {name for _, name, _, _ in string.Formatter().parse(self.prompt) if name}
        if unknown := asked - set(self.given):
            raise ValueError(f"{self.id}: the prompt uses {sorted(unknown)}, which are not among the givens")
        if not callable(self.draws) and (unknown := set(self.draws) - set(self.given)):
            raise ValueError(f"{self.id}: draws name {sorted(unknown)}, which are not among the givens")
        if bool(self.choices) != bool(self.choice):
            raise ValueError(f"{self.id}: choices need a choice(**given) that names the right one")

    @property
    def shown_unit(self) -> str:
        """The unit as people read it: nothing for a plain number [text]."""
        return "" if self.unit == "1" else self.unit

    @property
    def wanted(self) -> str:
        """What an empty answer box asks for: "a number, in MB", "a factor" [text]."""
        kind = "a factor" if self.unit == "x" else "a number"
        return kind if self.unit in ("", "1", "x") else f"{kind}, in {self.unit}"

    def text(self, given: Given) -> str:
        """The prompt with its numbers filled in: integers with thousands separators."""
        return self.prompt.format_map({name: _number(value) for name, value in given.items()})

    def mistakes(self, given: Given) -> list[tuple[Misconception, float]]:
        """The misconceptions that apply to these numbers, with their values in the asked unit."""
        printed = dict(given) == dict(self.given)
        return [(m, m.value(**given)) for m in self.misconceptions if printed or not m.printed_only]

    def separates(self, given: Given) -> bool:
        """Whether each misconception stays clear of the answer by 1.5 times the tolerance."""
        answer = self.answer(**given)
        clear = 1.5 * self.tolerance.around(answer)
        return all(abs(value - answer) > clear for _, value in self.mistakes(given))


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.6g}" if abs(value) >= 1e-4 else f"{value:.12f}".rstrip("0")
    return f"{int(value):,}"


def variant(exercise: Exercise, seed: str | int | None) -> dict:
    """The numbers of one variant, with the keys of `given`; no seed gives the printed numbers.

    Redrawn until `accept` agrees and every misconception can be told from the answer.
    """
    if seed is None or not exercise.draws:
        return dict(exercise.given)
    rng = Rng(exercise.id, str(seed))
    for _ in range(MAX_REDRAWS):
        given = draw(exercise.given, exercise.draws, rng)
        if (exercise.accept is None or exercise.accept(**given)) and exercise.separates(given):
            return given
    raise ValueError(f"{exercise.id}: no variant among {MAX_REDRAWS} draws keeps its mistakes apart")


def student_seed(salt: str, student: str, exercise_id: str) -> str:
    """The seed of one student's numbers: sha256 over course salt, student and exercise."""
    text = "\0".join((salt, student.strip().casefold(), exercise_id))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def student_code(salt: str, student: str, exercise_id: str) -> str:
    """The first four hex digits of the student seed: they draw the numbers, and fit on a ticket."""
    return student_seed(salt, student, exercise_id)[:4]


def digest(exercises: Mapping[str, Exercise]) -> str:
    """A digest of what these exercises ask and accept, so that grading can refuse a changed bank.

    Taken over behaviour (prompt, unit, tolerance, five variants, their answers and mistakes), not over
    source text: a reformatted file is the same bank.
    """
    rows = []
    for name, e in sorted(exercises.items()):
        for given in (variant(e, seed) for seed in (None, 0, 1, 2, 3, 4)):
            values = [value for _, value in e.mistakes(given)]
            choice = e.choice(**given) if e.choice else None
            rows.append([name, e.prompt, e.unit, repr(e.tolerance), given, e.answer(**given), choice, values])
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
