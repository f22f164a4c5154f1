"""Transplant: the release's skeleton, the student's text, a sentence for what was wrong, never an error."""

import copy
import json
import random
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading.judging.asks import read_notebook
from grading.judging.handed_in import MAX_BYTES, MAX_CELLS, MAX_SOURCE
from grading.judging.transplant import MAX_PROBLEMS, cell_name, locked, transplant

ROOT = Path(__file__).resolve().parents[2]
RELEASE = read_notebook(ROOT / "exercises" / "a01_metrics" / "a01_metrics.ipynb")
FILLED = {
    "student": 'student = "ada"',
    "ridge": "ridge_flop_per_byte = 4",
    "model-size": "model_size_mb = 13.6",
}


def submission() -> dict:
    """An honest submission as JSON."""
    nb = json.loads(nbformat.writes(RELEASE))
    for cell in nb["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        cell["source"] = FILLED.get(name, cell["source"])
    return nb


def sealed(nb) -> bytes:
    return json.dumps(nb).encode()


def sources(notebook) -> dict[str, str]:
    return {cell_name(c): c.source for c in notebook.cells}


def place(nb: dict, name: str) -> int:
    return next(
        i for i, c in enumerate(nb["cells"]) if c["metadata"].get("nbgrader", {}).get("grade_id") == name
    )


def code(source: str, **metadata) -> dict:
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": 1}


HONEST = sources(transplant(RELEASE, sealed(submission())).notebook)


def graded(notebook) -> list[dict]:
    return [c.metadata.nbgrader for c in notebook.cells if c.metadata.get("nbgrader")]


def sound(done) -> None:
    """What holds for any submission: valid, the release's cells in order, locked ones as released."""
    assert len(done.problems) <= MAX_PROBLEMS + 1
    assert all(p and "\n" not in p and p.isprintable() and len(p) < 600 for p in done.problems)
    if done.notebook is None:
        return
    nbformat.validate(done.notebook)
    nbformat.writes(done.notebook).encode()
    ours = [c for c in done.notebook.cells if c.id in {r.id for r in RELEASE.cells}]
    assert [c.id for c in ours] == [c.id for c in RELEASE.cells]
    assert graded(done.notebook) == graded(RELEASE)
    assert all(a == b for a, b in zip(ours, RELEASE.cells) if locked(b))


def test_the_release_itself_comes_back_unchanged():
    done = transplant(RELEASE, nbformat.writes(RELEASE).encode())
    assert done.notebook == RELEASE and done.problems == () and not done.missing


def test_the_students_text_is_put_in_and_nothing_else_changes():
    done = transplant(RELEASE, sealed(submission()))
    assert done.problems == ()
    assert {**sources(RELEASE), **FILLED} == HONEST


def test_deleted_answer_leaves_the_stub_and_is_said():
    nb = submission()
    del nb["cells"][place(nb, "ridge")]
    done = transplant(RELEASE, sealed(nb))
    assert done.problems == ("cell ridge was deleted",) and done.missing == {"ridge"}
    assert sources(done.notebook)["ridge"] == sources(RELEASE)["ridge"]


def test_deleted_and_edited_checks_are_put_back():
    nb = submission()
    nb["cells"][place(nb, "ridge-check")]["source"] = "assert True"
    del nb["cells"][place(nb, "model-size-check")]
    done = transplant(RELEASE, sealed(nb))
    assert sources(done.notebook) == HONEST
    assert done.problems == (
        "cell model-size-check was deleted and has been put back",
        "cell ridge-check was edited and has been restored",
    )


def test_of_duplicates_the_first_changed_one_counts_and_a_split_cell_still_runs():
    nb = submission()
    at = place(nb, "ridge")
    first, stub = copy.deepcopy(nb["cells"][at]), copy.deepcopy(nb["cells"][at])
    stub["source"] = sources(RELEASE)["ridge"]
    second = {**copy.deepcopy(first), "source": "more = ridge_flop_per_byte"}
    nb["cells"][at : at + 1] = [stub, first, second, stub]
    done = transplant(RELEASE, sealed(nb))
    sound(done)
    texts = [c.source for c in done.notebook.cells]
    assert texts.count(FILLED["ridge"]) == 1 and sources(RELEASE)["ridge"] not in texts
    assert texts.index("more = ridge_flop_per_byte") == texts.index(FILLED["ridge"]) + 1
    assert done.problems == ("cell ridge is there 4 times: the first one with changed content counts",)


def test_own_cells_stay_in_place_under_new_names_and_are_never_graded():
    nb = submission()
    at = place(nb, "ridge")
    claim = {"grade": True, "grade_id": "bonus", "points": 100, "locked": False, "solution": False}
    nb["cells"].insert(at, code("helper = 4", nbgrader=claim))
    done = transplant(RELEASE, sealed(nb))
    sound(done)
    names = [cell_name(c) for c in done.notebook.cells]
    assert names[names.index("ridge") - 1] == "extra-1"
    assert done.problems == ("a cell claims the name 'bonus', which is not asked: not graded",)


def test_a_cell_before_the_first_one_stays_before_it():
    nb = submission()
    nb["cells"].insert(0, code("import math"))
    done = transplant(RELEASE, sealed(nb))
    assert done.notebook.cells[0].source == "import math" and done.problems == ()


def test_shuffled_cells_come_back_in_the_order_of_the_release():
    nb = submission()
    random.Random(3).shuffle(nb["cells"])
    assert sources(transplant(RELEASE, sealed(nb)).notebook) == HONEST


@pytest.mark.parametrize(
    "claims", [{"points": 100.0}, {"grade": False}, {"solution": True}, {"locked": False}]
)
def test_changed_grading_metadata_is_not_used_and_said(claims):
    nb = submission()
    nb["cells"][place(nb, "ridge-check")]["metadata"]["nbgrader"].update(claims)
    done = transplant(RELEASE, sealed(nb))
    sound(done)
    assert done.problems == (
        "cell ridge-check carries changed grading metadata: that of the release is used",
    )


@pytest.mark.parametrize("keep_ids", [True, False])
def test_stripped_metadata_is_found_again_by_id_text_or_place(keep_ids):
    nb = submission()
    for number, cell in enumerate(nb["cells"]):
        cell["metadata"] = {}
        cell["id"] = cell["id"] if keep_ids else f"new{number}"
    done = transplant(RELEASE, sealed(nb))
    assert sources(done.notebook) == {**HONEST, "efficiency-report": sources(RELEASE)["efficiency-report"]}
    assert (
        len(done.problems) == 1 and "nbgrader's metadata is missing from student, begin" in done.problems[0]
    )


def test_stripped_and_ambiguous_cells_are_not_guessed():
    nb = submission()
    for cell in nb["cells"]:
        cell["metadata"], cell["id"] = {}, None
    at = next(i for i, c in enumerate(nb["cells"]) if c["source"] == FILLED["ridge"])
    nb["cells"].insert(at, code("ridge_flop_per_byte = 5"))
    done = transplant(RELEASE, sealed(nb))
    assert done.missing == {"ridge"} and "cell ridge was deleted" in done.problems
    texts = [c.source for c in done.notebook.cells]  # both are there, as the student's own cells
    assert FILLED["ridge"] in texts and "ridge_flop_per_byte = 5" in texts


def test_an_answer_turned_into_markdown_is_read_as_code():
    nb = submission()
    nb["cells"][place(nb, "ridge")] |= {"cell_type": "markdown"}
    done = transplant(RELEASE, sealed(nb))
    sound(done)
    assert sources(done.notebook) == HONEST
    assert done.problems == ("cell ridge was turned into a markdown cell: read as code",)


def test_format_3_is_upgraded_and_5_read_leniently():
    nb = submission()
    cells = [{**c, "input": c["source"]} for c in nb["cells"]]
    for cell in cells:
        del cell["source"]
    cells.append({"cell_type": "heading", "level": 2, "source": ["Mine"], "metadata": {}})
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
    done = transplant(RELEASE, sealed(old))
    assert sources(done.notebook) == {**HONEST, "extra-1": "## Mine"}
    assert done.problems == ("the notebook has format 3: read as format 4",)
    done = transplant(RELEASE, sealed({**nb, "nbformat": 5, "future": [1]}))
    assert sources(done.notebook) == HONEST and "format 5" in done.problems[0]


def test_windows_ends_of_lines_are_no_edit():
    nb = submission()
    for cell in nb["cells"]:
        cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")
    done = transplant(RELEASE, sealed(nb))
    assert done.problems == () and sources(done.notebook) == HONEST


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_other_encodings_of_json_are_read(encoding):
    assert sources(transplant(RELEASE, json.dumps(submission()).encode(encoding)).notebook) == HONEST


def test_bad_utf8_and_lone_surrogates_are_replaced():
    nb = submission()
    nb["cells"][place(nb, "ridge")]["source"] = "ridge_flop_per_byte = 4  # \ud800 ¤"
    raw = json.dumps(nb, ensure_ascii=True).encode().replace(b"\\u00a4", b"\xff")
    done = transplant(RELEASE, raw)
    sound(done)
    assert sources(done.notebook)["ridge"].startswith("ridge_flop_per_byte = 4  # ? ")
    assert done.problems == ("the notebook holds bytes that are not UTF-8: they were replaced",)


@pytest.mark.parametrize(
    "raw, words",
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'{"cells": [', "JSON"),
        (b"\x89PNG\r\n", "JSON"),
        (b"[" * 100_000, "nested too deep"),
        (b"[1]", "JSON object, got a list"),
        (b'{"nbformat": 4}', "list of cells, got nothing"),
        (b'{"cells": {}}', "list of cells, got an object"),
        (b'{"cells": [' + b"1" * 5000 + b"]}", "JSON"),
        (b" " * (MAX_BYTES + 1), "at most 20 MB"),
    ],
)
def test_what_is_no_notebook_is_said_in_one_sentence(raw, words):
    done = transplant(RELEASE, raw)
    assert done.notebook is None and len(done.problems) == 1
    assert words in done.problems[0]
    sound(done)


