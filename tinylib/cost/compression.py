"""What compression saves: bytes of sparse and quantized weights, search spaces, distillation terms.

    CSR        nnz (value + index) + (rows + 1) pointer      bytes; smaller than dense below v / (v + i)
    N:M        N values of M are kept, each with ceil(log2 M) position bits
    codebook   n ceil(log2 k) + k w                          bits: an index per weight, then the table
    latency    E = sum p_k l_k,  dE/d alpha_k = p_k (l_k - E)   for p = softmax(alpha)

Zeros cost nothing only where a format leaves them out: a dense tensor with half its weights at zero is
as large as before. Counts are exact integers; ratios, probabilities and losses are floats.
Source: Han et al., Deep Compression, arXiv 1510.00149, section 3 (codebook); Mishra et al., arXiv
2104.08378 (2:4); Cai et al., ProxylessNAS, arXiv 1812.00332, section 3.3 (latency).
"""

import math
from collections.abc import Sequence

from tinylib.cost.layers import count
from tinylib.cost.memory import bit_width
from tinylib.units import real, shown


def _positive(what: str, value: object) -> float:
    if (number := real(what, value)) <= 0:
        raise ValueError(f"{what} must be positive, got {shown(value)}")
    return number


def _share(what: str, value: object) -> float:
    if not 0 <= (number := real(what, value)) <= 1:
        raise ValueError(f"{what} must be a share, 0 to 1, got {shown(value)}")
    return number


def _probabilities(what: str, values: Sequence[float]) -> tuple[float, ...]:
    shares = tuple(_share(f"each of {what}", v) for v in values)
    if abs(math.fsum(shares) - 1) > 1e-6:
        raise ValueError(f"{what} must add up to 1, got {math.fsum(shares):g}")
    return shares


def _pairs(what: str, first: Sequence, second: Sequence) -> None:
    if len(first) != len(second):
        raise ValueError(f"{what} must have one entry per choice, got {len(first)} and {len(second)}")


# Pruning


def sparsity(weights: int, nonzero: int) -> float:
    """Share of zeros [0..1]: (weights - nonzero) / weights."""
    if count("nonzero", nonzero, 0) > count("weights", weights):
        raise ValueError(f"nonzero must not exceed the {weights:,} weights, got {shown(nonzero)}")
    return (weights - nonzero) / weights


def obd_saliency(weight: float, curvature: float) -> float:
    """Rise of the loss when one weight is zeroed [loss]: h w^2 / 2, curvature h on the diagonal.

    Source: LeCun et al., Optimal Brain Damage, NeurIPS 1989, section 2.
    """
    return real("curvature", curvature) * real("weight", weight) ** 2 / 2


def csr_bytes(
    nonzero: int, value_bytes: int = 4, index_bytes: int = 4, rows: int | None = None, pointer_bytes: int = 4
) -> int:
    """Compressed sparse rows [bytes]: values, column indices, and rows + 1 pointers if rows are given."""
    entries = count("nonzero", nonzero, 0) * (
        count("value_bytes", value_bytes) + count("index_bytes", index_bytes)
    )
    pointers = 0 if rows is None else (count("rows", rows) + 1) * count("pointer_bytes", pointer_bytes)
    return entries + pointers


def csr_breakeven_sparsity(value_bytes: int, index_bytes: int) -> float:
    """Sparsity above which CSR is smaller than dense [0..1], row pointers aside: i / (v + i)."""
    return count("index_bytes", index_bytes) / (count("value_bytes", value_bytes) + index_bytes)


def csr_breakeven_density(value_bytes: int, index_bytes: int) -> float:
    """Density below which CSR is smaller than dense [0..1], row pointers aside: v / (v + i)."""
    return count("value_bytes", value_bytes) / (value_bytes + count("index_bytes", index_bytes))


