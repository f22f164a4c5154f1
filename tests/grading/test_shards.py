"""Shards: every student in exactly one part, tasks without secrets, and a merge equal to one run."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading import demo, keys
from grading.book.course import Course
from grading.book.rows import GradingError, Options
from grading.engine import run
from grading.inside.task import Limits, Outcome, Result
from grading.merging import find, merge, pack
from grading.workers import shards
from grading.workers.pool import LocalPool
from grading.workers.shards import Shard, packed_tasks, read_result, run_shard, write_result
from tests.grading.contents import contents

NAME = demo.ASSIGNMENT
QUIET = Options(progress=False, say=lambda _: None)


# ---- the partition


@given(st.lists(st.text(), unique=True, max_size=60), st.integers(1, 9))
def test_every_student_is_in_exactly_one_part(students, count):
    for student in students:
        assert sum(Shard(n, count).holds(student) for n in range(1, count + 1)) == 1


def test_the_partition_is_the_same_on_every_machine():
    held = {name: next(n for n in range(1, 9) if Shard(n, 8).holds(name)) for name in demo.CLASS}
    assert held == {
        "ada": 7,
        "ben": 7,
        "cleo": 5,
        "dan": 6,
        "eve": 4,
        "finn": 5,
        "gil": 3,
        "hana": 8,
    }


def test_parts_are_of_about_the_same_size():
    sizes = Counter(n for s in range(4000) for n in range(1, 5) if Shard(n, 4).holds(f"student-{s}"))
    assert min(sizes.values()) > 900


@pytest.mark.parametrize("text", ["", "1", "0/8", "9/8", "1/0", "a/b", "-1/8", "1/8/2", "²/8", "1.5/2"])
def test_a_shard_that_is_none_is_one_sentence(text):
    with pytest.raises(ValueError, match="a shard is one of n, from 1/n to n/n, as in 2/8, got"):
        Shard.parse(text)


def test_a_shard_is_read():
    assert Shard.parse("2/8") == Shard(2, 8) and str(Shard(2, 8)) == "shard 2 of 8"


# ---- result files


@pytest.fixture
def result():
    return Result("d" * 64, (Outcome("a", value=1.5), Outcome("b", values=({"value": [1, 2]},), seconds=0.1)))


def test_a_result_file_comes_back_whole(tmp_path, result):
    write_result(tmp_path, result)
    assert read_result(tmp_path / f"{result.digest}.json") == result
    assert [p.name for p in tmp_path.iterdir()] == [f"{result.digest}.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"digest": "x"}', '{"outcomes": 3}', "\x00", '"' * 9]
)
def test_a_damaged_result_is_none(tmp_path, text):
    path = tmp_path / f"{'d' * 64}.json"
    path.write_text(text)
    assert read_result(path) is None


def test_a_result_under_another_name_is_none(tmp_path, result):
    write_result(tmp_path, result)
    (tmp_path / f"{result.digest}.json").rename(tmp_path / f"{'e' * 64}.json")
    assert read_result(tmp_path / f"{'e' * 64}.json") is None


def test_two_runs_agree_in_what_decides_on_marks(result):
    slower = replace(result, seconds=9.0, cpu_seconds=8.0, level="B")
    assert shards.answers(slower) == shards.answers(result)
    other = replace(result, outcomes=(Outcome("a", value=1.6), result.outcomes[1]))
    assert shards.answers(other) != shards.answers(result)


# ---- from pack to merge


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The class of eight with two broken notebooks, graded in one run: (root, what the gradebook says)."""
    root = tmp_path_factory.mktemp("whole")
    demo.make_course(root)
    for name, text in (("ivy", "{"), ("jan", "")):
        folder = root / "submitted" / name / NAME
        folder.mkdir(parents=True)
        (folder / f"{NAME}.ipynb").write_text(text)
    untouched = tmp_path_factory.mktemp("untouched") / "root"
    shutil.copytree(root, untouched)
    run(Course(root), NAME, QUIET)
    return untouched, contents(Course(root).url)


