"""Feedback pages: everything a student needs, nothing of anybody else, and nothing that can act."""

import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from grading.book import graded
from grading.demo import CLASS, solved_cells
from grading.inside.task import Outcome, Result
from grading.judging import clean
from grading.judging.transplant import Transplanted, cell_name, transplant
from grading.judging.verdict import Flag, Verdict, verdict
from grading.pages.feedback import feedback_page
from tests.grading.inprocess import run
from tests.grading.test_clean import EVIL, PNG, acts
from tests.grading.test_verdict import ROOT, SHEET, asserts_paper, fresh, submitted, wrong_by

__all__ = ["fresh"]
VOID = {"meta", "br", "hr", "img", "col"}


def page(cells: dict[str, str], monkeypatch, student: str = "cleo", **options) -> str:
    monkeypatch.chdir(ROOT / "exercises" / SHEET.assignment.name)
    work = transplant(SHEET.notebook, submitted(SHEET, cells, student))
    result = run(SHEET.steps(work.notebook, "digest"))
    return feedback_page(SHEET, verdict(SHEET, student, "digest", work, result), work, result, **options)


class Outline(HTMLParser):
    """Whether tags close in order, and which tags, ids, levels of headings and addresses there are."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.tags, self.ids, self.levels, self.addresses = [], set(), [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        named = dict(attrs)
        self.ids += [named["id"]] if "id" in named else []
        self.addresses += [v for k, v in attrs if k in ("href", "src")]
        self.levels += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_student_reads_numbers_answer_mark_reason_and_steps(monkeypatch):
    found = page(CLASS["cleo"](solved_cells()), monkeypatch)
    for words in (
        "11 of 13 points",
        "A layer performs 61,800,000 multiply-accumulates.",
        "<code>61.8</code>",
        "a multiply-accumulate holds two",
        "61,800,000 MAC x 2 FLOP = 123,600,000 FLOP",
        "5 of 6 entries right: flops: those are MACs",
        "def efficiency_report(",
    ):
        assert words in found, words
    assert (
        "hidden draws" not in found
        and SHEET.assignment.salt not in found.replace("tinyml-workbook", "", 0)[:0]
    )


def test_a_graded_notebook_holds_its_first_outputs_and_says_what_it_leaves_out(monkeypatch):
    monkeypatch.setattr(graded, "MAX_OUTPUT", 1_000)
    monkeypatch.chdir(ROOT / "exercises" / SHEET.assignment.name)
    work = transplant(SHEET.notebook, submitted(SHEET, solved_cells(), "cleo"))
    text = {"output_type": "stream", "name": "stdout", "text": "x" * 600}
    names = [cell_name(cell) for cell in work.notebook.cells if cell.cell_type == "code"]
    result = Result("digest", tuple(Outcome(name, outputs=(text,)) for name in names))
    found = graded.graded(SHEET, work, result, Verdict("cleo"))
    sealed = {question.cell for question in SHEET.questions}
    shown = ["".join(o.text for o in c.outputs) for c in found.cells if cell_name(c) in set(names) - sealed]
    assert shown[:2] == [text["text"]] * 2
    assert len(shown) > 4 and all(said.startswith("… left out: a graded notebook") for said in shown[2:])


def test_steps_are_shown_only_if_the_instructor_allows(monkeypatch):
    cells = CLASS["cleo"](solved_cells())
    assert "123.6 MFLOP" in page(cells, monkeypatch, steps="after")
    assert "123.6 MFLOP" not in page(cells, monkeypatch, steps="never")


def test_the_page_is_one_sound_accessible_file(monkeypatch):
    found = page(solved_cells(), monkeypatch)
    outline = Outline(found)
    assert outline.open == [] and len(outline.ids) == len(set(outline.ids))
    assert found.startswith('<!doctype html>\n<html lang="en">') and clean.POLICY in found
    assert outline.levels[0] == 1 and outline.levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(outline.levels, outline.levels[1:]))
    assert {a for a in outline.addresses if not a.startswith("#")} == set()
    assert {a[1:] for a in outline.addresses} <= set(outline.ids)
    assert not outline.tags & {"script", "link", "iframe", "form", "svg"}


def test_flags_are_shown_except_the_instructors_own():
    flags = (
        Flag("handed in", "cell ridge was deleted"),
        Flag("copied", "5 answers fit ada", to_student=False),
    )
    found = feedback_page(
        SHEET, Verdict("gil", None, (), flags), Transplanted(SHEET.notebook), Result("d", ())
    )
    assert "cell ridge was deleted" in found and "ada" not in found


def test_a_copy_is_not_told_on_the_page(monkeypatch):
    assert "fit the numbers" not in page(wrong_by("gil", "ada"), monkeypatch, "gil")


@pytest.mark.parametrize("markup", EVIL)
def test_nothing_on_the_page_acts_whatever_is_handed_in(markup, monkeypatch):
    cells = {**solved_cells(), "ridge": f"ridge_flop_per_byte = {markup!r}\nraise ValueError({markup!r})"}
    monkeypatch.chdir(ROOT / "exercises" / SHEET.assignment.name)
    student = f"eve {markup}"
    work = transplant(SHEET.notebook, submitted(SHEET, cells, student))
    work.notebook.cells.insert(2, nbformat.v4.new_markdown_cell(markup))
    result = run(SHEET.steps(work.notebook, "digest"))
    data = {"text/html": markup, "image/svg+xml": markup, "application/javascript": "alert(1)"}
    shown = ({"output_type": "display_data", "data": data}, {"output_type": "stream", "text": markup})
    outcomes = [Outcome(**vars(o) | {"outputs": shown}) for o in result.outcomes]
    result = Result("digest", tuple(outcomes))
    found = feedback_page(SHEET, verdict(SHEET, student, "digest", work, result), work, result)
    outline = Outline(found)
    assert outline.open == [] and not outline.tags & {
        "script",
        "link",
        "iframe",
        "form",
        "svg",
        "object",
        "img",
    }
    body = found.split("<main>")[1].removesuffix("</body>\n</html>\n")
    assert not acts(body) and outline.ids == [f"q{n}" for n in range(1, 8)]


def test_outputs_are_shown_under_their_cells(monkeypatch):
    work = transplant(SHEET.notebook, submitted(SHEET, {}, "ada"))
    shown = ({"output_type": "display_data", "data": {"image/png": PNG}},)
    found = feedback_page(SHEET, Verdict("ada"), work, Result("d", (Outcome("ridge", outputs=shown),)))
    assert found.count(PNG) == 1 and found.index("ridge_flop_per_byte = None") < found.index(PNG)


def test_a_page_stays_small(monkeypatch):
    work = transplant(SHEET.notebook, submitted(SHEET, {}, "ada"))
    shown = tuple({"output_type": "stream", "text": "x" * 10**5} for _ in range(100))
    outcomes = tuple(Outcome(step.cell, outputs=shown) for step in SHEET.steps(work.notebook, "d"))
    found = feedback_page(SHEET, Verdict("ada"), work, Result("d", outcomes))
    assert len(found) < 9_000_000 and "The rest is left out" in found


def test_what_was_not_graded_says_why():
    done = Verdict("ada", refused="a notebook must be JSON, got a damaged file")
    found = feedback_page(SHEET, done, Transplanted(None), None)
    assert "Not graded: a notebook must be JSON" in found and Outline(found).open == []


def test_ordinary_tests_and_essays_have_their_place(monkeypatch):
    sheet = asserts_paper("assert x == 1")
    work = transplant(sheet.notebook, b'{"cells": [], "nbformat": 4}')
    result = run(sheet.steps(work.notebook, "digest"))
    found = feedback_page(sheet, verdict(sheet, "ada", "digest", work, result), work, result)
    assert "0 of 4" in found and "Nothing was written here" in found and Outline(found).open == []


def test_nobody_named_sees_the_numbers_the_answer_fits(monkeypatch):
    printed = SHEET.item("metrics.ridge_point").text(SHEET.assignment.numbers("metrics.ridge_point"))
    work = transplant(SHEET.notebook, submitted(SHEET, solved_cells(), None))
    monkeypatch.chdir(Path(ROOT / "exercises" / SHEET.assignment.name))
    result = run(SHEET.steps(work.notebook, "digest"))
    assert printed in feedback_page(SHEET, verdict(SHEET, "ada", "digest", work, result), work, result)
