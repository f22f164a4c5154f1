# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("qformat.bits_needed"))` in a cell of your own gives the next hint on a question. Press
# *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
import math

from ipywidgets import IntSlider

from tinylib.lab import explore, question
from tinylib.practice import begin, check, hint
from tinylib.show import canvases

begin(student)

# %% [markdown]
# ## 1. A word in memory

# %% role="given" name="word-question"
q = question("qformat.raw_negative")

# %% role="answer" name="word"
word = None
### BEGIN SOLUTION
word = 2**q.w + round(q.x * 2**q.f)
### END SOLUTION

# %% role="check" name="word-check" points=1
check("qformat.raw_negative", word)

# %% [markdown]
# ## 2. What rounding loses

# %% role="given" name="error-question"
q = question("qformat.round_error")

# %% role="answer" name="error"
rounding_error = None
### BEGIN SOLUTION
rounding_error = abs(math.floor(math.pi * 2**q.f + 0.5) / 2**q.f - math.pi)
### END SOLUTION

# %% role="check" name="error-check" points=1
check("qformat.round_error", rounding_error)

# %% [markdown]
# ## 3. Choosing a format

# %% role="given" name="bits-question"
q = question("qformat.bits_needed")

# %% role="answer" name="bits"
bits = None
### BEGIN SOLUTION
bits = 1 + math.ceil(math.log2(q.mx)) + math.ceil(-math.log2(q.res))
### END SOLUTION

# %% role="check" name="bits-check" points=1
check("qformat.bits_needed", bits)

# %% [markdown]
# ## 4. The nearest node of a table

# %% role="given" name="nearest-question"
q = question("lut.nearest_error")

# %% role="answer" name="nearest"
nearest_error = None
### BEGIN SOLUTION
nearest_error = q.h / 2
### END SOLUTION

# %% role="check" name="nearest-check" points=1
check("lut.nearest_error", nearest_error)

# %% [markdown]
# ## 5. Where a table ends

# %% role="given" name="cut-question"
q = question("lut.saturation_error")

# %% role="answer" name="cut"
cut_error = None
### BEGIN SOLUTION
cut_error = 1 / (1 + math.exp(-q.x))
### END SOLUTION

# %% role="check" name="cut-check" points=1
check("lut.saturation_error", cut_error)

# %% [markdown]
# ## 6. Read it off the figure
#
# The figure shows your sensor's word. Move the point to where the program thinks it is. The check can only
# tell whether you gave a number: it is judged at grading.

# %% role="given" name="point-question"
q = question("a11.moved_point")
code = int(q.x * 2**q.f)

# %% role="given" name="point-figure"
explore(
    lambda frac_bits: canvases.word(code, 16 - frac_bits, frac_bits),
    frac_bits=IntSlider(value=q.f, min=2, max=12),
)

# %% role="answer" name="point"
value_read = None
### BEGIN SOLUTION
value_read = q.x * 2 ** (q.f - q.g)
### END SOLUTION

# %% role="check" name="point-check" points=2
check("a11.moved_point", value_read)

# %% [markdown]
# ## 7. A product in Q
#
# Write a function that multiplies two codes of a signed format with `int_bits` integer bits, the sign among
# them, and `frac_bits` fraction bits. Use integers only. Return a dict of three codes:
#
# | entry | what |
# |---|---|
# | `floored` | the product, its surplus fraction bits dropped by floor; it may not fit the format |
# | `wrapped` | `floored` as the format keeps it when it wraps |
# | `saturated` | `floored` as the format keeps it when it saturates at its true maximum and minimum |


# %% role="answer" name="multiply"
def multiply(a, b, int_bits, frac_bits):
    """The product of two raw codes: floored, then wrapped or saturated [codes]."""
    ### BEGIN SOLUTION
    half = 2 ** (int_bits + frac_bits - 1)
    floored = a * b >> frac_bits
    return {
        "floored": floored,
        "wrapped": (floored + half) % (2 * half) - half,
        "saturated": min(max(floored, -half), half - 1),
    }
    ### END SOLUTION


# %% role="check" name="multiply-check" points=4
check("a11.multiply", multiply)

# %% [markdown]
# ## 8. A lookup table
#
# `nodes` holds the codes of a function at x = `first`, `first` + 1/`per_unit`, `first` + 2/`per_unit`, ...
# `first` is a whole number, `per_unit` a power of two, and all codes have `frac_bits` fraction bits. Write a
# function that reads the table at the code `x`: a straight line between two nodes, rounded down to a
# code, and flat before the first node and after the last. Use integers only.


# %% role="answer" name="read-table"
def read_table(x, nodes, first, per_unit, frac_bits):
    """The function at code x, from its nodes [code]."""
    ### BEGIN SOLUTION
    width = 2**frac_bits // per_unit
    steps, part = divmod(x - first * 2**frac_bits, width)
    if steps < 0:
        return nodes[0]
    if steps >= len(nodes) - 1:
        return nodes[-1]
    return nodes[steps] + (nodes[steps + 1] - nodes[steps]) * part // width
    ### END SOLUTION


# %% role="check" name="read-table-check" points=4
check("a11.read_table", read_table)
