"""The look that all pages share: type, colours for light, dark and print, tables, code, focus, no motion.

A page puts its own rules after PAGE. Colours are those of the figures, as variables of the same names:
--ink, --muted, --page, --grid, --panel, --link, --fit-words, --part-words, --over-words.
"""

from tinylib.show.theme import DARK, FONT, LIGHT, MONO, PRINT, variables

PAGE = f"""
:root{{color-scheme:light dark;{variables(LIGHT)}}}
@media(prefers-color-scheme:dark){{:root{{{variables(DARK)}}}}}
*{{box-sizing:border-box}}
body{{font:1rem/1.55 {FONT};color:var(--ink);background:var(--page);max-width:46rem;margin:0 auto;
padding:1.5rem 1rem 4rem;overflow-wrap:break-word}}
h1{{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem}}
h2{{font-size:1.25rem;line-height:1.3;margin:2rem 0 .5rem}}
h3,h4,h5,h6,summary{{font-size:1rem;font-weight:650;margin:1rem 0 .2rem}}
a{{color:var(--link)}}summary{{cursor:pointer}}
:focus-visible{{outline:3px solid var(--link);outline-offset:2px}}
table{{border-collapse:collapse;margin:.8rem 0;max-width:100%}}
th,td{{padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--grid);text-align:left;vertical-align:top}}
caption{{text-align:left;color:var(--muted)}}
pre,code{{font:.88rem/1.45 {MONO}}}
pre{{background:var(--panel);padding:.6rem .8rem;margin:.4rem 0;white-space:pre-wrap;overflow-wrap:anywhere}}
.wide,figure{{overflow-x:auto}}figure{{margin:1rem 0}}figcaption{{color:var(--muted);font-size:.92rem}}
.n{{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}}
@media(prefers-reduced-motion:reduce){{*{{transition:none!important;animation:none!important;
scroll-behavior:auto!important}}}}
@media print{{:root{{color-scheme:light;{variables(PRINT)}}}
body{{max-width:none;padding:0;font-size:10.5pt}}.wide,figure{{overflow:visible}}
h2,h3{{break-after:avoid}}figure,tr{{break-inside:avoid}}a{{text-decoration:none}}}}
"""
