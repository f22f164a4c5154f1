"""From what a learning platform hands out to submitted/STUDENT/ASSIGNMENT/: a zip or folder, never trusted.

Every member is judged by its name and kind before a byte of it is read, and is read with a limit. What is
refused becomes one row with one sentence, and the rest goes on.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from grading.book.course import Course, in_words
from grading.exchange.arrivals import LIMITS, Limits, Refused, arrivals
from grading.exchange.senders import AGAIN, Sent, mapped, read_names, student_id, valid, whose, write_names

ASIDE = "replaced"  # beside submitted/: what a newer submission took the place of, or came too late for


@dataclass(frozen=True)
class Row:
    """What became of one file: collected, unchanged, newer kept, older kept, or refused."""

    source: str
    student: str
    what: str
    note: str = ""


def sorted_out(source: Path, assignment: str, limits: Limits = LIMITS) -> tuple[list[Sent], list[Row]]:
    """The notebooks in a zip or folder and who sent them, and a row for each member that is refused."""
    sent, rows = [], []
    for arrival in arrivals(source, limits):
        try:
            arrival.check()
            if not arrival.parts[-1].casefold().endswith(".ipynb"):
                raise Refused("only notebooks are collected")
            sent.append(whose(arrival, assignment))
        except Refused as error:
            rows.append(Row(arrival.name, "", "refused", str(error)))
    return sent, rows


def collect(
    source: Path,
    root: Path,
    assignment: str,
    names: Mapping[str, str] | None = None,
    times: bool = False,
    limits: Limits = LIMITS,
) -> list[Row]:
    """Put every notebook of `source` into submitted/ of the course at `root`; what became of each file.

    names: the platform's folded name or number -> student id; times: whether the times in `source` are those
    of handing in, to be written for nbgrader's late policy.
    """
    valid(assignment)
    if source.is_dir() and (root / "submitted").resolve().is_relative_to(source.resolve()):
        raise ValueError(f"collect must read from elsewhere than the course's own folder, got {source}")
    sent, rows = sorted_out(source, assignment, limits)
    by_student: dict[str, list[Sent]] = {}
    for one in sent:
        try:
            by_student.setdefault(student_id(one, names or {}), []).append(one)
        except Refused as error:
            rows.append(Row(one.arrival.name, "", "refused", str(error)))
    spelled = Counter(student.casefold() for student in by_student)
    for student, files in sorted(by_student.items()):
        try:
            if spelled[student.casefold()] > 1:
                raise Refused(f"ids must differ in more than case, got {student!r} beside another")
            chosen, left = _choose(files, assignment)
            rows += [Row(f.arrival.name, student, "refused", f"{chosen.arrival.name} is newer") for f in left]
            note = _note(chosen, assignment, bool(mapped(chosen, names or {})))
            rows.append(_store(chosen, root, student, assignment, times, note))
        except Refused as error:
            rows += [Row(f.arrival.name, student, "refused", str(error)) for f in files]
    return rows


def _choose(files: list[Sent], assignment: str) -> tuple[Sent, list[Sent]]:
    """The file that counts of one student's, and the others."""
    people = sorted({(f.name, f.number) for f in files})
    if len(people) > 1:
        who = " and ".join(f"{name} {number}".strip() for name, number in people[:3])
        raise Refused(f"one id must be one person, got {who}: tell them apart with --names")
    named = [f for f in files if AGAIN.sub("", Path(f.file).stem).casefold() == assignment.casefold()]
    candidates = named or files
    stems = {AGAIN.sub("", Path(f.file).stem) for f in candidates}
    if len(stems) > 1:
        raise Refused(f"one notebook must be named {assignment}.ipynb, got {', '.join(sorted(stems)[:3])}")
    chosen = max(candidates, key=lambda f: f.attempt)
    return chosen, [f for f in files if f is not chosen]


def _note(sent: Sent, assignment: str, known: bool) -> str:
    """What is worth knowing of a file that is taken."""
    notes = {
        "late, says Canvas": sent.late,
        "not in the mapping, so the id is made from the name": sent.platform and not known,
        f"was named {printable(sent.file)}": Path(sent.file).name != f"{assignment}.ipynb",
    }
    return "; ".join(note for note, holds in notes.items() if holds)


