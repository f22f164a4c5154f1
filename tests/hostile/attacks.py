"""All attacks, by name: importing this module fills the list."""

from tests.hostile import (  # noqa: F401  (each module adds its attacks)
    broken,
    cells,
    floods,
    hooks,
    judged,
    network,
    pages,
    processes,
    reading,
    rebinding,
    replies,
    shadows,
    tampering,
    values,
)
from tests.hostile.work import ATTACKS, Attack

__all__ = ["ATTACKS", "Attack"]
