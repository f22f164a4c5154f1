"""Cells of built lessons: at most twelve lines, no output without a picture or words, no output unexplained.

An output is explained when prose that is more than a heading, or a view, stands within the next cells; a view
explains itself by its text alternative.
"""

import json
from pathlib import Path

from authoring.checks.texts import ROOT

MOST_LINES = 12
NEAR = 3  # cells until somebody says what the output means


def faults(path: Path) -> list[str]:
    """What is wrong with the cells of one built lesson."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    where, found = path.relative_to(ROOT).as_posix(), []
    for i, cell in enumerate(cells):
        if cell["cell_type"] != "code":
            continue
        lines, tags = "".join(cell["source"]).splitlines(), cell["metadata"].get("tags", [])
        if len(lines) > MOST_LINES:
            found.append(f"{where} cell {i + 1} has {len(lines)} lines, at most {MOST_LINES}")
        for output in cell["outputs"]:
            if output["output_type"] == "error" or output.get("name") == "stderr":
                found.append(f"{where} cell {i + 1} ends in an error or a warning")
            elif (
                output["output_type"] != "stream"
                and not "".join(output["data"].get("text/plain", "")).strip()
            ):
                found.append(f"{where} cell {i + 1} shows something without words")
        if cell["outputs"] and "view" not in tags and "optional" not in tags and not explained(cells, i):
            found.append(f"{where} cell {i + 1} prints what nobody explains")
    return found


def explained(cells: list[dict], at: int) -> bool:
    """Whether prose (not a mere heading) or a view follows the output of a cell before long."""
    for cell in cells[at + 1 : at + 1 + NEAR]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            return bool([line for line in text.splitlines() if line.strip() and not line.startswith("#")])
        if "view" in cell["metadata"].get("tags", []):
            return True
    return False


def findings() -> list[str]:
    """Cells that are too long, and outputs that nothing explains."""
    return [line for path in sorted((ROOT / "notebooks").glob("*.ipynb")) for line in faults(path)]
