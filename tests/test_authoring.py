"""Authoring: the rules of scripts, by name and line, and the worked example of CONTRIBUTING."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "authoring"))

import build  # noqa: E402
import scripts  # noqa: E402

from tinylib.practice import CHAPTERS, Absolute, Exercise, Misconception, variant  # noqa: E402
from tinylib.practice.judging import judge_value  # noqa: E402

ENTRY = {"script": "x", "title": "X", "objectives": ["a"], "needs": ["b"], "minutes": 5}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(scripts, "AUTHORING", tmp_path)
    for name in ("lessons", "assignments", "keys"):
        (tmp_path / name).mkdir()
    return tmp_path


def assignment(folder, text):
    (folder / "assignments" / "x.py").write_text(text)
    return scripts.assignment(ENTRY)


def lesson(folder, text):
    (folder / "lessons" / "x.py").write_text(text)
    return scripts.lesson(ENTRY)


def test_roles_become_nbgrader_metadata(folder):
    text = """# %% role="given"
x = 1

# %% role="answer" name="a"
### BEGIN SOLUTION
a = 1
### END SOLUTION

# %% role="check" name="b" points=2
assert a
check("counting.linear_params", a)

# %% [markdown] role="essay" name="c" points=1
# why?
"""
    nb = assignment(folder, text)
    metas = [c.metadata.get("nbgrader", {}) for c in nb.cells]
    assert [(m.get("grade"), m.get("solution"), m.get("locked"), m.get("points")) for m in metas[1:]] == [
        (False, False, True, None),
        (False, True, False, None),
        (True, False, True, 2.0),
        (True, True, False, 1.0),
    ]
    assert 'judge("counting.linear_params", a, points=2)' in nb.cells[3].source
    assert nb.metadata.kernelspec.name == "python3"


ANSWER = '# %% role="answer" name="a"\n### BEGIN SOLUTION\na = 1\n### END SOLUTION\n\n'


@pytest.mark.parametrize(
    "text, rule",
    [
        ("# %%\nx = 1\n", "x.py:1 must have a role"),
        ('# %% role="test"\nx = 1\n', "x.py:1 must have a role out of"),
        ('# %% role="answer" name="a"\nx = 1\n', "must mark its solution"),
        (ANSWER + '# %% role="check" name="b"\ncheck("x.y", a)\n', "x.py:6 must say its points"),
        (ANSWER + '# %% role="check" name="b" points=1\nassert a\n', "exactly one line check"),
        (ANSWER + '# %% role="check" name="b" points=1\ncheck("x", a)\ncheck("y", a)\n', "got 2"),
        (ANSWER + ANSWER, "name of its own, 'a' is taken"),
    ],
)
def test_assignment_errors_name_script_line_and_rule(folder, text, rule):
    with pytest.raises(scripts.RuleError, match=re.escape(rule)):
        assignment(folder, text)


@pytest.mark.parametrize(
    "text, rule",
    [
        ("# %%\n" + "x = 1\n" * 13, "x.py:1 must have at most 12 lines"),
        ("# %%\nimport matplotlib\n", "must not plot"),
        ("# %%\ndef f():\n    pass\n", "must not plot or define functions"),
        ("# %%\nx = 1\n\n# %%\nimport math\n", "x.py:4 must keep its imports in the first"),
    ],
)
def test_lesson_errors_name_script_line_and_rule(folder, text, rule):
    with pytest.raises(scripts.RuleError, match=re.escape(rule)):
        lesson(folder, text)


def test_cell_ids_stay_when_another_cell_is_added(folder):
    before = lesson(folder, "# %%\nx = 1\n\n# %%\ny = 2\n")
    after = lesson(folder, "# %%\nx = 1\n\n# %% [markdown]\n# new\n\n# %%\ny = 2\n")
    assert {c.id for c in before.cells} < {c.id for c in after.cells}


def test_stale_says_which_cell_and_part(tmp_path, folder):
    nb = lesson(folder, "# %%\nx = 1\n")
    path = tmp_path / "x.ipynb"
    assert build.stale(path, nb) == "is missing"
    build.write(path, nb)
    assert build.stale(path, nb) == ""
    path.write_text(path.read_text().replace("x = 1", "x = 2"))
    assert "another source in cell 2" in build.stale(path, nb)


PRODUCT = re.compile(r"(?<![\d.,/x-])((?:[\d,.]+ x )+[\d,.]+) = ([\d,]+(?:\.\d+)?)")


@pytest.mark.parametrize("script", sorted((ROOT / "authoring").glob("*/*.py")), ids=lambda p: p.stem)
def test_products_printed_in_prose_are_right(script):
    for factors, product in PRODUCT.findall(script.read_text()):
        value = 1.0
        for factor in factors.split(" x "):
            value *= float(factor.replace(",", ""))
        assert value == pytest.approx(float(product.replace(",", "")), rel=1e-3), f"{factors} = {product}"


def example(name):
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return re.search(rf"<!-- test: {name} -->\n```python\n(.*?)```", text, re.DOTALL).group(1)


def test_worked_example_exercise_works():
    names = {"Exercise": Exercise, "Absolute": Absolute, "Misconception": Misconception}
    exec(example("exercise"), names)
    exercise = names["POOL_VALUES"]
    assert judge_value(exercise, exercise.given, exercise.expect).right
    for seed in range(50):
        given = variant(exercise, seed)
        assert judge_value(exercise, given, exercise.answer(**given)).right
    assert len(example("exercise").splitlines()) <= 11


def test_worked_example_question_builds(folder):
    nb = assignment(folder, example("question"))
    assert [c.metadata.nbgrader.grade_id for c in nb.cells[1:]] == [
        "given-1",
        "pool-values",
        "pool-values-check",
    ]


# chapters that lessons and assignments must use up, by the first word of their title in the bank
COVERED = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "B", "D", "K", "L", "Q", "R", "T", "W", "X")
COVERED += ("M", "P", "V", "L1.0", "L1.2", "L1.3", "L1.4", "L1.5", "L1.6", "L1.7", "L1.8")


def test_every_exercise_of_the_covered_chapters_is_asked_somewhere():
    text = "".join(p.read_text() for p in (ROOT / "authoring").glob("*/*.py"))
    chapters = {title: exercises for title, exercises in CHAPTERS.items() if title.split(" ")[0] in COVERED}
    assert len(chapters) == len(COVERED)
    missing = [e.id for exercises in chapters.values() for e in exercises if f'"{e.id}"' not in text]
    assert not missing


def test_every_lesson_leads_on_and_every_assignment_is_reached():
    data = build.course()
    reached = {e["assignment"] for e in data["lesson"]}
    named = {e["script"] for e in data["assignment"]}
    assert reached <= named and named - reached <= {"a10_combined"}
    scripts_there = {p.stem for p in (ROOT / "authoring" / "lessons").glob("*.py")}
    assert scripts_there == {e["script"] for e in data["lesson"]}


def test_every_lesson_ends_with_related_lessons_its_assignment_and_its_sources():
    lessons = build.course()["lesson"]
    order = [e["script"] for e in lessons]
    for place, entry in enumerate(lessons):
        assert set(entry["related"]) <= set(order) - {entry["script"]} and len(entry["related"]) >= 2
        links = re.findall(r"\]\((?:[\w./]*/)?(\w+)\.ipynb\)", entry["foot"])
        assert links == [*order[place + 1 : place + 2], *entry["related"], entry["assignment"]]
        sources = entry["foot"].partition("**Sources**\n\n- ")[2]
        assert sources, f"{entry['script']} names no source"


# the order of the published schedule: which lectures teach what
LECTURES = {"pruning": [3, 4], "quantization": [5, 6], "search": [7, 8], "distillation": [9], "llm": [12]}


def test_lecture_numbers_are_those_of_the_schedule():
    said = {e["script"]: e for e in build.course()["lesson"]}
    for topic, numbers in LECTURES.items():
        scripts_of = [s for s in said if s.endswith(topic)]
        assert scripts_of and all(said[s]["lectures"] == numbers for s in scripts_of)
    assert "- Lectures 3 and 4 of MIT 6.5940" in said["10_pruning"]["foot"]
    assert all(said[s]["lectures"] == [1] for s in said if "01" <= s[:2] <= "06")
