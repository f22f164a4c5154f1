"""One rule for what counts as an answer: plain numbers, text, lists and arrays, nothing that can act.

Used by `check`, by the sandbox and by the judge, so that a value means the same in all three.
"""

import math
import sys
from typing import Any

MAX_ELEMENTS = 100_000
MAX_TEXT = 10_000
MAX_SHOWN = 6  # numbers of a list that a message shows


class NotPlain(TypeError):
    """The value is of a kind that is never an answer; the message says which."""


def plain(value: Any) -> Any:
    """The value as exact bool, int, float, str, or (nested) list or dict of them.

    numpy scalars and arrays of up to 100,000 numbers become Python values. Exact types only: a subclass
    may lie about how it compares. Raises NotPlain with one sentence.
    """
    return _plain(value, [MAX_ELEMENTS], depth=0)


def _plain(value: Any, room: list[int], depth: int) -> Any:
    kind = type(value)
    room[0] -= 1
    if room[0] < 0:
        raise NotPlain(f"an answer must hold at most {MAX_ELEMENTS:,} values, got more")
    if kind is float or kind is int or kind is bool or value is None:  # `is`: a metaclass may equal anything
        return value
    if kind is str:
        if len(value) > MAX_TEXT:
            raise NotPlain(f"an answer must hold at most {MAX_TEXT:,} characters, got {len(value):,}")
        return value
    if depth > 8:
        raise NotPlain("an answer must not be nested deeper than 8 lists")
    if kind is list or kind is tuple:
        return [_plain(v, room, depth + 1) for v in value]
    if kind is dict:
        return {_key(k): _plain(v, room, depth + 1) for k, v in value.items()}
    return _from_numpy(value, room, depth)


def _key(key: Any) -> str:
    if type(key) is not str or len(key) > MAX_TEXT:
        raise NotPlain(f"an answer's names must be short text, got {_type_name(key)}")
    return key


def _from_numpy(value: Any, room: list[int], depth: int) -> Any:
    numpy = sys.modules.get("numpy")
    kind = type(value)
    if numpy is not None and kind is numpy.ndarray:
        if value.dtype.kind not in "biuf":
            raise NotPlain(f"an array answer must hold real numbers, got dtype {value.dtype}")
        if value.size > room[0]:
            raise NotPlain(f"an answer must hold at most {MAX_ELEMENTS:,} values, got {value.size:,}")
        return _plain(
            value.astype(float).tolist() if value.dtype.itemsize > 8 else value.tolist(), room, depth
        )
    if numpy is not None and any(kind is known for known in numpy.sctypeDict.values()):
        if issubclass(kind, numpy.bool_):
            return bool(value)
        if issubclass(kind, numpy.integer) and kind is not numpy.timedelta64:
            return int(value)
        if issubclass(kind, numpy.floating):
            return float(value)
        if issubclass(kind, numpy.str_):
            return _plain(str(value), room, depth)
    raise NotPlain(f"an answer must be a number, text, list or array, got {_type_name(value)}")


def _type_name(value: Any) -> str:
    """What kind of thing this is, for a message, without asking the thing itself."""
    if isinstance(value, complex):
        return f"the complex number {value!r}" if type(value) is complex else "a complex number"
    if callable(value):
        return "a function: call it, or answer with its value"
    name = type.__getattribute__(type(value), "__name__")
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def real(value: Any) -> float | int:
    """`value` as a finite int or float; raises NotPlain with one sentence otherwise."""
    if type(value) is bool:
        raise NotPlain(f"the answer must be a number, got the truth value {value}")
    if type(value) is list:
        if len(value) == 1:
            return real(value[0])
        raise NotPlain(f"the answer must be one number, got {len(value)} values")
    if type(value) not in (int, float):
        raise NotPlain(f"the answer must be a number, got {short(value)}")
    if type(value) is float and not math.isfinite(value):
        raise NotPlain(f"the answer must be finite, got {value}")
    return value


def short(value: Any, width: int = 40) -> str:
    """A plain value as text of bounded length, for a message."""
    if type(value) is int and value.bit_length() > 120:
        return f"an integer of {value.bit_length():,} bits"
    if type(value) is list and len(value) <= MAX_SHOWN and {type(v) for v in value} <= {bool, int, float}:
        return f"[{', '.join(short(v) for v in value)}]"
    if type(value) in (list, dict):
        return f"{_type_name(value)} of {len(value)} values"
    text = f"{value:.6g}" if type(value) is float else repr(value)
    return text if len(text) <= width else text[: width - 1] + "…"
