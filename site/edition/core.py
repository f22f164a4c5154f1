"""The Python that browsers run: the core of one Pyodide release, fetched once and checked by its digest.

npm fetches it. Where there is none, the npm that comes as a Python package is installed from locks/site.lock
into an environment of its own, .venv-site, so that nothing of it reaches the course's environment.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "site" / "cache"
VENV = ROOT / ".venv-site"
VERSION = "314.0.7"  # CPython 3.14
SHA256 = "66b7949e5a0cba2250b586d7e368bf12fb482800748d182c4618254b685ffaa0"
FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
LOCK = "pyodide-lock.json"


class NoCore(Exception):
    """Why the core could not be had, in one sentence."""


def archive() -> bytes:
    """The release as npm packs it; from the cache when it is there. Raises NoCore."""
    kept = CACHE / f"pyodide-{VERSION}.tgz"
    if kept.is_file() and _digest(kept.read_bytes()) == SHA256:
        return kept.read_bytes()
    data = _packed(npm())
    if _digest(data) != SHA256:
        raise NoCore(f"pyodide {VERSION} must have the pinned SHA-256, got {_digest(data)}")
    CACHE.mkdir(exist_ok=True)
    part = kept.with_suffix(".part")
    part.write_bytes(data)
    part.replace(kept)
    return data


def install(folder: Path) -> int:
    """Put the core into a folder, its list of packages emptied; its size [bytes]."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(archive())) as tar:
        for name in FILES:
            (folder / name).write_bytes(tar.extractfile(f"package/{name}").read())
        lock = json.load(tar.extractfile(f"package/{LOCK}"))
    (folder / LOCK).write_text(json.dumps({**lock, "packages": {}}), encoding="utf-8")  # none is shipped
    return sum((folder / name).stat().st_size for name in (*FILES, LOCK))


def npm() -> list[str]:
    """The command that runs npm: the one on the PATH, else the one of .venv-site. Raises NoCore."""
    found = shutil.which("npm")
    if found:
        return [found]
    bin_ = VENV / ("Scripts" if os.name == "nt" else "bin")
    python = bin_ / ("python.exe" if os.name == "nt" else "python")
    if not shutil.which("npm", path=str(bin_)):
        lock = ROOT / "locks" / "site.lock"
        _run([sys.executable, "-m", "venv", "--clear", str(VENV)], "Making .venv-site")
        quiet = ["-q", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        _run([str(python), "-m", "pip", "install", *quiet, "-r", str(lock)], "Installing npm from site.lock")
    return [str(shutil.which("npm", path=str(bin_)) or bin_ / "npm")]


def _packed(command: list[str]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        _run(
            [*command, "pack", f"pyodide@{VERSION}", "--pack-destination", folder], "Fetching Pyodide by npm"
        )
        return next(Path(folder).glob("*.tgz")).read_bytes()


def _run(command: list[str], what: str) -> None:
    env = {**os.environ, "PATH": os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])}
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoCore(f"{what} failed: {error}") from None
    if done.returncode:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        said = next((line for line in lines if "ERR" in line.upper()), lines[-1] if lines else "no output")
        raise NoCore(f"{what} failed, is the package registry in reach? It said: {said}")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
