"""What each row of the cheat sheet must equal: functions of `cost` and `formats`.

Each takes the symbols of its row in their order.
"""

from collections.abc import Callable

from tinylib.cost import compression, energy, latency, llm, memory, planning, roofline, sequence
from tinylib.cost.layers import Conv2D, Dense, DepthwiseConv2D, MaxPool2D, PointwiseConv2D
from tinylib.cost.models import sequential
from tinylib.formats import affine, bits, lut, qformat


def _conv(k: int, c_in: int, c_out: int) -> Conv2D:
    return Conv2D(c_in, c_out, k, padding="same")


def _depthwise(k: int, c: int, stride: int = 1) -> DepthwiseConv2D:
    return DepthwiseConv2D(c, k, stride, padding="same")


def _separable_params(k: int, c_in: int, c_out: int) -> int:
    return _depthwise(k, c_in).params + PointwiseConv2D(c_in, c_out).params


def _separable_macs(k: int, c_in: int, c_out: int, h: int, w: int) -> int:
    shape, point = (h, w, c_in), PointwiseConv2D(c_in, c_out)
    return _depthwise(k, c_in).macs(shape) + point.macs(shape)


def _feed_forward(blocks: int, d: int, f: int) -> int:
    return blocks * (Dense(d, f).params + Dense(f, d).params)


def _pair(shape: tuple[int, ...], layer: Conv2D | MaxPool2D, width: int) -> int:
    return memory.peak_activation_bytes(sequential("layer", shape, [layer]), width)


def _first_latency(batch: int, rate: float, time_s: float) -> float:
    return latency.fill_time_s(batch, rate) + time_s


def _latency_gradient(p: float, own_ms: float, mean_ms: float) -> float:
    rest_ms = (mean_ms - p * own_ms) / (1 - p)  # one operation stands for all the others
    return compression.latency_gradient_ms((p, 1 - p), (own_ms, rest_ms))[0]


def _rows(r: int, s: int, k: int, w: int, c: int) -> int:
    return planning.row_tile_elements(_depthwise(k, c, s), ((r - 1) * s + k, w, c), r)


def _im2col(h: int, w: int, k: int, c: int) -> int:
    return planning.im2col_elements(_conv(k, c, 1), (h, w, c))


FUNCTIONS: dict[str, Callable[..., float]] = {
    "dense_params": lambda n, m: Dense(n, m).params,
    "conv_params": lambda k, c_in, c_out: _conv(k, c_in, c_out).params,
    "separable_params": _separable_params,
    "feed_forward_params": _feed_forward,
    "lstm_params": lambda n, m: sequence.LSTM(n, m).params,
    "gru_params": lambda n, m: sequence.GRU(n, m).params,
    "kan_params": lambda n, m, grid, degree: sequence.KAN(n, m, grid, degree).params,
    "ltc_params": lambda n, m: sequence.LTC(n, m).params,
    "cfc_params": lambda n, m, b: sequence.CfC(n, m, b).params,
    "weight_bytes": memory.weight_bytes,
    "packed_bytes": bits.layer_bytes,
    "dense_macs": lambda n, m: Dense(n, m).macs((n,)),
    "dense_flops": lambda n, m: roofline.flops(Dense(n, m), (n,)),
    "conv_macs": lambda k, c_in, c_out, h, w: _conv(k, c_in, c_out).macs((h, w, c_in)),
    "separable_macs": _separable_macs,
    "lstm_macs": lambda n, m, steps: sequence.LSTM(n, m).macs((steps, n)),
    "attention_flops": lambda tokens, width: llm.attention_flops(tokens, width, projections=True),
    "xnor_dot": bits.dot_of_matches,
    "conv_pair_bytes": lambda h, w, c_in, c_out, b: _pair((h, w, c_in), _conv(3, c_in, c_out), b),
    "pool_pair_bytes": lambda h, c, b: _pair((h, h, c), MaxPool2D(2), b),
    "inplace_elements": lambda h, w, c: planning.inplace_depthwise_elements(_depthwise(3, c), (h, w, c)),
    "row_elements": _rows,
    "im2col_elements": _im2col,
    "patch_side": lambda side, layers, k: planning.needed_side([_conv(k, 1, 1)] * layers, side),
    "kv_cache_bytes": llm.kv_cache_bytes,
    "adam_bytes": lambda params, b: llm.TrainingState(b, b, 2, master_bits=32).bytes(params),
    "compute_time_s": latency.compute_time_s,
    "ridge_point": roofline.ridge_point,
    "attainable": roofline.attainable_flops_per_s,
    "dense_intensity": latency.dense_intensity,
    "throughput": latency.throughput_per_s,
    "first_latency_s": _first_latency,
    "token_time_s": latency.token_time_s,
    "tokens_per_s": llm.decode_tokens_per_s,
    "spent_uj": energy.spent_uj,
    "run_j": energy.energy_per_inference_j,
    "average_power_w": energy.average_power_w,
    "battery_j": energy.battery_j,
    "battery_days": energy.battery_days,
    "q_step": lambda n: qformat.QFormat(8, n).step,
    "q_max": lambda m, n: qformat.QFormat(m, n).max_value,
    "safe_products": qformat.safe_products,
    "table_bytes": lut.table_bytes,
    "asymmetric_scale": affine.asymmetric_scale,
    "zero_point": lambda lo, hi, b: affine.asymmetric(lo, hi, b).zero_point,
    "symmetric_scale": affine.symmetric_scale,
    "sqnr_db": affine.ideal_sqnr_db,
    "group_bits": affine.group_bits,
    "codebook_bytes": compression.codebook_bytes,
    "sparsity": compression.sparsity,
    "obd_saliency": compression.obd_saliency,
    "csr_bytes": compression.csr_bytes,
    "csr_breakeven": compression.csr_breakeven_sparsity,
    "two_of_four_bytes": lambda weights, b: compression.nm_bytes(weights, 2, 4, b),
    "channel_share": compression.channel_pruned_share,
    "kl": lambda p, q: compression.kl((p, 1 - p), (q, 1 - q)),
    "distillation_loss": compression.distillation_loss,
    "space_log10": lambda edges, operations: compression.search_space_log10([operations] * edges),
    "latency_gradient_ms": _latency_gradient,
    "mnasnet_reward": compression.mnasnet_reward,
    "lora_params": llm.lora_params,
    "qlora_bytes": llm.qlora_bytes,
}
