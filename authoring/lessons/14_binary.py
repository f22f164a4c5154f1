# %%
from dataclasses import replace

import numpy as np
from ipywidgets import IntSlider, ToggleButtons

from tinylib.compress import baseline
from tinylib.datasets import digits
from tinylib.formats import bits
from tinylib.lab import explore, quiz
from tinylib.nets import BinaryDense, Dense, Network, TernaryDense
from tinylib.nets.int8 import from_float
from tinylib.show import canvases

# %% [markdown]
# ## One bit for a weight
#
# A weight that may only be +1 or -1 needs one bit. **Predict:** by which factor does a dense layer of 64
# inputs and 16 outputs shrink, from double precision, if it keeps its sixteen 8-byte biases?

# %%
full = 8 * (64 * 16 + 16)
for name, width in (("binary", 1), ("ternary", 2)):
    packed = bits.layer_bytes(64, 16, width, bias_bytes=8)
    print(f"{name:7} {packed} B instead of {full:,} B: {full / packed:.1f} x smaller")

# %% [markdown]
# Not 64 times: the biases do not shrink, and here they are half of what is left. A chip reads the bits in
# words of 32. Step through the rows below: where in the words does the third row begin? And what becomes of
# the words when some weights are 0?

# %%
rng = np.random.default_rng(5)
rows = np.sign(rng.normal(size=(4, 12))).astype(int).tolist()
x = np.sign(rng.normal(size=12)).astype(int).tolist()
holes = (np.array(rows) * (np.random.default_rng(0).random((4, 12)) < 0.6)).tolist()

# %% tags=["view"]
explore(
    lambda weights, row: canvases.bit_matrix(weights, x, row),
    weights=ToggleButtons(options={"binary": rows, "ternary": holes}),
    row=IntSlider(value=0, min=0, max=3),
)

# %% tags=["view"]
quiz("bin.bytes")

# %% tags=["view"]
quiz("bin.ratio_with_bias")

# %% [markdown]
# ## Multiplying by counting
#
# The product of two signs is +1 where they agree. XNOR puts a 1 at each such place, popcount counts them: a
# dot product of 32 values in two instructions. **Predict:** 8 of 12 places agree. What is the dot product?

# %%
a, b = bits.pack(x), bits.pack(rows[0])
print(f"{a[0]:012b} and {b[0]:012b}")
print(f"XNOR and popcount: {bits.xnor_dot(a, b, 12)}, multiplied: {np.dot(x, rows[0])}")

# %% [markdown]
# Agreeing places add one, the others take one away: with p of n places agreeing, 2 p - n. (The words are
# printed as numbers are: weight 0 is the last digit.)
#
# **Common slip:** taking the popcount for the dot product, or counting the spare bits of the last word, which
# always agree.

# %% tags=["view"]
quiz("bin.xnor_dot")

# %% tags=["view"]
quiz("bin.word_ops")

# %% [markdown]
# ## A third value
#
# A ternary weight may also be 0. Small weights become 0: those below a share of the *mean magnitude*.
# **Predict:** at 70 % of the mean, how many of normally distributed weights vanish: 1, 4 or 7 in 10?

# %%
layer = TernaryDense(rng.normal(size=(64, 16)), np.zeros(16))
signs = layer.quantized()
print(f"threshold {layer.threshold().item():.2f}, zeros {np.mean(signs == 0):.0%}")
print("first weights", layer.w[0, :5].round(2), "become", signs[0, :5].astype(int))

# %% [markdown]
# Four in ten. Two bits hold four values, and a ternary weight has three. **Predict:** five of them have
# 3^5 = 243 combinations, which fit into a byte. How many bits is that for a weight?

# %%
for name, size in (("two bits", bits.packed_bytes(64 * 16, 2)), ("five to a byte", bits.trit_bytes(64 * 16))):
    print(f"{name:14} {size} B, {8 * size / (64 * 16):.2f} bits a weight")

# %% tags=["view"]
quiz("bin.tern_bytes")

# %% tags=["view"]
quiz("bin.tern_dense_pack")

# %% [markdown]
# > **What the reference library does differently.** The C++ library behind the published sizes,
# > github.com/danmcleran/tinymind, forms the mean in the format of the weights: in Q8.8 the number of
# > weights, 128, does not fit and becomes -128, so no weight is ever 0, and with 1,024 weights it divides by
# > zero. Here the mean is formed exactly. Its binary weights are also all -1 until they are packed for the
# > first time; ours follow the latent weights at every call.

# %% [markdown]
# ## Learning what cannot move a little
#
# The slope of a sign is 0, so no gradient gets through. The trick: keep *latent* real weights, use their
# signs forward, and pretend backward that the sign was not there (the straight-through estimator of lesson
# 09). A binary layer takes the sign of its inputs as well. **Predict:** what does it see of pixels that lie
# between 0 and 1?

