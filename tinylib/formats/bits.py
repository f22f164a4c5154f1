"""Binary and ternary weights: packing into words, dot products on bits, bytes of packed layers.

    binary   1 bit:   0 is -1, 1 is +1            dot = 2 * popcount(XNOR(a, b)) - n
    ternary  2 bits:  00 is 0, 01 is +1, 10 is -1
    trits    5 to a byte, since 3**5 = 243 <= 256 (1.6 bits a weight)

Value i sits at bit i * bits of the row of words, lowest bit first. Matrices are packed without gaps: a row
of weights may start in the middle of a word.
Source: Rastegari et al., XNOR-Net, ECCV 2016, section 3.2; Li et al., Ternary Weight Networks, 2016.
"""

from collections.abc import Sequence

from tinylib.cost.layers import count
from tinylib.units import shown

WORD_BITS = 32
BINARY = {-1: 0, 1: 1}
TERNARY = {0: 0, 1: 1, -1: 2}


def words_needed(values: int, bits: int = 1, word_bits: int = WORD_BITS) -> int:
    """Words that hold `values` packed at `bits` each [words]; the last one may be partly used."""
    per_word = _width(word_bits) // _bits(bits)
    return -(-count("values", values, 0) // per_word)


def packed_bytes(values: int, bits: int = 1) -> int:
    """Bytes of `values` packed at 1 or 2 bits each [bytes], rounded up to whole bytes once."""
    return words_needed(values, bits, 8)


def trit_bytes(values: int) -> int:
    """Bytes of `values` ternary weights packed five to a byte [bytes]."""
    return -(-count("values", values, 0) // 5)


def layer_bytes(n_in: int, n_out: int, bits: int = 1, bias_bytes: int = 0) -> int:
    """Bytes of a packed dense layer [bytes]: its weights, and one bias of `bias_bytes` per output."""
    outputs = count("n_out", n_out)
    return packed_bytes(count("n_in", n_in) * outputs, bits) + outputs * count("bias_bytes", bias_bytes, 0)


def pack(values: Sequence[int], bits: int = 1, word_bits: int = WORD_BITS) -> tuple[int, ...]:
    """Weights (n,) as words: -1 and +1 at 1 bit, -1, 0 and +1 at 2 bits. Spare bits are 0."""
    codes = _table(bits)
    words = [0] * words_needed(len(values), bits, word_bits)
    per_word = word_bits // bits
    for i, value in enumerate(values):
        if value not in codes:
            raise ValueError(f"value must be one of {sorted(codes)} at {bits} bit, got {shown(value)}")
        words[i // per_word] |= codes[value] << bits * (i % per_word)
    return tuple(words)


def unpack(words: Sequence[int], n: int, bits: int = 1, word_bits: int = WORD_BITS) -> tuple[int, ...]:
    """The n weights (n,) that `pack` stored; the ternary code 11 is refused."""
    values = {code: value for value, code in _table(bits).items()}
    _enough(words, n, bits, word_bits)
    per_word = word_bits // bits
    codes = [words[i // per_word] >> bits * (i % per_word) & (1 << bits) - 1 for i in range(n)]
    if bits == 2 and 3 in codes:
        raise ValueError(f"ternary code must be 00, 01 or 10, got 11 at position {codes.index(3)}")
    return tuple(values[code] for code in codes)


def dot_of_matches(matches: int, n: int) -> int:
    """Dot product of two +-1 vectors (n,) that agree in `matches` places [count]: 2 * matches - n."""
    if count("matches", matches, 0) > count("n", n):
        raise ValueError(f"matches must be at most n = {n}, got {shown(matches)}")
    return 2 * matches - n


def xnor_dot(a: Sequence[int], b: Sequence[int], n: int, word_bits: int = WORD_BITS) -> int:
    """Dot product of two packed +-1 vectors (n,) [count]: one XNOR and one popcount per word."""
    _enough(a, n, 1, word_bits)
    _enough(b, n, 1, word_bits)
    matches = 0
    for i in range(words_needed(n, 1, word_bits)):
        used = min(word_bits, n - i * word_bits)  # spare bits of the last word agree and must not count
        matches += (~(a[i] ^ b[i]) & (1 << used) - 1).bit_count()
    return dot_of_matches(matches, n)


def _width(word_bits: int) -> int:
    if word_bits not in (8, 16, 32, 64):
        raise ValueError(f"word_bits must be 8, 16, 32 or 64: a machine word, got {shown(word_bits)}")
    return word_bits


def _table(bits: int) -> dict[int, int]:
    return TERNARY if _bits(bits) == 2 else BINARY


def _bits(bits: int) -> int:
    if bits not in (1, 2):
        raise ValueError(f"bits must be 1 (binary) or 2 (ternary), got {shown(bits)}")
    return bits


def _enough(words: Sequence[int], n: int, bits: int, word_bits: int) -> None:
    needed = words_needed(count("n", n), bits, word_bits)
    if len(words) < needed:
        raise ValueError(f"{n} values at {bits} bit need {needed} words of {word_bits}, got {len(words)}")
    for word in words:
        if not hasattr(word, "__index__") or not 0 <= word < 1 << word_bits:
            raise ValueError(f"word must be an unsigned {word_bits}-bit integer, got {shown(word)}")
