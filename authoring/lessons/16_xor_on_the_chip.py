# %%
import math

from tinylib.deploy import xor_chip
from tinylib.formats.qformat import QFormat
from tinylib.lab import explore, quiz
from tinylib.lab.training_player import recorded, training_player
from tinylib.nets import Fixed, one_net, xor
from tinylib.show.section_sizes import section_sizes

# %% [markdown]
# ## Learning in integers
#
# "A neural network in under 4 KB, and it learns on the chip": so says a page about the library
# github.com/danmcleran/tinymind. Its example is XOR, the smallest task that one straight line cannot solve: 2
# inputs, 4 tanh neurons, 1 sigmoid. We train that network in three arithmetics, build it for a chip, and
# weigh what was claimed.
#
# **Predict:** Q8.8 knows steps of 1/256 only. Will it learn at all, and does it matter how products are
# rounded?

# %%
floor = Fixed(QFormat(8, 8), "floor", "saturate")
formats = {"Q16.16": xor.Q16_16, "Q8.8, floor": floor, "Q8.8, nearest": xor.Q8_8}
rates, dead_zone = xor_chip.RATES, xor_chip.DEAD_ZONE  # those of the page
xs, targets = xor.samples(1_200, seed=7)
runs = {}
for name, ops in formats.items():
    runs[name] = recorded(xor.network(0, ops), xs, targets, rates, ops, dead_zone)
    answers = "  ".join(f"{y:.2f}" for y in runs[name].corners[-1])
    print(f"{name:13} answers to 00 01 10 11: {answers}")

# %% tags=["view"]
training_player(runs)

# %% [markdown]
# Press play, and watch the decision boundary and the weights. With floor the weights of Q8.8 sink: a floored
# product is half a step too low on average, every update is made of such products, and half a step is 1/512
# here, 1/131,072 in Q16.16. When it rounds to the nearest, Q8.8 learns as fast as Q16.16.
#
# **Common slip:** "eight bits of fraction are too coarse to learn". The page went over to Q16.16 for that
# reason; here it was the rounding. Or was our start a lucky one? **Predict:** of 100 starts, how many learn?

# %%
for name, ops in formats.items():
    settings = xor.Settings(ops, 0.25, momentum=0.5, steps=3_000, dead_zone=dead_zone)
    learnt = sum(xor.success(100, settings))
    low, high = xor.wilson(learnt, 100)
    print(f"{name:13} {learnt:3} of 100 learn, 95 % interval {100 * low:.0f} to {100 * high:.0f} %")

# %% [markdown]
# One run is an anecdote; an interval says what a hundred of them can tell. Most of the harm is the rounding,
# and a rest is the width: small updates of Q8.8 round to nothing.
#
# ## Why the error stops at 0.09
#
# The published run ends with answers of 0.083 to 0.912. **Predict:** is that all a sigmoid in a table can
# say, or did something stop the training?

# %%
xs, targets = xor.samples(xor_chip.STEPS, xor_chip.ORDER)
start = xor.network(xor_chip.SEED, xor.Q16_16)
settings = {"optimizer": rates, "ops": xor.Q16_16}
for zone in (dead_zone, 2**-12):
    net, history = one_net.train(start, xs, targets, **settings, dead_zone=zone)
    worst = abs(net.predict(xor.INPUTS, xor.Q16_16) - xor.TARGETS).max()
    print(f"teaches from |error| {math.sqrt(zone):.3f}: {history.updates:,} updates, worst {worst:.3f}")

# %% [markdown]
# A tolerance stopped it: samples with a squared error below 2^-7 teach nothing. Of 20,000 samples only a few
# hundred do. A smaller tolerance costs more updates, and answers better.
#
# ## From Python to C
#
# The network becomes one C file and a header: integers only, no heap, no mathematics library. An application
# sees this of it:

# %%
made = xor_chip.sources("Q16.16", "trainable")
print(made.header.split("\n\n")[3])

# %% [markdown]
# One call answers, the other learns. **Predict:** how many numbers must the chip keep for every weight while
# it learns with momentum?

# %%
at = made.source.index("static void update")
print(made.source[at:].split("\n\n")[0])

# %% [markdown]
# Three: the weight and its last two changes. The codes are those of the page in Q16.16: 16384 is a rate of
# 1/4, 32768 a momentum of 1/2, 4096 a share of 1/16 for the change before. The gradient `g` is used where it
# arises, and never stored.
#
# **Common slip:** reading "three extra values per connection" as all that training costs. In the published
# table they explain 17 x 12 = 204 of 432 bytes of RAM: neurons need outputs and deltas too. And code.

# %% tags=["view"]
quiz("train.xor_connections")

# %% [markdown]
# ## Where the bytes are
#
# Compiled for a Cortex-M0+ with 16 KiB of flash and 2 KiB of RAM. **Predict:** what takes most of the flash,
# code, tables or weights? And how much of the RAM does learning need?