# %%
data = digits()
part = BinaryDense.draw(np.random.default_rng(0), 64, 64)
for name, pixels in (("0 to 1", data.train.x), ("-0.5 to 0.5", data.train.x - 0.5)):
    seen = part.forward(pixels)[1][0]
    print(f"pixels {name:11}: {np.mean(seen > 0):.0%} of the inputs are +1")

# %% [markdown]
# Nothing: every pixel from 0 upwards is +1. Look at what is left of a digit, before and after centring:

# %% tags=["view"]
explore(
    lambda image, centre: canvases.images(
        "What a binary layer sees",
        {
            "pixels, 0 to 1": data.test.x[image].reshape(8, 8).tolist(),
            "their signs": (data.test.x[image] >= centre).astype(float).reshape(8, 8).tolist(),
        },
        f"filled: pixel - {centre:g} is not negative",
    ),
    image=IntSlider(value=0, min=0, max=299),
    centre=[0.5, 0.25, 0],
)

# %% [markdown]
# Centre the inputs first: 64 bits still show the digit. Now one network is to be stored in four ways. Its
# parameters and MACs do not change; the bits of a parameter do, and a MAC becomes an addition or a count.
#
# **Predict:** how many points of accuracy does each kind cost?

# %%
train, test = (replace(part, x=part.x - 0.5) for part in (data.train, data.test))
bends = {"FP32": (Dense, "relu"), "ternary": (TernaryDense, "relu"), "binary": (BinaryDense, "tanh")}
found = {}
for name, (kind, bend) in bends.items():  # after a relu all signs would be +1
    draw = np.random.default_rng(1)
    scaled = {} if kind is Dense else {"scaled": True}  # a neuron's signs times their mean magnitude
    parts = kind.draw(draw, 64, 64, activation=bend, **scaled), kind.draw(draw, 64, 10, **scaled)
    found[name] = baseline.fit(Network(parts), train, epochs=30, seed=1)
    print(f"{name:7} test accuracy {baseline.accuracy(found[name], test):.0%}")

# %% [markdown]
# And the bytes? INT8 needs no training of its own (lesson 08): it is the FP32 network, quantized.

# %%
int8 = from_float(found["FP32"], train.x[:200])
right = int8.predict(test.x).argmax(axis=-1) == test.y
stored = [("FP32", baseline.accuracy(found["FP32"], test), 4 * found["FP32"].count)]
stored.append(("INT8", float(right.mean()), int8.weight_bytes))
for name, width in (("ternary", 2), ("binary", 1)):
    layers = [bits.layer_bytes(*p.w.shape, width, bias_bytes=8) for p in found[name].parts]
    stored.append((name, baseline.accuracy(found[name], test), sum(layers)))

# %% tags=["view"]
explore(
    lambda: canvases.accuracy_and_bytes(
        stored,
        "One network, stored in four ways",
        "dense 64-64-10 on 8 x 8 digits; biases and scales included",
    )
)

# %% [markdown]
# Of 300 test images INT8 loses two and ternary four, too few to tell from luck; binary loses 25, as it sees
# one bit of each pixel. A wider binary layer wins back a part. **Predict:** is a binary network of 256
# neurons smaller than the INT8 network of 64?

# %%
draw = np.random.default_rng(1)
first = BinaryDense.draw(draw, 64, 256, scaled=True, activation="tanh")
wide = first, BinaryDense.draw(draw, 256, 10, scaled=True)
net = baseline.fit(Network(wide), train, epochs=30, seed=1)
size = sum(bits.layer_bytes(*p.w.shape, 1, bias_bytes=8) for p in wide)
print(f"256 binary neurons: test accuracy {baseline.accuracy(net, test):.0%}, {size:,} B")

# %% [markdown]
# Barely, and it is still behind: on a small task INT8 or ternary is the better bargain. Bits pay where layers
# are wide and inputs are signs already.
#
# ## On packed words
#
# Inference needs the words alone. **Predict:** is it still the same network, and in how many words?

# %%
packed = [part.packed() for part in found["binary"].parts]
y = test.x
for part in packed:
    y = part.infer(y)
print("equal:", np.allclose(y, found["binary"].predict(test.x)), " words", [len(p.words) for p in packed])

# %% [markdown]
# It is: 64 x 64 bits are 128 words, 64 x 10 are 20.
#
# **Common slip:** "32 times fewer bits, so 32 times faster". That holds at best for large layers that are
# read from memory. A layer of 64 x 16 costs more to call than to compute, and a chip without a popcount
# instruction counts in software. `make bench` prints both ends.
