"""Optimal Brain Damage: prune what costs the loss least, by its curvature.

    saliency of a weight = h w^2 / 2,      h = d^2 L / d w^2         (L: mean loss of the examples)

With z = b + x W and y = f(z), h of W[i, j] is the mean of x_i^2 H[j, j], where H = d^2 L / dz^2 of one
example goes back from layer to layer:

    output     H = diag(p) - p p^T   (cross-entropy of p = softmax z),     H = diag(f'^2 - e f'')  (squared)
    exact      H_below = D (W H W^T) D + diag(g f''),      D = diag(f'), g = dL/dy
    layerwise  keeps the diagonal alone: h_below = f'^2 (W^2 h) + g f''

The first is exact; the second is that of LeCun et al., as cheap as one more backward pass, and exact
where the output H is diagonal and one hidden layer lies below it.
Source: LeCun, Denker & Solla, NeurIPS 1989, eqs. 4 to 8; Botev et al., arXiv 1706.03662, eq. 6.
"""

import numpy as np

from tinylib.compress import prune
from tinylib.datasets import Examples
from tinylib.nets import losses
from tinylib.nets.arithmetic import FLOAT
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network
from tinylib.units import shown

METHODS = ("exact", "layerwise")


def bend(activation: str, z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Second derivative f'' of an activation at z, where its value is y."""
    if activation in ("linear", "relu"):
        return np.zeros_like(y)
    if activation == "tanh":
        return -2 * y * (1 - y * y)
    if activation == "sigmoid":
        return y * (1 - y) * (1 - 2 * y)
    if activation == "elu":
        return np.where(z > 0, 0.0, y + 1)
    raise ValueError(f"activation must be linear, relu, tanh, sigmoid or elu here, got {shown(activation)}")


def diagonal(
    net: Network, data: Examples, loss: str = "cross_entropy", method: str = "exact"
) -> list[dict[str, np.ndarray]]:
    """d^2 L / d w^2 for every parameter of a network of Dense parts, in the shape of its arrays.

    loss: "cross_entropy" of the softmax of the outputs, or "squared", which is half the sum of squares.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {shown(method)}")
    if not all(isinstance(part, Dense) for part in net.parts) or net.seeds:
        raise ValueError("the network must be one row of Dense parts: the recursion is written for them")
    _, tapes = net.forward(data.x)
    curvature, gradient, found = None, None, []
    for part, (x, z, y) in zip(reversed(net.parts), reversed(tapes)):
        f1, f2 = FLOAT.slope(part.activation, z, y), bend(part.activation, z, y)
        if curvature is None:
            curvature, gradient = _output(loss, y, data.targets)
        curvature = f1[:, :, None] * curvature * f1[:, None, :]
        curvature = curvature + _diag(gradient * f2)
        h = np.einsum("njj->nj", curvature) / len(x)
        found.append({"w": (x**2).T @ h, "b": h.sum(axis=0)})
        gradient = (gradient * f1) @ part.w.T
        if method == "layerwise":
            curvature = _diag(np.einsum("njj->nj", curvature) @ (part.w**2).T)
        else:
            curvature = part.w @ curvature @ part.w.T
    return found[::-1]


def _diag(values: np.ndarray) -> np.ndarray:
    """Diagonal matrices (n, m, m) of rows (n, m)."""
    return values[:, :, None] * np.eye(values.shape[-1])


def _output(loss: str, y: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Second derivatives (n, m, m) and gradient (n, m) of the loss at the output y."""
    if loss == "squared":
        return np.broadcast_to(np.eye(y.shape[-1]), (*y.shape, y.shape[-1])), y - target
    if loss == "cross_entropy":
        p = losses.softmax(y)
        return _diag(p) - p[:, :, None] * p[:, None, :], p - target
    raise ValueError(f"loss must be cross_entropy or squared, got {shown(loss)}")


def saliency(
    net: Network, data: Examples, loss: str = "cross_entropy", method: str = "exact"
) -> list[dict[str, np.ndarray]]:
    """h w^2 / 2 for every parameter [loss]; the rise of the loss at a minimum with no cross terms."""
    curvature = diagonal(net, data, loss, method)
    return [{n: h[n] * a**2 / 2 for n, a in part.items()} for part, h in zip(net.arrays, curvature)]


def masks(net: Network, data: Examples, sparsity: float, scope: str = "global") -> prune.Masks:
    """Masks that drop the weights of least saliency."""
    return prune.by_saliency(net, saliency(net, data), sparsity, scope)
