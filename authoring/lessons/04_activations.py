# %%
import math

from ipywidgets import IntSlider, SelectionSlider

from tinylib.cost import Add, Conv2D, DepthwiseConv2D, Model, Node, PointwiseConv2D, memory, models, networks
from tinylib.lab import explore, my_device, quiz
from tinylib.show import canvases
from tinylib.units import KIB

# %% [markdown]
# ## The map is larger than its maker
#
# The stem of ResNet-50 turns an RGB image of 224 x 224 into 64 maps. At two bytes a value,
# **predict:** are its weights larger than the map they write, about as large, or far smaller?

# %%
stem = Conv2D(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
map_bytes = 2 * math.prod(stem.out_shape((224, 224, 3)))
print(f"output {stem.out_shape((224, 224, 3))}: {map_bytes:,} B")
print(f"weights: {2 * stem.weights:,} B, the map is {map_bytes / (2 * stem.weights):.1f} times larger")

# %% [markdown]
# Far smaller, 85 times. Weights do not grow with the image. Maps do, with its area. So the early layers of a
# CNN are heavy in *activations*, the values computed on the way, and the late ones in weights.
#
# **Common slip:** sizing the map with the side of the input. Stride 2 has halved it.

# %% tags=["view"]
quiz("act.resnet_conv1_bytes")

# %% tags=["view"]
quiz("act.to_weight_ratio")

# %% [markdown]
# ## In plus out
#
# A layer reads one map while it writes the next: both must be in memory. The **peak** is the worst such
# moment of the network. **Predict:** LeNet-5 has three convolutions, two poolings and two dense layers.
# Which of them sets the peak?

# %%
lenet = models.named("lenet5")
for row in lenet.rows:
    values_in = sum(math.prod(shape) for shape in row.in_shapes)
    total = values_in + row.activation_elements
    print(f"{row.name} {row.op:10} {values_in:5,} in + {row.activation_elements:5,} out = {total:5,}")
largest = max(row.activation_elements for row in lenet.rows)
print(f"largest output {largest:,} B, in plus out {memory.peak_activation_bytes(lenet):,} B in INT8")

# %% [markdown]
# A pooling, which has no weight at all: it reads the largest map of the network. In INT8 the peak is
# 5,880 bytes, and it is a maximum over layers, not a sum: the rest of the depth costs nothing.
#
# **Common slip:** quoting the largest output alone, and missing what it is made from.
#
# The figure shows the *arena*, the one block of memory that all maps share. A box is a map: as high as its
# bytes, as long as it is needed. Step through the layers: where is the arena full, and who moves in next?

# %% tags=["view"]
explore(
    lambda step, bits: canvases.arena(lenet, bits, step),
    step=IntSlider(value=1, min=0, max=6),
    bits=SelectionSlider(options=[8, 16, 32], value=8),
)

# %% tags=["view"]
quiz("calc.quiz_fit")

# %% tags=["view"]
quiz("pipe.peak_in_out")

# %% [markdown]
# ## A shortcut waits
#
# Here is a block that widens 16 channels to 64, filters them, narrows them again and adds its own input.
# Without the addition it is a plain chain. **Predict:** does the shortcut raise the peak at the addition,
# or earlier?

# %%
wide, narrow = DepthwiseConv2D(64, 3, padding="same"), PointwiseConv2D(64, 16)
chain = (Node("up", PointwiseConv2D(16, 64)), Node("filter", wide), Node("down", narrow))
plain = Model("a plain chain", (32, 32, 16), chain)
block = Model("a block with a shortcut", (32, 32, 16), (*chain, Node("add", Add(), ("down", "input"))))
for step in memory.timeline(block):
    alive = " + ".join(name for name, _ in step.live)
    print(f"{step.name:6} {step.elements:7,} alive: {alive}")

# %% [markdown]
# At `filter`. The addition holds three narrow maps; `filter` holds two wide ones **and** the block's input,
# which waits for the addition. Counting all that is alive is called *liveness*.

# %%
for model in (plain, block):
    pair, live = memory.peak_activation_bytes(model), memory.peak_activation_bytes(model, live=True)
    print(f"{model.name}: in plus out {pair / KIB:.0f} KiB, alive {live / KIB:.0f} KiB")

# %% [markdown]
# In plus out is blind to what merely waits: it misses 16 KiB here. In a chain both rules agree.
#
# **Common slip:** using in plus out for a network with shortcuts. It is only a lower bound there. In the
# arena, look for the box that lies over all the others.

# %% tags=["view"]
explore(
    lambda network, step: canvases.arena({"plain": plain, "shortcut": block}[network], step=step),
    network=["shortcut", "plain"],
    step=IntSlider(value=1, min=0, max=3),
)

# %% tags=["view"]
quiz("mcu.residual_peak")

# %% [markdown]
# ## Four small networks
#
# MobileNetV1 0.25 stores nearly three times the weights of ResNet-8. **Predict:** is its peak three times
# as large too?

# %%
resnet, person = networks.resnet8(), networks.mobilenet_v1_vww()
words, faces = models.named("mlperf_tiny_kws_dscnn"), networks.mobilenet_v2(0.35, side=144)
for model in (words, resnet, person, faces):
    weights, peak = memory.model_weight_bytes(model) / KIB, memory.peak_activation_bytes(model, live=True)
    print(
        f"{model.name:22} {len(model.nodes):2} layers {weights:7.1f} KiB weights {peak / KIB:6.1f} KiB peak"
    )

# %% [markdown]
# An eighth larger. Neither the layers nor the weights of a network tell its peak: one wide early pair of
# maps does. Pick your chip, then step to the layer that sets the peak.

# %% tags=["view"]
my_device()

# %% tags=["view"]
explore(
    lambda network, step, device: canvases.arena(
        {"ResNet-8": resnet, "keywords": words, "MobileNetV2": faces}[network], step=step, device=device
    ),
    network=["ResNet-8", "keywords", "MobileNetV2"],
    step=IntSlider(value=4, min=0, max=63),
)

# %% [markdown]
# MobileNetV2 at 144 x 144 is over 256 KiB. **Predict:** by which factor does the peak fall when the
# image has half the side?

# %%
for side in (144, 128, 112, 96, 72):
    small = networks.mobilenet_v2(0.35, side)
    peak, layer = memory.peak_live(small)
    print(f"side {side:3}: {peak / KIB:6.2f} KiB at {layer}, {memory.model_weight_bytes(small):,} B weights")

# %% [markdown]
# By four, at the same weights: resolution is the strongest lever on SRAM, and none at all on flash.

# %% tags=["view"]
quiz("act.fits_512k")

# %% [markdown]
# ## Where do the weights lie?
#
# On most microcontrollers weights stay in flash and are read from there. If a chip copies them to SRAM, they
# share it with the activations. **Predict:** 400 KB of weights, a peak of 150 KB and 512 KB of SRAM: does the
# model run, and on what does that depend?

# %% tags=["view"]
quiz("final.sram_total")

# %% tags=["view"]
quiz("act.headroom_100k")

# %% [markdown]
# ## When the map is a square
#
# Attention scores every token against every token, once per head. **Predict:** twice the text needs how
# many times the memory for scores, if all are held at once?

# %%
for tokens in (512, 1024, 2048):
    print(f"{tokens:,} tokens, 8 heads: {memory.weight_bytes(8 * tokens**2) / KIB:,.0f} KiB of INT8 scores")

# %% [markdown]
# Four times. Twice the image's area is twice the map; twice the text is four times the scores. Lesson 19
# shows who avoids holding them.

# %% tags=["view"]
quiz("act.attention_scores")
