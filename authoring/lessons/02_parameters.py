# %%
from ipywidgets import IntSlider, SelectionSlider, ToggleButtons

from tinylib.cost import Conv2D, Dense, llm, memory, models
from tinylib.lab import explore, quiz
from tinylib.show import canvases
from tinylib.units import GB, MB, MIB

# %% [markdown]
# ## What does a layer store?
#
# A fully connected (linear) layer keeps one weight per pair of input and output, and one bias per output.
# **Predict first:** how many numbers are that for 4 inputs and 3 outputs?

# %%
tiny = Dense(4, 3)
print(f"{tiny.weights} weights + {tiny.outputs} biases = {tiny.params} parameters")
wide = Dense(1024, 4096)
print(f"{wide.weights:,} weights + {wide.outputs:,} biases = {wide.params:,} parameters")

# %% [markdown]
# 4 x 3 = 12 weights and 3 biases. **Common slip:** one bias per *input*. A bias shifts a result, so it
# belongs to an output.

# %% tags=["view"]
quiz("params.bert_ffn_up")

# %% [markdown]
# ## A feed-forward block
#
# A transformer's feed-forward block (FFN) widens the features of a token and brings them back. The numbers
# are those of BERT-large (Devlin et al., arXiv 1810.04805).
# **Predict:** do the way up and the way down hold equally many parameters?

# %%
down = Dense(4096, 1024)
block = wide.params + down.params
print(f"up {wide.params:,}, down {down.params:,}")
print(f"24 blocks of BERT-large: {24 * block:,}")

# %% [markdown]
# Equally many weights, but different biases: 4,096 up and 1,024 down.
#
# **Common slip:** computing one half and doubling it.

# %% tags=["view"]
quiz("params.bert_ffn_total")

# %% tags=["view"]
quiz("params.ffn_32_layers")

# %% [markdown]
# ## A convolution
#
# Each filter looks at k x k pixels of *all* input channels. **Predict:** what happens to the parameters
# when the image becomes four times as large?

# %%
conv = Conv2D(16, 32, kernel_size=3, padding="same")
print(f"{conv.weights:,} weights + {conv.outputs} biases = {conv.params:,} parameters")
for side in (28, 56):
    print(f"{side} x {side} pixels: {conv.params:,} parameters, {conv.macs((side, side, 16)):,} MACs")

# %% [markdown]
# Nothing: 3 x 3 x 16 x 32 = 4,608 weights serve every position. The *work* grows, the storage does not.
#
# **Common slip:** using the kernel once. It has a height *and* a width.

# %% tags=["view"]
explore(
    lambda kernel, c_out, side: canvases.cost_bars(
        Conv2D(16, c_out, kernel_size=kernel, padding="same"), (side, side, 16)
    ),
    kernel=SelectionSlider(options=[1, 3, 5, 7], value=3),
    c_out=IntSlider(value=32, min=8, max=128, step=8),
    side=IntSlider(value=56, min=14, max=224, step=14),
)

# %% tags=["view"]
quiz("counting.conv_params")

# %% tags=["view"]
quiz("macs.resnet_conv1_params")

# %% [markdown]
# ## From parameters to bytes
#
# Size = parameters x bits / 8. **Predict:** which file is larger, 1 billion parameters in FP32 or 7 billion
# in INT4?

# %%
for count, bits in ((1_000_000_000, 32), (7_000_000_000, 4), (7_000_000_000, 32), (7_000_000_000, 2)):
    print(f"{count / 1e9:g} billion x {bits:2} bits = {memory.weight_bytes(count, bits) / GB:g} GB")

# %% [markdown]
# The *smaller* model, by a little: 4 GB against 3.5 GB. A count without a width is no size.
#
# INT codes need a *scale*, the real number that turns a code back into a value (lesson 08). One for the whole
# model weighs nothing. With one per group of 128 weights, what does INT4 really take?

# %% tags=["view"]
explore(
    lambda millions, bits, scale_per: canvases.model_size(millions * 1_000_000, bits, scale_per),
    millions=IntSlider(value=57, min=1, max=200),
    bits=[32, 16, 8, 4],
    scale_per=["tensor", "channel", "group"],
)

