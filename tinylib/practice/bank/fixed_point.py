"""Chapter "Q Fixed point": steps and ranges, codes and words, overflow, products and accumulator width."""

import math

from tinylib.formats import qformat
from tinylib.formats.qformat import QFormat
from tinylib.practice.draws import Log, Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative


def _nearest(x: float) -> int:
    return math.floor(x + 0.5)


RESOLUTION = Exercise(
    id="qformat.resolution",
    title="Resolution of a Q format",
    prompt="A fixed-point format has {f} fractional bits. What value is one code worth?",
    given={"f": 8},
    draws={"f": Log(1, 30, 2)},
    answer=lambda f: QFormat(1, f).step,
    unit="1",
    tolerance=Relative(0.001),
    expect=0.00390625,
    source="worked by hand: 1/256",
    misconceptions=(
        Misconception(
            lambda f: 1 / (2**f - 1),
            "That is a range cut into 2^f - 1 steps. Here 1.0 is exactly 2^f codes: the step is 2^-f.",
        ),
        Misconception(
            lambda f: 10**-f,
            "Those are decimal places: each fractional bit halves the step, it does not cut it to a tenth.",
        ),
    ),
    hints=("How many codes lie between 0 and 1?", "step = 2^-f."),
    steps=lambda f: (
        f"codes from 0 to 1: 2^{f} = {2**f:,}",
        f"one code: 1 / {2**f:,}, about {2**-f:.4f}",
    ),
)

RAW_POSITIVE = Exercise(
    id="qformat.raw_1p5_q16",
    title="Raw integer of a value",
    prompt="Which raw integer stands for {x} in a signed format with {f} fractional bits?",
    given={"x": 1.5, "f": 16},
    draws=lambda rng: {"x": rng.int(-1600, 1600) / 16, "f": rng.choice((4, 8, 12, 16))},
    answer=lambda x, f: QFormat(16, f).to_raw(x),
    unit="codes",
    tolerance=Absolute(0),
    expect=98_304,
    source="worked by hand: 1.5 x 65,536",
    misconceptions=(
        Misconception(
            lambda x, f: _nearest(x * 2 ** (f - 1)),
            "One bit short: shift by all fractional bits. The sign is an integer bit.",
        ),
        Misconception(
            lambda x, f: _nearest(x * (2**f - 1)),
            "You scaled by 2^f - 1. In a Q format 1.0 is 2^f codes, with nothing taken off.",
        ),
        Misconception(
            lambda x, f: _nearest(x),
            "That is the value rounded to an integer: scale by 2^f first, then round.",
        ),
    ),
    hints=("How many codes make 1.0?", "raw = x * 2^f."),
    steps=lambda x, f: (
        f"1.0 is 2^{f} = {2**f:,} codes",
        f"{x:g} x {2**f:,} = {int(x * 2**f):,}",
    ),
)

RAW_NEGATIVE = Exercise(
    id="qformat.raw_negative",
    title="A negative value as a memory word",
    prompt="{x} is stored in a signed {w}-bit format with {f} fractional bits. Read the word in memory as an "
    "unsigned integer: which number is it?",
    given={"x": -1.25, "f": 8, "w": 16},
    draws=lambda rng: {
        "x": -rng.int(1, 128) / 16,
        "f": rng.choice((4, 8, 12)),
        "w": rng.choice((8, 16, 32)),
    },
    accept=lambda x, f, w: f < w and x >= QFormat(w - f, f).min_value,
    answer=lambda x, f, w: QFormat(w - f, f).to_word(QFormat(w - f, f).to_raw(x)),
    unit="codes",
    tolerance=Absolute(0),
    expect=65_216,
    source="worked by hand: 65,536 - 320",
    misconceptions=(
        Misconception(
            lambda x, f, w: int(-x * 2**f) + 2 ** (w - 1),
            "That is sign and magnitude: two's complement stores 2^w minus the magnitude.",
        ),
        Misconception(
            lambda x, f, w: int(x * 2**f),
            "That is the signed code: the same bits, read without a sign, count up from 0 to 2^w - 1.",
        ),
        Misconception(
            lambda x, f, w: 2**w - 1 + int(x * 2**f),
            "That is one's complement, all bits flipped: two's complement adds one.",
        ),
    ),
    hints=("First the signed code, x * 2^f.", "A negative code c is stored as 2^w + c."),
    steps=lambda x, f, w: (
        f"signed code: {x:g} x 2^{f} = {int(x * 2**f):,}",
        f"stored as 2^{w} - {int(-x * 2**f):,} = {int(2**w + x * 2**f):,}",
    ),
)

