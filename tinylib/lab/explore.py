"""explore(draw, side=IntSlider(...)): controls beside a picture that is drawn anew at every move.

The picture is a string made by `draw`; it is put into one HTML widget, which replaces it in a few
milliseconds and sends nothing back.
"""

import inspect
import re
from collections.abc import Callable
from html import escape
from typing import Any

from ipywidgets import (
    HTML,
    Box,
    FloatSlider,
    HBox,
    IntSlider,
    Play,
    SelectionSlider,
    ToggleButtons,
    ValueWidget,
    VBox,
    Widget,
    dlink,
    jslink,
)

from tinylib.lab.my_device import CHOSEN
from tinylib.show import canvases
from tinylib.units import UNITS, dimension

_FEW = 5  # up to so many options are buttons, more are stops of a slider
_SHORT = 10  # characters of a label that find room beside a control
_MEASURED = ("data", "energy", "power", "time", "frequency", "EUR")
_UNITS = {u.lower().replace("µ", "u"): u for u in reversed(UNITS) if dimension(u) in _MEASURED}
_UNITS = {name: unit for name, unit in _UNITS.items() if len(name) > 1 or name == "s"}  # price_b is none
_NARROW = {"button_width": "auto"}
_ROW = {"display": "flex", "flex_flow": "row wrap", "grid_gap": "4px 20px"}


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _slider(low: Any, high: Any, step: Any = None) -> IntSlider | FloatSlider:
    if not low < high:
        raise ValueError(
            f"a slider needs (low, high) or (low, high, step) with low < high, got {(low, high)}"
        )
    if all(map(_is_whole, (low, high, step or 1))):
        step = step or 1
        return IntSlider(min=low, max=high, step=step, value=low + (high - low) // step // 2 * step)
    step = step or (high - low) / 100
    return FloatSlider(min=low, max=high, step=step, value=low + (high - low) / step // 2 * step)


def label(name: str) -> str:
    """A name in words: "pointer bytes", and "energy [µJ]" for energy_uj; a symbol such as c_in stays."""
    words, _, last = name.rpartition("_")
    if words and last in _UNITS:
        return f"{label(words)} [{_UNITS[last]}]"
    return re.sub(r"(?<=\w\w)_", " ", name)


def control(name: str, made_of: Any) -> ValueWidget:
    """A control from a widget, (low, high), (low, high, step), or a list of options.

    A name given by the keyword serves as its description and its spoken label when it has none.
    """
    if (
        isinstance(made_of, tuple)
        and len(made_of) in (2, 3)
        and all(isinstance(v, int | float) for v in made_of)
    ):
        made_of = _slider(*made_of)
    elif isinstance(made_of, list | tuple) and made_of:
        few = len(made_of) <= _FEW
        made_of = ToggleButtons(options=made_of, style=_NARROW) if few else SelectionSlider(options=made_of)
    if not isinstance(made_of, ValueWidget):
        raise TypeError(
            f"control {name!r} must be a widget, (low, high), (low, high, step) or a list, got {made_of!r}"
        )
    made_of.description = made_of.description or label(name)
    if len(made_of.description) > _SHORT:
        made_of.style.description_width = "initial"  # else JupyterLab cuts it off
    made_of.tooltip = made_of.tooltip or made_of.description
    return made_of


def _beside(widget: ValueWidget) -> Widget:
    """What the learner sees of a control: itself, or play buttons and a slider that move together."""
    if not isinstance(widget, Play):
        return widget
    limits = {limit: getattr(widget, limit) for limit in ("min", "max", "step", "value")}
    slider = IntSlider(**limits, description=widget.description, tooltip=widget.tooltip)
    for limit in ("max", "min", "step"):
        dlink((widget, limit), (slider, limit))
    slider.link = jslink((widget, "value"), (slider, "value"))  # in the browser, so that it keeps the pace
    return HBox([widget, slider], layout={"align_items": "center"})


class Explorer:
    """A picture and its controls. `.controls["side"].value = 64` draws anew; `.svg` is the present picture.

    When `draw` refuses the values, its sentence stands in place of the picture (`.error`), and `.svg` keeps
    the last good one.
    """

    def __init__(self, draw: Callable[..., str], controls: dict[str, Any]) -> None:
        self.controls = {name: control(name, made_of) for name, made_of in controls.items()}
        self._row = [_beside(widget) for widget in self.controls.values()]
        self.svg = self.error = ""
        self._draw, self._figure = draw, HTML()
        parameters = inspect.signature(draw).parameters
        self._wants_device = "device" in parameters and "device" not in controls
        if self._wants_device:
            CHOSEN.listen(self._redraw)
        for widget in self.controls.values():
            widget.observe(self._redraw, "value")
        self._redraw()

    def _redraw(self, _: Any = None) -> None:
        values = {name: widget.value for name, widget in self.controls.items()}
        if self._wants_device:
            values["device"] = CHOSEN.device
        try:
            self.svg, self.error = self._draw(**values), ""
        except (ValueError, TypeError) as error:
            self.error = " ".join(str(error).split()) or "These values cannot be drawn."
        except Exception as error:  # a learner's own draw may fail in any way; the notebook goes on
            self.error = f"This could not be drawn: {type(error).__name__}: {error}."
        self._figure.value = f'<p role="alert">{escape(self.error)}</p>' if self.error else self.svg

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        live = VBox([Box(self._row, layout=_ROW), self._figure])._repr_mimebundle_() or {}
        if not self.svg:
            return {**live, "text/plain": self.error}
        return {**live, "text/plain": canvases.alternative(self.svg), "image/svg+xml": self.svg}


def explore(draw: Callable[..., str], **controls: Any) -> Explorer:
    """Show the picture `draw(**values)` under controls of the same names.

    A control is a widget, (low, high), (low, high, step) or a list of options; a `Play` gets a slider beside
    it. A `draw` with a parameter `device` and no such control gets the learner's own device. Raises TypeError
    for any other control.
    """
    return Explorer(draw, controls)
