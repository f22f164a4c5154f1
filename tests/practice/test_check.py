"""check: units, named slips, odd input of every kind, and what nbgrader's contexts change."""

import json
import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.practice import (
    BANK,
    Absolute,
    Exercise,
    NotPlain,
    NotRightYet,
    begin,
    check,
    hint,
    plain,
    progress,
)
from tinylib.practice import assignment as assignment_module
from tinylib.practice.judging import judge_value

SIZE = "metrics.model_size_fp32"


@pytest.fixture(autouse=True)
def fresh_assignment(monkeypatch):
    monkeypatch.setattr(assignment_module, "_current", assignment_module.Assignment())
    for name in ("NBGRADER_EXECUTION", "JUPYTERHUB_USER", "TINYML_PROGRESS", "TINYML_SEALED_STUDENT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "value", [13.6, "13.6", "13.6 MB", "0.0136 GB", "13,600 KB", "13_600_000 B", "1.36e7 B", " 13.6MB "]
)
def test_right_however_it_is_written(value):
    assert check(SIZE, value).right is True


@pytest.mark.parametrize(
    "value", [np.float64(13.6), np.float32(13.6), np.array(13.6), np.array([13.6]), [13.6], (13.6,)]
)
def test_right_as_numpy_or_a_single_value(value):
    assert check(SIZE, value).right is True


@pytest.mark.parametrize(
    "value, words",
    [
        ("13 MiB", "asks for MB"),
        ("13.6 MiB", "you wrote MiB"),
        ("12.97 MiB", "The right amount in MiB"),
        ("108.8 MB", "megabits"),
        ("13.6 ms", "measures something else"),
        ("thirteen", "thirteen"),
        ("", "got"),
        (None, "No answer yet"),
        (..., "No answer yet"),
        (True, "truth value True"),
        (float("nan"), "finite, got nan"),
        (math.inf, "finite, got inf"),
        (-13.6, "negative"),
        (13.6 + 0j, "complex"),
        ([1, 2], "one number, got 2 values"),
        ({"a": 1}, "must be a number"),
        (print, "a function"),
        (object(), "an object"),
        (np.array([1 + 2j]), "real numbers"),
        (np.zeros(200_000), "at most 100,000"),
        ("9" * 20_000, "at most 10,000 characters"),
        (10**400, "bits"),
        (13.2, "Close"),
        (1e9, "far too large"),
    ],
)
def test_odd_answers_get_one_clear_sentence(value, words):
    feedback = check(SIZE, value)
    assert feedback.right is False and feedback.share == 0
    assert words in feedback.message
    assert "\n" not in feedback.message and len(feedback.message) < 300


def test_macs_for_flops_are_named_across_units():
    assert "two FLOPs" in check("counting.conv_macs", "28.9 MFLOP").message
    assert "two FLOPs" in check("roof.a100_ridge", "78 MAC/B").message


@pytest.mark.parametrize(
    "exercise_id, value, words",
    [
        ("macs.resnet_conv1", "236 MMAC", "FLOP"),  # a mistake given with three digits is still that mistake
        ("macs.resnet_conv1", "118 MMAC", "an exact count: give every digit"),
        ("counting.linear_params", "131000", "an exact count"),  # near a mistake, but as near the answer
    ],
)
def test_rounded_answers_are_understood(exercise_id, value, words):
    feedback = check(exercise_id, value)
    assert feedback.right is False and words in feedback.message


@pytest.mark.parametrize(
    "exercise_id, value",
    [
        ("lat.b256_margin", "1.64, compute-bound"),
        ("lat.b256_margin", "1.64 compute-bound"),
        ("roof.a100_ridge", "156 FLOPs/byte"),
        ("lat.throughput_batch", "200 requests/s"),
    ],
)
def test_right_answers_in_other_words(exercise_id, value):
    assert check(exercise_id, value).right


def test_unknown_id_names_the_nearest():
    assert "did you mean 'counting.conv_macs'" in check("counting.conv_mac", 1).message


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.complex_numbers() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner)
    ),
)


@given(value=anything)
def test_check_never_raises(value):
    for exercise_id in (SIZE, "counting.linear_params"):
        feedback = check(exercise_id, value)
        assert feedback.right in (True, False) and str(feedback) and feedback._repr_html_()


class Liar(float):
    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return 0.0


class NumpyLiar(np.float64):
    def item(self):
        return 13.6


@pytest.mark.parametrize("value", [Liar(1), NumpyLiar(1), [Liar(1)]])
def test_subclasses_that_lie_are_refused(value):
    assert check(SIZE, value).right is False
    with pytest.raises(NotPlain):
        plain(value)


@pytest.mark.parametrize("value", [np.timedelta64(3), np.datetime64(3, "s"), np.complex64(3), np.void(3)])
def test_numpy_values_that_are_no_numbers_are_refused_in_a_sentence(value):
    assert "must be a number" in str(check(SIZE, value))


