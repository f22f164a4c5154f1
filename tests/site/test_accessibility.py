"""No serious or critical fault that axe-core can find on the site's pages, in light and in dark."""

import pytest

from tests.browser.axe import faults

PAGES = (
    "index",
    "canvases",
    "cheat-sheet",
    "practice/1-metrics",
    "lessons/03_macs",
    "assignments/a01_metrics",
)


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
def test_pages(visit, theme):
    visitor = visit("index.html", color_scheme=theme, reduced_motion="reduce")
    found = {}
    for name in PAGES:
        page = visitor.open(f"{name}.html")
        page.locator("main h1").wait_for()
        found[name] = faults(page)
    assert found == {name: [] for name in PAGES}
