"""Networks that lie, break limits, shapes or types, or know the visible test by heart: each gets its due."""

import json
import math
import re
import shutil
import sqlite3
from pathlib import Path

import nbformat
import numpy as np
import pytest

from benchmarks.capstone import DESIGNS
from grading import keys
from grading.book.course import Course
from grading.book.rows import Options
from grading.engine import run
from grading.judging.judge import judge_trial
from tests.deploy.test_capstone import device  # noqa: F401 - a fixture
from tinylib.deploy import capstone
from tinylib.practice.assignment import read_release
from tinylib.practice.draws import Rng
from tinylib.practice.plain import NotPlain, plain

ROOT = Path(__file__).resolve().parents[2]
NAME, CELL = "a16_capstone", "network"
KEY = ROOT / "authoring" / "keys" / f"{NAME}.py"
TRIAL = keys.load(KEY)["a16.network"]
POINTS = 10.0


@pytest.fixture(scope="module")
def honest() -> dict:
    """A network that is fit for the printed budget."""
    rng = np.random.default_rng(0)
    return capstone.quantized(capstone.fit(DESIGNS["3 filters 5x5/3"](rng)))


def judged(value):
    return judge_trial(TRIAL, [TRIAL.given], value, "hidden")


def changed(value: dict, layer: int, **entries) -> dict:
    rows = [dict(row) for row in value["layers"]]
    rows[layer] |= entries
    return value | {"layers": rows}


class Network(dict):
    """A dict that is none: exact types alone are plain."""


SMALLER = {"kind": "conv", "shape": [3, 5, 5, 1]}
FORGED = {
    "a subclass": (lambda v: Network(v), "must be a number, text, list or array, got a Network"),
    "its own marks": (lambda v: v | {"share": 1.0}, "must have no other entry"),
    "text": (json.dumps, "must hold at most 10,000 characters|must be a dict of entries"),
    "deeply nested": (lambda v: [[[[[[[[[[v]]]]]]]]]], "nested deeper"),
    "too many layers": (lambda v: v | {"layers": v["layers"] * 9}, "a list of 1 to 16 layers"),
    "too many weights": (lambda v: v | {"layers": [[0] * 100_001]}, "at most 100,000 values"),
    "a claimed shape": (lambda v: changed(v, 0, shape=[3, 4096, 4096, 4096]), "at most 100,000 codes"),
    "a negative shape": (lambda v: changed(v, 0, shape=[3, 5, 5, -1]), "a whole number from 1 to 4096"),
    "not a number": (lambda v: changed(v, 0, scales=[math.nan] * 3), "must be finite|a number from"),
    "infinite scale": (lambda v: changed(v, 0, scales=[math.inf] * 3), "must be finite|a number from"),
    "huge integer": (lambda v: changed(v, 0, bias=[10**5000] * 3), "at most 4,300 digits|from -2147483648"),
    "a code of nine bits": (lambda v: changed(v, 0, weights=[128] * 75), "from -128 to 127"),
    "half codes": (lambda v: changed(v, 0, weights=[0.5] * 75), "must be whole codes"),
    "truth values": (lambda v: changed(v, 0, weights=[True] * 75), "must be whole codes"),
    "an overflowing sum": (lambda v: changed(v, 0, bias=[2**31 - 1] * 3), "must fit into 32 bits"),
    "another input": (
        lambda v: changed(v, 0, shape=[3, 5, 5, 2], weights=[1] * 150),
        "1 input channels|expects",
    ),
    "six answers": (lambda v: v | {"layers": v["layers"][:1]}, "must give 5 outputs"),
    "C in a name": (lambda v: changed(v, 0, activation='relu"; system("x")'), "activation must be one of"),
    "a kind of C": (lambda v: changed(v, 0, kind="conv*/ #include </etc/passwd>"), "kind must be one of"),
    "a path": (lambda v: v | {"arithmetic": "../../etc/passwd"}, 'must be "int8" or a format|no other entry'),
    "endless stride": (lambda v: changed(v, 0, stride=10**9), "stride must be a whole number"),
    "nothing but copies": (lambda v: v | {"layers": [{"kind": "flatten"}] * 16}, "must give 5 outputs"),
}


def told(value, **numbers) -> tuple[float, str]:
    """What the trial says, in this process: the road to it is tried below."""
    try:
        return capstone.attempt(plain(value), TRIAL.given | numbers, Rng("hidden"))
    except NotPlain as error:
        return 0.0, str(error)


@pytest.mark.parametrize("what", FORGED)
def test_forged_networks_get_nothing_and_a_sentence(what, honest):
    forge, words = FORGED[what]
    share, said = told(forge(honest))
    assert share == 0 and re.search(words, said), said
    assert said.isprintable() and len(said) < 1500


@pytest.mark.parametrize("what", ["a subclass", "infinite scale", "huge integer", "C in a name"])
def test_so_do_they_through_the_process_of_the_judge(what, honest):
    forge, words = FORGED[what]
    found = judged(forge(honest))
    assert found.share == 0 and re.search(words, found.message), found.message


