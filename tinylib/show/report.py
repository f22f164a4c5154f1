"""One page about one model on one device: does it fit, which layers cost most, and what would help."""

from collections.abc import Callable
from dataclasses import dataclass

from tinylib.cost import memory
from tinylib.cost.layers import amount
from tinylib.cost.planning import Fit
from tinylib.cost.report import Report
from tinylib.show import svg
from tinylib.show.numbers import dimensions, kib, percent, short
from tinylib.units import GIB, format_bytes, format_quantity, shown

_BARS_TOP, _ROW = 94, 44
_COLUMNS = (("weights", "weights", 196), ("MACs", "macs", 372), ("activation", "activations", 546))
_BAR = 76  # longest bar of a layer [px]
_ENDS = (302, 394, 494)  # right ends of the columns of numbers in the table of remedies


def report(report_value: Report, every_ms: float = 100, power_mw: float = 1) -> str:
    """SVG of a `cost.report.Report`: four bars against budgets, the heaviest layers, the remedies [text].

    Flash and SRAM are those of the device. The time budget is one result in every_ms [ms], the energy budget
    what power_mw [mW] delivers in that time; both are assumptions and are named as such.
    """
    if not isinstance(report_value, Report):
        raise TypeError(f"report must be a Report, such as report(model), got {shown(report_value)}")
    r = report_value
    budgets = _budgets(r, amount("every_ms", every_ms), amount("power_mw", power_mw))
    title = _cut(f"{r.name} on {r.device.name.partition(':')[0]}", 56)
    note = f"{r.bits} bits · {short(r.params)} parameters · {short(r.macs)} MACs · "
    note += (
        f"input {dimensions(r.model.input_shape)} · {format_quantity(r.intensity_flop_per_byte, digits=3)}"
    )
    layers_top = _BARS_TOP + _ROW * len(budgets) + 76
    remedies_top = layers_top + 40 + 26 * len(r.heaviest())
    body = svg.text(24, 32, title, size=18, bold=True) + svg.text(24, 53, f"{note} FLOP/B", "muted")
    body += _bars(budgets) + _layers(r, layers_top) + _table(r, remedies_top)
    height = remedies_top + 30 + 38 * max(1, len(r.remedies))
    return svg.picture(title, _sentences(r, budgets), body, 720, height, r.device.source)


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _size(size_bytes: int) -> str:
    return kib(size_bytes) if size_bytes < GIB else format_bytes(size_bytes)


def _ms(value: float) -> str:
    return format_quantity(float(value), "ms", 3)


def _uj(value: float) -> str:
    return f"{format_quantity(float(value), '', 3)} µJ"


@dataclass(frozen=True)
class _Budget:
    """One bar: what is used (None = not known) of what there is, in one unit that `words` writes."""

    name: str
    used: float | None
    limit: float
    words: Callable[[float], str]
    role: str
    meant: str
    source: str = ""

    @property
    def of(self) -> str:
        return f"of {self.words(self.limit)}{self.source}"

    @property
    def over(self) -> bool:
        return self.used > self.limit

    @property
    def verdict(self) -> str:
        fits = "the arithmetic fits" if self.source else "fits"
        return f"over by {self.words(self.used - self.limit)}" if self.over else fits


def _budgets(r: Report, every_ms: float, power_mw: float) -> tuple[_Budget, ...]:
    time_ms = None if r.compute_time_s is None else 1000 * r.compute_time_s
    work, assumed = f"{r.energy_format} arithmetic alone", " (assumed)"
    return (
        _Budget("flash", r.weight_bytes, r.device.flash_bytes, _size, "weights", "weights"),
        _Budget("SRAM", r.arena_bytes, r.device.sram_bytes, _size, "activations", "activations"),
        _Budget("time", time_ms, every_ms, _ms, "macs", "arithmetic alone", assumed),
        _Budget("energy", r.energy_uj, every_ms * power_mw, _uj, "macs", work, assumed),
    )


def _bars(budgets: tuple[_Budget, ...]) -> str:
    axis = svg.Axis("share of the budget [%]", 0, 200, ticks=(0, 50, 100, 150, 200))
    plot = svg.axes(axis, left=170, top=_BARS_TOP, width=330, height=_ROW * len(budgets) + 4)
    note = "time and energy: the arithmetic alone"
    parts = [svg.text(24, _BARS_TOP - 12, "Does it fit?", "ink", 14, bold=True), plot.body]
    parts.append(svg.text(696, _BARS_TOP - 12, note, "muted", 12, "end"))
    parts += [_bar(plot, plot.top + 7 + _ROW * i, budget) for i, budget in enumerate(budgets)]
    full = plot.x(100)
    return "".join([*parts, svg.line(full, plot.top - 6, full, plot.top + plot.height, "ink", 2)])


