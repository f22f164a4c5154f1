"""Energy ladder and battery picture: ratios and days follow from the cost room."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.show import canvases


def test_ladder_says_energies_and_ratios():  # 640 pJ / 1 pJ, 640 / 4.6
    said = canvases.alternative(canvases.energy_ladder())
    assert "DRAM, 32-bit word 640 pJ, 640 × one register" in said and "FP32 MAC 4.6 pJ" in said
    assert "139 × one FP32 MAC" in canvases.alternative(canvases.energy_ladder("FP32 MAC"))


def test_printed_ladder_is_kept_apart():  # its register of 0.1 pJ makes DRAM 6,400 times as dear
    said = canvases.alternative(canvases.energy_ladder(as_printed=True))
    assert "as printed" in said and "6,400 × one register" in said


@pytest.mark.parametrize("compare", ["", "a cup of tea", "DRAMS"])
def test_ladder_refuses_an_unknown_step(compare):
    with pytest.raises(ValueError, match="compare must be"):
        canvases.energy_ladder(compare)


@given(st.floats(0.001, 1e6), st.floats(0.01, 1e5), st.floats(0.1, 1e4))
def test_battery_draws_at_every_setting(energy_uj, every_s, sleep_uw):
    ElementTree.fromstring(canvases.battery(energy_uj, every_s, sleep_uw))


def test_battery_days_by_hand():  # 225 mAh x 3.6 x 3 V = 2430 J; 84 uJ / 10 s + 6 uW = 14.4 uW
    said = canvases.alternative(canvases.battery(84, 10))
    assert f"{round(2430 / 14.4e-6 / 86400):,} days" in said and "58.3 %" in said
