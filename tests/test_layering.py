"""Rooms import in one direction, and the standard-library rooms work where there is no numpy."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ORDER = ["units", "cost", "formats", "show", "practice", "datasets", "nets", "compress", "deploy", "lab"]
PLAIN = ORDER[: ORDER.index("datasets")]
NUMPY = ORDER[ORDER.index("datasets") : ORDER.index("lab")]
GRADING_ORDER = ["inside", "workers", "judging", "book", "pages", "exchange"]
GRADING_MAY = {"units", "cost", "show", "practice"}
TINYLIB = sorted((ROOT / "tinylib").rglob("*.py"))
GRADING = sorted((ROOT / "grading").rglob("*.py"))
names = {"ids": lambda p: p.relative_to(ROOT).as_posix()}


def module(path: Path) -> str:
    """Dotted name of a file: tinylib/cost/__init__.py is tinylib.cost."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(name: str) -> str:
    """The room of a dotted tinylib name; empty for tinylib itself and for anything else."""
    parts = name.split(".")
    return parts[1] if parts[0] == "tinylib" and len(parts) > 1 else ""


def imports(path: Path, everywhere: bool = True) -> Iterator[str]:
    """Dotted names that a file imports, relative ones resolved; at module level only if not everywhere."""
    body = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(body)) if everywhere else list(top(body.body))
    package = module(path).split(".") if path.name == "__init__.py" else module(path).split(".")[:-1]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{start}.{alias.name}" for alias in node.names) if start == "tinylib" else [start]


def top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run at import: functions are left out, classes, ifs and tries are gone through."""
    for node in body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
            yield from top(
                [n for n in ast.iter_child_nodes(node) if isinstance(n, (ast.stmt, ast.ExceptHandler))]
            )


def outside(path: Path, everywhere: bool = True) -> set[str]:
    """Top-level packages that a file imports beyond the standard library and this project."""
    first = {name.split(".")[0] for name in imports(path, everywhere)}
    return first - set(sys.stdlib_module_names) - {"tinylib", "grading", "__future__"}


def test_there_is_something_to_hold():
    assert {room(module(p)) for p in TINYLIB} >= {"units", "cost", "show", "practice", "lab"}
    assert GRADING


def test_every_room_has_its_place_in_the_order():
    assert {room(module(p)) for p in TINYLIB} - {""} <= set(ORDER)


@pytest.mark.parametrize("path", [p for p in TINYLIB if p.name != "__main__.py"], **names)
def test_imports_point_left(path):
    here = room(module(path))
    for name in imports(path):
        assert name.split(".")[0] not in ("grading", "authoring"), f"{name}: tinylib knows no grading"
        there = room(name)
        if here and there in ORDER:
            assert ORDER.index(there) <= ORDER.index(here), f"{name} stands right of {here}"
        elif name.startswith("tinylib") and not here:
            assert not there, f"tinylib itself imports {name}: that would load a room for everyone"


def test_the_parts_of_an_export_know_no_exporter():
    for path in (p for p in TINYLIB if p.parent.name == "emit"):
        known = {name for name in imports(path) if room(name) == "deploy"}
        assert all(name.startswith("tinylib.deploy.emit") for name in known), path


@pytest.mark.parametrize("path", TINYLIB, **names)
def test_tinylib_leaves_nbgrader_alone_and_only_lab_draws_widgets(path):
    found = outside(path)
    assert "nbgrader" not in found
    if room(module(path)) != "lab":
        assert not found & {"ipywidgets", "matplotlib", "IPython"}


@pytest.mark.parametrize("path", [p for p in TINYLIB if room(module(p)) != "lab"], **names)
def test_plain_rooms_need_the_standard_library_alone_and_the_next_numpy(path):
    allowed = {"numpy"} if room(module(path)) in NUMPY else set()
    assert outside(path, everywhere=False) <= allowed


@pytest.mark.parametrize("path", [p for p in GRADING if p.name != "__main__.py"], **names)
def test_grading_imports_practice_and_show_never_lab(path):
    assert {room(name) for name in imports(path)} - {""} <= GRADING_MAY


@pytest.mark.parametrize("path", GRADING, **names)
def test_rooms_of_grading_point_left_too(path):
    here = path.parent.name
    if here == "grading":
        return  # the road of a run, and what authors and nbgrader name, may use every room
    for name in imports(path):
        there = name.split(".")[1:2]
        if name.startswith("grading.") and there[0] in GRADING_ORDER:
            left = GRADING_ORDER.index(there[0]) <= GRADING_ORDER.index(here)
            assert left, f"{name} stands right of {here}"
        elif name.startswith("grading."):
            assert name == "grading.keys", f"{here} imports {name}, which stands above the rooms"


def test_nothing_of_the_judge_goes_into_the_sandbox():
    for path in (p for p in GRADING if p.parent.name == "inside"):
        assert {n.split(".")[1] for n in imports(path) if n.startswith("grading.")} <= {"inside"}


@pytest.mark.parametrize("order", ["forwards", "backwards"])
def test_plain_rooms_import_and_answer_with_everything_else_blocked(order):
    modules = [module(p) for p in TINYLIB if room(module(p)) in PLAIN and p.name != "__main__.py"]
    code = f"""
import importlib, sys
for name in ("numpy", "matplotlib", "ipywidgets", "IPython", "nbformat", "nbgrader", "traitlets"):
    sys.modules[name] = None
for name in {sorted(modules, reverse=order == "backwards")!r}:
    importlib.import_module(name)
from tinylib.practice import BANK, check
for id, exercise in BANK.items():
    number = exercise.answer(**exercise.given)
    value = (number, exercise.choice(**exercise.given)) if exercise.choices else number
    assert check(id, value).right, id
print(len(BANK))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) > 0
