"""Keys: what an assignment accepts. They lie in authoring/keys and are never released."""

import hashlib
import hmac
import os
import runpy
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tinylib.practice.draws import Rng
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


def load(path: Path) -> dict[str, Key | Exercise]:
    """All keys and private questions of one assignment's key file, by id; none if there is no file."""
    return _loaded(path, path.stat().st_mtime_ns) if path.exists() else {}


@cache
def _loaded(path: Path, changed: int) -> dict[str, Key | Exercise]:
    found = [value for value in runpy.run_path(str(path)).values() if isinstance(value, Key | Exercise)]
    return {item.id: item for item in found}


def secret(salt: str) -> bytes:
    """The course secret that seeds hidden draws: $TINYML_COURSE_SECRET, else the course salt."""
    return (os.environ.get(SECRET_VARIABLE) or salt).encode()


def hidden_rng(salt: str, submission: str, key_id: str) -> Rng:
    """Draws that cannot be guessed without the secret, and repeat for the same submission."""
    text = f"{submission}\0{key_id}".encode("utf-8", "surrogatepass")
    return Rng(hmac.new(secret(salt), text, hashlib.sha256).hexdigest())
