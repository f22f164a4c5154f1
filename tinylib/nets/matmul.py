"""Products of integer matrices: exact through float64 BLAS under a checked bound.

    K max|a| max|b| <= 2^53   each product and each partial sum is an integer that a float64 holds,
                              so that no operation rounds, in whatever order BLAS adds
    ||A|| ||B|| <= 2^53       is enough as well (Cauchy-Schwarz, Frobenius norms) and BLAS forms it faster

Beyond the bound the words of a are halved, a = 2^16 a1 + a0 with |a0| <= 2^15, and K is cut so that both
products of matrices keep it: K <= 128 a piece for 32-bit words. The results are put together modulo 2^64,
where an accumulator register of 64 bits would end. The work is that of two products, whatever K is.
Source: Goldberg, What Every Computer Scientist Should Know About Floating-Point Arithmetic, 1991 (exactness).
"""

import numpy as np

EXACT = 2**53  # every integer up to this magnitude is a float64
NORMS = 0.999 * float(EXACT) ** 2  # squared, with room for the rounding of the norms themselves
HALF = 16  # bits of the low half
TINY = 24**3  # multiply-accumulates up to which plain integers are faster than the way to BLAS and back
PIECE = 16  # terms of a piece below which two products are slower than plain integers


def magnitude(a: np.ndarray) -> int:
    """Largest magnitude of an integer array [codes]; 0 when it is empty."""
    return max(int(a.max()), -int(a.min())) if a.size else 0


def integer_matmul(a: np.ndarray, b: np.ndarray, largest: int | None = None) -> np.ndarray:
    """a (..., n, k) @ b (..., k, m) of integers (int64), exact; modulo 2^64 when a result passes int64.

    largest: a magnitude that no element passes, where the caller knows one; it is not checked.
    """
    if a.dtype.kind not in "iu" or b.dtype.kind not in "iu":
        raise TypeError(f"integer_matmul needs integer arrays, got {a.dtype} and {b.dtype}")
    if min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-2]:
        raise ValueError(f"integer_matmul takes (..., n, k) and (..., k, m), got {a.shape} and {b.shape}")
    rows, terms, columns = *a.shape[-2:], b.shape[-1]
    if rows * terms * columns <= TINY:
        return np.matmul(a, b, dtype=np.int64)
    x, y = a.astype(np.float64), b.astype(np.float64)
    if (largest and terms * largest**2 <= EXACT) or np.vdot(x, x) * np.vdot(y, y) <= NORMS:
        return np.matmul(x, y).astype(np.int64)
    size_a, size_b = magnitude(a), magnitude(b)
    if terms * size_a * size_b <= EXACT:
        return np.matmul(x, y).astype(np.int64)
    low = 1 << HALF - 1
    piece = EXACT // (max(low, (size_a + low) >> HALF) * size_b)
    if piece < PIECE or max(size_a, size_b) > EXACT or rows * terms * columns <= 3 * TINY:
        return np.matmul(a, b, dtype=np.int64)
    return sum(_by_halves(x[..., k : k + piece], y[..., k : k + piece, :]) for k in range(0, terms, piece))


def _by_halves(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x @ y as 2^16 (x1 @ y) + x0 @ y, of integers held as float64; the caller keeps the bound."""
    halves = np.empty((2, *x.shape))
    np.rint(x * 2.0**-HALF, out=halves[0])
    np.subtract(x, halves[0] * 2.0**HALF, out=halves[1])
    high, low = np.matmul(halves, y).astype(np.int64)
    high <<= HALF
    high += low
    return high
