"""Key of assignment 01: the private question and the function that the bank does not hold. Never released."""

from grading.keys import key
from tinylib import units
from tinylib.cost import Conv2D
from tinylib.practice import Absolute, Exercise, Misconception

LARGEST_MAP = Exercise(
    id="a01.largest_map",
    title="The widest layer that fits",
    prompt="A microcontroller has {sram_kib} KiB of SRAM for activations. A layer reads an INT8 map of "
    "{side} x {side} and writes one of the same side and channel count; both must be held at once. "
    "What is the largest whole number of channels that fits?",
    given={"sram_kib": 256, "side": 24},
    draws={"sram_kib": (96, 128, 192, 256, 320, 512), "side": (12, 14, 18, 20, 24, 28)},
    answer=lambda sram_kib, side: sram_kib * units.KIB // (2 * side * side),
    unit="channels",
    tolerance=Absolute(0),
    expect=227,
    source="worked by hand: 262,144 / (2 x 576) = 227.6",
    misconceptions=(
        Misconception(
            lambda sram_kib, side: sram_kib * units.KIB // (side * side),
            "Only one map is counted: input and output are in memory together.",
        ),
        Misconception(
            lambda sram_kib, side: sram_kib * units.KB // (2 * side * side),
            "A KiB is 1024 bytes, not 1000.",
        ),
        Misconception(
            lambda sram_kib, side: -(-sram_kib * units.KIB // (2 * side * side)),
            "Rounded up: that many channels no longer fit.",
        ),
    ),
)


@key(
    "a01.efficiency_report",
    examples=[
        (
            (2, 4, 3, 5, 6, 8),
            {
                "params": 72,
                "size_kb": 0.072,
                "macs": 2160,
                "flops": 4320,
                "activation_kib": 0.1171875,
                "intensity": 17.142857142857142,
            },
        )
    ],
)
class EfficiencyReport:
    def draw(rng):  # not square, sides never equal: catches a swapped or doubled side
        return (
            rng.int(2, 64),
            rng.int(2, 64),
            rng.odd(1, 7),
            rng.int(3, 40),
            rng.int(41, 80),
            rng.choice((4, 8, 16, 32)),
        )

    def expected(c_in, c_out, kernel_size, h_out, w_out, bits):
        layer = Conv2D(c_in, c_out, kernel_size, padding="same", bias=False)
        macs = layer.macs((h_out, w_out, c_in))
        return {
            "params": layer.params,
            "size_kb": layer.params * bits / 8 / units.KB,
            "macs": macs,
            "flops": 2 * macs,
            "activation_kib": c_out * h_out * w_out * bits / 8 / units.KIB,
            "intensity": 2 * macs / ((layer.params + (c_in + c_out) * h_out * w_out) * bits / 8),
        }

    def slips(c_in, c_out, kernel_size, h_out, w_out, bits):
        right = EfficiencyReport.expected(c_in, c_out, kernel_size, h_out, w_out, bits)
        return {
            "params": {"that has a bias in it": right["params"] + c_out},
            "size_kb": {
                "that is in KiB": right["size_kb"] * units.KB / units.KIB,
                "that is in kilobits": right["size_kb"] * 8,
            },
            "macs": {
                "the kernel is used once, it has k x k taps": right["macs"] / kernel_size,
                "those are FLOPs": 2 * right["macs"],
            },
            "flops": {"those are MACs": right["macs"]},
            "activation_kib": {
                "that is in KB": right["activation_kib"] * units.KIB / units.KB,
                "those are values, not bytes": right["activation_kib"] * 8 / bits,
            },
            "intensity": {
                "those are MACs per byte": right["intensity"] / 2,
                "the input is not counted": right["flops"]
                * 8
                / bits
                / (right["params"] + c_out * h_out * w_out),
            },
        }