def _store(sent: Sent, root: Path, student: str, assignment: str, times: bool, note: str) -> Row:
    """Write one submission; whichever is older of two different ones goes aside with its time."""
    content = sent.arrival.read()
    folder = _folder(root, "submitted", student, assignment)
    target = folder / f"{assignment}.ipynb"
    row = Row(sent.arrival.name, student, "collected", note)
    if target.is_symlink() or (target.exists() and not target.is_file()):
        raise Refused(f"{target.name} of {student} must be a plain file, got something else in its place")
    if target.exists():
        if target.read_bytes() == content:
            return replace(row, what="unchanged")
        there = target.stat().st_mtime
        if there > sent.arrival.when:
            _write(_free(root, student, assignment, sent.arrival.when), content, sent.arrival.when)
            return replace(row, what="newer kept", note="the one collected before is newer: this lies aside")
        os.replace(target, _free(root, student, assignment, there))
        row = replace(row, what="older kept", note="it took the place of an older one, which lies aside")
    _write(target, content, sent.arrival.when)
    if times:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(sent.arrival.when))
        _write(folder / "timestamp.txt", stamp.encode(), sent.arrival.when)
    return row


def _folder(root: Path, *names: str) -> Path:
    """A folder below root, made of plain folders and spelled as it is; raises Refused."""
    path = root
    for name in names:
        if path.is_dir() and (other := next((n for n in os.listdir(path) if _clash(n, name)), "")):
            raise Refused(f"ids must differ in more than case, got {name!r} where {other!r} is there already")
        path = path / name
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise Refused(f"submissions must lie in plain folders, got a link or file at {name!r}")
    path.mkdir(parents=True, exist_ok=True)
    return path


def _clash(one: str, other: str) -> bool:
    return one != other and one.casefold() == other.casefold()


def _free(root: Path, student: str, assignment: str, when: float) -> Path:
    """A new name aside for a notebook of that time."""
    folder = _folder(root, ASIDE, student, assignment)
    stem = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(when))
    names = (f"{stem}{f'-{n}' if n else ''}.ipynb" for n in range(10_000))
    return next(folder / name for name in names if not (folder / name).exists())


def _write(path: Path, content: bytes, when: float) -> None:
    """Write through a temporary name beside it, with the time of the original."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
        file.write(content)
    os.utime(part, (when, when))
    os.replace(part, path)


def table(rows: list[Row]) -> str:
    """The rows as text: refusals last, then how many of each."""
    width = min(max((len(r.student) for r in rows), default=0), 30)
    lines = [
        f"{r.what:<10}  {r.student:<{width}}  {printable(r.source)}{f': {r.note}' if r.note else ''}"
        for r in sorted(rows, key=lambda r: (r.what == "refused", r.student, r.source))
    ]
    counts = Counter(r.what for r in rows)
    return "\n".join([*lines, ", ".join(f"{n} {what}" for what, n in counts.items()) or "nothing was found"])


def printable(name: str, limit: int = 100) -> str:
    """A file's name for a terminal."""
    shown = "".join(c if c.isprintable() else "?" for c in name)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def add_command(commands: argparse._SubParsersAction) -> None:
    """Register `collect`."""
    one = commands.add_parser("collect", help="put a platform's zip of submissions into submitted/")
    one.add_argument("source", type=Path, metavar="ZIP|FOLDER")
    one.add_argument("assignment")
    one.add_argument("--course", type=Path, default=Path(), help="the course folder (default: this one)")
    one.add_argument("--names", type=Path, help="CSV: name, number, student id; made to fill in if missing")
    one.add_argument("--times", action="store_true", help="the file times are those of handing in")
    one.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        Course(options.course).check(valid(options.assignment))
        if options.names and not options.names.exists():
            sent, _ = sorted_out(options.source, options.assignment)
            write_names(options.names, sent)
            print(f"{options.names} is new: fill in its column student, then run this again")
            return 0
        names = read_names(options.names) if options.names else {}
        rows = collect(options.source, options.course, options.assignment, names, options.times)
    except (Refused, ValueError, OSError) as error:
        print(f"collect: {in_words(error)}")
        return 2
    print(table(rows))
    return 0
