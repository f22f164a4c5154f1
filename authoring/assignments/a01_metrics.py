# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("metrics.mac_to_flop"))` in a cell of your own gives the next hint on a question. Press
# *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
from ipywidgets import IntSlider, SelectionSlider

from tinylib.lab import explore, question
from tinylib.practice import begin, check, hint
from tinylib.show import canvases

begin(student)

# %% [markdown]
# ## 1. Model size

# %% role="given" name="model-size-question"
q = question("metrics.model_size_fp32")

# %% role="answer" name="model-size"
model_size_mb = None
### BEGIN SOLUTION
model_size_mb = q.params * q.bits / 8 / 1e6
### END SOLUTION

# %% role="check" name="model-size-check" points=1
check("metrics.model_size_fp32", model_size_mb)

# %% [markdown]
# ## 2. MACs and FLOPs

# %% role="given" name="mac-to-flop-question"
q = question("metrics.mac_to_flop")

# %% role="answer" name="mac-to-flop"
mflop = None
### BEGIN SOLUTION
mflop = 2 * q.macs / 1e6
### END SOLUTION

# %% role="check" name="mac-to-flop-check" points=1
check("metrics.mac_to_flop", mflop)

# %% [markdown]
# ## 3. Arithmetic intensity

# %% role="given" name="intensity-question"
q = question("metrics.arithmetic_intensity")

# %% role="answer" name="intensity"
flop_per_byte = None
### BEGIN SOLUTION
flop_per_byte = q.flops / q.bytes_moved
### END SOLUTION

# %% role="check" name="intensity-check" points=1
check("metrics.arithmetic_intensity", flop_per_byte)

# %% [markdown]
# ## 4. Activation memory, read off a figure
#
# Set channels, side and bits to your numbers and read the output activation.

# %% role="given" name="activation-question"
q = question("metrics.activation_kib")
explore(
    lambda channels, side, bits: canvases.convolution(8, channels, 3, 1, side, bits),
    channels=IntSlider(value=16, min=8, max=128, step=8),
    side=IntSlider(value=28, min=4, max=112),
    bits=SelectionSlider(options=[8, 16, 32], value=8),
)

# %% role="answer" name="activation"
activation_kib = None
### BEGIN SOLUTION
activation_kib = q.c * q.h * q.w * q.bits / 8 / 1024
### END SOLUTION

# %% role="check" name="activation-check" points=1
check("metrics.activation_kib", activation_kib)

# %% [markdown]
# ## 5. The ridge of the roofline

# %% role="given" name="ridge-question"
q = question("metrics.ridge_point")

# %% role="answer" name="ridge"
ridge_flop_per_byte = None
### BEGIN SOLUTION
ridge_flop_per_byte = q.peak / q.bw
### END SOLUTION

# %% role="check" name="ridge-check" points=1
check("metrics.ridge_point", ridge_flop_per_byte)

# %% [markdown]
# ## 6. A question without a key
#
# The check under this one can only tell whether you gave a number. It is judged at grading.

# %% role="given" name="headroom-question"
q = question("a01.largest_map")

# %% role="answer" name="headroom"
channels = None
### BEGIN SOLUTION
channels = q.sram_kib * 1024 // (2 * q.side * q.side)
### END SOLUTION

# %% role="check" name="headroom-check" points=2
check("a01.largest_map", channels)

# %% [markdown]
# ## 7. Everything at once
#
# Write a function that reports on one square convolution **without bias** and with stride 1: input and
# output are both `h_out` x `w_out`, every weight and value takes `bits` bits. Return a dict with these
# entries:
#
# | entry | what | unit |
# |---|---|---|
# | `params` | weights | count |
# | `size_kb` | weight storage | KB (1000 bytes) |
# | `macs` | multiply-accumulates | count |
# | `flops` | operations | count |
# | `activation_kib` | the output tensor | KiB (1024 bytes) |
# | `intensity` | FLOP per byte of weights, input and output | FLOP/B |


# %% role="answer" name="efficiency-report"
def efficiency_report(c_in, c_out, kernel_size, h_out, w_out, bits):
    """All metrics of one convolution, by name."""
    ### BEGIN SOLUTION
    params = c_in * c_out * kernel_size**2
    macs = params * h_out * w_out
    values_in, values_out = c_in * h_out * w_out, c_out * h_out * w_out
    return {
        "params": params,
        "size_kb": params * bits / 8 / 1000,
        "macs": macs,
        "flops": 2 * macs,
        "activation_kib": values_out * bits / 8 / 1024,
        "intensity": 2 * macs / ((params + values_in + values_out) * bits / 8),
    }
    ### END SOLUTION


# %% role="check" name="efficiency-report-check" points=6
check("a01.efficiency_report", efficiency_report)
