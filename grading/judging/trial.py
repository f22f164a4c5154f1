"""A trial held: a student's plain value in a process of its own, with limits, and the verdict kept.

    python -m grading.judging.trial < {"source", "id", "value", "given", "seed", "seconds", "grader"}
                                    > {"share", "said"}

The process is the grader's: it runs the key's function alone, on decoded data. Its limits keep a strange
value from holding up a class. What goes wrong in it is no verdict on the student: the parent raises NotTried.
"""

import ctypes
import hashlib
import hmac
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from grading.judging.clean import one_line
from grading.keys import Trial, load
from tinylib.practice.draws import Rng

ROOT = Path(__file__).resolve().parents[2]
FOLDER_VARIABLE = "TINYML_TRIALS"  # where verdicts are kept; empty: nowhere
MEMORY_BYTES, FILE_BYTES = 6 * 2**30, 2**30
PDEATHSIG = 1  # of prctl(2): the signal to get when the parent dies
WALL = 4  # seconds of wall clock for each of processor time
MAX_SAID = 1_400  # characters


class NotTried(RuntimeError):
    """The trial could not be held, which is not the student's fault; the message says why in one sentence."""


def held(item: Trial, given: Mapping[str, Any], value: Any, seed: str) -> tuple[float, str]:
    """Share and sentences for one plain value; a verdict given before is taken up again."""
    asked = {"id": item.id, "value": value, "given": dict(given), "seed": seed}
    try:
        text = json.dumps(asked, sort_keys=True, allow_nan=False)
    except ValueError:
        return 0.0, "Every number must be finite and of at most 4,300 digits."
    place = _place(text, item, seed)
    if (kept := _kept(place)) is not None:
        return kept
    found = _run({**asked, "source": item.source, "seconds": item.seconds, "grader": os.getpid()})
    if place:
        _keep(place, found)
    return found


def _run(asked: dict[str, Any]) -> tuple[float, str]:
    what, seconds = f"the trial of {asked['id']}", asked["seconds"]
    env = {name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "NBGRADER"))}
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        env[threads] = "1"
    with subprocess.Popen(
        [sys.executable, "-E", "-m", "grading.judging.trial"],
        cwd=ROOT,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(json.dumps(asked).encode(), WALL * seconds)
        except subprocess.TimeoutExpired:
            raise NotTried(f"{what} took longer than {WALL * seconds} s: run it again") from None
        finally:
            _end(process.pid)
    try:
        answer = json.loads(out)
    except ValueError:
        said = one_line(err.decode(errors="replace").strip().rpartition("\n")[2], 300)
        how = f"signal {-process.returncode}" if process.returncode < 0 else f"status {process.returncode}"
        raise NotTried(f"{what} ended with {how}: {said or 'it said nothing'}") from None
    if "failed" in answer:
        raise NotTried(f"{what} could not be held: {answer['failed']}")
    return answer["share"], answer["said"]


def _end(group: int) -> None:
    """Nothing that the trial started outlives it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


# -- verdicts given before -------------------------------------------------------------------------


@cache
def _program() -> str:
    """Digest of the library and of this module: what a verdict was made with [hex]."""
    state = hashlib.sha256(sys.version.encode())
    for path in (*sorted((ROOT / "tinylib").rglob("*.py")), *sorted((ROOT / "tinylib").rglob("*.ld"))):
        state.update(path.read_bytes())
    return state.hexdigest()


def keeps() -> bool:
    """Whether verdicts are kept at all."""
    return os.environ.get(FOLDER_VARIABLE) != ""


def _place(text: str, item: Trial, seed: str) -> Path | None:
    """The file of one verdict. Its name is keyed with the seed, which only who knows the secret can make."""
    if not keeps():
        return None
    named = os.environ.get(FOLDER_VARIABLE)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(named) if named else home / "tinyml-workbook" / "trials"
    parts = _program(), Path(item.source).read_text(encoding="utf-8"), str(item.seconds), text
    return folder / f"{hmac.new(seed.encode(), chr(0).join(parts).encode(), hashlib.sha256).hexdigest()}.json"


def _kept(place: Path | None) -> tuple[float, str] | None:
    try:
        found = json.loads(place.read_text(encoding="utf-8")) if place else None
        return (float(found["share"]), str(found["said"])) if found else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(place: Path, found: tuple[float, str]) -> None:
    """Write through a temporary name; a folder that cannot be written to costs time, nothing else."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=place.parent, suffix=".part", delete=False) as part:
            json.dump({"share": found[0], "said": found[1]}, part)
        os.replace(part.name, place)
    except OSError:
        pass


# -- inside the process ----------------------------------------------------------------------------


def _end_with(grader: int) -> None:
    """Where the kernel can do it, end when the grader is killed: nobody would take the verdict."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != grader:  # it was killed before
            sys.exit("the grader is gone")


def _limit(seconds: int) -> None:
    """Limits of this process and of what it starts."""
    try:
        import resource
    except ImportError:  # not a Unix system: the wall clock alone holds
        return
    limits = {resource.RLIMIT_CPU: seconds, resource.RLIMIT_CORE: 0}
    limits |= {resource.RLIMIT_AS: MEMORY_BYTES, resource.RLIMIT_FSIZE: FILE_BYTES}
    for kind, most in limits.items():
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _attempted(asked: dict[str, Any]) -> dict[str, Any]:
    """{"share", "said"}, or {"failed": one sentence}."""
    item = load(Path(asked["source"])).get(asked["id"])
    if not isinstance(item, Trial):
        return {"failed": f"{Path(asked['source']).name} must hold the trial {asked['id']}, found none"}
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in asked["given"].items()}
    try:
        share, said = item.attempt(asked["value"], given, Rng(asked["seed"]))
    except Exception as error:
        missing = any(kind.__name__ == "MissingTool" for kind in type(error).__mro__)
        return {"failed": one_line(str(error) if missing else f"{type(error).__name__}: {error}", 400)}
    if type(share) not in (int, float) or not math.isfinite(share) or not 0 <= share <= 1:
        return {"failed": f"a share must lie in 0 .. 1, got {share!r:.40}"}
    return {"share": float(share), "said": one_line(str(said), MAX_SAID)}


def main() -> None:
    """One trial, from standard input to standard output; whatever else is printed goes to standard error."""
    asked, out = json.loads(sys.stdin.buffer.read()), os.dup(1)
    os.dup2(2, 1)
    _end_with(asked["grader"])
    _limit(asked["seconds"])
    os.write(out, json.dumps(_attempted(asked)).encode())


if __name__ == "__main__":
    main()
