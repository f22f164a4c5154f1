"""What a class's marks say: how hard each question was, what went wrong most often, whom to look at."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grading.judging.asks import Paper, Question
from grading.judging.verdict import Flag, Mark, Verdict, numbers_for
from tinylib.practice.exercise import Exercise
from tinylib.practice.judging import judge_value
from tinylib.practice.plain import short
from tinylib.units import parse

FEWEST = 10  # students below which a correlation says nothing
ENTRIES = re.compile(r"^\d+ of \d+ entries right: ")
TRIVIAL = (0, 1, -1, "")  # equal wrong answers that mean nothing


@dataclass(frozen=True)
class Work:
    """One student's graded submission; level, seconds: of the sandbox it ran in; note: a sentence, if any."""

    student: str
    verdict: Verdict
    level: str = ""
    seconds: float = 0.0
    note: str = ""

    @property
    def marks(self) -> dict[str, Mark]:
        return {mark.grade_id: mark for mark in self.verdict.marks}


@dataclass(frozen=True)
class Wrong:
    """A wrong answer that several students may share: in words, who gave it, one of the values.

    kind: mistake (the exercise names it), ratio (to the right answer) or other (there was none to judge)
    """

    words: str
    kind: str
    students: tuple[str, ...]
    example: str = ""


@dataclass(frozen=True)
class Item:
    """One question over the class.

    share: mean share of its points (0..1); right: share of students with full marks; discrimination: see
    `discrimination`, None where it says nothing; count: students with a mark
    """

    question: Question
    share: float
    right: float
    discrimination: float | None
    count: int
    sealed: bool
    wrong: tuple[Wrong, ...] = ()


@dataclass(frozen=True)
class Look:
    """Why a person should look at one student's work."""

    student: str
    reasons: tuple[str, ...]


def items(paper: Paper, works: list[Work]) -> list[Item]:
    """Every question of the assignment over the class; those that wait for a person have no marks yet."""
    found = []
    for question in paper.questions:
        marks = [(w, m) for w in works if (m := w.marks.get(question.cell)) and m.points is not None]
        shares = [_share(m) for _, m in marks]
        rest = [math.fsum(x.points or 0 for x in w.verdict.marks if x is not m) for w, m in marks]
        found.append(
            Item(
                question,
                _mean(shares),
                _mean([float(s >= 1) for s in shares]),
                discrimination(shares, rest),
                len(marks),
                all(m.sealed for _, m in marks),
                tuple(wrong_answers(paper, marks)),
            )
        )
    return found


def _share(mark: Mark) -> float:
    """Share of the points that were given, by a person where one did."""
    return mark.points / mark.max_points if mark.max_points else mark.share


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


def discrimination(shares: list[float], rest: list[float]) -> float | None:
    """Correlation of a question with the points in all others (point-biserial where it is right or wrong).

    None below FEWEST students, or where all got the same: then it says nothing. Its error is about
    1/sqrt(students - 1).
    """
    n = len(shares)
    if n < FEWEST:
        return None
    a, b = _mean(shares), _mean(rest)
    cross = math.fsum((x - a) * (y - b) for x, y in zip(shares, rest))
    squares = math.fsum((x - a) ** 2 for x in shares) * math.fsum((y - b) ** 2 for y in rest)
    return cross / math.sqrt(squares) if squares > 1e-18 else None


def wrong_answers(paper: Paper, marks: list[tuple[Work, Mark]]) -> Iterator[Wrong]:
    """The wrong answers to one question, the most common first.

    Everybody has other numbers, so answers are grouped by the mistake they show, else by their ratio to the
    right one, else by what kept them from being judged.
    """
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for work, mark in marks:
        if _share(mark) < 1:
            example = short(mark.answer) if type(mark.answer) in (int, float) else str(mark.answer or "")
            groups.setdefault(_words(paper, work, mark), []).append((work.student, example))
    for (kind, words), who in sorted(groups.items(), key=lambda g: (-len(g[1]), g[0])):
        yield Wrong(words, kind, tuple(name for name, _ in who), who[0][1])


def _words(paper: Paper, work: Work, mark: Mark) -> tuple[str, str]:
    """The group of a wrong answer: its kind and what it is called."""
    if mark.mistake:
        return "mistake", mark.mistake
    ratio = _ratio(paper, work, mark)
    return ("ratio", ratio) if ratio else ("other", _reason(mark))


