"""The book holds together: nothing found in it, and each check finds what is planted."""

import json

import pytest

from authoring.checks import circles, concepts, exercises, links, modules, outputs, spelling
from authoring.checks.__main__ import CHECKS
from authoring.checks.texts import AUTHORING, ROOT, Passage, cells, scripts, without_code
from tinylib.practice import BANK


@pytest.mark.parametrize("kind", [kind for kind in CHECKS if kind != "public names"])
def test_nothing_in_the_book_is_rotten(kind):
    found = CHECKS[kind].findings()
    assert not found, "\n".join(found)


# Texts


def test_cells_know_their_lines():
    script = scripts("lessons")[3]
    lines = script.read_text(encoding="utf-8").splitlines()
    found = list(cells(script))
    assert len(found) == sum(line.startswith("# %%") for line in lines) > 20
    for cell in found:
        first = cell.text.split("\n")[0]
        assert lines[cell.line - 1].removeprefix("# ") == first or not first


def test_code_is_blanked_and_places_stay():
    text = "one `us` two [three](a_us.md) ```\nus\n``` four"
    assert without_code(text).split() == ["one", "two", "[three", "four"]
    assert without_code(text).index("four") == text.index("four")
    assert Passage(ROOT / "README.md", 3, text).at(text.index("four")) == "README.md:5"


# Concepts


COURSE = {
    1: {"script": "01_gap", "title": "01", "objectives": ["o"], "needs": [], "teaches": ["arena"]},
    2: {"script": "02_parameters", "title": "02", "objectives": ["o"], "needs": ["lesson 01"]},
}


@pytest.mark.parametrize(
    "changed, text, said",
    [
        ({}, "", ""),
        ({"uses": ["arena"]}, "The arena is full.", ""),
        ({"uses": ["arena"]}, "Nothing here.", "declares 'arena' and never names it"),
        ({"teaches": ["halo"]}, "Nothing here.", "declares 'halo' and never names it"),
        ({"teaches": ["halo"]}, "Two\nhalos.", ""),
        ({"uses": ["arena"], "needs": []}, "The arena is full.", "which no lesson in its needs teaches: 01"),
        ({"uses": ["spline"]}, "A spline.", "which no lesson in its needs teaches: none"),
        ({"uses": ["weight"]}, "A weight.", ""),
        ({}, "## Into the arena", "puts 'arena' in front"),
        ({}, "It is *one arena*.", "puts 'arena' in front"),
        ({}, "An arena in passing.", ""),
        ({}, "A **roofline** is near.", "names 'roofline', which lesson 06 teaches"),
        ({}, "A roofline (lesson 06) is near.", ""),
        ({}, "Lesson 06 comes.\n\nA roofline.", "names 'roofline', which lesson 06 teaches"),
    ],
)
def test_a_lesson_that_names_or_declares_out_of_order_is_found(tmp_path, monkeypatch, changed, text, said):
    (tmp_path / "lessons").mkdir()
    monkeypatch.setattr(concepts, "AUTHORING", tmp_path)
    body = "\n".join(f"# {line}" for line in text.split("\n"))
    (tmp_path / "lessons" / "02_parameters.py").write_text(f"# %% [markdown]\n{body}\n")
    entry = {**COURSE[2], **changed}
    needed = concepts.reached([COURSE[1], entry])[2]
    taught = {"arena": [1], "roofline": [6, 19], **{term: [2] for term in entry.get("teaches", [])}}
    found = concepts.faults(entry, taught, needed, ["weight"])
    assert len(found) == bool(said) and said in "".join(found)


def test_numbers_of_lessons_are_read():
    said = "Needs lessons 02 to 04, 13 and 19; see [it](07_fixed_point.ipynb) or Lesson 08, not page 10."
    assert concepts.lessons_in(said) == {2, 3, 4, 7, 8, 13, 19}


# Units


@pytest.mark.parametrize(
    "text",
    ["16KiB", "16 Kb", "16 kB", "5 mb", "3us", "12 us", "4 uJ", "[uW]", "2 GFLOPS", "2 GFLOPs", "2 TFLOPs/s"]
    + ["80mAh", "16 Mhz", "80MHz", "5ms", "50 secs"],
)
def test_a_misspelled_unit_is_found(text):
    assert spelling.wrong(Passage(ROOT / "x.md", 1, f"It takes {text}, it says."))


