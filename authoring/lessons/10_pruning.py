# %%
import numpy as np
from ipywidgets import FloatSlider, IntSlider, ToggleButtons

from tinylib.compress import baseline, channels, obd, prune, sparse
from tinylib.cost import compression
from tinylib.datasets import digits
from tinylib.lab import explore, quiz
from tinylib.show import canvases, svg

# %% [markdown]
# ## Most weights are small
#
# A network of 2,368 weights reads scanned digits of 8 x 8 points. **Predict:** set its smallest weights to
# zero, without training again. Which share can go before it loses five points of accuracy: a tenth, half,
# or nine tenths?

# %%
data = digits()
net = baseline.mlp(data.train, hidden=(32,))
for share in (0, 0.3, 0.5, 0.7, 0.8, 0.9):
    pruned = prune.apply(net, prune.magnitude(net, share))
    print(f"{100 * share:2.0f} % removed: {100 * baseline.accuracy(pruned, data.test):.1f} % right")

# %% [markdown]
# More than half, and then it falls off a cliff. One of the 300 test images is a third of a point, so
# differences below two points mean little here.
#
# Where is the cliff in the weights? Move the threshold over the first layer; what is hatched goes. From which
# share on is CSR, a sparse format of which more below, smaller than the dense matrix?

# %% tags=["view"]
first = net.parts[0].w.T  # a row for each output
explore(
    lambda threshold: canvases.weight_histogram(first.ravel().tolist(), threshold, rows=len(first)),
    threshold=FloatSlider(value=0.1, min=0, max=1, step=0.01),
)

# %% tags=["view"]
quiz("pruning.sparsity")

# %% tags=["view"]
quiz("pruning.global_nonzero")

# %% [markdown]
# ## Training once more
#
# Training can go on with the zeros held at zero. **Predict:** at 80 % sparsity, how many of the
# lost points does that win back?

# %%
masks = prune.magnitude(net, 0.8)
tuned = prune.fine_tune(net, masks, data.train, epochs=20)
dense = baseline.fit(net, data.train, epochs=20)
for name, network in (("pruned", prune.apply(net, masks)), ("tuned", tuned), ("dense, as long", dense)):
    print(f"{name:15} {100 * baseline.accuracy(network, data.test):.1f} % right")

# %% [markdown]
# Most of it: the remaining fifth takes over. Han et al. (arXiv 1506.02626) prune, tune and prune again.
#
# **Common slip:** comparing the tuned network with the untouched one. Tuning is more training; give the
# dense network as much, as the last line does.
#
# ## Which weights matter?
#
# A large weight on a point that is always white does nothing. At a minimum of the loss, the second term of
# the Taylor series says what a weight is worth: its saliency h w^2 / 2, with h the curvature along that
# weight (Optimal Brain Damage, LeCun et al. 1989). **Predict:** does the sum of the saliencies tell how
# much the loss really rises?

# %%
saliency, before, table = obd.saliency(net, data.train), baseline.loss(net, data.train), []
for share in (0.3, 0.5, 0.7, 0.9):
    for name, masks in (
        ("saliency", obd.masks(net, data.train, share)),
        ("magnitude", prune.magnitude(net, share)),
    ):
        said = sum((s[a] * ~m[a]).sum() for s, m in zip(saliency, masks) for a in s)
        rise = baseline.loss(prune.apply(net, masks), data.train) - before
        table.append((name, 100 * share, float(said), float(rise)))

# %% tags=["view"]
columns = {"foretold": 2, "measured": 3}
explore(
    lambda rule: canvases.curves(
        f"Pruned by {rule}: foretold and measured",
        svg.Axis("weights removed [%]", 30, 90),
        svg.Axis("rise of the loss [nat]", 0, 1.5),
        {name: [(row[1], row[i]) for row in table if row[0] == rule] for name, i in columns.items()},
        "dense 64-32-10 on 8 x 8 digits, without tuning",
    ),
    rule=["saliency", "magnitude"],
)

