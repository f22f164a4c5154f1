"""The learner's own record: one line of JSON per answer, appended, never sent anywhere.

`make lab` names the file in TINYML_PROGRESS; without it, and wherever nbgrader runs the notebook, nothing
is recorded.
"""

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

VARIABLE = "TINYML_PROGRESS"


def path() -> Path | None:
    """The record's file, or None where recording is off."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name and not os.environ.get("NBGRADER_EXECUTION") else None


def append(exercise_id: str, value: str, right: bool | None, mistake: str | None) -> None:
    """Add one answer; a full disk or a read-only folder loses the line, never the lesson."""
    file = path()
    if file is None:
        return
    row = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "id": exercise_id,
        "value": value,
        "right": right,
        "mistake": mistake,
    }
    try:
        with open(file, "a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")
    except OSError:
        return


def rows(file: Path | None = None) -> list[dict]:
    """All recorded answers, oldest first; a damaged line is left out."""
    file = file or path()
    if file is None or not file.exists():
        return []
    found = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("id"), str):
            found.append(row)
    return found


def summary(answers: Iterable[dict]) -> dict[str, dict]:
    """Per exercise: attempts, whether it was ever right, and the last named mistake."""
    by_id: dict[str, dict] = {}
    for row in answers:
        one = by_id.setdefault(row["id"], {"attempts": 0, "right": False, "mistake": None})
        one["attempts"] += 1
        one["right"] = one["right"] or row.get("right") is True
        one["mistake"] = row.get("mistake") or one["mistake"]
    return by_id


def score() -> str:
    """One line on the record so far."""
    done = summary(rows())
    if not done:
        return "Nothing recorded yet."
    right = sum(one["right"] for one in done.values())
    attempts = sum(one["attempts"] for one in done.values())
    return f"{right} of {len(done)} questions right, {attempts} answers given."
