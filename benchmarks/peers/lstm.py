"""LSTM and GRU beside torch.nn: where a fused kernel wins against one numpy call after another.

Same weights and inputs, float32, one thread; states are compared before anything is timed. A step of
numpy costs eight calls, the fused kernel one: torch is expected to win, and the table says by how much.
"""

import numpy as np
from beside import medians, recurrent, row, show

from tinylib.nets.arithmetic import FLOAT32
from tinylib.nets.load import cell

INPUTS, TIME = 3, 32
NEURONS = (8, 16)
BATCHES = (1, 32)
MUST, AIM = 1 / 3.5, 1 / 2  # of the LSTM forward: how much slower we may be


def pair(kind: str, neurons: int):
    """A torch layer and our cell with its weights."""
    import torch

    torch.manual_seed(0)
    peer = getattr(torch.nn, kind)(INPUTS, neurons)
    arrays = {name: value.detach().numpy() for name, value in peer.state_dict().items()}
    return cell(arrays, ops=FLOAT32), peer


def compared(kind: str, neurons: int, batch: int) -> list[dict]:
    """Rows of forward and of training, after a check that both agree."""
    ours, peer = pair(kind, neurons)
    xs = np.random.default_rng(1).normal(size=(TIME, batch, INPUTS)).astype(np.float32)
    forward, train, peer_forward, peer_train = recurrent(ours, peer, xs)
    np.testing.assert_allclose(forward()[0], peer_forward().numpy(), atol=1e-5)
    found = []
    for what, mine, other in ("forward", forward, peer_forward), ("train", train, peer_train):
        ours_s, peer_s = medians(mine, other)
        must, aim = (MUST, AIM) if (kind, what) == ("LSTM", "forward") else (None, None)
        note = f"{1e3 * ours_s:.2f} ms against {1e3 * peer_s:.2f} ms"
        work = f"{kind} {neurons}, B={batch} T={TIME}, {what}"
        found.append(row(work, "torch.nn", peer_s / ours_s, must, aim, note))
    return found


def rows() -> list[dict]:
    """Every size and batch: a ratio below 1 says that torch is faster."""
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        return [row("LSTM and GRU", "torch.nn", None, note=f"not installed: {error.name}")]
    sizes = [(neurons, batch) for batch in BATCHES for neurons in NEURONS]
    return [r for kind in ("LSTM", "GRU") for size in sizes for r in compared(kind, *size)]


if __name__ == "__main__":
    show(rows())
