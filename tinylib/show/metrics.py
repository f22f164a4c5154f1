"""Every metric of the book in one row each: a formula that runs, the function that it must equal, a lesson.

A formula is an expression of Python over the symbols of its row: `Metric.formula_value` evaluates the text
that the reader sees, `Metric.value` calls the library, and a test holds one against the other.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tinylib.cost import compression, energy, latency, llm, memory, roofline
from tinylib.cost.layers import Conv2D, Dense, DepthwiseConv2D, MaxPool2D, PointwiseConv2D
from tinylib.cost.models import sequential
from tinylib.cost.sequence import LSTM
from tinylib.formats import affine
from tinylib.formats.qformat import QFormat

NAMES = {"ceil": math.ceil, "floor": math.floor, "log2": math.log2, "min": min}


@dataclass(frozen=True)
class Metric:
    """One row. symbols: symbol -> (what it is, the value of the worked example); function(**symbols).

    lesson: the script that teaches it; see: the figure there that calculates it, by its name in `show`
    """

    name: str
    formula: str
    unit: str
    symbols: Mapping[str, tuple[str, Any]]
    function: Callable[..., float]
    lesson: str
    see: str

    @property
    def example(self) -> dict[str, Any]:
        """Symbol -> value of the worked example."""
        return {symbol: value for symbol, (_, value) in self.symbols.items()}

    def value(self, **symbols: Any) -> float:
        """The metric as the library computes it [unit]; the worked example where no numbers are given."""
        return self.function(**(symbols or self.example))

    def formula_value(self, **symbols: Any) -> float:
        """The metric as its printed formula gives it [unit]."""
        return eval(
            self.formula, {"__builtins__": {}}, {**NAMES, **(symbols or self.example)}
        )  # our own text


def _dense(n_in: int, n_out: int) -> int:
    return Dense(n_in, n_out).params


def _conv(k: int, c_in: int, c_out: int) -> int:
    return Conv2D(c_in, c_out, k).params


def _separable(k: int, c_in: int, c_out: int) -> int:
    return DepthwiseConv2D(c_in, k).params + PointwiseConv2D(c_in, c_out).params


def _conv_macs(k: int, c_in: int, c_out: int, h: int, w: int) -> int:
    return Conv2D(c_in, c_out, k, padding="same").macs((h, w, c_in))


def _lstm_macs(n: int, m: int, T: int) -> int:
    return LSTM(n, m).macs((T, n))


def _pool_pair(h: int, c: int, bits: int) -> int:
    return memory.peak_activation_bytes(sequential("pool", (h, h, c), [MaxPool2D(2)]), bits)


SIDE, CHANNELS = ("side of the kernel", 3), {"c_in": ("channels in", 32), "c_out": ("channels out", 64)}
BITS = ("bits of a number", 8)

GROUPS: dict[str, tuple[Metric, ...]] = {
    "Size": (
        Metric(
            "Parameters, dense",
            "n_in * n_out + n_out",
            "",
            {"n_in": ("inputs", 784), "n_out": ("outputs", 10)},
            _dense,
            "02_parameters",
            "diagram",
        ),
        Metric(
            "Parameters, convolution",
            "k * k * c_in * c_out + c_out",
            "",
            {"k": SIDE, **CHANNELS},
            _conv,
            "02_parameters",
            "convolution",
        ),
        Metric(
            "Parameters, separable",
            "(k * k + 1) * c_in + (c_in + 1) * c_out",
            "",
            {"k": SIDE, **CHANNELS},
            _separable,
            "03_macs",
            "convolution",
        ),
        Metric(
            "Weight bytes",
            "ceil(params * bits / 8)",
            "B",
            {"params": ("values", 3_504_872), "bits": BITS},
            memory.weight_bytes,
            "02_parameters",
            "model_size",
        ),
    ),
    "Work": (
        Metric(
            "MACs, convolution",
            "k * k * c_in * c_out * h * w",
            "MAC",
            {"k": SIDE, **CHANNELS, "h": ("rows out", 28), "w": ("columns out", 28)},
            _conv_macs,
            "03_macs",
            "cost_bars",
        ),
        Metric(
            "MACs, LSTM",
            "4 * m * (n + m) * T",
            "MAC",
            {"n": ("inputs", 3), "m": ("units", 16), "T": ("time steps", 128)},
            _lstm_macs,
            "15_cells",
            "diagram",
        ),
        Metric(
            "FLOPs, dense",
            "2 * n_in * n_out",
            "FLOP",
            {"n_in": ("inputs", 784), "n_out": ("outputs", 10)},
            lambda n_in, n_out: roofline.flops(Dense(n_in, n_out), (n_in,)),
            "03_macs",
            "cost_bars",
        ),
        Metric(
            "FLOPs, attention",
            "4 * tokens**2 * width",
            "FLOP",
            {"tokens": ("tokens", 1024), "width": ("width", 512)},
            llm.attention_flops,
            "19_llm",
            "kv_cache",
        ),
    ),
    "Memory while it runs": (
        Metric(
            "Peak of a 2x2 pool",
            "ceil((h * h + (h // 2)**2) * c * bits / 8)",
            "B",
            {"h": ("side in", 18), "c": ("channels", 8), "bits": ("bits of a number", 32)},
            _pool_pair,
            "04_activations",
            "arena",
        ),
        Metric(
            "KV cache",
            "ceil(2 * layers * kv_heads * head_dim * tokens * batch * bits / 8)",
            "B",
            {
                "layers": ("layers", 32),
                "kv_heads": ("key heads", 32),
                "head_dim": ("width of a head", 128),
                "tokens": ("tokens", 512),
                "batch": ("sequences", 1),
                "bits": ("bits of a number", 16),
            },
            llm.kv_cache_bytes,
            "19_llm",
            "kv_cache",
        ),
    ),
    "Time": (
        Metric(
            "Compute time",
            "macs / (clock_hz * macs_per_cycle)",
            "s",
            {
                "macs": ("work", 2_656_768),
                "clock_hz": ("clock", 80_000_000),
                "macs_per_cycle": ("MACs a cycle", 1),
            },
            latency.compute_time_s,
            "06_latency",
            "roofline",
        ),
        Metric(
            "Ridge",
            "peak_flops_per_s / bandwidth_bytes_per_s",
            "FLOP/B",
            {"peak_flops_per_s": ("peak", 312e12), "bandwidth_bytes_per_s": ("bandwidth", 2e12)},
            roofline.ridge_point,
            "06_latency",
            "roofline",
        ),
        Metric(
            "Intensity, dense",
            "2 * B * n * m / (b * (n * m + B * (n + m)))",
            "FLOP/B",
            {"B": ("batch", 256), "n": ("inputs", 4096), "m": ("outputs", 4096), "b": ("bytes a value", 2)},
            lambda B, n, m, b: latency.dense_intensity(B, b, n, m),
            "06_latency",
            "roofline",
        ),
        Metric(
            "Time per token",
            "ceil(params * bits / 8) / bandwidth_bytes_per_s",
            "s",
            {
                "params": ("values", 7_000_000_000),
                "bits": ("bits of a number", 4),
                "bandwidth_bytes_per_s": ("bandwidth", 50e9),
            },
            latency.token_time_s,
            "19_llm",
            "kv_cache",
        ),
    ),
    "Energy": (
        Metric(
            "Accesses",
            "times * each_pj / 10**6",
            "uJ",
            {"times": ("accesses", 9408), "each_pj": ("pJ each", 640)},
            energy.spent_uj,
            "05_energy",
            "energy_ladder",
        ),
        Metric(
            "Mean power",
            "energy_j / every_s + sleep_w",
            "W",
            {
                "energy_j": ("energy of a run", 0.00084),
                "every_s": ("seconds between", 10),
                "sleep_w": ("power asleep", 6e-6),
            },
            energy.average_power_w,
            "05_energy",
            "battery",
        ),
        Metric(
            "Battery",
            "3.6 * mah * v",
            "J",
            {"mah": ("charge in mAh", 225), "v": ("volts", 3)},
            lambda mah, v: energy.battery_j(mah, v),
            "05_energy",
            "battery",
        ),
    ),
    "Number formats": (
        Metric(
            "Largest of Qm.n",
            "2**(m - 1) - 2**-n",
            "",
            {"m": ("integer bits with sign", 8), "n": ("fraction bits", 8)},
            lambda m, n: QFormat(m, n).max_value,
            "07_fixed_point",
            "word",
        ),
        Metric(
            "Scale",
            "(hi - lo) / (2**bits - 1)",
            "",
            {"lo": ("lowest", -2.0), "hi": ("highest", 6.0), "bits": BITS},
            affine.asymmetric_scale,
            "08_quantization",
            "code_grid",
        ),
    ),
    "Smaller networks": (
        Metric(
            "Sparsity",
            "(weights - nonzero) / weights",
            "",
            {"weights": ("weights", 1_000_000), "nonzero": ("left", 100_000)},
            compression.sparsity,
            "10_pruning",
            "weight_histogram",
        ),
        Metric(
            "Saliency (OBD)",
            "curvature * weight**2 / 2",
            "",
            {"weight": ("weight", 0.5), "curvature": ("curvature", 2.0)},
            compression.obd_saliency,
            "10_pruning",
            "weight_histogram",
        ),
        Metric(
            "Sparse rows (CSR)",
            "nonzero * (value_bytes + index_bytes)",
            "B",
            {
                "nonzero": ("left", 100_000),
                "value_bytes": ("bytes a value", 4),
                "index_bytes": ("bytes an index", 4),
            },
            compression.csr_bytes,
            "10_pruning",
            "accuracy_and_storage",
        ),
        Metric(
            "Codebook",
            "ceil((weights * ceil(log2(entries)) + entries * value_bits) / 8)",
            "B",
            {
                "weights": ("weights", 100_000),
                "entries": ("centroids", 16),
                "value_bits": ("bits of one", 32),
            },
            compression.codebook_bytes,
            "09_advanced_quantization",
            "codebook",
        ),
        Metric(
            "Reward (MnasNet)",
            "accuracy * (latency_ms / target_ms)**exponent",
            "",
            {
                "accuracy": ("accuracy", 0.75),
                "latency_ms": ("latency", 60),
                "target_ms": ("target", 80),
                "exponent": ("exponent", -0.07),
            },
            compression.mnasnet_reward,
            "12_search",
            "pareto",
        ),
        Metric(
            "Loss (distillation)",
            "(1 - weight) * hard + weight * temperature**2 * soft",
            "nat",
            {
                "hard": ("on labels", 0.5),
                "soft": ("on the teacher", 0.1),
                "temperature": ("temperature", 4),
                "weight": ("weight", 0.7),
            },
            compression.distillation_loss,
            "11_distillation",
            "loss_bars",
        ),
        Metric(
            "Adapter (LoRA)",
            "rank * (d_in + d_out)",
            "",
            {"d_in": ("inputs", 4096), "d_out": ("outputs", 4096), "rank": ("rank", 8)},
            llm.lora_params,
            "19_llm",
            "memory_stack",
        ),
    ),
}


def metrics() -> tuple[Metric, ...]:
    """All rows, group after group."""
    return tuple(metric for group in GROUPS.values() for metric in group)
