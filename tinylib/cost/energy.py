"""Energy: what an operation, an access, a layer and a year on a battery cost.

    E_layer = MACs x E_mac + reads x E_read,   reads = words (cached) or MACs (fetched at every use)
    P = E / every + P_sleep,   days = capacity [mAh] x 3.6 x voltage / P / 86400

The figures are rows of `data/energy.toml` for 45 nm at 0.9 V. They rank operations well; the joules of
a newer process are lower. An in-order core also pays about 70 pJ to fetch and decode each instruction.
Source: Horowitz, ISSCC 2014 (table `horowitz`); Han et al., NeurIPS 2015, table 1 (table `han`).
"""

from dataclasses import dataclass
from pathlib import Path

from tinylib.cost.layers import Layer, amount, count
from tinylib.cost.memory import bit_width
from tinylib.units import shown

TABLES = ("horowitz", "han", "as_printed")
LADDER = (("han", "register"), ("horowitz", "sram_8kb"), ("horowitz", "sram_32kb"), ("horowitz", "sram_1mb"))
LADDER += (("han", "dram"),)
FORMATS = {  # format -> multiplier, accumulator, bits of a value
    "fp32": ("float32", "float32", 32),
    "fp16": ("float16", "float16", 16),
    "int8": ("int8", "int32", 8),
    "int32": ("int32", "int32", 32),
}
WORD_BITS = 32  # the accesses of the ladder move one word


@dataclass(frozen=True)
class Energy:
    """One row: an operation or access of `bits` costs `pj` [pJ]; `source` names the table it is from."""

    id: str
    name: str
    bits: int
    pj: float
    source: str
    note: str = ""


_tables: dict[str, dict[str, Energy]] = {}


def table(name: str) -> dict[str, Energy]:
    """Rows of one table, id -> Energy: "horowitz", "han", or the lecture's ladder "as_printed"."""
    if name not in TABLES:
        raise ValueError(f"table must be one of {', '.join(TABLES)}, got {shown(name)}")
    if not _tables:
        import tomllib

        text = (Path(__file__).parent / "data" / "energy.toml").read_text(encoding="utf-8")
        for key, rows in tomllib.loads(text).items():
            _tables[key] = {row["id"]: Energy(**row) for row in rows}
    return dict(_tables[name])


def pj(id: str) -> float:
    """Published energy of one operation or access [pJ]; where both tables hold it, they agree."""
    rows = table("han") | table("horowitz")
    if not isinstance(id, str) or id not in rows:
        raise ValueError(f"operation must be one of {', '.join(rows)}, got {shown(id)}")
    return rows[id].pj


def ladder() -> tuple[Energy, ...]:
    """The memories from near to far, one 32-bit word each: register, three SRAM sizes, DRAM."""
    return tuple(table(name)[id] for name, id in LADDER)


def ladder_as_printed() -> tuple[Energy, ...]:
    """The ladder of the lecture as printed, with a `note` where it departs from the published tables."""
    return tuple(table("as_printed").values())


def mac_pj(format: str = "fp32", accumulator: str | None = None) -> float:
    """Energy of one multiply-accumulate [pJ]: a multiply and an add in the accumulator's format.

    format: fp32, fp16, int8 or int32. accumulator: float16, float32, int8, int16 or int32; when None it
    is the format itself, and int32 for int8, because 8 bits overflow after a few products.
    """
    multiplier, adder, _ = _format(format)
    adder = adder if accumulator is None else accumulator
    adders = [id.removesuffix("_add") for id in table("horowitz") if id.endswith("_add")]
    if adder not in adders:
        raise ValueError(f"accumulator must be one of {', '.join(adders)}, got {shown(accumulator)}")
    return round(pj(f"{multiplier}_mult") + pj(f"{adder}_add"), 6)  # the tables have two decimals


def _format(format: str) -> tuple[str, str, int]:
    if not isinstance(format, str) or format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {shown(format)}")
    return FORMATS[format]


def spent_uj(times: int, each_pj: float) -> float:
    """Energy of `times` operations or accesses [µJ]; 1 µJ is 10^6 pJ."""
    return count("times", times, 0) * amount("each_pj", each_pj, zero=True) / 1e6


@dataclass(frozen=True)
class LayerEnergy:
    """What one inference of a layer costs [pJ], activations and control left out."""

    compute_pj: float
    weights_pj: float

    @property
    def total_pj(self) -> float:
        """Arithmetic and weight reads together [pJ]."""
        return self.compute_pj + self.weights_pj

    @property
    def parts_uj(self) -> dict[str, float]:
        """Arithmetic and weight reads by name, each [µJ]."""
        return {"arithmetic": self.compute_pj / 1e6, "reading weights": self.weights_pj / 1e6}


def weight_reads(layer: Layer, *in_shapes: tuple[int, ...], bits: int = 32, cached: bool = True) -> int:
    """Word accesses for the weights of one inference [accesses].

    cached: every 32-bit word is read once and holds 32 // bits weights. Not cached: each MAC fetches its
    weight anew, one access a time however narrow the weight is.
    """
    if not isinstance(layer, Layer):
        raise TypeError(f"layer must be one of tinylib.cost.layers, got {shown(layer)}")
    macs = layer.macs(*in_shapes)
    if not cached:
        return macs
    per_word = WORD_BITS // bit_width(bits)
    if not per_word:
        raise ValueError(f"bits must be 32 or less: an access moves one 32-bit word, got {shown(bits)}")
    return -(-layer.weights // per_word)


def layer_energy(
    layer: Layer,
    *in_shapes: tuple[int, ...],
    format: str = "fp32",
    memory: str = "dram",
    cached: bool = True,
) -> LayerEnergy:
    """Arithmetic and weight reads of one inference, each [pJ]; weights lie in `memory`, an id of `pj`."""
    reads = weight_reads(layer, *in_shapes, bits=_format(format)[2], cached=cached)
    return LayerEnergy(layer.macs(*in_shapes) * mac_pj(format), reads * pj(memory))


def energy_per_inference_j(power_w: float, time_s: float) -> float:
    """Energy of one run [J]: mean power over its duration."""
    return amount("power_w", power_w, zero=True) * amount("time_s", time_s, zero=True)


def average_power_w(energy_j: float, every_s: float, sleep_w: float = 0.0) -> float:
    """Mean power of a device that spends energy_j once in every_s and never draws less than sleep_w [W]."""
    spent = amount("energy_j", energy_j, zero=True) / amount("every_s", every_s)
    return spent + amount("sleep_w", sleep_w, zero=True)


def battery_j(capacity_mah: float, voltage_v: float) -> float:
    """Energy in a battery [J]: 1 mAh at 1 V is 3.6 J; ageing and cut-off voltage are left out."""
    return amount("capacity_mah", capacity_mah) * 3.6 * amount("voltage_v", voltage_v)


def battery_days(
    capacity_mah: float, voltage_v: float, energy_j: float, every_s: float, sleep_w: float = 0.0
) -> float:
    """Days until the battery is empty [d]: one inference of energy_j in every_s above a sleep floor."""
    power = average_power_w(energy_j, every_s, sleep_w)
    if power == 0:
        raise ValueError(f"energy_j and sleep_w must not both be zero: nothing would drain it, got {power}")
    return battery_j(capacity_mah, voltage_v) / power / 86400
