"""Fixed-point arithmetic beside apytypes, fxpmath and numpy int64: Q16.16 products and matrices of codes.

Multiply: round to nearest, saturate, on random words of the whole range (half of the products saturate).
Matrices: exact sum, then one rounding and saturation, against numpy's int64 @ alone, which does neither, and
against apytypes with its own accumulator. Every word is found equal before the clock starts. A product whose
fraction is exactly one half is left out: fxpmath takes such ties to even.
"""

import numpy as np
from beside import medians, row, show

from tinylib.formats.qformat import QFormat
from tinylib.nets.arithmetic import Fixed

Q8_8, Q16_16 = QFormat(8, 8), QFormat(16, 16)
LENGTHS = (100, 1_000, 10_000, 100_000, 1_000_000)
GOALS = {"apytypes": (4, 10), "fxpmath": (150, 500)}  # from 10,000 words on
SIDES = (16, 32, 64, 128, 256)


def peers() -> dict:
    """The packages that are installed, by name; a line for each that is not."""
    found = {}
    for name in ("apytypes", "fxpmath"):
        try:
            found[name] = __import__(name)
        except ModuleNotFoundError:
            print(f"fixed_point: {name} is not installed, its rows are left out")
    return found


def words(rng: np.random.Generator, q: QFormat, shape: tuple[int, ...]) -> np.ndarray:
    """Random codes of the whole range."""
    return rng.integers(q.min_raw, q.max_raw, shape, endpoint=True)


def apytypes_product(apytypes, a: np.ndarray, b: np.ndarray):
    """(call, codes of its result) of the product in apytypes."""
    x, y = (apytypes.APyFixedArray(v.tolist(), int_bits=16, frac_bits=16) for v in (a, b))
    to_nearest, saturate = apytypes.QuantizationMode.RND, apytypes.OverflowMode.SAT
    return lambda: (x * y).cast(16, 16, quantization=to_nearest, overflow=saturate), signed_codes


def signed_codes(array) -> np.ndarray:
    """Codes of an apytypes array of 32-bit words, which it gives without sign."""
    return np.array(array.to_bits(), dtype=np.int64).astype(np.int32).astype(np.int64)


def fxpmath_product(fxpmath, a: np.ndarray, b: np.ndarray):
    """(call, codes of its result) of the product in fxpmath."""
    options = {"signed": True, "n_word": 32, "n_frac": 16, "raw": True}
    config = fxpmath.Config(rounding="around", overflow="saturate", op_sizing="same")
    x, y = (fxpmath.Fxp(v, config=config, **options) for v in (a, b))
    return lambda: x * y, lambda z: np.asarray(z.val, dtype=np.int64)


PRODUCTS = {"apytypes": apytypes_product, "fxpmath": fxpmath_product}


def multiply_rows(found: dict) -> list[dict]:
    """Element-wise products."""
    ops, rng, rows = Fixed(Q16_16, "nearest", "saturate"), np.random.default_rng(0), []
    for n in LENGTHS:
        a, b = words(rng, Q16_16, (n,)), words(rng, Q16_16, (n,))
        b += (a * b & 0xFFFF) == 0x8000  # no ties
        for name, package in found.items():
            call, codes = PRODUCTS[name](package, a, b)
            np.testing.assert_array_equal(codes(call()), ops.mul(a, b))
            ours, theirs = medians(lambda a=a, b=b: ops.mul(a, b), call)
            must, aim = GOALS[name] if n >= 10_000 else (None, None)
            note = f"{1e6 * ours:.1f} µs" + "; below 500 words numpy's calls cost more" * (theirs < ours)
            rows.append(row(f"Q16.16 multiply, n = {n:,}", name, theirs / ours, must, aim, note))
    return rows


def matmul_rows(found: dict) -> list[dict]:
    """Square matrices: words of 16 bits, words of a network (below 8.0 in Q16.16) and of the whole range."""
    rng, rows = np.random.default_rng(1), []
    kinds = {
        "Q8.8": (Q8_8, lambda n: words(rng, Q8_8, (n, n))),
        "Q16.16 below 8": (Q16_16, lambda n: words(rng, Q16_16, (n, n)) >> 12),
        "Q16.16 full": (Q16_16, lambda n: words(rng, Q16_16, (n, n))),
    }
    for kind, (q, draw) in kinds.items():
        ops = Fixed(q, "nearest", "saturate", "wide")
        for n in SIDES:
            a, b = draw(n), draw(n)
            half = 1 << q.frac_bits - 1
            exact = np.clip((a @ b + half) >> q.frac_bits, q.min_raw, q.max_raw)
            np.testing.assert_array_equal(ops.dot(a, b), exact)
            ours, theirs = medians(lambda a=a, b=b, ops=ops: ops.dot(a, b), lambda a=a, b=b: a @ b)
            full = kind.endswith("full")  # two products of halves: no goal is claimed
            must, aim = (5, 12) if n >= 64 and not full else (None, None)
            note = f"{1e6 * ours:.0f} µs" + "; plain integers, and rounding on top" * (theirs < ours)
            rows.append(row(f"{kind} matrices, n = {n}", "numpy int64 @", theirs / ours, must, aim, note))
    return rows + ([apytypes_matmul(found["apytypes"], n) for n in SIDES] if "apytypes" in found else [])


def apytypes_matmul(apytypes, n: int) -> dict:
    """Q16.16 words below 8: its result keeps every bit and is cast, as ours is."""
    rng, ops = np.random.default_rng(n), Fixed(Q16_16, "nearest", "saturate", "wide")
    a, b = (words(rng, Q16_16, (n, n)) >> 12 for _ in range(2))
    x, y = (apytypes.APyFixedArray(v.tolist(), int_bits=16, frac_bits=16) for v in (a, b))
    to_nearest, saturate = apytypes.QuantizationMode.RND, apytypes.OverflowMode.SAT

    def call():
        return (x @ y).cast(16, 16, quantization=to_nearest, overflow=saturate)

    np.testing.assert_array_equal(signed_codes(call()), ops.dot(a, b))
    ours, theirs = medians(lambda: ops.dot(a, b), call)
    return row(f"Q16.16 below 8 matrices, n = {n}", "apytypes @", theirs / ours, note=f"{1e6 * ours:.0f} µs")


def rows() -> list[dict]:
    """Every row that the installed peers allow."""
    found = peers()
    return multiply_rows(found) + matmul_rows(found)


if __name__ == "__main__":
    show(rows())
