"""Claims: rounding rules worked by hand, recomputed figures that are not stored, and slips that fit."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.practice.claims import SLIPS, Claim, claims, half_unit, holds, named, number

ROW = {"source": "a", "says": "b", "printed": "1", "exercise": "llm.kv_cache_mb", "slip": "factor"}
ROW |= {"id": "x", "name": "n", "why": "c", "lesson": "d"}


@pytest.mark.parametrize(
    "printed, half, value",
    [("8.0", 0.05, 8), ("8", 0.5, 8), ("56,623,104", 0.5, 56_623_104), ("0.006", 0.0005, 0.006)],
)
def test_half_a_unit_of_the_last_digit(printed, half, value):
    assert half_unit(printed) == pytest.approx(half, rel=1e-12) and number(printed) == value


@given(st.floats(0.001, 1e6), st.integers(0, 4))
def test_what_is_rounded_holds(value, digits):
    assert holds(f"{value:.{digits}f}", value)
    assert not holds(f"{value:.{digits}f}", value + 1.01 * 10.0**-digits)


@pytest.mark.parametrize(  # by hand: errata of the five texts
    "claim, value",
    [
        ("2-1", 2 * 32 * 32 * 128 * 512 * 2 / 1e6),
        ("2-2", 2 * 32 * 32 * 128 * 4096 * 32 * 2 / 1e9),
        ("2-12", 19.5e12 / 2.039e12),
        ("2-18", 98),
        ("2-19", 56),
        ("2-29", 2000),
        ("4-1", 7e9 / 1e7),
        ("4-4", 12 * (768 * 3072 * 2 + 3072 + 768) / 1e6),
        ("4-6", 56_669_184 * 2 / 1e6),
        ("4-12", 9408 * 640 / 1e6),
        ("4-15", 640),
        ("4-20", 78),
        ("4-21", 256),
        ("0-7", 9 * 9 * 8 * 4),
        ("4-23", 512),
        ("1-1", 5180 / 1024),
        ("1-3", 17 * 3 * 4),
        ("3-1", 2304 * 128),
        ("0-10", 120),
    ],
)
def test_recomputed_by_hand(claim, value):
    assert named(claim).recomputed == pytest.approx(value, rel=1e-9)


def test_a_claim_holds_where_no_slip_is_named_and_nowhere_else():
    assert [c.id for c in claims() if c.holds] == [c.id for c in claims() if c.slip == "none"]
    assert {c.slip for c in claims()} == set(SLIPS)
    assert len({c.id for c in claims()}) == len(claims()) >= 30


def test_each_claim_names_a_lesson_that_is_there():
    lessons = Path(__file__).parents[2] / "authoring" / "lessons"
    assert [c.id for c in claims() if not list(lessons.glob(f"{c.lesson}_*.py"))] == []


def test_a_card_shows_its_proof_on_the_other_side():
    claim = named("4-12")
    assert "6.02112" in claim.card() and "6.02112" not in claim.card(proven=False)


def test_words_fit_a_card():
    assert (
        max(len(c.name) for c in claims()) <= 24
        and max(len(c.says) for c in claims()) <= 78
        and max(len(c.why) for c in claims()) <= 96
    )


@pytest.mark.parametrize(
    "change, why",
    [
        ({"slip": "typo"}, "slip must be one of"),
        ({"exercise": "no.such"}, "exercise must be in the bank"),
        ({"printed": "about 3"}, "printed must be a number as text"),
        ({"printed": "nan"}, "printed must be a number as text"),
    ],
)
def test_errors_give_a_reason(change, why):
    with pytest.raises(ValueError, match=why):
        Claim(**{**ROW, **change})


def test_an_unknown_claim_is_refused():
    with pytest.raises(ValueError, match="claim must be one of"):
        named("9-9")
