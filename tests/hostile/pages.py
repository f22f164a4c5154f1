"""Scripts and tricks in what reaches a page, a terminal or a spreadsheet."""

import json

from tests.hostile.work import attack

PAGE, NAME = "scripts in pages", "names"
SCRIPT = "<script>alert('tinyml')</script>"
MARKUP = (
    SCRIPT,
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(2)</script><a xlink:href='javascript:alert(3)'>x</a></svg>",
    "<a href='javascript:alert(1)'>click</a><a href=' jAvA\tscript:alert(1)'>click</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>data</a>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe><object data='x'></object><embed src='x'>",
    "<meta http-equiv=refresh content='0;url=http://192.0.2.1/'><base href='http://192.0.2.1/'>",
    "<form action='http://192.0.2.1/'><input autofocus onfocus=alert(1)><button formaction='javascript:1'>",
    "<style>*{background:url(http://192.0.2.1/?leak)}</style><link rel=stylesheet href='http://192.0.2.1/x'>",
    "<div style='position:fixed;inset:0;background:url(http://192.0.2.1/)'>15 of 15</div>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "</pre></div></body></html>" + SCRIPT,
    "<!--><img src=x onerror=alert(1)>-->",
    "<template><script>alert(1)</script></template><xmp></xmp><plaintext>",
    "<details open ontoggle=alert(1)><marquee onstart=alert(1)><video><source onerror=alert(1)></video>",
    "{{ ''.__class__.__mro__ }}{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "$$\\href{javascript:alert(1)}{x}$$ \\(\\unicode{x3c}script\\)",
)


@attack(PAGE)
def script_in_output(work):
    """Scripts, event handlers, frames, forms and styles displayed as HTML."""
    text = (
        f"from IPython.display import HTML, display\n\nfor markup in {MARKUP!r}:\n    display(HTML(markup))"
    )
    work.extra(text)
    work.put("macs-function", f"{text}\n\n\ndef conv_macs(*a):\n    return -1")


@attack(PAGE)
def script_in_text(work):
    """Scripts printed as text, as the text of errors and as the text of results."""
    everything = "\n".join(MARKUP)
    work.extra(f"import sys\n\nprint({everything!r})\nprint({everything!r}, file=sys.stderr)\n{everything!r}")
    work.extra(f"raise type({SCRIPT!r}, (Exception,), {{}})({everything!r})")
    work.put("conv-mmac", f"raise type({SCRIPT!r}, (Exception,), {{}})({everything!r})")


@attack(PAGE)
def script_in_markdown(work):
    """Scripts, links and images in markdown and raw cells."""
    links = "[click](javascript:alert(1)) ![x](javascript:alert(1)) <javascript:alert(1)>\n\n"
    links += "[a]: javascript:alert(1)\n\n"
    links += (
        "[b](data:text/html;base64,PHNjcmlwdD4=) ![leak](http://192.0.2.1/leak.png) ![l](//192.0.2.1/x)\n"
    )
    fence = f"```{SCRIPT}\n{SCRIPT}\n```\n\n| a |\n|---|\n| {SCRIPT} |\n"
    for kind in ("markdown", "raw"):
        work.extra("\n\n".join(MARKUP) + "\n\n" + links + fence, kind=kind)
        work.extra(f"# {SCRIPT}", kind=kind)


@attack(PAGE)
def script_in_svg(work):
    """A drawing with scripts, handlers and outside references."""
    drawing = (
        "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><title><script>alert(1)</script></title>"
    )
    drawing += "<script>alert(1)</script><image href='http://192.0.2.1/x'/><foreignObject><iframe src='x'/>"
    drawing += "</foreignObject><desc>&lt;script&gt;alert(1)&lt;/script&gt;</desc></svg>"
    work.extra(
        f"from IPython.display import SVG, display\n\ndisplay({{'image/svg+xml': {drawing!r}}}, raw=True)"
    )


@attack(PAGE)
def active_kinds(work):
    """JavaScript, widgets, PDF and applications as displayed kinds."""
    kinds = {
        kind: SCRIPT for kind in ("application/javascript", "text/latex", "text/markdown", "application/pdf")
    }
    kinds |= {"application/vnd.jupyter.widget-view+json": {"model_id": SCRIPT}, "text/html; x": SCRIPT}
    kinds |= {"application/vnd.plotly.v1+json": {"data": SCRIPT}, "image/gif": SCRIPT, SCRIPT: SCRIPT}
    work.extra(
        f"from IPython.display import Javascript, display\n\ndisplay(Javascript('alert(1)'))\n"
        f"for kind, value in {kinds!r}.items():\n    display({{kind: value}}, raw=True)"
    )


