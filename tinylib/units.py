"""Units and quantities: reading "13.6 MB", changing MB into MiB, printing 118,013,952 MAC.

KB, MB, GB are powers of 1000 and KiB, MiB, GiB powers of 1024. MAC and FLOP are two dimensions: one
multiply-accumulate is two floating-point operations, and nothing here changes one into the other.
Source: IEC 80000-13 for the binary prefixes.
"""

import math
import operator
import re
from dataclasses import dataclass

KB, MB, GB = 1000, 1000**2, 1000**3
KIB, MIB, GIB = 1024, 1024**2, 1024**3

_DECIMAL = {"": 1, "K": KB, "M": MB, "G": GB, "T": 1000**4}
_BINARY = {"Ki": KIB, "Mi": MIB, "Gi": GIB}


def _table() -> dict[str, tuple[str, int]]:
    """Unit -> (dimension, exact factor to the smallest unit of that dimension)."""
    table = {"": ("ratio", 100), "x": ("ratio", 100), "%": ("ratio", 1)}
    for per, what in ("", "data"), ("/s", "data rate"):
        table |= {f"{p}B{per}": (what, 8 * f) for p, f in (_DECIMAL | _BINARY).items()}
        table |= {f"{p}bit{per}": (what, f) for p, f in {"": 1, "k": KB, "M": MB, "G": GB}.items()}
    for per, what in ("", "MAC"), ("/s", "MAC rate"):
        table |= {f"{p}MAC{per}": (what, f) for p, f in _DECIMAL.items()}
    for per, what in ("", "FLOP"), ("/s", "FLOP rate"):
        table |= {f"{p.replace('K', 'k')}FLOP{per}": (what, f) for p, f in _DECIMAL.items()}
    small = {"p": 1, "n": 1000, "µ": 1000**2, "m": 1000**3, "": 1000**4, "k": 1000**5, "M": 1000**6}
    table |= {f"{p}J": ("energy", f) for p, f in small.items()}
    table |= {f"{p}W": ("power", f) for p, f in small.items()}
    table |= {f"{p}s": ("time", small[p]) for p in ("p", "n", "µ", "m", "")}
    table |= {u: ("time", f * small[""]) for u, f in {"min": 60, "h": 3600, "d": 86400}.items()}
    table |= {u: ("frequency", f) for u, f in {"Hz": 1, "kHz": KB, "MHz": MB, "GHz": GB, "1/s": 1}.items()}
    own = (
        "FLOP/B MAC/B parameters weights values cycles frames samples steps words codes tokens requests uses"
    )
    own += " channels products batch px nat dB EUR USD"
    return table | {u: (u, 1) for u in own.split()}


_UNITS = _table()


def _aliases() -> dict[str, str]:
    """Other spellings of a unit. Where case decides (MB and Mb, GFLOPs and GFLOPS) it is kept."""
    alias = {"1": "", "log10": "", "loss": "", "ratio": "", "times": "x", "×": "x", "percent": "%"}
    alias |= {"byte": "B", "bytes": "B", "bits": "bit", "sec": "s", "seconds": "s", "days": "d"}
    alias |= {"kB": "KB", "kB/s": "KB/s", "Kbit": "kbit", "kb": "kbit", "Mb": "Mbit", "Gb": "Gbit"}
    alias |= {f"{flop}/{byte}": "FLOP/B" for flop in ("FLOP", "FLOPs") for byte in ("B", "byte")}
    alias |= {f"{mac}/{byte}": "MAC/B" for mac in ("MAC", "MACs") for byte in ("B", "byte")}
    alias |= {"requests/s": "1/s", "per second": "1/s"}
    alias |= {"params": "parameters", "parameter": "parameters", "code": "codes", "pixels": "px", "€": "EUR"}
    for unit, (dimension, _) in _UNITS.items():
        if dimension in ("MAC", "FLOP"):
            alias |= {unit + "s": unit, unit.lower(): unit, unit.upper(): unit}
            alias |= {"k" + unit[1:] if unit[:1] == "K" else unit: unit}
        if dimension == "FLOP":  # GFLOPS is a rate, GFLOPs a count: only the case of the S tells
            alias[unit[:-1] + "PS"] = alias[unit.upper() + "S"] = unit + "/s"
        if "iB" in unit:
            alias |= {unit.lower(): unit, unit.upper(): unit}
        if unit[:1] == "µ":  # also typed as u, and as the Greek letter
            alias |= {"u" + unit[1:]: unit, "\u03bc" + unit[1:]: unit}
    return {spelling: unit for spelling, unit in alias.items() if spelling not in _UNITS}


_ALIASES = _aliases()
UNITS = tuple(_UNITS)


def shown(value: object, limit: int = 60) -> str:
    """The value as an error message prints it: one line of at most `limit` characters."""
    if isinstance(value, int) and value.bit_length() > 80:
        return f"an integer of about {int(value.bit_length() * math.log10(2)) + 1:,} digits"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a repr may fail in any way, and the message must still appear
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 3] + "..."


def real(what: str, value: object) -> int | float:
    """`value` as a finite int or float; numpy scalars become Python numbers. Raises one sentence."""
    if not isinstance(value, (str, bytes, bytearray)) and type(value).__name__ not in ("bool", "bool_"):
        try:
            return operator.index(value)
        except TypeError:
            pass
        if isinstance(value, float) or getattr(value, "shape", None) == ():
            try:
                number = float(value)
            except (TypeError, ValueError):
                number = math.nan
            if math.isfinite(number):
                return number
            raise ValueError(f"{what} must be a finite number, got {shown(value)}")
    raise TypeError(f"{what} must be a number, got {shown(value)}")


