"""The loss of distillation in its two terms, and what a teacher adds at each temperature.

    L = (1 - a) CE(label, student) + a T^2 KL(teacher || student)
    size of a term's gradient: its magnitudes by all logits of the student, added up

Source: Hinton et al., Distilling the knowledge in a neural network, arXiv 1503.02531, section 2.
"""

import math
from collections.abc import Mapping, Sequence

from tinylib.cost import compression
from tinylib.show import svg
from tinylib.show.curves import curves
from tinylib.show.distillation import divergence
from tinylib.units import format_quantity, shown

Gain = tuple[float, float, float, float]  # temperature, gain, low and high end of its interval [0..1]
TERMS = ("label: (1 - a) CE", "teacher: a T² KL", "without T²: a KL")


def loss_terms(
    teacher: Sequence[float], student: Sequence[float], label: int, temperature: float, weight: float
) -> list[tuple[float, float]]:
    """(loss [nat], size of its gradient [nat]) of the terms in TERMS; weight is a of the teacher's [0..1]."""
    if not 0 <= label < len(student):
        raise ValueError(f"label must be one of 0..{len(student) - 1}, got {shown(label)}")
    if not 0 <= weight <= 1:
        raise ValueError(f"weight must be a share from 0 to 1, got {shown(weight)}")
    plain, p, q = (
        compression.softmax(*z) for z in ((student,), (teacher, temperature), (student, temperature))
    )
    kl, apart = divergence(teacher, student, temperature), math.fsum(abs(b - a) for a, b in zip(p, q))
    top = max(student)
    hard = math.log(math.fsum(math.exp(z - top) for z in student)) + top - student[label]
    miss = math.fsum(abs(share - (k == label)) for k, share in enumerate(plain))
    return [
        ((1 - weight) * hard, (1 - weight) * miss),
        (weight * temperature**2 * kl, weight * temperature * apart),
        (weight * kl, weight / temperature * apart),
    ]


def loss_bars(
    teacher: Sequence[float],
    student: Sequence[float],
    label: int,
    temperature: float = 4.0,
    weight: float = 0.5,
) -> str:
    """SVG of the two terms of the loss and of their gradients, and of the second one without T² [text].

    teacher, student: logits (C,) of one example; the third bar is hatched: it is what T² mends.
    """
    rows = loss_terms(teacher, student, label, temperature, weight)
    total = rows[0][0] + rows[1][0]
    title = f"Loss {_nat(total)} at temperature {format_quantity(temperature, digits=3)}"
    parts = [svg.text(24, 34, title, size=18, bold=True)]
    parts.append(svg.text(24, 55, f"a = {_short(weight)}; the hatched bar is no part of the loss", "muted"))
    for column, (name, left) in enumerate((("loss [nat]", 170), ("size of the gradient [nat]", 450))):
        most = max(row[column] for row in rows) or 1.0
        plot = svg.axes(svg.Axis(name, 0, 1.3 * most), left=left, top=84, width=240, height=126)
        parts.append(plot.body)
        for k, (words, row) in enumerate(zip(TERMS, rows)):
            y, width = plot.top + 8 + 42 * k, plot.x(row[column]) - plot.left
            role = ("macs", "weights", "weights")[k]
            parts.append(svg.bar(left, y, width, 24, role, 240, hover=f"{words}: {_nat(row[column])}"))
            parts.append(svg.hatch(left, y, width, 24, gap=6) if k == 2 else "")
            parts.append(svg.text(left + width + 6, y + 17, _short(row[column]), "ink", 12))
            parts.append("" if column else svg.text(160, y + 17, words, "ink", 13, "end"))
    spoken = "; ".join(f"{w} {_nat(loss)}, gradient {_nat(size)}" for w, (loss, size) in zip(TERMS, rows))
    return svg.picture(title, f"a = {_short(weight)}. {spoken}.", "".join(parts), 720, 270)


def _nat(value: float) -> str:
    return f"{_short(value)} nat"


def _short(value: float) -> str:
    if value >= 100:
        return format_quantity(value, digits=3)
    return f"{value:.3f}" if value >= 0.001 or not value else "< 0.001"


def temperature_gain(sweeps: Mapping[str, Sequence[Gain]], note: str = "") -> str:
    """SVG of the gain over labels alone against the temperature, a line with intervals a student [text].

    sweeps: name of a student -> (temperature, gain, low, high), shares in [0..1], temperatures rising
    """
    if not sweeps or not all(sweeps.values()):
        raise ValueError("a curve of gains needs at least one temperature, got none")
    lines = {name: [(t, 100 * gain) for t, gain, _, _ in rows] for name, rows in sweeps.items()}
    ends = {name: [(t, 100 * low, 100 * high) for t, _, low, high in rows] for name, rows in sweeps.items()}
    reach = 1 + math.ceil(max(abs(end) for rows in ends.values() for _, *pair in rows for end in pair))
    heat = sorted({t for points in lines.values() for t, _ in points})
    first, last = heat[0] / 1.2, heat[-1] * 1.2
    return curves(
        "Gain over labels alone",
        svg.Axis("temperature", first, last, log=True, ticks=tuple(heat)),
        svg.Axis("gain [points]", -reach, reach),
        {**lines, "labels alone": [(first, 0.0), (last, 0.0)]},
        note,
        spread=ends,
    )
