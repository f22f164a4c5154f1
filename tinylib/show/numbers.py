"""How a number is written at a glance, beside the exact `format_quantity` and `format_bytes` of `units`."""

from tinylib.units import KIB, format_bytes, format_quantity

_PREFIXES = ((1e15, " P"), (1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"), (0, ""))


def short(value: float, digits: int = 3) -> str:
    """A count at a glance: 118013952 -> '118 M' [text]; below 1,000 there is no prefix."""
    factor, prefix = next(p for p in _PREFIXES if abs(value) >= p[0] * 0.9995)
    return f"{format_quantity(value / (factor or 1), '', digits)}{prefix}"


def kib(size_bytes: int) -> str:
    """A size in KiB however large, so that sizes side by side compare: 25690112 -> '25,088 KiB' [text]."""
    if size_bytes < KIB:
        return format_bytes(size_bytes)
    exact = size_bytes >= 1000 * KIB or size_bytes % KIB == 0
    return format_quantity(round(size_bytes / KIB) if exact else size_bytes / KIB, "KiB")


def percent(part: float, whole: float) -> str:
    """A share: '42.2 %' [text]; beyond ten times the whole a multiple, '78.4 ×'."""
    share = part / whole
    if share >= 10:
        return f"{short(share)} ×"
    return "< 0.1 %" if 0 < share < 0.001 else f"{format_quantity(float(f'{100 * share:.1f}'))} %"


def dimensions(shape: tuple[int, ...]) -> str:
    """A shape as people write it: (48, 48, 16) -> '48 × 48 × 16' [text]."""
    return " × ".join(map(format_quantity, shape))
