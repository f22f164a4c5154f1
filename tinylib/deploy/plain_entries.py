"""Entries of an untrusted value: each checked for its exact type and its limits, refused in one sentence."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np

from tinylib.formats.affine import Affine
from tinylib.formats.qformat import QFormat
from tinylib.units import shown

MAX_WEIGHTS = 100_000  # of a network [count]
BITS = (8, 16, 32)  # of a Q format


def told(value: Any) -> str:
    """The value as an error message shows it: a list or dict by its size."""
    if type(value) in (list, dict):
        return f"a {type(value).__name__} of {len(value)}"
    return shown(value)


def entry(what: str, value: Any, name: str) -> Any:
    """One entry of a dict that must be there."""
    if type(value) is not dict:
        raise TypeError(f"{what} must be a dict of entries, got {told(value)}")
    if name not in value:
        raise ValueError(f"{what} must have the entry {name!r}, got {names(value)}")
    return value[name]


def names(value: Mapping) -> str:
    """The first names of a dict, for a message."""
    return ", ".join(shown(name, 20) for name in list(value)[:8]) or "none"


def entries(what: str, value: Mapping, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    """Raise unless a dict has the entries needed, and none but those and the optional ones."""
    for name in needed:
        entry(what, value, name)
    if extra := [name for name in value if name not in (*needed, *optional)]:
        raise ValueError(
            f"{what} must have no other entry than {', '.join((*needed, *optional))}, got {names(extra)}"
        )


def kind_of(row: Any, kinds: tuple[str, ...]) -> str:
    """The kind that a layer names, one of those known."""
    return one_of("kind", entry("a layer", row, "kind"), kinds)


def one_of(what: str, value: Any, names: tuple[str, ...]) -> str:
    """Text out of a few."""
    if type(value) is not str or value not in names:
        raise ValueError(f"{what} must be one of {', '.join(names)}, got {told(value)}")
    return value


def whole(what: str, value: Any, low: int, high: int) -> int:
    """`value` as an int within its ends; a truth value is none."""
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{what} must be a whole number from {low} to {high}, got {told(value)}")
    return value


def code_list(what: str, value: Any, n: int, low: int, high: int) -> np.ndarray:
    """A flat list of n codes as int64."""
    if n > MAX_WEIGHTS:
        raise ValueError(f"{what} must be at most {MAX_WEIGHTS:,} codes, got {n:,} by the shape")
    if type(value) is not list or len(value) != n:
        raise ValueError(f"{what} must be one flat list of {n:,} codes, got {told(value)}")
    for code in value:
        if type(code) is not int or not low <= code <= high:
            raise ValueError(f"{what} must be whole codes from {low} to {high}, got {told(code)}")
    return np.array(value, np.int64)


def scale(what: str, value: Any) -> float:
    """A positive step [unit of x per code] that no product of three takes out of range."""
    if type(value) not in (int, float) or not isfinite(value) or not 1e-9 <= value <= 1e9:
        raise ValueError(f"{what} must be a number from 1e-09 to 1e+09, got {told(value)}")
    return float(value)


def affine(what: str, value: Any) -> Affine:
    """The code of a tensor out of its scale and zero point."""
    if type(value) is not dict:
        raise TypeError(f"{what} must be a dict of scale and zero_point, got {told(value)}")
    entries(what, value, ("scale", "zero_point"))
    point = whole("zero_point", value["zero_point"], -128, 127)
    return Affine(scale(f"the scale of {what}", value["scale"]), point)


def q_format(kind: Any) -> QFormat:
    """The format of a text such as Q4.12."""
    found = re.fullmatch(r"Q(\d{1,2})\.(\d{1,2})", kind) if type(kind) is str else None
    if found is None or int(found[1]) + int(found[2]) not in BITS or not int(found[1]):
        raise ValueError(
            f'arithmetic must be "int8" or a format such as "Q4.12" of 8, 16 or 32 bits, got {told(kind)}'
        )
    return QFormat(int(found[1]), int(found[2]))
