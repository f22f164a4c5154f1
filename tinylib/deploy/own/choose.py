"""Which candidate is taken: the best on the part to choose by, of those that keep the limits.

Within TIE of the best, the one of least work wins: so small a difference is chance. The test part has no say;
it is read once, for the report.
"""

from dataclasses import dataclass, replace

import numpy as np

from tinylib.cost import devices
from tinylib.cost.devices import Device
from tinylib.deploy.measure import Limits
from tinylib.deploy.own.candidates import Candidate
from tinylib.deploy.own.checking import Taken
from tinylib.deploy.own.programs import Program
from tinylib.deploy.own.training import Curve
from tinylib.deploy.toolchain import TARGETS
from tinylib.units import shown

Array = np.ndarray
TIE = 0.01
PARTS = {"cortex-m0plus": "stm32l072", "cortex-m3": "stm32f103c8", "cortex-m4": "nano33ble"}


@dataclass(frozen=True)
class Trial:
    """A candidate after its training.

    validation, accuracy: mean hit rate of the classes in floating point, to choose by and on the test part
    integer: on the part to choose by as deployed      taken: what the program takes      None for a free one
    why: why it was not taken, "" for the one that was
    """

    candidate: Candidate
    curve: Curve
    validation: float
    accuracy: float
    program: Program | None = None
    integer: float | None = None
    taken: Taken | None = None
    why: str = ""


def part(target: str) -> Device:
    """The device whose memories limit a program for a core, where nobody gives others."""
    if target not in TARGETS:
        raise ValueError(f"target must be one of {', '.join(TARGETS)}, got {shown(target)}")
    return devices.named(PARTS[target])


def limits_of(
    target: str,
    flash_bytes: int | None = None,
    sram_bytes: int | None = None,
    latency_ms: float | None = None,
) -> Limits:
    """The limits of the usual part of a core, where no others are given."""
    row = part(target)
    flash = row.flash_bytes if flash_bytes is None else flash_bytes
    sram = row.sram_bytes if sram_bytes is None else sram_bytes
    return Limits(flash, sram, latency_ms=latency_ms, clock_hz=row.clock_hz)


def chosen(trials: list[Trial], limits: Limits) -> tuple[Trial | None, list[Trial]]:
    """The trial that is taken, or None, and all of them with the reason why not."""
    fit = [t for t in trials if t.taken and not t.taken.broken(limits)]
    best = max((t.integer for t in fit), default=0.0)
    near = [t for t in fit if t.integer >= best - TIE]
    winner = min(near, key=lambda t: (t.taken.instructions, t.taken.flash), default=None)
    return winner, [replace(t, why=_why(t, winner, limits)) for t in trials]


def _why(t: Trial, winner: Trial | None, limits: Limits) -> str:
    if t is winner:
        return ""
    if t.candidate.free:
        return "without limits, to compare with"
    if broken := t.taken.broken(limits):
        return "; ".join(broken)
    less = winner.integer - t.integer
    if less > TIE:
        return f"{100 * less:.1f} points less on the part to choose by"
    if t.integer > winner.integer:
        return f"{100 * -less:.1f} points more is chance; {_more(t, winner)}"
    return f"as good, {_more(t, winner)}"


def _more(t: Trial, winner: Trial) -> str:
    times = t.taken.instructions / max(winner.taken.instructions, 1)
    return f"{times:.1f} times the work" if times >= 1.05 else "the same work and more flash"


def interval(right: Array, groups: Array | None, seed: int = 0) -> tuple[float, float, str]:
    """A 95 % interval of the share of `right` (n,), and how it was found.

    With five groups or more, whole groups are drawn again and again: windows of one machine are no
    independent tries. Else Wilson's interval of n tries, which is then too narrow and says so.
    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13; Wilson, JASA 22, 1927.
    """
    names = np.unique(groups) if groups is not None else np.empty(0)
    if len(names) >= 5:
        sums = np.array([(right[groups == g].sum(), (groups == g).sum()) for g in names])
        rng = np.random.default_rng(seed)
        drawn = sums[rng.integers(0, len(names), (2000, len(names)))].sum(axis=1)
        low, high = np.percentile(drawn[:, 0] / drawn[:, 1], (2.5, 97.5))
        return (
            float(low),
            float(high),
            f"95 % interval, {len(names)} machines or subjects drawn anew 2,000 times",
        )
    n, p, z = len(right), float(np.mean(right)), 1.96
    middle, half = (p + z * z / 2 / n) / (1 + z * z / n), z / (1 + z * z / n)
    half *= np.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    return (
        max(0.0, middle - half),
        min(1.0, middle + half),
        f"95 % interval of {n} windows as if each stood alone: too narrow",
    )
