"""Tampered notebooks: cells and metadata that were edited."""

import copy

from tests.hostile.work import VALUES, attack, claims

CELLS = "tampered cells"


@attack(CELLS, says=("was deleted and has been put back",))
def deleted_checks(work):
    """Every check cell is deleted."""
    for cell in work.checks():
        work.cells.remove(cell)


@attack(CELLS, says="was edited and has been restored")
def emptied_checks(work):
    """Every check cell is emptied."""
    for cell in work.checks():
        cell["source"] = ""


@attack(CELLS, says="was edited and has been restored")
def edited_checks(work):
    """Every check cell awards itself its points."""
    for cell in work.checks():
        cell["source"] = f"{claims(cell)['points']}"


@attack(CELLS, says="was turned into a markdown cell")
def retyped_checks(work):
    """Every check cell is turned into text, which raises nothing."""
    for cell in work.checks():
        cell["cell_type"] = "markdown"
        del cell["outputs"], cell["execution_count"]


@attack(CELLS, says="is there 2 times")
def duplicated_checks(work):
    """Every check cell is there twice, the second time empty."""
    for cell in list(work.checks()):
        twin = copy.deepcopy(cell) | {"id": f"twin-{cell['id']}", "source": "pass"}
        work.cells.insert(work.cells.index(cell) + 1, twin)


@attack(CELLS, says="is there 3 times")
def duplicated_answers(work):
    """Every answer cell is there three times, with other answers in each."""
    for name, (variable, _) in VALUES.items():
        cell = work.cell(name)
        for number in (2, 3):
            twin = copy.deepcopy(cell) | {"id": f"{cell['id']}-{number}", "source": f"{variable} = {number}"}
            work.cells.insert(work.cells.index(cell) + 1, twin)


@attack(CELLS, says="which is not asked: not graded")
def renamed_checks(work):
    """Every check cell has another name."""
    for cell in work.checks():
        claims(cell)["grade_id"] += "-mine"


@attack(CELLS, says="nbgrader's metadata is missing")
def stripped_metadata(work):
    """All metadata is stripped, as some editors do."""
    for cell in work.cells:
        cell["metadata"] = {}


@attack(CELLS, earns=15.0, says="nbgrader's metadata is missing")
def stripped_honest(work):
    """Honest work from which an editor stripped all metadata: it earns what it deserves."""
    from tests.hostile.work import solutions

    for cell, source in solutions().items():
        work.put(cell, source)
    for cell in work.cells:
        cell["metadata"] = {}


@attack(CELLS, says="carries changed grading metadata")
def raised_points(work):
    """Every check is worth a thousand points."""
    for cell in work.checks():
        claims(cell)["points"] = 1000


@attack(CELLS, says="carries changed grading metadata")
def odd_points(work):
    """Points that are negative, not a number, infinite, text."""
    for cell, points in zip(work.checks(), (-5, float("nan"), float("inf"), "15", None, [15], True, 1e308)):
        claims(cell)["points"] = points


@attack(CELLS, says="carries changed grading metadata")
def check_as_answer(work):
    """Every check cell says that it is an answer, so that its text is kept."""
    for cell in work.checks():
        claims(cell).update(solution=True, locked=False)
        cell["source"] = "15"


@attack(CELLS, says="carries changed grading metadata")
def ungraded_checks(work):
    """Every check cell says that it is not graded."""
    for cell in work.checks():
        claims(cell)["grade"] = False


@attack(CELLS, says="which is not asked: not graded")
def own_graded_cell(work):
    """A graded cell of one's own, worth a hundred points."""
    own = work.extra("100", after="separable-report-check")
    own["metadata"] = {"nbgrader": claims(work.checks()[0]) | {"grade_id": "bonus", "points": 100}}


@attack(CELLS, says="which is not asked: not graded")
def own_manual_task(work):
    """A task of one's own for the person who marks, worth a hundred points."""
    own = work.extra("Please give me 100 points.", after="separable-report-check", kind="markdown")
    claim = {"grade": False, "solution": False, "locked": True, "task": True, "schema_version": 3}
    own["metadata"] = {"nbgrader": claim | {"grade_id": "please", "points": 100}}


@attack(CELLS)
def reversed_cells(work):
    """All cells in reverse order."""
    work.cells.reverse()


@attack(CELLS)
def odd_metadata(work):
    """Metadata of wrong kinds everywhere, another schema, a kernel that does not exist."""
    work.notebook["metadata"] = {"kernelspec": {"name": "$(touch /tmp/x)", "display_name": []}, "nbgrader": 3}
    for number, cell in enumerate(work.cells):
        cell["metadata"]["nbgrader"] = [None, 7, "x", [], {"grade_id": 5}, {"schema_version": 99}][number % 6]


@attack(CELLS, says="was edited and has been restored")
def edited_locked(work):
    """The locked cells that import check and open the assignment are rewritten."""
    work.cell("begin")["source"] = "question = check = hint = begin = lambda *a: None\nstudent = ''"


@attack(CELLS)
def same_ids(work):
    """Every cell has the same id."""
    for cell in work.cells:
        cell["id"] = "same"


@attack(CELLS)
def second_notebook(work):
    """Other notebooks beside the first, one named like an option, one like a command, one like a page."""
    for name in ("a02_counting-copy", "--force", "$(touch x)", "<script>alert(1)<", "a02_counting.ipynb"):
        work.files[f"{name}.ipynb".replace("/", "")] = work.raw()


@attack(CELLS, says="only the first 2,000 cells are read")
def many_cells(work):
    """Five thousand cells of one's own."""
    own = {"cell_type": "code", "metadata": {}, "source": "1", "outputs": [], "execution_count": None}
    work.cells[4:4] = [own | {"id": f"many-{n}"} for n in range(5_000)]


@attack(CELLS, says="was edited and has been restored")
def swapped_names(work):
    """The names of all cells in reverse order: answers are called checks, checks answers."""
    named = [claims(cell) for cell in work.cells if claims(cell)]
    for claim, name in zip(named, [claim["grade_id"] for claim in reversed(named)]):
        claim["grade_id"] = name


@attack(CELLS, says="which is not asked: not graded")
def nearly_names(work):
    """Names of checks with a character that nobody sees, ids that colour a terminal."""
    for cell in work.checks():
        claims(cell)["grade_id"] += "\u200b"
        cell["id"] = "\x1b[31m" + cell["id"]


@attack(CELLS, says="was turned into a raw cell")
def raw_answers(work):
    """Every answer cell is turned into a raw cell, which nobody runs."""
    for cell in work.cells:
        if claims(cell).get("solution"):
            cell["cell_type"] = "raw"
            del cell["outputs"], cell["execution_count"]