def canonical(unit: str) -> str:
    """The one spelling of a unit: "bytes" -> "B", "us" -> "µs", "KiB (1024 B)" -> "KiB"."""
    if isinstance(unit, str):
        name = re.sub(r"\s*\([^()]*\)$", "", unit.strip()[:80])
        name = _ALIASES.get(name, name)
        if name in _UNITS:
            return name
        unit = unit.strip()
    hint = ": MB is megabytes, Mbit megabits" if unit in ("mb", "gb") else ""
    raise ValueError(f"unit must be one this library knows{hint}, got {shown(unit)}")


def dimension(unit: str) -> str:
    """What the unit measures, as a word: "data", "MAC", "time", ..."""
    return _UNITS[canonical(unit)][0]


def same_dimension(a: str, b: str) -> bool:
    """True when a value in unit a can be given in unit b."""
    return dimension(a) == dimension(b)


def twins(a: str, b: str) -> bool:
    """True for the decimal and the binary unit of one size: MB and MiB, in either order."""
    a, b = canonical(a), canonical(b)
    return a != b and dimension(a) == dimension(b) and a.replace("i", "") == b.replace("i", "")


@dataclass(frozen=True)
class Quantity:
    """A finite number and its unit; the unit is stored in its one spelling."""

    value: int | float
    unit: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", real("value", self.value))
        object.__setattr__(self, "unit", canonical(self.unit))

    def to(self, unit: str) -> "Quantity":
        """The same quantity in another unit of its dimension; an int stays an int where it divides."""
        unit = canonical(unit)
        (have, up), (want, down) = _UNITS[self.unit], _UNITS[unit]
        if have != want:
            raise ValueError(f"{self} cannot be given in {unit!r}: {have} is not {want}, got {self.unit!r}")
        common = math.gcd(up, down)
        up, down = up // common, down // common
        if isinstance(self.value, int) and self.value * up % down == 0:
            return Quantity(self.value * up // down, unit)
        try:
            return Quantity(self.value * up / down, unit)
        except OverflowError:
            raise ValueError(f"value must fit a float in {unit!r}, got {shown(self.value)}") from None

    def __str__(self) -> str:
        return format_quantity(self.value, self.unit)


_NUMBER = re.compile(
    r"([+-]?)"
    r"((?:[0-9]{1,3}(?:([,_ \u2009\u202f\u00a0])[0-9]{3}(?:\3[0-9]{3})*)|[0-9]+)?)"  # 118,013,952
    r"(\.[0-9]*)?([eE][+-]?[0-9]{1,4})?(?![0-9.,_])"
)


_TO_WORK_OUT = re.compile(r"[+-]?[0-9][0-9.,]*\s*[-+*/^:]+\s*[0-9]")
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]{1,2}(?![0-9,.])")


def parse(text: str, what: str = "quantity") -> Quantity:
    """The quantity a text names: "13.6 MB", "118,013,952 MAC", "1.2e6", "80 %", "-3 dB".

    Groups of three digits may be parted by commas, underscores or (thin) spaces; the point is the
    decimal sign, so "13,6 MB" is refused instead of being read as 136. No unit means unit "".
    what: names the text in the one sentence of a ValueError
    """
    if not isinstance(text, str):
        raise TypeError(f"{what} must be text such as '13.6 MB', got {shown(text)}")
    clean = text.strip().replace("\u2212", "-")
    if _TO_WORK_OUT.match(clean):
        raise ValueError(f"{what} must be worked out, as in '0.5' for '1/2', got {shown(text)}")
    if _COMMA.match(clean):
        raise ValueError(f"{what} must have a point as decimal sign, as in '0.5', got {shown(text)}")
    found = _NUMBER.match(clean) if len(clean) <= 100 else None
    if not found or not re.search("[0-9]", (found[2] or "") + (found[4] or "")):
        raise ValueError(f"{what} must be a number and perhaps a unit, such as '13.6 MB', got {shown(text)}")
    sign, digits, separator, fraction, exponent = found.groups()
    digits = sign + (digits.replace(separator, "") if separator else digits)
    if fraction is None and exponent is None:
        value: int | float = int(digits)
    else:
        value = float(digits + (fraction or "") + (exponent or ""))
    try:
        return Quantity(value, clean[found.end() :])
    except ValueError as error:
        raise ValueError(f"{error} in {shown(text)}") from None


def format_quantity(value: int | float, unit: str = "", digits: int = 4) -> str:
    """Text for a reader: "118,013,952 MAC", "13.6 MB". Ints stay exact, floats get `digits` figures."""
    value, unit = real("value", value), canonical(unit)
    if not isinstance(digits, int) or isinstance(digits, bool) or not 1 <= digits <= 17:
        raise ValueError(f"digits must be 1 to 17: a float holds no more, got {shown(digits)}")
    if isinstance(value, int):
        number = f"{value:,}" if value.bit_length() <= 1000 else shown(value)
    elif value and not 1e-4 <= abs(value) < 1e15:
        number = f"{value:.{digits - 1}e}"
    else:
        rounded = float(f"{value:.{digits - 1}e}")
        places = max(0, digits - 1 - math.floor(math.log10(abs(rounded)))) if rounded else 0
        number = f"{rounded:,.{places}f}"
        number = number.rstrip("0").rstrip(".") if "." in number else number
    return f"{number} {unit}".rstrip()


def format_bytes(n: int | float, binary: bool = True) -> str:
    """A byte count in the largest unit that leaves at least 1: "256 KiB", or "262.1 KB" in decimal."""
    n = real("bytes", n)
    for unit in ("GiB", "MiB", "KiB") if binary else ("GB", "MB", "KB"):
        if abs(n) * 8 >= _UNITS[unit][1]:
            return str(Quantity(n, "B").to(unit))
    return format_quantity(n, "B")
