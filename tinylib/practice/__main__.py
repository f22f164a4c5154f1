"""python -m tinylib.practice TICKET | worksheet CHAPTER [--seeds N]: one's numbers, or sheets on paper.

A ticket as a02-3-7F3C names assignment, question and student code; its release.json is looked for in
exercises/ here and above.
"""

import argparse
import re
import sys
from pathlib import Path

from tinylib.practice.assignment import Assignment, read_release
from tinylib.practice.exercise import Exercise
from tinylib.practice.worksheet import answer_text, worksheet

TICKET = re.compile(r"(?P<assignment>[A-Za-z]\w*)-(?P<place>\d{1,3})(?:-(?P<code>[0-9A-Fa-f]{4}))?")


def release_of(name: str) -> Assignment:
    """The release of the assignment whose name starts with these letters, from here upwards."""
    for root in (Path.cwd(), *Path.cwd().parents):
        for folder in ("exercises", "my/exercises"):
            for path in sorted((root / folder).glob(f"{name.lower()}_*/release.json")):
                return read_release(path)
    raise ValueError(
        f"ticket must belong to an assignment in exercises/, found none that starts with {name!r}"
    )


def explain(ticket: str) -> str:
    """Prompt, numbers and worked solution behind a ticket [text]."""
    found = TICKET.fullmatch(ticket.strip())
    if not found:
        raise ValueError(f"ticket must look like a02-3-7F3C, got {ticket!r}")
    release = release_of(found["assignment"])
    place = int(found["place"])
    if not 1 <= place <= len(release.questions):
        raise ValueError(f"{release.name} has questions 1 to {len(release.questions)}, got {place}")
    exercise_id = release.questions[place - 1]
    if exercise_id in release.functions:
        return f"{release.name}, question {place}: the function {exercise_id}; it has no numbers of its own."
    question = release.question(exercise_id)
    numbers = release.drawn(exercise_id, found["code"]) if found["code"] else dict(question.given)
    lines = [f"{release.name}, question {place}: {exercise_id}", question.text(numbers)]
    if isinstance(question, Exercise):
        lines += [*question.steps(**numbers), f"Answer: {answer_text(question, numbers)}"]
    else:
        lines.append("This is a private question: its answer lies in the key.")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 printed, 2 one sentence on stderr."""
    words = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m tinylib.practice", description=__doc__.splitlines()[0])
    if words[:1] == ["worksheet"]:
        parser.add_argument("worksheet")
        parser.add_argument("chapter", help="number or letter of a chapter, as 3, L1.5 or Q")
        parser.add_argument("--seeds", type=int, default=1, help="how many sheets")
    else:
        parser.add_argument("ticket", help="as shown beside a question: a02-3-7F3C")
    options = parser.parse_args(words)
    try:
        if hasattr(options, "ticket"):
            print(explain(options.ticket))
        else:
            print(worksheet(options.chapter, options.seeds))
    except ValueError as error:
        print(f"tinylib.practice: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
