"""The learner's own record: one line of JSON per answer, appended, never sent anywhere.

`make lab` names the file in TINYML_PROGRESS; without it, and wherever nbgrader runs the notebook, nothing
is recorded. Two notebooks may write at once: a line is a single write at the end of the file.
"""

import contextlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

VARIABLE = "TINYML_PROGRESS"
MAX_LINE = 20_000  # bytes; no answer is that long
MAX_TEXT = 300
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    """One recorded answer. right: None where only grading decides.

    seed: the variant that was asked, None for the printed numbers
    where: "quiz", "review", "drill", the name of an assignment, or "" for a check that was only tried out
    """

    id: str
    value: str
    right: bool | None
    mistake: str
    time: datetime
    seed: str | None = None
    where: str = "quiz"


def path() -> Path | None:
    """The record's file, or None where recording is off."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name and not os.environ.get("NBGRADER_EXECUTION") else None


def find(folder: Path) -> Path | None:
    """The record of the copies in my/, from this folder upwards; None where no lesson was copied."""
    for root in (folder, *folder.parents):
        if (root / "my" / "lessons").is_dir():
            return root / "my" / "progress.jsonl"
    return None


def append(
    exercise_id: str,
    value: str,
    right: bool | None,
    mistake: str | None,
    seed: str | int | None = None,
    where: str = "",
) -> None:
    """Add one answer; a full disk or a read-only folder loses the line, never the lesson."""
    file = path()
    if file is None:
        return
    row = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "id": exercise_id[:MAX_TEXT],
        "value": value[:MAX_TEXT],
        "right": right,
        "mistake": mistake,
        "seed": None if seed is None else str(seed),
        "where": where,
    }
    line = json.dumps(row).encode() + b"\n"
    with contextlib.suppress(OSError), open(file, "ab+", buffering=0) as out:
        if out.seek(0, os.SEEK_END):  # a line that was cut off must not take this one with it
            out.seek(-1, os.SEEK_END)
            line = line if out.read(1) == b"\n" else b"\n" + line
        out.write(line)


def rows(file: Path | None = None) -> list[dict]:
    """All recorded answers as they stand, in the order of the file; a damaged line is left out."""
    file = file or path()
    try:
        data = file.read_bytes() if file else b""
    except OSError:
        return []
    found = []
    for line in data.split(b"\n"):
        try:
            row = json.loads(line) if len(line) <= MAX_LINE else None
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and isinstance(row.get("id"), str):
            found.append(row)
    return found


def answers(file: Path | None = None) -> list[Answer]:
    """All recorded answers, oldest first; a field of the wrong kind is empty, a missing time long ago."""
    return sorted(map(_answer, rows(file)), key=lambda answer: answer.time)


def _answer(row: dict) -> Answer:
    right, seed = row.get("right"), row.get("seed")
    return Answer(
        row["id"],
        _text(row.get("value")),
        right if right is True or right is False else None,
        _text(row.get("mistake")),
        _time(row.get("time")),
        seed[:MAX_TEXT] if isinstance(seed, str) else None,
        _text(row.get("where", "quiz")),
    )


def _text(value: object) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _time(value: object) -> datetime:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else LONG_AGO
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return LONG_AGO


def score() -> str:
    """One line on the record so far."""
    found = rows()
    if not found:
        return "Nothing recorded yet."
    asked, right = {row["id"] for row in found}, {row["id"] for row in found if row.get("right") is True}
    given = f"{len(found)} answer{'s' * (len(found) != 1)}"
    return f"{len(right)} of {len(asked)} questions right, {given} given."
