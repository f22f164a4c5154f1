"""Who sent a file: by the way Moodle, Canvas or nbgrader names it, and by a mapping to student ids."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grading.exchange.arrivals import Arrival, Refused, name_problem

STUDENT = re.compile(r"[\w@+-][\w.@+-]{0,99}")
MOODLE = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(_(?P<file>.*))?")
CANVAS = re.compile(r"(?P<name>.+?)(?P<late>_late)?_(?P<id>\d+|anon_\w+?)_\d+_(?P<file>.+)", re.IGNORECASE)
AGAIN = re.compile(r"(-(?P<a>\d{1,3})| \((?P<b>\d{1,3})\))$")  # what platforms and browsers add to a name


@dataclass(frozen=True)
class Sent:
    """One notebook and whose it is: the platform's name and number for a person, or the student id itself."""

    arrival: Arrival
    name: str
    number: str = ""
    platform: str = ""  # Moodle, Canvas, or empty where folders bear student ids
    file: str = ""
    late: bool = False

    @property
    def attempt(self) -> tuple[int, float]:
        """Orders several files of one person: the platform's own count, then the time."""
        found = AGAIN.search(Path(self.file).stem)
        return int(found["a"] or found["b"]) if found else 0, self.arrival.when


def whose(arrival: Arrival, assignment: str) -> Sent:
    """Who sent a file, by the way Moodle, Canvas or nbgrader itself names it; raises Refused."""
    *folders, last = arrival.parts
    for part in reversed(arrival.parts):
        if found := MOODLE.fullmatch(part):
            if found["kind"] != "file":
                raise Refused(f"a submission must be a file, got Moodle's kind {found['kind']!r}")
            return Sent(arrival, found["name"], found["id"], "Moodle", found["file"] or last)
    if found := CANVAS.fullmatch(last):
        return Sent(arrival, found["name"], found["id"], "Canvas", found["file"], bool(found["late"]))
    if folders and folders[-1] == assignment:
        folders.pop()
    if not folders:
        raise Refused("a file must lie in a folder named after its student, or be named by Moodle or Canvas")
    return Sent(arrival, folders[-1], file=last)


def student_id(sent: Sent, names: Mapping[str, str]) -> str:
    """nbgrader's id for a person: by number, by name, else the name itself made plain; raises Refused."""
    if named := mapped(sent, names):
        return named
    if not sent.platform:
        return valid(sent.name)
    plain = unicodedata.normalize("NFKD", sent.name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    return valid(slug or f"{sent.platform.lower()}-{sent.number}")


def mapped(sent: Sent, names: Mapping[str, str]) -> str:
    """The id that the mapping gives a person; empty when it names nobody."""
    return names.get(folded(sent.number)) or names.get(folded(sent.name)) or ""


def valid(student: str) -> str:
    """The id, when it can be a folder's name everywhere; raises Refused."""
    if not STUDENT.fullmatch(student) or ".." in student or name_problem(student):
        raise Refused(f"a student id must be letters, digits and . _ @ + -, got {student[:60]!r}")
    return student


def folded(name: str) -> str:
    """A name as it is compared: case, accents' spelling and spaces set aside."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().replace("_", " ").split())


def read_names(path: Path) -> dict[str, str]:
    """The mapping in a CSV of two or three columns: the platform's name, number, and the student id last.

    A spreadsheet may have saved it with semicolons. A name that two people share stands for neither of them:
    their numbers do. Raises ValueError with one sentence.
    """
    owners: dict[str, set[str]] = {}
    decides = []  # of each line: its number, else its name
    for line, row in enumerate(_rows(path), 1):
        *known, student = [cell.strip() for cell in row] or [""]
        if not student or (line == 1 and student.casefold() in ("student", "student id")):
            continue
        try:
            valid(student)
        except Refused as error:
            raise ValueError(f"{path.name} line {line}: {error}") from None
        keys = [key for key in map(folded, known) if key]
        for key in keys:
            owners.setdefault(key, set()).add(student)
        decides += keys[-1:]
    if twice := [key for key in decides if len(owners[key]) > 1]:
        raise ValueError(f"{path.name} must give each name once, got {twice[0]!r} twice: use numbers")
    return {key: students.pop() for key, students in owners.items() if len(students) == 1}


def _rows(path: Path) -> Iterable[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} must be saved as CSV in UTF-8, got another encoding") from None
    head = text.partition("\n")[0]
    return csv.reader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")


def write_names(path: Path, people: Iterable[Sent]) -> None:
    """A mapping to fill in: one line for each person that a platform names."""
    lines = sorted({(p.name, p.number) for p in people if p.platform})
    with path.open("x", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([("name", "number", "student"), *((*line, "") for line in lines)])
