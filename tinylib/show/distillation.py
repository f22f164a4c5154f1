"""Temperature: the softened outputs of teacher and student, and what entropy and divergence do along it."""

import math
from collections.abc import Sequence

from tinylib.cost import compression
from tinylib.show import svg
from tinylib.show.pixels import pixel_grid
from tinylib.units import format_quantity, real, shown

COLDEST, HOTTEST = 0.1, 100.0  # limits of the temperature axis
MOST_CLASSES = 12
_STEPS = 61  # points of a curve


def entropy(p: Sequence[float]) -> float:
    """Entropy of probabilities [nat]: -sum p ln p; 0 for certainty, ln C for C equal classes."""
    return -math.fsum(x * math.log(x) for x in p if x) or 0.0


def divergence(teacher: Sequence[float], student: Sequence[float], temperature: float) -> float:
    """KL(teacher || student) of logits softened at T [nat].

    Worked on logarithms, so that neither an underflow nor rounding at a high T makes it wrong or negative.
    """
    t, s = (_log_softmax(z, temperature) for z in (teacher, student))
    gaps = [b - a for a, b in zip(t, s)]  # ln(q / p); sum p = sum q, so p (e^g - 1 - g) adds up to the same
    return max(
        math.fsum(math.exp(a) * (math.expm1(g) - g) if g < 700 else math.exp(a + g) for a, g in zip(t, gaps)),
        0.0,
    )


def _log_softmax(logits: Sequence[float], temperature: float) -> list[float]:
    top = max(logits)
    scaled = [(z - top) / temperature for z in logits]
    total = math.log(math.fsum(math.exp(z) for z in scaled))
    return [z - total for z in scaled]


def _check(
    teacher: Sequence[float], student: Sequence[float], temperature: float
) -> tuple[list, list, float]:
    logits = [
        [real(f"each logit of the {who}", z) for z in zs]
        for who, zs in (("teacher", teacher), ("student", student))
    ]
    if len(logits[0]) != len(logits[1]) or not 2 <= len(logits[0]) <= MOST_CLASSES:
        what = f"{len(logits[0])} and {len(logits[1])}"
        raise ValueError(
            f"teacher and student need one logit for each of 2 to {MOST_CLASSES} classes, got {what}"
        )
    if not COLDEST <= real("temperature", temperature) <= HOTTEST:
        raise ValueError(
            f"temperature must lie between {COLDEST:g} and {HOTTEST:g}, got {shown(temperature)}"
        )
    return *logits, temperature


def _nat(value: float) -> str:
    if value > 1000:
        return format_quantity(value, "nat", 3)
    return f"{value:.4f} nat" if value >= 0.0001 or not value else "< 0.0001 nat"


def temperature_bars(
    teacher: Sequence[float],
    student: Sequence[float],
    temperature: float = 1.0,
    classes: Sequence[str] = (),
    image: Sequence[Sequence[float]] = (),
) -> str:
    """SVG of both softened outputs, class by class, with their entropies and divergence [text].

    teacher, student: logits (C,), up to 12 classes; `classes` names them, else they are numbered from 0.
    image: what both look at, (height, width) in [0..1]
    """
    teacher, student, T = _check(teacher, student, temperature)
    names = [str(c) for c in classes] or [str(i) for i in range(len(teacher))]
    if len(names) != len(teacher):
        raise ValueError(f"classes must name all {len(teacher)} classes, got {len(names)}")
    p, q = compression.softmax(teacher, T), compression.softmax(student, T)
    kl = divergence(teacher, student, T)
    title = f"Softened at temperature {format_quantity(T, digits=3)}"
    facts = [
        f"entropy: teacher {_nat(entropy(p))}, student {_nat(entropy(q))}; "
        f"at most ln {len(p)} = {math.log(len(p)):.3f}",
        f"KL(teacher || student) {_nat(kl)}; times T² = {_nat(T * T * kl)}",
    ]
    plot = svg.axes(svg.Axis("probability", 0, 1), left=110, top=104, width=500, height=38 * len(p))
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, facts[0], "muted")]
    parts += [svg.text(24, 75, facts[1], "muted"), plot.body, _legend(plot)]
    parts.append(pixel_grid(image, 628, 16, 72) if image else "")
    for i, (name, *pair) in enumerate(zip(names, p, q)):
        y = plot.top + 4 + 38 * i
        parts.append(svg.text(98, y + 19, name, anchor="end"))
        for j, (who, share) in enumerate(zip(("teacher", "student"), pair)):
            width, top = plot.x(share) - plot.left, y + 15 * j
            hover = f"{who}, class {name}: {share:.4g}"
            parts.append(svg.bar(plot.left, top, width, 13, ("weights", "macs")[j], plot.width, hover=hover))
            parts.append(svg.hatch(plot.left, top, width, 13, gap=6) if j else "")
            parts.append(svg.text(plot.left + width + 6, top + 11, _share(share), "ink", 12))
    top = max(range(len(p)), key=p.__getitem__)
    said = f"{facts[0]}; {facts[1]}. The teacher's first choice is {names[top]} with {_share(p[top])}, "
    said += f"for which the student has {_share(q[top])}."
    return svg.picture(title, said, "".join(parts), 720, plot.top + plot.height + 58)


