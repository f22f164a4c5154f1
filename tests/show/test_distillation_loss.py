"""Terms of the distillation loss: the sum is the cost room's, gradients are small differences."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.show.test_calculators import stays_inside
from tinylib.cost import compression
from tinylib.show import canvases
from tinylib.show.distillation_loss import loss_terms

logits = st.lists(st.floats(-6, 6), min_size=4, max_size=4)
temperatures, weights = st.floats(0.5, 20), st.floats(0, 1)


def test_terms_by_hand():  # two even classes against a teacher of e to 1, all at T = 1
    share = math.e / (1 + math.e)
    kl = share * math.log(2 * share) + (1 - share) * math.log(2 * (1 - share))
    (hard, miss), (soft, apart), (alone, _) = loss_terms((1, 0), (0, 0), 0, 1, 0.5)
    assert (hard, miss) == pytest.approx((math.log(2) / 2, 0.5))
    assert (soft, apart) == pytest.approx((kl / 2, share - 0.5)) and alone == soft


@given(logits, logits, temperatures, weights)
def test_sum_is_the_loss_of_the_cost_room(teacher, student, temperature, weight):
    hard = -math.log(compression.softmax(student)[1])
    p, q = (compression.softmax(z, temperature) for z in (teacher, student))
    total = compression.distillation_loss(hard, compression.kl(p, q), temperature, weight)
    found = loss_terms(teacher, student, 1, temperature, weight)
    assert found[0][0] + found[1][0] == pytest.approx(total, rel=1e-6, abs=1e-9)


@given(logits, logits, temperatures, weights)
def test_sizes_of_gradients_are_small_differences(teacher, student, temperature, weight):
    found = [0.0, 0.0]
    for k in range(4):
        up, down = ([z + step * (i == k) for i, z in enumerate(student)] for step in (1e-5, -1e-5))
        high, low = (loss_terms(teacher, z, 1, temperature, weight) for z in (up, down))
        found = [size + abs(h[0] - lo[0]) / 2e-5 for size, h, lo in zip(found, high, low)]
    sizes = [size for _, size in loss_terms(teacher, student, 1, temperature, weight)[:2]]
    assert sizes == pytest.approx(found, rel=1e-3, abs=1e-4)


@given(logits, logits, st.integers(0, 3), temperatures, weights)
def test_loss_is_drawn_at_every_setting(teacher, student, label, temperature, weight):
    drawing = canvases.loss_bars(teacher, student, label, temperature, weight)
    stays_inside(drawing)
    assert "without T²" in canvases.alternative(drawing)


def test_gain_says_its_ends_and_draws_intervals():
    rows = [(1, 0.0, -0.01, 0.01), (4, 0.03, 0.02, 0.04)]
    drawing = canvases.temperature_gain({"few labels": rows, "small": rows[:1]}, "95 %")
    stays_inside(drawing)
    assert "few labels from 1, 0 to 4, 3; small from 1, 0 to 1, 0" in canvases.alternative(drawing)


@pytest.mark.parametrize(
    "call, reason",
    [
        (lambda: canvases.loss_bars((1, 0), (0, 0), 2), "label must be one of 0..1, got 2"),
        (
            lambda: canvases.loss_bars((1, 0), (0, 0), 0, 4, 1.5),
            "weight must be a share from 0 to 1, got 1.5",
        ),
        (lambda: canvases.temperature_gain({"none": []}), "needs at least one temperature"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()
