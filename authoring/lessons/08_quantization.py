# %%
import numpy as np
from ipywidgets import FloatSlider, IntSlider, ToggleButtons

from tinylib.compress.quantize import METHODS, calibrate
from tinylib.compress.quantize import weights as quantized
from tinylib.formats import affine
from tinylib.lab import explore, quiz
from tinylib.nets.int8 import Int8Dense
from tinylib.show import canvases

# %% [markdown]
# ## A range, cut into codes
#
# A Q format has steps that are powers of two. An *affine* code fits its step to the data: x = S (q - Z).
# **Predict:** values from -2 to 6 become 8-bit codes. How long is a step, and which code means zero?

# %%
for code in (affine.asymmetric(-2, 6), affine.asymmetric(-2, 6, signed=True)):
    low, high = code.codes
    print(f"codes {low} to {high}: S = {code.scale:.6f}, Z = {code.zero_point}")

# %% [markdown]
# 256 codes have 255 gaps, so S = 8/255. UINT8 and INT8 name the same grid: codes and zero point differ
# by 128, the numbers they stand for do not.
#
# **Common slip:** dividing by 256, or calling 0 to 255 "INT8".

# %% tags=["view"]
quiz("quant.scale_asym")

# %% [markdown]
# ## There and back
#
# **Predict:** which of these values come back exactly: 1.5, 0, or 7?

# %%
code = affine.asymmetric(-2, 6)
for x in (1.5, 0.0, 7.0):
    q = code.quantize(x)
    print(f"{x} -> {q} -> {code.dequantize(q):.5f}, off by {abs(code.dequantize(q) - x):.5f}")
print(f"half a step is {code.scale / 2:.5f}")

# %% [markdown]
# Only zero, and that is by design: padding and ReLU produce exact zeros all the time, so zero has to be
# a code. 7 lies outside and *saturates*; everything inside is at most half a step off.

# %% tags=["view"]
quiz("quant.quantize")

# %% [markdown]
# ## Weights: symmetric
#
# Weights spread evenly around zero. Noise is measured against the signal, in decibels (dB): 10 dB more is a
# tenth of the squared error. **Predict:** what does it cost to insist on Z = 0 for them?

# %%
rng = np.random.default_rng(7)
weights = rng.laplace(0, 0.08, 2000)
codes = {
    "symmetric": affine.symmetric(abs(weights).max()),
    "asymmetric": affine.asymmetric(weights.min(), weights.max()),
}
for name, code in codes.items():
    restored = code.dequantize(code.quantize(weights))
    print(f"{name:10} Z = {code.zero_point:3}, {affine.sqnr_db(weights, restored):.1f} dB")

# %% [markdown]
# Next to nothing, 0.2 dB; and it saves work in *every* inference, as a zero point of the weights would
# multiply the sum of all inputs. The lowest code, -128, is left out, so that the grid is its own mirror
# image.
#
# Ticks under the bars are the codes. Narrow the range: what is cut off turns orange. Which share of the range
# gives four bits the least noise, and does eight bits agree?

# %% tags=["view"]
explore(
    lambda bits, kept, symmetric, signed: canvases.code_grid(weights, bits, kept, symmetric, signed),
    bits=IntSlider(value=4, min=2, max=8),
    kept=FloatSlider(value=1.0, min=0.05, max=1.0, step=0.05, description="range kept"),
    symmetric=ToggleButtons(options={"symmetric": True, "asymmetric": False}),
    signed=ToggleButtons(options={"INT": True, "UINT": False}),
)

# %% tags=["view"]
quiz("quant.symmetric_scale")

# %% [markdown]
# ## Which range? Calibration
#
# The largest weight may be an outlier, and a step long enough for it is coarse for all others.
# **Predict:** at 4 bits, does cutting it off help or harm? And at 8?

# %%
for bits in (8, 4):
    for method in METHODS:
        code = calibrate(weights, bits, method, symmetric=True)
        restored = code.dequantize(code.quantize(weights))
        top, noise = code.scale * code.codes[1], affine.sqnr_db(weights, restored)
        print(f"{bits} bits, {method:10}: range to {top:.3f}, {noise:.1f} dB")

# %% [markdown]
# At 4 bits it helps, at 8 it harms: few codes are too dear for outliers, many are not. `percentile` cuts a
# fixed share, blindly; `mse` tries ranges and keeps the one with the least squared error. How good is 16.6
# dB? The yardstick is a sine that fills the range:

# %%
for bits in (2, 4, 8):
    print(f"{bits} bits: {affine.ideal_sqnr_db(bits):.1f} dB")

# %% [markdown]
# Six decibels a bit. Weights are mostly small, so they stay below the sine, but the slope is theirs too.
# Add one outlier of your own; where do the three methods part?

