# %%
import math

import numpy as np
from ipywidgets import FloatSlider, IntSlider, SelectionSlider

from tinylib.formats import lut
from tinylib.formats.qformat import QFormat, safe_products
from tinylib.lab import explore, quiz
from tinylib.nets.arithmetic import Fixed
from tinylib.nets.matmul import EXACT
from tinylib.show import canvases, svg

# %% [markdown]
# ## A real number in an integer
#
# Many small chips add and multiply integers only. So agree on what 1.0 is: in Q8.8, eight integer bits and
# eight fraction bits, it is the integer 256. **Predict:** which integer stores -1.25?

# %%
q = QFormat(8, 8)
for value in (1.5, -1.25, 0.1):
    raw = q.to_raw(value)
    print(f"{value:5} -> code {raw:4}, in memory {q.to_word(raw):6,}, back {q.to_value(raw)}")

# %% [markdown]
# The code is -320, since -1.25 x 256 = -320; memory holds it in two's complement, as 2^16 - 320. A tenth
# has no finite binary fraction, so 0.1 moves to the nearest code.
#
# **Common slip:** a ninth bit for the sign. The sign *is* one of the eight integer bits: its place counts
# -2^7. Move the point and watch the boxes: how few integer bits still hold -1.25, and what do saturating and
# wrapping make of it with one bit less?

# %% tags=["view"]
explore(
    canvases.bit_field,
    value=FloatSlider(value=-1.25, min=-200, max=200, step=0.05),
    int_bits=IntSlider(value=8, min=1, max=16),
    frac_bits=IntSlider(value=8, min=0, max=16),
    rounding=["nearest", "floor", "toward_zero"],
    overflow=["saturate", "wrap"],
)

# %% tags=["view"]
quiz("qformat.resolution")

# %% tags=["view"]
quiz("qformat.raw_1p5_q16")

# %% [markdown]
# ## Range against step
#
# Sixteen bits can be split in many ways. **Predict:** which of these three stores pi best, and which not
# at all?

# %%
for q16 in (QFormat(8, 8), QFormat(4, 12), QFormat(1, 15)):
    stored = q16.to_value(q16.to_raw(math.pi))
    print(f"{q16!s:6} {q16.min_value:6} to {q16.max_value:.5f}, step {q16.step:.6f}: pi is {stored:.5f}")

# %% [markdown]
# Q4.12. Each bit that goes to the fraction halves the step *and* the range: Q1.15 ends one code below 1, so
# pi stops there.

# %% tags=["view"]
quiz("qformat.max_q8_8")

# %% [markdown]
# ## Past the end
#
# **Predict:** 100 + 50 in Q8.8. Does 150 come out, or 127.99609375, or -106?

# %%
a, b = q.to_raw(100), q.to_raw(50)
for overflow in ("wrap", "saturate"):
    print(f"{overflow:8}: {q.to_value(q.add(a, b, overflow))}")

# %% [markdown]
# Either of the last two, as the format's policy says. A wrap keeps the low bits and costs nothing; what it
# loses is a whole turn, 2^8 = 256.
#
# **Common slip:** blaming the training when one sum wrapped, and the largest value had become the smallest.
# In the staircase, how far off can one wrapped value be? And which rounding has a tread twice as wide as the
# others?

# %% tags=["view"]
explore(
    canvases.staircase,
    int_bits=IntSlider(value=2, min=1, max=4),
    frac_bits=IntSlider(value=2, min=0, max=2),
    rounding=["nearest", "floor", "toward_zero"],
    overflow=["saturate", "wrap"],
)

# %% tags=["view"]
quiz("qformat.wrap")

# %% tags=["view"]
quiz("qformat.saturate")

# %% [markdown]
# ## Products have too many bits
#
# Two codes with eight fraction bits give a product with sixteen; half of them are dropped. A shift to the
# right rounds down. A division in C cuts toward zero. **Predict:** is x times 0.5 the same as x divided by 2?

# %%
half, two = q.to_raw(0.5), q.to_raw(2.0)
for raw in (5, -5, -1):
    print(f"code {raw:2}: times 0.5 is {q.mul(raw, half, 'floor'):2}, divided by 2 is {q.div(raw, two):2}")

# %% [markdown]
# Not below zero: -2.5 goes down to -3, and toward zero to -2. The last line never dies out: a weight that
# decays by halving stays at -1 for ever. How much does each rounding shift an average of many products?

# %%
rng = np.random.default_rng(7)
x, w = rng.integers(-512, 512, (2, 10_000))
for rounding in ("floor", "toward_zero", "nearest"):
    drift = Fixed(q, rounding).mul(x, w) - x * w / q.one
    print(f"{rounding:12} {drift.mean():+.3f} steps on average, at most {abs(drift).max():.3f}")

# %% [markdown]
# Floor loses half a step per product, always downwards. `nearest` costs one addition more, half a step
# before the shift.

# %% tags=["view"]
quiz("qformat.mul_trunc")

# %% [markdown]
# ## A dot product: round each time, or once?
#
# **Predict:** a neuron sums 1,000 floored products. How many steps is the sum off: one, thirty or five
# hundred?

