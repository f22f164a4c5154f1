"""Key of assignment 10: the private question and the function that the bank does not hold. Never released."""

import math

from grading.keys import key
from tinylib import units
from tinylib.cost import energy, latency
from tinylib.cost.memory import weight_bytes
from tinylib.practice import Absolute, Exercise, Misconception

CELL_MAH, CELL_V, YEAR_S, SLEEP_W = 225, 3.0, 365 * 86400, 6e-6


def shortest(uj: float, allowed_uw: float, sleep_uw: float) -> int:
    """Whole seconds between inferences of `uj` that stay within a mean power of `allowed_uw` [s]."""
    return math.ceil(uj / (allowed_uw - sleep_uw))


YEAR_UW = energy.battery_j(CELL_MAH, CELL_V) / YEAR_S * 1e6

SHORTEST_INTERVAL = Exercise(
    id="a10.shortest_interval",
    title="A year on a coin cell",
    prompt="A sensor node draws {mw} mW for {ms} ms per inference, and {sleep_uw} µW all the time besides. "
    "It runs on a CR2032 of 225 mAh at 3 V. What is the shortest interval between inferences, in whole "
    "seconds, with which the cell lasts at least 365 days? (no ageing)",
    given={"mw": 30, "ms": 50, "sleep_uw": 12},
    draws={"mw": (20, 30, 40, 50), "ms": (30, 40, 50, 60), "sleep_uw": (11, 12, 16, 18)},
    answer=lambda mw, ms, sleep_uw: shortest(mw * ms, YEAR_UW, sleep_uw),
    unit="s",
    tolerance=Absolute(0),
    expect=24,
    source="worked by hand: 2430 J / 31,536,000 s = 77.05 µW; 1500 µJ / 65.05 µW = 23.06 s",
    misconceptions=(
        Misconception(
            lambda mw, ms, sleep_uw: shortest(mw * ms, YEAR_UW, sleep_uw) - 1,
            "Rounded down: so often the cell does not last the year.",
        ),
        Misconception(
            lambda mw, ms, sleep_uw: shortest(mw * ms, YEAR_UW / 3.6, sleep_uw),
            "Milliwatt-hours stand where joules belong: 1 mAh at 1 V is 3.6 J.",
        ),
        Misconception(
            lambda mw, ms, sleep_uw: shortest(mw * ms, YEAR_UW / CELL_V, sleep_uw),
            "The voltage is missing: charge alone is no energy.",
        ),
        Misconception(
            lambda mw, ms, sleep_uw: shortest(mw * ms, YEAR_UW, 0),
            "The sleep power is missing: it is drawn all the time.",
        ),
    ),
)


@key(
    "a10.budget_report",
    examples=[
        (
            (8192, 2048, 8, 4_000_000, 80, 20, 10),
            {
                "flash_kib": 8.0,
                "sram_kib": 2.0,
                "latency_ms": 50.0,
                "energy_uj": 1000.0,
                "mean_uw": 106.0,
                "days": 265.3301886792453,
            },
        )
    ],
)
class BudgetReport:
    def draw(rng):  # sizes are multiples of 8: whole bytes at every width
        return (
            8 * rng.int(1_000, 100_000),
            8 * rng.int(200, 30_000),
            rng.choice((2, 4, 16, 32)),
            1000 * rng.int(500, 30_000),
            rng.choice((48, 64, 96, 168, 216)),
            rng.int(8, 90),
            rng.int(20, 600),
        )

    def expected(params, peak_values, bits, macs, clock_mhz, power_mw, every_s):
        time_s = latency.compute_time_s(macs, clock_mhz * 1e6)
        spent_j = energy.energy_per_inference_j(power_mw / 1000, time_s)
        return {
            "flash_kib": weight_bytes(params, bits) / units.KIB,
            "sram_kib": weight_bytes(peak_values, bits) / units.KIB,
            "latency_ms": 1000 * time_s,
            "energy_uj": 1e6 * spent_j,
            "mean_uw": 1e6 * energy.average_power_w(spent_j, every_s, SLEEP_W),
            "days": energy.battery_days(CELL_MAH, CELL_V, spent_j, every_s, SLEEP_W),
        }

    def slips(params, peak_values, bits, macs, clock_mhz, power_mw, every_s):
        right = BudgetReport.expected(params, peak_values, bits, macs, clock_mhz, power_mw, every_s)
        return {
            "flash_kib": {
                "that is in KB": right["flash_kib"] * units.KIB / units.KB,
                "those are bytes at 8 bits a value": params / units.KIB,
            },
            "sram_kib": {
                "that is in KB": right["sram_kib"] * units.KIB / units.KB,
                "those are bytes at 8 bits a value": peak_values / units.KIB,
            },
            "latency_ms": {
                "that is in seconds": right["latency_ms"] / 1000,
                "that is for FLOPs, and the core does a whole MAC per cycle": 2 * right["latency_ms"],
            },
            "energy_uj": {"that is in mJ": right["energy_uj"] / 1000},
            "mean_uw": {
                "the sleep power is missing": right["mean_uw"] - 1e6 * SLEEP_W,
                "that is not spread over the interval": right["energy_uj"] + 1e6 * SLEEP_W,
            },
            "days": {
                "the voltage is missing": right["days"] / CELL_V,
                "milliwatt-hours stand where joules belong": right["days"] / 3.6,
                "those are hours": right["days"] * 24,
            },
        }
