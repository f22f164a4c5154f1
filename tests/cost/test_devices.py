"""Devices: the course budget first, every figure sourced or named as assumed, sizes as in the data sheets."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.cost import Device, devices, processors

PARTS = [device for device in devices.DEVICES.values() if device.id != devices.DEFAULT]
UNITS = {
    "MAC per cycle": "macs_per_cycle_int8",
    "bytes per cycle": "bytes_per_cycle",
    "mA/MHz": "ma_per_mhz",
    "EUR": "price_eur",
}


def grounds(text):
    """(field, number, ground) of every clause "<number> <unit>: <ground>"."""
    for clause in text.split("; ") if text else ():
        figure, ground = clause.split(": ", 1)
        number, unit = figure.split(" ", 1)
        yield UNITS[unit], float(number), ground


by_id = {"ids": lambda value: value.id if isinstance(value, Device) else str(value)}


def test_the_course_default():
    first = next(iter(devices.DEVICES.values()))
    assert first is devices.named(devices.DEFAULT)
    assert (first.sram_bytes, first.flash_bytes) == (256 * 1024, 512 * 1024)
    assert first.name == "Course default: 256 KiB SRAM, 512 KiB flash"


@pytest.mark.parametrize(
    "name, sram_kib, flash_kib, clock_hz",
    [
        ("stm32l011", 2, 16, 32_000_000),
        ("nano33ble", 256, 1024, 64_000_000),  # nRF52840 product specification
        ("stm32f746", 320, 1024, 216_000_000),  # the target of MCUNet
        ("stm32h743", 1024, 2048, 480_000_000),
    ],
)
def test_sizes(name, sram_kib, flash_kib, clock_hz):
    device = devices.named(name)
    assert (device.sram_bytes, device.flash_bytes) == (sram_kib * 1024, flash_kib * 1024)
    assert device.clock_hz == clock_hz


@pytest.mark.parametrize("device", devices.DEVICES.values(), ids=lambda d: d.id)
def test_every_row_has_a_source(device):
    assert isinstance(device, Device) and device.source and device.checked and device.core
    assert 0 < device.sram_bytes < device.flash_bytes


def test_an_unknown_device_is_one_sentence_and_the_table_is_fixed():
    with pytest.raises(ValueError, match=r"device must be one of course, .* got 'esp'"):
        devices.named("esp")
    with pytest.raises(TypeError):
        devices.DEVICES["mine"] = None


@pytest.mark.parametrize("device", PARTS, **by_id)
def test_every_figure_is_there_and_named_once(device):
    figures = {name: getattr(device, name) for name in UNITS.values()}
    assert all(value > 0 and math.isfinite(value) for value in figures.values())
    named = [*grounds(device.figures_source), *grounds(device.assumed)]
    assert {name: number for name, number, _ in named} == figures
    assert set(Counter(name for name, *_ in named).values()) == {1}
    assert all(len(ground) > 10 for *_, ground in named)


def test_the_course_default_sets_no_figure():
    course = devices.named(devices.DEFAULT)
    assert not any(getattr(course, name) for name in UNITS.values())
    assert course.assumed == course.figures_source == "" and course.active_power_mw() is None


@pytest.mark.parametrize("device", [d for d in PARTS if d.id in processors.ids()], **by_id)
def test_peak_and_bandwidth_agree_with_the_processors(device):
    processor = processors.named(device.id)
    assert device.clock_hz * device.macs_per_cycle_int8 == processor.int8_macs_per_s
    assert device.clock_hz * device.bytes_per_cycle == processor.bandwidth_bytes_per_s


def test_five_parts_at_least_are_processors_too():
    both = {d.id for d in PARTS} & set(processors.ids())
    assert both >= {"stm32l072", "stm32f103c8", "nano33ble", "stm32f746", "stm32h743"}


@pytest.mark.parametrize("device", PARTS, **by_id)
def test_the_core_sets_what_a_cycle_does(device):
    per_cycle = {"Cortex-M0+": (0.25, 4), "Cortex-M3": (0.5, 4), "Cortex-M4F": (2, 4), "Cortex-M7": (2, 8)}
    assert (device.macs_per_cycle_int8, device.bytes_per_cycle) == per_cycle[device.core]


@pytest.mark.parametrize(
    "name, voltage_v, mw",
    [
        ("nano33ble", 3.0, 9.984),  # 0.052 mA/MHz x 64 MHz x 3 V; printed as 3.3 mA
        ("stm32f407", 3.3, 131.9472),  # 0.238 x 168 x 3.3
        ("apollo3", 3.3, 0.9504),  # 0.006 x 48 x 3.3
    ],
)
def test_active_power_by_hand(name, voltage_v, mw):
    assert devices.named(name).active_power_mw(voltage_v) == pytest.approx(mw)


@given(st.sampled_from(PARTS), st.floats(0.5, 5))
def test_power_is_proportional_to_the_voltage(device, voltage_v):
    assert device.active_power_mw(voltage_v) == pytest.approx(device.active_power_mw() * voltage_v / 3)


@pytest.mark.parametrize("voltage_v", [0, -3.0])
def test_a_voltage_is_positive(voltage_v):
    with pytest.raises(ValueError, match=r"voltage_v must be positive: a supply drives the chip, got"):
        devices.named("apollo3").active_power_mw(voltage_v)


def test_a_row_of_memory_alone_needs_no_figures():
    bench = Device("b", "Bench", 1024, 2048, "M0", 32_000_000, "none", "none", "a note")
    assert bench.note == "a note" and bench.ma_per_mhz is None and bench.active_power_mw() is None
