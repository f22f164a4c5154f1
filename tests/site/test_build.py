"""The recipe of the browser edition: what it keeps of a lesson, which figures are live, that links hold."""

import ast
import json
import re
import sys
import zipfile
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from tests.site.conftest import PLAY, ROOT, part
from tinylib.practice import BANK, CHAPTERS

CALCULATORS = 12 + 5  # different pictures that Python draws in the page: at least so many, five are canvases
SHOW = "\n### show\n"


def statements(*lines: str) -> list[ast.stmt]:
    return ast.parse("\n".join(lines)).body


# ---- figures


def test_only_the_lines_that_a_figure_needs_are_kept():
    live = part("live")
    before = statements(
        "import math", "from a import b, c as d", "x = math.pi", "y = b(x)", "print(y)", "z = d(2)"
    )
    kept = live.needed(before, statements("explore(lambda v: y + v, v=(1, 2))")[0])
    assert kept.split(live.SHOW) == [
        "import math\nfrom a import b\nx = math.pi\ny = b(x)",
        "explore(lambda v: y + v, v=(1, 2))",
    ]


def test_loops_and_changes_that_bind_a_needed_name_are_kept():
    live = part("live")
    before = statements("rows = {}", "n = 3", "for k in range(n):\n    rows[k] = k", "rows = dict(rows)")
    assert live.needed(before, statements("explore(rows)")[0]).startswith("rows = {}\nn = 3\nfor k in")


def test_every_live_figure_draws_what_the_notebook_holds_and_the_rest_needs_numpy(book):
    assert len(book.figures) == sum(
        "image/svg+xml" in o.get("data", {}) and bool(re.search(r"^explore\(", "".join(c["source"]), re.M))
        for cells in book.cells.values()
        for c in cells
        if c["cell_type"] == "code"
        for o in c["outputs"]
    )
    for figure in book.figures:
        error = book.tried[figure.key]["error"]
        assert figure.key in book.live or re.search(r"No module named '(numpy|tinylib\.\w+)'", error), (
            f"{figure.key} is not live: {error or 'it draws another picture than the notebook holds'}"
        )


def test_enough_calculators_are_live(book):
    calls = (
        re.search(r"canvases\.\w+|formula_card|tornado|named", f.source.split(SHOW)[1])
        for f in book.live.values()
    )
    assert len({m[0] for m in calls if m}) >= CALCULATORS


def test_the_five_canvases_are_live(book):
    canvases = part("book").CANVASES
    assert len({book.canvas(name).key for name in canvases}) == len(canvases) == 5


def test_lost_canvas_is_one_sentence(book, monkeypatch):
    monkeypatch.setitem(part("book").CANVASES, "C9", ("03_macs", "no_such_figure", ""))
    with pytest.raises(ValueError, match=r"C9 must be a live figure of lesson 03_macs, .* found none"):
        book.canvas("C9")


def test_figure_that_needs_numpy_is_drawn_in_all_its_states(book):
    assert book.played and {k.split("-")[0] for k in book.played} <= set(PLAY)
    for key, figure in book.played.items():
        saved = next(f.saved for f in book.figures if f.key == key)
        assert saved in figure["frames"].values()
        assert 1 < len(figure["frames"]) <= part("played").STATES
        assert all(svg.startswith("<svg") for svg in figure["frames"].values())


def test_optional_cells_are_no_part_of_a_figure():
    def code(source: str, *tags: str) -> dict:
        shown = [{"output_type": "execute_result", "data": {"image/svg+xml": "<svg/>"}}]
        return {"cell_type": "code", "source": source, "metadata": {"tags": list(tags)}, "outputs": shown}

    cells = [code("x = 1"), code("x = hours()", "optional"), code("explore(x)")]
    (found,) = part("live").figures("99_trial", cells)
    assert found.source == f"x = 1{SHOW}explore(x)" and (found.key, found.cell) == ("99_trial-1", 2)


# ---- stand-ins


@pytest.fixture
def controls(monkeypatch):
    """The page's controls instead of ipywidgets."""
    monkeypatch.syspath_prepend(str(ROOT / "site" / "browser"))
    kept = {n: sys.modules.pop(n) for n in [*sys.modules] if n.split(".")[0] in ("ipywidgets", "workbook")}
    yield import_module("ipywidgets")
    for name in ("ipywidgets", "workbook"):
        sys.modules.pop(name, None)
    sys.modules.update(kept)


def test_options_are_values_pairs_or_a_mapping(controls):
    assert controls.ToggleButtons(options=["a", 2, True]).pairs == [("a", "a"), ("2", 2), ("yes", True)]
    assert controls.Dropdown(options=[("one", 1)]).value == 1
    assert controls.Dropdown(options={"one": 1, "two": 2}, value=2).value == 2


def test_observers_hear_of_a_change_and_of_no_repetition(controls):
    heard, slider = [], controls.IntSlider(value=3)
    slider.observe(lambda change: heard.append((change["old"], change["new"])), "value")
    slider.value = 4
    slider.value = 4
    assert heard == [(3, 4)]


# ---- the built folder


