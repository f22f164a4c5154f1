"""Windows of recordings in three parts, to learn from, to choose by and to report on once.

No machine is in two parts where the table names machines: the accuracy is then that on a machine never seen.
Without such a column every recording is cut into stretches of time, which are parted instead, and the
accuracy is that on the same machines at another time. Windows overlap by half where there are few.
"""

from dataclasses import dataclass, replace
from random import Random

import numpy as np

from tinylib.deploy.own.cleaning import Recordings
from tinylib.units import shown

Array = np.ndarray
SHARES = 0.55, 0.2, 0.25  # of machines, or of stretches: train, validation, test
PARTS = ("train", "validation", "test")
FEW = 1500  # windows below which they overlap
MOST = 4000  # windows after which no more are taken of each class and machine
STRETCHES = 10  # that a recording is cut into where no machine is named
MACHINES, RUNS = "machines or subjects", "recordings"
LEAST = 8  # windows of a class below which it cannot be learnt


@dataclass(frozen=True)
class Windows:
    """Windows x (n, time, channels) with classes y (n,) and groups (n,); part (n,) is 0, 1 or 2 of PARTS.

    apart: what no two parts share, MACHINES or RUNS, "" for neither      rate_hz: samples per second, or None
    """

    x: Array
    y: Array
    groups: Array
    part: Array
    classes: tuple[str, ...]
    group_names: tuple[str, ...]
    channels: tuple[str, ...]
    rate_hz: float | None
    apart: str
    notes: tuple[str, ...] = ()

    def of(self, part: str) -> Array:
        """Indices of the windows of a part."""
        return np.flatnonzero(self.part == PARTS.index(part))

    @property
    def honest(self) -> bool:
        """Whether the test part holds machines or subjects that no other part knows."""
        return self.apart == MACHINES

    @property
    def counts(self) -> Array:
        """Windows of each class in each part (3, classes)."""
        return np.array([np.bincount(self.y[self.part == p], minlength=len(self.classes)) for p in range(3)])


def length(found: Recordings, window: int | None) -> int:
    """Length of a window [samples]: as given, or about two seconds, as a power of two from 16 to 1024."""
    lengths = np.array([len(r.x) for r in found.parts])
    longest = int(lengths.max())
    if window is not None:
        if isinstance(window, bool) or not isinstance(window, int) or not 8 <= window <= 8192:
            raise ValueError(f"window must be 8 to 8192 samples, got {shown(window)}")
        if window > longest:
            raise ValueError(
                f"window must fit into a recording: the longest has {longest:,} samples, got {window}"
            )
        return window
    wanted = 2 * found.rate_hz if found.rate_hz else 128
    typical = int(np.median(np.repeat(lengths, lengths)))  # of the recording that a sample lies in
    size = 2 ** int(np.clip(round(np.log2(wanted)), 4, 10))
    while size > 16 and size > typical:
        size //= 2
    if size > longest:
        raise ValueError(f"recordings must have at least 16 samples in a row, got at most {longest}")
    return size


