# %%
import numpy as np
from ipywidgets import IntSlider, SelectionSlider, ToggleButtons

from tinylib.cost import Conv1D, MaxPool1D, PointwiseConv2D, devices, memory, models, sequence
from tinylib.cost.layer_footprint import layer_bytes
from tinylib.datasets import frames, pictures, words
from tinylib.deploy import keywords
from tinylib.formats.qformat import QFormat
from tinylib.lab import explore, quiz
from tinylib.nets import Fixed, Network, conv, pool
from tinylib.show import front_end, rivals
from tinylib.show.pipeline_bars import dominant, pipeline_bars, pipeline_rows

# %% [markdown]
# ## A word becomes a picture
#
# A detector does not read the wave. It cuts the sound into *frames*, takes a spectrum of each, sums it up
# in a few *bands* of frequency, and stacks them into a picture: time one way, frequency the other.
# **Predict:** a clip of one second at 16 kHz, frames of 30 ms, one every 20 ms, which is the *hop*. How many
# rows has the picture?

# %%
clip, window, hop = 16_000, 16 * 30, 16 * 20
print(frames.frame_count(clip, window, hop), "frames")
print("as a convolution:", Conv1D(1, 1, window, stride=hop).out_shape((clip, 1))[0])

# %% [markdown]
# 49, not 50: the last frame must end within the clip. A frame is the window of a convolution, the hop is
# its stride. Our synthetic words last 0.84 s at 8 kHz. Move the controls: what do shorter hops and more
# bands cost the *network*?

# %%
strangers = words((12, 0, 1), seed=1).train
sounds = strangers.x[:, ::10, 0]  # one of each word from every speaker

# %% tags=["view"]
explore(
    lambda word, frame, hop, bands: front_end.front_end(
        sounds[:, word].tolist(),
        (seen := frames.front_end(sounds[:, [word]], 8 * frame, 8 * hop, bands)[0]).tolist(),
        *(8 * frame, 8 * hop, 8000, keywords.pipeline().model((*seen.shape, 1)), strangers.classes[word]),
        most_macs=400_000,
    ),
    word=ToggleButtons(options=[(name, k) for k, name in enumerate(strangers.classes)]),
    frame=SelectionSlider(options=[20, 40, 80], value=80, description="frame [ms]"),
    hop=SelectionSlider(options=[10, 20, 40], value=40, description="hop [ms]"),
    bands=IntSlider(value=20, min=16, max=40, step=4),
)

# %% [markdown]
# **Common slip:** choosing the picture first and the network second. Half the hop is twice the MACs of
# every layer up to the global pool, and twice the activations.

# %% tags=["view"]
quiz("audio.frames")

# %% tags=["view"]
quiz("conv1d.out_len")

# %% [markdown]
# ## What each layer costs
#
# The pipeline: 20 frames of 20 bands, a convolution, a max pool, a depthwise and a pointwise layer, a
# global pool, a dense layer for ten words. **Predict:** which layer does the most work, and which holds the
# most bytes while the network *trains*?

# %%
model = keywords.pipeline(10).model((20, 20, 1), "Keyword pipeline")
for row in pipeline_rows(model, "float", trainable=True, pointer_bytes=8):
    print(f"{row.name:30} {row.macs:6,} MACs {row.own_bytes:6,} B of its own")
print(dominant(pipeline_rows(model)))

# %% [markdown]
# The first convolution does most of the work. Most of the bytes belong to the one layer that has neither
# weights nor MACs: the max pool keeps, for each output, *where* its largest input was. Switch the number
# format, the training and the machine. Which of them move the hatched bar?

# %% tags=["view"]
explore(
    lambda numbers, training, pointer: pipeline_bars(model, numbers, training, pointer),
    numbers=["float", "Q16.16", "Q8.8"],
    training=ToggleButtons(options={"train": True, "inference": False}),
    pointer=ToggleButtons(options={"64-bit host": 8, "32-bit chip": 4}),
)

# %% [markdown]
# Not the format: an index is as wide as a pointer. It halves on a 32-bit chip and is gone at inference,
# when nothing flows back.
#
# Now add the objects up, as a table of sizes would. A dense layer is a pointwise one on a single pixel.