# %%
x, w = rng.integers(-128, 128, (1, 1000)), rng.integers(-128, 128, (1000, 1))
exact = (x @ w)[0, 0] / q.one
for accumulation in ("per_product", "wide"):
    y = Fixed(q, "floor", "saturate", accumulation).dot(x, w)[0, 0]
    print(f"{accumulation:11} {y:4} codes, {y - exact:+8.2f} steps off")

# %% [markdown]
# Almost five hundred: errors of one sign add up, half a step each. Do those of the other roundings?

# %% tags=["view"]
x, w, names = x[0], w[:, 0], ("floor", "toward_zero", "nearest")
errors = {name: np.cumsum(Fixed(q, name).mul(x, w) - x * w / q.one) for name in names}
explore(
    lambda products: canvases.curves(
        "The error of a growing sum in Q8.8",
        svg.Axis("products added", 0, products),
        svg.Axis("error of the sum [steps]", -500, 50),
        {name: list(enumerate(error.tolist(), 1))[:products] for name, error in errors.items()},
        "each product rounded; one step is 1 / 256",
    ),
    products=IntSlider(value=1000, min=50, max=1000, step=50),
)

# %% [markdown]
# Hardly: errors of both signs cancel, and floor alone drifts. A *wide* accumulator keeps all bits until the
# end and rounds once; it needs room. **Predict:** how many products of 16-bit codes fit 32 bits?

# %%
print(f"products of 8-bit codes in 32 bits: {safe_products(128, 128, 32):,}")
print(f"products of 16-bit codes in 32 bits: {safe_products(2**15, 2**15, 32):,}")
print(f"products of 16-bit codes, exact in a float64: {EXACT // 2**30:,}")

# %% [markdown]
# A single one, if both codes are the lowest: two would make 2^31, one too many. That is why signal processors
# sum 16-bit codes in 40 bits or more. (Last line: below 2^53 a float64 holds every integer, so numpy's fast
# floating-point product sums codes without a rounding. `tinylib.nets.matmul` checks that bound first.)

# %% tags=["view"]
quiz("qformat.acc_headroom")

# %% [markdown]
# ## tanh without tanh
#
# A table holds tanh at 96 nodes, -6 to 5.875 in steps of 1/8; a straight line joins neighbours.
# **Predict:** how many bytes is that in Q16.16, and how many decimals come out right?

# %%
fine = QFormat(16, 16)
nodes = lut.table("tanh", fine)
for x in (0.0625, 0.6875, 3.3):
    read = fine.to_value(lut.read(nodes, fine.to_raw(x), fine))
    print(f"tanh({x}) read as {read:.6f}, off by {read - math.tanh(x):+.6f}")
print(f"{lut.table_bytes(len(nodes), 4)} B, error at most {lut.interpolation_bound(1 / 8):.6f} + 2 steps")

# %% [markdown]
# Two or three decimals for 384 B. The line misses most where tanh bends most, and its error falls with
# the *square* of the step.

# %% tags=["view"]
explore(
    canvases.lut_error,
    function=["tanh", "sigmoid"],
    per_unit=SelectionSlider(options=[1, 2, 4, 8, 16, 32, 64], value=8, description="nodes per 1"),
    frac_bits=IntSlider(value=16, min=6, max=16),
    reading=["line", "nearest"],
)

# %% [markdown]
# **Predict** with the sliders: in Q8.8, do more than eight nodes per unit help?
#
# **Common slip:** a finer table for a coarse format. Once the dashed bound sits on the dotted step, more
# nodes cost bytes and mend nothing; and beyond the last node the curve is held flat whatever you do.

# %% tags=["view"]
quiz("lut.bytes")

# %% tags=["view"]
quiz("lut.interp_error")

# %% [markdown]
# ## What the reference library does differently, and why ours is right
#
# Our rules are compared, code for code, with the C++ library in github.com/danmcleran/tinymind. Where the
# two part:
#
# | rule | there | here |
# |---|---|---|
# | saturating top | the integer part alone, 127.0 in Q8.8 | the true maximum: every code is a number |
# | `Q(1)` | the *raw* integer 1, so 2^-8 | `to_raw(1.0)` takes values, `code(1)` raw integers |
# | product, quotient | floor, and cut toward zero | the same by default in `Fixed`, but each by its name |
# | table | where x equals a node's *value*, that value | kept: every published result contains it |
#
# **Predict:** what does their top make of Q1.7, the format of audio samples?

# %%
for narrow in (QFormat(8, 8), QFormat(1, 7)):
    without_fraction = (2 ** (narrow.int_bits - 1) - 1) << narrow.frac_bits
    print(f"{narrow} tops out at {narrow.to_value(without_fraction)} there, {narrow.max_value} here")
odd = [raw for raw in nodes if raw and lut.read(nodes, raw, fine) == raw]
worst = max(abs(fine.to_value(raw) - math.tanh(fine.to_value(raw))) for raw in odd)
print(f"the table's shortcut answers {len(odd)} codes of {2**32:,}, off by up to {worst:.4f}")

# %% [markdown]
# With their top, Q1.7 turns every positive result into 0. The shortcut compares an x with a y: at a dozen
# inputs it is fifty times worse than the line. Rare enough to miss in a test, and a reason to compare
# *all* codes of a small format, not a sample.
