"""Every part of `nets`: its count, its shapes, its gradients, training, and what it refuses."""

import warnings
from importlib import import_module

import numpy as np
import pytest

import tinylib.nets as nets
from tests.nets.test_scan import slope
from tinylib.formats.qformat import QFormat
from tinylib.nets import FLOAT, Dense, Dropout, Fixed, Flatten, Network, Recurrent, mlp
from tinylib.nets.liquid import Affine
from tinylib.nets.params import Params
from tinylib.nets.scan import Cell, scan, scan_back
from tinylib.nets.train import train

Q = Fixed(QFormat(16, 16), "nearest", "saturate")
ROW, TIME, SIGNAL, IMAGE = (4, 3), (5, 4, 3), (2, 6, 3), (2, 6, 6, 3)  # all end in 3 features

PARTS = {  # name: (the part, shape of its input)
    "Dense": (lambda rng, ops: nets.Dense.draw(rng, 3, 2, "tanh", ops), ROW),
    "Dense over time": (lambda rng, ops: nets.Dense.draw(rng, 3, 2, "sigmoid", ops), TIME),
    "BinaryDense": (lambda rng, ops: nets.BinaryDense.draw(rng, 3, 2, ops, scaled=True), ROW),
    "TernaryDense": (lambda rng, ops: nets.TernaryDense.draw(rng, 3, 2, ops, activation="relu"), ROW),
    "KAN": (lambda rng, ops: nets.KAN.draw(rng, 3, 2, ops=ops), ROW),
    "Affine": (lambda rng, ops: Affine.draw(rng, 3, ops), ROW),
    "Conv1D": (lambda rng, ops: nets.Conv1D.draw(rng, 3, 2, 3, "tanh", ops, padding="same"), SIGNAL),
    "Conv2D": (lambda rng, ops: nets.Conv2D.draw(rng, 3, 2, 3, "tanh", ops, stride=2), IMAGE),
    "PointwiseConv2D": (lambda rng, ops: nets.PointwiseConv2D.draw(rng, 3, 2, "gelu", ops), IMAGE),
    "DepthwiseConv2D": (lambda rng, ops: nets.DepthwiseConv2D.draw(rng, 3, 3, ops=ops, multiplier=2), IMAGE),
    "MaxPool1D": (lambda rng, ops: nets.MaxPool1D(2), SIGNAL),
    "AvgPool1D": (lambda rng, ops: nets.AvgPool1D(3, 1, "same"), SIGNAL),
    "MaxPool2D": (lambda rng, ops: nets.MaxPool2D(3, 2), IMAGE),
    "AvgPool2D": (lambda rng, ops: nets.AvgPool2D(2), IMAGE),
    "GlobalMaxPool2D": (lambda rng, ops: nets.GlobalMaxPool2D(), IMAGE),
    "GlobalAvgPool2D": (lambda rng, ops: nets.GlobalAvgPool2D(), IMAGE),
    "Flatten": (lambda rng, ops: Flatten(), IMAGE),
    "Dropout": (lambda rng, ops: Dropout(40, mask=rng.random(ROW) < 0.6), ROW),
    "Elman": (lambda rng, ops: Recurrent(nets.Elman.draw(rng, 3, 2, ops)), TIME),
    "LSTM": (lambda rng, ops: Recurrent(nets.LSTM.draw(rng, 3, 2, ops)), TIME),
    "GRU": (lambda rng, ops: Recurrent(nets.GRU.draw(rng, 3, 2, ops), last_only=True), TIME),
    "LTC": (lambda rng, ops: Recurrent(nets.LTC.draw(rng, 3, 2, ops)), TIME),
    "SynapticLTC": (lambda rng, ops: Recurrent(nets.SynapticLTC.draw(rng, 3, 2, ops)), TIME),
    "CfC": (lambda rng, ops: Recurrent(nets.CfC.draw(rng, 3, 2, 4, ops), last_only=True), TIME),
}
STRAIGHT_THROUGH = {"BinaryDense", "TernaryDense"}  # `back` is no derivative there, by design
every_part = pytest.mark.parametrize("name", PARTS)


def drawn(name, ops=FLOAT, seed=0):
    """A part in an arithmetic, and an input for it."""
    make, shape = PARTS[name]
    rng = np.random.default_rng(seed)
    return make(rng, ops), ops.number(rng.normal(0, 0.7, shape))


def tailed(name):
    """A part in a network: what feeds it, the part, dropout, and two outputs; and an input."""
    part, x = drawn(name)
    rng = np.random.default_rng(1)
    first = (nets.PointwiseConv2D if x.ndim == 4 else Dense).draw(rng, 3, 3, "tanh")
    y = part.forward(first.forward(x)[0])[0]
    return Network((first, part, Dropout(30, mask=rng.random(y.shape) < 0.7), *ending(y, rng))), x


