"""The class report: statistics by hand and in closed form; a page offline, safe and true to the marks."""

import argparse
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.book.course import HERE, Course
from grading.judging.verdict import Flag, Mark, Verdict, copied
from grading.pages import class_figures
from grading.pages.class_report import Class, add_command, page
from grading.pages.class_slides import VARIANTS, fresh
from grading.pages.class_statistics import (
    FEWEST,
    Work,
    discrimination,
    items,
    looks,
    same_wrong,
    troubles,
    wrong_answers,
)
from grading.pages.lessons import lesson_around, lesson_for
from grading.pages.preview import papers
from tinylib.practice import BANK
from tinylib.practice.judging import judge_value

(PAPER,) = papers(Course(HERE), "a02_counting")
MACS = "counting.conv_macs"
OPEN = {q.cell: q for q in PAPER.questions}
CELL = next(q.cell for q in PAPER.questions if q.id == MACS)


def mark(question, share=1.0, answer=None, **more):
    reason = more.pop(
        "reason", "✓ Right." if share == 1 else "✗ Not yet. 3 MMAC is too small; a hint may help."
    )
    points = question.points * share
    return Mark(question.cell, points, question.points, share, reason, answer=answer, id=question.id, **more)


def work(student, answers=None, share=0.0, flags=(), **more):
    """A student with the given answers judged as they would be, and this share of everything else."""
    marks = []
    for question in PAPER.questions:
        if answers and question.id in answers:
            value = answers[question.id]
            numbers = PAPER.assignment.numbers(question.id, student)
            said = judge_value(PAPER.item(question.id), numbers, value)
            marks.append(mark(question, said.share, value, reason=str(said), mistake=said.mistake))
        else:
            marks.append(mark(question, share))
    return Work(student, Verdict(student, student, tuple(marks), flags), **more)


def own(student, exercise_id=MACS):
    return PAPER.item(exercise_id).answer(**PAPER.assignment.numbers(exercise_id, student))


def found_in(works, cell=CELL):
    return next(item for item in items(PAPER, works) if item.question.cell == cell)


# ---- statistics


def test_discrimination_of_a_class_worked_by_hand():
    """Ten students: the five best of the rest have it right, so r = 25 / sqrt(2.5 * 82.5) of 1..10."""
    shares, rest = [0.0] * 5 + [1.0] * 5, [float(n) for n in range(1, 11)]
    assert discrimination(shares, rest) == pytest.approx(12.5 / math.sqrt(2.5 * 82.5))


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 50)), min_size=FEWEST, max_size=40), st.floats(0.1, 9)
)
def test_discrimination_lies_between_its_ends_and_turns_with_the_class(pairs, factor):
    shares, rest = [a for a, _ in pairs], [b for _, b in pairs]
    found = discrimination(shares, rest)
    if found is None:
        return
    assert -1 - 1e-6 <= found <= 1 + 1e-6
    turned = discrimination([1 - s for s in shares], rest)
    assert turned is None or turned == pytest.approx(-found, abs=1e-4)


def test_discrimination_is_silent_for_few_students_and_for_equal_ones():
    assert discrimination([0.0, 1.0] * 4, [1.0, 2.0] * 4) is None
    assert discrimination([1.0] * FEWEST, list(map(float, range(FEWEST)))) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_median_is_pythons(values):
    import statistics

    assert class_figures.median(values) == pytest.approx(statistics.median(values))


def test_difficulty_counts_points_and_full_marks_apart():
    works = [work("a", share=1.0), work("b", share=0.5), work("c", share=0.0), work("d", share=0.5)]
    item = found_in(works)
    assert (item.share, item.right, item.count) == (0.5, 0.25, 4)


