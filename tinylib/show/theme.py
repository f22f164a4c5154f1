"""Colours by role and the style sheet that every picture carries.

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
LIGHT |= {"over_words": "#a33f00", "fit_words": "#00664b"}
DARK = {"page": "#111111", "ink": "#f2f2f2", "muted": "#b8b8b8", "grid": "#4a4a4a", "panel": "#202020"}
DARK |= {"over_words": "#ff9d5c", "fit_words": "#45d3a8"}
WORDS = ("ink", "muted", "over_words", "fit_words")  # roles that are legible as text

# In JupyterLab the page and the ink are those of the reader's theme; elsewhere these variables are absent.
_HOST = {"page": "--jp-layout-color0", "ink": "--jp-content-font-color1"}
_FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"


def _variables(tones: dict[str, str]) -> str:
    return ";".join(f"--t-{role}:{tone}" for role, tone in tones.items())


def _rule(role: str) -> str:
    own = f"var(--t-{role})"
    return f".t-{role}{{--c:{f'var({_HOST[role]},{own})' if role in _HOST else own}}}"


STYLE = "".join(
    [
        f".t-fig{{max-width:100%;height:auto;font-family:{_FONT};font-variant-numeric:tabular-nums;",
        f"{_variables(LIGHT)}}}",
        f"@media(prefers-color-scheme:dark){{.t-fig{{{_variables(DARK)}}}}}",
        f'[data-jp-theme-light="true"] .t-fig{{{_variables(LIGHT)}}}',
        f'[data-jp-theme-light="false"] .t-fig{{{_variables(DARK)}}}',
        *map(_rule, LIGHT),
        ".t-f{fill:var(--c)}.t-s{stroke:var(--c)}",
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
