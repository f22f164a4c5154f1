"""Cleaning: nothing that can act leaves it, and what is honest stays readable."""

import base64
import io
import json
import os
import re
import struct
import sys
from html.parser import HTMLParser

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.judging import clean

if not os.environ.get("CI"):  # there it is installed, or these tests fail
    pytest.importorskip("nh3", reason="the extra instructor is not installed")

EVIL = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//e.org/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    '<img src="https://e.org/pixel.png">',
    '<img src="data:image/svg+xml;base64,PHN2Zz4=">',
    '<img src="data:image/png;base64,PHN2Zz4=">',
    "<svg onload=alert(1)><script>1</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" java&#10;script:alert(1)">x</a>',
    '<a href="data:text/html,<script>1</script>">x</a>',
    '<a href="vbscript:x">x</a>',
    '<iframe srcdoc="<script>1</script>"></iframe>',
    "<object data=x></object><embed src=x>",
    '<form action="https://e.org"><input name=p><button>go</button></form>',
    '<meta http-equiv="refresh" content="0;url=https://e.org">',
    '<base href="https://e.org/">',
    '<link rel="stylesheet" href="https://e.org/x.css">',
    "<style>body{display:none}</style>",
    '<div style="position:fixed;inset:0" id="total" class="said right" onclick="x()">13 of 13</div>',
    "<details ontoggle=alert(1) open>x</details>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<template><script>1</script></template>",
    "<video src=x onerror=alert(1)></video><audio src=x></audio>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>1</script>]]>",
    "</main></body><script>1</script>",
    "<plaintext>",
]
ACTIVE = {
    "script",
    "style",
    "iframe",
    "frame",
    "object",
    "embed",
    "applet",
    "form",
    "input",
    "button",
    "base",
}
ACTIVE |= {"meta", "select", "link", "svg", "math", "template", "video", "audio", "source", "plaintext"}
POSING = {"style", "srcdoc", "action", "formaction", "srcset", "background"}
ADDRESS = re.compile(r"https?://|mailto:|#|data:image/png;base64,iVBORw0KGgo")


class Acting(HTMLParser):
    """The tags and attributes of some HTML that can act, load, hide or pose as a part of the page."""

    def __init__(self, markup: str):
        super().__init__()
        self.found: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found += [tag] if tag in ACTIVE else []
        for name, value in attrs:
            loads = name == "src" and (tag != "img" or (value or "").startswith("http"))
            leads = name in ("href", "src") and not ADDRESS.match(value or "")
            if name.startswith("on") or name in POSING or loads or leads:
                self.found.append(f"{tag} {name}={value}")


def acts(markup: str) -> list[str]:
    return Acting(markup).found


def png(width: int = 2, height: int = 3) -> bytes:
    from matplotlib import image

    kept = io.BytesIO()
    image.imsave(kept, [[0.0, 1.0]] * 3, format="png")
    raw = kept.getvalue()
    return raw[:16] + struct.pack(">II", width, height) + raw[24:]


PNG = base64.b64encode(png()).decode()


@pytest.mark.parametrize("markup", EVIL)
def test_nothing_that_can_act_survives(markup):
    for found in (clean.html(markup), clean.markdown(markup), clean.html(clean.html(markup))):
        assert not acts(found), found
    output = {"output_type": "display_data", "data": {"text/html": markup, "text/plain": "x"}, "metadata": {}}
    for kept in clean.outputs([output]):
        assert not acts(clean.rendered(kept))


@given(st.lists(st.sampled_from(EVIL) | st.text(max_size=8), max_size=6).map("".join))
def test_no_mixture_of_them_does_either(markup):
    assert not acts(clean.html(markup))
    assert not acts(clean.markdown(markup))


def test_these_tests_see_every_evil_one():
    seen = {markup for markup in EVIL if acts(markup)}
    assert len(seen) > len(EVIL) - 6 and not acts("<p>onclick=x <a href='https://e.org'>src=x</a></p>")


def test_tables_lists_and_links_stay():
    kept = "<table><tbody><tr><td>1</td></tr></tbody></table><ul><li><b>x</b></li></ul>"
    assert clean.html(kept) == kept
    link = clean.html('<a href="https://example.org/a">a</a>')
    assert 'href="https://example.org/a"' in link and "noopener noreferrer nofollow" in link
    assert clean.html(f'<img alt="a" src="data:image/png;base64,{PNG}">').count(PNG) == 1


