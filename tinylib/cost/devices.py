"""Microcontrollers as rows of data: memory, core, clock, speed, current and price, each with its source.

    P = I_per_MHz x f x V   [mW] for mA/MHz, MHz and V

Memories are in bytes; the rows live in `data/devices.toml` and are read on first use. What no data sheet
states stands in `assumed`, with the ground it was assumed on.
"""

from dataclasses import dataclass
from pathlib import Path

from tinylib.units import real, shown

DEFAULT = "course"  # id of the budget that lessons use when they name no part


@dataclass(frozen=True)
class Device:
    """One part. `source` names the data sheet, `checked` says what was looked at.

    sram_bytes, flash_bytes: on-chip memory [bytes];  clock_hz: highest core clock, None if none is set [Hz]
    macs_per_cycle_int8: [MAC/cycle];  bytes_per_cycle: from SRAM [bytes/cycle];  None if not set
    ma_per_mhz: active current [mA/MHz];  price_eur: one chip [EUR];  None if not set
    figures_source, assumed: each of these four once, "<number> <unit>: <ground>", parted by "; "
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
    macs_per_cycle_int8: float | None = None
    bytes_per_cycle: float | None = None
    ma_per_mhz: float | None = None
    price_eur: float | None = None
    assumed: str = ""
    figures_source: str = ""

    def active_power_mw(self, voltage_v: float = 3.0) -> float | None:
        """Power of the running chip at its highest clock [mW]; None where clock or current is not set.

        A front-page current is a best case at a lower clock, so this is then a lower bound.
        """
        if real("voltage_v", voltage_v) <= 0:
            raise ValueError(f"voltage_v must be positive: a supply drives the chip, got {shown(voltage_v)}")
        if self.clock_hz is None or self.ma_per_mhz is None:
            return None
        return self.ma_per_mhz * self.clock_hz / 1e6 * float(voltage_v)


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
