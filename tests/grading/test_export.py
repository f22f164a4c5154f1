"""Export: what Canvas and Moodle would read back is what the gradebook holds, and no cell is a formula."""

import argparse
import csv
import io
import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.book.course import Course, tools
from grading.exchange.export import (
    CANVAS,
    FORMULA,
    ExportError,
    Score,
    add_command,
    canvas,
    moodle,
    points_text,
    read_roster,
    safe,
    scores,
    text,
)


def parsed(sheet, bom=False):
    raw = text(sheet, bom)
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig" if bom else "utf-8"), newline=""), strict=True))


def unquoted(cell: str) -> str:
    """What a person typed, from a cell that `safe` wrote."""
    return cell[1:] if cell[:1] == "'" and FORMULA.match(cell[1:]) else cell


CLASS = [
    Score("ada", 8.25, 10, "Lovelace, Ada", "ada@uni.example", "101"),
    Score("zoe", 1 / 3, 10, 'Größe, Zoë "Zo"', "zoe@uni.example", "102"),
    Score("eve", 10.0, 10, "=HYPERLINK(1),Eve", "eve@uni.example", "103"),
    Score("may", None, 10, "Waits, May", waiting=True),
    Score("tom", None, 10, "Absent, Tom"),
]


def test_canvas_gets_its_columns_its_points_row_and_every_score():
    sheet = canvas(CLASS, "Counting (1234)")
    head, possible, *rows = parsed(sheet)
    assert head == [*CANVAS, "Counting (1234)"]
    assert "Points Possible" in possible[0] and possible[5] == "10" and set(possible[1:5]) == {""}
    assert {r[3]: (unquoted(r[0]), r[1], float(r[5])) for r in rows} == {
        s.student: (s.name, s.number, pytest.approx(s.points, abs=1e-5)) for s in CLASS[:3]
    }
    assert sheet.left_out == ["may: a person still has to mark something", "tom: nothing was handed in"]


def test_canvas_would_take_the_header_and_see_commas():
    """The rules of Canvas's importer, written down from its source."""
    lines = text(canvas(CLASS, "Counting (1234)"), bom=True).decode().splitlines()
    head = next(csv.reader(lines[:1]))
    assert "Student" in head[0] and "ID" in head[1]
    assert re.search(r"SIS\s+User\s+ID", head[2]) and re.search(r"SIS\s+Login\s+ID", head[3])
    assert "Section" in head[4] and not lines[0].startswith('\ufeff"')
    sizes = {sep: {len(next(csv.reader([line], delimiter=sep))) for line in lines[:3]} for sep in ",;"}
    assert sizes[","] == {6}
    assert all(re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", r[5]) for r in parsed(canvas(CLASS, "x"))[1:])


def test_moodle_gets_one_column_of_users_one_of_grades_and_the_reasons():
    reasons = [
        Score("ada", 1.5, 2, comment='✗ Not yet. "13,6" | =1+1'),
        Score("ben", 2.0, 2, comment="-5 is low"),
    ]
    head, *rows = parsed(moodle(reasons, "Counting", feedback=True))
    assert head == ["Last name, first name", "Username", "Counting", "Counting, feedback"]
    assert [(r[1], float(r[2]), unquoted(r[3])) for r in rows] == [
        (s.student, s.points, s.comment) for s in reasons
    ]
    assert rows[1][3] == "'-5 is low"


def test_moodle_leaves_out_whom_it_could_not_find_or_would_refuse():
    found = [Score("a", 1.0, 2, email="a@x.example"), Score("b", 1.0, 2), Score("c@x.example", 1.0, 2)]
    sheet = moodle([*found, Score("d", 3.0, 2, email="d@x.example")], "Counting", "email")
    assert [r[1] for r in parsed(sheet)[1:]] == ["a@x.example", "c@x.example"]
    assert sheet.left_out == [
        "b: the gradebook holds no email address",
        "d: Moodle takes at most 2 points, got more",
    ]


@pytest.mark.parametrize("student", ["=cmd", "+49", "-x", "@a", "\tx", "＝x", "a\nb"])
def test_an_identifier_that_is_a_formula_is_left_out_not_changed(student):
    for sheet in (canvas([Score(student, 1.0, 2)], "t"), moodle([Score(student, 1.0, 2)], "t")):
        assert len(sheet.left_out) == 1 and "must not begin like a formula" in sheet.left_out[0]
        assert student not in [cell for row in sheet.rows for cell in row]


WORD = st.text(st.characters(codec="utf-8"), max_size=30)
PERSON = st.builds(
    Score,
    student=st.from_regex(r"[a-z]{1,8}", fullmatch=True),
    points=st.floats(0, 1000),
    max_points=st.just(1000.0),
    name=WORD,
    comment=WORD,
)


@given(found=st.lists(PERSON, max_size=5), title=WORD, bom=st.booleans())
def test_any_names_and_reasons_survive_the_way_and_none_is_a_formula(found, title, bom):
    for sheet, column in ((canvas(found, title), 3), (moodle(found, title, feedback=True), 1)):
        rows = parsed(sheet, bom)
        assert rows == sheet.rows
        bodies = rows[2:] if column == 3 else rows[1:]
        assert [r[column] for r in bodies] == [s.student for s in found]
        assert not any(FORMULA.match(cell) for row in rows for cell in row)
        assert [unquoted(r[0]) for r in bodies] == [unquoted(safe(s.name)) for s in found]
    assert (
        text(canvas(found, title)).count(b"\n") == text(canvas(found, title)).count(b"\r\n") == len(found) + 2
    )


@given(st.floats(0, 1e6))
def test_points_are_plain_decimals(points):
    assert re.fullmatch(r"\d+(\.\d{1,5})?", points_text(points))
    assert float(points_text(points)) == pytest.approx(points, abs=5.1e-6)


def test_roster_gives_canvas_its_own_ids_and_title(tmp_path):
    roster = tmp_path / "canvas.csv"
    roster.write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,Counting (1234),Other (9)\n"
        "    Points Possible,,,,,10,5\n"
        '"Lovelace, Ada",77,S1,ada,"Tue, 9h",,\n"Byron, G",78,S2,GB,A,,\n',
        encoding="utf-8-sig",
    )
    people, title = read_roster(roster, "Counting")
    assert title == "Counting (1234)"
    sheet = canvas([*CLASS[:2], Score("gb", 3.0, 10)], title, people)
    assert parsed(sheet)[2:] == [
        ["Lovelace, Ada", "77", "S1", "ada", "Tue, 9h", "8.25"],
        ["Byron, G", "78", "S2", "GB", "A", "3"],
    ]
    assert sheet.left_out == ["zoe: not in the roster"]


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"", b"\xff\xfe\0"])
def test_what_is_no_roster_is_one_sentence(tmp_path, content):
    (tmp_path / "r.csv").write_bytes(content)
    with pytest.raises(ExportError, match=r"roster .*must be"):
        read_roster(tmp_path / "r.csv", "x")