# %% tags=["view"]
quiz("params.small_fp32_vs_big_int4")

# %% tags=["view"]
quiz("params.size_fp32_gb")

# %% tags=["view"]
quiz("params.size_int2_gb")

# %% [markdown]
# ## MB or MiB?
#
# 1 MB = 1000 x 1000 B, 1 MiB = 1024 x 1024 B. **Predict:** the same file, in which unit is the number
# larger?

# %%
ffn_bytes = memory.weight_bytes(24 * block, 16)
print(f"{ffn_bytes:,} B = {ffn_bytes / MB:.1f} MB = {ffn_bytes / MIB:.1f} MiB")
print(f"1 MiB is {MIB / MB - 1:.1%} more than 1 MB")

# %% [markdown]
# In MB: smaller units, more of them. The figure above prints both for each format.
#
# **Common slip:** dividing by 1024 x 1024 and writing "MB". Name the unit that you divided by.

# %% tags=["view"]
quiz("params.bert_ffn_mib_fp16")

# %% tags=["view"]
quiz("params.bert_ffn_mib_int4")

# %% [markdown]
# ## Where do the parameters sit?
#
# **Predict:** of GPT-2 medium, is more in the FFN blocks, in attention or in the word table (embedding)?

# %%
family = [llm.transformer(f"gpt2_{size}") for size in ("small", "medium", "large", "xl")]
for gpt in family:
    share = gpt.parts["ffn"] / gpt.params
    print(f"{gpt.name:12} {gpt.layers} blocks, {gpt.params:>13,} parameters, {share:.1%} in the FFN")

# %% tags=["view"]
parts = ("ffn", "attention", "embedding")
explore(
    lambda shown: canvases.stacked(
        "Where a GPT-2 keeps its parameters",
        {g.name: {part: g.parts[part] / (1e6, g.params / 100)[shown] for part in parts} for g in family},
        ("parameters [millions]", "share of all parameters [%]")[shown],
        "counted from the shapes; norms left out",
        source="Radford et al., 2019",
    ),
    shown=ToggleButtons(options={"share": 1, "count": 0}),
)

# %% [markdown]
# The FFN leads, and its share grows with the model: more blocks, and still one word table.
#
# **Common slip:** the blocks of one GPT-2 with the total of another. Medium has 24 blocks, XL has 48.

# %% tags=["view"]
quiz("params.gpt2_blocks_share")

# %% [markdown]
# ## The layer table of a small network
#
# A keyword spotter of MLPerf Tiny, layer by layer. Each batch norm, a scale and a shift per channel, is
# *folded* into the convolution before it. **Predict:** which kind of layer stores most?

# %%
spotter = models.named("mlperf_tiny_kws_dscnn")
for row in spotter.rows:
    if row.params:
        print(f"{row.name:8} {row.op:15} {row.params_bn_folded:>6,} parameters {row.macs:>9,} MACs")
print(f"in all {spotter.params_bn_folded:,}, batch norm folded")
print(f"INT8 weights, INT32 biases: {memory.model_weight_bytes(spotter):,} B")

# %% [markdown]
# The 1x1 convolutions that mix channels; the depthwise ones (one filter per channel) store little.
#
# Now a dot per layer: right is storage, up is work. **Predict**, then switch: where do the dots lie for the
# autoencoder (ad), which has dense layers only?

# %% tags=["view"]
explore(
    lambda model: canvases.macs_against_weights(
        {
            node.name: (node.layer, row.in_shapes[0])
            for node, row in zip(models.named(model).nodes, models.named(model).rows)
            if row.weights
        }
    ),
    model=["mlperf_tiny_kws_dscnn", "mlperf_tiny_ad_autoencoder", "lenet5"],
)

# %% [markdown]
# On the dashed line: a dense weight works once, so storage and work are one number. A convolution's dot lies
# above it. Storage is one bill and work another; the next lesson writes the second.
