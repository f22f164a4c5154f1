"""Chapters "LLM efficiency" and "Generation": attention, KV cache, adapters, decode speed.

MB and GB are powers of ten; heads are those of keys and values where the cache is asked.
"""

from tinylib import units
from tinylib.cost import llm, memory
from tinylib.practice.draws import Log, Rng
from tinylib.practice.exercise import Absolute, Exercise, Misconception, Relative

ATTN_FLOPS = Exercise(
    id="llm.attn_flops",
    title="Work of attention scores and values",
    prompt="One attention layer sees {n} tokens of {d} features. How many GFLOP (10^9 operations, 1 MAC = 2 "
    "FLOP) do the scores QK^T and the weighted sum AV cost together, without the four projections?",
    given={"n": 1024, "d": 512},
    draws={"n": Log(128, 8192, 2), "d": (256, 512, 768, 1024, 4096)},
    answer=lambda n, d: llm.attention_flops(n, d) / 1e9,
    unit="GFLOP",
    tolerance=Relative(0.005),
    expect=2.147483648,
    source="worked by hand: 2 products x 1024^2 x 512 MAC x 2; the projections would add 8 n d^2",
    erratum="2-36",
    misconceptions=(
        Misconception(
            lambda n, d: 2 * n * n * d / 1e9,
            "Half of it: either one of the two products is missing, or those are MACs and not FLOPs.",
        ),
        Misconception(
            lambda n, d: 4 * n * n * d / 2**30,
            "You divided by 2^30: giga is 10^9 for operations.",
        ),
        Misconception(
            lambda n, d: n * n * d / 1e9,
            "Those are the MACs of one product: there are two products, and a MAC is two FLOP.",
        ),
    ),
    hints=(
        "QK^T is an n x n table, and each entry is a sum over d features. AV costs the same.",
        "2 products x n^2 x d MAC x 2 FLOP.",
    ),
    steps=lambda n, d: (
        f"QK^T: {n:,} x {n:,} x {d:,} = {n * n * d:,} MAC, and AV the same",
        f"2 x {n * n * d:,} MAC x 2 = {4 * n * n * d:,} FLOP = {4 * n * n * d / 1e9:.4g} GFLOP",
    ),
)

KV_CACHE_MB = Exercise(
    id="llm.kv_cache_mb",
    title="Size of the KV cache",
    prompt="A model of {L} layers keeps {H} key-value head(s) of {dh} features, {b} B (bytes) a value. How "
    "many MB (10^6 bytes) is its KV cache for {batch} sequence(s) of {n} tokens?",
    given={"L": 32, "H": 32, "dh": 128, "n": 512, "batch": 1, "b": 2},
    draws={
        "L": (12, 24, 32, 40, 80),
        "H": (1, 8, 32, 40),
        "dh": (64, 128),
        "n": Log(128, 32_768, 2),
        "batch": (1, 4, 8, 32),
        "b": (1, 2),
    },
    answer=lambda L, H, dh, n, batch, b: llm.kv_cache_bytes(L, H, dh, n, batch, bits=8 * b) / units.MB,
    unit="MB",
    tolerance=Relative(0.005),
    expect=268.435456,
    source="worked by hand: 2 (K and V) x 32 x 32 x 128 x 512 x 2 bytes = 268,435,456 bytes",
    erratum="2-1",
    misconceptions=(
        Misconception(
            lambda L, H, dh, n, batch, b: L * H * dh * n * batch * b / 1e6,
            "That is K or V alone: each layer keeps two tensors.",
        ),
        Misconception(
            lambda L, H, dh, n, batch, b: 2 * L * H * dh * n * batch * b / 2**20,
            "That is in MiB: you divided by 2^20. A MB is 10^6 bytes.",
        ),
        Misconception(
            lambda L, H, dh, n, batch, b: 2 * H * dh * n * batch * b / 1e6,
            "That is the cache of one layer: every layer keeps its own.",
        ),
    ),
    hints=(
        "What is kept for one token in one layer?",
        "2 x layers x heads x features x tokens x sequences x bytes.",
    ),
    steps=lambda L, H, dh, n, batch, b: (
        f"one token, one layer: 2 x {H} x {dh} x {b} B = {2 * H * dh * b:,} B (K and V)",
        f"x {L} layers = {2 * H * dh * b * L:,} B a token",
        f"x {n:,} tokens x {batch} = {2 * L * H * dh * n * batch * b / 1e6:,.3f} MB",
    ),
)


def _heads(rng: Rng) -> dict:
    heads = rng.choice((16, 32, 40, 64))
    return {"H": heads, "G": rng.choice(tuple(g for g in range(1, heads) if heads % g == 0))}