class Seen(HTMLParser):
    """Names, links and exercises of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids, self.links, self.exercises, self.inline = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given[name] for name in ("href", "src") if name in given]
        self.exercises += [given["data-exercise"]] if "data-exercise" in given else []
        self.inline += [f"{tag} {name}" for name in given if name.startswith("on")]
        self.inline += [tag] if tag == "script" and "src" not in given else []


@pytest.fixture(scope="module")
def seen(built):
    return {
        p.relative_to(built).as_posix(): Seen(p.read_text(encoding="utf-8")) for p in built.rglob("*.html")
    }


def test_every_link_leads_somewhere_inside(built, seen):
    for name, page in seen.items():
        for link in page.links:
            path, place = urldefrag(unquote(link))
            assert not re.match(r"\w+:|//", path), f"{name} links outside: {link}"
            target = (built / name).parent.joinpath(path).resolve() if path else (built / name).resolve()
            assert target.is_file(), f"{name} links to nothing: {link}"
            there = target.relative_to(built.resolve()).as_posix()
            assert not place or place in seen[there].ids, f"{name} links to no such place: {link}"


def test_names_are_unique_on_each_page_and_no_script_is_inline(seen):
    for name, page in seen.items():
        assert len(set(page.ids)) == len(page.ids), name
        assert page.inline == [], name


def test_all_exercises_lie_in_their_chapters(seen):
    found = [e for name, page in seen.items() if name.startswith("practice/") for e in page.exercises]
    assert sorted(found) == sorted(BANK) and len(found) == 188
    assert sum(name.startswith("practice/") for name in seen) == len(CHAPTERS) + 1


def test_every_lesson_and_assignment_has_its_page_with_its_questions(book, seen):
    for entry in book.lessons:
        assert seen[f"lessons/{entry['script']}.html"].exercises == book.quizzes(entry["script"])
    for entry in book.assignments:
        assert seen[f"assignments/{entry['script']}.html"].exercises == book.questions(entry["script"])
    assert len(book.questions("a01_metrics")) == 5


def test_text_of_every_lesson_cell_is_on_its_page(book, built):
    for entry in book.lessons:
        page = (built / f"lessons/{entry['script']}.html").read_text(encoding="utf-8")
        plain = re.sub(r"\s+", "", re.sub(r"<[^>]+>", "", page))
        for cell in book.cells[entry["script"]]:
            if cell["cell_type"] == "markdown":
                words = re.findall(r"[A-Za-z]{4,}(?: [A-Za-z]{4,}){2,}", "".join(cell["source"]))
                assert all(w.replace(" ", "") in plain for w in words), (entry["script"], words)


def test_second_build_changes_nothing_and_drops_what_is_stale(built):
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in built.rglob("*") if p.is_file()}
    stale = built / "lessons" / "gone.html"
    stale.write_text("old", encoding="utf-8")
    part("build").build(built, PLAY)
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in built.rglob("*") if p.is_file()} == before


def test_folder_of_another_kind_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match="must be empty or of an earlier build"):
        part("build").build(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_no_file_names_a_machine_or_an_outside_address_to_load(built):
    for path in [*built.rglob("*.html"), *built.glob("assets/*.js"), *built.glob("assets/*.css")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?:src|href|url|fetch|import)\W{1,3}https?:", text), path.name
    with zipfile.ZipFile(built / "assets/tinylib.zip") as packed:
        texts = {name: packed.read(name) for name in packed.namelist()}
    texts |= {
        p.name: p.read_bytes() for p in built.rglob("*") if p.suffix in (".html", ".js", ".json", ".css")
    }
    for folder in (ROOT, Path.home(), built):
        assert [name for name, text in texts.items() if f"{folder}/".encode() in text] == []


def test_python_of_the_page_is_the_pinned_one_and_holds_no_package_list(built):
    core = part("core")
    assert {p.name for p in (built / "assets/pyodide").iterdir()} == {*core.FILES, core.LOCK}
    assert json.loads((built / "assets/pyodide" / core.LOCK).read_text(encoding="utf-8"))["packages"] == {}


def test_other_archive_than_the_pinned_one_is_refused(monkeypatch, tmp_path):
    core = part("core")
    monkeypatch.setattr(core, "CACHE", tmp_path)
    monkeypatch.setattr(core, "SHA256", "0" * 64)
    (tmp_path / f"pyodide-{core.VERSION}.tgz").write_bytes(b"spoilt")
    fake = tmp_path / "npm"
    fake.write_text(f'#!{sys.executable}\nimport sys\nopen(sys.argv[-1] + "/p.tgz", "w").close()\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(core.NoCore, match="must have the pinned SHA-256, got e3b0c4"):
        core.archive()


def test_registry_out_of_reach_is_one_sentence(monkeypatch, tmp_path):
    core = part("core")
    fake = tmp_path / "npm"
    fake.write_text(
        f"#!{sys.executable}\nimport sys\nsys.exit('npm ERR! network no route\\nnpm ERR! more')\n"
    )
    fake.chmod(0o755)
    monkeypatch.setattr(core, "CACHE", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(core.NoCore, match=r"registry in reach\? It said: npm ERR! network no route$"):
        core.archive()


def test_npm_of_the_locked_package_is_taken_where_the_path_has_none(monkeypatch, tmp_path):
    core = part("core")
    bin_ = tmp_path / ("Scripts" if sys.platform == "win32" else "bin")
    bin_.mkdir()
    (bin_ / "npm").write_text("#!/bin/sh\n")
    (bin_ / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(core, "VENV", tmp_path)
    assert [Path(word) for word in core.npm()] == [bin_ / "npm"]
