"""Fixed-point arrays: every operation equals the scalar rules word for word; floats equal closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.formats import lut
from tinylib.formats.qformat import OVERFLOWS, ROUNDINGS, QFormat, shift
from tinylib.nets import fixed
from tinylib.nets.arithmetic import ACTIVATIONS, FLOAT, FLOAT32, Fixed

Q8_8, Q16_16 = QFormat(8, 8), QFormat(16, 16)
FORMATS = [
    *(QFormat(i, f) for i, f in ((1, 7), (8, 8), (4, 12), (16, 16), (24, 8), (1, 31), (32, 0), (20, 4))),
    *(QFormat(i, f) for i, f in ((20, 20), (32, 32), (1, 63))),
    *(QFormat(i, f, False) for i, f in ((8, 8), (1, 7), (0, 16), (15, 16), (16, 16), (32, 32))),
]
policies = st.tuples(st.sampled_from(ROUNDINGS), st.sampled_from(OVERFLOWS))


def codes(rng, q, shape):
    """Random and extreme codes of a format, in the type its arrays have."""
    drawn = [rng.randint(q.min_raw, q.max_raw) for _ in range(math.prod(shape))]
    ends = (q.min_raw, q.max_raw, 0, 1, q.min_raw + 1, q.max_raw - 1, min(q.one, q.max_raw))
    for i in range(0, len(drawn), 3):
        drawn[i] = rng.choice(ends)
    return np.array(drawn, dtype=object).reshape(shape).astype(Fixed(q).dtype)


def each(rule, *arrays):
    """A scalar rule at every place of arrays."""
    return [rule(*map(int, row)) for row in zip(*(np.broadcast_to(a, arrays[0].shape).flat for a in arrays))]


@given(st.sampled_from(FORMATS), policies, st.randoms(use_true_random=False))
def test_operations_equal_the_scalar_rules(q, policy, rng):
    rounding, overflow = policy
    ops = Fixed(q, rounding, overflow)
    a, b = codes(rng, q, (4, 5)), codes(rng, q, (4, 5))
    before = a.copy(), b.copy()
    assert ops.add(a, b).ravel().tolist() == each(lambda x, y: q.add(x, y, overflow), a, b)
    assert ops.sub(a, b).ravel().tolist() == each(lambda x, y: q.sub(x, y, overflow), a, b)
    assert ops.mul(a, b).ravel().tolist() == each(lambda x, y: q.mul(x, y, rounding, overflow), a, b)
    d = np.where(b == 0, 1, b)
    assert ops.div(a, d).ravel().tolist() == each(lambda x, y: q.div(x, y, "toward_zero", overflow), a, d)
    assert ops.sqrt(a).ravel().tolist() == each(lambda x: lut.square_root(x, q), a)
    assert np.array_equal(a, before[0]) and np.array_equal(b, before[1])  # nothing is changed in place
    assert {ops.add(a, b).dtype, ops.mul(a, b).dtype, ops.div(a, d).dtype} == {np.dtype(ops.dtype)}


@given(st.sampled_from(FORMATS), policies, st.randoms(use_true_random=False))
def test_formats_serve_the_same_arrays(q, policy, rng):
    rounding, overflow = policy
    a, b = codes(rng, q, (30,)), codes(rng, q, (30,))
    ops = Fixed(q, rounding, overflow)
    assert np.array_equal(q.add(a, b, overflow), ops.add(a, b))
    assert np.array_equal(q.sub(a, b, overflow), ops.sub(a, b))
    assert np.array_equal(q.mul(a, b, rounding, overflow), ops.mul(a, b))
    quotients = each(lambda x, y: q.div(x, y, rounding, overflow, "saturate"), a, b)
    assert q.div(a, b, rounding, overflow, "saturate").tolist() == quotients
    for to in (Q8_8, QFormat(32, 32), QFormat(2, 6, False)):
        moved = q.convert(a, to, rounding, overflow)
        assert moved.tolist() == each(lambda x: q.convert(x, to, rounding, overflow), a)  # noqa: B023
    assert q.to_word(a).tolist() == each(q.to_word, a)
    assert q.to_value(a).tolist() == each(q.to_value, a)


@given(st.sampled_from(FORMATS), policies, st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=30))
def test_real_arrays_become_the_codes_of_their_numbers(q, policy, numbers):
    rounding, overflow = policy
    found = q.to_raw(np.array(numbers), rounding, overflow)
    assert found.tolist() == [q.to_raw(x, rounding, overflow) for x in numbers]
    assert Fixed(q).number(numbers).tolist() == [q.to_raw(x) for x in numbers]


@pytest.mark.parametrize("q", [Q8_8, Q16_16, QFormat(15, 16, False)], ids=str)
@pytest.mark.parametrize("rounding, overflow", [("floor", "wrap"), ("nearest", "saturate")])
def test_long_arrays_go_by_blocks_with_the_same_result(q, rounding, overflow):
    ops, rng = Fixed(q, rounding, overflow), np.random.default_rng(1)
    n = 2 * fixed.BLOCK + 17
    a, b = (rng.integers(q.min_raw, q.max_raw, n, endpoint=True) for _ in range(2))
    parts = [slice(i, i + 1000) for i in range(0, n, 1000)]  # below the size of a block and of a slow call
    b[b == 0] = 1
    for rule in ops.mul, ops.add, ops.sub, ops.div:
        assert np.array_equal(rule(a, b), np.concatenate([rule(a[p], b[p]) for p in parts]))
    assert np.array_equal(ops.mul(a, b)[::997], q.mul(a[::997], b[::997], rounding, overflow))
    assert np.array_equal(ops.mul(a[::2], b[::2]), ops.mul(a, b)[::2])  # neither is contiguous
    assert np.array_equal(ops.mul(a, int(b[0])), ops.mul(a, np.full_like(a, b[0])))
    square = a[: 300 * 300].reshape(300, 300)
    assert np.array_equal(ops.mul(square, square[:1]), ops.mul(square, np.repeat(square[:1], 300, axis=0)))


def test_numbers_and_narrow_words_are_operands_too():
    ops = Fixed(Q8_8, "nearest", "saturate")
    assert ops.mul(300, 300) == Q8_8.mul(300, 300) and ops.add(32767, 5) == 32767 and ops.div(-1, 512) == 0
    small = np.array([20_000, -20_000], dtype=np.int16)  # the product would wrap in 16 bits
    assert ops.mul(small, small).tolist() == [32767, 32767]
    wide, narrow = Fixed(Q16_16), np.array([[200_000, -70_000, 9]], dtype=np.int32)
    codes64 = narrow.astype(np.int64)
    for rule in wide.sqrt, wide.exp, wide.fit, lambda x: wide.dot(x, x.T), lambda x: wide.outer(x, x):
        assert np.array_equal(rule(narrow), rule(codes64))


@pytest.mark.parametrize("operation", ["add", "mul", "div", "dot", "outer"])
def test_real_numbers_are_no_codes(operation):
    with pytest.raises(TypeError, match=r"codes of Q8.8 must be integers: `number` makes them, got float64"):
        getattr(Fixed(Q8_8), operation)(np.ones((2, 2)), np.ones((2, 2)))


@pytest.mark.parametrize("operation", ["sqrt", "exp", "fit"])
def test_a_real_number_is_no_code(operation):
    with pytest.raises(TypeError, match=r"codes of Q8.8 must be integers: `number` makes them, got float64"):
        getattr(Fixed(Q8_8), operation)(np.ones((2, 2)))


@given(st.sampled_from(FORMATS[:9]), policies, st.randoms(use_true_random=False), st.sampled_from((1, 3, 9)))
def test_dot_rounds_every_product(q, policy, rng, outputs):  # 9 outputs of 32 rows are added term by term
    ops = Fixed(q, *policy)
    x, w = codes(rng, q, (2, 32 if outputs == 9 else 3, 4)), codes(rng, q, (2, 4, outputs))
    found = ops.dot(x, w)
    for s, i, j in np.ndindex(found.shape):
        terms = [int(x[s, i, k]) * int(w[s, k, j]) for k in range(4)]
        rounded = [shift(t, q.frac_bits, ops.rounding) for t in terms]
        if ops.overflow == "saturate":
            rounded = [q.fit(t) for t in rounded]
        assert found[s, i, j] == q.fit(sum(rounded), ops.overflow)
    if outputs == 3:
        assert np.array_equal(ops.outer(x, found), ops.dot(np.swapaxes(x, -1, -2), found))


@given(st.sampled_from(FORMATS[:5] + FORMATS[8:9]), policies, st.randoms(use_true_random=False))
def test_wide_dot_rounds_once(q, policy, rng):
    ops = Fixed(q, *policy, accumulation="wide")
    x, w = codes(rng, q, (3, 5)) // 4, codes(rng, q, (5, 4)) // 4  # five products within the accumulator
    sums = x.astype(object) @ w.astype(object)
    exact = [q.fit(shift(int(s), q.frac_bits, ops.rounding), ops.overflow) for s in sums.flat]
    assert ops.dot(x, w).ravel().tolist() == exact


def test_rounding_each_product_is_another_rule():  # -1/2 code a term on average
    rng = np.random.default_rng(0)
    x, w = rng.integers(-5000, 5000, (50, 64)), rng.integers(-500, 500, (64, 20))
    each_one, once = Fixed(Q8_8).dot(x, w), Fixed(Q8_8, accumulation="wide").dot(x, w)
    gap = (once - each_one + 2**15) % 2**16 - 2**15  # modulo the word
    assert (gap > 0).mean() > 0.99 and gap.mean() == pytest.approx(32, rel=0.05)


@pytest.mark.parametrize(
    "q", [Q8_8, Q16_16, QFormat(4, 12), QFormat(6, 3), QFormat(8, 24), QFormat(24, 40)], ids=str
)
@pytest.mark.parametrize("function", ["tanh", "sigmoid", "exp", "log"])
def test_table_reading_equals_the_scalar_one(q, function):  # directly, by segments, and in Python integers
    ops, nodes = Fixed(q), lut.table(function, q)
    near = [lut.FIRST * q.one + (i << q.frac_bits - 3) + d for i in range(98) for d in (-1, 0, 1, 2)]
    x = [
        q.min_raw,
        q.max_raw,
        *near,
        *range(-300, 300, 7),
        *nodes,
        *np.random.default_rng(0).integers(-9 * q.one, 9 * q.one, 300),
    ]
    x = np.array([q.fit(int(v)) for v in x], dtype=ops.dtype)
    assert ops.read(function, x).tolist() == [lut.read(nodes, int(v), q) for v in x]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_fixed_activations_and_slopes_follow_the_real_ones(name):
    ops, x = Fixed(Q16_16, "nearest", "saturate"), np.linspace(-4, 4, 201)
    z = ops.number(x)
    y, real = ops.apply(name, z), FLOAT.apply(name, x)
    assert np.abs(ops.values(y) - real).max() < 0.02
    assert np.abs(ops.values(ops.slope(name, z, y)) - FLOAT.slope(name, x, real)).max() < 0.03


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_are_derivatives(name):  # central differences, away from the corner of relu
    x, h = np.linspace(-3, 3, 60), 1e-6
    numeric = (FLOAT.apply(name, x + h) - FLOAT.apply(name, x - h)) / (2 * h)
    assert np.allclose(FLOAT.slope(name, x, FLOAT.apply(name, x)), numeric, atol=1e-8)


def test_softmax_shares():
    x = np.array([[0.5, -1.0, 2.0], [700.0, 710.0, 0.0]])
    shares = FLOAT.softmax(x)
    assert np.allclose(shares.sum(axis=-1), 1) and shares[1, 1] == pytest.approx(1 / (1 + math.exp(-10)))
    ops = Fixed(Q16_16)
    close = ops.values(ops.softmax(ops.number(x[:1])))
    assert np.abs(close - shares[:1]).max() < 1e-3


def test_softmax_of_a_sum_that_wraps_to_zero_is_left_alone():  # 2^16 of 1.0 in Q16.16 are 0
    ops = Fixed(Q16_16)
    one = ops.softmax(np.zeros(2**16, dtype=np.int64))
    assert (one == ops.one).all()


def test_float_dtypes():
    assert FLOAT32.number([0.1]).dtype == np.float32 and FLOAT32.zeros((2,)).dtype == np.float32
    assert FLOAT.apply("sigmoid", np.array([-1000.0, 0.0, 1000.0])).tolist() == [0.0, 0.5, 1.0]


def test_whole_numbers_and_constants():
    ops = Fixed(Q8_8)
    assert (ops.whole(3), ops.one, ops.zeros((2,)).tolist()) == (768, 256, [0, 0])
    assert ops.values(ops.number(np.array([[0.5, -1.25]]))).tolist() == [[0.5, -1.25]]
    assert ops.number(1.5) == 384


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Fixed(Q8_8, "up"), "rounding must be one of floor, nearest, toward_zero, got 'up'"),
        (lambda: Fixed(Q8_8, overflow="clip"), "overflow must be one of wrap, saturate, got 'clip'"),
        (lambda: Fixed(Q8_8, accumulation="long"), "accumulation must be one of per_product, wide"),
        (lambda: Fixed(Q8_8).number([1.0, math.nan]), "values must be finite"),
        (lambda: Fixed(Q8_8).number(math.inf), "values must be finite"),
        (lambda: Fixed(Q8_8).whole(128), "Q8.8 must hold the whole number 128: it ends at 127.996"),
        (lambda: Fixed(Q8_8).div(np.array([1, 2]), np.array([1, 0])), "divisor must not be 0"),
        (lambda: Q8_8.div(np.array([1, 2]), np.array([1, 0])), "divisor must not be 0"),
        (lambda: Q8_8.add(np.array([1, 40_000]), 1), r"raw must lie in -32768\.\.32767 for Q8.8, got 40000"),
        (
            lambda: Fixed(QFormat(2, 14)).apply("tanh", np.array([1])),
            "needs a signed Q4.3 or more, got Q2.14",
        ),
        (lambda: Fixed(Q8_8).apply("swish", np.array([1])), "activation must be one of linear, relu"),
        (lambda: FLOAT.slope("swish", np.ones(1), np.ones(1)), "activation must be one of linear, relu"),
    ],
)
def test_errors_say_what_and_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_arrays_of_floats_are_no_codes():
    with pytest.raises(TypeError, match=r"raw must hold integer codes of Q8\.8, got an array of float64"):
        Q8_8.add(np.ones(2), np.ones(2))
