# %%
from ipywidgets import IntSlider, Play, SelectionSlider

from tinylib.cost import devices, growth, memory
from tinylib.lab import explore, quiz
from tinylib.show import canvases
from tinylib.units import GB, KIB

# %% [markdown]
# ## How heavy is a "7B" model?
#
# "7B" counts parameters: 7,000,000,000 numbers to store.
# **Predict first:** in 16 bits each, is that 7 GB, 14 GB or 112 GB? (1 GB = 10^9 bytes)

# %%
params = 7_000_000_000
for bits in (32, 16, 8, 4):
    size_gb = memory.weight_bytes(params, bits) / GB
    print(f"{bits:2} bits each: {size_gb:g} GB, {8 * size_gb:g} gigabits")

# %% [markdown]
# Two bytes each: 14 GB. **Common slip:** forgetting that a byte is 8 bits gives 112 *gigabits*.

# %% tags=["view"]
quiz("gap.fp16_gb")

# %% [markdown]
# ## Into a phone?
#
# A phone has 8 GB of memory, for all that runs on it. **Predict:** which of the widths fit?

# %%
phone = 8 * GB
for bits in (16, 8, 4):
    print(f"{bits:2} bits: {memory.weight_bytes(params, bits) / phone:.0%} of the phone's memory")

# %% [markdown]
# 8 bits and 4 bits, but "fits" is not yet "runs": the system and the values computed on the way need room.

# %% tags=["view"]
quiz("gap.phone_ratio")

# %% [markdown]
# ## Into a microcontroller?
#
# The budget of this course is 256 KiB of SRAM (1 KiB = 1024 bytes). **Predict:** how many times as large
# are the 16-bit weights: a hundred, a thousand, or more than ten thousand times?

# %%
sram = devices.named("course").sram_bytes
weights = memory.weight_bytes(params, 16)
print(f"{weights:,} B / {sram:,} B = {weights / sram:,.0f} times")
print(f"a bar of 1 km for the model leaves {1e6 * sram / weights:.1f} mm for the SRAM")

# %% [markdown]
# No linear chart shows both. The figure takes the *largest* published model of each year, in 16 bits: switch
# the scale and see which bars are left. On a log scale a step *multiplies*.

# %% tags=["view"]
explore(canvases.gap_bars, year=IntSlider(value=2020, min=2017, max=2023), scale=["log", "linear"])

# %% [markdown]
# **Common slip:** dividing GB by KB and losing powers of ten. Write both as bytes first.

# %% tags=["view"]
quiz("gap.mcu_ratio")

# %% [markdown]
# ## A model that belongs there
#
# Four bits would still leave 13,351 times the SRAM. A microcontroller gets *another model*, built for
# one job. **Predict:** does one with a million INT8 weights (1 byte each) run in 256 KiB of SRAM?

# %%
print(f"4-bit 7B model: {memory.weight_bytes(params, 4) / sram:,.0f} times the SRAM")
chip = devices.named("nano33ble")
small = memory.weight_bytes(1_000_000, 8)
print(chip.name)
print(f"SRAM {chip.sram_bytes:,} B, flash {chip.flash_bytes:,} B, weights {small:,} B")
print(f"flash left beside them: {chip.flash_bytes - small:,} B")

# %% [markdown]
# SRAM does not rule it out: weights are only read, so they stay in flash. The flash does: 48,576 B are
# too few for program, runtime and radio.
#
# **Common slip:** "larger than the SRAM, so it cannot run". Which memory holds the weights?

# %% tags=["view"]
quiz("gap.mcu_1m_int8")

# %% [markdown]
# ## How long for one token?
#
# Each weight is used once per token: one multiply-accumulate (MAC).
# **Predict:** at 60 million MAC per second, does a token take seconds, minutes or hours?

# %%
for rate in (60_000_000, 100_000_000, 480_000_000):
    seconds = params / rate
    print(f"{rate:>11,} MAC/s: {seconds:6.1f} s = {seconds / 60:4.1f} min for one token")
print(f"one token: {params / 1e9:g} GMAC = {2 * params / 1e9:g} GFLOP")

# %% [markdown]
# Minutes: endless memory would not help. **Common slip:** "14 billion MACs". Those are FLOPs: a MAC is a
# multiply *and* an add. Divide MAC by MAC/s, or FLOP by FLOP/s, never across.

# %% tags=["view"]
quiz("gap.seconds_per_token")

# %% [markdown]
# ## Is the gap growing?
#
# A rule of thumb: in two years models grow 4x and accelerator memory 2x. **Predict:** how far does the
# *ratio* grow in ten years?

