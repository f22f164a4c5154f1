# %%
import math
from dataclasses import replace
from itertools import combinations

from ipywidgets import IntSlider

from tinylib.cost import Conv2D, DepthwiseConv2D, PointwiseConv2D, devices, networks, planning
from tinylib.cost.report import report
from tinylib.lab import explore, quiz
from tinylib.show import canvases
from tinylib.units import KIB

# %% [markdown]
# ## One buffer, laid out beforehand
#
# Firmware seldom allocates while it runs: each activation has a fixed place in one buffer, the *arena*. This
# MobileNetV1 never has more than 54 KiB alive. **Predict:** is an arena of 54 KiB enough for a planner
# that places the largest tensor first?

# %%
person = networks.mobilenet_v1_vww()
early = replace(person, name="the first eight layers", nodes=person.nodes[:8])
plan = planning.plan_arena(early)
for slot in plan.slots[:5]:
    place = f"{slot.offset:6,} to {slot.offset + slot.size:6,}"
    print(f"{slot.name:5} bytes {place}, from step {slot.first} to {slot.last}")
print(f"most alive {plan.lower_bound_bytes / KIB:.0f} KiB, arena {plan.arena_bytes / KIB:.0f} KiB")

# %% [markdown]
# Not for this one: `dw1` is alive with `stem` and then with `pw1`, so it lies above both, and while `pw1`
# is written (step 2) the bytes between the two are idle. In a chain only neighbours meet, so a better plan
# is simple: put them at **opposite ends**, in turn.

# %%
top = plan.lower_bound_bytes
ends = [replace(slot, offset=(top - slot.size) * (i % 2)) for i, slot in enumerate(plan.slots)]
met = [sorted(p, key=lambda slot: slot.offset) for p in combinations(ends, 2) if p[0].meets(p[1])]
print(sum(low.offset + low.size > high.offset for low, high in met), "of", len(met), "pairs overlap")
print(f"arena {max(slot.offset + slot.size for slot in ends) / KIB:.0f} KiB")

# %% [markdown]
# Compare both plans. Where is the hole of the first, and why is it gone in the second?

# %% tags=["view"]
plans = {"largest first": plan.slots, "opposite ends": ends}
explore(
    lambda order, step: canvases.arena(early, step=step, slots=plans[order]),
    order=list(plans),
    step=IntSlider(value=2, min=0, max=7),
)

# %% [markdown]
# **Common slip:** "so many bytes are free, so the tensor fits". It needs them in one piece.

# %% tags=["view"]
quiz("mcu.two_buffer")

# %% tags=["view"]
quiz("mcu.reference_peak")

# %% [markdown]
# ## A depthwise layer in its own place
#
# A depthwise convolution does not mix channels, so a finished channel may overwrite its input. **Predict:**
# input and output are two maps of 56 x 56 x 64 bytes. How much of the two is left?

# %%
depthwise, shape = DepthwiseConv2D(64, 3, padding="same"), (56, 56, 64)
one_map, in_place = math.prod(shape), planning.inplace_depthwise_elements(depthwise, shape)
print(f"two maps {2 * one_map:,} B, in place {in_place:,} B, spare channel {in_place - one_map:,} B")

# %% [markdown]
# One map and one channel, because a channel is still read while its output is made (Lin et al., MCUNet,
# arXiv 2007.10319). Does a whole network gain as much?

# %%
for model in (person, networks.mobilenet_v2(0.35, side=144)):
    pairs = {r.name: math.prod(r.in_shapes[0]) + r.activation_elements for r in model.rows if len(r.src) == 1}
    saved = dict(pairs)
    for node, row in zip(model.nodes, model.rows):
        if isinstance(node.layer, DepthwiseConv2D):
            saved[row.name] = planning.inplace_depthwise_elements(node.layer, row.in_shapes[0])
    before, after = max(pairs.values()), max(saved.values())
    print(f"{model.name}: {before:,} B at {max(pairs, key=pairs.get)}, then", end=" ")
    print(f"{after:,} B at {max(saved, key=saved.get)}: {100 * (1 - after / before):.1f} % less")

# %% [markdown]
# Nothing like half: a pointwise layer sets the peak from the start, or takes over.
#
# **Common slip:** quoting a layer's saving as the network's. A peak falls only as far as the runner-up.

# %% tags=["view"]
quiz("mcu.inplace_dw")

# %% [markdown]
# ## Only the rows that are read
#
# **Predict:** to write *one* row of its output, how much of the 56 input rows must that layer hold?

# %%
for out_rows in (1, 2, 4, 56):
    held = planning.row_tile_elements(depthwise, shape, out_rows)
    print(f"{out_rows:2} output rows: {held / KIB:5.1f} KiB of the input, {held // (56 * 64)} rows")

# %% [markdown]
# Three: as many as the kernel is high, and `(r - 1) s + k` for `r` rows at stride `s`. It helps if the rows
# before can be thrown away, as when they arrive from a camera.

# %% tags=["view"]
quiz("mcu.row_tile")

