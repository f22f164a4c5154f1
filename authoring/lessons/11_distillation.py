# %%
import numpy as np
from ipywidgets import FloatLogSlider, FloatSlider, IntSlider

from tinylib.compress import baseline, distill
from tinylib.cost import compression
from tinylib.datasets import digits
from tinylib.lab import explore, quiz
from tinylib.show import canvases

# %% [markdown]
# ## What a teacher knows beyond the label
#
# A large network has learnt to read digits; a small one is to learn from it. The label says "five" and no
# more. **Predict:** how sure is the teacher of its answer, and what does it say about the other nine
# digits?

# %%
data = digits()
teacher = baseline.mlp(data.train, hidden=(64, 64))
logits = baseline.logits(teacher, data.test)
print(f"teacher: {teacher.count:,} parameters, {100 * baseline.accuracy(teacher, data.test):.1f} % right")
share = compression.softmax(logits[0].tolist())
print(f"first test image, a {data.test.y[0]}: probability {share[5]:.4f} for five, {share[7]:.4f} for seven")

# %% [markdown]
# So sure that nothing is left for the others: its output is nearly the label itself. But the *logits*, the
# ten numbers before the softmax, know more. Divide them by a temperature T, and the order of the other digits
# shows. **Predict:** what does T = 4 give to five?

# %%
for temperature in (1, 2, 4, 8):
    p = compression.softmax(logits[0].tolist(), temperature)
    print(f"T = {temperature}: five {p[5]:.3f}, seven {p[7]:.3f}, two {p[2]:.3f}, six {p[6]:.3f}")

# %% [markdown]
# 0.8, and a little like a seven, nothing like a six: a student can learn that now. Look at the image: would
# you have said seven? Turn the temperature up, for other images too; the student in the figure has learnt
# from labels alone. From which temperature on do the two agree, and does that mean that it knows more?

# %% tags=["view"]
student = baseline.mlp(data.train, hidden=(12,))
theirs, pixels = baseline.logits(student, data.test), data.test.x.reshape(-1, *data.test.side).tolist()
explore(
    lambda image, temperature: canvases.temperature_bars(
        logits[image].tolist(), theirs[image].tolist(), temperature, data.test.classes, pixels[image]
    ),
    image=IntSlider(value=0, min=0, max=299),
    temperature=FloatLogSlider(value=4, min=-1, max=2, step=0.05, description="T"),
)

# %% tags=["view"]
quiz("kd.soft_prob_t1")

# %% tags=["view"]
quiz("kd.soft_prob")

# %% tags=["view"]
quiz("kd.t_infinite")

# %% [markdown]
# ## How much it says: entropy
#
# Entropy, - sum p ln p, measures how open an answer is: 0 nat for certainty, ln 10 = 2.303 nat for ten equal
# digits (nat: the unit where the logarithm is the natural one). How far the student is from the teacher is
# KL(teacher || student) = sum p ln(p / q), with p the teacher's probabilities and q the student's.
# **Predict:** does more entropy mean a better lesson for the student?

# %%
for temperature in (1, 4, 16, 64):
    p, q = (distill.softened(z, temperature) for z in (logits, theirs))
    kl = np.mean([compression.kl(a, b) for a, b in zip(p.tolist(), q.tolist())])
    print(f"T = {temperature:2}: entropy of the teacher {distill.entropy(p).mean():.3f} nat, KL {kl:.4f} nat")

# %% [markdown]
# Not without end: at T = 64 all digits look alike, and so do teacher and student: KL is zero if both say the
# same. It weighs each digit by what the *teacher* believes.
#
# **Common slip:** swapping the two. KL is not symmetric. In the figure, what does T^2 KL do where the
# entropies have met?

# %% tags=["view"]
explore(
    lambda image, temperature: canvases.entropy_curve(
        logits[image].tolist(), theirs[image].tolist(), temperature
    ),
    image=IntSlider(value=0, min=0, max=299),
    temperature=FloatLogSlider(value=4, min=-1, max=2, step=0.05, description="T"),
)

