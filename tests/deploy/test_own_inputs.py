"""Readings to codes and spectra in integers: near the real transform, the same bits in C on host and core."""

import os
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinylib.deploy import emulator, toolchain
from tinylib.deploy.measure import Limits
from tinylib.deploy.own import checking, inputs
from tinylib.deploy.own.candidates import Candidate, candidates, columns, fitted, shaped
from tinylib.deploy.own.inputs import Codes, Sensor
from tinylib.deploy.own.programs import program


def windows(time, channels, n=40, seed=0):
    """Readings of every kind: noise, tones, ends of the range, all equal, one knock."""
    rng = np.random.default_rng(seed)
    r = rng.normal(0, 900, (n, time, channels)) + 7000 * np.sin(np.arange(time) * 0.3)[:, None]
    r[1::8] = rng.integers(-(2**15), 2**15, r[1::8].shape)
    r[2::8] = rng.choice([-(2**15), 2**15 - 1], r[2::8].shape)
    r[3::8] = 123
    r[4::8] = rng.integers(-3, 4, r[4::8].shape)
    r[5::8] = 0
    r[5::8, time // 2] = 30_000
    return np.clip(r, -(2**15), 2**15 - 1).astype(np.int16)


@pytest.mark.parametrize("n", [8, 16, 128, 1024])
def test_transform_is_the_real_one_up_to_a_few_steps_for_each_doubling(n):
    x = np.random.default_rng(n).integers(-8000, 8000, (20, n))
    re, im = inputs.transform(x)
    wanted = np.fft.rfft(x)[:, : n // 2]
    bound = 2 * n**0.5 + 3e-4 * np.abs(wanted).max()
    assert np.abs(re / 2 - wanted.real).max() < bound and np.abs(im / 2 - wanted.imag).max() < bound


@given(st.integers(1, 2**64 - 1))
@settings(max_examples=200, deadline=None)
def test_logarithm_is_cut_off_and_never_a_step_away(v):
    found = int(inputs.log2_256(np.array([v], np.uint64))[0])
    exact = 256 * (np.log2(float(v)) if v < 2**53 else np.log2(v / 2**20) + 20)
    assert -2 < found - exact < 1e-6


def test_a_louder_window_moves_power_by_two_for_each_doubling_and_leaves_the_peak():
    r = np.rint(np.random.default_rng(0).normal(0, 500, (1, 256, 1))).astype(np.int16)
    quiet, loud = inputs.features(r)[0], inputs.features(8 * r)[0]
    assert np.abs(loud[:-1] - quiet[:-1] - 2 * 3 * 256).max() <= 4
    assert abs(loud[-1] - quiet[-1]) <= 2


def test_readings_hold_twice_the_range_and_end_there():
    sensor = Sensor.of(np.array([[[1.0], [-3.9]]]))
    assert sensor.bits == (12,)
    assert sensor.readings(np.array([[[3.9]], [[99.0]], [[-99.0]]])).ravel().tolist() == [
        round(3.9 * 4096), 2**15 - 1, -(2**15),
    ]  # fmt: skip


def test_small_changes_far_from_zero_are_kept():
    x = 101_325 + np.random.default_rng(0).normal(0, 1, (9, 50, 1))
    both = Sensor.of(np.concatenate([x, x - 101_325], 2).astype(np.float32))
    assert both.base[0] == pytest.approx(101_325, abs=2) and both.base[1] == 0
    assert both.told(0) == f"round((value - {both.base[0]:.6g}) x 2^{both.bits[0]})"
    assert both.told(1) == f"round(value x 2^{both.bits[1]})"
    back = both.base[0] + both.readings(np.concatenate([x, x], 2))[..., :1] / 2.0 ** both.bits[0]
    assert np.abs(back - x).max() < 0.05
    assert 200 < abs(Sensor.of(x).readings(x + 200) / 2.0 ** Sensor.of(x).bits[0]).max() < 210  # it may drift


def test_codes_are_the_deviation_over_the_step():
    v = np.random.default_rng(0).normal((300, -5000), (40, 900), (4000, 2)).round()
    codes = Codes.of(v, 0.05, 8)
    z = (v - v.mean(axis=0)) / v.std(axis=0)
    assert np.abs(codes(v) - np.clip(z / 0.05, -128, 127)).max() < 1.6


def made(kind, time, channels):
    """A program of one kind with random weights."""
    r = windows(time, channels)
    sensor, width = Sensor((10,) * channels), inputs.features(r[:1]).shape[1]
    (c, *_) = [c for c in candidates(time, channels, 3, width) if c.kind == kind and not c.free]
    v = columns(c.kind, r)
    codes, step = fitted(c.kind, c.bits, v)
    x = shaped(c.kind, c.frames, codes(v)) * step
    names = ("a", "b", "c"), tuple(f"x{k}" for k in range(channels)), time
    return program(c, c.draw(np.random.default_rng(3)), sensor, codes, step, x, names), r


SHAPES = [("spectrum", 64, 1), ("spectrum", 100, 3), ("signal", 50, 2), ("frames", 64, 2)]


@pytest.mark.parametrize("kind, time, channels", SHAPES)
def test_c_on_the_host_equals_python_in_every_score(cc, kind, time, channels):
    made_of, r = made(kind, time, channels)
    found = checking._on_host(made_of, r)
    assert (found.compared, found.differing) == (len(r), 0)
    assert len(np.unique(made_of.scores(r))) > 8


def test_other_scores_than_those_of_python_are_counted(cc, monkeypatch):
    made_of, r = made("spectrum", 64, 1)
    bent = replace(made_of.codes, offset=tuple(v + 400 for v in made_of.codes.offset))
    other = replace(made_of, codes=bent)
    monkeypatch.setattr(checking, "files", lambda _, files=checking.files: files(other))
    found = checking._on_host(made_of, r)
    assert found.differing > len(r) / 2
    assert f"{found.differing:,} scores differ from Python" in found.broken(Limits())


@pytest.mark.parametrize("kind, time, channels", SHAPES[1:3])
def test_emulated_core_equals_python_and_is_measured(kind, time, channels):
    made_of, r = made(kind, time, channels)
    try:
        toolchain.chosen()
        emulator._unicorn()
    except toolchain.MissingTool as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    found = checking.taken(made_of, r, "cortex-m0plus", thorough=True)
    guess = checking.estimated(made_of)
    assert found.measured and found.differing == 0 and found.compared == len(r)
    assert 0.3 < guess.instructions / found.instructions < 4
    assert 0.5 < guess.ram / found.ram < 2 and guess.flash > found.flash


def test_what_is_downloaded_passes_its_own_make(cc, tmp_path):
    made_of, r = made("spectrum", 64, 1)
    for name, text in made_of.sources("hum", r[:4]).items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(["make", "-s", "run"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "hum: 0 codes differ\nhum: 0 scores differ\n", done.stderr


def test_names_of_a_file_cannot_end_a_comment():
    made_of, _ = made("spectrum", 64, 1)
    evil = replace(made_of, classes=("*/ int x; /*", "a\nb", "é\\"), channels=('*/"',))
    header = evil.sources()["own_sensor.h"]
    assert header.count("*/") == 2 and "\\" not in header and header.isascii()


def test_a_candidate_that_is_free_is_none_of_these():
    assert [c.name for c in candidates(64, 1, 2, 10) if c.free] == ["free: spectrum, 64 hidden", "free: CNN"]
    assert all(isinstance(c, Candidate) for c in candidates(17, 2, 2, 10))


def test_without_a_cross_compiler_the_host_compares_and_without_any_nothing_does(cc, monkeypatch):
    made_of, r = made("spectrum", 64, 1)
    monkeypatch.setattr(toolchain, "compilers", tuple)
    found = checking.taken(made_of, r, "cortex-m0plus")
    assert (found.where, found.measured, found.compared, found.differing) == (
        "this computer",
        False,
        len(r),
        0,
    )

    def none():
        raise toolchain.MissingTool("a C compiler is missing")

    monkeypatch.setattr(checking.host, "compiler", none)
    found = checking.taken(made_of, r, "cortex-m0plus")
    assert (found.where, found.measured, found.compared) == ("nothing", False, 0)
    assert found.broken(Limits(flash_bytes=10))[0].startswith("needs about")
