"""Exercises on paper: sheets with fresh numbers each, and the answers behind them."""

from tinylib.practice.bank import CHAPTERS
from tinylib.practice.exercise import Exercise, variant
from tinylib.units import format_quantity


def chapter(code: str) -> tuple[str, tuple[Exercise, ...]]:
    """Title and exercises of a chapter by its number or letter, as "3", "L1.5" or "Q"."""
    for title, exercises in CHAPTERS.items():
        if title.split(" ")[0].casefold() == code.strip().casefold():
            return title, exercises
    raise ValueError(f"chapter must be one of {', '.join(t.split(' ')[0] for t in CHAPTERS)}, got {code!r}")


def answer_text(exercise: Exercise, given: dict) -> str:
    """The answer with its unit, and the right choice where one is asked."""
    number = format_quantity(exercise.answer(**given), exercise.unit, digits=6)
    return f"{number}, {exercise.choice(**given)}" if exercise.choices else number


def worksheet(code: str, seeds: int) -> str:
    """`seeds` sheets of one chapter, each with numbers of its own, then the answer sheet [text]."""
    if not 1 <= seeds <= 1000:
        raise ValueError(f"seeds must lie between 1 and 1000, got {seeds}")
    title, exercises = chapter(code)
    sheets, answers = [], [f"Answers: {title}"]
    for seed in range(1, seeds + 1):
        drawn = [(e, variant(e, f"sheet {seed}")) for e in exercises]
        asked = [f"{n}. {e.text(given)}" for n, (e, given) in enumerate(drawn, 1)]
        sheets.append("\n\n".join([f"{title}: sheet {seed}     Name: ____________________", *asked]))
        said = "; ".join(f"{n}. {answer_text(e, given)}" for n, (e, given) in enumerate(drawn, 1))
        answers.append(f"sheet {seed}: {said}")
    return "\f\n".join([*sheets, "\n".join(answers)])
