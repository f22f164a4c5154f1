"""Grades for Canvas and Moodle, as CSV that their import pages read; scores are those after late penalties.

Only finished grades leave: a blank cell would erase a grade on the other side, so whoever still waits for a
person is left out and named. Text that a spreadsheet would run as a formula is quoted with an apostrophe.

Source: Canvas, gradebook import (first columns Student, ID, SIS User ID, SIS Login ID, Section; second row
Points Possible; assignments are matched by the id in their title). Moodle, import of grades from CSV (one
column identifies the user, each further one is mapped to an item or its feedback; one unknown user or grade
above the maximum stops the whole import).
"""

import argparse
import csv
import io
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grading.book.course import Course, in_words, tools
from grading.book.standing import GradebookError, shown, told
from grading.judging.clean import one_line

FORMULA = re.compile(r"[=+\-@\t\r＝＋－＠]")
CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
TITLED = re.compile(r"(?P<title>.*\S)\s+\((?P<id>\d+)\)")
IDENTIFY = {"username": "Username", "email": "Email address", "idnumber": "ID number"}


class ExportError(ValueError):
    """Nothing can be exported; the message is one sentence."""


@dataclass(frozen=True)
class Score:
    """One student's result: points after the late penalty, None when there is no work or a mark waits."""

    student: str
    points: float | None
    max_points: float
    name: str = ""  # Last, First
    email: str = ""
    number: str = ""  # the platform's own id for the person
    penalty: float = 0.0
    waiting: bool = False
    comment: str = ""


@dataclass
class Sheet:
    """Rows of text ready for a file, and one sentence for each student who is left out."""

    rows: list[list[str]]
    left_out: list[str] = field(default_factory=list)


def scores(course: Course, assignment: str, zeros: bool = False) -> list[Score]:
    """Every student's score in nbgrader's gradebook; zeros: who handed in nothing gets 0.

    Raises ExportError with one sentence.
    """
    url = course.url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise ExportError(f"export reads the gradebook, found none at {shown(url)}: grade something first")
    with tools(), told(url):
        from nbgrader.api import Gradebook, MissingEntry

        with Gradebook(url, course.course_id) as book:
            try:
                entry = book.find_assignment(assignment)
            except MissingEntry:
                raise ExportError(
                    f"the gradebook knows no assignment {assignment!r}: grade it first"
                ) from None
            found = []
            for student in book.students:
                try:
                    work = book.find_submission(assignment, student.id)
                except MissingEntry:
                    work = None
                found.append(_score(student, work, entry.max_score, zeros))
            return found


def _score(student, work, max_points: float, zeros: bool) -> Score:
    """From nbgrader's records of a student and a submission (None: there is none)."""
    name = ", ".join(part for part in (student.last_name, student.first_name) if part)
    who = {"name": name or student.id, "email": student.email or "", "number": student.lms_user_id or ""}
    if work is None:
        return Score(student.id, 0.0 if zeros else None, max_points, **who)
    penalty = work.late_submission_penalty or 0.0
    points = None if work.needs_manual_grade else max(0.0, work.score - penalty)
    said = [f"{points_text(penalty)} points off for lateness"] if penalty else []
    for notebook in work.notebooks:
        said += [c.comment for c in notebook.comments if c.comment and c.comment != "No response."]
    comment = one_line(" | ".join(said), 2000)
    return Score(
        student.id, points, max_points, **who, penalty=penalty, waiting=points is None, comment=comment
    )


def points_text(points: float) -> str:
    """Points with at most five decimals, as both platforms keep them."""
    return f"{points:.5f}".rstrip("0").rstrip(".")


def safe(text: str) -> str:
    """Text that no spreadsheet runs, on one line."""
    line = one_line(text, 4000)
    return f"'{line}" if FORMULA.match(line) else line


def _identifier(text: str) -> str:
    """An identifier as it is, refused where it looks like a formula: quoting would name somebody else."""
    line = one_line(text, 200)
    if FORMULA.match(line) or line != text:
        raise ExportError(f"an identifier must not begin like a formula, got {line!r}")
    return line


def _ready(found: Iterable[Score], sheet: Sheet) -> Iterable[Score]:
    for one in found:
        if one.points is None:
            why = "a person still has to mark something" if one.waiting else "nothing was handed in"
            sheet.left_out.append(f"{one.student}: {why}")
        else:
            yield one


def canvas(
    found: Iterable[Score], title: str, roster: Mapping[str, Mapping[str, str]] | None = None
) -> Sheet:
    """Canvas's gradebook CSV; title: as Canvas shows it, best with its id, as in "Counting (1234)".

    roster: identifier -> row of a gradebook exported from Canvas, from which the person's columns are taken.
    """
    found = list(found)
    points = points_text(max((s.max_points for s in found), default=0))
    sheet = Sheet([[*CANVAS, safe(title)], ["    Points Possible", "", "", "", "", points]])
    for one in _ready(found, sheet):
        number = one.number if one.number.isdigit() else ""
        person = dict(zip(CANVAS, (one.name, number, "", one.student, "")))
        try:
            if roster is not None:
                keys = (one.number, one.student, one.email)
                person = next((roster[k.casefold()] for k in keys if k and k.casefold() in roster), None)
                if person is None:
                    raise ExportError("not in the roster")
            ids = [_identifier(person.get(column, "")) for column in CANVAS[1:4]]
        except ExportError as error:
            sheet.left_out.append(f"{one.student}: {error}")
            continue
        name, section = safe(person["Student"]), safe(person.get("Section", ""))
        sheet.rows.append([name, *ids, section, points_text(one.points)])
    return sheet


