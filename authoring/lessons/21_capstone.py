# %%
from IPython.display import SVG
from ipywidgets import IntSlider

from tinylib.deploy import capstone, capstone_runs
from tinylib.deploy.limits import latency_ms
from tinylib.lab import explore, quiz
from tinylib.show import canvases
from tinylib.show.budget import radar
from tinylib.show.deployed import accuracy_and_bytes
from tinylib.show.search import Point
from tinylib.units import KIB

# %% [markdown]
# ## Four numbers to keep at once
#
# A detector shall hear *yes, no, stop* and *go* in a picture of 20 x 20 cells. The chip is a Cortex-M0+, and
# somebody has already decided how much of it you get. **Predict:** the best network of this lesson hears
# 92 of 100 words of strangers. Which of the three limits does it break worst?

# %%
runs = {run.name: run for run in capstone_runs.runs()}
budget = capstone.Budget(flash_bytes=1430, ram_bytes=256, instructions=57_100, accuracy=80)
best = max(runs.values(), key=lambda run: run.unheard)
print(best.name, "hears", best.unheard, "%")
for name, share in capstone.shares(best.use, budget).items():
    print(f"{name}: {share:.2f}")

# %% [markdown]
# Flash, by far; and it passes the other two limits as well. Only a share of its limit makes bytes
# and instructions comparable. Look for a network that keeps all three and still reaches the goal.

# %% tags=["view"]
explore(
    lambda network: capstone.dashboard(runs[network].use, budget, network, "built and run on a Cortex-M0+"),
    network=list(runs),
)

# %% tags=["view"]
quiz("capstone.flash_kib")

# %% [markdown]
# ## How to read a budget
#
# **Flash** holds weights and the code that reads them. **Predict:** in a network of 130 weights, how much of
# the flash is weights: nine tenths, a half, or a quarter?

# %%
for name in ("means 4x4", "3 filters 5x5/3", "8 filters 5x5/3, dense 12"):
    run = runs[name]
    print(f"{name}: {run.weight_bytes:,} B of weights in {run.flash_bytes:,} B of flash")

# %% [markdown]
# A quarter. A small network is mostly code, a large one mostly weights: below about 500 B no choice of
# weights helps any more, only a simpler kind of layer does.
#
# **RAM** holds what lies *between* layers, and the stack. A network without a hidden layer needs almost none,
# however many weights it reads from flash.

# %%
for name in ("dense", "8 filters 4x4/4", "6 filters 6x6/2"):
    run = runs[name]
    print(f"{name}: {run.ram_bytes} B of RAM, {run.flash_bytes:,} B of flash")

# %% tags=["view"]
quiz("capstone.patch_sram")

# %% tags=["view"]
quiz("final.sram_total")

# %% [markdown]
# **Instructions** are time: an emulator counts them, the clock turns them into milliseconds.

# %%
ms = latency_ms(budget.instructions, clock_hz=16_000_000)
print(f"{budget.instructions:,} instructions at 16 MHz and 1.5 cycles each: {ms:.2f} ms")

# %% tags=["view"]
quiz("capstone.latency")

# %% [markdown]
# **Predict:** of two networks, does the one with fewer MACs always take fewer instructions?

# %%
for name in ("8 filters 5x5/3", "separable", "2 filters 5x5/3", "dense"):
    run = runs[name]
    each = run.instructions / run.macs
    print(f"{name}: {run.macs:,} MACs, {run.instructions:,} instructions, {each:.0f} a MAC")

# %% [markdown]
# Not always: 7,672 against 8,640 MACs, and half as many instructions again.
#
# **Common slip:** "MACs are time". Every output is also requantized, every window moved, every short loop
# begun and ended. Long rows of MACs are cheap, many small ones are not. So count MACs to sort out, and
# measure to decide.
#
# ## Techniques in a stack
#
# Savings multiply when they act on different things: fewer bits act on the bytes of a weight, fewer filters
# on their number, a wider stride on the places and on what the next layer reads. **Predict:** INT8 makes a
# float network nearly four times smaller. What does it cost in accuracy here?

# %%
large, few = runs["8 filters 5x5/3"], runs["3 filters 5x5/3"]
coarse = runs["4 filters 5x5/4"]
stack = [
    ("8 filters, FP32", large.floating / 100, 4 * large.weights),
    ("in INT8", large.unheard / 100, large.weight_bytes),
    ("3 filters", few.unheard / 100, few.weight_bytes),
    ("4, stride 4", coarse.unheard / 100, coarse.weight_bytes),
]
for name, accuracy, size in stack:
    print(f"{name}: {size:,} B, {100 * accuracy:.1f} %")

