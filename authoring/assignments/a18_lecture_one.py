# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("macs.conv_quiz"))` in a cell of your own gives the next hint on a question. Press
# *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
from ipywidgets import IntSlider

from tinylib.lab import explore, question
from tinylib.practice import begin, check, hint
from tinylib.show import canvases

begin(student)

# %% [markdown]
# ## 1. The gap: seconds per token

# %% role="given" name="token-question"
q = question("gap.seconds_per_token")

# %% role="answer" name="token"
token_s = None
### BEGIN SOLUTION
token_s = q.p / q.rate
### END SOLUTION

# %% role="check" name="token-check" points=1
check("gap.seconds_per_token", token_s)

# %% [markdown]
# ## 2. Work of a dense layer

# %% role="given" name="dense-question"
q = question("macs.bert_ffn_flops")

# %% role="answer" name="dense"
flops = None
### BEGIN SOLUTION
flops = 2 * q.i * q.o
### END SOLUTION

# %% role="check" name="dense-check" points=1
check("macs.bert_ffn_flops", flops)

# %% [markdown]
# ## 3. Work of a convolution

# %% role="given" name="conv-question"
q = question("macs.conv_quiz")

# %% role="answer" name="conv"
macs = None
### BEGIN SOLUTION
macs = q.k**2 * q.ci * q.co * q.h * q.w
### END SOLUTION

# %% role="check" name="conv-check" points=1
check("macs.conv_quiz", macs)

# %% [markdown]
# ## 4. Read it off the figure
#
# Set the sliders to the numbers of the question and find the output activation in the table. The figure is
# the calculator of lesson 03; it always shows 8 bits here.

# %% role="given" name="map-question"
q = question("calc.default_act_kib")

# %% role="given" name="map-figure"
explore(
    lambda c_in, c_out, kernel, side: canvases.convolution(c_in, c_out, kernel, 1, side, 8),
    c_in=IntSlider(value=16, min=1, max=256),
    c_out=IntSlider(value=16, min=1, max=256),
    kernel=[1, 3, 5, 7],
    side=IntSlider(value=56, min=4, max=112),
)

# %% role="answer" name="map"
output_kib = None
### BEGIN SOLUTION
output_kib = q.co * q.h**2 / 1024
### END SOLUTION

# %% role="check" name="map-check" points=1
check("calc.default_act_kib", output_kib)

# %% [markdown]
# ## 5. Energy of the arithmetic

# %% role="given" name="energy-question"
q = question("energy.compute_uj")

# %% role="answer" name="energy"
energy_uj = None
### BEGIN SOLUTION
energy_uj = q.n * q.e / 1e6
### END SOLUTION

# %% role="check" name="energy-check" points=1
check("energy.compute_uj", energy_uj)

# %% [markdown]
# ## 6. What a batch gains

# %% role="given" name="batch-question"
q = question("lat.fc_intensity")

# %% role="answer" name="batch"
mac_per_byte = None
### BEGIN SOLUTION
mac_per_byte = q.B / q.b
### END SOLUTION

# %% role="check" name="batch-check" points=1
check("lat.fc_intensity", mac_per_byte)

# %% [markdown]
# ## 7. Under the roof

# %% role="given" name="roof-question"
q = question("roof.quiz_achievable")

# %% role="answer" name="roof"
tflop_per_s = None
### BEGIN SOLUTION
tflop_per_s = min(q.peak, q.ai * q.bw)
### END SOLUTION

# %% role="check" name="roof-check" points=1
check("roof.quiz_achievable", tflop_per_s)

# %% [markdown]
# ## 8. A question without a key
#
# Two limits hold at once; the tighter one decides. The check can only tell whether you gave a number. It is
# judged at grading.

# %% role="given" name="largest-question"
q = question("a18.largest_model")

# %% role="answer" name="largest"
millions = None
### BEGIN SOLUTION
in_memory = q.ram_gb * 1000 * 8 // q.bits
in_time = q.gb_per_s * 1000 * 8 // (q.bits * q.tokens_per_s)
millions = min(in_memory, in_time)
### END SOLUTION

# %% role="check" name="largest-check" points=2
check("a18.largest_model", millions)

# %% [markdown]
# ## 9. The lecture on one card
#
# Write a function that judges one square convolution **without bias**, with stride 1, on one chip: input and
# output are both `h` x `w`, and every weight and value takes `bits` bits (8, 16 or 32). Weights lie in flash,
# input and output together in SRAM. Return a dict with these entries:
#
# | entry | what | unit |
# |---|---|---|
# | `weights_kib` | weights in flash | KiB (1024 bytes) |
# | `maps_kib` | input and output together | KiB |
# | `sram_left_kib` | what they leave of `sram_kib`, negative if they overrun it | KiB |
# | `compute_ms` | time of the MACs at `macs_per_s` | ms |
# | `moving_ms` | time to move weights, input and output once at `bytes_per_s` | ms |
# | `least_ms` | no run is shorter, if computing and moving overlap perfectly | ms |
# | `energy_uj` | the MACs at `pj_per_mac` each | µJ |


# %% role="answer" name="lecture-card"
def lecture_card(c_in, c_out, kernel_size, h, w, bits, sram_kib, macs_per_s, bytes_per_s, pj_per_mac):
    """Memory, time and energy of one convolution on one chip, by name."""
    ### BEGIN SOLUTION
    weights = c_in * c_out * kernel_size**2
    macs = weights * h * w
    values = (c_in + c_out) * h * w
    compute_ms = 1000 * macs / macs_per_s
    moving_ms = 1000 * (weights + values) * bits / 8 / bytes_per_s
    maps_kib = values * bits / 8 / 1024
    return {
        "weights_kib": weights * bits / 8 / 1024,
        "maps_kib": maps_kib,
        "sram_left_kib": sram_kib - maps_kib,
        "compute_ms": compute_ms,
        "moving_ms": moving_ms,
        "least_ms": max(compute_ms, moving_ms),
        "energy_uj": macs * pj_per_mac / 1e6,
    }
    ### END SOLUTION


# %% role="check" name="lecture-card-check" points=7
check("a18.lecture_card", lecture_card)
