"""Losses: how wrong an output is, and the direction that makes it less wrong.

    squared:        L = mean_k (t_k - y_k)^2           delta = t - y            = -(m / 2) dL/dy
    cross_entropy:  L = -sum_k t_k log softmax(y)_k    delta = t - softmax(y)   = -dL/dy, y are logits

Each takes outputs y and targets t (..., batch, m) as `ops` stores them and returns the loss of each
sample (..., batch) and delta (..., batch, m), which points *downhill*: it is the plain error, without
the factor 2 / m, in the form in which small fixed-point libraries feed it back.
Source: Bishop, Pattern Recognition and Machine Learning, 2006, section 5.2.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinylib.formats.lut import FIRST
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Array, Fixed
from tinylib.units import shown

Loss = Callable[[Array, Array, Arithmetic], tuple[Array, Array]]


def _paired(y: Array, target: Array) -> None:
    if y.shape[-2:] != target.shape[-2:]:
        raise ValueError(
            f"targets must have the shape of the output, {y.shape[-2:]}, got {target.shape[-2:]}"
        )


def squared(y: Array, target: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Array]:
    """Mean squared error over the outputs, no factor 1/2, and delta = target - y."""
    _paired(y, target)
    delta = ops.sub(target, y)
    squares = ops.mul(delta, delta)
    if y.shape[-1] == 1:
        return squares[..., 0], delta
    return ops.div(ops.total(squares, -1), ops.whole(y.shape[-1])), delta


def softmax(z: Array, ops: Arithmetic = FLOAT) -> Array:
    """e^z / sum of e^z over the last axis; the largest is taken off first, so that no power overflows.

    In fixed point the powers come from the table, which ends at e^-6: a class more than 6 behind the
    best keeps about 0.0025.
    """
    distance = z - z.max(axis=-1, keepdims=True)
    if isinstance(ops, Fixed):
        distance = np.maximum(distance, ops.whole(FIRST))  # before it is a code: the range may not hold it
    powers = ops.exp(distance)
    return ops.div(powers, powers.sum(axis=-1, keepdims=True))  # the quotient fits, however large the sum


def cross_entropy(y: Array, target: Array, ops: Arithmetic = FLOAT) -> tuple[Array, Array]:
    """Cross-entropy of softmax(y), y the logits, with target probabilities; delta = target - softmax(y).

    The loss itself is for the reader alone, and formed in floating point in every arithmetic.
    """
    _paired(y, target)
    z, t = ops.values(y), ops.values(target)
    top = z.max(axis=-1, keepdims=True)
    value = np.sum(t * (np.log(np.sum(np.exp(z - top), axis=-1, keepdims=True)) + top - z), axis=-1)
    finite = isinstance(ops, Fixed)  # a float loss may be NaN, and training says so
    return ops.number(value) if finite else value, ops.sub(target, softmax(y, ops))


LOSSES: dict[str, Loss] = {"squared": squared, "cross_entropy": cross_entropy}


def named(loss: str | Loss) -> Loss:
    """A loss by name; a function is itself."""
    if callable(loss):
        return loss
    if not isinstance(loss, str) or loss not in LOSSES:
        raise ValueError(f"loss must be a function or one of {', '.join(LOSSES)}, got {shown(loss)}")
    return LOSSES[loss]


def one_hot(labels: Any, classes: int) -> Array:
    """Targets (..., classes) of whole labels (...,): 1 at the label, 0 elsewhere."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or (labels.size and not 0 <= labels.min() <= labels.max() < classes):
        raise ValueError(f"labels must be whole numbers in 0..{classes - 1}, got {shown(labels)}")
    return (labels[..., None] == np.arange(classes)).astype(np.float64)
