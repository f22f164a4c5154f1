"""The home page: what it says for a record, what review asks, and how `make lab` keeps it up to date."""

import json
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import bootstrap
from tinylib.lab import home, review
from tinylib.lab.home import CALL, Review, refresh
from tinylib.practice import BANK, plan, progress, variant
from tinylib.practice.progress import Answer

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "notebooks" / "home.ipynb"
NOW = datetime.now(UTC)
MACS, FIRST = "counting.conv_macs", plan.book()[0]


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYML_PROGRESS", str(tmp_path / "progress.jsonl"))
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    return tmp_path / "progress.jsonl"


def put(file, exercise_id, right, days, **more):
    row = {"time": (NOW - timedelta(days=days)).isoformat(), "id": exercise_id, "value": "1", "right": right}
    with file.open("a") as out:
        out.write(json.dumps({**row, "where": "quiz", **more}) + "\n")


def wrong(exercise_id, days):
    return Answer(exercise_id, "1", False, "", NOW - timedelta(days=days))


# ---- the map


def test_empty_record_is_met_kindly_and_offers_a_start(record):
    shown = home()
    assert "Nothing is done yet, and that is fine. Begin with 00" in repr(shown)
    assert (
        f'<a href="{FIRST.name}.ipynb">' in shown._repr_html_() and "Worth another" not in shown._repr_html_()
    )
    assert "Nothing to repeat yet" in review().said()


def test_home_says_what_is_next_what_is_ready_and_what_is_weak(record):
    for page in plan.book()[:4]:
        for exercise_id in page.asks:
            put(record, exercise_id, True, 5)
    ids = [i for i in BANK if i.startswith("kd.")][:3]
    for exercise_id in ids:
        put(record, exercise_id, False, 2, mistake="<b>twice</b>")
    shown = home()
    assert "Assignment 01: metrics" in repr(shown) and "4 of 23 lessons done" in shown.svg
    assert "11_distillation.ipynb" in shown._repr_html_()
    assert "<b>Distillation</b>: 3 of the last 3 first tries missed." in shown._repr_html_()
    assert "&lt;b&gt;twice" in shown._repr_html_() and "<b>twice" not in shown._repr_html_()


def test_every_link_of_the_page_leads_to_a_built_notebook(record):
    links = set(re.findall(r"""href=['"]([^'"]+)""", home()._repr_html_()))
    assert len(links) == len(plan.book())
    missing = [link for link in links if not (ROOT / "notebooks" / link).resolve().is_file()]
    assert not missing


def test_when_all_is_done_it_says_so(record):
    for exercise_id in BANK:
        put(record, exercise_id, True, 1)
    assert repr(home()).startswith("Every lesson is done.")


# ---- review


def test_review_asks_what_is_due_with_fresh_numbers_and_records_it(record):
    put(record, MACS, False, 3)
    shown = review()
    box, text = shown.box, BANK[MACS].text(BANK[MACS].given)
    assert box.given != BANK[MACS].given and text not in box.prompt.value
    assert box.given == variant(BANK[MACS], "review 1") and shown.next.description == "Finish"
    assert "Question 1 of 1: answered right, it rests for 2 days" in shown.said()
    box.answer.value = str(2 * BANK[MACS].answer(**box.given))
    assert "That is the FLOP count" in box.reply.value
    box.answer.value = str(BANK[MACS].answer(**box.given))
    kept = progress.answers()[1:]
    assert [(a.right, a.seed, a.where) for a in kept] == [
        (False, "review 1", "review"),
        (True,) + ("review 1", "review"),
    ]
    shown.next.click()
    assert shown.box is None and "1 of 1 right" in shown.said() and not shown.place.children


def test_five_at_most_and_one_at_a_time():
    shown = Review([wrong(i, 9) for i in list(BANK)[:8]], NOW)
    seen = []
    while shown.box:
        assert len(shown.place.children) == 2
        seen.append(shown.box.exercise.id)
        shown.next.click()
    assert len(seen) == len(set(seen)) == 5


def test_before_its_day_one_may_ask_all_the_same():
    shown = Review([wrong(MACS, 0.1)], NOW)
    assert shown.box is None and "one question waits until" in shown.said()
    assert shown.next.description == "Ask now all the same"
    shown.next.click()
    assert shown.box.exercise.id == MACS and "moves nothing" in shown.said()


