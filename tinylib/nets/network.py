"""A network: parts in a row, run forward from the first to the last and back again.

    forward: x -> part 1 -> part 2 -> ... -> y        back: delta at y -> ... -> part 2 -> part 1

A part has `forward`, `back`, `arrays`, `with_arrays`, `mapped` and `layer` (see `Params`). It may have
    sampled(rng)             the part for one training step, where that differs from its use: dropout
    grads(tape, delta, ops)  the gradients of `back` alone, where that is cheaper: for a first part
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np

from tinylib.cost import layers
from tinylib.cost.layers import Shape
from tinylib.cost.models import Model, Node
from tinylib.nets.arithmetic import FLOAT, Arithmetic, Array, Fixed, Float
from tinylib.nets.dense import Dense
from tinylib.nets.params import Arrays
from tinylib.units import shown


@dataclass(frozen=True)
class Network:
    """Parts in the order they run; networks are values, training returns new ones."""

    parts: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.parts, (tuple, list)):
            raise TypeError(f"parts must be a tuple of parts, got {shown(self.parts)}")
        object.__setattr__(self, "parts", tuple(self.parts))
        if not self.parts:
            raise ValueError("a network must have at least one part, got none")
        for part in self.parts:
            if not hasattr(part, "forward") or not hasattr(part, "back"):
                raise TypeError(f"a part must have forward and back, got {shown(part)}")

    def forward(self, x: Array, ops: Arithmetic = FLOAT) -> tuple[Array, list[Any]]:
        """Output as `ops` stores it, and the tape of every part."""
        tapes = []
        for part in self.parts:
            x, tape = part.forward(x, ops)
            tapes.append(tape)
        return x, tapes

    def back(self, tapes: list[Any], delta: Array, ops: Arithmetic = FLOAT) -> tuple[Array, list[Arrays]]:
        """Signal at the input, and the gradients of every part, for delta at the output."""
        grads: list[Arrays] = []
        for part, tape in zip(reversed(self.parts), reversed(tapes)):
            delta, found = part.back(tape, delta, ops)
            grads.insert(0, found)
        return delta, grads

    def grads(self, tapes: list[Any], delta: Array, ops: Arithmetic = FLOAT) -> list[Arrays]:
        """The gradients of `back` alone; a first part with `grads` is spared the signal at the input."""
        found: list[Arrays] = []
        for part, tape in zip(self.parts[:0:-1], tapes[:0:-1]):
            delta, grads = part.back(tape, delta, ops)
            found.insert(0, grads)
        first = self.parts[0]
        if hasattr(first, "grads"):
            return [first.grads(tapes[0], delta, ops), *found]
        return [first.back(tapes[0], delta, ops)[1], *found]

    def predict(self, x: Any, ops: Arithmetic = FLOAT) -> Array:
        """Output as real numbers for an input of real numbers."""
        self.check(ops)
        return ops.values(self.forward(ops.number(x), ops)[0])

    def check(self, ops: Arithmetic) -> None:
        """Raise unless the parameters are numbers of `ops`: integer codes in fixed point, else floats."""
        if not isinstance(ops, (Float, Fixed)):
            raise TypeError(f"ops must be FLOAT or a Fixed arithmetic, got {shown(ops)}")
        wanted = "f" if isinstance(ops, Float) else "iO"
        for name, a in ((name, a) for part in self.parts for name, a in part.arrays.items()):
            if a.dtype.kind not in wanted:
                kind = "floats" if wanted == "f" else f"codes of {ops.q}"
                raise TypeError(f"{name} must hold {kind}: `mapped(ops.number)` makes them, got {a.dtype}")

    @property
    def arrays(self) -> list[Arrays]:
        """The parameters: one dict of arrays for every part."""
        return [part.arrays for part in self.parts]

    def with_arrays(self, arrays: Sequence[Arrays]) -> Self:
        """The same network with other parameters; nothing is checked."""
        new = object.__new__(type(self))
        new.__dict__["parts"] = tuple(part.with_arrays(a) for part, a in zip(self.parts, arrays))
        return new

    def mapped(self, function: Callable[[Array], Array]) -> Self:
        """The same network with `function` applied to each array: `mapped(ops.number)` quantizes."""
        return type(self)(tuple(part.mapped(function) for part in self.parts))

    def sampled(self, rng: np.random.Generator | None) -> Self:
        """The network for one training step: parts that draw something at random have drawn it."""
        if not any(hasattr(part, "sampled") for part in self.parts):
            return self
        if rng is None:
            raise ValueError("rng must be given: a part of this network draws at random while it trains")
        return type(self)(tuple(p.sampled(rng) if hasattr(p, "sampled") else p for p in self.parts))

    @property
    def count(self) -> int:
        """Values to store [count], all leading axes included."""
        return sum(part.count for part in self.parts)

    @property
    def seeds(self) -> Shape:
        """Leading axes of the parts: independent networks; () for one network."""
        return next((part.seeds for part in self.parts if getattr(part, "seeds", ())), ())

    def at(self, index: Any) -> Self:
        """One of the independent networks."""
        if not self.seeds:
            raise ValueError(f"a network must have leading axes to choose from, got one network and {index}")
        return self.mapped(lambda a: a[index])

    def seeds_inner(self) -> Self:
        """The same numbers with those of all seeds side by side in memory, where loops run along them."""
        lead = len(self.seeds)
        return self.mapped(lambda a: _last_inner(a, lead)) if lead else self

    def model(self, in_shape: Shape, name: str = "network") -> Model:
        """The description that counts and draws it: a chain of the layers of its parts.

        A Dense part that is handed a sequence (time, n) works at every time step, as a convolution of one
        tap does, and is counted as one.
        """
        nodes, model = [], None
        for layer in (part.layer for part in self.parts if part.layer is not None):
            shape = model.rows[-1].out_shape if model else tuple(np.atleast_1d(in_shape))
            if type(layer) is layers.Dense and len(shape) == 2 and shape[-1] == layer.in_features:
                layer = layers.Conv1D(layer.in_features, layer.out_features, 1)
            nodes.append(Node(f"{type(layer).__name__.lower()}_{len(nodes) + 1}", layer))
            model = Model(name, in_shape, tuple(nodes))
        return model or Model(name, in_shape, ())


def _last_inner(a: Array, lead: int) -> Array:
    """`a` with its first `lead` axes the fastest in memory."""
    axes = (*range(lead, a.ndim), *range(lead))
    return np.ascontiguousarray(a.transpose(axes)).transpose(np.argsort(axes))


def mlp(
    sizes: Sequence[int],
    hidden: str = "tanh",
    output: str = "sigmoid",
    rng: np.random.Generator | None = None,
    ops: Arithmetic = FLOAT,
    limit: float | None = None,
    seeds: Shape = (),
) -> Network:
    """A multilayer perceptron with random weights: mlp((2, 4, 1)) has 2 inputs, 4 hidden, 1 output.

    `rng` None is `numpy.random.default_rng(0)`; `limit` and `seeds` are those of `Dense.draw`.
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes must name an input and an output, such as (2, 4, 1), got {shown(sizes)}")
    rng = np.random.default_rng(0) if rng is None else rng
    bent = [hidden] * (len(sizes) - 2) + [output]
    shapes = zip(pairwise(sizes), bent)
    return Network(tuple(Dense.draw(rng, n, m, f, ops, limit, seeds) for (n, m), f in shapes))
