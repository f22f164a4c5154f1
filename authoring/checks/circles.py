"""No module imports itself through others: the imports of tinylib, wherever they stand, run one way."""

import ast
from pathlib import Path

from authoring.checks.texts import ROOT

PACKAGES = ("tinylib", "grading")


def dotted(path: Path, root: Path) -> str:
    """The name of a module by its file: tinylib/cost/__init__.py is tinylib.cost."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(text: str, known: set[str]) -> set[str]:
    """The modules that a text imports, at its top or in functions; of a package, those taken out of it."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= below & known or {node.module}
    return found & known


def graph(root: Path, packages: tuple[str, ...]) -> dict[str, set[str]]:
    """Module -> the modules that it imports; the face of a package, which passes names on, is left out."""
    paths = {dotted(p, root): p for package in packages for p in sorted((root / package).rglob("*.py"))}
    inner = {name: p for name, p in paths.items() if p.name not in ("__init__.py", "__main__.py")}
    return {name: imported(p.read_text(encoding="utf-8"), set(inner)) for name, p in inner.items()}


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """What is left when modules without an arrow out, or without one in, are taken away again and again."""
    left = {name: set(to) - {name} for name, to in arrows.items()}
    while free := [name for name, to in left.items() if not to & left.keys()]:
        for name in free:
            del left[name]
    while outer := [n for n in left if not any(n in to for m, to in left.items() if m != n)]:
        for name in outer:
            del left[name]
    return [sorted(left)] if left else []


def findings() -> list[str]:
    """Modules that import each other."""
    return [f"{', '.join(names)} import each other" for names in circles(graph(ROOT, PACKAGES))]
