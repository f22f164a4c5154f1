"""Trials: a plain value is tried out on the trusted side, in limits; what fails there is never a zero."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grading import keys
from grading.judging import trial
from grading.judging.asks import read_paper
from grading.judging.judge import judge_trial
from grading.judging.trial import NotTried
from grading.pages.class_slides import fresh
from grading.pages.feedback import name_of
from grading.pages.preview import asked
from grading.stock import verdict as stock_verdict
from tests.grading.sandboxed import alive, descendants
from tinylib.practice import assignment as assignment_module
from tinylib.practice.assignment import Assignment, Private
from tinylib.practice.check import feedback_on
from tinylib.practice.exercise import digest

ROOT = Path(__file__).resolve().parents[2]

KEY = '''
import os, time
from grading.keys import Trial

class MissingTool(RuntimeError):
    pass

def attempt(value, given, rng):
    """Counts its calls, so that a test sees which verdicts were kept."""
    with open(os.path.join(os.path.dirname(__file__), "calls"), "a") as file:
        file.write("x")
    if value == "missing":
        raise MissingTool("the cross compiler is missing: get it by `make lab EXTRAS=device`")
    if value == "loop":
        while True:
            pass
    if value == "sleep":
        time.sleep(60)
    if value == "memory":
        return float(len(bytearray(64 * 2**30))), ""
    if value == "left":
        os._exit(7)
    if value == "loud":
        print("a line on standard output")
    if value == "odd":
        return 2, "too much"
    if not isinstance(value, list):
        return 0.0, "The answer must be a list."
    hidden = rng.int(0, 10**9)
    return (0.5 if sum(value) > given["most"] else 1.0), f"Sum {sum(value)}, hidden {hidden}."

T = Trial("t.sum", attempt, "tinylib.units:format_quantity", "At most {most}.", {"most": 6},
          {"most": (4, 5)}, seconds=2)
'''


@pytest.fixture
def item(tmp_path, monkeypatch):
    monkeypatch.setenv(trial.FOLDER_VARIABLE, str(tmp_path / "kept"))
    (tmp_path / "x.py").write_text(KEY)
    return keys.load(tmp_path / "x.py")["t.sum"]


def calls(item) -> int:
    path = Path(item.source).with_name("calls")
    return len(path.read_text()) if path.exists() else 0


def test_share_and_sentence_come_from_the_key(item):
    assert trial.held(item, {"most": 6}, [1, 2, 3], "seed")[0] == 1.0
    share, said = trial.held(item, {"most": 5}, [1, 2, 3], "seed")
    assert share == 0.5 and said.startswith("Sum 6, hidden ")
    assert trial.held(item, {"most": 5}, "loud", "seed") == (0.0, "The answer must be a list.")


def test_same_value_numbers_and_secret_are_tried_once(item):
    first = trial.held(item, {"most": 6}, [1], "seed")
    assert trial.held(item, {"most": 6}, [1], "seed") == first and calls(item) == 1
    assert trial.held(item, {"most": 6}, [1], "other")[1] != first[1] and calls(item) == 2


def test_a_changed_key_is_tried_again(item):
    trial.held(item, {"most": 6}, [1], "seed")
    path = Path(item.source)
    path.write_text(KEY.replace("The answer", "An answer"))
    os.utime(path, ns=(1, 1))
    trial.held(keys.load(path)["t.sum"], {"most": 6}, [1], "seed")
    assert calls(item) == 2


def test_a_kept_verdict_cannot_be_laid_there_without_the_secret(item, tmp_path):
    trial.held(item, {"most": 6}, [1], "seed")
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_text('{"share": 1, "said": ')  # damaged: tried again
    assert trial.held(item, {"most": 6}, [1], "seed")[0] == 1.0 and calls(item) == 2
    trial.held(item, {"most": 6}, [2], "seed")
    assert len(list((tmp_path / "kept").iterdir())) == 2


@pytest.mark.parametrize(
    "value, words",
    [
        ("missing", "could not be held: the cross compiler is missing"),
        ("loop", "ended with signal"),
        ("memory", "MemoryError"),
        ("left", "ended with status 7"),
        ("odd", "a share must lie in 0 .. 1, got 2"),
    ],
)
def test_what_fails_in_a_trial_is_raised_and_not_kept(item, value, words, tmp_path):
    with pytest.raises(NotTried, match=words):
        judge_trial(item, [{"most": 6}], value, "seed")
    assert not (tmp_path / "kept").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's end")
def test_a_trial_ends_with_a_grader_that_is_killed(item):
    code = (
        "import sys; from pathlib import Path; from grading import keys; from grading.judging import trial\n"
        "trial.held(keys.load(Path(sys.argv[1]))['t.sum'], {}, 'sleep', 'seed')"
    )
    before, end = set(descendants()), time.monotonic() + 60
    with subprocess.Popen([sys.executable, "-c", code, item.source], cwd=ROOT) as grader:
        while not calls(item) and time.monotonic() < end:
            time.sleep(0.05)
        started = sorted(set(descendants()) - before - {grader.pid})
        assert alive(started) == started != []
        grader.kill()
    while alive(started) and time.monotonic() < end - 15:
        time.sleep(0.05)
    assert alive(started) == [], "it would have slept for a minute"


def test_a_trial_that_waits_is_ended(item, monkeypatch):
    monkeypatch.setattr(trial, "WALL", 0.25)
    with pytest.raises(NotTried, match=r"took longer than 0\.5 s"):
        trial.held(item, {}, "sleep", "seed")


@pytest.mark.parametrize(
    "value, words",
    [
        (None, "No answer yet."),
        (object(), "must be a number, text, list or array, got an object"),
        ([float("nan")], "finite"),
        ([10**5000], "at most 4,300 digits"),
        ([0] * 100_001, "at most 100,000 values"),
        (lambda: 1, "a function"),
        ([[[[[[[[[[1]]]]]]]]]], "nested deeper"),
    ],
)
def test_what_is_no_plain_value_gets_zero_and_no_process(item, value, words):
    found = judge_trial(item, [{"most": 6}], value, "seed")
    assert (found.right, found.share) == (False, 0.0) and words in found.message and calls(item) == 0


def test_the_better_of_two_sets_of_numbers_counts(item):
    assert judge_trial(item, [{"most": 4}, {"most": 5}], [5], "seed").right
    assert calls(item) == 2
    assert judge_trial(item, [{"most": 5}, {"most": 4}], [5], "seed").right and calls(item) == 2


def test_seeds_are_the_same_for_a_class_and_unknown_without_the_secret(monkeypatch):
    monkeypatch.delenv(keys.SECRET_VARIABLE, raising=False)
    first = keys.trial_seed("salt", "t.sum")
    assert first == keys.trial_seed("salt", "t.sum") != keys.trial_seed("salt", "t.other")
    monkeypatch.setenv(keys.SECRET_VARIABLE, "private")
    assert keys.trial_seed("salt", "t.sum") != first


RELEASED = Private("t.sum", "At most {most}.", {"most": 6}, {}, "", "Sum", "tinylib.units:format_quantity")


def sheet(form: str) -> Assignment:
    private = Private("t.sum", "At most {most}.", {"unit": "ms"}, {}, "", "Sum", form)
    return Assignment("x", "salt", private={"t.sum": private})


def test_stock_and_sealed_judge_alike(item, monkeypatch, tmp_path):
    monkeypatch.setenv(keys.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    opened = Assignment("x", "salt", student="ada", private={"t.sum": RELEASED})
    numbers = [opened.numbers("t.sum")]
    for value in ([1, 2], [9, 9], "text", None):
        sealed = judge_trial(item, numbers, value, keys.trial_seed("salt", "t.sum"))
        assert stock_verdict(opened, "t.sum", value) == sealed


@pytest.mark.parametrize(
    "value, right, words",
    [
        (None, False, "No answer yet"),
        (12.5, None, "12.5 ms. The rest is judged at grading."),
        (object(), False, "must be a number, text, list or array"),
        ("abc", False, "Value must be a number, got 'abc'."),
    ],
)
def test_in_lab_the_form_is_looked_at_and_the_rest_noted(value, right, words):
    found = feedback_on(sheet("tinylib.units:format_quantity"), "t.sum", value)
    assert found.right is right and found.share == 0 and words in found.message


@pytest.mark.parametrize("form", ["os:system", "tinylib.units", "tinylib..units:x", "tinylib.units:format.x"])
def test_a_form_is_a_function_of_the_library(form):
    found = feedback_on(sheet(form), "t.sum", 1)
    assert found.right is False and "must be a function tinylib.module:name" in found.message


def test_a_form_that_is_not_there_is_said(monkeypatch):
    found = feedback_on(sheet("tinylib.nowhere:at_all"), "t.sum", 1)
    assert found.right is None and "cannot be looked at here" in found.message


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    monkeypatch.setattr(assignment_module, "_current", Assignment())


STOCK = """
from grading.stock import judge
from tinylib.practice import assignment as a

