# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Your name draws **your
# own budget**; at grading your network is built, run on an emulated Cortex-M0+, and tested on speakers that
# nobody has heard. `print(hint("capstone.flash_kib"))` in a cell of your own gives the next hint on a
# question. Press *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
import numpy as np
from IPython.display import SVG

from tinylib.deploy import capstone, capstone_runs
from tinylib.lab import question
from tinylib.nets.conv import Conv2D, DepthwiseConv2D, PointwiseConv2D
from tinylib.nets.dense import Dense
from tinylib.nets.pool import AvgPool2D, Flatten, MaxPool2D
from tinylib.practice import begin, check, hint

begin(student)

# %% [markdown]
# ## 1. Flash with firmware

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
# ## 2. Time

# %% role="given" name="time-question"
q = question("capstone.latency")

# %% role="answer" name="time"
time_ms = None
### BEGIN SOLUTION
time_ms = 1000 * q.macs / q.rate
### END SOLUTION

# %% role="check" name="time-check" points=1
check("capstone.latency", time_ms)

# %% [markdown]
# ## 3. SRAM

# %% role="given" name="sram-question"
q = question("final.sram_total")

# %% role="answer" name="sram"
overrun = None  # (number, "runs as is"), "runs only with weights in flash" or "cannot run at all"
### BEGIN SOLUTION
number = q.w + q.a - q.sram
fits = "runs as is" if number <= 0 else "runs only with weights in flash"
overrun = (number, fits if q.a <= q.sram else "cannot run at all")
### END SOLUTION

# %% role="check" name="sram-check" points=1
check("final.sram_total", overrun)

# %% [markdown]
# ## 4. Weights that fit
#
# The check can only tell whether you gave a number: it is judged at grading.

# %% role="given" name="weights-question"
q = question("a16.weights_left")

# %% role="answer" name="weights"
weights_left = None
### BEGIN SOLUTION
weights_left = q.flash - q.code - q.channels * q.each
### END SOLUTION

# %% role="check" name="weights-check" points=2
check("a16.weights_left", weights_left)

# %% [markdown]
# ## 5. The judge's rule
#
# Write the rule by which three limits are judged. `took` and `limits` are lists of flash [B], RAM [B] and
# instructions. Return a dict:
#
# | entry | what |
# |---|---|
# | `tightest` | which of the three takes the largest share of its limit: 0, 1 or 2 |
# | `over` | how many limits are passed |
# | `kept` | mean worth of the limits: 1 while one is kept, then falling evenly to 0 at 1.5 times it |


# %% role="answer" name="weigh"
def weigh_budget(took, limits):
    """Tightest limit, limits passed, and the share of the points that the limits leave."""
    ### BEGIN SOLUTION
    shares = [t / m for t, m in zip(took, limits)]
    worth = [min(1.0, max(0.0, 1 - (share - 1) / 0.5)) for share in shares]
    return {
        "tightest": shares.index(max(shares)),
        "over": sum(share > 1 for share in shares),
        "kept": sum(worth) / 3,
    }
    ### END SOLUTION


# %% role="check" name="weigh-check" points=3
check("a16.weigh_budget", weigh_budget)

# %% [markdown]
# ## 6. Ship it
#
# The detector hears *yes, no, stop, go* or something else, in pictures of 20 x 20 cells. Train networks of
# your own on the 20 speakers below; 6 more are there for you to test on. The judge takes 24 others.
#
# **Points:** the share of your accuracy (1 at the goal, 0 at 20 points below) times the mean of the three
# limits by the rule above. A network that always answers the same keeps every limit and earns nothing.

# %% role="given" name="budget"
q = question("a16.network")
train, test = capstone.visible()
print(f"{len(train)} pictures to train on, {len(test)} to test on, classes {', '.join(train.classes)}")

# %% [markdown]
# `capstone.fit(parts)` trains in about a second, `capstone.quantized(network)` gives the plain values that
# you hand in: layers, shapes, INT8 weights. Parts are those of `tinylib.nets`, for example
# `[AvgPool2D(5), Flatten(), Dense.draw(rng, 16, 5)]`. You may make values of the same form by any other road:
# the docstring of `tinylib.deploy.plain_network` describes it, with INT8 and Q formats.
#
# Your cells run again at grading, on another machine and within 30 seconds. To hand in exactly the weights
# that you have here, print the values once with `json.dumps` and put the text into the cell.

# %% role="answer" name="network"
rng = np.random.default_rng(0)
network = None
### BEGIN SOLUTION
designs = {
    "means 4x4": lambda: [AvgPool2D(4), Flatten(), Dense.draw(rng, 25, 5)],
    "means 2x2": lambda: [AvgPool2D(2), Flatten(), Dense.draw(rng, 100, 5)],
    "dense": lambda: [Flatten(), Dense.draw(rng, 400, 5)],
}
for filters, side, step, cells in ((2, 5, 3, 36), (3, 5, 3, 36), (4, 4, 4, 25), (8, 4, 4, 25), (4, 3, 2, 81)):
    designs[f"{filters} filters {side}x{side}/{step}"] = lambda f=filters, k=side, s=step, n=cells: [
        Conv2D.draw(rng, 1, f, k, "relu", stride=s),
        Flatten(),
        Dense.draw(rng, f * n, 5),
    ]
fitting = [
    run
    for run in capstone_runs.runs()
    if run.name in designs
    and run.flash_bytes <= q.flash_bytes
    and run.ram_bytes <= q.ram_bytes
    and run.instructions <= q.instructions
]
best = max(fitting, key=lambda run: run.visible)
network = capstone.quantized(capstone.fit(designs[best.name]()))
### END SOLUTION

# %% [markdown]
# What it takes: measured where the extra `device` is installed (`make lab EXTRAS=device`), else estimated.
# The judge always measures, and its accuracy may differ from yours by a few points.

# %% role="given" name="look"
SVG(capstone_runs.look(network, vars(q))) if network else None

# %% role="check" name="network-check" points=10
check("a16.network", network)
