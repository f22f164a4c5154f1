"""Lesson 07 in a real JupyterLab: two figures by keyboard, and a quiz that names the mistake."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import run_all, show_cell
from tests.browser.test_learner import picture, quiz_box, shoot, slider


def figure(page, cell: str, label: str):
    """The box of the figure whose cell holds this text and whose controls have this label."""
    show_cell(page, cell)
    box = page.locator(".jp-OutputArea-output", has=page.get_by_text(label, exact=True)).last
    box.wait_for(state="attached", timeout=60_000)
    box.scroll_into_view_if_needed()
    return box


def says(box, words: str) -> None:
    expect(box.locator("svg[role=img]").first).to_have_attribute("aria-label", re.compile(re.escape(words)))


@pytest.mark.soak
def test_fixed_point_word_and_table_follow_the_keyboard_and_the_quiz_names_a_mistake(open_notebook):
    page = open_notebook("lessons/07_fixed_point.ipynb")
    run_all(page)
    box = figure(page, "canvases.bit_field", "value")
    assert "-1.25 in Q8.8" in picture(box)
    slider(box, "int bits").focus()
    page.keyboard.press("Home")
    says(box, "overflow: -1.25 lies outside -1 to 0.99609375; saturate gives -1")
    box.get_by_role("button", name="wrap").focus()
    page.keyboard.press("Enter")
    says(box, "wrap gives 0.75")  # -1.25 and a turn of 2
    shoot(page, "lesson07-word")

    box = figure(page, "canvases.lut_error", "nodes per 1")
    assert "384 B" in picture(box)
    slider(box, "nodes per 1").focus()
    page.keyboard.press("ArrowRight")
    says(box, "192 entries x 4 B = 768 B")
    shoot(page, "lesson07-table")

    quiz = quiz_box(page, "qformat.mul_trunc")
    field = quiz.locator("input[type=text]")
    field.fill("54")
    field.press("Enter")
    expect(quiz.get_by_role("status")).to_contain_text("That rounds the exact product")
    field.fill("53")
    field.press("Enter")
    expect(quiz.get_by_role("status")).to_contain_text("Right")
    shoot(page, "lesson07-quiz")
