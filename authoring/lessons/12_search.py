# %%
import math

import numpy as np
from ipywidgets import FloatSlider, Play

from tinylib.compress import baseline, darts, search
from tinylib.cost import compression, devices
from tinylib.datasets import digits
from tinylib.lab import explore, quiz
from tinylib.show import canvases
from tinylib.show.search import Point, diagonal_ms

# %% [markdown]
# ## How many networks are there?
#
# A search draws a *cell*, a small graph that the network repeats. Here it has 14 edges, and each takes one of
# 7 operations: a convolution, a pooling, a skip. **Predict:** at one second a network, does trying them all
# take a week, a century, or longer?

# %%
cells = compression.search_space([7] * 14)
print(f"{cells:,} cells = 10^{math.log10(cells):.1f}, {cells / (365.25 * 24 * 3600):,.0f} years")
own = [len(values) for values in search.CHOICES.values()]
print("the small space of this lesson:", " x ".join(map(str, own)), "=", f"{compression.search_space(own):,}")

# %% [markdown]
# Each further edge *multiplies* the count. So a search tries a few hundred networks and lets each teach the
# next, or it trains one network that holds them all.
#
# **Common slip:** adding choices, or multiplying edges by operations.

# %% tags=["view"]
quiz("nas.space_log10")

# %% tags=["view"]
quiz("nas.darts_speedup")

# %% [markdown]
# ## All operations at once
#
# A differentiable search runs all candidates of a layer and mixes their outputs. The shares p are the
# softmax of *architecture parameters*, which train like weights. **Predict:** three operations take 10, 5 and
# 2 ms and have about 60, 30 and 10 % of the mix. What is its expected latency E?

# %%
latencies, alpha = (10, 5, 2), (0.7, 0.0, -1.1)
shares = compression.softmax(alpha)
mean = compression.expected_latency_ms(shares, latencies)
print("shares:", ", ".join(f"{p:.2f}" for p in shares), f"expected latency {mean:.2f} ms")

# %% [markdown]
# Each latency l counts with its share: E is the sum of p l, near the slow operation, which has most of it.

# %% tags=["view"]
quiz("nas.softmax_p0")

# %% tags=["view"]
quiz("nas.expected_latency")

# %% [markdown]
# ## Which way does latency pull?
#
# To make the network fast, walk down the gradient of E. **Predict:** is the derivative by the parameter of
# the *fastest* operation positive or negative?

# %%
gradient = compression.latency_gradient_ms(shares, latencies)
nudged = compression.softmax((alpha[0], alpha[1], alpha[2] + 1e-6))
rise = (compression.expected_latency_ms(nudged, latencies) - mean) / 1e-6
print("by p (l - E):   ", ", ".join(f"{g:+.3f}" for g in gradient))
print(f"by a small step, the fastest: {rise:+.3f}")
print("by p (1 - p) l: ", ", ".join(f"{g:+.3f}" for g in diagonal_ms(shares, latencies)))

# %% [markdown]
# Negative: to raise a fast operation is to lower all the others, so E falls. The last line is a formula
# that circulates; it is positive for every operation. Does that matter for a descent? Take one step with
# each:

# %%
start, times = (-2.0, 0.3, 0.2), (10, 5, 5)
p = compression.softmax(start)
print(f"start: {compression.expected_latency_ms(p, times):.3f} ms")
for name, slope in (
    ("right", compression.latency_gradient_ms(p, times)),
    ("diagonal", diagonal_ms(p, times)),
):
    after = compression.softmax([a - 0.5 * g for a, g in zip(start, slope)])
    print(f"{name:8} step: {compression.expected_latency_ms(after, times):.3f} ms")

# %% [markdown]
# It does: the wrong one makes the network *slower*, as it pushes down most what is likely, slow or not.
#
# > **What the source text says differently.** It gives p (1 - p) l as the derivative: the diagonal of the
# > softmax's Jacobian alone, with the wrong sign for every operation that is faster than the mean. All
# > probabilities move with each parameter; summed up, p (l - E) is left (Cai et al., arXiv 1812.00332,
# > section 3.3). Two checks need no book: the entries add up to zero, and a small difference agrees.
#
# Find a mix in which the middle operation gets a plus. What has to be true of E?

# %% tags=["view"]
explore(
    lambda first, second, third: canvases.latency_mix(
        (first, second, third), latencies, ("conv 5x5", "conv 3x3", "skip")
    ),
    first=FloatSlider(value=0.7, min=-4, max=4, step=0.1),
    second=FloatSlider(value=0, min=-4, max=4, step=0.1),
    third=FloatSlider(value=-1.1, min=-4, max=4, step=0.1),
)

# %% tags=["view"]
quiz("nas.latency_gradient")

# %% [markdown]
# ## Paying for speed
#
# A search that trains networks one by one needs a single score. MnasNet multiplies: R = ACC x (LAT /
# TARGET)^w with w = -0.07. **Predict:** 75 % at 60 ms or 76 % at 120 ms, target 80 ms: which scores higher?

# %%
for accuracy, latency in ((0.75, 60), (0.76, 120), (0.79, 120)):
    print(f"{accuracy:.0%} at {latency} ms: reward {compression.mnasnet_reward(accuracy, latency, 80):.4f}")
print(f"twice as slow costs {1 - 2**-0.07:.1%} of the reward")

# %% [markdown]
# The fast one, until the slow one is about four points better: -0.07 was chosen so that doubling the
# latency is worth 5 % of the accuracy (Tan et al., arXiv 1807.11626, section 3).
#
# **Common slip:** TARGET / LAT. With a negative exponent the *slower* network then wins, and one text
# prints it so. Try an extreme: ten times faster must score higher.

