"""Processors as rows of data: how fast each computes and moves, from a Cortex-M0+ to an H200.

A microcontroller's peak is its clock times MACs per cycle; what a data sheet does not state is named in
`assumed`. Rates are per MAC; twice as many FLOP/s.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tinylib.units import shown


@dataclass(frozen=True)
class Processor:
    """One row. Peaks [MAC/s], None where the part has no such unit; bandwidth of main memory [bytes/s]."""

    id: str
    name: str
    bandwidth_bytes_per_s: int
    source: str
    int8_macs_per_s: int | None = None
    fp16_macs_per_s: int | None = None
    assumed: str = ""

    def peak_macs_per_s(self, bits: int) -> int:
        """Peak for values of so many bits [MAC/s]: INT8 up to 8 bits where there is one, else FP16."""
        small, large = self.int8_macs_per_s, self.fp16_macs_per_s
        return (small or large) if bits <= 8 else (large or small)


@cache
def _rows() -> dict[str, Processor]:
    import tomllib

    text = (Path(__file__).parent / "data" / "processors.toml").read_text(encoding="utf-8")
    return {row["id"]: Processor(**row) for row in tomllib.loads(text)["processor"]}


def ids() -> tuple[str, ...]:
    """All ids, from the slowest to the fastest."""
    return tuple(_rows())


def named(processor_id: str) -> Processor:
    """The processor with this id. ValueError with one sentence for an unknown one."""
    if processor_id not in _rows():
        raise ValueError(f"processor must be one of {', '.join(_rows())}, got {shown(processor_id)}")
    return _rows()[processor_id]
