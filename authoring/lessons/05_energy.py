# %%
from ipywidgets import FloatSlider, IntSlider, ToggleButtons

from tinylib.cost import Conv2D, Dense, energy
from tinylib.lab import explore, quiz
from tinylib.show import canvases

# %% [markdown]
# ## One multiply-accumulate, in picojoules
#
# All energies here are from published tables of one process, 45 nm (Horowitz, ISSCC 2014), in picojoules:
# 1 pJ = 10^-12 J. A narrow format needs a smaller multiplier. **Predict:** how many INT8 MACs does the energy
# of one FP32 MAC pay for: four, eight or fifteen?

# %%
for format in ("fp32", "fp16", "int8"):
    print(f"{format}: {energy.mac_pj(format):.1f} pJ per MAC")
print(f"fp32 / int8 = {energy.mac_pj('fp32') / energy.mac_pj('int8'):.1f}")

# %% [markdown]
# Fifteen, not the four that the widths suggest: a multiplier grows roughly with the square of its width.
#
# **Common slip:** charging the multiply alone. A MAC also adds, and INT8 adds in 32 bits.

# %% tags=["view"]
quiz("power.mac_energy_int8")

# %% [markdown]
# ## The operands must come from somewhere
#
# From registers and SRAM on the chip, or from DRAM, a chip of its own. **Predict:** one word comes from DRAM.
# How many FP32 multiplications would the same energy pay for: two, twenty, or more than a hundred?

# %%
for step in energy.ladder():
    print(f"{step.name:28} {step.pj:5.0f} pJ {step.pj / energy.pj('float32_mult'):7.1f} multiplications")

# %% [markdown]
# More than a hundred. Each step away from the core is a longer wire. Change what the steps are compared
# with:

# %% tags=["view"]
explore(canvases.energy_ladder, compare=["register", "INT8 MAC", "FP32 MAC"])

# %% tags=["view"]
quiz("energy.dram_over_mult")

# %% [markdown]
# ## A ladder that went round
#
# A lesson on lecture 1 of MIT 6.5940 prints other figures and calls them measured. **Predict:** which of its
# steps agree with the published tables (Horowitz 2014; Han et al., NeurIPS 2015)?

# %%
for step in energy.ladder_as_printed():
    print(f"{step.name:20} {step.pj:5.1f} pJ  {step.note or 'as published'}")
dram, printed = energy.pj("dram"), energy.ladder_as_printed()[0].pj
print(f"DRAM / register: printed {dram / printed:,.0f}, published {dram / energy.pj('register'):,.0f}")

# %% [markdown]
# One memory: DRAM. The printed register is really an integer addition, so its headline ratio is ten
# times too large.
#
# **Common slip:** quoting a ratio without its two energies. Those can be checked; a bare ratio cannot.

# %% tags=["view"]
explore(
    canvases.energy_ladder,
    compare=["register", "FP32 MAC"],
    as_printed=ToggleButtons(options={"as printed": True, "published": False}),
)

# %% tags=["view"]
quiz("energy.dram_over_sram")

# %% [markdown]
# ## A whole layer: convolution
#
# ResNet-50's first layer, weights in DRAM. **Predict:** if each weight is read once per image, which part
# costs more, arithmetic or reading?

# %%
stem, image = Conv2D(3, 64, kernel_size=7, stride=2, padding=3, bias=False), (224, 224, 3)
once = energy.layer_energy(stem, image)
print(f"{stem.macs(image):,} MACs: {once.compute_pj / 1e6:.1f} µJ")
print(f"{stem.weights:,} weights, each read once: {once.weights_pj / 1e6:.2f} µJ")
anew = energy.layer_energy(stem, image, cached=False)
print(f"the same weights, fetched for every MAC: {anew.weights_pj / 1e9:.1f} mJ")

# %% [markdown]
# Arithmetic: 9,408 x 640 = 6,021,120 pJ is only 6.02 µJ. Fetched anew for every MAC, the same weights
# cost 75.5 mJ. "Memory dominates" is about reuse, not a law.
#
# **Common slip:** a lost factor of 1000. From pJ it is 10^6 to µJ and 10^9 to mJ. The first question prices a
# MAC as that lesson does, by its multiply alone: 3.7 pJ, not 4.6.

# %% tags=["view"]
quiz("energy.compute_uj")

# %% tags=["view"]
quiz("energy.dram_once_uj")

# %% tags=["view"]
quiz("energy.dram_uncached_mj")

# %% [markdown]
# ## A layer without reuse, and a smaller format
#
# A dense layer uses a weight once. **Predict:** INT8 weights are four times smaller. Moved into a 1 MB
# SRAM as well, do they cost four times less?