# %% tags=["view"]
quiz("nas.mnasnet_reward")

# %% [markdown]
# ## A search for one chip
#
# An STM32L011 has 2 KiB of SRAM and 16 KiB of flash. Give the model half of each, and 1 ms. Six generations
# of five networks read digits. The first five are drawn at random; later ones are children of the best so
# far, two parents mixed and a choice changed. Shapes alone decide what fits, so nothing is trained in vain.
# **Predict:** in which generation is the best network found?

# %%
chip, limits = devices.named("stm32l011"), search.budget("stm32l011", share=0.5, latency_ms=1)
print(f"{limits.sram_bytes:,} B SRAM, {limits.flash_bytes:,} B flash, {limits.macs:,.0f} MACs in 1 ms")
found = search.evolve(limits, generations=6, population=5, epochs=4)
for c in search.front(found):
    costs = f"{c.macs:5,} MACs {c.flash_bytes:5,} B"
    print(f"{c.genome!s:10} {100 * c.accuracy:.1f} % {costs}, generation {c.generation}")

# %% [markdown]
# These are the ones that no other beats in both accuracy and MACs: the Pareto front. The most accurate has
# been there from generation 0. A name lists the layers: `c4k3` is four 3x3 filters, `h32` a hidden layer of
# 32. Read where each keeps its weights and its work.

# %% tags=["view"]
nets = {str(c.genome): search.build(c.genome, np.random.default_rng(0)) for c in search.front(found)}
explore(lambda name: canvases.diagram(nets[name].model((8, 8, 1), name)), name=list(nets))

# %% [markdown]
# Now play the generations; a cross is too slow for the limit. At 0.5 ms, which generation brings
# the last progress?

# %% tags=["view"]
rate = chip.clock_hz * chip.macs_per_cycle_int8 / 1000  # MACs in a millisecond
groups = [[(c.macs / rate, c.accuracy) for c in found if c.generation == g] for g in range(6)]
explore(
    lambda generation, limit_ms: canvases.evolution(
        [[(ms, right, ms <= limit_ms) for ms, right in group] for group in groups], generation, "latency [ms]"
    ),
    generation=Play(value=5, min=0, max=5, interval=900),
    limit_ms=FloatSlider(value=0.5, min=0.1, max=1, step=0.1),
)

# %% [markdown]
# Now tighten the limits yourself. **Predict:** which one shuts out most: SRAM, flash or time?

# %% tags=["view"]
points = [Point(str(c.genome), c.accuracy, c.macs / rate, c.sram_bytes, c.flash_bytes) for c in found]
explore(
    lambda sram_kib, flash_kib, latency_ms, across: canvases.pareto(
        points, sram_kib, flash_kib, latency_ms, across
    ),
    sram_kib=FloatSlider(value=0.6, min=0.1, max=1, step=0.1),
    flash_kib=FloatSlider(value=4, min=0.5, max=8, step=0.5),
    latency_ms=FloatSlider(value=0.6, min=0.1, max=1, step=0.1),
    across=["latency", "SRAM", "flash"],
)

# %% [markdown]
# Time, at these limits, as the last lines count. Another chip has another tightest limit; find a setting
# where SRAM shuts out most.
#
# ## Was it the breeding?
#
# **Predict:** thirty networks drawn at random, with the same limits and the same training: how much worse
# is their best?

# %%
drawn = search.evolve(limits, generations=6, population=5, epochs=4, breed=False)
for name, candidates in (("bred", found), ("drawn", drawn)):
    best = max(candidates, key=lambda c: c.accuracy)
    print(f"{name}: best {best.genome}, {100 * best.accuracy:.1f} % on validation images, "
          f"{100 * best.test_accuracy:.1f} % on test images, generation {best.generation}")  # fmt: skip

# %% [markdown]
# Not at all, this time: the best was among the first five, which are random in both. Thirty networks are
# few, and this small space is kind. Random drawing with the same budget is the baseline that any search has
# to beat; several published ones hardly did (Li & Talwalkar, arXiv 1902.07638).
#
# **Common slip:** believing the validation figure of a winner. It was chosen *for* that figure; the test
# images did not choose.
#
# ## One network that holds them all
#
# DARTS (arXiv 1806.09055) trains weights on one half of the images and architecture parameters on the other,
# in turn. The price of a millisecond enters the loss: L + price x E. **Predict:** what does each of two
# layers choose when time costs nothing, and when it is dear?

# %%
data, results = digits(), {}
for price in (0, 0.1, 1):
    results[price] = result = darts.search(data.train, latency_weight=price, channels=4, epochs=8)
    right = baseline.accuracy(darts.trained(result, data.train, epochs=10), data.test)
    names = " and ".join(result.chosen)
    print(f"{price:3} nat/ms: {names}, {100 * right:.1f} % right, mix at {result.latencies_ms[-1]:.2f} ms")

# %% [markdown]
# Free of charge it takes large convolutions; for a small price a cheap one or none; if time is dear, none at
# all. The accuracies belong to the chosen operations, four channels wide and trained anew. Follow the
# shares while they learn: where is the choice a narrow one?

# %% tags=["view"]
explore(
    lambda price, layer: canvases.share_curves(
        [alpha[layer].tolist() for alpha in results[price].alphas],
        darts.OPERATIONS,
        f"Shares of the operations in layer {layer}",
        f"{price} nat per millisecond",
    ),
    price=[0, 0.1, 1],
    layer=[1, 0],
)

# %% [markdown]
# In layer 1, free of charge: `conv3` and `conv5` do nearly the same and both keep a share. To take the larger
# is a rounding of its own, which is why the chosen network is trained again before anybody quotes its
# accuracy.
