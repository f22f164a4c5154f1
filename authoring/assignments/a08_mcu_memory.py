# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("mcu.two_buffer"))` in a cell of your own gives the next hint on a question. Press
# *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
from ipywidgets import IntSlider

from tinylib.cost import Add, Model, Node, PointwiseConv2D
from tinylib.lab import explore, question
from tinylib.practice import begin, check, hint
from tinylib.show import canvases

begin(student)

# %% [markdown]
# ## 1. Input plus output

# %% role="given" name="two-buffer-question"
q = question("mcu.two_buffer")

# %% role="answer" name="two-buffer"
two_buffer_kib = None
### BEGIN SOLUTION
two_buffer_kib = (q.ci + q.co) * q.h * q.w * q.b / 1024
### END SOLUTION

# %% role="check" name="two-buffer-check" points=1
check("mcu.two_buffer", two_buffer_kib)

# %% [markdown]
# ## 2. Patches, without their halo

# %% role="given" name="patch-factor-question"
q = question("mcu.patch_factor")

# %% role="answer" name="patch-factor"
patch_factor = None
### BEGIN SOLUTION
patch_factor = q.p**2
### END SOLUTION

# %% role="check" name="patch-factor-check" points=1
check("mcu.patch_factor", patch_factor)

# %% [markdown]
# ## 3. The unrolled matrix

# %% role="given" name="im2col-question"
q = question("mcu.im2col")

# %% role="answer" name="im2col"
im2col_values = None
### BEGIN SOLUTION
im2col_values = q.k * q.k * q.ci * q.h * q.w
### END SOLUTION

# %% role="check" name="im2col-check" points=1
check("mcu.im2col", im2col_values)

# %% [markdown]
# ## 4. Weights in flash

# %% role="given" name="flash-question"
q = question("mcu.flash_weights")

# %% role="answer" name="flash"
flash_kib = None
### BEGIN SOLUTION
flash_kib = q.params * q.b / 1024
### END SOLUTION

# %% role="check" name="flash-check" points=1
check("mcu.flash_weights", flash_kib)

# %% [markdown]
# ## 5. Row by row

# %% role="given" name="row-tile-question"
q = question("mcu.row_tile")

# %% role="answer" name="row-tile"
row_tile_kib = None
### BEGIN SOLUTION
row_tile_kib = q.k * q.w * q.c * q.b / 1024
### END SOLUTION

# %% role="check" name="row-tile-check" points=1
check("mcu.row_tile", row_tile_kib)

# %% [markdown]
# ## 6. Read it off the figure
#
# The figure shows your own block. Step to the layer where most is alive and read how much that is. The check
# can only tell whether you gave a number: it is judged at grading.

# %% role="given" name="shortcut-question"
q = question("a08.shortcut_peak")
up, down = PointwiseConv2D(q.c, q.t * q.c), PointwiseConv2D(q.t * q.c, q.c)
nodes = (
    Node("up", up),
    Node("mix", PointwiseConv2D(q.t * q.c, q.t * q.c)),
    Node("down", down),
    Node("add", Add(), ("down", "input")),
)
block = Model("your block", (q.h, q.h, q.c), nodes)

# %% role="given" name="shortcut-figure"
explore(lambda step: canvases.arena(block, step=step), step=IntSlider(value=0, min=0, max=3))

# %% role="answer" name="shortcut"
peak_kib = None
### BEGIN SOLUTION
peak_kib = (1 + 2 * q.t) * q.c * q.h * q.h / 1024
### END SOLUTION

# %% role="check" name="shortcut-check" points=2
check("a08.shortcut_peak", peak_kib)

# %% [markdown]
# ## 7. A report on one block
#
# Write a function for a block of three layers and a shortcut, on maps of `height` x `width` that keep
# their size: a 1x1 layer widens `c` channels to `t * c`, a 3x3 depthwise layer filters them, a 1x1 layer
# narrows them to `c`, and an addition adds the block's input. Every value takes `bits` bits. Return a dict:
#
# | entry | what | unit |
# |---|---|---|
# | `in_plus_out` | largest input plus output of one of the *three* layers | B |
# | `live` | most bytes alive at one step, the shortcut counted | B |
# | `in_place` | `live`, if the depthwise layer works in place with one spare channel | B |
# | `rows` | the input rows that the depthwise layer holds for one output row | B |
# | `weights_kib` | the weights of the three layers, without bias | KiB (1024 bytes) |
#
# In place, ask anew which step is the worst.


# %% role="answer" name="peak-report"
def peak_report(height, width, c, t, bits):
    """Memory of one inverted-residual block, by name."""
    ### BEGIN SOLUTION
    channel = height * width * bits / 8
    narrow, wide = c * channel, t * c * channel
    return {
        "in_plus_out": 2 * wide,
        "live": narrow + 2 * wide,
        "in_place": max(narrow + wide + channel, narrow + wide + narrow),
        "rows": 3 * width * t * c * bits / 8,
        "weights_kib": (2 * t * c * c + 9 * t * c) * bits / 8 / 1024,
    }
    ### END SOLUTION


# %% role="check" name="peak-report-check" points=5
check("a08.peak_report", peak_report)