def test_markdown_becomes_html_and_its_tags_are_shown():
    found = clean.markdown("# A\n\n**b** `c<d`\n\n|x|y|\n|-|-|\n|1|2|\n\ntext <b>not bold</b>")
    for words in (
        "<h1>A</h1>",
        "<strong>b</strong>",
        "<code>c&lt;d</code>",
        "<td>1</td>",
        "&lt;b&gt;not bold",
    ):
        assert words in found
    assert "javascript" not in clean.markdown("[x](javascript:alert(1))")
    assert "evil" not in clean.markdown("![z](https://evil.example/x.png)")


@pytest.mark.parametrize(
    "deep",
    [
        "<div>" * 20_000, "<b>" * 30_000, "<a href='x'><b><i><p>" * 4_700, "<svg>" * 20_000,
        "<p>" + "".join(f"<b a={n}><i a={n}><tt a={n}>" for n in range(600)) + "</p>" + "<p>x</p>" * 2_000,
        "<p>" + "".join(f"<object><b a={n}></b></object>" for n in range(600)) + "</p>" + "<p>x</p>" * 3_000,
        "<p>" + "".join(f"<b a='>' b={n}>" for n in range(900)) + "</p>" + "<p>x</p>" * 3_000,
    ],
)  # fmt: skip
def test_deep_html_is_no_bomb(deep):
    assert len(clean.html(deep)) < 10 * clean.MAX_HTML


@pytest.mark.parametrize("deep", [">" * 20_000, "[" * 20_000, "- " * 9_000, "*a " * 6_000, "![a](" * 4_000])
def test_deep_markdown_is_no_bomb(deep):
    assert len(clean.markdown(deep)) < 1_000_000


def test_long_tables_with_formatting_stay_html():
    row = "<tr><td><b class='a'>x</b></td><td><code>y</code></td></tr>"
    found = clean.html(f"<table>{row * 800}</table>")
    assert found.count("<td><b>x</b></td><td><code>y</code></td>") == 800


LINKS = [
    "[x](javascript:alert(1))",
    "[x](https://e.org)[y](javascript:alert(1))",
    "[x](java&#115;cript&colon;alert(1))",
    "[x](java&Tab;script:alert(1))",
    "[x](\n JaVaScRiPt:alert(1) 'title')",
    "[x](<javascript:alert(1)>)",
    "[x]\n\n> [x]:\n> javascript:alert(1)",
    "[x][y]\n\n[y]: <data:text/html,<script>1</script>>",
    "<javascript:alert(1)>",
    "![z](https://e.org/pixel.png)",
    "![z][p]\n\n[p]: https://e.org/pixel.png",
]


def test_calm_markdown_shows_its_tags_when_others_render_it():
    from nbconvert.filters import markdown2html

    assert sum(bool(acts(markdown2html(markup))) for markup in LINKS) > 5
    for markup in [*EVIL, *LINKS]:
        shown = markdown2html(clean.calm(f"text {markup}\n\n{markup}"))
        assert not acts(shown), shown
    assert "href" in markdown2html(clean.calm("[a](https://example.org/a), [b](#b) and <https://e.org>"))
    plain = "if a < b and `c>d[1]: int`: **x**, $\\frac{1}{2}$"
    assert clean.calm(plain) == plain
    assert clean.calm("$\\href{javascript:alert(1)}{x}$") == "$href{javascript:alert(1)}{x}$"


@given(
    st.lists(st.sampled_from([*LINKS, "[", "]", "(", ")", ":", "<", ">", "\n", "javascript:", " "])).map(
        "".join
    )
)
def test_no_mixture_of_links_acts_when_others_render_it(markup):
    from nbconvert.filters import markdown2html

    assert not acts(markdown2html(clean.calm(markup)))


def test_escapes_and_controls_leave_text():
    raw = "a\x1b[31mred\x1b[0m \x1b]8;;https://e.org\x07link\x1b]8;;\x07\x00\x08 b\u202ec\ud800\r\nd\te"
    assert clean.text(raw) == "ared link bc\nd\te"
    assert clean.text(["a\n", "b"]) == "a\nb" and clean.text(3) == clean.text(None) == clean.text([1]) == ""


