"""The bank: worked answers, separate mistakes, variants that are the same on every machine."""

import json
from pathlib import Path

import pytest

from tinylib.practice import BANK, variant
from tinylib.practice.judging import judge_value

FROZEN = json.loads((Path(__file__).parent / "variants.json").read_text())
PUBLISHED = {  # answer and misconception values of the printed instance, worked apart from the code
    "metrics.model_size_fp32": (13.6, [12.969970703125, 108.8, 3.4]),
    "metrics.mac_to_flop": (300.0, [150.0, 75.0]),
    "metrics.arithmetic_intensity": (8000.0, [7812.5, 0.000125, 4000.0]),
    "metrics.activation_kib": (784.0, [802.816, 196.0, 14.0]),
    "metrics.ridge_point": (4.0, [0.25, 2.0]),
    "counting.linear_params": (131328, [131072, 131584, 131073]),
    "counting.conv_params": (18496, [18432, 6208, 640, 20480]),
    "counting.conv_macs": (14.450688, [28.901376, 4.816896, 0.018432, 14.500864]),
    "counting.dws_ratio": (7.890410958904109, [9, 64, 2.865671641791045, 8.597014925373134]),
    "counting.ffn_macs": (1048576, [2097152, 1050624, 2048, 4194304]),
}
everyone = pytest.mark.parametrize("exercise", BANK.values(), ids=BANK)


def test_bank_holds_both_chapters():
    assert set(BANK) == set(PUBLISHED)


@everyone
def test_answer_and_mistakes_equal_the_worked_values(exercise):
    answer, wrong = PUBLISHED[exercise.id]
    assert exercise.answer(**exercise.given) == pytest.approx(answer, rel=1e-12)
    assert exercise.expect == pytest.approx(answer, rel=1e-12)
    assert [v for _, v in exercise.mistakes(exercise.given)] == pytest.approx(wrong, rel=1e-12)


@everyone
def test_expected_answer_is_right_and_each_mistake_is_named(exercise):
    assert judge_value(exercise, exercise.given, exercise.expect).right
    for misconception, value in exercise.mistakes(exercise.given):
        feedback = judge_value(exercise, exercise.given, value)
        assert not feedback.right and feedback.share == 0
        assert feedback.mistake == misconception.hint


@everyone
def test_three_hundred_variants_answer_themselves_and_keep_their_mistakes_apart(exercise):
    for seed in range(300):
        given = variant(exercise, seed)
        assert set(given) == set(exercise.given)
        assert "{" not in exercise.text(given)
        assert judge_value(exercise, given, exercise.answer(**given)).right
        assert not any(judge_value(exercise, given, v).right for _, v in exercise.mistakes(given))


@everyone
def test_first_five_variants_never_change(exercise):
    assert [variant(exercise, seed) for seed in range(5)] == FROZEN[exercise.id]


@everyone
def test_every_exercise_has_hints_steps_source_and_a_title(exercise):
    assert len(exercise.hints) >= 2 and exercise.title and exercise.source
    for seed in (None, 0, 1):
        assert all(exercise.steps(**variant(exercise, seed)))


def test_dws_ratio_refuses_the_misprinted_eight():
    assert not judge_value(BANK["counting.dws_ratio"], BANK["counting.dws_ratio"].given, 8.0).right
