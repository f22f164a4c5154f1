"""XOR 2-4-1 in Q16.16, one sample at a time: plain integers beside torch, and 1,000 networks at once.

Needs torch for the first row (no lock holds it); without it the row is left out, with a line that says so.
Both sides are interleaved on one thread, a ratio is taken in each round, and the median is reported.
"""

import statistics
from collections.abc import Callable

import numpy as np
from beside import row, seconds, show

from tinylib.nets import one_net
from tinylib.nets.network import Network, mlp
from tinylib.nets.optimizers import SGD
from tinylib.nets.train import train
from tinylib.nets.xor import INPUTS, Q16_16, TARGETS, network, samples

ROUNDS = 7
RATE = SGD(0.5)


def medians(peer: Callable[[], object], ours: Callable[[], object], scale: float = 1.0) -> tuple[float, ...]:
    """Medians over the rounds: ratio, seconds of the peer (times `scale`), our seconds."""
    ours()  # tables and compiled code are there
    rounds = [(scale * seconds(peer, 1), seconds(ours, 1)) for _ in range(ROUNDS)]
    return tuple(
        statistics.median(v)
        for v in ([p / o for p, o in rounds], [p for p, _ in rounds], [o for _, o in rounds])
    )


def torch_run(torch, net: Network, xs: np.ndarray, targets: np.ndarray):
    """The same task as a torch module with autograd and SGD; its predictions for the four cases."""
    values = [{name: Q16_16.values(a) for name, a in part.items()} for part in net.arrays]
    module = torch.nn.Sequential(
        torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1), torch.nn.Sigmoid()
    )
    with torch.no_grad():
        for layer, part in zip((module[0], module[2]), values):
            layer.weight.copy_(torch.tensor(part["w"].T))
            layer.bias.copy_(torch.tensor(part["b"]))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.5)
    x, t = (torch.tensor(a, dtype=torch.float32) for a in (xs, targets))
    for i in range(len(xs)):
        optimizer.zero_grad()
        loss = 0.5 * ((module(x[i]) - t[i]) ** 2).sum()
        loss.backward()
        optimizer.step()
    return module(torch.tensor(INPUTS, dtype=torch.float32)).detach().numpy()


def beside_torch(torch) -> dict:
    """20,000 per-sample steps of one network."""
    torch.set_num_threads(1)
    net, (xs, targets) = network(1, Q16_16), samples(20_000)
    few = xs[:4_000], targets[:4_000]
    ours, _ = one_net.train(net, *few, RATE, Q16_16)
    arrays, _ = train(net, *few, optimizer=RATE, ops=Q16_16)
    for a, b in zip(ours.arrays, arrays.arrays):
        assert all(np.array_equal(a[k], b[k]) for k in a), "integers and arrays must give the same words"
    predicted = one_net.predict(ours, INPUTS, Q16_16)
    assert np.abs(predicted - torch_run(torch, net, *few)).max() < 0.02, "torch must learn the same"
    assert np.array_equal(predicted > 0.5, TARGETS > 0.5), "XOR must be learnt"
    ratio, peer, own = medians(
        lambda: torch_run(torch, net, xs, targets), lambda: one_net.train(net, xs, targets, RATE, Q16_16)
    )
    note = f"{peer / 0.02:.0f} and {own / 0.02:.2f} µs a step"
    work = "XOR 2-4-1 Q16.16, 20,000 steps"
    return row(work, "torch, same task", ratio, 15, 75, note)


def at_once(nets: int = 1_000, alone: int = 50) -> dict:
    """4,000 steps of 1,000 networks, all at once and one by one (`alone` of them timed, and scaled)."""
    xs, targets = samples(4_000)
    many = mlp((2, 4, 1), rng=np.random.default_rng(0), ops=Q16_16, limit=1.0, seeds=(nets,))
    singles = [many.at(s) for s in range(alone)]
    together, _ = train(many, xs, targets, optimizer=RATE, ops=Q16_16)

    def one_by_one():
        return [one_net.train(net, xs, targets, RATE, Q16_16)[0] for net in singles]

    for s, net in enumerate(one_by_one()):
        for a, b in zip(together.at(s).arrays, net.arrays):
            assert all(np.array_equal(a[k], b[k]) for k in a), "together and alone must give the same words"
    ratio, peer, own = medians(
        one_by_one, lambda: train(many, xs, targets, optimizer=RATE, ops=Q16_16), nets / alone
    )
    note = f"{peer:.1f} s and {own:.2f} s; one by one timed on {alone} networks"
    work = f"{nets:,} XOR nets x 4,000 steps at once"
    return row(work, "one by one", ratio, 10, 20, note)


def rows() -> list[dict]:
    """One record for each comparison that can be made here."""
    try:
        import torch
    except ImportError:
        work = "XOR 2-4-1 Q16.16, 20,000 steps"
        return [row(work, "torch", None, 15, 75, "torch is not installed"), at_once()]
    return [beside_torch(torch), at_once()]


if __name__ == "__main__":
    show(rows())