def test_points_that_a_person_gave_count_and_waiting_marks_do_not():
    one, two = work("a", share=0.0), work("b", share=0.0)
    given_ = [replace(m, points=m.max_points) for m in one.verdict.marks]
    waits = [replace(m, points=None) for m in two.verdict.marks]
    works = [replace(w, verdict=replace(w.verdict, marks=tuple(m))) for w, m in ((one, given_), (two, waits))]
    assert (found_in(works).share, found_in(works).count) == (1.0, 1)


def test_same_mistake_with_different_numbers_is_one_group_and_comes_first():
    students = ["ada", "ben", "cleo"]
    works = [work(s, {MACS: 2 * own(s)}) for s in students] + [work("dan", {MACS: own("dan") * 7.1234})]
    wrong = found_in(works).wrong
    assert len({w.verdict.marks[2].answer for w in works}) > 1
    assert wrong[0].kind == "mistake" and wrong[0].students == tuple(students)
    assert wrong[0].words in [m.hint for m in BANK[MACS].misconceptions]
    assert (wrong[1].kind, wrong[1].words, wrong[1].students) == (
        "ratio",
        "7.1 times the right answer",
        ("dan",),
    )


def test_unnamed_answers_group_by_ratio_units_included():
    works = [work("ada", {MACS: own("ada") * 7.12}), work("ben", {MACS: f"{own('ben') * 7.08!r} MMAC"})]
    (group,) = found_in(works).wrong
    assert group.students == ("ada", "ben") and group.words == "7.1 times the right answer"


def test_answers_that_are_no_number_group_by_their_reason():
    reasons = ["✗ Not yet. Cell x raised KeyError: 'a'.", "✗ Not yet. Cell x raised KeyError: 'b'."]
    marks = [(work(s), mark(OPEN[CELL], 0, reason=r)) for s, r in zip("ab", reasons)]
    (group,) = wrong_answers(PAPER, marks)
    assert (group.kind, group.words, group.students) == ("other", "raised KeyError", ("a", "b"))


def test_teaching_takes_the_most_common_and_each_question_once():
    two = "counting.conv_params"
    works = [work(s, {MACS: 2 * own(s)}, share=1) for s in ("a", "b", "c")]
    slip = BANK[two].misconceptions[0].value
    works += [work(s, {two: slip(**PAPER.assignment.numbers(two, s))}, share=1) for s in ("d", "e")]
    works += [work("f", {MACS: own("f") * 7.1}, share=1)]
    told = troubles(items(PAPER, works))
    assert [(t.item.question.id, len(t.wrong.students)) for t in told] == [(MACS, 3), (two, 2)]


@pytest.mark.parametrize("question", PAPER.questions, ids=lambda q: q.cell)
def test_fresh_variants_differ_from_each_other_and_from_the_printed_numbers(question):
    item = PAPER.item(question.id)
    pairs = fresh(item, question.name)
    assert len({asked for asked, _ in pairs}) == len(pairs) == VARIANTS
    assert all(answer for _, answer in pairs)
    if question.kind == "value":
        assert item.text(item.given) not in [asked for asked, _ in pairs]


def test_same_wrong_answers_are_seen_in_both_and_named_mistakes_are_not():
    both = {MACS: 123.25, "counting.conv_params": 4711}
    found = same_wrong([work("ada", both), work("ben", both), work("cleo", {MACS: 123.25})])
    assert found == {
        "ada": ["2 wrong answers are the same as those of ben"],
        "ben": ["2 wrong answers are the same as those of ada"],
    }
    trivial = {MACS: 0, "counting.conv_params": 1}
    assert same_wrong([work("ada", trivial), work("ben", trivial)]) == {}