def test_limits_that_are_passed_cost_their_part(device, honest):  # noqa: F811
    assert told(honest)[0] == 1.0
    share, said = told(honest, flash_bytes=600)  # more than half over: one limit of three is lost
    assert share == pytest.approx(2 / 3) and "% over" in said
    assert told(honest, flash_bytes=600, ram_bytes=64, instructions=9000)[0] == 0


def test_padding_a_network_with_idle_layers_only_costs(device, honest):  # noqa: F811
    idle = {"kind": "max_pool", "size": 1}
    padded, said = told(honest | {"layers": [*[idle] * 6, *honest["layers"]]})
    assert padded < told(honest)[0] == 1.0 and "Accuracy" in said


def test_weights_fitted_to_the_visible_test_are_judged_by_strangers(device):  # noqa: F811
    _, test = capstone.visible()
    few = test.take(np.arange(50))  # one speaker: known by heart
    rng = np.random.default_rng(0)
    value = capstone.quantized(capstone.fit(DESIGNS["3 filters 5x5/3"](rng), epochs=200, examples=few))
    assert capstone.accuracy(capstone.read(value), few) > 97
    share, said = told(value)
    assert share < 0.5 and "points short" in said


# ---- through the sealed engine


def course(root: Path, cells: dict[str, str]) -> Course:
    """A course of this assignment in which each student hands in one source for the network's cell."""
    for kind in ("exercises", "solutions"):
        shutil.copytree(ROOT / kind / NAME, root / kind / NAME)
    for student, source in cells.items():
        folder = shutil.copytree(ROOT / "exercises" / NAME, root / "submitted" / student / NAME)
        nb = nbformat.read(folder / f"{NAME}.ipynb", as_version=4)
        for cell in nb.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = {"student": f"student = {student!r}", CELL: source}.get(name, cell.source)
        nbformat.write(nb, folder / f"{NAME}.ipynb")
    return Course(root)


LIAR = """
class Liar(dict):
    __eq__ = lambda self, other: True
    get = __getitem__ = lambda self, *a: 1
    __hash__ = None

network = Liar(arithmetic="int8")
capstone.score = capstone.attempt = lambda *a, **k: (1.0, "yes")
"""
LARGE = 'network = {"arithmetic": "Q8.8", "layers": [{"kind": "dense", "weights": [0] * 99_000}]}'


def quiet(**options) -> Options:
    return Options(progress=False, say=lambda _: None, **options)


@pytest.mark.slow
def test_sealed_engine_judges_tries_again_and_never_gives_zero_for_a_missing_tool(
    device,  # noqa: F811
    honest,
    tmp_path,
    monkeypatch,
):
    numbers = read_release(ROOT / "exercises" / NAME / "release.json").numbers(TRIAL.id, "ada")
    fit = f"import json\n\nnetwork = json.loads({json.dumps(honest)!r})"
    there = course(tmp_path / "course", {"ada": fit, "liar": LIAR, "large": LARGE})
    folder = shutil.copytree(KEY.parent, tmp_path / "keys")
    monkeypatch.setenv(keys.FOLDER_VARIABLE, str(folder))
    text = KEY.read_text(encoding="utf-8")
    without = text.replace("attempt=capstone.attempt", "attempt=_without")
    missing = "\n\ndef _without(*_):\n    raise MissingTool('the cross compiler is missing: get it')\n"
    missing = "\nfrom tinylib.deploy.image import MissingTool\n" + missing
    (folder / KEY.name).write_text(without.replace("\n\nNETWORK =", missing + "\n\nNETWORK =", 1))

    report = run(there, NAME, quiet(jobs=2))
    rows = {row.student: row for row in report.rows}
    assert rows["ada"].state == "not tried" and "cross compiler is missing: get it" in rows["ada"].note
    assert marks(there) == {} or "ada" not in marks(there)

    (folder / KEY.name).write_text(text)
    report = run(there, NAME, quiet())
    rows = {row.student: row for row in report.rows}
    assert rows["ada"].state == "regraded", (
        rows["ada"].note,
        report.notes,
    )  # the answers were kept: nothing ran again
    assert {name: row.graded for name, row in rows.items()} == dict.fromkeys(rows, True)
    expected = capstone.attempt(honest, numbers, Rng(keys.trial_seed(SALT, TRIAL.id)))
    assert marks(there)["ada"] == pytest.approx(POINTS * expected[0])
    assert marks(there)["liar"] == 0 and marks(there)["large"] == 0
    reasons = {m.grade_id: m.reason for m in rows["ada"].verdict.marks}
    assert expected[1] in reasons["network-check"]


SALT = read_release(ROOT / "exercises" / NAME / "release.json").salt


def marks(there: Course) -> dict[str, float]:
    """Student -> automatic points of the trial's cell."""
    path = there.root / "gradebook.db"
    query = """select student_id, auto_score from grade join base_cell on base_cell.id = grade.cell_id
        join submitted_notebook as n on n.id = grade.notebook_id
        join submitted_assignment as s on s.id = n.assignment_id where base_cell.name = 'network-check'"""
    with sqlite3.connect(path) as db:
        return dict(db.execute(query))
