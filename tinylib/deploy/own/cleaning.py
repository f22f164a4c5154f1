"""From a table to recordings: readings in a row at an even rate, of one machine and one label.

    cut       where machine, recording or label changes, time stands still or runs back, or a gap is too long
    filled    gaps of up to FILL samples, along a straight line
    resampled to one rate, where rates differ: averaged before a lower rate, against aliasing

What was done is said in one sentence each. Nothing is learnt here: no value depends on another recording.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tinylib.deploy.own.roles import Roles, seconds
from tinylib.deploy.own.tables import Table, counted

Array = np.ndarray
LEAST = 8  # samples that a recording must have in a row
FILL = 5  # samples of a gap that a straight line fills
MARKS = (-999.0, 999.0, -9999.0, 9999.0, 99999.0, -99999.0, 32767.0, -32768.0, 65535.0)  # "no value"
LARGEST = 1e30  # that a reading may be, and the square of it in 64 bits
SLOWEST = 1e6  # seconds from sample to sample: beyond, no recording goes on
UNEVEN = 0.02  # share by which rates may differ before they are made one


@dataclass(frozen=True)
class Recording:
    """Readings x (time, channels) of one machine under one label, evenly spaced."""

    x: Array
    label: str
    group: str


@dataclass(frozen=True)
class Recordings:
    """All recordings of a table. rate_hz: samples per second, None where nothing says it."""

    parts: tuple[Recording, ...]
    channels: tuple[str, ...]
    rate_hz: float | None
    notes: tuple[str, ...] = ()


def recordings(table: Table, roles: Roles) -> Recordings:
    """The recordings of a table. Raises ValueError when nothing is left."""
    notes: list[str] = []
    x = np.column_stack([table.columns[name] for name in roles.channels])
    label, group, run = (_words(table, name) for name in (roles.label, roles.group or roles.run, roles.run))
    label = _one_case(label, notes)
    when = None
    if roles.time:
        when, said = seconds(table, roles.time)
        notes += [said] * bool(said)
    x, kept = _without_marks(x, roles.channels, notes)
    keep = np.ones(len(x), bool)
    if roles.label and (label == "").any():
        keep &= label != ""
        notes.append(f"{counted((label == '').sum(), 'row')} without a label: left out.")
    if when is not None and np.isnan(when).any():
        keep &= ~np.isnan(when)
        notes.append(f"{counted(np.isnan(when).sum(), 'row')} without a time: left out.")
    order = np.flatnonzero(keep)
    order = order[np.lexsort((order, run[order], group[order]))]  # machines may be mixed row by row
    x, label, group, run = (a[order] for a in (x, label, group, run))
    when = None if when is None else when[order]
    cuts = (label[1:] != label[:-1]) | (group[1:] != group[:-1]) | (run[1:] != run[:-1])
    edges = [0, *(np.flatnonzero(cuts) + 1), len(x)]
    stretches = [(a, b) for a, b in pairwise(edges) if b > a]
    rate = roles.rate_hz
    pieces: Iterable[tuple[Array, int]] = [(x[a:b], a) for a, b in stretches]
    if when is not None:
        pieces, rate = _even(x, when, stretches, notes)
    whole = [(part, at) for piece, at in pieces for part in _filled(piece)]
    found = tuple(Recording(part, str(label[at]), str(group[at])) for part, at in whole if len(part))
    _say_missing(x, notes)
    longest = max((len(r.x) for r in found), default=0)
    if longest < LEAST:
        raise ValueError(
            f"rows must be samples in time, at least {LEAST} in a row of one label and machine (not one "
            f"example in each row), got at most {longest}"
        )
    return _constant_left_out(Recordings(found, kept, rate, tuple(notes)))


def _words(table: Table, name: str | None) -> Array:
    """A column as words (rows,), "" where nothing stands; whole numbers without a point."""
    if not name:
        return np.full(table.rows, "")
    column = table.columns[name]
    if table.is_text(name):
        return column.astype(str)
    names = {v: (f"{v:.0f}" if v % 1 == 0 else f"{v:g}") for v in np.unique(column[np.isfinite(column)])}
    if len(names) > 1000:
        raise ValueError(
            f"column {name} must hold names or whole numbers, got {len(names):,} different values"
        )
    return np.array([names.get(v, "") for v in column])


def _one_case(words: Array, notes: list[str]) -> Array:
    """Words that differ by capitals alone as one, in the form that is seen most."""
    forms = Counter(words.tolist()).most_common()
    usual: dict[str, str] = {}
    for word, _ in forms:
        usual.setdefault(word.lower(), word)
    changed = [f"{word} as {usual[word.lower()]}" for word, _ in forms if usual[word.lower()] != word]
    if not changed:
        return words
    notes.append(f"Labels that differ by capitals alone are one: {', '.join(changed)}.")
    return np.array([usual[word.lower()] for word in words])


def _without_marks(x: Array, channels: tuple[str, ...], notes: list[str]) -> tuple[Array, tuple[str, ...]]:
    """Numbers that stand for "no value" as NaN; channels that are mostly missing are left out."""
    x = x.copy()
    for k, name in enumerate(channels):
        huge = np.abs(x[:, k]) > LARGEST
        if huge.any():
            x[huge, k] = np.nan
            hits = counted(huge.sum(), "number")
            notes.append(f"Column {name}: {hits} beyond {LARGEST:g}, as no sensor tells: read as missing.")
        seen = x[np.isfinite(x[:, k]) & ~np.isin(x[:, k], MARKS), k]
        low, high = np.percentile(seen, (1, 99)) if len(seen) else (0.0, 0.0)
        room = 5 * (high - low)
        for mark in MARKS:
            if low - room <= mark <= high + room:
                continue
            if hits := int((x[:, k] == mark).sum()):
                x[x[:, k] == mark, k] = np.nan
                notes.append(
                    f"Column {name}: {mark:g} stands {counted(hits, 'time')}, far outside: read as missing."
                )
    missing = np.isnan(x).mean(axis=0)
    keep = missing <= 0.5
    notes += [
        f"Column {n}: {share:.0%} of its values are missing: left out."
        for n, share, stays in zip(channels, missing, keep)
        if not stays
    ]
    if not keep.any():
        raise ValueError(
            f"data must hold readings: more than half of each column is empty or beyond {LARGEST:g}, got none"
        )
    return x[:, keep], tuple(n for n, stays in zip(channels, keep) if stays)


def _even(
    x: Array, when: Array, stretches: list[tuple[int, int]], notes: list[str]
) -> tuple[list[tuple[Array, int]], float]:
    """Pieces of one rate with the row that each begins at, and the rate [Hz]."""
    pieces, backwards, gaps = [], 0, 0
    for a, b in stretches:
        steps = np.diff(when[a:b])
        forward = steps[steps > 0]
        if not len(forward):
            continue
        typical = float(np.median(forward))
        back, far = steps <= 0, steps > (FILL + 1.5) * typical
        same = back & (steps == 0)
        backwards, gaps = backwards + int((back & ~same).sum()), gaps + int(far.sum())
        cut = [0, *(np.flatnonzero((back & ~same) | far) + 1), b - a]
        for first, last in pairwise(cut):
            fresh = first + np.flatnonzero(np.r_[True, np.diff(when[a + first : a + last]) > 0])
            if len(fresh) > 2 and typical < SLOWEST:
                pieces.append((a + fresh, 1 / float(np.median(np.diff(when[a + fresh])))))
    if not pieces:
        raise ValueError(
            f"time must go forward from row to row, by less than {SLOWEST:,.0f} s: no samples follow each "
            "other, got none"
        )
    notes += [f"Time runs back {counted(backwards, 'time')}: a new recording begins there."] * bool(backwards)
    notes += [f"{counted(gaps, 'gap')} of more than {FILL} samples: a recording is cut there."] * bool(gaps)
    rates = np.array([rate for _, rate in pieces])
    lengths = np.array([len(rows) for rows, _ in pieces])
    common = np.unique(np.round(rates, 6))
    shares = np.array([lengths[np.abs(rates / r - 1) < UNEVEN].sum() for r in common]) / lengths.sum()
    target = float(common[shares >= 0.1].min()) if (shares >= 0.1).any() else float(np.median(rates))
    near = np.abs(rates / target - 1) < UNEVEN
    target = float(np.average(rates[near], weights=lengths[near])) if near.any() else target
    target = round(target) if abs(target / max(round(target), 1) - 1) < 1e-3 else target
    uneven = int((~near).sum())
    if uneven:
        other = ", ".join(f"{r:.4g}" for r in sorted(set(np.round(rates[~near], 1)))[:4])
        notes.append(
            f"{uneven:,} of {len(rates):,} recordings have another rate ({other} Hz): all are brought to "
            f"{target:.4g} Hz."
        )
    jitter, found = 0, []
    for rows, rate in pieces:
        steps = np.diff(when[rows]) * target
        if abs(rate / target - 1) < UNEVEN and np.abs(steps - 1).max() < 0.5:
            found.append((x[rows], int(rows[0])))
            continue
        jitter += abs(rate / target - 1) < UNEVEN
        found.append((_resampled(x[rows], when[rows], rate, target), int(rows[0])))
    notes += [f"{counted(jitter, 'recording')} with missing or uneven samples: put on an even grid."] * bool(
        jitter
    )
    return found, target


def _resampled(x: Array, when: Array, rate: float, target: float) -> Array:
    """x (time, channels) at `target` samples per second; a lower rate is averaged over its step first."""
    wide = min(round(rate / target), len(x))  # a piece may be shorter than one step
    if wide > 1:
        ones = np.convolve(np.ones(len(x)), np.ones(wide), "same")
        x = np.column_stack([np.convolve(c, np.ones(wide), "same") / ones for c in x.T])
    grid = when[0] + np.arange(int((when[-1] - when[0]) * target) + 1) / target
    columns = []
    for column in x.T:
        there = np.isfinite(column)
        if there.sum() < 2:
            columns.append(np.full(len(grid), np.nan))
            continue
        values = np.interp(grid, when[there], column[there])
        after = np.searchsorted(when[there], grid).clip(1, there.sum() - 1)
        hole = np.diff(when[there])[after - 1] * target > FILL + 1.5
        columns.append(np.where(hole, np.nan, values))
    return np.column_stack(columns)


def _filled(x: Array) -> list[Array]:
    """x (time, channels) with short gaps filled, cut where a gap is long."""
    missing = np.isnan(x)
    if not missing.any():
        return [x]
    x = x.copy()
    lost = np.zeros(len(x), bool)
    at = np.arange(len(x))
    for k in range(x.shape[1]):
        gone = missing[:, k]
        if not gone.any():
            continue
        if gone.all():
            return []
        edges = np.flatnonzero(np.diff(np.r_[0, gone.astype(int), 0]))
        for first, last in zip(edges[::2], edges[1::2]):
            if last - first > FILL or first == 0 or last == len(x):
                lost[first:last] = True
        x[:, k] = np.interp(at, at[~gone], x[~gone, k])
    cuts = np.flatnonzero(np.diff(np.r_[1, lost.astype(int), 1]))
    return [x[a:b] for a, b in zip(cuts[::2], cuts[1::2])]


def _say_missing(x: Array, notes: list[str]) -> None:
    missing = int(np.isnan(x).any(axis=1).sum())
    if missing:
        notes.append(
            f"{counted(missing, 'row')} ({missing / len(x):.1%}) without a reading: gaps of up to {FILL} "
            f"samples are filled along a line, at longer ones a recording is cut."
        )


def _constant_left_out(whole: Recordings) -> Recordings:
    """Without channels that stand still in every recording: they can only name it."""
    still = np.all([np.ptp(r.x, axis=0) == 0 for r in whole.parts], axis=0)
    if not still.any():
        return whole
    names = [n for n, s in zip(whole.channels, still) if s]
    if still.all():
        raise ValueError(f"readings must change within a recording, got {', '.join(names)} standing still")
    said = f"Column {', '.join(names)} stands still within every recording and only names it: left out."
    parts = tuple(Recording(r.x[:, ~still], r.label, r.group) for r in whole.parts)
    kept = tuple(n for n in whole.channels if n not in names)
    return Recordings(parts, kept, whole.rate_hz, (*whole.notes, said))
