"""Writes tests/nets/data/mlp_autograd.json: outputs and gradients of small networks, by torch autograd.

Run in an environment with torch (no lock holds it): python benchmarks/reference/mlp.py. All is float64.
Gradients are those of the mean over the samples of the loss, with respect to weights, biases and input.
"""

import json
from pathlib import Path

PATH = Path(__file__).resolve().parents[2] / "tests" / "nets" / "data" / "mlp_autograd.json"
CASES = (
    ((2, 4, 1), "tanh", "sigmoid", "squared", 5),
    ((3, 5, 4, 2), "relu", "linear", "squared", 6),
    ((3, 6, 2), "elu", "tanh", "squared", 4),
    ((4, 6, 3), "silu", "linear", "cross_entropy", 7),
    ((2, 3, 4), "gelu", "linear", "cross_entropy", 3),
    ((2, 5, 2), "scaled_tanh", "sigmoid", "squared", 3),
)


def case(torch, sizes, hidden, output, loss, batch, seed):
    """One record: sizes, weights, data, outputs, loss and gradients."""
    functions = {
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "relu": torch.relu,
        "elu": torch.nn.functional.elu,
        "silu": torch.nn.functional.silu,
        "gelu": lambda z: z * torch.sigmoid(1.702 * z),  # the approximation that small libraries take
        "scaled_tanh": lambda z: 1.7159 * torch.tanh(0.666 * z),
        "linear": lambda z: z,
    }
    torch.manual_seed(seed)
    x = torch.randn(batch, sizes[0], dtype=torch.float64, requires_grad=True)
    pairs = list(zip(sizes, sizes[1:]))  # noqa: RUF007
    ws = [torch.randn(n, m, dtype=torch.float64, requires_grad=True) for n, m in pairs]
    bs = [torch.randn(m, dtype=torch.float64, requires_grad=True) for _, m in pairs]
    if loss == "squared":
        target = torch.rand(batch, sizes[-1], dtype=torch.float64)
    else:
        target = torch.nn.functional.one_hot(torch.randint(sizes[-1], (batch,)), sizes[-1]).double()
    y = x
    for i, (w, b) in enumerate(zip(ws, bs)):
        y = functions[output if i == len(ws) - 1 else hidden](y @ w + b)
    if loss == "squared":
        value = torch.nn.functional.mse_loss(y, target)
    else:
        value = torch.nn.functional.cross_entropy(y, target)
    value.backward()
    return {
        "sizes": sizes, "hidden": hidden, "output": output, "loss": loss,
        "w": [w.tolist() for w in ws], "b": [b.tolist() for b in bs],
        "x": x.tolist(), "target": target.tolist(), "y": y.tolist(), "value": value.item(),
        "dw": [w.grad.tolist() for w in ws], "db": [b.grad.tolist() for b in bs], "dx": x.grad.tolist(),
    }  # fmt: skip


def main() -> None:
    import torch

    cases = [case(torch, *c, seed) for seed, c in enumerate(CASES)]
    lines = ",\n".join(json.dumps(c) for c in cases)
    PATH.parent.mkdir(parents=True, exist_ok=True)
    made_by = f"benchmarks/reference/mlp.py, torch {torch.__version__}"
    PATH.write_text(f'{{"made_by": "{made_by}", "cases": [\n{lines}\n]}}\n')
    print(f"{len(cases)} cases in {PATH.name}")


if __name__ == "__main__":
    main()
