"""Two roads to one cell: codes against the scalar implementation, many cells at once against each alone."""

import numpy as np

from tests.nets import scalar
from tinylib.nets.arithmetic import Fixed
from tinylib.nets.optimizers import SGD
from tinylib.nets.scan import scan, scan_back


def codes_equal(cell, ops: Fixed, step, xs, targets, **given):
    """States, signals at the inputs and arrays after one step of training equal those of `step`, every code.

    xs, targets: (time, batch, features) of codes. Returns the arrays after the step.
    """
    hs, tape = scan(cell, xs, ops)
    dxs, grads, _ = scan_back(cell, tape, ops.sub(targets, hs), ops)
    optimizer = SGD(learning_rate=0.25)
    (new,), _ = optimizer.step([cell.arrays], [grads], optimizer.start([cell.arrays]), ops)
    numbers = scalar.Q(ops.q, ops.rounding, ops.overflow)
    rows = xs.swapaxes(0, 1), targets.swapaxes(0, 1)
    want = scalar.train_step(numbers, step, cell.arrays, *rows, ops.q.one // 4, **given)
    np.testing.assert_array_equal(hs.swapaxes(0, 1), want[0])
    np.testing.assert_array_equal(dxs.swapaxes(0, 1), want[1])
    assert new.keys() == want[2].keys()
    for name, a in new.items():
        np.testing.assert_array_equal(a, want[2][name], err_msg=name)
    return new


def side_by_side(both, xs, count):
    """`count` cells on a leading axis give states and gradients as each of them alone."""
    hs, tape = scan(both, xs)
    _, grads, _ = scan_back(both, tape, np.ones_like(hs))
    for k in range(count):
        cell = both.mapped(lambda a, k=k: a[k])
        one, alone = scan(cell, xs)
        np.testing.assert_allclose(hs[:, k], one, atol=1e-13)
        for name, g in scan_back(cell, alone, np.ones_like(one))[1].items():
            np.testing.assert_allclose(grads[name][k], g, atol=1e-12)
