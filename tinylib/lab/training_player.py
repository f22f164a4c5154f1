"""training_player(recordings): a network that learns two inputs, played step by step for two arithmetics."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from ipywidgets import Play

from tinylib.lab.explore import Explorer, explore
from tinylib.nets.arithmetic import Arithmetic
from tinylib.nets.network import Network
from tinylib.nets.optimizers import Optimizer
from tinylib.nets.train import train
from tinylib.show.training_player import CORNERS, HIGH, LOW, Run, training_frame

CELLS = 24  # of a surface, along each axis
LOOKS = 60


def recorded(
    net: Network,
    xs: Any,
    targets: Any,
    optimizer: Optimizer,
    ops: Arithmetic,
    dead_zone: float = 0.0,
    looks: int = LOOKS,
) -> Run:
    """The run of a network of two inputs and one output through all samples, looked at `looks` times."""
    sizes = net.parts[0].w.shape[-2], net.parts[-1].w.shape[-1]
    if sizes != (2, 1):
        raise ValueError(
            "a network must take two inputs and give one output to be drawn, got {} and {}".format(*sizes)
        )
    every = len(xs) // looks
    if every < 1 or len(xs) % looks:
        raise ValueError(f"samples must be a multiple of the {looks} looks, got {len(xs)}")
    centres = LOW + (np.arange(CELLS) + 0.5) * (HIGH - LOW) / CELLS
    plane = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)
    corners = np.array(CORNERS, float)
    wanted = np.array([next(t for x, t in zip(xs, targets) if (x == c).all()) for c in corners]).ravel()
    history, seen = None, []
    for start in range(0, len(xs) + 1, every):
        answers = net.predict(corners, ops)[:, 0]
        seen.append(
            (
                start,
                float(np.mean((answers - wanted) ** 2)),
                tuple(np.concatenate([ops.values(p[n]).ravel() for p in net.arrays for n in ("w", "b")])),
                net.predict(plane, ops).reshape(CELLS, CELLS).tolist(),
                tuple(answers.tolist()),
            )
        )
        part = slice(start, start + every)
        if start < len(xs):
            settings = {"optimizer": optimizer, "ops": ops, "dead_zone": dead_zone, "resume": history}
            net, history = train(net, xs[part], targets[part], **settings)
    return Run(*zip(*seen), hidden=net.parts[0].count)


def training_player(recordings: Mapping[str, Run], title: str = "Learning XOR") -> Explorer:
    """Play buttons and a slider over the looks: the first recording, and one of the others beside it."""
    if len(recordings) < 2:
        raise ValueError(f"recordings must be two or more, to stand side by side, got {len(recordings)}")
    first, *others = recordings
    last = len(recordings[first].steps) - 1

    def draw(look: int, beside: str) -> str:
        return training_frame({name: recordings[name] for name in (first, beside)}, look, title=title)

    return explore(draw, look=Play(value=last, min=0, max=last, interval=150), beside=others)