# %%
parts = [node.layer for node in model.nodes[:-1]] + [PointwiseConv2D(16, 10)]
inputs = [row.in_shapes[0] for row in model.rows[:-1]] + [(1, 1, 16)]
sizes = [layer_bytes(layer, "float", shape) for layer, shape in zip(parts, inputs)]
print(" + ".join(f"{size:,}" for size in sizes), "=", f"{sum(sizes):,} B")
print(f"largest output {4 * max(r.activation_elements for r in model.rows):,} B", end=", ")
print(f"input and output together {memory.peak_activation_bytes(model, 32):,} B")

# %% [markdown]
# The published table of this pipeline ends in 8,976 B and a peak of 10,368 B (tinymind,
# docs/size-comparison.md). Its own rows hold one byte more, the empty object of the global pool. And its
# peak is one map alone: the pool cannot write its output without its input.

# %% tags=["view"]
quiz("sep.bytes")

# %% tags=["view"]
quiz("pipe.total_bytes")

# %% tags=["view"]
quiz("pipe.peak_in_out")

# %% tags=["view"]
quiz("pipe.q88_ratio")

# %% [markdown]
# ## Forward and back
#
# A smaller pipeline on a raw signal: Conv1D, MaxPool1D, Dropout. What must each remember, so that the error
# finds its way back? **Predict:** 48 places of 4 channels leave the pool, and dropout drops half. How many
# of the 384 outputs of the convolution get any error at all?

# %%
ops, rng = Fixed(QFormat(8, 8)), np.random.default_rng(3)
line = conv.Conv1D.draw(rng, 1, 4, 5, ops=ops), pool.MaxPool1D(2), pool.Dropout(50)
signal = ops.number(np.sin(np.arange(100) / 5).reshape(1, 100, 1))
y, tapes = Network(line).sampled(rng).forward(signal, ops)
print("out", y.shape, "- argmax", line[1].argmax(tapes[1]).shape, "- mask", tapes[2][0].shape)

# %%
error = ops.number(np.ones(y.shape))
for part, tape in zip(line[:0:-1], tapes[:0:-1]):
    error, _ = part.back(tape, error, ops)
    print(f"through {type(part).__name__}: {np.count_nonzero(error)} of {error.size} places get an error")
dx, grads = line[0].back(tapes[0], error, ops)
print("gradients:", ", ".join(f"{name} {g.shape}" for name, g in grads.items()))

# %% [markdown]
# About a quarter: dropout stops half, and of every two inputs of the pool one has won. So dropout keeps a
# flag for each value, the pool an index for each output, the convolution a gradient for each weight.
#
# **Predict:** with doubles this pipeline takes 2,113 B while it trains. In Q8.8 a weight takes a quarter of a
# double. What becomes of the total?

# %%
stages = (Conv1D(1, 4, 5), (100, 1)), (MaxPool1D(2), (96, 4)), (sequence.Dropout(0.5), (192,))
for numbers, pointer in (("double", 8), ("Q8.8", 8), ("Q8.8", 4)):
    sizes = [layer_bytes(layer, numbers, shape, pointer) for layer, shape in stages]
    print(f"{numbers:6} {8 * pointer} bit: {' + '.join(f'{n:,}' for n in sizes)} = {sum(sizes):,} B")

# %% [markdown]
# 1,825 B, 14 % less. The format shrinks only the 24 weights and biases and their 24 gradients.
#
# **Common slip:** "quantize, and everything shrinks". Ask first which bytes are weights. Here 1,536 B say
# which of *two* neighbours was larger: how many bits does that need?

# %%
index = line[1].argmax(tapes[1])
second = index // 4 % 2  # channels are the fastest, so index // 4 is the time
print(f"{index.size} indices, as pointers {8 * index.size:,} B, as one bit each {index.size // 8} B")
print("the first eight winners of channel 0:", second[0, :8, 0])

# %% [markdown]
# One: 0 if the first of the two was larger, 1 if the second. A pointer takes 64 times that.

# %% tags=["view"]
quiz("conv1d.bytes")

# %% tags=["view"]
quiz("pool.argmax_bytes")

# %% [markdown]
# ## Does it hear?
#
# The five-word version was trained for 200 rounds on 1,000 synthetic words of 20 speakers, then quantized
# to INT8. Here are 600 words of 12 others. **Predict:** guessing gets 20 %. What do 389 parameters get, and
# what will they mistake for what?

