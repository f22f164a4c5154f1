"""Processes of a soak: who descends from whom, what they hold in memory, and who is left."""

import ctypes
import os
import time
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
_SUBREAPER = 36


def adopt() -> None:
    """Let orphans of this process's children become its own children, so that none can get away."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def parents() -> dict[int, int]:
    """Process -> its parent, without the dead."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if words[0] != "Z":
                found[int(folder.name)] = int(words[1])
    return found


def below(pid: int) -> set[int]:
    """Every living descendant."""
    pairs, found, new = parents(), set(), {pid}
    while new:
        new = {child for child, parent in pairs.items() if parent in new} - found
        found |= new
    return found


def resident(pid: int) -> int:
    """Memory that a process holds [bytes]; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0


def left(seconds: float = 10.0) -> set[int]:
    """Descendants of this process that do not end in time."""
    end = time.monotonic() + seconds
    while (found := below(os.getpid())) and time.monotonic() < end:
        time.sleep(0.1)
    return found
