"""From the values that came out of the sandbox to marks and flags; the key never leaves this process.

The values come from an untrusted process: each is decoded again by the rule of `practice.plain`, and every
text is cut to one printable sentence before it reaches a gradebook or a page.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grading.inside.task import Outcome, Result
from grading.judging.asks import Paper, Question
from grading.judging.clean import one_line
from grading.judging.copies import copies
from grading.judging.decoding import decoded, fits_a_name, noted, partial, sound
from grading.judging.judge import judge_function, judge_number, judge_trial
from grading.judging.transplant import WHOSE, Transplanted
from grading.keys import DRAWS, Trial, hidden_rng, trial_seed
from tinylib.practice.exercise import Exercise
from tinylib.practice.feedback import Feedback
from tinylib.practice.plain import NotPlain, plain

MAX_REASON = 1_500  # characters
ENDED = {
    "cell time": "it was stopped at the time limit of a cell",
    "notebook time": "it was stopped at the time limit of the notebook",
    "died": "its process ended early",
    "refused": "it could not be run",
}


@dataclass(frozen=True)
class Mark:
    """One graded cell of one student: plain values only, so that a journal can keep it.

    points: None where only a person can mark it; answer: the number or text that was given, if it was one;
    sealed: whether the mark was decided outside the student's process.
    """

    grade_id: str
    points: float | None
    max_points: float
    share: float
    reason: str
    mistake: str | None = None
    answer: int | float | str | None = None
    sealed: bool = True
    id: str = ""


@dataclass(frozen=True)
class Flag:
    """Something an instructor should look at; it never costs points. to_student: whether they may see it."""

    kind: str  # name, handed in, ended, copied, not sealed
    text: str
    to_student: bool = True


@dataclass(frozen=True)
class Verdict:
    """The marks of one submission; refused: one sentence when there are none because it was not graded."""

    student: str
    named: str | None = None  # whom the notebook names
    marks: tuple[Mark, ...] = ()
    flags: tuple[Flag, ...] = ()
    refused: str = ""

    @property
    def points(self) -> float:
        return math.fsum(m.points or 0 for m in self.marks)

    @property
    def max_points(self) -> float:
        return math.fsum(m.max_points for m in self.marks)


def verdict(
    paper: Paper, student: str, submission: str, work: Transplanted, result: Result | None
) -> Verdict:
    """Marks and flags of one submission.

    student: nbgrader's id; submission: the digest that drew the hidden arguments; result: None where the
    notebook was unreadable, so that nothing ran. Raises NotTried where a trial could not be held.
    """
    flags = [Flag("handed in", problem) for problem in work.problems]
    if paper.refusal:
        return Verdict(student, refused=paper.refusal, flags=tuple(flags))
    if result is None or work.notebook is None:
        reason = one_line("; ".join(work.problems) or "nothing was handed in", MAX_REASON)
        return Verdict(student, refused=reason, flags=tuple(flags))
    if result.ended == "worker lost":
        return Verdict(student, refused="the worker was lost twice: run it again", flags=tuple(flags))
    bench = Bench(paper, student, submission, work, result)
    marks = tuple(bench.mark(question) for question in paper.questions)
    return Verdict(student, bench.named, marks, (*flags, *bench.flags()))


class Bench:
    """One submission before the judge: its outcomes by cell, and whom it names."""

    def __init__(self, paper: Paper, student: str, submission: str, work: Transplanted, result: Result):
        self.paper, self.student, self.submission = paper, student, submission
        self.work, self.result = work, result
        self.outcomes = {outcome.cell: sound(outcome) for outcome in reversed(result.outcomes)}
        whose = self.outcomes.get(WHOSE, Outcome(WHOSE)).value
        self.nameless = not fits_a_name(whose)
        self.named = None if self.nameless else whose.strip() or None

    def flags(self) -> Iterable[Flag]:
        if self.named and self.named.casefold() != self.student.strip().casefold():
            name = one_line(repr(self.named), 80)
            yield Flag("name", f"the notebook names {name}: graded with the numbers of that name")
        if self.nameless and self.paper.whose[0] and self.result.ended == "finished":
            yield Flag("name", "the notebook's name is not a short text: graded as if nobody were named")
        if self.result.ended != "finished":
            note = f": {one_line(self.result.note, 200)}" if self.result.note else ""
            yield Flag("ended", f"the notebook did not run through, {self._ended()}{note}")
        if any(q.kind == "asserts" for q in self.paper.questions):
            yield Flag("not sealed", "ordinary tests ran beside the student's code: not sealed", False)

    def mark(self, question: Question) -> Mark:
        """The mark of one graded cell."""
        if question.kind == "manual":
            return self._manual(question)
        if question.kind == "asserts":
            return self._asserts(question)
        feedback, answer = self._judged(question)
        reason, mistake = one_line(str(feedback), MAX_REASON), feedback.mistake
        return Mark(
            question.cell,
            question.points * feedback.share,
            question.points,
            feedback.share,
            reason,
            one_line(mistake, MAX_REASON) if mistake else None,
            answer,
            True,
            question.id,
        )

    def numbers(self, exercise_id: str) -> list[dict]:
        """The numbers this student may rightly have used: see `numbers_for`."""
        return numbers_for(self.paper, self.student, self.named, exercise_id)

    def _judged(self, question: Question) -> tuple[Feedback, int | float | str | None]:
        outcome = self.outcomes.get(question.cell)
        if refused := self._no_answer(question, outcome):
            return _zero(refused), None
        item = self.paper.item(question.id)
        if isinstance(item, Exercise):
            try:
                value = plain(outcome.value)
            except NotPlain as error:
                return _zero(str(error)), None
            return judge_number(item, self.numbers(question.id), value), noted(value)
        if isinstance(item, Trial):
            seed = trial_seed(self.paper.assignment.salt, question.id)
            return judge_trial(item, self.numbers(question.id), outcome.value, seed), None
        if len(outcome.values) != DRAWS:
            return _zero("the function was not called to the end: it ended or was stopped"), None
        given = iter(outcome.values)
        rng = hidden_rng(self.paper.assignment.salt, self.submission, question.id)
        return judge_function(item, lambda _: decoded(next(given)), rng), None

    def _no_answer(self, question: Question, outcome: Outcome | None) -> str:
        """Why there is no value to judge, in words that help; empty when there is one."""
        above = self.outcomes.get(question.answer)
        if question.answer in self.work.missing and _empty(outcome):
            return f"cell {question.answer} was deleted, so there is no answer"
        if outcome is None:
            return f"the notebook never came to this check: {self._ended()}"
        if outcome.refused and above and above.error:
            return f"cell {question.answer} raised {': '.join(above.error)}"
        return outcome.refused

    def _ended(self) -> str:
        return ENDED.get(self.result.ended, "it ended early")

    def _asserts(self, question: Question) -> Mark:
        """An ordinary test ran in the student's process; read as nbgrader reads its output."""
        outcome, points = self.outcomes.get(question.cell), question.points
        got, reason = points, "The tests of this cell passed."
        if outcome is None or outcome.refused:
            got, reason = 0.0, (outcome and outcome.refused) or f"the tests never ran: {self._ended()}"
        elif outcome.error:
            got, reason = 0.0, f"the test raised {': '.join(outcome.error)}"
        elif (part := partial(outcome)) is not None:
            got, reason = min(max(part, 0.0), points), "The tests of this cell gave part of the points."
        share = got / points if points else 1.0
        said = str(Feedback(got == points, share, _sentence(one_line(reason, MAX_REASON))))
        return Mark(question.cell, got, points, share, one_line(said, MAX_REASON), sealed=False)

    def _manual(self, question: Question) -> Mark:
        """Graded by hand, except that nothing written is worth nothing, as in nbgrader."""
        release = _source(self.paper.notebook, question.cell)
        if question.cell in self.work.missing or _source(self.work.notebook, question.cell) == release:
            return Mark(question.cell, 0.0, question.points, 0.0, "✗ Not yet. Nothing was written here.")
        return Mark(question.cell, None, question.points, 0.0, "• Noted. A person marks this one.")


