"""Step response and stored networks: limits in closed form, and the words say the numbers."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.practice import BANK
from tinylib.show import canvases
from tinylib.show.liquid import trajectories

positive = st.floats(0.05, 5)


@given(positive, positive, st.floats(-2, 2), st.floats(0.05, 3))
def test_fused_step_stays_between_zero_and_its_pull(tau, f, a, dt):
    states = [x for _, x in trajectories(tau, f, a, dt)["fused"]]
    assert all(min(0, a) <= x <= max(0, a) for x in states)


@given(positive, positive)
def test_small_steps_meet_the_exact_curve(tau, f):
    series = trajectories(tau, f, 1.0, 0.001)
    exact = dict((round(t, 3), x) for t, x in series["exact"])
    for t, x in series["fused"][300:6000:300]:
        assert x == pytest.approx(exact[round(t, 3)], abs=0.01)


def test_fused_step_equals_the_exercise():
    exercise = BANK["ltc.fused_step"]
    given = exercise.given | {"x": 0.0}
    first = trajectories(given["tau"], given["f"], given["A"], given["dt"])["fused"][1][1]
    assert first == pytest.approx(exercise.answer(**given))


def test_divergence_is_said():
    assert "diverges" in canvases.alternative(canvases.step_response(tau=0.5, f=1, dt=1.0))
    assert "Euler" not in canvases.alternative(canvases.step_response(tau=0.5, f=1, dt=0.5))
    assert "swings for ever" in canvases.alternative(canvases.step_response(tau=1, f=1, dt=1))  # 0, 1, 0, 1


@given(positive, positive, st.floats(-2, 2), st.floats(0.05, 3))
def test_step_response_draws_at_every_setting(tau, f, a, dt):
    ElementTree.fromstring(canvases.step_response(tau, f, a, dt))


@pytest.mark.parametrize("name", ["tau", "f", "dt"])
def test_times_must_be_positive(name):
    with pytest.raises(ValueError, match=f"{name} must be positive"):
        canvases.step_response(**{name: 0.0})


def test_stored_networks_say_accuracy_and_size():
    said = canvases.alternative(canvases.accuracy_and_bytes([("FP32", 0.98, 4096), ("binary", 0.9, 128)]))
    assert "binary: 90.0 %" in said and "32 times smaller" in said
    with pytest.raises(ValueError, match="at least one"):
        canvases.accuracy_and_bytes([])
