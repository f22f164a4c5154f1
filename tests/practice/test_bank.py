"""The bank: every rule on every exercise, and variants that are the same on every machine."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

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


# Literals that a mistake's formula may hold beside the givens: what each of them is
ALLOWED = {
    *range(17),  # small integers: factors, exponents, bytes of a format
    20, 24, 60, 100, 1000, 10_000, 2000, 10**6, 10**9,  # decibels, hours, seconds, per cent, decimal prefixes
    2**20, 2**30, 31, 127, 256, 2**-8,  # binary prefixes, Q31, INT8, one byte and its step
    0.5, 1.5, 2 / 3, 3.6, 6.02,  # halves and thirds, J per mWh, decibels per bit
    640,  # pJ of a DRAM access, a row of the energy table
    989e12,  # FLOP/s that the prompt of llm.decode_bound states
}  # fmt: skip


def literals(code: CodeType) -> Iterator[float]:
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from literals(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield value


@everyone
def test_mistakes_hold_givens_and_known_constants_alone(exercise):
    for misconception in exercise.misconceptions:
        code = misconception.value.__code__
        names = set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
        assert names <= set(exercise.given) | {"_", "given", "g"}
        if not misconception.printed_only:
            assert set(literals(code)) <= ALLOWED, misconception.hint
