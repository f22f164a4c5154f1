"""The energy ladder: what a word costs from each memory, beside the arithmetic it feeds; and battery life."""

from tinylib.cost import energy
from tinylib.show import svg
from tinylib.units import format_quantity

_SCALE = svg.Axis("energy of one 32-bit access or one MAC [pJ], by powers of ten", 0.01, 10_000, log=True)


def _steps(as_printed: bool) -> tuple[energy.Energy, ...]:
    return energy.ladder_as_printed() if as_printed else energy.ladder()


def _ladder_rows(as_printed: bool = False) -> list[tuple[str, float, str, str]]:
    """(name, energy [pJ], role, note) of each step, arithmetic first."""
    rows = [("INT8 MAC", energy.mac_pj("int8"), "macs", "8-bit multiply, 32-bit add")]
    rows.append(("FP32 MAC", energy.mac_pj("fp32"), "macs", "multiply and add"))
    return rows + [(s.name, s.pj, "weights", s.note or s.source) for s in _steps(as_printed)]


def energy_ladder(compare: str = "register", as_printed: bool = False) -> str:
    """SVG of the ladder with each step's ratio to one of "register", "INT8 MAC", "FP32 MAC" [text].

    as_printed shows the lecture's own figures, and below them where they depart from the published tables.
    """
    rows = _ladder_rows(as_printed)
    base = next((pj for name, pj, _, _ in rows if name.startswith(compare)), None)
    if base is None or not compare:
        raise ValueError(f"compare must be 'register', 'INT8 MAC' or 'FP32 MAC', got {compare!r}")
    plot = svg.axes(_SCALE, left=196, top=74, width=400, height=44 * len(rows))
    title = "The energy ladder" + (", as printed in the lecture" if as_printed else "")
    parts = [svg.text(24, 34, title, size=18, bold=True), plot.body]
    parts.append(svg.text(24, 55, f"45 nm, 0.9 V; ratio to one {compare}", "muted"))
    spoken = []
    for i, (name, pj, role, note) in enumerate(rows):
        y, words = plot.top + 8 + 44 * i, f"{format_quantity(pj)} pJ"
        ratio = f"{format_quantity(pj / base, digits=3)} ×"
        parts.append(svg.text(184, y + 13, name, "ink", 13, "end"))
        parts.append(svg.text(184, y + 29, words, "muted", 12, "end"))
        hover = f"{name}: {words}, {ratio} one {compare}. {note}"
        parts.append(svg.bar(plot.left, y, plot.x(pj) - plot.left, 28, role, plot.width, hover=hover))
        parts.append(svg.text(610, y + 19, ratio, "ink", 14, bold=True))
        spoken.append(f"{name} {words}, {ratio} one {compare}")
    tables = [energy.table("horowitz")["int8_mult"].source, *(s.source for s in _steps(as_printed))]
    where = "; ".join(dict.fromkeys(tables))
    return svg.picture(
        title, "; ".join(spoken) + ".", "".join(parts), 720, plot.top + plot.height + 62, where
    )


def _days(days: float) -> str:
    return f"{round(days):,} days" if days >= 10 else f"{format_quantity(days * 24, digits=3)} hours"


def battery(
    energy_uj: float,
    every_s: float,
    sleep_uw: float = 6.0,
    capacity_mah: float = 225.0,
    voltage_v: float = 3.0,
) -> str:
    """SVG of battery life: what inference takes, what sleeping takes, and the days that leaves [text].

    The default battery is a CR2032 coin cell of 225 mAh at 3 V (assumed rating, ageing left out).
    """
    work = energy.average_power_w(energy_uj * 1e-6, every_s) * 1e6
    total = energy.average_power_w(energy_uj * 1e-6, every_s, sleep_uw * 1e-6) * 1e6
    days = energy.battery_days(capacity_mah, voltage_v, energy_uj * 1e-6, every_s, sleep_uw * 1e-6)
    rows = (("inference", work, "macs"), ("sleep", sleep_uw, "activations"), ("together", total, "weights"))
    axis = svg.Axis("average power [µW], by powers of ten", 0.01, 100_000, log=True)
    plot = svg.axes(axis, left=150, top=84, width=420, height=132)
    parts = [svg.text(24, 34, f"{_days(days)} on one battery", size=18, bold=True)]
    note = f"{format_quantity(energy_uj)} µJ every {format_quantity(every_s)} s"
    parts.append(svg.text(24, 55, f"{note}; {format_quantity(capacity_mah)} mAh at {voltage_v:g} V", "muted"))
    parts.append(plot.body)
    for i, (name, power, role) in enumerate(rows):
        y, words = plot.top + 8 + 44 * i, f"{format_quantity(power, 'µW', 3)}"
        parts.append(svg.text(138, y + 19, name, "ink", 13, "end"))
        parts.append(svg.bar(plot.left, y, plot.x(power) - plot.left, 28, role, plot.width, hover=words))
        parts.append(svg.text(584, y + 19, words, "ink", 13, bold=True))
    share = f"Inference takes {format_quantity(100 * work / total, digits=3)} % of the power."
    parts.append(svg.text(24, 292, share, "ink", 13))
    spoken = ", ".join(f"{name} {format_quantity(power, 'µW', 3)}" for name, power, _ in rows)
    return svg.picture(
        f"{_days(days)} on one battery",
        f"{note}: {spoken}. {share}",
        "".join(parts),
        720,
        312,
    )
