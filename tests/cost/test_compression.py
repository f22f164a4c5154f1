"""Compression: hand-worked bytes, gradients against finite differences, limits and refusals."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import Conv2D, DepthwiseConv2D, compression

logits = st.lists(st.floats(-5, 5), min_size=2, max_size=6)


def test_csr_with_and_without_row_pointers():  # 100,000 x 8 B, and 1,001 x 4 B for 1000 rows
    assert compression.csr_bytes(100_000) == 800_000
    assert compression.csr_bytes(100_000, rows=1000) == 804_004
    assert compression.csr_breakeven_density(1, 2) == pytest.approx(1 / 3)
    assert compression.csr_breakeven_sparsity(4, 4) == 0.5


def test_two_of_four_needs_two_bits_a_kept_value():  # 0.5 + 0.125 MB a million INT8 weights: 1.6x, not 2x
    assert compression.nm_bytes(1_000_000) == 625_000
    assert compression.nm_bytes(1_000_000, value_bits=16) == 1_125_000
    assert compression.nm_bytes(4) == 3 and compression.nm_bytes(5) == 5 and compression.nm_bytes(0) == 0


def test_codebook_with_its_table():  # 10,000 x 4 bit + 16 x 32 bit = 40,512 bit
    assert compression.codebook_bytes(10_000, 16) == 5064
    assert compression.codebook_ratio(10_000, 16) == pytest.approx(7.8989, abs=1e-4)
    assert compression.codebook_ratio(None, 16) == 8


def test_scales_per_tensor_channel_and_group():
    assert compression.scale_count(128, 1152) == 1
    assert compression.scale_count(128, 1152, "channel") == 128
    assert compression.scale_count(128, 1152, "group", 128) == 1152
    assert compression.scale_count(128, 1153, "group", 128) == 1280
    assert compression.scale_bytes(128) - compression.scale_bytes(1) == 508
    assert compression.scale_bytes(1152, 16, 4) == 2880


def test_half_of_the_channels_leaves_a_quarter_of_the_weights():
    layer = Conv2D(32, 64, kernel_size=3)
    small = replace(layer, in_channels=16, out_channels=32)
    assert small.params == 9 * 16 * 32 + 32
    assert small.weights / layer.weights == compression.channel_pruned_share(0.5, 0.5) == 0.25


def test_a_depthwise_layer_keeps_one_filter_per_channel():  # it is one side only: half the weights
    assert compression.sparsity(100, 30) == 0.7
    assert DepthwiseConv2D(16, 3).weights / DepthwiseConv2D(32, 3).weights == 0.5


def test_search_space_is_a_product():
    assert compression.search_space([7] * 14) == 678_223_072_849
    assert compression.search_space_log10([7] * 14) == pytest.approx(11.8314, abs=1e-4)


def test_published_softmax_values():  # 54.598 / 64.705, and 2.71828 / 5.65103
    assert compression.softmax([4, 2, 1])[0] == pytest.approx(0.84379, abs=1e-5)
    assert compression.softmax([4, 2, 1], temperature=4)[0] == pytest.approx(0.48102, abs=1e-5)


def test_gradient_of_latency_has_both_signs():
    mix, times = (0.6, 0.3, 0.1), (10, 5, 2)
    assert compression.expected_latency_ms(mix, times) == pytest.approx(7.7)
    assert compression.latency_gradient_ms(mix, times) == pytest.approx((1.38, -0.81, -0.57))


def test_a_faster_network_scores_above_its_accuracy():
    assert compression.mnasnet_reward(0.75, 60, 80) == pytest.approx(0.76526, abs=1e-5)
    assert compression.mnasnet_reward(0.75, 80, 80) == 0.75
    assert compression.mnasnet_reward(0.75, 160, 80) < 0.75


def test_distillation_terms():
    assert compression.kl((0.7, 0.3), (0.6, 0.4)) == pytest.approx(0.0216009, abs=1e-7)
    assert compression.distillation_loss(2.0, 0.4, 3, 0.7) == pytest.approx(3.12)
    assert compression.obd_saliency(-0.4, 5) == pytest.approx(0.4)
    assert compression.kl((0.5, 0.5), (1.0, 0.0)) == math.inf


@pytest.mark.parametrize("temperature", [20, 80])
def test_soft_gradients_shrink_by_the_square_of_a_high_temperature(temperature):
    teacher, student, step = [1.0, -0.5, -0.5], [0.2, 0.3, -0.5], 1e-4

    def loss(first: float) -> float:
        soft = compression.softmax(teacher, temperature)
        return compression.kl(soft, compression.softmax([first, *student[1:]], temperature))

    slope = (loss(student[0] + step) - loss(student[0] - step)) / (2 * step)
    limit = (student[0] - teacher[0]) / 3  # (z - v) / (C T^2) for centred logits, eq. 4
    assert slope * temperature**2 == pytest.approx(limit, rel=2 / temperature)


@given(logits, st.data())
def test_latency_gradient_agrees_with_differences(alpha, data):
    times = data.draw(st.lists(st.floats(1, 50), min_size=len(alpha), max_size=len(alpha)))
    slopes = compression.latency_gradient_ms(compression.softmax(alpha), times)
    assert math.isclose(sum(slopes), 0, abs_tol=1e-9)
    for k, slope in enumerate(slopes):
        moved = [compression.softmax([a + d * (i == k) for i, a in enumerate(alpha)]) for d in (1e-5, -1e-5)]
        up, down = (compression.expected_latency_ms(p, times) for p in moved)
        assert slope == pytest.approx((up - down) / 2e-5, abs=1e-5)


@given(logits, st.floats(-5, 5), st.floats(0.1, 100))
def test_softmax_ignores_a_common_shift_and_flattens(alpha, shift, temperature):
    soft = compression.softmax(alpha, temperature)
    assert math.isclose(sum(soft), 1)
    assert soft == pytest.approx(compression.softmax([a + shift for a in alpha], temperature))
    assert compression.softmax(alpha, 1e9) == pytest.approx([1 / len(alpha)] * len(alpha))


@given(logits, st.data())
def test_divergence_is_never_negative(alpha, data):
    beta = data.draw(st.lists(st.floats(-5, 5), min_size=len(alpha), max_size=len(alpha)))
    p, q = compression.softmax(alpha), compression.softmax(beta)
    assert compression.kl(p, q) >= -1e-12 and compression.kl(p, p) == 0


@given(st.integers(1, 10**6), st.sampled_from((1, 2, 4)), st.sampled_from((1, 2, 4)), st.floats(0, 1))
def test_break_even_divides_smaller_from_larger(weights, value, index, density):
    nonzero = int(weights * density)
    smaller = compression.csr_bytes(nonzero, value, index) < weights * value
    assert smaller == (nonzero * (value + index) < weights * value)
    if abs(nonzero / weights - compression.csr_breakeven_density(value, index)) > 1e-9:
        assert smaller == (nonzero / weights < compression.csr_breakeven_density(value, index))


@given(st.integers(0, 10**6), st.integers(1, 16), st.integers(1, 16))
def test_no_pattern_stores_more_positions_than_kept_values(weights, kept, group):
    kept = min(kept, group)
    bits = math.ceil(weights / group) * kept * (8 + math.ceil(math.log2(group)))
    assert 0 <= 8 * compression.nm_bytes(weights, kept, group) - bits < 8


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: compression.sparsity(10, 11), "nonzero must not exceed the 10 weights"),
        (lambda: compression.nm_bytes(8, 5, 4), "kept must not exceed the group of 4"),
        (lambda: compression.channel_pruned_share(1.5, 1), "kept_in must be a share"),
        (lambda: compression.codebook_ratio(None, 1), "entries must be at least 2"),
        (lambda: compression.scale_count(4, 9, "row"), "per must be tensor, channel or group"),
        (lambda: compression.scale_count(4, 9, "group"), "group_size must lie between 1"),
        (lambda: compression.softmax([1], 0), "temperature must be positive"),
        (lambda: compression.softmax([]), "logits must not be empty"),
        (lambda: compression.expected_latency_ms((0.5, 0.4), (1, 2)), "must add up to 1, got 0.9"),
        (lambda: compression.expected_latency_ms((1.0,), (1, 2)), "one entry per choice, got 1 and 2"),
        (lambda: compression.mnasnet_reward(75, 60, 80), "accuracy must be a share"),
    ],
)
def test_refusals_say_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()
