"""From percent scripts to notebooks: roles, heads and feet, cell ids, and the rules a lesson keeps.

Pure: nothing is run or written here. Errors name script, line and rule.
"""

import hashlib
import re
from pathlib import Path

import jupytext
import nbformat

AUTHORING = Path(__file__).resolve().parent
ROLES = {  # role -> nbgrader's grade, solution, locked
    "given": (False, False, True),
    "name": (False, False, False),
    "answer": (False, True, False),
    "check": (True, False, True),
    "essay": (True, True, False),
}
MAX_LINES, METADATA = (
    12,
    {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
)
CHECK_CALL = re.compile(r"^check\(\s*[\"']([\w.-]+)[\"']\s*,\s*(\w+)\s*\)\s*$", re.MULTILINE)


class RuleError(ValueError):
    """A script breaks a rule of the course; the message names script, line and rule."""


def read(script: Path) -> nbformat.NotebookNode:
    """The script's cells, each knowing the line it starts on."""
    text = script.read_text(encoding="utf-8")
    nb = jupytext.reads(text, fmt="py:percent")
    starts = [n for n, line in enumerate(text.splitlines(), 1) if re.match(r"# %%(\s|$)", line)]
    for cell, line in zip(nb.cells, starts, strict=True):
        cell["where"] = f"{script.relative_to(AUTHORING)}:{line}"
    return nb


def refuse(cell: nbformat.NotebookNode, rule: str) -> None:
    raise RuleError(f"{cell['where']} {rule}")


def finish(nb: nbformat.NotebookNode, entry: dict, name: str) -> nbformat.NotebookNode:
    """Add the head and foot that the entry has, give each cell an id that follows its text, and keep only
    metadata that matters."""
    if "objectives" in entry:
        nb.cells.insert(0, nbformat.v4.new_markdown_cell(head(entry)))
    if foot := entry.get("foot"):
        nb.cells.append(nbformat.v4.new_markdown_cell(foot))
    seen: dict[str, int] = {}
    for cell in nb.cells:
        cell.pop("where", None)
        text = f"{name}\0{cell.cell_type}\0{cell.metadata.get('nbgrader', {}).get('grade_id')}\0{cell.source}"
        seen[text] = seen.get(text, 0) + 1
        cell["id"] = hashlib.sha256(f"{text}\0{seen[text]}".encode()).hexdigest()[:12]
    nb.metadata = nbformat.from_dict(METADATA)
    nb.nbformat, nb.nbformat_minor = 4, 5
    return nb


def head(entry: dict) -> str:
    aims = "\n".join(f"- {aim}" for aim in entry["objectives"])
    needs = ", ".join(entry["needs"])
    time = f"*Needs: {needs}. About {entry['minutes']} minutes.*"
    return f"# {entry['title']}\n\n**By the end you can**\n\n{aims}\n\n{time}"


def foot(entry: dict, after: str, titles: dict[str, str], series: str) -> str:
    """What leads on from a lesson: the next one, related ones and its assignment; then what it rests on.

    titles: script -> title; series: the lectures that `lectures` numbers.
    """
    links = [f"[{titles[script]}]({script}.ipynb)" for script in entry["related"]]
    onward = [f"- Next lesson: [{titles[after]}]({after}.ipynb)"] if after else []
    onward.append(f"- Related: {', '.join(links)}")
    if name := entry.get("assignment"):
        onward.append(f"- Try it for marks: [{titles[name]}](../exercises/{name}/{name}.ipynb)")
    numbers = [str(n) for n in entry.get("lectures", ())]
    lectures = [f"Lecture{'s' * (len(numbers) > 1)} {' and '.join(numbers)} of {series}"] if numbers else []
    rests = [f"- {source}" for source in (*lectures, *entry["sources"])]
    return "\n".join(["## Where to go from here\n", *onward, "\n**Sources**\n", *rests])


def lesson(entry: dict) -> nbformat.NotebookNode:
    """An unexecuted lesson: short cells, one import cell, no plotting; nbval runs `view` cells uncompared."""
    nb = read(AUTHORING / entry.get("path", f"lessons/{entry['script']}.py"))
    for number, cell in enumerate(c for c in nb.cells if c.cell_type == "code"):
        if (lines := len(cell.source.splitlines())) > MAX_LINES:
            refuse(cell, f"must have at most {MAX_LINES} lines in a code cell, got {lines}")
        if "matplotlib" in cell.source or re.search(r"^(def|class) ", cell.source, re.MULTILINE):
            refuse(cell, "must not plot or define functions: that belongs in tinylib")
        if number and re.search(r"^(import|from) ", cell.source, re.MULTILINE):
            refuse(cell, "must keep its imports in the first code cell")
        tags = list(cell.metadata.get("tags", []))
        cell.metadata = {"tags": [*tags, "nbval-ignore-output"] if "view" in tags else tags} if tags else {}
    return finish(nb, entry, entry["script"])


def assignment(entry: dict) -> nbformat.NotebookNode:
    """An instructor assignment: roles become nbgrader metadata, each check cell gets its hidden judge."""
    nb, names = read(AUTHORING / "assignments" / f"{entry['script']}.py"), set()
    for number, cell in enumerate(nb.cells, 1):
        role = cell.metadata.pop("role", None)
        if role is None and cell.cell_type == "markdown":
            continue
        if role not in ROLES:
            refuse(cell, f"must have a role out of {', '.join(ROLES)}, got {role!r}")
        grade_id = cell.metadata.get("name") or f"{role}-{number}"
        if grade_id in names:
            refuse(cell, f"must have a name of its own, {grade_id!r} is taken")
        names.add(grade_id)
        grade, solution, locked = ROLES[role]
        meta = {"grade": grade, "solution": solution, "locked": locked, "task": False, "schema_version": 3}
        if grade:
            meta["points"] = float(cell.metadata.get("points") or refuse(cell, "must say its points"))
        if role == "answer" and "BEGIN SOLUTION" not in cell.source:
            refuse(cell, "must mark its solution with ### BEGIN SOLUTION and ### END SOLUTION")
        if role == "check":
            cell.source = with_judge(cell, meta["points"])
        cell.metadata = {"nbgrader": {**meta, "grade_id": grade_id}}
    return finish(nb, entry, entry["script"])


def with_judge(cell: nbformat.NotebookNode, points: float) -> str:
    calls = CHECK_CALL.findall(cell.source)
    if len(calls) != 1:
        refuse(cell, f'must hold exactly one line check("id", name), got {len(calls)}')
    exercise_id, name = calls[0]
    return (
        f"{cell.source.rstrip()}\n### BEGIN HIDDEN TESTS\nfrom grading.stock import judge\n\n"
        f'judge("{exercise_id}", {name}, points={points:g})\n### END HIDDEN TESTS'
    )