def _ratio(paper: Paper, work: Work, mark: Mark) -> str:
    """The answer over the right one, in words; empty where there is no number to compare."""
    item = paper.item(mark.id) if mark.id else None
    number = _number(mark.answer, item.unit) if isinstance(item, Exercise) else None
    if number is None:
        return ""
    sets = numbers_for(paper, work.student, work.verdict.named, mark.id)
    right = item.answer(**max(sets, key=lambda given: judge_value(item, given, mark.answer).share))
    if not right:
        return "a number where 0 is right"
    ratio = number / right
    return (
        f"{ratio:.2g} times the right answer" if ratio and abs(math.log10(abs(ratio))) < 12 else f"{number:g}"
    )


def _number(answer: object, unit: str) -> float | None:
    """The answer in the asked unit; None for what is no number in it."""
    try:
        if isinstance(answer, str):
            quantity = parse(answer)
            answer = quantity.to(unit).value if quantity.unit else quantity.value
        return float(answer) if isinstance(answer, int | float) and math.isfinite(answer) else None
    except (ValueError, TypeError, OverflowError):
        return None


def _reason(mark: Mark) -> str:
    """What kept an answer from being right, without the numbers that only this student has."""
    text = mark.reason.removeprefix("✗ Not yet. ")
    if "raised" in text:
        before, _, after = text.partition("raised ")
        return f"raised {after.split(':')[0].split(' ')[0].rstrip('.')}" if after else before
    first = ENTRIES.sub("", text.split(";")[0]).split(" for (")[0].split(", got")[0]
    return first.rstrip(".")


@dataclass(frozen=True)
class Trouble:
    """A mistake over the whole assignment: in which question, how many students made it."""

    item: Item
    wrong: Wrong


def troubles(found: Iterable[Item], most: int = 3) -> list[Trouble]:
    """The mistakes that most students made, named ones first among equals; each question at most once."""
    told = [Trouble(item, w) for item in found for w in item.wrong if w.kind != "other"]
    every = [t for t in told if t.wrong.kind == "mistake" or len(t.wrong.students) > 1]
    every.sort(
        key=lambda t: (-len(t.wrong.students), t.wrong.kind != "mistake", t.item.question.kind != "value")
    )
    once = {t.item.question.cell: t for t in reversed(every)}
    return [t for t in every if once[t.item.question.cell] is t][:most]


def looks(works: list[Work], between: dict[str, tuple[Flag, ...]]) -> list[Look]:
    """Who needs a look, and why; between: flags that only the whole class shows."""
    shared = same_wrong(works)
    found = []
    for work in works:
        flags = [*work.verdict.flags, *between.get(work.student, ())]
        reasons = [f.text for f in flags if f.kind != "not sealed"] + shared.get(work.student, [])
        if work.verdict.refused:
            reasons.insert(0, f"not graded: {work.verdict.refused}")
        waiting = sum(m.points is None for m in work.verdict.marks)
        reasons += [f"{waiting} cells wait for a person's mark"] if waiting else []
        reasons += [why for why, holds in _signs(work).items() if holds]
        if reasons := list(dict.fromkeys(reasons)):
            found.append(Look(work.student, tuple(reasons)))
    return sorted(found, key=lambda look: (-len(look.reasons), look.student))


def _signs(work: Work) -> dict[str, bool]:
    """What the marks themselves say about a submission that is no ordinary one."""
    marks = [m for m in work.verdict.marks if m.points is not None]
    raised = sum(m.share < 1 and " raised " in m.reason for m in marks)
    silent = sum("No answer yet" in m.reason or "never defined" in m.reason for m in marks)
    return {
        f"{raised} answers raised an error": raised > 1,
        "one answer raised an error": raised == 1,
        f"{silent} of {len(marks)} questions have no answer": silent > len(marks) / 2,
        "no points at all": bool(marks) and not any(m.points for m in marks),
    }


def same_wrong(works: list[Work], least: int = 2) -> dict[str, list[str]]:
    """Student -> sentence for each classmate with the same wrong answers, no mistake explaining them.

    Numbers differ from student to student, so two equal wrong answers are no accident.
    """
    given: dict[tuple[str, str], list[str]] = {}
    for work in works:
        for mark in work.verdict.marks:
            usable = (
                mark.answer is not None and mark.answer not in TRIVIAL and not isinstance(mark.answer, bool)
            )
            if usable and mark.share < 1 and not mark.mistake:
                given.setdefault((mark.grade_id, repr(mark.answer)), []).append(work.student)
    pairs = Counter((a, b) for who in given.values() for a in who for b in who if a != b)
    found: dict[str, list[str]] = {}
    for (student, other), count in sorted(pairs.items()):
        if count >= least:
            found.setdefault(student, []).append(f"{count} wrong answers are the same as those of {other}")
    return found