GQA_FACTOR = Exercise(
    id="llm.gqa_factor",
    title="Saving of grouped-query attention",
    prompt="A model has {H} query heads that share {G} key-value head(s). By which factor is its KV cache "
    "smaller than with one key-value head per query head?",
    given={"H": 64, "G": 8},
    draws=_heads,
    answer=lambda H, G: llm.gqa_factor(H, G),
    unit="x",
    tolerance=Absolute(0),
    expect=8.0,
    source="worked by hand: 64 / 8; the cache is proportional to the key-value heads",
    erratum="2-9",
    misconceptions=(
        Misconception(
            lambda H, G: H / G * 2,
            "That counts K and V as two savings: both shrink by the same factor, and so does their sum.",
        ),
        Misconception(lambda H, G: H - G, "That is how many heads fewer there are: a factor is a ratio."),
        Misconception(
            lambda H, G: G / H, "Upside down: that is the share that remains, a reduction is above 1."
        ),
        Misconception(
            lambda H, G: H, "That would leave a single key-value head: look at how many are left here."
        ),
    ),
    hints=("Only keys and values are cached, queries are not.", "factor = query heads / key-value heads."),
    steps=lambda H, G: (
        f"{H} query heads share {G} for keys and values: groups of {H // G}",
        f"the cache shrinks by {H} / {G} = {H // G} x",
    ),
)

LORA_PARAMS = Exercise(
    id="llm.lora_params",
    title="Trainable values of a LoRA adapter",
    prompt="A weight matrix maps {d_in} to {d_out} features. A LoRA adapter of rank {r} is trained beside "
    "it. How many trainable parameters has the adapter?",
    given={"d_in": 4096, "d_out": 4096, "r": 16},
    draws={"d_in": (768, 1024, 4096), "d_out": (768, 3072, 4096, 11_008), "r": (1, 2, 4, 8, 16, 64)},
    answer=lambda d_in, d_out, r: llm.lora_params(d_in, d_out, rank=r),
    unit="parameters",
    tolerance=Absolute(0),
    expect=131_072,
    source="worked by hand: 16 x (4096 + 4096)",
    misconceptions=(
        Misconception(
            lambda d_in, d_out, r: r * d_in,
            "That is one factor, A: B maps back from the rank to the outputs.",
        ),
        Misconception(
            lambda d_in, d_out, r: d_in * d_out,
            "That is the full matrix, which stays frozen: the adapter is two thin ones.",
        ),
        Misconception(
            lambda d_in, d_out, r: 2 * r * r,
            "Both factors are r x r here: each has one long side, the inputs or the outputs.",
        ),
        Misconception(
            lambda d_in, d_out, r: d_in * d_out / r,
            "That is the full matrix divided by the rank: count the two thin factors instead.",
        ),
    ),
    hints=("The adapter is a product B A through r features.", "r x d_in + d_out x r."),
    steps=lambda d_in, d_out, r: (
        f"A: {r} x {d_in:,} = {r * d_in:,}, B: {d_out:,} x {r} = {d_out * r:,}",
        f"together {r * (d_in + d_out):,} of {d_in * d_out:,} weights",
    ),
)

QLORA_GB = Exercise(
    id="llm.qlora_gb",
    title="Weights of a QLoRA fine-tune",
    prompt="A model's {p} frozen weights are stored in NF4, {pb} B (bytes) each; an adapter of {a} "
    "parameters takes {ab} B each. How many GB (10^9 bytes) is that, quantization constants left out?",
    given={"p": 7_000_000_000, "pb": 0.5, "a": 20_000_000, "ab": 2},
    draws={
        "p": (1_000_000_000, 3_000_000_000, 7_000_000_000, 13_000_000_000, 70_000_000_000),
        "a": (5_000_000, 20_000_000, 40_000_000, 160_000_000),
    },
    answer=lambda p, pb, a, ab: llm.qlora_bytes(p, a, adapter_bits=8 * ab, constants="none") / units.GB,
    unit="GB",
    tolerance=Absolute(0.005),
    expect=3.54,
    source="worked by hand: 7e9 x 0.5 + 20e6 x 2 bytes; constants add 0.44 GB, or 0.11 GB quantized",
    erratum="2-20",
    misconceptions=(
        Misconception(lambda p, pb, a, ab: p * pb / 1e9, "That is the frozen model alone: add the adapter."),
        Misconception(
            lambda p, pb, a, ab: (p * 2 + a * ab) / 1e9,
            "The frozen weights are counted at 16 bits: NF4 takes 4, half a byte.",
        ),
        Misconception(
            lambda p, pb, a, ab: (p * pb + a * ab) / 2**30,
            "That is in GiB: you divided by 2^30. A GB is 10^9 bytes.",
        ),
    ),
    hints=("Two parts with two widths.", "(weights x 0.5 + adapter x 2) / 10^9."),
    steps=lambda p, pb, a, ab: (
        f"frozen: {p:,} x {pb:g} B = {p * pb / 1e9:g} GB",
        f"adapter: {a:,} x {ab} B = {a * ab / 1e9:g} GB",
        f"together {(p * pb + a * ab) / 1e9:.6g} GB",
    ),
)


def _cached(rng: Rng) -> dict:
    """Layers and key-value heads of Llama-2 7B, Llama-2 13B and Llama-3 70B."""
    layers, heads = rng.choice(((32, 32), (40, 40), (80, 8)))
    return {"L": layers, "H": heads}