def numbers_for(paper: Paper, student: str, named: str | None, exercise_id: str) -> list[dict]:
    """The numbers this student may rightly have used.

    The name in the notebook decides. With none written down, the student's own and the printed ones are both
    accepted: a hub shows those of its user name, everything else the printed ones.
    """
    whom = [named] if named else [student, None]
    return [paper.assignment.numbers(exercise_id, name) for name in whom]


def copied(paper: Paper, verdicts: Mapping[str, Verdict]) -> dict[str, tuple[Flag, ...]]:
    """Student -> flags for wrong answers that fit a classmate's numbers; needs the whole class."""
    found = copies({name: unexplained(v.marks) for name, v in verdicts.items()}, paper.assignment, paper.item)
    return {
        name: tuple(Flag("copied", text, to_student=False) for text in said) for name, said in found.items()
    }


def unexplained(marks: Iterable[Mark]) -> list[tuple[str, int | float | str]]:
    """(exercise, answer) for each wrong answer that no named mistake explains."""
    return [
        (m.id, m.answer) for m in marks if m.id and m.share < 1 and not m.mistake and m.answer is not None
    ]


def _empty(outcome: Outcome | None) -> bool:
    """Whether a step gave neither a value nor anything from a function."""
    return outcome is None or (
        outcome.value is None and all(type(v) is dict and v.get("value") is None for v in outcome.values)
    )


def _source(notebook: Any, grade_id: str) -> str:
    cells = (c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)
    return next(cells).source.strip()


def _zero(why: str) -> Feedback:
    return Feedback(False, 0.0, _sentence(one_line(why, MAX_REASON - 20)))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "…", "?", "!")) else ".")
