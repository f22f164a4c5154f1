"""Concepts in the order of the lessons: what course.toml says that each teaches and uses, against its text.

    teaches   terms that the lesson explains
    uses      terms that it leans on: a lesson that its `needs` lead to teaches them, or they stand under
              `prerequisites` in [course]

A lesson names each in its prose. A term is found in any case if it is written in small letters, with a hyphen
for a space, and in the plural. A paragraph may name the term of a later lesson only beside that lesson
("lesson 06", or a link). What a heading, an aim or emphasis names of an earlier lesson has to be declared.
"""

import re
from functools import cache
from itertools import pairwise

from authoring.checks.texts import AUTHORING, Passage, announced, cells, course, line_of, without_code

EMPHASIS = re.compile(r"(?<!\*)\*{1,2}([^*\n]+?)\*{1,2}(?!\*)")
NOT_EMPHASIS = ("predict", "common slip", "what the")  # standing phrases of a lesson


@cache
def pattern(term: str) -> re.Pattern:
    """What finds a term in prose: words may be parted by a space, a hyphen or a line's end."""
    words = r"[\s-]+".join(re.escape(word) for word in re.split(r"[ -]", term))
    return re.compile(rf"(?<![\w.-])(?:{words})(?:e?s)?(?!\w)", 0 if term != term.lower() else re.IGNORECASE)


def prose(entry: dict) -> list[Passage]:
    """What a lesson says before it is built: its head, then its cells of prose, code blanked out."""
    script = AUTHORING / "lessons" / f"{entry['script']}.py"
    head = Passage(AUTHORING / "course.toml", line_of(entry["script"]), announced(entry))
    return [head, *(Passage(c.path, c.line, without_code(c.text)) for c in cells(script) if c.prose)]


def paragraphs(passages: list[Passage]) -> list[Passage]:
    """The passages cut at blank lines."""
    found = []
    for p in passages:
        cuts = [0, *(m.end() for m in re.finditer(r"\n[> ]*\n", p.text)), len(p.text)]
        found += [Passage(p.path, p.line + p.text.count("\n", 0, a), p.text[a:b]) for a, b in pairwise(cuts)]
    return found


def stressed(passages: list[Passage]) -> str:
    """What a lesson puts in front: its head, its headings and its emphasised words."""
    head, *rest = passages
    parts = [head.text]
    for p in rest:
        parts += re.findall(r"^#+ (.*)$", p.text, re.MULTILINE)
        parts += [e for e in EMPHASIS.findall(p.text) if not e.lower().startswith(NOT_EMPHASIS)]
    return "\n".join(parts)


def number(entry: dict) -> int:
    """The number of a lesson, the first word of its script."""
    return int(entry["script"].split("_")[0])


def lessons_in(text: str) -> set[int]:
    """The numbers of lessons that a text names: "lessons 02 to 06, 13 and 19"."""
    found: set[int] = set()
    for said in re.findall(r"[Ll]essons?\s+(\d\d(?:(?:,\s*|\s+and\s+|\s+to\s+|,\s+or\s+)\d\d)*)", text):
        for first, last in re.findall(r"(\d\d)(?:\s+to\s+(\d\d))?", said):
            found |= set(range(int(first), int(last or first) + 1))
    return found | {int(n) for n in re.findall(r"\b(\d\d)_\w+\.ipynb", text)}


def reached(lessons: list[dict]) -> dict[int, set[int]]:
    """Lesson -> the lessons that it needs, and those that these need in turn."""
    found: dict[int, set[int]] = {}
    for entry in lessons:
        direct = lessons_in("\n".join(entry["needs"]))
        found[number(entry)] = direct.union(*(found.get(n, set()) for n in direct))
    return found


def faults(entry: dict, taught: dict[str, list[int]], needed: set[int], given: list[str]) -> list[str]:
    """What is wrong with one lesson. taught: term -> lessons that teach it; needed: those it builds on."""
    passages, here = prose(entry), number(entry)
    text, front = "\n".join(p.text for p in passages), stressed(passages)
    teaches, uses, found = entry.get("teaches", []), entry.get("uses", []), []
    where = f"lesson {here:02}"
    for term in (*teaches, *uses):
        if not pattern(term).search(text):
            found.append(f"{passages[0].at()} {where} declares {term!r} and never names it in its text")
    for term in uses:
        if term not in given and not needed & set(taught.get(term, [])):
            there = ", ".join(f"{n:02}" for n in taught.get(term, [])) or "none"
            found.append(
                f"{passages[0].at()} {where} uses {term!r}, which no lesson in its needs teaches: {there}"
            )
    for term, (first, *_) in taught.items():
        if first < here and term not in (*teaches, *uses) and pattern(term).search(front):
            found.append(f"{passages[0].at()} {where} puts {term!r} in front: declare it in uses or teaches")
        if first <= here or term in (*teaches, *given):
            continue
        for p in paragraphs(passages[1:]):
            if (hit := pattern(term).search(p.text)) and first not in lessons_in(p.text):
                said = (
                    f"{where} names {hit.group()!r}, which lesson {first:02} teaches: name that lesson there"
                )
                found.append(f"{p.at(hit.start())} {said}")
                break
    return found


def findings() -> list[str]:
    """Concepts out of order, declared and not named, or named and not declared."""
    lessons, given = course()["lesson"], course()["course"].get("prerequisites", [])
    taught: dict[str, list[int]] = {}
    for entry in lessons:
        for term in entry.get("teaches", []):
            taught.setdefault(term, []).append(number(entry))
    needs, said = reached(lessons), "\n".join(need for entry in lessons for need in entry["needs"])
    found = [f"lesson {number(e):02} teaches nothing by name" for e in lessons if not e.get("teaches")]
    found += [f"no lesson says in its needs that a reader brings {t!r}" for t in given if t not in said]
    return found + [line for e in lessons for line in faults(e, taught, needs[number(e)], given)]
