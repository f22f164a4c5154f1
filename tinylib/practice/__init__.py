"""Exercises that name your mistake: the bank, fresh variants, checks, staged hints and your own record."""

from tinylib.practice import progress
from tinylib.practice.assignment import Assignment, begin, current
from tinylib.practice.bank import BANK, CHAPTERS
from tinylib.practice.check import NotRightYet, check
from tinylib.practice.draws import Log, Rng, Same, Times
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative, student_seed, variant
from tinylib.practice.feedback import Feedback
from tinylib.practice.hints import hint
from tinylib.practice.plain import NotPlain, plain

__all__ = [
    "BANK",
    "CHAPTERS",
    "Absolute",
    "Assignment",
    "Exercise",
    "Feedback",
    "Log",
    "Misconception",
    "NotPlain",
    "NotRightYet",
    "Relative",
    "Rng",
    "Same",
    "Times",
    "begin",
    "check",
    "current",
    "hint",
    "plain",
    "progress",
    "student_seed",
    "variant",
]
