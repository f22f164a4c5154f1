"""Three calculators as pictures: the size of a model, the memory of fine-tuning, and the cost of a fleet."""

from collections.abc import Sequence

from tinylib.cost import compression, llm, memory
from tinylib.cost.layers import count
from tinylib.show import svg
from tinylib.show.numbers import percent
from tinylib.units import GB, KB, MB, Quantity, format_bytes, format_quantity, real, shown

CHANNEL_WEIGHTS = 1024  # assumed: weights that one output channel holds
DAYS_PER_YEAR = 365
_NAMES = {32: "FP32", 16: "FP16", 8: "INT8", 4: "INT4", "nf4": "NF4"}
_ROLES = {"weights": "weights", "adapter": "macs", "gradients": "activations", "moments": "macs"}
_ROLES |= {"master copy": "weights", "keys, values": "activations"}
_METHODS = {"full": "full fine-tuning", "lora": "LoRA", "qlora": "QLoRA"}


def _within(what: str, value: object, low: float, high: float, whole: bool = False) -> float:
    number = count(what, value) if whole else real(what, value)
    if not low <= number <= high:
        raise ValueError(f"{what} must lie between {low:,} and {high:,}, got {shown(value)}")
    return number


def _one_of(what: str, value: object, choices: Sequence) -> object:
    if isinstance(value, (str, int)) and not isinstance(value, bool) and value in choices:
        return value
    raise ValueError(f"{what} must be one of {', '.join(map(repr, choices))}, got {shown(value)}")


# Size of a model


