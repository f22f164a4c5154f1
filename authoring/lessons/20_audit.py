# %%
from collections import Counter

from IPython.display import HTML
from ipywidgets import Dropdown, Text, ToggleButtons

from tinylib.cost import compression, footprint, latency, llm, roofline
from tinylib.lab import explore, quiz
from tinylib.practice.claims import SLIPS, claims, half_unit, holds, named
from tinylib.show import cheat_sheet
from tinylib.show.formula_card import formula_card
from tinylib.show.metrics import metrics
from tinylib.show.tornado import tornado

# %% [markdown]
# ## Would you sign this number?
#
# This book grew out of five published texts, and each has figures that do not hold. Good authors, plausible
# numbers: you would have copied them. **Predict:** a KV cache of 32 layers, 32 heads of 128, 512 tokens in
# FP16 is printed as 134 MB. Right?

# %%
claim = named("2-1")
print(f"printed {claim.printed} {claim.unit}")
print(f"counted {llm.kv_cache_bytes(32, 32, 128, 512) / 1e6:.1f} MB, ratio {claim.ratio:.2f}")

# %% [markdown]
# Half: one tensor of keys, and one of values. An audit has four steps. **Find** the figure that a decision
# hangs on, **prove** it from its parts, state the **number** that holds, and **name** the slip. Take a
# card, do the sum, then turn it over.

# %% tags=["view"]
explore(
    lambda claim, side: named(claim).card(side),
    claim=Dropdown(options=[(f"{c.name}: {c.printed} {c.unit}", c.id) for c in claims()], value="4-12"),
    side=ToggleButtons(options={"claim": False, "proof": True}, value=True),
)

# %% tags=["view"]
quiz("llm.kv_cache_mb")

# %% [markdown]
# ## How exact is a printed number?
#
# It stands for all that round to it. **Predict:** which of these figures hold: 8.0 for 7.89, 436 for
# 436.65, 120 for 120?

# %%
for name in ("2-3", "4-13", "0-10"):
    c = named(name)
    right = holds(c.printed, c.recomputed)
    print(f"{c.printed} +- {half_unit(c.printed):g} against {c.recomputed:.2f}: {right}")

# %% [markdown]
# "8.0" promises one decimal, and 436.65 was cut where it should have been rounded. Neither would sink a
# product. But an answer key that accepts such a figure marks the honest one wrong.
#
# **Common slip:** judging every claim by one percentage. The digits that were printed are the promise.

# %% tags=["view"]
quiz("counting.dws_ratio")

# %% [markdown]
# ## Check the units
#
# A lecture text puts the ridge of an A100 at 178 MAC per byte, and calls batch 256 memory-bound since it
# reaches 128. **Predict:** what is the ridge, in MAC and in FLOP per byte?

# %%
a100 = roofline.ridge_point(312e12, 2e12)
print(f"ridge {a100:.0f} FLOP/B = {a100 / 2:.0f} MAC/B")
layer = latency.dense_intensity(256, 2, 4096, 4096)
print(f"batch 256: at most {latency.dense_intensity(256, 2):.0f} FLOP/B, {layer:.0f} with its activations")
print(roofline.regime(layer, 312e12, 2e12))

# %% [markdown]
# The verdict turns round: compute-bound. MACs stood on one side and FLOPs on the other, and the data sheet
# counts FLOPs. Write the unit beside *every* number of a comparison.

# %% tags=["view"]
quiz("lat.b256_margin")

# %% tags=["view"]
quiz("energy.dram_once_uj")

# %% [markdown]
# ## Push it, and see whether it moves the right way
#
# You need no second source to catch a formula that is upside down. **Predict:** a search should prefer fast
# networks. Which of these two rewards does?

# %%
for ms in (40, 60, 80, 100):
    right = compression.mnasnet_reward(0.75, ms, 80)
    print(f"{ms:3} ms: LAT/T {right:.3f}   T/LAT {0.75 * (80 / ms) ** -0.07:.3f}")

# %% [markdown]
# The printed one, T/LAT with the same exponent, pays for being slow. A gradient can be pushed too: move the
# parameter a little and compare.

# %%
p, ms, small = [0.6, 0.3, 0.1], [10, 5, 2], 1e-6
mean = compression.expected_latency_ms(p, ms)
for i in range(3):
    moved = [q * (1 + small * ((i == j) - p[i])) for j, q in enumerate(p)]  # softmax, its logit i up a little
    pushed = sum(q * t for q, t in zip(moved, ms)) - mean
    print(f"pushed {pushed / small:5.2f}, p (lat - mean) {p[i] * (ms[i] - mean):5.2f}", end=", ")
    print(f"printed p (1 - p) lat {p[i] * (1 - p[i]) * ms[i]:.2f}")

