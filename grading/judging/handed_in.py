"""The cells of a notebook as handed in: any bytes, read leniently, or one sentence why there are none."""

import json
from dataclasses import dataclass, field
from typing import Any

MAX_BYTES, MAX_SOURCE, MAX_CELLS = 20_000_000, 200_000, 2_000
TYPES = ("code", "markdown", "raw")


class Unreadable(ValueError):
    """The bytes hold no notebook; the message is one sentence."""


@dataclass(eq=False)
class Found:
    """One cell as handed in."""

    kind: str
    source: str
    cell_id: str
    claims: dict = field(default_factory=dict)  # its nbgrader metadata

    @property
    def grade_id(self) -> str:
        name = self.claims.get("grade_id")
        return name if type(name) is str else ""


def parsed(raw: bytes, problems: list[str]) -> dict:
    if len(raw) > MAX_BYTES:
        raise Unreadable(f"a notebook must hold at most {MAX_BYTES / 1e6:g} MB, got {len(raw) / 1e6:,.0f} MB")
    if not raw.strip():
        raise Unreadable("a notebook must hold cells, got an empty file")
    encoding = json.detect_encoding(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        text = raw.decode(encoding, "replace")
        problems.append("the notebook holds bytes that are not UTF-8: they were replaced")
    try:
        data = json.loads(text)
    except RecursionError:
        raise Unreadable("a notebook must be JSON of ordinary depth, got one nested too deep") from None
    except ValueError as error:
        raise Unreadable(f"a notebook must be JSON, got a damaged file: {error!s:.100}") from None
    if type(data) is not dict:
        raise Unreadable(f"a notebook must be a JSON object, got {_kind(data)}")
    return data


def cells_of(data: dict, problems: list[str]) -> list[Found]:
    version = data.get("nbformat")
    if version != 4:
        problems.append(f"the notebook has format {show(version)}: read as format 4")
    cells = data.get("cells")
    if "cells" not in data and type(data.get("worksheets")) is list:  # nbformat 2 and 3
        sheets = [s.get("cells") for s in data["worksheets"] if type(s) is dict]
        cells = [cell for sheet in sheets if type(sheet) is list for cell in sheet]
    if type(cells) is not list:
        raise Unreadable(f"a notebook must hold a list of cells, got {_kind(cells)}")
    if len(cells) > MAX_CELLS:
        problems.append(f"only the first {MAX_CELLS:,} cells are read, the notebook has {len(cells):,}")
    return [f for n, cell in enumerate(cells[:MAX_CELLS], 1) if (f := _found(n, cell, problems))]


def _found(number: int, cell: Any, problems: list[str]) -> Found | None:
    """One cell read leniently; None, with a problem, when nothing can be made of it."""
    if type(cell) is not dict:
        problems.append(f"cell {number} must be an object, got {_kind(cell)}: left out")
        return None
    kind, source = cell.get("cell_type"), cell.get("source", cell.get("input", ""))
    if kind == "heading":  # nbformat 3
        level = cell.get("level")
        kind, mark = "markdown", "#" * (level if type(level) is int and 0 < level < 7 else 1)
        source = [f"{mark} ", *source] if type(source) is list else f"{mark} {source}"
    if type(source) is list and all(type(line) is str for line in source):
        source = "".join(source)
    metadata = cell.get("metadata")
    claims = metadata.get("nbgrader") if type(metadata) is dict else None
    found = Found("", "", _text(cell.get("id")), claims if type(claims) is dict else {})
    name = f"cell {number}" + (f" ({show(found.grade_id)})" if found.grade_id else "")
    if kind not in TYPES or type(source) is not str:
        wrong = f"type {show(kind)}" if type(source) is str else f"source of {_kind(source)}"
        problems.append(f"{name} must be code or text, got {wrong}: left out")
        return None
    if len(source) > MAX_SOURCE:
        problems.append(f"{name} must hold at most {MAX_SOURCE:,} characters, got {len(source):,}: left out")
        return None
    found.kind, found.source = kind, _text(source).replace("\r\n", "\n")
    return found


def _text(value: Any) -> str:
    """Text without lone surrogates, which no file can hold; empty for anything that is not text."""
    return value.encode("utf-8", "replace").decode() if type(value) is str else ""


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", type(None): "nothing", bool: "a truth value"}
    return names.get(type(value), "a number")


def show(value: Any) -> str:
    return ascii(value)[:60] if isinstance(value, str | int | float | None) else _kind(value)
