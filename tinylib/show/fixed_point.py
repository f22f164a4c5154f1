"""Fixed point in pictures: the bits of a word, the staircase of a format, the error of a lookup table."""

from collections.abc import Iterable

from tinylib.cost.layers import count
from tinylib.formats import lut
from tinylib.formats.qformat import Overflow, QFormat, Rounding, quotient
from tinylib.show import svg
from tinylib.units import format_quantity, real, shown

_BOX, _ROW = 42, 16  # side of a bit [px], bits a row
_HALF = 8  # tables are shown from -8 to 8, two beyond their last node
_FLOOR = 1e-6  # errors below are drawn here
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def exact(value: float) -> str:
    """A value with up to twelve figures: 127.99609375, where `format_quantity` would round to 128 [text]."""
    return f"{value:,.12g}"


def power(base: int, exponent: int) -> str:
    """A power as people write it: 2⁻⁸ [text]."""
    return f"{base}{str(exponent).translate(_RAISED)}"


# ---- the bits of a word


def bit_field(
    value: float,
    int_bits: int = 8,
    frac_bits: int = 8,
    rounding: Rounding = "nearest",
    overflow: Overflow = "saturate",
    signed: bool = True,
) -> str:
    """SVG of the word that stores a value: sign, integer and fraction boxes, and what was lost [text]."""
    q = QFormat(int_bits, frac_bits, signed)
    n, d = real("value", value).as_integer_ratio()
    wanted = quotient(n << q.frac_bits, d, rounding)
    raw = q.fit(wanted, overflow)
    stored = q.to_value(raw)
    facts = [f"raw code {raw:,}, value {raw:,} / {q.one:,} = {exact(stored)}"]
    if raw == wanted:
        error = stored - value
        lost = "nothing lost" if not error else f"off by {format_quantity(error)}, {rounding} rounding"
        facts.append(f"{exact(value)} fits: {lost}; one step is {format_quantity(q.step)}")
    else:
        ends = f"{exact(q.min_value)} to {exact(q.max_value)}"
        facts.append(f"overflow: {exact(value)} lies outside {ends}; {overflow} gives {exact(stored)}")
    return _word(q, raw, f"{exact(value)} in {q}", facts, alarm=raw != wanted)


def word(raw: int, int_bits: int, frac_bits: int) -> str:
    """SVG of a stored signed code read as Q int_bits.frac_bits: the bits stay, the point moves [text]."""
    q = QFormat(int_bits, frac_bits)
    facts = [f"raw code {raw:,}, read as {raw:,} / {q.one:,} = {exact(q.to_value(raw))}"]
    facts.append(f"{q.total_bits} bits; the point stands before the last {frac_bits}")
    return _word(q, raw, f"One word, read as {q}", facts)


