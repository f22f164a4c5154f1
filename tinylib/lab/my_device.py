"""my_device(): the board whose budgets the figures are held against, kept beside the learner's record."""

import json
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from ipywidgets import HTML, Dropdown, VBox

from tinylib.cost import devices
from tinylib.cost.devices import Device
from tinylib.practice import progress
from tinylib.units import format_bytes


def _file() -> Path | None:
    """Where the choice is kept: `device.json` in the record's folder, nowhere when recording is off."""
    record = progress.path()
    return record.with_name("device.json") if record else None


class Chosen:
    """The device in use, for everyone in this kernel: read once, kept on change, told to all who ask."""

    def __init__(self) -> None:
        self.note = ""  # one sentence when the kept choice could not be read
        self._listeners: list[Callable[[Device], None]] = []
        self._device: Device | None = None

    @property
    def device(self) -> Device:
        """The chosen device; at first the kept one, else the course's default."""
        if self._device is None:
            self._device = self._read()
        return self._device

    def choose(self, device_id: str) -> Device:
        """Take another device, keep the choice and tell the listeners. ValueError for an unknown id."""
        device = devices.named(device_id)
        if device == self.device:
            return device
        self._device, self.note = device, ""
        self._keep(device_id)
        for listener in tuple(self._listeners):
            listener(device)
        return device

    def listen(self, listener: Callable[[Device], None]) -> None:
        """Call `listener` with the device after every change."""
        self._listeners.append(listener)

    def forget(self) -> None:
        """Drop what is in memory, so that the kept choice is read again."""
        self._device, self.note = None, ""

    def _read(self) -> Device:
        file = _file()
        if file is None or not file.exists():
            return devices.named(devices.DEFAULT)
        try:
            return devices.named(json.loads(file.read_text(encoding="utf-8"))["device"])
        except (OSError, ValueError, KeyError, TypeError):
            self.note = f"{file.name} holds no known device, so the course's default is used."
            return devices.named(devices.DEFAULT)

    def _keep(self, device_id: str) -> None:
        file = _file()
        if file is None:
            return
        try:
            file.write_text(json.dumps({"device": device_id}) + "\n", encoding="utf-8")
        except OSError:
            self.note = "The choice could not be kept: it holds until this notebook is closed."


CHOSEN = Chosen()


class DeviceChoice:
    """A list of devices to choose from; `.device` is the one in use. Shown as widgets."""

    def __init__(self, chosen: Chosen = CHOSEN) -> None:
        self._chosen, self._words = chosen, HTML()
        self.control = Dropdown(
            options=[(_label(device), id) for id, device in devices.DEVICES.items()],
            value=chosen.device.id,
            description="Device",
            tooltip="The device whose memory the figures are held against",
            layout={"width": "max-content"},
        )
        self.control.observe(lambda change: chosen.choose(change["new"]), "value")
        chosen.listen(self._follow)
        self._follow(chosen.device)

    @property
    def device(self) -> Device:
        """The device in use."""
        return self._chosen.device

    def _follow(self, device: Device) -> None:
        if self.control.value != device.id:
            self.control.value = device.id
        lines = [line for line in (self._chosen.note, *_lines(device)) if line]
        self._words.value = "<br>".join(map(escape, lines))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        live = VBox([self.control, self._words])._repr_mimebundle_() or {}
        words = " ".join(_lines(self.device))
        return {**live, "text/plain": words, "text/html": f"<p>{escape(words)}</p>"}


def _label(device: Device) -> str:
    sizes = f"{format_bytes(device.sram_bytes)} SRAM, {format_bytes(device.flash_bytes)} flash"
    return f"{device.name.partition(':')[0]}: {sizes}"


def _lines(device: Device) -> tuple[str, str]:
    return (f"Figures are held against {_label(device)}.", f"Source: {device.source}.")


def my_device(device_id: str | None = None) -> DeviceChoice:
    """Choose the device whose memory turns the figures red; `my_device().device` is the one in use.

    An id such as "nano33ble" is chosen at once. Raises ValueError, which names all ids, for an unknown one.
    """
    if device_id is not None:
        CHOSEN.choose(device_id)
    return DeviceChoice()