@pytest.fixture(scope="module")
def packed(course, tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "tasks.jsonl"
    assert pack(Course(course[0]), NAME, path) == len(demo.CLASS)
    return path


@pytest.fixture(scope="module")
def parts(packed, tmp_path_factory):
    """Three folders, as three machines would leave them."""
    folders = []
    for number in (1, 2, 3):
        folder = tmp_path_factory.mktemp(f"part{number}")
        with LocalPool() as pool:
            run_shard(packed_tasks(packed, Shard(number, 3).holds), folder, pool)
        folders.append(folder)
    return folders


@pytest.fixture
def fresh(course, tmp_path):
    root = tmp_path / "course"
    shutil.copytree(course[0], root)
    return Course(root)


@pytest.mark.slow
def test_packed_tasks_hold_no_key_and_no_path(packed, course):
    text = packed.read_text()
    source = (keys.folder() / f"{NAME}.py").read_text()
    for line in (line.strip() for line in source.splitlines()):
        if len(line) > 30:
            assert line not in text and json.dumps(line)[1:-1] not in text
    assert str(course[0]) not in text and "### BEGIN SOLUTION" not in text


@pytest.mark.slow
def test_merge_of_three_parts_equals_one_run(course, parts, fresh):
    assert sum(len(list(p.iterdir())) for p in parts) == len(demo.CLASS)
    report = merge(fresh, NAME, parts, QUIET)
    assert report.counts == {"regraded": len(demo.CLASS), "unreadable": 2}
    assert contents(fresh.url) == course[1]


@pytest.mark.soak
@pytest.mark.slow
def test_merge_of_some_parts_says_who_is_missing_and_the_rest_can_follow(course, parts, fresh):
    first = merge(fresh, NAME, parts[:2], QUIET)
    missing = {row.student for row in first.rows if row.state == "no answers"}
    assert missing == {s for s in demo.CLASS if Shard(3, 3).holds(s)} and missing
    merge(fresh, NAME, parts[2:], QUIET)
    assert contents(fresh.url) == course[1]


@pytest.mark.slow
def test_a_part_run_again_does_only_what_is_missing(packed, parts, tmp_path):
    folder = tmp_path / "part"
    for part in parts:
        shutil.copytree(part, folder, dirs_exist_ok=True)
    gone, damaged, *rest = sorted(folder.iterdir())
    before = {p.name: p.stat().st_mtime_ns for p in rest}
    gone.unlink()
    damaged.write_text("{")
    with LocalPool() as pool:
        ended = run_shard(packed_tasks(packed), folder, pool)
    assert ended == {"finished": 2, "there before": len(rest)}
    assert {p.name: p.stat().st_mtime_ns for p in rest} == before
    assert all(read_result(p) for p in folder.iterdir())


@pytest.mark.soak
@pytest.mark.slow
def test_two_answers_for_the_same_work_are_a_row_that_says_so(course, parts, fresh, tmp_path):
    """A notebook that answers by chance: neither answer is taken, the others are graded."""
    path = sorted(parts[0].glob("*.json"))[0]
    other = read_result(path)
    asked = next(n for n, o in enumerate(other.outcomes) if o.value is not None or o.values or o.refused)
    changed = [*other.outcomes]
    changed[asked] = Outcome(changed[asked].cell, value=12345.0)
    write_result(tmp_path, replace(other, outcomes=tuple(changed)))
    report = merge(fresh, NAME, [*parts, tmp_path], QUIET)
    (row,) = (row for row in report.rows if row.state == "conflict")
    assert "gave other answers" in row.note and not row.graded
    assert report.counts["regraded"] == len(demo.CLASS) - 1
    book = contents(fresh.url)
    assert row.student not in {student for student, *_ in book["grades"]}
    assert set(book["grades"]) == {line for line in course[1]["grades"] if line[0] != row.student}
    again = merge(fresh, NAME, [tmp_path], QUIET)
    assert again.counts["no answers"] == 0 and row.student in {r.student for r in again.rows}


@pytest.mark.soak
@pytest.mark.slow
def test_an_answer_unlike_the_journals_is_a_conflict_and_the_grade_stays(course, parts, fresh, tmp_path):
    merge(fresh, NAME, parts, QUIET)
    path = sorted(parts[0].glob("*.json"))[0]
    other = read_result(path)
    write_result(tmp_path, replace(other, outcomes=tuple(replace(o, refused="x") for o in other.outcomes)))
    report = merge(fresh, NAME, [tmp_path], QUIET)
    assert report.counts["conflict"] == 1
    assert contents(fresh.url) == course[1]


@pytest.mark.slow
def test_damaged_and_strange_files_are_named_and_cost_nothing(course, parts, fresh, tmp_path):
    folder = tmp_path / "odd"
    shutil.copytree(parts[0], folder)
    damaged = sorted(folder.glob("*.json"))[0]
    damaged.write_text("{")
    (folder / "notes.json").write_text("{}")
    (folder / ".half.part").write_text("{")
    report = merge(fresh, NAME, [folder, *parts], QUIET)
    assert any(str(damaged) in note for note in report.notes)
    assert contents(fresh.url) == course[1]


@pytest.mark.soak
@pytest.mark.slow
def test_results_with_invented_cells_change_no_other_row(course, parts, fresh, tmp_path):
    """A machine that lies can invent answers for the work it had, as if its student had; nothing else."""
    path = sorted(parts[0].glob("*.json"))[0]
    whole = read_result(path)
    folder = tmp_path / "forged"
    shutil.copytree(parts[0], folder)
    forged = Outcome("no such cell", value=1.0), Outcome("ridge-check", value={"a": {}}, error=("E", "x"))
    write_result(folder, replace(whole, outcomes=forged))
    report = merge(fresh, NAME, [folder, *parts[1:]], QUIET)
    assert not [row for row in report.rows if row.state == "failed"]
    mine = next(row.student for row in report.rows if row.note or row.verdict.points == 0)
    assert mine


@pytest.mark.soak
@pytest.mark.slow
def test_results_of_other_limits_do_not_fit_and_it_is_said(parts, fresh):
    report = merge(fresh, NAME, parts, replace(QUIET, limits=Limits(cell_s=31)))
    assert report.counts == {"no answers": len(demo.CLASS), "unreadable": 2}
    assert any("results fits" in note for note in report.notes)


def test_a_file_that_pack_did_not_write_is_one_sentence(tmp_path):
    path = tmp_path / "tasks.jsonl"
    path.write_text('{"digest": 1}\n')
    with pytest.raises(ValueError, match=r"tasks.jsonl must be what `pack` wrote: line 1 is not a task"):
        list(packed_tasks(path))


def test_a_folder_that_is_none_is_one_sentence(tmp_path):
    with pytest.raises(GradingError, match="merge needs folders with results, found none at"):
        find([tmp_path / "none"], [])


@pytest.mark.slow
def test_a_part_runs_without_keys_course_and_database(packed, parts, tmp_path):
    """In a process that reads no key, imports no database and is started in an empty folder."""
    code = f"""
import sys
from pathlib import Path
for name in ("sqlalchemy", "nbgrader"):
    sys.modules[name] = None
from grading import keys
keys.load = None
from grading.workers.pool import LocalPool
from grading.workers.shards import Shard, packed_tasks, run_shard
with LocalPool() as pool:
    print(run_shard(packed_tasks(Path({str(packed)!r}), Shard(1, 3).holds), Path("out"), pool))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {p.name for p in (tmp_path / "out").iterdir()} == {p.name for p in parts[0].iterdir()}
    for path in (tmp_path / "out").iterdir():
        assert shards.answers(read_result(path)) == shards.answers(read_result(parts[0] / path.name))