def model_parts(params: int, bits: int | str, scale_per: str = "tensor", group_size: int = 128) -> tuple:
    """Weights and scales of one number format, bits 32, 16, 8, 4 or "nf4" [bytes, bytes].

    INT8 and INT4 keep an FP32 scale per "tensor", "channel" or "group" of a channel, NF4 an FP32 constant
    per block of 64 weights, floats none. Taken as one tensor whose channels hold 1,024 weights.
    """
    params = _within("params", params, 1, 10**12, whole=True)
    _one_of("bits", bits, tuple(_NAMES))
    _one_of("scale_per", scale_per, ("tensor", "channel", "group"))
    group, inner = count("group_size", group_size), min(params, CHANNEL_WEIGHTS)
    if bits == "nf4":
        return memory.weight_bytes(params, 4), llm.nf4_constant_bytes(params)
    if bits >= 16:
        return memory.weight_bytes(params, bits), 0
    scales = compression.scale_count(-(-params // inner), inner, scale_per, group)
    return memory.weight_bytes(params, bits), compression.scale_bytes(scales)


def model_size(params: int, bits: int | str = 8, scale_per: str = "tensor", group_size: int = 128) -> str:
    """SVG of a model's bytes in five number formats on a log axis, with `bits` marked and split [text].

    bits is 32, 16, 8, 4 or "nf4"; the scales are those of `model_parts`.
    """
    sizes = {width: model_parts(params, width, scale_per, group_size) for width in _NAMES}
    weights, scales = sizes[_one_of("bits", bits, tuple(_NAMES))]
    plot = _size_axes([sum(parts) for parts in sizes.values()])
    title, unit = f"Size of {_many(params, 'parameter')}", _unit(4 * params)
    notes = _scale_notes(scale_per, group_size, min(params, CHANNEL_WEIGHTS))
    parts, spoken = [svg.text(24, 34, title, size=18, bold=True)], []
    parts += [svg.text(24, 55 + 18 * i, note, "muted") for i, note in enumerate(notes)]
    rows = [(plot.top + 4 + 44 * i, width) for i, width in enumerate(sizes)]
    parts += [svg.rect(16, y - 3, 688, 42, "panel", radius=4) for y, width in rows if width == bits]
    parts.append(plot.body)
    for y, width in rows:
        said, own = _both(sum(sizes[width]), unit), sizes[width][1]
        extra = f"{format_bytes(own, False)} of it scales" if own else "no scales"
        parts.append(svg.text(24, y + 23, _NAMES[width], size=14, bold=width == bits))
        ends = plot.left, plot.x(sum(sizes[width]))
        corners = [(x, y + dy) for x, dy in zip((*ends, *ends[::-1]), (4, 4, 32, 32))]
        parts.append(svg.polygon(corners, "weights", 1 if width == bits else 0.4))
        parts.append(svg.text(474, y + 15, said, size=13, bold=width == bits))
        parts.append(svg.text(474, y + 32, extra, "muted", 12))
        spoken.append(f"{_NAMES[width]} {said}, {extra}")
    parts.append(_split(plot.top + plot.height + 60, weights, scales, _NAMES[bits]))
    description = ". ".join(["; ".join(spoken), *notes, _split_words(weights, scales, _NAMES[bits])]) + "."
    return svg.picture(title, description, "".join(parts), 720, plot.top + plot.height + 126)


def _size_axes(totals: list[int]) -> svg.Axes:
    low, high = 10.0 ** (len(str(min(totals))) - 2), 10.0 ** len(str(max(totals)))
    axis = svg.Axis("bytes, by powers of ten", low, high, log=True, words=lambda n: format_bytes(n, False))
    return svg.axes(axis, left=84, top=92, width=374, height=44 * len(totals))


def _unit(size: int) -> str:
    return next((name for name, least in (("GB", GB), ("MB", MB), ("KB", KB)) if size >= least), "B")


def _both(size: int, unit: str) -> str:
    """A size in a decimal unit and its binary twin: '13.6 MB = 12.97 MiB' [text]."""
    units = (unit,) if unit == "B" else (unit, unit.replace("B", "iB"))
    return " = ".join(str(Quantity(size, "B").to(name)) for name in units)


def _scale_notes(scale_per: str, group_size: int, inner: int) -> tuple[str, str]:
    words = "one FP32 scale, the model taken as one tensor"
    if scale_per == "channel":
        words = f"one FP32 scale per channel, of {_many(inner, 'weight')} as assumed"
    if scale_per == "group":
        group = _many(min(group_size, inner), "weight")
        words = f"one FP32 scale per group of {group}, channels of {format_quantity(inner)} assumed"
    block = f"one FP32 constant per block of {_many(llm.NF4_BLOCK, 'weight')}"
    return f"INT8 and INT4: {words}", f"NF4: {block}; FP32 and FP16 need no scale"


def _split_words(weights: int, scales: int, name: str) -> str:
    words = f"{name} in parts, on a linear scale: weights {format_bytes(weights, False)}"
    own = f"{format_bytes(scales, False)}, {percent(scales, weights + scales)} of the whole"
    return f"{words}; scales {own}" if scales else f"{words}; no scales"


def _split(top: float, weights: int, scales: int, name: str) -> str:
    """One bar of the chosen format on a linear scale: weights, then the scales, hatched [text]."""
    edge = 672 * weights / (weights + scales)
    body = svg.text(24, top + 12, _split_words(weights, scales, name))
    body += svg.rect(24, top + 22, edge, 22, "weights")
    if scales:
        length = max(672 - edge, 1)
        body += svg.rect(696 - length, top + 22, length, 22, "activations")
        body += svg.hatch(696 - length, top + 22, length, 22)
    return body


# Memory of fine-tuning


def adapter_params(model: str, rank: int) -> int:
    """Values of the LoRA adapters on query and value of every layer [count].

    Source: Hu et al., LoRA, arXiv 2106.09685, section 7.1, which finds these two best.
    """
    shape = llm.transformer(model)
    value_width = shape.kv_heads * shape.head_dim
    each = llm.lora_params(shape.width, shape.width, rank) + llm.lora_params(shape.width, value_width, rank)
    return shape.layers * each


def memory_parts(model: str, method: str, rank: int, tokens: int, batch: int) -> dict[str, int]:
    """What fine-tuning keeps, by part, activations left out but for keys and values [bytes].

    What is trained has the state of `llm.ADAM_MIXED`; frozen weights are FP16, or for "qlora" all of them
    NF4 with double quantization. Keys and values are FP16.
    """
    shape, adapter, state = llm.transformer(model), adapter_params(model, rank), llm.ADAM_MIXED
    _one_of("method", method, tuple(_METHODS))
    _within("tokens", tokens, 1, 10**6, whole=True)
    _within("batch", batch, 1, 10**4, whole=True)
    parts = {"weights": memory.weight_bytes(shape.params, state.weight_bits)}
    if method == "qlora":
        parts["weights"] = llm.qlora_bytes(shape.params, 0)
    if method != "full":
        parts["adapter"] = memory.weight_bytes(adapter, state.weight_bits)
    trained = shape.params if method == "full" else adapter
    parts["gradients"] = memory.weight_bytes(trained, state.gradient_bits)
    parts["moments"] = memory.weight_bytes(state.moments * trained, state.moment_bits)
    parts["master copy"] = memory.weight_bytes(trained, state.master_bits)
    return parts | {"keys, values": shape.kv_cache_bytes(tokens, batch)}


def memory_stack(
    model: str = "llama2_7b",
    method: str = "full",
    rank: int = 16,
    tokens: int = 2048,
    batch: int = 1,
    memory_gb: float = 24,
) -> str:
    """SVG of what fine-tuning keeps, as one stacked bar and part by part, with the memory of a GPU [text].

    model is an id of `cost.llm`, method "full", "lora" or "qlora"; memory_gb in GB, powers of ten.
    """
    sizes = memory_parts(model, method, rank, tokens, batch)
    total, limit = sum(sizes.values()), _within("memory_gb", memory_gb, 0.001, 10**6)
    shape, title = llm.transformer(model), f"{llm.transformer(model).name}: {_METHODS[method]}"
    adapter = 0 if method == "full" else adapter_params(model, rank)
    trained = (
        f"{format_quantity(adapter)} in the adapter, trained alone" if adapter else "all of them trained"
    )
    facts = [f"{format_quantity(shape.params)} parameters; {trained}"]
    axis = svg.Axis("memory [GB]", 0, max(total / GB, limit) * 1.08)
    plot = svg.axes(axis, left=132, top=92, width=398, height=52 + 32 * len(sizes))
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 55, facts[0], "muted"), plot.body]
    parts += [_stack(plot, sizes), *_gpu_line(plot, limit, total)]
    over = total / GB - limit
    verdict = f"Together {_gb(total / GB)} of {_gb(limit)}: "
    verdict += f"over by {_gb(over)}" if over > 0 else "fits"
    y = plot.top + plot.height + 70
    parts.append(svg.text(24, y, verdict, "over_words" if over > 0 else "fit_words", 14, bold=True))
    assumed = _assumptions(method, rank, tokens, batch)
    parts += [svg.text(24, y + 22 + 18 * i, words, "muted") for i, words in enumerate(assumed)]
    spoken = "; ".join(f"{name} {_gb(size / GB)}, {percent(size, total)}" for name, size in sizes.items())
    description = ". ".join([*facts, f"Kept: {spoken}", verdict, *assumed]) + "."
    return svg.picture(title, description, "".join(parts), 720, y + 18 * len(assumed) + 20)


