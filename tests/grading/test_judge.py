"""The judge: share per entry, a reason that names the slip, and nothing a student returns can break it."""

import numpy as np
import pytest

from grading.judging.judge import judge_function, judge_number
from grading.keys import Key, folder, hidden_rng, key, load
from tinylib.practice import BANK, Exercise, Rng, variant
from tinylib.practice.judging import judge_value

KEYS = load(folder() / "a01_metrics.py")
REPORT, LARGEST = KEYS["a01.efficiency_report"], KEYS["a01.largest_map"]


def graded(function):
    return judge_function(REPORT, lambda arguments: function(*arguments), Rng("seed"))


def honest(*arguments):
    return REPORT.expected(*arguments)


def test_expected_function_scores_full_marks():
    assert graded(honest).share == 1


def test_public_examples_agree_with_the_key():
    for arguments, expected in REPORT.examples:
        assert REPORT.expected(*arguments) == pytest.approx(expected)


def test_each_entry_is_a_share_and_its_slip_is_named():
    feedback = graded(lambda *a: {**honest(*a), "flops": honest(*a)["macs"]})
    assert feedback.share == pytest.approx(5 / 6)
    assert "flops: those are MACs" in feedback.message and feedback.mistake == "those are MACs"
    assert graded(lambda *a: {k: v for k, v in honest(*a).items() if k != "params"}).share == pytest.approx(
        5 / 6
    )


def test_numpy_values_and_integer_floats_are_as_good():
    assert graded(lambda *a: {k: np.float64(v) for k, v in honest(*a).items()}).share == 1


def test_a_function_right_only_on_the_example_gets_nothing():
    constant = REPORT.examples[0][1]
    assert graded(lambda *a: constant).share == 0


def leave(*_):
    raise SystemExit


def boom(*_):
    raise RuntimeError("x" * 10_000)


class Odd:
    def __getattr__(self, name):
        raise RuntimeError(name)


@pytest.mark.parametrize(
    "function",
    [
        lambda *a: None,
        lambda: 1,
        lambda *a: "x",
        lambda *a: Odd(),
        lambda *a: [1],
        leave,
        boom,
        lambda *a: {1: 2},
    ],
)
def test_odd_functions_cost_the_points_and_nothing_else(function):
    feedback = graded(function)
    assert feedback.share == 0 and feedback.right is False
    assert len(feedback.message) < 1500 and "\n" not in feedback.message


def test_the_better_of_two_sets_of_numbers_counts():
    exercise = BANK["counting.linear_params"]
    printed, own = dict(exercise.given), variant(exercise, "ada")
    answer = exercise.answer(**own)
    assert judge_number(exercise, [printed, own], answer).right
    assert not judge_number(exercise, [printed], answer).right


def test_private_question_is_never_ambiguous():
    """Its numbers are drawn without its mistakes, so no draw may make a mistake right."""
    from tinylib.practice.draws import draw

    assert isinstance(LARGEST, Exercise)
    assert judge_value(LARGEST, LARGEST.given, LARGEST.expect).right
    for seed in range(300):
        given = draw(LARGEST.given, LARGEST.draws, Rng(str(seed)))
        assert judge_value(LARGEST, given, LARGEST.answer(**given)).right
        assert not any(judge_value(LARGEST, given, v).right for _, v in LARGEST.mistakes(given))


def test_hidden_draws_repeat_and_depend_on_secret_and_submission(monkeypatch):
    monkeypatch.delenv("TINYML_COURSE_SECRET", raising=False)
    first = REPORT.draw(hidden_rng("salt", "ada", "x"))
    assert first == REPORT.draw(hidden_rng("salt", "ada", "x"))
    assert first != REPORT.draw(hidden_rng("salt", "ben", "x"))
    monkeypatch.setenv("TINYML_COURSE_SECRET", "private")
    assert first != REPORT.draw(hidden_rng("salt", "ada", "x"))


def test_a_key_without_its_functions_is_refused():
    with pytest.raises(ValueError, match="needs the functions draw and expected"):
        key("x", examples=[])(type("Empty", (), {}))
    assert isinstance(REPORT, Key)


def test_a_function_that_changes_its_arguments_is_judged_like_any_other():
    key = Key("k", lambda rng: ([rng.int(1, 9), 2],), sum, slips=lambda v: {"": {"that is the first": v[0]}})
    assert judge_function(key, lambda arguments: arguments[0].pop() + arguments[0].pop(), Rng("s")).right
    told = judge_function(key, lambda arguments: arguments[0].pop(0), Rng("s"))
    assert "that is the first" in told.message


def test_slips_of_lists_are_named_and_short_lists_are_shown():
    key = Key(
        "k",
        lambda rng: ([rng.int(1, 9), 2],),
        lambda v: {"doubled": [2 * n for n in v]},
        slips=lambda v: {"doubled": {"those are squares": [n * n for n in v]}},
    )
    told = judge_function(key, lambda arguments: {"doubled": [n * n for n in arguments[0]]}, Rng("s"))
    assert "those are squares" in told.message and ", 2])" in told.message
