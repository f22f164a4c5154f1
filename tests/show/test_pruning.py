"""Pruning pictures: bytes and masks worked by hand, counts that add up, and a picture at every setting."""

import random
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.show.test_calculators import stays_inside
from tinylib.show import canvases, pruning, theme

SVG = "{http://www.w3.org/2000/svg}"
LINES = {"plain": [(0, 0.97), (0.5, 0.95), (0.9, 0.4)], "tuned": [(0.9, 0.93), (0, 0.97)]}
weight_lists = st.lists(st.integers(-300, 300).map(lambda n: n / 100), min_size=1, max_size=300)


def test_storage_by_hand():  # 40 of 100 left, 10 rows, 2-byte values and indices: 160 + 44; 50 x 18 bits
    sizes = pruning.storage_bytes(100, 40, rows=10, bits=16, index_bytes=2)
    assert sizes == {"dense": 200, "CSR": 40 * 4 + 11 * 4, "2:4": 113}


def test_histogram_says_what_is_left_and_what_is_smallest():
    said = canvases.alternative(canvases.weight_histogram([0.1, -0.2, 0.3, -0.4], 0.25, rows=2, bits=32))
    assert "50 % of the weights are removed" in said and "2 of 4 weights are left" in said
    assert "dense 16 B, CSR 24 B, 2:4 9 B; smallest is 2:4" in said  # 2 x 6 + 3 x 4; two of 34 bits


def test_a_bin_is_split_at_the_threshold():  # all in one bin: removed and kept parts share it
    drawing = canvases.weight_histogram([1.0, 0.99, -1.0], 0.995)
    tips = [t.text for t in ElementTree.fromstring(drawing).iter(f"{SVG}title")]
    assert (
        sum("1 kept, 1 removed" in tip for tip in tips) == 2
        and sum("1 kept, 0 removed" in tip for tip in tips) == 1
    )


@given(weight_lists, st.floats(0, 4), st.sampled_from([8, 16, 32]), st.sampled_from([1, 2, 4]))
def test_histogram_draws_at_every_setting(weights, threshold, bits, index_bytes):
    drawing = canvases.weight_histogram(weights, threshold, 7, bits, index_bytes)
    stays_inside(drawing)
    kept = sum(abs(w) >= threshold for w in weights)
    assert f"{kept:,} of {len(weights):,} weights are left" in canvases.alternative(drawing)


@given(st.integers(0, 99), st.floats(0, 3))
def test_bins_add_up(seed, threshold):
    rng = random.Random(seed)
    weights = [rng.gauss(0, 1) for _ in range(200)]
    drawing = canvases.weight_histogram(weights, threshold)
    bins = set(re.findall(r"<title>(about [-.\de]+): (\d+) kept, (\d+) removed", drawing))
    kept = sum(abs(w) >= threshold for w in weights)
    assert (sum(int(b[1]) for b in bins), sum(int(b[2]) for b in bins)) == (kept, 200 - kept)


def test_csr_larger_than_dense_is_said_by_colour_hatch_and_word():
    drawing = canvases.weight_histogram([0.5] * 100, 0.1, 10, 8)
    assert drawing.count(f'fill="{theme.FILLS["over_budget"]}"') == 1 and "larger than dense" in drawing


def test_patterns_are_ranked_by_magnitude():  # |w| 1, 3, 2: pairs of 5, 4 and 3
    assert pruning.patterns([1, -3, 2], 2) == [(1, 2), (0, 1), (0, 2)]
    assert pruning.patterns([1, 1, 1, 1], 2)[0] == (0, 1)  # a tie keeps the first


def test_mask_facts_by_hand():  # keeps 4, 3, 2, 1, 1, 1 of 20; freely 4, 3, 3, 3, 2, 1
    said = canvases.alternative(canvases.nm_mask([4, -3, 3, 3, 2, 1, 0, -1, 1, 1, 1, 0], 2, 4))
    assert "every group keeps the largest magnitudes" in said
    assert "kept: 60.0 % of all magnitude" in said and "anywhere in the tensor: 80.0 %" in said
    assert "2 of 6 kept weights are not among the 6 largest" in said
    assert "INT8: 12 B dense, 8 B with positions" in said  # 6 x 10 bits = 7.5 B


def test_the_painted_group_alone_changes_and_keeps_less():
    rng = random.Random(3)
    weights = [rng.gauss(0, 1) for _ in range(32)]
    shares = []
    for choice in range(1, 7):
        said = canvases.alternative(canvases.nm_mask(weights, 2, 4, 5, choice))
        shares.append(float(re.search(r"kept: ([\d.]+) %", said)[1]))
    assert shares == sorted(shares, reverse=True) and shares[0] > shares[-1]


@given(st.integers(1, 7), st.sampled_from([4, 8]), st.integers(1, 8), st.integers(1, 80), st.integers(1, 90))
def test_a_mask_keeps_so_many_of_each_group(kept, group, groups, painted, choice):
    weights = [((7 * i) % 11 - 5) / 4 for i in range(group * groups)]
    if kept >= group:
        with pytest.raises(ValueError, match="kept must be less than the group"):
            canvases.nm_mask(weights, kept, group)
        return
    drawing = canvases.nm_mask(weights, kept, group, painted, choice)
    stays_inside(drawing)
    tips = re.findall(r"<title>weight \d+: [-\d.]+, (kept|removed)", drawing)
    for i in range(0, len(tips), group):
        assert tips[i : i + group].count("kept") == kept


def test_two_panels_say_accuracy_and_bytes_at_the_chosen_sparsity():
    said = canvases.alternative(canvases.accuracy_and_storage(LINES, 1000, 10, 8, 2, at=0.5))
    assert "accuracy plain 95 %, tuned 97 % at 0 %" in said or "tuned 93 % at 90 %" in said
    assert "dense 1,000 B, CSR 1,544 B, 2:4 625 B" in said  # 500 x 3 + 11 x 4; 500 x 10 bits
    assert "CSR is smaller than dense from 68.1 %" in said  # 3 n + 44 = 1000 at n = 318.67


@given(st.floats(0, 1), st.sampled_from([8, 16, 32]), st.integers(1, 10**7), st.integers(1, 5000))
def test_two_panels_draw_at_every_setting(at, bits, weights, rows):
    stays_inside(canvases.accuracy_and_storage(LINES, weights, rows, bits, 2, at))


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: canvases.weight_histogram([], 0.1), "a histogram needs weights"),
        (lambda: canvases.weight_histogram([1.0], -0.1), "a threshold of at least 0"),
        (lambda: canvases.weight_histogram([1.0], 0.1, bits=4), "bits must be one of 8, 16, 32, got 4"),
        (lambda: canvases.weight_histogram(["a"], 0.1), "each weight must be a number"),
        (lambda: canvases.nm_mask([1.0] * 6, 2, 4), "in whole groups of 4, got 6"),
        (lambda: canvases.nm_mask([1.0] * 68, 2, 4), "weights must be 1 to 64"),
        (lambda: canvases.nm_mask([1.0] * 6, 1, 3), "group must be one of 4, 8, got 3"),
        (lambda: canvases.accuracy_and_storage({}, 10, 1), "accuracy must hold 1 to 5 lines"),
        (lambda: canvases.accuracy_and_storage(LINES, 10, 1, at=1.5), "at must be a sparsity"),
    ],
)
def test_bad_input_is_one_sentence(make, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence) as caught:
        make()
    assert "\n" not in str(caught.value)
