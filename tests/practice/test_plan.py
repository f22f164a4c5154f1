"""The plan by the record: done, next, weak, time left; and the data of the book against its scripts."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tinylib.practice import BANK, CHAPTERS
from tinylib.practice.plan import (
    UNITS,
    book,
    concepts,
    first_tries,
    lesson_of,
    minutes_left,
    next_lesson,
    spoken,
    standings,
    stops,
    weak,
)
from tinylib.practice.progress import Answer

START = datetime(2026, 3, 1, tzinfo=UTC)
LESSONS = [p for p in book() if p.is_lesson]
AUTHORING = Path(__file__).parents[2] / "authoring"


def given(*rows):
    """Answers a minute apart from (id, right[, mistake[, seed[, where]]])."""
    return [
        Answer(r[0], "1", r[1], *(r[2:3] or ("",)), START + timedelta(minutes=n), *(r[3:] or (None, "quiz")))
        for n, r in enumerate(rows)
    ]


def test_book_has_every_page_and_its_questions_reach_the_whole_bank():
    assert [p.name for p in LESSONS] == sorted(p.stem for p in (AUTHORING / "lessons").glob("*.py"))
    tasks = [p.name for p in book() if not p.is_lesson]
    assert tasks == sorted(p.stem for p in (AUTHORING / "assignments").glob("*.py"))
    assert {i for p in book() for i in p.asks} >= set(BANK)
    for page in book():
        text = (AUTHORING / ("lessons" if page.is_lesson else "assignments") / f"{page.name}.py").read_text()
        assert page.asks and all(re.search(rf'(quiz|check)\("{i}"', text) for i in page.asks)
        assert set(page.needs) <= {p.name for p in LESSONS}
        assert not page.is_lesson or all(need < page.name for need in page.needs)


def test_a_lesson_is_done_when_each_question_was_right_once():
    first = LESSONS[0]
    rows = [(i, True) for i in first.asks]
    assert not standings(given(*rows[1:]))[0].done
    found = standings(given(*rows, (first.asks[0], False)))
    assert found[0].done and found[0].minutes_left == 0
    assert minutes_left(found) < minutes_left(standings([])) == sum(p.minutes for p in LESSONS)


def test_an_assignment_counts_what_was_answered_in_it():
    task = next(p for p in book() if not p.is_lesson)
    at = book().index(task)
    own = [(i, True if i in BANK else None, "", "a4f0", task.name) for i in task.asks]
    elsewhere = [(i, True, "", None, "quiz") for i in task.asks]
    assert standings(given(*own))[at].done and not standings(given(*elsewhere))[at].right


def test_what_is_only_tried_out_counts_nowhere():
    tried = given(*((i, True, "", None, "") for i in BANK))
    assert not any(s.right for s in standings(tried)) and first_tries(tried) == []


def test_next_is_where_one_is_then_the_first_open_one():
    def name(*rows):
        answers = given(*rows)
        page = next_lesson(standings(answers), answers)
        return page and page.name

    fifth = LESSONS[5]
    assert name() == LESSONS[0].name
    assert name((fifth.asks[0], True)) == fifth.name
    assert name(*((i, True) for i in fifth.asks)) == LESSONS[0].name  # lesson 06 needs 03 as well
    assert name(*((i, True) for p in LESSONS[:6] for i in p.asks)) == LESSONS[6].name
    assert name(*((i, True) for p in LESSONS[5:] for i in p.asks)) == LESSONS[0].name
    assert name(*((i, True) for i in BANK)) is None


def test_weak_needs_three_first_tries_and_half_of_them_missed():
    ids = [e.id for e in CHAPTERS["3 Pruning"]]
    assert weak(given(*((i, False, "m") for i in ids[:2]))) == []
    (found,) = weak(given((ids[0], False, "cut"), (ids[0], True), (ids[1], False, "cut"), (ids[2], True)))
    assert (found.concept, found.missed, found.tried, found.mistake) == ("Pruning", 2, 3, "cut")
    assert found.ids == (ids[0], ids[1])
    assert weak(given(*((i, False) for i in ids[:3]), *((i, True, "", "9") for i in ids))) == []


def test_a_second_try_at_the_same_numbers_is_no_first_try():
    macs = "counting.conv_macs"
    rows = (
        (macs, False),
        (macs, False),
        (macs, True),
        (macs, False),
        (macs, False, "", "review 5", "review"),
    )
    assert [a.time.minute for a in first_tries(given(*rows))] == [0, 3, 4]


def test_units_are_a_concept_of_their_own():
    sizes = [i for i, e in BANK.items() if e.unit in ("MB", "KiB", "GB")][:4]
    found = weak(given(*((i, False, "mixed up MiB and MB") for i in sizes)), most=9)
    assert UNITS in [w.concept for w in found]
    others = weak(given(*((i, False, "That is the FLOP count.") for i in sizes)), most=9)
    assert UNITS not in [w.concept for w in others]


def test_every_question_has_a_concept_and_a_lesson_that_teaches_it():
    assert set(concepts()) == set(BANK)
    assert all(lesson_of(i) in LESSONS for i in BANK) and lesson_of("nothing.here") is None


def test_stops_carry_each_assignment_once_and_lead_to_files():
    lessons, tasks = stops(standings([]))
    opened = [t for s in lessons for t in s.tasks]
    assert sorted(opened) == sorted(t.number for t in tasks) and len(set(opened)) == len(tasks)
    assert lessons[3].link == "03_macs.ipynb" and tasks[0].link.startswith("../exercises/a01")


@pytest.mark.parametrize(
    "minutes, words",
    [
        (0, "0 min"),
        (0.4, "5 min"),
        (17, "15 min"),
        (60, "1 h"),
        (64, "1 h 5 min"),
        (599, "10 h"),
        (1104, "18 h"),
    ],
)
def test_durations_are_said_to_five_minutes(minutes, words):
    assert spoken(minutes) == words