def test_who_needs_a_look_has_flags_crashes_silence_and_waiting_marks():
    flagged = work(
        "ada", share=1, flags=(Flag("handed in", "cell q was deleted"), Flag("not sealed", "x", False))
    )
    raised = work("ben", share=1)
    marks = [
        *raised.verdict.marks[1:],
        mark(OPEN[CELL], 0, reason="✗ Not yet. Cell q raised ValueError: no."),
    ]
    raised = replace(raised, verdict=replace(raised.verdict, marks=tuple(marks)))
    silent = replace(work("cleo"), verdict=Verdict("cleo", refused="the notebook is empty"))
    fine = work("dan", share=1)
    waits = replace(fine.verdict.marks[0], points=None)
    waiting = Work("eve", replace(fine.verdict, marks=(waits, *fine.verdict.marks[1:])))
    between = {"dan": (Flag("copied", "2 answers fit the numbers of ada", False),)}
    found = {look.student: look.reasons for look in looks([flagged, raised, silent, fine, waiting], between)}
    assert found == {
        "ada": ("cell q was deleted",),
        "ben": ("one answer raised an error",),
        "cleo": ("not graded: the notebook is empty",),
        "dan": ("2 answers fit the numbers of ada",),
        "eve": ("1 cells wait for a person's mark",),
    }


def test_lessons_are_those_whose_quiz_asks_the_exercise():
    lesson = lesson_for(MACS)
    assert lesson.path.is_file() and f'quiz("{MACS}")' in lesson.path.read_text().replace('\\"', '"')
    assert lesson_for("a02.largest_side") is None
    assert lesson_around(PAPER.assignment.questions).path.is_file() and lesson_around([]) is None


# ---- figures


@given(st.lists(st.floats(0, 1), max_size=40), st.sampled_from([0.25, 1.0, 5.5, 13.0, 100.0, 1e4]))
def test_spread_counts_every_student_once(shares, most):
    drawing = class_figures.spread([s * most for s in shares], most)
    counts = [int(n) for n in re.findall(r">(\d+) students from", drawing)]
    assert sum(counts) == len(shares) and len(counts) <= 16
    assert drawing.count("<svg") == 1 and 'role="img"' in drawing


def test_difficulty_says_in_words_what_it_draws():
    drawing = class_figures.difficulty([("Easy <one>", 1.0, 1.0), ("Hard", 0.25, 0.1)])
    assert "Easy &lt;one&gt; 100%" in drawing and "Hard 25%, fully right 10%" in drawing
    assert drawing.count("over_budget") == 0 and "#D55E00" in drawing


# ---- page


class Read(HTMLParser):
    """Tags with attributes, and the text."""

    def __init__(self, markup):
        super().__init__()
        self.tags, self.said = [], []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.said.append(data)


def shown(works, tmp_path=Path("/tmp"), missing=()):
    markup = page(Class(PAPER, tuple(works), missing), tmp_path / "report.html")
    return markup, Read(markup)


WORKS = [
    *[work(f"s{n}", {MACS: 2 * own(f"s{n}")}, share=n / 12, level="A", seconds=0.1 * n) for n in range(12)],
    work("zoe", share=1.0, level="A", seconds=9.5),
]


def test_page_is_one_offline_file_without_script(tmp_path):
    markup, read = shown(WORKS, tmp_path)
    names = {tag for tag, _ in read.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "form", "base", "img"}
    assert not any(key.startswith("on") for _, attrs in read.tags for key in attrs)
    assert not re.search(r"url\(|@import|javascript:", markup)
    addresses = [a.get("href", "") for t, a in read.tags if t == "a"]
    assert all(a.startswith("#") or (tmp_path / a).resolve().is_file() for a in addresses) and addresses
    policy = next(a["content"] for t, a in read.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy


def test_page_can_be_walked_by_keyboard_and_reader():
    _, read = shown(WORKS)
    assert dict(read.tags)["html"]["lang"] == "en"
    headings = [int(t[1]) for t, _ in read.tags if re.fullmatch(r"h\d", t)]
    assert headings[0] == 1 and headings.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(headings))
    anchors = {a["href"][1:] for t, a in read.tags if t == "a" and a["href"].startswith("#")}
    assert anchors <= {a.get("id") for _, a in read.tags}
    tables = sum(t == "table" for t, _ in read.tags)
    assert tables == sum(t == "caption" for t, _ in read.tags) > 3
    assert all(a.get("scope") for t, a in read.tags if t == "th")
    assert all(a.get("aria-label") for t, a in read.tags if t == "svg")


