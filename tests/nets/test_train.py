"""The training loop: one step by hand, batches, dead zone, stopping, independence of seeds, errors."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinylib.formats.qformat import QFormat
from tinylib.nets import one_net
from tinylib.nets.arithmetic import FLOAT, FLOAT32, Fixed
from tinylib.nets.dense import Dense
from tinylib.nets.losses import one_hot
from tinylib.nets.network import Network, mlp
from tinylib.nets.optimizers import SGD, Adam, RMSprop
from tinylib.nets.progress import bar
from tinylib.nets.sweep import sweep
from tinylib.nets.train import train

Q16 = Fixed(QFormat(16, 16))
Q8 = Fixed(QFormat(8, 8), "nearest", "saturate")
X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
XOR = np.array([[0.0], [1], [1], [0]])


def line(w=0.0, b=0.0):
    """y = w x + b."""
    return Network((Dense(np.array([[w]]), np.array([b])),))


def arrays(net):
    return [a for part in net.arrays for a in part.values()]


def assert_same(net, other):
    for a, b in zip(arrays(net), arrays(other), strict=True):
        np.testing.assert_array_equal(a, b)


def data(seed=0, n=12):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 2))
    return x, (x[:, :1] * x[:, 1:] > 0).astype(float)


def test_two_samples_by_hand():  # e = 1 - 0: w, b = .5; then e = 0 - (.5*2 + .5) = -1.5: w -= 1.5, b -= .75
    net, history = train(line(), [[1.0], [2.0]], [[1.0], [0.0]], optimizer=SGD(0.5), keep_steps=True)
    assert [a.item() for a in arrays(net)] == [0.5 - 1.5, 0.5 - 0.75]
    assert history.steps == [1.0, 2.25]
    assert history.loss == [(1 + 2.25) / 2]
    assert history.updates == 2


def test_a_batch_is_the_mean_gradient_at_the_same_weights():  # e = 1 and 0: dw = (1*1 + 2*0)/2, db = (1+0)/2
    net, history = train(line(), [[1.0], [2.0]], [[1.0], [0.0]], optimizer=SGD(0.5), batch_size=2)
    assert [a.item() for a in arrays(net)] == [0.25, 0.25]
    assert (history.loss, history.updates) == ([0.5], 1)


def test_a_short_last_batch_is_a_mean_of_its_own_samples():
    together, _ = train(
        line(), [[1.0], [2.0], [3.0]], [[1.0], [0.0], [2.0]], optimizer=SGD(0.1), batch_size=2
    )
    first, _ = train(line(), [[1.0], [2.0]], [[1.0], [0.0]], optimizer=SGD(0.1), batch_size=2)
    then, _ = train(first, [[3.0]], [[2.0]], optimizer=SGD(0.1))
    assert_same(together, then)


def test_a_straight_line_is_found():
    x = np.linspace(-1, 1, 9)[:, None]
    net, history = train(line(), x, 3 * x - 0.5, optimizer=SGD(0.2), epochs=60)
    np.testing.assert_allclose([a.item() for a in arrays(net)], [3, -0.5], atol=1e-6)
    assert history.loss[-1] < 1e-12 < history.loss[0]


@pytest.mark.parametrize("ops", [FLOAT, FLOAT32, Q16])
@pytest.mark.parametrize(
    "optimizer", [SGD(0.5, momentum=0.5), Adam(0.05), RMSprop(0.02), SGD(1.0, decay=0.9, decay_every=200)]
)
def test_every_optimizer_learns_xor(ops, optimizer):
    net = mlp((2, 4, 1), rng=np.random.default_rng(1), ops=ops, limit=1.0)
    net, history = train(net, X, XOR, optimizer=optimizer, ops=ops, epochs=500, rng=np.random.default_rng(0))
    assert np.array_equal(net.predict(X, ops) > 0.5, XOR > 0.5)
    assert history.loss[-1] < 0.05 < history.loss[0]


@pytest.mark.parametrize("ops", [FLOAT, Q16])
def test_a_classifier_moves_toward_its_target(ops):
    x, target = data(1, 40)
    labels = one_hot(target[:, 0].astype(int), 2)
    net = mlp((2, 8, 2), output="linear", rng=np.random.default_rng(2), ops=ops)
    net, history = train(net, x, labels, "cross_entropy", SGD(0.3), ops, 80, 4, np.random.default_rng(3))
    assert np.mean(net.predict(x, ops).argmax(-1) == labels.argmax(-1)) > 0.9
    assert history.loss[-1] < 0.5 * history.loss[0]


def test_the_dead_zone_skips_samples_that_are_right():
    inside = train(line(1.0), [[1.0]], [[1.05]], dead_zone=0.01)  # 0.05^2 < 0.01
    assert inside[1].updates == 0
    assert_same(inside[0], line(1.0))
    outside = train(line(1.0), [[1.0]], [[1.2]], dead_zone=0.01)
    assert outside[1].updates == 1
    mixed, history = train(
        line(1.0), [[1.0], [2.0]], [[1.05], [2.4]], optimizer=SGD(0.5), dead_zone=0.01, batch_size=2
    )
    np.testing.assert_allclose([a.item() for a in arrays(mixed)], [1 + 0.5 * 0.8 / 2, 0.5 * 0.4 / 2])
    assert history.updates == 1


@pytest.mark.parametrize("dead_zone", [0.0, 2**-7])
@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("ops", [Q16, Q8])
def test_networks_trained_together_are_those_trained_alone(ops, batch_size, dead_zone):
    x, target = data(3)
    nets = mlp((2, 3, 1), rng=np.random.default_rng(4), ops=ops, limit=1.0, seeds=(5,))
    options = {"optimizer": SGD(0.5, momentum=0.25), "ops": ops, "epochs": 3, "batch_size": batch_size}
    options |= {"dead_zone": dead_zone}
    together, history = train(nets, x, target, rng=np.random.default_rng(5), **options)
    for s in range(5):
        alone, one = train(nets.at(s), x, target, rng=np.random.default_rng(5), **options)
        assert_same(together.at(s), alone)
        np.testing.assert_array_equal([loss[s] for loss in history.loss], one.loss)
        assert history.updates[s] == one.updates


def test_the_same_seed_gives_the_same_network_and_no_rng_keeps_the_order():
    x, target = data()
    net = mlp((2, 3, 1), rng=np.random.default_rng(1))
    runs = [train(net, x, target, epochs=3, rng=np.random.default_rng(s))[0] for s in (1, 1, 2)]
    assert_same(runs[0], runs[1])
    assert not np.array_equal(arrays(runs[0])[0], arrays(runs[2])[0])
    reordered, _ = train(net, x[::-1], target[::-1])
    assert not np.array_equal(arrays(reordered)[0], arrays(train(net, x, target)[0])[0])


def test_training_goes_on_where_it_stopped():
    x, target = data()
    net, optimizer = mlp((2, 3, 1), rng=np.random.default_rng(1)), Adam(0.01)
    whole, _ = train(net, x, target, optimizer=optimizer, epochs=4)
    half, history = train(net, x, target, optimizer=optimizer, epochs=2)
    rest, after = train(half, x, target, optimizer=optimizer, epochs=2, resume=history)
    assert_same(whole, rest)
    assert (len(history.loss), len(after.loss)) == (2, 4)


def test_patience_returns_the_best_network_and_stops():  # a rate too high: the loss falls first, then grows
    x = np.array([[1.0]])
    net, history = train(
        line(), x, [[1.0]], optimizer=SGD(0.1), epochs=100, patience=3, validation=(x, [[0.5]])
    )
    assert len(history.loss) == history.best_epoch + 1 + 3 < 100
    assert history.validation[history.best_epoch] == min(history.validation)
    held = (net.predict(x).item() - 0.5) ** 2
    np.testing.assert_allclose(held, min(history.validation))


def test_the_loss_of_a_sequence_is_the_mean_over_samples_and_time():  # errors 1, 2 and 3, 4 of y = 0
    x, target = np.zeros((2, 2, 1)), np.array([[[1.0], [2.0]], [[3.0], [4.0]]])
    net, history = train(line(), x, target, optimizer=SGD(0.5), batch_size=2)
    assert history.loss == [(1 + 4 + 9 + 16) / 4]
    assert net.parts[0].b.item() == 0.5 * (1 + 2 + 3 + 4) / 2  # summed over time, a mean over samples


def test_images_have_their_samples_first():
    rng = np.random.default_rng(0)
    seen = []

    class Flat:
        layer, arrays = None, {}

        def forward(self, x, ops=FLOAT):
            seen.append(x.shape)
            return x.reshape(len(x), -1), x.shape

        def back(self, tape, delta, ops=FLOAT):
            return delta.reshape(tape), {}

        def with_arrays(self, arrays):
            return self

    net = Network((Flat(), Dense.draw(rng, 8, 1)))
    train(net, rng.normal(size=(6, 2, 2, 2)), rng.normal(size=(6, 1)), batch_size=4, batch_axis=0)
    assert seen == [(4, 2, 2, 2), (2, 2, 2, 2)]


@pytest.mark.parametrize(
    "change, words",
    [
        ({"xs": np.zeros((0, 2)), "targets": np.zeros((0, 1))}, "training needs at least one sample"),
        ({"targets": XOR[:3]}, "xs and targets must hold the same samples, got 4 and 3"),
        ({"targets": np.zeros((4, 2))}, r"targets must have the shape of the output, \(1, 1\), got \(1, 2\)"),
        ({"xs": np.zeros((4, 3))}, r"expects x \(..., batch, 2\), got shape \(1, 3\)"),
        ({"xs": np.zeros(4)}, "xs and targets must have a sample and a feature axis"),
        ({"xs": X + np.nan}, "values must be finite"),
        ({"epochs": 0}, "epochs must be a whole number from 1, got 0"),
        ({"batch_size": 2.5}, "batch_size must be a whole number from 1, got 2.5"),
        ({"loss": "hinge"}, "loss must be a function or one of"),
        ({"optimizer": "lion"}, "optimizer must be an Optimizer or one of"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(change, words):
    with pytest.raises(ValueError, match=words):
        train(**{"net": mlp((2, 3, 1)), "xs": X, "targets": XOR} | change)


@pytest.mark.parametrize("validation", [(X,), 5, X])
def test_validation_is_a_pair(validation):
    with pytest.raises(TypeError, match=r"validation must be a pair \(xs, targets\) or None, got"):
        train(mlp((2, 3, 1)), X, XOR, validation=validation)


def test_divergence_is_reported_with_its_epoch():
    x = np.array([[10.0]])
    with pytest.raises(
        ValueError, match=r"training diverged: loss is NaN at epoch [0-9]+; lower the learning"
    ):
        train(line(1.0), x, [[1.0]], optimizer=SGD(1e200), epochs=9)


def test_a_mean_over_too_many_samples_for_the_format_is_refused():
    x = np.zeros((200, 2))
    with pytest.raises(ValueError, match=r"Q8\.8 must hold the whole number 200"):
        train(mlp((2, 1), ops=Q8), x, x[:, :1], ops=Q8, batch_size=200)


# ---- one network in integers


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    q=st.sampled_from([(16, 16), (8, 8), (4, 12), (5, 4), (8, 24), (24, 8)]),
    rounding=st.sampled_from(["floor", "nearest", "toward_zero"]),
    overflow=st.sampled_from(["wrap", "saturate"]),
    accumulation=st.sampled_from(["per_product", "wide"]),
    bends=st.lists(st.sampled_from(["tanh", "sigmoid", "relu", "linear"]), min_size=1, max_size=3),
    memory=st.sampled_from([(0.0, 0.0), (0.5, 0.0), (0.5, 0.25)]),
    size=st.sampled_from([0.5, 4.0, 200.0]),
    dead_zone=st.sampled_from([0.0, 0.05]),
)
def test_integers_alone_are_the_network_word_for_word(
    seed, q, rounding, overflow, accumulation, bends, memory, size, dead_zone
):
    rng = np.random.default_rng(seed)
    ops = Fixed(QFormat(*q), rounding, overflow, accumulation)
    widths = rng.integers(1, 4, len(bends) + 1).tolist()
    net = Network(tuple(Dense.draw(rng, n, m, f, ops, size) for n, m, f in zip(widths, widths[1:], bends)))
    xs, targets = rng.normal(size=(6, widths[0])) * size, rng.normal(size=(6, widths[-1])) * size
    optimizer = SGD(0.5, momentum=memory[0], acceleration=memory[1])
    options = {"optimizer": optimizer, "ops": ops, "epochs": 2, "dead_zone": dead_zone, "keep_steps": True}
    fast, seen = one_net.train(net, xs, targets, rng=np.random.default_rng(1), **options)
    slow, want = train(net, xs, targets, rng=np.random.default_rng(1), **options)
    assert_same(fast, slow)
    assert (seen.steps, seen.updates) == (want.steps, want.updates)
    np.testing.assert_allclose(seen.loss, want.loss, rtol=1e-12)
    np.testing.assert_array_equal(one_net.predict(fast, xs, ops), slow.predict(xs, ops))


@pytest.mark.parametrize(
    "call, words",
    [
        (
            lambda n: one_net.train(n, X, XOR, Adam(), Q16),
            "optimizer must be SGD with momentum and acceleration",
        ),
        (lambda n: one_net.train(n, X, XOR, SGD(clip=0.1), Q16), "optimizer must be SGD with momentum"),
        (
            lambda n: one_net.train(mlp((2, 1), output="elu", ops=Q16), X, XOR),
            "each part must be one Dense with",
        ),
        (lambda n: one_net.train(n, X[:, :1], XOR), r"xs and targets must fit the sizes \(2, 3, 1\)"),
        (lambda n: one_net.train(mlp((2, 900, 1), ops=Q16), X, XOR), "must have at most 2,000 weights"),
        (lambda n: one_net.predict(n, X[0], Q16), r"xs must have the shape \(samples, 2\), got \(2,\)"),
    ],
)
def test_a_network_that_integers_cannot_unroll_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call(mlp((2, 3, 1), ops=Q16))


def test_integers_need_fixed_point():
    with pytest.raises(TypeError, match="one network in integers needs Fixed arithmetic, got Float"):
        one_net.train(mlp((2, 3, 1)), X, XOR, ops=FLOAT)


# ---- sweeps and bars


def root(x):
    if x < 0:
        raise ValueError(f"x must not be negative, got {x}")
    return x**0.5


def test_a_sweep_keeps_the_order_in_one_process_and_in_two():
    want = [x**0.5 for x in range(7)]
    assert sweep(root, range(7)) == sweep(root, range(7), jobs=2) == want


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_in_a_sweep_is_raised_where_it_was_started(jobs):
    with pytest.raises(ValueError, match="x must not be negative, got -1"):
        sweep(root, [4, -1, 9], jobs=jobs)


def test_a_sweep_says_what_it_needs():
    with pytest.raises(ValueError, match="jobs must be a whole number from 1, got 0"):
        sweep(root, [1], jobs=0)


def test_a_sweep_runs_on_a_cluster():
    cluster_of = pytest.importorskip("distributed").LocalCluster
    with cluster_of(n_workers=1, processes=False, dashboard_address=None) as cluster:
        assert sweep(root, [1, 4, 9], scheduler=cluster.scheduler_address) == [1, 2, 3]


def test_a_sweep_without_the_package_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ModuleNotFoundError, match="scheduler needs the package distributed"):
        sweep(root, [1, 4], scheduler="tcp://127.0.0.1:1")


@pytest.mark.parametrize("shown", [False, True])
def test_a_bar_passes_every_item(shown, capsys):
    assert list(bar(iter([3, 1, 2]), 3, "counting", shown)) == [3, 1, 2]
    err = capsys.readouterr().err
    assert shown or not err
