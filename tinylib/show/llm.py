"""What serving a language model keeps in memory: weights and the growing cache, against one accelerator."""

from tinylib.cost import llm, memory
from tinylib.show import svg
from tinylib.units import GB, format_quantity


def kv_cache(
    model: str = "llama2_7b", tokens: int = 2048, batch: int = 1, weight_bits: int = 16, memory_gb: float = 24
) -> str:
    """SVG of weights plus KV cache (16 bits) over the context length, with the memory of a GPU [text].

    model is an id of `cost.llm`; memory_gb in GB, powers of ten.
    """
    shape = llm.transformer(model)
    weights = memory.weight_bytes(shape.params, weight_bits)
    cache = shape.kv_cache_bytes(tokens, batch)
    longest = max(8192, tokens)
    top = max(weights + shape.kv_cache_bytes(longest, batch), memory_gb * GB) * 1.1 / GB
    across = svg.Axis("tokens of context", 0, longest)
    plot = svg.axes(across, svg.Axis("GB", 0, top), left=76, top=92, width=600, height=270)
    title, total = f"Serving {shape.name}, batch {format_quantity(batch)}", weights + cache
    floor, line = plot.y(0), plot.y(weights / GB)
    end = plot.y((weights + shape.kv_cache_bytes(longest, batch)) / GB)
    left, right = plot.left, plot.left + plot.width
    parts = [svg.text(24, 34, title, size=18, bold=True), plot.body]
    parts.append(svg.polygon([(left, line), (right, line), (right, floor), (left, floor)], "weights", 0.85))
    parts.append(svg.polygon([(left, line), (right, end), (right, line)], "activations", 0.85))
    parts.append(svg.line(left, plot.y(memory_gb), right, plot.y(memory_gb), "over_words", 2))
    parts.append(svg.line(plot.x(tokens), plot.top, plot.x(tokens), floor, "ink", 1.5, "3 3"))
    facts = [
        f"weights {format_quantity(weights / GB, 'GB', 3)} at {weight_bits} bits",
        f"cache {format_quantity(cache / GB, 'GB', 3)} for {format_quantity(tokens)} tokens, "
        f"{format_quantity(cache / tokens / batch / 1000, 'KB', 3)} a token and sequence",
        _verdict(total, memory_gb),
    ]
    parts.append(svg.text(24, 55, f"{facts[0]}; {facts[1]}", "muted"))
    parts.append(svg.text(24, 436, facts[2], "over_words" if "over" in facts[2] else "fit_words", bold=True))
    return svg.picture(title, ". ".join(facts) + ".", "".join(parts), 720, 456, shape.source)


def _verdict(total_bytes: int, memory_gb: float) -> str:
    words = f"together {format_quantity(total_bytes / GB, 'GB', 3)} of {format_quantity(memory_gb, 'GB')}"
    over = total_bytes / GB - memory_gb
    return f"{words}: over by {format_quantity(over, 'GB', 3)}" if over > 0 else f"{words}: fits"
