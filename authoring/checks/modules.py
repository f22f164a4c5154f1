"""The first line of each module says what it holds, in a whole sentence."""

import re
from pathlib import Path

from authoring.checks.texts import ROOT

FOLDERS = ("tinylib", "grading", "authoring", "benchmarks", "site", "tests", ".")
LEAST = 20  # letters: less says nothing


def modules() -> list[Path]:
    """Every Python module of the project that is not an empty marker."""
    found = {p for f in FOLDERS for p in (ROOT / f).glob("*.py" if f == "." else "**/*.py")}
    return sorted(p for p in found if not {"out", "cache"} & set(p.parts) and p.stat().st_size)


def fault(text: str) -> str:
    """Why the first line of a module's text says too little; empty when it says enough."""
    text = re.sub(r"^#!.*\n", "", text)
    if text.startswith("# %%"):  # a notebook's script: its title stands in course.toml
        return ""
    said = re.match(r'r?"""(.*?)(?:\n\n|""")', text, re.DOTALL)
    if not said:
        return "must begin with a sentence that says what the module holds, got none"
    first = said[1].rstrip()
    if len(first) < LEAST or first[-1] not in ".:?!]" or not first.split("\n")[0].strip():
        return f"must say on its first line what the module holds, a whole sentence, got {said[1]!r}"
    return ""


def findings() -> list[str]:
    """Modules whose first line does not say what they hold."""
    faults = ((p, fault(p.read_text(encoding="utf-8"))) for p in modules())
    return [f"{p.relative_to(ROOT).as_posix()}:1 {why}" for p, why in faults if why]
