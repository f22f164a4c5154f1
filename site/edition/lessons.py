"""A built lesson as a page to read: text, code, saved output; figures and questions ready to come alive."""

import json
import re
from collections.abc import Container
from functools import cache
from html import escape
from pathlib import Path

import mistune
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from edition.frame import exercise
from edition.live import Figure, saved
from tinylib.practice import BANK

QUIZ = re.compile(r'\s*quiz\("([^"]+)"\)\s*')
_LINKS = ((r'href="(?:\.\./)?exercises/([\w-]+)/\1\.ipynb', r'href="../assignments/\1.html'),
          (r'href="([\w-]+)\.ipynb', r'href="\1.html'))  # fmt: skip


def cells(path: Path) -> list[dict]:
    """The cells of a notebook."""
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def html(found: list[dict], figures: dict[int, Figure], alive: Container[str]) -> str:
    """The body of a lesson's page; figures: by place of their cell, alive: keys of the live ones [text]."""
    return "".join(cell(c, figures.get(place), alive) for place, c in enumerate(found))


def cell(one: dict, shown: Figure | None, alive: Container[str]) -> str:
    """One cell: prose, a question, a figure, or code with what it printed [text]."""
    source = "".join(one["source"])
    if one["cell_type"] == "markdown":
        return prose(source)
    quiz = QUIZ.fullmatch(source)
    if quiz and quiz[1] in BANK:
        return exercise(BANK[quiz[1]])
    if shown:
        return figure(f"figure-{shown.key.rsplit('-')[-1]}", shown, shown.key in alive, source)
    return code(source) + "".join(map(output, one.get("outputs", [])))


def figure(name: str, shown: Figure, alive: bool, source: str = "") -> str:
    """A saved picture; live where it needs no more than the standard library [text]."""
    data = f' data-figure="{shown.key}"' if alive else ""
    note = "" if alive else "<figcaption>As saved: this one moves in the notebook alone.</figcaption>"
    lines = f"<details><summary>The lines that show it</summary>{code(source)}</details>" if source else ""
    return f'<figure id="{name}"{data}><div class="picture">{shown.saved}</div>{note}{lines}</figure>'


def prose(source: str) -> str:
    """Markdown to HTML, links to notebooks turned to pages [text]."""
    made = linked(_markdown()(source))
    made = re.sub(r"<(h[2-4])>(.*?)</\1>", lambda m: f'<{m[1]} id="{slug(m[2])}">{m[2]}</{m[1]}>', made)
    return made.replace("<table>", '<div class="wide" role="group" aria-label="Table"><table>').replace(
        "</table>", "</table></div>"
    )


def linked(made: str) -> str:
    """HTML with its links to notebooks turned to pages [text]."""
    for pattern, to in _LINKS:
        made = re.sub(pattern, to, made)
    return made


def slug(words: str) -> str:
    """Words as the name of an anchor."""
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"<.*?>|&\w+;", "", words).lower()).strip("-")


def code(source: str) -> str:
    """Coloured Python [text]."""
    coloured = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))
    return f'<pre class="code"><code>{coloured}</code></pre>'


def output(one: dict) -> str:
    """A saved output: printed text, our own HTML, or its words [text]."""
    data = one.get("data", {})
    if saved(one):
        return f'<div class="picture">{saved(one)}</div>'
    if "text/html" in data:
        return f'<div class="output">{linked("".join(data["text/html"]))}</div>'
    words = "".join(one.get("text", data.get("text/plain", "")))
    return f'<pre class="output">{escape(words.rstrip())}</pre>' if words.strip() else ""


@cache
def _markdown() -> mistune.Markdown:
    return mistune.create_markdown(escape=True, plugins=["table", "strikethrough"])
