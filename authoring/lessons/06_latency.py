# %%
from ipywidgets import SelectionSlider, ToggleButtons

from tinylib.cost import Conv2D, latency, processors, roofline
from tinylib.lab import explore, measured_roofline, quiz
from tinylib.show import canvases

# %% [markdown]
# ## Faster for everyone, slower for each
#
# One request takes 50 ms. Sixteen together take 80 ms. **Predict:** how many times as many requests per
# second does the batch serve: sixteen, ten, or fewer?

# %%
for batch, seconds in ((1, 0.05), (16, 0.08)):
    rate = latency.throughput_per_s(batch, seconds)
    print(f"batch {batch:2}: {1000 * seconds:.0f} ms a run, {rate:.0f} requests per second")

# %% [markdown]
# Ten: the batch runs longer than one request. *Throughput*, requests per second, rises; so does *latency*,
# the time of each request.

# %% tags=["view"]
quiz("lat.batch_for_tenfold")

# %% [markdown]
# ## Waiting for the bus to fill
#
# A batch starts when its last request is in. **Predict:** at 20 requests per second, does the first one wait
# longer for the run, or for the other fifteen?

# %%
for arrivals in (20, 50, 100, 200):
    fill = 1000 * latency.fill_time_s(16, arrivals)
    first = 1000 * latency.batch_latency_s(16, 0.08, arrivals)
    mean = 1000 * latency.mean_batch_latency_s(16, 0.08, arrivals)
    print(f"{arrivals:3} per s: filling {fill:3.0f} ms, first {first:3.0f} ms, mean {mean:5.1f} ms")

# %% [markdown]
# For the others, by far: the quieter the hour, the dearer the batch. Let a run last 48 ms and 2 ms more for
# each request, which fits both runs above. Below which rate is no batch worth its wait? At 100 a second,
# which is best?

# %% tags=["view"]
explore(
    lambda arrivals: canvases.stacked(
        f"The first request of a batch, {arrivals} arrive per second",
        latency.first_waits_ms((1, 4, 16, 64), 48, 2, arrivals),
        "latency [ms]",
        "a batch that cannot keep up is left out: its queue would grow without end",
    ),
    arrivals=SelectionSlider(options=[5, 10, 20, 50, 100, 200], value=50, description="per second"),
)

# %% [markdown]
# Up to 20 a second one at a time keeps up, and any batch only adds a wait. Beyond, the smallest batch that
# keeps up waits least. A real server also starts early, after a deadline.
#
# **Common slip:** "throughput = batch / latency". The run time belongs there; latency also has the wait.

# %% tags=["view"]
quiz("lat.throughput_batch")

# %% [markdown]
# ## Two limits and the ridge between them
#
# A chip computes so many FLOPs and reads so many bytes a second. At which arithmetic intensity (lesson 03) do
# both limits bind? That is its *ridge*: peak FLOP/s over B/s. **Predict:** an A100, a large GPU, needs how
# many FLOPs per byte to stay busy in FP16: about one, ten, or more than a hundred?

# %%
for id in ("a100_40", "a100_80", "jetson_nano", "stm32f746"):
    chip = processors.named(id)
    peak = 2 * chip.peak_macs_per_s(bits=16)
    ridge = roofline.ridge_point(peak, chip.bandwidth_bytes_per_s)
    print(f"{chip.name:30} {ridge:6.1f} FLOP/B = {ridge / 2:6.2f} MAC/B")
print(f"312 TFLOP/s / 2 TB/s = {roofline.ridge_point(312e12, 2e12):.0f} FLOP/B")

# %% [markdown]
# More than a hundred, and it depends on the memory fitted; below we use the round figures of the last line.
# The microcontroller (INT8, 8 bytes a cycle from its SRAM; a question below takes 4) is a gentler place: its
# ridge is low.
#
# **Common slip:** setting MACs per byte against a ridge in FLOPs per byte. That hides a factor of two.

# %% tags=["view"]
quiz("roof.a100_ridge")

# %% tags=["view"]
quiz("metrics.ridge_point")

# %% [markdown]
# ## Six operations, each derived
#
# FP16: two bytes a value. ReLU does one FLOP, reads a value and writes one. *Decoding*, a language model
# writing token by token, uses a weight for one MAC. Softmax does four FLOPs and one exponential, counted here
# as eight. **Predict:** which of the three reaches the ridge?

# %%
operations = {
    "ReLU": 1 / (2 + 2),
    "decode, batch 1": latency.dense_intensity(1, 2),
    "softmax": (4 + 8) / (2 + 2),
}
for name, intensity in operations.items():
    print(f"{name:16} {intensity:5.2f} FLOP/B")

# %% [markdown]
# None comes near. More reuse is needed: *prefill*, which reads 32 tokens of a prompt at once, a matrix
# product with a batch of 512, or a convolution (3x3, 256 to 256 channels, 14x14 map) on 64 images.

