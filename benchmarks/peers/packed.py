"""Binary dense layer on packed words beside float32 BLAS: signs in, dot products out, interleaved.

The packed side starts from real inputs: taking signs and packing them is on the clock. BLAS gets signs as
float32, in the faster of its two orders (x W with W (n, m), or W^T x with W (m, n)). Results are equal before
the clock starts. A round repeats each call for 20 ms, so that what fits into a cache stays there, as it does
in a loop of inferences. Set OMP_NUM_THREADS=1, or BLAS uses more than one core.
"""

from collections.abc import Callable

import numpy as np
from beside import medians, row, show

SIZES = (  # n_in, n_out, batch, must, aim, note
    (4096, 4096, 1, 5.0, 9.0, "67 MB of float against 2.1 MB of bits: memory decides"),
    (1024, 1024, 1, 1.2, 1.8, "4.2 MB against 131 KB: both in cache"),
    (4096, 4096, 32, None, None, "BLAS reuses each weight 32 times"),
    (64, 16, 1, None, None, "packing loses: a numpy call costs more than this layer; 4,096 bytes become 128"),
)


def contenders(n: int, m: int, batch: int) -> list[Callable[[], np.ndarray]]:
    """The packed product and BLAS in its two orders, found equal."""
    from tinylib.nets.binary import BinaryDense, pack_signs, signs, xnor_matmul

    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, n)).astype(np.float32)
    layer = BinaryDense(rng.normal(size=(n, m)).astype(np.float32), np.zeros(m, np.float32))
    planes = layer.packed().planes
    x_signs, wide = signs(x), signs(layer.w)
    tall = np.ascontiguousarray(wide.T)
    found = [
        lambda: xnor_matmul(pack_signs(x), planes, n),
        lambda: x_signs @ wide,
        lambda: (tall @ x_signs.T).T,
    ]
    for blas in found[1:]:
        np.testing.assert_array_equal(found[0](), blas())
    return found


def rows() -> list[dict]:
    """One row for each size; without a goal where none is claimed."""
    found = []
    for n, m, batch, must, aim, note in SIZES:
        own, *blas = medians(*contenders(n, m, batch))
        found.append(
            row(f"binary dense {n}x{m}, B = {batch}", "float32 BLAS", min(blas) / own, must, aim, note)
        )
    return found


if __name__ == "__main__":
    show(rows())
