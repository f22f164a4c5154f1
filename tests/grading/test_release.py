"""The students' archive: the same every time, complete enough to learn with, and without anything private."""

import argparse
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from grading import keys
from grading.exchange.release_archive import (
    DATE,
    MARKS,
    ReleaseError,
    add_command,
    leaks,
    members,
    packed,
    private_parts,
    release,
    solution_blocks,
)
from tinylib.practice import Exercise

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def found():
    return members(ROOT)


@pytest.fixture(scope="module")
def unpacked(found, tmp_path_factory):
    folder = tmp_path_factory.mktemp("a student's place é")
    with zipfile.ZipFile(io.BytesIO(packed(found))) as archive:
        archive.extractall(folder)
    return folder / "tinyml-workbook"


@pytest.fixture
def course(tmp_path):
    """A small workbook of this one's files, to plant things in."""
    for name in (
        "README.md",
        "LICENSE",
        "LICENSE-TEXT",
        "bootstrap.py",
        "pyproject.toml",
        "requirements.lock",
    ):
        shutil.copy(ROOT / name, tmp_path / name)
    for folder in ("exercises/a02_counting", "solutions/a02_counting", "authoring/keys"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "tinylib").mkdir()
    (tmp_path / "tinylib" / "__init__.py").write_text("")
    return tmp_path


# ---- nothing private


def test_release_holds_no_key_no_private_answer_and_no_solution(found):
    assert leaks(found, ROOT) == []


def test_members_are_those_that_students_need(found):
    tops = {name.split("/")[0] for name in found if "/" in name}
    assert tops <= {"exercises", "notebooks", "tinylib", "locks", "docs"}
    assert not any(part.startswith((".", "__pycache__")) for name in found for part in name.split("/"))
    for kind in ("exercises", "notebooks"):
        on_disk = {p.relative_to(ROOT).as_posix() for p in (ROOT / kind).rglob("*.ipynb")}
        assert {n for n in on_disk if "checkpoint" not in n} == {
            n for n in found if n.startswith(kind) and n.endswith("b")
        }


def test_page_that_students_read_first_leads_nowhere_that_is_not_there(found):
    text = found["README.md"].decode()
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    assert links and all(link in found for link in links)
    assert "A term with this\nworkbook" in text and "docs/course-life.md" not in text