def _gb(size_gb: float) -> str:
    if 0 < size_gb < 1:
        return format_bytes(
            round(size_gb * GB) if size_gb * GB < 1000 else float(f"{size_gb * GB:.3g}"), False
        )
    return format_quantity(float(size_gb), "GB")


def _stack(plot: svg.Axes, sizes: dict[str, int]) -> str:
    """The stacked bar, and under it each part where the one above it ends, with its name and size [text]."""
    parts, below = [], 0
    total = sum(sizes.values())
    rows = [("together", total, plot.top + 31)]
    for i, (name, size) in enumerate(sizes.items()):
        x, y = plot.x(below / GB), plot.top + 52 + 32 * i
        width = max(plot.x((below + size) / GB) - x, 1)
        for top, height in ((plot.top + 8, 34), (y, 22)):
            parts.append(svg.rect(x, top, width, height, _ROLES[name], f"{name}: {_gb(size / GB)}"))
            parts.append(svg.line(x, top, x, top + height, "page") if width > 3 and i else "")
        rows.append((name, size, y + 16))
        below += size
    for name, size, y in rows:
        parts.append(svg.text(120, y, name, "ink", 13, "end", bold=name == "together"))
        share = "" if name == "together" else f", {percent(size, total)}"
        parts.append(svg.text(546, y, f"{_gb(size / GB)}{share}", "ink", 13, bold=name == "together"))
    return "".join(parts)


def _gpu_line(plot: svg.Axes, limit: float, total: int) -> list[str]:
    x, end = plot.x(limit), plot.x(total / GB)
    right = x > plot.left + plot.width / 2
    label = svg.text(
        x, plot.top - 8, f"GPU {_gb(limit)}", "over_words", 13, "end" if right else "start", True
    )
    beyond = svg.hatch(x, plot.top + 8, end - x, 34) if end > x else ""
    return [beyond, svg.line(x, plot.top - 4, x, plot.top + plot.height, "over_words", 2), label]


def _assumptions(method: str, rank: int, tokens: int, batch: int) -> list[str]:
    trained = "Trained values and their gradients at 16 bits, two Adam moments and a master copy at 32 bits"
    frozen = {
        "lora": "Weights frozen at 16 bits",
        "qlora": "All weights frozen in NF4, constants quantized again",
    }
    lines = [frozen[method], trained] if method in frozen else [trained]
    if method != "full":
        lines.append(f"Adapters of rank {format_quantity(rank)}: on query and value of every layer")
    sequence = f"{_many(tokens, 'token')} × batch {format_quantity(batch)}"
    lines.append(f"Keys and values at 16 bits, the size of a KV cache: {sequence}")
    return [*lines, "Left out: all other activations, and what the framework itself takes"]


