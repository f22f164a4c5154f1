"""Preview: what it shows a student to be asked is what the student sees, and its answers are right."""

import argparse
from html.parser import HTMLParser
from pathlib import Path

import pytest

from grading.book.course import Course
from grading.pages.preview import add_command, asked, page, papers, table
from tinylib.practice.assignment import read_release
from tinylib.practice.judging import judge_value

ROOT = Path(__file__).resolve().parents[2]
ALL = sorted(p.parent.name for p in (ROOT / "exercises").glob("*/release.json"))


@pytest.fixture(scope="module")
def counting():
    (paper,) = papers(Course(ROOT), "a02_counting")
    return paper


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_command(parser.add_subparsers())
    options = parser.parse_args(["preview", *words])
    return options.run(options)


@pytest.mark.parametrize("student", ["ada", "Zoë", "a student"])
def test_prompt_is_the_one_in_the_students_notebook(counting, student):
    release = read_release(ROOT / "exercises/a02_counting/release.json", student)
    shown = {one.place: one.prompt for one in asked(counting, student)}
    for place, exercise_id in enumerate(release.questions, 1):
        if exercise_id not in release.functions:
            question = release.question(exercise_id)
            assert shown[place] == question.text(release.numbers(exercise_id))


@pytest.mark.parametrize("name", ALL)
def test_every_answer_shown_is_judged_right(name):
    (paper,) = papers(Course(ROOT), name)
    values = [(one, q) for one, q in zip(asked(paper, "ada"), paper.questions) if q.kind == "value"]
    assert values
    for one, question in values:
        numbers = paper.assignment.numbers(question.id, "ada")
        assert judge_value(paper.item(question.id), numbers, one.answer).right, (question.id, one.answer)


def test_two_students_differ_and_the_same_one_does_not(counting):
    assert table(counting, "ada") != table(counting, "ben").replace("ben", "ada")
    assert table(counting, "ada") == table(counting, "ADA ").replace("ADA ", "ada")


def test_table_keeps_to_the_width_and_names_every_cell(counting):
    lines = table(counting, "ada", 60).splitlines()
    assert max(map(len, lines)) <= 60
    assert all(any(q.cell in line for line in lines) for q in counting.questions)


class Tags(HTMLParser):
    def __init__(self, markup):
        super().__init__()
        self.seen, self.metas = set(), []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.metas += [dict(attrs)] if tag == "meta" else []


def test_page_is_offline_and_escapes_the_name(counting):
    markup = page([counting], "<script>alert(1)</script>")
    tags = Tags(markup)
    assert not tags.seen & {"script", "link", "iframe", "img"} and "http" not in markup.replace(
        "http-equiv", ""
    )
    assert any("default-src 'none'" in m.get("content", "") for m in tags.metas)
    assert "&lt;script&gt;" in markup and 'class="steps"' in markup


def test_command_shows_one_or_all_and_says_what_is_missing(tmp_path, capsys):
    assert run("ada", "a02_counting", "--course", str(ROOT)) == 0
    assert capsys.readouterr().out.startswith("a02_counting for ada\n")
    assert run("ada", "--course", str(ROOT), "--html", str(tmp_path / "ada.html")) == 0
    assert all(name in (tmp_path / "ada.html").read_text(encoding="utf-8") for name in ALL)
    capsys.readouterr()
    assert run("ada", "a99", "--course", str(ROOT)) == 2
    assert capsys.readouterr().out == (
        "preview: an assignment must lie in exercises/, found none of the name 'a99'\n"
    )
