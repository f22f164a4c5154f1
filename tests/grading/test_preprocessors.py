"""The sealed engine behind nbgrader's own command, and the settings that put it there."""

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbconvert.preprocessors.base import Preprocessor

from grading.book.course import CONFIG, Course, done, nbgrader, settings, stock
from grading.book.graded import scores
from grading.book.rows import Options
from grading.book.standing import standing
from grading.demo import ASSIGNMENT, CLASS, hand_in, make_course, solved_cells
from grading.engine import run
from tests.grading.snapshots import COMMENTS, GRADES, rows

PLACES = {  # section of the settings -> the class that reads it
    "Autograde": "nbgrader.converters.Autograde",
    "ClearSolutions": "nbgrader.preprocessors.ClearSolutions",
    "CourseDirectory": "nbgrader.coursedir.CourseDirectory",
    "GenerateFeedback": "nbgrader.converters.GenerateFeedback",
    "Exchange": "nbgrader.exchange.default.Exchange",
    "Execute": "nbgrader.preprocessors.Execute",
    "ExecutePreprocessor": "nbconvert.preprocessors.ExecutePreprocessor",
}
FORGED = {
    "ast": "get_ipython().ast_transformers.append(__import__('ast').NodeTransformer())",
    "result": "from IPython.core.displayhook import DisplayHook\nmodel_size_mb = 0\n2",
    "silent": "get_ipython().showtraceback = lambda *a, **k: None\nraise SystemExit",
}


def found(name: str):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def test_every_setting_is_one_that_nbgrader_reads():
    config = settings(CONFIG.parent)
    assert set(config) == set(PLACES)
    for section, values in config.items():
        known = found(PLACES[section]).class_trait_names(config=True)
        assert set(values) <= set(known), section


def test_the_steps_are_nbgraders_own_but_for_ours(monkeypatch):
    from nbgrader.converters import Autograde

    monkeypatch.delenv("TINYML_STOCK", raising=False)
    config = settings(CONFIG.parent).Autograde
    ours = ("Transplant", "SealedExecute", "SaveReasons")
    for name in ("sanitize_preprocessors", "autograde_preprocessors"):
        steps = [found(step) for step in config[name]]
        assert all(issubclass(step, Preprocessor) for step in steps)
        default = [step for step in getattr(Autograde(), name) if step.__name__ != "Execute"]
        assert [step for step in steps if step.__name__ not in ours] == default
    assert config.sanitize_preprocessors[0].endswith("Transplant")
    assert config.autograde_preprocessors[0].endswith("SealedExecute")


def test_without_the_sealed_steps_nothing_of_ours_is_set():
    with stock():
        assert "Autograde" not in settings(CONFIG.parent)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class and three forgers, graded by nbgrader's own command, with feedback."""
    root = tmp_path_factory.mktemp("graded") / "a course"
    root.mkdir()
    make_course(root)
    for name, source in FORGED.items():
        hand_in(root, name, {"model-size": source})
    with nbgrader(root) as api:
        done(api.generate_assignment(ASSIGNMENT), "generate")
        for name in (*CLASS, *FORGED):
            done(api.autograde(ASSIGNMENT, name), name)
            done(api.generate_feedback(ASSIGNMENT, name), name)
    return root


@pytest.mark.slow
def test_nbgraders_command_and_the_engine_write_the_same(graded, tmp_path):
    root = shutil.copytree(
        graded, tmp_path / "other", ignore=shutil.ignore_patterns("autograded", "feedback", "*.db")
    )
    (root / "grading.journal").unlink()
    run(Course(root), ASSIGNMENT, Options(jobs=2, progress=False))
    assert rows(root, GRADES) == rows(graded, GRADES)
    assert rows(root, COMMENTS) == rows(graded, COMMENTS)
    for name in (*CLASS, *FORGED):
        ours, theirs = (nbformat.read(Course(r).autograded(ASSIGNMENT, name), 4) for r in (root, graded))
        assert scores(ours) == scores(theirs)
        assert [c.get("outputs") for c in ours.cells] == [c.get("outputs") for c in theirs.cells]
        mine, its = (Course(r).feedback(ASSIGNMENT, name).read_text("utf-8") for r in (root, graded))
        assert mine == its
    assert (
        standing(Course(root).url, ASSIGNMENT).made.keys()
        == standing(Course(graded).url, ASSIGNMENT).made.keys()
    )


@pytest.mark.slow
def test_forgers_win_nothing(graded):
    points = {(who, cell): score for who, cell, score, *_ in rows(graded, GRADES)}
    assert {score for (who, _), score in points.items() if who in FORGED} == {0.0}
    assert sum(score for (who, _), score in points.items() if who == "ada") == 13.0


@pytest.mark.slow
def test_the_engine_takes_what_nbgraders_command_graded_for_done(graded, tmp_path):
    root = shutil.copytree(graded, tmp_path / "again")
    report = run(
        Course(root), ASSIGNMENT, Options(progress=False, pool=lambda: pytest.fail("a worker was started"))
    )
    assert {row.state for row in report.rows} == {"unchanged"}


@pytest.mark.slow
def test_feedback_of_nbgraders_command_shows_reasons_and_no_hidden_test(graded):
    page = Course(graded).feedback(ASSIGNMENT, "hana").read_text(encoding="utf-8")
    assert "Upside down" in page and "grading.stock" not in page and "judge(" not in page


@pytest.mark.slow
def test_without_stored_answers_feedback_is_nbgraders_own(graded, tmp_path):
    root = shutil.copytree(graded, tmp_path / "no journal")
    (root / "grading.journal").unlink()
    with nbgrader(root) as api:
        done(api.generate_feedback(ASSIGNMENT, "hana", force=True), "feedback")
    page = Course(root).feedback(ASSIGNMENT, "hana").read_text(encoding="utf-8")
    assert "Upside down" in page and "grading.stock" not in page and "judge(" not in page
    assert page != Course(graded).feedback(ASSIGNMENT, "hana").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_command_line_grades_too_and_goes_on_after_a_broken_notebook(graded, tmp_path):
    root = tmp_path / "cli"
    root.mkdir()
    make_course(root)
    shutil.rmtree(root / "submitted")
    for name in ("ada", "broken", "zoe"):
        hand_in(root, name, solved_cells())
    (root / "submitted" / "broken" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").write_text('{"cells": 1}')
    shutil.copy(graded / "gradebook.db", root)
    command = [sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT]
    run_ = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300)
    assert run_.returncode == 1 and "broken" in run_.stderr
    points = {who: sum(r[2] or 0 for r in rows(root, GRADES) if r[0] == who) for who in ("ada", "zoe")}
    assert points == {"ada": 13.0, "zoe": 13.0}
    assert Path(root / "grading.journal").exists()