def test_library_of_the_students_is_whole(found):
    """C of the chip, licences of the data, what JupyterLab loads: a forgotten kind of file shows here."""
    files = (p for p in (ROOT / "tinylib").rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    assert {p.relative_to(ROOT).as_posix() for p in files} == {n for n in found if n.startswith("tinylib/")}


def test_every_key_and_solution_is_searched_for():
    """A search for nothing finds nothing: each key and each solution must give something to search for."""
    sources = {source for source, _ in private_parts(ROOT)}
    assert {f"authoring/keys/{p.name}" for p in (ROOT / "authoring/keys").glob("a*.py")} <= sources
    assert {p.relative_to(ROOT).as_posix() for p in (ROOT / "solutions").glob("*/*.ipynb")} <= sources


def test_mistakes_and_steps_of_private_questions_are_in_no_member(found):
    """A second road, through the loaded questions and not their source."""
    everything = b"\n".join(found.values()).decode("utf-8", "replace")
    count = 0
    for path in sorted((ROOT / "authoring" / "keys").glob("a*.py")):
        for question in (q for q in keys.load(path).values() if isinstance(q, Exercise)):
            for slip in question.misconceptions:
                long = len(slip.hint) > 50
                assert not long or slip.hint not in everything.replace('\\"', '"') or _shared(slip.hint), (
                    slip.hint
                )
                count += 1
    assert count > 20


def _shared(hint: str) -> bool:
    from tinylib.practice import BANK

    return any(hint == m.hint for e in BANK.values() for m in e.misconceptions)


def test_no_exercise_runs_or_shows_the_instructors_side(found):
    for name, content in found.items():
        if name.startswith("exercises/") and name.endswith(".ipynb"):
            nb = nbformat.reads(content.decode(), as_version=4)
            text = "\n".join(cell.source for cell in nb.cells)
            assert not [mark for mark in MARKS if mark in text]
            assert "judge(" not in text and not any(cell.get("outputs") for cell in nb.cells)


def _planted(course: Path, target: str, text: str) -> list[str]:
    path = course / target
    path.parent.mkdir(parents=True, exist_ok=True)
    if target.endswith(".ipynb"):
        nb = nbformat.read(path, as_version=4)
        nb.cells.append(nbformat.v4.new_code_cell(text))
        nbformat.write(nb, path)
    else:
        path.write_text((path.read_text() if path.exists() else "") + "\n" + text)
    return leaks(members(course), course)


KEY = (ROOT / "authoring/keys/a02_counting.py").read_text(encoding="utf-8")
EXERCISE = "exercises/a02_counting/a02_counting.ipynb"


def _parts(course: Path, of: str, longest: int = 10_000) -> list[str]:
    return sorted((t for s, t in private_parts(course) if s.startswith(of) and len(t) < longest), key=len)


def test_small_course_is_clean_until_something_is_planted(course):
    assert leaks(members(course), course) == []


@pytest.mark.parametrize("target", ["README.md", "exercises/a02_counting/data.json", EXERCISE])
@pytest.mark.parametrize("of", ["authoring/keys/a02", "solutions/a02"])
def test_a_planted_line_of_key_or_solution_is_found_wherever_it_is(course, target, of):
    line = _parts(course, of)[len(_parts(course, of)) // 2]
    said = _planted(course, target, json.dumps(line) if target.endswith("json") else line)
    assert any(target in s and of in s for s in said)


@pytest.mark.parametrize("target", ["tinylib/extra.py", "tinylib/deep/more.py", EXERCISE])
def test_a_whole_key_is_found_even_in_the_library(course, target):
    assert any(target in s for s in _planted(course, target, KEY))


def test_a_few_short_lines_in_the_library_are_common_and_many_are_a_leak(course):
    short = _parts(course, "authoring/keys/a02", 40)
    assert len(short) > 4
    assert _planted(course, "tinylib/a.py", "\n".join(short[:1])) == []
    (said,) = _planted(course, "tinylib/b.py", "\n".join(short))
    assert "tinylib/b.py repeats" in said and "a02_counting" in said


@pytest.mark.parametrize("mark", MARKS)
def test_marks_of_the_instructors_version_are_found(course, mark):
    assert any(repr(mark) in s for s in _planted(course, EXERCISE, f"x = 1  # {mark}"))


def test_saved_outputs_are_found(course):
    nb = nbformat.read(course / EXERCISE, as_version=4)
    code = next(c for c in nb.cells if c.cell_type == "code")
    code.outputs = [nbformat.v4.new_output("stream", text="42")]
    nbformat.write(nb, course / EXERCISE)
    assert leaks(members(course), course) == [f"{EXERCISE} holds outputs"]


def test_instructors_version_in_place_of_the_release_stops_it_and_writes_nothing(course):
    shutil.copy(course / "solutions/a02_counting/a02_counting.ipynb", course / EXERCISE)
    with pytest.raises(ReleaseError, match="must hold nothing private"):
        release(course, course / "out.zip")
    assert not (course / "out.zip").exists()


def test_links_on_the_list_are_refused(course):
    (course / "exercises/a02_counting/key.txt").symlink_to(course / "authoring/keys/a02_counting.py")
    with pytest.raises(ReleaseError, match="files, not links"):
        members(course)


def test_what_is_not_on_the_list_stays(course):
    for name in ("notes.txt", "grades.csv", "gradebook.db", "exercises/notes.md", "exercises/.x/a.ipynb"):
        (course / name).parent.mkdir(exist_ok=True)
        (course / name).write_text("{}")
    names = set(members(course))
    assert not [n for n in names if "notes" in n or "grade" in n.split("/")[0] or "/." in n]


# ---- the file


def test_archive_depends_on_its_content_alone(found, tmp_path):
    first = packed(found)
    assert first == packed(dict(reversed(found.items())))
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {i.date_time for i in archive.infolist()} == {DATE}
        assert archive.namelist() == sorted(archive.namelist())
        assert {i.external_attr >> 16 for i in archive.infolist()} == {0o100644}
        assert {i.filename.split("/", 1)[1]: archive.read(i) for i in archive.infolist()} == found


def test_command_packs_only_the_assignments_that_are_named(course, capsys):
    shutil.copytree(ROOT / "exercises/a01_metrics", course / "exercises/a01_metrics")
    parser = argparse.ArgumentParser()
    add_command(parser.add_subparsers())
    out = course / "out" / "students.zip"
    options = parser.parse_args(["release", "a02_counting", "--course", str(course), "--out", str(out)])
    assert options.run(options) == 0 and "searched for keys" in capsys.readouterr().out
    names = zipfile.ZipFile(out).namelist()
    assert any("a02_counting" in n for n in names) and not any("a01_metrics" in n for n in names)
    options = parser.parse_args(["release", "a99", "--course", str(course), "--out", str(out)])
    assert options.run(options) == 2 and "exercises/a99" in capsys.readouterr().out


# ---- a student's side


def test_unpacked_archive_shows_help_and_delivers_lessons_and_exercises(unpacked):
    command = [sys.executable, "bootstrap.py", "help"]
    shown = subprocess.run(command, cwd=unpacked, capture_output=True, text=True)
    assert shown.returncode == 0 and "  lab " in shown.stdout, shown.stderr
    code = (
        "import bootstrap as b; from pathlib import Path\n"
        "assert b.ROOT == Path.cwd(), b.ROOT\n"
        "assert all(p.is_file() for p in b.lock_files('')) and b.contents(b.lock_files(''))\n"
        "print(len(b.deliver(b.ROOT, b.ROOT / 'my')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=unpacked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = [
        *unpacked.glob("notebooks/*.ipynb"),
        *(p for p in unpacked.glob("exercises/*/*") if p.is_file()),
    ]
    assert int(done.stdout) == len(expected) > 20
    assert sorted(p.name for p in (unpacked / "my/lessons").iterdir()) == sorted(
        p.name for p in (unpacked / "notebooks").iterdir()
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "notebook, cells",
    [("notebooks/00_checks.ipynb", 10), ("exercises/a02_counting/a02_counting.ipynb", 15)],
)
def test_unpacked_notebook_runs_without_grading_or_authoring(unpacked, notebook, cells):
    """A student's notebook, where everything of the instructor's is blocked."""
    code = """
import json, os, runpy, sys
sys.path.insert(0, os.getcwd())
for name in ("grading", "authoring", "nbgrader"):
    sys.modules[name] = None
import tinylib, tinylib.lab, tinylib.nets
assert tinylib.__file__.startswith(os.getcwd()), tinylib.__file__
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
folder, name = os.path.split(sys.argv[1])
os.chdir(folder)
ran = 0
for cell in json.load(open(name))["cells"]:
    if cell["cell_type"] == "code":
        result = shell.run_cell("".join(cell["source"]))
        if not result.success and "check" in "".join(cell["source"]):
            continue  # an assert on a function that is not written yet
        assert result.success, cell["source"]
        ran += 1
print("ran", ran)
"""
    env = {"PATH": "/usr/bin:/bin", "HOME": str(unpacked), "MPLBACKEND": "agg"}
    command = [sys.executable, "-c", code, notebook]
    done = subprocess.run(command, cwd=unpacked, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr + done.stdout
    assert int(done.stdout.split()[-1]) >= cells


def test_solution_blocks_are_read_from_the_notebook():
    blocks = solution_blocks(ROOT / "solutions/a02_counting/a02_counting.ipynb")
    assert len(blocks) >= 8 and any("q.k" in b for b in blocks)
