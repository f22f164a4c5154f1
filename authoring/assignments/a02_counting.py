# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("counting.conv_macs"))` in a cell of your own gives the next hint on a question. Press
# *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
from tinylib.lab import question
from tinylib.practice import begin, check, hint

begin(student)

# %% [markdown]
# ## 1. A fully connected layer

# %% role="given" name="linear-params-question"
q = question("counting.linear_params")

# %% role="answer" name="linear-params"
linear_params = None
### BEGIN SOLUTION
linear_params = q.n_in * q.n_out + q.n_out
### END SOLUTION

# %% role="check" name="linear-params-check" points=1
check("counting.linear_params", linear_params)

# %% [markdown]
# ## 2. The weights of a convolution

# %% role="given" name="conv-params-question"
q = question("counting.conv_params")

# %% role="answer" name="conv-params"
conv_params = None
### BEGIN SOLUTION
conv_params = q.k**2 * q.c_in * q.c_out + q.c_out
### END SOLUTION

# %% role="check" name="conv-params-check" points=1
check("counting.conv_params", conv_params)

# %% [markdown]
# ## 3. The work of a convolution

# %% role="given" name="conv-mmac-question"
q = question("counting.conv_macs")

# %% role="answer" name="conv-mmac"
conv_mmac = None
### BEGIN SOLUTION
conv_mmac = q.k**2 * q.c_in * q.c_out * q.h * q.w / 1e6
### END SOLUTION

# %% role="check" name="conv-mmac-check" points=1
check("counting.conv_macs", conv_mmac)

# %% [markdown]
# ## 4. Splitting it in two

# %% role="given" name="dws-ratio-question"
q = question("counting.dws_ratio")

# %% role="answer" name="dws-ratio"
dws_ratio = None
### BEGIN SOLUTION
dws_ratio = 1 / (1 / q.c_out + 1 / q.k**2)
### END SOLUTION

# %% role="check" name="dws-ratio-check" points=1
check("counting.dws_ratio", dws_ratio)

# %% [markdown]
# ## 5. One token through a feed-forward block

# %% role="given" name="ffn-macs-question"
q = question("counting.ffn_macs")

# %% role="answer" name="ffn-macs"
ffn_macs = None
### BEGIN SOLUTION
ffn_macs = q.mult * q.d**2
### END SOLUTION

# %% role="check" name="ffn-macs-check" points=1
check("counting.ffn_macs", ffn_macs)

# %% [markdown]
# ## 6. Read it off the figure
#
# The figure below is drawn with your layer. Move the side until the work meets the limit, and look at the
# output shape too. The check can only tell whether you gave a number: this one is judged at grading.

# %% role="given" name="largest-side-question"
from ipywidgets import IntSlider

from tinylib.cost import Conv2D
from tinylib.lab import explore
from tinylib.show import canvases

q = question("a02.largest_side")
layer = Conv2D(q.c_in, q.c_out, kernel_size=q.k, stride=2, padding="same", bias=False)
explore(
    lambda side: canvases.cost_bars(layer, (side, side, layer.in_channels)),
    side=IntSlider(value=32, min=2, max=160),
)

# %% role="answer" name="largest-side"
largest_side = None
### BEGIN SOLUTION
weights = q.k**2 * q.c_in * q.c_out
largest_side = 2 * int((q.limit_mmac * 1e6 / weights) ** 0.5)
### END SOLUTION

# %% role="check" name="largest-side-check" points=2
check("a02.largest_side", largest_side)

# %% [markdown]
# ## 7. A function for any convolution
#
# Return the multiply-accumulates of one convolution with a square kernel. Its output is `h_out` x `w_out`.


# %% role="answer" name="macs-function"
def conv_macs(kernel_size, c_in, c_out, h_out, w_out):
    """Multiply-accumulates of a convolution with a square kernel [MAC]."""
    ### BEGIN SOLUTION
    return kernel_size**2 * c_in * c_out * h_out * w_out
    ### END SOLUTION


# %% role="check" name="macs-function-check" points=2
check("a02.macs_function", conv_macs)

# %% [markdown]
# ## 8. What splitting saves
#
# Write a function that reports on a depthwise-separable pair: a depthwise convolution with a square kernel,
# then a pointwise one. **No bias**, stride 1: every map is `h_out` x `w_out`. Return a dict with these
# entries:
#
# | entry | what | unit |
# |---|---|---|
# | `params` | weights of both layers | count |
# | `depthwise_macs` | work of the depthwise half | MAC |
# | `pointwise_macs` | work of the pointwise half | MAC |
# | `macs` | work of both | MAC |
# | `saving` | MACs of the one convolution that the pair replaces, over `macs` | x |
# | `pointwise_share` | part of `macs` in the pointwise half, 0 to 1 | none |


# %% role="answer" name="separable-report"
def separable_report(kernel_size, c_in, c_out, h_out, w_out):
    """Weights and work of a depthwise-separable pair, by name."""
    ### BEGIN SOLUTION
    positions = h_out * w_out
    depthwise, pointwise = kernel_size**2 * c_in, c_in * c_out
    return {
        "params": depthwise + pointwise,
        "depthwise_macs": depthwise * positions,
        "pointwise_macs": pointwise * positions,
        "macs": (depthwise + pointwise) * positions,
        "saving": kernel_size**2 * c_in * c_out / (depthwise + pointwise),
        "pointwise_share": pointwise / (depthwise + pointwise),
    }
    ### END SOLUTION


# %% role="check" name="separable-report-check" points=6
check("a02.separable_report", separable_report)
