"""KAN: one training pass (forward and gradients) on 256 samples, tinylib beside pykan, interleaved.

Needs torch and pykan. Both hold the same float32 weights; outputs and gradients are compared before the
clock starts. pykan runs as a user gets it; its ratio after `speed()`, which drops its symbolic branch and
the record of activations, stands in the note. Neither side computes the gradient of the input.
"""

import contextlib
import io

import numpy as np
from beside import medians, row, show

BATCH = 256
NETWORKS = (2, 5, 1), (4, 16, 3)


def _pass_pair(torch, pykan, sizes: tuple[int, ...]) -> tuple:
    """The pykan model, and its pass and ours, asserted equal."""
    from tinylib.nets.arithmetic import FLOAT32
    from tinylib.nets.kan import KAN
    from tinylib.nets.network import Network

    with contextlib.redirect_stdout(io.StringIO()):  # it reports a folder of checkpoints
        model = pykan.KAN(width=list(sizes), grid=5, k=3, seed=0, auto_save=False, device="cpu")
    parts = []
    for act in model.act_fun:
        c, base, curve = (a.detach().numpy().copy() for a in (act.coef, act.scale_base, act.scale_sp))
        parts.append(KAN(np.ascontiguousarray(np.swapaxes(c, 1, 2)), base, curve, grid=5, degree=3))
    net = Network(tuple(parts))
    x = np.random.default_rng(0).uniform(-1, 1, (BATCH, sizes[0])).astype(np.float32)
    x_torch, zero = torch.tensor(x), torch.zeros(BATCH, sizes[-1])

    def theirs():
        model.zero_grad()
        y = model(x_torch)
        ((y - zero) ** 2).sum().div(2).backward()
        return y

    def ours():
        y, tapes = net.forward(x, FLOAT32)
        return y, net.grads(tapes, -y, FLOAT32)

    y, grads = ours()
    hidden = net.parts[0].forward(x, FLOAT32)[0]
    assert abs(hidden).max() < 1, "outside the grid pykan is 0 and tinylib goes on: choose other weights"
    np.testing.assert_allclose(y, theirs().detach().numpy(), atol=1e-5)
    for act, g in zip(model.act_fun, grads, strict=True):
        for name, peer in ("coefficients", act.coef), ("w_base", act.scale_base), ("w_spline", act.scale_sp):
            wanted = -peer.grad.numpy()
            wanted = np.swapaxes(wanted, 1, 2) if name == "coefficients" else wanted
            np.testing.assert_allclose(g[name], wanted, atol=1e-4 * max(1, abs(wanted).max()), err_msg=name)
    return model, theirs, ours


def rows() -> list[dict]:
    """One row for each network; one that says so where torch or pykan is missing."""
    try:
        import kan as pykan
        import torch
    except ModuleNotFoundError as error:
        return [row("KAN train", "pykan", None, 20, 40, f"not installed: {error.name}")]
    torch.set_num_threads(1)
    found = []
    for sizes in NETWORKS:
        model, theirs, ours = _pass_pair(torch, pykan, sizes)
        peer, own = medians(theirs, ours)
        model.speed()
        fast, again = medians(theirs, ours)
        note = f"{1e6 * own:.0f} µs a pass; {fast / again:.0f} x after pykan's speed()"
        work = f"KAN {'-'.join(map(str, sizes))} train, B = {BATCH}"
        found.append(row(work, "pykan", peer / own, 20, 40, note))
    return found


if __name__ == "__main__":
    show(rows())
