"""Verdicts: honest work as in stock nbgrader, odd values zero with a sentence, flags cost nothing."""

import json
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.demo import ASSIGNMENT, CLASS, NUMERIC, grade, make_course, solved_cells
from grading.inside.task import Outcome, Result
from grading.judging.asks import Paper, read_paper
from grading.judging.clean import one_line
from grading.judging.judge import judge_function
from grading.judging.transplant import WHOSE, Transplanted, transplant
from grading.judging.verdict import Flag, Verdict, copied, decoded, verdict
from grading.keys import Key
from grading.report import graded_class
from tests.grading.inprocess import run
from tinylib.practice import assignment as assignment_module
from tinylib.practice.bank import BANK
from tinylib.practice.draws import Rng

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(p.parent.name for p in (ROOT / "solutions").glob("*/release.json"))
every = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(assignment_module, "_current", assignment_module.Assignment())
    for variable in ("NBGRADER_EXECUTION", "JUPYTERHUB_USER", "TINYML_PROGRESS", "TINYML_SEALED_STUDENT"):
        monkeypatch.delenv(variable, raising=False)


def paper(name: str = ASSIGNMENT) -> Paper:
    return read_paper(ROOT / "exercises" / name, ROOT / "solutions" / name)


SHEET = paper()


def submitted(sheet: Paper, cells: dict[str, str], student: str | None) -> bytes:
    nb = json.loads(nbformat.writes(sheet.notebook))
    named = {} if student is None else {"student": f"student = {student!r}"}
    for cell in nb["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        cell["source"] = {**named, **cells}.get(name, cell["source"])
    return json.dumps(nb).encode()


def graded(sheet: Paper, raw: bytes, student: str, monkeypatch) -> Verdict:
    monkeypatch.chdir(ROOT / "exercises" / sheet.assignment.name)
    work = transplant(sheet.notebook, raw)
    result = run(sheet.steps(work.notebook, "digest"))
    return verdict(sheet, student, "digest", work, result)


def instructors(name: str) -> dict[str, str]:
    nb = nbformat.read(ROOT / "solutions" / name / f"{name}.ipynb", as_version=4)
    return {
        c.metadata.nbgrader.grade_id: c.source
        for c in nb.cells
        if c.metadata.get("nbgrader", {}).get("solution")
    }


@every
@pytest.mark.parametrize("student", ["ada", "çelik", "x" * 60])
def test_instructor_solutions_get_full_marks(name, student, monkeypatch):
    sheet = paper(name)
    done = graded(sheet, submitted(sheet, instructors(name), student), student, monkeypatch)
    assert done.points == done.max_points > 0, [m.reason for m in done.marks if m.share < 1]
    assert done.flags == () and not done.refused and all(m.sealed for m in done.marks)


@every
def test_untouched_notebook_gets_nothing(name, monkeypatch):
    sheet = paper(name)
    done = graded(sheet, nbformat.writes(sheet.notebook).encode(), "ada", monkeypatch)
    assert done.points == 0 and done.max_points > 0 and done.flags == ()
    assert all("No answer yet" in m.reason or "returned" in m.reason for m in done.marks)


@pytest.mark.parametrize("hub", ["", "ada"])
def test_nobody_named_may_answer_with_own_or_printed_numbers(hub, monkeypatch):
    monkeypatch.setenv(
        "JUPYTERHUB_USER", hub
    )  # a hub shows the numbers of its user, all else the printed ones
    done = graded(SHEET, submitted(SHEET, solved_cells(), None), "ada", monkeypatch)
    assert (done.points, done.named, done.flags) == (13, None, ())


def test_another_name_is_graded_with_its_numbers_and_flagged(monkeypatch):
    done = graded(SHEET, submitted(SHEET, solved_cells(), "ben"), "ada", monkeypatch)
    text = "the notebook names 'ben': graded with the numbers of that name"
    assert done.points == 13 and done.flags == (Flag("name", text),)
    assert graded(SHEET, submitted(SHEET, solved_cells(), " Ada "), "ada", monkeypatch).flags == ()


@pytest.mark.parametrize(
    "source", ["student = 3", 'student = "x" * 300', "student = None", "student = chr(0)"]
)
def test_a_name_that_is_none_counts_as_nobody(source, monkeypatch):
    cells = {**solved_cells(), "student": f"student = ''\n{source}"}
    done = graded(SHEET, submitted(SHEET, cells, None), "ada", monkeypatch)
    assert done.named is None and [f.kind for f in done.flags] == ["name"]


@pytest.mark.slow
@pytest.mark.soak
def test_same_points_and_flags_as_stock_nbgrader(tmp_path, monkeypatch):
    make_course(tmp_path)
    stock = {s.name: s for s in grade(tmp_path, list(CLASS))}
    found = {}
    for name in CLASS:
        raw = (tmp_path / "submitted" / name / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_bytes()
        found[name] = graded(SHEET, raw, name, monkeypatch)
    for name, student in stock.items():
        theirs = {q.grade_id: q.points for q in student.questions}
        assert {m.grade_id: m.points for m in found[name].marks} == theirs, name
    flags = {name: [f.text for f in v.flags] for name, v in found.items()}
    for name, more in copied(SHEET, found).items():
        flags[name] += [f.text for f in more]
    assert flags == {s.name: s.flags for s in graded_class(tmp_path, ASSIGNMENT)}


def outcomes(**values) -> tuple[Outcome, ...]:
    named = {name.replace("_", "-"): value for name, value in values.items()}
    return tuple(Outcome(cell, **parts) for cell, parts in named.items())


def judged(*found: Outcome, ended: str = "finished", work: Transplanted | None = None) -> Verdict:
    work = work or Transplanted(SHEET.notebook)
    return verdict(SHEET, "ada", "digest", work, Result("digest", (Outcome(WHOSE, value=""), *found), ended))


def mark(done: Verdict, grade_id: str):
    return next(m for m in done.marks if m.grade_id == grade_id)


@pytest.mark.parametrize(
    "outcome, words",
    [
        (Outcome("ridge-check", value=True), "got the truth value True"),
        (Outcome("ridge-check", value=[]), "got 0 values"),
        (Outcome("ridge-check", value=float("nan")), "finite"),
        (Outcome("ridge-check", value=10**400), "far too large"),
        (Outcome("ridge-check", value={"a": 1}), "must be a number"),
        (Outcome("ridge-check", value="x" * 20_000), "at most 10,000 characters"),
        (Outcome("ridge-check", value=[0] * 200_000), "at most 100,000 values"),
        (Outcome("ridge-check", value={3: 1}), "names must be short text"),
        (Outcome("ridge-check", value=Rng("x")), "must be a number, text, list or array"),
        (Outcome("ridge-check", refused="ridge was never defined"), "Ridge was never defined."),
        (Outcome("ridge-check", refused="a\x1b[31m\nb\u202e\ud800"), "A b."),
        (Outcome("efficiency-report-check", values=({"value": 1},) * 3), "not called to the end"),
        (Outcome("efficiency-report-check", values=({"value": None},) * 6), "nothing was returned"),
        (Outcome("efficiency-report-check", values=({"refused": "it raised X: y"},) * 6), "it raised X: y"),
        (Outcome("efficiency-report-check", values=({"wrong": 1},) * 6), "it gave no value"),
        (Outcome("efficiency-report-check", values=(7,) * 6), "it gave no value"),
    ],
)
def test_odd_values_get_zero_and_one_printable_sentence(outcome, words):
    found = mark(judged(outcome), outcome.cell)
    assert found.points == 0 and words in found.reason
    assert found.reason.isprintable() and len(found.reason) <= 1500
    json.dumps(vars(found)).encode()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(
    PLAIN, st.lists(PLAIN | st.fixed_dictionaries({"value": PLAIN, "arrays": PLAIN}), min_size=6, max_size=6)
)
def test_nothing_that_a_worker_sends_breaks_the_judge(value, values):
    done = judged(*outcomes(ridge_check={"value": value}, efficiency_report_check={"values": tuple(values)}))
    assert 0 <= done.points <= 1  # of all, hypothesis may find the ridge, never the six entries
    assert all(m.reason.isprintable() for m in done.marks)
    json.dumps([vars(m) for m in done.marks], allow_nan=False).encode()


@given(PLAIN, PLAIN, st.lists(PLAIN, max_size=3), st.lists(PLAIN, max_size=7))
def test_nor_do_fields_of_another_type(value, refused, parts, values):
    odd = {
        "value": value,
        "refused": refused,
        "error": tuple(parts),
        "outputs": tuple(parts),
        "values": tuple(values),
    }
    cells = (WHOSE, "ridge", "ridge-check", "efficiency-report", "efficiency-report-check")
    result = Result("digest", tuple(Outcome(cell, **odd) for cell in cells), ended="died", note="x\n")
    done = verdict(SHEET, "ada", "digest", Transplanted(SHEET.notebook), result)
    assert done.points <= 1 and len(done.marks) == 7
    for text in [*(m.reason for m in done.marks), *(f.text for f in done.flags), done.named or ""]:
        assert "\n" not in text and "\0" not in text
        text.encode()


def test_an_unfinished_notebook_is_judged_on_what_came_before():
    right = BANK["metrics.model_size_fp32"].answer(
        **SHEET.assignment.numbers("metrics.model_size_fp32", "ada")
    )
    done = judged(Outcome("model-size-check", value=right), ended="cell time")
    assert done.points == 1
    assert "never came to this check: it was stopped at the time limit" in mark(done, "ridge-check").reason
    assert [f.kind for f in done.flags] == ["ended"]


def test_the_error_above_an_undefined_answer_is_told():
    above = Outcome("ridge", error=("ZeroDivisionError", "division by zero"))
    done = judged(above, Outcome("ridge-check", refused="ridge_flop_per_byte was never defined"))
    assert mark(done, "ridge-check").reason.endswith("Cell ridge raised ZeroDivisionError: division by zero.")


def test_deleted_answer_cells_are_named(monkeypatch):
    cells = [c for c in SHEET.notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") not in LOST]
    nb = nbformat.v4.new_notebook(cells=cells)
    done = graded(SHEET, nbformat.writes(nb).encode(), "ada", monkeypatch)
    for name in LOST:
        assert f"Cell {name} was deleted, so there is no answer." in mark(done, f"{name}-check").reason


LOST = ("ridge", "efficiency-report")


def test_an_answer_elsewhere_counts_although_its_cell_was_deleted(monkeypatch):
    nb = json.loads(submitted(SHEET, solved_cells(), "ada"))
    at = next(i for i, c in enumerate(nb["cells"]) if c["source"] == solved_cells()["ridge"])
    nb["cells"][at]["metadata"], nb["cells"][at]["id"] = {}, "mine"
    nb["cells"].insert(at, {"cell_type": "code", "source": "1", "metadata": {}, "outputs": []})
    done = graded(SHEET, json.dumps(nb).encode(), "ada", monkeypatch)
    assert done.points == 13 and [f.text for f in done.flags] == ["cell ridge was deleted"]


@pytest.mark.parametrize(
    "work, result, words",
    [
        (Transplanted(None, ("a notebook must be JSON, got a damaged file",)), None, "must be JSON"),
        (Transplanted(SHEET.notebook), Result("d", (), "worker lost"), "worker was lost"),
    ],
)
def test_what_could_not_be_run_is_refused_not_marked(work, result, words):
    done = verdict(SHEET, "ada", "digest", work, result)
    assert words in done.refused and done.marks == ()


def test_a_changed_bank_is_refused(tmp_path):
    folder = tmp_path / ASSIGNMENT
    shutil.copytree(ROOT / "exercises" / ASSIGNMENT, folder)
    path = folder / "release.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"digest": "', '"digest": "0'), encoding="utf-8")
    done = verdict(read_paper(folder), "ada", "digest", Transplanted(SHEET.notebook), Result("d", ()))
    assert "another question bank" in done.refused and done.marks == ()


def test_numbers_and_short_text_are_kept_as_answers():
    kept = lambda value: mark(judged(Outcome("ridge-check", value=value)), "ridge-check").answer  # noqa: E731
    assert [kept(v) for v in (4.5, 3, "4 FLOP/B", None)] == [4.5, 3, "4 FLOP/B", None]
    assert kept([96, "fits"]) == "96, fits" and kept([1, 2, 3]) == "[1, 2, 3]"
    assert kept(float("inf")) == "inf" and len(kept("y" * 9000)) <= 200


def wrong_by(name: str, numbers_of: str) -> dict[str, str]:
    answers = {i: BANK[i].answer(**SHEET.assignment.numbers(i, numbers_of)) for _, i in NUMERIC.values()}
    return {**solved_cells(), **{cell: f"{v} = {answers[i]!r}" for cell, (v, i) in NUMERIC.items()}}


def test_copied_numbers_are_flagged_for_the_instructor_alone(monkeypatch):
    work = {
        "ada": solved_cells(),
        "gil": wrong_by("gil", "ada"),
        "eve": {},
        "cleo": CLASS["cleo"](solved_cells()),
    }
    found = {n: graded(SHEET, submitted(SHEET, cells, n), n, monkeypatch) for n, cells in work.items()}
    flags = copied(SHEET, found)
    assert set(flags) == {"gil"} and len(flags["gil"]) == 1
    assert "fit the numbers of ada" in flags["gil"][0].text and not flags["gil"][0].to_student


def test_of_many_that_fit_three_are_named(monkeypatch):
    work = {"ada": solved_cells(), "gil": wrong_by("gil", "ada")}
    found = {n: graded(SHEET, submitted(SHEET, cells, n), n, monkeypatch) for n, cells in work.items()}
    twins = {
        f"{' ' * n}ADA": found["ada"] for n in range(9)
    }  # names that differ in nothing that draws numbers
    texts = [flag.text for flag in copied(SHEET, {**found, **twins})["gil"]]
    assert len(texts) == 4 and texts[-1] == "they fit 7 more classmates with the same numbers"


def test_one_copied_number_is_no_copy(monkeypatch):
    cells = {**solved_cells(), "ridge": wrong_by("gil", "ada")["ridge"]}
    found = {n: graded(SHEET, submitted(SHEET, cells, n), n, monkeypatch) for n in ("ada", "gil")}
    assert found["gil"].points == 12 and copied(SHEET, found) == {}


def asserts_paper(test: str) -> Paper:
    claims = {"grade_id": "t", "grade": True, "solution": False, "locked": True, "points": 4}
    answer = {"grade_id": "x", "grade": False, "solution": True, "locked": False}
    essay = {"grade_id": "essay", "grade": True, "solution": True, "locked": False, "points": 3}
    new = nbformat.v4
    cells = [
        new.new_code_cell("x = None", metadata={"nbgrader": answer}),
        new.new_code_cell(test, metadata={"nbgrader": claims}),
        new.new_markdown_cell("Your text.", metadata={"nbgrader": essay}),
    ]
    from grading.judging.asks import questions_of

    nb = new.new_notebook(cells=cells)
    return Paper(assignment_module.Assignment(), nb, tuple(questions_of(nb, {}, {})), {})


@pytest.mark.parametrize(
    "answer, points, words",
    [("x = 1", 4, "passed"), ("x = 2", 0, "AssertionError: one"), ("1 / 0", 0, "NameError")],
)
def test_ordinary_tests_run_and_are_marked_not_sealed(answer, points, words, monkeypatch):
    sheet = asserts_paper('assert x == 1, "one"' if answer != "1 / 0" else "assert y")
    done = graded_plain(sheet, answer)
    found = mark(done, "t")
    assert found.points == points and not found.sealed and words in found.reason
    assert [f.kind for f in done.flags] == ["not sealed"]


def graded_plain(sheet: Paper, answer: str, essay: str = "Your text.") -> Verdict:
    nb = json.loads(nbformat.writes(sheet.notebook))
    nb["cells"][0]["source"], nb["cells"][2]["source"] = answer, essay
    work = transplant(sheet.notebook, json.dumps(nb).encode())
    return verdict(sheet, "ada", "digest", work, run(sheet.steps(work.notebook, "digest")))


def test_partial_credit_of_an_ordinary_test_is_read_as_nbgrader_does():
    sheet = asserts_paper("2.5")
    shown = {"output_type": "execute_result", "data": {"text/plain": "2.5"}, "metadata": {}}
    for text, points in (("2.5", 2.5), ("9", 4), ("-1", 0), ("inf", 4), ("'a'", 4)):
        shown["data"]["text/plain"] = text
        result = Result("digest", (Outcome("t", outputs=(shown,)),))
        done = verdict(sheet, "ada", "digest", Transplanted(sheet.notebook), result)
        assert mark(done, "t").points == points, text


def test_essays_wait_for_a_person_unless_nothing_was_written():
    sheet = asserts_paper("")
    assert mark(graded_plain(sheet, ""), "essay").points == 0
    assert mark(graded_plain(sheet, "", "Because."), "essay").points is None


class Halves:
    """A key whose function returns an array of int8, or a dict with one."""

    def draw(rng):
        return (rng.int(2, 9),)

    def expected(n):
        return np.arange(n, dtype=np.int8).reshape(1, n)


ARRAYS = Key("x", Halves.draw, Halves.expected)
TABLE = Key("y", Halves.draw, lambda n: {"codes": np.arange(n, dtype=np.int8), "scale": 0.5})


@pytest.mark.parametrize(
    "function, words",
    [
        (Halves.expected, "Right"),
        (lambda n: np.arange(n).reshape(1, n), "dtype int8 was expected, got int64"),
        (lambda n: np.arange(n, dtype=np.int8), "shape (1, "),
        (lambda n: [list(range(n))], "an array was expected, got a list"),
        (lambda n: Halves.expected(n) + np.int8(1), "value 0, 0: 0 was expected, got 1"),
        (lambda n: None, "an array was expected"),
    ],
)
def test_arrays_are_judged_by_dtype_shape_and_value(function, words):
    found = judge_function(ARRAYS, lambda arguments: function(*arguments), Rng("seed"))
    assert words in found.message and found.share == (words == "Right")
    sent = lambda a: facts(function(*a))  # noqa: E731
    assert judge_function(ARRAYS, lambda a: decoded(sent(a)), Rng("seed")) == found


def facts(value) -> dict:
    """A call as the sandbox records it, arrays with their dtype and shape beside the plain value."""
    if type(value) is np.ndarray:
        return {"value": value.tolist(), "arrays": {"": [str(value.dtype), list(value.shape)]}}
    if type(value) is dict:
        arrays = {k: [str(v.dtype), list(v.shape)] for k, v in value.items() if type(v) is np.ndarray}
        plain = {k: v.tolist() if type(v) is np.ndarray else v for k, v in value.items()}
        return {"value": plain, "arrays": arrays}
    return {"value": value}


def test_arrays_in_a_dict_are_entries_of_their_own():
    half = lambda n: {"codes": np.arange(n), "scale": 0.5}  # noqa: E731
    for call in (lambda a: half(*a), lambda a: decoded(facts(half(*a)))):
        found = judge_function(TABLE, call, Rng("seed"))
        assert found.share == 0.5 and "codes: dtype int8 was expected, got int64" in found.message
    assert judge_function(TABLE, lambda a: TABLE.expected(*a), Rng("seed")).share == 1


@pytest.mark.parametrize(
    "shape, value", [([1, 3], [[0, 1]]), ([1, 2], [[0, [1]]]), ([1, 2], "ab"), ([1], None)]
)
def test_a_claimed_shape_must_hold_its_values(shape, value):
    key = Key("x", lambda rng: (2,), Halves.expected)
    found = judge_function(
        key, lambda _: decoded({"value": value, "arrays": {"": ["int8", shape]}}), Rng("s")
    )
    assert found.share == 0 and one_line(found.message, 500) == found.message