KV_PER_TOKEN_7B = Exercise(
    id="llm.kv_per_token_7b",
    title="Cache of one more token",
    prompt="A Llama model has {L} layers with {H} key-value heads of {dh} features, {b} B (bytes) a value. "
    "By how many bytes does its KV cache grow with each token?",
    given={"L": 32, "H": 32, "dh": 128, "b": 2},
    draws=_cached,
    answer=lambda L, H, dh, b: llm.kv_bytes_per_token(L, H, dh, bits=8 * b),
    unit="B",
    tolerance=Absolute(0),
    expect=524_288,
    source="worked by hand: 2 x 32 x 32 x 128 x 2 bytes = 512 KiB",
    misconceptions=(
        Misconception(
            lambda L, H, dh, b: L * H * dh * b, "That is K or V alone: a token leaves both in the cache."
        ),
        Misconception(
            lambda L, H, dh, b: 2 * H * dh * b, "That is one layer: a token leaves its K and V in each."
        ),
    ),
    hints=(
        "A token leaves one key and one value per head and layer.",
        "2 x layers x heads x features x bytes.",
    ),
    steps=lambda L, H, dh, b: (
        f"one layer: 2 x {H} x {dh} x {b} B = {2 * H * dh * b:,} B",
        f"{L} layers: {2 * L * H * dh * b:,} B = {2 * L * H * dh * b / 1024:g} KiB",
    ),
)

KV_PER_TOKEN_70B = Exercise(
    id="llm.kv_per_token_70b",
    title="Cache of one more token with grouped queries",
    prompt="Llama-3 70B has {L} layers with 64 query heads, but {G} key-value heads of {dh} features, {b} B "
    "(bytes) a value. By how many bytes does its KV cache grow with each token?",
    given={"L": 80, "G": 8, "dh": 128, "b": 2},
    answer=lambda L, G, dh, b: llm.kv_bytes_per_token(L, G, dh, bits=8 * b),
    unit="B",
    tolerance=Absolute(0),
    expect=327_680,
    source="worked by hand: 2 x 80 x 8 x 128 x 2 bytes = 320 KiB",
    misconceptions=(
        Misconception(
            lambda L, G, dh, b: 2 * L * 64 * dh * b,
            "That counts the query heads: only keys and values are cached.",
            printed_only=True,
        ),
        Misconception(
            lambda L, G, dh, b: L * G * dh * b, "That is K or V alone: a token leaves both in the cache."
        ),
    ),
    hints=("Which heads are kept for later tokens?", "2 x layers x key-value heads x features x bytes."),
    steps=lambda L, G, dh, b: (
        f"one layer: 2 x {G} x {dh} x {b} B = {2 * G * dh * b:,} B",
        f"{L} layers: {2 * L * G * dh * b:,} B = {2 * L * G * dh * b / 1024:g} KiB",
    ),
)

DECODE_BOUND = Exercise(
    id="llm.decode_bound",
    title="Upper bound of generation",
    prompt="A GPU reads {bw} bytes per second and computes 989 TFLOP/s. At batch 1, each new token reads all "
    "{p} weights once, {b} B (bytes) each. How many tokens per second are possible at most?",
    given={"p": 7_000_000_000, "b": 2, "bw": 3_350_000_000_000},
    draws={"p": (1_000_000_000, 7_000_000_000, 13_000_000_000, 70_000_000_000)},
    answer=lambda p, b, bw: llm.decode_tokens_per_s(bw, memory.weight_bytes(p, 8 * b)),
    unit="1/s",
    tolerance=Relative(0.01),
    expect=3350 / 14,
    source="worked by hand: 3,350 GB/s / 14 GB, bandwidth and peak of the NVIDIA H100 SXM data sheet",
    misconceptions=(
        Misconception(
            lambda p, b, bw: bw / p, "That reads one byte a weight: how many bytes does a weight take here?"
        ),
        Misconception(
            lambda p, b, bw: 989e12 / (2 * p),
            "That is the limit of the arithmetic, 2 FLOP a weight: at batch 1 memory is slower and decides.",
        ),
        Misconception(
            lambda p, b, bw: p * b / bw,
            "Those are seconds per token: the question asks for tokens per second.",
        ),
    ),
    hints=(
        "How many bytes must be read for one token?",
        "tokens per second = bandwidth / (weights x bytes).",
    ),
    steps=lambda p, b, bw: (
        f"read per token: {p:,} x {b} B = {p * b / 1e9:g} GB",
        f"{bw / 1e9:,g} GB/s / {p * b / 1e9:g} GB = {bw / (p * b):.4g} tokens/s",
    ),
)

EXERCISES = (
    ATTN_FLOPS,
    KV_CACHE_MB,
    GQA_FACTOR,
    LORA_PARAMS,
    QLORA_GB,
    KV_PER_TOKEN_7B,
    KV_PER_TOKEN_70B,
    DECODE_BOUND,
)