def windows(
    found: Recordings, labelled: bool, apart: str, window: int | None = None, seed: int = 0
) -> Windows:
    """The windows of all recordings, parted; `apart`: what their groups are, "" if nothing is known.

    Raises ValueError when a class has too few to learn from.
    """
    size = length(found, window)
    notes = []
    alone = sum(len(r.x) // size for r in found.parts)
    hop = size if alone >= FEW else max(1, size // 2)
    if window is None:
        lasting = f" ({size / found.rate_hz:.3g} s)" if found.rate_hz else ""
        notes.append(f"A window has {size} samples{lasting}.")
    if hop < size:
        notes.append("Windows overlap by half, since there are few.")
    short = sum(len(r.x) < size for r in found.parts)
    notes += [f"{short:,} of {len(found.parts):,} recordings are shorter than a window: left out."] * bool(
        short
    )
    names = sorted({r.label for r in found.parts}, key=_natural) if labelled else ["normal"]
    machines = sorted({r.group for r in found.parts}, key=_natural)
    apart = apart if len(machines) > 1 else ""
    x, y, groups, blocks = [], [], [], []
    for number, r in enumerate(found.parts):
        starts = np.arange(0, len(r.x) - size + 1, hop)
        ends = np.linspace(0, len(r.x), STRETCHES + 1 if len(r.x) >= 2 * STRETCHES * size else 2)
        for start in starts:
            block = np.searchsorted(ends, start, "right") - 1
            if not apart and start + size > ends[block + 1]:
                continue  # it would lie in two stretches
            x.append(r.x[start : start + size])
            y.append(names.index(r.label) if labelled else 0)
            groups.append(machines.index(r.group))
            blocks.append((number, int(block)))
    if not x:
        raise ValueError(f"recordings must have {size} samples in a row: give a smaller window, got none")
    whole = Windows(
        np.array(x, np.float32), np.array(y), np.array(groups), np.zeros(len(x), int), tuple(names),
        tuple(machines), found.channels, found.rate_hz, apart,
    )  # fmt: skip
    whole, said = _learnable(whole)
    blocks = [blocks[i] for i in said[1]]
    notes += said[0]
    whole, more = _parted(whole, blocks, seed)
    return replace(whole, notes=(*notes, *more))


def _natural(name: str) -> tuple:
    """Order of names: numbers by their size."""
    try:
        return (0, float(name), name)
    except ValueError:
        return (1, 0.0, name)


def _learnable(whole: Windows) -> tuple[Windows, tuple[list[str], Array]]:
    """Without classes that have too few windows."""
    counts = np.bincount(whole.y, minlength=len(whole.classes))
    rare = [k for k, n in enumerate(counts) if n < LEAST]
    words = ", ".join(f"{whole.classes[k]} ({counts[k]})" for k in rare)
    if len(whole.classes) - len(rare) < min(2, len(whole.classes)):
        raise ValueError(
            f"each class must have at least {LEAST} windows of {whole.x.shape[1]} samples, and there must be "
            f"two classes: record more or give a smaller window, got {words}"
        )
    keep = np.flatnonzero(~np.isin(whole.y, rare))
    said = [f"Too few windows to learn from, left out: {words}."] * bool(rare)
    most, least = counts[counts >= LEAST].max(), counts[counts >= LEAST].min()
    if most > 2 * least:
        most_of = whole.classes[int(counts.argmax())]
        said.append(
            f"Uneven classes: {most_of} has {most:,} windows, the rarest {least:,}. Rare ones are shown more "
            f"often in training, and the mean of the classes' hit rates decides."
        )
    stay = [k for k in range(len(counts)) if k not in rare]
    y = np.searchsorted(stay, whole.y[keep])
    names = tuple(whole.classes[k] for k in stay)
    return replace(_take(whole, keep), y=y, classes=names), (said, keep)


def _take(whole: Windows, rows: Array) -> Windows:
    arrays = {name: getattr(whole, name)[rows] for name in ("x", "y", "groups", "part")}
    return replace(whole, **arrays)


def _parted(whole: Windows, blocks: list[tuple[int, int]], seed: int) -> tuple[Windows, list[str]]:
    """Parts by machine if every class has three of them, else by stretches of time."""
    notes, parted = [], None
    if whole.apart:
        parted = _drawn(whole.groups, whole.y, len(whole.classes), seed)
        if parted is None:
            few = [
                f"{name} from {n}"
                for k, name in enumerate(whole.classes)
                if (n := len(np.unique(whole.groups[whole.y == k]))) < 3
            ]
            notes.append(
                f"WARNING: {whole.apart} cannot be kept apart, since some classes come from fewer than three "
                f"({', '.join(few) or 'too few'}); time is parted instead, and the accuracy flatters."
            )
    if not whole.honest:
        notes.append(
            "WARNING: no column names the machine or subject, so that the same one may be in all parts: "
            "on a new one the accuracy will be lower. Name such a column if you can (--group)."
        )
    apart = whole.apart if parted is not None else ""
    if parted is None:
        keys = {block: i for i, block in enumerate(dict.fromkeys(blocks))}
        pieces = np.array([keys[block] for block in blocks])
        parted = _drawn(pieces, whole.y, len(whole.classes), seed)
        if parted is None:
            seen = [len(np.unique(pieces[whole.y == k])) for k in range(len(whole.classes))]
            few = [f"{name} in {n}" for name, n in zip(whole.classes, seen) if n < 3]
            long = 2 * STRETCHES * whole.x.shape[1]
            raise ValueError(
                f"each class must have three recordings, or one of {long:,} samples: "
                f"to learn, to choose and to test, got {', '.join(few) or 'too few'}"
            )
    machines = [len(np.unique(whole.groups[parted == p])) for p in range(3)]
    sizes = np.bincount(parted, minlength=3)
    if apart:
        notes.append(
            f"{machines[0]} {apart} to learn from ({sizes[0]:,} windows), {machines[1]} to choose by "
            f"({sizes[1]:,}), {machines[2]} to report on ({sizes[2]:,}); none is in two parts."
        )
    else:
        notes.append(
            f"{sizes[0]:,} windows to learn from, {sizes[1]:,} to choose by, {sizes[2]:,} to report on."
        )
    if sizes[2] < 50:
        notes.append(f"The test part has {sizes[2]} windows: the interval of the accuracy is wide.")
    return replace(whole, part=parted, apart=apart), notes


def _drawn(keys: Array, y: Array, classes: int, seed: int, tries: int = 300) -> Array | None:
    """Part of each window (n,): keys stay together, classes keep their shares; None if that cannot be."""
    names = np.unique(keys)
    table = np.zeros((len(names), classes))
    np.add.at(table, (np.searchsorted(names, keys), y), 1)
    if ((table > 0).sum(axis=0) < 3).any():
        return None
    sizes = table.sum(axis=0)
    draw, best, worst = Random(seed).random, None, np.inf
    for ends, even in (np.cumsum(SHARES), False), (np.arange(1, 4) / 3, True):  # thirds where keys are few
        for _ in range(tries):
            draws = np.array([draw() for _ in names])
            order = np.argsort(_dealt(draws, table.argmax(axis=1)) if even else draws, kind="stable")
            run = np.cumsum(table[order].sum(axis=1)) - table[order].sum(axis=1) / 2
            part = np.empty(len(names), int)
            part[order] = np.searchsorted(ends, run / sizes.sum()).clip(0, 2)
            shares = np.array([table[part == p].sum(axis=0) for p in range(3)]) / sizes
            off = np.abs(shares - np.array(SHARES)[:, None]).max() + 10 * (shares == 0).sum()
            if off < worst:
                best, worst = part, off
        if worst < 10:
            return best[np.searchsorted(names, keys)]
    return None


def _dealt(draws: Array, kinds: Array) -> Array:
    """Places 0..1 (n,) in the order of draws, those of each kind evenly apart."""
    places = np.empty(len(draws))
    for kind in np.unique(kinds):
        mine = np.flatnonzero(kinds == kind)
        places[mine[np.argsort(draws[mine])]] = (np.arange(len(mine)) + 0.5) / len(mine)
    return places
