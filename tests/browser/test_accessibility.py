"""No serious or critical fault that axe-core can find, in light, in dark and in print, on what we draw.

In JupyterLab our part is looked at: rendered text and outputs. Its menus, toolbars, file list and code editor
are upstream's, and are left out by selector (OURS).
"""

import pytest
from playwright.sync_api import Error

from grading.book.course import Course
from grading.demo import ASSIGNMENT, grade_sealed, make_course
from grading.pages import class_report
from tests.browser.axe import faults
from tests.browser.conftest import PANEL, run_all
from tinylib.datasets.motions import motions_csv
from tinylib.deploy.__main__ import main as deploy
from tinylib.show import cheat_sheet

OURS = (".jp-OutputArea-output", ".jp-MarkdownOutput")
WHOLE = f"""() => {{ const cells = {PANEL}.content;
  cells.notebookConfig = {{...cells.notebookConfig, windowingMode: 'none'}}; }}"""
IDLE = f"""() => {PANEL}.content.widgets.every(w => w.model.type !== 'code'
  || !w.model.sharedModel.getSource() || (w.model.executionCount && w.model.executionState !== 'running'))"""
UNNAMED = """() => [...document.querySelectorAll('.jp-OutputArea-output')]
  .flatMap(box => [...box.querySelectorAll('[role=slider], input, select, button')])
  .filter(c => !c.ariaLabel && !c.labels?.length && !c.textContent.trim() && !c.title)
  .map(c => c.outerHTML)"""
JUMPS = """() => [...document.querySelectorAll('.jp-OutputArea-output [tabindex]')]
  .filter(c => c.tabIndex > 0).length"""


@pytest.fixture
def read(chromium):
    """read(file) -> faults of a page on disk with all its folds open."""
    context = chromium.new_context(viewport={"width": 1100, "height": 900}, reduced_motion="reduce")
    page = context.new_page()

    def in_all_media(path) -> list[str]:
        page.goto(path.as_uri())
        page.evaluate("() => document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
        found = []
        for media in ({"color_scheme": "light"}, {"color_scheme": "dark"}, {"media": "print"}):
            page.emulate_media(**media)
            found += [f"{media}: {fault}" for fault in faults(page)]
        return found

    yield in_all_media
    context.close()


def test_the_check_has_teeth(chromium):
    page = chromium.new_page()
    page.set_content("<html lang=en><title>t</title><main><button></button><p style='color:#bbb'>pale</p>")
    assert {fault.partition(":")[0] for fault in faults(page)} == {"button-name", "color-contrast"}
    with pytest.raises(Error, match="No elements found"):
        faults(page, ".absent")
    page.close()


def test_feedback_pages_and_class_report(tmp_path, read):
    """Of the made-up class as `make demo` grades it."""
    make_course(tmp_path)
    pages = {student.name: student.feedback for student in grade_sealed(tmp_path)}
    report = tmp_path / "report.html"
    found = class_report.read_class(Course(tmp_path), ASSIGNMENT)
    report.write_text(class_report.page(found, report), encoding="utf-8")
    for student in ("ada", "cleo", "finn"):  # all right, one slip, and answers that are no numbers
        assert read(pages[student]) == []
    assert read(report) == []


def test_cheat_sheet(tmp_path, read):
    path = tmp_path / "sheet.html"
    path.write_text(cheat_sheet.page(), encoding="utf-8")
    assert read(path) == []


@pytest.mark.soak
def test_report_of_a_training_on_own_data(tmp_path, read):
    data, out = tmp_path / "watch.csv", tmp_path / "out"
    data.write_bytes(motions_csv())
    assert deploy(["train", str(data), "--seconds", "2", "--out", str(out)]) == 0
    assert read(out / "report.html") == []


@pytest.mark.parametrize(
    "name",
    [
        "home",
        "03_macs",
        pytest.param("07_fixed_point", marks=pytest.mark.soak),
        pytest.param("22_own_data", marks=pytest.mark.soak),
    ],
)
def test_notebook(name, open_notebook):
    page = open_notebook(f"lessons/{name}.ipynb")
    page.evaluate(WHOLE)  # a cell out of view is otherwise not in the page
    run_all(page)
    page.wait_for_function(IDLE, timeout=90_000)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        page.evaluate("t => window.jupyterapp.commands.execute('apputils:change-theme', {theme: t})", theme)
        dark = "dark => document.body.dataset.jpThemeLight === String(!dark)"
        page.wait_for_function(dark, arg="Dark" in theme)
        page.locator("#jupyterlab-splash").wait_for(state="detached")
        assert faults(page, *OURS) == []
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate(JUMPS) == 0  # Tab goes as the page reads
