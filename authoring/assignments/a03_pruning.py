# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("pruning.csr_bytes"))` in a cell of your own gives the next hint on a question. Press
# *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
from random import Random

from ipywidgets import FloatSlider

from tinylib.lab import explore, question
from tinylib.practice import begin, check, hint
from tinylib.show import canvases

begin(student)

# %% [markdown]
# ## 1. Survivors

# %% role="given" name="survivors-question"
q = question("pruning.global_nonzero")

# %% role="answer" name="survivors"
survivors = None
### BEGIN SOLUTION
survivors = q.layers * q.per * (1 - q.sparsity)
### END SOLUTION

# %% role="check" name="survivors-check" points=1
check("pruning.global_nonzero", survivors)

# %% [markdown]
# ## 2. What a weight is worth

# %% role="given" name="obd-question"
q = question("pruning.obd")

# %% role="answer" name="obd"
loss_rise = None
### BEGIN SOLUTION
loss_rise = q.hii * q.w**2 / 2
### END SOLUTION

# %% role="check" name="obd-check" points=1
check("pruning.obd", loss_rise)

# %% [markdown]
# ## 3. Two of four

# %% role="given" name="nm-bytes-question"
q = question("prune.nm_bytes")

# %% role="answer" name="nm-bytes"
two_four_mb = None
### BEGIN SOLUTION
two_four_mb = q.n / 2 * (8 + 2) / 8 / 1e6
### END SOLUTION

# %% role="check" name="nm-bytes-check" points=1
check("prune.nm_bytes", two_four_mb)

# %% [markdown]
# ## 4. Values and indices

# %% role="given" name="csr-bytes-question"
q = question("pruning.csr_bytes")

# %% role="answer" name="csr-bytes"
csr_mb = None
### BEGIN SOLUTION
csr_mb = q.nnz * (q.val + q.idx) / 1e6
### END SOLUTION

# %% role="check" name="csr-bytes-check" points=1
check("pruning.csr_bytes", csr_mb)

# %% [markdown]
# ## 5. Fewer channels

# %% role="given" name="channels-question"
q = question("prune.channel_params")

# %% role="answer" name="channels"
share_left = None
### BEGIN SOLUTION
share_left = q.r * q.r
### END SOLUTION

# %% role="check" name="channels-check" points=1
check("prune.channel_params", share_left)

# %% [markdown]
# ## 6. Read it off the figure
#
# The figure prunes a matrix of your own shape. Move the slider to the sparsity from which CSR is the smaller
# one, row pointers counted, and give it in percent. The check can only tell whether you gave a number: it is
# judged at grading.

# %% role="given" name="csr-sparsity-question"
q = question("a03.csr_sparsity")
rng, n = Random(q.rows), q.rows * q.cols
weights = [rng.gauss(0, 0.2) for _ in range(n)]
ordered = sorted(map(abs, weights))

# %% role="given" name="csr-sparsity-figure"
explore(
    lambda percent: canvases.weight_histogram(
        weights, ordered[min(round(n * percent / 100), n - 1)], q.rows, 8 * q.val, q.idx
    ),
    percent=FloatSlider(value=20, min=0, max=99.5, step=0.5),
)

# %% role="answer" name="csr-sparsity"
csr_percent = None
### BEGIN SOLUTION
kept = (q.rows * q.cols * q.val - 4 * (q.rows + 1)) / (q.val + q.idx)
csr_percent = 100 * (1 - kept / (q.rows * q.cols))
### END SOLUTION

# %% role="check" name="csr-sparsity-check" points=2
check("a03.csr_sparsity", csr_percent)

# %% [markdown]
# ## 7. Which weights may go?
#
# Write a function that removes `removed` weights of a network at a minimum of its loss. `weights` and
# `curvatures` (the diagonal of the Hessian) are lists of one length. Return a dict:
#
# | entry | what |
# |---|---|
# | `rise` | how much the loss rises, to second order, if the weights of the *lowest saliency* go |
# | `by_magnitude` | how much it rises, to second order, if the *smallest* weights go |
# | `kept` | the sum of the magnitudes of the weights that saliency keeps |


# %% role="answer" name="obd-report"
def obd_report(weights, curvatures, removed):
    """What pruning by saliency and by magnitude costs, by name."""
    ### BEGIN SOLUTION
    pairs = [(h * w * w / 2, abs(w)) for w, h in zip(weights, curvatures)]
    by_saliency = sorted(pairs)
    by_size = sorted(pairs, key=lambda pair: pair[1])
    return {
        "rise": sum(rise for rise, _ in by_saliency[:removed]),
        "by_magnitude": sum(rise for rise, _ in by_size[:removed]),
        "kept": sum(size for _, size in by_saliency[removed:]),
    }
    ### END SOLUTION


# %% role="check" name="obd-report-check" points=3
check("a03.obd_report", obd_report)

# %% [markdown]
# ## 8. What the zeros save
#
# Write a function that reports on one pruned matrix, a list of rows. Each row is as long as a multiple of
# four. Return a dict:
#
# | entry | what | unit |
# |---|---|---|
# | `nonzero` | weights that are not zero | count |
# | `csr` | compressed sparse rows: values, column indices, and row pointers of 4 bytes | B |
# | `two_four` | the bytes if the matrix were pruned 2:4, with 2-bit positions | B |
# | `ready` | groups of four neighbours in a row that already have at most two weights left | count |


# %% role="answer" name="sparse-report"
def sparse_report(matrix, value_bytes, index_bytes):
    """Counts and sizes of one sparse matrix, by name."""
    ### BEGIN SOLUTION
    size = len(matrix) * len(matrix[0])
    nonzero = sum(w != 0 for row in matrix for w in row)
    groups = [row[i : i + 4] for row in matrix for i in range(0, len(row), 4)]
    return {
        "nonzero": nonzero,
        "csr": nonzero * (value_bytes + index_bytes) + 4 * (len(matrix) + 1),
        "two_four": size / 2 * (8 * value_bytes + 2) / 8,
        "ready": sum(sum(w != 0 for w in group) <= 2 for group in groups),
    }
    ### END SOLUTION


# %% role="check" name="sparse-report-check" points=4
check("a03.sparse_report", sparse_report)
