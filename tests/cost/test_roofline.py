"""Roofline: ridges from data sheets, limits of a matrix product, and refused arguments."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import Add, DepthwiseConv2D, PointwiseConv2D, roofline

positive = st.floats(1e-3, 1e15)


@pytest.mark.parametrize(
    "peak, bandwidth, ridge",
    [(312e12, 2e12, 156), (312e12, 1.555e12, 200.6), (19.5e12, 2.039e12, 9.6), (125e12, 0.9e12, 138.9)],
)
def test_ridges_of_gpus(peak, bandwidth, ridge):  # NVIDIA A100 FP16 and FP32, V100 data sheets
    assert roofline.ridge_point(peak, bandwidth) == pytest.approx(ridge, abs=0.06)


def test_intensity_of_a_matrix_product():  # 2 B d^2 / (2 (d^2 + 2 B d)) at FP16, B = 1024, d = 4096
    product = PointwiseConv2D(4096, 4096, bias=False)
    assert roofline.arithmetic_intensity(product, (1, 1024, 4096), bits=16) == pytest.approx(682.67, abs=0.01)
    assert roofline.arithmetic_intensity(product, (1, 1, 4096), bits=16) == pytest.approx(1, abs=0.001)


def test_intensity_of_a_depthwise_layer():  # 9 MAC for one element in and one out: 18 / 8 bytes in FP32
    layer = DepthwiseConv2D(64, 3, padding="same", bias=False)
    assert roofline.arithmetic_intensity(layer, (112, 112, 64), bits=32) == pytest.approx(2.25, rel=0.001)


def test_layers_without_macs_have_intensity_zero():
    assert roofline.arithmetic_intensity(Add(), (4, 4, 2), (4, 4, 2)) == 0
    assert roofline.traffic_bytes(Add(), (4, 4, 2), (4, 4, 2), bits=4) == 48


@given(positive, positive, positive)
def test_regime_and_roof_agree(intensity, peak, bandwidth):
    rate = roofline.attainable_flops_per_s(intensity, peak, bandwidth)
    assert rate <= peak and rate <= intensity * bandwidth
    if roofline.regime(intensity, peak, bandwidth) == "memory-bound":
        assert math.isclose(rate, intensity * bandwidth, rel_tol=1e-9)
    else:
        assert math.isclose(rate, peak, rel_tol=1e-9)


@given(positive, positive, positive, positive)
def test_time_is_work_over_the_attainable_rate(flops, traffic, peak, bandwidth):
    rate = roofline.attainable_flops_per_s(flops / traffic, peak, bandwidth)
    assert math.isclose(
        roofline.time_lower_bound_s(flops, traffic, peak, bandwidth), flops / rate, rel_tol=1e-9
    )


def test_the_ridge_itself_is_compute_bound():
    assert roofline.regime(156, 312e12, 2e12) == "compute-bound"
    assert roofline.regime(155.9, 312e12, 2e12) == "memory-bound"


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf, 10**400])
def test_rates_must_be_positive_and_finite(bad):
    with pytest.raises(ValueError, match="bandwidth_bytes_per_s must"):
        roofline.ridge_point(1e9, bad)


@pytest.mark.parametrize("bad", [None, "1e9", True, [1], 1j])
def test_rates_must_be_numbers(bad):
    with pytest.raises(TypeError, match="peak_flops_per_s must be a number"):
        roofline.ridge_point(bad, 1e9)


def test_overflow_and_wrong_layers_are_one_sentence():
    with pytest.raises(ValueError, match="ridge point must be finite"):
        roofline.ridge_point(1e300, 1e-300)
    with pytest.raises(TypeError, match=r"layer must be one of tinylib\.cost\.layers, got 3"):
        roofline.arithmetic_intensity(3, (1,))
