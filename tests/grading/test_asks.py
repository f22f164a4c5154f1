"""What a release asks: read from release and key, drawn from the course secret, never from a student."""

import json
from pathlib import Path

import nbformat
import pytest

from grading import keys
from grading.inside.task import Task
from grading.judging.asks import questions_of, read_notebook, read_paper
from grading.judging.transplant import WHOSE, steps_of, transplant
from grading.keys import DRAWS

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(p.parent.name for p in (ROOT / "solutions").glob("*/release.json"))
every = pytest.mark.parametrize("name", NAMES)


def paper(name: str):
    return read_paper(ROOT / "exercises" / name, ROOT / "solutions" / name)


@every
def test_every_graded_cell_is_asked_and_sealed(name):
    graded = [
        c
        for c in read_notebook(ROOT / "exercises" / name / f"{name}.ipynb").cells
        if c.metadata.get("nbgrader", {}).get("grade")
    ]
    found = paper(name).questions
    assert [q.cell for q in found] == [c.metadata.nbgrader.grade_id for c in graded]
    assert [q.points for q in found] == [c.metadata.nbgrader.points for c in graded]
    assert [q.id for q in found] == list(paper(name).assignment.questions)
    assert {q.kind for q in found} <= {"value", "function", "trial"} and all(
        q.answer and q.name for q in found
    )
    assert not paper(name).refusal


@every
def test_steps_run_everything_but_the_checks_and_hold_no_key(name):
    sheet = paper(name)
    steps = sheet.steps(sheet.notebook, "digest")
    asked = [s for s in steps if s.ask and s.ask.id]
    assert [s.ask.id for s in asked] == [q.id for q in sheet.questions]
    assert not any("check(" in s.source or "judge" in s.source for s in steps)
    whose = next(i for i, s in enumerate(steps) if s.cell == WHOSE)
    assert steps[whose].ask.name == "student" and "begin(student)" in steps[whose - 1].source
    text = Task("d", "ada", name, steps).to_json()
    assert Task.from_json(text).steps == steps, (
        "arguments must survive JSON: draw lists, not tuples in tuples"
    )
    expected = [sheet.item(s.ask.id).expected(*call) for s in asked for call in s.ask.calls]
    assert not any(json.dumps(e) in text for e in expected if type(e) in (dict, list))


def test_functions_get_draws_that_repeat_and_follow_submission_and_secret(monkeypatch):
    monkeypatch.delenv(keys.SECRET_VARIABLE, raising=False)
    sheet = paper("a01_metrics")
    question = sheet.questions[-1]
    first = sheet.ask(question, "one").calls
    assert (
        len(first) == DRAWS and first == sheet.ask(question, "one").calls != sheet.ask(question, "two").calls
    )
    monkeypatch.setenv(keys.SECRET_VARIABLE, "private")
    assert first != sheet.ask(question, "one").calls


def test_a_students_notebook_cannot_change_what_is_asked():
    sheet = paper("a01_metrics")
    nb = json.loads(nbformat.writes(sheet.notebook))
    for cell in nb["cells"]:
        cell["source"] = "".join(cell["source"]).replace(
            'check("metrics.ridge_point"', 'check("metrics.mac_to_flop"'
        )
    work = transplant(sheet.notebook, json.dumps(nb).encode())
    asked = [s.ask for s in sheet.steps(work.notebook, "d") if s.ask]
    assert asked == [s.ask for s in sheet.steps(sheet.notebook, "d") if s.ask]


def cell(name: str, source: str, kind: str = "code", **claims):
    claims = {"grade_id": name, "grade": False, "solution": False, "locked": False, "points": 2, **claims}
    return getattr(nbformat.v4, f"new_{kind}_cell")(source, metadata={"nbgrader": claims})


def test_kinds_of_graded_cells():
    nb = nbformat.v4.new_notebook(
        cells=[
            cell("one", "x = 1", solution=True),
            cell("plain-test", "assert x == 1", grade=True, locked=True),
            cell("essay", "Why?", "markdown", grade=True, solution=True),
            cell("task", "Draw.", "markdown", task=True),
            cell("number", 'assert x\ncheck("metrics.ridge_point", x)', grade=True, locked=True),
        ]
    )
    found = list(questions_of(nb, {}, {"plain-test": "assert x == 1\nassert x < 2"}))
    assert [(q.cell, q.kind, q.answer) for q in found] == [
        ("plain-test", "asserts", "one"),
        ("essay", "manual", "essay"),
        ("task", "manual", "task"),
        ("number", "value", "essay"),
    ]
    asks = {}
    steps = steps_of(nb, asks, {q.cell: q.source for q in found if q.kind == "asserts"}, ("", ""))
    assert [(s.cell, s.source, s.asserts) for s in steps[:2]] == [
        ("one", "x = 1", False),
        ("plain-test", "assert x == 1\nassert x < 2", True),
    ]


def test_a_check_that_nothing_knows_is_refused():
    nb = nbformat.v4.new_notebook(cells=[cell("odd", 'check("no.such", x)', grade=True, locked=True)])
    with pytest.raises(ValueError, match=r"cell odd must check what bank or key knows, got 'no\.such'"):
        list(questions_of(nb, {}, {}))


def test_another_bank_is_refused(tmp_path):
    folder = tmp_path / "a01_metrics"
    folder.mkdir()
    for file in (ROOT / "exercises" / "a01_metrics").iterdir():
        text = file.read_text(encoding="utf-8").replace('"digest": "', '"digest": "0')
        (folder / file.name).write_text(text, encoding="utf-8")
    assert "was released with another question bank" in read_paper(folder).refusal


def test_a_release_that_is_no_notebook_is_refused(tmp_path):
    (tmp_path / "x.ipynb").write_text("{")
    with pytest.raises(ValueError, match=r"x\.ipynb must be a notebook"):
        read_notebook(tmp_path / "x.ipynb")


def test_a_release_of_an_older_format_gets_ids_that_repeat(tmp_path):
    nb = nbformat.v4.new_notebook(
        cells=[cell("one", "x = 1", solution=True), nbformat.v4.new_code_cell("import math")]
    )
    nb.nbformat_minor = 4
    for one in nb.cells:
        del one["id"]
    nbformat.write(nb, tmp_path / "old.ipynb")
    first = read_notebook(tmp_path / "old.ipynb")
    assert first == read_notebook(tmp_path / "old.ipynb") and [c.id for c in first.cells] == [
        "cell-1",
        "cell-2",
    ]
    nbformat.validate(first)
    done = transplant(first, (tmp_path / "old.ipynb").read_bytes())
    assert done.notebook == first and done.problems == ()