def test_plain_keeps_values_and_drops_types():
    assert plain((1, 2.5, "a", [np.int8(3), np.bool_(True)])) == [1, 2.5, "a", [3, True]]
    assert type(plain(np.int64(3))) is int and type(plain(np.float32(0.5))) is float
    nested: list = []
    nested.append(nested)
    with pytest.raises(NotPlain, match="nested deeper"):
        plain(nested)


FIT = Exercise(
    "test.fit", "Does {kib} KiB fit?", {"kib": 96}, lambda kib: kib, "KiB", Absolute(0),
    choices=("fits", "does not fit"), choice=lambda kib: "fits" if kib <= 256 else "does not fit",
)  # fmt: skip


@pytest.mark.parametrize(
    "value, share",
    [
        ((96, "fits"), 1),
        ("96 KiB, fits", 1),
        ((96, "does not fit"), 0.5),
        ((95, "fits"), 0),
        (96, 0),
        ("fits", 0),
    ],
)
def test_a_choice_beside_the_number_never_scores_alone(value, share):
    assert judge_value(FIT, FIT.given, value).share == share


def test_validate_raises_one_line_for_less_than_right(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    assert check(SIZE, 13.6).right
    with pytest.raises(NotRightYet, match="in MiB: you divided by"):
        check(SIZE, 12.97)


def test_hints_come_one_by_one():
    first, second, third = (hint("counting.ffn_macs") for _ in range(3))
    assert "1 of 2" in first and "2 of 2" in second and third == second


def test_progress_is_appended_and_survives_damage(tmp_path, monkeypatch):
    file = tmp_path / "progress.jsonl"
    monkeypatch.setenv("TINYML_PROGRESS", str(file))
    check(SIZE, 12.97)
    file.write_text(file.read_text() + "{broken\n\xff\n")
    check(SIZE, 13.6)
    rows = progress.rows()
    assert [r["right"] for r in rows] == [False, True] and "MiB" in rows[0]["mistake"]
    assert progress.score() == "1 of 1 questions right, 2 answers given."


def test_no_progress_under_nbgrader_or_without_a_file(tmp_path, monkeypatch):
    check(SIZE, 13.6)
    monkeypatch.setenv("TINYML_PROGRESS", str(tmp_path / "p"))
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    check(SIZE, 13.6)
    assert not (tmp_path / "p").exists()


def release(tmp_path, **changes):
    data = {
        "assignment": "a01", "salt": "s", "bank": [SIZE], "digest": "",
        "private": {"a01.q": {"title": "", "prompt": "{k}", "given": {"k": 3}, "draws": {}, "unit": "MB"}},
        "functions": {"a01.f": {"examples": [[[2, 3], 6], [[0, 1], 0]]}}, "questions": [],
        **changes,
    }  # fmt: skip
    path = tmp_path / "release.json"
    path.write_text(json.dumps(data))
    return path


def test_numbers_follow_the_name_in_the_notebook(tmp_path, monkeypatch):
    path = release(tmp_path)
    assert begin("", path).numbers(SIZE) == BANK[SIZE].given
    ada, ben = begin("ada", path).numbers(SIZE), begin("ben", path).numbers(SIZE)
    assert ada != ben and ada != BANK[SIZE].given
    monkeypatch.setenv("JUPYTERHUB_USER", "ben")
    assert begin("", path).numbers(SIZE) == ben
    assert begin("ada", path).numbers(SIZE) == ada
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert begin("", path).student is None


def test_the_sealed_grader_names_the_student_where_the_notebook_does_not(tmp_path, monkeypatch):
    path = release(tmp_path)
    monkeypatch.setenv("TINYML_SEALED_STUDENT", "ben")
    monkeypatch.setenv("JUPYTERHUB_USER", "grader")
    assert assignment_module.context() == "sealed"
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    assert begin("", path).student == "ben"
    assert sys.stderr is sys.stdout, "a warning is an output like others"
    assert begin("ada", path).student == "ada"


def test_private_question_is_noted_not_judged(tmp_path):
    begin("ada", release(tmp_path))
    assert check("a01.q", 3).right is None
    assert check("a01.q", "many").right is False


def test_function_is_tried_on_public_examples(tmp_path):
    begin("ada", release(tmp_path))
    assert check("a01.f", lambda a, b: a * b).right
    assert "Called with (2, 3): 6 was expected, got 5" in check("a01.f", lambda a, b: a + b).message
    assert "ZeroDivisionError" in check("a01.f", lambda a, b: 1 / 0).message
    assert "nothing was returned" in check("a01.f", lambda a, b: None).message
    assert "must be a function" in check("a01.f", 6).message


@pytest.mark.parametrize("text", ["", "{", "[]", '{"assignment": 1}', "null"])
def test_broken_release_is_one_sentence(tmp_path, text):
    (tmp_path / "release.json").write_text(text)
    with pytest.raises(ValueError, match="must be the file that came with the assignment"):
        begin("ada", tmp_path / "release.json")


def test_missing_release_and_odd_names_are_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="must lie beside this notebook"):
        begin("ada", tmp_path / "release.json")
    with pytest.raises(ValueError, match="your name in quotes"):
        begin(7, release(tmp_path))
