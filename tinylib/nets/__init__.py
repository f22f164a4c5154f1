"""Networks that run and learn, in floating point and in Q fixed point, written once on numpy arrays.

A *part* is a frozen record of parameters with

    forward(x, ops) -> y, tape              tape: what `back` needs, nothing else
    back(tape, delta, ops) -> dx, grads     products with the transposed Jacobian; grads by array name

and a *cell* is a part with a state, whose `step` and `back` see one time step; `scan` owns time.
`delta` may be any linear signal. `train` feeds the downhill direction, -dLoss/dy, so that gradients
are what is *added* to a weight: the form in which small fixed-point libraries round them.

`ops` is the arithmetic: `FLOAT`, or `Fixed(QFormat(16, 16))` with every rounding by name.

    >>> net = mlp((2, 4, 1))
    >>> net.count
    17
    >>> Network((Recurrent(LSTM.draw(rng, 3, 16), last_only=True), Dense.draw(rng, 16, 4)))

The parts are here by name; everything else lies in its module, as `nets.train.train`.
"""

from importlib import import_module

_NAMES = {
    "arithmetic": ("FLOAT", "FLOAT32", "Fixed", "Float"),
    "binary": ("BinaryDense", "TernaryDense"),
    "cfc": ("CfC",),
    "conv": ("Conv1D", "Conv2D", "DepthwiseConv2D", "PointwiseConv2D"),
    "dense": ("Dense",),
    "kan": ("KAN",),
    "liquid": ("LTC", "SynapticLTC"),
    "network": ("Network", "mlp"),
    "pool": (
        "AvgPool1D",
        "AvgPool2D",
        "Dropout",
        "Flatten",
        "GlobalAvgPool2D",
        "GlobalMaxPool2D",
        "MaxPool1D",
        "MaxPool2D",
    ),
    "recurrent": ("GRU", "LSTM", "Elman"),
    "scan": ("Recurrent",),
}
_FROM = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_FROM)


def __getattr__(name: str) -> object:
    if name not in _FROM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FROM[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
