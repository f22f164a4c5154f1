"""measured_roofline: the example on file, a measurement, the picture, its words."""

import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tinylib.cost import roofline
from tinylib.lab import measured, measured_roofline
from tinylib.show import canvases
from tinylib.show import measured as picture


def test_the_example_is_dated_and_lies_under_its_own_roof():
    shown = measured_roofline()
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", shown.date) and shown.machine
    assert [name for name, _, _ in shown.points][:2] == ["axpy", "matvec"] and len(shown.points) >= 4
    for _, at, rate in shown.points:
        assert rate <= roofline.attainable_flops_per_s(
            at, shown.peak_flops_per_s, shown.bandwidth_bytes_per_s
        )


def test_the_cell_holds_picture_and_words():
    bundle = measured_roofline()._repr_mimebundle_(include=None, exclude=None)
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    ET.fromstring(bundle["image/svg+xml"])
    assert bundle["text/plain"] == canvases.alternative(bundle["image/svg+xml"])
    assert all(name in bundle["text/plain"] for name, _, _ in measured_roofline().points)
    json.dumps(bundle)


def test_intensities_are_the_hand_worked_ones():  # float32: 2/20, 2/4, 2 n^3 / (3 n^2 * 4)
    by_name = {name: at for name, at, _, _ in measured._between(4 * 64 * 64)}
    assert by_name == pytest.approx({"axpy": 0.1, "matvec": 0.5, "many 16x16": 16 / 6, "many 64x64": 64 / 6})
    for name, at, _ in measured_roofline().points:
        side = re.search(r"x(\d+)$", name)
        assert at == pytest.approx(int(side[1]) / 6 if side else by_name[name], rel=1e-4)


def test_work_is_what_it_says():
    work = {name: (flops, run) for name, _, flops, run in measured._between(4 * 64 * 64)}
    assert work["axpy"][0] == 2 * 4096 and work["matvec"][0] == 2 * 64 * 64
    assert work["many 16x16"][0] == 16 * 2 * 16**3 and work["many 64x64"][0] == 2 * 64**3
    np.testing.assert_allclose(work["matvec"][1](), np.full(64, 64))
    np.testing.assert_allclose(work["many 16x16"][1](), np.full((16, 16, 16), 32))


def test_a_run_says_its_steps_and_measures(monkeypatch):
    monkeypatch.setattr(measured, "_matmul", lambda: (256, 1e6))
    lines = []
    found = measured.measure(array_bytes=1 << 16, say=lines.append)
    assert len(lines) == len(found.points) + 1
    assert "this machine" in found.machine and found.bandwidth_bytes_per_s > 0
    assert found.peak_flops_per_s == max(rate for _, _, rate in found.points)
    assert "matmul 256x256" in found._repr_mimebundle_()["text/plain"]


def test_run_true_prints_progress(monkeypatch, capsys):
    monkeypatch.setattr(measured, "ARRAY_BYTES", 1 << 16)
    monkeypatch.setattr(measured, "_matmul", lambda: (256, 1e6))
    measured_roofline(run=True)
    assert "matvec" in capsys.readouterr().out


def test_best_runs_at_least_once_and_at_most_ten_times():
    runs = []
    assert measured.best_s(lambda: runs.append(1), budget_s=0) >= 0 and len(runs) == 2
    runs.clear()
    measured.best_s(lambda: runs.append(1), budget_s=60)
    assert len(runs) == 11


def test_without_threads_one_core_copies(monkeypatch):
    monkeypatch.setattr(measured.sys, "platform", "emscripten")
    monkeypatch.setattr(measured, "ThreadPoolExecutor", None)
    assert measured._bandwidth(1 << 16) > 0


def test_a_point_of_no_rate_is_refused_with_a_reason():
    with pytest.raises(ValueError, match="'idle' must have a positive intensity and rate"):
        picture.measured_roofline([("idle", 1.0, 0.0)], 1e9, 1e9, "none")


def test_words_of_a_picture_with_round_numbers():
    drawing = picture.measured_roofline([("half", 1.0, 5e8)], 4e9, 1e9, "A <machine>")
    words = canvases.alternative(drawing)
    assert "ridge at 4 FLOP/B" in words and "half: 1 FLOP/B, 500 MFLOP/s, 50 % of the roof" in words
    ET.fromstring(drawing)