# %% [markdown]
# The printed formula gives the fast operations the wrong sign: a search that follows it flees from them.
#
# **Common slip:** checking a formula at the point where it was derived. Check what happens when you move.

# %% tags=["view"]
quiz("nas.latency_gradient")

# %% [markdown]
# ## What exactly was counted?
#
# Trainable, a tiny network takes 640 B of RAM; at inference 208 B. "Three more values for each weight",
# says the text. **Predict:** how much of the 432 B do three values of 4 B for 17 connections explain?

# %%
c = named("1-3")
print(f"{c.recomputed:.0f} of {c.printed} B, {c.recomputed / c.claimed:.0%}")
for trainable in (True, False):
    net = footprint.Network("mlp", 2, 4, 1, weights="Q16.16", trainable=trainable)
    biggest = sorted(net.parts.items(), key=lambda part: -part[1])[:3]
    print(f"{net.bytes} B object:", ", ".join(f"{name} {size}" for name, size in biggest))

# %% [markdown]
# Half. The rest: a delta for each neuron, connections that nothing reads, and 96 B of statics of the
# program. A difference of two totals is seldom due to the one cause that comes to mind.

# %% tags=["view"]
quiz("bin.ratio_with_bias")

# %% [markdown]
# ## Whose number is it?
#
# "GPT-2 has 48 such blocks" of width 768, and so 227 M feed-forward parameters of 345 M. **Predict:** how
# many models are mixed in this sentence?

# %%
for name in ("gpt2_small", "gpt2_medium", "gpt2_xl"):
    t = llm.transformer(name)
    print(f"{name:12} {t.layers} blocks of width {t.width}, {t.params / 1e6:,.0f} M parameters")

# %% [markdown]
# Three: the blocks of the largest, the width of the smallest, the total of the middle one.

# %% tags=["view"]
quiz("params.gpt2_blocks_share")

# %% [markdown]
# ## Like with like?
#
# "18 times fewer parameters" is true of the liquid cell of lesson 17. **Predict:** it sees 128 samples. How
# many MACs do its 2,304 parameters make?

# %%
c = named("3-1")
print(f"{c.recomputed:,.0f} MACs, {1 / c.ratio:.0f} times what the parameters suggest")
c = named("3-4")
print(
    f"30 times less energy for an inference, {c.recomputed:.1f} times the battery life on a board that sleeps"
)

# %% [markdown]
# A parameter is used at every step, and a board sleeps between two inferences: neither saving was that of the
# thing one pays for.

# %% tags=["view"]
quiz("claim.window_macs")

# %% [markdown]
# ## Innocent
#
# A detective who finds every suspect guilty is of no use. **Predict:** an INT8 CfC cell with heads for 3
# states and a backbone of 4 is said to have 13 biases. You count 4 + 4 x 3. Guilty?

# %% tags=["view"]
quiz("qcfc.bytes")

# %%
for c in claims():
    if c.holds:
        print(f"{c.printed} {c.unit} holds. {c.why}")

# %% [markdown]
# ## All of them
#
# **Predict:** do more figures err on the large side or on the small? And which slip is the most frequent?

# %%
wrong = [c for c in claims() if not c.holds]
large = sum(c.ratio > 1 for c in wrong)
print(f"{len(wrong)} wrong: {large} too large, {len(wrong) - large} too small")
for slip, times in Counter(c.slip for c in wrong).most_common():
    print(f"{times} x {slip:10} {SLIPS[slip]}")

# %% tags=["view"]
explore(
    lambda slip: tornado(
        [(f"{c.name} ({c.slip})", c.claimed, c.recomputed) for c in claims() if slip in ("all", c.slip)],
    ),
    slip=Dropdown(options=["all", *SLIPS], value="all"),
)

# %% [markdown]
# Both ways alike, so this is no salesmanship, just arithmetic done in a hurry. The longest bars are the
# least dangerous: a factor of a thousand looks odd. A factor of two looks like a number.
#
# ## The cheat sheet
#
# Every metric with its formula, unit and calculator, and what each technique moves. Each example is computed
# as the page is made, and a test holds each formula against the library. The links lead to the lessons.
# `python -m tinylib.show.cheat_sheet > sheet.html` makes a page to print.

# %% tags=["view"]
HTML(cheat_sheet.sheet())

# %% [markdown]
# Each row calculates. Choose one, and write numbers of your own, such as `tokens = 4096, bits = 8`.

# %% tags=["view"]
explore(
    formula_card,
    name=Dropdown(options=[m.name for m in metrics()], value="KV cache"),
    changes=Text(value="tokens = 4096", continuous_update=False),
)
