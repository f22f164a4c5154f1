"""A new learner with a keyboard alone: from the page that `make lab` opens to the end of lessons 03, 07 and
16, and through assignment a01 from the name to the marks. Every action is a key; scripts only look.
"""

import ast
import shutil

import pytest
from playwright.sync_api import expect

from grading.__main__ import main as grading
from grading.demo import ASSIGNMENT, make_course, solved_cells
from grading.report import graded_class
from tests.browser.conftest import wait_until_ready
from tinylib.practice import BANK

HERE = "window.jupyterapp.shell.currentWidget"  # the notebook in front
THERE = f"""path => {HERE}?.context?.path === path && {HERE}.node.contains(document.activeElement)"""
AT = f"() => {HERE}.content.activeCellIndex"
SOURCES = f"() => {HERE}.content.widgets.map(w => w.model.sharedModel.getSource())"
NAMES = f"() => {HERE}.content.widgets.map(w => w.model.getMetadata('nbgrader')?.grade_id ?? '')"
DONE = f"""() => {HERE}.content.widgets.every(w => w.model.type !== 'code' || !w.model.sharedModel.getSource()
  || (w.model.executionCount && w.model.executionState !== 'running'))"""
ERRORS = f"""() => {HERE}.content.widgets.flatMap(w => w.model.outputs ? w.model.outputs.toJSON() : [])
  .filter(o => o.output_type === 'error').map(o => o.evalue)"""
SAID = f"""() => {HERE}.content.widgets.flatMap(w => w.model.outputs ? w.model.outputs.toJSON() : [])
  .filter(o => o.output_type === 'display_data' && o.data['text/plain']?.match(/^. (Right|Not yet|Noted)/))
  .map(o => o.data['text/plain'])"""
SAVED = f"() => !{HERE}.context.model.dirty"
PICTURE = """() => document.activeElement.closest('.jp-OutputArea-output')
  ?.querySelector('svg[role=img]')?.ariaLabel"""
FOCUSED = """() => { const e = document.activeElement;
  return {is: e.getAttribute('role') ?? e.tagName.toLowerCase(), cell: e.classList.contains('jp-Cell'),
    name: e.ariaLabel ?? '', words: e.textContent.trim().slice(0, 80),
    tools: !!e.closest('.jp-NotebookPanel-toolbar')}; }"""


