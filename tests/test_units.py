"""Units: what learners type, exact changes of unit, and sentences for what is not a quantity."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.units import (
    GIB,
    KB,
    KIB,
    MIB,
    UNITS,
    Quantity,
    dimension,
    format_bytes,
    format_quantity,
    parse,
    same_dimension,
    shown,
    twins,
)


@pytest.mark.parametrize(
    "text, value, unit",
    [
        ("13.6 MB", 13.6, "MB"),
        ("118,013,952 MAC", 118_013_952, "MAC"),
        ("118\u2009013\u2009952 MACs", 118_013_952, "MAC"),
        ("1_000", 1000, ""),
        ("1.2e6", 1.2e6, ""),
        ("12 us", 12, "µs"),
        ("12 \u03bcs", 12, "µs"),
        ("5 KiB (1024 B)", 5, "KiB"),
        ("50%", 50, "%"),
        ("\u22123 dB", -3, "dB"),
        (".5 kib", 0.5, "KiB"),
        ("3 GFLOPs", 3, "GFLOP"),
        ("3 GFLOPS", 3, "GFLOP/s"),
        ("8 Mb", 8, "Mbit"),
        ("80 kB", 80, "KB"),
        ("7 bytes", 7, "B"),
    ],
)
def test_text_of_a_learner_is_read(text, value, unit):
    assert parse(text) == Quantity(value, unit)


@pytest.mark.parametrize(
    "text, unit, value",
    [
        ("13.6 MB", "GB", 0.0136),
        ("1 MiB", "B", 1_048_576),  # 1024^2
        ("1 MiB", "MB", 1.048576),
        ("3 B", "bit", 24),
        ("1500 ms", "s", 1.5),
        ("6021120 pJ", "uJ", 6.02112),  # 9,408 DRAM words of 640 pJ
        ("50 %", "", 0.5),
        ("2 min", "s", 120),
        ("8 Mbit/s", "MB/s", 1),
    ],
)
def test_units_change_within_a_dimension(text, unit, value):
    assert parse(text).to(unit) == Quantity(value, unit)


def test_constants():
    assert (KB, KIB, MIB, GIB) == (1000, 1024, 1024**2, 2**30)


def test_printing():
    assert format_quantity(118_013_952, "MAC") == "118,013,952 MAC"
    assert format_quantity(13.6, "MB") == "13.6 MB"
    assert format_quantity(1 / 3, "ms", digits=2) == "0.33 ms"
    assert format_quantity(0.0) == "0"
    assert [format_bytes(n) for n in (0, 1023, 262_144, 3 * 2**29)] == [
        "0 B",
        "1,023 B",
        "256 KiB",
        "1.5 GiB",
    ]
    assert format_bytes(262_144, binary=False) == "262.1 KB"


def test_what_a_checker_asks():
    assert same_dimension("MB", "KiB") and not same_dimension("MAC", "FLOP")
    assert twins("MB", "MiB") and twins("KiB", "KB")
    assert not twins("MB", "MB") and not twins("MB", "KiB") and not twins("min", "m" + "s")
    assert dimension("") == dimension("%") == "ratio"


@given(st.integers(-(10**30), 10**30), st.sampled_from(UNITS))
def test_printed_integers_are_read_back(n, unit):
    assert parse(format_quantity(n, unit)) == Quantity(n, unit)


@given(st.floats(1e-6, 1e12), st.sampled_from(UNITS), st.sampled_from(UNITS))
def test_change_of_unit_and_back(value, a, b):
    q = Quantity(value, a)
    if same_dimension(a, b):
        assert math.isclose(q.to(b).to(a).value, value, rel_tol=1e-12)
    else:
        with pytest.raises(ValueError, match="cannot be given in"):
            q.to(b)


@given(st.text(max_size=120))
def test_any_text_gives_a_quantity_or_one_sentence(text):
    try:
        assert math.isfinite(parse(text).value)
    except ValueError as error:
        assert "\n" not in str(error) and len(str(error)) < 300


@pytest.mark.parametrize(
    "text, words",
    [
        ("13,6 MB", "point as decimal sign, as in '0.5', got '13,6 MB'"),  # it is not read as 136
        ("1/2", "worked out, as in '0.5' for '1/2'"),
        ("-2^10 B", "worked out"),
        ("1,00,000", "number and perhaps a unit"),
        ("nan", "number and perhaps a unit"),
        ("1e999", "finite number, got inf"),
        ("", "number and perhaps a unit"),
        ("MB", "number and perhaps a unit"),
        ("1.2.3", "number and perhaps a unit"),
        ("3 mb", "MB is megabytes"),
        ("5 furlong", "got 'furlong' in '5 furlong'"),
        ("9" * 5000, "number and perhaps a unit"),
    ],
)
def test_other_text_is_refused_in_one_sentence(text, words):
    with pytest.raises(ValueError, match=words):
        parse(text)


@pytest.mark.parametrize("value", [None, "3", True, [3], 1j, b"3"])
def test_values_that_are_no_number_are_refused(value):
    with pytest.raises(TypeError, match="value must be a number, got"):
        Quantity(value)


def test_mac_is_never_turned_into_flop():
    with pytest.raises(ValueError, match="1 MAC cannot be given in 'FLOP': MAC is not FLOP"):
        parse("1 MAC").to("FLOP")


def test_shown_stays_short():
    assert shown(10**5000) == "an integer of about 5,001 digits"
    assert len(shown(list(range(1000)))) == 60


def test_numpy_scalars_become_python_numbers():
    np = pytest.importorskip("numpy")
    assert type(Quantity(np.int64(3)).value) is int and type(Quantity(np.float32(0.5)).value) is float
    for bad in (np.array([1.0, 2.0]), np.bool_(True)):
        with pytest.raises(TypeError, match="must be a number"):
            Quantity(bad)