# %%
for kind in xor_chip.KINDS:
    row = xor_chip.row("Q16.16", kind)
    parts = ", ".join(f"{name} {size}" for name, size in row.sections.items())
    print(f"{kind:9} flash {row.flash:,} B: {parts}; RAM {row.ram} B and {row.stack} B of stack")

# %% tags=["view"]
limits = {"flash": 4_096, "RAM": 2_048}
explore(
    lambda memory, target: section_sizes(
        xor_chip.bars(memory, target), limits[memory], memory, f"XOR on a {target}"
    ),
    memory=["flash", "RAM"],
    target=["cortex-m0plus", "cortex-m3", "cortex-m4"],
)

# %% [markdown]
# Code: the weights are a few dozen bytes. That is the rule for tiny networks, and the reverse of what holds
# for large ones. Of the 2,048 B of RAM, learning takes 244 B, and 120 B more of stack. Two tables of 96 words
# would take 768 bytes (lesson 07); here half the nodes do, since tanh(-x) = -tanh(x), in two bytes each,
# since no value reaches 1.
#
# Half the width halves tables and weights, but code that rounds to the nearest and saturates is longer than
# code that floors and wraps. And a product of two 32-bit codes has 64 bits: the M0+ lacks the instruction, so
# the compiler adds a function from its library. Switch to the M3: it is gone.

# %% tags=["view"]
quiz("train.code_share")

# %% [markdown]
# ## What "under 4 KB" measured
#
# The page proves its headline with the tool `size` on two object files, 1,542 + 800 = 2,342 bytes. Further
# down it prints 5,180 bytes of code for the same network. **Predict:** which of the two is the network that
# learns?

# %% tags=["view"]
explore(
    lambda optimise: section_sizes(
        [
            *xor_chip.others("their headline", "their whole network", "theirs, on the target"),
            xor_chip.bar(xor_chip.row(optimise=optimise)),
        ],
        4_096,
        title="The trainable network in Q16.16",
    ),
    optimise=["-Os", "-O2", "-O3"],
)

# %% [markdown]
# The larger one. The network is a C++ template: its forward pass and its training are compiled where they
# are *called*, in a third object file that was not weighed. The 1,542 bytes hold the constructor. So the
# evidence fails, and with -O3 on a PC the claim does too. On its own target with -Os, library functions
# included, it holds: 3,314 bytes.
#
# **Common slip:** a size without compiler, flags, core, and the list of what was counted. Our own number
# needs the same words:

# %%
ours = xor_chip.row("Q16.16", "trainable")
print(f"{ours.flash:,} B of flash and {ours.ram} + {ours.stack} B of RAM: {ours.compiler} {ours.optimise},")
print(f"{ours.target}; counted are code, compiler's library, tables, start weights and stack,")
print("not the start-up code and not the loop that reads the inputs")

# %% tags=["view"]
quiz("train.flash_share")

# %% [markdown]
# ## Beside an interpreter
#
# The page also says that TensorFlow Lite Micro takes at least 50 to 100 KB. Its own documentation says 16 KB
# for the core on a Cortex-M3, and 22 KB with the operators of a keyword model. **Predict:** does the core
# then fit our part, and what would still be missing?

# %% tags=["view"]
explore(
    lambda format: section_sizes(
        [
            *xor_chip.others("an interpreter"),
            xor_chip.bar(xor_chip.row(format)),
            xor_chip.bar(xor_chip.row(format, "inference")),
        ],
        16_384,
        title="Flash of an STM32L011",
    ),
    format=["Q16.16", "Q8.8"],
)

# %% [markdown]
# By a hair at best, and then there is no room for operators, model or application. But compare what each
# buys: an interpreter reads a new model as *data*, at run time, and knows dozens of layers. A generated file
# holds one network. For one small network on a small part the file wins; for an update over the air it does
# not.
#
# ## Equal to the last bit
#
# **Predict:** after 20,000 samples learnt by an emulated chip, how many of the 17 weights differ from
# Python's, and by how much?

# %%
for row in xor_chip.rows():
    if row.kind == "trainable" and row.optimise == "-Os":
        work = f"{row.train_instructions:,} instructions a step"
        print(f"{row.format:6} {row.target:13} {row.inputs:,} samples, {row.differing} differ; {work}")

# %% [markdown]
# None. Integer arithmetic has one right result, if rounding, overflow and order are said; a float would have
# made you choose a tolerance. Every loss, weight and answer was compared. These numbers are on file, measured
# by `python -m tinylib.deploy.xor_chip`. With a C compiler and the extra `device` here, set `True` and see
# for yourself; it takes a few seconds.

# %% tags=["optional"]
here = False
if here:
    print(xor_chip.live("Q16.16", "cortex-m0plus"))
