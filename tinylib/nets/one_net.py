"""One tiny network in plain Python integers: no array, so that a training step takes microseconds.

The network is written out as Python (`unrolled`), compiled once and kept. Every word is that of
`train.train` and `Network` in the same arithmetic; what cannot be unrolled is refused by name.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from tinylib.formats import lut
from tinylib.formats.qformat import QFormat, wrap
from tinylib.nets.arithmetic import Array, Fixed
from tinylib.nets.dense import Dense
from tinylib.nets.network import Network
from tinylib.nets.optimizers import SGD
from tinylib.nets.train import History, prepared
from tinylib.nets.unrolled import BENDS, TABLES, WHOLE_BITS, Ends, Layout, Writer, inference, training
from tinylib.units import shown

WEIGHTS = 2_000  # as many are still worth a line each
PLAIN, Q16_16 = SGD(), Fixed(QFormat(16, 16))


def _flat(arrays: list[dict[str, Array]]) -> list[int]:
    return [code for part in arrays for name in ("w", "b") for code in part[name].ravel().tolist()]


def _shaped(codes: Any, net: Network, ops: Fixed) -> list[dict[str, Array]]:
    """The inverse of `_flat`, for the shapes of a network."""
    rest, arrays = np.array(codes, dtype=ops.dtype), []
    for part in net.parts:
        w, b, rest = np.split(rest, [part.w.size, part.w.size + part.b.size])
        arrays.append({"w": w.reshape(part.w.shape), "b": b})
    return arrays


@lru_cache(maxsize=16)
def _whole(function: str, ops: Fixed) -> list[int]:
    """A tabulated function at every code from -6 to 6."""
    return ops.read(function, np.arange(-6 * ops.one, 6 * ops.one)).tolist()


def _compiled(source: str, ops: Fixed, used: tuple[str, ...]) -> Any:
    """The function that a source defines, with the tables it reads."""
    q, overflow = ops.q, ops.overflow
    space: dict[str, Any] = {"fit": lambda raw: q.fit(raw, overflow), "register": lambda raw: wrap(raw, 64)}
    for function in {f for f in used if f in TABLES}:
        nodes = ops.table(function).tolist()
        space[f"far_{function}"] = lambda x, nodes=nodes: int(lut.read(nodes, q.fit(x, overflow), q))
        if q.frac_bits <= WHOLE_BITS:
            space[function] = _whole(function, ops)
    exec(compile(source, "<one network>", "exec"), space)
    return space["run"]


@lru_cache(maxsize=64)
def _trainer(ops: Fixed, layout: Layout, x: Ends, t: Ends, limit: int, numbers: tuple[int, int, int]) -> Any:
    return _compiled(training(Writer(ops, []), layout, x, t, limit, numbers), ops, layout[1])


@lru_cache(maxsize=64)
def _runner(ops: Fixed, layout: Layout, x: Ends) -> Any:
    return _compiled(inference(Writer(ops, []), layout, x), ops, layout[1])


def _layout(net: Network, ops: Fixed) -> Layout:
    if not isinstance(ops, Fixed):
        raise TypeError(f"one network in integers needs Fixed arithmetic, got {shown(ops)}")
    for part in net.parts:
        if not isinstance(part, Dense) or part.seeds or part.activation not in BENDS:
            raise ValueError(f"each part must be one Dense with {', '.join(BENDS)}, got {shown(part)}")
    net.check(ops)
    if net.count > WEIGHTS:
        raise ValueError(f"a network in integers must have at most {WEIGHTS:,} weights, got {net.count:,}")
    sizes = (net.parts[0].w.shape[0], *(part.w.shape[1] for part in net.parts))
    if any(part.w.shape[0] != n for part, n in zip(net.parts, sizes)):
        raise ValueError(f"each part must take what the one before gives, got sizes {sizes}")
    return sizes, tuple(part.activation for part in net.parts)


def _range(codes: Array) -> Ends:
    return int(codes.min()), int(codes.max())


def train(
    net: Network,
    xs: Any,
    targets: Any,
    optimizer: SGD = PLAIN,
    ops: Fixed = Q16_16,
    epochs: int = 1,
    rng: np.random.Generator | None = None,
    dead_zone: float = 0.0,
    keep_steps: bool = False,
) -> tuple[Network, History]:
    """The trained network and its history: word for word what `train.train` gives sample by sample.

    For Dense parts with tanh, sigmoid, relu or linear, squared loss, and SGD with momentum and acceleration.
    """
    settings = (optimizer.learning_rate, *(getattr(optimizer, n, 0) for n in ("momentum", "acceleration")))
    if optimizer != SGD(settings[0], momentum=settings[1], acceleration=settings[2]):
        raise ValueError(
            f"optimizer must be SGD with momentum and acceleration alone, got {shown(optimizer)}"
        )
    layout = _layout(net, ops)
    x, t = prepared(xs, targets, ops)
    if x.shape[-1] != layout[0][0] or t.shape[-1] != layout[0][-1] or x.ndim != 2:
        raise ValueError(f"xs and targets must fit the sizes {layout[0]}, got {x.shape} and {t.shape}")
    numbers = tuple(int(ops.number(v)) for v in settings)
    run = _trainer(ops, layout, _range(x), _range(t), int(ops.number(dead_zone)), numbers)
    rows, history = np.concatenate([x, t], axis=1).tolist(), History()
    weights = _flat(net.arrays)
    groups: tuple[Any, ...] = (weights, [0] * len(weights), [0] * len(weights))
    for _ in range(epochs):
        losses: list[int] = []
        order = rows if rng is None else [rows[i] for i in rng.permutation(len(rows))]
        updates, groups = run(order, groups, losses)
        history.updates += updates
        history.loss.append(float(np.mean(ops.values(losses))))
        history.steps += ops.values(losses).tolist() if keep_steps else []
    return net.with_arrays(_shaped(groups[0], net, ops)), history


def predict(net: Network, xs: Any, ops: Fixed) -> Array:
    """Outputs (samples, m) as real numbers for inputs (samples, n): those of `Network.predict`."""
    layout, x = _layout(net, ops), ops.number(xs)
    if x.ndim != 2 or x.shape[1] != layout[0][0] or not x.size:
        raise ValueError(f"xs must have the shape (samples, {layout[0][0]}), got {x.shape}")
    return ops.values(_runner(ops, layout, _range(x))(x.tolist(), _flat(net.arrays)))
