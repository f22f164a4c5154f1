"""KAN: autograd values kept as data, splines of known shape, two roads to one curve, learning in Q."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.formats.qformat import QFormat
from tinylib.nets.arithmetic import FLOAT, FLOAT32, Fixed
from tinylib.nets.kan import KAN, knots, pieces, spline, spline_slope
from tinylib.nets.network import Network
from tinylib.nets.optimizers import SGD, Adam
from tinylib.nets.train import train

DATA = sorted((Path(__file__).parent / "data").glob("kan_*.json"))
Q = Fixed(QFormat(16, 16))


@pytest.mark.parametrize("path", DATA, ids=lambda p: p.stem)
def test_values_and_gradients_match_autograd(path):  # benchmarks/reference/kan.py
    case = json.loads(path.read_text())
    parts = [{name: np.array(a) for name, a in arrays.items()} for arrays in case["layers"]]
    net = Network(tuple(KAN(**arrays, grid=case["grid"], degree=case["degree"]) for arrays in parts))
    y, tape = net.forward(np.array(case["x"]))
    dx, grads = net.back(tape, np.array(case["delta"]))
    np.testing.assert_allclose(y, case["y"], atol=1e-12)
    np.testing.assert_allclose(dx, case["dx"], atol=1e-12)
    for got, want in zip(grads, case["grads"], strict=True):
        assert got.keys() == want.keys()
        for name, g in got.items():
            np.testing.assert_allclose(g, want[name], atol=1e-12, err_msg=name)


def test_autograd_data_is_there():
    assert [p.stem for p in DATA] == ["kan_cubic", "kan_linear", "kan_square"]


def test_cubic_pieces_are_the_textbook_matrix():  # de Boor, chapter X: (1-u)^3, 3u^3-6u^2+4, ..., u^3, over 6
    want = [[1, -3, 3, -1], [4, 0, -6, 3], [1, 3, 3, -3], [0, 0, 0, 1]]
    np.testing.assert_allclose(6 * pieces(3), want, atol=1e-12)
    np.testing.assert_array_equal(pieces(1), [[1, -1], [0, 1]])


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
def test_pieces_sum_to_one_everywhere(degree):
    np.testing.assert_allclose(pieces(degree).sum(0), [1] + [0] * degree, atol=1e-12)


def test_q8_knots_by_hand():  # 2.0 / 5.0 in Q8.8: 512 * 256 // 1280 = 102, added one by one from -256
    at = knots(5, 1, Fixed(QFormat(8, 8)))
    assert at.tolist() == [-358, -256, -154, -52, 50, 152, 254, 356]


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_coefficients_on_a_line_make_a_line_inside_and_outside(degree):
    """Greville abscissae as coefficients give f(x) = x: splines reproduce lines, and so do their ends."""
    at = knots(6, degree)
    middle = np.array([at[m + 1 : m + degree + 1].mean() for m in range(6 + degree)])
    line = KAN(middle[None, :, None], np.zeros((1, 1)), np.ones((1, 1)), 6, degree)
    x = np.linspace(-4, 4, 201)[:, None]
    y, tape = line.forward(x)
    np.testing.assert_allclose(y, x, atol=1e-12)
    np.testing.assert_allclose(line.back(tape, np.ones_like(y))[0], 1, atol=1e-11)


@given(seed=st.integers(0, 9999), grid=st.integers(1, 8), degree=st.integers(1, 4))
def test_both_roads_agree_inside_and_outside_the_grid(seed, grid, degree):
    rng = np.random.default_rng(seed)
    net = KAN.draw(rng, 2, 3, grid, degree)
    x = rng.uniform(-1.8, 1.8, (20, 2))
    y, tape = net.forward(x)
    at, c = knots(grid, degree), np.swapaxes(net.coefficients, -1, -2)
    base = net.w_base * FLOAT.apply("silu", x)[..., None]
    curve = spline(c, x[..., None], at, degree)
    np.testing.assert_allclose(y, (base + net.w_spline * curve).sum(1), rtol=1e-9, atol=1e-9)
    d = rng.normal(size=(20, 3))
    steep = spline_slope(c, x[..., None], at, degree)
    slope = net.w_base * FLOAT.slope("silu", x, x)[..., None] + net.w_spline * steep
    np.testing.assert_allclose(net.back(tape, d)[0], (slope * d[:, None]).sum(-1), rtol=1e-8, atol=1e-8)


@given(seed=st.integers(0, 9999))
def test_gradients_match_central_differences(seed):
    rng = np.random.default_rng(seed)
    net, x, d = KAN.draw(rng, 3, 2, 4, 3), rng.uniform(-1.5, 1.5, (5, 3)), rng.normal(size=(5, 2))
    dx, grads = net.back(net.forward(x)[1], d)

    def score(p, x):
        return (p.forward(x)[0] * d).sum()

    step = 1e-6
    for name, g in {**grads, "x": dx}.items():
        a = x if name == "x" else net.arrays[name]
        move = rng.normal(size=a.shape)
        if name == "x":
            change = score(net, x + step * move) - score(net, x - step * move)
        else:
            up, down = (net.with_arrays({name: a + s * step * move}) for s in (1, -1))
            change = score(up, x) - score(down, x)
        np.testing.assert_allclose(change / (2 * step), (g * move).sum(), rtol=1e-5, atol=1e-6)


@given(seed=st.integers(0, 999), degree=st.integers(1, 3))
def test_fixed_point_follows_float_to_its_resolution(seed, degree):
    rng = np.random.default_rng(seed)
    fixed = KAN.draw(rng, 3, 2, 5, degree, ops=Q)
    x, d = Q.number(rng.uniform(-1.2, 1.2, (4, 3))), Q.number(rng.uniform(-1, 1, (4, 2)))
    y, tape = fixed.forward(x, Q)
    dx, grads = fixed.back(tape, d, Q)
    real = fixed.mapped(Q.values)
    want, tape = real.forward(Q.values(x))
    want_dx, want_grads = real.back(tape, Q.values(d))
    tables = 0.01  # SiLU reads a table: its curve is straight between nodes 1/8 apart
    np.testing.assert_allclose(Q.values(y), want, atol=tables)
    if degree > 1:  # the slope of a polygon jumps at its knots
        np.testing.assert_allclose(Q.values(dx), want_dx, atol=tables)
    for name, g in grads.items():
        np.testing.assert_allclose(Q.values(g), want_grads[name], atol=tables, err_msg=name)


@pytest.mark.parametrize("ops", [FLOAT, Q], ids=["float", "Q16.16"])
def test_seeds_run_side_by_side(ops):
    rng = np.random.default_rng(3)
    nets = [KAN.draw(rng, 2, 3, ops=ops) for _ in range(4)]
    many = nets[0].with_arrays({n: np.stack([k.arrays[n] for k in nets]) for n in nets[0].arrays})
    x, d = ops.number(rng.uniform(-1, 1, (5, 2))), ops.number(rng.uniform(-1, 1, (4, 5, 3)))
    y, tape = many.forward(x, ops)
    dx, grads = many.back(tape, d, ops)
    assert many.seeds == (4,) and y.shape == (4, 5, 3)
    for i, one in enumerate(nets):
        want, tape = one.forward(x, ops)
        want_dx, want_grads = one.back(tape, d[i], ops)
        for got, wanted in [(y[i], want), (dx[i], want_dx), *((grads[n][i], want_grads[n]) for n in grads)]:
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("ops", [FLOAT, Q], ids=["float", "Q16.16"])
def test_time_steps_are_samples_for_seeds_too(ops):
    rng = np.random.default_rng(4)
    net = KAN.draw(rng, 2, 3, ops=ops, seeds=(2,))
    x, d = (ops.number(rng.uniform(-1, 1, (6, 2, 4, n))) for n in (2, 3))  # (time, seeds, batch, features)
    y, tape = net.forward(x, ops)
    dx, grads = net.back(tape, d, ops)
    for i in range(2):
        one = net.mapped(lambda a, i=i: a[i])
        want, tape_one = one.forward(x[:, i].reshape(24, 2), ops)
        want_dx, want_grads = one.back(tape_one, d[:, i].reshape(24, 3), ops)
        np.testing.assert_allclose(y[:, i].reshape(24, 3), want)
        np.testing.assert_allclose(dx[:, i].reshape(24, 2), want_dx)
        for name, g in net.grads(tape, d, ops).items():
            np.testing.assert_array_equal(g, grads[name])
            np.testing.assert_allclose(g[i], want_grads[name], atol=1e-13)


def test_float32_stays_float32():
    net = KAN.draw(np.random.default_rng(0), 2, 3, ops=FLOAT32)
    y, tape = net.forward(np.zeros((4, 2), np.float32), FLOAT32)
    dx, grads = net.back(tape, y, FLOAT32)
    assert {a.dtype for a in (y, dx, *grads.values())} == {np.dtype(np.float32)}


def test_whole_numbers_are_numbers_too():
    net, x = KAN.draw(np.random.default_rng(0), 2, 1), np.array([[0, 1], [-1, 3]])
    np.testing.assert_array_equal(net.forward(x)[0], net.forward(x.astype(float))[0])


def test_nan_input_comes_out_as_nan_of_its_own_sample():
    net = KAN.draw(np.random.default_rng(0), 2, 1)
    y = net.forward(np.array([[np.nan, 0], [0, 0]]))[0]
    assert np.isnan(y[0]).all() and np.isfinite(y[1]).all()


@pytest.mark.parametrize("grid, degree", [(5, 3), (3, 1)])
def test_count_is_that_of_the_layer(grid, degree):
    net = KAN.draw(np.random.default_rng(0), 4, 3, grid, degree)
    assert net.count == net.layer.params == 12 * (grid + degree + 2)
    assert Network((net,)).model((4,)).params == net.count


def test_learns_a_product_that_no_sum_of_curves_can_hold():  # y = sin(pi x1) x2
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (512, 2))
    y = np.sin(np.pi * x[:, :1]) * x[:, 1:]
    net = Network((KAN.draw(rng, 2, 5), KAN.draw(rng, 5, 1)))
    net, _ = train(net, x, y, optimizer=Adam(0.02), epochs=60, batch_size=32, rng=rng)
    fresh = rng.uniform(-1, 1, (512, 2))
    error = net.predict(fresh) - np.sin(np.pi * fresh[:, :1]) * fresh[:, 1:]
    assert np.sqrt((error**2).mean()) < 0.05 < 0.3 < y.std()


def test_learns_xor_in_q16_at_a_small_rate():
    rng = np.random.default_rng(2)
    net = Network((KAN.draw(rng, 2, 3, 5, 1, ops=Q), KAN.draw(rng, 3, 1, 5, 1, ops=Q)))
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([[0], [1], [1], [0.0]])
    optimizer = SGD(0.03, momentum=0.5, acceleration=0.0625)
    net, history = train(net, x, y, optimizer=optimizer, ops=Q, epochs=300)
    assert (abs(net.predict(x, Q) - y) < 0.2).all() and history.loss[-1] < 0.1 * history.loss[0]


def test_errors_say_why():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"coefficients must have the shape \(2, 8, 3\)"):
        KAN(np.zeros((2, 7, 3)), np.zeros((2, 3)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"w_spline must have the leading axes \(2,\)"):
        KAN(np.zeros((2, 1, 8, 1)), np.zeros((2, 1, 1)), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="must be finite"):
        KAN(np.full((1, 8, 1), np.nan), np.zeros((1, 1)), np.zeros((1, 1)))
    with pytest.raises(ValueError, match=r"expects x \(\.\.\., batch, 2\), got shape \(4, 3\)"):
        KAN.draw(rng, 2, 1).forward(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="degree"):
        KAN.draw(rng, 2, 1, degree=0)
    with pytest.raises(ValueError, match="must hold the whole number 2"):
        knots(5, 3, Fixed(QFormat(2, 14)))
    with pytest.raises(ValueError, match=r"knots of 2 cells and degree 4 must rise: Q3\.13"):
        knots(2, 4, Fixed(QFormat(3, 13)))
