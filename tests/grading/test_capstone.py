"""Assignment 16: every budget can be reached, and stock and sealed grading say the same of a network."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.capstone import DESIGNS
from grading import keys
from grading.inside.task import Outcome, Result
from grading.judging.asks import read_paper
from grading.judging.judge import judge_trial
from grading.judging.transplant import WHOSE, Transplanted
from grading.judging.verdict import verdict
from grading.stock import verdict as stock_verdict
from tests.deploy.test_capstone import device  # noqa: F401 - a fixture
from tinylib.deploy import capstone, capstone_runs, plain_network
from tinylib.nets import int8
from tinylib.nets.network import Network
from tinylib.practice.assignment import read_release
from tinylib.practice.draws import Rng, draw

ROOT = Path(__file__).resolve().parents[2]
NAME, CELL = "a16_capstone", "network-check"
KEY = ROOT / "authoring" / "keys" / f"{NAME}.py"
TRIAL = keys.load(KEY)["a16.network"]
FITTING = ("means 4x4", "means 2x2", "dense", "2 filters 5x5/3", "3 filters 5x5/3", "4 filters 4x4/4")
FITTING += ("8 filters 4x4/4", "4 filters 3x3/2")
SHEET = read_paper(ROOT / "exercises" / NAME, ROOT / "solutions" / NAME)


def rows() -> list[capstone.Budget]:
    columns = {name: space.values for name, space in TRIAL.draws.items() if name != "case"}
    return [capstone.budget_of(dict(zip(columns, row))) for row in zip(*columns.values())]


def network(name: str, seed: int = 0) -> dict:
    return capstone.quantized(capstone.fit(DESIGNS[name](np.random.default_rng(seed)), seed=seed))


@pytest.fixture(scope="module")
def tried(device):  # noqa: F811
    """Name -> what a trained reference network takes, its accuracies on two sets of unheard speakers."""
    first, second = Rng(keys.trial_seed("salt", TRIAL.id)).int(2**40, 2**41), 5
    found = {}
    for name in FITTING:
        read = capstone.read(network(name))
        use = capstone.used(read, capstone.unheard(first))
        found[name] = use, replace(use, accuracy=capstone.accuracy(read, capstone.unheard(second)))
    return found


def test_every_budget_is_reached_by_a_reference_network(tried):
    budgets = rows()
    assert len(budgets) == len(set(budgets)) == 24 == len(TRIAL.draws["case"])
    for budget in budgets:
        best = max(min(capstone.score(use, budget)[0] for use in uses) for uses in tried.values())
        assert best == 1.0, budget


def test_no_network_of_the_study_keeps_every_budget():
    worth = [[capstone.score(run.use, budget)[0] == 1 for budget in rows()] for run in capstone_runs.runs()]
    assert max(map(sum, worth)) < len(rows()) * 2 / 3 and all(any(column) for column in zip(*worth))


def test_a_draw_is_a_row_and_students_differ():
    release = read_release(ROOT / "exercises" / NAME / "release.json")
    drawn = [release.numbers(TRIAL.id, str(student)) for student in range(60)]
    assert {capstone.budget_of({**d, "case": 0}) for d in drawn} <= set(rows())
    assert len({d["case"] for d in drawn}) > 15
    assert draw(TRIAL.given, TRIAL.draws, Rng("x")).keys() == TRIAL.given.keys()
    assert capstone.budget_of({**TRIAL.given, "case": 0}) in rows()


def test_nothing_but_the_form_of_the_trial_is_released():
    text = (ROOT / "exercises" / NAME / "release.json").read_text(encoding="utf-8")
    assert json.loads(text)["private"][TRIAL.id]["form"] == TRIAL.form
    assert not any(word in text for word in ("attempt", "means 4x4", "unheard", "seed"))


@pytest.mark.parametrize("what", ["fit", "too large", "broken", None])
def test_stock_and_sealed_say_the_same_of_a_network(what, device, monkeypatch):  # noqa: F811
    made = {"fit": lambda: network("3 filters 5x5/3"), "too large": lambda: network("4 filters 3x3/2")}
    value = made.get(what, lambda: {"broken": {"layers": []}}.get(what))()
    monkeypatch.chdir(ROOT / "solutions" / NAME)
    monkeypatch.setenv(keys.FOLDER_VARIABLE, str(KEY.parent))
    opened = read_release("release.json", "ada")
    stock = stock_verdict(opened, TRIAL.id, value)
    sent = Outcome(CELL, value=json.loads(json.dumps(value)))
    outcomes = (Outcome(WHOSE, value="ada"), sent)
    done = verdict(SHEET, "ada", "digest", Transplanted(SHEET.notebook), Result("digest", outcomes))
    mark = next(m for m in done.marks if m.grade_id == CELL)
    assert (mark.share, mark.reason) == (stock.share, str(stock))
    seed = keys.trial_seed(opened.salt, TRIAL.id)
    assert judge_trial(TRIAL, [opened.numbers(TRIAL.id)], value, seed) == stock
    expected = {"broken": "arithmetic", None: "No answer yet"}
    assert expected.get(what, "Accuracy ") in mark.reason


def test_estimates_are_as_near_as_they_say():
    for run in capstone_runs.runs():
        net = Network(tuple(DESIGNS[run.name](np.random.default_rng(0))))
        read = capstone.read(plain_network.values(int8.from_float(net, np.zeros((1, *capstone.IN_SHAPE)))))
        use = capstone_runs.estimate(read)
        assert abs(use.flash_bytes / run.flash_bytes - 1) < 0.1, run.name
        assert abs(use.instructions / run.instructions - 1) < 0.22, run.name
        assert 0.7 < use.ram_bytes / run.ram_bytes < 1.6, run.name