def moodle(found: Iterable[Score], title: str, identify: str = "username", feedback: bool = False) -> Sheet:
    """A CSV for Moodle's grade import; identify: username (nbgrader's id), email or idnumber."""
    head = ["Last name, first name", IDENTIFY[identify], safe(title)]
    sheet = Sheet([[*head, safe(f"{title}, feedback")] if feedback else head])
    for one in _ready(found, sheet):
        email = one.email or (one.student if "@" in one.student else "")
        known = {"username": one.student, "email": email, "idnumber": one.number}[identify]
        try:
            if not known:
                raise ExportError(f"the gradebook holds no {IDENTIFY[identify].lower()}")
            if one.points > one.max_points:
                raise ExportError(f"Moodle takes at most {points_text(one.max_points)} points, got more")
            row = [safe(one.name), _identifier(known), points_text(one.points)]
        except ExportError as error:
            sheet.left_out.append(f"{one.student}: {error}")
            continue
        sheet.rows.append([*row, safe(one.comment)] if feedback else row)
    return sheet


def read_roster(path: Path, title: str) -> tuple[dict[str, dict[str, str]], str]:
    """A gradebook exported from Canvas: its rows by every identifier, and the title with its id.

    Raises ExportError with one sentence.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            columns = lines.fieldnames or []
            if not {"Student", "ID"} <= set(columns):
                raise ExportError(f"a roster must be exported from Canvas's gradebook, got {path.name}")
            people = [row for row in lines if (row.get("ID") or "").strip()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise ExportError(f"the roster {path.name} must be readable, got {said:.100}") from None
    titles = [c for c in columns if c and (found := TITLED.fullmatch(c)) and found["title"] == title]
    by_id = {}
    for row in people:
        for column in CANVAS[1:4]:
            if key := (row.get(column) or "").strip().casefold():
                by_id.setdefault(key, {k: v or "" for k, v in row.items() if k})
    return by_id, titles[0] if len(titles) == 1 else title


def text(sheet: Sheet, bom: bool = False) -> bytes:
    """The sheet as RFC 4180 has it, in UTF-8; bom: with the mark by which Excel knows that."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(sheet.rows)
    return out.getvalue().encode("utf-8-sig" if bom else "utf-8")


def write(path: Path, content: bytes) -> None:
    """Write through a temporary name, readable by the instructor alone."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    os.replace(part, path)


def add_command(commands: argparse._SubParsersAction) -> None:
    """Register `export`."""
    one = commands.add_parser("export", help="grades as CSV for the import page of Canvas or Moodle")
    one.add_argument("assignment")
    where = one.add_mutually_exclusive_group(required=True)
    where.add_argument("--canvas", type=Path, metavar="FILE")
    where.add_argument("--moodle", type=Path, metavar="FILE")
    one.add_argument("--title", help="the assignment's name over there (default: its name here)")
    one.add_argument("--roster", type=Path, help="gradebook exported from Canvas, to take ids and title from")
    one.add_argument(
        "--identify", choices=list(IDENTIFY), default="username", help="Moodle's column of users"
    )
    one.add_argument("--feedback", action="store_true", help="Moodle: a column with the reasons")
    one.add_argument("--zeros", action="store_true", help="who handed in nothing gets 0 points")
    one.add_argument("--bom", action="store_true", help="mark the file as UTF-8 for a spreadsheet")
    one.add_argument("--course", type=Path, default=Path(), help="the course folder (default: this one)")
    one.add_argument("--db", default="", help="database URL of the gradebook")
    one.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    title = options.title or options.assignment
    try:
        found = scores(Course(options.course, options.db), options.assignment, options.zeros)
        if options.canvas:
            roster, title = read_roster(options.roster, title) if options.roster else (None, title)
            sheet, path, head = canvas(found, title, roster), options.canvas, 2
        else:
            sheet, path = moodle(found, title, options.identify, options.feedback), options.moodle
            head = 1
        content = text(sheet, options.bom)
        write(path, content)
    except (ExportError, GradebookError, OSError) as error:
        print(f"export: {in_words(error)}")
        return 2
    for line in sheet.left_out:
        print(f"left out  {line}")
    print(f"{path}: {len(sheet.rows) - head} of {len(found)} students")
    if not options.bom and not content.isascii():
        print("to open it in a spreadsheet first, say --bom: it holds letters beyond ASCII")
    return 0
