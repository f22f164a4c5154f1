"""What the pages are made of: the built lessons with their cells and figures, the assignments, the bank."""

import tempfile
import tomllib
from collections.abc import Collection
from functools import cached_property
from pathlib import Path

from edition import lessons, played
from edition.live import ROOT, SHOW, Figure, figures, tried
from tinylib.practice import BANK
from tinylib.practice.assignment import Assignment, read_release

CANVASES = {  # the five large ones: the lesson that has each, what its call holds, and a word on it
    "C1 The gap": ("01_gap", "gap_bars", "Models, accelerators and microcontrollers, year by year."),
    "C2 The years": ("01_gap", "growth_points", "Published sizes as points against a rule of thumb."),
    "C3 The energy ladder": (
        "05_energy",
        "energy_ladder",
        "What one operation costs, from register to DRAM.",
    ),
    "C4 The roofline": (
        "06_latency",
        "canvases.roofline,",
        "A processor, a network, a batch: what bounds it.",
    ),
    "C5 The convolution calculator": (
        "03_macs",
        "convolution,",
        "A layer against the memory of your device.",
    ),
}


class Book:
    """Lessons and assignments that are built, in the order of course.toml, and the figures that are live."""

    def __init__(self, play: Collection[str] | None = None) -> None:
        """play: lessons whose figures are drawn beforehand where they need numpy; all when it is None."""
        course = tomllib.loads((ROOT / "authoring" / "course.toml").read_text(encoding="utf-8"))
        paths = {e["script"]: ROOT / "notebooks" / f"{e['script']}.ipynb" for e in course["lesson"]}
        self.lessons = [e for e in course["lesson"] if paths[e["script"]].is_file()]
        self.cells = {e["script"]: lessons.cells(paths[e["script"]]) for e in self.lessons}
        self.figures = [f for script, cells in self.cells.items() for f in figures(script, cells)]
        releases = {
            e["script"]: ROOT / "exercises" / e["script"] / "release.json" for e in course["assignment"]
        }
        self.assignments = [e for e in course["assignment"] if releases[e["script"]].is_file()]
        self._play = play
        self.releases: dict[str, Assignment] = {
            e["script"]: read_release(releases[e["script"]]) for e in self.assignments
        }

    @cached_property
    def tried(self) -> dict[str, dict]:
        """What every figure comes to without any installed package."""
        with tempfile.TemporaryDirectory() as folder:
            return tried(self.figures, Path(folder) / "bare")

    @cached_property
    def live(self) -> dict[str, Figure]:
        """The figures that draw the saved picture without any installed package, by key."""
        return {f.key: f for f in self.figures if self.tried[f.key]["svg"] == f.saved}

    @cached_property
    def played(self) -> dict[str, dict]:
        """Controls and frames of the figures that are drawn beforehand, by key."""
        rest = [f for f in self.figures if f.key not in self.live]
        return played.played(f for f in rest if self._play is None or f.lesson in self._play)

    @property
    def alive(self) -> set[str]:
        """Keys of all figures that move."""
        return {*self.live, *self.played}

    def of(self, lesson: str) -> list[Figure]:
        """All figures of a lesson, in order."""
        return [f for f in self.figures if f.lesson == lesson]

    def quizzes(self, lesson: str) -> list[str]:
        """The exercises that a lesson asks, in order."""
        found = (lessons.QUIZ.fullmatch("".join(c["source"])) for c in self.cells[lesson])
        return [m[1] for m in found if m and m[1] in BANK]

    def questions(self, assignment: str) -> list[str]:
        """The exercises of the bank that an assignment asks, in order, each once."""
        return [q for q in dict.fromkeys(self.releases[assignment].questions) if q in BANK]

    def canvas(self, name: str) -> Figure:
        """The live figure of a large canvas. Raises ValueError when its lesson has it no longer."""
        lesson, drawn, _ = CANVASES[name]
        for figure in self.of(lesson):
            if figure.key in self.live and drawn in figure.source.split(SHOW)[1]:
                return figure
        rule = f"a live figure of lesson {lesson}, drawn by {drawn} as its notebook (is it built?) holds it"
        raise ValueError(f"{name} must be {rule}, found none")
