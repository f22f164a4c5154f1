"""Key of assignment 12: the private question and the functions that are not in the bank. Never released."""

from grading.keys import key
from tinylib.formats import bits
from tinylib.practice import Absolute, Exercise, Misconception

VALUES = 12


def _words(*ones):
    """Words of 12 bits with so many ones, every ninth of them: no slip below can meet the answer."""
    return tuple(w for w in range(2**VALUES) if w.bit_count() in ones)[::9]


def _agree(x, row, **words):
    return VALUES - (x ^ words[f"w{row}"]).bit_count()


ROW_DOT = Exercise(
    id="a12.row_dot",
    title="One row against the input",
    prompt="An input of 12 values +1 or -1 is packed as the word {x}, and four rows of binary weights as "
    "{w0}, {w1}, {w2} and {w3}, value 0 in the lowest bit. What is the dot product of the input with row "
    "w{row}?",
    given={"x": 2893, "w0": 2669, "w1": 2516, "w2": 1570, "w3": 3847, "row": 3},
    draws={
        "x": _words(6),
        "w0": _words(5),
        "w1": _words(5, 7),
        "w2": _words(7),
        "w3": _words(5, 7),
        "row": (0, 1, 2, 3),
    },
    answer=lambda **given: 2 * _agree(**given) - VALUES,
    unit="1",
    tolerance=Absolute(0),
    expect=4,
    source="worked by hand: 2893 and 3847 differ in the bits 1, 3, 6 and 10; 8 - 4 = 4",
    misconceptions=(
        Misconception(
            _agree,
            "That is how many places agree: those that do not take one away each.",
        ),
        Misconception(
            lambda **given: VALUES - 2 * _agree(**given),
            "The sign is turned: places that agree add one, +1 times +1 and -1 times -1.",
        ),
        Misconception(
            lambda x, row, **words: (x & words[f"w{row}"]).bit_count(),
            "That counts places where both bits are 1: two zeros are -1 times -1, which is +1 too.",
        ),
    ),
)


@key("a12.xnor_dot", examples=[(([0b1101], [0b1001], 4), 2), (([0], [0], 5), 5)])
class XnorDot:
    def draw(rng):  # never a whole number of words: spare bits must not count
        n = 32 * rng.int(1, 5) + rng.int(1, 31)
        signs = [[2 * rng.int(0, 1) - 1 for _ in range(n)] for _ in range(2)]
        a, b = (list(bits.pack(s)) for s in signs)
        return a, b, n

    def expected(a, b, n):
        return bits.xnor_dot(a, b, n)

    def slips(a, b, n):
        agree = (bits.xnor_dot(a, b, n) + n) // 2
        return {
            "": {
                "the spare bits of the last word agree and were counted": 2 * (agree + 32 * len(a) - n) - n,
                "that is how many places agree": agree,
                "the sign is turned": n - 2 * agree,
                "that is XOR, which marks the places that differ": n - agree,
            }
        }


@key(
    "a12.ternarize",
    examples=[
        (
            ([0.5, -0.1, 0.0, -0.6], 50),
            {"threshold": 0.15, "signs": [1, 0, 0, -1], "sparsity": 0.5, "packed_bytes": 1},
        )
    ],
)
class Ternarize:
    def draw(rng):
        count = 4 * rng.int(3, 10) + rng.int(1, 3)
        return [round(rng.uniform(-1, 0.8), 3) for _ in range(count)], rng.choice((30, 50, 70, 100, 120))

    def expected(weights, percent):
        threshold = percent / 100 * sum(map(abs, weights)) / len(weights)
        signs = [0 if abs(w) < threshold else (1 if w >= 0 else -1) for w in weights]
        return {
            "threshold": threshold,
            "signs": signs,
            "sparsity": signs.count(0) / len(signs),
            "packed_bytes": bits.packed_bytes(len(weights), 2),
        }

    def slips(weights, percent):
        mean = sum(weights) / len(weights)
        magnitude = sum(map(abs, weights)) / len(weights)
        cut = percent / 100 * magnitude
        zeros = sum(abs(w) < cut for w in weights)
        return {
            "threshold": {
                "that is a share of the mean, in which signs cancel": percent / 100 * mean,
                "that is the whole mean magnitude, percent is missing": magnitude,
                "that is a share of the largest weight": percent / 100 * max(map(abs, weights)),
                "percent is a share of 100": percent * magnitude,
            },
            "sparsity": {
                "that is the share that is kept": 1 - zeros / len(weights),
                "that is a count, not a share": zeros,
            },
            "packed_bytes": {
                "that is one bit a weight, three values need two": bits.packed_bytes(len(weights), 1),
                "a part of a byte takes a whole one": len(weights) / 4,
                "a last byte partly used is still a byte": len(weights) // 4,
            },
        }
