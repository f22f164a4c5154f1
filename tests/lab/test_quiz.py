"""Quiz boxes and questions, driven through their widgets without a browser."""

import json

import pytest

from tinylib.lab import question, quiz
from tinylib.practice import BANK
from tinylib.practice import assignment as assignment_module


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr(assignment_module, "_current", assignment_module.Assignment())
    monkeypatch.delenv("TINYML_PROGRESS", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


def answer(box, text):
    box.answer.value = text
    return box.reply.value


def test_enter_gives_the_named_mistake_then_the_right_answer():
    box = quiz("counting.conv_macs")
    assert "That is the FLOP count" in answer(box, "28.9")
    assert "Right" in answer(box, "14.45 MMAC")
    assert box.tries == 1


def test_the_same_answer_twice_is_one_try():
    box = quiz("counting.conv_macs")
    answer(box, "1")
    box.buttons["Check"].click()
    assert box.tries == 1


def test_hints_then_solution_only_after_two_tries():
    box = quiz("counting.ffn_macs")
    said = []
    for _ in range(3):
        box.buttons["Hint"].click()
        said.append(box.reply.value)
    assert "Hint 1 of 2" in said[0] and "Hint 2 of 2" in said[1] and "No more hints" in said[2]
    answer(box, "1")
    answer(box, "2")
    box.buttons["Hint"].click()
    assert "Worked solution" in box.reply.value and "1,048,576" in box.reply.value


def test_new_numbers_ask_again_from_the_start():
    box = quiz("counting.conv_macs")
    answer(box, "1")
    box.buttons["New numbers"].click()
    assert box.given != BANK["counting.conv_macs"].given and box.tries == 0 and box.answer.value == ""
    assert "Right" in answer(box, str(BANK["counting.conv_macs"].answer(**box.given)))


def test_odd_text_is_answered_not_raised():
    box = quiz("metrics.ridge_point")
    assert "<script>" not in answer(box, "<script>alert(1)</script>")
    assert "Not yet" in box.reply.value


def test_a_slip_of_the_keyboard_is_no_try_and_stays_off_the_record(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYML_PROGRESS", str(tmp_path / "progress.jsonl"))
    box = quiz("counting.conv_macs")
    for text in ("about ten", "5 k", "1/2", "14,5", "exit"):
        assert "Not yet" in answer(box, text)
    assert box.tries == 0 and not (tmp_path / "progress.jsonl").exists()
    answer(box, "5 KB")  # read, and wrong
    assert box.tries == 1 and (tmp_path / "progress.jsonl").exists()


@pytest.mark.parametrize(
    "exercise_id, empty, wrong_unit",
    [
        ("kd.param_ratio", "a factor", "asks for a factor, and KB"),
        ("pruning.obd", "a number", "asks for a plain number, and KB"),
        ("counting.conv_macs", "a number, in MMAC", "asks for MMAC, and KB"),
    ],
)
def test_a_box_says_in_words_what_it_asks_for(exercise_id, empty, wrong_unit):
    box = quiz(exercise_id)
    assert box.answer.placeholder == empty
    assert wrong_unit in answer(box, "5 KB")


@pytest.mark.parametrize(
    "text, rule",
    [
        ("5 k", "asks for MMAC"),
        ("1/2", "worked out"),
        ("2^10", "worked out"),
        ("14,5", "point as decimal sign"),
        ("five", "asks for MMAC"),
    ],
)
def test_an_answer_that_cannot_be_read_is_told_how_to_write_it(text, rule):
    assert rule in answer(quiz("counting.conv_macs"), text).replace("&#x27;", "'")


def test_check_shows_its_verdict_again_after_a_hint():
    box = quiz("metrics.ridge_point")
    wrong = answer(box, "0.25")
    box.buttons["Hint"].click()
    assert box.reply.value != wrong
    box.buttons["Check"].click()
    assert box.reply.value == wrong and box.tries == 1


def test_half_an_answer_asks_for_the_other_half(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYML_PROGRESS", str(tmp_path / "progress.jsonl"))
    box = quiz("act.fits_512k")
    assert "must also say" in answer(box, "5") and "the number alone" in box.reply.value
    box.answer.value = ""
    box.choice.value = box.exercise.choices[0]
    box.buttons["Check"].click()
    assert "No answer yet: the question asks for %." in box.reply.value
    assert box.tries == 0 and not (tmp_path / "progress.jsonl").exists()


def test_answers_go_on_record(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYML_PROGRESS", str(tmp_path / "progress.jsonl"))
    answer(quiz("metrics.ridge_point"), "0.25")
    row = json.loads((tmp_path / "progress.jsonl").read_text())
    assert row["id"] == "metrics.ridge_point" and not row["right"] and "Upside down" in row["mistake"]


def test_saved_form_has_prompt_in_words_and_html():
    data = quiz("metrics.ridge_point")._repr_mimebundle_()
    assert "200,000,000 FLOP/s" in data["text/plain"] and "200,000,000" in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_unknown_id_names_the_nearest():
    with pytest.raises(KeyError, match=r"did you mean 'counting.ffn_macs'"):
        quiz("counting.ffn_mac")
    with pytest.raises(KeyError, match="no exercise has the id"):
        question("nothing.like_it")


def test_question_holds_its_numbers_as_attributes(capsys):
    q = question("counting.conv_macs")
    assert (q.k, q.c_in, q.c_out, q.h, q.w) == (3, 32, 64, 28, 28)
    assert "28 x 28" in repr(q) and "28 x 28" in capsys.readouterr().out
