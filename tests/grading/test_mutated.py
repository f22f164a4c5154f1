"""2,000 damaged and rearranged notebooks: none stops the grader, none is worth more than the work inside it.

Three students, whose answers are all wrong, half right, all right. Whatever becomes of a file, the marks are
never more than those of the unharmed work: a mutation may lose an answer, it never makes or moves one.
"""

import copy
import json
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from grading.book.graded import graded, scores
from grading.judging.asks import read_paper
from grading.judging.transplant import Transplanted, claims_of, locked, transplant
from grading.judging.verdict import verdict
from grading.pages.feedback import feedback_page
from tests.grading import inprocess
from tests.hostile.markup import faults
from tests.hostile.work import ASSIGNMENT, FULL, ROOT, Places, solutions, wrong

COUNT, JUDGED = 2_000, 15  # mutants; every so many-th is run and judged
PLACES = Places("/course", 1, "/socket")
VALUES = (None, True, 0, -1, 10**30, 1.5, float("nan"), "", "code", "\0", "\ud800", "x" * 5_000, [], {}, [[]])
CLAIMS = (
    "grade",
    "solution",
    "locked",
    "points",
    "grade_id",
    "task",
    "cell_type",
    "schema_version",
    "checksum",
)
HALF = ("linear-params", "conv-mmac", "largest-side", "macs-function")
DESERVE = {0.0: (), 6.0: HALF, FULL: tuple(solutions())}  # points -> answers that are right
Mutation = Callable[[random.Random, dict], bytes | None]


@cache
def paper():
    return read_paper(
        ROOT / "exercises" / ASSIGNMENT, ROOT / "solutions" / ASSIGNMENT, ROOT / "authoring/keys"
    )


@cache
def start(points: float) -> bytes:
    """The unharmed notebook that deserves these points."""
    work = wrong("ada", PLACES)
    for cell in DESERVE[points]:
        work.put(cell, solutions()[cell])
    return work.raw()


def bytes_flipped(rng: random.Random, notebook: dict) -> bytes:
    """Up to 20 bytes changed, anywhere."""
    raw = bytearray(json.dumps(notebook).encode())
    for _ in range(rng.randint(1, 20)):
        raw[rng.randrange(len(raw))] = rng.randrange(256)
    return bytes(raw)


def bytes_cut(rng: random.Random, notebook: dict) -> bytes:
    """Cut short, or with a piece missing."""
    raw = json.dumps(notebook).encode()
    a, b = sorted(rng.choices(range(len(raw)), k=2))
    return raw[:a] if rng.random() < 0.5 else raw[:a] + raw[b:]


def bytes_doubled(rng: random.Random, notebook: dict) -> bytes:
    """A piece copied to another place."""
    raw = json.dumps(notebook).encode()
    a, b, c = sorted(rng.choices(range(len(raw)), k=3))
    return raw[:c] + raw[a:b] + raw[c:]


def encoded(rng: random.Random, notebook: dict) -> bytes:
    """Written in another encoding, with a mark or without, then torn."""
    raw = json.dumps(notebook, ensure_ascii=False).encode(
        rng.choice(["utf-16", "utf-32", "utf-8-sig", "utf-7"])
    )
    return raw[rng.choice([0, 0, 1, 2]) :]


def value_swapped(rng: random.Random, notebook: dict) -> None:
    """Up to five values anywhere in the JSON replaced by one of another kind."""
    for _ in range(rng.randint(1, 5)):
        place, name = rng.choice(list(_places(notebook)))
        place[name] = copy.deepcopy(rng.choice(VALUES))


def values_exchanged(rng: random.Random, notebook: dict) -> None:
    """Two values anywhere in the JSON exchanged."""
    (a, i), (b, j) = rng.choices(list(_places(notebook)), k=2)
    a[i], b[j] = copy.deepcopy(b[j]), copy.deepcopy(a[i])


def names_changed(rng: random.Random, notebook: dict) -> None:
    """A key of some object renamed or removed."""
    objects = [place for place, _ in _places(notebook) if type(place) is dict and place]
    for place in rng.choices(objects, k=rng.randint(1, 4)):
        if place:
            value = place.pop(rng.choice(list(place)))
            if rng.random() < 0.5:
                place[rng.choice(["cells", "source", "metadata", "nbgrader", "x"])] = value


def claims_changed(rng: random.Random, notebook: dict) -> None:
    """nbgrader's metadata of up to six cells changed."""
    for cell in rng.choices(notebook["cells"], k=rng.randint(1, 6)):
        claims = cell["metadata"].setdefault("nbgrader", {})
        claims[rng.choice(CLAIMS)] = copy.deepcopy(rng.choice([*VALUES, "bonus", 1000, False]))


def claims_exchanged(rng: random.Random, notebook: dict) -> None:
    """Metadata of cells exchanged, one by one or all shuffled; ids too."""
    cells = notebook["cells"]
    names = rng.choice([["metadata"], ["id"], ["metadata", "id"]])
    mixed = rng.sample(cells, k=rng.randint(2, len(cells)))
    shifted = [{name: cell[name] for name in names} for cell in mixed]
    for cell, other in zip(mixed, shifted[1:] + shifted[:1]):
        cell |= other


def stripped(rng: random.Random, notebook: dict) -> None:
    """Metadata or ids taken away from some cells or all."""
    share = rng.choice([0.1, 0.5, 1])
    for cell in notebook["cells"]:
        if rng.random() < share:
            cell["metadata"] = {}
        if rng.random() < share / 2:
            cell.pop("id")