@pytest.mark.parametrize(
    "cell, words",
    [
        (3, "must be an object, got a number"),
        ({}, "got type None"),
        ({"cell_type": "video", "source": ""}, "got type 'video'"),
        ({"cell_type": "code", "source": {"a": 1}}, "got source of an object"),
        ({"cell_type": "code", "source": [1]}, "got source of a list"),
        ({"cell_type": "code", "source": "x" * (MAX_SOURCE + 1)}, "at most 200,000 characters, got 200,001"),
    ],
)
def test_broken_cells_are_left_out_and_the_rest_counts(cell, words):
    nb = submission()
    nb["cells"].insert(3, cell)
    done = transplant(RELEASE, sealed(nb))
    sound(done)
    assert sources(done.notebook) == HONEST and len(done.problems) == 1 and words in done.problems[0]


def test_an_answer_that_is_too_long_counts_as_missing():
    nb = submission()
    nb["cells"][place(nb, "ridge")]["source"] = "x" * (MAX_SOURCE + 1)
    done = transplant(RELEASE, sealed(nb))
    assert done.missing == {"ridge"} and sources(done.notebook)["ridge"] == sources(RELEASE)["ridge"]


def test_numbers_of_cells_and_of_sentences_are_bounded():
    nb = submission()
    nb["cells"] += [code("1")] * (2 * MAX_CELLS)
    done = transplant(RELEASE, sealed(nb))
    assert len(done.notebook.cells) == MAX_CELLS and "only the first 2,000" in done.problems[0]
    done = transplant(RELEASE, sealed({"nbformat": 4, "cells": [1] * 500}))
    assert len(done.problems) == MAX_PROBLEMS + 1 and "more of this kind" in done.problems[-1]


