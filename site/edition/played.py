"""Figures that need numpy, played: every state of their controls is drawn once, by the lesson's own lines.

A figure is played when its controls have few states and its first picture is the one the notebook holds.
Drawn states are kept in site/cache, as long as the library and the lesson stay the same.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterable
from functools import cache

from tqdm import tqdm

from edition.live import BROWSER, ROOT, Figure

KEPT = ROOT / "site" / "cache" / "played"
STATES = 64  # of all controls together, at most
DRAW = """
import contextlib, json, sys
sys.path[:0] = sys.argv[1:3]
import workbook
results = {}
with contextlib.redirect_stdout(sys.stderr):  # a lesson's own printing
    for key, source in json.load(sys.stdin).items():
        try:
            results[key] = workbook.played(source, int(sys.argv[3]))
        except Exception as error:
            results[key] = {"why": f"{type(error).__name__}: {error}"}
print(json.dumps(results))
"""


def played(figures: Iterable[Figure]) -> dict[str, dict]:
    """controls and frames of every figure that can be played, by key; a lesson at a time."""
    found: dict[str, dict] = {}
    for lesson in tqdm(_lessons(figures), "drawing figures", disable=None):
        kept = {f.key: KEPT / f"{_digest(f)}.json" for f in lesson}
        if not all(path.is_file() for path in kept.values()):
            for key, result in _drawn(lesson).items():
                kept[key].parent.mkdir(parents=True, exist_ok=True)
                kept[key].write_text(json.dumps(result), encoding="utf-8")
        results = {key: json.loads(path.read_text(encoding="utf-8")) for key, path in kept.items()}
        same = {f.key for f in lesson if results[f.key].get("first") == f.saved}
        found |= {key: results[key] for key in kept if key in same}
    return found


def _lessons(figures: Iterable[Figure]) -> list[list[Figure]]:
    by_lesson: dict[str, list[Figure]] = {}
    for figure in figures:
        by_lesson.setdefault(figure.lesson, []).append(figure)
    return list(by_lesson.values())


def _drawn(lesson: Collection[Figure]) -> dict[str, dict]:
    command = [sys.executable, "-c", DRAW, str(BROWSER), str(ROOT), str(STATES)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    asked = json.dumps({f.key: f.source for f in lesson})
    done = subprocess.run(command, input=asked, capture_output=True, text=True, env=env, timeout=600)
    if done.returncode:
        raise RuntimeError(
            f"figures of {next(iter(lesson)).lesson} could not be drawn: {done.stderr[-2000:]}"
        )
    return json.loads(done.stdout)


def _digest(figure: Figure) -> str:
    return hashlib.sha256("\0".join([figure.source, figure.saved, _library()]).encode()).hexdigest()


@cache
def _library() -> str:
    """Digest of all that draws: the library with its data, and the glue."""
    paths = [p for p in (ROOT / "tinylib").rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    whole = hashlib.sha256()
    for path in sorted([*paths, *BROWSER.glob("*.py")]):
        whole.update(path.relative_to(ROOT).as_posix().encode() + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
