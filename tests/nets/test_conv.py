"""Convolution: sums by hand, gradients of torch, central differences, a scalar fixed-point twin, learning."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinylib.formats.qformat import OVERFLOWS, QFormat
from tinylib.nets import conv, pool
from tinylib.nets.arithmetic import FLOAT, FLOAT32, Fixed
from tinylib.nets.conv import Conv1D, Conv2D, DepthwiseConv2D, PointwiseConv2D
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network
from tinylib.nets.optimizers import SGD
from tinylib.nets.train import train
from tinylib.nets.windows import fitted

DATA = sorted((Path(__file__).parent / "data").glob("conv_*.json"))
Q16 = QFormat(16, 16)


def of(kind, **options):
    """A part of `conv` or `pool` by name; JSON has lists where records have tuples."""
    fixed = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    return getattr(conv if hasattr(conv, kind) else pool, kind)(**fixed)


# ---- worked by hand, and by torch


def test_edge_detector_by_hand():  # [1, -1] along the row: each pixel minus its right neighbour
    edge = Conv2D(np.array([1.0, -1.0]).reshape(1, 1, 2, 1), np.array([0.5]))
    image = np.array([[0.0, 0, 9, 9], [1, 2, 3, 4]]).reshape(1, 2, 4, 1)
    y, _ = edge.forward(image)
    np.testing.assert_array_equal(y[0, ..., 0], [[0.5, -8.5, 0.5], [-0.5, -0.5, -0.5]])


def test_same_margin_puts_the_odd_zero_behind():  # 5 samples, kernel 2: margin 0 before, 1 behind
    ones = Conv1D(np.ones((1, 2, 1)), np.zeros(1), padding="same")
    y, _ = ones.forward(np.arange(1.0, 6).reshape(1, 5, 1))
    np.testing.assert_array_equal(y.ravel(), [3, 5, 7, 9, 5])


@pytest.mark.parametrize("path", DATA, ids=lambda p: p.stem)
def test_values_and_gradients_of_torch(path):
    r = json.loads(path.read_text())
    arrays = {name: np.array(r[name]) for name in ("w", "b") if name in r}
    part = of(r["kind"], **arrays, **r["options"])
    y, tape = part.forward(np.array(r["x"]))
    np.testing.assert_allclose(y, r["y"], rtol=1e-12, atol=1e-12)
    dx, grads = part.back(tape, np.array(r["delta"]))
    np.testing.assert_allclose(dx, r["dx"], rtol=1e-12, atol=1e-12)
    assert set(grads) == set(arrays)
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, r[f"d{name}"], rtol=1e-12, atol=1e-12)


def test_kws_counts():  # 3x3 to 8, pool, depthwise 3x3, pointwise to 16, mean, 10 classes, worked by hand
    net = kws(np.random.default_rng(0))
    model = net.model((20, 20, 1))
    assert net.count == model.params == 80 + 80 + 144 + 170
    assert model.macs == 18 * 18 * 8 * 9 + 7 * 7 * 8 * 9 + 7 * 7 * 8 * 16 + 16 * 10
    assert net.predict(np.zeros((3, 20, 20, 1))).shape == (3, 10)


def kws(rng):
    return Network(
        (
            Conv2D.draw(rng, 1, 8, 3, "relu"),
            pool.MaxPool2D(2),
            DepthwiseConv2D.draw(rng, 8, 3, "relu"),
            PointwiseConv2D.draw(rng, 8, 16, "relu"),
            pool.GlobalAvgPool2D(),
            Dense.draw(rng, 16, 10),
        )
    )


# ---- limits and properties

PARTS = st.sampled_from(("Conv1D", "Conv2D", "DepthwiseConv2D", "PointwiseConv2D"))
PADDINGS = st.sampled_from(("valid", "same", 1))


def drawn(kind, seed, padding, stride, activation="linear", ops=FLOAT):
    """A small random part, its layer and an input that fits."""
    rng = np.random.default_rng(seed)
    c, window = int(rng.integers(1, 4)), {"padding": padding, "stride": stride}
    if kind == "Conv1D":
        part, shape = Conv1D.draw(rng, c, 2, 3, activation, ops, **window), (2, int(rng.integers(3, 7)), c)
    elif kind == "Conv2D":
        part = Conv2D.draw(rng, c, 2, (2, 3), activation, ops, **window)
        shape = (2, *rng.integers(3, 7, 2), c)
    elif kind == "DepthwiseConv2D":
        part = DepthwiseConv2D.draw(
            rng, c, (3, 2), activation, ops, multiplier=int(rng.integers(1, 3)), **window
        )
        shape = (2, *rng.integers(3, 7, 2), c)
    else:
        part = PointwiseConv2D.draw(rng, c, 3, activation, ops, stride=stride)
        shape = (2, *rng.integers(1, 5, 2), c)
    part = part.with_arrays({"b": ops.number(rng.normal(size=part.b.shape))})
    return part, ops.number(rng.normal(size=tuple(int(n) for n in shape)))


@settings(max_examples=40, deadline=None)
@given(PARTS, st.integers(0, 999), PADDINGS, st.integers(1, 2), st.sampled_from(("linear", "tanh", "silu")))
def test_back_is_the_slope_of_forward(kind, seed, padding, stride, activation):
    part, x = drawn(kind, seed, padding, stride, activation)
    rng = np.random.default_rng(seed + 1)
    y, tape = part.forward(x)
    delta = rng.normal(size=y.shape)
    dx, grads = part.back(tape, delta)
    way = {name: rng.normal(size=a.shape) for name, a in (*part.arrays.items(), ("x", x))}

    def moved(step):
        there = part.with_arrays({name: a + step * way[name] for name, a in part.arrays.items()})
        return (delta * there.forward(x + step * way["x"])[0]).sum()

    slope = (moved(1e-5) - moved(-1e-5)) / 2e-5
    np.testing.assert_allclose(
        sum((g * way[n]).sum() for n, g in (*grads.items(), ("x", dx))), slope, rtol=1e-6
    )


@given(PARTS, st.integers(0, 999), PADDINGS, st.integers(1, 2))
def test_counts_and_shapes_are_those_of_the_layer(kind, seed, padding, stride):
    part, x = drawn(kind, seed, padding, stride)
    y, _ = part.forward(x)
    assert part.count == part.layer.params and y.shape == (2, *part.layer.out_shape(x.shape[1:]))


def test_pointwise_is_a_dense_layer_on_each_pixel():
    rng = np.random.default_rng(0)
    part, x = PointwiseConv2D.draw(rng, 3, 4, "tanh"), rng.normal(size=(2, 3, 5, 3))
    dense = Dense(part.w[:, 0, 0].T, part.b, "tanh")
    np.testing.assert_allclose(part.forward(x)[0], dense.forward(x)[0], rtol=1e-12)


def test_depthwise_is_a_convolution_with_zeros_between_channels():
    rng = np.random.default_rng(0)
    part = DepthwiseConv2D.draw(rng, 3, 3, padding="same", multiplier=2)
    w = np.zeros((6, 3, 3, 3))
    for c, m in product(range(3), range(2)):
        w[2 * c + m, :, :, c] = part.w[:, :, c, m]
    x = rng.normal(size=(2, 5, 4, 3))
    full = Conv2D(w, part.b, padding="same")
    np.testing.assert_allclose(part.forward(x)[0], full.forward(x)[0], atol=1e-12)


def test_float32_stays_float32():
    part, x = drawn("Conv2D", 0, "same", 1, ops=FLOAT32)
    y, tape = part.forward(x, FLOAT32)
    dx, grads = part.back(tape, y, FLOAT32)
    assert {a.dtype for a in (y, dx, *grads.values())} == {np.dtype(np.float32)}


# ---- fixed point: a second, scalar road


def scalar(part, x, q, rounding, overflow):
    """One sample in Python integers: the sum of rounded products, fitted, plus the bias."""
    g = fitted(part.layer, x[None])
    depthwise = isinstance(part, DepthwiseConv2D)
    w = np.moveaxis(part.w.reshape(*part.w.shape[:2], -1), -1, 0)[..., None] if depthwise else part.w
    y = np.zeros(g.out, np.int64)
    for *place, c in np.ndindex(*g.out):
        total = 0
        channels = [c // part.w.shape[3]] if depthwise else range(x.shape[-1])
        for tap in np.ndindex(*g.kernel):
            at = [o * s + t * d - m for o, s, t, d, m in zip(place, g.stride, tap, g.dilation, g.before)]
            if all(0 <= i < n for i, n in zip(at, g.sizes)):
                pairs = ((x[*at, channel], w[c, *tap, i]) for i, channel in enumerate(channels))
                total += sum(q.mul(int(a), int(b), rounding, overflow) for a, b in pairs)
        y[*place, c] = q.add(q.fit(total, overflow), int(part.b[c]), overflow)
    return y


@settings(max_examples=25, deadline=None)
@given(PARTS, st.integers(0, 99), PADDINGS, st.sampled_from(("floor", "nearest")), st.sampled_from(OVERFLOWS))
def test_fixed_point_equals_scalar_integers(kind, seed, padding, rounding, overflow):
    ops = Fixed(QFormat(4, 6), rounding, overflow)  # narrow: sums pass the ends
    part, x = drawn(kind, seed, padding, 1, ops=ops)
    x = np.clip(4 * x, ops.q.min_raw, ops.q.max_raw)
    y, _ = part.forward(x, ops)
    np.testing.assert_array_equal(y[0], scalar(part, x[0], ops.q, rounding, overflow))


@pytest.mark.parametrize("kind", ["Conv1D", "Conv2D", "DepthwiseConv2D", "PointwiseConv2D"])
@pytest.mark.parametrize("accumulation", ["per_product", "wide"])
def test_fixed_point_follows_floating_point(kind, accumulation):
    ops = Fixed(Q16, "nearest", "saturate", accumulation)
    part, x = drawn(kind, 3, "same", 1, "tanh")
    y, tape = part.forward(x)
    codes, kept = part.mapped(ops.number).forward(ops.number(x), ops)
    np.testing.assert_allclose(ops.values(codes), y, atol=3e-3)  # the table of tanh
    dx, grads = part.back(tape, y)
    dx_codes, grad_codes = part.mapped(ops.number).back(kept, ops.number(y), ops)
    for got, want in ((dx_codes, dx), *((grad_codes[n], g) for n, g in grads.items())):
        np.testing.assert_allclose(ops.values(got), want, atol=0.05)


def test_wide_formats_use_python_integers():
    ops = Fixed(QFormat(32, 32), "nearest")
    part, x = drawn("Conv2D", 1, "same", 2)
    y, tape = part.mapped(ops.number).forward(ops.number(x), ops)
    assert y.dtype == object
    np.testing.assert_allclose(ops.values(y), part.forward(x)[0], atol=1e-7)
    dx, _ = part.mapped(ops.number).back(tape, y, ops)
    assert dx.shape == x.shape


# ---- learning


def bars(rng, count):
    """8x8 images of noise with one bright bar; class 1 where it lies down (count, 8, 8, 1), (count, 2)."""
    x, label = rng.normal(0, 0.3, (count, 8, 8, 1)), rng.integers(0, 2, count)
    for image, lies in zip(x, label):
        at = int(rng.integers(0, 8))
        image[(at, slice(None)) if lies else (slice(None), at)] += 1.0
    return x, np.eye(2)[label]


def trained(rng, ops=FLOAT):
    """A network of 234 parameters before and after it saw 512 bars."""
    parts = (Conv2D.draw(rng, 1, 8, 3, "relu"), pool.MaxPool2D(2), pool.Flatten(), Dense.draw(rng, 72, 2))
    net = Network(parts).mapped(ops.number)
    return net, train(net, *bars(rng, 512), "cross_entropy", SGD(0.25), ops, 20, 16, rng, batch_axis=0)[0]


@pytest.mark.parametrize("ops", [FLOAT, Fixed(Q16, "nearest", "saturate", "wide")], ids=["float", "Q16.16"])
def test_a_small_network_learns_where_a_bar_lies(ops):
    rng = np.random.default_rng(0)
    seen, wanted = bars(rng, 200)
    before, after = (
        (net.predict(seen, ops).argmax(1) == wanted.argmax(1)).mean() for net in trained(rng, ops)
    )
    assert before < 0.8 and after > 0.97


# ---- errors


def test_shapes_that_do_not_fit_are_refused():
    part = Conv2D(np.zeros((4, 3, 3, 2)), np.zeros(4))
    with pytest.raises(ValueError, match=r"expects 2 input channels, got shape \(8, 8, 3\)"):
        part.forward(np.zeros((1, 8, 8, 3)))
    with pytest.raises(
        ValueError, match=r"expects x \(batch, height, width, channels\), got shape \(8, 8, 2\)"
    ):
        part.forward(np.zeros((8, 8, 2)))
    with pytest.raises(ValueError, match="needs an input as large as its kernel"):
        part.forward(np.zeros((1, 2, 2, 2)))
    with pytest.raises(ValueError, match=r"b must have the shape \(4,\), got \(3,\)"):
        Conv2D(np.zeros((4, 3, 3, 2)), np.zeros(3))
    with pytest.raises(ValueError, match=r"w must be filters \(c_out, k, c_in\), got shape \(3, 3\)"):
        Conv1D(np.zeros((3, 3)), np.zeros(3))
    with pytest.raises(ValueError, match=r"w of a pointwise layer must be \(c_out, 1, 1, c_in\), got shape"):
        PointwiseConv2D(np.zeros((4, 3, 3, 2)), np.zeros(4))


def test_nan_weights_and_unknown_activations_are_refused():
    with pytest.raises(ValueError, match="w must be finite"):
        DepthwiseConv2D(np.full((3, 3, 2, 1), np.nan), np.zeros(2))
    with pytest.raises(ValueError, match=r"activation must be one of linear, relu, .*, got 'swish'"):
        Conv2D(np.zeros((1, 1, 1, 1)), np.zeros(1), activation="swish")