# %%
net, heard = keywords.trained(), pictures(strangers)
print(f"{net.weight_bytes} B of weights and biases, INT8 accuracy {keywords.accuracy(net, heard):.0%}")
said = net.forward(keywords.codes(net, heard)).argmax(axis=-1)
counts = np.zeros((5, 5), int)
np.add.at(counts, (heard.y, said), 1)

# %% tags=["view"]
explore(lambda: rivals.confusions({"600 words of strangers": counts.tolist()}, heard.classes))

# %% [markdown]
# The four words are heard. *Other* is the weak spot: a word that is none of the four is often taken for one,
# most often for "no". A device would wake up for nothing.
#
# Accuracy must be that on *strangers*. Cut the words at random, and each speaker is on both sides. Does
# that flatter? Try it with the simplest classifier, the nearest neighbour.

# %%
for name, split in (("words", heard.split(300, 0)), ("speakers", heard.split_groups(6, 0))):
    near = (split.train.x**2).sum(axis=1) - 2 * split.test.x @ split.train.x.T
    right = split.train.y[near.argmin(axis=1)] == split.test.y
    both = set(split.train.groups) & set(split.test.groups)
    print(f"split by {name:8}: {len(both):2} speakers on both sides, accuracy {right.mean():.0%}")

# %% [markdown]
# Not here: this generator varies each utterance about as much as it varies its speakers. Real voices, and
# the machines of lesson 17, are not so kind. Split by group anyway: it costs nothing, and you need not
# hope.

# %% [markdown]
# ## The same bits in C
#
# Exported, compiled for this computer and for a Cortex-M0+, and run on 600 more words of strangers:

# %%
made = keywords.sources(net)
print(f"{len(made.source.splitlines())} lines of C, {made.inputs} inputs, {made.outputs} outputs")
for row in keywords.on_file():
    print(f"{row.where}: {row.equal} of {row.samples} answers equal to the last bit")
print(f"Cortex-M0+: flash {row.flash_bytes:,} B, RAM {row.ram_bytes:,} B, {row.instructions:,} instructions")

# %% [markdown]
# Those numbers were recorded by `python -m tinylib.deploy.keywords`. With a C compiler at hand, the next
# cell does the first line live. **Predict:** the smallest part of our list has 16 KiB of flash and 2 KiB of
# RAM. Does the network fit?

# %% tags=["optional", "skip-execution", "nbval-skip"]
keywords.on_host(net, keywords.codes(net, heard))

# %%
for device in (devices.named("stm32l011"), devices.named("stm32l072")):
    left = device.sram_bytes - row.ram_bytes
    print(
        f"{device.name}: {left:,} B of RAM left"
        if left >= 0
        else f"{device.name}: {-left:,} B of RAM too many"
    )
pair = memory.peak_activation_bytes(keywords.pipeline().model((20, 20, 1)), 8)
print(f"of the {row.ram_bytes:,} B, input and output of the pool are {pair:,} B")

# %% [markdown]
# Flash is no concern; the RAM is, and nearly all of it is the pair that the in-plus-out rule named above.
#
# ## Beside a real one
#
# The reference of MLPerf Tiny for twelve spoken words (Banbury et al., arXiv 2106.07597) has the same kinds
# of layers. **Predict:** how many times our work does it do?

# %%
reference = models.named("mlperf_tiny_kws_dscnn")
ours = keywords.pipeline().model((20, 20, 1), "ours")
for m in (ours, reference):
    peak = memory.peak_activation_bytes(m, 8)
    print(f"{m.params_bn_folded:6,} parameters, {m.macs:9,} MACs, peak {peak:6,} B in INT8: {m.name}")
print(f"{reference.macs / ours.macs:.0f} times the work")
print(f"ours on a Cortex-M0+: {row.instructions / ours.macs:.0f} instructions per MAC")

# %% [markdown]
# The last number is a warning. "One MAC per cycle" is a core with an optimised kernel; plain C on a
# Cortex-M0+ spends most of its time on addresses, loops and rounding.

# %% tags=["view"]
quiz("mcu.dsp_latency")
