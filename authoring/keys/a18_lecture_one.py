"""Key of assignment 18: the private question and the function over lecture one. Never released."""

from grading.keys import key
from tinylib import units
from tinylib.cost import Conv2D, energy, memory, roofline
from tinylib.practice import Absolute, Exercise, Misconception

# The draws keep gb_per_s / tokens_per_s (at most 67 / 14 = 4.8 GB) below the least memory, 6 GB: speed binds.
LARGEST_MODEL = Exercise(
    id="a18.largest_model",
    title="The largest model a phone can speak with",
    prompt="A phone has {ram_gb} GB free for weights and reads memory at {gb_per_s} GB/s (1 GB = 10^9 "
    "bytes). A language model stores {bits} bits per weight and reads every weight once for each token. It "
    "must fit, and produce at least {tokens_per_s} tokens per second. Leave cache and activations aside. "
    "How many million parameters can it have at most? (whole millions)",
    given={"ram_gb": 8, "gb_per_s": 51, "bits": 4, "tokens_per_s": 20},
    draws={
        "ram_gb": (6, 8, 10, 12, 16),
        "gb_per_s": (17, 25, 29, 34, 43, 51, 59, 67),
        "bits": (3, 4, 5, 6),
        "tokens_per_s": (14, 16, 18, 20, 22, 26),
    },
    answer=lambda ram_gb, gb_per_s, bits, tokens_per_s: (
        min(ram_gb * tokens_per_s, gb_per_s) * 8000 // (bits * tokens_per_s)
    ),
    unit="",
    tolerance=Absolute(0),
    expect=5100,
    source="worked by hand: 51 GB/s / 20 tokens/s = 2.55 GB, 2.55e9 x 2 weights a byte; memory allows 16e9",
    misconceptions=(
        Misconception(
            lambda ram_gb, gb_per_s, bits, tokens_per_s: ram_gb * 8000 // bits,
            "That fills the memory: how long does it take to read it all for one token?",
        ),
        Misconception(
            lambda ram_gb, gb_per_s, bits, tokens_per_s: gb_per_s * 1000 // (bits * tokens_per_s),
            "A byte has 8 bits: the width of a weight is given in bits.",
        ),
        Misconception(
            lambda ram_gb, gb_per_s, bits, tokens_per_s: gb_per_s * 8000 // bits,
            "That is what one second can read: it must do for all tokens of that second.",
        ),
        Misconception(
            lambda ram_gb, gb_per_s, bits, tokens_per_s: gb_per_s * 1000 // tokens_per_s,
            "Those are megabytes per token: how many weights lie in them?",
        ),
    ),
)


@key(
    "a18.lecture_card",
    examples=[
        (
            (2, 4, 3, 5, 6, 8, 1, 1_000_000, 10_000, 2.0),
            {
                "weights_kib": 0.0703125,
                "maps_kib": 0.17578125,
                "sram_left_kib": 0.82421875,
                "compute_ms": 2.16,
                "moving_ms": 25.2,
                "least_ms": 25.2,
                "energy_uj": 0.00432,
            },
        )
    ],
)
class LectureCard:
    def draw(rng):  # sides never equal; rates so far apart that either time may be the longer one
        return (
            rng.int(2, 64),
            rng.int(2, 64),
            rng.odd(3, 7),
            rng.int(3, 40),
            rng.int(41, 80),
            rng.choice((8, 16, 32)),
            rng.choice((20, 64, 128, 256, 320, 512)),
            rng.choice((36_000_000, 128_000_000, 432_000_000, 960_000_000)),
            rng.choice((500_000, 2_000_000, 8_000_000, 256_000_000)),
            rng.choice((0.23, 1.5, 4.6)),
        )

    def expected(c_in, c_out, kernel_size, h, w, bits, sram_kib, macs_per_s, bytes_per_s, pj_per_mac):
        layer, shape = Conv2D(c_in, c_out, kernel_size, padding="same", bias=False), (h, w, c_in)
        macs, traffic = layer.macs(shape), roofline.traffic_bytes(layer, shape, bits=bits)
        maps_kib = memory.weight_bytes((c_in + c_out) * h * w, bits) / units.KIB
        least_s = roofline.time_lower_bound_s(2 * macs, traffic, 2 * macs_per_s, bytes_per_s)
        return {
            "weights_kib": memory.weight_bytes(layer.weights, bits) / units.KIB,
            "maps_kib": maps_kib,
            "sram_left_kib": sram_kib - maps_kib,
            "compute_ms": 1000 * macs / macs_per_s,
            "moving_ms": 1000 * traffic / bytes_per_s,
            "least_ms": 1000 * least_s,
            "energy_uj": energy.spent_uj(macs, pj_per_mac),
        }

    def slips(c_in, c_out, kernel_size, h, w, bits, sram_kib, macs_per_s, bytes_per_s, pj_per_mac):
        right = LectureCard.expected(
            c_in, c_out, kernel_size, h, w, bits, sram_kib, macs_per_s, bytes_per_s, pj_per_mac
        )
        out_kib = c_out * h * w * bits / 8 / units.KIB
        compute, moving = right["compute_ms"], right["moving_ms"]
        return {
            "weights_kib": {
                "that is in KB": right["weights_kib"] * units.KIB / units.KB,
                "the kernel is used once, it has k x k taps": right["weights_kib"] / kernel_size,
                "there is a bias in it": right["weights_kib"] + c_out * bits / 8 / units.KIB,
            },
            "maps_kib": {
                "that is the output alone": out_kib,
                "that is the input alone": right["maps_kib"] - out_kib,
                "that is in KB": right["maps_kib"] * units.KIB / units.KB,
                "those are bits": right["maps_kib"] * 8,
            },
            "sram_left_kib": {
                "the weights lie in flash": right["sram_left_kib"] - right["weights_kib"],
                "the input is in SRAM as well": sram_kib - out_kib,
                "an overrun is negative, room is positive": -right["sram_left_kib"],
            },
            "compute_ms": {
                "those are FLOPs at a MAC rate": 2 * compute,
                "that is in seconds": compute / 1000,
                "each weight works at every position": compute / (h * w),
            },
            "moving_ms": {
                "the maps are moved as well": 1000 * right["weights_kib"] * units.KIB / bytes_per_s,
                "the weights are moved as well": 1000 * right["maps_kib"] * units.KIB / bytes_per_s,
                "those are bits at a byte rate": 8 * moving,
                "that is in seconds": moving / 1000,
            },
            "least_ms": {
                "that is the shorter of the two": min(compute, moving),
                "they overlap, so they do not add": compute + moving,
            },
            "energy_uj": {
                "those are FLOPs, the price is for a MAC": 2 * right["energy_uj"],
                "that is in pJ": right["energy_uj"] * 1e6,
                "that is in mJ": right["energy_uj"] / 1000,
            },
        }
