"""Build the browser edition: a folder of plain files that any web server shows, with Python inside.

It takes the built notebooks, the exercise bank and the standard-library rooms as they are. What is the same
already is left alone; what else the folder holds is deleted.
"""

import json
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from tqdm import tqdm

from edition import core, live
from edition.book import Book
from edition.frame import exercise, tokens
from edition.pages import pages
from tinylib.practice import BANK
from tinylib.show import theme

MARK = ".browser-edition"  # in every folder that was built here, and only there may files be deleted


def assets(book: Book) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """(file, function that gives its bytes) of everything but pages and Pyodide."""
    yield "assets/tinylib.zip", live.packed
    yield "assets/tokens.css", lambda: tokens().encode()
    yield "assets/bank.json", lambda: json.dumps({e.id: exercise(e) for e in BANK.values()}).encode()
    yield "assets/figures.json", lambda: json.dumps(sources(book)).encode()
    for key, figure in book.played.items():
        frames = json.dumps({k: bare(svg) for k, svg in figure["frames"].items()})
        yield f"assets/frames/{key}.json", frames.encode
    for path in sorted(live.BROWSER.iterdir()):
        if path.suffix in (".js", ".css", ".svg"):
            yield f"assets/{path.name}", path.read_bytes


def sources(book: Book) -> dict[str, dict]:
    """What the page needs to make a figure move: its controls, and its lines where Python draws it."""
    live_ = {k: {"source": f.source, "controls": book.tried[k]["controls"]} for k, f in book.live.items()}
    return live_ | {key: {"controls": figure["controls"]} for key, figure in book.played.items()}


def bare(svg: str) -> str:
    """A picture without the style sheet that all pages have."""
    return svg.replace(f"<style>{theme.STYLE}</style>", "")


def build(out: Path, play: Collection[str] | None = None) -> str:
    """Write the site into a folder; one line on what it holds. ValueError for a folder of another kind.

    play: as Book takes it
    """
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise ValueError(f"the folder must be empty or of an earlier build, got {out}")
    book = Book(play)
    with tempfile.TemporaryDirectory() as folder:
        core.install(Path(folder))
        made = [(f"assets/pyodide/{p.name}", p.read_bytes) for p in sorted(Path(folder).iterdir())]
        made += [(MARK, lambda: b""), *assets(book)]
        made += [(name, lambda m=make: m().encode()) for name, make in pages(book)]
        size = sum(write(out / name, make()) for name, make in tqdm(made, "building", disable=None))
    tidy(out, {out / name for name, _ in made})
    count = sum(name.endswith(".html") for name, _ in made)
    moving = (
        f"{len(book.live)} figures drawn by Python and {len(book.played)} beforehand, of {len(book.figures)}"
    )
    return f"{count} pages, {len(BANK)} exercises, {moving}, {len(made)} files, {size / 1e6:.1f} MB"


def write(path: Path, data: bytes) -> int:
    """Write a file unless it is the same already; its size [bytes]."""
    if not path.is_file() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return len(data)


def tidy(out: Path, kept: set[Path]) -> None:
    """Delete what an earlier build left."""
    for path in sorted(out.rglob("*"), reverse=True):
        if path.is_file() and path not in kept:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
