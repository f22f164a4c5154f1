"""Devices: the course budget comes first, every row has a source, sizes as in the data sheets."""

import pytest

from tinylib.cost import Device, devices


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
