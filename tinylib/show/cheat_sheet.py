"""The cheat sheet as a page: metrics with formula, unit and worked example; techniques with their arrows.

    python -m tinylib.show.cheat_sheet > cheat_sheet.html        a page to print

All of it derives from `metrics` and `techniques`: an example is computed when the page is made.
"""

import ast
from html import escape

from tinylib.show.metrics import GROUPS, Metric
from tinylib.show.numbers import short
from tinylib.show.page_style import PAGE
from tinylib.show.techniques import MEASURES, TECHNIQUES, Effect
from tinylib.units import format_quantity

STYLE = """
.t-sheet{font:14px/1.4 system-ui,sans-serif;max-width:66em}
.t-sheet table.t-rows{border-collapse:collapse;width:100%;margin:0 0 1.2em;table-layout:auto;
font-size:inherit}
.t-sheet .t-rows tr>*{text-align:left;vertical-align:top;padding:.25em .6em;border-bottom:1px solid #8886;
white-space:normal;max-width:none}
.t-sheet .t-rows tr>:first-child{width:11em}.t-sheet .t-metric tr>:nth-child(2){width:24em}
.t-sheet caption{text-align:left;font-weight:600;padding:.4em .6em}
@media print{.t-sheet{font-size:9px;line-height:1.25;max-width:none}.t-sheet tr,.t-effects{break-inside:avoid}
.t-sheet .t-rows tr>*{padding:.1em .5em}.t-sheet .t-rows{margin:0 0 .8em}.t-sheet a{color:inherit}}
"""
NAMES = {"log": "ln", "log2": "log<sub>2</sub>", "log10": "log<sub>10</sub>"}
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
        return f"{ends[0]}{inner}{ends[1]}" if ends else f"{NAMES.get(node.func.id, node.func.id)}({inner})"
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


def _symbol(name: str) -> str:
    return _shown(ast.Name(name))


def _number(value: float) -> str:
    return short(value) if value >= 1e9 else format_quantity(value)


def _row(metric: Metric, folder: str) -> str:
    where = "; ".join(f"{_symbol(s)} {escape(what)}" for s, (what, _) in metric.symbols.items())
    numbers = ", ".join(f"{_symbol(s)} = {_number(value)}" for s, value in metric.example.items())
    worked = escape(format_quantity(metric.value(), metric.unit, digits=6))
    figure = f"{metric.lesson[:2]}, {metric.see.replace('_', ' ')}"
    cells = [
        f"<th scope='row'>{escape(metric.name)}</th>",
        f"<td>{pretty(metric.formula)}<br><small>{where}</small></td>",
        f"<td>{escape(metric.unit) or 'number'}</td>",
        f"<td>{worked}<br><small>for {numbers}</small></td>",
        f"<td>{link(metric.lesson, figure, folder)}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _effect(effect: Effect, folder: str) -> str:
    when = f"<br><small>{escape(effect.when)}</small>" if effect.when else ""
    return f"<td>{link(effect.lesson, effect.arrow, folder)}{when}</td>"


def _table(caption: str, heads: tuple[str, ...], rows: list[str], kind: str = "") -> str:
    head = "".join(f"<th scope='col'>{escape(h)}</th>" for h in heads)
    body = f"<caption>{escape(caption)}</caption><tr>{head}</tr>{''.join(rows)}"
    return f"<table class='t-rows {kind}'>{body}</table>"


def sheet(folder: str = "") -> str:
    """The tables as HTML; `folder` stands before the file names of the lessons [text]."""
    heads = ("metric", "formula", "unit", "worked example", "lesson and its calculator")
    parts = [
        _table(name, heads, [_row(m, folder) for m in group], "t-metric") for name, group in GROUPS.items()
    ]
    rows = [
        f"<tr><th scope='row'>{name}</th>{''.join(_effect(effects[m], folder) for m in MEASURES)}</tr>"
        for name, effects in TECHNIQUES.items()
    ]
    parts.append(
        _table("What a technique does, each arrow a link to its lesson", ("", *MEASURES), rows, "t-effects")
    )
    return f'<div class="t-sheet"><style>{STYLE}</style>{"".join(parts)}</div>'


def page(folder: str = "notebooks/") -> str:
    """The whole page, to be printed or kept [text]."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>TinyML cheat sheet</title><style>{PAGE}body{{max-width:66rem}}</style></head>\n"
        f"<body><main><h1>TinyML cheat sheet</h1>{sheet(folder)}</main></body></html>\n"
    )


if __name__ == "__main__":
    print(page(), end="")
