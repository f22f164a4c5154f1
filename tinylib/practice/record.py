"""One's record to look at and to take along: a table by question, and every answer as CSV or JSON."""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from tinylib.practice import plan, review
from tinylib.practice.bank import BANK
from tinylib.practice.progress import LONG_AGO, Answer

COLUMNS = ("time", "id", "concept", "title", "value", "unit", "right", "mistake", "where", "seed")
FORMULA = re.compile(r"[=+\-@\t\r＝＋－＠]")  # what a spreadsheet would run


def rows(answers: Iterable[Answer]) -> list[dict[str, str | bool | None]]:
    """One row for each answer, with what the bank knows of the question."""
    return [_row(a) for a in answers]


def _row(a: Answer) -> dict[str, str | bool | None]:
    known = BANK.get(a.id)
    about = {"concept": plan.concepts().get(a.id, ""), "title": known.title if known else ""}
    about |= {
        "unit": known.shown_unit if known else "",
        "time": "" if a.time == LONG_AGO else a.time.isoformat(),
    }
    return {name: about[name] if name in about else getattr(a, name) for name in COLUMNS}


def as_json(answers: Iterable[Answer]) -> str:
    """The rows as a JSON list, one line each [text]."""
    lines = ",\n".join(json.dumps(row) for row in rows(answers))
    return f"[\n{lines}\n]\n" if lines else "[]\n"


def as_csv(answers: Iterable[Answer]) -> str:
    """The rows as CSV with a head; text that a spreadsheet would run is quoted with an apostrophe [text]."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    words = {True: "yes", False: "no", None: ""}
    for row in rows(answers):
        writer.writerow(
            [words[cell] if cell in (True, False, None) else _safe(cell) for cell in row.values()]
        )
    return out.getvalue()


def _safe(text: str) -> str:
    """One line that no spreadsheet runs; a negative number stays one."""
    line = _line(text)
    try:
        float(line)
        return line
    except ValueError:
        return f"'{line}" if FORMULA.match(line) else line


def _line(text: str) -> str:
    """Text without line breaks and without characters that steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def table(answers: Sequence[Answer], now: datetime, width: int = 100) -> str:
    """A line for each question in the order of the bank, what comes again, and a summary [text].

    width: of a line [characters]
    """
    given = [a for a in answers if a.id in BANK and a.where]
    if not given:
        return (
            "Nothing is recorded yet: answer a question of a lesson, or `python -m tinylib.practice drill`."
        )
    cards = {card.id: card for card in review.cards(given, now)}
    head = f"{'question':<28} {'answers':>7} {'right':>5}  {'comes again':<12} last named mistake"
    lines = [_fit(head, width)]
    for exercise_id in (i for i in BANK if any(a.id == i for a in given)):
        own = [a for a in given if a.id == exercise_id]
        mistake = next((a.mistake for a in reversed(own) if a.mistake), "")
        again = _when(cards[exercise_id], now) if exercise_id in cards else ""
        right = "yes" if any(a.right for a in own) else "no"
        lines.append(_fit(f"{exercise_id:<28} {len(own):>7} {right:>5}  {again:<12} {_line(mistake)}", width))
    found = plan.standings(answers)
    done = sum(s.done for s in found if s.page.is_lesson)
    of = sum(s.page.is_lesson for s in found)
    right = len({a.id for a in given if a.right})
    count = f"{len(given)} answer{'s' * (len(given) != 1)}"
    lines.append(f"\n{right} of {len(BANK)} questions right, {count} given.")
    lines.append(f"{done} of {of} lessons done, {plan.spoken(plan.minutes_left(found))} of lessons left.")
    return "\n".join(lines)


def _when(card: review.Card, now: datetime) -> str:
    days = -(-(card.due - now).total_seconds() // 86_400)
    return "now" if card.due <= now else "tomorrow" if days <= 1 else f"in {days:.0f} days"


def _fit(line: str, width: int) -> str:
    line = line.rstrip()
    return line if len(line) <= width else f"{line[: width - 1]}…"
