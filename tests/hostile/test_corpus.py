"""The corpus itself: every attack says what it does, and the page reader sees what can act."""

import pytest

from tests.hostile.attacks import ATTACKS
from tests.hostile.markup import faults
from tests.hostile.work import FULL, FUNCTIONS, ROOT, VALUES, Places, claims, solved, wrong
from tinylib.practice.plain import NotPlain, plain

PLACES = Places("/course", 1, "/socket")
SAFE = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'\">"


def test_there_are_many_of_many_kinds():
    assert len(ATTACKS) >= 60
    assert len({attack.group for attack in ATTACKS.values()}) >= 12


def test_names_of_students_differ():
    names = [attack.student or attack.name for attack in ATTACKS.values()]
    assert len({name.casefold() for name in names}) == len(names)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=lambda a: a.name)
def test_every_attack_changes_the_submission_and_says_how(attack):
    assert attack.line.endswith(".") and "\n" not in attack.line
    work = wrong("mallory", PLACES)
    before = work.raw()
    raw = attack.make(work)
    changed = work.raw() if raw is None else raw
    assert (
        changed != before or attack.student or attack.how != "file" or work.files or work.links or work.hard
    )


def test_few_attacks_earn_anything_and_none_more_than_honest_work():
    earning = [attack for attack in ATTACKS.values() if attack.earns]
    assert len(earning) < len(ATTACKS) / 10 and all(attack.earns <= FULL for attack in earning)


def test_right_and_wrong_work_differ_in_the_answers_alone():
    right, other = (make("ada", PLACES).cells for make in (solved, wrong))
    differ = {claims(a).get("grade_id") for a, b in zip(right, other, strict=True) if a != b}
    assert differ == {*VALUES, *FUNCTIONS}


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        "<ScRiPt src=x>",
        "<img src=x onerror=alert(1)>",
        "<a href=' jAvA\tscript:alert(1)'>x</a>",
        "<a href='data:text/html,x'>x</a>",
        "<iframe srcdoc=x></iframe>",
        "<meta http-equiv=refresh content='0;url=x'>",
        "<base href='http://192.0.2.1/'>",
        "<form action=x></form>",
        "<svg onload=alert(1)></svg>",
        "<img src='http://192.0.2.1/leak.png'>",
        "<div style='background:url(http://192.0.2.1/)'></div>",
    ],
)
def test_the_page_reader_sees_what_can_act(markup):
    assert faults(SAFE) == [] and faults(SAFE + markup)


def test_the_page_reader_misses_no_missing_policy():
    assert faults("<p>hello</p>") and faults(SAFE + "<a href='#q1'>x</a><p title=x>&lt;script&gt;</p>") == []


def test_the_page_of_threats_names_every_attack():
    page = (ROOT / "docs" / "grading-threats.md").read_text(encoding="utf-8")
    assert [name for name in ATTACKS if f"| `{name}` |" not in page] == []


def test_a_class_that_equals_float_is_no_float():
    """Types are told apart by identity: a metaclass may say that its class equals float, and hash like it."""
    space: dict = {}
    work = wrong("mallory", PLACES)
    ATTACKS["lying_metaclass"].make(work)
    exec(next(cell["source"] for cell in work.cells if cell["id"].startswith("own-")), space)
    assert space["Float"] in (int, float), "it lies to whoever compares"
    with pytest.raises(NotPlain):
        plain(space["Float"]())
