"""What a page asks of Python: figures and questions of the book. JSON goes in and out.

Figures are opened from the lines of the lesson that make them; answers are judged and recorded by the same
code as in JupyterLab. The record's file lives as long as the page: the page keeps its lines.
"""

import json
import math
import os
import tempfile
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

from ipywidgets import Widget

_RECORD = Path(tempfile.mkdtemp()) / "progress.jsonl"
os.environ["TINYML_PROGRESS"] = str(_RECORD)

_figures: dict[str, Any] = {}
_questions: dict[str, Any] = {}


def opened(source: str) -> Any:
    """The figure that the last line of a piece of lesson shows; earlier lines prepare it."""
    lines, _, shown = source.rpartition("\n### show\n")
    names: dict[str, Any] = {}
    exec(lines, names)
    return eval(shown.strip(), names)


def described(widget: Widget, name: str) -> dict:
    """A control as the page needs it: kind, label, limits or options, and where it stands."""
    said = {"name": name, "kind": widget.kind, "label": widget.description}
    if hasattr(widget, "pairs"):
        labels = [label for label, _ in widget.pairs]
        at = next((i for i, (_, value) in enumerate(widget.pairs) if value == widget.value), 0)
        return {**said, "options": labels, "value": at}
    limits = {
        limit: getattr(widget, limit)
        for limit in ("min", "max", "step", "base", "interval")
        if hasattr(widget, limit)
    }
    return {**said, **limits, "value": widget.value}


def put(widget: Widget, value: Any) -> None:
    """Move a control: options are told by their place."""
    widget.value = widget.pairs[value][1] if hasattr(widget, "pairs") else value


def shown(figure: Any) -> dict:
    return {"svg": figure.svg, "error": figure.error}


def open_figure(key: str, source: str, device: str) -> dict:
    """Open one figure; its controls and its first picture."""
    from tinylib.lab import my_device

    figure = _figures[key] = opened(source)
    controls = [described(widget, name) for name, widget in figure.controls.items()]
    if figure._wants_device:
        choice = my_device(device or None)
        controls.insert(0, described(choice.control, "device"))
    return {"controls": controls, **shown(figure)}


def move(key: str, name: str, value: Any) -> dict:
    """Move one control of a figure; the new picture."""
    figure = _figures[key]
    if name == "device" and name not in figure.controls:
        from tinylib.lab import my_device

        choice = my_device()
        put(choice.control, value)
        return {**shown(figure), "device": choice.device.id}
    put(figure.controls[name], value)
    return shown(figure)


def played(source: str, most: int) -> dict:
    """Every state of a figure, drawn beforehand: controls, first picture, frames by places of the controls.

    Raises ValueError where there are more states than `most`, or controls without a number of states.
    """
    figure = opened(source)
    controls = [described(widget, name) for name, widget in figure.controls.items()]
    states = [places(control) for control in controls]
    count = math.prod(map(len, states))
    if figure._wants_device or not 1 < count <= most:
        raise ValueError(f"a figure is played in 2 to {most} states of controls of its own, got {count}")
    first, frames = figure.svg, {}
    for chosen in product(*(enumerate(values) for values in states)):
        for widget, (_, value) in zip(figure.controls.values(), chosen):
            put(widget, value)
        frames[",".join(str(place) for place, _ in chosen)] = figure.error or figure.svg
    return {"controls": controls, "first": first, "frames": frames}


def places(control: dict) -> list:
    """The values that a control can take, as the page sends them; none where they cannot be listed."""
    if "options" in control:
        return list(range(len(control["options"])))
    if control["kind"] not in ("slider", "play"):
        return []
    steps = round((control["max"] - control["min"]) / control["step"])
    return [control["min"] + i * control["step"] for i in range(steps + 1)]


def _question(box: str, exercise_id: str, seed: str | None = None, where: str = "quiz") -> Any:
    """The quiz behind a box of the page, which keeps its numbers: printed ones first, or those of a seed."""
    from tinylib.lab.quiz import Quiz
    from tinylib.practice import BANK

    if box not in _questions:
        _questions[box] = Quiz(BANK[exercise_id], seed, where)
    return _questions[box]


def check(box: list, answer: str, choice: str) -> dict:
    """Judge an answer; the reply and the line of the record, if it is a new answer."""
    question = _question(*box)
    _RECORD.unlink(missing_ok=True)
    question.choice.value = choice or None
    question.answer.__dict__["value"] = answer  # without its observer, which would check before the choice
    question.check()
    row = _RECORD.read_text(encoding="utf-8") if _RECORD.exists() else ""
    return {"reply": question.reply.value, "row": row}


def hint(box: list) -> dict:
    """The next hint as the reply."""
    question = _question(*box)
    question.hint()
    return {"reply": question.reply.value}


def renew(box: list) -> dict:
    """Fresh numbers; the new prompt."""
    question = _question(*box)
    question.renew()
    return {"prompt": question.exercise.text(question.given)}


def standing(record: str) -> dict:
    """What a record says, by the rules of the notebooks' home: time left, map, weak spots, what comes again.

    again: the first five of those that wait, each with numbers that are new; due: how many of these today
    """
    from tinylib.practice import BANK, plan, progress, review
    from tinylib.practice.exercise import variant
    from tinylib.show.book_map import book_map

    _RECORD.write_text(record, encoding="utf-8")
    given, now = progress.answers(), datetime.now(UTC)
    cards = review.cards(given, now)
    due = review.due(cards, now, len(cards))
    first = [*due, *(card for card in cards if card not in due)][:5]
    seeds = {card.id: review.fresh_seed(BANK[card.id], given) for card in first}
    texts = {i: BANK[i].text(variant(BANK[i], seed)) for i, seed in seeds.items()}
    weak = [(w, plan.lesson_of(w.ids[-1])) for w in plan.weak(given)]
    found = plan.standings(given)
    here = plan.next_lesson(found, given)
    return {
        "left": plan.spoken(plan.minutes_left(found)),
        "map": book_map(plan.stops(found)[0], here=here.name[:2] if here else ""),
        "weak": [
            {"concept": w.concept, "missed": w.missed, "tried": w.tried, "lesson": page and page.name}
            for w, page in weak
        ],
        "again": [{"id": i, "seed": seed, "prompt": texts[i]} for i, seed in seeds.items()],
        "due": len(due),
        "waiting": len(cards),
    }


CALLS = {f.__name__: f for f in (open_figure, move, check, hint, renew, standing)}


def call(request: str) -> str:
    """[name, *arguments] as JSON -> {"ok": ...} or {"failed": one sentence}."""
    try:
        name, *arguments = json.loads(request)
        return json.dumps({"ok": CALLS[name](*arguments)})
    except Exception as error:  # whatever it is, the page says so and goes on
        return json.dumps({"failed": f"{type(error).__name__}: {error}"})
