# %%
import numpy as np
from ipywidgets import IntSlider, Play, SelectionSlider

from tinylib.compress import baseline, gptq, kmeans, mixed_precision, ptq, qat, quantize, smooth
from tinylib.datasets import digits
from tinylib.formats import affine, floats
from tinylib.lab import explore, quiz
from tinylib.show import canvases, svg
from tinylib.units import GB

# %% [markdown]
# ## How low can it go?
#
# A network of 64-32-10 neurons reads small images of digits. **Predict:** its weights go from 32 bits to 8,
# then 4, then 2. Where does the accuracy break?

# %%
data = digits()
net = baseline.mlp(data.train)
widths, rows = {"float": None, "8 bits": 8, "4 bits": 4}, {}
for values, width in widths.items():
    rows[values] = [("float", baseline.accuracy(net, data.test), ptq.float_bytes(net))]
    for bits in (8, 4, 3, 2):
        small = ptq.ptq(net, data.train, weight_bits=bits, activation_bits=width)
        rows[values].append((f"{bits} bits", baseline.accuracy(small.net, data.test), small.bytes))

# %% tags=["view"]
explore(
    lambda values: canvases.accuracy_and_bytes(
        rows[values],
        f"Weights rounded after training, values in {values}",
        "64-32-10 on 8 x 8 digits; scales and biases included",
    ),
    values=list(widths),
)

# %% [markdown]
# Eight bits are free, four nearly so, and two are too few: each channel has three values left. Rounding the
# values between the layers as well costs this network next to nothing. What follows is what one does below
# four bits, and why some layers need it at eight.

# %% tags=["view"]
quiz("advquant.levels")

# %% [markdown]
# ## One scale or many?
#
# Six output channels, one ninety times louder than another, as happens in depthwise layers. **Predict:**
# with one INT8 scale for all, how many codes are left for the quietest?

# %%
rng = np.random.default_rng(7)
channels = rng.normal(0, 1, (128, 6)) * (0.02, 0.3, 0.05, 0.9, 0.01, 0.1)
for per in ("tensor", "channel"):
    code = quantize.weights(channels, 8, per)
    print(f"{per:7}: the quietest uses {len(np.unique(code.codes[:, 4]))} codes", end=", ")
    print(f"{code.sqnr_db_per_channel()[4]:.1f} dB; all together {code.sqnr_db:.1f} dB")

# %% [markdown]
# Four. With a scale of its own it has 77, for a few bytes and no time: the requantization multiplier may
# differ per channel anyway. (dB as in lesson 08: signal to quantization noise.)
#
# **Common slip:** judging by the error of the whole tensor. It looks fine, as the loud channels make nearly
# all of its power; the quiet one is noise.
#
# At six bits, which helps channel 4 more: two bits in addition, or a scale of its own?

# %% tags=["view"]
explore(
    lambda bits, scales, group: canvases.channel_scales(channels.T, bits, scales, group),
    bits=IntSlider(value=8, min=2, max=8),
    scales=["tensor", "channel", "group"],
    group=SelectionSlider(options=[8, 16, 32, 64, 128], value=32, description="group size"),
)

# %% [markdown]
# A scale of its own, by far: ninety times too loud is six and a half bits lost, and a bit is worth 6 dB.

# %% tags=["view"]
quiz("advquant.per_channel_bytes")

# %% [markdown]
# > **What the reference library does differently, and why ours is right.** The INT8 cells of
# > github.com/danmcleran/tinymind keep one scale per weight tensor, which suits a cell whose neurons are
# > equally loud. Convolutions are not like that, so `quantize.weights` and `nets.int8` take one or many.
#
# ## Groups: buying bits
#
# At four bits even a channel is too wide, so language models give every 32 to 128 weights a scale.
# **Predict:** which is better spent on one more bit per weight: finer groups, or wider codes?

# %%
heavy = rng.standard_t(3, (1024, 8))
for bits, group in ((4, 1024), (4, 128), (4, 32), (4, 16), (5, 1024)):
    noise = quantize.weights(heavy, bits, "group", group).sqnr_db
    stored = affine.group_bits(bits, group)
    print(f"{bits} bits, groups of {group:4}: {stored:.3f} bits a weight, {noise:.1f} dB")

# %% [markdown]
# Groups, as long as weights have heavy tails, that is, now and then one far from the rest: with groups it
# spoils its own alone. Half a bit spent on scales buys more than a whole bit spent on codes.

# %% tags=["view"]
quiz("quant.group_bits")

# %% [markdown]
# ## Codes without a grid
#
# K-means lets the data place the values: weights become indices into a small *codebook*. **Predict:** eight
# shared values spread evenly; after K-means, where do they crowd? Play the iterations below.

# %%
first = net.arrays[0]["w"]
book = kmeans.codebook(first, entries=8)
left = book.errors[-1] / book.errors[0]
print(f"{len(book.history) - 1} iterations, squared error {left:.0%} of the start")
print(f"{book.index_bits} bits an index, {book.bytes} B with the table, {4 * first.size:,} B before")
print(f"{4 * first.size / book.bytes:.2f} times smaller; 32 / 3 = {32 / 3:.2f}")

# %% tags=["view"]
explore(
    lambda iteration: canvases.codebook(first.ravel(), book.history, iteration),
    iteration=Play(min=0, max=len(book.history) - 1, interval=400),
)

