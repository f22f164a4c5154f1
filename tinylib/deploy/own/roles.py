"""What each column of a table is for: the label, the machine, the time, a reading, or nothing.

A role that nobody names is guessed from the names of the columns, and every guess is said. A column that
tells recordings apart instead of measuring (a number of a file, a counter of rows) must not be a reading:
a network would learn it by heart, and be right for the wrong reason.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from tinylib.deploy.own.tables import Table, counted
from tinylib.units import shown

Array = np.ndarray
LABELS = ("label", "class", "target", "activity", "state", "condition", "fault", "motion", "gesture", "y")
GROUPS = (
    "machine",
    "motor",
    "subject",
    "person",
    "participant",
    "user",
    "patient",
    "device",
    "unit",
    "group",
)
RUNS = ("recording", "session", "run", "trial", "series", "file", "segment", "window", "experiment", "id")
TIMES = ("time", "timestamp", "t", "seconds", "datetime", "date", "ms", "millis", "us")
COUNTERS = ("index", "row", "sample", "n", "i", "c", "no", "nr")
MOST_CLASSES = 30
SCALES = {"ms": 1e-3, "millis": 1e-3, "us": 1e-6, "ns": 1e-9, "s": 1.0, "sec": 1.0, "seconds": 1.0}


@dataclass(frozen=True)
class Roles:
    """Names of the columns: label, group (machine, subject), run (one recording), time; None for no such.

    channels: columns of readings      rate_hz: as given, or None      notes: what was guessed
    """

    label: str | None
    group: str | None
    run: str | None
    time: str | None
    channels: tuple[str, ...]
    rate_hz: float | None = None
    notes: tuple[str, ...] = ()


def roles_of(
    table: Table,
    label: str | None = None,
    group: str | None = None,
    time: str | None = None,
    rate_hz: float | None = None,
    channels: Sequence[str] | None = None,
) -> Roles:
    """The roles of the columns; what is not given is guessed, and "" says that there is none."""
    for what, name in (("label", label), ("group", group), ("time", time)):
        if name and name not in table.columns:
            raise ValueError(f"{what} must be a column, one of {', '.join(table.columns)}, got {shown(name)}")
    if rate_hz is not None and not 0 < rate_hz < np.inf:
        raise ValueError(f"rate must be positive: it is samples per second, got {shown(rate_hz)}")
    if rate_hz is not None and time:
        raise ValueError(
            f"rate must be given without time: the column tells the rate, got {rate_hz} and {time}"
        )
    notes: list[str] = []
    taken = {name for name in (label, group, time) if name}
    if label is None:
        label = _guess(table, LABELS, taken) or _few_words(table, taken)
        notes += [f"Column {label} is taken as the label."] * bool(label)
    taken |= {label}
    if group is None:
        group = _guess(table, GROUPS, taken)
        notes += [f"Column {group} is taken as the machine or subject."] * bool(group)
    taken |= {group}
    if time is None and rate_hz is None:
        time = _guess(table, TIMES, taken)
        notes += [f"Column {time} is taken as the time."] * bool(time)
    elif rate_hz is not None and not time:
        unread = _guess(table, TIMES, taken)  # it is not a reading either
        notes += [f"Column {unread} is not read, since the rate is given."] * bool(unread)
        taken |= {unread}
    taken |= {time}
    run = _guess(table, RUNS, taken)
    notes += [f"Column {run} tells recordings apart."] * bool(run)
    taken |= {run}
    if channels is None:
        channels = _readings(table, taken - {None, ""}, notes)
    elif wrong := [c for c in channels if c not in table.columns or table.is_text(c)]:
        raise ValueError(f"channels must be columns of numbers, got {', '.join(map(shown, wrong))}")
    elif len(set(channels)) < len(channels):
        raise ValueError(f"channels must be named once each, got {', '.join(map(shown, channels))}")
    if not channels:
        raise ValueError(f"data must have a column of readings, numbers that change, got {_listed(table)}")
    return Roles(label or None, group or None, run, time or None, tuple(channels), rate_hz, tuple(notes))


def _listed(table: Table) -> str:
    """The first columns of a table with what they hold."""
    kinds = [f"{shown(name)} ({'text' if table.is_text(name) else 'numbers'})" for name in table.columns]
    return ", ".join(kinds[:8]) + ", ..." * (len(kinds) > 8) + f" in {counted(table.rows, 'row')}"


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-z]+", name.lower()) if word]


def _guess(table: Table, names: tuple[str, ...], taken: set) -> str | None:
    """The column whose name holds one of some words, the most telling word first."""
    free = [name for name in table.columns if name not in taken]
    for word in names:
        found = [name for name in free if word in (_words(name) if len(word) > 2 else [name.lower()])]
        if found:
            return found[0]
    return None


def _few_words(table: Table, taken: set) -> str | None:
    """The only text column with a few words in it, if there is just one."""
    found = [n for n in table.columns if n not in taken and table.is_text(n)]
    found = [n for n in found if 2 <= len(set(table.columns[n]) - {""}) <= MOST_CLASSES]
    found = [n for n in found if not set(_words(n)) & {*GROUPS, *RUNS, *TIMES}]
    return found[0] if len(found) == 1 else None


def _readings(table: Table, taken: set, notes: list[str]) -> tuple[str, ...]:
    found = []
    for name, column in table.columns.items():
        if name in taken:
            continue
        if table.is_text(name):
            many = len(set(column)) >= 3
            hint = f" If it names the machine or subject, give --group {name}; if the class, --label {name}."
            notes.append(f"Column {name} holds text and is no reading: left out.{hint * many}")
        elif np.isnan(column).all():
            notes.append(f"Column {name} is empty: left out.")
        elif np.nanmin(column) == np.nanmax(column):
            notes.append(f"Column {name} never changes: left out.")
        elif _counts(name, column):
            notes.append(f"Column {name} only counts the rows: left out.")
        else:
            found.append(name)
    return tuple(found)


def _counts(name: str, column: Array) -> bool:
    """Whether a column is a counter: it goes up by the same step nearly everywhere."""
    there = column[np.isfinite(column)]
    with np.errstate(over="ignore"):  # of numbers that no sensor tells
        if name.lower() in COUNTERS and np.all(there % 1 == 0):
            return bool(np.mean(np.diff(column) == 1) > 0.8)
        return bool(len(there) > 11 and np.ptp(there) and np.mean(np.diff(there) == 1) > 0.99)


def classes(table: Table, roles: Roles) -> int:
    """Different labels [count]; 0 without a label column. Raises ValueError where they are no classes."""
    if not roles.label:
        return 0
    column = table.columns[roles.label]
    text = table.is_text(roles.label)
    found = (
        len({word.lower() for word in column} - {""}) if text else len(np.unique(column[np.isfinite(column)]))
    )
    if found > MOST_CLASSES:
        raise ValueError(
            f"label must name at most {MOST_CLASSES} classes: a quantity is none, got {found:,} values in "
            f"{roles.label}"
        )
    return found


def seconds(table: Table, name: str) -> tuple[Array, str]:
    """The column of times in seconds (rows,), NaN where missing, and a sentence on its unit."""
    column = table.columns[name]
    if table.is_text(name):
        return _dates(column, name)
    unit = next((w for w in reversed(_words(name)) if w in SCALES), None)
    steps = np.diff(column)
    steps = steps[steps > 0]
    typical = float(np.median(steps)) if len(steps) else 0.0
    if unit:
        return column * SCALES[unit], ""
    if typical >= 5 or (typical >= 1 and np.nanmedian(column) > 1e11):  # a sensor is read oftener than that
        scale, said = (1e-3, "milliseconds") if np.nanmax(np.abs(column)) < 1e14 else (1e-6, "microseconds")
        return column * scale, f"Column {name} has steps of {typical:g} and is read as {said}."
    return column, f"Column {name} is read as seconds."


def _dates(column: Array, name: str) -> tuple[Array, str]:
    try:
        when = np.array([_moment(w) if w else np.nan for w in column])
    except (ValueError, OverflowError):
        raise ValueError(
            f"time must be numbers or dates such as 2026-01-31T12:00:00, got {shown(column[0])} in {name}"
        ) from None
    return when, f"Column {name} holds dates."


def _moment(word: str) -> float:
    """A date and time in seconds since 1970; without an offset it is that of UTC."""
    when = datetime.fromisoformat(word)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
