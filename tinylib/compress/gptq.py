"""Second-order rounding (GPTQ): each weight is rounded, and those not yet rounded make up for it.

    loss of one output   |X w - X w'|^2 = (w - w')^T H (w - w'),     H = X^T X + damping
    round input i:       e = (w_i - round w_i) / U_ii,   w_k -= e U_ik for k > i,     H^-1 = U^T U

U is the upper Cholesky factor: its rows are the updates that the optimal brain surgeon would compute
one elimination at a time. Nearest rounding is the case of inputs without correlation, H diagonal.
Source: Frantar et al., GPTQ, arXiv 2210.17323, algorithm 1; Hassibi & Stork, NeurIPS 1992.
"""

from dataclasses import replace

import numpy as np

from tinylib.compress import quantize
from tinylib.compress.quantize import Quantized
from tinylib.formats.affine import rounded
from tinylib.units import real, shown


def inverse_factor(x: np.ndarray, damping: float = 0.01) -> np.ndarray:
    """U (n_in, n_in), upper, with U^T U = (X^T X + damping mean(diag) I)^-1, for inputs x (n, n_in)."""
    if real("damping", damping) <= 0:
        raise ValueError(f"damping must be positive: inputs that never fire have no curvature, got {damping}")
    h = x.T @ x
    h[np.diag_indices_from(h)] += damping * max(np.mean(np.diag(h)), np.finfo(float).tiny)
    return np.linalg.cholesky(np.linalg.inv(h)).T


def second_order(
    w: np.ndarray,
    x: np.ndarray,
    bits: int = 4,
    damping: float = 0.01,
    method: str = "minmax",
    largest_first: bool = True,
) -> Quantized:
    """w (n_in, n_out) in codes of one scale per output, rounded for the inputs x (n, n_in).

    The scales are those of nearest rounding; `largest_first` takes the inputs with most power first,
    while many others are left to make up for them.
    """
    if x.ndim != 2 or x.shape[1] != w.shape[0]:
        raise ValueError(f"x must be (n, {w.shape[0]}): one column per input of w, got {shown(x.shape)}")
    start = quantize.weights(w, bits, "channel", method=method)
    power = (x**2).sum(axis=0)
    order = np.argsort(-power, kind="stable") if largest_first else np.arange(len(w))
    u = inverse_factor(x[:, order], damping)
    left, codes = w[order].astype(np.float64), np.empty(w.shape, np.int64)
    top = 2 ** (bits - 1) - 1
    for i, row in enumerate(order):
        codes[row] = np.clip(rounded(left[i] / start.scale[0]), -top, top)
        error = (left[i] - start.scale[0] * codes[row]) / u[i, i]
        left[i + 1 :] -= u[i, i + 1 :, None] * error
    return replace(start, codes=codes)


def output_error(w: np.ndarray, restored: np.ndarray, x: np.ndarray) -> float:
    """Root mean square of X w - X w' [unit of the output]."""
    return float(np.sqrt(np.mean((x @ (w - restored)) ** 2)))