def _word(q: QFormat, raw: int, title: str, facts: list[str], alarm: bool = False) -> str:
    """The boxes of a code, highest bit first, sixteen a row; facts below, the last one an alarm or not."""
    stored = q.to_word(raw)
    bits = [(stored >> place & 1, place - q.frac_bits) for place in reversed(range(q.total_bits))]
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 58, _shares(q), "muted")]
    for i, (bit, place) in enumerate(bits):
        x, y = 24 + _BOX * (i % _ROW), 76 + 78 * (i // _ROW)
        sign = q.signed and i == 0
        role = "activations" if sign else "weights" if place >= 0 else "macs"
        weight = f"{'-' if sign else ''}{power(2, place)}"
        parts.append(svg.rect(x + 2, y, _BOX - 4, 34, "panel", f"bit {i}: {bit} x {weight}", 3))
        parts.append(svg.rect(x + 2, y + 34, _BOX - 4, 5, role))
        parts.append(svg.text(x + _BOX / 2, y + 24, bit, "ink" if bit else "muted", 18, "middle", bool(bit)))
        parts.append(svg.text(x + _BOX / 2, y + 55, weight, "muted", 12, "middle"))
        if place == -1:
            parts.append(svg.circle(x, y + 37, 4.5, "ink", "the point"))
    foot = 76 + 78 * -(-q.total_bits // _ROW)
    digits = -(-q.total_bits // 4)
    facts = [f"word in memory 0x{stored:0{digits}X}, read without a sign {stored:,}", *facts]
    for i, fact in enumerate(facts):
        last = i == len(facts) - 1
        role = ("over_words" if alarm else "fit_words") if last else "ink"
        parts.append(svg.text(24, foot + 14 + 24 * i, fact, role, 14, bold=last))
    spoken = f"Bits {''.join(str(bit) for bit, _ in bits)}: {_shares(q)}. " + ". ".join(facts) + "."
    return svg.picture(title, spoken, "".join(parts), 720, foot + 24 * len(facts) + 4)


def _shares(q: QFormat) -> str:
    whole = q.int_bits - q.signed
    return (
        f"{'1 sign bit (pink), ' if q.signed else ''}{whole} integer (blue), {q.frac_bits} fraction (green)"
    )


# ---- the staircase of a format


def staircase(
    int_bits: int = 2, frac_bits: int = 2, rounding: Rounding = "nearest", overflow: Overflow = "saturate"
) -> str:
    """SVG of stored against real value, to half a range beyond both ends; at most 6 bits [text]."""
    q = QFormat(int_bits, frac_bits)
    if q.total_bits > 6:
        raise ValueError(f"a staircase needs at most 6 bits: finer steps look like a line, got {q}")
    q.to_raw(0, rounding, overflow)  # refuses names that are not in the format's list
    low, high = 1.5 * q.min_value, 1.5 * -q.min_value
    across = svg.Axis("real value", low, high)
    up = svg.Axis("stored value", q.min_value - q.step, -q.min_value)
    plot = svg.axes(across, up, left=84, top=92, width=590, height=300)
    treads = list(_treads(q, rounding, overflow, low, high))
    parts = [svg.text(24, 34, f"The staircase of {q}", size=18, bold=True), plot.body]
    parts.append(svg.text(24, 55, f"{rounding}, {overflow}; the dashed line would be exact", "muted"))
    ends = [(plot.x(v), plot.y(v)) for v in (q.min_value, -q.min_value)]
    parts.append(svg.outline(ends, "ink", 1.5, "5 4", closed=False))
    path = [(plot.x(x), plot.y(y)) for a, b, y, _ in treads for x in (a, b)]
    parts.append(svg.outline(path, "muted", 1, closed=False))
    for a, b, y, fits in treads:
        role = "macs" if fits else "over_budget"
        hover = f"{exact(a)} to {exact(b)} is stored as {exact(y)}"
        parts.append(svg.rect(plot.x(a), plot.y(y) - 2.5, plot.x(b) - plot.x(a), 5, role, hover))
    bias = {"floor": -q.step / 2, "nearest": 0.0, "toward_zero": 0.0}[rounding]
    worst = q.step / 2 if rounding == "nearest" else q.step
    facts = [
        f"{1 << q.total_bits} codes from {exact(q.min_value)} to {exact(q.max_value)}, step {exact(q.step)}",
        f"within the range: error up to {exact(worst)}, on average {exact(bias)}",
        f"beyond it (orange): {overflow}, {_beyond(q, overflow)}",
    ]
    parts += [svg.text(24, 462 + 22 * i, fact) for i, fact in enumerate(facts)]
    return svg.picture(f"The staircase of {q}", ". ".join(facts) + ".", "".join(parts), 720, 520)


def _treads(
    q: QFormat, rounding: Rounding, overflow: Overflow, low: float, high: float
) -> Iterable[tuple[float, float, float, bool]]:
    """(from, to, stored value, in range) of every whole number of steps that a value is rounded to."""
    for code in range(int(low * q.one), int(high * q.one) + 1):
        below, above = {
            "floor": (0.0, 1.0),
            "nearest": (0.5, 0.5),
            "toward_zero": (float(code <= 0), float(code >= 0)),
        }[rounding]
        a, b = max(low, (code - below) * q.step), min(high, (code + above) * q.step)
        if a < b:
            raw = q.fit(code, overflow)
            yield a, b, q.to_value(raw), raw == code


def _beyond(q: QFormat, overflow: Overflow) -> str:
    top = q.max_raw + 1
    return f"{exact(q.to_value(q.max_raw) + q.step)} is stored as {exact(q.to_value(q.fit(top, overflow)))}"


# ---- the error of a lookup table


def table_errors(
    function: str, per_unit: int, q: QFormat, reading: str = "line"
) -> list[tuple[float, float]]:
    """(x, read minus true value) at about four thousand codes from -8 to 8.

    Nodes lie 1 / per_unit apart from -6 up to, not including, 6; beyond them the table is flat.
    """
    f, width, nodes = lut.FUNCTIONS[function], q.one // per_unit, _nodes(function, per_unit, q)
    first, last = -6 * q.one, -6 * q.one + (len(nodes) - 1) * width
    stride = max(1, 2 * _HALF * q.one // 4000) | 1  # odd: neither nodes nor middles alone
    pairs = []
    for x in range(max(q.min_raw, -_HALF * q.one), min(q.max_raw, _HALF * q.one) + 1, stride):
        inside = min(max(x, first), last)
        i, part = divmod(inside - first, width)
        if reading == "nearest":
            code = nodes[i + (2 * part >= width)] if part else nodes[i]
        else:
            code = nodes[i] + ((nodes[i + 1] - nodes[i]) * part * per_unit >> q.frac_bits if part else 0)
        pairs.append((x / q.one, code / q.one - f(x / q.one)))
    return pairs


def _nodes(function: str, per_unit: int, q: QFormat) -> list[int]:
    f = lut.FUNCTIONS[function]
    return [int(f(-6 + i / per_unit) * q.one) for i in range(12 * per_unit)]


def table_bound(function: str, per_unit: int, q: QFormat, reading: str = "line") -> float:
    """Largest error between nodes [unit of f]: of the reading, and a step for each cut (node; line)."""
    if reading == "nearest":
        return lut.nearest_bound(1 / per_unit, function) + q.step
    return lut.interpolation_bound(1 / per_unit, function) + 2 * q.step


def lut_error(
    function: str = "tanh", per_unit: int = 8, frac_bits: int = 16, reading: str = "line", int_bits: int = 8
) -> str:
    """SVG of the error of a table of tanh or sigmoid against x, its bound, and its bytes [text].

    per_unit: nodes per unit of x, a power of two; reading: "line" between nodes, or "nearest" node.
    """
    q = QFormat(int_bits, frac_bits)
    if function not in lut.MAX_SLOPE:
        raise ValueError(f"function must be one of {', '.join(lut.MAX_SLOPE)}, got {shown(function)}")
    if reading not in ("line", "nearest"):
        raise ValueError(f"reading must be line or nearest, got {shown(reading)}")
    if count("per_unit", per_unit) & (per_unit - 1) or per_unit > q.one:
        raise ValueError(f"per_unit must be a power of two that {q} can step, got {shown(per_unit)}")
    if q.int_bits < 4:
        raise ValueError(f"a table from -6 to 6 needs 4 integer bits or more, got {q}")
    pairs, bound = table_errors(function, per_unit, q, reading), table_bound(function, per_unit, q, reading)
    last = -6 + (12 * per_unit - 1) / per_unit
    between = [(x, abs(e)) for x, e in pairs if -6 <= x <= last]
    at, worst = max(between, key=lambda pair: pair[1])
    tail = max(abs(e) for x, e in pairs if not -6 <= x <= last)
    entries, entry_bytes = 12 * per_unit, next(b for b in (1, 2, 4, 8) if 8 * b >= q.total_bits)
    size = lut.table_bytes(entries, entry_bytes)
    facts = [
        f"{entries} entries x {entry_bytes} B = {size:,} B",
        f"between nodes: at most {format_quantity(worst, digits=3)}, at x = {format_quantity(at, digits=3)}",
        f"bound {format_quantity(bound, digits=3)}; one step of {q} is {format_quantity(q.step, digits=3)}",
        f"beyond the last node: up to {format_quantity(tail, digits=3)}",
    ]
    return _error_plot(f"{function} from a table in {q}", facts, pairs, bound, q.step, last)


def _error_plot(
    title: str, facts: list[str], pairs: list[tuple[float, float]], bound: float, step: float, last: float
) -> str:
    across = svg.Axis("x", -_HALF, _HALF, ticks=tuple(range(-_HALF, _HALF + 1, 2)))
    up = svg.Axis(
        "size of the error, by powers of ten", _FLOOR, 1, log=True, words=lambda v: power(10, _round_log(v))
    )
    plot = svg.axes(across, up, left=84, top=122, width=560, height=270)
    parts = [svg.text(24, 34, title, size=18, bold=True)]
    parts += [svg.text(24 + 330 * (i % 2), 57 + 22 * (i // 2), f, "muted") for i, f in enumerate(facts)]
    parts.append(plot.body)
    bins: dict[int, float] = {}
    for x, error in pairs:
        column = int(plot.x(x) // 3)
        bins[column] = max(bins.get(column, _FLOOR), abs(error))
    bottom = plot.top + plot.height
    for column, error in sorted(bins.items()):
        beyond = not plot.x(-6) <= 3 * column + 1.5 <= plot.x(last)
        top = plot.y(error)
        parts.append(svg.rect(3 * column, top, 3, bottom - top, "activations" if beyond else "weights"))
    for value, words, dash, drop in ((bound, "bound", "6 4", 0), (step, "one step", "2 3", 11)):
        right, y = plot.left + plot.width, plot.y(value)
        parts.append(svg.line(plot.left, y, right, y, "ink", 2, dash))
        parts.append(svg.text(right + 6, y + drop, words, "ink", 12, bold=True))
    for x in (-6, last):
        parts.append(svg.line(plot.x(x), plot.top, plot.x(x), bottom, "muted", 1.5, "3 3"))
    note = "blue: between the nodes; pink: beyond the first or last one"
    parts.append(svg.text(24, 458, note, "muted", 12))
    return svg.picture(title, ". ".join(facts) + ".", "".join(parts), 720, 474)


def _round_log(value: float) -> int:
    """The power of ten nearest to `value`, which is positive."""
    return round(float(f"{value:e}".partition("e")[2]))
