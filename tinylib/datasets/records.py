"""Examples with their labels, units, source and licence, and how they are parted."""

from dataclasses import dataclass, replace
from random import Random
from typing import Self

import numpy as np

from tinylib.units import shown


@dataclass(frozen=True)
class Examples:
    """n examples; the arrays are never changed in place.

    x: (n, features), or (time, n, features) for sequences   [`units`]
    y: (n,) class numbers, 0 .. len(classes) - 1
    side: (height, width) of the image that a row of features is; () for other data
    groups: (n,) number of the machine, speaker or person that each example comes from; None if unknown
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]
    units: str
    source: str
    licence: str
    side: tuple[int, ...] = ()
    groups: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.y.ndim != 1 or self.x.ndim not in (2, 3) or self.x.shape[-2] != len(self.y):
            raise ValueError(
                f"x must hold one row per label: (n, features) or (time, n, features), "
                f"got {self.x.shape} and {self.y.shape}"
            )
        if self.groups is not None and self.groups.shape != self.y.shape:
            raise ValueError(
                f"groups must hold one number per label, got {self.groups.shape} and {self.y.shape}"
            )

    def __len__(self) -> int:
        return len(self.y)

    @property
    def targets(self) -> np.ndarray:
        """One-hot labels (n, classes): 1.0 at the class, else 0.0."""
        return np.eye(len(self.classes))[self.y]

    @property
    def images(self) -> np.ndarray:
        """The examples as images (n, height, width, 1); raises for data that are none."""
        if not self.side:
            raise ValueError(f"images must come from image data: {self.name} has none, got {self.x.shape}")
        return self.x.reshape(-1, *self.side, 1)

    def take(self, rows: np.ndarray | list[int] | slice) -> Self:
        """The chosen examples, in the order of `rows`."""
        groups = None if self.groups is None else self.groups[rows]
        return replace(self, x=self.x[..., rows, :], y=self.y[rows], groups=groups)

    def split(self, train: int, validation: int, seed: int = 0) -> "Split":
        """The examples in an order drawn by `seed`: the first for training, the last for the test."""
        if train < 1 or validation < 0 or train + validation >= len(self):
            raise ValueError(
                f"train and validation must leave a test set: there are {len(self)} examples, "
                f"got {shown(train)} and {shown(validation)}"
            )
        order = _order(len(self), seed)
        middle = train + validation
        return Split(self.take(order[:train]), self.take(order[train:middle]), self.take(order[middle:]))

    def split_groups(self, train: int, validation: int, seed: int = 0) -> "Split":
        """As `split`, with `train` and `validation` counted in groups: none is in two parts.

        The accuracy is then that on a machine, speaker or person never seen before.
        """
        if self.groups is None:
            raise ValueError(f"groups must be known to part by them: {self.name} has none, got None")
        names = np.unique(self.groups)
        if train < 1 or validation < 0 or train + validation >= len(names):
            raise ValueError(
                f"train and validation must leave a test set: there are {len(names)} groups, "
                f"got {shown(train)} and {shown(validation)}"
            )
        names, middle = names[_order(len(names), seed)], train + validation
        parts = (names[:train], names[train:middle], names[middle:])
        return Split(*(self.take(np.flatnonzero(np.isin(self.groups, part))) for part in parts))


def _order(n: int, seed: int) -> np.ndarray:
    """0 .. n - 1 in an order drawn by `seed`; the stream of `random` is the same in every Python."""
    draw = Random(seed).random
    return np.argsort([draw() for _ in range(n)], kind="stable")


@dataclass(frozen=True)
class Split:
    """Examples to learn from, to choose by, and to report on once."""

    train: Examples
    validation: Examples
    test: Examples
