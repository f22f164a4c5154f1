"""SmoothQuant: move the difficulty of outlier activations into the weights, at no change of the product.

    X W = (X / s) (s W),      s_j = max|X_j|^alpha / max|W_j|^(1 - alpha)      for each input j

A single input with large values forces a coarse step on all of them; weights have room to take it over.
alpha = 0 leaves the weights flat, alpha = 1 the activations. In a network s goes into the layer before:
relu and linear units scale, f(z / s) = f(z) / s for s > 0, so that no division is left at run time.
Source: Xiao et al., SmoothQuant, arXiv 2211.10438, eqs. 3 and 4.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinylib.compress import quantize
from tinylib.compress.ptq import activations
from tinylib.datasets import Examples
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network
from tinylib.units import real, shown


def factors(x: np.ndarray, w: np.ndarray, alpha: float = 0.5) -> np.ndarray:
    """s (n_in,) for inputs x (n, n_in) and weights w (n_in, n_out); 1 where either is all zero."""
    if not 0 <= real("alpha", alpha) <= 1:
        raise ValueError(f"alpha must be a share, 0 to 1, got {shown(alpha)}")
    if x.shape[-1] != w.shape[0]:
        raise ValueError(f"x must have one column per row of w, got {x.shape} and {w.shape}")
    top_x, top_w = abs(x).max(axis=0), abs(w).max(axis=1)
    with np.errstate(divide="ignore"):
        s = top_x**alpha / top_w ** (1 - alpha)
    return np.where((top_x > 0) & (top_w > 0), s, 1.0)


def migrate(x: np.ndarray, w: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(x / s, s w): another pair with the same product."""
    return x / s, w * s[:, None]


def output_error(
    x: np.ndarray, w: np.ndarray, alpha: float, bits: int = 8, rounded: Sequence[str] = ("inputs", "weights")
) -> float:
    """Root mean square error of x w [unit of the product] when the moved pair is rounded, one scale each.

    rounded: which of "inputs" and "weights" are; the other stays as it is.
    """
    if not set(rounded) <= {"inputs", "weights"}:
        raise ValueError(f"rounded must hold 'inputs' or 'weights', got {shown(rounded)}")
    pair = zip(("inputs", "weights"), migrate(x, w, factors(x, w, alpha)))
    x_s, w_s = (quantize.weights(v, bits).restored() if name in rounded else v for name, v in pair)
    return float(np.sqrt(np.mean((x_s @ w_s - x @ w) ** 2)))


def error_curves(x: np.ndarray, w: np.ndarray, bits: int = 8, points: int = 21) -> dict[str, list]:
    """(alpha, `output_error`) over alpha from 0 to 1: with the inputs rounded, the weights, and both."""
    which = {"inputs rounded": ("inputs",), "weights rounded": ("weights",), "both": ("inputs", "weights")}
    alphas = np.linspace(0, 1, points).tolist()
    return {name: [(a, output_error(x, w, a, bits, of)) for a in alphas] for name, of in which.items()}


def smooth(net: Network, data: Examples, alpha: float = 0.5) -> Network:
    """The same function with smoother inputs of every Dense part that follows a linear or relu one."""
    if not all(isinstance(part, Dense) for part in net.parts):
        kinds = ", ".join(type(part).__name__ for part in net.parts)
        raise ValueError(f"smoothing needs Dense parts only: a scale has to pass through, got {kinds}")
    parts, inputs = list(net.parts), activations(net, data.x)
    for i in range(1, len(parts)):
        before, part = parts[i - 1], parts[i]
        if before.activation not in ("linear", "relu"):
            continue
        s = factors(inputs[i], part.w, alpha)
        parts[i - 1] = replace(before, w=before.w / s, b=before.b / s)
        parts[i] = replace(part, w=part.w * s[:, None])
    return Network(tuple(parts))
