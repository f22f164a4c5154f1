"""Controls without Jupyter: as much of ipywidgets as tinylib.lab uses, so that its own code runs in a page.

A control here only holds its state and tells its observers; the page draws it from `kind` and the traits.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


class Widget:
    """Traits as attributes; setting `value` tells the observers when it changes."""

    kind = ""
    traits: dict[str, Any] = {"value": None}

    def __init__(self, *_: Any, **given: Any) -> None:
        self.__dict__["_observers"] = []
        given["style"] = SimpleNamespace(**given.get("style", {}))  # the page's own takes its place
        self.__dict__.update({"description": "", "tooltip": "", "disabled": False, **self.traits, **given})

    def observe(self, observer: Callable[[dict], object], names: str = "value") -> None:
        """Call `observer` with {"new": ...} after every change of the value."""
        self._observers.append(observer)

    def __setattr__(self, name: str, value: Any) -> None:
        old = self.__dict__.get(name)
        self.__dict__[name] = value
        if name == "value" and value != old:
            for observer in tuple(self._observers):
                observer({"name": name, "old": old, "new": value})


class ValueWidget(Widget):
    """A control that has a value."""


class Box(Widget):
    pass


class HBox(Box):
    pass


class VBox(Box):
    pass


class HTML(ValueWidget):
    traits = {"value": ""}


class Button(Widget):
    def on_click(self, _: Callable[[Any], object]) -> None:
        """The page calls the action itself."""


class IntSlider(ValueWidget):
    kind = "slider"
    traits = {"value": 0, "min": 0, "max": 100, "step": 1}


class FloatSlider(ValueWidget):
    kind = "slider"
    traits = {"value": 0.0, "min": 0.0, "max": 10.0, "step": 0.1}


class FloatLogSlider(ValueWidget):
    """min, max and step are exponents of base."""

    kind = "log"
    traits = {"value": 1.0, "base": 10.0, "min": 0.0, "max": 4.0, "step": 0.1}


class Play(ValueWidget):
    kind = "play"
    traits = {"value": 0, "min": 0, "max": 100, "step": 1, "interval": 100}


class Text(ValueWidget):
    kind = "text"
    traits = {"value": "", "placeholder": ""}


_YES_NO = {"True": "yes", "False": "no"}


class Selection(ValueWidget):
    """One of `options`: values, (label, value) pairs or a mapping; `pairs` is what they come to."""

    kind = "select"

    def __init__(self, *_: Any, **given: Any) -> None:
        options = given.pop("options", ())
        options = list(options.items()) if isinstance(options, dict) else list(options)
        paired = bool(options) and all(isinstance(o, tuple) and len(o) == 2 for o in options)
        self.__dict__["pairs"] = options if paired else [(_YES_NO.get(str(o), str(o)), o) for o in options]
        first = self.pairs[0][1] if self.pairs else None
        super().__init__(**{"value": first, **given})


class Dropdown(Selection):
    pass


class RadioButtons(Selection):
    kind = "buttons"


class ToggleButtons(Selection):
    kind = "buttons"


class SelectionSlider(Selection):
    kind = "stops"


def dlink(source: tuple[Widget, str], target: tuple[Widget, str]) -> None:
    """The page moves a Play and its slider as one."""


jslink = dlink
