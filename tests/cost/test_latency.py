"""Latency: cases worked by hand, a queue walked request by request, the ridge by two roads, refusals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import PointwiseConv2D, latency, roofline

A100 = (312e12, 2e12)  # FP16 FLOP/s and bytes/s
positive = st.floats(1e-4, 1e4)


def test_sixteen_requests_in_eighty_milliseconds():
    assert latency.throughput_per_s(16, 0.08) == pytest.approx(200)
    assert latency.batch_for_throughput(10, 0.05, 0.08) == pytest.approx(16)
    assert latency.fill_time_s(16, 100) == pytest.approx(0.15)
    assert latency.batch_latency_s(16, 0.08, 100) == pytest.approx(0.23)
    assert latency.batch_latency_s(16, 0.08, 100, position=16) == pytest.approx(0.08)
    assert latency.mean_batch_latency_s(16, 0.08, 100) == pytest.approx(0.155)


def test_a_batch_of_one_never_waits():
    assert latency.batch_latency_s(1, 0.05, 3) == 0.05 == latency.mean_batch_latency_s(1, 0.05, 3)


def test_batches_that_cannot_keep_up_are_left_out():  # 48 + 2 B ms: 71 a second at B = 4, 200 at B = 16
    assert list(latency.first_waits_ms((1, 4, 16), 48, 2, 20)) == ["batch 1", "batch 4", "batch 16"]
    found = latency.first_waits_ms((1, 4, 16), 48, 2, 100)
    assert found == {"batch 16": pytest.approx({"filling": 150, "running": 80})}


@pytest.mark.parametrize("width, batch", [(2, 156), (1, 78), (0.5, 39)])
def test_batch_at_the_a100_ridge(width, batch):  # 2 B FLOP over b bytes a weight meets 156 FLOP/byte
    assert latency.batch_at_ridge(*A100, width) == pytest.approx(batch)
    assert latency.dense_intensity(batch, width) == pytest.approx(156)


def test_activations_ask_for_a_larger_batch():
    # 312 x 4096 / (2 x 4096 - 624) = 168.9, worked by hand
    assert latency.batch_at_ridge(*A100, 2, 4096, 4096) == pytest.approx(168.863, abs=0.001)
    assert latency.dense_intensity(256, 2, 4096, 4096) == pytest.approx(227.56, abs=0.01)
    assert latency.dense_intensity(1024, 2, 4096, 4096) == pytest.approx(682.67, abs=0.01)


def test_a_third_of_a_millisecond_is_ten_steps():  # 0.3 ms at 80 MHz, 2,304 weights
    assert latency.cycles_in(0.3e-3, 80e6) == pytest.approx(24_000)
    assert latency.whole_steps(24_000, 2304) == 10
    assert latency.compute_time_s(2304 * 128, 80e6) == pytest.approx(3.6864e-3)


def test_stated_rates_in_seconds():  # 30 M MAC at 60 M MAC/s; 200 M at 100 M; 7 G at 10 M
    assert latency.compute_time_s(30_000_000, 60e6) == 0.5
    assert latency.compute_time_s(200_000_000, 50e6, macs_per_cycle=2) == 2
    assert latency.compute_time_s(7_000_000_000, 10e6) == 700


def test_int4_tokens_of_seven_billion_weights():  # 3.5 GB at 2 TB/s
    assert latency.token_time_s(7_000_000_000, 4, 2e12) == pytest.approx(1.75e-3)


@given(st.integers(1, 20), positive, st.floats(0.01, 1))
def test_a_queue_walked_request_by_request(batch, batch_time_s, load):
    arrivals_per_s = load * latency.throughput_per_s(batch, batch_time_s)
    arrived = [i / arrivals_per_s for i in range(batch)]
    done = arrived[-1] + batch_time_s
    for position, at in enumerate(arrived, 1):
        taken = latency.batch_latency_s(batch, batch_time_s, arrivals_per_s, position)
        assert math.isclose(taken, done - at, rel_tol=1e-9)
    mean = sum(done - at for at in arrived) / batch
    assert math.isclose(latency.mean_batch_latency_s(batch, batch_time_s, arrivals_per_s), mean, rel_tol=1e-9)


@given(st.integers(1, 2000), st.integers(1, 512), st.integers(1, 512))
def test_intensity_is_that_of_the_layer(batch, n_in, n_out):
    layer = PointwiseConv2D(n_in, n_out, bias=False)
    expected = roofline.arithmetic_intensity(layer, (1, batch, n_in), bits=16)
    assert math.isclose(latency.dense_intensity(batch, 2, n_in, n_out), expected, rel_tol=1e-9)
    assert expected < latency.dense_intensity(batch, 2)


@given(st.floats(1, 500), st.integers(2000, 8192), st.integers(2000, 8192))
def test_the_batch_found_lies_on_the_ridge(ridge, n_in, n_out):
    batch = latency.batch_at_ridge(ridge * 1e9, 1e9, 2, n_in, n_out)
    assert math.isclose(latency.dense_intensity(batch, 2, n_in, n_out), ridge, rel_tol=1e-9)
    assert batch > latency.batch_at_ridge(ridge * 1e9, 1e9, 2)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: latency.batch_latency_s(16, 0.08, 201), "must not exceed the throughput of 200 per second"),
        (lambda: latency.batch_latency_s(4, 0.1, 1, 5), "position must lie in the batch of 4, got 5"),
        (lambda: latency.batch_at_ridge(*A100, 2, 300, 300), "keep this layer memory-bound at every batch"),
        (
            lambda: latency.dense_intensity(1, 2, 300),
            "n_in and n_out must be given together, got 300 and None",
        ),
        (lambda: latency.throughput_per_s(0, 1), "batch must lie between 1"),
        (lambda: latency.compute_time_s(1, 0), "clock_hz must be positive, got 0"),
        (lambda: latency.cycles_in(1, 10**400), "clock_hz must fit a float, got an integer of about 401"),
    ],
)
def test_refusals_are_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
