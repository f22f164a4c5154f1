# %% [markdown]
# Write your name below as your instructor lists it, then run every cell from the top. Each question draws
# **your own numbers** from that name. Type or compute each answer, run the check under it, and read what it
# says. `print(hint("kd.total_loss"))` in a cell of your own gives the next hint on a question. Press
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
# ## 1. A softened teacher

# %% role="given" name="soft-question"
q = question("kd.soft_prob")

# %% role="answer" name="soft"
first_share = None
### BEGIN SOLUTION
powers = [exp(z / q.T) for z in (q.z0, q.z1, q.z2)]
first_share = powers[0] / sum(powers)
### END SOLUTION

# %% role="check" name="soft-check" points=1
check("kd.soft_prob", first_share)

# %% [markdown]
# ## 2. Without end

# %% role="given" name="infinite-question"
q = question("kd.t_infinite")

# %% role="answer" name="infinite"
each_share = None
### BEGIN SOLUTION
each_share = 1 / q.C
### END SOLUTION

# %% role="check" name="infinite-check" points=1
check("kd.t_infinite", each_share)

# %% [markdown]
# ## 3. What shrinks

# %% role="given" name="shrink-question"
q = question("kd.gradient_shrink")

# %% role="answer" name="shrink"
shrink = None
### BEGIN SOLUTION
shrink = q.T**2
### END SOLUTION

# %% role="check" name="shrink-check" points=1
check("kd.gradient_shrink", shrink)

# %% [markdown]
# ## 4. Two classes, two opinions

# %% role="given" name="kl-question"
q = question("kd.kl")

# %% role="answer" name="kl"
divergence = None
### BEGIN SOLUTION
divergence = q.p * log(q.p / q.q) + (1 - q.p) * log((1 - q.p) / (1 - q.q))
### END SOLUTION

# %% role="check" name="kl-check" points=1
check("kd.kl", divergence)

# %% [markdown]
# ## 5. Both teachers at once

# %% role="given" name="total-question"
q = question("kd.total_loss")

# %% role="answer" name="total"
total = None
### BEGIN SOLUTION
total = (1 - q.lam) * q.ce + q.lam * q.T**2 * q.kl
### END SOLUTION

# %% role="check" name="total-check" points=1
check("kd.total_loss", total)

# %% [markdown]
# ## 6. Read it off the figure
#
# The figure softens your own teacher; its student knows nothing yet. Find the temperature that is asked for.
# The check can only tell whether you gave a number: it is judged at grading.

# %% role="given" name="temperature-question"
q = question("a07.temperature")

# %% role="given" name="temperature-figure"
explore(
    lambda temperature: canvases.temperature_bars((q.z0, q.z1, q.z1), (0, 0, 0), temperature),
    temperature=FloatSlider(value=1, min=0.5, max=12, step=0.05, description="T"),
)

# %% role="answer" name="temperature"
temperature = None
### BEGIN SOLUTION
temperature = (q.z0 - q.z1) / log(2 * q.p / (1 - q.p))
### END SOLUTION

# %% role="check" name="temperature-check" points=2
check("a07.temperature", temperature)

# %% [markdown]
# ## 7. The loss of distillation
#
# `student` and `teacher` are lists of logits, `label` is the number of the right class, from 0. Return
#
# (1 - weight) x cross-entropy of the student on the label, at temperature 1
# + weight x T^2 x KL(teacher || student), both softened at `temperature`.


# %% role="answer" name="kd-loss"
def kd_loss(student, teacher, label, temperature, weight):
    """Distillation loss of one example [nat]."""

    ### BEGIN SOLUTION
    def softmax(logits, t):
        powers = [exp((z - max(logits)) / t) for z in logits]
        return [p / sum(powers) for p in powers]

    hard = -log(softmax(student, 1)[label])
    pairs = zip(softmax(teacher, temperature), softmax(student, temperature))
    soft = sum(p * log(p / q) for p, q in pairs)
    return (1 - weight) * hard + weight * temperature**2 * soft
    ### END SOLUTION


# %% role="check" name="kd-loss-check" points=3
check("a07.kd_loss", kd_loss)

# %% [markdown]
# ## 8. Its gradient
#
# Write a function for the derivatives of that loss by two logits of the student. Compare them with small
# differences of your function above before you hand in. Return a dict:
#
# | entry | what | unit |
# |---|---|---|
# | `label` | derivative by the logit of the right class | nat |
# | `other` | derivative by logit number `other`, another class | nat |


# %% role="answer" name="kd-gradient"
def kd_gradient(student, teacher, label, other, temperature, weight):
    """Derivatives of the distillation loss by two logits of the student, by name."""

    ### BEGIN SOLUTION
    def softmax(logits, t):
        powers = [exp((z - max(logits)) / t) for z in logits]
        return [p / sum(powers) for p in powers]

    def derivative(k):
        hard = softmax(student, 1)[k] - (k == label)
        soft = softmax(student, temperature)[k] - softmax(teacher, temperature)[k]
        return (1 - weight) * hard + weight * temperature * soft

    return {"label": derivative(label), "other": derivative(other)}
    ### END SOLUTION


# %% role="check" name="kd-gradient-check" points=3
check("a07.kd_gradient", kd_gradient)
