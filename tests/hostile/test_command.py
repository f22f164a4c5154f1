"""A few attacks through nbgrader's own command, as formgrader's button runs it with the sealed steps."""

import sqlite3

import pytest

from grading.book.course import nbgrader
from tests.hostile.attacks import ATTACKS
from tests.hostile.course import hand_in, hand_in_attack, honest, make_course, plant, planted, work_of
from tests.hostile.markup import planted as acting
from tests.hostile.work import ASSIGNMENT, Places

pytestmark = pytest.mark.slow
CHOSEN = (
    "linked_notebook",
    "hard_links",
    "own_judge",
    "own_tinylib",
    "script_in_output",
    "script_in_markdown",
)
POINTS = """select sum(auto_score) from grade join submitted_notebook as part on part.id = grade.notebook_id
    join submitted_assignment as work on work.id = part.assignment_id where student_id = ?"""


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    root = tmp_path_factory.mktemp("command") / "course"
    root.mkdir()
    canaries = make_course(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINYML_KEYS", str(root / "authoring" / "keys"))
        patch.setenv("TINYML_COURSE_SECRET", canaries["environment"])
        places = Places(str(root))
        hand_in(root, work_of(honest()[0], places, canaries["classmate"]))
        with nbgrader(root) as api:
            assert api.generate_assignment(ASSIGNMENT)["success"]
            plant(root, canaries["gradebook"])
            for name in CHOSEN:
                hand_in_attack(root, ATTACKS[name], places)
                assert api.autograde(ASSIGNMENT, name)["success"]
                assert api.generate_feedback(ASSIGNMENT, name)["success"]
    return root, canaries


def copies(root, name):
    """Every file that nbgrader made for one student."""
    found = [p for kind in ("autograded", "feedback") for p in (root / kind / name).rglob("*") if p.is_file()]
    assert {p.suffix for p in found} == {".ipynb", ".html", ".json"}
    return found


@pytest.mark.parametrize("name", CHOSEN)
def test_no_attack_wins_a_point(graded, name):
    with sqlite3.connect(graded[0] / "gradebook.db") as db:
        assert db.execute(POINTS, (name,)).fetchone() == (0,)


def test_a_pipe_in_the_notebooks_place_is_refused_and_not_waited_for(graded):
    root, _ = graded
    hand_in_attack(root, ATTACKS["pipe_instead"], Places(str(root)))
    with nbgrader(root) as api:
        result = api.autograde(ASSIGNMENT, "pipe_instead")
    assert not result["success"] and "must be a file, got something else" in result["log"]
    assert not (root / "autograded" / "pipe_instead" / ASSIGNMENT).exists()


@pytest.mark.parametrize("name", CHOSEN)
def test_no_copy_holds_a_secret_or_acts(graded, name):
    root, canaries = graded
    for path in copies(root, name):
        raw = path.read_bytes()
        assert [place for place, canary in canaries.items() if canary.encode() in raw] == [], path
        if path.suffix == ".html":
            assert acting(raw.decode("utf-8", "replace")) == []
    assert planted(root) == []