# %%
operations["prefill, 32"] = latency.dense_intensity(32, 2)
operations["matmul, 512"] = latency.dense_intensity(512, 2)
conv, shape = Conv2D(256, 256, kernel_size=3, padding="same"), (14, 14, 256)
values = conv.weights + 64 * 2 * 14 * 14 * 256
operations["convolution, 64"] = 64 * roofline.flops(conv, shape) / (2 * values)
for name, intensity in operations.items():
    reached = roofline.attainable_flops_per_s(intensity, 312e12, 2e12) / 1e12
    side = roofline.regime(intensity, 312e12, 2e12)
    print(f"{name:16} {intensity:7.2f} FLOP/B {reached:6.1f} TFLOP/s  {side}")

# %% [markdown]
# Two reach the peak. Prefill with 32 tokens is still nearly five times short of the ridge. Decode, prefill
# and matmul count weights alone: upper bounds. A cheaper exponential lowers softmax further.
#
# Drawn, the two limits make a *roofline*: on the slope, bytes per second are the limit (memory-bound), on the
# flat roof the peak is (compute-bound). Move through the six.

# %% tags=["view"]
explore(
    lambda intensity, unit: canvases.roofline("a100_80", intensity, bits=16, unit=unit),
    intensity=SelectionSlider(options=[0.25, 1, 3, 10, 32, 100, 156, 512, 1000], value=32),
    unit=ToggleButtons(options=["FLOP", "MAC"]),
)

# %% tags=["view"]
quiz("roof.relu_intensity")

# %% tags=["view"]
quiz("roof.relu_distance")

# %% tags=["view"]
quiz("roof.decode_tflops")

# %% [markdown]
# ## The batch that reaches the ridge
#
# Count weights alone and a batch of 156 is enough, because 2 FLOP share 2 bytes. **Predict:** when inputs
# and outputs of a 4,096 x 4,096 layer are counted too, is it a bit more, or twice as many?

# %%
print(f"weights alone: {latency.batch_at_ridge(312e12, 2e12, 2):.0f}")
ridge_batch = latency.batch_at_ridge(312e12, 2e12, 2, 4096, 4096)
print(f"with activations: {ridge_batch:.1f}, so {-(-ridge_batch // 1):.0f}")
for batch in (1, 64, 256, 1024):
    ideal = latency.dense_intensity(batch, 2)
    real = latency.dense_intensity(batch, 2, 4096, 4096)
    print(f"batch {batch:4}: {ideal:4.0f} FLOP/B at most, {real:5.1f} with activations")
print(f"256 x 256 layer, batch 100,000: {latency.dense_intensity(100_000, 2, 256, 256):.1f}")

# %% [markdown]
# A bit more: 169. Batch 256 is compute-bound either way (the lesson on lecture 1 lists it as memory-bound: it
# set MACs per byte against a misprinted ridge). A narrow layer never gets there: once its activations
# outweigh its weights, bytes grow as fast as work.

# %% tags=["view"]
quiz("lat.b256_margin")

# %% tags=["view"]
quiz("lat.batch_at_ridge")

# %% [markdown]
# ## Pick the remedy
#
# The small points are the layers of a keyword spotter. **Predict:** on a Cortex-M0+, is any of them
# memory-bound? And on an A100?

# %% tags=["view"]
explore(
    canvases.roofline,
    processor=SelectionSlider(options=processors.ids()),
    intensity=SelectionSlider(options=[0.25, 1, 4, 16, 64, 256, 1024], value=1),
    bits=[8, 16, 32],
    model=["mlperf_tiny_kws_dscnn", "lenet5", "vgg16"],
    batch=SelectionSlider(options=[1, 4, 16, 64, 256]),
    unit=["FLOP", "MAC"],
)

# %% [markdown]
# On the M0+ none, on the A100 all ten, at every batch offered. Left of the ridge, move fewer bytes: narrower
# values, layers fused so that nothing is written in between, a batch large enough. Right of it, do fewer
# MACs.
#
# **Common slip:** pruning MACs from a memory-bound layer, and waiting for a speed-up.

# %% tags=["view"]
quiz("lat.int4_decode_ms")

# %% tags=["view"]
quiz("mcu.roofline_m7")

# %% tags=["view"]
quiz("mcu.dsp_latency")

# %% [markdown]
# ## Your own machine
#
# Data sheets promise; a stopwatch tells. **Predict:** next to a large matrix product in numpy, how many FLOPs
# per second does `y + a * x` on long arrays (axpy) reach: half, a tenth, or a fiftieth?

# %%
machine = measured_roofline()
print(f"{machine.machine}, {machine.date}")
for name, intensity, rate in machine.points:
    share = rate / machine.peak_flops_per_s
    roof = roofline.attainable_flops_per_s(intensity, machine.peak_flops_per_s, machine.bandwidth_bytes_per_s)
    print(f"{name:17} {rate / 1e9:6.1f} GFLOP/s, {share:4.0%} of the peak, {rate / roof:4.0%} of the roof")

# %% tags=["view"]
measured_roofline()

# %% [markdown]
# About a fiftieth: it waits for memory, as does a matrix times a vector (matvec). Many small products lie far
# below the roof: it is a limit, no forecast.
# For your machine, run `measured_roofline(run=True)`; it takes a few seconds.
#
# **Common slip:** timing one run. The first is cold, and other programs take their turn: keep the best.