def nm_bytes(weights: int, kept: int = 2, group: int = 4, value_bits: int = 8) -> int:
    """N:M sparse weights [bytes]: `kept` values of each `group`, with a position each; 2:4 needs 2 bits.

    A last group that is not full is stored like a full one; bits are rounded up to bytes once.
    """
    if count("kept", kept) > count("group", group):
        raise ValueError(f"kept must not exceed the group of {group}, got {shown(kept)}")
    values = -(-count("weights", weights, 0) // group) * kept
    return -(-values * (bit_width(value_bits) + (group - 1).bit_length()) // 8)


def channel_pruned_share(kept_in: float, kept_out: float) -> float:
    """Share of convolution weights left [0..1]: kept_in x kept_out; the kernel stays as it is."""
    return _share("kept_in", kept_in) * _share("kept_out", kept_out)


# Quantized storage


def index_bits(entries: int) -> int:
    """Bits that name one of `entries` [bit]: ceil(log2 entries)."""
    return (count("entries", entries) - 1).bit_length()


def codebook_bytes(weights: int, entries: int, value_bits: int = 32) -> int:
    """Shared weights [bytes]: packed indices plus the table of centroids, rounded up once."""
    bits = count("weights", weights, 0) * index_bits(entries) + entries * bit_width(value_bits)
    return -(-bits // 8)


def codebook_ratio(weights: int | None, entries: int, value_bits: int = 32) -> float:
    """Plain size over codebook size [x]; weights=None leaves the table out, the limit of many weights."""
    if weights is None:
        if index_bits(entries) == 0:
            raise ValueError("entries must be at least 2: one centroid needs no index, got 1")
        return bit_width(value_bits) / index_bits(entries)
    bits = count("weights", weights) * index_bits(entries) + entries * bit_width(value_bits)
    return weights * value_bits / bits


def scale_count(out_channels: int, weights_per_channel: int, per: str = "tensor", group_size: int = 0) -> int:
    """Scales that a weight tensor stores [count]: one per "tensor", "channel" or "group" of a channel."""
    channels, inner = count("out_channels", out_channels), count("weights_per_channel", weights_per_channel)
    if per == "tensor":
        return 1
    if per == "channel":
        return channels
    if per == "group":
        return channels * -(-inner // count("group_size", group_size))
    raise ValueError(f"per must be tensor, channel or group, got {shown(per)}")


def scale_bytes(scales: int, scale_bits: int = 32, zero_point_bits: int = 0) -> int:
    """Scales and zero points [bytes]; symmetric weights need no zero point."""
    return -(
        -count("scales", scales) * (bit_width(scale_bits) + count("zero_point_bits", zero_point_bits, 0)) // 8
    )


# Search


def search_space(choices: Sequence[int]) -> int:
    """Architectures in a space of independent choices [count]: the product, exact."""
    return math.prod(count("each number of choices", c) for c in choices)


def search_space_log10(choices: Sequence[int]) -> float:
    """log10 of `search_space`, as a sum of logarithms [decades]."""
    return math.fsum(math.log10(count("each number of choices", c)) for c in choices)


def softmax(logits: Sequence[float], temperature: float = 1.0) -> tuple[float, ...]:
    """Probabilities exp(z_k / T) / sum exp(z_j / T) [0..1], safe for large logits.

    Source: Hinton et al., arXiv 1503.02531, eq. 1.
    """
    if not len(logits):
        raise ValueError("logits must not be empty: a choice needs options, got none")
    scaled = [real("each logit", z) / _positive("temperature", temperature) for z in logits]
    powers = [math.exp(z - max(scaled)) for z in scaled]
    return tuple(p / math.fsum(powers) for p in powers)


def expected_latency_ms(probabilities: Sequence[float], latencies_ms: Sequence[float]) -> float:
    """Latency of a mixed operation [ms]: sum of p_k l_k."""
    _pairs("probabilities and latencies_ms", probabilities, latencies_ms)
    shares = _probabilities("probabilities", probabilities)
    return math.fsum(p * real("each latency", t) for p, t in zip(shares, latencies_ms))


def latency_gradient_ms(probabilities: Sequence[float], latencies_ms: Sequence[float]) -> tuple[float, ...]:
    """dE/d alpha_k through the softmax [ms]: p_k (l_k - E); the entries add up to zero.

    Raising one logit lowers every other probability. The diagonal term p_k (1 - p_k) l_k alone is
    positive even for the fastest operation and would push it down.
    """
    mean = expected_latency_ms(probabilities, latencies_ms)
    return tuple(p * (t - mean) for p, t in zip(probabilities, latencies_ms))


def mnasnet_reward(accuracy: float, latency_ms: float, target_ms: float, exponent: float = -0.07) -> float:
    """Latency-aware reward [dimensionless]: ACC (LAT / T)^w; with w < 0 a faster network scores higher.

    Source: Tan et al., MnasNet, arXiv 1807.11626, eq. 2.
    """
    ratio = _positive("latency_ms", latency_ms) / _positive("target_ms", target_ms)
    return _share("accuracy", accuracy) * ratio ** real("exponent", exponent)


# Distillation


def kl(p: Sequence[float], q: Sequence[float]) -> float:
    """Divergence KL(p || q) [nat]: sum of p ln(p / q); the teacher p comes first, 0 ln 0 is 0."""
    _pairs("p and q", p, q)
    pairs = list(zip(_probabilities("p", p), _probabilities("q", q)))
    if any(a and not b for a, b in pairs):
        return math.inf
    return math.fsum(a * math.log(a / b) for a, b in pairs if a)


def distillation_loss(hard: float, soft: float, temperature: float, weight: float) -> float:
    """(1 - weight) hard + weight T^2 soft [nat]: cross-entropy on labels, KL on softened outputs.

    T^2 undoes the shrinking of the soft gradients; that factor is the limit of a high temperature and
    centred logits. Source: Hinton et al., arXiv 1503.02531, section 2.1.
    """
    share, scale = _share("weight", weight), _positive("temperature", temperature) ** 2
    return (1 - share) * real("hard", hard) + share * scale * real("soft", soft)