# %% tags=["view"]
SVG(accuracy_and_bytes(stack, "A stack of techniques", "weights and biases; 480 words of 24 strangers"))

# %% [markdown]
# INT8 costs nothing that 480 words could show: their accuracy is known to about 3 points. Three filters hear
# as well as eight here; a stride of 4 leaves gaps and does lose.
#
# **Common slip:** adding savings. Two halvings leave a quarter, not nothing.

# %% tags=["view"]
quiz("capstone.stack_mmac")

# %% tags=["view"]
quiz("capstone.stack_mb")

# %% [markdown]
# ## All limits at once
#
# A radar shows the shape of a solution. Its ring is the whole of each limit: inside is fit. **Predict:** of
# the three, which leaves room that could still be turned into accuracy?

# %%
three = ("means 2x2", "3 filters 5x5/3", "8 filters 5x5/3")
used = {name: capstone.shares(runs[name].use, budget) for name in three}
for name, shares in used.items():
    print(name, ", ".join(f"{limit} {share:.2f}" for limit, share in shares.items()))

# %% tags=["view"]
explore(
    lambda flash: radar(
        {n: capstone.shares(runs[n].use, capstone.Budget(flash, 256, 57_100, 80)) for n in three},
        f"Limits used, flash {flash:,} B",
    ),
    flash=IntSlider(value=1430, min=600, max=4000, step=10, description="flash [B]"),
)

# %% [markdown]
# The means keep every limit with room to spare, and miss the goal. Room that is left is accuracy not bought.
#
# ## What a class might do
#
# Seventeen networks were trained, built and run (`python -m benchmarks.capstone`). Move the limits: the
# stairs join what no other network beats. Which limit shuts out most?

# %%
points = [
    Point(r.name, r.unheard / 100, latency_ms(r.instructions, 16_000_000), r.ram_bytes, r.flash_bytes)
    for r in runs.values()
]

# %% tags=["view"]
explore(
    lambda flash, ram, instructions, across: canvases.pareto(
        points, ram / KIB, flash / KIB, latency_ms(instructions, 16_000_000), across
    ),
    flash=IntSlider(value=1430, min=600, max=6000, step=10, description="flash [B]"),
    ram=IntSlider(value=256, min=60, max=600, step=4, description="RAM [B]"),
    instructions=IntSlider(value=57_100, min=4000, max=200_000, step=100),
    across=["flash", "SRAM", "latency"],
)

# %% [markdown]
# Flash, at these limits. A budget has one tightest limit, and the first technique goes there.
#
# ## Whose accuracy?
#
# One network was fitted to the very words of the visible test: six speakers. **Predict** its accuracy there,
# and on strangers.

# %%
seen, strangers = capstone_runs.memorised()["visible"], capstone_runs.memorised()["unheard"]
honest = runs["8 filters 5x5/3, dense 12"].unheard
print(f"fitted to the test: {seen} % there, {strangers} % on strangers")
print(f"fitted to 20 other speakers: {honest} % on strangers")

# %% [markdown]
# What a judge has never shown cannot be fitted. Your own test is worth something as long as you do not choose
# by it too often: each choice learns a little of it.

# %% [markdown]
# ## The steps
#
# 1. Divide each limit by what a small network takes: the tightest limit names the kind of layer.
# 2. Take out code before weights where flash is tight, hidden maps where RAM is, places (stride, pooling)
#    where instructions are.
# 3. Train two or three candidates, quantize them, build them: measure, do not estimate, near a limit.
# 4. Spend what is left: more filters until one limit is nearly full.
# 5. Only then look at the test speakers, once.

# %% [markdown]
# The same arithmetic serves the other end of the scale.

# %% tags=["view"]
quiz("capstone.serve_13b")

# %% [markdown]
# ## Your own draw
#
# Write your name: it draws a budget to practise on. The assignment draws another one, and its judge measures.

# %%
student = "ada"
own = capstone_runs.practice_budget(student)
print(f"{own.flash_bytes:,} B of flash, {own.ram_bytes} B of RAM, {own.instructions:,} instructions")
print(f"{own.accuracy} % asked")

# %% tags=["view"]
explore(lambda network: capstone.dashboard(runs[network].use, own, network, "your draw"), network=list(runs))

# %% [markdown]
# At least one of them fits. Find it by the shares alone, then build a better one in the assignment.

# %%
fits = [name for name, run in runs.items() if max(capstone.shares(run.use, own).values()) <= 1]
print(f"{len(fits)} of {len(runs)} networks fit")