MAX_VALUE = Exercise(
    id="qformat.max_q8_8",
    title="Largest value of a signed format",
    prompt="A signed format has {i} integer bits, the sign among them, and {f} fractional bits. "
    "What is its largest value?",
    given={"i": 8, "f": 8},
    draws=lambda rng: {"i": rng.int(1, 16), "f": rng.int(1, 16)},
    answer=lambda i, f: QFormat(i, f).max_value,
    unit="1",
    tolerance=Absolute(0.001),
    expect=127.99609375,
    source="worked by hand: 32,767 / 256",
    misconceptions=(
        Misconception(
            lambda i, f: 2 ** (i - 1),
            "One code too high: zero takes a place among the positive codes, so the top is 2^(i-1) - 2^-f.",
        ),
        Misconception(
            lambda i, f: 2**i - 2**-f,
            "That is the unsigned range: one integer bit is the sign.",
        ),
        Misconception(
            lambda i, f: 2 ** (i - 1) - 1,
            "Only the integer bits are full there: the fractional bits can all be ones too.",
        ),
    ),
    hints=("What is the largest signed integer of i + f bits?", "max = 2^(i-1) - 2^-f."),
    steps=lambda i, f: (
        f"top code: 2^{i + f - 1} - 1 = {2 ** (i + f - 1) - 1:,}",
        f"value: {2 ** (i + f - 1) - 1:,} / {2**f:,}, about {2 ** (i - 1) - 2**-f:,.4f}",
    ),
)

ROUND_ERROR = Exercise(
    id="qformat.round_error",
    title="Rounding pi",
    prompt="pi = 3.14159265 is rounded to the nearest code of a format with {f} fractional bits. "
    "How large is the absolute error? (two figures)",
    given={"x": math.pi, "f": 12},
    draws={"f": (4, 8, 12, 16)},
    answer=lambda x, f: abs(QFormat(4, f).to_value(QFormat(4, f).to_raw(x)) - x),
    unit="1",
    tolerance=Relative(0.02),
    expect=8.908910206884002e-06,
    source="worked by hand: pi x 4096 = 12,867.9635, nearest 12,868, off by 0.0365 codes",
    misconceptions=(
        Misconception(
            lambda x, f: 2**-f - abs(_nearest(x * 2**f) / 2**f - x),
            "That is the distance to the other neighbour, where cutting off or rounding up may lead: "
            "take the nearer code.",
        ),
        Misconception(
            lambda x, f: 2 ** -(f + 1),
            "That is the worst case, half a step: the question asks for the error of this number.",
        ),
        Misconception(
            lambda x, f: abs(_nearest(x * 10**4) / 10**4 - x),
            "You rounded to four decimals: the grid is binary, with steps of 2^-f.",
        ),
    ),
    hints=("Where does pi * 2^f lie between two integers?", "error = |round(x * 2^f) / 2^f - x|."),
    steps=lambda x, f: (
        f"pi x 2^{f} = {x * 2**f:,.4f}, nearest code {_nearest(x * 2**f):,}",
        f"{abs(_nearest(x * 2**f) - x * 2**f):.4f} codes x 2^-{f}: "
        f"about {abs(_nearest(x * 2**f) / 2**f - x) * 1e6:,.2f} millionths",
    ),
)


def _summands(rng: Rng) -> dict:
    """Two values on a grid of quarters, each of them inside Q8.8."""
    return {"a": rng.int(4 * 60, 4 * 127) / 4, "b": rng.int(4 * 30, 4 * 127) / 4}


def _sum(a: float, b: float, f: int, w: int, overflow: str) -> float:
    q = QFormat(w - f, f)
    return q.to_value(q.add(q.to_raw(a), q.to_raw(b), overflow))


