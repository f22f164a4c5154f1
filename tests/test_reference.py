"""The reference of tinylib: docstrings say what they must, and pages built from them hang together."""

import ast
import html
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "docs" / "reference" / "build.py"
TINYLIB = sorted((ROOT / "tinylib").rglob("*.py"))
NUMBERS = {"int", "float", "int | float", "float | int"}
HREF, ID = re.compile(r'href="([^"]*)"'), re.compile(r'\bid="([^"]+)"')

# ---- docstrings


def public(body: list[ast.stmt], place: str) -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    """(place, definition) of each public function, class and method."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield f"{place}.{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{place}.{node.name}")


@cache
def defined() -> list[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    """Every public definition of tinylib with its place; the bank's formulas are content."""
    trees = [(p.relative_to(ROOT).as_posix(), ast.parse(p.read_text(encoding="utf-8"))) for p in TINYLIB]
    return [found for name, tree in trees for found in public(tree.body, name)]


def test_every_module_says_in_its_first_line_what_it_holds():
    lines = {p: (ast.get_docstring(ast.parse(p.read_text("utf-8"))) or "").split("\n")[0] for p in TINYLIB}
    short = [p.relative_to(ROOT).as_posix() for p, line in lines.items() if len(line.split()) < 3]
    assert not short and len(lines) > 200


def test_every_public_function_and_class_has_a_docstring():
    missing = [place for place, node in defined() if not ast.get_docstring(node)]
    assert not missing and len(defined()) > 1000


def names_a_unit(text: str) -> bool:
    """[MAC], [bytes], [1/s] ...; or whose quantity it passes on, a name in backticks; or an exit status."""
    return bool(re.search(r"\[[^\]]+\]|`\w+`|exit status|; 0 when it worked", text, re.I))


def test_every_function_that_returns_a_number_names_its_unit():
    numbers = [
        (place, node) for place, node in defined() if isinstance(node, ast.FunctionDef) and node.returns
    ]
    numbers = [(place, node) for place, node in numbers if ast.unparse(node.returns) in NUMBERS]
    without = [place for place, node in numbers if not names_a_unit(ast.get_docstring(node) or "")]
    assert not without and len(numbers) > 200


def test_a_docstring_without_a_unit_is_found():
    assert names_a_unit("Work of one inference [MAC].") and names_a_unit("`value` as an int.")
    assert not names_a_unit("Work of one inference.") and not names_a_unit("Half of it (rounded).")


# ---- pages


def build(folder: Path, seed: str) -> dict[str, str]:
    """Name -> text of every page, built in a process of its own."""
    assert importlib.util.find_spec("pdoc"), "pdoc is missing: make test installs it with requirements.lock"
    env = os.environ | {"PYTHONHASHSEED": seed, "PYTHONWARNINGS": "default"}
    done = subprocess.run([sys.executable, BUILD, folder], capture_output=True, text=True, env=env)
    assert done.returncode == 0 and ", 0 warnings" in done.stdout, done.stdout + done.stderr
    return {p.relative_to(folder).as_posix(): p.read_text("utf-8") for p in folder.rglob("*") if p.is_file()}


@pytest.mark.soak
def test_reference_has_a_page_for_every_module_and_no_dead_link(tmp_path):
    pages = build(tmp_path, "1")
    modules = {p: p.relative_to(ROOT).with_suffix("").as_posix() for p in TINYLIB if p.stem != "__main__"}
    paths = {p: f"{name.removesuffix('/__init__')}.html" for p, name in modules.items()}
    assert set(pages) == {"index.html", *paths.values()}
    index = pages.pop("index.html")
    ids = {name: set(ID.findall(text)) for name, text in {**pages, "index.html": index}.items()}
    for path, name in paths.items():
        line = ast.get_docstring(ast.parse(path.read_text("utf-8"))).split("\n")[0].rstrip(".")
        line = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(line, quote=False))
        assert line in index and (f'href="{name}"' in index or name == "tinylib.html")
    for name, text in {**pages, "index.html": index}.items():
        for link in HREF.findall(text):
            target, _, anchor = link.partition("#")
            there = os.path.normpath(os.path.join(os.path.dirname(name), target)) if target else name
            assert there in ids and (not anchor or anchor in ids[there]), f"{name} leads to {link}"
    assert not re.search(
        r"""(src|href)\s*=\s*["']?(https?:)?//|url\(["']?http""", "".join(pages.values()) + index
    )


@pytest.mark.soak
def test_reference_is_the_same_for_every_order_of_sets(tmp_path):
    assert build(tmp_path / "a", "1") == build(tmp_path / "b", "2")
