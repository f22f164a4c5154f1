"""Whose numbers a notebook works with: the release it came with, and the name written in its first cell."""

import difflib
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinylib.practice.bank import BANK
from tinylib.practice.draws import Draws, Given, Rng, draw, from_json
from tinylib.practice.exercise import Exercise, student_code, variant
from tinylib.practice.plain import NotPlain, plain

RELEASE = "release.json"
SEALED_STUDENT = "TINYML_SEALED_STUDENT"  # set by the sealed grader: whose work this is


def unknown_exercise(exercise_id: Any, known: Iterable[str]) -> KeyError:
    """The error for an id that nothing has, naming the nearest one."""
    close = difflib.get_close_matches(str(exercise_id), list(known), n=1)
    hint = f": did you mean {close[0]!r}?" if close else ""
    return KeyError(f"no exercise has the id {exercise_id!r:.60}{hint}")


@dataclass(frozen=True)
class Private:
    """The released half of a private question: what it asks, never what it accepts.

    form: where a value is tried out at grading, the function "tinylib.module:name" that looks at it at once
    """

    id: str
    prompt: str
    given: Given
    draws: Draws
    unit: str
    title: str = ""
    form: str = ""

    text = Exercise.text


@dataclass(frozen=True)
class Assignment:
    """One learner's copy of a released assignment; without a release, the bank with its printed numbers."""

    name: str = ""
    salt: str = ""
    student: str | None = None
    digest: str = ""
    bank: tuple[str, ...] = ()
    private: dict[str, Private] = field(default_factory=dict)
    functions: dict[str, dict] = field(default_factory=dict)
    questions: tuple[str, ...] = ()  # ids in the order of the notebook

    def question(self, exercise_id: str) -> Exercise | Private:
        """The bank exercise or released private question of that id; KeyError with one sentence if none."""
        found = BANK.get(exercise_id) or self.private.get(exercise_id)
        if found is None:
            raise unknown_exercise(exercise_id, [*BANK, *self.private, *self.functions])
        return found

    def numbers(self, exercise_id: str, student: str | None = None) -> dict:
        """This student's numbers for one question; the printed ones where nobody is named."""
        question, code = self.question(exercise_id), self.code(exercise_id, student)
        return dict(question.given) if code is None else self.drawn(exercise_id, code)

    def code(self, exercise_id: str, student: str | None = None) -> str | None:
        """What draws this student's numbers for one question; None for the printed ones."""
        student = student or self.student
        return None if student is None else student_code(self.salt, student, exercise_id)

    def drawn(self, exercise_id: str, code: str) -> dict:
        """The numbers of one question for a student code, as a ticket carries it."""
        question, seed = self.question(exercise_id), code.lower()
        if isinstance(question, Exercise):
            return variant(question, seed)
        return (
            draw(question.given, question.draws, Rng(exercise_id, seed))
            if question.draws
            else dict(question.given)
        )

    def ticket(self, exercise_id: str) -> str:
        """What names these numbers: assignment, place of the question and student code, as in a02-3-7F3C."""
        if exercise_id not in self.questions:
            return ""
        place = f"{self.name.split('_')[0]}-{self.questions.index(exercise_id) + 1}"
        code = self.code(exercise_id)
        return place if code is None else f"{place}-{code.upper()}"

    def __repr__(self) -> str:
        whose = f"numbers drawn for {self.student!r}" if self.student else "the printed numbers"
        return f"{self.name or 'practice'}: {whose}"


_current = Assignment()


def current() -> Assignment:
    """The assignment that `begin` opened in this kernel, else plain practice."""
    return _current


def context() -> str:
    """Where this runs: "validate" or "autograde" under nbgrader, "sealed" in the sandbox, else "lab"."""
    return os.environ.get("NBGRADER_EXECUTION") or ("sealed" if SEALED_STUDENT in os.environ else "lab")


def _identity(student: Any) -> str | None:
    """The name written down, else the hub's user name, else nobody (the printed numbers).

    Under autograde only the notebook counts: the hub user is then the grader. The sealed grader names the
    student whose work it runs.
    """
    try:
        name = plain(student)
    except NotPlain:
        name = student
    if type(name) is not str or len(name) > 200:
        raise ValueError(
            f'student must be your name in quotes, as in student = "ada", got {type(name).__name__}'
        )
    known = {"autograde": "", "sealed": SEALED_STUDENT}.get(context(), "JUPYTERHUB_USER")
    return name.strip() or os.environ.get(known, "").strip() or None


def begin(student: Any = "", release: str | Path = RELEASE) -> Assignment:
    """Open the assignment in this folder for one student; returns it.

    Raises ValueError with one sentence when the release file is missing or broken.
    """
    global _current
    if context() != "lab":
        sys.stderr = (
            sys.stdout
        )  # nbgrader takes anything on stderr for a failed test: a warning must not cost points
    _current = read_release(release, _identity(student))
    return _current


def read_release(path: str | Path, student: str | None = None) -> Assignment:
    """The assignment that a release file describes, for one student."""
    path = Path(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        private = {
            name: Private(
                name,
                q["prompt"],
                _tuples(q["given"]),
                from_json(q["draws"]),
                q["unit"],
                q["title"],
                q.get("form", ""),
            )
            for name, q in data["private"].items()
        }
        return Assignment(
            data["assignment"],
            data["salt"],
            student,
            data["digest"],
            tuple(data["bank"]),
            private,
            data["functions"],
            tuple(data["questions"]),
        )
    except FileNotFoundError:
        raise ValueError(
            f"{path.name} must lie beside this notebook: it came with the assignment, copy it back"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path.name} must be the file that came with the assignment, got {error}") from None


def _tuples(given: dict) -> dict:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
