"""All attacks and six honest students as one class: nothing won, nobody hurt, nothing left, nothing told."""

import hashlib
import os
import re
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest

from grading.book.course import Course
from grading.book.rows import Options, Report, table
from grading.engine import run
from grading.exchange import export
from grading.inside.confine import OWN_UIDS
from grading.inside.task import Limits
from grading.pages import class_report
from grading.workers import sandbox
from tests.hostile.attacks import ATTACKS
from tests.hostile.course import (
    hand_in,
    hand_in_attack,
    honest,
    left,
    listening,
    make_course,
    name_of,
    plant,
    planted,
    work_of,
)
from tests.hostile.markup import faults
from tests.hostile.work import ASSIGNMENT, Places

pytestmark = pytest.mark.slow
LIMITS = Limits(cell_s=1.0, wall_s=4.0, cpu_s=20)
HONEST = {student.name: student for student in honest()}
GRADES = """select student_id, base_cell.name, {columns}
    from submitted_assignment as work join submitted_notebook as notebook on notebook.assignment_id = work.id
    join {kind} on {kind}.notebook_id = notebook.id join base_cell on base_cell.id = {kind}.cell_id"""
COLUMNS = {"grade": "auto_score, manual_score, extra_credit", "comment": "auto_comment, manual_comment"}


@dataclass
class Class:
    """What became of the class."""

    root: Path
    canaries: dict[str, str]
    report: Report
    alone: dict  # what the gradebook said of the honest before anyone else was there
    files: dict[str, str]  # of the course before
    calls: list[str]
    left: dict[int, str]
    page: str  # the class report
    sheets: list[export.Sheet]

    @property
    def rows(self) -> dict:
        return {row.student: row for row in self.report.rows}

    def row(self, attack):
        return self.rows[shown(name_of(attack))]

    def pages(self):
        for path in sorted(self.root.glob("feedback/*/*/*.html")):
            yield path.parts[-3], path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    level = sandbox.probe()
    if level.name not in ("A", "B"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(level))
    root = tmp_path_factory.mktemp("hostile") / "course"
    root.mkdir()
    canaries = make_course(root)
    with pytest.MonkeyPatch.context() as patch, listening(root.parent) as heard:
        patch.setenv("TINYML_KEYS", str(root / "authoring" / "keys"))
        patch.setenv("TINYML_COURSE_SECRET", canaries["environment"])
        places = Places(str(root), heard.port, heard.socket)
        for student in HONEST.values():
            hand_in(root, work_of(student, places, canaries["classmate"] * (student.name == "ada")))
        options = {"jobs": 2, "limits": LIMITS, "progress": False, "say": lambda text: None}
        options["allow_unsandboxed"] = False
        run(Course(root), ASSIGNMENT, Options(**options))
        alone = gradebook(root)
        plant(root, canaries["gradebook"])
        for attack in ATTACKS.values():
            hand_in_attack(root, attack, places)
        files = contents(root)
        report = run(Course(root), ASSIGNMENT, Options(**options, force=True))
        stayed = left(own_users())
        page = class_report.page(class_report.read_class(Course(root), ASSIGNMENT), root / "report.html")
        scores = export.scores(Course(root), ASSIGNMENT)
        sheets = [export.canvas(scores, ASSIGNMENT), export.moodle(scores, ASSIGNMENT, feedback=True)]
        yield Class(root, canaries, report, alone, files, heard.calls, stayed, page, sheets)
    for path in root.parent.rglob("*"):
        if not path.is_symlink() and path.stat().st_mode & 0o700 == 0:
            path.chmod(0o700)
    shutil.rmtree(root.parent, ignore_errors=True)


def shown(student: str) -> str:
    """A student's name as a row has it."""
    return student if student.isprintable() else ascii(student)


def own_users() -> range:
    """User ids that workers of this process may have had."""
    first = OWN_UIDS + os.getpid() % 2**16 * 2**12
    return range(first, first + 2**12) if os.getuid() == 0 else range(0)


def gradebook(root: Path) -> dict:
    """(student, cell, kind) -> scores or comments, from nbgrader's own tables."""
    with sqlite3.connect(root / "gradebook.db") as db:
        return {
            (student, cell, kind): tuple(rest)
            for kind, columns in COLUMNS.items()
            for student, cell, *rest in db.execute(GRADES.format(kind=kind, columns=columns))
        }