def test_controls_have_names_and_the_state_is_read_out():
    shown = Review([wrong(i, 9) for i in list(BANK)[:2]], NOW)
    for control in (shown.next, shown.box.answer, *shown.box.buttons.values()):
        assert control.description and control.tooltip
    assert 'role="status"' in shown.head.value


def test_an_empty_box_or_half_an_answer_is_not_recorded(record):
    exercise = next(e for e in BANK.values() if e.choices)
    box = Review([wrong(exercise.id, 9)], NOW).box
    box.buttons["Check"].click()
    box.answer.value = "12"
    assert not record.exists()
    box.choice.value = exercise.choices[0]
    box.buttons["Check"].click()
    assert len(progress.answers()) == 1


# ---- the saved page


def test_saved_page_begins_empty_and_knows_no_machine():
    nb = json.loads(PAGE.read_text())
    said = "".join("".join(c["source"]) for c in nb["cells"]) + json.dumps(nb["cells"])
    assert "Nothing is done yet" in said and "python -m tinylib.practice drill" in said
    assert [c for c in nb["cells"] if "".join(c["source"]).strip() == CALL]


def test_refresh_puts_the_present_map_into_the_page(record, tmp_path):
    page = tmp_path / "home.ipynb"
    shutil.copy(PAGE, page)
    put(record, FIRST.asks[0], True, 1)
    assert refresh(page)
    old, new = (json.loads(p.read_text()) for p in (PAGE, page))
    assert "1 of 2 questions right" in json.dumps(new) and "1 of 2 questions right" not in json.dumps(old)
    assert [c["source"] for c in old["cells"]] == [c["source"] for c in new["cells"]]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"cells": 3}', '{"cells": [{"source": null}]}', '{"cells": []}']
)
def test_a_page_that_is_none_stays_as_it_is(record, tmp_path, text):
    page = tmp_path / "home.ipynb"
    page.write_text(text)
    assert not refresh(page) and page.read_text() == text
    assert not refresh(tmp_path / "missing.ipynb")


@pytest.fixture
def course(tmp_path):
    root = tmp_path / "course"
    (root / "notebooks").mkdir(parents=True)
    shutil.copy(PAGE, root / "notebooks")
    (root / "notebooks" / "00_checks.ipynb").write_text("{}")
    bootstrap.deliver(root, root / "my")
    return root, root / "my", root / "my" / "lessons" / "home.ipynb"


def changed(path, old, new):
    path.write_text(path.read_text().replace(old, new))
    return path.read_text()


def test_a_page_that_was_only_run_is_updated_in_place(course, record):
    root, my, page = course
    put(record, MACS, True, 1)
    assert refresh(page) and bootstrap.deliver(root, my) == []
    changed(root / "notebooks" / "home.ipynb", "# Home", "# Home again")
    assert bootstrap.deliver(root, my) == [page] and "# Home again" in page.read_text()


def test_a_page_that_the_learner_edited_stays_and_updates_lie_beside_it_once(course):
    root, my, page = course
    mine = changed(page, "# Home", "# My home")
    assert bootstrap.deliver(root, my) == []
    for words in ("# Home again", "# Home once more"):
        changed(root / "notebooks" / "home.ipynb", "# Home", words)
        assert bootstrap.deliver(root, my) == [page.with_name("home.new.ipynb")]
        changed(root / "notebooks" / "home.ipynb", words, "# Home")
    assert page.read_text() == mine


def test_lab_opens_the_first_lesson_once_and_home_from_then_on(course, monkeypatch):
    _, my, page = course
    monkeypatch.setattr(bootstrap, "PYTHON", sys.executable)
    env = {**bootstrap.tool_env(), "TINYML_PROGRESS": str(my / "progress.jsonl")}
    assert bootstrap.first_page(my, env) == "/tree/lessons/00_checks.ipynb"
    put(my / "progress.jsonl", FIRST.asks[0], True, 1)
    assert bootstrap.first_page(my, env) == "/tree/lessons/home.ipynb"
    assert "1 of 2 questions right" in page.read_text()
