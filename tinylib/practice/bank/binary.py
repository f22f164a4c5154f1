"""Chapter "B Binary and ternary": bytes of packed weights, what biases add, XNOR and popcount."""

import math

from tinylib.formats import bits
from tinylib.practice.draws import Log
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative

BINARY_BYTES = Exercise(
    id="bin.bytes",
    title="Packed binary weights",
    prompt="A dense layer maps {i} inputs to {o} outputs. Its weights are +1 or -1, packed at one bit each. "
    "How many bytes do the weights take, biases left out?",
    given={"i": 64, "o": 16},
    draws={"i": Log(8, 512, 2), "o": Log(2, 64, 2)},
    accept=lambda i, o: i * o % 8 == 0,
    answer=lambda i, o: bits.layer_bytes(i, o, 1),
    unit="B",
    tolerance=Absolute(0),
    expect=128,
    source="worked by hand: 1,024 bits / 8",
    misconceptions=(
        Misconception(lambda i, o: i * o, "That is a byte for each weight: eight of them share one."),
        Misconception(
            lambda i, o: bits.layer_bytes(i, o, 1, bias_bytes=8),
            "Eight-byte biases are in it: only the weights are asked for.",
        ),
    ),
    hints=("How many weights fit into one byte?", "bytes = inputs * outputs / 8."),
    steps=lambda i, o: (
        f"weights: {i} x {o} = {i * o:,}, one bit each",
        f"{i * o:,} / 8 = {i * o // 8:,} bytes",
    ),
)

TERNARY_BYTES = Exercise(
    id="bin.tern_bytes",
    title="Packed ternary weights",
    prompt="A dense layer maps {i} inputs to {o} outputs. Its weights are -1, 0 or +1, packed at two bits "
    "each. How many bytes do the weights take, biases left out?",
    given={"i": 64, "o": 16},
    draws={"i": Log(8, 512, 2), "o": Log(2, 64, 2)},
    accept=lambda i, o: i * o % 8 == 0,
    answer=lambda i, o: bits.layer_bytes(i, o, 2),
    unit="B",
    tolerance=Absolute(0),
    expect=256,
    source="worked by hand: 2,048 bits / 8",
    misconceptions=(
        Misconception(
            lambda i, o: bits.layer_bytes(i, o, 1),
            "That is one bit a weight: three states need two.",
        ),
        Misconception(
            lambda i, o: i * o * 3 / 8,
            "That is a bit for each state: two bits tell four states apart.",
        ),
        Misconception(
            lambda i, o: bits.trit_bytes(i * o),
            "That packs five weights into a byte: here each has two bits of its own.",
        ),
    ),
    hints=("How many bits tell three states apart?", "bytes = inputs * outputs * 2 / 8."),
    steps=lambda i, o: (
        f"weights: {i} x {o} = {i * o:,}, two bits each",
        f"{2 * i * o:,} bits / 8 = {i * o // 4:,} bytes",
    ),
)


def _information_bytes(weights: int) -> int:
    return math.ceil(weights * math.log2(3) / 8)


TRIT_BYTES = Exercise(
    id="bin.tern_dense_pack",
    title="Five trits in a byte",
    prompt="A dense layer has {i} x {o} ternary weights. Five of them share a byte, since 3^5 = 243 is below "
    "256. How many whole bytes do they take?",
    given={"i": 64, "o": 16},
    draws={"i": Log(8, 512, 2)},
    accept=lambda i, o: _information_bytes(i * o) < i * o // 5,
    answer=lambda i, o: bits.trit_bytes(i * o),
    unit="B",
    tolerance=Absolute(0),
    expect=205,
    source="worked by hand: 1,024 / 5 = 204.8",
    misconceptions=(
        Misconception(
            lambda i, o: i * o * 2 / 8,
            "That is two bits a weight: here five weights share a byte, 1.6 bits each.",
        ),
        Misconception(
            lambda i, o: _information_bytes(i * o),
            "That is the information bound, log2(3) bits a weight: whole bytes of five take a little more.",
        ),
        Misconception(
            lambda i, o: i * o // 5,
            "Rounded down: the weights left over need a byte too.",
        ),
    ),
    hints=("How many groups of five are there, the last one perhaps not full?", "ceil(weights / 5)."),
    steps=lambda i, o: (
        f"weights: {i} x {o} = {i * o:,}",
        f"{i * o:,} / 5 = {i * o / 5:,.1f}, rounded up {-(-i * o // 5):,} bytes",
    ),
)

