"""Temperature pictures: entropy and divergence in closed form, limits, and a picture at every setting."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.show.test_calculators import stays_inside
from tinylib.cost import compression
from tinylib.show import canvases, distillation

TEACHER, STUDENT = (4.0, 2.0, 1.0), (2.0, 1.5, 0.5)
pairs = st.integers(2, 12).flatmap(
    lambda n: st.tuples(*[st.lists(st.floats(-60, 60), min_size=n, max_size=n)] * 2)
)
temperatures = st.floats(0.1, 100)


def test_entropy_of_certainty_and_of_equal_classes():
    assert distillation.entropy((1.0, 0.0)) == 0
    assert distillation.entropy([0.25] * 4) == pytest.approx(math.log(4))
    assert distillation.entropy((0.7, 0.3)) == pytest.approx(0.610864, abs=1e-6)


@given(pairs, temperatures)
def test_divergence_is_that_of_the_cost_room(logits, temperature):
    teacher, student = (compression.softmax(z, temperature) for z in logits)
    assume(min(student) > 1e-12)
    ours = distillation.divergence(*logits, temperature)
    assert ours >= 0 and ours == pytest.approx(compression.kl(teacher, student), rel=1e-6, abs=1e-12)


@given(pairs)
def test_divergence_times_t_squared_has_its_limit(logits):  # Hinton et al., section 2.1
    limit = distillation._limit(*logits)
    assert 1e10 * distillation.divergence(*logits, 1e5) == pytest.approx(limit, rel=2e-3, abs=1e-6)


def test_divergence_survives_certainty():  # 1000 nat apart: exp underflows, the difference does not
    assert distillation.divergence((1000.0, 0.0), (0.0, 1000.0), 1.0) == pytest.approx(1000)


def test_bars_say_probabilities_entropy_and_divergence():  # softmax of (4, 2, 1) / 4: 0.481
    said = canvases.alternative(canvases.temperature_bars(TEACHER, STUDENT, 4.0, ("cat", "dog", "owl")))
    assert "Softened at temperature 4" in said and "first choice is cat with 0.481" in said
    p, q = (compression.softmax(z, 4.0) for z in (TEACHER, STUDENT))
    assert f"KL(teacher || student) {compression.kl(p, q):.4f} nat" in said
    assert f"times T² = {16 * compression.kl(p, q):.4f} nat" in said and "at most ln 3 = 1.099" in said


def test_curve_says_the_limits():  # differences 2, 0.5, 0.5: variance 0.5, half of it 0.25
    said = canvases.alternative(canvases.entropy_curve(TEACHER, STUDENT, 100.0))
    assert "entropies go to 1.0986 nat" in said and "T² times KL goes to 0.2500 nat" in said
    assert "T² × KL 0.25" in said


@given(pairs, temperatures)
def test_pictures_draw_at_every_setting(logits, temperature):
    stays_inside(canvases.temperature_bars(*logits, temperature))
    stays_inside(canvases.entropy_curve(*logits, temperature))


@pytest.mark.parametrize("draw", [canvases.temperature_bars, canvases.entropy_curve])
@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (((1.0,), (1.0,), 1.0), "one logit for each of 2 to 12 classes, got 1 and 1"),
        (((1.0, 2.0), (1.0, 2.0, 3.0), 1.0), "got 2 and 3"),
        (((1.0, 2.0), (1.0, 2.0), 0), "temperature must lie between 0.1 and 100, got 0"),
        (((1.0, 2.0), (1.0, "a"), 1.0), "each logit of the student must be a number"),
    ],
)
def test_bad_input_is_one_sentence(draw, arguments, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence):
        draw(*arguments)


def test_names_must_match_the_classes():
    with pytest.raises(ValueError, match="classes must name all 3 classes, got 2"):
        canvases.temperature_bars(TEACHER, STUDENT, 1.0, ("a", "b"))
