"""The cheat sheet as a page: metrics with formula, unit and worked example; techniques with their arrows.

    python -m tinylib.show.cheat_sheet > cheat_sheet.html        a page to print

All of it derives from `metrics` and `techniques`: an example is computed when the page is made.
"""

import ast
from html import escape

from tinylib.show.metrics import GROUPS, Metric
from tinylib.show.techniques import MEASURES, TECHNIQUES, Effect
from tinylib.units import format_quantity

STYLE = """
.t-sheet{font:14px/1.4 system-ui,sans-serif;max-width:60em}
.t-sheet table{border-collapse:collapse;width:100%;margin:0 0 1.2em}
.t-sheet th,.t-sheet td{text-align:left;vertical-align:top;padding:.25em .6em;border-bottom:1px solid #8886}
.t-sheet caption{text-align:left;font-weight:600;padding:.4em .6em}
.t-sheet code{white-space:nowrap}.t-sheet small{opacity:.8}
@media print{.t-sheet{font-size:10px;max-width:none}.t-sheet tr{break-inside:avoid}
.t-sheet a{color:inherit;text-decoration:none}}
"""
SIGNS = {ast.Add: " + ", ast.Sub: " − ", ast.Mult: " · ", ast.Div: " / "}


def pretty(formula: str) -> str:
    """An expression of Python as HTML: products as dots, powers raised, floors and ceilings in brackets."""
    return _shown(ast.parse(formula, mode="eval").body)


def _shown(node: ast.expr, within: int = 0) -> str:
    """One node; `within` is how tightly the operator around it binds."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        head, _, tail = node.id.partition("_")
        return f"<i>{head}</i>" + (f"<sub>{escape(tail.replace('_', ' '))}</sub>" if tail else "")
    if isinstance(node, ast.UnaryOp):
        return f"−{_shown(node.operand, 4)}"
    if isinstance(node, ast.Call):
        inner = ", ".join(_shown(a) for a in node.args)
        ends = {"ceil": "⌈⌉", "floor": "⌊⌋"}.get(node.func.id)
        return f"{ends[0]}{inner}{ends[1]}" if ends else f"{node.func.id}({inner})"
    if isinstance(node.op, ast.Pow):
        return f"{_shown(node.left, 4)}<sup>{_shown(node.right)}</sup>"
    if isinstance(node.op, ast.FloorDiv):
        return f"⌊{_shown(node.left, 2)} / {_shown(node.right, 3)}⌋"
    binds = 1 if isinstance(node.op, (ast.Add, ast.Sub)) else 2
    right = binds + (not isinstance(node.op, (ast.Add, ast.Mult)))
    text = f"{_shown(node.left, binds)}{SIGNS[type(node.op)]}{_shown(node.right, right)}"
    return f"({text})" if binds < within else text


def link(lesson: str, words: str, folder: str = "") -> str:
    """A link to a lesson."""
    return f'<a href="{escape(folder)}{escape(lesson)}.ipynb">{escape(words)}</a>'


def _row(metric: Metric, folder: str) -> str:
    where = "; ".join(f"{_shown(ast.Name(s))} {escape(what)}" for s, (what, _) in metric.symbols.items())
    numbers = ", ".join(format_quantity(value) for value in metric.example.values())
    worked = escape(format_quantity(metric.value(), metric.unit, digits=6))
    cells = [
        f"<th scope='row'>{escape(metric.name)}</th>",
        f"<td>{pretty(metric.formula)}<br><small>{where}</small></td>",
        f"<td>{escape(metric.unit) or 'a number'}</td>",
        f"<td>{worked}<br><small>for {numbers}</small></td>",
        f"<td>{link(metric.lesson, metric.lesson[:2], folder)} <small>{escape(metric.see)}</small></td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _effect(effect: Effect, folder: str) -> str:
    when = f"<br><small>{escape(effect.when)}</small>" if effect.when else ""
    return f"<td>{link(effect.lesson, effect.arrow, folder)}{when}</td>"


def _table(caption: str, heads: tuple[str, ...], rows: list[str]) -> str:
    head = "".join(f"<th scope='col'>{escape(h)}</th>" for h in heads)
    return f"<table><caption>{escape(caption)}</caption><tr>{head}</tr>{''.join(rows)}</table>"


def sheet(folder: str = "") -> str:
    """The tables as HTML; `folder` stands before the file names of the lessons [text]."""
    heads = ("metric", "formula", "unit", "worked example", "lesson, figure")
    parts = [_table(name, heads, [_row(m, folder) for m in group]) for name, group in GROUPS.items()]
    rows = [
        f"<tr><th scope='row'>{name}</th>{''.join(_effect(effects[m], folder) for m in MEASURES)}</tr>"
        for name, effects in TECHNIQUES.items()
    ]
    parts.append(_table("What a technique does, each arrow a link to its lesson", ("", *MEASURES), rows))
    return f'<div class="t-sheet"><style>{STYLE}</style>{"".join(parts)}</div>'


def page(folder: str = "notebooks/") -> str:
    """The whole page, to be printed or kept [text]."""
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>TinyML cheat sheet</title>'
    return f"{head}<h1>TinyML cheat sheet</h1>{sheet(folder)}</html>\n"


if __name__ == "__main__":
    print(page(), end="")
