"""Optimal Brain Damage: second derivatives against central differences, and what they are good for."""

import numpy as np
import pytest

from tinylib.compress import baseline, obd, prune
from tinylib.cost.compression import obd_saliency
from tinylib.datasets import Examples
from tinylib.nets import losses
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network, mlp


def examples(n: int = 7, features: int = 3, classes: int = 4) -> Examples:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(n, features)), rng.integers(classes, size=n)
    return Examples("drawn", x, y, tuple(map(str, range(classes))), "", "", "")


def mean_loss(net: Network, data: Examples, loss: str) -> float:
    y = net.predict(data.x)
    if loss == "squared":
        return 0.5 * np.sum((y - data.targets) ** 2) / len(data)
    return losses.cross_entropy(y, data.targets)[0].mean()


def numerical(net: Network, data: Examples, loss: str, step: float = 1e-4) -> list[dict]:
    """(L(w + h) - 2 L(w) + L(w - h)) / h^2 for every parameter."""
    centre, found = mean_loss(net, data, loss), []
    for i, part in enumerate(net.arrays):
        found.append({})
        for name, array in part.items():
            second = np.empty(array.shape)
            for place in np.ndindex(array.shape):
                sides = []
                for sign in (-1, 1):
                    moved = array.copy()
                    moved[place] += sign * step
                    arrays = [dict(p) for p in net.arrays]
                    arrays[i][name] = moved
                    sides.append(mean_loss(net.with_arrays(arrays), data, loss))
                second[place] = (sides[0] - 2 * centre + sides[1]) / step**2
            found[-1][name] = second
    return found


@pytest.mark.parametrize("loss", ["cross_entropy", "squared"])
@pytest.mark.parametrize("hidden, output", [("tanh", "linear"), ("sigmoid", "tanh"), ("elu", "linear")])
def test_exact_diagonal_is_the_numerical_second_derivative(loss, hidden, output):
    net = mlp((3, 5, 4, 4), hidden, output, np.random.default_rng(0))
    want = numerical(net, examples(), loss)
    for got, reference in zip(obd.diagonal(net, examples(), loss), want):
        for name in got:
            np.testing.assert_allclose(got[name], reference[name], rtol=1e-4, atol=2e-6)


def test_layerwise_is_exact_below_one_hidden_layer_of_a_squared_loss():
    net = mlp((3, 5, 4), "tanh", "sigmoid", np.random.default_rng(0))
    exact = obd.diagonal(net, examples(), "squared")
    for got, want in zip(obd.diagonal(net, examples(), "squared", "layerwise"), exact):
        for name in got:
            np.testing.assert_allclose(got[name], want[name], rtol=1e-12, atol=1e-14)
    deep = mlp((3, 5, 4, 4), "tanh", "sigmoid", np.random.default_rng(0))
    first = [obd.diagonal(deep, examples(), "squared", m)[0]["w"] for m in obd.METHODS]
    assert not np.allclose(*first, rtol=0.01)  # two layers below, cross terms are missing


def test_linear_neuron_in_closed_form():  # L = mean (w x - t)^2 / 2 has the curvature mean x^2
    data = examples(classes=2)
    net = Network((Dense(np.full((3, 2), 0.3), np.zeros(2)),))
    h = obd.diagonal(net, data, "squared")[0]
    np.testing.assert_allclose(h["w"], np.repeat((data.x**2).mean(0)[:, None], 2, axis=1))
    np.testing.assert_allclose(h["b"], [1, 1])
    saliency = obd.saliency(net, data, "squared")[0]["w"]
    assert saliency[1, 0] == pytest.approx(obd_saliency(0.3, h["w"][1, 0]))


def test_second_order_predicts_what_a_removed_weight_costs(net, data):
    y, tapes = net.forward(data.train.x)
    downhill = net.back(tapes, losses.cross_entropy(y, data.train.targets)[1] / len(data.train))[1]
    scores = obd.saliency(net, data.train)[1]["w"]
    rise = scores + downhill[1]["w"] * net.arrays[1]["w"]  # the Taylor series with its first term
    base, rises = baseline.loss(net, data.train), []
    places = [np.unravel_index(i, scores.shape) for i in np.argsort(scores, axis=None)[::8]]
    for place in places:
        w = net.parts[1].w.copy()
        w[place] = 0
        pruned = net.with_arrays([net.arrays[0], {**net.arrays[1], "w": w}])
        rises.append(baseline.loss(pruned, data.train) - base)

    def ranks(values):
        return np.argsort(np.argsort(values))

    with_gradient = np.corrcoef(ranks(rises), ranks([rise[p] for p in places]))[0, 1]
    alone = np.corrcoef(ranks(rises), ranks([scores[p] for p in places]))[0, 1]
    assert with_gradient > 0.95 > alone  # training stopped early: the gradient is not zero


def test_weights_without_curvature_are_free(net, data):  # pixels that never carry ink
    dead = (data.train.x == 0).all(axis=0)
    scores = obd.saliency(net, data.train)[0]["w"]
    assert dead.sum() >= 1 and (scores[dead] == 0).all()
    free = (scores == 0).sum() / sum(p.w.size for p in net.parts)
    masks = obd.masks(net, data.train, free)
    assert not masks[0]["w"][dead].any()
    assert prune.magnitude(net, free)[0]["w"][dead].any()  # magnitude keeps weights that do nothing
    whole = baseline.loss(net, data.train)
    assert baseline.loss(prune.apply(net, masks), data.train) == pytest.approx(whole, rel=1e-3)
    masks[0]["w"][~dead] = masks[1]["w"][:] = True  # a unit that sleeps may wake up; a dead pixel may not
    assert baseline.loss(prune.apply(net, masks), data.train) == pytest.approx(whole, rel=1e-12)


def test_curvature_beats_magnitude_on_the_training_loss(nets, data):
    rise = {"magnitude": [], "curvature": []}
    for net in nets:
        rise["magnitude"].append(baseline.loss(prune.apply(net, prune.magnitude(net, 0.6)), data.train))
        rise["curvature"].append(baseline.loss(prune.apply(net, obd.masks(net, data.train, 0.6)), data.train))
    assert np.mean(rise["curvature"]) < 0.8 * np.mean(rise["magnitude"])


def test_curvature_in_small_steps_reaches_further_than_magnitude_at_once(nets, data):
    once, slowly = [], []
    for seed, net in enumerate(nets):  # 20 epochs of tuning either way
        tuned = prune.fine_tune(net, prune.magnitude(net, 0.95), data.train, epochs=20, seed=seed)
        small, _ = prune.gradual(
            net, data.train, 0.95, masks=lambda n, share: obd.masks(n, data.train, share), seed=seed
        )
        once.append(baseline.accuracy(tuned, data.test))
        slowly.append(baseline.accuracy(small, data.test))
    assert np.mean(slowly) > np.mean(once) + 0.03


def test_errors_give_a_reason(conv, net, data):
    with pytest.raises(ValueError, match="one row of Dense parts"):
        obd.diagonal(conv, data.train)
    with pytest.raises(ValueError, match="method must be one of"):
        obd.diagonal(net, data.train, method="guess")
    with pytest.raises(ValueError, match="activation must be"):
        obd.bend("gelu", np.zeros(1), np.zeros(1))
