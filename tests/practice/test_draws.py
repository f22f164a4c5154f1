"""Draws: reproducible, inside their space, and the same after a trip through JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.practice import Absolute, Exercise, Log, Rng, Same, Times, student_seed, variant
from tinylib.practice.draws import By, draw, from_json, to_json

DRAWS = {"k": (1, 3, 5), "h": Log(10, 10_000, 2), "w": Same("h"), "c": Times("k", (2, 4))}
DRAWS |= {"row": (0, 1), "side": By("row", (28, 56))}
GIVEN = {"k": 3, "h": 56, "w": 56, "c": 6, "row": 0, "side": 28, "fixed": 7}


def test_a_known_seed_gives_known_values():
    rng = Rng("a", "1")
    assert [rng.int(0, 99) for _ in range(6)] == [68, 85, 58, 6, 65, 8]


@given(seed=st.text())
def test_draws_stay_in_their_space(seed):
    drawn = draw(GIVEN, DRAWS, Rng(seed))
    assert drawn["k"] in (1, 3, 5) and 10 <= drawn["h"] <= 10_000 and type(drawn["h"]) is int
    assert drawn["w"] == drawn["h"] and drawn["c"] in (2 * drawn["k"], 4 * drawn["k"])
    assert drawn["fixed"] == 7 and drawn["side"] == (28, 56)[drawn["row"]]
    assert float(f"{drawn['h']:.1e}") == drawn["h"]  # two significant digits


@given(seed=st.text(), low=st.integers(1, 50), span=st.integers(0, 50))
def test_helpers_stay_in_range(seed, low, span):
    rng = Rng(seed)
    assert low <= rng.int(low, low + span) <= low + span
    odd = rng.odd(low, low + span + 1)
    assert odd % 2 == 1 and low <= odd <= low + span + 1


def test_declarative_draws_survive_json():
    assert from_json(to_json(DRAWS)) == DRAWS


def test_a_function_cannot_be_released():
    with pytest.raises(ValueError, match="must be declarative"):
        to_json(lambda rng: {"k": 1})


def test_no_seed_gives_the_printed_numbers():
    exercise = Exercise("x.y", "{k}", {"k": 3}, lambda k: k, "", Absolute(0), draws={"k": (5, 7)})
    assert variant(exercise, None) == {"k": 3}
    assert variant(exercise, 1)["k"] in (5, 7)


def test_accept_is_respected_and_an_impossible_one_says_so():
    exercise = Exercise(
        "x.y", "{k}", {"k": 3}, lambda k: k, "", Absolute(0), draws={"k": (5, 7)}, accept=lambda k: k == 7
    )
    assert variant(exercise, 1) == {"k": 7}
    never = Exercise(
        "x.y", "{k}", {"k": 3}, lambda k: k, "", Absolute(0), draws={"k": (5,)}, accept=lambda k: False
    )
    with pytest.raises(ValueError, match="no variant among 1000 draws"):
        variant(never, 1)


def test_students_differ_and_spelling_of_a_name_does_not():
    assert student_seed("s", "Ada ", "a.b") == student_seed("s", "ada", "a.b")
    assert len({student_seed(s, n, i) for s in "xy" for n in ("ada", "ben") for i in ("a.b", "c.d")}) == 8


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"prompt": "{nope}"}, "the prompt uses"),
        ({"draws": {"nope": (1,)}}, "draws name"),
        ({"choices": ("fits", "does not fit")}, "choices need a choice"),
    ],
)
def test_a_spec_that_does_not_hang_together_is_refused(fields, message):
    spec = {
        "id": "x.y",
        "prompt": "{k}",
        "given": {"k": 3},
        "answer": lambda k: k,
        "unit": "",
        "tolerance": Absolute(0),
    }
    with pytest.raises(ValueError, match=message):
        Exercise(**{**spec, **fields})