@pytest.mark.parametrize("text", ["an int8 layer", "Int8", "fp16", "80%", "2 gflops"])
def test_prose_is_held_to_more_than_printed_lines(text):
    assert spelling.wrong(Passage(ROOT / "x.md", 1, text))
    assert not spelling.wrong(Passage(ROOT / "x.md", 1, text, prose=False))


def test_well_spelled_units_pass():
    text = "16 KiB, 5 MB, 3 µs, 12 ms, 2 GFLOP/s, 2 GFLOP, 7 MMAC, 80 mAh, 16 MHz, 80 %, FP16, INT8, `int8`"
    assert not spelling.wrong(Passage(ROOT / "x.md", 1, text))


def test_texts_of_code_are_read(tmp_path):
    path = tmp_path / "x.py"
    path.write_text('a = f"takes {n}KiB"\nb = "a prompt of {x}ms"\nc = "KiB"\nd = f"at {short(n)}FLOP/s"\n')
    found = [spelling.wrong(p) for p in spelling.literals(path)]
    assert [bool(f) for f in found] == [True, True, False]


# Links


def test_links_of_a_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One heading, with a comma\n\n## Two\n")
    good = (
        "page.md",
        "#two",
        "page.md#one-heading-with-a-comma",
        "https://example.org/x#y",
        "mailto:a@b.org",
    )
    assert not any(links.broken(link, page, [tmp_path]) for link in good)
    for link in ("other.md", "#three", "page.md#Two"):
        assert links.broken(link, page, [tmp_path])


def test_paths_between_backticks():
    page = ROOT / "docs" / "course-life.md"
    assert not any(
        links.missing(p, page) for p in ("tests/golden", "authoring/keys/", "my/x/y", "tests/NAME")
    )
    assert links.missing("tests/gold", page) and links.missing("tinylib/cost/layer.py", page)


def test_a_lesson_links_to_what_learners_have():
    lesson = ROOT / "notebooks" / "01_gap.ipynb"
    assert links.moved(lesson, "02_parameters.ipynb#Heading") == "notebooks/02_parameters.ipynb"
    assert not links.moved(lesson, "../docs/course-life.md")
    assert sum(path.parent.name == "notebooks" for path, *_ in links.notebooks()) > 22


# Exercises, cells, modules


def test_every_exercise_is_counted_once():
    assert exercises.asked().keys() & BANK.keys() == BANK.keys() and len(BANK) == 188
    assert not exercises.ASKS.search('note("counting.conv_macs")')


@pytest.mark.parametrize(
    "cells, said",
    [
        ([("code", "x", "1"), ("markdown", "# H\n\nIt is one.", "")], ""),
        ([("code", "x", "1"), ("markdown", "# H", "")], "prints what nobody explains"),
        ([("code", "x", "1"), ("code", "y", "")], "prints what nobody explains"),
        ([("code", "x\n" * 13, "")], "has 13 lines"),
    ],
)
def test_long_cells_and_lonely_outputs_are_found(tmp_path, monkeypatch, cells, said):
    def cell(kind, source, printed):
        shown = [{"output_type": "stream", "name": "stdout", "text": printed}] if printed else []
        return {"cell_type": kind, "source": source, "metadata": {}} | (
            {"outputs": shown} if kind == "code" else {}
        )

    monkeypatch.setattr(outputs, "ROOT", tmp_path)
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps({"cells": [cell(*c) for c in cells]}))
    found = outputs.faults(path)
    assert len(found) == bool(said) and said in "".join(found)


def test_a_first_line_has_to_say_something():
    assert not modules.fault('"""What a network costs, in exact integers."""\n')
    assert not modules.fault("# %%\nfrom tinylib import units\n")
    for text in ("import math\n", '"""Tools."""\n', '"""What a network costs\n\nand more."""\n'):
        assert modules.fault(text)
    assert len(modules.modules()) > 300 and AUTHORING / "build.py" in modules.modules()


# Circles


def test_a_circle_is_found_and_a_chain_is_none():
    chain = {"a": {"b"}, "b": {"c"}, "c": set(), "d": {"a", "c"}}
    assert circles.circles(chain) == []
    assert circles.circles({**chain, "c": {"a"}}) == [["a", "b", "c"]]


def test_imports_inside_functions_count():
    known = {"x.y", "x.z", "x"}
    text = "from x import y\ndef f():\n    import x.z\n"
    assert circles.imported(text, known) == {"x.y", "x.z"}
    assert circles.imported("from x import name", known) == {"x"}
    assert len(circles.graph(ROOT, circles.PACKAGES)) > 200
