"""Microcontrollers as rows of data: memory, core and clock, each row with the source of its figures.

Memories are in bytes; the rows live in `data/devices.toml` and are read on first use.
"""

from dataclasses import dataclass
from pathlib import Path

from tinylib.units import shown

DEFAULT = "course"  # id of the budget that lessons use when they name no part


@dataclass(frozen=True)
class Device:
    """One part. `source` names the data sheet, `checked` says what was looked at.

    sram_bytes, flash_bytes: on-chip memory [bytes];  clock_hz: highest core clock, None if none is set [Hz]
    """

    id: str
    name: str
    sram_bytes: int
    flash_bytes: int
    core: str
    clock_hz: int | None
    source: str
    checked: str
    note: str = ""


_devices: dict[str, Device] = {}


def _rows() -> dict[str, Device]:
    if not _devices:
        import tomllib

        text = (Path(__file__).parent / "data" / "devices.toml").read_text(encoding="utf-8")
        for row in tomllib.loads(text)["device"]:
            _devices[row["id"]] = Device(**({"clock_hz": None} | row))
    return _devices


def named(id: str) -> Device:
    """The device with this id; `DEVICES` maps all ids."""
    if not isinstance(id, str) or id not in _rows():
        raise ValueError(f"device must be one of {', '.join(_rows())}, got {shown(id)}")
    return _rows()[id]


def __getattr__(name: str) -> object:
    if name == "DEVICES":  # id -> Device
        from types import MappingProxyType

        return MappingProxyType(_rows())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
