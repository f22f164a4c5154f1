# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("quant.group_bits"))` in a cell of your own gives the next hint on a question. Press
# *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
import math

from tinylib.lab import explore, question
from tinylib.practice import begin, check, hint
from tinylib.show import canvases

begin(student)

# %% [markdown]
# ## 1. A scale for each channel

# %% role="given" name="scales-question"
q = question("advquant.per_channel_bytes")

# %% role="answer" name="scales"
extra_bytes = None
### BEGIN SOLUTION
extra_bytes = (q.c_out - 1) * q.sb
### END SOLUTION

# %% role="check" name="scales-check" points=1
check("advquant.per_channel_bytes", extra_bytes)

# %% [markdown]
# ## 2. What a group costs

# %% role="given" name="group-question"
q = question("quant.group_bits")

# %% role="answer" name="group"
bits_per_weight = None
### BEGIN SOLUTION
bits_per_weight = q.b + (q.s + q.z) / q.g
### END SOLUTION

# %% role="check" name="group-check" points=1
check("quant.group_bits", bits_per_weight)

# %% [markdown]
# ## 3. A codebook with its table

# %% role="given" name="codebook-question"
q = question("quant.codebook_overhead")

# %% role="answer" name="codebook"
codebook_ratio = None
### BEGIN SOLUTION
codebook_ratio = q.n * q.w / (q.n * math.log2(q.k) + q.k * q.w)
### END SOLUTION

# %% role="check" name="codebook-check" points=1
check("quant.codebook_overhead", codebook_ratio)

# %% [markdown]
# ## 4. Sharing the difficulty

# %% role="given" name="smooth-question"
q = question("advquant.smoothquant")

# %% role="answer" name="smooth"
smooth_factor = None
### BEGIN SOLUTION
smooth_factor = q.ax**q.alpha / q.aw ** (1 - q.alpha)
### END SOLUTION

# %% role="check" name="smooth-check" points=1
check("advquant.smoothquant", smooth_factor)

# %% [markdown]
# ## 5. A language model at few bits

# %% role="given" name="model-question"
q = question("advquant.int4_gb")

# %% role="answer" name="model"
model_gb = None
### BEGIN SOLUTION
model_gb = q.params * q.bits / 8 / 1e9
### END SOLUTION

# %% role="check" name="model-check" points=1
check("advquant.int4_gb", model_gb)

# %% [markdown]
# ## 6. Read it off the figure
#
# The figure shows your own three channels. Read twice, then subtract. The check can only tell whether you
# gave a number: it is judged at grading.

# %% role="given" name="gain-question"
q = question("a05.quiet_gain")
channels = [[top * math.cos(0.7 * i) for i in range(40)] for top in (q.quiet, q.middle, q.loud)]

# %% role="given" name="gain-figure"
explore(
    lambda scales: canvases.channel_scales(channels, q.bits, scales),
    scales=["tensor", "channel"],
)

# %% role="answer" name="gain"
gain_db = None
### BEGIN SOLUTION
from tinylib.formats.affine import sqnr_db, symmetric

codes = [symmetric(top, q.bits) for top in (q.loud, q.quiet)]
levels = [sqnr_db(channels[0], [c.dequantize(c.quantize(w)) for w in channels[0]]) for c in codes]
gain_db = levels[1] - levels[0]
### END SOLUTION

# %% role="check" name="gain-check" points=2
check("a05.quiet_gain", gain_db)

# %% [markdown]
# ## 7. Codes per channel
#
# `weights` is a list of rows, one row per output channel. Write a function that gives each row its own
# symmetric codes of `bits` bits, without the lowest one, and returns a dict:
#
# | entry | what |
# |---|---|
# | `scales` | a list, one scale per row |
# | `codes` | a list of lists, the codes of every row, rounded to the nearest |
# | `bits_per_weight` | codes and scales together, 32 bits a scale, divided by the number of weights |


# %% role="answer" name="per-channel"
def per_channel(weights, bits):
    """Scales and codes of rows of weights, and what they take on average."""
    ### BEGIN SOLUTION
    top = 2 ** (bits - 1) - 1
    scales = [max(abs(w) for w in row) / top for row in weights]
    codes = [[math.floor(w / s + 0.5) for w in row] for row, s in zip(weights, scales)]
    count = sum(len(row) for row in weights)
    return {"scales": scales, "codes": codes, "bits_per_weight": bits + 32 * len(weights) / count}
    ### END SOLUTION


# %% role="check" name="per-channel-check" points=3
check("a05.per_channel", per_channel)

# %% [markdown]
# ## 8. One step of K-means
#
# Write a function that moves a codebook by one step: each weight goes to the nearest entry of `codebook`,
# then each entry becomes the mean of its weights. An entry without weights stays where it is. Return a dict:
#
# | entry | what |
# |---|---|
# | `indices` | a list, the entry of each weight, counted from 0 |
# | `codebook` | the moved entries |
# | `error` | mean squared distance of the weights to their moved entries, by these indices |


# %% role="answer" name="kmeans"
def kmeans_step(weights, codebook):
    """Indices, moved codebook and mean squared error of one K-means step."""
    ### BEGIN SOLUTION
    indices = [min(range(len(codebook)), key=lambda k: abs(w - codebook[k])) for w in weights]
    moved = list(codebook)
    for k in set(indices):
        own = [w for w, i in zip(weights, indices) if i == k]
        moved[k] = sum(own) / len(own)
    error = sum((w - moved[i]) ** 2 for w, i in zip(weights, indices)) / len(weights)
    return {"indices": indices, "codebook": moved, "error": error}
    ### END SOLUTION


# %% role="check" name="kmeans-check" points=3
check("a05.kmeans_step", kmeans_step)

# %% [markdown]
# ## 9. Straight through
#
# In training, weights are replaced by S clamp(round(w / S), -Q, Q) with Q = 2^(bits-1) - 1. Write a function
# that takes the gradients with respect to the *replaced* weights and returns a dict:
#
# | entry | what |
# |---|---|
# | `gradients` | a list, the gradients of the float weights: passed on where -QS <= w <= QS, else 0 |
# | `stopped` | how many gradients were stopped |


# %% role="answer" name="straight-through"
def straight_through(weights, gradients, scale, bits):
    """Gradients of float weights through a rounding, and how many were stopped."""
    ### BEGIN SOLUTION
    limit = scale * (2 ** (bits - 1) - 1)
    passed = [g if abs(w) <= limit else 0.0 for w, g in zip(weights, gradients)]
    return {"gradients": passed, "stopped": sum(abs(w) > limit for w in weights)}
    ### END SOLUTION


# %% role="check" name="straight-through-check" points=2
check("a05.straight_through", straight_through)
