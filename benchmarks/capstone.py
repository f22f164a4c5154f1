"""What a class might try on the capstone: train each design, build and run it, and fit the estimate.

    python -m benchmarks.capstone     16 s on two cores; writes tinylib/deploy/data/capstone.json

Needs the extra `device`. Accuracies are of the 6 visible speakers and of 24 others.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from tqdm import tqdm

from tinylib.deploy import capstone, plain_network
from tinylib.deploy.capstone_runs import DATA, Run, looks
from tinylib.nets import conv, int8, pool
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network

STUDY_SEED = 20_000  # of the unheard speakers that the file reports


def _dense(*sizes: int) -> Callable[[np.random.Generator], list[Any]]:
    """Dense layers on the flattened picture: sizes from the input to the answers."""

    def parts(rng: np.random.Generator) -> list[Any]:
        ends = ["relu"] * (len(sizes) - 2) + ["linear"]
        return [pool.Flatten(), *(Dense.draw(rng, n, m, f) for n, m, f in zip(sizes, sizes[1:], ends))]

    return parts


def _pooled(size: int, *hidden: int) -> Callable[[np.random.Generator], list[Any]]:
    """Means of size x size cells, then dense layers."""
    inputs = (20 // size) ** 2
    return lambda rng: [pool.AvgPool2D(size), *_dense(inputs, *hidden, capstone.CLASSES)(rng)]


def _conv(filters: int, kernel: int, stride: int, *hidden: int) -> Callable[[np.random.Generator], list[Any]]:
    """One convolution with a stride, then dense layers."""
    inputs = filters * ((20 - kernel) // stride + 1) ** 2

    def parts(rng: np.random.Generator) -> list[Any]:
        first = conv.Conv2D.draw(rng, 1, filters, kernel, "relu", stride=stride)
        return [first, *_dense(inputs, *hidden, capstone.CLASSES)(rng)]

    return parts


def _separable(rng: np.random.Generator) -> list[Any]:
    """Convolution, depthwise, pointwise, dense: few weights, many instructions."""
    return [
        conv.Conv2D.draw(rng, 1, 6, 5, "relu", stride=3),
        conv.DepthwiseConv2D.draw(rng, 6, 3, "relu"),
        conv.PointwiseConv2D.draw(rng, 6, 8, "relu"),
        *_dense(128, capstone.CLASSES)(rng),
    ]


def _twice(rng: np.random.Generator) -> list[Any]:
    """Two full convolutions, dense."""
    first = conv.Conv2D.draw(rng, 1, 4, 5, "relu", stride=3)
    second = conv.Conv2D.draw(rng, 4, 6, 3, "relu")
    return [first, second, *_dense(96, capstone.CLASSES)(rng)]


DESIGNS: dict[str, Callable[[np.random.Generator], list[Any]]] = {
    "means 5x5": _pooled(5),
    "means 4x4": _pooled(4),
    "means 2x2": _pooled(2),
    "means 2x2, dense 8": _pooled(2, 8),
    "dense": _dense(400, 5),
    "2 filters 5x5/3": _conv(2, 5, 3),
    "3 filters 5x5/3": _conv(3, 5, 3),
    "4 filters 5x5/3": _conv(4, 5, 3),
    "4 filters 5x5/4": _conv(4, 5, 4),
    "4 filters 4x4/4": _conv(4, 4, 4),
    "8 filters 4x4/4": _conv(8, 4, 4),
    "8 filters 5x5/3": _conv(8, 5, 3),
    "4 filters 3x3/2": _conv(4, 3, 2),
    "6 filters 6x6/2": _conv(6, 6, 2),
    "8 filters 5x5/3, dense 12": _conv(8, 5, 3, 12),
    "two convolutions": _twice,
    "separable": _separable,
}


def run(name: str, seed: int = 0) -> Run:
    """One design trained and measured here; needs the extra `device`."""
    net = capstone.fit(DESIGNS[name](np.random.default_rng(seed)), seed=seed)
    network, others = capstone.read(capstone.quantized(net)), capstone.unheard(STUDY_SEED)
    use = capstone.used(network, others)
    seen = capstone.accuracy(network, capstone.visible()[1])
    before = 100 * float(np.mean(net.forward(others.images)[0].argmax(-1) == others.y))
    took = (use.flash_bytes, use.ram_bytes, use.instructions, network.macs, net.count, network.weight_bytes)
    return Run(name, *took, round(seen, 1), round(use.accuracy, 1), round(before, 1))


def memorised() -> dict[str, float]:
    """Accuracies [%] of the largest design when it is fitted to the visible test speakers, who are six."""
    seen, others = capstone.visible()[1], capstone.unheard(STUDY_SEED)
    parts = DESIGNS["8 filters 5x5/3, dense 12"](np.random.default_rng(0))
    network = capstone.read(capstone.quantized(capstone.fit(parts, epochs=100, examples=seen)))
    pairs = {"visible": seen, "unheard": others}
    return {name: round(capstone.accuracy(network, data), 1) for name, data in pairs.items()}


def fitted(found: list[Run]) -> dict[str, list[float]]:
    """Bytes and instructions for each thing that an estimate looks at: least squares over the runs."""
    x, rng = np.zeros((1, *capstone.IN_SHAPE)), np.random.default_rng(0)
    nets = [Network(tuple(DESIGNS[run.name](rng))) for run in found]
    seen = [looks(capstone.read(plain_network.values(int8.from_float(net, x)))) for net in nets]
    flash = [run.flash_bytes - look[0][0] for run, look in zip(found, seen)]
    ram = [run.ram_bytes - look[1][0] for run, look in zip(found, seen)]
    work = [look[2] / run.instructions for run, look in zip(found, seen)]  # relative errors count
    pairs = {
        "flash": ([look[0][1] for look in seen], flash),
        "ram": ([look[1][1] for look in seen], ram),
        "instructions": (work, np.ones(len(work))),
    }
    solved = {name: np.linalg.lstsq(np.array(a), np.array(b))[0] for name, (a, b) in pairs.items()}
    return {name: [round(float(v), 3) for v in values] for name, values in solved.items()}


def main() -> None:
    """Train and measure everything again, and write the file."""
    found = [run(name) for name in tqdm(DESIGNS, unit="network", disable=None)]
    made = {
        "script": "python -m benchmarks.capstone",
        "target": capstone.TARGET,
        "fitted": fitted(found),
        "memorised": memorised(),
        "runs": [asdict(run) for run in found],
    }
    DATA.write_text(json.dumps(made).replace("}, {", "},\n{") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
