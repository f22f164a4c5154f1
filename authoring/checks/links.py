"""Links inside the book: files, anchors, numbers of lessons and commands that a text names exist.

A lesson is read in two places, in the repository and in the learner's folder, where notebooks/ is called
lessons/: its links hold in both. Built notebooks are what a reader clicks, so those are read, with the links
in their figures.
"""

import json
import re
import urllib.parse
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from authoring.checks.texts import CODE, ROOT, Passage, course, pages, prose

MARKDOWN = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
HTML = re.compile(r"\b(?:href|src)=[\"']([^\"']+)[\"']")
COMMAND = re.compile(r"python3? -m ((?:tinylib|grading|benchmarks|tests|authoring)[\w.]*)")
TASK = re.compile(r"(?:^|`)(?:make|python3? bootstrap\.py) ([a-z]+)", re.MULTILINE)
NUMBERED = re.compile(r"\b[Ll]essons? ((?:\d\d)(?:(?:, | and | to | or )\d\d)*)")
PLACE = re.compile(r"^[\w.-]+(?:/[\w.*-]+)+/?$")
MADE = ("my/", "site/out", "site/cache", "docs/api", ".venv")  # made by commands, not kept
BUILT = ("notebooks", "solutions", "exercises")


@cache
def slugs(path: Path) -> frozenset[str]:
    """The anchors of a file: of a page as GitHub makes them from headings, of a notebook as Jupyter does."""
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        return frozenset(h.strip().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.MULTILINE))
    text = path.read_text(encoding="utf-8")
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE) if path.suffix == ".md" else []
    named = re.findall(r"\bid=[\"']([^\"']+)", text)
    return frozenset([re.sub(r"[^\w -]", "", t.lower()).strip().replace(" ", "-") for t in titles] + named)


def broken(target: str, path: Path, homes: list[Path]) -> str:
    """Why a link in `path`, read from each of `homes` below the root, leads nowhere; empty if it does not."""
    name, _, anchor = urllib.parse.unquote(target).partition("#")
    if re.match(r"[a-z][\w+.-]*:", name) or target.startswith(("//", "{")):
        return ""
    for home in homes:
        there = (home / name).resolve() if name else path
        if not there.exists():
            return f"{target!r} leads nowhere" + (f" from {home.name}/" if len(homes) > 1 else "")
        if anchor and anchor not in slugs(there):
            return f"{target!r} names no heading of {there.name}"
    return ""


def notebooks() -> Iterator[tuple[Path, str, str]]:
    """(notebook, link, place) of every link in the cells and outputs of built notebooks."""
    for folder in BUILT:
        for path in sorted((ROOT / folder).rglob("*.ipynb")):
            for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"], 1):
                text = "".join(cell["source"]) if cell["cell_type"] == "markdown" else ""
                data = [o.get("data", {}) for o in cell.get("outputs", [])]
                drawn = " ".join("".join(d.get(t, [])) for d in data for t in ("text/html", "image/svg+xml"))
                for link in (*MARKDOWN.findall(CODE.sub("", text)), *HTML.findall(text + drawn)):
                    if not link.startswith("#"):
                        yield path, link, f"cell {number}"


def moved(path: Path, link: str) -> str:
    """The link as it is in the learner's folder, where notebooks/ is called lessons/; "" when it is lost."""
    there = (path.parent / urllib.parse.unquote(link).partition("#")[0]).resolve()
    parts = there.relative_to(ROOT).parts if there.is_relative_to(ROOT) else ()
    return "/".join(parts) if parts and parts[0] in ("notebooks", "exercises") else ""


def in_notebooks() -> list[str]:
    """Broken links of built notebooks; a lesson links to lessons and exercises alone, which learners have."""
    found = []
    for path, link, place in notebooks():
        where = f"{path.relative_to(ROOT).as_posix()} {place}"
        if why := broken(link, path, [path.parent]):
            found.append(f"{where} {why}")
        elif (
            path.parts[-2] == "notebooks"
            and not link.startswith(("http", "mailto"))
            and not moved(path, link)
        ):
            found.append(f"{where} {link!r} is not delivered to learners")
    return found


def missing(place: str, page: Path) -> bool:
    """Whether a text between backticks is a path of this project that is not there; NAME stands for any."""
    if not PLACE.match(place) or place.startswith(MADE) or re.search(r"[A-Z]{3,}|NN", place):
        return False
    ours = (ROOT / place.split("/")[0]).exists()
    return ours and not any(any(home.glob(place.rstrip("/"))) for home in (ROOT, page.parent))


def in_pages() -> list[str]:
    """Broken links of pages, and paths between backticks that do not exist."""
    found = []
    for page in pages():
        whole = Passage(page, 1, page.read_text(encoding="utf-8"))
        text = re.sub(r"```.*?```", lambda m: re.sub(r"[^\n]", " ", m.group()), whole.text, flags=re.DOTALL)
        for hit in (*MARKDOWN.finditer(text), *HTML.finditer(text)):
            if why := broken(hit[1], page, [page.parent]):
                found.append(f"{whole.at(hit.start())} {why}")
        for hit in re.finditer(r"`([^`\n]+)`", text):
            if missing(hit[1], page):
                found.append(f"{whole.at(hit.start())} {hit[1]!r} does not exist")
    return found


def in_texts() -> list[str]:
    """Lessons by number, tasks and modules that a text names and that are not there."""
    lessons = {entry["script"][:2] for entry in course()["lesson"]}
    tasks = set(re.findall(r'^    "(\w+)": \(', (ROOT / "bootstrap.py").read_text("utf-8"), re.MULTILINE))
    found = []
    for p in prose():
        for hit in NUMBERED.finditer(p.text):
            found += [f"{p.at(hit.start())} there is no lesson {n}" for n in re.findall(r"\d\d", hit[1])
                      if n not in lessons]  # fmt: skip
        for hit in COMMAND.finditer(p.text):
            base = ROOT / hit[1].rstrip(".").replace(".", "/")
            if not base.with_suffix(".py").exists() and not (base / "__main__.py").exists():
                found.append(f"{p.at(hit.start())} `python -m {hit[1]}` does not exist")
        for hit in TASK.finditer(p.text):
            if hit[1] not in tasks:
                found.append(f"{p.at(hit.start())} `make {hit[1]}` does not exist")
    return found


def findings() -> list[str]:
    """Everything that a text of the book points to and that is not there."""
    return [*in_notebooks(), *in_pages(), *in_texts()]
