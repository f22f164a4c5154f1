"""The Pythons of this machine that are easily found: on the PATH, and those that pyenv keeps."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

ASK = "import sys; print(*sys.version_info[:2])"


@cache
def at_hand() -> dict[tuple[int, int], str]:
    """(major, minor) -> an interpreter that runs, oldest first; which one of several is not promised."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    named = [shutil.which(f"python3.{minor}") for minor in range(6, 30)]
    found = [*map(str, root.glob("versions/3.*/bin/python3")), *filter(None, named)]
    asked = ((p, subprocess.run([p, "-c", ASK], capture_output=True, text=True)) for p in found)
    known = {tuple(map(int, a.stdout.split())): p for p, a in asked if a.returncode == 0}
    return dict(sorted(known.items()))
