"""An nbgrader course in a folder: where things lie, and nbgrader's own API under this project's settings."""

import os
import shutil
import stat
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
CONFIG = HERE / "nbgrader_config.py"
STOCK_VARIABLE = "TINYML_STOCK"  # read by nbgrader_config.py


@dataclass(frozen=True)
class Course:
    """A course folder in nbgrader's layout; `db` is a database URL in place of the one that it names itself.

    Release and sources are the folder's own where it has them, else those of this workbook.
    """

    root: Path
    db: str = ""

    def release(self, assignment: str) -> Path:
        """The folder that students got."""
        return self._of("exercises", assignment)

    def source(self, assignment: str) -> Path:
        """The folder with the instructor's version."""
        return self._of("solutions", assignment)

    def _of(self, kind: str, assignment: str) -> Path:
        own = self.root / kind / assignment
        return own if own.is_dir() else HERE / kind / assignment

    def submitted(self, assignment: str) -> dict[str, Path]:
        """Student -> folder with what they handed in, by name."""
        students = sorted((self.root / "submitted").glob("[!.]*"))
        found = [student / assignment for student in students]
        return {folder.parent.name: folder for folder in found if os.path.lexists(folder)}

    def check(self, assignment: str) -> None:
        """Raise ValueError with one sentence when the course or the assignment is not there."""
        if not self.root.is_dir():
            raise ValueError(f"the course must be a folder, found none at {self.root}")
        if not (self.release(assignment) / f"{assignment}.ipynb").is_file():
            raise ValueError(f"an assignment must lie in exercises/, found none of the name {assignment!r}")

    def autograded(self, assignment: str, student: str) -> Path:
        """The graded notebook of one student."""
        return self.root / "autograded" / student / assignment / f"{assignment}.ipynb"

    def feedback(self, assignment: str, student: str) -> Path:
        """The feedback page of one student."""
        return self.root / "feedback" / student / assignment / f"{assignment}.html"

    @property
    def url(self) -> str:
        """The database URL in use."""
        return self.db or str(settings(self.root).CourseDirectory.get("db_url", "")) or self._sqlite

    @property
    def _sqlite(self) -> str:
        return f"sqlite:///{self.root.resolve() / 'gradebook.db'}"

    @property
    def course_id(self) -> str:
        """The course's name in the gradebook."""
        return str(settings(self.root).CourseDirectory.get("course_id", ""))


def in_words(error: Exception) -> str:
    """An error for a terminal; where a file was the trouble, its name without what a part of it adds."""
    if isinstance(error, OSError) and error.filename:
        return f"{str(error.filename).removesuffix('.part')} must be a usable path, got: {error.strerror}"
    return str(error)


def late_policy(root: Path) -> str:
    """The settings of nbgrader's plugin for late work; empty where there are none: nothing is taken off."""
    found = settings(root)
    plugin = found.AssignLatePenalties.get("plugin_class", "")
    name = getattr(plugin, "__name__", str(plugin)).rpartition(".")[2]
    own = found.get(name or "LateSubmissionPlugin", {})
    return f"{name} {sorted((k, str(v)) for k, v in own.items())}" if name or own else ""


def settings(root: Path):
    """nbgrader's settings for the course in `root`: its own nbgrader_config.py, else this project's."""
    from traitlets.config import Config, PyFileConfigLoader

    path = root / CONFIG.name if (root / CONFIG.name).is_file() else CONFIG
    return Config(PyFileConfigLoader(path.name, path=str(path.parent)).load_config())


@contextmanager
def nbgrader(root: Path, db: str = "") -> Iterator:
    """nbgrader's API for the course in `root`, with its settings and an exchange inside it."""
    from nbgrader.apps import NbGraderAPI

    config = settings(root)
    config.CourseDirectory.root = str(root)
    config.Exchange.root = str(root / "exchange")
    if db:
        config.CourseDirectory.db_url = db
    with tools():
        yield NbGraderAPI(config=config)


@contextmanager
def tools() -> Iterator[None]:
    """The interpreter's folder goes first on PATH meanwhile.

    nbgrader calls `alembic` by its bare name, and a gradebook made without it cannot be upgraded later.
    """
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="nbgrader")  # its queries warn under SQLAlchemy 2.1
            yield
    finally:
        os.environ["PATH"] = before


@contextmanager
def stock() -> Iterator[None]:
    """nbgrader without our preprocessors meanwhile: its own kernel runs the tests, nothing is sealed."""
    before = os.environ.get(STOCK_VARIABLE)
    os.environ[STOCK_VARIABLE] = "1"
    try:
        yield
    finally:
        del os.environ[STOCK_VARIABLE]
        if before is not None:
            os.environ[STOCK_VARIABLE] = before


def register(course: Course, assignment: str) -> None:
    """Put the assignment's cells into the gradebook by nbgrader's own command, in a folder that goes away."""
    source = course.source(assignment)
    if not (source / f"{assignment}.ipynb").is_file():
        raise NbGraderError(f"the source of {assignment} must lie in solutions/{assignment}, found none")
    with tempfile.TemporaryDirectory(prefix="register-") as folder:
        shutil.copytree(source, Path(folder) / "solutions" / assignment)
        with nbgrader(Path(folder), course.url) as api:
            done(api.generate_assignment(assignment), f"registering {assignment}")


def handed_in(path: Path, limit: int) -> bytes:
    """The bytes of a submitted notebook; ValueError with one sentence when it is none to be read.

    Links are not followed: they could name anything that the grader may read. A hard link is a file like any
    other: the kernel lets nobody make one of a file that is not theirs, and backup tools make them of all.
    """
    try:
        for step in (path.parent.parent, path.parent, path):  # student, assignment, notebook
            if step.is_symlink():
                raise ValueError("a submission must be a file of its own, got a link")
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("a submission must be a file, got something else of its name")
        if found.st_size > limit:
            size = f"{found.st_size / 1e6:,.0f} MB"
            raise ValueError(f"a notebook must hold at most {limit / 1e6:g} MB, got {size}")
        return path.read_bytes()
    except FileNotFoundError:
        names = sorted(p.name for p in path.parent.glob("*.ipynb"))[:3]
        others = [name if name.isprintable() else ascii(name) for name in names]
        there = f", found {', '.join(others)}" if others else ""
        raise ValueError(f"the notebook {path.name} was not handed in{there}") from None
    except OSError as error:
        raise ValueError(f"the submission must be readable, got: {error.strerror}") from None


class NbGraderError(RuntimeError):
    """nbgrader could not do a step; the message holds the end of its log."""


def done(result: dict, step: str) -> None:
    """Raise NbGraderError with the last lines of the log unless nbgrader says the step succeeded."""
    if not result["success"]:
        log = (result.get("log") or result.get("error") or "no log").strip().splitlines()
        raise NbGraderError(f"{step} must succeed in nbgrader, got:\n" + "\n".join(log[-12:]))
