"""Search pictures: gradient signs, fronts and limits worked by hand, and a picture at every setting."""

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.show.test_calculators import stays_inside
from tinylib.show import canvases, search, theme

POINTS = [
    search.Point("small", 0.80, 2.0, 1024, 4096),
    search.Point("middle", 0.90, 5.0, 2048, 8192),
    search.Point("slow", 0.85, 9.0, 2048, 8192),
    search.Point("large", 0.95, 20.0, 8192, 65_536),
]
costs = st.floats(1e-3, 1e6)
members = st.lists(st.tuples(costs, st.floats(0, 1), st.booleans()), min_size=1, max_size=12)


def test_mix_says_the_true_gradient_and_the_diagonal():  # p = .6, .3, .1 at 10, 5, 2 ms: E = 7.7 ms
    logits = [-0.5108256, -1.2039728, -2.3025851]  # ln of the probabilities
    said = canvases.alternative(canvases.latency_mix(logits, (10, 5, 2), ("conv", "depthwise", "skip")))
    assert "Expected latency 7.7 ms" in said
    assert "conv 10 ms, probability 0.600, derivative 1.380 ms, diagonal alone 2.400 ms" in said
    assert "derivative -0.810 ms, diagonal alone 1.050 ms" in said
    assert "derivative -0.570 ms, diagonal alone 0.180 ms" in said


@given(st.lists(st.tuples(st.floats(-30, 30), st.integers(1, 500)), min_size=2, max_size=8))
def test_the_diagonal_is_never_negative_and_the_picture_draws(operations):
    logits, latencies = zip(*operations)
    stays_inside(canvases.latency_mix(logits, latencies))
    assert min(search.diagonal_ms([0.5, 0.5], latencies[:2])) >= 0


def test_front_by_hand():
    assert search.front([(5, 0.9), (2, 0.8), (9, 0.85), (20, 0.95), (2, 0.7)]) == [
        (2, 0.8),
        (5, 0.9),
        (20, 0.95),
    ]


@given(st.lists(st.tuples(costs, st.floats(0, 1)), min_size=1, max_size=40))
def test_nothing_beats_a_member_of_the_front(points):
    line = search.front(points)
    assert line[0][0] == min(c for c, _ in points) and line[-1][1] == max(a for _, a in points)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(line))
    assert not any(c <= fc and a >= fa and (c, a) != (fc, fa) for c, a in points for fc, fa in line)


def test_limits_by_hand():  # a cost equal to its limit fits
    assert search.fits(POINTS[1], 2, 8, 5) == {"SRAM": True, "flash": True, "latency": True}
    assert search.fits(POINTS[3], 2, 8, 20) == {"SRAM": False, "flash": False, "latency": True}


def test_pareto_says_what_fits_and_what_shuts_out():
    drawing = canvases.pareto(POINTS, sram_kib=4, flash_kib=16, latency_ms=6)
    said = canvases.alternative(drawing)
    assert "2 of 4 candidates fit" in said and "shut out by SRAM 1, flash 1, latency 2" in said
    assert "best that fits (framed): middle, 90.0 %, 5 ms, 2.0 KiB SRAM, 8.0 KiB flash" in said
    assert "front over latency has 2 candidates" in said
    assert drawing.count("<circle") == 2 and drawing.count(f'stroke="{theme.FILLS["over_budget"]}"') == 4


def test_pareto_without_a_fit_says_so():
    said = canvases.alternative(canvases.pareto(POINTS, 0.5, 16, 6, "SRAM"))
    assert "0 of 4 candidates fit" in said and "best that fits" not in said


rows_of_points = st.lists(
    st.tuples(st.floats(0, 1), costs, st.integers(1, 10**7), st.integers(1, 10**8)), min_size=1, max_size=30
)
limit = st.floats(0.1, 1e5)


@given(rows_of_points, limit, limit, limit, st.sampled_from(["latency", "SRAM", "flash"]))
def test_pareto_draws_at_every_setting(rows, sram, flash, latency, across):
    points = [search.Point(f"c{i}", *row) for i, row in enumerate(rows)]
    stays_inside(canvases.pareto(points, sram, flash, latency, across))


def generations(seed=0):
    rng = random.Random(seed)
    return [[(rng.uniform(1, 9), rng.random(), rng.random() < 0.5) for _ in range(6)] for _ in range(5)]


def test_player_says_the_best_so_far():
    runs = [[(1, 0.5, True), (2, 0.9, False)], [(3, 0.4, True)], [(2, 0.7, True)]]
    said = canvases.alternative(canvases.evolution(runs, 1, "MACs"))
    assert "Generation 1 of 2" in said and "best so far: 50.0 %, 50.0 %." in said
    assert canvases.alternative(canvases.evolution(runs, 99)).endswith("50.0 %, 50.0 %, 70.0 %.")


def test_the_best_so_far_never_falls():
    best = [b for b in search._best_so_far(generations()) if b is not None]
    assert best == sorted(best)
    assert search._best_so_far([[(1, 0.9, False)], [(1, 0.2, True)]]) == [None, 0.2]


@given(st.lists(members, min_size=1, max_size=9), st.integers(0, 12))
def test_player_draws_at_every_generation(runs, generation):
    stays_inside(canvases.evolution(runs, generation))


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: canvases.latency_mix([1.0], [1.0]), "a mix needs 2 to 8 operations, got 1"),
        (lambda: canvases.latency_mix([1.0, 2.0], [1.0]), "one entry per choice"),
        (lambda: canvases.latency_mix([1.0, 2.0], [1.0, 2.0], ["a"]), "names must name all 2 operations"),
        (lambda: canvases.pareto([], 1, 1, 1), "at least one candidate"),
        (lambda: canvases.pareto(POINTS, 0, 1, 1), "the limit on SRAM must be positive, got 0"),
        (lambda: canvases.pareto(POINTS, 1, 1, 1, "price"), "across must be one of latency, SRAM, flash"),
        (lambda: canvases.evolution([]), "members in every generation"),
        (lambda: canvases.evolution([[(0, 0.5, True)]]), "each cost must be positive, got 0"),
        (lambda: canvases.evolution([[(1, 0.5, True)]], -1), "generation must lie"),
    ],
)
def test_bad_input_is_one_sentence(make, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_shares_are_the_softmax_of_every_epoch():
    said = canvases.alternative(canvases.share_curves([[0, 0], [0, math.log(3)]], ["skip", "conv"], "Shares"))
    assert "skip from 0, 0.5 to 1, 0.25" in said and "conv from 0, 0.5 to 1, 0.75" in said
    with pytest.raises(ValueError, match="each with 2 parameters"):
        canvases.share_curves([[0, 0], [0]], ["skip", "conv"], "Shares")