# %% [markdown]
# ## Unrolled for speed
#
# `im2col` copies what each output position reads into a row of its own, so that the convolution becomes a
# matrix product. Step through the positions: which values are copied again? **Predict:** for a 3x3 kernel
# over a large map, how much larger than the map is the matrix?

# %% tags=["view"]
explore(canvases.unrolled, side=[4, 5], kernel=[3, 2, 1], position=IntSlider(value=1, min=0, max=24))

# %%
for layer in (Conv2D(32, 32, 3, padding="same"), PointwiseConv2D(32, 32)):
    values = planning.im2col_elements(layer, (14, 14, 32))
    row = values // (14 * 14)
    times = values / (14 * 14 * 32)
    print(f"kernel {layer.kernel_size}: {values:,} values, {times:.0f} x the map, {row} in a row")

# %% [markdown]
# Nine times: with padding each value is read nine times, but at the border. A 1x1 kernel needs no copy.
# CMSIS-NN unrolls two rows at a time (Lai et al., arXiv 1801.06601): 2 x 288 = 576 values, not 56,448.
#
# **Common slip:** leaving the unrolled buffer out of the SRAM budget.

# %% tags=["view"]
quiz("mcu.im2col")

# %% [markdown]
# ## Patch by patch
#
# Compute the first four layers for one patch of the output, then for the next. **Predict:** with 4 x 4
# patches, does the SRAM of this stage fall 16 times?

# %%
stage = [node.layer for node in person.nodes[:4]]
print(f"layer by layer: {planning.plan_patches(stage, (96, 96, 3), 1).whole_elements:,} B")
for n in (2, 4, 8):
    tiled = planning.plan_patches(stage, (96, 96, 3), n)
    side, _ = max(tile[0] for tile in tiled.tiles)
    print(f"{n} x {n}: {tiled.peak_elements:,} B, input side {side}, {100 * tiled.overhead:.1f} % more MACs")
print("sides for 6 outputs:", [planning.needed_side(stage[-depth:], 6) for depth in (1, 2, 3, 4)])

# %% [markdown]
# Four times, with an image that arrives tile by tile. The assembled output stays whole, and each patch
# needs a *halo*: pixels its neighbours read too, whose values are computed again. Past 4 x 4, work
# explodes for little memory.
#
# **Common slip:** counting the halo of one layer. Every window of the stage widens it: 6 outputs need 13,
# 13, 15, then 31 inputs a side. Only the pointwise layer adds none.

# %% tags=["view"]
explore(
    lambda n, row, column: canvases.patches(stage, (96, 96, 3), n, row, column),
    n=IntSlider(value=4, min=1, max=8, description="patches"),
    row=IntSlider(value=1, min=0, max=7),
    column=IntSlider(value=1, min=0, max=7),
)

# %% tags=["view"]
quiz("mcu.patch_factor")

# %% tags=["view"]
quiz("mcu.patch_halo")

# %% tags=["view"]
quiz("mcu.patch_overhead")

# %% [markdown]
# ## Does it fit the part?
#
# **Predict:** a Nano 33 BLE Sense has 1 MiB of flash. Do a million INT8 weights and a radio stack fit?

# %%
nano = devices.named("nano33ble")
print(f"{nano.flash_bytes:,} - 1,000,000 = {nano.flash_bytes - 1_000_000:,} B of flash left")
fit = planning.fit(person, nano, flash_reserved_bytes=256 * KIB, sram_reserved_bytes=64 * KIB)
print(f"{person.name}: {fit.flash_left_bytes:,} B flash and {fit.sram_left_bytes:,} B SRAM left: {fit.fits}")

# %% [markdown]
# Hardly: code, runtime and radio stack would have to share 48,576 bytes. Reserve their room first, as the
# second line does, then fit the model.

# %% tags=["view"]
quiz("mcu.flash_left_nano")

# %% tags=["view"]
quiz("mcu.flash_weights")

# %% [markdown]
# ## One page for a network
#
# **Predict:** MobileNetV2 0.35 for images of 144 pixels a side, on that board: which memory runs over, and
# would patches mend it?

# %%
full = networks.mobilenet_v2(0.35, side=144)
page = report(full, nano)
print(f"SRAM: {page.fit.sram_needed_bytes:,} of {nano.sram_bytes:,} B")
print(f"flash: {page.fit.flash_needed_bytes:,} of {nano.flash_bytes:,} B")
for remedy in page.remedies[:4]:
    print(f"{remedy.name}: peak {remedy.peak_bytes:,} B, fits: {remedy.fits}")

# %% [markdown]
# Both run over, so patches, which free SRAM alone, cannot mend it; half the width or INT4 would. The report
# names the memory that binds and sorts what would help, first what makes the network fit. Which of the other
# networks fits which board?

# %% tags=["view"]
named = {"MobileNetV2 0.35": full, "MobileNetV1 0.25": person, "ResNet-8": networks.resnet8()}
explore(
    lambda network, board: canvases.report(report(named[network], board)),
    network=list(named),
    board=["nano33ble", "stm32f746", "stm32l011"],
)
