# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. A budget is a set of limits that must hold *together*: flash, SRAM,
# time, energy. `print(hint("capstone.flash_kib"))` in a cell of your own gives the next hint on a question.
# Press *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
from ipywidgets import IntSlider

from tinylib.lab import explore, question
from tinylib.practice import begin, check, hint
from tinylib.show import canvases

begin(student)

# %% [markdown]
# ## 1. Flash

# %% role="given" name="flash-question"
q = question("capstone.flash_kib")

# %% role="answer" name="flash"
flash_kib = None
### BEGIN SOLUTION
flash_kib = q.params / 1024 + q.fw
### END SOLUTION

# %% role="check" name="flash-check" points=1
check("capstone.flash_kib", flash_kib)

# %% [markdown]
# ## 2. SRAM, patch by patch

# %% role="given" name="patch-question"
q = question("capstone.patch_sram")

# %% role="answer" name="patch"
patch_kib = None
### BEGIN SOLUTION
patch_kib = q.sram / q.p**2
### END SOLUTION

# %% role="check" name="patch-check" points=1
check("capstone.patch_sram", patch_kib)

# %% [markdown]
# ## 3. Time

# %% role="given" name="latency-question"
q = question("capstone.latency")

# %% role="answer" name="latency"
latency_ms = None
### BEGIN SOLUTION
latency_ms = 1000 * q.macs / q.rate
### END SOLUTION

# %% role="check" name="latency-check" points=1
check("capstone.latency", latency_ms)

# %% [markdown]
# ## 4. A language model on one GPU

# %% role="given" name="serve-question"
q = question("capstone.serve_13b")

# %% role="answer" name="serve"
served_gb = None
### BEGIN SOLUTION
weights_bytes = q.p * q.pb
cache_bytes = 2 * q.L * q.H * q.dh * q.n * q.batch * q.b
served_gb = (weights_bytes + cache_bytes) / 1e9
### END SOLUTION

# %% role="check" name="serve-check" points=1
check("capstone.serve_13b", served_gb)

# %% [markdown]
# ## 5. Techniques stacked: work

# %% role="given" name="stack-work-question"
q = question("capstone.stack_mmac")

# %% role="answer" name="stack-work"
mmac_left = None
### BEGIN SOLUTION
mmac_left = q.m / q.dws * (1 - q.sp)
### END SOLUTION

# %% role="check" name="stack-work-check" points=1
check("capstone.stack_mmac", mmac_left)

# %% [markdown]
# ## 6. Techniques stacked: storage

# %% role="given" name="stack-size-question"
q = question("capstone.stack_mb")

# %% role="answer" name="stack-size"
size_mb = None
### BEGIN SOLUTION
size_mb = q.s / q.q
### END SOLUTION

# %% role="check" name="stack-size-check" points=1
check("capstone.stack_mb", size_mb)

# %% [markdown]
# ## 7. A year on a coin cell
#
# This question has no key in the release: the check can only tell whether you gave a number. Set your
# numbers in the figure, move `every_s` and read the answer off, or work it out and let the figure confirm.

# %% role="given" name="year-question"
q = question("a10.shortest_interval")

# %% role="given" name="year-figure"
explore(
    canvases.battery,
    energy_uj=IntSlider(value=1000, min=400, max=3000, step=100),
    every_s=IntSlider(value=10, min=1, max=60),
    sleep_uw=IntSlider(value=6, min=1, max=20),
)

# %% role="answer" name="year"
interval_s = None
### BEGIN SOLUTION
mean_w = 225 * 3.6 * 3 / (365 * 86400)
seconds = q.mw * q.ms * 1e-6 / (mean_w - q.sleep_uw * 1e-6)
interval_s = int(seconds) + 1
### END SOLUTION

# %% role="check" name="year-check" points=2
check("a10.shortest_interval", interval_s)

# %% [markdown]
# ## 8. All limits of one design
#
# Write a function that reports what a model asks of a sensor node. Weights and activations take `bits`
# bits a value, and the core does **one MAC per cycle**. While it computes, the board draws `power_mw`; one
# inference runs every `every_s` seconds, and 6 µW are drawn all the time besides. The battery holds 225 mAh
# at 3 V. Return a dict:
#
# | entry | what | unit |
# |---|---|---|
# | `flash_kib` | the weights, `params` values | KiB (1024 bytes) |
# | `sram_kib` | the activations, `peak_values` values | KiB (1024 bytes) |
# | `latency_ms` | one inference at `clock_mhz` | ms |
# | `energy_uj` | one inference at `power_mw` | µJ |
# | `mean_uw` | mean power, sleep included | µW |
# | `days` | until the battery is empty | d |


# %% role="answer" name="budget-report"
def budget_report(params, peak_values, bits, macs, clock_mhz, power_mw, every_s):
    """What one model asks of flash, SRAM, time and battery, by name."""
    ### BEGIN SOLUTION
    latency_ms = macs / (clock_mhz * 1000)
    energy_uj = power_mw * latency_ms
    mean_uw = energy_uj / every_s + 6
    return {
        "flash_kib": params * bits / 8 / 1024,
        "sram_kib": peak_values * bits / 8 / 1024,
        "latency_ms": latency_ms,
        "energy_uj": energy_uj,
        "mean_uw": mean_uw,
        "days": 225 * 3.6 * 3 / (mean_uw * 1e-6) / 86400,
    }
    ### END SOLUTION


# %% role="check" name="budget-report-check" points=6
check("a10.budget_report", budget_report)
