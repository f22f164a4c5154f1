"""What could act in a page: scripts, event handlers, addresses that run or leak, a missing policy."""

from html.parser import HTMLParser

ACTIVE = {"script", "iframe", "frame", "object", "embed", "applet", "form", "base", "link", "svg", "math"}
ACTIVE |= {"template", "noscript", "input", "button", "video", "audio", "source", "portal"}
ADDRESSES = {"href", "src", "action", "formaction", "data", "srcdoc", "xlink:href", "background", "poster"}


class Page(HTMLParser):
    """Reads a page as a browser would and notes what could act."""

    def __init__(self) -> None:
        super().__init__()
        self._script = False
        self.faults: list[str] = []
        self.policy = ""
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name.lower(): value or "" for name, value in attributes}
        if tag in ACTIVE:
            self.faults.append(f"<{tag}>")
        self._script = tag == "script"
        if tag == "meta" and values.get("http-equiv", "").lower() == "content-security-policy":
            self.policy = values.get("content", "")
        elif tag == "meta" and "http-equiv" in values:
            self.faults.append(f"<meta http-equiv={values['http-equiv']}>")
        for name, value in values.items():
            address = "".join(c for c in value.lower() if c > " ")
            if name.startswith("on"):
                self.faults.append(f"<{tag} {name}>")
            if name in ADDRESSES and not _harmless(tag, address):
                self.faults.append(f"<{tag} {name}={value[:40]}>")
            if name == "style" and "url(" in address:
                self.faults.append(f"<{tag} style={value[:40]}>")

    handle_startendtag = handle_starttag

    def handle_data(self, text: str) -> None:
        if self._script:
            self.scripts.append(text)
            self._script = False


def _harmless(tag: str, address: str) -> bool:
    if tag == "a":
        return address.startswith(("http://", "https://", "mailto:", "#")) or ":" not in address
    return address.startswith("data:image/png;base64,")


def faults(text: str) -> list[str]:
    """What could act in this page, in words; empty when nothing can."""
    page = Page()
    page.feed(text)
    page.close()
    if "default-src 'none'" not in page.policy:
        page.faults.append("no policy that forbids all it does not name")
    if "script-src" in page.policy or "unsafe-eval" in page.policy:
        page.faults.append("a policy that lets scripts run")
    return page.faults


def planted(text: str) -> list[str]:
    """Scripts and handlers of an attack in a page that has scripts of its own."""
    page = Page()
    page.feed(text)
    page.close()
    acting = [
        f for f in page.faults if " on" in f or "javascript:" in f or "192.0.2.1" in f or "data:text" in f
    ]
    return acting + [f"<script>{text[:40]}" for text in page.scripts if text.startswith("alert(")]
