"""Tickets rebuild a learner's numbers; worksheets carry the answers to what they ask."""

import json
import subprocess
import sys

import pytest

from tinylib.practice import BANK, CHAPTERS, begin
from tinylib.practice import assignment as assignment_module
from tinylib.practice.__main__ import explain, main
from tinylib.practice.worksheet import worksheet

SIZE, FLOP = "metrics.model_size_fp32", "metrics.mac_to_flop"
PRIVATE = {"title": "", "prompt": "{k} what?", "given": {"k": 3}, "draws": {"k": [5, 7]}, "unit": "MB"}


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder with one release, opened by ada."""
    data = {"assignment": "a07_test", "salt": "s", "bank": [SIZE, FLOP], "digest": ""}
    data |= {"private": {"a07.q": PRIVATE}, "functions": {"a07.f": {"examples": []}}}
    data["questions"] = [SIZE, FLOP, "a07.q", "a07.f"]
    folder = tmp_path / "exercises" / "a07_test"
    folder.mkdir(parents=True)
    (folder / "release.json").write_text(json.dumps(data))
    monkeypatch.setattr(assignment_module, "_current", assignment_module.Assignment())
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.chdir(tmp_path)
    return begin("ada", folder / "release.json")


@pytest.mark.parametrize("exercise_id", [SIZE, FLOP])
def test_ticket_gives_back_prompt_steps_and_answer(course, exercise_id):
    ticket = course.ticket(exercise_id)
    numbers, exercise = course.numbers(exercise_id), BANK[exercise_id]
    said = explain(ticket)
    assert exercise.text(numbers) in said and all(step in said for step in exercise.steps(**numbers))
    assert explain(ticket.lower()) == said


def test_ticket_without_a_student_names_the_printed_numbers(course):
    assert BANK[SIZE].text(BANK[SIZE].given) in explain("a07-1")


def test_private_and_function_questions_keep_their_answer(course):
    numbers = course.numbers("a07.q")
    assert f"{numbers['k']} what?" in explain(course.ticket("a07.q"))
    assert "private question" in explain(course.ticket("a07.q"))
    assert "the function a07.f" in explain("a07-4-0000")


@pytest.mark.parametrize(
    "ticket, message",
    [
        ("", "must look like"),
        ("a07", "must look like"),
        ("a07-9-7F3C", "questions 1 to 4"),
        ("z9-1", "found none"),
    ],
)
def test_wrong_tickets_are_one_sentence(course, ticket, message, capsys):
    assert main([ticket]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("title", CHAPTERS)
def test_every_chapter_prints_as_a_worksheet(title):
    text = worksheet(title.split(" ")[0], 3)
    *sheets, answers = text.split("\f\n")
    assert len(sheets) == 3 and answers.count("sheet ") == 3
    assert all(f"{len(CHAPTERS[title])}. " in sheet for sheet in sheets)


def test_worksheet_from_the_command_line():
    command = [sys.executable, "-m", "tinylib.practice", "worksheet"]
    done = subprocess.run([*command, "3", "--seeds", "2"], capture_output=True, text=True)
    assert done.returncode == 0 and "3 Pruning: sheet 2" in done.stdout
    done = subprocess.run([*command, "99"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "chapter must be one of" in done.stderr