def test_long_text_is_cut_and_says_how_much():
    assert clean.text("x" * 50, limit=20) == "x" * 20 + "\n… cut, 30 more characters"
    assert clean.text("x" * 5_000, limit=20).endswith("cut, 4,980 more characters")
    assert clean.text("x" * 20, limit=20) == "x" * 20


@given(st.text(), st.integers(1, 80))
def test_one_line_is_printable_and_bounded(value, limit):
    found = clean.one_line(value, limit)
    assert len(found) <= limit and "\n" not in found and not set(found) & set("\0\x1b\u202e")
    found.encode()


@pytest.mark.parametrize(
    "raw, words",
    [
        (b"GIF89a" + b"\0" * 60, "another signature"),
        (b"\x89PNG\r\n\x1a\n", "another signature"),
        (png(100_000, 100_000), "at most 25,000,000 pixels"),
        (png(0, 5), "pixels"),
        (png() + b"\0" * clean.MAX_IMAGE, "at most 2 MB"),
    ],
)
def test_images_are_checked(raw, words):
    with pytest.raises(ValueError, match=words):
        clean.png(base64.b64encode(raw).decode())
    data = {"image/png": base64.b64encode(raw).decode(), "text/plain": "<Figure>"}
    (kept,) = clean.outputs([{"output_type": "display_data", "data": data, "metadata": {}}])
    assert set(kept["data"]) == {"text/plain"} and words in kept["data"]["text/plain"]


@pytest.mark.parametrize("value", ["%%%", "é", 3, None, ["a", 1]])
def test_what_is_no_base64_is_no_image(value):
    with pytest.raises(ValueError, match="an image must be PNG"):
        clean.png(value)


def test_honest_images_stay():
    lines = [PNG[:20] + "\n", PNG[20:]]
    (kept,) = clean.outputs(
        [{"output_type": "display_data", "data": {"image/png": lines, "text/plain": "<Figure>"}}]
    )
    assert kept["data"] == {"image/png": PNG, "text/plain": "<Figure>"}
    assert clean.rendered(kept) == f'<img src="data:image/png;base64,{PNG}" alt="&lt;Figure&gt;">'


def test_a_drawing_leaves_its_text_alternative():
    words = "<title>Roofline &amp; ridge</title><desc>at 4<script>1</script></desc><desc>FLOP/B</desc>"
    drawing = f"<svg onload='x()'>{words}</svg>"
    (kept,) = clean.outputs([{"output_type": "display_data", "data": {"image/svg+xml": drawing}}])
    assert kept["data"] == {"text/plain": "Roofline & ridge FLOP/B"}


def test_other_kinds_are_dropped_and_metadata_too():
    data = {"application/javascript": "alert(1)", "text/plain": "x", "application/vnd.x+json": {"a": 1}}
    (kept,) = clean.outputs(
        [{"output_type": "execute_result", "data": data, "metadata": {"a": 1}, "transient": 1}]
    )
    assert kept["data"] == {"text/plain": "x"} and kept["metadata"] == {}
    assert clean.outputs([{"output_type": "display_data", "data": {"application/javascript": "1"}}]) == []


def test_many_outputs_are_cut():
    found = clean.outputs([{"output_type": "stream", "name": "stdout", "text": "x"}] * 900)
    assert len(found) == clean.MAX_OUTPUTS + 1 and found[-1]["text"] == "… cut, 850 more outputs"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(["stream", "error", "display_data", "execute_result", "update_display_data"])
MIMES = st.sampled_from(["text/plain", "text/html", "image/png", "image/svg+xml"])
OUTPUT = st.fixed_dictionaries(
    {"output_type": KINDS | JSON},
    optional={
        "text": JSON,
        "name": JSON,
        "ename": JSON,
        "evalue": JSON,
        "traceback": JSON,
        "data": st.dictionaries(MIMES, JSON | st.sampled_from(EVIL)) | JSON,
    },
)


@given(st.lists(OUTPUT | JSON, max_size=4))
def test_any_outputs_become_valid_ones(found):
    kept = clean.outputs(found)
    cell = nbformat.v4.new_code_cell(
        "", outputs=[nbformat.from_dict(o) for o in json.loads(json.dumps(kept))]
    )
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
    for output in kept:
        clean.rendered(output).encode()
        assert not acts(clean.rendered(output))


def test_a_missing_sanitiser_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "nh3", None)
    with pytest.raises(RuntimeError, match="pages need the sanitiser nh3: install the extra instructor"):
        clean.html("<b>x</b>")
