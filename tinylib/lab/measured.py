"""measured_roofline(): the roofline of a real machine, from an example on file or measured here and now.

Peak is the best float32 matrix product. Bandwidth is the best of copying and adding arrays far larger than
the caches: a copy moves 2 values per element and an addition in place 3. Both are needed, because many
caches fetch a line before a copy overwrites it, traffic that nobody counts; an addition reads it anyway.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from tinylib.show import canvases
from tinylib.show import measured as picture
from tinylib.units import MIB

ARRAY_BYTES = 128 * MIB  # far larger than the last cache of a usual machine
_EXAMPLE = Path(__file__).parent / "data" / "measured.toml"
_WORD = np.float32().itemsize  # bytes of a value


@dataclass(frozen=True)
class Measured:
    """Peak [FLOP/s], bandwidth [B/s] and points (name, intensity [FLOP/B], rate [FLOP/s]) of one machine."""

    machine: str
    date: str
    peak_flops_per_s: float
    bandwidth_bytes_per_s: float
    points: tuple[tuple[str, float, float], ...]

    @property
    def svg(self) -> str:
        """The picture [text]."""
        title = f"Measured roofline: {self.machine}, {self.date}"
        return picture.measured_roofline(
            self.points, self.peak_flops_per_s, self.bandwidth_bytes_per_s, title
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": canvases.alternative(self.svg)}


def measured_roofline(run: bool = False) -> Measured:
    """The example on file, or with run=True this machine, measured in a few seconds."""
    return measure() if run else example()


def example() -> Measured:
    """The measurement on file, made with `measure`."""
    import tomllib

    row = tomllib.loads(_EXAMPLE.read_text(encoding="utf-8"))
    points = tuple((p["name"], p["flop_per_byte"], p["flops_per_s"]) for p in row.pop("point"))
    return Measured(**row, points=points)


def best_s(work: Callable[[], object], budget_s: float = 0.3) -> float:
    """Shortest of up to ten runs after one to warm up [s]; no run starts once the budget is spent."""
    end, best, runs = perf_counter() + budget_s, float("inf"), 0
    work()
    while runs == 0 or (runs < 10 and perf_counter() < end):
        start = perf_counter()
        work()
        best, runs = min(best, perf_counter() - start), runs + 1
    return best


def measure(array_bytes: int = 0, say: Callable[[str], object] = print) -> Measured:
    """This machine, measured with arrays of about this size; `say` gets a line before each step."""
    array_bytes = array_bytes or ARRAY_BYTES
    say("copying large arrays ...")
    bandwidth = _bandwidth(array_bytes)
    cores, points = os.cpu_count() or 1, []
    for name, intensity, flops, work in _between(array_bytes):
        say(f"{name} ...")
        points.append((name, intensity, flops / best_s(work)))
    say("multiplying large matrices ...")
    side, rate = _matmul()
    points.append((f"matmul {side}x{side}", _square_intensity(side), rate))
    peak = max(r for _, _, r in points)
    return Measured(
        f"this machine, {cores} core{'s'[: cores > 1]}",
        date.today().isoformat(),
        peak,
        bandwidth,
        tuple(points),
    )


def _bandwidth(array_bytes: int) -> float:
    """Bytes per second of the fastest stream, by one thread or by one for each core [B/s]."""
    source = np.ones(array_bytes // _WORD, np.float32)
    target = np.zeros_like(source)
    cores = 1 if sys.platform == "emscripten" else os.cpu_count() or 1  # a browser starts no threads
    return max(_streaming(target, source, threads) for threads in {1, cores})


def _streaming(target: np.ndarray, source: np.ndarray, threads: int) -> float:
    """Bytes per second when threads share a copy, or an addition in place, whichever is faster [B/s]."""
    parts = list(zip(np.array_split(target, threads), np.array_split(source, threads)))
    with nullcontext() if threads == 1 else ThreadPoolExecutor(threads) as pool:
        everywhere = pool.map if pool else map
        copy_s = best_s(lambda: list(everywhere(lambda pair: np.copyto(*pair), parts)))
        add_s = best_s(lambda: list(everywhere(lambda pair: np.add(*pair, out=pair[0]), parts)))
    return source.nbytes * max(2 / copy_s, 3 / add_s)


def _square_intensity(side: int) -> float:
    """FLOP per byte of one square matrix product, each matrix moved once: 2 n^3 / (3 n^2 x 4 bytes)."""
    return 2 * side / (3 * _WORD)


def _between(array_bytes: int) -> list[tuple[str, float, float, Callable[[], object]]]:
    """(name, intensity [FLOP/B], work [FLOP], function) of work on arrays that no cache holds."""
    values = array_bytes // _WORD
    x, y, scratch = (np.full(values, v, np.float32) for v in (1, 2, 0))
    side = int(values**0.5)
    matrix, vector = x[: side * side].reshape(side, side), np.ones(side, np.float32)

    def axpy() -> None:  # numpy makes two passes: 5 values moved for 2 FLOP, where a fused one moves 3
        np.multiply(x, np.float32(0.5), out=scratch)
        np.add(y, scratch, out=y)

    def stack(n: int) -> tuple[str, float, float, Callable[[], object]]:
        count = values // n**2
        a, b, c = (array[: count * n * n].reshape(count, n, n) for array in (x, y, scratch))
        return f"many {n}x{n}", _square_intensity(n), 2 * count * n**3, lambda: np.matmul(a, b, out=c)

    return [
        ("axpy", 2 / (5 * _WORD), 2 * values, axpy),
        ("matvec", 2 / _WORD, 2 * side * side, lambda: matrix @ vector),
        stack(16),
        stack(64),
    ]


def _matmul(budget_s: float = 0.3) -> tuple[int, float]:
    """Side and rate [FLOP/s] of the fastest square matrix product; larger ones until one takes too long."""
    found = []
    for side in (256, 512, 1024, 2048):
        a = np.ones((side, side), np.float32)
        out = np.empty_like(a)
        seconds = best_s(lambda a=a, out=out: np.matmul(a, a, out=out), budget_s)
        found.append((side, 2 * side**3 / seconds))
        if 8 * seconds > budget_s:
            break
    return max(found, key=lambda pair: pair[1])
