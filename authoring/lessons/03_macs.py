# %%
from ipywidgets import IntSlider, Play, SelectionSlider

from tinylib.cost import Conv2D, Dense, DepthwiseConv2D, PointwiseConv2D, roofline
from tinylib.lab import explore, my_device, quiz
from tinylib.show import canvases

# %% [markdown]
# ## The same filter, used again and again
#
# The first layer of ResNet-50 holds 9,408 weights.
# **Predict first:** does one inference cost about ten thousand multiply-accumulates,
# a million, or a hundred million?

# %%
stem = Conv2D(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
print(f"{stem.params:,} weights")
print(f"{stem.macs((224, 224, 3)):,} MACs")

# %% [markdown]
# A hundred million. Each weight works once per output position, and there are 112 x 112 of them:
# 9,408 x 12,544 = 118,013,952.

# %% tags=["view"]
quiz("macs.resnet_conv1_reuse")

# %% [markdown]
# Halve the image: the weights stay, the work falls by four.

# %% tags=["view"]
explore(
    lambda side: canvases.cost_bars(stem, (side, side, 3)),
    side=IntSlider(value=224, min=32, max=320, step=32),
)

# %% [markdown]
# **Common slip:** "few weights, therefore fast". Weights are storage; MACs are work.

# %% tags=["view"]
quiz("macs.resnet_conv1")

# %% tags=["view"]
quiz("counting.conv_macs")

# %% [markdown]
# ## MAC or FLOP?
#
# A multiply-accumulate is one multiply and one add: 1 MAC = 2 FLOP. Papers print either word for either
# number. **Predict:** one paper gives this layer 118 million operations, another 236 million. Who is
# wrong?

# %%
macs = stem.macs((224, 224, 3))
print(f"{macs / 1e6:.1f} MMAC = {2 * macs / 1e6:.1f} MFLOP")

# %% [markdown]
# Neither has to be: one counts MACs, the other FLOPs. **Common slip:** comparing one paper's MACs with
# another's FLOPs, and finding a network "twice as efficient".

# %% tags=["view"]
quiz("metrics.mac_to_flop")

# %% tags=["view"]
quiz("macs.resnet_conv1_mflops")

# %% [markdown]
# ## A dense layer uses each weight once
#
# **Predict:** how many times does one weight of a fully connected layer work in one inference?

# %%
dense = Dense(512, 256)
print(f"{dense.params:,} parameters, {dense.macs((512,)):,} MACs")

# %% [markdown]
# Once: 512 x 256 MACs for as many weights. The 256 biases are additions, not MACs.
#
# **Common slip:** counting the bias as a MAC, or forgetting it among the parameters.

# %% tags=["view"]
quiz("counting.linear_params")

# %% tags=["view"]
quiz("macs.bert_ffn")

# %% tags=["view"]
quiz("counting.ffn_macs")

# %% [markdown]
# ## Splitting a convolution in two
#
# A depthwise convolution filters each channel alone; a pointwise 1x1 convolution then mixes the channels.
# **Predict:** with a 3x3 kernel, can the pair be more than nine times cheaper than the convolution it
# replaces?

# %%
shape = (28, 28, 32)
standard = Conv2D(32, 64, kernel_size=3, padding="same").macs(shape)
depthwise = DepthwiseConv2D(32, kernel_size=3, padding="same").macs(shape)
pointwise = PointwiseConv2D(32, 64).macs(shape)
print(f"depthwise {depthwise:,} + pointwise {pointwise:,} = {depthwise + pointwise:,} MACs")
print(f"{standard:,} / {depthwise + pointwise:,} = {standard / (depthwise + pointwise):.2f}")

# %% [markdown]
# Never: the saving is 1 / (1/c_out + 1/k^2), and 1/c_out is not zero. For 64 output channels it is 7.9,
# not 9. Most of what is left is the pointwise half.
#
# **Common slip:** quoting k^2 and leaving out the pointwise half.

# %% tags=["view"]
quiz("counting.dws_ratio")

# %% [markdown]
# ## Everything at once: the convolution calculator
#
# Pick the chip that you want to fit. What outgrows it turns red, with a mark and the excess beside it. Press
# play to watch the kernel walk, and switch the kind to see what a separable layer saves.

# %% tags=["view"]
my_device()

# %% [markdown]
# **Predict:** start from 16 channels in and out and a 56 x 56 map in INT8. Which limit breaks first when
# you widen the layer, memory for activations (lesson 04) or memory for weights?

# %% tags=["view"]
explore(
    canvases.convolution,
    c_in=IntSlider(value=16, min=1, max=256),
    c_out=IntSlider(value=16, min=1, max=256),
    kernel_size=SelectionSlider(options=[1, 3, 5, 7], value=3),
    stride=SelectionSlider(options=[1, 2], value=1),
    side=IntSlider(value=56, min=8, max=224),
    bits=SelectionSlider(options=[4, 8, 16, 32], value=8),
    kind=["standard", "depthwise", "separable"],
    position=Play(min=0, max=3135, interval=200),
)

# %% [markdown]
# Wide maps break the SRAM long before the weights fill the flash; deep in a network, where maps are small
# and channels many, it is the other way round.

# %% tags=["view"]
quiz("calc.default_macs")

# %% tags=["view"]
quiz("metrics.activation_kib")

# %% [markdown]
# ## Is it worth the traffic?
#
# *Arithmetic intensity* is work per byte moved, in FLOP per byte. **Predict:** which does more work per byte,
# a 3x3 convolution or a depthwise one in its place?

# %%
shape = (28, 28, 64)
for layer in (Conv2D(64, 64, 3, padding="same"), DepthwiseConv2D(64, 3, padding="same")):
    flops = roofline.flops(layer, shape)
    intensity = roofline.arithmetic_intensity(layer, shape, bits=8)
    print(f"{type(layer).__name__:15} {flops:10,} FLOP / {flops / intensity:,.0f} B = {intensity:.1f}")

# %% [markdown]
# The full convolution. The depthwise one does 1.6 % of its work, but still moves three quarters of its bytes:
# both maps are read and written all the same.
#
# **Common slip:** "64 times fewer MACs, therefore 64 times faster". Where memory cannot keep up, bytes set
# the pace; lesson 06 draws the line.

# %% tags=["view"]
quiz("metrics.arithmetic_intensity")