def test_page_says_what_happened():
    _, read = shown(WORKS, missing=("tom",))
    text = " ".join("".join(read.said).split())
    assert "13 handed in" in text and "Handed in, not graded yet: tom" in text
    assert "12 of 13 students, 92% of the class" in text
    assert "Sandbox level A" in text and "the longest for 9.5 s (zoe)" in text
    given_ = PAPER.item(MACS).given
    assert PAPER.item(MACS).text(given_) in text and all(s in text for s in PAPER.item(MACS).steps(**given_))
    assert "5 fresh variants with answers" in text and "may be off by ±0.6" in text
    assert "not sealed" not in text.lower()


def test_unsealed_marks_are_said_to_be():
    loose = [replace(m, sealed=False) for m in WORKS[0].verdict.marks]
    works = [replace(WORKS[0], verdict=replace(WORKS[0].verdict, marks=tuple(loose))), *WORKS[1:]]
    text = " ".join("".join(shown(works)[1].said).split())
    assert "not sealed: an ordinary test" in text and "Not sealed: 1 submissions" in text


def test_empty_and_single_classes_have_a_page():
    for works in ([], [work("ada")], [replace(work("ada"), verdict=Verdict("ada", refused="empty"))]):
        assert f"{len(works)} handed in" in "".join(shown(works)[1].said)


EVIL = "</style><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x1b[31m"


def test_nothing_that_a_student_wrote_becomes_markup():
    bad = mark(OPEN[CELL], 0, EVIL, reason=f"✗ Not yet. {EVIL}", mistake=EVIL)
    marks = tuple(
        bad if m.grade_id == CELL else replace(m, answer=EVIL if m.id in BANK else None, reason=EVIL, share=0)
        for m in work("a").verdict.marks
    )
    flags = (Flag("name", f"the notebook names {EVIL}"),)
    works = [Work(name, Verdict(name, EVIL, marks, flags, EVIL), EVIL, 1.0, EVIL) for name in (EVIL, "b")]
    markup, read = shown(works, missing=(EVIL,))
    assert (
        not {t for t, _ in read.tags} & {"script", "img"} and "\u202e" not in markup and "\x1b" not in markup
    )
    assert markup.count("<style>") == markup.count("</style>")


def test_copies_between_students_reach_the_page():
    copies = {q.id: own("ada", q.id) for q in PAPER.questions if q.id in BANK}
    works = [work("ada", share=1), work("gil", copies, share=1)]
    (flag,) = copied(PAPER, {w.student: w.verdict for w in works})["gil"]
    text = "".join(shown(works)[1].said)
    assert flag.text in text and "fit the numbers of ada" in text


@pytest.mark.soak
def test_report_of_the_demo_class_after_a_sealed_run(tmp_path, capsys):
    """From submissions to the page, through engine and gradebook."""
    from grading.demo import ASSIGNMENT, grade_sealed, make_course

    make_course(tmp_path)
    parser = argparse.ArgumentParser()
    add_command(parser.add_subparsers())
    options = parser.parse_args(["report", ASSIGNMENT, "--course", str(tmp_path)])
    assert options.run(options) == 2 and "is graded yet" in capsys.readouterr().out
    grade_sealed(tmp_path)
    assert options.run(options) == 0
    text = " ".join("".join(Read((tmp_path / f"{ASSIGNMENT}-report.html").read_text()).said).split())
    assert "8 handed in" in text and "2 with full marks" in text
    assert "5 answers fit the numbers of ada" in text and "cell ridge-check was edited" in text
    assert "a multiply-accumulate holds two" in text and "Sandbox level" in text
