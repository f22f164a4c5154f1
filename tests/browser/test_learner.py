"""What a learner does in lesson 03 and in the assignment, with a mouse and with the keyboard."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PANEL, ROOT, SHOTS, run_all, show_cell
from tinylib.practice import BANK


def shoot(page, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def calculator(page):
    """The calculator's box, scrolled into view: the one with a slider called stride."""
    box = page.locator(".jp-OutputArea-output", has=page.get_by_text("stride", exact=True)).last
    box.wait_for(state="attached", timeout=60_000)
    box.scroll_into_view_if_needed()
    return box


def picture(box) -> str:
    return box.locator("svg[role=img]").first.get_attribute("aria-label")


def changes(box, before: str, seconds: float = 3) -> bool:
    """Whether the box's picture becomes another one soon."""
    try:
        expect(box.locator("svg[role=img]").first).not_to_have_attribute(
            "aria-label", before, timeout=1000 * seconds
        )
    except AssertionError:
        return False
    return True


def slider(box, label: str):
    return box.locator(".widget-slider", has_text=label).locator("[role=slider], .noUi-handle").first


def test_saved_pictures_show_and_once_run_the_calculator_follows_mouse_and_keyboard(open_notebook):
    page = open_notebook("lessons/03_macs.ipynb")
    saved = page.locator(".jp-OutputArea-output svg[role=img], .jp-OutputArea-output img").first
    saved.wait_for(state="attached", timeout=30_000)
    shoot(page, "saved")
    run_all(page)
    show_cell(page, "canvases.convolution")
    box = calculator(page)
    before = picture(box)
    handle = slider(box, "side")
    at = handle.bounding_box()
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    page.mouse.down()
    page.mouse.move(at["x"] + 30, at["y"] + at["height"] / 2, steps=12)
    page.mouse.up()
    expect(box.locator("svg[role=img]").first).not_to_have_attribute("aria-label", before)
    dragged = picture(box)
    handle.focus()
    page.keyboard.press("ArrowRight")
    expect(box.locator("svg[role=img]").first).not_to_have_attribute("aria-label", dragged)
    shoot(page, "lesson03")
    slider(box, "c_in").focus()
    page.keyboard.press("End")
    slider(box, "c_out").focus()
    page.keyboard.press("End")
    expect(box.locator("svg[role=img]").first).to_have_attribute("aria-label", re.compile("over"))
    shoot(page, "calculator")


def quiz_box(page, exercise_id: str):
    show_cell(page, f'quiz("{exercise_id}")')
    title = BANK[exercise_id].title
    box = page.locator(".jp-OutputArea-output", has_text=title).last
    box.wait_for(state="attached", timeout=60_000)
    box.scroll_into_view_if_needed()
    return box


@pytest.mark.soak  # the walks of make test meet both replies too
def test_quiz_names_the_mistake_then_takes_the_right_answer_with_its_unit(open_notebook, lab):
    page = open_notebook("lessons/03_macs.ipynb")
    run_all(page)
    box = quiz_box(page, "counting.conv_macs")
    field = box.locator("input[type=text]")
    field.fill("28.9")
    field.press("Enter")
    expect(box.get_by_role("status")).to_contain_text("That is the FLOP count")
    shoot(page, "quiz-wrong")
    field.fill("14.45 MMAC")
    box.get_by_role("button", name="Check").click()
    expect(box.get_by_role("status")).to_contain_text("Right")
    shoot(page, "quiz-right")
    rows = [json.loads(line) for line in (lab[0] / "progress.jsonl").read_text().splitlines()]
    assert [r["right"] for r in rows if r["id"] == "counting.conv_macs"][-2:] == [False, True]


def test_quiz_works_by_keyboard_alone(open_notebook):
    page = open_notebook("lessons/00_checks.ipynb")
    run_all(page)
    box = quiz_box(page, "metrics.activation_kib")
    box.locator("input[type=text]").focus()
    page.keyboard.type("196")
    page.keyboard.press("Tab")
    expect(box.get_by_role("status")).to_contain_text("not bytes")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(box).to_contain_text("Hint 1 of 2")
    shoot(page, "lesson00-quiz")