def reordered(rng: random.Random, notebook: dict) -> None:
    """Cells shuffled, turned round, or one moved."""
    cells = notebook["cells"]
    how = rng.randrange(3)
    if how == 0:
        rng.shuffle(cells)
    elif how == 1:
        cells.reverse()
    else:
        cells.insert(rng.randrange(len(cells)), cells.pop(rng.randrange(len(cells))))


def doubled(rng: random.Random, notebook: dict) -> None:
    """Up to ten cells twice."""
    cells = notebook["cells"]
    for _ in range(rng.randint(1, 10)):
        cells.insert(rng.randrange(len(cells)), copy.deepcopy(rng.choice(cells)))


def deleted(rng: random.Random, notebook: dict) -> None:
    """Up to thirty cells missing."""
    for _ in range(rng.randint(1, 30)):
        notebook["cells"].pop(rng.randrange(len(notebook["cells"])))


def retyped(rng: random.Random, notebook: dict) -> None:
    """Up to ten cells of another type."""
    for cell in rng.choices(notebook["cells"], k=rng.randint(1, 10)):
        cell["cell_type"] = rng.choice(["code", "markdown", "raw", "heading", "Code", None, 3])


def sources_changed(rng: random.Random, notebook: dict) -> None:
    """Sources as lists of lines, emptied, doubled, exchanged."""
    cells = notebook["cells"]
    for cell in rng.choices(cells, k=rng.randint(1, 10)):
        text = cell["source"] if type(cell["source"]) is str else "".join(cell["source"])
        other = rng.choice(cells)["source"]
        cell["source"] = rng.choice(
            [text.splitlines(True), "", text + "\n" + text, other, [text, None], "15"]
        )


def formats_changed(rng: random.Random, notebook: dict) -> None:
    """Other formats: their numbers alone, or the shape of format 3."""
    notebook["nbformat"] = rng.choice([2, 3, 5, 99, "4", None, -1])
    if rng.random() < 0.5:
        notebook["worksheets"] = [{"cells": notebook.pop("cells"), "metadata": {}}] * rng.choice([1, 1, 2])


MUTATIONS: tuple[Mutation, ...] = (
    *(bytes_flipped, bytes_cut, bytes_doubled, encoded, value_swapped, values_exchanged, names_changed),
    *(claims_changed, claims_exchanged, stripped, reordered, doubled, deleted, retyped, sources_changed),
    formats_changed,
)


def _places(value):
    """Every (object or list, key or index) below a JSON value."""
    items = value.items() if type(value) is dict else enumerate(value) if type(value) is list else ()
    for name, below in list(items):
        yield value, name
        yield from _places(below)


def mutant(number: int, points: float) -> bytes:
    """One mutated notebook; the same for the same number."""
    rng = random.Random(number)
    notebook = json.loads(start(points))
    structural = [m for m in MUTATIONS[4:] if rng.random() < 0.15]
    try:
        for mutation in structural:
            mutation(rng, notebook)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError):
        pass  # an earlier one left nothing for this one to change
    last = MUTATIONS[number % len(MUTATIONS)]
    try:
        raw = last(rng, notebook)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, UnicodeError):
        raw = None
    return json.dumps(notebook).encode() if raw is None else raw


def judged(work: Transplanted):
    """The verdict as the engine gives it, after running the cells here."""
    if work.notebook is None:
        return None, verdict(paper(), "ada", "seed", work, None)
    result = inprocess.run(paper().steps(work.notebook, "seed"))
    return result, verdict(paper(), "ada", "seed", work, result)


def transplanted(raw: bytes) -> Transplanted:
    """The work of a mutant; what holds for every one of them is checked here."""
    work = transplant(paper().notebook, raw)
    assert all(type(text) is str and text.isprintable() for text in work.problems)
    if work.notebook is None:
        assert work.problems
        return work
    release = {claims_of(c)["grade_id"]: c for c in paper().notebook.cells if claims_of(c)}
    mine = [cell for cell in work.notebook.cells if claims_of(cell)]
    assert [claims_of(cell) for cell in mine] == [claims_of(cell) for cell in release.values()]
    for cell in mine:
        if locked(cell):
            assert cell.source == release[claims_of(cell)["grade_id"]].source
    asked = [step for step in paper().steps(work.notebook, "seed") if step.ask]
    assert [s.cell for s in asked if s.ask.id] == [q.cell for q in paper().questions]
    assert all(not claims_of(cell) for cell in work.notebook.cells if cell["id"].startswith("extra-"))
    return work


@pytest.fixture(scope="module", autouse=True)
def room(tmp_path_factory):
    """Notebooks open the release file that lies beside them."""
    folder = tmp_path_factory.mktemp("room")
    (folder / "release.json").write_bytes((ROOT / "exercises" / ASSIGNMENT / "release.json").read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path(folder))
        patch.setenv("TINYML_SEALED_STUDENT", "ada")
        yield


def test_unharmed_work_gets_what_it_deserves():
    for points in DESERVE:
        assert judged(transplanted(start(points)))[1].points == points


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.__name__)
def test_mutants_never_stop_the_grader_and_never_gain(mutation):
    """Each mutation leads its part of the 2,000 mutants; every one is read, a sample is run and judged."""
    numbers = range(MUTATIONS.index(mutation), COUNT, len(MUTATIONS))
    read = 0
    for turn, number in enumerate(numbers):
        points = list(DESERVE)[turn % len(DESERVE)]
        work = transplanted(mutant(number, points))
        read += work.notebook is not None
        if turn % JUDGED < len(DESERVE):
            result, found = judged(work)
            assert found.points <= points, (number, found.marks)
            notebook = graded(paper(), work, result, found)
            given = sum(score or 0 for score in scores(notebook).values())
            assert given == pytest.approx(found.points)
            assert faults(feedback_page(paper(), found, work, result)) == []
    assert read, "some mutants of each kind are notebooks still"
