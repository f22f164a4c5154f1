"""Key of assignment 11: the private question and the functions that are not in the bank. Never released."""

from grading.keys import key
from tinylib.formats.qformat import QFormat
from tinylib.practice import Exercise, Misconception, Relative

MOVED_POINT = Exercise(
    id="a11.moved_point",
    title="A word read with another point",
    prompt="A sensor stores {x} in a signed 16-bit format with {f} fraction bits. A program reads the same "
    "word, but takes {g} of its bits for the fraction. Which value does the program see?",
    given={"x": 2.5, "f": 8, "g": 5},
    draws={
        "x": (-7.75, -6.5, -5.25, -3.75, -2.5, 1.75, 2.25, 3.5, 5.75, 7.25),
        "f": (7, 8),
        "g": (3, 4, 5, 10, 11),
    },
    answer=lambda x, f, g: QFormat(16 - g, g).to_value(QFormat(16 - f, f).to_raw(x)),
    unit="",
    tolerance=Relative(0.001),
    expect=20.0,
    source="worked by hand: code 640, and 640 / 32 = 20",
    misconceptions=(
        Misconception(
            lambda x, f, g: x * 2.0 ** (g - f),
            "The wrong way round: the code stays, so fewer fraction bits make the value larger.",
        ),
        Misconception(
            lambda x, f, g: x,
            "The word does not say where its point is: the code stays, and the program divides it by 2^g.",
        ),
        Misconception(
            lambda x, f, g: x * 2**f,
            "That is the raw code: the program still divides it.",
        ),
    ),
)


@key(
    "a11.multiply",
    examples=[
        ((384, 640, 8, 8), {"floored": 960, "wrapped": 960, "saturated": 960}),
        ((-1, 128, 8, 8), {"floored": -1, "wrapped": -1, "saturated": -1}),
        ((100, 40, 4, 4), {"floored": 250, "wrapped": -6, "saturated": 127}),
    ],
)
class Multiply:
    def draw(
        rng,
    ):  # out of range, so that wrapping and saturating differ; a remainder, so that rounding shows
        int_bits, frac_bits = rng.int(3, 5), rng.int(5, 7)
        top = QFormat(int_bits, frac_bits).max_raw
        b = rng.odd(top // 2, top - 1)
        a = rng.odd(3 * 2**frac_bits, top - 1)
        return a * (2 * rng.int(0, 1) - 1), b, int_bits, frac_bits

    def expected(a, b, int_bits, frac_bits):
        q, wide = QFormat(int_bits, frac_bits), QFormat(64 - frac_bits, frac_bits)
        return {
            "floored": wide.mul(a, b, "floor"),
            "wrapped": q.mul(a, b, "floor", "wrap"),
            "saturated": q.mul(a, b, "floor", "saturate"),
        }

    def slips(a, b, int_bits, frac_bits):
        q, wide = QFormat(int_bits, frac_bits), QFormat(64 - frac_bits, frac_bits)
        product = a * b
        return {
            "floored": {
                "that is cut toward zero, floor goes down": wide.mul(a, b, "toward_zero"),
                "that is rounded to the nearest code": wide.mul(a, b, "nearest"),
                "the surplus fraction bits are still in it": product,
                "shifted by too much, the product keeps frac_bits of its fraction": product >> 2 * frac_bits,
                "it is wrapped already": q.mul(a, b, "floor", "wrap"),
                "it is saturated already": q.mul(a, b, "floor", "saturate"),
            },
            "wrapped": {
                "that is the unsigned word, codes are signed": q.to_word(q.mul(a, b, "floor", "wrap")),
                "that is saturation": q.mul(a, b, "floor", "saturate"),
                "nothing was wrapped": product >> frac_bits,
            },
            "saturated": {
                "that top has no fraction, the true maximum is full of ones": (2 ** (int_bits - 1) - 1)
                << frac_bits,
                "one code too high": q.max_raw + 1,
                "the lowest code is one below the negative of the highest": -q.max_raw,
                "that is a wrap": q.mul(a, b, "floor", "wrap"),
                "nothing was saturated": product >> frac_bits,
            },
        }


@key(
    "a11.read_table",
    examples=[
        ((24, [0, 10, 30], 1, 2, 4), 10),
        ((26, [0, 10, 30], 1, 2, 4), 15),
        ((3, [0, 10, 30], 1, 2, 4), 0),
        ((99, [0, 10, 30], 1, 2, 4), 30),
    ],
)
class ReadTable:
    def draw(rng):  # before, within or after the table; within, a falling line and a part of a code
        frac_bits, per_unit, first = rng.int(6, 9), rng.choice((2, 4, 8)), -rng.int(1, 4)
        width, count = 2**frac_bits // per_unit, rng.int(6, 12)
        nodes = [rng.int(-900, 900) for _ in range(count)]
        i, start = rng.int(0, count - 2), first * 2**frac_bits
        nodes[i + 1] = nodes[i] - rng.odd(51, 199)
        within = start + i * width + rng.odd(width // 4, width - 2)
        after = start + (count - 1) * width + rng.int(1, 200)
        x = rng.choice((start - rng.int(1, 200), within, within, within, after))
        return x, nodes, first, per_unit, frac_bits

    def expected(x, nodes, first, per_unit, frac_bits):
        width, start = 2**frac_bits // per_unit, first * 2**frac_bits
        at = min(max(x, start), start + (len(nodes) - 1) * width) - start
        i, part = divmod(at, width)
        return nodes[i] + ((nodes[i + 1] - nodes[i]) * part // width if part else 0)

    def slips(x, nodes, first, per_unit, frac_bits):
        width, start = 2**frac_bits // per_unit, first * 2**frac_bits
        i, part = divmod(x - start, width)
        if not 0 <= i < len(nodes) - 1:
            return {"": {"that is the node at the other end": nodes[-1 if i < 0 else 0]}}
        rise = nodes[i + 1] - nodes[i]
        return {
            "": {
                "that is the node on the left, no line is drawn": nodes[i],
                "that is the node on the right, no line is drawn": nodes[i + 1],
                "the line runs backwards from the left node": nodes[i] + -rise * part // width,
                "that is cut toward zero, floor goes down": nodes[i] + -(-rise * part // width),
                "the slope is per step, not per unit": nodes[i] + rise * part // 2**frac_bits,
            }
        }
