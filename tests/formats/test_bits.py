"""Binary and ternary packing: published and hand-worked words and bytes, plain sums as the second road."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.formats import bits

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "binary_ternary.json").read_text())["cases"]
binary = st.lists(st.sampled_from((-1, 1)), min_size=1, max_size=200)
ternary = st.lists(st.sampled_from((-1, 0, 1)), min_size=1, max_size=200)
widths = st.sampled_from((8, 16, 32, 64))


def test_words_by_hand():  # bits 1 0 1 1 1 0 1 0, lowest first: 1 + 4 + 8 + 16 + 64
    assert bits.pack((1, -1, 1, 1, 1, -1, 1, -1)) == (93,)
    assert bits.pack((0, 1, -1, 1), 2) == (0b01_10_01_00,)
    assert bits.pack([1] * 33) == (2**32 - 1, 1)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda c: f"{c['case']}-{c['inputs']}-{c['outputs']}")
def test_reference_words(case):  # 32-bit words of C++, and the same memory as little-endian bytes
    width = 1 if case["case"] == "binary_dense" else 2
    n = case["inputs"] * case["outputs"]
    for name in "packed_words", "packed_words_after_update":
        assert bits.pack(bits.unpack(case[name], n, width), width) == tuple(case[name])
    in_bytes = bits.pack(bits.unpack(case["packed_words"], n, width), width, 8)
    assert bytes.fromhex(case["packed_bytes_le_hex"]).startswith(bytes(in_bytes))
    if width == 1:  # the sign of the latent weight, and +1 for 0, row after row
        latent = case.get("latent_raw") or case["latent"]
        assert bits.pack([1 if w >= 0 else -1 for w in latent]) == tuple(case["packed_words"])


@pytest.mark.parametrize(
    "width, bias_bytes, size",  # 64 inputs, 16 outputs
    [(1, 0, 128), (2, 0, 256), (1, 8, 256), (1, 2, 160), (2, 2, 288)],
)
def test_layer_bytes_by_hand(width, bias_bytes, size):
    assert bits.layer_bytes(64, 16, width, bias_bytes) == size


def test_small_bytes_by_hand():  # 9 bits spill into a second byte; 1,024 trits are 204.8 groups of five
    assert bits.packed_bytes(9) == 2
    assert bits.trit_bytes(1024) == 205
    assert bits.words_needed(1024) == 32
    assert bits.words_needed(17, 2) == 2


def test_biases_do_not_shrink():  # 64 x 16 doubles against packed binary weights, both with double biases
    assert (64 * 16 * 8 + 16 * 8) / bits.layer_bytes(64, 16, 1, 8) == 32.5
    assert (64 * 16 * 2 + 16 * 2) / bits.layer_bytes(64, 16, 1, 2) == 13.0


def test_dot_limits():  # agree everywhere, nowhere, in 41 of 64 places
    assert [bits.dot_of_matches(p, 64) for p in (64, 0, 41)] == [64, -64, 18]


@given(binary, widths)
def test_binary_round_trip(values, width):
    words = bits.pack(values, 1, width)
    assert len(words) == bits.words_needed(len(values), 1, width)
    assert list(bits.unpack(words, len(values), 1, width)) == values


@given(ternary, widths)
def test_ternary_round_trip(values, width):
    words = bits.pack(values, 2, width)
    assert list(bits.unpack(words, len(values), 2, width)) == values


@given(st.data(), binary, widths)
def test_xnor_popcount_is_the_plain_dot_product(data, a, width):
    b = data.draw(st.lists(st.sampled_from((-1, 1)), min_size=len(a), max_size=len(a)))
    found = bits.xnor_dot(bits.pack(a, 1, width), bits.pack(b, 1, width), len(a), width)
    assert found == sum(x * y for x, y in zip(a, b, strict=True))


@given(st.integers(1, 5000))
def test_denser_packings_are_never_larger(n):
    assert bits.packed_bytes(n, 1) <= bits.trit_bytes(n) <= bits.packed_bytes(n, 2)
    assert bits.packed_bytes(n, 2) == len(bits.pack([0] * n, 2, 8))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: bits.pack((0, 1)), r"value must be one of \[-1, 1\] at 1 bit, got 0"),
        (lambda: bits.pack((1,), 3), r"bits must be 1 \(binary\) or 2 \(ternary\), got 3"),
        (lambda: bits.pack((1,), 1, 12), "word_bits must be 8, 16, 32 or 64"),
        (lambda: bits.unpack((3,), 1, 2), "ternary code must be 00, 01 or 10, got 11 at position 0"),
        (lambda: bits.unpack((1,), 33), "33 values at 1 bit need 2 words of 32, got 1"),
        (lambda: bits.xnor_dot((256,), (0,), 8, 8), "word must be an unsigned 8-bit integer, got 256"),
        (lambda: bits.dot_of_matches(9, 8), "matches must be at most n = 8, got 9"),
        (lambda: bits.layer_bytes(0, 4), "n_in must lie between 1"),
    ],
)
def test_errors_say_what_and_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()