def ending(y, rng):
    """Parts that make two outputs of y; images and signals are flattened first."""
    image = y.ndim == 4 or (y.ndim == 3 and len(y) == SIGNAL[0])
    return *(Flatten(),) * image, Dense.draw(rng, y[0].size if image else y.shape[-1], 2, "tanh")


def test_no_part_is_forgotten():
    found = {name for name in nets.__all__ if isinstance(getattr(nets, name), type)}
    parts = {name for name in found if issubclass(getattr(nets, name), Params)} - {"Recurrent"}
    assert parts <= set(PARTS)


@every_part
def test_what_is_stored_is_what_the_layer_counts(name):
    part, x = drawn(name)
    y = part.forward(x)[0]
    assert part.count == sum(a.size for a in part.arrays.values())
    if part.layer is None:
        assert part.count == 0
        return
    sequence = isinstance(part, Recurrent)
    one = (*x.shape[:1], *x.shape[2:]) if sequence else x.shape[1:]
    assert part.count == part.layer.params
    if name == "Dense over time":
        assert Network((part,)).model((5, 3)).params == part.count
    else:
        whole = y.shape[:1] + y.shape[2:] if sequence and not part.last_only else y.shape[1:]
        assert part.layer.out_shape(one) == whole


@pytest.mark.parametrize("name", [name for name in PARTS if name not in STRAIGHT_THROUGH])
def test_gradients_in_a_network_are_central_differences(name):
    net, x = tailed(name)
    y, tapes = net.forward(x)
    delta = np.random.default_rng(2).normal(size=y.shape)
    dx, grads = net.back(tapes, delta)

    def loss(arrays, x):
        return float((net.with_arrays(arrays).forward(x)[0] * delta).sum())

    for i, part in enumerate(net.parts):
        assert grads[i].keys() == part.arrays.keys()
        for key, a in part.arrays.items():

            def changed(v, i=i, key=key):
                return loss([p | {key: v} if i == k else p for k, p in enumerate(net.arrays)], x)

            np.testing.assert_allclose(grads[i][key], slope(changed, a), atol=5e-8, rtol=1e-6, err_msg=key)
    flat = x.reshape(-1)
    some = np.random.default_rng(3).choice(flat.size, min(flat.size, 12), replace=False)
    for at in some:
        up, down = flat.copy(), flat.copy()
        up[at] += 1e-6
        down[at] -= 1e-6
        ends = (loss(net.arrays, v.reshape(x.shape)) for v in (up, down))
        assert dx.reshape(-1)[at] == pytest.approx((next(ends) - next(ends)) / 2e-6, abs=5e-8, rel=1e-6)


@every_part
def test_back_is_linear_in_delta(name):
    part, x = drawn(name)
    y, tape = part.forward(x)
    a, b = np.random.default_rng(4).normal(size=(2, *y.shape))
    (dx, grads), (dx_a, of_a), (dx_b, of_b) = (part.back(tape, d) for d in (3 * a - b, a, b))
    np.testing.assert_allclose(dx, 3 * dx_a - dx_b, atol=1e-12)
    for key, found in grads.items():
        np.testing.assert_allclose(found, 3 * of_a[key] - of_b[key], atol=1e-12)


@every_part
def test_fixed_point_runs_and_sends_back_close_to_floating_point(name):
    part, x = drawn(name, Q)
    exact = part.mapped(Q.values)
    y, tape = part.forward(x, Q)
    real, real_tape = exact.forward(Q.values(x))
    assert y.dtype == np.int64
    np.testing.assert_allclose(Q.values(y), real, atol=0.02)  # 96-entry tables, and the shortcut beside them
    delta = Q.number(np.random.default_rng(5).normal(0, 0.5, y.shape))
    (dx, grads), (real_dx, wanted) = part.back(tape, delta, Q), exact.back(real_tape, Q.values(delta))
    np.testing.assert_allclose(Q.values(dx), real_dx, atol=0.05)
    for key, found in grads.items():
        np.testing.assert_allclose(Q.values(found), wanted[key], atol=0.2, err_msg=key)


@pytest.mark.parametrize("ops", [FLOAT, Q], ids=["float", "Q16.16"])
@every_part
def test_every_part_trains(name, ops):
    part, x = drawn(name)
    part = Dropout(40) if name == "Dropout" else part
    net = Network((part, *ending(part.forward(x)[0], np.random.default_rng(6))))
    targets = np.full(net.forward(x)[0].shape, 0.3)
    options = {"epochs": 12, "batch_size": 4, "batch_axis": -2 if PARTS[name][1] == TIME else 0}
    rng = np.random.default_rng(7)
    trained, history = train(net.mapped(ops.number), x, targets, "squared", "adam", ops, rng=rng, **options)
    assert history.loss[-1] < history.loss[0]
    for old, new in zip(net.mapped(ops.number).arrays, trained.arrays):
        assert all(new[key].shape == old[key].shape and new[key].dtype == old[key].dtype for key in old)