@pytest.mark.soak  # the walk through an assignment presses it too
def test_validate_names_what_is_not_right_yet(open_notebook):
    page = open_notebook("exercises/a01_metrics/a01_metrics.ipynb")
    page.get_by_role("button", name="Validate").first.click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for(timeout=60_000)
    expect(dialog).to_contain_text("No answer yet")
    shoot(page, "validate")


LESSONS = sorted(p.stem for p in (ROOT / "notebooks").glob("[0-9]*.ipynb"))


@pytest.mark.soak  # make test opens 00 and walks 03, 07 and 16
@pytest.mark.parametrize("name", LESSONS)
def test_lesson_runs_and_its_figures_answer_to_the_keyboard(name, open_notebook):
    page = open_notebook(f"lessons/{name}.ipynb")
    run_all(page)
    errors = page.evaluate(
        f"""() => {PANEL}.content.widgets.flatMap(w => w.model.outputs ? w.model.outputs.toJSON() : [])
        .filter(o => o.output_type === 'error' || o.name === 'stderr').map(o => o.evalue || o.text)"""
    )
    assert errors == []
    if "explore(" not in (ROOT / "notebooks" / f"{name}.ipynb").read_text():
        return
    show_cell(page, "explore(")
    moves = page.locator("[role=slider], .noUi-handle, .widget-toggle-button:not(.mod-active)")
    box = page.locator(".jp-OutputArea-output", has=page.locator("svg[role=img]")).filter(has=moves).first
    box.wait_for(state="visible", timeout=60_000)
    control = box.locator(moves).first
    before = picture(box)
    control.focus()
    slides = "noUi" in (control.get_attribute("class") or "") or control.get_attribute("role") == "slider"
    for key in ("ArrowRight", "ArrowLeft", "ArrowLeft") if slides else ("Enter",):
        page.keyboard.press(key)
        if changes(box, before):
            break
    assert picture(box) != before
    shoot(page, f"lesson-{name}")


CONTRAST = """() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const svgs = [...document.querySelectorAll('.jp-OutputArea-output svg[role=img]')];
  return svgs.map(svg => {
    const page = light(getComputedStyle(svg.querySelector('rect')).fill);
    const words = [...svg.querySelectorAll('text')].filter(t => !t.classList.contains('t-page'));
    const ratios = words.map(t => light(getComputedStyle(t).fill))
      .map(l => (Math.max(l, page) + 0.05) / (Math.min(l, page) + 0.05));
    const width = svg.getBoundingClientRect().width, scale = width / svg.viewBox.baseVal.width;
    const least = Math.min(...words.map(t => parseFloat(t.getAttribute('font-size')))) * scale;
    let box = svg.parentElement;
    while (box && !(box.scrollWidth > box.clientWidth + 1 &&
      ['auto', 'scroll'].includes(getComputedStyle(box).overflowX))) box = box.parentElement;
    const room = svg.closest('.jp-OutputArea-output').clientWidth;
    return {contrast: Math.min(...ratios), least, width,
      reachable: width <= room + 1 || !!box, dark: page < 0.2};
  }).filter(f => f.width > 0);
}"""


@pytest.mark.soak
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_figures_stay_legible_in_both_themes_and_at_twice_the_size(theme, open_notebook):
    page = open_notebook("lessons/05_energy.ipynb")
    run_all(page)
    page.evaluate("t => window.jupyterapp.commands.execute('apputils:change-theme', {theme: t})", theme)
    page.wait_for_function(
        "dark => document.body.dataset.jpThemeLight === String(!dark)", arg=theme.endswith("Dark")
    )
    page.locator("#jupyterlab-splash").wait_for(state="detached")  # it covers the change of theme
    page.set_viewport_size({"width": 640, "height": 480})  # what 1280 x 960 leaves at 200 % zoom
    show_cell(page, "canvases.energy_ladder")
    page.locator(".jp-OutputArea-output svg[role=img]").first.wait_for(state="visible", timeout=60_000)
    figures = page.evaluate(CONTRAST)
    shoot(page, f"zoomed-{theme.split()[-1].lower()}")
    assert figures
    for figure in figures:
        assert figure["contrast"] >= 4.5, figure
        assert figure["least"] >= 7.9, figure  # so at 200 % no word is smaller than 15 pixels
        assert figure["reachable"], figure  # what does not fit can be scrolled to
        assert figure["dark"] == theme.endswith("Dark")
