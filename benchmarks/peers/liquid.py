"""CfC and synaptic LTC: one sequence forward, and forward and back, beside ncps on torch.

Same weights and inputs, float32, one thread; states and gradients are compared before anything is timed.
A training step of the peer is forward, backward and zeroed gradients, without an optimiser; so is ours.
Needs ncps and torch; the weights go from ours to the peer.
"""

import numpy as np
from beside import medians, recurrent, row, show

from tinylib.nets.arithmetic import FLOAT32
from tinylib.nets.cfc import CfC
from tinylib.nets.liquid import SynapticLTC

INPUTS = 2
CFC_SIZES = ((3, 4), (8, 16))  # neurons, backbone features
LTC_SIZES = (3, 8)
BATCHES = (1, 32)
TIME = 32
GOALS = {("CfC", "forward"): (4, 8), ("CfC", "train"): (6, 12)}
LTC_GOALS = (2.5, 4)


def cfc_pair(neurons: int, backbone: int):
    """Our cell and the peer's with the same weights."""
    import torch
    from ncps.torch import CfC as Peer

    cell = CfC.draw(np.random.default_rng(0), INPUTS, neurons, backbone, FLOAT32, activation="scaled_tanh")
    peer = Peer(INPUTS, neurons, batch_first=False, backbone_units=backbone)
    heads = np.split(cell.w_heads, 4, -1), np.split(cell.b_heads, 4)
    inner = peer.rnn_cell
    layers = (inner.ff1, inner.ff2, inner.time_a, inner.time_b)
    with torch.no_grad():
        inner.backbone[0].weight.copy_(torch.tensor(np.concatenate((cell.w_in, cell.w_rec)).T.copy()))
        inner.backbone[0].bias.copy_(torch.tensor(cell.b))
        for layer, w, b in zip(layers, *heads, strict=True):
            layer.weight.copy_(torch.tensor(w.T.copy()))
            layer.bias.copy_(torch.tensor(b))
    return cell, peer, lambda grads: (grads["w_rec"], inner.backbone[0].weight.grad[:, INPUTS:].T)


def ltc_pair(neurons: int):
    """Our cell and the peer's with the same weights."""
    import torch
    from ncps.torch import LTC as Peer

    cell = SynapticLTC.draw(np.random.default_rng(0), INPUTS, neurons, FLOAT32)
    peer = Peer(INPUTS, neurons, batch_first=False, implicit_param_constraints=False)
    theirs = peer.rnn_cell._params
    with torch.no_grad():
        for name, array in cell.arrays.items():
            kind, _, where = name.partition("_")
            theirs[f"sensory_{kind}" if where == "in" else kind].copy_(torch.tensor(array))
    return cell, peer, lambda grads: (grads["mu_rec"], theirs["mu"].grad)


def compared(name: str, cell, peer, weights, batch: int, goals: dict) -> list[dict]:
    """Rows of forward and of training at one batch size, after a check that both agree."""
    xs = np.random.default_rng(1).normal(size=(TIME, batch, INPUTS)).astype(np.float32)
    forward, train, peer_forward, peer_train = recurrent(cell, peer, xs)
    np.testing.assert_allclose(forward()[0], peer_forward().numpy(), atol=2e-4)
    peer_train()
    ours, expected = weights(train()[1])
    np.testing.assert_allclose(ours, expected.numpy(), rtol=2e-3, atol=2e-3 * float(abs(expected).max()))
    rows = []
    for what, mine, other in ("forward", forward, peer_forward), ("train", train, peer_train):
        ours_s, peer_s = medians(mine, other)
        must, aim = goals[what]
        note = f"{1e3 * ours_s:.2f} ms against {1e3 * peer_s:.2f} ms"
        rows.append(row(f"{name}, B={batch} T={TIME}, {what}", "ncps", peer_s / ours_s, must, aim, note))
    return rows


def rows() -> list[dict]:
    """Every size and batch: a ratio above 1 is in our favour."""
    try:
        import ncps  # noqa: F401
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        return [row("CfC and LTC", "ncps", None, note=f"not installed: {error.name}")]
    found = []
    for batch in BATCHES:
        for neurons, backbone in CFC_SIZES:
            goals = {what: GOALS["CfC", what] for what in ("forward", "train")}
            found += compared(f"CfC {neurons} ({backbone})", *cfc_pair(neurons, backbone), batch, goals)
        for neurons in LTC_SIZES:
            goals = dict.fromkeys(("forward", "train"), LTC_GOALS)
            found += compared(f"synaptic LTC {neurons}", *ltc_pair(neurons), batch, goals)
    return found


if __name__ == "__main__":
    show(rows())
