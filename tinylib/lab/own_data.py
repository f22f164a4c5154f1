"""own_data(): from a CSV file to a network on a microcontroller: upload, columns, limits, train, download.

The same steps as `python -m tinylib.deploy train`; the kernel's stop button ends a training.
"""

import base64
import io
import zipfile
from html import escape
from time import monotonic
from typing import Any

from ipywidgets import HTML, Box, Button, Dropdown, FileUpload, FloatText, IntText, SelectMultiple, VBox

from tinylib.datasets.motions import motions_csv
from tinylib.deploy.own import figures, pages, run
from tinylib.deploy.own.choose import limits_of, part
from tinylib.deploy.own.roles import roles_of
from tinylib.deploy.own.run import Found, Watch
from tinylib.deploy.own.tables import Table, read
from tinylib.deploy.toolchain import TARGETS
from tinylib.show import canvases
from tinylib.units import KIB

NONE = "(none)"
MOST_MB = 100
REDRAW_S = 0.4  # the curve is drawn no oftener
_ROW = {"display": "flex", "flex_flow": "row wrap", "grid_gap": "4px 20px"}
_LABELS = {"description_width": "8em"}


class OwnData:
    """The state of the page: a table, the roles of its columns, and what came of a training (`found`)."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.table: Table | None = None
        self.found: Found | None = None
        self.svg, self.lines, self.scores = "", [], {}
        self.upload = FileUpload(accept=".csv,.txt,.tsv", multiple=False, description="CSV file")
        self.example = Button(description="Use the example", tooltip="80 recordings of a smart watch")
        none = {"options": [NONE], "value": NONE, "style": _LABELS}
        self.label = Dropdown(
            **none, description="Label", tooltip="Column of the classes; none for anomalies"
        )
        self.group = Dropdown(**none, description="Machine", tooltip="Column of the machine or subject")
        self.time = Dropdown(**none, description="Time", tooltip="Column of the time of a sample")
        self.rate = FloatText(0, description="or rate [Hz]", tooltip="Samples per second", style=_LABELS)
        self.channels = SelectMultiple(description="Readings", tooltip="Columns of readings", style=_LABELS)
        self.window = IntText(
            0, description="Window", tooltip="Samples; 0 is about two seconds", style=_LABELS
        )
        self.target = Dropdown(options=TARGETS, description="Core", style=_LABELS)
        self.flash = FloatText(description="Flash [KiB]", tooltip="Flash [KiB]", style=_LABELS)
        self.sram = FloatText(description="SRAM [KiB]", tooltip="SRAM [KiB]", style=_LABELS)
        self.latency = FloatText(
            0, description="Time [ms]", tooltip="For a window; 0 sets no limit", style=_LABELS
        )
        self.seconds = FloatText(seconds, description="Train [s]", tooltip="About how long", style=_LABELS)
        self.train = Button(
            description="Train", button_style="primary", disabled=True, tooltip="Train and choose"
        )
        self.said, self.figure, self.download = HTML(), HTML(), HTML()
        self._columns = Box(
            [self.label, self.group, self.time, self.rate, self.channels, self.window], layout=_ROW
        )
        self._limits = Box([self.target, self.flash, self.sram, self.latency, self.seconds], layout=_ROW)
        self._wire()

    def _wire(self) -> None:
        self.upload.observe(lambda _: self._uploaded(), "value")
        self.example.on_click(lambda _: self.load(motions_csv()))
        self.target.observe(lambda _: self._memories(), "value")
        self.train.on_click(lambda _: self.run())
        self._memories()

    def _memories(self) -> None:
        row = part(self.target.value)
        self.flash.value, self.sram.value = row.flash_bytes / KIB, row.sram_bytes / KIB

    def _uploaded(self) -> None:
        if self.upload.value:
            self.load(bytes(self.upload.value[0]["content"]))

    def say(self, text: str) -> None:
        """One more line under the controls."""
        self.lines.append(text)
        items = "".join(f"<li>{escape(line)}</li>" for line in self.lines[-20:])
        self.said.value = f'<div role="log"><ul style="line-height:1.4">{items}</ul></div>'

    def fail(self, error: object) -> None:
        """What cannot be done, in one sentence."""
        self.said.value = f'<p role="alert"><strong>{escape(" ".join(str(error).split()))}</strong></p>'

    def load(self, content: bytes) -> None:
        """Take a CSV file; columns get the roles that their names suggest."""
        self.lines, self.scores, self.found, self.download.value = [], {}, None, ""
        self.train.disabled = True
        try:
            if len(content) > MOST_MB * 1e6:
                raise ValueError(
                    f"a file must have at most {MOST_MB} MB: `python -m tinylib.deploy train` takes more, "
                    f"got {len(content) / 1e6:.0f} MB"
                )
            self.table = read(content)
            roles = roles_of(self.table)
            self._offer(roles)
            cut, _ = run.prepared(self.table, roles, bool(roles.label), None, 0, Watch(self.say))
            x = cut.x[:, :, 0]
            self._draw(figures.signals(x, cut.y, cut.classes, cut.channels[0], cut.rate_hz))
        except ValueError as error:
            self.fail(error)
        self.train.disabled = self.table is None

    def _offer(self, roles: Any) -> None:
        columns = [NONE, *self.table.columns]
        for control, name in ((self.label, roles.label), (self.group, roles.group), (self.time, roles.time)):
            control.options = columns
            control.value = name or NONE
        numbers = [name for name in self.table.columns if not self.table.is_text(name)]
        self.channels.options = numbers
        self.channels.value = roles.channels

    def run(self) -> None:
        """Train with what the controls say; `found` holds what came of it."""
        self.lines, self.scores, self.found, self.download.value = [], {}, None, ""
        self.train.disabled = True
        try:
            self.found = self._run()
            self._result()
        except ValueError as error:
            self.fail(error)
        except KeyboardInterrupt:
            self.fail("Stopped.")
        finally:
            self.train.disabled = False

    def _run(self) -> Found:
        chosen = [c.value if c.value != NONE else "" for c in (self.label, self.group, self.time)]
        rate = self.rate.value or None
        chosen[2] = "" if rate else chosen[2]
        roles = roles_of(self.table, *chosen, rate, self.channels.value or None)
        limits = limits_of(
            self.target.value,
            int(self.flash.value * KIB),
            int(self.sram.value * KIB),
            self.latency.value or None,
        )
        watch, size = Watch(self.say, self._epoch), self.window.value or None
        return run.find(self.table, roles, self.target.value, limits, size, self.seconds.value, watch=watch)

    def _epoch(self, name: str, at: int, of: int, loss: float, score: float) -> None:
        fresh = name not in self.scores
        self.scores.setdefault(name, []).append(score)
        if fresh:
            self._drawn_at = 0.0
        if at == of or monotonic() - self._drawn_at > REDRAW_S:
            self._drawn_at = monotonic()
            self._draw(figures.learning(self.scores))

    def _draw(self, drawing: str) -> None:
        self.svg = self.figure.value = drawing

    def _result(self) -> None:
        found = self.found
        verdict = f'<p role="status"><strong>{escape(found.verdict)}</strong></p>'
        pictures = [figures.budgets(found.taken, found.limits)] if found.taken else []
        if found.detector:
            d = found.detector
            pictures.insert(0, figures.alarms(d.scores, d.program.threshold, d.alarms))
        elif found.winner:
            pictures.insert(0, figures.confusion(found.y, found.guess, found.windows.classes))
        self.svg = pictures[0] if pictures else self.svg
        self.figure.value = verdict + "".join(pictures)
        link = base64.b64encode(self.archive()).decode()
        self.download.value = (
            f'<a download="own.zip" style="text-decoration:underline;color:inherit" '
            f'href="data:application/zip;base64,{link}">Download report and C files</a>'
        )

    def archive(self) -> bytes:
        """Report and C files as a zip file."""
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
            for name, text in pages.files(self.found).items():
                file.writestr(zipfile.ZipInfo(f"own/{name}", (2000, 1, 1, 0, 0, 0)), text)
        return held.getvalue()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        first = Box([self.upload, self.example], layout=_ROW)
        parts = [first, self._columns, self._limits, self.train, self.said, self.figure, self.download]
        live = VBox(parts)._repr_mimebundle_() or {}
        words = (
            canvases.alternative(self.svg) if self.svg else "Own data: choose a CSV file, or use the example."
        )
        return {**live, "text/plain": words, **({"image/svg+xml": self.svg} if self.svg else {})}


def own_data(example: bool = True, seconds: float = 60.0) -> OwnData:
    """The page for a CSV file of one's own; with `example` the smart watch's recordings are loaded first."""
    page = OwnData(seconds)
    if example:
        page.load(motions_csv())
    return page