RATIO_WITH_BIAS = Exercise(
    id="bin.ratio_with_bias",
    title="Compression with biases counted",
    prompt="A 64x16 dense layer takes {full} bytes in double precision and {packed} bytes with packed binary "
    "weights; both keep sixteen 8-byte biases. By which factor is the packed layer smaller?",
    given={"full": 8320, "packed": 256},
    draws={},
    answer=lambda full, packed: full / packed,
    unit="x",
    tolerance=Relative(0.005),
    expect=32.5,
    source="worked by hand: (8,192 + 128) / (128 + 128)",
    erratum="0-8",
    misconceptions=(
        Misconception(
            lambda full, packed: 8192 / 128,
            "That compares the weights alone: the biases are stored too, and they do not shrink.",
            printed_only=True,
        ),
        Misconception(
            lambda full, packed: full / 128,
            "The biases are counted on one side only: the packed layer keeps its own.",
            printed_only=True,
        ),
    ),
    hints=("Which bytes do not shrink?", "factor = all bytes before / all bytes after."),
    steps=lambda full, packed: (
        "double: 64 x 16 x 8 = 8,192 and biases 16 x 8 = 128; packed: 128 and 128",
        f"{full:,} / {packed:,} = {full / packed:g}",
    ),
)

XNOR_DOT = Exercise(
    id="bin.xnor_dot",
    title="Dot product by XNOR and popcount",
    prompt="Two vectors of {n} values +1 or -1 are packed as bits. Their XNOR has {p} ones. "
    "What is the dot product of the vectors?",
    given={"n": 64, "p": 41},
    draws=lambda rng: {"n": (n := rng.choice((32, 64, 128, 256))), "p": rng.int(0, n)},
    answer=lambda n, p: bits.dot_of_matches(p, n),
    unit="1",
    tolerance=Absolute(0),
    expect=18,
    source="worked by hand: 41 places agree, 23 do not",
    misconceptions=(
        Misconception(
            lambda n, p: p,
            "That is the popcount: places that disagree take one away each.",
        ),
        Misconception(
            lambda n, p: n - 2 * p,
            "The sign is turned: a one in the XNOR marks places that agree.",
        ),
        Misconception(
            lambda n, p: p - n,
            "That counts the places that disagree, below zero: those that agree add to it.",
        ),
    ),
    hints=("How many places agree, and how many do not?", "dot = p - (n - p) = 2p - n."),
    steps=lambda n, p: (
        f"{p} places agree, +1 each; {n - p} do not, -1 each",
        f"{p} - {n - p} = {2 * p - n}",
    ),
)

WORD_OPS = Exercise(
    id="bin.word_ops",
    title="Words of a binary dot product",
    prompt="Two vectors of {n} bits are packed into words of {w} bits. How many pairs of XNOR and popcount, "
    "one pair per word, does their dot product take?",
    given={"n": 1024, "w": 32},
    draws={"n": Log(64, 4096, 2), "w": (32, 64)},
    answer=lambda n, w: bits.words_needed(n, 1, w),
    unit="words",
    tolerance=Absolute(0),
    expect=32,
    source="worked by hand: 1,024 / 32",
    misconceptions=(
        Misconception(
            lambda n, w: n,
            "That is one pair per bit: one instruction handles a whole word.",
        ),
        Misconception(
            lambda n, w: bits.words_needed(n, 1, 8),
            "That is one pair per byte: a word here is wider.",
        ),
        Misconception(
            lambda n, w: 2 * bits.words_needed(n, 1, w),
            "That counts instructions: XNOR and popcount together are one pair.",
        ),
    ),
    hints=("How many bits does one word hold?", "ceil(n / w)."),
    steps=lambda n, w: (
        f"{n:,} bits in words of {w}: {n:,} / {w} = {n / w:,.2f}",
        f"rounded up: {-(-n // w):,} words, one pair each",
    ),
)

EXERCISES = (BINARY_BYTES, TERNARY_BYTES, TRIT_BYTES, RATIO_WITH_BIAS, XNOR_DOT, WORD_OPS)
