"""Diagrams of networks, drawn from the description that counts them.

Small dense networks are neurons and edges, a KAN has its curves on the edges, a recurrent cell shows its
blocks with what each of them stores, and any other network is a list of layers with their shapes.
"""

import math
from itertools import pairwise

from tinylib.cost import layers as L
from tinylib.cost import sequence as S
from tinylib.cost.models import INPUT, Model
from tinylib.show import svg
from tinylib.show.numbers import dimensions

MOST_NEURONS = 12  # in one column of a drawing with edges
MOST_LAYERS = 40  # rows of a list
WIDTH = 720

Block = tuple[str, str, int]  # name, formula, parameters


def diagram(what: Model | L.Layer) -> str:
    """SVG of a whole model, or of one recurrent cell [text]; raises TypeError for anything else."""
    if isinstance(what, S._Recurrent):
        return _cell(what)
    if not isinstance(what, Model):
        raise TypeError(f"diagram draws a Model or a recurrent layer, got {type(what).__name__}")
    graph = [node.layer for node in what.nodes]
    widths = [math.prod(what.input_shape), *(row.activation_elements for row in what.rows)]
    plain = all(isinstance(layer, (L.Dense, S.KAN)) for layer in graph)
    chain = all(len(row.src) == 1 for row in what.rows)
    return _neurons(what) if plain and chain and max(widths) <= MOST_NEURONS else _list(what)


# ---- neurons and edges


def _neurons(model: Model) -> str:
    widths = [math.prod(model.input_shape), *(row.activation_elements for row in model.rows)]
    height = 54 * max(widths)
    places = []
    for i, n in enumerate(widths):
        x = 90 + i * (WIDTH - 180) / (len(widths) - 1)
        places.append([(x, 80 + height * (k + 0.5) / n) for k in range(n)])
    parts, spoken = [], []
    for (left, right), node, row in zip(pairwise(places), model.nodes, model.rows):
        kan = isinstance(node.layer, S.KAN)
        for i, a in enumerate(left):
            for j, b in enumerate(right):
                parts.append(_curve(a, b, i + j) if kan else svg.line(*a, *b, "muted", 1))
        middle = (left[0][0] + right[0][0]) / 2
        kind = "KAN" if kan else "dense"
        parts.append(svg.text(middle, 92 + height, kind, "ink", 13, "middle"))
        parts.append(svg.text(middle, 110 + height, f"{row.params:,} parameters", "muted", 12, "middle"))
        spoken.append(f"{kind} layer from {len(left)} to {len(right)}, {row.params:,} parameters")
    for i, column in enumerate(places):
        role = "activations" if i in (0, len(places) - 1) else "weights"
        parts += [svg.circle(x, y, 13, role, f"neuron {k + 1}") for k, (x, y) in enumerate(column)]
        name = "inputs" if i == 0 else "outputs" if i == len(places) - 1 else "hidden"
        name = name.removesuffix("s") if len(column) == 1 else name
        parts.append(svg.text(column[0][0], 66, f"{len(column)} {name}", "muted", 12, "middle"))
    return _framed(model, "".join(parts), spoken, 130 + height)


def _curve(a: svg.Point, b: svg.Point, seed: int) -> str:
    """An edge that is a function: a wave along the way from a to b, another one for each seed."""
    (x1, y1), (x2, y2) = a, b
    points = []
    for k in range(25):
        t = k / 24
        wave = 9 * math.sin(math.pi * t) * math.sin((2 + seed % 3) * math.pi * t + seed)
        points.append((x1 + (x2 - x1) * t, y1 + (y2 - y1) * t + wave))
    return svg.outline(points, "muted", 1.2, closed=False)


# ---- one cell


def blocks(layer: L.Layer) -> tuple[Block, ...]:
    """What a recurrent cell stores, block by block: their parameters add up to `layer.params`."""
    n, m = layer.in_features, layer.hidden_features
    if isinstance(layer, S._Gated):
        per_gate = m * (n + m + layer.bias_vectors)
        gates = {
            S.Elman: (("state", "tanh(W x + U h + b)"),),
            S.GRU: (
                ("update z", "sigmoid(W x + U h + b)"),
                ("reset r", "sigmoid(W x + U h + b)"),
                ("candidate", "tanh(W x + r (U h) + b)"),
            ),
            S.LSTM: (
                ("candidate", "tanh(W x + U h + b)"),
                ("input i", "sigmoid(W x + U h + b)"),
                ("forget f", "sigmoid(W x + U h + b)"),
                ("output o", "sigmoid(W x + U h + b)"),
            ),
        }[type(layer)]
        return tuple((name, formula, per_gate) for name, formula in gates)
    if isinstance(layer, S.LTC):
        synapses = layer.synapse_values
        formula = "sigmoid(W x + U s + b)" if synapses == 1 else "w sigmoid(slope (v - centre)) (E - v)"
        return (
            ("input synapses", formula, synapses * m * n),
            ("recurrent synapses", formula, synapses * m * m),
            ("neurons", "b, tau, A" if synapses == 1 else "leak, rest, capacitance", 3 * m),
        )
    b = layer.backbone_features
    rest = 4 * (b * m + m) - layer.fixed_step * m
    return (
        ("backbone", "tanh(W x + U h + b)", b * (n + m + 1)),
        ("heads f, g", "tanh(W z + b), twice", 2 * (b * m + m)),
        ("time gate", "sigmoid((A z + a) dt + B z + b)", rest - 2 * (b * m + m)),
    )


