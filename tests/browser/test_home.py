"""The home page in a real JupyterLab: the saved map, where it leads, and a question that comes again."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

import bootstrap
from tests.browser.conftest import run_all
from tests.browser.test_learner import shoot
from tinylib.practice import BANK, plan, variant

AGAIN = "qformat.resolution"


def answered(root, exercise_id: str, right: bool, days: float) -> None:
    """One more line of the record, so many days old."""
    time = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    mistake = "" if right else BANK[exercise_id].misconceptions[0].hint
    row = {"time": time, "id": exercise_id, "value": "1", "right": right, "mistake": mistake}
    with (root / "progress.jsonl").open("a") as out:
        out.write(json.dumps({**row, "seed": None, "where": "quiz"}) + "\n")


def brought_up_to_date(root) -> None:
    """What `make lab` does to the page before JupyterLab starts, with the learner's own settings."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "NBGRADER"))}
    env |= {"HOME": str(root.parent), "TINYML_PROGRESS": str(root / "progress.jsonl")}
    env["JUPYTER_CONFIG_DIR"] = str(root.parent / "config")
    for code in (bootstrap.SHOW_HOME, bootstrap.SIGN):
        subprocess.run([sys.executable, "-c", code, str(root / bootstrap.HOME)], env=env, check=True)


def test_home_shows_the_record_leads_on_and_asks_again(open_notebook, lab):
    root = lab[0]
    first = plan.book()[0]
    for exercise_id in first.asks:
        answered(root, exercise_id, True, 20)
    answered(root, AGAIN, False, 3)
    brought_up_to_date(root)

    page = open_notebook(bootstrap.HOME)
    output = page.locator(".jp-OutputArea-output", has_text="Go on with")
    picture = output.locator("svg[role=img]")
    picture.wait_for(state="attached", timeout=30_000)  # as saved: nothing has run
    assert "00 How this workbook checks you: done, 2 of 2 right." in picture.get_attribute("aria-label")

    run_all(page)
    output.scroll_into_view_if_needed()
    shoot(page, "home")
    page.evaluate(
        "t => window.jupyterapp.commands.execute('apputils:change-theme', {theme: t})", "JupyterLab Dark"
    )
    page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    shoot(page, "home-dark")

    box = page.locator(".jp-OutputArea-output", has_text="Question 1 of").last
    box.scroll_into_view_if_needed()
    while BANK[AGAIN].title not in box.inner_text():
        before = box.get_by_text("Question ").first.inner_text()
        box.get_by_role("button", name="Next question").press("Enter")
        expect(box.get_by_text("Question ").first).not_to_have_text(before)
    given = variant(BANK[AGAIN], "review 1")
    assert given != BANK[AGAIN].given and BANK[AGAIN].text(given) in box.inner_text()
    field = box.locator("input[type=text]")
    field.fill(str(BANK[AGAIN].answer(**given)))
    field.press("Enter")
    expect(box.get_by_text("Right.")).to_be_visible()
    shoot(page, "home-review-dark")
    row = json.loads((root / "progress.jsonl").read_text().splitlines()[-1])
    assert (row["id"], row["right"], row["where"], row["seed"]) == (AGAIN, True, "review", "review 1")

    link = output.get_by_role("link").first
    name = link.inner_text().split(" ")[0]
    link.focus()
    page.keyboard.press("Enter")
    opened = "n => [...jupyterapp.shell.widgets('main')].some(w => w.title.label.startsWith(n))"
    page.wait_for_function(opened, arg=name)  # beside the home page, not in its place
    assert page.evaluate(opened, "home")
