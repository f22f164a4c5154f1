"""Makes tests/nets/data/recurrent.json, liquid.json and load_*: values and gradients of torch and ncps.

Recurrent layers are torch's own, CfC and the synaptic LTC are the cells of ncps, all in float64 with
autograd; the per-neuron LTC, which no library holds, is written out from its equation. Weights to load
come from torch modules as a user would export them. Run with torch 2.x and ncps, from the project's root.
"""

import json
from pathlib import Path

import ncps
import numpy as np
import torch
from ncps.torch import CfCCell, LTCCell
from ncps.wirings import FullyConnected
from torch import nn

OUT = Path(__file__).resolve().parents[2] / "tests" / "nets" / "data"
TIME, BATCH, INPUTS, NEURONS, BACKBONE = 6, 2, 2, 3, 4
SOURCE = f"benchmarks/reference/recurrent.py, torch {torch.__version__}, ncps {ncps.__version__}"


def lists(tensors):
    return {name: value.tolist() for name, value in tensors.items()}


def run(parameters, forward, last_only=False):
    """Outputs, and gradients of sum(delta * outputs) (of the last alone when last_only)."""
    for p in parameters.values():
        p.grad = None
    xs = torch.randn(TIME, BATCH, INPUTS, dtype=torch.float64, requires_grad=True)
    hs = forward(xs)
    delta = torch.randn_like(hs)
    (delta[-1] * hs[-1] if last_only else delta * hs).sum().backward()
    return {
        "arrays": lists(parameters),
        "xs": xs.tolist(),
        "hs": hs.tolist(),
        "delta": (delta[-1] if last_only else delta).tolist(),
        "dxs": xs.grad.tolist(),
        "grads": lists({name: p.grad for name, p in parameters.items()}),
    }


def steps(step, states, cut=None):
    """A forward pass step by step; the gradient is cut between windows of `cut` samples from the last."""

    def forward(xs):
        h, hs = states, []
        for t, x in enumerate(xs):
            if cut and t and (TIME - t) % cut == 0:
                h = tuple(s.detach() for s in h)
            h = step(x, h, t)
            hs.append(h[0])
        return torch.stack(hs)

    return forward


def zeros(n=1):
    return tuple(torch.zeros(BATCH, NEURONS, dtype=torch.float64) for _ in range(n))


def torch_cases():
    for kind in ("RNN", "LSTM", "GRU"):
        layer = getattr(nn, kind)(INPUTS, NEURONS).double()
        named = dict(layer.named_parameters())
        for last_only in (False, True):
            options = {"kind": kind, "last_only": last_only, "truncation": None}
            yield options | run(named, lambda xs, layer=layer: layer(xs)[0], last_only)

        def step(x, h, t, layer=layer, kind=kind):
            state = tuple(s[None] for s in h) if kind == "LSTM" else h[0][None]
            after = layer(x[None], state)[1]
            return tuple(s[0] for s in after) if kind == "LSTM" else (after[0],)

        for cut in (1, 4):
            forward = steps(step, zeros(2 if kind == "LSTM" else 1), cut)
            yield {"kind": kind, "last_only": False, "truncation": cut} | run(named, forward)


def cfc_cases():
    for activation, mode in (("tanh", "default"), ("lecun_tanh", "default"), ("tanh", "no_gate")):
        for even in (True, False):
            cell = CfCCell(INPUTS, NEURONS, mode, activation, BACKBONE).double()
            with torch.no_grad():
                for p in cell.parameters():
                    p.add_(0.3 * torch.randn_like(p))
            elapsed = torch.full((TIME,), 0.7) if even else 0.2 + 2 * torch.rand(TIME)
            forward = steps(lambda x, h, t, c=cell, e=elapsed: (c(x, h[0], float(e[t]))[0],), zeros())
            case = run(dict(cell.named_parameters()), forward)
            yield {"kind": "CfC", "activation": activation, "mode": mode, "elapsed": elapsed.tolist()} | case


