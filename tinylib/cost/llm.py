"""What a language model costs: parameters, attention work, KV cache, adapters, training state, decoding.

    attention = 4 n^2 d FLOP (scores and values) + 8 n d^2 FLOP (the four projections), per layer
    KV cache  = 2 x layers x kv_heads x head_dim x tokens x batch values
    decode    <= bandwidth / bytes read per step

One MAC is two FLOP. Grouped-query attention (GQA) keeps fewer key and value heads than query heads.
Sources: Vaswani et al., arXiv 1706.03762, table 1 (attention); Ainslie et al., arXiv 2305.13245 (GQA).
"""

from dataclasses import dataclass
from pathlib import Path

from tinylib.cost.layers import Dense, count
from tinylib.cost.memory import bit_width, weight_bytes
from tinylib.units import real, shown

NF4_BLOCK = 64  # weights that share one quantization constant
CONSTANT_BLOCK = 256  # constants that share one FP32 constant in double quantization
LARGEST = 10**24  # bytes, or bytes per second: beyond any machine


@dataclass(frozen=True)
class Transformer:
    """One architecture: n layers of attention and a feed-forward block (FFN), and one norm outside them.

    vocabulary, positions, segments: rows of the embedding tables; 0 positions = computed, not learned
    width: features of a token, split over `heads`; ffn_width: inner features of the FFN
    bias: on every matrix, and a shift in every norm; gated: three FFN matrices; tied: head = token table
    """

    id: str
    name: str
    vocabulary: int
    layers: int
    width: int
    ffn_width: int
    heads: int
    kv_heads: int
    source: str
    positions: int = 0
    segments: int = 0
    bias: bool = True
    gated: bool = False
    tied: bool = True
    pooler: bool = False

    def __post_init__(self) -> None:
        for name in ("vocabulary", "layers", "width", "ffn_width"):
            count(name, getattr(self, name))
        for name in ("positions", "segments"):
            count(name, getattr(self, name), 0)
        gqa_factor(self.heads, self.kv_heads)
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads {self.heads}, got {shown(self.width)}")

    @property
    def head_dim(self) -> int:
        """Features of one head [count]."""
        return self.width // self.heads

    @property
    def parts(self) -> dict[str, int]:
        """Parameters by part, all layers together [count]: the sum is `params`."""
        d, f = self.width, self.ffn_width
        query, key = Dense(d, d, self.bias).params, Dense(d, self.kv_heads * self.head_dim, self.bias).params
        up, down = Dense(d, f, self.bias).params, Dense(f, d, self.bias).params
        return {
            "embedding": (self.vocabulary + self.positions + self.segments) * d,
            "attention": self.layers * 2 * (query + key),  # query and output; key and value
            "ffn": self.layers * ((2 if self.gated else 1) * up + down),
            "norms": (2 * self.layers + 1) * d * (2 if self.bias else 1),
            "head": (0 if self.tied else self.vocabulary * d) + (query if self.pooler else 0),
        }

    @property
    def params(self) -> int:
        """Parameters of the whole model [count]."""
        return sum(self.parts.values())

    def kv_cache_bytes(self, tokens: int, batch: int = 1, bits: int = 16) -> int:
        """Keys and values kept for `tokens` of each sequence [bytes]."""
        return kv_cache_bytes(self.layers, self.kv_heads, self.head_dim, tokens, batch, bits)


_transformers: dict[str, Transformer] = {}


def transformer(id: str) -> Transformer:
    """The published architecture with this id: "gpt2_small", "llama2_7b", ..."""
    if not _transformers:
        import tomllib

        text = (Path(__file__).parent / "data" / "transformers.toml").read_text(encoding="utf-8")
        for row in tomllib.loads(text)["transformer"]:
            _transformers[row["id"]] = Transformer(**row)
    if not isinstance(id, str) or id not in _transformers:
        raise ValueError(f"transformer must be one of {', '.join(_transformers)}, got {shown(id)}")
    return _transformers[id]


def attention_flops(tokens: int, width: int, projections: bool = False) -> int:
    """Work of one attention layer over `tokens` at once [FLOP]: QK^T and AV, 2 n^2 d MAC, softmax left out.

    `projections` adds query, key, value and output, each (d, d) and used once per token: 4 n d^2 MAC.
    Assumes one key head per query head, and no causal skipping.
    """
    n, d = count("tokens", tokens), count("width", width)
    return 4 * n * n * d + (8 * n * d * d if projections else 0)


