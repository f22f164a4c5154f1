"""Record, boxes, fresh numbers: what is kept of an answer and what comes again, whatever the file holds."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinylib.practice import BANK, check, progress, variant
from tinylib.practice import assignment as assignment_module
from tinylib.practice.progress import Answer
from tinylib.practice.review import BOXES, cards, due, fresh_seed, wait

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MACS, SIZE = "counting.conv_macs", "metrics.model_size_fp32"


def answer(exercise_id, right, days=0.0, seed=None, where="quiz", value="1"):
    """An answer given so many days before NOW."""
    return Answer(exercise_id, value, right, "", NOW - timedelta(days=days), seed, where)


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setattr(assignment_module, "_current", assignment_module.Assignment())
    for name in ("NBGRADER_EXECUTION", "JUPYTERHUB_USER", "TINYML_SEALED_STUDENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TINYML_PROGRESS", str(tmp_path / "progress.jsonl"))
    return tmp_path / "progress.jsonl"


# ---- boxes


def test_waits_double_from_a_day():
    days = [round((wait(box) + timedelta(hours=6)) / timedelta(days=1)) for box in range(1, BOXES + 1)]
    assert days == [1, 2, 4, 8, 16]
    with pytest.raises(ValueError, match="between 1 and 5, got 0"):
        wait(0)


def test_wrong_comes_back_the_next_day_and_not_before():
    found = cards([answer(MACS, False)], NOW)
    assert [(c.id, c.box, c.wrong) for c in found] == [(MACS, 1, 1)]
    assert due(found, NOW + timedelta(hours=17)) == []
    assert due(found, NOW + timedelta(hours=18)) == found  # the evening's question, the next afternoon


def test_right_on_its_day_moves_up_until_it_is_known():
    given, day = [answer(MACS, False, 40)], 40.0
    for box in range(1, BOXES + 1):
        assert cards(given, NOW)[0].box == box
        day -= 2 ** (box - 1)
        given.append(answer(MACS, True, day))
    assert day > 0 and cards(given, NOW) == []


def test_right_before_its_day_moves_nothing_and_wrong_starts_again():
    early = cards([answer(MACS, False, 1), answer(MACS, True, 0.9)], NOW)
    assert early == cards([answer(MACS, False, 1)], NOW)
    up = [answer(MACS, False, 9), answer(MACS, True, 8), answer(MACS, True, 6)]
    assert cards(up, NOW)[0].box == 3
    again = cards([*up, answer(MACS, False, 1)], NOW)[0]
    assert (again.box, again.wrong, again.due) == (1, 2, NOW - timedelta(days=1) + wait(1))


def test_only_answers_that_were_meant_count():
    for one in (
        answer(MACS, True),  # never wrong
        answer(MACS, None),  # judged at grading
        answer(MACS, False, where=""),  # a check tried out in a cell, as lesson 00 does
        answer(MACS, False, value=""),  # an empty box
        answer("a01.largest_map", False),  # not in the bank
    ):
        assert cards([one], NOW) == []


def test_an_answer_from_a_clock_ahead_counts_as_given_now():
    assert cards([answer(MACS, False, -400)], NOW)[0].due == NOW + wait(1)


def test_five_are_asked_low_boxes_first_then_the_longest_waiting():
    ids = list(BANK)[:7]
    given = [answer(i, False, 30 - n) for n, i in enumerate(ids)]
    given.append(answer(ids[0], True, 20))
    asked = [c.id for c in due(cards(given, NOW), NOW)]
    assert asked == ids[1:6]


# ---- fresh numbers


@pytest.mark.parametrize("seed", [None, "review 1"])
def test_every_exercise_with_draws_comes_back_with_other_numbers(seed):
    moved = 0
    for exercise in BANK.values():
        given = [answer(exercise.id, False, 2, seed)]
        again = fresh_seed(exercise, given)
        assert not exercise.draws or variant(exercise, again) != variant(exercise, seed), exercise.id
        moved += bool(exercise.draws)
    assert moved > 160


def test_numbers_stay_fresh_review_after_review():
    exercise, given, seen = BANK[MACS], [answer(MACS, False, 20)], [dict(BANK[MACS].given)]
    for n in range(10):
        seed = fresh_seed(exercise, given)
        assert seed == fresh_seed(exercise, given)  # the same record asks the same
        assert variant(exercise, seed) not in seen
        seen.append(variant(exercise, seed))
        given.append(answer(MACS, n % 2 == 0, 19 - n, seed, "review"))


# ---- the record


def test_answers_keep_seed_and_place(record, tmp_path):
    data = {"assignment": "a01_x", "salt": "s", "bank": [SIZE], "digest": "", "private": {}, "functions": {}}
    (tmp_path / "release.json").write_text(json.dumps({**data, "questions": [SIZE]}))
    check(SIZE, 12.97)
    opened = assignment_module.begin("ada", tmp_path / "release.json")
    check(SIZE, (1, "x"))
    check(SIZE, None)  # an untouched notebook that is run through is no answer
    tried, handed = progress.answers()
    assert (tried.where, tried.seed, tried.value) == ("", None, "12.97")
    assert handed.where == "a01_x" and handed.value and handed.right is False
    assert variant(BANK[SIZE], handed.seed) == opened.numbers(SIZE) != BANK[SIZE].given


HOSTILE = [
    b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"id": 3}', b'{"id": null, "right": true}', b"\xff\xfe\x00",
    b"[" * 15_000, b'{"id": "x", "value": ' + b"9" * 6_000 + b"}", b'{"id": "' + b"x" * 30_000 + b'"}',
    b'{"id": "counting.conv_macs", "right": false, "value": "1", "where"',
]  # fmt: skip
ODD = [
    {"id": MACS, "time": 7, "value": ["x"], "right": "no", "mistake": {"a": 1}, "seed": [1], "where": 3},
    {"id": MACS, "time": "9999-12-31T23:59:59-23:59", "right": False, "value": "1"},
    {"id": MACS, "time": "0001-01-01T00:00:00+23:59", "right": False, "value": "\ud800\x1b[2J"},
    {"id": "<script>alert(1)</script>", "right": False, "value": "=1+1", "seed": "x" * 9_999},
    {"id": MACS, "time": "2026-03-01T10:00:00", "right": False, "value": "2", "seed": "\0"},
]


def test_damaged_and_odd_lines_cost_themselves_alone(record):
    lines = [*HOSTILE, *(json.dumps(row).encode() for row in ODD)]
    record.write_bytes(b"\n".join(lines))  # the last line without its end
    progress.append(MACS, "28.9", False, "twice", "1", "quiz")
    found = progress.answers()
    assert len(found) == len(ODD) + 1
    assert found[-1].value == "28.9" or found[-1].time > NOW  # the new line stands by itself
    assert "28.9" in [a.value for a in found] and all(a.time.tzinfo for a in found)
    (card,) = cards(found, NOW)
    assert card.id == MACS and card.wrong == 4
    assert variant(BANK[MACS], fresh_seed(BANK[MACS], found))


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_whatever_the_file_holds_it_is_read(tmp_path_factory, lines):
    file = tmp_path_factory.mktemp("r") / "p"
    file.write_bytes(b"\n".join([*lines, json.dumps({"id": MACS, "right": True}).encode()]))
    assert progress.answers(file)[-1].id == MACS or any(b'"id"' in line for line in lines)


def test_a_folder_in_place_of_the_file_is_no_record(record):
    record.mkdir()
    progress.append(MACS, "1", True, None)
    assert progress.answers() == []


def test_two_notebooks_write_at_once(record):
    code = (
        "from tinylib.practice import progress\n"
        "for n in range(400):\n"
        "    progress.append('counting.conv_macs', 'x' * (n % 290), True, 'm' * 200, n, 'quiz')"
    )
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [p.wait() for p in running] == [0, 0, 0]
    assert len(progress.answers()) == 1200
    assert sorted(a.seed for a in progress.answers()) == sorted([str(n) for n in range(400)] * 3)
