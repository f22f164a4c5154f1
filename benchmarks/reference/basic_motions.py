"""Makes tinylib/datasets/data/basic_motions.npz out of the two files of the archive set BasicMotions.

Run from the root of the project: python benchmarks/reference/basic_motions.py FOLDER, which holds
BasicMotions_TRAIN.ts and BasicMotions_TEST.ts as the wheel aeon 1.6.0 has them (aeon/datasets/data).
Accelerations are rounded to 0.001, turning rates to the gyroscope's step of 5000 / 32768 degrees per second.
"""

import sys
from pathlib import Path

import numpy as np

from tinylib.datasets.motions import CLASSES, STEPS

OUT = Path(__file__).resolve().parents[2] / "tinylib" / "datasets" / "data" / "basic_motions.npz"


def series(file: Path) -> tuple[np.ndarray, list[str]]:
    """Values (series, axes, time) and the label of each series of one .ts file."""
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    rows = [line.split(":") for line in lines[lines.index("@data") + 1 :] if line]
    values = [[[float(v) for v in axis.split(",")] for axis in row[:-1]] for row in rows]
    return np.array(values), [row[-1] for row in rows]


if __name__ == "__main__":
    halves = [series(Path(sys.argv[1]) / f"BasicMotions_{part}.ts") for part in ("TRAIN", "TEST")]
    values = np.concatenate([half[0] for half in halves]).transpose(2, 0, 1)  # (time, series, axes)
    codes = np.rint(values / STEPS).astype(np.int16)
    worst = np.abs(codes * np.array(STEPS) - values).max(axis=(0, 1))
    labels = np.array([CLASSES.index(name.lower()) for half in halves for name in half[1]], np.uint8)
    np.savez_compressed(OUT, codes=codes, labels=labels)
    print(f"{OUT.name}: {OUT.stat().st_size:,} bytes, largest error of each axis {worst}")
