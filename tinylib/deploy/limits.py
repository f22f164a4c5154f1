"""What a network may take on a device, and whether it does: flash, RAM, instructions, time.

    latency_ms = 1e3 * instructions * cycles_per_instruction / clock_hz

An emulator counts instructions; how many cycles one takes is assumed, and named in every sentence about time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tinylib.cost.devices import Device, named
from tinylib.cost.layers import count
from tinylib.units import real, shown

CYCLES_PER_INSTRUCTION = 1.5  # assumed: an M0+ needs 1 for a sum, 2 for a load or a taken branch


@dataclass(frozen=True)
class Limits:
    """What a network may take; None sets no limit.

    flash_bytes, ram_bytes [bytes]      instructions: of one inference [count]
    latency_ms: of one inference [ms], at clock_hz [Hz] and an assumed number of cycles for an instruction
    """

    flash_bytes: int | None = None
    ram_bytes: int | None = None
    instructions: int | None = None
    latency_ms: float | None = None
    clock_hz: int | None = None
    cycles_per_instruction: float = CYCLES_PER_INSTRUCTION

    def __post_init__(self) -> None:
        for name in ("flash_bytes", "ram_bytes", "instructions", "clock_hz"):
            if getattr(self, name) is not None:
                count(name, getattr(self, name), 0)
        if self.latency_ms is not None and self.clock_hz is None:
            raise ValueError("clock_hz must be given with latency_ms: a time needs a clock, got None")


@dataclass(frozen=True)
class Fit:
    """Whether a network keeps limits: true when nothing is `broken`; it holds a sentence for each limit."""

    broken: tuple[str, ...]

    def __bool__(self) -> bool:
        return not self.broken

    def __iter__(self) -> Iterator[str]:
        return iter(self.broken)

    def __str__(self) -> str:
        return "\n".join(self.broken) or "fits"


def latency_ms(
    instructions: int, clock_hz: int, cycles_per_instruction: float = CYCLES_PER_INSTRUCTION
) -> float:
    """Time of so many instructions [ms]."""
    if real("cycles_per_instruction", cycles_per_instruction) <= 0:
        raise ValueError(f"cycles_per_instruction must be positive, got {shown(cycles_per_instruction)}")
    return 1e3 * instructions * cycles_per_instruction / count("clock_hz", clock_hz, 1)


def kept(
    limits: Limits | Device | str, flash_bytes: int, ram_bytes: int, instructions: int, differing: int = 0
) -> Fit:
    """Whether figures keep limits, or fit a device, which may be given by its id."""
    row = named(limits) if isinstance(limits, str) else limits
    if isinstance(row, Device):
        limits = Limits(row.flash_bytes, row.sram_bytes)
    if not isinstance(limits, Limits):
        raise TypeError(f"limits must be Limits, a Device or its id, got {shown(limits)}")
    where = f" of {row.name}" if isinstance(row, Device) else ""
    rows = [
        ("flash", flash_bytes, limits.flash_bytes, "bytes"),
        ("RAM", ram_bytes, limits.ram_bytes, "bytes"),
        ("one inference", instructions, limits.instructions, "instructions"),
    ]
    broken = [
        f"{what} must stay within {most:,} {unit}{where}, got {found:,}"
        for what, found, most, unit in rows
        if most is not None and found > most
    ]
    if limits.latency_ms is not None:
        cycles, clock = limits.cycles_per_instruction, limits.clock_hz
        found = latency_ms(instructions, clock, cycles)
        if found > limits.latency_ms:
            broken.append(
                f"one inference must stay within {limits.latency_ms:g} ms at {clock / 1e6:g} MHz,"
                f" got {found:.3g} ms (assumed: {cycles:g} cycles for an instruction)"
            )
    if differing:
        broken.append(f"the answers must be those of Python, got {differing:,} codes that differ")
    return Fit(tuple(broken))
