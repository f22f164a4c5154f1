"""Parameter records: what a network has learnt, as frozen arrays beside the layer that counts them."""

from dataclasses import fields, replace
from typing import Any, Self

import numpy as np

from tinylib.cost.layers import Layer
from tinylib.nets.floating import known
from tinylib.units import shown

Arrays = dict[str, np.ndarray]


def got(x: Any) -> str:
    """What an argument is, for an error: the shape of an array, or the value."""
    return f"shape {x.shape}" if isinstance(x, np.ndarray) else shown(x)


def features(part: Any, x: Any, n: int) -> None:
    """Raise unless x is an array (..., batch, n)."""
    if not isinstance(x, np.ndarray) or x.ndim < 2 or x.shape[-1] != n:
        raise ValueError(f"{part.layer} expects x (..., batch, {n}), got {got(x)}")


def shaped(delta: Any, y: np.ndarray) -> None:
    """Raise unless delta is an array shaped as the output y."""
    if not isinstance(delta, np.ndarray) or delta.shape != y.shape:
        raise ValueError(f"delta must have the shape of the output, {y.shape}, got {got(delta)}")


class Params:
    """Base of a frozen dataclass whose array fields are the parameters; they are never changed in place.

    A subclass has `layer`, its description in `cost`, which counts parameters and work. Arrays may have
    leading axes: independent networks of one shape, such as seeds.
    """

    @property
    def layer(self) -> Layer:
        """The layer of `tinylib.cost` that these parameters belong to."""
        raise NotImplementedError

    @property
    def arrays(self) -> Arrays:
        """The parameters by name."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in named.items() if isinstance(value, np.ndarray)}

    @property
    def count(self) -> int:
        """Values to store [count], all leading axes included."""
        return sum(a.size for a in self.arrays.values())

    def with_arrays(self, arrays: Arrays) -> Self:
        """The same record with other arrays; nothing is checked, so that training stays fast."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new.__dict__.update(arrays)
        return new

    def mapped(self, function: Any) -> Self:
        """The same record with `function` applied to each array: `ops.number` quantizes a float record."""
        return replace(self, **{name: function(a) for name, a in self.arrays.items()})

    def _dense(self) -> None:
        """Raise unless w (..., n, m), b (..., m) and activation are those of a fully connected layer."""
        if not isinstance(self.w, np.ndarray) or self.w.ndim < 2:
            raise ValueError(f"w must be a matrix (..., n, m), got {shown(self.w)}")
        known(self.activation)
        self._shapes(w=self.w.shape[-2:], b=self.w.shape[-1:])

    def _shapes(self, **wanted: tuple[int, ...]) -> None:
        """Raise unless the named arrays end in their shapes, share the axes before, and hold no NaN."""
        leading = None
        for name, shape in wanted.items():
            value = getattr(self, name)
            if not isinstance(value, np.ndarray) or value.shape[-len(shape) :] != shape:
                got = value.shape if isinstance(value, np.ndarray) else shown(value)
                raise ValueError(f"{name} must have the shape {shape}, got {got}")
            if value.dtype.kind not in "fiuO":
                raise TypeError(f"{name} must hold real numbers, got an array of {value.dtype}")
            lead = value.shape[: value.ndim - len(shape)]
            if leading not in (None, lead):
                raise ValueError(f"{name} must have the leading axes {leading} of the others, got {lead}")
            leading = lead
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise ValueError(f"{name} must be finite: a network cannot run on NaN or infinity")
