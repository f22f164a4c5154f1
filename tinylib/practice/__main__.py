"""python -m tinylib.practice TICKET | worksheet | drill | record: one's numbers, sheets, drills and record.

    TICKET                              the numbers and the worked solution behind a02-3-7F3C
    worksheet CHAPTER [--seeds N]       exercises on paper
    drill [CHAPTER|--weak|--review]     questions in the terminal
    record [--csv FILE|--json]          what you answered so far

A ticket names assignment, question and student code; its release.json is looked for in exercises/ here and
above. The record is the file that TINYML_PROGRESS names, else my/progress.jsonl here or above.
"""

import argparse
import contextlib
import os
import re
import shutil
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

from tinylib.practice import progress, record
from tinylib.practice.assignment import Assignment, read_release
from tinylib.practice.drill import HOW, chosen, drill, seeds
from tinylib.practice.exercise import Exercise
from tinylib.practice.worksheet import answer_text, worksheet

CHAPTER = "number or letter of a chapter, as 3, L1.5 or Q"
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
        commands = " or ".join(COMMANDS)
        raise ValueError(f"ticket must look like a02-3-7F3C, or be a command: {commands}, got {ticket!r}")
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


def _worksheet(words: list[str]) -> str:
    parser = _parser("worksheet", "exercises on paper, with an answer sheet")
    parser.add_argument("chapter", help=CHAPTER)
    parser.add_argument("--seeds", type=int, default=1, help="how many sheets")
    options = parser.parse_args(words)
    return worksheet(options.chapter, options.seeds)


def _drill(words: list[str]) -> str:
    parser = _parser("drill", f"questions with fresh numbers. {HOW}")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("chapter", nargs="?", default="", help=f"{CHAPTER}; without it, what comes next")
    which.add_argument("--weak", action="store_const", const="weak", help="of your weakest concepts")
    which.add_argument("--review", action="store_const", const="review", help="once wrong, and due again")
    parser.add_argument("--count", type=int, default=5, help="how many questions (5)")
    parser.add_argument("--seed", default="", help="a word that decides the numbers")
    options = parser.parse_args(words)
    kind, answers, now = options.weak or options.review or options.chapter, progress.answers(), _now()
    exercises = chosen(kind, options.count, answers, now)
    if not exercises:
        return {
            "review": "Nothing is due: what you answer wrong comes back after a day.",
            "weak": "No concept is weak by your record so far.",
        }.get(kind, "Every question of the book was right once. `drill --review` keeps them.")
    _say("\n".join(filter(None, (HOW, _unkept()))))
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  arrow keys edit the line
    where = "review" if kind == "review" else "drill"
    return f"\n{drill(exercises, seeds(exercises, answers, options.seed), input, _say, where)}"


def _unkept() -> str:
    """Why answers are lost, one sentence; empty where they are recorded."""
    file = progress.path()
    if file is None:
        return "Answers are not recorded: no my/lessons is here or above, and TINYML_PROGRESS is not set."
    try:
        file.open("ab").close()
    except OSError as error:
        return f"Answers are not recorded: {_why(error)}."
    return ""


def _say(text: str) -> None:
    """Print; in a terminal, words that do not fit go to the next line whole."""
    if sys.stdout.isatty():
        width = max(20, shutil.get_terminal_size().columns - 1)
        text = "\n".join(textwrap.fill(line, width, break_on_hyphens=False) for line in text.split("\n"))
    print(text)


def _why(error: Exception) -> str:
    named = isinstance(error, OSError) and error.filename and error.strerror
    return f"{error.filename}: {error.strerror.lower()}" if named else str(error)


def _record(words: list[str]) -> str:
    parser = _parser("record", "your answers: a table, or all of them to take along")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", metavar="FILE", help="write every answer as CSV (- for this terminal)")
    form.add_argument("--json", action="store_true", help="print every answer as JSON")
    options, answers = parser.parse_args(words), progress.answers()
    if options.json:
        return record.as_json(answers).rstrip("\n")
    if options.csv == "-":
        return record.as_csv(answers).rstrip("\n")
    if options.csv:
        Path(options.csv).write_text(record.as_csv(answers), encoding="utf-8", newline="")
        return f"{len(answers)} answers are in {options.csv}."
    return record.table(answers, _now(), max(60, shutil.get_terminal_size((100, 24)).columns))


def _ticket(words: list[str]) -> str:
    parser = _parser("", __doc__.partition("\n\n")[2].rstrip())
    parser.add_argument("ticket", help="as shown beside a question: a02-3-7F3C; or a command")
    return explain(parser.parse_args(words).ticket)


COMMANDS = {"worksheet": _worksheet, "drill": _drill, "record": _record}


def _parser(command: str, text: str) -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    name = f"python -m tinylib.practice {command}".rstrip()
    return argparse.ArgumentParser(prog=name, description=text, formatter_class=form)


def _now() -> datetime:
    return datetime.now(UTC)


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 printed, 1 nobody reads on, 2 one sentence on stderr."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words:
        print(f"{__doc__}\npython -m tinylib.practice must be given a command or a ticket", file=sys.stderr)
        return 2
    run = COMMANDS.get(words[0], _ticket) if words else _ticket
    if progress.VARIABLE not in os.environ and (found := progress.find(Path.cwd())):
        os.environ[progress.VARIABLE] = str(found)
    try:
        print(run(words[run is not _ticket :]), flush=True)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError) as error:
        print(f"tinylib.practice: {_why(error)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(errors="replace")  # a terminal without the tick sign asks on
    sys.exit(main())
