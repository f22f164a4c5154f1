"""The roofline of a processor, a point to move along it, and the layers of a network as further points."""

import math
from collections.abc import Mapping

from tinylib.cost import models, processors
from tinylib.cost import roofline as bound
from tinylib.cost.layers import count
from tinylib.show import svg
from tinylib.show.numbers import short
from tinylib.units import format_quantity, real

_X = (0.1, 10_000.0)  # limits of the intensity axis [FLOP/B]
UNITS = {"FLOP": 1, "MAC": 2}  # FLOPs per counted operation


def layer_intensity(row: models.Row, bits: int, batch: int = 1) -> float:
    """Intensity of one layer at a batch size [FLOP/B]: weights are read once, activations once per input."""
    activations = row.activation_elements + sum(math.prod(s) for s in row.in_shapes)
    return 2 * row.macs * batch / ((row.weights + batch * activations) * bits / 8)


def _roofline_points(model: models.Model | None, bits: int, batch: int) -> dict[str, float]:
    """Name -> intensity [FLOP/B] of every layer that multiplies."""
    return {r.name: layer_intensity(r, bits, batch) for r in model.rows if r.macs} if model else {}


def roofline(
    processor: str = "stm32f746",
    intensity: float = 1.0,
    bits: int = 8,
    model: str = "",
    batch: int = 1,
    unit: str = "FLOP",
) -> str:
    """SVG of a roofline on log axes with the work at one intensity [FLOP/B], and a model's layers [text].

    unit counts operations as "FLOP" or "MAC" on both axes; processor and model are ids of the cost room.
    """
    if unit not in UNITS:
        raise ValueError(f"unit must be 'FLOP' or 'MAC', got {unit!r}")
    chip, bits, batch = processors.named(processor), count("bits", bits), count("batch", batch)
    if real("intensity", intensity) <= 0:
        raise ValueError(f"intensity must be positive, got {intensity!r}")
    peak, bandwidth = 2 * chip.peak_macs_per_s(bits), chip.bandwidth_bytes_per_s
    layers = _roofline_points(models.named(model) if model else None, bits, batch)
    plot = _axes(peak, unit)
    parts = [svg.text(24, 34, f"Roofline of {chip.name}", size=18, bold=True), plot.body]
    parts.append(
        svg.text(24, 55, f"{bits}-bit values" + (f"; {chip.assumed}" if chip.assumed else ""), "muted", 12)
    )
    parts.append(_roof(plot, peak, bandwidth, unit))
    for name, at in layers.items():
        rate = bound.attainable_flops_per_s(at, peak, bandwidth)
        hover = f"{name}: {format_quantity(at / UNITS[unit], digits=3)} {unit}/B"
        parts.append(_mark(plot, at, rate, unit, "activations", 5, hover))
    rate = bound.attainable_flops_per_s(intensity, peak, bandwidth)
    parts.append(_mark(plot, intensity, rate, unit, "over_budget", 8, "the work at this intensity"))
    facts = _facts(intensity, peak, bandwidth, unit, layers)
    parts += [
        svg.text(84 + 330 * (i % 2), 452 + 22 * (i // 2), line, "ink", 13) for i, line in enumerate(facts)
    ]
    spoken = " ".join(f"{f}." for f in facts)
    return svg.picture(f"Roofline of {chip.name}", spoken, "".join(parts), 720, 512, chip.source)


def _axes(peak: float, unit: str) -> svg.Axes:
    top = 10.0 ** math.ceil(math.log10(peak * 1.2))
    across = svg.Axis(f"arithmetic intensity [{unit}/B]", *(x / UNITS[unit] for x in _X), log=True)
    up = svg.Axis(f"{unit}/s", top / 1e5 / UNITS[unit], top / UNITS[unit], log=True)
    return svg.axes(across, up, left=84, top=92, width=590, height=290)


def _roof(plot: svg.Axes, peak: float, bandwidth: float, unit: str) -> str:
    """The slanted roof up to the ridge, the flat one from there, and a plumb line under the ridge."""
    ridge, scale = peak / bandwidth, UNITS[unit]
    left = max(_X[0], plot.vertical.low * scale / bandwidth)
    ends = [(left, left * bandwidth), (ridge, peak), (_X[1], peak)]
    points = [(plot.x(x / scale), plot.y(y / scale)) for x, y in ends]
    foot = plot.top + plot.height
    return svg.line(points[1][0], points[1][1], points[1][0], foot, "muted", 1.5, "4 4") + svg.outline(
        points, "weights", 3, closed=False
    )


def _mark(plot: svg.Axes, at: float, rate: float, unit: str, role: str, radius: float, hover: str) -> str:
    return svg.circle(plot.x(at / UNITS[unit]), plot.y(rate / UNITS[unit]), radius, role, hover)


def _facts(
    intensity: float, peak: float, bandwidth: float, unit: str, layers: Mapping[str, float]
) -> list[str]:
    scale, ridge = UNITS[unit], bound.ridge_point(peak, bandwidth)
    rate = bound.attainable_flops_per_s(intensity, peak, bandwidth)
    where = bound.regime(intensity, peak, bandwidth)
    gap = ridge / intensity if where == "memory-bound" else intensity / ridge
    side = "left" if where == "memory-bound" else "right"
    facts = [
        f"at {format_quantity(intensity / scale, digits=3)} {unit}/B: {where}",
        f"attainable {short(rate / scale)}{unit}/s, {format_quantity(100 * rate / peak, digits=3)} % of peak",
        f"ridge at {format_quantity(ridge / scale, digits=3)} {unit}/B",
        f"{format_quantity(gap, digits=3)} times {side} of the ridge",
    ]
    if layers:
        slow = sum(at < ridge for at in layers.values())
        facts.append(f"{slow} of {len(layers)} layers are memory-bound")
    return facts