# %% tags=["view"]
quiz("kd.kl")

# %% [markdown]
# ## Why the loss has a factor T^2
#
# The gradient of KL by a student's logit is (q - p) / T, with p and q softened. **Predict:** from T = 4 to
# T = 8, does it halve, or fall to a quarter?

# %%
for temperature in (1, 2, 4, 8, 16, 32):
    p, q = (distill.softened(z, temperature) for z in (logits, theirs))
    size = np.abs((q - p) / temperature).mean()
    print(f"T = {temperature:2}: mean gradient {size:.6f}, times T^2 {size * temperature**2:.3f}")

# %% [markdown]
# Neither: from 4 to 8 it falls to 0.37. Only from 8 on is it about a quarter: 1/T from the chain rule, and
# q - p shrinks with 1/T as well. Times T^2 the soft term then keeps its weight beside the label.

# %% tags=["view"]
quiz("kd.gradient_shrink")

# %% [markdown]
# > **What the source text says differently.** Many texts state 1/T^2 as a law. It is the limit of a high
# > temperature and centred logits (Hinton et al., arXiv 1503.02531, section 2.1). In the table the gradient
# > does not shrink at all up to T = 4, and T^2 makes the soft term heavier there. Our loss keeps the
# > factor, and says that it is a limit.
#
# **Common slip:** averaging KL over the classes as well as the examples. That makes the soft term ten times
# weaker here; KL is a *sum* over classes.
#
# ## Both teachers at once
#
# The student hears the label and the teacher: L = (1 - a) CE + a T^2 KL. Its gradient, by logit, is (1 -
# a)(q_1 - label) + a T (q_T - p_T). **Predict:** which of the two terms is larger for a student that
# already agrees with the label?

# %%
packed, z = distill.pack(data.test.targets[:1], logits[:1]), theirs[:1]
loss, labels = distill.Distillation(temperature=4.0, weight=0.9), distill.Distillation(weight=0.0)
hard, both = -0.1 * labels(z, packed)[1][0, 5], -loss(z, packed)[1][0, 5]  # a loss gives the way downhill
rise = loss(z + 1e-6 * (np.arange(10) == 5), packed)[0] - loss(z, packed)[0]
print(f"by the logit of five: label {hard:+.5f}, teacher {both - hard:+.5f}, both {both:+.5f}")
print(f"by a small difference: both {rise[0] / 1e-6:+.5f}")

# %% [markdown]
# The teacher's: the label is content, the teacher still corrects how sure the student is. The last line
# differentiates numerically; always do that once with a gradient of your own. Now look at both terms, and at
# the one without T^2: at which temperature would the label drown the teacher?

# %% tags=["view"]
explore(
    lambda image, temperature, weight: canvases.loss_bars(
        logits[image].tolist(), theirs[image].tolist(), int(data.test.y[image]), temperature, weight
    ),
    image=IntSlider(value=0, min=0, max=299),
    temperature=FloatLogSlider(value=4, min=-0.3, max=1.5, step=0.05, description="T"),
    weight=FloatSlider(value=0.5, min=0, max=1, step=0.05, description="a"),
)

# %% tags=["view"]
quiz("kd.total_loss")

# %% [markdown]
# ## Does it help? Few labels
#
# Only 120 labelled images for the student, one hidden layer of 12, the same 30 starts with and without
# teacher. **Predict:** how many points does the teacher add at T = 1, and at T = 8?

# %%
few = data.train.take(slice(0, 120))
options = {"hidden": (12,), "seeds": 30, "epochs": 60}
rows = distill.sweep_temperatures(teacher, few, data.validation, (1, 2, 4, 8, 16), **options)
for row in rows[1:]:
    ends = f"({100 * row.low:+.1f} to {100 * row.high:+.1f})"
    print(f"T = {row.temperature:2}: {100 * row.mean:.1f} %, {100 * row.gain:+z.1f} points {ends}")

