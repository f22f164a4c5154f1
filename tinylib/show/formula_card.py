"""One metric as a card that calculates: its formula, its symbols, and the value for numbers of your own."""

from typing import Any

from tinylib.show import svg
from tinylib.show.metrics import Metric, metrics
from tinylib.units import format_quantity, shown


def named(name: str) -> Metric:
    """The row of the cheat sheet with this name."""
    found = next((metric for metric in metrics() if metric.name == name), None)
    if found is None:
        raise ValueError(f"metric must be a row of the cheat sheet, got {shown(name)}")
    return found


def changed(metric: Metric, changes: str) -> dict[str, Any]:
    """The worked example with changes such as "tokens = 2048, bits = 8"; a whole number stays one.

    Symbols of other metrics alone are left aside.
    """
    symbols = metric.example
    for part in filter(None, (p.strip() for p in changes.split(","))):
        name, _, text = (piece.strip() for piece in part.partition("="))
        if name not in symbols:
            if any(name in other.symbols for other in metrics()):
                continue  # it stays for the next card
            raise ValueError(f"changes must name one of {', '.join(symbols)}, got {shown(name)}")
        try:
            value = float(text.replace("_", ""))
        except ValueError:
            raise ValueError(f'changes must read like "{name} = 8", got {shown(part)}') from None
        symbols[name] = int(value) if value.is_integer() and isinstance(symbols[name], int) else value
    return symbols


def formula_card(name: str, changes: str = "") -> str:
    """SVG of a metric for its worked example, or for changes such as "tokens = 2048, bits = 8" [text]."""
    metric = named(name)
    symbols = changed(metric, changes)
    value = format_quantity(metric.value(**symbols), metric.unit, digits=6)
    formula = metric.formula.replace("**", "^").replace(" * ", " · ").replace("//", "div")
    parts = [svg.text(24, 36, metric.name, size=18, bold=True), svg.text(24, 64, formula, "ink", 14)]
    spoken = []
    for i, (symbol, (what, _)) in enumerate(metric.symbols.items()):
        y, number = 96 + 24 * i, format_quantity(symbols[symbol], digits=6)
        role = "ink" if symbols[symbol] == metric.example[symbol] else "fit_words"
        parts += [svg.text(44, y, f"{symbol} = {number}", role, 14), svg.text(340, y, what, "muted", 14)]
        spoken.append(f"{symbol}, {what}: {number}")
    end = 96 + 24 * len(metric.symbols)
    parts.append(svg.text(24, end + 20, f"= {value}", "ink", 18, bold=True))
    parts.append(svg.text(24, end + 46, f"lesson {metric.lesson[:2]}, figure {metric.see}", "muted", 12))
    return svg.picture(
        metric.name, f"{formula} = {value}, with {'; '.join(spoken)}.", "".join(parts), 720, end + 64
    )