def synaptic_cases():
    for mapping in (None, "affine"):
        cell = LTCCell(FullyConnected(NEURONS), INPUTS, mapping, mapping, ode_unfolds=4).double()
        masks = ("sparsity_mask", "sensory_sparsity_mask")
        named = {name: p for name, p in cell.named_parameters() if name not in masks}
        with torch.no_grad():
            for name in ("input_w", "input_b", "output_w", "output_b"):
                if name in named:
                    named[name].add_(0.3 * torch.randn_like(named[name]))
        outputs = []

        def step(x, h, t, cell=cell, outputs=outputs):
            y, v = cell(x, h[0], 0.5)
            outputs.append(y)
            return (v,)

        def forward(xs, step=step, outputs=outputs):
            outputs.clear()
            steps(step, zeros())(xs)
            return torch.stack(outputs)

        yield {"kind": "SynapticLTC", "unfolds": 4, "dt": 0.5} | run(named, forward)


def ltc_case():
    """x' = (x + h f a) / (1 + h (1/tau + f)), f = sigmoid(u w_in + x w_rec + b)."""

    def draw(*shape):
        return torch.randn(*shape, dtype=torch.float64).requires_grad_()

    named = {name: draw(*s) for name, s in {"w_in": (2, 3), "w_rec": (3, 3), "b": (3,), "a": (3,)}.items()}
    named["tau"] = (0.5 + torch.rand(3, dtype=torch.float64)).requires_grad_()
    dt, unfolds = 0.9, 3

    def step(u, h, t):
        x = h[0]
        for _ in range(unfolds):
            f = torch.sigmoid(u @ named["w_in"] + x @ named["w_rec"] + named["b"])
            share = dt / unfolds
            x = (x + share * f * named["a"]) / (1 + share * (1 / named["tau"] + f))
        return (x,)

    return {"kind": "LTC", "unfolds": unfolds, "dt": dt} | run(named, steps(step, zeros()))


class Reader(nn.Module):
    """A recurrent layer and a linear reading of its last state."""

    def __init__(self, rnn, neurons):
        super().__init__()
        self.rnn = rnn
        self.out = nn.Linear(neurons, 1)

    def forward(self, xs):
        return self.out(self.rnn(xs)[0][-1])


def exported():
    """Weights as files, in the three ways that can be read, and what torch answers."""
    models = {
        "mlp": nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Sigmoid()),
        "lstm": Reader(nn.LSTM(2, 3), 3),
        "gru": Reader(nn.GRU(2, 3, num_layers=2), 3),
    }
    weights = {
        kind: {name: value.numpy().copy() for name, value in model.state_dict().items()}
        for kind, model in models.items()
    }
    np.savez(OUT / "load_lstm.npz", **weights["lstm"])
    lines = []
    for name, a in weights["mlp"].items():
        lines += [" ".join([name, *map(str, a.shape)]), *(str(float(v)) for v in a.ravel())]
    (OUT / "load_mlp.txt").write_text("\n".join(lines) + "\n")
    folder = OUT / "load_gru"
    folder.mkdir(exist_ok=True)
    for name, a in weights["gru"].items():
        (folder / f"{name}.txt").write_text("\n".join(str(float(v)) for v in a.ravel()) + "\n")
    found = {}
    for kind, model in models.items():
        shape = (8, 2) if kind == "mlp" else (TIME, 4, 2)
        xs = torch.randn(*shape, dtype=torch.float64)
        with torch.no_grad():
            found[kind] = {"xs": xs.tolist(), "y": model.double()(xs).tolist()}
    return found


def write(name, cases):
    text = json.dumps({"source": SOURCE, "cases": cases})
    (OUT / name).write_text(text + "\n")
    print(name, len(text))


if __name__ == "__main__":
    torch.manual_seed(0)
    OUT.mkdir(parents=True, exist_ok=True)
    write("recurrent.json", list(torch_cases()))
    write("liquid.json", [*cfc_cases(), *synaptic_cases(), ltc_case()])
    write("load.json", exported())
