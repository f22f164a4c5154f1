"""The page for one's own data: controls follow the file, a training ends in pictures and a zip."""

import io
import json
import zipfile

import numpy as np
import pytest

from tinylib.datasets.motions import motions_csv
from tinylib.lab.own_data import NONE, OwnData, own_data


def normal_csv():
    """Four minutes of hum at 100 Hz, nobody says of what."""
    rng, t = np.random.default_rng(0), np.arange(24000) / 100
    x = np.sin(2 * np.pi * 7 * t) + 0.1 * rng.normal(size=len(t))
    return ("t,acc\n" + "".join(f"{a:.2f},{b:.4f}\n" for a, b in zip(t, x))).encode()


def few_csv():
    """Every fourth recording of the example."""
    head, *rows = motions_csv().splitlines(keepends=True)
    return b"".join([head, *(row for row in rows if int(row.split(b",")[0]) % 4 == 0)])


@pytest.fixture(scope="module")
def trained():
    page = OwnData(seconds=0.5)
    page.load(few_csv())
    page.run()
    return page


def test_the_example_gives_columns_their_roles_and_a_picture():
    page = own_data()
    assert (page.label.value, page.group.value, page.time.value) == ("activity", NONE, "t")
    assert page.channels.value == ("ax", "ay", "az", "gx", "gy", "gz")
    assert not page.train.disabled and "standing" in page.svg and page.figure.value == page.svg
    bundle = page._repr_mimebundle_()
    assert bundle["image/svg+xml"] == page.svg and len(bundle["text/plain"]) > 40
    json.dumps(bundle)


def test_every_control_has_a_spoken_name():
    page = OwnData()
    boxes = (*page._columns.children, *page._limits.children, page.train, page.example)
    assert all(c.description and (c.tooltip or c is page.target) for c in boxes)


def test_training_ends_in_a_matrix_bars_and_a_zip(trained):
    assert trained.found.winner and trained.found.share_of_best >= 0.8
    assert "What it is, and what the program says" in trained.figure.value
    assert "Share of the limits" in trained.figure.value
    assert trained.download.value.startswith('<a download="own.zip"')
    assert trained.found.verdict.split(":")[0] in trained.figure.value
    with zipfile.ZipFile(io.BytesIO(trained.archive())) as file:
        names = set(file.namelist())
    assert names >= {"own/report.html", "own/own.c", "own/own_sensor.c", "own/Makefile"}


def test_the_curve_grew_with_every_epoch(trained):
    assert len(trained.scores) == len(trained.found.trials)
    for trial in trained.found.trials:
        assert trained.scores[trial.candidate.name] == trial.curve.score


def test_no_label_gives_an_anomaly_score():
    page = OwnData()
    page.load(normal_csv())
    assert page.label.value == NONE
    page.run()
    assert page.found.detector and "false alarms" in page.figure.value


@pytest.mark.parametrize(
    "content, sentence",
    [(b"", "empty file"), (b"\0\1\2", "binary file"), (b"a,b\nx,y\nz,w\n", "column of readings")],
)
def test_a_file_that_cannot_do_is_refused_in_a_sentence(content, sentence):
    page = OwnData()
    page.load(content)
    assert 'role="alert"' in page.said.value and sentence in page.said.value


def test_limits_that_nothing_keeps_are_said():
    page = OwnData(seconds=0.1)
    page.load(few_csv())
    page.sram.value, page.channels.value = 0.05, ("ax",)
    page.run()
    assert page.found.winner is None and "Nothing keeps the limits" in page.figure.value
    assert "bytes of RAM" in page.figure.value
