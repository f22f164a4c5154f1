"""Binary and ternary layers: hand-worked steps, packing by formats.bits, XNOR against float, learning."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.formats import bits
from tinylib.formats.qformat import QFormat
from tinylib.nets.arithmetic import FLOAT, FLOAT32, Fixed
from tinylib.nets.binary import BinaryDense, TernaryDense, pack, pack_signs, signs, unpack, xnor_matmul
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network
from tinylib.nets.optimizers import Adam
from tinylib.nets.train import train

Q8, Q16 = Fixed(QFormat(8, 8)), Fixed(QFormat(16, 16))
LAYERS = [BinaryDense, TernaryDense]
sizes = st.integers(1, 70)


def test_binary_step_by_hand():  # w = [.5, -.2, 2, 0], x = [-1, 3, .1, 0]: signs + - + + and - + + +
    layer = BinaryDense(np.array([[0.5], [-0.2], [2.0], [0.0]]), np.array([0.25]))
    y, tape = layer.forward(np.array([[-1, 3, 0.1, 0]]))
    assert y.tolist() == [[0.25 - 1 - 1 + 1 + 1]]
    dx, grads = layer.back(tape, np.array([[2.0]]))
    assert grads["w"].ravel().tolist() == [
        -2,
        2,
        0,
        2,
    ]  # |w| = 2 is out of reach of the straight-through slope
    assert dx.tolist() == [[2, -2, 2, 2]] and grads["b"].tolist() == [2]


def test_ternary_step_by_hand():  # mean |w| = 0.5, half of it 0.25: weights + 0 - +, and 0.25 itself counts
    layer = TernaryDense(np.array([[0.5], [-0.2], [-1.05], [0.25]]), np.array([1.0]), percent=50)
    assert layer.threshold().item() == 0.25
    y, tape = layer.forward(np.array([[0.5, 8, 2, -1]]))
    assert y.tolist() == [[1 + 0.5 - 2 - 1]]
    dx, grads = layer.back(tape, np.array([[2.0]]))
    assert grads["w"].ravel().tolist() == [1, 16, 4, -2]  # not clipped
    assert dx.tolist() == [[2, 0, -2, 2]]


@pytest.mark.parametrize("layer, scale", [(BinaryDense, 0.7), (TernaryDense, 1.0)])
def test_alpha_is_the_mean_magnitude_of_the_weights_in_use(layer, scale):  # of 1.0, -1.0 and 0.1
    net = layer(np.array([[1.0], [-1.0], [0.1]]), np.zeros(1), scaled=True)
    np.testing.assert_allclose(net.alpha(), [[scale]])
    np.testing.assert_allclose(net.forward(np.array([[2.0, -3.0, 0.0]]))[0][0, 0] / scale, (3, 5)[scale == 1])


@pytest.mark.parametrize("layer", LAYERS)
def test_scaled_gradient_is_straight_through_plus_the_slope_of_alpha(layer):
    """Small changes of w move no sign, so all that the output really does comes through alpha."""
    rng = np.random.default_rng(0)
    net = layer.draw(rng, 6, 3, scaled=True)
    x, d = rng.normal(size=(5, 6)), rng.normal(size=(5, 3))
    _, tape = net.forward(x)
    dx, grads = net.back(tape, d)
    d_alpha = net.alpha()[0] * d
    seen = signs(x) if layer is BinaryDense else x
    passed = abs(net.w) <= 1 if layer is BinaryDense else 1
    move, h = rng.normal(size=net.w.shape), 1e-6
    up, down = (net.with_arrays({"w": net.w + s * h * move}).forward(x)[0] for s in (1, -1))
    real = ((up - down) * d).sum() / (2 * h)
    straight = (seen.T @ d_alpha * passed * move).sum()
    np.testing.assert_allclose((grads["w"] * move).sum(), real + straight, rtol=1e-6)
    np.testing.assert_allclose(dx, d_alpha @ net.quantized().T)
    np.testing.assert_allclose(grads["b"], d.sum(0))


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("ops", [FLOAT, Q16], ids=["float", "Q16.16"])
def test_activation_is_that_of_a_dense_layer_with_the_quantized_weights(layer, ops):
    rng = np.random.default_rng(0)
    net = layer.draw(rng, 6, 3, ops=ops, activation="tanh")
    x, d = ops.number(rng.normal(size=(5, 6))), ops.number(rng.normal(size=(5, 3)))
    dense = Dense(net.quantized(ops) * ops.whole(1), net.b, "tanh")
    y, tape = net.forward(x, ops)
    want, dense_tape = dense.forward(signs(x) * ops.whole(1) if layer is BinaryDense else x, ops)
    np.testing.assert_array_equal(y, want)
    dx, grads = net.back(tape, d, ops)
    want_dx, want_grads = dense.back(dense_tape, d, ops)
    np.testing.assert_array_equal(dx, want_dx)
    np.testing.assert_array_equal(grads["b"], want_grads["b"])
    np.testing.assert_array_equal(grads["w"], want_grads["w"])  # all |w| <= 1: nothing is clipped


@given(n=sizes, m=sizes, seed=st.integers(0, 999), width=st.sampled_from([1, 2]))
def test_packing_is_that_of_formats_bits(n, m, seed, width):
    weights = np.random.default_rng(seed).integers(-1, 2, (n, m)) if width == 2 else None
    if weights is None:
        weights = 2 * np.random.default_rng(seed).integers(0, 2, (n, m)) - 1
    words = pack(weights, width)
    assert tuple(words.tolist()) == bits.pack(weights.T.ravel().tolist(), width)
    np.testing.assert_array_equal(unpack(words, n, m, width), weights)
    assert 0 <= words.nbytes - bits.packed_bytes(n * m, width) < 4  # whole words


@pytest.mark.parametrize("n, m, one, two", [(64, 16, 128, 256), (37, 3, 16, 28), (4, 2, 4, 4)])
def test_bytes_are_those_of_the_layer(n, m, one, two):  # 1,024 bits are 128 bytes; 111 bits 4 words
    for layer, nbytes in (BinaryDense, one), (TernaryDense, two):
        net = layer.draw(np.random.default_rng(0), n, m)
        assert net.packed().nbytes == net.layer.packed_bytes == nbytes
        assert net.count == net.layer.params == n * m + m


@given(n=st.integers(1, 200), m=st.integers(1, 20), batch=st.integers(1, 4), seed=st.integers(0, 999))
def test_xnor_popcount_equals_the_float_product(n, m, batch, seed):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(batch, n)), rng.normal(size=(n, m))
    dots = xnor_matmul(pack_signs(x), np.ascontiguousarray(pack_signs(w.T).T), n)
    np.testing.assert_array_equal(dots, signs(x) @ signs(w))


def test_xnor_product_of_many_words_needs_more_than_one_block():
    x = np.ones((1, 64 * 5000))
    planes = np.zeros((5000, 1), np.uint64)  # all weights -1: every bit differs
    assert xnor_matmul(pack_signs(x), planes, x.size).tolist() == [[-x.size]]


@pytest.mark.parametrize("ops", [FLOAT, FLOAT32, Q16], ids=["float", "float32", "Q16.16"])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("scaled", [False, True])
def test_packed_inference_equals_forward(layer, ops, scaled):
    rng = np.random.default_rng(1)
    net = layer.draw(rng, 100, 7, ops=ops, scaled=scaled, activation="relu")
    x = ops.number(rng.normal(size=(5, 100)))
    got, want = net.packed(ops).infer(x, ops), net.forward(x, ops)[0]
    assert got.dtype == want.dtype == net.w.dtype
    np.testing.assert_allclose(got, want, rtol=0 if ops is Q16 else 1e-6, atol=0 if ops is Q16 else 1e-5)


@given(seed=st.integers(0, 999))
def test_q_layers_equal_float_ones_on_the_same_numbers(seed):
    """Signs, products by -1, 0 and +1 and sums are exact: only the threshold may be rounded."""
    rng = np.random.default_rng(seed)
    x, d = Q16.number(rng.uniform(-2, 2, (3, 9))), Q16.number(rng.uniform(-1, 1, (3, 4)))
    net = BinaryDense(Q16.number(rng.uniform(-2, 2, (9, 4))), Q16.number(rng.uniform(-1, 1, 4)))
    y, tape = net.forward(x, Q16)
    real, back = net.mapped(Q16.values).forward(Q16.values(x))
    np.testing.assert_array_equal(Q16.values(y), real)
    dx, grads = net.back(tape, d, Q16)
    want_dx, want = net.mapped(Q16.values).back(back, Q16.values(d))
    np.testing.assert_array_equal(Q16.values(dx), want_dx)
    np.testing.assert_array_equal(Q16.values(grads["w"]), want["w"])


def test_ternary_mean_is_right_where_the_count_does_not_fit():
    """128 and 1,024 weights pass the integer part of Q8.8; half of them are small and must become 0."""
    for n, m in (16, 8), (64, 16):
        w = np.where(np.arange(n * m) % 2, 0.5, 0.0625).reshape(n, m)
        net = TernaryDense(Q8.number(w), np.zeros(m, np.int64), percent=50)
        assert Q8.values(net.threshold(Q8)).item() == 0.140625  # 0.28125 / 2
        assert net.quantized(Q8).sum() == n * m // 2


def test_a_dot_that_the_format_cannot_hold_follows_its_policy():  # 200 agreeing bits in Q8.8, -128..127.996
    w, x = np.ones((200, 1), np.int64), np.ones((1, 200), np.int64)
    net = BinaryDense(w, np.zeros(1, np.int64))
    for overflow, value in ("wrap", 200 - 256), ("saturate", QFormat(8, 8).max_value):
        ops = Fixed(QFormat(8, 8), overflow=overflow)
        assert ops.values(net.forward(x, ops)[0]).item() == value
        assert ops.values(net.packed(ops).infer(x, ops)).item() == value


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("scaled", [False, True])
def test_seeds_run_side_by_side(layer, scaled):
    rng = np.random.default_rng(3)
    many = layer.draw(rng, 5, 3, seeds=(4,), scaled=scaled)
    x, d = rng.normal(size=(6, 5)), rng.normal(size=(4, 6, 3))
    y, tape = many.forward(x)
    dx, grads = many.back(tape, d)
    for i in range(4):
        one = many.mapped(lambda a, i=i: a[i])
        want, tape = one.forward(x)
        want_dx, want_grads = one.back(tape, d[i])
        np.testing.assert_allclose(y[i], want)
        np.testing.assert_allclose(dx[i], want_dx)
        np.testing.assert_allclose(grads["w"][i], want_grads["w"])


@pytest.mark.parametrize("layer", LAYERS)
def test_time_steps_are_samples_for_seeds_too(layer):
    rng = np.random.default_rng(4)
    net = layer.draw(rng, 5, 3, seeds=(2,), scaled=True, activation="tanh")
    x, d = (rng.normal(size=(6, 2, 4, n)) for n in (5, 3))  # (time, seeds, batch, features)
    y, tape = net.forward(x)
    dx, grads = net.back(tape, d)
    for i in range(2):
        one = net.mapped(lambda a, i=i: a[i])
        want, tape_one = one.forward(x[:, i].reshape(24, 5))
        want_dx, want_grads = one.back(tape_one, d[:, i].reshape(24, 3))
        np.testing.assert_allclose(y[:, i].reshape(24, 3), want)
        np.testing.assert_allclose(dx[:, i].reshape(24, 5), want_dx)
        for name, g in net.grads(tape, d).items():
            np.testing.assert_array_equal(g, grads[name])
            np.testing.assert_allclose(g[i], want_grads[name])


def patterns(rng, n):
    """Two classes that no plane parts: each is a noisy pattern of 16 signs or its opposite."""
    kind = rng.integers(0, 4, n)
    pattern = signs(np.random.default_rng(5).normal(size=(2, 16)))
    pattern = np.stack((pattern[0], pattern[1], -pattern[0], -pattern[1]))
    return pattern[kind] + rng.normal(0, 0.6, (n, 16)), np.eye(2)[kind % 2]


@pytest.mark.parametrize("layer, bend", [(BinaryDense, "tanh"), (TernaryDense, "relu")])
def test_a_low_bit_net_learns_what_a_plane_cannot_part(layer, bend):
    rng = np.random.default_rng(0)
    x, t = patterns(rng, 800)
    hidden = layer.draw(rng, 16, 32, scaled=True, activation=bend)
    net = Network((hidden, layer.draw(rng, 32, 2, scaled=True)))
    net, _ = train(net, x, t, loss="cross_entropy", optimizer=Adam(0.01), epochs=20, batch_size=32, rng=rng)
    plane = Network((Dense.draw(rng, 16, 2),))
    plane, _ = train(
        plane, x, t, loss="cross_entropy", optimizer=Adam(0.01), epochs=20, batch_size=32, rng=rng
    )
    x, t = patterns(rng, 800)
    assert accuracy(plane, x, t) < 0.7 < 0.95 < accuracy(net, x, t)


def accuracy(net, x, t):
    return (net.predict(x).argmax(-1) == t.argmax(-1)).mean()


def test_errors_say_why():
    net = BinaryDense.draw(np.random.default_rng(0), 3, 2)
    with pytest.raises(ValueError, match=r"expects x \(\.\.\., batch, 3\), got shape \(1, 4\)"):
        net.forward(np.zeros((1, 4)))
    with pytest.raises(ValueError, match="w must be finite"):
        BinaryDense(np.full((2, 2), np.nan), np.zeros(2))
    with pytest.raises(ValueError, match=r"b must have the shape \(2,\)"):
        TernaryDense(np.zeros((3, 2)), np.zeros(3))
    with pytest.raises(ValueError, match="activation must be one of"):
        TernaryDense(np.zeros((3, 2)), np.zeros(2), activation="sign")
    with pytest.raises(ValueError, match="percent"):
        TernaryDense(np.zeros((3, 2)), np.zeros(2), percent=-1)
    with pytest.raises(ValueError, match="it has no sign"):
        net.packed().infer(np.array([[np.nan, 0, 0]]))
    with pytest.raises(ValueError, match="asked of one layer"):
        BinaryDense.draw(np.random.default_rng(0), 3, 2, seeds=(5,)).packed()
    with pytest.raises(ValueError, match="got 11"):
        unpack(np.array([3], np.uint32), 1, 1, 2)
    with pytest.raises(ValueError, match="do not fit into 1 words"):
        unpack(np.array([3], np.uint32), 40, 1)
    with pytest.raises(ValueError, match="must hold the whole number 1"):
        net.mapped(Fixed(QFormat(1, 7)).number).forward(np.zeros((1, 3), np.int64), Fixed(QFormat(1, 7)))
    assert np.isnan(net.forward(np.array([[np.nan, 0, 0]]))[0]).all()
