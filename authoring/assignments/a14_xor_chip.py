# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("train.flash_share"))` in a cell of your own gives the next hint on a question. Press
# *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
import math

import numpy as np

from tinylib.deploy import plain_network, xor_chip
from tinylib.lab import question
from tinylib.nets import one_net, xor
from tinylib.nets.optimizers import SGD
from tinylib.practice import begin, check, hint

begin(student)

# %% [markdown]
# ## 1. Weights of a small network

# %% role="given" name="connections-question"
q = question("train.xor_connections")

# %% role="answer" name="connections"
connections = None
### BEGIN SOLUTION
connections = (q.i + 1) * q.h + (q.h + 1) * q.o
### END SOLUTION

# %% role="check" name="connections-check" points=1
check("train.xor_connections", connections)

# %% [markdown]
# ## 2. What learning keeps in RAM

# %% role="given" name="state-question"
q = question("train.xor_state_bytes")

# %% role="answer" name="state"
state_bytes = None
### BEGIN SOLUTION
state_bytes = q.n * q.v * q.b
### END SOLUTION

# %% role="check" name="state-check" points=1
check("train.xor_state_bytes", state_bytes)

# %% [markdown]
# ## 3. Tables in flash

# %% role="given" name="tables-question"
q = question("lut.bytes")

# %% role="answer" name="tables"
table_bytes = None
### BEGIN SOLUTION
table_bytes = q.n * q.b * q.t
### END SOLUTION

# %% role="check" name="tables-check" points=1
check("lut.bytes", table_bytes)

# %% [markdown]
# ## 4. What a table costs in accuracy

# %% role="given" name="line-question"
q = question("lut.interp_error")

# %% role="answer" name="line"
line_error = None
### BEGIN SOLUTION
line_error = 4 / (3 * math.sqrt(3)) * q.h**2 / 8
### END SOLUTION

# %% role="check" name="line-check" points=1
check("lut.interp_error", line_error)

# %% [markdown]
# ## 5. Its share of the part

# %% role="given" name="share-question"
q = question("train.flash_share")

# %% role="answer" name="share"
flash_share = None
### BEGIN SOLUTION
flash_share = 100 * q.s / q.f
### END SOLUTION

# %% role="check" name="share-check" points=1
check("train.flash_share", flash_share)

# %% [markdown]
# ## 6. All of the flash
#
# The check can only tell whether you gave a number: it is judged at grading.

# %% role="given" name="whole-question"
q = question("a14.whole_flash")

# %% role="answer" name="whole"
whole_flash = None
### BEGIN SOLUTION
whole_flash = q.text + q.data + q.tables + q.library
### END SOLUTION

# %% role="check" name="whole-check" points=2
check("a14.whole_flash", whole_flash)

# %% [markdown]
# ## 7. One step of learning, in integers
#
# An output neuron has answered `y` where `t` was wanted. All numbers are codes with `frac_bits` fraction
# bits; each product is shifted back and rounded **down**, before the next one is taken. Write one step of
# gradient descent on the squared error, and return a dict:
#
# | entry | what |
# |---|---|
# | `delta` | the error `t - y` times the slope `y (1 - y)` of the sigmoid; the slope is computed first |
# | `bias` | the bias after the step: `bias` + `rate` x `delta` |
# | `weights` | the weights after it, a list: `w` + `rate` x (`x` x `delta`), the inner product first |
#
# Nothing leaves the format here, so that neither wrapping nor saturation is needed. Use integers only.


# %% role="answer" name="learn-step"
def learn_step(x, w, bias, y, t, rate, frac_bits):
    """One step of a sigmoid neuron towards t: delta, new bias, new weights [codes]."""
    ### BEGIN SOLUTION
    one = 1 << frac_bits
    slope = y * (one - y) >> frac_bits
    delta = (t - y) * slope >> frac_bits
    moves = [rate * (u * delta >> frac_bits) >> frac_bits for u in x]
    return {
        "delta": delta,
        "bias": bias + (rate * delta >> frac_bits),
        "weights": [v + move for v, move in zip(w, moves)],
    }
    ### END SOLUTION


# %% role="check" name="learn-step-check" points=4
assert learn_step([256], [100], 30, 192, 0, 64, 8)["delta"] == -36
check("a14.learn_step", learn_step)

# %% [markdown]
# ## 8. Your network on the chip
#
# Train a network for the lamp below and hand in its codes. At grading it is written as C, compiled for a
# Cortex-M0+ and run there on your four cases and on noisy voltages that nobody has seen. All four cases must
# hold before noise, flash and RAM count.
#
# `xor_chip.levels(q.low, q.high, x)` turns inputs of 0 and 1 into volts, `xor_chip.lamp(q.lit, x)` says when
# the lamp is lit. `plain_network.values(net, ops)` writes a network of codes as the plain values to hand in.
#
# Two things to know: on the chip every product is rounded down and sums wrap, whatever you trained with; and
# the format, the number of neurons and the activations are yours to choose, as long as the bytes hold.

# %% role="given" name="chip-question"
q = question("a14.chip")
print("volts", xor_chip.levels(q.low, q.high).tolist(), "lit", xor_chip.lamp(q.lit).tolist())

# %% role="answer" name="chip"
chip = None
### BEGIN SOLUTION
x, _ = xor.samples(4_000, seed=7)
volts = xor_chip.levels(q.low, q.high, x)
lit = xor_chip.lamp(q.lit, x).astype(float)[:, None]
net, _ = one_net.train(xor.network(0, xor.Q8_8), volts, lit, SGD(1.0), xor.Q8_8)
chip = plain_network.values(net, xor.Q8_8)
### END SOLUTION

# %% role="check" name="chip-check" points=7
check("a14.chip", chip)
