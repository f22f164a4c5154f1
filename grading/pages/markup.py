"""Pieces of an instructor's page: safe text, tables, and the document round them; offline, without script."""

import html
from collections.abc import Iterable, Sequence

from grading.judging import clean
from grading.pages.feedback import CSS

WIDE = """
body{max-width:60rem}nav a{margin-right:1rem}td ul{margin:0;padding-left:1.1rem}
.facts{display:flex;flex-wrap:wrap;gap:.4rem 2rem;margin:.6rem 0;padding:0;list-style:none}
.facts b{font-size:1.25rem;font-variant-numeric:tabular-nums}
.slide{border:1px solid var(--grid);border-radius:.5rem;padding:1rem 1.4rem;margin:1rem 0;
background:var(--panel)}
.slide h3{font-size:1.35rem;line-height:1.3;margin:.2rem 0 .6rem}
.slide .asked,.slide .steps{font-size:1.08rem}
.tag{color:var(--muted);font-size:.92rem;margin:0}th[scope=row]{font-weight:400;min-width:9rem}
@media print{nav{display:none}.slide{break-inside:avoid}section{break-inside:auto}}
"""


def line(value: object, limit: int = 600) -> str:
    """Anything as one safe line of a page."""
    return html.escape(clean.one_line(str(value), limit))


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """A table of ready markup whose first cell names the row; the `numbers` columns after it align right.

    It scrolls by itself where the page is too narrow, by keyboard too.
    """
    kinds = ["", *[' class="n"'] * numbers, *[""] * (len(heads) - 1 - numbers)]
    head = "".join(f'<th scope="col"{kind}>{text}</th>' for text, kind in zip(heads, kinds))
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row[1:], kinds[1:]))
        + "</tr>"
        for row in rows
    )
    label = html.escape(caption, quote=True)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{label}"><table>'
        f"<caption hidden>{label}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def document(title: str, body: Iterable[str]) -> str:
    """A whole page; `title` is text, `body` ready markup."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{clean.POLICY}">',
            '<meta name="referrer" content="no-referrer">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{line(title)}</title>\n<style>{CSS}{WIDE}</style>\n</head>\n<body>\n<main>",
            *body,
            "</main>\n</body>\n</html>\n",
        ]
    )
