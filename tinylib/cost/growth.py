"""How models and memories grew: published points, and the rule of thumb that is often drawn through them.

Rule of thumb: models grow 4x and accelerator memory 2x every two years from 2017 on. The points say
otherwise: see `per_two_years`.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

FIRST_YEAR, LAST_YEAR = 2017, 2023
RULE = {"model": 4.0, "gpu_memory": 2.0}  # growth per two years that the rule of thumb claims
KINDS = ("model", "gpu_memory", "mcu_sram")


@dataclass(frozen=True)
class Point:
    """One published figure. size: parameters of a model [count], else memory [bytes]."""

    kind: str
    year: int
    name: str
    size: int
    source: str


@cache
def points() -> tuple[Point, ...]:
    """All published points, by kind and year."""
    import tomllib

    rows = tomllib.loads((Path(__file__).parent / "data" / "growth.toml").read_text(encoding="utf-8"))
    return tuple(
        Point(kind, row["year"], row["name"], row.get("params") or row["bytes"], row["source"])
        for kind in KINDS
        for row in rows[kind]
    )


def largest(kind: str, year: int) -> Point:
    """The largest point of a kind up to and including a year; the first one before any."""
    of_kind = [p for p in points() if p.kind == kind]
    return max((p for p in of_kind if p.year <= year), key=lambda p: p.size, default=of_kind[0])


def rule_of_thumb(kind: str, year: int) -> float:
    """What the rule makes of the 2017 point by that year [count or bytes]."""
    start = largest(kind, FIRST_YEAR).size
    return start * RULE[kind] ** ((year - FIRST_YEAR) / 2)


def per_two_years(kind: str, first: int = FIRST_YEAR, last: int = LAST_YEAR) -> float:
    """Growth factor per two years between the largest points of two years [ratio]."""
    if not first < last:
        raise ValueError(f"first must be before last, got {first} and {last}")
    return (largest(kind, last).size / largest(kind, first).size) ** (2 / (last - first))


def loss_terms(params: float, tokens: float) -> dict[str, float]:
    """What a fit says a language model's loss is made of [nats per token]: floor, size and text.

    L = 1.69 + 406.4 / N^0.34 + 410.7 / D^0.28 for N parameters trained on D tokens.
    Source: Hoffmann et al., arXiv 2203.15556, approach 3; arXiv 2404.10102 fits other constants.
    """
    if not (params > 0 and tokens > 0):
        raise ValueError(f"a loss needs parameters and tokens above 0, got {params} and {tokens}")
    return {"floor": 1.69, "size": 406.4 / params**0.34, "text": 410.7 / tokens**0.28}
