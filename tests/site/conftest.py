"""The browser edition: built once, served as plain files, seen by a Chromium that reaches nothing else."""

import functools
import http.server
import importlib
import os
import shutil
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "screenshots"
PLAY = ("14_binary", "16_xor_on_the_chip")  # figures drawn beforehand; those of other lessons stay as saved
sys.path.append(str(ROOT / "site"))


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == Path(__file__).parent and "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.site)


def part(name: str):
    """A module of the site's recipe."""
    return importlib.import_module(f"edition.{name}")


@pytest.fixture(scope="session")
def book():
    return part("book").Book(PLAY)


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The built site; without npm in reach it fails under CI and is skipped elsewhere."""
    out = tmp_path_factory.mktemp("site") / "a folder é"
    try:
        part("build").build(out, PLAY)
    except part("core").NoCore as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the browser edition cannot be built: {reason}")
    return out


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Static files, with the pages' policy sent as a header, so that it holds for the worker too."""

    def log_message(self, *_):
        pass

    def end_headers(self):
        self.send_header("Content-Security-Policy", part("frame").POLICY)
        super().end_headers()


@pytest.fixture(scope="session")
def address(built):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=built))
    server.handle_error = lambda *_: None  # a page that is left breaks its downloads off
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import FLAGS

    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "the site tests need Chromium on the PATH: apt-get install chromium"
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


class Visitor:
    """A page of the site; `outside` are the requests that would have left it, `errors` what went wrong."""

    def __init__(self, context, address: str) -> None:
        self.address, self.outside, self.errors = address, [], []
        context.route("**/*", self._only_here)
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)  # a shared machine may need long to start Python
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._heard)

    def _heard(self, message) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} {message.location['url']}")

    def _only_here(self, route) -> None:
        if route.request.url.startswith((self.address, "blob:", "data:", "file:")):
            return route.continue_()
        self.outside.append(route.request.url)
        return route.abort()

    def open(self, name: str):
        self.page.goto(self.address + name)
        return self.page


@pytest.fixture
def visit(chromium, address):
    """visit(page, **context options) -> Visitor; afterwards nothing went outside and nothing failed."""
    visitors, contexts = [], []

    def begin(name: str, **options) -> Visitor:
        contexts.append(chromium.new_context(viewport={"width": 1100, "height": 900}, **options))
        visitors.append(Visitor(contexts[-1], address))
        visitors[-1].open(name)
        return visitors[-1]

    yield begin
    for context in contexts:
        context.close()
    assert [v.outside for v in visitors] == [[]] * len(visitors)
    assert [v.errors for v in visitors] == [[]] * len(visitors)