@given(st.binary(max_size=300))
def test_any_bytes_give_a_notebook_or_a_sentence(raw):
    sound(transplant(RELEASE, raw))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PARTS = ("cell_type", "source", "metadata", "id", "outputs", "input")


@settings(max_examples=150)
@given(st.data())
def test_any_mutated_notebook_gives_a_sound_one(data):
    nb = submission()
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(nb["cells"]) - 1))
        change = data.draw(st.sampled_from(["part", "claim", "drop", "copy", "swap", "whole"]))
        cell = nb["cells"][at]
        if change == "drop" and len(nb["cells"]) > 1:
            del nb["cells"][at]
        elif change == "copy":
            nb["cells"].insert(data.draw(st.integers(0, len(nb["cells"]))), copy.deepcopy(cell))
        elif change == "swap":
            nb["cells"][at], nb["cells"][0] = nb["cells"][0], nb["cells"][at]
        elif change == "part" and type(cell) is dict:
            cell[data.draw(st.sampled_from(PARTS))] = data.draw(JSON)
        elif change == "claim" and type(cell) is dict:
            names = st.sampled_from(["ridge", "student", "ridge-check"])
            cell["metadata"] = {
                "nbgrader": data.draw(JSON | st.fixed_dictionaries({"grade_id": names | JSON}))
            }
        else:
            nb["cells"][at] = data.draw(JSON)
    sound(transplant(RELEASE, sealed(nb)))


@settings(max_examples=100)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=4), st.booleans())
def test_any_damaged_file_gives_a_sound_notebook_or_a_sentence(at, junk, cut):
    raw = sealed(submission())
    at %= len(raw)
    sound(transplant(RELEASE, raw[:at] + junk + (b"" if cut else raw[at + len(junk) :])))
