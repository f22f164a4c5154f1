"""The built notebooks: one kernelspec, figures saved as pictures and words, no widget state, no secrets."""

import json
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILT = sorted(p for f in ("notebooks", "solutions", "exercises") for p in (ROOT / f).rglob("*.ipynb"))
LESSONS = [p for p in BUILT if p.parent.name == "notebooks" and p.stem != "home"]
names = {"ids": lambda p: p.relative_to(ROOT).as_posix()}


def test_lessons_and_both_versions_of_the_assignment_are_there():
    assert len(LESSONS) >= 2
    assert {p.parts[-3] for p in BUILT if p.parent.name != "notebooks"} == {"solutions", "exercises"}


@pytest.mark.parametrize("path", BUILT, **names)
def test_notebook_is_valid_and_names_the_python3_kernel(path):
    nb = nbformat.read(path, as_version=4)
    nbformat.validate(nb)
    assert nb.metadata.kernelspec.name == "python3"
    assert len({c.id for c in nb.cells}) == len(nb.cells)
    assert "widgets" not in nb.metadata
    assert "widget-view" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", LESSONS, **names)
def test_views_are_saved_as_picture_or_prompt_with_words(path):
    views = [c for c in nbformat.read(path, as_version=4).cells if "view" in c.metadata.get("tags", [])]
    assert views
    for cell in views:
        (output,) = cell.outputs
        assert output.data["text/plain"].strip()
        if "explore(" in cell.source:
            assert 'role="img"' in output.data["image/svg+xml"] and len(output.data["text/plain"]) > 40
        if "quiz(" in cell.source:
            assert "Quiz" in output.data["text/html"]


@pytest.mark.parametrize("path", LESSONS, **names)
def test_lesson_keeps_its_rhythm(path):
    nb = nbformat.read(path, as_version=4)
    words = " ".join(c.source for c in nb.cells[1:-1] if c.cell_type == "markdown")
    lines = sum(len(c.source.splitlines()) for c in nb.cells if c.cell_type == "code")
    assert words.count("**Predict") >= 3 and words.count("**Common slip:**") >= 1
    assert sum("quiz(" in c.source for c in nb.cells) >= 2
    assert len(words.split()) / lines < 12, "a wall of text"


def test_release_holds_no_answer():
    for path in (ROOT / "exercises").rglob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert "SOLUTION" not in text and "HIDDEN" not in text and "judge(" not in text
    for path in (ROOT / "exercises").rglob("release.json"):
        for question in json.loads(path.read_text())["private"].values():
            assert set(question) - {"form"} == {"title", "prompt", "given", "draws", "unit"}


@pytest.mark.parametrize("path", BUILT, **names)
def test_no_path_of_a_machine(path):
    text = path.read_text(encoding="utf-8")
    assert str(ROOT.parent) + "/" not in text and str(Path.home()) + "/" not in text and "/tmp/" not in text