class Keys:
    """Somebody at the keyboard of one JupyterLab page."""

    def __init__(self, page) -> None:
        self.page, self.press, self.type = page, page.keyboard.press, page.keyboard.type

    def command(self, words: str) -> None:
        """Find a command in the palette and take it."""
        self.press("Control+Shift+C")
        expect(self.page.locator("input.lm-CommandPalette-input")).to_be_focused()
        self.type(words)
        expect(self.page.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text(words)
        self.press("Enter")

    def open(self, path: str) -> None:
        """Open a file by its path."""
        self.command("Open from Path")
        expect(self.page.locator(".jp-Dialog input")).to_be_focused()
        self.type(path)
        self.press("Enter")
        self.page.wait_for_function(THERE, arg=path)
        wait_until_ready(self.page, HERE)

    def run_all(self) -> None:
        """Run every cell and wait for the last; none may fail."""
        self.command("Run All Cells")
        self.page.wait_for_function(DONE, timeout=120_000)
        assert self.page.evaluate(ERRORS) == []

    def go_to(self, words: str = "", name: str = "") -> None:
        """Arrow keys from cell to cell, to the one with these words, or of this name."""
        cells = zip(self.page.evaluate(SOURCES), self.page.evaluate(NAMES))
        place = next(i for i, (text, id_) in enumerate(cells) if (id_ == name if name else words in text))
        while (at := self.page.evaluate(AT)) != place:
            self.press("ArrowDown" if at < place else "ArrowUp")

    def tab_to(self, fits, key: str = "Tab", most: int = 40) -> dict:
        """Press a key until the focus fits; what has it."""
        for _ in range(most):
            self.press(key)
            if fits(found := self.page.evaluate(FOCUSED)):
                return found
        raise AssertionError(f"{most} times {key} did not lead there; the focus is on {found}")

    def back(self) -> None:
        """From a control back to its cell."""
        self.tab_to(lambda found: found["cell"], "Shift+Tab")

    def write(self, name: str, source: str) -> None:
        """Replace what stands in an answer cell. The editor indents by itself."""
        self.go_to(name=name)
        self.press("Enter")
        self.press("Control+A")
        for number, line in enumerate(source.splitlines()):
            if number:
                self.press("Enter")
            self.type(line.strip())
        self.press("Escape")


@pytest.fixture(scope="module")
def keys(lab, chromium):
    """A page as `make lab` opens it, on a lesson with its kernel up."""
    context = chromium.new_context(viewport={"width": 1280, "height": 960}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{lab[1]}/lab/tree/lessons/00_checks.ipynb?reset")
    page.wait_for_function("() => window.jupyterapp")
    wait_until_ready(page)
    yield Keys(page)
    context.close()


@pytest.mark.parametrize(
    "lesson, figure, quiz",
    [
        ("03_macs", "canvases.convolution", "counting.conv_macs"),
        ("07_fixed_point", "canvases.bit_field", "qformat.mul_trunc"),
        ("16_xor_on_the_chip", "training_player(", "train.xor_connections"),
    ],
)
def test_lesson_is_run_moved_answered_and_left_by_its_link(keys, lesson, figure, quiz):
    keys.open(f"lessons/{lesson}.ipynb")
    keys.run_all()
    keys.go_to(figure)
    assert keys.tab_to(lambda found: found["is"] == "slider")["name"]
    before = keys.page.evaluate(PICTURE)
    keys.press("Home")
    keys.page.wait_for_function(f"before => ({PICTURE})() !== before", arg=before)
    keys.back()
    exercise = BANK[quiz]
    slip, value = exercise.mistakes(exercise.given)[0]
    keys.go_to(f'quiz("{quiz}")')
    keys.tab_to(lambda found: found["is"] == "input")
    keys.type(f"{value:.12g}")
    keys.press("Enter")
    expect(keys.page.locator(".jp-OutputArea-output", has_text=exercise.title)).to_contain_text(slip.hint)
    keys.press("Control+A")
    keys.type(f"{exercise.answer(**exercise.given):.12g} {exercise.unit}")
    keys.press("Enter")
    expect(keys.page.locator(".jp-OutputArea-output", has_text=exercise.title)).to_contain_text("Right")
    keys.back()
    keys.go_to("Where to go from here")
    assert keys.tab_to(lambda found: found["is"] == "a")["words"]


def test_assignment_from_the_name_to_the_marks(keys, lab, tmp_path):
    path = f"exercises/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"
    keys.open(path)
    keys.write("student", 'student = "ada"')
    for name, source in solved_cells().items():
        keys.write(name, ast.unparse(ast.parse(source)))  # every statement in one line
    keys.run_all()
    said = keys.page.evaluate(SAID)
    assert len(said) == 7 and sum("Right" in words for words in said) >= 5, said  # the rest: at grading
    keys.press("Control+S")
    keys.page.wait_for_function(SAVED)
    keys.tab_to(lambda found: found["tools"], "Shift+Tab")
    keys.tab_to(lambda found: found["words"] == "Validate", "ArrowRight")
    keys.press("Enter")
    dialog = keys.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Success", timeout=60_000)
    keys.press("Enter")
    expect(dialog).to_have_count(0)

    course, sent = tmp_path / "course", tmp_path / "sent"  # handed in as a file, as without a hub
    make_course(course)
    shutil.rmtree(course / "submitted")
    shutil.copytree((lab[0] / path).parent, sent / "ada", ignore=shutil.ignore_patterns(".*"))
    assert grading(["collect", str(sent), ASSIGNMENT, "--course", str(course)]) == 0
    assert grading(["run", ASSIGNMENT, "--course", str(course), "--jobs", "1", "--allow-unsandboxed"]) == 0
    (ada,) = graded_class(course, ASSIGNMENT)
    assert (ada.name, ada.points, ada.flags) == ("ada", ada.max_points, [])