# %% [markdown]
# Towards zero, where the weights are; the squared error halves. The price: a chip multiplies codes, but an
# index has to be looked up first.
#
# **Common slip:** leaving out the table. It is stored too, and the smaller the layer, the more it weighs.

# %% tags=["view"]
quiz("quant.codebook_ratio")

# %% [markdown]
# ## Training through a staircase
#
# **Predict:** what is the slope of round(w), and what would a network learn from it?

# %%
tuned = qat.deployed(qat.fit(net, data.train, weight_bits=2))
rounded = ptq.ptq(net, data.train, weight_bits=2, activation_bits=None).net
for name, model in (("rounded after training", rounded), ("trained with rounding", tuned)):
    print(f"2 bits, {name}: {baseline.accuracy(model, data.test):.1%} right")

# %% [markdown]
# Zero almost everywhere: nothing. The *straight-through estimator* pretends that it is one inside the range,
# and zero where a weight is clipped. The gradient is wrong in detail and right in direction: at two bits it
# wins back 17 of the 20 points.

# %% tags=["view"]
quiz("advquant.ste")

# %% [markdown]
# ## Outliers that move house
#
# One input of a layer is a hundred times larger than the rest. **Predict:** which suffers more in INT8, the
# inputs or the weights?

# %%
plain, loud = rng.normal(0, 1, (256, 32)), np.arange(32) == 5
w = rng.normal(0, 0.1, (32, 16))
x = np.where(loud, 100 * plain, plain)
for alpha in (0, 0.25, 0.5, 0.75, 1):
    print(f"alpha {alpha:4}: output off by {smooth.output_error(x, w, alpha):.4f}")

# %% [markdown]
# The inputs: their step fits the outlier. SmoothQuant divides each input by s and multiplies its weights
# by s, so that the product stays. With s = max|x|^alpha / max|w|^(1 - alpha), alpha says how much of the
# outlier moves. Too much, and the weights have it instead. Is there anything to gain without an outlier?

# %% tags=["view"]
explore(
    lambda outlier: canvases.curves(
        f"One input of 32 is {outlier} times larger",
        svg.Axis("alpha", 0, 1),
        svg.Axis("error of the output, root mean square", 0, 0.3),
        smooth.error_curves(np.where(loud, outlier * plain, plain), w),
        "INT8, one scale for the inputs and one for the weights",
    ),
    outlier=SelectionSlider(options=[1, 3, 10, 30, 100], value=100),
)

# %% [markdown]
# Little: without one the curve is flat in the middle. The louder the input, the deeper the valley between the
# two ways to go wrong.

# %% tags=["view"]
quiz("advquant.smoothquant")

# %% [markdown]
# ## Rounding with the inputs in mind
#
# GPTQ rounds weights one by one; those not yet rounded make up for the error. **Predict:** are its weights
# nearer to the original than those rounded to nearest?

# %%
for name, code in (
    ("nearest", quantize.weights(first, 3, "channel")),
    ("GPTQ", gptq.second_order(first, data.train.x, bits=3)),
):
    off = gptq.output_error(first, code.restored(), data.train.x)
    print(f"{name:7}: weights off by {code.error:.4f}, outputs off by {off:.4f}")

# %% [markdown]
# Farther, and yet the outputs are more than twice as close: what counts is the product with the inputs
# that really occur.
#
# ## Bits where they matter
#
# **Predict:** at two bits, which layer hurts more, the large first one or the small last one?

# %%
cost = mixed_precision.sensitivity(net, data.validation)
size = mixed_precision.sizes(net)
for part in (0, 1):
    print(f"layer {part}: loss {cost[part, 2]:+.3f} at 2 bits, {size[part, 8] - size[part, 2]:,} B saved")
plan = mixed_precision.exhaustive(cost, size, budget_bytes=1000)
print(f"best plan within 1,000 B: {plan.bits} bits, {plan.bytes:,} B")

# %% [markdown]
# The small one hurts more and saves less, so it keeps its eight bits, and the large one goes down to two.
#
# ## Formats that float
#
# Sixteen bits can be FP16 or BF16; four bits can be NF4, whose levels are quantiles of a bell curve.
# **Predict:** which of the two 16-bit formats holds 70,000?

# %%
for f in (floats.FP32, floats.FP16, floats.BF16, floats.FP8_E4M3):
    print(f"{f!s:8} step at 1 {f.epsilon:.7f}, up to {f.max_value:.3g}; 70,000 becomes {f.rounded(7e4):,.0f}")
params = 7_000_000_000
for name, size in (("BF16", floats.BF16.stored_bytes(params)), ("NF4", floats.nf4_bytes(params))):
    print(f"7 billion weights in {name}: {size / GB:.2f} GB, {8 * size / params:.3f} bits each")

# %% [markdown]
# BF16 keeps the range of FP32 and only two or three digits; FP16 is finer and overflows. This FP8 has no
# infinity: it stays at its largest value. NF4 is more than four bits: each block of 64 weights has a scale,
# even though the scales are quantized too.
#
# **Common slip:** "four bits, so 3.5 GB". Those are the codes without their scales.

# %% tags=["view"]
quiz("advquant.int4_gb")
