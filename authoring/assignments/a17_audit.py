# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("nas.latency_gradient"))` in a cell of your own gives the next hint on a question of the
# book. Press *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
from tinylib.lab import question
from tinylib.practice import begin, check, hint

begin(student)

# %% [markdown]
# ## 1. A formula that points the wrong way

# %% role="given" name="gradient-question"
q = question("nas.latency_gradient")

# %% role="answer" name="gradient"
gradient = None
### BEGIN SOLUTION
gradient = q.p * (q.l - q.e)
### END SOLUTION

# %% role="check" name="gradient-check" points=1
check("nas.latency_gradient", gradient)

# %% [markdown]
# ## 2. A saving that forgets something

# %% role="given" name="packed-question"
q = question("bin.ratio_with_bias")

# %% role="answer" name="packed"
packed_ratio = None
### BEGIN SOLUTION
packed_ratio = q.full / q.packed
### END SOLUTION

# %% role="check" name="packed-check" points=1
check("bin.ratio_with_bias", packed_ratio)

# %% [markdown]
# ## 3. Claim card: a cache
#
# The rest is judged at grading: the checks below can only tell whether you gave an answer.

# %% role="given" name="cache-question"
q = question("a17.cache_card")

# %% role="answer" name="cache"
cache_mb = None
### BEGIN SOLUTION
cache_mb = 2 * q.layers * q.shared * q.width * q.tokens * 2 / 1e6
### END SOLUTION

# %% role="check" name="cache-check" points=2
check("a17.cache_card", cache_mb)

# %% [markdown]
# ## 4. Claim card: a ridge

# %% role="given" name="ridge-question"
q = question("a17.ridge_card")

# %% role="answer" name="ridge"
over_ridge = None
### BEGIN SOLUTION
over_ridge = q.batch / (q.peak * 1e12 / (q.bandwidth * 1e9))
### END SOLUTION

# %% role="check" name="ridge-check" points=2
check("a17.ridge_card", over_ridge)

# %% [markdown]
# ## 5. Claim card: a recurrent network

# %% role="given" name="work-question"
q = question("a17.work_card")

# %% role="answer" name="work"
macs = None
### BEGIN SOLUTION
macs = 4 * q.units * (q.inputs + q.units) * q.steps
### END SOLUTION

# %% role="check" name="work-check" points=2
check("a17.work_card", macs)

# %% [markdown]
# ## 6. Name the slip

# %% role="given" name="slip-question"
q = question("a17.named_slip")

# %% role="answer" name="slip"
slip = None
### BEGIN SOLUTION
# what the instructor reads in the card of the drawn row
slip = {0: 1, 1: 2, 2: 3, 3: 4, 4: 5, 5: 6, 6: 4, 7: 2, 8: 5, 9: 1}[q.row]
### END SOLUTION

# %% role="check" name="slip-check" points=1
check("a17.named_slip", slip)

# %% [markdown]
# ## 7. The rule of an auditor
#
# `printed` is a number as text, as it stands on a page: "134", "8.0", "56,623,104". `recomputed` is what it
# should be, a positive number. Return a dict:
#
# | entry | what |
# |---|---|
# | `half_unit` | half a unit of the last printed digit: 0.5 for "134", 0.05 for "8.0" |
# | `ratio` | printed over recomputed |
# | `slip` | the first line below that fits |
#
# | `slip` | when |
# |---|---|
# | `"none"` | printed is at most `half_unit` away |
# | `"cut"` | printed is *below* recomputed, by less than a whole unit of the last digit |
# | `"binary"` | the ratio, or 1 over it, is within 0.2 % of 1.024, 1.024^2 or 1.024^3 |
# | `"prefix"` | the ratio, or 1 over it, is within 1 % of 1,000 or of 1,000,000 |
# | `"factor"` | the ratio, or 1 over it, is within 1 % of 2, 4 or 8 |
# | `"other"` | none of these |


# %% role="answer" name="audit"
def audit(printed, recomputed):
    """What a printed number promises, how far off it is, and the slip that explains it."""
    ### BEGIN SOLUTION
    text = printed.replace(",", "")
    unit = 10.0 ** -len(text.partition(".")[2])
    claimed = float(text)
    ratio = claimed / recomputed
    far = max(ratio, 1 / ratio)
    if abs(claimed - recomputed) <= unit / 2:
        slip = "none"
    elif 0 < recomputed - claimed < unit:
        slip = "cut"
    elif any(abs(far / 1.024**k - 1) <= 0.002 for k in (1, 2, 3)):
        slip = "binary"
    elif any(abs(far / k - 1) <= 0.01 for k in (1e3, 1e6)):
        slip = "prefix"
    elif any(abs(far / k - 1) <= 0.01 for k in (2, 4, 8)):
        slip = "factor"
    else:
        slip = "other"
    return {"half_unit": unit / 2, "ratio": ratio, "slip": slip}
    ### END SOLUTION


# %% role="check" name="audit-check" points=5
check("a17.audit", audit)

# %% [markdown]
# ## 8. The order of a tornado
#
# `rows` holds lists `[name, printed, recomputed]` with positive numbers. Return the names, the farthest off
# first: twice too large and twice too small are equally far.


# %% role="answer" name="tornado"
def tornado_order(rows):
    """Names of the rows, the largest factor between printed and recomputed first."""
    ### BEGIN SOLUTION
    far = {name: max(printed / found, found / printed) for name, printed, found in rows}
    return sorted(far, key=lambda name: -far[name])
    ### END SOLUTION


# %% role="check" name="tornado-check" points=3
check("a17.tornado_order", tornado_order)
