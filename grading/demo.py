"""A class of eight made-up students: what an instructor sees, on real input."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
from tqdm import tqdm

from grading.book.course import Course, done, nbgrader, stock
from grading.book.rows import Options
from grading.engine import run
from grading.report import Student, graded_class
from tinylib.practice.assignment import read_release
from tinylib.practice.bank import BANK

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENT = "a01_metrics"
Cells = dict[str, str]  # grade_id -> source
NUMERIC = {  # answer cell -> (name, exercise)
    "model-size": ("model_size_mb", "metrics.model_size_fp32"),
    "mac-to-flop": ("mflop", "metrics.mac_to_flop"),
    "intensity": ("flop_per_byte", "metrics.arithmetic_intensity"),
    "activation": ("activation_kib", "metrics.activation_kib"),
    "ridge": ("ridge_flop_per_byte", "metrics.ridge_point"),
}


def right(solved: Cells) -> Cells:
    """All right."""
    return solved


def noisy(solved: Cells) -> Cells:
    """Right, but prints and warns everywhere, in the function too."""
    noise = 'import warnings\nprint("thinking ...")\nwarnings.warn("careful")\n'
    cells = {name: noise + source for name, source in solved.items()}
    body = '    import warnings\n    print("called")\n    warnings.warn("slow")\n    params ='
    cells["efficiency-report"] = cells["efficiency-report"].replace("    params =", body, 1)
    return cells


def slipped(solved: Cells) -> Cells:
    """One named mistake: MACs where FLOPs are asked, in the number and in the function."""
    report = solved["efficiency-report"].replace('"flops": 2 * macs', '"flops": macs')
    return {**solved, "mac-to-flop": "mflop = q.macs / 1e6", "efficiency-report": report}


def raising(solved: Cells) -> Cells:
    """One cell raises, and the function does."""
    report = "def efficiency_report(c_in, c_out, kernel_size, h_out, w_out, bits):\n    return {}['params']"
    return {**solved, "intensity": "flop_per_byte = q.flops / 0", "efficiency-report": report}


def unanswered(solved: Cells) -> Cells:
    """Handed in as it came."""
    return {}


def wrong_type(solved: Cells) -> Cells:
    """A list, text, a complex number, NaN, a function; a report that is no dict."""
    values = ("[13.6, 27.2]", '"a lot"', "3 + 4j", 'float("nan")', "print")
    cells = {cell: f"{name} = {value}" for (cell, (name, _)), value in zip(NUMERIC.items(), values)}
    report = "def efficiency_report(c_in, c_out, kernel_size, h_out, w_out, bits):\n    return 'efficient'"
    return {**cells, "headroom": "channels = True", "efficiency-report": report}


def copied(solved: Cells) -> Cells:
    """Typed in from a classmate's screen: ada's numbers."""
    release = read_release(ROOT / "exercises" / ASSIGNMENT / "release.json")
    answers = {i: BANK[i].answer(**release.numbers(i, "ada")) for _, i in NUMERIC.values()}
    return {**solved, **{cell: f"{name} = {answers[i]!r}" for cell, (name, i) in NUMERIC.items()}}


def edited_test(solved: Cells) -> Cells:
    """A wrong answer, and the test under it rewritten to pass."""
    return {**solved, "ridge": "ridge_flop_per_byte = q.bw / q.peak", "ridge-check": "assert 1 + 1 == 2"}


CLASS: dict[str, Callable[[Cells], Cells]] = {
    "ada": right,
    "ben": noisy,
    "cleo": slipped,
    "dan": raising,
    "eve": unanswered,
    "finn": wrong_type,
    "gil": copied,
    "hana": edited_test,
}


def solved_cells() -> Cells:
    """The instructor's answer cells, without the solution marks."""
    nb = nbformat.read(ROOT / "solutions" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    marks = re.compile(r"^\s*### (BEGIN|END) SOLUTION\n?", re.MULTILINE)
    answers = (c for c in nb.cells if c.metadata.get("nbgrader", {}).get("solution"))
    return {c.metadata.nbgrader.grade_id: marks.sub("", c.source) for c in answers}


def hand_in(root: Path, student: str, cells: Cells) -> None:
    """Write one submission: the release notebook with the student's name and cells put in."""
    folder = root / "submitted" / student / ASSIGNMENT
    shutil.copytree(root / "exercises" / ASSIGNMENT, folder)
    nb = nbformat.read(folder / f"{ASSIGNMENT}.ipynb", as_version=4)
    cells = {"student": f"student = {student!r}", **cells}
    for cell in nb.cells:
        cell.source = cells.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    nbformat.write(nb, folder / f"{ASSIGNMENT}.ipynb")


def make_course(root: Path) -> None:
    """A course folder with this release and the class's submissions."""
    shutil.copytree(ROOT / "solutions" / ASSIGNMENT, root / "solutions" / ASSIGNMENT)
    shutil.copytree(ROOT / "exercises" / ASSIGNMENT, root / "exercises" / ASSIGNMENT)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    solved = solved_cells()
    for student, answers in CLASS.items():
        hand_in(root, student, answers(solved))


def grade(root: Path, students: list[str]) -> list[Student]:
    """Autograde and write feedback with nbgrader's own commands and judge, one student after another."""
    with stock(), nbgrader(root) as api:
        done(api.generate_assignment(ASSIGNMENT), "registering the assignment")
        for student in tqdm(students, "grading", unit="student", disable=None):
            done(api.autograde(ASSIGNMENT, student), f"autograding {student}")
            done(api.generate_feedback(ASSIGNMENT, student), f"feedback for {student}")
    return graded_class(root, ASSIGNMENT)


def grade_sealed(root: Path, jobs: int = 2) -> list[Student]:
    """Grade with the sealed engine; the class is made up, so it may run where there is no sandbox."""
    run(Course(root), ASSIGNMENT, Options(jobs=jobs, allow_unsandboxed=True))
    return graded_class(root, ASSIGNMENT)