# %% [markdown]
# Nothing at T = 1, where the teacher repeats the label; nearly four points from 8 on. In brackets: 95 %
# intervals of the gain, paired by start.
#
# The best temperature was chosen on validation images. **Common slip:** reporting that same figure: the
# winner of a comparison is partly lucky. Ask the test images once:

# %%
best = max(rows[1:], key=lambda row: row.mean).temperature
nets = [distill.students(teacher, few, temperature=t, **options) for t in (None, best)]
alone, taught = (baseline.accuracy(net, data.test) for net in nets)
low, high = (100 * end for end in distill.interval(taught - alone))
print(f"T = {best}: labels alone {100 * alone.mean():.1f} %, with teacher {100 * taught.mean():.1f} %")
print(f"gain {100 * np.mean(taught - alone):+.1f} points ({low:+.1f} to {high:+.1f})")

# %% [markdown]
# A gain on images that chose nothing: real, then. But fair? The teacher saw 1,197 labels: part of the gain is
# *its* data, handed on.
#
# ## Does it help? All labels
#
# **Predict:** with all labels for the student too, does the gain stay the same on both sets of images?

# %%
nets = [distill.students(teacher, data.train, (12,), t, seeds=10, epochs=20) for t in (None, 8)]
for name, images in (("validation", data.validation), ("test", data.test)):
    alone, taught = (baseline.accuracy(net, images) for net in nets)
    low, high = (100 * end for end in distill.interval(taught - alone))
    scores = [100 * score for score in (baseline.accuracy(teacher, images), alone.mean())]
    print(f"{name}: teacher {scores[0]:.1f} %, labels alone {scores[1]:.1f} %", end=", ")
    print(f"gain {100 * np.mean(taught - alone):+.1f} points ({low:+.1f} to {high:+.1f})")

# %% [markdown]
# It has the opposite sign, and neither interval contains zero. On the validation images the students alone
# beat their teacher, which pulls them down; on the test images it is better and pulls them up. An interval
# over seeds says how other *starts* would do, not other *images*: 300 of them leave a standard error
# of about a point.
#
# **Common slip:** taking a narrow interval for a safe conclusion. Ask first what was drawn anew.
#
# ## Does it help? A smaller student
#
# **Predict:** six hidden units, all labels. Does a soft teacher help a student that has no room?

# %%
tiny = distill.sweep_temperatures(
    teacher, data.train, data.validation, (1, 2, 4, 8, 16), hidden=(6,), seeds=20, epochs=20
)
for row in tiny[1:]:
    ends = f"({100 * row.low:+.1f} to {100 * row.high:+.1f})"
    print(f"T = {row.temperature:2}: {100 * row.mean:.1f} %, {100 * row.gain:+.1f} points {ends}")

# %% tags=["view"]
sweeps = {"120 labels, 12 units": rows[1:], "all labels, 6 units": tiny[1:]}
gains = {name: [(r.temperature, r.gain, r.low, r.high) for r in found] for name, found in sweeps.items()}
explore(lambda: canvases.temperature_gain(gains, "validation images, 95 % intervals over starts"))

# %% [markdown]
# No: up to T = 4 the teacher does nothing, and above it *harms*. A likely reason: six units spend their few
# weights on the faint differences.
#
# The honest conclusion: distillation pays where labels are few, the student has room and the teacher is
# better than the student would be alone. The temperature belongs to the task, and to the validation set.
#
# ## What it saves
#
# Distillation itself saves nothing: the smaller network does. **Predict:** by how much is the student
# smaller?

# %%
print(f"{teacher.count:,} / {student.count:,} = {teacher.count / student.count:.1f} times the parameters")

# %% tags=["view"]
quiz("kd.param_ratio")