# Cost of a fleet


def bill_of_materials(
    price_a_eur: float, price_b_eur: float, pieces: int, battery_days_a: float, battery_days_b: float
) -> str:
    """SVG of what a fleet of board A or board B costs, and of its battery changes in a year [text].

    Changes are the average of a running fleet: pieces x 365 / battery days. What a change costs is left open.
    """
    prices = [_within(f"price_{b}_eur", p, 0.01, 10_000) for b, p in zip("ab", (price_a_eur, price_b_eur))]
    pieces = _within("pieces", pieces, 1, 10**7, whole=True)
    lives = zip("ab", (battery_days_a, battery_days_b))
    days = [_within(f"battery_days_{board}", life, 0.1, 36_500) for board, life in lives]
    costs = [round(price * pieces, 2) for price in prices]
    changes = [pieces * DAYS_PER_YEAR / life for life in days]
    title, facts = f"{_many(pieces, 'board')}: price and batteries", _fleet_facts(costs, changes)
    parts = [svg.text(24, 34, title, size=18, bold=True), svg.text(24, 58, facts[0], size=14, bold=True)]
    parts += [svg.text(24, 78 + 18 * i, fact, "muted") for i, fact in enumerate(facts[1:])]
    words, notes = [_eur(c) for c in costs], [f"{_eur(price)} each" for price in prices]
    parts.append(_pair(130, "EUR for all boards", costs, words, notes, "weights"))
    words, notes = [_rate(c) for c in changes], [f"each lasts {_many(life, 'day')}" for life in days]
    parts.append(_pair(296, "battery changes a year, all boards", changes, words, notes, "macs"))
    rows = zip("AB", prices, costs, changes, days)
    spoken = (
        f"Board {board}: {_eur(price)} each, {_eur(cost)} for all; a battery lasts {_many(life, 'day')}, "
        f"{_rate(rate)} battery changes a year for all"
        for board, price, cost, rate, life in rows
    )
    return svg.picture(title, ". ".join([*facts, *spoken]) + ".", "".join(parts), 720, 440)


def _fleet_facts(costs: list[float], changes: list[float]) -> list[str]:
    """The saving, the difference in battery changes, and where the one eats the other [text]."""
    saving, more = round(costs[0] - costs[1], 2), changes[1] - changes[0]  # A minus B; B minus A
    facts = ["Both boards cost the same", "Both need the same battery changes"]
    if saving:
        facts[0] = f"Board {'B' if saving > 0 else 'A'} saves {_eur(abs(saving))}"
    if more:
        facts[1] = f"Board {'B' if more > 0 else 'A'} needs {_rate(abs(more))} more battery changes a year"
    if saving * more > 0 and abs(more) >= 0.01:  # the cheaper board is the one changed more often
        each = saving / more
        limit = _eur(round(each, 2)) if each >= 0.01 else "less than 0.01 EUR"
        facts.append(f"At {limit} a change, the first year's extra changes cost what the board saves")
    return facts


def _pair(top: float, label: str, values: list[float], words: list[str], notes: list[str], role: str) -> str:
    """Two bars from zero on one linear axis, board A over board B [text]."""
    plot = svg.axes(svg.Axis(label, 0, max(values) * 1.04), left=92, top=top, width=400, height=88)
    parts = [plot.body]
    for i, (value, said, note) in enumerate(zip(values, words, notes)):
        y = top + 8 + 42 * i
        parts.append(svg.text(24, y + 19, f"Board {'AB'[i]}", size=13, bold=True))
        parts.append(svg.bar(plot.left, y, plot.x(value) - plot.left, 28, role, plot.width, hover=said))
        parts.append(svg.text(508, y + 12, said, size=13, bold=True))
        parts.append(svg.text(508, y + 29, note, "muted", 12))
    return "".join(parts)


def _eur(amount: float) -> str:
    return f"{amount:,.2f}".removesuffix(".00") + " EUR"


def _rate(changes: float) -> str:
    if changes < 0.01:
        return "less than 0.01"
    return f"{round(changes):,}" if changes >= 1000 else format_quantity(float(changes), digits=3)


def _many(number: float, noun: str) -> str:
    return f"{format_quantity(number)} {noun}{'s' * (number != 1)}"