# %%
step = growth.RULE["model"] / growth.RULE["gpu_memory"]
for years in (2, 8, 10):
    print(f"{years:2} years: {step:g} to the power {years // 2} = {step ** (years / 2):g} times")

# %% [markdown]
# 32 times. **Common slip:** adding the five steps of 2, which gives 10. Growth compounds: factors multiply.

# %% tags=["view"]
quiz("growth.ratio_4y")

# %% tags=["view"]
quiz("growth.ratio_6y")

# %% [markdown]
# ## Does the rule fit the points?
#
# A rule is a line someone drew; these points are published. **Predict**, then move the year: do they keep
# to the dashed lines?

# %% tags=["view"]
explore(canvases.growth_points, year=Play(value=2023, min=2017, max=2023, interval=900), rule=[True, False])

# %%
for kind, first, last in (("model", 2017, 2021), ("model", 2021, 2023), ("gpu_memory", 2017, 2023)):
    a, b = growth.largest(kind, first), growth.largest(kind, last)
    print(f"{first}-{last} {a.name} to {b.name}: {growth.per_two_years(kind, first, last):.2f}x in two years")

# %% [markdown]
# Memory does: 2.07x. Models do not: 49.88x until 2021, then the largest published ones stand still.
#
# **Common slip:** quoting a growth factor without its years. Ask for the points.

# %% [markdown]
# ## What does doubling buy?
#
# Why grow at all? A fit to many training runs (Hoffmann et al., 2022, arXiv 2203.15556) splits the loss of a
# language model, its mean surprise at the next token, in three: a floor, a term that falls with its
# parameters, and one that falls with the text. **Predict:** does doubling the parameters halve the loss, cut
# it by a tenth, or by about a hundredth?

# %%
start = sum(growth.loss_terms(70e9, 1.4e12).values())
for what, n, d in (("Chinchilla", 70e9, 1.4e12), ("twice N", 140e9, 1.4e12), ("twice D", 70e9, 2.8e12)):
    floor, size, text = growth.loss_terms(n, d).values()
    loss = floor + size + text
    print(f"{what:10} {floor} + {size:.3f} + {text:.3f} = {loss:.3f} nats a token, {loss / start - 1:+.1%}")

# %% [markdown]
# About a hundredth, for twice the training work; here twice the text buys more. Go the other way too: what
# does a model lose that is 64 times smaller?

# %% tags=["view"]
published = growth.loss_terms(70e9, 1.4e12)
explore(
    lambda params_b, tokens_t: canvases.stacked(
        "What size and text buy",
        {"70 B, 1.4 T": published, "yours": growth.loss_terms(params_b * 1e9, tokens_t * 1e12)},
        "loss [nats per token]",
        source="fit of Hoffmann et al., arXiv 2203.15556; arXiv 2404.10102 finds other constants",
    ),
    params_b=SelectionSlider(options=[1.1, 7, 70, 140, 560], value=140, description="billions"),
    tokens_t=SelectionSlider(options=[0.35, 0.7, 1.4, 2.8, 5.6], value=1.4, description="10^12 tokens"),
)

# %% [markdown]
# Some 13 % more loss. That is why small models are worth the trouble; a chip needs one smaller still.
#
# **Common slip:** "twice the size, half the loss". One term of three shrinks, and the floor stays.

# %% [markdown]
# ## And the microcontrollers?
#
# **Predict:** how much did the SRAM of the parts in the figure grow in the ten years to 2024?

# %%
for point in (p for p in growth.points() if p.kind == "mcu_sram"):
    print(f"{point.year}  {point.name:10} {point.size / KIB:4.0f} KiB")

# %% [markdown]
# Less than threefold, in five common parts (larger ones exist). Waiting does not close the gap; counting
# what a model needs, and then needing less, does.

# %% [markdown]
# ## From cloud to edge
#
# Two ways down: store the 7B model in fewer bits (*quantize* it, lesson 08), or let it teach a small student
# one job (*distil* it, lesson 11). **Predict:** which step reaches a microcontroller?

# %%
parts = [d for d in devices.DEVICES.values() if d.id != "course"]
stages = (("teacher", params, 16), ("teacher", params, 4), ("student", 10**6, 8), ("student", 10**6, 4))
for what, n, bits in stages:
    size = memory.weight_bytes(n, bits)
    fits = sum(d.flash_bytes - size >= 128 * KIB for d in parts)
    print(f"{what}, {bits:2} bits: {size:>14,} B fit into {fits} of {len(parts)} parts")

# %% [markdown]
# The student: fewer bits divide the size by 4, the student divides it by 7,000, as
# 7,000 x 1,000,000 = 7,000,000,000. Only then does INT4 open more parts (128 KiB of flash are kept for the
# program).
#
# **Common slip:** sending INT4 to fix what only another model can.
