"""Drills and the record in a terminal: what a learner types, what is said, kept and taken along."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tinylib.practice import BANK, CHAPTERS, progress, variant
from tinylib.practice.__main__ import main
from tinylib.practice.drill import Outcome, chosen, drill
from tinylib.practice.plan import book
from tinylib.practice.progress import Answer
from tinylib.practice.record import as_csv, as_json, table

NOW = datetime.now(UTC)
MACS, FIT = "counting.conv_macs", next(i for i, e in BANK.items() if e.choices)
PRUNING = [e.id for e in CHAPTERS["3 Pruning"]]


def answer(exercise_id, right, days=2.0, mistake="", where="quiz", value="1"):
    return Answer(exercise_id, value, right, mistake, NOW - timedelta(days=days), None, where)


def typed(lines):
    """(ask, said): answers line by line, then the end of input; what was said is collected."""
    waiting, said = iter(lines), []

    def ask(prompt):
        said.append(prompt)
        try:
            return next(waiting)
        except StopIteration:
            raise EOFError from None

    return ask, said


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYML_PROGRESS", str(tmp_path / "progress.jsonl"))
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    return tmp_path / "progress.jsonl"


def test_drill_names_the_mistake_gives_hints_and_records(record):
    exercise = BANK[MACS]
    given = variant(exercise, "drill 0")
    right = exercise.answer(**given)
    ask, said = typed(["?", str(2 * right), f"{right} MMAC", "", "?"])
    outcome = drill([exercise, BANK[PRUNING[0]], BANK[FIT]], ["drill 0"] * 3, ask, said.append)
    text = "\n".join(said)
    assert exercise.text(given) in text and "Hint 1 of 2" in text
    assert "That is the FLOP count" in text and "✓ Right." in text and "Left out." in text
    assert BANK[FIT].choices[0] in text  # what may be chosen is said before one answers
    assert outcome == Outcome(asked=2, right=1, first=0)
    assert str(outcome) == "1 of 2 right, 0 at the first try."
    assert [(a.id, a.right, a.seed, a.where) for a in progress.answers()] == [
        (MACS, False, "drill 0", "drill"),
        (MACS, True, "drill 0", "drill"),
    ]


def test_words_in_a_drill_are_no_try_and_stay_off_the_record(record):
    ask, said = typed(["exit", "5 k", "1/2", ""])
    assert drill([BANK[MACS]], ["9"], ask, said.append) == Outcome(asked=1, right=0, first=0)
    assert said[-1] == "Left out." and not record.exists()


def test_a_question_left_in_the_middle_counts_once_it_was_answered(record):
    ask, said = typed(["1"])  # then Ctrl-D
    assert drill([BANK[MACS]], ["9"], ask, said.append) == Outcome(asked=1, right=0, first=0)
    ask, said = typed(["?"])
    assert drill([BANK[MACS]], ["9"], ask, said.append) == Outcome(asked=0, right=0, first=0)


def test_a_number_with_its_choice_is_right(record):
    exercise = BANK[FIT]
    given = variant(exercise, "x")
    ask, said = typed([f"{exercise.answer(**given)} {exercise.shown_unit}, {exercise.choice(**given)}"])
    assert drill([exercise], ["x"], ask, said.append).first == 1, said


def test_giving_up_after_a_try_tells_the_answer(record):
    ask, said = typed(["1", ""])
    drill([BANK[MACS]], ["9"], ask, said.append)
    assert f"{BANK[MACS].answer(**variant(BANK[MACS], '9')):,.6g}" in said[-1]


def test_what_is_asked_follows_the_record():
    def ids(kind, answers=(), count=5):
        return [e.id for e in chosen(kind, count, list(answers), NOW)]

    first = book()[0].asks
    assert ids("") == list(first)
    assert ids("", [answer(MACS, False)])[0] == MACS  # what is due comes first
    assert ids("3") == PRUNING
    assert ids("3", [answer(PRUNING[0], True)], 4) == PRUNING[1:]
    assert ids("review") == [] and ids("review", [answer(PRUNING[1], False)]) == [PRUNING[1]]
    assert ids("weak") == []
    assert set(ids("weak", [answer(i, False) for i in PRUNING[:3]])) == set(PRUNING)
    with pytest.raises(ValueError, match="chapter must be one of"):
        ids("99")
    with pytest.raises(ValueError, match="count must lie between 1 and 100, got 0"):
        ids("3", count=0)


def run(folder, *words, typed="", **env):
    clean = {k: v for k, v in os.environ.items() if k not in ("TINYML_PROGRESS", "NBGRADER_EXECUTION")}
    command = [sys.executable, "-m", "tinylib.practice", *words]
    return subprocess.run(
        command, cwd=folder, input=typed, env={**clean, **env}, capture_output=True, text=True
    )


def test_terminal_finds_the_record_of_the_lessons_in_my(tmp_path):
    below = tmp_path / "my" / "lessons"
    below.mkdir(parents=True)
    done = run(below, "drill", "3", "--count", "1", "--seed", "x", typed="1e9\n")
    assert done.returncode == 0 and "1 of 1. " in done.stdout and "✗ Not yet" in done.stdout, done.stderr
    (kept,) = progress.answers(tmp_path / "my" / "progress.jsonl")
    assert kept.id == PRUNING[0] and kept.value == "1e9" and kept.where == "drill"
    shown = run(below, "record")
    assert shown.returncode == 0 and PRUNING[0] in shown.stdout and "tomorrow" in shown.stdout


def test_without_lessons_nothing_is_written_and_the_numbers_differ(tmp_path):
    first, second = (run(tmp_path, "drill", "3", "--count", "3").stdout for _ in range(2))
    assert first.startswith("A number with or without unit") and first != second
    assert "Answers are not recorded: no my/lessons" in first
    assert list(tmp_path.iterdir()) == []


def test_drill_says_that_its_record_cannot_be_written(tmp_path):
    done = run(tmp_path, "drill", "3", "--count", "1", TINYML_PROGRESS=str(tmp_path / "gone" / "p.jsonl"))
    assert done.returncode == 0 and "Answers are not recorded: " in done.stdout, done.stderr


def test_terminal_without_the_tick_sign_and_an_odd_byte_end_no_drill(record):
    command = [sys.executable, "-m", "tinylib.practice", "drill", "3", "--count", "1"]
    for encoding, keys in (("ascii", b"1e9\n\n"), ("utf-8", b"\xff5\n\n")):
        env = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"}
        done = subprocess.run(command, input=keys, env=env, capture_output=True)
        assert done.returncode == 0 and b"Not yet" in done.stdout, done.stderr
        assert b"0 of 1 right" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_prompt_breaks_between_words_in_a_narrow_terminal(record):
    import pty

    main_end, end = pty.openpty()
    command = [sys.executable, "-m", "tinylib.practice", "drill", "3", "--count", "1", "--seed", "x"]
    env = {**os.environ, "COLUMNS": "40", "LINES": "24"}
    subprocess.run(command, input=b"", stdout=end, env=env, check=True)
    os.close(end)
    said = os.read(main_end, 9999).decode().replace("\r", "")
    os.close(main_end)
    assert max(map(len, said.split("\n"))) < 40
    assert BANK[PRUNING[0]].text(variant(BANK[PRUNING[0]], "x 0")) in " ".join(said.split("\n"))


def test_commands_refuse_in_one_sentence(record, capsys):
    assert main(["drill", "99"]) == 2 and main(["drill", "--count", "0"]) == 2
    assert main(["record", "--csv", "/no/such/folder/x.csv"]) == 2 and main(["dril"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 4 and all(e.startswith("tinylib.practice: ") for e in errors)
    assert "/no/such/folder/x.csv: no such file or directory" in errors[2]
    assert "or be a command: worksheet or drill or record, got 'dril'" in errors[3]
    assert main([]) == 2 and "drill [CHAPTER|--weak|--review]" in capsys.readouterr().err
    assert main(["drill", "--review"]) == 0 and main(["record"]) == 0
    said = capsys.readouterr().out
    assert "Nothing is due" in said and "Nothing is recorded yet" in said


# ---- export

ODD = [
    answer(MACS, False, 2, "twice", value="=1+1"),
    answer(MACS, True, 1, value="-5"),
    answer("a01.largest_map", None, 1, where="a01_metrics", value="\x1b[2J\nx"),
    Answer("<b>", "1", None, "", progress.LONG_AGO, "\0", "quiz"),
]


def test_csv_holds_every_answer_and_nothing_that_a_spreadsheet_runs():
    rows = list(csv.DictReader(io.StringIO(as_csv(ODD))))
    assert [r["id"] for r in rows] == [MACS, MACS, "a01.largest_map", "<b>"]
    assert [r["right"] for r in rows] == ["no", "yes", "", ""]
    assert [r["value"] for r in rows[:2]] == ["'=1+1", "-5"] and "\x1b" not in as_csv(ODD)
    assert rows[0]["concept"] == "Counting" and rows[0]["unit"] == "MMAC" and rows[3]["time"] == ""


def test_json_holds_the_same_and_can_be_empty():
    rows = json.loads(as_json(ODD))
    assert [r["right"] for r in rows] == [False, True, None, None] and rows[0]["value"] == "=1+1"
    assert json.loads(as_json([])) == []


def test_table_fits_its_width_and_steers_no_terminal():
    odd = [*ODD, answer(MACS, False, 1, "\x1b[2J" + "x" * 300)]
    text = table(odd, NOW, width=72)
    assert max(map(len, text.split("\n\n")[0].splitlines())) <= 72 and "\x1b" not in text
    assert "1 of 188 questions right, 3 answers given." in text


def test_export_to_a_file(record, tmp_path, capsys):
    progress.append(MACS, "28.9", False, "twice", None, "quiz")
    assert main(["record", "--csv", str(tmp_path / "out.csv")]) == 0
    assert (tmp_path / "out.csv").read_text().splitlines()[1].split(",")[1] == MACS
    assert main(["record", "--json"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("1 answers are in ") and '"value": "28.9"' in printed
