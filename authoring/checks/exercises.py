"""Every exercise of the bank stands in a lesson or an assignment: what no page asks, nobody practises."""

import re

from authoring.checks.texts import cells, scripts
from tinylib.practice import BANK

ASKS = re.compile(r"""\b(?:quiz|question|check|hint)\(\s*["']([\w.-]+)["']""")


def asked() -> dict[str, str]:
    """Exercise id -> the first place of a lesson or an assignment that asks it."""
    found: dict[str, str] = {}
    for script in (*scripts("lessons"), *scripts("assignments")):
        for cell in cells(script):
            if not cell.prose:
                for call in ASKS.finditer(cell.text):
                    found.setdefault(call[1], cell.at(call.start()))
    return found


def findings() -> list[str]:
    """Exercises that no page asks."""
    there = asked()
    return [f"{name} is asked in no lesson and no assignment" for name in BANK if name not in there]