def _bar(plot: svg.Axes, y: float, b: _Budget) -> str:
    """One row: what is used, its bar against the budget, and the verdict in words."""
    parts = [svg.text(24, y + 13, b.name, "ink", 13, bold=True), svg.text(24, y + 29, b.of, "muted", 12)]
    if b.used is None:
        parts.append(svg.text(514, y + 13, "not known", "ink", 13, bold=True))
        return "".join([*parts, svg.text(514, y + 29, "no clock or rate on record", "muted", 12)])
    length, hover = plot.width * min(b.used / b.limit, 1e6) / 2, f"{b.meant}: {b.words(b.used)} {b.of}"
    parts.append(svg.bar(plot.left, y, length, 30, b.role, plot.width, b.over, hover))
    share = f"{b.words(b.used)}, {percent(b.used, b.limit)}"
    parts.append(svg.text(514, y + 13, share, "ink", 13, bold=True))
    return "".join([*parts, _mark(514, y + 29, b.verdict, b.over, 13)])


def _mark(x: float, y: float, words: str, over: bool, size: float) -> str:
    sign, role = ("▲", "over_words") if over else ("✓", "fit_words")
    return svg.text(x, y, f"{sign} {words}", role, size, bold=over)


def _layers(r: Report, top: float) -> str:
    """The heaviest layers: three small bars each, every column against its own largest value."""
    rows = r.heaviest()
    parts = [svg.text(24, top, "Heaviest layers", "ink", 14, bold=True)]
    columns = (
        ([row.weights for row in rows], short),
        ([row.macs for row in rows], short),
        ([memory.weight_bytes(row.activation_elements, r.bits) for row in rows], _size),
    )
    for (head, role, x), (values, words) in zip(_COLUMNS, columns):
        parts.append(svg.text(x, top, head, "muted", 12))
        for i, (row, value) in enumerate(zip(rows, values)):
            y, length = top + 12 + 26 * i, _BAR * value / max(*values, 1)
            if value:
                parts.append(svg.bar(x, y, length, 16, role, hover=f"{row.name}: {head} {words(value)}"))
            parts.append(svg.text(x + length + (6 if value else 0), y + 13, words(value), "ink", 12))
    for i, row in enumerate(rows):
        name = f"{row.name} {row.op.removesuffix('2D').removesuffix('1D')}"
        parts.append(svg.text(24, top + 25 + 26 * i, _cut(name, 22), "ink", 12))
    return "".join(parts)


def _table(r: Report, top: float) -> str:
    """Remedies, best first: a name with its price below, three numbers and the verdict."""
    parts = [svg.text(24, top, "What would help", "ink", 14, bold=True)]
    for x, head in zip(_ENDS, ("weights", "MACs", "peak")):
        parts.append(svg.text(x, top, head, "muted", 12, "end"))
    parts.append(svg.line(24, top + 9, 696, top + 9, "muted"))
    if not r.remedies:
        parts.append(svg.text(24, top + 30, "Nothing on the list makes this model smaller.", "muted"))
    for i, remedy in enumerate(r.remedies):
        y = top + 29 + 38 * i
        if i % 2 == 0:
            parts.append(svg.rect(16, y - 17, 688, 38, "panel", radius=4))
        parts.append(svg.text(24, y, remedy.name.replace(" x ", " × "), "ink", 13, bold=True))
        parts.append(svg.text(24, y + 15, remedy.price, "muted", 12))
        numbers = (_size(remedy.weight_bytes), short(remedy.macs), _size(remedy.peak_bytes))
        parts += [svg.text(x, y, number, "ink", 13, "end") for x, number in zip(_ENDS, numbers)]
        verdicts = _verdicts(remedy.fit)
        parts += [_mark(510, y + 15 * j, words, not remedy.fits, 12) for j, words in enumerate(verdicts)]
    return "".join(parts)


def _verdicts(fit: Fit) -> list[str]:
    """ "fits", or each memory that stays over and by how much [text]."""
    left = (("flash", fit.flash_left_bytes), ("SRAM", fit.sram_left_bytes))
    return [f"{name} over by {_size(-size)}" for name, size in left if size < 0] or ["fits"]


def _sentences(r: Report, budgets: tuple[_Budget, ...]) -> str:
    spoken = [f"{format_quantity(r.params)} parameters and {format_quantity(r.macs)} MACs at {r.bits} bits"]
    for b in budgets:
        if b.used is None:
            spoken.append(f"The {b.name} is not known: there is no clock or rate on record")
        else:
            name = "SRAM" if b.name == "SRAM" else b.name.capitalize()
            spoken.append(f"{name}: {b.meant} {b.words(b.used)} {b.of}, {b.verdict}")
    spoken.append(f"The binding memory is {r.binding}")
    spoken.append(f"The heaviest layers are {', '.join(row.name for row in r.heaviest())}")
    for remedy in r.remedies:
        weights, peak = _size(remedy.weight_bytes), _size(remedy.peak_bytes)
        figures = f"weights {weights}, {short(remedy.macs)} MACs, peak {peak}"
        verdict = " and ".join(_verdicts(remedy.fit))
        spoken.append(f"{remedy.name}: {figures}, {verdict}. {remedy.price.rstrip('.')}")
    return ". ".join(spoken) + "."
