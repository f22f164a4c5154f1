"""Values from an untrusted process, decoded once more: plain values, arrays, names, the points of a test."""

import math
import unicodedata
from dataclasses import replace
from typing import Any

from grading.inside.task import Outcome
from grading.judging.clean import one_line
from grading.judging.judge import Array
from tinylib.practice.plain import NotPlain, plain, short

MAX_NAME = 200  # characters of a name, or of an answer that is text


def decoded(entry: Any) -> Any:
    """The value of one recorded call; raises NotPlain with its sentence when there is none."""
    if type(entry) is not dict or "value" not in entry:
        refused = entry.get("refused") if type(entry) is dict else None
        raise NotPlain(one_line(refused, 300) if type(refused) is str and refused else "it gave no value")
    value, arrays = plain(entry["value"]), entry.get("arrays")
    if type(arrays) is not dict:
        return value
    if "" in arrays:
        return _array(value, arrays[""])
    if type(value) is dict:
        return {name: _array(v, arrays[name]) if name in arrays else v for name, v in value.items()}
    return value


def _array(value: Any, facts: Any) -> Any:
    """A plain value that the sandbox says was an array of this dtype and shape."""
    if type(facts) is not list or len(facts) != 2 or type(facts[0]) is not str or type(facts[1]) is not list:
        return value
    if not all(type(n) is int and n >= 0 for n in facts[1]) or len(facts[1]) > 8:
        return value
    return Array(facts[0][:20], tuple(facts[1]), value)


def sound(outcome: Outcome) -> Outcome:
    """The outcome with text where text is expected, whoever sent it; values are decoded where used."""
    error = tuple(part if type(part) is str else "?" for part in outcome.error) if outcome.error else None
    refused = outcome.refused if type(outcome.refused) is str else "it could not be read"
    outputs = tuple(output for output in outcome.outputs if type(output) is dict)
    return replace(outcome, error=error, refused=refused, outputs=outputs)


def fits_a_name(name: Any) -> bool:
    """Whether this is short text that any file and database can hold."""
    return (
        type(name) is str
        and len(name) <= MAX_NAME
        and not {"Cc", "Cs"} & {unicodedata.category(c) for c in name}
    )


def noted(value: Any) -> int | float | str | None:
    """A plain answer as a number or short text, for gradebook, page and report."""
    if type(value) is list and len(value) == 2 and type(value[0]) in (int, float) and type(value[1]) is str:
        value = f"{value[0]}, {value[1]}"  # a number and a choice
    if value is None or (type(value) is int and value.bit_length() <= 120):
        return value
    if type(value) is float and math.isfinite(value):
        return value
    return one_line(value if type(value) is str else short(value), MAX_NAME)


def partial(outcome: Outcome) -> float | None:
    """Points that a test cell gave as its result, as nbgrader reads them."""
    for output in outcome.outputs:
        if output.get("output_type") == "execute_result":
            try:
                number = float(output["data"]["text/plain"])
            except (KeyError, TypeError, ValueError):
                return None
            return number if math.isfinite(number) else None
    return None
