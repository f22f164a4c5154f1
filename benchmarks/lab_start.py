"""Seconds from a fresh copy of the project to JupyterLab's page: nothing cached, then a second start.

    python benchmarks/lab_start.py

The copy (what git tracks, and new files that it does not ignore) goes to a temporary folder with a space in
its name; `make lab` is started there, and the clock stops when GET /lab answers. Prints, asserts nothing.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 600  # [s]


def copy_tree(target: Path) -> None:
    """Copy tracked and new, not ignored, files."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in names:
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def start(folder: Path, caches: Path) -> float:
    """Start JupyterLab there, wait for its page, stop it; returns the seconds until GET /lab answered."""
    port = free_port()
    env = {
        k: v for k, v in os.environ.items() if k not in ("EXTRAS", "MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV")
    }
    env |= {
        "UV_CACHE_DIR": str(caches / "uv"),
        "PIP_CACHE_DIR": str(caches / "pip"),
        "JUPYTER_TOKEN": "bench",
    }
    env |= {
        name: str(caches / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")
    }
    python = getattr(sys, "_base_executable", sys.executable)
    command = ["make", "lab", "NO_BROWSER=1", f"PORT={port}", f"PYTHON={python}"]
    begin = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=env, start_new_session=True)
    try:
        while not answers(f"http://127.0.0.1:{port}/lab?token=bench"):
            if process.poll() is not None or time.monotonic() - begin > LIMIT:
                raise SystemExit(f"make lab did not answer within {LIMIT} s, status {process.poll()}")
            time.sleep(0.1)
        return time.monotonic() - begin
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="workbook ", ignore_cleanup_errors=True) as name:
        folder, caches = Path(name) / "my workbook", Path(name) / "caches"
        copy_tree(folder)
        cold = start(folder, caches)
        warm = start(folder, caches)
    print(f"cold {cold:5.1f} s  empty folder and caches, until GET /lab answers")
    print(f"warm {warm:5.1f} s  second start")


if __name__ == "__main__":
    main()
