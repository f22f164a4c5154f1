"""int8 CfC: a second road in plain integers, closeness to the float cell, tables, errors.

Equality with the reference library is held by the reference vectors (`tests/golden.py`).
"""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinylib.formats.affine import Affine, requantize
from tinylib.nets.cfc import CfC
from tinylib.nets.int8_cfc import Int8CfC, quantized
from tinylib.nets.scan import scan


def cell(seed, n=2, m=3, k=4, dt=1.0):
    rng = np.random.default_rng(seed)
    made = CfC.draw(rng, n, m, k, dt=dt)
    return made.with_arrays({"b": rng.normal(0, 0.2, k), "b_heads": rng.normal(0, 0.2, 4 * m)})


def waves(seed, n=2, time=40, batch=5):
    rng = np.random.default_rng(seed)
    t = np.arange(time)[:, None, None] / 6
    return np.sin(t * rng.uniform(0.5, 2, (batch, n)) + rng.uniform(0, 6, (batch, n)))


def looped(part, x, h):
    """One step of one sequence, in Python integers, the tables worked out by math."""

    def scaled(acc, name):
        raw, shift = part.multipliers[name]
        return requantize(int(acc), raw, shift, 0, "double")

    def held(v):
        return min(max(v, -128), 127)

    def away(v):
        return math.copysign(math.floor(abs(v) + 0.5), v)

    def tanh(v):
        return held(int(away(128 * math.tanh(part.sums.scale * held(v)))))

    def sigmoid(v):
        return held(int(away(256 / (1 + math.exp(-part.sums.scale * held(v))))) - 128)

    m, k = len(part.w_rec), len(part.w_heads)
    x = [int(v) - part.source.zero_point for v in x]
    q = []
    for c in range(k):
        a = sum(v * int(w) for v, w in zip(x, part.w_in[:, c]))
        b = sum(int(v) * int(w) for v, w in zip(h, part.w_rec[:, c]))
        q.append(tanh(scaled(a, "input") + scaled(b, "state") + int(part.b[c])))
    sums = [sum(v * int(w) for v, w in zip(q, part.w_heads[:, c])) for c in range(4 * m)]
    made = []
    for i in range(m):
        f = tanh(scaled(sums[i], "f") + int(part.b_heads[i]))
        g = tanh(scaled(sums[m + i], "g") + int(part.b_heads[m + i]))
        t = scaled(sums[2 * m + i], "a") + scaled(sums[3 * m + i], "e") + int(part.b_heads[2 * m + i])
        t = sigmoid(t)
        made.append(min(max(scaled((128 - t) * f, "gate") + scaled((t + 128) * g, "gate"), -127), 127))
    return made


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 999), st.integers(1, 4), st.integers(1, 5), st.integers(1, 6), st.sampled_from((0.25, 1.0))
)
def test_steps_equal_plain_integers(seed, n, m, k, dt):
    part = quantized(cell(seed, n, m, k, dt), waves(seed, n))
    rng = np.random.default_rng(seed)
    x, h = (rng.integers(-128, 128, (6, w)).astype(np.int8) for w in (n, m))
    got = part.step(x, np.maximum(h, -127))
    assert got.dtype == np.int8
    assert got.tolist() == [looped(part, a, b) for a, b in zip(x, np.maximum(h, -127))]


@pytest.mark.parametrize("dt", [0.5, 1.0])
def test_it_follows_the_float_cell(dt):
    exact = cell(1, m=8, k=16, dt=dt)
    part = quantized(exact, waves(0))
    seen = waves(1)
    want, got = scan(exact, seen)[0], part.predict(seen)
    assert got.shape == want.shape == (40, 5, 8)
    assert np.abs(got - want).max() < 0.06 and (got - want).std() < 0.05 * want.std()


def test_bytes_and_counts_by_hand():  # 2 inputs, 3 neurons, 4 features: 8 + 12 + 48 weights, 4 + 9 biases
    part = quantized(cell(0), waves(0))
    assert part.weight_bytes == 68 + 4 * 13
    assert part.layer == cell(0).layer
    assert [t.table.size for t in part.tables] == [256, 256]
    assert part.b_heads.shape == (9,) and part.w_heads.shape == (4, 12)


def test_a_state_at_rest_stays_at_zero():
    still = cell(0).with_arrays({name: np.zeros_like(a) for name, a in cell(0).arrays.items()})
    part = Int8CfC.of(still, Affine(0.01), Affine(1 / 127, narrow=True), Affine(0.02, narrow=True))
    assert (part.forward(np.full((5, 2, 2), 100, np.int8)) == 0).all()


def test_the_state_does_not_reach_minus_128():
    part = quantized(cell(3), waves(3))
    hs = part.forward(np.random.default_rng(0).integers(-128, 128, (200, 4, 2)).astype(np.int8))
    assert hs.min() >= -127


def test_what_has_no_int8_form_is_refused():
    codes = Affine(0.01), Affine(0.01), Affine(0.02)
    with pytest.raises(ValueError, match="cell must have tanh and a gate, got scaled_tanh in mode default"):
        Int8CfC.of(replace(cell(0), activation="scaled_tanh"), *codes)
    with pytest.raises(ValueError, match="state and sums must have the zero point 0"):
        Int8CfC.of(cell(0), codes[0], Affine(0.01, 3), codes[2])
    part = quantized(cell(0), waves(0))
    with pytest.raises(ValueError, match=r"xs must be codes \(time, batch, 2\), got shape \(5, 2\)"):
        part.forward(np.zeros((5, 2), np.int8))
