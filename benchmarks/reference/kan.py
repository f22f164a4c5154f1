"""Makes tests/nets/data/kan_*.json: values and gradients of KAN layers by float64 autograd in torch.

    B_m,0(x) = 1 in [t_m, t_m+1), else 0
    B_m,k(x) = (x - t_m)/(t_m+k - t_m) B_m,k-1(x) + (t_m+k+1 - x)/(t_m+k+1 - t_m+1) B_m+1,k-1(x)

The recursion of de Boor and Cox, written out without any of tinylib: a road of its own to the same
numbers. Run with torch 2.x, no arguments, from the root of the project. For x in [-1, 1).
"""

import json
from itertools import pairwise
from pathlib import Path

import torch

OUT = Path(__file__).resolve().parents[2] / "tests" / "nets" / "data"
CASES = {"cubic": ((2, 5, 1), 5, 3), "linear": ((3, 4, 2), 6, 1), "square": ((2, 3, 2), 4, 2)}


def basis(x, grid, degree):
    """All G + k splines (..., G + k) at x."""
    t = -1 + 2 / grid * torch.arange(-degree, grid + degree + 1, dtype=torch.float64)
    x = x[..., None]
    b = ((x >= t[:-1]) & (x < t[1:])).double()
    for k in range(1, degree + 1):
        left = (x - t[: -k - 1]) / (t[k:-1] - t[: -k - 1])
        right = (t[k + 1 :] - x) / (t[k + 1 :] - t[1:-k])
        b = left * b[..., :-1] + right * b[..., 1:]
    return b


def layer(x, coefficients, w_base, w_spline, grid, degree):
    """y (batch, o) of x (batch, n); coefficients (n, G + k, o)."""
    curve = torch.einsum("bnc,nco->bno", basis(x, grid, degree), coefficients)
    return (w_base * torch.nn.functional.silu(x)[..., None] + w_spline * curve).sum(1)


def case(sizes, grid, degree, seed=0):
    """One network: its arrays, input, output, and gradients of sum(delta * y)."""
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape, scale=1.0):
        return (scale * (2 * torch.rand(*shape, generator=rng, dtype=torch.float64) - 1)).requires_grad_()

    layers = [
        {
            "coefficients": draw(n, grid + degree, o, scale=0.4 / n),  # hidden values stay inside the grid
            "w_base": draw(n, o, scale=0.6 / n),
            "w_spline": draw(n, o),
        }
        for n, o in pairwise(sizes)
    ]
    x = draw(16, sizes[0])
    hidden = [x]
    for arrays in layers:
        hidden.append(layer(hidden[-1], *arrays.values(), grid, degree))
    assert all(h.abs().max() < 1 for h in hidden[:-1])
    delta = draw(16, sizes[-1]).detach()
    (delta * hidden[-1]).sum().backward()
    return {
        "sizes": sizes,
        "grid": grid,
        "degree": degree,
        "x": x.tolist(),
        "y": hidden[-1].tolist(),
        "delta": delta.tolist(),
        "dx": x.grad.tolist(),
        "layers": [{name: a.tolist() for name, a in arrays.items()} for arrays in layers],
        "grads": [{name: a.grad.tolist() for name, a in arrays.items()} for arrays in layers],
    }


if __name__ == "__main__":
    for name, (sizes, grid, degree) in CASES.items():
        text = json.dumps(
            {"source": f"benchmarks/reference/kan.py, torch {torch.__version__}", **case(sizes, grid, degree)}
        )
        (OUT / f"kan_{name}.json").write_text(text + "\n")
        print(name, len(text))