# ---- what is refused, and how


@every_part
def test_a_list_is_no_input(name):
    part, x = drawn(name)
    if name in ("Dropout",):  # it looks at no feature
        return
    with pytest.raises((ValueError, TypeError), match=r"must have the shape|expects"):
        part.forward(x.tolist())


@every_part
def test_empty_batches_pass_in_silence(name):
    part, x = drawn(name)
    part = Dropout(40) if name == "Dropout" else part
    empty = x[:, :0] if PARTS[name][1] == TIME else x[:0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, tape = part.forward(empty)
        dx, _ = part.back(tape, np.zeros_like(y))
    assert y.size == 0 and dx.shape == empty.shape


@pytest.mark.parametrize("name", [n for n in PARTS if drawn(n)[0].arrays])
def test_real_numbers_in_fixed_point_and_nan_in_weights_are_refused(name):
    part, x = drawn(name)
    with pytest.raises(TypeError, match=r"codes of Q16.16 must be integers: `number` makes them"):
        part.mapped(Q.number).forward(x, Q)
    with pytest.raises(TypeError, match=r"codes of Q16.16 must be integers: `number` makes them"):
        part.forward(Q.number(x), Q)
    with pytest.raises(ValueError, match="must be finite: a network cannot run on NaN"):
        part.mapped(lambda a: a * np.nan)


def test_a_network_of_the_other_arithmetic_is_refused():
    net, x = mlp((3, 2)), np.ones((4, 3))
    with pytest.raises(TypeError, match=r"w must hold codes of Q16.16: `mapped.ops.number.` makes them"):
        net.predict(x, Q)
    with pytest.raises(TypeError, match=r"w must hold floats: `mapped.ops.number.` makes them, got int64"):
        net.mapped(Q.number).predict(x)
    with pytest.raises(TypeError, match="w must hold floats"):
        train(net.mapped(Q.number), x, np.ones((4, 2)))
    with pytest.raises(TypeError, match=r"ops must be FLOAT or a Fixed arithmetic, got 'q16.16'"):
        net.predict(x, "q16.16")


@pytest.mark.parametrize("name", [n for n in PARTS if isinstance(drawn(n)[0], Recurrent)])
def test_states_and_signals_of_a_cell_have_its_shape(name):
    part, xs = drawn(name)
    cell, (_, tape) = part.cell, scan(part.cell, xs)
    with pytest.raises(ValueError, match=r"state must be a tuple of arrays \(4, 2\)"):
        scan(cell, xs, state=np.ones((4, 2)))
    with pytest.raises(ValueError, match=r"delta must have the shape of the output, \(5, 4, 2\), got shape"):
        scan_back(cell, tape, np.ones((4, 4, 2)))
    with pytest.raises(ValueError, match="truncation must lie between 1"):
        scan_back(cell, tape, np.ones((5, 4, 2)), truncation=0)


def test_a_sequence_needs_a_cell():
    with pytest.raises(TypeError, match="cell must be a recurrent cell such as LSTM, got"):
        scan(mlp((3, 2)).parts[0], np.ones((5, 4, 3)))
    assert not issubclass(Dense, Cell)


def test_dense_behind_all_states_is_counted_at_every_step():  # 5 steps: 4 (3 + 4) 4 and 4 * 2 products each
    rng = np.random.default_rng(0)
    net = Network((Recurrent(nets.LSTM.draw(rng, 3, 4)), Dense.draw(rng, 4, 2), Dense.draw(rng, 2, 1)))
    model = net.model((5, 3))
    assert model.params == net.count
    assert [row.out_shape for row in model.rows] == [(5, 4), (5, 2), (5, 1)]
    assert [row.macs for row in model.rows] == [5 * 112, 5 * 8, 5 * 2]


@pytest.mark.parametrize("module, name", [("conv", "Conv2D"), ("pool", "MaxPool2D")])
def test_windows_are_checked_where_they_are_made(module, name):
    kind = getattr(import_module(f"tinylib.nets.{module}"), name)
    given = (np.ones((2, 3, 3, 1)), np.ones(2)) if name == "Conv2D" else (2,)
    with pytest.raises(ValueError, match="stride must lie between 1"):
        kind(*given, stride=0)
    with pytest.raises(ValueError, match="padding must be 'valid', 'same' or a number, got 'full'"):
        kind(*given, padding="full")
