# %%
from ipywidgets import IntSlider, SelectionSlider

from tinylib.cost import llm, memory, processors, roofline
from tinylib.lab import explore, quiz
from tinylib.show import canvases, svg
from tinylib.units import GB, MB

# %% [markdown]
# ## Two halves of attention
#
# One attention layer sees n = 1,024 tokens of d = 512 features. The products QK^T and AV compare every
# token with every other; the four projections (Q, K, V, output) treat each token alone.
# **Predict:** which half costs more?

# %%
n, d = 1024, 512
pairs = llm.attention_flops(n, d)
whole = llm.attention_flops(n, d, projections=True)
print(f"QK^T and AV:          {pairs:,} FLOP")
print(f"with the projections: {whole:,} FLOP, {whole / pairs:.1f} times as much")

# %% [markdown]
# Neither: pairs cost 4 n^2 d and projections 8 n d^2, which are equal exactly when n = 2 d.
#
# **Common slip:** "attention costs 4 n^2 d", with the projections forgotten. Say which half you count.
#
# **Predict:** which half wins for half a page of text, and which for a whole book?

# %%
halves = {"pairs": llm.attention_flops}
halves["projections"] = lambda n, d: llm.attention_flops(n, d, projections=True) - llm.attention_flops(n, d)
for n in (128, 512, 2048, 8192, 32_768):
    pairs, rest = (flops(n, d) for flops in halves.values())
    print(f"{n:6,} tokens: {(pairs + rest) / 1e9:8,.2f} GFLOP, {pairs / (pairs + rest):.0%} of it for pairs")

# %% [markdown]
# Half a page belongs to the projections, a book to the pairs. Where do the lines cross for another width?

# %% tags=["view"]
lengths = [128 * 2**i for i in range(11)]
explore(
    lambda d: canvases.curves(
        f"Two halves of attention, d = {d}",
        svg.Axis("tokens, by powers of ten", 100, 200_000, log=True),
        svg.Axis("FLOP, by powers of ten", 1e6, 1e15, log=True),
        {name: [(n, flops(n, d)) for n in lengths] for name, flops in halves.items()},
        marks={"n = 2 d": 2 * d},
    ),
    d=SelectionSlider(options=[128, 512, 2048, 4096], value=512),
)

# %% tags=["view"]
quiz("llm.attn_flops")

# %% [markdown]
# ## What a model must remember
#
# To write the next token, a model needs keys and values of all earlier ones. Keeping them is the KV cache.
# **Predict:** Llama-2 7B reads 512 tokens. Is its cache in 16 bits about 1 MB, 30 MB or 300 MB?

# %%
llama = llm.transformer("llama2_7b")
print(f"{llama.layers} layers, {llama.kv_heads} KV heads of {llama.head_dim} features")
print(f"{llama.kv_cache_bytes(tokens=1):,} B for each token")
print(f"{llama.kv_cache_bytes(tokens=512) / MB:.1f} MB (10^6 bytes) for 512 tokens")

# %% [markdown]
# Count along the shape: 2 x 32 x 32 x 128 x 2 = 524,288 bytes a token. The first 2 is key *and* value, the
# last one bytes.
#
# **Common slip:** dropping that first factor, which halves the cache. Published articles do it too.
#
# **Predict:** at batch 8, with weights and cache in 16 bits, may the context double from here before a GPU of
# 24 GB is full? Then make room without a shorter one.

# %% tags=["view"]
explore(
    canvases.kv_cache,
    model=["llama2_7b", "llama3_8b", "llama2_13b"],
    tokens=IntSlider(value=2048, min=256, max=8192, step=256),
    batch=[8, 1, 4, 32],
    weight_bits=[16, 8, 4],
    memory_gb=[24, 8, 80],
)

# %% [markdown]
# No: the cache would grow from 8.6 to 17.2 GB, and with 13.5 GB of weights that is too much. Weights in 8
# bits make room, or a smaller batch. Or a model with fewer heads to remember: try Llama-3 8B.

# %% tags=["view"]
quiz("llm.kv_per_token_7b")

# %% tags=["view"]
quiz("llm.kv_cache_mb")

# %% [markdown]
# ## Heads that share
#
# Grouped-query attention (GQA, arXiv 2305.13245) lets several query heads share one key-value head.
# **Predict:** Llama-3 70B is ten times the size of Llama-2 7B. Does each token cost it more cache, or less?

# %%
big = llm.transformer("llama3_70b")
print(f"{big.heads} query heads share {big.kv_heads}: {llm.gqa_factor(big.heads, big.kv_heads)} times less")
for model in (llama, big):
    print(f"{model.name}: {model.kv_cache_bytes(tokens=1):,} B a token")

# %% [markdown]
# Less. Sharing divides the cache by query heads over KV heads, and that outweighs the extra layers.
#
# **Common slip:** "every modern model uses GQA". Llama-2 7B and 13B do not; its 70B does
# (arXiv 2307.09288). Look up the KV heads before you count.

# %% tags=["view"]
quiz("llm.gqa_factor")

# %% tags=["view"]
quiz("llm.kv_per_token_70b")

# %% [markdown]
# ## How fast can it write?
#
# Each decoding step reads all weights and the whole cache, for one token per sequence. Take an H100 GPU, 7
# billion 16-bit weights and 8 sequences of 4,096 tokens. **Predict:** with eight times less cache, is writing
# eight times faster?