@attack(PAGE)
def false_images(work):
    """Images that are pages, too large, or close the tag that holds them."""
    work.extra(f"""
        import base64
        import struct

        from IPython.display import display

        png = b"\\x89PNG\\r\\n\\x1a\\n\\0\\0\\0\\rIHDR" + struct.pack(">II", 60_000, 60_000) + bytes(40)
        for data in (png, {SCRIPT!r}.encode(), png + {SCRIPT!r}.encode() * 100_000):
            display({{"image/png": base64.b64encode(data).decode(), "text/plain": {SCRIPT!r}}}, raw=True)
        display({{"image/png": '" onerror="alert(1)', "text/plain": '" onerror="alert(1)'}}, raw=True)
        display({{"image/jpeg": '"><script>alert(1)</script>'}}, raw=True)
    """)


@attack(PAGE)
def saved_scripts(work):
    """Scripts in the outputs, metadata, attachments and titles of the file that is handed in."""
    work.notebook["metadata"] |= {"title": SCRIPT, "authors": [{"name": SCRIPT}], "widgets": {SCRIPT: SCRIPT}}
    work.notebook["metadata"]["language_info"] = {"name": SCRIPT, "pygments_lexer": SCRIPT}
    for cell in work.cells:
        cell["metadata"] |= {"tags": [SCRIPT], "name": SCRIPT}
        if cell["cell_type"] == "markdown":
            cell["attachments"] = {"x.png": {"image/png": SCRIPT}}
        else:
            data = {"text/html": SCRIPT, "application/javascript": "alert(1)"}
            cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]


@attack(PAGE)
def script_as_answer(work):
    """Scripts as answers, as entries of the dict and as names in reasons."""
    work.every(repr(SCRIPT))
    work.put("macs-function", f"def conv_macs(*a):\n    raise ValueError({SCRIPT!r})")
    work.put("ffn-macs", f"ffn_macs = type({SCRIPT!r}, (), {{}})()")
    work.put("student", f"student = {SCRIPT!r}")


@attack(PAGE)
def escapes(work):
    """Escapes that clear a terminal, retitle it, write links and turn the direction of text."""
    work.extra(r"""
        text = "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://192.0.2.1/\x07link\x1b]8;;\x07"
        text += "\x9b31m\x00\x08\r\u202e51 fo 51"
        print(text)
        raise ValueError(text)
    """)
    work.put("conv-mmac", r"raise ValueError('\x1b[2J\x1b[31m\u202e\x00\r\n\n15 of 15')")
    work.every(r"'\x1b[2J\u202e15\x00'")


@attack(PAGE)
def grade_in_page(work):
    """Output that looks like the page's own verdict: full marks, signed."""
    text = "<h2>15 of 15 points</h2><p class='right'>✓ Right. Graded by your instructor.</p>"
    work.extra(f"from IPython.display import HTML\n\nHTML({json.dumps(text)})")


@attack(NAME, student="=cmd|'calc'!A1", stock=False)
def formula_name(work):
    """A student's folder that a spreadsheet takes for a formula."""


@attack(NAME, student="<script>alert(1)<")
def script_name(work):
    """A student's folder that is a script."""


@attack(NAME, student="a\u202eda\u200b", says="must have a printable name")
def invisible_name(work):
    """A student's folder that looks like a classmate's: characters without width, direction turned."""


@attack(NAME, student="--all; touch x $(id)")
def shell_name(work):
    """A student's folder that is an option and a command."""


@attack(NAME, student="аda")
def twin_name(work):
    """A student's folder spelled with a Cyrillic letter, to be taken for ada."""
    work.put("student", "student = 'ada'")


@attack(NAME, student="bad\udcff\udcfename", says="must have a printable name", stock=False)
def unreadable_name(work):
    """A student's folder whose name is not UTF-8."""
    work.put("student", "student = ''")


@attack(PAGE)
def repeated_formatting(work):
    """Formatting that a first block leaves open, thousands deep, and that each later block takes up again."""
    work.extra("""
        from IPython.display import HTML, display

        names = ("b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u")
        text = "<p>" + "".join(f"<{name} a={n}>" for n in range(190) for name in names) + "</p>"
        for _ in range(3):
            display(HTML(text + "<p>x</p>" * 8_000))
    """)