def contents(root: Path) -> dict[str, str]:
    """Every file of the course that grading only reads, by digest."""
    found = {}
    for kind in ("submitted", "solutions", "exercises", "authoring", "nbgrader_config.py"):
        for path in [root / kind, *(root / kind).rglob("*")]:
            if not path.is_symlink() and not os.access(path, os.R_OK):  # root may read all
                found[str(path)] = str(path.stat().st_mode)
            elif path.is_file() and not path.is_symlink() and path.stat().st_nlink == 1:
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
            elif not path.is_dir():
                found[str(path)] = str(os.path.islink(path) and os.readlink(path))
    return found


def test_every_submission_has_one_row(graded):
    assert sorted(row.student for row in graded.report.rows) == sorted(
        [*HONEST, *(shown(name_of(attack)) for attack in ATTACKS.values())]
    )
    assert not graded.report.stopped and {row.level for row in graded.report.rows if row.seconds} <= {
        "A",
        "B",
    }


def test_no_attack_wins_a_point(graded):
    won = {name: graded.row(attack).verdict.points for name, attack in ATTACKS.items()}
    assert won == pytest.approx({name: attack.earns for name, attack in ATTACKS.items()})


def test_the_gradebook_gives_no_more_than_the_report(graded):
    given: dict[str, float] = {}
    for (student, _, kind), (score, *more) in gradebook(graded.root).items():
        if kind == "grade":
            given[student] = given.get(student, 0) + (score or 0)
            assert not any(more), "nobody gave points by hand"
    assert given == pytest.approx({s: row.verdict.points for s, row in graded.rows.items() if row.graded})


def test_honest_work_gets_what_it_deserves_whoever_is_around(graded):
    assert {s: graded.rows[s].verdict.points for s in HONEST} == {s: h.points for s, h in HONEST.items()}
    after = {key: value for key, value in gradebook(graded.root).items() if key[0] in HONEST}
    assert after == graded.alone and len({student for student, *_ in after}) == len(HONEST)


@pytest.mark.parametrize("attack", [a for a in ATTACKS.values() if a.says], ids=lambda a: a.name)
def test_what_is_wrong_with_a_submission_is_said(graded, attack):
    row = graded.row(attack)
    flags = [flag.text for flag in row.verdict.flags]
    said = "\n".join([row.note, row.verdict.refused, *flags, *(mark.reason for mark in row.verdict.marks)])
    for words in attack.says:
        assert re.search(words, said), said


def test_no_line_of_the_table_holds_what_a_terminal_obeys(graded):
    assert [line for line in table(graded.report).split("\n") if not line.isprintable()] == []


def test_what_was_handed_in_and_the_course_are_as_they_were(graded):
    assert contents(graded.root) == graded.files


def test_no_process_is_left(graded):
    assert graded.left == {}


def test_no_file_is_left(graded):
    assert planted(graded.root) == []


def test_nobody_was_called(graded):
    assert graded.calls == []


def test_no_page_tells_a_secret(graded):
    pages = dict(graded.pages())
    assert set(pages) == {row.student for row in graded.report.rows if row.graded}
    pages |= {f"notebook of {p.parts[-3]}": p.read_text() for p in graded.root.glob("autograded/*/*/*.ipynb")}
    pages["the class report"] = graded.page
    for student, text in pages.items():
        told = {place for place, canary in graded.canaries.items() if canary in text}
        assert told <= ({"classmate"} if "ada" in student.split() else set()), student
    assert graded.canaries["classmate"] in pages["ada"], "her own page shows her own work"


def test_nothing_in_a_page_can_act(graded):
    found = {student: wrong for student, text in graded.pages() if (wrong := faults(text))}
    assert found == {}


def test_nothing_in_the_class_report_can_act(graded):
    figures = {"<svg>"}  # drawn by this course
    assert set(faults(graded.page)) <= figures
    assert "onload" not in graded.page and "xlink" not in graded.page


def test_no_sheet_holds_a_formula(graded):
    for sheet in graded.sheets:
        assert len(sheet.rows) > len(HONEST)
        for cell in (cell for row in sheet.rows for cell in row if cell):
            assert cell[0] not in "=+-@\t\r|%" or re.fullmatch(r"-?[0-9.]+", cell), cell