UPDATES = {
    S.Elman: "h becomes the state",
    S.GRU: "h becomes (1 - z) h + z candidate",
    S.LSTM: "c becomes f c + i candidate,  h becomes o tanh(c)",
    S.CfC: "h becomes (1 - gate) f + gate g",
}


def _update(layer: L.Layer) -> str:
    if isinstance(layer, S.LTC):
        if layer.synapse_values == 4:
            return f"v leaks and is pulled to each E, {layer.unfolds} fused steps a sample"
        return f"s becomes (s + dt f A) / (1 + dt (1/tau + f)), {layer.unfolds} times a sample"
    return UPDATES[type(layer)]


def _cell(layer: L.Layer) -> str:
    rows = blocks(layer)
    most = max(params for _, _, params in rows)
    height, top = 52 * len(rows), 96
    inputs = f"{layer.in_features} input{'s' * (layer.in_features > 1)}"
    title = f"{type(layer).__name__}: {inputs}, {layer.hidden_features} units"
    subtitle = f"{layer.params:,} parameters, {layer.state_elements} state values carried over"
    subtitle += f", {layer.macs((1, layer.in_features)):,} MACs a sample"
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, subtitle, "muted")]
    parts.append(svg.text(24, 82, "x, and the state before", "ink", 13))
    spoken = []
    for i, (name, formula, params) in enumerate(rows):
        y = top + 52 * i
        parts.append(svg.line(40, y + 20, 70, y + 20, "muted", 1.5))
        parts.append(svg.rect(70, y, 330, 42, "panel", radius=6))
        parts.append(svg.text(82, y + 18, name, "ink", 14, bold=True))
        parts.append(svg.text(82, y + 35, formula, "muted", 12))
        parts.append(svg.bar(420, y + 6, 180 * params / most, 28, "weights", hover=f"{params:,} parameters"))
        parts.append(svg.text(612, y + 25, f"{params:,}", "ink", 13, bold=True))
        spoken.append(f"{name}: {formula}, {params:,} parameters")
    parts.append(svg.line(40, 88, 40, top + height - 4, "muted", 1.5))
    parts.append(svg.text(70, top + height + 18, _update(layer), "ink", 14))
    return svg.picture(
        title,
        f"{subtitle}. {'; '.join(spoken)}. Then {_update(layer)}.",
        "".join(parts),
        WIDTH,
        top + height + 40,
    )


# ---- any network


def _list(model: Model) -> str:
    if len(model.rows) > MOST_LAYERS:
        raise ValueError(f"diagram lists at most {MOST_LAYERS} layers, got {len(model.rows)}")
    place = {INPUT: 0} | {row.name: i + 1 for i, row in enumerate(model.rows)}
    parts = [svg.rect(60, 76, 250, 26, "panel", radius=5), svg.text(72, 94, "input", "ink", 13, bold=True)]
    parts.append(svg.text(470, 94, dimensions(model.input_shape), "muted", 12, "end"))
    for x, words in ((470, "output"), (580, "parameters"), (WIDTH - 24, "MACs")):
        parts.append(svg.text(x, 66, words, "muted", 12, "end"))
    spoken = []
    for i, row in enumerate(model.rows):
        y = 76 + 36 * (i + 1)
        for name in row.src:
            parts.append(_edge(place[name], i + 1))
        parts.append(svg.rect(60, y, 250, 26, "panel", radius=5))
        plain = row.name == f"l{i}" or row.name.startswith(f"{row.op.lower()}_")  # no name of its own
        words = row.op if plain else f"{row.name}: {row.op}"
        parts.append(svg.text(72, y + 18, words, "ink", 13, bold=True))
        parts.append(svg.text(470, y + 18, dimensions(row.out_shape), "muted", 12, "end"))
        parts.append(svg.text(580, y + 18, f"{row.params:,}", "ink", 12, "end"))
        parts.append(svg.text(WIDTH - 24, y + 18, f"{row.macs:,}", "ink", 12, "end"))
        spoken.append(f"{words} to {dimensions(row.out_shape)}, {row.params:,} parameters, {row.macs:,} MACs")
    return _framed(model, "".join(parts), spoken, 96 + 36 * (len(model.rows) + 1))


def _edge(start: int, end: int) -> str:
    """The connection from row to row: straight to the next one, around the left side for a shortcut."""
    y1, y2 = 76 + 36 * start + 26, 76 + 36 * end
    if end == start + 1:
        return svg.line(185, y1, 185, y2, "muted", 1.5)
    x = 52 - 4 * min(end - start, 9)
    points = [(60, y1 - 13), (x, y1 - 13), (x, y2 + 13), (60, y2 + 13)]
    return svg.outline(points, "activations", 2, closed=False)


def _framed(model: Model, body: str, spoken: list[str], height: float) -> str:
    subtitle = f"{model.params:,} parameters, {model.macs:,} MACs for every input"
    head = svg.text(24, 30, model.name, size=18, bold=True) + svg.text(24, 48, subtitle, "muted")
    return svg.picture(model.name, f"{subtitle}. {'; '.join(spoken)}.", head + body, WIDTH, height)