# %%
dense = Dense(512, 256)
before = energy.layer_energy(dense, (512,))
after = energy.layer_energy(dense, (512,), format="int8", memory="sram_1mb")
print(f"FP32, DRAM: {before.compute_pj / 1e6:.2f} + {before.weights_pj / 1e6:.2f} µJ")
print(f"INT8, SRAM: {after.compute_pj / 1e6:.2f} + {after.weights_pj / 1e6:.2f} µJ")
print(f"{before.weights_pj / after.weights_pj:.1f} times less for the weights")
layers = {"convolution": (stem, image), "dense": (dense, (512,))}

# %% [markdown]
# Fifty times less. Two gains multiply: four weights in each word, and each word 12.8 times cheaper, so
# 4 x 12.8 = 51.2. Often the second is why quantization pays: the weights now *fit* nearby.
#
# Both layers side by side. In which of them does a narrower format help, and in which a nearer memory?

# %% tags=["view"]
explore(
    lambda format, memory: canvases.stacked(
        "Arithmetic or reading?",
        {n: energy.layer_energy(*of, format=format, memory=memory).parts_uj for n, of in layers.items()},
        "energy of one inference [µJ]",
        f"ResNet-50's first layer; dense 512 to 256; {format}",
        600,
        "Horowitz, ISSCC 2014, 45 nm",
    ),
    format=["fp32", "fp16", "int8"],
    memory=ToggleButtons(options={"DRAM": "dram", "1 MB SRAM": "sram_1mb"}),
)

# %% [markdown]
# The convolution lives on arithmetic, the dense layer on reading. One remedy does not serve both.

# %% tags=["view"]
quiz("energy.int8_and_cache")

# %% [markdown]
# ## From microjoules to battery days
#
# A sensor node draws 100 mW for 8.4 ms, every 10 s; asleep it draws 6 µW. It runs on a coin cell of 225 mAh
# at 3 V. **Predict:** a better model needs thirty times less energy. Does the cell last thirty times longer?

# %%
spent = energy.energy_per_inference_j(0.1, 0.0084)
print(f"one inference: {spent * 1e6:.0f} µJ")
for joules in (spent, spent / 30):
    days = energy.battery_days(225, 3.0, joules, every_s=10, sleep_w=6e-6)
    power = energy.average_power_w(joules, every_s=10, sleep_w=6e-6)
    print(f"{joules * 1e6:.0f} µJ: {power * 1e6:.1f} µW on average, {days:,.1f} days")

# %% [markdown]
# About ten times: sleeping, not thinking, now takes most of the power. Which slider still helps?
# (A real cell ages, and loses charge on the shelf.)

# %% tags=["view"]
explore(
    canvases.battery,
    energy_uj=IntSlider(value=840, min=20, max=2000, step=20),
    every_s=IntSlider(value=10, min=1, max=120),
    sleep_uw=FloatSlider(value=6, min=1, max=50, step=1),
)

# %% tags=["view"]
quiz("power.battery_days")

# %% tags=["view"]
quiz("power.life_ratio")

# %% tags=["view"]
quiz("power.average")

# %% [markdown]
# ## Does the smaller model pay?
#
# A smaller model may run on a cheaper board *and* change its battery less often. **Predict:** board A costs 4
# EUR and lasts 400 days, board B 1 EUR and 1,200 days. Which saves more over ten thousand boards, price or
# batteries?

# %% tags=["view"]
explore(
    lambda price_a_eur, price_b_eur, pieces: canvases.bill_of_materials(
        price_a_eur, price_b_eur, pieces, 400, 1200
    ),
    price_a_eur=FloatSlider(value=4, min=0.5, max=10, step=0.5),
    price_b_eur=FloatSlider(value=1, min=0.5, max=10, step=0.5),
    pieces=IntSlider(value=10_000, min=1000, max=100_000, step=1000),
)

# %% [markdown]
# The price, at first sight: 30,000 EUR once. But A needs 6,083 more changes a *year*, and each one sends
# somebody to the device.
#
# **Common slip:** counting chips and leaving out the visits.

# %% tags=["view"]
quiz("cost.bom")

# %% [markdown]
# ## What the ladder leaves out
#
# **Predict:** on a small processor, which costs more: an INT8 MAC, or fetching the instruction for it?

# %%
ratio = energy.pj("instruction") / energy.mac_pj("int8")
print(f"one instruction: {energy.pj('instruction'):.0f} pJ, {ratio:.0f} INT8 MACs")

# %% [markdown]
# The instruction, by far. So sums of MAC energies rank models but do not predict the joules of a
# microcontroller: measure the board, power x time. And 45 nm is an old process: newer ones need less.