def _share(p: float) -> str:
    return f"{p:.3f}" if p >= 0.0005 or not p else "< 0.001"


def _legend(plot: svg.Axes) -> str:
    y = plot.top - 10
    return (
        svg.rect(430, y - 10, 26, 11, "weights") + svg.text(462, y, "teacher", "ink", 12)
        + svg.rect(530, y - 10, 26, 11, "macs") + svg.hatch(530, y - 10, 26, 11, gap=6)
        + svg.text(562, y, "student", "ink", 12)
    )  # fmt: skip


def entropy_curve(teacher: Sequence[float], student: Sequence[float], temperature: float = 1.0) -> str:
    """SVG of entropy, and below it of KL with and without T², against the temperature [text].

    T² KL levels off at half the variance of the logits' differences over the classes.
    """
    teacher, student, T = _check(teacher, student, temperature)
    temperatures = [COLDEST * (HOTTEST / COLDEST) ** (i / (_STEPS - 1)) for i in range(_STEPS)]
    limit = _limit(teacher, student)
    most = math.log(len(teacher))
    warm = svg.Axis("temperature", COLDEST, HOTTEST, log=True)
    upper = svg.axes(warm, svg.Axis("entropy [nat]", 0, most * 1.08), left=80, top=100, width=420, height=170)
    kls = [divergence(teacher, student, t) for t in temperatures]
    scaled = [t * t * kl for t, kl in zip(temperatures, kls)]
    ceiling = 10.0 ** math.ceil(math.log10(max([*kls, *scaled, 0.5]) * 1.05))
    below = svg.Axis("temperature, by powers of ten", COLDEST, HOTTEST, log=True)
    decay = svg.Axis("divergence [nat], by powers of ten", ceiling / 1e4, ceiling, log=True)
    lower = svg.axes(below, decay, left=80, top=352, width=420, height=160)
    now = divergence(teacher, student, T)
    curves = [
        (upper, "teacher", "weights", "", [entropy(compression.softmax(teacher, t)) for t in temperatures],
         _nat(entropy(compression.softmax(teacher, T)))),
        (upper, "student", "macs", "7 4", [entropy(compression.softmax(student, t)) for t in temperatures],
         _nat(entropy(compression.softmax(student, T)))),
        (lower, "KL", "activations", "2 3", kls, _nat(now)),
        (lower, "T² × KL", "over_budget", "", scaled, _nat(T * T * now)),
    ]  # fmt: skip
    parts = [svg.text(24, 34, "Entropy and divergence against temperature", size=18, bold=True)]
    parts += [upper.body, lower.body, svg.line(80, upper.y(most), 500, upper.y(most), "muted", 1.5, "4 3")]
    parts.append(svg.text(516, upper.y(most) + 4, f"ln {len(teacher)} = {most:.3f}, all alike", "muted", 12))
    for i, (plot, name, role, dash, values, words) in enumerate(curves):
        low = plot.vertical.low
        places = [(plot.x(t), plot.y(v)) for t, v in zip(temperatures, values) if v >= low]
        y = plot.top + 44 + 42 * (i % 2)
        parts.append(svg.outline(places, role, 2.2, dash, closed=False) if places else "")
        parts.append(svg.line(516, y - 4, 542, y - 4, role, 2.2, dash))
        parts.append(svg.text(548, y, name, "ink", 12, bold=True) + svg.text(548, y + 16, words, "muted", 12))
    for plot in (upper, lower):
        parts.append(svg.line(plot.x(T), plot.top, plot.x(T), plot.top + plot.height, "ink", 1.5))
    heat = format_quantity(T, digits=3)
    words = f"at T = {heat}; T² × KL goes to {_nat(limit)}"
    parts.append(svg.text(24, 55, words, "muted"))
    spoken = ", ".join(f"{name} {said}" for _, name, _, _, _, said in curves)
    said = f"At temperature {heat}: {spoken}. For a high temperature the entropies go to {_nat(most)} "
    said += f"and T² times KL goes to {_nat(limit)}."
    return svg.picture("Entropy and divergence against temperature", said, "".join(parts), 720, 566)


def _limit(teacher: Sequence[float], student: Sequence[float]) -> float:
    """What T² KL goes to for a high temperature [nat]: half the variance of the logits' differences."""
    gaps = [a - b for a, b in zip(teacher, student)]
    mean = math.fsum(gaps) / len(gaps)
    return math.fsum((g - mean) ** 2 for g in gaps) / (2 * len(gaps))
