# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("power.average"))` in a cell of your own gives the next hint on a question. Press
# *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
import math
import statistics

from tinylib.compress import bands
from tinylib.datasets import one_motor
from tinylib.lab import explore, question
from tinylib.practice import begin, check, hint
from tinylib.show import bearing

begin(student)

# %% [markdown]
# ## 1. What a benchmark says between its lines

# %% role="given" name="power-question"
q = question("power.average")

# %% role="answer" name="power"
power_mw = None
### BEGIN SOLUTION
power_mw = 1000 * q.e / q.t
### END SOLUTION

# %% role="check" name="power-check" points=1
check("power.average", power_mw)

# %% role="given" name="steps-question"
q = question("claim.max_steps")

# %% role="answer" name="steps"
most_steps = None
### BEGIN SOLUTION
most_steps = q.cy * q.m // q.p
### END SOLUTION

# %% role="check" name="steps-check" points=1
check("claim.max_steps", most_steps)

# %% [markdown]
# ## 2. Batteries

# %% role="given" name="days-question"
q = question("power.battery_days")

# %% role="answer" name="days"
days = None
### BEGIN SOLUTION
mean_power = q.e / q.every + q.sleep
days = q.mah * 3.6 * q.v / mean_power / 86400
### END SOLUTION

# %% role="check" name="days-check" points=1
check("power.battery_days", days)

# %% role="given" name="coin-question"
q = question("power.pi_coin_cell")

# %% role="answer" name="coin"
minutes = None
### BEGIN SOLUTION
minutes = 60 * q.wh / q.p
### END SOLUTION

# %% role="check" name="coin-check" points=1
check("power.pi_coin_cell", minutes)

# %% [markdown]
# ## 3. Weights in SRAM

# %% role="given" name="sram-question"
q = question("power.inference_energy")

# %% role="answer" name="sram"
saved_nj = None
### BEGIN SOLUTION
saved_nj = q.n / 4 * (q.d - q.s) / 1000
### END SOLUTION

# %% role="check" name="sram-check" points=1
check("power.inference_energy", saved_nj)

# %% [markdown]
# ## 4. A bearing
#
# The figure shows another motor than yours: at 29.95 turns a second, with 9 balls of 7.94 mm on 39.04 mm.

# %% role="given" name="bearing-figure"
explore(
    lambda fault, view: bearing.bearing(fault.capitalize(), *one_motor.recording(fault, view=view)),
    fault=["outer race", "inner race", "ball"],
    view=["envelope", "spectrum"],
)

# %% role="given" name="inner-question"
q = question("vib.bpfi")

# %% role="answer" name="inner"
inner_hz = None
### BEGIN SOLUTION
inner_hz = q.n / 2 * q.fr * (1 + q.d / q.D)
### END SOLUTION

# %% role="check" name="inner-check" points=1
check("vib.bpfi", inner_hz)

# %% role="given" name="spin-question"
q = question("vib.bsf")

# %% role="answer" name="spin"
spin_hz = None
### BEGIN SOLUTION
spin_hz = q.D / (2 * q.d) * q.fr * (1 - (q.d / q.D) ** 2)
### END SOLUTION

# %% role="check" name="spin-check" points=1
check("vib.bsf", spin_hz)

# %% [markdown]
# ## 5. A liquid cell that reads frames
#
# This question is not in the workbook. Your answer is taken down here and judged at grading.

# %% role="given" name="framed-question"
q = question("a15.framed_macs")

# %% role="answer" name="framed"
window_macs = None
### BEGIN SOLUTION
inputs = q.frame * q.axes
window_macs = q.time // q.frame * q.k * (inputs + 5 * q.m) + 4 * q.m
### END SOLUTION

# %% role="check" name="framed-check" points=2
check("a15.framed_macs", window_macs)

# %% [markdown]
# ## 6. Two rivals, seed by seed
#
# Two networks were trained and tested with the same seeds: `ours[i]` and `theirs[i]` saw the same data. Write
# a function that compares them pair by pair and returns a dict:
#
# | entry | what |
# |---|---|
# | `gain` | mean of the differences ours - theirs |
# | `half` | half the width of its interval: `t` x s / sqrt(n), s the spread of the differences with n - 1 |
# | `verdict` | 1 if the whole interval lies above 0, -1 if below, 0 if 0 lies within |


# %% role="answer" name="compare"
def compare(ours, theirs, t):
    """The mean gain of ours over theirs, half its interval, and who is ahead."""
    ### BEGIN SOLUTION
    gains = [a - b for a, b in zip(ours, theirs)]
    gain = statistics.fmean(gains)
    half = t * statistics.stdev(gains) / math.sqrt(len(gains))
    return {"gain": gain, "half": half, "verdict": (gain > half) - (gain < -half)}
    ### END SOLUTION


# %% role="check" name="compare-check" points=4
assert compare([0.5, 0.6, 0.7], [0.4, 0.4, 0.4], 4.303)["verdict"] == 0
check("a15.compare", compare)

# %% [markdown]
# ## 7. The baseline that nobody shows
#
# Before a network, try a spectrum. Choose the limits of a few bands; a logistic layer on their powers is then
# trained on some machines and tested on **others**. At grading both are drawn anew: limits fitted to the
# machines below gain nothing there.
#
# `bands.accuracy(limits, severity=0.7, seed=3)` tries limits on the machines of a seed. Think of what each
# fault does to the shaft's orders, the hum and the resonances of 1.2 to 3.2 kHz before you try.

# %% role="given" name="baseline-question"
q = question("a15.baseline")
print("bands of equal width:", [round(hz) for hz in bands.even(q.bands)])

# %% role="answer" name="baseline"
limits = None
### BEGIN SOLUTION
limits = [12, 55, 105, 240, 1100, 4000]
if q.bands == 4:
    limits = [12, 55, 120, 1100, 4000]
### END SOLUTION

# %% role="check" name="baseline-check" points=5
check("a15.baseline", limits)
