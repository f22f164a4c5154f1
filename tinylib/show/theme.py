"""One look for figures and pages: type, colours by role, and the style sheet that every picture carries.

Fills are from the Okabe-Ito palette, which stays distinct for colour-blind eyes; the ones kept here have a
contrast of at least 3 against white and against black, so that one set serves both themes. Words need 4.5,
and therefore get a tone for each theme. No colour is the only signal: see `svg.bar`.

Source: Okabe and Ito, "Color Universal Design", 2008; contrast rules of WCAG 2.1, 1.4.3 and 1.4.11.
"""

FILLS = {
    "weights": "#0072B2",  # blue
    "macs": "#009E73",  # bluish green
    "activations": "#CC79A7",  # reddish purple
    "in_budget": "#0072B2",
    "over_budget": "#D55E00",  # vermillion
}
LIGHT = {"page": "#ffffff", "ink": "#1a1a1a", "muted": "#595959", "grid": "#d9d9d9", "panel": "#f4f4f4"}
LIGHT |= {"over_words": "#a33f00", "fit_words": "#00664b", "part_words": "#7a5200", "link": "#005a8f"}
DARK = {"page": "#111111", "ink": "#f2f2f2", "muted": "#b8b8b8", "grid": "#4a4a4a", "panel": "#202020"}
DARK |= {"over_words": "#ff9d5c", "fit_words": "#45d3a8", "part_words": "#ffc861", "link": "#6cb8f0"}
PRINT = LIGHT | {
    "ink": "#000000",
    "muted": "#444444",
    "grid": "#bbbbbb",
    "panel": "#eeeeee",
    "link": "#000000",
}
WORDS = ("ink", "muted", "over_words", "fit_words", "part_words", "link")  # roles that are legible as text

FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"
SIZES = {  # of words in a figure [px at natural size]; others are refused
    "fine": 11,
    "note": 12,
    "body": 13,
    "strong": 14,
    "title": 18,
    "large": 24,
}

# In JupyterLab the page and the ink are those of the reader's theme; elsewhere these variables are absent.
_HOST = {"page": "--jp-layout-color0", "ink": "--jp-content-font-color1"}


def variables(tones: dict[str, str], prefix: str = "", after: str = "") -> str:
    """Tones as CSS variables, --ink and so on; `after` follows each value [text]."""
    return ";".join(f"--{prefix}{role.replace('_', '-')}:{tone}{after}" for role, tone in tones.items())


def _rule(role: str) -> str:
    own = f"var(--t-{role.replace('_', '-')})"
    return f".t-{role}{{--c:{f'var({_HOST[role]},{own})' if role in _HOST else own}}}"


_LIGHT, _DARK = variables(LIGHT, "t-"), variables(DARK, "t-")
STYLE = "".join(
    [
        f".t-fig{{max-width:100%;height:auto;font-family:{FONT};font-variant-numeric:tabular-nums;{_LIGHT}}}",
        f"@media(prefers-color-scheme:dark){{.t-fig{{{_DARK}}}}}",
        f'[data-jp-theme-light="true"] .t-fig{{{_LIGHT}}}',
        f'[data-jp-theme-light="false"] .t-fig{{{_DARK}}}',
        *map(_rule, LIGHT),
        ".t-f{fill:var(--c)}.t-s{stroke:var(--c)}",
        f"@media print{{.t-fig{{{variables(PRINT, 't-', '!important')}}}",
        *(f".t-{role}{{--c:var(--t-{role})}}" for role in _HOST),
        "}",
    ]
)


def paint(role: str, attribute: str = "fill") -> str:
    """Attributes that colour a shape by role [text]; readable on white even where style sheets are stripped.

    Raises ValueError for a role that is in no palette.
    """
    if role in FILLS:
        return f'{attribute}="{FILLS[role]}"'
    if role not in LIGHT:
        raise ValueError(f"colour role must be one of {', '.join([*FILLS, *LIGHT])}, got {role!r}")
    return f'class="t-{role} t-{attribute[0]}" {attribute}="{LIGHT[role]}"'
