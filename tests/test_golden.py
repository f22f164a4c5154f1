"""Golden runner: the reference vectors hold, a changed value is found, and nothing passes by being absent."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import golden
from tests.golden_checks import Compared

VECTORS = Path(__file__).parent / "golden"


def run(directory, capsys):
    """Exit status, the three totals and the printed lines of a run."""
    status = golden.main([str(directory)])
    lines = capsys.readouterr().out.splitlines()
    totals = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) set aside", lines[-1])
    return status, [int(n) for n in totals.groups()], lines


def copied(tmp_path, *names):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(VECTORS / name, tmp_path / name)
    return tmp_path


def changed(path, change):
    record = json.loads(path.read_text())
    change(record["cases"])
    path.write_text(json.dumps(record))


@pytest.fixture(scope="module")
def whole():
    """A run over every vector, as a program and from another directory."""
    command = [sys.executable, golden.__file__, VECTORS]
    return subprocess.run(command, capture_output=True, text=True, cwd=VECTORS.parent)


def test_every_reference_vector_holds(whole):
    last = whole.stdout.splitlines()[-1]
    assert re.fullmatch(r"\d{6} passed, 0 failed, \d+ set aside", last), whole.stdout[-3000:]
    assert whole.returncode == 0


def test_the_whole_is_all_of_its_files():  # every vector of the three folders is walked
    named = {path.relative_to(VECTORS).as_posix() for path in golden.paths(VECTORS)}
    assert named == {path.relative_to(VECTORS).as_posix() for path in VECTORS.rglob("*.json")}
    assert len(named) == 26 + 27


def test_some_files_are_enough(tmp_path, capsys):
    status, totals, _ = run(copied(tmp_path, "qvalue_misc.json"), capsys)
    assert (status, totals) == (0, [728, 0, 0])


CHANGES = {  # file -> a change of one value in it
    "a sum": ("qvalue_ops_q8_8.json", lambda c: c[0]["add_raw"].__setitem__(5, c[0]["add_raw"][5] + 1)),
    "a sign": ("qvalue_ops_q8_8.json", lambda c: c[1]["mul_raw"].__setitem__(40, -c[1]["mul_raw"][40] - 1)),
    "a clamp": ("qvalue_ops_q8_8.json", lambda c: c[2].__setitem__("saturation_max_raw", 32513)),
    "a comparison": ("qvalue_ops_uq8_8.json", lambda c: c[0]["a_lt_b"].__setitem__(0, 1)),
    "a quotient": ("qvalue_ops_q8_8.json", lambda c: c[0]["div_raw"].__setitem__(0, 0)),  # 0 / 0 under wrap
    "a float": ("qvalue_misc.json", lambda c: c[5]["from_double_raw"].__setitem__(1, 256)),
    "a conversion": ("qvalue_misc.json", lambda c: c[1]["to_raw"].__setitem__(0, 1)),
    "a node": ("activation_q4_12.json", lambda c: c[-1]["values_raw"].__setitem__(95, 0)),
    "a reading": ("activation_q16_16.json", lambda c: c[1]["y_raw"].__setitem__(100, 7)),
    "a size": ("sizeof.json", lambda c: c[17].__setitem__("bytes", c[17]["bytes"] + 8)),
    "a width": ("activation_q8_8.json", lambda c: c[0].__setitem__("frac_bits", 7)),
    "a number": ("activation_q8_8.json", lambda c: c[0]["y"].__setitem__(3, 0.123)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_value_is_found(change, tmp_path, capsys):
    name, edit = CHANGES[change]
    copied(tmp_path, name)
    _, (passed, failed, aside), _ = run(tmp_path, capsys)
    assert failed == 0
    changed(tmp_path / name, edit)
    status, (still, found, left), lines = run(tmp_path, capsys)
    assert status == 1 and found >= 1
    assert still + found + left == passed + aside  # nothing goes uncounted
    assert any(line.startswith(f"FAILED {name} case ") and ": got " in line for line in lines)


def test_a_value_of_the_listed_defect_must_be_the_defect(tmp_path, capsys):  # 127.0 in the file, not 126.99
    name = "qvalue_ops_q8_8.json"
    copied(tmp_path, name)
    _, (_, _, aside), _ = run(tmp_path, capsys)
    assert aside > 0
    case = json.loads((tmp_path / name).read_text())["cases"][2]
    at = case["add_raw"].index(127 * 256)
    changed(tmp_path / name, lambda c: c[2]["add_raw"].__setitem__(at, 127 * 256 - 1))
    assert run(tmp_path, capsys)[0] == 1


def test_nothing_found_is_a_failure(tmp_path, capsys):
    assert run(tmp_path, capsys)[:2] == (1, [0, 0, 0])


@pytest.mark.parametrize(
    "text, message",
    [
        ('{"cases": [{"case": "qvalue_ops"', "JSONDecodeError"),
        ('{"cases": []}', "want at least one"),
        ('{"cases": [{"case": "horoscope"}]}', "got no check"),
        ('{"op": "HOROSCOPE", "cases": [{}]}', "got no check"),
        ('{"cases": [{"case": "softmax", "format": "Q8.8"}]}', "KeyError"),
        ('{"cases": [{"case": "sizeof", "arch": "ltc", "inputs": 1, "state": 2}]}', "got no value"),
        ("[1, 2]", "TypeError"),
    ],
)
def test_what_cannot_be_checked_fails(text, message, tmp_path, capsys):
    copied(tmp_path, "qvalue_misc.json")
    (tmp_path / "zz.json").write_text(text)
    status, (passed, failed, _), lines = run(tmp_path, capsys)
    assert (status, passed, failed) == (1, 728, 1)
    assert any(line.startswith("FAILED zz.json") and message in line for line in lines)


@pytest.mark.parametrize(
    "compared, passed, aside",
    [
        (Compared("add_raw", [1, 2], [1, 3], "saturation bound without fraction"), 1, 1),
        (Compared("add_raw", [1, 2], [1, 3], "saturation bound without fraction", [True, False]), 1, 0),
        (Compared("add_raw", [1, 2], [1, 3], "saturation bound without fraction", instead=[1, 4]), 1, 0),
        (Compared("elsewhere", [1, 2], [1, 3], "saturation bound without fraction"), 1, 0),
        (Compared("add_raw", [1, 2], [1, 3], "some other defect"), 1, 0),
        (Compared("add_raw", [1, 2, 3], [1, 3], "saturation bound without fraction"), 0, 0),
        (Compared("y", [1.0, float("nan")], [1.0 + 1e-10, float("nan")], rtol=1e-9), 1, 0),
        (Compared("y", [1.0, 2.0], [1.0 + 1e-10, 2.0]), 1, 0),
        (Compared("y", [None, 0], [None, None]), 1, 0),
    ],
)
def test_one_comparison(compared, passed, aside):
    tally = golden.Tally("file", 0, [], golden.Counter())
    assert golden.Run().judge("file", "0", "qvalue_ops", compared, tally) == passed
    assert tally.aside.total() == aside
    lengths = len(golden.flat(compared.want)) == len(golden.flat(compared.got))
    assert len(tally.failures) == (2 - passed - aside if lengths else 1)


def test_every_listed_defect_has_a_reason_and_still_bites(whole):
    lines = whole.stdout.splitlines()
    for defect in golden.defects():
        assert len(defect["reason"]) > 60
        assert any(line.endswith(f"times: {defect['name']}") for line in lines), defect["name"]
