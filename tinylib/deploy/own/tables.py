"""A CSV file as columns of numbers or text, with one sentence for everything that was odd about it.

Read in pieces, so that a million rows need no more memory than their numbers. The separator, a decimal comma,
a byte order mark, UTF-16 and a missing head line are found out; a cell that is empty or says NA, NaN, null,
none or ? is missing, and so is text in a column of numbers.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np

from tinylib.nets.progress import bar
from tinylib.units import shown

Array = np.ndarray
MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "?", "-", "--", "nil"))
PIECE = 50_000  # rows read at a time
SEPARATORS = ",;\t|"
MOST_LINES = 50  # that one row may have, by line ends within quotation marks
CONTROL = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1a")  # bytes that no text holds
MOST_TEXT = 0.1  # share of cells with text up to which a column is one of numbers


@dataclass(frozen=True)
class Table:
    """Columns by name: float64 (rows,) with NaN where a value is missing, or text as objects (rows,).

    notes: sentences on what was found and what was done about it
    """

    columns: dict[str, Array]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows [count]."""
        return len(next(iter(self.columns.values())))

    def is_text(self, name: str) -> bool:
        """Whether a column holds text."""
        return self.columns[name].dtype == object


def read(source: str | Path | bytes, progress: bool = False) -> Table:
    """The table in a file, or in the bytes of one. Raises ValueError when there is none."""
    if isinstance(source, (str, Path)):
        path = Path(source)
        if not path.is_file():
            raise ValueError(f"data must be a CSV file that exists, got {shown(str(source))}")
        source = path.read_bytes()
    notes: list[str] = []
    text = re.sub(r'\A"?sep=.?"?\s*?\n', "", _decoded(source, notes))  # a line for spreadsheets alone
    lines = io.StringIO(text, newline="")
    first = _first_lines(lines)
    separator = _separator(first)
    rows = _rows(lines, separator)
    head = [cell.strip() for cell in next(rows)]
    width = len(head)
    if width < 1 or all(not cell for cell in head):
        raise ValueError(f"data must begin with the names of its columns, got {shown(first[:40])}")
    below = list(islice(rows, 50))
    if _is_reading(head, below, separator):
        notes.append("There is no head line: the columns are called c1, c2, and so on.")
        below, head = [head, *below], [f"c{i + 1}" for i in range(width)]
    rows = chain(below, rows)
    head = _distinct(head, notes)
    pieces = _pieces(rows, width, first.count("\n") and source.count(b"\n"), progress)
    columns, odd = _columns(pieces, head, separator)
    if not columns[head[0]].size:
        wider = f"{odd[0][0].lower()}{odd[0][1:].rstrip('.')}" if odd else "none"
        raise ValueError(f"data must have rows under its head line, which comes first, got {wider}")
    return Table(columns, (*notes, *odd))


def counted(n: int, what: str) -> str:
    """ "1 row", "2,000 rows" [text]."""
    return f"{int(n):,} {what}{'s'[: int(n) != 1]}"


def _rows(lines: io.StringIO, separator: str) -> Iterator[list[str]]:
    """The cells of each line that is no remark."""
    reader, last = csv.reader(lines, delimiter=separator), 0
    try:
        for row in reader:
            if reader.line_num - last > MOST_LINES:
                raise ValueError(
                    "data must be rows of cells: a quotation mark is open, got one row of lines "
                    f"{last + 1:,} to {reader.line_num:,}"
                )
            last = reader.line_num
            if row and not row[0].startswith("#"):
                yield row
    except csv.Error as error:
        raise ValueError(f"data must be rows of cells: a quotation mark may be open, got {error}") from None


def _decoded(source: bytes, notes: list[str]) -> str:
    if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return source.decode("utf-16", "replace")
    if CONTROL & set(source[:4096]):
        raise ValueError("data must be text with separators, got a binary file; a spreadsheet exports CSV")
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError:
        notes.append("The file is not UTF-8 and was read as Latin-1: check names with accents.")
        return source.decode("latin-1")


