"""From a CSV file to a folder: what is trained, chosen, refused and said; nothing is left half-written."""

import json
import os
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.deploy.test_own_tables import csv, fleet, hum
from tinylib.deploy import toolchain
from tinylib.deploy.__main__ import main
from tinylib.deploy.measure import Limits
from tinylib.deploy.own import anomaly, choose, pages, run, training
from tinylib.deploy.own.candidates import Candidate, candidates
from tinylib.deploy.own.checking import Taken
from tinylib.deploy.own.choose import Trial, chosen, interval, limits_of
from tinylib.deploy.own.roles import roles_of
from tinylib.deploy.own.tables import read
from tinylib.deploy.own.training import Curve, epochs, hit_rate, shown_evenly


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "fleet.csv"
    path.write_bytes(csv(*fleet(6, seconds=12)))
    return path


@pytest.fixture(scope="module")
def folder(data):
    out = data.parent / "out"
    assert main(["train", str(data), "--seconds", "2", "--window", "128", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def quiet():
    """What comes of normal readings of six machines, without labels."""
    rows = ["machine,time_s,acc"]
    rows += [line.rsplit(",", 1)[0] for m in range(6) for line in hum(f"m{m}", "", seconds=60, seed=m)]
    table = read(csv(*rows))
    return run.watch_over(table, roles_of(table), "cortex-m0plus", limits_of("cortex-m0plus"), rate=0.02)


def test_a_small_program_is_as_good_as_what_needs_no_limits(folder):
    facts = json.loads((folder / "choice.json").read_text())
    assert facts["classes"] == ["fast", "slow"] and facts["rate_hz"] == 100
    assert facts["flash_bytes"] <= 192 * 1024 and facts["ram_bytes"] <= 20 * 1024
    assert facts["accuracy"] > 0.9 and facts["share_of_best"] >= 0.9
    assert facts["interval"][0] <= facts["accuracy"] <= facts["interval"][1]
    if os.environ.get("CI") or toolchain.compilers():
        assert facts["measured"] and facts["compared_windows"] >= 16 and facts["differing"] == 0


def test_the_folder_is_whole(folder):
    names = {p.name for p in folder.iterdir()}
    assert names == {"own.h", "own.c", "own_sensor.h", "own_sensor.c", "own_test.c", "own_sensor_test.c",
                     "Makefile", "report.html", "choice.json"}  # fmt: skip
    assert not [p for p in folder.parent.iterdir() if "partial" in p.name]


class Page(HTMLParser):
    """What a page holds: tags in order, and attributes of each."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_report_is_one_page_without_a_script_that_can_be_read_aloud(folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not page.open
    tags = [tag for tag, _ in page.tags]
    assert not {"script", "link", "img", "iframe"} & set(tags) and "http" not in text.replace(
        "http://www.w3.org", ""
    )
    assert page.tags[0] == ("html", {"lang": "en"}) and tags.count("h1") == 1 and tags.count("h2") == 6
    drawings = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert len(drawings) == 3 and all(a["role"] == "img" and len(a["aria-label"]) > 60 for a in drawings)
    assert all("scope" in attrs for tag, attrs in page.tags if tag == "th")
    assert "prefers-color-scheme:dark" in text
    for words in ("as integers", "95 % interval", "why not", "no other part knows", "1.5 cycles"):
        assert words in text


def test_limits_that_nothing_keeps_end_in_a_reason_and_a_report(data, tmp_path, capsys):
    out = tmp_path / "none"
    status = main(
        ["train", str(data), "--seconds", "0.1", "--window", "64", "--sram", "100B", "--out", str(out)]
    )
    said = capsys.readouterr().out
    assert status == 1 and "Nothing keeps the limits" in said and "bytes of RAM, there are 100" in said
    assert {p.name for p in out.iterdir()} == {"report.html", "choice.json"}


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--label", "nothing"], "label must be a column"),
        (["--window", "99999"], "window must be 8 to 8192"),
        (["--rate", "-1"], "rate must be positive"),
        (["--rate", "100", "--time", "time_s"], "rate must be given without time"),
        (["--seconds", "0"], "seconds must be positive"),
        (["--out", "."], "out must be a new folder"),
        (["--out", "fleet.csv/out"], "out must lie in a folder that can be written"),
        (["--seed", "-1"], "seed must not be negative"),
    ],
)
def test_what_cannot_be_is_one_sentence(data, tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(data.parent)
    assert main(["train", str(data), *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


def test_sizes_and_times_need_their_units(data, capsys):
    for option, value, why in (
        ("--flash", "9parsec", "got 'parsec'"),
        ("--latency", "5kB", "data is not time"),
    ):
        with pytest.raises(SystemExit, match="2"):
            main(["train", str(data), option, value])
        assert why in capsys.readouterr().err


def test_a_run_that_is_stopped_leaves_nothing(data, tmp_path, monkeypatch, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", stop)
    assert main(["train", str(data), "--out", str(tmp_path / "out")]) == 130
    assert "nothing was written" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_earlier_folder_as_it_was(quiet, tmp_path, monkeypatch):
    out = pages.write(quiet, tmp_path / "out")
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    full = pages.files
    monkeypatch.setattr(pages, "files", lambda *a: full(*a) | {"no/such/folder": ""})
    with pytest.raises(OSError):
        pages.write(quiet, out)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before and list(tmp_path.iterdir()) == [out]


def test_a_folder_of_something_else_is_not_written_over(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="out must be a new folder"):
        pages.checked(tmp_path)


def test_an_anomaly_score_keeps_quiet_and_sees_what_is_made_up(quiet):
    d = quiet.detector
    assert d.alarms <= 0.15 and quiet.low <= d.alarms <= quiet.high
    assert d.seen["knocks"] > 0.9 and d.seen["a sensor that stands still"] > 0.9
    assert d.taken.differing == 0 and len(quiet.others) == 2 and all(o.why for o in quiet.others)
    files = pages.files(quiet)
    assert f"OWN_THRESHOLD {d.program.threshold}u" in files["own_sensor.h"]
    assert "cries wolf" in files["report.html"] and Page(files["report.html"]).open == []


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_threshold_is_passed_as_often_as_wanted(rate):  # over many draws of 500 scores, and one more
    rng = np.random.default_rng(0)
    passed = [s[-1] > anomaly.threshold(s[:-1], rate) for s in rng.integers(0, 10**6, (4000, 501))]
    assert np.mean(passed) == pytest.approx(rate, abs=3 * (rate / 4000) ** 0.5)


def test_whitening_makes_features_of_unit_covariance_and_the_rest_lies_across_the_main_directions():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 3)) @ rng.normal(size=(3, 3)) + 5
    w, b = anomaly.weights("together", x)
    np.testing.assert_allclose(np.cov(x @ w + b, rowvar=False), np.eye(3), atol=0.02)
    w, b = anomaly.weights("unexplained", x)
    assert ((x @ w + b) ** 2).sum() <= 0.1 * ((x - x.mean(axis=0)) ** 2).sum()


def trial(name, integer, instructions=1000, flash=5000, free=False):
    taken = None if free else Taken("emulated", flash, 900, instructions, True, 8, 0)
    c = Candidate(name, "signal", "", lambda rng: None, free=free)
    return Trial(c, Curve(), integer, integer, None, None if free else integer, taken)


def test_the_best_that_fits_is_taken_and_of_equals_the_one_of_least_work():
    limits = Limits(8000, 1000, latency_ms=10, clock_hz=1_000_000)
    every = [
        trial("good", 0.900, 4000),
        trial("as good", 0.895, 3000),
        trial("worse", 0.8, 100),
        trial("large", 0.99, flash=9000),
        trial("slow", 0.99, instructions=10_000),
        trial("free", 1.0, free=True),
    ]
    winner, told = chosen(every, limits)
    why = {t.candidate.name: t.why for t in told}
    assert winner.candidate.name == "as good" and why["as good"] == ""
    assert why["good"] == "0.5 points more is chance; 1.3 times the work"
    assert why["worse"] == "9.5 points less on the part to choose by"
    assert why["large"] == "needs 9,000 bytes of flash, there are 8,000"
    assert why["slow"] == "takes 15 ms of the 10 ms allowed"
    assert why["free"] == "without limits, to compare with"
    assert chosen(every[3:5], limits)[0] is None


def test_scores_that_differ_from_python_are_a_reason():
    wrong = Taken("emulated", 1, 1, 1, True, 8, differing=3)
    assert wrong.broken(Limits()) == ["3 scores differ from Python"]


def test_interval_of_windows_is_that_of_wilson():  # 9 of 10: worked with the formula of 1927, z = 1.96
    low, high, how = interval(np.arange(10) > 0, None)
    assert (low, high) == pytest.approx((0.5958, 0.9821), abs=1e-4) and "10 windows" in how


def test_interval_of_machines_is_wider_than_that_of_their_windows():
    right = np.repeat([1, 1, 1, 0, 1, 0], 100).astype(bool)
    low, high, how = interval(right, np.repeat(np.arange(6), 100))
    alone = interval(right, None)
    assert high - low > 4 * (alone[1] - alone[0]) and "6 machines" in how


def test_rare_classes_are_shown_as_often_and_counted_as_much():
    y = np.repeat([0, 1, 2], [60, 30, 2])
    assert np.bincount(y[shown_evenly(y)]).tolist() == [60, 60, 20]  # at most ten times
    assert hit_rate(y, np.zeros(92, int), 3) == pytest.approx(1 / 3)


def test_epochs_follow_from_the_work_alone():
    assert epochs("signal", 100_000, 500, 1) == epochs("signal", 100_000, 500, 1.0)
    assert epochs("signal", 10**9, 500, 1) == training.EPOCHS[0]
    assert epochs("spectrum", 100, 500, 100) == training.EPOCHS[1]


def test_the_same_seed_gives_the_same_network():
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    x = rng.normal(size=(120, 10)) + np.eye(10)[y]
    nets = [candidates(64, 1, 3, 10)[1].draw(np.random.default_rng(seed)) for seed in (1, 1)]
    two = [training.fit(net, "spectrum", (x, y), (x, y), 200, 0.01, 4)[0] for net in nets]
    other = training.fit(nets[0], "spectrum", (x, y), (x, y), 200, 0.01, 5)[0]
    same = lambda a, b: all((a.arrays[k][n] == b.arrays[k][n]).all() for k in range(2) for n in "wb")  # noqa: E731
    assert same(*two) and not same(two[0], other)


def test_limits_are_those_of_a_part_unless_given():
    assert limits_of("cortex-m0plus") == Limits(192 * 1024, 20 * 1024, clock_hz=32_000_000)
    assert limits_of("cortex-m4", 1000, 100, 5.0) == Limits(1000, 100, latency_ms=5.0, clock_hz=64_000_000)
    with pytest.raises(ValueError, match="target must be one of"):
        choose.part("z80")