# %% [markdown]
# For a few weights it does (the loss, a cross-entropy, is in nat). At half of the weights, pruning by
# saliency costs 0.005 nat where magnitude costs 0.028. At nine tenths the sum foretells far too little: it
# takes each weight alone, and a Taylor series is for small steps. There the simple rule is no worse. So prune
# a little, tune, compute the curvatures anew, and repeat.

# %% tags=["view"]
quiz("pruning.obd")

# %% [markdown]
# ## A zero is stored unless a format leaves it out
#
# Compressed sparse rows (CSR) keep the values, the column of each, and where each row begins. **Predict:**
# four of six weights are zero. With 4-byte values and 4-byte indices, is CSR smaller than the dense 24
# bytes?

# %%
small = sparse.csr(np.array([[0.0, 5.0, 0.0], [7.0, 0.0, 0.0]]))
print("values", small.values, "columns", small.columns, "rows begin at", small.pointers)
print(small.bytes(), "B: 2 x (4 + 4) and 3 pointers of 4 B")

# %% [markdown]
# It is larger. In a real matrix the pointers matter less, the indices stay. When is it smaller?

# %%
for value, index in ((4, 4), (4, 2), (1, 2), (1, 1)):
    share = compression.csr_breakeven_sparsity(value, index)
    whole = 1 - sparse.breakeven_density(first.shape, value, index)
    print(f"values {value} B, indices {index} B: above {share:.1%}, with row pointers above {whole:.1%}")

# %% [markdown]
# The smaller the values, the sparser the matrix has to be: quantize first, and pruning pays less.
#
# **Common slip:** "half of the weights are zero, so half of the bytes are". Not in CSR, and not in a file
# that is dense.

# %% tags=["view"]
quiz("pruning.csr_bytes")

# %% tags=["view"]
quiz("prune.csr_breakeven")

# %% [markdown]
# Now both sides at once. Move the sparsity: where does CSR of INT8 weights become the smaller one, and what
# does the network still know there?

# %% tags=["view"]
points = prune.sweep(net, data.train, data.test, [0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95], epochs=20)
lines = {name: [(p.sparsity, getattr(p, name)) for p in points] for name in ("accuracy", "tuned")}
lines = {"pruned": lines["accuracy"], "pruned and tuned": lines["tuned"]}
explore(
    lambda at: canvases.accuracy_and_storage(lines, first.size, len(first), bits=8, at=at),
    at=FloatSlider(value=0.7, min=0, max=0.95, step=0.05, description="sparsity"),
)

# %% [markdown]
# > **What a common text leaves out.** Course material often sizes CSR as values and indices alone. The row
# > pointers come on top: 4 x 33 = 132 B for this matrix, 6 % of its dense size, so our sizes count them.
# > And 90 % zeros are often sold as ten times faster. Scattered zeros save time only where the kernel skips
# > them, and each weight that is left brings an index to load: CSR reads 3 bytes for it where dense code
# > reads one. Code without such a kernel multiplies by zero as slowly as by anything.
#
# ## Zeros in a pattern: 2:4
#
# Keep two of each four neighbours: half of the weights go, wherever they lie, and a position needs 2 bits
# only. Hardware that knows the pattern skips the zeros (Mishra et al., arXiv 2104.08378). **Predict:** is
# that as good as removing the smaller half of all weights?

# %%
masks = prune.semi_structured(net)
for name, chosen in (("2:4", masks), ("anywhere", prune.magnitude(net, 0.5))):
    plain, tuned = prune.apply(net, chosen), prune.fine_tune(net, chosen, data.train, epochs=20)
    scores = [100 * baseline.accuracy(network, data.test) for network in (plain, tuned)]
    print(f"{name:8} {prune.sparsity(chosen):.0%} zeros: {scores[0]:.1f} % right, tuned {scores[1]:.1f} %")
print(compression.nm_bytes(first.size), "B for", first.size, "INT8 weights")