def _first_lines(lines: io.StringIO) -> str:
    found = [line for line in islice(lines, 50) if line.strip() and not line.startswith("#")]
    lines.seek(0)
    if not found:
        raise ValueError("data must hold rows, got an empty file")
    return "".join(found[:20])


def _separator(text: str) -> str:
    """The separator that cuts the first lines into most columns, evenly."""
    lines = text.splitlines()

    def worth(mark: str) -> tuple[bool, int]:
        counts = [line.count(mark) for line in lines]
        return min(counts) > 0 and counts.count(counts[0]) > len(counts) / 2, counts[0]

    return max(SEPARATORS, key=worth)


def _is_number(cell: str, separator: str) -> bool:
    try:
        float(cell.replace(",", ".") if separator != "," else cell)
    except ValueError:
        return False
    return True


def _is_reading(first: list[str], below: list[list[str]], separator: str) -> bool:
    """Whether a first line is no head line: it holds numbers, and its words stand below them again."""
    words = [i for i, cell in enumerate(first) if not _is_number(cell, separator)]
    again = all(any(row[i : i + 1] and row[i].strip() == first[i] for row in below) for i in words)
    return len(words) < len(first) and again


def _distinct(head: list[str], notes: list[str]) -> list[str]:
    """Names without gaps and doubles."""
    names: list[str] = []
    for i, cell in enumerate(head):
        name = cell or f"c{i + 1}"
        while name in names:
            name += "_2"
        names.append(name)
    if names != head:
        changed = ", ".join(n for n, cell in zip(names, head) if n != cell)
        notes.append(f"Columns without a name of their own were named: {changed}.")
    return names


def _pieces(rows: Iterator[list[str]], width: int, lines: int, progress: bool) -> Iterator[tuple]:
    """(cells by column, rows left out) for each piece."""
    steps = iter(bar(range(-(-max(lines, 1) // PIECE)), None, "reading", progress))
    while piece := list(islice(rows, PIECE)):
        whole = [row for row in piece if len(row) == width]
        next(steps, None)
        yield (list(zip(*whole)) if whole else [()] * width), len(piece) - len(whole)
    for _ in steps:  # lets the bar end
        pass


def _columns(pieces: Iterator[tuple], head: list[str], separator: str) -> tuple[dict[str, Array], list[str]]:
    numbers: dict[str, list[Array]] = {name: [] for name in head}
    texts: dict[str, list[tuple]] = {name: [] for name in head}
    bad = dict.fromkeys(head, 0)
    kept = set(head)  # columns whose text is kept: those that began as text
    left_out = 0
    for seen, (cells, ragged) in enumerate(pieces):
        left_out += ragged
        for name, column in zip(head, cells):
            values, words = _values(column, separator)
            numbers[name].append(values)
            bad[name] += words
            if not seen and words <= MOST_TEXT * len(column):
                kept.discard(name)
            if name in kept:
                texts[name].append(column)
    notes = []
    if left_out:
        notes.append(f"{counted(left_out, 'row')} with more or fewer columns than the head line: left out.")
    columns = {}
    for name in head:
        column = np.concatenate(numbers[name]) if numbers[name] else np.empty(0)
        if name in kept and texts[name]:
            words = [word.strip() for word in chain.from_iterable(texts[name])]
            column = np.array([w if w.lower() not in MISSING else "" for w in words], object)
        elif bad[name]:
            notes.append(
                f"Column {name}: {counted(bad[name], 'cell')} with text among numbers: read as missing."
            )
        columns[name] = column
    return columns, notes


def _values(cells: tuple, separator: str) -> tuple[Array, int]:
    """Cells as float64 with NaN for what is missing, and how many of them hold text."""
    try:
        values = np.array(cells, dtype=np.float64)
        return np.where(np.isfinite(values), values, np.nan), 0
    except ValueError:
        pass
    values, words = np.full(len(cells), np.nan), 0
    for i, cell in enumerate(cells):
        cell = cell.strip()
        if cell.lower() in MISSING:
            continue
        try:
            value = float(cell.replace(",", ".") if separator != "," else cell)
            values[i] = value if np.isfinite(value) else np.nan
        except ValueError:
            words += 1
    return values, words
