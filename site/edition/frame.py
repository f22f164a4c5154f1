"""The frame of every page: head with its policy, navigation, place for Python's state, foot."""

import json
from html import escape

from tinylib.practice import Exercise
from tinylib.show import theme
from tinylib.show.page_style import PAGE

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",  # Python is WebAssembly; no script but our files
        "worker-src 'self'",
        "connect-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # figures carry their style sheet
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
)
SCRIPTS = ("python", "figures", "practice", "home")
MENU = {
    "Book": "index.html",
    "Canvases": "canvases.html",
    "Figures": "figures.html",
    "Practice": "practice/index.html",
    "Cheat sheet": "cheat-sheet.html",
}


def page(title: str, body: str, depth: int = 0, here: str = "") -> str:
    """A whole page; depth: folders between it and the site's root, here: its entry in the menu [text]."""
    up = "../" * depth
    scripts = "".join(f'<script src="{up}assets/{name}.js" defer></script>' for name in SCRIPTS)
    menu = "".join(
        f'<li><a href="{up}{to}"{" aria-current=page" if name == here else ""}>{name}</a></li>'
        for name, to in MENU.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(title)}</title>"
        f'<link rel="icon" href="{up}assets/icon.svg" type="image/svg+xml">'
        f'<link rel="stylesheet" href="{up}assets/tokens.css">'
        f'<link rel="stylesheet" href="{up}assets/book.css">'
        f'<script src="{up}assets/theme.js"></script>{scripts}</head><body>'
        '<a class="skip" href="#main">To the text</a>'
        f'<header><nav aria-label="Book"><ul>{menu}</ul></nav>'
        '<button id="theme" type="button" hidden>Theme</button></header>'
        f'<main id="main" tabindex="-1">{body}</main>'
        '<p id="python" role="status"></p>'
        "<footer><p>Text and figures CC BY 4.0, code MIT. Answers stay in this browser; nothing is sent "
        "anywhere.</p><noscript><p>Without JavaScript the pages can be read; figures stay as saved, and "
        "answers cannot be checked.</p></noscript></footer></body></html>\n"
    )


def tokens() -> str:
    """The look that all pages of the workbook share, in light, in dark and as chosen here [text]."""
    light, dark, fills, paper = map(theme.variables, (theme.LIGHT, theme.DARK, theme.FILLS, theme.PRINT))
    return (
        f"{PAGE}:root{{--mono:{theme.MONO};{fills}}}\n"
        f':root[data-jp-theme-light="true"]{{{light};color-scheme:light}}\n'
        f':root[data-jp-theme-light="false"]{{{dark};color-scheme:dark}}\n'
        f"@media print{{:root:root{{{paper};color-scheme:light}}}}\n{theme.STYLE}\n"
    )


def exercise(e: Exercise, level: int = 3) -> str:
    """One exercise with its printed numbers; the page adds the box to answer in [text]."""
    facts = {"exercise": e.id, "title": e.title, "unit": "" if e.unit == "1" else e.unit}
    facts |= {"draws": "yes"} if e.draws else {}
    facts |= {"choices": json.dumps(e.choices)} if e.choices else {}
    data = " ".join(f'data-{name}="{escape(value)}"' for name, value in facts.items())
    return f"""<section class="exercise" id="{escape(e.id)}" {data}><h{level}>{escape(e.title)}</h{level}>
<p class="prompt">{escape(e.text(e.given))}</p></section>"""