# %% [markdown]
# Not at once: a group of four large weights loses two of them. Tuning makes up for it. And INT8 gets 1.6
# times smaller, not twice: each kept byte brings 2 bits.
#
# Paint it yourself. The framed group keeps one of its patterns, the best first. How much magnitude does its
# second best pattern cost?

# %% tags=["view"]
explore(
    lambda rule, painted, choice: canvases.nm_mask(first[3, :32].tolist(), *rule, painted, choice),
    rule=ToggleButtons(options={"2:4": (2, 4), "1:4": (1, 4), "4:8": (4, 8)}),
    painted=IntSlider(value=1, min=1, max=8, description="group"),
    choice=IntSlider(value=1, min=1, max=6),
)

# %% tags=["view"]
quiz("pruning.nm_sparsity")

# %% tags=["view"]
quiz("prune.nm_bytes")

# %% [markdown]
# ## Whole channels
#
# Take a channel out, and what is left is a smaller dense network: less memory and work on any chip, without
# an index. **Predict:** a convolutional network keeps half of the channels in both of its layers. Which
# share of the weights and MACs is left?

# %%
conv = baseline.conv(data.train, channels=(4, 8))
half = channels.prune(conv, {0: 2, 2: 4})
for a, b in zip(conv.model((8, 8, 1)).rows, half.model((8, 8, 1)).rows):
    if a.weights:
        print(f"{a.name:9} {a.weights:4} -> {b.weights:3} weights, {a.macs:6,} -> {b.macs:5,} MACs")

# %% [markdown]
# A quarter in the inner convolution, which loses inputs *and* outputs: 0.5 x 0.5 = 0.25. The first layer
# still reads one image, the last still names ten digits: a half there. Which of the two sliders saves more
# work for each channel that it takes away?

# %% tags=["view"]
explore(
    lambda first, second: canvases.diagram(
        channels.prune(conv, {0: first, 2: second}).model((8, 8, 1), "The network, cut to size")
    ),
    first=IntSlider(value=2, min=1, max=4),
    second=IntSlider(value=4, min=1, max=8),
)

# %%
tuned = baseline.fit(half, data.train, epochs=10)
for name, network in (("whole", conv), ("half", half), ("half, tuned", tuned)):
    print(
        f"{name:12} {network.count:5,} parameters, {100 * baseline.accuracy(network, data.test):.1f} % right"
    )

# %% [markdown]
# A channel of the first layer, as the second one reads it too. Without tuning, a channel hurts far more than
# as many scattered weights: nobody chose them one by one. Tuning wins most of it back, and the rest is the
# price of a network that small.

# %% tags=["view"]
quiz("prune.channel_params")

# %% [markdown]
# ## Which kind of zero?
#
# The dense network once more, each way tuned for as long, in INT8. **Predict:** which row has the fewest
# bytes, and which the fewest MACs on a chip without sparse kernels?

# %%
nine = prune.fine_tune(net, prune.magnitude(net, 0.9), data.train, epochs=20)
pairs = prune.fine_tune(net, prune.semi_structured(net), data.train, epochs=20)
fewer = baseline.fit(channels.prune(net, {0: 16}), data.train, epochs=20)
weights = sum(part.w.size for part in net.parts)
rows = [("dense", dense, weights), ("2:4", pairs, compression.nm_bytes(weights))]
rows.append(("90 %, CSR", nine, sum(sparse.csr(part.w.T).bytes(1, 1) for part in nine.parts)))
rows.append(("16 of 32 units", fewer, sum(part.w.size for part in fewer.parts)))
for name, network, size in rows:
    macs, right = network.model((64,)).macs, 100 * baseline.accuracy(network, data.test)
    print(f"{name:14} {size:5,} B {macs:5,} MACs {right:.1f} % right")

# %% [markdown]
# Scattered zeros give the smallest file, whole units the least work, and here they lose nothing. On a
# microcontroller with a plain kernel, start with the units. Quantization (lesson 08) combines with all of
# them.