# ---- from a gradebook


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A gradebook with one finished, one late, one waiting and one absent student."""
    root = tmp_path_factory.mktemp("course")
    with tools():
        from nbgrader.api import Gradebook

        with Gradebook(Course(root).url, "tinyml") as gradebook:
            gradebook.add_assignment("a1", duedate=datetime(2026, 10, 1))
            gradebook.add_notebook("a1", "a1")
            gradebook.add_grade_cell("q1", "a1", "a1", max_score=4, cell_type="code")
            gradebook.add_grade_cell("q2", "a1", "a1", max_score=6, cell_type="code")
            gradebook.add_student("tom", last_name="Absent")
            for name, first, auto, manual, penalty in [
                ("ada", 4.0, 5.5, None, None),
                ("ben", 4.0, 0.0, 3.0, 2.5),
                ("eve", 0.5, 0.0, None, 3.0),
                ("may", 4.0, None, None, None),
            ]:
                gradebook.add_student(
                    name, first_name=name.title(), last_name="L, é", lms_user_id=f"1{len(name)}"
                )
                work = gradebook.add_submission("a1", name).notebooks[0]
                work.late_submission_penalty = penalty
                for cell, score, given_ in (("q1", first, None), ("q2", auto, manual)):
                    grade = gradebook.find_grade(cell, "a1", "a1", name)
                    grade.auto_score, grade.manual_score = score, given_
                    grade.needs_manual_grade = score is None
                gradebook.db.commit()
    return root


@pytest.mark.slow
def test_scores_are_nbgraders_after_the_penalty_and_what_waits_has_none(book):
    found = {s.student: s for s in scores(Course(book), "a1")}
    assert {n: s.points for n, s in found.items()} == {
        "ada": 9.5,
        "ben": 4.5,
        "eve": 0,
        "may": None,
        "tom": None,
    }
    assert found["may"].waiting and not found["tom"].waiting and found["ada"].max_points == 10
    assert found["ben"].name == "L, é, Ben" and "2.5 points off for lateness" in found["ben"].comment
    assert {s.student: s.points for s in scores(Course(book), "a1", zeros=True)}["tom"] == 0


@pytest.mark.slow
def test_command_writes_a_file_that_reads_back_and_names_who_is_left_out(book, tmp_path, capsys):
    parser = argparse.ArgumentParser()
    add_command(parser.add_subparsers())
    for kind, column in (("--canvas", 3), ("--moodle", 1)):
        target = tmp_path / f"grades{kind}.csv"
        options = parser.parse_args(["export", "a1", kind, str(target), "--course", str(book), "--bom"])
        assert options.run(options) == 0
        with target.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
        assert {r[column]: float(r[-1] if kind == "--canvas" else r[2]) for r in rows[1:] if r[column]} == {
            "ada": 9.5,
            "ben": 4.5,
            "eve": 0,
        }
        assert target.stat().st_mode & 0o077 == 0
        said = capsys.readouterr().out
        assert "left out  may: a person" in said and said.endswith("3 of 5 students\n")


@pytest.mark.slow
@pytest.mark.parametrize("name, word", [("a2", "knows no assignment"), ("a1", "found none")])
def test_nothing_to_export_is_one_sentence_and_makes_no_file(book, tmp_path, name, word, capsys):
    root = book if name == "a2" else tmp_path
    parser = argparse.ArgumentParser()
    add_command(parser.add_subparsers())
    target = tmp_path / "x.csv"
    options = parser.parse_args(["export", name, "--canvas", str(target), "--course", str(root)])
    assert options.run(options) == 2 and not target.exists() and not (tmp_path / "gradebook.db").exists()
    said = capsys.readouterr().out
    assert word in said and said.count("\n") == 1
