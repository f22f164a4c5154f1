"""A run put into a folder: report, C files and Makefile, all or nothing."""

import json
import os
import shutil
from pathlib import Path

from tinylib.deploy.own.report_page import page
from tinylib.deploy.own.run import Found
from tinylib.units import shown

MARK = "choice.json"  # tells a folder of ours


def checked(folder: str | Path) -> Path:
    """A folder that may be written: it does not exist, is empty, or holds an earlier run."""
    folder = Path(folder)
    if folder.exists() and not (folder.is_dir() and (not any(folder.iterdir()) or (folder / MARK).exists())):
        raise ValueError(f"out must be a new folder or one of an earlier run, got {shown(str(folder))}")
    above = next(path for path in folder.absolute().parents if path.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise ValueError(f"out must lie in a folder that can be written, got {shown(str(folder))}")
    return folder


def files(found: Found, name: str = "own") -> dict[str, str]:
    """Everything that is written, by name."""
    made = {"report.html": page(found, name), MARK: json.dumps(facts(found), indent=1) + "\n"}
    if found.program:
        made |= found.program.sources(name, found.vectors)
        made.pop(f"{name}_plot.py", None)
    return made


def facts(found: Found) -> dict:
    """The numbers of a run as plain values."""
    taken = found.taken
    told = {
        "target": found.target,
        "seed": found.seed,
        "window": int(found.windows.x.shape[1]),
        "channels": list(found.windows.channels),
        "classes": list(found.windows.classes),
        "rate_hz": found.windows.rate_hz,
        "verdict": found.verdict,
        "seconds": round(found.seconds, 1),
    }
    if taken:
        told |= {"flash_bytes": taken.flash, "ram_bytes": taken.ram, "instructions": taken.instructions}
        told |= {"measured": taken.measured, "compared_windows": taken.compared, "differing": taken.differing}
    if found.detector:
        told |= {"threshold": found.detector.program.threshold, "false_alarms": found.detector.alarms}
    elif found.winner:
        told |= {
            "network": found.winner.candidate.name,
            "accuracy": found.accuracy,
            "hit_rate": found.hit_rate,
        }
        told |= {"interval": [found.low, found.high], "share_of_best": found.share_of_best}
    return told


def write(found: Found, folder: str | Path, name: str = "own") -> Path:
    """The folder with all files: it appears whole, or an earlier one stays."""
    folder = checked(folder)
    partial = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        for file, text in files(found, name).items():
            (partial / file).write_text(text, encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder
