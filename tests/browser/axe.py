"""What axe-core finds on a page: the faults that it calls serious or critical, each in one line."""

from importlib.resources import files

SCRIPT = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
GRAVE = ("serious", "critical")
RUN = """async (where) => {
  const found = await axe.run(where.length ? {include: where} : document, {resultTypes: ['violations']});
  return found.violations;
}"""


def faults(page, *where: str) -> list[str]:
    """Grave faults of the page, or of what the selectors name (each must name something): "rule: element"."""
    page.evaluate(SCRIPT)
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for rule in page.evaluate(RUN, [[selector] for selector in where])
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]