q = a.Private("t.sum", "", {"most": 6}, {}, "", "", "tinylib.units:kept")
a._current = a.Assignment("x", "salt", "ada", a_digest, private={"t.sum": q})
print(judge("t.sum", ANSWER, points=4))
"""


@pytest.mark.parametrize(
    "answer, status, words",
    [("[1, 2]", 0, "4.0"), ("'missing'", 3, "the cross compiler is missing: get it by")],
)
def test_in_stock_autograding_a_missing_tool_ends_the_kernel(item, answer, status, words, tmp_path):
    """nbgrader then leaves the work ungraded: there is no zero for what the grader lacks."""
    code = STOCK.replace("a_digest", repr(digest({}))).replace("ANSWER", answer)
    env = {**os.environ, "NBGRADER_EXECUTION": "autograde", keys.FOLDER_VARIABLE: str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    assert words in done.stdout + done.stderr


def test_a_trial_is_previewed_and_has_no_slides_of_fresh_variants(item):
    assert list(fresh(item, "network")) == []
    sheet = read_paper(ROOT / "exercises" / "a16_capstone", ROOT / "solutions" / "a16_capstone")
    shown = [
        one for one in asked(sheet, "ada") if "B of flash" in one.prompt and "instructions" in one.prompt
    ]
    assert len(shown) == 1 and shown[0].answer == "tried out at grading"
    kinds = {q.id: q.kind for q in sheet.questions}
    assert kinds["a16.network"] == "trial" and name_of(sheet, sheet.questions[-1]) == "Ship it"
