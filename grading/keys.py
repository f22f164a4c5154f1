"""Keys: what an assignment accepts. They lie in authoring/keys and are never released.

A key file holds any of three kinds, each released without what it accepts:

    Exercise    a question with one right number              judged by `tinylib.practice.judging`
    Key         a function, tried on hidden draws             @key("a11.multiply", examples=[...])
    Trial       a plain value that the judge tries out        NETWORK = Trial("a16.network", attempt, ...)

A trial's function gets the student's value, the student's numbers and a source of hidden draws, and returns
the share of the points and one sentence for each criterion:

    def attempt(value, given, rng):
        try:
            network = plain_network.read(value, (2,))   # untrusted data: refused in words where not fit
        except (TypeError, ValueError) as error:
            return 0.0, str(error)
        ...                                              # export, compile, emulate, test on hidden data
        return share, "Flash 812 of 900 B: kept. ..."

It runs in a process of its own (`grading.judging.trial`) with limits of time and memory, on the trusted side:
no code of a student runs there. The same value, numbers and secret give the same verdict, which is kept for
the next run; draws come from the course secret and the id, so that a whole class meets the same hidden data.
What it raises, a time-out, or a MissingTool is the grader's failure: the work stays ungraded and the row says
why.
"""

import hashlib
import hmac
import os
import runpy
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from tinylib.practice.draws import Draws, Given, Rng
from tinylib.practice.exercise import Exercise

DRAWS = 6
FOLDER_VARIABLE, SECRET_VARIABLE = "TINYML_KEYS", "TINYML_COURSE_SECRET"


@dataclass(frozen=True)
class Key:
    """What a function question accepts.

    draw(rng) -> arguments; expected(*arguments) -> a number, list or dict; examples: public pairs
    (arguments, expected); slips(*arguments) -> {entry: {hint: wrong value}}, the named mistakes.
    """

    id: str
    draw: Callable[[Rng], tuple]
    expected: Callable[..., Any]
    examples: list[tuple[tuple, Any]] = field(default_factory=list)
    slips: Callable[..., dict[str, dict[str, float]]] | None = None


@dataclass(frozen=True)
class Trial:
    """What a plain value, such as a network, must do; see above.

    attempt(value, given, rng) -> (share 0 .. 1, sentences); `given` and declarative `draws` are the student's
    numbers, as in an Exercise, shown by question(id) through `prompt`
    form: "tinylib.room.module:function", which check(id, value) calls at once as function(value, **given): it
    returns what it saw in words, or raises ValueError or TypeError with one sentence
    seconds: of processor time; the wall may show four times as many
    source: the key file it was loaded from
    """

    id: str
    attempt: Callable[[Any, Given, Rng], tuple[float, str]]
    form: str
    prompt: str = ""
    given: Given = field(default_factory=dict)
    draws: Draws = field(default_factory=dict)
    title: str = ""
    seconds: int = 120
    source: str = ""

    text = Exercise.text
    unit = ""


def key(key_id: str, examples: list[tuple[tuple, Any]]) -> Callable[[type], Key]:
    """Class decorator: the class's draw, expected and optional slips become a Key."""

    def make(body: type) -> Key:
        parts = vars(body)
        if missing := {"draw", "expected"} - set(parts):
            raise ValueError(
                f"key {key_id!r} needs the functions draw and expected, {sorted(missing)} missing"
            )
        return Key(key_id, parts["draw"], parts["expected"], examples, parts.get("slips"))

    return make


def folder() -> Path:
    """Where the keys lie: $TINYML_KEYS, else authoring/keys above this folder or beside this package."""
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named)
    here = Path.cwd()
    for root in (here, *here.parents, Path(__file__).resolve().parents[1]):
        if (root / "authoring" / "keys").is_dir():
            return root / "authoring" / "keys"
    raise ValueError(
        f"the keys must lie in authoring/keys or in ${FOLDER_VARIABLE}, found neither from {here}"
    )


def load(path: Path) -> dict[str, Key | Exercise | Trial]:
    """All keys and private questions of one assignment's key file, by id; none if there is no file."""
    return _loaded(path, path.stat().st_mtime_ns) if path.exists() else {}


@cache
def _loaded(path: Path, changed: int) -> dict[str, Key | Exercise | Trial]:
    kinds = Key | Exercise | Trial
    try:
        made = runpy.run_path(str(path))
    except Exception as error:
        raise ValueError(
            f"the key {path.name} must run without an error, got {_slip(error, path)}"
        ) from error
    found = [value for value in made.values() if isinstance(value, kinds)]
    source = str(path.resolve())
    return {i.id: replace(i, source=source) if isinstance(i, Trial) else i for i in found}


def _slip(error: Exception, path: Path) -> str:
    """An error of a key file in words, with the last line of the file that it came through."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError in line {error.lineno}: {error.msg}"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    where = f" in line {lines[-1]}" if lines else ""
    return f"{type(error).__name__}{where}: {error!s:.200}"


def secret(salt: str) -> bytes:
    """The course secret that seeds hidden draws: $TINYML_COURSE_SECRET, else the course salt."""
    return (os.environ.get(SECRET_VARIABLE) or salt).encode()


def hidden_rng(salt: str, submission: str, key_id: str) -> Rng:
    """Draws that cannot be guessed without the secret, and repeat for the same submission."""
    text = f"{submission}\0{key_id}".encode("utf-8", "surrogatepass")
    return Rng(hmac.new(secret(salt), text, hashlib.sha256).hexdigest())


def trial_seed(salt: str, trial_id: str) -> str:
    """What seeds the hidden data of a trial: the same for a whole class, unknown without the secret [hex]."""
    return hmac.new(secret(salt), f"trial\0{trial_id}".encode(), hashlib.sha256).hexdigest()
