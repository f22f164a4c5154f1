"""judge(id, answer, points=P): the hidden test that the build appends to each check cell.

It gives stock `nbgrader autograde` partial credit with a reason. It runs in the student's kernel, so it is
only as trustworthy as that kernel.
"""

import os
import sys
from pathlib import Path
from typing import Any

from IPython.display import display

from grading import keys
from grading.judging.judge import RECORD, judge_function, judge_number, judge_trial
from grading.judging.trial import NotTried
from tinylib.practice.assignment import Assignment, context, current
from tinylib.practice.bank import BANK
from tinylib.practice.exercise import Exercise, digest
from tinylib.practice.feedback import Feedback
from tinylib.practice.plain import NotPlain, plain


def judge(exercise_id: str, answer: Any, points: float) -> float:
    """Points for this answer, shown with the reason. Refuses to grade with a bank that changed."""
    assignment = current()
    refuse_changed_bank(assignment)
    try:
        feedback = verdict(assignment, exercise_id, answer)
    except NotTried as error:
        if context() == "autograde":
            _left_ungraded(str(error))
        raise
    display(
        {
            "text/plain": str(feedback),
            "text/html": feedback._repr_html_(),
            RECORD: {
                "id": exercise_id,
                "answer": _recorded(answer),
                "share": feedback.share,
                "reason": str(feedback),
                "mistake": feedback.mistake,
                "student": assignment.student,
            },
        },
        raw=True,
    )
    return points * feedback.share


def verdict(assignment: Assignment, exercise_id: str, answer: Any) -> Feedback:
    """The verdict on one answer in this kernel."""
    known = keys.load(keys.folder() / f"{assignment.name}.py")
    item = BANK.get(exercise_id) or known.get(exercise_id)
    if isinstance(item, Exercise):
        return judge_number(item, numbers(assignment, exercise_id), answer)
    if item is None:
        raise KeyError(f"neither the bank nor the key of {assignment.name} knows {exercise_id!r}")
    if isinstance(item, keys.Trial):
        seed = keys.trial_seed(assignment.salt, exercise_id)
        return judge_trial(item, numbers(assignment, exercise_id), answer, seed)
    if not callable(answer):
        return Feedback(False, 0.0, "The answer must be a function; none was defined.")
    rng = keys.hidden_rng(assignment.salt, assignment.student or folder_student() or "", exercise_id)
    return judge_function(item, lambda arguments: answer(*arguments), rng)


def numbers(assignment: Assignment, exercise_id: str) -> list[dict]:
    """The numbers this student may rightly have used.

    The name in the notebook decides. With none written down, a hub showed the numbers of its user name,
    which is nbgrader's id, and everywhere else the printed ones were shown: both are accepted.
    """
    own = [assignment.numbers(exercise_id)]
    if assignment.student is None and (student := folder_student()):
        own.append(assignment.numbers(exercise_id, student))
    return own


def folder_student() -> str | None:
    """nbgrader's id of the student whose work is autograded: autograded/STUDENT/ASSIGNMENT is the folder."""
    return Path.cwd().parent.name if context() == "autograde" else None


def refuse_changed_bank(assignment: Assignment) -> None:
    """Stop the kernel, so that nbgrader leaves the work ungraded, when the bank is not the released one."""
    used = {name: BANK[name] for name in assignment.bank if name in BANK}
    if context() == "autograde" and (len(used) < len(assignment.bank) or digest(used) != assignment.digest):
        _left_ungraded(
            f"{assignment.name} was released with another question bank: grade it with that version"
        )


def _left_ungraded(why: str) -> None:
    """Stop the kernel: nbgrader then records nothing for this work."""
    sys.__stderr__.write(f"{why}.\n")
    sys.__stderr__.flush()
    os._exit(3)


def _recorded(answer: Any) -> Any:
    try:
        value = plain(answer)
    except NotPlain:
        return None
    return value if type(value) in (int, float, str) else None
