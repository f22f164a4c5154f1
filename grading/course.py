"""An nbgrader course in a folder: nbgrader's own API under this project's settings."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIG = Path(__file__).resolve().parents[1] / "nbgrader_config.py"


@contextmanager
def nbgrader(root: Path) -> Iterator:
    """nbgrader's API for the course in `root`, with nbgrader_config.py and an exchange inside it.

    The interpreter's folder goes first on PATH meanwhile: nbgrader calls `alembic` by its bare name, and a
    gradebook made without it cannot be upgraded later.
    """
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config, PyFileConfigLoader

    config = Config(PyFileConfigLoader(CONFIG.name, path=str(CONFIG.parent)).load_config())
    config.CourseDirectory.root = str(root)
    config.Exchange.root = str(root / "exchange")
    before = os.environ["PATH"]
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="nbgrader")  # its queries warn under SQLAlchemy 2.1
            yield NbGraderAPI(config=config)
    finally:
        os.environ["PATH"] = before


class NbGraderError(RuntimeError):
    """nbgrader could not do a step; the message holds the end of its log."""


def done(result: dict, step: str) -> None:
    """Raise NbGraderError with the last lines of the log unless nbgrader says the step succeeded."""
    if not result["success"]:
        log = (result.get("log") or result.get("error") or "no log").strip().splitlines()
        raise NbGraderError(f"{step} must succeed in nbgrader, got:\n" + "\n".join(log[-12:]))
