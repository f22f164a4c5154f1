# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("quant.zero_point"))` in a cell of your own gives the next hint on a question. Press
# *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
import math

from ipywidgets import ToggleButtons

from tinylib.lab import explore, question
from tinylib.practice import begin, check, hint
from tinylib.show import canvases

begin(student)

# %% [markdown]
# ## 1. The code of zero

# %% role="given" name="zero-question"
q = question("quant.zero_point")

# %% role="answer" name="zero"
zero_point = None
### BEGIN SOLUTION
zero_point = round(-q.lo * (2**q.bits - 1) / (q.hi - q.lo))
### END SOLUTION

# %% role="check" name="zero-check" points=1
check("quant.zero_point", zero_point)

# %% [markdown]
# ## 2. The code of a value

# %% role="given" name="code-question"
q = question("quant.quantize")

# %% role="answer" name="code"
code = None
### BEGIN SOLUTION
code = min(max(round(q.x / q.S) + q.Z, 0), 255)
### END SOLUTION

# %% role="check" name="code-check" points=1
check("quant.quantize", code)

# %% [markdown]
# ## 3. There and back

# %% role="given" name="roundtrip-question"
q = question("quant.roundtrip_error")

# %% role="answer" name="roundtrip"
roundtrip_error = None
### BEGIN SOLUTION
roundtrip_error = abs(q.S * (q.q - q.Z) - q.x)
### END SOLUTION

# %% role="check" name="roundtrip-check" points=1
check("quant.roundtrip_error", roundtrip_error)

# %% [markdown]
# ## 4. A bias in the accumulator

# %% role="given" name="bias-question"
q = question("requant.bias")

# %% role="answer" name="bias"
bias_code = None
### BEGIN SOLUTION
bias_code = round(q.b / (q.si * q.sw))
### END SOLUTION

# %% role="check" name="bias-check" points=1
check("requant.bias", bias_code)

# %% [markdown]
# ## 5. A multiplier as fraction and shift

# %% role="given" name="shift-question"
q = question("requant.multiplier")

# %% role="answer" name="shift"
shift = None
### BEGIN SOLUTION
shift = -math.floor(math.log2(q.si * q.sw / q.so)) - 1
### END SOLUTION

# %% role="check" name="shift-check" points=1
check("requant.multiplier", shift)

# %% [markdown]
# ## 6. Read it off the figure
#
# The figure spreads 201 values evenly over the range of your activations. Choose the kind of code the
# question asks about. The check can only tell whether you gave a number: it is judged at grading.

# %% role="given" name="spare-question"
q = question("a04.spare_codes")
values = [q.lo + (q.hi - q.lo) * i / 200 for i in range(201)]

# %% role="given" name="spare-figure"
explore(
    lambda symmetric: canvases.code_grid(values, 8, 1.0, symmetric, True, "activations"),
    symmetric=ToggleButtons(options={"asymmetric": False, "symmetric": True}),
)

# %% role="answer" name="spare"
spare_codes = None
### BEGIN SOLUTION
spare_codes = 127 - round(-q.lo * 127 / q.hi)
### END SOLUTION

# %% role="check" name="spare-check" points=2
check("a04.spare_codes", spare_codes)

# %% [markdown]
# ## 7. Quantize
#
# Write a function that stores real `values` as asymmetric codes of `bits` bits for the range `lo` to `hi`,
# which holds zero. The codes are signed, from -2^(bits-1) up, when `signed` is true, else they start at 0.
# Round to the nearest code and saturate. Return a dict:
#
# | entry | what |
# |---|---|
# | `scale` | the length of a step |
# | `zero_point` | the code of real zero |
# | `codes` | a list, one code per value |
# | `clipped` | how many values were held at an end because they lie outside `lo` to `hi` |


# %% role="answer" name="quantize"
def quantize(values, lo, hi, bits, signed):
    """Scale, zero point and codes of values, and how many were clipped."""
    ### BEGIN SOLUTION
    scale = (hi - lo) / (2**bits - 1)
    low = -(2 ** (bits - 1)) if signed else 0
    high = low + 2**bits - 1
    zero_point = low + math.floor(-lo / scale + 0.5)
    codes = [min(max(math.floor(v / scale + 0.5) + zero_point, low), high) for v in values]
    clipped = sum(not lo <= v <= hi for v in values)
    return {"scale": scale, "zero_point": zero_point, "codes": codes, "clipped": clipped}
    ### END SOLUTION


# %% role="check" name="quantize-check" points=4
check("a04.quantize", quantize)

# %% [markdown]
# ## 8. Requantize
#
# An accumulator `acc` is scaled by M = `raw` x 2^-31 x 2^-`shift`, which is `raw` / 2^(31 + `shift`). Use
# **integers only**: no division, no float. Round once, to the nearest code, ties upwards. Return a dict:
#
# | entry | what |
# |---|---|
# | `rounded` | acc x M, rounded |
# | `code` | that with the output's zero point added, saturated to INT8 |


# %% role="answer" name="requantize"
def requantize(acc, raw, shift, zero_point):
    """An INT32 accumulator as an INT8 code [codes]."""
    ### BEGIN SOLUTION
    total = 31 + shift
    rounded = (acc * raw + (1 << (total - 1))) >> total
    return {"rounded": rounded, "code": min(max(rounded + zero_point, -128), 127)}
    ### END SOLUTION


# %% role="check" name="requantize-check" points=4
check("a04.requantize", requantize)
