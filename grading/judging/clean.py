"""What may leave a submission for a page: text, checked PNG, and HTML by allow-list; nothing that can act."""

import base64
import binascii
import html as entities
import re
from collections.abc import Iterable
from types import ModuleType
from typing import Any

MAX_TEXT, MAX_HTML, MAX_OUTPUTS = 20_000, 100_000, 50
MAX_OPEN = 200  # tags of one name
MAX_REPEATED = 20_000  # tags times the kinds of formatting that a parser may take up again at each of them
MAX_IMAGE, MAX_PIXELS = 2_000_000, 25_000_000
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
TAGS = {
    "a",
    "b",
    "blockquote",
    "br",
    "caption",
    "code",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "hr",
}
TAGS |= {
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "i",
    "img",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "s",
    "samp",
    "ul",
}
TAGS |= {
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
}
VOID = {"br", "hr", "img", "col"}
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "scope", "align"},
    "ol": {"start"},
}
PNG = "data:image/png;base64,"
_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_FORMATS = {"b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
_FORMAT = re.compile(rf"<({'|'.join(sorted(_FORMATS))})(?=[\s/>])[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]{0,20})")
_TARGET = re.compile(r"\]([(:])([\s>]*)([^\s)\]]*)")
_TEX = re.compile(r"\\(href|url|require|class|cssId|style|csname|html\w*|data)\b")
_ALTERNATIVE = re.compile(r"<(title|desc)\b[^<>]*>([^<]*)</\1\s*>", re.IGNORECASE)


def text(value: Any, limit: int = MAX_TEXT) -> str:
    """Printable text: no escapes for a terminal, no control or direction-changing characters, cut at a limit.

    Anything that is neither text nor a list of lines gives an empty text.
    """
    value = joined(value)
    more = max(len(value) - 4 * limit, 0)  # what is far beyond the limit is not even looked at
    value = _CONTROL.sub("", _ANSI.sub("", value[: 4 * limit].replace("\r\n", "\n").replace("\r", "\n")))
    if len(value) + more <= limit:
        return value
    return f"{value[:limit]}\n… cut, {len(value) - limit + more:,} more characters"


def joined(value: Any) -> str:
    """Text as nbformat writes it, in one piece or in lines; empty for anything else."""
    if type(value) is list and all(type(line) is str for line in value):
        return "".join(value)
    return value if type(value) is str else ""


def one_line(value: str, limit: int) -> str:
    """One printable line of at most so many characters."""
    line = " ".join(_CONTROL.sub("", _ANSI.sub("", value[: 4 * limit])).split())
    return line if len(line) <= limit and len(value) <= 4 * limit else line[: limit - 1] + "…"


def png(value: Any) -> str:
    """The data URI of a base64 PNG, its signature, size and side lengths verified; ValueError otherwise."""
    packed = "".join(joined(value).split())
    if len(packed) > MAX_IMAGE * 4 // 3 + 4:
        raise ValueError(
            f"an image must hold at most {MAX_IMAGE / 1e6:g} MB, got {len(packed) * 0.75e-6:.1f} MB"
        )
    try:
        raw = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("an image must be PNG in base64, got other characters") from None
    if not raw.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") or len(raw) < 45:
        raise ValueError("an image must be PNG, got another signature")
    width, height = (int.from_bytes(raw[i : i + 4], "big") for i in (16, 20))
    if not 0 < width * height <= MAX_PIXELS:
        raise ValueError(f"an image must have at most {MAX_PIXELS:,} pixels, got {width} x {height}")
    return PNG + base64.b64encode(raw).decode()


def html(markup: str) -> str:
    """HTML by allow-list: no script, style, form, frame, event or address but http(s), mail and PNG data."""
    if len(markup) > MAX_HTML:
        return f"<pre>{entities.escape(text(markup))}</pre>"
    markup = _FORMAT.sub(r"<\1>", _TEX.sub(r"\1", _CONTROL.sub("", markup)))
    if _deep(markup):
        return f"<pre>{entities.escape(text(markup))}</pre>"
    return _nh3().clean(
        markup,
        tags=TAGS,
        clean_content_tags={
            "script",
            "style",
            "svg",
            "math",
            "template",
            "iframe",
            "object",
            "noscript",
            "title",
        },
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer nofollow",
    )


def _deep(markup: str) -> bool:
    """Whether so many tags are left open, or taken up again, that a parser would take long over them.

    Formatting that a block leaves open is repeated in each one that follows, three times at most when it
    carries no attributes: `html` takes those away.
    """
    room: dict[str, int] = {}
    found = [(closing, tag.lower()) for closing, tag in _TAG.findall(markup)]
    if len(found) * len(_FORMATS & {tag for _, tag in found}) > MAX_REPEATED:
        return True
    for closing, tag in found:
        room[tag] = max(room.get(tag, 0) + (-1 if closing else 1), 0)
        if room[tag] > MAX_OPEN and tag not in VOID:
            return True
    return False


def markdown(source: str) -> str:
    """Markdown as clean HTML."""
    import mistune

    render = mistune.create_markdown(escape=True, plugins=["table", "strikethrough"])
    try:
        return html(render(text(source)))
    except RecursionError:
        return f"<pre>{entities.escape(text(source))}</pre>"


def calm(source: str) -> str:
    """Markdown of a student for a notebook that others render: its tags are shown instead of obeyed.

    Links with another scheme than http(s) and mail, remote images, and TeX commands that link are broken up.
    """
    shown = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", _TEX.sub(r"\1", text(source)))
    return _TARGET.sub(_broken, shown.replace("![", "! ["))


def _broken(link: re.Match) -> str:
    """A link target as it was where it is harmless, else spelled so that it is no link."""
    opening, between, target = link.groups()
    scheme = re.match(r"[a-z][a-z0-9+.-]*:", re.sub(r"[\x00-\x20\\<]", "", entities.unescape(target)).lower())
    if scheme is None or scheme[0] in ("http:", "https:", "mailto:"):
        return link[0]
    return f"]{'&#40;' if opening == '(' else '&#58;'}{between}{target}"


def outputs(found: Iterable[Any]) -> list[dict]:
    """nbformat outputs by allow-list: text, verified PNG, clean HTML; an SVG leaves its text alternative."""
    found = list(found)
    clean = [c for output in found[:MAX_OUTPUTS] if type(output) is dict and (c := _output(output))]
    if len(found) > MAX_OUTPUTS:
        clean.append(_stream(f"… cut, {len(found) - MAX_OUTPUTS:,} more outputs"))
    return clean


def rendered(output: dict) -> str:
    """One clean output as HTML."""
    kind, data = output["output_type"], output.get("data", {})
    if kind == "stream":
        return f"<pre>{entities.escape(output['text'])}</pre>"
    if kind == "error":
        return f"<pre>{entities.escape(output['ename'])}: {entities.escape(output['evalue'])}</pre>"
    said = data.get("text/plain", "")
    if "image/png" in data:
        return f'<img src="{PNG}{data["image/png"]}" alt="{entities.escape(said[:300], quote=True)}">'
    return data["text/html"] if data.get("text/html") else f"<pre>{entities.escape(said)}</pre>"


def _output(output: dict) -> dict | None:
    kind = output.get("output_type")
    if kind == "stream":
        return _stream(text(output.get("text")), "stderr" if output.get("name") == "stderr" else "stdout")
    if kind == "error":
        name, value = (one_line(joined(output.get(k)), n) for k, n in (("ename", 100), ("evalue", 1000)))
        trace = text(output.get("traceback") if type(output.get("traceback")) is str else _lines(output))
        return {"output_type": "error", "ename": name, "evalue": value, "traceback": trace.split("\n")}
    data = output.get("data")
    if kind not in ("display_data", "execute_result") or type(data) is not dict:
        return None
    clean = _data(data)
    extra = {"execution_count": None} if kind == "execute_result" else {}
    return {"output_type": kind, "data": clean, "metadata": {}, **extra} if clean else None


def _data(data: dict) -> dict:
    clean = {"text/plain": said} if (said := text(data.get("text/plain"))) else {}
    if "image/png" in data:
        try:
            return {**clean, "image/png": png(data["image/png"]).removeprefix(PNG)}
        except ValueError as error:
            return {"text/plain": f"image left out: {error}"}
    if "image/svg+xml" in data:
        parts = [
            entities.unescape(said)
            for _, said in _ALTERNATIVE.findall(joined(data["image/svg+xml"])[:MAX_HTML])
        ]
        return {"text/plain": text(" ".join(parts)) or clean.get("text/plain", "a drawing, left out")}
    if markup := html(joined(data.get("text/html"))):
        return {**clean, "text/html": markup}
    return clean


def _lines(output: dict) -> list[str]:
    trace = output.get("traceback")
    return [f"{line}\n" for line in trace if type(line) is str] if type(trace) is list else []


def _stream(said: str, name: str = "stdout") -> dict | None:
    return {"output_type": "stream", "name": name, "text": said} if said else None


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "src":
        try:
            return png(value.removeprefix(PNG)) if value.startswith(PNG) else None
        except ValueError:
            return None
    if name == "href":
        return value if re.match(r"(https?://|mailto:|#)", value, re.IGNORECASE) else None
    return value


def _nh3() -> ModuleType:
    try:
        import nh3
    except ImportError:
        raise RuntimeError(
            "pages need the sanitiser nh3: install the extra instructor, as in make lab EXTRAS=instructor"
        ) from None
    return nh3
