# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("bin.word_ops"))` in a cell of your own gives the next hint on a question. Press
# *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
from ipywidgets import IntSlider

from tinylib.formats import bits
from tinylib.lab import explore, question
from tinylib.practice import begin, check, hint
from tinylib.show import canvases

begin(student)

# %% [markdown]
# ## 1. Packed binary weights

# %% role="given" name="bytes-question"
q = question("bin.bytes")

# %% role="answer" name="bytes"
packed_bytes = None
### BEGIN SOLUTION
packed_bytes = -(-q.i * q.o // 8)
### END SOLUTION

# %% role="check" name="bytes-check" points=1
check("bin.bytes", packed_bytes)

# %% [markdown]
# ## 2. Five weights in a byte

# %% role="given" name="dense-pack-question"
q = question("bin.tern_dense_pack")

# %% role="answer" name="dense-pack"
trit_bytes = None
### BEGIN SOLUTION
trit_bytes = -(-q.i * q.o // 5)
### END SOLUTION

# %% role="check" name="dense-pack-check" points=1
check("bin.tern_dense_pack", trit_bytes)

# %% [markdown]
# ## 3. From a count to a dot product

# %% role="given" name="xnor-question"
q = question("bin.xnor_dot")

# %% role="answer" name="xnor"
dot = None
### BEGIN SOLUTION
dot = 2 * q.p - q.n
### END SOLUTION

# %% role="check" name="xnor-check" points=1
check("bin.xnor_dot", dot)

# %% [markdown]
# ## 4. How many words

# %% role="given" name="words-question"
q = question("bin.word_ops")

# %% role="answer" name="words"
word_pairs = None
### BEGIN SOLUTION
word_pairs = -(-q.n // q.w)
### END SOLUTION

# %% role="check" name="words-check" points=1
check("bin.word_ops", word_pairs)

# %% [markdown]
# ## 5. Read it off the figure
#
# The figure unpacks your own input and rows. Step to the row that is asked and read its dot product. The
# check can only tell whether you gave a number: it is judged at grading.

# %% role="given" name="row-question"
q = question("a12.row_dot")
x, *rows = (bits.unpack([word], 12) for word in (q.x, q.w0, q.w1, q.w2, q.w3))

# %% role="given" name="row-figure"
explore(lambda row: canvases.bit_matrix(rows, x, row), row=IntSlider(value=0, min=0, max=3))

# %% role="answer" name="row"
row_dot = None
### BEGIN SOLUTION
row_dot = sum(a * b for a, b in zip(x, rows[q.row]))
### END SOLUTION

# %% role="check" name="row-check" points=2
check("a12.row_dot", row_dot)

# %% [markdown]
# ## 6. A dot product without a multiplication
#
# Two vectors of `n` values, each +1 or -1, are packed into lists of 32-bit words: bit `i` of the row of words
# is 1 where value `i` is +1, the lowest bit of a word comes first. Spare bits of the last word are 0 in both
# and must not count. Return the dot product, using XNOR and a count of ones.


# %% role="answer" name="xnor-function"
def xnor_dot(a, b, n):
    """Dot product of two packed +-1 vectors of n values."""
    ### BEGIN SOLUTION
    differ = sum((p ^ q).bit_count() for p, q in zip(a, b))
    return n - 2 * differ
    ### END SOLUTION


# %% role="check" name="xnor-function-check" points=3
check("a12.xnor_dot", xnor_dot)

# %% [markdown]
# ## 7. Three values for a weight
#
# A ternary layer cuts small weights: its threshold is `percent` % of the *mean magnitude* of all weights.
# A weight whose magnitude is below it becomes 0, any other becomes its sign (a weight of exactly 0 at a
# threshold of 0 counts as positive). Return a dict:
#
# | entry | what | unit |
# |---|---|---|
# | `threshold` | the threshold | as the weights |
# | `signs` | list of -1, 0, +1 in the order of the weights | |
# | `sparsity` | share of zeros | 0..1 |
# | `packed_bytes` | two bits a weight, whole bytes | B |


# %% role="answer" name="ternary"
def ternarize(weights, percent):
    """Threshold, signs, sparsity and packed size of ternary weights, by name."""
    ### BEGIN SOLUTION
    threshold = percent / 100 * sum(abs(w) for w in weights) / len(weights)
    signs = [0 if abs(w) < threshold else (1 if w >= 0 else -1) for w in weights]
    return {
        "threshold": threshold,
        "signs": signs,
        "sparsity": signs.count(0) / len(signs),
        "packed_bytes": -(-len(weights) // 4),
    }
    ### END SOLUTION


# %% role="check" name="ternary-check" points=4
check("a12.ternarize", ternarize)
