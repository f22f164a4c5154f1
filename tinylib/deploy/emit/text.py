"""C99 as text: names that a compiler takes, literals, and arrays with their meaning in a comment."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinylib.units import shown

_KEYWORDS = """auto break case char const continue default do double else enum extern float for goto if
inline int long register restrict return short signed sizeof static struct switch typedef union unsigned void
volatile while alignas alignof bool constexpr false nullptr static_assert thread_local true typeof
typeof_unqual asm"""
_HEADERS = """assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdarg
stdbool stddef stdint stdio stdlib string tgmath time wchar wctype"""
KEYWORDS, HEADERS = frozenset(_KEYWORDS.split()), frozenset(_HEADERS.split())
WIDTHS = (8, 16, 32)  # bits of the integers that codes are stored in


def checked_name(name: Any) -> str:
    """`name` as it is, when a C file and its functions may be called so; raises otherwise."""
    if not isinstance(name, str) or not name.isascii() or not name.isidentifier() or name.startswith("_"):
        raise ValueError(f"name must be a C identifier of letters, digits and inner _, got {shown(name)}")
    if name in KEYWORDS or name in HEADERS:
        kind = "keyword" if name in KEYWORDS else "header"
        raise ValueError(f"name must be free: C has a {kind} of that name, got {shown(name)}")
    if len(name) > 31:
        raise ValueError(f"name must have at most 31 characters, as C99 tells apart, got {shown(name)}")
    return name


def container(bits: int) -> int:
    """Width of the smallest integer of C that holds so many bits [bit]."""
    return next(width for width in WIDTHS if bits <= width)


def literal(value: Any) -> str:
    """An integer constant; C has no literal for the lowest integer of 32 bits."""
    value = int(value)
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)


def _brief(values: Iterable[float]) -> str:
    """Real numbers for a comment, cut short where there are many."""
    values = list(values)
    return ", ".join(f"{v:.4g}" for v in values[:8]) + (", ..." if len(values) > 8 else "")


def array(kind: str, name: str, codes: np.ndarray, means: np.ndarray | None = None, note: str = "") -> str:
    """A constant array; a matrix (rows, columns) is written row by row, each with its meaning behind it."""
    rows = np.atleast_2d(codes)
    real = [None] * len(rows) if means is None else np.atleast_2d(means)
    lines = [f"static const {kind} {name}[{codes.size}] = {{" + (f" /* {note} */" if note else "")]
    for row, meaning in zip(rows, real):
        texts = [literal(v) + "," for v in row.tolist()]
        split = [" ".join(texts[i : i + 12]) for i in range(0, len(texts), 12)]
        comment = "" if meaning is None else f"  /* {_brief(meaning.tolist())} */"
        lines += [f"    {line}" for line in split[:-1]] + [f"    {split[-1]}{comment}"]
    return "\n".join([*lines, "};"])


def packed(name: str, words: np.ndarray, note: str) -> str:
    """A constant array of words of bits."""
    texts = [f"0x{int(w):08x}u," for w in words]
    lines = ["    " + " ".join(texts[i : i + 8]) for i in range(0, len(texts), 8)]
    return "\n".join([f"static const uint32_t {name}[{len(words)}] = {{ /* {note} */", *lines, "};"])


def block(statements: Sequence[str], indent: int = 4) -> str:
    """Statements, one a line, indented."""
    return "\n".join(" " * indent + line for text in statements for line in text.splitlines())
