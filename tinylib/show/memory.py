"""Memory while a network runs: every activation as a block in the arena, and patches with their halo."""

from collections.abc import Sequence

from tinylib.cost import memory, models, planning
from tinylib.cost.devices import Device
from tinylib.cost.layers import Layer, Shape
from tinylib.cost.models import Model
from tinylib.show import svg
from tinylib.show.numbers import kib, percent
from tinylib.units import KIB, format_quantity

_ROLES = ("activations", "weights", "macs")


def arena(
    model: Model | str,
    bits: int = 8,
    step: int = 0,
    device: Device | None = None,
    slots: Sequence[planning.Slot] = (),
) -> str:
    """SVG of the static arena: layers along x, bytes along y, one block a tensor, `step` marked [text].

    model: a Model or the id of one. A device adds the line of its SRAM.
    slots: a layout to draw in place of the planner's, which puts the largest tensor first
    """
    network = models.named(model) if isinstance(model, str) else model
    plan, steps = planning.plan_arena(network, bits), memory.timeline(network)
    step = min(max(step, 0), len(steps) - 1)
    slots = slots or plan.slots
    used = max(slot.offset + slot.size for slot in slots)
    top = max(plan.arena_bytes, used, device.sram_bytes if device else 0) * 1.08 / KIB
    names = _labels([s.name for s in steps])
    across = svg.Axis("layer", 0, len(steps), ticks=tuple(names), words=lambda i: names[i])
    plot = svg.axes(across, svg.Axis("address [KiB]", 0, top), left=76, top=92, width=600, height=280)
    live = {name for name, _ in steps[step].live}
    parts = [svg.text(24, 34, f"The arena of {network.name}", size=18, bold=True), plot.body]
    parts += [_block(plot, slot, i, slot.name in live) for i, slot in enumerate(slots)]
    parts.append(
        svg.line(plot.x(step + 0.5), plot.top, plot.x(step + 0.5), plot.top + plot.height, "ink", 1.5, "3 3")
    )
    if device:
        parts.append(
            svg.line(
                plot.left,
                plot.y(device.sram_bytes / KIB),
                plot.left + plot.width,
                plot.y(device.sram_bytes / KIB),
                "over_words",
                2,
            )
        )
    held = memory.weight_bytes(steps[step].elements, bits)
    facts = [
        f"arena {kib(used)}, lower bound {kib(plan.lower_bound_bytes)}",
        f"at {steps[step].name}: {len(live)} tensors alive, {kib(held)}",
        _fits(used, device),
    ]
    parts += [svg.text(24, 55, f"{facts[0]}; {facts[1]}", "muted")]
    parts.append(svg.text(24, 442, facts[2], "over_words" if "over" in facts[2] else "fit_words", bold=True))
    return svg.picture(
        f"The arena of {network.name}", ". ".join(f for f in facts if f) + ".", "".join(parts), 720, 460
    )


def _labels(names: list[str]) -> dict[int, str]:
    """At most twelve ticks, each with the name of its layer."""
    every = -(-len(names) // 12)
    return {i: name for i, name in enumerate(names) if i % every == 0}


def _block(plot: svg.Axes, slot: planning.Slot, number: int, alive: bool) -> str:
    x, y = plot.x(slot.first), plot.y((slot.offset + slot.size) / KIB)
    width, height = plot.x(slot.last + 1) - x, plot.y(slot.offset / KIB) - y
    corners = [(x + 1, y), (x + width - 1, y), (x + width - 1, y + height), (x + 1, y + height)]
    name = svg.text(x + 5, y + 13, slot.name, "page", 12) if width > 44 and height > 16 and alive else ""
    return (
        svg.polygon(corners, _ROLES[number % 3], 1 if alive else 0.35)
        + svg.outline(corners, "page", 1)
        + name
    )


def _fits(used: int, device: Device | None) -> str:
    if device is None:
        return ""
    spare, name = device.sram_bytes - used, device.name.partition(":")[0]
    words = f"fits, {kib(spare)} left" if spare >= 0 else f"over by {kib(-spare)}"
    return f"{kib(used)} of {kib(device.sram_bytes)} SRAM on {name}: {words}"


def patches(stack: Sequence[Layer], in_shape: Shape, patches: int, row: int = 0, column: int = 0) -> str:
    """SVG of a stage computed in patches x patches tiles: one tile with its halo in every map [text].

    row and column pick the tile; the bytes are INT8.
    """
    plan = planning.plan_patches(stack, in_shape, patches)
    row, column = min(row, patches - 1), min(column, patches - 1)
    tile, shapes = plan.tiles[row * patches + column], [tuple(in_shape)]
    for layer in stack:
        shapes.append(layer.out_shape(shapes[-1]))
    title = f"{patches} × {patches} patches"
    parts = [svg.text(24, 34, title, size=18, bold=True)]
    spans = [_spans(stack, [s[a] for s in shapes], patches, at, a) for a, at in ((0, row), (1, column))]
    room, gap = 672 / len(shapes), 24
    side = min(200.0, room - gap)
    for i, (shape, rows, columns) in enumerate(zip(shapes, *spans)):
        left = 24 + i * room
        parts.append(_map(left, 92, side, shape, rows, columns, "output" if i == len(stack) else f"map {i}"))
    again, work = max(plan.recomputed_macs, 0), plan.whole_macs
    peak, whole = plan.peak_elements, plan.whole_elements
    facts = [
        f"peak {kib(peak)} instead of {kib(whole)}: {percent(peak, whole)}",
        f"recomputed {format_quantity(again)} of {format_quantity(work)} MACs: {percent(again, work)}",
        f"this tile reads {tile[0][0]} × {tile[0][1]} of {in_shape[0]} × {in_shape[1]}",
    ]
    parts += [svg.text(24, 92 + side + 54 + 22 * i, fact, "ink", 13) for i, fact in enumerate(facts)]
    parts.append(svg.text(24, 55, "one tile of the output and what it needs of every map before", "muted"))
    return svg.picture(title, ". ".join(facts) + ".", "".join(parts), 720, 92 + side + 116)


def _spans(
    stack: Sequence[Layer], sizes: list[int], patches: int, at: int, axis: int
) -> list[tuple[int, int]]:
    """The indices of every map that one tile needs along one axis, input first."""
    spans = [(at * sizes[-1] // patches, (at + 1) * sizes[-1] // patches)]
    for layer, size in zip(reversed(stack), reversed(sizes[:-1])):
        spans.append(planning.input_span(layer, size, spans[-1], axis))
    return spans[::-1]


def _map(left: float, top: float, side: float, shape: Shape, rows: tuple, columns: tuple, name: str) -> str:
    height, width, _ = shape
    (x0, x1), (y0, y1) = ((v / n * side for v in span) for span, n in ((columns, width), (rows, height)))
    parts = [
        svg.rect(left, top, side, side, "panel"),
        svg.rect(left + x0, top + y0, x1 - x0, y1 - y0, "activations"),
    ]
    corners = [(left, top), (left + side, top), (left + side, top + side), (left, top + side)]
    parts.append(svg.outline(corners, "muted", 1))
    words = f"{rows[1] - rows[0]} × {columns[1] - columns[0]} of {height} × {width}"
    parts.append(svg.text(left, top - 10, name, "ink", 13, bold=True))
    return "".join(parts) + svg.text(left, top + side + 18, words, "muted", 12)
