"""A roofline through measured points: two limits that a machine reached, and what real work reached below."""

import math
from collections.abc import Sequence

from tinylib.cost import roofline as bound
from tinylib.show import svg
from tinylib.show.numbers import short
from tinylib.units import format_quantity, real

_X = (0.01, 1000.0)  # limits of the intensity axis [FLOP/B]


def measured_roofline(
    points: Sequence[tuple[str, float, float]], peak: float, bandwidth: float, title: str
) -> str:
    """SVG of a roof with peak [FLOP/s] and bandwidth [B/s], and (name, FLOP/B, FLOP/s) points [text].

    A point may lie above the roof: the limits are measurements too.
    """
    ridge = bound.ridge_point(peak, bandwidth)
    for name, at, rate in points:
        if real("intensity", at) <= 0 or real("rate", rate) <= 0:
            raise ValueError(f"point {name!r} must have a positive intensity and rate, got {at!r}, {rate!r}")
    top = 10.0 ** math.ceil(math.log10(max([peak, *(rate for _, _, rate in points)]) * 1.2))
    across = svg.Axis("arithmetic intensity [FLOP/B]", *_X, log=True)
    plot = svg.axes(
        across, svg.Axis("FLOP/s", top / 1e5, top, log=True), left=84, top=92, width=590, height=290
    )
    limits = f"peak {short(peak)}FLOP/s, bandwidth {short(bandwidth)}B/s, ridge at {_exact(ridge)} FLOP/B"
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, limits, "muted", 13), plot.body]
    ends = [(left := max(_X[0], top / 1e5 / bandwidth), left * bandwidth), (ridge, peak), (_X[1], peak)]
    corners = [(plot.x(x), plot.y(y)) for x, y in ends]
    foot = plot.top + plot.height
    parts.append(svg.line(plot.x(ridge), plot.y(peak), plot.x(ridge), foot, "muted", 1.5, "4 4"))
    parts.append(svg.outline(corners, "weights", 3, closed=False))
    facts = []
    for name, at, rate in points:
        share = rate / bound.attainable_flops_per_s(at, peak, bandwidth)
        facts.append(f"{name}: {_exact(at)} FLOP/B, {short(rate)}FLOP/s, {100 * share:.0f} % of the roof")
        parts.append(svg.circle(plot.x(at), plot.y(rate), 6, "over_budget", facts[-1]))
        side, anchor = (9, "start") if at < 50 else (-9, "end")  # a name stays within the picture
        parts.append(svg.text(plot.x(at) + side, plot.y(rate) + 18, name, "ink", 12, anchor))
    parts += [svg.text(84, 452 + 20 * i, fact, "ink", 13) for i, fact in enumerate(facts)]
    words = " ".join(f"{fact}." for fact in [limits, *facts])
    return svg.picture(title, words, "".join(parts), 720, 452 + 20 * len(facts))


def _exact(value: float) -> str:
    return format_quantity(value, digits=3)
