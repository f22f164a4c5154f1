"""The contents of the book as data: each lesson and assignment with what it needs, asks and takes.

Made from course.toml and the scripts; `tinylib.practice.plan` reads it to say what is done and what is next.
"""

import json
import re

from scripts import AUTHORING, CHECK_CALL

FILE = "tinylib/practice/data/book.json"
HOME = {"script": "home", "path": "home.py"}  # a page of its own, under the rules of a lesson
QUIZ = re.compile(r"^quiz\(\s*[\"']([\w.-]+)[\"']\s*\)", re.MULTILINE)
NUMBERS = re.compile(r"\b(\d\d)(?: to (\d\d))?\b")


def contents(course: dict) -> str:
    """The text of book.json: lessons and assignments in their order."""
    by_number = {e["script"][:2]: e["script"] for e in course["lesson"]}
    pages = [_page(e, "lessons", QUIZ, by_number) for e in course["lesson"]]
    pages += [_page(e, "assignments", CHECK_CALL, by_number) for e in course["assignment"]]
    rows = ",\n".join(json.dumps(page, ensure_ascii=False) for page in pages)
    return f'{{"title": {json.dumps(course["course"]["title"])}, "pages": [\n{rows}\n]}}\n'


def _page(entry: dict, folder: str, asks: re.Pattern, by_number: dict[str, str]) -> dict:
    text = (AUTHORING / folder / f"{entry['script']}.py").read_text(encoding="utf-8")
    found = [match[1] for match in asks.finditer(text)]
    return {
        "name": entry["script"],
        "title": entry["title"],
        "minutes": entry["minutes"],
        "needs": [by_number[number] for number in needed(entry["needs"])],
        "asks": list(dict.fromkeys(found)),
        "assignment": entry.get("assignment", ""),
    }


def needed(needs: list[str]) -> list[str]:
    """The numbers of the lessons that are named: "lessons 03 and 05 to 07" gives 03, 05, 06, 07."""
    found: set[str] = set()
    for first, last in NUMBERS.findall(" ".join(n for n in needs if n.startswith("lesson"))):
        found |= {f"{number:02d}" for number in range(int(first), int(last or first) + 1)}
    return sorted(found)