# %%
gpu, weights = processors.named("h100_sxm"), memory.weight_bytes(7_000_000_000, 16)
alone = llm.decode_tokens_per_s(gpu.bandwidth_bytes_per_s, weights)
print(f"one sequence, no cache yet: at most {alone:.0f} tokens/s")
for kv_heads in (32, 4):
    cache = llm.kv_cache_bytes(32, kv_heads, 128, tokens=4096, batch=8)
    rate = llm.decode_tokens_per_s(gpu.bandwidth_bytes_per_s, weights, cache, batch=8)
    print(f"{kv_heads:2} KV heads: cache {cache / GB:5.2f} GB, at most {rate:,.0f} tokens/s")
print(f"ridge: {roofline.ridge_point(2 * gpu.peak_macs_per_s(16), gpu.bandwidth_bytes_per_s):.0f} FLOP/B")

# %% [markdown]
# Not even twice: the weights are read as well. What helps is company. A 16-bit weight is 2 bytes and does 2
# FLOP per sequence, so the weights alone give as many FLOP/B as there are sequences. The cache gains nothing:
# each sequence reads its own.
#
# **Predict:** on the roofline of lesson 06, which batch reaches the flat part?

# %% tags=["view"]
explore(
    lambda batch: canvases.roofline("h100_sxm", intensity=batch, bits=16),
    batch=SelectionSlider(options=[1, 4, 16, 64, 256, 512], value=64),
)

# %% [markdown]
# 512: the ridge lies at 295, so even 256 sequences at a time leave the arithmetic waiting for weights.

# %% tags=["view"]
quiz("llm.decode_bound")

# %% [markdown]
# ## What training keeps
#
# Adam in mixed precision keeps, per parameter, weight and gradient in 16 bits, a 32-bit master copy and two
# 32-bit moments. **Predict:** how many times as large as the weights is all that?

# %%
state = llm.ADAM_MIXED.bytes(7_000_000_000)
print(f"{llm.ADAM_MIXED.bits_per_param // 8} bytes a parameter: {state / GB:.0f} GB in all")
print(f"{weights / GB:.0f} GB of it are the weights themselves, {(state - weights) / GB:.0f} GB the rest")

# %% [markdown]
# Eight times, before a single activation is stored. **Common slip:** adding the weights once more on top:
# the total already holds them.

# %% tags=["view"]
quiz("train.adam_bytes")

# %% [markdown]
# ## Train a little, freeze the rest
#
# LoRA (arXiv 2106.09685) freezes a matrix and trains two thin ones beside it. **Predict:** for 4,096 x 4,096
# features, which rank trains about one percent of the weights?

# %%
full = 4096 * 4096
for rank in (4, 16, 64):
    thin = llm.lora_params(4096, 4096, rank)
    print(f"rank {rank:2}: {thin:7,} of {full:,} weights, {thin / full:.2%}")

# %% [markdown]
# Rank 16 comes closest: 16 x 8,192 = 131,072. Both matrices count, so it is rank x (d_in + d_out), which
# need not be equal. Gradients and moments shrink with it; the frozen weights must still be kept and read.

# %% tags=["view"]
quiz("llm.lora_params")

# %% [markdown]
# ## QLoRA, constants included
#
# QLoRA stores the frozen weights in NF4: 4 bits, and one shared constant for every block. **Predict:** do
# the constants of 7 billion weights weigh more or less than an adapter of 20 million?

# %%
frozen, adapter = 7_000_000_000, 20_000_000
print(f"adapter in 16 bits: {memory.weight_bytes(adapter, 16) / GB:.3f} GB")
for constants in ("none", "single", "double"):
    total = llm.qlora_bytes(frozen, adapter, constants=constants)
    print(f"constants {constants:6}: {total / GB:.3f} GB in all")
print(f"training state of the adapter: {llm.ADAM_MIXED.bytes(adapter) / GB:.2f} GB")

# %% [markdown]
# More, even after double quantization, which quantizes the constants themselves (arXiv 2305.14314).
# **Common slip:** "NF4 is half a byte". The weights are; what you store is a little more.
#
# All three ways in one figure. Which of them fits a GPU of 24 GB, and what fills it?

# %% tags=["view"]
explore(
    canvases.memory_stack,
    method=["lora", "full", "qlora"],
    rank=[8, 16, 64],
    tokens=IntSlider(value=2048, min=256, max=8192, step=256),
)

# %% [markdown]
# Full training does not fit. LoRA does, as gradients and moments all but vanish: what is left is the frozen
# weights, and those QLoRA shrinks.

# %% tags=["view"]
quiz("llm.qlora_gb")

# %% [markdown]
# ## Five more ideas, one row each
#
# Ask of each: does it change FLOPs, bytes or the result? (n tokens, d features, e features a head)
#
# | idea | FLOPs | bytes | result | source |
# |---|---|---|---|---|
# | speculative decoding | more: rejected drafts | weights read once a draft | same odds | arXiv 2211.17192 |
# | continuous batching | same a token | weights once for a batch kept full | same | Orca, OSDI 2022 |
# | FlashAttention | same; more in training | n x n scores stay on the chip | same | arXiv 2205.14135 |
# | sparse, window w | 4 n w d, not 4 n^2 d | n x w scores | another model | arXiv 2004.05150 |
# | linear attention | 4 n d e, not 4 n^2 d | e x e state a head | another model | arXiv 2006.16236 |
