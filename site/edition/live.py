"""Which figures of a lesson are live in a browser, and the lines of the lesson that make each.

A lesson shows a figure by a cell `explore(...)`. Of the statements before it, those are kept that bind a name
which it needs; a figure is live when these run with the standard library alone and draw the picture that the
built notebook holds. Where a lesson first trains a network, its figures stay as saved.
"""

import ast
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BROWSER = ROOT / "site" / "browser"
ROOMS = ("units.py", "cost", "formats", "show", "practice")
LAB = ("explore.py", "my_device.py", "quiz.py")
SHOW = "\n### show\n"  # stands before the line that shows the figure


@dataclass(frozen=True)
class Figure:
    """One explore cell: its key as 03_macs-2, its place in the notebook, its lines, its saved picture."""

    key: str
    lesson: str
    cell: int
    source: str
    saved: str


def python_files() -> dict[str, bytes]:
    """What runs in the page: the standard-library rooms with their data, and the stand-ins for Jupyter."""
    home = ROOT / "tinylib"
    paths = [
        p for room in ROOMS for p in ([home / room] if (home / room).is_file() else (home / room).rglob("*"))
    ]
    paths += [home / "__init__.py", *(home / "lab" / name for name in LAB)]
    kept = [p for p in paths if p.is_file() and p.suffix in (".py", ".toml", ".json")]
    files = {p.relative_to(ROOT).as_posix(): p.read_bytes() for p in kept if p.name != "__main__.py"}
    files["tinylib/lab/__init__.py"] = (BROWSER / "lab.py").read_bytes()
    return files | {name: (BROWSER / name).read_bytes() for name in ("ipywidgets.py", "workbook.py")}


def packed() -> bytes:
    """The Python files as one zip, the same bytes for the same files."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in sorted(python_files().items()):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(info, data)
    return whole.getvalue()


def figures(lesson: str, cells: list[dict]) -> list[Figure]:
    """Every explore cell of a lesson that has a saved picture."""
    before: list[ast.stmt] = []
    found = []
    for place, cell in enumerate(cells):
        if cell["cell_type"] != "code" or "optional" in cell["metadata"].get("tags", []):
            continue  # what is optional may run for minutes; the notebook's outputs do without it
        body = ast.parse("".join(cell["source"])).body
        picture = next((saved(o) for o in cell.get("outputs", []) if saved(o)), "")
        if body and _calls(body[-1]) == "explore" and picture:
            key = f"{lesson}-{len(found) + 1}"
            found.append(Figure(key, lesson, place, needed([*before, *body[:-1]], body[-1]), picture))
        before += body
    return found


def saved(output: dict) -> str:
    """The SVG of an output, or nothing."""
    return "".join(output.get("data", {}).get("image/svg+xml", ""))


def _calls(node: ast.stmt) -> str:
    call = node.value if isinstance(node, ast.Expr) else None
    return call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""


def needed(before: Iterable[ast.stmt], shown: ast.stmt) -> str:
    """The statements that `shown` needs, each import cut down to what is used, and `shown` itself [text]."""
    wanted, kept = _names(shown, ast.Load), []
    for node in reversed(list(before)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a for a in node.names if (a.asname or a.name.split(".")[0]) in wanted]
            if names:
                more = (node.module, names, node.level) if isinstance(node, ast.ImportFrom) else (names,)
                kept.append(ast.unparse(type(node)(*more)))
        elif _changed(node) & wanted:
            wanted |= _names(node, ast.Load)
            kept.append(ast.unparse(node))
    return "\n".join(reversed(kept)) + SHOW + ast.unparse(shown)


def _changed(node: ast.AST) -> set[str]:
    """Names that a statement binds, or whose items or attributes it sets."""
    parts = (n for n in ast.walk(node) if isinstance(n, ast.Subscript | ast.Attribute))
    inside = {p.value.id for p in parts if isinstance(p.ctx, ast.Store) and isinstance(p.value, ast.Name)}
    return _names(node, ast.Store) | inside


def _names(node: ast.AST, context: type) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, context)}


TRY = """
import contextlib, json, sys
sys.path.insert(0, sys.argv[1])
import workbook
results = {}
for key, source in json.load(sys.stdin).items():
    with contextlib.redirect_stdout(sys.stderr):  # a lesson's own printing
        results[key] = json.loads(workbook.call(json.dumps(["open_figure", key, source, ""])))
print(json.dumps(results))
"""


def tried(found: list[Figure], folder: Path) -> dict[str, dict]:
    """What each figure comes to in a bare Python, without any installed package: controls, svg, error."""
    for name, data in python_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    asked = json.dumps({f.key: f.source for f in found})
    bare = [sys.executable, "-I", "-S", "-c", TRY, str(folder)]
    done = subprocess.run(bare, input=asked, capture_output=True, text=True, timeout=600)
    shutil.rmtree(folder)
    if done.returncode:
        raise RuntimeError(f"the figures could not be tried: {done.stderr[-2000:]}")
    results = json.loads(done.stdout)
    return {key: r.get("ok") or {"svg": "", "error": r["failed"]} for key, r in results.items()}
