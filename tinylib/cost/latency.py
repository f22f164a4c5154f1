"""Latency and throughput: cycles from MACs, batches that wait to fill, and the batch that reaches the ridge.

    throughput = B / t_batch,   latency of request i = (B - i) / arrivals + t_batch,   i = 1 .. B
    intensity of a dense layer = 2 B n m / (b (n m + B n + B m))  <=  2 B / b    [FLOP/byte]

A batch serves more requests a second and lets each of them wait longer: the two are never one number.
Source: Williams, Waterman, Patterson, "Roofline", CACM 52(4), 2009, for the ridge; the rest is arithmetic.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

from tinylib.cost import roofline
from tinylib.cost.layers import amount, count
from tinylib.cost.memory import weight_bytes
from tinylib.units import shown


def throughput_per_s(batch: int, batch_time_s: float) -> float:
    """Requests finished per second [1/s] when batches follow one another without a pause."""
    return count("batch", batch) / amount("batch_time_s", batch_time_s)


def fill_time_s(batch: int, arrivals_per_s: float) -> float:
    """Time from the first to the last request of a batch [s]: B - 1 even gaps."""
    return (count("batch", batch) - 1) / amount("arrivals_per_s", arrivals_per_s)


def batch_latency_s(batch: int, batch_time_s: float, arrivals_per_s: float, position: int = 1) -> float:
    """Time from arrival to result [s] of the request at `position` (1 = first, waits longest).

    Arrivals are even and must not outrun the throughput, or the queue would grow without end.
    """
    if count("position", position) > count("batch", batch):
        raise ValueError(f"position must lie in the batch of {batch}, got {shown(position)}")
    capacity = throughput_per_s(batch, batch_time_s)
    if amount("arrivals_per_s", arrivals_per_s) > capacity * (1 + 1e-9):
        raise ValueError(
            f"arrivals_per_s must not exceed the throughput of {capacity:.6g} per second: "
            f"the queue would grow without end, got {shown(arrivals_per_s)}"
        )
    return (batch - position) / arrivals_per_s + batch_time_s


def mean_batch_latency_s(batch: int, batch_time_s: float, arrivals_per_s: float) -> float:
    """Mean over the requests of a batch [s]: half the time to fill, and the run itself."""
    first = batch_latency_s(batch, batch_time_s, arrivals_per_s, 1)
    return (first + batch_latency_s(batch, batch_time_s, arrivals_per_s, batch)) / 2


def first_waits_ms(
    batches: Sequence[int], start_ms: float, each_ms: float, arrivals_per_s: float
) -> dict[str, dict[str, float]]:
    """What the first request of a batch waits for, by batch: filling and running, each [ms].

    A run takes start_ms and each_ms more for every request. A batch slower than the arrivals is left out.
    """
    runs = {batch: start_ms + each_ms * count("batch", batch) for batch in batches}
    return {
        f"batch {batch}": {"filling": 1000 * fill_time_s(batch, arrivals_per_s), "running": run}
        for batch, run in runs.items()
        if 1000 * throughput_per_s(batch, run) >= arrivals_per_s
    }


def batch_for_throughput(factor: float, single_time_s: float, batch_time_s: float) -> float:
    """Batch that finishes `factor` times the requests of one by one [requests]; round it up."""
    slower = amount("batch_time_s", batch_time_s) / amount("single_time_s", single_time_s)
    return amount("factor", factor) * slower


def dense_intensity(
    batch: float, bytes_per_value: float, n_in: int | None = None, n_out: int | None = None
) -> float:
    """Arithmetic intensity of a dense layer on a batch [FLOP/byte].

    Without n_in and n_out only weights move, the upper bound 2 B / b; with them the inputs and outputs
    of the batch move as well, each once.
    """
    batch, width = amount("batch", batch), amount("bytes_per_value", bytes_per_value)
    if _sides(n_in, n_out) is None:
        return 2 * batch / width
    return 2 * batch * n_in * n_out / (width * (n_in * n_out + batch * (n_in + n_out)))


def batch_at_ridge(
    peak_flops_per_s: float,
    bandwidth_bytes_per_s: float,
    bytes_per_value: float = 2,
    n_in: int | None = None,
    n_out: int | None = None,
) -> float:
    """Batch where a dense layer meets the ridge [batch], as a real number: round it up.

    Weights alone: ridge x b / 2. With n_in and n_out the activations are counted; a layer so narrow that
    they keep it left of the ridge at every batch is refused.
    """
    ridge = roofline.ridge_point(peak_flops_per_s, bandwidth_bytes_per_s)
    batch = ridge * amount("bytes_per_value", bytes_per_value) / 2
    if _sides(n_in, n_out) is None:
        return batch
    room = n_in * n_out - batch * (n_in + n_out)
    if room <= 0:
        raise ValueError(
            f"n_in and n_out must be larger for a ridge of {ridge:.6g} FLOP/byte: activations keep this "
            f"layer memory-bound at every batch, got {n_in} and {n_out}"
        )
    return batch * n_in * n_out / room


def _sides(n_in: int | None, n_out: int | None) -> tuple[int, int] | None:
    if (n_in is None) != (n_out is None):
        raise ValueError(f"n_in and n_out must be given together, got {shown(n_in)} and {shown(n_out)}")
    return None if n_in is None else (count("n_in", n_in), count("n_out", n_out))


def compute_time_s(macs: int, clock_hz: float, macs_per_cycle: float = 1) -> float:
    """Least time for the multiply-accumulates alone [s]: no loads, no control, no memory waits."""
    rate = amount("clock_hz", clock_hz) * amount("macs_per_cycle", macs_per_cycle)
    return count("macs", macs, 0) / rate


def cycles_in(time_s: float, clock_hz: float) -> float:
    """Clock cycles that fit in a time [cycles]."""
    return amount("time_s", time_s, zero=True) * amount("clock_hz", clock_hz)


def whole_steps(cycles: int, macs_per_step: int, macs_per_cycle: float = 1) -> int:
    """Whole time steps of a recurrent cell in a number of cycles [steps]; every step uses every weight."""
    macs = count("cycles", cycles, 0) * Fraction(amount("macs_per_cycle", macs_per_cycle))
    return math.floor(macs / count("macs_per_step", macs_per_step))


def token_time_s(params: int, bits: int, bandwidth_bytes_per_s: float) -> float:
    """Least time per token at batch 1 [s]: every weight is read once, and memory decides."""
    return weight_bytes(params, bits) / amount("bandwidth_bytes_per_s", bandwidth_bytes_per_s)
