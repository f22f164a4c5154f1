"""The texts of the book: cells of scripts, pages in Markdown, entries of course.toml, each with its place."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AUTHORING = ROOT / "authoring"
PAGES = ("*.md", "docs/*.md", "benchmarks/*.md", "tests/golden/*.md", "site/*.md")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)


@dataclass(frozen=True)
class Passage:
    """A piece of text: the file it stands in, its first line, and whether it is prose or code."""

    path: Path
    line: int
    text: str
    prose: bool = True

    def at(self, offset: int = 0) -> str:
        """Where a character of the text stands, as "path:line"."""
        path = self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path
        return f"{path.as_posix()}:{self.line + self.text.count(chr(10), 0, offset)}"


@cache
def course() -> dict:
    """course.toml as it is written."""
    return tomllib.loads((AUTHORING / "course.toml").read_text(encoding="utf-8"))


def cells(script: Path) -> Iterator[Passage]:
    """The cells of a percent script; prose without the sign of a comment before each line."""
    text = script.read_text(encoding="utf-8")
    marks = [*re.finditer(r"^# %%.*$", text, re.MULTILINE)]
    for mark, after in zip(marks, [*marks[1:], None]):
        body = text[mark.end() + 1 : after.start() if after else len(text)]
        prose = "[markdown]" in mark.group()
        body = re.sub(r"^# ?", "", body, flags=re.MULTILINE) if prose else body
        yield Passage(script, text.count("\n", 0, mark.start()) + 2, body, prose)


def scripts(kind: str) -> list[Path]:
    """The scripts of "lessons" or "assignments", in the order of the course."""
    one = kind.removesuffix("s")
    return [AUTHORING / kind / f"{entry['script']}.py" for entry in course()[one]]


def pages() -> list[Path]:
    """Every page in Markdown that a reader is led to."""
    return sorted({p for pattern in PAGES for p in ROOT.glob(pattern)})


def prose() -> Iterator[Passage]:
    """All that is read as text: cells, pages, and the titles and aims of course.toml."""
    for script in (*scripts("lessons"), *scripts("assignments")):
        yield from (cell for cell in cells(script) if cell.prose)
    for page in pages():
        yield Passage(page, 1, page.read_text(encoding="utf-8"))
    for kind in ("lesson", "assignment"):
        for entry in course()[kind]:
            yield Passage(AUTHORING / "course.toml", line_of(entry["script"]), announced(entry))


def announced(entry: dict) -> str:
    """What the head of a lesson or an assignment says: title, aims and needs."""
    return "\n".join([entry["title"], *entry["objectives"], *entry["needs"]])


def line_of(script: str) -> int:
    """The line of course.toml on which an entry names its script."""
    lines = (AUTHORING / "course.toml").read_text(encoding="utf-8").splitlines()
    return next((n for n, line in enumerate(lines, 1) if line == f'script = "{script}"'), 1)


def without_code(text: str) -> str:
    """The text with code and the targets of links blanked out, every character in its place."""
    text = CODE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)
    return re.sub(r"\]\([^)]*\)|https?://\S+", lambda found: " " * len(found.group()), text)
