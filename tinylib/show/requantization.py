"""Requantization as a picture: from a 32-bit accumulator to an INT8 code, one integer operation a line."""

from tinylib.formats import affine
from tinylib.show import svg
from tinylib.units import format_quantity


def requantize_steps(
    acc: int = 5200,
    input_scale: float = 0.02,
    weight_scale: float = 0.005,
    output_scale: float = 0.05,
    zero_point: int = -3,
    rounding: str = "single",
    step: int = 5,
) -> str:
    """SVG of an accumulator on its way to an INT8 code, one integer operation a line up to `step` [text].

    rounding: "single" rounds once; "double" rounds the high half of the product, then the shift.
    """
    raw, shift = affine.multiplier(input_scale, weight_scale, output_scale)
    exact = acc * input_scale * weight_scale / output_scale + zero_point
    lines = _requantize_lines(acc, raw, shift, zero_point, rounding)
    step = min(max(step, 0), len(lines) - 1)
    final = affine.clamp(affine.requantize(acc, raw, shift, zero_point, rounding), *affine.code_range())
    other = "double" if rounding == "single" else "single"
    twin = affine.clamp(affine.requantize(acc, raw, shift, zero_point, other), *affine.code_range())
    parts = [svg.text(24, 34, f"Requantization, {rounding} rounding", size=18, bold=True)]
    multiplier = f"M = S_i S_w / S_o = {format_quantity(input_scale * weight_scale / output_scale, digits=6)}"
    parts.append(svg.text(24, 57, f"{multiplier} = {raw:,} x 2^-31 x 2^{-shift}", "muted"))
    for i, (words, value) in enumerate(lines):
        y, seen = 76 + 50 * i, i <= step
        parts.append(svg.rect(24, y, 672, 42, "panel", radius=4))
        parts.append(svg.rect(24, y, 5, 42, "weights" if seen else "grid"))
        parts.append(svg.text(42, y + 26, words, "ink" if seen else "muted", 14, bold=i == step))
        shown_value = f"{value:,}" if seen else "..."
        parts.append(svg.text(680, y + 26, shown_value, "ink" if seen else "muted", 14, "end", i == step))
    foot = 76 + 50 * len(lines) + 18
    facts = [f"in real arithmetic: {format_quantity(exact, digits=6)}; these integers give {final}"]
    same = "the same code" if twin == final else f"{twin}, another code"
    facts.append(f"{other} rounding gives {same}")
    for i, fact in enumerate(facts):
        role = "over_words" if i and twin != final else "ink"
        parts.append(svg.text(24, foot + 24 * i, fact, role, 14, bold=bool(i)))
    done = "; ".join(f"{words}: {value:,}" for words, value in lines[: step + 1])
    spoken = f"{multiplier}. {done}. {facts[0]}. {facts[1]}."
    return svg.picture(f"Requantization, {rounding} rounding", spoken, "".join(parts), 720, foot + 38)


def _requantize_lines(
    acc: int, raw: int, shift: int, zero_point: int, rounding: str
) -> list[tuple[str, int]]:
    """(operation, integer after it) of each step; the last ones repeat what `affine.requantize` returns."""
    lines = [("accumulator, INT32", acc)]
    if rounding == "single":
        total, product = 31 + shift, acc * raw
        lines.append(("x raw multiplier, INT64", product))
        lines.append((f"+ half of 2^{total}", product + (1 << (total - 1))))
        lines.append((f">> {total} (floor)", affine.requantize(acc, raw, shift)))
    else:
        right, left = max(shift, 0), max(-shift, 0)
        product = (acc << left) * raw
        lines.append(("x raw multiplier, INT64" + (f" (after << {left})" if left else ""), product))
        lines.append(("+ 2^30, >> 31: the high half, rounded", (product + (1 << 30)) >> 31))
        lines.append((f">> {right}, ties away from zero", affine.requantize(acc, raw, shift, 0, "double")))
    moved = lines[-1][1] + zero_point
    lines.append((f"+ Z_o = {zero_point}", moved))
    return [*lines, ("clamp to -128..127", affine.clamp(moved, *affine.code_range()))]