WRAP = Exercise(
    id="qformat.wrap",
    title="Overflow that wraps",
    prompt="{a} + {b} is computed in a signed {w}-bit format with {f} fractional bits that wraps around. "
    "Which value comes out?",
    given={"a": 100.0, "b": 50.0, "f": 8, "w": 16},
    draws=_summands,
    answer=lambda **given: _sum(**given, overflow="wrap"),
    unit="1",
    tolerance=Absolute(0.002),
    expect=-106.0,
    source="worked by hand: 150 - 256",
    misconceptions=(
        Misconception(
            lambda a, b, f, w: a + b,
            "That is the true sum: it lies above the top of the format, and the high bit is lost.",
        ),
        Misconception(
            lambda a, b, f, w: QFormat(w - f, f).max_value,
            "That is saturation: a format that wraps does not stop at its top.",
        ),
        Misconception(
            lambda a, b, f, w: a + b - 2 ** (w - 1 - f),
            "You took off half the wheel: once round is 2^(w-f), from lowest to highest value.",
        ),
    ),
    hints=(
        "Which value follows the highest code when you add one more?",
        "Take off 2^(w-f) until the sum is in range.",
    ),
    steps=lambda a, b, f, w: (
        f"{a:g} + {b:g} = {a + b:g}, the format ends just below {2 ** (w - 1 - f)}",
        f"once round the wheel is 2^{w - f} = {2 ** (w - f)}",
        f"{a + b:g} - {2 ** (w - f)} = {a + b - 2 ** (w - f):g}",
    ),
)

SATURATE = Exercise(
    id="qformat.saturate",
    title="Overflow that saturates",
    prompt="{a} + {b} is computed in a signed {w}-bit format with {f} fractional bits that saturates at its "
    "true maximum. Which value comes out? (three decimals)",
    given={"a": 100.0, "b": 50.0, "f": 8, "w": 16},
    draws=_summands,
    answer=lambda **given: _sum(**given, overflow="saturate"),
    unit="1",
    tolerance=Absolute(0.002),
    expect=127.99609375,
    source="worked by hand: 150 is above 32,767 / 256",
    misconceptions=(
        Misconception(
            lambda **given: _sum(**given, overflow="wrap"),
            "That is the sum wrapped around: saturation stops at the top instead.",
        ),
        Misconception(
            lambda a, b, f, w: a + b,
            "That is the true sum: the format ends below 2^(w-1-f).",
        ),
        Misconception(
            lambda a, b, f, w: 2 ** (w - 1 - f),
            "One code too high: the top code is one step below that.",
        ),
    ),
    hints=("Is the sum in range?", "The top is (2^(w-1) - 1) / 2^f."),
    steps=lambda a, b, f, w: (
        f"{a:g} + {b:g} = {a + b:g}",
        f"top: {2 ** (w - 1) - 1:,} / {2**f:,}, about {(2 ** (w - 1) - 1) / 2**f:.3f}: the sum stops there",
    ),
)


def _codes(a: float, b: float, f: int) -> tuple[int, int]:
    return QFormat(8, f).to_raw(a), QFormat(8, f).to_raw(b)


MUL_FLOOR = Exercise(
    id="qformat.mul_trunc",
    title="Product with truncation",
    prompt="{a} and {b} are rounded to the nearest code of a signed format with {f} fractional bits and then "
    "multiplied; the low bits are dropped by an arithmetic shift (floor). Which raw code comes out?",
    given={"a": 0.3, "b": 0.7, "f": 8},
    draws=lambda rng: {"a": rng.int(-200, 200) / 100, "b": rng.int(-200, 200) / 100},
    answer=lambda a, b, f: QFormat(8, f).mul(*_codes(a, b, f), "floor"),
    unit="codes",
    tolerance=Absolute(0),
    expect=53,
    source="worked by hand: codes 77 and 179, 13,783 / 256 = 53.8",
    misconceptions=(
        Misconception(
            lambda a, b, f: _nearest(a * b * 2**f),
            "That rounds the exact product: here the factors are rounded first and the low bits dropped.",
        ),
        Misconception(
            lambda a, b, f: math.prod(_codes(a, b, f)),
            "Not shifted back: the product of two codes has 2f fractional bits.",
        ),
        Misconception(
            lambda a, b, f: math.prod(_codes(a, b, f)) >> 2 * f,
            "Shifted twice: the result keeps f fractional bits, so shift by f once.",
        ),
    ),
    hints=("Write both factors as codes first.", "floor(raw_a * raw_b / 2^f)."),
    steps=lambda a, b, f: (
        "codes: {:,} and {:,}".format(*_codes(a, b, f)),
        f"product: {math.prod(_codes(a, b, f)):,}, with {2 * f} fractional bits",
        f"over 2^{f}: {math.prod(_codes(a, b, f)) / 2**f:,.3f}, floor {math.prod(_codes(a, b, f)) >> f:,}",
    ),
)


