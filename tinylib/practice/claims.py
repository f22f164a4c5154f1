"""Claims to audit: printed figures of published texts, each beside the exercise that recomputes it.

    half_unit("8.0") = 0.05        a printed number stands for all that round to it
    holds   <=>   |printed - recomputed| <= half_unit(printed)

The figures are data (`data/claims.toml`); what they should be is never stored, but the answer of an exercise
of the bank, for its printed numbers or for those that a claim gives.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from tinylib.practice.bank import BANK
from tinylib.show.tornado import claim_card
from tinylib.units import shown

SLIPS = {
    "factor": "a factor or term is missing",
    "unit": "units or prefixes are mixed: MAC and FLOP, MB and MiB, milli and micro",
    "direction": "a ratio or a sign is upside down",
    "scope": "something is counted that should not be, or left out",
    "constant": "a figure is borrowed from another model, part or table",
    "comparison": "unlike things are compared",
    "rounding": "rounded too early, cut, or printed with more digits than hold",
    "none": "no slip: the figure holds",
}


@dataclass(frozen=True)
class Claim:
    """One printed figure. printed: as it stands in the source; `givens` differ from those of the exercise.

    id: document and number of the figure      lesson: number of the one that has the arithmetic
    scale: what the exercise's answer is multiplied by to be in `unit`
    """

    id: str
    name: str
    source: str
    says: str
    printed: str
    exercise: str
    slip: str
    why: str
    lesson: str
    scale: float = 1
    unit: str = ""
    givens: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.slip not in SLIPS:
            raise ValueError(f"slip must be one of {', '.join(SLIPS)}, got {shown(self.slip)}")
        if self.exercise not in BANK:
            raise ValueError(f"exercise must be in the bank, got {shown(self.exercise)}")
        half_unit(self.printed)

    @property
    def claimed(self) -> float:
        """The printed figure [unit]."""
        return number(self.printed)

    @property
    def recomputed(self) -> float:
        """What it should be [unit]: the answer of the exercise."""
        exercise = BANK[self.exercise]
        return self.scale * exercise.answer(**{**exercise.given, **self.givens})

    @property
    def holds(self) -> bool:
        """Whether the printed figure is the recomputed one, rounded to its digits."""
        return holds(self.printed, self.recomputed)

    @property
    def ratio(self) -> float:
        """Claimed over recomputed [ratio]."""
        return self.claimed / self.recomputed

    def card(self, proven: bool = True) -> str:
        """SVG of the claim, with proof and slip or without [text]."""
        said = f"{self.why} Lesson {self.lesson}."
        return claim_card(
            self.says, self.source, self.printed, self.unit, self.recomputed, SLIPS[self.slip], said, proven
        )


def _decimal(printed: str) -> Decimal:
    try:
        found = Decimal(printed.replace(",", "")) if isinstance(printed, str) else Decimal("nan")
    except InvalidOperation:
        found = Decimal("nan")
    if not found.is_finite():
        raise ValueError(f'printed must be a number as text, such as "13.4", got {shown(printed)}')
    return found


def number(printed: str) -> float:
    """The value of a printed number [its unit]: "56,623,104"."""
    return float(_decimal(printed))


def half_unit(printed: str) -> float:
    """Half a unit of the last printed digit [its unit]: 0.05 for "8.0", 0.5 for "8"."""
    return float(Decimal(1).scaleb(_decimal(printed).as_tuple().exponent) / 2)


def holds(printed: str, recomputed: float) -> bool:
    """Whether a printed number can be what it should be, rounded to as many digits."""
    return abs(number(printed) - recomputed) <= half_unit(printed) * (1 + 1e-9)


@cache
def claims() -> tuple[Claim, ...]:
    """All claims, in the order of their file; `source` is spelled out, a missing unit is the exercise's."""
    text = (Path(__file__).parent / "data" / "claims.toml").read_text(encoding="utf-8")
    stored = tomllib.loads(text)
    rows = []
    for row in stored["claim"]:
        row["givens"] = row.pop("with", {})
        row["source"] = stored["sources"][row["source"]]
        rows.append(Claim(**{"unit": BANK[row["exercise"]].unit, **row}))
    return tuple(rows)


def named(claim_id: str) -> Claim:
    """One claim by the number of its erratum."""
    found = next((claim for claim in claims() if claim.id == claim_id), None)
    if found is None:
        raise ValueError(f"claim must be one of {', '.join(c.id for c in claims())}, got {shown(claim_id)}")
    return found