# %% tags=["view"]
bits = range(2, 9)
explore(
    lambda outlier: canvases.sqnr_curves(
        {
            m: [(b, quantized(np.append(weights, outlier)[:, None], b, method=m).sqnr_db) for b in bits]
            for m in METHODS
        },
        f"2,000 weights, and one of {outlier:g}",
    ),
    outlier=(0.1, 4.0, 0.1),
)

# %% [markdown]
# A cut at a fixed share stops gaining: what lies outside is lost however fine the codes are. Min-max is
# wasteful at few bits, least squares keeps up with the better of the two.

# %% tags=["view"]
quiz("quant.sqnr")

# %% [markdown]
# ## A neuron without floating point
#
# With x = S_i (q_i - Z_i) and w = S_w q_w a dot product is S_i S_w times a sum of *integers*. **Predict:**
# where do the real scales go on a chip without floats?

# %%
x, w, bias = np.array([0.5, -1.2, 2.0]), np.array([0.3, -0.4, 0.1]), 0.25
x_code, y_code = affine.asymmetric(-1.5, 2.5, signed=True), affine.asymmetric(-1, 2, signed=True)
w_code = affine.symmetric(0.4)
q_x, q_w = x_code.quantize(x).astype(int), w_code.quantize(w).astype(int)
raw, shift = affine.multiplier(x_code.scale, w_code.scale, y_code.scale)
print(f"inputs {q_x}, zero at {x_code.zero_point}; weights {q_w}; M = {raw:,} x 2^-31 x 2^-{shift}")

# %% [markdown]
# Into one integer multiplier and one shift, computed beforehand: M = S_i S_w / S_o = m x 2^-shift with m
# in [0.5, 1). The bias is stored in steps of S_i S_w, in 32 bits, so it is simply added. From here on, only
# integers:

# %%
acc = affine.without_zero_point(q_w @ q_x, x_code.zero_point, q_w.sum())
acc = int(acc) + affine.bias_code(bias, x_code.scale, w_code.scale)
q_y = affine.clamp(affine.requantize(acc, raw, shift, y_code.zero_point), *affine.code_range())
print(f"accumulator {acc:,}, code {q_y}")
print(f"real {x @ w + bias:.4f}, by integers {y_code.dequantize(q_y):.4f}")

# %% [markdown]
# Within half a step of the real sum, and never a float.
#
# **Common slip:** subtracting the input's zero point once. It sits in every product, times its weight.

# %% tags=["view"]
quiz("quant.zp_correction")

# %% tags=["view"]
quiz("requant.bias")

# %% [markdown]
# ## Two rounding rules, both by name
#
# | rule | used by | how |
# |---|---|---|
# | `double` | LiteRT's reference convolutions | rounds the high half of the product, then the shift |
# | `single` | XNNPACK; LiteRT's dense kernel, in floats | adds half once, shifts once |
#
# LiteRT, once TensorFlow Lite, runs networks on small machines; XNNPACK are its fast kernels. The first rule
# comes from processors with an instruction for the high half. Step through this accumulator with both.
# **Predict:** can they ever differ by more than one code?

# %% tags=["view"]
explore(
    lambda acc, rounding, step: canvases.requantize_steps(acc, 0.0235, 0.0041, 0.047, -3, rounding, step),
    acc=IntSlider(value=2195, min=-60_000, max=60_000),
    rounding=["single", "double"],
    step=IntSlider(value=5, min=0, max=5),
)

# %%
raw, shift = affine.multiplier(0.0235, 0.0041, 0.047)
acc = np.arange(-60_000, 60_001)
single, double = (affine.requantize(acc, raw, shift, 0, rule) for rule in ("single", "double"))
print(f"{(single != double).sum():,} of {acc.size:,} differ, by at most {abs(single - double).max()}")
for name, y in (("single", single), ("double", double)):
    print(f"{name}: at most {abs(y - acc * 0.0235 * 0.0041 / 0.047).max():.4f} codes from the real value")

# %% [markdown]
# No: a second rounding can only push over a value that stood next to a half.
#
# ## What the reference libraries do differently, and why ours is right
#
# "Bit-exact" needs the name of a kernel. The same file gives other codes under LiteRT's reference kernels
# than under XNNPACK, by one, and within LiteRT the dense kernel follows another rule than the convolutions.
# A library with a single rule, such as github.com/danmcleran/tinymind with `double`, can agree with one of
# them at most. `nets.int8` takes the rule of each operator from the runtime you name, and agrees with both.

# %%
layer = Int8Dense(
    q_w.astype(np.int8)[None, :],
    np.array([w_code.scale]),
    np.array([affine.bias_code(bias, x_code.scale, w_code.scale)], np.int32),
    x_code,
    y_code,
)
print(layer.forward(q_x.astype(np.int8)[None, :])[0, 0], "==", q_y)

# %% [markdown]
# The library's layer gives the code that you computed by hand, product by product. Assignment 04 asks for the
# same steps with numbers of your own.