def kv_cache_bytes(
    layers: int, kv_heads: int, head_dim: int, tokens: int, batch: int = 1, bits: int = 16
) -> int:
    """Keys and values kept while generating [bytes], rounded up to whole bytes once."""
    values = 2  # one key, one value
    counts = {"layers": layers, "kv_heads": kv_heads, "head_dim": head_dim, "tokens": tokens, "batch": batch}
    for name, value in counts.items():
        values *= count(name, value)
    return -(-values * bit_width(bits) // 8)


def kv_bytes_per_token(layers: int, kv_heads: int, head_dim: int, bits: int = 16) -> int:
    """What each further token of one sequence adds to the KV cache [bytes]."""
    return kv_cache_bytes(layers, kv_heads, head_dim, tokens=1, bits=bits)


def gqa_factor(heads: int, kv_heads: int) -> int:
    """How many times smaller the KV cache is than with one KV head per query head [x]: heads / kv_heads."""
    heads, kv_heads = count("heads", heads), count("kv_heads", kv_heads)
    if heads % kv_heads:
        raise ValueError(
            f"kv_heads must divide heads {heads}: every group has as many query heads, got {kv_heads}"
        )
    return heads // kv_heads


def lora_params(d_in: int, d_out: int, rank: int) -> int:
    """Trainable values of a low-rank adapter, A (rank, d_in) and B (d_out, rank) [count].

    Source: Hu et al., LoRA, arXiv 2106.09685, section 4.1.
    """
    d_in, d_out, rank = count("d_in", d_in), count("d_out", d_out), count("rank", rank)
    if rank > min(d_in, d_out):
        raise ValueError(
            f"rank must be at most {min(d_in, d_out)}, the shorter side of the matrix, got {rank}"
        )
    return rank * (d_in + d_out)


def nf4_constant_bytes(params: int, double_quantization: bool = False) -> int:
    """Quantization constants of NF4 weights [bytes]: 0.5 bit per weight, or 0.127 bit double-quantized.

    One FP32 constant serves a block of 64 weights. Double quantization stores it in 8 bits, with one
    FP32 constant for 256 of those: 8/64 + 32/(64 x 256) bit.
    Source: Dettmers et al., QLoRA, arXiv 2305.14314, section 3.
    """
    constants = -(-count("params", params, 0) // NF4_BLOCK)
    return constants + 4 * -(-constants // CONSTANT_BLOCK) if double_quantization else 4 * constants


def qlora_bytes(params: int, adapter_params: int, adapter_bits: int = 16, constants: str = "double") -> int:
    """Frozen NF4 weights, their constants and the adapter [bytes]; gradients and moments come on top.

    constants: "none" (4 bits a weight and nothing else), "single" (FP32) or "double" (quantized again).
    """
    if constants not in ("none", "single", "double"):
        raise ValueError(f"constants must be 'none', 'single' or 'double', got {shown(constants)}")
    extra = 0 if constants == "none" else nf4_constant_bytes(params, constants == "double")
    return weight_bytes(params, 4) + extra + weight_bytes(adapter_params, adapter_bits)


@dataclass(frozen=True)
class TrainingState:
    """What training keeps per parameter, in bits; activations are not part of it.

    moments: values that the optimizer keeps, each `moment_bits` wide: SGD 0, momentum 1, Adam 2
    master_bits: a second, wider copy of the weight, 0 when there is none
    Source: Rajbhandari et al., ZeRO, arXiv 1910.02054, section 3.1 (mixed precision: 2 + 2 + 12 bytes).
    """

    weight_bits: int
    gradient_bits: int
    moments: int
    moment_bits: int = 32
    master_bits: int = 0

    def __post_init__(self) -> None:
        for bits in (self.weight_bits, self.gradient_bits, self.moment_bits, self.master_bits or 1):
            bit_width(bits)
        count("moments", self.moments, 0)

    @property
    def bits_per_param(self) -> int:
        """Weight, gradient, moments and master copy [bit]."""
        return self.weight_bits + self.gradient_bits + self.moments * self.moment_bits + self.master_bits

    def bytes(self, params: int) -> int:
        """State of `params` parameters [bytes], rounded up once."""
        return -(-count("params", params, 0) * self.bits_per_param // 8)


ADAM_MIXED = TrainingState(16, 16, moments=2, master_bits=32)  # 16 bytes a parameter
ADAM_FP32 = TrainingState(32, 32, moments=2)  # 16 bytes
ADAM_BF16 = TrainingState(16, 16, moments=2, moment_bits=16)  # 8 bytes, nothing kept in FP32
SGD_FP32 = TrainingState(32, 32, moments=0)  # 8 bytes


def decode_tokens_per_s(
    bandwidth_bytes_per_s: float, model_bytes: float, cache_bytes: float = 0, batch: int = 1
) -> float:
    """Upper bound of generation [tokens/s]: each step reads model and cache once, for a token per sequence.

    cache_bytes: KV cache of the whole batch. Eight times less cache is less than eight times faster,
    since the weights are read as well.
    """
    bandwidth = _size("bandwidth_bytes_per_s", bandwidth_bytes_per_s)
    model, cache = _size("model_bytes", model_bytes), _size("cache_bytes", cache_bytes, zero=True)
    return count("batch", batch) * bandwidth / (model + cache)


def _size(what: str, value: float, zero: bool = False) -> float:
    number = real(what, value)
    if number < 0 or number > LARGEST or (number == 0 and not zero):
        low = "at least 0" if zero else "above 0"
        raise ValueError(f"{what} must be {low} and at most 10**24, got {shown(value)}")
    return number
