"""The API reference in docs/api: every room and module of tinylib, made from docstrings by pdoc.

    python docs/reference/build.py [FOLDER]

Docstrings are plain text, so they are shown as they are written: what is in backticks becomes code, a block
in columns keeps them. No page depends on the day, the machine or the order of a set.
"""

import html
import importlib
import re
import sys
import warnings
from pathlib import Path
from textwrap import dedent

import pdoc
from markupsafe import Markup
from pdoc.doc import Module
from pdoc.render import configure, env

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("units", "cost", "formats", "show", "practice", "datasets", "nets", "compress", "deploy", "lab")
LONGEST_VALUE = 100  # characters: a longer one is a table, which the source shows better
COLUMNS = re.compile(r"^\s|\S {3,}\S|>>>", re.M)
WRAPPED = re.compile(r"(?<=.{60})\n(?![\w(`*][^.:]{0,60}:(?: |$))", re.M)  # a break that only fills the line


def modules(root: Path = ROOT) -> list[str]:
    """Dotted names of tinylib, its rooms from left to right and their modules; commands are left out."""
    files = [p for p in (root / "tinylib").rglob("*.py") if p.name != "__main__.py"]
    names = {".".join(p.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for p in files}
    place = {f"tinylib.{room}": number for number, room in enumerate(ROOMS)}
    return sorted(names, key=lambda name: (place.get(".".join(name.split(".")[:2]), -1), name))


def commands(root: Path = ROOT) -> list[str]:
    """Dotted names of what `python -m` runs."""
    found = sorted((root / "tinylib").rglob("__main__.py"))
    return [".".join(p.relative_to(root).parts[:-1]) for p in found]


def coded(text: str) -> Markup:
    """Text as HTML, what is in backticks as code, in stars as emphasis."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
    return Markup(re.sub(r"(?<![\w*)])\*([a-z][a-z ]*)\*(?![\w(*])", r"<em>\1</em>", text))


def first_line(text: str | None) -> str:
    """The first line of a module's docstring, without its full stop."""
    return (text or "").strip().split("\n")[0].rstrip(".")


def shown(text: str) -> Markup:
    """A docstring as HTML: paragraphs and lists of names by their lines, blocks in columns as written."""
    blocks = re.split(r"\n\s*\n", text.strip("\n"))
    parts = [_columns(block) if COLUMNS.search(block) else _paragraph(block) for block in blocks]
    return Markup("\n".join(parts))


def _columns(block: str) -> str:
    return f"<pre>{html.escape(dedent(block), quote=False)}</pre>"


def _paragraph(block: str) -> str:
    return f"<p>{coded(WRAPPED.sub(' ', block))}</p>"


def load(name: str) -> Module:
    """A module as pdoc sees it, with the names that it loads on first use."""
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        vars(module).setdefault(public, getattr(module, public))
    return Module(module)


def build(folder: Path, root: Path = ROOT) -> list[str]:
    """Write the reference into a folder; returns the warnings."""
    configure(template_directory=Path(__file__).parent, search=False, show_source=False, docformat="markdown")
    env.filters |= {"shown": shown, "coded": coded, "first_line": first_line}
    runs = {name: importlib.import_module(f"{name}.__main__").__doc__ for name in commands(root)}
    env.globals |= {
        "rooms": [f"tinylib.{room}" for room in ROOMS],
        "commands": runs,
        "longest": LONGEST_VALUE,
    }
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = {name: load(name) for name in modules(root)}
        pages = {name: pdoc.render.html_module(module, found) for name, module in found.items()}
        pages["index"] = pdoc.render.html_index(found)
    for name, page in pages.items():
        path = folder / f"{name.replace('.', '/')}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(re.sub(r"[ \t]*\n\s*\n+", "\n", page), encoding="utf-8")
    return [str(warning.message) for warning in said]


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "api"
    complaints = build(target)
    print(*complaints, sep="\n", end="\n" if complaints else "")
    print(f"{len(list(target.rglob('*.html')))} pages in {target}, {len(complaints)} warnings")
    sys.exit(bool(complaints))
