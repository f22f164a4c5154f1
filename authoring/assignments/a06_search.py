# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("nas.expected_latency"))` in a cell of your own gives the next hint on a question. Press
# *Validate* before you hand in.

# %% role="name" name="student"
student = ""

# %% role="given" name="begin"
from math import exp, log

from ipywidgets import FloatSlider

from tinylib.lab import explore, question
from tinylib.practice import begin, check, hint
from tinylib.show import canvases

begin(student)

# %% [markdown]
# ## 1. How many architectures?

# %% role="given" name="space-question"
q = question("nas.space_log10")

# %% role="answer" name="space"
space_log10 = None
### BEGIN SOLUTION
space_log10 = q.edges * log(q.ops) / log(10)
### END SOLUTION

# %% role="check" name="space-check" points=1
check("nas.space_log10", space_log10)

# %% [markdown]
# ## 2. A share for each operation

# %% role="given" name="softmax-question"
q = question("nas.softmax_p0")

# %% role="answer" name="softmax"
first_share = None
### BEGIN SOLUTION
first_share = exp(q.a0) / (exp(q.a0) + exp(q.a1) + exp(q.a2))
### END SOLUTION

# %% role="check" name="softmax-check" points=1
check("nas.softmax_p0", first_share)

# %% [markdown]
# ## 3. Expected latency

# %% role="given" name="expected-question"
q = question("nas.expected_latency")

# %% role="answer" name="expected"
expected_ms = None
### BEGIN SOLUTION
expected_ms = q.p0 * q.l0 + q.p1 * q.l1 + q.p2 * q.l2
### END SOLUTION

# %% role="check" name="expected-check" points=1
check("nas.expected_latency", expected_ms)

# %% [markdown]
# ## 4. Which way it pulls

# %% role="given" name="derivative-question"
q = question("nas.latency_gradient")

# %% role="answer" name="derivative"
derivative_ms = None
### BEGIN SOLUTION
derivative_ms = q.p * (q.l - q.e)
### END SOLUTION

# %% role="check" name="derivative-check" points=1
check("nas.latency_gradient", derivative_ms)

# %% [markdown]
# ## 5. A reward for being fast

# %% role="given" name="reward-question"
q = question("nas.mnasnet_reward")

# %% role="answer" name="reward"
reward = None
### BEGIN SOLUTION
reward = q.acc * (q.t / q.target) ** q.w
### END SOLUTION

# %% role="check" name="reward-check" points=1
check("nas.mnasnet_reward", reward)

# %% [markdown]
# ## 6. Read it off the figure
#
# The figure shows your own mix. Move the first architecture parameter until the expected latency is the one
# asked for, and give the parameter. The check can only tell whether you gave a number: it is judged at
# grading.

# %% role="given" name="parameter-question"
q = question("a06.parameter")

# %% role="given" name="parameter-figure"
explore(
    lambda first: canvases.latency_mix((first, 0, 0), (q.l0, q.l1, q.l2)),
    first=FloatSlider(value=0, min=-3, max=3, step=0.05),
)

# %% role="answer" name="parameter"
parameter = None
### BEGIN SOLUTION
rest = (q.l1 + q.l2) / 2
p = (q.e - rest) / (q.l0 - rest)
parameter = log(2 * p / (1 - p))
### END SOLUTION

# %% role="check" name="parameter-check" points=2
check("a06.parameter", parameter)

# %% [markdown]
# ## 7. Expected latency, from the parameters
#
# Write a function from architecture parameters `logits` and `latencies`, two lists of one length, to the
# expected latency of the mix, through the softmax.


# %% role="answer" name="expected-latency-function"
def expected_latency(logits, latencies):
    """Expected latency of a mixed operation [ms]."""
    ### BEGIN SOLUTION
    powers = [exp(a - max(logits)) for a in logits]
    return sum(p * t for p, t in zip(powers, latencies)) / sum(powers)
    ### END SOLUTION


# %% role="check" name="expected-latency-function-check" points=2
check("a06.expected_latency", expected_latency)

# %% [markdown]
# ## 8. Its gradient
#
# Write a function that returns the derivative of the expected latency with respect to the architecture
# parameter number `k`, counted from 0. Compare it with a small difference of your function above before you
# hand in: a formula that looks right may have the wrong sign.


# %% role="answer" name="latency-gradient-function"
def latency_gradient(logits, latencies, k):
    """Derivative of the expected latency by logit k [ms]."""
    ### BEGIN SOLUTION
    powers = [exp(a - max(logits)) for a in logits]
    share = powers[k] / sum(powers)
    return share * (latencies[k] - expected_latency(logits, latencies))
    ### END SOLUTION


# %% role="check" name="latency-gradient-function-check" points=3
check("a06.latency_gradient", latency_gradient)

# %% [markdown]
# ## 9. The reward
#
# Write the reward of MnasNet for an accuracy (0 to 1), a latency and a target. With a negative `exponent`,
# a faster network must score higher.


# %% role="answer" name="reward-function"
def mnasnet_reward(accuracy, latency_ms, target_ms, exponent):
    """Latency-aware reward of one network."""
    ### BEGIN SOLUTION
    return accuracy * (latency_ms / target_ms) ** exponent
    ### END SOLUTION


# %% role="check" name="reward-function-check" points=1
check("a06.mnasnet_reward", mnasnet_reward)
