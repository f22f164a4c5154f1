"""Key of assignment 08: the private question and the function that the bank does not hold. Never released."""

import math

from grading.keys import key
from tinylib import units
from tinylib.cost import Add, DepthwiseConv2D, Model, Node, PointwiseConv2D, memory, planning
from tinylib.practice import Exercise, Misconception, Relative


def _block(height, width, c, t, filtering):
    """The block of both questions: up, a layer of t * c channels, down, and the shortcut."""
    nodes = (
        Node("up", PointwiseConv2D(c, t * c)),
        Node("filter", filtering),
        Node("down", PointwiseConv2D(t * c, c)),
        Node("add", Add(), ("down", "input")),
    )
    return Model("block", (height, width, c), nodes)


def _live_kib(h, c, t):
    block = _block(h, h, c, t, PointwiseConv2D(t * c, t * c))
    return memory.peak_activation_bytes(block, live=True) / units.KIB


SHORTCUT_PEAK = Exercise(
    id="a08.shortcut_peak",
    title="What waits for the addition",
    prompt="A block on {h} x {h} maps in INT8, one byte a value, widens {c} channels {t} times with a 1x1 "
    "layer, mixes the wide maps with another, narrows them to {c} channels again and adds its own input. No "
    "layer works in place. How many KiB (1 KiB = 1024 bytes) are alive at its worst step?",
    given={"h": 24, "c": 16, "t": 4},
    draws={"h": (12, 16, 20, 24, 28, 32), "c": (8, 12, 16, 24, 32), "t": (3, 4, 5, 6)},
    answer=_live_kib,
    unit="KiB",
    tolerance=Relative(0.005),
    expect=81.0,
    source="worked by hand: (16 + 64 + 64) x 576 / 1,024",
    misconceptions=(
        Misconception(
            lambda h, c, t: 2 * t * c * h * h / units.KIB,
            "That is input plus output of the middle layer: the block's own input still waits.",
        ),
        Misconception(
            lambda h, c, t: 3 * c * h * h / units.KIB,
            "That is the addition: an earlier step holds more.",
        ),
        Misconception(
            lambda h, c, t: (1 + t) * c * h * h / units.KIB,
            "That is the first layer: step on, there is one that reads and writes wide maps.",
        ),
        Misconception(
            lambda h, c, t: (1 + 2 * t) * c * h * h / units.KB,
            "That is in KB, 1000 bytes: a KiB is 1024 bytes.",
        ),
    ),
)


@key(
    "a08.peak_report",
    examples=[
        (
            (4, 8, 2, 3, 8),
            {"in_plus_out": 384, "live": 448, "in_place": 320, "rows": 144, "weights_kib": 0.076171875},
        )
    ],
)
class PeakReport:
    def draw(rng):  # not square, sides never equal, an even width: no byte is half full
        return (
            rng.int(5, 24),
            2 * rng.int(13, 28),
            2 * rng.int(4, 20),
            rng.int(2, 6),
            rng.choice((4, 8, 16, 32)),
        )

    def expected(height, width, c, t, bits):
        filtering = DepthwiseConv2D(t * c, 3, padding="same", bias=False)
        block, wide = _block(height, width, c, t, filtering), (height, width, t * c)
        chain = block.rows[:3]
        pairs = [math.prod(row.in_shapes[0]) + row.activation_elements for row in chain]
        alive = {step.name: step.elements for step in memory.timeline(block)}
        alive["filter"] = c * height * width + planning.inplace_depthwise_elements(filtering, wide)
        return {
            "in_plus_out": memory.weight_bytes(max(pairs), bits),
            "live": memory.peak_activation_bytes(block, bits, live=True),
            "in_place": memory.weight_bytes(max(alive.values()), bits),
            "rows": memory.weight_bytes(planning.row_tile_elements(filtering, wide), bits),
            "weights_kib": sum(row.weights for row in chain) * bits / 8 / units.KIB,
        }

    def slips(height, width, c, t, bits):
        channel = height * width * bits / 8
        narrow, wide = c * channel, t * c * channel
        weights = (2 * t * c * c + 9 * t * c) * bits / 8
        return {
            "in_plus_out": {
                "that is the output alone": wide,
                "that is the first or last layer, the middle one holds more": narrow + wide,
                "the shortcut is in it, which this rule does not see": narrow + 2 * wide,
            },
            "live": {
                "the block's input still waits for the addition": 2 * wide,
                "that is the addition, an earlier step holds more": 3 * narrow,
                "those are values, not bytes": (narrow + 2 * wide) * 8 / bits,
            },
            "in_place": {
                "that is the depthwise step, narrowing holds more now": narrow + wide + channel,
                "one of the three maps of the narrowing step is missing": narrow + wide,
                "the block's input still waits for the addition": wide + channel,
                "that is not in place, a finished channel overwrites its input": narrow + 2 * wide,
            },
            "rows": {
                "that is one row, the kernel is three high": width * t * c * bits / 8,
                "those are narrow rows, the layer has t * c channels": 3 * width * c * bits / 8,
                "rows are as long as the map is wide": 3 * height * t * c * bits / 8,
            },
            "weights_kib": {
                "that is in KB": weights / units.KB,
                "depthwise channels do not mix, each has nine weights": (2 * t * c * c + 9 * (t * c) ** 2)
                * bits
                / 8
                / units.KIB,
                "one of the two 1x1 layers is missing": (t * c * c + 9 * t * c) * bits / 8 / units.KIB,
            },
        }
