"""The bank: every rule on every exercise, and variants that are the same on every machine."""

import json
from pathlib import Path

import pytest

from tests.practice.bank_rules import PUBLISHED, RULES
from tinylib.practice import BANK, CHAPTERS, variant
from tinylib.practice.judging import judge_value

FROZEN = json.loads((Path(__file__).parent / "variants.json").read_text())
everyone = pytest.mark.parametrize("exercise", BANK.values(), ids=BANK)


def test_all_188_exercises_are_there_once():
    assert sum(len(exercises) for exercises in CHAPTERS.values()) == len(BANK)
    assert set(BANK) == set(PUBLISHED) and len(BANK) == 188


@everyone
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_exercise(rule, exercise):
    rule(exercise)


@everyone
def test_first_five_variants_never_change(exercise):
    assert [variant(exercise, seed) for seed in range(5)] == FROZEN[exercise.id]


def test_dws_ratio_refuses_the_misprinted_eight():
    assert not judge_value(BANK["counting.dws_ratio"], BANK["counting.dws_ratio"].given, 8.0).right
