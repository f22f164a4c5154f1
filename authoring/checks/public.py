"""Public names of tinylib: each is reached from the book, a page, a command, the grader or a benchmark.

Reached is what those name, and what the code of something reached names in turn; tests do not count, but
the golden runner does, which is a command. What is not reached is dead, unless CONTRIBUTING keeps it for
projects. Words are compared, not objects: a name shared with something alive passes. A function that its own
module alone uses begins with an underscore, unless a test walks a second road to it.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from authoring.checks.texts import CODE, ROOT, pages

COURSE = ("authoring/lessons", "authoring/assignments", "authoring/keys", "tinylib/practice/bank")
COMMANDS = ("grading", "benchmarks", "site", "tests/golden_checks")
FILES = (  # read as text: they hold code in strings
    "bootstrap.py",
    "nbgrader_config.py",
    "tests/golden.py",
)
LISTS = {"__all__", "_FROM", "_NAMES", "_LAYERS", "_MODULES"}  # what a room passes on, which is no use of it


@dataclass(frozen=True)
class Name:
    """A top-level definition of tinylib: its file, line and name, whether a function, and the words in it."""

    path: Path
    line: int
    name: str
    function: bool
    words: frozenset[str]

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT).as_posix()}:{self.line} {self.name}"


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file, read once."""
    return ast.parse(path.read_text(encoding="utf-8"))


def words(node: ast.AST) -> frozenset[str]:
    """The words that code uses: names, attributes, renamed imports, and texts of words and dots.

    An import alone is no use.
    """
    found = set()
    for n in ast.walk(node):
        if isinstance(n, ast.Name):
            found.add(n.id)
        elif isinstance(n, ast.Attribute):
            found.add(n.attr)
        elif isinstance(n, ast.alias) and n.asname:
            found.add(n.name)
        elif isinstance(n, ast.Constant) and isinstance(n.value, str) and re.fullmatch(r"[\w.]+", n.value):
            found |= set(n.value.split("."))
    return frozenset(found)


def modules() -> list[Path]:
    """The modules of tinylib's rooms; the bank's chapters are content, and commands use and are not used."""
    bank = ROOT / "tinylib/practice/bank"
    found = sorted((ROOT / "tinylib").rglob("*.py"))
    return [p for p in found if bank not in p.parents and p.name != "__main__.py"]


def python(folders: tuple[str, ...]) -> Iterator[Path]:
    """The Python files below some folders, without what a build leaves there."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"out", "cache"} & set(path.relative_to(ROOT).parts):
                yield path


def users() -> frozenset[str]:
    """The words of everything that uses tinylib from outside: scripts, commands, and the code on pages."""
    commands = sorted((ROOT / "tinylib").rglob("__main__.py"))
    files = [*python(COURSE + COMMANDS), *commands]
    said = (code for page in pages() for code in CODE.findall(page.read_text(encoding="utf-8")))
    texts = [*said, *((ROOT / name).read_text(encoding="utf-8") for name in FILES)]
    on_pages = frozenset(word for text in texts for word in re.findall(r"\w+", text))
    return on_pages.union(*(words(tree(path)) for path in files))


def taken_apart(path: Path) -> tuple[list[Name], frozenset[str]]:
    """A module's top-level definitions, and the words of what it does when it is imported."""
    names, runs = [], set()
    for node in tree(path).body:
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined = [node.name]
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            defined = [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        else:
            runs |= words(node)
            continue
        if not LISTS & set(defined):
            used, function = words(node), isinstance(node, ast.FunctionDef)
            names += [Name(path, node.lineno, name, function, used) for name in defined]
    return names, frozenset(runs)


def unreached(names: list[Name], known: frozenset[str]) -> list[Name]:
    """The definitions that nothing alive names, where `known` are the words alive from the start."""
    left = names
    while True:
        alive = [n for n in left if n.name in known or n.name.startswith("__")]
        if not alive:
            return left
        left = [n for n in left if n not in alive]
        known = known.union(*(n.words for n in alive))


def internal(parts: dict[Path, tuple[list[Name], frozenset[str]]], known: frozenset[str]) -> list[Name]:
    """The public functions that only their own module uses."""
    inside = {path: runs.union(*(n.words for n in names)) for path, (names, runs) in parts.items()}
    public = [n for names, _ in parts.values() for n in names if n.function and n.name[0] != "_"]
    return [n for n in public if not any(n.name in w for p, w in inside.items() if p != n.path)
            and n.name not in known]  # fmt: skip


def findings() -> list[str]:
    """Dead public names, and public functions that are internal."""
    parts = {path: taken_apart(path) for path in modules()}
    known = users().union(*(runs for _, runs in parts.values()))
    dead = unreached([n for names, _ in parts.values() for n in names], known)
    tested = known.union(*(re.findall(r"\w+", p.read_text("utf-8")) for p in python(("tests",))))
    private = [n for n in internal(parts, tested) if n not in dead]
    return [
        *(f"{n} is used by nothing but tests: name it on a page, or delete it" for n in dead),
        *(f"{n} is used by its own module alone: begin it with an underscore" for n in private),
    ]