def _machine_word(bits: int) -> int:
    return next(word for word in (8, 16, 32, 64) if word >= bits)


BITS_NEEDED = Exercise(
    id="qformat.bits_needed",
    title="Choosing a format",
    prompt="Values lie between -{mx} and {mx}, and a step of at most {res} is wanted. "
    "How many bits has the smallest signed Q format, sign included?",
    given={"mx": 10.0, "res": 0.001},
    draws={"mx": Log(0.5, 1000.0, 2), "res": Log(1e-4, 0.1, 2)},
    accept=lambda mx, res: not math.log2(mx).is_integer(),  # the top of a power of two is a matter of taste
    answer=lambda mx, res: qformat.smallest(mx, res).total_bits,
    unit="bits",
    tolerance=Absolute(0),
    expect=15,
    source="worked by hand: sign, 2^4 = 16 above 10, 2^10 = 1024 above 1000",
    misconceptions=(
        Misconception(
            lambda mx, res: qformat.smallest(mx, res).total_bits - 1,
            "The sign is missing: values go below zero too.",
        ),
        Misconception(
            lambda mx, res: _machine_word(qformat.smallest(mx, res).total_bits),
            "That is the next machine word: the question asks for the format before padding.",
        ),
    ),
    hints=(
        "Which power of two covers the range, and which is as fine as the step?",
        "1 + ceil(log2(max)) + ceil(log2(1 / step)).",
    ),
    steps=lambda mx, res: (
        f"range: 2^{qformat.smallest(mx, res).int_bits - 1} covers {mx:g}",
        f"step: 2^-{qformat.smallest(mx, res).frac_bits} is at most {res:g}",
        f"with the sign {qformat.smallest(mx, res).total_bits} bits: {qformat.smallest(mx, res)}",
    ),
)

ACC_HEADROOM = Exercise(
    id="qformat.acc_headroom",
    title="Headroom of an accumulator",
    prompt="Products of two integers of magnitude up to {a} and {b} are summed in a signed {w}-bit "
    "accumulator. How many surely fit, in the worst case?",
    given={"a": 128, "b": 128, "w": 32},
    draws={"a": (127, 128, 255), "b": (127, 128), "w": (24, 32)},
    answer=lambda a, b, w: qformat.safe_products(a, b, w),
    unit="products",
    tolerance=Absolute(0),
    expect=131_071,
    source="worked by hand: 2,147,483,647 / 16,384 = 131,071.99",
    misconceptions=(
        Misconception(
            lambda a, b, w: 2**w // (a * b),
            "You used all bits for the size: one of them is the sign.",
        ),
        Misconception(
            lambda a, b, w: (2 ** (w - 1) - 1) // (min(a, 127) * min(b, 127)),
            "You took 127 as the largest magnitude: the worst case is the largest one given.",
        ),
        Misconception(
            lambda a, b, w: (2 ** (w - 1) - 1) // (a * b) + 1,
            "One too many: the sum must not pass the top code, 2^(w-1) - 1.",
        ),
    ),
    hints=("How large is one product at most?", "floor((2^(w-1) - 1) / (a * b))."),
    steps=lambda a, b, w: (
        f"largest product: {a} x {b} = {a * b:,}",
        f"top of the accumulator: 2^{w - 1} - 1 = {2 ** (w - 1) - 1:,}",
        f"{2 ** (w - 1) - 1:,} / {a * b:,}, rounded down: {(2 ** (w - 1) - 1) // (a * b):,}",
    ),
)

EXERCISES = (
    RESOLUTION,
    RAW_POSITIVE,
    RAW_NEGATIVE,
    MAX_VALUE,
    ROUND_ERROR,
    WRAP,
    SATURATE,
    MUL_FLOOR,
    BITS_NEEDED,
    ACC_HEADROOM,
)
